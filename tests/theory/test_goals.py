"""`tune` for a finite goal: never worse than the best rate, and against a search by brute force."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.clipping import WeightDecay
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.optimizers.nesterov import QHM
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory import screening
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.goals import settling_steps, tune
from convex_analyzer.theory.screening import screen

pytestmark = pytest.mark.survey

ENDS = np.array([1.0, 100.0])
EQUAL = 1 / np.sqrt(ENDS)  # the same loss along both directions


def settles(alpha, mu, lam, start, tolerance=1e-6, steps=120, nesterov=False):
    """The first step from which the gap stays below the goal, by running arrays of settings."""
    alpha, mu = np.asarray(alpha)[..., None], np.asarray(mu)[..., None]
    x = np.broadcast_to(start, (*np.broadcast_shapes(alpha.shape, mu.shape)[:-1], len(lam))).copy()
    v, goal = np.zeros_like(x), tolerance * (lam * start**2).sum()
    last = np.zeros(x.shape[:-1], dtype=int)
    for k in range(1, steps):
        v = mu * v - alpha * lam * (x + mu * v if nesterov else x)
        x = x + v
        last[(lam * x**2).sum(axis=-1) > goal] = k
    return last + 1


def test_fewest_steps_for_equal_losses_at_the_ends():
    """κ = 100: 39 steps; Polyak's pair takes 56 and lets the gap rise sevenfold first."""
    spectrum = Spectrum.from_eigenvalues(ENDS)
    fewest = tune(spectrum, HeavyBall, "steps", 1e-6, EQUAL)
    grid = settles(np.linspace(0.025, 0.04, 151)[:, None], np.linspace(0.5, 0.8, 151), ENDS, EQUAL)
    count = int(settles(fewest.learning_rate, fewest.momentum, ENDS, EQUAL))
    assert count == settling_steps(analyze(spectrum, fewest), 1e-6, EQUAL) <= grid.min()
    assert count == 39
    polyak = analyze(spectrum, HeavyBall)
    assert settling_steps(polyak, 1e-6, EQUAL) == 56
    gaps = polyak.gap(EQUAL, np.arange(56.0))
    assert gaps.max() / gaps[0] == pytest.approx(7.3, abs=0.5)
    own = analyze(spectrum, fewest).gap(EQUAL, np.arange(56.0))
    assert own.max() < gaps.max()


def test_a_setting_that_was_found_before():
    """α = 0.325169, μ = 0.680559 on (0.1, 10) stays below 1e-6 after 40 steps (mpmath)."""
    lam = [mpmath.mpf("0.1"), mpmath.mpf(10)]
    with mpmath.workdps(40):
        x, v, gaps = [1 / mpmath.sqrt(value) for value in lam], [mpmath.mpf(0)] * 2, []
        for _ in range(200):
            gaps.append(sum(a * b * b for a, b in zip(lam, x, strict=True)) / 2)
            v = [
                mpmath.mpf("0.680559") * w - mpmath.mpf("0.325169") * a * b
                for a, b, w in zip(lam, x, v, strict=True)
            ]
            x = [b + w for b, w in zip(x, v, strict=True)]
    above = [k for k, gap in enumerate(gaps) if gap > gaps[0] * mpmath.mpf("1e-6")]
    assert above[-1] + 1 == 40
    rule = analyze(Spectrum.from_eigenvalues([0.1, 10.0]), HeavyBall(0.325169, 0.680559))
    assert settling_steps(rule, 1e-6, 1 / np.sqrt([0.1, 10.0])) == 40


@pytest.mark.parametrize("seed", range(2))
def test_never_worse_than_the_best_rate_for_any_start(seed):
    rng = np.random.default_rng(seed)
    lam = np.sort(10 ** rng.uniform(-1, 1, rng.integers(2, 7)))
    start, spectrum = rng.normal(size=len(lam)), Spectrum.from_eigenvalues(lam)
    tolerance = 10 ** rng.uniform(-7, -2)
    for cls in (HeavyBall, Nesterov):
        fewest = tune(spectrum, cls, "steps", tolerance, start)
        both = [
            int(settles(r.learning_rate, r.momentum, lam, start, tolerance, 2000, cls is Nesterov))
            for r in (fewest, tune(spectrum, cls))
        ]
        assert both[0] <= both[1]


def test_the_start_matters():
    """A start without a part along the stiff direction allows a longer step."""
    spectrum = Spectrum.from_eigenvalues(ENDS)
    soft = tune(spectrum, GradientDescent, "steps", 1e-6, [1.0, 0.0])
    worst = tune(spectrum, GradientDescent, "steps", 1e-6)
    # Nothing is left of a direction that is not excited, but a setting must still converge.
    assert soft.learning_rate >= worst.learning_rate
    counts = [settling_steps(analyze(spectrum, r), 1e-6, [1.0, 0.0]) for r in (soft, worst)]
    assert counts[0] <= counts[1]


def test_fixed_and_foreign_hyper_parameters_stay():
    spectrum = Spectrum.from_eigenvalues(ENDS)
    given = tune(spectrum, HeavyBall, "steps", 1e-6, EQUAL, given={"momentum": 0.6})
    assert given.momentum == 0.6
    share = tune(spectrum, QHM, "steps", 1e-3, EQUAL, given={"nu": 0.9})
    assert share.nu == 0.9
    with pytest.raises(InputError, match="tolerance must be in"):
        tune(spectrum, HeavyBall, "steps", 2.0)


def test_what_does_not_converge_is_returned_as_it_is():
    saddle = Spectrum.from_eigenvalues([-1.0, 4.0])
    assert tune(saddle, HeavyBall, "steps") == tune(saddle, HeavyBall)


def test_a_search_that_would_take_too_long_is_left_out(monkeypatch):
    def values(x):
        return {"learning_rate": 0.01 * np.exp(x[0]), "momentum": 0.8 + 0 * x[1]}

    analysis = analyze(Spectrum.from_eigenvalues(ENDS), HeavyBall(0.01, 0.8))
    (found,) = screen(analysis, values, 2, 1e-2, EQUAL)
    assert found.shape == (2,)
    assert screen(analysis, values, 2, 1e-2, [0.0, 0.0]) == []
    monkeypatch.setattr(screening, "_STEPS", 100)
    assert screen(analysis, values, 2, 1e-2, None) == []
    decayed = analyze(Spectrum.from_eigenvalues([1.0]), WeightDecay(HeavyBall(0.1, 1.0), 0.0))
    assert screen(decayed, values, 2, 1e-2, None) == []  # no rate, no end


def test_without_memory_no_run_is_too_long_to_tune():
    """The gap is steep: one step of 1/λmax is enough, and 2/(λmin + λmax) only flips it."""
    spectrum = Spectrum.from_eigenvalues([1e-12, 1.0])
    start = [1.0, 1.0]
    assert analyze(spectrum, GradientDescent).steps_to(1e-6, start) > 1e11
    best = tune(spectrum, GradientDescent, goal="steps", start=start)
    assert analyze(spectrum, best).steps_to(1e-6, start) == 1
    assert best.learning_rate == pytest.approx(1.0, abs=1e-3)
