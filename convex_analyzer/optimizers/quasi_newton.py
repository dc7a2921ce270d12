"""Rules that learn the inverse Hessian from the steps taken and the changes of the gradient.

Conventions that differ between sources and libraries, each a field here: the search along the
line, the scale of the first inverse Hessian, the length of the first step, and which pairs (s, y)
are skipped. The change y of the gradient along the step s is taken as A s, which on a quadratic is
the difference of the two gradients without its cancellation; under noise both then come from one
draw (Schraudolph, Yu & Günter, 2007), while torch subtracts gradients of two draws.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from convex_analyzer.domains import Choice, NonNegative, Positive, Whole
from convex_analyzer.errors import InputError
from convex_analyzer.forms import vanishes
from convex_analyzer.ops import (
    absolute,
    column,
    dot,
    matvec,
    maximum,
    minimum,
    outer,
    sign,
    sqrt,
    where,
)
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.line_search import (
    Tolerance,
    exact_length,
    quotient,
    still_moving,
    wolfe_length,
)

__all__ = ["BFGS", "LBFGS"]

MOST_ENTRIES = 100_000_000  # of all matrices together: 0.8 GB, of which a step holds a few copies

_Search = Annotated[str, Choice(("exact", "wolfe", "fixed"))]


class BFGS(Optimizer):
    """BFGS: the inverse Hessian H as a full matrix, updated by every step and gradient change.

    p = -H g, s = α p, y = A s, θ ← θ + s, and with ρ = 1/yᵀs
    H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ. With the exact search its iterates on a quadratic are
    those of conjugate gradients. A pair with yᵀs ≤ 0 is skipped. (scipy's fmin_bfgs starts its
    search from another trial and is not equal.)

    Parameters
    ----------
    learning_rate
        Length of the first trial of the Wolfe search, or of every step without a search; the exact
        step is multiplied by it.
    line_search
        ``"exact"``: to the lowest point of the line; ``"wolfe"``: strong Wolfe conditions, see
        `wolfe_length`; ``"fixed"``: none.
    scaled
        Whether H is yᵀs/yᵀy times the identity before its first update (Nocedal & Wright, eq. 6.20)
        instead of the identity.
    tolerance
        The point stays once |g| ≤ tolerance x the largest |g| so far.

    Examples
    --------
    >>> BFGS(line_search="wolfe").memory
    ('inverse_hessian', 'steepest')
    """

    learning_rate: Positive = 1.0
    line_search: _Search = "exact"
    scaled: bool = False
    tolerance: Tolerance = 1e-12

    settles: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("QuasiNewton",)
    source: ClassVar[str] = (
        "Broyden, Fletcher, Goldfarb, Shanno (1970); Nocedal & Wright (2006), algorithm 6.1; "
        "lecture 002, named without formula"
    )

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """None with the scaling, which belongs to the first step."""
        return None if self.scaled else 1

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        return _identity(theta), theta * 0

    def step(self, problem: Any, t: int, theta: Any, inverse_hessian: Any, steepest: Any) -> Any:
        gradient = problem.gradient(theta)
        moving, steepest = still_moving(gradient, steepest, self.tolerance)
        direction = -matvec(inverse_hessian, gradient)
        move, change = _searched(self, problem, theta, gradient, direction, self.learning_rate)
        move, change = where(moving, move, 0), where(moving, change, 0)
        product = dot(move, change)
        if self.scaled and t == 1:
            scale = where(product > 0, quotient(product, dot(change, change)), 1)
            inverse_hessian = column(scale) * inverse_hessian
        # Written out, the update is H + s wᵀ + w sᵀ: symmetric, and of order d² per run.
        weight = where(product > 0, quotient(1, product), 0)
        bent = matvec(inverse_hessian, change)
        half = weight * (1 + weight * dot(change, bent)) / 2
        other = half * move - weight * bent
        inverse_hessian = inverse_hessian + (outer(move, other) + outer(other, move))
        return theta + move, inverse_hessian, steepest


class LBFGS(Optimizer):
    """L-BFGS: the inverse Hessian applied through the last pairs of step and gradient change.

    p = -H g by the two-loop recursion over the pairs (s, y), from H₀ = γI with γ = sᵀy/yᵀy of the
    newest. s = α p, y = A s. With the exact search its iterates on a quadratic are those of
    conjugate gradients, for every history. torch.optim.LBFGS with max_iter = 1 is
    ``line_search="fixed"`` (or ``"wolfe"`` for its strong_wolfe), ``first_step="torch"``,
    ``skip_below=1e-10``, ``history=100``, ``tolerance=0``, ``gradient_tolerance=1e-7``,
    ``slope_tolerance=1e-9``.

    Parameters
    ----------
    learning_rate
        Length of the first trial of the Wolfe search, or of every step without a search; the exact
        step is multiplied by it.
    history
        How many pairs are kept.
    line_search
        ``"exact"``, ``"wolfe"`` or ``"fixed"``, as in `BFGS`.
    scaled
        Whether γ = sᵀy/yᵀy; else γ = 1, which with a history as long as the run is `BFGS`.
    first_step
        ``"plain"``: from H = I; ``"torch"``: the first trial is multiplied by min(1, 1/|g|₁);
        ``"optax"``: by min(1, 1/|g|).
    skip_below
        Pairs with yᵀs ≤ skip_below are skipped: 0, or 1e-10 in torch, whatever the scale of J.
    tolerance
        The point stays once |g| ≤ tolerance x the largest |g| so far.
    gradient_tolerance
        The point stays where no entry of g is larger: 0, or 1e-7 in torch, whatever the scale of J.
    slope_tolerance
        The point stays where -gᵀp is smaller: 0, or 1e-9 in torch.

    Examples
    --------
    >>> LBFGS(history=2).memory
    ('s_1', 's_2', 'y_1', 'y_2', 'steepest')
    """

    learning_rate: Positive = 1.0
    history: Whole = 10
    line_search: _Search = "exact"
    scaled: bool = True
    first_step: Annotated[str, Choice(("plain", "torch", "optax"))] = "plain"
    skip_below: NonNegative = 0.0
    tolerance: Tolerance = 1e-12
    gradient_tolerance: NonNegative = 0.0
    slope_tolerance: NonNegative = 0.0

    settles: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("LimitedMemoryBFGS",)
    source: ClassVar[str] = (
        "Nocedal (1980); Liu & Nocedal (1989); Nocedal & Wright (2006), algorithms 7.4 and 7.5; "
        "lecture 002, named without formula"
    )

    @property
    def memory(self) -> tuple[str, ...]:  # type: ignore[override]  # depends on the fields
        """The pairs, newest first, and the square of the largest gradient."""
        places = range(1, self.history + 1)
        steps, changes = (f"s_{place}" for place in places), (f"y_{place}" for place in places)
        return (*steps, *changes, "steepest")

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """None when the first step has a length of its own."""
        return 1 if self.first_step == "plain" else None

    def step(self, problem: Any, t: int, theta: Any, *memory: Any) -> Any:
        steps, changes = memory[: self.history], memory[self.history : -1]
        gradient = problem.gradient(theta)
        moving, steepest = still_moving(gradient, memory[-1], self.tolerance)
        direction = -self._apply(gradient, steps, changes)
        if not vanishes(self.gradient_tolerance):  # is the largest entry of |g| above it?
            excess = sign(maximum(absolute(gradient) - self.gradient_tolerance, 0))
            moving = moving & (dot(excess, excess) > 0)
        if not vanishes(self.slope_tolerance):
            moving = moving & (dot(gradient, direction) <= -self.slope_tolerance)
        first = self.learning_rate
        if self.first_step != "plain" and t == 1:
            measured = sign(gradient) if self.first_step == "torch" else gradient
            size = dot(measured, gradient)
            size = size if self.first_step == "torch" else sqrt(size)
            first = first * minimum(1, quotient(1, size))
        move, change = _searched(self, problem, theta, gradient, direction, first)
        kept = moving & (dot(move, change) > self.skip_below)
        return (
            where(moving, theta + move, theta),
            *_pushed(kept, move, steps),
            *_pushed(kept, change, changes),
            steepest,
        )

    def _apply(self, gradient: Any, steps: tuple[Any, ...], changes: tuple[Any, ...]) -> Any:
        """Return H g by the two loops; a place that is still empty holds zeros and adds nothing."""
        places = zip(steps, changes, strict=True)
        pairs = [(s, y, dot(s, y)) for s, y in places if not _is_empty(s)]
        result, parts = gradient, []
        for move, change, product in pairs:
            part = quotient(dot(move, result), product)
            result = result - part * change
            parts.append(part)
        if self.scaled:
            size = dot(changes[0], changes[0])
            newest = dot(steps[0], changes[0])
            result = where(size > 0, quotient(newest, size), 1) * result
        for (move, change, product), part in zip(reversed(pairs), reversed(parts), strict=True):
            result = result + move * (part - quotient(dot(change, result), product))
        return result


def _is_empty(place: Any) -> bool:
    """Tell whether a place holds no pair in any run: most of a long history does not, for long."""
    return isinstance(place, np.ndarray) and not place.any()


def _identity(theta: Any) -> Any:
    """Return the identity for every run, shape (..., d, d); along one direction, 1."""
    if isinstance(theta, np.ndarray):
        size = theta.shape[-1]
        if theta.size * size > MOST_ENTRIES:
            raise InputError(
                f"BFGS keeps a matrix of {size} x {size} numbers for each of {theta.size // size} "
                "runs, more than fits into memory",
                argument="start",
                hint="use LBFGS, which keeps a few vectors, or fewer runs at a time",
            )
        return np.broadcast_to(np.eye(size), (*theta.shape[:-1], size, size))
    return theta * 0 + 1


def _searched(
    rule: BFGS | LBFGS, problem: Any, theta: Any, gradient: Any, direction: Any, first: Any
) -> tuple[Any, Any]:
    """Return the step along the direction and the change of the gradient that it brings."""
    image = problem.hessian_vector(theta, direction)
    slope, curvature = dot(gradient, direction), dot(direction, image)
    length = first
    if rule.line_search == "exact":
        length = first * exact_length(slope, curvature, otherwise=1)
    elif rule.line_search == "wolfe":
        length = wolfe_length(slope, curvature, first)
    return length * direction, length * image


def _pushed(kept: Any, newest: Any, places: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the places moved on by one, with the newest in front, in the runs that keep it."""
    moved = (newest, *places[:-1])
    if isinstance(kept, np.ndarray) and (kept.all() or not kept.any()):
        return moved if kept.all() else places
    return tuple(where(kept, after, before) for after, before in zip(moved, places, strict=True))
