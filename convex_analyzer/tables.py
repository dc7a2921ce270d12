"""Tables as plain data, printed as text, Markdown or HTML; and how numbers are written."""

from __future__ import annotations

import html
import math
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from convex_analyzer.spelling import spell

__all__ = [
    "Table",
    "format_count",
    "format_factor",
    "format_number",
    "format_share",
    "join_words",
    "wrapped",
]

_EXACT_COUNT = 10_000_000
_GAP = 2  # letters between columns
_LEAST = 16  # letters that a column of words keeps when the table is too wide
_RELATION = re.compile(r" ([=<>≤≥≈←]) ")
_SIDE = {True: "text-align:left", False: "text-align:right"}


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
    ('80 % of', '(1 − 1e−12) times', '120 % of')
    """
    rest = 1 - part / whole
    if 0 <= rest < 1e-4:
        return f"(1 − {format_number(max(rest, 1e-16), 1)}) times"
    if 0 <= rest < 1e-2:
        return f"{format_number(100 * part / whole, 4)} % of"
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

    def __call__(self) -> Table:
        """Return the table itself, so that ``x.table`` and ``x.table()`` are the same."""
        return self

    def to_text(self, width: int | None = None) -> str:
        """Return the table as aligned plain text.

        Parameters
        ----------
        width
            Letters of a line that should be enough: words are then broken into lines, and columns
            that still have no room go into a second block. Without it, lines are as long as needed.

        Examples
        --------
        >>> print(Table(("name", "steps"), (("GD", "691"),)).to_text())
        name  steps
        ----  -----
        GD      691
        """
        lines = [line for part in self.blocks(width) for line in part]
        notes = [line for note in self.notes for line in wrapped(note, width)]
        return "\n".join(([self.title, ""] if self.title else []) + lines + notes)

    def blocks(self, width: int | None = None) -> Iterator[list[str]]:
        """Yield the lines of the grid, in one block or in several that fit into a width."""
        heads, rows = self.columns, self.rows
        if width is not None and _room(heads, rows) > width:
            heads, rows = _narrowed(heads, rows, width)
        broken = [any("\n" in row[j] for row in rows) for j in range(len(heads))]
        first = True
        for part in _parts(_widths(heads, rows), width):
            if not first:
                yield [""]
            first = False
            yield list(_grid([_chosen(heads, part), *(_chosen(row, part) for row in rows)],
                             [j < self.left or broken[j] for j in part]))  # fmt: skip

    def __str__(self) -> str:
        return self.to_text()

    def to_lines(self) -> Iterator[str]:
        """Yield one fact per line, for logs and ``grep``: row, column: value.

        Examples
        --------
        >>> list(Table(("name", "steps", "rate"), (("GD", "691", "0.98"),)).to_lines())
        ['GD, steps: 691', 'GD, rate: 0.98']
        """
        if self.title:
            yield _one_line(self.title)
        pairs = len(self.columns) == self.left == 2
        for row in self.rows:
            for column, cell in zip(self.columns[1:], row[1:], strict=True):
                name = row[0] if pairs else ", ".join(filter(None, (row[0], column)))
                if cell.strip():
                    yield _one_line(f"{name}: {cell}" if name else cell)
        yield from (_one_line(note) for note in self.notes if note.strip())

    def mapped(self, change: Callable[[str], str]) -> Table:
        """Return the table with every text changed."""
        return Table(
            tuple(map(change, self.columns)),
            tuple(tuple(map(change, row)) for row in self.rows),
            change(self.title),
            tuple(map(change, self.notes)),
            self.left,
        )

    def in_ascii(self) -> str:
        """Return the text for a stream that cannot write Greek letters and signs."""
        return spell(self.mapped(spell).to_text())

    def shortened(self, most: int, total: int | None = None, rest: str = "") -> Table:
        """Return at most `most` rows, from both ends, and a note on what is left out.

        Parameters
        ----------
        most
            How many rows there may be.
        total
            How many there are, where the table itself is cut already.
        rest
            Where to find the others: ``"; --json has all"``.
        """
        total = len(self.rows) if total is None else total
        if total <= most:
            return self
        gap = ("…",) + ("",) * (len(self.columns) - 1)
        rows = (*self.rows[: most // 2], gap, *self.rows[-(most - most // 2) :])
        note = f"{format_count(total - most)} between are not shown{rest}."
        return Table(self.columns, rows, self.title, (note,), self.left)

    def to_markdown(self) -> str:
        """Return the table as GitHub-flavoured Markdown."""

        def line(row: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"

        sides = [" --- " if j < self.left else " ---: " for j in range(len(self.columns))]
        lines = [line(self.columns), f"|{'|'.join(sides)}|", *[line(row) for row in self.rows]]
        head = [f"**{self.title}**", ""] if self.title else []
        return "\n".join(head + lines + (["", *self.notes] if self.notes else []))

    def to_html(self) -> str:
        """Return the table as HTML, every cell escaped; its colours are those of the page."""

        def row(cells: Sequence[str], tag: str) -> str:
            inner = "".join(
                f'<{tag} style="{_SIDE[j < self.left]}">{html.escape(cell)}</{tag}>'
                for j, cell in enumerate(cells)
            )
            return f"<tr>{inner}</tr>"

        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        body = "".join(row(cells, "td") for cells in self.rows)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes if note.strip())
        return (
            f"<table>{caption}<thead>{row(self.columns, 'th')}</thead>"
            f"<tbody>{body}</tbody></table>{notes}"
        )

    def _repr_html_(self) -> str:
        return self.to_html()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()


# -- text that fits -------------------------------------------------------------------------------


def wrapped(text: str, width: int | None, indent: str = "", *, hard: bool = False) -> list[str]:
    """Break text at spaces into lines that fit; what comes broken already stays broken there.

    Parameters
    ----------
    text
        Sentences.
    width
        Letters of a line; None for no limit.
    indent
        What the lines after the first begin with.
    hard
        Whether a word that is too long is broken too.

    Examples
    --------
    >>> wrapped("a rate of 0.98", 10), wrapped("a rate of 0.98", None)
    (['a rate of', '0.98'], ['a rate of 0.98'])
    """
    if width is None:
        return text.split("\n")
    held = " ".join(_pieces(text))
    return [
        line.replace("\u00a0", " ")
        for part in held.split("\n")
        for line in textwrap.wrap(
            part, width, subsequent_indent=indent, break_long_words=hard, break_on_hyphens=False
        )
        or [""]
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _chosen(row: Sequence[str], part: Sequence[int]) -> list[str]:
    return [row[j] for j in part]


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the letters that each column takes; a cell may have several lines."""
    return [
        max(len(line) for row in (heads, *rows) for line in row[j].split("\n"))
        for j in range(len(heads))
    ]


