"""`check_code`: someone's code against a rule of ours, step by step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.conventions.equivalence import trials
from convex_analyzer.conventions.running import Arena, horizon
from convex_analyzer.conventions.variants import Variant, variants
from convex_analyzer.errors import ConvexAnalyzerError, InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number
from convex_analyzer.theory.arguments import require_one_setting

__all__ = ["CodeCheck", "Gradient", "check_code"]

Array = npt.NDArray[np.float64]

_PROBLEMS = 5
_SINGLE = 1e-5  # relative; float32 code agrees to that for a while
_EARLY = 20  # steps in which a cause must show its agreement, at least
_KINDS = ("step", "run")
_COUNTS = {"steps", "n_steps", "num_steps", "nsteps", "count"}


class Gradient(np.ndarray):
    """The gradient at θ as an array; called, ``gradient(point)``, the gradient elsewhere."""

    function: Callable[[Any], Any]

    @classmethod
    def at(cls, problem: Any, theta: Array) -> Gradient:
        """Return the gradient of a problem."""
        found = np.asarray(problem.gradient(theta), dtype=float).view(cls)
        found.function = problem.gradient
        return found

    def __call__(self, point: Any) -> Array:
        """Return the gradient at another point."""
        return np.asarray(self.function(np.asarray(point, dtype=float)))

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Return plain arrays from arithmetic."""
        del context
        return array[()] if return_scalar else np.asarray(array)


@dataclass(frozen=True, eq=False)
class CodeCheck(Result):
    """What came of comparing code with a rule; truthy if they agree.

    Attributes
    ----------
    optimizer
        The rule.
    agrees
        Whether no difference beyond the tolerance was found.
    largest
        The largest difference, relative to the largest iterate, as long as rounding has not grown.
    compared
        For each problem, up to which step the two were compared.
    step, problem, coordinate
        Where they differ first: after which step, on which problem (from 1), in which coordinate
        (from 1); None if they agree.
    yours, ours
        The values there.
    cause
        What the code does instead, if one of the known conventions and slips explains the runs.
    explanation
        Our rule that runs as the code does; None if none is known.
    """

    schema: ClassVar[str] = "convex_analyzer.code_check/1"

    optimizer: Optimizer
    agrees: bool
    largest: float
    compared: tuple[int, ...]
    step: int | None = None
    problem: int | None = None
    coordinate: int | None = None
    yours: float | None = None
    ours: float | None = None
    cause: str = ""
    explanation: Optimizer | None = field(default=None)

    def __bool__(self) -> bool:
        return self.agrees

    def summary(self) -> Table:
        """Return what agrees, or the first difference and its likely cause."""
        steps = " ".join(map(str, self.compared))
        rows = [
            ("verdict", "agrees" if self.agrees else "differs"),
            ("compared", f"{len(self.compared)} quadratics, up to the steps {steps}"),
            ("largest difference", f"{format_number(self.largest, 2)} of the largest iterate"),
        ]
        if not self.agrees:
            where = f"step {self.step} on quadratic {self.problem}, coordinate {self.coordinate}"
            rows.append(("first difference", where))
            rows.append(("yours", format_number(self.yours, 10)))
            rows.append(("ours", format_number(self.ours, 10)))
            rows.append(("likely cause", self.cause or "none that is known"))
        return Table((str(self.optimizer), "your code"), tuple(rows), left=2)

    def __repr__(self) -> str:
        return (
            f"<CodeCheck {self.optimizer}: {'agrees' if self.agrees else self.cause or 'differs'}>"
        )


def check_code(
    code: Callable[..., Any],
    optimizer: Optimizer,
    *,
    kind: str | None = None,
    steps: int = 200,
    tolerance: float = 1e-9,
) -> CodeCheck:
    """Compare an implementation of an optimizer with a rule, and name the first difference.

    Both are run on five quadratics, as long as rounding has not grown. On a difference the rule is
    run in its other conventions, and with the usual slips, until one explains the code.

    Parameters
    ----------
    code
        One of two kinds of function:

        - ``step(gradient, theta, state)``, which returns the new theta and state. `theta` is an
          array (d,), `gradient` the gradient there, also an array (and called at another point,
          ``gradient(point)``, the gradient there). The first `state` is None.
        - ``run(gradient, start, steps)``, which returns all points, an array (steps + 1, d) that
          begins with `start`. `gradient` is a function of the point. This is for code with its own
          loop, such as a wrapped ``torch.optim``.
    optimizer
        The rule that the code is meant to be.
    kind
        ``"step"`` or ``"run"``; told by the name of the third argument (``steps`` is a run) if left
        out.
    steps
        How many.
    tolerance
        Largest difference that counts as agreement, relative to the largest iterate.

    Returns
    -------
    CodeCheck

    Raises
    ------
    InputError
        The code returns something else; what it raises itself is not caught.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> def step(gradient, theta, velocity):
    ...     velocity = 0.9 * (0 if velocity is None else velocity) + 0.1 * gradient
    ...     return theta - 0.05 * velocity, velocity
    >>> check_code(step, HeavyBall(0.005, 0.9)).agrees
    True
    >>> check_code(step, HeavyBall(0.05, 0.9)).cause
    'averages gradients with weights 1 - μ and μ'
    """
    _check_arguments(code, optimizer, kind, steps)
    chosen = kind or _kind(code)
    lengths = [each.length for each in optimizer.schedules() if each.length is not None]
    places = trials(min([steps, *lengths]), _PROBLEMS)
    theirs = [_run_code(code, chosen, place) for place in places]
    ours = [place.path(optimizer) for place in places]
    last = [horizon(optimizer, place, tolerance / 100, tolerance / 1e4) for place in places]
    gaps = [_gaps(a, b, end) for a, b, end in zip(ours, theirs, last, strict=True)]
    largest = max(float(gap.max(initial=0.0)) for gap in gaps)
    firsts = [int(np.argmax(gap > tolerance)) if (gap > tolerance).any() else None for gap in gaps]
    if all(first is None for first in firsts):
        return CodeCheck(optimizer, agrees=True, largest=largest, compared=tuple(last))
    step, where = min((first, n) for n, first in enumerate(firsts) if first is not None)
    one, other = theirs[where][step], ours[where][step]
    away = np.nan_to_num(np.abs(one - other), nan=np.inf)
    coordinate = int(np.argmax(away))
    cause, rule = _explained(optimizer, places, theirs, max(_EARLY, step + 10), tolerance)
    return CodeCheck(
        optimizer,
        agrees=False,
        largest=largest,
        compared=tuple(last),
        step=step,
        problem=where + 1,
        coordinate=coordinate + 1,
        yours=float(one[coordinate]),
        ours=float(other[coordinate]),
        cause=cause,
        explanation=rule,
    )


