"""A finished comparison: what was compared with what, and every figure of the overview."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from comparison.agreement import Agreement, Pair
from comparison.chance import Calibrated
from comparison.compare import Comparison
from comparison.noise_floor import NoiseFloor
from comparison.shared_items import SharedItems, join
from comparison.whole_agreement import Wholes
from core.arrays import AnyArray
from core.errors import WorkspaceError
from vectors.keyed import KeyedVectors
from workspace.recipes import Recipe
from workspace.store import Store, present

_WHOLE = Wholes._fields
_TABLES = ("values", "low", "high")


@dataclass(frozen=True)
class ComparisonInfo:
    """What the lists and menus show of a comparison.

    Attributes
    ----------
    id : str
    recipe : Recipe
        With every setting written out and every member named.
    runs : tuple of str
        The run of each member.
    n : int
        Shared items.
    left_out : tuple of int
        Per member, items that some other member lacks.
    seconds : float
        What comparing took, without the embedding.
    created : float
    refused : tuple of (str, str)
        Members that were asked for and could not be embedded, each with the reason. They are not
        in ``recipe``.
    without_floor : tuple of (str, str)
        Members whose other seed failed, each with the reason: nothing tells how much of a
        difference is chance.
    """

    id: str
    recipe: Recipe
    runs: tuple[str, ...]
    n: int
    left_out: tuple[int, ...]
    seconds: float
    created: float
    refused: tuple[tuple[str, str], ...] = ()
    without_floor: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the members."""
        return tuple(member.name for member in self.recipe.members)

    def run_of(self, name: str) -> str:
        """Return the run of a member."""
        return self.runs[self.names.index(name)]


@dataclass(frozen=True, eq=False)
class StoredComparison:
    """The overview of a comparison.

    Attributes
    ----------
    info : ComparisonInfo
    comparison : Comparison
    floors : mapping of str to NoiseFloor
        By the name of the member; of those that a seed changes.
    calibrated : mapping of measure to mapping of pair to Calibrated
    """

    info: ComparisonInfo
    comparison: Comparison
    floors: Mapping[str, NoiseFloor]
    calibrated: Mapping[str, Mapping[Pair, Calibrated]]


def as_parts(
    info: ComparisonInfo,
    comparison: Comparison,
    floors: Mapping[str, NoiseFloor],
    calibrated: Mapping[str, Mapping[Pair, Calibrated]],
) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Return the arrays and the plain values in which a comparison is kept."""
    arrays: dict[str, AnyArray] = {f"graph {i}": graph for i, graph in enumerate(comparison.graphs)}
    for i, (ties, blank) in enumerate(zip(comparison.ties, comparison.blank, strict=True)):
        arrays[f"ties {i}"], arrays[f"blank {i}"] = ties, blank
    wholes = {}
    for name in _WHOLE:
        whole: Agreement = getattr(comparison, name)
        arrays.update({f"{name} {table}": getattr(whole, table) for table in _TABLES})
        wholes[name] = {
            "measure": whole.measure,
            "n_used": whole.n_used,
            "chance": whole.chance,
            "refused": [[*pair, reason] for pair, reason in whole.refused.items()],
        }
    told = {**dataclasses.asdict(info), "recipe": info.recipe.to_dict()}
    meta = {
        "info": told,
        "seed": comparison.seed,
        "flat": dict(comparison.flat),
        "wholes": wholes,
        "floors": [dataclasses.asdict(floor) for floor in floors.values()],
        "calibrated": {
            measure: [[*pair, *value] for pair, value in pairs.items()]
            for measure, pairs in calibrated.items()
        },
    }
    return arrays, meta


def info_of(meta: Mapping[str, Any]) -> ComparisonInfo:
    """Return what the lists show, from the stored plain values."""
    told = dict(meta["info"])
    told["recipe"] = Recipe.from_dict(told["recipe"])
    for name in ("runs", "left_out"):
        told[name] = tuple(told[name])
    for name in ("refused", "without_floor"):  # not in those that earlier versions kept
        told[name] = tuple((member, reason) for member, reason in told.get(name, ()))
    return ComparisonInfo(**told)


def refused_told(info: ComparisonInfo) -> str:
    """Return which embeddings and noise floors are missing and why, a line each."""
    told = [f"{name} could not be embedded and is left out. {why}" for name, why in info.refused]
    told += [
        f"{name} has no noise floor: {why[:1].lower()}{why[1:]}" for name, why in info.without_floor
    ]
    return "\n".join(told)


def from_parts(
    meta: Mapping[str, Any], arrays: Mapping[str, AnyArray], items: SharedItems
) -> StoredComparison:
    """Return the comparison of the stored parts and the vectors of its runs, joined.

    Raises
    ------
    WorkspaceError
        If they were kept by a version that measured less.
    """
    if "flat" not in meta:
        raise WorkspaceError(
            "This comparison was made by an earlier version, which measured less. Build it again."
        )
    info = info_of(meta)
    wholes = {}
    for name in _WHOLE:
        told = meta["wholes"][name]
        wholes[name] = Agreement(
            told["measure"],
            info.names,
            values=np.asarray(arrays[f"{name} values"]),
            low=np.asarray(arrays[f"{name} low"]),
            high=np.asarray(arrays[f"{name} high"]),
            n_used=told["n_used"],
            chance=told["chance"],
            refused={(i, j): reason for i, j, reason in told["refused"]},
        )
    several = range(len(info.names))
    comparison = Comparison(
        items,
        tuple(arrays[f"graph {i}"] for i in several),
        tuple(np.asarray(arrays[f"ties {i}"]) for i in several),
        tuple(np.asarray(arrays[f"blank {i}"]) for i in several),
        meta["flat"],
        k=min(info.recipe.k, arrays["graph 0"].shape[1]),
        whole=Wholes(**wholes),
        seed=meta["seed"],
    )
    floors = {}
    for told in meta["floors"]:
        depths = {measure: tuple(values) for measure, values in told["by_depth"].items()}
        floors[told["name"]] = NoiseFloor(
            **{**told, "seeds": tuple(told["seeds"]), "by_depth": depths}
        )
    calibrated = {
        measure: {(i, j): Calibrated(*value) for i, j, *value in pairs}
        for measure, pairs in meta["calibrated"].items()
    }
    return StoredComparison(info, comparison, floors, calibrated)


def open_comparison(id: str, store: Store) -> StoredComparison:
    """Return a comparison as it is kept, its vectors memory-mapped.

    Whether the asker may see it has to be checked before.

    Raises
    ------
    WorkspaceError
        If something of it is gone.
    """
    meta = present(store.comparison_meta(id), "The comparison")
    arrays = present(store.comparison_arrays(id), "The comparison")
    spaces = {
        name: vectors.of_kind(vectors.kind_names[0])
        for name, vectors in compared_vectors(info_of(meta), store).items()
    }
    return from_parts(meta, arrays, join(spaces))


def compared_vectors(info: ComparisonInfo, store: Store) -> dict[str, KeyedVectors]:
    """Return all vectors of every member (items, words, topics), memory-mapped.

    Raises
    ------
    WorkspaceError
        If some are gone.
    """
    return {
        name: present(store.vectors(run), f"The vectors of {name}")
        for name, run in zip(info.names, info.runs, strict=True)
    }
