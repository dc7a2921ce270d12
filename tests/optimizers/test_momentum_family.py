"""Every convention of momentum against the others: what is equal, what is not, and by how much."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_lyapunov

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer, as_state
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
    NesterovRewritten,
    NesterovTwoPoint,
    TripleMomentum,
    TwoRateNesterov,
    recursive_weight,
)
from convex_analyzer.precise import DoubleDouble
from convex_analyzer.problems import gallery
from convex_analyzer.testing.case import PlainProblem
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.stability import characteristic_polynomial, stable_learning_rates
from convex_analyzer.theory.tuning import worst_rate

pytestmark = pytest.mark.survey

RAVINE = PlainProblem(gallery.ravine(100.0).hessian_vector(np.zeros(2), np.eye(2)), [0.7, -1.3])
UNIT = PlainProblem([[1.0]], [0.0])
START = np.array([[2.0, 1.0]])
STEPS = 200


def states(rule, problem, start, steps, memory=None, **schedules):
    """Return all states of a plain loop; schedules are functions of the step index."""
    theta = np.atleast_2d(np.asarray(start, dtype=float))
    state = (theta, *(rule.start(problem, theta) if memory is None else memory))
    found = [state]
    for t in range(1, steps + 1):
        here = rule.unchecked(**{name: rate(t) for name, rate in schedules.items()})
        state = as_state(here, here.step(problem, t, *state))
        found.append(state)
    return found


def path(rule, problem, start, steps, memory=None, **schedules):
    """Return the reported points, shape (steps + 1, runs, d)."""
    found = states(rule, problem, start, steps, memory, **schedules)
    return np.array([rule.report(*state) for state in found])


def constant(t):
    return 0.05


def staircase(t):
    return 0.08 * 0.1 ** ((t - 1) // 15)


def wild(t):
    return 0.05 + 0.04 * np.sin(7.0 * t)


SCHEDULES = [constant, staircase, wild]
each_schedule = pytest.mark.parametrize("rate", SCHEDULES, ids=lambda f: f.__name__)


def apart(a, b):
    """Return the largest distance, relative to the largest point."""
    return float(np.abs(a - b).max() / np.abs(a).max())


def same(a, b):
    return apart(a, b) < 1e-12


# -- the lectures' heavy ball: the learning rate inside ------------------------------------------


def lecture_000(rate, mu):
    x, v, found = START, 0 * START, [START]
    for t in range(1, STEPS + 1):
        v = mu * v + rate(t) * RAVINE.gradient(x)
        x = x - v
        found.append(x)
    return np.array(found)


def one_line(rate, mu):
    """Return lecture 002's second form: θ - αg + μ(θ - θ_before)."""
    before = x = START
    found = [START]
    for t in range(1, STEPS + 1):
        before, x = x, x - rate(t) * RAVINE.gradient(x) + mu * (x - before)
        found.append(x)
    return np.array(found)


@each_schedule
@pytest.mark.parametrize("form", [lecture_000, one_line])
def test_the_lectures_agree_under_any_schedule(form, rate):
    """000 == 001 == 003 == 004 == Keras, with v of either sign; and the one-line form."""
    heavy = path(HeavyBall(0.1, 0.9), RAVINE, START, STEPS, learning_rate=rate)
    assert same(heavy, form(rate, 0.9))


# -- torch and optax: the learning rate outside --------------------------------------------------


def test_inside_and_outside_agree_for_a_constant_rate():
    inside = path(HeavyBall(0.05, 0.9), RAVINE, START, STEPS)
    assert same(inside, path(OuterMomentum(0.05, 0.9), RAVINE, START, STEPS))


@pytest.mark.parametrize("rate", [staircase, wild], ids=lambda f: f.__name__)
def test_inside_and_outside_differ_under_a_schedule(rate):
    """The same with momentum μ α_k/α_(k-1) inside, and not with the same μ."""
    mu = 0.9
    outside = path(OuterMomentum(0.1, mu), RAVINE, START, STEPS, learning_rate=rate)
    inside = path(HeavyBall(0.1, mu), RAVINE, START, STEPS, learning_rate=rate)
    assert apart(outside, inside) > 1e-2

    def momentum(t):
        return mu * rate(t) / rate(t - 1) if t > 1 else mu

    matched = path(HeavyBall(0.1, mu), RAVINE, START, STEPS, learning_rate=rate, momentum=momentum)
    assert same(outside, matched)


