"""The smallest condition number that any diagonal scaling reaches, with a bound that proves it.

min κ(DAD) over positive diagonal D is a semidefinite programme: the largest τ with τA ⪯ M ⪯ A for
a diagonal M = D⁻² (Boyd, El Ghaoui, Feron & Balakrishnan 1994, section 3.1). It is solved by
Newton's method on a logarithmic barrier. For positive definite Y and Z with equal diagonals,
κ(DAD) ≥ tr(ZA)/tr(YA) for every D; the barrier supplies such a pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BestDiagonal", "best_diagonal", "is_bipartite"]

Array = npt.NDArray[np.float64]

LIMIT = 100  # largest d for which the programme is solved
_GOAL = 1e-9  # relative gap between κ and its lower bound
_ROUNDS, _NEWTON = 60, 30


@dataclass(frozen=True)
class BestDiagonal:
    """The best diagonal scaling of a matrix with unit diagonal.

    Attributes
    ----------
    scale
        D, shape (d,): κ(DAD) is `condition_number`.
    condition_number
        κ with this scaling.
    lower_bound
        No diagonal scaling goes below this.
    why
        How it is known.
    """

    scale: Array
    condition_number: float
    lower_bound: float
    why: str


def is_bipartite(matrix: Any) -> bool:
    """Tell whether the coordinates fall into two sets, coupled only across (property A).

    Then scaling to a unit diagonal is optimal (Forsythe & Straus 1955).

    Examples
    --------
    >>> is_bipartite(np.array([[2.0, -1, 0], [-1, 2, -1], [0, -1, 2]]))
    True
    """
    from scipy.sparse import csr_array

    graph = csr_array(matrix)
    starts, columns, values = graph.indptr.tolist(), graph.indices.tolist(), graph.data.tolist()
    side: dict[int, int] = {}
    for first in range(graph.shape[0]):
        if first in side:
            continue
        side[first], stack = 0, [first]
        while stack:
            i = stack.pop()
            for at in range(starts[i], starts[i + 1]):
                j = columns[at]
                if j == i or values[at] == 0:
                    continue
                if j not in side:
                    side[j] = 1 - side[i]
                    stack.append(j)
                elif side[j] == side[i]:
                    return False
    return True


def best_diagonal(matrix: Array) -> BestDiagonal | None:
    """Return the best scaling of a positive definite matrix with unit diagonal, shape (d, d).

    Returns
    -------
    BestDiagonal or None
        None when the matrix is larger than `LIMIT` and not bipartite, or singular to rounding.

    Examples
    --------
    >>> S = np.array([[1.0, 0.4714, 0.3333], [0.4714, 1.0, -0.3536], [0.3333, -0.3536, 1.0]])
    >>> round(best_diagonal(S).condition_number, 2)
    6.29
    """
    size = len(matrix)
    values = np.linalg.eigvalsh(matrix)
    if not values[0] > size * float(np.finfo(float).eps) * values[-1]:
        return None
    kappa = float(values[-1] / values[0])
    if is_bipartite(matrix):
        why = "a unit diagonal is optimal here (Forsythe & Straus 1955)"
        return BestDiagonal(np.ones(size), kappa, kappa, why)
    if size > LIMIT:
        return None
    found = _barrier(matrix, float(values[0]), float(values[-1]))
    if found.condition_number > kappa:
        return BestDiagonal(np.ones(size), kappa, found.lower_bound, found.why)
    return found


def _kappa(matrix: Array, m: Array) -> float:
    scaled = matrix / np.sqrt(m) / np.sqrt(m)[:, None]
    values = np.linalg.eigvalsh(scaled)
    return float(values[-1] / values[0]) if values[0] > 0 else np.inf


def _barrier(matrix: Array, low: float, high: float) -> BestDiagonal:
    """Follow the central path of max τ, τA ⪯ diag(m) ⪯ A, until the bound closes."""
    m, tau = np.full(len(matrix), 0.5 * low), 0.25 * low / high
    best, kappa, bound, weight = m, np.inf, 0.0, tau
    for _ in range(_ROUNDS):
        m, tau = _centre(matrix, m, tau, weight)
        now = _kappa(matrix, m)
        if now < kappa:
            best, kappa = m, now
        bound = max(bound, _lower_bound(matrix, m, tau))
        if kappa <= bound * (1 + _GOAL):
            break
        weight *= 0.1
    bound = min(bound, kappa)
    how = "semidefinite programme, solved to " + f"{max(kappa / bound - 1, 1e-16):.0e}"
    return BestDiagonal(1 / np.sqrt(best), kappa, bound, how)


def _inverses(matrix: Array, m: Array, tau: float) -> tuple[Array, Array] | None:
    """Return (M - τA)⁻¹ and (A - M)⁻¹, or None outside the cone."""
    inverses = []
    for inside in (np.diag(m) - tau * matrix, matrix - np.diag(m)):
        try:
            factor = np.linalg.cholesky(inside)
        except np.linalg.LinAlgError:
            return None
        half = np.linalg.inv(factor)
        inverses.append(half.T @ half)
    return inverses[0], inverses[1]


def _value(matrix: Array, m: Array, tau: float, weight: float) -> float:
    if tau <= 0:
        return -np.inf
    try:
        inner = np.linalg.cholesky(np.diag(m) - tau * matrix).diagonal()
        outer = np.linalg.cholesky(matrix - np.diag(m)).diagonal()
    except np.linalg.LinAlgError:
        return -np.inf
    return (
        tau / weight + float(np.log(tau)) + 2 * float(np.sum(np.log(inner)) + np.sum(np.log(outer)))
    )


def _centre(matrix: Array, m: Array, tau: float, weight: float) -> tuple[Array, float]:
    """Maximise τ/weight + log τ + log det(M - τA) + log det(A - M) by damped Newton steps."""
    size = len(m)
    for _ in range(_NEWTON):
        pair = _inverses(matrix, m, tau)
        if pair is None:
            break
        P, Q = pair
        PA = P @ matrix
        gradient = np.append(P.diagonal() - Q.diagonal(), 1 / weight + 1 / tau - np.trace(PA))
        hessian = np.empty((size + 1, size + 1))
        hessian[:size, :size] = P * P + Q * Q
        hessian[:size, size] = hessian[size, :size] = -np.einsum("ij,ji->i", PA, P)
        hessian[size, size] = np.einsum("ij,ji->", PA, PA) + 1 / tau**2
        scale = 1 / np.sqrt(hessian.diagonal())
        try:
            step = scale * np.linalg.solve(hessian * scale * scale[:, None], scale * gradient)
        except np.linalg.LinAlgError:
            break
        decrement = float(gradient @ step)
        now, length = _value(matrix, m, tau, weight), 1.0
        while length > 1e-3:
            new_m, new_tau = m + length * step[:size], tau + length * step[size]
            gain = _value(matrix, new_m, new_tau, weight) - now
            if gain >= 0.1 * length * decrement - 1e-12 * abs(now):
                break
            length /= 2
        else:
            break
        m, tau = new_m, float(new_tau)
        if decrement < 1e-5:
            break
    return m, tau


def _lower_bound(matrix: Array, m: Array, tau: float) -> float:
    """Return tr(ZA)/tr(YA) for the pair of the barrier, made to have equal diagonals."""
    pair = _inverses(matrix, m, tau)
    if pair is None:
        return 0.0
    Z, Y = pair
    match = np.sqrt(Y.diagonal() / Z.diagonal())
    Z = Z * match * match[:, None]
    return float(np.sum(Z * matrix) / np.sum(Y * matrix))
