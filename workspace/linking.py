"""Giving a workspace a dataset: the content goes to the store, the name stays with the owner."""

from __future__ import annotations

import time

from core.modality import Modality
from ingest.dataset import Dataset
from workspace.catalog import Catalog
from workspace.records import DatasetInfo, HowRead, SidesInfo
from workspace.store import Store, present


def link_dataset(
    store: Store,
    catalog: Catalog,
    workspace: str,
    dataset: Dataset,
    name: str | None = None,
    how: HowRead | None = None,
) -> DatasetInfo:
    """Keep a dataset and give it to a workspace.

    Content that the workspace already has stays where it is, with its runs: notes, dropped rows
    and ``how`` it was read become those of ``dataset``, and the name changes only to a ``name``
    that is given.
    """
    with store.keeping_datasets():
        return _link(store, catalog, workspace, dataset, name, how or HowRead())


def _link(
    store: Store,
    catalog: Catalog,
    workspace: str,
    dataset: Dataset,
    name: str | None,
    how: HowRead,
) -> DatasetInfo:
    id = store.save_dataset(dataset)
    known = catalog.datasets(workspace, id)
    meta = present(store.dataset_meta(id), "The dataset")
    info = DatasetInfo(
        id=id,
        name=name or (known[0].name if known else dataset.name),
        modality=Modality(meta["modality"]),
        n=meta["n"],
        n_dropped=dataset.n_dropped,
        label=meta["label"],
        roles=meta["roles"],
        bytes=meta["bytes"],
        created=known[0].created if known else time.time(),
        sides=SidesInfo.from_dict(meta["sides"]) if meta.get("sides") else None,
    )
    told = {
        "sides": meta.get("sides"),
        "notes": list(dataset.notes),
        "dropped": [[each.where, each.reason] for each in dataset.dropped],
        "files": list(how.files),
        "options": dict(how.options),
    }
    return catalog.link_dataset(workspace, info, told)