def test_a_drop_in_the_middle_of_a_run():
    """THEORY 2.15: μ = .9, α .1 → .01 at k = 15, λ = 1, θ_0 = 1."""

    def drop(t):
        return 0.1 if t <= 15 else 0.01

    inside = path(HeavyBall(0.1, 0.9), UNIT, [1.0], 30, learning_rate=drop)
    outside = path(OuterMomentum(0.1, 0.9), UNIT, [1.0], 30, learning_rate=drop)
    assert inside[-1].item() == pytest.approx(0.730, abs=5e-4)
    assert outside[-1].item() == pytest.approx(0.089, abs=5e-4)


def test_after_a_drop_the_old_velocity_survives_inside():
    """At a steady gradient, μ = .9 and a drop to a tenth, the next step is 9.1 times longer."""
    slope = PlainProblem([[0.0]], [1.0])

    def drop(t):
        return 1.0 if t <= 500 else 0.1

    def length(rule):
        points = path(rule, slope, [0.0], 501, learning_rate=drop)
        return abs(points[-1] - points[-2]).item()

    assert length(HeavyBall(0.1)) / length(OuterMomentum(0.1)) == pytest.approx(9.1, rel=1e-9)


@pytest.mark.parametrize("rule", [HeavyBall(0.2), OuterMomentum(0.2), Nesterov(0.2)])
def test_terminal_velocity(rule):
    """From rest on a plane the velocity tends to -αg/(1 - μ)."""
    points = path(rule, PlainProblem([[0.0]], [1.5]), [0.0], 600)
    assert (points[-1] - points[-2]).item() == pytest.approx(-0.2 * 1.5 / 0.1, rel=1e-12)


# -- dampening -----------------------------------------------------------------------------------


def test_the_first_buffer_is_not_dampened():
    """THEORY 2.1: αλ = .3, μ = .9, dampening .5 from 1."""
    points = path(OuterMomentum(0.3, 0.9, 0.5), UNIT, [1.0], 2).ravel()
    assert points == pytest.approx([1.0, 0.7, 0.325], rel=1e-14)


def test_dampening_is_no_heavy_ball_from_rest():
    """The first step asks for α, all later ones for α(1 - τ)."""
    damped = path(OuterMomentum(0.05, 0.9, 0.5), RAVINE, START, STEPS)
    for rate in (0.05, 0.025):
        assert apart(damped, path(HeavyBall(rate, 0.9), RAVINE, START, STEPS)) > 1e-2


def test_dampening_is_a_heavy_ball_that_starts_moving():
    """Rate α(1 - τ) and initial velocity τ α g_1/μ (lecture 000's sign)."""
    rate, mu, tau = 0.05, 0.9, 0.5
    damped = path(OuterMomentum(rate, mu, tau), RAVINE, START, STEPS)
    first = -tau * rate * RAVINE.gradient(START) / mu
    moving = path(HeavyBall(rate * (1 - tau), mu), RAVINE, START, STEPS, (first,))
    assert same(damped, moving)


@each_schedule
def test_dampening_by_the_momentum_is_an_average_started_at_the_first_gradient(rate):
    damped = path(OuterMomentum(0.1, 0.8, 0.8), RAVINE, START, STEPS, learning_rate=rate)
    first = RAVINE.gradient(START)
    average = path(EMAMomentum(0.1, 0.8), RAVINE, START, STEPS, (first,), learning_rate=rate)
    assert same(damped, average)


def test_dampening_makes_the_first_step_special_and_only_then():
    assert OuterMomentum(0.1).period == 1
    assert OuterMomentum(0.1, dampening=0.5).period is None
    assert OuterMomentum(0.1, dampening=0.5).settles
    plain = linearise(OuterMomentum(0.5, 0.8), 1.0)
    lifted = linearise(OuterMomentum(0.5, 0.8).transformed(DoubleDouble), 1.0)
    for row, other in zip(plain.matrix, lifted.matrix, strict=True):
        assert [float(entry) for entry in other] == pytest.approx([float(e) for e in row])
    late = linearise(OuterMomentum(0.5, 0.8, 0.25), 1.0, t=10**12)
    assert [float(entry) for entry in late.matrix[1]] == pytest.approx([0.75, 0.8])


def test_flags_that_contradict_each_other():
    with pytest.raises(InputError, match=r"^OuterMomentum: nesterov excludes dampening; set"):
        OuterMomentum(0.1, dampening=0.5, nesterov=True)
    with pytest.raises(InputError, match=r"^OuterMomentum: nesterov needs a momentum above 0$"):
        OuterMomentum(0.1, momentum=0.0, nesterov=True)
    with pytest.raises(InputError, match=r"^OuterMomentum: nesterov needs a momentum above 0$"):
        OuterMomentum(0.1, momentum=np.array([[0.5], [0.0]]), nesterov=True)
    with pytest.raises(InputError, match=r"^OuterMomentum: dampening needs a momentum above 0"):
        OuterMomentum(0.1, momentum=0.0, dampening=0.5)
    assert OuterMomentum(0.1, momentum=0.0).momentum == 0.0


