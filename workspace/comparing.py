"""Making a comparison, as a worker does it: embed what is missing, then measure.

A method that cannot embed the data is left out and named with its reason; the others are compared.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from comparison.calibration import calibrated_agreement
from comparison.compare import Comparison, compare
from comparison.noise_floor import NoiseFloor, noise_floor
from core.errors import Cancelled, DatasetError, EmbedscopeError, WorkspaceError
from core.progress import Progress
from vectors.keyed import KeyedVectors
from workspace.context import Context, StagedProgress
from workspace.embedding import make_run, run_graph
from workspace.identity import comparison_id
from workspace.recipes import OTHER_SEED, Member, Recipe, checked
from workspace.records import RunInfo
from workspace.store import present
from workspace.stored_comparison import ComparisonInfo, as_parts
from workspace.tasks import EmbedTask, Task
from workspace.worker import failure_text

OTHER = ", other seed"
"""What is added to the name of a member's twin in progress."""


@dataclass(frozen=True)
class CompareTask(Task):
    """Build every member of a recipe and compare them."""

    runs: ClassVar[str] = "workspace.comparing:build"

    recipe: Recipe

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CompareTask:
        """Return the task, its recipe included."""
        return cls(Recipe.from_dict(values["recipe"]))


def build(task: CompareTask, context: Context) -> dict[str, Any]:
    """Make and keep a comparison; return its id.

    Raises
    ------
    WorkspaceError
        If fewer than two members could be embedded, with the reason of each that could not.
    """
    asked = checked(task.recipe)
    context.publish(dataset=asked.dataset)
    twins = _twins(asked)
    expected = _expected_s(asked, twins, context)
    context.progress.plan(expected)
    refused: dict[str, str] = {}
    infos = _embedded({m.name: m for m in asked.members}, "", refused, context)
    if len(infos) < 2:
        raise WorkspaceError(_too_few(asked, refused))
    without_twin = {name: refused[other] for name, other in _lost_twins(asked, twins, refused)}
    wanted = {n: twin for n, twin in twins.items() if n in infos and n not in without_twin}
    again = _embedded(wanted, OTHER, without_twin, context)
    recipe = dataclasses.replace(asked, members=tuple(m for m in asked.members if m.name in infos))
    lost = [(m, m.name in refused) for m in asked.members if m.name in {*refused, *without_twin}]
    id = comparison_id(recipe, [infos[m.name].id for m in recipe.members], lost)
    context.progress.plan(_of_measuring(expected, infos))
    with context.alone(id):
        if context.store.comparison_meta(id) is None:
            _compare(id, recipe, infos, again, (refused, without_twin), context)
    context.catalog.link_comparison(context.workspace, id, recipe.dataset)
    return {"dataset": recipe.dataset, "comparison": id, "comparing": True}


def _embedded(
    members: Mapping[str, Member], which: str, refused: dict[str, str], context: Context
) -> dict[str, RunInfo]:
    """Return the runs of members by name; those that fail go to ``refused`` with the reason."""
    infos = {}
    for name, member in members.items():
        try:
            infos[name] = _made(member, f"{name}{which}", context)
        except Cancelled:
            raise
        except Exception as error:  # as at the border of the job: the others must not be lost
            refused[name] = failure_text(error)
    return infos


def _too_few(recipe: Recipe, refused: Mapping[str, str]) -> str:
    told = " ".join(f"{name}: {reason}" for name, reason in refused.items())
    if len(refused) == len(recipe.members):
        return f"None of the embeddings could be made. {told}"
    (left,) = (m.name for m in recipe.members if m.name not in refused)
    return f"Only {left} could be made, and a comparison takes two embeddings. {told}"


