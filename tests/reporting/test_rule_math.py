"""Rules as formulas on a page, and as plain text."""

from __future__ import annotations

import pytest

from convex_analyzer.comparison.exhibit import example_of
from convex_analyzer.derivations.rule import write_rule
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers import find, registered
from convex_analyzer.reporting.document import Document
from convex_analyzer.reporting.rule_math import rule_block, rule_lines

pytestmark = pytest.mark.survey


def lines(name: str) -> list[str]:
    return rule_lines(write_rule(example_of(find(name))))


def test_plain_lines_read_like_code():
    assert lines("Adam") == [
        "g[t] = ∇J(θ[t-1])",
        "m[t] = β₁·m[t-1] + (1 - β₁)·g[t]",
        "s[t] = (1 - β₂)·g[t]^2 + β₂·s[t-1]",
        "θ[t] = θ[t-1] - α·√(1 - β₂^t)·m[t]/((1 - β₁^t)·(ε·√(1 - β₂^t) + √s[t]))",
    ]


def test_choices_are_where():
    assert "w[t] = where(u[t] > 0, dot(g[t], g[t])/u[t], 0)" in lines("ExactLineSearch")
    assert any("where(u[t] > 0, η⁺, where(u[t] < 0, η⁻, 1))" in one for one in lines("Rprop"))


def test_letters_are_those_of_the_table_of_symbols():
    text = " ".join(lines("DeltaBarDelta") + lines("Rprop") + lines("NaturalGradient"))
    assert "ḡ[t]" in text
    assert "g′[t]" in text
    assert "gbar" not in text
    assert "η_p" not in text
    assert "σ^2" in text


def test_what_is_reported_and_left_out_is_said():
    assert lines("EMA")[-2:] == ["reported: average[t]", "(the first step is unlike this one)"]


def test_short_equations_share_a_line():
    typst = rule_block(write_rule(example_of(find("HeavyBall")))).typst
    assert typst.count("quad") == 2
    assert "\\" not in typst
    assert " \\ " in rule_block(write_rule(example_of(find("Adam")))).typst


def test_every_formula_can_be_laid_out():
    pytest.importorskip("typst")
    from convex_analyzer.reporting.typst import render_pdf

    blocks = []
    for cls in registered().values():
        try:
            blocks.append(rule_block(write_rule(example_of(cls))))
        except NotDerivableError:
            continue
    assert len(blocks) > 30
    assert render_pdf(Document("rules", blocks)).startswith(b"%PDF")
