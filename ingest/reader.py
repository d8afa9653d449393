"""What a reader is: it recognises sources of its kind, previews them and reads them.

``ingest.read`` asks every reader of a plain tuple and takes the surest. A reader module ends with
one module-level object ``READER``. Readers get sources that are neither empty, nor pickles, nor
over ``Limits.max_file_mb``: that is checked before they are asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from core.errors import ParameterError
from core.modality import Modality
from ingest.dataset import Dataset, Role
from ingest.limits import DEFAULT_LIMITS, Limits
from ingest.preview import Preview
from ingest.source import Source, SourceLike

Sources = Sequence[Source]


class Certainty(IntEnum):
    """How sure a reader is; the surest wins, ties go to the earlier reader of the tuple."""

    POSSIBLE = 1
    """It could be read so if the user says so, but that is not the first guess."""
    LIKELY = 2
    """The structure fits (columns called source and target; a header "10000 100")."""
    CERTAIN = 3
    """Magic bytes or a structure that nothing else has (PNG, GraphML, NPY)."""


@dataclass(frozen=True)
class Recognition:
    """One reader's claim to a list of sources.

    Attributes
    ----------
    kind : Modality
    certainty : Certainty
    format : str
        In words: "zip of images", "GraphML".
    """

    kind: Modality
    certainty: Certainty
    format: str


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """All that a user may say about a source; None or empty means "guess".

    Attributes
    ----------
    kind : Modality or None
    text : tuple of str
        Text columns; several are joined with a line break, in that order.
    label, id : str or None
        Column names.
    columns : mapping of str to Role
        Roles said by the user, ``text``, ``label``, ``id`` and ``ignore`` included.
    delimiter, encoding, quotechar : str or None
        ``quotechar=""`` switches quoting off.
    header : int, "none" or None
        Row of the header counted from 0, or ``"none"`` if there is none.
    sheet : str or None
        Sheet of a workbook.
    source, target, weight : str or None
        Columns of an edge list; ``weight`` also of pairs and interactions.
    left, right : str or None
        Columns of the two sides of pairs, or of users and items.
    directed : bool or None
    nodes, metadata : source or None
        Node table of a graph, metadata of vectors.
    dim : int or None
        Length of one vector in a file that does not say it (raw tensors, ``.bytes``).
    limits : Limits
    """

    kind: Modality | None = None
    text: tuple[str, ...] = ()
    label: str | None = None
    id: str | None = None
    columns: Mapping[str, Role] = field(default_factory=dict)
    delimiter: str | None = None
    encoding: str | None = None
    quotechar: str | None = None
    header: int | str | None = None
    sheet: str | None = None
    source: str | None = None
    target: str | None = None
    weight: str | None = None
    left: str | None = None
    right: str | None = None
    directed: bool | None = None
    nodes: SourceLike | Source | None = None
    metadata: SourceLike | Source | None = None
    dim: int | None = None
    limits: Limits = DEFAULT_LIMITS

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all options."""
        return tuple(f.name for f in dataclasses.fields(cls))


class Reader(Protocol):
    """One family of formats.

    ``inspect`` must be fast (a head of the file) and is what a page shows at once; ``read`` makes
    the dataset. Both honour every option that concerns them and raise ``DatasetError``s (or
    ``TooLarge``, ``ParameterError``) with a sentence for the user.
    """

    kinds: frozenset[Modality]

    def recognise(self, sources: Sources) -> Recognition | None:
        """Return a claim to ``sources``, or None; looks at heads only and never raises."""

    def inspect(self, sources: Sources, options: ReadOptions) -> Preview:
        """Return the guess about ``sources``."""

    def read(self, sources: Sources, options: ReadOptions) -> Dataset:
        """Return ``sources`` as a Dataset."""


def require_column(name: str, known: Sequence[Any], *, where: str, option: str) -> None:
    """Refuse a column name that the source does not have.

    Raises
    ------
    ParameterError
        Naming the option, the source and its columns.
    """
    if name not in known:
        some = ", ".join(repr(str(k)) for k in list(known)[:12])
        more = f" and {len(known) - 12} more" if len(known) > 12 else ""
        raise ParameterError(f"{option}={name!r}: {where} has no such column; it has {some}{more}.")
