"""SymPy expressions as MathML, in the style of the other printers; browsers show it by themselves.

SymPy has a printer; only names, the order of terms, and entities are ours: every letter stands as
itself, so that the result is XML as well as HTML.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import Any

from convex_analyzer.reporting.math_style import (
    GREEK,
    Name,
    ordered_matrices,
    ordered_terms,
    read_name,
)

__all__ = ["to_mathml"]

_KEPT = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"}
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~"}


def to_mathml(expression: Any) -> str:
    """Print a SymPy object as a ``<math>`` element on a line of its own.

    Examples
    --------
    >>> import sympy as sp
    >>> to_mathml(1 - sp.Symbol("lambda")).partition(">")[2]
    '<mrow><mn>1</mn><mo>-</mo><mi>λ</mi></mrow></math>'
    """
    inside = _printer()().doprint(expression).replace("<mo><</mo>", "<mo>&lt;</mo>")
    plain = re.sub(r"&[#\w]+;", lambda m: m[0] if m[0] in _KEPT else html.unescape(m[0]), inside)
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{plain}</math>'


@cache
def _printer() -> Any:
    from sympy.printing.mathml import MathMLPresentationPrinter

    forms = {
        "_as_ordered_terms": _ordered,
        "_print_Symbol": _symbol,
        "_print_MatrixSymbol": _symbol,
        "_print_IndexedBase": _base,
        "_print_Identity": _identity,
        "_print_MatAdd": _matrix_sum,
        "_print_MatMul": _matrix_product,
        "_print_Equivalent": _equivalent,
        "_print_sign": _sign,
    }
    return type("MathML", (MathMLPresentationPrinter,), forms)


def _element(printer: Any, tag: str, *children: Any) -> Any:
    made = printer.dom.createElement(tag)
    for child in children:
        text = isinstance(child, str)
        made.appendChild(printer.dom.createTextNode(child) if text else child)
    return made


def _word(printer: Any, word: str) -> Any:
    shown = "⋆" if word == "star" else GREEK.get(word, word)
    return _element(printer, "mi", shown)


def _named(printer: Any, name: Name) -> Any:
    out = _word(printer, name.base)
    for accent in name.accents:
        out = _element(printer, "mover", out, _element(printer, "mo", _ACCENTS[accent]))
    below = [_word(printer, part) for part in name.subscripts]
    above = [_word(printer, part) for part in name.superscripts]
    if below:
        out = _element(printer, "msub", out, _element(printer, "mrow", *below))
    if above:
        out = _element(printer, "msup", out, _element(printer, "mrow", *above))
    return out


def _ordered(self: Any, e: Any, order: Any = None) -> list[Any]:
    del self, order
    return ordered_terms(e.as_ordered_terms())


def _symbol(self: Any, e: Any, **_: Any) -> Any:
    return _named(self, read_name(e.name))


def _base(self: Any, e: Any) -> Any:
    return _named(self, read_name(str(e.label)))


def _identity(self: Any, e: Any) -> Any:
    del e
    return _element(self, "mi", "I")


def _shown(self: Any, e: Any) -> Any:
    return self._print(e)


def _matrix_sum(self: Any, e: Any) -> Any:
    parts: list[Any] = []
    for term in ordered_matrices(e):
        scalar = term.as_coeff_mmul()[0]
        negative = scalar.as_coeff_Mul()[0].is_negative
        if parts or negative:
            parts.append(_element(self, "mo", "-" if negative else "+"))
        parts.append(_shown(self, (-term).doit() if negative else term))
    return _element(self, "mrow", *parts)


def _matrix_product(self: Any, e: Any) -> Any:
    scalar, matrices = e.as_coeff_matrices()
    negative = scalar.as_coeff_Mul()[0].is_negative
    factors = [] if scalar in (1, -1) else [-scalar if negative else scalar]
    parts = [_element(self, "mo", "-")] if negative else []
    for factor in [*factors, *matrices]:
        piece = _shown(self, factor)
        if factor.is_Add or factor.is_MatAdd:
            open_, close = (_element(self, "mo", sign) for sign in "()")
            piece = _element(self, "mrow", open_, piece, close)
        parts.append(piece)
    return _element(self, "mrow", *parts)


def _equivalent(self: Any, e: Any) -> Any:
    from sympy import default_sort_key

    parts: list[Any] = []
    for side in sorted(e.args, key=default_sort_key):
        parts += [_element(self, "mo", "⇔")] if parts else []
        parts.append(_element(self, "mrow", _shown(self, side)))
    return _element(self, "mrow", *parts)


def _sign(self: Any, e: Any) -> Any:
    inside = _element(self, "mfenced", _shown(self, e.args[0]))
    return _element(self, "mrow", _element(self, "mi", "sgn"), inside)
