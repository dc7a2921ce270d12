"""How the eigenvalues of a large matrix are spread, from products alone.

Stochastic Lanczos quadrature (Golub & Meurant 1994; Ubaru, Chen & Saad, SIAM J. Matrix Anal. Appl.
38 (2017) 1075): m Lanczos steps from a random unit vector v give the m-point Gauss rule of the
measure Σ (vᵀq_i)² δ(λ_i), whose mean over v is the spread of the eigenvalues.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convex_analyzer.linalg.lanczos import ordinary, start_vector, tridiagonalise
from convex_analyzer.linalg.operators import SymmetricOperator

__all__ = ["gauss_rule", "quadrature_rules"]

Array = npt.NDArray[np.float64]


def gauss_rule(operator: SymmetricOperator, start: Array, steps: int) -> tuple[Array, Array]:
    """Return nodes (m,), ascending, and weights (m,), which sum to 1; m ≤ `steps`.

    Parameters
    ----------
    operator
        The matrix.
    start
        Unit vector (d,); it is overwritten.
    steps
        Largest number of products. Without reorthogonalisation copies of a node may appear; they
        share its weight.
    """
    from scipy.linalg import eigh_tridiagonal

    diagonal: list[float] = []
    beside: list[float] = []
    for along, norm in tridiagonalise(operator, start):
        diagonal.append(along)
        beside.append(norm)
        if len(diagonal) >= steps or norm <= 1e-14 * max(map(abs, diagonal)):
            break
    nodes, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside[:-1]))
    return nodes, vectors[0] ** 2


def quadrature_rules(
    operator: SymmetricOperator, steps: int, probes: int, seed: int
) -> list[tuple[Array, Array]]:
    """Return a Gauss rule for each of several random starts.

    Nodes that rounding cannot tell from zero are set to zero.
    """
    operator, unit = ordinary(operator)
    size = operator.dimension
    rules = []
    for probe in range(probes):
        nodes, weights = gauss_rule(operator, start_vector(size, seed, probe), steps)
        scale = float(np.max(np.abs(nodes)))
        rounding = 4 * np.sqrt(len(nodes)) * operator.noise * scale
        rules.append((unit * np.where(np.abs(nodes) <= rounding, 0.0, nodes), weights))
    return rules
