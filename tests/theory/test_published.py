"""The numbers of others: tables of rates and limits, and the check values of the literature.

Sources: Polyak (1964); Lessard, Recht & Packard (2016), table 1; Goh (2017); Cohen et al. (2022);
the numbered facts are those of the project's theory notes, computed there by other programs.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.domains import Positive, UnitInterval
from convex_analyzer.optimizers import registered
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze

pytestmark = pytest.mark.survey

RATES = json.loads((Path(__file__).parents[1] / "data" / "rates.json").read_text())


class AdamMomentum(Optimizer):
    """Momentum as an average of gradients, as in Adam."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    def step(self, problem, t, theta, average):
        average = self.momentum * average + (1 - self.momentum) * problem.gradient(theta)
        return theta - self.learning_rate * average, average


GIVEN = {
    "gd_alpha_1/L": lambda p: GradientDescent(p["alpha"]),
    "gd_alpha_2/(L+m)": lambda p: GradientDescent(p["alpha"]),
    "nesterov_1/L_beta_(s-1)/(s+1)": lambda p: Nesterov(p["alpha"], p["beta"]),
    "nesterov_tuned_4/(3L+m)": lambda p: Nesterov(p["alpha"], p["beta"]),
    "heavy_ball_tuned": lambda p: HeavyBall(p["alpha"], p["beta"]),
}
TUNED = {
    "gd_alpha_2/(L+m)": GradientDescent,
    "nesterov_tuned_4/(3L+m)": Nesterov,
    "heavy_ball_tuned": HeavyBall,
}


@each("cell", RATES["lessard_table"], ids=lambda c: f"{c['method']}-{c['kappa']:g}")
def test_table_of_rates(cell):
    """Every cell: κ = 2 ... 1e4, five methods, as given and as tuned here."""
    spectrum = Spectrum.between(cell["m"], cell["L"])
    given = analyze(spectrum, GIVEN[cell["method"]](cell["params"]))
    # The parameters are rounded to float64, which at a double root costs half the digits.
    assert given.rate == pytest.approx(cell["formula_rate"], rel=2e-7)
    if cell["method"] in TUNED:
        tuned = analyze(spectrum, TUNED[cell["method"]])
        assert tuned.rate == pytest.approx(cell["formula_rate"], rel=1e-14, abs=1e-15)
        for name, key in (("learning_rate", "alpha"), ("momentum", "beta")):
            if key in cell["params"]:
                found = getattr(tuned.optimizer, name)
                assert found == pytest.approx(cell["params"][key], rel=1e-12, abs=1e-15)


@each("row", RATES["bounds"], ids=lambda r: f"beta={r['beta']}")
@each(
    ("column", "rule"),
    [("heavy_ball", HeavyBall), ("nesterov", Nesterov), ("ema_momentum_as_in_adam", AdamMomentum)],
)
def test_table_of_stability_bounds(row, column, rule):
    """The largest stable curvature at a learning rate, read as a limit of the learning rate."""
    curvature = row[column]["value"]
    analysis = analyze(Spectrum.from_eigenvalues([curvature]), rule(row["eta"], row["beta"]))
    assert analysis.stability_limit == pytest.approx(row["eta"], rel=1e-14)
    for factor, stable in ((1 - 1e-9, True), (1 + 1e-9, False)):
        near = analyze(Spectrum.from_eigenvalues([curvature * factor]), analysis.optimizer)
        assert near.is_stable == stable


# -- worst-case step counts (theory notes 10.0) --------------------------------------------------

WORST = {  # κ: GD 1/L, GD*, Nesterov 1/L, Nesterov tuned, Polyak
    10: (132, 69, 44, 38, 27),
    1e2: (1375, 691, 158, 136, 95),
    1e4: (138149, 69078, 1660, 1437, 1074),
    1e6: (13815504, 6907756, 16680, 14444, 11949),
}


