"""The conformance kit catches planted faults, each by the check that is meant to.

The rules here are small and wrong on purpose: one fault each, everything else right.
"""

from __future__ import annotations

import json
import math
import random as clockwork
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from convex_analyzer import ops, optimizers
from convex_analyzer.domains import Domain, Interval, NonNegative, Positive, Real, UnitInterval
from convex_analyzer.errors import ConvexAnalyzerError, InputError
from convex_analyzer.ops import maximum, sqrt, where
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.testing import (
    Conformance,
    ConformanceError,
    Golden,
    check_optimizer,
    strategy_for,
)

# -- rules that are right --------------------------------------------------------------------


class Momentum(Optimizer):
    """Heavy ball, as the faults below start from it."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity

    def published_limit(self):
        return 2 * (1 + self.momentum)


class Quasi(Optimizer):
    """Quasi-hyperbolic momentum: three hyper-parameters; the limit is THEORY 2.2's determinant."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9
    share: UnitInterval = 0.7

    def step(self, problem, t, theta, average):
        gradient = problem.gradient(theta)
        average = self.momentum * average + (1 - self.momentum) * gradient
        blend = (1 - self.share) * gradient + self.share * average
        return theta - self.learning_rate * blend, average

    def published_limit(self):
        # 1 + t + d > 0 with t = 1 + μ - s(1 - νμ), d = μ(1 - s(1 - ν)): s (1 + μ - 2νμ) < 2(1 + μ)
        low = 1 + self.momentum - 2 * self.share * self.momentum
        return 2 * (1 + self.momentum) / low


class ThreeSlots(Optimizer):
    """Momentum of momentum: three slots; no formula is published, so a trajectory must do."""

    learning_rate: Positive
    momentum: UnitInterval = 0.5

    def step(self, problem, t, theta, first, second):
        first = self.momentum * first - self.learning_rate * problem.gradient(theta)
        second = self.momentum * second + first
        return theta + second, first, second


class Adagrad(Optimizer):
    """AdaGrad with eps inside the root: not linear."""

    learning_rate: Positive
    eps: Positive = 1e-6

    def step(self, problem, t, theta, squares):
        gradient = problem.gradient(theta)
        squares = squares + gradient**2
        return theta - self.learning_rate * gradient / sqrt(squares + self.eps), squares


class NewtonStep(Optimizer):
    """Damped Newton: one step on any quadratic when undamped."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.inverse_hessian_vector(
            theta, problem.gradient(theta)
        )

    def published_limit(self):
        return 2  # at λ = 1, as at any other


class CurvatureStep(Optimizer):
    """A step along the Hessian times the gradient: stable for 0 < αλ² < 2."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.hessian_vector(theta, problem.gradient(theta))

    def published_limit(self):
        return 2


TOY = [[0.2, 0.0], [0.0, 4.0]]
ADAGRAD_POINT = {20: [-2.382563, -0.158591]}  # printed by the dataflowr course, Module 4
ADAGRAD = Golden(
    "dataflowr Module 4", {"learning_rate": 0.4}, TOY, [-5.0, -2.0], ADAGRAD_POINT, tolerance=5e-7
)


def three_slots_by_hand(steps: int) -> list[float]:
    """Return the scalar recursion, written out separately, for λ = 2, b = 1, α = 0.1, μ = 0.5."""
    x, v, w = 3.0, 0.0, 0.0
    for _ in range(steps):
        v = 0.5 * v - 0.1 * (2 * x + 1)
        w = 0.5 * w + v
        x = x + w
    return [x]


@pytest.mark.parametrize("name", ["GradientDescent", "HeavyBall", "Nesterov"])
def test_published_rules_conform_without_a_golden_run(name):
    cls = optimizers.registered()[name]
    report = check_optimizer(cls)
    assert report.optimizer == cls.__name__
    assert {"forms", "symbols", "theory", "published limit"} <= {c.name for c in report.checks}