def _check_arguments(code: Any, optimizer: Any, kind: Any, steps: Any) -> None:
    if not callable(code):
        raise InputError(f"code must be a function, got {code!r}", argument="code", value=code)
    if not isinstance(optimizer, Optimizer):
        raise InputError(
            f"optimizer must be an Optimizer instance, got {optimizer!r}",
            argument="optimizer",
            value=optimizer,
            hint="from_library(...) returns the rule behind a library's call",
        )
    require_one_setting(optimizer)
    if kind is not None and kind not in _KINDS:
        raise InputError(f"kind must be 'step' or 'run', got {kind!r}", argument="kind")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise InputError(f"steps must be a whole number from 1, got {steps!r}", argument="steps")
    if optimizer.random:
        raise InputError(
            f"{type(optimizer).__name__} draws random numbers, which no other code draws alike",
            argument="optimizer",
        )


def _kind(code: Callable[..., Any]) -> str:
    try:
        names = list(inspect.signature(code).parameters)
    except (TypeError, ValueError):
        return "step"
    return "run" if len(names) > 2 and names[2] in _COUNTS else "step"


# -- running foreign code --------------------------------------------------------------------------


def _run_code(code: Callable[..., Any], kind: str, place: Arena) -> Array:
    """Return the points of foreign code, (steps + 1, d); what follows a number too large is NaN."""
    if kind == "run":
        return _whole_run(code, place)
    theta, state = place.start.copy(), None
    points = [theta]
    for _ in range(place.steps):
        returned = code(Gradient.at(place.problem, theta), theta.copy(), state)
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise InputError(
                "the step function must return theta and state",
                argument="code",
                hint="return theta, state (a state that is not needed is None)",
            )
        theta, state = _point(returned[0], place.start.shape), returned[1]
        points.append(theta)
        if not np.all(np.isfinite(theta)):
            break
    path = np.full((place.steps + 1, len(place.start)), np.nan)
    path[: len(points)] = points
    return path


def _whole_run(code: Callable[..., Any], place: Arena) -> Array:
    def gradient(point: Any) -> Array:
        return np.asarray(place.problem.gradient(np.asarray(point, dtype=float)))

    returned = np.asarray(code(gradient, place.start.copy(), place.steps), dtype=float)
    expected = (place.steps + 1, len(place.start))
    if returned.shape != expected:
        raise InputError(
            f"the run must return all points, shape {expected}, got {returned.shape}",
            argument="code",
            hint="the first row is the start",
        )
    return returned


def _point(value: Any, shape: tuple[int, ...]) -> Array:
    point = np.array(value, dtype=float)
    if point.shape != shape:
        raise InputError(
            f"the step function must return a theta of shape {shape}, got {point.shape}",
            argument="code",
        )
    return point


def _gaps(ours: Array, theirs: Array, last: int) -> Array:
    """Return the difference after each step, relative to the largest iterate so far."""
    ours, theirs = ours[: last + 1], theirs[: last + 1]
    size = np.maximum.accumulate(np.abs(ours).max(axis=1))
    with np.errstate(over="ignore", invalid="ignore"):
        gap = np.abs(ours - theirs).max(axis=1) / np.where(size > 0, size, 1.0)
    return np.asarray(np.nan_to_num(gap, nan=np.inf))


# -- looking for the cause -------------------------------------------------------------------------


def _explained(
    optimizer: Optimizer, places: list[Arena], theirs: list[Array], enough: int, tolerance: float
) -> tuple[str, Optimizer | None]:
    """Return what the code does, and our rule that does so, if one is found."""
    steps = min(enough, places[0].steps)
    short = [Arena(place.problem, place.start, steps, place.name) for place in places]
    cut = [path[: steps + 1] for path in theirs]
    same = [place.path(optimizer) for place in short]
    if _agree(same, cut, _SINGLE):
        return "computes in single precision (float32)", None
    late = [np.concatenate([path[:1], path[:-1]]) for path in same]
    if _agree(late, cut, tolerance):
        return "makes every step one step late", None
    for each in _usual(optimizer):
        try:
            paths = [place.path(each.rule) for place in short]
        except ConvexAnalyzerError:
            continue
        if _agree(paths, cut, tolerance):
            return each.cause, each.rule
    return "", None


def _usual(optimizer: Optimizer) -> list[Variant]:
    try:
        return variants(optimizer)
    except ConvexAnalyzerError:
        return []


def _agree(ours: list[Array], theirs: list[Array], tolerance: float) -> bool:
    return all(
        bool(np.all(_gaps(a, b, len(a) - 1) <= tolerance))
        for a, b in zip(ours, theirs, strict=True)
    )
