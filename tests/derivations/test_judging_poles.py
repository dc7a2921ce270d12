"""Solutions lost by dividing, empty sums, tiny numbers, matrices of order three."""

from __future__ import annotations

import time

import sympy

from convex_analyzer.derivations.judging.judge import judge
from convex_analyzer.derivations.judging.lines import check_lines
from convex_analyzer.derivations.judging.poles import denominators
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.statements import Statement
from convex_analyzer.parsing.symbols import Symbols

SYMBOLS = Symbols.of(
    {
        "x, y, z, p, g": "real",
        "a, b": "positive",
        "k, n, i": "natural",
        "u": "unit interval",
    }
)
MATRICES = Symbols.of({"A, C": "matrix", "S": "symmetric", "P": "spd", "x, t": "vector"})

LOST = (
    ("x**2 = x", "1 = 1/x"),
    ("x**3 = x", "x - 1/x = 0"),
    ("x*(y-1) = 0", "(y-1)/x = 0"),
    ("(x-y)*z = x-y", "z/(x-y) = 1/(x-y)"),
    ("x*y = x*z", "y/x = z/x"),
    ("a*x = b*x", "a/x = b/x"),
    ("x >= 0", "1/x >= 0"),
    ("x >= 0", "1/x > 0"),
    ("x = 1", "(x**2-1)/(x-1) = 2"),
    ("p = u*p - a*g", "1 = u - a*g/p"),  # at p = 0 = g, where no small point lies
    ("x = 2 or x = 0", "2/x = 1"),
)
WON = (
    ("1/x = 1/y", "x = y"),
    ("x/y = 0", "x = 0"),
    ("(x**2-1)/(x-1) < 3", "x+1 < 3"),
    ("x/x = 1", "0 = 0"),
    ("x**2/x >= 0", "x >= 0"),
    ("(x**2-x)/(x-1) = 1", "x = 1"),
)
KEPT = (
    ("x > 0", "1/x > 0"),
    ("1 = 1/x", "x = 1"),
    ("a = b*x", "a/b = x"),
    ("x/y = 2/y", "2*x/y = 4/y"),
    ("1/x > 1", "0 < x and x < 1"),
)


def judged(before, after, symbols=SYMBOLS, direction="<=>"):
    values = [read_expression(text, symbols).value for text in (before, after)]
    return judge(*values, symbols, direction=direction)


def test_a_solution_lost_or_won_by_a_division_is_shown():
    for pairs, word, side in ((LOST, "lost", "after"), (WON, "won", "before")):
        for before, after in pairs:
            verdict = judged(before, after)
            assert verdict.status == "refuted", (before, after, str(verdict))
            assert f"a solution is {word}" in verdict.reason, (before, after)
            shown = verdict.counterexample
            assert getattr(shown, side) == "nothing (division by zero)"
            other = shown.before if side == "after" else shown.after
            assert other == "true"
            point = {name: sympy.Rational(v.replace("−", "-")) for name, v in shown.point}
            divides = read_expression(after if side == "after" else before, SYMBOLS).value
            at = {SYMBOLS[name]: v for name, v in point.items()}
            assert any(e.subs(at) == 0 for e in denominators(divides))


def test_divisions_that_lose_nothing_are_proved():
    for before, after in KEPT:
        assert judged(before, after).status == "proved", (before, after)
    nonzero = Symbols.of({"x, y": "real", "c": "nonzero"}, ["x > y"])
    for before, after in (("c*x = c*y", "x = y"), ("x*c = 1", "x = 1/c")):
        assert judged(before, after, nonzero).status in ("proved", "undecided", "plausible")
    assert judged("x*c = 1", "x = 1/c", nonzero).status == "proved"
    assert judged("(x - y)*c = x - y", "c = (x - y)/(x - y)", nonzero).status == "proved"
    # one direction only: what follows may hold at more points
    assert judged("x/y = 0", "x = 0", direction="=>").status == "proved"
    assert judged("x = 0", "x/y = 0", direction="=>").status == "refuted"


def test_expressions_are_equal_where_both_are_defined_and_the_hole_is_named():
    for before, after, hole in (
        ("x/x", "1", "x = 0"),
        ("(x**2 - 1)/(x - 1)", "x + 1", "x = 1"),
        ("x", "x**2/x", "x = 0"),
    ):
        verdict = judged(before, after)
        assert verdict.status == "proved"
        assert verdict.reason.endswith(f"where both are defined: not at {hole}")
    assert "not at" not in judged("a/a", "1").reason


