"""Every row of every library: read, changed, written, and the printed call read again."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.conventions import libraries, running
from convex_analyzer.conventions.lectures import LECTURES
from convex_analyzer.conventions.rows import defaults
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import LAMB, AdaBelief, Adamax, RAdam, Yogi
from convex_analyzer.optimizers.adaptive import Adadelta, AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import EMA, Averaged, AveragedSGD, Lookahead
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
from convex_analyzer.optimizers.quasi_newton import LBFGS
from convex_analyzer.optimizers.sampling import GradientNoise
from convex_analyzer.optimizers.sign import Lion, LocalGains, Rprop, SignSGD, Signum

REQUIRED = "required"

# Found by introspection of the constructors of torch 2.13.0, optax 0.2.8 and Keras 3.15.1.
INTROSPECTED = {
    "torch": {
        "SGD": {"lr": 0.001, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False},
        "Adagrad": {
            "lr": 0.01,
            "lr_decay": 0,
            "weight_decay": 0,
            "initial_accumulator_value": 0,
            "eps": 1e-10,
        },
        "RMSprop": {
            "lr": 0.01,
            "alpha": 0.99,
            "eps": 1e-08,
            "weight_decay": 0,
            "momentum": 0,
            "centered": False,
        },
        "Adam": {
            "lr": 0.001,
            "betas": [0.9, 0.999],
            "eps": 1e-08,
            "weight_decay": 0,
            "amsgrad": False,
            "decoupled_weight_decay": False,
        },
        "AdamW": {
            "lr": 0.001,
            "betas": [0.9, 0.999],
            "eps": 1e-08,
            "weight_decay": 0.01,
            "amsgrad": False,
        },
        "Adadelta": {"lr": 1.0, "rho": 0.9, "eps": 1e-06, "weight_decay": 0},
        "NAdam": {
            "lr": 0.002,
            "betas": [0.9, 0.999],
            "eps": 1e-08,
            "weight_decay": 0,
            "momentum_decay": 0.004,
            "decoupled_weight_decay": False,
        },
        "RAdam": {
            "lr": 0.001,
            "betas": [0.9, 0.999],
            "eps": 1e-08,
            "weight_decay": 0,
            "decoupled_weight_decay": False,
        },
        "Adamax": {"lr": 0.002, "betas": [0.9, 0.999], "eps": 1e-08, "weight_decay": 0},
        "Rprop": {"lr": 0.01, "etas": [0.5, 1.2], "step_sizes": [1e-06, 50]},
        "ASGD": {"lr": 0.01, "lambd": 0.0001, "alpha": 0.75, "t0": 1000000.0, "weight_decay": 0},
        "LBFGS": {
            "lr": 1,
            "max_iter": 20,
            "max_eval": None,
            "tolerance_grad": 1e-07,
            "tolerance_change": 1e-09,
            "history_size": 100,
            "line_search_fn": None,
        },
        "CosineAnnealingWarmRestarts": {"T_0": REQUIRED, "T_mult": 1, "eta_min": 0.0},
    },
    "optax": {
        "sgd": {"learning_rate": REQUIRED, "momentum": None, "nesterov": False},
        "adagrad": {"learning_rate": REQUIRED, "initial_accumulator_value": 0.1, "eps": 1e-07},
        "rmsprop": {
            "learning_rate": REQUIRED,
            "decay": 0.9,
            "eps": 1e-08,
            "initial_scale": 0.0,
            "eps_in_sqrt": True,
            "centered": False,
            "momentum": None,
            "nesterov": False,
            "bias_correction": False,
        },
        "adam": {
            "learning_rate": REQUIRED,
            "b1": 0.9,
            "b2": 0.999,
            "eps": 1e-08,
            "eps_root": 0.0,
            "nesterov": False,
        },
        "amsgrad": {
            "learning_rate": REQUIRED,
            "b1": 0.9,
            "b2": 0.999,
            "eps": 1e-08,
            "eps_root": 0.0,
            "bias_correction_mu": True,
            "bias_correction_nu": True,
        },
        "adamw": {
            "learning_rate": REQUIRED,
            "b1": 0.9,
            "b2": 0.999,
            "eps": 1e-08,
            "eps_root": 0.0,
            "weight_decay": 0.0001,
            "nesterov": False,
        },
        "adadelta": {"learning_rate": None, "rho": 0.9, "eps": 1e-06, "weight_decay": 0.0},
        "lion": {"learning_rate": REQUIRED, "b1": 0.9, "b2": 0.99, "weight_decay": 0.001},
        "nadam": {
            "learning_rate": REQUIRED,
            "b1": 0.9,
            "b2": 0.999,
            "eps": 1e-08,
            "eps_root": 0.0,
            "nesterov": True,
        },
        "nadamw": {
            "learning_rate": REQUIRED,
            "b1": 0.9,
            "b2": 0.999,
            "eps": 1e-08,
            "eps_root": 0.0,
            "weight_decay": 0.0001,
            "nesterov": True,
        },
        "radam": {
            "learning_rate": REQUIRED,
            "b1": 0.9,
            "b2": 0.999,
            "eps": 1e-08,
            "eps_root": 0.0,
            "threshold": 5.0,
            "nesterov": False,
        },
        "adamax": {"learning_rate": REQUIRED, "b1": 0.9, "b2": 0.999, "eps": 1e-08},
        "adabelief": {
            "learning_rate": REQUIRED,
            "b1": 0.9,
            "b2": 0.999,
            "eps": 1e-16,
            "eps_root": 1e-16,
            "nesterov": False,
        },
        "yogi": {"learning_rate": REQUIRED, "b1": 0.9, "b2": 0.999, "eps": 0.001},
        "lamb": {
            "learning_rate": REQUIRED,
            "b1": 0.9,
            "b2": 0.999,
            "eps": 1e-06,
            "eps_root": 0.0,
            "weight_decay": 0.0,
        },
        "sign_sgd": {"learning_rate": REQUIRED},
        "signum": {"learning_rate": REQUIRED, "beta": 0.9},
        "rprop": {
            "learning_rate": REQUIRED,
            "eta_minus": 0.5,
            "eta_plus": 1.2,
            "min_step_size": 1e-06,
            "max_step_size": 50.0,
        },
        "noisy_sgd": {
            "learning_rate": REQUIRED,
            "eta": 0.01,
            "gamma": 0.55,
            "key": None,
            "seed": None,
        },
        "lbfgs": {
            "learning_rate": None,
            "memory_size": 10,
            "scale_init_precond": True,
            "linesearch": "zoom",
        },
    },
    "keras": {
        "SGD": {
            "learning_rate": 0.01,
            "momentum": 0.0,
            "nesterov": False,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "Adagrad": {
            "learning_rate": 0.001,
            "initial_accumulator_value": 0.1,
            "epsilon": 1e-07,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "RMSprop": {
            "learning_rate": 0.001,
            "rho": 0.9,
            "momentum": 0.0,
            "epsilon": 1e-07,
            "centered": False,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "Adam": {
            "learning_rate": 0.001,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-07,
            "amsgrad": False,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "AdamW": {
            "learning_rate": 0.001,
            "weight_decay": 0.004,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-07,
            "amsgrad": False,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "Adadelta": {
            "learning_rate": 0.001,
            "rho": 0.95,
            "epsilon": 1e-07,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "Nadam": {
            "learning_rate": 0.001,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-07,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "Adamax": {
            "learning_rate": 0.001,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-07,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "Lion": {
            "learning_rate": 0.001,
            "beta_1": 0.9,
            "beta_2": 0.99,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
        "Lamb": {
            "learning_rate": 0.001,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-07,
            "weight_decay": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": None,
        },
    },
}

A = np.array([[3.0, 1.0], [1.0, 1.0]])
B = np.array([0.5, -1.0])
START = np.array([2.0, -1.5])


STEPS = 30


@functools.cache
def path(rule):
    problem = ca.Quadratic(A, B)
    return ca.simulate(problem, rule, START, STEPS, record="path").theta


def read(library, name, /, **options):
    """Read a call; what it warns of is tested elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ca.from_library(library, name, **options)


