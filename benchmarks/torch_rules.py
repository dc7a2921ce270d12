"""Thirty rules of ours, each beside the `torch.optim` optimizer that does the same.

Ten of them torch does not have. They are written here as anyone would add them to torch: a subclass
of `torch.optim.Optimizer` that works in place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

import convex_analyzer.optimizers as ours
from convex_analyzer import Optimizer

__all__ = ["TWINS", "Twin"]


class Written(torch.optim.Optimizer):
    """Base of the rules that torch lacks: one parameter at a time, in place."""

    slots: tuple[str, ...] = ()
    first = 0.0  # what the slots hold before the first step

    def __init__(self, params: Iterable[Any], lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["t"] = 0
                    state.update((slot, torch.full_like(p, self.first)) for slot in self.slots)
                state["t"] += 1
                self.update(p, p.grad, group["lr"], state)

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        raise NotImplementedError


class QHM(Written):
    slots = ("m",)

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        m = state["m"].mul_(0.999).add_(g, alpha=0.001)
        p.add_(g, alpha=-0.3 * lr).add_(m, alpha=-0.7 * lr)


class AdaBelief(Written):
    slots = ("m", "s")

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        t, m = state["t"], state["m"].mul_(0.9).add_(g, alpha=0.1)
        surprise = g - m
        s = state["s"].mul_(0.999).addcmul_(surprise, surprise, value=0.001).add_(1e-16)
        root = s.div(1 - 0.999**t).sqrt_().add_(1e-16)
        p.addcdiv_(m, root, value=-lr / (1 - 0.9**t))


class Yogi(Written):
    slots, first = ("m", "s"), 1e-6

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        t, m, s = state["t"], state["m"].mul_(0.9).add_(g, alpha=0.1), state["s"]
        square = g * g
        s.addcmul_(torch.sign(s - square), square, value=-0.001)
        root = s.div(1 - 0.999**t).sqrt_().add_(1e-3)
        p.addcdiv_(m, root, value=-lr / (1 - 0.9**t))


class LAMB(Written):
    slots = ("m", "s")

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        t, m = state["t"], state["m"].mul_(0.9).add_(g, alpha=0.1)
        s = state["s"].mul_(0.999).addcmul_(g, g, value=0.001)
        root = s.div(1 - 0.999**t).sqrt_().add_(1e-6)
        direction = m.div(1 - 0.9**t).div_(root)
        size, length = p.norm().item(), direction.norm().item()
        p.add_(direction, alpha=-lr * (size / length if size > 0 and length > 0 else 1.0))


class SignSGD(Written):
    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        p.add_(g.sign(), alpha=-lr)


class Signum(Written):
    slots = ("m",)

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        p.add_(state["m"].mul_(0.9).add_(g, alpha=0.1).sign(), alpha=-lr)


class Lion(Written):
    slots = ("m",)

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        m = state["m"]
        p.add_(m.mul(0.9).add_(g, alpha=0.1).sign_(), alpha=-lr)
        m.mul_(0.99).add_(g, alpha=0.01)


class LocalGains(Written):
    slots = ("gain", "before")
    first = 1.0

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        gain, before = state["gain"], state["before"]
        if state["t"] > 1:
            gain.copy_(torch.where(g * before > 0, gain + 0.05, gain * 0.95)).clamp_(0.1, 10.0)
        before.copy_(g)
        p.addcmul_(gain, g, value=-lr)


class DeltaBarDelta(Written):
    slots = ("rates", "mean")

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        rates, mean = state["rates"], state["mean"]
        if state["t"] == 1:
            rates.fill_(lr)
        product = g * mean
        slower = torch.where(product < 0, rates * 0.9, rates)
        rates.copy_(torch.where(product > 0, rates + 0.01, slower))
        mean.mul_(0.7).add_(g, alpha=1 - 0.7)
        p.addcmul_(rates, g, value=-1)


class Lookahead(Written):
    slots = ("velocity", "slow")

    def update(self, p: Any, g: Any, lr: float, state: dict[str, Any]) -> None:
        if state["t"] == 1:
            state["slow"].copy_(p)
        p.add_(state["velocity"].mul_(0.9).add_(g), alpha=-lr)
        if state["t"] % 5 == 0:
            p.copy_(state["slow"].lerp_(p, 0.5))


@dataclass(frozen=True)
class Twin:
    """A rule of ours as a function of the learning rate, and the same in torch.

    Attributes
    ----------
    same
        Whether the two report the same losses. Two rules of ours report Nesterov's iterate where
        torch reports its look-ahead point: recording that takes a second product per step.
    """

    name: str
    rule: Callable[[Any], Optimizer]
    peer: type[torch.optim.Optimizer]
    options: dict[str, Any] = field(default_factory=dict)
    scale: float = 1.0  # torch's learning rate over ours
    same: bool = True

    def torch(self, params: Any, rate: float, **variant: bool) -> torch.optim.Optimizer:
        """Return torch's, on parameters or on groups with a rate of their own."""
        return self.peer(params, lr=self.scale * rate, **self.options, **variant)

    @property
    def variants(self) -> list[dict[str, bool]]:
        """The implementations that torch has of it; the first is what one gets by default."""
        known = inspect.signature(self.peer).parameters
        switches = [{"foreach": False}, {"foreach": True}, {"fused": True}]
        return [{}, *(switch for switch in switches if known.keys() >= switch.keys())]


