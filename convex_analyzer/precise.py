"""Numbers that lose nothing: double-doubles for curves, rational polynomials for stability sets.

A rule such as heavy ball needs ``1 - (1 + mu - alpha*lam) + mu``, which is ``alpha*lam``; in
float64 a step with ``alpha*lam = 1e-12`` loses four digits there, and the discriminant at critical
damping loses all of them. Evaluated in double-double (about 32 digits) the same expression keeps
full float64 precision, whatever the rule, so that 1 - rho and the double roots come out right.

The algorithms are those of Dekker (1971), Numer. Math. 18, 224-242 and Knuth, TAOCP vol. 2, 4.2.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DoubleDouble", "Polynomial"]

Array = npt.NDArray[np.float64]

_SPLITTER = 134217729.0  # 2**27 + 1: splits a 53-bit significand into two halves
_END = Fraction(float(np.finfo(float).max))
_MOST_HALVINGS = 2200  # from the whole range of float64 down to neighbouring numbers
_LARGE, _SMALL = 2.0**960, 2.0**-900  # beyond these the splitting would over- or underflow


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the rounded sum and its exact rounding error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the rounded product and its exact rounding error."""
    if not (_ordinary(a) and _ordinary(b)):
        (a, exponent_a), (b, exponent_b) = np.frexp(a), np.frexp(b)
        product, error = _two_product(a, b)
        exponent = exponent_a + exponent_b
        return np.ldexp(product, exponent), np.ldexp(error, exponent)
    product = a * b
    split = _SPLITTER * a
    a_high = split - (split - a)
    a_low = a - a_high
    split = _SPLITTER * b
    b_high = split - (split - b)
    b_low = b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _settled(high: Array, low: Array, plain: Array) -> DoubleDouble:
    """Return a result; where it left the range (its error is then NaN), the float64 one."""
    lost = np.isnan(low)
    if lost.any():
        high, low = np.where(lost, plain, high), np.where(lost, 0.0, low)
    return DoubleDouble(high, low)


def _ordinary(a: Array) -> bool:
    size = np.abs(a)
    largest = float(np.max(size, initial=0.0))
    smallest = float(np.min(size, initial=1.0, where=size > 0))
    # NaN and infinity fail both comparisons below only on the left; they pass through unchanged.
    return not (largest > _LARGE and np.isfinite(largest)) and smallest > _SMALL


