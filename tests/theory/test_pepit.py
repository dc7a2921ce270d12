"""The script for PEPit, run against a small PEPit that holds one concrete quadratic."""

from __future__ import annotations

import ast
import sys
import types
from typing import Any, ClassVar

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer.errors import InputError, NotConvexError, NotDerivableError
from convex_analyzer.optimizers import find
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.schedules import Step
from convex_analyzer.theory.pepit import pepit_script
from convex_analyzer.theory.suprema import worst_error_between

EIGENVALUES = np.array([1.0, 3.7, 20.0, 100.0])
MINIMIZER = np.array([0.3, -1.0, 2.0, 0.5])
START = np.array([1.0, 2.0, -0.5, 0.7])
INTERVAL = ca.Spectrum.between(1.0, 100.0)


class Point:
    """A vector with the operations of PEPit's points, and no others."""

    def __init__(self, vector: Any) -> None:
        self.vector = np.asarray(vector, dtype=float)

    def __add__(self, other: Point) -> Point:
        return Point(self.vector + other.vector)

    def __sub__(self, other: Point) -> Point:
        return Point(self.vector - other.vector)

    def __neg__(self) -> Point:
        return Point(-self.vector)

    def __rmul__(self, number: float) -> Point:
        assert isinstance(number, (int, float))
        return Point(number * self.vector)

    def __pow__(self, power: int) -> float:
        assert power == 2
        return float(self.vector @ self.vector)


class Quadratic:
    """One member of the class: notes where its gradient is asked for."""

    def __init__(self, mu: float, L: float) -> None:
        assert (mu, L) == (EIGENVALUES[0], EIGENVALUES[-1])
        self.asked: list[Any] = []

    def stationary_point(self) -> Point:
        return Point(MINIMIZER)

    def gradient(self, point: Point) -> Point:
        self.asked.append(point.vector)
        return Point(EIGENVALUES * (point.vector - MINIMIZER))

    def __call__(self, point: Point) -> float:
        return float(EIGENVALUES @ (point.vector - MINIMIZER) ** 2 / 2)


class PEP:
    """Returns the metric at the one member and start that it knows; `status` as a solver says."""

    functions: ClassVar[list[Any]] = []
    scale: float | None = None

    def declare_function(self, function_class: Any, mu: float, L: float) -> Any:
        self.functions.append(function_class(mu, L))
        return self.functions[-1]

    def set_initial_point(self) -> Point:
        return Point(START)

    def set_initial_condition(self, condition: bool) -> None:
        assert condition in (True, False)

    def set_performance_metric(self, metric: float) -> None:
        self.metric = metric

    def solve(self, wrapper: str, solver: str, verbose: int) -> float | None:
        assert (wrapper, verbose) == ("cvxpy", 0)
        if solver == "CLARABEL":
            raise RuntimeError("gave up")
        self.wrapper = types.SimpleNamespace(prob=types.SimpleNamespace(status="optimal"))
        return self.metric if self.scale is None else self.scale


@pytest.fixture
def script(monkeypatch):
    """Return a function that executes a script against the small PEPit: its names."""
    package, functions = types.ModuleType("PEPit"), types.ModuleType("PEPit.functions")
    package.PEP = PEP
    functions.SmoothStronglyConvexFunction = type("Smooth", (Quadratic,), {})
    functions.SmoothStronglyConvexQuadraticFunction = Quadratic
    monkeypatch.setitem(sys.modules, "PEPit", package)
    monkeypatch.setitem(sys.modules, "PEPit.functions", functions)
    monkeypatch.setattr(PEP, "functions", [])

    def execute(text: str, name: str = "a script") -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": name}
        exec(compile(ast.parse(text), "script", "exec"), names)
        return names

    return execute


class Extragradient(Optimizer):
    """Two gradients a step, and names that a script needs itself."""

    learning_rate: float

    def step(self, problem, t, theta, start, lambda_):
        middle = theta - self.learning_rate * problem.gradient(theta)
        slope = problem.gradient(middle)
        return theta - self.learning_rate * slope, theta, lambda_ / 2 + slope


RULES = [
    ca.GradientDescent(2 / 101),
    ca.HeavyBall(0.033, 0.67),
    ca.Nesterov(0.01, 9 / 11),  # the gradient is taken ahead
    find("TripleMomentum")(0.019, 0.7, 0.4, 4.0),  # and the report is elsewhere again
    find("OuterMomentum")(0.01, 0.9, dampening=0.5),  # the first step differs
    find("ChebyshevSteps")(1.0, 100.0, 3),  # a cycle
    ca.GradientDescent(Step(0.02, 0.5, 4)),  # a schedule
    find("Averaged")(ca.HeavyBall(0.01, 0.8)),
    find("Lookahead")(ca.HeavyBall(0.01, 0.8), 3, 0.5),
    Extragradient(0.008),
]


