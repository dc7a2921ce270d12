"""`analyze`: outcomes, regimes, counts, peaks, tuning, words; numbers by brute force."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given, settings
from hypothesis import strategies as st

from convex_analyzer.domains import Positive, Real, UnitInterval
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.spectrum import Bracket, Spectrum
from convex_analyzer.theory import counting
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.counting import first_crossing, steps_at_rate
from convex_analyzer.theory.goals import settling_steps, tune
from convex_analyzer.theory.tuning import worst_rate


class QuasiHyperbolic(Optimizer):
    """Three hyper-parameters and nothing published: tuned numerically."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9
    share: UnitInterval = 0.7

    def step(self, problem, t, theta, average):
        gradient = problem.gradient(theta)
        average = self.momentum * average + (1 - self.momentum) * gradient
        blend = (1 - self.share) * gradient + self.share * average
        return theta - self.learning_rate * blend, average


class TripleMomentum(Optimizer):
    learning_rate: Positive
    momentum: Real = 0.5
    second: Real = 0.3

    def step(self, problem, t, theta, first, other):
        first = self.momentum * first - self.learning_rate * problem.gradient(theta)
        other = self.second * other + first
        return theta + other, first, other


def curve(rule, eigenvalues, steps):
    """Return |e_k| per direction by a plain loop from ones, shape (steps + 1, n)."""
    lam = np.asarray(eigenvalues, dtype=float)

    class Plain:
        def gradient(self, x):
            return lam * x

    state = (np.ones(len(lam)), *(np.zeros(len(lam)) for _ in rule.memory))
    rows = [state[0]]
    for t in range(1, steps + 1):
        returned = rule.step(Plain(), t, *state)
        state = returned if isinstance(returned, tuple) else (returned,)
        rows.append(state[0])
    return np.abs(np.array(rows))


# -- outcomes and regimes ------------------------------------------------------------------------


@each(
    ("eigenvalues", "linear", "rule", "outcome"),
    [
        ([1.0, 4.0], None, GradientDescent(0.4), "stable"),
        ([1.0, 4.0], None, GradientDescent(0.5), "marginal"),
        ([1.0, 4.0], None, GradientDescent(0.6), "unstable"),
        ([0.0, 4.0], None, GradientDescent(0.4), "stable"),
        ([0.0, 4.0], [0.0, 1.0], GradientDescent(0.4), "stable"),
        ([0.0, 4.0], [1.0, 1.0], GradientDescent(0.4), "drifting"),
        ([0.0, 4.0], [1.0, 1.0], GradientDescent(0.6), "unstable"),
        ([0.0, 0.0], None, GradientDescent(0.4), "flat"),
        ([0.0, 0.0], [0.0, 1.0], GradientDescent(0.4), "drifting"),
        ([-1.0, 4.0], None, GradientDescent(0.1), "unstable"),
        ([1.0], None, HeavyBall(0.1, 1.0), "marginal"),
        ([1.0], None, HeavyBall(3.0, 0.5), "marginal"),
        ([1.0], None, HeavyBall(3.7, 0.9), "stable"),
        ([1.0], None, HeavyBall(3.9, 0.9), "unstable"),
        ([1.0], None, Nesterov(0.5, 1.0), "stable"),
        ([1.0], None, Nesterov(0.1, 1.5), "unstable"),
        ([1e-40, 1.0], None, HeavyBall(0.1, 0.9), "stable"),
        ([1e-40, 1.0], None, Nesterov(0.1, 0.9), "stable"),
        ([1e-300], None, GradientDescent(0.1), "stable"),
        ([1e300], None, HeavyBall(0.1, 0.9), "unstable"),
    ],
)
def test_outcomes(eigenvalues, linear, rule, outcome):
    analysis = analyze(Spectrum.from_eigenvalues(eigenvalues, linear), rule)
    assert analysis.outcome == outcome
    assert analysis.is_stable == (outcome == "stable")
    assert analysis.scope == "global"
    assert analysis.verdict()
    assert str(analysis)
    assert (analysis.steps_to(1e-3) is not None) == (outcome == "stable")
    json.dumps(analysis.to_dict(), allow_nan=False)


