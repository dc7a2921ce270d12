"""Local models: the check values of the theory, and brute force where there is none."""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy
from cases import each
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess, rosen_hess_prod

from convex_analyzer.comparison import compare
from convex_analyzer.comparison.local import follow
from convex_analyzer.errors import InputError, NotDerivableError, NotSymmetricError, ParseError
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.optimizers.second_order import Newton
from convex_analyzer.problems import surfaces
from convex_analyzer.problems.local import LocalModel, local_quadratic
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.reporting.build import report
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.spectra.compute import spectrum
from convex_analyzer.theory.analysis import analyze

ROSENBROCK = "100*(y - x**2)**2 + (1 - x)**2"


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


# -- the Taylor model (9.1) ------------------------------------------------------------------

WAYS = {
    "text": lambda at: local_quadratic(ROSENBROCK, at=at),
    "dict": lambda at: local_quadratic(ROSENBROCK, at={"y": at[1], "x": at[0]}),
    "SymPy": lambda at: local_quadratic(
        sympy.sympify(ROSENBROCK), at=at, variables=sympy.symbols("x y")
    ),
    "vector": lambda at: local_quadratic("100*(x[1] - x[0]**2)**2 + (1 - x[0])**2", at=at),
    "complex": lambda at: local_quadratic(rosenbrock, at=at),
    "real": lambda at: local_quadratic(lambda x, y: float(rosenbrock([x, y])), at=at),
    "gradient": lambda at: local_quadratic(rosen, at=at, gradient=rosen_der),
    "hessian": lambda at: local_quadratic(rosen, at=at, hessian=rosen_hess),
    "products": lambda at: local_quadratic(rosen, at, gradient=rosen_der, hvp=rosen_hess_prod),
}


@each("way", WAYS)
def test_every_way_in_gives_the_same_quadratic(way):
    at = np.array([-1.2, 1.0])
    model = WAYS[way](at)
    H, g = rosen_hess(at), rosen_der(at)
    assert isinstance(model, Quadratic)
    np.testing.assert_allclose(model.operator.to_dense(), H, rtol=1e-7, atol=1e-5)
    np.testing.assert_allclose(model.linear, g - H @ at, rtol=1e-7, atol=1e-5)
    assert model.value(at) == pytest.approx(24.2, rel=1e-12)
    rows = at + np.random.default_rng(1).normal(size=(5, 2))
    np.testing.assert_allclose(model.gradient(rows), g + (rows - at) @ H, rtol=1e-6)
    away = rows - at
    expected = 24.2 + away @ g + np.einsum("ri,ij,rj->r", away, H, away) / 2
    np.testing.assert_allclose(model.value(rows), expected, rtol=1e-6)
    absolute = np.einsum("ri,ij,rj->r", rows, H, rows) / 2 + rows @ model.linear + model.constant
    np.testing.assert_allclose(absolute, expected, rtol=1e-6)
    np.testing.assert_allclose(model.critical_point, at - np.linalg.solve(H, g), rtol=1e-6)
    assert model.classification.verdict == "not a critical point"


def test_rational_points_stay_exact():
    for at in ([1, 1], [1.0, 1.0], [Fraction(1), sympy.Integer(1)], np.ones(2)):
        model = local_quadratic(ROSENBROCK, at=at)
        assert model.exact == sympy.Matrix([[802, -400], [-400, 200]])
        assert model.derivative_kind == "exact"
        assert spectrum(model).kind == "exact"
    assert local_quadratic("x**4", at=0.1).exact == sympy.Matrix([[Fraction(3, 25)]])
    assert local_quadratic("cos(x)", at=sympy.pi).classification.verdict == "minimum"
    assert local_quadratic("exp(x)", at=1).derivative_kind == "numerical"


def test_a_result_of_scipy_is_a_point():
    found = minimize(rosen, [-1.2, 1.0], method="BFGS", jac=rosen_der)
    for model in (
        local_quadratic(rosen, at=found, gradient=rosen_der),
        local_quadratic(ROSENBROCK, at=found),
    ):
        point = model.classification
        assert point.verdict == "minimum"
        assert 0 < point.distance < 1e-6
        assert "within" in point.words


