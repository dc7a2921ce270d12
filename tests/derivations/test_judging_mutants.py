"""The judge against an oracle that shares no code with it, on one-edit mutants of the exercises."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from convex_analyzer.derivations.exercises import exercise
from convex_analyzer.parsing.expressions import read_expression

FORTY = [f"q{n}" for n in range(1, 41)]  # of the lectures
MUTANTS, PARTS = 5004, 6  # parts for two processes to share
ROOT = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def benchmarks():
    """The benchmarks are no part of the package."""
    sys.path.insert(0, ROOT)
    from benchmarks import derivation_mutants, derivation_oracle

    yield derivation_mutants, derivation_oracle
    sys.path.remove(ROOT)
    for name in [n for n in sys.modules if n.startswith("benchmarks")]:
        del sys.modules[name]


@pytest.mark.survey  # half a minute: not traced
@pytest.mark.parametrize("part", range(PARTS))
def test_mutants_are_judged_as_the_oracle_judges_them(benchmarks, part):
    """Of the lines of all exercises, equations and inequalities included; 5,000 of them in all."""
    mutants, _ = benchmarks
    tally = mutants.run(MUTANTS // PARTS, seed=7, part=(part, PARTS))
    assert tally.judged == MUTANTS // PARTS
    assert tally.false_proofs == tally.false_refutations == []
    undecided = tally.counts["undecided"] + tally.counts["plausible"]
    assert undecided <= 0.012 * tally.judged, str(tally)  # one in a hundred of all parts together
    assert len(tally.missed) <= 3, tally.missed  # plausible, not proved
    allowed = {"r1", "r2", "r16", "r18"}  # bounds on roots, roots of a logarithm
    assert {name for name, *_ in tally.missed} <= allowed
    assert tally.counts["proved"] >= 180 / PARTS, "mutants that are right are among them"
    median = sorted(tally.works)[tally.judged // 2]
    assert median <= 20_000, "of work: 20 ms"
    assert max(tally.works) <= 2_000_000, "of work: 2 s"


def test_the_oracle_tells_right_from_wrong(benchmarks):
    """An oracle that agreed with everything would find no false proof."""
    _, oracle = benchmarks
    for name in FORTY[::6]:
        task = exercise(name)
        for before, after in zip(task.values, task.values[1:], strict=False):
            assert oracle.same(before, after, task.symbols), name
        for slip in task.slips:
            wrong = read_expression(slip.text, task.symbols).value
            above = task.values[slip.line - 2]
            assert oracle.same(above, wrong, task.symbols) is False, (name, slip.text)