# -- reading printed calls, without the package's own parser (it has none) -------------------------


class Typed:
    """Stands for a module, and turns each call made on it into a rule of ours."""

    def __init__(self, library, name="", world=None):
        self.library, self.name, self.world = library, name, {} if world is None else world

    def __getattr__(self, name):
        return Typed(self.library, name, self.world)

    def __call__(self, *args, **options):
        return getattr(self, f"_{self.library}")(*args, **options)

    def _keras(self, **options):
        return read("keras", self.name, **options)

    def _optax(self, *args, **options):
        if self.name == "inject_hyperparams":
            return args[0]
        if self.name == "chain":
            (name, given), inner = args
            return read("optax", name, optimizer=inner, **given)
        if self.name in {"clip", "clip_by_global_norm", "add_decayed_weights"}:
            return self.name, options
        if self.name == "join_schedules":
            return read("optax", self.name, schedules=args[0], boundaries=args[1])
        options = {name: _table(value) for name, value in options.items()}
        return read("optax", self.name, **options)

    def _torch(self, *args, **options):
        world, name = self.world, self.name
        if name == "get_ema_multi_avg_fn":
            return args[0]
        if name.startswith("clip_grad"):
            world["around"] = [*world.get("around", []), (name, options)]
        elif name == "AveragedModel":
            decay = options.get("multi_avg_fn")
            world["around"] = [*world.get("around", []), (name, {"decay": decay})]
        elif args == ("params",):
            world["optimizer"] = (name, options)
        else:
            return self._scheduler(args, options)
        return "optimizer"

    def _scheduler(self, args, options):
        base = self.world["optimizer"][1]["lr"]
        if self.name == "SequentialLR":
            found = read("torch", "SequentialLR", schedulers=args[1], **options)
        elif self.name == "LambdaLR":
            found = read("torch", "LambdaLR", lr=base, steps=31, **options)
        else:
            found = read("torch", self.name, lr=base, **options)
        self.world["schedule"] = found
        return found

    def result(self):
        name, options = self.world["optimizer"]
        if "schedule" in self.world:
            options = {**options, "lr": self.world["schedule"]}
        rule = read("torch", name, **options)
        for around, given in self.world.get("around", []):
            rule = read("torch", around, optimizer=rule, **given)
        return rule


