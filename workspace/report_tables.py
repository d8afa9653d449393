"""Tables of a report: agreement over k, the shape of each space, and what fewer bytes keep."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from comparison.compare import CURVE
from comparison.compression import CompressedSpace, CompressionResult
from comparison.guards import guard_of_neighbours
from comparison.neighbour_agreement import chance_overlap
from comparison.report import TablePart
from comparison.space_words import lines
from vectors.bootstrap import Interval
from workspace.pair_findings import PairTask
from workspace.pair_findings import is_light as pair_is_light
from workspace.profiling import is_light, measure_space
from workspace.stored_comparison import StoredComparison

if TYPE_CHECKING:
    from workspace.workspace import Workspace


WorkedOut = Callable[[tuple[str, ...], Callable[[], Any]], Any]
"""Takes a key and what makes a value, and returns the value: made now, or kept from before."""


def at_once(key: tuple[str, ...], make: Callable[[], Any]) -> Any:  # noqa: ARG001
    """Make the value; nothing is kept."""
    return make()


def curve_table(stored: StoredComparison) -> TablePart | None:
    """Return the overlap of every two members over k beside chance and other seeds.

    None where nothing can be measured.
    """
    made = stored.comparison
    curves = {(a, b): made.curve(a, b) for a, b in combinations(made.names, 2)}
    depths = [k for k in CURVE if any(k in curve for curve in curves.values())]
    if not depths:
        return None
    rows = [
        (f"{a} and {b}", *(f"{curve[k]:.3f}" if k in curve else "–" for k in depths))
        for (a, b), curve in curves.items()
        if curve
    ]
    for name, floor in stored.floors.items():
        usable = [k for k in depths if not guard_of_neighbours(floor.n_local, k)]
        figures = (f"{floor.local('overlap', k):.3f}" if k in usable else "–" for k in depths)
        rows.append((f"{name} with another seed", *figures))
    chance = (f"{chance_overlap(k, stored.info.n):.3f}" for k in depths)
    rows.append(("unrelated spaces", *chance))
    return TablePart(
        "Shared neighbours over k",
        "Which embeddings agree most can turn with the number of neighbours that count.",
        ("share of the k nearest", *(f"k = {k}" for k in depths)),
        tuple(rows),
    )


def shapes_table(
    workspace: Workspace,
    stored: StoredComparison,
    measure_here: bool = True,
    worked_out: WorkedOut = at_once,
) -> TablePart | None:
    """Return the shape of each space; None where a job has not measured it.

    Where few items make a job needless, they are measured here, unless ``measure_here`` is False.
    """
    names = stored.info.names
    shapes = {name: workspace.space_profile(stored.info.id, name) for name in names}
    if any(shape is None for shape in shapes.values()):
        if not measure_here or not is_light(stored):
            return None
        shapes = {
            name: worked_out(
                ("space profile", stored.info.id, name), partial(measure_space, stored, name)
            )
            for name in names
        }
    every = [shape for shape in shapes.values() if shape is not None]
    reasons: dict[str, None] = {}
    rows = []
    for line in (line for group in lines(every[0].k).values() for line in group):
        cells = [line.cell(shape) for shape in every]
        reasons.update({cell.reason: None for cell in cells if cell.reason})
        rows.append((line.title, *(cell.text or "none" for cell in cells), line.says))
    first = every[0]
    return TablePart(
        "The shape of each space",
        f"{first.n:,} items · k {first.k} · seed {first.seed}",
        ("figure", *names, "what it says"),
        tuple(rows),
        tuple(f"None: {reason}" for reason in reasons),
    )


def compression_tables(workspace: Workspace, stored: StoredComparison) -> tuple[TablePart, ...]:
    """Return what was measured of members in fewer bytes; of each member the newest."""
    newest: dict[str, tuple[CompressionResult, str | None]] = {}
    for task in workspace.compressions(stored.info.id):
        for name in task.members:
            found = workspace.compressed(stored.info.id, name, task.column, task.k)
            if found is not None:
                newest.setdefault(name, (found, task.column))
    ordered = (name for name in stored.info.names if name in newest)
    return tuple(_compressed(name, *newest[name]) for name in ordered)


def _compressed(name: str, found: CompressionResult, column: str | None) -> TablePart:
    heads = ["code", "bytes per vector", f"true neighbours kept @{found.k}"]
    told = [
        f"{found.n_queries:,} of {found.n:,} items looked up",
        f"95 % intervals; unrelated lists keep {found.chance_recall:.3f}",
    ]
    with_task = any(row.task is not None for row in found.rows)
    if with_task:
        heads.append(f"own {column} by vote" if column else "own label by vote")
        if found.chance_task is not None:
            told.append(f"always naming the largest class: {found.chance_task:.3f}")
    heads.append("")
    return TablePart(
        f"{name} in fewer bytes",
        " · ".join([*told, f"seed {found.seed}"]),
        tuple(heads),
        tuple(_code_row(row, with_task) for row in found.rows),
        tuple(f"{label}: {reason}" for label, reason in found.refused.items()),
    )


def _code_row(row: CompressedSpace, with_task: bool) -> tuple[str, ...]:
    beside = f" + {row.beside_bytes:,} beside" if row.beside_bytes else ""
    cells = [row.label, f"{row.vector_bytes:,}{beside}", _interval(row.recall)]
    if with_task:
        cells.append("–" if row.task is None else _interval(row.task))
    return (*cells, "none smaller keeps more" if row.on_frontier else "")


def _interval(value: Interval) -> str:
    return f"{value.mean:.3f} ({value.low:.3f} to {value.high:.3f})"


def measured_beside(
    workspace: Workspace, stored: StoredComparison, pair: tuple[str, str]
) -> list[Any]:
    """Return what jobs have measured beside tasks, so far as it changes the report."""
    id, names = stored.info.id, stored.info.names
    found: list[Any] = [task.to_json() for task in workspace.compressions(id)]
    if not is_light(stored):
        found += [workspace.space_profile(id, name) is not None for name in names]
    if not pair_is_light(stored, PairTask(id, *pair, "movers")):
        both = (pair, pair[::-1])
        found += [workspace.pair_finding(PairTask(id, *two, "movers")) is not None for two in both]
    return found