@pytest.mark.parametrize("text", [ROSENBROCK, "exp(x*y) + cos(x - y)", "x**2/(4 + y) + tanh(x)"])
def test_the_taylor_error_holds_at_random_points(text):
    rng = np.random.default_rng(3)
    model = local_quadratic(text, at=[0.3, -0.2])
    callable_model = local_quadratic(
        lambda x: float(model.function.value(np.real(x))), at=[0.3, -0.2]
    )
    for radius in (0.5, 0.05):
        ways = rng.normal(size=(400, 2))
        points = model.at + radius * ways / np.linalg.norm(ways, axis=1)[:, None]
        wrong = np.max(np.abs(model.function.value(points) - model.value(points)))
        bound = model.taylor_error(radius)
        assert bound.kind == "bracketed"
        assert wrong <= bound.bound <= 100 * wrong
        measured = callable_model.taylor_error(radius)
        assert measured.kind == "heuristic"
        assert measured.lipschitz <= bound.lipschitz * (1 + 1e-3)
        assert wrong <= measured.bound * 1.5


def test_curvature_stays_within_a_tenth_inside_the_model_radius():
    model = local_quadratic(ROSENBROCK, at=[1, 1])
    radius = model.model_radius(0.1)
    ways = np.random.default_rng(0).normal(size=(300, 2))
    points = model.at + radius * ways / np.linalg.norm(ways, axis=1)[:, None]
    change = np.linalg.norm(model.function.hessian(points) - rosen_hess(model.at), 2, axis=(1, 2))
    assert 0.02 < np.max(change) / model.ends[1] <= 0.1
    narrow = model.model_radius(0.1, of="smallest")
    assert narrow < radius * model.ends[0] / model.ends[1] * 1.1
    assert local_quadratic("x**2 + y**2", at=[0, 0]).model_radius() == math.inf
    with pytest.raises(InputError, match="largest"):
        model.model_radius(of="middle")


# -- the losses of classification (9.2) ------------------------------------------------------


def test_curvatures_of_the_losses():
    z = Fraction(7, 10)
    p = 1 / (1 + math.exp(-z))
    logistic = local_quadratic("softplus(z) - 0.3*z", at=z)
    assert logistic.ends[0] == pytest.approx(p * (1 - p), rel=1e-12)
    at = np.array([0.2, -1.0, 0.5, 0.1])
    targets = [0.5, 1.0, 0.25, 0.25]
    total = sum(targets)
    outputs = " + ".join(f"exp(z{i})" for i in range(4))
    linear = " - ".join(f"{t}*z{i}" for i, t in enumerate(targets))
    model = local_quadratic(f"{total}*log({outputs}) - {linear}", at=at)
    p = np.exp(at) / np.exp(at).sum()
    H = model.operator.to_dense()
    np.testing.assert_allclose(H, total * (np.diag(p) - np.outer(p, p)), atol=1e-14)
    assert model.curvature_along(np.ones(4)) == pytest.approx(0, abs=1e-14)
    v = np.array([1.0, -2.0, 0.5, 3.0])
    variance = p @ v**2 - (p @ v) ** 2
    assert model.curvature_along(v) == pytest.approx(total * variance / (v @ v), rel=1e-12)
    assert 0 <= model.ends[0] <= model.ends[1] <= total / 2


# -- what kind of point (9.3) ----------------------------------------------------------------

POINTS = {
    # name: function, place, verdict, words
    "minimum": ("x**2 + y**2 + x*y", [0, 0], "minimum", ""),
    "maximum": ("-x**2 - 3*y**2", [0, 0], "maximum", "leaves along ±.0, 1. .and 1 more"),
    "saddle": ("x**2 - y**2", [0, 0], "saddle", "leaves along ±.0, 1."),
    "saddle with a flat direction": ("x**2 - y**2 + z**4", [0, 0, 0], "saddle", "leaves"),
    "slope": ("x**2 + y", [0, 0], "not a critical point", "flat direction"),
    "close to nothing": ("x**2", 1, "not a critical point", "1 away"),
    "close by": ("x**2 + x**4", 0.00001, "minimum", "within 1e−5 of here"),
    "fourth": ("x**4", 0, "minimum", "number 4, positive"),
    "minus sixth": ("-x**6 + x**7", 0, "maximum", "number 6, negative"),
    "third": ("x**3", 0, "inflection", "number 3, positive, and odd"),
    "hidden": ("exp(x) - 1 - x - x**2/2 - x**3/6", 0, "minimum", "number 4"),
    "flat": ("0*x + 2", 0, "degenerate", "constant"),
    "rough": ("abs(x)**3", 0, "degenerate", "number 3 jumps"),
    "half rough": ("relu(x)**3", 0, "degenerate", "number 3 jumps"),
    "peano": ("(y - x**2)*(y - 2*x**2)", [0, 0], "degenerate", "not even all lines"),
    "monkey": ("x**3 - 3*x*y**2", [0, 0], "degenerate", "neither a minimum nor a maximum"),
    "ridge": ("-y**2 + x**4", [0, 0], "degenerate", "no minimum"),
    "numbers only": (lambda x: float(x[0]) ** 4, [0.0], "degenerate", "give a formula"),
    "two numbers only": (lambda x: x[0] ** 4 + x[1] ** 2, [0.0, 0.0], "degenerate", "told from"),
}


