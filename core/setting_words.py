"""Settings in words: only what differs from a method's defaults is worth a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.params import Params, Spec


def unusual_settings(
    params_class: type[Params],
    values: Mapping[str, Any],
    told_elsewhere: frozenset[str] | set[str] = frozenset(),
) -> list[str]:
    """Return a few words for each setting that differs from the method's default.

    Parameters
    ----------
    params_class : type of Params
        The method's settings with their defaults.
    values : mapping
        The settings a result was made with; absent ones count as defaults.
    told_elsewhere : set of str
        Settings to leave out.

    Returns
    -------
    list of str
        In the order of the settings: "cls pooling", "not normalise", "perplexity 50".
    """
    return [
        _words(name, spec, values[name])
        for name, spec in params_class.specs().items()
        if name in values and name not in told_elsewhere and values[name] != spec.default
    ]


def _words(name: str, spec: Spec, value: Any) -> str:
    plain = name.replace("_", " ")
    if spec.kind == "flag":
        return plain if value else f"not {plain}"
    if spec.kind == "choice":
        return f"{value} {plain}"
    if spec.kind == "dataset":  # what is learnt from needs no word, what is tested on does
        return f"{plain}: {value}" if spec.is_optional else str(value)
    return f"{plain} {value:,g}" if isinstance(value, int | float) else f"{plain} {value}"
