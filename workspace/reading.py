"""Reading an upload, as a worker does it."""

from __future__ import annotations

from typing import Any

from ingest import read_dataset
from ingest.source import Source
from workspace.context import Context
from workspace.linking import link_dataset
from workspace.records import HowRead
from workspace.tasks import ReadTask
from workspace.uploads import Uploads


def read(task: ReadTask, context: Context) -> dict[str, Any]:
    """Read the uploaded files into a dataset of the workspace; return its id."""
    context.progress.plan({"read": 5.0})
    context.progress.begin("read", "reading")
    uploads = Uploads(context.store.root)
    sources = [
        Source(name, path=path)
        for name, path in zip(task.names, uploads.paths(task.upload, task.names), strict=True)
    ]
    given = sources[0] if len(sources) == 1 else sources
    dataset = read_dataset(given, kind=task.kind, **task.options)
    context.progress(0, 0, "saving")
    info = link_dataset(
        context.store,
        context.catalog,
        context.workspace,
        dataset,
        task.name,
        HowRead(task.names, task.options),
    )
    uploads.remove(task.upload)
    return {"dataset": info.id}
