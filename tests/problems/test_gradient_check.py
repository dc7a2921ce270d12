"""Right gradients pass, wrong ones fail and are named; kinks, noise and scales deceive nobody."""

from __future__ import annotations

import json
import math
from typing import NamedTuple

import numpy as np
import pytest
from cases import each

from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.problems.gradient_check import check_gradient

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(20, 4)), RNG.normal(size=(20, 3))
NET = {
    "first": {"weight": RNG.normal(size=(4, 5)), "bias": RNG.normal(size=5)},
    "second": {"weight": RNG.normal(size=(5, 5)), "bias": RNG.normal(size=5)},
    "third": [RNG.normal(size=(5, 3)), np.zeros(3)],
}


def loss(net, relu=False):
    return forward(net, relu)[-1]


def forward(net, relu):
    one = X @ net["first"]["weight"] + net["first"]["bias"]
    h = np.maximum(one, 0) if relu else np.tanh(one)
    two = h @ net["second"]["weight"] + net["second"]["bias"]
    k = np.maximum(two, 0) if relu else np.tanh(two)
    off = k @ net["third"][0] + net["third"][1] - Y
    return one, h, two, k, off, 0.5 * np.sum(off**2) / len(X)


def backward(net, relu=False):
    """Backpropagation by hand."""
    one, h, two, k, off, _ = forward(net, relu)
    off = off / len(X)
    at_two = (off @ net["third"][0].T) * ((two > 0) if relu else 1 - k**2)
    at_one = (at_two @ net["second"]["weight"].T) * ((one > 0) if relu else 1 - h**2)
    return {
        "first": {"weight": X.T @ at_one, "bias": at_one.sum(0)},
        "second": {"weight": h.T @ at_two, "bias": at_two.sum(0)},
        "third": [k.T @ off, off.sum(0)],
    }


def random_case(seed, d=None):
    """Return f, its gradient by hand and a point; five families, d from 2 to 6."""
    rng = np.random.default_rng(seed)
    d = d or 2 + seed // 5 % 5
    A, b, W = rng.normal(size=(d, d)), rng.normal(size=d), rng.normal(size=(5, d))
    A = A @ A.T

    def rosenbrock_slope(x):
        inner = x[1:] - x[:-1] ** 2
        slope = np.zeros(d)
        slope[1:] += 200 * inner
        slope[:-1] += -400 * x[:-1] * inner - 2 * (1 - x[:-1])
        return slope

    families = (
        (lambda x: x @ A @ x / 2 + b @ x, lambda x: A @ x + b),
        (lambda x: np.sum(np.logaddexp(0, W @ x)), lambda x: W.T @ (1 / (1 + np.exp(-W @ x)))),
        (
            lambda x: np.sum(np.tanh(W @ x) ** 2),
            lambda x: W.T @ (2 * np.tanh(W @ x) / np.cosh(W @ x) ** 2),
        ),
        (
            lambda x: np.exp(np.sin(b @ x)) + x @ x,
            lambda x: np.exp(np.sin(b @ x)) * np.cos(b @ x) * b + 2 * x,
        ),
        (
            lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
            rosenbrock_slope,
        ),
    )
    point = rng.normal(size=d) * 10 ** rng.uniform(-1, 0.5)
    return *families[seed % 5], point


@pytest.mark.survey
def test_200_right_gradients_pass_and_one_percent_in_one_coordinate_is_named():
    for seed in range(200):
        f, gradient, x = random_case(seed)
        right = check_gradient(f, gradient, x, seed=seed, directions=1)
        assert right.verdict == "correct", (seed, right.words)
        assert right.relative_error < 1e-6, seed
        assert right.taylor_slope is None or right.taylor_slope > 1.8, seed
        claimed = np.array(gradient(x))
        j = seed % len(x)
        claimed[j] *= 1.01
        wrong = check_gradient(f, claimed, x, seed=seed, directions=0)
        assert (wrong.verdict, wrong.wrong) == ("wrong", (f"θ[{j}]",)), (seed, wrong.words)


def test_taylor_slopes_are_two_and_one():
    f, gradient, x = random_case(1)
    assert check_gradient(f, gradient, x, directions=8).taylor_slope == pytest.approx(2, abs=0.1)
    claimed = 1.01 * gradient(x)
    assert check_gradient(f, claimed, x, directions=8).taylor_slope == pytest.approx(1, abs=0.2)
    along = check_gradient(f, claimed, x, directions=np.eye(len(x)))
    assert len(along.taylor) == len(x)


