"""Each row on evidence whose truth is known: by construction, and by a run written out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st

import convex_analyzer as ca
from convex_analyzer.diagnosis.recap import recap
from convex_analyzer.domains import Positive, UnitInterval
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.tables import format_count

TOY = np.diag([0.2, 4.0])
ORIGIN = np.zeros(2)


# -- instability -----------------------------------------------------------------------------------


def grows(path, steps=4000):
    """Whether a hand-written run ends farther out than it began, seen from its middle."""
    points = list(itertools.islice(path, steps + 1))
    return np.linalg.norm(points[-1]) > np.linalg.norm(points[steps // 2])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("share", "verdict"), [(1 - 1e-3, "absent"), (1 + 1e-3, "present")])
def test_gradient_descent_just_below_and_above_its_limit(by_hand, seed, share, verdict):
    A, _, start = by_hand.random_problem(seed, [0.3, 1.0, 2.7, 8.0])
    alpha = share * 2 / np.linalg.eigvalsh(A)[-1]
    found = by_hand.finding(ca.compare(A, [ca.GradientDescent(alpha)], start), "instability")
    assert found.verdict == verdict
    assert grows(by_hand.gradient_descent(A, 0, start, alpha)) == (verdict == "present")


@pytest.mark.parametrize(("share", "verdict"), [(1 - 1e-3, "absent"), (1 + 1e-3, "present")])
def test_heavy_ball_just_below_and_above_its_limit(by_hand, share, verdict):
    alpha = share * 2 * 1.9 / 4
    found = by_hand.finding(ca.compare(TOY, [ca.HeavyBall(alpha, 0.9)]), "instability")
    assert found.verdict == verdict
    assert grows(by_hand.heavy_ball(TOY, ORIGIN, [1.0, 1.0], alpha, 0.9)) == (verdict == "present")


def test_the_limit_itself_is_only_possible(by_hand):
    found = by_hand.finding(ca.compare(TOY, [ca.GradientDescent(0.5)]), "instability")
    assert found.verdict == "possible"
    path = by_hand.gradient_descent(TOY, ORIGIN, [1.0, 1.0], 0.5)
    assert [theta[1] for theta in itertools.islice(path, 4)] == [1, -1, 1, -1]


@each(
    ("rule", "path"),
    [
        (ca.GradientDescent(0.6), lambda h: h.gradient_descent(TOY, ORIGIN, [1, 1], 2 / 4.2)),
        (ca.GradientDescent(0.5), lambda h: h.gradient_descent(TOY, ORIGIN, [1, 1], 2 / 4.2)),
        (ca.HeavyBall(1.0, 0.9), lambda h: h.heavy_ball(TOY, ORIGIN, [1, 1], *h.polyak(0.2, 4.0))),
        (ca.HeavyBall(0.1, 1.0), lambda h: h.heavy_ball(TOY, ORIGIN, [1, 1], *h.polyak(0.2, 4.0))),
        (ca.Nesterov(1.0, 0.9), lambda h: h.nesterov(TOY, ORIGIN, [1, 1], *h.lessard(0.2, 4.0))),
    ],
    ids=lambda value: str(value) if isinstance(value, ca.Optimizer) else "",
)
def test_the_cure_is_counted(by_hand, rule, path):
    """The workaround names the same rule at its best, with the steps it takes from this start."""
    found = by_hand.finding(ca.compare(TOY, [rule], start=[1, 1]), "instability")
    wanted = by_hand.count(path(by_hand), TOY, ORIGIN)
    assert found.prediction.startswith(type(rule).__name__)
    assert found.prediction.endswith(f"converges in {wanted} steps")


def test_a_saddle_is_unstable_for_any_learning_rate(by_hand):
    A, b = np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([1.0, 0.0])
    found = by_hand.finding(ca.compare(ca.Quadratic(A, b)), "instability")
    assert found.verdict == "present"
    assert "saddle" in found.evidence
    assert "unbounded below" in found.evidence
    assert not found.prediction
    for alpha in (0.05, 0.3, 1.0):  # the start is off the ridge: whatever α, it leaves
        assert grows(by_hand.gradient_descent(A, b, [1.0, 1.0], alpha), steps=60)


def test_a_drift_is_no_instability_and_says_why(by_hand):
    problem = ca.gallery.singular(bounded=False)
    found = by_hand.finding(ca.compare(problem), "instability")
    assert found.verdict == "absent"
    assert "falls without end" in found.evidence
    path = by_hand.gradient_descent(np.full((2, 2), 2.0), np.array([-6.0, -5.0]), [0, 0], 0.25)
    values = [problem.value(theta) for theta in itertools.islice(path, 5, 60)]
    assert np.allclose(np.diff(values), -0.125)  # a constant fall: no growth, no end


class Cubic(ca.Optimizer):
    """A rule that is not linear: x ← x - α(g + g³)."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        gradient = problem.gradient(theta)
        return theta - self.learning_rate * (gradient + gradient * gradient * gradient)


