"""A full analysis against the eigendecomposition that it needs anyway."""

from __future__ import annotations

import numpy as np

import convex_analyzer as ca
from benchmarks.timing import Result, cpu_ratio


def run() -> list[Result]:
    """Measure spectrum, rate, stability, regimes, steps and transient at d = 1000."""
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(1000, 1500))
    matrix = factor @ factor.T / 1500

    def ours() -> None:
        analysis = ca.analyze(ca.Quadratic(matrix), ca.HeavyBall)
        _ = analysis.rate, analysis.stability_limit, analysis.outcome, analysis.directions.regime
        _ = analysis.steps_to(1e-6), analysis.transient_peak

    def eigh() -> None:
        np.linalg.eigh(matrix)

    a, b, ratio = cpu_ratio(ours, eigh)
    detail = f"{1e3 * a:.0f} ms against {1e3 * b:.0f} ms"
    name = "full analysis, dense d = 1000, over eigh"
    return [Result(name, ratio, "≤ 1.15", ratio <= 1.15, detail)]
