"""Symmetries: duplicate units; needs the weights of a network."""

from __future__ import annotations

from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect

ROW = Row(3, "symmetry", "symmetries", "visualize W", "initialize W randomly")


def test(prospect: Prospect) -> Finding:
    """A quadratic has no units that could be exchanged."""
    del prospect
    return Finding("not tested", "", needs="the weights of a network")