def test_regimes_of_momentum():
    lam = [-0.5, 0.0, 0.0001, 0.01, 1.0, 3.7, 3.8, 4.5]
    found = analyze(Spectrum.from_eigenvalues(lam), HeavyBall(1.0, 0.81)).directions
    assert found.regime == [
        "escape",
        "neutral",
        "overdamped",
        "critically damped",
        "underdamped",
        "diverging",
        "diverging",
        "diverging",
    ]
    border = analyze(Spectrum.from_eigenvalues([3.61, 3.615]), HeavyBall(1.0, 0.81)).directions
    assert border.regime == ["critically damped", "alternating"]
    edge = analyze(Spectrum.from_eigenvalues([3.62]), HeavyBall(1.0, 0.81)).directions
    assert edge.regime == ["two-cycle"]
    grows = analyze(Spectrum.from_eigenvalues([1e-3]), Nesterov(1.0, 1.5)).directions
    assert grows.regime == ["diverging"]  # positive curvature: nothing to escape from


def test_directions_are_columns_and_rows():
    found = analyze(Spectrum.from_eigenvalues([0.2, 4.0]), GradientDescent(0.4)).directions
    assert len(found) == 2
    assert found.eigenvalue.tolist() == [0.2, 4.0]
    assert found.factors[:, 0].real == pytest.approx([0.92, -0.6])
    assert found.rate == pytest.approx([0.92, 0.6])
    first = found[0]
    assert first.factors == (pytest.approx(0.92),)
    assert first.half_life == pytest.approx(math.log(0.5) / math.log(0.92))
    assert [d.regime for d in found.head()] == ["monotone", "alternating"]
    assert (
        analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(3.0)).directions[0].half_life
        is None
    )
    text = str(found.table())
    assert "q1" in text
    assert "0.92" in text


def test_large_tables_show_both_ends():
    analysis = analyze(Spectrum.from_eigenvalues(np.linspace(1, 2, 100)), HeavyBall(0.1, 0.9))
    table = analysis.directions.table()
    assert len(table.rows) < 100
    assert "q1" in table.rows[0][0]
    assert "q100" in table.rows[-1][0]
    assert "not shown" in str(table)
    assert "∠" in str(table)  # complex roots as modulus and angle


@pytest.mark.survey
def test_a_million_eigenvalues_are_columns():
    lam = np.linspace(0.01, 1.0, 10**6)
    analysis = analyze(Spectrum.from_eigenvalues(lam), HeavyBall(0.5, 0.9))
    assert analysis.is_stable
    assert analysis.rate == pytest.approx(math.sqrt(0.9))
    ends = analysis.errors(np.ones(10**6), 50)[[0, -1]]
    assert np.abs(ends) == pytest.approx(curve(HeavyBall(0.5, 0.9), lam[[0, -1]], 50)[50])


# -- counts --------------------------------------------------------------------------------------


@given(
    st.lists(st.floats(0.05, 1.9), min_size=1, max_size=4),
    st.sampled_from(
        [GradientDescent(0.9), HeavyBall(0.7, 0.6), Nesterov(0.6, 0.5), TripleMomentum(0.2)]
    ),
    st.sampled_from([1e-1, 1e-4]),
)
def test_counts_by_brute_force(eigenvalues, rule, tolerance):
    lam = np.array(sorted(eigenvalues))
    sizes = curve(rule, lam, 1500)
    analysis = analyze(Spectrum.from_eigenvalues(lam), rule)

    def first(values, goal):
        return int(np.flatnonzero(values <= goal * (1 + 1e-12))[0])

    ones = np.ones(len(lam))
    gap = (lam * sizes**2).sum(axis=1)
    assert analysis.steps_to(tolerance, ones) == first(gap / gap[0], tolerance)
    norm = np.linalg.norm(sizes, axis=1)
    assert analysis.steps_to(tolerance, ones, "norm") == first(norm / norm[0], tolerance)
    worst = sizes.max(axis=1)
    assert analysis.steps_to(tolerance, criterion="norm") == first(worst, tolerance)
    assert analysis.steps_to(tolerance) == first(worst**2, tolerance)
    by_rate = analysis.rate ** np.arange(3000.0)
    assert analysis.steps_to(tolerance, criterion="rate") == first(by_rate, tolerance)


