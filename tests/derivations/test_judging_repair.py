"""Repairs: proved, near to what the student wrote, and as a person would write them."""

from __future__ import annotations

import re

import pytest

from convex_analyzer.derivations.exercises import exercise
from convex_analyzer.derivations.judging.edits import edits
from convex_analyzer.derivations.judging.judge import judge
from convex_analyzer.derivations.judging.repair import repair
from convex_analyzer.derivations.judging.slips import SENTENCES
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols

FORTY = [f"q{n}" for n in range(1, 41)]  # of the lectures
# What nobody writes: (k - 0), + -a, 1*x, x**1, A*I, --u, a/(b/c), 2*(3).
UNNATURAL = re.compile(r"[+-] ?0\)|[+-] ?-|\b1\*|\*1\b|\*\* ?1\b|\*I\b|\bI\*|/\([^()]*/|\*\(\d+\)")


def test_most_planted_slips_are_repaired_and_every_repair_reads_naturally():
    found, tried = {}, 0
    for name in FORTY[::4]:
        task = exercise(name)
        for slip in task.slips:
            tried += 1
            above = task.values[slip.line - 2]
            result = repair(slip.text, above, task.symbols)
            if result is None:
                continue
            found[name, slip.text] = result
            value = read_expression(result.text, task.symbols).value
            assert judge(above, value, task.symbols).status == "proved"
            assert not UNNATURAL.search(result.text), (name, slip.text, result)
            assert result.kind in SENTENCES, result.kind
            assert slip.text[: result.column] == result.text[: result.column]
    assert len(found) >= 0.8 * tried, (tried, sorted(found))


@pytest.mark.parametrize(
    ("above", "wrong", "right"),
    [
        ("Sum(u**i, (i, 0, k))", "(1 - u**k)/(1 - u)", "(1 - u**(k + 1))/(1 - u)"),
        ("x + u*(x - y) - a*l*x", "(1+u-a*l)*x + u*y", "(1+u-a*l)*x - u*y"),
        ("x + u*(x - y) - a*l*x", "(1 - u - a*l) * x - u * y", "(1 + u - a*l) * x - u * y"),
        ("abs(1 - a*l) < 1", "a <= 2/l", "a < 2/l"),
        ("a*l > 2", "-a*l > -2", "-a*l < -2"),
        ("sqrt(u**2*x**2)", "u*x", "u*abs(x)"),
        ("(1 - u)*x/(1 - u)", "x**2", "x"),
        ("(x - y)**2", "(x**2 - y**2)", "(x - y)**2"),
        ("x**2 - 2*x*y + y**2", "(x + y)**2", "(x - y)**2"),
        ("(1 - αλ)^2", "1 - 2αλ + α²λ", "1 - 2αλ + α²λ²"),
        (r"(1-\alpha\lambda)^2", r"1-\alpha\lambda+\alpha^2\lambda^2",
         r"1-2\alpha\lambda+\alpha^2\lambda^2"),
        (r"\frac{2}{a+l}", r"\frac{1}{a+l}", r"\frac{2}{a+l}"),
        (r"(1-u)^k (1-u)", r"(1-u)^{k}", r"(1-u)^{k+1}"),
    ],
)  # fmt: skip
def test_a_repair_keeps_the_habits_of_the_text(above, wrong, right):
    symbols = Symbols.of(
        {"x, y": "real", "u": "unit interval", "a, l, alpha, lambda": "positive", "k, i": "natural"}
    )
    value = read_expression(above, symbols).value
    assert repair(wrong, value, symbols).text == right


def test_matrices_are_repaired_in_their_own_terms():
    kinds = {"A": "symmetric", "Q": "orthogonal", "L": "diagonal", "t": "vector"}
    symbols = Symbols.of({**kinds, "a": "positive"})

    def repaired(above, wrong):
        return repair(wrong, read_expression(above, symbols).value, symbols)

    assert repaired("t - a*(A*t)", "(I + a*A)*t").text == "(I - a*A)*t"
    exchanged = repaired("(Q*L*Q.T)*(Q*L*Q.T)", "Q.T*L*L*Q")
    assert (exchanged.text, exchanged.kind) == ("Q*L*L*Q.T", "transposes exchanged")
    assert repaired("Q*(I - a*L)*Q.T", "Q*(I - a*L)*Q").text == "Q*(I - a*L)*Q.T"
    assert repaired("(A*Q).T", "Q*A").text in ("Q.T*A", "inv(Q)*A")


def test_solutions_of_recurrences_are_repaired_by_running_them():
    kinds = {"v": "sequence", "c": "unit interval", "h": "real", "k": "natural"}
    symbols = Symbols.of(kinds)
    above = read_expression("v(k + 1) = c*v(k) + h and v(0) = 0", symbols).value
    found = repair("v(k) = h*(1 - c**(k + 1))/(1 - c)", above, symbols)
    assert found.text == "v(k) = h*(1 - c**k)/(1 - c)"
    assert repair("v(k) = h + c", above, symbols) is None


def test_what_cannot_be_repaired_by_one_edit_is_not():
    symbols = Symbols.of({"x, y": "real"})
    above = read_expression("x**2 + 3*y", symbols).value
    assert repair("7*x*y - 5", above, symbols) is None
    assert repair("x +* y", above, symbols) is None  # unreadable


def test_edits_are_few_distinct_and_sorted():
    symbols = Symbols.of({"x, y, a": "real", "k": "natural"})
    text = "(1 - a*x)**(k + 1)*y/2 + sqrt(a)"
    found = edits(text, read_expression(text, symbols).tree, symbols)
    texts = [edit.text for edit in found]
    assert len(set(texts)) == len(texts) < 400
    assert text not in texts
    assert [e.cost for e in found] == sorted(e.cost for e in found)
    assert "(1 + a*x)**(k + 1)*y/2 + sqrt(a)" in texts[:12]
