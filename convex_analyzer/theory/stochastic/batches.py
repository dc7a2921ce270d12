"""Mini-batches of least squares: noise that grows with the distance from the minimum, exactly.

The gradient of a batch is linear in θ with a random matrix. Its second moments obey a linear
recursion on symmetric matrices, P ← E[(I - αH)P(I - αH)] + ..., which is written out here for every
rule that asks for one gradient per step, with whatever memory it has.

Sources: Feuer & Weinstein (1985); Mulayoff & Michaeli (2024); THEORY 5.5 and 5.6.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.domains import is_schedule
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.noise import MiniBatch
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.arguments import checked_start
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.local import is_linear

__all__ = [
    "BatchMoments",
    "batch_factor",
    "batch_spread",
    "can_be_exact",
    "gradient_covariance",
    "one_gradient",
]

Array = npt.NDArray[np.float64]

_DENSE = 120  # moments up to which all eigenvalues are computed
_MOST_MOMENTS = 528  # entries of a second moment: 32 parameters without memory, 16 with a velocity


def batch_factor(noise: MiniBatch, rows: int) -> float:
    """Return what the variance of one row is multiplied by in the gradient of a batch.

    1/B with replacement, else (N - B)/(B(N - 1)): the common (N - B)/(BN) is wrong.

    Examples
    --------
    >>> batch_factor(MiniBatch(4), 10), batch_factor(MiniBatch(10), 10)
    (0.16666666666666666, 0.0)
    """
    if is_schedule(noise.size):
        raise InputError(
            "a batch whose size follows a schedule has no one variance; give a number",
            argument="noise",
        )
    size = noise.size_at(1)
    if noise.replacement:
        return 1 / size
    if size > rows:
        raise InputError(
            f"a batch of {size} is larger than the data, which have {rows} rows",
            argument="noise",
            hint="draw with replacement=True, or take all rows: that is batch descent",
        )
    return (rows - size) / (size * (rows - 1)) if rows > 1 else 0.0


def _row_gradients(problem: LeastSquares, theta: Array) -> Array:
    """Return N times each row's part of the gradient, less their mean, (N, d)."""
    residual = problem.X @ theta - problem.y
    rows = problem.factor * len(problem.y) * residual[:, None] * problem.X
    return np.asarray(rows - rows.mean(axis=0))


def gradient_covariance(problem: LeastSquares, noise: MiniBatch, at: Any = None) -> Array:
    """Return the covariance of the gradient of a mini-batch at a point, shape (d, d).

    Parameters
    ----------
    problem
        Least squares on N rows.
    noise
        Size of the batch, and whether its rows are drawn with replacement.
    at
        θ, shape (d,); the minimiser when left out.

    Examples
    --------
    >>> from convex_analyzer.problems.least_squares import least_squares
    >>> data = least_squares([[1.0], [1.0], [1.0]], [0.0, 1.0, 5.0])
    >>> gradient_covariance(data, MiniBatch(2))  # variance 14/3, over 2, times (3 - 2)/(3 - 1)
    array([[1.16666667]])
    """
    noise.check(problem, 1)
    theta = problem.coefficients if at is None else checked_start(at, problem.dimension)
    rows = _row_gradients(problem, theta)
    return np.asarray(batch_factor(noise, len(rows)) / len(rows) * (rows.T @ rows))


# -- exact moments -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _OneGradient:
    """A rule z ← M₀ z + N g(G·z): what carries over, where g goes, and where it is taken."""

    carry: Array
    kick: Array
    taken: Array
    report: Array
    start: Array


