"""Bring Plotly.js to the browser without a CDN, npm or an installed component package.

The plotly package ships ``plotly.min.js``. A copy with the version in its name is put into the
app's ``static`` folder, from where Streamlit serves it (``server.enableStaticServing``) under
``app/static/``; the version in the name lets browsers cache it for good.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from core.errors import EmbedscopeError

__all__ = ["install_plotly_js", "plotly_file_name"]


def plotly_file_name() -> str:
    """Return the name under which the installed version is served."""
    return f"plotly-{version('plotly')}.min.js"


def _shipped() -> Path:
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def install_plotly_js(app_folder: Path | str) -> Path:
    """Copy Plotly.js to ``app_folder/static`` unless the same copy is there already.

    Parameters
    ----------
    app_folder : Path or str
        The folder of the script that ``streamlit run`` was given.

    Returns
    -------
    Path
        The copy. Several servers may do this at once: each writes a file of its own and renames it.

    Raises
    ------
    EmbedscopeError
        If the folder cannot be written.
    """
    source = _shipped()
    target = Path(app_folder) / "static" / plotly_file_name()
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return target
    try:
        target.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
        with os.fdopen(handle, "wb") as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy)
        os.chmod(name, 0o644)  # mkstemp makes it private; another user may run the next server
        os.replace(name, target)
    except OSError as error:
        raise EmbedscopeError(
            f"The map's drawing library could not be put into the app's static folder "
            f"({error.strerror}). Make the folder 'static' beside the app writable and reload."
        ) from error
    return target
