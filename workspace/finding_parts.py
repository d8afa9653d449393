"""Movers and torn groups as arrays and plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from comparison.group_captions import Caption, LabelShare, Term
from comparison.movers import Movers
from comparison.torn_groups import TornGroup, TornGroups, TornMode
from core.arrays import AnyArray

Arrays = Mapping[str, AnyArray]
_MOVED = ("displacement", "relative", "random")
_MOVED_PLAIN = ("shuffled", "dims", "variance", "note", "k", "n", "seed")


def movers_parts(moved: Movers) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Return the arrays and plain values in which movers are kept."""
    arrays = {name: getattr(moved, name) for name in _MOVED}
    return arrays, {name: getattr(moved, name) for name in _MOVED_PLAIN}


def movers_of(arrays: Arrays, told: Mapping[str, Any]) -> Movers:
    """Return movers from their parts."""
    values: dict[str, Any] = {name: np.asarray(arrays[name]) for name in _MOVED}
    values |= {**told, "dims": tuple(told["dims"]), "variance": tuple(told["variance"])}
    return Movers(**values)


def groups_parts(torn: TornGroups) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Return the arrays and plain values in which torn groups are kept."""
    arrays: dict[str, AnyArray] = {
        "loadings": np.stack([mode.loadings for mode in torn.modes])
        if torn.modes
        else np.empty((0, torn.n), np.float32)
    }
    modes = []
    for i, mode in enumerate(torn.modes):
        for j, group in enumerate(mode.groups):
            at = f"{i} {j}"
            arrays[f"{at} rows"], arrays[f"{at} loading"] = group.rows, group.loading
            arrays[f"{at} part 0"], arrays[f"{at} part 1"] = group.parts
        modes.append(
            {
                "eigenvalue": mode.eigenvalue,
                "together_in": mode.together_in,
                "beyond_chance": bool(mode.beyond_chance),
                "between": mode.between,
                "groups": [_group_told(group) for group in mode.groups],
            }
        )
    told = {"modes": modes, "n": torn.n, "n_permutations": torn.n_permutations, "seed": torn.seed}
    return arrays, told


def groups_of(arrays: Arrays, told: Mapping[str, Any]) -> TornGroups:
    """Return torn groups from their parts."""
    modes = tuple(
        TornMode(
            mode["eigenvalue"],
            mode["together_in"],
            mode["beyond_chance"],
            np.asarray(arrays["loadings"][i]),
            tuple(_group(arrays, f"{i} {j}", group) for j, group in enumerate(mode["groups"])),
            None if mode["between"] is None else (mode["between"][0], mode["between"][1]),
        )
        for i, mode in enumerate(told["modes"])
    )
    return TornGroups(modes, told["n"], told["n_permutations"], told["seed"])


def _group_told(group: TornGroup) -> dict[str, Any]:
    return {
        "weight": group.weight,
        "cosine": group.cosine,
        "percentile": group.percentile,
        "captions": [
            [caption.labels, caption.terms] for caption in (group.caption, *group.part_captions)
        ],
    }


def _group(arrays: Arrays, at: str, told: Mapping[str, Any]) -> TornGroup:
    own, first, second = (
        Caption(tuple(LabelShare(*one) for one in labels), tuple(Term(*one) for one in terms))
        for labels, terms in told["captions"]
    )
    return TornGroup(
        np.asarray(arrays[f"{at} rows"]),
        np.asarray(arrays[f"{at} loading"]),
        told["weight"],
        (told["cosine"][0], told["cosine"][1]),
        (told["percentile"][0], told["percentile"][1]),
        (np.asarray(arrays[f"{at} part 0"]), np.asarray(arrays[f"{at} part 1"])),
        own,
        (first, second),
    )
