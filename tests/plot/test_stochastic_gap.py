"""Figure 11: expectations and floors against formulas by hand and against long simulations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cases import each
from figure_checks import check_whole, check_words

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.optimizers import find
from convex_analyzer.plot.figure import module_of
from convex_analyzer.spectra.spectrum import Spectrum

GD, HB = ca.GradientDescent, ca.HeavyBall
START = [-5.0, -2.0]
RANDOM = np.random.default_rng(3)
X = RANDOM.standard_normal((40, 2))
DATA = ca.least_squares(X, X @ [1.0, -2.0] + 0.5 * RANDOM.standard_normal(40))


def noisy(rule, noise, steps=150, problem=None, start=START):
    return ca.compare(problem or ca.gallery.toy(), [rule], start, steps, noise=noise)


def test_the_expected_gap_is_the_formula_of_gradient_descent():
    data = plot.stochastic_gap_data(noisy(GD(0.1), AdditiveNoise(0.04)))
    k, gap, still = data.steps, 0.0, 0.0
    for lam, x in ((0.2, -5.0), (4.0, -2.0)):
        decay = (1 - 0.1 * lam) ** (2 * k)
        spread = 0.1 * 0.04 / (lam * (2 - 0.1 * lam))
        still = still + lam * decay * x * x / 2
        gap = gap + lam * (decay * x * x + (1 - decay) * spread) / 2
    np.testing.assert_allclose(data.expected, gap / 10.5, rtol=1e-10)
    np.testing.assert_allclose(data.deterministic, still / 10.5, rtol=1e-10, atol=1e-300)
    floor = sum(0.1 * 0.04 / (2 - 0.1 * lam) / 2 for lam in (0.2, 4.0)) / 10.5
    assert data.floor == pytest.approx(floor)
    slow = 0.5 * 0.2 * 25 / 10.5 * 0.98 ** (2 * np.arange(400.0))  # the other one is long gone
    assert data.takeover == int(np.argmax(slow <= floor))
    assert [line.floor for line in data.batches] == pytest.approx([floor / 8, floor / 64])


def test_sixty_four_runs_confirm_the_formula_for_several_seeds():
    comparison = noisy(HB(0.1, 0.5), AdditiveNoise([[0.5, 0.2], [0.2, 0.3]]))
    data = plot.stochastic_gap_data(comparison)
    assert plot.finding(data) in check_whole(plot.stochastic_gap(data))
    assert data.runs == 64
    assert data.errors_apart < 4.5
    long = ca.simulate(
        comparison.problem, HB(0.1, 0.5), np.tile(START, (64, 1)), 700, AdditiveNoise(
            [[0.5, 0.2], [0.2, 0.3]]), 11, record=range(300, 701, 4),
    )  # fmt: skip
    mean = float(long.loss.mean()) / 10.5  # J* = 0
    assert mean == pytest.approx(data.floor, rel=0.08)
    inside = (data.run_steps > 20) & (data.run_steps <= data.band_steps[-1])
    low, high = (np.interp(data.run_steps, data.band_steps, band) for band in (data.low, data.high))
    within = (data.run >= low / 3) & (data.run <= high * 3)
    assert within[inside].mean() > 0.95


def test_floors_of_batches_are_those_of_a_long_run():
    noise = MiniBatch(4, replacement=True)
    data = plot.stochastic_gap_data(noisy(GD(0.2), noise, 200, DATA, [0.0, 0.0]))
    assert [line.name for line in data.batches] == ["batch 1", "batch 8", "batch 64"]
    X_, y = DATA.X, DATA.y
    best = np.linalg.lstsq(X_, y, rcond=None)[0]
    hessian = np.asarray([DATA.hessian_vector(row, row) for row in np.eye(2)])
    random, theta, total = np.random.default_rng(8), np.tile(best, (400, 1)), 0.0
    for step in range(400):
        rows = random.integers(len(y), size=(400, 4))
        residual = (X_[rows] * theta[:, None]).sum(axis=-1) - y[rows]
        scale = np.trace(hessian) / (X_**2).sum()  # the loss convention
        theta = theta - 0.2 * scale * len(y) / 4 * (X_[rows] * residual[:, :, None]).sum(axis=1)
        if step >= 100:
            away = theta - best
            total += float(((away @ hessian) * away).sum(axis=1).mean()) / 2 / 300
    first = float((best @ hessian @ best) / 2)
    assert data.floor == pytest.approx(total / first, rel=0.05)


@each(
    "rule, noise, steps, said",
    [
        (GD(0.1), AdditiveNoise(0.04), 200, "Decay α from step 17"),
        (GD(0.1), AdditiveNoise(0.04), 50, "Decay α later"),
        (GD(0.4), AdditiveNoise(1e-12), 50, "Keep α: the goal ×1e−6 comes at step 75"),
        (GD(0.4), AdditiveNoise(100.0), 50, "Decay α now"),
        (GD(0.6), AdditiveNoise(0.1), 30, "α = 0.6 does not converge"),
        (GD(0.4), AdditiveNoise(0.0), 50, "Keep α: the noise vanishes"),
    ],
)
def test_the_title_says_when_to_decay(rule, noise, steps, said):
    data = plot.stochastic_gap_data(noisy(rule, noise, steps))
    assert check_words(data).startswith(said)
    for _, columns in module_of("stochastic_gap").series(data):
        assert len({len(column) for column in columns.values()}) == 1


def test_long_runs_have_a_logarithmic_axis_and_batches_a_word_of_warning():
    far = noisy(GD(0.05), AdditiveNoise(1e-6), 60, ca.gallery.ravine(1000))
    data = plot.stochastic_gap_data(far)
    assert data.log_steps
    check_whole(plot.stochastic_gap(data, width=3.3))
    epochs = noisy(GD(0.2), MiniBatch(8), 60, DATA, [0.0, 0.0])
    data = plot.stochastic_gap_data(epochs)
    assert data.errors_apart is None
    assert "sees each row once" in plot.caption(data)
    taken = dataclasses.replace(data, kind="heuristic")  # epochs that are too long to follow
    assert "as fresh draws" in plot.caption(taken)
    late = data.expected[len(data.expected) // 2 :]
    assert late.min() < data.floor < late.max()  # the curve ends where its floor is drawn
    check_whole(plot.stochastic_gap(data, width=3.3))


def test_bad_input_is_told_what_to_do(compared):
    base = noisy(GD(0.1), AdditiveNoise(0.01), 5)
    bracketed = dataclasses.replace(base, spectrum=Spectrum.between(0.2, 4.0))
    for subject, hint in (
        (compared("toy"), "noise=AdditiveNoise"),
        (noisy(find("Adam")(0.1), AdditiveNoise(0.01), 5), "add GradientDescent"),
        (noisy(GD(0.1), AdditiveNoise(0.01), 5, ca.gallery.saddle()), "convex"),
        (noisy(GD(0.1), AdditiveNoise(0.01), 5, start=[0.0, 0.0]), "from another point"),
        (bracketed, "dense array"),
        ("noise", "compare"),
    ):
        with pytest.raises(InputError, match=hint):
            plot.stochastic_gap_data(subject)
