"""Everything Embedscope raises on purpose.

::

    EmbedscopeError
    ├── DatasetError          a source cannot become a Dataset
    │   ├── UnreadableSource  broken, empty, or of a kind nobody reads
    │   └── UnsafeSource      refused before it could do harm (pickle, bomb, path escape)
    ├── ParameterError        a setting is outside its declared range
    ├── ModalityMismatch      this method does not take that kind of data
    ├── NotFittedError        asked for vectors or a query before ``fit``
    ├── UnknownKey            a key (word, node, id) has no vector
    ├── UnknownEmbedder       no method is registered under that id
    ├── EmbedderUnavailable   a package or a download is missing
    ├── QueryError            a query cannot be answered in this space
    ├── TooLarge              the work would not fit into memory or a declared limit
    └── WorkspaceError        a stored thing is missing or a job cannot be run

    Cancelled                 not an error: the user asked to stop

A message says what is wrong with which value, what is allowed, and what to do next. None of
these derives from ``KeyError``, whose text would be printed in quotes.
"""

from __future__ import annotations

__all__ = [
    "Cancelled",
    "DatasetError",
    "EmbedderUnavailable",
    "EmbedscopeError",
    "ModalityMismatch",
    "NotFittedError",
    "ParameterError",
    "QueryError",
    "TooLarge",
    "UnknownEmbedder",
    "UnknownKey",
    "UnreadableSource",
    "UnsafeSource",
    "WorkspaceError",
]


class EmbedscopeError(Exception):
    """Base of all errors whose text is meant for the user."""


class DatasetError(EmbedscopeError):
    """A source cannot become a Dataset."""


class UnreadableSource(DatasetError):
    """The source is broken, empty, or of a kind that no reader takes."""


class UnsafeSource(DatasetError):
    """The source was refused before it could do harm."""


class ParameterError(EmbedscopeError):
    """A setting is outside its declared range."""


class ModalityMismatch(EmbedscopeError):
    """The method does not take this kind of data."""


class NotFittedError(EmbedscopeError):
    """Vectors or a query were asked for before ``fit``."""


class UnknownKey(EmbedscopeError):
    """A key has no vector.

    Parameters
    ----------
    message : str
        The sentence for the user.
    key : str
        The key that was asked for.
    suggestions : tuple of str
        Existing keys that look similar, nearest first.
    """

    def __init__(self, message: str, *, key: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.key = key
        self.suggestions = suggestions


class UnknownEmbedder(EmbedscopeError):
    """No method is registered under that id."""


class EmbedderUnavailable(EmbedscopeError):
    """A package or a download that the method needs is missing."""


class QueryError(EmbedscopeError):
    """A query cannot be answered in this space."""


class TooLarge(EmbedscopeError):
    """The work would exceed memory or a declared limit."""


class WorkspaceError(EmbedscopeError):
    """A stored thing is missing, or a job cannot be run."""


class Cancelled(Exception):
    """Raised by a progress call when the user asked to stop."""
