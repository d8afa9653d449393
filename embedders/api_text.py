"""Text vectors from any service that speaks OpenAI's embeddings protocol."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.errors import (
    DatasetError,
    EmbedderUnavailable,
    EmbedscopeError,
    ParameterError,
    QueryError,
)
from core.modality import Modality
from core.params import Params, choice, integer, real, text
from core.progress import Progress, quiet
from embedders.base import Availability, ItemEmbedder, KnownItems
from embedders.changing_model import SAME, cosine
from embedders.endpoint import Endpoint
from embedders.endpoint_address import (
    OPENAI_KEY,
    check_allowed,
    check_key_name,
    key_for,
    read_address,
)
from embedders.endpoint_answer import read_vectors, without_key
from embedders.packing import State, pack_json, unpack_json
from embedders.terms import text_query
from embedders.trace import Trace
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors

CHARS_PER_TOKEN = 4
"""What English takes with the tokenizers of hosted services; other scripts take fewer."""
MOST_PER_REQUEST = 2_048
MOST_CHARS_PER_REQUEST = 400_000
"""Hosted services take at most about 300,000 tokens at once; texts of dense scripts fit too."""
QUERY_PATIENCE_S = 20.0
RECHECK_S = 300.0
"""How long a query trusts that the model is still the one that the word of ``fit`` showed."""
PROBE = "embedding"
LISTED = 100
MOST_NAMED = 5
_HOW = {"batch_size", "requests_per_minute", "key_variable", "timeout_s", "price", "encoding"}
"""Settings that change how the service is asked, not what it answers."""


@dataclass(frozen=True, kw_only=True)
class ApiTextParams(Params):
    """Settings of an embedding service."""

    url: str = text(
        "",
        help="Address of the service up to /v1, such as http://localhost:11434/v1 for Ollama.",
    )
    model: str = text("", help="The model's name as the service knows it.")
    dimensions: int = integer(
        0,
        low=0,
        high=65_536,
        automatic="the model's own",
        help="Length of the vectors, where the model can shorten them; 0 for the model's own.",
    )
    key_variable: str = text(
        OPENAI_KEY,
        help="Name (never the value) of the environment variable that holds the key; may be empty.",
    )
    price: float = real(
        0.0,
        low=0.0,
        high=10_000.0,
        step=0.01,
        help="Price of a million tokens, in any currency: the cost is estimated before the start.",
    )
    batch_size: int = integer(
        32,
        low=1,
        high=MOST_PER_REQUEST,
        help="Texts per request: text-embeddings-inference takes 32, Gemini 100, OpenAI 2,048.",
        advanced=True,
    )
    requests_per_minute: int = integer(
        0,
        low=0,
        high=100_000,
        help="Requests are spread so that no more are sent in a minute; 0 for no limit.",
        advanced=True,
    )
    max_chars: int = integer(
        20_000,
        low=1,
        high=1_000_000,
        step=1_000,
        help="Longer texts are cut after this many characters; most services refuse long ones.",
        advanced=True,
    )
    document_prompt: str = text(
        "",
        help='Put before every text, where the model wants it ("search_document: ").',
        advanced=True,
    )
    query_prompt: str = text(
        "",
        help='Put before every query, where the model wants it ("search_query: ").',
        advanced=True,
    )
    encoding: str = choice(
        "float",
        ("float", "base64"),
        labels=("numbers", "base64"),
        help="How vectors travel: base64 is a quarter of the size, but not every service has it.",
        advanced=True,
    )
    timeout_s: int = integer(
        120,
        low=1,
        high=3_600,
        help="Seconds to wait for one answer; a local service may first load its model.",
        advanced=True,
    )

    def __post_init__(self) -> None:
        """Check each value; refuse what could be a key before it is stored anywhere."""
        check_key_name(str(self.key_variable))
        super().__post_init__()
        if self.url.strip():
            read_address(self.url)


class _Pulse:
    """Repeats the last report while a request is under way, so that it can be cancelled."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last = (0, 0, "")

    def __call__(self, done: int, total: int, stage: str = "", note: str = "") -> None:
        self._last = (done, total, stage)
        self._progress(done, total, stage, note)

    def beat(self, note: str) -> None:
        self._progress(*self._last, note)


