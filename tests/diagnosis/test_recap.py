"""The table as a whole: nine rows, one vocabulary, and a fold for what cannot be tested."""

from __future__ import annotations

import json

import pytest
import scipy.sparse.linalg

import convex_analyzer as ca
from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.recap import Recap, recap
from convex_analyzer.domains import Positive
from convex_analyzer.notation import DIAGNOSIS_VERDICTS, KINDS

LECTURE = [  # lecture 001, slide 41, as printed
    ("incorrect gradients", "finite differences", "fix them, or use autodiff"),
    ("local optima", "(hard)", "random restarts"),
    ("symmetries", "visualize W", "initialize W randomly"),
    ("slow progress", "slow, linear training curve", "increase α; momentum"),
    ("instability", "cost increases", "decrease α"),
    ("oscillations", "fluctuations in training curve", "decrease α; momentum"),
    ("fluctuations", "fluctuations in training curve", "decay α; iterate averaging"),
    ("dead/saturated units", "activation histograms", "initial scale of W; ReLU"),
    ("ill-conditioning", "(hard)", "normalization; momentum; Adam; second-order opt."),
]


class Cubic(ca.Optimizer):
    """A rule that is not linear: the step grows with the gradient."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        gradient = problem.gradient(theta)
        return theta - self.learning_rate * (gradient + gradient * gradient * gradient)


SITUATIONS = {
    "toy": lambda: ca.compare(ca.gallery.toy()),
    "too large": lambda: ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.6)]),
    "boundary": lambda: ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.5)]),
    "longley": lambda: ca.compare(ca.gallery.longley()),
    "saddle": lambda: ca.compare(ca.gallery.saddle()),
    "maximum": lambda: ca.compare([[-2.0]]),
    "valley": lambda: ca.compare(ca.gallery.singular()),
    "drifting": lambda: ca.compare(ca.gallery.singular(bounded=False)),
    "flat": lambda: ca.compare([[0.0]]),
    "one": lambda: ca.compare([[3.0]]),
    "cubic": lambda: ca.compare(ca.gallery.toy(), [Cubic(0.01)]),
    "operator": lambda: ca.compare(
        scipy.sparse.linalg.aslinearoperator(ca.gallery.laplacian_1d(60).operator.to_dense())
    ),
}


@pytest.fixture(scope="module", params=SITUATIONS, ids=str)
def table(request):
    return recap(SITUATIONS[request.param]())


def test_rows_are_those_of_the_lecture(table):
    rows = [row for row, _ in table.rows]
    assert [(row.problem, row.diagnostic, row.workaround) for row in rows] == LECTURE
    assert [row.order for row in rows] == list(range(1, 10))
    assert len({row.name for row in rows}) == 9


def test_every_finding_speaks_the_vocabulary(table):
    for _, found in table.rows:
        assert found.verdict in DIAGNOSIS_VERDICTS
        assert found.kind in KINDS
        tested = found.verdict != "not tested"
        assert bool(found.evidence) == tested
        assert bool(found.needs) == (not tested)
        assert "nan" not in found.evidence + found.prediction
        assert "– steps" not in found.prediction


def test_no_network_no_units(table):
    verdicts = {row.name: found for row, found in table.rows}
    for name in ("symmetry", "dead_or_saturated_units"):
        assert verdicts[name].verdict == "not tested"
        assert "of a network" in verdicts[name].needs
    assert verdicts["fluctuation"].verdict == "absent"
    assert "noise is zero" in verdicts["fluctuation"].evidence


def test_untested_rows_are_folded_into_one_line(table):
    assert table.tested + table.untested != ()
    assert {row.order for row, _ in table.tested + table.untested} == set(range(1, 10))
    shown = table.summary()
    assert [line[0] for line in shown.rows] == [row.problem for row, _ in table.tested]
    (note,) = shown.notes
    assert note == table.untested_sentence()
    assert note.startswith("Not tested: ")
    for row, found in table.untested:
        assert f"{row.problem} (needs {found.needs})" in note


def test_the_workaround_ends_with_what_it_would_do_here(table):
    for (row, found), line in zip(table.tested, table.summary().rows, strict=True):
        assert line[2:4] == (found.evidence, found.verdict)
        assert line[4] == row.workaround + (f": {found.prediction}" if found.prediction else "")


def test_plain_data_hold_all_rows(table):
    data = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert data["schema"] == "convex_analyzer.recap/1"
    assert data["subject"] == table.subject
    for one, (row, found) in zip(data["rows"], table.rows, strict=True):
        assert one == {
            "name": row.name,
            "problem": row.problem,
            "diagnostic": row.diagnostic,
            "evidence": found.evidence,
            "kind": found.kind,
            "verdict": found.verdict,
            "workaround": row.workaround,
            "prediction": found.prediction,
            "needs": found.needs,
        }


def test_present_rows_are_those_with_that_verdict(table):
    assert [f.verdict for _, f in table.present] == ["present"] * len(table.present)
    assert len(table.present) == sum(f.verdict == "present" for _, f in table.rows)


def test_an_unknown_verdict_is_refused():
    with pytest.raises(ValueError, match="'perhaps'"):
        Finding("perhaps", "")


def test_nothing_untested_no_note():
    row = Row(1, "name", "problem", "diagnostic", "workaround")
    whole = Recap("a rule", ((row, Finding("absent", "looked")),))
    assert whole.untested_sentence() == ""
    assert whole.summary().notes == ()
    assert str(whole).startswith("━━ Recap: a rule ━")


def test_the_first_optimizer_is_the_subject_unless_another_is_named():
    comparison = ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.1), ca.HeavyBall(0.2, 0.3)])
    assert recap(comparison).subject == "GradientDescent(α = 0.1)"
    assert recap(comparison, comparison["HeavyBall"]).subject == "HeavyBall(α = 0.2, μ = 0.3)"


def test_equal_evidence_equal_table():
    first, second = (recap(SITUATIONS["toy"]()) for _ in range(2))
    assert first == second
    assert first != recap(SITUATIONS["one"]())


@pytest.mark.parametrize("power", [-100, -7, 100])
def test_units_change_no_verdict_and_no_count(by_hand, power):
    """A in other units with α in the inverse ones is the same run."""
    unit = 10.0**power
    here, there = (
        recap(
            ca.compare(ca.Quadratic([[0.2 * u, 0.0], [0.0, 4 * u]]), [ca.GradientDescent(0.01 / u)])
        )
        for u in (1.0, unit)
    )
    for (row, a), (_, b) in zip(here.rows, there.rows, strict=True):
        assert a.verdict == b.verdict, row.name
    for name in ("slow_progress", "ill_conditioning"):
        a, b = (next(f for row, f in t.rows if row.name == name) for t in (here, there))
        assert [n for n in by_hand.numbers(a.evidence) if n == int(n)][-1] == (
            [n for n in by_hand.numbers(b.evidence) if n == int(n)][-1]
        )
