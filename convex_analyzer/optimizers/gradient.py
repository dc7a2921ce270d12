"""Rules that move along the present gradient: constant, exactly chosen and planned step sizes.

Planned step sizes (Chebyshev, silver) are functions of the step index and of what is known of the
spectrum. On a quadratic the error after k steps is a polynomial in λ with value 1 at λ = 0, and the
steps are the inverses of its roots.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np

from convex_analyzer.domains import Choice, Positive, Whole
from convex_analyzer.errors import InputError
from convex_analyzer.ops import dot, sqrt, where
from convex_analyzer.optimizers.base import Optimizer

__all__ = [
    "SGD",
    "ChebyshevSemiIteration",
    "ChebyshevSteps",
    "ExactLineSearch",
    "GradientDescent",
    "SilverSteps",
]


class GradientDescent(Optimizer):
    """Gradient descent with a constant learning rate (lecture 001, slides 20-22).

    Along an eigendirection the error is multiplied by 1 - αλ in every step; it converges if and
    only if 0 < α < 2/λmax.

    Parameters
    ----------
    learning_rate
        α, positive.

    Examples
    --------
    >>> GradientDescent(0.1)
    GradientDescent(learning_rate=0.1)
    """

    learning_rate: Positive

    aliases: ClassVar[tuple[str, ...]] = ("GD", "SteepestDescent")
    source: ClassVar[str] = "Polyak (1987), section 1.4; lecture 001, slides 20-22"

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        return theta - self.learning_rate * problem.gradient(theta)

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """α = 2/(m + L), with rate (κ-1)/(κ+1): Polyak (1987), section 1.4.1, theorem 3."""
        return {} if "learning_rate" in given else {"learning_rate": 2 / (smallest + largest)}

    def published_limit(self) -> Any:
        """αλ < 2: lecture 001, slide 22."""
        return 2


class SGD(GradientDescent):
    """Stochastic gradient descent: the plain rule on mini-batches of the data (lecture 001).

    The update is that of gradient descent, θ ← θ - α g; what is stochastic is g, the gradient over
    `batch_size` examples of the data. Stability limit and rate are those of the mean of the runs.

    Parameters
    ----------
    learning_rate
        α, positive.
    batch_size
        Examples per step, a whole number; 1 is online learning.

    Examples
    --------
    >>> SGD(0.1, batch_size=32)
    SGD(learning_rate=0.1, batch_size=32)
    """

    batch_size: Whole = 1

    aliases: ClassVar[tuple[str, ...]] = ("StochasticGradientDescent", "MiniBatchSGD", "OnlineSGD")
    source: ClassVar[str] = "Robbins & Monro (1951); lecture 000; lecture 004, algorithm 8.1"

    @property
    def noise(self) -> Any:
        """The mini-batches that the rule is meant to be run under."""
        from convex_analyzer.noise import MiniBatch

        return MiniBatch(self.batch_size)


class ExactLineSearch(Optimizer):
    """Steepest descent: along -g to the lowest point of the line, α = gᵀg / gᵀAg (Cauchy, 1847).

    The A-norm of the error shrinks at least by (κ-1)/(κ+1) per step, and from the worst start by
    exactly that in every step, zigzagging between two directions (Akaike, 1959). Where the line has
    no lowest point (gᵀAg ≤ 0) and where g = 0, the point stays. Parameters: none.

    Examples
    --------
    >>> ExactLineSearch()
    ExactLineSearch()
    """

    aliases: ClassVar[tuple[str, ...]] = ("Cauchy", "CauchySteepestDescent", "ExactSteepestDescent")
    source: ClassVar[str] = "Cauchy (1847); Akaike (1959); Nocedal & Wright (2006), eq. 3.26"

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        gradient = problem.gradient(theta)
        slope = dot(gradient, gradient)
        curvature = dot(gradient, problem.hessian_vector(theta, gradient))
        bends = curvature > 0
        return theta - where(bends, slope / where(bends, curvature, 1), 0) * gradient


# -- planned steps -------------------------------------------------------------------------------

_Order = Annotated[str, Choice(("leja", "fractal", "ascending", "descending"))]


class ChebyshevSteps(Optimizer):
    """Gradient descent with n Chebyshev step sizes, repeated in cycles (Richardson, Young).

    1/α_j = L cos²(φ_j/2) + m sin²(φ_j/2) with φ_j = (2j - 1)π/(2n): the roots of the Chebyshev
    polynomial of degree n on [m, L]. After n steps no method that combines gradients does better in
    the worst case over [m, L]: the error has shrunk by 1/T_n((κ+1)/(κ-1)). The order does not
    matter in exact arithmetic; in floating point ascending and descending steps lose all digits
    when n is large.

    Parameters
    ----------
    smallest, largest
        m and L, positive: the ends of an interval that holds the spectrum, in either order.
    steps
        n, the length of a cycle.
    order
        ``"leja"``: each next root far from all before, the largest eigenvalue first;
        ``"fractal"``: Lebedev & Finogenov's, for powers of two; ``"ascending"`` and
        ``"descending"``: by the size of the step.

    Examples
    --------
    >>> ChebyshevSteps(1.0, 100.0, 8).period
    8
    """

    smallest: Positive
    largest: Positive
    steps: Whole = 16
    order: _Order = "leja"

    aliases: ClassVar[tuple[str, ...]] = ("Chebyshev", "Richardson")
    source: ClassVar[str] = (
        "Young (1953); Lebedev & Finogenov (1971); Reichel (1991); Agarwal, Goel & Zhang (2021)"
    )

    @property
    def period(self) -> int:  # type: ignore[override]  # depends on the fields
        """The length of a cycle."""
        return self.steps

    def _check(self) -> None:
        if self.order == "fractal" and self.steps & (self.steps - 1):
            raise InputError(
                f"ChebyshevSteps: steps must be a power of two for the fractal order, got "
                f"{self.steps}",
                argument="steps",
                value=self.steps,
                hint='order="leja" takes any number of steps',
            )

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        turn = (t - 1) % self.steps if self.steps > 1 else 0
        high, low = chebyshev_weights(self.steps, self.order)[turn]
        root = high * self.largest + low * self.smallest
        return theta - problem.gradient(theta) / root

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return the interval of the spectrum itself: Young (1953)."""
        return _interval(smallest, largest, given)


