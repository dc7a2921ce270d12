"""Stability regions in symbols, against roots, published limits and the float64 route."""

from __future__ import annotations

import itertools
import json
import math
import random
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from cases import each
from sympy import Interval, Rational, S

from convex_analyzer import ops
from convex_analyzer.domains import BelowOne, NonNegative, Positive, Real, UnitInterval
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers import find, registered
from convex_analyzer.optimizers.averaging import EMA, Averaged, Lookahead
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import (
    EMAMomentum,
    HeavyBall,
    Nesterov,
    OuterMomentum,
    TwoRateMomentum,
)
from convex_analyzer.optimizers.nesterov import (
    QHM,
    NesterovTwoPoint,
    TripleMomentum,
    TwoRateNesterov,
)
from convex_analyzer.schedules import Step
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.regions import Region, stability_region
from convex_analyzer.theory.stability import stable_learning_rates

# -- rules of a user ---------------------------------------------------------------------------


class Filtered(Optimizer):
    """Heavy ball whose velocity passes a low-pass filter: three slots."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9
    decay: BelowOne = 0.5

    def step(self, problem, t, theta, velocity, smooth):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        smooth = self.decay * smooth + (1 - self.decay) * velocity
        return theta + smooth, velocity, smooth


class Averaging(Optimizer):
    """Nesterov's method on an average of gradients: three slots."""

    learning_rate: Positive
    momentum: Real = 0.9
    decay: BelowOne = 0.5

    def step(self, problem, t, theta, velocity, mean):
        gradient = problem.gradient(theta + self.momentum * velocity)
        mean = self.decay * mean + (1 - self.decay) * gradient
        velocity = self.momentum * velocity - self.learning_rate * mean
        return theta + velocity, velocity, mean


class Four(Optimizer):
    """Two averages in a row and a velocity: four slots, one open hyper-parameter besides s."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    def step(self, problem, t, theta, velocity, mean, second):
        keep = self.momentum
        mean = keep * mean + (1 - keep) * problem.gradient(theta)
        second = keep * second + (1 - keep) * mean
        velocity = keep * velocity - self.learning_rate * second
        return theta + velocity, velocity, mean, second


class Five(Optimizer):
    """Five slots and two open hyper-parameters: only at numbers."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9
    decay: BelowOne = 0.5

    def step(self, problem, t, theta, velocity, mean, second, third):
        mean = self.momentum * mean + (1 - self.momentum) * problem.gradient(theta)
        second = self.decay * second + (1 - self.decay) * mean
        third = third / 2 + second / 2
        velocity = self.momentum * velocity - self.learning_rate * third
        return theta + velocity, velocity, mean, second, third


class Decoupled(Optimizer):
    """Heavy ball with decoupled weight decay."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9
    weight_decay: NonNegative = 0.1

    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity - self.learning_rate * self.weight_decay * theta, velocity


class Watching(Optimizer):
    """Heavy ball that keeps a growing sum which no point depends on."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    def step(self, problem, t, theta, velocity, total):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity, 2 * total + theta


# -- the notes' table -----------------------------------------------------------------------------


def texts(region: Region) -> set[str]:
    return {str(condition.relation) for condition in region.conditions}


def test_conditions_of_the_heavy_ball_are_three():
    region = stability_region(HeavyBall)
    assert texts(region) == {"s > 0", "2*mu - s + 2 > 0", "1 - mu > 0"}
    assert region.product == sympy.Symbol("alpha", positive=True) * sympy.Symbol(
        "lambda", real=True
    )
    assert region.as_set(momentum=0.9) == Interval.open(0, Rational(19, 5))
    for mu in (Rational(-1, 2), Rational(-99, 100), 0, Rational(1, 3)):  # also outside its range
        assert region.as_set(momentum=mu) == Interval.open(0, 2 * (1 + mu))
    for mu in (-2, -1, 1, Rational(3, 2)):
        assert region.as_set(momentum=mu) == S.EmptySet


NESTEROV = stability_region(Nesterov)


