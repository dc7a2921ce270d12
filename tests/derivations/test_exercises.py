"""The exercises that come with the package: what each says, its lines, its slips, their repairs.

The lines and slips of the forty exercises of the lectures are judged in test_judging.py.
"""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from convex_analyzer.derivations.derivation import check_derivation
from convex_analyzer.derivations.exercises import exercise, exercise_names
from convex_analyzer.derivations.grading import grade
from convex_analyzer.parsing.expressions import read_expression

ROOT = Path(__file__).parents[2]
FURTHER = [name for name in exercise_names() if not name.startswith("q")]


def with_slip(task, slip):
    return [slip.text if n == slip.line else line for n, line in enumerate(task.lines, 1)]


def test_every_exercise_says_what_to_do_and_where_it_comes_from():
    titles = set()
    for name in exercise_names():
        task = exercise(name)
        assert task.source, name
        assert task.statement, name
        assert task.points == len(task.lines) - 1, name
        assert len({slip.text for slip in task.slips}) == len(task.slips) >= 2, name
        assert len({slip.name for slip in task.slips}) == len(task.slips), name
        titles.add(task.title)
    assert len(titles) == len(exercise_names()) >= 40 + 24
    for name in exercise_names():
        task = exercise(name)
        assert task.statement != f"{task.title}: start from {task.given}", name
        words = re.findall(r"[a-zA-Z]{2,}", task.statement)
        assert len(words) >= 8, name
        assert task.statement.endswith((".", "?")), name


def test_further_lines_are_proved_and_further_slips_cost_one_mark():
    """As a student hands them in: text, read and judged as a whole."""
    slips = 0
    for name in FURTHER:
        task = exercise(name)
        right = check_derivation(task.lines, exercise_name=task)
        assert {line.status for line in right.lines} == {"proved"}, name
        assert right.score == 1
        for slip in task.slips:
            wrong = check_derivation(with_slip(task, slip), exercise_name=task)
            line = wrong.lines[slip.line - 1]
            assert wrong.first_wrong == slip.line, (name, slip)
            assert line.counterexample.point, (name, slip)
            assert sum(x.status == "refuted" for x in wrong.lines) == 1, (name, slip)
            slips += 1
    assert slips >= 2 * len(FURTHER)


def test_most_further_slips_are_repaired_and_named():
    tried = repaired = 0
    for name in FURTHER[3::7]:
        task = exercise(name)
        for slip in task.slips:
            line = check_derivation(with_slip(task, slip), exercise_name=task).lines[slip.line - 1]
            tried += 1
            assert slip.name in line.hint(3), (name, slip)
            if line.repair is None:
                continue
            repaired += 1
            texts = [
                line.repair.text if n == slip.line else text for n, text in enumerate(task.lines, 1)
            ]
            again = check_derivation(texts, exercise_name=task)
            assert again.lines[slip.line - 1].status == "proved", (name, line.repair)
    assert tried >= 24
    assert repaired >= 0.7 * tried + 2, (repaired, tried)


def test_an_independent_oracle_agrees(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import derivation_oracle as oracle

    for name in FURTHER[1::8]:
        task = exercise(name)
        if any(one.is_function for one in task.symbols):
            continue  # it runs no recurrences: see below
        for above, line in zip(task.values, task.values[1:], strict=False):
            assert oracle.same(above, line, task.symbols), (name, line)
        for slip in task.slips:
            wrong = read_expression(slip.text, task.symbols).value
            assert oracle.same(task.values[slip.line - 2], wrong, task.symbols) is False, slip
    for name in [n for n in sys.modules if n.startswith("benchmarks")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "numbers", "step", "first"),
    [
        ("r12", {"r": "1/3"}, lambda r: lambda x, y: 2 * r * x - r * r * y, lambda r: (0, r)),
        (
            "r13",
            {"c": "1/3", "h": "2", "g": "5"},
            lambda c, h, g: lambda x, _: c * x + h * g,
            lambda c, h, g: (0, h * g),
        ),
        (
            "r14",
            {"s": "1/4", "c": "3"},
            lambda s, c: lambda x, _: x - s * (x - c),
            lambda s, c: (0, s * c),
        ),
    ],
)
def test_recurrences_are_run(name, numbers, step, first):
    """The closed form gives the numbers of the recurrence; no slip does."""
    task = exercise(name)
    given = {letter: Fraction(text) for letter, text in numbers.items()}
    values = list(first(**given))
    for _ in range(5):
        values.append(step(**given)(values[-1], values[-2]))

    def gives_them(text):
        closed = read_expression(text, task.symbols).value.rhs
        at = {task.symbols[letter]: str(value) for letter, value in given.items()}
        shown = [closed.subs({**at, task.symbols["k"]: k}) for k in range(len(values))]
        return [Fraction(str(value)) for value in shown] == values

    assert gives_them(task.lines[-1])
    assert not any(gives_them(slip.text) for slip in task.slips)


def test_errata_show_a_counterexample_for_every_row():
    """The page itself is run by test_docs.py; here: no row is without numbers."""
    text = (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    shown = [
        int(number)
        for number in re.findall(r"^ ?(\d+)  At .*: the truth gives .+, the print .+\.$", text,
                                 re.MULTILINE)
    ]  # fmt: skip
    assert rows == shown == list(range(1, len(rows) + 1))


def test_greek_letters_are_read_as_the_latin_ones_of_an_exercise():
    """A right answer earns all in either letters; a slip earns no more in Greek than in Latin."""
    greek = {"a": "α", "l": "λ", "u": "μ", "K": "κ"}

    def written(lines):
        return "\n".join(re.sub(r"\b[aluK]\b", lambda m: greek[m[0]], s) for s in lines)

    for name in ("q8", "q14", "q18", "r7"):
        task = exercise(name)
        assert grade(written(task.lines), task) == task.points, name
        for slip in task.slips:
            lines = with_slip(task, slip)
            assert grade(written(lines), task) == grade("\n".join(lines), task) < task.points, name
    latex = r"""1 + (1 + \mu - \alpha\lambda) + \mu > 0 \\ \alpha\lambda < 2 + 2\mu \\
    \alpha < \frac{2(1+\mu)}{\lambda}"""
    assert grade(latex, "q14") == 2
    assert grade(latex.replace("2(1+", "2(1-"), "q14") < 2
    assert "alpha" not in exercise("v1").symbols  # which has no a
