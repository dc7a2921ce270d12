"""From an update rule to its stability bound and best setting, line by line.

Each statement is built from the rule's own `step`, run on symbols, and each is checked by a
computation that does not reuse the one that produced it. What is printed are the very objects that
were checked.
"""

from __future__ import annotations

import functools
from typing import Any

from convex_analyzer.derivations.conditions import best_lines, stability_lines
from convex_analyzer.derivations.lines import Derivation, Line
from convex_analyzer.derivations.setting import Scalar, Setting, tidy, verdict
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.theory.symbolic import exactly

__all__ = ["derive"]


def derive(optimizer: type[Optimizer]) -> Derivation:
    """Derive how an optimizer converges on quadratics, from its update rule alone.

    Parameters
    ----------
    optimizer
        A class with at most two state slots and a linear rule.

    Raises
    ------
    NotDerivableError
        The rule is not linear, has more than two slots, or cannot be run on symbols.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> derivation = derive(GradientDescent)
    >>> derivation.proved, derivation.lines[2].text
    (True, 'Eq(x[k], (-alpha*lambda + 1)**k*x[0])')
    """
    return _derive(optimizer)  # type: ignore[arg-type]  # a class is hashable


@functools.lru_cache(maxsize=64)
def _derive(optimizer: type[Optimizer]) -> Derivation:
    setting = Setting(optimizer)
    slots = setting.matrix.rows
    if slots > 2:
        raise NotDerivableError(
            f"{optimizer.__name__} has {slots} state slots; a derivation is printed for one or two"
        )
    lines = [_direction(setting), *_rule(setting)]
    lines += _one_slot(setting) if slots == 1 else _two_slots(setting)
    stable, unlimited = stability_lines(setting)
    best, unknown = best_lines(setting)
    notes = " ".join(f"{note}." for note in (unlimited, unknown) if note)
    return Derivation(f"How {optimizer.__name__} converges", tuple(lines + stable + best), notes)


def _direction(s: Setting) -> Line:
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


def _rule(s: Setting) -> list[Line]:
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
    return [
        Line(
            "one step",
            statement,
            f"the update rule itself, run on symbols ({s.optimizer.source or 'user rule'})",
            "equal to the linear form of the rule, and to a floating-point step at 20 points",
            verdict(holds and numeric),
        )
    ]


def _agrees_with_floats(s: Setting) -> bool:
    """Compare the symbolic matrix with the rule run on ordinary numbers."""
    import numpy as np
    import sympy

    rng = np.random.default_rng(0)
    for _ in range(20):
        values = {symbol: float(rng.uniform(0.05, 0.95)) for symbol in s.hyper.values()}
        lam, state = float(rng.uniform(0.1, 3)), [float(v) for v in rng.normal(size=s.matrix.rows)]
        rule = s.rule.unchecked(**{name: values[symbol] for name, symbol in s.hyper.items()})
        got = as_state(rule, rule.step(Scalar(lam), 1, *state))
        want = s.matrix.subs({**values, s.eigenvalue: lam}) * sympy.Matrix(state)
        if any(abs(float(w) - float(g)) > 1e-12 for w, g in zip(want, got, strict=True)):
            return False
    return True


def _one_slot(s: Setting) -> list[Line]:
    import sympy

    factor = tidy(s.matrix[0, 0])
    closed = s.bases[0][0] * factor**s.k
    stand_in = sympy.Symbol("f", nonzero=True)
    step = sympy.powsimp(stand_in * stand_in**s.k) - stand_in ** (s.k + 1)
    holds = step == 0 and closed.subs(s.k, 0) == s.bases[0][0]
    return [
        Line(
            "after k steps",
            sympy.Eq(s.at(0)[0], closed, evaluate=False),
            "the same factor in every step",
            "induction: true at k = 0, and one step multiplies by the factor",
            verdict(holds),
        )
    ]


def _two_slots(s: Setting) -> list[Line]:
    import sympy

    _, minus_trace, determinant = s.coefficients
    trace = -minus_trace
    polynomial = sympy.Add(s.z**2, -tidy(trace) * s.z, tidy(determinant), evaluate=False)
    by_sympy = (s.z * sympy.eye(2) - s.matrix).det()
    cayley = (s.matrix**2 - trace * s.matrix + determinant * sympy.eye(2)).applyfunc(sympy.expand)
    u, v = sympy.symbols("u v")
    twice = sympy.Matrix([u, v])
    second = (s.matrix * s.matrix * twice)[0]
    first = (s.matrix * twice)[0]
    recurrence = sympy.expand(second - trace * first + determinant * u) == 0
    return [
        Line(
            "characteristic polynomial",
            sympy.Eq(polynomial, 0, evaluate=False),
            "det(zI − M), by Faddeev–LeVerrier",
            "equal to the determinant expanded directly; M satisfies it (Cayley–Hamilton)",
            verdict(sympy.expand(by_sympy - polynomial.doit()) == 0 and cayley.is_zero_matrix),
        ),
        Line(
            "recurrence of the error",
            sympy.Eq(
                s.at(2)[0],
                tidy(trace) * s.at(1)[0] - tidy(determinant) * s.at(0)[0],
                evaluate=False,
            ),
            "Cayley–Hamilton, first component",
            "two steps of the matrix on a general state",
            verdict(recurrence),
        ),
        _closed_form(s, trace, determinant),
    ]


def _closed_form(s: Setting, trace: Any, determinant: Any) -> Line:
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
    step = sympy.simplify(
        (r1 ** (s.k + 1) - r2 ** (s.k + 1))
        - (r1 + r2) * (r1**s.k - r2**s.k)
        + r1 * r2 * (r1 ** (s.k - 1) - r2 ** (s.k - 1))
    )
    del trace, determinant  # they enter through r₁ + r₂ and r₁ r₂
    return Line(
        "after k steps",
        sympy.Eq(
            s.at(0)[0],
            difference * s.bases[0][1] - r1 * r2 * before * s.bases[0][0],
            evaluate=False,
        ),
        "r₁, r₂ are the roots; where they meet, the quotient becomes k r^(k−1)",
        "induction on the recurrence, and expansion for k = 1 … 7",
        verdict(holds and step == 0),
    )
