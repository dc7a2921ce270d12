"""The plane in which level sets and paths are drawn, and where everything lies in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.plot.wording import subscript
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_number

__all__ = ["Path", "Plane", "choose_plane", "describe_path", "path_in", "thin"]

Array = npt.NDArray[np.float64]

APART = 30.0  # coordinates whose sizes differ by more get scales of their own
_FAR = 50.0  # paths are followed out to so many times the size of the picture
_CROSSINGS = 16.0  # a path that crosses the picture more often is cut: it would only be a blot
_FLIPS = 12  # steps over which zigzagging is judged


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane through the critical point (through the start when there is none).

    Attributes
    ----------
    kind
        ``theta``: the parameters themselves; ``eigen``: two eigendirections; ``scaled``: these in
        units of the square root of curvature, in which level sets are circles; ``chord``: the start
        and its gradient; ``line``: a single parameter.
    basis
        Columns that project θ - centre on the coordinates, (d, 2); (d, 1) for a line.
    centre
        Shape (d,).
    hessian, slope
        J - J(centre) = ½ uᵀHu + slopeᵀu for coordinates u, (2, 2) and (2,); of one parameter for a
        line.
    names
        Of the coordinates.
    title
        What to add to the title; empty when the plane is all there is.
    """

    kind: str
    basis: Array
    centre: Array
    hessian: Array
    slope: Array
    names: tuple[str, ...]
    title: str = ""

    def coordinates(self, theta: Array) -> Array:
        """Return points (..., d) as coordinates (..., 2)."""
        with np.errstate(all="ignore"):
            return np.asarray((theta - self.centre) @ self.basis)

    def value(self, points: Array) -> Array:
        """Return J - J(centre) at coordinates (..., 2)."""
        with np.errstate(all="ignore"):
            bent = np.einsum("...i,ij,...j->...", points, self.hessian, points) / 2
            return np.asarray(bent + points @ self.slope)


@dataclass(frozen=True, eq=False)
class Path:
    """One optimizer's way through the plane.

    Attributes
    ----------
    label
        Of the optimizer.
    points
        Coordinates, (K, 2), the first is the start.
    steps
        Step of each point, (K,).
    manner
        ``diverges``, ``zigzags``, ``swings``, ``glides``, ``falls``, ``leaves`` or ``settles``
        (elsewhere than at the minimum).
    count
        Steps to the tolerance; None when it is never reached.
    shown
        Last step that is drawn when the path is cut; None when all that can be seen is drawn.
    """

    label: str
    points: Array
    steps: npt.NDArray[np.int64]
    manner: str
    count: int | None
    shown: int | None = None


def choose_plane(comparison: Comparison) -> Plane:
    """Return the plane that shows most, for the problem and the start of a comparison."""
    problem, spectrum, start = comparison.problem, comparison.spectrum, comparison.start
    centre = problem.critical_point
    has_centre = centre is not None
    where = np.asarray(centre) if centre is not None else np.asarray(start, dtype=float)
    if problem.dimension == 1:
        return _plane(problem, "line", np.ones((1, 1)), where, _theta_names(problem, has_centre))
    if problem.dimension == 2:
        names = _theta_names(problem, has_centre)
        plane = _plane(problem, "theta", np.eye(2), where, names)
        if _spread(plane, comparison) <= APART:
            return plane
    pair = _extreme_directions(problem, spectrum)
    if pair is None:
        return _chord(problem, where, start)
    basis, (i, j), values = pair
    names = (f"q{subscript(i + 1)}", f"q{subscript(j + 1)}")
    title = f"plane of {names[0]} and {names[1]}" if problem.dimension > 2 else ""
    along = tuple(
        f"along {name} (λ = {format_number(values[k], 4)})" for k, name in enumerate(names)
    )
    plane = _plane(problem, "eigen", basis, where, along, title)
    if _spread(plane, comparison) <= APART or not np.all(values != 0):
        return plane
    scale = np.sqrt(np.abs(values))
    scaled = tuple(f"√λ{name[1:]} × distance along {name}" for name in names)
    return _plane(problem, "scaled", basis * scale, where, scaled, title, values / scale**2)


def _plane(
    problem: Quadratic,
    kind: str,
    basis: Array,
    centre: Array,
    names: tuple[str, ...],
    title: str = "",
    curvature: Array | None = None,
) -> Plane:
    if curvature is None:
        products = problem.hessian_vector(centre, basis.T)
        hessian = basis.T @ products.T
        hessian = (hessian + hessian.T) / 2
    else:
        hessian = np.diag(curvature)
    slope = np.zeros(basis.shape[1])
    if problem.critical_point is None:
        scale = np.einsum("ij,ij->j", basis, basis)
        slope = basis.T @ problem.gradient(centre) / scale
    return Plane(kind, basis, centre, hessian, slope, names, title)


def _theta_names(problem: Quadratic, has_centre: bool) -> tuple[str, ...]:
    labels = problem.labels
    names = []
    for i in range(problem.dimension):
        theta = f"θ{subscript(i + 1)}" if problem.dimension > 1 else "θ"
        name = f"{theta} ({labels[i]})" if labels else theta
        names.append(f"{name} − {theta}*" if has_centre else f"{name} − start")
    return tuple(names)


