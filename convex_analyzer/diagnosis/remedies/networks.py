"""Rows that need a network: units, restarts, saddles, plateaux."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from convex_analyzer.diagnosis.evidence import Layer
from convex_analyzer.diagnosis.remedies.facts import Facts, along, log_rate
from convex_analyzer.diagnosis.remedies.remedy import Remedy, nothing
from convex_analyzer.diagnosis.units import Units, activation_kind, units
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.problems.plateaus import dead_relu, saturated_logistic, saturation_border
from convex_analyzer.tables import format_count, format_number

__all__ = [
    "dead_or_saturated_units",
    "local_optimum",
    "plateau",
    "restarts_needed",
    "saddle",
    "symmetry",
]

Array = npt.NDArray[np.float64]

_AIM = 1.0  # typical |z| of a unit that is not saturated
_LARGEST = 600.0  # pre-activations whose exponential float64 holds
_SEED = 1e-2  # of the weights: a perturbation that breaks a symmetry
_FEWEST = 6
_MU = 0.9


# -- units -------------------------------------------------------------------------------------


def dead_or_saturated_units(facts: Facts) -> Remedy:
    """Saturated: slopes at a smaller initial scale; dead: nothing that uses the gradient helps."""
    layers = facts.reading.evidence.layers
    found = [(layer, each) for layer in layers if (each := units(layer)) is not None]
    dead = [each for _, each in found if each.kind == "relu"]
    worst = max(found, key=lambda pair: _worst(pair[1].saturated), default=None)
    if worst is not None and _worst(worst[1].saturated) > 0.1:
        return _saturated(facts, *worst)
    if dead and max(_worst(each.dead) for each in dead) > 0:
        share = max(_worst(each.dead) for each in dead)
        text = f"{100 * share:.0f} % of the units of a layer are dead: {dead_relu().at(-1.0).words}"
        return nothing("smaller scale of W, positive biases, leaky ReLU", text, kind="exact")
    lacks = "the activations of the hidden layers are not known"
    return nothing("smaller initial scale of W; ReLU", lacks)


def _worst(share: Array) -> float:
    finite = share[np.isfinite(share)]
    return float(finite.max()) if finite.size else 0.0


def _inputs(layer: Layer, kind: str) -> Array | None:
    """Return |z| of the first snapshot, from the activations where z was not logged."""
    if layer.preactivations is not None:
        z = np.abs(np.asarray(layer.preactivations[0], dtype=np.float64))
    elif layer.activations is not None and kind in {"tanh", "logistic"}:
        a = np.asarray(layer.activations[0], dtype=np.float64)
        inside = a if kind == "tanh" else 2 * a - 1
        limit = 1 - np.finfo(float).eps
        z = np.abs(np.arctanh(np.clip(inside, -limit, limit))) * (1 if kind == "tanh" else 2)
    else:
        return None
    finite: Array = z[np.isfinite(z)]
    return finite if finite.size else None


def _saturated(facts: Facts, layer: Layer, found: Units) -> Remedy:
    z = _inputs(layer, found.kind)
    kind = found.kind
    if kind == "unknown" and layer.activations is not None:
        kind = activation_kind(layer.activations, layer.preactivations)
    if z is None or kind not in {"tanh", "logistic"}:
        return nothing("smaller initial scale of W", f"the inputs of {found.name} are not known")
    share = _worst(found.saturated)
    beyond = z[z > saturation_border(kind)]
    typical = float(np.median(beyond)) if beyond.size else float(np.median(z))
    scale = _AIM / typical
    slopes = [np.array(_slopes(kind, factor * z)) for factor in (1.0, scale)]
    slope = [math.sqrt(float(np.mean(each**2))) for each in slopes]
    gain = slope[1] / max(slope[0], 1e-300)
    text = f"the root mean square of the slopes of {found.name} rises from "
    text += f"{format_number(slope[0], 2)} to {format_number(slope[1], 2)} of the largest, and the "
    text += f"gradient below it about like that, ×{format_number(gain, 3)}, if what comes down to "
    text += "it stays as it is: from half to four times as much on test networks "
    text += f"({100 * share:.0f} % of its units are saturated, |z| is typically "
    text += f"{format_number(typical, 3)})"
    return Remedy(
        f"initial scale of W and b into {found.name} ×{format_number(scale, 2)}",
        text,
        gain,
        formula="rms σ′(cz)/rms σ′(z)",
        kind="heuristic",
        settings={"initial_scale": scale},
        alternatives=(_plateau_times(facts, kind, typical),),
    )


def _slopes(kind: str, z: Array) -> list[float]:
    """Return σ'/σ'max of a logistic or tanh unit: 4σ(1 - σ), tanh' at z being that at 2z."""
    curvature = saturated_logistic("cross_entropy").curvature
    times = 2.0 if kind == "tanh" else 1.0
    sample = z if len(z) <= 4096 else z[:: len(z) // 4096 + 1]
    return [4 * curvature(min(times * float(value), _LARGEST)) for value in sample]


def _plateau_times(facts: Facts, kind: str, z: float) -> Remedy:
    """Return how long a saturated output unit needs, by either loss (THEORY 9.7)."""
    Z = min(2 * z if kind == "tanh" else z, _LARGEST)
    squared, cross = (
        saturated_logistic(loss).flow_time(-Z) for loss in ("squared_error", "cross_entropy")
    )
    assert squared is not None
    assert cross is not None
    text = f"an output unit as sure of the contrary, |z| = {format_number(Z, 3)}, leaves it after "
    text += f"time {format_number(cross, 3)} instead of {format_number(squared, 3)}"
    old = new = None
    if facts.alpha is not None and not facts.reading.adaptive and squared / facts.alpha < 1e15:
        old, new = (math.ceil(time / facts.alpha) for time in (squared, cross))
        text += f": about {format_count(new)} steps instead of {format_count(old)}"
    return Remedy(
        "cross-entropy instead of the squared error of a logistic output",
        text,
        squared / cross,
        old,
        new,
        "e^Z → Z + 1",
        "asymptotic",
    )


# -- restarts ----------------------------------------------------------------------------------


def restarts_needed(better: int, total: int, miss: float = 0.01) -> tuple[int | None, int, float]:
    """Return how many restarts find a better end but for a chance `miss`, and the chance of each.

    Parameters
    ----------
    better, total
        Restarts that ended lower, of how many.
    miss
        δ.

    Returns
    -------
    (n at the share seen, n at the lower end of its 95 % interval, that lower end)
        n = ⌈ln δ/ln(1 - p)⌉; the first is None where every restart or none was better. The
        interval is Clopper & Pearson's (1934).

    Examples
    --------
    >>> restarts_needed(5, 100)[0]
    90
    """
    from scipy.special import betaincinv

    share = better / total
    low = float(betaincinv(better, total - better + 1, 0.05)) if better else 0.0
    counts = [
        math.ceil(math.log(miss) / math.log1p(-p)) if 0 < p < 1 else None for p in (share, low)
    ]
    return counts[0], counts[1] or 1, low


def local_optimum(facts: Facts) -> Remedy:
    """Random restarts: how many, from those that were made."""
    curve, restarts = facts.reading.curve, facts.reading.evidence.restarts
    if restarts is None or curve is None or not np.isfinite(restarts).any():
        return nothing("random restarts", "the final losses of restarts are not known (restarts=)")
    ends = restarts[np.isfinite(restarts)]
    best = float(ends.min())
    better = int(np.sum(ends < curve.end - 0.5 * (curve.end - best)))
    if best >= curve.end or not better:
        return nothing("random restarts", f"none of {len(ends)} restarts ended lower")
    seen, safe, low = restarts_needed(better, len(ends))
    text = f"{better} of {len(ends)} restarts end lower, the best at {format_number(best, 3)} "
    text += f"instead of {format_number(curve.end, 3)}: "
    text += f"{format_count(seen)} " if seen is not None else "1 "
    text += f"restarts find one with 99 %; {format_count(safe)} if the chance is at its lower 95 % "
    text += f"bound {format_number(low, 2)}"
    return Remedy(
        f"{format_count(safe)} random restarts, keep the best",
        text,
        steps_after=None,
        formula="n = ⌈ln δ/ln(1−p)⌉",
        kind="bracketed",
        settings={"restarts": safe},
    )


# -- leaving saddles ---------------------------------------------------------------------------


def _growth(facts: Facts) -> tuple[float, float, float] | None:
    """Return ln of the gradient's growth per step where it grows longest, its low, and its top."""
    norms = facts.reading.evidence.gradient_norm
    if norms is None:
        return None
    good = np.isfinite(norms.values) & (norms.values > 0)
    steps, values = norms.steps[good], norms.values[good]
    if len(values) < _FEWEST:
        return None
    low = int(np.argmin(values[: max(len(values) * 9 // 10, 1)]))
    high = low + int(np.argmax(values[low:]))
    if high - low < _FEWEST or values[high] < 2 * values[low]:
        return None
    rise = np.log(values[low : high + 1])
    inner = (rise > rise[0] + 0.15 * np.ptp(rise)) & (rise < rise[0] + 0.85 * np.ptp(rise))
    if inner.sum() < 3:
        inner = np.ones(len(rise), dtype=bool)
    x = steps[low : high + 1][inner]
    slope = float(np.polyfit(x, rise[inner], 1)[0])
    return (slope, float(values[low]), float(values[high])) if slope > 0 else None


def saddle(facts: Facts) -> Remedy:
    """Perturb, or add momentum: growth per step 1 + αν, and the steps that it saves."""
    grown = _growth(facts)
    if grown is None:
        text = "the gradient does not grow anywhere in this log, so no escape can be timed"
        return nothing("random perturbation; momentum", text)
    slope, low, high = grown
    took = math.ceil(math.log(high / low) / slope)
    saved = math.floor(math.log(1 / _SEED) / slope)
    per_step = format_number(math.exp(slope), 4)
    text = f"the gradient grows ×{per_step} a step along the way out, which takes "
    text += f"{format_count(took)} steps from its lowest; a perturbation 100 times as large as "
    text += f"what lies along that direction leaves {format_count(min(saved, took))} steps earlier"
    return Remedy(
        "random perturbation of the weights",
        text,
        took / max(took - saved, 1),
        took,
        max(took - saved, 1),
        "k = ln(r/c₀)/ln(1+αν)",
        "heuristic",
        alternatives=_with_momentum(facts, slope, took),
    )


def _with_momentum(facts: Facts, slope: float, took: int) -> tuple[Remedy, ...]:
    """Return the root that grows with momentum 0.9, at most 1 + αν/(1 - μ)."""
    rule = facts.rule
    if not isinstance(rule, GradientDescent):
        return ()
    size = math.expm1(slope) / facts.unit  # 1 + αν = growth
    heavy = HeavyBall(facts.unit, _MU)
    factor = log_rate(heavy, -size) / slope
    text = f"×{format_number(along(heavy, -size).rate, 4)} instead of "
    text += f"×{format_number(math.exp(slope), 4)} a step: ×{format_number(factor, 3)} as fast"
    return (
        Remedy(
            f"momentum {_MU} at the same α",
            text,
            factor,
            took,
            math.ceil(took / factor),
            "growing root of r² − (1+μ+αν)r + μ",
            facts.kind,
            facts.settings(momentum=_MU),
        ),
    )


def plateau(facts: Facts) -> Remedy:
    """With a growing gradient the way out can be timed; without there is none to time."""
    change = "another initialisation; a loss with slope (cross-entropy)"
    if _growth(facts) is not None:
        return saddle(facts)
    if facts.reading.evidence.gradient_norm is None:
        return nothing(change, "gradient norms are not known, so it cannot be told from a minimum")
    return nothing(change, "the gradient does not grow: nothing in this log leads out of it")


def symmetry(facts: Facts) -> Remedy:
    """Random initial weights; from a perturbation, the way out of the symmetric saddle."""
    change = "initialise W randomly"
    text = "copies get equal gradients for ever (exact), so that nothing but a random start "
    text += "separates them"
    grown = _growth(facts)
    if grown is None:
        return nothing(change, text, kind="exact")
    slope = grown[0]
    steps = math.ceil(math.log(1 / _SEED) / slope)
    return Remedy(
        change,
        f"{text}; a perturbation of 1 % of the weights grows ×{format_number(math.exp(slope), 4)} "
        f"a step and is as large as they after about {format_count(steps)} steps",
        steps_after=steps,
        formula="k = ln(1/c₀)/ln(1+αν)",
        kind="heuristic",
        settings={"perturbation": _SEED},
    )
