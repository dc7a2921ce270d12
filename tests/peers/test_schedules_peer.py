"""Schedules of torch and optax themselves, and the defaults of all constructors."""

from __future__ import annotations

import inspect
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.conventions.rows import defaults

pytestmark = pytest.mark.peers

STEPS = 120


def slower(k):
    return 1 / (1 + 0.1 * k)


def nearly(k):
    return 1 - 0.5 / (k + 1)


TORCH = [
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 7, "gamma": 0.8}),
    ("MultiStepLR", {"milestones": [50, 20, 20], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 11}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 40}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("PolynomialLR", {"total_iters": 50, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 2, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("LambdaLR", {"lr_lambda": slower}),
    ("MultiplicativeLR", {"lr_lambda": nearly}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": STEPS}),
    ("OneCycleLR", {"max_lr": 0.3, "epochs": 12, "steps_per_epoch": 10, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": STEPS, "anneal_strategy": "linear"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 7}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 4, "step_size_down": 9}),
]


def of_torch(name, options, rate=0.2):
    """Return the learning rates of the steps."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=rate, momentum=0.9)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    return _followed(optimizer, scheduler)


def _followed(optimizer, scheduler, steps=STEPS):
    rates = []
    for k in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if k < steps - 1:
            scheduler.step()
    return np.array(rates)


@pytest.mark.parametrize(
    ("name", "options"), TORCH, ids=[f"{place} {name}" for place, (name, _) in enumerate(TORCH)]
)
def test_schedules_of_torch(name, options):
    own = {"lr": 0.2} if "lr" in defaults("torch")["schedules"][name] else {}
    long = {"steps": STEPS} if "lr_lambda" in options else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ca.ConvexAnalyzerWarning)
        ours = ca.from_library("torch", name, **own, **options, **long)
    assert ours.table(STEPS) == pytest.approx(of_torch(name, options), rel=1e-12, abs=1e-15)


OPTAX = [
    ("constant_schedule", {"value": 0.3}),
    ("linear_schedule", {"init_value": 0.3, "end_value": 0.01, "transition_steps": 50}),
    (
        "linear_schedule",
        {"init_value": 0.3, "end_value": 0.01, "transition_steps": 50, "transition_begin": 20},
    ),
    (
        "polynomial_schedule",
        {"init_value": 0.3, "end_value": 0.01, "power": 2, "transition_steps": 50},
    ),
    ("exponential_decay", {"init_value": 0.3, "transition_steps": 10, "decay_rate": 0.7}),
    (
        "exponential_decay",
        {
            "init_value": 0.3,
            "transition_steps": 10,
            "decay_rate": 0.7,
            "staircase": True,
            "transition_begin": 15,
        },
    ),
    (
        "exponential_decay",
        {"init_value": 0.3, "transition_steps": 10, "decay_rate": 0.5, "end_value": 0.02},
    ),
    (
        "exponential_decay",
        {
            "init_value": 0.3,
            "transition_steps": 10,
            "decay_rate": 0.5,
            "staircase": True,
            "end_value": 0.02,
        },
    ),
    ("exponential_decay", {"init_value": 0.3, "transition_steps": 0, "decay_rate": 0.5}),
    ("cosine_decay_schedule", {"init_value": 0.3, "decay_steps": 50, "alpha": 0.1}),
    ("cosine_decay_schedule", {"init_value": 0.3, "decay_steps": 50, "exponent": 2.0}),
    (
        "piecewise_constant_schedule",
        {"init_value": 0.3, "boundaries_and_scales": {40: 0.5, 20: 0.1}},
    ),
    ("piecewise_constant_schedule", {"init_value": 0.3, "boundaries_and_scales": {40: 0.5}}),
    ("warmup_constant_schedule", {"init_value": 0.0, "peak_value": 0.3, "warmup_steps": 12}),
    (
        "warmup_cosine_decay_schedule",
        {
            "init_value": 0.0,
            "peak_value": 0.3,
            "warmup_steps": 12,
            "decay_steps": 80,
            "end_value": 0.01,
        },
    ),
    (
        "warmup_exponential_decay_schedule",
        {
            "init_value": 0.1,
            "peak_value": 0.3,
            "warmup_steps": 12,
            "transition_steps": 10,
            "decay_rate": 0.8,
        },
    ),
    (
        "sgdr_schedule",
        {
            "cosine_kwargs": [
                {"init_value": 0.0, "peak_value": 0.3, "warmup_steps": 5, "decay_steps": 20},
                {"init_value": 0.1, "peak_value": 0.2, "warmup_steps": 0, "decay_steps": 40},
            ]
        },
    ),
    ("linear_onecycle_schedule", {"transition_steps": 100, "peak_value": 0.3}),
    ("cosine_onecycle_schedule", {"transition_steps": 100, "peak_value": 0.3}),
]


def of_optax(schedule):
    return np.array([float(schedule(jnp.asarray(k))) for k in range(STEPS)])


@pytest.mark.parametrize(("name", "options"), OPTAX, ids=str)
def test_schedules_of_optax(name, options):
    """They are in float32, whatever is asked for."""
    ours = ca.from_library("optax", name, **options).table(STEPS)
    theirs = of_optax(getattr(optax, name)(**options))
    assert ours == pytest.approx(theirs, rel=2e-6, abs=1e-8)


WRITTEN = [
    schedules.Constant(0.2),
    schedules.Step(0.2, 0.5, 30),
    schedules.MultiStep(0.2, 0.5, [30, 60]),
    schedules.MultiStep(0.2, milestones=[30, 60], values=[0.1, 0.05]),
    schedules.MultiStep(0.05, milestones=[11], values=[0.2]),
    schedules.MultiStep(0.2, milestones=[30, 60], values=[0.1, 0.08]),
    schedules.Linear(0.2, 0.01, 50),
    schedules.Linear(0.01, 0.2, 50),
    schedules.Polynomial(0.2, 0.0, 50, 2.0),
    schedules.Polynomial(0.2, 0.01, 50, 2.0),
    schedules.Exponential(0.2, 0.5, 20),
    schedules.Exponential(0.2, 0.5, 20, 0.05),
    schedules.InverseTime(0.2, 0.1),
    schedules.Power(0.2, 0.5),
    schedules.Cosine(0.2, 40, 0.01),
    schedules.Cosine(0.2, 40, 0.01, "climb"),
    schedules.WarmRestarts(0.2, 10, 2, 0.01),
    schedules.WarmRestarts(0.2, 10),
    schedules.WarmUp(10, schedules.Step(0.2, 0.5, 30), 0.1),
    schedules.WarmUp(10, schedules.Constant(0.2), 0.1),
    schedules.WarmUp(10, schedules.Cosine(0.2, 40), 0.0),
    schedules.WarmUp(10, schedules.WarmRestarts(0.2, 10, 2), 0.1),
    schedules.Table([0.3, 0.1, 0.2], after="repeat"),
    schedules.Table([0.3, 0.1, 0.2], after="hold"),
]


@pytest.mark.parametrize("schedule", WRITTEN, ids=str)
@pytest.mark.parametrize("library", ["torch", "optax"])
def test_what_is_written_runs_alike(schedule, library):
    try:
        call = ca.to_library(schedule, library)
    except ca.NotConvertibleError as told:
        pytest.skip(str(told))
    if library == "torch":
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=call.arguments["lr"])
        scheduler = eval(call.call, {"torch": torch, "optimizer": optimizer})
        theirs = _followed(optimizer, scheduler)
        assert schedule.table(STEPS) == pytest.approx(theirs, rel=1e-10, abs=1e-15)
    else:
        theirs = of_optax(eval(call.call, {"optax": optax, "jnp": jnp, "jax": jax}))
        assert schedule.table(STEPS) == pytest.approx(theirs, rel=2e-6, abs=1e-8)


@pytest.mark.parametrize("library", ["torch", "optax"])
def test_defaults_are_those_of_the_constructors(library):
    found = defaults(library)
    installed = {"torch": torch.__version__.partition("+")[0], "optax": optax.__version__}
    assert installed[library] == found["version"]
    homes = {
        ("torch", "optimizers"): torch.optim,
        ("torch", "schedules"): torch.optim.lr_scheduler,
        ("optax", "optimizers"): optax,
        ("optax", "schedules"): optax,
    }
    for group in ("optimizers", "schedules"):
        for name, told in found[group].items():
            actual = inspect.signature(getattr(homes[library, group], name)).parameters
            for option, default in told.items():
                if (name, option) == ("lbfgs", "linesearch") or (group, option) == (
                    "schedules",
                    "lr",
                ):
                    continue  # an object; the optimizer's own
                value = actual[option].default
                value = "required" if value is inspect.Parameter.empty else value
                value = list(value) if isinstance(value, tuple) else value
                assert value == default, (name, option)
            ignored = {"params", "optimizer", "last_epoch"}
            assert set(actual) - ignored <= set(told), name
