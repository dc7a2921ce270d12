"""Which slip explains a wrong gradient: a sign, a factor, a transposed block, a missing term."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.gradient_check_parts import Block, Coordinate
from convex_analyzer.problems.gradient_check_tree import Leaf
from convex_analyzer.tables import format_number

__all__ = ["slip_of", "transposed"]

Array = npt.NDArray[np.float64]

_CLOSE = 1e-4  # relative spread within which ratios count as one number
_MOST_ROWS = 10_000_000


def slip_of(
    coordinates: Sequence[Coordinate],
    wrong: Sequence[Coordinate],
    theta: Array,
    *,
    integers: bool = False,
) -> str:
    """Return the likely slip as a sentence, or nothing.

    Parameters
    ----------
    coordinates
        Everything that was measured.
    wrong
        Those that are wrong.
    theta
        The point, shape (d,).
    integers
        Whether the gradient came as integers.
    """
    broken = [c for c in wrong if not math.isfinite(c.claimed)]
    if broken:
        return "the gradient is not finite there: look for a division by zero, log(0) or overflow"
    numeric = np.array([c.numeric for c in wrong])
    claimed = np.array([c.claimed for c in wrong])
    slack = np.array([c.error for c in wrong])
    if not np.all(np.isfinite(numeric)) or not len(wrong):
        return ""
    if integers and np.all(np.abs(claimed - numeric) <= 1):
        return "the gradient holds integers: what it computes is cut off; use floats"
    return (
        _constant(claimed, numeric, slack)
        or _decay(coordinates, theta)
        or _exchanged(claimed, numeric, slack)
    )


def _constant(claimed: Array, numeric: Array, slack: Array) -> str:
    """Recognise one factor between what is claimed and what is true."""
    if np.all(np.abs(claimed) <= slack):
        which = "these entries are" if len(claimed) > 1 else "this entry is"
        return f"{which} 0: a term, or an assignment, is missing"
    usable = np.abs(numeric) > 100 * slack
    if not usable.any():
        return ""
    weights = np.abs(numeric[usable])
    weights = weights / np.max(weights)
    factor = float(np.sum(weights * claimed[usable] / numeric[usable]) / np.sum(weights))
    if np.any(np.abs(claimed - factor * numeric) > _CLOSE * np.abs(claimed) + 2 * slack):
        return ""
    return _factor_words(factor, single=len(claimed) == 1)


def _factor_words(factor: float, *, single: bool) -> str:
    sign = " and the sign is flipped" if factor < 0 else ""
    size = abs(factor)
    if abs(size - 1) < 1e-3:
        return "the sign is flipped"
    if abs(size - 2) < 2e-3:
        return f"twice the truth{sign}: a factor ½ of the loss is missing, or a term counts double"
    if abs(size - 0.5) < 5e-4:
        return f"half the truth{sign}: a factor 2 (of a square, say) is missing"
    for value, words in ((size, "{n} times the truth"), (1 / size, "1/{n} of the truth")):
        n = round(value)
        if 2 < n < _MOST_ROWS and abs(value - n) < 1e-3 * n and not (single and n > 1000):
            why = "a mean and a sum over so many rows or entries are mixed up"
            return f"{words.format(n=n)}{sign}: {why}"
    if single:
        return ""  # one entry has always some factor
    return f"{format_number(factor, 4)} times the truth in every wrong entry"


def _decay(coordinates: Sequence[Coordinate], theta: Array) -> str:
    """Recognise claimed − true = c θ: weight decay on one side only."""
    used = [c for c in coordinates if c.status in {"right", "wrong", "suspicious"}]
    moved = [c for c in used if c.status != "right"]
    if len(moved) < 2:
        return ""
    x = np.array([theta[c.index] for c in moved])
    gap = np.array([c.claimed - c.numeric for c in moved])
    slack = np.array([c.error for c in moved])
    if not x.any():
        return ""
    c = float(x @ gap / (x @ x))
    if np.any(np.abs(gap - c * x) > 1e-3 * np.abs(gap) + 2 * slack) or np.ptp(np.abs(x)) == 0:
        return ""
    size = format_number(abs(c), 4)
    if c < 0:
        return f"{size}·θ is missing: the derivative of a penalty {size}/2·|θ|² that f contains"
    return (
        f"{size}·θ is too much: the derivative of a penalty {size}/2·|θ|² that f does not contain"
    )


def _exchanged(claimed: Array, numeric: Array, slack: Array) -> str:
    """Recognise the right numbers in another order."""
    if len(claimed) < 2:
        return ""
    one, two = np.sort(claimed), np.sort(numeric)
    if np.any(np.abs(one - two) > _CLOSE * np.abs(two) + 2 * np.max(slack)):
        return ""
    if np.allclose(claimed, numeric[::-1], rtol=_CLOSE, atol=2 * float(np.max(slack))):
        return "the right numbers in reverse order"
    return "the right numbers in another order: entries are exchanged"


def transposed(leaf: Leaf, claimed: Array, numeric: Array, slack: float) -> bool:
    """Tell whether a matrix block holds the entries of the transposed gradient.

    Parameters
    ----------
    leaf
        The block and its shape.
    claimed, numeric
        All its entries in order, shape (m n,).
    slack
        What an entry may be off.
    """
    if len(leaf.shape) != 2 or min(leaf.shape) < 2:
        return False
    turned = numeric.reshape(leaf.shape).T.ravel()
    room = _CLOSE * np.abs(turned) + 2 * slack
    return bool(
        np.all(np.abs(claimed - turned) <= room) and np.any(np.abs(claimed - numeric) > room)
    )


def block_of(name: str, size: int, members: Sequence[Coordinate], *, alarm: bool = False) -> Block:
    """Return the report on a block from what was measured in it."""
    counted = [c for c in members if c.status in {"right", "suspicious", "wrong", "unresolved"}]
    claimed = np.array([c.claimed for c in counted])
    numeric = np.array([c.numeric for c in counted])
    largest = float(np.max(np.abs([claimed, numeric]), initial=0.0)) or 1.0
    relative = math.inf
    if math.isfinite(largest):
        one, two = claimed / largest, numeric / largest  # squares of blown-up states overflow
        scale = max(float(np.linalg.norm(one)), float(np.linalg.norm(two))) or 1.0
        relative = float(np.linalg.norm(one - two)) / scale
    wrong, kinks = (sum(c.status == status for c in members) for status in ("wrong", "kink"))
    return Block(name, size, len(members), wrong, kinks, relative, verdict_of(members, alarm=alarm))


def verdict_of(members: Sequence[Coordinate], *, alarm: bool = False) -> str:
    """Return ``correct``, ``suspicious``, ``wrong`` or ``cannot tell`` for some coordinates."""
    statuses: dict[str, float] = {}
    for c in members:
        statuses[c.status] = statuses.get(c.status, 0.0) + abs(c.claimed)
    if "wrong" in statuses:
        return "wrong"
    if "suspicious" in statuses or alarm:
        return "suspicious"
    right = statuses.get("right")
    if right is None or right < statuses.get("unresolved", 0.0):
        return "cannot tell"
    return "correct"
