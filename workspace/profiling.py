"""The shape of every space of a comparison: measured at once or by a worker, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from comparison.guards import guard_of_spectrum
from comparison.near_items import Duplicates
from comparison.space_profile import Figure, Hubs, Norms, Outliers, Rows, SpaceProfile, profile
from core.arrays import AnyArray
from core.errors import ParameterError
from core.fingerprint import fingerprint
from core.progress import Progress, quiet
from workspace.context import Context
from workspace.store import Store, present
from workspace.stored_comparison import StoredComparison, open_comparison
from workspace.tasks import Task

_VERSION = "profile-3"
_LIGHT_ITEMS = 5_000
_LIGHT_WORK = 5e9  # about two seconds of one core
_FIGURES = (
    "mean_cosine",
    "mean_cosine_centred",
    "iso_score",
    "effective_rank",
    "participation_ratio",
    "first_share",
    "uniformity",
)
_COUNTS = ("equal", "n_groups", "near", "n_near_groups", "within")
_PLAIN = ("k", "n", "d", "seed", "metric")


@dataclass(frozen=True)
class ProfileTask(Task):
    """Measure the shape of every member of a comparison."""

    runs: ClassVar[str] = "workspace.profiling:measure_all"

    comparison: str


def is_light(stored: StoredComparison) -> bool:
    """Tell whether all shapes are measured in a moment, so that no job is needed."""
    work = sum(_work(*matrix.shape) for matrix in stored.comparison.items.matrices)
    return len(stored.comparison.items) <= _LIGHT_ITEMS and work <= _LIGHT_WORK


def _work(n: int, d: int) -> float:
    """Return roughly how many multiplications a shape takes."""
    distances = 60.0 * n * d
    return distances if guard_of_spectrum(n, d) else distances + n * d**2 + 10.0 * d**3


def measure_space(stored: StoredComparison, name: str, progress: Progress = quiet) -> SpaceProfile:
    """Measure the shape of one member.

    Raises
    ------
    ParameterError
        If there is no such member.
    """
    made = stored.comparison
    if name not in made.names:
        raise ParameterError(f"There is no space {name!r}; there are: {', '.join(made.names)}.")
    at = made.names.index(name)
    return profile(
        made.items.matrices[at],
        made.items.metrics[at],
        made.graphs[at],
        k=made.k,
        seed=made.seed,
        progress=progress,
    )


def measure_all(task: ProfileTask, context: Context) -> dict[str, Any]:
    """Measure and keep the shape of every member, as a worker does it."""
    known = task.comparison in context.catalog.comparisons(context.workspace)
    stored = open_comparison(
        present(task.comparison if known else None, "The comparison"), context.store
    )
    dataset = stored.info.recipe.dataset
    context.publish(dataset=dataset)
    sizes = dict(zip(stored.info.names, stored.comparison.items.matrices, strict=True))
    context.progress.plan(
        {f"profile {name}": 0.2 + _work(*matrix.shape) / 2e9 for name, matrix in sizes.items()}
    )
    for name in sizes:
        id = finding_id(task.comparison, name)
        context.progress.begin(f"profile {name}", f"measuring {name}")
        with context.alone(id):
            if context.store.finding(id) is None:
                shape = measure_space(stored, name, context.progress)
                context.store.save_finding(id, task.comparison, *profile_parts(shape))
    return {"dataset": dataset, "comparing": True}


def finding_id(comparison: str, name: str) -> str:
    """Return the id under which the shape of a member is kept."""
    return "s" + fingerprint(_VERSION, comparison, name)[:24]


def found(comparison: str, name: str, store: Store) -> SpaceProfile | None:
    """Return the shape that a job has measured, or None.

    Whether the asker may see the comparison has to be checked before.
    """
    kept = store.finding(finding_id(comparison, name))
    return None if kept is None else profile_of(*kept)


def profile_parts(shape: SpaceProfile) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Return the arrays and plain values in which a shape is kept."""
    twins = shape.duplicates
    arrays: dict[str, AnyArray] = {
        "hubs": shape.hubs.rows,
        "hub counts": shape.hubs.counts,
        "hub shares": shape.hubs.shares,
        "zeros": shape.zeros,
        "outliers": shape.outliers.rows,
        "outlier ratios": shape.outliers.ratios,
        "first of each": twins.first_of_each,
    }
    for name, groups in (("groups", twins.groups), ("near groups", twins.near_groups)):
        arrays[name] = np.concatenate(groups) if groups else np.empty(0, np.int64)
        arrays[f"{name} sizes"] = np.array([len(rows) for rows in groups], np.int64)
    told = {
        "figures": {name: list(getattr(shape, name)) for name in _FIGURES},
        "hubs": [list(shape.hubs.skewness), list(shape.hubs.antihubs)],
        "tied": shape.hubs.tied,
        "dimension": [list(each) for each in shape.intrinsic_dimension],
        "norms": list(shape.norms),
        "outliers": [shape.outliers.beyond, shape.outliers.n_beyond],
        "duplicates": {name: getattr(twins, name) for name in _COUNTS},
        **{name: getattr(shape, name) for name in _PLAIN},
    }
    return arrays, told


def profile_of(arrays: Mapping[str, AnyArray], told: Mapping[str, Any]) -> SpaceProfile:
    """Return a shape from its parts."""
    skewness, antihubs = (Figure(*each) for each in told["hubs"])
    one, two, three = (Figure(*each) for each in told["dimension"])
    figures: dict[str, Any] = {name: Figure(*told["figures"][name]) for name in _FIGURES}
    figures |= {name: told[name] for name in _PLAIN}
    return SpaceProfile(
        hubs=Hubs(
            skewness,
            antihubs,
            arrays["hubs"],
            arrays["hub counts"],
            arrays["hub shares"],
            told["tied"],
        ),
        intrinsic_dimension=(one, two, three),
        norms=Norms(*told["norms"]),
        duplicates=Duplicates(
            groups=_groups(arrays, "groups"),
            near_groups=_groups(arrays, "near groups"),
            first_of_each=arrays["first of each"],
            **told["duplicates"],
        ),
        zeros=arrays["zeros"],
        outliers=Outliers(arrays["outliers"], arrays["outlier ratios"], *told["outliers"]),
        **figures,
    )


def _groups(arrays: Mapping[str, AnyArray], name: str) -> tuple[Rows, ...]:
    sizes = arrays[f"{name} sizes"]
    return tuple(np.split(arrays[name], np.cumsum(sizes)[:-1])) if len(sizes) else ()
