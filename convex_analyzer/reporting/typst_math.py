"""SymPy expressions as Typst math.

Every printed piece carries how tightly it binds, so that parentheses follow from what stands on the
page and not from what the expression was. Names go through
:func:`~convex_analyzer.parsing.math_style.read_name`: one that Typst does not know is quoted. A
type without a form is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.latex_math import to_latex, to_plain
from convex_analyzer.parsing.math_style import read_name
from convex_analyzer.reporting.document import Math, MathSpan
from convex_analyzer.reporting.typst_printer import (
    AND,
    ATOM,
    BIG,
    FUNCTIONS,
    IMPLIES,
    OR,
    PRODUCT,
    RELATION,
    SCRIPT,
    SET,
    SUM,
    ArithmeticPrinter,
    Piece,
    function_name,
)

__all__ = ["math_block", "math_span", "to_typst"]

Fractions: TypeAlias = Literal["stacked", "slash"]

_RELATIONS = {"==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_DELIMITERS = ("[", "(", "{", "|")


def to_typst(
    expression: Any,
    *,
    names: Mapping[str, str] | None = None,
    delimiter: str = "[",
    fractions: Fractions = "stacked",
    digits: int | None = None,
) -> str:
    """Print a SymPy expression, matrix, relation or set as Typst math, without delimiters.

    Parameters
    ----------
    expression
        A SymPy object, a number, a NumPy array of at most two axes, or a tuple of these.
    names
        Other names for symbols, read by :func:`~convex_analyzer.parsing.math_style.read_name`.
    delimiter
        What stands around a matrix: ``[ ( { |``.
    fractions
        ``"stacked"``, or ``"slash"`` for narrow places; scripts always use slashes.
    digits
        Significant digits of floating-point numbers; all that they need by default.

    Raises
    ------
    InputError
        When a part of the expression has no form.

    Examples
    --------
    >>> import sympy as sp
    >>> alpha, peak = sp.symbols("alpha lambda_max", positive=True)
    >>> to_typst(2 / peak), to_typst(1 - alpha * peak), to_typst(1e-6)
    ('frac(2, lambda_("max"))', '1 - alpha lambda_("max")', '10^(-6)')
    """
    if delimiter not in _DELIMITERS:
        rule = f"one of {' '.join(_DELIMITERS)}"
        raise InputError(f"to_typst: delimiter must be {rule}, got {delimiter!r}")
    if fractions not in ("stacked", "slash"):
        raise InputError(f"to_typst: fractions must be stacked or slash, got {fractions!r}")
    printer = _Printer(names or {}, delimiter, digits, slash=fractions == "slash")
    return printer.piece(_symbolic(expression)).text


def math_span(expression: Any, **settings: Any) -> MathSpan:
    """Make a formula for inside a line; `settings` are those of :func:`to_typst`."""
    return MathSpan(*_notations(expression, settings))


def math_block(expression: Any, **settings: Any) -> Math:
    """Make a formula for a line of its own; `settings` are those of :func:`to_typst`."""
    return Math(*_notations(expression, settings))


def _notations(expression: Any, settings: Mapping[str, Any]) -> tuple[str, str, str]:
    shared = {key: settings[key] for key in ("names", "digits") if key in settings}
    symbolic = _symbolic(expression)
    return (
        to_typst(symbolic, **settings),
        to_latex(symbolic, **shared),
        to_plain(symbolic, **shared),
    )


def _symbolic(expression: Any) -> Any:
    """Turn numbers, arrays and tuples into SymPy objects; a string would be evaluated, so never."""
    import sympy as sp

    if isinstance(expression, str):
        rule = "a SymPy expression, not text; put text into a Document as a plain string"
        raise InputError(f"to_typst: expression must be {rule}, got {expression!r}")
    if isinstance(expression, np.ndarray) and expression.dtype.kind in "biufc":
        return sp.Array(expression.tolist())
    try:
        return sp.sympify(expression, strict=True)
    except sp.SympifyError:
        got = f"got an object of type {type(expression).__name__}"
        raise InputError(f"to_typst: expression must be a SymPy object, {got}") from None


class _Printer(ArithmeticPrinter):
    """Functions, relations, logic, sets, sums and calculus."""

    # -- functions ---------------------------------------------------------------------------------

    def _print_function(self, e: Any) -> Piece:
        name = function_name(e)
        shown = name if name in FUNCTIONS else read_name(name).typst()
        if shown.startswith('"'):
            shown = f"op({shown})"
        return Piece(f"{shown} ({self._listed(e.args)})", SCRIPT)

    _print_lattice_op = _print_function  # Max, Min

    def _print_trace(self, e: Any) -> Piece:
        return Piece(f"tr ({self.text(e.arg)})", SCRIPT)

    def _print_determinant(self, e: Any) -> Piece:
        return Piece(f"det ({self.text(e.arg)})", SCRIPT)

    def _print_factorial(self, e: Any) -> Piece:
        return Piece(f"{self.text(e.args[0], ATOM)}!", SCRIPT)

    def _print_binomial(self, e: Any) -> Piece:
        return Piece(f"binom({self.text(e.args[0])}, {self.text(e.args[1])})", SCRIPT)

    def _print_mod(self, e: Any) -> Piece:
        return Piece(f"{self.text(e.args[0], BIG)} mod {self.text(e.args[1], SCRIPT)}", SUM)

    def _print_kronecker_delta(self, e: Any) -> Piece:
        return Piece(f"delta_({self._listed(e.args[:2])})", ATOM)

    def _print_complex_root_of(self, e: Any) -> Piece:
        return Piece(f'op("root")_({e.index}) ({self.text(e.expr)})', SCRIPT)

    def _print_lambda(self, e: Any) -> Piece:
        left = self.text(e.signature[0] if len(e.signature) == 1 else e.signature)
        return Piece(f"{left} |-> {self.text(e.expr)}", IMPLIES)

    def _print_tuple(self, e: Any) -> Piece:
        return Piece(f"({self._listed(e)})", ATOM)

    def _print_order(self, e: Any) -> Piece:
        return Piece(f"O ({self.text(e.expr)})", SCRIPT)

    # -- relations and logic -----------------------------------------------------------------------

    def _print_relational(self, e: Any) -> Piece:
        sign = _RELATIONS[e.rel_op]
        return Piece(f"{self.text(e.lhs, SET)} {sign} {self.text(e.rhs, SET)}", RELATION)

    def _print_and(self, e: Any) -> Piece:
        chain = _chain(e.args)
        if chain is not None:
            low, first, middle, second, high = chain
            parts = (self.text(low, SET), first, self.text(middle, SET), second)
            return Piece(f"{' '.join(parts)} {self.text(high, SET)}", RELATION)
        return Piece(" and ".join(self.text(item, RELATION) for item in _sorted(e.args)), AND)

    def _print_or(self, e: Any) -> Piece:
        return Piece(" or ".join(self.text(item, RELATION) for item in _sorted(e.args)), OR)

    def _print_not(self, e: Any) -> Piece:
        return Piece(f"not {self.text(e.args[0], ATOM)}", AND)

    def _print_implies(self, e: Any) -> Piece:
        return Piece(" ==> ".join(self.text(item, OR) for item in e.args), IMPLIES)

    def _print_equivalent(self, e: Any) -> Piece:
        return Piece(" <==> ".join(self.text(item, OR) for item in _sorted(e.args)), IMPLIES)

    def _print_contains(self, e: Any) -> Piece:
        return Piece(f"{self.text(e.args[0], SET)} in {self.text(e.args[1], SET)}", RELATION)

    def _print_expr_cond_pair(self, e: Any) -> Piece:
        always = type(e.cond).__name__ == "BooleanTrue"
        condition = '"otherwise"' if always else f'"if" {self.text(e.cond)}'
        return Piece(f"{self.text(e.expr)} & {condition}", IMPLIES)

    def _print_piecewise(self, e: Any) -> Piece:
        return Piece(f"cases({', '.join(self.text(pair) for pair in e.args)})", BIG)

    # -- sets --------------------------------------------------------------------------------------

    def _print_interval(self, e: Any) -> Piece:
        left, right = "(" if e.left_open else "[", ")" if e.right_open else "]"
        return Piece(f"lr(\\{left} {self._listed((e.start, e.end))} \\{right})", ATOM)

    def _print_finite_set(self, e: Any) -> Piece:
        return Piece(f"{{ {self._listed(_sorted(e.args))} }}", ATOM)

    def _print_union(self, e: Any) -> Piece:
        return Piece(" union ".join(self.text(item, SUM) for item in e.args), SET)

    def _print_intersection(self, e: Any) -> Piece:
        return Piece(" inter ".join(self.text(item, SUM) for item in e.args), SET)

    def _print_complement(self, e: Any) -> Piece:
        return Piece(" without ".join(self.text(item, SUM) for item in e.args), SET)

    def _print_product_set(self, e: Any) -> Piece:
        return Piece(" times ".join(self.text(item, SUM) for item in e.args), SET)

    def _print_condition_set(self, e: Any) -> Piece:
        head = f"{self.text(e.sym)} in {self.text(e.base_set)}"
        return Piece(f"{{ {head} mid(|) {self.text(e.condition)} }}", ATOM)

    # -- sums and calculus -------------------------------------------------------------------------

    def _print_sum(self, e: Any) -> Piece:
        return self._big("sum", e)

    def _print_product(self, e: Any) -> Piece:
        return self._big("product", e)

    def _big(self, sign: str, e: Any) -> Piece:
        out = ""
        for variable, *bounds in reversed(e.limits):
            out += f"{sign}_({self._script(variable)}"
            out += f"={self._script(bounds[0])})^({self._script(bounds[1])}) " if bounds else ") "
        return Piece(out + self.text(e.function, PRODUCT), BIG)

    def _print_integral(self, e: Any) -> Piece:
        out = ""
        for _, *bounds in reversed(e.limits):
            ends = [self._script(bound) for bound in bounds]
            out += "integral" + (f"_({ends[0]})^({ends[1]}) " if len(ends) == 2 else " ")
        out += self.text(e.function, PRODUCT)
        for variable, *_ in e.limits:
            out += f" dif {self.text(variable, ATOM)}"
        return Piece(out, BIG)

    def _print_limit(self, e: Any) -> Piece:
        body, variable, point, direction = e.args
        side = {"+": "^(+)", "-": "^(-)"}.get(str(direction), "")
        end = self._script(point)
        return Piece(f"lim_({self.text(variable)} -> {end}{side}) {self.text(body, PRODUCT)}", BIG)

    def _print_derivative(self, e: Any) -> Piece:
        sign = "partial" if len(e.expr.free_symbols) > 1 else "dif"
        order = sum(count for _, count in e.variable_count)
        below = " ".join(
            f"{sign} {self.text(variable, ATOM)}"
            + (f"^({self._script(count)})" if count != 1 else "")
            for variable, count in e.variable_count
        )
        above = sign if order == 1 else f"{sign}^({self._script(order)})"
        return Piece(f"frac({above}, {below}) {self.text(e.expr, PRODUCT)}", BIG)


def _sorted(items: Iterable[Any]) -> list[Any]:
    from sympy import default_sort_key

    return sorted(items, key=default_sort_key)


def _chain(conditions: Iterable[Any]) -> tuple[Any, str, Any, str, Any] | None:
    """Read two inequalities with a common side as one chain: 0 < x and x < 2 as 0 < x < 2."""
    pairs = [
        (item.lts, "<=" if item.rel_op in ("<=", ">=") else "<", item.gts)
        for item in conditions
        if item.is_Relational and item.rel_op not in ("==", "!=")
    ]
    if len(pairs) != 2 or len(tuple(conditions)) != 2:
        return None
    for (low, first, middle), (again, second, high) in (pairs, pairs[::-1]):
        if middle == again and not middle.is_number:
            return low, first, middle, second, high
    return None
