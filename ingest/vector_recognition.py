"""Which of the given sources holds vectors, how sure that is, and what lies beside it."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from core.errors import EmbedscopeError
from ingest.archive import is_zip, unpacked_head
from ingest.array_files import is_npy, is_npz
from ingest.encoding import looks_binary
from ingest.projector_tensors import projector_config
from ingest.raw_table import RawTable
from ingest.reader import Certainty, ReadOptions, Sources
from ingest.source import Source
from ingest.structured import is_columnar
from ingest.tabular import load_table
from ingest.values import understand
from ingest.vector_columns import is_sparse_list, list_columns, numbered_columns
from ingest.word2vec_binary import (
    is_fasttext_model,
    is_word2vec_binary,
)
from ingest.word_vector_formats import TextLayout, text_layout

TENSOR_SUFFIXES = frozenset({".bytes", ".tensor", ".f32"})
_TEXT_SUFFIXES = frozenset({".vec", ".glove", ".w2v", ".word2vec"})
_HEAD_ROWS = 200
_QUOTED_LIST = re.compile(rb'[,;\t]"\[\s*-?\d')
_SEPARATORS = {" ": "blanks", "\t": "tabs", ",": "commas"}


@dataclass(frozen=True)
class VectorClaim:
    """How sure it is that a source holds vectors, and in which form."""

    certainty: Certainty
    format: str
    layout: TextLayout | None = None


@dataclass(frozen=True)
class VectorParts:
    """The vectors among the given sources, and what lies beside them."""

    main: Source
    claim: VectorClaim
    metadata: Source | None = None
    config: Any = None


def vector_parts(sources: Sources) -> VectorParts | None:
    """Return which source holds the vectors and which describe them, or None."""
    configs = [(s, config) for s in sources if (config := projector_config(s)) is not None]
    others = [s for s in sources if s not in [c[0] for c in configs]]
    config = configs[0][1] if configs else None
    if not 1 <= len(others) <= 2:
        return None
    claims = [(source, claim) for source in others if (claim := _claim(source)) is not None]
    if not claims:
        return None
    main, claim = max(claims, key=lambda pair: (pair[1].certainty, _n_numbers(pair[1])))
    if len(others) == 1:
        return VectorParts(main, claim, config=config)
    side = next(source for source in others if source is not main)
    if looks_binary(unpacked_head(side, 4096)) and not is_columnar(side.head(16)):
        return None
    if claim.certainty is Certainty.POSSIBLE:
        if claim.layout is None or not _rows_agree(main, side):
            return None
        claim = VectorClaim(Certainty.LIKELY, claim.format, claim.layout)
    sure = max(claim.certainty, Certainty.LIKELY)
    return VectorParts(
        main, VectorClaim(sure, f"{claim.format} with metadata", claim.layout), side, config
    )


def _n_numbers(claim: VectorClaim) -> int:
    return claim.layout.dim if claim.layout else 0


def _rows_agree(main: Source, side: Source) -> bool:
    """Tell whether the metadata has a line per vector, or one more."""
    counts = []
    for source in (main, side):
        with source.open() as stream:
            counts.append(sum(1 for line in stream if line.strip()))
    return counts[1] - counts[0] in {0, 1}


def _claim(source: Source) -> VectorClaim | None:
    if is_npy(source):
        return VectorClaim(Certainty.CERTAIN, "NumPy array")
    if is_npz(source):
        return VectorClaim(Certainty.CERTAIN, "NumPy archive")
    if is_zip(source):
        return None
    head = unpacked_head(source, 65_536)
    if is_word2vec_binary(source):
        return VectorClaim(Certainty.CERTAIN, "word2vec binary")
    if source.suffix in TENSOR_SUFFIXES:
        return VectorClaim(Certainty.CERTAIN, "raw float32 tensor")
    if is_columnar(head):
        return _table_claim(source)
    if looks_binary(head):
        model = is_fasttext_model(source)
        return VectorClaim(Certainty.CERTAIN, "fastText model") if model else None
    layout = text_layout(source) if head.lstrip()[:1] not in {b"{", b"[", b"<"} else None
    if layout is not None and (layout.dim >= 2 or layout.said):
        certainty = _layout_certainty(source, layout)
        if certainty is not None:
            kind = "word2vec text" if layout.said else "GloVe text"
            kind = (
                kind
                if layout.has_words
                else f"numbers separated by {_SEPARATORS[layout.separator]}"
            )
            return VectorClaim(certainty, kind, layout)
    return _table_claim(source)


def _layout_certainty(source: Source, layout: TextLayout) -> Certainty | None:
    if layout.has_words and layout.said is not None and layout.said[1] == layout.dim:
        return Certainty.CERTAIN
    if source.suffix in _TEXT_SUFFIXES and layout.has_words:
        return Certainty.LIKELY
    if layout.separator == "," or not layout.is_regular:
        return None  # a table with a header, or of several kinds of columns
    wide = layout.dim >= (8 if layout.has_words else 16) and layout.n_fractions > 0.5
    return Certainty.LIKELY if wide else Certainty.POSSIBLE


def load_vector_table(
    source: Source, options: ReadOptions, *, max_rows: int | None = None
) -> RawTable:
    """Return a table; lists in quotes, whose commas outnumber all others, keep their quotes."""
    if options.quotechar is None and _QUOTED_LIST.search(source.head(65_536)):
        options = dataclasses.replace(options, quotechar='"')
    return load_table(source, options, max_rows=max_rows)


def _table_claim(source: Source) -> VectorClaim | None:
    try:
        table = load_vector_table(source, ReadOptions(), max_rows=_HEAD_ROWS)
    except EmbedscopeError:
        return None
    lists = list_columns(table)
    if lists:
        few = is_sparse_list(table, lists[0])
        certainty = Certainty.POSSIBLE if few else Certainty.LIKELY
        return VectorClaim(certainty, f"{table.format} with a column of vectors")
    numbered = numbered_columns(table)
    if len(numbered) >= 8:
        return VectorClaim(Certainty.LIKELY, f"{table.format} with numbered columns")
    kinds = [understand(column).kind for column in table.columns]
    return VectorClaim(Certainty.POSSIBLE, table.format) if kinds.count("number") >= 2 else None
