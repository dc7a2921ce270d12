"""Every line of the theory notes, sections 1-4, 7.1-7.3 and 9.6, with its check value.

Where each line is tested ("published": tests/theory/test_published.py; a name: below). Each test
knows its answer by another route than the package: mpmath, SymPy, fractions, or a plain loop.

1.1  solution                 test_solution_by_direction_1_1
1.2  regimes                  published; test_one_step_leaves_rounding_1_2
1.3  gap                      published; test_gap_in_the_original_basis_1_3
1.4  rate                     published; test_rate_of_the_cautious_step_1_4
1.5  steps                    published; test_steps_1_5 (with the 82 of 741 exact powers)
1.6  hidden instability       published (check value); test_hidden_instability_1_6 and after
1.7  singular                 published
1.8  descent identity         published; test_descent_identity_1_8 (SymPy)
1.9  exact line search        test_zigzag_1_9; tests/optimizers/test_gradient_family.py
1.10 weight decay             test_weight_decay_shifts_the_spectrum_1_10
1.11 early stopping           test_early_stopping_is_a_filter_1_11
1.12 round-off escape [E/H]   test_round_off_escape_1_12
1.13 neighbours               test_flow_and_proximal_point_1_13
2.1  forms                    test_forms_2_1; tests/optimizers/test_momentum_family.py
2.2  iteration matrices       test_traces_and_determinants_2_2, test_identities_2_2
2.3  k-step solution          published; test_one_formula_for_all_regimes_2_3
2.4  stability                published; test_closed_border_of_heavy_ball_2_4
2.5  spectral radius          published; test_spectral_radii_2_5
2.6  Polyak's optimum         published; test_polyak_is_sensitive_2_6
2.7  Nesterov's optima        published; test_blind_minimisation_2_7
2.8  one parameter given      published; test_one_given_2_8
2.9  transient                published; test_transient_in_closed_form_2_9
2.10 non-normality            test_norms_of_powers_2_10
2.11 plane                    test_plane_2_11, test_nesterov_is_identical_on_a_plane_2_11
2.12 energy                   published; test_energy_in_rationals_2_12 and after
2.13 Nesterov, (n-1)/(n+1)    test_growing_momentum_2_13
2.14 effective rate [A]       test_slow_root_2_14
2.15 changing α               test_changing_the_rate_2_15
3.1  products                 test_products.py; test_iteration.py (periods)
3.2  Chebyshev steps          test_limits.py (bound, LP); test_gradient_family.py; test_changing.py
3.3  m = 0                    test_limits.py (LP, 1.830e-3)
3.4  semi-iteration           test_gradient_family.py
3.5  silver                   test_gradient_family.py (2.725e-3)
3.6  Krylov limit             test_limits.py; test_comparison_limit.py (sign descent)
3.7  decays                   test_products.py, test_changing.py
3.8  speed-ups [A]            test_steps_per_e_fold_3_8
4.1  expectation              test_average.py
4.3  Marchenko-Pastur         test_average.py
4.4  power laws [A]           test_average.py
7.1  Newton and damped        test_newton_7_1; tests/optimizers/test_second_order_family.py
7.2  natural gradient         test_natural_gradient_is_newton_7_2
7.3  BFGS = CG                test_quasi_newton_is_conjugate_gradients_7_3; test_krylov_family.py
9.6  saddle escape            published; test_saddle_escape_9_6
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy
from cases import each

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.noise.additive import AdditiveNoise
from convex_analyzer.optimizers.adam import Adam
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import WeightDecay
from convex_analyzer.optimizers.gradient import ChebyshevSteps, ExactLineSearch, GradientDescent
from convex_analyzer.optimizers.krylov import ConjugateGradient
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
from convex_analyzer.optimizers.quasi_newton import BFGS, LBFGS
from convex_analyzer.optimizers.second_order import (
    DampedNewton,
    LevenbergMarquardt,
    NaturalGradient,
    Newton,
)
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import MultiStep
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.counting import steps_at_rate
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.nonnormal import energies, energy_defect, power_norms, worst_growth
from convex_analyzer.theory.plane import plane
from convex_analyzer.theory.tuning import worst_rate
from convex_analyzer.theory.turning import hidden_instability, round_off_escape


def spectrum(*eigenvalues):
    return Spectrum.from_eigenvalues(list(eigenvalues))


ONE = spectrum(1.0)


def random_problem(seed, size=5, low=0.1):
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.normal(size=(size, size)))[0]
    values = np.geomspace(low, 3.0, size)
    matrix = (q * values) @ q.T
    return Quadratic((matrix + matrix.T) / 2, rng.normal(size=size)), rng.normal(size=size)


def matrix_of(problem):
    return problem.hessian_vector(np.zeros(problem.dimension), np.eye(problem.dimension))


def slope_of(problem):
    return problem.gradient(np.zeros(problem.dimension))


# -- 1 gradient descent --------------------------------------------------------------------------


def test_solution_by_direction_1_1():
    """x_k = (1 - αλ)^k x_0 about the critical point; b along a flat direction drifts by -αβ."""
    problem, start = random_problem(1)
    analysis = analyze(problem, GradientDescent(0.3))
    values, vectors = np.linalg.eigh(matrix_of(problem))
    centre = np.linalg.solve(matrix_of(problem), -slope_of(problem))
    for k in (1, 7, 100):
        expected = centre + vectors @ ((1 - 0.3 * values) ** k * (vectors.T @ (start - centre)))
        assert analysis.predict(start, k) == pytest.approx(expected, rel=1e-10, abs=1e-12)
    flat = analyze(Quadratic.diagonal([0.0, 0.0, 2.0], [3.0, 0.0, 1.0]), GradientDescent(0.2))
    moved = flat.predict([1.0, 5.0, 0.0], 40)
    assert moved[0] == pytest.approx(1 - 40 * 0.2 * 3, rel=1e-13)
    assert moved[1] == 5.0


def test_one_step_leaves_rounding_1_2():
    """s = 1 kills a mode exactly; rotated float64 arithmetic leaves about the machine precision."""
    angle = 0.3
    q = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = q @ np.diag([1.0, 4.0]) @ q.T
    problem = Quadratic((matrix + matrix.T) / 2)
    end = simulate(problem, GradientDescent(0.25), q[:, 1], 3).theta[-1]
    assert np.linalg.norm(end) < 1e-15
    regimes = analyze(problem, GradientDescent(0.25)).directions.regime
    assert regimes == ["monotone", "one step"]  # a label with a tolerance


def test_gap_in_the_original_basis_1_3():
    """J_20 = -234.9968 for A = [[1, 2], [2, 1]], by a loop in fractions."""
    x, y, step = Fraction(3, 10), Fraction(1, 10), Fraction(1, 5)
    for _ in range(20):
        x, y = x - step * (x + 2 * y + 1), y - step * (2 * x + y)
    value = (x * x + 4 * x * y + y * y) / 2 + x
    assert float(value) == pytest.approx(-234.9968, abs=5e-5)
    problem = Quadratic([[1.0, 2.0], [2.0, 1.0]], [1.0, 0.0])
    gap = analyze(problem, GradientDescent(0.2)).gap([0.3, 0.1], 20)
    assert gap + problem.value(problem.critical_point) == pytest.approx(float(value), rel=1e-13)


@pytest.mark.parametrize("kappa", [2.0, 100.0, 1e8])
def test_rate_of_the_cautious_step_1_4(kappa):
    analysis = analyze(spectrum(1.0, kappa), GradientDescent(1 / kappa))
    assert analysis.one_minus_rate == pytest.approx(1 / kappa, rel=1e-14)
    assert analysis.stability_limit == pytest.approx(2 / kappa, rel=1e-15)
    gap = analysis.gap([1.0, 1.0], np.array([10**6, 10**6 + 1]))
    if gap[0] > 0:
        assert gap[1] / gap[0] == pytest.approx(analysis.rate**2, rel=1e-9)  # of the loss: ρ²


def test_steps_1_5():
    """691 for κ = 100; a naive ceil errs on exact powers, 7 for 0.9⁷ does not."""
    ends = analyze(spectrum(1.0, 100.0), GradientDescent)
    assert ends.steps_to(1e-6, criterion="norm") == 691
    assert steps_at_rate(0.1, 0.9**7) == 7
    naive, grid = 0, 0
    for hundredths in range(5, 100, 5):
        for k in range(1, 40):
            rho, grid = hundredths / 100, grid + 1
            naive += math.ceil(math.log(rho**k) / math.log(rho)) != k
            assert steps_at_rate(1 - rho, rho**k) == k
    assert grid == 741
    assert naive == 82
    for rho in (0.25, 0.5, 0.75):  # exact in float64, and so is every power below
        one = analyze(ONE, GradientDescent(1 - rho))
        for k in range(1, 26):
            exact = float(Fraction(rho) ** k)
            assert Fraction(exact) == Fraction(rho) ** k
            assert one.steps_to(exact, criterion="norm") == k
            assert one.steps_to(exact, [3.0], "norm") == k
            assert one.steps_to(float(np.nextafter(exact, 1.0)), criterion="norm") == k
            assert one.steps_to(exact * (1 - 1e-12), criterion="norm") == k + 1
    for kappa in (1e4, 1e6):  # asymptotics
        best = analyze(spectrum(1.0, kappa), GradientDescent)
        slow = analyze(spectrum(1.0, kappa), GradientDescent(1 / kappa))
        units = kappa * math.log(1e6)
        assert best.steps_to(1e-6, criterion="norm") == pytest.approx(units / 2, rel=1e-3)
        assert slow.steps_to(1e-6, criterion="norm") == pytest.approx(units, rel=1e-3)
        assert slow.steps_to(1e-6) == pytest.approx(units / 2, rel=1e-3)  # the gap halves both


def test_hidden_instability_1_6():
    """λ = (0.01, 1), x₀ = (10, 1e-6), α = 2.05: 193 steps from 0.5 to 2.4e-4, by mpmath."""
    with mpmath.workdps(50):
        alpha = mpmath.mpf("2.05")
        factors = [(1 - alpha / 100) ** 2, (1 - alpha) ** 2]
        losses = [
            mpmath.mpf("0.5") * factors[0] ** k + mpmath.mpf("0.5e-12") * factors[1] ** k
            for k in range(400)
        ]
    lowest = min(range(400), key=lambda k: losses[k])
    assert losses[lowest] == pytest.approx(2.4e-4, rel=0.02)
    turn = hidden_instability(analyze(spectrum(0.01, 1.0), GradientDescent(2.05)), [10.0, 1e-6])
    assert turn.step == lowest == 193
    assert turn.hidden
    assert turn.kind == "exact"
    assert turn.fraction == pytest.approx(float(losses[lowest] / losses[0]), rel=1e-12)
    assert turn.eigenvalue == 1.0
    assert turn.growth == pytest.approx(1.05**2, rel=1e-12)
    assert "does not certify" in turn.words
    assert json.dumps(turn.to_dict())
    assert "193" in str(turn)


@each("seed", range(5))
def test_turns_are_the_lowest_losses_of_runs_1_6(seed):
    """Random convex problems, with and without memory, against plain loops."""
    rng = np.random.default_rng(seed)
    lam = np.sort(np.append(rng.uniform(0.01, 0.9, 3), 1.0))
    start = np.append(rng.normal(size=3), 10 ** rng.uniform(-8, -3))
    for rule in (GradientDescent(2.1), HeavyBall(3.9, 0.9), Nesterov(1.45, 0.8)):
        mu = rule.values.get("momentum", 0.0)
        x, v, losses = start.copy(), np.zeros(4), []
        for _ in range(3000):
            losses.append(float((lam * x**2).sum() / 2))
            if losses[-1] > 1e3 * losses[0]:
                break
            look = x + mu * v if isinstance(rule, Nesterov) else x
            v = mu * v - rule.learning_rate * lam * look
            x = x + v
        turn = hidden_instability(analyze(Spectrum.from_eigenvalues(lam), rule), start)
        assert turn.step == int(np.argmin(losses))
        assert turn.kind == ("exact" if isinstance(rule, GradientDescent) else "numerical")


def test_turns_that_come_late_never_or_at_once_1_6():
    far = hidden_instability(analyze(spectrum(1e-9, 1.0), GradientDescent(2 + 1e-9)), [1, 1e-100])
    assert far.step > 10**10  # bisected: no loop gets there
    gaps = analyze(spectrum(1e-9, 1.0), GradientDescent(2 + 1e-9)).gap(
        [1, 1e-100], np.array([far.step * 0.9 // 1, far.step, far.step * 1.1 // 1])
    )
    assert gaps[1] <= min(gaps[0], gaps[2])
    at_once = hidden_instability(analyze(ONE, GradientDescent(3.0)), [1.0])
    assert at_once.step == 0
    assert not at_once.hidden
    assert "rises from the start" in at_once.words
    for analysis, start, words in (
        (analyze(spectrum(0.1, 1.0), GradientDescent(2.1)), [1, 0], "Rounding puts one there"),
        (analyze(spectrum(0.1, 1.0), GradientDescent(1.9)), [1, 1], "No direction grows"),
        (analyze(spectrum(-1.0, 1.0), GradientDescent(0.1)), [1, 1], "falls without end"),
        (analyze(Quadratic.diagonal([0, 1], [1, 0]), GradientDescent(1.0)), [1, 1], "flat"),
    ):
        never = hidden_instability(analysis, start)
        assert never.step is None
        assert words in never.words
        assert "–" in str(never)
    # A saddle whose stiff direction overshoots: the falling part is unbounded, yet it turns.
    mixed = hidden_instability(analyze(spectrum(-0.01, 1.0), GradientDescent(2.05)), [10, 1e-6])
    assert mixed.kind == "numerical"
    assert mixed.fraction is None
    factors = np.array([1.0205**2, 1.05**2])[:, None] ** np.arange(800)
    losses = -0.5 * factors[0] + 0.5e-12 * factors[1]
    assert mixed.step == int(np.argmin(losses))
    # A slope along a flat direction hides it, too: it falls by αβ² for ever.
    sloping = Quadratic.diagonal([0.0, 1.0], [1e-3, 0.0])
    turn = hidden_instability(analyze(sloping, GradientDescent(2.05)), [0.0, 1e-6])
    losses = -2.05e-6 * np.arange(400) + 0.5e-12 * 1.05 ** (2 * np.arange(400))
    assert turn.step == int(np.argmin(losses))
    with pytest.raises(NotDerivableError, match="no single map"):
        hidden_instability(analyze(ONE, Adam(0.1)), [1.0])
    decayed = analyze(spectrum(0.5, 1.0), WeightDecay(GradientDescent(2.1), 0.01))
    assert hidden_instability(decayed, [1.0, 1e-6]).kind == "numerical"
    slow = analyze(spectrum(0.5, 1.0), HeavyBall(3.8 * (1 + 1e-12), 0.9))
    with pytest.raises(NotDerivableError, match="beyond what can be scanned"):
        hidden_instability(slow, [1.0, 1.0])


def test_descent_identity_1_8():
    """For symbols: J(θ - αg) - J(θ) = -α gᵀ(I - αA/2) g."""
    a, b, c, x, y, u, v, alpha = sympy.symbols("a b c x y u v alpha")
    matrix, theta, linear = (
        sympy.Matrix([[a, b], [b, c]]),
        sympy.Matrix([x, y]),
        sympy.Matrix([u, v]),
    )

    def value(at):
        return ((at.T * matrix * at) / 2 + linear.T * at)[0]

    g = matrix * theta + linear
    predicted = -alpha * (g.T * (sympy.eye(2) - alpha * matrix / 2) * g)[0]
    assert sympy.expand(value(theta - alpha * g) - value(theta) - predicted) == 0


def test_zigzag_1_9():
    """κ = 50: the gap shrinks ×0.923106 in every step from x₀ ∝ (1/m, ±1/L), in mpmath too."""
    ratio = (49 / 51) ** 2
    assert ratio == pytest.approx(0.923106, abs=5e-7)
    loss = simulate(Quadratic.diagonal([1.0, 50.0]), ExactLineSearch(), [50.0, -1.0], 60).loss
    assert loss[1:] / loss[:-1] == pytest.approx(ratio, rel=1e-10)
    rate = analyze(spectrum(1.0, 50.0), GradientDescent).rate  # the same as the best constant step
    assert rate**2 == pytest.approx(ratio, rel=1e-14)
    # A generic start ends in the plane of q₁ and q_d (Akaike); no step is worse than the bound.
    lam, x = [mpmath.mpf(v) for v in (1, 3, 20, 50)], [mpmath.mpf(v) for v in (2, -1, 1, 0.3)]
    with mpmath.workdps(60):
        for _ in range(400):
            g = [a * b for a, b in zip(lam, x, strict=True)]
            step = sum(v * v for v in g) / sum(a * v * v for a, v in zip(lam, g, strict=True))
            before = sum(a * b * b for a, b in zip(lam, x, strict=True))
            x = [b - step * v for b, v in zip(x, g, strict=True)]
            after = sum(a * b * b for a, b in zip(lam, x, strict=True))
            assert after / before <= ratio + 1e-15
        assert abs(x[1]) + abs(x[2]) < 1e-12 * (abs(x[0]) + abs(x[3]))


def test_weight_decay_shifts_the_spectrum_1_10():
    """λ → λ + γ, κ → (L + γ)/(m + γ), and the end -(A + γI)⁻¹ b, also for γ > -λmin."""
    problem, start = random_problem(2)
    shifted = Quadratic(matrix_of(problem) + 0.7 * np.eye(5), slope_of(problem))
    decayed = analyze(problem, WeightDecay(GradientDescent(0.2), 0.7))
    plain = analyze(shifted, GradientDescent(0.2))
    assert decayed.one_minus_rate == pytest.approx(plain.one_minus_rate, rel=1e-12)
    for k in (1, 10, 1000):
        assert decayed.predict(start, k) == pytest.approx(plain.predict(start, k), rel=1e-10)
    end = -np.linalg.solve(matrix_of(problem) + 0.7 * np.eye(5), slope_of(problem))
    assert decayed.predict(start, 10**6) == pytest.approx(end, rel=1e-10)
    kappa = analyze(shifted, GradientDescent).spectrum.condition_number
    assert kappa == pytest.approx((3.0 + 0.7) / (0.1 + 0.7), rel=1e-10)
    saddle = analyze(
        Quadratic.diagonal([-1.0, 2.0], [1.0, 1.0]), WeightDecay(GradientDescent(0.1), 1.5)
    )
    assert saddle.predict([0.0, 0.0], 10**5) == pytest.approx([-2.0, -1 / 3.5], rel=1e-12)


def test_early_stopping_is_a_filter_1_11():
    """From 0: θ_k = (1 - (1 - s)^k) θ*; s = 0.03, k = 17: 0.40417. Ridge: λ/(λ + γ)."""
    one = analyze(Quadratic([[1.0]], [-1.0]), GradientDescent(0.03))
    with mpmath.workdps(30):
        expected = 1 - (1 - mpmath.mpf("0.03")) ** 17
    assert one.predict([0.0], 17)[0] == pytest.approx(float(expected), rel=1e-14)
    assert float(expected) == pytest.approx(0.40417, abs=5e-6)
    # Small directions are held back alike: with γ = 1/(αk) both filters are αkλ to first order.
    lam, alpha, k = np.geomspace(1e-9, 1e-6, 5), 0.1, 1000
    early = analyze(Quadratic.diagonal(lam, -lam), GradientDescent(alpha)).predict(np.zeros(5), k)
    assert early == pytest.approx(lam / (lam + 1 / (alpha * k)), rel=1e-3)


def test_round_off_escape_1_12():
    """[H] α|λ| = 0.1: 404 steps on average, 362-435 for 19 of 20 rotations; rarely far longer."""
    escape = round_off_escape(analyze(spectrum(-1.0, 3.0, 5.0), GradientDescent(0.1)))
    assert (escape.earliest, escape.latest) == (363, 435)
    assert escape.steps == math.ceil(math.log(2**52) / math.log(1.1)) == 379
    assert escape.growth == pytest.approx(1.1, rel=1e-14)
    assert "heuristic" in str(escape)
    left = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        matrix = (q * np.array([-1.0, 3.0, 5.0])) @ q.T
        x = q[:, 1] + rng.normal() * q[:, 2]  # on the stable manifold
        count, size = 0, np.linalg.norm(x)
        while (count < 50 or np.linalg.norm(x) < size) and count < 700:
            x, count = x - 0.1 * (matrix @ x), count + 1
        left.append(count)
    inside = np.mean([escape.earliest <= count <= escape.latest for count in left])
    assert inside >= 0.95
    assert np.mean(left) == pytest.approx(404, abs=6)
    assert min(left) >= escape.earliest


def test_round_off_escape_of_other_rules_1_12():
    for rule, growth in (
        (HeavyBall(0.05, 0.9), np.abs(np.roots([1, -1.95, 0.9])).max()),
        (Nesterov(0.05, 0.9), np.abs(np.roots([1, -1.9 * 1.05, 0.9 * 1.05])).max()),
    ):
        escape = round_off_escape(analyze(spectrum(-1.0, 2.0), rule))
        assert escape.growth == pytest.approx(growth, rel=1e-12)
        assert escape.eigenvalue == -1.0
        assert escape.earliest < escape.steps < escape.latest
        later = round_off_escape(analyze(spectrum(-1.0, 2.0), rule), reach=1e6)
        assert later.steps - escape.steps == pytest.approx(math.log(1e6) / math.log(growth), abs=1)
    assert round_off_escape(analyze(spectrum(1.0, 2.0), GradientDescent(0.1))) is None
    assert round_off_escape(analyze(spectrum(0.0, 2.0), HeavyBall(0.1, 1.0))) is None
    with pytest.raises(InputError, match="reach must be positive"):
        round_off_escape(analyze(spectrum(-1.0), GradientDescent(0.1)), reach=0.0)


def test_flow_and_proximal_point_1_13():
    """The proximal point is Newton damped by 1/α: (1 + s)^-k; the flow e^{-λt} is between."""
    s = 0.3
    explicit = analyze(ONE, GradientDescent(s)).errors([1.0], 20)[0]
    proximal = analyze(ONE, DampedNewton(1.0, 1 / s)).errors([1.0], 20)[0]
    assert proximal == pytest.approx((1 + s) ** -20, rel=1e-13)
    assert explicit < math.exp(-20 * s) < proximal
    for huge in (10.0, 1e6):  # stable for every s > 0
        assert analyze(ONE, DampedNewton(1.0, 1 / huge)).is_stable
    x = sympy.Symbol("x")
    series = sympy.series(sympy.log(1 - x), x, 0, 3).removeO()
    assert sympy.expand(series + x + x**2 / 2) == 0
    for tiny in (1e-3, 1e-4):  # many small steps follow the flow, by s/2 relative per unit of time
        k = round(1 / tiny)
        end = analyze(ONE, GradientDescent(tiny)).errors([1.0], k)[0]
        assert end / math.exp(-1) - 1 == pytest.approx(-tiny / 2, rel=1e-2)


# -- 2 momentum ----------------------------------------------------------------------------------


def test_forms_2_1():
    """Five ways to write heavy ball, and torch's dampening: x₁ = .7, x₂ = .325 (fractions)."""
    s, mu = 0.3, 0.9
    paths = [
        analyze(ONE, rule).errors([1.0], np.arange(30.0))[:, 0]
        for rule in (
            HeavyBall(s, mu),
            OuterMomentum(s, mu),
            TwoRateMomentum(0.5, s / 0.5, mu),
            EMAMomentum(s / (1 - mu), mu),
        )
    ]
    x = [1.0, 1.0 - s]
    for _ in range(28):
        x.append(x[-1] - s * x[-1] + mu * (x[-1] - x[-2]))
    for path in paths:
        assert path == pytest.approx(x, rel=1e-12, abs=1e-14)
    f, m, d = Fraction(3, 10), Fraction(9, 10), Fraction(1, 2)
    one, buffer = 1 - f, Fraction(1)
    two = one - f * (m * buffer + (1 - d) * one)
    assert (one, two) == (Fraction(7, 10), Fraction(325, 1000))
    dampened = analyze(ONE, OuterMomentum(s, mu, dampening=0.5)).predict([1.0], [1, 2])[:, 0]
    assert dampened == pytest.approx([0.7, 0.325], rel=1e-14)
    # torch's Nesterov reports the look-ahead point y = θ + μv of form (a)
    position, velocity, ahead = 1.0, 0.0, []
    for _ in range(20):
        velocity = mu * velocity - s * (position + mu * velocity)
        position += velocity
        ahead.append(position + mu * velocity)
    torch = analyze(ONE, OuterMomentum(s, mu, nesterov=True)).predict([1.0], np.arange(1, 21))
    assert torch[:, 0] == pytest.approx(ahead, rel=1e-12)


