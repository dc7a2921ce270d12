"""How far claimed gradients are from the loss: from finite differences, or from the log alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.units import units

__all__ = ["CheckError", "broken_promise", "check_error", "kinked"]

Array = NDArray[np.float64]

_UNIT = 2.0**-52
_STEP = 1e-5  # of the central differences, relative to the size of a parameter
_SAFETY = 16.0  # roundings of a loss that sums many rows
_DEAD = 0.9  # share of a layer's units: the loss is then constant, up to kinks nearby
_LATE = {False: 0.001, True: 0.04}  # of the largest derivative: at a minimum only kinks are left
_SHARE = 0.1  # of the largest derivative of a snapshot: smaller ones are judged against that


@dataclass(frozen=True)
class CheckError:
    """The worst gradient check that can be trusted.

    Parameters
    ----------
    error
        |claimed - measured| over the larger of the two, second largest over the directions of
        the worst snapshot: one direction alone may have crossed a kink.
    step
        Step of that snapshot.
    directions
        How many directions were off by more than 1e-3 there, of how many.
    of
        Number of directions.
    ratio
        Claimed over measured derivative, the median over the directions that are off.
    """

    error: float
    step: float
    directions: int
    of: int
    ratio: float


def check_error(reading: Reading) -> CheckError | None:
    """Return the worst trustworthy gradient check; None without one.

    Left out: snapshots after the loss has blown up, with a layer of dead units (the loss is then
    flat, and a central difference sees the kinks nearby) or with a row exactly at a kink (a
    central difference takes the mean of two slopes), and directions whose derivative is smaller
    than what a central difference can resolve, 2⁻⁵²·J/h.
    """
    checks = reading.evidence.gradient_checks
    if checks is None or not len(checks):
        return None
    steps = reading.evidence.check_steps
    if steps is None or len(steps) != len(checks):
        steps = reading.evidence.snapshot_steps
    if steps is None or len(steps) != len(checks):
        steps = np.arange(len(checks), dtype=np.float64)
    dead, floor = _unfit_snapshots(reading, len(checks)), _floor(reading)
    good = [np.asarray(table, dtype=np.float64) for table in checks]
    largest = max(
        (_top(t) for t, s in zip(good, steps, strict=True) if s <= reading.blow_up), default=0
    )
    found = [
        _one(
            np.asarray(table, dtype=np.float64),
            float(step),
            floor,
            _LATE[kinked(reading)] * largest,
        )
        for table, step, gone in zip(checks, steps, dead, strict=True)
        if step <= reading.blow_up and not gone
    ]
    usable = [each for each in found if each is not None]
    return max(usable, key=lambda each: each.error) if usable else None


def kinked(reading: Reading) -> bool:
    """Return whether the loss has kinks, where a central difference sees the mean of two slopes."""
    found = [each for each in map(units, reading.evidence.layers) if each is not None]
    return not found or any(each.kind in {"relu", "unknown"} for each in found)


def _unfit_snapshots(reading: Reading, count: int) -> Array:
    dead = np.zeros(count, dtype=bool)
    for each in map(units, reading.evidence.layers):
        if each is not None and len(each.dead) == count:
            dead |= np.nan_to_num(each.dead) >= _DEAD
    for layer in reading.evidence.layers:
        inputs = layer.preactivations
        if layer.hidden and inputs is not None and len(inputs) == count:
            found = units(layer)
            if found is not None and found.kind in {"relu", "unknown"}:
                dead |= (np.asarray(inputs) == 0).any(axis=(1, 2))
    return dead


def _floor(reading: Reading) -> float:
    """Return what rounding alone makes of a central difference of losses of this size."""
    loss = reading.evidence.loss or reading.evidence.batch_loss
    level = float(np.nanmax(np.abs(loss.values[:1]), initial=0.0)) if loss else 1.0
    return _SAFETY * _UNIT * max(level, 1e-300) / _STEP


def _top(table: Array) -> float:
    size = np.abs(table)
    return float(size[np.isfinite(size)].max(initial=0.0))


def _one(table: Array, step: float, floor: float, least: float) -> CheckError | None:
    claimed, measured = table[:, 0], table[:, 1]
    size = np.maximum(np.abs(claimed), np.abs(measured))
    seen = np.isfinite(size) & (size > 30 * floor)
    if seen.sum() < 2:
        return None
    size = np.maximum(size, max(_SHARE * float(size[seen].max()), least))
    off = np.maximum(np.abs(claimed - measured)[seen] - floor, 0) / size[seen]
    # a kink or a cancelled derivative shows in one direction; a wrong gradient in several
    error = float(np.sort(off)[-2])
    wrong = off > 1e-3
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (claimed / measured)[seen][wrong if wrong.any() else slice(None)]
    return CheckError(error, step, int(wrong.sum()), int(seen.sum()), float(np.median(ratios)))


def broken_promise(reading: Reading) -> tuple[float, float] | None:
    """Compare what the loss did with what the gradient promised, where curvature excuses little.

    For a right gradient and a small step, J_k - J_{k+1} = -g·Δθ - ½ΔθᵀHΔθ; with the largest
    curvature that was met, |ψ - 1| ≤ ½λ‖Δθ‖²/(-g·Δθ).

    Returns
    -------
    (gap, allowance) or None
        Median of |ψ - 1| and of what the curvature allows, over the steps where it allows less
        than ¼; None where no such steps are known.
    """
    psi, evidence = reading.promise, reading.evidence
    if psi is None or evidence.curvature is None or evidence.update_norm is None:
        return None
    if evidence.predicted_decrease is None or reading.monitored != "loss":
        return None
    known = np.isfinite(evidence.curvature.values)
    if not known.any():
        return None
    largest = float(np.abs(evidence.curvature.values[known]).max())
    length = evidence.update_norm.at(psi.steps)
    promised = evidence.predicted_decrease.at(psi.steps)
    with np.errstate(all="ignore"):
        allowed = 0.5 * largest * length**2 / np.abs(promised)
    usable = np.isfinite(allowed) & (allowed < 0.25) & (psi.steps < reading.blow_up)
    if usable.sum() < 5:
        return None
    gap = np.abs(psi.values[usable] - 1)
    return float(np.median(gap)), float(np.median(allowed[usable]))
