"""A rule with symbols in its fields; and why, and where, one is not linear."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Iterable
from typing import Any

from convex_analyzer.errors import ConvexAnalyzerError, NotDerivableError
from convex_analyzer.forms import Direction, Form, Trace
from convex_analyzer.notation import SYMBOLS
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["TAKEN", "letters_of", "open_rule_of", "refusal", "why_not_linear"]

_LATER = 7  # a step index that no rule treats in a way of its own

# What every derivation prints; a hyper-parameter or memory of such a name is printed as name_1.
TAKEN = frozenset({"J", "L", "f", "g_k", "k", "lambda", "m", "r_1", "r_2", "x", "x_0", "x_1", "z"})


def letters_of(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return what each name is printed as, no two alike.

    Two symbols of one name would be one unknown to SymPy, and the derivation that of another rule.
    """
    usual = {symbol.name: symbol.sympy for symbol in SYMBOLS}
    used, letters = set(taken), {}
    for name in sorted(names, key=lambda name: name not in usual):  # the usual letters go first
        numbered = (f"{name}_{i}" for i in itertools.count(1))
        candidates = itertools.chain((usual.get(name, name), name), numbered)
        letters[name] = next(letter for letter in candidates if letter not in used)
        used.add(letters[name])
    return letters


def open_rule_of(optimizer: type[Optimizer] | Optimizer) -> tuple[dict[str, Any], Optimizer]:
    """Return symbols for the hyper-parameters, and the rule with them in its fields."""
    import sympy

    cls = optimizer if isinstance(optimizer, type) else type(optimizer)
    held = {
        field.name: field.default if isinstance(optimizer, type) else getattr(optimizer, field.name)
        for field in cls.fields()
    }
    names = [n for n in cls.hyperparameters() if not _is_zero(held[n])]
    letters = letters_of(tuple(names), TAKEN)
    hyper = {name: sympy.Symbol(letters[name], positive=True) for name in names}
    blank = cls.__new__(cls)
    for name, value in held.items():
        if value is dataclasses.MISSING and name not in hyper:
            raise NotDerivableError(
                f"{cls.__name__} needs its {name} before it is a rule: pass an instance"
            )
        object.__setattr__(blank, name, hyper.get(name, value))
    return hyper, blank


def _is_zero(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0


# -- why a rule is not linear --------------------------------------------------------------------


class _Located(Trace):
    """Notes with each reason the line of `step` at which it occurred."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def nonlinear(self, reason: str) -> None:
        if reason not in self.reasons:
            self.places.append(f"{reason} ({_place()})")
        super().nonlinear(reason)


def _place() -> str:
    import linecache

    frame: Any = inspect.currentframe()
    found = None
    while frame is not None:
        if frame.f_code.co_name == "step":
            found = frame
        frame = frame.f_back
    if found is None:
        return "outside step"
    text = linecache.getline(found.f_code.co_filename, found.f_lineno).strip()
    number = found.f_lineno - found.f_code.co_firstlineno
    return f"line {number} of step: {text}" if text else f"line {number} of step"


def why_not_linear(optimizer: type[Optimizer] | Optimizer) -> list[str]:
    """Return why a rule is not linear, each reason with its line of `step`; empty if it is.

    Examples
    --------
    >>> from convex_analyzer.optimizers.sign import SignSGD
    >>> why_not_linear(SignSGD)[0].partition(": ")[0]
    'the sign of the state (line 1 of step'
    """
    import sympy

    _, rule = open_rule_of(optimizer)
    trace = _Located()
    direction = Direction(sympy.Symbol("lambda", positive=True), trace)
    state = [Form(0, {name: 1}, trace) for name in ("theta", *rule.memory)]
    try:
        rule.step(direction, _LATER, *state)
    except (ArithmeticError, AttributeError, ConvexAnalyzerError, TypeError, ValueError) as error:
        if not trace.places:
            return [f"step cannot be run on symbols ({error})"]
    return trace.places


def refusal(optimizer: type[Optimizer] | Optimizer, message: str) -> NotDerivableError:
    """Return the error of a rule that is not linear, with the lines of `step` that are not."""
    try:
        places = why_not_linear(optimizer)
    except NotDerivableError:
        places = []
    return NotDerivableError(
        f"{message}. It stops here: {'; '.join(places)}" if places else message
    )
