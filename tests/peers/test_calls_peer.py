"""What `to_library` says is typed into torch and optax, and run."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from runners import lookahead_path, optax_path, torch_path

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import Adamax, RAdam
from convex_analyzer.optimizers.adaptive import Adadelta, AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import EMA, Averaged, Lookahead
from convex_analyzer.optimizers.clipping import ClippedByNorm, ClippedByValue, WeightDecay
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import (
    EMAMomentum,
    HeavyBall,
    Nesterov,
    OuterMomentum,
    TwoRateMomentum,
)
from convex_analyzer.optimizers.nesterov import QHM, NesterovRewritten, TripleMomentum
from convex_analyzer.optimizers.sign import Lion, Rprop, SignSGD, Signum

pytestmark = pytest.mark.peers

STAIRS = schedules.Step(0.05, 0.3, 40)
RULES = [
    GradientDescent(0.1),
    HeavyBall(0.05, 0.9),
    HeavyBall(0.05, 0.0),
    EMAMomentum(0.5, 0.9),
    EMAMomentum(schedules.Exponential(0.5, 0.5, 60), 0.9),
    TwoRateMomentum(0.5, 0.1, 0.8),
    TwoRateMomentum(STAIRS, 0.5, 0.8),
    OuterMomentum(STAIRS, 0.9),
    OuterMomentum(0.05, 0.9, 0.4),
    OuterMomentum(0.05, 0.9, weight_decay=0.1, nesterov=True),
    NesterovRewritten(0.05, 0.9),
    QHM(0.4, 0.9, 0.9),
    QHM(0.4, 0.9, 1.0),
    TripleMomentum(0.05, 0.9, 0.0, 0.0),
    AdaGrad(0.3, 1e-2, epsilon_inside=True),
    AdaGrad(0.3, 1e-7, epsilon_inside=True, initial_accumulator=0.1),
    AdaGrad(schedules.InverseTime(0.3, 0.05), 1e-3),
    AdaGrad(0.3, 1e-3, learning_rate_decay=0.05),
    RMSProp(0.01, 0.9, 1e-2),
    RMSProp(0.01, 0.9, 1e-2, momentum=0.9, learning_rate_inside=True),
    Adadelta(0.5, 0.95, 1e-4),
    Adam(0.05, epsilon=1e-3),
    Adam(schedules.Linear(0.05, 0.01, 150)),
    AdamW(0.05, weight_decay=0.1),
    WeightDecay(Adam(0.05), 0.1),
    WeightDecay(HeavyBall(0.05, 0.9), 0.1, decoupled=False),
    AMSGrad(0.05),
    AMSGrad(0.05, weight_decay=0.1, decoupled=True),
    NAdam(0.05, momentum_decay=1.0),
    NAdam(0.05, momentum_schedule=False),
    RAdam(0.05),
    RAdam(0.05, epsilon=0.0, variant="optax"),
    Adamax(0.05, epsilon=1e-3),
    Rprop(0.1),
    ClippedByNorm(HeavyBall(0.05, 0.9), 0.5),
    ClippedByValue(Adam(0.05), 0.5),
    Averaged(HeavyBall(0.05, 0.9)),
    EMA(HeavyBall(0.05, 0.9), 0.95),
    # optax
    RMSProp(0.01, 0.9, 1e-2, epsilon_inside=True, momentum=0.9, nesterov="rewritten"),
    Adam(0.05, epsilon_root=1e-3),
    AMSGrad(0.05, variant="optax"),
    AMSGrad(0.05, variant="raw"),
    Lion(0.01, weight_decay=0.1),
    Signum(0.01, 0.5),
    SignSGD(0.01),
    Rprop(0.1, variant="optax"),
    Lookahead(HeavyBall(0.05, 0.9), 4),
    ClippedByNorm(HeavyBall(0.05, 0.9), 0.5, 0.0),
    HeavyBall(0.05, schedules.Linear(0.5, 0.9, 100)),
]


def typed(rule, library):
    """Return the call, or skip if the library has no such rule."""
    try:
        return ca.to_library(rule, library)
    except ca.NotConvertibleError as told:
        pytest.skip(str(told))


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_torch(rule, agree):
    call = typed(rule, "torch")
    lines = call.call.splitlines()
    names = {"torch": torch}

    def make(params):
        names.update(params=params, model=_Model(params[0]))
        exec(lines[0] if len(lines) > 1 else f"optimizer = {lines[0]}", names)
        return names["optimizer"]

    def around(optimizer, params):
        del optimizer, params
        before, after = [], []
        for line in lines[1:]:
            code, _, told = line.partition("  # ")
            if told.startswith("before"):
                before.append(code)
            else:
                exec(code, names)
                after.append(told.partition(" after every")[0])
        assert all(" " not in line for line in after), after

        def run(several):
            return lambda: [exec(line, names) for line in several]

        return run(before), run(after)

    def read(optimizer, theta):
        del optimizer
        point = names["averaged"].module.theta if "averaged" in names else theta
        return point.detach().numpy().copy()

    def path(place):
        names.pop("averaged", None)
        return torch_path(make, place, around, read)

    agree("torch calls", str(rule), rule, path)


class _Model(torch.nn.Module):
    def __init__(self, theta):
        super().__init__()
        self.theta = theta


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_optax(rule, agree):
    call = typed(rule, "optax")
    transform = eval(call.call, {"optax": optax, "jnp": jnp, "jax": jax})
    follow = lookahead_path if call.name == "lookahead" else optax_path
    path = functools.partial(follow, transform)
    if rule.is_scheduled:  # schedules of optax are in float32
        _agree_roughly(rule, path)
    else:
        agree("optax calls", str(rule), rule, path)


def _agree_roughly(rule, path):
    from conftest import QUADRATICS

    for place in QUADRATICS:
        ours, theirs = place.path(rule), path(place)
        assert np.abs(ours - theirs).max() <= 2e-6 * np.abs(ours).max()


def test_nesterov_is_stored_at_the_look_ahead_point():
    """The iterate of the book is torch's parameter plus α μ times its buffer, as the call says."""
    call = ca.to_library(Nesterov(0.05, 0.9), "torch")
    assert "look-ahead" in call.reported
    from conftest import QUADRATICS

    place = QUADRATICS[1]

    def read(optimizer, theta):
        buffer = optimizer.state[theta]["momentum_buffer"]
        return (theta + 0.05 * 0.9 * buffer).detach().numpy().copy()

    theirs = torch_path(
        lambda params: eval(call.call, {"torch": torch, "params": params}),
        place,
        lambda *_: None,
        read,
    )
    assert np.abs(place.path(Nesterov(0.05, 0.9)) - theirs).max() < 1e-12
