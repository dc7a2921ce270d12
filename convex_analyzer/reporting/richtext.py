"""Rich text: a tuple of spans, never markup.

Text that no writer could carry (control characters, lone surrogates, invisible direction marks)
becomes U+FFFD when a span or a block is made, so that it is seen and no writer has to think of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from convex_analyzer.reporting.checks import apply, one_of, refuse, string, words

__all__ = [
    "KIND_SYMBOLS",
    "Bold",
    "Cell",
    "Chip",
    "Code",
    "Kind",
    "MathSpan",
    "RichText",
    "Span",
    "cell",
    "kind",
    "pair",
    "plain_text",
    "rich",
    "rich_words",
    "typst_math",
]

Kind: TypeAlias = Literal["ok", "bad", "warn", "info"]
KIND_SYMBOLS: dict[Kind, str] = {"ok": "✓", "bad": "✗", "warn": "!", "info": "i"}
kind = one_of(*KIND_SYMBOLS)

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def typst_math(where: str, value: Any) -> str:
    """Typst math that cannot leave math mode: no ``#`` outside of quoted text."""
    text = words(where, value)
    if "#" in _QUOTED.sub("", text):
        raise refuse(where, "Typst math without '#' (put text in double quotes)", value)
    return text


@dataclass(frozen=True, slots=True)
class Bold:
    """Words in bold."""

    text: str

    def __post_init__(self) -> None:
        apply(self, text=string)


@dataclass(frozen=True, slots=True)
class Code:
    """A command, a path or a name, in fixed-width letters."""

    text: str

    def __post_init__(self) -> None:
        apply(self, text=string)


@dataclass(frozen=True, slots=True)
class MathSpan:
    """A formula inside a line; ``typst_math.math_span`` makes one from a SymPy expression.

    Parameters
    ----------
    typst, latex
        The same formula in both notations, without delimiters.
    plain
        The formula in plain letters, for screen readers and where no math can be set.
    """

    typst: str
    latex: str
    plain: str

    def __post_init__(self) -> None:
        apply(self, typst=typst_math, latex=words, plain=words)


Span: TypeAlias = str | Bold | Code | MathSpan
RichText: TypeAlias = Span | Sequence[Span]


def plain_text(text: RichText) -> str:
    """Rich text without any formatting.

    Examples
    --------
    >>> plain_text(("rate ", Bold("0.9"), " per step"))
    'rate 0.9 per step'
    """
    spans = (text,) if isinstance(text, str | Bold | Code | MathSpan) else text
    return "".join(
        span if isinstance(span, str) else span.plain if isinstance(span, MathSpan) else span.text
        for span in spans
    )


@dataclass(frozen=True, slots=True)
class Chip:
    """One verdict word in a small frame; may stand alone in a table cell."""

    kind: Kind
    text: str

    def __post_init__(self) -> None:
        apply(self, kind=kind, text=words)


Cell: TypeAlias = RichText | Chip


def rich(where: str, value: Any) -> tuple[Span, ...]:
    """Rich text as a tuple of spans, plain strings merged, so that equal texts are equal."""
    items = (value,) if isinstance(value, str | Bold | Code | MathSpan) else value
    if not isinstance(items, tuple | list):
        raise refuse(where, "text, a span, or a tuple of these", value)
    spans: list[Span] = []
    for item in items:
        if isinstance(item, Bold | Code | MathSpan):
            spans.append(item)
        elif spans and isinstance(spans[-1], str):
            spans[-1] += string(where, item)
        elif text := string(where, item):
            spans.append(text)
    return tuple(spans)


def rich_words(where: str, value: Any) -> tuple[Span, ...]:
    """Rich text that is not blank."""
    spans = rich(where, value)
    if not plain_text(spans).strip():
        raise refuse(where, "text that is not blank", value)
    return spans


def cell(where: str, value: Any) -> tuple[Span, ...] | Chip:
    """Accept what a table cell may hold."""
    return value if isinstance(value, Chip) else rich(where, value)


def pair(where: str, value: Any) -> tuple[Any, ...]:
    """Accept a name with its value."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise refuse(where, "a pair (name, value)", value)
    return rich_words(where, value[0]), rich(where, value[1])
