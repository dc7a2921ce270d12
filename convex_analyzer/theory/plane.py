"""A rule on a plane, J = gᵀθ: what it does far from any minimum, where the gradient is constant.

The rule's own map at λ = 0, with β = 1. From rest the velocity tends to a terminal one, which is
that of gradient descent with the effective learning rate: α/(1 - μ) for heavy ball and Nesterov.

Source: lecture 002 (effective rate); the limit is the residue of the resolvent at z = 1.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_count, format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.arguments import require_one_setting
from convex_analyzer.theory.counting import steps_at_rate
from convex_analyzer.theory.iteration import Iteration, linearise
from convex_analyzer.theory.local import local_iteration
from convex_analyzer.theory.products import MOST_FACTORS
from convex_analyzer.theory.stability import characteristic_polynomial

__all__ = ["Plane", "plane"]

Array = npt.NDArray[np.float64]

_CREEPING = 1e-9  # 1 - root of a limit map, taken at a late step, that stands for a root 1


@dataclass(frozen=True, eq=False)
class Plane(Result):
    """An optimizer under a constant gradient, started at rest; made by `plane`.

    Everything is per unit of gradient: multiply by g.

    Attributes
    ----------
    optimizer
        The rule.
    terminal_velocity
        Movement per step in the end: negative, since it goes downhill; 0 when it stops (weight
        decay), minus infinity when it gets faster without end (μ = 1).
    """

    schema: ClassVar[str] = "convex_analyzer.plane/1"
    kind: ClassVar[str] = "exact"

    optimizer: Optimizer
    terminal_velocity: float

    @property
    def effective_learning_rate(self) -> float:
        """The learning rate of the gradient descent that moves as fast: α/(1 - μ)."""
        return -self.terminal_velocity

    @functools.cached_property
    def _analysis(self) -> Analysis:
        return Analysis(Spectrum.from_eigenvalues([0.0], [1.0]), self.optimizer)

    def displacement(self, steps: Any) -> Any:
        """Return θ_k - θ₀ per unit of gradient, in closed form, for a number or shape (K,)."""
        moved = self._analysis.predict([0.0], steps)
        return float(moved[0]) if np.ndim(steps) == 0 else moved[:, 0]

    def velocity(self, steps: Any) -> Any:
        """Return θ_k - θ_{k-1} per unit of gradient; 0 for k = 0, at rest."""
        before = np.maximum(np.asarray(steps) - 1, 0)
        return self.displacement(steps) - self.displacement(before)

    def steps_to(self, fraction: float = 0.9) -> int | None:
        """Return the first step from which the velocity stays within 1 - fraction of the terminal.

        Parameters
        ----------
        fraction
            Between 0 and 1.

        Returns
        -------
        int or None
            For heavy ball ⌈ln(1 - fraction)/ln μ⌉; None when there is no terminal velocity.
        """
        if not 0 < fraction < 1:
            raise InputError(f"fraction must be in (0, 1), got {fraction!r}", argument="fraction")
        if not 0 < abs(self.terminal_velocity) < math.inf:
            return None
        rest = 1 - fraction
        modes = self._analysis.modes
        if self._analysis.scope == "global" and modes.slots <= 2:
            missing = abs(1 - self.velocity(1) / self.terminal_velocity)
            if missing <= rest * (1 + 1e-12):
                return 1
            # The roots at λ = 0 are 1 and d, so that what is missing shrinks by |d| per step.
            return 1 + (steps_at_rate(1 - abs(float(modes.determinant[0])), rest / missing) or 0)
        return self._scanned(rest)

    def _scanned(self, rest: float) -> int | None:
        top = 256
        periodic = self._analysis.scope == "periodic"  # its velocity may swing for ever
        while top <= (64 * (self.optimizer.cycle or 1) + 256 if periodic else MOST_FACTORS):
            velocity = self.velocity(np.arange(top + 1))
            above = np.abs(1 - velocity / self.terminal_velocity) > rest * (1 + 1e-12)
            last = int(np.flatnonzero(above)[-1])
            if last < top // 2:
                return last + 1
            top *= 4
        return None

    def summary(self) -> Table:
        """Return the main facts as a table."""
        rows = (
            ("terminal velocity per unit of gradient", format_number(self.terminal_velocity)),
            ("effective learning rate", format_number(self.effective_learning_rate)),
            ("steps to 90 % of it", format_count(self.steps_to(0.9))),
            ("kind", self.kind),
        )
        title = f"{self.optimizer} on a plane, from rest"
        return Table(("quantity", "value"), rows, title=title, notes=(self.words,))

    @property
    def words(self) -> str:
        """One sentence."""
        if self.terminal_velocity == 0:
            return "On a plane it comes to rest: something other than the gradient holds it."
        if math.isinf(self.terminal_velocity):
            return "On a plane it gets faster without end: nothing slows it down."
        steps = self.steps_to(0.9)
        settles = f"within 10 % of that from step {steps} on"
        return (
            "On a plane it ends as fast as gradient descent with learning rate "
            f"{format_number(self.effective_learning_rate)}, "
            f"{settles if steps else 'on average: its speed never settles'}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**super().to_dict(), "kind": self.kind, "steps_to_90_percent": self.steps_to(0.9)}


def plane(optimizer: Optimizer) -> Plane:
    """Return what an optimizer does on a plane, from rest.

    Parameters
    ----------
    optimizer
        Any linear rule, also one that repeats, or that tends to one map.

    Raises
    ------
    NotDerivableError
        The rule is not linear, tends to no map, or has a velocity that tends to nothing.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> slope = plane(HeavyBall(0.125, 0.75))
    >>> slope.effective_learning_rate, slope.steps_to(0.9), slope.displacement(2)
    (0.5, 9, -0.34375)
    """
    require_one_setting(optimizer)
    scope = Analysis(Spectrum.from_eigenvalues([0.0], [1.0]), optimizer).scope
    if scope not in {"global", "periodic", "asymptotic"}:
        raise NotDerivableError(
            f"{type(optimizer).__name__} is not linear or tends to no single map, so its way down "
            "a plane has no closed form; simulate shows it"
        )
    iteration, steps = _at_zero(optimizer, scope)
    return Plane(optimizer, _terminal(iteration, type(optimizer).__name__) / steps)


def _at_zero(optimizer: Optimizer, scope: str) -> tuple[Iteration, int]:
    """Return the map at λ = 0, exact where the rule stays in fractions, and its steps."""
    exact = optimizer.transformed(lambda v: Fraction(v) if isinstance(v, float) else v)
    if scope == "asymptotic":
        return local_iteration(optimizer, 0.0), 1
    steps = optimizer.cycle or 1
    try:
        return linearise(exact, Fraction(0), steps=steps), steps
    except ZeroDivisionError as error:
        raise NotDerivableError(
            f"{type(optimizer).__name__} divides by the curvature, and a plane has none"
        ) from error
    except TypeError:
        return linearise(optimizer, 0.0, steps=steps), steps


def _terminal(iteration: Iteration, name: str) -> float:
    """Return lim C M^k B, the residue C adj(I - M) B / p'(1), in any kind of number."""
    size = len(iteration.slots)
    coefficients = characteristic_polynomial(iteration.matrix)
    part = list(iteration.offset)
    adjoint = list(part)  # adj(I - M) B = sum of v_k with v_1 = B, v_(k+1) = M v_k + c_k B
    for c in coefficients[1:size]:
        part = [
            sum(m * v for m, v in zip(row, part, strict=True)) + c * b
            for row, b in zip(iteration.matrix, iteration.offset, strict=True)
        ]
        adjoint = [a + v for a, v in zip(adjoint, part, strict=True)]
    top = sum(c * v for c, v in zip(iteration.report, adjoint, strict=True))
    at_one = sum(coefficients)
    slope = sum((size - i) * c for i, c in enumerate(coefficients))
    exact = isinstance(at_one, (int, Fraction))
    size_of_all = sum(abs(float(c)) for c in coefficients)
    noise = 0.0 if exact else 1e-15 * size_of_all
    roots = np.roots([float(c) for c in coefficients])
    roots = roots[np.argsort(np.abs(roots - 1))]
    moves = abs(float(at_one)) <= noise
    if moves and abs(float(slope)) <= (0.0 if exact else _CREEPING * size_of_all):
        return math.copysign(math.inf, float(top))
    if np.max(np.abs(roots[1 if moves else 0 :]), initial=0.0) >= 1:
        raise NotDerivableError(f"{name}: on a plane its velocity tends to nothing")
    return float(top / slope) if moves else 0.0
