"""Walks of every optimizer of the explorer, to be held against those of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import convex_analyzer as ca
from convex_analyzer.explorer.page import RULES

STEPS = 200
TURNED = [[3.664, -4.752], [-4.752, 6.436]]  # eigenvalues 0.1 and 10
THREE = [[4.0, 1.0, -0.5], [1.0, 3.0, 0.25], [-0.5, 0.25, 1.0]]
PROBLEMS = {
    "toy": ([[0.2, 0.0], [0.0, 4.0]], None, [-5.0, -2.0]),
    "turned": (TURNED, None, [-7.4, -6.8]),
    "with b": (THREE, [1.0, -2.0, 0.5], [2.0, 1.0, -3.0]),
}
RATES = {
    "gd": 0.15, "hb": 0.15, "nag": 0.1, "adagrad": 0.5, "rmsprop": 0.05, "adam": 0.5,
    "amsgrad": 0.1,
}  # fmt: skip


def python_rule(key: str, alpha: float):
    cls, fixed = RULES[key]
    momentum = {"momentum": 0.8} if key in ("hb", "nag") else {}
    return cls(learning_rate=alpha, **momentum, **fixed)


def comparable(problem, rule, start, path) -> int:
    """Return for how many steps a change of the start by 1e-15 stays below 1e-14.

    RMSProp turns rounding into differences of 1e-3 while it settles into its cycle: only its first
    steps can agree.
    """
    other = ca.simulate(problem, rule, np.array(start) + 1e-15, STEPS, record="path").theta
    far = np.flatnonzero(np.abs(other - path).max(axis=1) > 1e-14)
    return int(far[0]) if far.size else STEPS + 1


PROGRAM = f"""
return data.map(({{ A, b, start, key, alpha }}) => {{
  const problem = E.makeProblem(A, b, "A");
  const e = start.map((x, i) => x - problem.critical[i]);
  const run = E.simulate(problem, E.ruleOf(key), {{ alpha, mu: 0.8 }}, e, {STEPS});
  return {{ path: [...run.path], gap: [...run.gap], critical: problem.critical }};
}});
"""


def worst_deviations(run: Callable[[str, Any], Any]) -> dict[str, float]:
    """Return how far the script's walks, and gaps, are from those of the package, by optimizer."""
    data = [
        {"A": A, "b": b, "start": start, "key": key, "alpha": RATES[key]}
        for A, b, start in PROBLEMS.values()
        for key in RULES
    ]
    worst = dict.fromkeys(RULES, 0.0)
    for case, got in zip(data, run(PROGRAM, data), strict=True):
        key = case["key"]
        problem, rule = ca.Quadratic(case["A"], case["b"]), python_rule(key, case["alpha"])
        truth = ca.simulate(problem, rule, case["start"], STEPS, record="path")
        until = STEPS + 1
        if key == "rmsprop":
            until = comparable(problem, rule, case["start"], truth.theta)
            assert until > 20
        theirs = np.array(got["path"]).reshape(STEPS + 1, -1) + np.array(got["critical"])
        gap = truth.loss - problem.minimum
        off = np.abs(theirs - truth.theta)[:until].max()
        off_gap = (np.abs(np.array(got["gap"]) - gap)[:until] / max(1.0, gap[0])).max()
        worst[key] = max(worst[key], float(off), float(off_gap))
    return worst
