"""A log as a table with holes: columns of numbers with the rows in which they stand."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.readers.cells import MISSING, number
from convex_analyzer.errors import InputError

__all__ = ["LARGEST", "Column", "Table"]

LARGEST = 20_000_000  # cells: 320 MB while reading

Array = NDArray[np.float64]


class Column:
    """Numbers of a column and their rows; texts apart.

    Attributes
    ----------
    rows, values
        Row number (from 0) and number of every cell that holds one; NaN and inf are numbers.
    texts
        Row -> text of the cells that hold something else.
    """

    def __init__(self) -> None:
        self.rows = array("q")
        self.values = array("d")
        self.texts: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.values)

    def numbers(self) -> tuple[NDArray[np.int64], Array]:
        """Return the rows and the numbers in them."""
        return (
            np.frombuffer(self.rows, dtype=np.int64) if len(self) else np.empty(0, dtype=np.int64),
            np.frombuffer(self.values) if len(self) else np.empty(0),
        )

    def dense(self, rows: int) -> Array:
        """Return one value a row, NaN where there is none."""
        values = np.full(rows, np.nan)
        place, found = self.numbers()
        values[place] = found
        return values


class Table:
    """Rows of a log; a row may fill any of the columns.

    Parameters
    ----------
    name
        For messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.columns: dict[str, Column] = {}
        self.rows = 0
        self.cells = 0
        self.notes: list[str] = []
        self.averaged = ""
        self.has_names = True
        self.known: dict[str, Any] = {}

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a row.

        Raises
        ------
        InputError
            More cells than fit into memory here.
        """
        for name, cell in record.items():
            self._put(name, cell)
        self.rows += 1
        if self.cells > LARGEST:
            self._refuse()

    def _put(self, name: str, cell: Any) -> None:
        if isinstance(cell, dict):
            for inner, value in cell.items():
                self._put(f"{name}/{inner}", value)
            return
        column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = Column()
        value = number(cell)
        if value is not None:
            column.rows.append(self.rows)
            column.values.append(value)
        elif isinstance(cell, str) and cell.strip().lower() not in MISSING:
            column.texts[self.rows] = cell.strip()
        else:
            return
        self.cells += 1

    def append_cells(self, columns: Sequence[Column], cells: Sequence[str]) -> None:
        """Add a row of text cells: what `append` does, ten times as fast."""
        for column, cell in zip(columns, cells, strict=False):
            if not cell:
                continue
            try:
                value = float(cell) if "_" not in cell else None
            except ValueError:
                value = number(cell)
            if value is not None:
                column.rows.append(self.rows)
                column.values.append(value)
            elif cell.lower() not in MISSING:
                column.texts[self.rows] = cell
            self.cells += 1
        self.rows += 1
        if self.cells > LARGEST:
            self._refuse()

    def add_column(self, name: str, cells: Any) -> None:
        """Add a column of one cell a row, as data frames hold them."""
        values = np.asarray(cells)
        self.rows = max(self.rows, len(values))
        if values.dtype.kind in "fiu":
            column = self.columns[name] = Column()
            column.rows.frombytes(np.arange(len(values), dtype=np.int64).tobytes())
            column.values.frombytes(values.astype(np.float64).tobytes())
            self.cells += len(values)
        else:
            end = self.rows
            for row, cell in enumerate(np.asarray(cells, dtype=object)):
                self.rows = row
                self._put(name, cell)
            self.rows = end
        if self.cells > LARGEST:
            self._refuse()

    def _refuse(self) -> None:
        raise InputError(
            f"{self.name} holds more than {LARGEST:,} numbers",
            argument="source",
            hint="keep every tenth row of it, or only the columns of the loss and its steps",
        )

    @property
    def numeric(self) -> list[str]:
        """Columns that hold at least one number."""
        return [name for name, column in self.columns.items() if len(column)]
