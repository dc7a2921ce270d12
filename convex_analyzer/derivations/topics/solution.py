"""The solution after k steps: from (I - αA)ᵏ to (1 - αλ)ᵏ, or by the two roots."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain
from convex_analyzer.derivations.linear import gradient_line, matrix_lines, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.derivations.topics.eigenbasis import Basis, of_matrix
from convex_analyzer.errors import NotDerivableError


def _build(optimizer: Any) -> Derivation:
    s = Setting(optimizer)
    s.require_slots(1, 2)
    chain = Chain(f"{s.name} after k steps")
    stopped = ""
    if s.matrix.rows == 1:
        try:
            _in_matrices(s, chain)
        except NotDerivableError as error:
            stopped = str(error)
    chain.lines += [gradient_line(s), step_line(s), *matrix_lines(s)]
    _loss(s, chain)
    return chain.done(stopped)


def _in_matrices(s: Setting, chain: Chain) -> None:
    import sympy

    b = Basis()
    factor = of_matrix(s.matrix[0, 0], s.eigenvalue, b.A, b.identity)
    diagonal = of_matrix(s.matrix[0, 0], s.eigenvalue, b.L, b.identity)
    start, once = b.vector("e_0"), b.vector("e_1")
    chain.say(
        "one step",
        sympy.Eq(once, factor * start, evaluate=False),
        "the rule, about the minimiser: e = θ − θ*",
        *b.same(factor * start, b.Q * diagonal * b.Q.T * start),
    )
    two = factor**2 * start
    chain.say(
        "two steps",
        sympy.Eq(b.vector("e_2"), two, evaluate=False),
        "the same step again",
        *b.same(factor * (factor * start), two),
    )
    # induction: Q f(Λ)^k Qᵀ times Q f(Λ) Qᵀ loses QᵀQ = I; checked for several k
    powers = [b.same(factor**k * start, b.Q * diagonal**k * b.Q.T * start) for k in (1, 2, 3, 4)]
    chain.say(
        "k steps",
        sympy.Eq(b.vector("e_k"), sympy.MatMul(sympy.MatPow(factor, s.k), start), evaluate=False),
        "the same matrix in every step",
        "induction on k: one more step multiplies by the same matrix; written out for k = 1 … 4",
        all(holds for _, holds in powers),
    )
    chain.say(
        "in the eigenbasis",
        sympy.Eq(
            b.vector("e_k"),
            sympy.MatMul(b.Q, sympy.MatPow(diagonal, s.k), b.Q.T, start),
            evaluate=False,
        ),
        "A = QΛQᵀ; between the factors QᵀQ = I cancels",
        f"k = 1 … 4: {powers[0][0]}",
        all(holds for _, holds in powers),
    )


def _loss(s: Setting, chain: Chain) -> None:
    """Add the loss along the direction, for a rule without memory."""
    import sympy

    if s.matrix.rows != 1:
        return
    factor, start = tidy(s.matrix[0, 0]), s.bases[0][0]
    loss = s.eigenvalue / 2 * factor ** (2 * s.k) * start**2
    chain.equal(
        "its share of the loss",
        sympy.Symbol("J_k"),
        loss,
        "½λx², with x after k steps; the factor is squared",
        given=s.eigenvalue * chain.lines[-1].statement.rhs ** 2 / 2,
    )


TOPIC = Topic(
    "solution",
    "the state after k steps: (I − αA)ᵏ and (1 − αλ)ᵏ, or powers of two roots",
    _build,
    ("GradientDescent",),
)