# -- networks: names, blocks, kinks, slips --------------------------------------------------------


def test_networks_with_named_blocks():
    check = check_gradient(loss, backward, NET)
    assert check.is_correct, check.words
    names = ["first.weight", "first.bias", "second.weight", "second.bias", "third.0", "third.1"]
    assert [block.name for block in check.blocks] == names
    assert {block.verdict for block in check.blocks} == {"correct"}
    assert check.coordinates[-1].name == "third.1[2]"
    assert json.loads(json.dumps(check.to_dict()))["verdict"] == "correct"
    assert "second.weight" in str(check)
    relu = check_gradient(lambda n: loss(n, relu=True), lambda n: backward(n, relu=True), NET)
    assert relu.is_correct
    assert relu.kinks == ()


def spoil(change):
    """Return backpropagation with one mistake in it."""

    def gradient(net):
        slopes = backward(net)
        change(slopes, net)
        return slopes

    return gradient


def scale(part, key, factor):
    def change(slopes, net):
        del net
        slopes[part][key] = slopes[part][key] * factor

    return change


def add_decay(slopes, net):
    for part in ("first", "second"):
        slopes[part]["weight"] = slopes[part]["weight"] + 0.01 * net[part]["weight"]


def turn(slopes, net):
    del net
    slopes["second"]["weight"] = slopes["second"]["weight"].T


def lose(slopes, net):
    del net
    slopes["third"][1][1] = 0.0


def two_slips(slopes, net):
    scale("first", "weight", 2)(slopes, net)
    scale("second", "bias", 0.5)(slopes, net)


@pytest.mark.parametrize(
    ("change", "slip", "blocks"),
    [
        (scale("first", "weight", -1), "the sign is flipped", {"first.weight"}),
        (scale("second", "bias", 2), "twice the truth", {"second.bias"}),
        (scale("third", 0, 0.5), "half the truth", {"third.0"}),
        (scale("third", 1, 20), "20 times the truth", {"third.1"}),
        (scale("third", 1, -1 / 20), "1/20 of the truth and the sign is flipped", {"third.1"}),
        (scale("first", "bias", 1.3), "1.3 times the truth", {"first.bias"}),
        (turn, "second.weight is transposed", {"second.weight"}),
        (add_decay, "0.01·θ is too much", {"first.weight", "second.weight"}),
        (lose, "this entry is 0", {"third.1"}),
        (two_slips, "first.weight: twice the truth", {"first.weight", "second.bias"}),
        (scale("first", "bias", math.nan), "is not finite", {"first.bias"}),
    ],
)
def test_slips_are_recognised(change, slip, blocks):
    check = check_gradient(loss, spoil(change), NET, directions=0)
    assert check.verdict == "wrong"
    assert slip in check.slip, check.words
    assert {block.name for block in check.blocks if block.verdict == "wrong"} == blocks
    assert slip in check.words


def test_other_slips():
    target = np.array([1.0, 2.0, 4.0])
    swapped = check_gradient(lambda x: target @ x, target[[1, 2, 0]], np.ones(3))
    assert "entries are exchanged" in swapped.slip
    mirrored = check_gradient(lambda x: target @ x, target[::-1], np.ones(3))
    assert "reverse order" in mirrored.slip
    cut = check_gradient(lambda x: x @ x, lambda x: (2 * x).astype(int), [0.3, 0.7, 1.2])
    assert "integers" in cut.slip
    missing = check_gradient(
        lambda x: target @ x + 0.05 * x @ x, lambda x: target, [1.0, -2.0, 3.0]
    )
    assert "0.1·θ is missing" in missing.slip


def test_blocks_of_a_vector():
    f, gradient, x = random_case(8, d=10)
    claimed = gradient(x)
    claimed[7] *= 1.01
    check = check_gradient(f, claimed, x, blocks={"low": slice(0, 5), "high": [7, 8]})
    found = {block.name: (block.size, block.verdict) for block in check.blocks}
    expected = {"low": (5, "correct"), "high": (2, "wrong"), "the rest": (3, "correct")}
    assert found == expected


# -- above 200 coordinates: combinations, then halving --------------------------------------------


