"""The words of `parse`: names of hyper-parameters, lists, numbers. Nothing is evaluated."""

from __future__ import annotations

import ast
import difflib
import unicodedata
from collections.abc import Iterator
from typing import Any

from convex_analyzer.errors import InputError
from convex_analyzer.notation import SYMBOLS
from convex_analyzer.tables import join_words

__all__ = ["constant", "meant", "number_or_text", "split"]


def meant(owner: str, key: str, names: list[str], what: str = "hyper-parameter") -> str:
    """Return the hyper-parameter that a key stands for: lr and alpha are the learning rate.

    Raises
    ------
    InputError
        None, or more than one; says which there are.

    Examples
    --------
    >>> meant("HeavyBall", "lr", ["learning_rate", "momentum"])
    'learning_rate'
    """
    found = _meanings(key, names)
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{key} is {join_words(found, 'or')}, depending on the source",
            argument=key,
            hint="write the name in full",
        )
    if owner in {"SGD", "GradientDescent"} and _meanings(key, ["momentum"]):
        raise InputError(
            f"{owner} has no momentum here",
            argument=key,
            hint="with it the rule is HeavyBall(learning_rate, momentum), torch's SGD at constant "
            'α: see from_library("torch", "SGD", ...)',
        )
    near = difflib.get_close_matches(key, names, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"{owner} has no {what} {key!r}",
        argument=key,
        hint=f"{guess}it has {join_words(names) or 'none'}",
    )


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


def split(text: str) -> Iterator[str]:
    """Split at the commas outside brackets and quotes."""
    depth, quote, start = 0, "", 0
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "," and depth <= 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def constant(node: ast.expr) -> Any:
    """Return a number, a fraction, a truth value, a string, None or a list; compute nothing else.

    Raises
    ------
    ValueError, ArithmeticError
        It is something else, or leaves the range of float64.
    """
    match node:
        case ast.Constant(value=bool() | str() | None):
            return node.value
        case ast.Constant(value=int() | float() as number):
            float(number)  # overflows here, if at all
            return number
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())):
            value = constant(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        case ast.BinOp(
            op=ast.Div(), left=ast.Constant() | ast.UnaryOp(), right=ast.Constant() | ast.UnaryOp()
        ):
            return float(constant(node.left)) / float(constant(node.right))
        case ast.List():
            return [constant(entry) for entry in node.elts]
    raise ValueError


def number_or_text(text: str) -> Any:
    """Return a whole number, a number, or the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
