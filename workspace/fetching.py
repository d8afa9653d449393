"""Bringing known word vectors into a workspace, as a worker does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from core.fingerprint import fingerprint
from embedders.known_vector_sets import (
    INSTEAD,
    MOST_WORDS,
    KnownSet,
    known_set,
    read_known_set,
)
from ingest.dataset import Dataset
from workspace.context import Context
from workspace.downloads import check_allowed, clean, downloads_folder
from workspace.linking import link_dataset
from workspace.settings import settings
from workspace.store import Store
from workspace.tasks import Task


@dataclass(frozen=True)
class FetchTask(Task):
    """Download a known set of word vectors and make it a dataset of the workspace.

    Attributes
    ----------
    known : str
        Id of the set, such as "glove-6b-100d".
    dataset : str
        The dataset that is shown meanwhile and afterwards.
    """

    runs: ClassVar[str] = "workspace.fetching:fetch"

    known: str
    dataset: str


def fetch(task: FetchTask, context: Context) -> dict[str, Any]:
    """Download, read and keep the vectors; return their dataset's id.

    A set that any workspace has already is linked and not downloaded again.
    """
    one = known_set(task.known)
    check_allowed(settings().downloads, one.title, INSTEAD)
    store, folder = context.store, downloads_folder(context.store.root)
    context.progress.plan({"download": one.remote.size / 5e6, "read": 5e-5 * one.n_words})
    context.progress.begin("download", "connecting")
    with context.alone(f"download-{one.id}"):
        clean(folder, lambda name: name.startswith(f"{one.id}."))
        vectors = _stored(store, one)
        is_new = vectors is None
        if vectors is None:
            vectors = read_known_set(one.id, folder, consent=True, progress=context.progress)
        context.progress.begin("read", "saving")
        info = link_dataset(store, context.catalog, context.workspace, vectors, one.title)
        if is_new:
            _remember(store, one, info.id, vectors)
        for file in folder.glob(f"{one.id}.*"):  # its content is in the store now
            file.unlink(missing_ok=True)
    return {"dataset": task.dataset, "vectors": info.id}


def _key(one: KnownSet) -> str:
    """Return the id under which it is remembered which dataset a published file became."""
    remote = one.remote
    return fingerprint("fetched-1", one.id, remote.url, remote.size, remote.digest, MOST_WORDS)[:24]


def _stored(store: Store, one: KnownSet) -> Dataset | None:
    """Return the dataset that a set became, if some workspace still has it."""
    meta = store.entries.meta("fetched", _key(one))
    return None if meta is None else store.dataset(meta["dataset"], meta["told"])


def _remember(store: Store, one: KnownSet, dataset: str, vectors: Dataset) -> None:
    told = {
        "name": one.title,
        "notes": list(vectors.notes),
        "dropped": [[each.where, each.reason] for each in vectors.dropped],
        "n_dropped": vectors.n_dropped,
    }
    store.entries.remove("fetched", _key(one))  # of a dataset that was deleted since
    store.entries.write("fetched", _key(one), lambda _: {"dataset": dataset, "told": told})
