"""What students write round their formulas: words, numbers of lines, remarks, conditions."""

from __future__ import annotations

import pytest
import sympy as sp
from cases import each

from convex_analyzer import check_derivation
from convex_analyzer.parsing.derivation_text import parse_derivation
from convex_analyzer.parsing.symbols import Symbols

SYMBOLS = Symbols.of(
    {
        "a, b, l, K, m, g": "positive", "u": "unit interval", "x, y, p": "real",
        "k": "natural", "A, B": "symmetric matrix",
    }
)  # fmt: skip
a, b, ell, K, m, x, y = (SYMBOLS[name] for name in "ablKmxy")
DIFFERENCE = [x**2 - y**2, (x - y) * (x + y)]

READ = [  # text, values
    # an upright word is a function where it is known
    (r"\mathrm{tr}(AB)", [sp.Trace(SYMBOLS["A"] * SYMBOLS["B"])]),
    (r"\text{By symmetry, } x + y", [x + y]),
    (r"\text{We get } x < y", [x < y]),
    (r"\text{Finally } x < y, \text{ since } m \text{ is not zero}", [x < y]),
    ("Note that $x < y$, since $m$ is not zero.", [x < y, m]),
    # headings are no statements
    ("x\n" + r"\text{Factor out } m:" + "\n" + r"\frac{x}{2}", [x, x / 2]),
    ("x\n" + r"\text{Divide by } m" + "\n" + r"\frac{x}{m}", [x, x / m]),
    ("$x < y$ if $a > 0$", [x < y]),
    ("Factor out m:\nx\nCancel:\ny", [x, y]),
    (r"\text{since } m \neq 0, \text{ we get}" + "\n" + r"\frac{x}{2}", [x / 2]),
    (r"\text{since } m \neq 0, \text{ we get } x < y", [x < y]),
    # numbers of lines and bullets
    ("(1) x^2 - y^2\n(2) (x-y)(x+y)", DIFFERENCE),
    ("x^2 - y^2   (1)\n(x-y)(x+y)   (2)", DIFFERENCE),
    ("(4) x\n(5) x\n(6) y", [x, x, y]),
    ("(2) x\n(4) y", [2 * x, 4 * y]),
    ("(1) + x\n(2) + x", [1 + x, 2 + x]),
    ("1: x\nb) y\n• x\n3. y", [x, y, x, y]),
    ("* x\n* y", [x, y]),
    ("(a) x\n(b) y", [x, y]),
    ("(1)\nx\n(2)\ny", [x, y]),
    (r"\text{(1) } x", [x]),
    ("x^2 >= 0 for all x", [x**2 >= 0]),
    (r"\begin{align} x^2 - y^2 && (1)\\ (x-y)(x+y) && (2) \end{align}", DIFFERENCE),
    # letters side by side
    ("x + bx - by - al", [x + b * x - b * y - a * ell]),
    ("x - b y - by", [x - 2 * b * y]),
    ("Km^2 x", [K * m**2 * x]),
    # definitions in a sentence
    ("Let w = x - y. Then\n2w", [2 * (x - y)]),
    ("Let $w = x - y$. Then\n2w", [2 * (x - y)]),
]


@pytest.mark.parametrize(("text", "values"), READ)
def test_what_is_read(text, values):
    statements = parse_derivation(text, SYMBOLS)
    assert all(s.is_readable for s in statements), [
        str(getattr(s, "error", "")) for s in statements
    ]
    got = [s.value.doit() for s in statements]
    assert len(got) == len(values)
    for one, other in zip(got, values, strict=True):
        same = one == other if not one.is_Add and not one.is_Mul else sp.expand(one - other) == 0
        assert same, (one, other)


UNREAD = [  # text, column, part of the message
    (r"\mathrm{ReLU}(x) + y", 0, "'ReLU' is no function that is read"),
    (r"\text{Var}(x)", 0, "'Var'"),
    (r"\mathrm{Var} x", 0, "'Var'"),
    (r"\text{minus } x", 0, "'minus'"),
    (r"x > 0 \text{ is false}", 6, "'is false'"),
    (r"x \text{ is not less than } y", 2, "'is not less than'"),
    (r"x > 0 \text{, which is wrong}", 6, "which is wrong'"),
    (r"\text{It is not true that } x > 0", 0, "'It is not true that'"),
    ("It is not true that $x > 0$.", 21, "change what it says"),
    ("$x > 0$ is wrong", 1, "change what it says"),
    (r"\text{rate} = x", 0, "'rate'"),
    (r"\text{if } x > 0", 0, "'if'"),
    ("x^2 > 0 for x != 0", 7, "the condition x != 0 is not used; declare it"),
    ("$x < y$ if $x > 0$", 6, "the condition x > 0 is not used"),
    ("x < y if x > 0", 5, "the condition x > 0 is not used"),
    (r"\sqrt{x^2} = x \text{ where } x \ge 0", 14, r"the condition x \ge 0 is not used"),
    (r"\alpha < 2", 0, "write Latin letters: a for α, K for κ, l for λ, u for μ"),
    ("- x - y\n- (x + y)", 0, "a minus or a bullet"),
    ("√xy", 0, "write sqrt(x)*y or sqrt(x*y)"),
    ("x = 2, x = -2", 5, "write x = 2 or x = -2, or and for both"),
]


@pytest.mark.parametrize(("text", "column", "part"), UNREAD)
def test_what_is_asked_about(text, column, part):
    statement = parse_derivation(text, SYMBOLS)[0]
    assert not statement.is_readable
    assert part in str(statement.error)
    assert statement.error.column == column


