"""Pictures of several runs beside each other, as a worker draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from workspace.context import Context, StagedProgress
from workspace.embedding import draw_run
from workspace.identity import layout_id
from workspace.store import present
from workspace.tasks import LayoutSpec, Task

if TYPE_CHECKING:
    from workspace.records import LayoutInfo

UMAP_AT_MOST = 20_000
"""More vectors take minutes under UMAP; they are drawn by PCA unless somebody asks."""


@dataclass(frozen=True)
class LinkedLayoutsTask(Task):
    """Draw runs that are shown beside each other; pictures that are there stay."""

    runs: ClassVar[str] = "workspace.linked_layouts:draw"

    dataset: str
    drawn: tuple[str, ...]
    method: str = "umap"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LinkedLayoutsTask:
        """Return the task."""
        return cls(**{**values, "drawn": tuple(values["drawn"])})


def draw(task: LinkedLayoutsTask, context: Context) -> dict[str, Any]:
    """Draw every run by PCA at once, then in the way that was asked for."""
    context.publish(dataset=task.dataset)
    infos = [
        present(next(iter(context.catalog.runs(context.workspace, id=run)), None), "The run")
        for run in task.drawn
    ]
    methods = ["pca"] if task.method == "pca" else ["pca", task.method]
    _plan(context.progress, [info.n for info in infos], task.method)
    # All runs by PCA first: both pictures are there before the slow ones begin.
    for method in methods:
        for info in infos:
            draw_run(info, LayoutSpec(method), context)
    return {"dataset": task.dataset, "comparing": True}


def same_layouts(drawn: Sequence[tuple[str, str, Sequence[LayoutInfo]]]) -> list[LayoutInfo]:
    """Return a picture of each run, all made in the same way; none where there is no such way.

    Parameters
    ----------
    drawn : sequence of (run, kind, layouts)
        The run, the kind of key that is shown, and the layouts there are of the run.

    Returns
    -------
    list of LayoutInfo
        UMAP with its default settings where all have it, else PCA, else nothing.
    """
    for spec in (LayoutSpec(), LayoutSpec("pca")):
        found = []
        for run, kind, layouts in drawn:
            id = layout_id(run, kind, spec)
            found += [layout for layout in layouts if layout.id == id][:1]
        if found and len(found) == len(drawn):
            return found
    return []


def layout_like(
    like: LayoutInfo, run: str, kind: str, layouts: Sequence[LayoutInfo]
) -> LayoutInfo | None:
    """Return the picture of another run that was made as ``like`` was, or None."""
    id = layout_id(run, kind, LayoutSpec(like.method))
    return next((layout for layout in layouts if layout.id == id), None)


def _plan(progress: StagedProgress, sizes: list[int], method: str) -> None:
    n = max(sizes)
    expected = {"graph": len(sizes) * (0.1 + 1e-8 * n * n)}
    if method != "pca":
        expected["layout"] = len(sizes) * (1.0 + 1e-3 * n)
    expected["quality"] = len(sizes) * (0.5 + 1e-3 * min(n, 5_000))
    progress.plan(expected)
