"""Tables for papers: LaTeX with booktabs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from convex_analyzer.errors import InputError
from convex_analyzer.files import StrPath, write_bytes
from convex_analyzer.reporting.document import Cell, Column, Document, Table
from convex_analyzer.reporting.latex_text import beyond_latin, latex_cell, latex_words

__all__ = ["to_latex_table", "write_latex_tables"]

_NEEDS = r"""% In the preamble:
%   \usepackage[T1]{fontenc}
%   \usepackage{booktabs,array,amsmath,amssymb}
"""
_OTHERS = r"""% Some letters (such as {}) are unknown to pdflatex: use lualatex or xelatex with
%   \usepackage{{fontspec}} \setmainfont{{...}}   in place of fontenc: a font that has them
"""
_SHOWN = 8  # of those letters
_LETTERS = {"left": "l", "right": "r", "center": "c"}
_RAGGED = {"left": r"\raggedright", "right": r"\raggedleft", "center": r"\centering"}


def to_latex_table(table: Table, *, label: str | None = None) -> str:
    r"""Return a table as LaTeX, to be set with the packages booktabs, array, amsmath and amssymb.

    Parameters
    ----------
    table
        Its caption stands above, its note below; columns with a width keep their share of the line.
    label
        For ``\ref``, such as ``"tab:steps"``.

    Raises
    ------
    InputError
        The label holds what LaTeX cannot take in one.

    Examples
    --------
    >>> table = Table((Column("rule"), Column("steps", "right")), (("GD_1", "435"),))
    >>> print(to_latex_table(table))
    \begin{table}[htbp]
      \centering
      \begin{tabular}{lr}
        \toprule
        rule & steps \\
        \midrule
        GD\_1 & 435 \\
        \bottomrule
      \end{tabular}
    \end{table}
    """
    if not isinstance(table, Table):
        got = f"got an object of type {type(table).__name__}"
        raise InputError(f"to_latex_table: table must be a Table, {got}", argument="table")
    if label is not None and (not label.strip() or set(label) & set("\\{}$&#%~^")):
        raise InputError(
            f"to_latex_table: label must be letters, digits, : or -, got {label!r}",
            argument="label",
            value=label,
        )
    rows = [_row(row) for row in table.rows]
    head = _row([column.header for column in table.columns])
    columns = "".join(map(_column, table.columns))
    sized = any(column.width is not None for column in table.columns)
    inner = [rf"\begin{{tabular}}{{{columns}}}", r"  \toprule", f"  {head}", r"  \midrule"]
    inner += [*(f"  {row}" for row in rows), r"  \bottomrule", r"\end{tabular}"]
    before = [rf"\caption{{{latex_cell(table.caption)}}}"] if table.caption else []
    before += [rf"\label{{{label}}}"] if label else []
    after = (
        [rf"\par\smallskip{{\footnotesize\raggedright {latex_cell(table.note)}\par}}"]
        if table.note
        else []
    )
    small = [r"\footnotesize\setlength{\tabcolsep}{4pt}"] if sized else []
    body = [r"\centering", *before, *small, *inner, *after]
    lines = [r"\begin{table}[htbp]", *(f"  {line}" for line in body), r"\end{table}"]
    return "\n".join(lines)


def write_latex_tables(
    document: Document, path: StrPath, *, inputs: Iterable[StrPath] = ()
) -> tuple[Path, ...]:
    r"""Write the tables of a document, to be read in by ``\input``; returns the paths written.

    Parameters
    ----------
    document
        Whose tables.
    path, inputs
        As for :func:`~convex_analyzer.files.write_bytes`.

    Raises
    ------
    InputError
        There is no table in it.
    """
    tables = [block for block in document.blocks if isinstance(block, Table)]
    if not tables:
        raise InputError("this report has no table to write as LaTeX", argument="path")
    text = "\n\n".join(to_latex_table(table) for table in tables) + "\n"
    head = f"% {latex_words(document.title)}\n{_NEEDS}"
    foreign = beyond_latin([text])
    head += _OTHERS.format(foreign[:_SHOWN]) if foreign else ""
    return (write_bytes(path, f"{head}\n{text}".encode(), inputs=inputs),)


def _row(cells: Sequence[Cell]) -> str:
    text = " & ".join(map(latex_cell, cells))
    return ("{}" if text.startswith("*") else "") + text + r" \\"  # a star would belong to \\


def _column(column: Column) -> str:
    if column.width is None:
        return _LETTERS[column.align]
    start = rf">{{{_RAGGED[column.align]}\arraybackslash}}"
    return rf"{start}p{{\dimexpr {column.width:g}\linewidth-2\tabcolsep}}"
