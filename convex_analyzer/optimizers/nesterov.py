"""Rules with a look-ahead: further forms of Nesterov's method, and its relatives.

All are linear recurrences with one velocity. They differ in where the gradient is taken, in what is
added to the point, in which point is reported, and in whether the momentum changes with time.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from convex_analyzer.domains import BelowOne, Choice, Positive, Real, UnitInterval
from convex_analyzer.ops import sqrt
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.momentum import EMAMomentum, Nesterov, of_product

__all__ = ["QHM", "NesterovRewritten", "NesterovTwoPoint", "TripleMomentum", "TwoRateNesterov"]

_Sequence = Annotated[str, Choice(("recursive", "ratio", "constant"))]


class NesterovRewritten(Optimizer):
    """Nesterov's method in terms of the look-ahead point, learning rate inside, as Keras has it.

    v ← μv - αg, θ ← θ + μv - αg. θ is the point θ + μv of `Nesterov`, so the gradient is taken
    where one stands. With a constant α it is `OuterMomentum` with nesterov; under a schedule those
    differ.

    Parameters
    ----------
    learning_rate
        α, positive.
    momentum
        μ in [0, 1].

    Examples
    --------
    >>> NesterovRewritten(0.1, 0.8).published_limit()
    1.3846153846153846
    """

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    aliases: ClassVar[tuple[str, ...]] = ("KerasNesterov", "BengioNesterov")
    source: ClassVar[str] = "Bengio, Boulanger-Lewandowski & Pascanu (2013); keras.optimizers.SGD"

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        push = self.learning_rate * problem.gradient(theta)
        velocity = self.momentum * velocity - push
        return theta + self.momentum * velocity - push, velocity

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """As `Nesterov`: Lessard, Recht & Packard (2016), table 1."""
        return Nesterov.published_optimum(smallest, largest, given)

    def published_limit(self) -> Any:
        """αλ < 2(1 + μ)/(1 + 2μ), as `Nesterov`."""
        return 2 * (1 + self.momentum) / (1 + 2 * self.momentum)


class NesterovTwoPoint(Optimizer):
    """Nesterov's method of 1983 in two points, with momentum that grows towards 1.

    y_k = x_k + β_k (x_k - x_(k-1)), x_(k+1) = y_k - α g(y_k), reporting x; the velocity is
    x_k - x_(k-1). β is one of

    - recursive: β_k = (τ_k - 1)/τ_(k+1), τ_1 = 1, τ_(k+1) = (1 + √(1 + 4τ_k²))/2 (1983; FISTA);
    - ratio: β_k = (k - 1)/(k + r - 1), r the friction (Su, Boyd & Candès; r = 3);
    - constant: β_k = μ, which is `Nesterov`, also under a schedule.

    For the recursive sequence, and the ratio with r = 3, α = 1/L gives
    J - J* ≤ 2L|θ_0 - θ*|²/(k + 1)² for every convex function with curvature up to L.

    Parameters
    ----------
    learning_rate
        α, positive.
    sequence
        ``"recursive"``, ``"ratio"`` or ``"constant"``.
    momentum
        μ in [0, 1], for the constant sequence.
    friction
        r, positive, for the ratio.

    Examples
    --------
    >>> NesterovTwoPoint(0.1).sequence
    'recursive'
    """

    learning_rate: Positive
    sequence: _Sequence = "recursive"
    momentum: UnitInterval = 0.9
    friction: Positive = 3.0

    settles: ClassVar[bool] = True
    optimum_for: ClassVar[str] = "convex functions"
    aliases: ClassVar[tuple[str, ...]] = ("FISTA", "Nesterov1983", "AcceleratedGradient")
    source: ClassVar[str] = "Nesterov (1983); Beck & Teboulle (2009); Su, Boyd & Candès (2016)"

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """1 for the constant sequence; the others never repeat, and settle at β = 1."""
        return 1 if self.sequence == "constant" else None

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        if self.sequence == "constant":
            weight = self.momentum
        elif self.sequence == "ratio":
            weight = (t - 1) / (t + (self.friction - 1))
        else:
            weight = (recursive_weight(t) - 1) / recursive_weight(t + 1)
        ahead = theta + weight * velocity
        velocity = weight * velocity - self.learning_rate * problem.gradient(ahead)
        return theta + velocity, velocity

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """α = 1/L: Nesterov (1983); for the constant sequence as `Nesterov`, for quadratics."""
        if given.get("sequence") != "constant":
            return {} if "learning_rate" in given else {"learning_rate": 1 / largest}
        inner = {name: given[name] for name in ("learning_rate", "momentum") if name in given}
        return Nesterov.published_optimum(smallest, largest, inner)

    def published_limit(self) -> Any:
        """αλ < 2(1 + μ)/(1 + 2μ), which is 4/3 once a growing momentum has reached 1."""
        momentum = self.momentum if self.sequence == "constant" else 1
        return 2 * (1 + momentum) / (1 + 2 * momentum)


class TwoRateNesterov(Optimizer):
    """Nesterov's method of lecture 002, with two rates; its printed look-ahead only on request.

    p ← μp + η g(θ - γμp), θ ← θ - γp, which is `Nesterov` with learning rate γη. The lecture prints
    g(θ - μp): that is the same only for γ = 1, and along an eigendirection with s = ηλ it has
    z² - (1 - γs + μ(1 - s)) z + μ(1 - s) = 0, so for μ|1 - s| > 1 no γ makes it converge.

    Parameters
    ----------
    learning_rate
        γ, positive: multiplies the velocity.
    gradient_rate
        η, positive: multiplies the gradient.
    momentum
        μ in [0, 1] (β in the lecture).
    as_printed
        Whether to look ahead by μp, as the lecture prints it, instead of γμp.

    Examples
    --------
    >>> TwoRateNesterov(0.1, as_printed=True).gradient_rate
    1.0
    """

    learning_rate: Positive
    gradient_rate: Positive = 1.0
    momentum: UnitInterval = 0.9
    as_printed: bool = False

    aliases: ClassVar[tuple[str, ...]] = ("NesterovTwoRates",)
    source: ClassVar[str] = "lecture 002, Nesterov (1983) Sutskever (2012) Accelerated Momentum"

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        past = self.momentum * velocity
        ahead = theta - past if self.as_printed else theta - self.learning_rate * past
        velocity = past + self.gradient_rate * problem.gradient(ahead)
        return theta - self.learning_rate * velocity, velocity

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """As `Nesterov` with α = γη; None as printed. Where both rates are open η is 1."""
        if given.get("as_printed", False):
            return None
        return of_product(Nesterov, smallest, largest, given)

    def published_limit(self) -> Any:
        """γλ < 2(1 + μ)/((1 + 2μ)η), as `Nesterov` with α = γη; None as printed."""
        if self.as_printed:
            return None
        return 2 * (1 + self.momentum) / (1 + 2 * self.momentum) / self.gradient_rate


class QHM(Optimizer):
    """Quasi-hyperbolic momentum: steps from the gradient and its average, with weights 1 - ν and ν.

    m ← μm + (1 - μ)g, θ ← θ - α((1 - ν)g + νm). With ν = 0 it is gradient descent, with ν = 1
    `EMAMomentum`, with ν = μ Nesterov's method with learning rate α(1 - μ), reporting the
    look-ahead point. Along an eigendirection, with s = αλ,
    z² - (1 + μ - s(1 - νμ)) z + μ(1 - s(1 - ν)) = 0.

    Parameters
    ----------
    learning_rate
        α, positive.
    momentum
        μ in [0, 1) (β in the paper), the weight of the past in the average.
    nu
        ν in [0, 1], the share of the average in the step.

    Examples
    --------
    >>> QHM(0.1)
    QHM(learning_rate=0.1, momentum=0.999, nu=0.7)
    """

    learning_rate: Positive
    momentum: BelowOne = 0.999
    nu: UnitInterval = 0.7

    aliases: ClassVar[tuple[str, ...]] = ("QuasiHyperbolicMomentum",)
    source: ClassVar[str] = "Ma & Yarats (2019), eqs. 3-4; Gitman et al. (2019)"

    def step(self, problem: Any, t: int, theta: Any, average: Any) -> Any:
        gradient = problem.gradient(theta)
        average = self.momentum * average + (1 - self.momentum) * gradient
        direction = (1 - self.nu) * gradient + self.nu * average
        return theta - self.learning_rate * direction, average

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """ν = 1, and Polyak's pair as in `EMAMomentum`: no rule with one velocity is faster."""
        if "nu" in given or "learning_rate" in given or "momentum" in given:
            return None
        return {**(EMAMomentum.published_optimum(smallest, largest, {}) or {}), "nu": 1.0}

    def published_limit(self) -> Any:
        """αλ < 2(1 + μ)/(1 + μ(1 - 2ν)): Gitman et al. (2019), theorem on QHM."""
        return 2 * (1 + self.momentum) / (1 + self.momentum * (1 - 2 * self.nu))