@pytest.mark.parametrize(("alpha", "verdict"), [(0.01, "absent"), (1.0, "present")])
def test_without_a_closed_form_the_run_decides(by_hand, alpha, verdict):
    comparison = ca.compare(TOY, [Cubic(alpha)], start=[1.0, 1.0])
    found = by_hand.finding(comparison, "instability")
    assert (found.verdict, found.kind) == (verdict, "simulated")
    x, y, steps = 1.0, 1.0, 0
    while abs(y) < 1e60 and steps < 100:
        g, h = 0.2 * x, 4 * y
        x, y = x - alpha * (g + g**3), y - alpha * (h + h**3)
        steps += 1
    assert (verdict == "present") == (abs(y) >= 1e60)
    if verdict == "present":
        (at,) = by_hand.numbers(found.evidence)
        assert abs(at - steps) <= 2
    rows = {row.name: f.verdict for row, f in recap(comparison).rows}
    assert rows["slow_progress"] == rows["oscillation"] == "not tested"
    assert rows["incorrect_gradient"] == "absent"
    assert rows["ill_conditioning"] == "possible"


# -- local optima ----------------------------------------------------------------------------------


@each(
    ("problem", "words"),
    [
        (ca.gallery.toy(), "convex, one minimum"),
        (ca.gallery.singular(), "every minimum is global"),
        (ca.gallery.singular(bounded=False), "convex, and no minimum"),
        (ca.gallery.saddle(), "a saddle, and no minimum"),
        (ca.Quadratic([[-2.0, 0.0], [0.0, -1.0]]), "no positive curvature, and no minimum"),
        (ca.Quadratic([[0.0]]), "every minimum is global"),
    ],
    ids=["toy", "valley", "drift", "saddle", "maximum", "flat"],
)
def test_local_optima_are_decided_by_the_sign_of_the_curvature(by_hand, problem, words):
    found = by_hand.finding(ca.compare(problem), "local_optimum")
    assert found.verdict == "absent"
    assert words in found.evidence
    lowest = np.linalg.eigvalsh(problem.operator.to_dense())[0]
    assert by_hand.numbers(found.evidence)[0] == pytest.approx(lowest, abs=1e-12)
    assert ("no minimum" in words) == (problem.minimizer is None)


# -- slow progress ---------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.02, 0.09])
def test_slow_progress_with_the_exact_counts(by_hand, share):
    A, b, start = by_hand.random_problem(1, [0.5, 1.0, 10.0])
    minimiser = np.linalg.solve(A, -b)
    m, L = np.linalg.eigvalsh(A)[[0, -1]]
    comparison = ca.compare(ca.Quadratic(A, b), [ca.GradientDescent(share * 2 / L)], start)
    found = by_hand.finding(comparison, "slow_progress")
    now, then = (
        by_hand.count(by_hand.gradient_descent(A, b, start, alpha), A, minimiser)
        for alpha in (share * 2 / L, 2 / (m + L))
    )
    assert found.verdict == "present"
    assert by_hand.numbers(found.evidence)[-2:] == [now, then]
    assert found.prediction.endswith(f"needs {then} steps")


@pytest.mark.parametrize("share", [0.11, 0.5, 0.99])
def test_a_learning_rate_near_its_limit_is_not_slow(by_hand, share):
    found = by_hand.finding(ca.compare(TOY, [ca.GradientDescent(share * 0.5)]), "slow_progress")
    assert found.verdict == "absent"
    assert by_hand.numbers(found.evidence)[0] == pytest.approx(100 * share, rel=1e-2)


