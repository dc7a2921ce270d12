"""Where axes are marked, and what is written there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convex_analyzer.tables import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

__all__ = ["Ticks", "linear_ticks", "log_ticks", "set_ticks"]


_MINOR = 36  # more marks without text than this say nothing
_STRIDES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100, 200)


@dataclass(frozen=True)
class Ticks:
    """Marks of one axis.

    Attributes
    ----------
    positions, labels
        Marks with text, in ascending order.
    minor
        Marks without.
    """

    positions: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    minor: tuple[float, ...] = ()


def _written(positions: list[float], minor: list[float] | None = None) -> Ticks:
    labels = tuple(format_number(position) for position in positions)
    return Ticks(tuple(positions), labels, tuple(minor or ()))


def _power(exponent: int) -> str:
    """Write a power of ten; from a thousand on, and to a thousandth, as 1e3."""
    return format_number(10.0**exponent) if abs(exponent) < 3 else f"1e{exponent}".replace("-", "−")


def linear_ticks(low: float, high: float, most: int = 6) -> Ticks:
    """Return at most `most` marks at round numbers in [low, high].

    Examples
    --------
    >>> linear_ticks(0.0, 0.47).labels
    ('0', '0.1', '0.2', '0.3', '0.4')
    >>> linear_ticks(0.0, 2.3e-11).labels
    ('0', '5e−12', '1e−11', '1.5e−11', '2e−11')
    """
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return _written([low] if math.isfinite(low) else [])
    power = 10.0 ** math.floor(math.log10(span / most))
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            break
    return _written([float(f"{k * step:.12g}") for k in range(first, last + 1)])


def log_ticks(low: float, high: float, most: int = 6) -> Ticks:
    """Return at most `most` marks for a logarithmic axis over [low, high], written 1e−6.

    Powers of ten where at least two fit; else the 1-2-5 series; else round numbers.

    Examples
    --------
    >>> log_ticks(1e-12, 3.0).labels
    ('1e−12', '1e−9', '1e−6', '1e−3', '1')
    >>> log_ticks(0.3, 7.0).labels
    ('0.5', '1', '2', '5')
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first >= 1:
        return _decades(low, high, first, last, most)
    tens = range(first - 1, last + 2)
    fine = [digit * 10.0**n for n in tens for digit in range(1, 10)]
    minor = [value for value in fine if low <= value <= high]
    some = [digit * 10.0**n for n in tens for digit in (1, 2, 5)]
    positions = [value for value in some if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
    if len(positions) < 2:
        return linear_ticks(low, high, min(most, 4))
    positions = positions[:: math.ceil(len(positions) / most)]
    return _written(positions, [v for v in minor if v not in positions])


def _decades(low: float, high: float, first: int, last: int, most: int) -> Ticks:
    stride = math.ceil((last - first + 1) / most)
    if stride > 1:
        stride = next(round_one for round_one in _STRIDES if round_one >= stride)
    powers = range(first, last + 1)
    marked = [n for n in powers if n % stride == 0]
    marked = marked if len(marked) > 1 else [first, last]
    minor = [10.0**n for n in powers if n not in marked]
    if stride == 1:
        minor = [digit * 10.0**n for n in range(first - 1, last + 1) for digit in range(2, 10)]
    minor = [value for value in minor if low <= value <= high]
    return Ticks(
        tuple(10.0**n for n in marked),
        tuple(_power(n) for n in marked),
        tuple(minor) if len(minor) <= _MINOR else (),
    )


def set_ticks(axes: Axes, which: str, ticks: Ticks) -> None:
    """Put marks on the ``"x"`` or ``"y"`` axis; Matplotlib makes them when it draws."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter

    axis: Axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(ticks.positions))
    axis.set_major_formatter(FixedFormatter(ticks.labels))
    axis.set_minor_locator(FixedLocator(ticks.minor))
    axis.set_minor_formatter(NullFormatter())