def settings(kappa: float):
    root = math.sqrt(kappa)
    return (
        GradientDescent(1 / kappa),
        GradientDescent,
        Nesterov(1 / kappa, (root - 1) / (root + 1)),
        Nesterov,
        HeavyBall,
    )


@each("kappa", WORST)
@each("column", range(5), ids=["GD(1/L)", "GD*", "NAG(1/L)", "NAG*", "Polyak"])
def test_worst_case_steps(kappa, column):
    """Steps to |x_k| <= 1e-6 |x_0| over [1, κ] from rest."""
    analysis = analyze(Spectrum.between(1.0, kappa), settings(kappa)[column])
    assert analysis.steps_to(1e-6, criterion="norm") == WORST[kappa][column]


def test_worst_case_steps_by_brute_force():
    """κ = 100, counted by running every eigenvalue on a fine grid."""
    grid = np.linspace(1.0, 100.0, 4001)
    problem, start = Quadratic.diagonal(grid), np.ones(4001)
    for rule, expected in zip(settings(100.0), WORST[1e2], strict=True):
        chosen = rule if isinstance(rule, Optimizer) else analyze(Spectrum.between(1, 100), rule)
        optimizer = getattr(chosen, "optimizer", chosen)
        sizes = np.abs(simulate(problem, optimizer, start, expected, record="path").theta).max(
            axis=1
        )
        assert np.flatnonzero(sizes <= 1e-6).tolist() == [expected]


def test_shares_by_which_polyak_exceeds_the_rate():
    """Theory notes 2.6: 28 %, 38 %, 55 % and 73 % above ln ε / ln ρ."""
    for kappa, share in ((10, 0.28), (1e2, 0.38), (1e4, 0.55), (1e6, 0.73)):
        analysis = analyze(Spectrum.between(1.0, kappa), HeavyBall)
        by_rate = math.log(1e-6) / math.log1p(-analysis.one_minus_rate)
        count = analysis.steps_to(1e-6, criterion="norm")
        assert count / by_rate - 1 == pytest.approx(share, abs=0.006)


# -- gradient descent (theory notes 1) -----------------------------------------------------------


def test_the_toy_of_lecture_000():
    toy = Spectrum.from_eigenvalues([0.2, 4.0])
    assert toy.condition_number == 20.0
    best = analyze(toy, GradientDescent)
    assert best.optimizer.learning_rate == pytest.approx(0.476190, abs=5e-7)
    assert best.rate == pytest.approx(19 / 21, rel=1e-15)
    assert best.stability_limit == 0.5
    end = analyze(toy, GradientDescent(0.4)).predict([-5.0, -2.0], 20)
    assert end == pytest.approx([-0.943467, -0.000073], abs=5e-7)
    fast = analyze(toy, GradientDescent(0.6))
    assert fast.outcome == "unstable"
    assert "diverges" in fast.verdict()
    assert "0 < α < 0.5" in fast.verdict()


def test_regimes_1_2():
    lam = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    found = analyze(Spectrum.from_eigenvalues(lam), GradientDescent(1.0)).directions
    assert found.regime == [
        "escape",
        "neutral",
        "monotone",
        "one step",
        "alternating",
        "two-cycle",
        "diverging",
    ]
    path = analyze(Spectrum.from_eigenvalues([1.5]), GradientDescent(1.0)).predict([1.0], [1, 2, 3])
    assert path[:, 0].tolist() == [-0.5, 0.25, -0.125]


def test_gap_of_a_saddle_1_3():
    problem = Quadratic([[1.0, 2.0], [2.0, 1.0]], [1.0, 0.0])
    analysis = analyze(problem, GradientDescent(0.2))
    # J = gap + J at the critical point; J falls without end along the negative direction.
    centre = problem.value(problem.critical_point)
    assert analysis.gap([0.3, 0.1], 20) + centre == pytest.approx(-234.9968, abs=5e-5)
    assert analysis.outcome == "unstable"
    assert "leaves the saddle" in analysis.verdict()


