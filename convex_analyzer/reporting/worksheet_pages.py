"""Worksheets to print: no task is cut by the end of a page, and pages are filled with rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convex_analyzer.reporting.document import Block, Document, PageBreak, Title, plain_text
from convex_analyzer.reporting.typst import page_fill
from convex_analyzer.reporting.worksheet import (
    facts,
    sheet_title,
    task_blocks,
    worksheet_document,
)

if TYPE_CHECKING:
    from convex_analyzer.derivations.exercises import Exercise

__all__ = ["worksheet_pages"]

# shares of the 262 mm between the margins of a page
_GAP = 6.0 / 262  # between two exercises
_ROW = 8.75 / 262  # one row for an answer
_MOST = 6  # rows more for an exercise on the last page, which need not be full
_SPARE = 0.2  # of a page: with less free, a solution starts on the next one
_LOST = 0.05  # of a page, where a solution goes on to the next one


def worksheet_pages(
    tasks: Sequence[Exercise], *, solutions: bool = False, title: str | None = None
) -> Document:
    """Return a worksheet laid out for paper.

    Each task stands on one page, whose rest is shared out as rows; solutions may go on to the next.

    Parameters
    ----------
    tasks, solutions, title
        As for :func:`~convex_analyzer.reporting.worksheet.worksheet_document`.

    Examples
    --------
    >>> from convex_analyzer.derivations.exercises import exercise
    >>> sheet = worksheet_pages([exercise("q15"), exercise("q16"), exercise("q20"), exercise("q9")])
    >>> sum(isinstance(block, PageBreak) for block in sheet.blocks)
    1
    """
    places = [[i] for i in range(len(tasks))]
    none = [0] * len(tasks)
    name = sheet_title(tasks, solutions=solutions, title=title)
    top = Title(name, facts(tasks, solutions=solutions))
    alone = _document(tasks, top, places, none, solutions=solutions)
    heights = page_fill(alone)
    if len(heights) != len(tasks):  # one is longer than a page
        return worksheet_document(tasks, solutions=solutions, title=title)
    pages, free = _shared(heights, _SPARE if solutions else 1.0)
    more = none if solutions else _more(pages, free)
    return _document(tasks, top, pages, more, solutions=solutions)


def _shared(heights: Sequence[float], spare: float) -> tuple[list[list[int]], list[float]]:
    """Return which exercises follow each other without a new page, and what they leave free.

    Where at least `spare` of a page is free, an exercise may go on to the next page.
    """
    pages: list[list[int]] = []
    free: list[float] = []
    for i, height in enumerate(heights):
        left = free[-1] - _GAP if pages else 0.0
        if pages and height <= left:
            pages[-1].append(i)
            free[-1] = left - height
        elif pages and left >= spare:
            pages[-1].append(i)
            free[-1] = 1 - _LOST - (height - left)
        else:
            pages.append([i])
            free.append(1 - height)
    return pages, free


def _more(pages: list[list[int]], free: list[float]) -> list[int]:
    """Return how many rows more each exercise gets."""
    more = [0] * sum(map(len, pages))
    for page, left in zip(pages, free, strict=True):
        rows = int(left / _ROW)
        if page is pages[-1]:
            rows = min(rows, _MOST * len(page))
        for turn in range(rows):
            more[page[turn % len(page)]] += 1
    return more


def _document(
    tasks: Sequence[Exercise],
    top: Title,
    pages: list[list[int]],
    more: list[int],
    *,
    solutions: bool,
) -> Document:
    blocks: list[Block] = [top]
    for page in pages:
        blocks += [PageBreak()] if page[0] else []
        for i in page:
            blocks += task_blocks(i + 1, tasks[i], solutions=solutions, rows=more[i])
    return Document(plain_text(top.text), blocks, footer="convex_analyzer")