@each("name", POINTS)
def test_points_are_classified(name):
    f, at, verdict, words = POINTS[name]
    model = local_quadratic(f, at=at, variables="x" if name == "flat" else None)
    point = model.classification
    assert point.verdict == verdict
    assert re.search(words, point.words)
    assert point.decided == (verdict != "degenerate")
    assert point.is_critical == (verdict != "not a critical point")
    assert verdict in str(point)
    json.dumps(point.to_dict(), allow_nan=False)


def test_a_rotated_saddle_is_left_along_its_own_direction():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    A = turn @ np.diag([5.0, -3.0]) @ turn.T
    point = local_quadratic(lambda x: x @ A @ x / 2, at=[0.0, 0.0]).classification
    assert (point.negative, point.zero, point.positive) == (1, 0, 1)
    np.testing.assert_allclose(np.abs(point.escapes[0] @ turn[:, 1]), 1, rtol=1e-9)
    np.testing.assert_allclose(point.escape_curvatures, [-3.0], rtol=1e-8)


def test_gradient_descent_creeps_to_a_flat_minimum():
    for text, p, c in (("3*x**4", 4, 3.0), ("x**6/2 - x**7", 6, 0.5)):
        point = local_quadratic(text, at=0).classification
        assert (point.order, point.coefficient) == (p, c)
        x, alpha, k = 0.2, 0.05, 200_000
        for _ in range(k):
            x -= alpha * c * p * x ** (p - 1)
        assert point.creep(alpha, k) == pytest.approx(x, rel=0.02)
    with pytest.raises(NotDerivableError, match="curvature is zero"):
        local_quadratic("x**2", at=0).classification.creep(0.1, 10)


# -- leaving a saddle (9.6) ------------------------------------------------------------------


@each("momentum", [0.0, 0.5, 0.9])
@each("growth", [0.05, 0.3, 2.0])
def test_escape_steps_are_those_of_a_run(momentum, growth):
    point = local_quadratic("x**2 - y**2", at=[0, 0]).classification
    for start, reach in ((1e-3, 1.0), (1e-9, 2.0), (1.0, 1.0), (0.9, 1.0)):
        place, velocity, k = start, 0.0, 0
        while place < reach:
            velocity = momentum * velocity + growth * place
            place, k = place + velocity, k + 1
        assert point.escape_steps(growth / 2, start, reach, momentum) == k


def test_escape_steps_have_the_check_values():
    point = surfaces.lecture_saddle().classification
    assert point.escape_steps(0.025) == 142
    assert point.escape_steps(0.025, momentum=0.9) == 41
    assert "10 steps" in point.words
    true = simulate(
        surfaces.lecture_saddle().function, GradientDescent(0.025), [0, 1e-3], 142, record="path"
    )
    assert np.argmax(np.abs(true.theta[:, 1]) >= 1) == 142


def test_noise_leaves_a_saddle_as_predicted():
    point = surfaces.lecture_saddle().classification
    alpha, sigma, growth = 0.025, 0.1, 1.05
    spread, k = 0.0, 0
    while spread < 1:  # the recursion of the variance itself
        spread, k = growth**2 * spread + (alpha * sigma) ** 2, k + 1
    assert point.escape_steps_with_noise(alpha, sigma) == k
    for wrong in ({"learning_rate": -1}, {"learning_rate": 1, "momentum": 1.0}):
        with pytest.raises(InputError):
            point.escape_steps(**wrong)
    with pytest.raises(NotDerivableError, match="no direction"):
        surfaces.rosenbrock().classification.escape_steps(0.1)