@pytest.mark.survey
@each("mu", [Rational(k, 12) for k in range(-60, 61) if k not in {-12, -6}])
def test_four_bands_of_nesterov(mu):
    """Theory notes 2.4, for every real μ."""
    upper = 1 + 1 / (1 + 2 * mu)
    turned = 1 - 1 / mu if mu else None
    if mu > 1:
        expected = Interval.open(turned, upper)
    elif mu >= Rational(-1, 3):
        expected = Interval.open(0, upper)
    elif mu >= -1:
        expected = Interval.open(0, turned)
    else:
        expected = Interval.open(upper, turned)
    assert NESTEROV.as_set(momentum=mu) == expected


def test_nesterov_where_a_condition_has_no_s():
    assert NESTEROV.as_set(momentum=Rational(-1, 2)) == Interval.open(0, 3)
    assert NESTEROV.as_set(momentum=-1) == Interval.open(0, 2)
    assert NESTEROV.as_set(momentum=1) == Interval.open(0, Rational(4, 3))
    assert texts(NESTEROV) == {"s > 0", "-2*mu*s + 2*mu - s + 2 > 0", "mu*s - mu + 1 > 0"}


def test_irrational_values_have_algebraic_ends():
    root = sympy.sqrt(2) / 2
    found = NESTEROV.as_set(momentum=root)
    assert found.inf == 0
    assert sympy.simplify(found.sup - 2 * (1 + root) / (1 + 2 * root)) == 0


mu, tau, nu, eta, alpha = sympy.symbols("mu tau nu eta alpha", positive=True)


@each(
    ("rule", "values", "limit"),
    [
        (EMAMomentum, {"momentum": 0.9}, 38),
        (EMAMomentum, {"momentum": Fraction(1, 3)}, 4),
        (OuterMomentum(0.1, 0.9, dampening=0.5), {}, Rational(38, 5)),
        (OuterMomentum(0.1, 0.9, dampening=tau), {"dampening": 0.75}, Rational(76, 5)),
        (OuterMomentum(0.1, mu, nesterov=True), {"momentum": 0.9}, Rational(19, 14)),
        (QHM, {"momentum": 0.9, "nu": 0.7}, Rational(19, 5) / (1 - Rational(9, 25))),
        (QHM, {"momentum": 0.9, "nu": 0}, 2),
        (TwoRateMomentum, {"momentum": 0.5}, 3),
        (TwoRateNesterov, {"momentum": 0.5}, Rational(3, 2)),
        (TripleMomentum, {"momentum": 0.5, "lookahead": 0.25}, 2),
        (EMA(HeavyBall(alpha, mu), nu), {"momentum": 0.5, "decay": 0.9}, 3),
    ],
    ids=str,
)
def test_limits_of_the_table(rule, values, limit):
    assert stability_region(rule).as_set(**values) == Interval.open(0, limit)


def test_the_look_ahead_as_lecture_002_prints_it():
    """t = 1 - γs + μ(1 - s), d = μ(1 - s) with s = ηλ (theory notes 2.2)."""
    region = stability_region(TwoRateNesterov(alpha, eta, mu, as_printed=True))
    assert region.product == eta * sympy.Symbol("lambda", real=True)
    s, gamma = region.s, region.parameters["learning_rate"]
    trace, determinant = 1 - gamma * s + mu * (1 - s), mu * (1 - s)
    one, first, second = region.polynomial
    assert one == 1
    assert sympy.expand(first + trace) == 0
    assert sympy.expand(second - determinant) == 0
    found = region.in_learning_rate([3], gradient_rate=1, momentum=0.9)
    assert found == S.EmptySet  # μ|1 - s| = 1.8: no γ makes it converge


def test_two_rates_are_one_product():
    region = stability_region(TwoRateMomentum)
    assert list(region.parameters) == ["momentum"]
    assert region.in_learning_rate([2], momentum=0.5, gradient_rate=3) == Interval.open(
        0, Rational(1, 2)
    )
    with pytest.raises(InputError, match="gradient_rate must be given"):
        region.in_learning_rate([2], momentum=0.5)


