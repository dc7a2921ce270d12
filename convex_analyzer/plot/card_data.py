"""What the picture of one optimizer shows, as plain arrays: two problems, paths, gaps, memory."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison.exhibit import (
    States,
    example_of,
    is_noisy,
    learning_rate_in,
    settled_after,
    states,
    with_good_rate,
)
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.notation import symbol_of
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.plot.style import Look, look_of
from convex_analyzer.problems import gallery
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum
from convex_analyzer.theory.analysis import Analysis

__all__ = ["CardData", "Scene", "Trace", "optimizer_card_data"]

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-6
STEPS = 600  # of the search for a learning rate
_STAY = 30  # steps that a run must stay where it has settled
_SLOTS = 3  # of the memory that are drawn
_EXAMPLES = 24  # of the data of a stochastic rule


@dataclass(frozen=True, eq=False)
class Scene:
    """One problem and one run on it.

    Attributes
    ----------
    name
        Of the problem.
    optimizer
        With the learning rate that was found for this problem.
    eigenvalues, directions
        Of A: ascending, and as columns.
    points
        The way, (steps + 1, 2).
    gap
        J - J* along it, relative to the first.
    predicted
        The same from theory, or empty.
    settled
        Steps after which the gap stays below the tolerance, for 30 at least; None if it does not.
    manner
        ``zigzags``, ``swings``, ``glides`` or ``wanders``.
    memory
        Every slot at every step, (steps + 1, 2) or with further axes.
    """

    name: str
    optimizer: Optimizer
    eigenvalues: Array
    directions: Array
    points: Array
    gap: Array
    predicted: Array
    settled: int | None
    manner: str
    memory: dict[str, Array]

    @property
    def rate(self) -> float | None:
        """The learning rate, if the rule has one."""
        rate = learning_rate_in(self.optimizer)
        return None if rate is None else float(rate)


@dataclass(frozen=True, eq=False)
class Trace:
    """One slot of the memory over the steps, divided by its largest size.

    Attributes
    ----------
    slot
        Name.
    size
        What it was divided by.
    values
        One or two columns: one per coordinate, unless these are equal.
    """

    slot: str
    size: float
    values: Array


@dataclass(frozen=True, eq=False)
class CardData:
    """What the picture of an optimizer shows.

    Attributes
    ----------
    name
        Of the class.
    look
        How it is drawn.
    scenes
        The toy, whose eigendirections are the axes, and a ravine that is turned.
    traces
        The memory on the toy; θ itself for a rule without memory.
    hidden
        How many slots are not drawn.
    """

    figure: ClassVar[str] = "optimizer_card"

    name: str
    look: Look
    scenes: tuple[Scene, Scene]
    traces: tuple[Trace, ...]
    hidden: int

    @property
    def has_memory(self) -> bool:
        """Whether the traces are those of a memory."""
        return bool(self.scenes[0].memory)


def optimizer_card_data(optimizer: type[Optimizer]) -> CardData:
    """Return what the picture of an optimizer shows, without drawing.

    The learning rate is searched for on each problem, everything else is as in `example_of`; a rule
    whose settings are published together is taken with these.
    """
    toy = _scene(optimizer, gallery.toy(), "toy", (-5.0, -2.0))
    ravine = _scene(optimizer, gallery.ravine(100.0, 0.6), "ravine", (-4.5, -2.0))
    memory = toy.memory or {"theta": toy.points}
    shown = list(memory.items())[:_SLOTS]
    traces = tuple(_trace(slot, values) for slot, values in shown)
    return CardData(
        optimizer.__name__, look_of(toy.optimizer), (toy, ravine), traces, len(memory) - len(shown)
    )


def _scene(
    optimizer: type[Optimizer], problem: Quadratic, name: str, start: tuple[float, float]
) -> Scene:
    decomposed = spectrum(problem)
    ends = float(decomposed.lambda_min), float(decomposed.lambda_max)
    rule = example_of(optimizer, *ends)
    if getattr(rule, "noise", None) is not None:
        problem = _with_data(problem)
    published = sum(field.default is MISSING for field in optimizer.fields()) > 1
    if not published:
        rule = with_good_rate(problem, rule, start, STEPS, TOLERANCE)
    run = states(problem, rule, start, STEPS)
    count = int(settled_after(run.gap, TOLERANCE))
    count = -1 if count > STEPS - _STAY else count
    steps = STEPS if count < 0 else min(STEPS, math.ceil(1.1 * count) + 2)
    vectors = decomposed.from_eigenbasis(np.eye(2)).T
    return Scene(
        name=name,
        optimizer=rule,
        eigenvalues=decomposed.eigenvalues,
        directions=vectors,
        points=run.points[: steps + 1],
        gap=run.gap[: steps + 1] / run.gap[0],
        predicted=_predicted(problem, rule, start, steps) / run.gap[0],
        settled=None if count < 0 else count,
        manner=_manner(rule, run, vectors, steps),
        memory={slot: values[: steps + 1] for slot, values in run.memory.items()},
    )


def _with_data(problem: Quadratic) -> Quadratic:
    """Return a least-squares problem with the same curvature and minimum, and some noise in y."""
    decomposed = spectrum(problem)
    place = 2 * np.pi * (np.arange(_EXAMPLES) + 0.5) / _EXAMPLES
    waves = np.sqrt(2) * np.cos(np.outer(place, [1, 2, 5]))  # orthogonal, of mean square one
    scaled = waves[:, :2] * np.sqrt(decomposed.eigenvalues)
    return least_squares(decomposed.from_eigenbasis(scaled), 0.5 * waves[:, 2])


def _predicted(problem: Quadratic, rule: Optimizer, start: tuple[float, float], n: int) -> Array:
    """Return the gap from theory; empty where there is none."""
    if is_noisy(rule):
        return np.empty(0)
    try:
        return np.asarray(Analysis(spectrum(problem), rule).gap(start, np.arange(n + 1)))
    except NotDerivableError:
        return np.empty(0)


def _manner(rule: Optimizer, run: States, vectors: Array, steps: int) -> str:
    """Name in one verb how a run moves across the valley."""
    if is_noisy(rule):
        return "wanders"
    across = (run.points @ vectors)[: min(steps, 13), 1]
    big = across[np.abs(across) > 1e-6 * np.abs(across).max(initial=0.0)]
    flips = float(np.mean(big[1:] * big[:-1] < 0)) if len(big) > 1 else 0.0
    along = (run.points @ vectors)[: steps + 1]
    swings = np.any(along[1:] * along[:-1] < -1e-12 * along[0] ** 2)
    return "zigzags" if flips >= 0.6 else "swings" if flips > 0 or swings else "glides"


def _trace(slot: str, values: Array) -> Trace:
    """Return a slot for drawing; of a matrix its diagonal."""
    if values.ndim > 2:
        values = np.einsum("tii->ti", values)
    if np.array_equal(values[:, 0], values[:, 1]):
        values = values[:, :1]
    size = float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0)) or 1.0
    return Trace(symbol_of(slot), size, values / size)
