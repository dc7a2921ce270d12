"""Update rules as they are printed: one aligned formula, or lines of plain text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from convex_analyzer.derivations.rule import WrittenRule
from convex_analyzer.notation import SYMBOLS
from convex_analyzer.parsing.latex_math import to_latex, to_plain
from convex_analyzer.reporting.document import Math
from convex_analyzer.reporting.typst_math import to_typst

__all__ = ["rule_block", "rule_lines"]

_LINE = 78  # letters of plain text that take the width of a line
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_HIGH = str.maketrans("⁺⁻²", "+−2")
_RAISED = str.maketrans("+−", "⁺⁻")


def _names() -> dict[str, str]:
    """Return names for symbols whose printed letter has an accent or a superscript."""
    names = {}
    for symbol in SYMBOLS:
        letter = unicodedata.normalize("NFD", symbol.print)
        scripts = re.fullmatch(r"(\w)([⁺⁻²′]+)", letter)
        if letter.endswith("\u0304"):
            names[symbol.sympy] = f"{letter[:-1]}_bar"
        elif scripts:
            names[symbol.sympy] = f"{scripts[1]}__{scripts[2].translate(_HIGH)}"
    return names


def rule_lines(rule: WrittenRule) -> list[str]:
    """Return a rule as plain text, one equation a line; x[t] is x after step t.

    Examples
    --------
    >>> from convex_analyzer.derivations.rule import write_rule
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> rule_lines(write_rule(HeavyBall(0.1)))
    ['g[t] = ∇J(θ[t-1])', 'v[t] = μ·v[t-1] - α·g[t]', 'θ[t] = θ[t-1] + v[t]']
    """
    lines = [f"{_plain(line.lhs)} = {_plain(line.rhs)}" for line in rule.lines]
    if rule.reported is not None:
        lines.append(f"reported: {_plain(rule.reported)}")
    return lines + [f"({note})" for note in rule.notes]


def _plain(expression: Any) -> str:
    import sympy

    def chosen(*pairs: Any) -> Any:
        (value, condition), *others = pairs
        return sympy.Function("where")(condition, value, chosen(*others)) if others else value

    spelled = expression.replace(sympy.Piecewise, chosen)
    text = to_plain(spelled, names=_names()).replace("Max(", "max(").replace("Min(", "min(")
    text = re.sub(r"_(\d)", lambda found: found[1].translate(_LOW), text)
    text = re.sub(r"\^([′+−])", lambda found: found[1].translate(_RAISED), text)
    return unicodedata.normalize("NFC", text.replace("[t - 1]", "[t-1]"))


def rule_block(rule: WrittenRule) -> Math:
    """Return a rule as one formula; short equations share a line."""
    names = _names()
    typst, latex, lengths = [], [], []
    for line in rule.lines:
        typst.append(" = ".join(to_typst(side, names=names) for side in line.args))
        latex.append(" = ".join(to_latex(side, names=names) for side in line.args))
        lengths.append(sum(len(_plain(side)) for side in line.args))
    if rule.reported is not None:
        typst.append(f'"reported:" {to_typst(rule.reported, names=names)}')
        latex.append(rf"\text{{reported: }} {to_latex(rule.reported, names=names)}")
        lengths.append(len(_plain(rule.reported)) + 10)
    rows = list(_shared(lengths))
    return Math(
        " \\ ".join(" quad ".join(typst[first:last]) for first, last in rows),
        r"\begin{gathered}"
        + r" \\ ".join(r" \quad ".join(latex[first:last]) for first, last in rows)
        + r"\end{gathered}",
        "; ".join(rule_lines(rule)),
    )


def _shared(lengths: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last place (exclusive) of what shares a line."""
    first, used = 0, 0
    for place, length in enumerate(lengths):
        if used and used + length > _LINE:
            yield first, place
            first, used = place, 0
        used += length + 4
    yield first, len(lengths)
