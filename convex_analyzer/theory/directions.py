"""What a method does along each eigendirection, as columns and as a table."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.spectra.spectrum import SHOWN
from convex_analyzer.tables import Table, format_factor, format_number
from convex_analyzer.theory.modes import Modes

__all__ = ["Direction", "Directions", "format_root"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Direction:
    """What a method does along one eigendirection.

    Attributes
    ----------
    eigenvalue
        λ.
    factors
        Roots of the characteristic polynomial, largest first.
    regime
        In words.
    rate
        max|root|: the factor per step in the long run.
    half_life
        Steps per halving of the error; None where it does not shrink.
    """

    eigenvalue: float
    factors: tuple[complex, ...]
    regime: str
    rate: float
    half_life: float | None


class Directions:
    """Columns over all eigendirections, in ascending order of λ; ``[i]`` gives one of them."""

    def __init__(self, modes: Modes) -> None:
        self._modes = modes

    def __len__(self) -> int:
        return len(self._modes.eigenvalues)

    @property
    def eigenvalue(self) -> Array:
        """λ, shape (n,)."""
        return self._modes.eigenvalues

    @property
    def factors(self) -> npt.NDArray[np.complex128]:
        """Roots, largest first, shape (n, slots)."""
        return self._modes.roots

    @property
    def rate(self) -> Array:
        """max|root|, shape (n,)."""
        return self._modes.rates

    @functools.cached_property
    def regime(self) -> list[str]:
        """What each direction does, in words."""
        return self._modes.regimes()

    @functools.cached_property
    def half_life(self) -> Array:
        """Steps per halving, shape (n,); infinite where the error does not shrink."""
        with np.errstate(all="ignore"):
            log = np.log1p(-np.minimum(self._modes.one_minus_rate, 1.0))
            return np.where(log < 0, math.log(0.5) / np.where(log < 0, log, -1.0), np.inf)

    def __getitem__(self, index: int) -> Direction:
        half = float(self.half_life[index])
        single = self._modes.regime(index)
        return Direction(
            float(self.eigenvalue[index]),
            tuple(complex(root) for root in self.factors[index]),
            single,
            float(self.rate[index]),
            half if math.isfinite(half) else None,
        )

    def head(self, count: int = 5) -> list[Direction]:
        """Return the first few."""
        return [self[i] for i in range(min(count, len(self)))]

    @property
    def table(self) -> Table:
        """The columns as a table; beyond 40 directions only both ends."""
        size = len(self)
        shown = list(range(size))
        if size > SHOWN:
            shown = [*range(SHOWN // 4), *range(size - SHOWN // 4, size)]
        rows = tuple(self._row(i) for i in shown)
        note = (f"{size - len(shown)} directions between are not shown.",) if size > SHOWN else ()
        columns = ("direction", "eigenvalue λ", "factor per step", "rate ρ", "half-life", "regime")
        return Table(columns, rows, notes=note)

    def _row(self, i: int) -> tuple[str, ...]:
        one = self[i]
        half = "–" if one.half_life is None else format_number(one.half_life, 3)
        return (
            f"q{i + 1}",
            format_number(one.eigenvalue),
            format_root(one.factors[0], float(self._modes.one_minus_rate[i])),
            format_factor(one.rate, float(self._modes.one_minus_rate[i])),
            half,
            one.regime,
        )


def format_root(root: complex, distance: float) -> str:
    """Write a root: a real one with its sign, a complex pair as modulus and angle.

    Parameters
    ----------
    root
        The root.
    distance
        1 - |root|.
    """
    if abs(root) < 1e-14:
        return "0"
    if abs(root.imag) <= 1e-9 * abs(root):
        return format_factor(root.real, distance)
    angle = math.degrees(math.atan2(abs(root.imag), root.real))
    return f"{format_factor(abs(root), distance, 4)} ∠ ±{format_number(angle, 3)}°"