def _table(value):
    if callable(value) and not isinstance(value, Typed) and not hasattr(value, "is_schedule"):
        return schedules.Table([float(value(k)) for k in range(31)])
    return value


class _Key:
    class random:  # noqa: N801 - the name of the module that it stands for
        @staticmethod
        def key(number):
            return number


def typed(call):
    """Return the rule behind the text of a call."""
    if call.library == "torch":
        torch = Typed("torch")
        names = {"torch": torch, "params": "params", "model": "model", "optimizer": "optimizer"}
        lines = call.call.splitlines()
        exec("\n".join(lines), names)
        return torch.result()
    if call.library in {"keras", "optax"}:
        names = {call.library: Typed(call.library), "jnp": np, "jax": _Key}
        return eval(call.call, names)
    return eval(call.call, {"ca": ca, **vars(schedules)})


# -- defaults --------------------------------------------------------------------------------------

NEEDED = {
    "learning_rate": 0.05,
    "fast_optimizer": GradientDescent(0.1),
    "optimizer": GradientDescent(0.1),
    "sync_period": 5,
    "slow_step_size": 0.5,
    "max_norm": 0.5,
    "max_delta": 0.5,
    "clip_value": 0.5,
}
NEEDED |= dict.fromkeys(("alpha", "beta", "gamma", "mu", "rho", "eta_minus"), 0.4)
NEEDED |= dict.fromkeys(("eta", "epsilon", "delta", "step"), 0.03)
NEEDED |= {"eta_plus": 1.3, "linesearch": None}


def options_of(library, name):
    found = LECTURE.get(library)
    if found is not None:
        return {**found.options[name]}
    return {**defaults(library)["optimizers"][name]}


LECTURE = {each.name: each for each in LECTURES}
SCHEDULES_OF_LECTURES = {"linear", "exponential"}
NAMES = [
    (library, name)
    for library in ("torch", "optax", "keras")
    for name in defaults(library)["optimizers"]
] + [
    (library, name)
    for library, lecture in LECTURE.items()
    for name in lecture.options
    if name not in SCHEDULES_OF_LECTURES
]


