"""Search with judgements, as a worker measures it: queries, documents and answers put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.bm25 import BM25_NAME, bm25_scores
from comparison.judged_queries import JudgedQueries
from comparison.judgements import Judgements
from comparison.retrieval_quality import Score, measure_retrieval, space_scores
from comparison.task_result import TaskResult, TaskScore
from core.arrays import FloatMatrix
from core.errors import DatasetError, EmbedscopeError, ParameterError, QueryError
from core.modality import Metric, Modality
from core.progress import Progress
from ingest import read_dataset
from ingest.dataset import Dataset
from ingest.source import Source
from vectors.keyed import KeyedVectors
from workspace.context import Context
from workspace.stored_comparison import StoredComparison, compared_vectors
from workspace.task_files import lines_of, needed

ITSELF = "items"
"""Instead of a dataset of queries: the compared items ask for each other."""
_BATCH = 32


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is searched with what.

    ``texts`` are those of queries and of documents, None where one of them is no text.
    """

    methods: Mapping[str, tuple[FloatMatrix, FloatMatrix, Metric]]
    refused: Mapping[str, str]
    notes: Mapping[str, str]
    test: JudgedQueries
    texts: tuple[Sequence[str], Sequence[str]] | None


def measure_search(
    stored: StoredComparison,
    dataset: Dataset,
    settings: Mapping[str, Any],
    files: Mapping[str, Source],
    context: Context,
) -> list[TaskResult]:
    """Return nDCG, recall, MRR, MAP and hit of every member and, for texts, of BM25.

    Members that cannot embed the queries are refused with the reason.

    Raises
    ------
    DatasetError, ParameterError
        If queries or judgements are missing or fit nothing.
    """
    if dataset.modality is Modality.PAIRS and "judgements" not in files:
        asked = _of_pairs(stored, dataset, context)
    elif settings["queries"] == ITSELF:
        asked = _among_items(stored, dataset, files)
    else:
        asked = _with_queries(stored, dataset, settings, files, context)
    methods: dict[str, Score] = {
        name: space_scores(queries, documents, metric)
        for name, (queries, documents, metric) in asked.methods.items()
    }
    baseline = BM25_NAME if BM25_NAME not in stored.info.names else f"{BM25_NAME}, counted words"
    if asked.texts is not None:
        context.progress(0, 0, "counting words for BM25")
        methods[baseline] = bm25_scores(*asked.texts)
    found = measure_retrieval(
        methods,
        asked.test,
        k=int(settings["k"]),
        baselines=(baseline,) if asked.texts is not None else (),
        seed=stored.info.recipe.seed,
        progress=context.progress,
    )
    return [_in_order(result, stored.info.names, asked) for result in found.values()]


def _in_order(result: TaskResult, names: Sequence[str], asked: _Asked) -> TaskResult:
    """Return the result with the refused members in their places, and notes where there are."""
    if result.refused:
        return result
    scores = {}
    for name in (*names, *result.baselines):
        if name in asked.refused:
            scores[name] = TaskScore.refusal(asked.refused[name])
        else:
            scores[name] = replace(result.scores[name], note=asked.notes.get(name, ""))
    return replace(result, scores=scores)


def _of_pairs(stored: StoredComparison, dataset: Dataset, context: Context) -> _Asked:
    """Take the left side as queries, the right one as documents and the pairs as judgements."""
    assert dataset.sides is not None  # noqa: S101 -- checked with the modality
    assert dataset.edges is not None  # noqa: S101
    left, right = dataset.sides.names
    every = compared_vectors(stored.info, context.store)
    refused = {
        name: f"It has no vectors of {left if left not in v.kind_names else right} items."
        for name, v in every.items()
        if not {left, right} <= set(v.kind_names)
    }
    usable = {name: v for name, v in every.items() if name not in refused}
    if not usable:
        raise DatasetError(f"No embedding has vectors of both sides, {left} and {right}.")
    ids = [_in_all(usable, side) for side in (left, right)]
    methods = {
        name: (_rows(v, ids[0], left), _rows(v, ids[1], right), v.metric)
        for name, v in usable.items()
    }
    edges = dataset.edges
    answers = (
        (dataset.ids[a], dataset.ids[b], float(w))
        for a, b, w in zip(
            edges.source.tolist(), edges.target.tolist(), edges.weight.tolist(), strict=True
        )
    )
    test = JudgedQueries.of(Judgements.of_pairs(answers, dataset.name), *ids, join="id")
    texts = None
    if set(dataset.sides.modalities) == {Modality.TEXT}:
        texts = (_texts(dataset, ids[0]), _texts(dataset, ids[1]))
    return _Asked(methods, refused, _blank(methods, test), test, texts)


def _among_items(stored: StoredComparison, dataset: Dataset, files: Mapping[str, Source]) -> _Asked:
    """Let the compared items be queries and documents; nobody is the own answer."""
    items = stored.comparison.items
    test = JudgedQueries.of(_judgements(files), items.ids, items.ids, same_items=True, join="id")
    methods = {
        name: (matrix, matrix, metric)
        for name, matrix, metric in zip(items.names, items.matrices, items.metrics, strict=True)
    }
    texts = None
    if dataset.modality is Modality.TEXT:
        texts = (_texts(dataset, items.ids),) * 2
    return _Asked(methods, {}, _blank(methods, test), test, texts)