# -- averages, and two rates ---------------------------------------------------------------------


@each_schedule
def test_an_average_is_momentum_outside_with_a_smaller_rate(rate):
    average = path(EMAMomentum(0.1, 0.7), RAVINE, START, STEPS, learning_rate=rate)
    outside = path(
        OuterMomentum(0.1, 0.7), RAVINE, START, STEPS, learning_rate=lambda t: 0.3 * rate(t)
    )
    assert same(average, outside)


def test_an_average_is_a_heavy_ball_only_for_a_constant_rate():
    average = path(EMAMomentum(0.2, 0.7), RAVINE, START, STEPS)
    assert same(average, path(HeavyBall(0.3 * 0.2, 0.7), RAVINE, START, STEPS))
    average = path(EMAMomentum(0.2, 0.7), RAVINE, START, STEPS, learning_rate=staircase)
    heavy = path(
        HeavyBall(0.2, 0.7), RAVINE, START, STEPS, learning_rate=lambda t: 0.3 * staircase(t)
    )
    assert apart(average, heavy) > 1e-2


@each_schedule
def test_two_rates_are_inside_or_outside_according_to_which_is_scheduled(rate):
    def scaled(t):
        return 0.5 * rate(t)

    two = TwoRateMomentum(0.5, 0.5, 0.6)
    inner = path(two, RAVINE, START, STEPS, gradient_rate=rate)
    assert same(inner, path(HeavyBall(0.1, 0.6), RAVINE, START, STEPS, learning_rate=scaled))
    outer = path(two, RAVINE, START, STEPS, learning_rate=rate)
    assert same(outer, path(OuterMomentum(0.1, 0.6), RAVINE, START, STEPS, learning_rate=scaled))


@pytest.mark.parametrize(("eta", "equal"), [(1.0, True), (0.5, False)])
def test_the_two_forms_of_lecture_002_agree_only_without_an_inner_rate(eta, equal):
    two = path(TwoRateMomentum(0.05, eta, 0.9), RAVINE, START, STEPS)
    assert same(two, one_line(constant, 0.9)) is equal
    if not equal:
        assert apart(two, one_line(constant, 0.9)) > 0.1


# -- weight decay --------------------------------------------------------------------------------


class Decoupled(Optimizer):
    """Heavy ball with decay outside the velocity, as Keras has it: θ ← (1 - αw)θ + v."""

    learning_rate: float
    momentum: float
    weight_decay: float

    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        kept = 1 - self.learning_rate * self.weight_decay
        return kept * theta + velocity, velocity


def test_coupled_decay_raises_every_eigenvalue():
    shifted = PlainProblem(RAVINE.matrix + 0.3 * np.eye(2), RAVINE.linear)
    for flags in ({}, {"dampening": 0.4}, {"nesterov": True}):
        decayed = path(OuterMomentum(0.05, weight_decay=0.3, **flags), RAVINE, START, STEPS)
        assert same(decayed, path(OuterMomentum(0.05, **flags), shifted, START, STEPS))


def test_coupled_and_decoupled_decay_agree_only_without_momentum():
    coupled = path(OuterMomentum(0.05, 0.0, weight_decay=0.3), RAVINE, START, STEPS)
    assert same(coupled, path(Decoupled(0.05, 0.0, 0.3), RAVINE, START, STEPS))
    coupled = path(OuterMomentum(0.05, 0.9, weight_decay=0.3), RAVINE, START, STEPS)
    assert apart(coupled, path(Decoupled(0.05, 0.9, 0.3), RAVINE, START, STEPS)) > 0.1


# -- Nesterov ------------------------------------------------------------------------------------


def test_torch_reports_the_look_ahead_point():
    """Its iterate is x + μv, and x = its iterate + α μ b: for a constant rate."""
    rate, mu = 0.05, 0.9
    book = states(Nesterov(rate, mu), RAVINE, START, STEPS)
    torch = states(OuterMomentum(rate, mu, nesterov=True), RAVINE, START, STEPS)
    ahead = np.array([x + mu * v for x, v in book])
    assert same(ahead, np.array([x for x, _ in torch]))
    back = np.array([x + rate * mu * b for x, b in torch])
    assert same(back, np.array([x for x, _ in book]))
    assert apart(back, ahead) > 1e-2