MU, S, NU, ETA, TAU = sympy.symbols("mu s nu eta tau")
TABLE = {
    "heavy ball": (HeavyBall(S, MU), 1 + MU - S, MU),
    "Nesterov": (Nesterov(S, MU), (1 + MU) * (1 - S), MU * (1 - S)),
    "EMA": (EMAMomentum(S, MU), 1 + MU - S * (1 - MU), MU),
    "QHM": (QHM(S, MU, NU), 1 + MU - S * (1 - NU * MU), MU * (1 - S * (1 - NU))),
    "lecture 002's Nesterov": (
        TwoRateNesterov(NU, S, MU, as_printed=True),
        1 - NU * S + MU * (1 - S),
        MU * (1 - S),
    ),
}


@each("name", TABLE)
def test_traces_and_determinants_2_2(name):
    """The table, from the rules themselves in symbols (λ = 1, so that α = s)."""
    rule, trace, determinant = TABLE[name]
    matrix = sympy.Matrix(linearise(rule, sympy.Integer(1)).matrix)
    assert sympy.simplify(matrix.trace() - trace) == 0
    assert sympy.simplify(matrix.det() - determinant) == 0


def test_dampened_trace_and_determinant_2_2():
    modes = analyze(ONE, OuterMomentum(0.3, 0.9, dampening=0.25)).modes
    assert modes.trace[0] == pytest.approx(1 + 0.9 - 0.3 * 0.75, rel=1e-15)
    assert modes.determinant[0] == pytest.approx(0.9, rel=1e-15)


