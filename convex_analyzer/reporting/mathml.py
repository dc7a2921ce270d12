"""Formulas as MathML; browsers show it by themselves.

The source is the very Typst math that the printed page sets, so that both show the same formula;
the LaTeX beside it goes along as an annotation, to be copied.
"""

from __future__ import annotations

import html
from typing import Any

from convex_analyzer.reporting.document import Math, MathSpan
from convex_analyzer.reporting.typst_reader import read_typst

__all__ = ["formula_mathml", "to_mathml"]


def formula_mathml(formula: Math | MathSpan) -> str:
    r"""Return a formula of a document as a ``<math>``element, XML as well as HTML.

    Parameters
    ----------
    formula
        A formula on its own line, or inside of one.

    Raises
    ------
    InputError
        Its Typst math holds a name or a form that is not known; see
        :func:`~convex_analyzer.reporting.typst_reader.read_typst`.

    Examples
    --------
    >>> formula_mathml(MathSpan("lambda", r"\lambda", "λ")).partition("<annotation")[0]
    '<math alttext="λ"><semantics><mi>λ</mi>'
    """
    block = isinstance(formula, Math)
    words = formula.alt if isinstance(formula, Math) else formula.plain
    display = ' display="block"' if block else ""
    shown = read_typst(formula.typst)
    latex = html.escape(formula.latex, quote=False)
    note = f'<annotation encoding="application/x-tex">{latex}</annotation>'
    alt = html.escape(words).replace("\n", " ")
    return f'<math{display} alttext="{alt}"><semantics>{shown}{note}</semantics></math>'


def to_mathml(expression: Any, **settings: Any) -> str:
    """Print a SymPy object as a ``<math>`` element on a line of its own.

    Parameters
    ----------
    expression, settings
        As for :func:`~convex_analyzer.reporting.typst_math.to_typst`.

    Examples
    --------
    >>> import sympy as sp
    >>> to_mathml(1 - sp.Symbol("lambda"))[:75]
    '<math display="block" alttext="1 - λ"><semantics><mrow><mn>1</mn><mo>−</mo>'
    """
    from convex_analyzer.reporting.typst_math import math_block

    return formula_mathml(math_block(expression, **settings))