@each_schedule
def test_keras_reports_the_look_ahead_point_under_any_schedule(rate):
    book = states(Nesterov(0.1, 0.9), RAVINE, START, STEPS, learning_rate=rate)
    ahead = np.array([x + 0.9 * v for x, v in book])
    keras = path(NesterovRewritten(0.1, 0.9), RAVINE, START, STEPS, learning_rate=rate)
    assert same(ahead, keras)


def test_keras_and_torch_agree_only_for_a_constant_rate():
    keras, torch = NesterovRewritten(0.05, 0.9), OuterMomentum(0.05, 0.9, nesterov=True)
    assert same(path(keras, RAVINE, START, STEPS), path(torch, RAVINE, START, STEPS))
    a, b = (path(r, RAVINE, START, STEPS, learning_rate=staircase) for r in (keras, torch))
    assert apart(a, b) > 1e-2


@each_schedule
def test_two_points_with_constant_momentum_are_the_look_ahead_form(rate):
    book = path(Nesterov(0.1, 0.8), RAVINE, START, STEPS, learning_rate=rate)
    two = NesterovTwoPoint(0.1, "constant", 0.8)
    assert same(book, path(two, RAVINE, START, STEPS, learning_rate=rate))
    before = x = START
    for t in range(1, STEPS + 1):
        y = x + 0.8 * (x - before)
        before, x = x, y - rate(t) * RAVINE.gradient(y)
    assert x == pytest.approx(book[-1], rel=1e-11)


@each_schedule
def test_lecture_002s_nesterov_put_right(rate):
    """With look-ahead γμp it is Nesterov's with γη: inside, when η is scheduled."""
    two = path(TwoRateNesterov(0.5, 0.1, 0.9), RAVINE, START, STEPS, gradient_rate=rate)
    book = path(Nesterov(0.1, 0.9), RAVINE, START, STEPS, learning_rate=lambda t: 0.5 * rate(t))
    assert same(two, book)


def test_lecture_002s_nesterov_as_printed_is_right_only_for_a_unit_rate():
    printed = path(TwoRateNesterov(1.0, 0.05, 0.9, as_printed=True), RAVINE, START, STEPS)
    assert same(printed, path(Nesterov(0.05, 0.9), RAVINE, START, STEPS))
    printed = path(TwoRateNesterov(0.5, 0.1, 0.9, as_printed=True), RAVINE, START, STEPS)
    assert apart(printed, path(Nesterov(0.05, 0.9), RAVINE, START, STEPS)) > 1e-2


@each(("gamma", "radius"), [(1e-9, 1.8), (0.1, 2.0), (1.0, 4.23), (0.01, None), (0.5, None)])
def test_lecture_002s_nesterov_as_printed_diverges_for_every_rate(gamma, radius):
    """η = 1, β = .9, λ = 3: the determinant is -1.8 whatever γ is."""
    found = linearise(TwoRateNesterov(gamma, 1.0, 0.9, as_printed=True), 3.0).matrix
    matrix = np.array(found, dtype=float)
    assert np.linalg.det(matrix) == pytest.approx(-1.8, rel=1e-9)
    largest = np.abs(np.linalg.eigvals(matrix)).max()
    assert largest > 1.79
    if radius is not None:
        assert largest == pytest.approx(radius, abs=5e-3)


# -- growing momentum ----------------------------------------------------------------------------


def test_the_recursive_sequence():
    """Against the recursion in one loop, and far out against its expansion k/2 + ln(k)/4 + c."""
    tau = 1.0
    for t in range(1, 2000):
        assert recursive_weight(t) == pytest.approx(tau, rel=1e-13)
        tau = (1 + np.sqrt(1 + 4 * tau**2)) / 2
    far = [recursive_weight(t) - t / 2 - np.log(t) / 4 for t in (10**5, 10**6)]
    assert far[0] == pytest.approx(far[1], abs=1e-4)
    edge = [recursive_weight(2**17 + i) for i in range(-2, 4)]  # where the table ends
    assert np.diff(edge) == pytest.approx(0.5 + 1 / (8 * edge[0]), abs=1e-9)


@pytest.mark.parametrize("settings", [{}, {"sequence": "ratio"}])
def test_the_accelerated_rate_on_convex_functions(settings):
    """J - J* ≤ 2LR²/(k + 1)²: Beck & Teboulle (2009), Su, Boyd & Candès (2016); α = 1/L."""
    eigenvalues = np.geomspace(1e-6, 1.0, 400)
    problem = PlainProblem(np.diag(eigenvalues), np.zeros(400))
    errors = path(NesterovTwoPoint(1.0, **settings), problem, np.ones(400), 300)[:, 0]
    worst = (eigenvalues * errors**2 / 2).max(axis=1)
    k = np.arange(1, 301)
    assert np.all(worst[1:] <= 2 / (k + 1) ** 2)
    assert worst[-1] > 0.01 * 2 / 301**2  # and the exponent is not a better one


