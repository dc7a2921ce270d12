"""Instability: a root outside the unit circle, known before any run."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Evidence, Finding, Row
from convex_analyzer.tables import format_count, format_number, format_share

ROW = Row(5, "instability", "instability", "cost increases", "decrease α")


def test(evidence: Evidence) -> Finding:
    """Read the outcome; without a closed form, look at the run."""
    analysis = evidence.analysis
    if analysis is None:
        return _from_run(evidence)
    limit = analysis.stability_limit
    alpha = analysis.optimizer.values.get("learning_rate")
    if analysis.outcome == "stable":
        if alpha is None or limit is None:
            return Finding("absent", f"every factor is at most {format_number(analysis.rate, 4)}")
        text = f"α = {format_number(alpha, 4)} is {format_share(alpha, limit)} the stability limit"
        return Finding("absent", text)
    if analysis.outcome == "unstable":
        return _unstable(evidence)
    if analysis.outcome == "marginal":
        return Finding("possible", "a root lies exactly on the unit circle: no decay, no growth")
    text = "no direction grows"
    if analysis.outcome == "drifting":
        text += f", but {evidence.problem.why_no_minimum}"
    return Finding("absent", text)


def _unstable(evidence: Evidence) -> Finding:
    analysis = evidence.analysis
    assert analysis is not None
    if evidence.spectrum.lambda_min < 0:
        return Finding("present", f"{analysis.verdict()} J is unbounded below: no α helps")
    best = evidence.best_of_class
    prediction = ""
    if best is not None and best[0].is_stable:
        prediction = f"{best[0].optimizer} converges in {format_count(best[1])} steps"
    return Finding("present", analysis.verdict(), prediction=prediction)


def _from_run(evidence: Evidence) -> Finding:
    run = evidence.entry.trajectory
    if run.has_diverged:
        return Finding("present", f"the run left all bounds at step {run.diverged_at}", "simulated")
    text = f"no divergence in {format_count(run.steps)} steps"
    return Finding("absent", text, "simulated")
