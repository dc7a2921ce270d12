"""Whole derivations: lines, pasted blocks, chains, reasons, definitions, Markdown files."""

from __future__ import annotations

import pytest
import sympy as sp

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.derivation_text import (
    derivation_blocks,
    parse_derivation,
    read_derivation,
)
from convex_analyzer.parsing.statements import Unreadable
from convex_analyzer.parsing.symbols import Symbols

SYMBOLS = Symbols.of(
    {
        "alpha, lambda, a, l": "positive", "mu": "unit interval", "k": "natural",
        "x, y, x_k, x_{k+1}": "real", "A": "symmetric matrix", "theta, theta_{k+1}": "vector",
    }
)  # fmt: skip
a, ell, x, y, k = (SYMBOLS[name] for name in ("a", "l", "x", "y", "k"))
alpha, lam = SYMBOLS["alpha"], SYMBOLS["lambda"]
A, theta = SYMBOLS["A"], SYMBOLS["theta"]


def seen(text, symbols=SYMBOLS):
    return [
        (s.line, s.column, s.relation, None if s.value is None else s.value.doit())
        for s in parse_derivation(text, symbols)
    ]


def test_lines_of_plain_text():
    text = """
x - a*l*x            # the update rule

2.  (1 - a*l) x      -- factored
= x*(1 - l*a)  (because scalars commute)
"""
    first, second, third = parse_derivation(text, SYMBOLS)
    assert [s.line for s in (first, second, third)] == [2, 4, 5]
    assert [s.column for s in (first, second, third)] == [0, 4, 2]
    assert [s.reason for s in (first, second, third)] == [
        "the update rule", "factored", "because scalars commute",
    ]  # fmt: skip
    assert (third.relation, third.left) == ("=", second.value)
    assert third.text == "x*(1 - l*a)"
    assert sp.expand(first.value.doit() - third.value.doit()) == 0


def test_a_block_pasted_from_a_tex_file():
    text = r"""
\begin{align*}          % from the appendix
  \theta_{k+1} &= \theta - \alpha A \theta \label{eq:step} \\[4pt]
               &= (I - \alpha A)\theta, && \text{(factored)} \tag{2} \\*
  \begin{pmatrix} x & y \\ 0 & 1 \end{pmatrix} &= A \nonumber \\
  0 < \alpha\lambda < 2 &\Rightarrow \alpha < 2/\lambda \quad\text{since } \lambda > 0.
\end{align*}
"""
    one, two, three, four, five = parse_derivation(text, SYMBOLS)
    n = sp.Symbol("n", integer=True, positive=True)
    assert one.value.rhs.doit() == (theta - alpha * A * theta).doit()
    assert (two.relation, two.left, two.reason) == ("=", one.value.rhs, "factored")
    assert two.value.doit() == (sp.Identity(n) - alpha * A) * theta
    assert isinstance(three, Unreadable)
    assert "different shapes: 2x2 and nxn" in str(three.error)
    assert four.value.doit() == (alpha * lam < 2)  # that alpha*lambda > 0 is assumed
    assert (five.relation, five.reason) == ("=>", r"since \lambda > 0")
    assert five.value.doit() == (alpha < 2 / lam)
    assert [s.line for s in (one, two, three, four, five)] == [3, 4, 5, 6, 6]
    line = text.splitlines()[5]
    assert [four.column, five.column] == [line.index("0 <"), line.index(r"\alpha < 2")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [  # line, column, relation, value
        ("x = 2*y", [(1, 0, None, sp.Eq(x, 2 * y))]),
        ("x = 2y = y + y", [(1, 0, None, sp.Eq(x, 2 * y)), (1, 9, "=", 2 * y)]),
        (
            "x + y = y + x = 0 + x + y",
            [(1, 0, None, x + y), (1, 8, "=", x + y), (1, 16, "=", x + y)],
        ),
        ("x + y\n  = y + x\n  <= 3", [(1, 0, None, x + y), (2, 4, "=", x + y), (3, 5, "<=", 3)]),
        ("x*y <= 1\n< 2", [(1, 0, None, x * y), (1, 7, "<=", 1), (2, 2, "<", 2)]),
        ("-1 < x < 1", [(1, 0, None, sp.And(x > -1, x < 1))]),
        ("x < 1 => x < 2", [(1, 0, None, x < 1), (1, 9, "=>", x < 2)]),
        ("x < 1\n<=> 2x < 2", [(1, 0, None, x < 1), (2, 4, "<=>", 2 * x < 2)]),
        ("x < 1\nhence x < 2", [(1, 0, None, x < 1), (2, 6, "=>", x < 2)]),
        ("We start from\nx < 1,\nhence:\nx < 2", [(2, 0, None, x < 1), (4, 0, "=>", x < 2)]),
        ("$x < 1$, so $x < 2$", [(1, 1, None, x < 1), (1, 13, "=>", x < 2)]),
        (r"\[ x < 1 \implies x < 2. \]", [(1, 3, None, x < 1), (1, 18, "=>", x < 2)]),
        (r"\text{Therefore } x < \alpha", [(1, 18, "=>", x < alpha)]),
        ("x\n\n\n# a remark alone\n= x;", [(1, 0, None, x), (5, 2, "=", x)]),
        ("- x\n(2) x\n3. x", [(1, 0, None, -x), (2, 0, None, 2 * x), (3, 3, None, x)]),
        (  # rows of a block without its first and last line
            "x y &= a \\\\\n &= a + y - y \\\\\n\nx",
            [(1, 0, None, x * y), (1, 7, "=", a), (2, 4, "=", a), (4, 0, None, x)],
        ),
    ],
)
def test_chains_and_arrows(text, expected):
    got = seen(text)
    assert [g[:3] for g in got] == [e[:3] for e in expected]
    assert [canonical(g[3]) for g in got] == [canonical(e[3]) for e in expected]


