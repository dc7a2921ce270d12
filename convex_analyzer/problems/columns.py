"""Which columns and rows of a table become data; and what is refused, saying how to go on.

Refused is only what cannot be a regressor: text, and integers that number the rows under a name
that says so. A year is a regressor.
"""

from __future__ import annotations

import difflib
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import ConvexAnalyzerWarning, InputError
from convex_analyzer.problems.delimited import Column, DelimitedTable

__all__ = [
    "complete_rows",
    "kept_columns",
    "listed",
    "position",
    "refuse_constants",
    "refuse_identifiers",
    "refuse_infinite",
    "refuse_text",
]

Array = npt.NDArray[np.float64]

_IDENTIFIERS = frozenset({"", "id", "index", "unnamed: 0", "rownames", "row_names"})
_SHOWN = 8  # names and rows listed in a message


def position(file: str, names: Sequence[str], wanted: str | int, argument: str) -> int:
    """Return the index of a column given by name or index."""
    if isinstance(wanted, str):
        if names.count(wanted) == 1:
            return list(names).index(wanted)
        if wanted in names:
            raise InputError(
                f"{file}: several columns are called {wanted!r}",
                argument=argument,
                hint="give its index, from 0",
            )
    try:
        index = int(wanted) if isinstance(wanted, str) else operator.index(wanted)
    except (TypeError, ValueError):
        near = difflib.get_close_matches(str(wanted), names, n=1, cutoff=0.4)
        folded = [name for name in names if name.lower() == str(wanted).lower()]
        guess = (folded or near or [""])[0]
        hint = f"did you mean {guess!r}? " if guess else ""
        raise InputError(
            f"{file} has no column {wanted!r}",
            argument=argument,
            value=wanted,
            hint=f"{hint}columns: {listed(names)}",
        ) from None
    if not -len(names) <= index < len(names):
        raise InputError(
            f"{file} has {len(names)} columns, so {argument} must be a name, or an index from "
            f"{-len(names)} to {len(names) - 1}; got {index}",
            argument=argument,
            value=wanted,
        )
    return index % len(names)


def listed(names: Sequence[Any]) -> str:
    """Join names or numbers; the first eight when there are many."""
    shown = ", ".join(str(name) for name in names[:_SHOWN])
    return shown + (f", ... ({len(names)} in all)" if len(names) > _SHOWN else "")


def kept_columns(
    file: str, names: Sequence[str], target: int | None, drop: Sequence[str | int]
) -> list[int]:
    """Return the indices of the columns that stay, without the target."""
    dropped = {position(file, names, column, "drop_columns") for column in drop}
    if target in dropped:
        raise InputError(f"{file}: the target cannot be dropped as well", argument="drop_columns")
    kept = [j for j in range(len(names)) if j != target and j not in dropped]
    if not kept:
        what = "no column is left" if target is None else "no column is left besides the target"
        raise InputError(f"{file}: {what}", argument="drop_columns" if dropped else "target")
    return kept


def _flag(names: Sequence[str]) -> str:
    """Say how to leave columns out, in Python and on the command line."""
    shown = list(names)[:_SHOWN]
    flags = " ".join(f"--drop-columns {_quoted(name)}" for name in shown)
    return f"leave out with drop_columns={shown!r} (command line: {flags})"


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def refuse_text(
    file: str, table: DelimitedTable, column: Column, *, is_target: bool = False
) -> None:
    """Refuse a column that holds text."""
    if not column.text:
        return
    line = table.lines[column.text[0]]
    if is_target:
        raise InputError(
            f"{file}: the target {column.name!r} holds text ({column.example!r} in line {line})",
            argument="target",
            hint="choose a column of numbers",
        )
    others = [other.name for other in table.columns if other.text]
    few = len(column.text) <= len(table.lines) // 10
    where = f"{column.example!r} in line {line}"
    what = f"has a cell that is not a number, {where}" if few else f"holds text ({where})"
    correct = "correct the cell, or " if few else ""
    raise InputError(
        f"{file}: column {column.name!r} {what}",
        argument="drop_columns",
        hint=correct + _flag(others if column.name in others else [column.name]),
    )


def complete_rows(
    file: str, table: DelimitedTable, columns: Sequence[Column], missing: str
) -> npt.NDArray[np.bool_]:
    """Return which rows have no hole; refuse the table unless `missing` is ``"drop"``."""
    keep = np.ones(len(table.lines), dtype=bool)
    for column in columns:
        keep[column.missing] = False
    if missing == "error" and not keep.all():
        holes = [column.name for column in columns if column.missing]
        lines = np.array(table.lines)[~keep].tolist()
        raise InputError(
            f"{file}: {len(lines)} of {len(keep)} rows have missing values, in {listed(holes)} "
            f"(lines {listed(lines)})",
            argument="missing",
            hint="leave these rows out with missing='drop' (command line: --missing drop)",
        )
    if not keep.any():
        raise InputError(f"{file}: every row has a missing value", argument="missing")
    if 2 * keep.sum() < len(keep):
        lost = len(keep) - int(keep.sum())
        message = f"{file}: {lost} of {len(keep)} rows have missing values and were left out"
        warnings.warn(message, ConvexAnalyzerWarning, stacklevel=4)
    return keep


def refuse_infinite(file: str, lines: Array, columns: Sequence[Column], values: Array) -> None:
    """Refuse infinite numbers; `values` has shape (rows, columns)."""
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, j = bad[0]
        raise InputError(
            f"{file}: column {columns[j].name!r} has an infinite value in line {lines[row]}",
            argument="path",
        )


def refuse_identifiers(file: str, names: Sequence[str], X: Array) -> None:
    """Refuse columns that number the rows, when their name says so too."""

    def numbers_the_rows(name: str, values: Array) -> bool:
        return (
            name.lower() in _IDENTIFIERS
            and len(values) > 1
            and bool(np.all(values == np.round(values)))
            and len(np.unique(values)) == len(values)
        )

    found = [name for j, name in enumerate(names) if numbers_the_rows(name, X[:, j])]
    if found:
        raise InputError(
            f"{file}: column {found[0]!r} numbers the rows and is no regressor",
            argument="drop_columns",
            hint=f"{_flag(found)}; to keep it, rename it",
        )


def refuse_constants(file: str, names: Sequence[str], X: Array) -> None:
    """Refuse columns of one value beside an intercept: they are the same regressor."""
    found = [name for j, name in enumerate(names) if np.all(X[:, j] == X[0, j])]
    if found and len(X) > 1:
        raise InputError(
            f"{file}: column {found[0]!r} is constant, as is the intercept",
            argument="drop_columns",
            hint=f"{_flag(found)}, or use intercept=False (command line: --no-intercept)",
        )
