"""Formulas as text: ``100*(y - x**2)**2 + (1 - x)**2`` becomes a SymPy expression.

Python's own grammar reads the text (`ast`), and a whitelist turns the tree into SymPy objects node
by node. SymPy's ``sympify`` is never called, since it evaluates text. Nothing is guessed: a product
has its sign, a power is ``**``. What would take long is refused before it is computed.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.grammar import Grammar

__all__ = ["Formula", "natural_order", "parse_formula"]


@dataclass(frozen=True)
class Formula:
    """A formula that was read.

    Attributes
    ----------
    text
        As given.
    expression
        A SymPy expression in real symbols.
    variables
        Names of the variables: those declared, or those found, in natural order.
    """

    text: str
    expression: Any
    variables: tuple[str, ...]

    @property
    def symbols(self) -> tuple[Any, ...]:
        """The SymPy symbols of `variables`."""
        return tuple(_symbol(name) for name in self.variables)


_LARGEST = 1e300

# One character for one, so that columns stay what the user sees.
_SAME = {
    **{ord("₀") + i: str(i) for i in range(10)},
    **dict(zip(map(ord, "−–·⋅∗×÷"), "--****/", strict=True)),
    **dict.fromkeys((0xA0, 0x2007, 0x2009, 0x202F), " "),  # spaces of other kinds
}
_POWERS = "²³⁴⁵⁶⁷⁸⁹"
_DIGITS = re.compile(r"(\d+)")
_WORDS = re.compile(r"[A-Za-z_]\w*")
_EXAMPLE = "for instance x**2 + 3*y"
_CURES = (  # what people write instead, and what to write
    (re.compile(r"\\"), "write it without LaTeX, for instance x**2/2"),
    (re.compile(r"[^=<>!]=[^=]"), "write only what stands on the right of ="),
    (re.compile(r"\|"), "an absolute value is written abs(x)"),
    (re.compile(r"[\w)\]]\s+[\w(]|\d[A-Za-z(]"), "a product is written *"),
)
_HINTS: Mapping[type[ast.AST], str] = {
    ast.BitXor: "a power is written **",
    ast.Attribute: "write sin(x), not np.sin(x)",
    ast.Compare: "a formula has no comparisons; max, min, abs and relu are there",
    ast.Tuple: "a decimal is written with a point; a formula is one expression",
}


def parse_formula(
    text: str, variables: Sequence[str] | None = None, grammar: Grammar | None = None
) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text
        Numbers, names, ``+ - * / **``, brackets, calls of known functions, ``x[0]``. Decimals are
        the fractions they stand for: 0.1 is 1/10.
    variables
        The names that may occur, in order; None: all names that occur, in natural order (x2 before
        x10).
    grammar
        What may occur, and how large.

    Returns
    -------
    Formula

    Raises
    ------
    ParseError
        The text cannot be read, or would take too long: says what, and at which column.

    Examples
    --------
    >>> parse_formula("100*(y - x**2)**2 + (1 - x)**2").variables
    ('x', 'y')
    >>> parse_formula("0.1*x₁**2 + cos(x₁₀)").expression
    x1**2/10 + cos(x10)
    """
    if not isinstance(text, str):
        raise InputError(
            f"a formula must be text, got {type(text).__name__}", argument="text", value=text
        )
    names = None
    if variables is not None:
        names = (variables,) if isinstance(variables, str) else tuple(map(str, variables))
        names = tuple(name.translate(_SAME).replace(" ", "") for name in names)
        if len(set(names)) < len(names):
            raise InputError(
                f"variables must be different, got {', '.join(names)}", argument="variables"
            )
    return _Reader(text, names, grammar or Grammar()).read()


def _symbol(name: str) -> Any:
    import sympy

    return sympy.Symbol(name, real=True)


def natural_order(name: str) -> list[Any]:
    """Return a key that sorts x2 before x10.

    Examples
    --------
    >>> sorted(["x10", "x2", "a"], key=natural_order)
    ['a', 'x2', 'x10']
    """
    return [int(part) if part.isdigit() else part for part in _DIGITS.split(name)]


