"""optax 0.2.8 itself against `from_library`, every optimizer and option that both have."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import optax
import pytest
from runners import lookahead_path, optax_path, with_optax

import convex_analyzer as ca

pytestmark = pytest.mark.peers

RATE = {"learning_rate": 0.05}
CASES = {
    "sgd": [
        RATE,
        {**RATE, "momentum": 0.9},
        {**RATE, "momentum": 0.9, "nesterov": True},
        {**RATE, "momentum": 0.0, "nesterov": True},
    ],
    "adagrad": [
        RATE,
        {"learning_rate": 0.3, "initial_accumulator_value": 0.0, "eps": 1e-3},
        {"learning_rate": 0.3, "initial_accumulator_value": 0.0, "eps": 0.0},
    ],
    "rmsprop": [
        {"learning_rate": 0.01},
        {"learning_rate": 0.01, "decay": 0.99, "eps": 1e-3},
        {"learning_rate": 0.01, "eps_in_sqrt": False, "eps": 1e-2},
        {"learning_rate": 0.01, "centered": True, "eps": 1e-2},
        {"learning_rate": 0.01, "centered": True, "eps": 1e-2, "eps_in_sqrt": False},
        {"learning_rate": 0.01, "bias_correction": True},
        {"learning_rate": 0.01, "bias_correction": True, "centered": True, "eps": 1.0},
        {"learning_rate": 0.01, "initial_scale": 0.5},
        {"learning_rate": 0.01, "momentum": 0.9},
        {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True},
        {"learning_rate": 0.01, "momentum": 0.8, "centered": True, "eps": 1e-2},
        {"learning_rate": 0.01, "nesterov": True},
    ],
    "adadelta": [
        {"learning_rate": 1.0},
        {"learning_rate": 0.5, "rho": 0.95, "eps": 1e-3, "weight_decay": 0.1},
        {},
    ],
    "adam": [
        RATE,
        {**RATE, "b1": 0.8, "b2": 0.99, "eps": 1e-3},
        {**RATE, "eps_root": 1e-3},
        {**RATE, "eps_root": 1e-3, "eps": 0.0},
        {**RATE, "nesterov": True},
        {**RATE, "nesterov": True, "eps_root": 1e-3},
    ],
    "adamw": [
        RATE,
        {**RATE, "weight_decay": 0.1, "eps_root": 1e-4},
        {**RATE, "weight_decay": 0.1, "nesterov": True},
    ],
    "amsgrad": [
        RATE,
        {**RATE, "eps_root": 1e-3},
        {**RATE, "bias_correction_mu": False, "bias_correction_nu": False},
    ],
    "nadam": [RATE, {**RATE, "b1": 0.8, "eps": 1e-3}, {**RATE, "nesterov": False}],
    "nadamw": [RATE, {**RATE, "weight_decay": 0.1}],
    "radam": [
        RATE,
        {**RATE, "eps": 1e-2},
        {**RATE, "b2": 0.9, "threshold": 4.5},
        {**RATE, "b2": 0.5},
        {**RATE, "eps_root": 1e-3},
    ],
    "adamax": [RATE, {**RATE, "b1": 0.8, "b2": 0.9, "eps": 1e-2}],
    "adamaxw": [RATE, {**RATE, "weight_decay": 0.1}],
    "adabelief": [RATE, {**RATE, "eps": 1e-4, "eps_root": 1e-6}],
    "yogi": [RATE, {**RATE, "b1": 0.8, "b2": 0.9, "eps": 1e-2}],
    "lamb": [RATE, {**RATE, "weight_decay": 0.1, "eps_root": 1e-3}],
    "lion": [{"learning_rate": 0.003}, {"learning_rate": 0.01, "b1": 0.5, "weight_decay": 0.1}],
    "sign_sgd": [{"learning_rate": 0.01}],
    "signum": [{"learning_rate": 0.01}, {"learning_rate": 0.01, "beta": 0.5}],
    "rprop": [
        {"learning_rate": 0.1},
        {
            "learning_rate": 0.1,
            "eta_minus": 0.3,
            "eta_plus": 1.5,
            "min_step_size": 1e-3,
            "max_step_size": 0.5,
        },
    ],
}
ALL = [(name, options) for name, several in CASES.items() for options in several]


def ours(name, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ca.ConvexAnalyzerWarning)
        return ca.from_library("optax", name, **options)


@pytest.mark.parametrize(("name", "options"), ALL, ids=str)
def test_optimizer(name, options, agree):
    agree("optax", f"{name} {options}", ours(name, **options), with_optax(name, **options))


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": 0.3},
        {"learning_rate": 0.3, "memory_size": 3},
        {"learning_rate": 0.1, "scale_init_precond": False},
        {},
    ],
    ids=str,
)
def test_lbfgs_without_a_search(options, agree):
    """Not to the end: optax subtracts points and gradients, and what cancels there is noise."""
    options = {**options, "linesearch": None}
    rule, path = ours("lbfgs", **options), with_optax("lbfgs", **options)
    agree("optax", f"lbfgs {options}", rule, path, steps=12, least=3)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [("sgd", {**RATE, "momentum": 0.9}), ("adam", RATE), ("sgd", RATE)],
    ids=["momentum", "adam", "plain"],
)
def test_lookahead(name, options, reset, agree):
    settings = {"sync_period": 6, "slow_step_size": 0.3, "reset_state": reset}
    rule = ours("lookahead", fast_optimizer=ours(name, **options), **settings)
    transform = optax.lookahead(getattr(optax, name)(**options), *settings.values())
    path = functools.partial(lookahead_path, transform)
    agree("optax", f"lookahead of {name}, {settings}", rule, path)


def test_transformations_of_the_gradient(agree):
    inner = ours("sgd", learning_rate=0.1, momentum=0.8)
    for name, value in (("clip_by_global_norm", 0.5), ("clip", 0.3), ("add_decayed_weights", 0.2)):
        option = {"clip_by_global_norm": "max_norm", "clip": "max_delta"}.get(name, "weight_decay")
        rule = ours(name, optimizer=inner, **{option: value})
        transform = optax.chain(getattr(optax, name)(value), optax.sgd(0.1, 0.8))
        agree("optax", name, rule, functools.partial(optax_path, transform))


def test_noisy_sgd_without_noise_is_gradient_descent(agree):
    """Its noise is drawn by jax; with η = 0 the rest of the rule can be compared."""
    rule = ours("noisy_sgd", learning_rate=0.1, eta=0.0)
    transform = optax.noisy_sgd(0.1, eta=0.0, key=0)
    agree("optax", "noisy_sgd", rule, functools.partial(optax_path, transform))


def test_the_variants_of_amsgrad_are_told_apart(agree):
    path = with_optax("amsgrad", learning_rate=0.1)
    agree("optax", "amsgrad", ours("amsgrad", learning_rate=0.1), path)
    for other in ("torch", "raw"):
        rule = ca.optimizers.AMSGrad(0.1, variant=other)
        with pytest.raises(AssertionError, match=r"e[+-]0[0-5] of"):
            agree("not optax", f"amsgrad {other}", rule, path)


def test_rprop_is_one_step_late(agree):
    """Its first step is zero, and until a sign flips it is where torch was a step before."""
    path = with_optax("rprop", learning_rate=0.1)
    with pytest.raises(AssertionError, match=r"e[+-]0[0-5] of"):
        agree("not optax", "rprop of torch", ca.optimizers.Rprop(0.1), path)
    problem = ca.Quadratic.diagonal([1.0, 2.0], [-50.0, -80.0])
    on_time = ca.simulate(problem, ca.optimizers.Rprop(0.1), [0.0, 0.0], 10, record="path").theta
    late = ours("rprop", learning_rate=0.1)
    assert np.array_equal(
        ca.simulate(problem, late, [0.0, 0.0], 10, record="path").theta[1:], on_time[:-1]
    )


def test_adadelta_without_a_learning_rate_ascends():
    toy = ca.gallery.toy()
    with pytest.warns(ca.ConvexAnalyzerWarning, match="ascends"):
        rule = ca.from_library("optax", "adadelta")
    losses = ca.simulate(toy, rule, [-5.0, -2.0], 50, record="path").loss
    assert losses[-1] / losses[0] == pytest.approx(1.17, abs=0.005)
