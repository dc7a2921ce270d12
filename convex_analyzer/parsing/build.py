"""Trees to SymPy objects, as they were written: nothing is simplified on the way.

Shapes are checked here; a name that is neither declared nor bound by a sum ends here.
"""

from __future__ import annotations

import re
from typing import Any

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.build_calls import Calls
from convex_analyzer.parsing.names import fold
from convex_analyzer.parsing.notations import letters_hint
from convex_analyzer.parsing.symbols import Declaration
from convex_analyzer.parsing.tokens import Node

__all__ = ["Builder"]

_CONSTANTS = {"pi": "pi", "e": "E", "oo": "oo"}
_INDEXED = re.compile(r"_\{?[a-z](?:[+-]\d)?\}?$")  # p_k, p_{k+1}
_OPPOSITE = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Builder(Calls):
    """Builds the SymPy object of a tree."""

    def build(self, node: Node) -> Any:
        """Return the SymPy object of a node."""
        method = getattr(self, f"make_{node.kind}", None)
        if method is None:
            raise self.error(f"a {node.kind} does not belong here", node)
        return method(node)

    # -- atoms --------------------------------------------------------------------------------

    def make_number(self, node: Node) -> Any:
        """Return 0.1 as 1/10."""
        return self.sympy.Rational(str(node.value))

    def make_infinity(self, node: Node) -> Any:
        """Return infinity, where it is a bound."""
        if not self.bound:
            raise self.error("infinity is no number", node, "it may bound a sum or an interval")
        return self.sympy.oo

    def make_name(self, node: Node) -> Any:
        """Return what a name stands for."""
        name = str(node.value)
        key = fold(name)
        if key in self.scope:
            return self.scope[key]
        meant = self.symbols.find(name)
        if meant is not None:
            return self.declared(meant, node)
        if key == "I" and self.symbols.has_matrices:
            return self.sympy.Identity(self.size)
        if key in _CONSTANTS and (key != "oo" or self.bound):
            return getattr(self.sympy, _CONSTANTS[key])
        raise self.unknown(name, node)

    def declared(self, meant: Declaration, node: Node) -> Any:
        """Return a declared symbol, or what it was defined as."""
        if meant.is_function:
            raise self.error(f"{meant.name} is a {meant.kind}", node, f"write {meant.name}(...)")
        return self.symbols.meaning(str(node.value))

    def unknown(self, name: str, node: Node) -> ParseError:
        """Return the error for a name that is not declared."""
        shown = " ".join(self.source.text[node.start : node.end].split()) or name
        singles = list(name) if name.isalpha() and len(name) > 1 else []
        if singles and all(letter in self.symbols for letter in singles):
            hint = f"a product of {', '.join(singles)} is written {'*'.join(singles)}"
        elif _INDEXED.search(name) and not letters_hint(self.symbols, name):
            hint = f"say in a line above what it is, 'let {shown} = ...', or declare it"
        else:
            hint = self.symbols.suggestion(name)
        return self.error(f"unknown name '{shown}'", node, hint)

    def make_group(self, node: Node) -> Any:
        """Return what stands in brackets."""
        return self.build(node.args[0])

    def make_tuple(self, node: Node) -> Any:
        """Refuse (a, b) where no function takes it."""
        raise self.error("a list in brackets is no quantity", node, "write an interval with 'in'")

    # -- arithmetic ---------------------------------------------------------------------------

    def make_sign(self, node: Node) -> Any:
        """Return -a."""
        value = self.quantity(node.args[0])
        return self.negative(value) if node.value == "-" else value

    def negative(self, value: Any) -> Any:
        """Return -a, as written."""
        sp = self.sympy
        if self.is_matrix(value):
            return sp.MatMul(sp.S.NegativeOne, value, evaluate=False)
        return -value if value.is_Rational else sp.Mul(sp.S.NegativeOne, value, evaluate=False)

    def make_sum(self, node: Node) -> Any:
        """Return a + b - c."""
        terms = [self.quantity(part) for part in node.args]
        terms = self.alike(terms, node)
        signs = node.value if isinstance(node.value, tuple) else ()
        signed = [
            self.negative(term) if sign == "-" else term
            for term, sign in zip(terms, signs, strict=True)
        ]
        if self.is_matrix(signed[0]):
            return self.sympy.MatAdd(*signed)
        return self.sympy.Add(*signed, evaluate=False)

    def alike(self, terms: list[Any], node: Node) -> list[Any]:
        """Return terms that can be added or compared: all scalars, or of one shape."""
        shapes = {term.shape if self.is_matrix(term) else () for term in terms}
        if len(shapes) == 1:
            return terms
        if shapes <= {(), (1, 1)}:
            return [self.number(term, node) for term in terms]
        if () in shapes and len(shapes) == 2:
            shape = next(term.shape for term in terms if self.is_matrix(term))
            if all(self.is_matrix(term) or term == 0 for term in terms):
                zero = self.sympy.ZeroMatrix(*shape)
                return [term if self.is_matrix(term) else zero for term in terms]
            what = "vector" if shape[1] == 1 else "matrix"
            hint = "" if what == "vector" else "the identity is written I"
            raise self.error(f"a number stands beside a {what}", node, hint)
        shown = " and ".join(sorted(self.shape_text(s) for s in shapes))
        raise self.error(f"these have different shapes: {shown}", node)

    def make_product(self, node: Node) -> Any:
        """Return a*b/c*d, read from the left."""
        sp = self.sympy
        factors: list[Any] = []
        signs = node.value if isinstance(node.value, tuple) else ()
        for part, sign in zip(node.args, signs, strict=True):
            value = self.quantity(part)
            if sign == "/":
                value = self.number(value, part, "divided by")
                if value.is_number and value.is_zero:  # of letters it would take long
                    raise self.error("division by zero", part)
                last = factors[-1]
                if value.is_Rational and getattr(last, "is_Rational", False) and len(factors) == 1:
                    factors[-1] = last / value
                    continue
                if last == 1 and len(factors) == 1:
                    factors.pop()
                value = 1 / value if value.is_Rational else sp.Pow(value, -1, evaluate=False)
            factors.append(value)
        return self.multiplied(factors, node)

    make_fraction = make_product

    def multiplied(self, factors: list[Any], node: Node) -> Any:
        """Return the product; matrices keep their order, numbers stand before them."""
        sp = self.sympy
        numbers: list[Any] = []
        matrices: list[Any] = []
        for factor in factors:
            if not self.is_matrix(factor):
                numbers.append(factor)
                continue
            if matrices and matrices[-1].cols != factor.rows:
                if self.is_single(sp.MatMul(*matrices)):
                    numbers.append(sp.Trace(self.joined(matrices)))
                    matrices = []
                elif self.is_single(factor):
                    numbers.append(sp.Trace(factor))
                    continue
                else:
                    left, right = map(self.shape_text, (matrices[-1].shape, factor.shape))
                    raise self.error(
                        f"{left} cannot be multiplied by {right}", node, "a transpose is missing?"
                    )
            matrices.append(factor)
        if not matrices:
            return numbers[0] if len(numbers) == 1 else sp.Mul(*numbers, evaluate=False)
        return self.joined([*numbers, *matrices])

    def joined(self, factors: list[Any]) -> Any:
        """Return one factor, or the product of several."""
        return factors[0] if len(factors) == 1 else self.sympy.MatMul(*factors)

    def make_power(self, node: Node) -> Any:
        """Return a**b; of a matrix a power or the inverse."""
        sp = self.sympy
        below, above = node.args
        if below.kind == "norm" and above.kind == "number" and above.value == "2":
            return self.squared(below)
        base = self.quantity(below)
        named_t = above.kind == "name" and above.value == "T" and self.symbols.find("T") is None
        if self.is_matrix(base) and named_t:
            return sp.Transpose(base)
        if self.is_matrix(base) and above.kind == "name" and above.value == "T":
            raise self.error(
                "this can be read in two ways", above, r"write A.T or A^\top for the transpose"
            )
        exponent = self.number(self.quantity(above), above)
        if base == sp.E:
            return sp.exp(exponent, evaluate=False)
        if not self.is_matrix(base):
            return sp.Pow(base, exponent, evaluate=False)
        if self.is_single(base):
            return sp.Pow(sp.Trace(base), exponent, evaluate=False)
        self.square(base, node)
        if exponent == -1:
            return sp.Inverse(base)
        if not exponent.is_integer:
            raise self.error("a matrix has whole powers", above)
        return sp.MatPow(base, exponent)

    def make_transpose(self, node: Node) -> Any:
        """Return the transpose; a number is its own."""
        value = self.quantity(node.args[0])
        if self.is_matrix(value):
            return self.sympy.Transpose(value)
        if node.value == "T":
            raise self.error("a number is raised to T, which is not declared", node)
        return value

    # -- relations ----------------------------------------------------------------------------

    def make_relation(self, node: Node) -> Any:
        """Return a < b < c as And(a < b, b < c)."""
        signs = node.value if isinstance(node.value, tuple) else ()
        sides = [self.quantity(part) for part in node.args]
        found = [
            self.related(sides[i], sign, sides[i + 1], node.args[i + 1])
            for i, sign in enumerate(signs)
        ]
        return found[0] if len(found) == 1 else self.sympy.And(*found, evaluate=False)

    def related(self, left: Any, sign: str, right: Any, node: Node) -> Any:
        """Return left sign right, unevaluated."""
        sp = self.sympy
        left, right = self.alike([left, right], node)
        kinds = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge, "!=": sp.Ne, "=": sp.Eq}
        if self.is_matrix(left) and sign not in {"=", "!="}:
            if not self.is_single(left):
                raise self.error("matrices and vectors have no order", node)
            left, right = sp.Trace(left), sp.Trace(right)
        return kinds[sign](left, right, evaluate=False)

    def make_interval(self, node: Node) -> Any:
        """Return x in (a, b] as And(a < x, x <= b)."""
        middle = self.number(self.quantity(node.args[0]), node.args[0])
        self.bound += 1
        low, high = (self.number(self.quantity(part), part) for part in node.args[1:])
        low, high = (end.doit() if end.is_infinite else end for end in (low, high))
        self.bound -= 1
        first, last = node.value if isinstance(node.value, tuple) else ("<", "<")
        found = []
        infinities = (self.sympy.oo, -self.sympy.oo)
        if low not in infinities:
            found.append(self.related(low, first, middle, node.args[1]))
        if high not in infinities:
            found.append(self.related(middle, last, high, node.args[2]))
        if not found:
            raise self.error("this interval says nothing", node)
        return found[0] if len(found) == 1 else self.sympy.And(*found, evaluate=False)

    def make_logic(self, node: Node) -> Any:
        """Return And, Or or Not."""
        parts = [self.claim(part) for part in node.args]
        return getattr(self.sympy, str(node.value))(*parts, evaluate=False)
