"""Dead or saturated units: needs the activations of a network."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect

ROW = Row(
    8,
    "dead_or_saturated_units",
    "dead/saturated units",
    "activation histograms",
    "initial scale of W; ReLU",
)


def test(prospect: Prospect) -> Finding:
    """A quadratic has no units."""
    del prospect
    return Finding("not tested", "", needs="the activations of a network")