def test_the_published_solution_for_friction_two():
    """THEORY 2.13 (Flammarion & Bach 2015), moved by the gradient step with which it begins.

    θ_k = (1-s)^(k/2) sin((k+1)ω)/((k+1)√s), ω = arcsin √s.
    """
    for s in (0.001, 0.3, 0.95):
        rule = NesterovTwoPoint(s, "ratio", friction=2.0)
        k = np.arange(121)
        omega = np.arcsin(np.sqrt(s))
        expected = (1 - s) ** (k / 2) * np.sin((k + 1) * omega) / ((k + 1) * np.sqrt(s))
        assert path(rule, UNIT, [1.0], 120).ravel() == pytest.approx(expected, abs=1e-13)


def test_what_growing_momentum_settles_at():
    """Momentum 1, which converges for αλ < 4/3."""
    for settings in ({}, {"sequence": "ratio"}, {"sequence": "ratio", "friction": 7.0}):
        rule = NesterovTwoPoint(0.3, **settings)
        assert rule.period is None
        late = np.array(linearise(rule, 1.0, t=10**12).matrix, dtype=float)
        one = np.array(linearise(Nesterov(0.3, 1.0), 1.0).matrix, dtype=float)
        assert late == pytest.approx(one, abs=1e-10)
        assert rule.published_limit() == 4 / 3
    assert NesterovTwoPoint(0.3, "constant", 0.9).period == 1


def test_unit_momentum_converges_below_four_thirds():
    for share, stable in ((0.01, True), (1.33, True), (1.34, False)):
        end = path(Nesterov(share, 1.0), UNIT, [1.0], 5000)[-1].item()
        assert (abs(end) < 1e-6) is stable
    for share, bounded in ((3.99, True), (4.01, False)):  # heavy ball: bounded, never settling
        points = np.abs(path(HeavyBall(share, 1.0), UNIT, [1.0], 5000))
        assert bool(points.max() < 1e3) is bounded
        assert points[-100:].max() > 0.1


# -- quasi-hyperbolic and triple momentum --------------------------------------------------------


@each_schedule
def test_quasi_hyperbolic_momentum_contains_the_others(rate):
    def run(rule, **schedules):
        return path(rule, RAVINE, START, STEPS, **schedules)

    plain = run(GradientDescent(0.1), learning_rate=rate)
    assert same(plain, run(QHM(0.1, 0.7, 0.0), learning_rate=rate))
    average = run(EMAMomentum(0.1, 0.7), learning_rate=rate)
    assert same(average, run(QHM(0.1, 0.7, 1.0), learning_rate=rate))
    ahead = run(OuterMomentum(0.1, 0.7, nesterov=True), learning_rate=lambda t: 0.3 * rate(t))
    assert same(ahead, run(QHM(0.1, 0.7, 0.7), learning_rate=rate))


@each_schedule
def test_triple_momentum_contains_the_others(rate):
    def run(rule):
        return path(rule, RAVINE, START, STEPS, learning_rate=rate)

    assert same(run(HeavyBall(0.1, 0.8)), run(TripleMomentum(0.1, 0.8, 0.0, 0.0)))
    assert same(run(Nesterov(0.1, 0.8)), run(TripleMomentum(0.1, 0.8, 0.8, 0.0)))
    assert same(run(NesterovRewritten(0.1, 0.8)), run(TripleMomentum(0.1, 0.8, 0.8, 0.8)))


@given(st.floats(1.0, 1e6))
def test_triple_momentum_contracts_by_its_published_rate(kappa):
    """ρ = 1 - 1/√κ, at the lower end of the spectrum exactly and nowhere more."""
    best = TripleMomentum.published_optimum(1.0, kappa, {})
    rule = TripleMomentum(**{name: float(value) for name, value in best.items()})
    rate = 1 - 1 / np.sqrt(kappa)
    assert worst_rate(rule, np.geomspace(1.0, kappa, 50)) == pytest.approx(rate, abs=1e-7)
    rho = sympy.Symbol("rho")
    assert float(best["momentum"]) == pytest.approx(float((rho**2 / (2 - rho)).subs(rho, rate)))
    lookahead = (rho**2 / ((1 + rho) * (2 - rho))).subs(rho, rate)
    assert float(best["lookahead"]) == pytest.approx(float(lookahead))
    assert float(best["extrapolation"] * (1 - rate**2)) == pytest.approx(rate**2, rel=1e-9)
    assert TripleMomentum.published_optimum(1.0, kappa, {"momentum": 0.5}) is None


