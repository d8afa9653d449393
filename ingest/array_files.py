"""NumPy's .npy and .npz; nothing in them is ever unpickled."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from core.arrays import AnyArray
from core.errors import UnreadableSource, UnsafeSource
from ingest.archive import is_zip, member_names, safe_members
from ingest.limits import Limits
from ingest.raw_table import RawTable
from ingest.raw_vectors import RawVectors, check_size
from ingest.source import Source

_MAGIC = b"\x93NUMPY"
_SPARSE = frozenset({"data", "indices", "indptr", "shape"})
_ID_NAMES = ("ids", "id", "words", "keys", "vocab", "vocabulary", "names", "index", "labels")


def is_npy(source: Source) -> bool:
    """Tell whether the magic bytes are those of .npy."""
    return source.head(6) == _MAGIC


def is_npz(source: Source) -> bool:
    """Tell whether a zip holds nothing but arrays."""
    if not is_zip(source):
        return False
    try:
        names = member_names(source)
    except UnreadableSource:
        return False
    return bool(names) and (source.suffix == ".npz" or all(name.endswith(".npy") for name in names))


def read_npy(source: Source, limits: Limits) -> RawVectors:
    """Read a two-dimensional .npy file.

    Raises
    ------
    UnsafeSource
        If it holds Python objects, which only unpickling could read.
    UnreadableSource
        If it is damaged or of another shape.
    TooLarge
    """
    array = _load(source.read(), source.name, limits)
    _require_matrix(array, source.name)
    return RawVectors(array, f"NumPy array, {array.dtype}")


def _load(data: bytes, name: str, limits: Limits) -> AnyArray:
    """Return the array of a .npy file; nothing in it is unpickled."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(stream)
    except (ValueError, SyntaxError, EOFError, UnicodeDecodeError, TypeError) as error:
        raise UnreadableSource(
            f"{name} has no valid NumPy header. Save the array again with numpy.save."
        ) from error
    if dtype.hasobject:
        raise UnsafeSource(
            f"{name} holds Python objects (dtype object), which only unpickling could read; that "
            "can run code, so it is never done. Save numbers as float32 and words as strings."
        )
    n = int(np.prod(shape, dtype=object)) if shape else 1
    if dtype.kind in "biuf":
        check_size(
            int(shape[0]) if shape else 1, n // max(int(shape[0]), 1) if shape else 1, name, limits
        )
    if n * dtype.itemsize > len(data):
        raise UnreadableSource(
            f"{name} is cut off: its header promises {n * dtype.itemsize:,} bytes of numbers, "
            f"the file holds {len(data) - stream.tell():,}. Copy or download it again."
        )
    try:
        array: AnyArray = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UnreadableSource(f"{name} is cut off or damaged. Save the array again.") from error
    return array


def _require_matrix(array: AnyArray, name: str) -> None:
    if array.dtype.kind not in "biuf":
        raise UnreadableSource(
            f"{name} holds {array.dtype} values, not numbers. Give float or integer vectors."
        )
    if array.ndim != 2 or not all(array.shape):
        raise UnreadableSource(
            f"{name} has shape {array.shape}; vectors need two dimensions, one row per item and at "
            "least one column. Reshape the array and save it again."
        )


def read_npz(source: Source, limits: Limits) -> RawVectors:
    """Read the largest matrix of an .npz archive, with the ids and labels beside it.

    Raises
    ------
    UnsafeSource
        If the only arrays hold Python objects; the text names them.
    UnreadableSource, TooLarge
    """
    arrays: dict[str, AnyArray] = {}
    objects: list[str] = []
    for member, data in safe_members(source, limits):
        name = member.removesuffix(".npy")
        if not data.startswith(_MAGIC):
            continue
        try:
            arrays[name] = _load(data, f"array {name!r} of {source.name}", limits)
        except UnsafeSource:
            objects.append(name)
    if arrays.keys() >= _SPARSE:
        matrix = _dense(arrays, source.name, limits)
        return RawVectors(matrix, "SciPy sparse matrix", notes=["Sparse vectors were made dense."])
    matrices = {
        name: array
        for name, array in arrays.items()
        if array.ndim == 2 and array.dtype.kind in "biuf" and all(array.shape)
    }
    if not matrices:
        raise _no_matrix(source.name, arrays, objects)
    best = max(matrices, key=lambda name: matrices[name].size)
    matrix = matrices[best]
    beside = {
        name: array
        for name, array in arrays.items()
        if array.ndim == 1 and len(array) == len(matrix) and array.dtype.kind in "biufUSM"
    }
    left = [name for name in arrays if name != best and name not in beside]
    notes = [f"Array {best!r} is used as the vectors."] if len(arrays) > 1 else []
    if left:
        notes.append(f"Arrays that are not used: {', '.join(left)}.")
    if objects:
        notes.append(f"Arrays of Python objects are never opened: {', '.join(objects)}.")
    ids = _ids(beside)
    columns = _table({name: array for name, array in beside.items() if name != ids})
    return RawVectors(
        matrix,
        f"NumPy archive, {matrix.dtype}",
        None if ids is None else [str(value) for value in _texts(beside[ids])],
        columns,
        notes=notes,
    )


def _no_matrix(
    name: str, arrays: Mapping[str, AnyArray], objects: Sequence[str]
) -> UnsafeSource | UnreadableSource:
    if objects:
        return UnsafeSource(
            f"{name} holds Python objects (array {', '.join(map(repr, objects))}), which only "
            "unpickling could read; that can run code, so it is never done. Save the vectors as "
            "float32 and words as strings."
        )
    shapes = ", ".join(f"{key!r} {array.shape}" for key, array in arrays.items()) or "none"
    return UnreadableSource(
        f"{name} holds no two-dimensional array of numbers (arrays: {shapes}). "
        "Save one row per vector."
    )


def _ids(beside: Mapping[str, AnyArray]) -> str | None:
    """Return the array that names the rows: of distinct texts, or so called and distinct."""
    distinct = [name for name, a in beside.items() if len(np.unique(a)) == len(a)]
    called = [name for name in distinct if name.casefold() in _ID_NAMES]
    texts = [name for name in distinct if beside[name].dtype.kind in "US"]
    return next(iter([*called, *texts]), None)


def _texts(array: AnyArray) -> list[Any]:
    if array.dtype.kind == "S":
        return [value.decode("utf-8", "replace") for value in array.tolist()]
    return list(array.tolist())


def _table(arrays: Mapping[str, AnyArray]) -> RawTable | None:
    if not arrays:
        return None
    columns = tuple(pa.chunked_array([pa.array(_texts(array))]) for array in arrays.values())
    return RawTable(tuple(arrays), columns, "arrays beside the vectors")


def _dense(arrays: Mapping[str, AnyArray], name: str, limits: Limits) -> AnyArray:
    from scipy import sparse

    try:
        n, dim = (int(size) for size in arrays["shape"])
        check_size(n, dim, name, limits)
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        form = sparse.csc_matrix if len(parts[2]) == dim + 1 != n + 1 else sparse.csr_matrix
        matrix = form(parts, shape=(n, dim))
        matrix.check_format(full_check=True)  # indices out of bounds would be read from anywhere
    except (ValueError, TypeError) as error:
        raise UnreadableSource(
            f"{name} holds a sparse matrix whose parts do not fit together. Save it again."
        ) from error
    dense: AnyArray = matrix.toarray()
    return dense