def test_identities_2_2():
    """NAG(μ, s) = HB(μ(1 - s), s) per direction; QHM with ν = μ is NAG at step s(1 - μ)."""
    mu, s = 0.8, 0.3
    left, right = analyze(ONE, Nesterov(s, mu)), analyze(ONE, HeavyBall(s, mu * (1 - s)))
    k = np.arange(40.0)
    assert left.errors([1.0], k) == pytest.approx(right.errors([1.0], k), rel=1e-11, abs=1e-14)
    quasi = analyze(ONE, QHM(s, mu, mu)).modes
    fitting = analyze(ONE, Nesterov(s * (1 - mu), mu)).modes
    assert quasi.trace == pytest.approx(fitting.trace, rel=1e-15)
    assert quasi.determinant == pytest.approx(fitting.determinant, rel=1e-14)


@each("s", [0.001, 0.01, 0.1, 1.0, 3.24, 3.6, 3.61, 3.615])
def test_one_formula_for_all_regimes_2_3(s):
    """Heavy ball with μ = .81 over-, under- and critically damped, against fractions."""
    mu, f = Fraction(0.81), Fraction(s)
    x, v, path = Fraction(1), Fraction(0), []
    for _ in range(61):
        path.append(float(x))
        v = mu * v - f * x
        x = x + v
    found = analyze(ONE, HeavyBall(s, 0.81)).errors([1.0], np.arange(61.0))[:, 0]
    assert found == pytest.approx(path, rel=1e-9, abs=1e-12)
    mu, f, u, t = 0.81, s, [0.0, 1.0], 1.81 - s
    for _ in range(60):
        u.append(t * u[-1] - mu * u[-2])
    again = [u[k] * (1 - f) - mu * (u[k - 1] if k else -1 / mu) for k in range(60)]
    assert again == pytest.approx(path[:60], rel=1e-7, abs=1e-11)


