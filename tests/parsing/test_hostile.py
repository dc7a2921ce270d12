"""Hostile text: refused quickly, before SymPy sees anything; nothing is executed."""

from __future__ import annotations

import builtins
import contextlib
import random

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_parser import ESCAPES
from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.derivation_text import parse_derivation, read_derivation
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols

SYMBOLS = Symbols.of({"a, x, y, alpha": "positive", "k": "natural", "A": "spd", "g": "vector"})
HOSTILE = [  # text, part of the sentence
    ("__import__('os').system('true')", "does not begin with _"),
    ("x.__class__", "only .T is read after a dot"),
    ("().__class__.__base__", "only .T is read after a dot"),
    ("lambda x: x", "a colon does not belong"),
    ("f'{x}'", "a prime belongs to a declared name"),
    ('eval("1")', "quotation marks"),
    ("open(x)", "unknown name 'open'"),
    ("a__b", "a name does not contain __"),
    ("import os", "unknown name 'import'"),
    ("x if x else y", "unknown name 'if'"),
    ("[x for x in y]", "an interval is missing"),
    ("9**9**9**9", "this power is too large"),
    (r"9^{9^{9^{9}}}", "this power is too large"),
    ("x**99999", "a power beyond 1000"),
    ("((x**100)**100)**100", "a power beyond 1000"),
    ("x**(y**(x**(y**x)))", "a tower of powers"),
    ("exp(exp(exp(exp(x))))", "a tower of powers"),
    ("1e999", "this number is too long"),
    ("9" * 100, "this number is too long"),
    ("Sum(k, (k, 0, 10**30))", "a bound of a sum is at most 10000"),
    ("1/(2 - 2)", "division by zero"),
    ("(" * 100 + "x" + ")" * 100, "nested more than 40 levels"),
    ("-" * 500 + "x", "nested more than 40 levels"),
    (r"\sqrt{" * 100 + "x" + "}" * 100, "nested more than 40 levels"),
    ("x + " * 2000 + "x", "longer than 4000 characters"),
    ("x+" * 1000 + "x", "more than 800 signs"),
    ("а + x", "U+0430, cyrillic small letter a; it only looks like"),
    ("x + у", "cyrillic small letter u"),
    ("ａ + x", "fullwidth latin small letter a"),
    ("x\u200b + y", "an invisible character (U+200B, zero width space); delete it"),
    ("\u202ex + y", "right-to-left override"),
    ("x\x00", "an invisible character (U+0000"),
    ("x\x1b[31m", "an invisible character (U+001B"),
    (r"\input{/etc/passwd}", "macros are not run"),
    (r"\write18{id}", "macros are not run"),
    (r"\def\x{\x}\x", "macros are not run"),
    ("x" * 100, "at most 60 characters"),
]


@pytest.mark.parametrize(("text", "part"), HOSTILE)
def test_refused_in_one_sentence(text, part, monkeypatch):
    for name in ("sympify", "parse_expr"):
        monkeypatch.setattr(sp, name, None, raising=False)
    with pytest.raises(ParseError) as caught:
        read_expression(text, SYMBOLS)
    message = str(caught.value)
    assert part in message
    assert "\n" not in message
    assert len(message) < 300
    assert 0 <= caught.value.column <= len(text)


def test_what_is_shown_again_has_no_control_characters():
    first, second = parse_derivation("x  # \x1b[2J\u202e\nx\x1b[31m + y", SYMBOLS)
    shown = [first.reason, second.text, second.error.caret, str(second.error)]
    assert not any(letter in text for text in shown for letter in "\x1b\u202e")
    assert second.error.caret.splitlines()[1].index("^") == 1


def test_megabytes_are_refused_at_once():
    for text in ("(" * 10**7, "x + " * 10**6, "a" * 10**7):
        with pytest.raises(InputError, match=r"longer than|at most"):
            read_expression(text, SYMBOLS)
        with pytest.raises(InputError, match="at most 40000 characters"):
            parse_derivation(text, SYMBOLS)