def _blank(
    methods: Mapping[str, tuple[FloatMatrix, FloatMatrix, Metric]], test: JudgedQueries
) -> dict[str, str]:
    """Return a note for each method that knows nothing of some of the queries."""
    counts = {
        name: int((~queries[test.queries].any(axis=1)).sum())
        for name, (queries, _, _) in methods.items()
    }
    return {
        name: f"{n:,} of {len(test):,} queries have no vector and find nothing"
        for name, n in counts.items()
        if n
    }


def _with_queries(
    stored: StoredComparison,
    dataset: Dataset,
    settings: Mapping[str, Any],
    files: Mapping[str, Source],
    context: Context,
) -> _Asked:
    """Embed queries from elsewhere by each member's own model."""
    queries = _queries(settings, files, context)
    items = stored.comparison.items
    test = JudgedQueries.of(_judgements(files), queries.ids, items.ids)
    texts = [str(text) for text in queries.items]
    methods, refused, notes = {}, {}, {}
    context.progress.plan({**{f"queries {name}": 3.0 for name in items.names}, "search": 3.0})
    for name, run, matrix, metric in zip(
        items.names, stored.info.runs, items.matrices, items.metrics, strict=True
    ):
        context.progress.begin(f"queries {name}", f"embedding queries: {name}")
        try:
            vectors, n_failed = embedded_queries(run, name, texts, context, context.progress)
        except EmbedscopeError as error:
            refused[name] = str(error)
            continue
        if vectors.shape[1] != matrix.shape[1]:
            refused[name] = (
                f"Its queries have {vectors.shape[1]:,} dimensions, its items {matrix.shape[1]:,}."
            )
            continue
        methods[name] = vectors, matrix, metric
        if n_failed:
            notes[name] = f"{n_failed:,} of {len(texts):,} queries have no vector and find nothing"
    context.progress.begin("search", "searching")
    both = (texts, _texts(dataset, items.ids)) if dataset.modality is Modality.TEXT else None
    return _Asked(methods, refused, notes, test, both)


def embedded_queries(
    run: str, name: str, texts: Sequence[str], context: Context, progress: Progress
) -> tuple[FloatMatrix, int]:
    """Return the ``(n, d) float32`` vectors of texts by a run's model, and how many are zero.

    A text that the model cannot read gets a zero vector.

    Raises
    ------
    QueryError
        If the method takes no texts as queries.
    EmbedscopeError
        If its model cannot be loaded.
    """
    from embedders import get_embedder

    found = context.catalog.runs(context.workspace, id=run)
    method = get_embedder(found[0].embedder, **found[0].params) if found else None
    if method is not None and Modality.TEXT not in method.queries:
        raise QueryError(f"{method.title} cannot embed texts that were not in its data.")
    model, _ = context.model(run)
    blocks: list[FloatMatrix | None] = []
    for start in range(0, len(texts), _BATCH):
        progress(start, len(texts), f"embedding queries: {name}")
        part = list(texts[start : start + _BATCH])
        try:
            blocks.append(np.asarray(model.embed_queries(part), np.float32))
        except QueryError:  # one of them: find out which
            for text in part:
                try:
                    blocks.append(np.asarray(model.embed_query(text), np.float32)[None])
                except QueryError:
                    blocks.append(None)
    progress(len(texts), len(texts), f"embedding queries: {name}")
    known = [block for block in blocks if block is not None]
    if not known:
        raise QueryError(f"{model.title} could not read any of the {len(texts):,} queries.")
    blank = np.zeros((1, known[0].shape[1]), np.float32)
    vectors: FloatMatrix = np.concatenate([blank if b is None else b for b in blocks])
    return vectors, int((~vectors.any(axis=1)).sum())


def _queries(settings: Mapping[str, Any], files: Mapping[str, Source], context: Context) -> Dataset:
    if "queries" in files:
        return read_dataset(files["queries"], kind=Modality.TEXT)
    if not settings["queries"]:
        raise ParameterError("Choose a dataset of queries, or give a file of them.")
    queries = context.dataset(settings["queries"])
    if queries.modality is not Modality.TEXT:
        raise ParameterError(f"{queries.name} is {queries.modality} data; queries are texts.")
    return queries


def _judgements(files: Mapping[str, Source]) -> Judgements:
    source = needed(files, "judgements", "judgements, which document answers which query")
    return Judgements.from_lines(lines_of(source), source.name)


def _in_all(spaces: Mapping[str, KeyedVectors], kind: str) -> list[str]:
    """Return the keys of a kind that all spaces hold, in the order of the first."""
    keys = [space.of_kind(kind).keys for space in spaces.values()]
    common = set.intersection(*map(set, keys))
    return [key for key in keys[0] if key in common]


def _rows(vectors: KeyedVectors, ids: Sequence[str], kind: str) -> FloatMatrix:
    rows: NDArray[np.int64] = np.array([vectors.position(id, kind) for id in ids], np.int64)
    matrix: FloatMatrix = vectors.matrix[rows]
    return matrix


def _texts(dataset: Dataset, ids: Sequence[str]) -> list[str]:
    """Return the texts of items by id; "" for an id that the dataset lacks."""
    places = {id: row for row, id in enumerate(dataset.ids)}
    return [str(dataset.items[places[id]]) if id in places else "" for id in ids]
