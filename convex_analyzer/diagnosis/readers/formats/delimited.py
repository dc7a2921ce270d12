"""Delimited text: CSV of every logger, tabs, semicolons, columns of numbers without names."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from convex_analyzer.diagnosis.readers.cells import MISSING, number
from convex_analyzer.diagnosis.readers.formats import Format, open_text
from convex_analyzer.diagnosis.readers.formats.text_logs import is_text_log
from convex_analyzer.diagnosis.readers.table import Column, Table
from convex_analyzer.errors import InputError

__all__ = ["FORMAT", "read_delimited"]

_SAMPLE = 50  # rows looked at before the delimiter is chosen
_LONGEST_LINE = 1 << 22  # characters: a longer one is no row of a log
_DECIMAL_COMMA = re.compile(r"^[+-]?\d*,(\d{1,2}|\d{4,})([eE][+-]?\d+)?$")
_COMMA_NUMBER = re.compile(r"^[+-]?[\d.]*,\d+([eE][+-]?\d+)?$")


def read_delimited(path: Path) -> Table:
    """Return the table in a text file.

    Comment lines (``#``) are skipped, unless one is the header. Rows that are too short miss their
    last cells (a log that is still being written). A header that comes again is skipped.

    Raises
    ------
    InputError
        Not text, empty, only a header, or no numbers in it.
    """
    table = Table(path.name)
    with open_text(path) as stream:
        try:
            _read(table, stream)
        except csv.Error as error:
            raise InputError(
                f"{path.name} is not a table: {error}",
                argument="source",
                hint="is a quotation mark left open?",
            ) from error
        except (OSError, EOFError) as error:
            raise InputError(f"{path.name} cannot be read: {error}", argument="source") from error
    return table


def _read(table: Table, stream: IO[str]) -> None:
    lines = _Lines(stream)
    first = list(itertools.islice(lines, _SAMPLE))
    if not first:
        raise InputError(f"{table.name} is empty", argument="source")
    delimiter = _delimiter(first)
    rows = _rows(itertools.chain(first, lines), delimiter)
    sample = list(itertools.islice(rows, _SAMPLE - 1))
    names = _header(sample, lines.comment, delimiter)
    table.has_names = bool(names)
    body = sample[1:] if names and sample[0] == names else sample
    names = _distinct(names) if names else [f"column {j + 1}" for j in range(len(sample[0]))]
    columns = [table.columns.setdefault(name, Column()) for name in names]
    decimal = delimiter != "," and any(_DECIMAL_COMMA.match(c) for row in body for c in row)
    surplus = repeats = 0
    for row in itertools.chain(body, rows):
        if row == names:
            repeats += 1
            continue
        surplus += len(row) > len(names) and any(row[len(names) :])
        cells = [_point(cell) for cell in row] if decimal else row
        table.append_cells(columns, cells)
    if surplus:
        table.notes.append(f"{surplus} rows have more cells than the header: the rest is left out")
    if repeats:
        table.notes.append(f"the header comes again {repeats} times: the file was appended to")
    if not table.rows:
        raise InputError(f"{table.name} holds a header and no rows", argument="source")
    if not table.numeric:
        raise InputError(f"{table.name} holds no numbers", argument="source")


class _Lines:
    """Lines that are neither blank nor comments; the last comment before the rows is kept."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.comment = ""
        self.started = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while line := self.stream.readline(_LONGEST_LINE):
            if line.lstrip().startswith("#"):
                self.comment = self.comment if self.started else line.lstrip("# \t").strip()
            elif line.strip():
                self.started = True
                return line
        raise StopIteration


def _delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter under which the rows agree best on a number of cells."""

    def score(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in _rows(iter(lines[:-1] or lines), delimiter)]
        except csv.Error:
            return (0.0, 0)
        common = max(set(widths), key=widths.count) if widths else 1
        return (widths.count(common) / len(widths) if common > 1 else 0.0, common)

    best = max("\t;,| ", key=lambda delimiter: (score(delimiter)[0] >= 0.8, *score(delimiter)))
    return best if score(best)[0] > 0 else ","


def _rows(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    if delimiter == " ":
        for line in lines:
            yield line.split()
        return
    for row in csv.reader(lines, delimiter=delimiter, strict=True):
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield cells


def _is_number(cell: str) -> bool:
    return number(cell) is not None or _COMMA_NUMBER.match(cell) is not None


def _header(rows: Sequence[list[str]], comment: str, delimiter: str) -> list[str]:
    """Return the names in the first row, or in the comment above it; none if there are none."""
    head = rows[0]
    names = [cell for cell in head if not _is_number(cell) and cell.lower() not in MISSING]
    if names:
        return head
    if not comment:
        return []
    cells = comment.split() if delimiter == " " else comment.split(delimiter)
    cells = [cell.strip() for cell in cells]
    return cells if len(cells) == len(head) and not any(map(_is_number, cells)) else []


def _distinct(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for j, name in enumerate(names):
        unique = name or f"column {j + 1}"
        count = 2
        while unique in found:
            unique, count = f"{name} ({count})", count + 1
        found.append(unique)
    return found


def _point(cell: str) -> str:
    if _COMMA_NUMBER.match(cell):
        return cell.replace(".", "").replace(",", ".")
    return cell


def _is_table(start: bytes) -> bool:
    plain = b"\0" not in start and b"\n" in start and start.lstrip()[:1] not in (b"{", b"[")
    return plain and not is_text_log(start)


FORMAT = Format(
    "delimited text",
    (".csv", ".tsv", ".txt", ".dat", ".log"),
    read_delimited,
    lambda _name, start: _is_table(start),
)
