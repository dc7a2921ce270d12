"""Slow progress because the learning rate is small: slack in α that would pay.

"Slack" is a learning rate below a tenth of the stability limit (heuristic); it counts only if the
same rule with its best settings is at least twice as fast from this start (exact counts).
"""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.tables import format_count, format_number, format_share

ROW = Row(
    4, "slow_progress", "slow progress", "slow, linear training curve", "increase α; momentum"
)

SLACK = 0.1


def test(prospect: Prospect) -> Finding:
    """Compare α with its limit, and the steps with those of the tuned rule."""
    analysis = prospect.analysis
    if analysis is None or not analysis.is_stable:
        return Finding("not tested", "", needs="a run that converges and has a closed form")
    alpha, limit = prospect.learning_rate, prospect.stability_limit
    if alpha is None:
        return Finding("not tested", "", needs="a hyper-parameter called learning_rate")
    if limit is None or limit == float("inf"):
        return Finding("absent", "no curvature limits the learning rate")
    share = alpha / limit
    sentence = f"α is {format_share(alpha, limit)} its stability limit {format_number(limit, 4)}"
    if share >= SLACK:
        return Finding("absent", sentence)
    now, best = prospect.entry.predicted_steps, prospect.best_of_class
    then = best[1] if best else None
    if now is None or then is None or now < 2 * then:
        return Finding("absent", f"{sentence}, but a larger one would not pay from this start")
    assert best is not None
    return Finding(
        "present",
        f"{sentence}: {format_count(now)} steps where {format_count(then)} would do",
        prediction=f"{best[0].optimizer} needs {format_count(then)} steps",
    )
