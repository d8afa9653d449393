"""Classes whose surroundings differ between two spaces, with or without shared items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparison.class_neighbours import ClassNeighbours
from comparison.class_noise import Side, class_noise
from core.errors import ParameterError

Float64 = NDArray[np.float64]
_FEWEST = 3


class ClassMove(NamedTuple):
    """How the surroundings of one class differ.

    Attributes
    ----------
    name : str
    moved : float
        Share of the neighbours that are of other classes than before, 0 … 1.
    noise : float
        What chance reaches: of spaces that differ by chance only, 95 % have no class that moved
        beyond its noise.
    purity : (float, float)
        Share of neighbours of the own class, in the first and in the second space.
    gained, lost : (str, float)
        The class whose share rose or fell most, the own one included, and by how much.
    n : int
        Items behind it, of the first space.
    """

    name: str
    moved: float
    noise: float
    purity: tuple[float, float]
    gained: tuple[str, float]
    lost: tuple[str, float]
    n: int


@dataclass(frozen=True, eq=False)
class ClassMoves:
    """Two spaces seen from their classes.

    Attributes
    ----------
    classes : tuple of str
        In both spaces, each with more than 2 items.
    first, second : (c, c) float64
        Shares of neighbours over these classes; rows sum to 1.
    difference : (c, c) float64
        ``second - first``; rows sum to 0.
    moves : tuple of ClassMove
        Most moved first; those that moved no farther than their noise after all others.
    alike : float
        Spearman's correlation of which classes stand near which (shares over chance, both
        directions of a pair together, without the diagonal); NaN for fewer than 4 classes.
    p : float
        How often classes renamed at random correlate as well (Mantel 1967); NaN with ``alike``.
    only_first, only_second : tuple of str
        Classes the other space lacks or has too few items of.
    paired : bool
        Whether the same items were compared; else only the labels are shared.
    k, seed : int
    """

    classes: tuple[str, ...]
    first: Float64
    second: Float64
    difference: Float64
    moves: tuple[ClassMove, ...]
    alike: float
    p: float
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    paired: bool
    k: int
    seed: int


def class_moves(
    first: ClassNeighbours,
    second: ClassNeighbours,
    *,
    paired: bool = True,
    n_shuffles: int = 200,
    seed: int = 0,
) -> ClassMoves:
    """Compare the class neighbours of two spaces.

    A class moved by the total variation distance of its two rows. Small classes move by chance:
    ``noise`` is what remains when all that an item contributes changes its sign by a coin: its own
    list, and its place in the lists of others. Lists are not independent, as an item that one space
    misplaces is in many of them; such a sum has the variance of Fafchamps & Gubert 2007, "The
    formation of risk sharing networks", equation 9. Of many classes some pass 95 % of their own, so
    that the bound is on the largest of all, each measured by its mean size (Westfall & Young 1993,
    "Resampling-Based Multiple Testing", section 2.5).

    Parameters
    ----------
    first, second : ClassNeighbours
        Of the same items and labels, or of other items with some labels in common.
    paired : bool
        Whether row i of both is the same item; False needs no shared item.
    n_shuffles : int
    seed : int

    Raises
    ------
    ParameterError
        If fewer than two classes are shared, the k differ, or paired spaces have other items.
    """
    if first.k != second.k:
        raise ParameterError(f"Both need one k, got {first.k} and {second.k}.")
    if paired and not (first.n == second.n and first.classes == second.classes):
        raise ParameterError("These are not the same items with the same labels: paired=False.")
    classes, only_first, only_second = _shared(first, second)
    sides = [_of_classes(side, classes) for side in (first, second)]
    means = [side.means() for side in sides]
    # Sums in another order differ by rounding, which is no move however small the noise.
    difference = np.round(means[1] - means[0], 12)
    rng = np.random.default_rng(seed)
    noise = class_noise(sides, paired, n_shuffles, rng)
    moves = []
    for c, name in enumerate(classes):
        row = difference[c]
        up, down = int(np.argmax(row)), int(np.argmin(row))
        moves.append(
            ClassMove(
                name,
                float(np.abs(row).sum() / 2),
                float(noise[c]),
                (float(means[0][c, c]), float(means[1][c, c])),
                (classes[up], float(row[up])),
                (classes[down], float(row[down])),
                int((sides[0].codes == c).sum()),
            )
        )
    moves.sort(key=_place)
    alike, p = _alike(means, [side.chance for side in sides], n_shuffles, rng)
    return ClassMoves(
        classes,
        means[0],
        means[1],
        difference,
        tuple(moves),
        alike,
        p,
        only_first,
        only_second,
        paired,
        first.k,
        seed,
    )


def _place(move: ClassMove) -> tuple[bool, float, str]:
    return not move.moved > move.noise, -float(np.nan_to_num(move.moved, nan=-1.0)), move.name


def _shared(
    first: ClassNeighbours, second: ClassNeighbours
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    usable = [
        {name for name, size in zip(side.classes, side.sizes, strict=True) if size >= _FEWEST}
        for side in (first, second)
    ]
    classes = tuple(sorted(usable[0] & usable[1]))
    if len(classes) < 2:
        raise ParameterError(
            f"Two classes with more than 2 items in both spaces are needed, {len(classes)} are "
            "shared. Give both the same names of labels."
        )
    alone = [
        tuple(name for name in side.classes if name not in classes) for side in (first, second)
    ]
    return classes, alone[0], alone[1]


def _of_classes(side: ClassNeighbours, classes: tuple[str, ...]) -> Side:
    """Leave out items and neighbours of other classes; shares sum to 1 again."""
    from scipy.sparse import diags

    columns = np.array([side.classes.index(name) for name in classes])
    place = np.full(len(side.classes) + 1, -1)  # the last is that of items without a label
    place[columns] = np.arange(len(classes))
    items = place[side.every_code]
    links = side.links @ diags((items >= 0).astype(float))
    sums = np.asarray(links.sum(axis=1)).ravel()
    some = np.flatnonzero((place[side.codes] >= 0) & (sums > 0))
    sizes = side.sizes[columns]
    chance = (sizes[None, :] - np.eye(len(classes))) / (sizes.sum() - 1)
    return Side(
        (diags(1 / sums[some]) @ links[some]).tocsr(),
        place[side.codes[some]],
        side.rows[some],
        items,
        chance,
    )


def _alike(
    means: list[Float64], chances: list[Float64], n_shuffles: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Correlate which classes are near which, with Mantel's test."""
    from scipy.stats import rankdata

    c = len(means[0])
    if c < 4:
        return float("nan"), float("nan")
    lifts = [np.nan_to_num(mean) / chance for mean, chance in zip(means, chances, strict=True)]
    near = [lift + lift.T for lift in lifts]
    upper = np.triu_indices(c, 1)
    one = rankdata(near[0][upper])
    ranks = np.zeros((c, c))
    ranks[upper] = rankdata(near[1][upper])
    ranks += ranks.T
    if np.ptp(one) == 0 or np.ptp(ranks[upper]) == 0:
        return float("nan"), float("nan")
    alike = float(np.corrcoef(one, ranks[upper])[0, 1])
    shuffled = np.empty(n_shuffles)
    for i in range(n_shuffles):
        order = rng.permutation(c)
        shuffled[i] = np.corrcoef(one, ranks[np.ix_(order, order)][upper])[0, 1]
    # A renaming may change nothing; a value that is equal up to rounding counts as reached.
    return alike, float((1 + (shuffled >= alike - 1e-12).sum()) / (n_shuffles + 1))
