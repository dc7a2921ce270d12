"""Labels are proved, never assumed: a predicate on the run and a run without the fault.

``prove(candidate, log)`` answers with a ``Proof``, or None when the fault that was planted does
not show, or when its removal does not help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.diagnosis.lab import Array, Plan
from benchmarks.diagnosis.runs import Log, Trace, record, trace
from benchmarks.diagnosis.signs import (
    Signs,
    flat_stretch,
    gradient_error,
    peaks,
    signs_of,
    steepest_after,
)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A run with a planted cause, and the same run without it."""

    label: str
    variety: str
    severity: float  # 0 mild .. 1 gross, as drawn
    plan: Plan
    remedy: Plan | None = None
    batch_monitor: bool = False
    floor: float | None = None  # the exact minimum, where it is known


@dataclass(frozen=True)
class Proof:
    """The label, what would be equally right, why, and the numbers."""

    label: str
    why: str
    accept: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)


def prove(candidate: Candidate, log: Log) -> Proof | None:
    """The proof for this label; None when it fails."""
    with np.errstate(all="ignore"):
        return _PROOFS[candidate.label](candidate, log, signs_of(candidate.plan, log))


def _calm(run: Trace, initial: float, k: int = 0) -> bool:
    """Ended finite, below its beginning and without swings."""
    tail, swing = float(run.tail[k]), float(run.swing[k])
    return bool(np.isfinite(tail) and tail < 0.9 * initial and swing < 0.05 * initial)


def _best_rate(plan: Plan, factors: tuple[float, ...], initial: float) -> tuple[float, float]:
    """Lowest tail among calm runs at other rates, and its factor; infinity without one."""
    run = trace(plan, rates=[plan.rate * f for f in factors])
    tails = [
        (float(run.tail[k]), f) for k, f in enumerate(factors) if _calm(run, initial, k)
    ]
    return min(tails, default=(np.inf, np.nan))


