"""Rules that are other rules: the mappings between conventions.

Each form of a rule is a rule that runs alike, or, with a difference, one that nearly does. Chains
of exact forms lead from our rules to those of a library (`to_library`); the tests prove each one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from convex_analyzer.conventions.typed import scaled, tidy, value_text
from convex_analyzer.domains import is_schedule
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import Adamax, RAdam
from convex_analyzer.optimizers.adaptive import AdaGrad, RMSProp
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import ClippedByNorm, ClippedByValue, WeightDecay
from convex_analyzer.optimizers.gradient import SGD, GradientDescent
from convex_analyzer.optimizers.momentum import (
    EMAMomentum,
    HeavyBall,
    Nesterov,
    OuterMomentum,
    TwoRateMomentum,
)
from convex_analyzer.optimizers.nesterov import (
    QHM,
    NesterovRewritten,
    NesterovTwoPoint,
    TripleMomentum,
    TwoRateNesterov,
)
from convex_analyzer.optimizers.sampling import GradientNoise
from convex_analyzer.optimizers.sign import Lion, SignSGD, Signum
from convex_analyzer.optimizers.wrapping import learning_rate_of
from convex_analyzer.schedules import InverseTime

__all__ = ["Form", "forms"]

SCHEDULED = (
    "the learning rate is inside the velocity of one and outside that of the other, so they are "
    "equal only while it is constant (a momentum μ α_t/α_(t-1) would make up for it)"
)


@dataclass(frozen=True)
class Form:
    """A rule in terms of another.

    Attributes
    ----------
    rule
        The other rule.
    difference
        Why they are not equal; empty if they are.
    reported
        How to get the reported point of the first from the second, where they differ.
    note
        What is to be known.
    """

    rule: Optimizer
    difference: str = ""
    reported: str = ""
    note: str = ""


def forms(rule: Optimizer) -> list[Form]:
    """Return the forms of a rule, one step of rewriting away.

    Examples
    --------
    >>> [str(form.rule) for form in forms(EMAMomentum(0.1, 0.5))]
    ['OuterMomentum(α = 0.05, μ = 0.5)']
    """
    found: list[Form] = []
    makers = [*_FORMS.get(type(rule), ()), _inside]
    for maker in makers:
        try:
            found += maker(rule)
        except InputError:
            continue  # outside the range of the other rule
    return found


def _constant(*values: Any) -> bool:
    return not any(map(is_schedule, values))


def _is(value: Any, number: float) -> bool:
    """Tell whether a setting is one number, exactly."""
    return isinstance(value, (int, float)) and value == number


# -- momentum ------------------------------------------------------------------------------------


def _heavy_ball(r: Any) -> Iterator[Form]:
    if _is(r.momentum, 0):
        yield Form(GradientDescent(r.learning_rate))
    told = "" if _constant(r.learning_rate) else SCHEDULED
    yield Form(OuterMomentum(r.learning_rate, r.momentum), told)


def _outer(r: Any) -> Iterator[Form]:
    decayed, damped = not _is(r.weight_decay, 0), not _is(r.dampening, 0)
    if _is(r.momentum, 0) and not decayed:
        yield Form(GradientDescent(r.learning_rate))
    if decayed:
        plain = r.replace(weight_decay=0.0)
        yield Form(WeightDecay(plain, r.weight_decay, decoupled=False))
        return
    told = "" if _constant(r.learning_rate) else SCHEDULED
    if r.nesterov:
        yield Form(NesterovRewritten(r.learning_rate, r.momentum), told)
    elif not damped:
        yield Form(HeavyBall(r.learning_rate, r.momentum), told)
    elif _constant(r.learning_rate, r.dampening):
        told = (
            "the first buffer is not dampened, so nothing equals it from zero velocity (learning "
            "rate α(1 - τ) does with the initial velocity τ α g₁/μ)"
        )
        yield Form(HeavyBall(scaled(r.learning_rate, 1 - r.dampening), r.momentum), told)


def _average(r: Any) -> Iterator[Form]:
    if _constant(r.momentum):
        yield Form(OuterMomentum(scaled(r.learning_rate, 1 - r.momentum), r.momentum))


def _two_rates(r: Any) -> Iterator[Form]:
    if _constant(r.gradient_rate):
        yield Form(OuterMomentum(scaled(r.learning_rate, r.gradient_rate), r.momentum))
    if _constant(r.learning_rate):
        yield Form(HeavyBall(scaled(r.gradient_rate, r.learning_rate), r.momentum))


def _two_rates_ahead(r: Any) -> Iterator[Form]:
    if not _constant(r.learning_rate):
        return
    told = "" if not r.as_printed or _is(r.learning_rate, 1) else "it looks ahead by μp, not γμp"
    yield Form(Nesterov(scaled(r.gradient_rate, r.learning_rate), r.momentum), told)
    if not told:
        yield Form(r.replace(as_printed=False))


def _nesterov(r: Any) -> Iterator[Form]:
    if _is(r.momentum, 0):
        yield Form(GradientDescent(r.learning_rate))
    else:
        yield Form(NesterovRewritten(r.learning_rate, r.momentum), reported=_looking_back(r))


def _looking_back(r: Any) -> str:
    """Say how to get the iterate from what libraries store, the look-ahead point θ + μv."""
    told = "the parameters are the look-ahead point θ + μv; the iterate is θ = parameters "
    if not _constant(r.learning_rate, r.momentum):
        return f"{told}- μ velocity"
    share, both = value_text(r.momentum), value_text(tidy(r.learning_rate * r.momentum))
    return f"{told}+ {both} buffer (torch and optax), - {share} momentum (Keras)"


def _rewritten(r: Any) -> Iterator[Form]:
    if _is(r.momentum, 0):
        yield Form(GradientDescent(r.learning_rate))
        return
    told = "" if _constant(r.learning_rate) else SCHEDULED
    yield Form(OuterMomentum(r.learning_rate, r.momentum, nesterov=True), told)


def _two_point(r: Any) -> Iterator[Form]:
    if r.sequence == "constant":
        yield Form(Nesterov(r.learning_rate, r.momentum))


def _quasi_hyperbolic(r: Any) -> Iterator[Form]:
    if _is(r.nu, 0):
        yield Form(GradientDescent(r.learning_rate))
    elif _is(r.nu, 1):
        yield Form(EMAMomentum(r.learning_rate, r.momentum))
    elif _constant(r.nu, r.momentum) and r.nu == r.momentum:
        rate = scaled(r.learning_rate, 1 - r.momentum)
        yield Form(OuterMomentum(rate, r.momentum, nesterov=True))


def _triple(r: Any) -> Iterator[Form]:
    beta, gamma, delta = r.momentum, r.lookahead, r.extrapolation
    if _is(gamma, 0) and _is(delta, 0):
        yield Form(HeavyBall(r.learning_rate, beta))
    elif _is(delta, 0) and gamma == beta:
        yield Form(Nesterov(r.learning_rate, beta))
    elif gamma == beta == delta:
        yield Form(NesterovRewritten(r.learning_rate, beta))


# -- adaptive rules ------------------------------------------------------------------------------


def _adagrad(r: Any) -> Iterator[Form]:
    if r.epsilon_inside and _constant(r.epsilon):
        first = tidy(r.initial_accumulator + r.epsilon)
        yield Form(r.replace(epsilon_inside=False, epsilon=0.0, initial_accumulator=first))
    if not r.epsilon_inside and _is(r.epsilon, 0):
        yield Form(r.replace(epsilon_inside=True))
        first = r.initial_accumulator
        if _constant(first) and not _is(first, 0):
            yield Form(r.replace(epsilon_inside=True, epsilon=first, initial_accumulator=0.0))
    if not _is(r.learning_rate_decay, 0) and _constant(r.learning_rate):
        rate = InverseTime(r.learning_rate, r.learning_rate_decay)
        yield Form(r.replace(learning_rate=rate, learning_rate_decay=0.0))
    rate = r.learning_rate
    if isinstance(rate, InverseTime) and _is(r.learning_rate_decay, 0):
        yield Form(r.replace(learning_rate=rate.initial, learning_rate_decay=rate.rate))


def _rmsprop(r: Any) -> Iterator[Form]:
    if _is(r.epsilon, 0):
        yield Form(r.replace(epsilon_inside=not r.epsilon_inside))
    still = _is(r.momentum, 0)
    if still or _constant(r.learning_rate):
        yield Form(r.replace(learning_rate_inside=not r.learning_rate_inside))
    plain = still and not (r.centered or r.epsilon_inside or r.decoupled)
    if plain and r.bias_correction and _is(r.initial_accumulator, 0):
        decay = {"weight_decay": r.weight_decay}
        yield Form(Adam(r.learning_rate, 0.0, r.decay, r.epsilon, **decay))


def _corrected(r: Any) -> Iterator[Form]:
    """Adam without a mean is RMSProp with bias correction; without memory signSGD."""
    whole = r.bias_correction_mean and r.bias_correction_square
    if not (whole and _is(r.beta1, 0) and _is(r.epsilon_root, 0)):
        return
    if not r.epsilon_hat:
        settings = {"bias_correction": True, "weight_decay": r.weight_decay}
        yield Form(RMSProp(r.learning_rate, r.beta2, r.epsilon, **settings))
    if _is(r.beta2, 0) and _is(r.epsilon, 0) and _is(r.weight_decay, 0):
        told = "where an entry of the gradient is exactly zero, 0/0 takes the place of 0"
        yield Form(SignSGD(r.learning_rate), note=told)


def _hat(r: Any) -> Iterator[Form]:
    """Without an ε it makes no difference where it stands."""
    if not (_is(r.epsilon, 0) and _is(r.epsilon_root, 0)):
        return
    if getattr(r, "variant", "torch") == "torch":
        yield Form(r.replace(epsilon_hat=not r.epsilon_hat))


def _decay_of_adam(r: Any) -> Iterator[Form]:
    if _is(r.weight_decay, 0):
        names = ("learning_rate", "beta1", "beta2", "epsilon", "epsilon_root", "epsilon_hat")
        other = Adam if isinstance(r, AdamW) else AdamW
        complete = isinstance(r, AdamW) or (r.bias_correction_mean and r.bias_correction_square)
        if complete:
            yield Form(other(**{name: r.values[name] for name in names}, weight_decay=0.0))


def _nadam(r: Any) -> Iterator[Form]:
    if not r.momentum_schedule:
        yield Form(r.replace(momentum_schedule=True, momentum_decay=1e9))
    elif _is(r.momentum_decay, 1e9):
        yield Form(r.replace(momentum_schedule=False))


def _radam(r: Any) -> Iterator[Form]:
    if _is(r.epsilon, 0) and _is(r.epsilon_root, 0):
        yield Form(r.replace(variant="optax" if r.variant == "torch" else "torch"))


def _adamax(r: Any) -> Iterator[Form]:
    if _is(r.epsilon, 0):
        yield Form(r.replace(epsilon_inside=not r.epsilon_inside))


# -- signs ---------------------------------------------------------------------------------------


def _signum(r: Any) -> Iterator[Form]:
    yield Form(Lion(r.learning_rate, r.momentum, r.momentum))
    if _is(r.momentum, 0):
        yield Form(SignSGD(r.learning_rate))


def _lion(r: Any) -> Iterator[Form]:
    if not _is(r.weight_decay, 0):
        return
    if r.beta1 == r.beta2:
        yield Form(Signum(r.learning_rate, r.beta1))
    if _is(r.beta1, 0):
        yield Form(SignSGD(r.learning_rate))


def _sign(r: Any) -> Iterator[Form]:
    yield Form(Signum(r.learning_rate, 0.0))
    told = "where an entry of the gradient is exactly zero, 0/0 takes the place of 0"
    yield Form(Adam(r.learning_rate, 0.0, 0.0, 0.0), note=told)


# -- around rules --------------------------------------------------------------------------------


def _stochastic(r: Any) -> Iterator[Form]:
    told = f"feed it mini-batches of {r.batch_size}"
    yield Form(GradientDescent(r.learning_rate), note=told)


def _decayed(r: Any) -> Iterator[Form]:
    """Weight decay around a rule that has a field for it."""
    inner = r.optimizer
    if not _is(inner.values.get("weight_decay"), 0):
        return
    own = inner.values.get("decoupled", getattr(type(inner), "decoupled", False))
    if r.decoupled and isinstance(inner, Adam):
        for form in _decay_of_adam(inner):
            yield Form(form.rule.replace(weight_decay=r.weight_decay))
    elif "decoupled" in inner.values:
        yield Form(inner.replace(weight_decay=r.weight_decay, decoupled=r.decoupled))
    elif own == r.decoupled and isinstance(inner, (Adam, AdamW, OuterMomentum)):
        yield Form(inner.replace(weight_decay=r.weight_decay))


def _undecoupled(r: Any) -> Iterator[Form]:
    """Without decay it makes no difference of which kind it is."""
    if r.values.get("decoupled") is True and _is(r.weight_decay, 0):
        yield Form(r.replace(decoupled=False))


def _of_momentum(r: Any) -> Iterator[Form]:
    """Decay of gradient descent is coupled and decoupled at once; that of momentum is not."""
    first = r.optimizer
    if isinstance(first, (GradientDescent, HeavyBall, NesterovRewritten, OuterMomentum)):
        still = _is(first.values.get("momentum", 0), 0)
        told = "" if still else "coupled weight decay enters the velocity, decoupled does not"
        yield Form(WeightDecay(first, r.weight_decay, decoupled=not r.decoupled), told)
    if isinstance(first, GradientDescent) and not r.decoupled:
        yield Form(OuterMomentum(first.learning_rate, 0.0, weight_decay=r.weight_decay))


def _inside(r: Any) -> Iterator[Form]:
    """Rules around another form of their optimizer."""
    inner = r.values.get("optimizer")
    if not isinstance(inner, Optimizer):
        return
    for form in forms(inner):
        if form.reported and not isinstance(r, (ClippedByNorm, ClippedByValue, GradientNoise)):
            continue  # what is stored is not what would be averaged, pulled back or shrunk
        changes: dict[str, Any] = {"optimizer": form.rule}
        if isinstance(r, WeightDecay) and r.decoupled:
            before, after = learning_rate_of(inner), learning_rate_of(form.rule)
            if before != after:
                if not _constant(before, after):
                    continue
                changes["weight_decay"] = tidy(r.weight_decay * (before / after))
        yield Form(r.replace(**changes), form.difference, form.reported, form.note)


_FORMS: dict[type[Optimizer], tuple[Callable[[Any], Iterator[Form]], ...]] = {
    SGD: (_stochastic,),
    HeavyBall: (_heavy_ball,),
    OuterMomentum: (_outer,),
    EMAMomentum: (_average,),
    TwoRateMomentum: (_two_rates,),
    TwoRateNesterov: (_two_rates_ahead,),
    Nesterov: (_nesterov,),
    NesterovRewritten: (_rewritten,),
    NesterovTwoPoint: (_two_point,),
    QHM: (_quasi_hyperbolic,),
    TripleMomentum: (_triple,),
    AdaGrad: (_adagrad, _undecoupled),
    RMSProp: (_rmsprop, _undecoupled),
    Adam: (_corrected, _hat, _decay_of_adam),
    AdamW: (_hat, _decay_of_adam),
    AMSGrad: (_hat, _undecoupled),
    NAdam: (_nadam, _undecoupled),
    RAdam: (_radam, _undecoupled),
    Adamax: (_adamax, _undecoupled),
    Signum: (_signum,),
    Lion: (_lion,),
    SignSGD: (_sign,),
    WeightDecay: (_decayed, _of_momentum),
}
