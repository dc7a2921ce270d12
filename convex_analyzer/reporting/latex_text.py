"""Rich text as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from convex_analyzer.plot.latex import beyond_latin, latex_words
from convex_analyzer.reporting.document import Bold, Cell, Chip, Code, MathSpan, Span

__all__ = ["beyond_latin", "latex_cell", "latex_words"]


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
