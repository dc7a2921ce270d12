"""MathML: read from the Typst math of the printed page, held against the LaTeX beside it.

LaTeX comes from another printer (SymPy's own, with our names), so letters, words and numbers of
both must be the same, whatever the shape of the formula.
"""

import re
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
import sympy as sp
from cases import each

import convex_analyzer as ca
from convex_analyzer.comparison.exhibit import example_of
from convex_analyzer.derivations.derive import derive
from convex_analyzer.derivations.exercises import exercise, exercise_names
from convex_analyzer.derivations.rule import write_rule
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers import registered
from convex_analyzer.parsing.math_style import GREEK
from convex_analyzer.reporting import document as d
from convex_analyzer.reporting.derivation_page import derivation_blocks, derivation_lines
from convex_analyzer.reporting.mathml import formula_mathml, to_mathml
from convex_analyzer.reporting.rule_math import rule_block
from convex_analyzer.reporting.typst_math import math_block, math_span
from convex_analyzer.reporting.typst_reader import read_typst
from convex_analyzer.reporting.worksheet import worksheet_document

LEAVES = ("mi", "mn", "mo", "mtext", "mspace")


def brief(element):
    """An element as tag(children); a leaf as its text, behind its attributes."""
    marks = "".join(f"{value}:" for value in element.attrib.values())
    if element.tag in LEAVES:
        return marks + (element.text or "space")
    inside = " ".join(map(brief, element))
    return f"{element.tag.removeprefix('m')}({marks}{inside})"


# -- the reader ------------------------------------------------------------------------------------


@each(
    ("typst", "shown"),
    [
        ("12.5", "12.5"),
        ("Gamma", "normal:Γ"),
        ('"ab c"', "ab\u00a0c"),
        ('"a<b"', "a<b"),
        ('"x"', "normal:x"),
        ("-x", "row(prefix:− x)"),
        ("x - y", "row(x − y)"),
        ("a = -b", "row(a = prefix:− b)"),
        ("a, -b", "row(a , prefix:− b)"),
        ("not a", "row(prefix:¬ a)"),
        ("x_(1)", "sub(x 1)"),
        ("x'", "sup(x ′)"),
        ("x^(a + b)_(k)", "subsup(x k row(a + b))"),
        ("(a)^(2)", "sup(row(( a )) 2)"),
        ("(a)/2 b", "row(frac(a 2) b)"),
        ("a slash b", "row(a 0:0:/ b)"),
        ("root(3, x)", "root(x 3)"),
        ("sqrt(2 x)", "sqrt(row(2 x))"),
        ("abs(x)", "row(| x |)"),
        ("norm(x)", "row(‖ x ‖)"),
        ("ceil(x)", "row(⌈ x ⌉)"),
        ("hat(x)", "over(true:x false:ˆ)"),
        ("overline(x)", "over(true:x true:¯)"),
        ("upright(i)", "normal:i"),
        ("binom(n, k)", "row(( frac(0:n k) ))"),
        ("2 ln (x)", "row(2 0.167em:space ln row(( x )))"),
        ("ln x", "row(ln 0.167em:space x)"),
        ("x dif x", "row(x 0.167em:space normal:d x)"),
        ("a quad b", "row(a 1em:space b)"),
        ('"if" x', "row(if 0.25em:space x)"),
        ('op("sgn") (x)', "row(sgn row(( x )))"),
        ("sum_(k)^(n)", "underover(∑ k n)"),
        ("lim_(k)", "under(true:0:0:lim k)"),
        ("max^(k)", "over(true:0:0:max k)"),
        ("integral_(0)", "sub(∫ 0)"),
        ("k!", "row(k 0:0:!)"),
        ("A^(top)", "sup(A normal:⊤)"),
        (r"lr(\[ 0 comma 1 \))", "row([ row(0 , 1) ))"),
        ("{ x mid(|) y }", "row({ row(x 0.278em:0.278em:| y) })"),
        (
            'mat(delim: "|", 1, 2; 3, 4)',
            "row(| table(tr(td(1) td(2)) tr(td(3) td(4))) |)",
        ),
        ("mat(1)", "row(( table(tr(td(1))) ))"),
        ("cases(x & y)", "row({ table(tr(td(text-align:left:x) td(text-align:left:y))))"),
        ("cases(x, y)", "row({ table(tr(td(text-align:left:x)) tr(td(text-align:left:y))))"),
        (r"a \ b", "table(true:tr(td(a)) tr(td(b)))"),
        ("a & b", "table(true:tr(td(text-align:right:a) td(text-align:left:b)))"),
    ],
    ids=map(str, range(45)),
)
def test_forms(typst, shown):
    assert brief(ET.fromstring(read_typst(typst))) == shown


