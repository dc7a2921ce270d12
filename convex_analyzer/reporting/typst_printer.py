"""The arithmetic half of the Typst printer: what binds how tightly, numbers, sums, products."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.math_style import (
    float_parts,
    name_of,
    ordered_matrices,
    ordered_terms,
)

__all__ = [
    "AND",
    "ATOM",
    "BIG",
    "FUNCTIONS",
    "IMPLIES",
    "OR",
    "PRODUCT",
    "RELATION",
    "SCRIPT",
    "SET",
    "SUM",
    "ArithmeticPrinter",
    "Piece",
    "function_name",
]

# How tightly a piece binds; a weaker one gets parentheses inside a stronger one.
IMPLIES, OR, AND, RELATION, SET, SUM, BIG, PRODUCT, SCRIPT, ATOM = range(10)

_UPRIGHT = (
    "sin cos tan cot sec csc sinh cosh tanh coth sech csch arcsin arccos arctan "
    "arg det exp gcd lcm ln max min tr"
)
FUNCTIONS = frozenset(_UPRIGHT.split())  # those that Typst sets upright
_FUNCTION_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "log": "ln"} | {
    "Max": "max",
    "Min": "min",
    "gamma": "Gamma",
    "sign": "sgn",
    "re": "Re",
    "im": "Im",
    "LambertW": "W",
    "DiracDelta": "delta",
}
_WRAPPERS = {"Abs": "abs", "floor": "floor", "ceiling": "ceil", "conjugate": "overline"}
_NUMBERS = {"Pi": "pi", "Exp1": "e", "ImaginaryUnit": "upright(i)", "Infinity": "infinity"}
_NUMBERS |= {"ComplexInfinity": "tilde(infinity)", "NaN": '"undefined"', "GoldenRatio": "phi"}
_NUMBERS |= {"EulerGamma": "gamma"}
_SETS = {"Reals": "RR", "Integers": "ZZ", "Naturals": "NN", "Naturals0": "NN_(0)"}
_SETS |= {"Rationals": "QQ", "Complexes": "CC", "EmptySet": "emptyset"}
_CONSTANTS = _NUMBERS | _SETS | {"BooleanTrue": '"true"', "BooleanFalse": '"false"'}
_CONSTANTS |= {"Identity": "I", "ZeroMatrix": "0", "OneMatrix": "1"}


class Piece(NamedTuple):
    """Typst math and how tightly it binds."""

    text: str
    level: int

    def at(self, level: int) -> str:
        """Return the text, in parentheses where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


def function_name(e: Any) -> str:
    """Typst name of the function that an expression applies; of other expressions, an empty one."""
    if not getattr(e, "is_Function", False):
        return ""
    name = str(e.func.__name__)
    return name if _is_undefined(e.func) else _FUNCTION_NAMES.get(name, name)


def _is_below(e: Any) -> bool:
    """Tell whether a factor belongs under the fraction bar."""
    return bool(e.is_Pow and e.is_commutative and e.exp.is_Rational and e.exp < 0)


def _is_undefined(kind: type) -> bool:
    return type(kind).__name__ == "UndefinedFunction"


def _class_names(kind: type) -> list[str]:
    """Names of the classes that may have a form; a user's function named Pi is not the number."""
    return [base.__name__ for base in kind.__mro__[_is_undefined(kind) :]]


@cache
def _method_name(class_name: str) -> str:
    return "_print_" + re.sub("(?<=[a-z])(?=[A-Z])", "_", class_name).lower()


