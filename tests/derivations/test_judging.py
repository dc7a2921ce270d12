"""Judging lines: the forty exercises with their slips, and what checkers get wrong."""

from __future__ import annotations

import itertools

import pytest
import sympy

from convex_analyzer.derivations.derivation import check_derivation
from convex_analyzer.derivations.exercises import exercise, exercise_names, load_exercise
from convex_analyzer.derivations.judging.judge import judge
from convex_analyzer.derivations.judging.judgement import Counterexample
from convex_analyzer.derivations.judging.lines import check_lines
from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.derivation_text import read_derivation
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.statements import Statement, Unreadable
from convex_analyzer.parsing.symbols import Symbols

FORTY = [f"q{n}" for n in range(1, 41)]  # of the lectures
SCALARS = Symbols.of(
    {
        "a, l, m, M, K": "positive",
        "x, y, g": "real",
        "k, i": "natural",
        "u": "unit interval",
        "z": "complex",
    },
    ["m <= M"],
)
MATRICES = Symbols.of(
    {
        "A, B": "spd",
        "C": "matrix",
        "Q": "orthogonal",
        "L, D": "diagonal",
        "t, b": "vector",
        "a": "real",
        "k": "natural",
    }
)
SEQUENCES = Symbols.of(
    {"x, v": "sequence", "k, i": "natural", "r, c": "real", "u": "unit interval"}
)


def statements(texts, symbols):
    """Read lines by themselves."""
    return [
        Statement(n, n, 0, text, read_expression(text, symbols).value)
        for n, text in enumerate(texts, 1)
    ]


def judged(before, after, symbols=SCALARS, direction="<=>"):
    values = [read_expression(text, symbols).value for text in (before, after)]
    return judge(*values, symbols, direction=direction)


# -- the forty exercises ---------------------------------------------------------------------


def test_every_correct_line_is_proved_and_every_slip_located():
    slips = 0
    for name in FORTY:
        task = exercise(name)
        right = check_lines(statements(task.lines, task.symbols), task.symbols)
        assert [line.status for line in right.lines[1:]] == ["proved"] * (len(task.lines) - 1), name
        assert (right.score, right.first_wrong) == (1, None)
        for slip in task.slips:
            texts = [slip.text if n == slip.line else t for n, t in enumerate(task.lines, 1)]
            wrong = check_lines(statements(texts, task.symbols), task.symbols)
            line = wrong.lines[slip.line - 1]
            assert wrong.first_wrong == slip.line, (name, slip)
            assert line.counterexample is not None
            # one slip, one mark: what follows from it, or recovers, costs nothing
            assert sum(x.status == "refuted" for x in wrong.lines) == 1, (name, slip)
            slips += 1
    assert slips == 80


# -- pairs of lines --------------------------------------------------------------------------