def test_few_faults_among_many_coordinates():
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=3_000), rng.normal(size=3_000)

    def f(theta):
        return np.sum(np.log(np.cosh(w * theta)))

    right = w * np.tanh(w * x)
    check = check_gradient(f, right, x, directions=1)
    assert check.verdict == "correct"
    assert "random combinations of all 3,000" in check.words
    claimed = right.copy()
    claimed[777] *= 1.01
    claimed[2_555] *= -1
    check = check_gradient(f, claimed, x, directions=1)
    assert check.wrong == ("θ[2555]", "θ[777]")
    decay = check_gradient(f, right + 0.1 * x, x, directions=1)
    assert "0.1·θ is too much" in decay.slip


# -- kinks, noise, scales -------------------------------------------------------------------------


def test_kinks_raise_no_false_alarm():
    slopes = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    x = np.array([0.0, 1.0, -2.0, 1e-12, 3e-7])  # on, off, and too close to a kink

    def f(theta):
        return slopes @ np.maximum(theta, 0) + np.sum(theta**2)

    for at_zero in (0.0, 0.5, 1.0):  # any subgradient will do
        check = check_gradient(
            f, lambda t, z=at_zero: slopes * np.where(t > 0, 1, np.where(t < 0, 0, z)) + 2 * t, x
        )
        assert check.is_correct, check.words
        assert ("θ[0]" in check.kinks) == (at_zero != 0.5)  # the mean is what is measured
        assert {"θ[1]", "θ[2]"}.isdisjoint(check.kinks)


def test_relu_networks_on_their_kinks():
    """Zero biases and zero inputs put units exactly on the kink."""
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(12, 3))
    inputs[:4] = 0.0

    def f(b):
        return np.mean(np.maximum(inputs @ np.ones((3, 5)) + b, 0) ** 1 @ np.arange(1.0, 6.0))

    def gradient(b):
        return np.mean(inputs @ np.ones((3, 5)) + b > 0, axis=0) * np.arange(1.0, 6.0)

    check = check_gradient(f, gradient, np.zeros(5))
    assert check.verdict == "cannot tell"
    assert len(check.kinks) == 5
    assert "not smooth along any coordinate" in check.words
    assert check_gradient(f, gradient, np.array([0, 0.1, 0.2, 0.3, -0.1])).is_correct


@pytest.mark.parametrize("seed", range(6))
def test_networks_with_units_on_their_kinks(seed):
    """A leaky unit that starts at zero: backpropagation leaves the interval of one-sided slopes."""
    rng = np.random.default_rng(seed)
    inputs, targets = rng.normal(size=(15, 4)), rng.normal(size=15)

    def parts(p):
        z = inputs @ p["W"] + p["b"]
        return z, np.where(z > 0, z, 0.1 * z) @ p["v"] - targets

    def f(p):
        return np.mean(parts(p)[1] ** 2) + 0.01 * np.sum(np.abs(p["W"]))

    def gradient(p):
        z, off = parts(p)
        back = 2 * off[:, None] / 15 * p["v"] * np.where(z > 0, 1, 0.1)
        units = np.where(z > 0, z, 0.1 * z)
        slopes = {"W": inputs.T @ back, "b": back.sum(0), "v": units.T @ off * 2 / 15}
        return {**slopes, "W": slopes["W"] + 0.01 * np.sign(p["W"])}

    point = {"W": rng.normal(size=(4, 5)), "b": np.zeros(5), "v": rng.normal(size=5)}
    point["W"][:, 0] = 0.0
    check = check_gradient(f, gradient, point, directions=0)
    assert check.is_correct, check.words
    assert check.kinks
    assert not {name for name in check.kinks if not name.endswith(", 0]")} - {"b[0]"}
    slopes = gradient(point)
    slopes["W"][2, 3] *= 1.01
    assert check_gradient(f, slopes, point, directions=0).wrong == ("W[2, 3]",)


@each("scale_", [1e-200, 1e-8, 1.0, 1e8, 1e200])
def test_values_of_any_size(scale_):
    f, gradient, x = random_case(3)
    check = check_gradient(lambda t: scale_ * f(t), lambda t: scale_ * gradient(t), x)
    assert check.is_correct, check.words
    claimed = scale_ * gradient(x)
    claimed[1] *= 1.01
    assert check_gradient(lambda t: scale_ * f(t), claimed, x).wrong == ("θ[1]",)


