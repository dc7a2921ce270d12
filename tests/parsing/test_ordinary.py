"""Ordinary formulas, as the lectures and textbooks print them: read right, or refused.

The value that is expected is built with SymPy's own operators, without the reader.
"""

from __future__ import annotations

import pytest
import sympy as sp
from sympy import Abs, And, Derivative, Eq, Identity, Inverse, Max, Rational, Sum, Trace, exp, sqrt

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.expressions import read_expression
from convex_analyzer.parsing.symbols import Symbols

SYMBOLS = Symbols.of(
    {
        "alpha, lambda, kappa, eta, epsilon, gamma, lambda_i, lambda_max, a, l": "positive",
        "mu, beta, beta_1": "unit interval",
        "k, t, i, j": "natural",
        "x, y, z, w, u, f, c, lr, J": "real",
        "x_1, x_2, x', w_k, w_{k+1}, p_{k+1}, v_t, v_{t+1}, m_{t+1}, m_hat_{t+1}": "real",
        "s_{t+1,i}, rho*, theta_{t+1}, theta_t, rho, sigma, n_in, n_out": "real",
        "A": "positive definite matrix", "Q": "orthogonal matrix", "Lambda": "diagonal matrix",
        "theta, b, g, theta*, theta_k, h": "vector",
        "nabla J": "function", "phi": "function",
        "G, r": "sequence",
    }
)  # fmt: skip
P, R = {"positive": True}, {"real": True}
N = {"integer": True, "nonnegative": True}
al, la, ka, eta, eps, ga, li, lm, a, ell = sp.symbols(
    "alpha lambda kappa eta epsilon gamma lambda_i lambda_max a l", **P
)
mu, be, be1 = sp.symbols("mu beta beta_1", **P)
k, t, i, j = sp.symbols("k t i j", **N)
x, y, z, w, u, f, c, lr, J = sp.symbols("x y z w u f c lr J", **R)
x1, x2, xp, wk, wk1, pk1, vt, vt1 = sp.symbols("x_1 x_2 x' w_k w_{k+1} p_{k+1} v_t v_{t+1}", **R)
mt1, mhat, s1, rho_star, th1, th0, rho, sig, nin, nout = sp.symbols(
    "m_{t+1} mhat_{t+1} s_{t+1\\,i} rho* theta_{t+1} theta_t rho sigma n_in n_out", **R
)
n = sp.Symbol("n", integer=True, positive=True)
A, Q, Lam = (sp.MatrixSymbol(name, n, n) for name in ("A", "Q", "Lambda"))
th, b, g, ths, thk, h = (
    sp.MatrixSymbol(name, n, 1) for name in ("theta", "b", "g", "theta*", "theta_k", "h")
)
grad, phi = sp.Function("nablaJ", real=True), sp.Function("phi", real=True)
G, r = sp.Function("G", real=True), sp.Function("r", real=True)
one = Identity(n)
half = Rational(1, 2)

