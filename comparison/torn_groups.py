"""Groups of items that one space keeps together and the other tears apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparison.group_captions import Caption, GroupCaptions
from comparison.guards import guard_of_torn_groups
from comparison.kernel_difference import (
    ExchangeTest,
    difference_modes,
    kernel_features,
)
from core.arrays import FloatMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet
from vectors.item_pairs import item_pairs

Float64 = NDArray[np.float64]
Rows = NDArray[np.int64]
_FEWEST = 5
_FLOOR = 1e-4  # of a kernel's trace: below, only rounding differs
_ALPHA = 0.05
_CLEAR = 0.05  # difference of mean cosines
_PAIRS = 50_000
_FEATURE_BLOCK = 4_096


@dataclass(frozen=True, eq=False)
class TornGroup:
    """One end of a mode.

    Attributes
    ----------
    rows : (m,) int64
        Items, the most typical first.
    loading : (m,) float64
        Above 0, falling.
    weight : float
        Share of the mode that these items carry, 0 … 1.
    cosine : (float, float)
        Mean cosine of two of them in the first and in the second space, both centred.
    percentile : (float, float)
        Share of random pairs of items that are less alike than that.
    parts : (rows, rows)
        The two parts (2-means) it falls into in the space that tears it apart, larger first.
    caption : Caption
        Its labels and words against all items.
    part_captions : (Caption, Caption)
        Of the parts, each against the whole group.
    """

    rows: Rows
    loading: Float64
    weight: float
    cosine: tuple[float, float]
    percentile: tuple[float, float]
    parts: tuple[Rows, Rows]
    caption: Caption
    part_captions: tuple[Caption, Caption]


@dataclass(frozen=True, eq=False)
class TornMode:
    """One direction in which the similarities of two spaces differ.

    Attributes
    ----------
    eigenvalue : float
        Above 0: the first space keeps together; below 0: the second does.
    together_in : {0, 1}
        The space that keeps the groups together.
    beyond_chance : bool
        Whether spaces that differ only in what is random for each item, one perhaps more than the
        other, have no such mode.
    loadings : (n,) float32
    groups : tuple of TornGroup
        None, one or both ends: those whose mean cosine is higher in that space by .05 or more.
    between : (float, float) or None
        Mean cosine of an item of one end and one of the other in both spaces; None where only one
        end is a group. A mode without groups tells its ends apart better: this is where it shows.
    """

    eigenvalue: float
    together_in: int
    beyond_chance: bool
    loadings: NDArray[np.float32]
    groups: tuple[TornGroup, ...]
    between: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class TornGroups:
    """The largest modes of both directions.

    Attributes
    ----------
    modes : tuple of TornMode
        Those of the first space, largest first, then those of the second.
    n, n_permutations, seed : int
    """

    modes: tuple[TornMode, ...]
    n: int
    n_permutations: int
    seed: int

    def kept_by(self, space: int) -> tuple[TornMode, ...]:
        """Return the modes whose groups space 0 or 1 keeps together."""
        return tuple(mode for mode in self.modes if mode.together_in == space)


def torn_groups(
    x: FloatMatrix,
    y: FloatMatrix,
    *,
    n_modes: int = 4,
    captions: GroupCaptions | None = None,
    n_permutations: int = 19,
    seed: int = 0,
    progress: Progress = quiet,
) -> TornGroups:
    """Find the groups that two spaces of the same items treat most differently.

    Jalali et al. 2025 (SPEC), from the eigenvectors of the difference of the two kernels. Both
    ends of an eigenvector are groups of their own: its sign means nothing.

    Parameters
    ----------
    x : (n, d1) float32
    y : (n, d2) float32
    n_modes : int
        At most so many per direction.
    captions : GroupCaptions, optional
        Of the same items.
    n_permutations : int
        Exchanges behind each test.
    seed : int

    Raises
    ------
    ParameterError
        For fewer than 50 items, spaces of different items, or one without extent.
    """
    if len(x) != len(y):
        raise ParameterError(f"Two spaces of the same items are needed, got {len(x)} and {len(y)}.")
    reason = guard_of_torn_groups(len(x))
    if reason:
        raise ParameterError(reason)
    progress(0, 3, "comparing similarities")
    spaces = (kernel_features(x), kernel_features(y))
    found = difference_modes(*spaces, n_modes)
    progress(1, 3, "exchanging places")
    chosen = _chosen(found.values, n_modes)
    loadings = found.loadings[:, chosen]
    signs = np.where(found.values[chosen] > 0, 1, -1)
    describe = _Describer(spaces, captions or GroupCaptions(), seed)
    ends = [describe.ends(loadings[:, i]) for i in range(len(chosen))]
    test = ExchangeTest(x, y, n_permutations=n_permutations, seed=seed)
    beyond = _beyond_chance(found.values[chosen], loadings, ends, test, _within(progress))
    progress(2, 3, "describing groups")
    modes = []
    for i, place in enumerate(chosen):
        together_in = 0 if signs[i] > 0 else 1
        modes.append(
            TornMode(
                float(found.values[place]),
                together_in,
                beyond[i],
                loadings[:, i].astype(np.float32),
                describe.groups(loadings[:, i], ends[i], together_in),
                describe.between(ends[i]),
            )
        )
    progress(3, 3, "describing groups")
    return TornGroups(tuple(modes), len(x), n_permutations, seed)


def _chosen(values: Float64, n_modes: int) -> Rows:
    """Return the places of the largest eigenvalues above 0, then of those farthest below."""
    up = np.flatnonzero(values > _FLOOR)[:n_modes]
    down = np.flatnonzero(values < -_FLOOR)[::-1][:n_modes]
    return np.concatenate([up, down])


def _beyond_chance(
    values: Float64,
    loadings: Float64,
    ends: list[tuple[Rows, Rows]],
    test: ExchangeTest,
    progress: Progress,
) -> list[bool]:
    """Tell which modes are more than noise, the largest first, step by step.

    The items of a mode that was found real are set aside before the next is tested: exchanging
    their places leaves traces of that mode which would hide smaller ones. A mode that lives mostly
    in items set aside is another side of the same difference and needs only the size that
    exchanges of the others do not reach. After a failure all others fail.
    """
    beyond = [False] * len(values)
    left = np.ones(len(loadings), bool)
    outcome = None
    for i in np.argsort(-np.abs(values), kind="stable"):
        outcome = outcome or test(left, progress)
        mass = loadings[:, i] ** 2
        aside = mass[left].sum() < mass.sum() / 2
        # An eigenvalue is a mean over items: over fewer items the same mode has a larger one.
        size = abs(values[i]) * len(left) / max(1, left.sum())
        if size <= outcome.exchanged or not (aside or outcome.p <= _ALPHA):
            break
        beyond[i] = True
        before = left.sum()
        for rows in ends[i]:
            left[rows] = False
        outcome = outcome if left.sum() == before else None
    return beyond


def _within(progress: Progress) -> Progress:
    def beat(done: int, total: int, stage: str = "", note: str = "") -> None:  # noqa: ARG001
        progress(1, 3, stage, f"{done} of {total}")

    return beat


class _Describer:
    """Figures and words of groups in the two centred spaces with rows of length 1."""

    def __init__(
        self, spaces: tuple[FloatMatrix, FloatMatrix], captions: GroupCaptions, seed: int
    ) -> None:
        self._spaces = spaces
        self._captions = captions
        self._seed = seed
        left, right = item_pairs(len(spaces[0]), _PAIRS, np.random.default_rng(seed))
        self._random = [np.sort(_cosines(space, left, right)) for space in spaces]

    def ends(self, loadings: Float64) -> tuple[Rows, Rows]:
        """Return the rows of either end, the most typical first; none where it is no group."""
        return self._end(loadings), self._end(-loadings)

    @staticmethod
    def _end(loadings: Float64) -> Rows:
        order = np.argsort(-loadings, kind="stable")
        typical = loadings[order[: max(_FEWEST, min(10, len(order) // 20))]].mean()
        # Half of what the most typical items have: members of a planted group all have the same.
        rows = order[: int((loadings > max(0.0, typical / 2)).sum())]
        return rows if len(rows) >= _FEWEST and typical > 0 else order[:0]

    def groups(
        self, loadings: Float64, ends: tuple[Rows, Rows], together_in: int
    ) -> tuple[TornGroup, ...]:
        """Return the ends that are clearly nearer to each other in the space that keeps them."""
        every = [self._group(np.abs(loadings), rows, together_in) for rows in ends if len(rows)]
        some = [group for group in every if group is not None]
        return tuple(sorted(some, key=lambda group: -group.weight))

    def between(self, ends: tuple[Rows, Rows]) -> tuple[float, float] | None:
        """Return the mean cosine of an item of one end and one of the other, in both spaces."""
        if not (len(ends[0]) and len(ends[1])):
            return None
        means = [[space[rows].mean(axis=0, dtype=float) for rows in ends] for space in self._spaces]
        return float(means[0][0] @ means[0][1]), float(means[1][0] @ means[1][1])

    def _group(self, loadings: Float64, rows: Rows, together_in: int) -> TornGroup | None:
        cosine = [self._within(space, rows) for space in self._spaces]
        percentile = [self._percentile(i, cosine[i]) for i in range(2)]
        torn_in = 1 - together_in
        if cosine[together_in] - cosine[torn_in] < _CLEAR:
            return None
        if percentile[together_in] <= percentile[torn_in]:
            return None
        parts = self._parts(rows, torn_in)
        return TornGroup(
            rows,
            loadings[rows],
            float((loadings[rows] ** 2).sum()),
            (cosine[0], cosine[1]),
            (percentile[0], percentile[1]),
            parts,
            self._captions.of(rows),
            (self._captions.of(parts[0], among=rows), self._captions.of(parts[1], among=rows)),
        )

    def _percentile(self, space: int, value: float) -> float:
        among = self._random[space]
        return float(np.searchsorted(among, value) / len(among))

    @staticmethod
    def _within(space: FloatMatrix, rows: Rows) -> float:
        some = space[rows].astype(np.float64)
        total = some.sum(axis=0)
        own = float((some * some).sum())
        return (float(total @ total) - own) / (len(rows) * (len(rows) - 1))

    def _parts(self, rows: Rows, torn_in: int) -> tuple[Rows, Rows]:
        from sklearn.cluster import KMeans

        found = KMeans(2, n_init=3, random_state=self._seed).fit_predict(
            self._spaces[torn_in][rows].astype(np.float64)
        )
        parts = sorted((rows[found == 0], rows[found == 1]), key=lambda part: -len(part))
        return parts[0], parts[1]


def _cosines(space: FloatMatrix, left: Rows, right: Rows) -> Float64:
    cosines = np.empty(len(left))
    for start in range(0, len(left), _FEATURE_BLOCK):
        some = slice(start, start + _FEATURE_BLOCK)
        cosines[some] = np.einsum("ij,ij->i", space[left[some]], space[right[some]])
    return cosines
