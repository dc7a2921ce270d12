"""File formats of logs, one module each: a module that defines ``FORMAT`` is found by itself."""

from __future__ import annotations

import functools
import gzip
import importlib
import io
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convex_analyzer.diagnosis.readers.table import Table
from convex_analyzer.errors import InputError

__all__ = ["LARGEST_FILE", "Format", "all_formats", "format_of", "open_text"]

LARGEST_FILE = 1 << 28  # bytes of text
_ANYTHING = (".txt", ".log")  # suffixes that say little: the content decides


@dataclass(frozen=True)
class Format:
    """How logs of one kind are recognised and read.

    Parameters
    ----------
    name
        In words, for messages.
    suffixes
        Ends of file names, in lower case.
    read
        From a path to a table, or to arrays by name.
    sniff
        Recognises a file by its name and its first bytes when no suffix fits.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], Table | Mapping[str, Any]]
    sniff: Callable[[str, bytes], bool] = lambda _name, _start: False


@functools.cache
def all_formats() -> tuple[Format, ...]:
    """Return the formats that can be read, one for every module of this package.

    Examples
    --------
    >>> sorted(form.name for form in all_formats())
    ['JSON', 'JSON lines', 'NumPy', 'TensorBoard events', 'delimited text', 'printed log']
    """
    return tuple(
        importlib.import_module(f"{__name__}.{module.name}").FORMAT
        for module in pkgutil.iter_modules(__path__)
    )


def format_of(path: Path) -> Format:
    """Return the format of a file, by its suffix or else by its first bytes.

    Raises
    ------
    InputError
        Nothing that a log is written in.
    """
    name = path.name.lower().removesuffix(".gz")
    with path.open("rb") as stream:
        start = stream.read(4096)
    if not start:
        raise InputError(f"{path.name} is empty", argument="source")
    by_content = [form for form in all_formats() if form.sniff(name, start)]
    by_suffix = [form for form in all_formats() if name.endswith(form.suffixes)]
    if name.endswith(_ANYTHING):
        by_suffix = by_content or by_suffix
    if by_suffix or by_content:
        return (by_suffix or by_content)[0]
    known = ", ".join(suffix for form in all_formats() for suffix in form.suffixes)
    raise InputError(
        f"{path.name} is no kind of log that is known here ({known}, TensorBoard event files)",
        argument="source",
        hint="save it as one of these, or pass the arrays: loss=...",
    )


def open_text(path: Path) -> io.TextIOWrapper:
    """Open a text file, plain or compressed with gzip, of UTF-8, UTF-16 or Latin-1.

    Raises
    ------
    InputError
        Larger than `LARGEST_FILE`, or not text.
    """
    packed = path.suffix.lower() == ".gz"
    opener = gzip.open if packed else open
    size = path.stat().st_size * (8 if packed else 1)
    if size > LARGEST_FILE:
        raise InputError(
            f"{path.name} is larger than {LARGEST_FILE >> 20} MB",
            argument="source",
            hint="keep every tenth row of it, or only the columns of the loss and its steps",
        )
    try:
        with opener(path, "rb") as stream:
            start = stream.read(1 << 16)
    except (OSError, EOFError) as error:
        raise InputError(f"{path.name} cannot be read: {error}", argument="source") from error
    encoding = "utf-8-sig"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in start:
        raise InputError(f"{path.name} is not a text file", argument="source")
    else:
        try:
            start[:-4].decode("utf-8-sig")  # without the end, which may cut a character
        except UnicodeDecodeError:
            encoding = "latin-1"
    return io.TextIOWrapper(opener(path, "rb"), encoding=encoding, errors="replace", newline="")
