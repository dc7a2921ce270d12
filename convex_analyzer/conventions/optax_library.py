"""optax 0.2.8: its optimizers as our rules, and ours as its calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from convex_analyzer.conventions import optax_schedules
from convex_analyzer.conventions.library import Library
from convex_analyzer.conventions.rows import REQUIRED, Draft, Native, Obstacle, Row, Switch, Through
from convex_analyzer.conventions.rows import off as left_out
from convex_analyzer.conventions.typed import value_text
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import LAMB, AdaBelief, Adamax, RAdam, Yogi
from convex_analyzer.optimizers.adaptive import Adadelta, AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import Lookahead
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import ClippedByNorm, ClippedByValue, WeightDecay
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import OuterMomentum
from convex_analyzer.optimizers.quasi_newton import LBFGS
from convex_analyzer.optimizers.sampling import GradientNoise
from convex_analyzer.optimizers.sign import Lion, Rprop, SignSGD, Signum
from convex_analyzer.schedules.base import Schedule

__all__ = ["Optax"]

_RATE = {"learning_rate": "learning_rate"}
_ADAM = {**_RATE, "beta1": "b1", "beta2": "b2", "epsilon": "eps"}
_ROOT = {**_ADAM, "epsilon_root": "eps_root"}
_DECAYED = {**_ROOT, "weight_decay": "weight_decay"}
_NESTEROV, _PLAIN = {"nesterov": True}, {"nesterov": False}
_AHEAD = {"momentum_schedule": False}
_SQUARES = {
    "decay": "decay",
    "epsilon": "eps",
    "epsilon_inside": "eps_in_sqrt",
    "centered": "centered",
    "initial_accumulator": "initial_scale",
    "bias_correction": "bias_correction",
}
_WHY_SQUARES = {
    "learning_rate_inside": "in optax the learning rate multiplies what enters the velocity, here "
    "the velocity: equal only while it is constant",
    "nesterov": "optax takes the gradient where it stands, and reports the look-ahead point",
}
_WHY = {
    "epsilon_hat": "optax adds ε to the corrected root; ε̂ = ε√(1 - β₂ᵗ) changes from step to step",
    "variant": "optax takes the largest of the corrected squares; torch's correction is that of "
    "the current step",
    "momentum_schedule": "optax's nadam does not warm its momentum up",
    "weight_decay": "optax has no weight decay here",
}
_LBFGS: Mapping[str, str | Through] = {
    "learning_rate": Through("learning_rate", lambda rate: 1.0 if rate is None else rate, float),
    "history": "memory_size",
}
_LBFGS_FIXED = {"line_search": "fixed", "tolerance": 0.0}
_no_search = {"linesearch": Switch(lambda value: value is None, None)}


def _positive(rate: Any) -> Any:
    """Return adadelta's learning rate; -1, which ascends, is the lack of one."""
    return None if isinstance(rate, float) and rate == -1 else rate


_ADADELTA = Row(
    "adadelta",
    Adadelta,
    {
        "learning_rate": Through("learning_rate", lambda rate: rate, _positive),
        "decay": "rho",
        "epsilon": "eps",
        "weight_decay": "weight_decay",
    },
)


def _adadelta(native: Native) -> Optimizer:
    """Return adadelta; without a learning rate it adds its step instead of subtracting it."""
    if native["learning_rate"] is not None:
        return _ADADELTA.read(native)
    rule = Adadelta(1.0, native["rho"], native["eps"], native["weight_decay"])
    return rule.unchecked(learning_rate=-1.0)


