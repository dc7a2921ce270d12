"""Polynomials in one unknown with exact rational coefficients, and their real roots."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np

__all__ = ["Polynomial"]

_END = Fraction(float(np.finfo(float).max))
_MOST_HALVINGS = 2200  # from the whole range of float64 down to neighbouring numbers


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