def test_a_star_that_continues_a_product_is_no_bullet():
    first, second = parse_derivation("x * y\n* x", SYMBOLS)
    assert (first.is_readable, second.is_readable) == (True, False)


def test_what_could_surprise_is_said():
    (first, second) = parse_derivation("(1) xy\n(2) yx", SYMBOLS)
    assert set(first.notes) == {
        "(1) is read as the number of the line", "xy is read as the product x*y",
    }  # fmt: skip
    assert (first.text, second.column) == ("xy", 4)
    (since,) = parse_derivation(r"\sqrt{x^2} = x \quad\text{since } x > 0", SYMBOLS)
    assert since.notes == ("'x > 0' is taken as a reason, and not used: declare it",)
    (known,) = parse_derivation("a^2 > 0 since a > 0", SYMBOLS)
    assert known.notes == ()


def test_a_remark_behind_latex_is_its_reason():
    text = "\\frac{x}{2}  # halved\n$y$, $x$  # named\nx &= y \\\\ # a row\n"
    statements = parse_derivation(text, SYMBOLS)
    assert [s.reason for s in statements] == ["halved", "", "named", "a row"]
    (kept,) = parse_derivation(r"x \# y", SYMBOLS)
    assert not kept.is_readable


def test_if_and_only_if_is_an_arrow():
    one, two = parse_derivation("x > 1 if and only if 2x > 2", SYMBOLS)
    assert (one.value, two.relation, two.text) == (x > 1, "<=>", "2x > 2")


def test_by_begins_a_reason_only_before_words():
    for text, value, reason in (
        ("x - by", x - b * y, ""), ("x by symmetry", x, "by symmetry"),
        ("x (divide by m)", x, "divide by m"), ("by - x", b * y - x, ""),
    ):  # fmt: skip
        (statement,) = parse_derivation(text, SYMBOLS)
        assert (statement.value.doit(), statement.reason) == (value, reason)


def test_the_text_keeps_its_sized_bracket():
    text = r"\left(\frac{x}{y}\right)^2" + "\n" + r"= \Bigl(\frac{x}{y}\Bigr)^2"
    first, second = parse_derivation(text, SYMBOLS)
    assert first.text == r"\left(\frac{x}{y}\right)^2"
    assert (second.text, second.column) == (r"\Bigl(\frac{x}{y}\Bigr)^2", 2)


def test_what_a_chain_is_of_needs_no_declaration():
    text = "p_{k+1} = u p - a g\n= u p - g a\np_{k+1} = -a g + u p = p u - a g"
    first, *rest = parse_derivation(text, SYMBOLS)
    value = SYMBOLS["u"] * SYMBOLS["p"] - a * SYMBOLS["g"]
    assert first.value.doit() == value
    assert first.notes[0] == "p_{k+1} is taken as the name of what follows"
    assert [(s.relation, s.value.doit()) for s in rest] == [("=", value)] * 3
    for other, part in (
        ("x + y\nq = x", "unknown name 'q'"),  # only where nothing stands above
        ("u p_k - a g", "say in a line above what it is, 'let p_k = ...', or declare it"),
    ):
        assert part in str(parse_derivation(other, SYMBOLS)[-1].error)
    (graded,) = parse_derivation("q = x", SYMBOLS, headers=False)
    assert "unknown name 'q'" in str(graded.error)


def test_the_end_of_a_proof_is_no_formula():
    text = r"\begin{align} x &= y \qquad\blacksquare \\ x &= 2 y \quad \square \end{align}"
    assert [s.is_readable for s in parse_derivation(text, SYMBOLS)] == [True, True]
    for plain in ("x  QED", "x. ∎", "x q.e.d."):
        assert [s.value for s in parse_derivation(plain, SYMBOLS)] == [x]
    (dots,) = parse_derivation("1 + u + ... + u^k", SYMBOLS)
    assert "dots leave terms out" in str(dots.error)
    (declared,) = parse_derivation("% symbols: q real\n" + "q")
    assert declared.is_readable


CLAIM = "(a + b)^2 - (a - b)^2 = 4*a*b\n"


@each(
    ("text", "expected"),
    [
        # what stands behind a side is held against that side of the claim, and "= RHS" likewise
        (f"{CLAIM}LHS = a^2 + 2*a*b - a^2 + 2*a*b\n= 4*a*b = RHS", "given proved proved proved"),
        (f"{CLAIM}L.H.S. = 2*a*b + 2*b*a\n= RHS", "given proved proved proved"),
        (f"{CLAIM}RHS = 2*a*b + 2*a*b\nLeft-hand side = 4*b*a", "given proved proved"),
        (f"{CLAIM}LHS = 2*a*b\n= 4*a*b", "given proved refuted"),
        (f"{CLAIM}LHS = 4*a*b + b\n= RHS", "given proved refuted"),
        (CLAIM + r"$\text{LHS} = 2ab + 2ab$" + "\n" + r"$= \text{RHS}$", "given proved proved"),
        # a claim that is false stays so, and without a claim a side is only a name
        ("a + b = a - b\nLHS = b + a\n= RHS", "given refuted proved refuted"),
        ("LHS: (a + b)^2\n= a^2 + 2*a*b + b^2", "given proved"),
        ("LHS = (a + b)^2\n= RHS", "given unreadable"),
    ],
)
def test_the_sides_of_a_claim(text, expected):
    found = [line.status for line in check_derivation(text, symbols={"a, b": "real"}).lines]
    wanted = expected.split()
    assert found[: len(wanted)] == wanted, (text, found)
