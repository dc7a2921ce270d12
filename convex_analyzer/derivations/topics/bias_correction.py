"""Bias correction: moving averages that start at zero are too small by 1 - β^t."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.averages import Average, averages_of, root_free
from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.running import OpenRun, Plane
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.derivations.topics.unrolled import unroll
from convex_analyzer.errors import NotDerivableError


def _build(optimizer: Any) -> Derivation:
    import sympy

    run = OpenRun(optimizer)
    g = sympy.Symbol("g", real=True, nonzero=True)
    t = sympy.Symbol("t", integer=True, positive=True)
    averages, others = averages_of(run, g, t)
    averages = [
        one
        for one in averages
        if one.kept.free_symbols
        and one.start == 0
        and is_zero(one.push - (1 - one.kept) * _bare(one))
    ]
    if not averages:
        raise NotDerivableError(
            f"{run.name} keeps no moving average (weights 1 − β) that starts at zero, so there is "
            "nothing to correct"
        )
    chain = Chain(f"Bias correction in {run.name}")
    for one in averages:
        unroll(run, chain, one, g)
        _weights(run, chain, one)
    if others:
        return chain.done(f"Stops here: {', '.join(others)} is no moving average.")
    return chain.done(_corrected(run, chain, averages, g, t))


def _weights(run: OpenRun, chain: Chain, one: Average) -> None:
    """Add the sum of the weights of all gradients so far."""
    import sympy

    i = sympy.Symbol("i", integer=True, nonnegative=True)
    t = sympy.Symbol("t", integer=True, positive=True)
    kept = run.settled(one.kept)
    share = run.settled(sympy.factor(one.push / _bare(one)))
    weights = sympy.Sum(share * kept**i, (i, 0, t - 1))
    closed = sympy.cancel(share / (1 - kept)) * (1 - kept**t)
    step = closed + share * kept**t - closed.subs(t, t + 1)
    chain.say(
        f"weights in {one.symbol}",
        sympy.Eq(weights, closed, evaluate=False),
        "after t steps; they would have to sum to 1 for an average",
        "induction on t: t = 1 is one weight, and one more weight takes t to t + 1: normal forms",
        is_zero(step) and is_zero(closed.subs(t, 1) - share),
    )


def _bare(one: Average) -> Any:
    """Return what is averaged: the push without its constant factor."""
    import sympy

    g = next(s for s in one.push.free_symbols if s.name == "g")
    return sympy.Mul(*[f for f in sympy.Mul.make_args(one.push) if g in f.free_symbols])


def _corrected(run: OpenRun, chain: Chain, averages: list[Average], g: Any, t: Any) -> str:
    """Put in the averages as (1 - β^t) times an unbiased one; return what still depends on t."""
    import sympy

    state, back, powers = [run.theta], {}, {}
    for one in averages:
        filled = sympy.Dummy("filled", positive=True)
        unbiased = sympy.Symbol(f"{one.symbol.name}_hat", positive=True)
        whole = sympy.cancel(one.push / (1 - one.kept) / _bare(one))
        back[filled] = 1 - run.settled(one.kept) ** t
        powers[one.kept**t] = 1 - filled
        state.append((filled * whole * unbiased - one.push) / one.kept)
    move = (run.step(t, Plane(g), state)[0] - run.theta).subs(powers)
    if move.has(sympy.Piecewise, sympy.Max, sympy.Min):
        return "Stops here: the step chooses between formulas."
    simple = root_free(move)
    shown = run.settled(simple).subs(back)
    given = move.subs(back).subs(run.back)
    chain.equal(
        "the step, by unbiased averages",
        sympy.Symbol("Delta_t"),
        shown,
        "each average written as 1 − βᵗ times one whose weights sum to 1 (a hat)",
        given=given,
    )
    if t in shown.free_symbols:
        return (
            f"Stops here: the step of {run.name} still depends on t, so the start is not (wholly) "
            "corrected: its steps differ from those of unbiased averages by this factor."
        )
    return ""


TOPIC = Topic(
    "bias_correction",
    "why moving averages that start at zero are divided by 1 − βᵗ, from the rule's own step",
    _build,
    ("Adam",),
)
