"""Is a gradient right? Differences with measured error, coordinate by coordinate, and the slip.

Every verdict weighs the difference between the claimed and the measured slope against what the
measured one may be off: steps come from a ladder, the noise of f from differences of its values.

Sources: lecture 001, slide 66 (incorrect gradients: finite differences); Taylor remainder test as
in Farrell et al. 2013.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.calls import ScalarCall, error_words
from convex_analyzer.problems.checks import float_array, float_number, whole_number
from convex_analyzer.problems.gradient_check_measure import QuickCall, noise_of
from convex_analyzer.problems.gradient_check_parts import (
    Block,
    Coordinate,
    Ladder,
    Limits,
    Taylor,
    ladder_of,
    taylor_of,
)
from convex_analyzer.problems.gradient_check_search import ALL, Measuring
from convex_analyzer.problems.gradient_check_slips import block_of, slip_of, transposed, verdict_of
from convex_analyzer.problems.gradient_check_tree import Layout, chosen_blocks, layout_of
from convex_analyzer.problems.gradient_check_words import resolution_of, slip_by_block, words_of
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count, format_number

__all__ = ["GradientCheck", "check_gradient"]

Array = npt.NDArray[np.float64]

_SHOWN = 8  # names that a sentence lists
_MOST_TRANSPOSED = 400  # entries of a matrix that are measured to see whether it is transposed


@dataclass(frozen=True, eq=False)
class GradientCheck(Result):
    """What came of holding a gradient against differences of the function.

    Attributes
    ----------
    verdict
        ``correct``, ``suspicious``, ``wrong`` or ``cannot tell``.
    words
        One sentence or two: the verdict, where, and how far off.
    slip
        The likely mistake, when it can be recognised; else empty.
    relative_error
        |claimed − numeric|/|numeric| over what was measured, kinks and edges left out.
    resolution
        The relative error that could have been seen: what the numeric slopes may be off.
    coordinates
        What was measured one by one, in order of the index.
    blocks
        One report per block.
    taylor
        Taylor-remainder tests along random directions.
    ladder
        Central differences over many steps, for the V-shaped figure.
    dimension
        d.
    noise
        Absolute noise of the values of f at the point, as measured.
    limits
        Relative errors that count as suspicious, and as wrong.
    evaluations
        Calls of f.
    kind
        What the numbers are: ``numerical``.
    """

    schema: ClassVar[str] = "convex_analyzer.gradient_check/1"

    verdict: str
    words: str
    slip: str
    relative_error: float
    resolution: float
    coordinates: tuple[Coordinate, ...]
    blocks: tuple[Block, ...]
    taylor: tuple[Taylor, ...]
    ladder: Ladder = field(repr=False)
    dimension: int
    noise: float
    limits: Limits
    evaluations: int
    kind: str = "numerical"

    @property
    def is_correct(self) -> bool:
        """Whether the verdict is ``correct``."""
        return self.verdict == "correct"

    @property
    def wrong(self) -> tuple[str, ...]:
        """Names of the wrong coordinates, the worst first."""
        bad = [c for c in self.coordinates if c.status in {"wrong", "suspicious"}]
        return tuple(c.name for c in sorted(bad, key=lambda c: -c.relative_error))

    @property
    def kinks(self) -> tuple[str, ...]:
        """Names of the coordinates along which the slopes left and right differ."""
        return tuple(c.name for c in self.coordinates if c.status == "kink")

    @property
    def taylor_slope(self) -> float | None:
        """The least slope of the Taylor remainders: 2 when the gradient is right, 1 when wrong."""
        slopes = [test.slope for test in self.taylor if test.slope is not None]
        return min(slopes) if slopes else None

    def summary(self) -> Table:
        """Return the blocks as a table; the worst coordinates below."""
        rows = tuple(
            (
                b.name, format_count(b.size), format_count(b.checked), format_count(b.wrong),
                format_number(b.relative_error, 2), b.verdict,
            )
            for b in self.blocks
        )  # fmt: skip
        columns = ("block", "size", "measured", "wrong", "relative error, 2-norm", "verdict")
        notes = [self.words]
        worst = sorted(
            (c for c in self.coordinates if c.status in {"wrong", "suspicious"}),
            key=lambda c: -c.relative_error,
        )
        notes += [
            f"  {c.name}: claimed {format_number(c.claimed)}, measured {format_number(c.numeric)}, "
            f"relative error {format_number(c.relative_error, 2)}"
            for c in worst[:_SHOWN]
        ]
        slope = self.taylor_slope
        if slope is not None:
            notes.append(
                f"Taylor remainder: slope {format_number(slope, 3)} (2 when right, 1 when wrong)."
            )
        return Table(columns, rows, "gradient check", tuple(notes))


def check_gradient(
    f: Callable[..., Any],
    gradient: Any,
    at: Any,
    *,
    directions: int | Any = 3,
    blocks: Any = None,
    seed: int = 0,
    tolerance: float | None = None,
) -> GradientCheck:
    """Check a gradient against differences of the function, and name what is wrong with it.

    Parameters
    ----------
    f
        Takes the parameters in the form of `at`; returns a number.
    gradient
        Takes the same, and returns the gradient in the same form; or that gradient itself.
    at
        The parameters: an array of any shape, a number, or dicts and lists of arrays, nested.
        A random point is best: zeros and optima hide mistakes.
    directions
        How many random directions get a Taylor-remainder test; or the directions, shape (n, d).
    blocks
        Names of groups of coordinates, each a slice or an array of indices into the flat vector;
        the arrays of `at` when left out.
    seed
        Of the random directions.
    tolerance
        Relative error of an entry from which it is wrong (1e-3), a hundredth of it is suspicious.

    Returns
    -------
    GradientCheck
        Up to d = 200 every coordinate is measured; above, combinations of coordinates are, and
        those that disagree are halved down to the faulty ones.

    Raises
    ------
    InputError
        f raises or is not finite at the point, answers twice differently, or the gradient has
        another shape than the parameters.

    Notes
    -----
    200 correct random gradients stay below 1e-6, so 1e-5 is suspicious, and 1e-3 is wrong. Where
    the differences cannot resolve that much (noisy f, vanishing gradient) the verdict says so.

    Examples
    --------
    >>> def gradient(x):
    ...     return [2 * x[0] * x[1], x[0]]
    >>> check = check_gradient(lambda x: x[0] ** 2 * x[1], gradient, at=[3, 2])
    >>> check.verdict, check.wrong
    ('wrong', ('θ[1]',))
    """
    layout, theta = layout_of(at)
    limits = _limits(tolerance)
    whole_number(seed, "seed")
    groups = chosen_blocks(blocks, layout)
    call = _function(f, layout)
    _same_twice(call, theta)
    claimed, kind = _claimed(gradient, layout, theta)
    single = kind == "single" or call.single
    generator = np.random.default_rng(seed)
    lines = _directions(directions, layout.dimension, generator)
    with np.errstate(all="ignore"):
        noise = noise_of(call, theta, np.maximum(1.0, np.abs(theta)), seed)
        work = Measuring(call, theta, claimed, noise, limits, single, layout, groups)
        if layout.dimension <= ALL:
            work.all_of(range(layout.dimension))
        else:
            work.search(generator)
        slips = _transposed_blocks(work)
        taylor = tuple(_taylor(work, line) for line in lines)
        ladder = _ladder(work, lines[0] if len(lines) else np.ones(len(theta)))
    return _result(work, taylor, ladder, slips, integers=kind == "iu")


# -- reading the arguments ------------------------------------------------------------------------


def _limits(tolerance: float | None) -> Limits:
    if tolerance is None:
        return Limits()
    tolerance = float_number(tolerance, "tolerance")
    if not 0 < tolerance < 1:
        raise InputError(
            f"tolerance must lie between 0 and 1, got {tolerance!r}", argument="tolerance"
        )
    return Limits(tolerance / 100, tolerance)


def _function(f: Any, layout: Layout) -> ScalarCall:
    if not callable(f):
        raise InputError(f"f must be callable, got {type(f).__name__}", argument="f", value=f)
    if layout.is_vector:
        scalar = not layout.leaves[0].shape
        return QuickCall(f, layout.dimension, scalar=scalar)

    def flat(theta: Array) -> Any:
        return f(layout.build(theta))

    return QuickCall(flat, layout.dimension)


def _same_twice(call: ScalarCall, theta: Array) -> None:
    one, two = call.value(theta), call.value(theta)
    if one != two:
        raise InputError(
            f"f gives {one!r} and then {two!r} at the same point, so it has no differences",
            argument="f",
            hint="fix its random numbers: the same mini-batch, no dropout, one seed",
        )


def _claimed(gradient: Any, layout: Layout, theta: Array) -> tuple[Array, str]:
    if not callable(gradient):
        return layout.read(gradient)
    try:
        with np.errstate(all="ignore"):
            given = gradient(*_arguments(gradient, layout, theta))
    except Exception as error:
        raise InputError(f"gradient raised {error_words(error)}", argument="gradient") from error
    return layout.read(given)


def _arguments(gradient: Callable[..., Any], layout: Layout, theta: Array) -> tuple[Any, ...]:
    """Return the point as f takes it: one array, or d numbers."""
    try:
        parameters = list(inspect.signature(gradient).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    needed = sum(p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD for p in parameters)
    apart = layout.is_vector and layout.dimension > 1 and needed == layout.dimension
    return tuple(theta) if apart else (layout.build(theta),)


def _directions(directions: Any, dimension: int, generator: np.random.Generator) -> Array:
    """Return directions of unit length, shape (n, d)."""
    if isinstance(directions, int | np.integer):
        if directions < 0:
            raise InputError(
                f"directions must be a count from 0, or vectors, got {directions}",
                argument="directions",
            )
        lines = generator.standard_normal((int(directions), dimension))
    else:
        lines = np.atleast_2d(float_array(directions, "directions"))
        if lines.ndim != 2 or lines.shape[1] != dimension:
            raise InputError(
                f"directions must be a count, or vectors of shape (n, {dimension}), got shape "
                f"{lines.shape}",
                argument="directions",
            )
    lengths = np.linalg.norm(lines, axis=1, keepdims=True)
    if np.any(lengths == 0):
        raise InputError("a direction of length 0 shows nothing", argument="directions")
    return np.asarray(lines / lengths)


# -- the parts ------------------------------------------------------------------------------------


def _taylor(work: Measuring, line: Array) -> Taylor:
    scaled = line * work.sizes
    claimed = float(scaled @ np.where(np.isfinite(work.claimed), work.claimed, 0.0))
    return taylor_of(work.call, work.theta, scaled, claimed, work.noise)


def _ladder(work: Measuring, line: Array) -> Ladder:
    """Return the ladder along the worst coordinate, or along a random direction if none is."""
    bad = [c for c in work.found.values() if c.status in {"wrong", "suspicious"}]
    bad = [c for c in bad if math.isfinite(c.claimed) and math.isfinite(c.numeric)]
    if bad:
        worst = max(bad, key=lambda c: c.relative_error)
        direction, words = np.zeros(len(work.theta)), worst.name
        direction[worst.index] = 1.0
        size = float(work.sizes[worst.index])
    else:
        smooth = [i not in work.found or work.found[i].status != "kink" for i in range(len(line))]
        usable = np.array(smooth) & np.isfinite(work.claimed)
        direction = np.where(usable, line * work.sizes, 0.0)
        words, size = "a random direction", 1.0
    claimed = float(direction @ np.where(np.isfinite(work.claimed), work.claimed, 0.0))

    return ladder_of(work.call, work.theta, direction, claimed, work.noise, size, words)


def _transposed_blocks(work: Measuring) -> list[str]:
    """Return a sentence for every matrix that holds the transposed gradient."""
    found = []
    for leaf in work.layout.leaves:
        span = range(leaf.start, leaf.stop)
        wrong = [i for i in span if i in work.found and work.found[i].status == "wrong"]
        if len(leaf.shape) != 2 or len(wrong) < 2 or len(span) > _MOST_TRANSPOSED:
            continue
        work.all_of(span)
        entries = [work.found[i] for i in span]
        numeric = np.array([c.numeric for c in entries])
        slack = max((c.error for c in entries if math.isfinite(c.error)), default=0.0)
        if transposed(leaf, work.claimed[leaf.start : leaf.stop], numeric, slack):
            found.append(f"{leaf.name} is transposed")
    return found


def _result(
    work: Measuring,
    taylor: tuple[Taylor, ...],
    ladder: Ladder,
    slips: list[str],
    *,
    integers: bool,
) -> GradientCheck:
    coordinates = tuple(work.found[i] for i in sorted(work.found))
    reports = []
    for name, members in work.blocks.items():
        inside = [c for c in coordinates if c.block == name]
        reports.append(block_of(name, len(members), inside, alarm=name in work.alarms))
    verdict = verdict_of(coordinates, alarm=bool(work.alarms))
    bad = [c for c in coordinates if c.status in {"wrong", "suspicious"}]
    slip = "; ".join(slips) or slip_of(coordinates, bad, work.theta, integers=integers)
    if not slip and bad:
        slip = slip_by_block(coordinates, bad, work.theta)
    whole = block_of("", work.layout.dimension, coordinates)
    return GradientCheck(
        verdict=verdict,
        words=words_of(verdict, coordinates, slip, work),
        slip=slip,
        relative_error=whole.relative_error,
        resolution=resolution_of(coordinates),
        coordinates=coordinates,
        blocks=tuple(reports),
        taylor=taylor,
        ladder=ladder,
        dimension=work.layout.dimension,
        noise=work.noise,
        limits=work.limits,
        evaluations=work.call.evaluations,
    )