def test_rate_1_4():
    best = analyze(Spectrum.between(0.37, 11.0), GradientDescent)
    assert best.optimizer.learning_rate == pytest.approx(0.175901, abs=5e-7)
    assert best.rate == pytest.approx(0.934916, abs=5e-7)
    one = analyze(Spectrum.from_eigenvalues([3.0, 3.0]), GradientDescent)
    assert one.rate == pytest.approx(0.0, abs=1e-15)
    assert one.steps_to(1e-6) == 1
    edge = analyze(Spectrum.from_eigenvalues([1.0, 4.0]), GradientDescent(0.5))
    assert edge.outcome == "marginal"
    assert edge.rate == 1.0


def test_counts_on_exact_powers_1_5():
    one = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(0.1))
    for k in range(1, 60):
        assert one.steps_to(0.9**k, criterion="norm") == k
        assert one.steps_to(0.9**k, criterion="rate") == k


def test_hidden_instability_1_6():
    """A falling loss does not certify α < 2/L: it falls for 193 steps, then diverges."""
    analysis = analyze(Spectrum.from_eigenvalues([0.01, 1.0]), GradientDescent(2.05))
    gaps = analysis.gap([10.0, 1e-6], np.arange(400))
    assert analysis.outcome == "unstable"
    assert int(np.argmin(gaps)) == 193
    assert gaps[0] == pytest.approx(0.5, rel=1e-6)
    assert gaps[193] == pytest.approx(2.4e-4, rel=0.05)
    assert gaps[399] > gaps[193]
    log = np.log(gaps)
    assert np.all(np.diff(log, 2) >= -1e-12)  # log-convex


def test_singular_problems_1_7():
    inside = Quadratic(2 * np.ones((2, 2)), [-6.0, -6.0])
    analysis = analyze(inside, GradientDescent(0.2))
    assert analysis.predict([4.0, 1.0], 10**6) == pytest.approx([3.0, 0.0], abs=1e-12)
    assert analysis.outcome == "stable"
    outside = Quadratic.diagonal([2.0, 0.0], [-2.0, -3.0])
    drifting = analyze(outside, GradientDescent(0.3))
    assert drifting.outcome == "drifting"
    end = drifting.predict([5.0, 1.0], 50)
    assert end == pytest.approx([1.0, 46.0], rel=1e-12)
    assert outside.value(end) == pytest.approx(-139.0, rel=1e-12)
    late = drifting.gap([5.0, 1.0], np.array([500, 501]))
    assert late[1] - late[0] == pytest.approx(-0.3 * 9.0, rel=1e-9)  # -α |P b|²


def test_descent_identity_1_8():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    problem = Quadratic(root @ root.T, rng.normal(size=4))
    theta, alpha = rng.normal(size=4), 0.07
    g = problem.gradient(theta)
    change = simulate(problem, GradientDescent(alpha), theta, 1).loss
    predicted = -alpha * g @ (g - alpha * problem.hessian_vector(theta, g) / 2)
    assert change[1] - change[0] == pytest.approx(predicted, rel=1e-10)


# -- momentum (theory notes 2) -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "k", "value"),
    [(HeavyBall(0.01, 0.81), 40, 0.0739044), (HeavyBall(0.3, 0.9), 50, -0.0700638)],
)
def test_solutions_2_3(rule, k, value):
    analysis = analyze(Spectrum.from_eigenvalues([1.0]), rule)
    assert analysis.predict([1.0], k)[0] == pytest.approx(value, abs=5e-8)


