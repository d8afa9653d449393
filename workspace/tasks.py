"""What a job is asked to do: frozen, plain, JSON in and out; nothing heavy is imported here."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from core.errors import ParameterError, WorkspaceError


@dataclass(frozen=True)
class Task:
    """Base of all tasks.

    ``runs`` names the function ``(task, context) -> result`` that a worker calls, as
    ``"module:function"``; it is imported only there.
    """

    runs: ClassVar[str]

    def to_json(self) -> str:
        """Return the task as JSON, from which ``task_from_json`` makes it again."""
        name = f"{type(self).__module__}:{type(self).__qualname__}"
        return json.dumps({"task": name, **dataclasses.asdict(self)}, sort_keys=True)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Task:
        """Return a task from plain values."""
        return cls(**values)


@dataclass(frozen=True)
class LayoutSpec:
    """How vectors are to be drawn.

    Attributes
    ----------
    method : str
        Id of a projection: "umap", "pca", "tsne" …
    n_components : {2, 3}
    seed : int
    params : mapping
        Settings of the method.
    kind : str or None
        Which kind of key to lay out; None for the first kind of the run.
    """

    method: str = "umap"
    n_components: int = 2
    seed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    kind: str | None = None

    def __post_init__(self) -> None:
        """Check the number of dimensions."""
        if self.n_components not in (2, 3):
            raise ParameterError(
                f"A layout has 2 or 3 dimensions, got {self.n_components}. Choose one of them."
            )


@dataclass(frozen=True)
class EmbedTask(Task):
    """Embed a dataset and draw it; parts that are already there are not computed again."""

    runs: ClassVar[str] = "workspace.embedding:embed"

    dataset: str
    embedder: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    layout: LayoutSpec | None = field(default_factory=LayoutSpec)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EmbedTask:
        """Return the task, its layout included."""
        layout = values.get("layout")
        return cls(**{**values, "layout": None if layout is None else LayoutSpec(**layout)})


@dataclass(frozen=True)
class LayoutTask(Task):
    """Draw the vectors of a finished run in another way."""

    runs: ClassVar[str] = "workspace.embedding:lay_out"

    run: str
    layout: LayoutSpec = field(default_factory=LayoutSpec)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LayoutTask:
        """Return the task, its layout included."""
        return cls(**{**values, "layout": LayoutSpec(**values["layout"])})


@dataclass(frozen=True)
class ReadTask(Task):
    """Read an upload into a dataset.

    Attributes
    ----------
    upload : str
        Token of the folder that holds the files.
    names : tuple of str
        What the user called the files, in order.
    kind : str or None
        The modality to read it as; guessed when None.
    options : mapping
        Further arguments of ``ingest.read_dataset`` (roles, delimiter, …).
    name : str or None
        What the dataset is to be called.
    """

    runs: ClassVar[str] = "workspace.reading:read"

    upload: str
    names: tuple[str, ...]
    kind: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ReadTask:
        """Return the task."""
        return cls(**{**values, "names": tuple(values["names"])})


def task_from_json(text: str) -> Task:
    """Return the task that ``Task.to_json`` wrote.

    Raises
    ------
    WorkspaceError
        If this version does not know the task.
    """
    values = json.loads(text)
    module, _, name = str(values.pop("task")).partition(":")
    try:
        made = getattr(importlib.import_module(module), name)
        if not (isinstance(made, type) and issubclass(made, Task)):
            raise TypeError(name)
        return made.from_dict(values)
    except (ImportError, AttributeError, TypeError) as error:
        raise WorkspaceError(
            "This job was made by another version of Embedscope and cannot be run. "
            "Start it again from its page."
        ) from error
