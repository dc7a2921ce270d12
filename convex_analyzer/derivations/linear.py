"""Lines that many topics share: the rule along an eigendirection, its recurrence, step k."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import is_zero
from convex_analyzer.derivations.lines import Line
from convex_analyzer.derivations.setting import Scalar, Setting, tidy, verdict
from convex_analyzer.optimizers.base import as_state
from convex_analyzer.theory.symbolic import exactly

__all__ = [
    "gradient_line",
    "matrix_lines",
    "polynomial_line",
    "power_line",
    "recurrence_line",
    "roots_line",
    "step_line",
]


def gradient_line(s: Setting) -> Line:
    """State the slope along an eigendirection."""
    import sympy

    x = s.at(0)[0]
    point = sympy.Symbol("x", real=True)
    two = sympy.Matrix(2, 2, sympy.symbols("a11 a12 a12 a22", real=True))
    theta = sympy.Matrix(sympy.symbols("t1 t2", real=True))
    whole = (theta.T * two * theta)[0] / 2
    holds = sympy.diff(s.eigenvalue * point**2 / 2, point) - s.eigenvalue * point == 0 and all(
        sympy.expand(sympy.diff(whole, t) - (two * theta)[i]) == 0 for i, t in enumerate(theta)
    )
    gradient = sympy.Symbol("g_k")
    return Line(
        "gradient along an eigendirection",
        sympy.Eq(gradient, s.eigenvalue * x, evaluate=False),
        "∇J = Aθ + b; in the eigenbasis, measured from the minimiser, the directions part",
        "differentiation of J, for one direction and for a general symmetric 2 × 2 matrix",
        verdict(holds),
    )


def step_line(s: Setting) -> Line:
    """State what one step makes of the state."""
    import sympy

    returned = as_state(s.rule, s.rule.step(Scalar(s.eigenvalue), 1, *s.at(0)))
    after = [sympy.expand(exactly(value)) for value in returned]
    image = s.matrix * sympy.Matrix(s.at(0))
    holds = all(sympy.expand(a - b) == 0 for a, b in zip(after, image, strict=True))
    numeric = _agrees_with_floats(s)
    if len(after) == 1:
        statement = sympy.Eq(s.at(1)[0], tidy(after[0]), evaluate=False)
    else:
        statement = sympy.Eq(
            sympy.Matrix(s.at(1)),
            sympy.MatMul(s.matrix, sympy.Matrix(s.at(0)), evaluate=False),
            evaluate=False,
        )
    return Line(
        "one step",
        statement,
        f"the update rule itself, run on symbols ({s.optimizer.source or 'user rule'})",
        "equal to the linear form of the rule, and to a floating-point step at 20 points",
        verdict(holds and numeric),
    )


def _agrees_with_floats(s: Setting) -> bool:
    """Compare the symbolic matrix with the rule run on ordinary numbers."""
    import numpy as np
    import sympy

    rng = np.random.default_rng(0)
    symbols = [*s.hyper.values(), s.eigenvalue]
    matrix = sympy.lambdify(symbols, s.matrix.tolist(), "math")
    for _ in range(20):
        values = {symbol: float(rng.uniform(0.05, 0.95)) for symbol in s.hyper.values()}
        lam, state = float(rng.uniform(0.1, 3)), [float(v) for v in rng.normal(size=s.matrix.rows)]
        rule = s.rule.unchecked(**{name: values[symbol] for name, symbol in s.hyper.items()})
        got = as_state(rule, rule.step(Scalar(lam), 1, *state))
        want = np.array(matrix(*values.values(), lam)) @ np.array(state)
        if any(abs(float(w) - float(g)) > 1e-12 for w, g in zip(want, got, strict=True)):
            return False
    return True


def power_line(s: Setting) -> Line:
    """State x[k] as a power of the factor, for a rule without memory."""
    import sympy

    factor = tidy(s.matrix[0, 0])
    closed = s.bases[0][0] * factor**s.k
    state = [s.bases[0][0]]
    for t in range(1, 5):
        state = list(as_state(s.rule, s.rule.step(Scalar(s.eigenvalue), t, *state)))
    holds = (
        is_zero(exactly(state[0]) - closed.subs(s.k, 4))
        and closed.subs(s.k, 0) == s.bases[0][0]
        and is_zero(factor * factor**s.k - factor ** (s.k + 1))
    )
    return Line(
        "after k steps",
        sympy.Eq(s.at(0)[0], closed, evaluate=False),
        "the same factor in every step",
        "induction: true at k = 0, one step multiplies by the factor; four steps of the rule",
        verdict(holds),
    )


def matrix_lines(s: Setting) -> list[Line]:
    """Return the lines from one step to step k, for a rule with any number of slots."""
    if s.matrix.rows == 1:
        return [power_line(s)]
    lines = [polynomial_line(s), recurrence_line(s)]
    return [*lines, roots_line(s)] if s.matrix.rows == 2 else lines


def _sum_of(terms: list[Any]) -> Any:
    """Return a sum whose terms are left as they are, without those that vanish."""
    import sympy

    shown = [term for term in terms if term != 0]
    return sympy.Add(*shown, evaluate=False) if len(shown) > 1 else (shown or [sympy.Integer(0)])[0]


def polynomial_line(s: Setting) -> Line:
    """State det(zI - M) = 0."""
    import sympy

    size = s.matrix.rows
    powers = [tidy(c) * s.z ** (size - i) for i, c in enumerate(s.coefficients)]
    polynomial = _sum_of(powers)
    direct = (s.z * sympy.eye(size) - s.matrix).det(method="berkowitz")
    cayley = sympy.zeros(size)
    for coefficient in s.coefficients:
        cayley = (cayley * s.matrix + coefficient * sympy.eye(size)).applyfunc(sympy.expand)
    return Line(
        "characteristic polynomial",
        sympy.Eq(polynomial, 0, evaluate=False),
        "det(zI − M), by Faddeev–LeVerrier",
        "equal to the determinant expanded directly; M satisfies it (Cayley–Hamilton)",
        verdict(is_zero(direct - polynomial.doit()) and all(map(is_zero, cayley))),
    )


def recurrence_line(s: Setting) -> Line:
    """State x[k+n] by the n values before it."""
    import sympy

    size = s.matrix.rows
    x = s.bases[0]
    terms = [-tidy(c) * x[s.k + size - i] for i, c in enumerate(s.coefficients) if i]
    general = sympy.Matrix(sympy.symbols(f"u0:{size}"))
    run = [general]
    for _ in range(size):
        run.append((s.matrix * run[-1]).applyfunc(sympy.expand))
    rest = sum((c * run[size - i][0] for i, c in enumerate(s.coefficients)), sympy.Integer(0))
    return Line(
        "recurrence of the error",
        sympy.Eq(s.at(size)[0], _sum_of(terms), evaluate=False),
        "Cayley–Hamilton, first component" if size > 1 else "the one component there is",
        f"{('one step', 'two steps', 'three steps')[min(size, 3) - 1]} of the matrix on a general "
        "state",
        verdict(sympy.expand(rest) == 0),
    )


def roots_line(s: Setting) -> Line:
    """State x[k] by the two roots."""
    import sympy

    r1, r2, x0, x1 = sympy.symbols("r_1 r_2 x_0 x_1")

    def u(count: int) -> Any:
        return sum((r1**j * r2 ** (count - 1 - j) for j in range(count)), sympy.Integer(0))

    values = [x0, x1]
    for _ in range(6):
        values.append(sympy.expand((r1 + r2) * values[-1] - r1 * r2 * values[-2]))
    holds = all(
        sympy.expand(u(j) * x1 - r1 * r2 * u(j - 1) * x0 - values[j]) == 0 for j in range(1, 8)
    )
    difference = sympy.Mul(r1**s.k - r2**s.k, 1 / (r1 - r2), evaluate=False)
    before = sympy.Mul(r1 ** (s.k - 1) - r2 ** (s.k - 1), 1 / (r1 - r2), evaluate=False)
    step = is_zero(
        (r1 ** (s.k + 1) - r2 ** (s.k + 1))
        - (r1 + r2) * (r1**s.k - r2**s.k)
        + r1 * r2 * (r1 ** (s.k - 1) - r2 ** (s.k - 1))
    )
    return Line(
        "after k steps",
        sympy.Eq(
            s.at(0)[0],
            difference * s.bases[0][1] - r1 * r2 * before * s.bases[0][0],
            evaluate=False,
        ),
        "r₁, r₂ are the roots; where they meet, the quotient becomes k r^(k−1)",
        "induction on the recurrence, and expansion for k = 1 … 7",
        verdict(holds and step),
    )
