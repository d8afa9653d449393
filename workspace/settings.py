"""The one typed home of the ``EMBEDSCOPE_*`` settings; every one has a safe default."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.allowed_hosts import AllowedHosts
from core.errors import ParameterError
from core.home import as_flag


def _cores() -> int:
    """Return how many cores this process may use (a container's share, not the machine's)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def setting(default: Callable[[], Any], shown: str, help: str, low: int = 0, high: int = 0) -> Any:
    """Declare a setting: how its default is made and shown, what it means, its bounds."""
    metadata = {"shown": shown, "help": help, "low": low, "high": high}
    return dataclasses.field(default_factory=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """What an operator can change; read once at start by ``settings``."""

    home: Path = setting(  # noqa: RUF009 -- it makes a dataclass field
        lambda: Path.home() / ".embedscope",
        "~/.embedscope",
        "Folder that keeps datasets, vectors, layouts, jobs and logs.",
    )
    workers: int = setting(
        lambda: 1, "1", "How many jobs may run at the same time.", low=1, high=64
    )
    spare_workers: int = setting(
        lambda: 1,
        "1",
        "Warm processes in reserve, so that the job after a cancelled one starts at once; "
        "each takes up to half a gigabyte.",
        low=0,
        high=8,
    )
    worker_threads: int = setting(
        lambda: max(1, _cores()), "all cores", "Threads each worker may use.", low=1, high=512
    )
    max_upload_mb: int = setting(
        lambda: 2_000, "2000", "Largest upload in megabytes, all its files together.", 1, 1_000_000
    )
    query_timeout_s: int = setting(
        lambda: 60, "60", "Seconds to wait for the vector of a typed query.", low=1, high=3_600
    )
    warm_up: bool = setting(
        lambda: True, "true", "Load the slow libraries while nobody waits for them."
    )
    downloads: bool = setting(
        lambda: True,
        "true",
        "Whether pretrained vectors and models may be downloaded, when somebody asks for it.",
    )
    api_hosts: str = setting(
        lambda: "localhost",
        "localhost",
        "Services that texts and keys may be sent to: host or host:port, comma-separated; "
        "localhost is this machine, none is nobody.",
    )
    model_folders: str = setting(
        lambda: "",
        "none",
        "Further folders that models may be loaded from, separated as in PATH, or any; the folder "
        "models in EMBEDSCOPE_HOME always may.",
    )
    nice: int = setting(
        lambda: 10, "10", "How far the workers step back behind the app (0 to 19).", low=0, high=19
    )

    def __post_init__(self) -> None:
        """Check that every number is within its bounds and every address is one."""
        AllowedHosts.from_text(self.api_hosts)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            low, high = field.metadata["low"], field.metadata["high"]
            if high and not low <= value <= high:
                raise ParameterError(
                    f"{variable(field.name)} must be an integer in [{low}, {high}], got {value}."
                )


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"EMBEDSCOPE_{name.upper()}"


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that the environment asks for.

    Raises
    ------
    ParameterError
        Naming the variable, what it may be, and what it is.
    """
    given = os.environ if environment is None else environment
    values = {}
    for field in dataclasses.fields(Settings):
        text = given.get(variable(field.name), "").strip()
        if text:
            values[field.name] = _parsed(field, text)
    return Settings(**values)


def _parsed(field: dataclasses.Field[Any], text: str) -> Any:
    if field.type == "Path":
        return Path(text).expanduser().absolute()
    if field.type == "str":
        return text
    if field.type == "bool":
        return as_flag(variable(field.name), text)
    try:
        return int(text)
    except ValueError:
        low, high = field.metadata["low"], field.metadata["high"]
        raise ParameterError(
            f"{variable(field.name)} must be an integer in [{low}, {high}], got {text!r}. "
            "Correct it or leave it out."
        ) from None


def settings_table() -> tuple[tuple[str, str, str], ...]:
    """Return variable, default and meaning of every setting, as the README lists them."""
    return tuple(
        (variable(field.name), field.metadata["shown"], field.metadata["help"])
        for field in dataclasses.fields(Settings)
    )