PROVED = (
    ("abs(1 - a*l) < 1", "a < 2/l"),
    ("x**2 < 4", "-2 < x and x < 2"),
    ("Eq(x**2 - 3*x + 2, 0)", "x == 1 or x == 2"),
    ("Eq(x**2, 2)", "Eq(x, sqrt(2)) or Eq(x, -sqrt(2))"),
    ("Eq(a**2, l)", "Eq(a, sqrt(l))"),
    ("x + y = 7/3 and x - y = 1/5", "x = 19/15 and y = 16/15"),
    ("sqrt(1 - u) < a", "1 - u < a**2"),
    ("abs(1 - a*m) < 1 and abs(1 - a*M) < 1", "a < 2/M"),
    ("x + y > 1 and x - y > 1", "x - y > 1 and y > 1 - x"),
    ("(1 - a*l)*(1 - a*l)**k", "(1 - a*l)**(k + 1)"),
    ("(u - 1)**k", "(-1)**k*(1 - u)**k"),
    ("Sum(u**i, (i, 0, k))", "(1 - u**(k + 1))/(1 - u)"),
    ("Sum(u**(k - i), (i, 0, k))", "Sum(u**i, (i, 0, k))"),
    ("Sum(i**2, (i, 1, k))", "k*(k + 1)*(2*k + 1)/6"),
    ("Sum(1/(i*(i + 1)), (i, 1, k))", "k/(k + 1)"),
    ("Sum(i*u**i, (i, 0, k))", "u*(1 - (k + 1)*u**k + k*u**(k + 1))/(1 - u)**2"),
    ("g/sqrt(g**2)", "sign(g)"),
    ("sqrt(x**2)", "abs(x)"),
    ("sqrt(1 - u)*sqrt(1 + u)", "sqrt(1 - u**2)"),
    ("((sqrt(K*m) - sqrt(m))/(sqrt(K*m) + sqrt(m)))**2", "((sqrt(K) - 1)/(sqrt(K) + 1))**2"),
    ("log(a**k*l)", "k*log(a) + log(l)"),
    ("exp(x + y)", "exp(x)*exp(y)"),
    ("sin(x)**2", "1 - cos(x)**2"),
    ("Max(x, y)", "(x + y + abs(x - y))/2"),
)
REFUTED = (
    ("a < 2/l", "a <= 2/l"),  # the border
    ("x**2 <= 4", "abs(x) < 2"),
    ("x*y > 1", "y > 1/x"),  # the sign of the divisor
    ("-x < 3", "x < -3"),
    ("Eq(x**2, 4)", "Eq(x, 2)"),  # a solution lost
    ("Eq(x, 2)", "Eq(x**2, 4)"),  # and one won
    ("Eq(y, u*y - a*g)", "Eq(y, -a*g*(1 - u))"),  # random points satisfy neither
    ("sqrt(x**2)", "x"),
    ("sign(x)**2", "1"),
    ("x", "sqrt(x)**2"),  # not real for x = -1
    ("1", "1/(x - x)"),  # no value anywhere
    ("abs(1 - a*l) < 1", "sqrt(1 - a*l) < 1"),
    ("x + y = 7/3 and x - y = 1/5", "x = 19/15 and y = 17/15"),  # a system
    ("Sum(u**i, (i, 0, k))", "(1 - u**k)/(1 - u)"),
)
NOT_PROVED = (  # right where both are real, and not real elsewhere
    (
        "x + a + l + M + K + 3",
        "sqrt(5*(x + a + l + M + K + 3))*sqrt(x + a + l + M + K + 3)/sqrt(5)",
    ),
    ("0", "log(x + a + l + M + K) - log(x + a + l + M + K)"),
)
PROVED_MATRICES = (
    ("t - a*(A*t + b) + inv(A)*b", "(I - a*A)*(t + inv(A)*b)"),
    ("(I - a*A)*((I - a*A)**k*t)", "(I - a*A)**(k + 1)*t"),
    ("(Q*L*Q.T)**k", "Q*L**k*Q.T"),
    ("inv(I + A)*A", "I - inv(I + A)"),
    ("inv(A + C)*A + inv(A + C)*C", "I"),
    ("(t - a*b).T*(t - a*b)", "t.T*t - 2*a*t.T*b + a**2*b.T*b"),
    ("norm(Q*t)", "norm(t)"),
    ("t.T*C*b", "b.T*C.T*t"),
    ("det(Q*L*Q.T)", "det(L)"),
    ("trace(A*B)", "trace(B*A)"),
    ("L*D", "D*L"),
    ("A*t + b = 0", "t = -inv(A)*b"),
)
REFUTED_MATRICES = (
    ("(A + B)**2", "A**2 + 2*A*B + B**2"),
    ("Q*L*Q.T", "Q.T*L*Q"),
    ("inv(A + B)", "inv(A) + inv(B)"),
    ("det(2*A)", "2*det(A)"),
    ("A*t = b", "t = A*b"),
    ("norm(t + b)**2", "norm(t)**2 + norm(b)**2"),
)


@pytest.mark.parametrize(
    ("pairs", "symbols", "status"),
    [
        (PROVED, SCALARS, "proved"),
        (REFUTED, SCALARS, "refuted"),
        (PROVED_MATRICES, MATRICES, "proved"),
        (REFUTED_MATRICES, MATRICES, "refuted"),
    ],
)
def test_pairs(pairs, symbols, status):
    for before, after in pairs:
        verdict = judged(before, after, symbols)
        assert verdict.status == status, (before, after, str(verdict))
        assert (verdict.counterexample is None) == (status == "proved")


