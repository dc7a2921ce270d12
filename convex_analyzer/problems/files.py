"""Problems from files: matrices and data sets, as NumPy, Matrix Market or delimited text.

Nothing in a file is ever executed (no pickles), and sizes are read from headers and bounded before
anything is allocated.
"""

from __future__ import annotations

import contextlib
import difflib
import gzip
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convex_analyzer.errors import InputError, NotSymmetricError
from convex_analyzer.problems.array_files import (
    check_size,
    read_mtx,
    read_npy,
    read_npz,
    sparse_from_archive,
)
from convex_analyzer.problems.columns import (
    complete_rows,
    kept_columns,
    listed,
    position,
    refuse_constants,
    refuse_identifiers,
    refuse_infinite,
    refuse_text,
)
from convex_analyzer.problems.delimited import DelimitedTable, read_delimited
from convex_analyzer.problems.least_squares import LeastSquares, least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.tables import join_words

__all__ = ["load"]


_READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".npy": read_npy,
    ".npz": read_npz,
    ".mtx": read_mtx,
}


@dataclass(frozen=True)
class _Options:
    """What `load` was asked for besides the file and the target."""

    intercept: bool | None
    l2: float
    loss: str
    missing: str
    drop_columns: tuple[str | int, ...]

    def fit(self, X: Any, y: Any, *, intercept_by_default: bool) -> LeastSquares:
        wanted = intercept_by_default if self.intercept is None else self.intercept
        return least_squares(X, y, l2=self.l2, intercept=wanted, loss=self.loss)

    def refuse_for_a_matrix(self, name: str) -> None:
        """Refuse what only data understand; to ignore it would give another answer than asked."""
        asked = {
            "intercept": self.intercept is not None,
            "l2": self.l2 != 0,
            "loss": self.loss != "half_mse",
            "missing": self.missing != "error",
        }
        for argument in (argument for argument, given in asked.items() if given):
            raise InputError(
                f"{name}: {argument} is for data, and without a target this is a matrix",
                argument=argument,
                hint="name the column to predict with target=... (command line: --target NAME)",
            )


def load(
    path: str | os.PathLike[str],
    target: str | int | None = None,
    *,
    intercept: bool | None = None,
    l2: float = 0.0,
    loss: str = "half_mse",
    missing: str = "error",
    drop_columns: Sequence[str | int] = (),
) -> Quadratic | LeastSquares:
    r"""Read a problem from a file; it is named after the file.

    ========================  =====================================================================
    ``.npy``                  a symmetric matrix A; with a target, data of which one column is y
    ``.npz``                  arrays A (and b, c), or X and y; also a scipy.sparse archive
    ``.mtx``, ``.mtx.gz``     Matrix Market: a symmetric matrix; with a target, data
    ``.csv``, ``.tsv``        also with ``.gz``: a symmetric matrix; with a target, data
    ========================  =====================================================================

    Parameters
    ----------
    path
        The file.
    target
        The column to predict, by name or index (negative counts from the end); for NumPy and Matrix
        Market files also the name of a file (or of an array of the archive) that holds it.
        Without one, the file holds a matrix.
    intercept
        Whether to put a column of ones first. Default: yes for text files, no for arrays.
    l2, loss
        As in `least_squares`.
    missing
        ``"error"``, or ``"drop"`` to leave out rows with missing values.
    drop_columns
        Columns to leave out, by name or index.

    Raises
    ------
    InputError
        The file cannot be read, or holds something else than numbers: missing values, text,
        identifiers. The message says where, and which argument to add.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "heights.csv"
    ...     _ = file.write_text("age,height\n2,86\n4,102\n6,115\n")
    ...     problem = load(file, target="height")
    >>> print(problem.describe())
    heights: 3 rows x 2 columns incl. intercept, J = ½ · mean of squares
    """
    if missing not in ("error", "drop"):
        raise InputError(
            f"missing must be 'error' or 'drop', got {missing!r}", argument="missing", value=missing
        )
    dropped = (drop_columns,) if isinstance(drop_columns, (str, int)) else tuple(drop_columns)
    options = _Options(intercept, l2, loss, missing, dropped)
    file = Path(path)
    name = file.name.lower()
    plain = name.removesuffix(".gz")
    suffix = Path(plain).suffix
    if file.is_dir():
        raise InputError(f"{file} is a folder, not a file", argument="path")
    if suffix not in _READERS or (name != plain and suffix in (".npy", ".npz")):
        raise InputError(
            f"{file.name}: files of this kind cannot be read",
            argument="path",
            value=str(path),
            hint=f"known: {', '.join(_READERS)} and .csv.gz, .tsv.gz, .mtx.gz",
        )
    with _clear_errors(file):
        content = _READERS[suffix](file)
    match content:
        case DelimitedTable():
            problem = _from_table(file, content, target, options)
        case dict():
            problem = _from_archive(file, content, target, options)
        case _:
            problem = _from_array(file, content, target, options)
    if not isinstance(problem, LeastSquares):
        options.refuse_for_a_matrix(file.name)
    problem.name = file.name[: len(plain) - len(suffix)] or file.name
    return problem


