"""``Recipe``: which embeddings to compare and how; plain values that rebuild everything."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ParameterError
from core.setting_words import unusual_settings

MOST_MEMBERS = 8
OTHER_SEED = 1
"""Added to a seed for the run that tells how much of a difference is chance."""


@dataclass(frozen=True)
class Member:
    """One embedding of a comparison.

    Attributes
    ----------
    embedder : str
        Id of the method.
    params : mapping
        Its settings; those left out have their defaults.
    seed : int
    dataset : str
        Id of the data it embeds; "" for that of the recipe. Items of different datasets are
        joined by id.
    name : str
        Short and unique within the recipe; made from the settings where it is "".
    """

    embedder: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    dataset: str = ""
    name: str = ""


@dataclass(frozen=True)
class Recipe:
    """A comparison to be made.

    Attributes
    ----------
    dataset : str
        Id of the data whose items are compared.
    members : tuple of Member
        2 to 8, all different.
    k : int
        Neighbours that are looked at first.
    seed : int
        Of samples and intervals.
    noise : bool
        Whether methods that a seed changes are also run with another one.
    """

    dataset: str
    members: tuple[Member, ...]
    k: int = 10
    seed: int = 0
    noise: bool = True

    @property
    def datasets(self) -> tuple[str, ...]:
        """Return the ids of all data, that whose items are compared first."""
        named = (member.dataset for member in self.members if member.dataset)
        return tuple(dict.fromkeys([self.dataset, *named]))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Return a recipe of plain values.

        Raises
        ------
        ParameterError
            If something is missing or unknown.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        of_member = {f.name for f in dataclasses.fields(Member)}
        unknown = [name for name in values if name not in known]
        members = values.get("members")
        if unknown or not isinstance(members, Sequence) or isinstance(members, str):
            what = f"{unknown[0]!r} is unknown" if unknown else "there is no list of members"
            raise ParameterError(
                f"This is no recipe of a comparison: {what}. It holds: {', '.join(sorted(known))}."
            )
        made = []
        for number, member in enumerate(members, start=1):
            if not isinstance(member, Mapping) or "embedder" not in member:
                raise ParameterError(f"Member {number} of the recipe names no embedder.")
            strange = [name for name in member if name not in of_member]
            if strange:
                raise ParameterError(
                    f"Member {number} of the recipe has {strange[0]!r}; allowed are: "
                    f"{', '.join(sorted(of_member))}."
                )
            _check_types(member, _OF_MEMBER, f"Member {number} of the recipe")
            made.append(Member(**member))
        if "dataset" not in values:
            raise ParameterError("The recipe names no dataset.")
        _check_types(values, _OF_RECIPE, "The recipe")
        if values.get("k", 1) < 1:
            raise ParameterError(f"k of the recipe must be at least 1, got {values['k']!r}.")
        return cls(**{**values, "members": tuple(made)})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values from which ``from_dict`` makes the recipe again."""
        return dataclasses.asdict(self)


_OF_RECIPE: Mapping[str, tuple[type, str]] = {
    "dataset": (str, "text"),
    "k": (int, "an integer"),
    "seed": (int, "an integer"),
    "noise": (bool, "true or false"),
}
_OF_MEMBER: Mapping[str, tuple[type, str]] = {
    "embedder": (str, "text"),
    "params": (Mapping, "settings by name"),
    "seed": (int, "an integer"),
    "dataset": (str, "text"),
    "name": (str, "text"),
}


def _check_types(
    values: Mapping[str, Any], wanted: Mapping[str, tuple[type, str]], whose: str
) -> None:
    """Refuse values of another kind than they must be; a file may hold anything."""
    for name, (kind, words) in wanted.items():
        value = values.get(name)
        is_flag = isinstance(value, bool)  # which Python counts as an integer
        if name in values and (not isinstance(value, kind) or is_flag != (kind is bool)):
            raise ParameterError(f"{whose}: {name} must be {words}, got {value!r}.")


def checked(recipe: Recipe) -> Recipe:
    """Return the recipe with every setting written out and every member named.

    Raises
    ------
    ParameterError, UnknownEmbedder
        For too few, too many or equal members, or settings that cannot be.
    """
    from embedders import get_embedder

    if not 2 <= len(recipe.members) <= MOST_MEMBERS:
        raise ParameterError(
            f"Choose 2 to {MOST_MEMBERS} embeddings to compare, got {len(recipe.members)}."
        )
    members = []
    for member in recipe.members:
        embedder = get_embedder(member.embedder, seed=member.seed, **member.params)
        seed = member.seed if embedder.stochastic else 0
        members.append(
            dataclasses.replace(
                member,
                params=embedder.params.to_dict(),
                seed=seed,
                dataset=member.dataset or recipe.dataset,
            )
        )
    names = _unique([member.name or member_name(member) for member in members])
    different: dict[tuple[Any, ...], str] = {}
    for member, name in zip(members, names, strict=True):
        key = (member.embedder, repr(sorted(member.params.items())), member.seed, member.dataset)
        if key in different:
            raise ParameterError(
                f"{different[key]} and {name} are the same method with the same settings. "
                "Change one of them."
            )
        different[key] = name
    named = [dataclasses.replace(m, name=name) for m, name in zip(members, names, strict=True)]
    return dataclasses.replace(recipe, members=tuple(named))


def member_name(member: Member) -> str:
    """Return method, unusual settings and seed in a few words: "LSA, dim 50"."""
    from embedders import get_embedder

    embedder = get_embedder(member.embedder, seed=member.seed, **member.params)
    values = embedder.params.to_dict()
    skipped = {name for name, s in embedder.params_class.specs().items() if s.kind == "dataset"}
    words = [embedder.title, *unusual_settings(embedder.params_class, values, skipped)]
    if member.seed:
        words.append(f"seed {member.seed}")
    return ", ".join(words)


def _unique(names: Iterable[str]) -> list[str]:
    """Return the names with numbers after those that were there already."""
    seen: set[str] = set()
    unique = []
    for name in names:
        candidate, number = name, 1
        while candidate in seen:
            number += 1
            candidate = f"{name} ({number})"
        seen.add(candidate)
        unique.append(candidate)
    return unique
