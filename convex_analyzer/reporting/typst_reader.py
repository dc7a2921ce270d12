"""Typst math as MathML: what the page prints is what the browser shows.

Reads the part of Typst's math that this package writes: names, numbers, quoted text, scripts,
fractions, matrices, cases, and lines broken by a backslash. A name that is not known is an error,
as it is for Typst, never a guess.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.math_style import GREEK
from convex_analyzer.reporting.typst_printer import FUNCTIONS

__all__ = ["read_typst"]

# what an item is to its neighbours: it decides about signs and about thin spaces
Role: TypeAlias = Literal["ord", "fn", "group", "sign", "word"]

_TOKENS = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")|(?P<literal>\\\S)|(?P<break>\\)|(?P<number>\d+(?:\.\d+)?)'
    r"|(?P<name>[A-Za-z]{2,}(?:\.[a-z]+)*)|(?P<sign><==>|==>|\|->|->|!=|<=|>=|\.\.\.)|(?P<one>\S)"
)
_SHORT = {"<==>": "⟺", "==>": "⟹", "|->": "↦", "->": "→", "!=": "≠", "<=": "≤", ">=": "≥"}
_SHORT |= {"-": "−", "*": "∗", "'": "′", "...": "…"}
_LETTERS = {"infinity": "∞", "partial": "∂", "nabla": "∇", "top": "⊤", "star.op": "⋆"}
_LETTERS |= {"emptyset": "∅", "RR": "ℝ", "ZZ": "ℤ", "NN": "ℕ", "QQ": "ℚ", "CC": "ℂ"}
_LETTERS |= {"dots": "…", "dots.h": "…", "dots.c": "⋯", "dots.v": "⋮", "prime": "′", "ell": "ℓ"}
_SIGNS = {"comma": ",", "dot": "⋅", "dot.op": "⋅", "slash": "/", "times": "×", "in": "∈"}
_SIGNS |= {"and": "∧", "or": "∨", "not": "¬", "union": "∪", "inter": "∩", "without": "∖"}
_SIGNS |= {"approx": "≈", "prop": "∝", "plus.minus": "±", "arrow.r": "→", "lt.eq": "≤"}
_SIGNS |= {"gt.eq": "≥", "forall": "∀", "exists": "∃", "colon": ":", "minus": "−", "plus": "+"}
_SPACES = {"quad": "1em", "wide": "2em", "thin": "0.167em", "med": "0.222em", "thick": "0.278em"}
_BIG = {"sum": "∑", "product": "∏", "integral": "∫"}
_UPRIGHT = FUNCTIONS | {"log", "mod", "lim", "sup", "inf"}
_LIMITS = frozenset({"lim", "max", "min", "sup", "inf", "sum", "product"})
_CLOSING = {"(": ")", "[": "]", "{": "}", "|": "|"}
_NORMAL = ' mathvariant="normal"'
_WIDE = '<mspace width="0.25em"></mspace>'
_THIN = '<mspace width="0.167em"></mspace>'
_WORD = re.compile(r"\w+")


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class _Item:
    """MathML, its role, and what scripts and fraction bars take of it."""

    xml: str
    role: Role = "ord"
    bare: str = ""  # without its parentheses
    limits: bool = False  # scripts stand above and below
    glued: bool = False  # nothing stands between it and what follows


def read_typst(source: str) -> str:
    """Return the MathML inside of ``<math>`` for Typst math.

    Parameters
    ----------
    source
        Typst math, without dollar signs.

    Raises
    ------
    InputError
        A name is unknown, or a bracket stays open.

    Examples
    --------
    >>> read_typst("1 - alpha")
    '<mrow><mn>1</mn><mo>−</mo><mi>α</mi></mrow>'
    >>> read_typst("theta_(k)^(2)")
    '<msubsup><mi>θ</mi><mi>k</mi><mn>2</mn></msubsup>'
    """
    reader = _Reader(source)
    found = reader.rows(())
    if reader.place < len(reader.tokens):
        raise reader.error(f"{reader.tokens[reader.place].text!r} closes nothing")
    return found


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _row(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _fenced(open_: str, inside: str, close: str) -> str:
    return f"<mrow><mo>{open_}</mo>{inside}<mo>{close}</mo></mrow>"


def _letter(letter: str) -> str:
    upright = "Α" <= letter <= "Ω" or letter in _LETTERS.values()
    return f"<mi{_NORMAL if upright else ''}>{letter}</mi>"


def _word(text: str) -> str:
    """Set quoted text: one word is a name and stands upright, more are words."""
    if not _WORD.fullmatch(text):
        inner = _escape(text).replace(" ", "\u00a0")
        return f"<mtext>{inner}</mtext>"
    return f"<mi{_NORMAL if len(text) == 1 else ''}>{_escape(text)}</mi>"


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text[1:-1])


def _table(rows: list[list[str]], aligns: tuple[str, ...] = (), marks: str = "") -> str:
    lines = []
    for row in rows:
        cells = []
        for index, cell in enumerate(row):
            side = aligns[min(index, len(aligns) - 1)] if aligns else ""
            style = f' style="text-align:{side}"' if side else ""
            cells.append(f"<mtd{style}>{cell}</mtd>")
        lines.append(f"<mtr>{''.join(cells)}</mtr>")
    return f"<mtable{marks}>{''.join(lines)}</mtable>"


class _Reader:
    """A reader that goes once from left to right."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = [
            _Token(m.lastgroup or "", m[0], m.start(), m.end()) for m in _TOKENS.finditer(source)
        ]
        self.place = 0

    def error(self, reason: str) -> InputError:
        return InputError(f"the formula {self.source!r} cannot be shown: {reason}")

    def peek(self) -> str:
        return self.tokens[self.place].text if self.place < len(self.tokens) else ""

    def take(self) -> _Token:
        if self.place >= len(self.tokens):
            raise self.error("it ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def expect(self, text: str) -> None:
        if self.peek() != text:
            raise self.error(f"{text!r} is missing")
        self.place += 1

    def called(self) -> bool:
        """Tell whether a parenthesis follows the token before at once."""
        before = self.tokens[self.place - 1]
        return self.peek() == "(" and self.tokens[self.place].start == before.end

    # -- rows --------------------------------------------------------------------------------------

    def rows(self, stops: tuple[str, ...]) -> str:
        """Read lines broken by a backslash, with cells between ``&``."""
        table = [[self.row(stops)]]
        while self.peek() in ("\\", "&"):
            if self.take().text == "&":
                table[-1].append(self.row(stops))
            else:
                table.append([self.row(stops)])
        if table == [table[0][:1]]:
            return table[0][0]
        aligned = any(len(row) > 1 for row in table)
        return _table(table, ("right", "left") if aligned else (), ' displaystyle="true"')

    def row(self, stops: tuple[str, ...]) -> str:
        items: list[_Item] = []
        while (ahead := self.peek()) and ahead not in (*stops, "\\", "&"):
            if ahead == "/" and items:
                self.take()
                above, below = items.pop(), self.scripted(prefix=True)
                fraction = f"<mfrac>{above.bare or above.xml}{below.bare or below.xml}</mfrac>"
                items.append(_Item(fraction))
            elif ahead in (")", "]", "}"):
                break
            else:
                prefix = not items or items[-1].role == "sign"
                items.append(self.scripted(prefix=prefix))
        return _row(_spaced(items))

    # -- items -------------------------------------------------------------------------------------

    def scripted(self, *, prefix: bool = False) -> _Item:
        """Read an item with its scripts; a sign without a left side is a prefix."""
        base = self.item(prefix=prefix)
        below = above = ""
        while self.peek() in ("_", "^", "'"):
            mark = self.take().text
            if mark == "_" and not below:
                below = self.script()
            elif mark == "'" and not above:
                above = "<mo>′</mo>"
            elif mark == "^" and not above:
                above = self.script()
            else:
                raise self.error(f"two scripts {mark!r} on one base")
        if not (below or above):
            return base
        return _Item(_with_scripts(base, below, above), base.role)

    def script(self) -> str:
        found = self.item(prefix=True)
        return found.bare or found.xml

    def item(self, *, prefix: bool) -> _Item:
        token = self.take()
        text = token.text
        match token.kind:
            case "text":
                return _Item(_word(_unquote(text)), "word" if len(text) > 3 else "ord")
            case "number":
                return _Item(f"<mn>{text}</mn>")
            case "literal":
                return _Item(f"<mo>{_escape(text[1])}</mo>", "sign")
            case "name":
                return self.name(text)
            case "sign":
                return _sign(_SHORT[text], prefix=prefix)
        if text in ("(", "[", "{"):
            inside = self.rows(())
            self.expect(_CLOSING[text])
            return _Item(_fenced(text, inside, _CLOSING[text]), "group", inside)
        if text == "!":  # a factorial belongs to what stands before it
            return _Item('<mo lspace="0" rspace="0">!</mo>')
        if text.isalpha():
            return _Item(_letter(text))
        return _sign(_SHORT.get(text, text), prefix=prefix)

    def name(self, name: str) -> _Item:
        letter = GREEK.get(name) or _LETTERS.get(name)
        if letter:
            return _Item(_letter(letter))
        if name in _SIGNS:
            return _sign(_SIGNS[name], prefix=name == "not")
        if name in _SPACES:
            return _Item(f'<mspace width="{_SPACES[name]}"></mspace>', "sign")
        if name in _BIG:
            return _Item(f"<mo>{_BIG[name]}</mo>", "sign", limits=name in _LIMITS)
        if name == "dif":
            return _Item(f"<mi{_NORMAL}>d</mi>", "fn", glued=True)
        if name in _UPRIGHT:
            return _function(name)
        if not self.called():
            raise self.error(f"{name!r} is no name of Typst math that is known here")
        self.take()
        found = _SPECIAL[name](self) if name in _SPECIAL else self.call(name)
        self.expect(")")
        return found

    def arguments(self) -> list[str]:
        found = [self.rows((",", ";"))]
        while self.peek() == ",":
            self.take()
            found.append(self.rows((",", ";")))
        return found

    def call(self, name: str) -> _Item:
        if name not in _CALLS:
            raise self.error(f"{name!r} is no function of Typst math that is known here")
        wanted, make = _CALLS[name]
        parts = self.arguments()
        if len(parts) != wanted:
            raise self.error(f"{name} takes {wanted}, got {len(parts)}")
        return _Item(make(*parts))

    def matrix(self) -> _Item:
        delimiter = "("
        if self.peek() == "delim":
            self.take()
            self.expect(":")
            delimiter = _unquote(self.take().text)
            self.expect(",")
        rows = [self.arguments()]
        while self.peek() == ";":
            self.take()
            rows.append(self.arguments())
        return _Item(_fenced(delimiter, _table(rows), _CLOSING[delimiter]))

    def cases(self) -> _Item:
        rows = []
        while True:
            cells = [self.row((",",))]
            while self.peek() == "&":
                self.take()
                cells.append(self.row((",",)))
            rows.append(cells)
            if self.peek() != ",":
                break
            self.take()
        return _Item(f"<mrow><mo>{{</mo>{_table(rows, ('left',))}</mrow>")

    def operator(self) -> _Item:
        name = _unquote(self.take().text)
        return _Item(_word(name), "fn")

    def stretched(self) -> _Item:
        r"""Read ``lr(\[ 0 comma 1 \))``: the brackets at the ends grow with what is inside."""
        first = self.take()
        inside: list[_Item] = []
        while self.peek() not in (")", ""):
            inside.append(self.scripted(prefix=not inside or inside[-1].role == "sign"))
        if first.kind != "literal" or not inside or inside[-1].role != "sign":
            raise self.error("lr takes two brackets with a backslash")
        last = inside.pop()
        open_ = f"<mo>{_escape(first.text[1])}</mo>"
        return _Item(f"<mrow>{open_}{_row(_spaced(inside))}{last.xml}</mrow>", "group")

    def middle(self) -> _Item:
        bar = self.take().text
        return _Item(f'<mo lspace="0.278em" rspace="0.278em">{_escape(bar)}</mo>', "sign")


_SPECIAL: dict[str, Callable[[_Reader], _Item]] = {
    "mat": _Reader.matrix,
    "cases": _Reader.cases,
    "op": _Reader.operator,
    "lr": _Reader.stretched,
    "mid": _Reader.middle,
}
_CALLS: dict[str, tuple[int, Callable[..., str]]] = {
    "frac": (2, "<mfrac>{}{}</mfrac>".format),
    "sqrt": (1, "<msqrt>{}</msqrt>".format),
    "root": (2, "<mroot>{1}{0}</mroot>".format),
    "abs": (1, "<mrow><mo>|</mo>{}<mo>|</mo></mrow>".format),
    "norm": (1, "<mrow><mo>‖</mo>{}<mo>‖</mo></mrow>".format),
    "floor": (1, "<mrow><mo>⌊</mo>{}<mo>⌋</mo></mrow>".format),
    "ceil": (1, "<mrow><mo>⌈</mo>{}<mo>⌉</mo></mrow>".format),
    "hat": (1, '<mover accent="true">{}<mo stretchy="false">ˆ</mo></mover>'.format),
    "tilde": (1, '<mover accent="true">{}<mo stretchy="false">˜</mo></mover>'.format),
    "overline": (1, '<mover accent="true">{}<mo stretchy="true">¯</mo></mover>'.format),
    "upright": (1, lambda inside: re.sub("^<mi>", f"<mi{_NORMAL}>", inside)),
    "binom": (2, '<mrow><mo>(</mo><mfrac linethickness="0">{}{}</mfrac><mo>)</mo></mrow>'.format),
}


def _function(name: str) -> _Item:
    if name not in _LIMITS:
        return _Item(f"<mi>{name}</mi>", "fn")
    mark = f'<mo movablelimits="true" lspace="0" rspace="0">{name}</mo>'
    return _Item(mark, "fn", limits=True)


def _sign(sign: str, *, prefix: bool) -> _Item:
    if sign == "/":
        return _Item('<mo lspace="0" rspace="0">/</mo>', "sign")
    form = ' form="prefix"' if prefix and sign in "+−±¬" else ""
    return _Item(f"<mo{form}>{_escape(sign)}</mo>", "sign")


def _with_scripts(base: _Item, below: str, above: str) -> str:
    inside = base.xml + below + above
    if base.limits:
        tag = "munderover" if below and above else "munder" if below else "mover"
    else:
        tag = "msubsup" if below and above else "msub" if below else "msup"
    return f"<{tag}>{inside}</{tag}>"


def _spaced(items: list[_Item]) -> list[str]:
    """Set spaces around words and functions, as Typst does."""
    out: list[str] = []
    before: _Item | None = None
    for item in items:
        out += [_between(before, item)] if before else []
        out.append(item.xml)
        before = item
    return out


def _between(left: _Item, right: _Item) -> str:
    if "sign" in (left.role, right.role):
        return ""
    if "word" in (left.role, right.role):
        return _WIDE
    takes = left.role == "fn" and right.role == "ord" and not left.glued
    return _THIN if right.role == "fn" or takes else ""
