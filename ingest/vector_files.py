"""Finished vectors: NumPy, word2vec, GloVe, fastText .vec, Projector files, columns of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.errors import UnreadableSource
from core.modality import Modality
from ingest.archive import gunzipped, is_zip, unpacked_head
from ingest.array_files import is_npy, is_npz, read_npy, read_npz
from ingest.dataset import Dataset
from ingest.limits import MB, Limits
from ingest.preview import Preview
from ingest.projector_tensors import read_bytes
from ingest.raw_vectors import RawVectors, usable
from ingest.reader import Certainty, ReadOptions, Recognition, Sources
from ingest.side_table import described
from ingest.source import Source, as_source
from ingest.vector_columns import vectors_of_table
from ingest.vector_metadata import with_ids, with_metadata
from ingest.vector_recognition import (
    TENSOR_SUFFIXES,
    VectorClaim,
    VectorParts,
    load_vector_table,
    vector_parts,
)
from ingest.word2vec_binary import (
    is_word2vec_binary,
    read_word2vec_binary,
    refuse_fasttext_model,
)
from ingest.word_vector_formats import read_text
from ingest.wording import count

_WHOLE_PREVIEW = 16 * MB


class VectorReader:
    """Reads vectors that are ready, with words, ids or metadata where there are any."""

    kinds = frozenset({Modality.VECTORS})

    def recognise(self, sources: Sources) -> Recognition | None:
        """Return a claim to a file of vectors, alone or with its metadata and config."""
        parts = vector_parts(sources)
        if parts is None:
            return None
        return Recognition(Modality.VECTORS, parts.claim.certainty, parts.claim.format)

    def inspect(self, sources: Sources, options: ReadOptions) -> Preview:
        """Return the first vectors and the columns beside them; a large text is not read whole."""
        parts = _required(sources, options)
        is_whole = parts.main.size <= _WHOLE_PREVIEW or parts.claim.layout is None
        raw = _joined(parts, options, whole=is_whole)
        kept = usable(raw, parts.main.name)
        dim = kept.matrix.shape[1]
        said = parts.claim.layout.said if parts.claim.layout else None
        n = len(kept.matrix) if is_whole else said[0] if said else None
        rows = pd.DataFrame({"id": list(kept.ids or ())[:20]})
        for column in range(min(dim, 6)):
            rows[f"[{column}]"] = kept.matrix[:20, column]
        _, _, guesses = _described(kept, parts.main.name, options)
        size = f"{n:,} × {dim:,}" if n is not None else f"{dim:,} dimensions"
        return Preview(
            Modality.VECTORS,
            f"{kept.format}, {size}",
            n_items=n,
            n_inspected=len(kept.matrix),
            rows=rows,
            columns=guesses,
            options={} if options.dim is None else {"dim": options.dim},
            notes=tuple(kept.notes) if is_whole else (),
            warnings=_warnings(kept),
        )

    def read(self, sources: Sources, options: ReadOptions) -> Dataset:
        """Return the vectors; items are ``(n, d) float32``, ids the words or names.

        Raises
        ------
        UnreadableSource, UnsafeSource, TooLarge, ParameterError
        """
        parts = _required(sources, options)
        kept = usable(_joined(parts, options, whole=True), parts.main.name)
        columns, roles, _ = _described(kept, parts.main.name, options)
        kept.matrix.setflags(write=False)
        return Dataset(
            parts.main.name,
            Modality.VECTORS,
            tuple(kept.ids or ()),
            kept.matrix,
            columns,
            roles,
            dropped=tuple(kept.dropped[: Dataset.MAX_LISTED]),
            n_dropped=kept.n_dropped,
            notes=(f"{kept.format}, {kept.matrix.shape[1]:,} dimensions.", *kept.notes),
        )


def _warnings(kept: RawVectors) -> tuple[str, ...]:
    return (f"{count(kept.n_dropped, 'row')} cannot be used.",) if kept.n_dropped else ()


def _described(kept: RawVectors, name: str, options: ReadOptions) -> Any:
    if kept.columns is None:
        return pd.DataFrame(index=pd.RangeIndex(len(kept.matrix))), {}, ()
    return described(kept.columns, options, where=name)


def _required(sources: Sources, options: ReadOptions) -> VectorParts:
    sources = [gunzipped(source, options.limits) for source in sources]
    for source in sources:
        refuse_fasttext_model(source)
    parts = vector_parts(sources)
    if parts is None and len(sources) == 1 and not is_zip(sources[0]):
        parts = VectorParts(sources[0], VectorClaim(Certainty.POSSIBLE, "table"))
    if parts is None:
        names = ", ".join(source.name for source in sources)
        raise UnreadableSource(
            f"{names}: no vectors were found. Give .npy, .npz, word2vec, GloVe or fastText .vec "
            "files, Projector TSV or .bytes, or a table with numeric columns; one file of "
            "vectors, and at most one of metadata beside it."
        )
    if options.metadata is not None:
        return VectorParts(parts.main, parts.claim, as_source(options.metadata), parts.config)
    return parts


def _joined(parts: VectorParts, options: ReadOptions, *, whole: bool) -> RawVectors:
    main = parts.main
    if not whole:
        lines = unpacked_head(main, 1 << 20)
        main = Source(main.name, data=lines[: lines.rfind(b"\n") + 1] or lines)
    raw = _read(main, parts, options)
    if parts.metadata is not None and whole:
        raw = with_metadata(raw, parts.metadata, options)
    return with_ids(raw, main.name, options)


def _read(main: Source, parts: VectorParts, options: ReadOptions) -> RawVectors:
    limits: Limits = options.limits
    if is_npy(main):
        return read_npy(main, limits)
    if is_npz(main):
        return read_npz(main, limits)
    if is_word2vec_binary(main):
        return read_word2vec_binary(main, limits)
    if main.suffix in TENSOR_SUFFIXES:
        rows = _metadata_rows(parts.metadata)
        return read_bytes(main, rows, options.dim, limits, parts.config)
    if parts.claim.layout is not None:
        return read_text(main, parts.claim.layout, limits)
    return vectors_of_table(load_vector_table(main, options), main.name, options)


def _metadata_rows(metadata: Source | None) -> Sequence[int]:
    """Return how many rows a metadata file may mean: with several columns it has a header."""
    if metadata is None:
        return ()
    lines = [line for line in metadata.read().splitlines() if line.strip()]
    n = len(lines)
    several = bool(lines) and b"\t" in lines[0]
    return (n - 1, n) if several else (n, n - 1)


READER = VectorReader()