def test_slack_that_would_not_pay_is_no_slow_progress(by_hand):
    """Only the steep direction is excited: the best pair lets just this one swing and linger."""
    comparison = ca.compare(TOY, [ca.HeavyBall(0.04, 0.0)], start=[0.0, 1.0])
    found = by_hand.finding(comparison, "slow_progress")
    assert found.verdict == "absent"
    assert "would not pay" in found.evidence
    now, then = (
        by_hand.count(by_hand.heavy_ball(TOY, ORIGIN, [0, 1], *pair), TOY, ORIGIN)
        for pair in ((0.04, 0.0), by_hand.polyak(0.2, 4.0))
    )
    assert now < 2 * then
    plain = ca.compare(TOY, [ca.GradientDescent(0.04)], start=[0.0, 1.0])  # 1/λmax ends it at once
    assert by_hand.finding(plain, "slow_progress").prediction.endswith("0.25 needs 1 step")


class Unnamed(ca.Optimizer):
    """Gradient descent whose step size has another name."""

    lr: Positive

    def step(self, problem, t, theta):
        return theta - self.lr * problem.gradient(theta)


def test_a_rule_without_learning_rate_has_a_verdict_all_the_same(by_hand):
    comparison = ca.compare(TOY, [Unnamed(0.1)])
    found = by_hand.finding(comparison, "instability")
    assert found.verdict == "absent"
    assert by_hand.numbers(found.evidence) == [0.98]
    slow = by_hand.finding(comparison, "slow_progress")
    assert slow.verdict == "not tested"


# -- oscillations ----------------------------------------------------------------------------------


def signs(path, steps):
    """How often the coordinates change sign, per direction."""
    points = np.array(list(itertools.islice(path, steps)))
    return (np.diff(np.sign(points), axis=0) != 0).sum(axis=0)


@each(
    ("eigenvalues", "product", "verdict"),
    [
        ([2.0], 0.99, "absent"),
        ([2.0], 1.01, "present"),
        ([2.0], 1.99, "present"),
        ([0.2, 2.0], 0.99, "absent"),
        ([0.2, 2.0], 1.01, "possible"),  # gone long before the flat direction
        ([0.2, 2.0], 1.85, "present"),
    ],
)
def test_gradient_descent_flips_beyond_one(by_hand, eigenvalues, product, verdict):
    alpha, A = product / 2.0, np.diag(eigenvalues)
    found = by_hand.finding(ca.compare(A, [ca.GradientDescent(alpha)]), "oscillation")
    assert found.verdict == verdict
    flips = signs(by_hand.gradient_descent(A, 0, np.ones(len(A)), alpha), 6)
    assert flips.any() == (verdict != "absent")
    if verdict != "absent":
        (named,) = np.flatnonzero(flips)
        assert f"q{named + 1}, λ = 2 flips its sign every step" in found.evidence
        fade = math.ceil(math.log(1e-3) / math.log(abs(1 - product)))
        assert by_hand.numbers(found.evidence)[-1] == fade
    if verdict == "present":
        cure = by_hand.numbers(found.prediction)[0]
        assert cure == pytest.approx(0.5, rel=5e-3)
        assert not signs(by_hand.gradient_descent(A, 0, np.ones(len(A)), 0.499), 6).any()
        assert ("others slow down" in found.prediction) == (len(eigenvalues) > 1)


@pytest.mark.parametrize("rule", [ca.GradientDescent(0.5), ca.HeavyBall(0.1, 1.0)], ids=str)
def test_on_the_boundary_an_oscillation_never_fades(by_hand, rule):
    found = by_hand.finding(ca.compare(TOY, [rule]), "oscillation")
    assert found.verdict == "present"
    assert found.evidence.endswith("never fades")


