"""Figure 6: parts and shares against a run in an eigenbasis of NumPy's own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cases import each
from figure_checks import check_whole, check_words
from matplotlib.figure import Figure

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.plot.figure import module_of
from convex_analyzer.spectra.spectrum import Spectrum

GD, HB = ca.GradientDescent, ca.HeavyBall
A = np.array([[3.0, 1.0, 0.2], [1.0, 2.0, -0.4], [0.2, -0.4, 1.0]])
B, START = np.array([1.0, -2.0, 0.5]), np.array([4.0, 1.0, -3.0])


def by_hand(steps, alpha=0.2, momentum=0.0):
    """Return ½λz² over the first gap at every step, (K, 3)."""
    values, vectors = np.linalg.eigh(A)
    theta, velocity, found = START.copy(), np.zeros(3), []
    for _ in range(steps + 1):
        z = vectors.T @ (theta + np.linalg.solve(A, B))
        found.append(values * z * z / 2)
        velocity = momentum * velocity - alpha * (A @ theta + B)
        theta = theta + velocity
    return np.array(found) / found[0].sum()


def test_parts_and_shares_are_those_of_a_run_in_the_eigenbasis():
    comparison = ca.compare(ca.Quadratic(A, B), [GD(0.2), HB(0.2, 0.5)], START)
    data = plot.error_by_direction_data(comparison)
    for run, momentum in zip(data.runs, (0.0, 0.5), strict=True):
        parts = by_hand(int(run.steps[-1]), momentum=momentum)
        np.testing.assert_allclose(run.parts, parts[run.steps.astype(int)], rtol=1e-7, atol=1e-13)
        seen = parts[run.run_steps.astype(int)]
        np.testing.assert_allclose(run.run_parts, seen, rtol=1e-6, atol=1e-13)
        end = int(np.argmax(parts.sum(axis=1) <= 1e-6))
        assert run.marks == (0, end // 2, end)
        three = parts[list(run.marks)]
        shares = three / three.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(run.shares, shares, rtol=1e-6, atol=1e-12)


def test_what_is_left_of_gradient_descent_with_a_long_step_is_all_slow():
    data = plot.error_by_direction_data(ca.compare(ca.gallery.toy(), [GD(0.4)], [-5.0, -2.0]))
    # ½·0.2·25 = 2.5 of 2.5 + ½·4·4 = 10.5
    assert plot.finding(data) == "What is left is all q₁ (λ = 0.2): it began as 24 % of the gap"


def test_equal_eigenvalues_share_a_picture_and_many_directions_are_grouped(compared):
    repeated = plot.error_by_direction_data(compared("repeated"))
    assert [len(group.members) for group in repeated.groups] == [3, 2, 1]
    many = plot.error_by_direction_data(compared("d = 100"))
    assert [len(group.members) for group in many.groups] == [1, 1, 1, 1, 1, 95]
    for name, data in (("repeated", repeated), ("d = 100", many)):
        for run, entry in zip(data.runs, compared(name), strict=True):
            gap = entry.analysis.gap(compared(name).start, run.steps)
            np.testing.assert_allclose(run.parts.sum(axis=1), gap / gap[0], rtol=1e-9)
    numbers = dict(module_of("error_by_direction").series(many))
    np.testing.assert_array_equal(numbers["GradientDescent"]["step"], many.runs[0].steps)
    assert len(numbers["GradientDescent, shares"]) == 7


def test_a_rule_without_theory_is_taken_apart_from_its_run(compared):
    comparison = compared("only not linear")
    (run,) = plot.error_by_direction_data(comparison).runs
    rows = np.searchsorted(comparison[0].steps, run.steps)
    gaps = comparison[0].gap[rows] / comparison[0].gap[0]
    np.testing.assert_allclose(run.parts.sum(axis=1), gaps, rtol=1e-9)


@each(
    "name, said",
    [
        ("1x1", "no other curved direction"),
        ("saddle", "What grows is all q₁ (λ = −1)"),
        ("diverging", "What grows is all q₂ (λ = 4)"),
        ("many", "optimizers"),
    ],
)
def test_every_picture_is_whole_and_says_where_the_error_is(compared, name, said):
    data = plot.error_by_direction_data(compared(name))
    title = check_words(data)
    assert said in title
    assert title in check_whole(plot.error_by_direction(data, width=3.3))


def test_long_and_odd_labels_stay_labels(compared):
    comparison = compared("toy")
    labels = ("a $long$ <label> of an_optimizer that never seems to end at all", "x_{i}^2", "梯度")
    entries = (
        dataclasses.replace(entry, label=label)
        for entry, label in zip(comparison, labels, strict=True)
    )
    odd = dataclasses.replace(comparison, entries=tuple(entries))
    data = plot.error_by_direction_data(odd)
    assert len(plot.finding(data)) < 140
    texts = check_whole(plot.error_by_direction(data, width=3.3))
    assert "x_{i}^2" in texts


def test_axes_of_the_caller_hold_all_pictures(compared):
    figure = Figure(figsize=(9, 4))
    axes, other = figure.subplots(1, 2)
    assert plot.error_by_direction(compared("many"), axes) is figure
    assert len(axes.child_axes) == 2
    assert not other.child_axes


def test_bad_input_is_told_what_to_do(compared):
    bracketed = dataclasses.replace(compared("toy"), spectrum=Spectrum.between(0.2, 4.0))
    for subject, hint in (
        (compared("unbounded"), "l2 penalty"),
        (compared("at the minimum"), "from another point"),
        (bracketed, "dense array"),
        ([1.0], "compare"),
    ):
        with pytest.raises(InputError, match=hint):
            plot.error_by_direction_data(subject)
