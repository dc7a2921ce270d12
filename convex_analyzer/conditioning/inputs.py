"""What `condition` accepts, as a problem; and what is wrong with a table, by rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotConvexError
from convex_analyzer.problems.columns import listed
from convex_analyzer.problems.least_squares import LeastSquares, least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.tables import format_number

__all__ = ["as_problem", "checked_table"]

Array = npt.NDArray[np.float64]


def as_problem(problem: Any, target: Any, intercept: bool) -> tuple[Quadratic, bool]:
    """Return a convex problem, and whether it has a target of its own.

    Raises
    ------
    InputError
        Not a problem, or a table with text, missing or infinite values.
    NotConvexError
        A has negative curvature.
    """
    if isinstance(problem, Quadratic):
        if target is not None:
            raise InputError("a problem has its target already", argument="target")
        return _convex(problem), True
    if target is None and _is_matrix(problem):
        return _convex(Quadratic(problem)), True
    names, X = checked_table(problem)
    y = np.zeros(len(X)) if target is None else target
    found = least_squares(X, y, intercept=intercept)
    found.labels = (*found.labels[: int(intercept)], *names)
    found.name = "data"
    return _not_empty(found), target is not None


def _is_matrix(value: Any) -> bool:
    if hasattr(value, "columns"):  # a DataFrame holds data
        return False
    shape: Any = getattr(value, "shape", None)
    if shape is None and isinstance(value, (list, tuple)):
        try:
            shape = np.shape(value)
        except ValueError:  # ragged: said where the cells are read
            return False
    return shape is not None and len(shape) == 2 and bool(shape[0] == shape[1])


def _convex(problem: Quadratic) -> Quadratic:
    if isinstance(problem, LeastSquares):
        return _not_empty(problem)
    if not problem.operator.can_decompose:
        return problem
    values = problem.decomposition.eigenvalues
    if values[0] < -problem.zero_tolerance:
        raise NotConvexError(
            f"A has negative curvature (λmin = {format_number(values[0], 4)}), so J is unbounded "
            "below and no condition number says how fast it is minimised",
            argument="problem",
            hint="analyze follows the directions one by one",
        )
    if not np.any(np.abs(values) > problem.zero_tolerance):
        raise InputError("A is zero: there is no curvature to speak of", argument="problem")
    return problem


def _not_empty(problem: LeastSquares) -> LeastSquares:
    if not problem.X.any():
        raise InputError(
            "every column of X is zero, so that there is nothing to fit", argument="problem"
        )
    return problem


def checked_table(table: Any) -> tuple[tuple[str, ...], Array]:
    """Return the names of the columns and the numbers, or say which cells are none.

    Parameters
    ----------
    table
        An array of shape (n, d), or a DataFrame.

    Raises
    ------
    InputError
        Columns of text, missing or infinite values: named, with rows counted from 0.

    Examples
    --------
    >>> checked_table([[1.0, 2.0], [3.0, float("nan")]])
    Traceback (most recent call last):
    convex_analyzer.errors.InputError: X has missing values in column x2 (rows 1); leave out these \
rows, or fill them
    """
    if np.ma.is_masked(table):
        raise InputError("X has masked entries", argument="X", hint="fill them first")
    given = getattr(table, "columns", None)
    if hasattr(table, "toarray"):
        table = table.toarray()
    try:
        cells = np.asarray(table)
    except ValueError:
        raise InputError("X is ragged: its rows have different lengths", argument="X") from None
    if cells.ndim != 2 or not cells.size:
        raise InputError(
            f"X must be a non-empty table of shape (rows, columns), got shape {cells.shape}",
            argument="X",
            hint="a single column is X[:, None]" if cells.ndim == 1 else "",
        )
    if cells.dtype.kind == "c":
        raise InputError("X must be real, got complex numbers", argument="X")
    names = tuple(
        f"x{j + 1}" if given is None else str(given[j]) for j in range(cells.shape[1])
    )  # fmt: skip
    values = _numbers(cells, names)
    for what, wrong in (("missing", np.isnan(values)), ("infinite", np.isinf(values))):
        bad = np.asarray(wrong)
        if bad.any():
            columns = [name for j, name in enumerate(names) if bad[:, j].any()]
            rows = np.flatnonzero(bad.any(axis=1)).tolist()
            noun = "column" if len(columns) == 1 else "columns"
            raise InputError(
                f"X has {what} values in {noun} {listed(columns)} (rows {listed(rows)})",
                argument="X",
                hint="leave out these rows, or fill them",
            )
    return names, values


def _numbers(cells: Any, names: tuple[str, ...]) -> Array:
    if cells.dtype.kind in "iufb":
        return np.asarray(cells, dtype=float)
    values = np.empty(cells.shape)
    text = []
    for j, name in enumerate(names):
        try:
            values[:, j] = [np.nan if cell is None else float(cell) for cell in cells[:, j]]
        except (TypeError, ValueError):
            text.append(name)
    if text:
        noun, verb = ("column", "holds") if len(text) == 1 else ("columns", "hold")
        raise InputError(
            f"X: {noun} {listed(text)} {verb} text",
            argument="X",
            hint="leave out such columns, or code them as numbers",
        )
    return values
