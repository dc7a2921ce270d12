"""`simulate`: run an update rule on a problem, many runs at once.

Runs are cut into tiles, and each tile runs all its steps before the next begins, so that its
arrays stay in the cache. Inside a tile the buffers hold runs contiguously, (d, runs), and `step`
sees the transposed view (runs, d); the gradient keeps that order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.noise import BLOCK_RUNS, Noise, Sampler, checked_seed
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.progress import both, stage
from convex_analyzer.simulation.recording import (
    LIMIT,
    Sink,
    checked_points,
    common_runs,
    rows_to_record,
)
from convex_analyzer.simulation.trajectory import Trajectory

__all__ = ["simulate"]

Array = npt.NDArray[np.float64]

# 131,072 elements are 1 MiB per array: long enough for NumPy to reuse temporaries in place (which
# it does from 256 KiB on), and a handful of them fits into the third-level cache.
TILE_ELEMENTS = 131_072
TILE_RUNS = BLOCK_RUNS  # tiles begin where a stream of noise begins
MOST = 10**12  # steps; a year of running
_CHECK = 64  # steps between looks for divergence; the exact step is then found by replaying
_KEPT_BYTES = 16 * 2**20


def _keep_freed_memory() -> None:
    """Teach the C library's allocator to keep blocks of a tile's size instead of returning them.

    A fresh block is page-faulted on first use, which costs five times the arithmetic at d = 2. The
    allocator of glibc raises its threshold to the size of the largest mapped block that it has seen
    freed; the block is never touched, so this costs microseconds. Others ignore it.
    """
    np.empty(_KEPT_BYTES // 8)


def simulate(
    problem: Quadratic | Any,
    optimizer: Optimizer,
    start: Any,
    steps: Any,
    noise: Noise | None = None,
    seed: int | None = None,
    record: Any = "auto",
    progress: Callable[[int], None] | None = None,
) -> Trajectory:
    """Run an optimizer.

    Parameters
    ----------
    problem
        A `Quadratic`, or anything with ``gradient``, ``value`` and ``dimension``.
    optimizer
        The rule; hyper-parameters may differ per run (arrays of shape (..., 1)) or be schedules.
    start
        θ₀, shape (..., d): leading axes are independent runs.
    steps
        How many, at least 0.
    noise
        `AdditiveNoise` or `MiniBatch`; None for exact gradients (an optimizer that is defined by
        its noise, such as `SGD`, brings its own). Losses are always those of the whole problem.
    seed
        Names the noise; None is 0. The same seed gives every optimizer the same noise.
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
        record, a schedule shorter than the run, mini-batches on a problem without data.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> toy = Quadratic.diagonal([0.2, 4.0])
    >>> simulate(toy, GradientDescent(0.4), [-5.0, -2.0], 20).theta[-1].round(6)
    array([-9.43467e-01, -7.30000e-05])
    """
    problem, steps = _checked(problem, optimizer, steps)
    noise = _checked_noise(problem, optimizer, noise, steps)
    points = checked_points(start, int(problem.dimension))
    hyper = {k: v for k, v in optimizer.numbers().items() if isinstance(v, np.ndarray) and v.ndim}
    lead = common_runs(points, hyper)
    dimension = points.shape[-1]
    runs = int(np.prod(lead, dtype=int))
    flat = np.broadcast_to(points, (*lead, dimension)).reshape(runs, dimension)
    rows, keep_theta = rows_to_record(record, steps, runs * dimension)
    _keep_freed_memory()
    theta = np.empty((len(rows) if keep_theta else 1, runs, dimension))
    loss = np.empty((len(rows), runs))
    diverged = np.full(runs, -1, dtype=np.int64)
    states: list[tuple[Array, ...]] = []
    tile = max(TILE_RUNS, TILE_ELEMENTS // dimension // TILE_RUNS * TILE_RUNS)
    tiles = range(0, max(runs, 1), tile)
    with stage(f"running {type(optimizer).__name__}", steps * len(tiles)) as advance:
        for first in tiles:
            part = slice(first, last := min(first + tile, runs))
            sampler = None
            if noise is not None or optimizer.random:
                sampler = Sampler(noise, checked_seed(seed), first, last - first, optimizer.random)
            stepper = _Stepper(problem, _of_runs(optimizer, lead, part), sampler)
            sink = Sink(rows, theta[:, part], loss[:, part], keep_theta)
            with np.errstate(all="ignore"):
                state, lost = _run_tile(stepper, flat[part], steps, sink, both(progress, advance))
            diverged[part] = lost
            states.append(state)
    final = tuple(
        np.concatenate(slot).reshape(*lead, *slot[0].shape[1:])
        for slot in zip(*states, strict=True)
    )
    single = lead == ()
    first_lost = None if diverged[0:1].size == 0 or diverged[0] < 0 else int(diverged[0])
    return Trajectory(
        recorded=rows,
        theta=theta.reshape(len(theta), *lead, dimension),
        loss=loss.reshape(len(rows), *lead),
        diverged_at=first_lost if single else diverged.reshape(lead),
        optimizer=optimizer,
        steps=steps,
        state=final,
        noise=noise,
    )


def _checked(problem: Any, optimizer: Any, steps: Any) -> tuple[Any, int]:
    """Return the problem and the number of steps, or say what is wrong."""
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
    for schedule in optimizer.schedules():
        schedule.check_length(int(steps))
    return problem, int(steps)


def _checked_noise(problem: Any, optimizer: Optimizer, noise: Any, steps: int) -> Noise | None:
    """Return the noise of the run: what was asked for, or what the optimizer brings."""
    if noise is None:
        noise = getattr(optimizer, "noise", None)
    if noise is None:
        return None
    if not isinstance(noise, Noise):
        raise InputError(
            f"noise must be AdditiveNoise(...) or MiniBatch(...), got {noise!r}",
            argument="noise",
            hint="record= is given by name" if isinstance(noise, str) else "",
        )
    noise.check(problem, steps)
    return noise


def _of_runs(optimizer: Optimizer, lead: tuple[int, ...], part: slice) -> Optimizer:
    """Return the rule for some of the runs."""

    def chosen(value: Any) -> Any:
        if not isinstance(value, np.ndarray) or not value.ndim:
            return value
        return np.broadcast_to(value, (*lead, 1)).reshape(-1, 1)[part]

    return optimizer.transformed(chosen)


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


@dataclass(frozen=True, eq=False)
class _Stepper:
    """What takes the steps of a tile: the rule, and the problem as it sees it."""

    problem: Any
    rule: Optimizer
    sampler: Sampler | None

    @functools.cached_property
    def scheduled(self) -> bool:
        """Whether the rule differs from step to step."""
        return self.rule.is_scheduled

    def rule_at(self, t: int) -> Optimizer:
        """Return the rule of step t."""
        return self.rule.at(t) if self.scheduled else self.rule

    def problem_at(self, t: int, problem: Any = None) -> Any:
        """Return what `step` sees as the problem at step t."""
        problem = self.problem if problem is None else problem
        return problem if self.sampler is None else self.sampler.at(problem, t)

    def take(self, t: int, state: tuple[Any, ...], problem: Any = None) -> tuple[Array, ...]:
        """Take step t."""
        rule = self.rule_at(t)
        return as_state(rule, rule.step(self.problem_at(t, problem), t, *state))

    def checked(self, t: int, frozen: tuple[Array, ...], problem: Any = None) -> tuple[Any, ...]:
        """Take one step on read-only arrays: a rule that writes into them is told so."""
        try:
            return self.take(t, frozen, problem)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise InputError(
                f"{type(self.rule).__name__}: step changes its arguments in place, which would "
                "also change the recorded points",
                argument="step",
                hint="write v = mu * v instead of v *= mu",
            ) from None

    def advance(self, state: tuple[Array, ...], done: int, until: int) -> tuple[Array, ...]:
        """Take the steps done+1 ... until; nothing but the rule happens between them."""
        if done >= until:
            return state
        state = self.checked(done + 1, _frozen(state))  # plain in the loop below
        if self.sampler is not None or self.scheduled or not self.rule.memory:
            for t in range(done + 2, until + 1):
                state = self.take(t, state)
            return state
        step, problem = self.rule.step, self.problem
        for t in range(done + 2, until + 1):
            state = step(problem, t, *state)
        return state


def _run_tile(
    stepper: _Stepper,
    start: Array,
    steps: int,
    sink: Sink,
    progress: Callable[[int], None] | None,
) -> tuple[tuple[Array, ...], npt.NDArray[np.int64]]:
    rule = stepper.rule
    theta = np.asfortranarray(start)  # (runs, d) whose transpose (d, runs) is contiguous
    memory = rule.at(1).start(stepper.problem, theta)
    state = (theta, *(_ordered(slot, theta) for slot in memory))
    diverged = np.full(len(start), -1, dtype=np.int64)
    t, saved, checkpoint = 0, 0, state
    while True:
        if sink.wants(t):
            state = _record(stepper, state, t, steps, sink)
            t += 1
        else:
            until = min(sink.upcoming(steps), saved + _CHECK, steps)
            state = stepper.advance(state, t, until)
            t = until
        if saved == 0 and t:
            state = tuple(_ordered(slot, theta) for slot in state)
        done = t >= steps and not sink.wants(steps)
        if t - saved >= _CHECK or done:
            t = min(t, steps)
            if _any_beyond(state):
                _locate(stepper, checkpoint, saved, t, diverged)
            if progress is not None:
                progress(t - saved)
            checkpoint, saved = state, t
            if done or np.all(diverged >= 0):
                break
    _blank(sink, diverged)
    if not sink.keep_theta:
        last = rule.at(max(steps, 1)).report(*state)
        sink.theta[0] = np.where(diverged[:, None] >= 0, np.nan, last)
    return state, diverged


def _frozen(state: tuple[Any, ...]) -> tuple[Array, ...]:
    """Return read-only views."""
    views = tuple(np.asarray(slot).view() for slot in state)
    for view in views:
        view.flags.writeable = False
    return views


def _record(
    stepper: _Stepper, state: tuple[Array, ...], t: int, steps: int, sink: Sink
) -> tuple[Array, ...]:
    """Write row t, and take the next step; its gradient often gives the loss for free."""
    watched = t % _CHECK == 0
    if watched:
        state = _frozen(state)
    point = np.asarray(stepper.rule_at(max(t, 1)).report(*state))
    if t >= steps:
        sink.write(point, np.asarray(stepper.problem.value(point)))
        return state
    view = _Remembering(stepper.problem)
    take = stepper.checked if watched else stepper.take
    after: tuple[Array, ...] = take(t + 1, state, view)
    loss = view.loss_at(point)
    sink.write(point, np.asarray(stepper.problem.value(point)) if loss is None else loss)
    return after


def _ordered(slot: Any, like: Array) -> Array:
    """Bring a slot into the shape and memory order of theta; mixed orders cost three times more.

    A slot may have further axes, (runs, d, ...): the matrix of a quasi-Newton method.
    """
    array = np.asarray(slot, dtype=float)
    if array.shape[: like.ndim] == like.shape:
        return np.asfortranarray(array)
    return np.asfortranarray(np.broadcast_to(array, (*like.shape, *array.shape[like.ndim :])))


def _any_beyond(state: tuple[Array, ...]) -> bool:
    """Tell whether any run has left the range; no temporaries."""
    return not all(
        slot.min(initial=0.0) >= -LIMIT and slot.max(initial=0.0) <= LIMIT for slot in state
    )


def _beyond(state: tuple[Array, ...]) -> npt.NDArray[np.bool_]:
    """Tell which runs have left the range."""
    lost = np.zeros(len(state[0]), dtype=bool)
    for slot in state:
        flat = np.reshape(slot, (len(lost), -1))
        lost |= ~(np.max(np.abs(flat), axis=1, initial=0.0) <= LIMIT)  # also true for NaN
    return lost


def _locate(
    stepper: _Stepper,
    state: tuple[Array, ...],
    done: int,
    until: int,
    diverged: npt.NDArray[np.int64],
) -> None:
    """Replay from the last checkpoint to find the exact step at which each run left the range."""
    fresh = _beyond(state) & (diverged < 0)
    diverged[fresh] = done
    for t in range(done + 1, until + 1):
        state = stepper.take(t, state)
        fresh = _beyond(state) & (diverged < 0)
        diverged[fresh] = t


def _blank(sink: Sink, diverged: npt.NDArray[np.int64]) -> None:
    """Mark everything from divergence on, including rows never reached."""
    if not np.any(diverged >= 0):
        return
    late = (sink.rows[:, None] >= diverged) & (diverged >= 0)
    sink.loss[late] = np.inf
    if sink.keep_theta:
        sink.theta[late] = np.nan
