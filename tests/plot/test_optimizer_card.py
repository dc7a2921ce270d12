"""The picture of one optimizer: what it shows, that it is whole, and what it says."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import numpy as np
import pytest
from figure_checks import SENTENCE

import convex_analyzer as ca
from convex_analyzer.optimizers import find
from convex_analyzer.plot.card_data import STEPS, TOLERANCE, CardData, optimizer_card_data
from convex_analyzer.plot.figures.optimizer_card import alt, caption, finding, optimizer_card
from convex_analyzer.plot.style import to_svg

pytestmark = pytest.mark.survey

# One of each kind: no memory, one slot, several, matrices, many slots, averages, noise, draws,
# planned steps, rules without a learning rate, rules that never arrive.
NAMES = (
    "GradientDescent", "HeavyBall", "Adam", "AMSGrad", "BFGS", "LBFGS", "Averaged", "SGD",
    "Langevin", "SilverSteps", "ChebyshevSteps", "ConjugateGradient", "SignSGD", "Newton",
    "LevenbergMarquardt", "TripleMomentum", "Adadelta", "RMSProp",
)  # fmt: skip
LARGEST = ("HeavyBall", "Langevin", "SGD", "SignSGD", "SilverSteps")  # the others: 64 kB at most


@cache
def made(name: str) -> CardData:
    return optimizer_card_data(find(name))


@cache
def checks() -> ModuleType:
    """Return the module with what every figure must be."""
    path = Path(__file__).with_name("test_every_figure.py")
    spec = importlib.util.spec_from_file_location("every_figure", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- drawing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_it_is_whole_legible_and_small(name):
    figure = optimizer_card(made(name))
    written = checks().check_whole(figure)
    if name in LARGEST:
        assert len(to_svg(figure)) < 150_000
    assert {"toy", "ravine"} <= set(written)  # the curves are named
    assert any(text.startswith("toy") for text in written)
    assert not any("nan" in text.lower().split() for text in written)


@pytest.mark.parametrize("name", NAMES)
def test_the_words_are_sentences(name):
    data = made(name)
    title = finding(data)
    assert SENTENCE.match(title)
    assert alt(data).startswith(title)
    assert "memory" in alt(data)
    for text in (alt(data), caption(data)):
        assert text.endswith(".")
        assert not re.search(r"\b(nan|inf|None)\b|  |\.\.", text), text


def test_class_and_data_make_the_same_picture():
    assert to_svg(optimizer_card(find("HeavyBall"))) == to_svg(optimizer_card(made("HeavyBall")))


def test_settings_of_the_user_are_untouched():
    before = dict(mpl.rcParams)
    optimizer_card(made("Adam"))
    assert dict(mpl.rcParams) == before


# -- what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES])
def test_counts_are_those_of_a_run(name):
    for scene, make, start in zip(
        made(name).scenes, (ca.gallery.toy, lambda: ca.gallery.ravine(100.0, 0.6)),
        ([-5.0, -2.0], [-4.5, -2.0]), strict=True,
    ):  # fmt: skip
        if name == "SGD":
            continue  # it runs on data
        loss = ca.simulate(make(), scene.optimizer, start, STEPS, record="loss").loss
        above = np.flatnonzero(~(loss <= TOLERANCE * loss[0]))
        settled = int(above[-1]) + 1 if above[-1] < STEPS - 30 else None
        assert scene.settled == settled
        shown = len(scene.gap)
        np.testing.assert_allclose(scene.gap, loss[:shown] / loss[0], rtol=1e-9, atol=1e-30)


def test_linear_rules_come_with_their_theory_and_others_without():
    for name in ("GradientDescent", "HeavyBall", "Newton", "ChebyshevSteps", "SilverSteps"):
        for scene in made(name).scenes:
            seen = scene.gap > 1e-12
            np.testing.assert_allclose(scene.predicted[seen], scene.gap[seen], rtol=1e-6)
    for name in ("Adam", "SignSGD", "BFGS", "Langevin", "SGD"):
        assert not any(scene.predicted.size for scene in made(name).scenes)


def test_both_problems_are_what_the_words_say():
    toy, ravine = made("GradientDescent").scenes
    np.testing.assert_allclose(toy.eigenvalues, [0.2, 4.0])
    np.testing.assert_allclose(np.abs(toy.directions), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(ravine.eigenvalues, [0.1, 10.0])
    assert abs(ravine.directions[0, 0]) == pytest.approx(np.cos(0.6))
    for scene in (toy, ravine):
        along = scene.points @ scene.directions
        gap = (along**2 @ scene.eigenvalues) / 2
        np.testing.assert_allclose(gap / gap[0], scene.gap, rtol=1e-9, atol=1e-30)


def test_stochastic_rules_run_on_data_of_the_same_curvature():
    for scene, smallest in zip(made("SGD").scenes, (0.2, 0.1), strict=True):
        assert scene.manner == "wanders"
        assert scene.settled is None
        assert scene.eigenvalues[0] == pytest.approx(smallest)
        assert scene.gap[-1] < 0.1


def test_memory_is_divided_by_its_largest_size():
    velocity = made("HeavyBall").scenes[0].memory["velocity"]
    (trace,) = made("HeavyBall").traces
    np.testing.assert_allclose(trace.values * trace.size, velocity)
    assert np.abs(trace.values).max() == pytest.approx(1.0)


def test_memory_of_every_shape_is_shown():
    assert [trace.slot for trace in made("AMSGrad").traces][:2] == ["m", "s"]
    matrix, steepest = made("BFGS").traces
    assert matrix.values.shape[1] == 2  # the diagonal
    assert steepest.values.shape[1] == 1  # both coordinates are the same
    assert made("LBFGS").hidden == 18
    assert len(made("LBFGS").traces) == 3
    assert not made("Newton").has_memory
    assert made("Newton").traces[0].slot == "θ"


def test_manners():
    manners = {name: [scene.manner for scene in made(name).scenes] for name in NAMES}
    assert manners["GradientDescent"][0] == "zigzags"
    assert manners["HeavyBall"] == ["swings", "swings"]
    assert manners["Newton"] == ["glides", "glides"]
    assert manners["Langevin"] == ["wanders", "wanders"]


def test_what_does_not_arrive_says_how_far_it_came():
    assert finding(made("SignSGD")).startswith("SignSGD does not settle below 1e−6")
    assert re.search(r"gap ×\S+ after 600 steps; ravine", caption(made("SignSGD")))
    assert caption(made("Newton")) == (
        "toy: α = 1, gap ×1e−6 after 1 step; ravine: α = 1, gap ×1e−6 after 1 step."
    )


def test_noisy_runs_that_touch_the_goal_at_the_end_have_not_settled():
    for scene in optimizer_card_data(find("GradientNoise")).scenes:
        assert scene.settled is None


def test_settings_that_are_published_together_stay():
    exact = ca.optimizers.TripleMomentum.published_optimum(0.2, 4.0, {})
    found = made("TripleMomentum").scenes[0].optimizer
    for name, value in exact.items():
        assert found.values[name] == pytest.approx(value, rel=1e-3)


def test_one_that_arrives_on_one_problem_only_says_so():
    data = made("Newton")
    toy, ravine = data.scenes
    late = type(ravine)(**{**vars(ravine), "settled": None})
    one = type(data)(**{**vars(data), "scenes": (toy, late)})
    assert finding(one) == ("Newton needs 1 step on the toy, and does not arrive on the ravine")
