"""torch.optim 2.13 as rows: its options, our fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from convex_analyzer.conventions.rows import Row, Switch, Through, off
from convex_analyzer.domains import is_schedule
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import Adamax, RAdam
from convex_analyzer.optimizers.adaptive import Adadelta, AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import AveragedSGD
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import OuterMomentum
from convex_analyzer.optimizers.quasi_newton import LBFGS
from convex_analyzer.optimizers.sign import Rprop
from convex_analyzer.schedules import WarmUp

__all__ = ["ROWS"]

EPSILON_BESIDE = "torch adds ε beside the root, √s + ε"
FORGETS = (
    f"{EPSILON_BESIDE}; unlike AdaGrad's, no initial value can absorb one under the root, because "
    "the running mean forgets it"
)
EPSILON_HAT = "torch adds ε to the corrected root; ε̂ = ε√(1 - β₂ᵗ) changes from step to step"


def _lagged(rate: Any) -> Any:
    """Return the learning rate as ASGD uses it: made from that of the step before."""
    return WarmUp(1, rate, 1.0) if is_schedule(rate) else rate


def _not_lagged(rate: Any) -> Any:
    if isinstance(rate, WarmUp) and rate.steps == 1 and rate.fraction == 1:
        return rate.schedule
    if is_schedule(rate):
        raise ValueError("torch's ASGD uses the learning rate of the step before")
    return rate


_anything = Switch(lambda value: True, 0)
_no_momentum = Switch(off, 0)
_MEANS = {"beta1": "betas[0]", "beta2": "betas[1]"}
_ADAM = {"learning_rate": "lr", **_MEANS, "epsilon": "eps", "weight_decay": "weight_decay"}
_COUPLED = {"amsgrad": False, "decoupled_weight_decay": False}
_ASGD: Mapping[str, str | Through] = {
    "learning_rate": Through("lr", _lagged, _not_lagged),
    "lambd": "lambd",
    "power": "alpha",
    "t0": "t0",
    "weight_decay": "weight_decay",
}
_WHY_ADAM = {
    "epsilon_hat": EPSILON_HAT,
    "epsilon_root": "torch has no ε under the root",
    "variant": "torch divides the largest raw square by the correction of the current step",
}
_LBFGS = {
    "learning_rate": "lr",
    "history": "history_size",
    "gradient_tolerance": "tolerance_grad",
    "slope_tolerance": "tolerance_change",
}
_LBFGS_FIXED = {"scaled": True, "first_step": "torch", "skip_below": 1e-10, "tolerance": 0.0}
_ONE = Switch(lambda value: True, 1)

ROWS = (
    Row(
        "SGD",
        GradientDescent,
        {"learning_rate": "lr"},
        when={
            "momentum": _no_momentum,
            "weight_decay": _no_momentum,
            "dampening": _anything,
            "nesterov": False,
        },
    ),
    Row(
        "SGD",
        OuterMomentum,
        {"learning_rate": "lr", "weight_decay": "weight_decay"},
        {"momentum": 0.0, "dampening": 0.0, "nesterov": False},
        {"momentum": _no_momentum, "dampening": _anything, "nesterov": False},
    ),
    Row(
        "SGD",
        OuterMomentum,
        {
            "learning_rate": "lr",
            "momentum": "momentum",
            "dampening": "dampening",
            "weight_decay": "weight_decay",
            "nesterov": "nesterov",
        },
    ),
    Row("ASGD", AveragedSGD, _ASGD, {"report_average": False}),
    Row("ASGD", AveragedSGD, _ASGD, {"report_average": True}, reported="state['ax']"),
    Row(
        "Adagrad",
        AdaGrad,
        {
            "learning_rate": "lr",
            "learning_rate_decay": "lr_decay",
            "weight_decay": "weight_decay",
            "initial_accumulator": "initial_accumulator_value",
            "epsilon": "eps",
        },
        why={"epsilon_inside": EPSILON_BESIDE, "decoupled": "torch's weight decay is coupled"},
    ),
    Row(
        "RMSprop",
        RMSProp,
        {
            "learning_rate": "lr",
            "decay": "alpha",
            "epsilon": "eps",
            "weight_decay": "weight_decay",
            "momentum": "momentum",
            "centered": "centered",
        },
        why={
            "epsilon_inside": FORGETS,
            "learning_rate_inside": "in torch the learning rate multiplies the velocity, here what "
            "enters it: equal only while it is constant",
            "nesterov": "torch's RMSprop has no Nesterov momentum",
            "bias_correction": "torch's RMSprop corrects no bias",
            "initial_accumulator": "torch's RMSprop starts from zero",
            "decoupled": "torch's weight decay is coupled here",
        },
        instead={"epsilon_inside": lambda rule: {"epsilon": math.sqrt(rule.epsilon)}},
    ),
    Row(
        "Adadelta",
        Adadelta,
        {
            "learning_rate": "lr",
            "decay": "rho",
            "epsilon": "eps",
            "weight_decay": "weight_decay",
        },
        why={"decoupled": "torch's weight decay is coupled here"},
    ),
    Row("Adam", Adam, _ADAM, when=_COUPLED, why=_WHY_ADAM),
    Row("Adam", AMSGrad, _ADAM, {"variant": "torch"}, {**_COUPLED, "amsgrad": True}, why=_WHY_ADAM),
    Row("AdamW", AdamW, _ADAM, when={"amsgrad": False}, why=_WHY_ADAM),
    Row(
        "AdamW",
        AMSGrad,
        _ADAM,
        {"variant": "torch", "decoupled": True},
        {"amsgrad": True},
        why=_WHY_ADAM,
    ),
    Row("Adam", AdamW, _ADAM, when={"amsgrad": False, "decoupled_weight_decay": True}),
    Row(
        "Adam",
        AMSGrad,
        _ADAM,
        {"variant": "torch", "decoupled": True},
        {"amsgrad": True, "decoupled_weight_decay": True},
    ),
    Row(
        "NAdam",
        NAdam,
        {**_ADAM, "momentum_decay": "momentum_decay", "decoupled": "decoupled_weight_decay"},
        {"momentum_schedule": True},
        why=_WHY_ADAM,
    ),
    Row(
        "RAdam",
        RAdam,
        {**_ADAM, "decoupled": "decoupled_weight_decay"},
        {"variant": "torch", "threshold": 5.0},
        why={**_WHY_ADAM, "variant": "torch's RAdam adds ε before the correction"},
    ),
    Row(
        "Adamax",
        Adamax,
        _ADAM,
        why={
            "epsilon_inside": "torch adds ε inside the maximum",
            "decoupled": "torch's weight decay is coupled here",
        },
    ),
    Row(
        "Rprop",
        Rprop,
        {
            "learning_rate": "lr",
            "decrease": "etas[0]",
            "increase": "etas[1]",
            "smallest": "step_sizes[0]",
            "largest": "step_sizes[1]",
        },
        {"variant": "stay"},
        why={"variant": "torch's Rprop stays where the sign of the gradient has changed"},
    ),
    Row(
        "LBFGS",
        LBFGS,
        _LBFGS,
        {**_LBFGS_FIXED, "line_search": "fixed"},
        {"line_search_fn": None, "max_iter": _ONE, "max_eval": Switch(lambda value: True, None)},
        why={"line_search": "torch's LBFGS has no exact line search"},
    ),
    Row(
        "LBFGS",
        LBFGS,
        _LBFGS,
        {**_LBFGS_FIXED, "line_search": "wolfe"},
        {
            "line_search_fn": "strong_wolfe",
            "max_iter": _ONE,
            "max_eval": Switch(lambda value: True, 26),
        },
    ),
)
