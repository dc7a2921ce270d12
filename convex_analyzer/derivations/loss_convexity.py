"""Why the usual losses are convex in the outputs, and in the weights of a linear model.

Every line is an identity that SymPy checks: for a general number of classes K by differentiating
and expanding sums with symbolic indices, and once more with all entries written out for small K.

Sources: lecture 001, slides 9-10 (the exercise); Cauchy–Schwarz; Popoviciu 1935 for the bound.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from convex_analyzer.derivations.convexity_signs import definiteness
from convex_analyzer.derivations.lines import Derivation, Line
from convex_analyzer.derivations.setting import verdict
from convex_analyzer.errors import InputError

__all__ = ["LOSSES", "convexity_of_loss"]

_WRITTEN_OUT = (2, 3, 4)  # K at which identities are checked entry by entry


def convexity_of_loss(name: str) -> Derivation:
    """Prove that a loss is convex in the outputs of a model.

    Parameters
    ----------
    name
        ``squared_error``, ``logistic_cross_entropy``, ``softmax_cross_entropy`` (any number of
        classes), or ``linear_model``: that a convex loss of the outputs of a linear model is
        convex in its weights.

    Raises
    ------
    InputError
        Another name.

    Examples
    --------
    >>> proof = convexity_of_loss("softmax_cross_entropy")
    >>> proof.proved, len(proof.lines)
    (True, 6)
    """
    if name not in LOSSES:
        raise InputError(
            f"there is no proof for {name!r}", argument="name", hint=f"known: {', '.join(LOSSES)}"
        )
    return _derived(name)


@functools.lru_cache(maxsize=8)
def _derived(name: str) -> Derivation:
    title, lines = LOSSES[name]
    return Derivation(title, tuple(lines()))


# -- one output -----------------------------------------------------------------------------------


def _squared_error() -> list[Line]:
    import sympy

    y, t = sympy.symbols("y t", real=True)
    loss = (y - t) ** 2 / 2
    second = sympy.diff(loss, y, 2)
    return [
        Line("loss", loss, "y output, t target", "as defined", "proved"),
        Line(
            "second derivative", sympy.Eq(sympy.Symbol("L''"), second, evaluate=False),
            "differentiation", "equal to 1 for all y and t", verdict(second == 1),
        ),
    ]  # fmt: skip


def _logistic() -> list[Line]:
    import sympy

    z, t = sympy.symbols("z t", real=True)
    e = sympy.Symbol("e", positive=True)  # exp(-z)
    fourth = sympy.Rational(1, 4)
    p = 1 / (1 + sympy.exp(-z))
    loss = -t * sympy.log(p) - (1 - t) * sympy.log(1 - p)
    first = sympy.simplify(sympy.diff(loss, z) - (p - t))
    second = sympy.diff(p - t, z)
    product = p * (1 - p)
    rational = product.subs(sympy.exp(-z), e)
    gap = sympy.factor(fourth - rational)
    sigma = sympy.Function("sigma")(z)
    positive = sympy.factor(rational) == e / (1 + e) ** 2
    square = sympy.expand(gap * 4 * (1 + e) ** 2 - (1 - e) ** 2) == 0
    return [
        Line("loss", loss, "y = σ(z) = 1/(1 + exp(−z)), target t", "as defined", "proved"),
        Line(
            "first derivative", sympy.Eq(sympy.Symbol("L'"), sigma - t, evaluate=False),
            "σ′ = σ(1 − σ), and both fractions cancel", "difference simplified to 0",
            verdict(first == 0),
        ),
        Line(
            "second derivative", sympy.Eq(sympy.Symbol("L''"), sigma * (1 - sigma), evaluate=False),
            "whatever the target", "difference simplified to 0",
            verdict(sympy.simplify(second - product) == 0),
        ),
        Line(
            "it is positive", sympy.Gt(e / (1 + e) ** 2, 0, evaluate=False),
            "with e = exp(−z) > 0", "a quotient with positive coefficients only", verdict(positive),
        ),
        Line(
            "it is at most ¼", sympy.Eq(fourth - e / (1 + e) ** 2, gap, evaluate=False),
            "the difference is a square", "expansion", verdict(square),
        ),
    ]  # fmt: skip


# -- K classes ------------------------------------------------------------------------------------


def _softmax() -> list[Line]:
    import sympy

    K = sympy.Symbol("K", integer=True, positive=True)
    i, j, k = sympy.symbols("i j k", integer=True, positive=True)
    z, t, p, v = (sympy.IndexedBase(letter, real=True) for letter in "ztpv")
    total, mean = sympy.Symbol("T", positive=True), sympy.Symbol("m", real=True)
    delta = sympy.KroneckerDelta(i, j)
    loss = total * sympy.log(sympy.Sum(sympy.exp(z[k]), (k, 1, K)))
    loss -= sympy.Sum(t[k] * z[k], (k, 1, K))
    entry = total * (delta * p[i] - p[i] * p[j])
    variance = sympy.Sum(p[i] * (v[i] - mean) ** 2, (i, 1, K))
    form = sympy.Sum(p[i] * v[i] ** 2, (i, 1, K)) - mean**2
    at_ones = p[i] * (1 - sympy.Sum(p[j], (j, 1, K)))
    bound = (v[i] - v[j]) ** 2 / 4
    return [
        Line(
            "loss", loss, "p = softmax(z), targets t with sum T (1 as a rule)",
            "equal to −Σ t log p", verdict(_loss_agrees()),
        ),
        Line(
            "gradient", sympy.Eq(sympy.Symbol("g_i"), total * p[i] - t[i], evaluate=False),
            "∂ log Σ exp(z) / ∂z_i = p_i", "differentiation with a symbolic index and K",
            verdict(_gradient_agrees(K)),
        ),
        Line(
            "Hessian", sympy.Eq(sympy.Symbol("H_ij"), entry, evaluate=False),
            "∂p_i/∂z_j = δ_ij p_i − p_i p_j: H = T (diag p − p pᵀ)",
            f"differentiation for general K; all entries for K = {_listed()}",
            verdict(_hessian_agrees(K) and _hessian_written_out()),
        ),
        Line(
            "H ⪰ 0", sympy.Eq(form, variance, evaluate=False),
            "vᵀHv/T = Σ p v² − (Σ p v)² is the variance of v under p, m = Σ p v, Σ p = 1: "
            "Cauchy–Schwarz",
            f"sums expanded for general K; Lagrange's identity for K = {_listed()}",
            verdict(_variance_agrees(K) and _lagrange()),
        ),
        Line(
            "H 1 = 0", sympy.Eq(at_ones, 0, evaluate=False),
            "Σ p = 1: adding one number to all outputs changes nothing, so H is singular",
            f"all entries for K = {_listed()}", verdict(_null_vector()),
        ),
        Line(
            "λmax ≤ T/2", sympy.Le(variance, bound, evaluate=False),
            "i, j the largest and least entry of v (Popoviciu); (vᵢ − vⱼ)² ≤ 2(vᵢ² + vⱼ²) ≤ 2|v|²",
            "identities that leave products of non-negative numbers, and squares",
            verdict(_popoviciu()),
        ),
    ]  # fmt: skip


def _listed() -> str:
    return ", ".join(map(str, _WRITTEN_OUT))


def _symbols_of(count: int) -> tuple[Any, Any, Any]:
    import sympy

    z = sympy.symbols(f"z1:{count + 1}", real=True)
    v = sympy.symbols(f"v1:{count + 1}", real=True)
    total = sum(sympy.exp(entry) for entry in z)
    return z, v, [sympy.exp(entry) / total for entry in z]


def _loss_agrees() -> bool:
    """−Σ t log p = T log Σ exp(z) − Σ t z, written out."""
    import sympy

    z, _, _ = _symbols_of(3)
    t = sympy.symbols("t1:4", real=True)
    log_total = sympy.log(sum(sympy.exp(entry) for entry in z))
    by_entry = -sum(a * (b - log_total) for a, b in zip(t, z, strict=True))
    short = sum(t) * log_total - sum(a * b for a, b in zip(t, z, strict=True))
    return bool(sympy.expand(by_entry - short) == 0)


def _log_sum(K: Any) -> tuple[Any, Any, Any]:
    import sympy

    k = sympy.Symbol("k", integer=True, positive=True)
    z = sympy.IndexedBase("z", real=True)
    total = sympy.Sum(sympy.exp(z[k]), (k, 1, K))
    return z, total, sympy.log(total)


def _inside(expression: Any) -> Any:
    """Take the branch in which indices lie between 1 and K."""
    import sympy

    return expression.doit().replace(
        lambda part: isinstance(part, sympy.Piecewise), lambda part: part.args[0][0]
    )


def _gradient_agrees(K: Any) -> bool:
    import sympy

    i = sympy.Symbol("i", integer=True, positive=True)
    z, total, log_total = _log_sum(K)
    return bool(sympy.simplify(_inside(sympy.diff(log_total, z[i])) - sympy.exp(z[i]) / total) == 0)


def _hessian_agrees(K: Any) -> bool:
    import sympy

    i, j = sympy.symbols("i j", integer=True, positive=True)
    z, total, _ = _log_sum(K)
    p_i, p_j = sympy.exp(z[i]) / total, sympy.exp(z[j]) / total
    found = _inside(sympy.diff(p_i, z[j]))
    expected = sympy.KroneckerDelta(i, j) * p_i - p_i * p_j
    return bool(sympy.simplify(sympy.expand(found - expected)) == 0)


def _hessian_written_out() -> bool:
    import sympy

    for count in _WRITTEN_OUT:
        z, _, p = _symbols_of(count)
        log_total = sympy.log(sum(sympy.exp(entry) for entry in z))
        column = sympy.Matrix(p)
        expected = sympy.diag(*p) - column * column.T
        gap = sympy.hessian(log_total, z) - expected
        if any(sympy.cancel(sympy.together(entry)) != 0 for entry in gap):
            return False
    return True


def _variance_agrees(K: Any) -> bool:
    """Σ p(v − m)² = Σ p v² − 2m Σ p v + m² Σ p, so that Σ p = 1 and Σ p v = m leave Σ p v² − m²."""
    import sympy

    i = sympy.Symbol("i", integer=True, positive=True)
    p, v = (sympy.IndexedBase(letter, real=True) for letter in "pv")
    m = sympy.Symbol("m", real=True)
    known = {
        sympy.Sum(p[i], (i, 1, K)): sympy.Integer(1),
        sympy.Sum(p[i] * v[i], (i, 1, K)): m,
    }
    sums = sympy.expand(sympy.Sum(p[i] * (v[i] - m) ** 2, (i, 1, K)))
    total = sympy.Integer(0)
    for part in sympy.Add.make_args(sums):
        number, rest = part.function.as_independent(i, p, v, as_Add=False)
        total += number * sympy.Sum(rest, (i, 1, K)).subs(known)
    return bool(sympy.expand(total - (sympy.Sum(p[i] * v[i] ** 2, (i, 1, K)) - m**2)) == 0)


def _lagrange() -> bool:
    """(Σp)(Σpv²) − (Σpv)² = Σ_{i<j} p_i p_j (v_i − v_j)², which is not negative for p > 0."""
    import sympy

    for count in (*_WRITTEN_OUT, 6):
        p, v = sympy.symbols(f"p1:{count + 1}"), sympy.symbols(f"v1:{count + 1}")
        pairs = [(a, b) for a in range(count) for b in range(a)]
        left = sum(p) * sum(a * b**2 for a, b in zip(p, v, strict=True))
        left -= sum(a * b for a, b in zip(p, v, strict=True)) ** 2
        right = sum(p[a] * p[b] * (v[a] - v[b]) ** 2 for a, b in pairs)
        if sympy.expand(left - right) != 0:
            return False
    return True


def _null_vector() -> bool:
    import sympy

    for count in _WRITTEN_OUT:
        _, _, p = _symbols_of(count)
        column = sympy.Matrix(p)
        image = (sympy.diag(*p) - column * column.T) * sympy.ones(count, 1)
        if any(sympy.cancel(sympy.together(entry)) != 0 for entry in image):
            return False
    return True


def _popoviciu() -> bool:
    """With a ≤ vᵢ ≤ b: (b−m)(m−a) − Σp(v−m)² = Σ p (b−v)(v−a) ≥ 0, and (b−m)(m−a) ≤ (b−a)²/4."""
    import sympy

    a, b, m = sympy.symbols("a b m", real=True)
    p, v = sympy.symbols("p1:4", positive=True), sympy.symbols("v1:4", real=True)
    rest = 1 - p[0] - p[1]
    weights = (p[0], p[1], rest)
    mean = sum(w * x for w, x in zip(weights, v, strict=True))
    variance = sum(w * (x - mean) ** 2 for w, x in zip(weights, v, strict=True))
    products = sum(w * (b - x) * (x - a) for w, x in zip(weights, v, strict=True))
    first = sympy.expand((b - mean) * (mean - a) - variance - products) == 0
    second = sympy.expand((b - a) ** 2 / 4 - (b - m) * (m - a) - (m - (a + b) / 2) ** 2) == 0
    third = sympy.expand(2 * (a**2 + b**2) - (a - b) ** 2 - (a + b) ** 2) == 0
    return bool(first and second and third)


# -- linear models --------------------------------------------------------------------------------


def _linear_model() -> list[Line]:
    import sympy

    weight = sympy.Symbol("lambda", positive=True)
    rows, columns = sympy.symbols("n d", integer=True, positive=True)
    X = sympy.MatrixSymbol("X", rows, columns)
    w, u = (sympy.MatrixSymbol(letter, columns, 1) for letter in "wu")
    mixed = X * (weight * w + (1 - weight) * u)
    apart = weight * X * w + (1 - weight) * X * u
    affine = sympy.expand(mixed - apart).doit()
    holds = affine == sympy.ZeroMatrix(rows, 1) or affine.is_zero_matrix is True
    return [
        Line(
            "outputs mix as weights do", sympy.Eq(mixed, apart, evaluate=False),
            "z = X w (a bias is a column of ones)", "expansion with symbolic sizes; 3 × 2 by entry",
            verdict(holds and _affine_by_entry()),
        ),
        Line(
            "convex in the weights",
            sympy.Symbol("L(X(λw+(1−λ)u)) ≤ λL(Xw) + (1−λ)L(Xu)"),
            "L is convex in z, and the line above puts the chord in the weights on a chord in z",
            "the definition of convexity, once", "proved",
        ),
        Line(
            "Hessian", sympy.Symbol("XᵀHX ⪰ 0"),
            "vᵀ(XᵀHX)v = (Xv)ᵀH(Xv) ≥ 0, where L has second derivatives",
            "chain rule for a general function of two outputs; expansion", verdict(_chain_rule()),
        ),
    ]  # fmt: skip


def _affine_by_entry() -> bool:
    import sympy

    weight = sympy.Symbol("lambda", positive=True)
    X = sympy.Matrix(3, 2, sympy.symbols("x1:7"))
    w, u = sympy.Matrix(sympy.symbols("w1:3")), sympy.Matrix(sympy.symbols("u1:3"))
    gap = X * (weight * w + (1 - weight) * u) - weight * X * w - (1 - weight) * X * u
    return bool(gap.applyfunc(sympy.expand).is_zero_matrix)


def _chain_rule() -> bool:
    """∇²(L∘X)(w) = XᵀHX for L(z₁, z₂) of degree four with free coefficients, and two weights."""
    import sympy

    z, w = sympy.symbols("z1 z2"), sympy.symbols("w1 w2")
    X = sympy.Matrix(2, 2, sympy.symbols("x1:5"))
    powers = [(a, b) for a in range(4) for b in range(4) if 0 < a + b <= 4]
    c = sympy.symbols(f"c0:{len(powers)}")
    loss = sum(c[n] * z[0] ** a * z[1] ** b for n, (a, b) in enumerate(powers))
    at = dict(zip(z, X * sympy.Matrix(w), strict=True))
    direct = sympy.hessian(loss.subs(at, simultaneous=True), w)
    chained = X.T * sympy.hessian(loss, z).subs(at, simultaneous=True) * X
    factored = X.T * X  # a Gram matrix: semi-definite for every X, the case H = I
    pivots = definiteness(factored.subs(dict(zip(X, (2, 1, 4, 2), strict=True))))
    same = (direct - chained).applyfunc(sympy.expand).is_zero_matrix
    return bool(same and pivots == "semi-definite")


LOSSES: dict[str, tuple[str, Callable[[], list[Line]]]] = {
    "squared_error": ("Why the squared error is convex in the output", _squared_error),
    "logistic_cross_entropy": (
        "Why the logistic cross-entropy is convex in the output", _logistic,
    ),
    "softmax_cross_entropy": (
        "Why the softmax cross-entropy of K classes is convex in the outputs", _softmax,
    ),
    "linear_model": ("Why a convex loss of a linear model is convex in its weights", _linear_model),
}  # fmt: skip
