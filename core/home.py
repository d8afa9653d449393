"""Where this program keeps its files, and whether it may fetch any: what every process reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from core.errors import ParameterError

HOME = "EMBEDSCOPE_HOME"
DOWNLOADS = "EMBEDSCOPE_DOWNLOADS"
MODEL_FOLDERS = "EMBEDSCOPE_MODEL_FOLDERS"
EVERYWHERE = "any"
_NO = {"0", "false", "no", "off"}
_YES = {"1", "true", "yes", "on"}


def as_flag(variable: str, text: str) -> bool:
    """Read yes or no from the text of an environment variable.

    Raises
    ------
    ParameterError
        Naming the variable and what it is.
    """
    if text.lower() not in _YES | _NO:
        raise ParameterError(
            f"{variable} must be true or false, got {text!r}. Correct it or leave it out."
        )
    return text.lower() in _YES


def home(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder of everything that is kept: ``EMBEDSCOPE_HOME``, else ~/.embedscope."""
    text = _given(environment, HOME)
    return Path(text).expanduser().absolute() if text else Path.home() / ".embedscope"


def models_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return where downloaded models lie, and where a user may put own ones."""
    return home(environment) / "models"


def downloads_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return where unfinished downloads lie."""
    return home(environment) / "downloads"


def downloads_allowed(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether models may be fetched at all (``EMBEDSCOPE_DOWNLOADS``)."""
    text = _given(environment, DOWNLOADS)
    return as_flag(DOWNLOADS, text) if text else True


def may_read_models_in(folder: Path, environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether a model may be loaded from ``folder``, wherever links lead to.

    The users of a server are not its owner: a path that somebody types must not become a way to
    look around on its disk. Allowed are the models folder and what ``EMBEDSCOPE_MODEL_FOLDERS``
    lists (separated as in PATH; "any" allows all).
    """
    text = _given(environment, MODEL_FOLDERS)
    if text == EVERYWHERE:
        return True
    allowed = [Path(one).expanduser() for one in text.split(os.pathsep) if one.strip()]
    real = folder.resolve()
    return any(real.is_relative_to(one.resolve()) for one in [models_folder(environment), *allowed])


def _given(environment: Mapping[str, str] | None, name: str) -> str:
    return (os.environ if environment is None else environment).get(name, "").strip()
