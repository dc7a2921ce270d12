"""From what each row says by itself to chances that they are the cause, calibrated on known runs.

A row's *strength* is its own judgement. A cause explains its effects away: dead units are present
in a run that a wrong gradient has destroyed, and are not what is wrong with it. So the chance of a
row is its strength times the chance that nothing which explains it is there; healthy is the
chance that no fault is; what no row accounts for is left over as doubt. The numbers are then
sharpened or softened by one exponent per amount of evidence, fitted on labelled runs
(``benchmarks/diagnosis/calibrate.py``) so that what is said with 0.8 is right 8 times in 10.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from convex_analyzer.diagnosis import symptoms
from convex_analyzer.diagnosis.findings import Row, Sign
from convex_analyzer.diagnosis.reading import Reading

__all__ = ["Ranked", "amount", "chances_of", "rank", "symptom_modules", "weigh"]

UNTESTED = (
    0.05  # weight of a fault that the evidence cannot show: how often it is there all the same
)

# sharpness and weight of "none of these", by amount of evidence: benchmarks/diagnosis/calibrate.py
_CALIBRATION = {"full": (1.6, 0.05), "partial": (1.1, 0.03), "loss": (1.0, 0.03)}


@functools.cache
def symptom_modules() -> tuple[ModuleType, ...]:
    """Return the symptom modules in the order of the table; a new file is a new row."""
    modules = [
        importlib.import_module(f"{symptoms.__name__}.{info.name}")
        for info in pkgutil.iter_modules(symptoms.__path__)
    ]
    return tuple(sorted(modules, key=lambda module: module.ROW.order))


@dataclass(frozen=True)
class Ranked:
    """A row, its sign, and the chance that it is what is going on."""

    row: Row
    sign: Sign
    confidence: float


def rank(reading: Reading) -> tuple[tuple[Ranked, ...], float]:
    """Return all rows by falling confidence, and the doubt: the chance that it is none of them."""
    signs, weights = weigh(reading)
    chances, doubt = chances_of(weights, *_CALIBRATION[amount(reading)])
    ranked = [Ranked(row, sign, chances.get(row, 0.0)) for row, sign in signs.items()]
    ranked.sort(key=lambda each: (-each.confidence, each.row.order))
    return tuple(ranked), doubt


def weigh(reading: Reading) -> tuple[dict[Row, Sign], dict[Row, float]]:
    """Return what each row says by itself, and its weight once causes have explained effects."""
    signs = {
        module.ROW: module.examine(reading)
        for module in symptom_modules()
        if hasattr(module, "examine")
    }
    return signs, _weights(signs)


def chances_of(
    weights: Mapping[Row, float], sharpness: float, doubt: float
) -> tuple[dict[Row, float], float]:
    """Return chances that sum to one: weights to a power, beside what no row accounts for."""
    lifted = {row: weight**sharpness for row, weight in weights.items()}
    nothing = doubt**sharpness
    total = sum(lifted.values()) + nothing
    return {row: value / total for row, value in lifted.items()}, nothing / total


def amount(reading: Reading) -> str:
    """Return how much evidence there is: "loss", "partial" or "full"."""
    evidence = reading.evidence
    if evidence.has("gradient_checks", "layers") or evidence.has("gradient_checks", "curvature"):
        return "full"
    return "partial" if evidence.has("gradient_norm") or evidence.has("curvature") else "loss"


def _weights(signs: Mapping[Row, Sign]) -> dict[Row, float]:
    strength = {row.name: sign.strength or 0.0 for row, sign in signs.items()}
    weights = {}
    for row, sign in signs.items():
        if not row.fault and row.name != "healthy":
            continue  # what looks ill and is not stands beside the ranking
        weight = UNTESTED if sign.strength is None and row.fault else sign.strength or 0.0
        for other in signs:
            if other is row or row.name == "healthy":
                continue
            if row.name in other.explains:
                weight *= 1 - strength[other.name]
        if row.name == "healthy":
            for other in signs:
                if other.fault:
                    weight *= 1 - 0.9 * strength[other.name]
        weights[row] = weight
    return weights