@each(
    ("typst", "says"),
    [
        ("foo", "'foo' is no name"),
        ("foo(x)", "'foo' is no function"),
        ("hat x", "'hat' is no name"),
        ("(x", r"'\)' is missing"),
        ("x)", r"'\)' closes nothing"),
        ("x_", "ends too early"),
        ("x_(1)_(2)", "two scripts '_'"),
        ("x''", 'two scripts "\'"'),
        ("frac(1)", "frac takes 2, got 1"),
        ("sqrt(1, 2)", "sqrt takes 1, got 2"),
        ("lr(0)", "lr takes two brackets"),
        ("mat(delim)", "':' is missing"),
    ],
    ids=map(str, range(12)),
)
def test_what_is_not_known_is_an_error(typst, says):
    with pytest.raises(InputError, match=says):
        read_typst(typst)


def test_a_formula_carries_its_latex_and_its_words():
    x = sp.Symbol("x")
    span, block = math_span(1 / x < 2), math_block(1 / x < 2)
    made = ET.fromstring(formula_mathml(block))
    assert made.attrib == {"display": "block", "alttext": "1/x < 2"}
    assert [child.tag for child in made[0]] == ["mrow", "annotation"]
    assert made[0][1].text == block.latex == r"\frac{1}{x} < 2"
    assert made[0][1].attrib == {"encoding": "application/x-tex"}
    assert to_mathml(1 / x < 2) == formula_mathml(block)
    assert formula_mathml(span).startswith('<math alttext="1/x &lt; 2">')


# -- every formula of every document ---------------------------------------------------------------


def formulas(value):
    """Every formula inside of a block or a document."""
    if isinstance(value, d.Math | d.MathSpan):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from formulas(item)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from formulas(getattr(value, name))


WORDS = {"sign": "sgn", "for": "if", "True": "true", "R": "ℝ"}
COMMANDS = GREEK | {name: name for name in ("sin", "cos", "ln", "exp", "det", "max", "min")}
TEX = re.compile(
    r"\\(?:mathrm|text|operatorname)\{((?:[^{}\\]|\\.)*)\}|\\([A-Za-z]+)|([A-Za-z]|[α-ω])"
    r"|(\d+(?:\.\d+)?)"
)


def tokens_of_latex(latex):
    """Letters, words, and numbers but 1, which fractions need in one notation only."""
    found = []
    text = re.sub(r"\\(?:begin|end)\{\w+\}|\^\{T\}", "", latex).replace(r"\\", " ")
    for quoted, command, letter, number in TEX.findall(text):
        words = re.findall(r"\w+", quoted.replace(r"\_", "_"))
        found += [WORDS.get(word, word) for word in words]
        found += [COMMANDS[command]] if command in COMMANDS else []
        found += [letter] if letter else []
        found += [number] if number and number != "1" else []
    return Counter(found)


def tokens_of_mathml(root):
    found = []
    for element in root[0][0].iter():
        if element.tag in ("mi", "mn", "mtext") or (element.text or "").isalpha():
            found += re.findall(r"\d+\.\d+|\w+", element.text)
    return Counter(token for token in found if token not in "1ˆ")


def check(formula):
    root = ET.fromstring(formula_mathml(formula))
    shown, meant = tokens_of_mathml(root), tokens_of_latex(formula.latex)
    if r"\left|{\begin" in formula.latex:
        meant["det"] += 1  # bars there, a name here
    if r"\wedge" in formula.latex and "∧" not in "".join(root[0][0].itertext()):
        shown, meant = Counter(set(shown)), Counter(set(meant))  # 0 < x ∧ x < 2 as 0 < x < 2
    assert shown == meant, formula.typst


@pytest.mark.survey
def test_every_formula_that_the_package_prints_can_be_shown():
    printed = []
    for rule in registered().values():
        try:
            printed.append(rule_block(write_rule(example_of(rule))))
        except NotDerivableError:
            continue
    rules = len(printed)
    compared = list(formulas(derivation_blocks(ca.compare(ca.gallery.toy()))))
    own = list(formulas(derivation_lines(derive("terminal_velocity", "HeavyBall"))))
    tasks = [exercise(name) for name in exercise_names()]
    sheets = [worksheet_document(tasks)]
    printed += compared + own + list(formulas(sheets))
    assert rules > 40
    assert len(compared) > 20
    assert len(own) > 1
    assert len(printed) > rules + len(compared) + len(tasks)
    for formula in printed:
        check(formula)
