"""Errors of a known covariance, added to the gradient."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.noise.streams import GRADIENT, Drawn, Noise, per_run
from convex_analyzer.tables import format_number

__all__ = ["AdditiveNoise"]

Array = npt.NDArray[np.float64]


class _Shifted(Drawn):
    def __init__(self, problem: Any, error: Array) -> None:
        super().__init__(problem)
        self._error = error

    def gradient(self, theta: Any) -> Any:
        return self._problem.gradient(theta) + self._error


@dataclass(frozen=True, eq=False)
class AdditiveNoise(Noise):
    """Gaussian errors of mean zero, added to every gradient; runs are independent.

    Parameters
    ----------
    covariance
        Of the error of one gradient: a variance (the same for every parameter), variances of shape
        (d,), or a matrix of shape (d, d).

    Examples
    --------
    >>> AdditiveNoise(0.04)
    AdditiveNoise(0.04)
    """

    covariance: Any

    def __post_init__(self) -> None:
        try:
            array = np.array(self.covariance, dtype=float)
        except (TypeError, ValueError):
            array = np.array(np.nan)
        if array.ndim > 2 or not np.all(np.isfinite(array)):
            raise InputError(
                "AdditiveNoise: covariance must be a variance, d variances or a d x d matrix",
                argument="covariance",
                value=self.covariance,
            )
        if array.ndim == 2 and (
            array.shape[0] != array.shape[1]
            or np.any(np.abs(array - array.T) > 1e-10 * np.max(np.abs(array), initial=0.0))
        ):
            raise InputError(
                f"AdditiveNoise: covariance must be symmetric, got shape {array.shape}",
                argument="covariance",
            )
        array.flags.writeable = False
        object.__setattr__(self, "covariance", array)
        _ = self._root

    @functools.cached_property
    def _root(self) -> Array:
        """R with R Rᵀ = covariance; for variances their roots."""
        array: Array = self.covariance
        if array.ndim < 2:
            smallest = float(np.min(array, initial=0.0))
            root = np.sqrt(np.maximum(array, 0.0))
        else:
            values, vectors = np.linalg.eigh(array)
            smallest = float(values[0]) + 1e-12 * float(np.max(np.abs(values)))
            root = vectors * np.sqrt(np.maximum(values, 0.0))
        if smallest < 0:
            raise InputError(
                f"AdditiveNoise: a covariance has no negative eigenvalue, got {smallest:.3g}",
                argument="covariance",
            )
        return np.asarray(root)

    def check(self, problem: Any, steps: int) -> None:
        """Refuse a covariance of another dimension."""
        del steps
        size = self.covariance.shape[-1] if self.covariance.ndim else problem.dimension
        if size != problem.dimension:
            raise InputError(
                f"AdditiveNoise: covariance is for {size} parameters, the problem has "
                f"{problem.dimension}",
                argument="covariance",
            )

    def drawn(self, problem: Any, t: int, first: int, runs: int, seed: int) -> Any:
        """Return the problem with this step's error in its gradient."""
        plain = per_run(seed, t, GRADIENT, first, (runs, problem.dimension), "standard_normal")
        root = self._root
        error = plain * root if root.ndim < 2 else plain @ root.T
        return _Shifted(problem, np.asfortranarray(error))

    def describe(self) -> str:
        """Return in words what the gradients are.

        Examples
        --------
        >>> AdditiveNoise(0.04).describe(), AdditiveNoise([1.0, 2.0]).describe()
        ('additive noise of variance 0.04', 'additive noise with 2 variances')
        """
        array: Array = self.covariance
        if not array.ndim:
            return f"additive noise of variance {format_number(float(array))}"
        kind = "variances" if array.ndim == 1 else "correlated parameters"
        return f"additive noise with {len(array):,} {kind}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"name": "AdditiveNoise", "covariance": self.covariance.tolist()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AdditiveNoise) and np.array_equal(
            self.covariance, other.covariance
        )

    def __hash__(self) -> int:
        return hash((type(self), self.covariance.tobytes()))

    def __repr__(self) -> str:
        shape = self.covariance.shape
        return f"AdditiveNoise({self.covariance if not shape else self.covariance.tolist()})"
