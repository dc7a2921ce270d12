"""Typst math: read back by a parser of its own, compiled by Typst, and beside it LaTeX."""

import re

import numpy as np
import pytest
import sympy as sp
from cases import each
from hypothesis import given, settings
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.latex_math import to_latex, to_plain
from convex_analyzer.parsing.math_style import GREEK, read_name
from convex_analyzer.reporting.typst_math import math_block, math_span, to_typst

alpha, mu, lam, kappa, k = sp.symbols("alpha mu lambda kappa k", positive=True)
lmax, lmin = sp.symbols("lambda_max lambda_min", positive=True)
x, y, z, r = sp.symbols("x y z r")
i, j = sp.symbols("i j", integer=True)
real = sp.Symbol("a", real=True)
f, g = sp.Function("f"), sp.Function("softplus")
A, B = sp.MatrixSymbol("A", 3, 3), sp.MatrixSymbol("B", 3, 3)
theta, b = sp.MatrixSymbol("theta", 3, 1), sp.MatrixSymbol("b", 3, 1)

# (expression, what it must read): the right column is written by hand
FORMS = [
    (1 - alpha * lam, "1 - alpha lambda"),
    (1 + mu - alpha * lam, "1 + mu - alpha lambda"),
    (kappa - 1, "kappa - 1"),
    (x**2 + 2 * x + 1, "x^(2) + 2 x + 1"),
    (r**2 - (1 + mu - alpha * lam) * r + mu, "r^(2) - r (1 + mu - alpha lambda) + mu"),
    (2 / lmax, 'frac(2, lambda_("max"))'),
    ((sp.sqrt(kappa) - 1) / (sp.sqrt(kappa) + 1), "frac(sqrt(kappa) - 1, 1 + sqrt(kappa))"),
    (-sp.Rational(99, 101), "-frac(99, 101)"),
    (-x / 2, "-frac(x, 2)"),
    (sp.Float(1e-6), "10^(-6)"),
    (sp.Float(-2.5e-7) * x, "-2.5 dot 10^(-7) x"),
    (sp.Float("0.1", 30), "0.1"),
    (sp.Float(2.0) * x, "2 x"),
    (sp.Float("1e400"), "10^(400)"),
    ((1 - alpha * lam) ** k, "(1 - alpha lambda)^(k)"),
    ((-2) ** k, "(-2)^(k)"),
    (sp.Rational(1, 2) ** k, "(frac(1, 2))^(k)"),
    (x ** sp.Rational(3, 2), "x^(3 slash 2)"),
    (x ** (-k), "x^(-k)"),
    (sp.cbrt(x), "root(3, x)"),
    (1 / sp.sqrt(x), "frac(1, sqrt(x))"),
    ((x**y) ** z, "(x^(y))^(z)"),
    (x ** (y**z), "x^(y^(z))"),
    (sp.sqrt(x) ** 3, "x^(3 slash 2)"),
    (x * (y - z), "x (y - z)"),
    (-((x + y) ** 2), "-(x + y)^(2)"),
    (sp.sin(x) ** 2, "sin^(2) (x)"),
    (sp.log(x), "ln (x)"),
    (sp.exp(-x) / 3, "frac(e^(-x), 3)"),
    (f(x) ** 2, "(f (x))^(2)"),
    (g(x, y), 'op("softplus") (x comma y)'),
    (sp.Function("Pi")(x), "Pi (x)"),
    (sp.Function("gamma")(x), "gamma (x)"),
    (sp.gamma(x), "Gamma (x)"),
    (sp.Abs(x) ** 2, "abs(x)^(2)"),
    (sp.Max(x, y), "max (x comma y)"),
    (sp.floor(x / 2), "floor(frac(x, 2))"),
    (sp.ceiling(x), "ceil(x)"),
    (sp.conjugate(x), "overline(x)"),
    (sp.factorial(k) ** 2, "(k!)^(2)"),
    (sp.binomial(k, 2), "binom(k, 2)"),
    (sp.sign(x), 'op("sgn") (x)'),
    (2 + 3 * sp.I, "2 + 3 upright(i)"),
    (sp.oo, "infinity"),
    (-sp.oo, "-infinity"),
    (sp.nan, '"undefined"'),
    (sp.zoo, "tilde(infinity)"),
    (sp.Symbol("learning_rate"), '"learning_rate"'),
    (sp.Symbol("x_hat"), "hat(x)"),
    (sp.Symbol("theta_star") ** 2, "(theta^(star.op))^(2)"),
    (sp.Symbol("lambda_i_0"), "lambda_(i comma 0)"),
    (sp.Symbol("x12"), "x_(12)"),
    (sp.Symbol('$#_"\\'), '"$#_\\"\\\\"'),
    (sp.Symbol("漢"), '"漢"'),
    (sp.Symbol("α"), "α"),
    (sp.Matrix([[1, x / 2], [-x, y]]), 'mat(delim: "[", 1, frac(x, 2); -x, y)'),
    (sp.ImmutableMatrix([1, 2]), 'mat(delim: "[", 1; 2)'),
    (np.array([[1.0, 0.5]]), 'mat(delim: "[", 1, 0.5)'),
    (sp.Array([1, 2]), 'mat(delim: "[", 1, 2)'),
    (theta.T * A * theta / 2 + b.T * theta, "frac(1, 2) theta^(top) A theta + b^(top) theta"),
    (sp.Identity(3) - alpha * A, "I - alpha A"),
    (theta - alpha * (A * theta + b), "theta - alpha (A theta + b)"),
    (-A.I * b, "-A^(-1) b"),
    ((A + B).T, "A^(top) + B^(top)"),
    (sp.Inverse(A + B), "(A + B)^(-1)"),
    (sp.MatPow(A, k), "A^(k)"),
    (sp.ZeroMatrix(3, 3), "0"),
    (A[0, 1], "A_(0 comma 1)"),
    (sp.MatrixSymbol("A", i, i).I[0, 1], "(A^(-1))_(0 comma 1)"),
    (sp.Trace(A), "tr (A)"),
    (sp.Determinant(A), "det (A)"),
    (sp.Adjoint(A), "A^(upright(H))"),
    (sp.BlockMatrix([[A, B]]), 'mat(delim: "[", A, B)'),
    (sp.IndexedBase("x_max")[i, j], 'x_("max" comma i comma j)'),
    (sp.Eq(x, y), "x = y"),
    (sp.Ne(x, y), "x != y"),
    (sp.Le(x, y), "x <= y"),
    (sp.And(real > 0, real < 2 / lmax), '0 < a < frac(2, lambda_("max"))'),
    (sp.And(x > 0, y < 1), "x > 0 and y < 1"),
    (sp.And(x < 0, y < 0, z < 0), "x < 0 and y < 0 and z < 0"),
    (sp.And(x < 2, y > 2), "y > 2 and x < 2"),
    (sp.Or(x < 0, sp.And(x > 1, y > 2)), "(x > 1 and y > 2) or x < 0"),
    (sp.Not(sp.Contains(x, sp.S.Reals)), "not (x in RR)"),
    (sp.Implies(x > 0, y > 0), "x > 0 ==> y > 0"),
    (sp.Equivalent(x > 0, y > 0), "x > 0 <==> y > 0"),
    (sp.true, '"true"'),
    (sp.Sum(x**k / 2, (k, 0, sp.oo)), "sum_(k=0)^(infinity) frac(x^(k), 2)"),
    (sp.Sum(x + y, (i, 1, 3), (j, 1, 2)), "sum_(j=1)^(2) sum_(i=1)^(3) (x + y)"),
    (sp.Product(1 - x, (i, 1, k)), "product_(i=1)^(k) (1 - x)"),
    (sp.Derivative(f(x), x), "frac(dif, dif x) f (x)"),
    (
        sp.Derivative(f(x, y), x, y, y),
        "frac(partial^(3), partial x partial y^(2)) f (x comma y)",
    ),
    (sp.Integral(x**2 + 1, (x, 0, 1)), "integral_(0)^(1) (x^(2) + 1) dif x"),
    (sp.Integral(x, x, (y, 0, 1)), "integral_(0)^(1) integral x dif x dif y"),
    (sp.Limit(1 / x, x, 0), "lim_(x -> 0^(+)) frac(1, x)"),
    (sp.Piecewise((x, x < 0), (1, True)), 'cases(x & "if" x < 0, 1 & "otherwise")'),
    (sp.Interval(0, 2), r"lr(\[ 0 comma 2 \])"),
    (sp.Interval.Ropen(0, sp.Rational(1, 2)), r"lr(\[ 0 comma frac(1, 2) \))"),
    (
        sp.Union(sp.Interval.open(0, 1), sp.FiniteSet(2)),
        r"lr(\( 0 comma 1 \)) union { 2 }",
    ),
    (
        sp.Intersection(sp.Interval(0, x), sp.Interval(y, 3), evaluate=False),
        r"lr(\[ 0 comma x \]) inter lr(\[ y comma 3 \])",
    ),
    (sp.S.EmptySet, "emptyset"),
    (sp.Complement(sp.S.Reals, sp.FiniteSet(x)), "RR without { x }"),
    (sp.ProductSet(sp.S.Reals, sp.S.Integers), "RR times ZZ"),
    (sp.ConditionSet(x, x**2 > 2, sp.S.Reals), "{ x in RR mid(|) x^(2) > 2 }"),
    ((1, x), "(1 comma x)"),
    (sp.Lambda(x, x**2), "x |-> x^(2)"),
    (sp.O(x**2), "O (x^(2))"),
    (sp.KroneckerDelta(i, j), "delta_(i comma j)"),
    (sp.Mod(x, 3), "x mod 3"),
    (sp.CRootOf(x**5 - x + 1, 0), 'op("root")_(0) (x^(5) - x + 1)'),
    (sp.Mul(2, 3, evaluate=False), "2 dot 3"),
    (sp.Mul(x, 2, evaluate=False), "2 x"),
    (sp.Add(1, -1, evaluate=False), "1 - 1"),
    (sp.Add(x, sp.Mul(-1, y + z, evaluate=False), evaluate=False), "x - (y + z)"),
    (sp.Mul(-1, y + z, evaluate=False), "-(y + z)"),
    (sp.UnevaluatedExpr(x + 1) * y, "y (1 + x)"),
    (True, '"true"'),
    (float("nan"), '"undefined"'),
    (7, "7"),
]


