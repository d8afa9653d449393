"""What the configuration of a text model says of its size, without loading its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import ParameterError

_LAYERS = ("num_hidden_layers", "num_layers", "n_layer", "n_layers")
_WIDTH = ("hidden_size", "d_model", "n_embd", "dim")


class Shape(NamedTuple):
    """Layers of a transformer and the length of its vectors; 0 where that is not told."""

    n_layers: int
    dim: int


def shape_of(folder: Path) -> Shape:
    """Return what the files of a model's folder tell; zeros where they tell nothing or are odd."""
    modules = _read(folder / "modules.json")
    parts = modules if isinstance(modules, list) else []
    if not all(isinstance(part, dict) for part in parts):
        return Shape(0, 0)
    types = [str(part.get("type", "")).rpartition(".")[2] for part in parts]
    inside = str(parts[0].get("path", "")) if parts else ""
    config = _read(folder / inside / "config.json") or _read(folder / "config.json")
    if not isinstance(config, dict) or types[:1] not in ([], ["Transformer"]):
        return Shape(0, 0)
    inner = config.get("text_config")
    config = {**config, **(inner if isinstance(inner, dict) else {})}
    dim = _first(config, _WIDTH)
    if not set(types) <= {"Transformer", "Pooling", "Normalize"}:
        dim = 0  # a dense layer behind the transformer gives the vectors a length of their own
    elif "Pooling" in types:
        inside = str(parts[types.index("Pooling")].get("path", ""))
        dim *= _n_pooled(_read(folder / inside / "config.json"))
    return Shape(_first(config, _LAYERS), dim)


def _n_pooled(config: Any) -> int:
    """Return how many vectors a pooling layer puts one behind the other; 0 where it is not told."""
    if not isinstance(config, dict):
        return 0
    modes = config.get("pooling_mode")
    if isinstance(modes, str):
        return 1
    if isinstance(modes, list):
        return len(modes)
    flags = [value for name, value in config.items() if str(name).startswith("pooling_mode_")]
    return sum(flag is True for flag in flags) if flags else 1  # the mean, where nothing is said


def check_shape(name: str, shape: Shape, layer: int, dim: int) -> None:
    """Refuse a layer or a number of dimensions that the model does not have.

    Raises
    ------
    ParameterError
        With what it has.
    """
    if 0 < shape.n_layers < layer:
        raise ParameterError(
            f"{name} has {shape.n_layers} layers: choose one from 0 to "
            f"{shape.n_layers} or none for the last, not {layer}."
        )
    if 0 < shape.dim < dim:
        raise ParameterError(
            f"The vectors of {name} have {shape.dim:,} numbers: choose up to "
            f"{shape.dim:,} or none to keep all, not {dim:,}."
        )


def _first(config: dict[str, Any], names: tuple[str, ...]) -> int:
    found = next((config[name] for name in names if name in config), 0)
    is_count = isinstance(found, int) and not isinstance(found, bool)
    return max(found, 0) if is_count else 0


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
