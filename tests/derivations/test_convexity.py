"""Convexity: proofs where there is one, counterexamples that hold in exact numbers, symmetry."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy

from convex_analyzer.derivations import loss_convexity
from convex_analyzer.derivations.convexity import is_convex
from convex_analyzer.derivations.convexity_signs import sign_on
from convex_analyzer.derivations.loss_convexity import LOSSES, convexity_of_loss
from convex_analyzer.derivations.symmetry import (
    SmallNetwork,
    absolute_value_network,
    symmetry_argument,
)
from convex_analyzer.errors import InputError

PROVED = [
    "x", "x**2", "log(1 + exp(-x))", "log(1 + exp(x - 2*y)) + y**2", "x**4 + y**4",
    "abs(x - 1) + exp(y)", "x*log(x)", "-log(x)", "x**2 - x*y + y**2", "x**4 - x**3 + x**2",
    "exp(x**2)", "max(x, y**2)", "log(exp(x) + exp(y) + 1)", "x**2/y", "1/x", "2*x**2 + cos(x)",
    "(x + y - 1)**4 + exp(x - y)", "-log(1/(1 + exp(-x)))", "sqrt(x**2 + y**2 + 1)",
    "-sqrt(x)", "x - log(1 + x)", "max(0, 1 - x)", "-min(x, 2*x - 1)", "cosh(x) - x",
    "x**4 + 2*x**2*y**2 + y**4", "sqrt((x + y)**4 + exp(2*x) + 1)",
]  # fmt: skip
REFUTED = [
    "x**3", "x*y", "sin(x)", "x**4 - x**2", "(1 - x)**2 + 100*(y - x**2)**2", "(x**2 - 1)**2",
    "log(x)", "exp(-x**2)", "x**2 - y**2", "abs(x) - abs(y)", "x*exp(x)", "tanh(x)", "sqrt(abs(x))",
    "(1/(1 + exp(-x)) - 1)**2/2", "x**6 + x**2*y**2 + y**6", "-x**2", "min(x, 0)", "log(1 + x**2)",
    "sqrt((x**2 - 1)**2 + 1)", "x**2 - 0.04*exp(-100*(x - 0.37)**2)",
]  # fmt: skip


def holds_at(function, symbols, example):
    """Recompute a counterexample in exact numbers."""
    x, y = ([sympy.Rational(repr(v)) for v in point] for point in (example.x, example.y))
    weight = sympy.Rational(example.weight)
    middle = [weight * a + (1 - weight) * b for a, b in zip(x, y, strict=True)]

    def at(point):
        return function.subs(dict(zip(symbols, point, strict=True)))

    gap = at(middle) - weight * at(x) - (1 - weight) * at(y)
    assert sympy.N(gap, 30) > 0
    assert [float(v) for v in middle] == pytest.approx(example.middle)


@pytest.mark.parametrize("text", PROVED)
def test_proofs(text):
    result = is_convex(text)
    assert result.verdict == "proved", result.words
    assert result
    assert result.derivation.proved
    assert result.derivation.lines
    assert result.words in " ".join(str(result).split())


@pytest.mark.parametrize("text", REFUTED)
def test_counterexamples_hold_and_are_short(text):
    result = is_convex(text)
    assert result.verdict == "refuted", result.words
    function = sympy.sympify(text.replace("max", "Max").replace("min", "Min"), rational=True)
    symbols = sorted(function.free_symbols, key=str)
    holds_at(function, symbols, result.counterexample)
    longest = max(len(f"{v:g}") for v in (*result.counterexample.x, *result.counterexample.y))
    assert longest <= 5
    assert "lies above the chord" in " ".join(str(result).split())


def test_no_proof_of_what_is_not_convex_and_no_refutation_of_what_is():
    """Random quadratics and quartics, decided independently by eigenvalues or by construction."""
    rng = np.random.default_rng(0)
    x, y = sympy.symbols("x y", real=True)
    for _ in range(25):
        a, b, c = (int(v) for v in rng.integers(-4, 5, 3))
        lowest = np.linalg.eigvalsh([[a, b], [b, c]])[0]
        verdict = is_convex(a * x**2 + 2 * b * x * y + c * y**2, variables=[x, y]).verdict
        assert verdict == ("proved" if lowest > -1e-9 else "refuted"), (a, b, c)
    for _ in range(10):
        p, q, r = (int(v) for v in rng.integers(-3, 4, 3))
        quartic = x**4 + p * x**3 + q * x**2 + r * x
        second = np.poly1d([12, 6 * p, 2 * q])
        lowest = second(-p / 4)
        assert is_convex(quartic).verdict == ("proved" if lowest >= 0 else "refuted"), quartic


def test_boxes_decide():
    assert is_convex("x**3", {"x": (0, 5)}).verdict == "proved"
    assert is_convex("x*exp(x)", [(-2, 9)]).verdict == "proved"
    assert is_convex("sin(x)", [(3.2, 6)]).verdict == "proved"
    assert is_convex("sin(x)", [(3, 6)]).verdict == "refuted"
    assert is_convex("x - log(1 + x)").over == "x > -1"
    t = sympy.Symbol("t", positive=True)
    assert is_convex(t**3).over == "t > 0"
    assert is_convex("log(x)", [(1, 2)]).counterexample.x >= (1.0,)


def test_callables_are_searched_only():
    bowl = is_convex(lambda x: float(np.sum(x**2)), dimension=3, budget=1200)
    assert bowl.verdict == "plausible"
    assert not bowl
    assert "no proof" in bowl.words
    saddle = is_convex(lambda x: x[0] * x[1], [(-1, 1), (-1, 1)])
    assert saddle.verdict == "refuted"
    holds_at(sympy.prod(sympy.symbols("a b")), sympy.symbols("a b"), saddle.counterexample)
    relu = is_convex(lambda x: float(np.sum(np.maximum(x, 0) + 1e-9 * x)), dimension=2, budget=1200)
    assert relu.verdict == "plausible"


@pytest.mark.parametrize(
    ("f", "options", "words"),
    [
        (3, {}, "SymPy expression, text or a callable"),
        ("3", {}, "no variables"),
        ("x*y", {"variables": ["x"]}, "y"),
        (sympy.sympify("x*k"), {"variables": [sympy.Symbol("x")]}, "no variables: k"),
        (lambda x: x, {}, "dimension is missing"),
        (lambda x: x, {"dimension": 0}, "whole number from 1"),
        (lambda x: float("nan"), {"dimension": 1}, "undefined wherever"),
        (lambda x: 0.0, {"over": [(1, 0)]}, "below its high"),
        ("x**2", {"over": [(1, 0)]}, "must be below"),
        ("x**2", {"over": [(1, 2), (3, 4)]}, "must hold 1 pairs"),
        ("x**2", {"over": {"y": (0, 1)}}, "does not have"),
        ("x**2", {"over": 3}, "must hold 1 pairs"),
        ("log(-1 - x**2)", {}, "undefined wherever"),
    ],
)  # fmt: skip
def test_bad_input_is_named(f, options, words):
    with pytest.raises(InputError) as caught:
        is_convex(f, **options)
    assert words in str(caught.value)


# -- losses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_proved_convex(name):
    derivation = convexity_of_loss(name)
    assert derivation.proved, derivation
    assert all(line.latex for line in derivation.lines)


def test_the_statements_about_losses_hold_in_numbers():
    """The Hessian of softmax cross-entropy is T (diag p − ppᵀ): against differences, K = 2..6."""
    rng = np.random.default_rng(0)
    for K in range(2, 7):
        z, t = rng.normal(size=K), rng.random(K)
        p = np.exp(z) / np.exp(z).sum()
        H = t.sum() * (np.diag(p) - np.outer(p, p))

        def gradient(z, t=t):
            return t.sum() * np.exp(z) / np.exp(z).sum() - t

        columns = [(gradient(z + 1e-6 * e) - gradient(z - 1e-6 * e)) / 2e-6 for e in np.eye(K)]
        assert np.allclose(H, columns, atol=1e-8)
        eigenvalues = np.linalg.eigvalsh(H)
        assert eigenvalues[0] > -1e-15
        assert eigenvalues[-1] <= t.sum() / 2 + 1e-15
        assert np.allclose(H @ np.ones(K), 0, atol=1e-15)
        v = rng.normal(size=K)
        variance = p @ v**2 - (p @ v) ** 2
        assert v @ H @ v == pytest.approx(t.sum() * variance)
    assert is_convex("log(1 + exp(-z))").verdict == "proved"


def test_the_checks_of_losses_can_fail(monkeypatch):
    """With a wrong softmax the lines are refuted."""

    def wrong(count):
        z, v = sympy.symbols(f"z1:{count + 1}"), sympy.symbols(f"v1:{count + 1}")
        return z, v, [sympy.exp(entry) for entry in z]  # not normalised

    monkeypatch.setattr(loss_convexity, "_symbols_of", wrong)
    loss_convexity._derived.cache_clear()
    try:
        verdicts = [line.verdict for line in convexity_of_loss("softmax_cross_entropy").lines]
        assert verdicts[2] == verdicts[4] == "refuted"
    finally:
        loss_convexity._derived.cache_clear()
    with pytest.raises(InputError, match="known: squared_error"):
        convexity_of_loss("hinge")


# -- permutation symmetry -------------------------------------------------------------------------


def random_network(K, seed, activation="tanh"):
    rng = np.random.default_rng(seed)
    shapes = ((K, 2), (K,), (1, K), (1,))
    return SmallNetwork(*(rng.normal(size=shape) for shape in shapes), activation)


def test_two_relu_units_refute_convexity():
    network, X, y = absolute_value_network()
    argument = symmetry_argument(network, X, y)
    assert argument.verdict == "refuted"
    assert argument.loss == 0
    assert argument.mean_loss > 1e-3  # THEORY 9.5; here ½ mean x² = 1
    assert argument.mean_loss == pytest.approx(0.5 * np.mean(X**2))
    assert argument.derivation.proved
    copy = network.permuted(argument.order)
    assert copy.loss(X, y) == 0  # two points at 0, their midpoint above
    assert network.mixed(copy, 0.5).loss(X, y) == argument.midpoint_loss > 0
    assert "no convex function does that" in str(argument)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "linear"])
def test_copies_have_one_loss_and_the_mean_is_the_average_unit(activation):
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(9, 2)), rng.normal(size=(9, 1))
    for K in (1, 3, 8):
        network = random_network(K, K, activation)
        argument = symmetry_argument(network, X, y)
        assert argument.spread < 1e-12
        assert argument.derivation.lines[1].verdict == "proved"
        assert argument.copies == (6 if K == 3 else K)
    orders = list(itertools.permutations(range(3)))
    network = random_network(3, 3, activation)
    mean = sum(network.permuted(order).V for order in orders) / len(orders)
    assert np.allclose(mean, network.averaged().V)


def test_where_the_mean_is_no_worse_nothing_is_proved():
    network, X, y = absolute_value_network()
    equal = SmallNetwork([[1.0], [1.0]], [0.0, 0.0], [[1.0, 1.0]], [0.0])
    argument = symmetry_argument(equal, X, y)
    assert argument.verdict == "undecided"
    assert argument.mean_loss == argument.loss
    assert "nothing is proved" in argument.words
    worse = symmetry_argument(network, X, -y)  # a bad fit: the mean is better
    assert worse.mean_loss < worse.loss
    assert "no larger" in worse.words


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_equal_units_stay_equal_for_ever(activation):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(12, 2)), rng.normal(size=(12, 1))
    network = random_network(3, 5, activation)
    same = [0, 0, 2]
    network = SmallNetwork(
        network.W[same], network.b[same], network.V[:, same], network.c, activation
    )
    after = network.stepped(X, y, 0.1, 300)
    assert after.loss(X, y) < network.loss(X, y)
    assert np.array_equal(after.W[0], after.W[1])
    assert np.array_equal(after.V[:, 0], after.V[:, 1])
    assert not np.allclose(after.W[0], after.W[2])
    constant = SmallNetwork(
        np.full((3, 2), 0.3), np.zeros(3), np.full((1, 3), 0.2), [0.0], activation
    )
    after = constant.stepped(X, y, 0.1, 200)
    assert np.linalg.matrix_rank(after.W) == 1


def test_the_gradient_of_the_small_network_is_right():
    from convex_analyzer.problems.gradient_check import check_gradient

    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
    network = random_network(4, 9)
    parts = {name: getattr(network, name) for name in "WbVc"}
    g = network.gradient(X, y)
    slopes = {name: getattr(g, name) for name in "WbVc"}
    check = check_gradient(lambda p: SmallNetwork(**p, activation="tanh").loss(X, y), slopes, parts)
    assert check.is_correct, check.words


def test_bad_networks():
    network, X, y = absolute_value_network()
    with pytest.raises(InputError, match="activation must be one of"):
        SmallNetwork([[1.0]], [0.0], [[1.0]], [0.0], "step")
    with pytest.raises(InputError, match="shapes must be"):
        SmallNetwork([[1.0]], [0.0, 1.0], [[1.0]], [0.0])
    with pytest.raises(InputError, match="permutation of 0 to 1"):
        network.permuted([0, 0])
    with pytest.raises(InputError, match="X must have shape"):
        symmetry_argument(network, np.ones((5, 2)), y)
    with pytest.raises(InputError, match="y must have shape"):
        symmetry_argument(network, X, y[:3])


# -- what strangers bring -------------------------------------------------------------------------


def test_rounding_refutes_nothing():
    def linear(theta):
        return np.float32(np.sum(theta.astype(np.float32) * np.float32(0.1)))

    assert is_convex(linear, dimension=20).verdict == "plausible"
    assert is_convex(lambda t: float(linear(t)), dimension=20).verdict == "plausible"
    assert is_convex(lambda t: float(np.float32(np.cos(t[0]))), dimension=1).verdict == "refuted"
    generator = np.random.default_rng(0)
    with pytest.raises(InputError, match="differently each time"):
        is_convex(lambda t: t @ t + generator.random(), dimension=2)


def test_the_words_show_the_gap_and_no_walls_of_digits():
    words = is_convex("x**2 + 2.01*cos(x)").words
    value, chord = (
        words.partition("f(0) = ")[2].split(" lies")[0],
        words.split(" = ")[-1].split()[0],
    )
    assert value != chord
    for text in ("1e150*x**2 - 1e140*y**2", "1e-150*x**2"):
        assert "0" * 80 not in str(is_convex(text))
        assert "0" * 80 not in is_convex(text).words


STRANGE = {
    "an end that is no number": (
        lambda: is_convex("x**2", over={"x": (np.nan, 1)}),
        "an end for x",
    ),
    "an end as text": (lambda: is_convex("x**2", over={"x": ("0", 1)}), "an end for x"),
    "dimension": (lambda: is_convex(abs, dimension="a"), "whole number from 1"),
    "budget": (lambda: is_convex("x**3", budget="a"), "budget"),
    "seed": (lambda: is_convex("x**3", seed=-1), "seed"),
    "equation": (lambda: is_convex(sympy.Eq(sympy.Symbol("x"), 1)), "one expression"),
    "vector": (lambda: is_convex(sympy.eye(2)), "one expression"),
    "no network": (lambda: symmetry_argument(None, [[1.0]], [[1.0]]), "SmallNetwork"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_input_is_refused_in_words(name):
    call, words = STRANGE[name]
    with pytest.raises(InputError, match=words):
        call()


def test_variables_are_found_by_name_whatever_they_assume():
    x = sympy.Symbol("x", positive=True)
    assert is_convex(x * sympy.log(x), variables=["x"]).verdict == "proved"
    assert is_convex(sympy.Matrix([x**2])).verdict == "proved"


def test_products_too_long_to_expand_are_left_undecided():
    x, y = sympy.symbols("x y", real=True)
    everywhere = tuple((s, -sympy.oo, sympy.oo) for s in (x, y))
    long = (x + y + 1) ** 41 * (x - y + 2) ** 41 * (x + 2 * y + 3) ** 41
    assert sign_on(long, everywhere) == "?"
    assert sign_on((x + y) ** 4 + 1, everywhere) == "+"


def test_a_maximum_that_is_infinite_somewhere_is_searched_all_the_same():
    verdict = is_convex("max((x - y)/(x + 1), (x + 1)**2)", over=[(-2, 2), (-2, 2)])
    assert verdict.verdict in {"refuted", "plausible"}
