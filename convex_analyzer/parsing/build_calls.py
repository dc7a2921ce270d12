"""Calls of functions, sums with bounds, matrices and norms, as SymPy objects."""

from __future__ import annotations

from typing import Any

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.names import fold
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import Node, Source, Token

__all__ = ["Calls"]

_RELATIONS = {"Eq": "=", "Ne": "!=", "Lt": "<", "Le": "<=", "Gt": ">", "Ge": ">="}
_LOGIC = ("And", "Or", "Not", "Implies", "Equivalent")
_MATRICES = ("det", "inv", "trace", "transpose")
_NUMBERS_OF_ARGUMENTS = {"Max": (2, 8), "Min": (2, 8), "Sum": (2, 2), "Product": (2, 2),
                         "diff": (2, 4), "Rational": (1, 2), "root": (2, 2), "And": (1, 20),
                         "Or": (1, 20), "Implies": (2, 2), "Equivalent": (2, 2),
                         "log": (1, 2), **dict.fromkeys(_RELATIONS, (2, 2))}  # fmt: skip


class Calls:
    """What `Builder` knows of functions, sums and matrices."""

    def __init__(self, source: Source, symbols: Symbols) -> None:
        import sympy

        self.sympy, self.source, self.symbols = sympy, source, symbols
        self.scope: dict[str, Any] = {}
        self.bound = 0  # inside the bounds of a sum or an interval
        self.size = sympy.Symbol("n", integer=True, positive=True)

    def build(self, node: Node) -> Any:
        """Return the SymPy object of a node."""
        raise NotImplementedError

    def related(self, left: Any, sign: str, right: Any, node: Node) -> Any:
        """Return a relation."""
        raise NotImplementedError

    def error(self, message: str, node: Node | Token, hint: str = "") -> ParseError:
        """Return an error at a node."""
        return self.source.error(message, node.start, hint)

    # -- what a value is ----------------------------------------------------------------------

    def is_matrix(self, value: Any) -> bool:
        """Return whether a value is a matrix or a vector."""
        return bool(getattr(value, "is_Matrix", False) or getattr(value, "is_MatrixExpr", False))

    def is_claim(self, value: Any) -> bool:
        """Return whether a value is true or false; a bare symbol is not."""
        sp = self.sympy
        return isinstance(
            value, (sp.core.relational.Relational, sp.logic.boolalg.BooleanFunction)
        ) or value in (sp.true, sp.false)

    def is_single(self, value: Any) -> bool:
        """Return whether a matrix expression has one entry."""
        return self.is_matrix(value) and tuple(value.shape) == (1, 1)

    def shape_text(self, shape: Any) -> str:
        """Return a shape as words."""
        return f"{shape[0]}x{shape[1]}" if shape else "a number"

    def quantity(self, node: Node) -> Any:
        """Return a number or a matrix, not a claim."""
        value = self.build(node)
        if self.is_claim(value):
            raise self.error("a quantity is missing, this is a relation", node)
        return value

    def number(self, value: Any, node: Node, doing: str = "") -> Any:
        """Return a value as a scalar: a product of one entry stands as its trace."""
        if not self.is_matrix(value):
            return value
        if self.is_single(value):
            return self.sympy.Trace(value)
        what = "vector" if value.shape[1] == 1 else "matrix"
        if doing:
            raise self.error(f"{doing} a {what}", node, "an inverse is written inv(A)")
        raise self.error(f"a number is missing, this is a {what}", node)

    def claim(self, node: Node) -> Any:
        """Return a relation, not a quantity."""
        value = self.build(node)
        if not self.is_claim(value):
            raise self.error("a relation is missing, this is a quantity", node)
        return value

    def square(self, value: Any, node: Node) -> None:
        """Refuse what is not square."""
        if value.shape[0] != value.shape[1]:
            raise self.error("this is not a square matrix", node)

    # -- calls --------------------------------------------------------------------------------

    def make_call(self, node: Node) -> Any:
        """Return f(a, b), unevaluated."""
        name = str(node.value)
        least, most = _NUMBERS_OF_ARGUMENTS.get(name, (1, 1))
        if not least <= len(node.args) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise self.error(f"{name} takes {wanted} argument(s), got {len(node.args)}", node)
        if name in {"Sum", "Product", "diff", "Matrix", "norm", "Rational"}:
            return getattr(self, f"call_{name.lower()}")(node)
        if name in _RELATIONS:
            left, right = (self.quantity(part) for part in node.args)
            return self.related(left, _RELATIONS[name], right, node.args[1])
        if name in _LOGIC:
            claims = [self.claim(part) for part in node.args]
            return getattr(self.sympy, name)(*claims, evaluate=False)
        if name in _MATRICES:
            return self.of_matrix(name, node)
        parts = [self.number(self.quantity(part), part) for part in node.args]
        return self.of_numbers(name, parts, node)

    def of_numbers(self, name: str, parts: list[Any], node: Node) -> Any:
        """Return a function of numbers."""
        sp = self.sympy
        match name:
            case "sqrt":
                return sp.Pow(parts[0], sp.Rational(1, 2), evaluate=False)
            case "cbrt":
                return sp.Pow(parts[0], sp.Rational(1, 3), evaluate=False)
            case "root" if not parts[1].is_zero:
                over = sp.Pow(parts[1], -1) if parts[1].is_Rational else sp.Pow(
                    parts[1], -1, evaluate=False
                )  # fmt: skip
                return sp.Pow(parts[0], over, evaluate=False)
            case "log" if len(parts) == 2:
                top, bottom = (sp.log(part, evaluate=False) for part in parts)
                return sp.Mul(top, sp.Pow(bottom, -1, evaluate=False), evaluate=False)
            case "sigmoid":
                grown = sp.exp(sp.Mul(-1, parts[0], evaluate=False), evaluate=False)
                return sp.Pow(sp.Add(1, grown, evaluate=False), -1, evaluate=False)
            case "relu":
                return sp.Max(0, parts[0], evaluate=False)
        if name == "root":
            raise self.error("a root of degree zero", node)
        return getattr(sp, name)(*parts, evaluate=False)

    def of_matrix(self, name: str, node: Node) -> Any:
        """Return the determinant, the inverse, the trace or the transpose."""
        sp = self.sympy
        part = node.args[0]
        value = self.quantity(part)
        if not self.is_matrix(value):
            if name == "transpose":
                return value
            raise self.error(f"{name} takes a matrix", part)
        if name == "transpose":
            return sp.Transpose(value)
        self.square(value, part)
        kinds = {"det": sp.Determinant, "inv": sp.Inverse, "trace": sp.Trace}
        return kinds[name](value)

    def call_rational(self, node: Node) -> Any:
        """Return Rational(1, 2)."""
        parts = [self.quantity(part) for part in node.args]
        if not all(part.is_Rational for part in parts) or parts[-1] == 0:
            raise self.error("Rational takes whole numbers", node)
        return parts[0] / parts[1] if len(parts) == 2 else parts[0]

    def call_diff(self, node: Node) -> Any:
        """Return diff(f, x, x) or diff(f, x, 2), to be carried out by who judges it."""
        value = self.number(self.quantity(node.args[0]), node.args[0])
        variables: list[Any] = []
        for part in node.args[1:]:
            by = self.quantity(part)
            if by.is_Integer and variables and 0 < by <= 4:
                variables += variables[-1:] * (int(by) - 1)
            elif by.is_Symbol and not self.is_matrix(by):
                variables.append(by)
            else:
                raise self.error("a derivative is taken by a symbol", part)
        return self.sympy.Derivative(value, *variables)

    def call_norm(self, node: Node) -> Any:
        """Return norm(g) as the root of g.T*g; of a number its absolute value."""
        return self.normed(node, node.args[0])

    # -- sums ---------------------------------------------------------------------------------

    def call_sum(self, node: Node) -> Any:
        """Return Sum(term, (i, a, b))."""
        term, bounds = node.args
        if bounds.kind != "tuple" or len(bounds.args) != 3 or bounds.args[0].kind != "name":
            raise self.error("bounds are missing", bounds, "Sum(u**i, (i, 0, k))")
        return self.big(str(node.value), (term, *bounds.args), node)

    call_product = call_sum

    def make_bigsum(self, node: Node) -> Any:
        """Return a sum or product with bounds, from its four parts."""
        return self.big(str(node.value), node.args, node)

    def big(self, kind: str, parts: tuple[Node, ...], node: Node) -> Any:
        """Return Sum or Product; the index is known inside the term alone."""
        sp = self.sympy
        term, index, low, high = parts
        self.bound += 1
        ends = [self.number(self.quantity(part), part) for part in (low, high)]
        ends = [end.doit() if end.is_number else end for end in ends]
        self.bound -= 1
        for end, part in zip(ends, (low, high), strict=True):
            if end.is_Rational and not end.is_integer:
                raise self.error("bounds of a sum are whole", part)
            if end.is_Rational and abs(end) > 10_000:
                raise self.error("a bound of a sum is at most 10000", part)
        name = fold(str(index.value))
        known = self.symbols.find(str(index.value))
        counted = known.object if known is not None and known.is_scalar else None
        counted = counted if counted is not None else sp.Symbol(name, integer=True)
        if any(counted in end.free_symbols for end in ends):
            raise self.error("the index occurs in its own bounds", index, "rename it")
        before = self.scope.get(name)
        self.scope[name] = counted
        value = self.number(self.quantity(term), term)
        del self.scope[name]
        if before is not None:
            self.scope[name] = before
        return getattr(sp, kind)(value, (counted, *ends))

    # -- matrices -----------------------------------------------------------------------------

    def call_matrix(self, node: Node) -> Any:
        """Return Matrix([[a, b], [c, d]])."""
        rows = node.args[0]
        lines = rows.args if rows.value == "[" else ()
        cells = [line.args for line in lines if line.value == "["]
        if not cells or len(cells) < len(lines):
            raise self.error("rows are missing", rows, "Matrix([[a, b], [c, d]])")
        return self.matrix(cells, rows)

    def make_matrix(self, node: Node) -> Any:
        """Return a matrix written with rows."""
        return self.matrix([row.args for row in node.args], node)

    def matrix(self, cells: list[tuple[Node, ...]], node: Node) -> Any:
        """Return an explicit matrix of at most six rows and columns."""
        width = len(cells[0])
        if any(len(row) != width for row in cells):
            raise self.error("rows have different lengths", node)
        if max(width, len(cells)) > 6:
            raise self.error("a matrix has at most 6 rows and columns", node)
        flat = [self.number(self.quantity(cell), cell) for row in cells for cell in row]
        return self.sympy.ImmutableDenseMatrix(len(cells), width, flat)

    def make_abs(self, node: Node) -> Any:
        """Return |a|; of rows that are written out the determinant, else of no matrix."""
        value = self.quantity(node.args[0])
        rows_written = isinstance(value, self.sympy.MatrixBase)
        if rows_written and value.rows == value.cols and value.rows > 1:
            return self.sympy.Determinant(value)
        if self.is_matrix(value) and not self.is_single(value):
            raise self.error("bars round a matrix or vector", node, "write det(A) or norm(g)")
        return self.sympy.Abs(self.number(value, node), evaluate=False)

    def make_norm(self, node: Node) -> Any:
        """Return ||g||; with a second part, the norm that belongs to a matrix."""
        return self.normed(node, *node.args)

    def normed(self, node: Node, part: Node, weight: Node | None = None) -> Any:
        """Return the root of the squared norm."""
        squared = self.squared_norm(node, part, weight)
        if not self.is_matrix(squared):
            return squared
        trace = self.sympy.Trace(squared)
        return self.sympy.Pow(trace, self.sympy.Rational(1, 2), evaluate=False)

    def squared_norm(self, node: Node, part: Node, weight: Node | None = None) -> Any:
        """Return g.T*g or g.T*A*g; of a number its absolute value, not squared."""
        sp = self.sympy
        value = self.quantity(part)
        if not self.is_matrix(value) or self.is_single(value):
            return sp.Abs(self.number(value, part), evaluate=False)
        if value.shape[1] != 1:
            raise self.error("the norm of a matrix has several meanings", node, "name a vector")
        middle = []
        if weight is not None:
            middle = [self.quantity(weight)]
            if not self.is_matrix(middle[0]) or middle[0].shape[1] == 1:
                raise self.error("a norm is weighted by a declared matrix", weight)
        return sp.MatMul(sp.Transpose(value), *middle, value)

    def squared(self, node: Node) -> Any:
        """Return ||g||^2 as g.T*g, of a number as |g|^2."""
        value = self.squared_norm(node, *node.args)
        return value if self.is_matrix(value) else self.sympy.Pow(value, 2, evaluate=False)

    def make_apply(self, node: Node) -> Any:
        """Return f(x) of a declared function, x_{k+1} of a declared sequence."""
        declared = self.symbols.find(str(node.value))
        if declared is None or not declared.is_function:
            raise self.error(f"{node.value} is not a function", node)
        parts = [self.number(self.quantity(part), part) for part in node.args]
        if declared.kind == "sequence" and len(parts) != 1:
            raise self.error(f"{declared.name} has one index", node)
        return declared.object(*parts)
