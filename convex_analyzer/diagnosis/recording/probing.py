"""Probes: curvature along the gradient and the update, λmax, and slopes to check a gradient with.

Source: lecture 001, slide 66 (finite differences); Lanczos 1950.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.recording.points import (
    Bend,
    Line,
    Point,
    directed,
    second_difference,
)
from convex_analyzer.diagnosis.recording.shifting import Shifting, required_arguments
from convex_analyzer.diagnosis.recording.trees import flat_vector, in_order, leaves_of
from convex_analyzer.errors import InputError, SpectrumError
from convex_analyzer.linalg.lanczos import start_vector, tridiagonalise
from convex_analyzer.linalg.lanczos_bounds import ritz_values
from convex_analyzer.linalg.operators import SymmetricOperator
from convex_analyzer.problems.steps import slope_at
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number

__all__ = ["Probe", "sharpness_of", "slopes_along", "take_probe"]

Array = NDArray[np.float64]

_SHARPNESS_STEPS, _SETTLED = 30, 1e-4
_UNSTEADY = 1e-3  # relative difference of two equal calls from which a loss is random


@dataclass(frozen=True, eq=False)
class Probe(Result):
    """What a probe found; NaN where it was not measured.

    Attributes
    ----------
    step
        Updates made before.
    curvature, curvature_error
        gᵀHg/‖g‖² along the gradient, and its error; 0 from an ``hvp``, which is exact.
    update_curvature, update_curvature_error
        ΔθᵀHΔθ/‖Δθ‖² along the update.
    sharpness, sharpness_error
        λmax of the Hessian by Lanczos, from an ``hvp`` only, and the residual of its Ritz pair.
    passes
        Calls of the loss.
    products
        Calls of ``hvp``.
    reasons
        Why something was not measured.
    """

    schema: ClassVar[str] = "convex_analyzer.probe/1"

    step: int
    curvature: float = math.nan
    curvature_error: float = math.nan
    update_curvature: float = math.nan
    update_curvature_error: float = math.nan
    sharpness: float = math.nan
    sharpness_error: float = math.nan
    passes: int = 0
    products: int = 0
    reasons: tuple[str, ...] = field(default=())

    def summary(self) -> Table:
        """Return the three curvatures as a table."""
        found = (
            ("along the gradient", self.curvature, self.curvature_error),
            ("along the update", self.update_curvature, self.update_curvature_error),
            ("λmax", self.sharpness, self.sharpness_error),
        )
        rows = tuple(
            (name, format_number(value), f"±{format_number(error, 2)}")
            for name, value, error in found
            if math.isfinite(value)
        )
        return Table(("curvature", "value", "error"), rows, f"step {self.step}", self.reasons)


def take_probe(
    loss_fn: Callable[..., Any] | None,
    parameters: Any,
    directions: dict[str, Any],
    *,
    step: int,
    memory: dict[str, float],
    hvp: Callable[..., Any] | None = None,
    sharpness: bool = False,
) -> Probe:
    """Measure the curvature along a gradient and along an update.

    Parameters
    ----------
    loss_fn, parameters
        As for `Shifting`; with `hvp` no loss is needed.
    directions
        ``gradient`` and ``update`` in the form of the parameters; either may be left out.
    step
        Updates made before.
    memory
        What served well before: steps by direction, and how far two equal calls of the loss were
        apart. It is written into.
    hvp
        Product of the Hessian with a direction: ``hvp(v)`` or ``hvp(parameters, v)``, in the form
        of the parameters.
    sharpness
        Whether λmax is measured, from `hvp`.
    """
    found: dict[str, Any] = {}
    reasons: list[str] = []
    with np.errstate(all="ignore"):
        shifting = Shifting(loss_fn or _no_loss, parameters)
        lines = {what: directed(shifting, v, what) for what, v in directions.items()}
        product = None if hvp is None else _Product(hvp, shifting)
        bends = {}
        if product is not None:
            bends = {what: _exact(line, product) for what, line in lines.items()}
        elif loss_fn is not None:
            bends = _measured(shifting, lines, memory)
        for what, bend in bends.items():
            name = "curvature" if what == "gradient" else "update_curvature"
            found[name], found[f"{name}_error"] = bend.value, bend.error
            reasons += [f"curvature along the {what}: {bend.reason}"] if bend.reason else []
        if product is not None and sharpness:
            try:
                found["sharpness"], found["sharpness_error"] = sharpness_of(product, seed=step)
            except SpectrumError as error:
                reasons.append(f"λmax: {error}")
    return Probe(
        step,
        **found,
        passes=shifting.evaluations,
        products=product.count if product else 0,
        reasons=tuple(reasons),
    )


def _no_loss(_: Any) -> float:
    raise InputError("neither loss_fn nor hvp was given", argument="loss_fn")


def _exact(line: Line, product: _Product) -> Bend:
    if not line.is_direction:
        return _nowhere(line)
    value = float(line.unit @ product.multiply(line.unit))
    return Bend(value, 0.0, 0.0, "" if math.isfinite(value) else "hvp is not finite")


def _nowhere(line: Line) -> Bend:
    return Bend(math.nan, math.inf, 0.0, f"its length is {format_number(line.length)}")


def _measured(
    shifting: Shifting, lines: dict[str, Line], memory: dict[str, float]
) -> dict[str, Bend]:
    point = Point(shifting, memory.get("apart"))
    memory["apart"] = max(memory.get("apart", 0.0), point.apart)
    reason = ""
    if not math.isfinite(point.centre):
        reason = "the loss is not finite"
    elif point.apart > _UNSTEADY * abs(point.centre):
        reason = "loss_fn answers differently each time: the same batch, no dropout, one seed"
    slope = lines.get("gradient")
    noise = point.noise(slope.unit * slope.length if slope and slope.is_direction else None)
    bends = {}
    for what, line in lines.items():
        if reason or not line.is_direction:
            bends[what] = Bend(math.nan, math.inf, 0.0, reason) if reason else _nowhere(line)
            continue
        natural = line.length if what == "update" else 1e-3 * max(point.norm, 1e-6)
        first, longest = memory.get(what) or natural, max(point.norm, natural)
        bend = second_difference(point.along(line), point.centre, noise, first, longest)
        bends[what] = bend
        if not bend.reason:
            memory[what] = bend.step
    return bends


class _Product(SymmetricOperator):
    """The Hessian as a user's product: ``hvp(v)`` or ``hvp(parameters, v)``."""

    makes_new_arrays = True

    def __init__(self, hvp: Callable[..., Any], shape: Shifting) -> None:
        self.hvp, self.shape, self.count = hvp, shape, 0
        self.pair = required_arguments(hvp) == 2
        self.dimension = sum(math.prod(leaf.shape) for leaf in shape.leaves)

    def multiply(self, vectors: Array) -> Array:
        """Return H v, shape (d,)."""
        self.count += 1
        direction = self.shape.built(self.shape.along(vectors))
        if self.pair:
            given = self.hvp(self.shape.built(self.shape.leaves), direction)
        else:
            given = self.hvp(direction)
        names, leaves = leaves_of(given, "hvp")
        product = flat_vector(in_order(self.shape.names, names, leaves))
        if product.shape != vectors.shape:
            raise InputError(
                f"hvp returned {product.size} numbers for {vectors.size} parameters",
                argument="hvp",
            )
        return product


