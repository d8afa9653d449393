"""Refusals that every reader shares: nothing that could run code is ever opened."""

from __future__ import annotations

import pickletools
import re

from core.errors import UnreadableSource, UnsafeSource
from ingest.source import Source

_PICKLE_SUFFIXES = frozenset({".pkl", ".pickle", ".p", ".pck", ".pcl", ".joblib", ".dill"})
# Protocol 0 and 1 have no magic number. What follows is how they begin in practice: a global
# ("cmodule\nname\n"), a mark with a global or a container, an object made through copy_reg.
_OLD_PICKLE = re.compile(
    rb"\A(?:c[A-Za-z_][\w.]*\r?\n[A-Za-z_][\w.]*\r?\n"  # c<module>\n<name>\n
    rb"|\((?:i|c)[A-Za-z_][\w.]*\r?\n[A-Za-z_][\w.]*\r?\n"  # (i<module>\n<name>\n  (c…
    rb"|\((?:lp|dp|tp|l|d|t)\d*\r?\n?[p(VSIFLa.]"  # (lp0\n  (dp0\n
    rb"|[\]}](?:q[\x00-\xff]|\()"  # protocol 1: ]q\x00  }q\x00
    rb")"
)


def is_pickle(head: bytes) -> bool:
    """Tell whether ``head``, the first bytes of a file, starts a Python pickle of any protocol."""
    if len(head) >= 2 and head[0] == 0x80 and 1 <= head[1] <= 5:
        return _starts_with_opcodes(head)
    if _OLD_PICKLE.match(head[:512]):
        return _starts_with_opcodes(head)
    return 6 <= len(head) < 4096 and head.endswith(b".") and _starts_with_opcodes(head, 10_000)


def _starts_with_opcodes(head: bytes, n: int = 4) -> bool:
    """Read the first ``n`` instructions without running any; random bytes fail soon."""
    try:
        for count, (opcode, _, at) in enumerate(pickletools.genops(head), start=1):
            if opcode.code == ".":
                return at == len(head) - 1 or count >= n  # "N. Korea" is a text, "N." a pickle
            if count >= n:
                return True
    except (ValueError, IndexError, UnicodeDecodeError, OverflowError):
        return False
    return True


def refuse_pickle(source: Source) -> None:
    """Refuse a pickle, whatever its name says.

    Raises
    ------
    UnsafeSource
        If the name is one that pickles have, or the content starts like a pickle of any protocol.
    """
    if source.suffix in _PICKLE_SUFFIXES or is_pickle(source.head(65_536)):
        raise UnsafeSource(
            f"{source.name} is a Python pickle, which can run code when opened, so it is never "
            "read. Save the data as CSV, Parquet or .npy (without objects)."
        )


def refuse_empty(source: Source) -> None:
    """Refuse a source without content.

    Raises
    ------
    UnreadableSource
    """
    if source.size == 0 or (source.size < 65_536 and not source.read().strip(b"\0 \t\r\n")):
        raise UnreadableSource(f"{source.name} is empty. Give a file with at least one item.")