@each(
    ("momentum", "low", "high"),
    [
        (-3.0, 0.8, 4 / 3),
        (-1.5, 0.5, 5 / 3),
        (-0.8, 0.0, 2.25),
        (-0.4, 0.0, 3.5),
        (-1 / 3, 0.0, 4.0),
        (0.0, 0.0, 2.0),
        (0.9, 0.0, 3.8 / 2.8),
        (1.0, 0.0, 4 / 3),
        (1.5, 1 / 3, 1.25),
        (4.0, 0.75, 1 + 1 / 9),
    ],
)
def test_nesterov_is_stable_on_one_band_for_every_momentum_2_4(momentum, low, high):
    (band,) = analyze(
        Spectrum.from_eigenvalues([1.0]), Nesterov(0.1, momentum)
    ).stable_learning_rates
    assert band == (pytest.approx(low, abs=1e-15), pytest.approx(high, rel=1e-15))
    for s in np.linspace(low, high, 9)[1:-1]:
        roots = np.roots([1.0, -(1 + momentum) * (1 - s), momentum * (1 - s)])
        assert np.abs(roots).max() < 1 + 1e-12
    for s in (low * 0.99, high * 1.01):
        if s > 0:
            roots = np.roots([1.0, -(1 + momentum) * (1 - s), momentum * (1 - s)])
            assert np.abs(roots).max() > 1


@given(st.floats(-50.0, 50.0).filter(lambda mu: abs(mu + 0.5) > 1e-9))
def test_nesterov_bands_for_every_real_momentum_2_4(momentum):
    """The four cases of the theory notes as one rule, and NumPy's roots inside and outside."""
    one, far, near = Spectrum.from_eigenvalues([1.0]), 1 + 1 / (1 + 2 * momentum), 0.0
    if momentum != 0:
        near = 1 - 1 / momentum
    if momentum < -1:
        low, high = far, near
    elif momentum < -1 / 3:
        low, high = 0.0, near
    else:
        low, high = max(0.0, near) if momentum > 1 else 0.0, far
    bands = analyze(one, Nesterov(0.1, momentum)).stable_learning_rates
    if low < high * (1 - 1e-12):
        assert bands == [(pytest.approx(low, rel=1e-12, abs=1e-15), pytest.approx(high, rel=1e-12))]
        middle = (low + high) / 2
        roots = np.roots([1.0, -(1 + momentum) * (1 - middle), momentum * (1 - middle)])
        assert np.abs(roots).max() < 1 + 1e-9


def test_limits_shrink_with_nesterov_2_4():
    one = Spectrum.from_eigenvalues([1.0])
    rules = (GradientDescent(0.1), Nesterov(0.1, 0.9), HeavyBall(0.1, 0.9), AdamMomentum(0.1, 0.9))
    limits = [analyze(one, rule).stability_limit for rule in rules]
    assert limits == pytest.approx([2.0, 1.3571, 3.8, 38.0], abs=5e-5)


def test_heavy_ball_with_momentum_one_never_settles_2_4():
    one = analyze(Spectrum.from_eigenvalues([1.0]), HeavyBall(0.5, 1.0))
    assert one.outcome == "marginal"
    assert one.stable_learning_rates == []
    assert one.directions[0].regime == "undamped oscillation"
    assert one.steps_to(0.5) is None
    assert analyze(Spectrum.from_eigenvalues([1.0]), Nesterov(0.5, 1.0)).outcome == "stable"


def test_radii_2_5():
    one = Spectrum.from_eigenvalues([0.3])
    assert analyze(one, HeavyBall(1.0, 0.9)).rate == pytest.approx(0.948683, abs=5e-7)
    assert analyze(one, Nesterov(1.0, 0.9)).rate == pytest.approx(0.793725, abs=5e-7)
    nilpotent = analyze(Spectrum.from_eigenvalues([1.0]), Nesterov(1.0, 0.9))
    assert nilpotent.rate == 0.0
    assert nilpotent.directions[0].regime == "one step"


