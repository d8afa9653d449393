"""Bringing a pretrained model to this machine, as a worker does it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from core.errors import ParameterError
from core.fingerprint import fingerprint
from embedders import get_embedder
from embedders.hub_download import fetch as fetch_model
from embedders.hub_download import instead_of, unfinished_name
from workspace.context import Context
from workspace.downloads import check_allowed, clean, downloads_folder
from workspace.settings import settings
from workspace.tasks import Task

if TYPE_CHECKING:
    from embedders.hub_model import ModelSource

_MB_PER_S = 5.0  # until the first seconds tell


@dataclass(frozen=True)
class FetchModelTask(Task):
    """Download the model that a method needs with some settings.

    Attributes
    ----------
    embedder : str
        Id of the method. It names the model, so that no task can name an address.
    params : mapping
    dataset : str
        The dataset that is shown meanwhile and afterwards.
    agreed_mb : int or None
        The size that the user was shown and agreed to.
    """

    runs: ClassVar[str] = "workspace.model_fetching:fetch"

    embedder: str
    params: Mapping[str, Any] = field(default_factory=dict)
    dataset: str = ""
    agreed_mb: int | None = None


def wanted_model(embedder: str, params: Mapping[str, Any]) -> ModelSource:
    """Return the model that a method needs with ``params``.

    Raises
    ------
    UnknownEmbedder, ParameterError
        Also where there is nothing to download.
    """
    method = get_embedder(embedder, **params)
    source = method.needs(method.params)
    if source is None:
        raise ParameterError(
            f"{method.title} needs no download with these settings. Start it as it is."
        )
    return source


def fetch(task: FetchModelTask, context: Context) -> dict[str, Any]:
    """Download what is missing of the model; return its name.

    A model that is here already, for whichever workspace it was fetched, is not fetched again.
    """
    source = wanted_model(task.embedder, task.params)
    check_allowed(settings().downloads, source.name, instead_of(source))
    context.progress.plan({"download": (task.agreed_mb or source.mb or 100) / _MB_PER_S})
    context.progress.begin("download", "connecting")
    begins = tuple(unfinished_name(one) for one in source.all())
    # One lock for each part, always in the same order: models may share a tokenizer.
    places = sorted({fingerprint(str(one.folder)) for one in source.all()})
    with contextlib.ExitStack() as locks:
        for place in places:
            locks.enter_context(context.alone(f"model-{place[:24]}"))
        clean(downloads_folder(context.store.root), lambda name: name.startswith(begins))
        fetch_model(source, context.progress, consent=True, at_most_mb=task.agreed_mb)
    return {"dataset": task.dataset, "model": source.name}
