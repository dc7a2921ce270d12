"""The page on where the error lives: by direction, by learning rate, by condition number."""

from __future__ import annotations

from convex_analyzer.comparison import Comparison
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.reporting.document import Block, FigureRow, Heading
from convex_analyzer.reporting.figures import drawn_if_any

__all__ = ["error_blocks"]

_MOST = 200  # columns up to which taking κ apart takes a second


def error_blocks(comparison: Comparison) -> list[Block]:
    """Return what of figures 6 to 9 can be drawn; nothing when none can."""
    linear = [entry.analysis for entry in comparison.entries if entry.analysis is not None]
    by_direction = drawn_if_any("error_by_direction", comparison)
    pair = [
        drawn_if_any("rate_curve", linear[0]) if linear else None,
        drawn_if_any("steps_by_kappa", comparison),
    ]
    both = [figure for figure in pair if figure is not None]
    blocks: list[Block] = [] if by_direction is None else [by_direction]
    blocks += [FigureRow(tuple(both))] if len(both) > 1 else both
    blocks += _split(comparison)
    return [Heading("Where the error lives"), *blocks] if blocks else []


def _split(comparison: Comparison) -> list[Block]:
    """Take κ apart where there are columns to rescale."""
    from convex_analyzer.conditioning.analysis import condition

    problem = comparison.problem
    if not isinstance(problem, LeastSquares) or not 1 < problem.dimension <= _MOST:
        return []
    figure = drawn_if_any("kappa_split", condition(problem))
    return [] if figure is None else [figure]
