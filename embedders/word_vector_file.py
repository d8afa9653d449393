"""Word vectors from a file, looked up for the words of new texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatVector
from core.errors import DatasetError, ModalityMismatch, ParameterError
from core.modality import Modality
from core.params import Params, integer
from core.params import dataset as dataset_setting
from core.progress import Progress
from embedders.corpus import Corpus, Vocabulary
from embedders.packing import State, pack_json, unpack_json
from embedders.word_embedder import Learnt, WordEmbedder, WordParams
from ingest import read_dataset
from ingest.dataset import Dataset

WORDS_PER_CALL = 20_000
NAMED = 10
"""Missing words that the notes name."""
_STORED = re.compile(r"d[0-9a-f]{24}")
_SPELLINGS = ("as written", "lower-cased", "with a capital", "in capitals")


@dataclass(frozen=True, kw_only=True)
class WordVectorFileParams(WordParams):
    """Settings of word vectors from a file."""

    vectors: str = dataset_setting(
        Modality.VECTORS,
        help="The word vectors to look up: a word2vec, GloVe or fastText .vec file.",
    )
    min_count: int = integer(
        1,
        low=1,
        high=1_000,
        help="Rarer words get no point of their own; in texts and queries they still count.",
    )


class WordVectorFile(WordEmbedder):
    """The vectors that a file gives to the words of the texts, and vectors of texts made of them.

    Parameters
    ----------
    params : WordVectorFileParams, optional
        ``vectors`` is the path of a file, or the id of a dataset that ``supply`` hands over.
    seed : int
        Plays no part.

    Notes
    -----
    A word is looked up as written, else lower-cased, else with a capital, else in capitals: many
    files keep the case ("Paris", "NASA") while texts are lower-cased. Queries may use every word of
    the file. The file's matrix is neither copied nor kept with the result: it is read where it
    lies, from the store memory-mapped.
    """

    id = "lookup"
    title = "Your word vectors"
    summary = "Looks up each word in a file of word vectors (word2vec, GloVe, fastText)."
    source = "Your file; SIF: Arora, Liang & Ma 2017"
    version = 2
    params_class = WordVectorFileParams

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._given: Dataset | None = None
        self._known_as: tuple[str, int] = ("", 0)

    def supply(self, name: str, dataset: Dataset) -> None:
        """Take the word vectors; ``dataset`` has the words as ids.

        Raises
        ------
        ModalityMismatch
            If it holds no vectors.
        """
        if name != "vectors":
            super().supply(name, dataset)
        if dataset.modality is not Modality.VECTORS:
            raise ModalityMismatch(
                f"{dataset.name} is {dataset.modality} data, not vectors. Choose a file of word "
                "vectors."
            )
        self._given = dataset
        vars(self).pop("_rows", None)

    @property
    def _is_at_hand(self) -> bool:
        named = str(self.params.vectors)
        return self._given is not None or (named != "" and Path(named).is_file())

    def _file(self) -> Dataset:
        """Return the word vectors, read on first use."""
        if self._given is None:
            named = str(self.params.vectors)
            if not named:
                raise ParameterError(
                    "No word vectors are chosen (vectors). Load a word2vec, GloVe or fastText .vec "
                    "file as data and choose it; BERT word vectors need no file."
                )
            if _STORED.fullmatch(named) and not self._is_at_hand:
                raise ParameterError(
                    f"The word vectors {named!r} are not at hand. Load their file again and "
                    "choose it."
                )
            self._given = read_dataset(named, kind=Modality.VECTORS)
        return self._given

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The row of each word of the file."""
        return {word: row for row, word in enumerate(self._file().ids)}

    def _find(self, word: str) -> tuple[int, int]:
        """Return row and spelling (a position in ``_SPELLINGS``) of a word, or (-1, -1)."""
        for how, spelling in enumerate(_spellings(word)):
            row = self._rows.get(spelling)
            if row is not None:
                return row, how
        return -1, -1

    def _identity(self) -> tuple[Any, ...]:
        """Return the settings; the file counts by its content, not by its path."""
        named = str(self.params.vectors)
        content = named if _STORED.fullmatch(named) else self._file().fingerprint
        settings = {**self.params.to_dict(), "vectors": content}
        return self.id, self.version, settings, 0

    def _learn(self, corpus: Corpus, dataset: Dataset, progress: Progress) -> Learnt:
        file, terms = self._file(), corpus.vocabulary.terms
        self._known_as = (file.name, len(file))
        rows, how = np.empty(len(terms), np.int64), np.empty(len(terms), np.int64)
        for start in range(0, len(terms), WORDS_PER_CALL):
            progress(start, len(terms), "looking up words")
            for i, word in enumerate(terms[start : start + WORDS_PER_CALL], start):
                rows[i], how[i] = self._find(word)
        progress(len(terms), len(terms), "looking up words")
        known = rows >= 0
        if not known.any():
            shown = ", ".join(f'"{word}"' for word in terms[:5])
            raise DatasetError(
                f"None of the {len(terms):,} distinct words of {dataset.name} ({shown} …) is among "
                f"the {len(file):,} of {file.name}. Choose vectors in the language of the texts."
            )
        matrix = np.array(file.items[rows[known]], np.float32)
        missing = corpus.vocabulary.frequency[~known]
        return Learnt(
            matrix,
            notes=self._notes(corpus.vocabulary, known, how),
            known=known,
            about={
                "datasets": {"vectors": file.name},
                "n_missing_words": len(missing),
                "share_missing_words": len(missing) / len(terms),
                "share_missing_tokens": float(missing.sum()) / len(corpus.tokens),
                "missing": [terms[i] for i in np.flatnonzero(~known)[:100]],
            },
        )

    def _vocabulary_notes(self, corpus: Corpus) -> list[str]:  # noqa: ARG002
        return []  # how many have a vector is known only after looking up

    def _notes(
        self, vocabulary: Vocabulary, known: NDArray[np.bool_], how: NDArray[np.int64]
    ) -> tuple[str, ...]:
        name, n = self._known_as
        frequency, n_missing = vocabulary.frequency, int((~known).sum())
        notes = [f"{name} holds {n:,} words; {vocabulary.note()}"]
        share = frequency[~known].sum() / frequency.sum()
        notes.append(
            f"Out of vocabulary: {n_missing:,} of {len(known):,} distinct words "
            f"({n_missing / len(known):.1%}), {share:.1%} of all {frequency.sum():,} words."
        )
        if n_missing:
            worst = np.flatnonzero(~known)[:NAMED]
            shown = ", ".join(f"{vocabulary.terms[i]} ({frequency[i]:,})" for i in worst)
            notes.append(f"Most frequent without a vector: {shown}.")
        used = Counter(how[known].tolist())
        if set(used) - {0}:
            counted = ", ".join(f"{used[i]:,} {_SPELLINGS[i]}" for i in sorted(used))
            notes.append(f"Words were found by other spellings too: {counted}.")
        return tuple(notes)

    def _unseen(self, words: Sequence[str]) -> dict[str, FloatVector]:
        if not self._is_at_hand:
            return {}
        found = {word: self._find(word)[0] for word in words}
        matrix = self._file().items
        return {word: np.array(matrix[row], np.float32) for word, row in found.items() if row >= 0}

    def _why_unknown(self, words: Sequence[str]) -> str:  # noqa: ARG002
        name, n = self._known_as
        if self._is_at_hand:
            return f"not among the {n:,} words of {name}"
        return f"not a word of the texts, and {name} with its {n:,} words was removed"

    def state(self) -> State:
        """Return what is kept of the words of the texts; the file stays where it is."""
        return {**super().state(), "file": pack_json(self._known_as)}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored words; without the file, only they and no other words are known."""
        name, n = unpack_json(state["file"])
        self._known_as = (name, n)
        return super().restore(state)


def _spellings(word: str) -> Iterator[str]:
    """Yield the spellings of a word in the order of ``_SPELLINGS``."""
    yield word
    yield word.lower()
    yield word[:1].upper() + word[1:]
    yield word.upper()