def test_optima_2_6_and_2_7():
    spectrum = Spectrum.between(1.0, 100.0)
    polyak = analyze(spectrum, HeavyBall)
    assert polyak.optimizer.values == pytest.approx(
        {"learning_rate": 0.0330579, "momentum": 0.669421}, abs=5e-7
    )
    assert polyak.rate == pytest.approx(0.818182, abs=5e-7)
    nesterov = analyze(spectrum, Nesterov)
    assert nesterov.optimizer.values == pytest.approx(
        {"learning_rate": 0.0132890, "momentum": 0.793275}, abs=5e-7
    )
    assert nesterov.rate == pytest.approx(0.884722, abs=5e-7)
    standard = analyze(spectrum, Nesterov(0.01, 9 / 11))
    assert standard.rate == pytest.approx(0.9, rel=1e-7)


def test_one_given_2_8():
    analysis = analyze(Spectrum.between(1.0, 100.0), HeavyBall, {"learning_rate": 0.01})
    assert analysis.optimizer.momentum == pytest.approx(0.81, rel=1e-14)
    assert analysis.rate == pytest.approx(0.9, rel=1e-12)
    assert analysis.tuned == ("momentum",)


def test_transient_of_polyak_2_9():
    """κ = 1e4: |x_k/x_0| reaches 36.79 at k = 49, so that the loss can rise 1354-fold."""
    peak = analyze(Spectrum.between(1.0, 1e4), HeavyBall).transient_peak
    assert peak.size == pytest.approx(36.79, abs=0.005)
    assert peak.step == 49
    assert peak.eigenvalue == 1e4
    assert peak.size**2 == pytest.approx(1354, abs=1)
    for kappa in (100.0, 1e4):
        for rule in settings(kappa)[2:4]:
            assert analyze(Spectrum.between(1.0, kappa), rule).transient_peak.size == 1.0


def test_energy_2_12():
    """I_k = x_k² - t x_k x_{k-1} + d x_{k-1}² shrinks by d exactly, for every step."""
    for rule in (HeavyBall(0.3, 0.9), Nesterov(0.7, 0.8), HeavyBall(3.0, 0.7)):
        analysis = analyze(Spectrum.from_eigenvalues([1.0]), rule)
        t, d = analysis.modes.trace[0], analysis.modes.determinant[0]
        x = simulate(Quadratic([[1.0]]), rule, [1.0], 60, record="path").theta[:, 0]
        energy = x[1:] ** 2 - t * x[1:] * x[:-1] + d * x[:-1] ** 2
        assert energy == pytest.approx(energy[0] * d ** np.arange(60), rel=1e-9)


def test_conserved_energy_at_momentum_one_2_12():
    """H = v·v/2α + ½ eᵀAe - ½ eᵀAv is conserved to rounding over 5000 steps."""
    rng = np.random.default_rng(1)
    root = rng.normal(size=(5, 5))
    matrix = root @ root.T
    alpha = 3.0 / np.linalg.eigvalsh(matrix)[-1]
    theta = simulate(
        Quadratic(matrix), HeavyBall(alpha, 1.0), np.ones(5), 5000, record="path"
    ).theta
    velocity = np.diff(theta, axis=0)
    e = theta[1:]
    energy = (
        (velocity**2).sum(axis=1) / (2 * alpha)
        + np.einsum("ki,ij,kj->k", e, matrix, e) / 2
        - np.einsum("ki,ij,kj->k", e, matrix, velocity) / 2
    )
    assert np.abs(energy / energy[0] - 1).max() < 1e-12


def test_saddle_escape_9_6():
    """c₀ = 1e-3 to 1 at α|λ| = 0.05: gradient descent 142 steps, heavy ball from rest 41."""
    for rule, steps in ((GradientDescent(0.05), 142), (HeavyBall(0.05, 0.9), 41)):
        analysis = analyze(Spectrum.from_eigenvalues([-1.0]), rule)
        away = np.abs(analysis.errors([1e-3], np.arange(200))[:, 0])
        assert int(np.flatnonzero(away >= 1.0)[0]) == steps


# -- full precision where it is hardest ----------------------------------------------------------


