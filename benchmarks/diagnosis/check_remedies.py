"""Predictions of remedies against runs: ``python -m benchmarks.diagnosis.check_remedies``.

Draws proved runs of small networks (as ``make_runs`` does), asks for the remedy of the row that is
proved, applies it, and measures. Prints, for each number that is predicted, how often the new
setting is stable and how measured and predicted values compare; ``--docs FILE`` writes the table
between the marks of that file, ``--runs`` prints every run.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.diagnosis.draws import exact_minimum
from benchmarks.diagnosis.lab import Array, Plan, Rule, Schedule
from benchmarks.diagnosis.make_runs import describe, proved
from benchmarks.diagnosis.runs import Log, descend, record, trace
from benchmarks.diagnosis.signs import signs_of
from benchmarks.diagnosis.trial import Candidate
from convex_analyzer.diagnosis.readers.entry import read
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.remedies import Remedy, predict
from convex_analyzer.diagnosis.remedies.remedy import NO_SPEED

BEGIN, END = "<!-- predictions: begin -->", "<!-- predictions: end -->"
_LONG = 3000  # steps of a run that measures a floor
_SEEDS = 4
_FAR = 30_000  # steps that are run to count them


@dataclass(frozen=True)
class Checked:
    """One number of one run: None where a run only has to be stable, or nothing is predicted."""

    what: str
    case: str
    stable: bool | None = None
    predicted: float | None = None
    measured: float | None = None

    @property
    def ratio(self) -> float | None:
        """Measured over predicted."""
        if self.predicted is None or self.measured is None or not self.predicted > 0:
            return None
        return self.measured / self.predicted


def altered(plan: Plan, remedy: Remedy) -> Plan | None:
    """The plan with the settings of a remedy, at a constant rate; None without any."""
    settings = remedy.settings
    if not set(settings) & {"learning_rate", "momentum", "batch_size"}:
        return None
    rule = plan.rule
    if "momentum" in settings:
        name = "momentum" if rule.name == "sgd" or "heavy" in remedy.change else rule.name
        rule = Rule(name, momentum=settings["momentum"])
    rate = settings.get("learning_rate", plan.rate)
    batch = settings.get("batch_size", plan.batch)
    return plan.but(rule=rule, rate=rate, batch=batch, schedule=Schedule())


def losses(plan: Plan, theta: Array | None = None, steps: int | None = None) -> Array:
    """Full losses of every step, from the start of the plan or from `theta`."""
    chosen = plan.but(steps=steps or plan.steps)
    start = None if theta is None else theta[None]
    return trace(chosen, theta=start, points=10**7).loss[:, 0]


def stable(loss: Array) -> bool:
    """Ended finite and not above the beginning."""
    tail = loss[-max(1, len(loss) // 10) :]
    return bool(np.isfinite(loss).all() and tail.mean() <= loss[0] * 1.001)


def settled(loss: Array, level: float) -> float:
    """Steps after which the loss stays at or below a level."""
    above = np.flatnonzero(~(loss <= level))
    last = int(above[-1]) + 1 if above.size else 0
    return float(max(last, 1)) if last < len(loss) else np.inf


def slow_progress(case: Candidate, log: Log, remedy: Remedy) -> Iterator[Checked]:
    """Go on from the end: how many steps fewer to where the old setting gets in as many again."""
    plan = case.plan
    steps = 3 * plan.steps
    level = float(losses(plan, log.theta, steps)[-1])
    for what, each in (("larger α", remedy), *(("momentum", a) for a in remedy.alternatives)):
        new = altered(plan, each)
        if new is None:
            continue
        after = losses(new, log.theta, steps)
        first = np.flatnonzero(after <= level)
        measured = steps / max(int(first[0]), 1) if first.size else None
        yield Checked(f"slow: speed-up, {what}", case.variety, stable(after), each.factor, measured)


def instability(case: Candidate, log: Log, remedy: Remedy) -> Iterator[Checked]:
    """Is the new rate stable from the start, and does the stated limit hold."""
    new = altered(case.plan, remedy)
    if new is None:
        return
    kind = "from the growth" if remedy.kind == "numerical" else "otherwise"
    steps = max(case.plan.steps, 300)
    what = f"unstable: new α, {kind}"
    if not remedy.predicts:
        what = "unstable: new α, half (no prediction)"
    yield Checked(what, case.variety, stable(losses(new, steps=steps)))
    if remedy.kind == "numerical":
        for factor, limit in ((1.9, "5 % below"), (2.1, "5 % above")):
            run = losses(new.but(rate=factor * new.rate), steps=steps)
            yield Checked(f"unstable: α {limit} the stated limit", case.variety, stable(run))


def oscillation(case: Candidate, log: Log, remedy: Remedy) -> Iterator[Checked]:
    """Does it stop turning back; under-damped: steps to where the old run stays in the end."""
    new = altered(case.plan, remedy)
    if new is None or not remedy.predicts:
        return
    run = record(new)
    if (
        "learning_rate" in remedy.settings
        and remedy.settings["learning_rate"] < 0.999 * case.plan.rate
    ):
        turns = signs_of(new, run).back_and_forth
        yield Checked("overshoot: new α, turns back on < 10 % of steps", case.variety, turns < 0.1)
        return
    level = float(np.max(log.loss[-max(2, len(log.loss) // 10) :]))
    speed = settled(log.loss, level) / settled(run.loss, level)
    found = speed if speed > 0 else None
    what = "under-damped momentum: speed-up by the new μ"
    yield Checked(what, case.variety, stable(run.loss), remedy.factor, found)


def fluctuation(case: Candidate, log: Log, remedy: Remedy) -> Iterator[Checked]:
    """Floors of long runs from the end, above the exact minimum or what the full batch reaches."""
    plan = case.plan
    best = exact_minimum(plan)
    if best is None:
        return  # the minimum of a network is not known, and what the batches reach moves on

    def floor(chosen: Plan) -> float:
        theta = np.tile(log.theta, (_SEEDS, 1))
        seeds = [plan.seed + 100 + k for k in range(_SEEDS)]
        loss = trace(chosen.but(steps=_LONG), seeds=seeds, theta=theta, points=300).loss
        return float(np.mean(loss[len(loss) // 3 :])) - best

    before = floor(plan)
    for each in (remedy, *remedy.alternatives):
        new = altered(plan, each)
        if new is None or each.factor is None:
            continue
        what = "batch ×4" if "batch_size" in each.settings else "α/2"
        if plan.rule.name in {"adam", "rmsprop"}:
            what += ", adaptive"
        yield Checked(f"floor: {what}", case.variety, None, each.factor, floor(new) / before)


def ill_conditioning(case: Candidate, log: Log, remedy: Remedy) -> Iterator[Checked]:
    """Is the tuned pair stable; steps to a gap of 1e-6 in the directions that are spoken of.

    Those have at least the late curvature along the gradient; and the speed-up to where the old
    setting gets in five times as many steps, in all directions.
    """
    plan, new = case.plan, altered(case.plan, remedy)
    if new is None or not remedy.predicts:
        return
    steps = 5 * plan.steps
    before, after = losses(plan, steps=steps), losses(new, steps=steps)
    yield Checked("ill-conditioned: tuned pair", case.variety, stable(after))
    speed = settled(before, float(before[-1])) / settled(after, float(before[-1]))
    what = "ill-conditioned: speed-up in all directions"
    yield Checked(what, case.variety, None, remedy.factor, speed or None)
    late = Reading(read(dict(log.fields), meta=describe(case))).late_curvature
    old, then = remedy.steps_before, remedy.steps_after
    if plan.network.loss != "half_mse" or not old or not then or old > _FAR or late is None:
        return
    values, vectors = plan.network.curvatures(plan.first(), plan.rows, plan.targets)
    steep = values > 0.999 * late / plan.rate
    for what, each, told in (("as it is", plan, old), ("tuned pair", new, then)):
        shares = []
        for now in descend(each.but(steps=3 * told), log.theta[None], np.array([[each.rate]]), [0]):
            parts = (now.gradient[0] @ vectors)[steep]
            shares.append(float(np.sum(parts**2 / values[steep])))
        found = settled(np.array(shares), 1e-6 * shares[0])
        if np.isfinite(found):
            named = f"ill-conditioned: steps in these directions, {what}"
            yield Checked(named, case.variety, None, float(told), found)


def dead_or_saturated_units(case: Candidate, log: Log, remedy: Remedy) -> Iterator[Checked]:
    """The gradient of the weights into the saturated layer, at the smaller scale."""
    scale = remedy.settings.get("initial_scale")
    if scale is None or "layer" not in remedy.change:
        return
    plan = case.plan
    number = int("".join(c for c in remedy.change.split("into")[1].split("×")[0] if c.isdigit()))
    block = plan.network.blocks[2 * (number - 1)]
    bias = plan.network.blocks[2 * number - 1]
    norms = []
    for factor in (1.0, scale):
        theta = plan.first()[None].copy()
        theta[:, block] *= factor
        theta[:, bias] *= factor
        gradient = plan.network.value_and_gradient(theta, plan.rows, plan.targets)[1][0]
        norms.append(float(np.linalg.norm(gradient[block])))
    what = "saturated: gradient below the units"
    yield Checked(what, case.variety, None, remedy.factor, norms[1] / max(norms[0], 1e-300))


ROWS: dict[str, Callable[[Candidate, Log, Remedy], Iterator[Checked]]] = {
    "slow_progress": slow_progress,
    "instability": instability,
    "oscillation": oscillation,
    "fluctuation": fluctuation,
    "ill_conditioning": ill_conditioning,
    "dead_or_saturated_units": dead_or_saturated_units,
}


def check(count: int, seed: int) -> list[Checked]:
    """Check `count` proved runs of each row."""
    found: list[Checked] = []
    with np.errstate(all="ignore"):
        for name, measure in ROWS.items():
            for case, log, _ in proved(name, count, seed):
                evidence = read(dict(log.fields), meta=describe(case))
                remedy = predict(name, Reading(evidence))
                if remedy is None:
                    continue
                if not remedy.predicts:
                    print(f"{name}, {case.variety}: {remedy.prediction}", flush=True)
                    found.append(Checked(f"{name}: {NO_SPEED}", case.variety))
                found += measure(case, log, remedy)
    return found


def table(found: list[Checked]) -> str:
    """One line for each number: runs, stable, quantiles of measured over predicted."""
    lines = [
        "| prediction | runs | holds / stable | measured / predicted: median (range) | within ×2 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for what in dict.fromkeys(each.what for each in found):
        rows = [each for each in found if each.what == what]
        held = [each.stable for each in rows if each.stable is not None]
        ratios = np.array([each.ratio for each in rows if each.ratio is not None])
        share = f"{sum(held)} of {len(held)}" if held else "—"
        spread = within = "—"
        if len(ratios):
            low, middle, high = np.quantile(ratios, [0, 0.5, 1])
            spread = f"{middle:.2f} ({low:.2f} – {high:.2f})"
            within = f"{int(np.sum((ratios > 0.5) & (ratios < 2)))} of {len(ratios)}"
        lines.append(f"| {what} | {len(rows)} | {share} | {spread} | {within} |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=9, help="runs of each row")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--docs", type=Path, help="write the table between the marks of this file")
    parser.add_argument("--runs", action="store_true", help="print every run")
    chosen = parser.parse_args()
    found = check(chosen.count, chosen.seed)
    if chosen.runs:
        for each in found:
            ratio = "" if each.ratio is None else f"  ratio {each.ratio:.2f}"
            print(f"{each.what:50} {each.case:28} {each.stable} {each.predicted} {ratio}")
    print(table(found))
    if chosen.docs is not None:
        text = chosen.docs.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        chosen.docs.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
