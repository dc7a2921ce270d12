"""Relatives of Adam that start differently, replace its mean square, or scale its whole step.

RAdam leaves the root out until it rests on enough squares, Adamax takes a maximum for the mean,
AdaBelief the spread of the gradient around its mean, Yogi a mean that changes at most additively,
and LAMB scales Adam's step to the length of θ.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from convex_analyzer import ops
from convex_analyzer.domains import BelowOne, Choice, Domain, Interval, NonNegative, Positive
from convex_analyzer.optimizers.adam import times_root
from convex_analyzer.optimizers.adaptive import decayed_gradient, is_off, shrunk
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["LAMB", "AdaBelief", "Adamax", "RAdam", "Yogi"]

_FROM_FOUR = Interval(4.0, math.inf, open_high=True)


class RAdam(Optimizer):
    """RAdam: Adam without the root until the mean square is trustworthy, rectified; as in torch.

    ρ_∞ = 2/(1 - β₂) - 1,  ρ_t = ρ_∞ - 2tβ₂ᵗ/(1 - β₂ᵗ). While ρ_t ≤ 5 it is momentum, θ ← θ - α m̂;
    after that θ ← θ - α r_t m̂ √(1 - β₂ᵗ)/(√s + ε) with
    r_t = √((ρ_t - 4)(ρ_t - 2)ρ_∞ / ((ρ_∞ - 4)(ρ_∞ - 2)ρ_t)).

    optax divides by √(ŝ + ε_r) + ε instead, and already at ρ_t = 5; they are equal at ε = 0.

    Parameters
    ----------
    learning_rate
        α.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative.
    variant
        ``"torch"`` or ``"optax"``.
    threshold
        What ρ_t must exceed, at least 4: 5 in torch and optax, 4 in the paper.
    epsilon_root
        ε_r, non-negative: added under the root (optax's eps_root).
    weight_decay
        w, non-negative: g + wθ takes the place of g.
    decoupled
        Whether θ is multiplied by 1 - αw instead, as in AdamW.

    Examples
    --------
    >>> RAdam().memory
    ('mean', 'square')
    """

    learning_rate: Positive = 0.001
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-8
    variant: Annotated[str, Choice(("torch", "optax"))] = "torch"
    threshold: Annotated[Any, Domain("at least 4", _FROM_FOUR, _FROM_FOUR)] = 5.0
    epsilon_root: NonNegative = 0.0
    weight_decay: NonNegative = 0.0
    decoupled: bool = False

    settles: ClassVar[bool] = True
    period: ClassVar[int | None] = None
    source: ClassVar[str] = "Liu et al. (2020), algorithm 2; torch 2.13"

    @property
    def epsilon_hat(self) -> bool:
        """Whether ε is added to √s instead of √ŝ, as torch does."""
        return self.variant == "torch"

    def step(self, problem: Any, t: int, theta: Any, mean: Any, square: Any) -> Any:
        gradient = decayed_gradient(self, problem, theta)
        theta = shrunk(self, theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        square = self.beta2 * square + (1 - self.beta2) * (gradient * gradient)
        rate = self.learning_rate / (1 - self.beta1**t)

        fade = self.beta2**t
        longest = 2 / (1 - self.beta2) - 1
        length = longest - 2 * t * fade / (1 - fade)
        trusted = length > self.threshold if self.variant == "torch" else length >= self.threshold
        root = ops.sqrt(1 - fade)
        scaled = self._rectifier(length, longest) * root * mean / times_root(self, square, root)
        return theta - rate * ops.where(trusted, scaled, mean), mean, square

    def _rectifier(self, length: Any, longest: Any) -> Any:
        """Return r_t; not used below the threshold, where numbers are kept real and finite."""
        if not ops.is_symbolic(length, longest):
            length = ops.maximum(length, 4)
            longest = ops.maximum(longest, 4 + 1e-12)
        share = (length - 4) * (length - 2) * longest / length
        return ops.sqrt(share / ((longest - 4) * (longest - 2)))


class Adamax(Optimizer):
    """Adamax: Adam with a decaying maximum of |g| in place of the root; ε inside it as in torch.

    m ← β₁m + (1 - β₁)g,  u ← max(β₂u, |g| + ε),  θ ← θ - α/(1 - β₁ᵗ) m/u.

    The same in torch and optax. Without `epsilon_inside` u ← max(β₂u, |g|) and the denominator is
    u + ε (Keras); the paper has no ε.

    Parameters
    ----------
    learning_rate
        α: 0.002 in torch and the paper, 0.001 in Keras.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative.
    epsilon_inside
        Whether ε is added inside the maximum.
    weight_decay
        w, non-negative: g + wθ takes the place of g.
    decoupled
        Whether θ is multiplied by 1 - αw instead (optax's adamaxw, Keras).

    Examples
    --------
    >>> Adamax().memory
    ('mean', 'largest')
    """

    learning_rate: Positive = 0.002
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-8
    epsilon_inside: bool = True
    weight_decay: NonNegative = 0.0
    decoupled: bool = False

    period: ClassVar[int | None] = None
    settles: ClassVar[bool] = True
    source: ClassVar[str] = "Kingma & Ba (2015), algorithm 2; torch 2.13"

    def step(self, problem: Any, t: int, theta: Any, mean: Any, largest: Any) -> Any:
        gradient = decayed_gradient(self, problem, theta)
        theta = shrunk(self, theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        size = ops.absolute(gradient)
        if self.epsilon_inside:
            size = size + self.epsilon
        largest = ops.maximum(self.beta2 * largest, size)
        scale = largest if self.epsilon_inside else largest + self.epsilon
        rate = self.learning_rate / (1 - self.beta1**t)
        return theta - rate * mean / scale, mean, largest


class AdaBelief(Optimizer):
    """AdaBelief: Adam that divides by the spread of the gradient around its mean; as in optax.

    m ← β₁m + (1 - β₁)g,  s ← β₂s + (1 - β₂)(g - m)² + ε_r,  θ ← θ - α m̂ / (√ŝ + ε).

    ε_r is added at every step, so that it accumulates to ε_r/(1 - β₂).

    Parameters
    ----------
    learning_rate
        α; optax has no default, the paper 0.001.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative.
    epsilon_root
        ε_r, non-negative: added to s at every step.

    Examples
    --------
    >>> AdaBelief().memory
    ('mean', 'spread')
    """

    learning_rate: Positive = 0.001
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-16
    epsilon_root: NonNegative = 1e-16

    period: ClassVar[int | None] = None
    settles: ClassVar[bool] = True
    source: ClassVar[str] = "Zhuang et al. (2020), algorithm 2; optax 0.2.8"

    def step(self, problem: Any, t: int, theta: Any, mean: Any, spread: Any) -> Any:
        gradient = problem.gradient(theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        surprise = gradient - mean
        spread = self.beta2 * spread + (1 - self.beta2) * (surprise * surprise) + self.epsilon_root
        root = ops.sqrt(1 - self.beta2**t)
        rate = self.learning_rate * root / (1 - self.beta1**t)
        return theta - rate * mean / (ops.sqrt(spread) + root * self.epsilon), mean, spread


class Yogi(Optimizer):
    """Yogi: Adam whose mean square moves by at most (1 - β₂)g² per step; as in optax.

    m ← β₁m + (1 - β₁)g,  s ← s - (1 - β₂) sign(s - g²) g²,  θ ← θ - α m̂ / (√ŝ + ε).

    Both m and s start at `initial_accumulator`.

    Parameters
    ----------
    learning_rate
        α; optax has no default, the paper 0.01.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative: 0.001.
    initial_accumulator
        m and s before the first step: 1e-6 in optax.

    Examples
    --------
    >>> Yogi().initial_accumulator
    1e-06
    """

    learning_rate: Positive = 0.01
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-3
    initial_accumulator: NonNegative = 1e-6

    period: ClassVar[int | None] = None
    settles: ClassVar[bool] = True
    source: ClassVar[str] = "Zaheer et al. (2018), algorithm 2; optax 0.2.8"

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        filled = theta * 0 + self.initial_accumulator
        return filled, filled

    def step(self, problem: Any, t: int, theta: Any, mean: Any, square: Any) -> Any:
        gradient = problem.gradient(theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        new = gradient * gradient
        square = square - (1 - self.beta2) * ops.sign(square - new) * new
        root = ops.sqrt(1 - self.beta2**t)
        rate = self.learning_rate * root / (1 - self.beta1**t)
        return theta - rate * mean / (ops.sqrt(square) + root * self.epsilon), mean, square


class LAMB(Optimizer):
    """LAMB: Adam's step, weight decay included, stretched to the length of θ; as in optax.

    u = m̂ / (√(ŝ + ε_r) + ε) + wθ,  θ ← θ - α (‖θ‖/‖u‖) u, where the ratio is 1 if a norm is zero.

    All coordinates form one layer.

    Parameters
    ----------
    learning_rate
        α; optax has no default, Keras 0.001.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative: 1e-6 in optax.
    epsilon_root
        ε_r, non-negative: added under the root (optax's eps_root).
    weight_decay
        w, non-negative: wθ is added to the direction before it is stretched.

    Examples
    --------
    >>> LAMB().memory
    ('mean', 'square')
    """

    learning_rate: Positive = 0.001
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-6
    epsilon_root: NonNegative = 0.0
    weight_decay: NonNegative = 0.0

    epsilon_hat: ClassVar[bool] = False
    period: ClassVar[int | None] = None
    settles: ClassVar[bool] = True
    source: ClassVar[str] = "You et al. (2020), algorithm 2; optax 0.2.8"

    def step(self, problem: Any, t: int, theta: Any, mean: Any, square: Any) -> Any:
        gradient = problem.gradient(theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        square = self.beta2 * square + (1 - self.beta2) * (gradient * gradient)
        root = ops.sqrt(1 - self.beta2**t)
        direction = root / (1 - self.beta1**t) * mean / times_root(self, square, root)
        if not is_off(self.weight_decay):
            direction = direction + self.weight_decay * theta
        size, length = ops.norm(theta), ops.norm(direction)
        ratio = ops.where(length > 0, size / ops.where(length > 0, length, 1), 1)
        ratio = ops.where(size > 0, ratio, 1)
        return theta - self.learning_rate * ratio * direction, mean, square