@each(("kappa", "digits"), [(1e4, 15), (1e8, 14), (1e12, 13), (1e16, 12), (1e24, 10)])
def test_critical_damping_keeps_its_digits(kappa, digits):
    """1 - ρ, and the closed form at k = 40 and 1e9, at the double roots of Polyak's setting."""
    with mpmath.workdps(80):
        root = mpmath.sqrt(mpmath.mpf(kappa))
        rho = (root - 1) / (root + 1)
        analysis = analyze(Spectrum.between(1.0, kappa), HeavyBall)
        relative = mpmath.mpf(analysis.one_minus_rate) / (1 - rho) - 1
        assert abs(relative) < mpmath.mpf(10) ** -digits
        ends = analyze(Spectrum.from_eigenvalues([1.0, kappa]), HeavyBall)
        assert ends.directions.regime == ["critically damped", "critically damped"]
        for k in (1, 2, 40, 10**6, 10**9):
            low = (1 + k * (1 - rho)) * rho**k
            high = (1 + k * (1 + rho)) * (-rho) ** k
            found = ends.errors([1.0, 1.0], k)
            for value, exact in zip(found, (low, high), strict=True):
                # Beyond 1e-300 float64 has nothing to say.
                away = abs(mpmath.mpf(float(value)) - exact)
                assert away <= 1e-10 * abs(exact) + mpmath.mpf(10) ** -300


@each("name", ["HeavyBall", "EMAMomentum", "OuterMomentum", "QHM"])
def test_polyaks_pair_in_every_parametrisation(name):
    """κ = 1e12: of an average, 1 - μ = 4e-6 multiplies the gradient, and loses its last digits."""
    analysis = analyze(Spectrum.between(1.0, 1e12), registered()[name])
    assert analysis.one_minus_rate == pytest.approx(2 / 1000001, rel=1e-12)
    assert str(analysis.exact().one_minus_rate) == "2/1000001"
    rounded = analyze(Spectrum.between(1.0, 1e12), analysis.optimizer)
    with mpmath.workdps(60):  # the same rule as written, at the settings that float64 can hold
        p = {k: mpmath.mpf(v) for k, v in analysis.optimizer.values.items() if isinstance(v, float)}
        mu, inside = p["momentum"], name in {"EMAMomentum", "QHM"}
        alpha = p["learning_rate"] * ((1 - mu) if inside else 1)
        radii = []
        for value in (1, 10**12):
            t = 1 + mu - alpha * value
            root = mpmath.sqrt(t * t - 4 * mu)
            radii.append(max(abs(t + root), abs(t - root)) / 2)
        assert abs(mpmath.mpf(rounded.one_minus_rate) / (1 - max(radii)) - 1) < 1e-12


def test_critical_damping_at_any_scale():
    """κ = 1e12 wherever it lies, tuned in both, or in one hyper-parameter."""
    rng = np.random.default_rng(0)
    with mpmath.workdps(60):
        for smallest in 10 ** rng.uniform(-6, 6, 40):
            m, L = float(smallest), float(smallest) * 1e12
            spectrum = Spectrum.from_eigenvalues([m, L])
            root = mpmath.sqrt(mpmath.mpf(L) / mpmath.mpf(m))
            found = analyze(spectrum, HeavyBall).one_minus_rate
            assert abs(mpmath.mpf(found) * (root + 1) / 2 - 1) < 1e-12
            found = analyze(spectrum, Nesterov).one_minus_rate
            truth = 2 / mpmath.sqrt(3 * mpmath.mpf(L) / mpmath.mpf(m) + 1)
            assert abs(mpmath.mpf(found) / truth - 1) < 1e-12
            given = analyze(spectrum, HeavyBall, {"learning_rate": 1 / L})
            truth = mpmath.sqrt(mpmath.mpf(1 / L) * mpmath.mpf(m))
            assert abs(mpmath.mpf(given.one_minus_rate) / truth - 1) < 1e-12