# -- the basin (9.4) -------------------------------------------------------------------------


def reached(text, alpha, starts, goal):
    """Return which starts gradient descent takes to the goal, counted by running it."""
    x = sympy.Symbol("x")
    slope = sympy.lambdify(x, sympy.sympify(text).diff(x))
    with np.errstate(all="ignore"):
        for _ in range(2000):
            starts = starts - alpha * slope(starts)
    return np.abs(starts - goal) < 1e-6


@pytest.mark.parametrize(
    ("text", "at", "alpha", "edge"),
    [
        ("x**2/2 + x**4/4", 0, 0.5, "cycle of two"),
        ("x**2/2 + x**4/4", 0, 1.9, "cycle of two"),
        ("(x**2 - 1)**2/4", 1, 0.5, "mapped to it"),
        ("x**2/2 - x**3/3", 0, 0.5, "mapped to it"),
        ("x**2/2 - x**4/4", 0, 0.5, "fixed points"),
        ("x**2/2 + 100000000*x**4/4", 0, 0.5, "cycle of two"),
        ("(x - 3)**2/2 - (x - 3)**3/3 + (x - 3)**4/5", 3, 0.75, ""),
        ("x**2/2 + x**5/5", 0, 0.5, "mapped to it"),
    ],
)
def test_the_basin_of_a_polynomial_is_exact(text, at, alpha, edge):
    model = local_quadratic(text, at=at)
    basin = model.basin(alpha)
    low, high = basin.interval
    assert edge in basin.edge
    inside = np.linspace(low, high, 401)[1:-1]
    assert np.all(reached(text, alpha, inside, at))
    outside = np.array([low, high]) + np.array([-1e-3, 1e-3]) * (high - low)
    assert not np.any(reached(text, alpha, outside, at))
    assert basin.radius <= min(high - at, at - low)
    assert basin.kind == "exact"
    assert "exactly from" in str(basin)


def test_the_basin_has_the_check_value():
    basin = local_quadratic("x**2/2 + x**4/4", at=0).basin(0.5)
    assert basin.interval[1] == pytest.approx(1.7320508, abs=5e-8)
    # M(r) = 6 r there, so that r·6r < 2 min(1, 4 - 1)
    assert basin.radius == pytest.approx(math.sqrt(1 / 3), rel=1e-8)
    assert local_quadratic("x**2", at=0).basin(0.5).interval == (-math.inf, math.inf)


def test_starts_within_the_radius_converge():
    model = surfaces.himmelblau()
    alpha = 0.9 * model.stable_learning_rate
    basin = model.basin(alpha)
    assert basin.interval is None
    ways = np.random.default_rng(5).normal(size=(200, 2))
    starts = model.at + basin.radius * ways / np.linalg.norm(ways, axis=1)[:, None]
    run = simulate(model.function, GradientDescent(alpha), starts, 400)
    assert np.max(np.abs(run.theta[-1] - model.at)) < 1e-9
    with pytest.raises(NotDerivableError, match="not below 2/λmax"):
        model.basin(1.01 * model.stable_learning_rate)
    with pytest.raises(NotDerivableError, match="no minimum"):
        surfaces.lecture_saddle().basin(0.1)


def test_the_stable_learning_rate_is_the_border_of_the_true_function():
    model = local_quadratic(rosenbrock, at=[1.0, 1.0])
    limit = model.stable_learning_rate
    near = model.at + 1e-6
    kept, lost = (
        np.abs(simulate(model.function, GradientDescent(f * limit), near, 400).theta[-1] - 1).max()
        for f in (0.999, 1.02)
    )
    assert kept < 1e-6 < lost
    assert surfaces.lecture_saddle().stable_learning_rate is None


# -- wherever a quadratic goes ---------------------------------------------------------------


def test_a_local_model_goes_wherever_a_quadratic_goes(tmp_path):
    model = surfaces.himmelblau()
    assert analyze(model, HeavyBall(1e-3, 0.9)).is_stable
    comparison = compare(model)
    assert comparison.confirmed
    assert comparison.entries[0].predicted_steps == comparison.entries[0].simulated_steps
    json.dumps(comparison.to_dict(), allow_nan=False)
    (path,) = report(comparison, tmp_path / "local.md", level="brief")
    assert "Taylor quadratic, minimum" in path.read_text(encoding="utf-8")
    data = model.to_dict()
    assert data["local"]["classification"]["verdict"] == "minimum"
    json.dumps(data, allow_nan=False)
    for text in (str(model), model._repr_markdown_(), model._repr_html_(), repr(model)):
        assert "minimum" in text


