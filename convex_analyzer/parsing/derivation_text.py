r"""A whole derivation to statements: text, a pasted ``align`` block, a Markdown file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.build import Builder
from convex_analyzer.parsing.conditions import unused_condition, unused_reason
from convex_analyzer.parsing.declaring import headers_of, items_of
from convex_analyzer.parsing.expressions import built, read_clauses
from convex_analyzer.parsing.pratt import Clause
from convex_analyzer.parsing.rows import Row, rows_of
from convex_analyzer.parsing.sides import Sides, claimed, no_side, sides_of
from convex_analyzer.parsing.statements import Statement, Unreadable
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import Node, Source, visible

__all__ = ["DerivationText", "derivation_blocks", "parse_derivation", "read_derivation"]

_LONGEST = 40_000  # characters of a derivation
_MOST_ROWS = 200
_DEFINITION = re.compile(
    r"\s*(?:(?:let|define|put|set|where|with|write)\s+|\\(?:text|mbox|mathrm)\s*\{\s*"
    r"(?:let|define|put|set|where|with|write)\s*\}\s*)(.*)$",
    re.IGNORECASE | re.DOTALL,
)
_ASSIGNED = re.compile(r"(.+?)\s*(?::=|\\coloneqq|\\triangleq)\s*(.+)$", re.DOTALL)
_EQUAL = re.compile(r"([^=<>!:]+?)\s*:?=\s*([^=].*)$", re.DOTALL)
_AFTERWARDS = re.compile(
    r"(?:[.,;]\s+(?:then|so|hence|thus|now|we (?:get|have)))?[.,;:\s]*$", re.IGNORECASE
)
_SIZED = re.compile(r"\\(?:left|[bB]igg?l?)\s*$")
_FENCE = re.compile(r"^(`{3,}|~{3,})[ \t]*derivation\b[^\n]*\n(.*?)^\1[ \t]*$",
                    re.MULTILINE | re.DOTALL)  # fmt: skip
_ATOMS = ("name", "apply", "norm", "abs", "transpose")


@dataclass(frozen=True)
class DerivationText:
    """What was read.

    Attributes
    ----------
    statements
        In order; those that cannot be read are `Unreadable`.
    symbols
        The names at the end: those given, those of the header, and what was defined on the way.
    first_line
        Line of the file at which it begins.
    """

    statements: tuple[Statement, ...]
    symbols: Symbols
    first_line: int = 1

    @property
    def is_readable(self) -> bool:
        """Whether every statement could be read."""
        return all(statement.is_readable for statement in self.statements)


def parse_derivation(
    text: str, symbols: Symbols | None = None, *, headers: bool = True
) -> tuple[Statement, ...]:
    r"""Read a derivation: one statement a line, or a block pasted from a .tex file.

    Parameters
    ----------
    text
        Lines of plain text or LaTeX. ``# ...``, ``-- ...`` and ``(because ...)`` are reasons;
        ``(1)``, ``2.``, ``a)`` number a line where they count on from line to line;
        ``let u = a*l`` defines a name; ``symbols: a, l > 0; k natural`` declares names.
    symbols
        The names that may occur.
    headers
        Whether the text may declare names and assumptions; not so for an answer that is graded,
        since ``given: a = 0`` would make much true.

    Returns
    -------
    tuple of Statement
        A line that cannot be read is an `Unreadable`, so that the others can still be judged.

    Raises
    ------
    InputError
        The text is too long, or a header cannot be read.

    Examples
    --------
    >>> symbols = Symbols.of({"alpha, lambda": "positive", "x": "real"})
    >>> for s in parse_derivation(r'''
    ... \begin{align}
    ...   x - \alpha\lambda x &= (1 - \alpha\lambda) x \\
    ...                       &= x (1 - \lambda\alpha) \quad \text{since scalars commute}
    ... \end{align}''', symbols):
    ...     print(s.number, s.line, s.relation, s.text, '|', s.reason)
    1 3 None x - \alpha\lambda x |
    2 3 = (1 - \alpha\lambda) x |
    3 4 = x (1 - \lambda\alpha) | since scalars commute
    """
    return read_derivation(text, symbols, headers=headers).statements


def read_derivation(
    text: str, symbols: Symbols | None = None, *, headers: bool = True
) -> DerivationText:
    """Read a derivation; see `parse_derivation`. The result also has the names at its end."""
    if not isinstance(text, str):
        raise InputError(f"a derivation must be text, got {type(text).__name__}", argument="text")
    if len(text) > _LONGEST:
        raise InputError(
            f"a derivation has at most {_LONGEST} characters, got {len(text)}", argument="text"
        )
    plain, symbols = text.replace("\r\n", "\n").replace("\r", "\n"), symbols or Symbols()
    if headers:
        plain, symbols = headers_of(plain, symbols)
    return _Derivation(plain, symbols, labels=headers).read()


def derivation_blocks(markdown: str, symbols: Symbols | None = None) -> tuple[DerivationText, ...]:
    r"""Read every block of a Markdown file that is fenced as ``derivation``.

    Line numbers are those of the file.

    Examples
    --------
    >>> file = "# Notes\n```derivation\nsymbols: x real\nx + x\n2*x\n```\n"
    >>> (block,) = derivation_blocks(file)
    >>> [(s.line, str(s.value)) for s in block.statements]
    [(4, 'x + x'), (5, '2*x')]
    """
    if len(markdown) > 50 * _LONGEST:
        raise InputError("the file is too long for a text with derivations", argument="markdown")
    found = []
    for match in _FENCE.finditer(markdown):
        before = "\n" * markdown.count("\n", 0, match.start(2))
        block = read_derivation(match[2], symbols)
        shift = len(before)
        moved = tuple(replace(s, line=s.line + shift) for s in block.statements)
        found.append(DerivationText(moved, block.symbols, shift + 1))
    return tuple(found)


@dataclass
class _Part:
    """A row that was read into clauses, or the error, with the names that were known there."""

    row: Row
    symbols: Symbols
    clauses: list[Clause]
    notes: tuple[str, ...] = ()
    error: ParseError | None = None
    sides: Sides | None = None


class _Derivation:
    """Reads one text."""

    def __init__(self, text: str, symbols: Symbols, *, labels: bool = True) -> None:
        self.labels = labels
        shown, self.rows = rows_of(text, symbols)
        self.source = Source(shown, text)
        self.symbols = symbols
        self.statements: list[Statement] = []
        self.claim: dict[str, Any] = {}  # the sides of the equation on the first line
        self.last: Any = None  # what a continued chain continues
        self.label = ""  # p_{k+1} in p_{k+1} = ...: what is not declared, and only names the chain

    def read(self) -> DerivationText:
        if len(self.rows) > _MOST_ROWS:
            raise InputError(f"a derivation has at most {_MOST_ROWS} lines", argument="text")
        parts = [part for row in self.rows if (part := self.part(row)) is not None]
        following: list[tuple[_Part, Clause | None]] = []
        for part in parts:
            following += [(part, clause) for clause in part.clauses] or [(part, None)]
        for i, (part, clause) in enumerate(following):
            after = following[i + 1] if i + 1 < len(following) else (None, None)
            continued = after[1] is not None and after[1].leading is not None
            fresh = i == 0 or following[i - 1][0] is not part
            if clause is not None:
                opened = self.from_side(part, clause) if fresh else clause
                self.clause(part, opened, continued=continued, fresh=fresh)
            elif part.error is not None:
                self.unreadable(part, part.row.start, part.row.end, part.error)
            if after[0] is not part:
                self.to_side(part)
                self.claim = claimed(self.statements) if part is parts[0] else self.claim
        return DerivationText(tuple(self.statements), self.symbols)

    def part(self, row: Row) -> _Part | None:
        """Return a row as clauses; None: it defined names."""
        text = self.source.text[row.start : row.end]
        part = _Part(row, self.symbols, [], row.notes)
        try:
            self.source.check(row.start, row.end)
            if row.problem is not None:
                raise self.source.error(row.problem[0], row.start, row.problem[1])
            if self.definition(row, text):
                return None
            if text.startswith("+"):
                message = "a line that begins with + continues the line above"
                raise self.source.error(message, row.start, "write both on one line")
            part.sides = sides_of(text, self.symbols)
            start, end = row.start + part.sides.start, row.start + part.sides.end
            notes: tuple[str, ...] = ()
            if start < end:  # else it only names a side
                found = read_clauses(self.source, start, end, self.symbols, latex=row.latex)
                part.clauses, notes = found
            part.notes += (*self.conditions(row), *notes)
        except ParseError as error:
            part.error, part.clauses = error, []
        return part

    def conditions(self, row: Row) -> tuple[str, ...]:
        """Refuse a condition that is not declared, since the claim would be judged without it."""
        condition = unused_condition(row.reason, self.symbols, latex=row.latex)
        if condition:
            raise self.source.error(
                f"the condition {condition} is not used", row.end,
                f"declare it, for instance as a line given: {condition}",
            )  # fmt: skip
        said = unused_reason(row.reason, self.symbols, latex=row.latex)
        return (f"'{said}' is taken as a reason, and not used: declare it",) if said else ()

    # -- definitions --------------------------------------------------------------------------

    def definition(self, row: Row, text: str) -> bool:
        """Take ``let u = a*l``; return whether the row is one."""
        found = _DEFINITION.match(text)
        assigned = _ASSIGNED.match(text)
        declared = assigned is None or assigned[1].strip() in self.symbols
        if found is None and declared and not row.defines:
            return False
        start = row.start + (found.start(1) if found else 0)
        afterwards = _AFTERWARDS.search(text) if found else None
        stop = row.start + afterwards.start() if afterwards else row.end
        for begin, end in items_of(self.source.text, start, stop):
            equal = _EQUAL.match(self.source.text[begin:end])
            if equal is None:
                raise self.source.error("a definition is missing", begin, "for instance u = a*l")
            self.define(equal[1].strip(), begin, begin + equal.start(2), end, latex=row.latex)
        return True

    def define(self, name: str, at: int, start: int, end: int, *, latex: bool) -> None:
        if name in self.symbols:
            raise self.source.error(
                f"{name} is declared already", at, "a definition needs a new name"
            )
        clauses, _ = read_clauses(self.source, start, end, self.symbols, latex=latex)
        if len(clauses) != 1 or clauses[0].leading or clauses[0].arrow:
            raise self.source.error("a definition is one quantity", start)
        value = Builder(self.source, self.symbols).quantity(clauses[0].node)
        try:
            self.symbols = self.symbols.define(name, value)
        except ParseError:
            raise
        except InputError:
            raise self.source.error(
                f"{name!r} is not a name", at, "a letter, or lambda_1"
            ) from None

    # -- statements ---------------------------------------------------------------------------

    def add(self, part: _Part, start: int, end: int, fields: dict[str, Any], kind: Any) -> None:
        sized = _SIZED.search(self.source.text, max(part.row.start, start - 12), start)
        start = sized.start() if sized else start
        line, column = self.source.place(start)
        text = visible(self.source.text[start:end].rstrip())
        if "\n" in text:
            text = " ".join(text.split())
        notes, part.notes = part.notes, ()
        self.statements.append(
            kind(
                number=len(self.statements) + 1, line=line, column=column, text=text,
                reason=visible(part.row.reason), notes=notes, latex=part.row.latex, **fields,
            )
        )  # fmt: skip

    def unreadable(self, part: _Part, start: int, end: int, error: ParseError | None) -> None:
        """Keep what cannot be read."""
        self.add(part, start, end, {"value": None, "error": error}, Unreadable)
        self.last = None

    def clause(self, part: _Part, clause: Clause, *, continued: bool, fresh: bool) -> None:
        """Turn a clause into statements."""
        node = clause.node
        builder = Builder(self.source, part.symbols)
        arrow = clause.arrow or (part.row.arrow if fresh else None)
        signs = node.value if node.kind == "relation" and isinstance(node.value, tuple) else ()
        try:
            if clause.leading is not None:
                self.chain(part, builder, None, (clause.leading, *signs), node)
            elif signs and self.is_label(part, node.args[0], signs):
                self.labelled(part, builder, arrow, signs, node)
            elif signs and self.is_chain(signs, continued=continued):
                self.chain(part, builder, arrow, signs, node)
            else:
                value = built(builder, node)
                self.add(part, node.start, node.end, {"value": value, "relation": arrow}, Statement)
                self.last = value
        except ParseError as error:
            self.unreadable(part, node.start, node.end, error)
        except (TypeError, ValueError, AttributeError, RecursionError, NotImplementedError):
            why = self.source.error("this has no meaning", node.start, "look at the brackets")
            self.unreadable(part, node.start, node.end, why)

    def from_side(self, part: _Part, clause: Clause) -> Clause:
        """Continue the side that a row begins with; without a claim it is only a name."""
        if part.sides is None or not part.sides.first:
            return clause
        value = self.claim.get(part.sides.first)
        if value is None:
            part.notes += (f"{part.sides.first.upper()} is taken as the name of what follows",)
            return replace(clause, leading=None)
        self.last = value
        return replace(clause, leading=clause.leading or "=")

    def to_side(self, part: _Part) -> None:
        """Hold what a row ends with against the side that it names."""
        if part.sides is None or not part.sides.last or self.last is None:
            return
        start, value = part.row.start + part.sides.end, self.claim.get(part.sides.last)
        if value is None:
            error = self.source.error(*no_side(part.sides.last, start))
            self.unreadable(part, start, part.row.end, error)
            return
        fields = {"value": value, "relation": "=", "left": self.last}
        self.add(part, part.row.start + part.sides.name, part.row.end, fields, Statement)
        self.last = value

    def is_chain(self, signs: tuple[str, ...], *, continued: bool) -> bool:
        """Return whether a = b = c: 0 < x < 2 on a line is one claim."""
        return continued or (len(signs) > 1 and "=" in signs)

    def is_label(self, part: _Part, first: Node, signs: tuple[str, ...]) -> bool:
        """Return whether p_{k+1}, of which nothing is known, names what the derivation is of."""
        if not self.labels or first.kind != "name" or signs[0] != "=":
            return False
        name = str(first.value)
        if name in part.symbols or (self.statements and name != self.label):
            return False
        self.label = name
        return True

    def labelled(
        self, part: _Part, builder: Builder, arrow: str | None, signs: tuple[str, ...], node: Node
    ) -> None:
        """Add the statements of p_{k+1} = a = b, from a on; the name goes to the notes."""
        first, *sides = node.args[1:]
        if self.statements:
            self.last = self.link(part, builder, self.last, "=", first)
        else:
            part.notes += (f"{self.label} is taken as the name of what follows",)
            self.last = builder.quantity(first)
            fields = {"value": self.last, "relation": arrow}
            self.add(part, first.start, first.end, fields, Statement)
        for sign, side in zip(signs[1:], sides, strict=True):
            self.link(part, builder, self.last, sign, side)

    def chain(
        self, part: _Part, builder: Builder, arrow: str | None, signs: tuple[str, ...], node: Node
    ) -> None:
        """Add the statements of a chain, which may continue the line above."""
        sides = list(node.args) if node.kind == "relation" else [node]
        if len(signs) == len(sides):  # continues the line above
            left = self.last
            if left is None and not self.statements:
                message = f"{signs[0]} continues a line, and no line stands above"
                raise self.source.error(message, node.start)
        else:
            first = sides.pop(0)
            left = builder.quantity(first)
            if first.kind in _ATOMS:
                right, sign = builder.quantity(sides[0]), signs[0]
                value = builder.related(left, sign, right, sides[0])
                fields = {"value": value, "relation": arrow}
                self.add(part, first.start, sides[0].end, fields, Statement)
                left, signs, sides = right, signs[1:], sides[1:]
            else:
                fields = {"value": left, "relation": arrow}
                self.add(part, first.start, first.end, fields, Statement)
            self.last = left
        for sign, side in zip(signs, sides, strict=True):
            left = self.link(part, builder, left, sign, side)

    def link(self, part: _Part, builder: Builder, left: Any, sign: str, side: Node) -> Any:
        """Add one link of a chain; return its value."""
        value = builder.quantity(side)
        if left is not None and builder.is_claim(left):
            left = left.rhs if hasattr(left, "rhs") else None
        if left is not None:
            _, value = builder.alike([left, value], side)
        fields = {"value": value, "relation": sign, "left": left}
        self.add(part, side.start, side.end, fields, Statement)
        self.last = value
        return value
