"""Columns and rows that no scaling repairs: named, each with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.columns import listed
from convex_analyzer.spectra.relations import Relation

__all__ = ["Fault", "find_faults"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fault:
    """Something about the data that leaves directions undetermined.

    Attributes
    ----------
    kind
        ``zero``, ``constant``, ``duplicate``, ``dependent``, ``few rows`` or ``one row``.
    columns
        Names of the columns, those to leave out first.
    sentence
        What is wrong and what to do.
    """

    kind: str
    columns: tuple[str, ...]
    sentence: str


def find_faults(
    X: Array,
    labels: Sequence[str],
    intercept: int | None,
    moving: npt.NDArray[np.bool_],
    relations: Sequence[Relation],
) -> tuple[Fault, ...]:
    """Return what is wrong with the columns and rows of X.

    Parameters
    ----------
    X, labels
        The data, shape (n, d), and the names of the columns.
    intercept
        Index of the column of ones.
    moving
        Which columns are more than a constant.
    relations
        Found among the columns.
    """
    found = _of_rows(X, intercept)
    if len(X) == 1:
        return tuple(found)
    zero = [labels[j] for j in range(X.shape[1]) if not X[:, j].any()]
    if zero:
        found.append(Fault("zero", tuple(zero), f"{_are(zero)} zero in every row; {_drop(zero)}."))
    constant = [
        labels[j]
        for j in range(X.shape[1])
        if j != intercept and not moving[j] and X[:, j].any() and intercept is not None
    ]
    if constant:
        sentence = f"{_are(constant)} constant, as is the intercept; {_drop(constant)}."
        found.append(Fault("constant", tuple(constant), sentence))
    twins = _duplicates(X, labels)
    found += twins
    taken = [set(fault.columns) for fault in twins]
    for relation in relations:
        known = any(set(relation.columns) <= names for names in taken)
        if relation.is_exact and not known:
            sentence = f"{relation.equation}, exactly up to rounding; {_drop([relation.column])}."
            found.append(Fault("dependent", relation.columns, sentence))
    return tuple(found)


def _of_rows(X: Array, intercept: int | None) -> list[Fault]:
    rows, columns = X.shape
    if rows == 1:
        sentence = "There is one row, which settles one combination of the coefficients; add rows."
        return [Fault("one row", (), sentence)]
    if rows < columns:
        what = f"{columns} columns{' with the intercept' if intercept is not None else ''}"
        sentence = (
            f"{rows} rows cannot determine {what}: {columns - rows} directions are free; add rows, "
            "leave columns out, or use a ridge penalty."
        )
        return [Fault("few rows", (), sentence)]
    return []


def _duplicates(X: Array, labels: Sequence[str]) -> list[Fault]:
    groups: dict[bytes, list[str]] = {}
    for j, label in enumerate(labels):
        if X[:, j].any():
            groups.setdefault((X[:, j] + 0.0).tobytes(), []).append(label)
    found = []
    for names in groups.values():
        if len(names) > 1 and not np.all(X[:, list(labels).index(names[0])] == X[0, 0]):
            extra = names[1:]
            sentence = f"{_are(extra)} the same as {names[0]} in every row; {_drop(extra)}."
            found.append(Fault("duplicate", (*extra, names[0]), sentence))
    return found


def _are(names: Sequence[str]) -> str:
    return f"Column {names[0]} is" if len(names) == 1 else f"Columns {listed(names)} are"


def _drop(names: Sequence[str]) -> str:
    return "leave it out" if len(names) == 1 else "leave them out"
