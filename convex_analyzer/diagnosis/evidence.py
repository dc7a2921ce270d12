"""What is known about a training run: any part of it, from a bare loss curve to the weights.

Nothing here judges. `convex_analyzer.diagnosis.readers` fills these fields from files and arrays,
`convex_analyzer.diagnosis.reading` measures on them, the files in ``symptoms`` conclude.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.errors import InputError

__all__ = ["Evidence", "Layer", "Series"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity over the steps of a run.

    Parameters
    ----------
    values
        Shape (recorded,) or (recorded, columns); NaN or inf where the run produced them.
    steps
        Shape (recorded,): updates made before each value was taken, ascending; 0, 1, 2, ... when
        left out.
    """

    values: Array
    steps: Array = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        steps = np.asarray(self.steps, dtype=np.float64)
        if steps.size == 0:
            steps = np.arange(len(values), dtype=np.float64)
        if len(steps) != len(values):
            raise InputError(
                f"steps has {len(steps)} entries for {len(values)} values", argument="steps"
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "steps", steps)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def stride(self) -> float:
        """Steps between two values (the median); 1 for a log of every step."""
        return float(np.median(np.diff(self.steps))) if len(self) > 1 else 1.0

    @property
    def finite(self) -> Series:
        """The part before the first value that is NaN or infinite."""
        bad = ~np.isfinite(self.values if self.values.ndim == 1 else self.values.sum(axis=1))
        end = int(np.argmax(bad)) if bad.any() else len(self)
        return Series(self.values[:end], self.steps[:end])

    def at(self, steps: Array) -> Array:
        """Return the values recorded at these steps; NaN where there is none."""
        place = np.searchsorted(self.steps, steps)
        place = np.clip(place, 0, max(len(self) - 1, 0))
        found = (self.steps[place] == steps) if len(self) else np.zeros(len(steps), dtype=bool)
        return np.where(found, self.values[place] if len(self) else np.nan, np.nan)


@dataclass(frozen=True, eq=False)
class Layer:
    """Snapshots of one layer of a network; any part may be missing.

    Parameters
    ----------
    name
        As the log calls it.
    weights
        Shape (snapshots, fan_in, units): column j holds what comes into unit j.
    biases
        Shape (snapshots, units).
    activations, preactivations
        Shape (snapshots, rows, units).
    hidden
        Whether a nonlinearity follows: the output layer of a network is not hidden.
    """

    name: str
    weights: Array | None = None
    biases: Array | None = None
    activations: Array | None = None
    preactivations: Array | None = None
    hidden: bool = True


