"""Declarations as people write them: ``A symmetric, alpha > 0, k natural, 0 < mu < 1``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.kinds import kind_of
from convex_analyzer.parsing.prose import COMMON
from convex_analyzer.parsing.tokens import Source

if TYPE_CHECKING:
    from convex_analyzer.parsing.symbols import Symbols

__all__ = ["declared_by", "headers_of", "items_of", "missing_names", "relations_of", "to_paste"]

_HEADER = re.compile(r"^[ \t%]*(symbols|given|notation)[ \t]*:[ \t]*([^\n]*)$", re.MULTILINE)
_SETS = {"ℝ": "real", "R": "real", "ℕ": "natural", "N": "natural", "ℤ": "integer", "Z": "integer"}
_MEMBER = re.compile(r"(.+?)\s*(?:∈|\\in\b|\bin\b)\s*(?:\\mathbb\s*\{?\s*([RNZ])\s*\}?|([ℝℕℤRNZ]))"
                     r"(?:_\{?0\}?|₀)?(?:\s*\^.*)?$")  # fmt: skip
_RELATION = re.compile(r"<|>|=|≤|≥|≠|∈|\\(?:leq?|geq?|neq?|in|lt|gt)\b|\bin\b")
_BETWEEN = re.compile(r"(.+?)\s+(?:is\s+)?between\s+(\S+)\s+and\s+(\S+)$")
_OPENING = re.compile(r"(?:let|assume|suppose|for|all|every|with|where|and)\s+", re.IGNORECASE)
_SIZES = re.compile(r"\s*\d+\s*(?:\.\.|…|-)\s*\d+\s*")
_MOST = 60
_COUNTERS = ("i", "j", "k", "n")  # letters that usually count


def declared_by(text: str, symbols: Symbols) -> Symbols:
    """Return symbols with what a text declares; see `Symbols.parse`."""
    source = Source(text)
    source.check(0, len(text))
    relations: list[str] = []
    waiting: list[str] = []
    for written in _items(text):
        item, said = _worded(written)
        names, kind = _declaration(item)
        if kind:
            symbols = symbols.declare(dict.fromkeys((*waiting, *names), kind))
            waiting = []
        elif _RELATION.search(item):
            for name, kind in said:
                symbols = symbols.declare({name: kind})
            symbols = _names_of(item, waiting, symbols)
            relations += [_about(name, item) for name in waiting]
            relations.append(item)
            waiting = []
        elif len(names) == 1:
            waiting += names
        else:
            raise InputError(
                f"symbols: '{item}' declares nothing", argument="symbols",
                hint="for instance 'a, l positive', 'k natural' or '0 < mu < 1'",
            )  # fmt: skip
    if waiting:
        symbols = symbols.declare(dict.fromkeys(waiting, "real"))
    return symbols.given(*relations)


def _items(text: str) -> list[str]:
    """Return the parts between commas and semicolons outside brackets."""
    parts, depth, begin = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == ";" or (letter == "," and depth <= 0):
            parts.append(text[begin:i])
            begin = i + 1
    parts = [part.strip() for part in (*parts, text[begin:])]
    parts = [part for part in parts if part]
    if len(parts) > _MOST:
        raise InputError(f"symbols: at most {_MOST} declarations", argument="symbols")
    return parts


def _worded(item: str) -> tuple[str, list[tuple[str, str]]]:
    r"""Return a declaration without the words round it, and the kinds that were said beside it.

    Examples
    --------
    >>> _worded("let k integer >= 0"), _worded("mu between 0 and 1"), _worded(r"\mu in (0,1)")
    (('k >= 0', [('k', 'integer')]), ('0 < mu < 1', []), ('\\mu ∈ (0,1)', []))
    """
    while opening := _OPENING.match(item):
        item = item[opening.end() :]
    between = _BETWEEN.match(item)
    if between:
        item = f"{between[2]} < {between[1]} < {between[3]}"
    sign = _RELATION.search(item)
    if not sign or kind_of(item.split(maxsplit=1)[-1]) or _MEMBER.match(item):
        return item, []
    if "\\" in item:  # in LaTeX the word is letters
        item = re.sub(r"(?<![\\\w])in\b", "∈", item)
        sign = _RELATION.search(item) or sign
    said = []
    names, kind = _declaration(item[: sign.start()])
    if kind:
        said = [(name, kind) for name in names]
        item = f"{names[0]} {item[sign.start() :]}" if len(names) == 1 else item
    parts = item.split()
    if len(parts) > 2 and len(names) == 1 and kind_of(parts[-1]):
        said, item = [(names[0], kind_of(parts[-1]) or "")], " ".join(parts[:-1])
    return item, said


def _declaration(item: str) -> tuple[list[str], str]:
    """Return the names and the kind of "A symmetric matrix"; no kind: it is something else."""
    member = _MEMBER.match(item)
    if member:
        return member[1].split(), _SETS[member[2] or member[3]]
    plain = _SIZES.sub(" ", item).strip()
    first, _, rest = plain.partition(":")
    if rest and kind_of(rest):
        return first.split(), kind_of(rest) or ""
    words = plain.split()
    for cut in range(1, min(len(words), 9)):
        kind = kind_of(" ".join(words[cut:]))
        if kind:
            return words[:cut], kind
    return words, ""


def _about(name: str, item: str) -> str:
    """Return the relation of the last name for another one: a, l > 0 says it of both."""
    match = re.match(r"\S+?(?=\s*(?:<|>|=|≤|≥|≠|∈|\\|\bin\b))", item)
    return f"{name} {item[match.end() :]}" if match else item


def _names_of(item: str, waiting: list[str], symbols: Symbols) -> Symbols:
    """Declare as real what a relation names first."""
    for name in waiting:
        if name not in symbols:
            symbols = symbols.declare({name: "real"})
    for _ in range(12):
        try:
            relations_of(item, symbols)
        except ParseError as error:
            found = re.match(r"(?:\\[A-Za-z]+|\w)[\w{}+\\]*", item[error.column :])
            if "unknown name" not in str(error) or found is None:
                raise
            if kind_of(found[0]) or found[0].lower() in COMMON or found[0] == "constant":
                raise InputError(
                    f"symbols: in '{item}' the word '{found[0]}' would become a name",
                    argument="symbols", hint="write a relation alone: 'k natural; a > 0'",
                ) from None  # fmt: skip
            symbols = symbols.declare({found[0]: "real"})
            continue
        break
    return symbols


def missing_names(text: str, symbols: Symbols) -> tuple[str, ...]:
    r"""Return the names of a derivation that nobody declared, as they are written.

    Examples
    --------
    >>> from convex_analyzer.parsing.symbols import Symbols
    >>> missing_names("x - a*l*x\n(1 - a*l)*x", Symbols.of({"x": "real"}))
    ('a', 'l')
    """
    from convex_analyzer.parsing.derivation_text import read_derivation

    found: dict[str, str] = {}
    while len(found) < _MOST:
        known = symbols.declare(found) if found else symbols
        read = read_derivation(text, known).statements
        said = "\n".join(str(getattr(statement, "error", "")) for statement in read)
        new = re.search(r"unknown name '([^']+)'", said)
        if new is None or new[1] in found:
            break
        found[new[1]] = "real"
    return tuple(found)


def to_paste(text: str) -> str:
    r"""Return the declarations that a derivation without any needs, as a line to paste.

    Examples
    --------
    >>> to_paste("x - a*l*x + k\n(1 - a*l)*x + k")
    'x, a, l real; k natural'
    """
    from convex_analyzer.parsing.symbols import Symbols

    names = missing_names(text, Symbols())
    whole = ", ".join(name for name in names if name in _COUNTERS)
    real = ", ".join(name for name in names if name not in _COUNTERS)
    return "; ".join([f"{real} real"] * bool(real) + [f"{whole} natural"] * bool(whole))


def relations_of(text: str, symbols: Symbols) -> list[Any]:
    """Return the SymPy relations of a text such as ``0 < c < 1``.

    Examples
    --------
    >>> from convex_analyzer.parsing.symbols import Symbols
    >>> relations_of("0 < c <= 1", Symbols.of({"c": "real"}))
    [0 < c, c <= 1]
    """
    import sympy

    from convex_analyzer.parsing.expressions import read_expression

    value = read_expression(text, symbols).value
    found = list(value.args) if isinstance(value, sympy.And) else [value]
    if not all(isinstance(part, sympy.core.relational.Relational) for part in found):
        raise Source(text).error("this is not a relation", 0, "for instance m <= L")
    return sorted(found, key=lambda part: (not part.lhs.is_number, str(part)))


def items_of(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the parts between commas, and the word and, outside brackets."""
    depth, begin = 0, start
    for match in re.compile(r"[(\[{]|[)\]}]|,|\band\b|\\text\s*\{\s*and\s*\}").finditer(
        text, start, end
    ):
        sign = match[0]
        if sign.startswith("\\") or sign == "and" or (sign == "," and depth == 0):
            if text[begin : match.start()].strip():
                yield begin, match.start()
            begin = match.end()
        else:
            depth += 1 if sign in "([{" else -1
    if text[begin:end].strip():
        yield begin, end


def headers_of(text: str, symbols: Symbols) -> tuple[str, Symbols]:
    """Take ``symbols:``, ``given:`` and ``notation:`` lines; blank them in place."""
    for match in _HEADER.finditer(text):
        kind, words = match[1], match[2].strip()
        notation = kind == "notation"
        symbols = symbols.in_notation(words) if notation else symbols.parse(words)
        text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
    return text, symbols