def test_a_start_at_the_minimum_needs_no_step():
    problem = Quadratic([[2.0, 0.3], [0.3, 1.0]], [1.0, -1.0])
    for rule in (GradientDescent(0.3), HeavyBall(0.3, 0.5), Nesterov(0.3, 0.5)):
        analysis = analyze(problem, rule)
        assert analysis.predict(problem.minimizer, [0, 1, 100]) == pytest.approx(
            np.tile(problem.minimizer, (3, 1)), abs=1e-14
        )
        assert analysis.gap(problem.minimizer, 10) == pytest.approx(0.0, abs=1e-28)


def test_counts_ignore_flat_directions():
    flat = analyze(Spectrum.from_eigenvalues([0.0, 0.5]), GradientDescent(1.0))
    plain = analyze(Spectrum.from_eigenvalues([0.5]), GradientDescent(1.0))
    assert flat.steps_to(1e-6, [7.0, 1.0]) == plain.steps_to(1e-6, [1.0])


@each("w", [1e-3, 1e-12, 1e-20, 1e-200, 1e-305])
def test_tiny_rates_count_at_once(w):
    count = steps_at_rate(w, 1e-6)
    assert count == pytest.approx(math.log(1e6) / w, rel=1e-3)
    analysis = analyze(Spectrum.from_eigenvalues([w]), GradientDescent(1.0))
    assert analysis.steps_to(1e-6, criterion="norm") == pytest.approx(count, rel=1e-9)


def test_rates_without_a_count():
    assert steps_at_rate(0.0, 1e-6) is None
    assert steps_at_rate(-0.1, 1e-6) is None
    assert steps_at_rate(1.0, 1e-6) == 1
    assert steps_at_rate(5e-324, 1e-6) is None  # beyond 1e307


def test_crossings_of_curves_that_dip():
    """The first crossing counts even when the curve rises again; scanned, not bisected."""
    curve_of = {3: 0.001, 40: 0.001}

    def error(k):
        return np.array([curve_of.get(int(i), 1.0 if i < 100 else 1e-6) for i in k])

    assert first_crossing(error, 0.01, hint=800.0, directions=1) == 3
    falling = first_crossing(lambda k: 0.99**k, 1e-3, hint=1.0, directions=1, monotone=True)
    assert falling == math.ceil(math.log(1e-3) / math.log(0.99))
    assert first_crossing(lambda k: np.ones(len(k)), 0.5, hint=1.0, directions=1) is None


def test_long_oscillations_are_bisected():
    """1e6 directions over 1e5 steps are too many to scan; the count is a crossing all the same."""
    lam = np.linspace(1e-4, 1.0, 20_000)
    analysis = analyze(Spectrum.from_eigenvalues(lam), HeavyBall(1e-4, 0.9))
    count = analysis.steps_to(1e-6)
    assert analysis.worst_error([count])[0] ** 2 <= 1e-6
    assert analysis.worst_error([int(count * 0.99)])[0] ** 2 > 1e-6


@each("tolerance", [0.0, 1.0, -1.0, 2.0, math.nan, "small"])
def test_bad_tolerances(tolerance):
    analysis = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(0.1))
    with pytest.raises(InputError, match=r"tolerance must be in \(0, 1\)"):
        analysis.steps_to(tolerance)


def test_bad_arguments():
    analysis = analyze(Spectrum.from_eigenvalues([1.0, 2.0]), GradientDescent(0.1))
    with pytest.raises(InputError, match="criterion must be"):
        analysis.steps_to(0.1, criterion="loss")
    for steps in (-1, 1.5, [0, -2], math.nan, math.inf, "ten", [[1]]):
        with pytest.raises(InputError, match="steps must be whole numbers"):
            analysis.predict([1.0, 1.0], steps)
    with pytest.raises(InputError, match=r"start must have shape \(2,\), got \(1,\)"):
        analysis.predict([1.0], 3)
    with pytest.raises(InputError, match="not finite"):
        analysis.predict([1.0, math.nan], 3)
    with pytest.raises(InputError, match="start must hold numbers"):
        analysis.predict(["a", "b"], 3)
    with pytest.raises(InputError, match=r"class of one, got 'HeavyBall'; ca.optimizers.find"):
        analyze(Spectrum.from_eigenvalues([1.0]), "HeavyBall")
    with pytest.raises(InputError, match="only the base class"):
        analyze(Spectrum.from_eigenvalues([1.0]), Optimizer)
    with pytest.raises(InputError, match="takes one setting, but learning_rate holds 2"):
        analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(np.array([[0.1], [0.2]])))
    with pytest.raises(NotDerivableError, match="leave start out for the worst case"):
        analyze(Spectrum.between(1.0, 2.0), GradientDescent(0.1)).predict([1.0, 1.0], 3)
    with pytest.raises(NotDerivableError, match="is a symbol"):
        _ = analyze(Spectrum.between(1.0, 2.0), GradientDescent(sympy.Symbol("a"))).rate