class Quasi(ca.Optimizer):
    """Quasi-hyperbolic momentum (Ma & Yarats 2019)."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9
    share: UnitInterval = 0.7

    def step(self, problem, t, theta, average):
        gradient = problem.gradient(theta)
        average = self.momentum * average + (1 - self.momentum) * gradient
        mixed = (1 - self.share) * gradient + self.share * average
        return theta - self.learning_rate * mixed, average


def polynomial(name, s, mu):
    """z² - tz + d for αλ = s, from the literature."""
    return {
        "HeavyBall": [1, -(1 + mu - s), mu],
        "Nesterov": [1, -(1 + mu) * (1 - s), mu * (1 - s)],
        "Quasi": [1, -(1 + mu - s * (1 - 0.7 * mu)), mu * (1 - s * 0.3)],
    }[name]


@each(
    ("rule", "eigenvalue", "product"),
    [
        (ca.HeavyBall, 1.0, 0.02),
        (ca.HeavyBall, 5.0, 0.3),
        (ca.Nesterov, 1.0, 0.02),
        (ca.Nesterov, 5.0, 0.3),
        (Quasi, 5.0, 0.9),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_underdamped_direction_has_its_period_and_its_critical_momentum(
    by_hand, rule, eigenvalue, product
):
    comparison = ca.compare([[eigenvalue]], [rule(product / eigenvalue, 0.95)])
    found = by_hand.finding(comparison, "oscillation")
    assert found.verdict == "present"
    roots = np.roots(polynomial(rule.__name__, product, 0.95))
    period = 2 * math.pi / abs(np.angle(roots[0]))
    _, shown, factor, *_ = by_hand.numbers(found.evidence)
    assert shown == pytest.approx(period, rel=5e-3)
    assert factor == pytest.approx(abs(roots[0]), rel=5e-4)
    moving = comparison.entries[0].trajectory.theta[:, 0]
    changes = (np.diff(np.sign(moving)) != 0).sum()
    assert abs(changes - 2 * (len(moving) - 1) / period) <= 1.5

    def turns(mu):
        t, d = -polynomial(rule.__name__, product, mu)[1], polynomial(rule.__name__, product, mu)[2]
        return t * t < 4 * d

    low, high = 0.0, 0.95  # the largest momentum below with real roots, by halving
    assert turns(high)
    assert not turns(low)
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if turns(middle) else (middle, high)
    (critical,) = by_hand.numbers(found.prediction)
    assert critical == pytest.approx(low, rel=5e-3)


def test_no_momentum_damps_what_flips_without_any(by_hand):
    """Heavy ball at αλ = 1.5: without momentum the direction flips, so none is recommended."""
    found = by_hand.finding(ca.compare([[1.0]], [ca.HeavyBall(1.5, 0.9)]), "oscillation")
    assert found.verdict == "present"
    assert found.prediction == ""


def test_an_unstable_run_is_not_called_an_oscillation(by_hand):
    found = by_hand.finding(ca.compare(TOY, [ca.GradientDescent(0.6)]), "oscillation")
    assert found.verdict == "not tested"


# -- incorrect gradients ---------------------------------------------------------------------------


class Planted(ca.Quadratic):
    """A quadratic whose gradient is wrong by a factor in one coordinate."""

    coordinate, factor = 0, 1.0

    def gradient(self, theta):
        right = super().gradient(theta)
        wrong = np.array(right)
        wrong[..., self.coordinate] *= self.factor
        return wrong


def planted(A, b=None, *, coordinate=0, factor=1.0):
    problem = Planted(A, b)
    problem.coordinate, problem.factor = coordinate, factor
    return problem


def gradient_finding(by_hand, problem, start=None):
    comparison = ca.compare(problem, [ca.GradientDescent(1e-300)], start, steps=0)
    return by_hand.finding(comparison, "incorrect_gradient")


@pytest.mark.parametrize("power", [-100, -3, 0, 3, 100])
@pytest.mark.parametrize("coordinate", [0, 2])
def test_one_percent_in_one_coordinate_is_found_and_named(by_hand, power, coordinate):
    A, b, start = by_hand.random_problem(coordinate, [0.5, 1.0, 10.0])
    unit = 10.0**power
    right = A @ start + b
    for factor, verdict in ((1.0, "absent"), (1.01, "present"), (1 + 1e-4, "possible")):
        problem = planted(A * unit, b * unit, coordinate=coordinate, factor=factor)
        found = gradient_finding(by_hand, problem, start)
        assert found.verdict == verdict
        assert found.kind == "numerical"
        if verdict != "absent":
            assert f"along θ{coordinate + 1}:" in found.evidence
            *_, measured, claimed = by_hand.numbers(found.evidence)
            assert measured / unit == pytest.approx(right[coordinate], rel=1e-4)
            assert claimed / measured == pytest.approx(factor, rel=1e-4)


@each("factor", [0.0, -1.0, 2.0, 0.5])
def test_forgotten_turned_doubled_halved(by_hand, factor):
    A, b, start = by_hand.random_problem(4, [0.5, 1.0, 10.0, 20.0])
    found = gradient_finding(by_hand, planted(A, b, coordinate=3, factor=factor), start)
    assert found.verdict == "present"


@pytest.mark.parametrize("factor", [1.0, 1.01, 3.0])
def test_many_coordinates_are_sampled(by_hand, factor):
    size = 2000
    problem = Planted.diagonal(np.geomspace(0.1, 10, size))
    problem.coordinate, problem.factor = size - 1, factor
    found = gradient_finding(by_hand, problem)
    share = abs(factor - 1) * 10 / np.linalg.norm(np.geomspace(0.1, 10, size))
    assert found.verdict == ("present" if share > 2e-3 else "absent" if share == 0 else "possible")
    assert "12 random directions" in found.evidence


class Forgetful(LeastSquares):
    """Ridge regression that forgets the penalty's gradient."""

    def gradient(self, theta):
        return super().gradient(theta) - self.l2 * np.asarray(theta)


