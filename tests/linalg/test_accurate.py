"""Sums and products in double-double against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convex_analyzer.linalg.accurate import matmul, total
from convex_analyzer.precise import DoubleDouble

pytestmark = pytest.mark.survey

numbers = st.floats(-1e8, 1e8).filter(lambda x: x == 0 or abs(x) > 1e-8)
shapes = st.tuples(st.integers(0, 6), st.integers(0, 7), st.integers(0, 5))


def as_fraction(x: DoubleDouble, index: tuple[int, ...]) -> Fraction:
    low = np.broadcast_to(x.low, x.high.shape)
    return Fraction(float(x.high[index])) + Fraction(float(low[index]))


@given(st.data())
def test_matrix_products(data):
    n, p, k = data.draw(shapes)
    a = data.draw(arrays(float, (n, p), elements=numbers))
    b = data.draw(arrays(float, (p, k), elements=numbers))
    product = matmul(a, b)
    assert product.shape == (n, k)
    for i in range(n):
        for j in range(k):
            terms = [Fraction(a[i, m]) * Fraction(b[m, j]) for m in range(p)]
            size = sum(abs(term) for term in terms)
            assert abs(as_fraction(product, (i, j)) - sum(terms)) <= size * Fraction(1, 2**100)


@given(arrays(float, (5, 3), elements=numbers), arrays(float, 3, elements=numbers))
def test_vectors_stay_vectors(a, b):
    product = matmul(a, b)
    assert product.shape == (5,)
    assert np.array_equal(product.high, matmul(a, b[:, None]).high[:, 0])


def test_what_cancels_in_float64_does_not_here():
    a = np.array([[1e20, 1.0, -1e20]])
    ones = np.ones(3)
    assert (a @ ones)[0] == 0.0
    assert matmul(a, ones).to_float()[0] == 1.0
    precise = DoubleDouble(np.ones(2), [0.0, 1e-20])
    found = matmul(np.array([[-1.0, 1.0]]), precise).to_float()
    assert found[0] == pytest.approx(1e-20, rel=1e-10, abs=0)


@each("count", [0, 1, 2, 3, 7, 64])
def test_sums_along_any_axis(count):
    values = np.arange(2.0 * count).reshape(2, count) / 7
    assert total(DoubleDouble(values), 1).to_float() == pytest.approx(values.sum(axis=1), rel=1e-15)
    assert total(DoubleDouble(values.T), 0).shape == (2,)


def test_rows_are_cut_into_blocks_that_agree():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(700, 30)), rng.normal(size=(30, 40))
    product = matmul(a, b)  # 700 rows are more than one block of 2**18 / (30 * 40)
    assert product.to_float() == pytest.approx(a @ b, rel=1e-12, abs=1e-12)
    assert np.array_equal(product.high[500], matmul(a[500:501], b).high[0])
