"""Rules that are not linear, next to the minimum: the same linear forms as dual numbers.

At the minimum the gradient is zero and the memory has settled. There the forms hold first
derivatives, so `step` itself gives the iteration of small errors: Adam contracts if and only if
αλ/ε < 2(1 + β₁)/(1 - β₁), although nothing here knows Adam.

Source: Lyapunov's indirect method (Khalil 2002, theorem 4.7, in discrete time).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.forms import Direction, Form, Trace
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.optimizers.wrapping import learning_rate_of
from convex_analyzer.precise import DoubleDouble
from convex_analyzer.theory.iteration import Iteration, linearise
from convex_analyzer.theory.products import is_product_of_maps

__all__ = [
    "LATE",
    "is_linear",
    "local_iteration",
    "scope_of",
    "settled_memory",
    "tends_to_linear",
]

Array = npt.NDArray[np.float64]

LONGEST_PERIOD = 10_000  # steps that are multiplied to one map
LATE = 10**12  # the step index that stands for t → ∞: β^t is zero there
_ROUNDS = 60  # of Newton's method for the settled memory


def is_linear(optimizer: Optimizer) -> bool:
    """Tell whether one matrix describes the rule, or one period of it, everywhere.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> is_linear(HeavyBall(0.1))
    True
    """
    cycle = optimizer.cycle
    if cycle is None or cycle > LONGEST_PERIOD:
        return False
    return linearise(optimizer, 1.0, steps=cycle).is_linear


def _index(optimizer: Optimizer) -> int:
    """Return the step index at which the local map is taken."""
    name = type(optimizer).__name__
    if optimizer.is_scheduled:
        raise NotDerivableError(
            f"{name} follows a schedule, so no single map describes it: it has no rate. Its steps "
            "are multiplied out by gap(start, steps); analyze(problem, rule.at(t)) describes it "
            "with the settings of step t"
        )
    if optimizer.cycle is None and not optimizer.settles:
        raise NotDerivableError(
            f"{name} depends on the step index and tends to no single map. It can be simulated; a "
            "closed form is not available"
        )
    if optimizer.cycle not in (1, None):
        raise NotDerivableError(
            f"{name} repeats after {optimizer.cycle} steps, so one matrix does not describe it. It "
            "can be simulated; a closed form is not available"
        )
    return 1 if optimizer.cycle == 1 else LATE


@functools.lru_cache(maxsize=256)
def settled_memory(optimizer: Optimizer) -> dict[str, float]:
    """Return the memory at which a rule stays when it stands on the minimum.

    It is where the memory goes from its start while the gradient is zero: running averages of
    squared gradients go to zero, accumulators stay as they are.

    Raises
    ------
    NotDerivableError
        The rule moves away from the minimum, or its memory does not settle.
    """
    t, names = _index(optimizer), optimizer.memory
    trace = Trace()
    with np.errstate(all="ignore"):
        first = optimizer.start(Direction(1.0, trace), Form(0.0, {"theta": 1}, trace))
        memory = np.array([_value(slot) for slot in first])
        for _ in range(_ROUNDS):
            moved, image, slopes = _memory_map(optimizer, t, memory)
            if not np.isfinite(image).all():
                break
            rest = image - memory
            settled = bool(np.all(np.abs(rest) <= 1e-14 * np.maximum(np.abs(memory), 1e-290)))
            if settled and moved == 0:
                return dict(zip(names, map(float, memory), strict=True))
            if settled:
                break
            memory = _improved(memory, image, slopes)
    what = "it does not stay there" if moved else "its memory does not settle"
    raise NotDerivableError(
        f"{type(optimizer).__name__} is not linear, and next to the minimum there is no local "
        f"analysis: {what}. It can be simulated"
    )


def _improved(memory: Array, image: Array, slopes: Array) -> Array:
    """Take a Newton step towards memory = image; what keeps its value (slope 1) stays."""
    shift = slopes - np.eye(len(memory))
    if not np.isfinite(shift).all():
        return image
    step, *_ = np.linalg.lstsq(shift, image - memory, rcond=1e-13)
    better = memory - step
    return np.where(np.abs(better) <= 1e-12 * np.abs(memory), 0.0, better)  # a decay ends at zero


def _memory_map(optimizer: Optimizer, t: int, memory: Array) -> tuple[float, Array, Array]:
    """Return where theta = 0 goes, the new memory, and the slopes of the memory."""
    trace = Trace()
    names = optimizer.memory
    slots = [Form(float(v), {n: 1.0}, trace) for n, v in zip(names, memory, strict=True)]
    state = as_state(optimizer, optimizer.step(_flat(trace), t, Form(0.0, {}, trace), *slots))
    slopes = [
        [float(np.ravel(form.parts.get(n, 0.0))[0]) if isinstance(form, Form) else 0.0
         for n in names]
        for form in state[1:]
    ]  # fmt: skip
    image = np.array([_value(form) for form in state[1:]])
    return _value(state[0]), image, np.array(slopes).reshape(len(names), len(names))


class _Flat(Direction):
    """A direction seen from the minimum: the gradient there is zero, without any parts."""

    def gradient(self, theta: Form) -> Form:
        """Return λθ, plain."""
        self.calls += 1
        gradient: Form = theta * self.eigenvalue
        return gradient


def _flat(trace: Trace) -> Direction:
    return _Flat(1.0, trace)


def _value(form: Any) -> float:
    value = form.value if isinstance(form, Form) else form
    return float(np.ravel(np.asarray(value, dtype=float))[0])


def local_iteration(optimizer: Optimizer, eigenvalue: Any) -> Iteration:
    """Return the iteration of small errors next to the minimum, of the slots that matter.

    Parameters
    ----------
    optimizer
        Any rule; its learning rate may be an exact polynomial.
    eigenvalue
        λ: a number or an array of shape (n,).

    Raises
    ------
    NotDerivableError
        The rule is not differentiable at the minimum (sign methods, line searches), or does not
        stay there.
    """
    t = _index(optimizer)
    rate = learning_rate_of(optimizer)
    plain = optimizer if isinstance(rate, (float, type(None))) else _with_rate(optimizer, 1.0)
    if plain is optimizer and isinstance(eigenvalue, np.ndarray) and tends_to_linear(optimizer):
        with np.errstate(all="ignore"):
            return _limit_iteration(optimizer, eigenvalue, t)
    at = settled_memory(plain)
    with np.errstate(all="ignore"):
        iteration = linearise(optimizer, eigenvalue, t, {"theta": 0.0, **at})
    kept = _that_matter(iteration)
    reduced = _reduce(iteration, kept)
    entries = [entry for row in reduced.matrix for entry in row]
    if iteration.undecided or any(_is_nan(entry) for entry in entries):
        name = type(optimizer).__name__
        why = "; ".join(iteration.undecided or iteration.reasons)
        raise NotDerivableError(
            f"{name} is not linear, and it is not differentiable at the minimum ({why}), so that "
            "there is no local analysis either. It can be simulated"
        )
    return reduced


def tends_to_linear(optimizer: Optimizer) -> bool:
    """Tell whether the map that a rule tends to, as t grows, is linear: then it holds everywhere.

    Examples
    --------
    >>> from convex_analyzer.optimizers import find
    >>> tends_to_linear(find("ChebyshevSemiIteration")(1.0, 100.0)), tends_to_linear(find("Adam")())
    (True, False)
    """
    return optimizer.settles and linearise(optimizer, 1.0, _index(optimizer)).is_linear


def scope_of(optimizer: Optimizer) -> str:
    """Return how far an analysis reaches; the words are those of `Analysis.scope`.

    A rule of which nothing is known counts as global: whatever is asked is refused, with its
    reason.
    """
    try:
        linear = is_linear(optimizer)
    except NotDerivableError:
        return "global"
    if linear:
        return "global" if optimizer.cycle == 1 else "periodic"
    if optimizer.settles and not optimizer.is_scheduled:
        return "asymptotic" if tends_to_linear(optimizer) else "local"
    if is_product_of_maps(optimizer):
        return "product"
    return "local" if optimizer.cycle == 1 else "global"


def _limit_iteration(optimizer: Optimizer, eigenvalues: Array, t: int) -> Iteration:
    """Return the linear map that a rule tends to, in double-double."""

    def lifted(value: Any) -> Any:
        return DoubleDouble(value) if isinstance(value, (float, np.ndarray)) else value

    iteration = linearise(optimizer.transformed(lifted), DoubleDouble(eigenvalues), t)
    kept = _that_matter(linearise(optimizer, 1.0, t))
    return _reduce(iteration, kept)


def _with_rate(optimizer: Optimizer, rate: float) -> Optimizer:
    return optimizer.unchecked(learning_rate=rate)


def _is_nan(entry: Any) -> bool:
    return isinstance(entry, (float, np.ndarray)) and bool(np.any(np.isnan(entry)))


def _is_zero(entry: Any) -> bool:
    if isinstance(entry, (int, float, np.ndarray)):
        return bool(np.all(np.asarray(entry) == 0))
    return False


def _that_matter(iteration: Iteration) -> list[int]:
    """Return the slots that the reported point depends on, sooner or later."""
    found = {i for i, entry in enumerate(iteration.report) if not _is_zero(entry)} | {0}
    size = 0
    while size != len(found):
        size = len(found)
        for i in tuple(found):
            row = iteration.matrix[i]
            found |= {j for j, entry in enumerate(row) if not _is_zero(entry)}
    return sorted(found)


def _reduce(iteration: Iteration, kept: list[int]) -> Iteration:
    def some(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(entries[i] for i in kept)

    return Iteration(
        slots=some(iteration.slots),
        matrix=tuple(some(iteration.matrix[i]) for i in kept),
        minus_identity=tuple(some(iteration.minus_identity[i]) for i in kept),
        offset=some(iteration.offset),
        noise=tuple(some(call) for call in iteration.noise),
        report=some(iteration.report),
        start=some(iteration.start),
        start_offset=some(iteration.start_offset),
        reasons=iteration.reasons,
        undecided=iteration.undecided,
    )
