"""What is refused: the sentence, what to do, and the place it points at."""

from __future__ import annotations

import pytest

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols

SYMBOLS = Symbols.of(
    {
        "alpha, lambda, kappa, a, b, c, l": "positive",
        "mu": "unit interval", "k, i": "natural", "x, y, f": "real",
        "A, B": "symmetric matrix", "theta, g": "vector", "phi": "function", "r": "sequence",
    }
)  # fmt: skip

AMBIGUOUS = [  # text, place of the caret, the two readings
    ("1/2x", 1, "(1/2)*x or 1/(2*x)"),
    (r"1/2x\,", 1, "(1/2)*x or 1/(2*x)"),
    (r"a/bc\,", 1, "(a/b)*c or a/(b*c)"),
    ("a/b(x + y)", 1, "(a/b)*(x + y) or a/(b*(x + y))"),
    ("x^-1y", 1, "x^-1*y or x^(-1*y)"),
    ("x^2y", 1, "x^2*y or x^(2*y)"),
    ("√2x", 0, "sqrt(2)*x or sqrt(2*x)"),
    (r"x^10\,", 1, r"^{10} or ^{1} \cdot 0"),
    (r"x_10\,", 1, r"_{10} or _{1} \cdot 0"),
    (r"\sin 2x y", 8, r"\sin(2x) y or \sin(2x y)"),
    (r"\log\kappa/2", 10, r"\log(\kappa) /... or \log(\kappa /...)"),
    (r"\log(1+x)^2", 9, r"(\log(1+x))^... or \log((1+x)^...)"),
    (r"\sin^{-1} x", 0, r"\arcsin(x) or 1/\sin(x)"),
    (r"\prod_{i=1}^k x y", 0, r"\prod (x y) or (\prod x) ..."),
    (r"x^{(k)}\,", 1, "x^{k} for a power or declare x^{(k)} as a name"),
    (r"\frac123", 0, "put the number in braces"),
    ("|a|x|y|", 0, "write abs(...) with brackets"),
    (r"1e-8\,", 0, "10^{-8}"),
    (r"a<1 \quad b<2", 4, r"a comma or \text{and}"),
]
WRONG = [  # text, place of the caret, part of the sentence
    ("", 0, "a formula is missing"),
    ("x + q", 4, "unknown name 'q'"),
    ("x + kapa", 4, "did you mean kappa?"),
    ("al/kx", 2, "(al/k)*x or al/(k*x)"),
    ("am + x", 0, "unknown name 'am'"),
    ("x = 2, x = -2", 5, "write x = 2 or x = -2, or and for both"),
    (r"x + \lambda_{\max}", 4, "unknown name"),
    (r"\kappa^{*}", 0, "declare it, or drop the mark"),
    ("(x + y", 6, ") is missing"),
    ("x + y)", 5, "closed that was not opened"),
    ("[x + y)", 6, ") closes, where ] should"),
    ("x +", 3, "something is missing at the end"),
    ("x = = y", 4, "= has nothing on its left"),
    ("* x", 0, "* has nothing on its left"),
    ("x, y", 1, "a comma does not belong here"),
    ("x 2", 2, "a sign is missing before this number"),
    ("sin x", 0, "write sin(...)"),
    ("x/0", 2, "division by zero"),
    (r"\frac{x}{1-1}", 8, "division by zero"),
    ("x ≈ 2", 2, "an approximation cannot be proved"),
    (r"x \approx 2", 2, "an approximation cannot be proved"),
    (r"x \pm y", 2, "two statements of one"),
    (r"1 + \dots + k", 4, "dots leave terms out"),
    (r"\max_i x", 0, "over an index is not read"),
    (r"\sum_i x", 0, "the lower bound is missing"),
    (r"\sum_{i=0}^{1/2} x", 11, "bounds of a sum are whole"),
    ("Sum(x, (i, 0))", 7, "bounds are missing"),
    ("Sum(x, (i, 0, i))", 8, "the index occurs in its own bounds"),
    ("x -> 2", 2, "a limit is not read"),
    ("k!", 1, "factorials"),
    ("np.sqrt(x)", 2, "not np.sqrt(x)"),
    ("x.real", 1, "only .T is read"),
    ("1 - a*A", 0, "the identity is written I"),
    ("theta + A", 0, "different shapes: nx1 and nxn"),
    ("A*theta*B", 0, "nx1 cannot be multiplied by nxn"),
    ("x/A", 2, "divided by a matrix"),
    ("det(theta)", 4, "not a square matrix"),
    ("A < B", 4, "no order"),
    ("|theta|", 0, "write det(A) or norm(g)"),
    (r"\|A\|", 0, "several meanings"),
    (r"x^T\,", 0, "raised to T, which is not declared"),
    ("phi + 1", 0, "phi is a function"),
    ("x[0]", 1, "declare it as a sequence"),
    ("f(x, y)", 1, "a list in brackets is no quantity"),
    ("(a < b) + 1", 0, "this is a relation"),
    ("And(a, b < 1)", 4, "this is a quantity"),
    ("a < b => a < 1", 0, "more than one statement"),
    ("= 3", 0, "more than one statement"),
    ("2**x**", 6, "something is missing"),
    (r"\foo{x}", 0, r"\foo: this macro is not read"),
    (r"\frac{a}", 0, "braces are missing"),
    (r"x^{2}^{3}\,", 5, "two superscripts"),
    (r"\begin{cases} x \end{cases}", 0, "the environment cases is not read"),
    (r"\begin{pmatrix} x & y \\ 1 \end{pmatrix}", 0, "rows have different lengths"),
    (r"\begin{pmatrix} x \end{pmatrix} = x +", 37, "something is missing at the end"),
    (r"\begin{pmatrix} x \end{bmatrix}", 18, "does not belong here"),
    ("root(x, 0)", 0, "degree zero"),
    ("det(x)", 4, "det takes a matrix"),
    ("diff(x, 2)", 8, "a derivative is taken by a symbol"),
    ("Rational(x, 2)", 0, "whole numbers"),
    ("Max(x)", 0, "takes 2 to 8 argument(s), got 1"),
    ("sqrt(x, y)", 0, "sqrt takes 1 argument(s)"),
    ("A**x", 3, "a matrix has whole powers"),
    ("A**k*A**theta", 8, "a number is missing, this is a vector"),
    ("Matrix([1, 2])", 7, "rows are missing"),
    ("Matrix([[1, 2, 3, 4, 5, 6, 7]])", 7, "at most 6 rows"),
    ("r(1, 2)", 0, "r has one index"),
    ("Sum(x, (k, 0, k))", 8, "rename it"),
    ("Sum(x, (i, 0, 20000))", 14, "at most 10000"),
    ("x in (0, oo) + 1", 0, "this is a relation"),
    ("x in 3", 5, "an interval is missing"),
    ("x in (0, 1", 10, "the interval is not closed"),
    ("x in (3)", 5, "an interval has two ends"),
    ("x < y in (0, 1)", 6, "an interval belongs to one quantity"),
    ("x in (-oo, oo)", 0, "this interval says nothing"),
    ("oo + 1", 0, "unknown name 'oo'"),
    (r"\infty + 1", 0, "infinity is no number"),
    ("²", 0, "a superscript has nothing on its left"),
    ("()", 0, "nothing stands in the brackets"),
    ("|x", 2, "| is missing"),
    ("(x => y)", 3, "an arrow joins two statements"),
    (r"x^{2}'\,", 0, "unknown name"),
    (r"(x)'\,", 3, "a prime belongs to a declared name"),
    (r"(x)_2\,", 3, "a subscript belongs to a name"),
    (r"x_1_2\,", 3, "two subscripts"),
    (r"x^{1,2}\,", 2, "a comma does not belong here"),
    (r"(x)^*\,", 3, "belongs to a declared name"),
    (r"A^{\dagger}", 3, r"write ^\top"),
    (r"x^{2\,", 1, "not closed"),
    (r"\|x\|_1", 5, "the norm with index 1 is not read"),
    (r"\|\theta\|_x", 11, "weighted by a declared matrix"),
    (r"\langle x\rangle", 0, "an inner product has two parts"),
    (r"\frac12^2", 7, "put brackets round it"),
    (r"\frac{d}{dx} x", 0, "a derivative is taken of brackets"),
    (r"\frac{d}{dx}(x + 1)^2", 19, "put the power inside the brackets"),
    (r"\frac{d^2}{dx^3}(x)", 0, "the orders of the derivative differ"),
    (r"\frac x_1 2", 6, "braces are missing"),
    (r"\sum^k x", 0, "a bound is missing"),
    (r"\exp -x", 0, r"the argument of \exp is missing"),
    (r"\log(x, y)", 0, "takes one argument"),
    (r"\left. x\right|", 0, "leaves a bracket open"),
    (r"\hat{x+y}", 0, "stands over one letter"),
    (r"x ** 2\,", 2, "a power is written ^ in LaTeX"),
    (r"\begin{foo} x", 0, "the environment foo"),
    (r"\begin x", 0, "the name of the environment is missing"),
    (r"x . y\,", 2, "a point does not belong here"),
    (r"x ; y\,", 2, "one statement a line"),
    ("x\\", 1, "a backslash"),
    (r"\nabla f", 0, "one declared name"),
    (r"x \in \mathbb{R}", 6, "declare the symbol as real"),
    (r"x \text{ is small}", 2, "words in a formula"),
]


