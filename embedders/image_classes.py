"""The classes that a network learns images by: which column, which images, which are held out."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DatasetError, ParameterError
from embedders.image_items import ImageReference
from ingest.dataset import Dataset

MAX_CLASSES = 1_000


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Distinct images with their classes, cut into those to learn and those held out.

    Attributes
    ----------
    column : str
        Whose values are the classes.
    names : tuple of str
        The classes, the most frequent first (ties by name).
    images : tuple of ImageReference
        Distinct files that have a label.
    target : (n,) int64
        The class of each, a position in ``names``.
    held_out : (n,) bool
    n_unlabelled : int
        Items without a value in the column.
    n_copies : int
        Items that are copies of another labelled file; a copy is on neither side twice.
    n_disputed : int
        Distinct files whose copies name different classes; the most frequent counts.
    """

    column: str
    names: tuple[str, ...]
    images: tuple[ImageReference, ...]
    target: NDArray[np.int64]
    held_out: NDArray[np.bool_]
    n_unlabelled: int
    n_copies: int
    n_disputed: int

    @property
    def chance(self) -> float:
        """Return the accuracy of always naming the class that is largest among the learnt."""
        counts = np.bincount(self.target[~self.held_out], minlength=len(self.names))
        asked = self.target[self.held_out]
        return float((asked == counts.argmax()).mean()) if len(asked) else 0.0


def labelled_images(
    dataset: Dataset,
    references: Sequence[ImageReference],
    *,
    column: str,
    held_out: float,
    seed: int,
) -> LabelledImages:
    """Return the images of ``dataset`` that have a class, with a share of each class held out.

    Parameters
    ----------
    dataset : Dataset
    references : sequence of ImageReference
        One per item.
    column : str
        Empty for the dataset's label column.
    held_out : float
        Share of the distinct images of each class that is not to be learnt. At least one image
        of every class is learnt.
    seed : int

    Raises
    ------
    ParameterError
        If there is no such column.
    DatasetError
        If it does not give at least two classes, one of them with two images.
    """
    name = _column(dataset, column)
    labels = _labels(dataset, name)
    known = np.array([bool(text) for text in labels])
    votes: dict[str, Counter[str]] = {}
    first: dict[str, ImageReference] = {}
    for row in np.flatnonzero(known).tolist():
        one = references[row]
        first.setdefault(one.digest, one)
        votes.setdefault(one.digest, Counter())[labels[row]] += 1
    # The most frequent label of a file's copies; of equally frequent ones the first by name.
    chosen = [min(v.items(), key=lambda item: (-item[1], item[0]))[0] for v in votes.values()]
    counts = Counter(chosen)
    _check_classes(dataset, name, counts)
    names = tuple(sorted(counts, key=lambda n: (-counts[n], n)))
    place = {n: i for i, n in enumerate(names)}
    target = np.array([place[n] for n in chosen], np.int64)
    return LabelledImages(
        column=name,
        names=names,
        images=tuple(first.values()),
        target=target,
        held_out=_held_out(target, held_out, seed),
        n_unlabelled=int((~known).sum()),
        n_copies=int(known.sum()) - len(first),
        n_disputed=sum(len(v) > 1 for v in votes.values()),
    )


def class_counts(dataset: Dataset, column: str) -> tuple[str, Counter[str], int]:
    """Return the column that would be learnt, its classes with their items, and items without.

    No image is read, so copies count. Raises as ``labelled_images`` does.
    """
    name = _column(dataset, column)
    labels = _labels(dataset, name)
    counts = Counter(text for text in labels if text)
    _check_classes(dataset, name, counts)
    return name, counts, sum(not text for text in labels)


def _labels(dataset: Dataset, column: str) -> list[str]:
    """Return the label of each item as text, empty where there is none."""
    values = dataset.columns[column]
    missing = values.isna()
    return ["" if gap else _as_text(v) for v, gap in zip(values, missing, strict=True)]


def _column(dataset: Dataset, wanted: str) -> str:
    names = [str(name) for name in dataset.columns]
    if wanted:
        if wanted in names:
            return wanted
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ParameterError(
            f"{dataset.name} has no column {wanted!r}; it has: {', '.join(names[:12]) or 'none'}."
            f"{hint}"
        )
    if dataset.label is None:
        has = f"; its columns are {', '.join(names[:12])}" if names else ""
        raise DatasetError(
            f"{dataset.name} has no label to learn{has}. Give images in one folder per class, a "
            "file of labels beside them, or name the column to learn."
        )
    return dataset.label


def _as_text(value: object) -> str:
    """Return a label as text: 3.0, which a gap in the column makes of 3, is 3 again."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _check_classes(dataset: Dataset, column: str, counts: Counter[str]) -> None:
    n = sum(counts.values())
    if not counts:
        raise DatasetError(
            f"The column {column!r} of {dataset.name} is empty. Choose another column to learn."
        )
    if len(counts) == 1:
        raise DatasetError(
            f"All {n:,} labelled images of {dataset.name} are of the class {next(iter(counts))!r}; "
            "there is nothing to tell apart. Give images of at least two classes."
        )
    if max(counts.values()) == 1 or len(counts) > MAX_CLASSES:
        raise DatasetError(
            f"The column {column!r} has {len(counts):,} different values for {n:,} images; a class "
            f"needs more than one image, and at most {MAX_CLASSES:,} classes are learnt. "
            "Choose another column to learn."
        )


def _held_out(target: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Return which images are held out: ``share`` of each class, rounded, never all of it."""
    rng = np.random.default_rng([seed, 0x5E7])
    out = np.zeros(len(target), np.bool_)
    for rows in pd.Series(range(len(target))).groupby(target).groups.values():
        n = min(round(share * len(rows)), len(rows) - 1)
        out[rng.permutation(np.asarray(rows))[:n]] = True
    return out
