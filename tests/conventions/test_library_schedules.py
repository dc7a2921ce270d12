"""Errors and warnings of `from_library`, and the schedules of the libraries."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules as s
from convex_analyzer.conventions import libraries
from convex_analyzer.optimizers.gradient import GradientDescent

PI = math.pi
READ = [
    ("torch", "StepLR", {"lr": 0.1, "step_size": 3}, lambda k: 0.1 * 0.1 ** (k // 3)),
    (
        "torch",
        "MultiStepLR",
        {"lr": 0.1, "milestones": [5, 2], "gamma": 0.5},
        lambda k: 0.1 * 0.5 ** ((k >= 2) + (k >= 5)),
    ),
    ("torch", "ConstantLR", {"lr": 0.3}, lambda k: 0.1 if k < 5 else 0.3),
    ("torch", "ConstantLR", {"lr": 0.3, "total_iters": 0, "factor": 1.0}, lambda k: 0.3),
    ("torch", "LinearLR", {"lr": 0.3}, lambda k: 0.3 * (1 / 3 + 2 / 3 * min(k, 5) / 5)),
    ("torch", "ExponentialLR", {"lr": 0.1, "gamma": 0.9}, lambda k: 0.1 * 0.9**k),
    (
        "torch",
        "PolynomialLR",
        {"lr": 0.1, "power": 2.0},
        lambda k: 0.1 * (1 - min(k, 5) / 5) ** 2,
    ),
    (
        "torch",
        "CosineAnnealingLR",
        {"lr": 0.1, "T_max": 6},
        lambda k: 0.05 * (1 + math.cos(PI * k / 6)),
    ),
    (
        "torch",
        "CosineAnnealingWarmRestarts",
        {"lr": 0.1, "T_0": 4},
        lambda k: 0.05 * (1 + math.cos(PI * (k % 4) / 4)),
    ),
    (
        "torch",
        "LambdaLR",
        {"lr": 0.1, "lr_lambda": lambda k: 1 / (1 + k), "steps": 12},
        lambda k: 0.1 / (1 + k),
    ),
    (
        "torch",
        "MultiplicativeLR",
        {"lr": 0.1, "lr_lambda": lambda k: 0.5, "steps": 12},
        lambda k: 0.1 * 0.5**k,
    ),
    (
        "torch",
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 0.3, "step_size_up": 4, "cycle_momentum": False},
        lambda k: 0.1 + 0.2 * (1 - abs((k % 8) / 4 - 1)),
    ),
    ("optax", "constant_schedule", {"value": 0.1}, lambda k: 0.1),
    (
        "optax",
        "linear_schedule",
        {"init_value": 0.1, "end_value": 0.0, "transition_steps": 5, "transition_begin": 2},
        lambda k: 0.1 * (1 - min(max(k - 2, 0), 5) / 5),
    ),
    (
        "optax",
        "polynomial_schedule",
        {"init_value": 0.1, "end_value": 0.02, "power": 2, "transition_steps": 5},
        lambda k: 0.08 * (1 - min(k, 5) / 5) ** 2 + 0.02,
    ),
    (
        "optax",
        "exponential_decay",
        {"init_value": 0.1, "transition_steps": 3, "decay_rate": 0.5},
        lambda k: 0.1 * 0.5 ** (k / 3),
    ),
    (
        "optax",
        "exponential_decay",
        {"init_value": 0.1, "transition_steps": 3, "decay_rate": 0.5, "staircase": True},
        lambda k: 0.1 * 0.5 ** (k // 3),
    ),
    (
        "optax",
        "exponential_decay",
        {
            "init_value": 0.1,
            "transition_steps": 3,
            "decay_rate": 0.5,
            "staircase": True,
            "end_value": 0.03,
        },
        lambda k: max(0.1 * 0.5 ** (k // 3), 0.03),
    ),
    (
        "optax",
        "cosine_decay_schedule",
        {"init_value": 0.1, "decay_steps": 6, "alpha": 0.1},
        lambda k: 0.1 * (0.9 * 0.5 * (1 + math.cos(PI * min(k, 6) / 6)) + 0.1),
    ),
    (
        "optax",
        "cosine_decay_schedule",
        {"init_value": 0.1, "decay_steps": 6, "exponent": 2.0},
        lambda k: 0.1 * (0.5 * (1 + math.cos(PI * min(k, 6) / 6))) ** 2,
    ),
    (
        "optax",
        "piecewise_constant_schedule",
        {"init_value": 0.1, "boundaries_and_scales": {3: 0.5, 6: 0.1}},
        lambda k: 0.1 * (0.5 if k >= 3 else 1) * (0.1 if k >= 6 else 1),
    ),
    ("optax", "piecewise_constant_schedule", {"init_value": 0.1}, lambda k: 0.1),
    (
        "optax",
        "warmup_constant_schedule",
        {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 4},
        lambda k: 0.1 * min(k, 4) / 4,
    ),
    (
        "optax",
        "warmup_cosine_decay_schedule",
        {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 3, "decay_steps": 9},
        lambda k: 0.1 * k / 3 if k < 3 else 0.05 * (1 + math.cos(PI * min(k - 3, 6) / 6)),
    ),
    (
        "optax",
        "warmup_exponential_decay_schedule",
        {
            "init_value": 0.0,
            "peak_value": 0.1,
            "warmup_steps": 3,
            "transition_steps": 2,
            "decay_rate": 0.5,
        },
        lambda k: 0.1 * k / 3 if k < 3 else 0.1 * 0.5 ** ((k - 3) / 2),
    ),
    (
        "keras",
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5, "staircase": True},
        lambda k: 0.1 * 0.5 ** (k // 3),
    ),
    (
        "keras",
        "PiecewiseConstantDecay",
        {"boundaries": [3, 6], "values": [0.3, 0.2, 0.1]},
        lambda k: 0.3 if k <= 3 else 0.2 if k <= 6 else 0.1,
    ),
    (
        "keras",
        "PolynomialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 5, "end_learning_rate": 0.02},
        lambda k: 0.08 * (1 - min(k, 5) / 5) + 0.02,
    ),
    (
        "keras",
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5},
        lambda k: 0.1 / (1 + 0.25 * k),
    ),
    (
        "keras",
        "CosineDecay",
        {
            "initial_learning_rate": 0.02,
            "decay_steps": 6,
            "warmup_target": 0.1,
            "warmup_steps": 4,
        },
        lambda k: 0.02 + 0.08 * k / 4 if k < 4 else 0.05 * (1 + math.cos(PI * min(k - 4, 6) / 6)),
    ),
    (
        "keras",
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 3},
        lambda k: (
            0.05 * (1 + math.cos(PI * (k / 3 if k < 3 else (k - 3) / 6 if k < 9 else (k - 9) / 12)))
        ),
    ),
    (
        "lecture004",
        "linear",
        {"epsilon_0": 1.0, "epsilon_tau": 0.1, "tau": 5},
        lambda k: 1 - 0.9 * min(k + 1, 5) / 5,
    ),
    (
        "lecture004",
        "exponential",
        {"epsilon_0": 1.0, "decay_rate": 0.5, "decay_steps": 2},
        lambda k: 0.5 ** ((k + 1) / 2),
    ),
]


@each("place", range(len(READ)))
def test_values_of_schedules(place):
    library, name, options, formula = READ[place]
    schedule = ca.from_library(library, name, **options)
    expected = [formula(k) for k in range(12)]
    assert np.allclose([schedule.at(k + 1) for k in range(12)], expected, rtol=1e-12, atol=1e-15)


OURS = [
    s.Constant(0.1),
    s.Linear(0.1, 0.01, 5),
    s.Linear(0.0, 0.1, 5),
    s.Polynomial(0.1, 0.0, 5, 2.0),
    s.Polynomial(0.1, 0.01, 5, 2.0),
    s.Exponential(0.1, 0.5, 3),
    s.Exponential(0.1, 0.5, 3, 0.02),
    s.Step(0.1, 0.5, 3),
    s.MultiStep(0.1, 0.5, [3, 6]),
    s.MultiStep(0.1, milestones=[3], values=[0.2]),
    s.MultiStep(0.1, milestones=[3, 6], values=[0.05, 0.01]),
    s.MultiStep(0.1, milestones=[3, 6], values=[0.0, 0.01]),
    s.Cosine(0.1, 6),
    s.Cosine(0.1, 6, 0.01, after="climb"),
    s.Cosine(0.0, 6, 0.1),
    s.Cosine(0.1, 20, after="climb"),
    s.Cosine(0.1, 20),
    s.WarmRestarts(0.1, 3, 2),
    s.WarmRestarts(0.0, 3, 2, 0.1),
    s.WarmUp(3, s.Constant(0.1), 0.1),
    s.WarmUp(3, s.Constant(0.1)),
    s.WarmUp(3, s.Step(0.1, 0.5, 3), 0.1),
    s.WarmUp(3, s.Cosine(0.1, 6), 0.1),
    s.WarmUp(3, s.InverseTime(0.1, 0.5), 0.1),
    s.WarmUp(3, s.Product(s.Constant(0.1), s.Step(0.1, 0.5, 3)), 0.1),
    s.InverseTime(0.1, 0.5),
    s.Power(0.1, 0.5),
    s.Table([0.1, 0.2], after="hold"),
    s.Table([0.1, 0.2], after="repeat"),
    s.Table([0.1] * 12),
    s.Product(s.Constant(0.1), s.Step(0.1, 0.5, 3)),
]


@each("library", libraries()[:4])
@each("schedule", OURS, ids=repr)
def test_schedules_written(schedule, library):
    try:
        call = ca.to_library(schedule, library, steps=12)
    except ca.NotConvertibleError as told:
        assert library in str(told).lower()
        return
    again = call.rule()
    assert np.allclose(
        [again.at(t) for t in range(1, 13)], [schedule.at(t) for t in range(1, 13)], rtol=1e-12
    )
    assert call.call
    rule = GradientDescent(schedule)
    try:
        whole = ca.to_library(rule, library, steps=12)
    except (ca.NotConvertibleError, ca.InputError):
        return
    assert call.name in whole.call or not isinstance(schedule, s.Step)


ERRORS = [
    ("trch", "Adam", {}, "did you mean torch"),
    (3, "Adam", {}, "no library"),
    ("torch", "Adma", {}, "Adam"),
    ("torch", "zzzzzz", {}, "it has"),
    ("torch", 3, {}, "must be text"),
    ("torch", "Muon", {}, "cannot be converted"),
    ("optax", "ema", {}, "averages updates"),
    ("torch", "Adam", {"leraning": 1}, "no option"),
    ("torch", "Adam", {"learning_rate": 0.1}, "calls it lr"),
    ("keras", "SGD", {"lr": 0.1}, "Keras 2"),
    ("keras", "SGD", {"decay": 0.1}, "InverseTimeDecay"),
    ("optax", "sgd", {}, "needs learning_rate"),
    ("torch", "Adam", {"betas": 0.9}, "pair of numbers"),
    ("torch", "Adam", {"amsgrad": 1}, "True or False"),
    ("torch", "Adam", {"lr": -1.0}, "lr"),
    ("torch", "Adam", {"maximize": True}, "negate"),
    ("torch", "Adam", {"fused": True, "foreach": True}, "exclude"),
    ("torch", "SGD", {"nesterov": True}, "momentum above 0"),
    ("torch", "SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "no dampening"),
    ("torch", "LBFGS", {"max_iter": 1, "line_search_fn": "strong_wolfe"}, "max_eval"),
    ("torch", "Adam", {"lr": math.sin}, "is a function"),
    (
        "torch",
        "clip_grad_norm_",
        {"optimizer": GradientDescent(0.1), "max_norm": 1.0, "norm_type": 1.0},
        "Euclidean",
    ),
    ("torch", "LinearLR", {"lr": 0.1, "start_factor": 2.0}, "start_factor"),
    ("torch", "LambdaLR", {"lr": 0.1, "lr_lambda": 3}, "function"),
    ("torch", "LambdaLR", {"lr": 0.1, "lr_lambda": math.sin}, "how long"),
    ("torch", "LambdaLR", {"lr": 0.1, "lr_lambda": math.sin, "steps": 0}, "at least 1"),
    ("torch", "LambdaLR", {"lr": 0.1, "lr_lambda": math.sin, "steps": 1.5}, "whole number"),
    ("torch", "LambdaLR", {"lr": "a", "lr_lambda": math.sin, "steps": 3}, "a number"),
    ("torch", "OneCycleLR", {"max_lr": 0.1}, "total_steps"),
    ("torch", "CyclicLR", {"base_lr": 0.1, "max_lr": 0.2, "mode": "exp_range"}, "never repeats"),
    ("torch", "SequentialLR", {"schedulers": [], "milestones": []}, "LinearLR"),
    ("torch", "ReduceLROnPlateau", {}, "no schedule"),
    ("optax", "adam", {"learning_rate": 0.1, "mu_dtype": "f"}, "float64"),
    ("optax", "noisy_sgd", {"learning_rate": 0.1, "key": 1, "seed": 1}, "exclude"),
    ("optax", "lbfgs", {}, "zoom"),
    ("optax", "join_schedules", {"schedules": [], "boundaries": []}, "linear_schedule"),
    ("optax", "sgdr_schedule", {"cosine_kwargs": []}, "empty"),
    (
        "optax",
        "piecewise_constant_schedule",
        {"init_value": 1.0, "boundaries_and_scales": {2: -1}},
        "negative",
    ),
    ("keras", "SGD", {"clipnorm": 1.0, "clipvalue": 1.0}, "exclude"),
    ("keras", "SGD", {"use_ema": True, "ema_overwrite_frequency": 3}, "overwrites"),
    ("keras", "AdamW", {"weight_decay": None}, "must be a number"),
    ("keras", "Lion", {"beta_1": 0.0}, "signSGD"),
    ("keras", "PiecewiseConstantDecay", {"boundaries": [1], "values": [1.0]}, "one more"),
    (
        "keras",
        "PolynomialDecay",
        {"initial_learning_rate": 1.0, "decay_steps": 3, "cycle": True},
        "cycle",
    ),
    (
        "keras",
        "InverseTimeDecay",
        {"initial_learning_rate": 1.0, "decay_steps": 3, "decay_rate": 1.0, "staircase": True},
        "staircase",
    ),
    (
        "keras",
        "CosineDecayRestarts",
        {"initial_learning_rate": 1.0, "first_decay_steps": 3, "m_mul": 0.5},
        "m_mul",
    ),
    ("lecture001", "Adam", {}, "no more"),
]


@each("place", range(len(ERRORS)))
def test_errors(place):
    library, name, options, message = ERRORS[place]
    with pytest.raises(ca.InputError, match=message):
        ca.from_library(library, name, **options)


WARNED = [
    ("torch", "SGD", {"dampening": 0.5}, "ignores dampening"),
    ("torch", "ASGD", {}, "1,000,002"),
    ("torch", "ASGD", {"t0": 5.0}, "step 7 "),
    ("torch", "RMSprop", {"centered": True}, "NaN"),
    ("torch", "NAdam", {"momentum_decay": 0}, "halves"),
    ("torch", "LBFGS", {}, "max_iter"),
    ("torch", "OneCycleLR", {"max_lr": 0.1, "total_steps": 20}, "also moves momentum"),
    ("optax", "adadelta", {}, "ascends"),
    ("optax", "rprop", {"learning_rate": 0.1}, "one step late"),
    ("optax", "rmsprop", {"learning_rate": 0.1, "nesterov": True}, "ignores nesterov"),
    ("keras", "Adam", {"use_ema": True}, "only at the end"),
]


@each("place", range(len(WARNED)))
def test_warnings(place):
    library, name, options, message = WARNED[place]
    with pytest.warns(ca.ConvexAnalyzerWarning, match=message):
        ca.from_library(library, name, **options)


def test_adadelta_without_a_learning_rate_ascends():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rule = ca.from_library("optax", "adadelta")
    problem = ca.Quadratic([[2.0, 0.0], [0.0, 1.0]])
    run = ca.simulate(problem, rule, [2.0, -1.0], 50, record="path").theta
    x, seen, moved = np.array([2.0, -1.0]), np.zeros(2), np.zeros(2)
    for _ in range(50):
        g = np.array([2.0, 1.0]) * x
        seen = 0.9 * seen + 0.1 * g * g
        step = np.sqrt(moved + 1e-6) / np.sqrt(seen + 1e-6) * g
        moved = 0.9 * moved + 0.1 * step * step
        x = x + step
    assert np.allclose(run[-1], x, rtol=1e-10)
    assert problem.value(run[-1]) > problem.value(run[0])


def test_what_cannot_be_written():
    with pytest.raises(ca.InputError, match="rule must be"):
        ca.to_library(3, "torch")
    with pytest.raises(ca.InputError, match="no library"):
        ca.to_library(GradientDescent(0.1), "mxnet")
