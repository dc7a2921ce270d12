"""Collinearity against printed output of other programs, high precision, and planted relations."""

from __future__ import annotations

import json
import math

import mpmath
import numpy as np
import pytest

from convex_analyzer.errors import InputError
from convex_analyzer.problems import gallery
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.spectra.collinearity import (
    centred_columns,
    collinearity,
    find_intercept,
)
from convex_analyzer.spectra.data_sensitivity import solution_sensitivity
from convex_analyzer.spectra.relations import Relation

# Neter, Kutner, Nachtsheim & Wasserman, Applied Linear Statistical Models, table 7.1
BODY_FAT = """
19.5 43.1 29.1  24.7 49.8 28.2  30.7 51.9 37.0  29.8 54.3 31.1  19.1 42.2 30.9
25.6 53.9 23.7  31.4 58.5 27.6  27.9 52.1 30.6  22.1 49.9 23.2  25.5 53.5 24.8
31.1 56.6 30.0  30.4 56.7 28.3  18.7 46.5 23.0  19.7 44.2 28.6  14.6 42.7 21.3
29.5 54.4 30.1  27.7 55.3 25.7  30.2 58.6 24.6  22.7 48.2 27.1  25.2 51.0 27.5
"""
NAMES = ("constant", "triceps", "thigh", "midarm")


def body_fat() -> np.ndarray:
    inputs = np.array(BODY_FAT.split(), dtype=float).reshape(20, 3)
    return np.column_stack([np.ones(20), inputs])


def test_body_fat_equals_the_printed_output_of_systat():
    """F. Nielsen's lecture notes (SOCI 709, module 11) print SYSTAT's diagnostics to 6 digits."""
    found = collinearity(body_fat(), NAMES)
    indices = [1.000000, 13.904816, 18.565705, 677.372065]
    assert found.condition_indices == pytest.approx(indices, abs=6e-7)
    printed = [
        [0.000002, 0.000372, 0.000599, 0.999027],
        [0.000003, 0.001319, 0.000219, 0.998459],
        [0.000001, 0.000033, 0.000326, 0.999641],
        [0.000010, 0.001389, 0.006934, 0.991668],
    ]
    assert pytest.approx(np.array(printed), abs=6e-7) == found.variance_proportions.T
    tolerances = [0.001411, 0.001772, 0.009560]  # 1/VIF
    assert 1 / found.inflation[1:] == pytest.approx(tolerances, abs=6e-7)
    assert math.isnan(found.inflation[0])
    assert found.involved(3) == NAMES
    (relation,) = found.relations
    assert set(relation.columns) == set(NAMES[1:])
    assert relation.explained == pytest.approx(1 - 0.001411, abs=6e-7)  # R² of triceps on the rest