def base_of(library, name):
    """Return the least that has to be given."""
    given = {
        option: NEEDED[option]
        for option, value in options_of(library, name).items()
        if value == REQUIRED
    }
    if library == "optax" and name in {"clip", "clip_by_global_norm", "add_decayed_weights"}:
        given["optimizer"] = NEEDED["optimizer"]
    if (library, name) == ("optax", "lbfgs"):
        given["linesearch"] = None
    return given


@each(
    ("library", "name"),
    [(a, b) for a in INTROSPECTED for b in INTROSPECTED[a] if b in defaults(a)["optimizers"]],
)
def test_the_defaults_are_those_of_the_library(library, name):
    base = base_of(library, name)
    given = {k: v for k, v in INTROSPECTED[library][name].items() if v != REQUIRED}
    if (library, name) == ("optax", "lbfgs"):
        assert given.pop("linesearch") == "zoom"
    known = defaults(library)["optimizers"][name]
    assert {option: known[option] for option in given} == given
    assert read(library, name, **base) == read(library, name, **given | base)


EXPECTED = [
    ("torch", "SGD", {}, GradientDescent(0.001)),
    ("torch", "Adagrad", {}, AdaGrad(0.01, 1e-10)),
    ("torch", "RMSprop", {}, RMSProp(0.01, 0.99, 1e-8)),
    ("torch", "Adadelta", {}, Adadelta(1.0, 0.9, 1e-6)),
    ("torch", "Adam", {}, Adam(0.001, 0.9, 0.999, 1e-8)),
    ("torch", "AdamW", {}, AdamW(0.001, 0.9, 0.999, 1e-8, 0.01)),
    ("torch", "NAdam", {}, NAdam(0.002, 0.9, 0.999, 1e-8, 0.004)),
    ("torch", "RAdam", {}, RAdam(0.001, 0.9, 0.999, 1e-8)),
    ("torch", "Adamax", {}, Adamax(0.002, 0.9, 0.999, 1e-8)),
    ("torch", "Rprop", {}, Rprop(0.01, 1.2, 0.5, 1e-6, 50.0)),
    ("torch", "ASGD", {}, AveragedSGD(0.01, lambd=1e-4, power=0.75, t0=1e6, report_average=False)),
    ("torch", "Adam", {"amsgrad": True}, AMSGrad(0.001, 0.9, 0.999, 1e-8)),
    ("torch", "AdamW", {"amsgrad": True}, AMSGrad(weight_decay=0.01, decoupled=True)),
    ("torch", "Adam", {"decoupled_weight_decay": True}, AdamW(weight_decay=0.0)),
    ("torch", "SGD", {"weight_decay": 0.1}, OuterMomentum(0.001, 0.0, weight_decay=0.1)),
    ("torch", "SGD", {"momentum": 0.9}, OuterMomentum(0.001, 0.9)),
    ("optax", "adam", {"learning_rate": 0.1}, Adam(0.1)),
    ("optax", "adamw", {"learning_rate": 0.1}, AdamW(0.1, weight_decay=1e-4)),
    ("optax", "amsgrad", {"learning_rate": 0.1}, AMSGrad(0.1, variant="optax")),
    ("optax", "sgd", {"learning_rate": 0.1, "momentum": 0.9}, OuterMomentum(0.1, 0.9)),
    ("optax", "lion", {"learning_rate": 0.1}, Lion(0.1, 0.9, 0.99, 1e-3)),
    ("optax", "nadam", {"learning_rate": 0.1}, NAdam(0.1, momentum_schedule=False)),
    ("optax", "radam", {"learning_rate": 0.1}, RAdam(0.1, variant="optax")),
    ("optax", "adabelief", {"learning_rate": 0.1}, AdaBelief(0.1, 0.9, 0.999, 1e-16, 1e-16)),
    ("optax", "yogi", {"learning_rate": 0.1}, Yogi(0.1, 0.9, 0.999, 1e-3, 1e-6)),
    ("optax", "lamb", {"learning_rate": 0.1}, LAMB(0.1, 0.9, 0.999, 1e-6)),
    ("optax", "sign_sgd", {"learning_rate": 0.1}, SignSGD(0.1)),
    ("optax", "signum", {"learning_rate": 0.1}, Signum(0.1, 0.9)),
    ("optax", "rprop", {"learning_rate": 0.1}, Rprop(0.1, variant="optax")),
    (
        "optax",
        "adagrad",
        {"learning_rate": 0.1},
        AdaGrad(0.1, 1e-7, epsilon_inside=True, initial_accumulator=0.1),
    ),
    ("optax", "rmsprop", {"learning_rate": 0.1}, RMSProp(0.1, 0.9, 1e-8, epsilon_inside=True)),
    (
        "optax",
        "noisy_sgd",
        {"learning_rate": 0.1},
        GradientNoise(GradientDescent(0.1), 0.01, 0.55),
    ),
    ("keras", "SGD", {}, GradientDescent(0.01)),
    ("keras", "SGD", {"momentum": 0.9}, HeavyBall(0.01, 0.9)),
    ("keras", "SGD", {"momentum": 0.9, "nesterov": True}, NesterovRewritten(0.01, 0.9)),
    ("keras", "Adam", {}, Adam(0.001, epsilon=1e-7, epsilon_hat=True)),
    ("keras", "AdamW", {}, AdamW(0.001, epsilon=1e-7, weight_decay=4e-3, epsilon_hat=True)),
    ("keras", "Nadam", {}, NAdam(0.001, epsilon=1e-7, momentum_decay=1.0)),
    ("keras", "Adamax", {}, Adamax(0.001, epsilon=1e-7, epsilon_inside=False)),
    ("keras", "RMSprop", {}, RMSProp(0.001, 0.9, 1e-7, epsilon_inside=True)),
    ("keras", "Adadelta", {}, Adadelta(0.001, 0.95, 1e-7)),
    ("keras", "Lion", {}, Lion(0.001, 0.9, 0.99, 0.0)),
    ("keras", "Lamb", {}, LAMB(0.001, epsilon=1e-7)),
    ("lecture000", "Momentum", {"eta": 0.1}, HeavyBall(0.1, 0.9)),
    ("lecture000", "AMSGrad", {"eta": 0.1}, AMSGrad(0.1, variant="raw")),
    ("lecture000", "Adagrad", {}, AdaGrad(0.01, 1e-8, epsilon_inside=True)),
    (
        "lecture001",
        "RMSprop",
        {"alpha": 0.1, "gamma": 0.1, "epsilon": 0.01},
        RMSProp(0.1, 0.9, 0.01, epsilon_inside=True),
    ),
    ("lecture002", "SGDMomentum", {"eta": 0.5, "gamma": 0.1}, TwoRateMomentum(0.1, 0.5, 0.9)),
    (
        "lecture002",
        "Nesterov",
        {"eta": 0.5, "gamma": 0.1},
        TwoRateNesterov(0.1, 0.5, 0.9, as_printed=True),
    ),
    ("lecture002", "LocalGains", {"eta": 0.1}, LocalGains(0.1, 0.05)),
    ("lecture003", "Nesterov", {"eta": 0.1, "mu": 0.5}, Nesterov(0.1, 0.5)),
    ("lecture004", "AdaGrad", {"epsilon": 0.1}, AdaGrad(0.1, 1e-7)),
    ("goodfellow", "RMSProp", {"epsilon": 0.1, "rho": 0.9}, RMSProp(0.1, 0.9, 1e-6, True)),
]


