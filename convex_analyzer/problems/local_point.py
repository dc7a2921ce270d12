"""What kind of point a point is: minimum, maximum, saddle, or one that the Hessian cannot decide.

The signs of the eigenvalues decide only where none is zero. In one dimension the first derivative
that does not vanish decides instead. In more, not even all lines through the point do: Peano's
(y - x²)(y - 2x²) has a minimum along each of them at 0, and takes negative values close by.

Source: Peano 1884 (the surface); Lee et al. 2016 (gradient descent leaves strict saddles).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.problems.checks import float_number
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count, format_number, join_words

__all__ = ["CriticalPoint", "direction_words"]

Array = npt.NDArray[np.float64]

_SHOWN = 4  # coordinates of a direction that words show
_START, _REACH = 1e-3, 1.0


def direction_words(direction: Array, names: tuple[str, ...]) -> str:
    """Name a direction: its entries if they are few, else the largest ones.

    Examples
    --------
    >>> direction_words(np.array([0.6, -0.8]), ("x", "y"))
    '(0.6, −0.8)'
    """
    if len(direction) <= _SHOWN:
        return f"({', '.join(format_number(round(float(x), 12) + 0.0, 4) for x in direction)})"
    order = np.argsort(-np.abs(direction), kind="stable")[:3]
    parts = [f"{format_number(direction[i], 2)} {names[i]}" for i in order]
    return f"mostly {join_words(parts)}"


@dataclass(frozen=True, eq=False)
class CriticalPoint(Result):
    """The kind of a point, and how an optimizer leaves it.

    Attributes
    ----------
    verdict
        ``"minimum"``, ``"maximum"``, ``"saddle"``, ``"inflection"``, ``"not a critical point"`` or
        ``"degenerate"``: cannot be decided from the Hessian.
    reason
        Why, in a sentence.
    gradient_norm
        |g| at the point.
    distance
        How far the critical point of the model is; None where the model has none.
    negative, zero, positive
        How many eigenvalues of the Hessian have that sign; None where only the ends of the
        spectrum are known.
    escapes
        Unit eigenvectors of negative eigenvalues, shape (n, d), steepest first.
    escape_curvatures
        Their eigenvalues, shape (n,).
    order, coefficient
        In one dimension with curvature zero: J ≈ J(a) + coefficient · δ^order.
    names
        Of the coordinates.
    kind
        ``exact`` or ``numerical``.
    """

    schema: ClassVar[str] = "convex_analyzer.critical_point/1"

    verdict: str
    reason: str
    gradient_norm: float
    distance: float | None
    negative: int | None
    zero: int | None
    positive: int | None
    escapes: Array
    escape_curvatures: Array
    names: tuple[str, ...]
    kind: str
    order: int | None = None
    coefficient: float | None = None

    @property
    def is_critical(self) -> bool:
        """Whether the gradient vanishes, within its error."""
        return self.verdict != "not a critical point"

    @property
    def decided(self) -> bool:
        """Whether the kind of the point is known."""
        return self.verdict != "degenerate"

    def escape_steps(
        self,
        learning_rate: float,
        start: float = _START,
        reach: float = _REACH,
        momentum: float = 0.0,
    ) -> int:
        """Return the first step at which the distance along the steepest escape is `reach`.

        Parameters
        ----------
        learning_rate
            α, positive.
        start
            Distance along the escape direction at the start, |c₀|.
        reach
            Distance that counts as having left.
        momentum
            μ of heavy ball, from rest; 0 is gradient descent: ⌈ln(r/|c₀|)/ln(1 + α|λ|)⌉.

        Raises
        ------
        NotDerivableError
            No direction of negative curvature.
        InputError
            A number that is out of range.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> point = local_quadratic("x**2 - y**2", at=[0, 0]).classification
        >>> point.escape_steps(0.025), point.escape_steps(0.025, momentum=0.9)
        (142, 41)
        """
        growth = self._growth(learning_rate)
        start, reach = _positive(start, "start"), _positive(reach, "reach")
        mu = float_number(momentum, "momentum")
        if not 0 <= mu < 1:
            raise InputError(f"momentum must be in [0, 1), got {mu:g}", argument="momentum")
        if start >= reach:
            return 0
        centre = (1 + mu + growth) / 2
        # larger² - mu = (centre - 1)² + ...: both roots are real, since growth is positive
        gap = math.sqrt(centre**2 - mu)
        larger, smaller = centre + gap, mu / (centre + gap)
        share = (1 + growth - smaller) / (2 * gap)  # of the start that lies on the growing root

        def there(k: int) -> bool:
            rest = (1 - share) * smaller**k
            return start * (share * math.exp(k * math.log1p(larger - 1)) + rest) >= reach

        guess = max(0, math.floor(math.log(reach / (start * share)) / math.log1p(larger - 1)) - 2)
        guess = next(k for k in range(guess, guess + 8) if there(k) or k == guess + 7)
        return guess

    def escape_steps_with_noise(
        self, learning_rate: float, deviation: float, reach: float = _REACH
    ) -> int:
        """Return the first step at which noise alone spreads runs over `reach`.

        Runs of gradient descent start exactly at the saddle; their variance after k steps is
        α²σ²(G^(2k) - 1)/(G² - 1) with G = 1 + α|λ|.

        Parameters
        ----------
        learning_rate
            α, positive.
        deviation
            σ, standard deviation of the gradient noise along the escape.
        reach
            Standard deviation of the runs that counts as having left.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> saddle = local_quadratic("x**2 - y**2", at=[0, 0])
        >>> saddle.classification.escape_steps_with_noise(0.025, deviation=0.1)
        100
        """
        growth = self._growth(learning_rate)
        size = float(learning_rate) * _positive(deviation, "deviation")
        ratio = (_positive(reach, "reach") / size) ** 2 * growth * (2 + growth)
        return max(1, math.ceil(math.log1p(ratio) / (2 * math.log1p(growth)) - 1e-12))

    def _growth(self, learning_rate: Any) -> float:
        if not len(self.escape_curvatures):
            raise NotDerivableError(f"{self.verdict}: no direction of negative curvature to leave")
        alpha = _positive(learning_rate, "learning_rate")
        return alpha * abs(float(self.escape_curvatures[0]))

    def creep(self, learning_rate: float, steps: int) -> float:
        """Return how far gradient descent still is after many steps, where curvature is zero.

        x_k ≈ (α c p (p - 2) k)^(-1/(p - 2)) for J = J(a) + c δᵖ; asymptotic, from any start inside
        the basin.

        Raises
        ------
        NotDerivableError
            Not a minimum of one dimension whose curvature is zero.

        Examples
        --------
        >>> from convex_analyzer.problems.local import local_quadratic
        >>> local_quadratic("x**4", at=0).classification.creep(0.01, 10_000)
        0.035355339059327376
        """
        p, c = self.order, self.coefficient
        if self.verdict != "minimum" or p is None or c is None:
            raise NotDerivableError(
                "creeping is the way to a minimum of one dimension whose curvature is zero"
            )
        alpha = _positive(learning_rate, "learning_rate")
        return float((alpha * c * p * (p - 2) * _positive(steps, "steps")) ** (-1 / (p - 2)))

    @property
    def words(self) -> str:
        """One sentence or two."""
        text = f"{self.verdict}: {self.reason}" if self.reason else self.verdict
        if not len(self.escapes) or not self.is_critical:
            return text
        alpha = 1 / float(np.max(np.abs(self.escape_curvatures)))
        return f"{text}; {self.escape_words(alpha)}"

    def escape_words(self, learning_rate: float) -> str:
        """Say how gradient descent leaves, at a learning rate."""
        along = direction_words(self.escapes[0], self.names)
        steps = format_count(self.escape_steps(learning_rate))
        more = len(self.escape_curvatures) - 1
        others = f" (and {more} more)" if more else ""
        return (
            f"leaves along ±{along}{others}: from {_START:g} to {_REACH:g} in {steps} steps of "
            f"gradient descent at α = {format_number(learning_rate, 3)}"
        )

    def summary(self) -> Table:
        """Return the classification as a table."""
        signs = "–" if self.negative is None else f"{self.negative}, {self.zero}, {self.positive}"
        rows = [
            ("kind of point", self.verdict),
            ("|gradient|", format_number(self.gradient_norm, 3)),
            ("distance to the model's critical point", format_number(self.distance, 3)),
            ("eigenvalues < 0, = 0, > 0", signs),
        ]
        if len(self.escape_curvatures):
            rows.append(("steepest escape λ", format_number(self.escape_curvatures[0])))
        if self.order is not None:
            rows.append(("first derivative that is not zero", format_count(self.order)))
        return Table(("quantity", "value"), (*rows, ("numbers", self.kind)), notes=(self.words,))


def _positive(value: Any, name: str) -> float:
    number = float_number(value, name)
    if not number > 0:
        raise InputError(f"{name} must be positive, got {number:g}", argument=name, value=value)
    return number