ROWS = (
    Row("sgd", GradientDescent, _RATE, when={"momentum": Switch(left_out, None)}),
    Row("sgd", OuterMomentum, {**_RATE, "momentum": "momentum", "nesterov": "nesterov"}),
    Row(
        "adagrad",
        AdaGrad,
        {**_RATE, "initial_accumulator": "initial_accumulator_value", "epsilon": "eps"},
        {"epsilon_inside": True},
        why={"epsilon_inside": "optax adds ε under the root"},
    ),
    Row(
        "rmsprop",
        RMSProp,
        {**_RATE, **_SQUARES},
        {"momentum": 0.0, "nesterov": "off"},
        {"momentum": Switch(left_out, None)},
        ("learning_rate_inside",),
    ),
    Row(
        "rmsprop",
        RMSProp,
        {**_RATE, **_SQUARES, "momentum": "momentum"},
        {"learning_rate_inside": True},
        _PLAIN,
        why=_WHY_SQUARES,
    ),
    Row(
        "rmsprop",
        RMSProp,
        {**_RATE, **_SQUARES, "momentum": "momentum"},
        {"learning_rate_inside": True, "nesterov": "rewritten"},
        _NESTEROV,
        why=_WHY_SQUARES,
    ),
    Row("adam", Adam, _ROOT, when=_PLAIN, why=_WHY),
    Row("nadam", NAdam, _ROOT, _AHEAD, _NESTEROV, ("momentum_decay",), why=_WHY),
    Row("nadam", Adam, _ROOT, when=_PLAIN),
    Row("adam", NAdam, _ROOT, _AHEAD, _NESTEROV, ("momentum_decay",)),
    Row("adamw", AdamW, _DECAYED, when=_PLAIN, why=_WHY),
    Row(
        "nadamw",
        NAdam,
        _DECAYED,
        {**_AHEAD, "decoupled": True},
        _NESTEROV,
        ("momentum_decay",),
        why=_WHY,
    ),
    Row("nadamw", AdamW, _DECAYED, when=_PLAIN),
    Row("adamw", NAdam, _DECAYED, {**_AHEAD, "decoupled": True}, _NESTEROV, ("momentum_decay",)),
    Row(
        "amsgrad",
        AMSGrad,
        _ROOT,
        {"variant": "optax"},
        {"bias_correction_mu": True, "bias_correction_nu": True},
        why=_WHY,
    ),
    Row(
        "amsgrad",
        AMSGrad,
        _ROOT,
        {"variant": "raw"},
        {"bias_correction_mu": False, "bias_correction_nu": False},
    ),
    _ADADELTA,
    Row(
        "lion",
        Lion,
        {**_RATE, "beta1": "b1", "beta2": "b2", "weight_decay": "weight_decay"},
    ),
    Row(
        "radam",
        RAdam,
        {**_ROOT, "threshold": "threshold"},
        {"variant": "optax"},
        _PLAIN,
        why={**_WHY, "variant": "optax's radam adds ε after the correction"},
    ),
    Row("adamax", Adamax, _ADAM, why={"epsilon_inside": "optax adds ε inside the maximum"}),
    Row("adamaxw", Adamax, {**_ADAM, "weight_decay": "weight_decay"}, {"decoupled": True}),
    Row("adabelief", AdaBelief, _ROOT, when=_PLAIN),
    Row("yogi", Yogi, _ADAM, {"initial_accumulator": 1e-6}),
    Row("lamb", LAMB, _DECAYED),
    Row("sign_sgd", SignSGD, _RATE),
    Row("signum", Signum, {**_RATE, "momentum": "beta"}),
    Row(
        "rprop",
        Rprop,
        {
            **_RATE,
            "decrease": "eta_minus",
            "increase": "eta_plus",
            "smallest": "min_step_size",
            "largest": "max_step_size",
        },
        {"variant": "optax"},
        why={"variant": "optax 0.2.8 makes every step one step late"},
    ),
    Row(
        "lbfgs",
        LBFGS,
        _LBFGS,
        {**_LBFGS_FIXED, "scaled": True, "first_step": "optax"},
        {**_no_search, "scale_init_precond": True},
        why={"line_search": "optax's zoom line search is none of ours"},
    ),
    Row(
        "lbfgs",
        LBFGS,
        _LBFGS,
        {**_LBFGS_FIXED, "scaled": False},
        {**_no_search, "scale_init_precond": False},
    ),
)

_INSIDE: Mapping[str, Mapping[str, Any]] = {  # transformations of the gradient, around a rule
    "clip_by_global_norm": {"optimizer": REQUIRED},
    "clip": {"optimizer": REQUIRED},
    "add_decayed_weights": {"optimizer": REQUIRED},
}
_ELSEWHERE = "it is not among the rules of this package"


