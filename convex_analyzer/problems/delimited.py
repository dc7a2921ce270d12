"""Tables of numbers from text: comma, semicolon or tab between the cells, with or without a header.

What is read is never guessed at: a missing value, a column of text, a row of another length is
reported with its line, and the caller decides. Columns become arrays of floats as they are read, so
that memory is bounded by the numbers, not by their text.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError

__all__ = ["Column", "DelimitedTable", "read_delimited"]

MISSING = frozenset(
    {"", "-", ".", "?", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing"}
)
LARGEST = 100_000_000  # cells; 800 MB of floats
_SAMPLE = 50  # rows that decide on delimiter and header
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


@dataclass
class Column:
    """One column: its numbers, and where it holds something else.

    Attributes
    ----------
    name
        From the header, or x1, x2, ...
    values
        Floats; NaN where a cell is missing or is text.
    missing
        Row numbers (from 0) of missing cells.
    text
        Row numbers of cells that are neither numbers nor missing.
    example
        The first such cell.
    """

    name: str
    values: array[float] = field(default_factory=lambda: array("d"))
    missing: list[int] = field(default_factory=list)
    text: list[int] = field(default_factory=list)
    example: str = ""

    @property
    def numbers(self) -> npt.NDArray[np.float64]:
        """The values as an array, shape (rows,)."""
        return np.frombuffer(self.values, dtype=float) if self.values else np.zeros(0)


@dataclass
class DelimitedTable:
    """A table as it stands in the file.

    Attributes
    ----------
    columns
        In the order of the file.
    lines
        The line of the file in which each row ends, from 1.
    has_header
        Whether the names come from the file.
    labels
        The text of the first column, where there is one: perhaps row labels.
    """

    columns: list[Column]
    lines: array[int]
    has_header: bool
    labels: list[str] = field(default_factory=list)


def read_delimited(path: Path) -> DelimitedTable:
    """Read a .csv or .tsv file, plain or compressed with gzip.

    Raises
    ------
    InputError
        Not text, empty, rows of different lengths, an unclosed quote, ambiguous numbers, too large.
    """
    stem = path.name.lower().removesuffix(".gz")
    with _open_text(path) as stream:
        sample = stream.read(1 << 18)
        if not sample.strip():
            raise InputError(f"{path.name} is empty", argument="path")
        delimiter = "\t" if stem.endswith(".tsv") else _delimiter(sample)
        stream.seek(0)
        try:
            return _read(path.name, stream, delimiter)
        except csv.Error as error:
            raise InputError(
                f"{path.name} cannot be read as a table: {error}",
                argument="path",
                hint="is a quotation mark left open?",
            ) from None


def _open_text(path: Path) -> IO[str]:
    """Open as text: UTF-8 (with or without a byte-order mark), UTF-16 with one, else Latin-1."""
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as stream:
        start = stream.read(1 << 16)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in start:
        raise InputError(f"{path.name} is not a text file", argument="path")
    else:
        encoding = _encoding(start)
    return io.TextIOWrapper(opener(path, "rb"), encoding=encoding, errors="replace", newline="")


def _encoding(start: bytes) -> str:
    try:
        start[:-4].decode("utf-8-sig")  # without the end, which may cut a character
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _delimiter(sample: str) -> str:
    """Return the delimiter under which the first rows agree best on a number of cells."""

    def score(delimiter: str) -> tuple[float, int]:
        lines = sample.splitlines(keepends=True)[: _SAMPLE + 1]
        if len(lines) > 1 and not lines[-1].endswith(("\n", "\r")):
            lines.pop()  # the sample may end within a row
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0.0, 0)
        common = max(set(widths), key=widths.count)
        return (widths.count(common) / len(widths) if common > 1 else 0.0, common)

    return max(",;\t|", key=score)  # the first of equals: a comma


def _rows(name: str, stream: IO[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of every row that is not blank, all of one length."""
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    width = 0
    comments: list[tuple[int, list[str]]] = []
    for cells in reader:
        row = [cell.strip() for cell in cells]
        if not any(row):
            continue
        if not width and row[0].startswith("#"):
            comments.append((reader.line_num, row))
            continue
        if not width:
            width = len(row)
            if comments and len(comments[-1][1]) == width:  # "# a,b,c" right above is the header
                line, header = comments[-1]
                yield line, [header[0].lstrip("# ") or "#", *header[1:]]
        if len(row) != width:
            raise InputError(
                f"{name}: line {reader.line_num} has {len(row)} cells, the rows above have {width}",
                argument="path",
                hint="a row is cut off, or a cell that holds the delimiter needs quotation marks",
            )
        yield reader.line_num, row


