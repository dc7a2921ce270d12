"""Polynomial inequalities: when all roots lie inside the unit circle, exactly and in symbols.

A characteristic polynomial goes in, whose coefficients are rational functions of a product s (or
of a learning rate) and of further parameters. Out come the inequalities of Schur, Cohn and Jury,
split into factors, without those that the others or the declared ranges imply; at numbers, the
exact set of s.

Sources: Schur (1917); Cohn (1922); Jury (1964), chapter 3; for polynomials that are positive on a
box, Bernstein's coefficients (Farouki 2012).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from convex_analyzer.errors import NotDerivableError

__all__ = ["Inequality", "Range", "inequalities", "is_positive_on", "reduced", "solve"]

# Low and high end (None: infinite), and whether each is left out.
Range = tuple[Any, Any, bool, bool]
EVERYTHING: Range = (None, None, True, True)

_MOST_TERMS = 400  # of a polynomial about which a proof is tried
_DIGITS = 60  # of the numbers that decide a sign; roots of different factors are never so close

AT_ONE = "no root reaches +1"
AT_MINUS_ONE = "no root reaches −1"
PRODUCT = "the product of all roots stays inside the circle"
PAIR = "no complex pair of roots reaches the circle"


@dataclass(frozen=True)
class Inequality:
    """A product of polynomials that must be positive.

    Attributes
    ----------
    factors
        Irreducible polynomials, elements of one ring, whose product must be positive.
    nonzero
        Polynomials that occur as squares: they must not vanish.
    reason
        What happens to the roots where it fails.
    """

    factors: tuple[Any, ...]
    nonzero: tuple[Any, ...]
    reason: str


def inequalities(coefficients: Sequence[Any]) -> list[Inequality]:
    """Return what must hold for every root to lie inside the unit circle.

    Each row of the table loses its first and last entry's difference and sum as conditions: both
    are positive if and only if the next leading entry and this one are. In the last row the sum
    follows from p(1) and p(-1).

    Parameters
    ----------
    coefficients
        From the highest power down, elements of one field of fractions; the first is 1.
    """
    one, degree = coefficients[0], len(coefficients) - 1
    ends = [
        (sum(coefficients[1:], one), AT_ONE),
        (sum((c * (-1) ** i for i, c in enumerate(coefficients[1:], 1)), one), AT_MINUS_ONE),
    ]
    row, prior, raw = list(coefficients), one, ends
    while len(row) > 2:
        reason = PRODUCT if len(row) > degree and degree > 2 else PAIR
        raw.append((row[0] - row[-1], reason))
        if len(row) == 3:
            break
        raw.append((row[0] + row[-1], reason))
        shorter = [row[0] * row[i] - row[-1] * row[-1 - i] for i in range(len(row) - 1)]
        if prior == 0 or row[0] == 0:  # a condition above is then 0 > 0 already
            break
        row, prior = [entry / prior for entry in shorter], row[0]
    return [_factored(value, reason) for value, reason in raw]


def _factored(value: Any, reason: str) -> Inequality:
    """Split a rational function into factors that occur an odd or an even number of times."""
    ring = value.numer.ring
    if value == 0:
        return Inequality((ring.zero,), (), reason)
    sign, counts = 1, dict[Any, int]()
    for part in (value.numer, value.denom):
        number, factors = part.factor_list()
        sign *= sign_of(ring, number)
        for factor, count in factors:
            counts[factor] = counts.get(factor, 0) + count
    odd = [factor for factor, count in counts.items() if count % 2]
    even = [factor for factor, count in counts.items() if count % 2 == 0]
    if sign < 0:
        odd = [-odd[0], *odd[1:]] if odd else [-ring.one]
    return Inequality(tuple(odd), tuple(even), reason)


def sign_of(ring: Any, number: Any) -> int:
    """Return the sign of a number of the ring's domain."""
    value = ring.domain.to_sympy(number)
    if not value.is_Rational:
        value = value.evalf(_DIGITS)
    return int(bool(value > 0)) - int(bool(value < 0))


# -- which are implied -------------------------------------------------------------------------


def reduced(conditions: list[Inequality], ranges: dict[Any, Range]) -> list[Inequality]:
    """Leave out conditions, and factors, that are positive anyhow where the others hold.

    Nothing is left out without a proof, so the result means the same; it may not be the shortest.

    Parameters
    ----------
    conditions
        Over one ring.
    ranges
        Of the ring's symbols; those not named run through all numbers.
    """
    kept = list(dict.fromkeys(conditions))
    changed = True
    while changed:
        changed = False
        for condition in sorted(kept, key=_length, reverse=True):
            place = kept.index(condition)
            others = kept[:place] + kept[place + 1 :]
            simpler = _simplified(condition, _bounds(others), ranges)
            if simpler == condition:
                continue
            changed = True
            empty = not simpler.factors and not simpler.nonzero
            kept = others if empty else [*kept[:place], simpler, *kept[place + 1 :]]
            kept = _distinct(kept)
    return kept


