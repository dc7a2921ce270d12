"""Declarations as people write them: ``A symmetric, alpha > 0, k natural, 0 < mu < 1``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.kinds import kind_of
from convex_analyzer.parsing.tokens import Source

if TYPE_CHECKING:
    from convex_analyzer.parsing.symbols import Symbols

__all__ = ["declared_by", "relations_of"]

_SETS = {"ℝ": "real", "R": "real", "ℕ": "natural", "N": "natural", "ℤ": "integer", "Z": "integer"}
_MEMBER = re.compile(r"(.+?)\s*(?:∈|\\in\b|\bin\b)\s*(?:\\mathbb\s*\{?\s*([RNZ])\s*\}?|([ℝℕℤRNZ]))"
                     r"(?:\s*\^.*)?$")  # fmt: skip
_RELATION = re.compile(r"<|>|=|≤|≥|≠|∈|\\(?:leq?|geq?|neq?|in|lt|gt)\b|\bin\b")
_SIZES = re.compile(r"\s*\d+\s*(?:\.\.|…|-)\s*\d+\s*")
_MOST = 60


def declared_by(text: str, symbols: Symbols) -> Symbols:
    """Return symbols with what a text declares; see `Symbols.parse`."""
    source = Source(text)
    source.check(0, len(text))
    relations: list[str] = []
    waiting: list[str] = []
    for item in _items(text):
        names, kind = _declaration(item)
        if kind:
            symbols = symbols.declare(dict.fromkeys((*waiting, *names), kind))
            waiting = []
        elif _RELATION.search(item):
            symbols = _names_of(item, waiting, symbols)
            relations += [_about(name, item) for name in waiting]
            relations.append(item)
            waiting = []
        elif len(names) == 1:
            waiting += names
        else:
            raise InputError(
                f"symbols: {item!r} declares nothing", argument="symbols",
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
            symbols = symbols.declare({found[0]: "real"})
            continue
        break
    return symbols


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
