"""The arrays of one step: read in whatever form they come, thinned, and handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.recording.consecutive import Consecutive
from convex_analyzer.diagnosis.recording.store import Store
from convex_analyzer.diagnosis.recording.trees import (
    Sampler,
    flat_vector,
    gradients_of,
    in_order,
    leaves_of,
)

__all__ = ["Intake", "Taken", "gradient_in", "lasting"]

AnyArray = NDArray[Any]
Leaves = list[Any]


@dataclass(frozen=True)
class Taken:
    """Arrays of one step in one order; None where they were not given."""

    names: list[str]
    parameters: Leaves | None
    gradient: Leaves | None
    update: Leaves | None

    @classmethod
    def of(cls, gradient: Any, parameters: Any, update: Any, names: list[str]) -> Taken:
        """Read what was given, in the order of the names if they are known already.

        JAX returns dicts in another order than it gets them. Parameters may carry their gradients.
        """
        theta: Leaves | None = None
        slopes: Leaves | None = None
        moved: Leaves | None = None
        if parameters is not None:
            given, raw = leaves_of(parameters, "parameters")
            names, theta = names or given, in_order(names, given, raw)
            slopes = gradient_in(theta) if gradient is None else None
        if gradient is not None:
            given, raw = leaves_of(gradient, "gradient")
            names, slopes = names or given, in_order(names, given, gradients_of(raw))
        if update is not None:
            given, raw = leaves_of(update, "update")
            names, moved = names or given, in_order(names, given, raw)
        return cls(names, theta, slopes, moved)


class Intake:
    """Reads the arrays of each step into a store.

    Parameters
    ----------
    store
        Where to.
    sample, seed
        As for `Sampler`.
    """

    def __init__(self, store: Store, sample: int | None, seed: int) -> None:
        self.store, self.sample, self.seed = store, sample, seed
        self.last = Consecutive()

    def step(self, step: int, row: dict[str, float], taken: Taken, scale: float) -> None:
        """Record what the arrays of a step say, and what they say with those of the one before."""
        sampler = self._sampler(taken)
        g = None if taken.gradient is None else sampler.take(taken.gradient, "gradient")
        theta = None if taken.parameters is None else sampler.take(taken.parameters, "parameters")
        delta = None if taken.update is None else sampler.take(taken.update, "update")
        if taken.gradient is not None:
            self.store.frozen(taken.gradient)
        self.last.advance(self.store, sampler, row, step, (g, theta, delta), scale)
        if theta is not None and taken.parameters is not None:
            self._keep(step, sampler, theta, taken.parameters)

    def _sampler(self, taken: Taken) -> Sampler:
        sampler = self.store.sampler
        if sampler is None:
            leaves = taken.parameters or taken.gradient or taken.update or []
            sampler = Sampler(taken.names, leaves, self.sample, self.seed)
            self.store.begin(sampler, outgoing=any(hasattr(x, "detach") for x in leaves))
        return sampler

    def _keep(self, step: int, sampler: Sampler, theta: AnyArray, leaves: Leaves) -> None:
        """Keep a snapshot, and the iterate of a small problem."""
        iterates, snapshots = self.store.iterates, self.store.snapshots
        if iterates is not None:
            iterates.add(step, dict(zip(iterates.columns, theta.tolist(), strict=True)))
        wanted = snapshots.due(step) or snapshots.layer_names
        if wanted and snapshots.fits(4 * sampler.dimension):
            whole = theta if sampler.exact else flat_vector(leaves)
            snapshots.weights(step, whole.astype(np.float32))


def gradient_in(leaves: Leaves) -> Leaves | None:
    """Return the gradients that parameters carry; None if they carry none."""
    carried = gradients_of(leaves)
    if carried is leaves or all(part is None for part in carried):
        return None
    return carried


def lasting(parameters: Any) -> Any:
    """Return parameters in a form that can be read twice: a generator as a list."""
    if hasattr(parameters, "shape") or hasattr(parameters, "named_parameters"):
        return parameters
    kept = isinstance(parameters, Mapping | list | tuple | int | float)
    return parameters if kept else list(parameters)