def test_closed_border_of_heavy_ball_2_4():
    """At s = 2(1 + μ) the roots are -1 and -μ: bounded, not convergent; at s = 0 one root is 1."""
    mu = 0.5
    edge = analyze(ONE, HeavyBall(2 * (1 + mu), mu))
    assert sorted(edge.modes.roots[0].real) == pytest.approx([-1.0, -0.5], rel=1e-14)
    path = edge.errors([1.0], np.arange(2000.0))[:, 0]
    assert np.abs(path).max() < 10
    assert np.abs(path[-2:]).min() > 0.1
    assert edge.outcome == "marginal"
    assert analyze(spectrum(0.0, 1.0), HeavyBall(0.1, mu)).modes.roots[0, 0] == 1.0
    for rule, limit in ((EMAMomentum(0.1, 0.9), 38.0), (HeavyBall(0.1, 0.9), 3.8)):
        assert analyze(ONE, rule).stability_limit == pytest.approx(limit, rel=1e-14)
    dampened = analyze(ONE, OuterMomentum(0.1, 0.9, dampening=0.25))
    assert dampened.stability_limit == pytest.approx(2 * 1.9 / 0.75, rel=1e-12)


@pytest.mark.survey
@pytest.mark.parametrize("mu", [-0.5, 0.2, 0.81, 0.9])
def test_spectral_radii_2_5(mu):
    """The formulas per regime, over the whole band of heavy ball and Nesterov."""
    for s in np.linspace(0.01, 2 * (1 + mu) - 0.01, 17):
        radius = max(abs(r) for r in np.roots([1, -(1 + mu - s), mu]))
        root = math.sqrt(max(mu, 0.0))
        if mu >= 0 and (1 - root) ** 2 <= s <= (1 + root) ** 2:
            formula = root
        else:
            formula = (abs(1 + mu - s) + math.sqrt((1 + mu - s) ** 2 - 4 * mu)) / 2
        assert formula == pytest.approx(radius, rel=1e-6)
        if mu >= 0:
            # np.roots and the formula lose half the digits where the roots meet
            assert analyze(ONE, HeavyBall(float(s), mu)).rate == pytest.approx(formula, rel=1e-7)
    turning = ((1 - mu) / (1 + mu)) ** 2
    for s in np.linspace(0.005, 1.3, 16):
        low, high = sorted([1.0, turning])
        is_complex = np.abs(analyze(ONE, Nesterov(float(s), mu)).modes.roots[0].imag).max() > 0
        assert is_complex == (low < s < high)
        if is_complex:
            rate = analyze(ONE, Nesterov(float(s), mu)).rate
            assert rate == pytest.approx(math.sqrt(mu * (1 - s)), rel=1e-13)
    critical = analyze(ONE, Nesterov(turning, mu)).rate
    assert critical == pytest.approx(abs(2 * mu / (1 + mu)), rel=1e-7)


