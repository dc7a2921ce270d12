"""The same run as logs come in real life.

The loss alone, every tenth step, epoch means, the mean since the epoch began (a sawtooth: what
progress bars print), exponentially smoothed. A full batch counts ten steps as an epoch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.diagnosis.lab import Array
from benchmarks.diagnosis.runs import SERIES
from benchmarks.diagnosis.trial import Candidate

VIEWS = ("loss_only", "every_10th", "epoch_means", "running_means", "smoothed")
_SMOOTHING = 0.9


def view(kind: str, case: Candidate, fields: dict[str, Array]) -> dict[str, Array]:
    """The fields ``step`` (or ``epoch``) and ``loss``; every tenth step keeps all series."""
    loss = fields.get("loss_full", fields["loss_batch"])
    steps = np.arange(len(loss))
    if kind == "every_10th":
        every_step = {*SERIES, "loss_full", "param_norm", "layer_grad_norm"}
        series = {name: fields[name][::10] for name in fields if name in every_step}
        return {"step": steps[::10], **series}
    if kind in {"epoch_means", "running_means"}:
        plan = case.plan
        per_epoch = 10 if plan.batch is None else max(1, len(plan.rows) // plan.batch)
        seen = fields["loss_batch"]
        epochs = len(seen) // per_epoch
        grid = seen[: epochs * per_epoch].reshape(epochs, per_epoch)
        if kind == "epoch_means":
            return {"epoch": np.arange(epochs), "loss": grid.mean(axis=1)}
        running = np.cumsum(grid, axis=1) / np.arange(1, per_epoch + 1)
        return {"step": np.arange(running.size), "loss": running.ravel()}
    if kind == "smoothed":
        return {"step": steps, "loss": _smooth(loss)}
    return {"step": steps, "loss": loss}


def _smooth(loss: Array) -> Array:
    """Exponential moving average without bias correction, begun at the first value."""
    smooth = np.empty(len(loss))
    level = float(loss[0])
    for k, value in enumerate(loss):
        level = _SMOOTHING * level + (1 - _SMOOTHING) * float(value)
        smooth[k] = level
    return smooth


def loss_only_accept(answer: dict[str, Any], fields: dict[str, Array]) -> list[str]:
    """Labels that nobody who sees the loss alone could refute."""
    accept: list[str] = list(answer["accept"])
    loss = fields.get("loss_full", fields["loss_batch"])
    finite = loss[np.isfinite(loss)]
    tail = float(finite[-max(1, len(finite) // 10) :].mean())
    if len(finite) < len(loss) or tail > 1.5 * float(loss[0]):
        more = ["instability"]
    elif tail > 0.9 * float(loss[0]):
        more = ["plateau", "slow_progress", "local_optimum", "saddle", "dead_or_saturated_units"]
    elif np.mean(np.diff(finite) > 0) < 0.02:
        more = ["healthy"] if tail < 0.5 * float(loss[0]) else ["slow_progress", "ill_conditioning"]
    else:
        more = []
    hidden = {"incorrect_gradient", "symmetry", "dead_or_saturated_units", "local_optimum",
              "oscillation", "plateau", "saddle", "ill_conditioning"}  # fmt: skip
    if answer["label"] in hidden:
        accept += [name for name in more if name not in accept]
    return accept
