"""Declared names: spellings, kinds, constraints, letters of other sources."""

from __future__ import annotations

import pytest
import sympy as sp

from convex_analyzer.derivations.derivation import check_derivation
from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.names import fold
from convex_analyzer.parsing.notations import SOURCES, readable_in
from convex_analyzer.parsing.symbols import Symbols

SPELLINGS = [
    ("lambda_max", ("λmax", "λ_max", "λ_{max}", r"\lambda_{\max}", r"\lambda_{\text{max}}")),
    ("alpha", ("α", r"\alpha", "𝛼")),
    ("epsilon", ("ε", "ϵ", r"\epsilon", r"\varepsilon")),
    ("x_1", ("x1", "x₁", r"x_{1}", r"\mathbf{x}_1", r"\mathrm{x}_{1}")),
    (
        "theta*",
        ("theta_star", "θ*", "θ⋆", r"\theta^*", r"\theta^{*}", r"\theta^\star", r"\theta_*"),
    ),
    ("m_hat_t", ("m̂_t", r"\hat{m}_t", r"\hat m_t", r"\widehat{m}_{t}", "mhat_t")),
    ("theta_{k+1}", ("θₖ₊₁", r"\theta_{k+1}", r"\theta_{ k + 1 }")),
    ("x'", ("x′", r"x^{\prime}")),
]


@pytest.mark.parametrize(("name", "spellings"), SPELLINGS)
def test_spellings_of_one_name(name, spellings):
    symbols = Symbols.of({name: "positive"})
    for spelling in spellings:
        plain = spelling.replace("𝛼", "α")  # a letter from a PDF file is plain to the reader
        assert fold(plain) == fold(name), spelling
        read = read_expression(spelling, symbols, latex="\\" in spelling)
        assert read.value == symbols[name], spelling


def test_kinds_become_assumptions():
    symbols = Symbols.of(
        {
            "a": "positive", "x": "real", "g": "nonzero", "k": "natural", "S": "positive integer",
            "mu": "unit interval", "nu": "in [0, 1]", "c": "real, 0 < c, c < 1",
            "d": "real, d >= 0", "A": "symmetric", "t": "vector", "I": "identity",
        },
        ["a <= S"],
    )  # fmt: skip
    n = sp.Symbol("n", integer=True, positive=True)
    assert symbols["a"] == sp.Symbol("a", positive=True)
    assert symbols["g"].is_nonzero
    assert symbols["k"].is_integer
    assert symbols["k"].is_nonnegative
    assert symbols["c"].is_positive
    assert symbols["d"].is_nonnegative
    assert symbols["A"] == sp.MatrixSymbol("A", n, n)
    assert symbols["t"] == sp.MatrixSymbol("t", n, 1)
    assert symbols["I"] == sp.Identity(n)
    assert set(map(str, symbols.constraints)) == {"mu < 1", "nu <= 1", "c < 1", "a <= S"}
    assert [d.is_matrix for d in symbols if d.name in "At"] == [True, False]


def test_declarations_as_people_write_them():
    symbols = Symbols().parse(
        "A symmetric 2..4, α > 0, k natural, 0 < mu < 1; x, y ∈ ℝ; m, L > 0; m <= L; s: vector"
    )
    kinds = {d.name: d.kind for d in symbols}
    assert kinds == {
        "A": "symmetric matrix", "alpha": "positive", "k": "natural", "mu": "positive", "x": "real",
        "y": "real", "m": "positive", "L": "positive", "s": "vector",
    }  # fmt: skip
    assert set(map(str, symbols.constraints)) == {"mu < 1", "m <= L"}


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ({"x": "purple"}, "cannot be 'purple'; known are"),
        ({"x": "real", "x_": "real"}, "is not a name"),
        ({"x1": "real", "x_1": "real"}, "declared twice"),
        ({"α": "real", "alpha": "positive"}, "declared twice"),
        ({"2x": "real"}, "is not a name"),
        ({"__class__": "real"}, "is not a name"),
        ({"x": "real, x"}, "cannot be"),
        ({"x": "real, x < q"}, "unknown name 'q'"),
    ],
)
def test_declarations_that_are_refused(table, part):
    with pytest.raises(InputError) as caught:
        Symbols.of(table)
    assert part in str(caught.value)


