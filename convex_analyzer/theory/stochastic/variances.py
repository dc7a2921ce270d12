"""The variance of the gradient along every eigendirection, from whatever describes the noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.stochastic.batches import gradient_covariance

__all__ = ["as_additive", "full_covariance", "noise_of_rule", "row_variances", "variances"]

Array = npt.NDArray[np.float64]


def noise_of_rule(analysis: Analysis, noise: Any) -> Any:
    """Return the noise that is meant: the given one, or the one the rule itself names."""
    if noise is not None:
        return noise
    own = getattr(analysis.optimizer, "noise", None)
    if own is not None:
        return own
    if analysis.optimizer.random:
        return AdditiveNoise(0.0)
    raise InputError(
        "noise is missing: AdditiveNoise(variance), or MiniBatch(size) with the problem that holds "
        "the data",
        argument="noise",
    )


def as_additive(noise: Any, problem: Any) -> AdditiveNoise:
    """Return noise as errors of a constant covariance: of mini-batches, that at the minimiser."""
    if isinstance(noise, AdditiveNoise):
        return noise
    if not isinstance(noise, MiniBatch):
        raise InputError(
            f"noise must be AdditiveNoise or MiniBatch, got {noise!r}", argument="noise"
        )
    if not isinstance(problem, LeastSquares):
        raise InputError(
            "the noise of mini-batches depends on the data; pass problem=least_squares(X, y)",
            argument="problem",
        )
    return AdditiveNoise(gradient_covariance(problem, noise))


def variances(spectrum: Spectrum, noise: AdditiveNoise) -> Array:
    """Return q_iᵀ Σ q_i, shape (n,).

    Raises
    ------
    NotDerivableError
        Only the ends of the spectrum are known.
    InputError
        Σ is for another number of parameters.
    """
    _require_directions(spectrum, noise)
    array: Array = noise.covariance
    if array.ndim == 0:
        return np.full(len(spectrum.eigenvalues), float(array))
    q = spectrum.eigenvectors
    if array.ndim == 1:
        return spectrum.to_eigenbasis(array) if q is None else np.asarray((q * q).T @ array)
    if q is None:
        return spectrum.to_eigenbasis(np.diag(array))
    return np.asarray(np.einsum("ij,ij->j", q, array @ q))


def row_variances(spectrum: Spectrum, problem: LeastSquares) -> Array:
    """Return the variance of the gradient of a single row at the minimiser, (n,); 0 if flat."""
    single = AdditiveNoise(gradient_covariance(problem, MiniBatch(1, replacement=True)))
    return np.where(spectrum.eigenvalues == 0, 0.0, variances(spectrum, single))


def full_covariance(spectrum: Spectrum, noise: AdditiveNoise) -> Array:
    """Return Qᵀ Σ Q, shape (n, n)."""
    _require_directions(spectrum, noise)
    array: Array = noise.covariance
    if array.ndim == 0:
        return float(array) * np.eye(len(spectrum.eigenvalues))
    whole = np.diag(array) if array.ndim == 1 else array
    turned = np.stack([spectrum.to_eigenbasis(row) for row in whole])
    return np.stack([spectrum.to_eigenbasis(row) for row in turned.T])


def _require_directions(spectrum: Spectrum, noise: AdditiveNoise) -> None:
    if spectrum.is_interval:
        raise NotDerivableError(
            "only the ends of the spectrum are known, and a noise floor adds up all directions; "
            "use Spectrum.from_eigenvalues, or the problem itself"
        )
    array: Array = noise.covariance
    if array.ndim and array.shape[-1] != spectrum.dimension:
        raise InputError(
            f"the covariance is for {array.shape[-1]} parameters, the problem has "
            f"{spectrum.dimension}",
            argument="noise",
        )
