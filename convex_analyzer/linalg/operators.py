"""Symmetric matrices by how they are stored: dense, diagonal, sparse, factored, or only a product.

Each kind knows how to multiply, how to decompose itself, and how to bound its norm; the problems
above need nothing else.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotSymmetricError
from convex_analyzer.linalg.decompositions import EPSILON, Decomposition, eigh, gram_eigh
from convex_analyzer.linalg.solve import solve_large

__all__ = [
    "DenseOperator",
    "DiagonalOperator",
    "GramOperator",
    "LinearMap",
    "SparseOperator",
    "SymmetricOperator",
]

Array = npt.NDArray[np.float64]

DENSE_LIMIT = 4000  # above this a dense eigendecomposition takes minutes and is not the default
VECTORS_LIMIT = 500  # a diagonal matrix up to this size gets explicit eigenvectors
_SAME = 1e-5  # products in single precision still count as equal
SPARSE_LIMIT = 2000  # a sparse matrix up to this size is decomposed as a dense one


class SymmetricOperator:
    """A symmetric matrix of shape (d, d).

    Attributes
    ----------
    dimension
        d.
    kind
        One word for reports.
    makes_new_arrays
        Whether a product is surely no one else's array, so that it may be written into.
    noise
        Relative size of the rounding in a product.
    """

    dimension: int
    kind: str = "operator"
    makes_new_arrays: ClassVar[bool] = False
    noise: float = EPSILON

    def multiply(self, vectors: Array) -> Array:
        """Return A V for a vector (d,) or columns (d, runs)."""
        raise NotImplementedError

    @property
    def can_decompose(self) -> bool:
        """Whether all eigenvalues can be had in reasonable time and memory."""
        return False

    def decompose(self) -> Decomposition:
        """Return all eigenvalues and eigenvectors."""
        return eigh(self.to_dense())

    def to_dense(self) -> Array:
        """Return the matrix as a dense array."""
        return self.multiply(np.eye(self.dimension))

    def norm_bound(self) -> float | None:
        """Return a rigorous upper bound of the largest |eigenvalue|, when one is cheap."""
        return None

    def solve(self, right: Array) -> tuple[Array | None, str | None]:
        """Return a solution of A x = r without decomposing A, or None and why there is none."""
        return solve_large(self.multiply, right)


class DenseOperator(SymmetricOperator):
    """A dense symmetric array."""

    kind = "dense"
    makes_new_arrays = True

    def __init__(self, matrix: Array) -> None:
        # Columns contiguous; the transpose of a symmetric matrix is itself, and costs no copy.
        self.matrix: Array = matrix.T if matrix.flags.c_contiguous else np.asfortranarray(matrix)
        self.dimension = len(matrix)

    def multiply(self, vectors: Array) -> Array:
        """Return A V."""
        return self.matrix @ vectors

    @property
    def can_decompose(self) -> bool:
        """True up to d = 4000."""
        return self.dimension <= DENSE_LIMIT

    def to_dense(self) -> Array:
        """Return the matrix itself."""
        return self.matrix

    def norm_bound(self) -> float | None:
        """Return the largest absolute column sum."""
        return float(np.max(np.sum(np.abs(self.matrix), axis=0), initial=0.0))


class DiagonalOperator(SymmetricOperator):
    """A diagonal matrix, held as its diagonal: any size."""

    kind = "diagonal"
    makes_new_arrays = True

    def __init__(self, diagonal: Array) -> None:
        self.diagonal: Array = diagonal
        self.dimension = len(diagonal)

    def multiply(self, vectors: Array) -> Array:
        """Return the entries times the rows of V."""
        return self.diagonal * vectors if vectors.ndim == 1 else self.diagonal[:, None] * vectors

    @property
    def can_decompose(self) -> bool:
        """True up to d = 500: beyond, a matrix of eigenvectors would be a waste."""
        return self.dimension <= VECTORS_LIMIT

    def solve(self, right: Array) -> tuple[Array | None, str | None]:
        """Return r divided by the diagonal, or None where that is impossible."""
        flat = self.diagonal == 0
        if np.any(right[flat]):
            return None, "b is not zero along a flat direction, so J falls without end along it"
        return np.where(flat, 0.0, right / np.where(flat, 1.0, self.diagonal)), None

    def decompose(self) -> Decomposition:
        """Return the sorted diagonal, without error."""
        order = np.argsort(self.diagonal, kind="stable")
        vectors = np.zeros((self.dimension, self.dimension))
        vectors[order, np.arange(self.dimension)] = 1.0
        errors = np.zeros(self.dimension)
        return Decomposition(self.diagonal[order], vectors, errors, "diagonal, exact")

    def to_dense(self) -> Array:
        """Return the matrix with its zeros."""
        return np.diag(self.diagonal)

    def norm_bound(self) -> float | None:
        """Return the largest |entry|."""
        return float(np.max(np.abs(self.diagonal), initial=0.0))


class SparseOperator(SymmetricOperator):
    """A scipy.sparse matrix."""

    kind = "sparse"
    makes_new_arrays = True

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix
        self.dimension = int(matrix.shape[0])

    def multiply(self, vectors: Array) -> Array:
        """Return A V."""
        return np.asarray(self.matrix @ vectors)

    @property
    def can_decompose(self) -> bool:
        """True up to d = 2000."""
        return self.dimension <= SPARSE_LIMIT

    def to_dense(self) -> Array:
        """Return the matrix with its zeros."""
        return np.asarray(self.matrix.toarray(), dtype=float)

    def norm_bound(self) -> float | None:
        """Return the largest absolute column sum."""
        return float(np.max(np.asarray(abs(self.matrix).sum(axis=0)), initial=0.0))


class GramOperator(SymmetricOperator):
    """``factor.T @ factor``, never formed."""

    kind = "data"
    makes_new_arrays = True

    def __init__(self, factor: Array) -> None:
        self.factor = np.asfortranarray(factor)
        self.dimension = int(factor.shape[1])

    def multiply(self, vectors: Array) -> Array:
        """Return Fᵀ(F V) for the factor F."""
        return self.factor.T @ (self.factor @ vectors)

    @property
    def can_decompose(self) -> bool:
        """True up to d = 4000."""
        return self.dimension <= DENSE_LIMIT

    def decompose(self) -> Decomposition:
        """Return the decomposition through the SVD of the factor."""
        return gram_eigh(self.factor)

    def norm_bound(self) -> float | None:
        """Return the squared Frobenius norm of the factor."""
        return float(np.linalg.norm(self.factor)) ** 2


class LinearMap(SymmetricOperator):
    """Only a product with vectors (scipy.sparse.linalg.LinearOperator)."""

    kind = "operator"

    def __init__(self, operator: Any) -> None:
        self.operator = operator
        self.dimension = int(operator.shape[0])

    def multiply(self, vectors: Array) -> Array:
        """Return what the given operator returns, checked for its shape."""
        try:
            product = np.asarray(self.operator @ vectors)
        except ValueError as error:  # scipy: a product of the wrong shape
            raise InputError(f"A: the LinearOperator failed: {error}", argument="A") from error
        if product.dtype.kind == "c":
            raise InputError("A: the LinearOperator must be real", argument="A")
        if product.shape != vectors.shape:
            raise InputError(
                f"A: the LinearOperator returned shape {product.shape} for {vectors.shape}",
                argument="A",
            )
        return np.array(product, dtype=float)  # a copy: it may be a buffer that is used again

    def check(self) -> None:
        """Hold two random products against each other: u·Av is v·Au for a symmetric A.

        Raises
        ------
        InputError
            A product that is not finite, or that differs when asked for again.
        NotSymmetricError
            The two disagree by more than rounding in single precision.
        """
        generator = np.random.Generator(np.random.Philox(0))
        u, v = generator.standard_normal((2, self.dimension))
        u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
        image, again, other = self.multiply(v), self.multiply(v), self.multiply(u)
        if not (np.isfinite(image).all() and np.isfinite(other).all()):
            raise InputError("A: the LinearOperator returned numbers that are not finite")
        size = float(np.linalg.norm(image) + np.linalg.norm(other))
        if np.linalg.norm(image - again) > _SAME * size:
            raise InputError(
                "A: the LinearOperator answers the same vector differently each time", argument="A"
            )
        difference = abs(float(u @ image - v @ other))
        self._note_noise(float(np.linalg.norm(image - again)), difference, size)
        if difference > _SAME * size:
            raise NotSymmetricError(
                f"A is not symmetric: u·Av and v·Au differ by {difference:.3g} for random unit "
                "vectors",
                argument="A",
            )

    def _note_noise(self, repeat: float, asymmetry: float, size: float) -> None:
        """Learn how exact the products are: some are computed in single precision."""
        kind = np.asarray(self.operator @ np.ones(self.dimension)).dtype
        own = float(np.finfo(kind).eps) if kind.kind == "f" else EPSILON
        # The errors of d entries average out in u·Av: one entry's are √d times as large.
        seen = max(repeat, asymmetry * float(np.sqrt(self.dimension))) / size if size > 0 else 0.0
        self.noise = max(own, EPSILON, seen)

    @property
    def can_decompose(self) -> bool:
        """True up to d = 2000."""
        return self.dimension <= SPARSE_LIMIT

    def to_dense(self) -> Array:
        """Return the matrix column by column, symmetrised."""
        dense = super().to_dense()
        return (dense + dense.T) / 2