def sharpness_of(operator: SymmetricOperator, seed: int = 0) -> tuple[float, float]:
    """Return the largest Ritz value after a few Lanczos steps, and what it last changed by.

    λmax is not below the first (up to rounding in the products).
    """
    steps = tridiagonalise(operator, start_vector(operator.dimension, seed))
    diagonal: list[float] = []
    beside: list[float] = []
    before, value = math.nan, math.nan
    for along, norm in steps:
        diagonal.append(along)
        beside.append(norm)
        before, value = value, ritz_values(diagonal, beside)[1]
        small = norm <= 1e-6 * max(map(abs, diagonal))
        settled = len(diagonal) > 2 and abs(value - before) <= _SETTLED * abs(value)
        if small or settled or len(diagonal) >= min(_SHARPNESS_STEPS, operator.dimension):
            break
    return value, 0.0 if small else abs(value - before)


def slopes_along(
    loss_fn: Callable[..., Any], parameters: Any, gradient: Any, *, directions: int, seed: int
) -> Array:
    """Hold a gradient against central differences along random directions.

    The first half of the directions are of the whole space, the others are confined to one array
    after the other. Steps are chosen as by `convex_analyzer.problems.steps.slope_at`.

    Returns
    -------
    Array
        Shape (directions, 3): claimed slope, central difference, error of the difference; NaN
        where the loss is not finite.
    """
    with np.errstate(all="ignore"):
        shifting = Shifting(loss_fn, parameters)
        point = Point(shifting, 0.0)
        given = directed(shifting, gradient, "gradient")
        claimed = given.unit * given.length if given.length else np.zeros_like(given.unit)
        generator = np.random.default_rng(seed)
        sizes = [math.prod(leaf.shape) for leaf in shifting.leaves]
        scale = max(1.0, float(np.max(np.abs(point.theta))))
        rows = np.full((directions, 3), math.nan)
        for row in range(directions):
            line = _random_line(generator, sizes, row - (directions + 1) // 2)
            rows[row, 0] = claimed @ line
            if math.isfinite(point.centre):
                along = point.along(Line(shifting.along(line), 1.0, line))
                rows[row, 1:] = slope_at(along, scale, point.centre, point.eps)
    return rows


def _random_line(generator: np.random.Generator, sizes: list[int], turn: int) -> Array:
    """Return a random unit vector; from turn 0 on it is confined to one array after the other."""
    line = generator.standard_normal(sum(sizes))
    if turn >= 0:
        block = turn % len(sizes)
        start = sum(sizes[:block])
        line[:start] = 0.0
        line[start + sizes[block] :] = 0.0
    return np.asarray(line / max(float(np.linalg.norm(line)), 1e-300))
