"""The proofs that read the shape of the whole curve: plateau, saddle, healthy."""

from __future__ import annotations

import numpy as np

from benchmarks.diagnosis.runs import Log, trace
from benchmarks.diagnosis.signs import Signs, fall_time, flat_stretch
from benchmarks.diagnosis.trial import Candidate, Proof, best_rate, first_below


def flat(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    """Plateau or saddle: one proof decides which.

    It is a saddle when the flat part has a direction of negative curvature, the stationary point
    along it is near (gradient over curvature below 0.25), and a push along it halves the wait.
    """
    plan = case.plan
    longer = trace(plan.but(steps=4 * plan.steps, fault=None))
    best = float(np.nanmin(longer.tail))
    fall = signs.initial - best
    if not signs.finite:
        return None
    share, begin, end = flat_stretch(log.loss, fall)
    level = float(log.loss[(begin + end) // 2])
    rest = level - best
    after = longer.loss[end // longer.stride :, 0]
    left = fall_time(after, level, rest) * longer.stride
    if rest < 0.2 * signs.initial or share < 0.35 or left > 0.5 * share * plan.steps:
        return None
    middle = (begin + end) // 2
    at = trace(plan.but(steps=max(middle, 1))).theta[0]
    values, vectors = plan.network.curvatures(at, plan.rows, plan.targets)
    gradient = plan.network.value_and_gradient(at, plan.rows, plan.targets)[1]
    push = 0.3 * np.stack([vectors[:, 0], -vectors[:, 0]])
    pushed = trace(plan.but(steps=3 * plan.steps), theta=at + push, rates=[plan.rate])
    sooner = min(first_below(pushed.loss[:, j], level - rest / 2) for j in range(2))
    usual = first_below(longer.loss[:, 0], level - rest / 2) * longer.stride - middle
    downward = -float(values[0])
    norm = float(np.linalg.norm(gradient))
    near = downward > 1e-3 * max(float(values[-1]), 1e-300) and norm < 0.25 * downward
    saddle = near and sooner < 0.5 * usual
    label = "saddle" if saddle else "plateau"
    evidence = {
        "flat_share_of_steps": share,
        "gradient_norm_there": norm,
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
    accept = ["plateau", "saddle"] if near else ["plateau"]
    if max(signs.dead, signs.saturated) > 0.5 or "saturated" in case.variety:
        accept.append("dead_or_saturated_units")
    return Proof(label, why, tuple(accept), evidence)


def healthy(case: Candidate, log: Log, signs: Signs) -> Proof | None:
    plan = case.plan
    if not signs.finite or signs.twins or signs.dead > 0.25:
        return None
    fall = signs.initial - signs.tail
    factors = (0.25, 0.5, 2.0, 4.0, 16.0)
    other, factor = best_rate(plan, factors, signs.initial)
    known = [
        other,
        float(np.nanmin(log["restart_final_loss"])),
        *([] if case.floor is None else [case.floor]),
    ]
    possible = signs.initial - min(known)
    half = first_below(log.loss, signs.initial - fall / 2) / plan.steps
    swing = float(log.trace.swing[0])
    lost = signs.tail - float(np.nanmin(log.loss))
    good = (
        fall > 0.25 * signs.initial and fall > 0.9 * possible and half < 0.3
        and swing < 0.01 * fall and lost < 0.02 * fall
    )  # fmt: skip
    if not good or not _looks_ill(case, log, signs):
        return None
    if not _as_good_as_full_batch(case, signs, swing):
        return None
    why = (
        f"{min(fall / possible, 1):.0%} of the fall that other rates (x0.25 to x16), other seeds "
        f"and the exact minimum show to be possible; late swing {swing / fall:.1g} of the fall"
    )
    accept = ("oscillation",) if signs.back_and_forth > 0.3 and plan.full_batch else ()
    evidence = {
        "share_done": fall / possible,
        "best_rate_factor": factor,
        "late_swing": swing / fall,
    }
    return Proof("healthy", why, accept, evidence)


def _looks_ill(case: Candidate, log: Log, signs: Signs) -> bool:
    """What a healthy variety is named after is really there."""
    if case.variety == "edge of stability":
        return signs.back_and_forth > 0.15
    if case.variety == "adam spikes":
        return bool(np.diff(np.log(log.loss)).max() > 0.2)
    return True


def _as_good_as_full_batch(case: Candidate, signs: Signs, swing: float) -> bool:
    plan = case.plan
    if plan.full_batch:
        return True
    best = float(trace(plan.but(batch=None)).tail[0])
    if not np.isfinite(best):
        return False
    return signs.tail < best + 0.005 * (signs.initial - best) or signs.tail < 1.1 * best
