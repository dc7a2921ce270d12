"""Numbers that lose nothing: double-doubles for curves, rational polynomials for stability sets."""

from __future__ import annotations

from convex_analyzer.precise.doubles import DoubleDouble
from convex_analyzer.precise.polynomials import Polynomial

__all__ = ["DoubleDouble", "Polynomial"]
