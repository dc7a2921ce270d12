"""Rules that scale every coordinate by the gradients that it has seen.

Sources share the idea and differ in the details, which are fields here: whether ε stands inside the
root or beside it, where an accumulator starts, whether a learning rate multiplies before or after
the velocity. Defaults are those of torch; the docstrings say how to get the others.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from convex_analyzer import ops
from convex_analyzer.domains import (
    BelowOne,
    Choice,
    NonNegative,
    Positive,
    UnitInterval,
    is_schedule,
)
from convex_analyzer.errors import InputError
from convex_analyzer.forms import vanishes
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["AdaGrad", "Adadelta", "RMSProp", "decayed_gradient", "is_off", "shrunk"]


def is_off(value: Any) -> bool:
    """Tell whether a hyper-parameter is the number zero: its part of a rule can be left out.

    Values per run and schedules never are: in another tile, or at another step, they may not be
    zero, and the state must have the same slots there.

    Examples
    --------
    >>> is_off(0.0), is_off(0.1), is_off(np.zeros((2, 1)))
    (True, False, False)
    """
    if isinstance(value, float):
        return value == 0.0
    return _is_one_number(value) and vanishes(value)


def _is_one_number(value: Any) -> bool:
    """Tell whether a hyper-parameter is the same number in every run and at every step."""
    return not isinstance(value, np.ndarray) and not is_schedule(value)


def decayed_gradient(rule: Any, problem: Any, theta: Any) -> Any:
    """Return the gradient; with coupled weight decay w (L2), that of J + w|θ|²/2."""
    gradient = problem.gradient(theta)
    if rule.decoupled or is_off(rule.weight_decay):
        return gradient
    return gradient + rule.weight_decay * theta


def shrunk(rule: Any, theta: Any) -> Any:
    """Return theta; with decoupled weight decay w, shrunk to (1 - αw)θ before the step."""
    if not rule.decoupled or is_off(rule.weight_decay):
        return theta
    return (1 - rule.learning_rate * rule.weight_decay) * theta


class AdaGrad(Optimizer):
    """AdaGrad: gradients divided by the root of the sum of their squares; defaults of torch.

    s ← s + g²,  θ ← θ - α g / (√s + ε);  with `epsilon_inside`, θ ← θ - α g / √(s + ε).

    Lecture 000 and optax and Keras put ε inside, lecture 004 outside. Starting s at ε and dropping
    ε is the same as ε inside; between ε inside and ε outside there is no other translation.

    Parameters
    ----------
    learning_rate
        α, positive.
    epsilon
        ε, non-negative: 1e-10 in torch, 1e-8 in lecture 000, 1e-7 in lecture 004, optax and Keras.
    epsilon_inside
        Whether ε is added to s under the root; a coordinate with s = ε = 0 then stays where it is
        (optax).
    initial_accumulator
        s before the first step: 0 in torch and the lectures, 0.1 in optax and Keras.
    learning_rate_decay
        c: step t uses α/(1 + c(t - 1)).
    weight_decay
        w, non-negative: g + wθ takes the place of g.
    decoupled
        Whether θ is multiplied by 1 - αw instead (Keras).

    Examples
    --------
    >>> AdaGrad(0.4, 1e-6, epsilon_inside=True).memory
    ('square_sum',)
    """

    learning_rate: Positive = 0.01
    epsilon: NonNegative = 1e-10
    epsilon_inside: bool = False
    initial_accumulator: NonNegative = 0.0
    learning_rate_decay: NonNegative = 0.0
    weight_decay: NonNegative = 0.0
    decoupled: bool = False

    source: ClassVar[str] = "Duchi, Hazan & Singer (2011); lecture 000; lecture 004, algorithm 8.4"

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """1, unless the learning rate decays."""
        return 1 if is_off(self.learning_rate_decay) else None

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        return (theta * 0 + self.initial_accumulator,)

    def step(self, problem: Any, t: int, theta: Any, square_sum: Any) -> Any:
        gradient = decayed_gradient(self, problem, theta)
        theta = shrunk(self, theta)
        square_sum = square_sum + gradient * gradient
        rate = self.learning_rate
        if not is_off(self.learning_rate_decay):
            rate = rate / (1 + self.learning_rate_decay * (t - 1))
        if not self.epsilon_inside:
            return theta - rate * gradient / (ops.sqrt(square_sum) + self.epsilon), square_sum
        root = ops.sqrt(square_sum + self.epsilon)
        if is_off(self.epsilon) or not _is_one_number(self.epsilon):
            root = ops.where(root > 0, root, 1)  # all its gradients were zero
        return theta - rate * gradient / root, square_sum


class RMSProp(Optimizer):
    """RMSProp: gradients divided by the root of a running mean of their squares; defaults of torch.

    s ← γs + (1 - γ)g²,  θ ← θ - α g / (√s + ε);  with `epsilon_inside`, θ ← θ - α g / √(s + ε).

    No bias correction: the first move is α/√(1 - γ) per coordinate, ten times α at γ = 0.99.
    `centered` takes s - ḡ² in the place of s, ḡ a running mean of g; as in torch, ε outside the
    root then gives NaN once a constant gradient has brought s - ḡ² below zero by rounding.

    With momentum μ and u = g / (√s + ε) the velocity is v ← μv + u and θ ← θ - αv (torch), or
    v ← μv + αu and θ ← θ - v with `learning_rate_inside` (optax, Keras). They differ only while α
    changes.

    Next to the minimum, s settled at 0, RMSProp is gradient descent with the learning rate α/ε
    (α/√ε inside): it stays there if and only if αλ/ε < 2; with momentum, heavy ball's limit.

    Parameters
    ----------
    learning_rate
        α: 0.01 in torch, 0.001 in lecture 000 and Keras.
    decay
        γ in [0, 1): 0.99 in torch, 0.9 elsewhere. Lecture 001 calls 1 - γ gamma.
    epsilon
        ε, non-negative: 1e-8 in torch and optax, 1e-7 in Keras, 1e-6 in lecture 004, 0 in lecture
        002.
    epsilon_inside
        Whether ε is added to s under the root: lectures 000 and 004, optax, Keras.
    centered
        Whether the variance of the gradient takes the place of its mean square.
    momentum
        μ in [0, 1].
    nesterov
        ``"off"``; ``"rewritten"``: θ ← θ - α(u + μv), reporting the look-ahead point (optax);
        ``"ahead"``: the gradient is taken at θ - αμv, and only it is divided by the root, not the
        jump αμv (lecture 002), reporting θ.
    learning_rate_inside
        Whether α multiplies u before it enters the velocity.
    bias_correction
        Whether s (and ḡ) are divided by 1 - γᵗ (an option of optax).
    initial_accumulator
        s before the first step.
    weight_decay
        w, non-negative: g + wθ takes the place of g.
    decoupled
        Whether θ is multiplied by 1 - αw instead (Keras).

    Examples
    --------
    >>> RMSProp(epsilon=0.01).published_limit()
    0.02
    >>> RMSProp(centered=True, momentum=0.9).memory
    ('square', 'gradient_mean', 'velocity')
    """

    learning_rate: Positive = 0.01
    decay: BelowOne = 0.99
    epsilon: NonNegative = 1e-8
    epsilon_inside: bool = False
    centered: bool = False
    momentum: UnitInterval = 0.0
    nesterov: Annotated[str, Choice(("off", "rewritten", "ahead"))] = "off"
    learning_rate_inside: bool = False
    bias_correction: bool = False
    initial_accumulator: NonNegative = 0.0
    weight_decay: NonNegative = 0.0
    decoupled: bool = False

    settles: ClassVar[bool] = True
    source: ClassVar[str] = "Hinton (2012), Coursera lecture 6; lecture 000; lecture 004, alg. 8.5"
    _momentum_changes = False

    def _check(self) -> None:
        if is_schedule(self.momentum):  # it may pass through zero; the slot must stay
            object.__setattr__(self, "_momentum_changes", True)
        if self.nesterov != "off" and not self._has_velocity:
            raise InputError(
                f"RMSProp: nesterov = {self.nesterov!r} needs momentum",
                argument="nesterov",
                hint="give momentum, for instance momentum=0.9",
            )

    @property
    def _has_velocity(self) -> bool:
        return self._momentum_changes or not is_off(self.momentum)

    @property
    def memory(self) -> tuple[str, ...]:  # type: ignore[override]  # depends on the fields
        """The mean square, and what centring and momentum need."""
        mean = ("gradient_mean",) if self.centered else ()
        return ("square", *mean, *(("velocity",) if self._has_velocity else ()))

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """1, unless the bias is corrected."""
        return None if self.bias_correction else 1

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        others = [theta * 0 for _ in self.memory[1:]]
        return (theta * 0 + self.initial_accumulator, *others)

    def step(self, problem: Any, t: int, theta: Any, square: Any, *memory: Any) -> Any:
        centre, velocity = memory[: self.centered], memory[self.centered :]  # of one slot or none
        outside = 1 if self.learning_rate_inside else self.learning_rate
        point = self._ahead(theta, outside, *velocity)
        gradient = decayed_gradient(self, problem, point)
        theta = shrunk(self, theta)

        averages, spread = self._averages(t, gradient, square, *centre)
        if self.epsilon_inside:
            scaled = gradient / ops.sqrt(spread + self.epsilon)
        else:
            scaled = gradient / (ops.sqrt(spread) + self.epsilon)
        if self.learning_rate_inside:
            scaled = self.learning_rate * scaled
        move, velocity = self._moved(scaled, *velocity)
        return theta - outside * move, *averages, *velocity

    def _ahead(self, theta: Any, outside: Any, *velocity: Any) -> Any:
        """Return where the gradient is taken."""
        if self.nesterov != "ahead":
            return theta
        return theta - outside * self.momentum * velocity[0]

    def _moved(self, scaled: Any, *velocity: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the move, and the new velocity if there is one."""
        if not velocity:
            return scaled, ()
        new = self.momentum * velocity[0] + scaled
        return (scaled + self.momentum * new if self.nesterov == "rewritten" else new), (new,)

    def _averages(self, t: int, gradient: Any, square: Any, *centre: Any) -> Any:
        """Return the running means to keep, and what stands under the root."""
        square = self.decay * square + (1 - self.decay) * (gradient * gradient)
        filled = 1 - self.decay**t if self.bias_correction else None
        spread = square if filled is None else square / filled
        if not self.centered:
            return (square,), spread
        mean = self.decay * centre[0] + (1 - self.decay) * gradient
        corrected = mean if filled is None else mean / filled
        return (square, mean), spread - corrected * corrected

    def published_limit(self) -> Any:
        """αλ < 2ε, or 2√ε inside the root: gradient descent's, next to the minimum.

        With momentum heavy ball's, 2(1 + μ), or Nesterov's, 2(1 + μ)/(1 + 2μ), takes the place of
        2. With weight decay the limit is not one of αλ alone.
        """
        if is_off(self.epsilon) or not is_off(self.weight_decay):
            return None
        unit = ops.sqrt(self.epsilon) if self.epsilon_inside else self.epsilon
        if not self._has_velocity:
            return 2 * unit
        limit = 2 * (1 + self.momentum) * unit
        return limit if self.nesterov == "off" else limit / (1 + 2 * self.momentum)


