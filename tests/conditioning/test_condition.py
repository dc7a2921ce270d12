"""The whole answer: one word, its reasons, its price; and what is wrong with the data."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from cases import each

from convex_analyzer.conditioning.analysis import condition
from convex_analyzer.conditioning.cost import Mismatch, digits_lost, mismatch
from convex_analyzer.conditioning.inputs import checked_table
from convex_analyzer.errors import InputError, NotConvexError
from convex_analyzer.problems import gallery
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum


class Frame:
    """What a DataFrame offers, as far as the package asks."""

    def __init__(self, columns: dict[str, list]) -> None:
        self.columns = list(columns)
        self.values = np.array(list(columns.values()), dtype=object).T

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


def said(result, *words: str) -> bool:
    text = " ".join(result.sentences)
    return all(word in text for word in words)


def tumours(rows: int = 120, seed: int = 0) -> Frame:
    """Data like the Wisconsin breast cancer set: lengths, areas and their extremes, in all units.

    Each size is measured as radius, perimeter and area, three times over: standardising mends the
    units and leaves the collinearity.
    """
    generator = np.random.default_rng(seed)
    columns: dict[str, list] = {}
    radius = 14 * np.exp(0.25 * generator.normal(size=rows))
    for kind, factor in (("mean", 1.0), ("error", 0.05), ("worst", 1.3)):
        r = factor * radius * np.exp(0.02 * generator.normal(size=rows))
        columns[f"{kind} radius"] = r
        columns[f"{kind} perimeter"] = 2 * np.pi * r * (1 + 0.004 * generator.normal(size=rows))
        columns[f"{kind} area"] = np.pi * r**2 * (1 + 0.01 * generator.normal(size=rows))
        columns[f"{kind} smoothness"] = 0.1 * np.exp(0.2 * generator.normal(size=rows))
    return Frame({name: list(values) for name, values in columns.items()})


def test_units_lecture_slide_24():
    found = condition(gallery.lecture001_slide24(intercept=True))
    assert found.cause == "units"
    assert found.kappa == pytest.approx(1.013e12, rel=5e-4)
    assert found.cured_by_scaling
    assert found.remedy("Standardise").kappa == pytest.approx(28.21, rel=2e-4)
    assert said(found, "Standardising is a cure", "wrong way round", "x2")
    wrong = found.mismatch
    assert (wrong.larger, wrong.smaller) == ("x1", "x2")
    assert wrong.gradient_ratio == pytest.approx(6.1e4, rel=0.01)
    assert wrong.is_reversed
    assert wrong.is_large
    entry, rule = found.advice
    assert (entry.name, rule) == ("Standardise", "GradientDescent")
    assert found.split.best_diagonal > 1000  # Adam cannot centre
    text = str(found)
    assert text.count("\n") < 40
    assert max(map(len, text.splitlines())) <= 100
    assert "UNITS" in text
    # plain data, strictly JSON; value equality
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["cause"] == "units"
    assert plain["advice"] == {"remedy": "Standardise", "by": "GradientDescent"}
    assert plain["answers"]["solve"].startswith("harmless")
    assert "74 after this: standardise" in plain["answers"]["training"]
    assert set(plain["shares"]) == {"units", "offset", "collinearity"}
    assert len(plain["remedies"]) == len(found.remedies)
    assert "κ(A)" in found._repr_html_()
    assert "ConditionAnalysis" in repr(found)
    with pytest.raises(KeyError):
        found.remedy("no such remedy")


def test_the_gradients_of_slide_24_without_an_intercept():
    """At w = 0 with the printed t: 6.1e4; for a constant residual, the ratio of means: 7.0e4."""
    problem = gallery.lecture001_slide24()
    found = mismatch(problem, np.zeros(2), problem.labels)
    assert found.gradient_ratio == pytest.approx(6.1e4, rel=0.01)
    X = problem.X
    assert X[:, 0].mean() / X[:, 1].mean() == pytest.approx(7.0e4, rel=0.01)
    assert found.is_reversed
    assert "wrong way round" in found.sentence
    fair = Mismatch("a", "b", 20.0, 2.0)
    assert "has to go only 2 times" in fair.sentence
    assert mismatch(least_squares(X[:, :1], [1.0, 2, 3]), np.zeros(1), ("a",)) is None


def test_offset_lecture_slide_25():
    raw = condition(gallery.lecture001_slide25())
    assert raw.cause == "offset"
    assert not raw.cured_by_scaling  # without an intercept nothing may be centred
    assert any(entry.name == "Standardise" for entry in raw.refused)
    found = condition(gallery.lecture001_slide25(intercept=True))
    assert (found.cause, found.cured_by_scaling) == ("offset", True)
    assert found.remedy("centre").kappa == pytest.approx(5.685, rel=2e-4)


def test_standardising_is_not_reported_as_a_cure():
    y = np.random.default_rng(1).normal(size=120)
    found = condition(tumours(), target=y, intercept=True)
    assert found.kappa > 1e9
    assert found.remedy("Standardise").kappa > 1e3
    assert not found.cured_by_scaling
    assert said(found, "is no cure", "collinearity")
    assert found.cause in {"offset", "units", "collinearity"}
    pairs = [set(relation.columns) for relation in found.collinearity.relations]
    assert {"mean radius", "mean perimeter"} <= set().union(*pairs)
    assert found.split.best_diagonal_after > 500


def test_collinearity():
    generator = np.random.default_rng(2)
    X = generator.normal(size=(40, 4))
    X[:, 3] = 2 * X[:, 1] + 1e-4 * generator.normal(size=40)
    y = X @ [1.0, 2e4, -1.0, -1e4] + 0.01 * generator.normal(size=40)
    found = condition(X, target=y, intercept=True)
    assert found.cause == "collinearity"
    (relation,) = found.collinearity.relations
    assert set(relation.columns) == {"x2", "x4"}
    assert said(found, "x2", "x4", "is no cure", "VIF ≥ 10", "grow up to")
    assert found.sensitivity.amplification > 1e3


def test_harmless_because_the_start_has_nothing_to_do_along_slow_directions():
    """κ = 1e6, but y lies along the widest direction: gradient descent is done at once."""
    generator = np.random.default_rng(3)
    left, _ = np.linalg.qr(generator.normal(size=(20, 2)))
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    X = left @ np.diag([1.0, 1e-3]) @ turn.T
    easy = condition(least_squares(X, left[:, 0]))
    assert easy.kappa == pytest.approx(1e6, rel=1e-6)
    assert easy.cause == "harmless"
    assert easy.is_cheap
    assert said(easy, "harmless here")
    assert easy.answers["training"].startswith("harmless")
    assert not said(easy, "no cure")
    assert not said(easy, "No step size per weight")
    scaled = condition(least_squares(X * [1.0, 1e4], left[:, 0]))  # slow for its units
    assert (scaled.advice[0].name, scaled.advice[1]) == ("Scale", "GradientDescent")
    assert scaled.advice[0].steps["GradientDescent"] == 1
    assert said(scaled, "is no cure of κ", "but it makes training cheap", "descent in 1 step.")
    hard = condition(least_squares(X, left[:, 0] + left[:, 1]))
    assert hard.cause == "collinearity"
    assert said(hard, "2 eigenvalues in 2 groups", "from any start")
    assert hard.given.steps["GradientDescent"] > 1e5
    small = condition(gallery.toy())
    assert small == condition(gallery.toy())
    assert small.cause == "harmless"
    assert said(small, "nothing to mend")


def test_digits_lost_against_what_solvers_lose():
    """No solve loses more than is said; units cost nothing by QR, everything by the plain SVD."""
    generator = np.random.default_rng(4)
    X = generator.normal(size=(30, 3))
    X[:, 2] = X[:, 0] + 1e-5 * X[:, 2]
    X *= [1e6, 1, 1e-6]
    theta = np.array([1e-6, 1.0, 1e6])
    problem = least_squares(X, X @ theta)
    lost = digits_lost(problem, spectrum(problem))
    q, r = np.linalg.qr(X)
    size = np.abs(theta) * np.linalg.norm(X, axis=0)

    def digits(solution):
        error = np.abs(solution - problem.coefficients) * np.linalg.norm(X, axis=0)
        return -math.log10(error.max() / size.max())

    by_qr = digits(np.linalg.solve(r, q.T @ problem.y))
    by_normal = digits(np.linalg.solve(X.T @ X, X.T @ problem.y))
    assert by_qr > lost.kept - 0.5
    assert by_normal > lost.kept_by_normal_equations - 0.5
    assert by_normal < by_qr - 3  # and it is a real difference
    assert lost.by_qr < 7 < 12 < lost.by_svd
    assert lost.kept_by_svd < lost.kept
    singular = digits_lost(Quadratic([[1.0, 1.0], [1.0, 1.0]]), spectrum([[1.0, 1.0], [1.0, 1.0]]))
    assert singular.kept == 0
    assert singular.kept_by_normal_equations is None


def test_a_matrix_and_a_start():
    found = condition(gallery.minij(6), start=np.ones(6), tolerance=1e-3)
    assert found.start_name == "the start as given"
    assert found.labels[0] == "θ1"
    assert found.kappa_of_data is None
    assert said(found, "Cholesky")
    assert found.clusters.condition_number == pytest.approx(found.kappa)
    assert found.tolerance == 1e-3


def test_a_product_only():
    """Then κ is bracketed, steps are for the worst start, and few remedies are left."""
    A = gallery.laplacian_1d(2500)
    A = scipy.sparse.csr_array(A.operator.matrix) if hasattr(A.operator, "matrix") else A
    shifted = scipy.sparse.csr_array(A + 0.5 * scipy.sparse.eye_array(2500))
    found = condition(scipy.sparse.linalg.aslinearoperator(shifted))
    assert found.kappa == pytest.approx(9.0, rel=1e-3)
    assert found.cause == "harmless"
    assert found.clusters is None
    assert len(found.remedies) == 1
    json.dumps(found.to_dict(), allow_nan=False)


def test_centring_that_hurts():
    X = np.array([[1, 10], [1, -10], [-1, 10], [-1, -10]]) + np.array([np.sqrt(99), 0])
    found = condition(X, target=[1.0, 2.0, 3.0, 5.0])
    assert found.kappa == pytest.approx(1)
    assert said(found, "centring hurts: κ(XᵀX) from 1 to 100")


def test_data_without_a_target_and_with_a_penalty():
    generator = np.random.default_rng(5)
    X = generator.normal(size=(20, 3)) * [1, 100, 1]
    found = condition(X)
    assert found.sensitivity is None
    assert found.cause == "units"
    X[:, 2] = X[:, 0]  # settled by the penalty alone
    ridge = condition(least_squares(X[:, [0, 2]], X[:, 0], l2=1.0))
    assert said(ridge, "with the penalty l2 = 1")
    assert ridge.cause == "harmless"
    assert math.isinf(ridge.split.decades("collinearity"))


@pytest.mark.parametrize(
    ("problem", "cause"),
    [
        (Quadratic(np.diag([1e-20, 1.0, 1e20]) + 1e-30), "units"),  # κ is only bounded
        (least_squares(np.ones((5, 1)), np.arange(5.0)), "harmless"),  # nothing but an intercept
        (least_squares([[1.0], [2.0]], [0.0, 0.0]), "harmless"),  # nothing to learn
        (
            Quadratic.diagonal([0.0, 1.0, 9.0]),
            "harmless",
        ),  # flat along one direction
    ],
)
def test_edges(problem, cause):
    found = condition(problem)
    assert found.cause == cause
    assert said(found, "not flat") == (spectrum(problem).lambda_min == 0)
    assert str(found)
    json.dumps(found.to_dict(), allow_nan=False)


def test_nothing_to_train():
    found = condition(gallery.singular(bounded=False))
    assert said(found, "no minimum")
    assert found.answers["training"].startswith("endless")
    assert found.advice is None
    assert found.mismatch is None


# -- what is wrong with the data -----------------------------------------------------------------


def test_faults_are_named_before_anything_else():
    generator = np.random.default_rng(6)
    X = generator.normal(size=(15, 4))
    X[:, 1], X[:, 3] = 7.0, X[:, 0]
    table = Frame({name: list(X[:, j]) for j, name in enumerate(("age", "unit", "dose", "copy"))})
    found = condition(table, target=X[:, 2] + X[:, 0], intercept=True)
    assert found.cause == "collinearity"
    assert found.answers["solve"].startswith("undetermined")
    assert said(found, "unit is constant", "copy is the same as age", "leave it out")
    assert said(found, "no unique answer")
    json.dumps(found.to_dict(), allow_nan=False)
    few = condition(X[:3, [0, 2]], target=X[:3, 2], intercept=True)
    assert few.rows == 3
    wide = condition(generator.normal(size=(3, 6)), target=[1.0, 2.0, 3.0])
    assert said(wide, "3 rows cannot determine 6 columns")
    assert wide.collinearity.relations == ()
    assert any(e.name == "OptimalDiagonal" and "singular" in e.why for e in wide.refused)
    one = condition([[1.0, 2.0, 3.0]], target=[1.0])
    assert said(one, "one row")


@each(
    ("table", "match"),
    [
        (Frame({"a": [1.0, 2.0], "b": [None, 3.0]}), r"missing values in column b \(rows 0\)"),
        ([[1.0, math.inf], [2.0, -math.inf]], r"infinite values in column x2 \(rows 0, 1\)"),
        (Frame({"a": [1.0, 2.0], "city": ["Rome", "Oslo"]}), "column city holds text"),
        (np.array([["x", "y"], ["z", "w"]]), "columns x1, x2 hold text"),
        ([1.0, 2.0], "non-empty table"),
        ([[1.0, 2.0], [3.0]], "ragged"),
        (np.zeros((0, 2)), "non-empty"),
        (np.array([[1j, 2.0]]), "complex"),
        (np.ma.masked_equal([[1.0, 2.0]], 2.0), "masked"),
    ],
)
def test_bad_tables_say_which_cells(table, match):
    with pytest.raises(InputError, match=match):
        checked_table(table)


def test_tables_that_are_fine():
    names, values = checked_table(Frame({"a": [1, 2], "b": ["3", 4.5]}))
    assert names == ("a", "b")
    assert values.tolist() == [[1.0, 3.0], [2.0, 4.5]]
    assert checked_table(scipy.sparse.eye_array(2).tocsr())[1].tolist() == [[1, 0], [0, 1]]


@each(
    ("arguments", "options", "error", "match"),
    [
        (gallery.saddle(), {}, NotConvexError, "negative curvature"),
        (np.zeros((2, 2)), {}, InputError, "A is zero"),
        (np.zeros((3, 2)), {"target": [1.0, 2, 3]}, InputError, "every column of X is zero"),
        (least_squares(np.zeros((3, 2)), np.ones(3)), {}, InputError, "every column of X is zero"),
        (gallery.toy(), {"target": [1.0]}, InputError, "has its target"),
        (gallery.toy(), {"start": [1.0]}, InputError, "start must have shape"),
        (gallery.toy(), {"tolerance": 2}, InputError, "tolerance"),
        ([[1.0, 2.0], [3.0, 4.0]], {}, InputError, "not symmetric"),
        (np.ones((3, 2)), {"target": [1.0]}, InputError, "one value per row"),
    ],
)
def test_bad_arguments(arguments, options, error, match):
    with pytest.raises(error, match=match):
        condition(arguments, **options)


def test_a_copy_that_a_penalty_settles_does_not_hide_the_main_cause():
    """Two equal columns, and one a million times as large: the penalty leaves only the units."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(30, 3))
    X = np.column_stack([X[:, :2], X[:, 1], 1e6 * X[:, 2]])
    y = X @ [1.0, 2.0, 0.0, 1e-6]
    found = condition(least_squares(X, y, l2=0.1, intercept=True))
    assert found.cause == "units"
    assert found.cured_by_scaling
    assert "∞" not in found.sentences[1]
    assert condition(least_squares(X, y, intercept=True)).cause == "collinearity"
