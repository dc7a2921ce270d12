"""Batches of shuffled epochs: the errors of one epoch add up to zero, and the run hovers lower.

Two batches of an epoch share no rows, so that the covariance of their errors is -Σ/(N - 1). When an
epoch is short next to the memory of a direction, most of the noise cancels within it; when it is
long, batches may as well be independent.

Source: sampling without replacement; the recursion over an epoch is elementary.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.stochastic.moments import Moments, period_of

__all__ = ["MOST_BATCHES", "epoch_spread"]

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
    if not 1 <= batch_size <= rows:
        raise InputError(f"batch_size must be between 1 and {rows}, got {batch_size}")
    steps = period_of(analysis)
    count = rows // batch_size if drop_last else -(-rows // batch_size)
    if len(steps) > 1 or count > MOST_BATCHES:
        raise NotDerivableError(
            f"epochs are followed for rules that do the same in every step, up to {MOST_BATCHES:,} "
            "batches each"
        )
    if rows == 1:
        return np.zeros(len(row_variance))
    sizes = np.full(count, batch_size)
    if not drop_last:
        sizes[-1] = rows - (count - 1) * batch_size
    settled = analysis.modes.one_minus_rate > 0
    found = np.full(len(row_variance), np.inf)
    some = Moments([steps[0].take(settled)], np.asarray(row_variance)[settled])
    found[settled] = _stationary_mean(some, rows, sizes)
    return found


def _stationary_mean(moments: Moments, rows: int, sizes: npt.NDArray[np.int64]) -> Array:
    """Solve for the covariance between epochs, and return the mean of the variances within one.

    With N/(B(N - 1)) for every batch, less 1/(N - 1) for the sum of all of them so far.
    """
    step = moments.steps[0]
    one = moments.affine(step)[:, :-1, :-1]
    outer = moments.variance[:, None, None] * step.kick[:, :, None] * step.kick[:, None, :]
    shared = np.sqrt(moments.variance / (rows - 1))[:, None]
    alone, summed, whole = np.zeros_like(outer), np.zeros_like(step.kick), np.zeros_like(one)
    within, maps = [], []
    for size in sizes:
        alone = alone + step.moved(alone) + rows / (size * (rows - 1)) * outer
        summed = summed + (step.change @ summed[:, :, None])[:, :, 0] + shared * step.kick
        whole = whole + one + one @ whole
        within.append(moments.vector(alone - summed[:, :, None] * summed[:, None, :]))
        maps.append(whole)
    between = np.linalg.solve(-whole, within[-1][:, :, None])
    total = np.zeros(len(moments.variance))
    for added, map_so_far in zip(within, maps, strict=True):
        vector = added + (between + map_so_far @ between)[:, :, 0]
        total += moments.reported(moments.matrix(vector), step)
    return np.asarray(total / len(sizes))
