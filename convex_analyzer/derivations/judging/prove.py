"""Proving: decision procedures from the cheapest on, each within the time that is left."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.clock import Clock, OutOfTime, spend
from convex_analyzer.derivations.judging.entries import Entries
from convex_analyzer.derivations.judging.field import Field
from convex_analyzer.derivations.judging.letters import Form, scalar_form
from convex_analyzer.derivations.judging.normal import Normalizer
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.poles import denominators
from convex_analyzer.derivations.judging.polynomials import (
    ONE,
    Quotient,
    TooLarge,
)
from convex_analyzer.derivations.judging.realness import stays_real
from convex_analyzer.derivations.judging.recurrences import proved_by_induction, recurrence_of
from convex_analyzer.derivations.judging.settle import ordered
from convex_analyzer.derivations.judging.signs import assumed
from convex_analyzer.derivations.judging.statements import same_statement
from convex_analyzer.derivations.judging.undoing import undone
from convex_analyzer.derivations.judging.words import Words

__all__ = ["prove_statements", "prove_values"]

_MOST_INDUCTIONS = 2
_SQUARES = "a sum of squares is zero where every part is"
_ANOTHER_ORDER = "the same terms in another order"
# SymPy says with errors of its own that it cannot do something; there is no proof then.
_FAILURES = (
    *(TooLarge, OutOfTime, ZeroDivisionError, RecursionError),
    *(TypeError, ValueError, IndexError, NotImplementedError),
)


def _normalizer(sampler: Sampler, clock: Clock, *lines: Any) -> Normalizer:
    """Return a fresh field that knows the constraints, and which symbols stand under roots."""
    field = Field(clock)
    normal = Normalizer(field, sampler.kinds)
    for line in (*lines, *sampler.constraints):
        if isinstance(line, bool):
            continue
        for power in line.atoms(_pow()):
            if power.base.is_Symbol and power.exp.is_Rational and not power.exp.is_Integer:
                ((own, _),) = next(iter(normal.symbol(power.base).top))
                field.roots[own] = max(field.roots.get(own, 1), int(power.exp.q))
    assumed(field, normal, sampler.constraints)
    return normal


def _pow() -> Any:
    from sympy import Pow

    return Pow


def prove_values(
    before: Any, after: Any, sampler: Sampler, clock: Clock, direction: str = "<=>"
) -> str | None:
    """Return how it was proved that two expressions are equal, or None."""
    del direction
    try:
        if not stays_real(before, after, _normalizer(sampler, clock, before, after)):
            return None
    except _FAILURES:
        return None
    for prove in (_normal_form, _reordered, _by_induction, _simplified):
        try:
            found = prove(before, after, sampler, clock)
        except _FAILURES:
            continue
        if found is not None:
            return found
    return None


def _reordered(before: Any, after: Any, sampler: Sampler, clock: Clock) -> str | None:
    """Compare two lines up to the order of terms and factors."""
    del sampler, clock
    if _has_matrices(before) or _has_matrices(after):
        return None
    return _ANOTHER_ORDER if ordered(before) == ordered(after) else None


def _normal_form(before: Any, after: Any, sampler: Sampler, clock: Clock) -> str | None:
    if _has_matrices(before) or _has_matrices(after):
        return _matrix_form(before, after, sampler, clock)
    normal = _normalizer(sampler, clock, before, after)
    if not normal.field.is_zero(normal.scalar(before) - normal.scalar(after)):
        return None
    if not _also_at_zero(before, after, normal, sampler, clock):
        return None
    return _named(before, after, normal)


def _also_at_zero(
    before: Any, after: Any, normal: Normalizer, sampler: Sampler, clock: Clock
) -> bool:
    """Whether equality holds too where an argument of sign is zero, sign(x)² being 0 there."""
    for argument in normal.field.zeros_assumed:
        if not argument.is_Symbol:
            return False
        fresh = _normalizer(sampler, clock, before, after)
        lines = [line.subs(argument, 0) for line in (before, after)]
        if any(line.has(*_infinities()) for line in lines):
            continue  # undefined there
        if not fresh.field.is_zero(fresh.scalar(lines[0]) - fresh.scalar(lines[1])):
            return False
    return True


def _infinities() -> tuple[Any, ...]:
    from sympy import nan, oo, zoo

    return nan, oo, zoo


def _named(before: Any, after: Any, normal: Normalizer) -> str:
    """Return the name of what the normal form did."""
    import sympy

    if before.has(sympy.Sum) or after.has(sympy.Sum):
        return "sums in closed form"
    kinds = {key[0] for key in (g.key for g in normal.field.generators) if isinstance(key, tuple)}
    if "pow" in kinds:
        return "powers collected"
    if "sign" in kinds:
        return "rational normal form, signs of symbols apart"
    return "rational normal form"


# -- matrices ----------------------------------------------------------------------------------


def _has_matrices(e: Any) -> bool:
    return bool(getattr(e, "is_Matrix", False))


def _explicit(e: Any) -> Any:
    """Return a matrix of entries, if the expression is made of such matrices alone."""
    import sympy

    if isinstance(e, sympy.MatrixBase):
        return e
    if e.atoms(sympy.MatrixSymbol) or not e.has(sympy.ImmutableDenseMatrix):
        return None
    done = e.doit()
    return done if isinstance(done, sympy.MatrixBase) else None


def _matrix_form(before: Any, after: Any, sampler: Sampler, clock: Clock) -> str | None:
    entries = [_explicit(line) if hasattr(line, "atoms") else None for line in (before, after)]
    normal = _normalizer(sampler, clock, before, after)
    if entries[0] is not None and entries[1] is not None:
        pairs = zip(entries[0], entries[1], strict=True)
        same = all(normal.field.is_zero(normal.scalar(a) - normal.scalar(b)) for a, b in pairs)
        return "rational normal form of every entry" if same else None
    words = Words(normal)
    try:
        forms = [Form({}) if line == 0 else words.form(line) for line in (before, after)]
        minus = scalar_form(-ONE)
        rest = words.plus(forms[0], words.times(minus, forms[1]))
        if not rest.terms:
            return "normal form of matrix words, for every n"
    except TooLarge:
        pass
    return _two_by_two(before, after, sampler, clock)


def _two_by_two(before: Any, after: Any, sampler: Sampler, clock: Clock) -> str | None:
    """Return that all entries agree for n = 2; the points for n = 3 were tried before."""
    if sampler.functions:
        return None
    orthogonal = any(sampler.kinds.get(m.name) == "orthogonal matrix" for m in sampler.matrices)
    for reflected in (False, True) if orthogonal else (False,):
        normal = _normalizer(sampler, clock, before, after)
        entries = Entries(normal, reflected=reflected)
        values = [entries.value(line) for line in (before, after)]
        rows = [v if isinstance(v, tuple) else ((v,),) for v in values]
        pairs = zip(*rows, strict=True)
        flat = [(x, y) for r, s in pairs for x, y in zip(r, s, strict=True)]
        if not all(normal.field.is_zero(x - y) for x, y in flat):
            return None
    return "for n = 2: every entry; for n = 3: exact points"


# -- induction and SymPy -----------------------------------------------------------------------


def _by_induction(before: Any, after: Any, sampler: Sampler, clock: Clock) -> str | None:
    """Prove that d(k) = before - after vanishes: at the least k, and d(k + 1) - d(k) always."""
    import sympy

    if _has_matrices(before) or _has_matrices(after):
        return None
    if not (before.has(sympy.Sum, sympy.Product) or after.has(sympy.Sum, sympy.Product)):
        return None
    whole = [s for s in before.free_symbols | after.free_symbols if s.is_integer]
    for k in sorted(whole, key=str)[:_MOST_INDUCTIONS]:
        least = _least(k, sampler)
        if least is None:
            continue
        normal = _normalizer(sampler, clock, before, after)

        def gap(shift: Any, k: Any = k, normal: Normalizer = normal) -> Quotient:
            return normal.scalar(before.subs(k, shift)) - normal.scalar(after.subs(k, shift))

        try:
            base = normal.field.is_zero(gap(sympy.Integer(least)))
            if base and normal.field.is_zero(gap(k + 1) - gap(k)):
                return f"induction on {k}"
        except TooLarge:
            continue
    return None


def _least(k: Any, sampler: Sampler) -> int | None:
    """Return the least value of an integer symbol, from its kind and the bounds on it alone."""
    least = 1 if k.is_positive else 0 if k.is_nonnegative else None
    for c in sampler.constraints:
        if k not in c.free_symbols:
            continue
        low, high = (c.lhs, c.rhs) if c.rel_op in ("<", "<=") else (c.rhs, c.lhs)
        if c.rel_op not in ("<", "<=", ">", ">=") or high != k or not low.is_Rational:
            return None
        bound = Fraction(int(low.p), int(low.q))
        first = (
            int(bound // 1) + 1 if c.rel_op in ("<", ">") or bound.denominator != 1 else int(bound)
        )
        least = first if least is None else max(least, first)
    return least


def _simplified(before: Any, after: Any, sampler: Sampler, clock: Clock) -> str | None:
    """Ask SymPy, for short lines only, whose functions have rules that are not ours."""
    import sympy

    if _has_matrices(before) or _has_matrices(after) or clock.left < 0.5:
        return None
    if not (before.has(sympy.Function) or after.has(sympy.Function)):
        return None
    difference = before - after
    size = difference.count_ops()
    if size > 40 or difference.has(sympy.Sum, sympy.Product):
        return None
    for rewrite in (sympy.expand_trig, sympy.trigsimp, sympy.expand_func):
        clock.check()
        spend(20_000 + 500 * size)
        if rewrite(difference) == 0:
            return "identities of functions"
    return None


# -- statements --------------------------------------------------------------------------------


def prove_statements(
    before: Any, after: Any, sampler: Sampler, clock: Clock, direction: str = "<=>"
) -> str | None:
    """Return how it was proved that two statements agree, or None."""
    try:
        normal = _normalizer(sampler, clock, before, after)
        poles_agree = _poles_agree(before, after, sampler, clock, direction)
        if not poles_agree:
            return None
        if ordered(before) == ordered(after) and stays_real(before, after, normal):
            return _ANOTHER_ORDER
        claim = recurrence_of(before, after)
        if claim is not None:
            return proved_by_induction(claim, _normalizer(sampler, clock, before, after))
        if sampler.has_matrices:
            found = _matrix_equations(before, after, sampler, clock)
            if found is not None:
                return found
        fresh = _normalizer(sampler, clock, before, after)
        found = same_statement(before, after, fresh, direction)
        return found or _undone(before, after, sampler, clock, direction)
    except _FAILURES:
        return None


def _undone(before: Any, after: Any, sampler: Sampler, clock: Clock, direction: str) -> str | None:
    """Compare two relations once a function that grows is taken off both sides of one or both."""
    normal = _normalizer(sampler, clock, before, after)
    first, second = undone(before, normal), undone(after, normal)
    for one, other in ((before, second), (first, after), (first, second)):
        if one is None or other is None:
            continue
        if sampler.has_matrices:
            found = one == other or _matrix_equations(one, other, sampler, clock)
        else:
            fresh = _normalizer(sampler, clock, one, other)
            found = _poles_agree(one, other, sampler, clock, direction) and same_statement(
                one, other, fresh, direction
            )
        if found:
            return "a function that grows, on both sides" if not sampler.has_matrices else _SQUARES
    return None


def _poles_agree(before: Any, after: Any, sampler: Sampler, clock: Clock, direction: str) -> bool:
    """Whether no statement holds where the other divides by zero."""
    import sympy

    below = [denominators(line) for line in (before, after)]
    if sampler.has_matrices or before in (True, sympy.true) or set(below[0]) == set(below[1]):
        return True
    normal = _normalizer(sampler, clock, before, after)
    lines = []
    for bottoms in below:
        tops = [normal.field.reduced(normal.scalar(b).top) for b in bottoms]
        open_ = [b for b, t in zip(bottoms, tops, strict=True) if 0 in normal.field.signs(t)]
        lines.append([sympy.Ne(b, 0, evaluate=False) for b in open_])
    if not any(lines):
        return True
    first, second = sympy.And(before, *lines[0]), sympy.And(after, *lines[1])
    fresh = _normalizer(sampler, clock, before, after)
    return same_statement(first, second, fresh, direction, anywhere=True) is not None


def _matrix_equations(before: Any, after: Any, sampler: Sampler, clock: Clock) -> str | None:
    """Prove that one matrix equation is the other times something invertible."""
    import sympy

    if not all(isinstance(line, sympy.Eq) for line in (before, after)):
        return None
    words = Words(_normalizer(sampler, clock, before, after))
    minus = scalar_form(-ONE)
    gaps = []
    for line in (before, after):
        sides = [Form({}) if side == 0 else words.form(side) for side in line.args]
        gaps.append(words.plus(sides[0], words.times(minus, sides[1])))
    if _multiple(words, *gaps):
        return "nonzero multiple of the same equation"
    letters = {
        (atom, t, e)
        for gap in gaps
        for word in gap.terms
        for atom, t, e in word
        if atom.kind != "vector"
    }
    for atom, t, _ in sorted(letters, key=repr)[:8]:
        if not _invertible(atom, before, after):
            continue
        for power in (1, -1):
            factor = Form({((atom, t, ((((), power),))),): ONE})
            for product in ((factor, gaps[0]), (gaps[0], factor)):
                clock.check()
                if _multiple(words, words.times(*product), gaps[1]):
                    return "the same equation, multiplied by an invertible matrix"
    return None


def _invertible(atom: Any, before: Any, after: Any) -> bool:
    """Whether a matrix is invertible: by its kind, or since both lines invert it."""
    import sympy

    if atom.kind in ("orthogonal matrix", "positive definite matrix"):
        return True
    inverted = [{i.args[0] for i in line.atoms(sympy.Inverse)} for line in (before, after)]
    return any(getattr(m, "name", None) == atom.name for m in inverted[0] | inverted[1])


def _multiple(words: Words, a: Form, b: Form) -> bool:
    """Whether two forms are multiples by a number other than zero."""
    if a.terms.keys() != b.terms.keys():
        return False
    if not a.terms:
        return True
    first = next(iter(a.terms))
    ratio = a.terms[first] * b.terms[first].inverse()
    signs = words.field.signs(ratio.top)
    if 0 in signs:
        return False
    scaled_b = words.times(scalar_form(-ratio), b)
    return not words.plus(a, scaled_b).terms
