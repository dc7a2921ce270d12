"""Rules that solve with the Hessian: one step where gradient descent needs a condition number.

On a quadratic the Hessian is A everywhere, so all of them are gradient descent on another spectrum:
1 for every direction (Newton), λ/(λ + τ) (damped). The lectures name these methods without
formulas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from convex_analyzer.domains import Choice, NonNegative, Positive, UnitInterval, Whole
from convex_analyzer.ops import dot, maximum, minimum, norm, sqrt, where
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.line_search import Tolerance, quotient, still_moving

__all__ = [
    "DampedNewton",
    "LevenbergMarquardt",
    "NaturalGradient",
    "Newton",
    "TruncatedNewton",
]


class Newton(Optimizer):
    """Newton's method, θ ← θ - α A⁻¹ g: with α = 1 one step to the critical point.

    Every direction has the factor 1 - α, whatever its curvature: it converges if and only if
    0 < α < 2. The critical point is a minimum, a saddle or a maximum, as A is. A singular A is
    refused; damp it instead.

    Parameters
    ----------
    learning_rate
        α, positive; 1 is the full step.

    Examples
    --------
    >>> Newton()
    Newton(learning_rate=1.0)
    """

    learning_rate: Positive = 1.0

    aliases: ClassVar[tuple[str, ...]] = ("NewtonRaphson",)
    source: ClassVar[str] = "Nocedal & Wright (2006), eq. 3.30; lecture 003, named without formula"

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        direction = problem.inverse_hessian_vector(theta, problem.gradient(theta))
        return theta - self.learning_rate * direction

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """α = 1, with rate 0: Nocedal & Wright (2006), section 3.3."""
        del smallest, largest
        return {} if "learning_rate" in given else {"learning_rate": 1.0}


class DampedNewton(Optimizer):
    """Newton's method on a shifted Hessian, θ ← θ - α (A + τI)⁻¹ g (regularised, "damped").

    Gradient descent on the spectrum λ/(λ + τ): the factor is 1 - αλ/(λ + τ), which for α = 1 is
    τ/(λ + τ). A large τ is gradient descent with rate α/τ, τ = 0 is Newton. It converges if and
    only if αλ < 2(λ + τ) for every λ > 0; a flat direction needs τ > 0, and stays as it is.

    Parameters
    ----------
    learning_rate
        α, positive.
    damping
        τ, non-negative, in units of eigenvalues.

    Examples
    --------
    >>> DampedNewton(damping=0.01)
    DampedNewton(learning_rate=1.0, damping=0.01)
    """

    learning_rate: Positive = 1.0
    damping: NonNegative = 0.01

    aliases: ClassVar[tuple[str, ...]] = ("RegularizedNewton", "ShiftedNewton")
    source: ClassVar[str] = (
        "Levenberg (1944); Goldfeld, Quandt & Trotter (1966); Nocedal & Wright (2006), section 3.4"
    )

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        gradient = problem.gradient(theta)
        direction = problem.inverse_hessian_vector(theta, gradient, self.damping)
        return theta - self.learning_rate * direction

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """τ = 0, α = 1; with τ given gradient descent's optimum on the spectrum λ/(λ + τ).

        With α given: τ = 0 up to α = 1; above, the τ at which both ends overshoot and lag alike,
        2τ² + (2 - α)(m + L) τ = 2(α - 1) m L.
        """
        if "learning_rate" in given and "damping" in given:
            return {}
        if "damping" in given:
            low = smallest / (smallest + given["damping"])
            high = largest / (largest + given["damping"])
            return {"learning_rate": 2 / (low + high)}
        if "learning_rate" not in given:
            return {"learning_rate": 1.0, "damping": 0.0}
        excess = given["learning_rate"] - 1
        middle = (1 - excess) * (smallest + largest)
        root = sqrt(middle * middle + 16 * maximum(excess, 0) * smallest * largest)
        return {"damping": maximum(root - middle, 0) / 4 if excess > 0 else 0.0}


class NaturalGradient(Optimizer):
    """Natural gradient, θ ← θ - α F⁻¹ g, for linear regression with Gaussian noise: F = A/σ².

    The Fisher information of a linear model with noise of variance σ² is the Hessian of the mean
    squared error, ½ mean (y - Xθ)², over σ². The step is Newton's times σ²: the factor of every
    direction is 1 - ασ². (With g the gradient of the log-likelihood, which is that of the squared
    error over σ², σ² would cancel.)

    Parameters
    ----------
    learning_rate
        α, positive.
    noise_variance
        σ², positive.

    Examples
    --------
    >>> NaturalGradient(0.5).noise_variance
    1.0
    """

    learning_rate: Positive = 1.0
    noise_variance: Positive = 1.0

    aliases: ClassVar[tuple[str, ...]] = ("NGD", "FisherScoring")
    source: ClassVar[str] = "Amari (1998); lecture 002, named without formula"

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        direction = problem.inverse_hessian_vector(theta, problem.gradient(theta))
        return theta - self.learning_rate * self.noise_variance * direction

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """α = 1/σ², with rate 0: it is Newton's method then."""
        del smallest, largest
        if "learning_rate" in given and "noise_variance" in given:
            return {}
        if "learning_rate" in given:
            return {"noise_variance": 1 / given["learning_rate"]}
        if "noise_variance" in given:
            return {"learning_rate": 1 / given["noise_variance"]}
        return {"learning_rate": 1.0, "noise_variance": 1.0}


