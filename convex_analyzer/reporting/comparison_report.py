"""The report on a comparison: optimizers on one problem."""

from __future__ import annotations

from typing import Any

from convex_analyzer.comparison import Comparison
from convex_analyzer.diagnosis.recap import recap
from convex_analyzer.explorer import LARGEST, can_show, page
from convex_analyzer.reporting.derivation_page import derivation_blocks
from convex_analyzer.reporting.document import Block, Document, Embed, Heading, PageBreak
from convex_analyzer.reporting.error_page import error_blocks
from convex_analyzer.reporting.optimizer_page import optimizer_blocks, stochastic_blocks
from convex_analyzer.reporting.picture_page import picture_blocks, picture_row
from convex_analyzer.reporting.recap_page import python_call, recap_blocks
from convex_analyzer.reporting.verdict_page import verdict_blocks

__all__ = ["comparison_data", "comparison_document"]

_SPARE = 0.3  # of a page that is at least free: then the next part goes on below


def comparison_document(
    comparison: Comparison, level: str = "brief", command: str | None = None
) -> Document:
    """Return the report of a comparison as a document.

    Parameters
    ----------
    comparison
        Theory and runs.
    level
        ``"brief"``: verdict and recap table (2 pages); ``"teach"``: with the derivation;
        ``"full"``: with all pictures, where the error lives, and the optimizers side by side.
    command
        The command that reproduces it; a Python call is shown when left out.
    """
    table, call = recap(comparison), command or python_call(comparison, level)
    blocks: list[Block] = [*verdict_blocks(comparison, table)]
    if level != "brief":
        blocks += [PageBreak(), *derivation_blocks(comparison)]
    noisy = stochastic_blocks(comparison)
    if level == "full":
        parts = (picture_blocks(comparison), error_blocks(comparison), optimizer_blocks(comparison))
        for part in (*parts, noisy):
            blocks += [PageBreak(unless_free=_SPARE), *part] if part else []
    elif noisy:  # the pictures of the last page follow below
        blocks += [PageBreak(unless_free=_SPARE), *noisy]
    if level != "brief":
        blocks += _explorer(comparison)
    first = picture_row(comparison) if level != "full" else ()
    short = level == "full" or noisy
    blocks += [PageBreak(unless_free=_SPARE) if short else PageBreak()]
    blocks += recap_blocks(comparison, table, call, first)
    title = f"Convergence report: {comparison.problem.name}"
    return Document(title, blocks, footer="convex_analyzer")


def _explorer(comparison: Comparison) -> list[Block]:
    """Return the explorer with this problem in it, for formats that have sliders."""
    problem = comparison.problem
    shown = [entry.optimizer for entry in comparison.entries if can_show(entry.optimizer)]
    wide = problem.dimension > LARGEST
    if not shown or (wide and not problem.operator.can_decompose):
        return []
    start = None if wide else comparison.start
    html = page(problem, shown, start=start, plane=wide, embedded=True)
    fallback = "Sliders for α and μ: the HTML form of this report, or convex-analyzer explore FILE."
    return [Heading("Move the sliders"), Embed(html, "The explorer", fallback)]


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Return the numbers of the report as plain data."""
    return {
        "schema": "convex_analyzer.report/1",
        "comparison": comparison.to_dict(),
        "recap": recap(comparison).to_dict(),
    }
