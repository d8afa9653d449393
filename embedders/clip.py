"""CLIP: images and texts in one space, so that words find pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from core.arrays import FloatMatrix
from core.errors import EmbedderUnavailable, ParameterError, UnreadableSource, UnsafeSource
from core.modality import Modality
from core.params import Params, flag, text
from core.progress import Progress
from embedders import arithmetic, tiny_clip
from embedders.base import Availability
from embedders.clip_checkpoints import WEIGHT_SUFFIXES, resolve
from embedders.clip_model import ClipModel, image_tensor, load, missing_packages, not_a_query
from embedders.clip_model_list import BUNDLED, suggestions
from embedders.hub_model import ModelSource, availability, stamp_of_file
from embedders.image_items import DIGEST_STRIDE, ImageReference, image_query
from embedders.pretrained_model import PretrainedModel
from embedders.trace import MAX_TOKENS, Token, Trace
from ingest.dataset import Dataset
from ingest.image_items import content_hash

TOKENIZE_CHUNK = 500
CUT_NAMED = 3
LISTED = 200
"""Texts that were cut, named in the notes and listed in the provenance; all are counted."""
_HOLE = "{}"


class TokenIds(NamedTuple):
    """A text as its ``int32`` tokens, packed: hashable, and small for many texts."""

    packed: bytes


@dataclass(frozen=True, kw_only=True)
class ClipParams(Params):
    """Settings of CLIP."""

    model: str = text(
        BUNDLED,
        help="One of these, any other architecture of open_clip by its name, hf-hub: and a model's "
        "name, or local-dir: and a folder.",
        suggestions=suggestions,
    )
    checkpoint: str = text(
        "",
        automatic="a good one",
        help="Which published weights of that architecture, such as laion2b_s34b_b79k, or the "
        "path of a file; empty for a good one.",
    )
    template: str = text(
        _HOLE,
        help="What texts are put into before they are read: “a photo of {}” often helps with "
        "single words.",
    )
    normalise: bool = flag(
        True,
        help="Scale every vector to length 1, as CLIP itself compares them.",
        advanced=True,
    )
    precision: str = arithmetic.setting()

    def __post_init__(self) -> None:
        """Check that the template has a place for the text."""
        super().__post_init__()
        if self.template.count(_HOLE) != 1:
            raise ParameterError(
                f"Clip.template must hold {{}} once, where the text goes, got {self.template!r}."
            )


class Clip(PretrainedModel[ClipModel]):
    """Vectors of images and texts by a model that was trained to tell which belong together.

    Notes
    -----
    Every architecture of open_clip: CLIP, SigLIP, CoCa (its contrastive towers) and others. Images
    are prepared as the checkpoint asks (size, crop or squash, mean and deviation). Features equal
    open_clip's ``encode_image`` and ``encode_text``. Images are read and decoded batch by batch.

    References
    ----------
    Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
    section 2; Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"; Yu et al. 2022,
    "CoCa"; Ilharco et al. 2021, open_clip.
    """

    id = "clip"
    title = "CLIP"
    summary = "Puts images and texts into one space: search pictures with words, and the reverse."
    source = "Radford et al. 2021, CLIP; open_clip's models (SigLIP, CoCa …)"
    accepts = frozenset({Modality.IMAGE, Modality.TEXT, Modality.PAIRS})
    queries = frozenset({Modality.IMAGE, Modality.TEXT})
    params_class = ClipParams
    batch_size = 16  # a large tower takes 0.1 s per image: progress and cancel within 2 s

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._n_texts, self._cut = 0, list[str]()

    @classmethod
    def availability(cls, params: Params) -> Availability:
        """Tell whether the model is on this machine."""
        if missing := missing_packages():
            return Availability("needs_extra", f"Needs {', '.join(missing)}.")
        try:
            return availability(resolve(params.model, params.checkpoint).source)  # type: ignore[attr-defined]
        except (ParameterError, EmbedderUnavailable) as error:
            return Availability("needs_extra", str(error))

    @classmethod
    def needs(cls, params: Params) -> ModelSource | None:
        """Return the model on the hub that ``params`` name; None for the bundled one."""
        try:
            return resolve(params.model, params.checkpoint).source  # type: ignore[attr-defined]
        except (ParameterError, EmbedderUnavailable):
            return None  # there is nothing to get; ``availability`` says why

    def _read(self) -> ClipModel:
        return load(resolve(self.params.model, self.params.checkpoint))

    def _identity(self) -> tuple[Any, ...]:
        """Return what the vectors depend on: a file of weights may be another one tomorrow."""
        own = arithmetic.as_ever(super()._identity())
        if self.params.model in {"", BUNDLED}:
            return *own, tiny_clip.WEIGHTS_SHA256
        file = self.params.checkpoint.strip()
        if not file.endswith(WEIGHT_SUFFIXES):
            return own
        return *own, *stamp_of_file(file)

    def _kind_of(self, dataset: Dataset) -> str:
        return "image" if dataset.modality is Modality.IMAGE else "document"

    def _prepare(self, dataset: Dataset, progress: Progress) -> Sequence[Any]:
        self._check_size(len(dataset), self._model.dim, "Use fewer items.")
        self._n_texts, self._cut, self.notes_on_data = 0, [], ()
        sides = _sides(dataset)
        images = [row for kind, rows in sides if kind is Modality.IMAGE for row in rows]
        texts = [row for kind, rows in sides if kind is Modality.TEXT for row in rows]
        prepared: dict[int, TokenIds | ImageReference] = {}
        if images:
            prepared |= self._references(dataset, images, progress)
        if texts:
            prepared |= self._tokens(dataset, texts, progress)
        return [prepared[row] for row in range(len(dataset))]

    def _references(
        self, dataset: Dataset, rows: Sequence[int], progress: Progress
    ) -> dict[int, ImageReference]:
        """Return where each image lies, with the hash of its bytes; stored images know theirs."""
        images, total = dataset.items, len(rows)
        progress(0, total, "comparing files")
        known = getattr(images, "hashes", None)
        found = {}
        for done, row in enumerate(rows, start=1):
            digest = known[row] if known is not None else content_hash(images[row])
            found[row] = ImageReference(dataset.ids[row], images, row, digest)
            if done % DIGEST_STRIDE == 0 or done == total:
                progress(done, total, "comparing files")
        return found

    def _tokens(
        self, dataset: Dataset, rows: Sequence[int], progress: Progress
    ) -> dict[int, TokenIds]:
        items, total = dataset.items, len(rows)
        progress(0, total, "cutting into tokens")
        found: dict[int, TokenIds] = {}
        for start in range(0, total, TOKENIZE_CHUNK):
            chunk = rows[start : start + TOKENIZE_CHUNK]
            ids, cut = self._token_ids([items[row] for row in chunk])
            self._cut += [dataset.ids[chunk[place]] for place in cut]
            self._n_texts += len(chunk)
            found |= zip(chunk, ids, strict=True)
            progress(len(found), total, "cutting into tokens")
        return found

    def _token_ids(self, texts: Sequence[str]) -> tuple[list[TokenIds], list[int]]:
        """Return the tokens of texts in the template, and which of them were cut."""
        template = self.params.template
        ids, cut = self._model.token_ids([template.replace(_HOLE, text) for text in texts])
        return [TokenIds(row.tobytes()) for row in ids], cut

    def _prepare_query(self, query: object) -> TokenIds | ImageReference:
        if isinstance(query, str):
            return self._token_ids([query])[0][0]
        if isinstance(query, bytes):
            return image_query(query, self.title)
        raise not_a_query(self.title, query)

    def embed_queries(self, queries: Sequence[object]) -> FloatMatrix:
        """Return the ``(n, d) float32`` vectors of several queries, batch by batch."""
        self._check_fitted()
        items = [self._prepare_query(query) for query in queries]
        size = self.batch_size
        starts = range(0, len(items), size)
        return np.concatenate([self._embed_batch(items[start : start + size]) for start in starts])

    def trace(self, text: str) -> Trace:
        """Return the tokens of ``text`` and, where the text tower has them, their vectors."""
        model, p = self._model, self.params
        framed = p.template.replace(_HOLE, text)
        read, n_cut = model.real_tokens(framed)
        ids = model.token_ids([framed])[0]
        vector = model.embed_texts(ids)[0]
        matrix = model.token_vectors(ids)
        shown = read[:MAX_TOKENS]
        stands = -1
        if matrix is not None:
            gaps = np.abs(matrix - vector).max(axis=1)
            stands = int(gaps.argmin())
            matrix = matrix[: len(shown)]
        tokens = tuple(
            Token(
                model.token_text(id),
                id,
                None if matrix is None else place,
                1.0 if place == stands else 0.0,
                "end of the text" if id in model.ends else "",
            )
            for place, id in enumerate(shown)
        )
        return Trace(
            tokens,
            np.zeros((0, model.dim), np.float32) if matrix is None else matrix,
            self._embed_batch([TokenIds(ids.tobytes())])[0],
            self._rule(stands, len(shown)),
            n_cut + len(read) - len(shown),
            is_read_whole=n_cut == 0,
        )

    def _rule(self, stands: int, n: int) -> str:
        length = ", scaled to length 1" if self.params.normalise else ""
        read = "" if self.params.template == _HOLE else f" It is read as “{self.params.template}”."
        if stands < 0:
            return (
                "The text tower makes one vector of all tokens; it has no vector of each that "
                f"belongs to the space of the texts and images{length}.{read}"
            )
        which = "place behind the text" if stands >= n else "token"
        return (
            f"The text's vector is that of the last {which}, which has read all others{length}. "
            f"The vectors of the other tokens are shown in the same space; they take no part.{read}"
        )

    def _dedup_key(self, item: TokenIds | ImageReference) -> object:
        return item if isinstance(item, TokenIds) else item.digest

    def _length(self, item: TokenIds | ImageReference) -> int:
        return 0 if isinstance(item, TokenIds) else 1  # images first: the time left is then honest

    def _embed_batch(self, items: Sequence[TokenIds | ImageReference]) -> FloatMatrix:
        model = self._model
        block = np.empty((len(items), model.dim), np.float32)
        texts = [i for i, item in enumerate(items) if isinstance(item, TokenIds)]
        images = [i for i, item in enumerate(items) if not isinstance(item, TokenIds)]
        if texts:
            packed = b"".join(items[i].packed for i in texts)  # type: ignore[union-attr]
            ids = np.frombuffer(packed, np.int32).reshape(len(texts), -1)
            block[texts] = model.embed_texts(ids)
        if images:
            block[images] = model.embed_images([self._tensor(items[i]) for i in images])
        if self.params.normalise:
            block /= np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-12)
        return block

    def _tensor(self, item: Any) -> Any:
        try:
            return image_tensor(self._model, item.data)
        except (UnreadableSource, UnsafeSource) as error:
            raise item.unreadable(error) from error

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:  # noqa: ARG002
        model = self._model
        return {
            **model.about,
            "logit_scale": model.logit_scale,
            "logit_bias": model.logit_bias,
            "n_truncated": len(self._cut),
            "truncated": self._cut[:LISTED],
            "notes": [*model.notes, *self._told(len(dataset))],
        }

    def _told(self, n: int) -> list[str]:
        model, p = self._model, self.params
        length = "length scaled to 1" if p.normalise else "length as it comes"
        told = [f"Model {model.name}, {model.dim} numbers per vector, {length}."]
        if self._n_texts:
            cut = "no text was longer"
            if self._cut:
                first = ", ".join(f'"{id}"' for id in self._cut[:CUT_NAMED])
                more = " …" if len(self._cut) > CUT_NAMED else ""
                share = f"{len(self._cut):,} of {self._n_texts:,} texts"
                cut = f"{share} were longer and were cut: {first}{more}"
            read = "" if p.template == _HOLE else f" Texts are read as “{p.template}”."
            self.notes_on_data = (f"At most {model.context_length} tokens per text: {cut}.{read}",)
            told += self.notes_on_data
        if n > self._n_texts:
            how = {
                "shortest": "the shorter edge brought to size, the middle cut out",
                "longest": "the longer edge brought to size, the rest filled",
                "squash": "both edges brought to size",
            }[model.resize_mode]
            high, wide = model.side
            told.append(
                f"Images are seen at {wide} × {high} pixels ({how}); transparent parts are white, "
                "of moving images the first frame is used."
            )
        if self._compared is not None:
            told.append(arithmetic.told(self._compared))
        return told


def _sides(dataset: Dataset) -> list[tuple[Modality | None, range]]:
    """Return what stands in which rows: one kind of item, or two in pairs."""
    n = len(dataset)
    if dataset.sides is None:
        return [(dataset.modality, range(n))]
    left, right = dataset.sides.modalities
    n_left = dataset.sides.n_left
    return [(left, range(n_left)), (right, range(n_left, n))]