# -- transients ----------------------------------------------------------------------------------


@each(
    "rule",
    [
        HeavyBall(4 / 11**2, (9 / 11) ** 2),
        HeavyBall(0.03, 0.95),
        Nesterov(0.0132, 0.793),
        Nesterov(0.005, 0.99),
        GradientDescent(0.019),
        TripleMomentum(0.004, 0.6, 0.5),
    ],
    ids=str,
)
def test_peaks_by_brute_force(rule):
    lam = np.linspace(1.0, 100.0, 60)
    sizes = curve(rule, lam, 3000)
    peak = analyze(Spectrum.from_eigenvalues(lam), rule).transient_peak
    assert not peak.grows
    assert peak.size == pytest.approx(sizes.max(), rel=1e-9)
    if peak.size > 1:
        k, direction = np.unravel_index(int(sizes.argmax()), sizes.shape)
        assert (peak.step, peak.eigenvalue) == (k, lam[direction])
    else:
        assert peak.step == 0


def test_peaks_without_end():
    grows = analyze(Spectrum.from_eigenvalues([1.0, 4.0]), GradientDescent(0.6)).transient_peak
    assert grows.grows
    assert grows.size == math.inf
    assert grows.eigenvalue == 4.0
    flat = analyze(Spectrum.from_eigenvalues([0.0]), HeavyBall(0.1)).transient_peak
    assert flat.size == 1.0
    swings = analyze(Spectrum.from_eigenvalues([1.0]), HeavyBall(0.1, 1.0)).transient_peak
    assert swings.size == pytest.approx(1.0, abs=0.05)


# -- tuning --------------------------------------------------------------------------------------


@pytest.mark.survey
@settings(max_examples=30)
@given(st.floats(1e-3, 1e3), st.floats(1.0, 1e8))
def test_tuned_settings_do_not_depend_on_the_unit_of_curvature(smallest, kappa):
    for cls in (GradientDescent, HeavyBall, Nesterov):
        one = analyze(Spectrum.between(1.0, kappa), cls)
        other = analyze(Spectrum.between(smallest, smallest * kappa), cls)
        assert other.one_minus_rate == pytest.approx(one.one_minus_rate, rel=1e-9)
        assert other.optimizer.learning_rate * smallest == pytest.approx(
            one.optimizer.learning_rate, rel=1e-9
        )
        assert other.is_stable


def test_numerical_tuning_is_not_beaten_by_a_grid():
    spectrum = Spectrum.between(1.0, 100.0)
    tuned = analyze(spectrum, QuasiHyperbolic)
    assert tuned.optimizer.share == 0.7  # a default is the author's choice
    rates, momenta = np.geomspace(1e-3, 1.0, 120)[:, None, None], np.linspace(0, 0.999, 120)
    grid = QuasiHyperbolic(0.1).unchecked(learning_rate=rates, momentum=momenta[:, None])
    assert tuned.rate <= worst_rate(grid, np.geomspace(1.0, 100.0, 20)).min() + 1e-6


def test_numerical_tuning_finds_polyak():
    """With all the weight on the average the rule is heavy ball, at the step α(1 - μ)."""
    spectrum = Spectrum.between(1.0, 100.0)
    tuned = analyze(spectrum, QuasiHyperbolic, {"share": 1.0})
    assert tuned.rate == pytest.approx(9 / 11, abs=1e-4)
    best = HeavyBall.published_optimum(1.0, 100.0, {})
    assert tuned.optimizer.momentum == pytest.approx(best["momentum"], abs=1e-3)
    everything = {"learning_rate": 0.01, "momentum": 0.5, "share": 0.7}
    assert analyze(spectrum, QuasiHyperbolic, everything).optimizer == QuasiHyperbolic(**everything)