def _distinct(conditions: list[Inequality]) -> list[Inequality]:
    """Keep one of each; the reason of the first stays."""
    found: dict[Any, Inequality] = {}
    for condition in conditions:
        found.setdefault((condition.factors, condition.nonzero), condition)
    return list(found.values())


def _length(condition: Inequality) -> int:
    return sum(len(factor) for factor in (*condition.factors, *condition.nonzero))


def _bounds(conditions: list[Inequality]) -> list[Any]:
    return [condition.factors[0] for condition in conditions if len(condition.factors) == 1]


def _simplified(condition: Inequality, known: list[Any], ranges: dict[Any, Range]) -> Inequality:
    odd, sign = [], 1
    for factor in condition.factors:
        if is_positive_on(factor, ranges, known):
            continue
        if is_positive_on(-factor, ranges, known):
            sign = -sign
        else:
            odd.append(factor)
    even = [
        factor
        for factor in condition.nonzero
        if not is_positive_on(factor, ranges, known) and not is_positive_on(-factor, ranges, known)
    ]
    if sign < 0:
        odd = [-odd[0], *odd[1:]] if odd else [-condition.factors[0].ring.one]
    return replace(condition, factors=tuple(odd), nonzero=tuple(even))


def is_positive_on(polynomial: Any, ranges: dict[Any, Range], known: Sequence[Any] = ()) -> bool:
    """Prove that a polynomial is positive where others are; False means "not proved".

    Parameters
    ----------
    polynomial
        Element of a ring.
    ranges
        Of the ring's symbols.
    known
        Polynomials that are positive.
    """
    ring = polynomial.ring
    if polynomial.is_ground:
        return bool(polynomial) and sign_of(ring, polynomial.LC) > 0
    if len(polynomial) > _MOST_TERMS:
        return False
    if polynomial in known:
        return True
    box = [ranges.get(symbol, EVERYTHING) for symbol in ring.symbols]
    for bound in known:
        box = _tightened(box, bound)
    if _on_box(polynomial, box) or _on_line(polynomial, box):
        return True
    for bound, place in itertools.product(known, range(ring.ngens)):
        moved = _within(polynomial, place, bound, box)
        if moved is not None and len(moved) <= _MOST_TERMS:
            free = [*box[:place], (ring.domain.zero, None, True, True), *box[place + 1 :]]
            if _on_box(moved, free):
                return True
    return False


def _tightened(box: list[Range], bound: Any) -> list[Range]:
    """Use a known bound a x + b > 0 on one symbol."""
    ring = bound.ring
    used = [i for i in range(ring.ngens) if bound.degree(ring.gens[i]) > 0]
    if len(used) != 1 or bound.degree(ring.gens[used[0]]) != 1:
        return box
    place = used[0]
    parts = _by_power(bound, place)
    slope, constant = parts[1].LC, (parts[0].LC if 0 in parts else ring.domain.zero)
    end = -constant / slope
    low, high, open_low, open_high = box[place]
    if sign_of(ring, slope) > 0 and (low is None or sign_of(ring, end - low) >= 0):
        low, open_low = end, True
    elif sign_of(ring, slope) < 0 and (high is None or sign_of(ring, high - end) >= 0):
        high, open_high = end, True
    return [*box[:place], (low, high, open_low, open_high), *box[place + 1 :]]


def _by_power(polynomial: Any, place: int) -> dict[int, Any]:
    """Return the coefficient of each power of one symbol."""
    ring = polynomial.ring
    parts: dict[int, Any] = {}
    for monomial, number in polynomial.terms():
        power = monomial[place]
        rest = (*monomial[:place], 0, *monomial[place + 1 :])
        parts[power] = parts.get(power, ring.zero) + ring.from_dict({rest: number})
    return parts


def _within(polynomial: Any, place: int, bound: Any, box: list[Range]) -> Any:
    """Write x, between its low end and where the bound vanishes, as u runs through (0, ∞)."""
    ring = polynomial.ring
    unknown = ring.gens[place]
    if bound.degree(unknown) != 1 or polynomial.degree(unknown) < 1:
        return None
    parts = _by_power(bound, place)
    slope, rest = parts[1], parts.get(0, ring.zero)
    low = box[place][0]
    if low is not None and _on_box(-slope, box):
        # x = (low + (rest/−slope) u)/(1 + u)
        top, bottom = low * -slope + rest * unknown, -slope * (1 + unknown)
    elif _on_box(slope, box):
        top, bottom = slope * unknown - rest, slope
    else:
        return None
    degree = polynomial.degree(unknown)
    pieces = _by_power(polynomial, place).items()
    return sum((c * top**k * bottom ** (degree - k) for k, c in pieces), ring.zero)