def _read(name: str, stream: IO[str], delimiter: str) -> DelimitedTable:
    rows = _rows(name, stream, delimiter)
    first = list(itertools.islice(rows, _SAMPLE))
    if not first:
        raise InputError(f"{name} holds no rows", argument="path")
    has_header = _is_header([row for _, row in first])
    names = first[0][1] if has_header else [f"x{j + 1}" for j in range(len(first[0][1]))]
    table = DelimitedTable([Column(column) for column in names], array("q"), has_header)
    commas = _DecimalCommas(name, delimiter != ",")
    for line, row in itertools.chain(first[int(has_header) :], rows):
        _append(table, line, row, commas)
        if len(table.lines) * len(names) > LARGEST:
            raise InputError(f"{name} holds more than {LARGEST:,} numbers", argument="path")
    if not table.lines:
        raise InputError(f"{name} holds a header and no rows", argument="path")
    commas.check()
    return table


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return _DECIMAL_COMMA.fullmatch(cell) is not None
    return "_" not in cell


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row holds names.

    It does if a cell of it is text above numbers, or all its cells are text; also if it counts
    0, 1, 2, ... over the columns of a table that is not square (as data frames without names do).
    """
    head, body = rows[0], rows[1:]
    text = [not _is_number(cell) and cell.lower() not in MISSING for cell in head]
    if any(text[j] and any(_is_number(row[j]) for row in body) for j in range(len(head))):
        return True
    counted = head[1:] if head[0] == "" else head
    counts = len(counted) > 2 and list(counted) == [str(j) for j in range(len(counted))]
    if counts and len(rows) != len(head):
        return True
    return all(text[j] or cell == "" for j, cell in enumerate(head)) and any(text)


class _DecimalCommas:
    """Numbers written 0,5 in files whose delimiter is not a comma; refused where ambiguous."""

    def __init__(self, name: str, allowed: bool) -> None:
        self.name = name
        self.allowed = allowed
        self.certain = False  # some comma cannot be a thousands separator
        self.points = False
        self.example = ""

    def read(self, cell: str) -> float | None:
        """Return the number, or None when the cell is not one."""
        if not self.allowed or _DECIMAL_COMMA.fullmatch(cell) is None:
            return None
        self.example = self.example or cell
        self.certain = self.certain or _THOUSANDS.fullmatch(cell) is None
        return float(cell.replace(",", "."))

    def check(self) -> None:
        """Raise when the commas may separate thousands."""
        if self.example and (self.points or not self.certain):
            raise InputError(
                f"{self.name}: {self.example!r} may mean thousands or decimals",
                argument="path",
                hint="write decimals with a point and thousands without a mark",
            )


def _append(table: DelimitedTable, line: int, row: list[str], commas: _DecimalCommas) -> None:
    number = len(table.lines)
    table.lines.append(line)
    for column, cell in zip(table.columns, row, strict=True):
        try:
            value: float | None = float(cell)
        except ValueError:
            value = commas.read(cell)
        if value is None or value != value or "_" in cell:
            value = float("nan")
            if cell.lower() in MISSING:
                column.missing.append(number)
            else:
                column.text.append(number)
                column.example = column.example or cell
        elif commas.allowed and "." in cell:
            commas.points = True
        column.values.append(value)
    if table.columns[0].text and table.columns[0].text[-1] == number:
        table.labels.append(row[0])
