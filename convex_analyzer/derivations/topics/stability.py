"""Where a rule converges: Jury's conditions, and the interval of αλ that they leave."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.conditions import stability_lines
from convex_analyzer.derivations.linear import gradient_line, matrix_lines, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting
from convex_analyzer.derivations.topic import Topic


def _build(optimizer: Any) -> Derivation:
    s = Setting(optimizer)
    s.require_slots(1, 2)
    stable, unlimited = stability_lines(s)
    lines = (gradient_line(s), step_line(s), *matrix_lines(s), *stable)
    return Derivation(f"Where {s.name} is stable", lines, f"{unlimited}." if unlimited else "")


TOPIC = Topic(
    "stability",
    "the learning rates for which a rule converges, from its update rule",
    _build,
    ("HeavyBall",),
)
