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
    """Return what ``config.json`` of a model's folder tells; zeros where it tells nothing."""
    modules = _read(folder / "modules.json")
    parts = modules if isinstance(modules, list) else []
    types = [str(part.get("type", "")).rpartition(".")[2] for part in parts]
    inside = str(parts[0].get("path", "")) if parts else ""
    config = _read(folder / inside / "config.json") or _read(folder / "config.json")
    if not isinstance(config, dict) or types[:1] not in ([], ["Transformer"]):
        return Shape(0, 0)
    config = {**config, **(config.get("text_config") or {})}
    # A dense layer behind the transformer gives the vectors a length of their own.
    is_plain = set(types) <= {"Transformer", "Pooling", "Normalize"}
    return Shape(_first(config, _LAYERS), _first(config, _WIDTH) if is_plain else 0)


def check_shape(name: str, shape: Shape, layer: int, dim: int) -> None:
    """Refuse a layer or a number of dimensions that the model does not have.

    Raises
    ------
    ParameterError
        With what it has.
    """
    if 0 < shape.n_layers < layer:
        raise ParameterError(
            f"{name} has {shape.n_layers} layers: choose -1 for the last or 0 to "
            f"{shape.n_layers}, not {layer}."
        )
    if 0 < shape.dim < dim:
        raise ParameterError(
            f"The vectors of {name} have {shape.dim:,} numbers: choose 0 to keep all or up to "
            f"{shape.dim:,}, not {dim:,}."
        )


def _first(config: dict[str, Any], names: tuple[str, ...]) -> int:
    found = next((config[name] for name in names if name in config), 0)
    return found if isinstance(found, int) else 0


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
