"""Symmetries: duplicate units; needs the weights of a network."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Evidence, Finding, Row

ROW = Row(3, "symmetry", "symmetries", "visualize W", "initialize W randomly")


def test(evidence: Evidence) -> Finding:
    """A quadratic has no units that could be exchanged."""
    del evidence
    return Finding("not tested", "", needs="the weights of a network")