pieces = st.sampled_from(
    ["x", "y", "a", "α", "A", "g", "2", "1/2", "k", "+", "-", "*", "/", "^", "**", "(", ")", "{",
     "}", "[", "]", "|", "||", ",", "=", "<", "=>", " ", "\n", ".T", "²", "ᵀ", "sqrt(", "Sum(",
     "Matrix([[", "_", "_1", "'", "let ", "__", ".", r"\frac", r"\sqrt", r"\alpha", r"\left(",
     r"\right)", r"\|", r"\sum_{i=0}^{k}", r"\log", r"\\", "&", r"\begin{align}", r"\end{align}",
     r"\begin{pmatrix}", r"\end{pmatrix}", r"\text{since}", "$", "%", "а", "\u200b", "import"]
)  # fmt: skip

# also some that no formula has, seen and unseen; all that UTF-8 can write takes seconds to list
LETTERS = (
    "xyaAgkeiα_12.,+-*/^=<>!()[]{}|\\&$%#@~`'\":;? \n\r\t"
    "\0\x1b\x7f\x85é²½ᵀ×λа漢\u200b\u202e\u2028\uffff😀"
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.lists(pieces, max_size=25).map("".join), st.text(LETTERS, max_size=40)))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ParseError):
        value = read_expression(text, SYMBOLS).value
        names = {str(s) for s in value.free_symbols}
        assert names <= {"a", "x", "y", "alpha", "k", "A", "g", "n", "i"}
    derivation = read_derivation(text, SYMBOLS)
    for statement in derivation.statements:
        assert statement.is_readable == (statement.value is not None)
        if statement.is_readable and not derivation.symbols.definitions:
            again = read_expression(statement.text, SYMBOLS, latex=statement.latex).value
            same = again == statement.value or statement.value.has(sp.Trace, sp.ZeroMatrix)
            assert same, (statement.text, again, statement.value)
        line = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[statement.line - 1]
        assert statement.column <= len(line)


def formula(rng, depth):
    """Return a random expression, built with SymPy's own operators."""
    letters = [SYMBOLS[name] for name in ("a", "x", "y", "alpha")]
    if depth == 0:
        number = sp.Rational(rng.randint(1, 9), rng.randint(1, 7))
        return rng.choice([*letters, *letters, number])
    left, right = formula(rng, depth - 1), formula(rng, depth - 1)
    k = SYMBOLS["k"]
    match rng.randrange(8):
        case 0 | 1:
            return left + right
        case 2:
            return left - right
        case 3 | 4:
            return left * right
        case 5:
            return left / right if right != 0 else left
        case 6:
            return left ** rng.choice([2, -1, k, k + 1, 2 * k, sp.Rational(1, 3)])
    return rng.choice([sp.sqrt, sp.Abs, sp.exp, sp.log])(left + letters[0])


def test_what_sympy_prints_is_read_back():
    """SymPy's printers are an independent writer: what they write has the value they were given."""
    rng, tried, refused = random.Random(3), 0, []
    point = {SYMBOLS["a"]: sp.Rational(5, 7), SYMBOLS["x"]: sp.Rational(3, 2), SYMBOLS["k"]: 2,
             SYMBOLS["y"]: sp.Rational(11, 5), SYMBOLS["alpha"]: sp.Rational(2, 9)}  # fmt: skip
    for _ in range(60):
        expression = formula(rng, 3)
        if expression.has(sp.nan, sp.zoo, sp.I):
            continue
        for text in (str(expression), sp.latex(expression), sp.latex(expression, mul_symbol="dot")):
            tried += 1
            try:
                value = read_expression(text, SYMBOLS, latex=text != str(expression)).value
            except ParseError as error:
                refused.append(str(error))
                continue
            if value.doit() != expression:
                assert abs((value - expression).subs(point).evalf(20)) < 1e-12, text
    assert tried > 150
    assert len(refused) <= 0.03 * tried
    assert all("two ways" in sentence for sentence in refused)


def test_known_escapes_execute_nothing(monkeypatch):
    """``python -m benchmarks.fuzz_parser`` runs 10,000 texts under an audit hook; here the list."""
    read_expression("x", SYMBOLS)  # what SymPy loads at first use

    def forbidden(*arguments, **options):
        raise AssertionError(arguments, options)

    ends = []
    with monkeypatch.context() as patched:
        for name in ("eval", "exec", "compile", "open", "input", "print", "breakpoint"):
            patched.setattr(builtins, name, forbidden)
        for text in ESCAPES:
            for read in (read_expression, parse_derivation):
                try:
                    read(text, SYMBOLS)
                    ends.append("read")
                except InputError:
                    ends.append("refused")
    assert len(ends) == 2 * len(ESCAPES)
    assert ends.count("refused") > 0.9 * len(ESCAPES)
