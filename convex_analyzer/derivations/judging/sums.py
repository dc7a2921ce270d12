"""Sums with symbolic bounds in the normal form: polynomials times powers have closed forms."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING, Any

from convex_analyzer.derivations.judging.field import ANY, Generator
from convex_analyzer.derivations.judging.polynomials import (
    ONE,
    ZERO,
    Monomial,
    Quotient,
    TooLarge,
    constant,
    generator,
    monomial_product,
)
from convex_analyzer.derivations.judging.powers import inside_of, raised
from convex_analyzer.derivations.judging.settle import settled

if TYPE_CHECKING:
    from convex_analyzer.derivations.judging.normal import Normalizer

__all__ = ["summed"]

_LONGEST = 24  # terms of a sum that is written out
_HIGHEST = 4  # power of the index in a closed form
_FARTHEST = 4  # k + 4 as a bound is k, and four terms more


def summed(normal: Normalizer, e: Any) -> Quotient:
    """Return the normal form of a sum.

    Raises
    ------
    TooLarge
        There are no bounds, or too many terms.
    """
    sp = normal.sympy
    if any(len(limit) != 3 for limit in e.limits):
        raise TooLarge
    if len(e.limits) > 1:
        from convex_analyzer.derivations.judging.normal import HELD

        inner = sp.Function(HELD)(e.func(e.function, *e.limits[:-1]))
        return summed(normal, e.func(inner, e.limits[-1]))
    index, low, high = e.limits[0]
    if high is sp.oo:
        return _endless(normal, e, index, low)
    count = sp.expand(high - low)
    if count.is_Integer:
        if not -1 <= int(count) <= _LONGEST:
            raise TooLarge
        return _terms(normal, e.function, index, [low + j for j in range(int(count) + 1)])
    closed_form = _closed(normal, e.function, index, low, high)
    if closed_form is not None:
        return closed_form
    return _from_zero(normal, e, index, low, high) or _shortened(normal, e, index, low, high)


def _endless(normal: Normalizer, e: Any, index: Any, low: Any) -> Quotient:
    """Return an endless sum that converges."""
    sp = normal.sympy
    closed_form = _closed(normal, e.function, index, low, None)
    if closed_form is not None:
        return closed_form
    closed = e.doit(deep=False)
    if closed.has(sp.Sum, sp.Piecewise):
        raise TooLarge
    return normal.scalar(closed)


def _from_zero(normal: Normalizer, e: Any, index: Any, low: Any, high: Any) -> Quotient | None:
    """Return a sum from 1 on as that from 0 on, less what is not there, if that exists."""
    if not low.is_Integer or not 0 < int(low) <= _FARTHEST:
        return None
    places = [normal.sympy.Integer(j) for j in range(int(low))]
    try:
        missing = _terms(normal, e.function, index, places)
        return summed(normal, e.func(e.function, (index, 0, high))) - missing
    except (TooLarge, ZeroDivisionError):
        return None


def _shortened(normal: Normalizer, e: Any, index: Any, low: Any, high: Any) -> Quotient:
    """Return a sum up to k + 2 as that up to k, and two terms more."""
    shift = settled(high).as_coeff_Add()[0]
    if not shift.is_Integer or not 0 < abs(shift) <= _FARTHEST:
        return _opaque(normal, e.function, index, low, high)
    steps = range(1, int(shift) + 1) if shift > 0 else range(int(shift) + 1, 1)
    extra = _terms(normal, e.function, index, [high - shift + j for j in steps])
    rest = _opaque(normal, e.function, index, low, high - shift)
    return rest + extra if shift > 0 else rest - extra


def _terms(normal: Normalizer, body: Any, index: Any, values: list[Any]) -> Quotient:
    total = ZERO
    for value in values:
        total = total + normal.scalar(body.subs(index, value))
    return total


def _opaque(normal: Normalizer, body: Any, index: Any, low: Any, high: Any) -> Quotient:
    """Return a sum as a generator; factors without the index stand before it."""
    sp, field = normal.sympy, normal.field
    own = _own(sp, body)
    term = normal.scalar(body.subs(index, own))
    bounds = (field.key(normal.scalar(low)), field.key(normal.scalar(high)))
    below = frozenset().union(*(field.free(dict(k)) for k in term.bottom))
    pieces = [(ONE, term)]
    if own not in below:
        pieces = []
        for monomial, coefficient in term.top.items():
            inner = tuple(p for p in monomial if own in field.generators[p[0]].free)
            outer = tuple(p for p in monomial if own not in field.generators[p[0]].free)
            front = Quotient({outer: coefficient}, term.bottom)
            pieces.append((front, Quotient({inner: 1}, {})))
    total = ZERO
    for front, inside in pieces:
        free = field.free(inside.top) | below | low.free_symbols | high.free_symbols
        key = ("sum", field.key(inside), *bounds)
        new = Generator(key, ANY, frozenset(free) - {own})
        total = total + front * Quotient(generator(field.index(new)), {})
    return total


def _own(sp: Any, body: Any) -> Any:
    """Return the index that stands for that of a sum; inner sums have others."""
    depth, level = 0, [body]
    while any(e.has(sp.Sum) for e in level):
        sums = [s for e in level for s in e.atoms(sp.Sum)]
        depth += max(len(s.limits) for s in sums)
        level = [s.function for s in sums]
    return sp.Symbol(f"_index{depth}", integer=True)


def _closed(normal: Normalizer, body: Any, index: Any, low: Any, high: Any) -> Quotient | None:
    """Return the sum of c * i**p * r**i in closed form, or None; `high` is None for endless."""
    sp, field = normal.sympy, normal.field
    own = _own(sp, body)
    try:
        term = normal.scalar(body.subs(index, own))
    except TooLarge:
        return None
    if any(own in field.free(dict(k)) for k in term.bottom):
        return None
    place = field.index(Generator(("symbol", own), ANY, frozenset((own,)), whole=True))
    first, last = normal.scalar(low), None if high is None else normal.scalar(high)
    total = ZERO
    for monomial, coefficient in term.top.items():
        split = _split(normal, monomial, place, own)
        if split is None:
            return None
        outer, degree, ratio = split
        if last is None and not _converges(normal, ratio):
            return None
        front = Quotient({outer: coefficient}, term.bottom)
        total = total + front * _moment(normal, degree, ratio, first, last)
    return total


def _split(
    normal: Normalizer, monomial: Monomial, place: int, own: Any
) -> tuple[Monomial, int, Quotient] | None:
    """Return (what is free of the index, power of the index, ratio of the geometric part)."""
    field = normal.field
    outer: Monomial = ()
    degree, ratio = 0, ONE
    for i, exponent in monomial:
        new = field.generators[i]
        if i == place:
            if exponent % 1 or not 0 <= exponent <= _HIGHEST:
                return None
            degree = int(exponent)
        elif own not in new.free:
            outer = monomial_product(outer, ((i, exponent),))
        else:
            match new.key:
                case ("pow", base, ((p, 1), *others)) | ("pow", base, (*others, (p, 1))) if (
                    p == place and not any(own in field.generators[j].free for j, _ in others)
                ):
                    inside = inside_of(base)
                    if own in field.free(inside):
                        return None
                    power = Quotient({tuple(others): exponent}, {})
                    ratio = ratio * raised(field, Quotient(inside, {}), power)
                case ("minus", ((p, 1),)) if p == place:
                    ratio = -ratio
                case _:
                    return None
    return outer, degree, ratio


def _converges(normal: Normalizer, ratio: Quotient) -> bool:
    """Whether a ratio is shown to lie strictly between -1 and 1."""
    field = normal.field
    for gap in (ONE - ratio, ONE + ratio):
        signs = [field.signs(field.reduced(gap.top)), *(field.signs(dict(k)) for k in gap.bottom)]
        if any(s != {1} for s in signs):
            return False
    return True


def _moment(
    normal: Normalizer, degree: int, ratio: Quotient, first: Quotient, last: Quotient | None
) -> Quotient:
    """Return the sum of i**degree * ratio**i from first to last.

    With r = 1 the sum of the falling differences; otherwise, by parts,
    (r - 1) S_p = [(i)**p r**i] from first to last + 1 - sum of lower moments.
    """
    field = normal.field
    if last is None:  # the end vanishes
        after, end = ZERO, ZERO
    else:
        after = last + ONE
        end = raised(field, ratio, after) * after**degree
    if (ratio - ONE).is_zero and last is not None:
        # (i + 1)**(p + 1) - i**(p + 1) telescopes
        total = after ** (degree + 1) - first ** (degree + 1)
        for lower in range(degree):
            part = _moment(normal, lower, ratio, first, last)
            total = total - part * Quotient(constant(comb(degree + 1, lower)), {})
        return total * Quotient(constant(Fraction(1, degree + 1)), {})
    start = raised(field, ratio, first) * first**degree
    total = end - start
    for lower in range(degree):
        part = _moment(normal, lower, ratio, first, last)
        total = total - part * ratio * Quotient(constant(comb(degree, lower)), {})
    return total * (ratio - ONE).inverse()