class DoubleDouble:
    """An array of double-double numbers ``high + low`` with ``|low| <= ulp(high) / 2``.

    Parameters
    ----------
    high
        Leading parts, any shape.
    low
        Trailing parts, broadcast against `high`.

    Examples
    --------
    >>> x = DoubleDouble(1.0) + 1e-20
    >>> (x - 1.0).to_float()
    np.float64(1e-20)
    """

    __array_ufunc__ = None  # ndarray * DoubleDouble comes to __rmul__
    __slots__ = ("high", "low")
    __hash__ = None  # type: ignore[assignment]  # arrays of numbers are not hashable

    def __init__(self, high: npt.ArrayLike, low: npt.ArrayLike = 0.0) -> None:
        self.high: Array = np.asarray(high, dtype=np.float64)
        self.low: Array = np.asarray(low, dtype=np.float64)

    @staticmethod
    def _lift(other: Any) -> DoubleDouble:
        return other if isinstance(other, DoubleDouble) else DoubleDouble(other)

    @staticmethod
    def _accepts(other: Any) -> bool:
        return isinstance(other, (DoubleDouble, float, int, np.ndarray, np.generic))

    def __float__(self) -> float:
        return float(self.to_float())

    def to_float(self) -> Array:
        """Round to float64."""
        return self.high + self.low

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the leading parts."""
        return self.high.shape

    def __add__(self, other: Any) -> Any:
        if not self._accepts(other):
            return NotImplemented
        other = self._lift(other)
        with np.errstate(all="ignore"):
            high, error = _two_sum(self.high, other.high)
            low, error_low = _two_sum(self.low, other.low)
            high, error = _two_sum(high, error + low)
            return _settled(*_two_sum(high, error + error_low), self.high + other.high)

    __radd__ = __add__

    def __neg__(self) -> DoubleDouble:
        return DoubleDouble(-self.high, -self.low)

    def __sub__(self, other: Any) -> Any:
        if not self._accepts(other):
            return NotImplemented
        return self + (-self._lift(other))

    def __rsub__(self, other: Any) -> Any:
        return self._lift(other) + (-self)

    def __mul__(self, other: Any) -> Any:
        if not self._accepts(other):
            return NotImplemented
        other = self._lift(other)
        with np.errstate(all="ignore"):
            high, error = _two_product(self.high, other.high)
            error = error + (self.high * other.low + self.low * other.high)
            return _settled(*_two_sum(high, error), self.high * other.high)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if not self._accepts(other):
            return NotImplemented
        other = self._lift(other)
        with np.errstate(all="ignore"):
            first = self.high / other.high
            rest = self - other * first
            second = rest.high / other.high
            third = (rest - other * second).high / other.high
            result = DoubleDouble(*_two_sum(first, second)) + third
            return _settled(result.high, result.low + 0 * result.high, first)

    def __rtruediv__(self, other: Any) -> Any:
        return self._lift(other) / self

    def __pow__(self, exponent: Any) -> DoubleDouble:
        if exponent == 0.5:  # most update rules write the square root as a power
            return self.sqrt()
        if exponent != int(exponent):
            # A general real power is only ever needed of hyper-parameters; float64 is enough there.
            return DoubleDouble(self.to_float() ** exponent)
        result, base, count = DoubleDouble(np.ones_like(self.high)), self, abs(int(exponent))
        while count:
            if count & 1:
                result = result * base
            base, count = base * base, count >> 1
        return 1.0 / result if exponent < 0 else result

    def __lt__(self, other: Any) -> Any:
        return self.to_float() < self._lift(other).to_float()

    def __le__(self, other: Any) -> Any:
        return self.to_float() <= self._lift(other).to_float()

    def __gt__(self, other: Any) -> Any:
        return self.to_float() > self._lift(other).to_float()

    def __ge__(self, other: Any) -> Any:
        return self.to_float() >= self._lift(other).to_float()

    def sqrt(self) -> DoubleDouble:
        """Square root, by one Newton step on the float64 root."""
        with np.errstate(all="ignore"):
            root = np.sqrt(self.high)
            safe = np.where(root > 0, root, 1.0)
            rest = self - DoubleDouble(*_two_product(root, root))
            correction = np.where(root > 0, rest.to_float() / (2 * safe), 0.0)
            return _settled(*_two_sum(root, correction), root)

    def _op_sqrt(self, x: DoubleDouble) -> DoubleDouble:
        return x.sqrt()

    def _op_absolute(self, x: DoubleDouble) -> DoubleDouble:
        sign = np.where(x.high < 0, -1.0, 1.0)
        return DoubleDouble(x.high * sign, x.low * sign)

    def _op_maximum(self, x: Any, y: Any) -> DoubleDouble:
        x, y = self._lift(x), self._lift(y)
        first = (x - y).high >= 0
        return DoubleDouble(np.where(first, x.high, y.high), np.where(first, x.low, y.low))

    def __repr__(self) -> str:
        return f"DoubleDouble({self.high!r}, {self.low!r})"


class Polynomial:
    """A polynomial in one unknown with exact rational coefficients.

    Small and exact: what a rule becomes when its learning rate (or the eigenvalue) is left open, so
    that stability conditions are polynomial inequalities with exact signs.

    Parameters
    ----------
    coefficients
        Numbers from the constant term upwards; float64 values are taken exactly.

    Examples
    --------
    >>> x = Polynomial([0, 1])
    >>> ((1 - x) * (1 + x)).coefficients
    (Fraction(1, 1), Fraction(0, 1), Fraction(-1, 1))
    """

    __array_ufunc__ = None
    __slots__ = ("coefficients",)

    def __init__(self, coefficients: Iterable[Any]) -> None:
        exact = [Fraction(value) for value in coefficients]
        while len(exact) > 1 and exact[-1] == 0:
            exact.pop()
        self.coefficients: tuple[Fraction, ...] = tuple(exact) or (Fraction(0),)

    @property
    def degree(self) -> int:
        """Highest power with a non-zero coefficient."""
        return len(self.coefficients) - 1

    @staticmethod
    def _lift(other: Any) -> Polynomial | None:
        if isinstance(other, Polynomial):
            return other
        try:
            return Polynomial([other])
        except (TypeError, ValueError, OverflowError):
            return None  # not a number: let the other operand answer

    def __add__(self, other: Any) -> Any:
        lifted = self._lift(other)
        if lifted is None:
            return NotImplemented
        pairs = zip_longest(self.coefficients, lifted.coefficients, fillvalue=Fraction(0))
        return Polynomial([a + b for a, b in pairs])

    __radd__ = __add__

    def __neg__(self) -> Polynomial:
        return Polynomial([-a for a in self.coefficients])

    def __sub__(self, other: Any) -> Any:
        lifted = self._lift(other)
        return NotImplemented if lifted is None else self + (-lifted)

    def __rsub__(self, other: Any) -> Any:
        return (-self) + other

    def __mul__(self, other: Any) -> Any:
        lifted = self._lift(other)
        if lifted is None:
            return NotImplemented
        product = [Fraction(0)] * (self.degree + lifted.degree + 1)
        for i, a in enumerate(self.coefficients):
            for j, b in enumerate(lifted.coefficients):
                product[i + j] += a * b
        return Polynomial(product)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        lifted = self._lift(other)
        if lifted is None:
            return NotImplemented
        if lifted.degree:
            message = "a division by the learning rate or the eigenvalue"
            raise TypeError(message)
        return self * (1 / lifted.coefficients[0])

    def __pow__(self, exponent: int) -> Polynomial:
        if exponent != int(exponent) or exponent < 0:
            message = "a power of the learning rate or the eigenvalue that is not a whole number"
            raise TypeError(message)
        result = Polynomial([1])
        for _ in range(int(exponent)):
            result = result * self
        return result

    def __eq__(self, other: object) -> bool:
        lifted = self._lift(other)
        return lifted is not None and lifted.coefficients == self.coefficients

    def __hash__(self) -> int:
        return hash(self.coefficients)

    def __call__(self, x: Fraction | float) -> Fraction:
        """Evaluate exactly."""
        total, point = Fraction(0), Fraction(x)
        for a in reversed(self.coefficients):
            total = total * point + a
        return total

    def derivative(self) -> Polynomial:
        """Return the derivative."""
        return Polynomial([i * a for i, a in enumerate(self.coefficients)][1:])

    def _without_repeated_roots(self) -> Polynomial:
        """Return the polynomial divided by its common factor with its derivative (Euclid)."""
        first, second = self, self.derivative()
        while any(second.coefficients):
            first, second = second, first._divided_by(second)[1]
        return self._divided_by(first)[0] if first.degree else self

    def _divided_by(self, other: Polynomial) -> tuple[Polynomial, Polynomial]:
        """Return quotient and remainder; the remainder is scaled, so that numbers stay short."""
        rest, quotient = list(self.coefficients), [Fraction(0)] * (self.degree + 1)
        for shift in range(self.degree - other.degree, -1, -1):
            factor = quotient[shift] = rest[shift + other.degree] / other.coefficients[-1]
            for i, a in enumerate(other.coefficients):
                rest[shift + i] -= factor * a
        left = Polynomial(rest[: other.degree])
        return Polynomial(quotient), left / left.coefficients[-1] if any(rest) else left

    def real_roots(self) -> list[float]:
        """Return the distinct real roots that float64 can hold, ascending, each rounded to it.

        They are isolated exactly, by signs of rational numbers between roots of the derivative.

        Examples
        --------
        >>> x = Polynomial([0, 1])
        >>> ((x - 1) ** 2 * (x - 3)).real_roots()
        [1.0, 3.0]
        """
        if (simple := self._without_repeated_roots()).degree < self.degree:
            return simple.real_roots()
        if self.degree <= 1:
            exact = [-self.coefficients[0] / self.coefficients[1]] if self.degree else []
            return [float(root) for root in exact if abs(root) <= _END]
        bound = min(1 + max(abs(a / self.coefficients[-1]) for a in self.coefficients), _END)
        turns = [Fraction(x) for x in self.derivative().real_roots() if abs(x) < bound]
        rough = self._rough_roots()
        roots = []
        for low, high in pairwise([-bound, *turns, bound]):
            if self(low) == 0:
                roots.append(float(low))
            elif self(low) * self(high) < 0:
                roots.append(self._bisect(*self._narrow(low, high, rough)))
        return roots

    def _rough_roots(self) -> list[float]:
        scale = max(abs(a) for a in self.coefficients)
        with np.errstate(all="ignore"):
            try:
                found = np.roots([float(a / scale) for a in reversed(self.coefficients)])
            except np.linalg.LinAlgError:  # coefficients too far apart for a companion matrix
                return []
        return [float(root) for root in found.real if np.isfinite(root)]

    def _narrow(self, low: Fraction, high: Fraction, rough: list[float]) -> tuple[Fraction, ...]:
        """Shrink an interval with a root by guesses, which only save halvings."""
        for guess in (Fraction(root) for root in rough):
            for width in (Fraction(1, 2**50), Fraction(1, 2**36)) if low < guess < high else ():
                a = max(low, guess - abs(guess) * width)
                b = min(high, guess + abs(guess) * width)
                if self(a) * self(b) < 0:
                    return a, b
        return low, high

    def _bisect(self, low: Fraction, high: Fraction) -> float:
        """Return the one root between two points of opposite sign."""
        rising = self(low) < 0
        for _ in range(_MOST_HALVINGS):
            middle = (low + high) / 2
            value = self(middle)
            if value == 0 or float(low) == float(high):
                return float(middle)
            low, high = (middle, high) if (value < 0) == rising else (low, middle)
        return float(high)

    def __repr__(self) -> str:
        return f"Polynomial({[str(a) for a in self.coefficients]})"
