"""Embedding and drawing, as a worker does them: publish each part as soon as it is finished."""

from __future__ import annotations

import importlib.metadata
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from core.arrays import AnyArray
from core.errors import ParameterError, WorkspaceError
from embedders import get_embedder
from embedders.base import Embedder, ItemEmbedder
from ingest.dataset import Dataset
from projection import measure_quality, project
from vectors import KeyedVectors, KnnGraph, VectorIndex
from vectors.keyed import KINDS_TOGETHER
from workspace.context import Context
from workspace.identity import GRAPH_K, canonical, graph_id, layout_id, run_id
from workspace.item_vectors import StoredItems
from workspace.records import LayoutInfo, RunInfo
from workspace.store import present
from workspace.supplies import supply
from workspace.tasks import EmbedTask, LayoutSpec, LayoutTask

PREVIEW_ROWS = 1_000
PREVIEW_ABOVE = 2_000
_LIBRARIES = ("numpy", "scikit-learn", "gensim", "torch", "transformers", "umap-learn")


def embed(task: EmbedTask, context: Context) -> dict[str, Any]:
    """Embed a dataset and draw it; return the ids of the run and the layout."""
    info = make_run(task, context, shown=True)
    result = {"dataset": task.dataset, "run": info.id}
    if task.layout is not None:
        result["layout"] = draw_run(info, task.layout, context)
    return result


def make_run(task: EmbedTask, context: Context, *, shown: bool = False) -> RunInfo:
    """Return the run of a dataset, a method and its settings; embed where there is none yet.

    ``shown`` says whether the user waits to see this very run. Then a run of a model that is no
    more is made anew, beside it; else (in a comparison) the runs that are there are taken.
    """
    dataset = context.dataset(task.dataset)
    embedder = get_embedder(task.embedder, seed=task.seed, **task.params)
    supply(embedder, context.dataset, context.model)
    generation = _generation(embedder, dataset, context, check=shown)
    run = run_id(embedder, dataset, generation)
    if shown:
        context.publish(run=run)
    context.progress.plan(_expected_s(len(dataset), embedder, task.layout))
    with context.alone(run):
        info = context.catalog.known_run(run)
        if info is None or context.store.vectors_meta(run) is None:
            info = _make_run(run, task, embedder, dataset, context, generation, shown=shown)
    context.catalog.link_run(context.workspace, info)
    if shown:
        context.publish(dataset=task.dataset, run=run, run_ready=True)
    return info


def _generation(embedder: Embedder, dataset: Dataset, context: Context, *, check: bool) -> int:
    """Return which run with these settings is to be taken or made, counted from 0.

    It is the newest that is there, those of the workspace first; with ``check`` the newest whose
    model still is the present one, or else the next.
    """
    there = []
    for generation in itertools.count():
        run = run_id(embedder, dataset, generation)
        if context.catalog.known_run(run) is None or context.store.vectors_meta(run) is None:
            break
        is_foreign = not context.catalog.runs(context.workspace, id=run)
        there.append((is_foreign, -generation, run))
    for _, minus, run in sorted(there):
        state = context.store.state(run) or {}
        if not check or not embedder.is_outdated(state, context.progress):
            return -minus
    return len(there)


def lay_out(task: LayoutTask, context: Context) -> dict[str, Any]:
    """Draw a finished run in another way; return the id of the layout."""
    found = context.catalog.runs(context.workspace, id=task.run)
    info = present(found[0] if found else None, "The run")
    context.progress.plan(_expected_s(info.n, None, task.layout))
    context.publish(dataset=info.dataset, run=info.id, run_ready=True)
    layout = draw_run(info, task.layout, context)
    return {"dataset": info.dataset, "run": info.id, "layout": layout}


