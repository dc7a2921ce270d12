"""A run on a large diagonal matrix, some coordinates at a time.

Where A is diagonal, a linear rule moves every coordinate by itself: the same steps may be taken for
some coordinates after the others. Those fit into the cache, so that a step costs its arithmetic
instead of the traffic to memory, and the numbers are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from convex_analyzer.linalg.operators import DiagonalOperator
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.progress import each
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.simulation.trajectory import Trajectory

__all__ = ["WIDTH", "simulate_in_slices"]

Array = npt.NDArray[np.float64]

WIDTH = 131_072  # coordinates at a time: as many elements as a tile of the engine


def simulate_in_slices(
    problem: Quadratic,
    rule: Optimizer,
    start: Array,
    steps: int,
    rows: npt.NDArray[np.int64],
    progress: Callable[[int], None] | None,
) -> Trajectory | None:
    """Return a run of a linear rule, as `simulate` would; None where it is not made this way.

    Not where A is small or not diagonal, and not for a run that diverges.
    """
    operator = problem.operator
    if not isinstance(operator, DiagonalOperator) or problem.dimension < 2 * WIDTH:
        return None
    theta = np.empty((len(rows), problem.dimension))
    loss = np.full(len(rows), problem.constant)
    states: list[tuple[Array, ...]] = []
    firsts, told = range(0, problem.dimension, WIDTH), 0
    for first in each(firsts, f"running {type(rule).__name__}", "parts"):
        part = slice(first, first + WIDTH)
        some = Quadratic.diagonal(operator.diagonal[part], problem.linear[part])
        run = simulate(some, rule, start[part], steps, record=rows)
        if run.diverged_at is not None:
            return None
        theta[:, part] = run.theta
        loss += run.loss
        states.append(run.state)
        if progress is not None:
            done = steps * (len(states)) // len(firsts)
            progress(done - told)
            told = done
    state = tuple(np.concatenate(slot) for slot in zip(*states, strict=True))
    return Trajectory(
        recorded=rows, theta=theta, loss=loss, diverged_at=None, optimizer=rule, steps=steps,
        state=state,
    )  # fmt: skip
