"""Labels without training: each vector gets the class whose description is most similar to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix, FloatVector
from core.errors import ParameterError

MOST_CLASSES = 200
CLIP_SCALE = 100.0
"""To which CLIP clips its temperature (Radford et al. 2021, section 2.5)."""
_ROWS = 8_192


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """The best class of each vector.

    Attributes
    ----------
    best : (n,) int32
        Position of its class.
    probability : (n,) float32
        Softmax over the classes, of the best one.
    margin : (n,) float32
        By how much the best cosine exceeds the second best; 0 with one class.
    """

    best: NDArray[np.int32]
    probability: FloatVector
    margin: FloatVector


def zero_shot(vectors: FloatMatrix, classes: FloatMatrix, *, scale: float = CLIP_SCALE) -> ZeroShot:
    """Return which of ``(c, d)`` class vectors each of ``(n, d)`` vectors is most similar to.

    Parameters
    ----------
    vectors, classes : float32
        In one space; compared by their cosines.
    scale : float
        Factor of the cosines before the softmax: the model's own, exp(logit_scale).

    Raises
    ------
    ParameterError
        For no class, or more than ``MOST_CLASSES``.

    References
    ----------
    Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
    section 3.1.2.
    """
    n_classes = len(classes)
    if not 1 <= n_classes <= MOST_CLASSES:
        raise ParameterError(f"Give 1 to {MOST_CLASSES} classes, got {n_classes}.")
    towards = unit(classes).T
    n = len(vectors)
    best = np.empty(n, np.int32)
    probability, margin = np.empty(n, np.float32), np.zeros(n, np.float32)
    for start in range(0, n, _ROWS):
        rows = slice(start, start + _ROWS)
        cosines = unit(np.asarray(vectors[rows], np.float32)) @ towards
        best[rows] = cosines.argmax(axis=1)
        top = cosines.max(axis=1, keepdims=True)
        probability[rows] = 1 / np.exp(scale * (cosines - top)).sum(axis=1)
        if n_classes > 1:
            second = np.partition(cosines, n_classes - 2, axis=1)[:, n_classes - 2]
            margin[rows] = top[:, 0] - second
    return ZeroShot(best, probability, margin)


@dataclass(frozen=True)
class Agreement:
    """How labels given by words compare with labels that were there.

    Attributes
    ----------
    n : int
        Items whose own label is one of the classes.
    accuracy : float
        Share of those that got it.
    chance : float
        The same for classes drawn as often as they were given, but at random.
    most_frequent : float
        The same for always giving the label that occurs most often.
    """

    n: int
    accuracy: float
    chance: float
    most_frequent: float


def agreement(
    given: Sequence[str], own: Sequence[str | None], classes: Sequence[str]
) -> Agreement | None:
    """Compare labels, upper and lower case alike; None where no class is among the own labels.

    Parameters
    ----------
    given : sequence of str
        One class per item.
    own : sequence of str or None
        The item's label in the data; None where it has none.
    classes : sequence of str
        All that could have been given.
    """
    named = {name.strip().casefold() for name in classes}
    told = [
        (a.strip().casefold(), b.strip().casefold())
        for a, b in zip(given, own, strict=True)
        if b is not None
    ]
    told = [(a, b) for a, b in told if b in named]
    if not told:
        return None
    n = len(told)
    here, there = (np.array(side) for side in zip(*told, strict=True))
    shares = [((here == name).mean(), (there == name).mean()) for name in np.unique(there)]
    return Agreement(
        n,
        float((here == there).mean()),
        float(sum(a * b for a, b in shares)),
        float(max(b for _, b in shares)),
    )


def unit(matrix: FloatMatrix) -> FloatMatrix:
    """Return the rows scaled to length 1; a row of zeros stays zero."""
    scaled: FloatMatrix = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    return scaled
