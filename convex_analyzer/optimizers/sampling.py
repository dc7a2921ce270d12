"""Rules that draw random numbers: Langevin dynamics, gradient noise, simulated annealing.

The draws come from the problem, which the engine gives counter-based streams: a seed repeats a run,
and runs do not depend on how they are cut into tiles.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from convex_analyzer.domains import NonNegative, Positive, UnitInterval
from convex_analyzer.forms import vanishes
from convex_analyzer.noise.streams import Drawn
from convex_analyzer.ops import column, log, where
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.wrapping import _Wrapper
from convex_analyzer.schedules.arithmetic import power

__all__ = ["GradientNoise", "Langevin", "SimulatedAnnealing"]


class Langevin(Optimizer):
    """Unadjusted Langevin dynamics: θ ← θ - αg + √(2αT) ξ, with standard normal ξ.

    It samples exp(-J/T), approximately: along an eigendirection the mean follows gradient descent
    and the stationary variance is T/(λ(1 - αλ/2)), where exp(-J/T) has T/λ; it needs αλ < 2.

    Stochastic gradient Langevin dynamics (Welling & Teh, 2011) is this rule under mini-batches of a
    loss that is a sum (``least_squares(..., loss="half_rss")``), with their step ε = 2α.

    Parameters
    ----------
    learning_rate
        α, positive.
    temperature
        T, non-negative; 0 is gradient descent.
    sgld
        Whether `learning_rate` is ε = 2α: θ ← θ - εg/2 + √(εT) ξ.

    Examples
    --------
    >>> Langevin(0.1).published_limit(), Langevin(0.1, sgld=True).published_limit()
    (2, 4)
    """

    learning_rate: Positive
    temperature: NonNegative = 1.0
    sgld: bool = False

    random: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("ULA", "UnadjustedLangevin")
    source: ClassVar[str] = "Roberts & Tweedie (1996); Welling & Teh (2011), eq. 4"

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        rate = self.learning_rate / 2 if self.sgld else self.learning_rate
        draw = problem.normal(theta, 2 * rate * self.temperature)
        return theta - rate * problem.gradient(theta) + draw

    def published_limit(self) -> Any:
        """αλ < 2, as gradient descent, whose mean path it has; ελ < 4."""
        return 4 if self.sgld else 2


class _NoisyGradients(Drawn):
    """The problem with one and the same error in all its gradients."""

    def __init__(self, problem: Any, variance: Any) -> None:
        super().__init__(problem)
        self._variance = variance
        self._error: Any = None

    def gradient(self, theta: Any) -> Any:
        if self._error is None:
            self._error = self._problem.normal(theta, self._variance)
        return self._problem.gradient(theta) + self._error


class GradientNoise(_Wrapper):
    """Annealed Gaussian noise added to the gradient, of variance η/t^γ in step t (from 1).

    Every gradient of a step has the same error. Counted from 0, as the paper does, the variance is
    η/(1 + t)^γ.

    Parameters
    ----------
    optimizer
        Sees the noisy gradients.
    eta
        η, the variance in the first step, non-negative.
    gamma
        γ, non-negative: how fast the noise vanishes; 0 keeps it.

    Examples
    --------
    >>> GradientNoise(GradientDescent(0.1))
    GradientNoise(optimizer=GradientDescent(learning_rate=0.1), eta=0.01, gamma=0.55)
    """

    eta: NonNegative = 0.01
    gamma: NonNegative = 0.55

    aliases: ClassVar[tuple[str, ...]] = ("NoisySGD", "GradientNoiseInjection")
    source: ClassVar[str] = "Neelakantan et al. (2015), eq. 1; optax.noisy_sgd (0.2.8)"

    @property
    def random(self) -> bool:  # type: ignore[override]  # a wrapper has it depend on its fields
        """True."""
        return True

    @property
    def _repeats(self) -> int | None:
        """Never, unless the noise keeps its size."""
        return 1 if vanishes(self.gamma) else None

    @property
    def _tends(self) -> bool:
        """True: only the size of the noise changes, not the map."""
        return True

    def step(self, problem: Any, t: int, theta: Any, *memory: Any) -> Any:
        variance = self.eta if vanishes(self.gamma) else self.eta / power(t, self.gamma)
        theta, memory = self._step(_NoisyGradients(problem, variance), t, theta, memory)
        return theta, *memory

    def published_limit(self) -> Any:
        """Of the optimizer inside: the mean path is its path."""
        return self.optimizer.published_limit()

    @classmethod
    def example(cls) -> Self:
        """Return an instance for listings and tests."""
        return cls(GradientDescent(0.1))


class SimulatedAnnealing(Optimizer):
    """Metropolis steps of falling temperature: θ + sξ is accepted with probability e^(-ΔJ/T).

    A proposal with a smaller loss is always accepted. At step t the temperature is T c^(t-1). It
    takes no gradients. At a constant temperature (c = 1) the runs sample exp(-J/T) exactly, in the
    limit: along an eigendirection with variance T/λ. The current point is reported, not the best.

    Parameters
    ----------
    temperature
        T, non-negative: that of the first step, or a schedule. 0 accepts no ascent.
    cooling
        c in [0, 1], per step.
    step_size
        s, positive: standard deviation of a proposal in every coordinate.

    Examples
    --------
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> from convex_analyzer.simulation.engine import simulate
    >>> toy = Quadratic.diagonal([1.0, 4.0])
    >>> end = simulate(toy, SimulatedAnnealing(), [3.0, 3.0], 2000, seed=1).loss[-1]
    >>> bool(end < 1e-3)
    True
    """

    temperature: NonNegative = 1.0
    cooling: UnitInterval = 0.99
    step_size: Positive = 0.1

    random: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("Annealing", "Metropolis")
    source: ClassVar[str] = "Kirkpatrick, Gelatt & Vecchi (1983); Metropolis et al. (1953)"

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """None, unless the temperature is constant."""
        return 1 if vanishes(1 - self.cooling) else None

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        proposal = theta + problem.normal(theta, self.step_size * self.step_size)
        before = column(problem.value(theta))
        rise = column(problem.value(proposal)) - before
        luck = problem.uniform(before)  # one decision for each run
        # luck < exp(-rise / T), without a division by T and without the logarithm of zero
        bearable = -self.temperature * self.cooling ** (t - 1) * log(1 - luck)
        return where(rise <= bearable, proposal, theta)
