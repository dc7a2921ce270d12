"""A script that asks PEPit about a wider class than quadratics.

PEPit turns "the worst function of a class, and the worst start" into a semidefinite program. Its
classes reach beyond quadratics; its answer is as good as the solver. The script is written from
the optimizer's own rule: `step` is run on linear forms in the state and in the gradients, and what
comes out is printed as a recurrence.

Sources: Drori & Teboulle (2014); Taylor, Hendrickx & Glineur (2017); Goujaud et al. (2024), PEPit;
Bousselmi, Hendrickx & Glineur (2024) for the class of quadratics.
"""

from __future__ import annotations

import itertools
import keyword
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convex_analyzer.errors import (
    ConvexAnalyzerError,
    InputError,
    NotConvexError,
    NotDerivableError,
)
from convex_analyzer.forms import Form, Trace
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.tables import format_number
from convex_analyzer.theory import wording
from convex_analyzer.theory.suprema import worst_error_between

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis

__all__ = ["pepit_script"]

_MOST_STEPS = 100  # a semidefinite program with as many gradients is out of reach
_CENTRED = 1e-9  # how exactly a method must stay where all gradients are zero

Combination = tuple[tuple[str, float], ...]


def pepit_script(analysis: Analysis, steps: int = 10, criterion: str = "norm") -> str:
    """Return a Python script that asks PEPit for the worst case on a wider class of functions.

    Parameters
    ----------
    analysis
        A linear rule on a positive spectrum, whose ends become the class: L-smooth and m-strongly
        convex functions, and the quadratics among them.
    steps
        Number of steps n, from 1 to 100; solvers give up long before.
    criterion
        ``"norm"``: |θ_n - θ*|/|θ_0 - θ*|; ``"gap"``: (J(θ_n) - J*)/(J(θ_0) - J*).

    Returns
    -------
    str
        The script. It needs PEPit only, prints PEPit's numbers beside ours, which is exact for
        quadratics, and says where they contradict each other.

    Raises
    ------
    NotDerivableError
        The rule is not linear, draws random numbers, asks for curvature, or pulls towards the
        origin, so that there is no worst case over a class.
    NotConvexError
        The smallest eigenvalue is not positive.
    InputError
        Steps out of range; an unknown criterion.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> script = pepit_script(analyze(Spectrum.between(1, 100), HeavyBall(0.01, 0.5)), steps=5)
    >>> print(script[script.index("    for _") : script.index("    return theta")].rstrip())
        for _ in range(5):
            gradient = function.gradient(theta)
            theta, velocity = (
                theta + 0.5 * velocity - 0.01 * gradient,
                0.5 * velocity - 0.01 * gradient,
            )
    """
    m, L = _checked(analysis, steps, criterion)
    recurrence = _record(analysis.optimizer, int(steps))
    exact = float(worst_error_between(analysis, [steps])[0])
    return _TEMPLATE.format(
        rule=str(analysis.optimizer),
        m=repr(m),
        L=repr(L),
        kappa=format_number(L / m),
        steps=int(steps),
        body="\n".join(_body(recurrence)),
        exact=repr(exact if criterion == "norm" else exact**2),
        **_MEASURES[criterion],
    )


def _checked(analysis: Analysis, steps: Any, criterion: str) -> tuple[float, float]:
    """Return m and L, or say what cannot be asked."""
    if criterion not in _MEASURES:
        raise InputError(
            f"criterion must be 'norm' or 'gap', got {criterion!r}", argument="criterion"
        )
    whole = isinstance(steps, (int, np.integer)) and not isinstance(steps, bool)
    if not whole or not 1 <= steps <= _MOST_STEPS:
        raise InputError(
            f"steps must be a whole number between 1 and {_MOST_STEPS}, got {steps!r}",
            argument="steps",
            hint="for quadratics analysis.worst_error answers any number",
        )
    if analysis.scope not in {"global", "periodic", "asymptotic", "product"}:
        raise NotDerivableError(f"PEPit needs a linear rule: {wording.no_whole_run(analysis)}")
    m, L = analysis.spectrum.lambda_min, analysis.spectrum.lambda_max_bracket.high
    if m <= 0:
        raise NotConvexError(
            f"the smallest eigenvalue is {format_number(m)}, but a worst case relative to the "
            "start exists for strongly convex functions only",
            argument="spectrum",
            hint="add l2 to the problem, or ask about Spectrum.between(m, L) with m > 0",
        )
    return m, L


# -- the rule, in terms of its gradients ---------------------------------------------------------


@dataclass(frozen=True)
class _Step:
    """What one step does: where gradients are taken, and the new state, as combinations."""

    points: tuple[Combination, ...]
    state: tuple[Combination, ...]


@dataclass(frozen=True)
class _Recurrence:
    slots: tuple[str, ...]
    start: _Step
    steps: tuple[_Step, ...]
    report: Combination


