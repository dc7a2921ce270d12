"""What a prediction starts from: the rule of the run, and the curvatures that it met.

All curvatures are in units of the step, s = αλ, because that is what a log shows; with α unknown it
counts as 1, and a new α is given as a multiple.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.local_model import LocalModel
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_number
from convex_analyzer.theory.analysis import Analysis, analyze
from convex_analyzer.theory.counting import steps_at_rate
from convex_analyzer.theory.dynamics import from_rest
from convex_analyzer.theory.modes import modes
from convex_analyzer.theory.pairs import log_rates

__all__ = ["Facts", "along", "log_rate", "steps_for"]

GOAL = 0.1  # of the gap at the end of the log: what step counts refer to
_FOLLOWED = 20_000  # steps up to which a direction of a rule with memory is followed


@dataclass(frozen=True, eq=False)
class Facts:
    """The rule and the curvatures of a run; None where they are not known."""

    reading: Reading
    problem: Any = None

    @functools.cached_property
    def alpha(self) -> float | None:
        """α, if known."""
        value = self.reading.learning_rate
        return value if value is not None and 0 < value < math.inf else None

    @property
    def unit(self) -> float:
        """α, or 1 where it is not known: λ = s/unit."""
        return self.alpha or 1.0

    @functools.cached_property
    def rule(self) -> Optimizer | None:
        """The rule, if it is one with a closed form; plain gradient descent where nothing is said.

        Momentum of unknown size has no prediction.
        """
        evidence = self.reading.evidence
        family, mu = evidence.optimizer, evidence.momentum
        if family in {"momentum", "nesterov"}:
            if mu is None or not 0 <= mu < 1:
                return None
            kind = HeavyBall if family == "momentum" else Nesterov
            return kind(self.unit, mu)
        if family == "gradient_descent" or family is None:
            return HeavyBall(self.unit, mu) if mu and 0 < mu < 1 else GradientDescent(self.unit)
        return None

    @property
    def why_no_rule(self) -> str:
        """Why there is no closed form."""
        evidence = self.reading.evidence
        if self.reading.adaptive:
            name = evidence.optimizer_name or "an adaptive method"
            return f"{name} rescales every coordinate, so that its rate has no closed form"
        if evidence.optimizer in {"momentum", "nesterov"}:
            return "the momentum of the run is not known (momentum=...)"
        return "which rule was run is not known (optimizer=...)"

    @property
    def assumed(self) -> str:
        """What was taken for granted, as the end of a sentence; empty if nothing."""
        if self.reading.evidence.optimizer is None and self.rule is not None:
            return " (taken as plain gradient descent)"
        return ""

    # -- curvatures -----------------------------------------------------------------------------

    @functools.cached_property
    def spectrum(self) -> Spectrum | None:
        """That of the problem, where it is known and a quadratic."""
        if not isinstance(self.problem, Quadratic):
            return None
        return compute_spectrum(self.problem)

    @functools.cached_property
    def largest(self) -> float | None:
        """Largest αλ: of the problem (its safe end), or the largest that was met."""
        if self.spectrum is not None:
            top = self.spectrum.lambda_max_bracket.high
            return self.unit * top if top > 0 else None
        found = self.reading.largest
        return found if found is not None and found > 0 else None

    @functools.cached_property
    def late(self) -> float | None:
        """αλ of the direction that the end of the run creeps along.

        The curvature along the gradient there; without it, from how the loss levels off.
        """
        found = self.reading.late_curvature
        if found is None:
            found = self.from_loss
        top = self.largest
        if found is None or not found > 0:
            return None
        return min(found, top) if top is not None else found

    @functools.cached_property
    def from_loss(self) -> float | None:
        """αλ = 1 - √q from the ratio q of consecutive falls of the loss, whatever its floor.

        Exact for one direction of gradient descent (THEORY 10: active λ = (1 - √q)/α).
        """
        curve = self.reading.curve
        if curve is None or len(curve) < 30 or self.reading.stochastic or self.reading.adaptive:
            return None
        if self.reading.momentum or curve.bad_step is not None:
            return None
        steps, values = curve.finite.steps, curve.values
        half = float(steps[-1] - steps[0]) / 4
        at = np.interp(steps[-1] - half * np.array([2.0, 1.0, 0.0]), steps, values)
        first, second = float(at[0] - at[1]), float(at[1] - at[2])
        if not 0 < second < first or half <= 0:
            return None
        return -math.expm1(math.log(second / first) / (2 * half))

    @functools.cached_property
    def upper(self) -> float | None:
        """Upper end of αλmax: of the problem, as measured, or what a run that is stable proves.

        A direction beyond the limit of its rule grows; a run that did not blow up has none, up to
        what had no time to grow. (The largest curvature met is a lower end.)
        """
        if self.spectrum is not None:
            return self.largest
        sharp = self.reading.evidence.sharpness
        if sharp is not None and not self.reading.adaptive:
            return self.unit * float(np.nanmax(sharp.values))
        curve = self.reading.curve
        if curve is None or curve.bad_step is not None or math.isfinite(self.reading.blow_up):
            return None
        if not curve.end <= curve.start:
            return None
        if self.rule is None:  # momentum of unknown size: 2(1 + μ) < 4, and less for Nesterov's
            return 4.0 if self.reading.evidence.optimizer in {"momentum", "nesterov"} else None
        return along(self.rule, 1.0).stability_limit

    @property
    def of_model(self) -> str:
        """Say that steps are those of the Taylor quadratic, where the problem is one."""
        return " of the quadratic model" if isinstance(self.problem, LocalModel) else ""

    @property
    def kind(self) -> str:
        """What a number from these curvatures is."""
        return "exact" if self.spectrum is not None else "heuristic"

    # -- words ------------------------------------------------------------------------------------

    def new_alpha(self, factor: float) -> str:
        """Say how α changes."""
        if self.alpha is None:
            return f"α ×{format_number(factor, 3)}"
        return f"α from {format_number(self.alpha, 3)} to {format_number(factor * self.alpha, 3)}"

    def settings(self, factor: float = 1.0, **others: float) -> dict[str, float]:
        """Return the new hyper-parameters; α only where it is known."""
        alpha = {} if self.alpha is None else {"learning_rate": factor * self.alpha}
        return {**alpha, **others}


def along(rule: Optimizer, eigenvalue: float) -> Analysis:
    """Return a rule along one direction."""
    return analyze(Spectrum.from_eigenvalues([eigenvalue]), rule)


def log_rate(rule: Optimizer, eigenvalue: float) -> float:
    """Return ln ρ along one direction, precise for slow ones.

    Examples
    --------
    >>> log_rate(GradientDescent(0.5), 1.0) == math.log(0.5)
    True
    """
    return float(log_rates(modes(rule, np.array([eigenvalue])))[0])


def steps_for(rule: Optimizer, eigenvalue: float, error: float) -> int | None:
    """Return the steps, from rest, after which a direction stays within this share of its start.

    Exact also where two roots meet, kρᵏ; by the rate alone beyond 20,000 steps.

    Examples
    --------
    >>> steps_for(GradientDescent(0.1), 1.0, 1e-3), steps_for(HeavyBall(0.25, 0.25), 1.0, 1e-3)
    (66, 13)
    """
    about = steps_at_rate(along(rule, eigenvalue).one_minus_rate, error)
    if about is None or not rule.memory or about > _FOLLOWED:
        return about
    k = np.arange(4 * about + 16, dtype=float)
    sizes = np.abs(from_rest(modes(rule, np.array([eigenvalue])), k)[:, 0])
    outside = np.flatnonzero(sizes > error * (1 + 1e-12))
    return int(outside[-1]) + 1 if outside.size else 0
