"""The quadratic J(θ) = ½ θᵀAθ + bᵀθ + c, its value, gradient, Hessian product and minimum."""

from __future__ import annotations

import functools
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotSymmetricError
from convex_analyzer.linalg.damped import solve_damped
from convex_analyzer.linalg.decompositions import Decomposition
from convex_analyzer.linalg.operators import (
    DenseOperator,
    DiagonalOperator,
    LinearMap,
    SparseOperator,
    SymmetricOperator,
)
from convex_analyzer.linalg.solve import outside_range, solve_exactly
from convex_analyzer.problems.checks import float_array, float_number, float_vector
from convex_analyzer.tables import format_number

__all__ = ["Quadratic"]

Array = npt.NDArray[np.float64]

EXACT_LIMIT = 12  # a rational SymPy matrix up to this size is treated by exact algebra
ASYMMETRY = 1e-12  # relative; below this it is rounding, and averaged away


class Quadratic:
    """J(θ) = ½ θᵀAθ + bᵀθ + c with symmetric A (lecture 001, slide 23).

    Parameters
    ----------
    A
        Shape (d, d): an array, a scipy.sparse matrix, a scipy LinearOperator, or a SymPy Matrix of
        numbers, which is kept exact.
    b
        Shape (d,); zero when left out.
    c
        A number.
    name
        What reports call the problem.

    Raises
    ------
    NotSymmetricError
        A differs from its transpose by more than rounding.
    InputError
        Wrong shapes, an empty matrix, entries that are not finite real numbers.

    Examples
    --------
    >>> toy = Quadratic([[0.2, 0.0], [0.0, 4.0]])
    >>> toy.value([-5.0, -2.0]), toy.gradient([-5.0, -2.0])
    (10.5, array([-1., -8.]))
    """

    labels: tuple[str, ...] = ()

    def __init__(self, A: Any, b: Any = None, c: float = 0.0, *, name: str = "quadratic") -> None:
        self.exact = _exact_matrix(A)
        self.operator = _operator(A if self.exact is None else self.exact)
        self.linear = float_vector(b, self.operator.dimension, "b")
        self.constant = float_number(c, "c")
        self.name = name

    @classmethod
    def diagonal(
        cls, eigenvalues: Any, b: Any = None, c: float = 0.0, *, name: str = "diagonal"
    ) -> Self:
        """Return the quadratic whose matrix is diagonal; it is never stored as a full matrix.

        Parameters
        ----------
        eigenvalues
            Shape (d,), in any order; of any sign.
        b, c, name
            As for `Quadratic`.

        Examples
        --------
        >>> Quadratic.diagonal([0.2, 4.0]).minimum
        0.0
        """
        values = float_array(eigenvalues, "eigenvalues")
        if values.ndim != 1 or not values.size:
            raise InputError(
                f"eigenvalues must be a non-empty vector, got shape {values.shape}",
                argument="eigenvalues",
            )
        problem = cls.__new__(cls)
        problem.exact = None
        problem.operator = DiagonalOperator(values)
        problem.linear = float_vector(b, len(values), "b")
        problem.constant = float_number(c, "c")
        problem.name = name
        return problem

    # -- evaluation ---------------------------------------------------------------------------

    @property
    def dimension(self) -> int:
        """d, the number of parameters."""
        return self.operator.dimension

    def hessian_vector(self, theta: Any, vector: Any) -> Array:
        """Return A v for vectors of shape (..., d); A is the same at every `theta`."""
        del theta
        return self._multiply(np.asarray(vector, dtype=float))

    def inverse_hessian_vector(self, theta: Any, vector: Any, damping: Any = 0.0) -> Array:
        """Return (A + damping I)⁻¹ v for vectors of shape (..., d); see `solve_damped`."""
        del theta
        if not self.operator.can_decompose:
            raise InputError(
                "A is too large to decompose, so its inverse is not at hand",
                argument="A",
                hint="TruncatedNewton and ConjugateGradient need products with A only",
            )
        vectors, tolerance = np.asarray(vector, dtype=float), self.zero_tolerance
        return solve_damped(self.decomposition, self.is_zero_mode, tolerance, vectors, damping)

    def _multiply(self, vectors: Array) -> Array:
        if vectors.ndim == 1:
            return self.operator.multiply(vectors)
        if vectors.ndim == 2:  # runs in columns keep their memory order through the product
            return self.operator.multiply(vectors.T).T
        flat = vectors.reshape(-1, vectors.shape[-1])
        return self.operator.multiply(flat.T).T.reshape(vectors.shape)

    def gradient(self, theta: Any) -> Array:
        """Return Aθ + b, shape (..., d)."""
        product = self._multiply(np.asarray(theta, dtype=float))
        if not self._has_linear:
            return product
        if self.operator.makes_new_arrays:
            product += self.linear
            return product
        return product + self.linear

    @functools.cached_property
    def _has_linear(self) -> bool:
        return bool(np.any(self.linear))

    def value(self, theta: Any) -> Any:
        """Return J(θ), shape (...); a float for a single point."""
        theta = np.asarray(theta, dtype=float)
        value = self.value_from_gradient(theta, self.gradient(theta))
        return float(value) if theta.ndim == 1 else value

    def value_from_gradient(self, theta: Array, gradient: Array) -> Array:
        """Return J(θ) = ½ θᵀ(g + b) + c from a gradient already at hand, shape (...)."""
        twice = np.einsum("...i,...i->...", theta, gradient)
        if self._has_linear:
            twice = twice + theta @ self.linear
        return np.asarray(twice / 2 + self.constant)

    # -- the minimum --------------------------------------------------------------------------

    @functools.cached_property
    def spectra(self) -> dict[tuple[Any, ...], Any]:
        """Spectra found so far, by how; filled by `convex_analyzer.spectrum`."""
        return {}

    @functools.cached_property
    def decomposition(self) -> Decomposition:
        """Eigenvalues and eigenvectors, computed once."""
        return self.operator.decompose()

    @functools.cached_property
    def zero_tolerance(self) -> float:
        """Eigenvalues up to this size cannot be told from zero: d x eps x the largest, or 0."""
        if isinstance(self.operator, DiagonalOperator):
            return 0.0  # nothing was computed, so nothing was rounded
        size = float(np.max(np.abs(self.decomposition.eigenvalues), initial=0.0))
        return self.dimension * float(np.finfo(float).eps) * size

    @functools.cached_property
    def _critical_point(self) -> tuple[Array | None, str | None]:
        """The critical point of least norm, or why there is none."""
        if not self.operator.can_decompose:
            return self.operator.solve(-self.linear)
        if self.exact is not None and _is_small_and_rational(self.exact):
            return solve_exactly(self.exact, -self.linear)
        parts = self.decomposition
        beta = parts.eigenvectors.T @ self.linear
        zero = self.is_zero_mode
        why = outside_range(_largest(beta[zero]), _largest(beta))
        if why is not None:
            return None, why
        coefficients = np.zeros(self.dimension)
        coefficients[~zero] = -beta[~zero] / parts.eigenvalues[~zero]
        point = parts.eigenvectors @ coefficients
        return self._refine(point, parts, zero), None

    def _refine(self, point: Array, parts: Decomposition, zero: npt.NDArray[np.bool_]) -> Array:
        """Take one step of iterative refinement where the conditioning makes it worthwhile."""
        inverse = np.zeros(self.dimension)
        inverse[~zero] = 1 / parts.eigenvalues[~zero]
        correction = parts.eigenvectors @ (inverse * (parts.eigenvectors.T @ self.gradient(point)))
        better = point - correction
        before, after = (_largest(self.gradient(p)) for p in (point, better))
        return better if after < before else point

    @functools.cached_property
    def is_zero_mode(self) -> npt.NDArray[np.bool_]:
        """Which eigenvalues cannot be told from zero, in ascending order of eigenvalues."""
        return np.abs(self.decomposition.eigenvalues) <= self.zero_tolerance

    @property
    def _lowest(self) -> float | None:
        """The smallest eigenvalue, 0 if it cannot be told from it; None where it is not at hand."""
        if isinstance(self.operator, DiagonalOperator):
            return float(self.operator.diagonal.min())
        if not self.operator.can_decompose:
            return None
        lowest = float(self.decomposition.eigenvalues[0])
        return lowest if abs(lowest) > self.zero_tolerance else 0.0

    @functools.cached_property
    def why_no_minimum(self) -> str | None:
        """Why J has no minimum, in a sentence; None when it has one."""
        lowest = self._lowest
        if lowest is not None and lowest < 0:
            return (
                f"A has negative curvature ({format_number(lowest, 4)} along q1), "
                "so J is unbounded below"
            )
        return self._critical_point[1]

    @property
    def critical_point(self) -> Array | None:
        """Where the gradient vanishes (least norm if there are many); None if nowhere."""
        return self._critical_point[0]

    @property
    def minimizer(self) -> Array | None:
        """The minimiser, shape (d,), of least norm when A is singular; None if there is none."""
        return self.critical_point if self.why_no_minimum is None else None

    @property
    def minimum(self) -> float | None:
        """The smallest value of J; None if there is none."""
        point = self.minimizer
        return None if point is None else float(self.value(point))

    # -- what it is ---------------------------------------------------------------------------

    def describe(self) -> str:
        """Return one line: what the problem is."""
        return f"{self.name}: J(θ) = ½ θᵀAθ + bᵀθ + c, {self.operator.kind}, d = {self.dimension}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; the matrix itself up to d = 40."""
        data: dict[str, Any] = {
            "schema": "convex_analyzer.problem/1",
            "name": self.name,
            "kind": self.operator.kind,
            "dimension": self.dimension,
        }
        if self.dimension <= 40 and self.operator.kind in {"dense", "diagonal", "sparse"}:
            data["A"] = self.operator.to_dense().tolist()
            data["b"] = self.linear.tolist()
            data["c"] = self.constant
        return data

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.describe()}>"