@each(("expression", "text"), FORMS, ids=map(str, range(len(FORMS))))
def test_forms(expression, text):
    assert to_typst(expression) == text


def test_every_form_compiles_and_every_letter_can_be_drawn():
    typst = pytest.importorskip("typst")
    source = "\n".join(f"$ {to_typst(expression)} $" for expression, _ in FORMS)
    pdf, warnings = typst.compile_with_warnings(source.encode(), format="pdf")
    assert pdf.startswith(b"%PDF")
    assert warnings == []


# -- the same value after reading the printed text by the rules that a reader uses -----------------


class Reader:
    """Typst math of sums, products, fractions, roots and powers, as a SymPy expression."""

    def __init__(self, text: str) -> None:
        pattern = r"\d+(?:\.\d+)?|[A-Za-z]+|[-+^(),]"
        assert not re.sub(rf"{pattern}|\s", "", text)
        self.tokens = re.findall(pattern, text)

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, expected: str = "") -> str:
        token = self.tokens.pop(0)
        assert expected in ("", token)
        return token

    def sum(self):
        negative = self.peek() == "-" and bool(self.take())
        total = -self.slashed() if negative else self.slashed()
        while self.peek() in ("+", "-"):
            total = total + self.slashed() if self.take() == "+" else total - self.slashed()
        return total

    def slashed(self):
        value = self.product()
        if self.peek() == "slash":
            self.take()
            value = value / self.power()  # a slash takes one factor only
        return value

    def product(self):
        value = self.power()
        while self.peek() not in ("", ")", ",", "+", "-", "slash"):
            if self.peek() == "dot":
                self.take()
            value = value * self.power()
        return value

    def power(self):
        base = self.atom()
        if self.peek() != "^":
            return base
        self.take()
        self.take("(")
        exponent = self.sum()
        self.take(")")
        assert self.peek() != "^"  # two exponents above each other are an error in Typst
        return base**exponent

    def atom(self):
        token = self.take()
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token in ("frac", "sqrt", "root", "abs"):
            self.take("(")
            parts = [self.sum()]
            while self.take() == ",":
                parts.append(self.sum())
            if token == "frac":
                return parts[0] / parts[1]
            if token == "root":
                return parts[1] ** (1 / parts[0])
            return sp.sqrt(parts[0]) if token == "sqrt" else sp.Abs(parts[0])
        return sp.Rational(token) if token[0].isdigit() else sp.Symbol(token, positive=True)


