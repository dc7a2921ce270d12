"""Algebraic numbers: roots of polynomials with their moduli, and signs decided exactly."""

from __future__ import annotations

from typing import Any

from convex_analyzer.errors import NotDerivableError

__all__ = ["DIGITS", "plain", "roots_of", "sign"]

DIGITS = 60  # of the numbers that order algebraic ones


def roots_of(polynomial: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """Return the roots of a monic polynomial with multiplicity, each with its modulus."""
    import sympy

    if len(polynomial) <= 3:
        return _of_degree_two(polynomial)
    if not all(c.is_Rational for c in polynomial):
        raise NotDerivableError(
            "with three or more slots exact roots need rational settings and eigenvalues"
        )
    found = []
    for factor, count in sympy.Poly(polynomial, sympy.Dummy("z")).factor_list()[1]:
        monic = tuple(factor.monic().all_coeffs())
        if len(monic) > 4:
            raise NotDerivableError(
                "the characteristic polynomial has an irreducible factor of degree "
                f"{len(monic) - 1}, whose roots are no help; analyze gives them in float64"
            )
        found += count * (_of_degree_two(monic) if len(monic) <= 3 else _of_cubic(factor, monic))
    return found


def _of_degree_two(polynomial: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    import sympy

    if len(polynomial) == 2:
        roots, pair = [plain(-polynomial[1])], None
    else:
        trace, determinant = -polynomial[1], polynomial[2]
        square = plain(trace**2 - 4 * determinant)
        unit, pair = (sympy.I, plain(sympy.sqrt(determinant))) if sign(square) < 0 else (1, None)
        half = unit * plain(sympy.sqrt(abs(square))) / 2
        roots = [plain(trace / 2 + half), plain(trace / 2 - half)]
    return [(r, pair if pair is not None else (r if sign(r) >= 0 else -r)) for r in roots]


def _of_cubic(factor: Any, monic: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """Return three roots; the modulus of a complex pair follows from the real one."""
    import sympy

    roots = [sympy.CRootOf(factor, i) for i in range(3)]
    real = [r for r in roots if r.is_real]
    pair = sympy.sqrt(-monic[3] / real[0]) if len(real) == 1 else None
    return [(r, abs(r) if r.is_real or pair is None else pair) for r in roots]


def plain(value: Any) -> Any:
    """Return a number without roots in denominators, nested roots taken apart where possible."""
    import sympy

    found = sympy.sympify(value)
    if found.is_Rational or found.has(sympy.CRootOf):
        return found
    return sympy.sqrtdenest(sympy.radsimp(sympy.expand(found)))


def sign(value: Any) -> int:
    """Return the sign of an algebraic number, zero decided exactly."""
    import sympy

    found = sympy.sympify(value)
    if found.is_Rational:
        return int(found.p > 0) - int(found.p < 0)
    decimal = found.evalf(DIGITS)
    if abs(decimal) < sympy.Float(10) ** (8 - DIGITS) and found.equals(0):
        return 0
    return 1 if decimal > 0 else -1