def test_many_parameters_need_products_only():
    d = 2500
    scale = np.arange(1.0, d + 1)
    f = {
        "f": lambda x: float(scale @ x**2) / 2 + float(np.sum(x**4)),
        "gradient": lambda x: scale * x + 4 * x**3,
    }
    for more in ({}, {"hvp": lambda x, v: scale * v + 12 * x**2 * v}):
        model = local_quadratic(at=np.zeros(d), **f, **more)
        assert model.ends == pytest.approx((1, d), rel=1e-6)
        assert model.classification.verdict == "minimum"
        assert model.stable_learning_rate <= 2 / d * (1 + 1e-9)
    saddle = local_quadratic(at=np.full(d, 0.0), **{**f, "hvp": lambda x, v: (scale - 5.5) * v})
    assert saddle.classification.verdict == "saddle"


def test_functions_are_simulated_as_they_are():
    model = local_quadratic(ROSENBROCK, at=[1, 1])
    newton = simulate(model.function, Newton(), [-1.2, 1.0], 6).loss
    # the classic sequence of Newton's method on this function (Dennis and Schnabel)
    np.testing.assert_allclose(newton[:3], [24.2, 4.7318843, 1411.8452], rtol=1e-7)
    assert newton[-1] < 1e-18
    point, vector = np.array([0.5, 2.0]), np.array([1.0, -3.0])
    plain = local_quadratic(lambda x: float(rosenbrock(x)), at=[1.0, 1.0]).function
    for function in (model.function, plain):
        np.testing.assert_allclose(function.gradient(point), rosen_der(point), rtol=1e-6)
        product = rosen_hess_prod(point, vector)
        np.testing.assert_allclose(function.hessian_vector(point, vector), product, rtol=1e-5)
        solved = function.inverse_hessian_vector(point, vector)
        np.testing.assert_allclose(rosen_hess(point) @ solved, vector, rtol=1e-5)
        with pytest.raises(InputError, match=r"shape \(\.\.\., 2\)"):
            function.value(np.ones(3))

    def breaks(x):
        if x[0] > 2:
            raise OverflowError("too far")
        return -(x[0] ** 2)

    run = simulate(
        local_quadratic(breaks, at=[1.0]).function, GradientDescent(0.5), [0.1], 50, record="path"
    )
    assert run.diverged_at == 6  # 0.1 · 2⁵ = 3.2 has no slope


# -- side by side ----------------------------------------------------------------------------


def test_true_function_and_model_side_by_side():
    well = local_quadratic("x**2/2 + x**4/4", at=0)
    rule = GradientDescent(0.5)
    followed = follow(well, rule, [1.0], 20)
    true, model, apart = 1.0, 1.0, []
    for _ in range(21):
        apart.append(abs(true - model))
        true, model = true - 0.5 * (true + true**3), 0.5 * model
    np.testing.assert_allclose(followed.separation, apart, rtol=1e-12)
    assert followed.separated_at == next(k for k, s in enumerate(apart) if s > 0.1) == 1
    close = follow(well, rule, [0.05], 20)
    assert close.separated_at is None
    assert close.left_at is None
    assert "to within 10 %" in close.words
    outside = follow(well, rule, [2.0], 60)  # beyond √3 the true run diverges
    assert outside.true.has_diverged
    assert not outside.model.has_diverged
    assert outside.left_at == 0
    assert "more than 10 %" in str(outside)
    default = follow(surfaces.rosenbrock())
    assert default.left_at is None
    json.dumps(default.to_dict(), allow_nan=False)
    assert follow(local_quadratic("3*x + y**2", at=[0, 0]), rule, steps=3).separated_at is None
    with pytest.raises(InputError, match="local_quadratic"):
        follow(Quadratic([[1.0]]), rule, [1.0], 3)
    with pytest.raises(InputError, match="tolerance"):
        follow(well, rule, [1.0], 3, tolerance=0)


# -- what is wrong ---------------------------------------------------------------------------


def fails(x):
    raise RuntimeError("no data")


