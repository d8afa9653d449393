"""How each kind of thing lies on disk: Parquet, ``.npy`` and JSON; never a pickle."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import AnyArray
from core.errors import WorkspaceError
from core.modality import Modality
from ingest.dataset import Dataset, Dropped, Edges
from ingest.image_items import ImageFolderItems
from ingest.paired_items import PairedItems
from ingest.sides import Sides
from vectors.keyed import KeyedVectors
from workspace.records import SidesInfo
from workspace.table_files import as_texts


def save_dataset(folder: Path, dataset: Dataset, images: Path) -> dict[str, Any]:
    """Write the content of a dataset (not its name or what was dropped); return its meta data.

    ``images`` is the folder of image files that all datasets share.
    """
    meta: dict[str, Any] = {
        "fingerprint": dataset.fingerprint,
        "modality": str(dataset.modality),
        "n": len(dataset),
        "roles": dict(dataset.roles),
        "label": dataset.label,
        "directed": bool(dataset.edges and dataset.edges.directed),
        "has_edges": dataset.edges is not None,
    }
    if dataset.weight_kind:
        meta["weight_kind"] = dataset.weight_kind
    if dataset.sides is not None:
        meta["sides"] = {
            "names": list(dataset.sides.names),
            "modalities": [m and str(m) for m in dataset.sides.modalities],
            "n_left": dataset.sides.n_left,
            "n_right": len(dataset) - dataset.sides.n_left,
            "n_pairs": len(dataset.edges) if dataset.edges is not None else 0,
        }
    ids = pd.DataFrame({"id": pd.Series(list(dataset.ids), dtype="object")})
    items = dataset.items
    if items is None:
        meta["items"] = "none"
    elif isinstance(items, pd.DataFrame):
        meta["items"] = "table"
        _to_parquet(items, folder / "table.parquet")
    elif isinstance(items, np.ndarray):
        meta["items"] = "vectors"
        np.save(folder / "vectors.npy", items, allow_pickle=False)
    elif isinstance(items, PairedItems):
        meta["items"] = "pairs"
        _save_pairs(ids, items, images)
    elif dataset.modality is Modality.IMAGE:
        meta["items"] = "images"
        ids["image"] = ImageFolderItems.save(items, images).hashes
    elif all(isinstance(item, str) for item in items):
        meta["items"] = "text"
        ids["text"] = pd.Series(list(items), dtype="object")
    else:
        raise WorkspaceError(f"{dataset.name} holds {dataset.modality} items that cannot be kept.")
    _to_parquet(ids, folder / "ids.parquet")
    _to_parquet(dataset.columns, folder / "columns.parquet")
    if dataset.edges is not None:
        for name in ("source", "target", "weight"):
            np.save(folder / f"{name}.npy", getattr(dataset.edges, name), allow_pickle=False)
    return meta


def _save_pairs(ids: pd.DataFrame, items: PairedItems, images: Path) -> None:
    """Keep texts in a column "text" and the hashes of stored images in a column "image"."""
    cells: dict[str, list[str | None]] = {}
    start = 0
    for side in (items.left, items.right):
        is_image = hasattr(side, "hashes")
        name = "image" if is_image else "text"
        kept = ImageFolderItems.save(side, images).hashes if is_image else side
        column = cells.setdefault(name, [None] * len(items))
        column[start : start + len(side)] = kept
        start += len(side)
    for name, column in cells.items():
        ids[name] = pd.Series(column, dtype="object")


def _load_pairs(ids: pd.DataFrame, sides: Sides, images: Path) -> PairedItems:
    parts: list[Any] = []
    for modality, rows in zip(
        sides.modalities, (slice(0, sides.n_left), slice(sides.n_left, None)), strict=True
    ):
        is_image = modality is Modality.IMAGE
        cells = ids["image" if is_image else "text"].iloc[rows].tolist() if len(ids) else []
        parts.append(ImageFolderItems(images, cells) if is_image else cells)
    return PairedItems(parts[0], parts[1])


def load_dataset(
    folder: Path, meta: Mapping[str, Any], images: Path, told: Mapping[str, Any]
) -> Dataset:
    """Return a stored dataset; ``told`` holds name, notes and what was dropped."""
    ids = pd.read_parquet(folder / "ids.parquet")
    items: Any = None
    if meta["items"] == "table":
        items = pd.read_parquet(folder / "table.parquet")
    elif meta["items"] == "vectors":
        items = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    elif meta["items"] == "images":
        items = ImageFolderItems(images, ids["image"].tolist())
    elif meta["items"] == "text":
        items = ids["text"].tolist()
    sides = None
    if meta.get("sides"):
        told_sides = SidesInfo.from_dict(meta["sides"])
        sides = Sides(told_sides.names, told_sides.modalities, told_sides.n_left)
        if meta["items"] == "pairs":
            items = _load_pairs(ids, sides, images)
    edges = None
    if meta["has_edges"]:
        parts = [
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("source", "target", "weight")
        ]
        edges = Edges(parts[0], parts[1], parts[2], meta["directed"])
    dataset = Dataset(
        name=str(told.get("name", "dataset")),
        modality=Modality(meta["modality"]),
        ids=tuple(ids["id"].tolist()),
        items=items,
        columns=pd.read_parquet(folder / "columns.parquet"),
        roles=meta["roles"],
        edges=edges,
        sides=sides,
        weight_kind=meta.get("weight_kind", ""),
        dropped=tuple(Dropped(*pair) for pair in told.get("dropped", ())),
        n_dropped=int(told.get("n_dropped", 0)),
        notes=tuple(told.get("notes", ())),
    )
    # Parquet may return another dtype for equal values; the identity is the one at saving.
    vars(dataset)["fingerprint"] = meta["fingerprint"]
    return dataset


def save_vectors(folder: Path, vectors: KeyedVectors) -> dict[str, Any]:
    """Write keys, kinds and matrix; return the meta data."""
    np.save(folder / "matrix.npy", np.asarray(vectors.matrix), allow_pickle=False)
    keys = pd.DataFrame({"key": pd.Series(list(vectors.keys), dtype="object")})
    keys["kind"] = pd.Categorical(vectors.kinds.tolist())
    _to_parquet(keys, folder / "keys.parquet")
    kinds = {kind: int((vectors.kinds == kind).sum()) for kind in vectors.kind_names}
    return {
        "metric": vectors.metric,
        "provenance": dict(vectors.provenance),
        "kinds": kinds,
        "n": len(vectors),
        "dim": vectors.dim,
    }


def load_vectors(folder: Path, meta: Mapping[str, Any]) -> KeyedVectors:
    """Return stored vectors; the matrix is memory-mapped."""
    keys = pd.read_parquet(folder / "keys.parquet")
    return KeyedVectors(
        keys["key"].tolist(),
        np.load(folder / "matrix.npy", mmap_mode="r", allow_pickle=False),
        kinds=keys["kind"].astype(str).tolist(),
        metric=meta["metric"],
        provenance=meta["provenance"],
    )


def save_arrays(folder: Path, arrays: Mapping[str, AnyArray]) -> dict[str, Any]:
    """Write named arrays, one ``.npy`` each (names may be anything); return the meta data."""
    names = list(arrays)
    for i, name in enumerate(names):
        array = np.asarray(arrays[name])
        if array.dtype.hasobject:
            raise WorkspaceError(f"The state {name!r} holds Python objects, which are never kept.")
        np.save(folder / f"{i}.npy", array, allow_pickle=False)
    return {"names": names}


def load_arrays(folder: Path, meta: Mapping[str, Any]) -> dict[str, AnyArray]:
    """Return named arrays, memory-mapped."""
    return {
        name: np.load(folder / f"{i}.npy", mmap_mode="r", allow_pickle=False)
        for i, name in enumerate(meta["names"])
    }


def save_record(folder: Path, record: Any) -> dict[str, Any]:
    """Write a dataclass of arrays and plain values (Layout, KnnGraph); return the meta data."""
    values = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    rest = {name: _plain(value) for name, value in values.items() if name not in arrays}
    return {**save_arrays(folder, arrays), "values": rest}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def _to_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame; columns of mixed Python values are kept as texts."""
    try:
        frame.to_parquet(path, index=not frame.columns.size)
    except (TypeError, ValueError):  # pyarrow's own errors derive from these, surrogates too
        safe = frame.copy()
        for name in safe.columns:
            if safe[name].dtype == object:
                safe[name] = as_texts(safe[name].tolist())
        safe.to_parquet(path, index=not frame.columns.size)
