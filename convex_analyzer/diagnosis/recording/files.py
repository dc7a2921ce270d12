"""What a recorder knows as named arrays, to a file and back; written whole or not at all."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.errors import InputError

__all__ = ["put_series", "read_arrays", "read_series", "write_arrays"]

Array = NDArray[np.float64]
AnyArray = NDArray[Any]
StrPath = str | os.PathLike[str]


def put_series(into: dict[str, AnyArray], name: str, steps: Array, values: Array) -> None:
    """Add a series: with its steps as ``<name>_steps``, unless they are 0, 1, 2, ...

    A series that begins at step 1 (cosines) gets a NaN in front instead.
    """
    if not len(steps):
        return
    if np.array_equal(steps, np.arange(1, len(steps) + 1)):
        steps = np.arange(len(steps) + 1, dtype=np.float64)
        values = np.concatenate([np.full_like(values[:1], np.nan), values])
    into[name] = values
    if not np.array_equal(steps, np.arange(len(steps))):
        into[f"{name}_steps"] = steps.astype(np.int64)


def read_series(arrays: Mapping[str, AnyArray], name: str) -> tuple[Array, Array] | None:
    """Return steps and values as `put_series` has written them; None if they are not there."""
    if name not in arrays:
        return None
    values = np.asarray(arrays[name], dtype=np.float64)
    if f"{name}_steps" in arrays:
        return np.asarray(arrays[f"{name}_steps"], dtype=np.float64), values
    first = int(name == "grad_cos" and len(values) > 0 and np.isnan(values[0]))
    return np.arange(first, len(values), dtype=np.float64), values[first:]


def write_arrays(path: StrPath, arrays: dict[str, AnyArray]) -> Path:
    """Write an npz file under a temporary name beside its place, then rename it.

    Raises
    ------
    InputError
        The folder is not there or cannot be written, or the path is a folder.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise InputError(f"{path} is a folder", argument="path", hint="name a file in it")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        words = error.strerror or str(error)
        raise InputError(f"{path} cannot be written: {words}", argument="path") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return Path(path)


def read_arrays(path: StrPath) -> dict[str, AnyArray]:
    """Return all arrays of an npz file.

    Raises
    ------
    InputError
        No such file, or not one that a recorder has written.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, AttributeError, TypeError, EOFError, KeyError) as error:
        raise InputError(f"{path} is not a readable npz file: {error}", argument="path") from error
    if "recorder_steps_made" not in arrays:
        raise InputError(
            f"{path} was not written by a Recorder",
            argument="path",
            hint="diagnose() reads other files too",
        )
    return arrays