class ApiText(ItemEmbedder):
    """Vectors that a service computes: OpenAI, Gemini, Ollama, vLLM, text-embeddings-inference.

    Notes
    -----
    Texts leave this process, so an address must be one that the operator allows
    (``EMBEDSCOPE_API_HOSTS``; this machine only by default). The key stays in the environment.
    ``fit`` embeds one word: a wrong address, model or key is told before anything else is paid for,
    the length of the vectors is known, and where that word has another vector than before, the
    model behind the name has changed: nothing of before is used again, and queries are refused.
    With queries the word goes along every five minutes, and when the service names another model.
    Blank texts, which many services refuse, are not sent
    and get the zero vector. Equal texts are sent once. Settings that only change how the service is
    asked (batches, limits, key) play no part in the fingerprint: what was paid for is found again.

    References
    ----------
    OpenAI API reference, "Create embeddings" (POST /v1/embeddings).
    """

    id = "api"
    title = "Embedding service"
    summary = "Asks a service (OpenAI, Gemini, Ollama, vLLM …) for the vector of each text."
    source = "The service's model; protocol: OpenAI API reference, Create embeddings"
    accepts = frozenset({Modality.TEXT})
    queries = frozenset({Modality.TEXT})
    params_class = ApiTextParams
    pretrained = True
    batch_size = MOST_PER_REQUEST
    batch_cost = MOST_CHARS_PER_REQUEST

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._endpoint: Endpoint | None = None
        self._pulse = _Pulse(quiet)
        self._dim = 0
        self._paid: dict[str, FloatVector] = {}
        self._answering_model = ""
        self._named: list[str] = []
        self._probe: FloatVector | None = None
        self._word_now: FloatVector | None = None
        self._seen_same_at = float("-inf")
        self._is_mixed = False
        self._changes: list[str] = []
        self._n_tokens = 0
        self._cut: list[str] = []
        self._n_blank = 0
        self._size = (0, 0)

    @classmethod
    def availability(cls, params: Params) -> Availability:
        """Tell whether address, model and key are given and allowed; nothing is asked."""
        assert isinstance(params, ApiTextParams)  # noqa: S101 -- told to the type checker
        try:
            _opened(params)
        except EmbedscopeError as error:
            return Availability("needs_extra", str(error))
        return Availability("ready")

    @property
    def is_fitted(self) -> bool:
        """Tell whether the service has answered once, or a state was taken up."""
        return self._endpoint is not None

    def estimate(self, dataset: Dataset) -> str:
        """Return a sentence on the size and cost of embedding ``dataset``, before anything is sent.

        Tokens are characters / 4, an estimate; equal texts count once.
        """
        return self._cost(*_size(self._document(text) for text in dataset.items))

    def _cost(self, n: int, n_chars: int) -> str:
        tokens = -(-n_chars // CHARS_PER_TOKEN)
        size = f"{n:,} distinct texts, about {tokens:,} tokens (estimated: characters / 4)"
        if not self.params.price:
            return f"{size}."
        cost = tokens * self.params.price / 1e6
        return f"{size}, about {cost:.2g} at {self.params.price:g} per million tokens."

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Ask the service for one vector; nothing is trained.

        Raises
        ------
        EmbedderUnavailable
            If the service cannot be reached or refuses, in one sentence.
        ParameterError
            If address or model are missing or not allowed.
        """
        self._check_modality(dataset)
        self._endpoint, self._dim = None, 0
        self._answering_model = ""
        self._named, self._changes = [], []
        endpoint = _opened(self.params)
        pulse = _Pulse(progress)
        pulse(0, 1, "asking the service", self.estimate(dataset))
        probe = self._ask(endpoint, [self.params.document_prompt + PROBE], pulse)[0]
        changed = self._probe is not None and cosine(probe, self._probe) < SAME
        if changed or self._is_mixed:
            self._paid.clear()  # what a broken-off call brought is of another model
        self._is_mixed = False
        self._probe, self._endpoint, self._seen_same_at = probe, endpoint, time.monotonic()
        pulse(1, 1, "asking the service", f"vectors of {self._dim:,} numbers")
        return self

    def state(self) -> State:
        """Return the length of the vectors, the model that answered and its vector of one word.

        Never a key.
        """
        self._check_fitted()
        about = pack_json(
            {"dim": self._dim, "model": self._answering_model, "is_mixed": self._is_mixed}
        )
        return {"about": about} if self._probe is None else {"about": about, "probe": self._probe}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up the length of the vectors; the service is asked at the first query."""
        about = unpack_json(state["about"])
        self._dim, self._answering_model = int(about["dim"]), str(about["model"])
        self._probe = np.asarray(state["probe"], np.float32) if "probe" in state else None
        self._seen_same_at = float("-inf")  # asked with the first query
        self._endpoint = _opened(self.params)
        return self

    def is_outdated(self, state: Mapping[str, AnyArray], progress: Progress = quiet) -> bool:
        """Tell whether the service gives the word of ``fit`` another vector now than then.

        The word is sent once, for some seconds; a service that does not answer changes nothing.
        """
        if "probe" not in state:
            return False
        if self._word_now is None:
            pulse = _Pulse(progress)
            pulse(0, 1, "asking whether the model is still the same")
            try:
                word = [self.params.document_prompt + PROBE]
                endpoint = _opened(self.params)
                self._word_now = self._ask(endpoint, word, pulse, QUERY_PATIENCE_S)[0]
            except EmbedscopeError:
                return False
        is_mixed = unpack_json(state["about"]).get("is_mixed", False)
        return is_mixed or cosine(self._word_now, np.asarray(state["probe"])) < SAME

    def witness(self) -> FloatVector:
        """Return the ``(d,) float32`` vector of one word, as the service gives it now."""
        self._check_fitted()
        assert self._probe is not None  # noqa: S101 -- fit has asked for it
        return self._probe

    def changed_since(self, state: Mapping[str, AnyArray]) -> bool:
        """Tell whether a run with that state was made by another model, by its vector of a word.

        A new name alone is none: services add dates to names. Names tell where a run of an earlier
        version kept no vector.
        """
        if "probe" in state:
            return self.changed_from(np.asarray(state["probe"]))
        before, now = str(unpack_json(state["about"])["model"]), self._answering_model
        if not (before and now) or before == now:
            return False
        return self._note_change(f"it called its model {before} then and {now} now")

    def changed_from(self, witness: FloatVector) -> bool:
        """Tell whether the service gave that vector to the word, but now gives another one."""
        found = cosine(self.witness(), witness)
        if found >= SAME:
            return False
        return self._note_change(
            f"the vector of the word “{PROBE}” has cosine {found:.3f} to the one of then"
        )

    def is_of_one_model(self) -> bool:
        """Tell whether no other model was seen to answer since ``fit``."""
        return not self._is_mixed

    def _note_change(self, why: str) -> bool:
        note = (
            "The model behind the service has changed since other texts were embedded with these "
            f"settings: {why}. Those vectors are not used again; runs with them and this one "
            "cannot be compared item by item."
        )
        if note not in self._changes:
            self._changes.append(note)
        return True

    def _identity(self) -> tuple[Any, ...]:
        """Return the service, its model and how texts are sent; not how fast they are."""
        asked = {n: v for n, v in self.params.to_dict().items() if n not in _HOW}
        if asked["url"].strip():
            address = read_address(asked["url"])
            asked["url"] = f"{address.shown}{address.path}"
        return self.id, self.version, asked, 0

    def vectors(
        self, dataset: Dataset, progress: Progress = quiet, *, known: KnownItems | None = None
    ) -> KeyedVectors:
        """Return one vector per text; progress is called at least every second, waits included.

        What a broken-off call has brought is kept until a later one succeeds, and not asked again.
        """
        self._pulse = _Pulse(progress)
        try:
            made = super().vectors(dataset, self._pulse, known=known)
        finally:
            self._pulse = _Pulse(quiet)
        self._paid.clear()
        return made

    def _prepare(self, dataset: Dataset, progress: Progress) -> Sequence[str]:  # noqa: ARG002
        most = self.params.max_chars
        self._cut = [
            id for id, text in zip(dataset.ids, dataset.items, strict=True) if len(text) > most
        ]
        texts = [self._document(text) for text in dataset.items]
        self._n_blank = texts.count("")
        if texts and self._n_blank == len(texts):
            raise DatasetError(
                f"None of the {len(texts):,} texts of {dataset.name} holds a letter: there is "
                "nothing to send. Choose another column."
            )
        self._size, self._n_tokens = _size(texts), 0
        return texts

    def _document(self, text: str) -> str:
        """Return what is sent for a text, "" for a blank one."""
        return self._sendable(self.params.document_prompt, text)

    def _sendable(self, prompt: str, text: str) -> str:
        text = text[: self.params.max_chars]
        if not text.strip():
            return ""
        return (prompt + text).encode("utf-8", "replace").decode("utf-8")  # lone surrogates

    def _prepare_query(self, query: object) -> str:
        text = self._sendable(self.params.query_prompt, text_query(query, self.title))
        if not text:
            raise QueryError("The query is empty. Type a text.")
        return text

    def _dedup_key(self, item: str) -> object:
        return item

    def _length(self, item: str) -> int:
        return len(item)

    def _batches(
        self, order: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int64]]:
        most = self.params.batch_size
        for rows in super()._batches(order, lengths):
            for start in range(0, len(rows), most):
                yield rows[start : start + most]

    def _embed_batch(self, items: Sequence[str]) -> FloatMatrix:
        assert self._endpoint is not None  # noqa: S101 -- told to the type checker
        matrix = np.zeros((len(items), self._dim), np.float32)
        texts = [item for item in items if item and item not in self._paid]
        if texts:
            n_named = len(self._named)
            found = self._ask(self._endpoint, texts, self._pulse)
            if len(self._named) > n_named:
                self._look_again(self._endpoint)
            self._paid.update(zip(texts, found, strict=True))
        for i, item in enumerate(items):
            if item:
                matrix[i] = self._paid[item]
        return matrix

    def _look_again(self, endpoint: Endpoint) -> None:
        """Find out whether a model with a new name is another one."""
        if self._probe is None:
            return
        now = self._ask(endpoint, [self.params.document_prompt + PROBE], self._pulse)[0]
        self._is_mixed |= cosine(now, self._probe) < SAME

    def embed_query(self, query: object) -> FloatVector:
        """Return the ``(d,) float32`` vector of a text; gives up within half a minute."""
        self._check_fitted()
        assert self._endpoint is not None  # noqa: S101 -- told to the type checker
        sent, named = self._prepare_query(query), self._answering_model
        until = time.monotonic() + QUERY_PATIENCE_S
        if self._probe is not None and time.monotonic() - self._seen_same_at > RECHECK_S:
            return self._checked_query(sent, until)
        vector: FloatVector = self._ask_soon(self._endpoint, [sent], until)[0]
        if self._probe is not None and self._answering_model != named:
            return self._checked_query(sent, until)
        return vector

    def _ask_soon(self, endpoint: Endpoint, texts: Sequence[str], until: float) -> FloatMatrix:
        """Return the vectors of texts for which somebody waits, until a moment of the clock."""
        return self._ask(endpoint, texts, _Pulse(quiet), until - time.monotonic())

    def _checked_query(self, sent: str, until: float) -> FloatVector:
        """Return the vector of a query and make sure that the model of the vectors gives it.

        Raises
        ------
        EmbedderUnavailable
            If the word of ``fit`` has another vector now.
        """
        assert self._endpoint is not None  # noqa: S101 -- told to the type checker
        assert self._probe is not None  # noqa: S101 -- told to the type checker
        texts = [self.params.document_prompt + PROBE, sent]
        size = min(2, self.params.batch_size)
        both: FloatMatrix = np.concatenate(
            [
                self._ask_soon(self._endpoint, texts[start : start + size], until)
                for start in range(0, 2, size)
            ]
        )
        found = cosine(both[0], self._probe)
        if found < SAME:
            self._seen_same_at = float("-inf")  # the next query looks again
            raise EmbedderUnavailable(
                f"{self._endpoint.shown} has changed the model behind {self.params.model.strip()} "
                f"since these vectors were made: the word “{PROBE}” has cosine {found:.3f} to its "
                "vector of then. Embed the data again to search by words, or search by an item."
            )
        self._seen_same_at = time.monotonic()
        vector: FloatVector = both[1]
        return vector

    def trace(self, text: str) -> Trace:  # noqa: ARG002
        """Refuse: the protocol carries no tokens."""
        raise QueryError(
            "A service does not tell how it cuts a text into tokens. Choose BERT or another method "
            "that runs here to see them."
        )

    def _ask(
        self,
        endpoint: Endpoint,
        texts: Sequence[str],
        pulse: _Pulse,
        patience_s: float = float("inf"),
    ) -> FloatMatrix:
        """Return the ``(len(texts), d)`` vectors; their length must stay what it was."""
        p: ApiTextParams = self.params
        body: dict[str, Any] = {
            "model": p.model.strip(),
            "input": list(texts),
            "encoding_format": p.encoding,
        }
        if p.dimensions:
            body["dimensions"] = p.dimensions
        answer = endpoint.post(body, pulse.beat, patience_s)
        matrix, model, n_tokens = read_vectors(answer, len(texts), endpoint.shown)
        self._check_length(matrix.shape[1], endpoint.shown)
        self._dim = matrix.shape[1]
        key = key_for(read_address(p.url), p.key_variable)
        self._answering_model = without_key(model, key) or self._answering_model
        if self._answering_model and self._answering_model not in self._named:
            self._named.append(self._answering_model)
        self._n_tokens += n_tokens
        return matrix

    def _check_length(self, length: int, who: str) -> None:
        asked = self.params.dimensions
        if asked and length != asked:
            raise EmbedderUnavailable(
                f"{who} answered with vectors of {length:,} numbers, {asked:,} were asked for: "
                "this model or service cannot shorten them. Set dimensions to 0."
            )
        if self._dim and length != self._dim:
            raise EmbedderUnavailable(
                f"{who} answered with vectors of {length:,} numbers, before with {self._dim:,}: "
                "the model behind it has changed. Choose a model that stays the same."
            )

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:
        address = read_address(self.params.url)
        answered = self._answering_model
        named = (
            "" if answered in {"", self.params.model.strip()} else f", which calls it {answered}"
        )
        n = len(dataset)
        notes = [
            f"Model {self.params.model.strip()} at {address.shown}{named}; "
            f"{matrix.shape[1]:,} numbers per vector. The service may change its model unseen."
        ]
        notes += self._changes
        if len(self._named) > 1:
            names = ", ".join(self._named[:MOST_NAMED])
            is_one = f"the word “{PROBE}” kept its vector, so they are taken for one"
            are_several = "the vectors do not belong together. Embed the data again"
            notes.append(
                f"The service named more than one model while it answered ({names}): "
                f"{are_several if self._is_mixed else is_one}."
            )
        notes.append(self._cost(*self._size))
        if self._n_tokens:
            notes.append(f"The service counted {self._n_tokens:,} tokens.")
        cut = f"{len(self._cut):,} of {n:,} texts were longer and were cut"
        notes.append(
            f"At most {self.params.max_chars:,} characters per text: "
            f"{cut if self._cut else 'no text was longer'}."
        )
        if self._n_blank:
            notes.append(f"{self._n_blank:,} of {n:,} texts are blank: not sent, all zeros.")
        return {
            "model": self.params.model.strip(),
            "service": address.shown,
            "n_truncated": len(self._cut),
            "truncated": self._cut[:LISTED],
            "n_tokens": self._n_tokens,
            "notes": notes,
        }


def _size(texts: Iterable[str]) -> tuple[int, int]:
    """Return how many different texts there are, blank ones aside, and their characters."""
    distinct = set(texts) - {""}
    return len(distinct), sum(map(len, distinct))


def _opened(params: ApiTextParams) -> Endpoint:
    """Return the service that the settings name; nothing is asked yet.

    Raises
    ------
    ParameterError, EmbedderUnavailable
        For what is missing or not allowed.
    """
    if not params.url.strip() or not params.model.strip():
        raise ParameterError(
            "An embedding service needs its address (url), such as http://localhost:11434/v1 for "
            "Ollama, and the name of a model: enter both in the settings."
        )
    address = read_address(params.url)
    check_allowed(address)
    key_for(address, params.key_variable)
    return Endpoint(address, params.key_variable, params.requests_per_minute, params.timeout_s)