@pytest.mark.parametrize(("text", "column", "readings"), AMBIGUOUS)
def test_two_readings_are_asked_about(text, column, readings):
    with pytest.raises(ParseError) as caught:
        read_expression(text, SYMBOLS)
    assert readings in str(caught.value)
    assert caught.value.column == column
    assert caught.value.caret.splitlines()[-1].index("^") == column


def test_wrong_texts_say_what_and_where():
    different = {}
    for text, column, part in WRONG:
        try:
            different[text] = read_expression(text, SYMBOLS).value
        except ParseError as error:
            if part not in str(error) or error.column != column or "\n" in str(error):
                different[text] = (error.column, str(error))
    assert different == {}


def test_a_product_that_looks_like_a_call_is_remarked():
    read = read_expression("f(x)", SYMBOLS)
    assert read.value == SYMBOLS["f"] * SYMBOLS["x"]
    assert read.notes == ("f(...) is read as a product, since f is not a function",)
    assert read_expression(r"\alpha\lambda(1-\mu)", SYMBOLS).notes == ()
    assert read_expression("x^2(k+1)", SYMBOLS).notes == (
        "x^2(...) is read as x^2 times the bracket",
    )
    assert read_expression("-1^k", SYMBOLS).notes == ("-1^k is read as -(1^k)",)
    assert read_expression("phi(x)", SYMBOLS).value == SYMBOLS["phi"](SYMBOLS["x"])


def test_an_unknown_name_is_never_a_new_symbol():
    for text in ("x + y2", "theta_k", r"\xi", "x''", r"\hat{x}", "phi2(x)", "g_1", r"x_{k+1}\,"):
        with pytest.raises(ParseError, match=r"unknown name|belongs to"):
            read_expression(text, SYMBOLS)
