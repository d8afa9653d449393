"""Files on their way in: kept until a worker has read them, under names of our own."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from core.errors import TooLarge, WorkspaceError
from ingest.source import Source
from workspace.entries import saving

_BLOCK = 1 << 20
_KEPT_S = 7 * 86_400


class Uploads:
    """The folder of uploads; ``root`` is the home folder."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "uploads"

    def put(self, sources: Sequence[Source], max_mb: int) -> str:
        """Copy files into a new folder; return its token.

        Raises
        ------
        TooLarge
            If they are larger than ``max_mb`` together.
        """
        size_mb = sum(source.size for source in sources) / 1e6
        if size_mb > max_mb:
            raise TooLarge(
                f"The upload has {size_mb:,.0f} MB; at most {max_mb:,} MB are allowed. "
                "Load a part of it, or raise EMBEDSCOPE_MAX_UPLOAD_MB."
            )
        token = secrets.token_hex(12)
        with saving("upload"):
            (self._folder / token).mkdir(parents=True)
            for i, source in enumerate(sources):
                with source.open() as stream, self._path(token, i).open("wb") as target:
                    shutil.copyfileobj(stream, target, _BLOCK)
        return token

    def paths(self, token: str, names: Sequence[str]) -> list[Path]:
        """Return where the files of an upload lie.

        Raises
        ------
        WorkspaceError
            If they have gone.
        """
        paths = [self._path(token, i) for i in range(len(names))]
        if not all(path.is_file() for path in paths):
            raise WorkspaceError("The uploaded file is no longer there. Upload it again.")
        return paths

    def remove(self, token: str) -> None:
        """Delete an upload."""
        if token.isalnum():
            shutil.rmtree(self._folder / token, ignore_errors=True)

    def clean(self) -> None:
        """Delete uploads that nobody came back for within a week."""
        for folder in self._folder.glob("*"):
            if folder.stat().st_mtime < time.time() - _KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)

    def _path(self, token: str, i: int) -> Path:
        return self._folder / token / str(i)  # the user's name never becomes a path