class ChebyshevSemiIteration(Optimizer):
    """The Chebyshev method as a recurrence: heavy ball with planned, settling coefficients.

    v ← (ω_t - 1) v - ω_t 2/(L + m) g, θ ← θ + v, with ω_1 = 1 and, for t > 1,
    ω_t = (1 + q)(1 + q^(t-1))/(1 + q^t), q = ((√κ - 1)/(√κ + 1))². The error shrinks by
    1/T_t((κ+1)/(κ-1)) after every t, not only after a fixed number of steps, and as t grows the
    coefficients tend to those of Polyak's heavy ball.

    Parameters
    ----------
    smallest, largest
        m and L, positive: the ends of an interval that holds the spectrum, in either order.

    Examples
    --------
    >>> ChebyshevSemiIteration(1.0, 100.0).settles
    True
    """

    smallest: Positive
    largest: Positive

    period: ClassVar[int | None] = None
    settles: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("ChebyshevMomentum", "ChebyshevIteration")
    source: ClassVar[str] = "Golub & Varga (1961); Flanders & Shortley (1950)"

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        low, high = sqrt(self.smallest), sqrt(self.largest)
        q = ((high - low) / (high + low)) ** 2
        weight = 1 if t == 1 else (1 + q) * (1 + q ** (t - 1)) / (1 + q**t)
        rate = 2 * weight / (self.smallest + self.largest)
        velocity = (weight - 1) * velocity - rate * problem.gradient(theta)
        return theta + velocity, velocity

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return the interval of the spectrum itself: Golub & Varga (1961)."""
        return _interval(smallest, largest, given)


class SilverSteps(Optimizer):
    """Gradient descent with the silver step sizes of Altschuler & Parrilo.

    α_t = (1 + ρ^(ν(t) - 1))/L with the silver ratio ρ = 1 + √2 and ν(t) the number of times that 2
    divides t: √2, 2, √2, 2 + √2, √2, 2, √2, ... over L. Meant for n = 2^k - 1 steps; then
    J - J* ≤ L |θ_0 - θ*|² / (1 + √(4ρ^(2k) - 3)) for every convex function with curvature up to L,
    about n^(-1.27). Single steps exceed 2/L, so the loss is not monotone on the way.

    Parameters
    ----------
    largest
        L, positive: the largest eigenvalue, or a bound for it.

    Examples
    --------
    >>> SilverSteps(4.0)
    SilverSteps(largest=4.0)
    """

    largest: Positive

    period: ClassVar[int | None] = None
    aliases: ClassVar[tuple[str, ...]] = ("Silver",)
    source: ClassVar[str] = (
        "Altschuler & Parrilo (2025), Acceleration by stepsize hedging II, Math. Program. 213"
    )

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        rate = (1 + SILVER_RATIO ** (halvings(t) - 1)) / self.largest
        return theta - rate * problem.gradient(theta)

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return the largest curvature itself: Altschuler & Parrilo (2025)."""
        del smallest
        return {} if "largest" in given else {"largest": largest}