class _Reader:
    """Reads one text; every error points into it."""

    def __init__(self, text: str, declared: tuple[str, ...] | None, grammar: Grammar) -> None:
        import sympy

        self.sympy, self.text, self.declared, self.grammar = sympy, text, declared, grammar
        self.found: dict[str, Any] = {}
        self.plain = text.translate(_SAME)

    def error(self, message: str, column: int, hint: str = "") -> ParseError:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return ParseError(
            f"{shown!r}, column {column + 1}: {message}", text=self.text, column=column, hint=hint
        )

    def wrong(self, message: str, node: ast.AST, hint: str = "") -> ParseError:
        return self.error(message, self._column(node), hint)

    def _column(self, node: ast.AST) -> int:
        """Return where a node begins, in characters of the text (ast counts bytes)."""
        line, offset = getattr(node, "lineno", 1) - 1, getattr(node, "col_offset", 0)
        lines = self.wrapped.splitlines(keepends=True)
        before = sum(map(len, lines[:line]))
        return max(0, before + len(lines[line].encode()[:offset].decode(errors="ignore")) - 1)

    def read(self) -> Formula:
        self._check_characters()
        self.wrapped = f"({self.plain})"  # so that a formula may span lines
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's own remarks on style
                tree = ast.parse(self.wrapped, mode="eval")
        except SyntaxError as error:
            column = min(max((error.offset or 1) - 2, 0), len(self.text))
            raise self.error("this is not a formula", column, self._cure()) from None
        except (ValueError, MemoryError, RecursionError):
            raise self.error("too many operators, or not text", 0) from None
        expression = self.convert(tree.body, self.grammar.deepest)
        if expression.has(self.sympy.I):
            raise self.error("its value is not a real number", 0)
        self._check_spellings()
        if self.declared is not None:
            return Formula(self.text, expression, self.declared)
        return Formula(self.text, expression, tuple(sorted(self.found, key=natural_order)))

    def _cure(self) -> str:
        """Say what to write instead of what Python's grammar does not read."""
        word = next((w for w in _WORDS.findall(self.plain) if keyword.iskeyword(w)), None)
        if word is not None:
            return f"{word} is a word of Python: give the variable another name"
        return next((cure for sign, cure in _CURES if sign.search(self.plain)), _EXAMPLE)

    def _check_characters(self) -> None:
        if not self.text.strip():
            raise self.error("a formula is missing", 0, _EXAMPLE)
        if len(self.text) > self.grammar.longest:
            raise self.error(f"longer than {self.grammar.longest} characters", 0)
        depth = 0
        for column, letter in enumerate(self.text):
            if letter in _POWERS:
                raise self.error(f"{letter} is not read", column, "a power is written **")
            depth += (letter in "([") - (letter in ")]")
            if depth > self.grammar.deepest:
                raise self.error(f"more than {self.grammar.deepest} nested brackets", column)
            if depth < 0:
                raise self.error("a bracket is closed that was not opened", column)
        if depth:
            raise self.error("a bracket is not closed", len(self.text) - 1)

    def _check_spellings(self) -> None:
        """Refuse x1 beside x_1: nobody can tell whether they are meant to be one."""
        seen: dict[str, str] = {}
        for name in self.found:
            other = seen.setdefault(name.replace("_", ""), name)
            if other != name:
                column = max(self.plain.find(name), 0)
                raise self.error(f"both {other} and {name}", column, "write them alike")

    # -- nodes --------------------------------------------------------------------------------

    def convert(self, node: ast.AST, depth: int) -> Any:
        """Return the SymPy object of a node."""
        if depth < 0:
            raise self.wrong(f"nested more than {self.grammar.deepest} levels deep", node)
        match node:
            case ast.Constant():
                result = self.number(node)
            case ast.Name():
                result = self.name(node.id, node)
            case ast.Subscript():
                result = self.entry(node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                value = self.convert(node.operand, depth - 1)
                result = -value if isinstance(node.op, ast.USub) else value
            case ast.BinOp(op=ast.Pow()):
                base, power = (self.convert(n, depth - 1) for n in (node.left, node.right))
                result = self.power(base, power, node)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                result = self.chain(node, depth)
            case ast.Call():
                result = self.call(node, depth)
            case _:
                raise self.refused(node)
        return self.checked(result, node)

    def refused(self, node: ast.AST) -> ParseError:
        kind = type(node.op) if isinstance(node, (ast.BinOp, ast.UnaryOp)) else type(node)
        hint = _HINTS.get(kind, "use numbers, names, + - * / ** and known functions")
        column = self._column(node)
        if isinstance(node, ast.BinOp):  # point at the operator
            between = self.text[column : self._column(node.right)].rstrip("( \n")
            column += max(len(between) - 1, 0)
        return self.error("this is not part of a formula", column, hint)

    def checked(self, value: Any, node: ast.AST) -> Any:
        sp = self.sympy
        if value.has(sp.zoo, sp.nan, sp.oo, -sp.oo):
            raise self.wrong("this is infinite or undefined", node)
        if value.is_Rational and max(abs(value.p), value.q).bit_length() > self.grammar.most_bits:
            raise self.wrong("this number is too large", node)
        if value.is_number and not value.is_Rational:
            number = value.evalf(15)
            if not number.is_real:
                raise self.wrong("its value is not a real number", node)
            if not abs(number) < _LARGEST:  # towers of exponentials end here
                raise self.wrong("this number leaves the range of float64", node)
        return value

    def chain(self, node: ast.BinOp, depth: int) -> Any:
        """Return a + b - c ..., or a * b / c ..., without descending once per operator."""
        adds = isinstance(node.op, (ast.Add, ast.Sub))
        kinds = (ast.Add, ast.Sub) if adds else (ast.Mult, ast.Div)
        parts: list[tuple[ast.operator, ast.expr]] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp) and isinstance(first.op, kinds):
            parts.append((first.op, first.right))
            first = first.left
        terms = [self.convert(first, depth - 1)]
        for op, right in reversed(parts):
            term = self.convert(right, depth - 1)
            if isinstance(op, ast.Div):
                if term.is_zero:
                    raise self.wrong("division by zero", right)
                term = 1 / term
            terms.append(-term if isinstance(op, ast.Sub) else term)
        return (self.sympy.Add if adds else self.sympy.Mul)(*terms)

    def number(self, node: ast.Constant) -> Any:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong("this is not a number", node)
        if isinstance(value, int):
            return self.sympy.Integer(value)
        written = ast.get_source_segment(self.wrapped, node) or repr(value)
        exact = self.sympy.Rational(written.replace("_", "")) if math.isfinite(value) else None
        if exact is None or (value == 0 and exact != 0):
            raise self.wrong("this number leaves the range of float64", node)
        return exact

    def name(self, name: str, node: ast.AST) -> Any:
        if self.declared is not None and name in self.declared:
            return self.found.setdefault(name, _symbol(name))
        if name in self.grammar.constants:
            return getattr(self.sympy, self.grammar.constants[name])
        if name in self.grammar.functions:
            raise self.wrong(f"{name} is a function", node, f"write {name}(...)")
        if name.startswith("_") or "__" in name:
            raise self.wrong("names do not begin with _ or contain __", node)
        if self.declared is not None:
            near = difflib.get_close_matches(name, self.declared, 1)
            known = ", ".join(self.declared) or "none"
            hint = f"did you mean {near[0]}?" if near else f"the variables are {known}"
            raise self.wrong(f"unknown name {name!r}", node, hint)
        return self.found.setdefault(name, _symbol(name))

    def entry(self, node: ast.Subscript) -> Any:
        """Return x[3] as a variable of that name."""
        match node:
            case ast.Subscript(value=ast.Name(id=base), slice=ast.Constant(value=int() as index)):
                if not isinstance(index, bool) and index < 10**6:
                    return self.name(f"{base}[{index}]", node)
        raise self.wrong("an index is a whole number, counted from 0", node, "for instance x[0]")

    def power(self, base: Any, power: Any, node: ast.BinOp) -> Any:
        grammar = self.grammar
        if base.is_number and power.is_number:
            bits = abs(float(power)) * max(1.0, abs(math.log2(abs(float(base)) or 1.0)))
            if base.is_Rational:
                bits = abs(float(power)) * max(abs(base.p), base.q).bit_length()
            if bits > grammar.most_bits and base not in {-1, 0, 1}:
                raise self.wrong("this power is too large", node)
            if base == 0 and not power > 0:
                raise self.wrong("zero to a power that is not positive", node)
        elif power.is_number and abs(float(power)) > grammar.largest_power:
            raise self.wrong(f"a power beyond {grammar.largest_power}", node)
        return self.sympy.Pow(base, power)

    def call(self, node: ast.Call, depth: int) -> Any:
        if isinstance(node.func, (ast.Constant, ast.BinOp)):  # 2(x + 1), (x + 1)(y + 2)
            raise self.wrong("this is not a function", node.func, "a product is written *")
        if not isinstance(node.func, ast.Name):
            raise self.refused(node.func)
        name, functions = node.func.id, self.grammar.functions
        if name not in functions:
            if self.declared is None or name in self.declared:
                hint = "a product is written *"
            else:
                hint = f"known are {', '.join(functions)}"
            near = difflib.get_close_matches(name, functions, 1)
            hint = f"did you mean {near[0]}?" if near else hint
            raise self.wrong(f"{name!r} is not a function known here", node, hint)
        function = functions[name]
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise self.wrong(f"{name} takes plain arguments", node)
        if not function.least <= len(node.args) <= function.most:
            wanted = f"{function.least}" if function.least == function.most else "2 to 8"
            raise self.wrong(f"{name} takes {wanted} argument(s), got {len(node.args)}", node)
        arguments = [self.convert(argument, depth - 1) for argument in node.args]
        return function.build(self.sympy, *arguments)
