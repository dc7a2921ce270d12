"""From an update rule to its stability bound and best setting, line by line.

Each statement is built from the rule's own `step`, run on symbols, and each is checked by a
computation that does not reuse the one that produced it. What is printed are the very objects that
were checked.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from convex_analyzer.derivations.lines import Derivation, Line
from convex_analyzer.derivations.positivity import is_positive, on_interval, on_unit_interval
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.theory.iteration import linearise, require_linear
from convex_analyzer.theory.stability import characteristic_polynomial, jury_conditions

__all__ = ["derive"]


class _Scalar:
    """J(x) = λx²/2 as `step` sees it when the rule is printed: gradients are plain symbols."""

    def __init__(self, eigenvalue: Any) -> None:
        self.eigenvalue = eigenvalue

    def gradient(self, theta: Any) -> Any:
        return self.eigenvalue * theta

    def hessian_vector(self, theta: Any, vector: Any) -> Any:
        del theta
        return self.eigenvalue * vector


class _Setting:
    """Symbols, the symbolic rule and its matrix: shared by all lines of one derivation."""

    def __init__(self, optimizer: type[Optimizer]) -> None:
        import sympy

        from convex_analyzer.notation import SYMBOLS

        letters = {symbol.name: symbol.sympy for symbol in SYMBOLS}
        self.optimizer = optimizer
        self.eigenvalue = sympy.Symbol("lambda", positive=True)
        self.k = sympy.Symbol("k", integer=True, nonnegative=True)
        self.z = sympy.Symbol("z")
        self.hyper = {
            name: sympy.Symbol(letters.get(name, name), positive=True)
            for name in optimizer.hyperparameters()
        }
        blank = optimizer.__new__(optimizer)
        for name, value in self.hyper.items():
            object.__setattr__(blank, name, value)
        for field in dataclasses.fields(optimizer):  # type: ignore[arg-type]  # it is one
            if field.name not in self.hyper:
                object.__setattr__(blank, field.name, field.default)
        self.rule = blank
        self.names = ("x", *(letters.get(name, name) for name in optimizer.memory))
        self.bases = [sympy.IndexedBase(name) for name in self.names]
        iteration = linearise(blank, self.eigenvalue)
        require_linear(iteration, blank)
        self.matrix = sympy.Matrix(
            [[sympy.sympify(entry) for entry in row] for row in iteration.matrix]
        ).applyfunc(sympy.expand)

    def at(self, shift: int) -> list[Any]:
        return [base[self.k + shift] for base in self.bases]

    @functools.cached_property
    def coefficients(self) -> list[Any]:
        import sympy

        raw = characteristic_polynomial(self.matrix.tolist())
        return [sympy.expand(sympy.nsimplify(c)) for c in raw]


def _tidy(expression: Any) -> Any:
    """Factor, with signs as one writes them: (1 - x)(1 + y), not -(x - 1)(y + 1)."""
    import sympy

    number, product = sympy.Integer(1), sympy.Integer(1)
    for factor in sympy.Mul.make_args(sympy.factor(expression)):
        constant = factor.as_coeff_Add()[0] if factor.is_Add else 0
        if factor.is_number:
            number *= factor
        elif constant < 0:
            number, product = -number, product * -factor
        else:
            product *= factor
    return number * product


def _verdict(holds: Any) -> str:
    return "proved" if bool(holds) else "refuted"


def derive(optimizer: type[Optimizer]) -> Derivation:
    """Derive how an optimizer converges on quadratics, from its update rule alone.

    Parameters
    ----------
    optimizer
        A class with at most two state slots and a linear rule.

    Raises
    ------
    NotDerivableError
        The rule is not linear, or has more than two slots.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> derivation = derive(GradientDescent)
    >>> derivation.proved, derivation.lines[2].text
    (True, 'Eq(x[k], x[0]*(-alpha*lambda + 1)**k)')
    """
    return _derive(optimizer)  # type: ignore[arg-type]  # a class is hashable


@functools.lru_cache(maxsize=64)
def _derive(optimizer: type[Optimizer]) -> Derivation:
    setting = _Setting(optimizer)
    slots = setting.matrix.rows
    if slots > 2:
        raise NotDerivableError(
            f"{optimizer.__name__} has {slots} state slots; printed derivations exist for one or two"
        )
    lines = [_direction(setting), *_rule(setting)]
    lines += _one_slot(setting) if slots == 1 else _two_slots(setting)
    lines += _stability(setting)
    best, stopped = _best(setting)
    return Derivation(f"How {optimizer.__name__} converges", tuple(lines + best), stopped)


def _direction(s: _Setting) -> Line:
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
        "∇J = Aθ + b; in the basis of eigenvectors, measured from the minimiser, the directions part",
        "differentiation of J, for one direction and for a general symmetric 2 × 2 matrix",
        _verdict(holds),
    )


def _rule(s: _Setting) -> list[Line]:
    import sympy

    returned = as_state(s.rule, s.rule.step(_Scalar(s.eigenvalue), 1, *s.at(0)))
    after = [sympy.expand(sympy.sympify(value)) for value in returned]
    image = s.matrix * sympy.Matrix(s.at(0))
    holds = all(sympy.expand(a - b) == 0 for a, b in zip(after, image, strict=True))
    numeric = _agrees_with_floats(s)
    if len(after) == 1:
        statement = sympy.Eq(s.at(1)[0], _tidy(after[0]), evaluate=False)
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
            _verdict(holds and numeric),
        )
    ]


def _agrees_with_floats(s: _Setting) -> bool:
    """Compare the symbolic matrix with the rule run on ordinary numbers."""
    import numpy as np
    import sympy

    rng = np.random.default_rng(0)
    for _ in range(20):
        values = {symbol: float(rng.uniform(0.05, 0.95)) for symbol in s.hyper.values()}
        lam, state = float(rng.uniform(0.1, 3)), [float(v) for v in rng.normal(size=s.matrix.rows)]
        rule = s.rule.unchecked(**{name: values[symbol] for name, symbol in s.hyper.items()})
        got = as_state(rule, rule.step(_Scalar(lam), 1, *state))
        want = s.matrix.subs({**values, s.eigenvalue: lam}) * sympy.Matrix(state)
        if any(abs(float(w) - float(g)) > 1e-12 for w, g in zip(want, got, strict=True)):
            return False
    return True


def _one_slot(s: _Setting) -> list[Line]:
    import sympy

    factor = _tidy(s.matrix[0, 0])
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
            _verdict(holds),
        )
    ]


def _two_slots(s: _Setting) -> list[Line]:
    import sympy

    _, minus_trace, determinant = s.coefficients
    trace = -minus_trace
    polynomial = sympy.Add(s.z**2, -_tidy(trace) * s.z, _tidy(determinant), evaluate=False)
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
            _verdict(sympy.expand(by_sympy - polynomial.doit()) == 0 and cayley.is_zero_matrix),
        ),
        Line(
            "recurrence of the error",
            sympy.Eq(
                s.at(2)[0],
                _tidy(trace) * s.at(1)[0] - _tidy(determinant) * s.at(0)[0],
                evaluate=False,
            ),
            "Cayley–Hamilton, first component",
            "two steps of the matrix on a general state",
            _verdict(recurrence),
        ),
        _closed_form(s, trace, determinant),
    ]


def _closed_form(s: _Setting, trace: Any, determinant: Any) -> Line:
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
        _verdict(holds and step == 0),
    )


def _stability(s: _Setting) -> list[Line]:
    """State Jury's conditions, and the interval of αλ that they amount to."""
    import sympy

    conditions = [_tidy(c) for c in jury_conditions(s.coefficients)]
    independent = _schur_cohn(s)
    lines = [
        Line(
            "all roots inside the unit circle",
            sympy.And(*[sympy.Gt(c, 0, evaluate=False) for c in conditions], evaluate=False),
            "Jury's conditions (Jury 1964)",
            "p(±1) expanded directly; and against the moduli of the roots at 60 points",
            _verdict(_agrees_with_roots(s, conditions) and independent),
        )
    ]
    limit = s.rule.published_limit()
    if limit is None:
        return lines
    limit = sympy.sympify(limit)
    alpha = s.hyper.get("learning_rate")
    product = alpha * s.eigenvalue if alpha is not None else None
    lines.append(
        Line(
            "stability",
            sympy.And(
                sympy.Lt(0, product, evaluate=False),
                sympy.Lt(product, _tidy(limit), evaluate=False),
                evaluate=False,
            ),
            "the conditions solved for αλ" + (", for 0 < μ < 1" if "momentum" in s.hyper else ""),
            "inside, every condition has positive coefficients only; at the limit a root is −1",
            _verdict(_limit_is_exact(s, conditions, limit)),
        )
    )
    return lines


