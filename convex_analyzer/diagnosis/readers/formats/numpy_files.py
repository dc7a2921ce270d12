"""NumPy files: one array (.npy) or an archive of them (.npz); nothing is unpickled."""

from __future__ import annotations

import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convex_analyzer.diagnosis.readers.formats import Format
from convex_analyzer.errors import InputError
from convex_analyzer.problems.array_files import read_npy, read_npz

__all__ = ["FORMAT", "read_arrays"]

_LARGEST = 1 << 30  # bytes of all arrays together
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError, SyntaxError, NotImplementedError),
    *(EOFError, ValueError, OSError, RuntimeError),
)


def read_arrays(path: Path) -> Mapping[str, Any]:
    """Return arrays by name; the array of a .npy file is the loss, or has named columns.

    Raises
    ------
    InputError
        Damaged, empty, too large, or holding Python objects.
    """
    with path.open("rb") as stream:
        packed = stream.read(2) == b"PK"
    try:
        if packed:
            _check_archive(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of headers that Python 2 wrote
            arrays: Mapping[str, Any] = read_npz(path) if packed else {"array": read_npy(path)}
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(
            f"{path.name} cannot be read as NumPy arrays: {error}", argument="source"
        ) from error
    if not arrays:
        raise InputError(f"{path.name} is empty", argument="source")
    return arrays


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > _LARGEST:
        raise InputError(
            f"{path.name} unpacks to {size >> 20:,} MB; up to {_LARGEST >> 20:,} MB are read",
            argument="source",
            hint="keep fewer snapshots of the weights",
        )


FORMAT = Format(
    "NumPy",
    (".npz", ".npy"),
    read_arrays,
    lambda _name, start: start.startswith((b"\x93NUMPY", b"PK\x03\x04")),
)