class Optax(Library):
    """optax and its schedules."""

    name = "optax"
    version = "0.2.8"
    rows = ROWS
    readers: ClassVar = {
        "adadelta": _adadelta,
        "noisy_sgd": lambda o: GradientNoise(
            GradientDescent(o["learning_rate"]), o["eta"], o["gamma"]
        ),
        "lookahead": lambda o: Lookahead(
            o["fast_optimizer"], o["sync_period"], o["slow_step_size"], o["reset_state"]
        ),
        "clip_by_global_norm": lambda o: ClippedByNorm(o["optimizer"], o["max_norm"], 0.0),
        "clip": lambda o: ClippedByValue(o["optimizer"], o["max_delta"]),
        "add_decayed_weights": lambda o: WeightDecay(
            o["optimizer"], o["weight_decay"], decoupled=False
        ),
        **optax_schedules.READERS,
    }
    absent: ClassVar = {
        "ema": "it averages updates, not parameters; EMAMomentum does that to gradients",
        "lars": _ELSEWHERE,
        "polyak_sgd": _ELSEWHERE,
        "adafactor": "it factorises matrices of weights, and the problems here are vectors",
        "fromage": _ELSEWHERE,
        "novograd": _ELSEWHERE,
        "adan": _ELSEWHERE,
        "sm3": "it is made for tensors, and the problems here are vectors",
        "optimistic_gradient_descent": _ELSEWHERE,
        "optimistic_adam": _ELSEWHERE,
        "optimistic_adam_v2": _ELSEWHERE,
    }
    elsewhere: ClassVar = {
        "lr": "optax calls it learning_rate",
        "betas": "optax calls them b1 and b2",
        "dampening": "optax has none",
        "learning_rate_decay": "give learning_rate a schedule",
    }
    scheduled: ClassVar = None

    def known(self, name: str) -> Mapping[str, Any]:
        """Return the options of an optimizer, a transformation or a schedule."""
        if name in optax_schedules.FURTHER:
            return optax_schedules.FURTHER[name]
        return {**super().known(name), **_INSIDE.get(name, {})}

    def check(self, name: str, native: Native) -> None:
        """Refuse what changes numbers in a way that no rule here has."""
        for option in ("mu_dtype", "accumulator_dtype"):
            if option in native.known and native[option] is not None:
                raise native.error(f"{option} must be None: everything here is float64", option)
        for option in ("mask", "weight_decay_mask"):
            if option in native.known and native[option] is not None:
                raise native.error(f"{option} must be None: all coordinates are treated alike")
        if name == "noisy_sgd" and native["key"] is not None and native["seed"] is not None:
            raise native.error("seed and key exclude each other", "seed")
        if name == "lbfgs" and native["linesearch"] is not None:
            raise native.error(
                "optax's zoom line search is none of ours", "linesearch", "give linesearch=None"
            )

    def warnings(self, name: str, native: Native) -> list[str]:
        """Return what is unexpected in optax."""
        if name == "adadelta" and native["learning_rate"] is None:
            return ["optax.adadelta without a learning rate keeps the sign of its step: it ascends"]
        if name == "rprop":
            return ["optax.rprop of 0.2.8 makes every step one step late, the first is zero"]
        no_momentum = name == "rmsprop" and left_out(native["momentum"])
        if no_momentum and native["nesterov"]:
            return ["without momentum optax.rmsprop ignores nesterov"]
        return []

    def write_wrapper(self, rule: Optimizer, steps: int | None) -> Draft | Obstacle | None:
        """Return transformations of the gradient, lookahead and noise."""
        del steps
        match rule:
            case ClippedByNorm():
                draft = Draft(
                    "clip_by_global_norm", {"max_norm": rule.max_norm, "optimizer": rule.optimizer}
                )
                told = "optax clips to c/|g|, without an ε"
                return Obstacle(told, draft) if rule.epsilon != 0 else draft
            case ClippedByValue():
                return Draft("clip", {"max_delta": rule.max_value, "optimizer": rule.optimizer})
            case WeightDecay(decoupled=False):
                return Draft(
                    "add_decayed_weights",
                    {"weight_decay": rule.weight_decay, "optimizer": rule.optimizer},
                )
            case Lookahead(report_fast=False):
                arguments = {
                    "fast_optimizer": rule.optimizer,
                    "sync_period": rule.sync_period,
                    "slow_step_size": rule.slow_step_size,
                    **({"reset_state": True} if rule.reset else {}),
                }
                return Draft("lookahead", arguments, reported="params.slow")
            case GradientNoise(optimizer=GradientDescent()):
                rate = rule.optimizer.values["learning_rate"]
                noise = {"eta": rule.eta, "gamma": rule.gamma}
                return Draft("noisy_sgd", {"learning_rate": rate, **noise, "key": 0})
        return None

    def write_schedule(self, schedule: Schedule, steps: int | None = None) -> Draft | Obstacle:
        """Return the call of a schedule."""
        return optax_schedules.write(schedule, steps)

    def text(self, draft: Draft) -> str:
        """Return what is to be typed."""
        if draft.name in optax_schedules.READERS:
            return optax_schedules.text(draft)
        if draft.name in _INSIDE:
            options = dict(draft.arguments)
            inner = self.text(options.pop("optimizer"))
            return f"optax.chain(optax.{draft.name}({self._typed(options)}), {inner})"
        maker, others = f"optax.{draft.name}", ("learning_rate", "weight_decay", "fast_optimizer")
        if any(isinstance(v, Draft) and k not in others for k, v in draft.arguments.items()):
            maker = f"optax.inject_hyperparams({maker})"
        return f"{maker}({self._typed(draft.arguments)})"

    def _typed(self, arguments: Mapping[str, Any]) -> str:
        parts = []
        for name, value in arguments.items():
            told = self.text(value) if isinstance(value, Draft) else value_text(value)
            parts.append(f"{name}={f'jax.random.key({told})' if name == 'key' else told}")
        return ", ".join(parts)