class Kinked:
    """The function on which Polyak's pair cycles: Lessard, Recht & Packard (2016), eq. 4.11.

    Curvature 25, 1, 25 on x < 1, 1 ≤ x < 2, 2 ≤ x.
    """

    def gradient(self, theta):
        middle, right = theta + 24.0, 25.0 * theta - 24.0
        return np.where(theta < 1.0, 25.0 * theta, np.where(theta < 2.0, middle, right))


def test_triple_momentum_where_the_heavy_ball_cycles():
    """Its rate 1 - 1/√25 = .8 holds for all such functions; Polyak's holds for quadratics."""
    starts = np.linspace(3.07, 3.46, 20)[:, None]
    heavy = HeavyBall(**HeavyBall.published_optimum(1.0, 25.0, {}))
    assert np.abs(path(heavy, Kinked(), starts, 1000)[-1]).min() > 0.1
    best = TripleMomentum.published_optimum(1.0, 25.0, {})
    points = np.abs(path(TripleMomentum(**best), Kinked(), starts, 100))[:, :, 0]
    assert np.all(points <= 10.0 * starts[:, 0] * (0.8 ** np.arange(101))[:, None])


# -- characteristic polynomials and limits -------------------------------------------------------

a, m, lam, w = sympy.symbols("alpha mu lambda w", positive=True)
nu, tau, eta, gam, delta = sympy.symbols("nu tau eta gamma delta", positive=True)
s = a * lam

POLYNOMIALS = {  # THEORY 2.2 and OPTIMIZERS 1.2, 1.3: rule, trace, determinant
    "heavy ball": (HeavyBall(a, m), 1 + m - s, m),
    "Nesterov": (Nesterov(a, m), (1 + m) * (1 - s), m * (1 - s)),
    "rewritten": (NesterovRewritten(a, m), (1 + m) * (1 - s), m * (1 - s)),
    "torch nesterov": (OuterMomentum(a, m, nesterov=True), (1 + m) * (1 - s), m * (1 - s)),
    "two points": (NesterovTwoPoint(a, "constant", m), (1 + m) * (1 - s), m * (1 - s)),
    "average": (EMAMomentum(a, m), 1 + m - s * (1 - m), m),
    "torch": (OuterMomentum(a, m), 1 + m - s, m),
    "torch decay": (OuterMomentum(a, m, weight_decay=w), 1 + m - s - a * w, m),
    "torch dampening": (OuterMomentum(a, m, tau), 1 + m - s * (1 - tau), m),
    "two rates": (TwoRateMomentum(gam, eta, m), 1 + m - gam * eta * lam, m),
    "two-rate Nesterov": (
        TwoRateNesterov(gam, eta, m),
        (1 + m) * (1 - gam * eta * lam),
        m * (1 - gam * eta * lam),
    ),
    "as printed": (
        TwoRateNesterov(gam, eta, m, as_printed=True),
        1 - gam * eta * lam + m * (1 - eta * lam),
        m * (1 - eta * lam),
    ),
    "quasi-hyperbolic": (QHM(a, m, nu), 1 + m - s * (1 - nu * m), m * (1 - s * (1 - nu))),
    "triple": (TripleMomentum(a, m, gam, delta), 1 + m - s * (1 + gam), m - s * gam),
    "decoupled decay": (Decoupled(a, m, w), 1 - a * w + m - s, m * (1 - a * w)),
}


@each("name", POLYNOMIALS)
def test_characteristic_polynomials(name):
    rule, trace, determinant = POLYNOMIALS[name]
    matrix = linearise(rule, lam, t=2).matrix
    one, minus_trace, found = characteristic_polynomial(matrix)
    assert one == 1
    assert sympy.expand(minus_trace + trace) == 0
    assert sympy.expand(sympy.nsimplify(found) - determinant) == 0


LIMITS = [
    (HeavyBall(0.1, 0.9), 3.8),
    (Nesterov(0.1, 0.9), 1.357),
    (OuterMomentum(0.1, 0.9), 3.8),
    (OuterMomentum(0.1, 0.9, nesterov=True), 1.357),
    (NesterovRewritten(0.1, 0.9), 1.357),
    (NesterovTwoPoint(0.1, "constant", 0.9), 1.357),
    (TwoRateMomentum(0.1, 0.5, 0.9), 7.6),
    (TwoRateNesterov(0.1, 0.5, 0.9), 2.714),
    (EMAMomentum(0.1, 0.9), 38.0),
    (QHM(0.1, 0.9, 0.0), 2.0),
    (QHM(0.1, 0.9, 1.0), 38.0),
    (TripleMomentum(0.1, 0.9, 0.0, 0.5), 3.8),
    (TripleMomentum(0.1, 0.9, 0.9, 0.5), 1.357),
]


