"""Both ends of matrices with a narrow band: closed forms lie inside what is proved."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp

import convex_analyzer as ca
from convex_analyzer.errors import InputError
from convex_analyzer.linalg.positive import band_floor
from convex_analyzer.spectra.narrow import band_of

SIZE = 3000
ANGLE = math.pi / (2 * (SIZE + 1))
LOW, HIGH = 4 * math.sin(ANGLE) ** 2, 4 * math.cos(ANGLE) ** 2


def second_difference(size: int = SIZE) -> sp.csr_array:
    return sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(size, size)).tocsr()


def shuffled(matrix: sp.csr_array) -> sp.csr_array:
    order = np.random.default_rng(0).permutation(matrix.shape[0])
    return matrix[order][:, order]


@pytest.mark.parametrize(
    ("matrix", "low", "high", "width"),
    [
        (second_difference(), LOW, HIGH, 1),
        (shuffled(second_difference()), LOW, HIGH, 1),
        (second_difference() + 1e-3 * sp.eye_array(SIZE), LOW + 1e-3, HIGH + 1e-3, 1),
        # Its smallest eigenvalue is 1e-12: float64 leaves two digits of it.
        (second_difference() @ second_difference(), LOW**2, HIGH**2, 2),
    ],
    ids=["as it is", "in another order", "shifted", "squared"],
)
def test_ends_of_a_band_are_proved(matrix, low, high, width):
    found = ca.spectrum(matrix)
    assert found.method.startswith(f"band of width {width}, ")
    assert found.kind == "bracketed"
    for value, bracket, truth in (
        (found.lambda_min, found.lambda_min_bracket, low),
        (found.lambda_max, found.lambda_max_bracket, high),
    ):
        assert bracket.low <= truth * (1 + 1e-15)
        assert bracket.high >= truth * (1 - 1e-15)
        assert bracket.high - bracket.low <= 1e-10 * truth + 3e-14 * (width * high)
        assert value == pytest.approx(truth, rel=1e-10, abs=1e-14 * width * high)


def test_what_has_no_narrow_band_is_left_to_lanczos():
    middle = np.r_[1.0, np.full(2498, 2.0), 1.0]
    flat = sp.diags_array([-1.0, middle, -1.0], offsets=[-1, 0, 1], shape=(2500, 2500)).tocsr()
    assert ca.spectrum(flat).method.startswith("Lanczos")  # singular: nothing to factor
    indefinite = second_difference(2500) - 1.0 * sp.eye_array(2500)
    assert ca.spectrum(indefinite).method.startswith("Lanczos")
    huge = 1e200 * (second_difference(2100) + sp.eye_array(2100))
    assert ca.spectrum(huge).method.startswith("Lanczos")
    assert band_of(ca.gallery.laplacian_2d(70).operator.matrix) is None
    assert band_of(sp.random_array((2500, 2500), density=0.1, rng=0)) is None
    for problem in (np.eye(2), flat):
        with pytest.raises(InputError, match="narrow band"):
            ca.spectrum(problem, method="banded")


def test_a_factor_of_a_band_proves_no_more_than_is_true():
    rng = np.random.default_rng(1)
    for width in (0, 1, 3):
        band = rng.normal(size=(width + 1, 40))
        full = sum(
            np.diag(row[: 40 - k], -k) + (np.diag(row[: 40 - k], k) if k else 0)
            for k, row in enumerate(band)
        )
        values = np.linalg.eigvalsh(full)
        assert band_floor(band, values[0] + 1e-9) is None
        factor = band_floor(band, values[0] - 1e-9)
        assert values[0] - 2e-9 < factor.floor < values[0]
        right = rng.normal(size=40)
        near = (full - factor.shift * np.eye(40)) @ factor.solve(right)
        assert near == pytest.approx(right, abs=1e-4)