SILVER_RATIO = 1 + math.sqrt(2)


def halvings(t: Any) -> int:
    """Return how many times 2 divides a positive whole number: its 2-adic valuation.

    Examples
    --------
    >>> [halvings(t) for t in (1, 2, 3, 4, 12)]
    [0, 1, 0, 2, 2]
    """
    whole = operator.index(t)
    return (whole & -whole).bit_length() - 1


def _interval(smallest: Any, largest: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    ends = {"smallest": smallest, "largest": largest}
    return {name: end for name, end in ends.items() if name not in given}


@functools.cache
def chebyshev_weights(count: int, order: str) -> tuple[tuple[float, float], ...]:
    """Return (cos² φ_j/2, sin² φ_j/2): the shares of L and of m in each root, in order of use.

    As a sum of two positive terms, each a sine squared, a root keeps its digits next to m, however
    large κ and n are.

    Examples
    --------
    >>> [round(high, 3) for high, _ in chebyshev_weights(4, "leja")]
    [0.962, 0.038, 0.691, 0.309]
    """
    sines = [math.sin((2 * j - 1) * math.pi / (4 * count)) ** 2 for j in range(1, count + 1)]
    weights = list(zip(reversed(sines), sines, strict=True))  # cos φ_j/2 is the sine mirrored
    places = {"leja": _leja, "fractal": _fractal}.get(order, lambda n: list(range(n)))(count)
    # The list starts with the largest root, the shortest step. The fractal order is published for
    # a list that starts with the longest.
    reverse = order in {"descending", "fractal"}
    return tuple(weights[count - 1 - j if reverse else j] for j in places)


def _fractal(count: int) -> list[int]:
    """Return p_n, from 0: p_2n interlaces p_n with its mirror image."""
    places = [0]
    while len(places) < count:
        last = 2 * len(places) - 1
        places = [place for one in places for place in (one, last - one)]
    return places


def _leja(count: int) -> list[int]:
    """Return Leja's order, from 0: each next root has the largest product of distances so far."""
    roots = np.cos((2 * np.arange(1, count + 1) - 1) * (np.pi / (2 * count)))
    places = [0]
    spread = np.zeros(count)
    for _ in range(count - 1):
        with np.errstate(divide="ignore"):
            spread = spread + np.log(np.abs(roots - roots[places[-1]]))
        # Roots that mirror each other tie; rounded, the larger one wins on every machine.
        places.append(int(np.argmax(np.round(spread, 9))))
    return places
