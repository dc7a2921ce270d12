"""One optimizer on show: an instance to look at, a sensible learning rate, every state of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.domains import Choice, Domain, Flag, Setting, WholeNumber
from convex_analyzer.errors import InputError
from convex_analyzer.noise import Noise, Sampler, checked_seed
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate

__all__ = [
    "States",
    "example_of",
    "is_noisy",
    "learning_rate_in",
    "settled_after",
    "states",
    "with_good_rate",
]

Array = npt.NDArray[np.float64]

# Ten learning rates per decade, between round numbers: from a round start, steps of round length
# end exactly on the minimum, which says nothing about a method.
_RATES = tuple(float(f"{10 ** ((k + 0.5) / 10):.3g}") for k in range(-40, 21))
_RUNS = 16  # of each learning rate of a noisy rule, whose gaps are averaged
_FEW = 60  # steps of a first, short search


def example_of(optimizer: type[Optimizer], smallest: float = 0.2, largest: float = 4.0) -> Any:
    """Return an instance of a class, to look at and to run.

    Its own ``example()`` if it has one; else its defaults, where fields without a default get the
    published best for eigenvalues in [smallest, largest], to four digits, or a usual value.

    Raises
    ------
    InputError
        A field has neither a default nor a declared range.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> example_of(GradientDescent, 1.0, 3.0)
    GradientDescent(learning_rate=0.5)
    """
    make = getattr(optimizer, "example", None)
    if make is not None:
        return make()
    published: Mapping[str, Any] | None = None
    values: dict[str, Any] = {}
    for field in optimizer.fields():
        if field.default is not MISSING:
            continue
        if published is None:
            published = optimizer.published_optimum(smallest, largest, {}) or {}
        if field.name in published:
            values[field.name] = float(f"{float(published[field.name]):.4g}")
        elif field.name in optimizer.domains():
            values[field.name] = _usual(optimizer.domains()[field.name])
        else:
            raise InputError(
                f"{optimizer.__name__}: {field.name} has neither a default nor a declared range",
                argument=field.name,
                hint="give the class a classmethod example() that returns an instance",
            )
    return optimizer(**values)


def _usual(setting: Setting) -> Any:
    """Return a value that a field usually has."""
    match setting:
        case Domain():
            low, high = max(setting.usual.low, 0.0), min(setting.usual.high, 0.2)
            return (low + high) / 2
        case WholeNumber():
            return max(setting.low, 1)
        case Choice():
            return setting.words[0]
        case Flag():
            return False
    raise InputError(f"no usual value is known for {setting.sentence}")


def _with_rate(rule: Optimizer, rate: Any) -> Optimizer | None:
    """Return the rule with another learning rate; of the rule inside it, if it has none itself."""
    if "learning_rate" in rule.hyperparameters():
        return rule.replace(learning_rate=rate)
    for name, value in rule.values.items():
        inner = _with_rate(value, rate) if isinstance(value, Optimizer) else None
        if inner is not None:
            return rule.replace(**{name: inner})
    return None


def learning_rate_in(rule: Optimizer) -> Any:
    """Return the learning rate of a rule, or of the one inside it; None if there is none.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> learning_rate_in(GradientDescent(0.1))
    0.1
    """
    if "learning_rate" in rule.values:
        return rule.values["learning_rate"]
    inner = (learning_rate_in(v) for v in rule.values.values() if isinstance(v, Optimizer))
    return next((rate for rate in inner if rate is not None), None)


def is_noisy(rule: Optimizer) -> bool:
    """Tell whether runs of a rule differ: it draws numbers, or is made for noisy gradients.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import SGD, GradientDescent
    >>> is_noisy(SGD(0.1)), is_noisy(GradientDescent(0.1))
    (True, False)
    """
    return rule.random or getattr(rule, "noise", None) is not None


def with_good_rate(
    problem: Quadratic, rule: Optimizer, start: Any, steps: int, tolerance: float = 1e-6
) -> Optimizer:
    """Return the rule with the learning rate that does best in runs from this start.

    All of a logarithmic grid are run, and the rule's own. Best is the gap below `tolerance` times
    the first for good in the fewest steps; when none gets there, the smallest gap over the last
    third of the run (its median). Rates at which the gap climbs above the first come last, unless
    the rule is noisy. A rule without a learning rate is returned as it is.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> toy = Quadratic.diagonal([0.2, 4.0])
    >>> with_good_rate(toy, GradientDescent(0.1), [-5.0, -2.0], 200)
    GradientDescent(learning_rate=0.447)
    """
    point = np.asarray(start, dtype=float)
    if _with_rate(rule, 1.0) is None:
        return rule
    chosen, count = _best_rate(problem, rule, point, min(_FEW, steps), tolerance)
    if 0 <= count < _FEW // 2:  # a fast method needs no long search, if it stays where it arrived
        gap = _gap(problem, chosen, point, steps)
        if int(settled_after(gap, tolerance)) == count:
            return chosen
    return _best_rate(problem, rule, point, steps, tolerance)[0]


def _gap(problem: Quadratic, rule: Optimizer, start: Array, steps: int) -> Array:
    loss = simulate(problem, rule, start, steps, record="loss").loss
    return np.where(np.isfinite(loss), loss - (problem.minimum or 0.0), np.inf)


def _best_rate(
    problem: Quadratic, rule: Optimizer, start: Array, steps: int, tolerance: float
) -> tuple[Optimizer, int]:
    """Return the rule with the best of all learning rates, and the steps that it needs (or -1)."""
    rates = [float(learning_rate_in(rule)), *_RATES]
    runs = _RUNS if is_noisy(rule) else 1
    candidates = _with_rate(rule, np.repeat(rates, runs)[:, None])
    assert candidates is not None
    gap = _gap(problem, candidates, np.tile(start, (len(rates) * runs, 1)), steps)
    gap = gap.reshape(steps + 1, len(rates), runs).mean(axis=-1)
    counts = settled_after(gap, tolerance)
    wild = (np.max(gap, axis=0) > gap[0]) & (not is_noisy(rule))  # no sensible setting
    late = np.median(gap[-(steps // 3 + 1) :], axis=0)
    order = np.lexsort((late, np.where(counts < 0, steps + 1, counts), wild))
    best = int(order[0])
    if counts[best] == counts[0] >= 0 and not wild[0]:  # nothing is faster than the rule as it was
        best = 0
    chosen = _with_rate(rule, rates[best])
    assert chosen is not None
    return chosen, int(counts[best])


def settled_after(gap: Array, tolerance: float) -> npt.NDArray[np.int64]:
    """Return after how many steps each gap stays below `tolerance` times its first; -1 for never.

    Parameters
    ----------
    gap
        Shape (steps + 1, ...).
    tolerance
        Between 0 and 1.

    Examples
    --------
    >>> settled_after(np.array([1.0, 0.1, 0.6, 0.2]), 0.5).item()
    3
    """
    above = ~(gap <= tolerance * gap[0])
    last = len(gap) - 1 - np.argmax(above[::-1], axis=0)
    counts = np.where(above.any(axis=0), last + 1, 0)
    return np.asarray(np.where(counts < len(gap), counts, -1), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class States:
    """Every state of one run.

    Attributes
    ----------
    points
        Reported points, (steps + 1, d).
    gap
        J - J* there, (steps + 1,).
    memory
        Of each slot of the memory all values, (steps + 1, d) or with further axes.
    """

    points: Array
    gap: Array
    memory: dict[str, Array]


def states(problem: Quadratic, rule: Optimizer, start: Any, steps: int, seed: int = 0) -> States:
    """Run an optimizer and keep its memory at every step, which `simulate` does not.

    Parameters
    ----------
    problem, rule, seed
        As for `simulate`: the run is the same.
    start
        θ₀, shape (d,).
    steps
        How many.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> run = states(Quadratic.diagonal([1.0]), HeavyBall(0.5, 0.5), [1.0], 2)
    >>> run.memory["velocity"][:, 0]
    array([ 0. , -0.5, -0.5])
    """
    noise: Noise | None = getattr(rule, "noise", None)
    sampler = None
    if noise is not None or rule.random:
        if noise is not None:
            noise.check(problem, steps)
        sampler = Sampler(noise, checked_seed(seed), 0, 1, rule.random)
    theta = np.asarray(start, dtype=float)[None]
    state = (theta, *rule.at(1).start(problem, theta))
    rows = [_row(rule, state)]
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            now = rule.at(t)
            seen: Any = problem if sampler is None else sampler.at(problem, t)
            state = as_state(rule, now.step(seen, t, *state))
            rows.append(_row(now, state))
        points = np.concatenate([point for point, _ in rows])
        gap = problem.value(points) - (problem.minimum or 0.0)
    slots = [np.stack([memory[j] for _, memory in rows]) for j in range(len(rule.memory))]
    return States(points, gap, dict(zip(rule.memory, slots, strict=True)))


def _row(rule: Optimizer, state: tuple[Any, ...]) -> tuple[Array, list[Array]]:
    """Return the reported point, (1, d), and the memory without the axis of runs."""
    theta = state[0]
    kept = []
    for slot in state[1:]:
        array = np.asarray(slot, dtype=float)
        kept.append(np.broadcast_to(array, (*theta.shape, *array.shape[theta.ndim :]))[0])
    return np.asarray(rule.report(*state)), kept
