"""Noise on quadratics: against impulse responses, published formulas, seeds, and other's runs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.optimizers import registered
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.stochastic import (
    after_drop,
    averaging_limit,
    batch_curve,
    expected_noisy_gap,
    lag_one_correlation,
    linear_scaling,
    noise_floor,
    noise_scale,
    noisy_steps_to,
    one_step,
    optimal_decay,
    signal_to_noise,
    stationary_covariance,
)

ALL = registered()
UNIT = AdditiveNoise(1.0)


def on(values, rule, linear=None):
    return analyze(Spectrum.from_eigenvalues(values, linear), rule)


# -- any rule, against its own impulse responses --------------------------------------------------

RULES = [
    ca.GradientDescent(0.3),
    ca.HeavyBall(0.2, 0.8),
    ca.Nesterov(0.2, 0.8),
    ALL["QHM"](0.3),
    ALL["EMAMomentum"](0.5),
    ALL["NesterovTwoPoint"](0.1),
    ALL["DampedNewton"](0.5),
    ALL["TripleMomentum"](0.05, 0.6, 0.5, 0.1),
    ALL["WeightDecay"](ca.HeavyBall(0.2, 0.5), 0.05),
    ALL["Lookahead"](ca.HeavyBall(0.2), 3),
    ALL["EMA"](ca.GradientDescent(0.3), 0.9, "start"),
    ALL["EMA"](ca.GradientDescent(0.3), 0.9, "corrected"),
    ALL["Averaged"](ca.HeavyBall(0.2, 0.5)),
    ALL["ChebyshevSteps"](0.3, 2.0, 4),
    ca.HeavyBall(schedules.Step(0.4, 0.5, 7), 0.5),
]


class Kicked:
    """One eigendirection, with an error in the gradient of the step that is being done."""

    def __init__(self, value, linear=0.0):
        self.value, self.linear, self.error = value, linear, 0.0

    def gradient(self, theta):
        return self.value * theta + self.linear + self.error

    def hessian_vector(self, theta, vector):
        return self.value * vector

    def inverse_hessian_vector(self, theta, vector, damping=0.0):
        return vector / (self.value + damping)


def path(rule, problem, start, steps, kicked=None):
    """The reported points of a run that is written out by hand; an error of 1 in step `kicked`."""
    theta = np.array([start])
    memory = rule.at(1).start(problem, theta)
    points = [float(rule.at(1).report(theta, *memory)[0])]
    for t in range(1, steps + 1):
        problem.error = 1.0 if t == kicked else 0.0
        now = rule.at(t)
        after = now.step(problem, t, theta, *memory)
        theta, *memory = after if isinstance(after, tuple) else (after,)
        points.append(float(now.report(theta, *memory)[0]))
    problem.error = 0.0
    return np.array(points)


@pytest.mark.survey
@each("rule", RULES, ids=str)
def test_the_curve_is_the_sum_of_squared_impulse_responses(rule):
    values, linear = np.array([0.3, 1.0, 2.0]), np.array([1.0, 0.0, -0.5])
    start, sigma2 = np.array([2.0, -1.0, 0.5]), np.array([0.5, 0.2, 1.0])
    steps, expected = 24, np.zeros(25)
    for value, b, x, v in zip(values, linear, start, sigma2, strict=True):
        problem = Kicked(value, b)
        expected += value / 2 * (path(rule, problem, x, steps) + b / value) ** 2
        problem.linear = 0.0
        responses = [path(rule, problem, 0.0, steps, j) for j in range(1, steps + 1)]
        expected += value / 2 * v * np.square(responses).sum(axis=0)
    analysis = on(values, rule, linear)
    found = expected_noisy_gap(analysis, start, np.arange(steps + 1), AdditiveNoise(sigma2))
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    if analysis.scope in {"global", "periodic"}:  # the floor is the mean over a late period
        cycle = rule.cycle
        k = (10**6 if cycle == 1 else 2000) * cycle + np.arange(cycle)
        late = expected_noisy_gap(analysis, start, k, AdditiveNoise(sigma2))
        floor = noise_floor(analysis, AdditiveNoise(sigma2))
        assert floor.value == pytest.approx(late.mean(), rel=1e-11)
        assert 0 <= floor.bias <= floor.value


def test_published_variances():
    """THEORY 5.1, 5.2: α σ²/(λ(2-s)), and the formulas for momentum; lag one t/(1+d)."""
    a, mu = 0.1, 0.9
    for value in (1.0, 3.7):
        s = a * value
        d = mu * (1 - s)
        published = {
            ca.GradientDescent(a): (a / (value * (2 - s)), 1 - s),
            ca.HeavyBall(a, mu): (
                a * (1 + mu) / (value * (1 - mu) * (2 * (1 + mu) - s)),
                (1 + mu - s) / (1 + mu),
            ),
            ca.Nesterov(a, mu): (
                a * (1 + d) / (value * (1 - d) * (2 + 2 * mu - (1 + 2 * mu) * s)),
                (1 + mu) * (1 - s) / (1 + d),
            ),
        }
        for rule, (variance, lag) in published.items():
            analysis = on([value], rule)
            floor = noise_floor(analysis, UNIT)
            assert floor.variance[0] == pytest.approx(variance, rel=1e-13)
            assert floor.value == pytest.approx(value * variance / 2, rel=1e-13)
            assert lag_one_correlation(analysis, UNIT)[0] == pytest.approx(lag, rel=1e-12)
    one = [noise_floor(on([1.0], rule), UNIT).variance[0] for rule in published]
    np.testing.assert_allclose(one[1:], [0.5135, 0.2706], atol=5e-5)
    assert noise_floor(on([1.0], ca.GradientDescent(1.0)), UNIT).variance[0] == 1.0
    assert noise_floor(on([1.0], ca.GradientDescent(0.5)), UNIT).variance[0] == pytest.approx(1 / 3)


def test_slow_directions_keep_their_digits():
    """αλ = 1e-13: against the formula for heavy ball with 40 digits, and k = 1e9."""
    mpmath.mp.dps = 40
    floor = noise_floor(on([1e-13], ca.HeavyBall(1.0, 0.9)), UNIT)
    mu, lam = mpmath.mpf(0.9), mpmath.mpf(1e-13)
    exact = (1 + mu) / (lam * (1 - mu) * (2 * (1 + mu) - lam))
    assert floor.variance[0] == pytest.approx(float(exact), rel=1e-13)
    assert floor.ratio == pytest.approx(1, rel=1e-12)
    for k in (3, 10**9, 10**15):
        f2k = (1 - mpmath.mpf(1e-13)) ** (2 * k)
        curve = (1 - f2k) / (2 - mpmath.mpf(1e-13)) / 2
        gap = expected_noisy_gap(on([1e-13], ca.GradientDescent(1.0)), [0.0], k, UNIT)
        assert gap == pytest.approx(float(curve), rel=1e-11)


def test_covariances_that_do_not_commute():
    """5.1: V_ij = αΣ_ij/(λ_i + λ_j - αλ_iλ_j); for momentum by 2d x 2d Lyapunov, in SciPy."""
    from scipy.linalg import solve_discrete_lyapunov

    rng = np.random.default_rng(5)
    q, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    values = np.array([0.1, 0.5, 1.0, 2.0])
    root = rng.standard_normal((4, 4))
    sigma, A = root @ root.T, q @ np.diag(values) @ q.T
    A = (A + A.T) / 2
    problem = ca.Quadratic(A)
    descent = stationary_covariance(analyze(problem, ca.GradientDescent(0.3)), AdditiveNoise(sigma))
    turned = q.T @ sigma @ q
    pairs = values[:, None] + values - 0.3 * np.outer(values, values)
    np.testing.assert_allclose(descent, q @ (0.3 * turned / pairs) @ q.T, atol=1e-12)
    a, mu, eye = 0.2, 0.7, np.eye(4)
    M = np.block([[eye - a * A, mu * eye], [-a * A, mu * eye]])
    N = np.vstack([-a * eye, -a * eye])
    whole = solve_discrete_lyapunov(M, N @ sigma @ N.T)[:4, :4]
    analysis = analyze(problem, ca.HeavyBall(a, mu))
    np.testing.assert_allclose(stationary_covariance(analysis, AdditiveNoise(sigma)), whole, 1e-10)
    floor = noise_floor(analysis, AdditiveNoise(sigma)).value
    assert floor == pytest.approx(np.sum(A * whole) / 2, rel=1e-11)


def test_many_runs():
    """Seeds: the mean loss of 4000 runs, within four standard errors."""
    A = np.array([[1.0, 0.3], [0.3, 0.5]])
    problem, start = ca.Quadratic(A, b=[1.0, -1.0]), np.array([2.0, 1.0])
    noise = AdditiveNoise([[0.5, 0.2], [0.2, 0.3]])
    rule = ca.Nesterov(0.3, 0.6)
    run = ca.simulate(
        problem, rule, np.tile(start, (4000, 1)), 60, noise=noise, seed=11, record="path"
    )
    losses = run.loss - problem.minimum
    error = losses.std(axis=1) / math.sqrt(4000)
    found = expected_noisy_gap(analyze(problem, rule), start, np.arange(61), noise)
    assert np.all(np.abs(found - losses.mean(axis=1)) <= 4 * error + 1e-12)
    assert abs(noise_floor(analyze(problem, rule), noise).value - losses[-1].mean()) < 4 * error[-1]


def test_draws_of_the_rule_itself():
    """Langevin: stationary variance T/(λ(1 - αλ/2)), with no other noise; more adds up."""
    langevin = on([0.5, 2.0], ALL["Langevin"](0.5, 0.3))
    values = np.array([0.5, 2.0])
    own = noise_floor(langevin).variance
    assert noise_floor(langevin).first_order is None
    assert noise_floor(on([0.5], ALL["Newton"]()), UNIT).ratio is None
    np.testing.assert_allclose(own, 0.3 / (values * (1 - 0.25 * values)), rtol=1e-13)
    both = noise_floor(langevin, AdditiveNoise(0.1)).variance
    np.testing.assert_allclose(both, own + 0.1 * 0.5 / (values * (2 - 0.5 * values)), rtol=1e-13)


# -- where there is no floor ----------------------------------------------------------------------


def test_no_floor_says_why():
    cases = [
        (on([1.0, 4.0], ca.GradientDescent(0.6)), "along λ = 4 errors grow ×1.4 per step"),
        (on([1.0, 4.0], ca.GradientDescent(0.5)), "nothing is forgotten"),
        (on([1.0], ca.HeavyBall(0.1, 1.0)), "nothing is forgotten"),
        (on([-1.0, 1.0], ca.GradientDescent(0.5)), "along λ = -1|along λ = −1"),
        (on([0.0, 1.0], ca.GradientDescent(0.5), [1.0, 0.0]), "falls without end"),
    ]
    for analysis, words in cases:
        floor = noise_floor(analysis, UNIT)
        assert floor.value == math.inf
        assert any(part in floor.words for part in words.split("|")), floor.words
    grown = expected_noisy_gap(on([1.0], ca.GradientDescent(3.0)), [0.0], [1, 2, 5], UNIT)
    np.testing.assert_allclose(grown, [4.5, 22.5, 4.5 * (4**5 - 1) / 3])


def test_flat_directions_wander():
    """λ = 0: a random walk of variance kα²σ², (α/(1-μ))² with momentum; no loss."""
    for rule, per_step in ((ca.GradientDescent(0.5), 0.25), (ca.HeavyBall(0.1, 0.75), 0.16)):
        floor = noise_floor(on([0.0, 1.0], rule), UNIT)
        assert floor.wandering == pytest.approx(per_step, rel=1e-6)
        assert math.isfinite(floor.value)
        assert "wander" in floor.words
    assert noise_floor(on([0.0, 1.0], ca.HeavyBall(0.1, 1.0)), UNIT).wandering == math.inf
    data = ca.least_squares([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], [1.0, 0.0, 2.0])
    calm = noise_floor(analyze(data, ca.HeavyBall(0.02, 0.5)), MiniBatch(1, replacement=True), data)
    assert calm.wandering == 0  # rows have no part along the flat direction


# -- dropping, averaging, words ------------------------------------------------------------------


def test_a_dropped_rate():
    """5.3 for descent; for momentum against the schedule that drops at step 400."""
    values, noise = np.array([0.05, 1.0, 3.0]), AdditiveNoise([0.3, 0.1, 0.2])
    a1, a2, k = 0.4, 0.1, np.array([0, 1, 5, 50])
    V1, V2 = (a * noise.covariance / (values * (2 - a * values)) for a in (a1, a2))
    curve = V2 + (V1 - V2) * (1 - a2 * values) ** (2 * k[:, None])
    drop = after_drop(on(values, ca.GradientDescent(a1)), a2, k, noise)
    np.testing.assert_allclose(drop.gap, curve @ values / 2, rtol=1e-12)
    ratio = (a2 / a1) * (2 - a1 * values) / (2 - a2 * values)
    assert drop.after / drop.before == pytest.approx(np.sum(values * V1 * ratio) / (values @ V1))
    assert drop.fast == 3.0
    assert drop.slower == pytest.approx(4)
    assert "noise that leaves" in str(drop)
    rule = ca.HeavyBall(0.4, 0.5)
    scheduled = ca.HeavyBall(schedules.Step(0.4, 0.25, 400), 0.5)
    late = expected_noisy_gap(on([0.5, 2.0], scheduled), [0.0, 0.0], 400 + k, AdditiveNoise(0.2))
    found = after_drop(on([0.5, 2.0], rule), 0.1, k, AdditiveNoise(0.2))
    np.testing.assert_allclose(found.gap, late, rtol=1e-9)


def test_averages():
    """5.4: the mean of x_1 ... x_k from x_0 = 0, its limit; an exponential average."""
    a, value, k = 0.2, 2.0, 300
    s = a * value
    averaged = on([value], ALL["Averaged"](ca.GradientDescent(a)))
    exact = sum((1 - (1 - s) ** j) ** 2 for j in range(1, k + 1)) / (k * value) ** 2
    found = expected_noisy_gap(averaged, [0.0], k, UNIT)
    assert found == pytest.approx(value * exact / 2, rel=1e-11)
    assert averaging_limit(averaged, k, UNIT) == pytest.approx(found, rel=0.01)
    with pytest.raises(NotDerivableError, match="expected_noisy_gap"):
        noise_floor(averaged, UNIT)
    g, r, V = 0.9, 1 - s, a / (value * (2 - s))
    for initial in ("start", "first"):
        floor = noise_floor(on([value], ALL["EMA"](ca.GradientDescent(a), g, initial)), UNIT)
        expected = V * (1 - g) * (1 + g * r) / ((1 + g) * (1 - g * r))
        assert floor.variance[0] == pytest.approx(expected, rel=1e-12)


def test_words_and_tables():
    floor = noise_floor(on([0.01, 0.1], ca.GradientDescent(1.0)), AdditiveNoise(6e-4))
    half = noise_floor(on([0.01, 0.1], ca.GradientDescent(0.5)), AdditiveNoise(6e-4))
    assert floor.words.startswith("The loss hovers 0.000309 above its minimum: halve α and it")
    assert f"×{half.value / floor.value:.3g}" in floor.words
    assert floor.ratio == pytest.approx(floor.value / (1.0 * 12e-4 / 4))
    assert "Noise floor" in str(floor)
    assert json.loads(json.dumps(floor.to_dict()))["kind"] == "exact"
    assert floor == noise_floor(on([0.01, 0.1], ca.GradientDescent(1.0)), AdditiveNoise(6e-4))
    decayed = on([1.0], ALL["WeightDecay"](ca.GradientDescent(0.1), 0.5), [3.0])
    biased = noise_floor(decayed, AdditiveNoise(1e-6))
    assert biased.bias == pytest.approx((3 / 1.5 - 3) ** 2 / 2)  # ends at b/(λ + w)
    assert "without noise" in biased.words


def test_steps_to_a_goal():
    rule = on([0.02, 1.0], ca.HeavyBall(0.1, 0.8))
    start, noise = [3.0, 1.0], AdditiveNoise(0.01)
    curve = expected_noisy_gap(rule, start, np.arange(3000), noise)
    for tolerance in (0.5, 0.1, 0.07):
        hits = np.flatnonzero(curve <= tolerance * curve[0])
        assert noisy_steps_to(rule, tolerance, start, noise) == (hits[0] if hits.size else None)
    assert noisy_steps_to(rule, 0.002, start, noise) is None  # below the floor
    slow = on([1e-6, 1.0], ca.GradientDescent(1.0))
    far = noisy_steps_to(slow, 1e-3, [1.0, 0.0], AdditiveNoise(1e-12))
    assert far == pytest.approx(math.log(1e-3) / (2 * math.log1p(-1e-6)), rel=1e-3)
    ends = expected_noisy_gap(slow, [1.0, 0.0], [far - 1, far], AdditiveNoise(1e-12))
    assert ends[0] > 1e-3 * 0.5e-6 >= ends[1]
    scheduled = on([1.0], ca.GradientDescent(schedules.Step(0.5, 0.1, 3)))
    assert noisy_steps_to(scheduled, 0.1, [1.0], AdditiveNoise(1e-3)) == 2


# -- one step, decay, batch sizes ----------------------------------------------------------------


def test_one_step():
    """5.10: the expected loss after a step, minimised over α by a parabola through three points."""
    A, sigma = np.diag([1.0, 4.0]), np.array([[0.5, 0.1], [0.1, 0.2]])
    problem, theta = ca.Quadratic(A, b=[0.5, 1.0]), np.array([1.0, -1.0])
    g = problem.gradient(theta)

    def fall(a):
        return a * g @ g - a * a / 2 * (g @ A @ g + np.sum(A * sigma))

    best = one_step(problem, theta, AdditiveNoise(sigma))
    assert fall(best.learning_rate) == pytest.approx(best.decrease, rel=1e-13)
    assert all(fall(best.learning_rate * f) < best.decrease for f in (0.99, 1.01))
    assert best.noiseless_rate / best.learning_rate == pytest.approx(1 + best.noise_batch)
    assert best.signal_to_noise == signal_to_noise(problem, theta, AdditiveNoise(sigma))
    assert best.signal_to_noise == pytest.approx(g @ g / 0.7)
    with pytest.raises(InputError, match="curvature"):
        one_step(problem, problem.minimizer, UNIT)


def test_rules_of_thumb():
    assert noise_scale(0.1, 1000, 10, 0.9) == pytest.approx(99)
    assert [round(linear_scaling(s, 8), 2) for s in (0.01, 0.2, 0.3)] == [1.04, 4.5, math.inf]
    for s, c in ((0.01, 8), (0.2, 4)):  # against two floors
        one, many = (
            noise_floor(on([1.0], ca.GradientDescent(f * s)), AdditiveNoise(1 / f)).value
            for f in (1, c)
        )
        assert many / one == pytest.approx(linear_scaling(s, c), rel=1e-12)
    value, variance, V = 2.0, 0.5, 3.0
    for rate in optimal_decay(value, variance, V, 6):  # no other rate does better in its step

        def after(a, V=V):
            return (1 - a * value) ** 2 * V + a * a * variance

        assert all(after(rate) < after(rate * f) for f in (0.98, 1.02))
        V = after(rate)


def test_batch_curve():
    """5.14: the noisy quadratic model; steps per batch size from an independent search."""
    lam = 1 / np.arange(1, 101)
    curve = batch_curve(ca.GradientDescent(0.1), lam, lam, 0.02, [1, 256, 16384])
    assert curve.steps.tolist() == [13805, 98, 57]
    assert curve.critical_batch == pytest.approx(242, abs=0.5)
    assert np.all(np.diff(curve.examples) >= 0)
    assert curve.seconds(1.0, 0.01)[[0, 2]] == pytest.approx([13805, 163.84 * 57])
    assert 0.40 < curve.trade_off[1] < 0.78
    assert "batch of about 242 twice" in str(curve).replace("\n", " ")
    few, mu, rates = lam[:8], 0.9, np.geomspace(0.05, 2.0, 300)[:, None]
    ball = batch_curve(ca.HeavyBall(0.1, mu), few, few, 0.02, [256])
    x, v, xx, xv, vv = 1.0 + 0 * rates * few, 0.0, 0.0, 0.0, 0.0
    gap = []
    while not gap or gap[-1] > 0.02:  # means and covariances, written out
        s, q = rates * few, rates**2 * few / 256
        x, v = (1 - s) * x + mu * v, mu * v - s * x
        both = (1 - s) * xx + mu * xv, (1 - s) * xv + mu * vv
        xx, xv, vv = (
            (1 - s) * both[0] + mu * both[1] + q,
            mu * both[1] - s * both[0] + q,
            mu * mu * vv - 2 * mu * s * xv + s * s * xx + q,
        )
        gap.append(np.min((few * (x * x + xx)).sum(axis=1)) / 2)
    assert ball.steps[0] == len(gap)
    assert "No learning rate" in str(batch_curve(ca.GradientDescent(0.1), [1.0], 1.0, 1e-15, [1]))


# -- runs that others made -----------------------------------------------------------------------

DEEPOBS = Path(__file__).parents[1] / "data" / "deepobs_quadratic"


def test_deepobs_quadratic():
    """18 runs: stable or not from the eigenvalues, losses and growth factors within 1 %."""
    told = json.loads((DEEPOBS / "expected.json").read_text(encoding="utf-8"))
    with np.load(DEEPOBS / "curves.npz") as file:
        H, mean, losses, batches = (
            file[name] for name in ("H", "xbar", "train_loss", "minibatch_loss")
        )
    rows, size = 1000, 128
    data = np.random.RandomState(42).normal(0.0, 0.6, (rows, 100)).astype(np.float32).astype(float)
    centred = data - mean
    spread = centred.T @ centred / rows
    sigma = (rows - size) / (size * (rows - 1)) * (H @ spread @ H)  # of the gradient H(θ - x̄_B)
    noise, rest = AdditiveNoise((sigma + sigma.T) / 2), np.sum(H * spread) / 2
    spectrum = ca.spectrum(ca.Quadratic((H + H.T) / 2, b=-H @ mean))
    assert rest == pytest.approx(told["info"]["noise_floor_loss"], rel=1e-12)
    for run in told["curves"]:
        rule = ca.GradientDescent(run["lr"])
        alone = on(told["info"]["eigenvalues"], rule)
        assert alone.is_stable is not run["observed_diverged"]
        analysis = analyze(spectrum, rule)
        if alone.is_stable:
            gap = expected_noisy_gap(analysis, np.ones(100), 7 * np.arange(101), noise)
            error = np.abs((gap + rest) / losses[run["row"]] - 1)
            assert error.max() < 0.0055
        else:
            k = run["at_step"]
            before, after = expected_noisy_gap(analysis, np.ones(100), [k - 1, k], noise)
            seen = batches[run["row"]].astype(float)
            assert seen[k] / seen[k - 1] == pytest.approx(run["observed_last_growth_ratio"], 1e-6)
            assert after / before == pytest.approx(run["observed_last_growth_ratio"], rel=0.01)
            assert noise_floor(alone, noise).value == math.inf
    fastest = analyze(spectrum, ca.GradientDescent(told["curves"][8]["lr"]))
    floor = noise_floor(fastest, noise)
    settled = expected_noisy_gap(fastest, np.ones(100), 10**6, noise)
    assert floor.value == pytest.approx(settled, rel=1e-10)
    assert rest + floor.value == pytest.approx(losses[8, -30:].mean(), rel=0.01)


def test_bad_input():
    toy, rule = on([1.0, 2.0], ca.GradientDescent(0.1)), ca.GradientDescent(0.1)
    fast, between = on([1.0], ca.GradientDescent(3.0)), analyze(Spectrum.between(1, 9), rule)
    cases = [
        (lambda: noise_floor(toy), InputError, "noise is missing"),
        (lambda: noise_floor(toy, 0.1), InputError, "AdditiveNoise or MiniBatch"),
        (lambda: noise_floor(toy, MiniBatch(4)), InputError, "problem=least_squares"),
        (lambda: noise_floor(toy, AdditiveNoise([1.0, 1.0, 1.0])), InputError, "3 parameters"),
        (lambda: noise_floor(on([1.0], ALL["Adam"](0.1)), UNIT), NotDerivableError, "not linear"),
        (lambda: noise_floor(between, UNIT), NotDerivableError, "ends"),
        (lambda: stationary_covariance(fast, UNIT), NotDerivableError, "no"),
        (lambda: noisy_steps_to(toy, 2.0, [1.0, 1.0], UNIT), InputError, "tolerance"),
        (lambda: expected_noisy_gap(toy, [1.0], 3, UNIT), InputError, "shape"),
        (lambda: after_drop(toy, 5.0, [1], UNIT), NotDerivableError, "stationary"),
        (lambda: averaging_limit(on([0.0, 1.0], rule), 3, UNIT), InputError, "positive"),
        (lambda: batch_curve(rule, [1.0], 1.0, -1.0, [1]), InputError, "goal"),
        (lambda: batch_curve(rule, [1.0], 1.0, 1.0, [0.5]), InputError, "batch_sizes"),
        (lambda: optimal_decay(0.0, 1.0, 1.0, 3), InputError, "positive"),
    ]  # fmt: skip
    for call, error, words in cases:
        with pytest.raises(error, match=words):
            call()
