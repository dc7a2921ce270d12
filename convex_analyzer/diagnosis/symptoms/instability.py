"""Instability: a root outside the unit circle, known before any run."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.tables import format_count, format_number, format_share

ROW = Row(5, "instability", "instability", "cost increases", "decrease α")


def test(prospect: Prospect) -> Finding:
    """Read the outcome; without a closed form, look at the run."""
    analysis = prospect.analysis
    if analysis is None:
        return _from_run(prospect)
    if analysis.outcome == "stable":
        alpha, limit = prospect.learning_rate, prospect.stability_limit
        if alpha is None or limit is None:
            return Finding("absent", f"every factor is at most {analysis.rate_text} in size")
        text = f"α = {format_number(alpha, 4)} is {format_share(alpha, limit)} the stability limit"
        return Finding("absent", text)
    if analysis.outcome == "unstable":
        return _unstable(prospect)
    if analysis.outcome == "marginal":
        text = "a root lies exactly on the unit circle: no decay, no growth"
        return Finding("possible", text, prediction=_cure(prospect))
    text = "no direction grows"
    if analysis.outcome == "drifting":
        text += f", but {prospect.problem.why_no_minimum}"
    return Finding("absent", text)


def _unstable(prospect: Prospect) -> Finding:
    analysis = prospect.analysis
    assert analysis is not None
    if prospect.spectrum.lambda_min < 0:
        return Finding("present", f"{analysis.verdict()} J is unbounded below: no α helps")
    return Finding("present", analysis.verdict(), prediction=_cure(prospect))


def _cure(prospect: Prospect) -> str:
    """Return what the same rule does at its best, if that converges."""
    best = prospect.best_of_class
    if best is None or not best[0].is_stable:
        return ""
    return f"{best[0].optimizer} converges in {format_count(best[1])} steps"


def _from_run(prospect: Prospect) -> Finding:
    run = prospect.entry.trajectory
    if run.has_diverged:
        return Finding("present", f"the run left all bounds at step {run.diverged_at}", "simulated")
    text = f"no divergence in {format_count(run.steps)} steps"
    return Finding("absent", text, "simulated")
