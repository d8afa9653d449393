"""The tasks that can be measured on a comparison, each from stored data to its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.class_labels import ClassLabels, labels_of
from comparison.cluster_agreement import clustering_agreement
from comparison.entity_probe import measure_entities
from comparison.label_probe import few_shot_probe, linear_probe
from comparison.label_quality import knn_label_accuracy, neighbourhood_hit, silhouette
from comparison.link_quality import edge_recall, link_prediction
from comparison.pair_quality import measure_pairs, places_of
from comparison.recommendation_task import recommendation_results
from comparison.shared_items import join
from comparison.tagged_sentences import TaggedSentences
from comparison.task_result import TaskResult
from comparison.word_analogies import AnalogyQuestions
from comparison.word_pairs import WordPairs
from comparison.word_tasks import analogies_result, word_pairs_result
from core.errors import DatasetError, ParameterError
from core.modality import Modality
from ingest import read_dataset
from ingest.dataset import Dataset
from ingest.linking import n_rated_as_no_pair
from ingest.source import Source
from vectors.keyed import KINDS_TOGETHER, KeyedVectors
from workspace.context import Context, StagedProgress
from workspace.measured_search import measure_search
from workspace.stored_comparison import StoredComparison, compared_vectors
from workspace.task_files import lines_of, needed


@dataclass(frozen=True, eq=False)
class Asked:
    """One task with all that it may need.

    Attributes
    ----------
    stored : StoredComparison
    dataset : Dataset
        Whose items are compared.
    settings : mapping
        Complete.
    files : mapping of str to Source
        By their role.
    context : Context
    """

    stored: StoredComparison
    dataset: Dataset
    settings: Mapping[str, Any]
    files: Mapping[str, Source]
    context: Context

    @property
    def seed(self) -> int:
        """Return the seed of the comparison."""
        return self.stored.info.recipe.seed

    @property
    def progress(self) -> StagedProgress:
        """Return what takes reports."""
        return self.context.progress

    @property
    def every(self) -> dict[str, KeyedVectors]:
        """Return all vectors of every member, words beside items."""
        return compared_vectors(self.stored.info, self.context.store)

    def classes(self) -> ClassLabels:
        """Return the classes of the shared items."""
        return labels_of(self.dataset, self.settings["column"], self.stored.comparison.items.ids)


def _neighbour_labels(asked: Asked) -> list[TaskResult]:
    found, labels = asked.stored.comparison, asked.classes()
    k = int(asked.settings["k"])
    return [
        measure(found.items, found.graphs, labels, k=k, seed=asked.seed, progress=asked.progress)
        for measure in (knn_label_accuracy, neighbourhood_hit)
    ]


def _probe(asked: Asked) -> list[TaskResult]:
    return [
        linear_probe(
            asked.stored.comparison.items,
            asked.classes(),
            equal_dimensions=bool(asked.settings["equal"]),
            seed=asked.seed,
            progress=asked.progress,
        )
    ]


def _clusters(asked: Asked) -> list[TaskResult]:
    items, labels = asked.stored.comparison.items, asked.classes()
    found = clustering_agreement(items, labels, seed=asked.seed, progress=asked.progress)
    return list(found.values())


def _silhouette(asked: Asked) -> list[TaskResult]:
    items = asked.stored.comparison.items
    return [silhouette(items, asked.classes(), seed=asked.seed, progress=asked.progress)]


def _few_shot(asked: Asked) -> list[TaskResult]:
    items = asked.stored.comparison.items
    return [few_shot_probe(items, asked.classes(), seed=asked.seed, progress=asked.progress)]


def _search(asked: Asked) -> list[TaskResult]:
    return measure_search(asked.stored, asked.dataset, asked.settings, asked.files, asked.context)


def _pairs(asked: Asked) -> list[TaskResult]:
    data, items = asked.dataset, asked.stored.comparison.items
    if data.modality is Modality.PAIRS and data.sides is not None:
        items = join(asked.every, KINDS_TOGETHER.join(data.sides.names))
    if "pairs" in asked.files:
        source = asked.files["pairs"]
        rated = WordPairs.from_lines(lines_of(source), source.name)
        left, right = zip(*rated.pairs, strict=True)
        ratings = rated.ratings
    elif data.modality is Modality.PAIRS and data.edges is not None:
        left, right = (
            tuple(data.ids[row] for row in side.tolist())
            for side in (data.edges.source, data.edges.target)
        )
        ratings = data.edges.weight.astype(np.float64)
    else:
        raise ParameterError("This task needs a file: two ids and a rating per line.")
    first, second = (places_of(items.ids, side) for side in (left, right))
    found = measure_pairs(items, first, second, ratings, seed=asked.seed, progress=asked.progress)
    n_apart = n_rated_as_no_pair(data.notes) if "pairs" not in asked.files else 0
    if not n_apart:
        return list(found.values())
    more = {"rated 0 or less: no pairs in these data; a file of ratings holds them": n_apart}
    return [replace(one, left_out={**one.left_out, **more}) for one in found.values()]


def _word_pairs(asked: Asked) -> list[TaskResult]:
    source = needed(asked.files, "pairs", "two words and a rating per line")
    pairs = WordPairs.from_lines(lines_of(source), source.name)
    return [word_pairs_result(asked.every, pairs, seed=asked.seed, progress=asked.progress)]


def _analogies(asked: Asked) -> list[TaskResult]:
    source = needed(asked.files, "questions", "four words per line")
    questions = AnalogyQuestions.from_lines(lines_of(source), source.name)
    return [analogies_result(asked.every, questions, seed=asked.seed, progress=asked.progress)]


def _entities(asked: Asked) -> list[TaskResult]:
    source = needed(asked.files, "train", "a word and its BIO tag per line")
    train = TaggedSentences.from_lines(lines_of(source), source.name)
    if "test" in asked.files:
        other = asked.files["test"]
        test = TaggedSentences.from_lines(lines_of(other), other.name)
    else:
        train, test = train.split(seed=asked.seed)
    spaces = asked.every
    return [measure_entities(spaces, train, test, seed=asked.seed, progress=asked.progress)]


def _links(asked: Asked) -> list[TaskResult]:
    data, found = asked.dataset, asked.stored.comparison
    if data.edges is None:
        raise DatasetError(f"{data.name} has no edges.")
    place = places_of(found.items.ids, data.ids)
    edges = np.stack([place[data.edges.source], place[data.edges.target]], axis=1)
    held_out = None
    if "held out" in asked.files:
        held_out = _held_out(asked.files["held out"], found.items.ids)
    seed, progress = asked.seed, asked.progress
    return [
        link_prediction(found.items, edges, held_out=held_out, seed=seed, progress=progress),
        edge_recall(found.items, found.graphs, edges, seed=seed, progress=progress),
    ]


def _held_out(source: Source, ids: tuple[str, ...]) -> NDArray[np.int64]:
    graph = read_dataset(source, kind=Modality.GRAPH)
    assert graph.edges is not None  # noqa: S101 -- a graph has edges
    place = places_of(ids, graph.ids)
    return np.stack([place[graph.edges.source], place[graph.edges.target]], axis=1)


def _recommendation(asked: Asked) -> list[TaskResult]:
    data, later, left_out, n_low = asked.dataset, None, 0, 0
    assert data.sides is not None  # noqa: S101 -- offered for interactions only
    if "later" in asked.files:
        new = read_dataset(asked.files["later"], kind=Modality.INTERACTIONS)
        assert new.edges is not None  # noqa: S101 -- interactions have edges
        assert new.sides is not None  # noqa: S101
        n_left, n_new = data.sides.n_left, new.sides.n_left
        users = places_of(data.ids[:n_left], new.ids[:n_new])
        items = places_of(data.ids[n_left:], new.ids[n_new:])
        pairs = np.stack([users[new.edges.source], items[new.edges.target - n_new]], axis=1)
        is_known, is_choice = (pairs >= 0).all(axis=1), new.edges.weight > 0
        later, left_out = pairs[is_known & is_choice] + [0, n_left], int((~is_known).sum())
        n_low = int((is_known & ~is_choice).sum())
    found = recommendation_results(
        asked.every,
        data,
        later=later,
        k=int(asked.settings["k"]),
        seed=asked.seed,
        progress=asked.progress,
    )
    told = {"later choices of unknown users or items": left_out} if left_out else {}
    if n_low:
        told["later ratings of 0 or less"] = n_low
    return [replace(result, left_out={**result.left_out, **told}) for result in found.values()]


MEASURES: dict[str, Callable[[Asked], list[TaskResult]]] = {
    "label-knn": _neighbour_labels,
    "label-probe": _probe,
    "label-clusters": _clusters,
    "label-silhouette": _silhouette,
    "label-few-shot": _few_shot,
    "retrieval": _search,
    "pairs": _pairs,
    "word-pairs": _word_pairs,
    "analogies": _analogies,
    "entities": _entities,
    "graph-links": _links,
    "recommendation": _recommendation,
}
"""By the id of the offered task."""