@each(
    ("f", "gradient", "x"),
    [
        (lambda t: np.sum(t**4), lambda t: 4 * t**3, np.array([1e60, -2e60])),  # blown up
        (lambda t: np.sum(np.sin(t)), np.cos, np.array([1e6, 3e6])),
        (lambda t: np.sum(np.sin(1e8 * t)), lambda t: 1e8 * np.cos(1e8 * t), [1e-8, 3e-8]),
        (lambda t: np.sum(t * np.log(t)), lambda t: np.log(t) + 1, [1e-9, 1e-3, 1.0]),
        (lambda t: np.exp(700 * t[0]), lambda t: 700 * np.exp(700 * t), [1.0]),
        (lambda t: t**3, lambda t: 3 * t**2, 2),
        (lambda x, y: x * y**2, lambda x, y: (y**2, 2 * x * y), [2, 3]),
    ],
)
def test_difficult_scales(f, gradient, x):
    assert check_gradient(f, gradient, x).is_correct


def test_single_precision_is_measured_and_said():
    f, gradient, x = random_case(1)
    for noisy in (lambda t: np.float32(f(t)), lambda t: float(np.float32(f(t)))):
        check = check_gradient(noisy, gradient, x)
        assert check.is_correct
        assert 1e-6 < check.resolution < 2e-3
        assert "Noise of f hides" in check.words
        assert check_gradient(noisy, 1.05 * gradient(x), x).verdict == "wrong"
    assert check_gradient(f, lambda t: gradient(t).astype(np.float32), x).is_correct


def test_what_cannot_be_told_is_not_told():
    flat = check_gradient(lambda t: 1 + 1e-12 * t @ t, lambda t: 2e-12 * t, [1.0, 2.0])
    assert flat.verdict == "cannot tell"
    assert "differences resolve" in flat.words
    edge = check_gradient(lambda t: np.sqrt(t[0]) + t[1], [0.0, 1.0], [0.0, 1.0])
    assert edge.is_correct
    assert "not finite on one side along θ[0]" in edge.words


def test_tolerance_moves_the_thresholds():
    f, gradient, x = random_case(0)
    claimed = gradient(x) * (1 + 2e-4)
    assert check_gradient(f, claimed, x).verdict == "suspicious"
    assert check_gradient(f, claimed, x, tolerance=1e-5).verdict == "wrong"
    assert check_gradient(f, claimed, x, tolerance=0.1).is_correct


# -- bad input ------------------------------------------------------------------------------------


def raises(x):
    raise ZeroDivisionError("no")


CALLS = iter(range(1000))
SQUARE = (lambda x: float(np.sum(np.asarray(x) ** 2)), lambda x: 2 * x)


@each(
    ("f", "gradient", "at", "options", "words"),
    [
        (raises, SQUARE[1], [1.0, 2.0], {}, "f raised ZeroDivisionError: no"),
        (SQUARE[0], raises, [1.0, 2.0], {}, "gradient raised ZeroDivisionError: no"),
        (lambda x: math.nan, SQUARE[1], [1.0, 2.0], {}, "f is undefined"),
        (lambda x: x, SQUARE[1], [1.0, 2.0], {}, "f must return one number"),
        (lambda x: next(CALLS), SQUARE[1], [1.0, 2.0], {}, "no dropout"),
        ("f", SQUARE[1], [1.0, 2.0], {}, "f must be callable"),
        (*SQUARE, [1.0, 2.0], {"tolerance": 2}, "tolerance must lie between"),
        (*SQUARE, [1.0, 2.0], {"directions": [[0.0, 0.0]]}, "length 0"),
        (*SQUARE, [1.0, 2.0], {"directions": [1.0, 2.0, 3.0]}, "shape (n, 2)"),
        (*SQUARE, [1.0, 2.0], {"directions": -1}, "directions must be"),
        (*SQUARE, [1.0, 2.0], {"blocks": {"a": [2]}}, "coordinates 0 to 1"),
        (*SQUARE, [1.0, 2.0], {"blocks": {"a": [0], "b": slice(0, 2)}}, "a and b overlap"),
        (*SQUARE, [1.0, 2.0], {"blocks": [1]}, "must map names"),
        (*SQUARE, [], {}, "holds no numbers"),
        (*SQUARE, [1j], {}, "must be real"),
        (*SQUARE, [math.inf], {}, "not finite"),
        (SQUARE[0], [1.0, 2.0, 3.0], [1.0, 2.0], {}, "shape (2,) for θ, got (3,)"),
        (SQUARE[0], np.ones((7, 2)), [1.0, 2.0], {}, "first axis, the rows of data"),
        (SQUARE[0], np.ones((2, 3)), np.ones((3, 2)), {}, "it is transposed"),
        (SQUARE[0], lambda x: None, [1.0, 2.0], {}, "returned None for θ"),
        (SQUARE[0], [1j, 2.0], [1.0, 2.0], {}, "got complex numbers"),
        (lambda p: 0.0, {"w": [1.0]}, {"w": [1.0], "b": [2.0]}, {}, "no part b"),
    ],
)
def test_bad_input_is_named(f, gradient, at, options, words):
    with pytest.raises(InputError) as caught:
        check_gradient(f, gradient, at, **options)
    assert words in str(caught.value)


