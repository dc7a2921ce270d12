"""The characteristic polynomial of a rule, and its roots by the quadratic formula."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, agree, is_zero
from convex_analyzer.derivations.linear import gradient_line, polynomial_line, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic


def _build(optimizer: Any) -> Derivation:
    import sympy

    s = Setting(optimizer)
    chain = Chain(f"Roots of {s.name}")
    chain.lines += [gradient_line(s), step_line(s), polynomial_line(s)]
    if s.matrix.rows == 1:
        root = sympy.Symbol("r")
        at_root = (s.z - s.matrix[0, 0]).subs(s.z, tidy(s.matrix[0, 0]))
        chain.equal(
            "its root",
            root,
            tidy(s.matrix[0, 0]),
            "one slot, one root: the factor",
            given=tidy(s.matrix[0, 0]),
            more=("put into the polynomial it gives 0", is_zero(at_root)),
        )
        return chain.done()
    if s.matrix.rows > 2:
        return chain.done(f"Stops here: degree {s.matrix.rows}. derive('jury', …) needs no roots.")
    r1, r2 = sympy.symbols("r_1 r_2")
    t, d = s.trace, s.determinant
    chain.equal("sum of the roots", r1 + r2, tidy(t), "Vieta", given=s.matrix.trace())
    chain.equal("product of the roots", r1 * r2, tidy(d), "Vieta", given=s.matrix.det())
    under = tidy(t) ** 2 - 4 * tidy(d)
    for name, sign in ((r1, 1), (r2, -1)):
        root = (tidy(t) + sign * sympy.sqrt(under)) / 2
        verdict, check = agree(root**2 - t * root + d, sympy.Integer(0))
        chain.say(
            f"root {'12'[sign < 0]}",
            sympy.Eq(name, root, evaluate=False),
            "quadratic formula",
            f"put into the polynomial: {check}",
            verdict,
        )
    chain.equal(
        "modulus of complex roots",
        sympy.Abs(r1) ** 2,
        tidy(d),
        "a conjugate pair: the modulus squared is the product",
        given=(t / 2) ** 2 + (4 * d - t**2) / 4,
    )
    return chain.done()


TOPIC = Topic(
    "roots",
    "the characteristic polynomial and its roots, by which x[k] grows or shrinks",
    _build,
    ("HeavyBall",),
)
