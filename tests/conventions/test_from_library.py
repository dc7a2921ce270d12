"""Letters of the lectures, defaults, warnings and what happens then, odd schedules."""

from __future__ import annotations

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.conventions import libraries
from convex_analyzer.conventions.rows import defaults
from convex_analyzer.optimizers.adam import Adam, AMSGrad
from convex_analyzer.optimizers.adaptive import AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import AveragedSGD
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import (
    HeavyBall,
    Nesterov,
    TwoRateMomentum,
)
from convex_analyzer.optimizers.nesterov import TwoRateNesterov
from convex_analyzer.optimizers.sign import LocalGains, Rprop, SignSGD

INNER = HeavyBall(0.1, 0.5)

# Letters and values as the lectures print them (OPTIMIZERS, sections 1 and 2).
READ = [
    ("lecture000", "Momentum", {"eta": 0.1}, HeavyBall(0.1, 0.9)),
    ("lecture000", "NAG", {"eta": 0.1, "gamma": 0.5}, Nesterov(0.1, 0.5)),
    ("lecture000", "Adagrad", {}, AdaGrad(0.01, 1e-8, True)),
    ("lecture000", "RMSProp", {}, RMSProp(0.001, 0.9, 1e-8, True)),
    ("lecture000", "Adam", {"eta": 0.1}, Adam(0.1)),
    ("lecture000", "AMSGrad", {"eta": 0.1}, AMSGrad(0.1, variant="raw")),
    ("lecture001", "GradientDescent", {"alpha": 0.1}, GradientDescent(0.1)),
    ("lecture001", "Momentum", {"alpha": 0.1, "mu": 0.99}, HeavyBall(0.1, 0.99)),
    (
        "lecture001",
        "RMSprop",
        {"alpha": 0.1, "gamma": 0.1, "epsilon": 1e-3},
        RMSProp(0.1, 0.9, 1e-3, True),
    ),
    ("lecture002", "SGDMomentum", {"eta": 0.2, "gamma": 0.1}, TwoRateMomentum(0.1, 0.2, 0.9)),
    ("lecture002", "Momentum", {"eta": 0.2, "gamma": 0.1}, TwoRateMomentum(0.1, 0.2, 0.9)),
    ("lecture002", "StochasticHeavyBall", {"gamma": 0.1}, HeavyBall(0.1, 0.9)),
    ("lecture002", "Nesterov", {"eta": 0.2, "gamma": 0.1}, TwoRateNesterov(0.1, 0.2, 0.9, True)),
    (
        "lecture002",
        "LocalGains",
        {"eta": 0.1, "limits": (0.01, 100)},
        LocalGains(0.1, 0.05, 0.01, 100),
    ),
    (
        "lecture002",
        "rprop",
        {"step": 0.1, "eta_plus": 1.2, "eta_minus": 0.5},
        Rprop(0.1, variant="lecture"),
    ),
    ("lecture002", "rmsprop", {"eta": 0.1, "alpha": 0.9}, RMSProp(0.1, 0.9, 0.0)),
    ("lecture003", "Nesterov", {"eta": 0.1, "mu": 0.9}, Nesterov(0.1, 0.9)),
    ("lecture004", "Momentum", {"epsilon": 0.1, "alpha": 0.9}, HeavyBall(0.1, 0.9)),
    ("lecture004", "AdaGrad", {"epsilon": 0.1}, AdaGrad(0.1, 1e-7)),
    ("lecture004", "RMSProp", {"epsilon": 0.1, "rho": 0.9}, RMSProp(0.1, 0.9, 1e-6, True)),
    ("lecture004", "Adam", {}, Adam(0.001)),
    (
        "goodfellow",
        "RMSPropNesterov",
        {"epsilon": 0.1, "rho": 0.9, "alpha": 0.8},
        RMSProp(0.1, 0.9, 0.0, momentum=0.8, nesterov="ahead", learning_rate_inside=True),
    ),
]


@each(("library", "name", "options", "rule"), READ, ids=lambda v: str(v)[:50])
def test_a_call_is_read_as_the_rule(library, name, options, rule):
    assert ca.from_library(library, name, **options) == rule


@pytest.mark.parametrize("library", ["torch", "optax", "keras"])
def test_left_out_options_have_the_librarys_defaults(library):
    """Given explicitly, the defaults make the same rule."""
    import warnings

    for name, options in defaults(library)["optimizers"].items():
        required = {key: 0.1 for key, value in options.items() if value == "required"}
        if name == "lookahead":
            required = {"fast_optimizer": INNER, "sync_period": 5, "slow_step_size": 0.5}
        if name in {"clip", "clip_by_global_norm", "add_decayed_weights"}:
            required["optimizer"] = INNER
        if name == "lbfgs":
            required["linesearch"] = None
        explicit = {**options, **required}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ca.ConvexAnalyzerWarning)
            left_out = ca.from_library(library, name, **required)
            assert left_out == ca.from_library(library, name, **explicit), name