@each(("rule", "limit"), LIMITS, ids=repr)
def test_stability_limits_in_numbers(rule, limit):
    assert rule.published_limit() == pytest.approx(limit, abs=5e-4)
    ((low, high),) = stable_learning_rates(rule, np.array([1.0]))
    assert low == 0.0
    assert high == pytest.approx(rule.published_limit(), rel=1e-12)


@given(st.floats(0.0, 0.999), st.floats(0.0, 1.0))
def test_limit_of_quasi_hyperbolic_momentum(momentum, share):
    rule = QHM(0.1, momentum, share)
    ((_, high),) = stable_learning_rates(rule, np.array([1.0]))
    assert high == pytest.approx(rule.published_limit(), rel=1e-11)


@given(st.floats(-0.99, 0.99), st.floats(0.0, 5.0))
def test_limit_of_triple_momentum(momentum, lookahead):
    rule = TripleMomentum(0.1, momentum, lookahead, 0.3)
    ((_, high),) = stable_learning_rates(rule, np.array([1.0]))
    assert high == pytest.approx(rule.published_limit(), rel=1e-11)


def test_dampening_divides_the_limit():
    rule = OuterMomentum(0.1, 0.9, 0.75)
    assert rule.published_limit() == pytest.approx(3.8 / 0.25)
    for share, stable in ((15.1, True), (15.3, False)):
        end = path(rule.replace(learning_rate=share), UNIT, [1.0], 4000)[-1].item()
        assert (abs(end) < 1e-3) is stable


def test_where_no_limit_is_published():
    assert OuterMomentum(0.1, weight_decay=0.1).published_limit() is None
    assert OuterMomentum(0.1, dampening=1.0).published_limit() is None
    assert TwoRateNesterov(0.1, as_printed=True).published_limit() is None
    assert TripleMomentum(0.1, 0.5, -0.1, 0.0).published_limit() is None
    assert TripleMomentum(0.1, 1.0, 0.1, 0.0).published_limit() is None


def test_when_a_direction_swings():
    """Heavy ball: complex roots of modulus √μ iff (1 - √μ)² < αλ < (1 + √μ)²."""
    mu = 0.64
    for share, swings in ((0.0399, False), (0.0401, True), (3.2399, True), (3.2401, False)):
        matrix = np.array(linearise(HeavyBall(share, mu), 1.0).matrix, dtype=float)
        roots = np.linalg.eigvals(matrix)
        assert bool(abs(roots[0].imag) > 1e-9) is swings
        if swings:
            assert np.abs(roots) == pytest.approx([0.8, 0.8])


# -- stationary noise ----------------------------------------------------------------------------


def variance(rule, eigenvalue, sigma=1.0):
    """Solve P = M P Mᵀ + σ² N Nᵀ for the reported point."""
    one = linearise(rule, eigenvalue)
    matrix = np.array(one.matrix, dtype=float)
    channel = sigma * np.array(one.noise, dtype=float).T
    seen = np.array(one.report, dtype=float)
    return seen @ solve_discrete_lyapunov(matrix, channel @ channel.T) @ seen


@pytest.mark.parametrize(("alpha", "mu", "lam_"), [(0.1, 0.9, 1.0), (0.4, 0.5, 2.0)])
def test_stationary_variance(alpha, mu, lam_):
    """OPTIMIZERS 1.1 and 1.2, THEORY 5.2."""
    share = alpha * lam_
    plain = alpha / (lam_ * (2 - share))
    assert variance(GradientDescent(alpha), lam_) == pytest.approx(plain)
    heavy = alpha * (1 + mu) / ((1 - mu) * lam_ * (2 * (1 + mu) - share))
    assert variance(HeavyBall(alpha, mu), lam_) == pytest.approx(heavy)
    assert variance(OuterMomentum(alpha, mu), lam_) == pytest.approx(heavy)
    d = mu * (1 - share)
    ahead = alpha * (1 + d) / (lam_ * (1 - d) * (2 + 2 * mu - (1 + 2 * mu) * share))
    assert variance(Nesterov(alpha, mu), lam_) == pytest.approx(ahead)
    if alpha == 0.1:
        assert (heavy, ahead) == (pytest.approx(0.5135, abs=5e-5), pytest.approx(0.2706, abs=5e-5))