POSITIVE = sp.symbols("a b c alpha", positive=True)
LEAVES = (
    st.sampled_from(POSITIVE)
    | st.integers(-4, 4).map(sp.Integer)
    | st.fractions(-3, 3, max_denominator=5).map(lambda q: sp.Rational(q.numerator, q.denominator))
)


def grow(inner):
    evaluate = st.booleans()
    powers = st.sampled_from([sp.Rational(n, m) for n in (-3, -2, -1, 1, 2, 3) for m in (1, 2, 3)])
    return (
        st.builds(lambda u, v, e: sp.Add(u, v, evaluate=e), inner, inner, evaluate)
        | st.builds(lambda u, v, e: sp.Mul(u, v, evaluate=e), inner, inner, evaluate)
        | st.builds(lambda u, v: sp.Pow(sp.Abs(u) + 1, v), inner, powers | inner)
        | st.builds(lambda u, v: sp.Pow(u, v, evaluate=False), st.sampled_from(POSITIVE), powers)
        | st.builds(lambda u, v: u / (sp.Abs(v) + 1), inner, inner)
    )


@settings(max_examples=150)
@given(st.recursive(LEAVES, grow, max_leaves=7), st.sampled_from(["stacked", "slash"]))
def test_reading_the_printed_text_gives_the_same_number(expression, fractions):
    text = to_typst(expression, fractions=fractions)
    values = dict(zip(POSITIVE, map(sp.Rational, ("7/5", "3/11", "13/3", "2/7")), strict=True))
    reader = Reader(text)
    read = reader.sum()
    assert reader.tokens == []
    printed = complex(sp.N(read.subs(values), 30))
    meant = complex(sp.N(expression.subs(values), 30))
    assert printed == pytest.approx(meant, rel=1e-12, abs=1e-12)