LECTURES = [
    # lecture 000, as printed: Markdown needs \_ for a subscript
    (r"\theta\_{t+1} = \theta\_t - \eta \nabla J(\theta\_t)", Eq(th1, th0 - eta * grad(th0))),
    (r"0.1 x\_1^2+2 x\_2^2.", Rational(1, 10) * x1**2 + 2 * x2**2),
    (r"v\_{t+1} = \gamma v\_{t}+ \eta \nabla J(\theta\_t)", Eq(vt1, ga * vt + eta * grad(th0))),
    (
        r"\gamma^k v_t +\eta \underbrace{\sum\_{i=0}^k \gamma^i G\_{t-i}}_{\text{average}}",
        ga**k * vt + eta * Sum(ga**i * G(t - i), (i, 0, k)),
    ),
    (r"\frac{\eta}{\sqrt{s\_{t+1,i}+\epsilon}}", eta / sqrt(s1 + eps)),
    (r"\hat{m}\_{t+1} = \frac{m\_{t+1}}{1-\beta\_1^{t+1}}", Eq(mhat, mt1 / (1 - be1 ** (t + 1)))),
    (r"\max\left(\hat{m}\_{t+1}, v\_{t+1}\right)", Max(mhat, vt1)),
    # lecture 001, as its text has it
    ("v_t − α(λv_t + c)", vt - al * (la * vt + c)),
    ("½θ⊤Aθ", half * th.T * A * th),
    ("(I − αA)θ", (one - al * A) * th),
    ("(I − αA)^k θ", (one - al * A) ** k * th),
    ("0 < αλi ≤ 1", And(al * li > 0, al * li <= 1)),
    ("α < 2/λmax", al < 2 / lm),
    ("v_t = 0", Eq(vt, 0)),
    ("θ⊤Aθ ≥ 0", Trace(th.T * A * th) >= 0),
    ("(1 − λ)x1 + λx2", (1 - la) * x1 + la * x2),
    ("QΛQ⊤", Q * Lam * Q.T),
    ("1/(1 − µ)", 1 / (1 - mu)),
    # lecture 002
    (r"w_{k+1} = w_{k} - \gamma p_{k+1}", Eq(wk1, wk - ga * pk1)),
    (r"0 < \beta < 1", And(be > 0, be < 1)),
    (r"\sigma = \sqrt{\frac{2}{n_{in} + n_{out}}}", Eq(sig, sqrt(2 / (nin + nout)))),
    # lecture 004
    (r"(1 - \frac{k}{\kappa})x_1 + \frac{k}{\kappa} x_2", (1 - k / ka) * x1 + k / ka * x2),
    (r"\frac{1}{\kappa} \sum_{j=1}^k r_j", 1 / ka * Sum(r(j), (j, 1, k))),
]
TEXTBOOKS = [
    (r"\alpha\lambda(1-\mu)", al * la * (1 - mu)),
    (r"\theta^\top", th.T),
    (r"\rho^{*}=\frac{\kappa-1}{\kappa+1}", Eq(rho_star, (ka - 1) / (ka + 1))),
    (r"(1-\alpha\lambda_i)^{k}", (1 - al * li) ** k),
    (r"\sqrt[3]{x}", x ** Rational(1, 3)),
    (r"\|g\|^2", g.T * g),
    (r"\|g\|", sqrt(Trace(g.T * g))),
    (r"\lVert\theta-\theta^*\rVert_A^2", (th - ths).T * A * (th - ths)),
    (
        r"\left(\frac{\sqrt{\kappa}-1}{\sqrt{\kappa}+1}\right)^2",
        ((sqrt(ka) - 1) / (sqrt(ka) + 1)) ** 2,
    ),
    (r"\left|1-\alpha\lambda\right| < 1", Abs(1 - al * la) < 1),
    (r"|1-\alpha\lambda|^{2k}", Abs(1 - al * la) ** (2 * k)),
    (r"\alpha \in (0, 2/\lambda_{\max})", And(al > 0, al < 2 / lm)),
    (r"\beta \in [0, 1)", And(be >= 0, be < 1)),
    (r"\tfrac12 \theta^{\mathsf T} A \theta + b^T\theta", half * th.T * A * th + b.T * th),
    (r"-A^{-1}b", -Inverse(A) * b),
    (r"(A\theta)^{\top}", (A * th).T),
    (r"\sum_{i=0}^{k-1} \mu^{i}", Sum(mu**i, (i, 0, k - 1))),
    (r"\sum_{i=0}^{\infty} \mu^i", Sum(mu**i, (i, 0, sp.oo))),
    (r"\prod_{i=1}^{k} (1-\alpha r_i)", sp.Product(1 - al * r(i), (i, 1, k))),
    (r"\frac{1-\mu^{k+1}}{1-\mu}", (1 - mu ** (k + 1)) / (1 - mu)),
    (r"\lambda^2 - (1+\mu-\alpha\lambda)\lambda + \mu", la**2 - (1 + mu - al * la) * la + mu),
    (r"1 + \mu - \alpha\lambda \ge -2\sqrt{\mu}", 1 + mu - al * la >= -2 * sqrt(mu)),
    (
        r"\frac{d^2}{dw^2} \left(\frac12 (cxw-y)^2\right)",
        Derivative((c * x * w - y) ** 2 / 2, w, w),
    ),
    (r"\log_2 \kappa", sp.log(ka) / sp.log(2)),
    (r"\frac{\ln \epsilon}{\ln \rho^*}", sp.log(eps) / sp.log(rho_star)),
    (r"e^{-\alpha\lambda k}", exp(-al * la * k)),
    (r"\exp\left(-\frac{k}{\kappa}\right)", exp(-k / ka)),
    (r"\operatorname{sign}(x)\,|x|", sp.sign(x) * Abs(x)),
    (r"\cos^2 x + \sin^2 x", sp.cos(x) ** 2 + sp.sin(x) ** 2),
    (r"\det\begin{pmatrix} 1+\mu & -\mu \\ 1 & 0 \end{pmatrix}",
     sp.Determinant(sp.Matrix([[1 + mu, -mu], [1, 0]]))),
    (r"\begin{bmatrix} x & y \\ 0 & 1 \end{bmatrix}", sp.ImmutableMatrix([[x, y], [0, 1]])),
    (r"x'^2", xp**2),
    (r"x_{1}^{2}", x1**2),
    (r"\mathbf{Q}\boldsymbol{\Lambda}\mathbf{Q}^{\top}", Q * Lam * Q.T),
    (r"\langle g, h\rangle", g.T * h),
    (r"\max\{|1-\alpha x|, |1-\alpha y|\}", Max(Abs(1 - al * x), Abs(1 - al * y))),
    (r"\dfrac{2}{\lambda_{\max}+\lambda}", 2 / (lm + la)),
    (r"\mathrm{lr}\cdot x", lr * x),
    (r"2\times 3^{k}", 2 * 3**k),
    (r"\Bigl[(1-a)\,\{x+y\}\Bigr]", (1 - a) * (x + y)),
    (r"\phi(x) = \frac{1}{1+e^{-x}}", Eq(phi(x), 1 / (1 + exp(-x)))),
    (r"x^2_1 + \,x_{1}^{2}", 2 * x1**2),
    (r"A^{-\top}b + A^{-T} b", Inverse(A.T) * b + Inverse(A.T) * b),
    (r"\|g\|_{A^{-1}}^2", g.T * Inverse(A) * g),
    (r"\|g\|^2_A", g.T * A * g),
    (r"\|g\|_2", sqrt(Trace(g.T * g))),
    (r"|x|^{-1} + \|x\|^2", 1 / Abs(x) + Abs(x) ** 2),
    (r"\begin{vmatrix} x & y \\ 0 & 1 \\ \end{vmatrix}",
     sp.Determinant(sp.Matrix([[x, y], [0, 1]]))),
    (r"\left|\begin{matrix} x & y \\ 0 & 1 \end{matrix}\right|",
     sp.Determinant(sp.Matrix([[x, y], [0, 1]]))),
    (r"\lg x + \sqrt[k]{a}", sp.log(x) / sp.log(10) + a ** (1 / k)),
    (r"y + \boxed{x}", x + y),
    (r"\log \log \kappa", sp.log(sp.log(ka))),
    (r"\sin 2x", sp.sin(2 * x)),
    (r"\operatorname{tr}(A)", sp.Trace(A)),
    (r"1 \neq x \lor \neg\, (x > y)", sp.Or(sp.Ne(1, x), sp.Not(x > y))),
    (r"\theta \theta^\top \theta", th * th.T * th),
    (r"\left\lvert x \right\rvert\left\langle g, h\right\rangle", Abs(x) * g.T * h),
    (r"G_i + G_{k-1} + G_2", G(i) + G(k - 1) + G(2)),
    (r"\mathrm{abs}(x)", Abs(x)),
    (r"\frac{\partial}{\partial x}(x^2)", Derivative(x**2, x)),
    (r"\frac1{2}\alpha + \frac\alpha2 + \sqrt2", al + sqrt(2)),
    (r"x \ne 0 \text{ and } y \leqslant 1", And(sp.Ne(x, 0), y <= 1)),
]  # fmt: skip
PLAIN = [
    ("2x", 2 * x),
    ("3(a + l)", 3 * (a + ell)),
    ("alpha lambda", al * la),
    ("2αλ", 2 * al * la),
    ("(1-a*l)**2*(1 - μ)", (1 - a * ell) ** 2 * (1 - mu)),
    ("x²ᵏ y", x ** (2 * k) * y),
    ("2^-k", 2 ** (-k)),
    ("-x**2", -(x**2)),
    ("x/2/y", x / (2 * y)),
    ("√κ - 1", sqrt(ka) - 1),
    ("‖g‖²", g.T * g),
    ("θ* - θ", ths - th),
    ("theta.T*A*theta/2", half * th.T * A * th),
    ("inv(A)*b", Inverse(A) * b),
    ("Sum(u**i, (i, 0, k))", Sum(u**i, (i, 0, k))),
    ("And(Abs(1 - x/5) < 1, x < 1/2)", And(Abs(1 - x / 5) < 1, x < half)),
    ("Eq(x, 1/2)", Eq(x, half)),
    ("1e-3*x + 0.25", x / 1000 + Rational(1, 4)),
    ("α in (0, 2/λ]", And(al > 0, al <= 2 / la)),
    ("diff(x**2/2, x)", Derivative(x**2 / 2, x)),
    ("det(Matrix([[1 + u, -u], [1, 0]]))", sp.Determinant(sp.Matrix([[1 + u, -u], [1, 0]]))),
    ("|x||y|", Abs(x) * Abs(y)),
    ("G[k+1] = G_k/2", Eq(G(k + 1), G(k) / 2)),
    ("θ⊤θ x", x * th.T * th),
    ("θ⊤θ + x", Trace(th.T * th) + x),
    ("x in (0, 1]", And(x > 0, x <= 1)),
    ("root(x, 3) + cbrt(a) + root(a, k)", x ** Rational(1, 3) + sp.cbrt(a) + a ** (1 / k)),
    ("log(a, 2) + ln(a)", sp.log(a) / sp.log(2) + sp.log(a)),
    ("sigmoid(x) + relu(y)", 1 / (1 + exp(-x)) + Max(0, y)),
    ("Rational(1, 3)*x + floor(y)", x / 3 + sp.floor(y)),
    ("trace(A) + det(Q)", sp.Trace(A) + sp.Determinant(Q)),
    ("transpose(Q)*theta + transpose(x)*theta", Q.T * th + x * th),
    ("norm(theta) + norm(x)", sqrt(Trace(th.T * th)) + Abs(x)),
    ("Product(1 - a*r(i), (i, 1, k))", sp.Product(1 - a * r(i), (i, 1, k))),
    ("Or(x > 1, not y > 1)", sp.Or(x > 1, sp.Not(y > 1))),
    ("Implies(x > 1, y > 1)", sp.Implies(x > 1, y > 1)),
    ("diff(w**3*x, w, 2)", Derivative(w**3 * x, w, w)),
    ("Lt(x, y) and Ge(x, 1/2) or x != 2", sp.Or(And(x < y, x >= half), sp.Ne(x, 2))),
    ("x in (0, oo)", x > 0),
    ("(θ⊤θ)^2", Trace(th.T * th) ** 2),
    ("θ⊤θ A", Trace(th.T * th) * A),
    ("A θ θ⊤θ", A * th * th.T * th),
    ("e^x", exp(x)),
    ("0 = A θ", Eq(sp.ZeroMatrix(n, 1), A * th)),
    ("A*theta = 0", Eq(A * th, sp.ZeroMatrix(n, 1))),
]