def test_tuning_of_odd_spectra():
    flat = tune(Spectrum.from_eigenvalues([0.0, 0.0]), GradientDescent)
    assert flat.learning_rate == 1.0
    saddle = analyze(Spectrum.from_eigenvalues([-3.0, 1.0, 4.0]), HeavyBall)
    plain = analyze(Spectrum.from_eigenvalues([1.0, 4.0]), HeavyBall)
    assert saddle.optimizer == plain.optimizer  # only positive curvature is tuned for
    assert saddle.outcome == "unstable"
    negative = tune(Spectrum.from_eigenvalues([-2.0, -1.0]), GradientDescent)
    assert negative.learning_rate == pytest.approx(0.5)
    one = tune(Quadratic(3 * np.eye(3)), HeavyBall)
    assert one.learning_rate == pytest.approx(1 / 3)
    assert one.momentum == pytest.approx(0.0, abs=1e-15)


def test_tuning_is_for_the_upper_end_of_the_bracket():
    wide = Spectrum(np.array([1.0, 10.0]), Bracket(1.0, 1.0), Bracket(9.0, 12.0), dimension=2)
    assert tune(wide, GradientDescent).learning_rate == pytest.approx(2 / 13)


def test_an_interval_is_judged_at_its_safe_end():
    """Lanczos gives λmax from below; a method is called stable only up to the upper bound."""
    ends, low, high = np.array([1.0, 10.0]), Bracket(1.0, 1.0), Bracket(9.0, 12.0)
    wide = Spectrum(ends, low, high, is_interval=True, dimension=5)
    analysis = analyze(wide, GradientDescent(2 / 11))
    assert analysis.stability_limit == wide.gradient_descent_limit == 2 / 12
    assert analysis.outcome == "unstable"
    assert analyze(wide, GradientDescent(2 / 12.5)).is_stable


@each("kappa", [1e15, 1e16, 1e17, 1e20])
@each("cls", [GradientDescent, HeavyBall, Nesterov])
def test_the_default_never_diverges(kappa, cls):
    """Where float64 cannot hold the best setting, the rounded one still converges."""
    spectrum = Spectrum.from_eigenvalues([1.0, kappa])
    rounded = analyze(spectrum, tune(spectrum, cls))
    assert rounded.one_minus_rate > 0


def test_tuning_for_fewest_steps():
    spectrum = Spectrum.from_eigenvalues([1.0, 100.0])
    fewest = tune(spectrum, HeavyBall, goal="steps", tolerance=1e-6)
    best_rate = tune(spectrum, HeavyBall)
    counts = [settling_steps(analyze(spectrum, rule), 1e-6) for rule in (fewest, best_rate)]
    assert counts[0] < counts[1]
    lam = spectrum.eigenvalues
    for rule, count in zip((fewest, best_rate), counts, strict=True):
        above = np.flatnonzero(curve(rule, lam, 600).max(axis=1) ** 2 > 1e-6)
        assert count == above[-1] + 1
    assert (
        tune(spectrum, GradientDescent, "steps", given={"learning_rate": 0.01}).learning_rate
        == 0.01
    )


def test_worst_rates_on_maps():
    """Hyper-parameters of shape (..., 1), for maps and searches, by NumPy's eigenvalues."""
    lam = np.array([0.5, 1.0, 3.0])
    rates, momenta = np.linspace(0.05, 1.2, 6)[:, None, None], np.linspace(0, 0.95, 5)[:, None]
    found = worst_rate(HeavyBall(0.1).unchecked(learning_rate=rates, momentum=momenta), lam)
    assert found.shape == (6, 5)
    for i in range(6):
        for j in range(5):
            a, mu = rates[i, 0, 0], momenta[j, 0]
            roots = [np.abs(np.roots([1, -(1 + mu - a * x), mu])).max() for x in lam]
            assert found[i, j] == pytest.approx(max(roots), rel=1e-7)
    assert worst_rate(GradientDescent(0.1), lam) == pytest.approx(0.95)
    triple = TripleMomentum(0.1)
    matrices = [analyze(Spectrum.from_eigenvalues([x]), triple).modes.matrix[0] for x in lam]
    radii = [np.abs(np.linalg.eigvals(m)).max() for m in matrices]
    assert worst_rate(triple, lam) == pytest.approx(max(radii))


