"""What moves the noise floor: the table against the recursion of the variance, done by hand."""

from __future__ import annotations

import convex_analyzer as ca
from convex_analyzer.reporting.document import plain_text
from convex_analyzer.reporting.noise_page import floor_table
from convex_analyzer.tables import format_count, format_number

CURVATURE, RATE, VARIANCE, START = 2.0, 0.1, 0.04, 5.0


def by_hand(rate, variance):
    """Return the floor over the first gap, and the steps to twice of it, for one direction."""
    factor = 1 - rate * CURVATURE
    floor = rate**2 * variance / (1 - factor**2) / START**2
    mean, spread, steps = START**2, 0.0, 0
    while (mean + spread) / START**2 > 2 * floor:
        mean, spread, steps = factor**2 * mean, factor**2 * spread + rate**2 * variance, steps + 1
    return floor, steps


def test_smaller_rates_and_larger_batches_cost_what_the_recursion_says():
    noise = ca.AdditiveNoise(VARIANCE)
    noisy = ca.compare(
        ca.Quadratic([[CURVATURE]]), [ca.GradientDescent(RATE)], [START], 40, noise=noise
    )
    table = floor_table(noisy, noisy.entries[0])
    settings = [(RATE, VARIANCE, 1)]
    settings += [(RATE / share, VARIANCE, 1) for share in (2, 4, 16)]
    settings += [(RATE, VARIANCE / many, many) for many in (2, 4, 16)]
    assert len(table.rows) == len(settings)
    for row, (rate, variance, gradients) in zip(table.rows, settings, strict=True):
        floor, steps = by_hand(rate, variance)
        told = (f"×{format_number(floor, 3)}", format_count(steps), format_count(gradients * steps))
        assert tuple(plain_text(cell) for cell in row[1:]) == told
    assert [plain_text(row[0]) for row in table.rows][1::3] == [
        "α = 0.05, 1/2 of it",
        "the mean of 2 gradients",
    ]


def test_batches_never_outgrow_the_data():
    X = [[1.0, 2.0], [0.5, -1.0], [2.0, 0.0], [-1.0, 1.0], [0.3, 0.4], [1.5, -0.5]]
    problem = ca.least_squares(X, [1.0, 0.0, 2.0, 1.0, 0.0, 1.0])
    noisy = ca.compare(problem, [ca.GradientDescent(0.1)], steps=30, noise=ca.MiniBatch(2))
    table = floor_table(noisy, noisy.entries[0])
    names = [plain_text(row[0]) for row in table.rows]
    assert names[-1] == "batches of 4 rows"
    assert plain_text(table.columns[-1].header) == "rows read for them"


def test_a_rate_that_diverges_is_told_so_and_what_would_not():
    noise = ca.AdditiveNoise(VARIANCE)
    noisy = ca.compare(
        ca.Quadratic([[CURVATURE]]), [ca.GradientDescent(1.5), ca.Adam(0.1)], [START], 5,
        noise=noise,
    )  # fmt: skip
    table = floor_table(noisy, noisy.entries[0])
    floors = [plain_text(row[1]) for row in table.rows]
    assert floors[0] == floors[-1] == "none: the gap grows"  # a larger batch does not help
    assert floors[1] == f"×{format_number(by_hand(0.75, VARIANCE)[0], 3)}"
    assert floor_table(noisy, noisy.entries[1]) is None  # not linear