def one_gradient(optimizer: Optimizer) -> _OneGradient | None:
    """Return the parts of a rule that asks for one gradient per step; None for any other.

    They are read off the map, which must be M(λ) = M₀ + λ N Gᵀ.
    """
    if optimizer.cycle != 1 or optimizer.is_scheduled or optimizer.random:
        return None
    if not is_linear(optimizer):
        return None
    try:
        made = [linearise(optimizer, value) for value in (0.0, 1.0, 2.0)]
    except ZeroDivisionError:  # divides by the curvature: Newton
        return None
    if len(made[0].noise) != 1:
        return None
    zero, one, two = (np.array(it.matrix, dtype=float) for it in made)
    kicks = [np.array(it.noise[0], dtype=float) for it in made]
    size = float(kicks[0] @ kicks[0])
    if size == 0 or any(np.array(it.start_offset, dtype=float).any() for it in made):
        return None
    taken = (one - zero).T @ kicks[0] / size
    expected = [zero + value * np.outer(kicks[0], taken) for value in (1.0, 2.0)]
    same = np.allclose(kicks, kicks[0], rtol=1e-12, atol=0)
    if not same or not np.allclose([one, two], expected, rtol=1e-12, atol=1e-14):
        return None
    return _OneGradient(zero, kicks[0], taken, _floats(made[0].report), _floats(made[0].start))


def _floats(entries: tuple[Any, ...]) -> Array:
    return np.array(entries, dtype=float)


def can_be_exact(problem: LeastSquares, optimizer: Optimizer) -> bool:
    """Tell whether `BatchMoments` covers a rule on a problem, at a bearable size."""
    size = problem.dimension * (1 + len(optimizer.memory))
    return size * (size + 1) // 2 <= _MOST_MOMENTS and one_gradient(optimizer) is not None