@each(("library", "name", "options", "rule"), EXPECTED)
def test_what_is_behind_a_call(library, name, options, rule):
    assert read(library, name, **options) == rule


# -- every option ----------------------------------------------------------------------------------

NO_NUMBERS = {
    "foreach", "differentiable", "fused", "capturable", "name", "key", "seed",
    "max_iter", "max_eval",
    "ema_momentum",  # used with use_ema only
}  # fmt: skip
OTHERS = {
    "betas": (0.8, 0.99),
    "etas": (0.4, 1.3),
    "step_sizes": (1e-5, 20.0),
    "limits": (0.01, 20.0),
    "line_search_fn": "strong_wolfe",
    "max_eval": 26,
    "history_size": 5,
    "memory_size": 4,
    "sync_period": 3,
    "t0": 3.0,
    "max_iter": 2,
    "name": "mine",
    "key": 3,
    "seed": 3,
    "fast_optimizer": GradientDescent(0.2),
    "optimizer": GradientDescent(0.2),
    "threshold": 4.5,
    "eta_plus": 1.4,
    "eta_minus": 0.3,
    "largest": 20.0,
    "max_step_size": 20.0,
    "min_step_size": 1e-5,
    "alpha": 0.6,
    "clipnorm": 0.5,
    "clipvalue": 0.5,
    "global_clipnorm": 0.5,
    "linesearch": None,
}
REFUSED = {
    "maximize", "mu_dtype", "accumulator_dtype", "mask", "weight_decay_mask",
    "loss_scale_factor", "gradient_accumulation_steps",
}  # fmt: skip
ONLY_WITH = {  # options that say something beside others only
    ("torch", "SGD", "dampening"): {"momentum": 0.9},
    ("torch", "SGD", "nesterov"): {"momentum": 0.9},
    ("optax", "sgd", "nesterov"): {"momentum": 0.9},
    ("optax", "rmsprop", "nesterov"): {"momentum": 0.9},
    ("keras", "SGD", "nesterov"): {"momentum": 0.9},
    ("torch", "Adam", "decoupled_weight_decay"): {"weight_decay": 0.1},
}


