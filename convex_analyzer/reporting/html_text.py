"""Pieces of web pages: escaped text, spans, chips, and names of places."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from convex_analyzer.reporting.document import (
    KIND_SYMBOLS,
    Bold,
    Cell,
    Chip,
    Code,
    Kind,
    MathSpan,
    RichText,
    Span,
    plain_text,
)
from convex_analyzer.reporting.mathml import formula_mathml

__all__ = ["KIND_WORDS", "Places", "badge", "cell_html", "chip_html", "escape", "inline"]

#: What a kind is called for who does not see its sign.
KIND_WORDS: dict[Kind, str] = {"ok": "good", "bad": "problem", "warn": "caution", "info": "note"}

_LONG = re.compile(r"\S{25,}")
_BREAKS = re.compile(r"(?<=[_\-/.,;:=\\])(?=[^\s_\-/.,;:=\\])")


def escape(text: str) -> str:
    """Text that stays text inside an element or an attribute; long words may break at their joints.

    Examples
    --------
    >>> escape('<b> & "c"')
    '&lt;b&gt; &amp; &quot;c&quot;'
    """
    return html.escape(text)


def inline(text: RichText) -> str:
    """Rich text as HTML."""
    spans: Sequence[Span] = (text,) if isinstance(text, str | Bold | Code | MathSpan) else text
    return "".join(map(_span, spans))


def _span(span: Span) -> str:
    if isinstance(span, MathSpan):
        return formula_mathml(span)
    if isinstance(span, str):
        return _words(span)
    tag = "strong" if isinstance(span, Bold) else "code"
    return f"<{tag}>{_words(span.text)}</{tag}>"


def _words(text: str) -> str:
    parts, after = [], 0
    for long in _LONG.finditer(text):
        parts.append(html.escape(text[after : long.start()]))
        parts.append("<wbr/>".join(map(html.escape, _BREAKS.split(long[0]))))
        after = long.end()
    parts.append(html.escape(text[after:]))
    return "".join(parts).replace("\n", "<br/>")


def chip_html(chip: Chip) -> str:
    """One verdict word in a frame, with its sign."""
    sign = f'<span aria-hidden="true">{KIND_SYMBOLS[chip.kind]}</span>'
    return f'<span class="chip {chip.kind}">{sign} {escape(chip.text)}</span>'


def badge(kind: Kind) -> str:
    """Return the round sign of a card."""
    label = f'role="img" aria-label="{KIND_WORDS[kind]}"'
    return f'<span class="badge" {label}>{KIND_SYMBOLS[kind]}</span>'


def cell_html(cell: Cell) -> str:
    """Return what a table cell holds."""
    return chip_html(cell) if isinstance(cell, Chip) else inline(cell)


class Places:
    """Names of places in a page, each one used once."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def name(self, text: RichText) -> str:
        """Return a new name that resembles a text.

        Examples
        --------
        >>> places = Places()
        >>> places.name("The spectrum"), places.name("The spectrum")
        ('s-the-spectrum', 's-the-spectrum-2')
        """
        base = "s-" + (re.sub(r"\W+", "-", plain_text(text).lower()).strip("-") or "section")
        name, number = base, 1
        while name in self.used:
            number += 1
            name = f"{base}-{number}"
        self.used.add(name)
        return name
