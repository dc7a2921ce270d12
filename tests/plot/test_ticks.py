"""Marks lie on the axis, are few, and say where they are."""

from __future__ import annotations

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from convex_analyzer.plot.ticks import linear_ticks, log_ticks


def value_of(label):
    return float(label.replace("−", "-"))


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6), st.integers(3, 9))
def test_linear_marks(low, span, most):
    high = low + span
    assume(high - low > 1e-7 * max(abs(low), abs(high), 1e-9))
    ticks = linear_ticks(low, high, most)
    assert 1 <= len(ticks.positions) <= most
    assert list(ticks.positions) == sorted(set(ticks.positions))
    for position in ticks.positions:
        assert low - 1e-6 * span <= position <= high + 1e-6 * span


@given(st.floats(-1, 1), st.floats(0.01, 10), st.integers(3, 9))
def test_linear_labels_are_the_positions(low, span, most):
    ticks = linear_ticks(low, low + span, most)
    for position, label in zip(ticks.positions, ticks.labels, strict=True):
        assert math.isclose(value_of(label), position, rel_tol=1e-5, abs_tol=1e-12)


@given(st.floats(-30, 20), st.floats(0.05, 60), st.integers(3, 9))
def test_logarithmic_marks(exponent, decades, most):
    low, high = 10.0**exponent, 10.0 ** (exponent + decades)
    ticks = log_ticks(low, high, most)
    assert 1 <= len(ticks.positions) <= most + 1
    assert list(ticks.positions) == sorted(set(ticks.positions))
    for position, label in zip(ticks.positions, ticks.labels, strict=True):
        assert low * (1 - 1e-6) <= position <= high * (1 + 1e-6)
        assert math.isclose(value_of(label), position, rel_tol=1e-5)
    assert all(low <= minor <= high for minor in ticks.minor)


@given(st.floats(-30, 0), st.integers(3, 40))
def test_decades_are_written_with_their_power(exponent, decades):
    ticks = log_ticks(10.0**exponent, 10.0 ** (exponent + decades))
    for position, label in zip(ticks.positions, ticks.labels, strict=True):
        power = round(math.log10(position))
        assert math.isclose(position, 10.0**power, rel_tol=1e-9)
        if abs(power) > 2:
            assert label == f"1e{power}".replace("-", "−")


def test_an_axis_without_extent_has_one_mark():
    assert linear_ticks(2.0, 2.0).labels == ("2",)
    assert linear_ticks(float("nan"), 1.0).labels == ()