def _is_small_and_rational(matrix: Any) -> bool:
    return matrix.rows <= EXACT_LIMIT and all(entry.is_Rational for entry in matrix)


def _largest(vector: Array) -> float:
    """Return the largest |entry|: unlike the 2-norm it neither overflows nor underflows."""
    return float(np.max(np.abs(vector), initial=0.0))


def _exact_matrix(A: Any) -> Any:
    """Return a SymPy matrix of numbers unchanged, and None for anything else."""
    if not (hasattr(A, "free_symbols") and hasattr(A, "applyfunc")):
        return None
    if A.free_symbols:
        names = ", ".join(sorted(str(symbol) for symbol in A.free_symbols))
        raise InputError(
            f"A has free symbols: {names}",
            argument="A",
            value=A,
            hint="give them values, for instance A.subs({...})",
        )
    if A.rows != A.cols or not A.rows:
        raise InputError(f"A must be square and not empty, got {A.rows} x {A.cols}", argument="A")
    if any(not entry.is_real for entry in A):
        raise InputError("A must have real entries", argument="A")
    if A != A.T:
        raise NotSymmetricError(
            "A is not symmetric", argument="A", hint="symmetrise on purpose with (A + A.T)/2"
        )
    return A.as_immutable()


def _operator(A: Any) -> SymmetricOperator:
    if isinstance(A, SymmetricOperator):
        return A
    if hasattr(A, "free_symbols"):
        return DenseOperator(np.array(A.evalf(20).tolist(), dtype=float))
    if hasattr(A, "tocsr") and hasattr(A, "nnz"):
        return _sparse(A)
    if hasattr(A, "matvec") and not isinstance(A, np.ndarray):
        if len(A.shape) != 2 or A.shape[0] != A.shape[1] or not A.shape[0]:
            raise InputError(f"A must be square and not empty, got shape {A.shape}", argument="A")
        operator = LinearMap(A)
        operator.check()
        return operator
    matrix = float_array(A, "A")
    _check_square(matrix.shape)
    if np.array_equal(matrix, matrix.T):
        return DenseOperator(matrix)
    _check_symmetric(matrix, float(np.max(np.abs(matrix - matrix.T))))
    return DenseOperator(matrix / 2 + matrix.T / 2)


def _sparse(A: Any) -> SymmetricOperator:
    _check_square(A.shape)
    matrix = A.tocsr()
    if matrix.dtype.kind not in "iufb":
        raise InputError(f"A must have real numbers, got {matrix.dtype}", argument="A")
    matrix = matrix.astype(float)
    if not np.all(np.isfinite(matrix.data)):
        raise InputError("A has entries that are not finite", argument="A")
    _check_symmetric(matrix, float(abs(matrix - matrix.T).max()) if matrix.nnz else 0.0)
    return SparseOperator((matrix + matrix.T) / 2)


def _check_square(shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
        hint = "for data use least_squares(X, y)" if len(shape) == 2 and shape[0] else ""
        raise InputError(
            f"A must be square and not empty, got shape {tuple(shape)}", argument="A", hint=hint
        )


def _check_symmetric(matrix: Any, difference: float) -> None:
    size = float(abs(matrix).max()) if matrix.shape[0] else 0.0
    if difference > ASYMMETRY * size:
        raise NotSymmetricError(
            f"A is not symmetric: max|A - A.T| = {difference:.3g}, max|A| = {size:.3g}",
            argument="A",
            hint="if only the quadratic form matters, symmetrise on purpose with (A + A.T)/2",
        )
