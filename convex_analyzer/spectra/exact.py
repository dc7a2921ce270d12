"""Eigenvalues of SymPy matrices: exact where the characteristic polynomial is rational."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ZERO", "exact_eigenvalues"]

_DIGITS = 50
ZERO = 1e-40  # relative; what is left of a zero eigenvalue in 50 digits lies far below


def exact_eigenvalues(
    matrix: Any,
) -> tuple[tuple[Any, ...] | None, npt.NDArray[np.float64], str, str]:
    """Return (exact values or None, float values, kind, method), ascending.

    Rational entries: the characteristic polynomial is factored over the rationals; factors up to
    degree two give closed forms, the roots of others are computed to 50 digits and each is
    certified by a change of sign of the exact polynomial around it. Other numbers (square roots,
    π): 50-digit arithmetic.
    """
    if all(entry.is_Rational for entry in matrix):
        return _from_characteristic_polynomial(matrix)
    import mpmath

    with mpmath.workdps(_DIGITS):
        numbers = mpmath.matrix(
            [[mpmath.mpf(str(entry.evalf(_DIGITS))) for entry in row] for row in matrix.tolist()]
        )
        found = sorted(mpmath.eigsy(numbers, eigvals_only=True))
        values = np.array([float(value) for value in found])
    values[np.abs(values) <= ZERO * np.max(np.abs(values))] = 0.0
    return None, values, "numerical", f"{_DIGITS}-digit Jacobi iteration (mpmath)"


def _from_characteristic_polynomial(
    matrix: Any,
) -> tuple[tuple[Any, ...] | None, npt.NDArray[np.float64], str, str]:
    import sympy

    polynomial = sympy.Poly(matrix.charpoly().as_expr(), matrix.charpoly().gen)
    closed: list[Any] = []
    numbers: list[Any] = []
    certified = True
    for factor, multiplicity in polynomial.factor_list()[1]:
        if factor.degree() <= 2:
            exact = [root for root, count in sympy.roots(factor).items() for _ in range(count)]
            closed += [root for root in exact for _ in range(multiplicity)]
            rounded = [root.evalf(_DIGITS) for root in exact]
        else:
            closed.append(None)
            rounded = factor.nroots(n=_DIGITS, maxsteps=500)
            certified &= all(_changes_sign(factor, root) for root in rounded)
        numbers += [root for root in rounded for _ in range(multiplicity)]
    numbers.sort()
    values = np.array([float(number) for number in numbers])
    exact_values = None if None in closed else tuple(sorted(closed, key=lambda r: r.evalf(_DIGITS)))
    kind = "exact" if certified else "numerical"
    return exact_values, values, kind, "roots of the exact characteristic polynomial"


def _changes_sign(factor: Any, root: Any) -> bool:
    """Prove that a simple real root lies within a relative 1e-30 of a number."""
    import sympy

    if not root.is_real:
        return False
    centre = sympy.Rational(str(root))
    width = abs(centre) * sympy.Rational(1, 10**30)
    return bool(factor.eval(centre - width) * factor.eval(centre + width) < 0)
