"""Which sign an expression has everywhere on a box: the lemma behind proofs of convexity.

Everything here is one-sided: "unknown" means that no proof was found, and nothing more.
"""

from __future__ import annotations

import functools
import math
from typing import Any

__all__ = ["Box", "bounds", "definiteness", "is_affine", "is_smooth", "sign_on"]

Box = tuple[tuple[Any, Any, Any], ...]  # symbol, lower end, upper end; the inside of it is meant

_MOST_TERMS = 3000  # of an expansion: longer ones take minutes
_HIGH = 40  # powers of one unknown beyond this make polynomials too long
_SMOOTH = ("exp", "log", "sin", "cos", "sinh", "cosh", "tanh", "atan", "Pow", "Add", "Mul", "erf")


def is_affine(expression: Any, box: Box) -> bool:
    """Tell whether all second derivatives vanish, and the expression is a polynomial."""
    import sympy

    symbols = [symbol for symbol, _, _ in box]
    if not expression.is_polynomial(*symbols):
        return False
    return bool(sympy.Poly(sympy.expand(expression), *symbols).total_degree() <= 1)


# -- interval arithmetic --------------------------------------------------------------------------


def bounds(expression: Any, box: Box) -> tuple[Any, Any]:
    """Return numbers between which the expression stays on the box; infinite ones say nothing.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> bounds(2 - sympy.sin(x), ((x, -sympy.oo, sympy.oo),))
    (1, 3)
    """
    import sympy

    unknown = (-sympy.oo, sympy.oo)
    if not expression.free_symbols:
        return (expression, expression) if expression.is_finite else unknown
    if expression.is_Symbol:
        return next(((low, high) for symbol, low, high in box if symbol == expression), unknown)
    found = [bounds(argument, box) for argument in expression.args]
    try:
        result = _combined(expression, found)
    except (ValueError, ZeroDivisionError):
        return unknown
    if any(end is sympy.nan or end.is_extended_real is not True for end in result):
        return unknown
    return result


