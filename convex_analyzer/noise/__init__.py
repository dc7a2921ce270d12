"""Noise: the problem that an optimizer sees at each step, drawn once per step.

A step may ask the drawn problem any number of times and always sees the same mini-batch and the
same error; a fresh draw per call would change an extragradient's variance fivefold.

Streams are counter-based (Philox; Salmon et al. 2011), keyed by the seed, the step and a block of
256 runs. The noise is therefore the same for every optimizer (comparisons are paired), however the
runs are cut into tiles, and a step can be replayed.
"""

from __future__ import annotations

from convex_analyzer.noise.additive import AdditiveNoise
from convex_analyzer.noise.batches import MiniBatch
from convex_analyzer.noise.streams import BLOCK_RUNS, Noise, Sampler, checked_seed, draw

__all__ = [
    "BLOCK_RUNS",
    "AdditiveNoise",
    "MiniBatch",
    "Noise",
    "Sampler",
    "checked_seed",
    "draw",
]