def test_a_line_that_is_not_real_everywhere_is_never_proved():
    for before, after in NOT_PROVED:
        assert judged(before, after).status != "proved", after
        assert judged(after, after).status == "proved", after


def test_an_implication_has_a_direction():
    assert judged("a < 2/l", "a <= 2/l", direction="=>").status == "proved"
    assert judged("a <= 2/l", "a < 2/l", direction="=>").status == "refuted"
    assert judged("a <= 2/l", "a < 2/l", direction="<=").status == "proved"
    assert judged("Eq(x, 2)", "Eq(x**2, 4)", direction="=>").status == "proved"


def test_recurrences_are_solved_by_induction_and_refuted_by_running_them():
    given = "v(k+1) = u*v(k) + r and v(0) = 0"
    right = judged(given, "v(k) = r*(1 - u**k)/(1 - u)", SEQUENCES)
    assert (right.status, right.reason) == ("proved", "induction on k")
    wrong = judged(given, "v(k) = r*(1 - u**(k+1))/(1 - u)", SEQUENCES)
    assert wrong.status == "refuted"
    assert (wrong.counterexample.before, wrong.counterexample.after) == ("true", "false")
    two = "x(k+2) = 3*x(k+1) - 2*x(k) and x(0) = 0 and x(1) = 1"
    assert judged(two, "x(k) = 2**k - 1", SEQUENCES).status == "proved"
    assert judged(two, "x(k) = k", SEQUENCES).status == "refuted"
    shifted = judged("Sum(u**i*x(k-i), (i, 0, k))", "x(k) + Sum(u**i*x(k-i), (i, 1, k))", SEQUENCES)
    assert shifted.status == "proved"


def test_nested_sums_keep_their_indices_apart():
    symbols = Symbols.of({"k, i, j": "natural"})
    verdict = judged(
        "Sum(Sum(i*j, (j, 0, i)), (i, 0, k))", "Sum(i**2*(i + 1)/2, (i, 0, k))", symbols
    )
    assert verdict.status == "proved"
    wrong = judged("Sum(Sum(i*j, (j, 0, i)), (i, 0, k))", "Sum(i**2*(i + 1), (i, 0, k))", symbols)
    assert wrong.status == "refuted"


def test_a_constraint_holds_though_its_symbol_cancels():
    symbols = Symbols.of({"s": "real", "u": "positive"}, ["s**2 < 4*u"])
    verdict = judged("sqrt((s/2)**2 + (4*u - s**2)/4)", "u", symbols)
    point = {name: sympy.Rational(text) for name, text in verdict.counterexample.point}
    assert point["s"] ** 2 < 4 * point["u"]
    assert sympy.sqrt(point["u"]) != point["u"]


def test_nothing_is_said_where_nothing_could_be_tried():
    impossible = Symbols.of({"x": "positive"}, ["x < -1"])
    assert judged("x", "2*x", impossible).status == "undecided"
    assert judged("1/(x - x)", "x").status == "undecided"
    assert judged("x > 0", "x").status == "undecided"  # a bare symbol is no statement
    assert judged("A", "A*t", MATRICES).status == "refuted"  # shapes
    never = judged("Eq(x**2 + 1, 0)", "Eq(x**2 + 2, 0)")
    assert never.status in ("proved", "undecided")


def test_what_is_too_long_for_a_proof_is_plausible_and_quick():
    before, after = "(x + y + a + l)**20", "(x + y + a + l)**10*(l + a + y + x)**10"
    verdict = judged(before, after)
    assert verdict.status in ("plausible", "proved")
    assert judged(before, after + " + 1").status == "refuted"


def test_complex_roots_are_compared_but_not_proved():
    symbols = Symbols.of({"s": "real", "u": "positive"}, ["s**2 < 4*u"])
    assert judged("abs((s + sqrt(s**2 - 4*u))/2)", "sqrt(u)", symbols).status == "plausible"
    assert judged("abs((s + sqrt(s**2 - 4*u))/2)", "2*sqrt(u)", symbols).status == "refuted"
    assert judged("abs(z)**2", "z**2").status == "refuted"