def _schur_cohn(s: _Setting) -> bool:
    """Check p(1) and p(-1) by substitution into the determinant."""
    import sympy

    polynomial = (s.z * sympy.eye(s.matrix.rows) - s.matrix).det()
    at = [polynomial.subs(s.z, 1), (-1) ** s.matrix.rows * polynomial.subs(s.z, -1)]
    first_two = jury_conditions(s.coefficients)[:2]
    return all(sympy.expand(a - b) == 0 for a, b in zip(at, first_two, strict=True))


def _agrees_with_roots(s: _Setting, conditions: list[Any]) -> bool:
    """Compare the conditions, exactly, with the moduli of numerical roots."""
    import random

    import numpy as np
    import sympy

    symbols = [*s.hyper.values(), s.eigenvalue]
    coefficients = sympy.lambdify(symbols, s.coefficients, "math")
    signs = sympy.lambdify(symbols, conditions, "math")
    rng = random.Random(0)
    for _ in range(60):
        point = [rng.randint(1, 79) / 32 for _ in symbols]
        largest = max(abs(np.roots(coefficients(*point))))
        if abs(largest - 1) < 1e-6:
            continue
        if all(value > 0 for value in signs(*point)) != bool(largest < 1):
            return False
    return True


def _limit_is_exact(s: _Setting, conditions: list[Any], limit: Any) -> bool:
    """Prove that 0 < αλ < limit is sufficient, and that the limit is attained."""
    import sympy

    alpha = s.hyper["learning_rate"]
    inside: dict[Any, Any] = {}
    if "momentum" in s.hyper:
        inside[s.hyper["momentum"]] = on_unit_interval("w")
    edge = sympy.sympify(limit).subs(inside)
    sufficient = all(
        is_positive(
            condition.subs({alpha: sympy.Symbol("p", positive=True) / s.eigenvalue})
            .subs(sympy.Symbol("p", positive=True), on_interval(limit, "y"))
            .subs(inside)
        )
        for condition in conditions
    )
    polynomial = (s.z * sympy.eye(s.matrix.rows) - s.matrix).det()
    beyond = sympy.Symbol("y", positive=True)
    at_minus_one = (polynomial.subs(s.z, -1) * (-1) ** s.matrix.rows).subs(inside)
    attained = sympy.simplify(at_minus_one.subs(alpha, edge / s.eigenvalue)) == 0
    necessary = is_positive(-at_minus_one.subs(alpha, (edge + beyond) / s.eigenvalue))
    at_one = polynomial.subs(s.z, 1).subs(inside)
    negative = is_positive(-at_one.subs(alpha, -beyond / s.eigenvalue))
    return sufficient and attained and necessary and negative


