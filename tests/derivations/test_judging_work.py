"""Budgets count work: verdicts and repairs are the same on a slow machine, and every time."""

from __future__ import annotations

import time

import pytest

from convex_analyzer.derivations.cells import find
from convex_analyzer.derivations.exercises import exercise
from convex_analyzer.derivations.judging import clock as clocks
from convex_analyzer.derivations.judging.clock import Clock, OutOfTime, spend, spent
from convex_analyzer.derivations.judging.judge import _cached, judge
from convex_analyzer.derivations.judging.repair import repair
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols

# Dear ones: of the exercises, those that take the most time.
DEAR = [("t2", 0), ("r6", 0), ("t8", 2)]


def verdicts():
    """Return what is said about some slips, and the work of it; nothing is remembered."""
    _cached.cache_clear()
    repair.cache_clear()
    found = []
    for name, number in DEAR:
        task = exercise(name)
        slip = task.slips[number]
        above, begun = task.values[slip.line - 2], spent()
        wrong = read_expression(slip.text, task.symbols).value
        verdict = judge(above, wrong, task.symbols)
        found.append((verdict, repair(slip.text, above, task.symbols), spent() - begun))
    return found


def slower(monkeypatch, factor):
    """Let the processor time run faster: as on a slow machine, or under a tracer."""
    real = time.thread_time
    monkeypatch.setattr(clocks.time, "thread_time", lambda: factor * real())


def test_a_slow_machine_gives_the_same_verdicts(monkeypatch):
    usual = verdicts()
    slower(monkeypatch, 4.0)
    assert verdicts() == usual
    assert max(work for *_, work in usual) < 1_000_000, "far from the budget of two seconds"


def test_small_budgets_end_at_the_same_place(monkeypatch):
    """Each budget gives its verdict, whatever the machine; more of it never gives less."""
    symbols = Symbols.of({"c, w": "positive"})
    lines = [read_expression(t, symbols).value
             for t in ("w^2 - (4/c^2)*w + 4/c^2 = 0", "c^2*w^2 - 4*w + 4 = 0")]  # fmt: skip

    def statuses():
        _cached.cache_clear()
        return [judge(*lines, symbols, budget).status for budget in (1e-4, 3e-3, 1e-2, 2.0)]

    usual = statuses()
    assert usual[-1] == "proved" != usual[0]
    slower(monkeypatch, 4.0)
    assert statuses() == usual


def test_what_is_remembered_spends_as_much():
    symbols = Symbols.of({"x, y": "real"})
    lines = [read_expression(t, symbols).value for t in ("(x + y)**3 - x**3", "y**3")]
    spending = []
    for _ in range(2):
        begun = spent()
        judge(*lines, symbols)
        spending.append(spent() - begun)
    assert spending[0] == spending[1] > 0


def test_the_processor_time_is_a_safety_net(monkeypatch):
    """Work that counts for little and takes very long ends, too."""
    hours = iter([0.0, 5.0, 3600.0])
    monkeypatch.setattr(clocks.time, "thread_time", lambda: next(hours))
    clock = Clock(2.0)
    spend(60_000)
    clock.check()  # five seconds: still in order
    spend(60_000)
    with pytest.raises(OutOfTime):
        clock.check()


def test_a_share_is_never_more_than_the_whole():
    clock = Clock(0.5)
    assert clock.share(2.0).left == pytest.approx(0.5)
    assert clock.share(0.1).left == pytest.approx(0.1)
    spend(600_000)
    assert clock.left == pytest.approx(-0.1) == clock.share(1.0).left


def test_searches_by_cells_count_their_work(monkeypatch):
    import sympy

    x, y, z = sympy.symbols("x y z", real=True)
    ball = x**2 + y**2 + z**2 < 1
    statement = sympy.And(ball, x * y * z > sympy.Rational(2, 10))
    slower(monkeypatch, 4.0)
    begun = spent()
    short = find(statement, [x, y, z], budget=0.001)
    assert (short.point, short.is_complete) == (None, False)
    assert spent() - begun < 50_000
    assert find(statement, [x, y, z]).is_complete