_SGD, _MOMENTUM = torch.optim.SGD, {"momentum": 0.9}
_NESTEROV = {"momentum": 0.9, "nesterov": True}


def _twins() -> Iterable[Twin]:
    find = ours.find
    optim = torch.optim

    def by_name(name: str, **fields: Any) -> Callable[[Any], Optimizer]:
        return lambda rates: find(name)(learning_rate=rates, **fields)

    def around_heavy_ball(name: str, **fields: Any) -> Callable[[Any], Optimizer]:
        return lambda rates: find(name)(find("HeavyBall")(rates, 0.9), **fields)

    yield Twin("GradientDescent", by_name("GradientDescent"), _SGD)
    yield Twin("HeavyBall", by_name("HeavyBall"), _SGD, _MOMENTUM)
    yield Twin("Nesterov", by_name("Nesterov"), _SGD, _NESTEROV, same=False)
    yield Twin("NesterovRewritten", by_name("NesterovRewritten"), _SGD, _NESTEROV)
    yield Twin("NesterovTwoPoint", by_name("NesterovTwoPoint"), _SGD, _NESTEROV, same=False)
    yield Twin("EMAMomentum", by_name("EMAMomentum"), _SGD, _MOMENTUM, scale=1 - 0.9)
    yield Twin("TwoRateMomentum", by_name("TwoRateMomentum"), _SGD, _MOMENTUM)
    dampened = {"momentum": 0.9, "dampening": 0.5}
    yield Twin("OuterMomentum", by_name("OuterMomentum", dampening=0.5), _SGD, dampened)
    decayed = {"momentum": 0.9, "weight_decay": 0.01}
    yield Twin("WeightDecay", around_heavy_ball("WeightDecay", decoupled=False), _SGD, decayed)
    yield Twin("AveragedSGD", by_name("AveragedSGD"), optim.ASGD)
    yield Twin("AdaGrad", by_name("AdaGrad"), optim.Adagrad)
    yield Twin("RMSProp", by_name("RMSProp"), optim.RMSprop)
    yield Twin("Adadelta", by_name("Adadelta"), optim.Adadelta)
    yield Twin("Adam", by_name("Adam"), optim.Adam)
    yield Twin("AdamW", by_name("AdamW"), optim.AdamW)
    yield Twin("AMSGrad", by_name("AMSGrad"), optim.Adam, {"amsgrad": True})
    yield Twin("NAdam", by_name("NAdam"), optim.NAdam)
    yield Twin("RAdam", by_name("RAdam"), optim.RAdam)
    yield Twin("Adamax", by_name("Adamax"), optim.Adamax)
    yield Twin("Rprop", by_name("Rprop"), optim.Rprop)
    for peer in (QHM, AdaBelief, Yogi, LAMB, SignSGD, Signum, Lion, LocalGains, DeltaBarDelta):
        yield Twin(peer.__name__, by_name(peer.__name__), peer)
    yield Twin("Lookahead", around_heavy_ball("Lookahead", report_fast=True), Lookahead)


TWINS = tuple(_twins())
