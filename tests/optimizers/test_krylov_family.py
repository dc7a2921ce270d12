"""Conjugate gradients and quasi-Newton: against scipy, against each other, against their bounds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cases import each
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import fmin_bfgs
from scipy.sparse.linalg import cg

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.krylov import ConjugateGradient
from convex_analyzer.optimizers.line_search import (
    exact_length,
    quotient,
    still_moving,
    wolfe_length,
)
from convex_analyzer.optimizers.quasi_newton import BFGS, LBFGS
from convex_analyzer.optimizers.second_order import LevenbergMarquardt, TruncatedNewton
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.testing import Golden, check_optimizer
from convex_analyzer.theory.iteration import linearise

pytestmark = pytest.mark.survey

FORMULAS = ["fletcher_reeves", "polak_ribiere", "hestenes_stiefel"]


def rotated(eigenvalues, seed=0):
    """A problem with these eigenvalues and b in the range of A, and a start."""
    random = np.random.default_rng(seed)
    size = len(eigenvalues)
    turn, _ = np.linalg.qr(random.normal(size=(size, size)))
    matrix = (turn * np.asarray(eigenvalues)) @ turn.T
    matrix = (matrix + matrix.T) / 2
    return Quadratic(matrix, matrix @ random.normal(size=size)), random.normal(size=size)


def path(rule, problem, start, steps):
    return simulate(problem, rule, start, steps, record="path").theta


def gap(problem, points):
    """J - J* through the gradient, without cancellation."""
    error = points - problem.critical_point
    return (error * (error @ problem.operator.to_dense())).sum(axis=-1) / 2


SIX, SIX_START = rotated([0.1, 0.3, 0.7, 1.5, 2.0, 4.0])


# -- conjugate gradients ------------------------------------------------------------------------


@pytest.mark.parametrize("formula", FORMULAS)
def test_iterates_of_scipy(formula):
    theirs = [SIX_START]
    matrix = SIX.operator.to_dense()
    cg(matrix, -SIX.linear, x0=SIX_START, rtol=1e-13, callback=lambda x: theirs.append(x.copy()))
    assert len(theirs) == 7
    ours = path(ConjugateGradient(formula), SIX, SIX_START, 6)
    assert ours == pytest.approx(np.array(theirs), rel=1e-9, abs=1e-10)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 10**6))
def test_as_many_steps_as_distinct_eigenvalues(multiplicities, seed):
    eigenvalues = np.repeat(1.0 + 2.0 * np.arange(len(multiplicities)), multiplicities)
    problem, start = rotated(eigenvalues, seed)
    theirs = []
    matrix = problem.operator.to_dense()
    cg(matrix, -problem.linear, x0=start, rtol=1e-10, callback=lambda x: theirs.append(1))
    gaps = gap(problem, path(ConjugateGradient(), problem, start, len(eigenvalues) + 2))
    done = int(np.argmax(gaps <= 1e-18 * gaps[0]))
    assert done <= len(multiplicities)
    assert done == len(theirs)


def test_a_direction_without_a_part_in_the_start_costs_no_step():
    problem = Quadratic.diagonal([1.0, 2.0, 5.0, 9.0])
    run = path(ConjugateGradient(), problem, [1.0, 0.0, -1.0, 0.0], 3)
    assert run[2] == pytest.approx(np.zeros(4), abs=1e-14)
    assert np.max(np.abs(run[1])) > 0.1


def test_conjugate_gradients_are_the_best_of_the_krylov_space():
    """In the A-norm; the competitor is a least-squares problem with the powers of A."""
    matrix = SIX.operator.to_dense()
    root = np.linalg.cholesky(matrix).T
    error = SIX_START - SIX.critical_point
    columns, run = [matrix @ error], path(ConjugateGradient(), SIX, SIX_START, 5)
    for k in range(1, 6):
        basis, _ = np.linalg.qr(np.column_stack(columns))
        rest = root @ error - root @ basis @ np.linalg.lstsq(root @ basis, root @ error)[0]
        assert gap(SIX, run[k]) == pytest.approx(rest @ rest / 2, rel=1e-7)
        columns.append(matrix @ columns[-1] / np.linalg.norm(columns[-1]))


def test_conjugate_gradients_are_heavy_ball_with_parameters_of_each_step():
    """x⁺ = x - α_k g + (β_(k-1) α_k/α_(k-1)) (x - x before), α and β from r and p as printed."""
    matrix = SIX.operator.to_dense()
    x = before = SIX_START
    residual = direction = -(matrix @ x + SIX.linear)
    points, last, follow = [x], None, 0.0
    for _ in range(6):
        length = residual @ residual / (direction @ matrix @ direction)
        momentum = follow * length / last if last is not None else 0.0
        x, before = x - length * (matrix @ x + SIX.linear) + momentum * (x - before), x
        after = residual - length * (matrix @ direction)
        follow, last = after @ after / (residual @ residual), length
        residual, direction = after, after + follow * direction
        points.append(x)
    ours = path(ConjugateGradient(), SIX, SIX_START, 6)
    assert ours == pytest.approx(np.array(points), rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("formula", FORMULAS)
def test_an_indefinite_matrix_ends_at_its_saddle(formula):
    problem, start = rotated([-1.0, 0.5, 2.0, 3.0], seed=5)
    end = path(ConjugateGradient(formula), problem, start, 4)[-1]
    assert end == pytest.approx(problem.critical_point, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("rule", [ConjugateGradient(), BFGS(), LBFGS(), LBFGS(line_search="wolfe")])
def test_a_flat_direction_is_left_alone_for_ever(rule):
    problem, start = rotated([0.0, 0.0, 0.5, 1.0, 1.5], seed=6)
    run = path(rule, problem, start, 500)
    flat = problem.decomposition.eigenvectors[:, problem.is_zero_mode]
    assert (run - run[0]) @ flat == pytest.approx(np.zeros((501, 2)), abs=1e-10)
    assert np.max(np.abs(problem.gradient(run[-1]))) < 1e-11


@each("rule", [ConjugateGradient(f) for f in FORMULAS] + [BFGS(), LBFGS()])
def test_nothing_happens_at_the_minimum(rule):
    problem = Quadratic.diagonal([1.0, 3.0])
    assert not np.any(path(rule, problem, [0.0, 0.0], 5))


def test_the_formulas_differ_when_the_gradient_is_wrong():
    class Shaken(Quadratic):
        """Adds a fixed error that depends on the point: no longer a quadratic."""

        def gradient(self, theta):
            exact = super().gradient(theta)
            return exact + 0.3 * np.sin(5 * exact)

    problem = Shaken(SIX.operator.to_dense(), SIX.linear)
    ends = [path(ConjugateGradient(f), problem, SIX_START, 4)[-1] for f in FORMULAS]
    assert np.max(np.abs(ends[0] - ends[1])) > 1e-3
    assert np.max(np.abs(ends[0] - ends[2])) > 1e-3


# -- BFGS and L-BFGS ----------------------------------------------------------------------------

EXACT = [
    BFGS(),
    BFGS(scaled=True),
    *(LBFGS(history=m, scaled=s) for m in (1, 2, 3, 10) for s in (True, False)),
]


@each("rule", EXACT, ids=str)
def test_quasi_newton_with_the_exact_search_gives_the_iterates_of_conjugate_gradients(rule):
    """Nazareth (1979), for every history and every scale of the first matrix."""
    ours = path(rule, SIX, SIX_START, 6)
    theirs = path(ConjugateGradient(), SIX, SIX_START, 6)
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize(
    "rule",
    [BFGS(line_search="wolfe"), LBFGS(line_search="wolfe"), BFGS(0.3, line_search="fixed")],
    ids=str,
)
def test_without_the_exact_search_they_do_not(rule):
    ours = path(rule, SIX, SIX_START, 6)
    theirs = path(ConjugateGradient(), SIX, SIX_START, 6)
    assert np.max(np.abs(ours - theirs)) > 1e-2
    end = path(rule, SIX, SIX_START, 200)[-1]
    assert end == pytest.approx(SIX.critical_point, abs=1e-10)


@pytest.mark.parametrize("line_search", ["wolfe", "fixed", "exact"])
def test_a_history_as_long_as_the_run_is_the_full_matrix(line_search):
    full = path(BFGS(0.5, line_search=line_search), SIX, SIX_START, 15)
    limited = LBFGS(0.5, history=15, line_search=line_search, scaled=False)
    assert path(limited, SIX, SIX_START, 15) == pytest.approx(full, rel=1e-9, abs=1e-11)
    short = limited.replace(history=2)
    if line_search != "exact":
        assert np.max(np.abs(path(short, SIX, SIX_START, 15) - full)) > 1e-3


def test_the_matrix_becomes_the_inverse_hessian():
    state = simulate(SIX, BFGS(), SIX_START, 6).state
    assert state[1] == pytest.approx(np.linalg.inv(SIX.operator.to_dense()), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("scaled", [True, False])
def test_secant_equation_and_definiteness(scaled):
    rule = BFGS(0.4, line_search="fixed", scaled=scaled)
    matrix = SIX.operator.to_dense()
    for steps in range(1, 9):
        before = simulate(SIX, rule, SIX_START, steps - 1).state
        after = simulate(SIX, rule, SIX_START, steps).state
        move = after[0] - before[0]
        assert after[1] @ (matrix @ move) == pytest.approx(move, rel=1e-8, abs=1e-11)
        assert np.array_equal(after[1], after[1].T)
        assert np.all(np.linalg.eigvalsh(after[1]) > 0)


def test_a_pair_of_negative_curvature_is_skipped():
    problem = Quadratic.diagonal([-1.0, 3.0])
    for rule in (BFGS(), BFGS(line_search="wolfe"), BFGS(line_search="fixed", scaled=True)):
        run = simulate(problem, rule, [1.0, 0.0], 3)
        assert np.array_equal(run.state[1], np.eye(2))
        assert run.state[0] == pytest.approx([8.0, 0.0])  # θ ← 2θ: no lowest point, the step is -g
    memory = simulate(problem, LBFGS(history=2), [1.0, 0.0], 3).state[1:-1]
    assert not np.any(memory)


def test_pairs_below_the_threshold_are_skipped():
    """All of them: what is left is steepest descent, here with a step of 0.1."""
    rule = LBFGS(0.1, line_search="fixed", skip_below=1e9)
    x = SIX_START
    for _ in range(9):
        x = x - 0.1 * SIX.gradient(x)
    assert path(rule, SIX, SIX_START, 9)[-1] == pytest.approx(x, rel=1e-12)


def test_pairs_are_kept_newest_first():
    rule = LBFGS(0.5, history=3, line_search="fixed")
    run = simulate(SIX, rule, SIX_START, 5, record="path")
    state = dict(zip(rule.memory, run.state[1:], strict=True))
    for place in (1, 2, 3):
        move = run.theta[6 - place] - run.theta[5 - place]
        assert state[f"s_{place}"] == pytest.approx(move, rel=1e-9, abs=1e-13)
        change = SIX.gradient(run.theta[6 - place]) - SIX.gradient(run.theta[5 - place])
        assert state[f"y_{place}"] == pytest.approx(change, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("size", "length"), [(0.001, 1.0), (1000.0, None)])
def test_first_step_as_in_torch(size, length):
    """min(1, 1/|g|₁) times the learning rate; from the second step on the learning rate."""
    rule = LBFGS(0.5, line_search="fixed", first_step="torch")
    start = SIX.critical_point + size * SIX_START
    gradient = SIX.gradient(start)
    length = length or 1 / np.abs(gradient).sum()
    run = path(rule, SIX, start, 2)
    assert run[1] == pytest.approx(start - 0.5 * length * gradient, rel=1e-12)
    second = run[2] - run[1]
    change, move = SIX.gradient(run[1]) - gradient, run[1] - run[0]
    rho, scale = 1 / (move @ change), move @ change / (change @ change)
    left = np.eye(6) - rho * np.outer(move, change)
    inverse = scale * left @ left.T + rho * np.outer(move, move)
    assert second == pytest.approx(-0.5 * inverse @ SIX.gradient(run[1]), rel=1e-8)


def test_scipys_bfgs_ends_at_the_same_point_by_another_way():
    theirs = [SIX_START]
    end = fmin_bfgs(
        SIX.value,
        SIX_START,
        SIX.gradient,
        gtol=1e-9,
        disp=False,
        callback=lambda x: theirs.append(x.copy()),
    )
    ours = path(BFGS(line_search="wolfe"), SIX, SIX_START, 60)
    assert end == pytest.approx(ours[-1], abs=1e-8)
    assert np.max(np.abs(np.array(theirs[1:4]) - ours[1:4])) > 1e-2


def test_runs_with_matrices_do_not_touch_each_other():
    starts = np.random.default_rng(7).normal(size=(5, 6))
    rule = BFGS(np.linspace(0.2, 1, 5)[:, None], line_search="wolfe")
    together = simulate(SIX, rule, starts, 8)
    assert together.state[1].shape == (5, 6, 6)
    for run, rate in enumerate(np.linspace(0.2, 1, 5)):
        alone = simulate(SIX, rule.replace(learning_rate=rate), starts[run], 8)
        assert together.state[1][run] == pytest.approx(alone.state[1], rel=1e-9, abs=1e-10)


def test_matrices_that_do_not_fit_into_memory_are_refused_at_once():
    problem = Quadratic.diagonal(np.ones(11_000))
    with pytest.raises(InputError, match="BFGS keeps a matrix of 11000 x 11000") as caught:
        simulate(problem, BFGS(), np.ones(11_000), 1)
    assert "LBFGS" in str(caught.value.hint)
    end = simulate(problem, LBFGS(history=2), np.ones(11_000), 2).theta[-1]
    assert end == pytest.approx(np.zeros(11_000), abs=1e-12)


# -- what searches share ------------------------------------------------------------------------

positive = st.floats(1e-3, 1e3)


@given(positive, positive, st.floats(-7, 7))
def test_wolfe_lengths_satisfy_the_strong_wolfe_conditions(slope, curvature, power):
    """φ(t) = -slope t + curvature t²/2, from losses and slopes in exact fractions of the lowest."""
    lowest = slope / curvature
    first = lowest * 10.0**power
    length = float(wolfe_length(np.array([-slope]), np.array([curvature]), first)[0])
    loss = curvature * length**2 / 2 - slope * length
    assert loss <= -1e-4 * slope * length * (1 - 1e-12)
    assert abs(curvature * length - slope) <= 0.9 * slope * (1 + 1e-12)
    share = first / lowest
    assume(not (0.0999 < share < 0.1001 or 1.899 < share < 1.901))  # on the edge rounding decides
    if 0.1 <= share <= 1.9:
        assert length == first
    elif share > 1.9:
        assert length == pytest.approx(lowest, rel=1e-12)
    else:  # longer by tens until it suffices, at most to the lowest point
        assert 0.1 * lowest * (1 - 1e-9) <= length <= lowest * (1 + 1e-9)


def test_without_curvature_the_first_trial_is_taken():
    slopes, curvatures = np.array([-1.0, -1.0]), np.array([0.0, -2.0])
    assert wolfe_length(slopes, curvatures, 0.7) == pytest.approx([0.7, 0.7])
    assert exact_length(slopes, curvatures, 0.3) == pytest.approx([0.3, 0.3])


def test_quotients_by_zero_are_zero():
    found = quotient(np.array([1.0, 0.0, 3.0]), np.array([0.0, 0.0, 2.0]))
    assert found.tolist() == [0.0, 0.0, 1.5]


def test_the_largest_gradient_is_remembered():
    gradient = np.array([[3.0, 4.0], [3e-13, 4e-13]])
    moving, steepest = still_moving(gradient, np.array([[1.0, 1.0], [1.0, 1.0]]), 1e-12)
    assert moving[:, 0].tolist() == [True, False]
    assert steepest.tolist() == [[25.0, 25.0], [1.0, 1.0]]


# -- the same step on linear forms --------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "reasons"),
    [
        (ConjugateGradient(), ["an inner product over all coordinates", "a branch on the state"]),
        (
            BFGS(line_search="wolfe", scaled=True),
            [
                "a product with a matrix that is part of the state",
                "an outer product of two vectors",
                "one number for all coordinates",
            ],
        ),
        (LBFGS(history=2), ["an inner product over all coordinates"]),
    ],
    ids=["ConjugateGradient", "BFGS", "LBFGS"],
)
def test_why_they_are_not_linear(rule, reasons):
    assert set(reasons) <= set(linearise(rule, 1.0).reasons)


@each(
    ("rule", "memory"),
    [
        (ConjugateGradient(), [0.3, -0.8, 0.1]),
        (BFGS(line_search="fixed"), [0.7, 0.1]),
        (BFGS(0.3, line_search="wolfe"), [0.7, 0.1]),
        (LBFGS(0.5, history=2, line_search="fixed"), [0.3, 0.2, 0.9, 0.5, 0.1]),
        (LevenbergMarquardt(), [0.4, 2.0, 0.1]),
        (TruncatedNewton(inner_steps=1, damping=0.2), [0.1]),
    ],
    ids=str,
)
def test_derivatives_of_one_step_against_differences(rule, memory):
    """Forms as dual numbers at a point off the minimum; differences of the step on arrays."""
    problem = Quadratic([[1.7]])
    point = np.array([1.3, *memory])
    found = linearise(rule, 1.7, at=dict(zip(("theta", *rule.memory), point, strict=True)))

    def run(values):
        shapes = [np.shape(slot) for slot in rule.start(problem, np.zeros((1, 1)))]
        slots = [np.full(s, v) for s, v in zip(shapes, values[1:], strict=True)]
        return np.array(
            [x.item() for x in rule.step(problem, 1, np.full((1, 1), values[0]), *slots)]
        )

    size = 1e-6
    steps = size * np.eye(len(point))
    expected = np.array([(run(point + s) - run(point - s)) / (2 * size) for s in steps]).T
    assert np.array(found.matrix, dtype=float) == pytest.approx(expected, rel=1e-6, abs=1e-8)


# -- the other conventions through the kit -------------------------------------------------------


OTHERS = [
    ConjugateGradient("polak_ribiere"),
    ConjugateGradient("hestenes_stiefel"),
    BFGS(line_search="wolfe", scaled=True),
    BFGS(line_search="fixed"),
    LBFGS(history=1),
    LBFGS(history=3, line_search="wolfe", scaled=False),
    LBFGS(0.5, line_search="fixed", first_step="torch", skip_below=1e-10, tolerance=0.0),
]


@pytest.mark.parametrize("rule", OTHERS, ids=str)
def test_every_convention_conforms(rule):
    """The listed defaults are checked elsewhere; here the words and flags that are not."""
    path = Path(__file__).parent / "golden" / f"{type(rule).__name__}.json"
    runs = [
        Golden(**{**entry, "points": {int(k): v for k, v in entry["points"].items()}})
        for entry in json.loads(path.read_text())
    ]
    assert len(check_optimizer(rule, golden=runs).checks) >= 7 + len(runs)
