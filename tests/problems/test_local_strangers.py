"""Functions and expressions as strangers bring them: buffers, sparse Hessians, odd symbols."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import sympy
from cases import each
from scipy.optimize import rosen, rosen_der, rosen_hess
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from convex_analyzer.comparison import compare
from convex_analyzer.diagnosis.recap import recap
from convex_analyzer.errors import InputError
from convex_analyzer.problems.calls import error_words
from convex_analyzer.problems.local import local_quadratic
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.reporting.verdict_page import verdict_blocks
from convex_analyzer.spectra.compute import spectrum

x, y = sympy.symbols("x y")
above = sympy.Symbol("x", positive=True)
W = sympy.MatrixSymbol("W", 2, 1)
v = sympy.IndexedBase("v")


def _into(buffer, values):
    buffer[:] = values
    return buffer


def test_derivatives_may_fill_one_buffer_again_and_again():
    scales, slopes, products = np.array([2.0, 6.0]), np.zeros(2), np.zeros(2)
    given = {
        "gradient": lambda t: _into(slopes, scales * t),
        "hvp": lambda t, u: _into(products, scales * u),
    }
    for names in (["gradient"], ["gradient", "hvp"]):
        model = local_quadratic(
            lambda t: float(t @ (scales * t)) / 2, [1.0, 2.0], **{n: given[n] for n in names}
        )
        assert np.allclose(model.decomposition.eigenvalues, [2, 6], atol=1e-7)
    buffer, wide = np.zeros(40), np.arange(1.0, 41.0)
    operator = LinearOperator(
        (40, 40), matvec=lambda u: _into(buffer, wide * np.ravel(u)), dtype=float
    )
    assert spectrum(Quadratic(operator), "lanczos").lambda_max == pytest.approx(40, rel=1e-8)


@pytest.mark.parametrize(
    "wrap", [scipy.sparse.csr_matrix, scipy.sparse.coo_array, aslinearoperator]
)
def test_a_hessian_may_be_sparse_or_an_operator(wrap):
    model = local_quadratic(
        rosen, np.ones(3), gradient=rosen_der, hessian=lambda t: wrap(rosen_hess(t))
    )
    assert np.allclose(model.decomposition.eigenvalues, np.linalg.eigvalsh(rosen_hess(np.ones(3))))
    with pytest.raises(InputError, match="hvp=lambda"):
        local_quadratic(
            lambda t: float(t @ t), np.ones(1100), gradient=lambda t: 2 * t,
            hessian=lambda t: wrap(2 * scipy.sparse.eye_array(1100)),
        )  # fmt: skip


PLAIN = {
    "matrix entries": ((W.T * W)[0], [1, 1], [2, 2]),
    "matrix of one": (W.T * W, [1, 1], [2, 2]),
    "indexed": (v[0] ** 2 + 3 * v[1] ** 2, [0, 0], [2, 6]),
    "derivative": (sympy.Derivative(x**4, x), 1, [24]),
    "positive": (above**2 * sympy.log(above), 1, [3]),
    "another piece": (sympy.Piecewise((x**4, sympy.Ne(x, 0)), (0, True)), 1, [12]),
}


@each("name", PLAIN)
def test_expressions_of_all_kinds_are_read(name):
    f, at, expected = PLAIN[name]
    assert np.allclose(local_quadratic(f, at).decomposition.eigenvalues, expected)


ODD = {
    "two of a name": (above**2 + x**2, 1, "two different symbols named x"),
    "whole": (sympy.Symbol("n", integer=True) ** 2, 1, "n: it is a whole number"),
    "imaginary": (sympy.Symbol("n", imaginary=True) ** 2, 1, "not real"),
    "against what is assumed": (sympy.sqrt(above**2), -1, "assumes that x is positive"),
    "unknown function": (sympy.Function("g")(x), 0, r"not known: g\(x\)"),
    "whole matrix": (W * W.T, [1, 1], "one expression"),
    "beyond": ("exp(x)", 1000, "beyond the range of float64"),
    # 1 - x²/6: the piece at 0 alone has no curvature
    "pieces": (sympy.Piecewise((sympy.sin(x) / x, sympy.Ne(x, 0)), (1, True)), 0, "together"),
    "far away": ("x**2", 1e308, "beyond the range of float64"),
    "rows": ("x**2 + y**2", np.array([[1, 2]]), "one point"),
    "a dict": (lambda p: p["x"] ** 2, {"x": 1}, "one vector for a callable"),
    "value and gradient": (lambda t: (t @ t, 2 * t), [1.0, 2.0], "pass the gradient as"),
}


@each("name", ODD)
def test_what_would_mislead_is_refused_in_words(name):
    f, at, words = ODD[name]
    with pytest.raises(InputError, match=words):
        local_quadratic(f, at)


def test_names_and_errors_take_one_line():
    assert "\n" not in local_quadratic("x**2\n + y**2\n", at=[0, 0]).name
    assert len(error_words(RuntimeError("much\n" * 900))) < 250


A = np.array([[3.0, 1.0], [1.0, 2.0]])


def _loss(t):
    """Single precision inside, a Python float outside: loss.item() of a network."""
    t = t.astype(np.float32)
    return float(np.float32(0.5) * (t @ A.astype(np.float32) @ t) + np.cos(t[0]))


def _slope(t):
    t = t.astype(np.float32)
    return (A.astype(np.float32) @ t - np.array([np.sin(t[0]), 0], np.float32)).astype(float)


@pytest.mark.parametrize("given", [{}, {"gradient": _slope}])
def test_single_precision_in_disguise_is_noticed(given):
    model = local_quadratic(_loss, [1.0, 2.0], **given)
    hessian = A - np.diag([np.cos(1.0), 0.0])
    off = np.linalg.norm(model.operator.to_dense() - hessian)
    assert off < 3 * model.hessian_error < 0.02
    slopes = A @ [1.0, 2.0] - [np.sin(1.0), 0.0]
    assert np.max(np.abs(model.gradient_at - slopes)) < 3 * model.gradient_error < 0.01


TWICE = {
    "hessian": {"hessian": lambda t: 2 * rosen_hess(t)},
    "hessian, gradient": {"hessian": lambda t: 2 * rosen_hess(t), "gradient": rosen_der},
    "hvp": {"hvp": lambda t, u: 2 * rosen_hess(t) @ u, "gradient": rosen_der},
    "hvp alone": {"hvp": lambda t, u: 2 * rosen_hess(t) @ u},
}


@each("name", TWICE)
def test_a_hessian_of_another_function_is_refused(name):
    with pytest.raises(InputError, match=f"{name[:3]}.* does not belong to f.*take Quadratic"):
        local_quadratic(rosen, [0.0, 1.0, 1.0], **TWICE[name])


def test_a_report_calls_coordinates_what_they_are():
    comparison = compare(local_quadratic("x**2 + 3*y**2", at=[1, 1]))
    (echo,) = [b for b in verdict_blocks(comparison, recap(comparison)) if hasattr(b, "items")]
    assert (("coordinates",), ("x, y",)) in echo.items