def test_an_empty_sum_is_zero():
    false = (
        ("Sum(1, (i, 2, k))", "k - 1"),
        ("Sum(i, (i, 2, k))", "k*(k + 1)/2 - 1"),
        ("Sum(i, (i, 1, k))", "1 + Sum(i, (i, 2, k))"),
        ("Sum(1, (i, n, k))", "k - n + 1"),
        ("Sum(u**i, (i, 0, k - 2))", "(1 - u**(k - 1))/(1 - u)"),
        ("Sum(i, (i, 0, k)) - Sum(i, (i, 0, n))", "Sum(i, (i, n + 1, k))"),
        ("Product(a, (i, 2, k))", "a**(k - 1)"),
    )
    for before, after in false:
        assert judged(before, after).status == "refuted", (before, after)
    later = Symbols.of({"k, i": "natural"}, ["k >= 1"])
    assert judged("Sum(1, (i, 2, k))", "k - 1", later).status == "proved"
    assert judged("Sum(i, (i, 1, k))", "1 + Sum(i, (i, 2, k))", later).status == "proved"


def test_an_endless_sum_that_diverges_has_no_value():
    verdict = judged("Sum(x**i, (i, 0, oo))", "1/(1 - x)")
    assert verdict.status == "refuted"
    assert verdict.counterexample.before == "nothing (the sum does not converge)"
    assert judged("Sum(u**i, (i, 0, oo))", "1/(1 - u)").status == "proved"


def test_exponentials_that_are_tiny_or_huge_are_neither_zero_nor_endless():
    start = time.process_time()
    for before, after in (
        ("x*exp(-10**4) = 0", "x = 0"),
        ("x", "x + exp(-100)"),
        ("x", "x + exp(-10**8)"),
        ("exp(-10**4)", "0"),
        ("1/(1 + exp(-1000))", "1"),
        ("x > 0", "x > exp(-100)"),
        ("exp(10**8)", "x"),
        ("exp(-10**8)", "x"),
    ):
        assert judged(before, after).status == "undecided", (before, after)
    huge = judged("exp(10**6)*x", "x")
    assert huge.status == "refuted"
    assert huge.counterexample.before == "≈ 3.0332154e+434294"
    assert judged("log(x)/log(x)", "1").status == "proved"
    assert judged("exp(-x)*exp(x)", "1").status == "proved"
    assert judged("exp(-x)", "exp(x)").status == "refuted"
    assert time.process_time() - start < 10


def test_matrices_of_order_three_and_those_that_solve_equations():
    for before, after in (
        ("trace(I)", "2"),
        ("A*A = I", "A = I"),
        ("S*S = I", "S = I"),
        ("A*A = 0*A", "A = 0*A"),
        ("x.T*A*x = 0", "A*x = 0"),
        ("x.T*S*x = 0", "x = 0"),
        ("A*C = 0*A", "A = 0*A"),
    ):
        assert judged(before, after, MATRICES).status == "refuted", (before, after)
    assert judged("trace(I)", "2", MATRICES).counterexample.before == "3"
    assert judged("x.T*P*x = 0", "x = 0", MATRICES).status in ("plausible", "proved")
    assert judged("A*x = 0", "2*A*x = 0", MATRICES).status == "proved"


def test_who_inverts_a_matrix_takes_it_for_invertible_and_reads_so():
    for before, after in (("A*x = t", "x = inv(A)*t"), ("inv(I - A)*(I - A*A)", "I + A")):
        verdict = judged(before, after, MATRICES)
        assert verdict.status == "proved", (before, str(verdict))
        assert ", where both are defined: not at A = [[" in verdict.reason
    assert judged("A*x = t", "x = A*t", MATRICES).status == "refuted"
    assert "not at" not in judged("P*x = t", "x = inv(P)*t", MATRICES).reason


def test_double_roots_that_are_irrational_are_tried():
    verdict = judged("(x**2 - 2)**2 > 0", "x**2 + 1 > 0")
    assert verdict.status == "refuted"
    assert verdict.counterexample.point[0][1] in ("sqrt(2)", "-sqrt(2)")


def test_a_hint_says_what_was_divided_by():
    texts = ("p = u*p - a*g", "1 = u - a*g/p")
    lines = [
        Statement(n, n, 0, text, read_expression(text, SYMBOLS).value)
        for n, text in enumerate(texts, 1)
    ]
    line = check_lines(lines, SYMBOLS).lines[1]
    assert line.status == "refuted"
    assert line.slip[0] == "divided by zero"
    assert "division by zero" in line.hint(2)