def by_mpmath(X: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Return condition indices and proportions from XᵀX with 60 digits: no SVD."""
    with mpmath.workdps(60):
        A = mpmath.matrix(X.tolist())
        gram = A.T * A
        d = X.shape[1]
        norms = [mpmath.sqrt(gram[j, j]) for j in range(d)]
        scaled = mpmath.matrix(d, d)
        for i in range(d):
            for j in range(d):
                scaled[i, j] = gram[i, j] / norms[i] / norms[j]
        values, vectors = mpmath.eigsy(scaled)
        order = sorted(range(d), key=lambda j: -values[j])
        indices = [float(mpmath.sqrt(values[order[0]] / values[j])) for j in order]
        parts = np.array([[float(vectors[k, j] ** 2 / values[j]) for k in range(d)] for j in order])
        return indices, parts / parts.sum(axis=0)


def test_longley_equals_high_precision():
    """By another route, and κ of unit columns as in the data folder (80 digits)."""
    X = gallery.longley().X
    found = collinearity(gallery.longley())
    indices, proportions = by_mpmath(X)
    assert found.condition_indices == pytest.approx(indices, rel=1e-9)
    assert found.variance_proportions == pytest.approx(proportions, abs=1e-9)
    assert found.condition_number == pytest.approx(43275.04358718403, rel=1e-11)
    assert found.rank == 7
    assert found.strength == "strong"
    assert found.relations[0].column == "YEAR"


@pytest.mark.parametrize("has_intercept", [True, False])
def test_inflation_is_one_over_one_minus_r_squared(has_intercept):
    generator = np.random.default_rng(3)
    X = generator.normal(size=(40, 4)) + 2
    X[:, 3] += X[:, 0] - X[:, 1]
    if has_intercept:
        X = np.column_stack([np.ones(40), X])
    found = collinearity(X)
    for j in range(int(has_intercept), X.shape[1]):
        others = np.delete(X, j, axis=1)
        residual = X[:, j] - others @ np.linalg.lstsq(others, X[:, j], rcond=None)[0]
        whole = X[:, j] - X[:, j].mean() if has_intercept else X[:, j]
        expected = (whole @ whole) / (residual @ residual)
        assert found.inflation[j] == pytest.approx(expected, rel=1e-10)


def test_a_planted_pair_among_thirty_columns_is_named():
    generator = np.random.default_rng(0)
    units, offsets = 10.0 ** generator.uniform(-3, 3, 30), generator.normal(size=30)
    X = (generator.normal(size=(200, 30)) + 3 * offsets) * units
    X[:, 17] = 2.5 * X[:, 4] + 1e-3 * units[4] * generator.normal(size=200)
    found = collinearity(np.column_stack([np.ones(200), X]), ["one", *(f"c{j}" for j in range(30))])
    (relation,) = found.relations
    assert set(relation.columns) == {"c4", "c17"}
    assert relation.coefficients[0] == pytest.approx(
        2.5 if relation.column == "c17" else 0.4, rel=1e-3
    )
    assert "explains all but" in str(relation)
    assert {"c4", "c17"} <= set(found.involved(-1))
    assert int(np.nanargmax(found.inflation[1:])) in {4, 17}


def test_several_relations_are_told_apart_and_kept_short():
    generator = np.random.default_rng(5)
    X = generator.normal(size=(100, 12))
    X[:, 3] = 2 * X[:, 7] - X[:, 1] + 1e-4 * generator.normal(size=100)
    X[:, 9] = X[:, 5] + X[:, 6] - 3 * X[:, 0] + 1e-3 * generator.normal(size=100)
    found = collinearity(X)
    assert [set(relation.columns) for relation in found.relations] == [
        {"x4", "x8", "x2"},
        {"x10", "x6", "x7", "x1"},
    ]
    for relation in found.relations:  # each equation holds on the data
        left = X[:, int(relation.column[1:]) - 1]
        right = sum(
            c * X[:, int(name[1:]) - 1]
            for name, c in zip(relation.terms, relation.coefficients, strict=True)
        )
        size = np.linalg.norm(left - right) / np.linalg.norm(left)
        assert size == pytest.approx(relation.unexplained, rel=1e-8)


def test_exact_faults_are_named_with_what_to_do():
    generator = np.random.default_rng(1)
    X = generator.normal(size=(20, 7))
    X[:, 2], X[:, 3], X[:, 4] = 5.0, 0.0, X[:, 0]
    X[:, 6] = X[:, 1] - X[:, 5]
    found = collinearity(np.column_stack([np.ones(20), X]), ["one", *"abcdefg"])
    kinds = {fault.kind: fault for fault in found.faults}
    assert set(kinds) == {"zero", "constant", "duplicate", "dependent"}
    assert kinds["zero"].columns == ("d",)
    assert kinds["constant"].columns == ("c",)
    assert kinds["duplicate"].columns == ("e", "a")
    assert set(kinds["dependent"].columns) == {"b", "f", "g"}
    assert all("leave" in sentence for sentence in (f.sentence for f in found.faults))
    assert found.rank == 4
    assert np.isinf(found.condition_indices[-4:]).all()
    assert np.isfinite(found.condition_indices[:4]).all()
    assert np.isinf(found.inflation[[1, 2, 5, 6, 7]]).all()
    assert found.strength == "exact"
    sums = found.variance_proportions.sum(axis=0)
    assert np.all(np.isnan(sums) | np.isclose(sums, 1))
    assert "–" in str(found)


def test_few_rows_and_one_row():
    generator = np.random.default_rng(2)
    found = collinearity(generator.normal(size=(3, 5)))
    assert found.strength == "exact"
    (few,) = found.faults
    assert few.kind == "few rows"
    assert "2 directions are free" in few.sentence
    (one,) = collinearity([[1.0, 2.0]]).faults
    assert one.kind == "one row"
    assert "add rows" in one.sentence


def test_unrelated_columns():
    found = collinearity(np.eye(4), list("abcd"))
    assert found.condition_indices.tolist() == [1.0] * 4
    assert found.entropy_rank == pytest.approx(4)
    assert found.stable_rank == pytest.approx(4)
    assert found.relations == ()
    assert found.strength == "none"
    assert found.sentences == ("No column is close to a combination of others.",)
    assert found.inflation.tolist() == [1.0] * 4
    assert found == collinearity(np.eye(4), list("abcd"))
    json.dumps(found.to_dict(), allow_nan=False)


def test_effective_ranks_by_hand():
    """Columns (1, 0), (1, 0), (0, 1) at unit length: σ = √2, 1, 0."""
    found = collinearity([[3.0, 4.0, 0.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0]])
    share = math.sqrt(2) / (1 + math.sqrt(2))
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert found.entropy_rank == pytest.approx(math.exp(entropy))
    assert found.stable_rank == pytest.approx(1.5)
    assert found.rank == 2


def test_centring_survives_a_large_offset():
    x = np.arange(10.0)
    X = np.column_stack([np.ones(10), 1e9 + x])
    centred, means = centred_columns(X, 0)
    assert centred[:, 1] == pytest.approx(x - 4.5, abs=1e-9)
    assert means.tolist() == [0.0, 1e9 + 4.5]
    assert find_intercept(X) == 0
    assert find_intercept(X[:, 1:]) is None


def test_sensitivity_bounds_what_perturbations_do():
    """The bound holds for random errors in the data, and its order of magnitude is reached."""
    generator = np.random.default_rng(7)
    X = generator.normal(size=(30, 4))
    X[:, 3] = X[:, 0] + 0.02 * generator.normal(size=30)
    y = X @ [1.0, 2, 3, 4] + generator.normal(size=30)
    found = solution_sensitivity(least_squares(X, y))
    norms = np.linalg.norm(X, axis=0)
    unit = X / norms
    left, singular, right = np.linalg.svd(unit, full_matrices=False)
    assert found.condition_number == pytest.approx(singular[0] / singular[-1])
    theta = np.linalg.lstsq(unit, y, rcond=None)[0]
    eps, worst = 1e-7, 0.0
    residual = y - unit @ theta
    directions = [generator.normal(size=unit.shape) for _ in range(20)]
    directions.append(np.outer(residual, right[-1]))  # what hurts most: κ²|r|
    directions.append(np.outer(left[:, -1], theta))
    for error in directions:
        moved = unit + eps * singular[0] * error / np.linalg.norm(error, 2)
        change = np.linalg.lstsq(moved, y, rcond=None)[0] - theta
        worst = max(worst, float(np.linalg.norm(change) / np.linalg.norm(theta)) / eps)
    assert 0.3 * found.amplification < worst <= found.amplification
    assert math.isinf(solution_sensitivity(least_squares(np.ones((3, 2)), y[:3])).amplification)
    still = solution_sensitivity(least_squares(X, 0 * y))
    assert (still.from_matrix, still.from_target) == (still.condition_number, 0.0)


def test_equations_are_written_as_by_hand():
    terms, values = tuple("abcdefg"), (-1.0, 2.5, 1.0, -0.001, 3.0, 1.0, 1.0)
    long = Relation("y", terms, values, -7.0, 0.3, 20.0, is_exact=False)
    assert long.equation == "y ≈ −a + 2.5·b + c − 0.001·d + 3·e + 2 more − 7"
    assert str(long).endswith("(explains 91 % of its variation)")
    short = Relation("y", (), (), 4.0, 0.0, np.inf, is_exact=True)
    assert str(short) == "y = 4 (exactly, up to rounding)"
    assert Relation("y", (), (), 0.0, 0.0, np.inf, is_exact=True).equation == "y = 0"


@pytest.mark.parametrize(
    ("X", "labels", "match"),
    [
        ([1.0, 2.0], None, "non-empty table"),
        ([[1.0, np.nan]], None, "not finite"),
        ([[1.0, 2.0]], ["a"], "name every column"),
    ],
)
def test_bad_input(X, labels, match):
    with pytest.raises(InputError, match=match):
        collinearity(X, labels)