def test_weight_decay_shifts_the_spectrum():
    """Coupled: 0 < α(λ + w) < 2(1 + μ). Decoupled: 0 < α(λ + (1 ∓ μ) w) and < 2(1 + μ)."""
    coupled = stability_region(OuterMomentum(0.1, 0.9, weight_decay=0.1))
    assert coupled.as_set(learning_rate=1) == Interval.open(Rational(-1, 10), Rational(37, 10))
    assert coupled.in_learning_rate([1, 10]) == Interval.open(0, Rational(38, 101))
    assert coupled.in_learning_rate([-0.05]) == Interval.open(0, 76)
    assert coupled.in_learning_rate([-0.2]) == S.EmptySet
    decoupled = stability_region(Decoupled)
    found = decoupled.in_learning_rate([1, 10], momentum=0.9, weight_decay=0.1)
    assert found == Interval.open(0, Rational(38, 10) / Rational(1019, 100))
    with pytest.raises(NotDerivableError, match="α and λ apart"):
        coupled.in_learning_rate(Spectrum.between(1.0, 10.0))


# -- against roots ---------------------------------------------------------------------------------


def largest_root(optimizer: Optimizer, s: float) -> float:
    """Return the largest |root| at numbers, computed by mpmath."""
    matrix = linearise(optimizer.unchecked(learning_rate=1.0), float(s)).matrix
    with mpmath.workdps(40):
        roots = mpmath.eig(mpmath.matrix(matrix), left=False, right=False)
        return float(max(abs(root) for root in roots))


@pytest.mark.survey
@pytest.mark.parametrize("cls", [Filtered, Averaging, Four, Five, QHM, TripleMomentum])
def test_points_inside_and_outside_against_brute_force_roots(cls):
    region, rng, seen = stability_region(cls), random.Random(1), set()
    for _ in range(8):
        values = {name: rng.randint(1, 15) / 16 for name in region.parameters}
        fields = {f.name: 0.5 for f in cls.fields()} | values
        s = rng.choice([-32, -1, 1, 3, 8, 20, 70, 150, 300]) / 32
        largest = largest_root(cls(**fields), s)
        if abs(largest - 1) < 1e-6:
            continue
        seen.add(largest < 1)
        assert bool(region.contains(s, **values)) == (largest < 1)
        assert bool(region.as_set(**values).contains(Rational(s))) == (largest < 1)
        if region.is_symbolic:
            at = {region.parameters[n]: Rational(v) for n, v in values.items()}
            relations = [c.relation.subs({region.s: Rational(s), **at}) for c in region.conditions]
            assert all(bool(relation) for relation in relations) == (largest < 1)
    assert seen == {True, False}


@pytest.mark.survey
@pytest.mark.parametrize("slots", [3, 4, 5])
def test_conditions_of_random_rules_at_numbers(slots):
    """Random rational matrices M - s u eᵀ, whose roots SymPy knows nothing of."""
    rng = random.Random(slots)
    seen = set()
    for _ in range(2):
        rows = [[Rational(rng.randint(-9, 9), 12) for _ in range(slots)] for _ in range(slots)]
        rows[0][0], push = Rational(1), [Rational(rng.randint(1, 9), 8) for _ in range(slots)]

        def step(self, problem, t, theta, *memory, rows=rows, push=push):
            gradient, state = problem.gradient(theta), (theta, *memory)
            return tuple(
                sum(float(c) * z for c, z in zip(row, state, strict=True))
                - self.learning_rate * float(p) * gradient
                for row, p in zip(rows, push, strict=True)
            )

        body = {"__annotations__": {"learning_rate": Positive}, "step": step}
        cls = type("RandomRule", (Optimizer,), body)
        cls.memory = tuple(f"slot{i}" for i in range(1, slots))
        region = stability_region(cls)
        assert region.is_symbolic
        inside = region.as_set()
        for s in [Rational(k, 17) for k in range(-19, 40, 6)]:
            matrix = np.array(rows, dtype=float)
            matrix[:, 0] -= float(s) * np.array(push, dtype=float)
            largest = np.abs(np.linalg.eigvals(matrix)).max()
            if abs(largest - 1) > 1e-7:
                seen.add(bool(largest < 1))
                assert bool(inside.contains(s)) == (largest < 1)
                assert bool(region.contains(float(s))) == (largest < 1)
    assert True in seen or slots > 3


def test_nothing_is_left_out_that_matters():
    """Reduced and full conditions agree on a grid of the declared ranges."""
    for cls in (Filtered, Averaging, OuterMomentum, QHM):
        region = stability_region(cls)
        symbols = [region.s, *region.parameters.values()]
        short = sympy.lambdify(symbols, [c.relation for c in region.conditions], "numpy")
        grid = np.meshgrid(
            np.linspace(-0.97, 5.1, 29),
            *(np.linspace(0.003, 0.998, 6) for _ in region.parameters),
            indexing="ij",
        )
        values = dict(zip(region.parameters, grid[1:], strict=True))
        assert np.array_equal(np.all(short(*grid), axis=0), region.contains(grid[0], **values))


