"""LDA: a text as a mixture of topics, a topic as a mixture of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix
from core.params import Params, choice, flag, integer, real
from core.progress import Progress, quiet, tell_epoch
from embedders.base import KnownItems
from embedders.corpus import Corpus, Limits
from embedders.packing import State, pack_json, unpack_json
from embedders.term_embedder import TermEmbedder
from embedders.token_settings import TokenParams
from embedders.topics import Topic, coherence, describe_topics
from embedders.trace import Trace, all_terms, trace_terms
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors

ONLINE_ABOVE = 2_000
"""Up to so many texts every step sees all of them (batch VB); above, small batches (online VB)."""
BATCH = 512
MEASURED_TEXTS = 500


@dataclass(frozen=True, kw_only=True)
class LdaParams(TokenParams):
    """Settings of LDA."""

    n_topics: int = integer(
        20, low=2, high=500, help="How many topics; also the length of each vector."
    )
    min_df: int = integer(
        2,
        low=1,
        high=1_000,
        help="A word must occur in at least this many texts; 2 leaves out one-off misspellings.",
    )
    max_df: float = real(
        0.5,
        low=0.01,
        high=1.0,
        step=0.05,
        help="Leave out words in more than this share of the texts: they fit every topic.",
    )
    words: bool = flag(
        True, help="Give the words vectors too: how likely each topic is where the word stands."
    )
    stop_words: str = choice(
        "english",
        ("none", "english"),
        labels=("keep all words", "leave out English function words"),
        help='Words such as "the" and "of" would otherwise head every topic.',
        advanced=True,
    )
    epochs: int = integer(
        0,
        low=0,
        high=500,
        automatic="5 to 60",
        help="How often all texts are read; 0 chooses 5 to 60 by the number of texts.",
        advanced=True,
    )
    text_prior: float = real(
        0.0,
        low=0.0,
        high=10.0,
        step=0.05,
        automatic="1 / number of topics",
        help="Small values give texts few topics each; 0 takes 1 / number of topics.",
        advanced=True,
    )
    word_prior: float = real(
        0.0,
        low=0.0,
        high=10.0,
        step=0.05,
        automatic="1 / number of topics",
        help="Small values give topics few words each; 0 takes 1 / number of topics.",
        advanced=True,
    )
    ngrams: int = integer(
        1,
        low=1,
        high=3,
        help='Longest phrase that counts as a term: 1 is single words, 2 adds pairs ("new york").',
        advanced=True,
    )
    max_features: int = integer(
        20_000,
        low=10,
        high=200_000,
        step=1_000,
        help="How many words are used, most frequent first.",
        advanced=True,
    )


class Lda(TermEmbedder):
    """Texts as topic mixtures: latent Dirichlet allocation by variational Bayes.

    Notes
    -----
    A text's vector is the mean of its variational posterior, ``γ / Σ γ``: the share of each topic.
    A topic's own vector (kind "topic") is the text that is of this topic only; a word's (kind
    "word") is ``p(topic | word) ∝ φ(topic, word) p(topic)``. A text without any kept word is the
    zero vector (similar to nothing). The losses are the mean of ``-ln Σ θ φ`` over the words of up
    to 500 of the texts, with ``θ`` their mixtures and ``φ`` the topics; its exponential is the
    perplexity. These texts were trained on: it tells of convergence, not of new texts.

    References
    ----------
    Blei, Ng & Jordan 2003, "Latent Dirichlet Allocation"; Hoffman, Blei & Bach 2010, "Online
    Learning for Latent Dirichlet Allocation", Algorithms 1 and 2; Bouma 2009 (NPMI) and Röder et
    al. 2015, "Exploring the Space of Topic Coherence Measures" (coherence).
    """

    id = "lda"
    title = "LDA topics"
    summary = "Finds topics as groups of words; a text becomes the shares of its topics."
    source = "Blei, Ng & Jordan 2003; Hoffman, Blei & Bach 2010 (online)"
    version = 2
    words_with = (("words", True),)
    params_class = LdaParams
    stochastic = True
    batch_size = 512
    fit_stages: ClassVar[Mapping[str, float]] = {"finding topics": 1.0}

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._model: Any = None
        self._topics: tuple[Topic, ...] = ()
        self._about: dict[str, Any] = {}

    @property
    def is_fitted(self) -> bool:
        """Tell whether there are topics."""
        return self._model is not None

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Count the words of all texts and find topics.

        Raises
        ------
        DatasetError
            If no word is left.
        """
        self._check_modality(dataset)
        p: LdaParams = self.params
        limits = Limits(p.min_df, p.max_df, max_features=p.max_features)
        corpus = Corpus.read(dataset.items, p.tokenizer, progress, limits)
        counts = corpus.counts()
        counts = counts[np.diff(counts.indptr) > 0]
        n = counts.shape[0]
        epochs = p.epochs or int(np.clip(round(40_000 / n), 5, 60))
        self._index = corpus.vocabulary.index
        self._model = self._new_model(n)
        losses = self._improve(counts, epochs, progress)
        shares = self._mixtures(counts).mean(axis=0)
        self._topics = describe_topics(self._model.components_, shares, corpus.vocabulary.terms)
        quality = coherence(self._topics, counts, self._index)
        self._about = {
            "epochs": epochs,
            "losses": [round(loss, 4) for loss in losses],
            "perplexity": round(float(np.exp(losses[-1])), 1),
            "topics": [
                {**topic.to_dict(), "coherence": c}
                for topic, c in zip(self._topics, quality, strict=True)
            ],
            "vocabulary": corpus.vocabulary.note(),
        }
        return self

    def _new_model(self, n: int) -> Any:
        from sklearn.decomposition import LatentDirichletAllocation

        p: LdaParams = self.params
        is_online = n > ONLINE_ABOVE
        return LatentDirichletAllocation(
            p.n_topics,
            doc_topic_prior=p.text_prior or None,
            topic_word_prior=p.word_prior or None,
            # With decay 0 a step over all texts replaces the topics: that is batch VB, and
            # partial_fit, unlike fit, gives back control after each step.
            learning_decay=0.7 if is_online else 0.0,
            batch_size=BATCH if is_online else n,
            total_samples=n,
            random_state=self.seed % 2**32,
        )

    def _improve(self, counts: Any, epochs: int, progress: Progress) -> list[float]:
        """Run the epochs and return the loss after each."""
        n, size = counts.shape[0], self._model.batch_size
        order = np.random.default_rng(self.seed)
        measured = counts[np.sort(order.permutation(n)[:MEASURED_TEXTS])]
        losses: list[float] = []
        total = epochs * n
        progress(0, total, "finding topics")
        for epoch in range(epochs):
            rows = order.permutation(n)
            for start in range(0, n, size):
                self._model.partial_fit(counts[rows[start : start + size]])
                done = epoch * n + min(start + size, n)
                note = f"epoch {epoch + 1} of {epochs}"
                if losses:
                    note += f", perplexity {np.exp(losses[-1]):,.0f}"
                progress(done, total, "finding topics", note)
            losses.append(self._loss(measured))
            tell_epoch(progress, "finding topics", epochs, losses)
        return losses

    def _loss(self, counts: Any) -> float:
        """Return the mean of ``-ln Σ θ(topic | text) φ(word | topic)`` over all words."""
        topics = self._model.components_ / self._model.components_.sum(axis=1, keepdims=True)
        shares, cells = self._mixtures(counts), counts.tocoo()
        p = np.einsum("ij,ij->i", shares[cells.row], topics.T[cells.col])
        return float(-(cells.data * np.log(p)).sum() / cells.data.sum())

    def _mixtures(self, counts: Any) -> NDArray[np.float64]:
        """Return the ``(n, n_topics)`` topic shares of sparse counts; zero where all are 0."""
        shares: NDArray[np.float64] = self._model.transform(counts)
        shares[np.diff(counts.indptr) == 0] = 0
        return shares

    def _embed_batch(self, items: Sequence[str]) -> FloatMatrix:
        return self._mixtures(self._counts(items)).astype(np.float32)

    def vectors(
        self, dataset: Dataset, progress: Progress = quiet, *, known: KnownItems | None = None
    ) -> KeyedVectors:
        """Return the texts' mixtures, then the topics, then (if asked for) the words."""
        documents = super().vectors(dataset, progress, known=known)
        k = len(self._topics)
        blocks = [documents.matrix, np.eye(k, dtype=np.float32)]
        keys = [*documents.keys, *(topic.name for topic in self._topics)]
        kinds = ["document"] * len(documents) + ["topic"] * k
        if self.params.words:
            blocks.append(self._topics_of_words())
            keys += self._index
            kinds += ["word"] * len(self._index)
        return KeyedVectors(
            keys,
            np.concatenate(blocks),
            kinds=kinds,
            metric=self.metric,
            provenance=documents.provenance,
        )

    def _topics_of_words(self) -> FloatMatrix:
        """Return ``p(topic | word)``, ``(n_terms, n_topics) float32``."""
        joint = self._model.components_ / self._model.components_.sum(axis=1, keepdims=True)
        joint = joint.T * np.array([topic.share for topic in self._topics])
        likely: FloatMatrix = (joint / joint.sum(axis=1, keepdims=True)).astype(np.float32)
        return likely

    def trace(self, text: str) -> Trace:
        """Return the words of ``text``, each with how likely each topic is where it stands."""
        self._check_fitted()
        words = self.params.tokenizer(text)
        n_known = sum(word in self._index for word in words)
        return trace_terms(
            all_terms(text, self.params.tokenizer),
            self._index,
            weight=lambda *_: 1 / n_known,
            matrix=self._topics_of_words(),
            vector=self._embed_batch([text])[0],
            rule="The text's mixture explains all words at once, so it is sharper than the mean "
            "of their topics, and the priors count too.",
        )

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:
        about = dict(self._about)
        mean = float(np.mean([topic["coherence"] for topic in about["topics"]]))
        notes = [
            str(about.pop("vocabulary")),
            f"{about['epochs']} epochs; perplexity {about['perplexity']:,.0f} on up to "
            f"{MEASURED_TEXTS} of the texts it was trained on.",
            f"Mean coherence of the topics {mean:.2f} (NPMI of their ten first words in whole "
            "texts: 1 always together, 0 by chance, -1 never).",
        ]
        return {**about, **self._about_terms(dataset, matrix, notes)}

    def state(self) -> State:
        """Return words, topics and their parameters."""
        self._check_fitted()
        topics = [topic.to_dict() for topic in self._topics]
        return {
            "about": pack_json(
                {"terms": list(self._index), "topics": topics, "about": self._about}
            ),
            "components": np.asarray(self._model.components_, np.float64),
            "expected": np.asarray(self._model.exp_dirichlet_component_, np.float64),
        }

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up stored words and topics."""
        about = unpack_json(state["about"])
        self._index = {term: i for i, term in enumerate(about["terms"])}
        self._topics = tuple(Topic.from_dict(topic) for topic in about["topics"])
        self._about = about["about"]
        model = self._new_model(1)
        model._init_latent_vars(len(self._index))
        model.n_features_in_ = len(self._index)
        model.components_ = np.asarray(state["components"], np.float64)
        # exp E[ln φ]: derived from the components, kept so that answers stay equal to the byte.
        model.exp_dirichlet_component_ = np.asarray(state["expected"], np.float64)
        self._model = model
        return self
