"""Remedies that factor a part of A: blocks, incomplete Cholesky, SSOR."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.incomplete import IncompleteFactor, incomplete_cholesky
from convex_analyzer.linalg.operators import DenseOperator, SparseOperator
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.scaling.change import (
    Changed,
    Remedy,
    change_by_factor,
    require_definite,
)

__all__ = ["SSOR", "BlockJacobi", "IncompleteCholesky"]

Array = npt.NDArray[np.float64]

_SHIFTS = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


def _needs_entries(problem: Quadratic) -> str | None:
    if not isinstance(problem.operator, (DenseOperator, SparseOperator)):
        what = {"data": "A = XᵀX of data is never formed", "diagonal": "A is diagonal already"}
        return what.get(problem.operator.kind, "only products with A are known, not its entries")
    return require_definite(problem)


def _sparse(problem: Quadratic) -> Any:
    from scipy.sparse import csr_array

    operator = problem.operator
    return csr_array(
        operator.matrix if isinstance(operator, SparseOperator) else operator.to_dense()
    )


def _is_full(problem: Quadratic) -> bool:
    operator = problem.operator
    if isinstance(operator, SparseOperator):
        return bool(operator.matrix.nnz == problem.dimension**2)
    return bool(np.count_nonzero(operator.to_dense()) == problem.dimension**2)


@dataclass(frozen=True)
class BlockJacobi(Remedy):
    """Whiten groups of neighbouring coordinates, and ignore what couples the groups.

    Parameters
    ----------
    size
        Coordinates in a block; None for about √d.
    """

    size: int | None = None

    title: ClassVar[str] = "block Jacobi"
    does: ClassVar[str] = "factors blocks of neighbouring coordinates"
    price: ClassVar[str] = "factors of small blocks"
    effort: ClassVar[int] = 2

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise InputError(f"size must be at least 1, got {self.size}", argument="size")

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for entries that are known, and d at least 3."""
        if problem.dimension < 3:
            return "there are too few coordinates for blocks"
        why = _needs_entries(problem)
        if why is None and self._factor(problem) is None:
            return "a block of A is not positive definite"
        return why

    def _factor(self, problem: Quadratic) -> Any:
        from scipy.sparse import block_diag

        A, size = _sparse(problem), self.size or max(2, round(math.sqrt(problem.dimension)))
        blocks = []
        for first in range(0, problem.dimension, size):
            block = A[first : first + size, first : first + size].toarray()
            try:
                blocks.append(np.linalg.cholesky(block))
            except np.linalg.LinAlgError:
                return None
        return block_diag(blocks, format="csr")

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem with unit blocks."""
        return change_by_factor(problem, self._factor(problem))


@dataclass(frozen=True)
class IncompleteCholesky(Remedy):
    """Cholesky without fill, IC(0); the diagonal is shifted when it breaks down.

    Parameters
    ----------
    shift
        Of the diagonal, relative; None for the first of 0, 0.001, 0.01, ... that works
        (Manteuffel 1980).
    """

    shift: float | None = None

    title: ClassVar[str] = "incomplete Cholesky"
    does: ClassVar[str] = "factors A approximately, keeping its pattern of zeros"
    price: ClassVar[str] = "sparse factors; solves per step"
    effort: ClassVar[int] = 3

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for zeros to keep, and a positive diagonal."""
        why = _needs_entries(problem)
        if why is not None:
            return why
        if _is_full(problem):
            return "A has no zeros, so that this is the complete factorisation"
        return self._factor(problem)[0].breakdown

    def _factor(self, problem: Quadratic) -> tuple[IncompleteFactor, str]:
        A, why = _sparse(problem), ""
        for shift in _SHIFTS if self.shift is None else (self.shift,):
            found = incomplete_cholesky(A, shift)
            if found.breakdown is None:
                said = f"diagonal shifted by {100 * shift:g} %, since {why}" if why else ""
                return found, said.partition(";")[0]
            why = why or found.breakdown
        return found, ""

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem preconditioned by L Lᵀ."""
        factor, note = self._factor(problem)
        return change_by_factor(problem, factor.lower, note)


@dataclass(frozen=True)
class SSOR(Remedy):
    """Symmetric successive over-relaxation as a preconditioner (Young 1971).

    M = ω/(2 - ω) (D/ω + L) D⁻¹ (D/ω + Lᵀ), with A = L + D + Lᵀ.

    Parameters
    ----------
    omega
        ω in (0, 2); 1 is symmetric Gauss-Seidel.
    """

    omega: float = 1.0

    title: ClassVar[str] = "SSOR"
    does: ClassVar[str] = "sweeps through the coordinates forth and back"
    price: ClassVar[str] = "two triangular solves per step"
    effort: ClassVar[int] = 2

    def __post_init__(self) -> None:
        if not 0 < self.omega < 2:
            raise InputError(
                f"omega must be in (0, 2), got {self.omega!r}", argument="omega", value=self.omega
            )

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for entries that are known, and a positive diagonal."""
        return _needs_entries(problem)

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem preconditioned by M."""
        from scipy.sparse import csr_array, diags_array, tril

        A = _sparse(problem)
        diagonal = A.diagonal()
        lower = csr_array(tril(A, k=-1) + diags_array(diagonal / self.omega))
        root = math.sqrt(self.omega / (2 - self.omega)) / np.sqrt(diagonal)
        return change_by_factor(problem, lower @ diags_array(root))