def test_the_report_reads_well_and_is_plain_data():
    report = check_optimizer(Quasi)
    names = [check.name for check in report.checks]
    assert names[0] == "value"
    assert names[-1] == "published limit"
    text = str(report)
    assert all(name in text for name in names)
    assert repr(report) == f"<Conformance of Quasi: {len(names)} checks>"
    data = json.loads(json.dumps(report.to_dict()))
    assert data["schema"] == "convex_analyzer.conformance/1"
    assert [check["name"] for check in data["checks"]] == names
    assert report == check_optimizer(Quasi)  # the same examples every time


@pytest.mark.parametrize("cls", [NewtonStep, CurvatureStep])
def test_rules_that_use_the_hessian(cls):
    found = {check.name: check.found for check in check_optimizer(cls).checks}
    assert "published limit" in found
    assert ("at 4 eigenvalues" in found["forms"]) == (cls is NewtonStep)  # 0 has no inverse


def test_an_instance_is_checked_as_given():
    report = check_optimizer(Momentum(0.3, 0.5))
    assert isinstance(report, Conformance)


def test_a_golden_trajectory_is_an_anchor_for_a_rule_that_is_not_linear():
    report = check_optimizer(Adagrad, golden=ADAGRAD)
    found = {check.name: check.found for check in report.checks}
    assert "not linear" in found["forms"]
    assert "theory" not in found
    assert "dataflowr" in found["golden"]


def test_several_golden_trajectories_and_three_slots():
    points = {k: three_slots_by_hand(k) for k in (1, 2, 7)}
    values = {"learning_rate": 0.1, "momentum": 0.5}
    golden = Golden("by hand", values, [[2.0]], [3.0], points, linear=[1.0], tolerance=1e-12)
    report = check_optimizer(ThreeSlots, golden=[golden, golden])
    assert [check.name for check in report.checks].count("golden") == 2
    assert "theory" in [check.name for check in report.checks]


def test_a_golden_trajectory_without_settings_uses_the_given_instance():
    points = {k: three_slots_by_hand(k) for k in (2, 5)}
    golden = Golden("by hand", {}, [[2.0]], [3.0], points, linear=[1.0])
    check_optimizer(ThreeSlots(0.1, 0.5), golden=golden)


# -- planted faults --------------------------------------------------------------------------