class LevenbergMarquardt(Optimizer):
    """Levenberg-Marquardt: (A + τI) p = -g with a damping that follows the success of each step.

    The gain is the decrease of J over the decrease that the quadratic model predicts. J is a
    quadratic here, so the gain is 1 whenever the step descends: every such step is taken, and τ
    shrinks by 1/3 (Nielsen) or 1/10 (Marquardt) each time. The error of a direction after k steps
    is the product of τ_j/(λ + τ_j): faster than any geometric rate. Only where A has negative
    curvature may a step climb; it is refused, and τ grows.

    Parameters
    ----------
    damping
        τ of the first step, positive, in units of eigenvalues.
    update
        ``"nielsen"``: after a step τ x max(1/3, 1 - (2 gain - 1)³), after refusals x 2, 4, 8, ...;
        ``"marquardt"``: x 1/10 after a step, x 10 after a refusal.
    tolerance
        The point stays once |g| ≤ tolerance x the largest |g| so far.

    Examples
    --------
    >>> LevenbergMarquardt().memory
    ('damping', 'growth', 'steepest')
    """

    damping: Positive = 0.01
    update: Annotated[str, Choice(("nielsen", "marquardt"))] = "nielsen"
    tolerance: Tolerance = 1e-12

    aliases: ClassVar[tuple[str, ...]] = ("LM", "Marquardt")
    source: ClassVar[str] = (
        "Levenberg (1944); Marquardt (1963); Nielsen (1999), IMM-REP-1999-05, eq. 3.6"
    )

    @property
    def memory(self) -> tuple[str, ...]:  # type: ignore[override]  # depends on the fields
        """τ; Nielsen's growth after the next refusal; the square of the largest |g|."""
        return ("damping", "growth", "steepest") if self._nielsen else ("damping", "steepest")

    @property
    def _nielsen(self) -> bool:
        return self.update == "nielsen"

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        none = theta * 0
        return (none + self.damping, *((none + 2,) if self._nielsen else ()), none)

    def step(self, problem: Any, t: int, theta: Any, damping: Any, *rest: Any) -> Any:
        gradient = problem.gradient(theta)
        moving, steepest = still_moving(gradient, rest[-1], self.tolerance)
        move = -problem.inverse_hessian_vector(theta, gradient, damping)
        # The trapezoidal rule is exact on a quadratic, and does not cancel as losses do.
        decrease = -dot(gradient + problem.gradient(theta + move), move) / 2
        predicted = dot(move, damping * move - gradient) / 2
        taken = moving & (decrease > 0)
        theta = where(taken, theta + move, theta)
        if not self._nielsen:
            factor = where(taken, 0.1, where(moving, 10, 1))
            return theta, damping * factor, steepest
        growth = rest[0]
        gain = quotient(decrease, predicted)
        shrink = maximum(1 / 3, 1 - (2 * gain - 1) ** 3)
        factor = where(taken, shrink, where(moving, growth, 1))
        growth = where(taken, 2, where(moving, 2 * growth, growth))
        return theta, damping * factor, growth, steepest


class TruncatedNewton(Optimizer):
    """Truncated Newton (Hessian-free): (A + τI) p ≈ -g by a few conjugate-gradient steps from 0.

    Needs products with A only. The inner iteration stops at |r| ≤ min(forcing, √|g|) |g| (or at the
    tolerance below), at the first direction of negative curvature (keeping what it has; -g if that
    is the first), or after `inner_steps`. There is no line search: θ ← θ + α p.

    Parameters
    ----------
    learning_rate
        α, positive.
    damping
        τ, non-negative, in units of eigenvalues (Martens' Hessian-free method; 0 in Newton-CG).
    inner_steps
        The most inner steps.
    forcing
        How far the residual must fall at most; 0 always takes all inner steps.
    tolerance
        The point stays once |g| ≤ tolerance x the largest |g| so far.

    Examples
    --------
    >>> TruncatedNewton(inner_steps=3).memory
    ('steepest',)
    """

    learning_rate: Positive = 1.0
    damping: NonNegative = 0.0
    inner_steps: Whole = 10
    forcing: UnitInterval = 0.5
    tolerance: Tolerance = 1e-12

    aliases: ClassVar[tuple[str, ...]] = ("HessianFree", "NewtonCG", "InexactNewton")
    source: ClassVar[str] = (
        "Dembo & Steihaug (1983); Martens (2010); Nocedal & Wright (2006), algorithm 7.1"
    )

    def step(self, problem: Any, t: int, theta: Any, steepest: Any) -> Any:
        gradient = problem.gradient(theta)
        moving, steepest = still_moving(gradient, steepest, self.tolerance)
        size = norm(gradient)
        enough = minimum(self.forcing, sqrt(size)) * size
        enough = maximum(enough * enough, self.tolerance * self.tolerance * steepest)
        # The first direction is -g, also for a curvature that ends the iteration at once.
        move, residual, direction = gradient * 0, gradient, -gradient
        going = moving
        for inner in range(self.inner_steps):
            image = problem.hessian_vector(theta, direction) + self.damping * direction
            curvature = dot(direction, image)
            square = dot(residual, residual)
            if inner == 0:
                move = where(curvature > 0, move, direction)
            going = going & (curvature > 0)
            length = where(going, quotient(square, curvature), 0)
            move = move + length * direction
            residual = residual + length * image
            after = dot(residual, residual)
            going = going & (after > enough)
            direction = where(going, quotient(after, square) * direction - residual, direction)
        return where(moving, theta + self.learning_rate * move, theta), steepest
