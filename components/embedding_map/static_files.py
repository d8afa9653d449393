"""Bring Plotly.js and the map's script to the browser: no CDN, no npm, nothing to build.

The plotly package ships ``plotly.min.js``; our own script lies in parts under ``assets``. Both are
put into the app's ``static`` folder, from where Streamlit serves them under ``app/static/`` (with
``server.enableStaticServing``). Version or content are in the names: browsers may keep them.
A component's inline script would instead travel in every message of the map (60 kB).
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

from core.errors import EmbedscopeError

__all__ = [
    "install_static_files",
    "map_script",
    "map_script_name",
    "plotly_file_name",
    "read_asset",
]

_ASSETS = Path(__file__).parent / "assets"


def read_asset(name: str) -> str:
    """Return the text of one of the component's own files."""
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def map_script() -> str:
    """Return the map's script: its parts in the order of their numbers, and its styles.

    The parts are one ES module cut by topic; joining them is all the build there is.
    """
    parts = [read_asset(path.name) for path in sorted(_ASSETS.glob("[0-9]*.js"))]
    return "\n".join([f"const STYLES = {json.dumps(read_asset('map.css'))};", *parts])


@cache
def map_script_name() -> str:
    """Return the name under which the map's script is served."""
    return f"embedscope-map-{blake2b(map_script().encode(), digest_size=6).hexdigest()}.js"


@cache
def plotly_file_name() -> str:
    """Return the name under which the installed Plotly.js is served."""
    return f"plotly-{version('plotly')}.min.js"


def _shipped_plotly() -> Path:
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def install_static_files(app_folder: Path | str) -> tuple[Path, Path]:
    """Put Plotly.js and the map's script into ``app_folder/static`` unless they are there.

    Parameters
    ----------
    app_folder : Path or str
        The folder of the script that ``streamlit run`` was given.

    Returns
    -------
    tuple of Path
        The copy of Plotly.js and the map's script.

    Raises
    ------
    EmbedscopeError
        If the folder cannot be written.
    """
    folder = Path(app_folder) / "static"
    plotly = _shipped_plotly()
    library = folder / plotly_file_name()
    if _size(library) != plotly.stat().st_size:
        _write(library, plotly.read_bytes())
    script = folder / map_script_name()
    content = map_script().encode()
    if _size(script) != len(content):
        _write(script, content)
    return library, script


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


def _write(target: Path, content: bytes) -> None:
    """Write a whole file or none: several servers may do this at once."""
    try:
        target.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
        with os.fdopen(handle, "wb") as copy:
            copy.write(content)
        os.chmod(name, 0o644)  # mkstemp makes it private; another user may run the next server
        os.replace(name, target)
    except OSError as error:
        raise EmbedscopeError(
            f"The map's drawing library could not be put into the app's static folder "
            f"({error.strerror}). Make the folder 'static' beside the app writable and reload."
        ) from error
