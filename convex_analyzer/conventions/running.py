"""Two rules side by side on one problem: how far apart they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison.choice import default_start
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems import gallery
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_number

__all__ = ["STEPS", "Arena", "Distance", "apart", "arena", "horizon", "last_alike"]

Array = npt.NDArray[np.float64]

STEPS = 200
_MOST_DIMENSIONS = 500  # of a spectrum that is turned into a matrix
_COORDINATES = 8  # that are changed alone to see how rounding grows


@dataclass(frozen=True, eq=False)
class Arena:
    """Where two rules are run.

    Attributes
    ----------
    problem, start, steps
        What they are run on, from where, and for how long.
    name
        The problem in words.
    """

    problem: Any
    start: Array
    steps: int
    name: str

    def path(self, rule: Optimizer, start: Any = None) -> Array:
        """Return the reported points, shape (steps + 1, ..., d)."""
        begin = self.start if start is None else start
        return simulate(self.problem, rule, begin, self.steps, record="path").theta


def arena(spectrum: Any = None, problem: Any = None, steps: int | None = None) -> Arena:
    """Return the problem on which rules are compared.

    Parameters
    ----------
    spectrum
        A `Spectrum`, eigenvalues, or a problem. Eigenvalues are turned by a reflection, so that no
        eigendirection is an axis: many rules depend on that.
    problem
        A problem; instead of a spectrum.
    steps
        Length of the run; 200 if left out.

    Raises
    ------
    InputError
        Both are given, or a spectrum without its eigenvalues.
    """
    count = STEPS if steps is None else steps
    if spectrum is not None and problem is not None:
        raise InputError("give spectrum or problem, not both", argument="spectrum")
    given = problem if problem is not None else spectrum
    if given is None:
        given = gallery.ravine(100.0)
        return Arena(given, np.array([2.0, 1.0]), count, "a rotated ravine with κ = 100")
    if isinstance(given, Spectrum):
        if given.is_interval:
            raise InputError(
                "a spectrum that is only an interval cannot be run on",
                argument="spectrum",
                hint="give eigenvalues, or a problem",
            )
        given = given.eigenvalues
    if not hasattr(given, "gradient"):
        array = np.asarray(given, dtype=float)
        given = _turned(array) if array.ndim == 1 else Quadratic(given)
    start, _ = default_start(given, compute_spectrum(given))
    name = getattr(given, "name", type(given).__name__)
    return Arena(given, np.asarray(start, dtype=float), count, name)


def _turned(eigenvalues: Array) -> Quadratic:
    """Return a problem with these eigenvalues whose eigenvectors are no axes."""
    size = len(eigenvalues)
    name = f"a turned problem with {size} given eigenvalues"
    if not 1 <= size <= _MOST_DIMENSIONS:
        return Quadratic.diagonal(eigenvalues, name=name.replace("turned", "diagonal"))
    mirror = np.arange(1.0, size + 1)
    mirror /= np.linalg.norm(mirror)
    turn = np.eye(size) - 2 * np.outer(mirror, mirror)
    matrix = (turn * eigenvalues) @ turn
    return Quadratic((matrix + matrix.T) / 2, name=name)


@dataclass(frozen=True)
class Distance:
    """How far apart two runs are.

    Attributes
    ----------
    largest
        The largest difference of a coordinate, over all steps, relative to the largest coordinate
        of the first run.
    first_step
        The first step at which they differ by more than rounding; None if they do not.
    horizon
        Up to which step they were compared (one of them may diverge).
    steps
        How many steps were run.
    where
        The problem in words.
    """

    largest: float
    first_step: int | None
    horizon: int
    steps: int
    where: str

    def __str__(self) -> str:
        end = ""
        if self.horizon < self.steps:
            end = f" (up to step {self.horizon}; from there on rounding grows, or a run diverges)"
        return (
            f"{format_number(self.largest, 2)} of the largest iterate, over {self.steps} steps on "
            f"{self.where}{end}"
        )


def apart(first: Array, second: Array, where: str, rounding: float = 1e-9) -> Distance:
    """Return how far apart two paths are, shape (steps + 1, ..., d) each."""
    steps = len(first) - 1
    axes = tuple(range(1, first.ndim))
    finite = np.isfinite(first).all(axis=axes) & np.isfinite(second).all(axis=axes)
    horizon = steps if finite.all() else int(np.argmin(finite)) - 1
    with np.errstate(over="ignore", invalid="ignore"):
        change = np.abs(first - second)[: horizon + 1].max(axis=axes, initial=0.0)
        size = np.maximum.accumulate(np.abs(first)[: horizon + 1].max(axis=axes, initial=0.0))
    off = change > rounding * np.where(size > 0, size, 1.0)
    largest = float(size.max(initial=0.0)) or 1.0
    return Distance(
        largest=float(change.max(initial=0.0)) / largest,
        first_step=int(np.argmax(off)) if off.any() else None,
        horizon=max(horizon, 0),
        steps=steps,
        where=where,
    )


def horizon(rule: Optimizer, place: Arena, most: float, nudge: float = 1e-13) -> int:
    """Return the last step at which a relative change of the start has not grown beyond `most`.

    Beyond it two correct implementations differ by rounding: cycles of sign rules, and roots next
    to the minimum, blow it up.

    Parameters
    ----------
    rule, place
        What is run where.
    most
        The largest change, relative to the largest iterate.
    nudge
        Relative change of the start: of all coordinates, of every second one's sign, and of each
        coordinate alone.
    """
    size = place.start.shape[-1]
    turns = [np.ones(size), (-1.0) ** np.arange(size), *np.eye(min(size, _COORDINATES), size)]
    room = nudge * np.where(place.start == 0, 1.0, np.abs(place.start))
    starts = [
        place.start,
        *(place.start + sign * room * turn for turn in turns for sign in (1, -1)),
    ]
    paths = place.path(rule, np.stack(starts))
    return last_alike(paths[:, 0], paths[:, 1:], most)


def last_alike(path: Array, others: Array, most: float) -> int:
    """Return the last step up to which all other paths are near a path.

    Parameters
    ----------
    path
        Shape (steps + 1, d).
    others
        Shape (steps + 1, runs, d).
    most
        How near, relative to the largest iterate so far.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.maximum.accumulate(np.abs(path).max(axis=-1))
        grown = np.abs(others - path[:, None]).max(axis=(1, 2))
        late = ~(grown <= most * np.where(size > 0, size, 1.0))  # also where a run has diverged
    return int(np.argmax(late)) - 1 if late.any() else len(path) - 1
