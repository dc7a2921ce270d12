"""Figure 2: planes, paths and level sets against the problem itself."""

from __future__ import annotations

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.plot.figures.level_sets import finding, level_sets_data

pytestmark = pytest.mark.survey


def run_by_hand(problem, start, steps, alpha, mu=0.0):
    theta, velocity, path = np.array(start, dtype=float), 0.0, [np.array(start, dtype=float)]
    for _ in range(steps):
        velocity = mu * velocity - alpha * problem.gradient(theta)
        theta = theta + velocity
        path.append(theta)
    return np.array(path)


def test_paths_in_the_plane_of_parameters():
    problem = ca.Quadratic([[3.0, 1.0], [1.0, 2.0]], [1.0, -1.0])
    start = [2.0, 4.0]
    comparison = ca.compare(problem, [ca.GradientDescent(0.3), ca.HeavyBall(0.2, 0.5)], start)
    data = level_sets_data(comparison)
    assert data.plane.kind == "theta"
    centre = np.linalg.solve([[3.0, 1.0], [1.0, 2.0]], [-1.0, 1.0])
    for path, settings in zip(data.paths, [(0.3, 0.0), (0.2, 0.5)], strict=True):
        by_hand = run_by_hand(problem, start, int(path.steps[-1]), *settings) - centre
        assert np.allclose(path.points, by_hand[path.steps], atol=1e-12)


def test_level_sets_are_those_of_the_problem(compared):
    comparison = compared("d = 100")
    data = level_sets_data(comparison)
    problem = comparison.problem
    generator = np.random.default_rng(0)
    points = generator.standard_normal((20, 2))
    places = data.plane.centre + points @ data.plane.basis.T
    expected = problem.value(places) - problem.value(data.plane.centre)
    assert np.allclose(data.plane.value(points), expected, rtol=1e-9)


def test_the_plane_of_many_dimensions_is_that_of_the_extreme_eigenvectors(compared):
    comparison = compared("d = 100")
    data = level_sets_data(comparison)
    matrix = comparison.problem.operator.to_dense()
    for column, eigenvalue in zip(data.plane.basis.T, [1.0, 1e4], strict=True):
        assert np.allclose(matrix @ column, eigenvalue * column, atol=1e-8)
    assert finding(data).endswith("(plane of q₁ and q₁₀₀)")
    assert data.indices == (1, 100)


def test_a_large_diagonal_problem_finds_its_extreme_coordinates():
    values = np.linspace(2.0, 50.0, 700)
    values[[13, 401]] = 1.0, 90.0
    data = level_sets_data(ca.compare(ca.Quadratic.diagonal(values)))
    assert np.flatnonzero(data.plane.basis[:, 0]) == [13]
    assert np.flatnonzero(data.plane.basis[:, 1]) == [401]


def test_coordinates_of_very_different_size_are_scaled(compared):
    """In units of √λ the level sets are circles: H is the identity."""
    comparison = compared("longley")
    data = level_sets_data(comparison)
    assert data.plane.kind == "scaled"
    assert np.allclose(data.plane.hessian, np.eye(2))
    assert "√λ" in plot.caption(data)
    start = data.plane.coordinates(comparison.start)
    by_direction = comparison[0].analysis.gap_by_direction(comparison.start, 0)[[0, -1]]
    assert np.allclose(start**2 / 2, by_direction, rtol=1e-6)


def test_one_parameter_is_a_parabola(compared):
    data = level_sets_data(compared("1x1"))
    assert data.plane.kind == "line"
    path = data.paths[0]  # αλ = 1.8: the error is multiplied by -0.8
    assert np.allclose(path.points[:10, 0], 3.0 * (-0.8) ** np.arange(10))
    assert data.plane.value(np.array([[2.0]])) == pytest.approx(4.0)


