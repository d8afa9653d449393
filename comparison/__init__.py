"""How good one space is at a task, and how far several spaces of the same items agree."""

from comparison.compare import Comparison, compare
from comparison.recommendation import (
    RecommendationScore,
    RecommendationScores,
    RecommendationTest,
    measure_recommendation,
)
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
    "Comparison",
    "RecommendationScore",
    "RecommendationScores",
    "RecommendationTest",
    "SectionScore",
    "WordPairScore",
    "WordPairs",
    "compare",
    "measure_analogies",
    "measure_recommendation",
    "measure_word_pairs",
]