def _on_box(polynomial: Any, box: list[Range]) -> bool:
    """Prove positivity on a box: Bernstein's coefficients are not negative, at corners positive."""
    ring = polynomial.ring
    degrees = [max(polynomial.degree(unknown), 0) for unknown in ring.gens]
    for place, degree in enumerate(degrees):
        if degree:
            low, high, *_ = box[place]
            if low is None and high is None:
                return False
            polynomial = _spread(polynomial, place, low, high)
    if not polynomial or any(sign_of(ring, number) < 0 for number in polynomial.coeffs()):
        return False
    monomials = polynomial.monoms()
    closed = [_closed_ends(box[i], degree) for i, degree in enumerate(degrees)]
    return all(
        any(all(e is None or m[i] == e for i, e in enumerate(corner)) for m in monomials)
        for corner in itertools.product(*closed)
    )


def _on_line(polynomial: Any, box: list[Range]) -> bool:
    """Prove that a polynomial in one symbol is positive, by counting its roots (Sturm)."""
    import sympy

    ring = polynomial.ring
    used = [i for i in range(ring.ngens) if polynomial.degree(ring.gens[i]) > 0]
    if len(used) != 1 or not ring.domain.is_QQ:
        return False
    low, high, *_ = box[used[0]]
    whole = sympy.Poly(polynomial.as_expr(), ring.symbols[used[0]], domain=ring.domain)
    if whole.count_roots(low, high):
        return False
    inner = low if low is not None else high if high is not None else 0
    return bool(whole.eval(sympy.Rational(inner)) > 0)


def _closed_ends(one: Range, degree: int) -> list[int | None]:
    """Return the exponents that survive at each closed end; None where no end is closed."""
    low, high, open_low, open_high = one
    ends: list[int | None] = []
    if degree and low is not None and not open_low:
        ends.append(0)
    if degree and high is not None and not open_high:
        ends.append(degree if low is not None else 0)
    return ends or [None]


def _spread(polynomial: Any, place: int, low: Any, high: Any) -> Any:
    """Rewrite one symbol through u in (0, ∞)."""
    ring = polynomial.ring
    u = ring.gens[place]
    degree = polynomial.degree(u)
    pieces = _by_power(polynomial, place).items()
    if high is None:
        return sum((c * (low + u) ** k for k, c in pieces), ring.zero)
    if low is None:
        return sum((c * (high - u) ** k for k, c in pieces), ring.zero)
    return sum((c * (low + high * u) ** k * (1 + u) ** (degree - k) for k, c in pieces), ring.zero)


# -- one unknown, numbers otherwise ------------------------------------------------------------


def solve(conditions: list[Inequality]) -> Any:
    """Return the open set of the one unknown where all conditions hold, as a SymPy set.

    End points are exact: rational numbers, roots, or SymPy's CRootOf.
    """
    import sympy

    factors = {f for c in conditions for f in (*c.factors, *c.nonzero)}
    if any(not factor for factor in factors):
        return sympy.S.EmptySet
    distinct = {factor.monic() for factor in factors if not factor.is_ground}
    borders = sorted((root for f in distinct for root in _real_roots(f)), key=_number)
    if not borders:
        everywhere = all(_holds(c, sympy.Integer(0)) for c in conditions)
        return sympy.S.Reals if everywhere else sympy.S.EmptySet
    edges = [-sympy.oo, *borders, sympy.oo]
    tried = [(low, high, _between(low, high)) for low, high in itertools.pairwise(edges)]
    pieces = [
        sympy.Interval.open(low, high)
        for low, high, inside in tried
        if all(_holds(c, inside) for c in conditions)
    ]
    return sympy.Union(*pieces) if pieces else sympy.S.EmptySet


def _number(root: Any) -> Any:
    return root.evalf(_DIGITS)


def _between(low: Any, high: Any) -> Any:
    """Return a rational number strictly between two borders."""
    import sympy

    if low.is_infinite:
        return sympy.floor(high) - 1
    if high.is_infinite:
        return sympy.ceiling(low) + 1
    a, b = _number(low), _number(high)
    short = sympy.Rational(((a + b) / 2).evalf(15))
    return short if a < short < b else sympy.Rational((a + b) / 2)


def _holds(condition: Inequality, point: Any) -> bool:
    sign = 1
    for factor in condition.factors:
        ring = factor.ring
        sign *= sign_of(ring, factor.evaluate(0, ring.domain.from_sympy(point)))
    return sign > 0


def _real_roots(polynomial: Any) -> list[Any]:
    """Return the real roots of an irreducible polynomial, exactly."""
    import sympy

    unknown = polynomial.ring.symbols[0]
    whole = sympy.Poly(polynomial.as_expr(), unknown, domain=polynomial.ring.domain)
    if whole.degree() == 1:
        first, last = whole.all_coeffs()
        return [sympy.radsimp(-last / first)]
    if whole.degree() == 2:
        a, b, c = whole.all_coeffs()
        square = sympy.radsimp(b**2 - 4 * a * c)
        if square.evalf(_DIGITS) < 0:
            return []
        return [sympy.radsimp((-b + sign * sympy.sqrt(square)) / (2 * a)) for sign in (-1, 1)]
    if not polynomial.ring.domain.is_QQ:
        raise NotDerivableError(
            f"the border of the stable set is a root of degree {whole.degree()} over irrational "
            "values; give the values as fractions or decimals"
        )
    return list(whole.real_roots())