def _make_run(
    run: str,
    task: EmbedTask,
    embedder: Embedder,
    dataset: Dataset,
    context: Context,
    generation: int,
    *,
    shown: bool,
) -> RunInfo:
    begun = time.perf_counter()
    context.progress.begin("fit", f"preparing {embedder.title}", embedder.fit_stages)
    embedder.fit(dataset, context.progress)
    context.progress.begin("vectors", "embedding")
    known = None
    if isinstance(embedder, ItemEmbedder) and embedder.pretrained:
        known = StoredItems(context.store, context.catalog, embedder, run)
        vectors = _vectors(run, task, embedder, dataset, known, context, shown=shown)
    else:
        vectors = embedder.vectors(dataset, context.progress)
    if generation:
        vectors.provenance["notes"].append(
            "Made anew: the model of the earlier run with these settings is no more. That run "
            "stays, but answers no queries."
        )
    # The state first: vectors that are there can always be queried.
    context.store.save_state(run, embedder.state())
    meta = context.store.save_vectors(run, vectors)
    if known is not None:
        known.finish()
    info = RunInfo(
        id=run,
        dataset=task.dataset,
        embedder=embedder.id,
        title=embedder.title,
        params=embedder.params.to_dict(),
        seed=embedder.seed,
        kinds={**_both_sides(dataset, meta["kinds"]), **meta["kinds"]},
        n=len(vectors),
        dim=vectors.dim,
        metric=vectors.metric,
        seconds=time.perf_counter() - begun,
        bytes=meta["bytes"],
        versions=_versions(),
        created=time.time(),
        provenance={**vectors.provenance, **({"generation": generation} if generation else {})},
    )
    with _kept_while_wanted(info, (), context):
        context.catalog.link_run(context.workspace, info)
    return info


def _both_sides(dataset: Dataset, kinds: Mapping[str, int]) -> dict[str, int]:
    """Return the two sides of pairs as one more kind, so that a map can show them together."""
    names = dataset.sides.names if dataset.sides else ()
    if not names or not all(kinds.get(name) for name in names):
        return {}
    return {KINDS_TOGETHER.join(names): sum(kinds[name] for name in names)}


@contextmanager
def _kept_while_wanted(info: RunInfo, layouts: Sequence[str], context: Context) -> Iterator[None]:
    """Delete what was made of a dataset that was removed meanwhile: nobody could find it."""
    try:
        yield
    except WorkspaceError:
        removed = context.catalog.told(context.workspace, info.dataset) is None
        if removed and context.catalog.known_run(info.id) is None:
            context.store.remove_run(info.id, info.kinds, layouts)
        raise


def _vectors(
    run: str,
    task: EmbedTask,
    embedder: ItemEmbedder,
    dataset: Dataset,
    known: StoredItems,
    context: Context,
    *,
    shown: bool,
) -> KeyedVectors:
    """Return all vectors; of a large dataset, show the first thousand on the way.

    The sample's vectors are among the known ones by then: nothing is embedded twice.
    """
    if shown and len(dataset) > PREVIEW_ABOVE:
        _preview(run, task, embedder, dataset, known, context)
    vectors = embedder.vectors(dataset, context.progress, known=known)
    if not known.n_earlier:
        return vectors
    note = (
        f"{known.n_earlier:,} of {vectors.provenance['n_unique']:,} different items had been "
        "embedded before; the time is that of the others."
    )
    vectors.provenance["notes"].append(note)
    return vectors


def _preview(
    run: str,
    task: EmbedTask,
    embedder: ItemEmbedder,
    dataset: Dataset,
    known: StoredItems,
    context: Context,
) -> None:
    """Embed, draw and publish a few rows, so that there is a picture within seconds."""
    n = len(dataset)
    rows = np.sort(np.random.default_rng(0).choice(n, PREVIEW_ROWS, replace=False))
    if context.store.preview(run) is None:  # an interrupted job may have left it

        def of_all(done: int, total: int, stage: str = "", note: str = "") -> None:
            context.progress(done, total + n - len(rows), stage, note)

        vectors = embedder.vectors(dataset.subset(rows), of_all, known=known)
        arrays: dict[str, AnyArray] = {
            "rows": rows,
            "matrix": np.asarray(vectors.matrix),
            "coordinates": np.asarray(project(vectors, "pca", with_quality=False).coordinates),
        }
        context.store.save_preview(run, arrays)
    context.publish(dataset=task.dataset, preview={"id": run, "n": len(rows), "of": n})


