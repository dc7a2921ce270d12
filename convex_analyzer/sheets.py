"""A result on one screen: what it is, the answer, key numbers in two columns, tables, notes.

All results print in this form, so that who has read one can read the next.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from convex_analyzer.notation import KINDS
from convex_analyzer.tables import Table, wrapped

__all__ = ["WIDTH", "Sheet", "sheet_of"]

WIDTH = 80  # letters of a line
_ROWS = 30  # of a table; of longer ones both ends are shown
_FEW = 4  # facts from which on two columns are worth it
_BETWEEN, _LABEL = 4, 2  # letters between the two columns of facts, and between name and value
_EMPTY = frozenset({"", "quantity", "value", "law", "simulated"})  # headings that say nothing

Pair = tuple[str, str]


@dataclass(frozen=True, repr=False)
class Sheet(Table):
    """A table with a head; the table itself may be one of name and value, which joins the head.

    Parameters
    ----------
    what
        The kind of result: ``"analysis"``.
    subject
        Of what.
    verdict
        The answer in a sentence.
    facts
        Key numbers: name and value.
    more
        Further tables.
    """

    what: str = ""
    subject: str = ""
    verdict: str = ""
    facts: tuple[Pair, ...] = ()
    more: tuple[Table, ...] = ()

    @property
    def pairs(self) -> bool:
        """Whether the table has names and values only."""
        return len(self.columns) == self.left == 2

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables below the head, without notes."""
        if self.pairs or not self.rows:
            return self.more
        return (Table(self.columns, self.rows, self.title, (), self.left), *self.more)

    @property
    def numbers(self) -> tuple[Pair, ...]:
        """All names and values of the head."""
        return (*self.facts, *(_pair(row) for row in self.rows if self.pairs))

    @property
    def kinds(self) -> str:
        """What the kinds of numbers mean that this sheet names; empty if it names none."""
        named = [value for name, value in self.facts if name == "kind"]
        for table in (self, *self.more):
            if "kind" in table.columns:
                place = table.columns.index("kind")
                named += [row[place] for row in table.rows]
            named += [cell for row in table.rows if row[0] == "kind" for cell in row[1:]]
        return "; ".join(f"{kind}: {means}" for kind, means in KINDS.items() if kind in named)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What stands at the foot: the notes, then the kinds of numbers."""
        own = [note for note in self.notes if note.strip() and note != self.verdict]
        legend = f"{self.kinds[:1].upper()}{self.kinds[1:]}." if self.kinds else ""
        return (*own, legend) if legend else tuple(own)

    # -- text --------------------------------------------------------------------------------------

    def to_text(self, width: int | None = WIDTH) -> str:
        """Return the sheet as text.

        Examples
        --------
        >>> facts = (("outcome", "stable"), ("rate ρ", "0.9"), ("steps", "132"), ("kind", "exact"))
        >>> print(Sheet((), (), what="analysis", subject="toy", facts=facts).to_text(50))
        ━━ Analysis: toy ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
        outcome  stable    steps  132
        rate ρ   0.9       kind   exact
        ──────────────────────────────────────────────────
        Exact: algebra; only the last digit is rounded.
        ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
        """
        width = WIDTH if width is None else width
        head = f"{self.what[:1].upper()}{self.what[1:]}"
        named = f"{head}: {self.subject}" if head and self.subject else head or self.subject
        lines = []
        if len(named) > width - 6:  # has no room in the line
            named, lines = head, wrapped(self.subject, width)
        lines = [_rule(named, "━", width), *lines]
        if self.verdict:
            lines += wrapped(self.verdict, width)
        parts = [("", self._facts(width))]
        for table in self.tables:
            shown = table.shortened(_ROWS)
            notes = [line for note in shown.notes for line in wrapped(note, width)]
            grid = [line for part in shown.blocks(width) for line in part]
            parts.append((table.title, grid + notes))
        parts.append(("", [line for note in self.remarks for line in wrapped(note, width)]))
        for title, body in parts:
            if body and (title or len(lines) > 1):
                lines.append(_rule(title, "─", width))
            lines += body
        return "\n".join([*lines, _rule("", "━", width)])

    def _facts(self, width: int) -> list[str]:
        """Return names and values in two columns; long ones below, on lines of their own."""
        pairs = list(self.numbers)
        split = len(self.facts) if self.facts and self.pairs else None
        wide: list[Pair] = []
        while len(pairs) - len(wide) >= _FEW:
            own = [pair for pair in pairs[:split] if pair not in wide]
            key = [pair for pair in pairs[split:] if pair not in wide] if split else []
            if not key:  # all of one kind: halves
                half = (len(own) + 1) // 2
                own, key = own[:half], own[half:]
            room = _breadth(own) + _BETWEEN
            if room + _breadth(key) <= width:
                left, right = (
                    _named(side) + [""] * (max(len(own), len(key)) - len(side))
                    for side in (own, key)
                )
                both = zip(left, right, strict=True)
                below = [pair for pair in pairs if pair in wide]
                return [f"{a:<{room}}{b}".rstrip() for a, b in both] + _named(below, width)
            wide.append(max(own + key, key=lambda pair: len(pair[0]) + len(pair[1])))
        return _named(pairs, width)

    def to_lines(self) -> Iterator[str]:
        """Yield one fact per line, for logs and ``grep``."""
        head = ": ".join(filter(None, (self.what, self.subject)))
        verdict = f"verdict: {self.verdict}" if self.verdict else ""
        pairs = (f"{name}: {value}" for name, value in self.numbers if value.strip())
        for line in (head, verdict, *pairs):
            if line:
                yield " ".join(line.split())
        for table in self.tables:
            yield from dataclasses.replace(table, title="").to_lines()
        yield from (f"note: {' '.join(note.split())}" for note in self.remarks)

    def mapped(self, change: Callable[[str], str]) -> Sheet:
        """Return the sheet with every text changed."""
        plain = super().mapped(change)
        return Sheet(
            plain.columns, plain.rows, plain.title, plain.notes, plain.left,
            change(self.what), change(self.subject), change(self.verdict),
            tuple((change(name), change(value)) for name, value in self.facts),
            tuple(table.mapped(change) for table in self.more),
        )  # fmt: skip

    # -- notebooks ---------------------------------------------------------------------------------

    def to_html(self) -> str:
        """Return the sheet as HTML: escaped, in the colours of the page, without scripts."""
        head = html.escape(": ".join(filter(None, (self.what, self.subject))))
        verdict = f"<p>{html.escape(self.verdict)}</p>" if self.verdict else ""
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(value)}</td></tr>'
            for name, value in self.numbers
        )
        facts = f"<table><tbody>{body}</tbody></table>" if body else ""
        tables = "".join(table.to_html() for table in self.tables)
        notes = "".join(f"<p><small>{html.escape(note)}</small></p>" for note in self.remarks)
        return f"<div><p><strong>{head}</strong></p>{verdict}{facts}{tables}{notes}</div>"

    def to_markdown(self) -> str:
        """Return the sheet as GitHub-flavoured Markdown."""
        head = ": ".join(filter(None, (self.what, self.subject)))
        parts = [f"**{head}**"] if head else []
        parts += [self.verdict] if self.verdict else []
        if self.numbers:
            parts.append(Table(("", ""), self.numbers, left=2).to_markdown())
        parts += [table.to_markdown() for table in self.tables]
        return "\n\n".join([*parts, *self.remarks])


def sheet_of(table: Table, owner: Any) -> Sheet:
    """Return a table of a result as a sheet, named after the class of the result.

    Examples
    --------
    >>> sheet_of(Table(("quantity", "value"), (("a", "1"),), left=2), KeyError()).what
    'key error'
    """
    if isinstance(table, Sheet):
        return table
    what = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(owner).__name__).lower()
    pairs = len(table.columns) == table.left == 2 or table.columns == ("quantity", "value")
    names = [name for name in table.columns if pairs and name not in _EMPTY]
    if names and names[0].lower().startswith(what):
        del names[0]
    subject = re.sub(rf"^{what} (of|for) ", "", table.title).rstrip(",:") or ": ".join(names)
    if subject in what:  # said already
        subject = ""
    words, notes = getattr(owner, "words", ""), table.notes
    verdict = words if isinstance(words, str) and words in notes else ""
    notes = tuple(note for note in notes if note != verdict)
    left = 2 if pairs else table.left
    return Sheet(table.columns, table.rows, "", notes, left, what, subject, verdict)


def _pair(row: Sequence[str]) -> Pair:
    return row[0], row[1]


def _rule(text: str, line: str, width: int) -> str:
    return (f"{line * 2} {text} " if text else "").ljust(width, line)


def _breadth(pairs: Sequence[Pair]) -> int:
    if not pairs:
        return 0
    return max(len(name) for name, _ in pairs) + _LABEL + max(len(value) for _, value in pairs)


def _named(pairs: Sequence[Pair], width: int | None = None) -> list[str]:
    """Return one line for each pair, or more where a value needs them."""
    if not pairs:
        return []
    room = max(len(name) for name, _ in pairs) + _LABEL
    lines = []
    for name, value in pairs:
        rest = None if width is None else max(width - room, 20)
        first, *others = wrapped(value, rest)
        lines.append(f"{name:<{room}}{first}")
        lines += [" " * room + other for other in others]
    return lines