def _best(s: _Setting) -> tuple[list[Line], str]:
    """State the published best setting, and check that both ends of the spectrum limit it equally."""
    import sympy

    low, high = sympy.symbols("m L", positive=True)
    published = s.optimizer.published_optimum(low, high, {})
    if not published:
        return (
            [],
            f"No best setting is published for {s.optimizer.__name__}; it is found numerically.",
        )
    values = {s.hyper[n]: sympy.sympify(v) for n, v in published.items()}
    lines = [
        Line(
            f"best {name.replace('_', ' ')}",
            sympy.Eq(s.hyper[name], sympy.sympify(value), evaluate=False),
            "for eigenvalues in [m, L], as published: both ends contract equally fast",
            _check_text(s),
            _verdict(_ends_agree(s, values, low, high)),
        )
        for name, value in published.items()
    ]
    return lines, ""


def _check_text(s: _Setting) -> str:
    if s.matrix.rows == 1:
        return "the factors at m and at L are opposite numbers"
    return "a double root ρ at m, and the root −ρ at L: exact identities in m and L"


def _ends_agree(s: _Setting, values: Any, low: Any, high: Any) -> bool:
    """Prove that the largest roots at both ends have one modulus.

    Square roots become rational in other unknowns: √m, √L, or √(3κ + 1).
    """
    import sympy

    if s.matrix.rows == 1:
        factor = s.matrix[0, 0].subs(values)
        both = factor.subs(s.eigenvalue, low) + factor.subs(s.eigenvalue, high)
        return bool(sympy.simplify(both) == 0)
    p, r = sympy.symbols("p r", positive=True)
    forms: list[dict[Any, Any]] = [
        {low: p**2, high: (p + r) ** 2},
        {low: p**2, high: p**2 * ((r + 2) ** 2 - 1) / 3},
    ]
    for form in forms:
        numbers = {k: sympy.simplify(v.subs(form)) for k, v in values.items()}
        at_low, at_high = (
            s.matrix.subs(numbers).subs(s.eigenvalue, form[end]) for end in (low, high)
        )
        trace, determinant = at_low.trace(), at_low.det()
        rate = trace / 2
        double = sympy.simplify(trace**2 - 4 * determinant) == 0
        opposite = rate**2 + at_high.trace() * rate + at_high.det()  # p(-ρ) at L
        if double and sympy.simplify(opposite) == 0:
            return True
    return False