class TripleMomentum(Optimizer):
    """The triple momentum method: gradient at one extrapolated point, report at another.

    v ← βv - α g(θ + γv), θ ← θ + v, reporting θ + δv. γ = 0 is the heavy ball and γ = β Nesterov's
    method. With the published values, and ρ = 1 - 1/√κ, the error shrinks by ρ per step for every
    function with curvature between m and L, the best that is known for one velocity; on quadratics
    alone the heavy ball is faster. Along an eigendirection, with s = αλ,
    z² - (1 + β - s(1 + γ)) z + β - sγ = 0.

    Parameters
    ----------
    learning_rate
        α, positive.
    momentum
        β, any real number; usually in [0, 1).
    lookahead
        γ, any real number: how far ahead the gradient is taken, in velocities.
    extrapolation
        δ, any real number: how far ahead the report is, in velocities.

    Examples
    --------
    >>> best = TripleMomentum.published_optimum(1.0, 4.0, {})
    >>> [round(float(value), 4) for value in best.values()]
    [0.375, 0.1667, 0.1111, 0.3333]
    """

    learning_rate: Positive
    momentum: Real
    lookahead: Real
    extrapolation: Real

    aliases: ClassVar[tuple[str, ...]] = ("TMM", "TripleMomentumMethod")
    optimum_for: ClassVar[str] = "strongly convex functions"
    source: ClassVar[str] = "Van Scoy, Freeman & Lynch (2018), eqs. 1-2 and table I"

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        ahead = theta + self.lookahead * velocity
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(ahead)
        return theta + velocity, velocity

    def report(self, theta: Any, velocity: Any) -> Any:
        return theta + self.extrapolation * velocity

    @classmethod
    def published_optimum(
        cls, smallest: Any, largest: Any, given: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Best for smooth strongly convex functions: Van Scoy, Freeman & Lynch (2018).

        ρ = 1 - 1/√κ, α = (1 + ρ)/L, β = ρ²/(2 - ρ), γ = ρ²/((1 + ρ)(2 - ρ)), δ = ρ²/(1 - ρ²).
        None as soon as any of them is given.
        """
        if given:
            return None
        root = sqrt(smallest / largest)
        rate = 1 - root
        return {
            "learning_rate": (1 + rate) / largest,
            "momentum": rate**2 / (1 + root),
            "lookahead": rate**2 / ((1 + rate) * (1 + root)),
            "extrapolation": rate**2 / (root * (1 + rate)),
        }

    def published_limit(self) -> Any:
        """αλ < 2(1 + β)/(1 + 2γ) for |β| < 1 and γ ≥ 0: Jury's conditions; None elsewhere."""
        known = (self.momentum, self.lookahead)
        if all(isinstance(value, float) for value in known):
            beta, gamma = known
            if not (-1 < beta < 1 and gamma >= 0):
                return None
        return 2 * (1 + self.momentum) / (1 + 2 * self.lookahead)


# -- the recursive sequence of 1983 --------------------------------------------------------------

_TABLE = [1.0]  # τ_1, τ_2, ...: grows as far as it is asked for
_LAST = 2**17  # from here on the expansion in recursive_weight has all digits of float64


def recursive_weight(t: Any) -> float:
    """Return τ_t of τ_1 = 1, τ_(t+1) = (1 + √(1 + 4τ_t²))/2.

    Far out τ - ln(τ)/4 grows by ½ per step, up to terms of order 1/τ³, and that is solved for τ.

    Examples
    --------
    >>> [round(recursive_weight(t), 4) for t in (1, 2, 3, 10**12)]
    [1.0, 1.618, 2.1935, 500000000007.231]
    """
    index = operator.index(t)
    while len(_TABLE) < min(index, _LAST):
        _TABLE.append((1 + math.sqrt(1 + 4 * _TABLE[-1] ** 2)) / 2)
    if index <= _LAST:
        return _TABLE[index - 1]
    level = _TABLE[-1] - math.log(_TABLE[-1]) / 4 + (index - _LAST) / 2
    value = level
    for _ in range(8):  # contracts by 1/(4τ)
        value = level + math.log(value) / 4
    return value
