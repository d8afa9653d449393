"""Texts by meaning, with a pretrained language model: the packaged MiniLM or any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix, FloatVector
from core.errors import EmbedderUnavailable, EmbedscopeError, ParameterError, QueryError
from core.modality import Modality
from core.params import Params, choice, flag, integer, text
from core.progress import Progress, quiet
from embedders import arithmetic, hub_model, minilm, precision, same_weights, sentence_model
from embedders.base import Availability, ItemEmbedder
from embedders.model_shape import Shape, check_shape, shape_of
from embedders.packing import State
from embedders.terms import text_query
from embedders.text_model import Pooling, TextModel, Tokens
from embedders.text_model_list import full_name, known, suggestions
from embedders.trace import MAX_TOKENS, Token, Trace
from ingest.dataset import Dataset

TOKENIZE_CHUNK = 1_000
LISTED = 200
"""Texts that were cut, named in the provenance; all of them are counted."""
CALIBRATED_ON = 1_000
_MIN_LENGTH = 8
_PACKAGED = Shape(minilm.N_LAYERS, 384)
_QUERY_SIDES = {"query", "question", "search"}


@dataclass(frozen=True, kw_only=True)
class BertParams(Params):
    """Settings of BERT."""

    model: str = text(
        minilm.NAME,
        help="The model: one of these, any text model of the hub by its name, or a folder.",
        suggestions=suggestions,
    )
    pooling: str = choice(
        "model",
        ("model", "mean", "cls", "max", "last"),
        labels=(
            "as the model asks",
            "mean of all tokens",
            "first token (CLS)",
            "maximum over tokens",
            "last token",
        ),
        help="How the vectors of the tokens become one vector; each model was trained with one.",
    )
    max_length: int = integer(
        0,
        low=0,
        high=131_072,
        automatic="the model's own",
        help="Longer texts are cut after this many tokens (about 0.75 words each); 0: the model's.",
    )
    prompts: str = choice(
        "model",
        ("model", "none"),
        labels=("as the model asks", "none"),
        help="Some models want a few words before each text; they change every vector.",
        advanced=True,
    )
    document_prompt: str = text(
        "",
        help='Put before every text instead of what the model asks ("passage: ").',
        advanced=True,
    )
    query_prompt: str = text(
        "",
        help='Put before every query instead of what the model asks ("query: ").',
        advanced=True,
    )
    layer: int = integer(
        -1,
        low=-1,
        high=200,
        automatic="the last",
        help="Which layer gives the vectors: -1 is the last and knows meaning, 0 only words.",
        advanced=True,
    )
    dim: int = integer(
        0,
        low=0,
        high=16_384,
        automatic="all",
        help="Keep the first numbers of each vector, for models trained for it; 0 keeps all.",
        advanced=True,
    )
    precision: str = arithmetic.setting()
    output: str = choice(
        "float32",
        ("float32", "int8", "binary"),
        labels=("32 bits", "8 bits", "1 bit"),
        help="8 bits round each dimension to 256 steps of its range, 1 bit keeps signs: stored so, "
        "384 numbers take 384 or 48 bytes, not 1,536. To see what it costs; kept here as 32 bits.",
        advanced=True,
    )
    normalise: bool = flag(
        True,
        help="Scale every vector to length 1, as most published models do.",
        advanced=True,
    )

    def __post_init__(self) -> None:
        """Check each value; a text needs a few tokens besides those that mark its ends."""
        super().__post_init__()
        if 0 < self.max_length < _MIN_LENGTH:
            raise ParameterError(
                f"Bert.max_length must be 0 (the model's) or at least {_MIN_LENGTH}, "
                f"got {self.max_length}."
            )


class Bert(ItemEmbedder):
    """Text vectors of a pretrained language model; by default all-MiniLM-L6-v2.

    Notes
    -----
    Encoders (BERT and its kin), encoders of T5, decoders with last-token pooling, and whatever
    else sentence_transformers or transformers' AutoModel load, from the hub or a folder.

    Texts are cut to token ids first. Equal ids are embedded once; batches hold texts of nearly
    equal length under a budget of tokens, so that little is spent on padding. Vectors equal those
    of ``SentenceTransformer.encode(normalize_embeddings=True)`` to 1e-5 with the default settings.
    Arithmetic is float32 unless 16 bits are asked for; how many threads are used is left to the
    environment (``OMP_NUM_THREADS``). A text without a token has the zero vector.

    Of pairs, a side named "query" or "question" gets the query prompt, others the document prompt.

    References
    ----------
    Reimers & Gurevych 2019, "Sentence-BERT", section 3 (pooling); Wang et al. 2020, "MiniLM";
    Ni et al. 2022, "Sentence-T5"; Kusupati et al. 2022, "Matryoshka Representation Learning".
    """

    id = "bert"
    title = "BERT"
    summary = "Reads each text with a pretrained language model; finds texts that mean the same."
    source = "Reimers & Gurevych 2019, Sentence-BERT; all-MiniLM-L6-v2 or the model you choose"
    accepts = frozenset({Modality.TEXT, Modality.PAIRS})
    queries = frozenset({Modality.TEXT})
    pair_sides: ClassVar[frozenset[Modality] | None] = frozenset({Modality.TEXT})
    params_class = BertParams
    pretrained = True
    # 2,048 tokens keep the activations in cache: larger batches were no faster on two cores.
    batch_cost = 2_048
    batch_size = 128

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._text_model: TextModel | None = None
        self._about: dict[str, Any] = {}
        self._cut: list[tuple[str, int]] = []
        self._n_empty = 0
        self._sides = ""
        self._ranges: FloatMatrix | None = None
        self._compared: NDArray[np.float64] | None = None

    @classmethod
    def needs(cls, params: Params) -> hub_model.HubModel | None:
        """Return the model of the hub that ``params`` name; None for the packaged one."""
        assert isinstance(params, BertParams)  # noqa: S101 -- told to the type checker
        if minilm.is_packaged(params.model):
            return None
        name = full_name(params.model)
        facts = known(name)
        return hub_model.HubModel(
            name, mb=facts.mb if facts else None, instead="all-MiniLM-L6-v2 is here at once."
        )

    @classmethod
    def availability(cls, params: Params) -> Availability:
        """Tell whether the packages and the model are here, or what would have to be fetched."""
        assert isinstance(params, BertParams)  # noqa: S101 -- told to the type checker
        try:
            wanted = cls.needs(params)
            missing = sentence_model.missing_packages() if wanted else minilm.missing_packages()
            if missing:
                return Availability("needs_extra", f"Needs {', '.join(missing)}.")
            found = hub_model.availability(wanted)
            if found.state == "ready":
                check_shape(*cls._shape(wanted), params.layer, params.dim)
            return found
        except EmbedscopeError as error:
            return Availability("needs_extra", str(error))

    @staticmethod
    def _shape(wanted: hub_model.HubModel | None) -> tuple[str, Shape]:
        """Return name and size of the model that is on this machine."""
        if wanted is None:
            return minilm.NAME.rpartition("/")[2], _PACKAGED
        return wanted.name, shape_of(hub_model.required(wanted).path)

    @property
    def is_fitted(self) -> bool:
        """Tell whether the weights are loaded."""
        return self._text_model is not None

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Load the pretrained weights; nothing is trained.

        For 8-bit vectors the range of each dimension is taken from up to 1,000 items of
        ``dataset``; for 16-bit arithmetic a few items are embedded both ways and compared.

        Raises
        ------
        EmbedderUnavailable
            If a package or the model is missing, or its weights are not what they should be.
        ParameterError
            If the model has no such layer, or fewer dimensions than asked for.
        """
        self._check_modality(dataset)
        progress(0, 1, "loading model")
        self._load()
        progress(1, 1, "loading model")
        self._ranges = self._compared = None
        if self.params.precision == arithmetic.BFLOAT16:
            self._compared = arithmetic.measured(self, dataset, self._use_16_bits, progress)
        if self.params.output == "int8":
            sample = arithmetic.spread(dataset, CALIBRATED_ON)
            matrix = arithmetic.sample_vectors(self, sample, progress, "ranges of a sample")
            self._ranges = precision.ranges_of(matrix)
            self._ranges.setflags(write=False)
        return self

    def state(self) -> State:
        """Return which weights they were, and what was measured on the data.

        That is ranges for 8 bits and cosines for 16.
        """
        self._check_fitted()
        measured = {"ranges": self._ranges, "compared": self._compared}
        found = {name: array for name, array in measured.items() if array is not None}
        return {**same_weights.kept(self._about), **found}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Load the pretrained weights and take up what was measured.

        Raises
        ------
        EmbedderUnavailable
            As ``fit``, and if the weights are others now: queries would meet foreign vectors.
        """
        self._load()
        try:
            same_weights.check(state, self._about, self.params.model)
        except EmbedderUnavailable:
            self._text_model = None
            raise
        if self.params.precision == arithmetic.BFLOAT16:
            self._use_16_bits()
        self._ranges = np.asarray(state["ranges"], np.float32) if "ranges" in state else None
        self._compared = np.asarray(state["compared"]) if "compared" in state else None
        return self

    def _load(self) -> None:
        p: BertParams = self.params
        source = self.needs(p)
        if source is None:
            self._text_model = minilm.PackagedMinilm(p.layer)
            self._about = {"model": minilm.NAME, "weights_sha256": minilm.WEIGHTS_SHA256}
            return
        found = hub_model.required(source)
        shared = p.precision == arithmetic.FLOAT32  # 16 bits use the model up
        self._text_model = sentence_model.load(found.path, source.name, p.layer, shared=shared)
        self._about = found.provenance()

    def _use_16_bits(self) -> None:
        self._text_model = self._model.to_bfloat16()

    @property
    def _model(self) -> TextModel:
        self._check_fitted()
        assert self._text_model is not None  # noqa: S101 -- told to the type checker
        return self._text_model

    def _prompts(self) -> tuple[str, str]:
        """Return what is put before documents and before queries."""
        p: BertParams = self.params
        asked = ("", "")
        if p.prompts == "model":
            facts = known(self._model.name)
            asked = self._model.prompts
            if asked == ("", "") and facts is not None:
                asked = (facts.document_prompt, facts.query_prompt)
        return p.document_prompt or asked[0], p.query_prompt or asked[1]

    def _prepare(self, dataset: Dataset, progress: Progress) -> Sequence[Tokens]:
        total = len(dataset)
        whole: list[Tokens] = []
        progress(0, total, "cutting into tokens")
        for start, end, prompt in self._parts(dataset):
            for at in range(start, end, TOKENIZE_CHUNK):
                texts = dataset.items[at : min(at + TOKENIZE_CHUNK, end)]
                whole += self._model.tokens(texts, prompt)
                progress(len(whole), total, "cutting into tokens")
        most = self._model.limit(self.params.max_length)
        self._n_empty = sum(not len(each) for each in whole)
        if most is None:
            self._cut = []
            return whole
        self._cut = [
            (id, len(each)) for id, each in zip(dataset.ids, whole, strict=True) if len(each) > most
        ]
        return [self._model.cut(each, most) for each in whole]

    def _parts(self, dataset: Dataset) -> Iterator[tuple[int, int, str]]:
        """Yield from where to where the items have which prompt."""
        document, query = self._prompts()
        sides = dataset.sides
        self._sides = ""
        if sides is None:
            yield 0, len(dataset), document
            return
        bounds = ((0, sides.n_left), (sides.n_left, len(dataset)))
        asks = [name.lower() in _QUERY_SIDES for name in sides.names]
        if document != query:
            told = [
                f"{name} as {'a query' if ask else 'a document'}"
                for name, ask in zip(sides.names, asks, strict=True)
            ]
            self._sides = f"Prompts by side: {', '.join(told)}."
        for (start, end), ask in zip(bounds, asks, strict=True):
            yield start, end, query if ask else document

    def _prepare_query(self, query: object) -> Tokens:
        text = text_query(query, self.title)
        tokens = self._model.tokens([text], self._prompts()[1])[0]
        most = self._model.limit(self.params.max_length)
        return tokens if most is None else self._model.cut(tokens, most)

    def _dedup_key(self, item: Tokens) -> object:
        return (-item.n_prompt, *item.ids) if item.n_prompt else item.ids

    def _length(self, item: Tokens) -> int:
        return len(item)

    def _embed_batch(self, items: Sequence[Tokens]) -> FloatMatrix:
        full = [len(item) > 0 for item in items]
        if all(full):
            return self._states(items)[1]
        known = [item for item, is_full in zip(items, full, strict=True) if is_full]
        vectors = self._states(known or [Tokens((0,))])[1]
        block = np.zeros((len(items), vectors.shape[1]), np.float32)
        if known:
            block[np.array(full)] = vectors
        return block

    def _states(self, items: Sequence[Tokens]) -> tuple[AnyArray | None, FloatMatrix]:
        """Return the ``(n, length, h)`` states of the tokens and the ``(n, d)`` vectors."""
        import torch

        p: BertParams = self.params
        pooling = None if p.pooling == "model" else cast("Pooling", p.pooling)
        with torch.inference_mode():
            states, vectors = self._model.run(items, pooling)
            if p.dim:
                if p.dim > vectors.shape[1]:
                    raise ParameterError(
                        f"Bert.dim must be in [0, {vectors.shape[1]}] for {self._model.name}, "
                        f"got {p.dim}; 0 keeps all dimensions."
                    )
                vectors = vectors[:, : p.dim]
            if p.normalise:
                vectors = torch.nn.functional.normalize(vectors, dim=1)
            block: FloatMatrix = vectors.numpy()
            return (None if states is None else states.numpy()), block

    def _embed_all(
        self, items: Sequence[Any], progress: Progress, known: Any = None
    ) -> tuple[FloatMatrix, int]:
        if self.params.output == "float32":
            return super()._embed_all(items, progress, known)
        # What is kept of a run is rounded to the ranges of its data: no other run may take it.
        matrix, n_unique = super()._embed_all(items, progress)
        return self._rounded(matrix), n_unique

    def _rounded(self, matrix: FloatMatrix) -> FloatMatrix:
        if self.params.output == "binary":
            rounded = precision.to_signs(matrix)
        elif self.params.output == "int8":
            assert self._ranges is not None  # noqa: S101 -- fit and restore see to it
            rounded = precision.to_int8(matrix, self._ranges)
        else:
            return matrix
        rounded.setflags(write=False)
        return rounded

    def embed_query(self, query: object) -> FloatVector:
        """Return the ``(d,) float32`` vector of a text, behind the query prompt."""
        vector: FloatVector = self._rounded(super().embed_query(query)[np.newaxis])[0]
        return vector

    def trace(self, text: str) -> Trace:
        """Return the word pieces of ``text``, their numbers and their vectors in this text."""
        model = self._model
        if not model.shows_tokens:
            raise QueryError(f"{model.name} cuts texts by itself and does not tell how.")
        whole = model.tokens([text], self._prompts()[0])[0]
        most = model.limit(self.params.max_length)
        read = whole if most is None else model.cut(whole, most)
        states, vectors = self._states([read if len(read) else Tokens((0,))])
        assert states is not None  # noqa: S101 -- told to the type checker
        pooling = model.own_pooling if self.params.pooling == "model" else self.params.pooling
        weights = _weights(pooling, read)
        marks = model.marks()
        tokens = tuple(
            Token(model.token_text(id), id, i, weight, marks.get(id, ""))
            for i, (id, weight) in enumerate(zip(read.ids, weights, strict=True))
        )[:MAX_TOKENS]
        return Trace(
            tokens,
            np.asarray(states[0, : len(tokens)], np.float32),
            self._rounded(vectors)[0] if len(read) else np.zeros_like(vectors[0]),
            self._rule(pooling),
            len(whole) - len(tokens),
            is_read_whole=len(read) == len(whole),
        )

    def _rule(self, pooling: str | None) -> str:
        rule = {
            "mean": "The text's vector is the mean of its pieces' vectors",
            "cls": "The text's vector is that of the first piece",
            "max": "Each number of the text's vector is the largest among its pieces",
            "last": "The text's vector is that of the last piece",
        }.get(pooling or "", f"The text's vector is made by: {self._model.recipe}")
        behind = f", then passed through {self._model.behind}" if self._model.behind else ""
        length = ", then scaled to length 1" if self.params.normalise else ""
        return f"{rule}{behind}{length}. A piece's vector depends on the text around it."

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:
        document, query = self._prompts()
        return {
            **self._about,
            "layer": self._model.layer,
            "pooling": self._pooled(),
            "max_length": self._model.limit(self.params.max_length) or 0,
            "document_prompt": document,
            "query_prompt": query,
            "n_truncated": len(self._cut),
            "truncated": [[id, n] for id, n in self._cut[:LISTED]],
            "notes": list(self._notes(len(dataset), matrix)),
        }

    def _pooled(self) -> str:
        chosen = self.params.pooling
        return self._model.recipe if chosen == "model" else str(chosen)

    def _notes(self, n: int, matrix: FloatMatrix) -> Iterator[str]:
        p: BertParams = self.params
        model = self._model
        layers = f", layer {model.layer} of {model.n_layers}" if model.n_layers else ""
        document, query = self._prompts()
        prompts = "no prefix"
        if document or query:
            who = "as the model asks" if not (p.document_prompt or p.query_prompt) else "as set"
            prompts = f"before texts {_quoted(document)}, before queries {_quoted(query)} ({who})"
        length = "length scaled to 1" if p.normalise else "length as it comes"
        yield f"Model {model.name}{layers}, pooling {self._pooled()}, {length}, {prompts}."
        if self._sides:
            yield self._sides
        yield from model.notes
        on_data = []
        most = model.limit(p.max_length)
        if most is not None:
            asked = f" ({p.max_length:,} were asked for)" if p.max_length > most else ""
            cut = "no text was longer"
            if self._cut:
                first = ", ".join(f'"{id}" ({k:,} tokens)' for id, k in self._cut[:3])
                more = " …" if len(self._cut) > 3 else ""
                cut = f"{len(self._cut):,} of {n:,} texts were longer and were cut: {first}{more}"
            on_data.append(f"At most {most:,} tokens per text{asked}: {cut}.")
        if self._n_empty:
            on_data.append(
                f"{self._n_empty:,} of {n:,} texts hold no token and have the zero vector."
            )
        self.notes_on_data = tuple(on_data)
        yield from on_data
        if p.dim:
            yield f"Only the first {p.dim:,} numbers of each vector are kept{self._trained_for()}."
        if self._compared is not None:
            yield arithmetic.told(self._compared)
        if p.output == "int8" and self._ranges is not None:
            edge = float(((matrix == -128) | (matrix == 127)).mean())
            yield (
                "8 bits: each dimension in 256 steps between its lowest and highest value in the "
                f"data it was fitted to (at most {CALIBRATED_ON:,} items of it); {edge:.2%} of "
                f"the numbers lie at an end of the scale. {_stored(matrix.shape[1], 8)}"
            )
        if p.output == "binary":
            kept = _stored(matrix.shape[1], 1)
            yield f"1 bit: 1 for a positive number, -1 for any other. {kept}"

    def _trained_for(self) -> str:
        facts = known(self._model.name)
        if facts is None:
            return ""
        if not facts.matryoshka:
            return "; the model was not trained for it"
        return f"; the model was trained for {', '.join(map(str, facts.matryoshka))}"


def _stored(dim: int, bits: int) -> str:
    """Say what a vector of ``dim`` numbers takes with so many bits a number."""
    small, whole = -(-dim * bits // 8), 4 * dim
    return (
        f"Stored so, a vector takes {small:,} bytes instead of {whole:,} (1/{whole / small:.3g}); "
        "it is kept here with 32 bits a number."
    )


def _quoted(prompt: str) -> str:
    return repr(prompt) if prompt else "nothing"


def _weights(pooling: str | None, read: Tokens) -> list[float]:
    n, skipped = len(read), read.n_prompt if read.n_prompt < len(read) else 0
    if pooling == "mean":
        return [0.0] * skipped + [1 / (n - skipped)] * (n - skipped) if n else []
    weights = [0.0] * n
    if n and pooling in {"cls", "last"}:
        weights[skipped if pooling == "cls" else -1] = 1.0
    return weights