def test_a_forgotten_penalty_is_found_by_column_name(by_hand):
    data = ca.gallery.longley()
    X, y = data.X[:, 1:] - data.X[:, 1:].mean(axis=0), data.y / data.y.std()
    X /= X.std(axis=0)
    arguments = {"l2": 0.1, "intercept": False, "loss": "half_mse"}
    right, wrong = (kind(X, y, data.labels[1:], **arguments) for kind in (LeastSquares, Forgetful))
    start = np.full(6, 2.0)
    assert gradient_finding(by_hand, right, start).verdict == "absent"
    found = gradient_finding(by_hand, wrong, start)
    assert found.verdict == "present"
    assert any(f"along {name}:" in found.evidence for name in data.labels[1:])


def test_a_correct_gradient_where_the_loss_cancels(by_hand):
    """J(-2) = 2 - 2 = 0: the size of the loss says nothing about a good step."""
    assert gradient_finding(by_hand, ca.Quadratic([[1.0]], [1.0]), [-2.0]).verdict == "absent"


@pytest.mark.parametrize("name", ["hilbert", "longley", "toy", "singular", "saddle", "pascal"])
def test_correct_gradients_at_awkward_starts(by_hand, name):
    problem = getattr(ca.gallery, name)()
    for start in (
        problem.critical_point,
        np.zeros(problem.dimension),
        np.full(problem.dimension, 1e8),
    ):
        assert gradient_finding(by_hand, problem, start).verdict == "absent"


powers = st.integers(-60, 60).map(lambda p: 10.0**p)


@given(st.integers(0, 10**6), st.integers(1, 12), powers, powers, powers, st.booleans())
def test_a_correct_gradient_is_never_accused(seed, size, unit, length, slope, at_critical):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(size, size))
    problem = ca.Quadratic((A + A.T) * unit, rng.normal(size=size) * slope, rng.normal())
    start = problem.critical_point if at_critical else rng.normal(size=size) * length
    comparison = ca.compare(problem, [ca.GradientDescent(1e-300)], start, steps=0)
    ((_, found),) = [
        pair for pair in recap(comparison).rows if pair[0].name == "incorrect_gradient"
    ]
    assert found.verdict == "absent"


def test_an_infinite_loss_cannot_be_tested(by_hand):
    problem = ca.Quadratic(np.diag([1e200, 1e200]))
    found = gradient_finding(by_hand, problem, [1e54, 1.0])
    assert found.verdict == "not tested"


