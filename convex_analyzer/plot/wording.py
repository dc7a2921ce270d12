"""Numbers and names as figures write them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from convex_analyzer.tables import format_count, format_number

if TYPE_CHECKING:
    from convex_analyzer.comparison import Entry

__all__ = [
    "count_text",
    "factor_text",
    "name_of",
    "rate_text",
    "shown_steps",
    "subscript",
    "times_text",
]

_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def subscript(number: int) -> str:
    """Write a number as an index.

    Examples
    --------
    >>> "λ" + subscript(12)
    'λ₁₂'
    """
    return str(number).translate(_LOW)


def rate_text(one_minus_rate: float, digits: int = 3) -> str:
    """Write a factor per step, as 1 − x when it is too near 1 for its digits to say anything.

    Examples
    --------
    >>> rate_text(0.366), rate_text(8.5e-20), rate_text(-0.4)
    ('0.634', '1 − 8.5e−20', '1.4')
    """
    w = one_minus_rate
    if 1e-30 < abs(w) < 5e-4:
        return f"1 {'−' if w > 0 else '+'} {format_number(abs(w), 2)}"
    return format_number(1 - w, digits) if abs(1 - w) > 1e-12 else "0"


def times_text(one_minus_rate: float, digits: int = 3) -> str:
    """Write what a step does to an error, ×0.9.

    Examples
    --------
    >>> times_text(0.366), times_text(8.5e-20)
    ('×0.634', '×(1 − 8.5e−20)')
    """
    text = rate_text(one_minus_rate, digits)
    return f"×({text})" if " " in text else f"×{text}"


def factor_text(root: complex, one_minus_rate: float, digits: int = 3) -> str:
    """Write the dominant root of a direction: real ones with a sign, complex pairs by their size.

    Examples
    --------
    >>> factor_text(-0.905 + 0j, 0.095), factor_text(0.5 + 0.5j, 1 - 0.5**0.5)
    ('−0.905', '|0.707|')
    """
    size = rate_text(one_minus_rate, digits)
    if abs(root.imag) > 1e-9 * abs(root):
        return f"|{size}|"
    if root.real >= 0 or size == "0":
        return size
    return f"−({size})" if " " in size else f"−{size}"


def name_of(index: int, eigenvalue: float) -> str:
    """Write a direction with its eigenvalue.

    Examples
    --------
    >>> name_of(0, 0.2)
    'λ₁ = 0.2'
    """
    return f"λ{subscript(index + 1)} = {format_number(eigenvalue, 4)}"


def shown_steps(entry: Entry) -> int | None:
    """Return the steps that an optimizer needs: predicted, else counted."""
    found = entry.predicted_steps
    return found if found is not None else entry.simulated_steps


def count_text(count: Any) -> str:
    """Write a number of steps with its noun.

    Examples
    --------
    >>> count_text(1), count_text(23873), count_text(1.8e19)
    ('1 step', '23,873 steps', '1.8e19 steps')
    """
    return f"{format_count(count)} step{'' if count == 1 else 's'}"


def per_digit(one_minus_rate: float) -> float:
    """Return the steps that reduce an error to a tenth; infinite when it does not shrink.

    Examples
    --------
    >>> round(per_digit(0.1), 2), per_digit(0.0)
    (21.85, inf)
    """
    if one_minus_rate <= 0:
        return math.inf
    if one_minus_rate >= 1:
        return 0.0
    return math.log(10) / -math.log1p(-one_minus_rate)
