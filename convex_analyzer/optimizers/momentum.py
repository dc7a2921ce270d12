"""Rules with a velocity.

Conventions differ between sources and libraries in where the learning rate enters, which matters
when it is scheduled: inside, it multiplies the gradient before that enters the velocity
(`HeavyBall`, `Nesterov`: lectures 000, 001, 003, 004, Keras); outside, it multiplies the velocity
(`OuterMomentum`: torch, optax; `EMAMomentum`); or both (`TwoRateMomentum`: lecture 002). They also
differ in which of Nesterov's points is reported: `Nesterov` the iterate, torch and optax the
look-ahead point. More forms with a look-ahead are in `convex_analyzer.optimizers.nesterov`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from convex_analyzer.domains import BelowOne, NonNegative, Positive, Real, UnitInterval
from convex_analyzer.errors import InputError
from convex_analyzer.forms import vanishes
from convex_analyzer.ops import absolute, maximum, sqrt
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["EMAMomentum", "HeavyBall", "Nesterov", "OuterMomentum", "TwoRateMomentum"]


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


class EMAMomentum(Optimizer):
    """Momentum as a moving average of gradients: m ← μm + (1 - μ)g, θ ← θ - αm, from m = 0.

    It is the heavy ball with learning rate α(1 - μ); the learning rate is outside, so under a
    schedule the two differ. Along an eigendirection z² - (1 + μ - αλ(1 - μ)) z + μ = 0; it
    converges if and only if 0 < αλ < 2(1 + μ)/(1 - μ).

    Parameters
    ----------
    learning_rate
        α, positive.
    momentum
        μ in [0, 1), the weight of the past in the average.

    Examples
    --------
    >>> EMAMomentum(0.1, 0.5).published_limit()
    6.0
    """

    learning_rate: Positive
    momentum: BelowOne = 0.9

    aliases: ClassVar[tuple[str, ...]] = ("GradientEMA", "AveragedGradient")
    source: ClassVar[str] = "Kingma & Ba (2015), first moment; Gitman et al. (2019), eq. 2"

    def step(self, problem: Any, t: int, theta: Any, average: Any) -> Any:
        push = (1 - self.momentum) * problem.gradient(theta)
        average = self.momentum * average + push
        return theta - self.learning_rate * average, average

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """α = 1/√(mL), μ = ((√κ - 1)/(√κ + 1))²: Polyak (1964), his α divided by 1 - μ.

        With μ given: α = 2(1 + μ)/((1 - μ)(m + L)).
        """
        if "momentum" in given:
            best = HeavyBall.published_optimum(smallest, largest, given) or {}
            return {name: rate / (1 - given["momentum"]) for name, rate in best.items()}
        if "learning_rate" in given:
            return None
        low, high = sqrt(smallest), sqrt(largest)
        return {"learning_rate": 1 / (low * high), "momentum": ((high - low) / (high + low)) ** 2}

    def published_limit(self) -> Any:
        """αλ < 2(1 + μ)/(1 - μ): Polyak (1964), his bound divided by 1 - μ."""
        return 2 * (1 + self.momentum) / (1 - self.momentum)


class OuterMomentum(Optimizer):
    """Momentum with the learning rate outside the velocity, as SGD of torch and optax has it.

    b ← μb + (1 - τ)g with b_1 = g_1 undampened, θ ← θ - αb; with `nesterov` θ ← θ - α(g + μb), and
    θ is then the look-ahead point of Nesterov's method. Weight decay is coupled: wθ is added to g.
    Without dampening and with a constant α this is `HeavyBall` (`NesterovRewritten`). Dampening
    divides the stability limit of the later steps by 1 - τ, but no setting of `HeavyBall` started
    at rest runs alike, because the first step is not dampened.

    Parameters
    ----------
    learning_rate
        α, positive.
    momentum
        μ in [0, 1].
    dampening
        τ in [0, 1].
    weight_decay
        w, non-negative; the method minimises J + w|θ|²/2.
    nesterov
        Whether to step from the gradient and the new velocity together.

    Examples
    --------
    >>> OuterMomentum(0.1, dampening=0.5).published_limit()
    7.6
    >>> OuterMomentum(0.1, nesterov=True, dampening=0.5)
    Traceback (most recent call last):
    ...
    convex_analyzer.errors.InputError: OuterMomentum: nesterov excludes dampening; set dampening=0
    """

    learning_rate: Positive
    momentum: UnitInterval = 0.9
    dampening: UnitInterval = 0.0
    weight_decay: NonNegative = 0.0
    nesterov: bool = False

    settles: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("TorchSGD", "OptaxSGD", "DampenedMomentum")
    source: ClassVar[str] = "torch.optim.SGD (2.13); optax.sgd (0.2.8); Sutskever et al. (2013)"

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """1; with dampening the first step is unlike all others."""
        return 1 if _absent(self.dampening) else None

    def _check(self) -> None:
        name, idle = type(self).__name__, bool(np.any(np.asarray(self.momentum) == 0))
        if self.nesterov and not _absent(self.dampening):
            raise InputError(
                f"{name}: nesterov excludes dampening",
                argument="dampening",
                hint="set dampening=0",
            )
        if idle and self.nesterov:
            raise InputError(
                f"{name}: nesterov needs a momentum above 0", argument="momentum", value=0.0
            )
        if idle and not _absent(self.dampening):
            raise InputError(
                f"{name}: dampening needs a momentum above 0 (without one, torch ignores it)",
                argument="dampening",
                hint="set dampening=0",
            )

    def step(self, problem: Any, t: int, theta: Any, buffer: Any) -> Any:
        gradient = problem.gradient(theta)
        if not _absent(self.weight_decay):
            gradient = gradient + self.weight_decay * theta
        first = _absent(self.dampening) or t == 1
        push = gradient if first else (1 - self.dampening) * gradient
        buffer = self.momentum * buffer + push
        direction = gradient + self.momentum * buffer if self.nesterov else buffer
        return theta - self.learning_rate * direction, buffer

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """As `HeavyBall`, or with nesterov as `Nesterov`, on eigenvalues raised by weight decay.

        The learning rate is divided by 1 - τ.
        """
        decay, kept = given.get("weight_decay", 0), 1 - given.get("dampening", 0)
        if vanishes(kept):
            return None
        family = Nesterov if given.get("nesterov", False) else HeavyBall
        inner = {name: given[name] for name in ("learning_rate", "momentum") if name in given}
        if "learning_rate" in inner:
            inner["learning_rate"] = inner["learning_rate"] * kept
        best = family.published_optimum(smallest + decay, largest + decay, inner)
        if best is not None and "learning_rate" in best:
            best["learning_rate"] = best["learning_rate"] / kept
        return best

    def published_limit(self) -> Any:
        """αλ < 2(1 + μ)/(1 - τ), or with nesterov 2(1 + μ)/(1 + 2μ); None with weight decay."""
        if not _absent(self.weight_decay) or vanishes(1 - self.dampening):
            return None
        shrunk = 1 + 2 * self.momentum if self.nesterov else 1 - self.dampening
        return 2 * (1 + self.momentum) / shrunk


class TwoRateMomentum(Optimizer):
    """Momentum of lecture 002, with two rates: p ← μp + ηg, θ ← θ - γp.

    It is the heavy ball with learning rate γη. The lecture's one-line form, θ ← θ - γg + μ(θ -
    θ_before), is the same only for η = 1.

    Parameters
    ----------
    learning_rate
        γ, positive: multiplies the velocity.
    gradient_rate
        η, positive: multiplies the gradient.
    momentum
        μ in [0, 1] (β in the lecture).

    Examples
    --------
    >>> TwoRateMomentum(0.1, gradient_rate=0.5).published_limit()
    7.6
    """

    learning_rate: Positive
    gradient_rate: Positive = 1.0
    momentum: UnitInterval = 0.9

    aliases: ClassVar[tuple[str, ...]] = ("SGDMomentum",)
    source: ClassVar[str] = "lecture 002, Momentum Equations"

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        push = self.gradient_rate * problem.gradient(theta)
        velocity = self.momentum * velocity + push
        return theta - self.learning_rate * velocity, velocity

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """As `HeavyBall` with α = γη; where both rates are open η is 1."""
        return of_product(HeavyBall, smallest, largest, given)

    def published_limit(self) -> Any:
        """γλ < 2(1 + μ)/η: Polyak (1964) with α = γη."""
        return 2 * (1 + self.momentum) / self.gradient_rate


# -- shared by the forms -------------------------------------------------------------------------


def _absent(value: Any) -> bool:
    """Tell whether a hyper-parameter is exactly zero, whatever kind of number it is."""
    return value == 0 if isinstance(value, float) else vanishes(value)


def of_product(
    family: type[Optimizer], smallest: Any, largest: Any, given: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the published optimum of a rule whose learning rate is a product of two rates."""
    inner = {name: given[name] for name in ("momentum",) if name in given}
    if "learning_rate" in given and "gradient_rate" in given:
        inner["learning_rate"] = given["learning_rate"] * given["gradient_rate"]
    best = family.published_optimum(smallest, largest, inner)
    if best is None or "learning_rate" not in best:
        return best
    if "learning_rate" in given:
        return {"gradient_rate": best.pop("learning_rate") / given["learning_rate"], **best}
    if "gradient_rate" in given:
        return {**best, "learning_rate": best["learning_rate"] / given["gradient_rate"]}
    return {**best, "gradient_rate": 1.0}