WRONG = {
    "text": (lambda: local_quadratic("x +", at=0), "not a formula"),
    "number": (lambda: local_quadratic(3, at=0), "text, a SymPy expression or a callable"),
    "matrix": (lambda: local_quadratic(sympy.eye(2), at=0), "one expression"),
    "length": (lambda: local_quadratic("x*y", at=0), "one number for each of x and y, got 1"),
    "names": (lambda: local_quadratic("x*y", at={"x": 0}), "must name x and y"),
    "symbols": (
        lambda: local_quadratic(sympy.Symbol("q") ** 2, at=0, variables=["x"]),
        "not among the variables: q",
    ),
    "constant": (lambda: local_quadratic("3", at=[]), "cannot be expanded"),
    "variables": (lambda: local_quadratic(rosen, [1, 1], variables="x"), "for formulas"),
    "gradient": (lambda: local_quadratic("x", 1, gradient=rosen_der), "for callables"),
    "place": (lambda: local_quadratic(rosen, at=[math.nan, 1]), "not finite"),
    "complex place": (lambda: local_quadratic("x", at=sympy.I), "real and finite"),
    "word": (lambda: local_quadratic("x", at="1"), "must hold numbers"),
    "raises": (lambda: local_quadratic(fails, at=[1.0]), "raised RuntimeError: no data at"),
    "undefined": (lambda: local_quadratic("log(x)", at=-1), "undefined at .−1."),
    "infinite": (lambda: local_quadratic("1/x", at=0), "undefined at .0."),
    "steep": (lambda: local_quadratic("sqrt(x)", at=0), "slope along x is undefined"),
    "corner": (lambda: local_quadratic("abs(x) + y", at=[0, 1]), "along x its slope is −1 before"),
    "corners": (lambda: local_quadratic("max(x, y)", at=[1, 1]), "not differentiable"),
    "corner in a callable": (
        lambda: local_quadratic(lambda x: abs(x[0]) + x[1], at=[0.0, 1.0]),
        "not differentiable at .0, 1.: along θ.0. its slope is −1 before and 1 after; expand besi",
    ),
    "no Hessian": (lambda: local_quadratic("relu(x)**2", at=0), "no Hessian"),
    "no Hessian in a callable": (
        lambda: local_quadratic(lambda x: max(x[0], 0.0) ** 2, at=[0.0]),
        "no Hessian.*curvature along θ.0. jumps",
    ),
    "shape": (
        lambda: local_quadratic(rosen, [1, 1], gradient=lambda x: x[:1]),
        r"gradient must return shape \(2,\), got \(1,\)",
    ),
    "another gradient": (
        lambda: local_quadratic(rosen, [0, 1], gradient=lambda x: x),
        "gradient does not belong to f.*check_gradient",
    ),
    "shape of the Hessian": (
        lambda: local_quadratic(rosen, [1, 1], hessian=lambda x: np.ones(4)),
        r"hessian must return shape \(2, 2\), got \(4,\)",
    ),
    "direction": (lambda: surfaces.peano().curvature_along([0, 0]), "must not be zero"),
    "radius": (lambda: surfaces.peano().taylor_error(-1), "radius must be positive"),
    "dimension": (lambda: surfaces.rosenbrock(dimension=1), "from 2 to 10"),
}


@each("name", WRONG)
def test_what_is_wrong_is_said(name):
    call, words = WRONG[name]
    with pytest.raises(InputError, match=words):
        call()


def test_kinds_of_errors():
    with pytest.raises(ParseError):
        local_quadratic("x +", at=0)
    with pytest.raises(NotSymmetricError, match="max"):
        local_quadratic(rosen, [1, 1], hessian=lambda x: np.array([[1.0, 2.0], [0.0, 1.0]]))


@each("name", surfaces.__all__)
def test_every_surface_is_a_local_model_elsewhere_too(name):
    make = getattr(surfaces, name)
    model = make()
    assert isinstance(model, LocalModel)
    assert model.derivative_kind == "exact" or name == "plateau"
    away = make(at=model.at + 0.5)
    step = 1e-5 * np.eye(model.dimension)
    numeric = (model.function.value(away.at + step) - model.function.value(away.at - step)) / 2e-5
    np.testing.assert_allclose(away.gradient_at, numeric, rtol=1e-6, atol=1e-7)
