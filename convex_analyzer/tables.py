"""Tables as plain data, printed as text, Markdown or HTML; and how numbers are written."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Table", "format_count", "format_factor", "format_number", "format_share", "join_words"]

_EXACT_COUNT = 10_000_000


def format_number(value: Any, digits: int = 6) -> str:
    """Write a number with `digits` significant digits, in the shortest usual form.

    Examples
    --------
    >>> format_number(0.476190476), format_number(1.1258999e19), format_number(20.0)
    ('0.47619', '1.1259e19', '20')
    """
    if value is None:
        return "–"
    number = float(value)
    if math.isnan(number):
        return "undefined"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    text = f"{number:.{digits}g}"
    mantissa, mark, exponent = text.partition("e")
    if mark:
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def format_count(value: Any) -> str:
    """Write a number of steps: exact up to ten million, then two digits.

    Examples
    --------
    >>> format_count(138149), format_count(2.4e19), format_count(None)
    ('138,149', '2.4e19', '–')
    """
    if value is None:
        return "–"
    if value < _EXACT_COUNT:
        return f"{int(value):,}"
    return format_number(value, 2)


def format_factor(value: float, distance: float, digits: int = 6) -> str:
    """Write a factor of size near 1 as its distance to ±1, when its digits would not show it.

    Parameters
    ----------
    value
        The factor.
    distance
        1 - |value|, known more precisely than from `value`.

    Examples
    --------
    >>> format_factor(0.92, 0.08), format_factor(1.0, 8.47e-20), format_factor(-1.0, 1e-9)
    ('0.92', '1 − 8.47e−20', '−(1 − 1e−9)')
    >>> format_factor(1.0, -4.4e-16)
    '1 + 4.4e−16'
    """
    if not 0 < abs(distance) < 1e-4:
        return format_number(value, digits)
    text = f"1 {'−' if distance > 0 else '+'} {format_number(abs(distance), 3)}"
    return text if value > 0 else f"−({text})"


def format_share(part: float, whole: float) -> str:
    """Say how far a positive number lies below a limit.

    Examples
    --------
    >>> format_share(0.4, 0.5), format_share(1 - 1e-12, 1.0), format_share(0.6, 0.5)
    ('80 % of', 'below, by a fraction of 1e−12,', '120 % of')
    """
    rest = 1 - part / whole
    if 0 <= rest < 1e-3:
        return f"below, by a fraction of {format_number(max(rest, 1e-16), 1)},"
    return f"{format_number(100 * part / whole, 3)} % of"


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> join_words(["a", "b", "c"])
    'a, b and c'
    """
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


@dataclass(frozen=True)
class Table:
    """Rows of text under headings.

    Parameters
    ----------
    columns
        Headings.
    rows
        One tuple of cells per row.
    title
        A line above.
    notes
        Lines below.
    left
        How many leading columns are set left; the others are set right.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    left: int = 1

    def to_text(self) -> str:
        """Return the table as aligned plain text.

        Examples
        --------
        >>> print(Table(("name", "steps"), (("GD", "691"),)).to_text())
        name  steps
        ----  -----
        GD      691
        """
        cells = [self.columns, *self.rows]
        widths = [max(len(row[j]) for row in cells) for j in range(len(self.columns))]

        def line(row: Sequence[str]) -> str:
            return "  ".join(
                cell.ljust(width) if j < self.left else cell.rjust(width)
                for j, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()

        lines = [line(self.columns), "  ".join("-" * width for width in widths)]
        lines += [line(row) for row in self.rows]
        return "\n".join(([self.title, ""] if self.title else []) + lines + list(self.notes))

    __str__ = to_text

    def to_markdown(self) -> str:
        """Return the table as GitHub-flavoured Markdown."""

        def line(row: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"

        rule = "|" + "|".join(
            " --- " if j < self.left else " ---: " for j in range(len(self.columns))
        )
        lines = [line(self.columns), rule + "|", *[line(row) for row in self.rows]]
        head = [f"**{self.title}**", ""] if self.title else []
        return "\n".join(head + lines + (["", *self.notes] if self.notes else []))

    def to_html(self) -> str:
        """Return the table as HTML, every cell escaped."""

        def row(cells: Sequence[str], tag: str) -> str:
            inner = "".join(
                f'<{tag} style="text-align:{"left" if j < self.left else "right"}">'
                f"{html.escape(cell)}</{tag}>"
                for j, cell in enumerate(cells)
            )
            return f"<tr>{inner}</tr>"

        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        body = "".join(row(cells, "td") for cells in self.rows)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return (
            f"<table>{caption}<thead>{row(self.columns, 'th')}</thead>"
            f"<tbody>{body}</tbody></table>{notes}"
        )
