"""Formulas: read right, refused in words, and never evaluated or computed for long."""

from __future__ import annotations

import math
import time

import pytest
import sympy
from cases import each
from hypothesis import given, settings
from hypothesis import strategies as st

from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.formulas import parse_formula
from convex_analyzer.parsing.grammar import FUNCTIONS, Grammar

# Python's own arithmetic on the same text is the independent answer.
PYTHON = {
    **{name: getattr(math, name) for name in FUNCTIONS if hasattr(math, name)},
    "ln": math.log,
    "abs": abs,
    "max": max,
    "min": min,
    "Max": max,
    "Min": min,
    "maximum": max,
    "minimum": min,
    "sign": lambda x: math.copysign(1.0, x),
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "pi": math.pi,
    "e": math.e,
}
PLACE = {"x": 0.3, "y": -1.7, "x1": 2.5, "x_2": 0.25}


def value(text, **place):
    formula = parse_formula(text)
    numbers = {symbol: place[str(symbol)] for symbol in formula.symbols}
    return float(formula.expression.subs(numbers).evalf(30))


@each(
    "text",
    [
        "100*(y - x**2)**2 + (1 - x)**2",
        "-x**2 - -y + +3",
        "x - y - x1 - 1",
        "2/x/y*3",
        "2**3**2/1e2",
        "x**-2 + x1**0.5",
        "1_000*x + 1.5e-3 + .5 + 7.",
        "max(x, y, 0.1) + min(x, y) + relu(y) + Max(x, y) - minimum(x, x1)",
        "sigmoid(y) + softplus(x) + tanh(x)/cosh(x) + sinh(y)",
        "sin(x)*cos(y) + tan(x) + exp(-x) + log(x) + ln(x1) + sqrt(x) + abs(y)*sign(y)",
        "asin(x) + acos(x) + atan(y) + maximum(x, y)",
        "pi*e*x",
        "(x\n + y)",
    ],
)
def test_a_formula_has_the_value_that_python_gives_it(text):
    expected = eval(text.replace("\n", " "), {"__builtins__": {}}, {**PYTHON, **PLACE})
    assert value(text, **PLACE) == pytest.approx(expected, rel=1e-13)


LEAF = st.sampled_from(["x", "y", "2", "0.5", "3"])
TEXTS = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        inner.map(lambda t: f"-{t}"),
        inner.map(lambda t: f"sin({t})"),
        inner.map(lambda t: f"({t})**2"),
    ),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(TEXTS)
def test_random_formulas_have_the_value_that_python_gives_them(text):
    expected = eval(text, {"__builtins__": {}}, {**PYTHON, **PLACE})
    assert value(text, **PLACE) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_every_function_of_the_table_is_reached():
    for name, function in FUNCTIONS.items():
        arguments = ["0.3", "0.2"][: function.least]
        expected = PYTHON[name](*map(float, arguments))
        assert value(f"{name}({', '.join(arguments)})") == pytest.approx(expected), name


def test_decimals_are_the_fractions_they_stand_for():
    assert parse_formula("0.1 + 1e-3").expression == sympy.Rational(101, 1000)


def test_variables_are_found_in_natural_order_or_declared():
    assert parse_formula("x10 + x2 + a").variables == ("a", "x2", "x10")
    assert parse_formula("x[10]*x[2]").variables == ("x[2]", "x[10]")
    assert parse_formula("x₁·x₂ − 1").variables == ("x1", "x2")
    declared = parse_formula("y", variables=["x", "y"])
    assert declared.variables == ("x", "y")
    assert parse_formula("e**2", variables="e").variables == ("e",)  # a variable beats a constant
    assert all(symbol.is_real for symbol in declared.symbols)


def test_signs_and_spaces_of_other_kinds_are_read():
    assert parse_formula("2⋅x**2\u00a0– 3∗y").expression == parse_formula("2*x**2 - 3*y").expression
    with pytest.raises(InputError, match="variables must be different, got x, x"):
        parse_formula("x", ["x", "x"])


