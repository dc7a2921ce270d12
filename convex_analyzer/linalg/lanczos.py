"""Both ends of a large spectrum from products alone.

Plain Lanczos (Lanczos 1950), without reorthogonalisation: the extreme Ritz values converge all the
same (Paige 1971; copies of them that appear later are harmless), with three vectors of memory and
little more work than the products. `convex_analyzer.linalg.lanczos_bounds` says how far a Ritz
value may be from the end of the spectrum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import SpectrumError
from convex_analyzer.linalg.lanczos_bounds import (
    gap_below,
    genuine,
    inverse_mass,
    nearest_to_zero,
    ritz_values,
    values_up_to,
)
from convex_analyzer.linalg.operators import SymmetricOperator

__all__ = [
    "FAILURE",
    "Extremes",
    "extreme_eigenvalues",
    "ordinary",
    "start_vector",
    "tridiagonalise",
]

Array = npt.NDArray[np.float64]

FAILURE = 1e-6  # how seldom a random start may hide an end of the spectrum
_NOT_FINITE = "A v is not finite for a random unit vector v"
_FIRST_CHECK, _GROWTH, _MOST = 40, 1.25, 5000
_GAP = 1e3  # a zero eigenvalue is believed when the next one is this many roundings away
_LOOK = 5  # copies of zero that may wander above it at one time
# Two passes over the vectors per step, tile by tile: a tile of each fits the second-level cache.
_TILE = 32_768


@dataclass(frozen=True)
class Extremes:
    """The two extreme Ritz values, and where the ends of the spectrum may be.

    Attributes
    ----------
    smallest, largest
        Ritz values: λmin is not above the first and λmax is not below the second, up to `rounding`.
    lowest, highest
        λmin is not below the first and λmax is not above the second, up to `rounding`, except for
        one random start in a million (exact arithmetic).
    rounding
        What rounding in the products and the recurrence may have added to each.
    second, second_low
        When the smallest cannot be told from zero but a gap follows: the next eigenvalue, and its
        lower bound; else None.
    near_zero
        When zero lies inside: some eigenvalue is at most this large in size; else None.
    steps
        Number of products.
    converged
        Whether the bounds are as close as was asked for.
    """

    smallest: float
    largest: float
    lowest: float
    highest: float
    rounding: float
    steps: int
    converged: bool
    second: float | None = None
    second_low: float | None = None
    near_zero: float | None = None


def start_vector(size: int, seed: int, index: int = 0) -> Array:
    """Return a random unit vector, uniform on the sphere, (size,)."""
    vector = np.random.Generator(np.random.Philox(key=[seed, index])).standard_normal(size)
    return np.asarray(vector / np.linalg.norm(vector))


class _Scaled(SymmetricOperator):
    """A matrix divided by a power of two, so that squares neither overflow nor underflow."""

    makes_new_arrays = True

    def __init__(self, operator: SymmetricOperator, scale: float) -> None:
        self.operator, self.scale = operator, scale
        self.dimension, self.noise = operator.dimension, operator.noise

    def multiply(self, vectors: Array) -> Array:
        """Return A V over the scale."""
        return np.asarray(self.operator.multiply(vectors) / self.scale)


def ordinary(operator: SymmetricOperator) -> tuple[SymmetricOperator, float]:
    """Return a matrix of ordinary size, and by what to multiply its eigenvalues.

    Raises
    ------
    SpectrumError
        A product overflows, or is not a number.
    """
    with np.errstate(over="ignore"):
        size = operator.norm_bound()
        if size is None:
            size = float(np.max(np.abs(operator.multiply(start_vector(operator.dimension, 0)))))
    if not np.isfinite(size):
        raise SpectrumError(_NOT_FINITE)
    if size == 0 or 1e-100 < size < 1e100:
        return operator, 1.0
    scale = float(2.0 ** (np.frexp(size)[1] - 1))
    return _Scaled(operator, scale), scale


def tridiagonalise(operator: SymmetricOperator, start: Array) -> Iterator[tuple[float, float]]:
    """Yield the diagonal entry and the entry beside it of each Lanczos step, without end.

    Parameters
    ----------
    operator
        The matrix.
    start
        Unit vector (d,); it is overwritten.

    The matrix must be of ordinary size; see `ordinary`.

    Raises
    ------
    SpectrumError
        A product returned numbers that are not finite.
    """
    # Vectors keep their norms, which saves a pass over memory per step: each is one of the basis
    # times `length`.
    vector, previous = start, np.zeros_like(start)
    length, before = 1.0, 1.0
    scratch = np.empty(min(_TILE, len(start)))
    while True:
        product = operator.multiply(vector)
        if not operator.makes_new_arrays:
            product = np.array(product)
        diagonal = _against_previous(product, vector, previous, (length, before), scratch)
        beside = _against_current(product, vector, diagonal / length, scratch)
        if not np.isfinite(beside):
            raise SpectrumError(_NOT_FINITE)
        yield diagonal, beside
        if beside == 0:
            return
        previous, vector, before, length = vector, product, length, beside


def _against_previous(
    product: Array, vector: Array, previous: Array, lengths: tuple[float, float], scratch: Array
) -> float:
    """Divide by the length, subtract the part along the vector before, return that along this."""
    total = 0.0
    inverse, share = 1 / lengths[0], lengths[0] / lengths[1]
    for first in range(0, len(product), _TILE):
        part = product[first : first + _TILE]
        space = scratch[: len(part)]
        part *= inverse
        np.multiply(previous[first : first + _TILE], share, out=space)
        part -= space
        total += float(part @ vector[first : first + _TILE])
    return total * inverse


def _against_current(product: Array, vector: Array, share: float, scratch: Array) -> float:
    """Subtract a multiple of this vector, and return the norm of what is left."""
    total = 0.0
    for first in range(0, len(product), _TILE):
        part = product[first : first + _TILE]
        space = scratch[: len(part)]
        np.multiply(vector[first : first + _TILE], share, out=space)
        part -= space
        total += float(part @ part)
    return float(np.sqrt(total))


def extreme_eigenvalues(operator: SymmetricOperator, tolerance: float, seed: int) -> Extremes:
    """Return the smallest and the largest eigenvalue.

    Parameters
    ----------
    operator
        The matrix.
    tolerance
        Aim: relative error of each. The bounds are then within about its square root.
    seed
        Seed of the random starting vector.

    Raises
    ------
    SpectrumError
        A product returned numbers that are not finite; carries the `Extremes` so far.
    """
    operator, scale = ordinary(operator)
    size = operator.dimension
    diagonal: list[float] = []
    beside: list[float] = []
    check, most = min(_FIRST_CHECK, size), min(_MOST, 4 * size)
    steps = tridiagonalise(operator, start_vector(size, seed))
    try:
        for along, norm in steps:
            diagonal.append(along)
            beside.append(norm)
            last = norm <= 1e-14 * max(map(abs, diagonal)) or len(diagonal) >= most
            if len(diagonal) >= check or last:
                check = int(check * _GROWTH) + 1
                found = _Check(diagonal, beside, size, operator.noise)
                if last or found.is_done(tolerance):
                    break
    except SpectrumError as error:
        if not diagonal:
            raise
        partial = _Check(diagonal, beside, size, operator.noise).extremes(tolerance, scale)
        raise SpectrumError(f"{error} (step {len(diagonal) + 1})", partial=partial) from None
    return found.extremes(tolerance, scale)


class _Check:
    """What is known after some steps."""

    def __init__(self, diagonal: list[float], beside: list[float], size: int, noise: float) -> None:
        self.diagonal, self.beside, self.steps = diagonal, beside, len(diagonal)
        self.smallest, self.largest = ritz_values(diagonal, beside)
        self.size = max(abs(self.smallest), abs(self.largest))
        self.exhausted = beside[-1] <= 1e-14 * self.size or self.size == 0
        self.rounding = 4 * float(np.sqrt(self.steps)) * noise * self.size
        # One end each: half of the failures. A random unit vector has a component smaller than s
        # along a given direction with probability at most s √(2d/π).
        self.limit = float(np.log(2 * size / np.pi) - 2 * np.log(FAILURE / 2))

    def is_done(self, tolerance: float) -> bool:
        width = float(np.sqrt(tolerance))
        if not self._excludes(self.largest, max(width * abs(self.largest), self.rounding), +1):
            return False
        if not self._excludes(self.smallest, max(width * abs(self.smallest), self.rounding), -1):
            return False
        if abs(self.smallest) > self.rounding:
            return True
        found = self._above_zero()
        if found is None:
            return False
        second, residual = found
        if second <= _GAP * self.rounding:
            return True  # no gap: zero cannot be told from what follows
        return residual <= width * second and self._excludes(second, width * second, -1)

    def _excludes(self, end: float, distance: float, side: int) -> bool:
        """Tell whether an eigenvalue at this distance outside would have been seen."""
        if self.exhausted:
            return True
        place = end + side * distance
        return inverse_mass(self.diagonal, self.beside, place) >= self.limit

    def _above_zero(self) -> tuple[float, float] | None:
        """Return the first Ritz value above zero, with its residual; copies do not count."""
        zeros = values_up_to(self.diagonal, self.beside, self.rounding)
        found = genuine(self.diagonal, self.beside, zeros, zeros + _LOOK, self.limit)
        return found[0] if found else None

    def _second(self) -> tuple[float | None, float | None]:
        """Return the eigenvalue after zero and its lower bound, if there is a gap."""
        found = self._above_zero() if abs(self.smallest) <= self.rounding else None
        if found is None or found[0] <= _GAP * self.rounding or found[1] > found[0] / 2:
            return None, None
        second, residual = found
        if self.exhausted:
            return second, second
        gap = gap_below(self.diagonal, self.beside, second, second / 2, self.limit)
        return second, second - max(gap, residual)

    def extremes(self, tolerance: float, scale: float) -> Extremes:
        """Return all that is known, in one object, in units of which the matrix was freed."""
        low, high = (0.0, 0.0) if self.exhausted else self._gaps()
        second, second_low = self._second()
        inside = self.smallest < -self.rounding and self.largest > self.rounding
        near = nearest_to_zero(self.diagonal, self.beside, self.limit) if inside else None
        return Extremes(
            smallest=self.smallest * scale,
            largest=self.largest * scale,
            lowest=(self.smallest - low) * scale,
            highest=(self.largest + high) * scale,
            rounding=self.rounding * scale,
            steps=self.steps,
            converged=self.is_done(tolerance),
            second=None if second is None else second * scale,
            second_low=None if second_low is None else second_low * scale,
            near_zero=None if near is None else min(near, self.size) * scale,
        )

    def _gaps(self) -> tuple[float, float]:
        most = 1e12 * (self.largest - self.smallest + self.rounding)
        below = gap_below(self.diagonal, self.beside, self.smallest, most, self.limit)
        mirrored = [-entry for entry in self.diagonal]
        return below, gap_below(mirrored, self.beside, -self.largest, most, self.limit)