def test_polyak_is_sensitive_2_6():
    """Over-estimating m leaves the slow mode overdamped; under-estimating L can diverge."""
    polyak = analyze(Spectrum.between(2.0, 100.0), HeavyBall).optimizer
    a, mu = polyak.learning_rate, polyak.momentum
    slow = analyze(Spectrum.between(1.0, 100.0), polyak)
    t = 1 + mu - a
    assert slow.rate == pytest.approx((t + math.sqrt(t * t - 4 * mu)) / 2, rel=1e-12)
    assert slow.rate > math.sqrt(mu) + 1e-3
    for L in (2 * (1 + mu) / a * 0.999999, 2 * (1 + mu) / a * 1.000001):
        assert analyze(spectrum(L), polyak).is_stable == (a * L < 2 * (1 + mu))


@pytest.mark.survey
@pytest.mark.parametrize("kappa", [3.0, 100.0])
def test_blind_minimisation_2_7(kappa):
    """No (α, μ) on a fine grid beats 1 - 2/√(3κ + 1) for Nesterov, nor √μ* for heavy ball."""
    lam = np.geomspace(1.0, kappa, 60)
    for cls, best in (
        (Nesterov, 1 - 2 / math.sqrt(3 * kappa + 1)),
        (HeavyBall, (math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)),
    ):
        rule = analyze(Spectrum.between(1.0, kappa), cls).optimizer
        a = rule.learning_rate * np.linspace(0.7, 1.3, 121)[:, None, None]
        mu = rule.momentum + np.linspace(-0.15, 0.15, 121)[:, None]
        mu = np.clip(mu, 0.0, 0.9999)
        t = (1 + mu) * (1 - a * lam) if cls is Nesterov else 1 + mu - a * lam
        d = mu * (1 - a * lam) if cls is Nesterov else mu + 0 * a * lam
        real = (np.abs(t) + np.sqrt(np.maximum(t * t - 4 * d, 0))) / 2
        radius = np.where(t * t >= 4 * d, real, np.sqrt(np.abs(d))).max(axis=-1)
        assert radius.min() >= best - 1e-9
        assert radius.min() <= best + 0.02
        found = worst_rate(rule.unchecked(learning_rate=a, momentum=mu), lam)
        assert found == pytest.approx(radius, rel=1e-7)


@each("mu", [-0.5, 0.0, 0.3, 0.669, 0.8, 0.95])
def test_one_given_2_8(mu):
    """HB, μ given: α = 2(1 + μ)/(m + L); NAG, α given: μ* and ρ = 1 - √(αm); against grids."""
    m, L = 1.0, 100.0
    lam = np.geomspace(m, L, 200)

    def worst(a, momentum):
        t = 1 + momentum - a * lam
        real = (np.abs(t) + np.sqrt(np.maximum(t * t - 4 * momentum, 0))) / 2
        return np.where(t * t >= 4 * momentum, real, math.sqrt(abs(momentum))).max()

    a = 2 * (1 + mu) / (m + L)
    c = (1 + mu) * (L - m) / (L + m)
    rate = math.sqrt(mu) if c * c <= 4 * mu else (c + math.sqrt(c * c - 4 * mu)) / 2
    assert worst(a, mu) == pytest.approx(rate, rel=1e-9)
    assert min(worst(a * f, mu) for f in np.linspace(0.5, 1.5, 101)) >= rate - 1e-12
    if mu >= 0:
        given = analyze(Spectrum.between(m, L), HeavyBall, {"momentum": mu})
        assert given.rate == pytest.approx(rate, rel=1e-9)
        # Below Polyak's μ the best α is unique; above it a whole interval ties.
        low, high = (1 - math.sqrt(mu)) ** 2 / m, (1 + math.sqrt(mu)) ** 2 / L
        assert (low < high) == (mu > (9 / 11) ** 2)
        for other in np.linspace(low, high, 7)[1:-1]:
            assert (worst(other, mu) <= rate * (1 + 1e-9)) == (mu > (9 / 11) ** 2)


@pytest.mark.parametrize("alpha", [0.001, 0.01, 4 / 301])
def test_nesterov_with_alpha_given_2_8(alpha):
    m, L = 1.0, 100.0
    given = analyze(Spectrum.between(m, L), Nesterov, {"learning_rate": alpha})
    root = math.sqrt(alpha * m)
    assert given.optimizer.momentum == pytest.approx((1 - root) / (1 + root), rel=1e-9)
    assert given.rate == pytest.approx(1 - root, rel=1e-9)
    single = analyze(spectrum(1.0), HeavyBall, {"learning_rate": alpha})
    assert single.rate == pytest.approx(abs(1 - root), rel=1e-7)


def test_transient_in_closed_form_2_9():
    """From rest: (1 + k(1 - r)) r^k at m, (1 + k(1 + r))(-r)^k at L; the peak tends to √κ/e."""
    kappa = 100.0
    r = 9 / 11
    analysis = analyze(spectrum(1.0, kappa), HeavyBall)
    k = np.arange(60.0)
    ends = analysis.errors([1.0, 1.0], k)
    assert ends[:, 0] == pytest.approx((1 + k * (1 - r)) * r**k, rel=1e-11)
    assert ends[:, 1] == pytest.approx((1 + k * (1 + r)) * (-r) ** k, rel=1e-11)
    for kappa, accuracy in ((1e4, 1e-4), (1e6, 1e-5), (1e8, 1e-6)):
        peak = analyze(Spectrum.between(1.0, kappa), HeavyBall).transient_peak
        assert peak.size == pytest.approx(math.sqrt(kappa) / math.e, rel=accuracy * 10)
        assert peak.step == pytest.approx(math.sqrt(kappa) / 2, abs=2)


def test_norms_of_powers_2_10():
    """Polyak, κ = 1e4: 36.80 at k = 50; standard Nesterov: 73.2 over the spectrum (LAPACK)."""
    kappa = 1e4
    polyak = analyze(Spectrum.between(1.0, kappa), HeavyBall)
    standard = analyze(Spectrum.between(1.0, kappa), Nesterov(1 / kappa, 99 / 101))
    first, second = worst_growth(polyak), worst_growth(standard)
    assert first.any_start.size == pytest.approx(36.80, abs=0.005)
    assert first.any_start.step == 50
    assert first.from_rest == polyak.transient_peak
    assert second.any_start.size == pytest.approx(73.2, abs=0.05)
    assert second.from_rest.size == 1.0
    for growth, analysis in ((first, polyak), (second, standard)):
        peak, rule = growth.any_start, analysis.optimizer
        s = rule.learning_rate * peak.eigenvalue
        t = 1 + rule.momentum - s if rule is polyak.optimizer else (1 + rule.momentum) * (1 - s)
        d = rule.momentum if rule is polyak.optimizer else rule.momentum * (1 - s)
        power = np.linalg.matrix_power(np.array([[t, -d], [1.0, 0.0]]), peak.step)
        assert np.linalg.norm(power, 2) == pytest.approx(peak.size, rel=1e-6)
        assert "grows" in str(growth)


@each("rule", [GradientDescent(0.4), HeavyBall(0.3, 0.7), Nesterov(0.9, 0.6), QHM(0.5, 0.9, 0.7)])
def test_norms_of_powers_against_lapack_2_10(rule):
    lam = np.array([0.01, 0.5, 1.0, 1.8])
    modes = analyze(Spectrum.from_eigenvalues(lam), rule).modes
    norms = power_norms(modes, np.arange(25))
    for i in range(4):
        coefficients = np.poly(modes.matrix[i])
        size = len(coefficients) - 1
        companion = np.diag(np.ones(size - 1), -1)
        companion[0] = -coefficients[1:]
        for k in range(25):
            power = np.linalg.matrix_power(companion, k)
            assert norms[k, i] == pytest.approx(np.linalg.norm(power, 2), rel=1e-9)


