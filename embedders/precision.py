"""Numbers with fewer bits: 16-bit arithmetic in the model, 8 or 1 bit per number in the vectors."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.arrays import FloatMatrix

_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
"""What Linux calls bfloat16 arithmetic on x86 (two kinds) and on ARM."""
_CPU_INFO = Path("/proc/cpuinfo")
_STEPS = 255


@lru_cache(maxsize=1)
def has_bfloat16() -> bool:
    """Tell whether the processor itself calculates with bfloat16: emulated, it is only slower.

    Known on Linux; elsewhere the answer is no.
    """
    if platform.system() != "Linux":
        return False
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    told = next((one for one in lines if one.lower().startswith(("flags", "features"))), "")
    return not _FLAGS.isdisjoint(told.partition(":")[2].split())


def cosines(a: FloatMatrix, b: FloatMatrix) -> tuple[float, float]:
    """Return mean and lowest cosine between the rows of two ``(n, d)`` matrices."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    known = norms > 0
    if not known.any():
        return 1.0, 1.0
    each = np.einsum("ij,ij->i", x[known], y[known]) / norms[known]
    return float(each.mean()), float(each.min())


def ranges_of(matrix: FloatMatrix) -> FloatMatrix:
    """Return lowest and highest value of each dimension, ``(2, d) float32``."""
    ranges: FloatMatrix = np.stack([matrix.min(axis=0), matrix.max(axis=0)]).astype(np.float32)
    return ranges


def to_int8(matrix: FloatMatrix, ranges: FloatMatrix) -> FloatMatrix:
    """Return ``(n, d)`` whole numbers in [-128, 127], as float32.

    Each dimension is cut into 256 steps between the two values of ``(2, d) ranges``; what lies
    outside is clipped. The same as ``sentence_transformers.quantize_embeddings(…, "int8")``, whose
    import would cost seconds.
    """
    start = ranges[0]
    step = (ranges[1] - start) / _STEPS
    step = np.where(step == 0, 1, step)
    steps = np.clip(np.floor((matrix - start) / step), 0, _STEPS)
    whole: FloatMatrix = (steps - 128).astype(np.float32)
    return whole


def to_signs(matrix: FloatMatrix) -> FloatMatrix:
    """Return ``(n, d)`` of +1 where a number is positive and -1 elsewhere, as float32.

    The bits of ``sentence_transformers.quantize_embeddings(…, "ubinary")``, not packed: the dot
    product of two such vectors is d minus twice their Hamming distance.
    """
    signs: FloatMatrix = np.where(matrix > 0, np.float32(1), np.float32(-1))
    return signs