BLOCKS = [  # body, values
    (r"x &= a & y &= \alpha", [sp.And(sp.Eq(x, a), sp.Eq(y, alpha))]),
    (r"x &= a && \text{given} \\ y &= 2", [sp.Eq(x, a), sp.Eq(y, 2)]),
    (r"x &= a + \\ &\quad y", [sp.Eq(x, a + y)]),
    (r"x &= a \\ &\quad + y \\ &\quad - 1", [sp.Eq(x, a + y - 1)]),
    (r"x &= a \\ - y &= 2", [sp.Eq(x, a), sp.Eq(-y, 2)]),
    (r"x &= a - \\ &- y", [None]),  # one minus, repeated at the break, or two?
    (r"x \quad y &= 1", [None]),
    (r"x &= a, \quad y > 1", [sp.And(sp.Eq(x, a), y > 1)]),
]


@pytest.mark.parametrize(("body", "values"), BLOCKS)
def test_rows_of_a_block(body, values):
    statements = parse_derivation(rf"\begin{{align}} {body} \end{{align}}", SYMBOLS)
    got = [None if s.value is None else s.value.doit() for s in statements]
    assert [canonical(v) for v in got] == [canonical(v) for v in values]


def test_eqnarray_has_two_marks_a_row():
    text = r"\begin{eqnarray*} x &=& a \\ &\le& a + 1 \end{eqnarray*}"
    assert [s[2:] for s in seen(text)] == [(None, sp.Eq(x, a)), ("<=", a + 1)]


def test_an_index_that_may_be_a_sum_is_asked_about():
    (statement,) = parse_derivation("x_k+1 = x", SYMBOLS)
    assert "write x_{k+1} or x_k + ..." in str(statement.error)
    (statement,) = parse_derivation("x_k + 1", SYMBOLS)
    assert statement.value.doit() == SYMBOLS["x_k"] + 1


def test_an_answer_that_is_graded_declares_nothing():
    first, second = parse_derivation("given: a = 0\nx + a", SYMBOLS, headers=False)
    assert not first.is_readable
    assert second.value == x + a


def canonical(value):
    if isinstance(value, sp.And):
        return {canonical(part) for part in value.args}
    if getattr(value, "rel_op", "") in {">", ">="}:
        return value.reversed
    return value


def test_definitions_are_read_in_place():
    text = "let u = a*l and v = u^2\n(1 - u)x + v\n" + r"w := 2\alpha" + "\n2*w\nlet x = 3"
    derivation = read_derivation(text, SYMBOLS)
    first, second, third = derivation.statements
    assert first.value.doit() == ((1 - a * ell) * x + (a * ell) ** 2).doit()
    assert second.value.doit() == 4 * alpha
    assert isinstance(third, Unreadable)
    assert "x is declared already" in str(third.error)
    assert [name for name, _ in derivation.symbols.definitions] == ["u", "v", "w"]
    assert not derivation.is_readable


def test_what_cannot_be_read_leaves_the_rest():
    text = "x + y\nx + q*y\n(x + y\n= y + x\n1/2x"
    good, bad, open_, after, unclear = parse_derivation(text, SYMBOLS)
    assert good.is_readable
    assert [s.is_readable for s in (bad, open_, after, unclear)] == [False, False, True, False]
    assert bad.error.caret == "x + q*y\n    ^"
    assert str(bad.error).startswith("line 2, column 5: unknown name 'q'")
    assert open_.error.column == 6
    assert (after.relation, after.left) == ("=", None)  # what it continues is not known
    assert unclear.error.caret == "1/2x\n ^"


def test_a_condition_is_remarked():
    (statement,) = parse_derivation("a < 2/l if l > 0", SYMBOLS)
    assert statement.reason == "if l > 0"
    assert statement.notes == ("'if l > 0' is taken as a reason, not as a condition",)


def test_a_chain_needs_something_to_continue():
    (statement,) = parse_derivation("= x", SYMBOLS)
    assert "no line stands above" in str(statement.error)
    assert parse_derivation("\n  \n# nothing\n", SYMBOLS) == ()


def test_headers_and_markdown_files():
    file = """# My notes
```derivation
symbols: s real; u > 0
given: s^2 < 4u
sqrt((s/2)**2 + (4*u - s**2)/4)
sqrt(u)
```
text, and `x = 1`, and
```python
import os
```
~~~derivation
x + x
2x
~~~
"""
    first, second = derivation_blocks(file, SYMBOLS)
    assert [s.line for s in first.statements] == [5, 6]
    assert str(first.symbols.constraints[-1]) == "s**2 < 4*u"
    assert [s.line for s in second.statements] == [13, 14]
    assert second.statements[1].value.doit() == 2 * x
    assert first.symbols["u"].is_positive


def test_letters_of_another_source_in_a_header():
    (statement,) = parse_derivation("notation: lecture004\nx - ε l x", SYMBOLS)
    assert sp.expand(statement.value.doit() - (x - alpha * ell * x)) == 0


def test_too_long():
    with pytest.raises(InputError, match="at most 40000 characters"):
        parse_derivation("x\n" * 30_000, SYMBOLS)
    with pytest.raises(InputError, match="at most 200 lines"):
        parse_derivation("x\n" * 300, SYMBOLS)
    with pytest.raises(InputError, match="must be text"):
        parse_derivation(None, SYMBOLS)