class ThreeSlots(Optimizer):
    """Heavy ball with a position that is remembered, so that it has three slots."""

    learning_rate: float = 0.3

    def step(self, problem, t, theta, velocity, before):
        velocity = 0.5 * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity - 0.1 * (theta - before), velocity, theta


def test_norms_of_powers_of_any_rule_2_10():
    analysis = analyze(Spectrum.from_eigenvalues([0.2, 1.0]), ThreeSlots())
    norms = power_norms(analysis.modes, [0, 1, 7])
    for i in range(2):
        companion = np.diag(np.ones(2), -1)
        companion[0] = -np.poly(analysis.modes.matrix[i])[1:]
        for row, k in enumerate((0, 1, 7)):
            expected = np.linalg.norm(np.linalg.matrix_power(companion, k), 2)
            assert norms[row, i] == pytest.approx(expected, rel=1e-9)
    growth = worst_growth(analysis)
    assert growth.any_start.size >= norms.max() - 1e-12


def test_growth_without_end_without_any_and_without_meaning_2_10():
    assert worst_growth(analyze(ONE, HeavyBall(5.0, 0.9))).any_start.grows
    assert "without end" in worst_growth(analyze(ONE, HeavyBall(5.0, 0.9))).words
    plain = worst_growth(analyze(Spectrum.between(1.0, 10.0), GradientDescent))
    assert plain.any_start.size == 1.0
    assert plain.words == "No state ever grows."
    flat = worst_growth(analyze(spectrum(0.0), HeavyBall(0.1, 0.5)))
    assert flat.any_start.size == 1.0
    many = worst_growth(analyze(Spectrum.from_eigenvalues(np.geomspace(1, 100, 400)), HeavyBall))
    assert many.any_start.size > 3
    assert json.dumps(many.to_dict())
    with pytest.raises(NotDerivableError, match="no single map"):
        worst_growth(analyze(ONE, Adam(0.1)))


def test_plane_2_11():
    """Velocity -α(1 - μ^k)/(1 - μ), displacement, and ⌈ln(1 - f)/ln μ⌉ (22), in mpmath."""
    for alpha, mu in ((0.1, 0.9), (0.01, 0.99), (2.0, 0.5)):
        slope = plane(HeavyBall(alpha, mu))
        assert slope.effective_learning_rate == pytest.approx(alpha / (1 - mu), rel=1e-14)
        for k in (1, 2, 10, 500):
            with mpmath.workdps(40):
                a, m = mpmath.mpf(alpha), mpmath.mpf(mu)
                velocity = -a * (1 - m**k) / (1 - m)
                moved = -a / (1 - m) * (k - m * (1 - m**k) / (1 - m))
            assert slope.velocity(k) == pytest.approx(float(velocity), rel=1e-11)
            assert slope.displacement(k) == pytest.approx(float(moved), rel=1e-12)
        for fraction in (0.5, 0.9, 0.99, 0.999):
            with mpmath.workdps(40):
                count = mpmath.ceil(mpmath.log(1 - mpmath.mpf(fraction)) / mpmath.log(mu))
            assert slope.steps_to(fraction) == int(count)
    slope = plane(HeavyBall(0.1, 0.9))
    assert slope.steps_to(0.9) == 22
    assert slope.velocity(0) == 0.0
    assert "22" in str(slope)
    assert slope.to_dict()["steps_to_90_percent"] == 22
    # Lecture 002: μ .9 → .99 and α/10 keep the velocity
    assert plane(HeavyBall(0.01, 0.99)).terminal_velocity == pytest.approx(
        slope.terminal_velocity, rel=1e-13
    )
    assert plane(HeavyBall(0.01, 0.99)).steps_to(0.9) == 230
    long = plane(HeavyBall(0.1, 1 - 2.0**-40))
    assert long.effective_learning_rate == pytest.approx(0.1 * 2**40, rel=1e-15)
    assert long.steps_to(0.9) == pytest.approx(2**40 * math.log(10), rel=1e-9)


def test_nesterov_is_identical_on_a_plane_2_11():
    k = np.arange(50)
    assert plane(Nesterov(0.1, 0.9)).displacement(k) == pytest.approx(
        plane(HeavyBall(0.1, 0.9)).displacement(k), rel=1e-13
    )
    assert plane(EMAMomentum(0.1, 0.9)).terminal_velocity == pytest.approx(-0.1, rel=1e-15)


@pytest.mark.parametrize(
    ("rule", "speed"),
    [
        (GradientDescent(0.3), 0.3),
        (QHM(0.1, 0.9, 0.7), 0.1),
        (OuterMomentum(0.1, 0.9, dampening=0.5), 0.5),
        (OuterMomentum(0.1, 0.9, nesterov=True), 1.0),
        (TwoRateNesterov(0.1, 0.5, 0.9), 0.5),
        (TripleMomentum(0.1, 0.5, 0.2, 0.3), 0.2),
        (ChebyshevSteps(1.0, 10.0, 4), None),
        (DampedNewton(0.5, 0.01), 50.0),
        (WeightDecay(HeavyBall(0.1, 0.9), 1.0), 0.0),
        (HeavyBall(0.1, 1.0), math.inf),
        (NesterovTwoPoint(0.1), math.inf),
    ],
)
def test_planes_of_other_rules_2_11(rule, speed):
    """Velocities in the long run against a simulation with A = 0."""
    slope = plane(rule)
    if speed is not None:
        assert slope.effective_learning_rate == pytest.approx(speed, rel=1e-12)
    if not isinstance(rule, DampedNewton):
        path = simulate(Quadratic(np.zeros((1, 1)), [1.0]), rule, [0.0], 2000, record="path").theta[
            :, 0
        ]
        assert slope.displacement([1, 5, 300]) == pytest.approx(path[[1, 5, 300]], rel=1e-10)
        if math.isfinite(slope.terminal_velocity):
            late = (path[2000] - path[1200]) / 800
            assert late == pytest.approx(slope.terminal_velocity, rel=1e-6, abs=1e-3)
            first = slope.steps_to(0.9)
            share = np.abs(1 - np.diff(path) / (slope.terminal_velocity or 1.0))
            if first is not None:
                assert (share[first - 1 :] <= 0.1 + 1e-9).all()
                assert first == 1 or share[first - 2] > 0.1
    assert slope.words in " ".join(str(slope).split())  # however the lines break


class Alternating(Optimizer):
    """Its velocity on a plane swings for ever."""

    learning_rate: float = 0.1

    def step(self, problem, t, theta, velocity):
        velocity = -velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class Leaking(Optimizer):
    """It forgets its point, and swings."""

    learning_rate: float = 0.1

    def step(self, problem, t, theta):
        return -theta - self.learning_rate * problem.gradient(theta)


def test_planes_without_an_answer_2_11():
    for rule in (Alternating(), Leaking()):
        with pytest.raises(NotDerivableError, match="tends to nothing"):
            plane(rule)
    with pytest.raises(NotDerivableError, match="not linear"):
        plane(Adam(0.1))
    with pytest.raises(InputError, match="fraction must be in"):
        plane(HeavyBall(0.1)).steps_to(1.0)
    assert plane(HeavyBall(0.1, 1.0)).steps_to(0.9) is None
    assert plane(ChebyshevSteps(1.0, 10.0, 4)).steps_to(0.9) is None