# -- published optima ----------------------------------------------------------------------------


def rate_of(rule, kappa):
    return float(worst_rate(rule, np.geomspace(1.0, kappa, 200)))


@each("kappa", [1.5, 100.0, 1e6])
@each("cls", [EMAMomentum, OuterMomentum, TwoRateMomentum, QHM])
def test_polyaks_rate_in_every_convention(cls, kappa):
    best = cls.published_optimum(1.0, kappa, {})
    rule = cls(**{name: float(value) for name, value in best.items()})
    root = np.sqrt(kappa)
    assert rate_of(rule, kappa) == pytest.approx((root - 1) / (root + 1), abs=1e-6)


@pytest.mark.parametrize("kappa", [1.5, 100.0, 1e6])
@pytest.mark.parametrize(
    ("cls", "given_values"),
    [
        (NesterovRewritten, {}),
        (TwoRateNesterov, {}),
        (OuterMomentum, {"nesterov": True}),
        (NesterovTwoPoint, {"sequence": "constant"}),
    ],
)
def test_nesterovs_rate_in_every_convention(cls, given_values, kappa):
    best = cls.published_optimum(1.0, kappa, given_values)
    rule = cls(**{name: float(value) for name, value in best.items()}, **given_values)
    assert rate_of(rule, kappa) == pytest.approx(1 - 2 / np.sqrt(3 * kappa + 1), abs=1e-6)


def test_optima_of_two_rates_given_one_of_them():
    alone = HeavyBall.published_optimum(1.0, 9.0, {})
    best = TwoRateMomentum.published_optimum(1.0, 9.0, {"learning_rate": 0.5})
    assert best["gradient_rate"] * 0.5 == pytest.approx(alone["learning_rate"])
    best = TwoRateMomentum.published_optimum(1.0, 9.0, {"gradient_rate": 0.5})
    assert best["learning_rate"] * 0.5 == pytest.approx(alone["learning_rate"])
    both = {"learning_rate": 0.5, "gradient_rate": 0.2}
    best = TwoRateMomentum.published_optimum(1.0, 9.0, both)
    assert best == HeavyBall.published_optimum(1.0, 9.0, {"learning_rate": 0.1})
    assert TwoRateMomentum.published_optimum(1.0, 9.0, {**both, "momentum": 0.1}) == {}
    assert TwoRateNesterov.published_optimum(1.0, 9.0, {"momentum": 0.1}) is None
    assert TwoRateNesterov.published_optimum(1.0, 9.0, {"as_printed": True}) is None


@pytest.mark.parametrize("given_values", [{"dampening": 0.6}, {"weight_decay": 3.0}])
def test_optima_under_dampening_and_decay(given_values):
    """Dampening is a larger rate; decay raises the spectrum, here to [4, 12]."""
    best = OuterMomentum.published_optimum(1.0, 9.0, given_values)
    shift = given_values.get("weight_decay", 0.0)
    alone = HeavyBall.published_optimum(1.0 + shift, 9.0 + shift, {})
    scale = 1 - given_values.get("dampening", 0.0)
    assert best["learning_rate"] * scale == pytest.approx(alone["learning_rate"])
    assert best["momentum"] == alone["momentum"]
    fixed = {**given_values, "learning_rate": 0.1 / scale}
    again = OuterMomentum.published_optimum(1.0, 9.0, fixed)
    expected = HeavyBall.published_optimum(1.0 + shift, 9.0 + shift, {"learning_rate": 0.1})
    assert again["momentum"] == pytest.approx(expected["momentum"])
    assert OuterMomentum.published_optimum(1.0, 9.0, {"dampening": 1.0}) is None


def test_where_no_optimum_is_published():
    assert EMAMomentum.published_optimum(1.0, 9.0, {"learning_rate": 0.1}) is None
    assert EMAMomentum.published_optimum(1.0, 9.0, {"momentum": 0.5}) == {
        "learning_rate": pytest.approx(2 * 1.5 / (0.5 * 10.0))
    }
    assert QHM.published_optimum(1.0, 9.0, {"nu": 0.7}) is None


def test_growing_momentum_is_published_with_one_over_the_largest_eigenvalue():
    for sequence in ({}, {"sequence": "ratio"}):
        best = NesterovTwoPoint.published_optimum(1.0, 8.0, sequence)
        assert best == {"learning_rate": 0.125}
    assert NesterovTwoPoint.published_optimum(1.0, 8.0, {"learning_rate": 0.1}) == {}
