"""torch.optim 2.13: its optimizers as our rules, and ours as its calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from convex_analyzer.conventions import torch_schedules
from convex_analyzer.conventions.library import Library
from convex_analyzer.conventions.rows import REQUIRED, Draft, Native, Obstacle, off
from convex_analyzer.conventions.torch_rows import ROWS
from convex_analyzer.conventions.typed import arguments_text, value_text
from convex_analyzer.optimizers.averaging import EMA, Averaged
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import ClippedByNorm, ClippedByValue
from convex_analyzer.schedules.base import Schedule

__all__ = ["Torch"]

_WRAPPERS: Mapping[str, Mapping[str, Any]] = {
    "clip_grad_norm_": {"optimizer": REQUIRED, "max_norm": REQUIRED, "norm_type": 2.0},
    "clip_grad_value_": {"optimizer": REQUIRED, "clip_value": REQUIRED},
    "AveragedModel": {"optimizer": REQUIRED, "decay": None},
}


def _clipped(native: Native) -> Optimizer:
    if native["norm_type"] != 2:
        raise native.error("only the Euclidean norm is at hand", "norm_type", "norm_type=2")
    return ClippedByNorm(native["optimizer"], native["max_norm"], 1e-6)


def _averaged(native: Native) -> Optimizer:
    if native["decay"] is None:
        return Averaged(native["optimizer"])
    return EMA(native["optimizer"], native["decay"], "first")


class Torch(Library):
    """torch.optim and torch.optim.lr_scheduler."""

    name = "torch"
    version = "2.13.0"
    rows = ROWS
    readers: ClassVar = {
        "clip_grad_norm_": _clipped,
        "clip_grad_value_": lambda o: ClippedByValue(o["optimizer"], o["clip_value"]),
        "AveragedModel": _averaged,
        **torch_schedules.READERS,
    }
    absent: ClassVar = {
        "Muon": "it orthogonalises matrices of weights, and the problems here are vectors",
        "Adafactor": "it factorises matrices of weights, and the problems here are vectors",
        "SparseAdam": "it is Adam for sparse gradients; use Adam",
        **torch_schedules.ABSENT,
    }
    elsewhere: ClassVar = {
        "learning_rate": "torch calls it lr",
        "beta1": "torch calls the pair betas",
        "momentum_schedule": "torch's NAdam always has one; momentum_decay=1e9 switches it off",
    }
    scheduled: ClassVar = ("lr",)

    def known(self, name: str) -> Mapping[str, Any]:
        """Return the options of an optimizer, a wrapper or a schedule."""
        if name in _WRAPPERS:
            return _WRAPPERS[name]
        if name in torch_schedules.FURTHER:
            return torch_schedules.FURTHER[name]
        return {**super().known(name), **torch_schedules.EXTRA.get(name, {})}

    def check(self, name: str, native: Native) -> None:
        """Refuse maximisation, and flags that exclude each other."""
        if native.known.get("maximize") is False and native.flag("maximize"):
            raise native.error(
                "maximize=True climbs, and every problem here is to be minimised",
                "maximize",
                "negate the objective instead",
            )
        if "fused" in native.known and native.flag("fused"):
            for other in ("differentiable", "foreach"):
                if native.flag(other):
                    raise native.error(f"fused and {other} exclude each other", other)
        if name == "SGD" and native.flag("nesterov"):
            plain = isinstance(native["momentum"], (int, float)) and native["momentum"] <= 0
            if plain or not off(native["dampening"]):
                raise native.error(
                    "nesterov needs a momentum above 0, and no dampening", "nesterov"
                )
        no_search = name == "LBFGS" and native["line_search_fn"] is not None
        if no_search and native["max_iter"] == 1 and native["max_eval"] is None:
            raise native.error(
                "max_iter=1 leaves the line search no evaluation", "max_eval", "give max_eval=26"
            )

    def warnings(self, name: str, native: Native) -> list[str]:
        """Return what is unexpected in torch."""
        told = []
        if name == "SGD" and off(native["momentum"]) and not off(native["dampening"]):
            told.append("without momentum torch.optim.SGD ignores dampening")
        if name == "ASGD":
            first = int(native["t0"]) + 2
            told.append(
                f"torch.optim.ASGD begins to average at step {first:,} (t0 = {native['t0']:g}), "
                "and keeps the average in state['ax']; its parameters are not averaged"
            )
        if name == "RMSprop" and native["centered"]:
            told.append(
                "torch.optim.RMSprop(centered=True) turns NaN under a constant gradient, when "
                "rounding makes the variance negative"
            )
        if name == "NAdam" and native["momentum_decay"] == 0:
            told.append("torch.optim.NAdam(momentum_decay=0) halves the momentum: it is β₁/2")
        if name == "LBFGS" and native["max_iter"] != 1:
            told.append(
                f"one .step() of torch.optim.LBFGS makes up to max_iter = {native['max_iter']} "
                "iterations; here each iteration is a step"
            )
        return told + torch_schedules.warnings(name, native)

    def write_wrapper(self, rule: Optimizer, steps: int | None) -> Draft | Obstacle | None:
        """Return clipping and averaging, which are calls beside the optimizer."""
        del steps
        if isinstance(rule, ClippedByNorm):
            near = Draft(
                "clip_grad_norm_", {"optimizer": rule.optimizer, "max_norm": rule.max_norm}
            )
            told = "torch clips to c/(|g| + 1e-6), always"
            return near if rule.epsilon == 1e-6 else Obstacle(told, near)
        if isinstance(rule, ClippedByValue):
            return Draft(
                "clip_grad_value_", {"optimizer": rule.optimizer, "clip_value": rule.max_value}
            )
        if isinstance(rule, Averaged):
            near = Draft("AveragedModel", {"optimizer": rule.optimizer})
            if rule.after:
                return Obstacle("torch's AveragedModel averages from its first update on", near)
            return near
        if isinstance(rule, EMA):
            near = Draft("AveragedModel", {"optimizer": rule.optimizer, "decay": rule.decay})
            if rule.initial != "first":
                return Obstacle("torch's AveragedModel begins with a copy of the first model", near)
            return near
        return None

    def write_schedule(self, schedule: Schedule, steps: int | None = None) -> Draft | Obstacle:
        """Return the call of a scheduler."""
        return torch_schedules.write(schedule, steps)

    def text(self, draft: Draft) -> str:
        """Return what is to be typed; a scheduler, clipping and averages are further lines."""
        lines = self._lines(draft)
        if len(lines) == 1:
            return lines[0].removeprefix("optimizer = ").removeprefix("scheduler = ")
        return "\n".join(lines)

    def _lines(self, draft: Draft) -> list[str]:
        if draft.name in torch_schedules.READERS:
            return [f"scheduler = {torch_schedules.text(draft)}"]
        if draft.name in _WRAPPERS:
            return [*self._lines(draft.arguments["optimizer"]), _beside(draft)]
        arguments, further = dict(draft.arguments), []
        if isinstance(scheduler := arguments["lr"], Draft):
            arguments["lr"] = scheduler.arguments["lr"]
            after = "  # scheduler.step() after every optimizer.step()"
            further = [f"scheduler = {torch_schedules.text(scheduler)}{after}"]
        call = f"optimizer = torch.optim.{draft.name}(params, {arguments_text(arguments)})"
        return [call, *further]


def _beside(draft: Draft) -> str:
    if draft.name == "AveragedModel":
        decay = draft.arguments.get("decay")
        swa = "torch.optim.swa_utils"
        how = (
            ""
            if decay is None
            else (f", multi_avg_fn={swa}.get_ema_multi_avg_fn({value_text(decay)})")
        )
        after = "  # averaged.update_parameters(model) after every optimizer.step()"
        return f"averaged = {swa}.AveragedModel(model{how}){after}"
    options = {name: value for name, value in draft.arguments.items() if name != "optimizer"}
    call = f"torch.nn.utils.{draft.name}(params, {arguments_text(options)})"
    return f"{call}  # before every optimizer.step()"