@pytest.mark.parametrize("table", [LECTURES, TEXTBOOKS, PLAIN], ids=["lectures", "books", "plain"])
def test_formulas_are_read_right(table):
    wrong = {}
    for text, expected in table:
        try:
            value = read_expression(text, SYMBOLS).value
        except ParseError as error:
            wrong[text] = error
            continue
        if value.doit() != expected.doit() and not agree(value, expected):
            wrong[text] = value
    assert wrong == {}


def test_what_was_written_stays():
    """Nothing is multiplied out, cancelled or put into order behind the student's back."""
    kept = {
        "(1-x)**2*(x+y)": sp.Mul(
            sp.Pow(sp.Add(1, sp.Mul(-1, x, evaluate=False), evaluate=False), 2, evaluate=False),
            sp.Add(x, y, evaluate=False),
            evaluate=False,
        ),
        "x - x": sp.Add(x, sp.Mul(-1, x, evaluate=False), evaluate=False),
        "sqrt(a**2)": sp.Pow(sp.Pow(a, 2, evaluate=False), half, evaluate=False),
        "|a|": Abs(a, evaluate=False),
        "x/x": sp.Mul(x, sp.Pow(x, -1, evaluate=False), evaluate=False),
        "1 < 2": sp.Lt(1, 2, evaluate=False),
        "2*3": sp.Mul(2, 3, evaluate=False),
    }
    for text, expected in kept.items():
        value = read_expression(text, SYMBOLS).value
        assert sp.srepr(value) == sp.srepr(expected), text
    assert read_expression("1/2", SYMBOLS).value == half
    assert read_expression("0.1", SYMBOLS).value == Rational(1, 10)


def agree(value, expected):
    """Whether two relations say the same with sides exchanged, or two sums differ in their form."""
    if isinstance(value, And):
        return {canonical(v) for v in value.args} == {canonical(e) for e in expected.args}
    if value.is_Relational:
        return canonical(value) == canonical(expected)
    return False


def canonical(relation):
    relation = relation.func(*(side.doit() for side in relation.args), evaluate=False)
    return relation.reversed if relation.rel_op in {">", ">="} else relation


def test_enough_formulas_are_tried():
    assert len(LECTURES) + len(TEXTBOOKS) + len(PLAIN) >= 80
