"""How good one space is at a task, and how far several spaces of the same items agree."""

from comparison.class_labels import ClassLabels, labels_of
from comparison.class_moves import ClassMoves, class_moves
from comparison.class_neighbours import ClassNeighbours, class_neighbours
from comparison.cluster_agreement import clustering_agreement
from comparison.cluster_match import ClusterMatch, match_spaces
from comparison.compare import Comparison, compare
from comparison.compression import CompressionResult, compress
from comparison.disagreement import Disagreements, disagreements
from comparison.item_view import ItemView
from comparison.label_level import LabelLevel, label_level
from comparison.label_probe import few_shot_probe, linear_probe
from comparison.label_quality import knn_label_accuracy, neighbourhood_hit, silhouette
from comparison.link_quality import edge_recall, link_prediction
from comparison.movers import Movers, movers
from comparison.noise_floor import NoiseFloor, noise_floor
from comparison.pair_quality import measure_pairs
from comparison.recommendation import (
    RecommendationScore,
    RecommendationScores,
    RecommendationTest,
    measure_recommendation,
)
from comparison.retrieval_quality import measure_retrieval
from comparison.space_profile import SpaceProfile, profile
from comparison.task_result import TaskResult, TaskScore
from comparison.torn_groups import TornGroups, torn_groups
from comparison.verdict import Verdict, verdict
from comparison.word_analogies import (
    AnalogyQuestions,
    AnalogyScores,
    SectionScore,
    measure_analogies,
)
from comparison.word_pairs import WordPairs, WordPairScore, measure_word_pairs

__all__ = [
    "AnalogyQuestions",
    "AnalogyScores",
    "ClassLabels",
    "ClassMoves",
    "ClassNeighbours",
    "ClusterMatch",
    "Comparison",
    "CompressionResult",
    "Disagreements",
    "ItemView",
    "LabelLevel",
    "Movers",
    "NoiseFloor",
    "RecommendationScore",
    "RecommendationScores",
    "RecommendationTest",
    "SectionScore",
    "SpaceProfile",
    "TaskResult",
    "TaskScore",
    "TornGroups",
    "Verdict",
    "WordPairScore",
    "WordPairs",
    "class_moves",
    "class_neighbours",
    "clustering_agreement",
    "compare",
    "compress",
    "disagreements",
    "edge_recall",
    "few_shot_probe",
    "knn_label_accuracy",
    "label_level",
    "labels_of",
    "linear_probe",
    "link_prediction",
    "match_spaces",
    "measure_analogies",
    "measure_pairs",
    "measure_recommendation",
    "measure_retrieval",
    "measure_word_pairs",
    "movers",
    "neighbourhood_hit",
    "noise_floor",
    "profile",
    "silhouette",
    "torn_groups",
    "verdict",
]