def _incorrect(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    fixed = case.plan.but(fault=None)
    true_error = gradient_error(case.plan, log)
    shown = signs.check_error
    if true_error < 1e-3 or shown < 1e-3:
        return None
    run = trace(fixed)
    evidence = {
        "gradient_error": true_error,
        "largest_check_error": shown,
        "tail_with_correct_gradient": float(run.tail[0]),
    }
    helps = not signs.finite or run.tail[0] < signs.tail
    why = (
        f"the claimed gradient is wrong by {true_error:.2g} of its norm; finite differences show "
        f"{shown:.2g}; the exact gradient {'ends lower' if helps else 'ends elsewhere'}"
    )
    return Proof("incorrect_gradient", why, evidence=evidence)


def _instability(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    loss = log.loss
    lowest = float(np.nanmin(loss))
    grown = not signs.finite or signs.tail > 1.5 * signs.initial
    late = signs.finite and signs.tail > 2.5 * lowest + 0.02 * signs.initial and _rising(loss)
    if not (grown or late):
        return None
    factors = (0.5, 0.25, 1 / 16, 1 / 64, 1 / 256)
    tail, factor = _best_rate(case.plan, factors, signs.initial)
    if not tail < 0.75 * signs.initial:
        return None
    accept = []
    if signs.finite and signs.back_and_forth > 0.3 and np.isfinite(log.loss).all():
        bounded = float(np.nanmax(loss)) < 30 * signs.initial
        accept += ["oscillation"] if bounded and not _rising(loss) else []
    if max(signs.dead, signs.saturated) > 0.7:
        accept.append("dead_or_saturated_units")
    why = (
        f"the loss ends at {signs.tail:.3g} after {signs.initial:.3g} at the start (lowest "
        f"{lowest:.3g}); the rate times {factor:g} ends calmly at {tail:.3g}"
    )
    evidence = {"lowest": lowest, "cured_by_rate_factor": factor, "tail_cured": tail}
    return Proof("instability", why, tuple(accept), evidence)


def _rising(loss: Array) -> bool:
    late = np.log(np.maximum(loss[-max(10, len(loss) // 4) :], 1e-300))
    half = len(late) // 2
    return bool(late[half:].mean() > late[:half].mean() + 0.02)


def _oscillation(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    if not signs.finite or signs.tail > signs.initial or case.remedy is None:
        return None
    cured = trace(case.remedy)
    tail = float(cured.tail[0])
    if not np.isfinite(tail) or tail > signs.tail + 0.05 * (signs.initial - signs.tail):
        return None
    waves, calm_waves = peaks(log.loss), peaks(cured.loss[:, 0])
    evidence: dict[str, Any] = {
        "share_of_cosines_below_-0.3": signs.back_and_forth,
        "peaks_of_the_loss": waves,
        "peaks_cured": calm_waves,
        "tail_cured": tail,
    }
    if "momentum" in case.variety:
        if waves < 3 or calm_waves > waves / 3:
            return None
        why = f"the loss rises and falls {waves} times; {calm_waves} with less momentum"
        return Proof("oscillation", why, evidence=evidence)
    calm = signs_of(case.remedy, record(case.remedy))
    evidence["share_of_cosines_cured"] = calm.back_and_forth
    if signs.back_and_forth < 0.3 or calm.back_and_forth > 0.05:
        return None
    why = (
        f"the gradient turns back at {signs.back_and_forth:.0%} of the steps, at "
        f"{calm.back_and_forth:.0%} with a quarter of the rate"
    )
    accept = ("instability",) if signs.tail > 0.7 * signs.initial else ()
    return Proof("oscillation", why, accept, evidence)


def _fluctuation(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    own = log.trace
    quiet = trace(case.plan.but(batch=None))
    slow = trace(case.plan.but(rate=case.plan.rate / 8))
    swing, still = float(own.swing[0]), float(quiet.swing[0])
    tail, best = signs.tail, float(quiet.tail[0])
    if not (signs.finite and np.isfinite(best)) or tail > 0.95 * signs.initial:
        return None
    fall = signs.initial - best
    excess = (tail - best) / fall
    if excess < 0.01 or tail < 1.2 * best or swing < 5 * still:
        return None
    if not float(slow.swing[0]) < 0.6 * swing:
        return None
    why = (
        f"the loss hovers at {tail:.3g} ± {swing:.2g}; the full batch ends at {best:.3g} ± "
        f"{still:.1g}, an eighth of the rate swings by {float(slow.swing[0]):.2g}"
    )
    accept = ("instability",) if tail > 0.7 * signs.initial else ()
    evidence = {"excess": excess, "swing": swing, "tail_full_batch": best, "swing_full_batch": still}
    return Proof("fluctuation", why, accept, evidence)


def _units(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    share = max(signs.dead, signs.saturated)
    if share < 0.3 or not signs.finite or case.remedy is None:
        return None
    seeds = [case.plan.seed + j for j in range(3)]
    good = trace(case.remedy, seeds=seeds)
    own = trace(case.plan, seeds=seeds)
    tail, mine = float(np.median(good.tail)), float(np.median(own.tail))
    fall = signs.initial - tail
    for value in (signs.tail, mine):
        if not (value > 1.3 * tail and value - tail > 0.03 * max(fall, log.loss[0] * 0.5)):
            return None
    what = "never active" if signs.dead >= signs.saturated else "saturated"
    why = (
        f"{share:.0%} of the units of a layer are {what}; the run ends at {signs.tail:.3g}, "
        f"from a good start at {tail:.3g} (median of 3)"
    )
    accept = ["plateau"] if flat_stretch(log.loss, signs.initial - tail)[0] > 0.6 else []
    evidence = {"dead": signs.dead, "saturated": signs.saturated, "tail_good_start": tail}
    return Proof("dead_or_saturated_units", why, tuple(accept), evidence)


def _slow(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    if not signs.finite or signs.back_and_forth > 0.05 and case.plan.full_batch:
        return None
    tail, factor = _best_rate(case.plan, (10, 30, 100, 300, 1000), signs.initial)
    if not np.isfinite(tail):
        return None
    done = (signs.initial - signs.tail) / (signs.initial - tail)
    if done > 0.75 or done < 0 or signs.rate_by_sharpness > 0.25:
        return None
    why = (
        f"{done:.0%} of what is possible in these steps; {factor:g} times the rate is stable "
        f"and ends at {tail:.3g} instead of {signs.tail:.3g}"
    )
    evidence = {"share_done": done, "better_rate_factor": factor, "tail_better_rate": tail}
    return Proof("slow_progress", why, evidence=evidence)


def _conditioning(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    if case.remedy is None or not signs.finite or case.floor is None:
        return None
    good = trace(case.remedy)
    tail = float(good.tail[0])
    left = (signs.tail - case.floor) / (signs.initial - case.floor)
    if not (left > 0.02 and signs.tail > 1.5 * tail and signs.tail > tail + 0.02 * signs.initial):
        return None
    ups = trace(case.plan, rates=[case.plan.rate * f for f in (2.5, 5, 25)])
    if any(np.isfinite(t) and t < signs.initial for t in ups.tail[:2]):
        return None  # a larger rate would be stable: not the conditioning
    why = (
        f"{left:.0%} of the excess is left although 2.5 times the rate diverges; the "
        f"normalised data end at {tail:.3g} instead of {signs.tail:.3g}"
    )
    accept = ("oscillation",) if signs.back_and_forth > 0.3 else ()
    evidence = {
        "excess_left": left,
        "tail_normalised": tail,
        "minimum": case.floor,
        "condition_number": signs.condition,
    }
    return Proof("ill_conditioning", why, accept, evidence)


def _symmetry(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    if signs.twins == 0 or not signs.finite or case.remedy is None:
        return None
    seeds = [case.plan.seed + j for j in range(3)]
    good = trace(case.remedy, seeds=seeds)
    tail = float(np.median(good.tail))
    gap = signs.tail - tail
    if not (signs.tail > 1.3 * tail and gap > 0.03 * (signs.initial - tail)):
        return None
    accept = []
    if flat_stretch(log.loss, signs.initial - tail)[0] > 0.5:
        accept += ["plateau", "saddle"]
    if signs.dead > 0.9:
        accept.append("dead_or_saturated_units")
    why = (
        f"{signs.twins} hidden units are copies of others to the end; a random start ends at "
        f"{tail:.3g} (median of 3) instead of {signs.tail:.3g}"
    )
    evidence = {"units_that_are_copies": signs.twins, "tail_random_start": tail}
    return Proof("symmetry", why, tuple(accept), evidence)


def _local(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    plan = case.plan
    seeds = [plan.seed + 100 * j for j in range(20)]
    others = trace(plan, seeds=seeds)
    best = float(np.nanmin(others.tail))
    if not (signs.finite and signs.tail > 2 * best and signs.tail - best > 0.05 * signs.initial):
        return None
    gradient = plan.network.value_and_gradient(log.theta, plan.rows, plan.targets)[1]
    norm = float(np.linalg.norm(gradient))
    values, _ = plan.network.curvatures(log.theta, plan.rows, plan.targets)
    flat = float(np.ptp(log.loss[-len(log.loss) // 5 :]))
    if norm > 2e-3 or values[0] < -1e-3 * values[-1] or flat > 0.01 * signs.initial:
        return None
    accept = ["plateau"]
    if max(signs.dead, signs.saturated) > 0.2:
        accept.append("dead_or_saturated_units")
    why = (
        f"gradient {norm:.1g}, least curvature {values[0]:.1g}, yet the best of 20 restarts "
        f"ends at {best:.3g} instead of {signs.tail:.3g}"
    )
    evidence = {
        "gradient_norm": norm,
        "least_curvature": float(values[0]),
        "best_of_20_restarts": best,
        "restarts_at_half_or_less": int((others.tail < signs.tail / 2).sum()),
    }
    return Proof("local_optimum", why, tuple(accept), evidence)


def _flat(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    """Plateau or saddle: one proof decides which."""
    plan = case.plan
    longer = trace(plan.but(steps=4 * plan.steps, fault=None))
    best = float(np.nanmin(longer.tail))
    fall = signs.initial - best
    if not (signs.finite and fall > 0.2 * signs.initial):
        return None
    share, begin, end = flat_stretch(log.loss, fall)
    left = steepest_after(longer.loss[:, 0], fall) * longer.stride
    if share < 0.35 or left > 0.5 * share * plan.steps:
        return None
    middle = (begin + end) // 2
    at = trace(plan.but(steps=max(middle, 1))).theta[0]
    values, vectors = plan.network.curvatures(at, plan.rows, plan.targets)
    gradient = plan.network.value_and_gradient(at, plan.rows, plan.targets)[1]
    push = 0.3 * np.stack([vectors[:, 0], -vectors[:, 0]])
    pushed = trace(plan.but(steps=max(plan.steps - middle, 10)), theta=at + push, rates=[plan.rate])
    sooner = min(_first_below(pushed.loss[:, j], signs.initial - fall / 2) for j in range(2))
    usual = _first_below(longer.loss[:, 0], signs.initial - fall / 2) * longer.stride - middle
    negative = values[0] < -0.02 * max(values[-1], 1e-300) and values[0] < -1e-4
    saddle = bool(negative and sooner < 0.5 * usual)
    label = "saddle" if saddle else "plateau"
    evidence = {
        "flat_share_of_steps": share,
        "gradient_norm_there": float(np.linalg.norm(gradient)),
        "least_curvature_there": float(values[0]),
        "largest_curvature_there": float(values[-1]),
        "steps_to_half_fall": float(usual),
        "steps_after_a_push": float(sooner),
        "tail_in_4_times_the_steps": best,
    }
    why = (
        f"flat for {share:.0%} of the steps, then a fall to {best:.3g} in {left} steps; least "
        f"curvature there {values[0]:.2g}; a push along it makes {sooner:.0f} steps of {usual:.0f}"
    )
    accept = ["plateau", "saddle"] if negative else ["plateau"]
    if max(signs.dead, signs.saturated) > 0.5 or "saturated" in case.variety:
        accept.append("dead_or_saturated_units")
    return Proof(label, why, tuple(accept), evidence)


def _first_below(curve: Array, level: float) -> float:
    below = np.flatnonzero(curve < level)
    return float(below[0]) if len(below) else np.inf


def _healthy(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    plan = case.plan
    if not signs.finite or signs.check_error > 1e-3 or signs.twins or signs.dead > 0.25:
        return None
    fall = signs.initial - signs.tail
    factors = (0.25, 0.5, 2.0, 4.0, 16.0)
    other, factor = _best_rate(plan, factors, signs.initial)
    again = trace(plan, seeds=[plan.seed + 1 + j for j in range(4)])
    known = [other, float(np.nanmin(again.tail)), *([] if case.floor is None else [case.floor])]
    possible = signs.initial - min(known)
    half = _first_below(log.loss, signs.initial - fall / 2) / plan.steps
    swing = float(log.trace.swing[0])
    lost = signs.tail - float(np.nanmin(log.loss))
    good = (
        fall > 0.25 * signs.initial and fall > 0.9 * possible and half < 0.3
        and swing < 0.01 * fall and lost < 0.02 * fall
    )  # fmt: skip
    if not good or not _as_good_as_full_batch(case, signs, swing):
        return None
    why = (
        f"{min(fall / possible, 1):.0%} of the fall that other rates (x0.25 to x16), other seeds "
        f"and the exact minimum show to be possible; late swing {swing / fall:.1g} of the fall"
    )
    accept = ("oscillation",) if signs.back_and_forth > 0.3 and plan.full_batch else ()
    evidence = {"share_done": fall / possible, "best_rate_factor": factor, "late_swing": swing / fall}
    return Proof("healthy", why, accept, evidence)


def _as_good_as_full_batch(case: Candidate, signs: Signs, swing: float) -> bool:
    plan = case.plan
    if plan.full_batch:
        return True
    best = float(trace(plan.but(batch=None)).tail[0])
    if not np.isfinite(best):
        return False
    return signs.tail < best + 0.005 * (signs.initial - best) or signs.tail < 1.1 * best


_PROOFS: dict[str, Callable[[Candidate, Log, Signs], Proof | None]] = {
    "incorrect_gradient": _incorrect,
    "local_optimum": _local,
    "symmetry": _symmetry,
    "slow_progress": _slow,
    "instability": _instability,
    "oscillation": _oscillation,
    "fluctuation": _fluctuation,
    "dead_or_saturated_units": _units,
    "ill_conditioning": _conditioning,
    "plateau": _flat,
    "saddle": _flat,
    "healthy": _healthy,
}
LABELS = tuple(_PROOFS)

__all__ = ["LABELS", "Candidate", "Proof", "prove"]