def draw_run(info: RunInfo, spec: LayoutSpec, context: Context) -> str:
    """Publish a PCA picture at once, then the picture that was asked for; return its id.

    How far each may be trusted is measured last: it takes longer than PCA itself.
    """
    kind = spec.kind or next(iter(info.kinds))
    if kind not in info.kinds:
        have = ", ".join(info.kinds)
        raise ParameterError(f"There are no vectors of kind {kind!r}; choose one of: {have}.")
    vectors = present(context.store.vectors(info.id), "The vectors").of_kind(kind)
    drawn = []
    if spec.method != "pca":
        context.progress.begin("picture", "drawing a first picture")
        instant = LayoutSpec("pca", spec.n_components)
        drawn.append(_layout(info, kind, instant, vectors, None, context))
    graph = run_graph(info.id, kind, vectors, context)
    context.progress.begin("layout", "drawing")
    id = _layout(info, kind, spec, vectors, graph, context)
    context.progress.begin("quality", "measuring how far to trust it")
    for each in (id, *drawn):
        _quality(each, vectors, context)
    return id


def run_graph(run: str, kind: str, vectors: KeyedVectors, context: Context) -> KnnGraph | None:
    """Return the kNN graph of one kind: for the map's hover and for UMAP."""
    if len(vectors) < 2:
        return None  # one point has no neighbour
    id = graph_id(run, kind)
    context.progress.begin("graph", "finding neighbours")
    with context.alone(id):
        graph = context.store.graph(id)
        if graph is None:
            graph = VectorIndex(vectors).knn_graph(min(GRAPH_K, len(vectors) - 1), context.progress)
            context.store.save_graph(id, graph)
    context.publish(graph=id)
    return graph


def _layout(
    info: RunInfo,
    kind: str,
    spec: LayoutSpec,
    vectors: KeyedVectors,
    graph: KnnGraph | None,
    context: Context,
) -> str:
    spec = canonical(spec)
    id = layout_id(info.id, kind, spec)
    with context.alone(id):
        known = context.catalog.known_layout(id)
        if known is None or context.store.layout(id) is None:
            known = _make_layout(id, info.id, kind, spec, vectors, graph, context)
        with _kept_while_wanted(info, (id,), context):
            context.catalog.link_layout(context.workspace, known)
    context.publish(layout=id)
    return id


def _make_layout(
    id: str,
    run: str,
    kind: str,
    spec: LayoutSpec,
    vectors: KeyedVectors,
    graph: KnnGraph | None,
    context: Context,
) -> LayoutInfo:
    begun = time.perf_counter()
    layout = project(
        vectors,
        spec.method,
        n_components=spec.n_components,
        seed=spec.seed,
        progress=context.progress,
        graph=graph,
        with_quality=False,
        **spec.params,
    )
    context.store.save_layout(id, layout)
    return LayoutInfo(
        id=id,
        run=run,
        kind=kind,
        method=spec.method,
        n_components=spec.n_components,
        seed=spec.seed,
        params=dict(spec.params),
        n=len(layout.coordinates),
        seconds=time.perf_counter() - begun,
        created=time.time(),
    )


def _quality(id: str, vectors: KeyedVectors, context: Context) -> None:
    with context.alone(id):
        layout = present(context.store.layout(id), "The layout")
        if layout.quality is None:
            quality = measure_quality(vectors, layout.coordinates, progress=context.progress)
            if quality is not None:
                context.store.save_quality(id, quality)
    context.publish(measured=id)


def _expected_s(n: int, embedder: Embedder | None, layout: LayoutSpec | None) -> dict[str, float]:
    """Return the parts of a job with rough seconds each; their own rates soon replace them."""
    expected = {}
    if embedder is not None:
        slow = embedder.pretrained
        expected["fit"] = 3.0 if slow else 1.0 + 1e-3 * n
        learnt = isinstance(embedder, ItemEmbedder) and embedder.fit_stages
        expected["vectors"] = 0.012 * n if slow else (2e-3 if learnt else 2e-4) * n
    if layout is not None:
        expected["picture"] = 0.1 + 2e-5 * n
        expected["graph"] = 0.1 + 1e-8 * n * n
        expected["layout"] = 1.0 + 1e-3 * n if layout.method != "pca" else 0.1
        expected["quality"] = 0.5 + 1e-3 * min(n, 5_000)
    return expected


def _versions() -> dict[str, str]:
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
