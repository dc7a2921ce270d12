"""The best constant hyper-parameters for a spectrum.

Where a formula is published, the optimizer's class states it (`Optimizer.published_optimum`) and
it is used; tests compare it with blind minimisation. For any other rule the worst root over the
spectrum is minimised numerically.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.precise import DoubleDouble
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.iteration import dense, linearise, require_linear
from convex_analyzer.theory.local import is_linear
from convex_analyzer.theory.modes import modes

__all__ = ["tuned_pair", "worst_rate"]

Array = npt.NDArray[np.float64]


def curvature_ends(spectrum: Spectrum) -> tuple[float, float]:
    """Return the ends (m, L) of the positive spectrum that tuning refers to.

    L is the upper end of its bracket: a method tuned for a λmax that is a little too large
    converges, one tuned for a λmax that is too small may diverge.

    Without positive curvature nothing converges; the size of the largest eigenvalue then keeps
    steps of a sensible length.
    """
    positive = spectrum.positive
    if positive.size and positive[0] >= spectrum.lambda_max_bracket.low:
        return float(positive[-1]), float(positive[-1])  # one eigenvalue, up to rounding
    if positive.size:
        return float(positive[0]), max(float(positive[-1]), spectrum.lambda_max_bracket.high)
    size = float(np.max(np.abs(spectrum.eigenvalues)))
    return (size, size) if size > 0 else (1.0, 1.0)


def has_defaults(optimizer: type[Optimizer], given: Mapping[str, Any] | None = None) -> bool:
    """Tell whether an instance can be made from what is given and the defaults of the class."""
    fixed = given or {}
    return all(f.default is not MISSING or f.name in fixed for f in optimizer.fields())


def tuned_pair(
    spectrum: Spectrum, optimizer: type[Optimizer], given: Mapping[str, Any] | None = None
) -> tuple[Optimizer, Optimizer]:
    """Return the tuned optimizer twice: rounded to float64, and with double-double values.

    "Best" is the smallest asymptotic rate over the positive eigenvalues; flat and negative
    directions are left out, since no setting makes them contract. At a double root rounding a
    hyper-parameter to float64 already moves the rate by half the digits; the theory of a tuned
    method therefore uses the second.
    """
    fixed = dict(given or {})
    known = optimizer.hyperparameters()
    fields = {field.name for field in optimizer.fields()}
    for name in fixed:
        if name not in fields:
            raise InputError(
                f"{optimizer.__name__} has no hyper-parameter {name!r}",
                argument=name,
                hint=f"it has {', '.join(known)}",
            )
    m, L = curvature_ends(spectrum)
    lifted = {k: DoubleDouble(v) if isinstance(v, float) else v for k, v in fixed.items()}
    published = optimizer.published_optimum(DoubleDouble(m), DoubleDouble(L), lifted)
    if published is None:
        rounded = _minimise(spectrum, optimizer, fixed)
        return rounded, rounded
    exact = {k: v if isinstance(v, DoubleDouble) else DoubleDouble(v) for k, v in published.items()}
    rounded = optimizer(**{k: float(v.to_float()) for k, v in exact.items()}, **fixed)
    return _keep_stable(rounded, set(exact), np.array([m, L])), rounded.unchecked(**exact)


def _keep_stable(rounded: Optimizer, chosen: set[str], ends: Array) -> Optimizer:
    """Step back from the edge of stability when rounding to float64 has crossed it.

    For κ above 1e16 the best setting lies closer to the edge than float64 can tell. Only values
    that were `chosen` by tuning are touched.
    """
    if "momentum" in chosen and rounded.values["momentum"] == 1.0:
        rounded = rounded.replace(momentum=float(np.nextafter(1.0, 0.0)))
    for ulps in (2, 8, 32):
        local = not is_linear(rounded)
        if "learning_rate" not in chosen or (
            modes(rounded, ends, local=local).one_minus_rate.min() > 0
        ):
            break
        rate = rounded.values["learning_rate"]
        rounded = rounded.replace(learning_rate=rate * (1 - ulps * float(np.finfo(float).eps)))
    return rounded


def worst_rate(optimizer: Optimizer, eigenvalues: Array) -> Array:
    """Return max|root| over eigenvalues (n,) for hyper-parameters of any leading shape.

    Meant for maps and searches: float64, no double-doubles. Hyper-parameters have shape (..., 1).
    """
    steps = optimizer.cycle or 1
    iteration = linearise(optimizer, eigenvalues, steps=steps)
    require_linear(iteration, optimizer)
    numbers = [v for v in optimizer.numbers().values() if isinstance(v, np.ndarray)]
    shape = np.broadcast_shapes(eigenvalues.shape, *(v.shape for v in numbers))
    matrix = np.stack([dense(row, shape) for row in iteration.matrix], axis=-2)
    if matrix.shape[-1] == 1:
        return np.asarray(np.max(np.abs(matrix[..., 0, 0]), axis=-1)) ** (1 / steps)
    if matrix.shape[-1] == 2:
        trace = matrix[..., 0, 0] + matrix[..., 1, 1]
        determinant = matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]
        discriminant = trace**2 - 4 * determinant
        real = (np.abs(trace) + np.sqrt(np.maximum(discriminant, 0))) / 2
        radius = np.where(discriminant >= 0, real, np.sqrt(np.abs(determinant)))
        return np.asarray(np.max(radius, axis=-1)) ** (1 / steps)
    return np.asarray(np.max(np.abs(np.linalg.eigvals(matrix)), axis=(-2, -1))) ** (1 / steps)


def _minimise(spectrum: Spectrum, optimizer: type[Optimizer], fixed: dict[str, Any]) -> Optimizer:
    """Minimise the worst rate over the hyper-parameters that are open.

    Open are those without a default, the learning rate and the momentum: any other default is the
    author's choice, and may decide where the method ends (weight decay), not only how fast.
    """
    from scipy.optimize import minimize

    m, L = curvature_ends(spectrum)
    eigenvalues = np.unique(np.concatenate([[m, L], np.geomspace(m, L, 65)]))
    defaults = {field.name: field.default for field in optimizer.fields()}
    free = [
        name
        for name in optimizer.hyperparameters()
        if name not in fixed
        and (defaults[name] is MISSING or name in {"learning_rate", "momentum"})
    ]
    if not free:
        return optimizer(**fixed)
    domains = optimizer.hyperparameters()

    def build(x: Array) -> dict[str, float]:
        values = {}
        for name, entry in zip(free, x, strict=True):
            usual = domains[name].usual
            if name == "learning_rate" or not math.isfinite(usual.high):
                values[name] = float(np.exp(entry)) / (L if name == "learning_rate" else 1.0)
            else:  # a logistic map onto the usual range
                share = 1 / (1 + np.exp(-entry))
                values[name] = float(usual.low + (usual.high - usual.low) * share)
        return values

    def cost(x: Array) -> float:
        try:
            candidate = optimizer(**build(x), **fixed)
        except InputError:
            return 1e6
        rate = float(worst_rate(candidate, eigenvalues))
        return math.log(max(rate, 1e-300)) if math.isfinite(rate) else 1e6

    starts = [np.where(np.array([n == "learning_rate" for n in free]), a, b)
              for a in (-3.0, 0.0) for b in (-2.0, 2.0)]  # fmt: skip
    options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000, "maxfev": 4000}
    found = [minimize(cost, s, method="Nelder-Mead", options=options) for s in starts]
    best = min(found, key=lambda result: float(result.fun))
    again = minimize(cost, best.x, method="Nelder-Mead", options=options)
    if again.fun >= 1e6:
        raise NotDerivableError(f"{optimizer.__name__}: no setting with a finite rate was found")
    return optimizer(**build(again.x), **fixed)
