"""Text of stability regions, and how expressions are printed in one line."""

from __future__ import annotations

import math
import re
from typing import Any

from convex_analyzer.notation import SYMBOLS
from convex_analyzer.tables import Table, join_words
from convex_analyzer.theory.inequalities import Range

__all__ = ["latex", "plain", "printed", "range_words", "summary"]

_HIGH = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_GREEK = {symbol.sympy: symbol.print for symbol in SYMBOLS}


def printed(expression: Any) -> str:
    """Write an expression or a relation in one line of text.

    Examples
    --------
    >>> import sympy
    >>> mu, s = sympy.symbols("mu s")
    >>> printed(sympy.Gt(2 * mu**2 - s * mu, 0)), printed(mu * sympy.Symbol("lambda"))
    ('2 μ² − μ s > 0', 'λ μ')
    """
    text = re.sub(r"[A-Za-z_]\w*", lambda found: _GREEK.get(found[0], found[0]), str(expression))
    text = re.sub(r"\*\*(\d+)", lambda found: found[1].translate(_HIGH), text)
    return text.replace("*", " ").replace("-", "−").replace("!=", "≠")


def range_words(one: Range) -> str:
    """Return a declared range as words.

    Examples
    --------
    >>> range_words((0, 1, False, True)), range_words((0, None, True, True))
    ('in [0, 1)', '> 0')
    """
    low, high, open_low, open_high = one
    if low is None and high is None:
        return "real"
    if high is None or math.isinf(high):
        return f"{'>' if open_low else '≥'} {low}"
    if low is None:
        return f"{'<' if open_high else '≤'} {high}"
    return f"in {'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"


def summary(region: Any) -> Table:
    """Return the conditions as a table."""
    every = "" if region.steps == 1 else f" (every {region.steps} steps)"
    title = f"{region.rule} converges{every} where, with s = {printed(region.product)},"
    rows = [(printed(c.relation), c.reason) for c in region.conditions]
    return Table(("condition", "so that"), tuple(rows), title, _notes(region), left=2)


def _notes(region: Any) -> tuple[str, ...]:
    notes = []
    if region.ranges:
        told = [f"{printed(region.parameters[n])} {words}" for n, words in region.ranges.items()]
        notes.append(f"for {join_words(told)}")
    if region.left_out:
        notes.append(f"without {join_words(region.left_out)}, which the point does not depend on")
    if not region.is_symbolic:
        notes.append(
            f"{len(region.slots)} slots and {len(region.parameters)} open hyper-parameters: no "
            "conditions in symbols; as_set(...) takes numbers and finds exact real roots"
        )
    elif not region.conditions and not any(region.polynomial[1:]):
        steps = len(region.slots) * region.steps
        notes.append(f"every root is zero: nothing is left of the error after {steps} steps")
    elif not region.conditions:
        notes.append("every root lies inside the circle, whatever the settings")
    return tuple(notes)


def latex(region: Any) -> str:
    """Return the conditions as LaTeX."""
    import sympy

    product = sympy.latex(region.product)
    if not region.is_symbolic:
        degree = len(region.polynomial) - 1
        z = sympy.Symbol("z")
        whole = sympy.Add(*(c * z ** (degree - i) for i, c in enumerate(region.polynomial)))
        return rf"|z| < 1 \text{{ for all roots of }} {sympy.latex(whole)}, s = {product}"
    conditions = r",\; ".join(sympy.latex(c.relation) for c in region.conditions)
    shown = conditions or r"\top"
    return rf"\left\{{ s = {product} \;:\; {shown} \right\}}"


def plain(region: Any) -> dict[str, Any]:
    """Return plain data; expressions as text."""
    return {
        "rule": region.rule,
        "product": str(region.product),
        "parameters": {name: str(symbol) for name, symbol in region.parameters.items()},
        "ranges": dict(region.ranges),
        "conditions": [
            {"relation": str(c.relation), "reason": c.reason} for c in region.conditions
        ],
        "is_symbolic": region.is_symbolic,
        "slots": list(region.slots),
        "left_out": list(region.left_out),
        "polynomial": [str(c) for c in region.polynomial],
        "steps": region.steps,
    }
