"""Batches of shuffled epochs: the errors of one epoch add up to zero, and the run hovers lower.

Two batches of an epoch share no rows, so that the covariance of their errors is -Σ/(N - 1). When an
epoch is short next to the memory of a direction, most of the noise cancels within it; when it is
long, batches may as well be independent.

Source: sampling without replacement; the recursion over an epoch is elementary.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.stochastic.moments import Moments, affine_powers, period_of

__all__ = ["MOST_BATCHES", "epoch_spread", "epoch_variances"]

Array = npt.NDArray[np.float64]

MOST_BATCHES = 5000  # of an epoch that are followed


def epoch_spread(
    analysis: Analysis, row_variance: Array, rows: int, batch_size: int, *, drop_last: bool = False
) -> Array:
    """Return the variance of the reported point along each direction, mean over an epoch, (n,).

    The noise of a row is taken as the same everywhere.

    Parameters
    ----------
    analysis
        A linear rule that does the same in every step. Directions that do not settle are infinite.
    row_variance
        Of the gradient of a single row along each eigendirection (divisor N), (n,).
    rows, batch_size
        N and B.
    drop_last
        Whether a last batch of fewer rows is left out.

    Raises
    ------
    NotDerivableError
        The rule has a period of its own, or an epoch has more than 5000 batches.
    InputError
        The batch is larger than the data.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(0.01))
    >>> epoch_spread(rule, np.ones(1), 20, 1).round(6), round(0.01 / (2 - 0.01), 6)
    (array([0.000336]), 0.005025)
    """
    moments, sizes = _prepared(analysis, row_variance, rows, batch_size, drop_last=drop_last)
    if rows == 1:
        return np.zeros(len(row_variance))
    settled = analysis.modes.one_minus_rate > 0
    found = np.full(len(row_variance), np.inf)
    some = Moments([moments.steps[0].take(settled)], moments.variance[settled])
    found[settled] = _stationary_mean(some, rows, sizes)
    return found


def epoch_variances(
    analysis: Analysis, row_variance: Array, rows: int, batch_size: int, counts: Array
) -> Array:
    """Return the variance of the reported point along each direction after k steps, (K, n).

    From a fixed start, with the first batch of an epoch at k = 1. Within an epoch the variance
    rises and falls; its mean over late epochs is that of `epoch_spread`.

    Parameters
    ----------
    analysis, row_variance, rows, batch_size
        As for `epoch_spread`.
    counts
        k, (K,): whole numbers.

    Raises
    ------
    NotDerivableError, InputError
        As for `epoch_spread`.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> rule = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(1.0))
    >>> epoch_variances(rule, np.ones(1), 4, 2, np.arange(3.0)).round(6).T  # α²σ²/2 · (4 - 2)/3
    array([[0.      , 0.333333, 0.333333]])
    """
    moments, sizes = _prepared(analysis, row_variance, rows, batch_size)
    found = np.zeros((len(counts), len(moments.variance)))
    if rows == 1:
        return found
    step, (epochs, phases) = moments.steps[0], np.divmod(counts, len(sizes))
    wanted, parts = {int(phase) for phase in phases}, {}
    vector = moments.vector(np.zeros_like(step.change))
    whole = np.zeros((*vector.shape, vector.shape[-1]))
    parts[0] = vector, whole
    for phase, (vector, whole) in enumerate(_within(moments, rows, sizes), 1):
        if phase in wanted:
            parts[phase] = vector, whole
    affine = np.zeros((len(whole), whole.shape[-1] + 1, whole.shape[-1] + 1))
    affine[:, :-1, :-1], affine[:, :-1, -1] = whole, vector
    for phase in wanted:
        chosen = phases == phase
        before = affine_powers(affine, epochs[chosen])[..., :-1]
        added, moved = parts[phase]
        vectors = before + added + (moved @ before[..., None])[..., 0]
        found[chosen] = moments.reported(moments.matrix(vectors), step)
    return found


def _prepared(
    analysis: Analysis,
    row_variance: Array,
    rows: int,
    batch_size: int,
    *,
    drop_last: bool = False,
) -> tuple[Moments, npt.NDArray[np.int64]]:
    """Return the moments of one row's noise, and how many rows each batch of an epoch has."""
    if not 1 <= batch_size <= rows:
        raise InputError(f"batch_size must be between 1 and {rows}, got {batch_size}")
    steps = period_of(analysis)
    count = rows // batch_size if drop_last else -(-rows // batch_size)
    if len(steps) > 1 or count > MOST_BATCHES:
        raise NotDerivableError(
            f"epochs are followed for rules that do the same in every step, up to {MOST_BATCHES:,} "
            "batches each"
        )
    sizes = np.full(count, batch_size)
    if not drop_last:
        sizes[-1] = rows - (count - 1) * batch_size
    return Moments(steps, np.asarray(row_variance)), sizes


def _within(
    moments: Moments, rows: int, sizes: npt.NDArray[np.int64]
) -> Iterator[tuple[Array, Array]]:
    """Yield after each batch the covariance added so far in an epoch, and what happens to the old.

    The first as a vector (n, q), the second as its map, less the identity, (n, q, q). With
    N/(B(N - 1)) for every batch, less 1/(N - 1) for the sum of all of them so far.
    """
    step = moments.steps[0]
    one = moments.affine(step)[:, :-1, :-1]
    outer = moments.variance[:, None, None] * step.kick[:, :, None] * step.kick[:, None, :]
    shared = np.sqrt(moments.variance / (rows - 1))[:, None]
    alone, summed, whole = np.zeros_like(outer), np.zeros_like(step.kick), np.zeros_like(one)
    for size in sizes:
        alone = alone + step.moved(alone) + rows / (size * (rows - 1)) * outer
        summed = summed + (step.change @ summed[:, :, None])[:, :, 0] + shared * step.kick
        whole = whole + one + one @ whole
        yield moments.vector(alone - summed[:, :, None] * summed[:, None, :]), whole


def _stationary_mean(moments: Moments, rows: int, sizes: npt.NDArray[np.int64]) -> Array:
    """Solve for the covariance between epochs, and return the mean of the variances within one."""
    step, parts = moments.steps[0], list(_within(moments, rows, sizes))
    added, whole = parts[-1]
    between = np.linalg.solve(-whole, added[:, :, None])
    total = np.zeros(len(moments.variance))
    for added, map_so_far in parts:
        vector = added + (between + map_so_far @ between)[:, :, 0]
        total += moments.reported(moments.matrix(vector), step)
    return np.asarray(total / len(sizes))
