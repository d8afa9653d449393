"""The Embedding Projector's raw tensors (.bytes) and its configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from core.errors import ParameterError, UnreadableSource
from ingest.limits import Limits
from ingest.raw_vectors import RawVectors, check_size
from ingest.source import Source


def read_bytes(
    source: Source, n_rows: Sequence[int], dim: int | None, limits: Limits, config: Any = None
) -> RawVectors:
    """Read little-endian float32 numbers without a header.

    Parameters
    ----------
    source : Source
    n_rows : sequence of int
        How many rows the metadata may mean (with and without a header), likeliest first.
    dim : int or None
        Length of a vector, where the user says it.
    limits : Limits
    config : parsed JSON, optional
        A Projector configuration that tells the shape of the tensor of this name.

    Raises
    ------
    UnreadableSource, ParameterError
        If the shape is not known, or does not fit the size.
    """
    total, rest = divmod(source.size, 4)
    if rest or not total:
        raise UnreadableSource(
            f"{source.name} has {source.size:,} bytes, which are no whole float32 numbers. "
            "Copy or download it again."
        )
    dim = dim or _dim_by_config(config, source, total) or _dim_by_rows(n_rows, total)
    if dim is None:
        raise UnreadableSource(
            f"{source.name} holds {total:,} numbers but not how many make one vector. Give the "
            "Projector's metadata or config file beside it, or the length as dim."
        )
    if total % dim:
        raise ParameterError(
            f"dim={dim}: {source.name} holds {total:,} numbers, which are no whole vectors of "
            f"{dim}. Give a length that divides the count."
        )
    check_size(total // dim, dim, source.name, limits)
    matrix = np.frombuffer(source.read(), "<f4").reshape(-1, dim)
    return RawVectors(matrix, "raw float32 tensor")


def _dim_by_config(config: Any, source: Source, total: int) -> int | None:
    tensors = config.get("embeddings", []) if isinstance(config, dict) else []
    for tensor in tensors if isinstance(tensors, list) else []:
        shape = tensor.get("tensorShape") if isinstance(tensor, dict) else None
        path = PurePosixPath(str(tensor.get("tensorPath", ""))) if shape else PurePosixPath()
        if path.name != source.name or not isinstance(shape, list) or len(shape) != 2:
            continue
        n, dim = shape
        if not (isinstance(n, int) and isinstance(dim, int) and n > 0 and n * dim == total):
            raise UnreadableSource(
                f"{source.name} holds {total:,} numbers, but the config says shape {shape}. "
                "The file is cut off, or belongs to another config."
            )
        return dim
    return None


def _dim_by_rows(n_rows: Sequence[int], total: int) -> int | None:
    return next((total // n for n in n_rows if n > 0 and total % n == 0), None)


def projector_config(source: Source) -> Any | None:
    """Return a Projector configuration, or None if the source is none."""
    if source.suffix != ".json" or source.size > 1_000_000:
        return None
    try:
        config = json.loads(source.read())
    except (ValueError, RecursionError):
        return None
    return config if isinstance(config, dict) and "embeddings" in config else None
