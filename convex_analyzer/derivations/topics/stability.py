"""Where a rule converges: Jury's conditions, and the interval of αλ that they leave."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain
from convex_analyzer.derivations.conditions import stability_lines
from convex_analyzer.derivations.linear import gradient_line, matrix_lines, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.derivations.topics.jury import solve_for_product
from convex_analyzer.theory.stability import jury_conditions


def _build(optimizer: Any) -> Derivation:
    s = Setting(optimizer)
    s.require_slots(1, 2)
    stable, unlimited = stability_lines(s)
    chain = Chain(f"Where {s.name} is stable")
    chain.lines += [gradient_line(s), step_line(s), *matrix_lines(s), *stable]
    stopped = f"{unlimited}." if unlimited else ""
    if stable[-1].title != "stability" and s.rate is not None:  # no limit is published to check
        conditions = jury_conditions(s.coefficients)[:2]
        conditions += [1 - s.determinant] if s.matrix.rows == 2 else []
        stopped = solve_for_product(s, chain, [tidy(c) for c in conditions])
    return chain.done(stopped)


TOPIC = Topic(
    "stability",
    "the learning rates for which a rule converges, from its update rule",
    _build,
    ("HeavyBall",),
)
