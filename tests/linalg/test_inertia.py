"""Signs of eigenvalues in exact integers."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import sympy
from cases import each

from convex_analyzer.linalg.inertia import inertia, shifted, to_integers


def test_random_matrices_against_their_characteristic_polynomial():
    """Descartes' rule is exact for polynomials with real roots only."""
    rng = np.random.default_rng(0)
    for trial in range(60):
        size = int(rng.integers(1, 6))
        matrix = rng.integers(-2, 3, size=(size, size))
        matrix = matrix + matrix.T
        if trial % 3 == 0:
            np.fill_diagonal(matrix, 0)
        if trial % 4 == 0:
            factor = rng.integers(-2, 3, size=(size, max(1, size // 2)))
            matrix = factor @ factor.T
        found = sympy.Matrix(matrix.tolist()).charpoly().all_coeffs()
        zero = 0
        while zero < size and found[-1 - zero] == 0:
            zero += 1
        kept = [c for c in found if c != 0]
        positive = sum(bool(a * b < 0) for a, b in itertools.pairwise(kept))
        assert inertia(matrix.tolist()) == (size - zero - positive, zero, positive)


@each(
    ("matrix", "expected"),
    [
        ([[0]], (0, 1, 0)),
        ([[0, 0], [0, 0]], (0, 2, 0)),
        ([[0, 1], [1, 0]], (1, 0, 1)),
        ([[0, 1, 1], [1, 0, 1], [1, 1, 0]], (2, 0, 1)),
        ([[10**40, 1], [1, 0]], (1, 0, 1)),
    ],
)
def test_known_signs(matrix, expected):
    assert inertia(matrix) == expected


def test_floats_are_taken_for_what_they_are():
    entries, common = to_integers([[0.1, 1e-300], [1e-300, 3.0]])
    assert Fraction(entries[0][0], common) == Fraction(0.1)
    assert Fraction(entries[0][1], common) == Fraction(1e-300)
    moved = shifted([[2, 1], [1, 2]], 1, Fraction(1))
    assert inertia(moved) == (0, 1, 1)  # eigenvalues 1 and 3
    assert inertia(shifted([[2, 1], [1, 2]], 1, Fraction(3) - Fraction(1, 10**50))) == (1, 0, 1)