def test_bad_tuning_arguments():
    spectrum = Spectrum.between(1.0, 2.0)
    with pytest.raises(InputError, match="has no hyper-parameter 'momentun'"):
        tune(spectrum, HeavyBall, given={"momentun": 0.5})
    with pytest.raises(InputError, match="goal must be 'rate' or 'steps'"):
        tune(spectrum, HeavyBall, goal="speed")


# -- problems, words, equality -------------------------------------------------------------------


def test_problems_matrices_and_spectra_are_accepted():
    matrix = np.array([[2.0, 0.5], [0.5, 1.0]])
    ways = (matrix, Quadratic(matrix), compute_spectrum(matrix), matrix.tolist())
    rates = [analyze(way, GradientDescent(0.3)).rate for way in ways]
    assert rates == pytest.approx([rates[0]] * 4)
    data = least_squares(np.diag([1.0, 2.0]), [1.0, 1.0], loss="half_rss")
    assert analyze(data, GradientDescent(0.3)).rate == pytest.approx(0.7)


def test_words():
    stable = analyze(Spectrum.from_eigenvalues([0.2, 4.0]), GradientDescent(0.4))
    assert "converges: error ×0.92 per step, loss ×0.8464" in stable.verdict()
    assert "q1 (λ = 0.2)" in stable.verdict()
    text = stable.explain()
    assert "Jury" in text
    assert "Source of the rule: Polyak" in text
    assert "settings as given" in text
    assert "usually in" in analyze(Spectrum.between(1, 2), HeavyBall(0.1, 1.0)).explain()
    tuned = analyze(Spectrum.between(1.0, 2.0), HeavyBall)
    assert "learning_rate, momentum tuned" in tuned.explain()
    assert "(λ = " not in analyze(Spectrum.between(1.0, 2.0), GradientDescent(0.1)).verdict()
    assert "GradientDescent" in repr(stable)
    assert stable.latex() == r"\left(0, \frac{1}{2}\right)"


def test_value_equality():
    spectrum = Spectrum.from_eigenvalues([1.0, 2.0])
    assert analyze(spectrum, HeavyBall(0.1)) == analyze(spectrum, HeavyBall(0.1))
    assert analyze(spectrum, HeavyBall(0.1)) != analyze(spectrum, HeavyBall(0.2))


def test_many_slots_have_everything_but_regimes_of_damping():
    analysis = analyze(Spectrum.from_eigenvalues([0.0, 0.5, 1.0]), TripleMomentum(0.1))
    assert analysis.is_stable
    assert analysis.modes.slots == 3
    assert analysis.steps_to(1e-6) > 0
    assert analysis.stability_limit > 0.1
    assert str(analysis)
    assert str(analysis.directions.table())
    drifting = analyze(Spectrum.from_eigenvalues([0.0, 1.0], [1.0, 0.0]), TripleMomentum(0.1))
    assert drifting.outcome == "drifting"
    ten = drifting.predict([0.0, 0.0], [10, 11])
    assert ten[1, 0] < ten[0, 0] < 0