@dataclass(frozen=True, eq=False, repr=False)
class Evidence:
    """Everything known about one run; every field may be missing.

    Parameters
    ----------
    loss
        Loss on all training rows (0 steps made at the first value, unless the steps say else).
    batch_loss
        Loss of the mini-batch of each step.
    validation_loss
        Loss on rows that are not trained on.
    learning_rate, batch_size, rows, momentum
        α (a series when it changes), rows of a mini-batch, rows of the training set, μ.
    optimizer
        Family of the rule: ``gradient_descent``, ``momentum``, ``nesterov``, ``adaptive`` (one
        learning rate per coordinate: Adam, RMSProp, AdaGrad ...), ``sign``, ``other``; None if
        unknown. `optimizer_name` is what the log said.
    gradient_norm, gradient_cosine, update_norm, parameter_norm
        ‖g‖; cosine of consecutive gradients; ‖Δθ‖; ‖θ‖, one a step.
    predicted_decrease
        -g·Δθ, what the linear model of the loss promises.
    curvature
        gᵀHg/‖g‖² along the gradient; NaN where it was not measured.
    update_curvature
        ΔθᵀHΔθ/‖Δθ‖² along the update.
    sharpness
        λmax of the Hessian, where it was measured.
    layer_gradient_norms
        Shape (recorded, arrays).
    gradient_checks
        Shape (checks, directions, 2): claimed derivative, central difference.
    check_steps
        Steps of the checks; the snapshots' when left out.
    layers
        Weights, activations and pre-activations at the snapshots.
    inputs
        Rows of the training set as the model sees them, shape (rows seen, features).
    snapshot_steps
        Steps of the snapshots.
    iterates
        θ itself, shape (recorded, d).
    restarts
        Final losses of runs from other random starts.
    minimum
        The least value that the loss can have, where the problem is known.
    accuracy
        Share of right answers on the training rows.
    classes
        Number of classes, for cross-entropy: chance level is ln(classes).
    source
        Where it was read from.
    matched
        Field -> name of the column or array that it was read from.
    notes
        What was found about sampling, order and units while reading.
    averaged
        "epoch means", "smoothed" ... when a value of the loss stands for many steps; else "".
    transform
        "log" when the file held ln J (undone on reading), else "".
    """

    names: ClassVar[dict[str, str]] = {
        "loss": "loss on all training rows",
        "batch_loss": "mini-batch loss",
        "validation_loss": "validation loss",
        "learning_rate": "learning rate",
        "optimizer": "optimizer",
        "batch_size": "batch size",
        "gradient_norm": "gradient norms",
        "gradient_cosine": "gradient cosines",
        "update_norm": "update norms",
        "predicted_decrease": "predicted decrease",
        "curvature": "curvature along the gradient",
        "update_curvature": "curvature along the update",
        "sharpness": "λmax of the Hessian",
        "gradient_checks": "gradient checks",
        "layers": "weights and activations",
        "iterates": "iterates",
        "restarts": "restarts",
        "inputs": "rows of the inputs",
    }

    loss: Series | None = None
    batch_loss: Series | None = None
    validation_loss: Series | None = None
    learning_rate: Series | None = None
    batch_size: int | None = None
    rows: int | None = None
    momentum: float | None = None
    optimizer: str | None = None
    optimizer_name: str = ""
    gradient_norm: Series | None = None
    gradient_cosine: Series | None = None
    update_norm: Series | None = None
    parameter_norm: Series | None = None
    predicted_decrease: Series | None = None
    curvature: Series | None = None
    update_curvature: Series | None = None
    sharpness: Series | None = None
    layer_gradient_norms: Series | None = None
    gradient_checks: Array | None = None
    check_steps: Array | None = None
    layers: tuple[Layer, ...] = ()
    inputs: Array | None = None
    snapshot_steps: Array | None = None
    iterates: Series | None = None
    restarts: Array | None = None
    minimum: float | None = None
    accuracy: Series | None = None
    classes: int | None = None
    source: str = ""
    matched: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    averaged: str = ""
    transform: str = ""

    def has(self, *names: str) -> bool:
        """Return whether all of these fields are known."""
        return all(_known(getattr(self, name)) for name in names)

    @property
    def known(self) -> tuple[str, ...]:
        """What is there, in words."""
        return tuple(words for name, words in self.names.items() if self.has(name))

    @property
    def full_batch(self) -> bool | None:
        """Whether every step sees every row; None if unknown."""
        if self.batch_size is None or self.rows is None:
            return None
        return self.batch_size >= self.rows

    def with_(self, **changes: Any) -> Evidence:
        """Return a copy with some fields replaced, such as a learning rate known from elsewhere."""
        return replace(self, **changes)

    def merge(self, other: Evidence) -> Evidence:
        """Return this evidence with every field that the other one knows."""
        known = {
            f.name: getattr(other, f.name)
            for f in fields(self)
            if _known(getattr(other, f.name)) and f.name not in {"matched", "notes"}
        }
        return replace(
            self,
            **known,
            matched={**self.matched, **other.matched},
            notes=(*self.notes, *other.notes),
        )


def _known(value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, str | tuple | Mapping):
        return len(value) > 0
    return True