def test_letters_of_another_source_are_offered_then_read():
    symbols = Symbols.of({"alpha, lambda": "positive", "mu": "unit interval", "x, y": "real"})
    alpha, lam, mu, x, y = (symbols[name] for name in ("alpha", "lambda", "mu", "x", "y"))
    answer = "(1 + α - ελ)*x - α*y"  # heavy ball as lecture 004 writes it
    assert symbols.mapping("lecture004") == {"ε": "α", "α": "μ"}
    with pytest.raises(ParseError) as caught:
        read_expression(answer, symbols)
    assert "in the letters of lecture004 (ε is α, α is μ) it is known" in str(caught.value)
    assert readable_in(symbols, ["ε", "x"]) == ("lecture004",)
    assert readable_in(symbols, ["q"]) == ()
    theirs = symbols.in_notation("lecture 4")
    value = read_expression(answer, theirs).value
    assert sp.expand(value.doit()) == sp.expand((1 + mu - alpha * lam) * x - mu * y)
    latex = read_expression(r"(1+\alpha-\epsilon\lambda)x - \alpha y", theirs).value
    assert latex.doit() == value.doit()
    with pytest.raises(InputError, match="known are"):
        symbols.in_notation("lecture 9")
    assert {"lecture000", "lecture004", "torch"} <= set(SOURCES)


def test_a_star_may_be_a_sign_or_part_of_a_name():
    symbols = Symbols.of({"theta, theta*, x": "real"})
    theta, star, x = (symbols[name] for name in ("theta", "theta*", "x"))
    for text, value in (
        ("theta*x", theta * x), ("theta * x", theta * x), ("(theta*)x", star * x),
        ("theta* - theta", star - theta), ("x/theta*", x / star), ("theta**2", theta**2),
        ("θ*²", star**2), ("theta_star*x", star * x), ("θ⋆ x", star * x),
    ):  # fmt: skip
        assert read_expression(text, symbols).value.doit() == value, text
    for text in ("theta* x", "theta*-x"):
        with pytest.raises(ParseError, match="two ways"):
            read_expression(text, symbols)


def test_aliases_are_spellings_too():
    symbols = Symbols.of({"a": "positive"}, aliases={"a": ["alpha", "η"]})
    assert {symbols.find(s).name for s in ("a", "α", r"\alpha", "eta")} == {"a"}
    assert symbols.mapping("lecture004") == {"ε": "a"}
    with pytest.raises(InputError, match="declared twice"):
        Symbols.of({"a": "positive", "alpha": "real"}, aliases={"a": ["α"]})


def test_a_source_that_counts_the_other_way_round():
    symbols = Symbols.of({"gamma": "unit interval", "g": "real"})
    theirs = symbols.in_notation("lecture001")
    value = read_expression("γ*g", theirs).value.doit()
    assert sp.expand(value - (1 - symbols["gamma"]) * symbols["g"]) == 0


def test_words_of_a_declaration_are_no_names():
    for text, kind, constraint in (
        (r"\mu in (0,1)", "positive", "mu < 1"), ("let mu > 0", "positive", ""),
        ("mu between 0 and 1", "positive", "mu < 1"), ("mu integer >= 0", "natural", ""),
        ("mu > 0 integer", "positive integer", ""), ("mu > 0 constant", "positive", ""),
        ("mu real and positive", "positive", ""), (r"mu \in \mathbb{N}_0", "natural", ""),
    ):  # fmt: skip
        symbols = Symbols().parse(text)
        found = [(d.name, d.kind) for d in symbols], " ".join(map(str, symbols.constraints))
        assert found == ([("mu", kind)], constraint), text
    with pytest.raises(InputError, match="the word 'real' would become a name"):
        Symbols().parse("x > y real z")


def test_a_name_may_be_said_twice_alike_and_not_differently():
    symbols = Symbols.of({"mu": "unit interval", "x": "real"})
    assert symbols.declare({"mu": "real", "x": "real", "y": "real"}).names == ("mu", "x", "y")
    assert symbols.parse("mu in (0, 1); x real").names == ("mu", "x")
    with pytest.raises(InputError, match=r"'mu' is declared twice \(as positive and as negative\)"):
        Symbols.of({"mu": "positive"}).declare({"mu": "negative"})
    with pytest.raises(InputError, match="declared twice"):
        symbols.declare({"x": "positive"})  # would change what was read
    checked = check_derivation("x - a*x + k\n(1 - a)*x + k")
    assert checked.undeclared == "x, a real; k natural"
    assert checked.undeclared in checked.summary().notes[-1]
    assert not check_derivation("x\nx", symbols="x real").undeclared