class WrongSign(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity + self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class MomentumOff(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum**2 * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class MovingAverage(Momentum):
    """The gradient scaled by 1 - μ, with the limit of the other form."""

    def step(self, problem, t, theta, velocity):
        gradient = problem.gradient(theta)
        velocity = self.momentum * velocity - (1 - self.momentum) * gradient
        return theta + self.learning_rate * velocity, velocity


class LookAhead(Momentum):
    """Nesterov's point, with heavy ball's limit."""

    def step(self, problem, t, theta, velocity):
        ahead = theta + self.momentum * velocity
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(ahead)
        return theta + velocity, velocity


class AnchorWrong(Momentum):
    def published_limit(self):
        return 2 + self.momentum


class AnchorOffByLittle(Momentum):
    def published_limit(self):
        return (
            2 * (1 + self.momentum) * (1 + 1e-9)
        )  # more than rounding, less than a bisection sees


class AnchorInfinite(Momentum):
    def published_limit(self):
        return math.inf


class AnchorRaises(Momentum):
    def published_limit(self):
        return 2 * (1 + self.mommentum)


class OptimumWrong(Momentum):
    """Polyak's momentum without the square."""

    @classmethod
    def published_optimum(cls, smallest, largest, given):
        if given:
            return None
        low, high = sqrt(smallest), sqrt(largest)
        return {"learning_rate": 4 / (low + high) ** 2, "momentum": (high - low) / (high + low)}


class OptimumOfTheOther(Momentum):
    """What is best for gradient descent, with the momentum left at 0.3."""

    @classmethod
    def published_optimum(cls, smallest, largest, given):
        return None if given else {"learning_rate": 2 / (smallest + largest), "momentum": 0.3}


class OptimumUnstable(Momentum):
    @classmethod
    def published_optimum(cls, smallest, largest, given):
        return None if "learning_rate" in given else {"learning_rate": 4 / largest}


class OptimumForgetsAName(Momentum):
    @classmethod
    def published_optimum(cls, smallest, largest, given):
        return {"learning_rat": 1 / largest}


class ForgottenMemory(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity


class ForgottenReturn(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        theta = theta + velocity


class OneTooMany(Momentum):
    def step(self, problem, t, theta, velocity):
        return theta, velocity, velocity


class Summed(Momentum):
    """The memory collapses to one number per run."""

    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity.sum(axis=-1, keepdims=True)


class InPlaceTheta(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        theta += velocity
        return theta, velocity


class InPlaceVelocity(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity *= self.momentum
        velocity = velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class Remembers(Momentum):
    """State outside the state."""

    seen = ()

    def step(self, problem, t, theta, velocity):
        type(self).seen = (*self.seen, t)
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity * len(self.seen), velocity


class ChangesItself(Momentum):
    def step(self, problem, t, theta, velocity):
        object.__setattr__(self, "learning_rate", self.learning_rate / 2)
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity * 0, velocity * 0


class Branch(Momentum):
    def step(self, problem, t, theta, velocity):
        gradient = problem.gradient(theta)
        if gradient.sum() > 0:
            velocity = self.momentum * velocity
        velocity = velocity - self.learning_rate * gradient
        return theta + velocity, velocity


class BranchInline(Momentum):
    def step(self, problem, t, theta, velocity):
        size = abs(problem.gradient(theta)).max()
        factor = self.momentum if size > 1 else 0.0
        velocity = factor * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class BranchAnd(Momentum):
    def step(self, problem, t, theta, velocity):
        kept = velocity.any() and self.momentum * velocity
        velocity = kept - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class BranchInStart(Momentum):
    def start(self, problem, theta):
        return (theta * 0 if theta.any() else theta,)


class NumPy(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = np.multiply(self.momentum, velocity) - self.learning_rate * problem.gradient(
            theta
        )
        return theta + velocity, velocity


class BareRoot(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = math.sqrt(self.momentum) ** 2 * velocity
        velocity = velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class Random(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = clockwork.random() * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


tick = time.perf_counter
draw = clockwork.random


class Clock(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity * (1 + 0 * tick()), velocity


class BoundRandom(Momentum):
    def step(self, problem, t, theta, velocity):
        return theta + velocity, velocity * draw()


class Float(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = float(self.momentum) * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class ImportsInside(Momentum):
    def step(self, problem, t, theta, velocity):
        from math import sqrt as root

        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity * root(1), velocity


class ReportsNumPy(Momentum):
    def report(self, theta, velocity):
        return np.asarray(theta)


class ReportsOneNumber(Momentum):
    def report(self, theta, velocity):
        return theta.sum(axis=-1)


class Couples(Momentum):
    """The mean over runs: a batch is not its runs."""

    def step(self, problem, t, theta, velocity):
        gradient = problem.gradient(theta)
        mean = gradient.mean(axis=0, keepdims=True)
        velocity = self.momentum * velocity - self.learning_rate * (gradient + 0 * theta + mean)
        return theta + velocity, velocity


class FirstRunOnly(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity - 0.1 * theta[:1], velocity


class LeavesForms(Momentum):
    """Works on arrays, says nothing to linear forms."""

    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity.copy(), velocity


class LooksAtTime(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate / t * problem.gradient(theta)
        return theta + velocity, velocity


class FormsDeceived(Momentum):
    """Asks what it runs on: forms see plain heavy ball, arrays something else."""

    def step(self, problem, t, theta, velocity):
        factor = 1.0 + 0.5 * hasattr(theta, "shape")
        velocity = self.momentum * velocity - factor * self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class ArraysClipped(Momentum):
    """Linear on forms and on unit states, clipped where states are large."""

    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        clip = getattr(velocity, "clip", lambda low, high: velocity)
        velocity = clip(-9.0, 9.0)
        return theta + velocity, velocity


class SymbolsDeceived(Momentum):
    def step(self, problem, t, theta, velocity):
        extra = 1 if ops.is_symbolic(self.momentum) else 0
        velocity = (self.momentum + extra) * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class NoSymbols(Momentum):
    """Refuses to hold symbols, so that nothing can be printed."""

    def unchecked(self, **changes):
        if any(ops.is_symbolic(value) for value in changes.values()):
            raise TypeError("no symbols here")
        return super().unchecked(**changes)


class BranchNot(Momentum):
    def step(self, problem, t, theta, velocity):
        still = not velocity.any()
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity * (1 + 0 * still), velocity


class BranchOnAnything(Momentum):
    """Takes the state as *state."""

    def step(self, problem, t, *state):
        theta, velocity = state
        gradient = problem.gradient(theta) if state else None
        velocity = self.momentum * velocity - self.learning_rate * gradient
        return theta + velocity, velocity


BranchOnAnything.memory = ("velocity",)


class KnowsTheEngine(Momentum):
    """Does something else inside `simulate`."""

    def step(self, problem, t, theta, velocity):
        wrapped = hasattr(problem, "loss_at")
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity * (1 + 0.01 * wrapped), velocity


class SlowStart(Momentum):
    """Simulation and theory begin differently: only arrays see the second memory."""

    def start(self, problem, theta):
        return (theta * (1.0 * hasattr(theta, "shape")),)


class Anchorless(Momentum):
    def published_limit(self):
        return None


class NoStep(Optimizer):
    learning_rate: Positive


class Undeclared(Optimizer):
    learning_rate: Any

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.gradient(theta)


class UndeclaredDefault(Optimizer):
    learning_rate: Any = 0.1

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.gradient(theta)


class AcceptsAnything(Momentum):
    def __post_init__(self):
        pass


class OwnMessage(Momentum):
    def __post_init__(self):
        try:
            super().__post_init__()
        except InputError:
            raise InputError("that will not do") from None


class AlwaysEqual(Momentum):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


class NeverEqual(Momentum):
    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


class BadRepr(Momentum):
    def __repr__(self):
        return f"BadRepr(learning_rate={self.learning_rate:.3g}, momentum={self.momentum:.3g})"


class UnreadableRepr(Momentum):
    def __repr__(self):
        return "<a rule>"


class BadJson(Momentum):
    def to_dict(self):
        return {"name": "BadJson", "learning_rate": 0.5, "momentum": 0.5}


class ArraysInJson(Momentum):
    def to_dict(self):
        return {"name": "ArraysInJson", **self.values}


class NamelessJson(Momentum):
    def to_dict(self):
        return {**super().to_dict(), "name": "Momentum"}


class NeedsMore(Optimizer):
    """An invariant between fields that the declared ranges do not say."""

    learning_rate: Positive
    momentum: UnitInterval = 0.5

    def __post_init__(self):
        super().__post_init__()
        if np.any(np.asarray(self.momentum) < 0.999):
            raise InputError("NeedsMore: momentum must be nearly 1")

    def step(self, problem, t, theta, velocity):
        return theta + velocity, velocity * self.momentum


FAULTS = {
    WrongSign: ("published limit", "no stable learning rate"),
    MomentumOff: ("published limit", "bisecting"),
    MovingAverage: ("published limit", "bisecting"),
    LookAhead: ("published limit", "either the formula or step is wrong"),
    AnchorWrong: ("published limit", "bisecting"),
    AnchorOffByLittle: ("published limit", "Jury"),
    AnchorInfinite: ("published limit", "is inf"),
    AnchorRaises: ("published limit", "mommentum"),
    OptimumWrong: ("published optimum", "blind search found"),
    OptimumOfTheOther: ("published optimum", "blind search found"),
    OptimumUnstable: ("published optimum", "blind search found"),
    OptimumForgetsAName: ("published optimum", "learning_rat"),
    ForgottenMemory: ("purity", "it must return 2: theta, velocity"),
    ForgottenReturn: ("purity", "is a return missing|returned 1 value"),
    OneTooMany: ("purity", "returned 3 value"),
    Summed: ("purity", r"velocity of shape \(4, 3\) and returned shape \(4, 1\)"),
    InPlaceTheta: ("purity", "changes theta in place"),
    InPlaceVelocity: ("purity", "changes velocity in place"),
    Remembers: ("purity", "different outputs"),
    ChangesItself: ("purity", "hyper-parameter"),
    Branch: ("source", "step branches on a value in line"),
    BranchInline: ("source", "ops.where"),
    BranchAnd: ("source", "ops.where"),
    BranchInStart: ("source", "start branches"),
    BranchNot: ("source", "ops.where"),
    BranchOnAnything: ("source", "ops.where"),
    KnowsTheEngine: ("simulation", "plain loop"),
    NumPy: ("source", "module numpy"),
    BareRoot: ("source", "module math"),
    Random: ("source", "module random"),
    Clock: ("source", "tick of time"),
    BoundRandom: ("source", "draw of random"),
    Float: ("source", r"float\(\)"),
    ImportsInside: ("source", "import of math"),
    ReportsNumPy: ("source", "report uses the module numpy"),
    ReportsOneNumber: ("runs", "report returns shape"),
    Couples: ("runs", "alone differs"),
    FirstRunOnly: ("runs", "place in the batch"),
    LeavesForms: ("forms", "no attribute 'copy'"),
    LooksAtTime: ("forms", "declare `period`"),
    FormsDeceived: ("forms", "unit states give"),
    ArraysClipped: ("forms", "on arrays it is not"),
    SymbolsDeceived: ("symbols", "symbolic matrix is"),
    NoSymbols: ("symbols", "no symbols here"),
    SlowStart: ("theory", "closed form of"),
    Anchorless: ("anchor", "golden="),
    NoStep: ("definition", "write the update rule"),
    Undeclared: ("definition", "neither a declared range nor a default"),
    UndeclaredDefault: ("domains", "without a declared range"),
    AcceptsAnything: ("domains", "is accepted"),
    OwnMessage: ("domains", "must start with"),
    AlwaysEqual: ("value", "different hyper-parameters are equal"),
    NeverEqual: ("value", "differ, or their hashes"),
    BadRepr: ("value", "reads back as"),
    UnreadableRepr: ("value", "reading back"),
    BadJson: ("json", "comes back from JSON as"),
    ArraysInJson: ("json", "not JSON serializable"),
    NamelessJson: ("json", "name of the class"),
    NeedsMore: ("definition", "nearly 1"),
}


@pytest.mark.parametrize("cls", FAULTS, ids=lambda cls: cls.__name__)
def test_a_planted_fault_is_caught_by_the_check_that_is_meant_to(cls):
    check, words = FAULTS[cls]
    with pytest.raises(ConformanceError, match=words) as caught:
        check_optimizer(cls)
    assert caught.value.check == check
    assert caught.value.owner == cls.__name__
    assert str(caught.value).startswith(f"{cls.__name__} fails the check '{check}': ")
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value, ConvexAnalyzerError)


def test_momentum_itself_passes():
    """So each fault above is caught for its fault, and not for what it shares with the others."""
    check_optimizer(Momentum)


def test_a_wrong_golden_point_is_caught():
    points = {20: [-2.382563, -0.158691]}
    wrong = Golden("a misprint", {"learning_rate": 0.4}, TOY, [-5, -2], points, tolerance=5e-7)
    with pytest.raises(ConformanceError, match=r"after 20 steps Adagrad.*a misprint has") as caught:
        check_optimizer(Adagrad, golden=wrong)
    assert caught.value.check == "golden"


def test_a_wrong_rule_is_caught_by_a_right_trajectory():
    class RmsLike(Adagrad):
        def step(self, problem, t, theta, squares):
            gradient = problem.gradient(theta)
            squares = 0.9 * squares + gradient**2
            return theta - self.learning_rate * gradient / sqrt(squares + self.eps), squares

    with pytest.raises(ConformanceError, match="golden"):
        check_optimizer(RmsLike, golden=ADAGRAD)


@pytest.mark.parametrize(("source", "points"), [("", {5: [1.0]}), ("x", {}), ("x", {1: [1.0]})])
def test_a_golden_trajectory_that_shows_nothing_is_refused(source, points):
    golden = Golden(source, {"learning_rate": 0.1}, [[1.0]], [1.0], points)
    with pytest.raises(InputError, match="two steps or more"):
        check_optimizer(Momentum, golden=golden)


@pytest.mark.parametrize("thing", [int, 3, Optimizer])
def test_only_optimizers_can_be_checked(thing):
    with pytest.raises(InputError, match="needs an Optimizer"):
        check_optimizer(thing)


def test_source_that_cannot_be_read_is_judged_by_its_compiled_form():
    scope: dict[str, Any] = {"Momentum": Momentum, "np": np, "__name__": __name__}
    good = """
class Typed(Momentum):
    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity
"""
    exec(good, scope)
    found = {check.name: check.found for check in check_optimizer(scope["Typed"]).checks}
    assert "not available" in found["source"]
    exec(good.replace("theta + velocity,", "np.add(theta, velocity),"), scope)
    with pytest.raises(ConformanceError, match="module numpy"):
        check_optimizer(scope["Typed"])


def test_branches_on_hyperparameters_and_ops_are_fine():
    class Fine(Momentum):
        nesterov: bool = False

        def step(self, problem, t, theta, velocity):
            point = theta + self.momentum * velocity if self.nesterov else theta
            factors = [factor for factor in (1.0, 0.0) if factor > 0]
            for factor in factors:
                velocity = self.momentum * velocity - self.learning_rate * (
                    factor * problem.gradient(point)
                )
            return theta + sum(factors) * velocity, velocity

        def published_limit(self):
            limit = 2 * (1 + self.momentum)
            return limit / (1 + 2 * self.momentum) if self.nesterov else limit

    check_optimizer(Fine)
    check_optimizer(Fine(0.1, 0.9, nesterov=True))


def test_a_rule_that_depends_on_t_needs_a_trajectory():
    class Decaying(Optimizer):
        learning_rate: Positive
        period = None

        def step(self, problem, t, theta):
            return theta - self.learning_rate / t * problem.gradient(theta)

    with pytest.raises(ConformanceError, match="anchor"):
        check_optimizer(Decaying)
    # θ_k = θ_0 Π (1 - αλ/t), by hand for αλ = 1/2
    points = {1: [0.5], 2: [0.375], 3: [0.3125]}
    golden = Golden("by hand", {"learning_rate": 0.5}, [[1.0]], [1.0], points)
    names = [check.name for check in check_optimizer(Decaying, golden=golden).checks]
    assert "golden" in names
    assert "forms" not in names


def test_a_limit_below_which_everything_is_stable_may_be_infinite():
    class Proximal(Optimizer):
        """The implicit step, written with the inverse Hessian of 1 + αA for one eigenvalue."""

        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta * 0

        def published_limit(self):
            return math.inf

    found = {check.name: check.found for check in check_optimizer(Proximal).checks}
    assert "4 settings" in found["published limit"]


# -- Hypothesis strategies -------------------------------------------------------------------


class Ranges(Optimizer):
    """One field of every kind of range."""

    positive: Positive
    unit: UnitInterval = 0.5
    real: Real = 0.0
    from_zero: NonNegative = 0.0
    plain: float = 1.0
    flag: bool = False

    def step(self, problem, t, theta):
        return where(theta > maximum(theta, 0 * theta), theta, theta)


@given(strategy_for(Ranges))
def test_strategies_give_valid_instances(rule):
    assert rule.positive > 0
    assert 0 <= rule.unit < 1
    assert 0 <= rule.real < 1
    assert rule.from_zero >= 0
    assert rule.flag is False
    assert rule.hints() == []  # usual values
    assert type(rule)(**rule.values) == rule


@given(strategy_for(optimizers.HeavyBall))
def test_strategies_reach_both_ends(rule):
    assert optimizers.HeavyBall(**rule.values) == rule


def test_the_plain_problem_is_the_textbook():
    from convex_analyzer.testing.case import PlainProblem

    problem = PlainProblem([[2.0, 1.0], [1.0, 3.0]], [1.0, -1.0])
    assert problem.value(np.array([[1.0, 2.0], [0.0, 0.0]])).tolist() == [1 + 2 + 6 - 1, 0.0]
    assert problem.gradient(np.array([[1.0, 2.0]])).tolist() == [[5.0, 6.0]]


def test_samples_of_half_open_ranges():
    from convex_analyzer.testing.case import sample

    random = np.random.default_rng(1)
    line = Interval(-math.inf, math.inf)
    below = Interval(-math.inf, 2.0)
    assert math.isfinite(sample(Domain("a number", line, line), random))
    assert sample(Domain("at most 2", below, below), random) < 2