@given(
    st.text(
        "aTx17_ \"\\#$/*()^{}[]|&<>@~`',.;:%\0\n\x7fé²λΣ漢\u2028\uffff😀", min_size=1, max_size=12
    )
)
def test_any_name_is_one_atom_of_math(name):
    text = to_typst(sp.Symbol(name))
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "q", text)
    allowed = r"(?:[A-Za-z0-9_^(), .]|[α-ωΑ-Ω])*"
    assert re.fullmatch(allowed, outside)
    assert outside.count("(") == outside.count(")")
    assert read_name(name).plain()
    latex = read_name(name).latex()
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")


def test_hostile_names_compile():
    typst = pytest.importorskip("typst")
    names = ["a b", '"', "\\", '\\"', "#x", "$", "x_", "_", "__", "x__y_z", "1x", "12", "x_1_", "λ"]
    names += ["alpha_hat_bar_1", "nul", "lambda", "frac(1", "//", "/*", "new\nline", "漢字", *GREEK]
    source = "".join(f"$ {to_typst(sp.Symbol(name) ** 2)} $\n" for name in names)
    assert typst.compile(source.encode(), format="pdf").startswith(b"%PDF")


# -- settings and errors ---------------------------------------------------------------------------


def test_settings():
    half = sp.Rational(1, 2)
    assert to_typst(half * x / y, fractions="slash") == "x slash (2 y)"
    assert to_typst((x + 1) / y, fractions="slash") == "(1 + x) slash y"
    assert to_typst((x / y) ** k, fractions="slash") == "(x slash y)^(k)"
    assert to_typst(sp.Matrix([[1]]), delimiter="|") == 'mat(delim: "|", 1)'
    assert to_typst(sp.Symbol("eta") * x, names={"eta": "alpha", "x": "lambda_1"}) == (
        "alpha lambda_(1)"
    )
    assert to_typst(sp.pi.n(30), digits=4) == "3.142"
    assert to_typst(sp.Float(123456.0), digits=3) == "1.23 dot 10^(5)"
    assert to_typst(sp.Float(1 / 3)) == "0.3333333333333333"