def test_only_ends_known_draws_the_plane_of_start_and_gradient(compared):
    comparison = compared("ends only")
    data = level_sets_data(comparison)
    assert data.plane.kind == "chord"
    basis, problem = data.plane.basis, comparison.problem
    assert np.allclose(basis.T @ basis, np.eye(2), atol=1e-10)
    error = comparison.start - problem.critical_point
    for vector in (error, problem.gradient(comparison.start)):
        assert np.linalg.norm(vector - basis @ (basis.T @ vector)) < 1e-8 * np.linalg.norm(vector)


@pytest.mark.parametrize(
    ("case", "centre"),
    [
        ("toy", "minimum"), ("saddle", "saddle"), ("maximum", "maximum"), ("singular", "valley"),
        ("unbounded", "none"), ("flat", "flat"), ("mixed", "saddle"), ("1x1", "minimum"),
    ],
)  # fmt: skip
def test_what_the_centre_is(compared, case, centre):
    assert level_sets_data(compared(case)).centre == centre


def test_the_valley_is_the_line_of_all_minima(compared):
    data = level_sets_data(compared("singular"))
    floor = data.directions[:, 0]
    minima = compared("singular").problem.minimizer + np.outer([-3.0, 0.5, 7.0], floor)
    assert np.allclose(compared("singular").problem.gradient(minima), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("toy", "HeavyBall arrives in 24 steps; GradientDescent zigzags for 70"),
        ("1x1 tuned", "Every path arrives in 1 step"),
        ("diverging", "GradientDescent diverges: every step lands farther out"),
        ("some diverge", "GradientDescent and Nesterov diverge; HeavyBall arrives in 23 steps"),
        ("ends elsewhere", "Decaying settles, but not at the minimum"),
        ("marginal", "No path arrives: the error does not decay"),
        ("saddle", "Every path leaves the saddle: J falls without end"),
        ("unbounded", "J falls without end along the flat direction: no path arrives"),
        ("at the minimum", "The start is the minimum itself: nothing moves"),
        ("flat", "J is flat: there is nowhere to go"),
    ],
)
def test_findings(compared, case, expected):
    assert finding(level_sets_data(compared(case))) == expected


def test_manners(compared):
    manner = {p.label: p.manner for p in level_sets_data(compared("chosen")).paths}
    assert manner["GradientDescent"] == "zigzags"  # αλmax = 1.6: factor -0.6
    assert manner["HeavyBall 1"] == "swings"  # complex roots, a turn in about six steps


def test_steps_that_are_slow_do_not_zigzag():
    comparison = ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.05)], [-5.0, -2.0])
    assert level_sets_data(comparison).paths[0].manner == "glides"  # αλ < 1 in all directions


def test_diverging_paths_are_cut_at_a_finite_distance(compared):
    data = level_sets_data(compared("diverging"))
    (path,) = data.paths
    assert np.all(np.isfinite(path.points))
    assert np.abs(path.points).max() < 1e3


def test_a_blot_is_cut_and_says_so(compared):
    data = level_sets_data(compared("d = 100"))
    cut = {path.label: path.shown for path in data.paths}
    assert cut["HeavyBall"] is not None
    svg = plot.style.to_svg(plot.level_sets(data)).decode()
    assert f"first {cut['HeavyBall']} steps" in svg


def test_both_axes_have_one_scale(compared):
    for case in ("toy", "ravine", "d = 100", "saddle"):
        figure = plot.level_sets(compared(case))
        (axes,) = figure.axes
        box = axes.get_window_extent()
        across = np.ptp(axes.get_xlim()) / box.width
        up = np.ptp(axes.get_ylim()) / box.height
        assert across == pytest.approx(up, rel=1e-6)


def test_start_and_centre_are_in_the_picture(comparison):
    data = level_sets_data(comparison)
    left, right, bottom, top = data.limits
    if len(data.start) == 2:
        for x, y in (data.start, (0.0, 0.0)):
            assert left <= x <= right
            assert bottom <= y <= top
