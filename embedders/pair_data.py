"""What two towers learn from: the things of a dataset, their pairs, and what is held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.arrays import FloatMatrix
from core.errors import DatasetError
from core.modality import Modality
from core.progress import Progress
from embedders.image_items import image_references
from embedders.pair_evaluation import KS, Retrieval, chance, retrieval
from embedders.pair_sampling import (
    GivenPairs,
    LabelPairs,
    Pairs,
    PairSampler,
    Positions,
    SelfPairs,
    split_labelled,
    split_pairs,
)
from ingest.dataset import Dataset

MOST_PAIRS = 2_000
MOST_LABELLED = 1_000
"""Things that are held out at most: they are embedded after every epoch."""
Embed = Callable[[Positions, int], FloatMatrix]
"""Returns the vectors of things at positions through the tower of a side (0 left, 1 right)."""


@dataclass(frozen=True)
class HeldOut:
    """What is held out, and how well it is found.

    Attributes
    ----------
    queries, candidates : (m,), (n,) int64
        Positions; equal where items of one label look for each other.
    right : (m, n) bool
        Which candidates are right.
    is_one_kind : bool
        Whether queries are the candidates.
    """

    queries: Positions
    candidates: Positions
    right: NDArray[np.bool_]
    is_one_kind: bool

    def measure(self, embed: Embed) -> Retrieval:
        """Return how well left things find their right ones."""
        candidates = embed(self.candidates, 1)
        queries = candidates if self.is_one_kind else embed(self.queries, 0)
        return retrieval(queries, candidates, self.right, without_self=self.is_one_kind)

    def chance(self) -> dict[int, float]:
        """Return what candidates in random order would give, per k of recall."""
        return chance(self.right, KS, without_self=self.is_one_kind)


@dataclass(frozen=True)
class PairData:
    """Everything that training needs of a dataset.

    Attributes
    ----------
    things : list
        Texts and ``ImageReference``s by position.
    modalities : (Modality, Modality)
        Of the left and the right side.
    n_left : int
        Positions below are left things; all of them where there is one side only.
    content : (n,) int64
        Equal numbers are equal things.
    sampler : PairSampler or None
        None where there is nothing to learn from but the things themselves.
    held_out : HeldOut or None
    notes : list of str
    """

    things: list[Any]
    modalities: tuple[Modality, Modality]
    n_left: int
    content: Positions
    sampler: PairSampler | None
    held_out: HeldOut | None
    notes: list[str]

    @property
    def has_two_sides(self) -> bool:
        """Tell whether the data came as pairs."""
        return self.n_left < len(self.things)

    def alone(self) -> PairSampler:
        """Return every distinct thing paired with itself."""
        return SelfPairs(np.unique(self.content, return_index=True)[1].astype(np.int64))


def read_pairs(dataset: Dataset, share: float, seed: int, progress: Progress) -> PairData:
    """Return what training needs of pairs, or of texts or images with a label column.

    Parameters
    ----------
    dataset : Dataset
    share : float
        Of pairs, or of the items of each label, to hold out.
    seed : int
        Draws what is held out.
    progress : Progress

    Raises
    ------
    DatasetError
        If nothing can be told apart: one pair, one label, one thing on a side.
    """
    things, content = _things(dataset, progress)
    rng = np.random.default_rng([seed, 1])
    if dataset.sides is not None:
        left, right = dataset.sides.modalities
        modalities = (left or Modality.TEXT, right or Modality.TEXT)
        sampler, held_out, notes = _given(dataset, content, share, rng)
        n_left = dataset.sides.n_left
        return PairData(things, modalities, n_left, content, sampler, held_out, notes)
    both = (dataset.modality, dataset.modality)
    found, held_out, notes = _labelled(dataset, share, rng)
    return PairData(things, both, len(things), content, found, held_out, notes)


def _things(dataset: Dataset, progress: Progress) -> tuple[list[Any], Positions]:
    """Return texts and references of images, and which of them are equal."""

    def comparing(done: int, total: int, stage: str = "", note: str = "") -> None:  # noqa: ARG001
        progress(done, total, "finding equal images", note)

    references = image_references(dataset, comparing) if _has_images(dataset) else []
    digests = [r.digest for r in references] or list(dataset.items)
    things = [
        references[i] if references and isinstance(item, bytes) else item
        for i, item in enumerate(_peek(dataset))
    ]
    return things, pd.factorize(np.array(digests, dtype=object))[0].astype(np.int64)


def _has_images(dataset: Dataset) -> bool:
    if dataset.sides is not None:
        return Modality.IMAGE in dataset.sides.modalities
    return dataset.modality is Modality.IMAGE


def _peek(dataset: Dataset) -> Sequence[Any]:
    """Return the items, with ``b""`` for each image: images stay where they are."""
    n = len(dataset)
    if dataset.sides is None:
        return [b""] * n if dataset.modality is Modality.IMAGE else list(dataset.items)
    n_left, items = dataset.sides.n_left, dataset.items
    bounds = ((0, n_left), (n_left, n))
    found: list[Any] = []
    for kind, (start, end) in zip(dataset.sides.modalities, bounds, strict=True):
        found += [b""] * (end - start) if kind is Modality.IMAGE else items[start:end]
    return found


def _given(
    dataset: Dataset, content: Positions, share: float, rng: np.random.Generator
) -> tuple[PairSampler, HeldOut | None, list[str]]:
    assert dataset.sides is not None  # noqa: S101 -- told to the type checker
    names = dataset.sides.names
    pairs = np.empty((0, 2), np.int64)
    if dataset.edges is not None:
        pairs = np.stack([dataset.edges.source, dataset.edges.target], axis=1).astype(np.int64)
    pairs = np.unique(pairs, axis=0)
    if not len(pairs):
        raise DatasetError(f"{dataset.name} holds no pair. Give at least two.")
    split = split_pairs(pairs, content, share, MOST_PAIRS, rng)
    sampler = GivenPairs(split.train, content)
    if sampler.n_distinct < 2:
        whole = GivenPairs(pairs, content)
        if whole.n_distinct < 2:
            sides = [len(np.unique(content[pairs[:, side]])) for side in (0, 1)]
            name = names[int(np.argmin(sides))]
            raise DatasetError(
                f"All {len(pairs):,} pairs of {dataset.name} have the same {name}: there is "
                "nothing to tell apart. Give pairs of at least two different ones on each side."
            )
        split = split_pairs(pairs, content, 0.0, 0, rng)
        sampler = whole
    notes = [f"Learnt from {len(split.train):,} of {len(pairs):,} pairs."]
    if not len(split.held_out):
        why = "on request" if share == 0 else "there are too few that stand alone"
        return sampler, None, [*notes, f"No pair was held out ({why}): no recall is measured."]
    notes.append(
        f"{len(split.held_out):,} pairs were held out; no {names[0]} of them was seen in training"
        + (
            f", but some {names[1]} was, in other pairs."
            if split.leaks_right
            else f", and no {names[1]}."
        )
    )
    return sampler, _held_out_pairs(split.held_out, pairs, content), notes


def _held_out_pairs(held: Pairs, pairs: Pairs, content: Positions) -> HeldOut:
    """Return the distinct left and right things of held-out pairs and which belong together."""
    queries, candidates = np.unique(held[:, 0]), np.unique(held[:, 1])
    known = GivenPairs(pairs, content)
    right = known.between(queries, candidates)
    return HeldOut(queries, candidates, right, is_one_kind=False)


def _labelled(
    dataset: Dataset, share: float, rng: np.random.Generator
) -> tuple[PairSampler | None, HeldOut | None, list[str]]:
    if dataset.label is None:
        return None, None, []
    column = dataset.columns[dataset.label]
    codes = pd.factorize(column.astype("string"))[0].astype(np.int64)
    rows = np.flatnonzero(codes >= 0)
    codes = codes[rows]
    counts = np.bincount(codes) if len(codes) else np.zeros(0, np.int64)
    usable = counts[codes] >= 2 if len(codes) else np.zeros(0, np.bool_)
    n_left_out = len(dataset) - int(usable.sum())
    rows, codes = rows[usable], codes[usable]
    n_labels = len(np.unique(codes))
    if n_labels < 2:
        raise DatasetError(
            f"{dataset.label} of {dataset.name} has {n_labels} label with at least two items: "
            "there is nothing to tell apart. Choose another label column, or none at all."
        )
    held, n_held = split_labelled(rows, codes, share, MOST_LABELLED, rng)
    sampler = LabelPairs(rows[~held], codes[~held])
    notes = [
        f"Pairs are two items of the same {dataset.label} ({n_labels:,} labels, "
        f"{int((~held).sum()):,} items), drawn anew in every epoch."
    ]
    if n_left_out:
        notes.append(
            f"{n_left_out:,} items took no part in training: no label, or nobody shares it."
        )
    if not n_held:
        why = "on request" if share == 0 else "labels have too few"
        return sampler, None, [*notes, f"No item was held out ({why}): no recall is measured."]
    out = rows[held]
    right = codes[held][:, None] == codes[held][None]
    np.fill_diagonal(right, val=False)
    notes.append(
        f"{n_held:,} items were held out; recall@k asks whether one of the same "
        f"{dataset.label} is among the k nearest of the others."
    )
    return sampler, HeldOut(out, out, right, is_one_kind=True), notes
