"""Dead or saturated units: needs the activations of a network."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Evidence, Finding, Row

ROW = Row(
    8,
    "dead_or_saturated_units",
    "dead/saturated units",
    "activation histograms",
    "initial scale of W; ReLU",
)


def test(evidence: Evidence) -> Finding:
    """A quadratic has no units."""
    del evidence
    return Finding("not tested", "", needs="the activations of a network")
