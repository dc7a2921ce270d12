"""What may be wrong with someone's code: our rule in other conventions, and with usual slips.

Flags and choices of a rule *are* its conventions, so they are turned over one by one, then two at a
time. The rest is a list of slips that people make.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from convex_analyzer.conventions.identities import forms
from convex_analyzer.domains import Choice, Flag
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.optimizers.adam import Adam, AdamW
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import WeightDecay
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import EMAMomentum, HeavyBall, Nesterov, OuterMomentum
from convex_analyzer.optimizers.nesterov import NesterovRewritten
from convex_analyzer.tables import format_number

__all__ = ["Variant", "variants"]


@dataclass(frozen=True)
class Variant:
    """A rule that would explain a difference.

    Attributes
    ----------
    cause
        What the code does, as the end of a sentence.
    rule
        Our rule that does the same.
    """

    cause: str
    rule: Optimizer


_PHRASES: dict[tuple[str, Any], str] = {
    ("epsilon_inside", True): "adds ε under the root",
    ("epsilon_inside", False): "adds ε beside the root",
    ("epsilon_hat", True): "adds ε to the root before its bias is corrected",
    ("epsilon_hat", False): "adds ε to the root after its bias is corrected",
    ("learning_rate_inside", True): "multiplies by the learning rate what enters the velocity",
    ("learning_rate_inside", False): "multiplies the velocity by the learning rate",
    ("bias_correction", True): "corrects the bias of the mean square",
    ("bias_correction", False): "does not correct the bias of the mean square",
    ("bias_correction_mean", False): "does not correct the bias of the mean",
    ("bias_correction_square", False): "does not correct the bias of the mean square",
    ("nesterov", True): "steps from the gradient and the new velocity together (Nesterov)",
    ("nesterov", False): "steps from the velocity alone (no Nesterov)",
    ("decoupled", True): "decouples the weight decay",
    ("decoupled", False): "adds the weight decay to the gradient",
    ("centered", True): "subtracts the square of the mean gradient under the root",
    ("centered", False): "does not subtract the square of the mean gradient under the root",
    ("momentum_schedule", False): "does not warm the momentum up",
    ("momentum_schedule", True): "warms the momentum up",
    ("as_printed", True): "looks ahead by μp, without the learning rate",
    ("as_printed", False): "looks ahead by γμp",
    ("report_average", True): "reports the average",
    ("report_average", False): "reports the iterate, not the average",
    ("scaled", False): "does not scale the first inverse Hessian",
    ("weight_decay", 0.0): "leaves the weight decay out",
    ("dampening", 0.0): "leaves the dampening out",
    ("momentum", 0.0): "leaves the momentum out",
    ("epsilon", 0.0): "leaves ε out",
    ("initial_accumulator", 0.0): "starts the accumulator at zero",
    ("initial_accumulator", 0.1): "starts the accumulator at 0.1",
    ("epsilon_root", 0.0): "leaves the ε under the root out",
}


class _Shifted(Optimizer):
    """A rule whose step count is some steps ahead."""

    optimizer: Optimizer
    by: int

    period: ClassVar[int | None] = None

    @property
    def memory(self) -> tuple[str, ...]:  # type: ignore[override]  # depends on the fields
        """Those of the rule."""
        return self.optimizer.memory

    def at(self, t: int) -> Self:
        """Return the rule with the schedules of a later step."""
        return self.unchecked(optimizer=self.optimizer.at(t + self.by))

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        return self.optimizer.start(problem, theta)

    def step(self, problem: Any, t: int, theta: Any, *memory: Any) -> Any:
        return self.optimizer.step(problem, t + self.by, theta, *memory)

    def report(self, theta: Any, *memory: Any) -> Any:
        return self.optimizer.report(theta, *memory)


def variants(rule: Optimizer) -> list[Variant]:
    """Return other conventions of a rule and usual slips, likely ones first.

    Examples
    --------
    >>> from convex_analyzer.optimizers.adaptive import AdaGrad
    >>> [each.cause for each in variants(AdaGrad(0.1, epsilon=0.01))][:1]
    ['adds ε under the root']
    """
    found: list[Variant] = []
    singles = list(_turned(rule))
    found += [_of(rule, [each]) for each in singles]
    found += _family(rule)
    found += _slips(rule)
    found += [
        _of(rule, list(pair))
        for pair in itertools.combinations(singles, 2)
        if pair[0][0] != pair[1][0]
    ]
    seen, kept = {rule}, []
    for each in found:
        if each.rule is not rule and each.rule not in seen:
            seen.add(each.rule)
            kept.append(each)
    return kept


def _of(rule: Optimizer, changes: list[tuple[str, Any]]) -> Variant:
    told = " and ".join(_phrase(rule, name, value) for name, value in changes)
    try:
        return Variant(told, rule.replace(**dict(changes)))
    except ConvexAnalyzerError:
        return Variant(told, rule)  # excluded: not a variant


def _phrase(rule: Optimizer, name: str, value: Any) -> str:
    told = value if isinstance(value, str) else format_number(value)
    other = f"has {name} = {told} instead of {rule.values[name]}"
    return _PHRASES.get((name, value), other)


def _turned(rule: Optimizer) -> Iterator[tuple[str, Any]]:
    """Yield every flag turned over, every other word of a choice, every setting left out."""
    for name, domain in rule.domains().items():
        value = rule.values[name]
        if isinstance(domain, Flag):
            yield name, not value
        elif isinstance(domain, Choice):
            yield from ((name, word) for word in domain.words if word != value)
    for name in ("weight_decay", "dampening", "momentum", "initial_accumulator", "epsilon_root"):
        if isinstance(rule.values.get(name), float) and rule.values[name] != 0:
            yield name, 0.0
    if rule.values.get("initial_accumulator") == 0:
        yield "initial_accumulator", 0.1


_MOMENTA = (HeavyBall, OuterMomentum, EMAMomentum, Nesterov, NesterovRewritten)


def _family(rule: Optimizer) -> Iterator[Variant]:
    """Yield relatives: other kinds of momentum, other places of the decay."""
    if isinstance(rule, _MOMENTA):
        yield from _momenta(rule)
    elif isinstance(rule, (Adam, AdamW)):
        yield from _decays(rule)
    for form in forms(rule):
        if form.difference and not isinstance(rule, _MOMENTA):
            yield Variant(f"runs {form.rule} ({form.difference})", form.rule)


def _momenta(rule: Any) -> Iterator[Variant]:
    rate, momentum = rule.learning_rate, rule.momentum
    if isinstance(rule, (Nesterov, NesterovRewritten)):
        yield Variant("takes the gradient without a look-ahead", HeavyBall(rate, momentum))
    outside = "multiplies the velocity by the learning rate instead of the gradient in it"
    yield Variant(outside, OuterMomentum(rate, momentum))
    inside = "multiplies by the learning rate what enters the velocity, not the velocity"
    yield Variant(inside, HeavyBall(rate, momentum))
    yield Variant("averages gradients with weights 1 - μ and μ", EMAMomentum(rate, momentum))
    if isinstance(momentum, float) and momentum > 0:
        yield Variant(
            "dampens the gradient by 1 - μ, though not in the first step",
            OuterMomentum(rate, momentum, momentum),
        )
        yield Variant(
            "reports the look-ahead point of Nesterov's method",
            OuterMomentum(rate, momentum, nesterov=True),
        )
    yield Variant("takes the gradient at the look-ahead point", Nesterov(rate, momentum))
    yield Variant("leaves the momentum out", GradientDescent(rate))


def _decays(rule: Any) -> Iterator[Variant]:
    names = ("learning_rate", "beta1", "beta2", "epsilon", "epsilon_root", "epsilon_hat")
    settings = {name: rule.values[name] for name in names}
    decay = rule.weight_decay
    if isinstance(rule, AdamW):
        yield Variant("adds the weight decay to the gradient", Adam(**settings, weight_decay=decay))
        if isinstance(rule.learning_rate, float) and isinstance(decay, float):
            whole = AdamW(**settings, weight_decay=decay / rule.learning_rate)
            yield Variant("does not multiply the weight decay by the learning rate", whole)
    elif rule.bias_correction_mean and rule.bias_correction_square:
        yield Variant("decouples the weight decay", AdamW(**settings, weight_decay=decay))


def _slips(rule: Optimizer) -> Iterator[Variant]:
    """Yield slips: signs, factors, swapped weights, step counts."""
    rate = rule.values.get("learning_rate")
    if isinstance(rate, float):
        yield Variant("has the wrong sign: it ascends", rule.unchecked(learning_rate=-rate))
        told = "takes steps (or gradients) {} as large"
        yield Variant(told.format("twice"), rule.unchecked(learning_rate=2 * rate))
        yield Variant(told.format("half"), rule.unchecked(learning_rate=rate / 2))
    if rule.values.get("epsilon_root") == 0 and not rule.values.get("epsilon_hat"):
        moved = {"epsilon": 0.0, "epsilon_root": rule.values["epsilon"]}
        yield Variant("adds ε under the root", rule.unchecked(**moved))
    for name in ("decay", "beta1", "beta2", "momentum"):
        value = rule.values.get(name)
        if isinstance(value, float) and 0 < value < 1:
            told = f"gives the past the weight 1 - {name}, and the new gradient {name}"
            yield Variant(told, rule.unchecked(**{name: 1 - value}))
    if rule.cycle != 1:
        yield Variant("counts steps one ahead of t", _Shifted(rule, 1))
    inner = rule.values.get("optimizer")
    if isinstance(inner, Optimizer) and not isinstance(rule, WeightDecay):
        yield Variant(f"leaves {type(rule).__name__} out", inner)
