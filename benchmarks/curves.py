"""A loss curve to k = 1e12 against one exponential per entry."""

from __future__ import annotations

import numpy as np

import convex_analyzer as ca
from benchmarks.timing import Result, cpu_ratio


def run() -> list[Result]:
    """Measure gradient descent and heavy ball at d = 1000, 900 step counts up to 1e12."""
    eigenvalues = np.geomspace(1e-12, 1.0, 1000)
    spectrum = ca.Spectrum.from_eigenvalues(eigenvalues)
    counts = np.unique(np.floor(np.geomspace(1, 1e12, 900)))
    start = np.ones(1000)
    results = []
    for rule, goal in ((ca.GradientDescent, 2.0), (ca.HeavyBall, 6.0)):
        analysis = ca.analyze(spectrum, rule)
        _ = analysis.modes
        exponents = -np.outer(counts / counts[-1], eigenvalues)

        def curve(analysis: ca.Analysis = analysis) -> None:
            analysis.gap(start, counts)

        def exponentials(exponents: np.ndarray = exponents) -> None:
            np.exp(exponents)

        a, b, ratio = cpu_ratio(curve, exponentials)
        results.append(
            Result(
                f"{rule.__name__} curve to k = 1e12, exponentials per entry",
                ratio,
                f"≤ {goal:g}",
                ratio <= goal,
                f"{1e3 * a:.1f} ms against {1e3 * b:.1f} ms",
            )
        )
    return results
