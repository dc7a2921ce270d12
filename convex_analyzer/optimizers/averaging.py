"""Averages of the iterates of any optimizer, and slow weights that follow fast ones.

All but `AveragedSGD` wrap another optimizer and leave its iterates alone, except `Lookahead`, which
pulls them back. What is averaged is the point that the inner optimizer reports.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from convex_analyzer.domains import (
    BelowOne,
    Choice,
    NonNegative,
    Positive,
    UnitInterval,
    Whole,
    WholeFromZero,
)
from convex_analyzer.ops import maximum
from convex_analyzer.optimizers.adaptive import is_off
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.optimizers.wrapping import _Wrapper
from convex_analyzer.schedules.arithmetic import power

__all__ = ["EMA", "Averaged", "AveragedSGD", "Lookahead"]


class Averaged(_Wrapper):
    """Polyak-Ruppert averaging: reports the mean of the iterates, θ̄_k = (θ_1 + ... + θ_k)/k.

    The optimizer inside runs as it would alone. Without noise the mean is slower than the last
    iterate: from gradient descent along an eigendirection, with q = 1 - αλ, it is
    θ_0 q(1 - q^k)/(k(1 - q)), which falls like 1/k. Under noise its variance falls like 1/k, too,
    where that of the iterate stays.

    The rule never repeats, and it tends to no map that says how fast it is: for large k the
    average stands still. So there is no rate; convergence is sublinear.

    Parameters
    ----------
    optimizer
        What is averaged.
    after
        Steps to leave out; up to the first one averaged, the iterate itself is reported.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> from convex_analyzer.simulation.engine import simulate
    >>> rule = Averaged(GradientDescent(0.5))
    >>> simulate(Quadratic.diagonal([1.0]), rule, [1.0], 3).theta[:, 0]  # 1/2, 1/4, 1/8 averaged
    array([1.        , 0.5       , 0.375     , 0.29166667])
    """

    after: WholeFromZero = 0

    aliases: ClassVar[tuple[str, ...]] = ("PolyakRuppert", "PolyakAveraging", "SWA")
    source: ClassVar[str] = (
        "Polyak & Juditsky (1992); Ruppert (1988); torch.optim.swa_utils.AveragedModel (2.13)"
    )

    @property
    def _repeats(self) -> None:
        """Never: the newest iterate counts less and less."""
        return

    def step(self, problem: Any, t: int, theta: Any, average: Any, *memory: Any) -> Any:
        theta, memory = self._step(problem, t, theta, memory)
        point = self.optimizer.report(theta, *memory)
        average = average + (point - average) / maximum(1, t - self.after)
        return theta, average, *memory

    def report(self, theta: Any, *memory: Any) -> Any:
        return memory[0]

    def published_limit(self) -> Any:
        """Of the optimizer inside: a mean converges with its terms."""
        return self.optimizer.published_limit()

    @classmethod
    def example(cls) -> Self:
        """Return an instance for listings and tests."""
        return cls(HeavyBall(0.1, 0.5))


class EMA(_Wrapper):
    """Exponential moving average of the iterates, reported: θ̄ ← γθ̄ + (1 - γ)θ.

    The optimizer inside runs as it would alone. Along an eigendirection the average adds the root
    γ: it is no faster than the slower of the two. Sources differ in how the average begins.

    Parameters
    ----------
    optimizer
        What is averaged.
    decay
        γ in [0, 1), the weight of the past.
    initial
        ``"first"``: the first step copies θ_1 (torch, Keras). ``"start"``: from θ_0.
        ``"corrected"``: the weights of θ_1 ... θ_k are γ^(k-j), divided by their sum.

    Examples
    --------
    >>> EMA(HeavyBall(0.1), 0.9, "start").memory
    ('average', 'velocity')
    """

    decay: BelowOne = 0.999
    initial: Annotated[str, Choice(("first", "start", "corrected"))] = "first"

    aliases: ClassVar[tuple[str, ...]] = ("ExponentialAverage", "AveragedModel")
    source: ClassVar[str] = (
        "torch.optim.swa_utils.get_ema_multi_avg_fn (2.13, 0.999); Keras use_ema (3.15, 0.99)"
    )

    @property
    def _repeats(self) -> int | None:
        """1 if the average begins at θ_0; else its first steps are unlike the others."""
        return 1 if self.initial == "start" else None

    @property
    def _tends(self) -> bool:
        return True

    def step(self, problem: Any, t: int, theta: Any, average: Any, *memory: Any) -> Any:
        theta, memory = self._step(problem, t, theta, memory)
        point = self.optimizer.report(theta, *memory)
        if self.initial == "corrected":
            share = (1 - self.decay) / (1 - self.decay**t)
            return theta, average + share * (point - average), *memory
        if self.initial == "first" and t == 1:
            return theta, point, *memory
        return theta, self.decay * average + (1 - self.decay) * point, *memory

    def report(self, theta: Any, *memory: Any) -> Any:
        return memory[0]

    def published_limit(self) -> Any:
        """Of the optimizer inside: the average adds a root below one."""
        return self.optimizer.published_limit()

    @classmethod
    def example(cls) -> Self:
        """Return an instance for listings and tests."""
        return cls(HeavyBall(0.1, 0.5), 0.9)


class Lookahead(_Wrapper):
    """Lookahead: k steps forward, one step back; reports the slow weights (Zhang et al., 2019).

    Every k steps the slow weights move a part s of the way to the fast ones, φ ← φ + s(θ - φ), and
    these go on from there, θ ← φ. Around gradient descent a cycle multiplies the error along an
    eigendirection by 1 - s + s(1 - αλ)^k: with k odd it allows learning rates beyond 2/λ.

    Parameters
    ----------
    optimizer
        Takes the fast steps.
    sync_period
        k, the steps of a cycle.
    slow_step_size
        s in [0, 1]; 1 leaves the optimizer inside alone.
    reset
        Whether the memory inside starts anew with every cycle, its count of steps too (not that of
        its schedules); else it is kept, as in the paper.
    report_fast
        Whether to report θ instead of φ; the two are equal after every cycle.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> from convex_analyzer.simulation.engine import simulate
    >>> rule = Lookahead(GradientDescent(0.5), sync_period=2)
    >>> simulate(Quadratic.diagonal([1.0]), rule, [1.0], 4).theta[:, 0]  # 1 - 1/2 + 1/2 * 1/4
    array([1.      , 1.      , 0.625   , 0.625   , 0.390625])
    """

    sync_period: Whole = 5
    slow_step_size: UnitInterval = 0.5
    reset: bool = False
    report_fast: bool = False

    source: ClassVar[str] = "Zhang, Lucas, Hinton & Ba (2019), algorithm 1; optax.lookahead (0.2.8)"

    @property
    def _repeats(self) -> int:
        """Length of a cycle."""
        return self.sync_period

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """A cycle; with `reset` also when the optimizer inside never repeats."""
        return self.sync_period if self.reset else super().period

    @property
    def cycle(self) -> int | None:
        """As `period`, unless schedules, which go on, make it longer."""
        return self.sync_period if self.reset and not self.is_scheduled else super().cycle

    def step(self, problem: Any, t: int, theta: Any, slow: Any, *memory: Any) -> Any:
        inside = (t - 1) % self.sync_period + 1 if self.reset else t
        theta, memory = self._step(problem, inside, theta, memory)
        if t % self.sync_period != 0:
            return theta, slow, *memory
        slow = slow + self.slow_step_size * (theta - slow)
        kept = self.optimizer.start(problem, slow) if self.reset else memory
        return slow, slow, *kept

    def report(self, theta: Any, *memory: Any) -> Any:
        return theta if self.report_fast else memory[0]

    @classmethod
    def example(cls) -> Self:
        """Return an instance for listings and tests."""
        return cls(HeavyBall(0.1, 0.5), 3)


class AveragedSGD(Optimizer):
    """torch.optim.ASGD: gradient descent with a falling rate, averaged from step t₀ + 2 on.

    With η_k = α/(1 + δα(k - 1))^p it does θ ← (1 - δη_k)θ - η_k(g + wθ) and averages
    θ̄ ← θ̄ + (θ - θ̄)/max(1, k - 1 - t₀).

    In torch the parameters are θ, and the average is hidden in ``state["ax"]``; by default it does
    not even begin in the first million steps, but is a copy of θ. Under a schedule torch's η_k is
    made from the α of the step before.

    Parameters
    ----------
    learning_rate
        α, positive.
    lambd
        δ, non-negative: how fast η falls, and the decay of θ.
    power
        p (``alpha`` in torch).
    t0
        t₀, the steps before averaging.
    weight_decay
        w, non-negative, coupled: wθ is added to the gradient.
    report_average
        Whether to report θ̄; torch reports θ.

    Examples
    --------
    >>> AveragedSGD().t0
    1000000
    """

    learning_rate: Positive = 0.01
    lambd: NonNegative = 1e-4
    power: NonNegative = 0.75
    t0: WholeFromZero = 1_000_000
    weight_decay: NonNegative = 0.0
    report_average: bool = False

    period: ClassVar[int | None] = None
    aliases: ClassVar[tuple[str, ...]] = ("ASGD",)
    source: ClassVar[str] = "torch.optim.ASGD (2.13); Polyak & Juditsky (1992)"

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        return (theta,)

    def step(self, problem: Any, t: int, theta: Any, average: Any) -> Any:
        falling = 1 + self.lambd * self.learning_rate * (t - 1)
        rate = self.learning_rate / power(falling, self.power)
        push = problem.gradient(theta)
        if not is_off(self.weight_decay):
            push = push + self.weight_decay * theta
        theta = (1 - self.lambd * rate) * theta - rate * push
        return theta, average + (theta - average) / maximum(1, t - 1 - self.t0)

    def report(self, theta: Any, *memory: Any) -> Any:
        return memory[0] if self.report_average else theta
