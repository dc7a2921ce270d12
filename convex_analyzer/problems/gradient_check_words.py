"""What a gradient check says: its verdict in a sentence, and what it could resolve."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.gradient_check_parts import Coordinate
from convex_analyzer.problems.gradient_check_search import Measuring
from convex_analyzer.problems.gradient_check_slips import slip_of
from convex_analyzer.tables import format_count, format_number, join_words

__all__ = ["resolution_of", "slip_by_block", "words_of"]

Array = npt.NDArray[np.float64]

_SHOWN = 8  # names that a sentence lists
_COARSE = 1e-5  # a resolution worse than this is worth a sentence


def words_of(verdict: str, coordinates: Sequence[Coordinate], slip: str, work: Measuring) -> str:
    """Return the verdict as a sentence or two: where, how many, and the likely slip."""
    bad = [c for c in coordinates if c.status in {"wrong", "suspicious"}]
    d = work.layout.dimension
    kinks = [c.name for c in coordinates if c.status == "kink"]
    edges = [c.name for c in coordinates if c.status == "edge"]
    if bad:
        names = [c.name for c in sorted(bad, key=lambda c: -c.relative_error)]
        more = f" and {format_count(len(names) - _SHOWN)} more" if len(names) > _SHOWN else ""
        text = f"The gradient is {verdict} at {join_words(names[:_SHOWN])}{more}"
        text += f" ({format_count(len(bad))} of {format_count(len(coordinates))} measured)."
        text += f" Likely: {slip}." if slip else ""
    elif verdict == "correct":
        text = _agreement(coordinates, d)
    elif verdict == "suspicious":
        text = (
            f"A combination of coordinates of {join_words(sorted(work.alarms))} disagrees, but no "
            "single one does beyond what can be resolved."
        )
    else:
        text = _unknown(coordinates, work)
    if kinks:
        text += f" Kink at {join_words(kinks[:_SHOWN])}: not counted."
    if edges:
        text += f" f is not finite on one side along {join_words(edges[:_SHOWN])}: not counted."
    return text


def _agreement(coordinates: Sequence[Coordinate], d: int) -> str:
    count = sum(c.status in {"right", "unresolved"} for c in coordinates)
    text = f"The gradient is right in {format_count(count)} of {format_count(d)} coordinates."
    if d == 1:
        text = "The gradient is right."
    elif count == d:
        text = f"The gradient is right in all {format_count(d)} coordinates."
    elif len(coordinates) < d:
        text = (
            f"The gradient is right in the {format_count(count)} coordinates measured, and in "
            f"random combinations of all {format_count(d)}."
        )
    resolution = resolution_of(coordinates)
    if not any(c.numeric or c.claimed for c in coordinates if c.status not in {"kink", "edge"}):
        text += " It is zero there, which hides many mistakes: check at another point too."
    elif resolution > _COARSE:
        text += (
            f" Noise of f hides errors below {format_number(resolution, 2)} of the largest slope."
        )
    return text


def _unknown(coordinates: Sequence[Coordinate], work: Measuring) -> str:
    if all(c.status in {"kink", "edge"} for c in coordinates):
        return "Cannot tell: f is not smooth along any coordinate here; check at another point."
    blur = max((c.error for c in coordinates if c.status == "unresolved"), default=math.nan)
    return (
        f"Cannot tell: differences resolve slopes down to {format_number(blur, 2)} only (noise of "
        f"f {format_number(work.noise, 2)}), and the gradient is hardly larger; check at another "
        "point, or with f in double precision."
    )


def slip_by_block(coordinates: Sequence[Coordinate], bad: list[Coordinate], theta: Array) -> str:
    """Return what explains the wrong entries of each block, where something does."""
    names = dict.fromkeys(c.block for c in bad)
    if len(names) < 2:
        return ""
    found = {
        name: slip_of(
            [c for c in coordinates if c.block == name], [c for c in bad if c.block == name], theta
        )
        for name in names
    }
    return "; ".join(f"{name}: {words}" for name, words in found.items() if words)


def resolution_of(coordinates: Sequence[Coordinate]) -> float:
    """Return the largest error of a numeric slope over the largest slope."""
    used = [c for c in coordinates if math.isfinite(c.error) and c.status not in {"kink", "edge"}]
    errors = max((c.error for c in used), default=math.inf)
    size = max((abs(c.numeric) for c in used), default=0.0)
    return errors / size if size else math.inf