def other(option, value):
    if option in OTHERS:
        return OTHERS[option]
    if isinstance(value, bool) or option in {"foreach", "fused", "maximize"}:
        return not value
    if value is None or value == 0:
        return 0.2
    base = NEEDED.get(option, 0.3) if value == REQUIRED else value
    return base * 0.7 if isinstance(base, float) else base + 1


CHANGES = [
    (library, name, option)
    for library, name in NAMES
    for option in [None, *options_of(library, name)]
]


def changed(library, name, option):
    """Return the options of a call with one of them changed, and of the call without that."""
    base = base_of(library, name) | ONLY_WITH.get((library, name, option), {})
    if option is None:
        return base, base
    value = base.get(option, options_of(library, name)[option])
    return base, base | {option: other(option, value)}


@each(("library", "name", "option"), CHANGES)
def test_every_option_is_read_written_and_read_again(library, name, option):
    base, given = changed(library, name, option)
    if option in REFUSED:
        with pytest.raises(ca.InputError, match=option):
            read(library, name, **given)
        return
    refused = {
        ("optax", "radam", "nesterov"): "nesterov",
        ("optax", "amsgrad", "bias_correction_mu"): "no equal",
        ("optax", "amsgrad", "bias_correction_nu"): "no equal",
        ("optax", "adabelief", "nesterov"): "nesterov",
        ("keras", "Lamb", "weight_decay"): "before it takes lengths",
    }
    if (library, name, option) in refused:
        with pytest.raises(ca.InputError, match=refused[library, name, option]):
            read(library, name, **given)
        return
    rule = read(library, name, **given)
    if option is not None and option not in NO_NUMBERS:
        same = given == base or (library, name, option) in SAME
        assert (rule == read(library, name, **base)) == same, f"{option} must change the rule"
    elif option is not None:
        assert rule == read(library, name, **base)
    try:
        call = ca.to_library(rule, library)
    except ca.NotConvertibleError:
        assert (library, name) in UNWRITTEN or (name, option) in UNWRITTEN
        return
    assert call.rule() == rule
    assert typed(call) == rule
    assert str(call) == call.call
    assert call.call in str(call.summary())
    assert call.to_dict()["library"] == library


SAME = {  # changes that an option of this name cannot make alone
    ("keras", name, "ema_overwrite_frequency") for name in defaults("keras")["optimizers"]
}
UNWRITTEN = {("optax", "adadelta")}


def test_what_is_combined_with_ema_in_keras():
    for option, value in (("ema_momentum", 0.9), ("clipnorm", 0.5), ("weight_decay", 0.1)):
        rule = read("keras", "SGD", momentum=0.9, use_ema=True, **{option: value})
        call = ca.to_library(rule, "keras")
        assert typed(call) == rule == call.rule()
        assert "average" in call.reported


# -- rules of ours, in every library ---------------------------------------------------------------