class RootOfTheRate(Optimizer):
    """Linear in its state, but not a polynomial in its learning rate."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        return theta - self.learning_rate**0.5 * problem.gradient(theta)


def test_a_rule_without_a_polynomial_stable_set_is_analysed_all_the_same():
    analysis = analyze(Spectrum.from_eigenvalues([1.0, 2.0]), RootOfTheRate(0.25))
    assert analysis.is_stable
    assert analysis.rate == 0.5
    assert analysis.stability_limit is None
    assert analysis.stable_learning_rates is None
    assert "no closed form" in str(analysis)
    json.dumps(analysis.to_dict(), allow_nan=False)


def test_intervals_that_reach_below_zero():
    ends = np.array([-1.0, 4.0])
    spectrum = Spectrum(ends, Bracket(-1.0, -1.0), Bracket(4.0, 4.0), is_interval=True, dimension=9)
    analysis = analyze(spectrum, GradientDescent(0.1))
    assert analysis.outcome == "unstable"
    assert analysis.one_minus_rate == pytest.approx(-0.1)
    assert analysis.stability_limit is None


def test_counts_on_exact_powers_in_both_directions():
    """The rounded quotient of logarithms errs to either side."""
    for rate in (0.9, 0.5, 0.99, 0.3, 0.7):
        for k in range(1, 200):
            if rate**k > 1e-300:
                assert steps_at_rate(1 - rate, rate**k) == k


def test_settling_of_curves_that_end_at_zero():
    one = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(1.0))
    assert settling_steps(one, 1e-6) == 1
    never = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(3.0))
    assert settling_steps(never, 1e-6) is None
    long = analyze(Spectrum.from_eigenvalues([1e-9, 1.0]), GradientDescent(1.0))
    assert settling_steps(long, 1e-6) == pytest.approx(math.log(1e6) / 2e-9)  # |1 - αλ|²ᵏ falls
    swings = analyze(Spectrum.from_eigenvalues([1e-9, 1.0]), HeavyBall(1.0, 0.5))
    assert settling_steps(swings, 1e-6) is None  # too long to scan
    start = analyze(Spectrum.from_eigenvalues([0.5]), GradientDescent(1.0))
    assert settling_steps(start, 1e-6, [3.0]) == 10


@each("criterion", ["gap", "norm"])
@each("rule", [HeavyBall(0.01, 0.95), Nesterov(0.02, 0.99)])
def test_counts_look_at_few_directions_first_and_miss_nothing(rule, criterion):
    """Oscillating curves dip below the goal and leave it again: the first dip of all counts."""
    generator = np.random.Generator(np.random.Philox(7))
    for linear in (np.zeros(25), generator.standard_normal(25)):
        values = np.exp(generator.uniform(0, 4, 25))
        analysis = analyze(Spectrum.from_eigenvalues(values, linear), rule)
        start = generator.standard_normal(25)
        found = analysis.steps_to(1e-4, start, criterion)
        errors = analysis.errors(start, np.arange(found + 1))
        weights = analysis.spectrum.eigenvalues if criterion == "gap" else 1.0
        size = (weights * errors**2).sum(axis=1)
        size = size if criterion == "gap" else np.sqrt(size)
        assert found == np.flatnonzero(size <= 1e-4 * size[0])[0]


def test_a_lower_bound_leads_to_the_first_step(monkeypatch):
    """Every step of swinging curves looked at, against a scan that begins at a lower bound."""
    monkeypatch.setattr(counting, "_BLOCK", 16)  # as if these runs were long
    rng = np.random.default_rng(1)
    begun = []
    scan = counting._scan
    monkeypatch.setattr(counting, "_scan", lambda *a: begun.append(a[2]) or scan(*a))
    for case in range(40):
        d = rng.integers(1, 6)
        values = np.exp(rng.uniform(0, rng.uniform(0.1, 4), d))
        start, tolerance = (
            rng.normal(size=d) * 10 ** rng.uniform(-3, 3, d),
            10 ** rng.uniform(-8, -1),
        )
        rule = (HeavyBall, Nesterov)[case % 2]
        if case % 4 > 1:
            rule = rule(rng.uniform(0.1, 1.2) / values.max(), rng.uniform(0, 0.99))
        analysis = analyze(Quadratic.diagonal(values), rule).as_run()
        found = analysis.steps_to(tolerance, start)
        gaps = analysis.gap(start, np.arange(found + 1.0)) / analysis.gap(start, 0)
        assert np.flatnonzero(gaps <= tolerance * (1 + 1e-12))[0] == found
    assert np.count_nonzero(begun) > 5
    monkeypatch.setattr(counting, "_SCAN", 1)  # too long to be scanned: still one that has arrived
    found = analysis.steps_to(tolerance, start)
    gaps = analysis.gap(start, np.array([found - 1.0, found])) / analysis.gap(start, 0)
    assert gaps[1] <= tolerance * (1 + 1e-12) < gaps[0]