@each("option", ["foreach", "fused", "capturable", "differentiable"])
def test_options_that_change_no_numbers_are_accepted(option):
    assert ca.from_library("torch", "Adam", **{option: True}) == Adam(0.001)


def test_names_are_found_without_their_case():
    assert ca.from_library("Torch", "rmsprop") == ca.from_library("torch", "RMSprop")
    assert ca.from_library("optax", "SIGN_SGD", learning_rate=0.1) == SignSGD(0.1)
    assert libraries()[-1] == "goodfellow"


WARNED = [
    (("optax", "adadelta"), {}, "it ascends"),
    (("optax", "rprop"), {"learning_rate": 0.1}, "one step late"),
    (("optax", "rmsprop"), {"learning_rate": 0.1, "nesterov": True}, "ignores nesterov"),
    (("torch", "ASGD"), {}, r"begins to average at step 1,000,002 \(t0 = 1e\+06\)"),
    (("torch", "SGD"), {"lr": 0.1, "dampening": 0.5}, "ignores dampening"),
    (("torch", "RMSprop"), {"centered": True}, "turns NaN under a constant gradient"),
    (("torch", "NAdam"), {"momentum_decay": 0.0}, "halves the momentum"),
    (("torch", "LBFGS"), {}, "up to max_iter = 20 iterations"),
    (("torch", "OneCycleLR"), {"max_lr": 1.0, "total_steps": 9}, "also moves momentum"),
]


@each(("call", "options", "words"), WARNED, ids=lambda v: str(v)[:40])
def test_what_nobody_expects_is_said(call, options, words):
    with pytest.warns(ca.ConvexAnalyzerWarning, match=words) as caught:
        ca.from_library(*call, **options)
    assert caught[0].filename == __file__, "the warning points at the caller"


def test_what_the_warnings_say_is_what_happens():
    """Each is converted exactly, and does the unexpected thing."""
    toy = ca.gallery.toy()
    with pytest.warns(ca.ConvexAnalyzerWarning):
        ascending = ca.from_library("optax", "adadelta")
    losses = ca.simulate(toy, ascending, [-5.0, -2.0], 50, record="path").loss
    assert losses[-1] / losses[0] == pytest.approx(1.17, abs=0.005)  # OPTIMIZERS, section 7
    with pytest.warns(ca.ConvexAnalyzerWarning):
        late = ca.from_library("torch", "ASGD", lr=0.1, t0=5)
    assert late == AveragedSGD(0.1, t0=5)
    average = ca.simulate(
        toy, late.replace(report_average=True), [1.0, 1.0], 8, record="path"
    ).theta
    plain = ca.simulate(toy, late, [1.0, 1.0], 8, record="path").theta
    same = [bool(np.array_equal(a, b)) for a, b in zip(average, plain, strict=True)]
    assert same == [True] * 8 + [
        False
    ]  # it begins at step t0 + 2 = 7, whose copy is the first term
    with pytest.warns(ca.ConvexAnalyzerWarning):
        halved = ca.from_library("torch", "NAdam", lr=0.1, momentum_decay=0.0)
    assert halved._momentum(3) == 0.45


def test_learning_rates_may_be_schedules_of_the_library():
    stairs = ca.from_library("torch", "StepLR", lr=0.1, step_size=30)
    assert stairs == schedules.Step(0.1, 0.1, 30)
    assert ca.from_library("torch", "Adam", lr=stairs) == Adam(stairs)
    lagging = ca.optimizers.AveragedSGD(schedules.WarmUp(1, stairs, 1.0))
    with pytest.warns(ca.ConvexAnalyzerWarning):
        assert ca.from_library("torch", "ASGD", lr=stairs) == lagging


SCHEDULES = [
    ("torch", "ConstantLR", {"lr": 0.3, "total_iters": 0, "factor": 0.5}, schedules.Constant(0.15)),
    (
        "torch",
        "CosineAnnealingLR",
        {"lr": 0.3, "T_max": 7},
        schedules.Cosine(0.3, 7, after="climb"),
    ),
    (
        "optax",
        "exponential_decay",
        {"init_value": 0.3, "transition_steps": 0, "decay_rate": 0.5},
        schedules.Constant(0.3),
    ),
    (
        "optax",
        "exponential_decay",
        {
            "init_value": 0.1,
            "transition_steps": 5,
            "decay_rate": 0.5,
            "staircase": True,
            "end_value": 0.3,
        },
        schedules.Constant(0.3),
    ),
    (
        "optax",
        "linear_schedule",
        {"init_value": 0.3, "end_value": 0.1, "transition_steps": 0},
        schedules.Constant(0.3),
    ),
    ("optax", "piecewise_constant_schedule", {"init_value": 0.3}, schedules.Constant(0.3)),
    (
        "optax",
        "warmup_cosine_decay_schedule",
        {"init_value": 0.0, "peak_value": 0.3, "warmup_steps": 0, "decay_steps": 9},
        schedules.Cosine(0.3, 9),
    ),
]


