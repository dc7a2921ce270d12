"""Conjugate directions: the fastest that products with A allow.

After k steps the error is the smallest, in the A-norm, of all points that combine the first k
gradients. It vanishes after as many steps as A has distinct eigenvalues (with a part in the start).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from convex_analyzer.domains import Choice
from convex_analyzer.ops import dot, where
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.line_search import Tolerance, quotient, still_moving

__all__ = ["ConjugateGradient"]

_Formula = Annotated[str, Choice(("fletcher_reeves", "polak_ribiere", "hestenes_stiefel"))]


class ConjugateGradient(Optimizer):
    """Conjugate gradients with the gradient evaluated afresh and the exact step along p.

    p ← -g + β p, α = -gᵀp / pᵀAp, θ ← θ + α p. On a quadratic without noise the three formulas for
    β agree, and this is the linear method of Hestenes & Stiefel, α = rᵀr / pᵀAp with r = -g: heavy
    ball with α_k and μ_k = β_k α_k/α_(k-1) chosen anew in every step. For a semi-definite A with b
    in its range it stops after as many steps as there are distinct eigenvalues; for an indefinite A
    it ends at the saddle, if no pᵀAp happens to vanish on the way.

    Parameters
    ----------
    formula
        ``"fletcher_reeves"``: β = g⁺ᵀg⁺ / gᵀg; ``"polak_ribiere"``: g⁺ᵀ(g⁺ - g) / gᵀg;
        ``"hestenes_stiefel"``: g⁺ᵀ(g⁺ - g) / pᵀ(g⁺ - g). They differ under noise.
    tolerance
        The point stays once |g| ≤ tolerance x the largest |g| so far: what is left is rounding,
        and along a flat direction of A rounding would be blown up.

    Examples
    --------
    >>> ConjugateGradient().formula
    'fletcher_reeves'
    """

    formula: _Formula = "fletcher_reeves"
    tolerance: Tolerance = 1e-12

    aliases: ClassVar[tuple[str, ...]] = ("CG", "LinearCG", "ConjugateGradients")
    source: ClassVar[str] = (
        "Hestenes & Stiefel (1952); Fletcher & Reeves (1964); Polak & Ribiere (1969); "
        "Nocedal & Wright (2006), algorithms 5.2 and 5.4; lecture 002, named without formula"
    )

    def step(
        self, problem: Any, t: int, theta: Any, direction: Any, gradient: Any, steepest: Any
    ) -> Any:
        before, gradient = gradient, problem.gradient(theta)
        moving, steepest = still_moving(gradient, steepest, self.tolerance)
        follow = self._follow(gradient, before, direction) * direction - gradient
        curvature = dot(follow, problem.hessian_vector(theta, follow))
        length = quotient(-dot(gradient, follow), curvature)
        return (
            where(moving, theta + length * follow, theta),
            where(moving, follow, direction),
            where(moving, gradient, before),
            steepest,
        )

    def _follow(self, gradient: Any, before: Any, direction: Any) -> Any:
        """Return β, 0 in the first step."""
        if self.formula == "fletcher_reeves":
            return quotient(dot(gradient, gradient), dot(before, before))
        change = gradient - before
        if self.formula == "polak_ribiere":
            return quotient(dot(gradient, change), dot(before, before))
        return quotient(dot(gradient, change), dot(direction, change))
