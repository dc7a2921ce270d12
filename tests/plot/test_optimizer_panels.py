"""Figure 10: ranks, fates, and floors against long runs and the formula of the 2-cycle."""

from __future__ import annotations

import numpy as np
import pytest
from cases import each
from figure_checks import check_whole, check_words

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers import find

GD, HB, NAG = ca.GradientDescent, ca.HeavyBall, ca.Nesterov
RMS, SIGN = find("RMSProp"), find("SignSGD")
TILTED = np.array([[2.0, 0.6], [0.6, 1.0]])


def fates(comparison):
    data = plot.optimizer_panels_data(comparison)
    return {panel.curve.label: panel for panel in data.panels}


@each(
    "alpha, epsilon, inside",
    [(0.1, 1e-8, False), (0.2, 0.005, False), (0.2, 1e-4, True), (0.2, 1e-3, True)],
)
def test_the_floor_of_rmsprop_is_where_a_long_run_stays(alpha, epsilon, inside):
    rule = RMS(alpha, decay=0.9, epsilon=epsilon, epsilon_inside=inside)
    for A in (np.diag([0.2, 4.0]), TILTED):
        comparison = ca.compare(A, [rule], [2.0, -1.0], 1500)
        panel = fates(comparison)["RMSProp"]
        theta = comparison[0].trajectory.theta[-1]
        assert panel.floor == pytest.approx(comparison[0].gap[-1] / comparison[0].gap[0], rel=1e-6)
        if epsilon == 1e-8:  # α² sᵀAs/8
            signs = np.sign(theta)
            gap = alpha**2 * signs @ A @ signs / 8
            assert panel.floor * comparison[0].gap[0] == pytest.approx(gap, rel=1e-5)
        assert panel.level == pytest.approx(panel.floor, rel=0.05)


def test_the_floor_of_sign_descent_is_the_mean_of_its_cycle():
    comparison = ca.compare(np.diag([0.2, 4.0]), [SIGN(0.1)], [2.03, -1.04], 500)
    panel = fates(comparison)["SignSGD"]
    x, y = np.array([0.03, -0.07]), np.array([0.04, -0.06])  # the rests of the start, and on
    mean = (0.1 * x**2).mean() + (2 * y**2).mean()
    assert panel.floor == pytest.approx(mean / (0.1 * 2.03**2 + 2 * 1.04**2), rel=1e-6)
    assert panel.level == pytest.approx(panel.floor, rel=1e-6)
    assert panel.fate == "stalls"


def test_noise_and_weight_decay_have_floors_too(compared):
    noise = ca.AdditiveNoise(0.04)
    noisy = ca.compare(ca.gallery.toy(), [GD(0.1)], [-5.0, -2.0], 200, noise=noise)
    panel = fates(noisy)["GradientDescent"]
    # ½λ V with V = ασ²/(λ(2 - αλ)), over the first gap 10.5
    gap = sum(0.1 * 0.04 / (2 - 0.1 * lam) / 2 for lam in (0.2, 4.0))
    assert panel.floor == pytest.approx(gap / 10.5)
    assert panel.curve.reached is None
    decays = fates(compared("ends elsewhere"))["Decaying"]
    # θ = -(0.1 b)/(0.05 + 0.1 λ), minimum at -b/λ
    away = [0.1 / (0.05 + 0.1 * lam) * -b + b / lam for lam, b in ((0.5, -1.0), (4.0, -4.0))]
    at = sum(lam * x * x / 2 for lam, x in zip((0.5, 4.0), away, strict=True))
    start = sum(lam * (x + b / lam) ** 2 / 2
                for lam, x, b in ((0.5, -5.0, -1.0), (4.0, -2.0, -4.0)))  # fmt: skip
    assert decays.floor == pytest.approx(at / start, rel=1e-9)
    assert decays.fate == "stalls"


def test_the_best_come_first_and_those_that_diverge_last(compared):
    data = plot.optimizer_panels_data(compared("some diverge"))
    assert [panel.fate for panel in data.panels] == ["arrives", "diverges", "diverges"]
    assert plot.finding(data) == (
        "1 of 3 reaches ×1e−6, HeavyBall in 23 steps; GradientDescent and Nesterov diverge"
    )
    data = plot.optimizer_panels_data(compared("many"))
    needed = sorted(entry.steps_needed for entry in compared("many"))
    assert [panel.curve.reached for panel in data.panels] == needed


@pytest.fixture(scope="module")
def thirteen():
    slow = [find(name)(0.02) for name in ("AdaGrad", "Adam", "Lion", "SignSGD", "RMSProp")]
    rules = [GD, HB, NAG, *slow, GD(0.01), GD(0.02), HB(0.01, 0.5), HB(0.05, 0.5), GD(0.19)]
    return ca.compare(ca.gallery.ravine(30), rules, [2.0, -1.0], 300)


def test_of_thirteen_optimizers_twelve_are_shown_whole(thirteen):
    data = plot.optimizer_panels_data(thirteen)
    assert (len(data.panels), data.left_out) == (12, 1)
    assert "1 more" in plot.alt(data)
    title = check_words(data)
    assert title in check_whole(plot.optimizer_panels(data))


@each("name", ["saddle", "marginal", "only not linear"])
def test_every_picture_is_whole(compared, name):
    data = plot.optimizer_panels_data(compared(name))
    title = check_words(data)
    assert title in check_whole(plot.optimizer_panels(data, width=3.3))


def test_bad_input_is_told_what_to_do(compared):
    for subject, hint in (
        (compared("unbounded"), "l2 penalty"),
        (compared("at the minimum"), "from another point"),
        (None, "compare"),
    ):
        with pytest.raises(InputError, match=hint):
            plot.optimizer_panels_data(subject)
