"""The conformance kit: hold an optimizer against its contract and against the world.

`check_optimizer` runs on every optimizer of this package in its tests, and on yours. It needs no
test framework: a failure is a `ConformanceError`, which is an AssertionError with one sentence.
`strategy_for` gives Hypothesis examples of a class from its declared ranges.
"""

from __future__ import annotations

from convex_analyzer.errors import ConformanceError
from convex_analyzer.testing.anchors import Golden
from convex_analyzer.testing.kit import Check, Conformance, check_optimizer, strategy_for

__all__ = [
    "Check",
    "Conformance",
    "ConformanceError",
    "Golden",
    "check_optimizer",
    "strategy_for",
]