# -- against published limits and the float64 route ------------------------------------------------


def published() -> list[type[Optimizer]]:
    """Return the registered linear classes whose limit is published."""
    found = []
    for cls in registered().values():
        if "learning_rate" not in cls.hyperparameters():
            continue
        try:
            stability_region(cls)
        except NotDerivableError:
            continue
        found.append(cls)
    return found


PUBLISHED = [cls for cls in published() if cls.published_limit is not Optimizer.published_limit]


def test_which_rules_have_a_published_limit():
    names = {cls.__name__ for cls in PUBLISHED}
    assert names >= {"GradientDescent", "HeavyBall", "Nesterov", "EMAMomentum", "OuterMomentum"}
    assert names >= {"TwoRateMomentum", "TwoRateNesterov", "QHM", "TripleMomentum"}


@pytest.mark.survey
@each("cls", PUBLISHED, ids=lambda c: c.__name__)
def test_published_limits(cls):
    for share in (0.1, 0.9):
        values = {n: share for n in cls.hyperparameters() if n != "learning_rate"}
        values |= {n: 0.0 for n in ("weight_decay",) if n in values}
        rule = cls(learning_rate=0.1, **values)
        found = stability_region(cls).in_learning_rate([1], **values)
        assert found.inf == 0
        assert float(found.sup) == pytest.approx(float(rule.published_limit()), rel=1e-14)
        assert stability_region(rule).in_learning_rate([1]) == found


@each(
    "rule",
    [
        HeavyBall(0.1, 0.7),
        Nesterov(0.1, 1.5),
        Nesterov(0.1, -1.25),
        QHM(0.1, 0.9, 0.4),
        Filtered(0.1, 0.8, 0.6),
        Averaging(0.1, 0.7, 0.3),
        Four(0.1, 0.6),
        Five(0.1, 0.5, 0.25),
        Lookahead(GradientDescent(0.1), 3),
        Decoupled(0.1),
    ],
    ids=str,
)
@each("eigenvalues", [(1.0,), (1.0, 1.25, 1.5), (0.5, 8.0)])
def test_against_the_float64_route(rule, eigenvalues):
    intervals = stable_learning_rates(rule, np.array(eigenvalues))
    found = stability_region(rule).in_learning_rate(eigenvalues)
    pieces = found.args if isinstance(found, sympy.Union) else (found,)
    exact = [(float(p.inf), float(p.sup)) for p in pieces if p != S.EmptySet]
    assert np.array(exact) == pytest.approx(np.array(intervals), rel=1e-12)


def test_spectra():
    region = stability_region(Nesterov)
    between = Spectrum.between(1.0, 2.0)
    assert region.in_learning_rate(between, momentum=1.5) == Interval.open(
        Rational(1, 3), Rational(5, 8)
    )
    listed = Spectrum.from_eigenvalues([0.0, 1.0, 2.0])
    assert region.in_learning_rate(listed, momentum=0.9) == Interval.open(0, Rational(19, 28))
    assert region.in_learning_rate([-1, 1], momentum=0.9) == S.EmptySet
    exact = region.in_learning_rate([Rational(1, 3), Fraction(2, 7)], momentum=0)
    assert exact == Interval.open(0, 6)
    with pytest.raises(InputError, match="other than zero"):
        region.in_learning_rate([0.0], momentum=0.9)