@each("rule", RULES, ids=str)
def test_the_script_runs_the_rule(script, rule):
    """On a concrete quadratic the recurrence of the script is our simulation."""
    problem = ca.Quadratic(np.diag(EIGENVALUES), -EIGENVALUES * MINIMIZER)
    simulated = ca.simulate(problem, rule, START, 7, record="path").theta[-1]
    names = script(pepit_script(ca.analyze(INTERVAL, rule), 7))
    function = Quadratic(1.0, 100.0)
    end = names["run"](function, Point(START)).vector
    assert end == pytest.approx(simulated, rel=1e-12, abs=1e-13)
    assert len(function.asked) == 7 * (2 if isinstance(rule, Extragradient) else 1)


def test_the_gradient_is_taken_at_the_look_ahead_point(script):
    text = pepit_script(ca.analyze(INTERVAL, ca.Nesterov(0.01, 0.75)), 3)
    assert "function.gradient(theta + 0.75 * velocity)" in text
    function = Quadratic(1.0, 100.0)
    script(text)["run"](function, Point(START))
    first = START - 0.01 * EIGENVALUES * (START - MINIMIZER)
    assert function.asked[0] == pytest.approx(START)
    assert function.asked[1] == pytest.approx(first + 0.75 * (first - START), rel=1e-14)


@pytest.mark.parametrize("criterion", ["norm", "gap"])
def test_it_asks_the_right_question_and_prints_both_numbers(script, capsys, criterion):
    analysis = ca.analyze(INTERVAL, ca.HeavyBall)
    names = script(pepit_script(analysis, 5, criterion), "__main__")
    printed = capsys.readouterr().out.splitlines()
    worst = float(worst_error_between(analysis, [5])[0])
    assert worst == pytest.approx(3.69980994, rel=1e-8)  # the 13.69 of squared distances
    assert names["EXACT"] == (worst if criterion == "norm" else worst**2)
    assert (names["m"], names["L"]) == (1.0, 100.0)
    end = names["run"](Quadratic(1.0, 100.0), Point(START)).vector
    metric = (
        np.linalg.norm(end - MINIMIZER)
        if criterion == "norm"
        else EIGENVALUES @ (end - MINIMIZER) ** 2 / 2
    )
    assert names["worst_case"](Quadratic, "SCS") == (pytest.approx(metric, rel=1e-14), "optimal")
    assert len(printed) == 6
    assert f"{names['EXACT']:.10g}" in printed[1]
    assert f"{metric:.10g}" in printed[2]
    assert "failed (gave up)" in printed[3]


def test_values_that_contradict_the_exact_one_are_marked(script, monkeypatch, capsys):
    text = pepit_script(ca.analyze(INTERVAL, ca.HeavyBall), 5)
    for value, quadratics, wider in [
        (0.48995, "WRONG: a quadratic attains more", "WRONG: a quadratic attains more"),
        (3.69980994**2, "agrees", "agrees"),
        (104.08, "WRONG: no quadratic attains this", "some function is worse"),
    ]:
        monkeypatch.setattr(PEP, "scale", value)
        script(text, "__main__")
        lines = [line for line in capsys.readouterr().out.splitlines() if "SCS" in line]
        assert quadratics in lines[0]
        assert wider in lines[1]
    assert script(text)["verdict"](None, is_quadratic=True) == "no value"


@each(
    ("rule", "why"),
    [
        (find("Adam")(0.01), "not linear"),
        (find("ExactLineSearch")(), "not linear"),
        (find("Newton")(), "inverse_hessian_vector"),
        (find("Langevin")(0.01), "normal"),
        (find("WeightDecay")(ca.GradientDescent(0.01), 0.1), "gradients are zero"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_rules_that_pepit_cannot_express_say_why(rule, why):
    with pytest.raises(NotDerivableError, match=why):
        pepit_script(ca.analyze(INTERVAL, rule))


def test_bad_arguments_say_why():
    analysis = ca.analyze(INTERVAL, ca.GradientDescent)
    for steps in (0, 101, 2.0, True):
        with pytest.raises(InputError, match="between 1 and 100"):
            pepit_script(analysis, steps)
    with pytest.raises(InputError, match="'norm' or 'gap'"):
        pepit_script(analysis, 3, "rate")
    flat = ca.analyze(ca.Spectrum.from_eigenvalues([0.0, 1.0]), ca.GradientDescent(0.5))
    with pytest.raises(NotConvexError, match="smallest eigenvalue is 0"):
        pepit_script(flat)
