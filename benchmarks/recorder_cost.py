"""``python -m benchmarks.recorder_cost``: what `Recorder.step` costs next to one gradient.

The gradient is that of one dense layer of d parameters with half the squared error as loss, in
float32 and one thread: X W, the residual, Xᵀr, at a batch of 32 and of 256. Nothing else of a
training step is counted (automatic differentiation, data, the update), so shares of real loops
are lower. Both are timed in turn in one loop (CPU time), so that each finds the caches as the
other leaves them. Snapshots are off.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.timing import Result
from convex_analyzer.diagnosis.recorder import Recorder

SIZES = (1_000, 100_000, 10_000_000)
BATCHES = (32, 256)
GOAL = 0.05
MODES: dict[str, dict[str, Any]] = {
    "every step": {},
    "every=16": {"every": 16},
    "share=0.05": {"share": 0.05},
}
_SECONDS = 0.7  # of one measurement, at least
_BLOCK, _LEAST = 16, 49


def layer(d: int, batch: int) -> tuple[np.ndarray, Callable[[], tuple[float, np.ndarray]]]:
    """Return the weights, and a function that computes loss and gradient."""
    rng = np.random.default_rng(0)
    units = math.isqrt(d)
    fan_in = d // units
    weights = rng.normal(size=(fan_in, units)).astype(np.float32)
    inputs = rng.normal(size=(batch, fan_in)).astype(np.float32)
    targets = rng.normal(size=(batch, units)).astype(np.float32)

    def gradient() -> tuple[float, np.ndarray]:
        residual = inputs @ weights - targets
        return float(np.vdot(residual, residual)) / (2 * batch), inputs.T @ residual / batch

    return weights, gradient


def cost(d: int, batch: int, options: dict[str, Any]) -> tuple[float, float]:
    """Return seconds of a gradient, and of a step of the recorder: medians of means of blocks."""
    weights, gradient = layer(d, batch)
    recorder = Recorder(snapshots=0, batch_size=batch, lr=0.1, **options)
    gradients, steps = [], []
    begin = time.perf_counter()
    while len(steps) < _LEAST or time.perf_counter() - begin < _SECONDS:
        t0 = time.process_time()
        loss, slope = gradient()
        t1 = time.process_time()
        recorder.step(loss, slope, weights)
        gradients.append(t1 - t0)
        steps.append(time.process_time() - t1)
        weights -= np.float32(1e-3) * slope
    return _typical(gradients), _typical(steps)


def _typical(times: list[float]) -> float:
    blocks = np.array(times[len(times) % _BLOCK :]).reshape(-1, _BLOCK)
    return float(np.median(blocks.mean(axis=1)))


def run() -> list[Result]:
    """Measure every size, batch and mode."""
    results = []
    for batch in BATCHES:
        for d in SIZES:
            for mode, options in MODES.items():
                alone, own = cost(d, batch, options)
                ratio = own / alone
                detail = f"{1e6 * own:.1f} µs beside {1e6 * alone:.1f} µs"
                what = f"recorder, d = {d:.0e}, batch {batch}, {mode}"
                results.append(Result(what, ratio, f"≤ {GOAL}", ratio <= GOAL, detail))
    return results


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