def _lost_twins(
    recipe: Recipe, twins: Mapping[str, Member], refused: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return members whose twin is a member that was refused, each with the name of that one."""
    return [
        (name, member.name)
        for name, twin in twins.items()
        for member in recipe.members
        if name not in refused
        and member.name in refused
        and dataclasses.replace(twin, name=member.name) == member
    ]


def _made(member: Member, name: str, context: Context) -> RunInfo:
    """Return the run of a member, embedded now if nobody did it before."""
    part = dataclasses.replace(context, progress=_PartProgress(context.progress, name))
    task = EmbedTask(member.dataset, member.embedder, member.params, member.seed, None)
    return make_run(task, part)


def _twins(recipe: Recipe) -> dict[str, Member]:
    """Return each member that a seed changes under another seed.

    Where two members differ by their seed only, they are each other's twin.
    """
    from embedders import get_embedder

    if not recipe.noise:
        return {}
    twins = {}
    for member in recipe.members:
        if not get_embedder(member.embedder, seed=member.seed, **member.params).stochastic:
            continue
        others = [
            other
            for other in recipe.members
            if other.seed != member.seed
            and dataclasses.replace(other, seed=member.seed, name=member.name) == member
        ]
        twins[member.name] = (
            others[0] if others else dataclasses.replace(member, seed=member.seed + OTHER_SEED)
        )
    return twins


def _compare(
    id: str,
    recipe: Recipe,
    infos: Mapping[str, RunInfo],
    again: Mapping[str, RunInfo],
    lost: tuple[Mapping[str, str], dict[str, str]],
    context: Context,
) -> None:
    refused, without_twin = lost
    spaces, graphs = {}, {}
    begun = time.perf_counter()
    for name, info in infos.items():
        vectors = present(context.store.vectors(info.id), f"The vectors of {name}")
        kind = vectors.kind_names[0]  # its items; of pairs the first side
        spaces[name] = vectors.of_kind(kind)
        context.progress.begin(f"graph {name}", f"finding neighbours: {name}")
        graph = run_graph(info.id, kind, spaces[name], context)
        if graph is not None:
            graphs[name] = graph
    context.progress.begin("compare", "comparing")
    made = compare(spaces, k=recipe.k, seed=recipe.seed, graphs=graphs, progress=context.progress)
    context.progress.begin("noise", "comparing seeds")
    floors = {}
    for name, twin in again.items():
        try:
            floors[name] = _floor(name, made, infos[name], twin, recipe, context.progress, context)
        except EmbedscopeError as error:  # all else is measured: only this is lost
            without_twin[name] = str(error)
    context.progress.begin("chance", "comparing with chance")
    calibrated = calibrated_agreement(
        made.items, recipe.k, seed=recipe.seed, progress=context.progress
    )
    told = ComparisonInfo(
        id=id,
        recipe=recipe,
        runs=tuple(infos[name].id for name in made.names),
        n=len(made.items),
        left_out=tuple(len(left) for left in made.items.left_out),
        seconds=time.perf_counter() - begun,
        created=time.time(),
        refused=tuple(refused.items()),
        without_floor=tuple(without_twin.items()),
    )
    context.store.save_comparison(id, *as_parts(told, made, floors, calibrated))


def _floor(
    name: str,
    made: Comparison,
    info: RunInfo,
    twin: RunInfo,
    recipe: Recipe,
    progress: Progress,
    context: Context,
) -> NoiseFloor:
    place = made.names.index(name)
    vectors = present(context.store.vectors(twin.id), f"The vectors of {name}")
    other = _rows(vectors.of_kind(vectors.kind_names[0]), made.items.ids)
    return noise_floor(
        name,
        made.items.matrices[place],
        other,
        made.items.metrics[place],
        made.graphs[place],
        seeds=(info.seed, twin.seed),
        seed=recipe.seed,
        progress=progress,
    )


def _rows(space: KeyedVectors, ids: tuple[str, ...]) -> Any:
    if space.keys == ids:
        return space.matrix
    places = {key: row for row, key in enumerate(space.keys)}
    missing = sum(id not in places for id in ids)
    if missing:
        raise DatasetError(
            f"With another seed it gave no vector to {missing:,} of {len(ids):,} items."
        )
    return space.matrix[[places[id] for id in ids]]


class _PartProgress(StagedProgress):
    """Tells the stages of one member as parts of the whole."""

    def __init__(self, whole: StagedProgress, name: str) -> None:
        self._whole, self._name = whole, name

    def plan(self, expected_s: Mapping[str, float]) -> None:
        """Leave the plan to the whole."""

    def begin(self, part: str, stage: str, stages: Mapping[str, float] | None = None) -> None:
        """Start a part of this member."""
        named = None if stages is None else self._named(stages)
        self._whole.begin(f"{part} {self._name}", f"{self._name}: {stage}", named)

    def expect(self, stages: Mapping[str, float]) -> None:
        """Name the stages after the member, as its reports do."""
        self._whole.expect(self._named(stages))

    def trained(self, training: Mapping[str, Any]) -> None:
        """Report a training with the member's name."""
        self._whole.trained({**training, "stage": f"{self._name}: {training['stage']}"})

    def _named(self, stages: Mapping[str, float]) -> dict[str, float]:
        return {f"{self._name}: {stage}": work for stage, work in stages.items()}

    def __call__(self, done: int, total: int, stage: str = "", note: str = "") -> None:
        """Report with the member's name."""
        self._whole(done, total, f"{self._name}: {stage}", note)


def _expected_s(recipe: Recipe, twins: Mapping[str, Member], context: Context) -> dict[str, float]:
    from embedders import get_embedder

    found = context.catalog.datasets(context.workspace, recipe.dataset)
    n = found[0].n if found else 1_000
    expected = {}
    every = {m.name: m for m in recipe.members}
    every.update({f"{name}{OTHER}": twin for name, twin in twins.items()})
    for name, member in every.items():
        slow = get_embedder(member.embedder, **member.params).pretrained
        expected[f"fit {name}"] = 3.0 if slow else 1.0 + 1e-3 * n
        expected[f"vectors {name}"] = 0.012 * n if slow else 2e-4 * n
    for member in recipe.members:
        expected[f"graph {member.name}"] = 0.1 + 1e-8 * n * n
    pairs = len(recipe.members) * (len(recipe.members) - 1) / 2
    expected["compare"] = pairs * (0.1 + 1e-7 * min(n, 5_000) ** 2)
    expected["noise"] = len(twins) * (0.1 + 1e-9 * n * n)
    expected["chance"] = 0.4 * pairs
    return expected


def _of_measuring(expected: Mapping[str, float], names: Collection[str]) -> dict[str, float]:
    """Return what is to come once all is embedded, without the members that were refused."""
    graphs = {f"graph {name}" for name in names}
    return {
        part: seconds
        for part, seconds in expected.items()
        if part in graphs or part in {"compare", "noise", "chance"}
    }
