"""`follow`: an optimizer on the true function and on its local model, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.problems.local_model import LocalModel
from convex_analyzer.results import Result, to_plain
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.spectra.compute import spectrum
from convex_analyzer.tables import Table, format_count, format_number
from convex_analyzer.theory.arguments import checked_start
from convex_analyzer.theory.goals import tune

__all__ = ["Followed", "follow"]

Array = npt.NDArray[np.float64]

_START = 0.5  # of the radius within which curvature hardly changes


@dataclass(frozen=True, eq=False)
class Followed(Result):
    """Two runs of one optimizer from one start; made by `follow`.

    Attributes
    ----------
    optimizer, start
        What was run, and from where, shape (d,).
    true, model
        The runs on the function and on its Taylor quadratic, every step recorded.
    separation
        Distance between the two, over the distance of the model's run from the centre (or of the
        start, if that is larger), shape (steps + 1,); infinite from where one diverged.
    tolerance
        The separation that counts.
    separated_at
        The first step with a larger one; None if there is none.
    radius
        Within which curvature changes by at most 10 % of the largest eigenvalue.
    left_at
        The first step at which the true run is outside that radius around the point of expansion.
    """

    schema: ClassVar[str] = "convex_analyzer.followed/1"
    kind: ClassVar[str] = "simulated"

    optimizer: Optimizer
    start: Array
    true: Trajectory
    model: Trajectory
    separation: Array = field(repr=False)
    tolerance: float
    separated_at: int | None
    radius: float
    left_at: int | None
    name: str

    @property
    def words(self) -> str:
        """One sentence or two."""
        share = f"{format_number(100 * self.tolerance, 3)} %"
        if self.separated_at is None:
            text = (
                f"The model tells the way of the true run to within {share} for all "
                f"{format_count(self.true.steps)} steps"
            )
        else:
            text = (
                f"The two runs are more than {share} apart from step "
                f"{format_count(self.separated_at)} on"
            )
        if self.left_at is not None:
            text += (
                f"; at step {format_count(self.left_at)} the true run is outside the radius "
                f"{format_number(self.radius, 3)} within which curvature stays within 10 %"
            )
        return f"{text}."

    def summary(self) -> Table:
        """Return the two runs at a few steps as a table."""
        steps = self.true.steps
        shown = sorted({0, 1, steps // 4, steps // 2, 3 * steps // 4, steps} | self._marks())
        rows = tuple(
            (
                format_count(k),
                format_number(self.true.loss[k]),
                format_number(self.model.loss[k]),
                format_number(self.separation[k], 3),
            )
            for k in shown
            if k <= steps
        )
        columns = ("step", "loss, true", "loss, model", "separation")
        title = f"{self.optimizer} on {self.name}"
        return Table(columns, rows, title=title, notes=(self.words,))

    def _marks(self) -> set[int]:
        return {k for k in (self.separated_at, self.left_at) if k is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**super().to_dict(), "separation": to_plain(self.separation), "kind": self.kind}


def follow(
    model: LocalModel,
    optimizer: Optimizer | type[Optimizer] | None = None,
    start: Any = None,
    steps: int = 100,
    *,
    tolerance: float = 0.1,
) -> Followed:
    """Run an optimizer on a function and on its local model.

    Parameters
    ----------
    model
        Made by `local_quadratic`.
    optimizer
        An instance; a class is tuned for the model; left out: gradient descent, tuned.
    start
        θ₀, shape (d,). Left out: half of `LocalModel.model_radius` away from the point of
        expansion, along all eigendirections alike.
    steps
        How many, at least 0.
    tolerance
        Relative distance between the runs that counts as separated.

    Returns
    -------
    Followed

    Raises
    ------
    InputError
        Something that is no local model, a start of the wrong length.

    Examples
    --------
    >>> from convex_analyzer.problems.local import local_quadratic
    >>> well = local_quadratic("x**2/2 + x**4/4", at=0)
    >>> follow(well, GradientDescent(0.5), [0.1], 20).separated_at
    >>> follow(well, GradientDescent(0.5), [1.0], 20).separated_at
    1
    """
    if not isinstance(model, LocalModel):
        raise InputError(
            f"follow takes a local model, got {type(model).__name__}",
            argument="model",
            hint="local_quadratic(f, at) makes one",
        )
    if not 0 < tolerance < np.inf:
        raise InputError(f"tolerance must be positive, got {tolerance!r}", argument="tolerance")
    rule = GradientDescent if optimizer is None else optimizer
    chosen = tune(spectrum(model), rule) if isinstance(rule, type) else rule
    radius = model.model_radius()
    point = checked_start(_default(model, radius) if start is None else start, model.dimension)
    true = simulate(model.function, chosen, point, steps, record="path")
    quadratic = simulate(model, chosen, point, steps, record="path")
    separation = _separation(true.theta, quadratic.theta, _centre(model))
    apart = np.flatnonzero(separation > tolerance)
    away = np.linalg.norm(true.theta - model.at, axis=-1)
    outside = np.flatnonzero(~(away <= radius))
    return Followed(
        optimizer=chosen,
        start=point,
        true=true,
        model=quadratic,
        separation=separation,
        tolerance=float(tolerance),
        separated_at=int(apart[0]) if apart.size else None,
        radius=radius,
        left_at=int(outside[0]) if outside.size else None,
        name=model.function.name,
    )


def _centre(model: LocalModel) -> Array:
    point = model.critical_point
    return np.asarray(model.at if point is None else point)


def _default(model: LocalModel, radius: float) -> Array:
    length = _START * (radius if 0 < radius < np.inf else 1.0)
    if not model.operator.can_decompose:
        return np.asarray(model.at + length / np.sqrt(model.dimension))
    mixed = model.decomposition.eigenvectors.sum(axis=1)
    return np.asarray(model.at + length * mixed / np.linalg.norm(mixed))


def _separation(true: Array, model: Array, centre: Array) -> Array:
    """Return the distance of the runs over that of the model's run, or of the start, from there."""
    with np.errstate(all="ignore"):
        apart = np.linalg.norm(true - model, axis=-1)
        away = np.linalg.norm(model - centre, axis=-1)
        scale = np.fmax(away, away[0])
        relative = np.where(apart == 0, 0.0, apart / scale)
    return np.asarray(np.where(np.isnan(relative), np.inf, relative), dtype=float)