@pytest.mark.parametrize("name", ["heavy ball", "Nesterov"])
def test_energy_in_rationals_2_12(name):
    """I_k = d^k I_0 exactly, in fractions, and in symbols for every t and d."""
    mu, s = Fraction(7, 8), Fraction(13, 10)
    t, d = (1 + mu - s, mu) if name == "heavy ball" else ((1 + mu) * (1 - s), mu * (1 - s))
    x = [Fraction(1), 1 - s]
    for _ in range(40):
        x.append(t * x[-1] - d * x[-2])
    energy = [b * b - t * a * b + d * a * a for a, b in pairwise(x)]
    assert all(b == d * a for a, b in pairwise(energy))
    cls = HeavyBall if name == "heavy ball" else Nesterov
    analysis = analyze(ONE, cls(float(s), float(mu)))
    path = np.array([[float(v)] for v in x])
    assert energies(analysis, path)[:, 0] == pytest.approx([float(e) for e in energy], rel=1e-9)
    assert energy_defect(analysis, path) < 1e-15


@each("mu", [0.0, 0.5, 0.95, 1.0])
def test_runs_pass_their_own_test_2_12(mu):
    """Runs in rotated coordinates, with b; a wrong rule, setting, matrix or b does not pass."""
    problem, start = random_problem(3)
    path = simulate(problem, HeavyBall(0.3, mu), start, 40, record="path").theta
    assert energy_defect(analyze(problem, HeavyBall(0.3, mu)), path) < 1e-13
    wrong = [
        analyze(problem, HeavyBall(0.31, mu)),
        analyze(Quadratic(1.01 * matrix_of(problem), slope_of(problem)), HeavyBall(0.3, mu)),
        analyze(Quadratic(matrix_of(problem), slope_of(problem) + 0.1), HeavyBall(0.3, mu)),
    ]
    if mu > 0:
        wrong.append(analyze(problem, Nesterov(0.3, mu)))
    for analysis in wrong:
        assert energy_defect(analysis, path) > 1e-6
    if mu == 1.0:  # the sum over directions is the shadow energy of 2.12
        total = energies(analyze(problem, HeavyBall(0.3, 1.0)), path).sum(axis=1) / 0.6
        assert total == pytest.approx(total[0], rel=1e-12)
        centre = np.linalg.solve(matrix_of(problem), -slope_of(problem))
        e, v = path[1:] - centre, np.diff(path, axis=0)
        shadow = (v * v).sum(axis=1) / 0.6 + ((e @ matrix_of(problem)) * (e - v)).sum(axis=1) / 2
        assert total == pytest.approx(shadow, rel=1e-11)


def test_energy_of_one_slot_and_bad_paths_2_12():
    problem, start = random_problem(4)
    analysis = analyze(problem, GradientDescent(0.3))
    path = simulate(problem, GradientDescent(0.3), start, 30, record="path").theta
    assert energy_defect(analysis, path) < 1e-13
    assert energy_defect(analyze(problem, GradientDescent(0.32)), path) > 1e-4
    with pytest.raises(InputError, match="path must have shape"):
        energy_defect(analysis, path[:2])
    with pytest.raises(NotDerivableError, match="one or two slots"):
        energies(analyze(problem, ThreeSlots()), path)


def test_shadow_energy_is_positive_definite_up_to_four_2_12():
    """I = x² - (2 - s) x y + y² at μ = 1 is definite iff 0 < s < 4; the naive one swings ±√s/2."""
    for s in (0.1, 2.0, 3.99, 4.01, -0.01):
        form = np.array([[1.0, -(2 - s) / 2], [-(2 - s) / 2, 1.0]])
        assert (np.linalg.eigvalsh(form)[0] > 0) == (0 < s < 4)
    s = 1e-4
    x = analyze(ONE, HeavyBall(s, 1.0)).errors([1.0], np.arange(3000.0))[:, 0]
    naive = np.diff(x) ** 2 / (2 * s) + x[1:] ** 2 / 2
    swing = (naive.max() - naive.min()) / (naive.max() + naive.min())
    assert swing == pytest.approx(math.sqrt(s) / 2, rel=0.02)


class GrowingMomentum(Optimizer):
    """Nesterov with μ_n = (n - 1)/(n + 1), n = t - 1: the index of 2.13."""

    learning_rate: float = 0.1
    period = None

    def step(self, problem, t, theta, before):
        ahead = theta + (t - 2) / t * (theta - before)
        return ahead - self.learning_rate * problem.gradient(ahead), theta

    def start(self, problem, theta):
        return (theta,)


@each("s", [0.001, 0.1, 0.5, 0.99])
def test_growing_momentum_2_13(s):
    """x_k = (1 - s)^((k+1)/2) sin(kω)/(k√s) with ω = arcsin √s; x₂ = (1 - s)² x₀."""
    found = analyze(ONE, GrowingMomentum(s)).predict([1.0], np.arange(1, 80))[:, 0]
    with mpmath.workdps(40):
        exact = mpmath.mpf(s)
        omega = mpmath.asin(mpmath.sqrt(exact))
        values = [
            float(
                (1 - exact) ** (mpmath.mpf(k + 1) / 2)
                * mpmath.sin(k * omega)
                / k
                / mpmath.sqrt(exact)
            )
            for k in range(1, 80)
        ]
    assert found == pytest.approx(values, rel=1e-9, abs=1e-12)
    assert found[:2] == pytest.approx([1 - s, (1 - s) ** 2], rel=1e-14)
    envelope = [1 / (k * math.sqrt(s)) for k in range(1, 80)]
    assert (np.abs(found) <= np.array(envelope) * (1 + 1e-12)).all()


@pytest.mark.parametrize("mu", [0.5, 0.9, 0.99])
def test_slow_root_2_14(mu):
    """[A] The slow root is 1 - s/(1-μ) - μs²/(1-μ)³ + O(s³): the rest falls ×1000 a decade."""
    rest = []
    for scale in (1e-2, 1e-3, 1e-4):
        s = scale * (1 - math.sqrt(mu)) ** 2
        with mpmath.workdps(50):
            m, f = mpmath.mpf(mu), mpmath.mpf(s)
            t = 1 + m - f
            root = (t + mpmath.sqrt(t * t - 4 * m)) / 2
            rest.append(float(abs(root - (1 - f / (1 - m) - m * f**2 / (1 - m) ** 3))))
        found = analyze(ONE, HeavyBall(s, mu)).one_minus_rate
        assert found == pytest.approx(float(1 - root), rel=1e-10)
        assert found == pytest.approx(s / (1 - mu), rel=3 * scale)
    assert rest[0] / rest[1] == pytest.approx(1000, rel=0.05)
    assert rest[1] / rest[2] == pytest.approx(1000, rel=0.01)
    # Underdamped directions decay at √μ, whatever α is.
    rates = [analyze(ONE, HeavyBall(s, mu)).rate for s in (0.3, 0.8, 1.5)]
    assert rates == pytest.approx([math.sqrt(mu)] * 3, rel=1e-12)


def test_changing_the_rate_2_15():
    """μ = .9, α .1 → .01 at k = 15: x_30 = .730 (inside the buffer), .089 (outside)."""
    rate = MultiStep(0.1, 0.1, milestones=[15])
    ends = [
        float(analyze(ONE, cls(rate, 0.9)).predict([1.0], 30)[0])
        for cls in (HeavyBall, OuterMomentum)
    ]
    loops = []
    for inside in (True, False):
        x, buffer = 1.0, 0.0
        for k in range(30):
            alpha = 0.1 if k < 15 else 0.01
            buffer = 0.9 * buffer + (alpha * x if inside else x)
            x -= buffer if inside else alpha * buffer
        loops.append(x)
    assert ends == pytest.approx(loops, rel=1e-12)
    assert [abs(end) for end in ends] == pytest.approx([0.730, 0.089], abs=5e-4)


# -- 7 second order ------------------------------------------------------------------------------


