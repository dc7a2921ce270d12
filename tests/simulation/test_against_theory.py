"""Theory against simulation: 200 random problems, three optimizers, relative difference ≤ 1e-11.

Closed forms in the eigenbasis on one side, steps in the original coordinates on the other. Problems
are of dimension 1 to 50, with condition numbers up to 1e8; every fourth is singular (with b inside
the range of A, or not), every fifth is indefinite. Differences are relative to the largest iterate
so far: that is what the rounding of a run is proportional to.
"""

from __future__ import annotations

import numpy as np
import pytest

from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.spectra.compute import spectrum
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze

pytestmark = pytest.mark.survey

PROBLEMS = 200
STEPS = 300
ROWS = np.unique(np.concatenate([np.arange(12), np.geomspace(12, STEPS, 40).astype(int)]))
BLOCKS = 10  # so that tests in parallel share the work
TOLERANCE = 1e-11


def random_parts(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Return eigenvalues, b along each direction, and where further randomness comes from."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 51))
    drifts = seed % 8 == 4
    # A rounded matrix turns its flat directions by about κ x 1e-16, and drifts go far along them.
    kappa = 10 ** rng.uniform(0, 4 if drifts else 8)
    values = kappa ** rng.uniform(0, 1, size)
    values[0], values[-1] = kappa, 1.0  # both ends are there (for size 1: κ = 1)
    values *= 10 ** rng.uniform(-3, 3)
    linear = rng.normal(size=size) * values.max()
    if seed % 4 == 0 and size > 1:
        flat = slice(1, 1 + int(rng.integers(1, max(2, size // 3))))
        values[flat] = 0.0
        if not drifts:
            linear[flat] = 0.0
    if seed % 5 == 0 and size > 2:
        values[2] = -values.max() * rng.uniform(0.001, 0.05)
        linear[2] = values.max() * rng.uniform(0.1, 1.0)  # a saddle is left at once, by far
    return values, linear, rng


def random_problem(seed: int) -> tuple[Quadratic, np.ndarray]:
    values, linear, rng = random_parts(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
    matrix = (turn * values) @ turn.T
    start = rng.normal(size=len(values)) * 10 ** rng.uniform(-2, 2)
    return Quadratic((matrix + matrix.T) / 2, turn @ linear), start


def rules(found: Spectrum, seed: int):
    """Yield each rule: for half of the problems as tuned, else drawn from its stable range."""
    rng = np.random.default_rng(10_000 + seed)
    top = max(found.lambda_max, 1e-12)
    for cls in (GradientDescent, HeavyBall, Nesterov):
        if seed < PROBLEMS // 2:  # every kind of problem is in either half
            yield analyze(found, cls).optimizer
            continue
        momentum = {} if cls is GradientDescent else {"momentum": float(rng.uniform(0, 0.99))}
        limit = cls(1.0, **momentum).published_limit()
        yield cls(float(rng.uniform(0.01, 0.99)) * limit / top, **momentum)


def difference(problem: Quadratic, found: Spectrum, rule, start: np.ndarray) -> float:
    run = simulate(problem, rule, start, STEPS, record=ROWS).theta
    predicted = analyze(found, rule).predict(start, ROWS)
    scale = np.maximum.accumulate(np.abs(run).max(axis=1))
    return float((np.abs(run - predicted).max(axis=1) / scale).max())


@pytest.mark.parametrize("block", range(BLOCKS))
def test_theory_and_simulation_agree(block):
    for seed in range(block, PROBLEMS, BLOCKS):
        problem, start = random_problem(seed)
        found = spectrum(problem)
        for rule in rules(found, seed):
            assert difference(problem, found, rule, start) <= TOLERANCE, (seed, rule)


def test_the_problems_are_as_varied_as_they_should_be():
    parts = [random_parts(seed)[:2] for seed in range(PROBLEMS)]
    saddles = [values.min() < 0 for values, _ in parts]
    flat = [(values == 0).any() for values, _ in parts]
    drifts = [(linear[values == 0] != 0).any() for values, linear in parts]
    kappas = [np.ptp(np.log10(np.abs(values[values != 0]))) for values, _ in parts]
    assert sum(saddles) >= 30
    assert sum(flat) >= 35
    assert 15 <= sum(drifts) < sum(flat)
    assert sum(a and b for a, b in zip(saddles, flat, strict=True)) >= 5
    assert max(kappas) > 7.5
    assert {1, 2, 50} <= {len(values) for values, _ in parts}
