"""Rules without memory: the step depends on the present gradient alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from convex_analyzer.domains import Positive
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["GradientDescent"]


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
