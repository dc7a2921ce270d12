"""Optimizers as text: ``HeavyBall``, ``HeavyBall:learning_rate=0.1,momentum=0.9``, ``HB(0.1)``.

Text is data: names of optimizers, names of hyper-parameters and numbers are read, nothing is
evaluated. Hyper-parameters that are left out are for the caller to tune.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.notation import SYMBOLS
from convex_analyzer.optimizers import find
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.tables import join_words

__all__ = ["parse_optimizer"]

_LONGEST = 1000  # characters
_WORDS = {"true": True, "false": False}


def parse_optimizer(
    text: str, extra: dict[str, type[Optimizer]] | None = None
) -> tuple[type[Optimizer], dict[str, Any]] | Optimizer:
    """Read an optimizer.

    Parameters
    ----------
    text
        A name; a name with hyper-parameters, ``Name:key=value,key=value`` (keys may be short or
        Greek: lr, alpha, mu, ...); or a call, ``Name(value, key=value)``, whose values may be
        optimizers again.
    extra
        Further classes by name.

    Returns
    -------
    (class, values given) or an instance
        An instance when optimizers are nested. Otherwise what is not given is to be tuned.

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
    """
    reader = _Reader(text, extra or {})
    if not text.strip():
        raise reader.error("an optimizer is missing", 0, "for instance HeavyBall")
    if len(text) > _LONGEST:
        raise reader.error(f"longer than {_LONGEST} characters", _LONGEST)
    mark = re.search(r"[:(]", text)
    if mark is None:
        return reader.find(text.strip(), len(text) - len(text.lstrip())), {}
    return reader.flat(mark.start()) if mark[0] == ":" else reader.call()


class _Reader:
    """Reads one text; every error points into it."""

    def __init__(self, text: str, extra: dict[str, type[Optimizer]]) -> None:
        self.text = text
        self.extra = extra

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

    def flat(self, colon: int) -> tuple[type[Optimizer], dict[str, Any]]:
        cls = self.find(self.text[:colon].strip(), 0)
        values: dict[str, Any] = {}
        for piece, column in self._pieces(colon + 1):
            key, equals, value = piece.partition("=")
            place = column + len(key) + 1 if equals else column
            if not equals:
                key, value = self._next_field(cls, values, column), piece
            name = self._field(cls, key.strip(), column)
            self._once(values, name, column)
            values[name] = self._read(cls, name, value.strip(), place)
        return cls, values

    def _pieces(self, column: int) -> Iterator[tuple[str, int]]:
        for piece in self.text[column:].split(","):
            stripped = piece.strip()
            if not stripped:
                raise self.error("a hyper-parameter is missing", column, "write key=value")
            yield stripped, column + len(piece) - len(piece.lstrip())
            column += len(piece) + 1

    def _read(self, cls: type[Optimizer], name: str, value: str, column: int) -> Any:
        domain = cls.hyperparameters().get(name)
        if domain is None:
            return _WORDS.get(value.lower(), _number_or_text(value))
        try:
            return domain.parse(cls.__name__, name, value)
        except InputError as error:
            raise self.error(str(error), column) from None

    # -- Name(value, key=value) -----------------------------------------------------------------

    def call(self) -> tuple[type[Optimizer], dict[str, Any]] | Optimizer:
        try:
            tree = ast.parse(self.text.strip(), mode="eval").body
        except SyntaxError as error:
            column = max((error.offset or 1) - 1, 0)
            raise self.error("this is not a call such as HeavyBall(0.1)", column) from None
        except (ValueError, RecursionError, MemoryError):
            raise self.error("this is not a call such as HeavyBall(0.1)", 0) from None
        if not isinstance(tree, ast.Call):
            raise self.error("this is not a call such as HeavyBall(0.1)", self._column(tree))
        cls, values = self._call(tree)
        if any(isinstance(value, Optimizer) for value in values.values()):
            return self._build(cls, values, tree)
        return cls, values

    def _column(self, node: ast.expr) -> int:
        """Return the place of a node in characters (Python counts bytes)."""
        indent = len(self.text) - len(self.text.lstrip())
        before = self.text.strip().encode()[: node.col_offset]
        return indent + len(before.decode(errors="ignore"))

    def _call(self, node: ast.Call) -> tuple[type[Optimizer], dict[str, Any]]:
        if not isinstance(node.func, ast.Name):
            raise self.error("only optimizers can be called", self._column(node.func))
        cls = self.find(node.func.id, self._column(node.func))
        values: dict[str, Any] = {}
        for argument in node.args:
            column = self._column(argument)
            name = self._next_field(cls, values, column)
            values[name] = self._value(cls, name, argument)
        for keyword in node.keywords:
            column = self._column(keyword.value)
            if keyword.arg is None:
                raise self.error("** is not understood here", column, "write key=value")
            name = self._field(cls, keyword.arg, column - len(keyword.arg) - 1)
            self._once(values, name, column)
            values[name] = self._value(cls, name, keyword.value)
        return cls, values

    def _value(self, cls: type[Optimizer], name: str, node: ast.expr) -> Any:
        column = self._column(node)
        domain = cls.hyperparameters().get(name)
        if isinstance(node, ast.Call):
            if domain is not None:
                raise self.error(f"{cls.__name__}: {name} must be a number", column)
            return self._build(*self._call(node), node)
        try:
            value = _constant(node)
        except (ValueError, ZeroDivisionError):
            text = ast.get_source_segment(self.text.strip(), node)
            raise self.error(
                f"{cls.__name__}: {name} must be a number, got {text}", column
            ) from None
        try:
            return value if domain is None else domain.check(cls.__name__, name, value)
        except InputError as error:
            raise self.error(str(error), column) from None

    def _build(self, cls: type[Optimizer], values: dict[str, Any], node: ast.expr) -> Optimizer:
        needed = [field.name for field in _fields(cls) if field.default is dataclasses.MISSING]
        missing = [name for name in needed if name not in values]
        if missing:
            raise self.error(
                f"{cls.__name__} needs {join_words(missing)}: nothing is tuned in a nested call",
                self._column(node),
            )
        try:
            return cls(**values)
        except InputError as error:
            raise self.error(str(error), self._column(node)) from None

    # -- names of hyper-parameters --------------------------------------------------------------

    def _once(self, values: dict[str, Any], name: str, column: int) -> None:
        if name in values:
            raise self.error(f"{name} is given twice", column)

    def _next_field(self, cls: type[Optimizer], values: dict[str, Any], column: int) -> str:
        names = [field.name for field in _fields(cls)]
        if len(values) >= len(names):
            raise self.error(f"{cls.__name__} has only {join_words(names)}", column)
        return names[len(values)]

    def _field(self, cls: type[Optimizer], key: str, column: int) -> str:
        names = [field.name for field in _fields(cls)]
        meant = _meanings(key, names)
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise self.error(
                f"{key} is {join_words(meant, 'or')}, depending on the source",
                column,
                "write the name in full",
            )
        near = difflib.get_close_matches(key, names, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise self.error(
            f"{cls.__name__} has no hyper-parameter {key!r}",
            column,
            f"{guess}it has {join_words(names) or 'none'}",
        )


def _fields(cls: type[Optimizer]) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)  # type: ignore[arg-type]  # the base class makes it one


def _meanings(key: str, names: list[str]) -> list[str]:
    """Return the hyper-parameters that a key may stand for: by name, by our symbol, by a source's.

    Our own symbols come first, so that alpha is the learning rate though lecture 004 calls momentum
    so.
    """
    plain = _plain(key)
    by_name = [name for name in names if _plain(name) == plain]
    if by_name:
        return by_name
    symbols = [symbol for symbol in SYMBOLS if symbol.name in names]
    own = [s.name for s in symbols if plain in {_plain(s.print), _plain(s.sympy)}]
    elsewhere = [
        s.name
        for s in symbols
        if any(plain == _plain(word) for words in s.elsewhere.values() for word in words.split(","))
    ]
    return own or elsewhere


def _plain(key: str) -> str:
    """Return a key in lower case without underscores, a Greek letter as its English name."""
    key = unicodedata.normalize("NFKC", key.strip())  # the micro sign becomes mu
    if len(key) == 1 and not key.isascii():
        name = unicodedata.name(key, "")
        key = name.rpartition(" ")[2].replace("LAMDA", "LAMBDA") if "GREEK" in name else key
    return key.replace("_", "").replace("-", "").lower()


def _constant(node: ast.expr) -> Any:
    """Return a number, a fraction of numbers, a truth value or a string; compute nothing else."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str()):
            return node.value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())):
            value = _constant(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        case ast.BinOp(op=ast.Div()):
            return float(_constant(node.left)) / float(_constant(node.right))
    raise ValueError


def _number_or_text(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
