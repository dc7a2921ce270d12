"""Rules with a velocity.

Two conventions differ between sources and libraries: whether the learning rate multiplies the
gradient before it enters the velocity (here: yes, as in lectures 000, 001, 003 and 004), and which
of Nesterov's points is reported (here: the iterate, not the look-ahead point).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from convex_analyzer.domains import Positive, Real, UnitInterval
from convex_analyzer.ops import absolute, maximum, sqrt
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["HeavyBall", "Nesterov"]


class HeavyBall(Optimizer):
    """Polyak's heavy ball, learning rate inside the velocity (lecture 001, slide 27).

    Along an eigendirection the error follows z² - (1 + μ - αλ) z + μ = 0; it converges if and only
    if |μ| < 1 and 0 < αλ < 2(1 + μ).

    Parameters
    ----------
    learning_rate
        α, positive.
    momentum
        μ in [0, 1]; at 1 the energy is conserved and the method never settles.

    Examples
    --------
    >>> HeavyBall(0.1).momentum
    0.9
    """

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    aliases: ClassVar[tuple[str, ...]] = ("HB", "Momentum", "Polyak")
    source: ClassVar[str] = "Polyak (1964); lecture 001, slide 27"

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """α = 4/(√L + √m)², μ = ((√κ - 1)/(√κ + 1))²: Polyak (1964).

        With α given (αL < 4): μ = max(|1 - √(αm)|, |1 - √(αL)|)², which critically damps the worse
        end. With μ given: α = 2(1 + μ)/(m + L).
        """
        low, high = sqrt(smallest), sqrt(largest)
        if "learning_rate" in given and "momentum" in given:
            return {}
        if "learning_rate" in given:
            alpha = sqrt(given["learning_rate"])
            if float((alpha * high) ** 2) >= 4:
                return None
            return {"momentum": maximum(absolute(1 - alpha * low), absolute(1 - alpha * high)) ** 2}
        if "momentum" in given:
            return {"learning_rate": 2 * (1 + given["momentum"]) / (smallest + largest)}
        return {
            "learning_rate": (2 / (low + high)) ** 2,
            "momentum": ((high - low) / (high + low)) ** 2,
        }

    def published_limit(self) -> Any:
        """αλ < 2(1 + μ): Polyak (1964); Goh (2017)."""
        return 2 * (1 + self.momentum)


class Nesterov(Optimizer):
    """Nesterov's accelerated gradient with constant momentum, reporting the iterate (lecture 003).

    The gradient is taken at the look-ahead point θ + μv. Along an eigendirection the error follows
    z² - (1 + μ)(1 - αλ) z + μ(1 - αλ) = 0; for 0 ≤ μ ≤ 1 it converges if and only if
    0 < αλ < 2(1 + μ)/(1 + 2μ), which is less than gradient descent allows.

    Parameters
    ----------
    learning_rate
        α, positive.
    momentum
        μ, any real number; usually in [0, 1).

    Examples
    --------
    >>> Nesterov(0.1, 0.8).published_limit()
    1.3846153846153846
    """

    learning_rate: Positive
    momentum: Real = 0.9

    aliases: ClassVar[tuple[str, ...]] = ("NAG", "NesterovMomentum")
    source: ClassVar[str] = "Nesterov (1983); Sutskever et al. (2013), eqs. 3-4; lecture 003"

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        ahead = theta + self.momentum * velocity
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(ahead)
        return theta + velocity, velocity

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """α = 4/(3L + m), μ = (√(3κ+1) - 2)/(√(3κ+1) + 2).

        Lessard, Recht & Packard (2016), table 1.
        With α ≤ 4/(3L + m) given: μ = (1 - √(αm))/(1 + √(αm)).
        """
        if "momentum" in given:
            return {} if "learning_rate" in given else None
        if "learning_rate" in given:
            alpha = given["learning_rate"]
            if float(alpha * (3 * largest + smallest)) > 4 * (1 + 1e-12):
                return None
            root = sqrt(alpha) * sqrt(smallest)
            return {"momentum": (1 - root) / (1 + root)}
        root = sqrt(3 * (largest / smallest) + 1)
        return {
            "learning_rate": 4 / (3 * largest + smallest),
            "momentum": (root - 2) / (root + 2),
        }

    def published_limit(self) -> Any:
        """αλ < 2(1 + μ)/(1 + 2μ) for μ ≥ -1/3: Jury's conditions; lecture notes give μ ≥ 0."""
        if isinstance(self.momentum, float) and self.momentum < -1 / 3:
            return None
        return 2 * (1 + self.momentum) / (1 + 2 * self.momentum)
