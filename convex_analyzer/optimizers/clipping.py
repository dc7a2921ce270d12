"""Optimizers around another one that change the gradient it sees: clipping and weight decay."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from convex_analyzer.domains import NonNegative, Positive
from convex_analyzer.errors import InputError
from convex_analyzer.forms import vanishes
from convex_analyzer.noise.streams import Drawn
from convex_analyzer.ops import dot, maximum, minimum, norm, where
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.optimizers.wrapping import _Wrapper, learning_rate_of

__all__ = ["ClippedByNorm", "ClippedByValue", "WeightDecay"]


class _ShortGradients(Drawn):
    """The problem with its gradients cut to a length; the rest is unchanged."""

    def __init__(self, problem: Any, most: Any, epsilon: Any) -> None:
        super().__init__(problem)
        self._most, self._epsilon = most, epsilon

    def gradient(self, theta: Any) -> Any:
        gradient = self._problem.gradient(theta)
        size = norm(gradient) + self._epsilon
        long = size > self._most
        return where(long, self._most / where(long, size, 1), 1) * gradient


class ClippedByNorm(_Wrapper):
    """Gradients scaled down to at most a given length: g ← g min(1, c/(|g| + ε)).

    The direction stays. Next to the minimum, where gradients are shorter than c, nothing changes;
    far away the step has at most the length that the optimizer inside makes of c. Noise that an
    outer wrapper or the simulation adds to the gradient is clipped with it.

    Parameters
    ----------
    optimizer
        Sees the clipped gradients.
    max_norm
        c, positive.
    epsilon
        ε, non-negative: 1e-6 in torch, 0 in optax.clip_by_global_norm.

    Examples
    --------
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> from convex_analyzer.simulation.engine import simulate
    >>> rule = ClippedByNorm(GradientDescent(0.1), max_norm=1.0, epsilon=0.0)
    >>> simulate(Quadratic.diagonal([1.0, 1.0]), rule, [3.0, 4.0], 1).theta[-1]
    array([2.94, 3.92])
    """

    max_norm: Positive = 1.0
    epsilon: NonNegative = 1e-6

    aliases: ClassVar[tuple[str, ...]] = ("GradientClipping", "ClipByNorm", "ClipByGlobalNorm")
    source: ClassVar[str] = (
        "Pascanu, Mikolov & Bengio (2013), algorithm 1; torch.nn.utils.clip_grad_norm_ (2.13)"
    )

    def step(self, problem: Any, t: int, theta: Any, *memory: Any) -> Any:
        theta, memory = self._step(
            _ShortGradients(problem, self.max_norm, self.epsilon), t, theta, memory
        )
        return theta, *memory

    def published_limit(self) -> Any:
        """Of the optimizer inside: short gradients are not clipped (if c is not below ε)."""
        shrinks = np.any(np.less_equal(self.max_norm, self.epsilon))
        return None if shrinks else self.optimizer.published_limit()

    @classmethod
    def example(cls) -> Self:
        """Return an instance for listings and tests."""
        return cls(GradientDescent(0.1))


class _SmallGradients(Drawn):
    """The problem with every entry of its gradients cut to a range; the rest is unchanged."""

    def __init__(self, problem: Any, most: Any) -> None:
        super().__init__(problem)
        self._most = most

    def gradient(self, theta: Any) -> Any:
        return minimum(maximum(self._problem.gradient(theta), -self._most), self._most)


class ClippedByValue(_Wrapper):
    """Every entry of the gradient cut to [-c, c], which turns the step of a long gradient.

    Parameters
    ----------
    optimizer
        Sees the clipped gradients.
    max_value
        c, positive.

    Examples
    --------
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> from convex_analyzer.simulation.engine import simulate
    >>> rule = ClippedByValue(GradientDescent(0.1), max_value=1.0)
    >>> simulate(Quadratic.diagonal([1.0, 1.0]), rule, [-3.0, 0.5], 1).theta[-1]
    array([-2.9 ,  0.45])
    """

    max_value: Positive = 1.0

    aliases: ClassVar[tuple[str, ...]] = ("ClipByValue",)
    source: ClassVar[str] = "torch.nn.utils.clip_grad_value_ (2.13); optax.clip (0.2.8)"

    def step(self, problem: Any, t: int, theta: Any, *memory: Any) -> Any:
        theta, memory = self._step(_SmallGradients(problem, self.max_value), t, theta, memory)
        return theta, *memory

    def published_limit(self) -> Any:
        """Of the optimizer inside: small gradients are not clipped."""
        return self.optimizer.published_limit()

    @classmethod
    def example(cls) -> Self:
        """Return an instance for listings and tests."""
        return cls(GradientDescent(0.1))


class _Penalised(Drawn):
    """The problem with w|θ|²/2 added: A + wI in place of A."""

    def __init__(self, problem: Any, weight: Any) -> None:
        super().__init__(problem)
        self._weight = weight

    def value(self, theta: Any) -> Any:
        return self._problem.value(theta) + (self._weight * dot(theta, theta) / 2)[..., 0]

    def gradient(self, theta: Any) -> Any:
        return self._problem.gradient(theta) + self._weight * theta

    def hessian_vector(self, theta: Any, vector: Any) -> Any:
        return self._problem.hessian_vector(theta, vector) + self._weight * vector

    def inverse_hessian_vector(self, theta: Any, vector: Any, damping: Any = 0) -> Any:
        return self._problem.inverse_hessian_vector(theta, vector, damping + self._weight)


class WeightDecay(_Wrapper):
    """Weight decay around any optimizer: decoupled, θ⁺ - αwθ, or coupled, g + wθ.

    Decoupled: αwθ, of the point before the step and with the learning rate of the optimizer
    inside, is taken off what that makes of θ. The decay never meets its gradients, so θ ← (1 - αw)θ
    first and then the step from the old gradient is the same (torch's AdamW, Keras, and decoupled
    momentum of Loshchilov & Hutter, whose λ is αw). Around the heavy ball:
    z² - (1 - αw + μ - αλ) z + μ(1 - αw) = 0, and the run ends in the minimiser of
    J + (1 - μ)w|θ|²/2; around gradient descent in that of J + w|θ|²/2.

    Coupled: the optimizer inside works on J + w|θ|²/2, that is, on eigenvalues raised by w
    (weight_decay of torch.optim.SGD and Adam).

    Parameters
    ----------
    optimizer
        Takes the steps.
    weight_decay
        w, non-negative.
    decoupled
        Which of the two.

    Examples
    --------
    >>> from convex_analyzer.theory.analysis import analyze
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> rule = WeightDecay(HeavyBall(0.1, 0.9), 0.5)
    >>> round(analyze(Quadratic.diagonal([1.0]), rule).rate ** 2, 6)  # μ(1 - αw)
    0.855
    """

    weight_decay: NonNegative = 0.01
    decoupled: bool = True

    source: ClassVar[str] = "Loshchilov & Hutter (2019), algorithm 1; torch.optim.AdamW (2.13)"

    def _check(self) -> None:
        super()._check()
        if self.decoupled and learning_rate_of(self.optimizer) is None:
            raise InputError(
                f"WeightDecay: {type(self.optimizer).__name__} has no learning rate to multiply "
                "the decay by",
                argument="decoupled",
                hint="set decoupled=False",
            )

    def step(self, problem: Any, t: int, theta: Any, *memory: Any) -> Any:
        if not self.decoupled:
            problem = _Penalised(problem, self.weight_decay)
        moved, memory = self._step(problem, t, theta, memory)
        if self.decoupled:
            moved = moved - learning_rate_of(self.optimizer) * self.weight_decay * theta
        return moved, *memory

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        if not self.decoupled:
            problem = _Penalised(problem, self.weight_decay)
        return super().start(problem, theta)

    def published_limit(self) -> Any:
        """Of the optimizer inside, without decay; with it there is none for αλ alone."""
        return self.optimizer.published_limit() if vanishes(self.weight_decay) else None

    @classmethod
    def example(cls) -> Self:
        """Return an instance for listings and tests."""
        return cls(HeavyBall(0.1, 0.5))