# -- whole derivations -----------------------------------------------------------------------


def test_lines_are_carried_forward_recover_and_are_scored():
    texts = [
        "(x - y)**2",
        "x**2 + 2*x*y + y**2",
        "(x + y)**2",
        "x**2 - 2*x*y + y**2",
        "y**2 - 2*x*y",
    ]
    lines = statements(texts, SCALARS)
    checked = check_lines(lines, SCALARS)
    assert [x.status for x in checked.lines] == [
        "given",
        "refuted",
        "proved",
        "recovers",
        "refuted",
    ]
    assert checked.lines[3].against == 1
    assert (checked.first_wrong, checked.score) == (2, 0.5)
    against = check_lines(lines[:1], SCALARS, given=lines[3].value)
    assert against.lines[0].status == "proved"


def test_what_recovers_only_plausibly_costs_no_second_mark():
    texts = ["abs(sin(x)) < 1", "cos(x)**2 < 0", "cos(x)**2 > 0", "2*cos(x)**2 > 0"]
    symbols = Symbols.of({"x": "real"})
    checked = check_lines(statements(texts, symbols), symbols)
    assert [x.status for x in checked.lines] == ["given", "refuted", "plausible", "proved"]
    assert checked.lines[2].against == 1
    assert "follows from line 1" in checked.lines[2].reason
    assert checked.score == pytest.approx(2 / 3)


def test_below_what_is_undecided_the_last_known_line_counts():
    texts = ["(x - y)**2", "x > 0", "y > 0", "x**2 - 2*x*y + y**2", "x**2 - y**2"]
    checked = check_lines(statements(texts, SCALARS), SCALARS)
    assert [x.status for x in checked.lines] == [
        *("given", "undecided", "refuted", "proved", "refuted")
    ]
    assert [x.against for x in checked.lines] == [None, 1, 2, 1, 4]
    checked = check_lines(statements([texts[0], texts[1], *texts[3:]], SCALARS), SCALARS)
    assert [x.status for x in checked.lines] == ["given", "undecided", "proved", "refuted"]
    assert [x.against for x in checked.lines] == [None, 1, 1, 3]


def test_a_pasted_block_is_judged_with_its_chains():
    text = r"""\begin{align}
      (x-y)^2 &= x^2 - 2xy - y^2 \\
              &= x^2 - y(2x + y) \\
              &= x^2 + y(y - 2x)
    \end{align}"""
    checked = check_lines(read_derivation(text, SCALARS).statements, SCALARS)
    assert [x.status for x in checked.lines] == ["given", "refuted", "proved", "recovers"]
    repaired = checked.lines[1].repair
    assert repaired.text == "x^2 - 2xy + y^2"
    assert checked.lines[1].line == 2


def test_chains_arrows_and_unreadable_lines():
    read = {t: read_expression(t, SCALARS).value for t in ("u", "u**2", "1", "a < 2/l", "a <= 2/l")}
    chain = [
        Statement(1, 1, 0, "u**2", read["u**2"]),
        Statement(2, 1, 7, "u", read["u"], "<", read["u**2"]),
        Statement(3, 1, 11, "1", read["1"], "<=", read["u"]),
    ]
    assert [x.status for x in check_lines(chain, SCALARS).lines] == ["given", "proved", "proved"]
    wrong = [chain[0], Statement(2, 1, 7, "u", read["u"], ">", read["u**2"])]
    assert check_lines(wrong, SCALARS).lines[1].status == "refuted"
    error = ParseError("column 1: nothing here", text="?", column=0)
    mixed = [
        Statement(1, 1, 0, "a < 2/l", read["a < 2/l"]),
        Unreadable(2, 2, 0, "?", None, error=error),
        Statement(3, 3, 0, "a <= 2/l", read["a <= 2/l"], "=>"),
    ]
    checked = check_lines(mixed, SCALARS)
    assert [x.status for x in checked.lines] == ["given", "unreadable", "proved"]
    assert "cannot be read" in checked.lines[1].hint(4)
    assert checked.to_dict()["score"] == 0.5
    assert "a <= 2/l" in str(checked)


