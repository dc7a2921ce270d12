"""Adam and the rules that differ from it by one idea: a mean of gradients over a root of squares.

All keep running means m of the gradient and s of its square (the literature's v), which start at
zero and are therefore too small at first; 1 - β₁ᵗ and 1 - β₂ᵗ correct that. Sources differ in where
ε stands relative to the root and to this correction. Defaults are those of torch.

The steps below multiply numerator and denominator by c = √(1 - β₂ᵗ), which saves passes over the
arrays: c(√(s/c² + ε_r) + ε) = √(s + c²ε_r) + cε.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from convex_analyzer import ops
from convex_analyzer.domains import BelowOne, Choice, NonNegative, Positive
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.adaptive import decayed_gradient, is_off, shrunk
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["AMSGrad", "Adam", "AdamW", "NAdam", "times_root"]


def times_root(rule: Any, square: Any, root: Any) -> Any:
    """Return c(√ŝ + ε) for c = `root`, ŝ = s/c²; with ``epsilon_hat`` √s + ε, which forgets c.

    ``epsilon_root`` is added to ŝ under the root.
    """
    if not is_off(rule.epsilon_root):
        square = square + root * root * rule.epsilon_root
    return ops.sqrt(square) + (rule.epsilon if rule.epsilon_hat else root * rule.epsilon)


def _limit(rule: Any) -> Any:
    """Return ε·2(1 + β₁)/(1 - β₁), with ε + √ε_r where there is an ε_r.

    Settled next to the minimum, s = 0 and m is the averaging form of heavy ball: learning rate
    α(1 - β₁)/ε, momentum β₁, stable below 2(1 + β₁).
    """
    still = rule.epsilon
    if not is_off(rule.epsilon_root):
        still = still + ops.sqrt(rule.epsilon_root)
    if is_off(still) or not is_off(rule.weight_decay):
        return None
    return still * (2 * (1 + rule.beta1) / (1 - rule.beta1))


class Adam(Optimizer):
    """Adam: the mean of the gradients over the root of the mean of their squares; as in torch.

    m ← β₁m + (1 - β₁)g,  s ← β₂s + (1 - β₂)g²,  m̂ = m/(1 - β₁ᵗ),  ŝ = s/(1 - β₂ᵗ),
    θ ← θ - α m̂ / (√(ŝ + ε_r) + ε).

    The same in lectures 000 and 004, torch and optax. Keras adds ε before the correction
    (`epsilon_hat`): α√(1 - β₂ᵗ)/(1 - β₁ᵗ) m/(√s + ε), which no constant ε translates.

    Next to the minimum, once s has decayed far below ε², it stays there if and only if
    αλ/ε < 2(1 + β₁)/(1 - β₁), 38 with the usual β₁. With the usual α and ε that is λ < 3.8e-4:
    on anything more curved a constant learning rate ends in a cycle or in bursts.

    Parameters
    ----------
    learning_rate
        α.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative: 1e-8, in Keras 1e-7.
    epsilon_root
        ε_r, non-negative: added under the root (optax's eps_root).
    epsilon_hat
        Whether ε is added to √s instead of √ŝ (Keras).
    bias_correction_mean, bias_correction_square
        Whether m and s are divided by 1 - β₁ᵗ and 1 - β₂ᵗ.
    weight_decay
        w, non-negative: g + wθ takes the place of g (L2). For decoupled decay see `AdamW`.

    Examples
    --------
    >>> round(Adam(epsilon=0.01).published_limit(), 12)
    0.38
    """

    learning_rate: Positive = 0.001
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-8
    epsilon_root: NonNegative = 0.0
    epsilon_hat: bool = False
    bias_correction_mean: bool = True
    bias_correction_square: bool = True
    weight_decay: NonNegative = 0.0

    decoupled: ClassVar[bool] = False
    settles: ClassVar[bool] = True
    source: ClassVar[str] = "Kingma & Ba (2015), algorithm 1; lecture 000; lecture 004, alg. 8.7"

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """1 without bias corrections."""
        return None if self.bias_correction_mean or self.bias_correction_square else 1

    def step(self, problem: Any, t: int, theta: Any, mean: Any, square: Any) -> Any:
        gradient = decayed_gradient(self, problem, theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        square = self.beta2 * square + (1 - self.beta2) * (gradient * gradient)
        filled = 1 - self.beta1**t if self.bias_correction_mean else 1
        root = ops.sqrt(1 - self.beta2**t) if self.bias_correction_square else 1
        rate = self.learning_rate * root / filled
        return theta - rate * mean / times_root(self, square, root), mean, square

    def published_limit(self) -> Any:
        """αλ < 2ε(1 + β₁)/(1 - β₁), next to the minimum: Cohen et al. (2022)."""
        return _limit(self)


class AdamW(Optimizer):
    """AdamW: Adam whose weight decay shrinks θ by itself, multiplied by the learning rate; torch.

    θ ← (1 - αw)θ, then Adam's step with the gradient taken before the shrinking.

    The same in torch, optax and (up to `epsilon_hat`) Keras, whose defaults of w are 0.01, 1e-4 and
    0.004. The paper's decay is not multiplied by α: its λ is αw. With w > 0 it does not come to
    rest at the minimiser.

    Parameters
    ----------
    learning_rate
        α.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative.
    weight_decay
        w, non-negative.
    epsilon_root
        ε_r, non-negative: added under the root (optax's eps_root).
    epsilon_hat
        Whether ε is added to √s instead of √ŝ (Keras).

    Examples
    --------
    >>> AdamW().weight_decay
    0.01
    """

    learning_rate: Positive = 0.001
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-8
    weight_decay: NonNegative = 0.01
    epsilon_root: NonNegative = 0.0
    epsilon_hat: bool = False

    decoupled: ClassVar[bool] = True
    period: ClassVar[int | None] = None
    settles: ClassVar[bool] = True
    source: ClassVar[str] = "Loshchilov & Hutter (2019), algorithm 2"

    def step(self, problem: Any, t: int, theta: Any, mean: Any, square: Any) -> Any:
        gradient = problem.gradient(theta)
        theta = shrunk(self, theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        square = self.beta2 * square + (1 - self.beta2) * (gradient * gradient)
        root = ops.sqrt(1 - self.beta2**t)
        rate = self.learning_rate * root / (1 - self.beta1**t)
        return theta - rate * mean / times_root(self, square, root), mean, square

    def published_limit(self) -> Any:
        """Adam's, without weight decay; with it the limit is not one of αλ alone."""
        return _limit(self)


class AMSGrad(Optimizer):
    """AMSGrad: Adam with the largest mean square so far under the root, in three variants.

    u ← max(u, s) takes the place of s. The variants differ in what is corrected for the start:

    - ``"torch"`` (torch and, with `epsilon_hat`, Keras): θ ← θ - α m̂ / (√(u/(1 - β₂ᵗ)) + ε): the
      maximum of raw squares, divided by the *current* correction;
    - ``"optax"``: u ← max(u, ŝ), θ ← θ - α m̂ / (√(u + ε_r) + ε): the maximum of corrected squares,
      which stays at g₁² when gradients only shrink;
    - ``"raw"`` (the paper, lecture 000): θ ← θ - α m / (√u + ε), nothing corrected.

    Parameters
    ----------
    learning_rate
        α.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative.
    variant
        ``"torch"``, ``"optax"`` or ``"raw"``.
    epsilon_root
        ε_r, non-negative: added under the root (optax's eps_root).
    epsilon_hat
        Whether ε is added to √u before its correction (Keras); of the torch variant only.
    weight_decay
        w, non-negative: g + wθ takes the place of g.
    decoupled
        Whether θ is multiplied by 1 - αw instead, as in AdamW.

    Examples
    --------
    >>> AMSGrad(variant="raw").memory
    ('mean', 'square', 'largest')
    """

    learning_rate: Positive = 0.001
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-8
    variant: Annotated[str, Choice(("torch", "optax", "raw"))] = "torch"
    epsilon_root: NonNegative = 0.0
    epsilon_hat: bool = False
    weight_decay: NonNegative = 0.0
    decoupled: bool = False

    settles: ClassVar[bool] = True
    source: ClassVar[str] = "Reddi, Kale & Kumar (2018), algorithm 2; lecture 000"

    def _check(self) -> None:
        if self.epsilon_hat and self.variant != "torch":
            raise InputError(
                f"AMSGrad: epsilon_hat belongs to the variant 'torch', not to {self.variant!r}, "
                "whose maximum is not corrected afterwards",
                argument="epsilon_hat",
            )

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """1 when nothing is corrected."""
        return 1 if self.variant == "raw" else None

    def step(self, problem: Any, t: int, theta: Any, mean: Any, square: Any, largest: Any) -> Any:
        gradient = decayed_gradient(self, problem, theta)
        theta = shrunk(self, theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        square = self.beta2 * square + (1 - self.beta2) * (gradient * gradient)
        filled, root = 1, 1
        candidate = square
        if self.variant != "raw":
            filled = 1 - self.beta1**t
        if self.variant == "torch":
            root = ops.sqrt(1 - self.beta2**t)
        if self.variant == "optax":
            candidate = square / (1 - self.beta2**t)
        largest = ops.maximum(largest, candidate)
        rate = self.learning_rate * root / filled
        return theta - rate * mean / times_root(self, largest, root), mean, square, largest


class NAdam(Optimizer):
    """NAdam: Adam with Nesterov's look-ahead in the mean, its momentum warmed up as in torch.

    μ_t = β₁(1 - ½·0.96^(ψt)),  Π_t = μ_1···μ_t,
    θ ← θ - α [(1 - μ_t)/(1 - Π_t) g + μ_{t+1}/(1 - Π_{t+1}) m] / (√(ŝ + ε_r) + ε).

    Without `momentum_schedule` μ_t = β₁ (optax, and the limit of large ψ). Keras has ψ = 1. At
    ψ = 0 torch's momentum is β₁/2, not β₁.

    Next to the minimum it stays there if and only if αλ/ε < 2(1 + β₁)/((1 - β₁)(1 + 2β₁)), 13.57
    with the usual β₁: a third of what Adam allows.

    Parameters
    ----------
    learning_rate
        α: 0.002 in torch, 0.001 in Keras.
    beta1, beta2
        β₁ and β₂ in [0, 1).
    epsilon
        ε, non-negative.
    momentum_decay
        ψ, non-negative: 0.004 in torch, 1 in Keras.
    momentum_schedule
        Whether μ_t is warmed up.
    epsilon_root
        ε_r, non-negative: added under the root (optax's eps_root).
    weight_decay
        w, non-negative: g + wθ takes the place of g.
    decoupled
        Whether θ is multiplied by 1 - αw instead, as in AdamW.

    Examples
    --------
    >>> NAdam().memory, NAdam(momentum_schedule=False).memory
    (('mean', 'square', 'product'), ('mean', 'square'))
    >>> round(NAdam(epsilon=1.0).published_limit(), 3)
    13.571
    """

    learning_rate: Positive = 0.002
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.999
    epsilon: NonNegative = 1e-8
    momentum_decay: NonNegative = 0.004
    momentum_schedule: bool = True
    epsilon_root: NonNegative = 0.0
    weight_decay: NonNegative = 0.0
    decoupled: bool = False

    epsilon_hat: ClassVar[bool] = False
    period: ClassVar[int | None] = None
    settles: ClassVar[bool] = True
    source: ClassVar[str] = "Dozat (2016), algorithm 2; torch 2.13"

    @property
    def memory(self) -> tuple[str, ...]:  # type: ignore[override]  # depends on the fields
        """The two means; with a schedule also the product of the momenta so far."""
        return ("mean", "square", *(("product",) if self.momentum_schedule else ()))

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        ones = (theta * 0 + 1,) if self.momentum_schedule else ()
        return (theta * 0, theta * 0, *ones)

    def _momentum(self, t: int) -> Any:
        if not self.momentum_schedule:
            return self.beta1
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def step(self, problem: Any, t: int, theta: Any, mean: Any, square: Any, *product: Any) -> Any:
        gradient = decayed_gradient(self, problem, theta)
        theta = shrunk(self, theta)
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        square = self.beta2 * square + (1 - self.beta2) * (gradient * gradient)
        now, after = self._momentum(t), self._momentum(t + 1)
        kept = tuple(slot * now for slot in product)  # one slot with a schedule, else none
        past = kept[0] if self.momentum_schedule else self.beta1**t
        ahead = (1 - now) / (1 - past) * gradient + after / (1 - past * after) * mean
        root = ops.sqrt(1 - self.beta2**t)
        rate = self.learning_rate * root
        return theta - rate * ahead / times_root(self, square, root), mean, square, *kept

    def published_limit(self) -> Any:
        """αλ < 2ε(1 + β₁)/((1 - β₁)(1 + 2β₁)): Nesterov's limit where Adam has heavy ball's.

        The momentum has settled at β₁, as it does for ψ > 0.
        """
        still = _limit(self)
        if still is None or (self.momentum_schedule and is_off(self.momentum_decay)):
            return None
        return still / (1 + 2 * self.beta1)
