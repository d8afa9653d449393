"""The figures of the shape of a space in words: what each says, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from comparison.space_profile import Figure, SpaceProfile


@dataclass(frozen=True)
class Cell:
    """What stands in a cell.

    Attributes
    ----------
    text : str
        "" where the figure is refused.
    reason : str
        Why it is.
    n : int
        Items behind it.
    """

    text: str
    reason: str
    n: int


@dataclass(frozen=True)
class Line:
    """One figure of all spaces.

    Attributes
    ----------
    title : str
    says : str
        What it says and which direction is which.
    cell : callable
    """

    title: str
    says: str
    cell: Callable[[SpaceProfile], Cell]


def lines(k: int) -> Mapping[str, tuple[Line, ...]]:
    """Return the figures by what they are about; ``k`` neighbours count."""
    return {
        "Hubs": (
            Line(
                "Hubness",
                f"How unevenly items stand among the {k} nearest of others (skewness). Even lists "
                f"drawn by chance: about {_short(k**-0.5)}. Above 1, a few items crowd many "
                "answers. Lower is better.",
                lambda p: _of(p.hubs.skewness, _short),
            ),
            Line(
                "In nobody's list",
                f"Share of items that are among nobody's {k} nearest, so that a search hardly "
                "finds them. Lower is better.",
                lambda p: _of(p.hubs.antihubs, _percent),
            ),
        ),
        "Directions": (
            Line(
                "Mean cosine",
                "Of two different items. 0: they point everywhere; near 1: all in one narrow cone, "
                "so that cosines hardly tell items apart.",
                lambda p: _of(p.mean_cosine, _short),
            ),
            Line(
                "Mean cosine, centred",
                "The same once the mean of all vectors is taken off. Near 0: the mean was all that "
                "they had in common.",
                lambda p: _of(p.mean_cosine_centred, _short),
            ),
            Line(
                "Uniformity",
                "How evenly directions cover the sphere, from 0 (one point) to about −4 (even). "
                "Lower is more even.",
                lambda p: _of(p.uniformity, _short),
            ),
        ),
        "Dimensions in use": (
            Line("Dimensions", "Numbers per item.", lambda p: Cell(f"{p.d:,}", "", p.n)),
            Line(
                "Effective rank",
                "Dimensions that carry spread (entropy of the singular values). Near the number of "
                "dimensions: all of them do.",
                lambda p: _of(p.effective_rank, _one),
            ),
            Line(
                "Participation ratio",
                "The same with more weight on the largest directions. 1: one direction has it all.",
                lambda p: _of(p.participation_ratio, _one),
            ),
            Line(
                "First direction",
                "Share of the spread along the largest direction. Lower is more even.",
                lambda p: _of(p.first_share, _percent),
            ),
            Line(
                "IsoScore",
                "0: spread along one direction; 1: alike along all dimensions.",
                lambda p: _of(p.iso_score, _three),
            ),
            Line(
                "Intrinsic dimension",
                "Directions one can move in around an item (TwoNN): of all items, a half, a "
                "quarter. To be trusted where the three are alike.",
                _intrinsic,
            ),
        ),
        "Lengths and copies": (
            Line(
                "Spread of lengths",
                "Standard deviation of the lengths over their mean; the range beside it. It "
                "matters to dot product and euclidean distance, not to the cosine.",
                lambda p: Cell(
                    f"{_short(p.norms.variation)} ({p.norms.smallest:.3g} to "
                    f"{p.norms.largest:.3g})",
                    "",
                    p.n,
                ),
            ),
            Line(
                "Zero vectors",
                "Items of which the method knows nothing; under the cosine they are near to "
                "nothing.",
                lambda p: Cell(f"{len(p.zeros):,}", "", p.n),
            ),
            Line(
                "Equal items",
                "Items with the very vector of an earlier one.",
                lambda p: Cell(f"{p.duplicates.equal:,}", "", p.n),
            ),
            Line(
                "Nearly equal items",
                "Items nearer to another than a twentieth of the usual distance, equal ones "
                "included.",
                lambda p: Cell(f"{p.duplicates.near:,}", "", p.n),
            ),
            Line(
                "Outliers",
                f"Items whose neighbour number {k} is far beyond the usual (more than 5 scaled "
                "median deviations).",
                lambda p: Cell(f"{p.outliers.n_beyond:,}", "", p.n),
            ),
        ),
    }


def _of(figure: Figure, write: Callable[[float], str]) -> Cell:
    if figure.value is None:
        return Cell("", figure.reason, figure.n)
    return Cell(write(figure.value), "", figure.n)


def _intrinsic(shape: SpaceProfile) -> Cell:
    first = shape.intrinsic_dimension[0]
    if first.value is None:
        return Cell("", first.reason, first.n)
    parts = [
        "–" if each.value is None else f"{each.value:.1f}" for each in shape.intrinsic_dimension
    ]
    return Cell(" · ".join(parts), "", first.n)


def _short(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _three(value: float) -> str:
    return f"{value:.3f}"


def _one(value: float) -> str:
    return f"{value:,.1f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"
