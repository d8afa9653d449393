"""doc2vec: a vector of its own for every text, learnt by guessing the text's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.errors import DatasetError
from core.modality import Modality
from core.params import Params, choice, integer
from core.progress import Progress, quiet
from embedders.base import Embedder
from embedders.corpus import Corpus, Limits
from embedders.packing import State, pack_json, unpack_json
from embedders.paragraph_vectors import (
    ParagraphModel,
    ParagraphSettings,
    same_texts,
    text_digest,
)
from embedders.sampling_settings import SamplingParams
from embedders.terms import text_query, unknown_words
from embedders.token_settings import TokenParams
from embedders.trace import Trace, all_terms, trace_terms
from embedders.word2vec import training_notes
from ingest.dataset import Dataset
from ingest.tokenize import Tokenizer
from vectors.keyed import KeyedVectors

WORDS_WANTED = 4_000_000
"""With epochs on automatic, the texts are read until this many words have passed."""
TEXTS_PER_CALL = 200
"""Texts looked up between two progress calls; each one that is inferred has its own."""


@dataclass(frozen=True, kw_only=True)
class Doc2VecParams(SamplingParams, TokenParams):
    """Settings of doc2vec."""

    dim: int = integer(100, low=2, high=1_000, step=10, help="Length of each vector.")
    architecture: str = choice(
        "dbow and words",
        ("dbow and words", "dbow", "dm"),
        labels=(
            "PV-DBOW, words trained along",
            "PV-DBOW: text predicts its words",
            "PV-DM: text and context predict a word",
        ),
        help="What predicts what; PV-DBOW alone makes vectors of texts, but none of words.",
    )
    training: str = choice(
        "negative sampling",
        ("negative sampling", "hierarchical softmax"),
        help="How a guess is scored: against a few random words, or down a tree of all words.",
    )
    window: int = integer(
        5, low=1, high=20, help="Words up to this far to the left and right count as context."
    )
    min_count: int = integer(
        2, low=1, high=1_000, help="A word must occur at least this often to be learnt."
    )
    epochs: int = integer(
        0,
        low=0,
        high=500,
        automatic="20 to 200",
        help="How often all texts are read; 0 chooses 20 to 200 by the amount of text.",
        advanced=True,
    )
    inference: int = integer(
        50,
        low=1,
        high=500,
        help="How often a text that was not there in training is read to find its vector.",
        advanced=True,
    )


@dataclass(frozen=True, eq=False)
class _Learnt:
    """What training leaves behind: enough to look texts up and to infer new ones.

    ``output`` are the weights that guess words; ``digests`` name the texts that ``texts`` holds.
    """

    words: tuple[str, ...]
    counts: NDArray[np.int64]
    word_vectors: FloatMatrix
    output: FloatMatrix
    texts: FloatMatrix
    digests: NDArray[np.uint8]
    provenance: Mapping[str, Any]


class Doc2Vec(Embedder):
    """Vectors of texts by PV-DM or PV-DBOW, trained with gensim.

    Notes
    -----
    Texts of the same known words in the same order share one vector. A text that was there in
    training has its trained vector, as a query too; any other is inferred: all other weights stay
    fixed, and the start vector and all draws follow from the seed and the text, so that one text
    has one vector. A text without any known word is the zero vector (similar to nothing).

    PV-DM takes the mean of the text's vector and those of the words around, not the concatenation.
    gensim adds up no loss for doc2vec; here it is measured after each epoch (``LossSample``).

    References
    ----------
    Le & Mikolov 2014, "Distributed Representations of Sentences and Documents", sections 2.2, 2.3.
    Words along with PV-DBOW: Lau & Baldwin 2016, "An Empirical Evaluation of doc2vec".
    """

    id = "doc2vec"
    title = "doc2vec"
    summary = "Learns a vector for every text by guessing its words; new texts are inferred."
    source = "Le & Mikolov 2014, Distributed Representations of Sentences and Documents"
    version = 2
    accepts = frozenset({Modality.TEXT})
    queries = frozenset({Modality.TEXT})
    words_with = (("architecture", "dbow and words"),)
    params_class = Doc2VecParams
    stochastic = True
    fit_stages: ClassVar[Mapping[str, float]] = {"training": 1.0}
    races = True

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._tokenizer: Tokenizer = self.params.tokenizer
        self._learnt: _Learnt | None = None
        self._known: frozenset[str] = frozenset()
        self._rows: dict[bytes, int] = {}
        self._model: ParagraphModel | None = None

    @property
    def is_fitted(self) -> bool:
        """Tell whether there are trained vectors."""
        return self._learnt is not None

    @property
    def _has_words(self) -> bool:
        return bool(self.params.architecture != "dbow")

    @property
    def _is_tree(self) -> bool:
        return bool(self.params.training == "hierarchical softmax")

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Train on ``dataset``."""
        self._check_modality(dataset)
        p: Doc2VecParams = self.params
        corpus = Corpus.read(
            dataset.items, self._tokenizer, progress, Limits(min_count=p.min_count)
        )
        words, counts = corpus.vocabulary.terms, corpus.vocabulary.frequency
        if self._is_tree and len(words) == 1:
            raise DatasetError(
                f"{dataset.name} has one word to learn, {words[0]!r}, and hierarchical softmax "
                "needs two to choose between. Lower min_count or use negative sampling."
            )
        rows, digests = same_texts(corpus)
        n_rows = len(digests) + 2 * len(words)
        self._check_size(n_rows, p.dim, "Lower dim, raise min_count or use fewer texts.")
        n_words = len(corpus.tokens)
        epochs = p.epochs or int(np.clip(round(WORDS_WANTED / n_words), 20, 200))
        model = self._new_model(words, counts)
        texts, losses, n_measured = model.train(corpus, rows, len(digests), epochs, progress)
        about = {
            **self._base_provenance(dataset),
            "epochs": epochs,
            "n_words": len(words),
            "n_tokens": n_words,
            "losses": [round(loss, 4) for loss in losses],
        }
        about["notes"] = [
            *self._notes(corpus, rows, digests),
            *training_notes(n_words, epochs, p.threads),
            f"Loss was measured after each epoch on {n_measured:,} words of the texts.",
        ]
        learnt = _Learnt(words, counts, model.word_vectors, model.output, texts, digests, about)
        self._take_up(learnt, model)
        return self

    def _new_model(self, words: Sequence[str], counts: NDArray[np.int64]) -> ParagraphModel:
        p: Doc2VecParams = self.params
        settings = ParagraphSettings(
            dim=p.dim,
            window=p.window,
            is_dm=p.architecture == "dm",
            trains_words=self._has_words,
            negative=0 if self._is_tree else p.negative,
            sample=p.sample,
            alpha=p.alpha,
            seed=self.seed,
            threads=p.threads,
        )
        return ParagraphModel(settings, words, counts)

    def _notes(
        self, corpus: Corpus, rows: NDArray[np.int64], digests: NDArray[np.uint8]
    ) -> list[str]:
        v, least, notes = corpus.vocabulary, self.params.min_count, []
        times = "time" if least == 1 else "times"
        notes.append(
            f"{len(v.terms):,} of {v.n_seen:,} distinct words occur at least {least:,} {times} "
            "and were learnt."
        )
        notes.extend(v.too_long_notes())
        alike = int((rows >= 0).sum()) - len(digests)
        if alike:
            notes.append(f"{alike:,} texts have the words of an earlier one and share its vector.")
        return notes

    def _take_up(self, learnt: _Learnt, model: ParagraphModel | None = None) -> None:
        self._learnt, self._model = learnt, model
        self._known = frozenset(learnt.words)
        self._rows = {digest.tobytes(): row for row, digest in enumerate(learnt.digests)}

    def vectors(self, dataset: Dataset, progress: Progress = quiet) -> KeyedVectors:
        """Return one vector per text (kind "document"), then one per word that was trained."""
        self._check_modality(dataset)
        self._check_fitted()
        learnt = self._fitted
        words = learnt.words if self._has_words else ()
        total = len(dataset)
        self._check_size(total + len(words), self.params.dim, "Lower dim or use fewer texts.")
        matrix = np.zeros((total + len(words), self.params.dim), np.float32)
        matrix[total:] = learnt.word_vectors
        made: dict[bytes, FloatVector] = {}
        progress(0, total, "embedding")
        for i, text in enumerate(dataset.items):
            known = [word for word in self._tokenizer(text) if word in self._known]
            n_made = len(made)
            if known:
                matrix[i] = self._vector(known, made)
            if len(made) > n_made or (i + 1) % TEXTS_PER_CALL == 0 or i + 1 == total:
                progress(i + 1, total, "embedding")
        matrix.setflags(write=False)  # saves KeyedVectors a defensive copy
        empty = int((~matrix[:total].any(axis=1)).sum())
        provenance = {**learnt.provenance, "n_items": total, "n_zero": empty}
        on_data = []
        if made:
            on_data.append(
                f"{len(made):,} distinct texts were not there in training; their vectors were "
                f"inferred in up to {self.params.inference:,} readings."
            )
        if empty:
            on_data.append(
                f"{empty:,} of {total:,} texts hold no word that was learnt; their vectors "
                "are zero (similar to nothing)."
            )
        self.notes_on_data = tuple(on_data)
        notes = [*learnt.provenance["notes"], *on_data]
        return KeyedVectors(
            (*dataset.ids, *words),
            matrix,
            kinds=["document"] * total + ["word"] * len(words),
            metric=self.metric,
            provenance={**provenance, "notes": notes},
        )

    @property
    def _fitted(self) -> _Learnt:
        assert self._learnt is not None  # noqa: S101 -- told to the type checker
        return self._learnt

    def embed_query(self, query: object) -> FloatVector:
        """Return the vector of a text: trained if it was there in training, else inferred.

        Raises
        ------
        UnknownKey
            If no word of it was learnt, with words that look similar.
        """
        text = text_query(query, self.title)
        self._check_fitted()
        known = [word for word in self._tokenizer(text) if word in self._known]
        if not known:
            raise unknown_words(text, self._fitted.words, "not among the learnt words")
        return self._vector(known, {})

    def trace(self, text: str) -> Trace:
        """Return the words of ``text`` with their numbers; the text has a vector of its own."""
        self._check_fitted()
        learnt = self._fitted
        known = [word for word in self._tokenizer(text) if word in self._known]
        vector = self._vector(known, {}) if known else np.zeros(self.params.dim, np.float32)
        return trace_terms(
            all_terms(text, self._tokenizer),
            {word: i for i, word in enumerate(learnt.words)},
            weight=lambda *_: 0.0,
            matrix=learnt.word_vectors if self._has_words else None,
            vector=vector,
            rule="The text has a vector of its own, trained to guess its words; theirs take no "
            "part in it.",
            why_unknown=lambda _: "not among the learnt words",
        )

    def _vector(self, words: list[str], made: dict[bytes, FloatVector]) -> FloatVector:
        """Return the vector of a text of known words; those inferred are kept in ``made``."""
        digest = text_digest(words)
        row = self._rows.get(digest)
        if row is not None:
            trained: FloatVector = np.array(self._fitted.texts[row])
            return trained
        if digest not in made:
            made[digest] = self._trainer().infer(words, digest, self.params.inference)
        return made[digest]

    def _trainer(self) -> ParagraphModel:
        """Return the model; after ``restore`` it is made when first needed."""
        if self._model is None:
            learnt = self._fitted
            model = self._new_model(learnt.words, learnt.counts)
            model.load(learnt.word_vectors, learnt.output)
            self._model = model
        return self._model

    def state(self) -> State:
        """Return the vectors of texts and words, and the weights that infer new texts."""
        self._check_fitted()
        learnt = self._fitted
        return {
            "words": pack_json(list(learnt.words)),
            "counts": learnt.counts,
            "word_vectors": learnt.word_vectors,
            "output": learnt.output,
            "texts": learnt.texts,
            "digests": learnt.digests,
            "about": pack_json(dict(learnt.provenance)),
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored vectors and weights."""
        self._take_up(
            _Learnt(
                tuple(unpack_json(state["words"])),
                np.asarray(state["counts"], np.int64),
                np.asarray(state["word_vectors"], np.float32),
                np.asarray(state["output"], np.float32),
                np.asarray(state["texts"], np.float32),
                np.asarray(state["digests"], np.uint8),
                unpack_json(state["about"]),
            )
        )
        return self