def _room(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    widths = _widths(heads, rows)
    return sum(widths) + _GAP * (len(widths) - 1)


def _narrowed(
    heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...], width: int
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return cells broken into lines: first the headings, then words, the longest column first."""
    body = _widths([""] * len(heads), rows) if rows else [0] * len(heads)
    heads = tuple(
        "\n".join(wrapped(head, max(size, *map(len, head.split()), 1)))
        for head, size in zip(heads, body, strict=True)
    )
    widths = _widths(heads, rows)
    goal = list(widths)
    words = [j for j in range(len(heads)) if any(" " in row[j].strip() for row in rows)]
    least = {
        j: max(_LEAST, *(len(piece) for row in rows for piece in _pieces(row[j]))) for j in words
    }
    while sum(goal) + _GAP * (len(goal) - 1) > width:
        longest = max((j for j in words if goal[j] > least[j]), key=goal.__getitem__, default=None)
        if longest is None:  # not all of them in one block
            goal = [min(size, max(width - widths[0] - _GAP, _LEAST)) for size in widths]
            break
        goal[longest] -= 1
    cut = tuple(
        tuple(
            "\n".join(wrapped(cell, goal[j], hard=True)) if goal[j] < widths[j] else cell
            for j, cell in enumerate(row)
        )
        for row in rows
    )
    return heads, cut


def _pieces(text: str) -> list[str]:
    """Return what stays on one line."""
    return _RELATION.sub("\u00a0\\1\u00a0", text).split(" ")


def _parts(widths: Sequence[int], width: int | None) -> Iterator[list[int]]:
    """Yield the columns that stand side by side; the first one is repeated in every block."""
    part: list[int] = []
    taken = 0
    for j, size in enumerate(widths):
        if width is not None and len(part) > 1 and taken + _GAP + size > width:
            yield part
            part, taken = [0], widths[0]
        taken += size + (_GAP if part else 0)
        part.append(j)
    yield part


def _grid(rows: Sequence[Sequence[str]], is_left: Sequence[bool]) -> Iterator[str]:
    """Yield aligned lines, a rule below the first row; headings stand on their last line."""
    cells = [[cell.split("\n") for cell in row] for row in rows]
    widths = [max(len(line) for row in cells for line in row[j]) for j in range(len(is_left))]
    for k, row in enumerate(cells):
        height = max(map(len, row))
        filled = [
            [""] * (height - len(lines)) + lines if k == 0 else lines + [""] * (height - len(lines))
            for lines in row
        ]
        for shown in zip(*filled, strict=True):
            yield (
                (" " * _GAP)
                .join(
                    text.ljust(size) if side else text.rjust(size)
                    for text, size, side in zip(shown, widths, is_left, strict=True)
                )
                .rstrip()
            )
        if k == 0:
            yield (" " * _GAP).join("-" * size for size in widths)