def _spread(plane: Plane, comparison: Comparison) -> float:
    """Return how much the sizes of the two coordinates differ over what will be shown."""
    start = np.abs(plane.coordinates(comparison.start))
    sizes = start.copy()
    for entry in comparison.entries:
        points = np.abs(plane.coordinates(entry.trajectory.theta))
        near = points[np.all(points <= 3 * start.max(), axis=1)]
        if len(near):
            sizes = np.maximum(sizes, near.max(axis=0))
    if not np.all(np.isfinite(sizes)) or sizes.max() == 0:
        return 1.0
    return float(sizes.max() / sizes.min()) if sizes.min() > 0 else math.inf


def _extreme_directions(
    problem: Quadratic, spectrum: Spectrum
) -> tuple[Array, tuple[int, int], Array] | None:
    """Return two eigenvectors as columns, their indices and eigenvalues: least and most curved."""
    if spectrum.is_interval:
        return None
    last = len(spectrum.eigenvalues) - 1
    active = np.flatnonzero(spectrum.eigenvalues[:last] != 0)
    first = int(active[0]) if active.size and problem.dimension > 2 else 0
    units = np.zeros((2, last + 1))
    units[0, first] = units[1, last] = 1.0
    basis = spectrum.from_eigenbasis(units).T
    return basis, (first, last), spectrum.eigenvalues[[first, last]]


def _chord(problem: Quadratic, centre: Array, start: Array) -> Plane:
    """Return the plane through the start and its gradient, for spectra known at their ends only."""
    first = np.asarray(start, dtype=float) - centre
    if not np.any(first):
        first = problem.gradient(start)
    first = first / (float(np.linalg.norm(first)) or 1.0)
    second = problem.hessian_vector(centre, first)
    second = second - (second @ first) * first
    size = float(np.linalg.norm(second))
    if size == 0:
        second = np.zeros_like(first)
        second[int(np.argmin(np.abs(first)))] = 1.0
        second = second - (second @ first) * first
        size = float(np.linalg.norm(second))
    basis = np.column_stack([first, second / size])
    names = ("along the start", "along its gradient, across")
    return _plane(problem, "chord", basis, centre, names, "plane of the start and its gradient")


# -- paths ----------------------------------------------------------------------------------------


def path_in(plane: Plane, entry: Entry, radius: float) -> Path:
    """Return the part of a run that can be seen in a picture of this size."""
    steps = np.asarray(entry.trajectory.recorded)
    points = plane.coordinates(entry.trajectory.theta)
    gone = ~np.all(np.abs(points) <= _FAR * radius, axis=1)
    last = int(np.argmax(gone)) if gone.any() else len(points)
    points, steps = points[: max(1, last)], steps[: max(1, last)]
    count = entry.predicted_steps
    if count is None or entry.trajectory.noise is not None:
        count = entry.simulated_steps
    manner = describe_path(plane, entry, points)
    return Path(entry.label, points, steps, manner, count)


def thin(path: Path, low: Array, high: Array) -> Path:
    """Leave out steps too short to be seen in the box [low, high], and cut what would be a blot."""
    inside = (np.clip(path.points, low, high) - low) / (high - low)
    crossed = np.cumsum(np.abs(np.diff(inside, axis=0)).max(axis=1, initial=0.0))
    end = int(np.searchsorted(crossed, _CROSSINGS)) + 1
    keep = [0]
    for i in range(1, min(end, len(inside))):
        if np.max(np.abs(path.points[i] - path.points[keep[-1]]) / (high - low)) > 1.5e-3:
            keep.append(i)
    shown = int(path.steps[keep[-1]]) if end < len(inside) else None
    return replace(path, points=path.points[keep], steps=path.steps[keep], shown=shown)


def describe_path(plane: Plane, entry: Entry, points: Array) -> str:
    """Name in one verb how a run moves."""
    analysis = entry.analysis
    if analysis is not None and analysis.outcome == "drifting":
        return "falls"
    if analysis is not None and analysis.spectrum.lambda_min < 0:
        return "leaves"
    diverging = analysis is not None and analysis.outcome == "unstable"
    if diverging or entry.trajectory.diverged_at is not None:
        return "diverges"
    if entry.trajectory.noise is not None and entry.simulated_steps is None:
        return "hovers"
    if analysis is not None and analysis.outcome == "stable" and entry.predicted_steps is None:
        return "settles"
    values, vectors = np.linalg.eigh(plane.hessian)
    order = np.argsort(np.abs(values))
    along = points @ vectors[:, order]  # flattest first
    flips = [_flips(along[: _FLIPS + 1, k]) for k in range(along.shape[1])]
    if flips[-1] >= 0.6:
        return "zigzags"
    if max(flips) > 0 or _flips(along[:, 0]) > 0:
        return "swings"
    return "glides"


def _flips(values: Array) -> float:
    """Return the share of steps in which a coordinate changes sign while it is of any size."""
    size = float(np.max(np.abs(values), initial=0.0))
    seen = values[np.abs(values) > 1e-6 * size]
    if len(seen) < 2:
        return 0.0
    return float(np.mean(seen[1:] * seen[:-1] < 0))
