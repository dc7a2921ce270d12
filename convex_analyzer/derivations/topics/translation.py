"""Translation: a rule started elsewhere, on the loss moved there, does the same."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, agree
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.running import OpenRun, Plane
from convex_analyzer.derivations.topic import Topic


def _build(optimizer: Any) -> Derivation:
    import sympy

    run = OpenRun(optimizer)
    chain = Chain(f"{run.name} does not see where the origin is")
    theta, shift, error = (sympy.Symbol(n, real=True) for n in ("theta", "c", "e"))
    slope, moved = sympy.Function("G", real=True), sympy.Function("g", real=True)
    x = sympy.Symbol("x", real=True)
    chain.say(
        "the loss moved by c",
        sympy.Eq(moved(x), slope(x - shift), evaluate=False),
        "J_c(θ) = J(θ − c): the gradient moves with it (chain rule)",
        "differentiated: d/dx J(x − c) is J′ at x − c",
        _chain_rule(x, shift),
    )
    chain.say(
        "measured from c",
        sympy.Eq(theta, error + shift, evaluate=False),
        "e = θ − c; for quadratics with c = θ* = −A⁻¹b, so that the linear term is gone",
        "definition",
        "given",
    )
    t = sympy.Symbol("t", integer=True, positive=True)
    displaced = Plane(lambda at: slope(sympy.expand(at - shift)))
    here = run.step(t, displaced, [error + shift, *run.slots])
    there = run.step(t, Plane(lambda at: slope(sympy.expand(at))), [error, *run.slots])
    for slot, value, plain in zip((run.theta, *run.slots), here, there, strict=True):
        place = slot is run.theta
        want = plain + shift if place else plain
        verdict, check = agree(value.subs(run.back), want.subs(run.back))
        name = sympy.Symbol("e_new" if place else f"{slot.name}_new", real=True)
        if verdict == "refuted":
            rest = sympy.simplify(sympy.expand(value - want))
            return chain.done(
                f"Stops here: {'θ' if place else slot} after a step differs from the unmoved one "
                f"by {run.settled(rest)}: {run.name} pulls towards a point of its own."
            )
        chain.say(
            f"one step: {'e' if place else slot}",
            sympy.Eq(name, run.settled(plain), evaluate=False),
            "the rule on the moved loss, less c: c is gone" if place else "c does not occur",
            f"against the rule on the loss that was not moved: {check}",
            verdict,
        )
    start = run.rule.start(None, error + shift)
    same = all(sympy.sympify(one).has(shift) is False for one in start)
    return chain.done("" if same else "Stops here: the memory starts at a value that depends on c.")


def _chain_rule(x: Any, shift: Any) -> bool:
    import sympy

    J = sympy.Function("J")
    inner = sympy.diff(J(x), x)
    return bool(
        sympy.simplify(sympy.diff(J(x - shift), x).doit() - inner.subs(x, x - shift).doit()) == 0
    )


TOPIC = Topic(
    "translation",
    "that a rule does the same wherever the minimum lies; or what in it does not",
    _build,
    ("HeavyBall",),
)