class Adadelta(Optimizer):
    """Adadelta: steps scaled so that their root mean square follows that of earlier steps.

    s ← ρs + (1 - ρ)g²,  Δ = √(d + ε)/√(s + ε) g,  d ← ρd + (1 - ρ)Δ²,  θ ← θ - αΔ.

    The same in torch, optax and Keras, which differ only in their defaults (here: torch). It
    starts slowly: its first step is about √(ε/(1 - ρ)) per coordinate. optax without a learning
    rate adds Δ instead of subtracting it.

    Parameters
    ----------
    learning_rate
        α: 1 in torch and in the paper, 0.001 in Keras.
    decay
        ρ in [0, 1): 0.9 in torch and optax, 0.95 in the paper and Keras.
    epsilon
        ε, non-negative: 1e-6 in torch, optax and the paper, 1e-7 in Keras.
    weight_decay
        w, non-negative: g + wθ takes the place of g.
    decoupled
        Whether θ is multiplied by 1 - αw instead (Keras).

    Examples
    --------
    >>> Adadelta().memory
    ('square', 'step_square')
    """

    learning_rate: Positive = 1.0
    decay: BelowOne = 0.9
    epsilon: NonNegative = 1e-6
    weight_decay: NonNegative = 0.0
    decoupled: bool = False

    source: ClassVar[str] = "Zeiler (2012), algorithm 1"

    def step(self, problem: Any, t: int, theta: Any, square: Any, step_square: Any) -> Any:
        gradient = decayed_gradient(self, problem, theta)
        theta = shrunk(self, theta)
        square = self.decay * square + (1 - self.decay) * (gradient * gradient)
        move = ops.sqrt((step_square + self.epsilon) / (square + self.epsilon)) * gradient
        step_square = self.decay * step_square + (1 - self.decay) * (move * move)
        return theta - self.learning_rate * move, square, step_square
