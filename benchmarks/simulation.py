"""Batched momentum through the pure `step` against a hand-written loop and against GEMM."""

from __future__ import annotations

from typing import Any

import numpy as np

import convex_analyzer as ca
from benchmarks.timing import Result, cpu_ratio


def _setting(d: int, runs: int) -> tuple[ca.Quadratic, np.ndarray[Any, Any], ca.HeavyBall]:
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(d, d))
    problem = ca.Quadratic(factor @ factor.T / d + np.eye(d))
    rates = np.full((runs, 1), 1e-3)
    return problem, rng.normal(size=(runs, d)), ca.HeavyBall(rates, 0.9)


def run() -> list[Result]:
    """Measure d = 2 with 65,536 runs, and d = 100 with 1024."""
    return [_against_hand(), _against_gemm()]


def _against_hand(d: int = 2, runs: int = 65_536, steps: int = 200) -> Result:
    problem, start, rule = _setting(d, runs)
    matrix, rates = problem.operator.to_dense(), rule.learning_rate[:, 0]
    tile = 16_384 // d

    def by_hand() -> None:
        for first in range(0, runs, tile):
            theta = np.ascontiguousarray(start[first : first + tile].T)
            gradient, velocity = np.empty_like(theta), np.zeros_like(theta)
            alpha = rates[first : first + tile]
            for _ in range(steps):
                np.matmul(matrix, theta, out=gradient)
                np.multiply(velocity, 0.9, out=velocity)
                np.multiply(gradient, alpha, out=gradient)
                np.subtract(velocity, gradient, out=velocity)
                np.add(theta, velocity, out=theta)

    def ours() -> None:
        ca.simulate(problem, rule, start, steps, record=[steps])

    a, b, ratio = cpu_ratio(by_hand, ours)
    mine, reference = (steps * runs / seconds / 1e6 for seconds in (b, a))
    detail = f"{mine:.0f} against {reference:.0f} million steps·runs/s"
    name = "momentum d = 2, share of a hand-written loop"
    return Result(name, ratio, "≥ 0.8", ratio >= 0.8, detail)


def _against_gemm(d: int = 100, runs: int = 1024, steps: int = 200) -> Result:
    problem, start, rule = _setting(d, runs)
    matrix = problem.operator.to_dense()
    columns = np.ascontiguousarray(start.T)
    out = np.empty_like(columns)

    def gemm() -> None:
        for _ in range(steps):
            np.matmul(matrix, columns, out=out)

    def ours() -> None:
        ca.simulate(problem, rule, start, steps, record=[steps])

    a, b, ratio = cpu_ratio(gemm, ours)
    detail = f"{steps * runs / b / 1e6:.2f} against {steps * runs / a / 1e6:.2f} million products/s"
    return Result("momentum d = 100, share of the GEMM rate", ratio, "≥ 0.6", ratio >= 0.6, detail)