class BatchMoments:
    """First and second moments of a rule on least squares, with batches drawn independently.

    Directions are those with curvature; the others see no gradient and stay.

    Parameters
    ----------
    problem
        The data.
    optimizer
        A rule with one gradient per step.
    noise
        The batches. Epochs (without replacement) are taken as batches without repeated rows.

    Raises
    ------
    NotDerivableError
        The rule asks for several gradients, or the second moments are too many.
    """

    def __init__(self, problem: LeastSquares, optimizer: Optimizer, noise: MiniBatch) -> None:
        noise.check(problem, 1)
        rule = one_gradient(optimizer)
        if rule is None or not can_be_exact(problem, optimizer):
            raise NotDerivableError(
                f"{type(optimizer).__name__} on {problem.dimension} parameters: second moments "
                f"under mini-batches are exact for rules with one gradient per step and up to "
                f"{_MOST_MOMENTS} moments (32 parameters, 16 with a velocity). Beyond, "
                "noise_floor takes the noise at the minimiser, and gaussian_critical_learning_rate "
                "that of Gaussian rows"
            )
        self.rule, self.problem = rule, problem
        parts = problem.decomposition
        values, vectors = np.asarray(parts.eigenvalues), np.asarray(parts.eigenvectors)
        curved = ~problem.is_zero_mode
        self.curved = curved
        self.eigenvalues, self.vectors = values[curved], vectors[:, curved]
        self.factor = batch_factor(noise, len(problem.y))
        scale = np.sqrt(problem.factor * len(problem.y))
        self.rows = scale * (problem.X @ self.vectors)

    @functools.cached_property
    def size(self) -> int:
        """Slots times directions."""
        return len(self.rule.kick) * len(self.eigenvalues)

    @functools.cached_property
    def mean_map(self) -> Array:
        """What one step does to the mean, (m, m); slots first, directions second."""
        r = self.rule
        bent = np.outer(r.kick, r.taken)
        eye, lam = np.eye(len(self.eigenvalues)), np.diag(self.eigenvalues)
        return np.kron(r.carry, eye) + np.kron(bent, lam)

    @functools.cached_property
    def _offset(self) -> tuple[Array, Array]:
        """The fixed point of the mean: where gradients are taken, and what is reported, less θ*.

        Both are zero unless the rule decays its weights; (r,) each.
        """
        r, lam = self.rule, self.eigenvalues
        centre = self.vectors.T @ self.problem.coefficients
        bent = np.outer(r.kick, r.taken)
        eye = np.eye(len(r.kick))
        maps = eye - r.carry - lam[:, None, None] * bent
        drive = -(lam * centre)[:, None] * r.kick
        fixed = np.linalg.solve(maps, drive[:, :, None])[:, :, 0]
        found = []
        for side in (r.taken, r.report):
            apart = fixed @ side - centre
            found.append(np.where(np.abs(apart) > 1e-9 * np.abs(centre).max(), apart, 0.0))
        return found[0], found[1]

    @functools.cached_property
    def _residual_part(self) -> tuple[Array, Array]:
        """Each row's gradient at the fixed point (N, r), and the covariance over rows (r, r)."""
        theta = self.problem.coefficients + self.vectors @ self._offset[0]
        rows = _row_gradients(self.problem, theta) @ self.vectors
        return rows, rows.T @ rows / len(rows)

    # -- coordinates of symmetric matrices, orthonormal --------------------------------------------

    @functools.cached_property
    def _places(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Array]:
        a, b = np.triu_indices(self.size)
        return a, b, np.where(a == b, 1.0, np.sqrt(2.0))

    def coordinates(self, matrices: Array) -> Array:
        """Return symmetric (..., m, m) as vectors of the same length, (..., q)."""
        a, b, weight = self._places
        return np.asarray(matrices[..., a, b] * weight)

    def matrix_of(self, vectors: Array) -> Array:
        """Return the symmetric matrices of vectors."""
        a, b, weight = self._places
        result = np.zeros((*vectors.shape[:-1], self.size, self.size))
        result[..., a, b] = result[..., b, a] = vectors / weight
        return result

    def _at_gradient(self, matrices: Array) -> Array:
        """Return E e eᵀ where the gradient is taken, (..., r, r), from E z zᵀ."""
        s, r = len(self.rule.kick), len(self.eigenvalues)
        split = matrices.reshape(*matrices.shape[:-2], s, r, s, r)
        return np.asarray(np.einsum("a,...aibj,b->...ij", self.rule.taken, split, self.rule.taken))

    def _spread_over_rows(self, P: Array) -> Array:
        """Return E (H - A) P (H - A) over single rows, (..., r, r)."""
        X, flat = self.rows, P.reshape(-1, *P.shape[-2:])
        A = X.T @ X / len(X)
        pairs = (X[:, :, None] * X[:, None, :]).reshape(len(X), -1)
        fourth = (pairs @ flat.reshape(len(flat), -1).T).T @ pairs / len(X)
        return np.asarray(fourth.reshape(P.shape) - A @ P @ A)

    def _kicked(self, covariance: Array) -> Array:
        """Return N Nᵀ ⊗ covariance."""
        s, r = len(self.rule.kick), len(self.eigenvalues)
        spread = np.einsum("a,...ij,b->...aibj", self.rule.kick, covariance, self.rule.kick)
        return np.asarray(spread.reshape(*covariance.shape[:-2], s * r, s * r))

    @functools.cached_property
    def second(self) -> Array:
        """T: what one step does to second moments, less the residual part, (q, q)."""
        count = len(self._places[0])
        basis = self.matrix_of(np.eye(count))
        mean = self.mean_map @ basis @ self.mean_map.T
        noisy = self.factor * self._kicked(self._spread_over_rows(self._at_gradient(basis)))
        return self.coordinates(mean + noisy).T

    @functools.cached_property
    def rate(self) -> float:
        """ρ(T): the factor of the second moments per step; below 1 they settle.

        T keeps positive matrices positive, so that this is its largest real eigenvalue.
        """
        T = self.second
        if np.allclose(T, T.T, rtol=0, atol=1e-13 * np.abs(T).max()):
            return float(np.abs(np.linalg.eigvalsh((T + T.T) / 2)).max())
        if len(T) > _DENSE:
            from scipy.sparse.linalg import ArpackNoConvergence, eigs

            first = self.coordinates(np.eye(self.size))  # inside the cone that T preserves
            with contextlib.suppress(ArpackNoConvergence):
                top = eigs(T, k=1, which="LM", v0=first, return_eigenvectors=False)
                return float(np.abs(top[0]))
        return float(np.abs(np.linalg.eigvals(T)).max())

    @functools.cached_property
    def _residual(self) -> Array:
        return self.coordinates(self.factor * self._kicked(self._residual_part[1]))

    def stationary(self) -> Array | None:
        """Return E z zᵀ about the fixed point, (m, m); None when it grows without end."""
        if not self.rate < 1:
            return None
        left = np.eye(len(self.second)) - self.second
        return self.matrix_of(np.asarray(np.linalg.solve(left, self._residual), dtype=float))

    def reported(self, moments: Array) -> Array:
        """Return E y² of the reported point along each direction, (..., r)."""
        s, r = len(self.rule.kick), len(self.eigenvalues)
        split = moments.reshape(*moments.shape[:-2], s, r, s, r)
        return np.asarray(np.einsum("a,...aibi,b->...i", self.rule.report, split, self.rule.report))

    def _cross(self) -> Array:
        """Return what the mean adds to the second moments: noise and distance are correlated."""
        rows, _ = self._residual_part
        X, s = self.rows, len(self.rule.kick)
        r = len(self.eigenvalues)
        A = X.T @ X / len(X)
        columns = np.zeros((s * r, r, r))
        for place in range(s * r):
            slot, i = divmod(place, r)
            e = self.rule.taken[slot] * np.eye(r)[i]
            one = (X.T * (X @ e)) @ rows / len(X) - np.outer(A @ e, rows.mean(axis=0))
            columns[place] = one + one.T
        return self.coordinates(self.factor * self._kicked(columns)).T

    def gaps(self, start: Any, counts: Array) -> Array:
        """Return E (J - J*) after k steps, (K,), from θ₀ at `start`, (d,)."""
        from convex_analyzer.theory.stochastic.moments import affine_powers

        count, m = len(self.second), self.size
        whole = np.zeros((1, count + m + 1, count + m + 1))
        whole[0, :count, :count] = self.second - np.eye(count)
        whole[0, :count, count:-1] = self._cross()
        whole[0, :count, -1] = self._residual
        whole[0, count:-1, count:-1] = self.mean_map - np.eye(m)
        about = self.problem.coefficients
        apart = self.vectors.T @ (checked_start(start, self.problem.dimension) - about)
        z = np.kron(self.rule.start, apart + self.vectors.T @ about) - self._fixed_state()
        first = np.concatenate([self.coordinates(np.outer(z, z)), z, [1.0]])
        after = affine_powers(whole, counts, first[None, :])[:, 0]
        second = self.reported(self.matrix_of(after[:, :count]))
        means = np.einsum(
            "a,kai->ki", self.rule.report, after[:, count:-1].reshape(len(after), -1, len(apart))
        )
        o = self._offset[1]
        return np.asarray((second + 2 * o * means + o * o) @ self.eigenvalues / 2)

    def _fixed_state(self) -> Array:
        r, lam = self.rule, self.eigenvalues
        centre = self.vectors.T @ self.problem.coefficients
        maps = np.eye(len(r.kick)) - r.carry - lam[:, None, None] * np.outer(r.kick, r.taken)
        drive = -(lam * centre)[:, None] * r.kick
        return np.asarray(np.linalg.solve(maps, drive[:, :, None])[:, :, 0].T.ravel())


def batch_spread(analysis: Analysis, noise: MiniBatch, problem: LeastSquares) -> Array:
    """Return the stationary variance of the reported point along each eigendirection, (n,).

    Infinite everywhere when the second moments grow without end, although the mean may converge.
    """
    moments = BatchMoments(problem, analysis.optimizer, noise)
    found = np.full(len(analysis.modes.eigenvalues), np.inf)
    settled = moments.stationary()
    if settled is not None:
        flat = analysis.modes.eigenvalues == 0
        found[:] = 0.0
        found[~flat] = moments.reported(settled)[-int((~flat).sum()) :]
    return found
