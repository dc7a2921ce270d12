"""Labels are proved, never assumed: a predicate on the run and a run without the fault.

``prove(candidate, log)`` answers with a ``Proof``, or None when the fault that was planted does
not show, or when its removal does not help.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.diagnosis.lab import Array
from benchmarks.diagnosis.proofs_of_shape import flat, healthy
from benchmarks.diagnosis.runs import Log, record, trace
from benchmarks.diagnosis.signs import Signs, flat_stretch, gradient_error, peaks, signs_of
from benchmarks.diagnosis.trial import Candidate, Proof, best_rate


def prove(candidate: Candidate, log: Log) -> Proof | None:
    """The proof for this label; None when it fails."""
    with np.errstate(all="ignore"):
        return _PROOFS[candidate.label](candidate, log, signs_of(candidate.plan, log))


def _share(value: float, low: float, high: float) -> float:
    """Where a value lies between low and high on a log scale, 0 to 1."""
    return float(np.clip(np.log(value / low) / np.log(high / low), 0, 1))


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
    return Proof("incorrect_gradient", why, (), evidence, _share(true_error, 0.02, 1.0))


def _instability(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    loss = log.loss
    lowest = float(np.nanmin(loss))
    grown = not signs.finite or signs.tail > 1.5 * signs.initial
    late = signs.finite and signs.tail > 2.5 * lowest + 0.02 * signs.initial and _rising(loss)
    if not (grown or late):
        return None
    factors = (0.5, 0.25, 1 / 16, 1 / 64, 1 / 256)
    tail, factor = best_rate(case.plan, factors, signs.initial)
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
        f"{calm.back_and_forth:.0%} with {case.remedy.rate / case.plan.rate:.2g} times the rate"
    )
    accept: tuple[str, ...] = ("instability",) if signs.tail > 0.7 * signs.initial else ()
    if case.plan.rule.name == "sgd" and signs.rate_by_sharpness < 1.5:
        accept = ("healthy",)  # |1 - αλ| < 0.5: it turns back at every step, and converges well
        why += "; it converges well all the same"
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
    evidence = {
        "excess": excess,
        "swing": swing,
        "tail_full_batch": best,
        "swing_full_batch": still,
    }
    return Proof("fluctuation", why, accept, evidence, _share(excess, 0.015, 0.3))


def _units(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    share = max(signs.dead, signs.saturated)
    if share < 0.3 or not signs.finite or case.remedy is None:
        return None
    seeds = [case.plan.seed + j for j in range(3)]
    good = trace(case.remedy, seeds=seeds)
    tail, mine = float(np.median(good.tail)), float(np.median(log["restart_final_loss"]))
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
    severity = _share(share, 0.3, 1.0)
    return Proof("dead_or_saturated_units", why, tuple(accept), evidence, severity)


def _slow(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    if not signs.finite or (case.plan.full_batch and signs.back_and_forth > 0.05):
        return None
    tail, factor = best_rate(case.plan, (10, 30, 100, 300, 1000), signs.initial)
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
    if case.remedy is None or not signs.finite:
        return None
    good = trace(case.remedy)
    tail = float(good.tail[0])
    floor = tail if case.floor is None else case.floor
    left = (signs.tail - floor) / (signs.initial - floor)
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
        "minimum": floor,
        "condition_number": signs.condition,
    }
    return Proof("ill_conditioning", why, accept, evidence, _share(left, 0.03, 0.6))


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
    "plateau": flat,
    "saddle": flat,
    "healthy": healthy,
}
LABELS = tuple(_PROOFS)
