"""What the level sets of figure 2 show, as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison
from convex_analyzer.plot.planes import APART, Path, Plane, choose_plane, path_in, thin
from convex_analyzer.plot.style import Look, looks

__all__ = ["LevelSetsData", "level_sets_data"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LevelSetsData:
    """What figure 2 shows.

    Attributes
    ----------
    plane
        Where: its Hessian gives the level sets.
    start
        Coordinates of the start, (2,).
    gap
        |J - J(centre)| at the start: levels are powers of √10 times this.
    paths
        One per optimizer.
    looks
        How each is drawn.
    limits
        Left, right, bottom, top of what there is to see.
    equal
        Whether both axes have one scale.
    centre
        ``minimum``, ``saddle``, ``maximum``, ``valley`` (a line of minima), ``flat`` or ``none``.
    eigenvalues
        Curvatures in the plane, least first.
    directions
        Unit vectors of these curvatures, columns, (2, 2).
    indices
        Their numbers in the whole spectrum, from 1; empty when not eigendirections of A.
    tolerance
        Goal of the comparison.
    dimension
        d.
    """

    figure: ClassVar[str] = "level_sets"

    plane: Plane
    start: Array
    gap: float
    paths: tuple[Path, ...]
    looks: tuple[Look, ...]
    limits: tuple[float, float, float, float]
    equal: bool
    centre: str
    eigenvalues: Array
    directions: Array
    indices: tuple[int, ...]
    tolerance: float
    dimension: int


def level_sets_data(comparison: Comparison) -> LevelSetsData:
    """Return what figure 2 shows, without drawing."""
    plane = choose_plane(comparison)
    start = plane.coordinates(comparison.start)
    radius = _radius(plane, start, comparison)
    whole = [path_in(plane, entry, radius) for entry in comparison.entries]
    optimizers = [entry.optimizer for entry in comparison.entries]
    tuned = [bool(e.analysis is not None and e.analysis.tuned) for e in comparison.entries]
    values, vectors = np.linalg.eigh(plane.hessian)
    limits, equal = _limits(plane, start, whole, radius)
    low, high = np.array(limits[0::2]), np.array(limits[1::2])
    if plane.kind == "line":
        low, high = low[:1], high[:1]
    paths = tuple(thin(path, low, high) for path in whole)
    first, last = _indices(plane, comparison)
    gap = abs(float(plane.value(start)))
    return LevelSetsData(
        plane=plane,
        start=start,
        gap=gap if gap > 0 and math.isfinite(gap) else 1.0,
        paths=paths,
        looks=looks(optimizers, tuned),
        limits=limits,
        equal=equal,
        centre=_kind_of_centre(comparison, values),
        eigenvalues=values,
        directions=vectors * np.sign(vectors.sum(axis=0) + 1e-12),
        indices=() if plane.kind == "chord" else (first, last),
        tolerance=comparison.tolerance,
        dimension=comparison.problem.dimension,
    )


def _indices(plane: Plane, comparison: Comparison) -> tuple[int, int]:
    size = len(comparison.spectrum.eigenvalues)
    if plane.kind in {"theta", "line"} or comparison.spectrum.is_interval:
        return 1, size
    active = np.flatnonzero(comparison.spectrum.eigenvalues[:-1] != 0)
    return (int(active[0]) + 1 if active.size and size > 2 else 1), size


def _kind_of_centre(comparison: Comparison, values: Array) -> str:
    problem = comparison.problem
    if problem.critical_point is None:
        return "none"
    size = float(np.max(np.abs(values), initial=0.0))
    if size == 0:
        return "flat"
    low, high = float(values[0]), float(values[-1])
    tiny = 1e-14 * size
    if low < -tiny:
        return "saddle" if high > tiny else "maximum"
    return "valley" if low <= tiny and len(values) > 1 else "minimum"


def _radius(plane: Plane, start: Array, comparison: Comparison) -> float:
    """Return the size of the picture: the distance of the start, or of the paths when it is 0."""
    radius = float(np.max(np.abs(start)))
    if radius > 0:
        return radius
    points = [np.abs(plane.coordinates(e.trajectory.theta[:20])).max() for e in comparison.entries]
    found = max((float(p) for p in points if math.isfinite(p)), default=0.0)
    return found if found > 0 else 1.0


def _limits(
    plane: Plane, start: Array, paths: list[Path], radius: float
) -> tuple[tuple[float, float, float, float], bool]:
    """Return a box around start, centre, and what paths do up to 2.5 times as far as the start."""
    shown = [np.zeros((1, len(start))), start[None]]
    for path in paths:
        near = np.all(np.abs(path.points) <= 2.5 * radius, axis=1)
        shown.append(path.points[near])
    every = np.concatenate(shown)
    low, high = every.min(axis=0), every.max(axis=0)
    if len(start) == 1:
        reach = max(abs(float(low[0])), abs(float(high[0])), radius) * 1.15
        heights = plane.value(np.linspace(-reach, reach, 101)[:, None])
        margin = 0.1 * (float(np.ptp(heights)) or 1.0)
        return (-reach, reach, float(heights.min()) - margin, float(heights.max()) + margin), False
    sizes = high - low
    equal = plane.kind != "scaled" or float(sizes.max()) <= APART * float(sizes.min())
    if equal:
        sizes = np.maximum(sizes, sizes.max() / 4)
    sizes = np.where(sizes > 0, sizes, float(sizes.max()) / 4 or radius)
    middle = (low + high) / 2
    low, high = middle - 0.58 * sizes, middle + 0.58 * sizes
    return (float(low[0]), float(high[0]), float(low[1]), float(high[1])), equal