class _Recorder:
    """Stands for the problem: each gradient is a new unknown, and where it is taken is noted."""

    def __init__(self, rule: Optimizer) -> None:
        self.name = type(rule).__name__
        self.points: list[Form] = []

    def gradient(self, theta: Form) -> Form:
        self.points.append(theta)
        return Form(0, {_gradient(len(self.points)): 1.0}, theta.trace)

    def __getattr__(self, asked: str) -> Any:
        if asked.startswith("_"):
            raise AttributeError(asked)
        raise NotDerivableError(
            f"{self.name} asks the problem for {asked}, which PEPit cannot express: it knows "
            "gradients at combinations of points"
        )


def _gradient(call: int) -> str:
    return f"gradient {call}"


def _record(rule: Optimizer, count: int) -> _Recurrence:
    """Run the rule on forms in its state and its gradients."""
    for name, value in rule.numbers().items():
        if is_symbolic(value):
            raise NotDerivableError(
                f"{type(rule).__name__}: {name} is a symbol; PEPit needs a number: give it a value"
            )
    slots = ("theta", *rule.memory)
    theta = Form(0, {"theta": 1.0}, Trace())
    recorder = _Recorder(rule)
    start = _note(recorder, [theta, *rule.start(recorder, theta)])
    state = [Form(0, {name: 1.0}, theta.trace) for name in slots]
    steps = tuple(_one_step(rule, t, state) for t in range(1, count + 1))
    report = _note(_Recorder(rule), [rule.at(count).report(*state)]).state[0]
    found = _Recurrence(slots, start, steps, report)
    _require_centred(rule, found)
    return found


def _one_step(rule: Optimizer, t: int, state: list[Form]) -> _Step:
    recorder = _Recorder(rule)
    try:
        returned = as_state(rule, rule.at(t).step(recorder, t, *state))
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, ConvexAnalyzerError):
            raise
        raise NotDerivableError(
            f"{type(rule).__name__}: step leaves the arithmetic that PEPit knows ({error})"
        ) from error
    return _note(recorder, list(returned))


def _note(recorder: _Recorder, forms: list[Any]) -> _Step:
    return _Step(
        points=tuple(_combination(point, recorder.name) for point in recorder.points),
        state=tuple(_combination(form, recorder.name) for form in forms),
    )


def _combination(form: Any, name: str) -> Combination:
    """Return the parts of a form that are not zero, as floats."""
    value, parts = (form.value, form.parts) if isinstance(form, Form) else (form, {})
    numbers = {part: float(np.ravel(np.asarray(c))[0]) for part, c in parts.items()}
    if np.any(np.asarray(value) != 0) or not all(map(math.isfinite, numbers.values())):
        raise NotDerivableError(
            f"{name} adds a constant to its state, or a factor that is not finite: that is no "
            "combination of points and gradients"
        )
    return tuple((part, number) for part, number in numbers.items() if number != 0)


def _require_centred(rule: Optimizer, found: _Recurrence) -> None:
    """Refuse a method that leaves the start although all gradients are zero."""

    def share(combination: Combination, state: dict[str, float]) -> float:
        return sum(number * state.get(part, 0.0) for part, number in combination)

    state = {"theta": 1.0}
    state = {n: share(c, state) for n, c in zip(found.slots, found.start.state, strict=True)}
    asked = []
    for step in found.steps:
        asked += [share(point, state) for point in step.points]
        state = {n: share(c, state) for n, c in zip(found.slots, step.state, strict=True)}
    if any(abs(one - 1) > _CENTRED for one in [*asked, share(found.report, state)]):
        raise NotDerivableError(
            f"{type(rule).__name__} moves although all gradients are zero (a decay towards the "
            "origin, or an average that starts there), so over all functions of a class the ratio "
            "has no bound; without the decay it can be asked"
        )


# -- the script ----------------------------------------------------------------------------------

_TAKEN = {*keyword.kwlist, "function", "math", "PEP", "range", "minimizer", "start", "m", "L"}


def _identifiers(found: _Recurrence) -> dict[str, str]:
    """Return a Python name for each slot and each gradient."""
    most = max(len(step.points) for step in (found.start, *found.steps))
    names = {slot: re.sub(r"\W", "_", slot) for slot in found.slots}
    for call in range(1, most + 1):
        names[_gradient(call)] = "gradient" if most == 1 else f"gradient_{call}"
    used: set[str] = set()
    for part, wanted in names.items():
        free = (wanted + "_" * i for i in itertools.count())
        names[part] = next(name for name in free if name not in used | _TAKEN)
        used.add(names[part])
    return names


def _body(found: _Recurrence) -> list[str]:
    """Return the lines of the function that runs the rule."""
    names = _identifiers(found)
    lines = _lines(found.start, found.slots, names, "    ", first=True)
    done = 0
    for step, alike in itertools.groupby(found.steps):
        count = len(list(alike))
        if count > 1:
            inner = _lines(step, found.slots, names, "        ")
            lines += [f"    for _ in range({count}):", *inner]
        else:
            lines += [f"    # step {done + 1}", *_lines(step, found.slots, names, "    ")]
        done += count
    return [*lines, f"    return {_expression(found.report, names)}"]


