"""Arrays from NumPy and Matrix Market files, their kind and size checked before they are read."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from convex_analyzer.errors import InputError
from convex_analyzer.problems.delimited import LARGEST

__all__ = ["check_size", "read_mtx", "read_npy", "read_npz", "sparse_from_archive"]


def check_size(name: str, shape: Sequence[int]) -> None:
    """Refuse what would not fit in memory."""
    if math.prod(shape) > LARGEST or any(length > LARGEST for length in shape):
        size = " x ".join(f"{length:,}" for length in shape)
        raise InputError(
            f"{name} holds {size} numbers, more than fit in memory here",
            argument="path",
            hint="pass a scipy LinearOperator to Quadratic to keep it out of memory",
        )


def _checked_header(name: str, stream: IO[bytes], size: int) -> None:
    """Check kind and size of an array in .npy format before reading it; `size` in bytes."""
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(stream)
    except ValueError as error:
        start = size and "not an array in NumPy's format"
        raise InputError(f"{name} is {start or 'empty'}", argument="path") from error
    if dtype.hasobject:
        raise InputError(
            f"{name} holds Python objects (a pickle), which are never loaded: they can run code",
            argument="path",
            hint="save plain numbers: np.save(path, np.asarray(values, dtype=float))",
        )
    if dtype.kind not in "biufcSU":
        raise InputError(f"{name} holds {dtype}, not numbers", argument="path")
    check_size(name, shape)
    expected = stream.tell() + math.prod(shape) * dtype.itemsize
    if size < expected:
        raise InputError(
            f"{name} is truncated: {size:,} bytes, and its header announces {expected:,}",
            argument="path",
        )


def read_npy(file: Path) -> Any:
    """Return the array of a .npy file."""
    with file.open("rb") as stream:
        _checked_header(file.name, stream, file.stat().st_size)
        stream.seek(0)
        return np.load(stream, allow_pickle=False)


def read_npz(file: Path) -> dict[str, Any]:
    """Return the arrays of a .npz archive by name."""
    arrays = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            key = member.filename.removesuffix(".npy")
            with archive.open(member) as stream:
                _checked_header(f"{file.name}: {key}", stream, member.file_size)
            with archive.open(member) as stream:
                arrays[key] = np.lib.format.read_array(stream, allow_pickle=False)
    return arrays


def read_mtx(file: Path) -> Any:
    """Return the matrix of a Matrix Market file: an array, or sparse by rows."""
    from scipy.io import mminfo, mmread

    with file.open("rb") as stream:
        if not stream.read(1):
            raise InputError(f"{file.name} is empty", argument="path")
    rows, columns, entries, layout, _, _ = mminfo(file)
    check_size(file.name, (rows, columns) if layout == "array" else (entries,))
    check_size(file.name, (rows,))
    check_size(file.name, (columns,))
    content = mmread(file)
    return content.tocsr() if hasattr(content, "tocsr") else content


def sparse_from_archive(arrays: dict[str, Any]) -> Any:
    """Return the matrix of an archive made by scipy.sparse.save_npz, else None."""
    if not {"format", "shape", "data"} <= arrays.keys():
        return None
    from scipy import sparse

    kind = arrays["format"].item()
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    shape = tuple(int(length) for length in arrays["shape"])
    check_size("the sparse archive", shape[:1])
    if kind == "coo":
        return sparse.coo_array((arrays["data"], (arrays["row"], arrays["col"])), shape).tocsr()
    if kind in ("csr", "csc", "bsr"):
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        matrix = getattr(sparse, f"{kind}_array")(parts, shape=shape)
        matrix.check_format()
        return matrix.tocsr()
    raise InputError(f"sparse archives of format {kind!r} cannot be read", argument="path")