@each(("library", "name", "options", "schedule"), SCHEDULES, ids=lambda v: str(v)[:40])
def test_odd_schedules(library, name, options, schedule):
    assert ca.from_library(library, name, **options) == schedule


def test_linear_decay_of_the_book_starts_at_one():
    """The loop counts k from 1, so that its first step is one down (OPTIMIZERS, section 8)."""
    tau, first, last = 5, 1.0, 0.01
    line = ca.from_library("lecture004", "linear", epsilon_0=first, epsilon_tau=last, tau=tau)
    by_hand = [(1 - min(k / tau, 1)) * first + min(k / tau, 1) * last for k in range(1, 9)]
    assert line.table(8) == pytest.approx(by_hand, rel=1e-14)
    single = ca.from_library("goodfellow", "linear", epsilon_0=first, epsilon_tau=last, tau=1)
    assert single == schedules.Constant(last)
    decay = ca.from_library(
        "lecture004", "exponential", epsilon_0=1.0, decay_rate=0.5, decay_steps=2
    )
    assert decay.table(4) == pytest.approx([0.5 ** (k / 2) for k in range(1, 5)], rel=1e-14)


def test_python_functions_become_tables():
    table = ca.from_library("torch", "LambdaLR", lr=0.5, lr_lambda=lambda k: 1 / (k + 1), steps=4)
    assert table.table(4) == pytest.approx([0.5, 0.25, 0.5 / 3, 0.125])
    product = ca.from_library("torch", "MultiplicativeLR", lr=1.0, lr_lambda=lambda k: 0.5, steps=3)
    assert product.table(3) == pytest.approx([1.0, 0.5, 0.25])
    with pytest.raises(ca.InputError, match="covers 3 steps"):
        product.check_length(4)


def joined(*pieces):
    """Return values of pieces (length, function of the place) one after the other."""
    return [function(k) for length, function in pieces for k in range(length)]


def test_one_cycle_of_optax_by_hand():
    """Up to the peak in 30 of 100 steps, down to where it began in 55 more, and to nearly zero."""
    line = ca.from_library(
        "optax", "linear_onecycle_schedule", transition_steps=100, peak_value=1.0
    )
    low, last = 1 / 25, 1 / 25 / 10_000
    by_hand = joined(
        (30, lambda k: low + (1 - low) * k / 30),
        (55, lambda k: 1 + (low - 1) * k / 55),
        (15, lambda k: low + (last - low) * k / 15),
        (9, lambda k: last),
    )
    assert line.table(109) == pytest.approx(by_hand, rel=1e-12)
    wave = ca.from_library(
        "optax", "cosine_onecycle_schedule", transition_steps=100, peak_value=1.0
    )
    assert wave.table(101)[[0, 15, 30, 65, 100]] == pytest.approx(
        [low, (1 + low) / 2, 1.0, (1 + last) / 2, last], rel=1e-12
    )


def test_restarts_of_optax_by_hand():
    waves = [
        {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 4, "decay_steps": 10},
        {
            "init_value": 0.5,
            "peak_value": 0.5,
            "warmup_steps": 0,
            "decay_steps": 6,
            "end_value": 0.1,
        },
    ]
    found = ca.from_library("optax", "sgdr_schedule", cosine_kwargs=waves)
    by_hand = joined(
        (4, lambda k: k / 4),
        (6, lambda k: (1 + np.cos(np.pi * k / 6)) / 2),
        (6, lambda k: 0.1 + 0.4 * (1 + np.cos(np.pi * k / 6)) / 2),
        (3, lambda k: 0.1),
    )
    assert found.table(19) == pytest.approx(by_hand, rel=1e-12, abs=1e-15)
    with pytest.raises(ca.InputError, match="has no option 'power'"):
        ca.from_library("optax", "sgdr_schedule", cosine_kwargs=[{**waves[0], "power": 2}])


def test_one_cycle_of_torch_by_hand():
    """Three phases: up in 0.3 x 20 - 1 steps, down in as many, then to a tenth of nothing."""
    with pytest.warns(ca.ConvexAnalyzerWarning):
        found = ca.from_library(
            "torch",
            "OneCycleLR",
            max_lr=1.0,
            total_steps=20,
            three_phase=True,
            anneal_strategy="linear",
        )
    low, last = 0.04, 0.04e-4
    by_hand = [low + (1 - low) * k / 5 for k in range(6)]
    by_hand += [1 + (low - 1) * (k - 5) / 5 for k in range(6, 11)]
    by_hand += [low + (last - low) * (k - 10) / 9 for k in range(11, 20)]
    assert found.table(20) == pytest.approx(by_hand, rel=1e-12)


def test_triangles_of_torch_by_hand():
    found = ca.from_library(
        "torch",
        "CyclicLR",
        base_lr=0.1,
        max_lr=0.5,
        step_size_up=4,
        step_size_down=2,
        cycle_momentum=False,
    )
    assert found.table(8) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.3, 0.1, 0.2])
    assert found.period == 6