class ArithmeticPrinter:
    """Numbers, names, sums, products, powers and matrices; a subclass adds everything else.

    Method `_print_mat_pow` prints the SymPy class MatPow; the nearest base class that has a method
    is used.
    """

    def __init__(
        self, names: Mapping[str, str], delimiter: str, digits: int | None, *, slash: bool
    ) -> None:
        self.names = names
        self.delimiter = delimiter
        self.digits = digits
        self.slash = slash

    def piece(self, e: Any) -> Piece:
        """Print an expression."""
        for name in _class_names(type(e)):
            if name in _CONSTANTS:
                return Piece(_CONSTANTS[name], ATOM)
            if name in _WRAPPERS:
                return Piece(f"{_WRAPPERS[name]}({self.text(e.args[0])})", ATOM)
            method: Callable[[Any], Piece] | None = getattr(self, _method_name(name), None)
            if method is not None:
                return method(e)
        raise InputError(f"to_typst: no Typst form for {type(e).__name__}, in {e}")

    def text(self, e: Any, level: int = IMPLIES) -> str:
        """Print an expression, in parentheses where it binds less tightly than `level`."""
        return self.piece(e).at(level)

    def _script(self, e: Any) -> str:
        """Print for a script or an exponent, where a stacked fraction would be too small."""
        before, self.slash = self.slash, True
        try:
            return self.text(e)
        finally:
            self.slash = before

    def _listed(self, items: Iterable[Any], level: int = IMPLIES) -> str:
        """Join with the sign ``comma``: a bare comma would end an argument of a Typst function."""
        return " comma ".join(self.text(item, level) for item in items)

    # -- names and numbers -------------------------------------------------------------------------

    def _print_symbol(self, e: Any) -> Piece:
        name = name_of(e, self.names)
        return Piece(name.typst(), SCRIPT if name.superscripts else ATOM)

    _print_matrix_symbol = _print_symbol

    def _print_number(self, e: Any) -> Piece:
        return self._join([self._signed(e)])

    def _print_negative_infinity(self, _: Any) -> Piece:
        return Piece("-infinity", SUM)

    def _number(self, e: Any) -> Piece:
        """Print a number that is not negative."""
        if e.is_Float:
            return self._floating(e)
        if e.q == 1:
            return Piece(str(e.p), ATOM)
        return self._fraction(Piece(str(e.p), ATOM), Piece(str(e.q), ATOM))

    def _floating(self, e: Any) -> Piece:
        mantissa, exponent = float_parts(e, self.digits)
        if not exponent:
            return Piece(mantissa, ATOM)
        power = f"10^({exponent})"
        return (
            Piece(power, SCRIPT) if mantissa == "1" else Piece(f"{mantissa} dot {power}", PRODUCT)
        )

    # -- sums, products, powers --------------------------------------------------------------------

    def _signed(self, e: Any) -> tuple[bool, Piece]:
        """Split a term into whether it is negative and the piece without the sign."""
        if e.is_Number and e.is_finite:
            return bool(e < 0), self._number(abs(e))
        if type(e).__name__ == "MatMul":
            scalar, matrices = e.as_coeff_matrices()
            negative, size = self._signed(scalar)
            front = [] if size.text == "1" else [size]
            return negative, self._times([*front, *map(self.piece, matrices)])
        if e.is_Mul:
            return self._product(e)
        return False, self.piece(e)

    def _print_add(self, e: Any) -> Piece:
        return self._join(map(self._signed, ordered_terms(e.as_ordered_terms())))

    def _print_mat_add(self, e: Any) -> Piece:
        return self._join(map(self._signed, ordered_matrices(e)))

    def _join(self, terms: Iterable[tuple[bool, Piece]]) -> Piece:
        """Join terms, each with whether it is negative."""
        out, count = "", 0
        only = Piece("0", ATOM)
        for negative, only in terms:
            sign = (" - " if negative else " + ") if out else ("-" if negative else "")
            out, count = f"{out}{sign}{only.at(BIG)}", count + 1
        return only if count == 1 and not out.startswith("-") else Piece(out, SUM)

    def _print_mul(self, e: Any) -> Piece:
        return self._join([self._signed(e)])

    _print_mat_mul = _print_mul

    def _product(self, e: Any) -> tuple[bool, Piece]:
        """Split a product into whether it is negative and its size, as a fraction if need be."""
        above: list[Piece] = []
        below: list[Piece] = []
        negative = False
        for factor in e.as_ordered_factors():
            if factor.is_Number and factor.is_finite:
                negative ^= bool(factor < 0)
                self._coefficient(abs(factor), above, below)
            elif _is_below(factor):
                below.append(self._power(factor.base, -factor.exp))
            else:
                above.append(self.piece(factor))
        size = self._times(above)
        return negative, self._fraction(size, self._times(below)) if below else size

    def _coefficient(self, size: Any, above: list[Piece], below: list[Piece]) -> None:
        if size.is_Float:
            above.append(self._floating(size))
            return
        if size.p != 1:
            above.append(Piece(str(size.p), ATOM))
        if size.q != 1:
            below.append(Piece(str(size.q), ATOM))

    def _times(self, factors: list[Piece]) -> Piece:
        if len(factors) < 2:
            return factors[0] if factors else Piece("1", ATOM)
        out = factors[0].at(PRODUCT)
        for factor in factors[1:]:
            text = factor.at(PRODUCT)
            after_digit = out[-1].isdigit() and text.startswith("frac(")
            out += f" dot {text}" if text[0].isdigit() or after_digit else f" {text}"
        return Piece(out, PRODUCT)

    def _fraction(self, above: Piece, below: Piece) -> Piece:
        if self.slash:
            return Piece(f"{above.at(PRODUCT)} slash {below.at(SCRIPT)}", BIG)
        return Piece(f"frac({above.text}, {below.text})", SCRIPT)

    def _print_pow(self, e: Any) -> Piece:
        if _is_below(e):
            return self._fraction(Piece("1", ATOM), self._power(e.base, -e.exp))
        return self._power(e.base, e.exp)

    def _power(self, base: Any, exponent: Any) -> Piece:
        if exponent == 1:
            return self.piece(base)
        if exponent.is_Rational and exponent.p == 1 and exponent.q > 1:
            if exponent.q == 2:
                return Piece(f"sqrt({self.text(base)})", SCRIPT)
            return Piece(f"root({exponent.q}, {self.text(base)})", SCRIPT)
        name = function_name(base)
        if name in FUNCTIONS and exponent.is_Integer and exponent > 0:
            return Piece(f"{name}^({exponent}) ({self._listed(base.args)})", SCRIPT)
        return Piece(f"{self.text(base, ATOM)}^({self._script(exponent)})", SCRIPT)

    def _print_mat_pow(self, e: Any) -> Piece:
        return Piece(f"{self.text(e.base, ATOM)}^({self._script(e.exp)})", SCRIPT)

    def _print_exp(self, e: Any) -> Piece:
        return Piece(f"e^({self._script(e.args[0])})", SCRIPT)

    def _print_inverse(self, e: Any) -> Piece:
        return Piece(f"{self.text(e.arg, ATOM)}^(-1)", SCRIPT)

    def _print_adjoint(self, e: Any) -> Piece:
        return Piece(f"{self.text(e.arg, ATOM)}^(upright(H))", SCRIPT)

    def _print_transpose(self, e: Any) -> Piece:
        return Piece(f"{self.text(e.arg, ATOM)}^(top)", SCRIPT)

    def _print_unevaluated_expr(self, e: Any) -> Piece:
        return self.piece(e.args[0])

    # -- matrices ----------------------------------------------------------------------------------

    def _print_matrix_base(self, e: Any) -> Piece:
        return self._matrix(e.tolist())

    def _print_block_matrix(self, e: Any) -> Piece:
        return self._matrix(e.blocks.tolist())

    def _print_ndim_array(self, e: Any) -> Piece:
        if e.rank() == 1:
            return self._matrix([e.tolist()])
        if e.rank() == 2:
            return self._matrix(e.tolist())
        raise InputError(
            f"to_typst: no Typst form for an array of {e.rank()} axes; print its slices"
        )

    def _matrix(self, rows: list[list[Any]]) -> Piece:
        body = "; ".join(", ".join(self.text(item) for item in row) for row in rows)
        return Piece(f'mat(delim: "{self.delimiter}", {body})', ATOM)

    def _print_matrix_element(self, e: Any) -> Piece:
        return self._indexed(e.parent, (e.i, e.j))

    def _print_indexed(self, e: Any) -> Piece:
        return self._indexed(e.base.label, e.indices)

    def _indexed(self, base: Any, indices: Iterable[Any]) -> Piece:
        below = " comma ".join(map(self._script, indices))
        if hasattr(base, "name"):  # a symbol or a matrix symbol: x_max[i] has both in one subscript
            return Piece(name_of(base, self.names).typst(below), ATOM)
        return Piece(f"{self.text(base, ATOM)}_({below})", ATOM)
