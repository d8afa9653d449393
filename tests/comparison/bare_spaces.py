"""Spaces of the same items, made of bare matrices."""

from __future__ import annotations

import numpy as np

from comparison.shared_items import SharedItems


def shared(metric="euclidean", **matrices):
    """Return spaces whose items are called 0, 1, 2 …"""
    n = len(next(iter(matrices.values())))
    return SharedItems(
        tuple(matrices),
        tuple(map(str, range(n))),
        tuple(np.ascontiguousarray(m, np.float32) for m in matrices.values()),
        (metric,) * len(matrices),
        ((),) * len(matrices),
        (np.arange(n),) * len(matrices),
    )
