"""Double-double numbers: about 32 digits from pairs of float64, in arrays or alone.

A rule such as heavy ball needs ``1 - (1 + mu - alpha*lam) + mu``, which is ``alpha*lam``; in
float64 a step with ``alpha*lam = 1e-12`` loses four digits there, and the discriminant at critical
damping loses all of them. Evaluated in double-double (about 32 digits) the same expression keeps
full float64 precision, whatever the rule, so that 1 - rho and the double roots come out right.

The algorithms are those of Dekker (1971), Numer. Math. 18, 224-242 and Knuth, TAOCP vol. 2, 4.2.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DoubleDouble"]

Array = npt.NDArray[np.float64]

_SPLITTER = 134217729.0  # 2**27 + 1: splits a 53-bit significand into two halves
_LARGE, _SMALL = 2.0**960, 2.0**-900  # beyond these the splitting would over- or underflow


def _two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """Return the rounded sum and its exact rounding error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_product(a: Any, b: Any) -> tuple[Any, Any]:
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


def _ordinary(a: Any) -> bool:
    size = abs(a)
    if isinstance(size, float):
        return not (0 < size <= _SMALL or _LARGE < size < np.inf)  # true of NaN as well
    if ((size > _SMALL) & (size <= _LARGE)).all():
        return True
    largest = float(np.max(size, initial=0.0))
    smallest = float(np.min(size, initial=1.0, where=size > 0))
    # NaN and infinity fail both comparisons below only on the left; they pass through unchanged.
    return not (largest > _LARGE and np.isfinite(largest)) and smallest > _SMALL


def _settled(high: Any, low: Any, plain: Any) -> DoubleDouble:
    """Return a result; where it left the range (its error is then NaN), the float64 one."""
    if isinstance(low, float):
        return DoubleDouble(high, low) if low == low else DoubleDouble(plain)
    lost = np.isnan(low)
    if lost.any():
        high, low = np.where(lost, plain, high), np.where(lost, 0.0, low)
    return DoubleDouble(high, low)


def _parts(a: DoubleDouble, b: DoubleDouble) -> tuple[Any, Any, Any, Any]:
    """Return the four parts; of two single numbers as floats, which are many times as fast."""
    if a.high.ndim or b.high.ndim or a.low.ndim or b.low.ndim:
        return a.high, a.low, b.high, b.low
    return a.high.item(), a.low.item(), b.high.item(), b.low.item()


def _sum(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    a_high, a_low, b_high, b_low = _parts(a, b)
    high, error = _two_sum(a_high, b_high)
    low, error_low = _two_sum(a_low, b_low)
    high, error = _two_sum(high, error + low)
    return _settled(*_two_sum(high, error + error_low), a_high + b_high)


def _product(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    a_high, a_low, b_high, b_low = _parts(a, b)
    high, error = _two_product(a_high, b_high)
    error = error + (a_high * b_low + a_low * b_high)
    return _settled(*_two_sum(high, error), a_high * b_high)


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
        with np.errstate(all="ignore"):
            return _sum(self, self._lift(other))

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
        if other.__class__ is int and abs(other) == 1:  # exact; + 0.0, since -0.0 has no place here
            return DoubleDouble(self.high * other + 0.0, self.low * other + 0.0)
        with np.errstate(all="ignore"):
            return _product(self, self._lift(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if not self._accepts(other):
            return NotImplemented
        other = self._lift(other)
        with np.errstate(all="ignore"):
            first = self.high / other.high
            rest = _sum(self, -_product(other, DoubleDouble(first)))
            second = rest.high / other.high
            third = _sum(rest, -_product(other, DoubleDouble(second))).high / other.high
            result = _sum(DoubleDouble(*_two_sum(first, second)), DoubleDouble(third))
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
