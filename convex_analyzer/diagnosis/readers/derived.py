"""What gradients and iterates imply: norms, cosines, updates, curvature along the update."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Series

__all__ = ["from_vectors"]

Array = NDArray[np.float64]


def from_vectors(
    gradients: Series | None,
    iterates: Series | None,
    *,
    learning_rate: float | None = None,
    plain: bool = False,
    full_batch: bool | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Return the series that raw vectors imply, by field of `Evidence`, and notes.

    Parameters
    ----------
    gradients, iterates
        Values of shape (recorded, d); the gradient of step k is taken at iterate k.
    learning_rate, plain
        α when it is constant and known; whether the rule is plain gradient descent. Then either of
        the two gives the other, by Δθ = -αg.
    full_batch
        Whether every gradient is of all rows. Differences of gradients of different mini-batches
        are noise, so no curvature is taken from them.
    """
    notes: list[str] = []
    fields: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        if gradients is None and iterates is not None and plain and learning_rate:
            gradients = _from_updates(iterates, learning_rate)
            notes.append("gradients follow from the iterates: g = -Δθ/α for gradient descent")
        update = _differences(iterates) if iterates is not None else None
        if update is None and gradients is not None and plain and learning_rate:
            update = Series(-learning_rate * gradients.values, gradients.steps)
            notes.append("updates follow from the gradients: Δθ = -αg for gradient descent")
        if iterates is not None:
            fields["parameter_norm"] = _norms(iterates)
        if update is not None and len(update):
            fields["update_norm"] = _norms(update)
        if gradients is not None:
            fields["gradient_norm"] = _norms(gradients)
            fields.update(_cosines(gradients, notes))
        if gradients is not None and update is not None:
            fields.update(_along_update(gradients, update, full_batch, notes))
    return {name: value for name, value in fields.items() if len(value)}, notes


def _norms(vectors: Series) -> Series:
    return Series(np.linalg.norm(vectors.values, axis=1), vectors.steps)


def _consecutive(series: Series) -> NDArray[np.bool_]:
    return np.asarray(np.diff(series.steps) == 1)


def _differences(iterates: Series) -> Series:
    keep = _consecutive(iterates)
    return Series(np.diff(iterates.values, axis=0)[keep], iterates.steps[:-1][keep])


def _from_updates(iterates: Series, learning_rate: float) -> Series:
    update = _differences(iterates)
    return Series(-update.values / learning_rate, update.steps)


def _cosines(gradients: Series, notes: list[str]) -> dict[str, Series]:
    """Cosine of g_k with g_{k-1}, at step k."""
    keep = _consecutive(gradients)
    if len(gradients) > 1 and not keep.any():
        notes.append("the gradients are not of consecutive steps, so no cosines are taken")
    now, before = gradients.values[1:][keep], gradients.values[:-1][keep]
    norms = np.linalg.norm(now, axis=1) * np.linalg.norm(before, axis=1)
    return {
        "gradient_cosine": Series((now * before).sum(axis=1) / norms, gradients.steps[1:][keep])
    }


def _along_update(
    gradients: Series, update: Series, full_batch: bool | None, notes: list[str]
) -> dict[str, Series]:
    """-g·Δθ, and ΔθᵀHΔθ/‖Δθ‖² = (g_{k+1} - g_k)·Δθ/‖Δθ‖², exact on a quadratic."""
    steps, at_gradient, at_update = np.intersect1d(
        gradients.steps, update.steps, return_indices=True
    )
    gradient, moved = gradients.values[at_gradient], update.values[at_update]
    if not len(steps) or gradient.shape[1] != moved.shape[1]:
        return {}
    found = {"predicted_decrease": Series(-(gradient * moved).sum(axis=1), steps)}
    if full_batch is False:
        notes.append("no curvature from gradients: they are of different mini-batches")
        return found
    place = np.searchsorted(gradients.steps, steps + 1)
    has_next = place < len(gradients)
    has_next[has_next] = gradients.steps[place[has_next]] == steps[has_next] + 1
    if has_next.any():
        change = gradients.values[place[has_next]] - gradient[has_next]
        moved, gradient = moved[has_next], gradient[has_next]
        length = (moved * moved).sum(axis=1)
        along = Series((change * moved).sum(axis=1) / length, steps[has_next])
        found["update_curvature"] = along
        cosine = (gradient * moved).sum(axis=1) / np.sqrt((gradient**2).sum(axis=1) * length)
        if np.all(cosine[np.isfinite(cosine)] < -1 + 1e-9):
            found["curvature"] = along  # the update is along the gradient
        if full_batch is None:
            notes.append("curvature along the update takes the gradients to be of all rows")
    return found