def test_hints_say_more_and_more():
    symbols = Symbols.of({"v": "positive", "S": "positive integer"})
    checked = check_lines(statements(["S*v/S**2", "v/S**2"], symbols), symbols)
    line = checked.lines[1]
    hints = [line.hint(level) for level in (1, 2, 3, 4)]
    assert all(long.startswith(short) for short, long in itertools.pairwise(hints))
    assert hints[0] == "Line 2 does not follow from line 1."
    assert "S = 2, v = 1" in hints[1] or "v = 1, S = 2" in hints[1]
    assert "square too many" in hints[2]
    assert hints[3].endswith("Column 4: v/S would follow.")
    with pytest.raises(InputError, match="1, 2, 3 or 4"):
        line.hint(5)
    assert "needs no hint" in checked.lines[0].hint(1)


def test_the_name_that_an_exercise_gives_to_a_slip_comes_first():
    task = exercise("q15")
    lines = statements([task.given, task.slips[0].text], task.symbols)
    line = check_lines(lines, task.symbols, known=task.known_slips).lines[1]
    assert line.slip == ("known", task.slips[0].name)
    plain = check_lines(lines, task.symbols).lines[1]
    assert plain.slip[0] == "factor too many"


def test_a_slip_without_a_repair_is_named_by_its_values():
    symbols = Symbols.of({"x, y": "positive"})
    texts = ["(x + y)**2 - 7*x", "-x**2 - 2*y*x + 7*x - y*y"]
    line = check_lines(statements(texts, symbols), symbols).lines[1]
    assert line.slip == ("sign", "a sign is wrong") or line.slip[0] == "sign"
    ratio = check_lines(statements(["x*(x + y)", "14*x*y/2 + 7*x**2"], symbols), symbols).lines[1]
    assert "factor 1/7" in ratio.slip[1]


def test_counterexamples_read_as_sentences():
    shown = Counterexample((("α", "1"), ("λ", "2")), "1", "-1")
    assert str(shown).startswith("At α = 1, λ = 2: the line above gives 1, this line gives −1")
    assert Counterexample((), "1", "2").sentence() == "The line above gives 1, this line gives 2."


SLIP = "[[slips]]\nline = 3\ntext = '2'\nname = 'n'"


# -- exercise files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 'x'", "lines, symbols is missing"),
        ("title = 'x'\nlines = ['1']\nsymbols = {}", "two texts or more"),
        ("title = 'x'\nlines = ['1', '1']\nsymbols = {}\ncolour = 1", "colour is not known"),
        ("title = 'x'\nlines = ['1', '1']\nsymbols = 1", "a table of names"),
        ("title =", "bad.toml"),
        ("title = 'x'\nlines = ['1', '1']\nsymbols = {}\n" + SLIP, "lines 2 to 2, got 3"),
        (
            "title = 'x'\nlines = ['1', '1']\nsymbols = {}\n[[slips]]\nline = 2",
            "needs line, text and name",
        ),
    ],
)
def test_exercise_files_that_are_wrong(tmp_path, text, message):
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_exercise(file)


def test_an_unknown_exercise_is_refused():
    with pytest.raises(InputError, match="q99"):
        exercise("q99")
    assert len(exercise_names()) >= 40


def test_an_equation_of_the_value_above_is_a_step_and_words_open_a_line():
    text = """(1 - a*l)^2
    = 1 - 2*a*l + a^2*l^2
    So we have (1 - a*l)^2 = 1 + a*l*(a*l - 2)
    Now, this gives (1 - a*l)^2 = 1 + a*l*(a*l - 3)"""
    checked = check_derivation(text, symbols={"a, l": "positive"})
    assert [x.status for x in checked.lines] == ["given", "proved", "proved", "refuted"]
    asked = check_derivation("a + l\na = 2*l", symbols={"a, l": "positive"})
    assert asked.lines[1].status == "undecided"  # a condition is no identity
    named = check_derivation("now + 1\nnow 2 + now", symbols={"now": "real"})
    assert named.lines[1].status != "proved"
