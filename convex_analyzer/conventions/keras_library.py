"""Keras 3.15: its optimizers as our rules, and ours as its calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from convex_analyzer.conventions import keras_schedules
from convex_analyzer.conventions.library import Library
from convex_analyzer.conventions.rows import Draft, Native, Obstacle, Row, Switch, Through, off
from convex_analyzer.conventions.typed import value_text
from convex_analyzer.domains import is_schedule
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import LAMB, Adamax
from convex_analyzer.optimizers.adaptive import Adadelta, AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import EMA
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import ClippedByNorm, ClippedByValue, WeightDecay
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.optimizers.nesterov import NesterovRewritten
from convex_analyzer.optimizers.sign import Lion
from convex_analyzer.schedules.base import Schedule

__all__ = ["Keras"]

_none = Switch(off, None)
_RATE = {"learning_rate": "learning_rate"}
_EPSILON = {"epsilon": "epsilon"}
_ADAM = {**_RATE, "beta1": "beta_1", "beta2": "beta_2", **_EPSILON}
_WHY = {
    "epsilon_inside": "Keras adds ε under the root",
    "epsilon_hat": "Keras adds ε to √v before its correction; as ε̂ = ε/√(1 - β₂ᵗ) it changes from "
    "step to step",
    "epsilon_root": "Keras has no ε under the root",
    "variant": "Keras divides the largest raw square by the correction of the current step",
    "learning_rate_inside": "in Keras the learning rate multiplies what enters the velocity, here "
    "the velocity: equal only while it is constant",
    "decoupled": "in Keras weight decay is decoupled",
    "momentum_decay": "Keras's Nadam warms its momentum up with ψ = 1",
    "nesterov": "Keras's RMSprop has no Nesterov momentum",
    "initial_accumulator": "Keras starts this from zero",
}


def _decaying(
    name: str, rule: type[Optimizer], fields: Mapping[str, Any], **more: Any
) -> list[Row]:
    """Return two rows: without weight decay and with it, decoupled."""
    fixed, when = more.get("fixed", {}), more.get("when", {})
    free = more.get("free", ())
    decay = {"weight_decay": "weight_decay"}
    without = {**when, "weight_decay": _none}
    return [
        Row(
            name, rule, fields, fixed, without, (*free, "decoupled"), _WHY, more.get("instead", {})
        ),
        Row(name, rule, {**fields, **decay}, {**fixed, "decoupled": True}, when, free, _WHY),
    ]


_SQUARES = {**_RATE, "decay": "rho", **_EPSILON, "centered": "centered"}
_OUTSIDE = {"epsilon_inside": lambda rule: {"epsilon": rule.epsilon**2}}


def _above_zero(beta: Any) -> Any:
    if not is_schedule(beta) and beta == 0:
        message = "Keras's Lion wants beta_1 above 0, and Keras has no signSGD"
        raise ValueError(message)
    return beta


ROWS = (
    Row("SGD", GradientDescent, _RATE, when={"momentum": Switch(off, 0.0)}),
    Row("SGD", HeavyBall, {**_RATE, "momentum": "momentum"}, when={"nesterov": False}),
    Row("SGD", NesterovRewritten, {**_RATE, "momentum": "momentum"}, when={"nesterov": True}),
    *_decaying(
        "Adagrad",
        AdaGrad,
        {**_RATE, "initial_accumulator": "initial_accumulator_value", **_EPSILON},
        fixed={"epsilon_inside": True},
    ),
    *_decaying(
        "RMSprop",
        RMSProp,
        _SQUARES,
        fixed={"epsilon_inside": True, "momentum": 0.0},
        when={"momentum": Switch(off, 0.0)},
        free=("learning_rate_inside",),
        instead=_OUTSIDE,
    ),
    *_decaying(
        "RMSprop",
        RMSProp,
        {**_SQUARES, "momentum": "momentum"},
        fixed={"epsilon_inside": True, "learning_rate_inside": True},
        instead=_OUTSIDE,
    ),
    Row(
        "Adam",
        Adam,
        _ADAM,
        {"epsilon_hat": True},
        {"amsgrad": False, "weight_decay": _none},
        why={**_WHY, "weight_decay": "in Keras weight decay is decoupled"},
    ),
    Row(
        "AdamW",
        AdamW,
        {**_ADAM, "weight_decay": "weight_decay"},
        {"epsilon_hat": True},
        {"amsgrad": False},
        why=_WHY,
    ),
    Row(
        "Adam",
        AdamW,
        {**_ADAM, "weight_decay": "weight_decay"},
        {"epsilon_hat": True},
        {"amsgrad": False},
    ),
    *_decaying(
        "Adam",
        AMSGrad,
        _ADAM,
        fixed={"variant": "torch", "epsilon_hat": True},
        when={"amsgrad": True},
    ),
    Row(
        "AdamW",
        AMSGrad,
        {**_ADAM, "weight_decay": "weight_decay"},
        {"variant": "torch", "epsilon_hat": True, "decoupled": True},
        {"amsgrad": True},
    ),
    *_decaying("Adadelta", Adadelta, {**_RATE, "decay": "rho", **_EPSILON}),
    *_decaying("Nadam", NAdam, _ADAM, fixed={"momentum_schedule": True, "momentum_decay": 1.0}),
    *_decaying("Adamax", Adamax, _ADAM, fixed={"epsilon_inside": False}),
    Row(
        "Lion",
        Lion,
        {
            **_RATE,
            "beta1": Through("beta_1", lambda beta: beta, _above_zero),
            "beta2": "beta_2",
            "weight_decay": Through(
                "weight_decay",
                lambda decay: 0.0 if decay is None else decay,
                lambda decay: None if decay == 0 else decay,
            ),
        },
    ),
    Row("Lamb", LAMB, _ADAM, why={**_WHY, "weight_decay": "Keras decays before taking lengths"}),
)

_OUTER = (GradientDescent, HeavyBall, NesterovRewritten)  # whose decay is a wrapper


class Keras(Library):
    """keras.optimizers and keras.optimizers.schedules."""

    name = "keras"
    version = "3.15.1"
    rows = ROWS
    readers: ClassVar = keras_schedules.READERS
    absent: ClassVar = {
        "Ftrl": "it is not among the rules of this package",
        "Muon": "it orthogonalises matrices of weights, and the problems here are vectors",
        "Adafactor": "it factorises matrices of weights, and the problems here are vectors",
        "LossScaleOptimizer": "it changes no numbers in float64; use the optimizer inside",
        "ScheduleFreeAdamW": "it is not among the rules of this package",
        "MultiOptimizer": "all coordinates are treated alike here",
    }
    elsewhere: ClassVar = {
        "lr": "that was Keras 2; Keras 3 calls it learning_rate",
        "decay": "that was Keras 2; in Keras 3 learning_rate takes InverseTimeDecay",
        "jit_compile": "that was Keras 2; it changes no numbers",
        "eps": "Keras calls it epsilon",
        "betas": "Keras calls them beta_1 and beta_2",
    }

    def check(self, name: str, native: Native) -> None:
        """Refuse what excludes each other, and what no rule here has."""
        if "name" not in native.known:
            return  # a schedule
        clipped = ("clipnorm", "clipvalue", "global_clipnorm")
        given = [option for option in clipped if native[option] is not None]
        if len(given) > 1:
            raise native.error(f"{' and '.join(given)} exclude each other", given[0])
        for option in ("loss_scale_factor", "gradient_accumulation_steps"):
            if native[option] is not None:
                raise native.error(
                    f"{option} must be None: a step here is one gradient of the loss itself", option
                )
        if native["use_ema"] and native["ema_overwrite_frequency"] is not None:
            raise native.error(
                "no rule here overwrites its iterate by the average",
                "ema_overwrite_frequency",
                "leave it out",
            )
        if name == "AdamW" and native["weight_decay"] is None:
            raise native.error("weight_decay must be a number", "weight_decay")
        if name == "Lamb" and not off(native["weight_decay"]):
            raise native.error(
                "Keras decays before it takes lengths, which no rule here does", "weight_decay"
            )
        if name == "Lion" and not is_schedule(native["beta_1"]) and native["beta_1"] <= 0:
            raise native.error("beta_1 must be above 0; at 0 it is signSGD", "beta_1")

    def wrap(self, name: str, native: Native, rule: Optimizer) -> Optimizer:
        """Return the rule with weight decay, clipping and the average of the iterates."""
        del name
        if isinstance(rule, _OUTER) and not off(native["weight_decay"]):
            rule = WeightDecay(rule, native["weight_decay"])
        for option in ("clipnorm", "global_clipnorm"):
            if native[option] is not None:
                rule = ClippedByNorm(rule, native[option], 0.0)
        if native["clipvalue"] is not None:
            rule = ClippedByValue(rule, native["clipvalue"])
        return EMA(rule, native["ema_momentum"], "first") if native.flag("use_ema") else rule

    def warnings(self, name: str, native: Native) -> list[str]:
        """Return what is unexpected in Keras."""
        if "name" in native.known and native["use_ema"]:
            told = (
                f"keras.optimizers.{name}(use_ema=True) writes the average into the variables "
                "only at the end of fit(); until then they are the iterates"
            )
            return [told]
        return []

    def write_wrapper(self, rule: Optimizer, steps: int | None) -> Draft | Obstacle | None:
        """Return clipping, decay and averages, which are options of the optimizer inside."""
        reported = ""
        match rule:
            case ClippedByNorm():
                options: dict[str, Any] = {"global_clipnorm": rule.max_norm}
            case ClippedByValue():
                options = {"clipvalue": rule.max_value}
            case WeightDecay(decoupled=True) if isinstance(rule.optimizer, _OUTER):
                options = {"weight_decay": rule.weight_decay}
            case EMA(initial="first"):
                options = {"use_ema": True, "ema_momentum": rule.decay}
                reported = "the average, which finalize_variable_values() writes into the variables"
            case _:
                return None
        inner = self.write(rule.values["optimizer"], steps)
        if not isinstance(inner, Draft):
            return inner
        if set(options) & set(inner.arguments):
            return Obstacle(f"Keras has {next(iter(options))} once")
        arguments = {**inner.arguments, **options}
        draft = Draft(inner.name, arguments, inner.notes, reported or inner.reported)
        if isinstance(rule, ClippedByNorm) and rule.epsilon != 0:
            return Obstacle("Keras clips to c/|g|, without an ε", draft)
        return draft

    def write_schedule(self, schedule: Schedule, steps: int | None = None) -> Draft | Obstacle:
        """Return the call of a schedule."""
        return keras_schedules.write(schedule, steps)

    def text(self, draft: Draft) -> str:
        """Return what is to be typed."""
        if draft.name in keras_schedules.READERS:
            return keras_schedules.text(draft)
        parts = []
        for name, value in draft.arguments.items():
            told = self.text(value) if isinstance(value, Draft) else value_text(value)
            parts.append(f"{name}={told}")
        return f"keras.optimizers.{draft.name}({', '.join(parts)})"