def test_steps_per_e_fold_3_8():
    """κ = 1e4: 5000 against 50 steps per factor e; from 1/L and to Nesterov as stated."""
    kappa, ends = 1e4, spectrum(1.0, 1e4)
    best = 1 / -math.log1p(-analyze(ends, GradientDescent).one_minus_rate)
    slow = 1 / -math.log1p(-analyze(ends, GradientDescent(1 / kappa)).one_minus_rate)
    polyak = 1 / -math.log1p(-analyze(ends, HeavyBall).one_minus_rate)
    usual = Nesterov(1 / kappa, (math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1))
    nesterov = 1 / -math.log1p(-analyze(ends, usual).one_minus_rate)
    assert best == pytest.approx(5000, rel=1e-3)
    assert polyak == pytest.approx(50, rel=1e-3)
    assert slow / polyak == pytest.approx(2 * math.sqrt(kappa), rel=1e-2)
    assert best / nesterov == pytest.approx(math.sqrt(kappa) / 2, rel=1e-2)


def test_newton_7_1():
    """One step to the critical point, also of a saddle; (1 - η)^k; (γ/(λ + γ))^k."""
    saddle = Quadratic([[1.0, 2.0], [2.0, 1.0]], [1.0, 0.0])
    end = analyze(saddle, Newton()).predict([3.0, -4.0], 1)
    assert end == pytest.approx(np.linalg.solve(matrix_of(saddle), [-1.0, 0.0]), rel=1e-13)
    for eta in (0.3, 1.7):
        damped = analyze(spectrum(0.01, 1.0, 50.0), Newton(eta))
        errors = damped.errors([1.0, 1.0, 1.0], 9)
        assert errors == pytest.approx([(1 - eta) ** 9] * 3, rel=1e-12)
        assert damped.is_stable
    assert not analyze(spectrum(1.0), Newton(2.1)).is_stable
    lam, gamma = np.array([0.01, 1.0, 50.0]), 0.3
    shifted = analyze(Spectrum.from_eigenvalues(lam), DampedNewton(1.0, gamma))
    assert shifted.errors(np.ones(3), 6) == pytest.approx((gamma / (lam + gamma)) ** 6, rel=1e-12)
    # Levenberg-Marquardt changes its damping: the product of γ_j/(λ + γ_j), γ_j = γ/3^j
    path = simulate(
        Quadratic.diagonal(lam), LevenbergMarquardt(gamma, tolerance=0.0), np.ones(3), 4
    ).theta[-1]
    factors = [(gamma / 3**j) / (lam + gamma / 3**j) for j in range(4)]
    assert path == pytest.approx(np.prod(factors, axis=0), rel=1e-9)


def test_absolute_newton_7_1():
    """θ - |A|⁻¹ g: negative directions double, positive ones vanish (an own rule per direction)."""
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]])
    values, q = np.linalg.eigh(matrix)
    step = np.eye(2) - (q / np.abs(values)) @ q.T @ matrix
    assert np.sort(np.linalg.eigvalsh(step)) == pytest.approx([0.0, 2.0], abs=1e-15)


def test_natural_gradient_is_newton_7_2():
    """Linear-Gaussian: the Fisher information XᵀX/(Nσ²) is the Hessian of the likelihood."""
    rng = np.random.default_rng(7)
    X, y, variance = rng.normal(size=(30, 3)), rng.normal(size=30), 0.25
    problem = least_squares(X, y)
    fisher = X.T @ X / (30 * variance)
    assert matrix_of(problem) / variance == pytest.approx(fisher, rel=1e-12)
    start = rng.normal(size=3)
    natural = analyze(problem, NaturalGradient(1 / variance, variance)).predict(start, 1)
    newton = analyze(problem, Newton()).predict(start, 1)
    assert natural == pytest.approx(newton, rel=1e-10)
    # by hand, from the scores: θ - F⁻¹ ∇(negative log-likelihood)
    gradient = X.T @ (X @ start - y) / (30 * variance)
    assert start - np.linalg.solve(fisher, gradient) == pytest.approx(newton, rel=1e-10)
    # Logistic regression: Fisher = Hessian too, by differentiating twice.
    z, t = sympy.symbols("z t")
    sigma = 1 / (1 + sympy.exp(-z))
    loss = -t * sympy.log(sigma) - (1 - t) * sympy.log(1 - sigma)
    hessian = sympy.diff(loss, z, 2)
    fisher_entry = sigma * (1 - sigma)  # E over t of (σ - t)²
    for value in (-1.3, 0.2, 2.0):
        for target in (0, 1):
            left = hessian.subs({z: value, t: target})
            assert float(left) == pytest.approx(float(fisher_entry.subs(z, value)), rel=1e-12)


@each(
    "rule", [BFGS(line_search="exact"), *(LBFGS(line_search="exact", history=h) for h in (1, 2, 3))]
)
def test_quasi_newton_is_conjugate_gradients_7_3(rule):
    """The same iterates, and at the minimum after d steps; conjugate gradients by hand."""
    problem, start = random_problem(5, size=4)
    path = simulate(problem, rule, start, 4, record="path").theta
    other = simulate(problem, ConjugateGradient(), start, 4, record="path").theta
    x, r = start.copy(), -matrix_of(problem) @ start - slope_of(problem)
    p, points = r.copy(), [start]
    for _ in range(4):
        a = (r @ r) / (p @ matrix_of(problem) @ p)
        x = x + a * p
        new = r - a * matrix_of(problem) @ p
        p, r = new + (new @ new) / (r @ r) * p, new
        points.append(x)
    assert path == pytest.approx(np.array(points), rel=1e-8, abs=1e-9)
    assert other == pytest.approx(np.array(points), rel=1e-8, abs=1e-9)
    assert path[-1] == pytest.approx(
        np.linalg.solve(matrix_of(problem), -slope_of(problem)), rel=1e-7
    )
    loose = simulate(problem, BFGS(learning_rate=0.3, line_search="fixed"), start, 4).theta[-1]
    assert np.abs(loose - points[-1]).max() > 1e-3  # false with another search


# -- 9.6 saddles ---------------------------------------------------------------------------------


def test_saddle_escape_9_6():
    """⌈ln(r/|c₀|)/ln(1 + α|λ|)⌉ = 142; the heavy ball's root alone gives 38, counted 41."""
    assert math.ceil(math.log(1e3) / math.log(1.05)) == 142
    root = (1.95 + math.sqrt(1.95**2 - 3.6)) / 2
    assert math.ceil(math.log(1e3) / math.log(root)) == 38
    rule = analyze(spectrum(-1.0), HeavyBall(0.05, 0.9))
    assert 1 - rule.one_minus_rate == pytest.approx(root, rel=1e-13)
    assert root <= 1 + 0.05 / (1 - 0.9)
    x, v, count = 1e-3, 0.0, 0
    while x < 1:
        v = 0.9 * v + 0.05 * x
        x, count = x + v, count + 1
    assert count == 41
    assert abs(rule.errors([1e-3], 41)[0]) >= 1 > abs(rule.errors([1e-3], 40)[0])


def test_noise_at_a_saddle_9_6():
    """Var = α²σ²(G^2k - 1)/(G² - 1), G = 1 + α|λ|: what the steps add, in fractions."""
    G, k = Fraction(21, 20), 30
    total = Fraction(0)
    for _ in range(k):
        total = G * G * total + 1
    assert total == (G ** (2 * k) - 1) / (G * G - 1)
    runs = simulate(
        Quadratic([[-1.0]]),
        GradientDescent(0.05),
        np.zeros((4000, 1)),
        k,
        noise=AdditiveNoise(0.2**2),
        seed=1,
    ).theta[-1]
    assert np.var(runs) == pytest.approx(0.05**2 * 0.2**2 * float(total), rel=0.1)
