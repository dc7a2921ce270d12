"""What noise does to any linear rule on a quadratic: floors, curves, mini-batches, limits.

Everything follows from the rule's own step, through what an error of the gradient does to every
slot of its state; there is no formula for any one optimizer here.
"""

from __future__ import annotations

from convex_analyzer.theory.stochastic.batch_limits import BatchStability, batch_stability
from convex_analyzer.theory.stochastic.batch_sizes import BatchCurve, batch_curve
from convex_analyzer.theory.stochastic.batches import BatchMoments, gradient_covariance
from convex_analyzer.theory.stochastic.curves import expected_noisy_gap, noisy_steps_to
from convex_analyzer.theory.stochastic.epochs import epoch_spread, epoch_variances
from convex_analyzer.theory.stochastic.floor import (
    NoiseFloor,
    lag_one_correlation,
    noise_floor,
    stationary_covariance,
)
from convex_analyzer.theory.stochastic.gaussian import (
    GaussianBatches,
    almost_sure_limit,
    gaussian_batches,
    gaussian_critical_learning_rate,
)
from convex_analyzer.theory.stochastic.laws import (
    Drop,
    OneStep,
    after_drop,
    averaging_limit,
    epoch_factor,
    linear_scaling,
    noise_scale,
    one_step,
    optimal_decay,
    signal_to_noise,
)

__all__ = [
    "BatchCurve",
    "BatchMoments",
    "BatchStability",
    "Drop",
    "GaussianBatches",
    "NoiseFloor",
    "OneStep",
    "after_drop",
    "almost_sure_limit",
    "averaging_limit",
    "batch_curve",
    "batch_stability",
    "epoch_factor",
    "epoch_spread",
    "epoch_variances",
    "expected_noisy_gap",
    "gaussian_batches",
    "gaussian_critical_learning_rate",
    "gradient_covariance",
    "lag_one_correlation",
    "linear_scaling",
    "noise_floor",
    "noise_scale",
    "noisy_steps_to",
    "one_step",
    "optimal_decay",
    "signal_to_noise",
    "stationary_covariance",
]
