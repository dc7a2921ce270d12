"""How large a formula may be, found on its tree before SymPy sees it."""

from __future__ import annotations

from fractions import Fraction

from convex_analyzer.parsing.tokens import Node, Source

__all__ = ["check_sizes"]

_BITS = 1023  # of a number: the range of float64
_DEGREE = 1000  # of a power of something that is no number
_TOWER = 2  # powers in exponents, calls of exp included


def check_sizes(source: Source, node: Node) -> None:
    """Refuse numbers, powers and towers of powers that nobody can evaluate.

    Raises
    ------
    ParseError
        At the part that is too large.

    Examples
    --------
    >>> from convex_analyzer.parsing.tokens import Node, Source
    >>> nine = Node("number", 0, 1, (), "9")
    >>> check_sizes(Source("9^9"), Node("power", 0, 3, (nine, nine)))
    """
    _Sizes(source).look(node)


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


class _Sizes:
    def __init__(self, source: Source) -> None:
        self.source = source

    def look(self, node: Node) -> tuple[Fraction | None, int, int]:
        """Return the exact value where it is a number, the degree, and the height of its tower."""
        parts = [self.look(part) for part in node.args]
        height = max((h for _, _, h in parts), default=0)
        degree = max((d for _, d, _ in parts), default=0)
        values = [v for v, _, _ in parts]
        match node.kind:
            case "number":
                return Fraction(str(node.value)), 0, 0
            case "name":
                return None, 1, 0
            case "group":
                return parts[0]
            case "sign" if values[0] is not None:
                return (-values[0] if node.value == "-" else values[0]), 0, height
            case "sum" | "product" | "fraction":
                value = self.arithmetic(node, values)
                total = sum(d for _, d, _ in parts) if node.kind != "sum" else degree
                return value, self.degree(node, total), height
            case "power":
                return self.power(node, parts)
            case "call" if node.value == "exp":
                return None, degree, self.height(node, height + 1)
            case "bigsum" | "matrix" | "call":
                return None, self.degree(node, degree), height
        return None, degree, height

    def arithmetic(self, node: Node, values: list[Fraction | None]) -> Fraction | None:
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        signs = node.value if isinstance(node.value, tuple) else ("*", "/")
        total = known[0]
        for sign, value in zip(signs[1:], known[1:], strict=True):
            if sign == "/" and value == 0:
                raise self.source.error("division by zero", node.start)
            if node.kind == "sum":
                total += value if sign == "+" else -value
            else:
                total = total / value if sign == "/" else total * value
            self.bits(node, total)
        return total

    def power(
        self, node: Node, parts: list[tuple[Fraction | None, int, int]]
    ) -> tuple[Fraction | None, int, int]:
        (base, low, height), (exponent, high, inner) = parts
        tower = self.height(node, max(height, inner + 1 if high or inner else 0))
        if exponent is None:
            return None, self.degree(node, max(low, 1)), tower
        size = abs(exponent)
        if base is None:
            if size > _DEGREE:
                raise self.source.error(f"a power beyond {_DEGREE}", node.start)
            return None, self.degree(node, int(low * max(size, Fraction(1)))), tower
        if size * _bits(base) > _BITS and base not in {0, 1, -1}:
            raise self.source.error("this power is too large", node.start)
        if base == 0 and exponent < 0:
            raise self.source.error("division by zero", node.start)
        if exponent.denominator != 1:
            return None, 0, tower
        return base ** int(exponent), 0, tower

    def bits(self, node: Node, value: Fraction) -> None:
        if _bits(value) > _BITS:
            raise self.source.error("this number is too large", node.start)

    def degree(self, node: Node, degree: int) -> int:
        if degree > _DEGREE:
            raise self.source.error(f"a power beyond {_DEGREE}", node.start)
        return degree

    def height(self, node: Node, height: int) -> int:
        if height > _TOWER:
            raise self.source.error("a tower of powers", node.start, "at most two on each other")
        return height