REFUSED = {
    # text: (column from 0, words)
    "": (0, "missing"),
    "x +": (3, "not a formula"),
    "2x": (0, r"not a formula; a product is written \*"),
    "2(x + 1)": (0, r"not a function; a product is written \*"),
    "x y": (0, r"a product is written \*"),
    "|x|": (0, r"abs\(x\)"),
    "f(x) = x**2": (0, "on the right of ="),
    "lambda**2": (8, "lambda is a word of Python"),
    r"\frac{1}{2}": (1, "LaTeX"),
    "x^2": (1, r"\*\*"),
    "x²": (1, r"\*\*"),
    "(x": (1, "not closed"),
    "x)": (1, "not opened"),
    "1/0": (2, "division by zero"),
    "x + log(0)": (4, "infinite"),
    "0**-1": (0, "zero to a power"),
    "sqrt(-2)": (0, "not a real number"),
    "1e999": (0, "float64"),
    "1e-999": (0, "float64"),
    "θ + 'a'": (4, "not a number"),
    "1j": (0, "not a number"),
    "True": (0, "not a number"),
    "x < y": (0, "comparisons"),
    "x, y": (0, "point"),
    "[x]": (0, "not part"),
    "lambda: 1": (0, "not part"),
    "sinn(x)": (0, "mean sin"),
    "x(3)": (0, r"\*"),
    "sin(x, y)": (0, "takes 1"),
    "max(x)": (0, "2 to 8"),
    "sin(x=1)": (0, "plain"),
    "sin + 1": (0, r"sin\(...\)"),
    "x[y]": (0, "whole number"),
    "x[-1]": (0, "whole number"),
    "x1 + x_1": (5, "alike"),
    "_x": (0, "begin"),
    "x + np.sin(x)": (4, r"sin\(x\)"),
    "x.__class__.__bases__": (0, "not part"),
    "__import__('os').system('true')": (0, "not"),
    "open('/etc/passwd')": (0, "not a function"),
    "(lambda f: f(f))(lambda f: f(f))": (1, "not part"),
    "x\0": (0, "not"),
}


@each("text", REFUSED)
def test_what_is_no_formula_is_refused_with_its_place(text):
    column, words = REFUSED[text]
    with pytest.raises(ParseError, match=words) as caught:
        parse_formula(text)
    assert caught.value.column == column
    assert caught.value.caret.endswith("^")


HOSTILE = [
    "9**9**9**9",
    "10**10**10",
    "x**10**10",
    "2**(2**(2**(2**(2**2))))",
    "1.5**1e9",
    "exp(exp(exp(exp(1000))))**2",
    "Max(exp(exp(exp(1000))), 2)",
    "(((10**300)**1)*10**300)*10**300",
    "(" * 5000 + "x" + ")" * 5000,
    "-" * 9000 + "x",
    "+".join(["x"] * 5000),
    "x" * 20_000,
    "sin(" * 39 + "x" + ")" * 40,
    "[" * 3000,
    "9" * 5000,
]


@each("text", HOSTILE, ids=lambda text: text[:12])
def test_hostile_text_is_refused_at_once(text):
    begin = time.process_time()
    with pytest.raises(ParseError):
        parse_formula(text)
    assert time.process_time() - begin < 5  # in fact milliseconds; a tower of powers takes ages


def test_declared_names_and_kinds_are_checked():
    with pytest.raises(ParseError, match="did you mean width"):
        parse_formula("widht", variables=["width", "height"])
    with pytest.raises(ParseError, match="variables are x"):
        parse_formula("q", variables=["x"])
    with pytest.raises(InputError, match="must be text, got int"):
        parse_formula(3)
    with pytest.raises(ParseError, match="2 characters"):
        parse_formula("x+y", grammar=Grammar(longest=2))