# -- ill-conditioning ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kappa", "verdict"),
    [(1.0, "absent"), (9.9, "absent"), (10.1, "possible"), (99.0, "possible"), (101.0, "present")],
)
def test_the_condition_number_decides(by_hand, kappa, verdict):
    found = by_hand.finding(ca.compare(np.diag([1.0, kappa])), "ill_conditioning")
    assert found.verdict == verdict
    assert by_hand.numbers(found.evidence)[0] == pytest.approx(kappa, rel=1e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_workarounds_are_counted_as_runs_count_them(by_hand, seed):
    A, b, start = by_hand.random_problem(seed, [0.1, 0.4, 5.0, 30.0])
    minimiser = np.linalg.solve(A, -b)
    m, L = np.linalg.eigvalsh(A)[[0, -1]]
    comparison = ca.compare(ca.Quadratic(A, b), [ca.GradientDescent], start)
    found = by_hand.finding(comparison, "ill_conditioning")
    paths = (
        by_hand.gradient_descent(A, b, start, 2 / (m + L)),
        by_hand.heavy_ball(A, b, start, *by_hand.polyak(m, L)),
        by_hand.nesterov(A, b, start, *by_hand.lessard(m, L)),
    )
    descent, ball, accelerated = (by_hand.count(path, A, minimiser) for path in paths)
    assert by_hand.numbers(found.evidence)[1] == descent == comparison.entries[0].simulated_steps
    assert by_hand.numbers(found.prediction) == [ball, accelerated, 1]
    newton = start - np.linalg.solve(A, A @ start + b)
    assert np.allclose(newton, minimiser, rtol=1e-10)


@pytest.mark.parametrize("name", ["longley", "hilbert", "ravine"])
def test_the_counts_are_those_of_the_comparison(by_hand, name):
    """A rule that was run and is recommended has one count, not two."""
    problem = getattr(ca.gallery, name)()
    comparison = ca.compare(problem)
    found = by_hand.finding(comparison, "ill_conditioning")
    for entry in comparison.entries[1:]:
        assert f"{entry.label} {format_count(entry.predicted_steps)} steps" in found.prediction
    alone = by_hand.finding(ca.compare(problem, [ca.GradientDescent]), "ill_conditioning")
    assert alone.prediction == found.prediction


def test_a_rule_is_not_recommended_against_itself(by_hand):
    found = by_hand.finding(ca.compare(TOY, [ca.HeavyBall]), "ill_conditioning")
    assert "HeavyBall" not in found.prediction
    assert "Nesterov" in found.prediction


def test_standardising_is_counted_for_data(by_hand):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 3)) * [1.0, 300.0, 0.01]
    X[:, 1] += 200 * X[:, 0]
    y = rng.normal(size=40)
    found = by_hand.finding(
        ca.compare(ca.least_squares(X, y), [ca.GradientDescent]), "ill_conditioning"
    )
    assert found.verdict == "present"
    kappa, kappa_x = by_hand.numbers(found.evidence)[:2]
    assert kappa_x == pytest.approx(np.linalg.cond(X), rel=1e-3)
    assert kappa == pytest.approx(np.linalg.cond(X) ** 2, rel=1e-3)
    Z = X / np.sqrt((X**2).mean(axis=0))
    A, b = Z.T @ Z / 40, -Z.T @ y / 40
    low, *_, high = np.linalg.eigvalsh(A)
    path = by_hand.gradient_descent(A, b, np.zeros(3), 2 / (low + high))
    wanted = by_hand.count(path, A, np.linalg.solve(A, -b))
    assert by_hand.numbers(found.prediction)[:2] == [
        pytest.approx(np.linalg.cond(Z) ** 2, rel=5e-3),
        wanted,
    ]


def test_an_unresolved_condition_number_is_at_least(by_hand):
    found = by_hand.finding(ca.compare(ca.gallery.hilbert(16)), "ill_conditioning")
    assert found.verdict == "present"
    assert found.evidence.startswith("κ = ≥ ")


@pytest.mark.parametrize(
    "problem",
    [
        ca.Quadratic(np.diag([-1.0, 1.0, 300.0])),
        ca.Quadratic(np.diag([0.0, 1.0, 300.0]), [1.0, 0.0, 0.0]),
    ],
    ids=["saddle", "drift"],
)
def test_without_a_minimum_no_workaround_is_counted(by_hand, problem):
    found = by_hand.finding(ca.compare(problem), "ill_conditioning")
    assert found.verdict == "present"
    assert found.prediction == ""


def test_no_curvature_no_conditioning(by_hand):
    found = by_hand.finding(ca.compare(np.zeros((2, 2))), "ill_conditioning")
    assert found.verdict == "absent"
    assert "A is zero" in found.evidence