def _lines(
    step: _Step, slots: tuple[str, ...], names: dict[str, str], indent: str, first: bool = False
) -> list[str]:
    points = ((names[_gradient(i)], point) for i, point in enumerate(step.points, 1))
    lines = [f"{indent}{n} = function.gradient({_expression(c, names)})" for n, c in points]
    if first:  # theta is where it starts; the memory is made from it
        made = zip(slots[1:], step.state[1:], strict=True)
        return lines + [f"{indent}{names[n]} = {_expression(c, names)}" for n, c in made]
    if len(slots) == 1:
        return [*lines, f"{indent}{names[slots[0]]} = {_expression(step.state[0], names)}"]
    inner = [f"{indent}    {_expression(c, names)}," for c in step.state]
    targets = ", ".join(names[slot] for slot in slots)
    return [*lines, f"{indent}{targets} = (", *inner, f"{indent})"]


def _expression(combination: Combination, names: dict[str, str]) -> str:
    """Write a combination as a sum; nothing at all is zero times the point."""
    text = ""
    for part, number in combination:
        sign = ("-" if number < 0 else "") if not text else (" - " if number < 0 else " + ")
        size = abs(number)
        text += sign + (names[part] if size == 1 else f"{size!r} * {names[part]}")
    return text or f"0 * {names['theta']}"


_MEASURES = {
    "norm": {
        "what": "|theta_n - theta*| / |theta_0 - theta*|",
        "condition": "(start - minimizer) ** 2 <= 1",
        "metric": "(end - minimizer) ** 2",
        "ratio": "math.sqrt(max(value, 0.0))",
    },
    "gap": {
        "what": "(J(theta_n) - J*) / (J(theta_0) - J*)",
        "condition": "function(start) - function(minimizer) <= 1",
        "metric": "function(end) - function(minimizer)",
        "ratio": "value",
    },
}

_TEMPLATE = '''\
"""The worst case of {rule}
after {steps} steps, asked of PEPit.

Written by convex_analyzer from the optimizer's own rule; PEPit runs it (pip install PEPit).

What is asked: the largest {what}
over all functions of a class and all starts, the memory at rest.

Scope:
- EXACT below is convex_analyzer's answer for all quadratics with eigenvalues in [m, L]. It is
  attained by one of them: it is the true worst case on quadratics, and no bound for a class that
  contains them can be smaller. About other functions it says nothing.
- PEPit bounds the class of all L-smooth, m-strongly convex functions, which is wider: there a
  method may be slower, or never converge. It also knows the class of quadratics, where its number
  must equal EXACT.
- PEPit's numbers come from a semidefinite solver. Such solvers can return wrong values with the
  status "optimal". So two solvers are asked, and what contradicts EXACT is marked.
"""

import math

from PEPit import PEP
from PEPit.functions import SmoothStronglyConvexFunction, SmoothStronglyConvexQuadraticFunction

m, L = {m}, {L}  # smallest and largest curvature: condition number {kappa}
EXACT = {exact}  # the worst case over quadratics, after {steps} steps
SOLVERS = ("SCS", "CLARABEL")  # both come with PEPit; with a licence, "MOSEK" is better
TOLERANCE = 1e-4  # relative; what solvers reach when all goes well


def run(function, theta):
    """Return the point that the method reports after {steps} steps from theta."""
{body}


def worst_case(function_class, solver):
    """Return PEPit's value and the status of the solver."""
    problem = PEP()
    function = problem.declare_function(function_class, mu=m, L=L)
    minimizer = function.stationary_point()
    start = problem.set_initial_point()
    problem.set_initial_condition({condition})
    end = run(function, start)
    problem.set_performance_metric({metric})
    value = problem.solve(wrapper="cvxpy", solver=solver, verbose=0)
    status = problem.wrapper.prob.status
    return None if value is None else {ratio}, status


def verdict(value, is_quadratic):
    """Say what a value means beside the exact one."""
    if value is None:
        return "no value"
    if value < EXACT * (1 - TOLERANCE):
        return "WRONG: a quadratic attains more"
    if value <= EXACT * (1 + TOLERANCE):
        return "agrees: no function of the class is worse than a quadratic"
    return "WRONG: no quadratic attains this" if is_quadratic else "some function is worse"


def main():
    """Ask both solvers about both classes."""
    print("largest {what} after {steps} steps")
    print(f"  exact, quadratics:  {{EXACT:.10g}}  (convex_analyzer)")
    quadratics, wider = SmoothStronglyConvexQuadraticFunction, SmoothStronglyConvexFunction
    for name, chosen in (("quadratics", quadratics), ("smooth, strongly convex", wider)):
        for solver in SOLVERS:
            try:
                value, status = worst_case(chosen, solver)
            except Exception as error:  # a solver that gives up must not end the comparison
                print(f"  PEPit, {{name}}, {{solver}}: failed ({{error}})")
                continue
            shown = "none" if value is None else f"{{value:.10g}}"
            meaning = verdict(value, chosen is quadratics)
            print(f"  PEPit, {{name}}, {{solver}}: {{shown}}  status {{status}}: {{meaning}}")


if __name__ == "__main__":
    main()
'''
