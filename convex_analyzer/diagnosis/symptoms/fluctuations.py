"""Fluctuations: gradient noise. Full-batch gradients have none."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Evidence, Finding, Row

ROW = Row(
    7,
    "fluctuation",
    "fluctuations",
    "fluctuations in training curve",
    "decay α; iterate averaging",
)


def test(evidence: Evidence) -> Finding:
    """Every gradient of these runs used the whole problem."""
    del evidence
    return Finding("absent", "full-batch gradients: the noise is zero")