@contextlib.contextmanager
def _clear_errors(file: Path) -> Iterator[None]:
    """Turn what the system and the readers raise into one sentence about the file."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        near = difflib.get_close_matches(file.name, _neighbours(file), n=1)
        hint = f"did you mean {near[0]}?" if near else "check the path"
        raise InputError(f"there is no file {file}", argument="path", hint=hint) from error
    except PermissionError as error:
        raise InputError(f"{file} may not be read: permission denied", argument="path") from error
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{file.name} is truncated or damaged: {_first_line(error)}", argument="path"
        ) from error
    except (OSError, ValueError, RuntimeError, MemoryError, OverflowError) as error:
        raise InputError(
            f"{file.name} cannot be read: {_first_line(error)}", argument="path"
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def _neighbours(file: Path) -> list[str]:
    try:
        return sorted(other.name for other in file.parent.iterdir() if other.is_file())
    except OSError:
        return []


def _from_archive(
    file: Path, arrays: dict[str, Any], target: str | int | None, options: _Options
) -> Quadratic:
    matrix = sparse_from_archive(arrays)
    if matrix is not None:
        return _from_array(file, matrix, target, options)
    if "A" in arrays:
        if target is not None:
            raise InputError(
                f"{file.name} holds a matrix A, which has no target", argument="target"
            )
        return _matrix(file, arrays["A"], arrays.get("b"), arrays.get("c", 0.0))
    wanted = "y" if target is None else target
    if "X" in arrays and isinstance(wanted, str) and wanted in arrays:
        return _fit(file, arrays["X"], arrays[wanted], options)
    if "X" in arrays and target is not None:
        return _from_array(file, arrays["X"], target, options)
    if len(arrays) == 1:
        return _from_array(file, next(iter(arrays.values())), target, options)
    found = join_words(sorted(arrays)) or "nothing"
    raise InputError(
        f"{file.name} holds {found}; expected A (with b and c if any), or X and y", argument="path"
    )


def _from_array(file: Path, content: Any, target: str | int | None, options: _Options) -> Quadratic:
    shape = tuple(content.shape)
    if target is None:
        if len(shape) == 2 and shape[0] != shape[1]:
            raise InputError(
                f"{file.name} is {shape[0]} x {shape[1]}: a matrix must be square, and data needs "
                "a target",
                argument="target",
                hint="give the column to predict, or the file that holds the right-hand side: "
                "target=... (command line: --target)",
            )
        return _matrix(file, content)
    if len(shape) != 2:
        raise InputError(
            f"{file.name} must hold rows and columns, got shape {shape}", argument="path"
        )
    check_size(file.name, shape)
    dense = content.toarray() if hasattr(content, "toarray") else content
    if isinstance(target, str) and target.lower().endswith((".npy", ".mtx", ".mtx.gz")):
        return _fit(file, dense, _vector_file(file, target), options)
    names = [f"x{j + 1}" for j in range(shape[1])]
    chosen = position(file.name, names, target, "target")
    kept = kept_columns(file.name, names, chosen, options.drop_columns)
    problem = _fit(file, dense[:, kept], dense[:, chosen], options)
    _name(problem, [names[j] for j in kept])
    return problem


def _vector_file(file: Path, target: str) -> Any:
    """Read the right-hand side from its own file, given by path or by name beside the data."""
    beside = file.parent / target
    path = beside if beside.is_file() else Path(target)
    with _clear_errors(path):
        content = read_npy(path) if path.suffix.lower() == ".npy" else read_mtx(path)
    return content.toarray() if hasattr(content, "toarray") else content


def _fit(file: Path, X: Any, y: Any, options: _Options) -> LeastSquares:
    try:
        return options.fit(X, y, intercept_by_default=False)
    except InputError as error:
        if error.argument not in ("X", "y"):
            raise
        raise InputError(f"{file.name}: {error}", argument=error.argument) from None


def _matrix(file: Path, A: Any, b: Any = None, c: Any = 0.0, *, hint: str = "") -> Quadratic:
    try:
        return Quadratic(A, b, c)
    except NotSymmetricError as error:
        raise NotSymmetricError(f"{file.name}: {error}", argument="path", hint=hint) from None
    except InputError as error:
        raise InputError(f"{file.name}: {error}", argument=error.argument) from None


def _name(problem: LeastSquares, names: Sequence[str]) -> None:
    problem.labels = ("intercept", *names) if problem.intercept else tuple(names)


def _from_table(
    file: Path, table: DelimitedTable, target: str | int | None, options: _Options
) -> Quadratic:
    names = [column.name for column in table.columns]
    if target is None:
        return _matrix_from_table(file, table, names, options)
    chosen = position(file.name, names, target, "target")
    kept = kept_columns(file.name, names, chosen, options.drop_columns)
    columns = [table.columns[j] for j in kept]
    refuse_text(file.name, table, table.columns[chosen], is_target=True)
    for column in columns:
        refuse_text(file.name, table, column)
    keep = complete_rows(file.name, table, [*columns, table.columns[chosen]], options.missing)
    X = np.column_stack([column.numbers[keep] for column in columns])
    y = table.columns[chosen].numbers[keep]
    lines = np.array(table.lines)[keep]
    refuse_infinite(file.name, lines, [*columns, table.columns[chosen]], np.column_stack([X, y]))
    labels = [column.name for column in columns]
    if table.has_header:
        refuse_identifiers(file.name, labels, X)
    problem = options.fit(X, y, intercept_by_default=True)
    if problem.intercept:
        refuse_constants(file.name, labels, X)
    _name(problem, labels)
    return problem


def _matrix_from_table(
    file: Path, table: DelimitedTable, names: list[str], options: _Options
) -> Quadratic:
    kept = kept_columns(file.name, names, None, options.drop_columns)
    if len(table.labels) == len(table.lines) and table.labels == names[1:]:
        kept = [j for j in kept if j > 0]  # the row labels of a symmetric table
    rows = len(table.lines)
    if len(kept) != rows:
        raise InputError(
            f"{file.name} has {rows} rows and {len(kept)} columns ({listed(names)}): a matrix must "
            "be square, and data needs a target",
            argument="target",
            hint="name the column to predict with target=... (command line: --target NAME)",
        )
    columns = [table.columns[j] for j in kept]
    for column in columns:
        refuse_text(file.name, table, column)
    complete_rows(file.name, table, columns, "error")
    matrix = np.column_stack([column.numbers for column in columns])
    problem = _matrix(
        file,
        matrix,
        hint="if these are data, name the column to predict: target=... (--target NAME)",
    )
    if table.has_header:
        problem.labels = tuple(names[j] for j in kept)
    return problem
