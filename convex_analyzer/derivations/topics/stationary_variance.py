"""The stationary variance of a rule whose gradients carry noise, from the noise in its step."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.linear import gradient_line, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting, positively, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.theory.symbolic import exactly


def channels(s: Setting) -> list[Any]:
    """Return, for each gradient of a step, what multiplies its noise in each slot.

    Raises
    ------
    NotDerivableError
        The rule asks for no gradient.
    """
    import sympy

    found = [
        sympy.Matrix(channel).applyfunc(lambda c: sympy.expand(exactly(sympy.sympify(c))))
        for channel in s.iteration.noise
    ]
    if not found:
        raise NotDerivableError(f"{s.name} asks for no gradient, so no noise enters")
    return found


def _build(optimizer: Any) -> Derivation:
    import sympy

    s = Setting(optimizer)
    s.require_slots(1, 2)
    noise = channels(s)
    chain = Chain(f"{s.name} under noise")
    chain.lines += [gradient_line(s), step_line(s)]
    sigma = sympy.Symbol("sigma", positive=True)
    xi = [sympy.IndexedBase("n" if len(noise) == 1 else f"n{i}") for i in range(len(noise))]
    image = s.matrix * sympy.Matrix(s.at(0))
    for channel, base in zip(noise, xi, strict=True):
        image = image + channel * base[s.k]
    for new, value in zip(s.at(1), image, strict=True):
        chain.equal(
            "with noise in the gradient",
            new,
            sympy.collect(sympy.expand(value), [*s.at(0), *(base[s.k] for base in xi)], tidy),
            "g = λx + n, of mean 0 and variance σ², drawn anew in every step",
            given=_stepped(s, new, xi),
        )
    size = s.matrix.rows
    if size == 1:
        _one(s, chain, noise, sigma)
    else:
        _two(s, chain, noise, sigma)
    _small(s, chain)
    return chain.done()


def _stepped(s: Setting, new: Any, xi: list[Any]) -> Any:
    """Run the rule itself with noise added to each gradient."""
    from convex_analyzer.derivations.setting import Scalar
    from convex_analyzer.optimizers.base import as_state

    calls = iter(xi)

    class Noisy(Scalar):
        def gradient(self, theta: Any) -> Any:
            return super().gradient(theta) + next(calls)[s.k]

    after = as_state(s.rule, s.rule.step(Noisy(s.eigenvalue), 1, *s.at(0)))
    return exactly(after[s.at(1).index(new)])


def _one(s: Setting, chain: Chain, noise: list[Any], sigma: Any) -> None:
    import sympy

    v = sympy.Symbol("V", positive=True)
    factor = s.matrix[0, 0]
    push = sum((channel[0] ** 2 for channel in noise), sympy.Integer(0))
    chain.say(
        "variance in the long run",
        sympy.Eq(v, tidy(factor) ** 2 * v + tidy(push) * sigma**2, evaluate=False),
        "the noise is independent of x: variances add, factors are squared",
        "the noisy step squared and multiplied out; products replaced by their means",
        _moments(
            s, noise, sympy.Matrix([[factor**2 * v + push * sigma**2]]), sympy.Matrix([[v]]), sigma
        ),
    )
    solution = tidy(push * sigma**2 / (1 - factor**2))
    chain.say(
        "stationary variance",
        sympy.Eq(v, solution, evaluate=False),
        "solved; it exists where |f| < 1",
        "put into the line above: normal form; and 400 steps iterated from rest",
        is_zero(factor**2 * solution + push * sigma**2 - solution)
        and _iterated(s, noise, solution, sigma),
    )


def _two(s: Setting, chain: Chain, noise: list[Any], sigma: Any) -> None:
    import sympy

    letters = sympy.symbols("V_x C V_m", real=True)
    P = sympy.Matrix([[letters[0], letters[1]], [letters[1], letters[2]]])
    push = sum((n * n.T for n in noise), sympy.zeros(2)) * sigma**2
    after = s.matrix * P * s.matrix.T + push
    chain.say(
        "covariance in the long run",
        sympy.Eq(
            P,
            sympy.MatAdd(sympy.MatMul(s.matrix, P, s.matrix.T), push.applyfunc(tidy)),
            evaluate=False,
        ),
        "P = M P Mᵀ + N: the noise is independent of the state",
        "entry by entry, the mean of the square of the noisy step above",
        _moments(s, noise, after, P, sigma),
    )
    equations = [(after - P)[i] for i in (0, 1, 3)]
    system, right = sympy.linear_eq_to_matrix(equations, letters)
    (solved,) = sympy.linsolve((system, right), *letters)
    value = positively(tidy(solved[0]))
    values = dict(zip(letters, solved, strict=True))
    chain.say(
        "stationary variance",
        sympy.Eq(letters[0], value, evaluate=False),
        "three linear equations solved; it exists where the rule is stable",
        "all three put into the line above: normal forms; and 400 steps iterated from rest",
        all(is_zero(e.xreplace(values)) for e in equations) and _iterated(s, noise, value, sigma),
    )


def _moments(s: Setting, noise: list[Any], after: Any, P: Any, sigma: Any) -> bool:
    """Expand the square of a noisy step, and replace products by their means."""
    import sympy

    state = sympy.symbols(f"a0:{P.rows}")
    draws = sympy.symbols(f"n0:{len(noise)}")
    after_step = s.matrix * sympy.Matrix(state)
    for channel, draw in zip(noise, draws, strict=True):
        after_step = after_step + channel * draw
    squares = after_step * after_step.T

    def mean(expression: Any) -> Any:
        out = sympy.Integer(0)
        polynomial = sympy.Poly(expression, *state, *draws)
        for powers, coefficient in polynomial.terms():
            old, new = powers[: P.rows], powers[P.rows :]
            if not any(new):
                i, j = (index for index, power in enumerate(old) for _ in range(power))
                out += coefficient * P[i, j]
            elif max(new) == 2:
                out += coefficient * sigma**2
        return out

    return all(is_zero(mean(q) - w) for q, w in zip(squares, after, strict=True))


def _iterated(s: Setting, noise: list[Any], solution: Any, sigma: Any) -> bool:
    """Iterate the covariance from rest, in floating point, at three stable points."""
    import random

    import numpy as np
    import sympy

    rng = random.Random(1)
    symbols = [*s.hyper.values(), s.eigenvalue]
    matrix = sympy.lambdify(symbols, s.matrix, "numpy")
    pushes = sympy.lambdify(symbols, noise, "numpy")
    closed = sympy.lambdify([*symbols, sigma], solution, "math")
    met = 0
    for _ in range(60):
        point = [rng.uniform(0.1, 0.8) for _ in symbols]
        M = np.array(matrix(*point), dtype=float)
        if max(abs(np.linalg.eigvals(M))) > 0.97:
            continue
        N = sum(np.outer(n, n) for n in map(np.ravel, pushes(*point)))
        P = np.zeros_like(M)
        for _ in range(400):
            P = M @ P @ M.T + N
        if not abs(P[0, 0] - closed(*point, 1.0)) <= 1e-6 * max(1.0, abs(P[0, 0])):
            return False
        met += 1
        if met == 3:
            break
    return met == 3


def _small(s: Setting, chain: Chain) -> None:
    """Add what is left for small learning rates."""
    import sympy

    if s.rate is None:
        return
    line = chain.lines[-1].statement
    share = sympy.cancel(line.rhs / s.rate)
    here = sympy.fraction(share)[1].subs(s.rate, 0) != 0
    first = share.subs(s.rate, 0) if here else sympy.limit(share, s.rate, 0)
    if not first.is_finite or first == 0 or first.has(sympy.oo):
        return
    rest = sympy.cancel(share - first)
    chain.say(
        "for a small learning rate",
        sympy.Eq(sympy.Limit(line.lhs / s.rate, s.rate, 0), tidy(first), evaluate=False),
        "first order in α: the noise floor is proportional to α",
        "what is left over vanishes at α = 0: its numerator has the factor α",
        is_zero(rest.subs(s.rate, 0)),
    )


TOPIC = Topic(
    "stationary_variance",
    "how far noise in the gradients keeps a rule from the minimum, in the long run",
    _build,
    ("GradientDescent",),
)
