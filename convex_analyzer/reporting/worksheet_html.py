"""Worksheets and solutions as one HTML file that needs nothing else; formulas are MathML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convex_analyzer.reporting.html import render_html
from convex_analyzer.reporting.worksheet import worksheet_document

if TYPE_CHECKING:
    from convex_analyzer.derivations.exercises import Exercise

__all__ = ["worksheet_html"]


def worksheet_html(
    tasks: Sequence[Exercise], *, solutions: bool = False, title: str | None = None
) -> str:
    """Return a worksheet as one HTML page that needs nothing else, and runs no script.

    Parameters
    ----------
    tasks, solutions, title
        As for :func:`~convex_analyzer.reporting.worksheet.worksheet_document`.
    """
    document = worksheet_document(tasks, solutions=solutions, title=title)
    return render_html(document, scripts=False)