def test_several_pieces():
    """(1 - s)(1 - 3s/20) leaves the unit interval and comes back."""

    class TwoBands(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            middle = theta - self.learning_rate * problem.gradient(theta)
            return middle - 0.15 * self.learning_rate * problem.gradient(middle)

    found = stability_region(TwoBands).as_set()
    assert isinstance(found, sympy.Union)
    for s in (Fraction(k, 16) for k in range(1, 140, 5)):
        assert bool(found.contains(Rational(s))) == (
            abs((1 - float(s)) * (1 - 0.15 * float(s))) < 1
        )
    both = stability_region(TwoBands).in_learning_rate([1, 3])
    for rate in (Fraction(k, 16) for k in range(1, 60, 4)):
        inside = all(abs((1 - s) * (1 - 0.15 * s)) < 1 for s in map(float, (rate, 3 * rate)))
        assert bool(both.contains(Rational(rate))) == inside
    assert stability_region(TwoBands).in_learning_rate(Spectrum.between(1.0, 3.0)).is_subset(both)


# -- the border ------------------------------------------------------------------------------------


def sizes(optimizer: Optimizer, s: float, steps: int) -> np.ndarray:
    """Return |theta| along one direction from an excited state, by running the matrix."""
    matrix = np.array(linearise(optimizer.unchecked(learning_rate=1.0), s).matrix, dtype=float)
    state, found = np.ones(len(matrix)), []
    for _ in range(steps):
        state = matrix @ state
        found.append(np.abs(state).max())
    return np.array(found)


@each(
    ("rule", "s", "kind", "bounded"),
    [
        (HeavyBall(0.1, 0.9), 3.8, "2-cycle", True),
        (HeavyBall(0.1, 0.9), 0.0, "stays", True),
        (HeavyBall(0.1, 1.0), 2.0, "oscillation", True),
        (HeavyBall(0.1, 1.0), 4.0, "drift", False),
        (HeavyBall(0.1, 1.0), 0.0, "drift", False),
        (Nesterov(0.1, 1.5), 1 / 3, "oscillation", True),
        (Nesterov(0.1, 1.5), 1.25, "2-cycle", True),
        (Filtered(0.1, 0.5, 0.5), 1.5, "oscillation", True),
        (HeavyBall(0.1, 0.9), 1.0, "inside", True),
        (HeavyBall(0.1, 0.9), 4.0, "outside", False),
        (Five(0.1, 0.5, 0.5), 0.0, "stays", True),
    ],
    ids=str,
)
def test_borders_against_simulation(rule, s, kind, bounded):
    (border,) = stability_region(rule).boundary(s)
    assert (border.kind, border.is_bounded) == (kind, bounded)
    assert border.words
    if kind == "outside":
        return
    run = sizes(rule, s, 4000)
    assert (run[-100:].max() < 3 * run[200:300].max() + 1e-9) == bounded
    if kind == "drift":
        assert border.growth == 1
        assert run[-1] / run[1999] == pytest.approx(2, rel=0.01)
    if bounded and kind != "inside":
        assert run[-100:].max() > 1e-3


@pytest.mark.survey
def test_ends_of_a_set():
    low, high = stability_region(Nesterov).boundary(momentum=1.5)
    assert (low.s, high.s) == (Rational(1, 3), Rational(5, 4))
    assert (low.kind, high.kind) == ("oscillation", "2-cycle")
    assert low.roots[0].conjugate() == pytest.approx(low.roots[1])
    assert "period" in str(low)
    (_, end) = stability_region(Five).boundary(momentum=0.5, decay=0.5)
    assert end.kind == "oscillation"
    assert isinstance(end.s.args[-1], sympy.CRootOf)
    with pytest.raises(InputError, match="momentum must be given"):
        stability_region(Nesterov).boundary()


def test_a_repeated_root_with_as_many_eigenvectors_stays_bounded():
    class Pair(Optimizer):
        """Two copies that do not see each other: the point is their mean."""

        learning_rate: Positive

        def step(self, problem, t, theta, other):
            rate = self.learning_rate
            return theta - rate * problem.gradient(theta), other - rate * problem.gradient(other)

        def report(self, theta, other):
            return (theta + other) / 2

    (_, end) = stability_region(Pair).boundary()
    assert (end.s, end.kind, end.roots, end.is_bounded) == (2, "2-cycle", (-1, -1), True)


# -- what is reduced, and what is not derived ------------------------------------------------------


def test_slots_that_do_not_matter_are_left_out():
    region = stability_region(Watching)
    assert region.slots == ("theta", "velocity")
    assert region.left_out == ("total",)
    assert region.conditions == stability_region(HeavyBall).conditions
    assert "without total" in str(region)


def test_rules_that_only_numbers_answer():
    region = stability_region(Five)
    assert not region.is_symbolic
    assert not region.conditions
    assert "exact real roots" in str(region)
    assert "roots of" in region.latex()
    assert "numbers only" in repr(region)
    with pytest.raises(InputError, match="decay must be given"):
        region.as_set(momentum=0.5)


def test_degenerate_rules():
    class Nilpotent(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta, first):
            return first, self.learning_rate * problem.gradient(theta) * 0

    class Anchored(Optimizer):
        """The point is pulled to where it began, which is remembered for ever."""

        learning_rate: Positive

        def step(self, problem, t, theta, anchor):
            return theta - self.learning_rate * (problem.gradient(theta) + theta - anchor), anchor

    class Inverse(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - problem.gradient(theta) / self.learning_rate

    nothing = stability_region(Nilpotent)
    assert nothing.as_set() == S.Reals
    assert "every root is zero" in str(nothing)
    never = stability_region(Anchored)
    assert never.as_set(learning_rate=0.1) == S.EmptySet
    assert not never.contains(0.5, learning_rate=0.1)
    assert [c.relation for c in never.conditions][:1] == [sympy.false]
    assert stability_region(Inverse).in_learning_rate([1, 3]) == Interval.open(
        Rational(3, 2), S.Infinity
    )


def test_what_is_not_derived():
    class NoRate(Optimizer):
        pace: Positive

        def step(self, problem, t, theta):
            return theta - self.pace * problem.gradient(theta)

    class Root(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - ops.sqrt(self.learning_rate) * problem.gradient(theta)

    class Branch(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            rate = min(1, self.learning_rate)
            return theta - rate * problem.gradient(theta)

    cases = [
        (NoRate, "no field called learning_rate"),
        (Root, "no quotient of polynomials"),
        (Branch, "Branch"),
        (find("Adam"), "not linear"),
        (find("SilverSteps"), "no field called learning_rate"),
        (Averaged(HeavyBall(0.1)), "never repeats"),
        (EMA, "pass an instance"),
        (HeavyBall(Step(0.1, 0.5, 30)), "follows a schedule"),
        (Lookahead(HeavyBall(0.1), 40), "repeats after 40 steps"),
        (NesterovTwoPoint(0.1), "at no finite step"),
    ]
    for rule, words in cases:
        with pytest.raises(NotDerivableError, match=words):
            stability_region(rule)
    with pytest.raises(InputError, match="one value per run"):
        stability_region(HeavyBall(np.array([[0.1], [0.2]]), np.array([[0.5], [0.6]])))
    with pytest.raises(InputError, match="no open hyper-parameter"):
        stability_region(HeavyBall).as_set(mu=0.9)
    with pytest.raises(InputError, match="finite"):
        stability_region(HeavyBall).as_set(momentum=math.nan)


# -- the result ------------------------------------------------------------------------------------


def test_results():
    region = stability_region(HeavyBall)
    assert json.loads(json.dumps(region.to_dict()))["conditions"][0]["relation"] == "s > 0"
    assert region == stability_region(HeavyBall)
    assert region != stability_region(Nesterov)
    assert region.latex() == (
        r"\left\{ s = \alpha \lambda \;:\; s > 0,\; 2 \mu - s + 2 > 0,\; 1 - \mu > 0 \right\}"
    )
    assert repr(region) == "<Region of HeavyBall, s = α λ: s > 0, 2 μ − s + 2 > 0, 1 − μ > 0>"
    open_set = region.as_set()
    assert isinstance(open_set, sympy.ConditionSet)
    at = {region.parameters["momentum"]: Rational(9, 10)}
    assert open_set.condition.subs({**at, region.s: 1}) == sympy.true
    assert open_set.condition.subs({**at, region.s: 4}) == sympy.false


def test_maps_broadcast():
    s, momentum = np.linspace(0, 4, 41)[1:], np.linspace(0, 1, 11)[:, None]
    inside = stability_region(HeavyBall).contains(s, momentum=momentum)
    assert inside.shape == (11, 40)
    away = np.abs(s - 2 * (1 + momentum)) > 1e-9
    expected = (s < 2 * (1 + momentum)) & (momentum < 1)
    assert np.array_equal(inside[away], expected[away])
    tiny = stability_region(Five).contains([1e-3, 10.0], momentum=0.5, decay=0.5)
    assert tiny.tolist() == [True, False]
    for pair in itertools.product((1e-300, 1e-20), (0.0, 0.9)):
        assert stability_region(HeavyBall).contains(pair[0], momentum=pair[1])
