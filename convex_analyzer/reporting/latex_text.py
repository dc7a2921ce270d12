"""Plain and rich text as LaTeX: what LaTeX reads as markup is escaped, signs become formulas."""

from __future__ import annotations

from collections.abc import Sequence

from convex_analyzer.reporting.document import Bold, Cell, Chip, Code, MathSpan, Span
from convex_analyzer.reporting.math_style import GREEK

__all__ = ["latex_cell", "latex_words"]

_TO_MATH = {
    **{letter: f"\\{name}" for name, letter in GREEK.items() if name != "omicron"},
    "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N",
    "Ο": "O", "ο": "o", "Ρ": "P", "Τ": "T", "Χ": "X",
    "−": "-", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≪": r"\ll", "·": r"\cdot", "×": r"\times",
    "∇": r"\nabla", "∈": r"\in", "√": r"\surd", "½": r"\tfrac12", "→": r"\to", "←": r"\leftarrow",
    "²": "^2", "³": "^3", "ᵏ": "^k", "ᵗ": "^t", "ᵀ": r"^\top", "⁻": "^-", "¹": "^1", "ᵢ": "_i",
    "ε": r"\varepsilon", "′": "'", "…": r"\dots", "Σ": r"\Sigma", "≈": r"\approx", "±": r"\pm",
    "⇔": r"\Leftrightarrow", "✓": r"\checkmark", "∞": r"\infty", "⋆": r"\star", "°": r"^\circ",
    "‖": r"\Vert", "∂": r"\partial", "ℝ": r"\mathbb{R}", "✗": r"\times", "⊤": r"\top",
    **{chr(0x2080 + digit): f"_{digit}" for digit in range(10)},
    **{chr(0x2074 + digit): f"^{digit + 4}" for digit in range(6)},
}  # fmt: skip
_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "{''}",
    "[": "{[}", "]": "{]}", "\n": " ", "–": "--", "—": "---", "\u2009": r"\,", "\u00a0": "~",
}  # fmt: skip


def latex_words(text: str) -> str:
    r"""Return plain text as LaTeX.

    Examples
    --------
    >>> print(latex_words("50 % of α_1"))
    50 \% of $\alpha$\_1
    """
    out = []
    for letter in text:
        if letter in _TO_MATH:
            inside = _TO_MATH[letter]
            out.append(f"${'{}' if inside[0] in '^_' else ''}{inside}$")
        elif letter in "{}$&#%_":
            out.append(f"\\{letter}")
        else:
            out.append(_SPECIAL.get(letter, letter))
    return "".join(out)


def latex_cell(cell: Cell) -> str:
    """Return rich text, or a verdict word, as LaTeX."""
    if isinstance(cell, Chip):
        return latex_words(cell.text)
    spans: Sequence[Span] = (cell,) if isinstance(cell, str | Bold | Code | MathSpan) else cell
    out = []
    for span in spans:
        if isinstance(span, Bold):
            out.append(rf"\textbf{{{latex_words(span.text)}}}")
        elif isinstance(span, Code):
            out.append(rf"\texttt{{{latex_words(span.text)}}}")
        else:
            out.append(f"${span.latex}$" if isinstance(span, MathSpan) else latex_words(span))
    return "".join(out).strip()