@each(
    ("value", "says"),
    [
        ("x**2", "not text"),
        (object(), "an object of type object"),
        (sp.Subs(f(x), x, 0), "no Typst form for Subs"),
        (sp.Array([[[1]]]), "array of 3 axes"),
        (1 + sp.Subs(f(x), x, 0), "no Typst form for Subs"),
    ],
    ids=["text", "object", "Subs", "array", "inside"],
)
def test_what_has_no_form_is_an_error(value, says):
    with pytest.raises(InputError, match=says):
        to_typst(value)


def test_settings_out_of_range():
    with pytest.raises(InputError, match="delimiter must be one of"):
        to_typst(x, delimiter="<")
    with pytest.raises(InputError, match="fractions must be stacked or slash"):
        to_typst(x, fractions="flat")


# -- the other notations ---------------------------------------------------------------------------


@each(
    ("expression", "latex", "plain"),
    [
        (1 - alpha * lmax, r"1 - \alpha \lambda_{\mathrm{max}}", "1 - α·λ_max"),
        (sp.Symbol("theta_star") ** 2, r"\left(\theta^{\star}\right)^{2}", "θ⋆^2"),
        (sp.Float(1.5e-7), r"1.5 \cdot 10^{-7}", "1.5e-7"),
        (sp.Float(1e-7), "10^{-7}", "1e-7"),
        (sp.Float(0.25), "0.25", "0.25"),
        (1 / sp.sqrt(x), r"\frac{1}{\sqrt{x}}", "1/√x"),
        (sp.sqrt(1 + x), r"\sqrt{1 + x}", "√(1 + x)"),
        (sp.Identity(3) - alpha * A, r"I - \alpha A", "I - α·A"),
        (theta.T * A * theta / 2, r"\frac{1}{2} \theta^{T} A \theta", "(1/2)·θᵀ·A·θ"),
        ((1 + x) * A, r"\left(1 + x\right) A", "(1 + x)·A"),
        (sp.Le(x, sp.oo), None, "x ≤ ∞"),
        (sp.And(x > 0, y < 1), None, "x > 0 and y < 1"),
        (sp.Or(x > 0, y < 1), None, "x > 0 or y < 1"),
        (sp.Interval.Lopen(0, sp.pi), None, "(0, π]"),
        (sp.Abs(x), None, "|x|"),
        (sp.Contains(x, sp.S.Reals), None, "x in ℝ"),
        (sp.Matrix([[1, -sp.oo]]), None, "[[1, -∞]]"),
        (sp.Symbol("a b_c~^\\"), r"\mathrm{a\ b\_c\sim \wedge \backslash }", "a b_c~^\\"),
        (sp.Symbol("omicron_hat"), r"\hat{o}", "ο̂"),
    ],
    ids=map(str, range(19)),
)
def test_latex_and_plain(expression, latex, plain):
    if latex is not None:
        assert to_latex(expression) == latex
    assert to_plain(expression) == plain


def test_spans_and_blocks_hold_all_three_notations():
    span = math_span(2 / sp.Symbol("L"), names={"L": "lambda_max"}, fractions="slash")
    assert span.typst == '2 slash lambda_("max")'
    assert span.latex == r"\frac{2}{\lambda_{\mathrm{max}}}"
    assert span.plain == "2/λ_max"
    block = math_block(sp.Float(0.123456), digits=2)
    assert (block.typst, block.latex, block.alt) == ("0.12", "0.12", "0.12")