# -- the figure -----------------------------------------------------------------------------------


def test_the_ladder_is_a_v_and_the_figure_says_so():
    f, gradient, x = random_case(1)
    check = check_gradient(f, gradient, x)
    ladder = check.ladder
    errors, steps = ladder.errors, ladder.steps
    assert errors[ladder.best] < 1e-8
    rise = np.diff(np.log10(errors[2:8])) / np.diff(np.log10(steps[2:8]))
    assert np.median(rise) == pytest.approx(2, abs=0.1)  # truncation
    assert errors[-1] > 1e3 * errors[ladder.best]  # rounding
    for subject, words in (
        (check, "is right"),
        (check_gradient(f, 1.01 * gradient(x), x), "stays at 0.0099"),
    ):
        data = plot.gradient_errors_data(subject)
        assert words in plot.finding(data)
        assert plot.alt(data).startswith(plot.finding(data))
        assert plot.caption(data).endswith(".")
        drawn = [plot.style.to_svg(plot.gradient_errors(one)) for one in (subject, data)]
        assert drawn[0] == drawn[1]
    unknown = check_gradient(lambda t: 1 + 1e-12 * t @ t, lambda t: 2e-12 * t, [1.0, 2.0])
    assert "cannot tell" in plot.finding(plot.gradient_errors_data(unknown))
    assert plot.gradient_errors(unknown, width=2.4, title=False).axes


# -- parameters as strangers keep them ------------------------------------------------------------


class Layer(NamedTuple):
    weight: np.ndarray
    bias: np.ndarray


def test_named_tuples_lists_and_blocks_of_any_name():
    def f(layer):
        return float(np.sum(layer.weight**2) + layer.bias @ layer.bias)

    layer = Layer(np.ones((2, 3)), np.ones(2))
    assert check_gradient(f, lambda p: Layer(2 * p.weight, 2 * p.bias), layer).is_correct
    parts = [np.ones((2, 3)), np.ones(2)]
    check = check_gradient(lambda p: f(Layer(*p)), lambda p: [2 * p[0], 3 * p[1]], parts)
    assert set(check.wrong) == {"θ[1][0]", "θ[1][1]"}
    with pytest.raises(InputError, match=r"one array of shape \(8,\); return the same dicts"):
        check_gradient(lambda p: f(Layer(*p)), lambda p: np.ones(8), parts)
    given = {"the rest": [0, 0]}  # a user's name, and one coordinate twice
    blocks = check_gradient(lambda x: x @ x, lambda x: 2 * x, [1.0, 2.0], blocks=given).blocks
    assert [(b.name, b.size) for b in blocks] == [("the rest", 1), ("all of the rest", 1)]


def test_a_gradient_of_zero_is_said_to_show_little():
    check = check_gradient(lambda x: x @ x, lambda x: 2 * x, np.zeros(3))
    assert check.is_correct
    assert "zero there" in check.words
    assert "∞" not in check.words


@pytest.mark.parametrize("given", [{"directions": "x"}, {"seed": -1}, {"seed": "x"}])
def test_settings_that_are_no_numbers_are_refused(given):
    with pytest.raises(InputError, match=next(iter(given))):
        check_gradient(lambda x: x @ x, lambda x: 2 * x, [1.0, 2.0], **given)