STAIRS = schedules.Step(0.05, 0.3, 10)
RULES = [
    GradientDescent(0.1),
    GradientDescent(STAIRS),
    GradientDescent(schedules.Constant(0.1)),
    SGD(0.1, 4),
    HeavyBall(0.05, 0.9),
    HeavyBall(0.05, 0.0),
    HeavyBall(STAIRS, 0.9),
    HeavyBall(0.05, schedules.Linear(0.5, 0.9, 20)),
    EMAMomentum(0.5, 0.9),
    EMAMomentum(schedules.Exponential(0.5, 0.5, 60), 0.9),
    TwoRateMomentum(0.5, 0.1, 0.8),
    TwoRateMomentum(STAIRS, 0.5, 0.8),
    TwoRateMomentum(0.5, STAIRS, 0.8),
    TwoRateNesterov(0.5, 0.1, 0.8),
    TwoRateNesterov(1.0, 0.1, 0.8, as_printed=True),
    TwoRateNesterov(0.5, 0.1, 0.8, as_printed=True),
    TwoRateNesterov(STAIRS, 0.1, 0.8),
    OuterMomentum(STAIRS, 0.9),
    OuterMomentum(0.05, 0.9),
    OuterMomentum(0.05, 0.0),
    OuterMomentum(0.05, 0.9, 0.4),
    OuterMomentum(0.05, 0.9, weight_decay=0.1, nesterov=True),
    OuterMomentum(STAIRS, 0.9, nesterov=True),
    Nesterov(0.05, 0.9),
    Nesterov(0.05, 0.0),
    Nesterov(STAIRS, 0.9),
    NesterovRewritten(0.05, 0.9),
    NesterovRewritten(0.05, 0.0),
    NesterovTwoPoint(0.05, "constant", 0.9),
    NesterovTwoPoint(0.05),
    QHM(0.4, 0.9, 0.9),
    QHM(0.4, 0.9, 1.0),
    QHM(0.4, 0.9, 0.0),
    QHM(0.4, 0.9, 0.7),
    TripleMomentum(0.05, 0.9, 0.0, 0.0),
    TripleMomentum(0.05, 0.9, 0.9, 0.0),
    TripleMomentum(0.05, 0.9, 0.9, 0.9),
    TripleMomentum(0.05, 0.9, 0.5, 0.1),
    AdaGrad(0.3, 1e-2, epsilon_inside=True),
    AdaGrad(0.3, 1e-7, epsilon_inside=True, initial_accumulator=0.1),
    AdaGrad(schedules.InverseTime(0.3, 0.05), 1e-3),
    AdaGrad(0.3, 1e-3, learning_rate_decay=0.05),
    AdaGrad(0.3, 0.0, initial_accumulator=0.1),
    AdaGrad(0.3, 1e-3, weight_decay=0.1, decoupled=True),
    RMSProp(0.01, 0.9, 1e-2),
    RMSProp(0.01, 0.9, 1e-2, epsilon_inside=True),
    RMSProp(0.01, 0.9, 0.0),
    RMSProp(0.01, 0.9, 1e-2, momentum=0.9, learning_rate_inside=True),
    RMSProp(STAIRS, 0.9, 1e-2, momentum=0.9, learning_rate_inside=True),
    RMSProp(0.01, 0.9, 1e-2, bias_correction=True),
    RMSProp(0.01, 0.9, 1e-2, epsilon_inside=True, momentum=0.9, nesterov="rewritten"),
    RMSProp(0.01, 0.9, 1e-2, momentum=0.9, nesterov="ahead"),
    RMSProp(0.01, 0.9, 1e-2, weight_decay=0.1, decoupled=True),
    Adadelta(0.5, 0.95, 1e-4),
    Adam(0.05, epsilon=1e-3),
    Adam(0.05, epsilon=1e-3, epsilon_hat=True),
    Adam(0.05, epsilon=0.0),
    Adam(0.05, 0.0, 0.9, 1e-3),
    Adam(0.05, 0.0, 0.0, 0.0),
    Adam(0.05, epsilon_root=1e-3),
    Adam(0.05, weight_decay=0.1),
    Adam(schedules.Linear(0.05, 0.01, 20)),
    Adam(0.05, schedules.Linear(0.5, 0.9, 20)),
    AdamW(0.05, weight_decay=0.1),
    AdamW(0.05, weight_decay=0.0),
    WeightDecay(Adam(0.05), 0.1),
    WeightDecay(Adam(0.05), 0.1, decoupled=False),
    WeightDecay(RMSProp(0.01), 0.1),
    WeightDecay(HeavyBall(0.05, 0.9), 0.1, decoupled=False),
    WeightDecay(HeavyBall(0.05, 0.9), 0.1),
    WeightDecay(EMAMomentum(0.5, 0.9), 0.1),
    WeightDecay(EMAMomentum(STAIRS, 0.9), 0.1),
    WeightDecay(GradientDescent(0.05), 0.1, decoupled=False),
    WeightDecay(GradientDescent(0.05), 0.1),
    WeightDecay(Lion(0.01), 0.1),
    AMSGrad(0.05),
    AMSGrad(0.05, epsilon=0.0),
    AMSGrad(0.05, weight_decay=0.1, decoupled=True),
    AMSGrad(0.05, variant="optax"),
    AMSGrad(0.05, variant="raw"),
    NAdam(0.05, momentum_decay=1.0),
    NAdam(0.05, momentum_decay=1e9),
    NAdam(0.05, momentum_schedule=False),
    RAdam(0.05),
    RAdam(0.05, epsilon=0.0, variant="optax"),
    Adamax(0.05, epsilon=1e-3),
    Adamax(0.05, epsilon=0.0),
    Adamax(0.05, epsilon=1e-3, weight_decay=0.1, decoupled=True),
    Rprop(0.1),
    Rprop(0.1, variant="optax"),
    Rprop(0.1, variant="move"),
    LBFGS(0.5),
    LBFGS(0.5, line_search="fixed"),
    Lion(0.01, weight_decay=0.1),
    Lion(0.01, 0.9, 0.9),
    Lion(0.01, 0.0, 0.9),
    Signum(0.01, 0.5),
    Signum(0.01, 0.0),
    SignSGD(0.01),
    Lookahead(HeavyBall(0.05, 0.9), 4),
    Lookahead(Nesterov(0.05, 0.9), 4),
    Lookahead(RMSProp(0.01, 0.9, 1e-2, epsilon_inside=True), 4),
    Lookahead(HeavyBall(0.05, 0.9), 4, reset=True),
    ClippedByNorm(HeavyBall(0.05, 0.9), 0.5),
    ClippedByNorm(HeavyBall(0.05, 0.9), 0.5, 0.0),
    ClippedByNorm(Nesterov(0.05, 0.9), 0.5, 0.0),
    ClippedByNorm(ClippedByNorm(HeavyBall(0.05, 0.9), 0.5, 0.0), 0.4, 0.0),
    ClippedByValue(Adam(0.05), 0.5),
    ClippedByValue(QHM(0.4, 0.9, 0.7), 0.5),
    ClippedByValue(AdaGrad(0.3, 1e-3, epsilon_inside=True), 0.5),
    Averaged(HeavyBall(0.05, 0.9)),
    Averaged(HeavyBall(0.05, 0.9), after=5),
    Averaged(QHM(0.4, 0.9, 0.7)),
    EMA(HeavyBall(0.05, 0.9), 0.95),
    EMA(HeavyBall(0.05, 0.9), 0.95, "start"),
    GradientNoise(GradientDescent(0.1), 0.02, 0.5),
]


@pytest.mark.parametrize("library", libraries())
@each("rule", RULES)
def test_the_call_runs_as_the_rule_does(rule, library, monkeypatch):
    monkeypatch.setattr(running, "STEPS", STEPS)  # how far the nearest call is, on a short run
    try:
        call = ca.to_library(rule, library)
    except ca.NotConvertibleError as told:
        if told.nearest is not None:
            assert told.nearest.call.splitlines()[0].partition("  #")[0] in str(told)
            if told.distance is not None:
                assert told.distance >= 0
        return
    again = call.rule()
    known = typed(call)
    numeric = "lambda" in call.call
    assert np.allclose(path(known), path(again), rtol=1e-12, atol=0) if numeric else known == again
    if rule.random or (call.reported and "look-ahead" in call.reported):
        return
    if isinstance(rule, Adam) and not (rule.epsilon or rule.beta1 or rule.beta2):
        return  # signs: any rounding is a step
    expected = path(rule if not isinstance(rule, SGD) else GradientDescent(rule.learning_rate))
    assert np.abs(path(again) - expected).max() <= 1e-9 * np.abs(expected).max()
