"""Files that a task is given beside a comparison: judgements, queries, pairs, tagged sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from core.errors import ParameterError, UnreadableSource
from ingest.encoding import detect_encoding, looks_binary, open_text, undecodable
from ingest.safety import refuse_empty
from ingest.source import Source

FILES: dict[str, tuple[str, ...]] = {
    "retrieval": ("judgements", "queries"),
    "pairs": ("pairs",),
    "word-pairs": ("pairs",),
    "analogies": ("questions",),
    "entities": ("train", "test"),
    "graph-links": ("held out",),
    "recommendation": ("later",),
}
"""What files a task takes, by its id; which of them it needs follows from the data."""


def check_files(asked: str, files: Mapping[str, Source]) -> None:
    """Refuse files that a task does not take.

    Raises
    ------
    ParameterError
    """
    allowed = FILES.get(asked, ())
    for role in files:
        if role not in allowed:
            takes = ", ".join(allowed) or "no file"
            raise ParameterError(f"The task {asked} takes {takes}, not a file of {role}.")


def needed(files: Mapping[str, Source], role: str, what: str) -> Source:
    """Return a file.

    Raises
    ------
    ParameterError
        If it was not given; ``what`` says what it would hold.
    """
    if role not in files:
        raise ParameterError(f"This task needs a file: {what}.")
    return files[role]


def lines_of(source: Source) -> list[str]:
    """Return the lines of a text file, in whatever encoding it is.

    Raises
    ------
    UnreadableSource
        If it is no text.
    """
    refuse_empty(source)
    if looks_binary(source.head()):
        raise UnreadableSource(f"{source.name} is no text file. Save it as plain text or CSV.")
    encoding = detect_encoding(source)
    with open_text(source, encoding) as stream:
        try:
            text = stream.read()
        except UnicodeError as error:
            raise undecodable(source, encoding) from error
    # Not splitlines: tweets hold marks that it takes for ends of lines.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def digests(files: Mapping[str, Source]) -> dict[str, str]:
    """Return a digest of the content of each file; kept with it, as a page asks at every turn."""
    for source in files.values():
        if "sha256" not in source.memo:
            source.memo["sha256"] = hashlib.sha256(source.read()).hexdigest()
    return {role: source.memo["sha256"] for role, source in files.items()}
