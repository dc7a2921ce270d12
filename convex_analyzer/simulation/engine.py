"""`simulate`: run an update rule on a problem, many runs at once.

Runs are cut into tiles, and each tile runs all its steps before the next begins, so that its
arrays stay in the second-level cache. Inside a tile the buffers hold runs contiguously, (d, runs),
and `step` sees the transposed view (runs, d); the gradient keeps that order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.trajectory import Trajectory

__all__ = ["simulate"]

Array = npt.NDArray[np.float64]

# 16,384 elements are 128 KiB per array. Larger temporaries are returned to the system after each
# step and page-faulted afresh in the next, which costs a factor of five at d = 2.
TILE_ELEMENTS = 16_384
TILE_RUNS = 256
LIMIT = 1e150  # beyond this squares overflow: the run has diverged
MOST = 10**12  # steps; a year of running
_CHECK = 32  # steps between looks for divergence; the exact step is then found by replaying
_AUTO_ROWS = 1001  # rows of theta that "auto" keeps
_MOST_ELEMENTS = 4_000_000_000  # elements (32 GB) of a record at most
_AUTO_ELEMENTS = 8_000_000  # elements (64 MB) of theta that "auto" keeps at most


def simulate(
    problem: Quadratic | Any,
    optimizer: Optimizer,
    start: Any,
    steps: Any,
    record: Any = "auto",
    progress: Callable[[int], None] | None = None,
) -> Trajectory:
    """Run an optimizer.

    Parameters
    ----------
    problem
        A `Quadratic`, or anything with ``gradient``, ``value`` and ``dimension``.
    optimizer
        The rule; hyper-parameters may differ per run (arrays of shape (..., 1)).
    start
        θ₀, shape (..., d): leading axes are independent runs.
    steps
        How many, at least 0.
    record
        ``"auto"``: at most 1001 evenly spaced rows, within 64 MB; ``"path"``: every step;
        ``"loss"``: every loss, and only the last point; or the step indices to keep.
    progress
        Called with the number of steps done since the last call.

    Returns
    -------
    Trajectory

    Raises
    ------
    InputError
        A start of the wrong length, a number of steps that is not a whole number, an unknown
        record.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> toy = Quadratic.diagonal([0.2, 4.0])
    >>> simulate(toy, GradientDescent(0.4), [-5.0, -2.0], 20).theta[-1].round(6)
    array([-9.43467e-01, -7.30000e-05])
    """
    if not isinstance(optimizer, Optimizer):
        raise InputError(
            f"optimizer must be an Optimizer instance, got {optimizer!r}",
            argument="optimizer",
            hint="for a class tuned to the problem use tune(spectrum(problem), cls)",
        )
    if not isinstance(problem, Quadratic) and not hasattr(problem, "gradient"):
        problem = Quadratic(problem)
    whole = isinstance(steps, (int, np.integer)) and not isinstance(steps, bool)
    if not whole or not 0 <= steps <= MOST:
        raise InputError(
            f"steps must be a whole number from 0 to {MOST:.0e}, got {steps!r}",
            argument="steps",
            value=steps,
            hint="any number of steps is predicted at once by analyze(...).predict(start, steps)",
        )
    points = _start(start, int(problem.dimension))
    hyper = {k: v for k, v in optimizer.values.items() if isinstance(v, np.ndarray) and v.ndim}
    lead = _runs(points, hyper)
    dimension = points.shape[-1]
    runs = int(np.prod(lead, dtype=int))
    flat = np.broadcast_to(points, (*lead, dimension)).reshape(runs, dimension)
    flat_hyper = {k: np.broadcast_to(v, (*lead, 1)).reshape(runs, 1) for k, v in hyper.items()}
    rows, keep_theta = _rows(record, int(steps), runs * dimension)

    theta = np.empty((len(rows) if keep_theta else 1, runs, dimension))
    loss = np.empty((len(rows), runs))
    diverged = np.full(runs, -1, dtype=np.int64)
    states: list[tuple[Array, ...]] = []
    tile = max(TILE_RUNS, TILE_ELEMENTS // dimension)
    for first in range(0, max(runs, 1), tile):
        part = slice(first, min(first + tile, runs))
        rule = optimizer.unchecked(**{k: v[part] for k, v in flat_hyper.items()})
        sink = _Sink(rows, theta[:, part], loss[:, part], keep_theta)
        with np.errstate(all="ignore"):
            state, lost = _run_tile(problem, rule, flat[part], int(steps), sink, progress)
        diverged[part] = lost
        states.append(state)
    final = tuple(
        np.concatenate(slot).reshape(*lead, dimension) for slot in zip(*states, strict=True)
    )
    single = lead == ()
    first_lost = None if diverged[0:1].size == 0 or diverged[0] < 0 else int(diverged[0])
    return Trajectory(
        recorded=rows,
        theta=theta.reshape(len(theta), *lead, dimension),
        loss=loss.reshape(len(rows), *lead),
        diverged_at=first_lost if single else diverged.reshape(lead),
        optimizer=optimizer,
        steps=int(steps),
        state=final,
    )


def _start(start: Any, dimension: int) -> Array:
    try:
        points = np.array(start, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"start must hold numbers, got {start!r}", argument="start") from None
    if points.ndim < 1 or points.shape[-1] != dimension:
        raise InputError(
            f"start must have shape (..., {dimension}), got {points.shape}", argument="start"
        )
    if not np.all(np.isfinite(points)):
        raise InputError("start has entries that are not finite", argument="start")
    if np.max(np.abs(points), initial=0.0) > LIMIT:
        raise InputError(
            f"start has entries beyond {LIMIT:.0e}, whose squares leave the range of float64",
            argument="start",
        )
    return points


def _runs(points: Array, hyper: dict[str, Any]) -> tuple[int, ...]:
    """Return the common leading shape of the starts and of the values per run."""
    try:
        return np.broadcast_shapes(points.shape[:-1], *(v.shape[:-1] for v in hyper.values()))
    except ValueError:
        each = ", ".join(f"{name} {value.shape[:-1]}" for name, value in hyper.items())
        raise InputError(
            f"the runs do not match: start has {points.shape[:-1]}, {each}",
            argument="start",
            hint="give one start per setting, or one for all, or an axis of its own to each",
        ) from None


def _rows(record: Any, steps: int, elements: int) -> tuple[npt.NDArray[np.int64], bool]:
    """Return the steps to record, and whether theta is kept at each of them."""
    if isinstance(record, str):
        if record in {"path", "loss"}:
            _refuse_too_many((steps + 1) * (elements if record == "path" else 1), record)
            return np.arange(steps + 1), record == "path"
        if record != "auto":
            raise InputError(
                f"record must be 'auto', 'path', 'loss' or step indices, got {record!r}",
                argument="record",
            )
        rows = max(2, min(_AUTO_ROWS, _AUTO_ELEMENTS // max(1, elements)))
        if steps < rows:
            return np.arange(steps + 1), True
        return np.unique(np.linspace(0, steps, rows).round().astype(np.int64)), True
    try:
        given = np.unique(np.asarray(record, dtype=float).ravel())
    except (TypeError, ValueError):
        given = np.empty(0)
    chosen = given[given == np.floor(given)].astype(np.int64)
    if not chosen.size or chosen.size < given.size or chosen[0] < 0 or chosen[-1] > steps:
        raise InputError(
            f"record must name steps from 0 to {steps}", argument="record", value=record
        )
    return chosen, True


def _refuse_too_many(numbers: int, record: str) -> None:
    """Refuse a record that no machine would hold, before it is allocated."""
    if numbers > _MOST_ELEMENTS:
        raise InputError(
            f"record={record!r} would keep {numbers:.1e} numbers ({numbers / 1.25e8:.0f} GB)",
            argument="record",
            hint="record 'auto' keeps an even selection; or name the steps to keep",
        )


@dataclass
class _Sink:
    """Where a tile writes what is recorded."""

    rows: npt.NDArray[np.int64]
    theta: Array
    loss: Array
    keep_theta: bool
    next: int = 0

    def wants(self, t: int) -> bool:
        return self.next < len(self.rows) and self.rows[self.next] == t

    def upcoming(self, steps: int) -> int:
        """Return the next step to record, or the last one."""
        return int(self.rows[self.next]) if self.next < len(self.rows) else steps

    def write(self, point: Array, loss: Array) -> None:
        if self.keep_theta:
            self.theta[self.next] = point
        self.loss[self.next] = loss
        self.next += 1


class _Remembering:
    """The problem as `step` sees it while losses are recorded.

    It keeps the last gradient, so that J = ½ θᵀ(g + b) + c costs no product of its own when the
    rule evaluates its gradient where the loss is wanted.
    """

    def __init__(self, problem: Any) -> None:
        self._problem = problem
        self._point: Any = None
        self._gradient: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def gradient(self, theta: Any) -> Any:
        self._point, self._gradient = theta, self._problem.gradient(theta)
        return self._gradient

    def loss_at(self, theta: Array) -> Array | None:
        """Return the loss at this very array, if its gradient is the one at hand."""
        if self._point is not theta or not hasattr(self._problem, "value_from_gradient"):
            return None
        return np.asarray(self._problem.value_from_gradient(theta, self._gradient))


def _run_tile(
    problem: Any,
    rule: Optimizer,
    start: Array,
    steps: int,
    sink: _Sink,
    progress: Callable[[int], None] | None,
) -> tuple[tuple[Array, ...], npt.NDArray[np.int64]]:
    theta = np.asfortranarray(start)  # (runs, d) whose transpose (d, runs) is contiguous
    state = (theta, *(_ordered(slot, theta) for slot in rule.start(problem, theta)))
    diverged = np.full(len(start), -1, dtype=np.int64)
    t, saved, checkpoint = 0, 0, state
    while True:
        if sink.wants(t):
            state = _record(problem, rule, state, t, steps, sink)
            t += 1
        else:
            until = min(sink.upcoming(steps), saved + _CHECK, steps)
            state = _advance(problem, rule, state, t, until)
            t = until
        if saved == 0 and t:
            state = tuple(_ordered(slot, theta) for slot in state)
        done = t >= steps and not sink.wants(steps)
        if t - saved >= _CHECK or done:
            t = min(t, steps)
            if _beyond(state).any():
                _locate(problem, rule, checkpoint, saved, t, diverged)
            if progress is not None:
                progress(t - saved)
            checkpoint, saved = state, t
            if done or np.all(diverged >= 0):
                break
    _blank(sink, diverged)
    if not sink.keep_theta:
        sink.theta[0] = np.where(diverged[:, None] >= 0, np.nan, rule.report(*state))
    return state, diverged


def _frozen(state: tuple[Any, ...]) -> tuple[Array, ...]:
    """Return read-only views: a rule that writes into its arguments is told so."""
    views = tuple(np.asarray(slot).view() for slot in state)
    for view in views:
        view.flags.writeable = False
    return views


def _checked_step(problem: Any, rule: Optimizer, t: int, frozen: tuple[Array, ...]) -> Any:
    """Take one step, and check what comes back."""
    try:
        return as_state(rule, rule.step(problem, t, *frozen))
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise InputError(
            f"{type(rule).__name__}: step changes its arguments in place, which would also change "
            "the recorded points",
            argument="step",
            hint="write v = mu * v instead of v *= mu",
        ) from None


def _advance(
    problem: Any, rule: Optimizer, state: tuple[Array, ...], done: int, until: int
) -> tuple[Array, ...]:
    """Take the steps done+1 ... until; nothing but the rule happens between them."""
    if done >= until:
        return state
    state = _checked_step(problem, rule, done + 1, _frozen(state))  # plain in the loop below
    step = rule.step
    if rule.memory:
        for t in range(done + 2, until + 1):
            state = step(problem, t, *state)
        return state
    for t in range(done + 2, until + 1):
        state = as_state(rule, step(problem, t, *state))
    return state


def _record(
    problem: Any, rule: Optimizer, state: tuple[Array, ...], t: int, steps: int, sink: _Sink
) -> tuple[Array, ...]:
    """Write row t, and take the next step; its gradient often gives the loss for free."""
    state = _frozen(state)
    point = np.asarray(rule.report(*state))
    if t >= steps:
        sink.write(point, np.asarray(problem.value(point)))
        return state
    view = _Remembering(problem)
    after: tuple[Array, ...] = _checked_step(view, rule, t + 1, state)
    loss = view.loss_at(point)
    sink.write(point, np.asarray(problem.value(point)) if loss is None else loss)
    return after


def _ordered(slot: Any, like: Array) -> Array:
    """Bring a slot into the shape and memory order of theta; mixed orders cost three times more."""
    return np.asfortranarray(np.broadcast_to(np.asarray(slot, dtype=float), like.shape))


def _beyond(state: tuple[Array, ...]) -> npt.NDArray[np.bool_]:
    """Tell which runs have left the range, quickly when none has."""
    lost = np.zeros(len(state[0]), dtype=bool)
    for slot in state:
        largest = np.max(np.abs(slot), initial=0.0)
        if not largest <= LIMIT:  # also true for NaN
            lost |= ~(np.max(np.abs(slot), axis=1, initial=0.0) <= LIMIT)
    return lost


def _locate(
    problem: Any,
    rule: Optimizer,
    state: tuple[Array, ...],
    done: int,
    until: int,
    diverged: npt.NDArray[np.int64],
) -> None:
    """Replay from the last checkpoint to find the exact step at which each run left the range."""
    fresh = _beyond(state) & (diverged < 0)
    diverged[fresh] = done
    for t in range(done + 1, until + 1):
        state = as_state(rule, rule.step(problem, t, *state))
        fresh = _beyond(state) & (diverged < 0)
        diverged[fresh] = t


def _blank(sink: _Sink, diverged: npt.NDArray[np.int64]) -> None:
    """Mark everything from divergence on, including rows never reached."""
    if not np.any(diverged >= 0):
        return
    late = (sink.rows[:, None] >= diverged) & (diverged >= 0)
    sink.loss[late] = np.inf
    if sink.keep_theta:
        sink.theta[late] = np.nan