def _combined(expression: Any, found: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    import sympy

    unknown = (-sympy.oo, sympy.oo)
    name, (low, high) = type(expression).__name__, found[0]
    if expression.is_Add:
        return sum((a for a, _ in found), sympy.S(0)), sum((b for _, b in found), sympy.S(0))
    if expression.is_Mul:
        return functools.reduce(_product, found)
    if expression.is_Pow:
        return _power(found[0], expression.exp) if expression.exp.is_number else unknown
    if name in {"exp", "sinh", "tanh", "atan", "erf"}:
        function = type(expression)
        return function(low), function(high)
    if name == "log":
        return (sympy.log(low) if low > 0 else -sympy.oo, sympy.log(high)) if high > 0 else unknown
    if name in {"sin", "cos"}:
        return _wave(low, high, sympy.pi / 2 if name == "sin" else sympy.S(0), type(expression))
    if name == "cosh":
        return sympy.S(1), sympy.oo
    if name == "Abs":
        size = sympy.Max(abs(low), abs(high))
        return (sympy.S(0) if low <= 0 <= high else sympy.Min(abs(low), abs(high)), size)
    if name in {"Max", "Min"}:
        return expression.func(*(a for a, _ in found)), expression.func(*(b for _, b in found))
    return unknown


def _wave(low: Any, high: Any, crest: Any, function: Any) -> tuple[Any, Any]:
    """Return the range of a wave with a crest at `crest` over an interval."""
    import sympy

    if not (low.is_finite and high.is_finite):
        return sympy.S(-1), sympy.S(1)

    def has(place: Any) -> bool:
        turn = 2 * sympy.pi
        return bool(sympy.floor((high - place) / turn) >= sympy.ceiling((low - place) / turn))

    ends = [function(low), function(high)]
    top = sympy.S(1) if has(crest) else sympy.Max(*ends)
    return (sympy.S(-1) if has(crest + sympy.pi) else sympy.Min(*ends)), top


def _product(one: tuple[Any, Any], two: tuple[Any, Any]) -> tuple[Any, Any]:
    import sympy

    ends = [sympy.S(0) if 0 in (a, b) else a * b for a in one for b in two]
    return sympy.Min(*ends), sympy.Max(*ends)


def _power(base: tuple[Any, Any], exponent: Any) -> tuple[Any, Any]:
    import sympy

    low, high = base
    if exponent.is_Integer and exponent > 0:
        ends = [low**exponent, high**exponent]
        if exponent % 2 == 0:
            return (sympy.S(0) if low <= 0 <= high else sympy.Min(*ends), sympy.Max(*ends))
        return ends[0], ends[1]
    if low < 0:
        return -sympy.oo, sympy.oo
    if exponent > 0:
        return low**exponent, high**exponent
    return (high**exponent if high != sympy.oo else sympy.S(0),
            low**exponent if low != 0 else sympy.oo)  # fmt: skip


# -- signs ----------------------------------------------------------------------------------------


def sign_on(expression: Any, box: Box) -> str:
    """Return the sign of an expression inside a box, where it can be proved.

    Returns
    -------
    str
        ``+`` positive, ``+0`` not negative, ``-``, ``-0``, ``0``, or ``?`` for not proved.

    Notes
    -----
    Ends of the box become unknowns that run through (0, ∞), exponentials of linear terms become
    positive unknowns; then polynomials with coefficients of one sign and even powers, polynomials
    in one unknown (Sturm), and quadratic forms (pivots) are decided. Else interval arithmetic.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> sign_on(x**2 - x + 1, ((x, -sympy.oo, sympy.oo),)), sign_on(x - 1, ((x, 1, 2),))
    ('+', '+')
    """
    import sympy

    found = _by_polynomials(expression, box)
    if found != "?":
        return found
    low, high = bounds(expression, box)
    if low > 0 or high < 0:
        return "+" if low > 0 else "-"
    if low >= 0 or high <= 0:
        return "+0" if low >= 0 else "-0"
    factors = sympy.Mul.make_args(sympy.factor_terms(expression))
    if len(factors) == 1:
        return "?"
    return functools.reduce(_times, (sign_on(factor, box) for factor in factors))


def _times(one: str, two: str) -> str:
    if "0" in (one, two):
        return "0"
    if "?" in (one, two):
        return "?"
    sign = "+" if one[0] == two[0] else "-"
    return sign + ("0" if one.endswith("0") or two.endswith("0") else "")


def _by_polynomials(expression: Any, box: Box) -> str:
    """Return the sign of numerator and denominator as polynomials in signed unknowns."""
    import sympy

    plain = expression
    for symbol, low, high in box:
        u = sympy.Dummy("u", positive=True)
        if low != -sympy.oo and high != sympy.oo:
            plain = plain.subs(symbol, (low + high * u) / (1 + u))
        elif low != -sympy.oo or high != sympy.oo:
            plain = plain.subs(symbol, low + u if low != -sympy.oo else high - u)
    if _terms(plain) > _MOST_TERMS:
        return "?"
    plain = _without_functions(sympy.expand_power_exp(sympy.expand(plain)), box)
    top, bottom = sympy.fraction(sympy.together(plain))
    return _times(_polynomial_sign(top), _polynomial_sign(bottom))


def _without_functions(expression: Any, box: Box) -> Any:
    """Replace exponentials by powers of positive unknowns, other functions by unknowns."""
    import sympy

    exponentials = expression.atoms(sympy.exp)
    units: dict[Any, Any] = {}
    changes = {}
    for item in exponentials:
        number, rest = item.exp.as_coeff_Mul()
        if number.is_Rational:
            units.setdefault(rest, []).append((item, number))
    for entries in units.values():
        common = math.lcm(*(int(number.q) for _, number in entries))
        if max(abs(number) * common for _, number in entries) > _HIGH:
            changes.update({item: sympy.Dummy("e", positive=True) for item, _ in entries})
            continue
        letter = sympy.Dummy("e", positive=True)
        changes.update({item: letter ** (number * common) for item, number in entries})
    plain = expression.xreplace(changes)
    others = {}
    for item in sorted(plain.atoms(sympy.Function), key=sympy.default_sort_key):
        low, _ = bounds(item, box)
        others[item] = sympy.Dummy("r", positive=True) if low > 0 else sympy.Dummy("r", real=True)
    return plain.xreplace(others)


def _terms(expression: Any) -> float:
    """Return how many terms an expansion has at most."""
    if expression.is_Add:
        return sum(_terms(part) for part in expression.args)
    if expression.is_Mul:
        return math.prod(_terms(part) for part in expression.args)
    if expression.is_Pow and expression.exp.is_Integer and expression.exp > 0:
        return _terms(expression.base) ** min(int(expression.exp), 60)
    return 1.0


def _polynomial_sign(expression: Any) -> str:
    import sympy

    symbols = sorted(expression.free_symbols, key=sympy.default_sort_key)
    if not symbols:
        value = sympy.simplify(expression)
        return "0" if value == 0 else "+" if value > 0 else "-" if value < 0 else "?"
    if _terms(expression) > _MOST_TERMS:
        return "?"
    try:
        polynomial = sympy.Poly(sympy.expand(expression), *symbols)
    except sympy.PolynomialError:
        return "?"
    found = _by_coefficients(polynomial)
    if found == "?" and polynomial.domain.is_Exact and (polynomial.domain in (sympy.ZZ, sympy.QQ)):
        _, factors = polynomial.factor_list()
        constant = polynomial.factor_list()[0]
        parts = ["+" if constant > 0 else "-"]
        parts += [_factor_sign(factor, power) for factor, power in factors]
        found = functools.reduce(_times, parts)
    return found


def _factor_sign(factor: Any, power: int) -> str:
    found = _by_coefficients(factor)
    if found == "?" and len(factor.gens) == 1:
        found = _by_sturm(factor)
    if found == "?":
        found = _as_quadratic_form(factor)
    if power % 2 == 1:
        return found
    return "+" if found in {"+", "-"} else "+0"


def _by_coefficients(polynomial: Any) -> str:
    """Return the sign when every term has it: even powers of what may be negative."""
    negatives = [i for i, gen in enumerate(polynomial.gens) if not gen.is_positive]
    signs, strict = set(), False
    for powers, coefficient in polynomial.terms():
        if coefficient == 0:
            return "0"
        if any(powers[i] % 2 for i in negatives) or coefficient.is_extended_real is not True:
            return "?"
        signs.add("+" if coefficient.is_positive else "-" if coefficient.is_negative else "?")
        strict = strict or not any(powers[i] for i in negatives)
    sign = signs.pop() if len(signs) == 1 else "?"
    return sign if strict or sign == "?" else sign + "0"


def _by_sturm(polynomial: Any) -> str:
    """Return the sign of an irreducible polynomial in one unknown, by counting its real roots."""
    (unknown,) = polynomial.gens
    low = 0 if unknown.is_positive else None
    roots = polynomial.count_roots(low, None)
    if low == 0 and polynomial.eval(0) == 0:
        roots -= 1
    if roots:
        return "?"
    return "+" if polynomial.eval(1) > 0 else "-"


def _as_quadratic_form(polynomial: Any) -> str:
    """Return the sign of a polynomial of degree two, from the pivots of its matrix."""
    import sympy

    if polynomial.total_degree() != 2:
        return "?"
    w = sympy.Symbol("w")
    whole = sympy.expand(polynomial.homogenize(w).as_expr())
    matrix = sympy.hessian(whole, [*polynomial.gens, w])
    for sign in "+-":
        positive = definiteness(matrix if sign == "+" else -matrix)
        if positive:
            return sign if positive == "definite" else sign + "0"
    return "?"


def definiteness(matrix: Any) -> str:
    """Return ``definite``, ``semi-definite`` or nothing, by exact symmetric elimination.

    Examples
    --------
    >>> import sympy
    >>> [definiteness(sympy.Matrix(rows)) for rows in ([[2, 1], [1, 2]], [[1, 1], [1, 1]])]
    ['definite', 'semi-definite']
    """
    import sympy

    rest, found = matrix.copy(), "definite"
    while rest.rows:
        diagonal = [rest[i, i] for i in range(rest.rows)]
        if any(entry.is_negative is not False for entry in diagonal):
            return ""
        pivot = next((i for i, entry in enumerate(diagonal) if entry.is_positive), None)
        if pivot is None:
            return "semi-definite" if rest.is_zero_matrix else ""
        column = rest[:, pivot]
        rest = (rest - column * column.T / rest[pivot, pivot]).applyfunc(sympy.simplify)
        rest.row_del(pivot)
        rest.col_del(pivot)
        if any(rest[i, i].is_zero for i in range(rest.rows)):
            found = "semi-definite"
    return found


# -- smoothness -----------------------------------------------------------------------------------


def is_smooth(expression: Any, box: Box) -> bool:
    """Prove that an expression is defined and twice differentiable inside a box."""
    if expression.is_Symbol or expression.is_number:
        return bool(expression.is_Symbol or expression.is_finite)
    if type(expression).__name__ not in _SMOOTH:
        return False
    if not all(is_smooth(argument, box) for argument in expression.args):
        return False
    if expression.is_Pow:
        base, exponent = expression.as_base_exp()
        if not exponent.is_number:
            return sign_on(base, box) == "+"
        if exponent.is_Integer and exponent >= 0:
            return True
        signs = {"+", "-"} if exponent.is_Integer else {"+"}
        return sign_on(base, box) in signs
    if type(expression).__name__ == "log":
        return sign_on(expression.args[0], box) == "+"
    return True
