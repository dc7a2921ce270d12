"""What centring and scaling an input does to the condition number of least squares."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.topic import Topic


def _build() -> Derivation:
    import sympy

    chain = Chain("One input and a bias: what normalising buys")
    x, y, w, b, c = sympy.symbols("x y w b c", real=True)
    m, v = sympy.Symbol("m", real=True), sympy.Symbol("v", positive=True)
    loss = (w * x + b - y) ** 2 / 2
    J = sympy.Symbol("J_i")
    chain.say(
        "loss of one example",
        sympy.Eq(J, loss, evaluate=False),
        "a line through the data",
        "definition",
        "given",
    )
    hessian = sympy.hessian(loss, (w, b))
    H = sympy.Symbol("H_i")
    differences = _differences(loss, (w, b), {x: 3, y: 2, w: 5, b: 7})
    chain.say(
        "its Hessian",
        sympy.Eq(H, hessian, evaluate=False),
        "differentiated twice by w and b",
        "exact second differences at one point, of a function that is quadratic in w and b",
        differences == hessian.subs(x, 3),
    )
    A = hessian.replace(lambda e: e == x**2, lambda _: v + m**2).replace(
        lambda e: e == x, lambda _: m
    )
    chain.say(
        "averaged over the data",
        sympy.Eq(sympy.Symbol("A"), A, evaluate=False),
        "mean of x is m, mean of x² is v + m²",
        "the data 1, 4, 10 with m = 5, v = 14: averaged by hand",
        _averaged(hessian, x) == A.subs({m: 5, v: 14}),
    )
    low, high, kappa = sympy.symbols("lambda_min lambda_max kappa", positive=True)
    trace, root = m**2 + v + 1, sympy.sqrt((m**2 + v + 1) ** 2 - 4 * v)
    for name, sign in ((low, -1), (high, 1)):
        value = (trace + sign * root) / 2
        chain.say(
            f"{'largest' if sign > 0 else 'smallest'} eigenvalue",
            sympy.Eq(name, value, evaluate=False),
            "quadratic formula with trace m² + v + 1 and determinant v",
            "put into det(A − λI): normal form",
            is_zero((A - value * sympy.eye(2)).det()),
        )
    chain.equal(
        "condition number",
        kappa,
        (trace + root) ** 2 / (4 * v),
        "quotient, expanded by its numerator; the product of the two is v",
        given=(trace + root) / (trace - root),
    )
    raw = chain.lines[-1].statement.rhs
    chain.equal(
        "centred (m = 0)",
        kappa,
        (v + 1 + sympy.Abs(v - 1)) ** 2 / (4 * v),
        "m = 0; the root is |v − 1|",
        given=raw.subs(m, 0).subs(sympy.sqrt((v + 1) ** 2 - 4 * v), sympy.Abs(v - 1)),
        more=("(v + 1)² − 4v = (v − 1)²", is_zero((v + 1) ** 2 - 4 * v - (v - 1) ** 2)),
    )
    chain.equal(
        "standardised (m = 0, v = 1)",
        kappa,
        sympy.Integer(1),
        "both directions curve alike: one step suffices",
        given=raw.subs({m: 0, v: 1}),
    )
    scaled = (w * c * x + b - y) ** 2 / 2
    chain.equal(
        "an input in other units",
        sympy.Derivative(scaled, w, w),
        c**2 * x**2,
        "x replaced by cx: curvature is multiplied by c²",
        given=sympy.diff(scaled, w, 2),
    )
    return chain.done()


def _differences(loss: Any, variables: tuple[Any, ...], at: dict[Any, int]) -> Any:
    """Return exact second differences of step 1, which are derivatives of a quadratic."""
    import sympy

    def value(*shifts: Any) -> Any:
        return loss.subs({**at, **{u: at[u] + shifts.count(u) for u in variables}})

    return sympy.Matrix(
        [[value(p, q) - value(p) - value(q) + value() for q in variables] for p in variables]
    )


def _averaged(hessian: Any, x: Any) -> Any:
    import sympy

    data = (1, 4, 10)
    total = sum((hessian.subs(x, value) for value in data), sympy.zeros(2))
    return total / len(data)


TOPIC = Topic(
    "normalisation",
    "the condition number of one input and a bias: raw, centred, standardised, in other units",
    _build,
    takes="nothing",
)
