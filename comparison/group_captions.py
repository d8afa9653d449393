"""What a group of items has that the others have not: labels and words, as plain figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparison.class_neighbours import Labels, class_codes
from ingest.tokenize import Tokenizer

Rows = NDArray[np.int64]


class LabelShare(NamedTuple):
    """One label in a group.

    Attributes
    ----------
    label : str
    n : int
        Items of the group that have it.
    share : float
        Of the labelled items of the group.
    lift : float
        Share in the group over the share among all labelled items; 1 = nothing special.
    """

    label: str
    n: int
    share: float
    lift: float


class Term(NamedTuple):
    """One word of a group.

    Attributes
    ----------
    term : str
    n : int
        Texts of the group with it.
    share : float
        Of the texts of the group.
    lift : float
        Share in the group over the share in all texts.
    weight : float
        By which terms are ordered: ``share · ln(lift)``.
    """

    term: str
    n: int
    share: float
    lift: float
    weight: float


class Caption(NamedTuple):
    """Words and labels of a group; empty where the data have none."""

    labels: tuple[LabelShare, ...]
    terms: tuple[Term, ...]


class GroupCaptions:
    """Makes captions of groups of the same items.

    Parameters
    ----------
    labels : sequence of str or None, optional
    texts : sequence of str, optional
        Both with one entry per item.
    tokenizer : Tokenizer, optional
        By default words in lower case without English function words and numbers.
    most : int
        Labels and terms per caption.
    """

    def __init__(
        self,
        labels: Labels | None = None,
        texts: Sequence[str] | None = None,
        *,
        tokenizer: Tokenizer | None = None,
        most: int = 6,
    ) -> None:
        self._labels = labels
        self._texts = texts
        self._tokenizer = tokenizer or Tokenizer(stop_words="english", numbers="drop")
        self._most = most

    def of(self, rows: Rows, *, among: Rows | None = None) -> Caption:
        """Return the caption of the group of these ``(m,)`` rows.

        It is told apart from all items, or from those in ``among``, which hold the group.
        """
        return Caption(self._label_shares(rows, among), self._terms(rows, among))

    def _label_shares(self, rows: Rows, among: Rows | None) -> tuple[LabelShare, ...]:
        if self._labels is None:
            return ()
        classes, codes = self._codes
        every = codes if among is None else codes[among]
        everywhere = np.bincount(every[every >= 0], minlength=len(classes))
        mine = codes[rows]
        here = np.bincount(mine[mine >= 0], minlength=len(classes))
        if not here.sum():
            return ()
        shares = here / here.sum()
        lifts = shares / np.maximum(everywhere, 1) * everywhere.sum()
        top = np.argsort(-here, kind="stable")[: self._most]
        return tuple(
            LabelShare(classes[c], int(here[c]), float(shares[c]), float(lifts[c]))
            for c in top
            if here[c]
        )

    def _terms(self, rows: Rows, among: Rows | None) -> tuple[Term, ...]:
        """Return the terms that tell the group apart.

        The share of texts with a term, times the log of its lift: the part of a term in the
        divergence of the group from all texts (as class-based TF-IDF, Grootendorst 2022,
        "BERTopic", equation 2, with texts counted instead of words, so that one long text does
        not speak for the group). A term must be in two texts and in a fiftieth of the group.
        """
        if self._texts is None or not len(rows):
            return ()
        terms, present = self._presence
        every = present if among is None else present[among]
        everywhere = np.asarray(every.sum(axis=0)).ravel()
        here = np.asarray(present[rows].sum(axis=0)).ravel()
        share = here / len(rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            lift = share / (everywhere / every.shape[0])
            weight = np.where(here > 0, share * np.log(lift), 0.0)
        weight[here < max(2, 0.02 * len(rows))] = 0
        top = np.argsort(-weight, kind="stable")[: self._most]
        return tuple(
            Term(terms[t], int(here[t]), float(share[t]), float(lift[t]), float(weight[t]))
            for t in top
            if weight[t] > 0
        )

    @cached_property
    def _codes(self) -> tuple[tuple[str, ...], Rows]:
        return class_codes(self._labels or ())

    @cached_property
    def _presence(self) -> tuple[tuple[str, ...], Any]:
        """Return the terms by name and which text has which, ``(n, t)`` sparse."""
        from scipy.sparse import csr_matrix

        texts = self._texts or ()
        number: dict[str, int] = {}
        row: list[int] = []
        column: list[int] = []
        for i, text in enumerate(texts):
            # Sorted: the order of a set changes from process to process.
            found = sorted(set(self._tokenizer(text)))
            column += [number.setdefault(term, len(number)) for term in found]
            row += [i] * len(found)
        terms = sorted(number)
        place = np.empty(len(terms), np.int64)
        place[[number[term] for term in terms]] = np.arange(len(terms))
        shape = (len(texts), len(terms))
        ones = np.ones(len(row), np.int32)
        return tuple(terms), csr_matrix((ones, (row, place[np.array(column, int)])), shape=shape)
