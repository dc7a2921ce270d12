"""What code that agrees keeps as its state, and which rule is meant by a name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.conventions.code_running import Foreign
from convex_analyzer.conventions.running import Arena
from convex_analyzer.errors import ConvexAnalyzerError, InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.parse import parse_optimizer
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.tables import format_number, join_words

__all__ = ["form_of", "rule_of"]

Array = npt.NDArray[np.float64]

_NEAR = 1e-9
_SLOPE = 1e-9  # by how much a step may differ between coordinates


def form_of(rule: Optimizer, foreign: Foreign, place: Arena) -> str:
    """Say whether the state of code that agrees is that of the rule."""
    if foreign.kind == "run" or not rule.memory or not foreign.states:
        return ""
    theirs = [list(_arrays(state, place.start.shape)) for state in foreign.states]
    count = min(len(row) for row in theirs)
    ours = _memories(rule, place, len(theirs))
    told, same = [], True
    for slot, name in enumerate(rule.memory):
        mine = np.stack([row[slot] for row in ours])
        ratios = (_ratio(np.stack([row[n] for row in theirs]), mine) for n in range(count))
        ratio = next((r for r in ratios if r is not None), None)
        same = same and ratio == 1
        if ratio is not None and ratio != 1:
            factor = format_number(abs(ratio), 6)
            sign = "−" if ratio < 0 else ""
            told.append(f"{sign}{factor} times {name}" if factor != "1" else f"{sign}{name}")
    if same:
        return "the same form, with the same state"
    if told:
        return f"an equivalent form: its state is {join_words(told)}"
    return "an equivalent form, with another state"


def _memories(rule: Optimizer, place: Arena, count: int) -> list[tuple[Array, ...]]:
    found = []
    for steps in range(1, count + 1):
        run = simulate(place.problem, rule, place.start, steps, record="loss")
        found.append(run.state[1:])
    return found


def _arrays(state: Any, shape: tuple[int, ...]) -> Iterator[Array]:
    """Yield what has the shape of θ in a state: a value, or a list, tuple or dictionary of them."""
    if isinstance(state, dict):
        state = list(state.values())
    if isinstance(state, (list, tuple)):
        for part in state:
            yield from _arrays(part, shape)
        return
    if dataclasses.is_dataclass(state) and not isinstance(state, type):
        yield from _arrays(vars(state), shape)
        return
    array = np.asarray(state) if isinstance(state, (np.ndarray, float)) else None
    if array is not None and array.shape == shape and array.dtype.kind == "f":
        yield array


def _ratio(theirs: Array, mine: Array) -> float | None:
    """Return by what number theirs is a multiple of mine, in all steps and coordinates."""
    size = float(np.vdot(mine, mine))
    if size == 0 or not (np.isfinite(theirs).all() and np.isfinite(mine).all()):
        return None
    ratio = float(np.vdot(mine, theirs)) / size
    if ratio == 0 or np.abs(theirs - ratio * mine).max() > _NEAR * np.abs(ratio * mine).max():
        return None
    return 1.0 if abs(ratio - 1) < _NEAR else ratio


# -- the rule that is meant ------------------------------------------------------------------------


def rule_of(optimizer: Any, foreign: Foreign, place: Arena) -> Optimizer:
    """Return the rule that is meant by an instance, a class or a name."""
    given: dict[str, Any] = {}
    if isinstance(optimizer, str):
        found = parse_optimizer(optimizer)
        optimizer, given = found if isinstance(found, tuple) else (found, {})
    if isinstance(optimizer, Optimizer):
        return optimizer
    if not isinstance(optimizer, type) or not issubclass(optimizer, Optimizer):
        raise InputError(
            f"optimizer must be an Optimizer instance, or its class or name, got {optimizer!r}",
            argument="optimizer",
            value=optimizer,
            hint="from_library(...) returns the rule behind a library's call",
        )
    missing = [f.name for f in optimizer.fields()
               if f.default is dataclasses.MISSING and f.name not in given]  # fmt: skip
    if missing == ["learning_rate"]:
        given["learning_rate"] = _first_rate(foreign, place, optimizer, given)
        missing = []
    if missing:
        name = optimizer.__name__
        raise InputError(
            f"{name} needs its {join_words(missing)}: pass an instance, such as {name}(...)",
            argument="optimizer",
        )
    return optimizer(**given)


def _first_rate(
    foreign: Foreign, place: Arena, cls: type[Optimizer], given: dict[str, Any]
) -> float:
    """Return the learning rate at which the first steps of rule and code agree."""
    problem = f"{cls.__name__} needs its learning_rate, which cannot be read off the code"
    try:
        unit = cls(**{**given, "learning_rate": 1.0})
    except ConvexAnalyzerError as error:
        raise InputError(f"{problem}: {error}", argument="optimizer") from error
    probe = Foreign(foreign.code, foreign.kind, foreign.state)
    theirs, ours = (path[1] - path[0] for path in (probe.path(place), place.path(unit)))
    size = float(np.vdot(ours, ours))
    rate = float(np.vdot(ours, theirs)) / size if size else 0.0
    spread = float(np.abs(theirs - rate * ours).max())
    if not np.isfinite(rate) or rate == 0 or spread > _SLOPE * float(np.abs(theirs).max()):
        raise InputError(
            problem, argument="optimizer", hint=f"pass an instance, such as {cls.__name__}(0.1)"
        )
    return float(f"{abs(rate):.12g}")
