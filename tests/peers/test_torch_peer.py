"""torch.optim 2.13 itself against `from_library`, every optimizer and option that both have."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from runners import torch_path, with_torch

import convex_analyzer as ca

pytestmark = pytest.mark.peers

CASES = {
    "SGD": [
        {"lr": 0.15},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.5},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.9},
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
        {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1},
        {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "nesterov": True},
        {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "dampening": 0.3},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "dampening": 0.5},
        {"lr": 0.05, "momentum": 0.9, "foreach": True},
        {"lr": 0.05, "momentum": 0.9, "fused": True},
        {"lr": 0.3, "momentum": 0.99},
    ],
    "ASGD": [
        {},
        {"lr": 0.1, "lambd": 0.01, "alpha": 0.6, "t0": 10},
        {"lr": 0.1, "lambd": 0.01, "t0": 0, "weight_decay": 0.1},
        {"lr": 0.1, "lambd": 0.01, "foreach": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.3, "eps": 1e-3},
        {"lr": 0.3, "lr_decay": 0.05, "weight_decay": 0.1},
        {"lr": 0.3, "initial_accumulator_value": 0.1, "eps": 0.0},
        {"lr": 0.3, "fused": True},
        {"lr": 0.3, "foreach": True},
    ],
    "RMSprop": [
        {},
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-3},
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1},
        {"lr": 0.01, "momentum": 0.9},
        {"lr": 0.01, "centered": True, "eps": 1e-2},
        {"lr": 0.01, "alpha": 0.95, "centered": True, "momentum": 0.8, "eps": 1e-2},
        {"lr": 0.01, "foreach": True},
    ],
    "Adadelta": [
        {},
        {"lr": 0.5, "rho": 0.95, "eps": 1e-3},
        {"lr": 0.5, "weight_decay": 0.1, "eps": 1e-4},
        {"foreach": True},
    ],
    "Adam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-3},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "amsgrad": True},
        {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1},
        {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.05, "fused": True},
        {"lr": 0.05, "foreach": True},
        {"lr": 0.05, "betas": (0.0, 0.9), "eps": 1e-2},
    ],
    "AdamW": [
        {},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True, "eps": 1e-3},
        {"lr": 0.05, "fused": True},
    ],
    "NAdam": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-3},
        {"lr": 0.05, "momentum_decay": 1.0},
        {"lr": 0.05, "momentum_decay": 1e9},
        {"lr": 0.05, "momentum_decay": 0.0},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.05, "foreach": True},
    ],
    "RAdam": [
        {},
        {"lr": 0.05, "eps": 1e-3},
        {"lr": 0.05, "betas": (0.8, 0.9)},
        {"lr": 0.05, "betas": (0.8, 0.5)},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.05, "foreach": True},
    ],
    "Adamax": [
        {},
        {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-2},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "foreach": True},
    ],
    "Rprop": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-3, 0.5)},
        {"lr": 0.1, "foreach": True},
    ],
}
ALL = [(name, options) for name, several in CASES.items() for options in several]


def ours(name, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ca.ConvexAnalyzerWarning)
        return ca.from_library("torch", name, **options)


@pytest.mark.parametrize(("name", "options"), ALL, ids=str)
def test_optimizer(name, options, agree):
    agree("torch", f"{name} {options}", ours(name, **options), with_torch(name, **options))


@pytest.mark.parametrize("history", [100, 3])
@pytest.mark.parametrize("tolerances", [{}, {"tolerance_grad": 0, "tolerance_change": 0}])
def test_lbfgs_without_a_search(history, tolerances, agree):
    options = {"lr": 0.3, "max_iter": 1, "history_size": history, **tolerances}
    rule, path = ours("LBFGS", **options), with_torch("LBFGS", **options)
    agree("torch", f"LBFGS {options}", rule, path, least=10)


def test_lbfgs_with_its_search(agree):
    """As long as its interpolated losses differ: they drown in rounding next to the minimum."""
    options = {"max_iter": 1, "max_eval": 26, "line_search_fn": "strong_wolfe"}
    rule = ours("LBFGS", **options)
    agree("torch", "LBFGS strong_wolfe", rule, with_torch("LBFGS", **options), steps=4, least=4)


def test_average_of_asgd_is_in_its_state(agree):
    options = {"lr": 0.1, "lambd": 0.01, "t0": 5}
    rule = ours("ASGD", **options).replace(report_average=True)

    def path(place):
        return torch_path(
            lambda params: torch.optim.ASGD(params, **options),
            place,
            lambda *_: None,
            lambda optimizer, theta: optimizer.state[theta]["ax"].numpy().copy(),
        )

    agree("torch", "ASGD, state['ax']", rule, path)


def test_maximize_ascends_where_we_refuse():
    with pytest.raises(ca.InputError, match="maximize=True climbs"):
        ours("SGD", lr=0.1, maximize=True)


def test_the_variants_of_amsgrad_are_told_apart(agree):
    """The other variants are far from torch's, where torch's own is within 1e-12."""
    path = with_torch("Adam", lr=0.1, amsgrad=True)
    agree("torch", "amsgrad", ours("Adam", lr=0.1, amsgrad=True), path)
    for other in ("optax", "raw"):
        rule = ca.optimizers.AMSGrad(0.1, variant=other)
        with pytest.raises(AssertionError, match=r"e[+-]0[0-5] of"):
            agree("not torch", f"amsgrad {other}", rule, path)


def test_rprop_of_optax_is_not_that_of_torch(agree):
    rule = ca.optimizers.Rprop(0.1, variant="optax")
    with pytest.raises(AssertionError, match=r"e[+-]0[0-5] of"):
        agree("not torch", "Rprop of optax", rule, with_torch("Rprop", lr=0.1))


def test_nan_of_centred_rmsprop_under_a_constant_gradient():
    """What from_library warns of: torch, and our rule, turn NaN."""
    theta = torch.zeros(50, requires_grad=True)
    optimizer = torch.optim.RMSprop([theta], lr=1e-3, centered=True)
    slopes = torch.linspace(0.1, 5.0, 50)
    for _ in range(6000):
        theta.grad = slopes.clone()
        optimizer.step()
    assert torch.isnan(theta).any()
    with pytest.warns(ca.ConvexAnalyzerWarning, match="NaN"):
        rule = ca.from_library("torch", "RMSprop", lr=1e-3, centered=True)
    problem = ca.Quadratic.diagonal(np.zeros(50), slopes.numpy())
    path = ca.simulate(problem, rule, np.zeros(50), 6000, record="path").theta
    assert np.isnan(path[-1]).any()
