"""SymPy expressions as LaTeX and in plain letters, in the style of the Typst printer.

SymPy has printers for both; only names, the order of terms, numbers and a few forms are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from convex_analyzer.parsing.math_style import (
    float_parts,
    name_of,
    ordered_matrices,
    ordered_terms,
)

__all__ = ["to_latex", "to_plain"]

_SIGNS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥"}


def to_latex(
    expression: Any, *, names: Mapping[str, str] | None = None, digits: int | None = None
) -> str:
    r"""Print a SymPy object as LaTeX, without delimiters.

    Examples
    --------
    >>> import sympy as sp
    >>> print(to_latex(1 - sp.Symbol("alpha") * sp.Symbol("lambda_max")))
    1 - \alpha \lambda_{\mathrm{max}}
    """
    printer = _latex_class()({"ln_notation": True, "mat_delim": "["})
    printer.names, printer.digits = names or {}, digits
    return str(printer.doprint(expression))


def to_plain(
    expression: Any, *, names: Mapping[str, str] | None = None, digits: int | None = None
) -> str:
    """Print a SymPy object in plain letters on one line.

    Examples
    --------
    >>> import sympy as sp
    >>> to_plain(4 / (1 + sp.sqrt(sp.Symbol("kappa"))) ** 2)
    '4/(1 + √κ)^2'
    """
    printer = _plain_class()()
    printer.names, printer.digits = names or {}, digits
    text = str(printer.doprint(expression)).replace("**", "^")
    return re.sub(r"(?<=\S)\*(?=\S)", "·", text)


@cache
def _latex_class() -> Any:
    from sympy.printing.latex import LatexPrinter

    forms = {
        "_print_MatMul": _latex_mat_mul,
        "_print_MatAdd": lambda self, e: _joined(map(self._print, ordered_matrices(e))),
        "_print_Identity": lambda self, e: "I",
    }
    return type("Latex", (LatexPrinter,), _forms(_latex_name, _latex_float) | forms)


@cache
def _plain_class() -> Any:
    from sympy.printing.str import StrPrinter

    forms = {
        "_print_Relational": lambda self, e: (
            f"{self._print(e.lhs)} {_SIGNS.get(e.rel_op, e.rel_op)} {self._print(e.rhs)}"
        ),
        "_print_And": lambda self, e: " and ".join(sorted(map(self._print, e.args))),
        "_print_Or": lambda self, e: " or ".join(sorted(map(self._print, e.args))),
        "_print_Equivalent": lambda self, e: " ⇔ ".join(map(self._print, e.args)),
        "_print_MatrixBase": lambda self, e: self._print(e.tolist()),
        "_print_Infinity": lambda self, e: "∞",
        "_print_NegativeInfinity": lambda self, e: "-∞",
        "_print_Pi": lambda self, e: "π",
        "_print_MatAdd": lambda self, e: _joined(map(self._print, ordered_matrices(e))),
        "_print_MatMul": _plain_mat_mul,
        "_print_Reals": lambda self, e: "ℝ",
        "_print_Abs": lambda self, e: f"|{self._print(e.args[0])}|",
        "_print_Contains": lambda self, e: f"{self._print(e.args[0])} in {self._print(e.args[1])}",
        "_print_Pow": _plain_power,
        "_print_Interval": _plain_interval,
        "_print_Transpose": lambda self, e: f"{self.parenthesize(e.arg, 1000, strict=True)}ᵀ",
    }
    return type("Plain", (StrPrinter,), _forms(_plain_name, _plain_float) | forms)


def _forms(name: Any, number: Any) -> dict[str, Any]:
    return {
        "_as_ordered_terms": lambda self, e, order=None: ordered_terms(e.as_ordered_terms()),
        "_print_Symbol": name,
        "_print_Dummy": name,
        "_print_MatrixSymbol": name,
        "_print_Float": number,
    }


def _joined(terms: Iterable[str]) -> str:
    return " + ".join(terms).replace("+ - ", "- ").replace("+ -", "- ")


def _latex_mat_mul(self: Any, e: Any) -> str:
    scalar, matrices = e.as_coeff_matrices()
    negative = scalar.as_coeff_Mul()[0].is_negative
    scalar = -scalar if negative else scalar
    front = [] if scalar == 1 else [self.parenthesize(scalar, 45)]  # 45: only sums
    parts = front + [self.parenthesize(matrix, 45) for matrix in matrices]
    return ("- " if negative else "") + " ".join(parts)


def _plain_mat_mul(self: Any, e: Any) -> str:
    scalar, matrices = e.as_coeff_matrices()
    negative = scalar.as_coeff_Mul()[0].is_negative
    scalar = -scalar if negative else scalar
    whole = scalar == 1 or scalar.as_numer_denom()[1] == 1
    front = [] if scalar == 1 else [self.parenthesize(scalar, 45 if whole else 1000)]
    parts = front + [self.parenthesize(matrix, 45) for matrix in matrices]
    return ("-" if negative else "") + "*".join(parts)


def _latex_name(self: Any, e: Any, **_: Any) -> str:
    return name_of(e, self.names).latex()


def _latex_float(self: Any, e: Any) -> str:
    mantissa, exponent = float_parts(e, self.digits)
    if not exponent:
        return mantissa
    power = f"10^{{{exponent}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"


def _plain_name(self: Any, e: Any) -> str:
    return name_of(e, self.names).plain()


def _plain_float(self: Any, e: Any) -> str:
    mantissa, exponent = float_parts(e, self.digits)
    return f"{mantissa}e{exponent}" if exponent else mantissa


def _plain_power(self: Any, e: Any, rational: bool = False) -> str:
    root = e.exp.is_Rational and abs(e.exp.p) == 1 and e.exp.q == 2 and e.is_commutative
    if not root:
        return str(super(_plain_class(), self)._print_Pow(e, rational=rational))
    text = f"√{self.parenthesize(e.base, 1000, strict=True)}"
    return text if e.exp > 0 else f"1/{text}"


def _plain_interval(self: Any, e: Any) -> str:
    left, right = "(" if e.left_open else "[", ")" if e.right_open else "]"
    return f"{left}{self._print(e.start)}, {self._print(e.end)}{right}"
