"""Running someone's code: what it is called with, what it returns, and what it does besides."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.conventions.running import Arena
from convex_analyzer.errors import ConvexAnalyzerError, InputError

__all__ = ["KINDS", "Foreign", "Gradient", "kind_of"]

Array = npt.NDArray[np.float64]

KINDS = ("step", "update", "run")
_COUNTS = {"steps", "n_steps", "num_steps", "nsteps", "count"}
_POINTS = {"theta", "x", "w", "params", "parameters", "weights", "point", "position", "xk", "θ"}
_GRADIENTS = {"grad", "g", "gradient", "grads", "dtheta", "dx", "dw", "gk", "grad_f", "df"}


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


def kind_of(code: Callable[..., Any]) -> str:
    """Tell from the names of its arguments how a function is to be called.

    Examples
    --------
    >>> kind_of(lambda theta, state, grad: None), kind_of(lambda gradient, start, steps: None)
    ('update', 'run')
    """
    try:
        names = [name.lower() for name in inspect.signature(code).parameters]
    except (TypeError, ValueError):
        return "step"
    if len(names) < 3:
        return "step"
    if names[2] in _COUNTS:
        return "run"
    return "update" if names[2] in _GRADIENTS or names[0] in _POINTS else "step"


@dataclass
class Foreign:
    """Someone's code, ready to be run; notes what it does besides.

    Attributes
    ----------
    code, kind
        The function, and how it is called.
    state
        What its first state is: a value, or a function of θ.
    notes
        What was noticed: in a changed argument, in what is printed.
    states
        The states of the first run, after each of its first steps.
    """

    code: Callable[..., Any]
    kind: str
    state: Any = None
    notes: dict[str, None] = field(default_factory=dict)
    states: list[Any] = field(default_factory=list)

    def path(self, place: Arena) -> Array:
        """Return the points, (steps + 1, d); what follows a number that is not finite is NaN."""
        with np.errstate(all="ignore"):
            return self._whole(place) if self.kind == "run" else self._stepped(place)

    def _stepped(self, place: Arena) -> Array:
        theta, state = place.start.copy(), self._first(place.start)
        points, keep = [theta], not self.states
        for step in range(1, place.steps + 1):
            gradient, given = Gradient.at(place.problem, theta), theta.copy()
            before = np.array(gradient)
            pair = (given, state, gradient) if self.kind == "update" else (gradient, given, state)
            returned = self._called(f"in step {step}", *pair)
            if not np.array_equal(given, theta, equal_nan=True):
                self.notes["changes θ in place: whoever calls it finds their array changed"] = None
            if not np.array_equal(np.asarray(gradient), before, equal_nan=True):
                self.notes["changes the gradient in place: it belongs to the caller"] = None
            theta, state = self._pair(returned, place.start.shape)
            points.append(theta)
            if keep and step <= _KEPT:
                self.states.append(copy.deepcopy(state))
            if not np.all(np.isfinite(theta)):
                break
        path = np.full((place.steps + 1, len(place.start)), np.nan)
        path[: len(points)] = points
        return path

    def _first(self, start: Array) -> Any:
        return self.state(start.copy()) if callable(self.state) else copy.deepcopy(self.state)

    def _called(self, when: str, *arguments: Any) -> Any:
        """Call the code; what it raises becomes one sentence, what it prints is dropped."""
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                return self.code(*arguments)
        except (ConvexAnalyzerError, KeyboardInterrupt):
            raise
        except (Exception, SystemExit) as error:
            said = str(error) or "without a message"
            raise InputError(
                f"the code raised {type(error).__name__} {when}: {said}",
                argument="code",
                hint=self._hint(when, error),
            ) from error
        finally:
            if out.tell():
                self.notes["prints while it runs (what it prints was dropped)"] = None

    def _hint(self, when: str, error: BaseException) -> str:
        if "NoneType" in str(error) and when == "in step 1" and self.state is None:
            return "the first state is None: test for it, or pass state=, such as state={'v': 0.0}"
        if isinstance(error, TypeError) and "argument" in str(error):
            order = "theta, state, grad" if self.kind == "update" else "gradient, theta, state"
            return f"it is called as a function of ({order}); kind= changes that"
        return ""

    def _pair(self, returned: Any, shape: tuple[int, ...]) -> tuple[Array, Any]:
        if returned is None:
            raise InputError(
                "the step function must return theta and state, it returned None",
                argument="code",
                hint="add: return theta, state",
            )
        if not isinstance(returned, (tuple, list)) or len(returned) != 2:
            raise InputError(
                f"the step function must return theta and state, it returned {_what(returned)}",
                argument="code",
                hint="return theta, state (a state that is not needed is None)",
            )
        try:
            point = np.array(returned[0], dtype=float)
        except (TypeError, ValueError):
            point = np.empty(0)
        if point.shape != shape:
            raise InputError(
                f"the step function must return a theta of shape {shape}, got {_what(returned[0])}",
                argument="code",
            )
        return point, returned[1]

    def _whole(self, place: Arena) -> Array:
        def gradient(point: Any) -> Array:
            return np.asarray(place.problem.gradient(np.asarray(point, dtype=float)))

        returned = self._called("", gradient, place.start.copy(), place.steps)
        expected = (place.steps + 1, len(place.start))
        try:
            points = np.asarray(returned, dtype=float)
        except (TypeError, ValueError):
            points = np.empty(0)
        if points.shape != expected:
            raise InputError(
                f"the run must return all points, shape {expected}, got {_what(returned)}",
                argument="code",
                hint="the first row is the start",
            )
        return points

    @property
    def is_forgetful(self) -> bool:
        """Whether the state of the first run is after every step what it was before the first."""
        first = None if callable(self.state) else self.state
        return bool(self.states) and all(_alike(state, first) for state in self.states)

    def remembers(self, place: Arena, first: Array) -> bool:
        """Tell whether a second run from the same start differs from the first."""
        again = Arena(place.problem, place.start, min(place.steps, _AGAIN), place.name)
        second = self.path(again)
        return not np.array_equal(second, first[: len(second)], equal_nan=True)


_KEPT = 6  # states of the first run that are kept
_AGAIN = 12  # steps of a second run


def _alike(one: Any, other: Any) -> bool:
    try:
        return type(one) is type(other) and bool(np.all(one == other))
    except (TypeError, ValueError):
        return False


def _what(value: Any) -> str:
    """Describe what came back instead."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"an array of shape {shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of length {len(value)}"
    return f"{type(value).__name__} {value!r:.40}" if value is not None else "None"
