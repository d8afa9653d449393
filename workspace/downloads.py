"""What all downloads into a workspace share: who may start one, and what is kept of broken ones."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from core.errors import EmbedderUnavailable
from core.home import DOWNLOADS

_KEPT_S = 7 * 86_400
"""How long what a cancelled download has brought is kept, to go on from there."""


def check_allowed(allowed: bool, title: str, instead: str) -> None:
    """Refuse a download where the operator switched them off.

    Parameters
    ----------
    allowed : bool
    title : str
        What would have been downloaded.
    instead : str
        A sentence on what works without it.

    Raises
    ------
    EmbedderUnavailable
    """
    if not allowed:
        raise EmbedderUnavailable(
            f"{title} was not downloaded: downloads are switched off on this "
            f"server ({DOWNLOADS}). {instead}"
        )


def downloads_folder(root: Path) -> Path:
    """Return where unfinished downloads lie."""
    return root / "downloads"


def clean(folder: Path, is_wanted: Callable[[str], bool]) -> None:
    """Delete what cancelled downloads left a week ago or earlier.

    Parameters
    ----------
    folder : Path
    is_wanted : callable
        Tells by its name whether a file or folder belongs to the download that begins.
    """
    limit = time.time() - _KEPT_S
    for left in folder.glob("*"):
        if is_wanted(left.name):
            continue
        with contextlib.suppress(OSError):  # another job may be cleaning too
            parts = [left, *left.rglob("*")] if left.is_dir() else [left]
            if max(part.stat().st_mtime for part in parts) < limit:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
