"""Optimizers as text: ``HeavyBall``, ``HeavyBall:learning_rate=0.1,momentum=0.9``, ``HB(0.1)``.

Text is data: names of optimizers, schedules and hyper-parameters, numbers, words and lists are
read, nothing is evaluated. Hyper-parameters that are left out are for the caller to tune.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from convex_analyzer import schedules
from convex_analyzer.domains import Choice, Domain, Flag, Setting, is_schedule
from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.optimizers import find
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.literals import constant, meant, number_or_text, split
from convex_analyzer.schedules.base import Schedule
from convex_analyzer.schedules.reading import missing_fields
from convex_analyzer.tables import join_words

__all__ = ["parse_optimizer", "parse_schedule"]

Kind = type[Optimizer] | type[Schedule]

_LONGEST = 100_000  # characters: a schedule may be a table of numbers
_KEY = re.compile(r"([^=(\[\"']*)=(.*)", re.DOTALL)  # key=value, and not name(key=value)
_WORDS = {"true": True, "false": False}
_CALL = "this is not a call such as HeavyBall(0.1)"
_VALUE = "this is not a value such as 0.1 or Step(0.1, 0.5, 30)"


def parse_optimizer(
    text: str, extra: dict[str, type[Optimizer]] | None = None
) -> tuple[type[Optimizer], dict[str, Any]] | Optimizer:
    """Read an optimizer.

    Parameters
    ----------
    text
        A name; a name with hyper-parameters, ``Name:key=value,key=value`` (keys may be short or
        Greek: lr, alpha, mu, ...); or a call, ``Name(value, key=value)``. Values are numbers,
        fractions, words, schedules such as ``Step(0.1, 0.5, 30)``, and optimizers.
    extra
        Further classes by name.

    Returns
    -------
    (class, values given) or an instance
        An instance when optimizers are nested or a hyper-parameter is scheduled; what is not given
        then has its default. Otherwise it is to be tuned.

    Raises
    ------
    ParseError
        The text cannot be read: says what, and at which column.

    Examples
    --------
    >>> parse_optimizer("HeavyBall:lr=0.1")
    (<class 'convex_analyzer.optimizers.momentum.HeavyBall'>, {'learning_rate': 0.1})
    >>> parse_optimizer("Nesterov(0.1, momentum=1/2)")[1]
    {'learning_rate': 0.1, 'momentum': 0.5}
    >>> print(parse_optimizer("HeavyBall:lr=Step(0.1, 0.5, 30),momentum=0.8"))
    HeavyBall(α = Step(0.1, 0.5, 30), μ = 0.8)
    """
    reader = _Reader(text, extra or {}, "an optimizer is missing", "for instance HeavyBall")
    mark = re.search(r"[:(]", text)
    if mark is None:
        return reader.find(text.strip(), len(text) - len(text.lstrip())), {}
    return reader.flat(mark.start()) if mark[0] == ":" else reader.call()


def parse_schedule(text: str) -> Schedule:
    """Read a schedule, ``Step(0.1, factor=0.5, every=30)``; a number is a constant one.

    Raises
    ------
    ParseError
        The text cannot be read: says what, and at which column.

    Examples
    --------
    >>> parse_schedule("WarmUp(10, Linear(1, 0, 100))").at(6)
    0.5
    """
    return _Reader(text, {}, "a schedule is missing", "for instance Step(1, 0.5, 30)").schedule()


class _Reader:
    """Reads one text; every error points into it."""

    def __init__(
        self, text: str, extra: dict[str, type[Optimizer]], missing: str, hint: str
    ) -> None:
        self.text = text
        self.extra = extra
        self.source, self.base = "", 0  # the expression that is being read, and where it begins
        if not text.strip():
            raise self.error(missing, 0, hint)
        if len(text) > _LONGEST:
            raise self.error(f"longer than {_LONGEST} characters", _LONGEST)

    def error(self, message: str, column: int, hint: str = "") -> ParseError:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return ParseError(
            f"{shown!r}, column {column + 1}: {message}",
            text=self.text,
            column=column,
            hint=hint,
        )

    def find(self, name: str, column: int) -> type[Optimizer]:
        try:
            return find(name, self.extra)
        except InputError as error:
            raise self.error(str(error), column) from None

    # -- Name:key=value,key=value ---------------------------------------------------------------

    def flat(self, colon: int) -> tuple[type[Optimizer], dict[str, Any]] | Optimizer:
        cls = self.find(self.text[:colon].strip(), 0)
        values: dict[str, Any] = {}
        for piece, column in self._pieces(colon + 1):
            match = _KEY.fullmatch(piece)
            key, value = (match[1], match[2]) if match else ("", piece)
            place = column + len(piece) - len(value.lstrip() or value)
            if not match:
                key = self._next_field(cls, values, column)
            name = self._field(cls, key.strip(), column)
            self._once(values, name, column)
            values[name] = self._read(cls, name, value.strip().replace("−", "-"), place)
        return self._finished(cls, values, 0)

    def _pieces(self, column: int) -> Iterator[tuple[str, int]]:
        for piece in split(self.text[column:]):
            stripped = piece.strip()
            if not stripped:
                raise self.error("a hyper-parameter is missing", column, "write key=value")
            yield stripped, column + len(piece) - len(piece.lstrip())
            column += len(piece) + 1

    def _read(self, cls: type[Optimizer], name: str, value: str, column: int) -> Any:
        if re.search(r"[(\[\"']", value):
            return self._value(cls, name, self._parsed(value, column, _VALUE))
        setting = cls.domains().get(name)
        if setting is None:
            return _WORDS.get(value.lower(), number_or_text(value))
        try:
            return setting.parse(cls.__name__, name, value)
        except InputError as error:
            raise self.error(str(error), column) from None

    # -- Name(value, key=value) -----------------------------------------------------------------

    def call(self) -> tuple[type[Optimizer], dict[str, Any]] | Optimizer:
        tree = self._parsed(self.text, 0, _CALL)
        if not isinstance(tree, ast.Call):
            raise self.error(_CALL, self._column(tree))
        if not isinstance(tree.func, ast.Name):
            raise self.error("only optimizers can be called", self._column(tree.func))
        cls = self.find(tree.func.id, self._column(tree.func))
        return self._finished(cls, self._arguments(cls, tree), self._column(tree))

    def schedule(self) -> Schedule:
        tree = self._parsed(self.text, 0, _VALUE)
        column = self._column(tree)
        try:
            if not isinstance(tree, ast.Call):
                return schedules.Constant(constant(tree))
            name = tree.func.id if isinstance(tree.func, ast.Name) else ast.unparse(tree.func)
            cls = schedules.find(name)
        except (InputError, ValueError, ArithmeticError) as error:
            reason = str(error) if isinstance(error, InputError) else _VALUE
            raise self.error(reason, column) from None
        built: Schedule = self._build(cls, self._arguments(cls, tree), column)
        return built

    def _parsed(self, source: str, column: int, complaint: str) -> ast.expr:
        """Return the syntax tree of an expression that begins at a column, evaluated in no way."""
        # One line, so that columns are columns; and the minus sign with which numbers are printed.
        self.source = re.sub(r"\s", " ", source.strip()).replace("−", "-")
        self.base = column + len(source) - len(source.lstrip())
        try:
            return ast.parse(self.source, mode="eval").body
        except SyntaxError as error:
            place = self.base + max((error.offset or 1) - 1, 0)
            raise self.error(complaint, place) from None
        except (ValueError, RecursionError, MemoryError):
            raise self.error(complaint, self.base) from None

    def _column(self, node: ast.expr | ast.keyword) -> int:
        """Return the place of a node in characters (Python counts bytes)."""
        before = self.source.encode()[: node.col_offset]
        return self.base + len(before.decode(errors="ignore"))

    def _arguments(self, cls: Kind, node: ast.Call) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for argument in node.args:
            name = self._next_field(cls, values, self._column(argument))
            values[name] = self._value(cls, name, argument)
        for keyword in node.keywords:
            column = self._column(keyword.value)
            if keyword.arg is None:
                raise self.error("** is not understood here", column, "write key=value")
            name = self._field(cls, keyword.arg, self._column(keyword))
            self._once(values, name, column)
            values[name] = self._value(cls, name, keyword.value)
        return values

    def _value(self, owner: Kind, name: str, node: ast.expr) -> Any:
        setting = owner.domains().get(name)
        column = self._column(node)
        if isinstance(node, ast.Call):
            cls = self._class(owner, name, setting, node)
            value = self._build(cls, self._arguments(cls, node), column)
        else:
            value = self._literal(owner, name, setting, node)
        try:
            return value if setting is None else setting.check(owner.__name__, name, value)
        except InputError as error:
            raise self.error(str(error), column) from None

    def _class(self, owner: Kind, name: str, setting: Setting | None, node: ast.Call) -> Kind:
        """Return the class that is called: a schedule, or an optimizer where it is no number."""
        column = self._column(node.func)
        if not isinstance(node.func, ast.Name):
            raise self.error("only optimizers and schedules can be called", column)
        called = node.func.id
        try:
            return schedules.find(called)
        except InputError as error:
            if setting is None:
                return self.find(called, column)
            wanted = "a number or a schedule" if isinstance(setting, Domain) else setting.sentence
            message = f"{owner.__name__}: {name} must be {wanted}; {error}"
            raise self.error(message, column) from None

    def _literal(self, owner: Kind, name: str, setting: Setting | None, node: ast.expr) -> Any:
        if isinstance(node, ast.Name) and isinstance(setting, (Choice, Flag)):
            return _WORDS.get(node.id.lower(), node.id)
        single = setting is None or (isinstance(setting, Domain) and _is_rule(owner))
        try:
            value = constant(node)
        except (ValueError, ArithmeticError):
            value = node
        if value is node or (single and isinstance(value, list)):
            text = ast.get_source_segment(self.source, node)
            wanted = "a number"
            if setting is not None and not isinstance(setting, Domain):
                wanted = setting.sentence
            message = f"{owner.__name__}: {name} must be {wanted}, got {text}"
            raise self.error(message, self._column(node))
        return value

    def _finished(
        self, cls: type[Optimizer], values: dict[str, Any], column: int
    ) -> tuple[type[Optimizer], dict[str, Any]] | Optimizer:
        if not any(isinstance(v, Optimizer) or is_schedule(v) for v in values.values()):
            return cls, values
        built: Optimizer = self._build(cls, values, column)
        return built

    def _build(self, cls: Kind, values: dict[str, Any], column: int) -> Any:
        if missing := missing_fields(cls, values):
            reason = (
                ": nothing is tuned inside a rule or beside a schedule" if _is_rule(cls) else ""
            )
            raise self.error(f"{cls.__name__} needs {join_words(missing)}{reason}", column)
        try:
            return cls(**values)
        except InputError as error:
            raise self.error(str(error), column) from None

    # -- names of hyper-parameters --------------------------------------------------------------

    def _once(self, values: dict[str, Any], name: str, column: int) -> None:
        if name in values:
            raise self.error(f"{name} is given twice", column)

    def _next_field(self, cls: Kind, values: dict[str, Any], column: int) -> str:
        names = [field.name for field in cls.fields()]
        if len(values) >= len(names):
            raise self.error(f"{cls.__name__} has only {join_words(names)}", column)
        return names[len(values)]

    def _field(self, cls: Kind, key: str, column: int) -> str:
        names = [field.name for field in cls.fields()]
        try:
            return meant(cls.__name__, key, names, "hyper-parameter" if _is_rule(cls) else "field")
        except InputError as error:
            said = str(error).removesuffix(f"; {error.hint}")
            raise self.error(said, column, error.hint) from None


def _is_rule(cls: Kind) -> bool:
    return issubclass(cls, Optimizer)
