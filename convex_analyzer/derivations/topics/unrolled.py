"""A velocity, or a moving average, written as a sum over past gradients."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.averages import Average, averages_of
from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.running import OpenRun, Plane
from convex_analyzer.derivations.setting import tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError


def _build(optimizer: Any) -> Derivation:
    import sympy

    run = OpenRun(optimizer)
    g = sympy.Symbol("g", real=True)
    averages, others = averages_of(run, g, sympy.Symbol("t", integer=True, positive=True))
    if not averages:
        raise NotDerivableError(
            f"{run.name} keeps no sum over past gradients: none of its slots "
            f"({', '.join(others) or 'it has no memory'}) is a multiple of itself plus a share of g"
        )
    chain = Chain(f"The memory of {run.name}, unrolled")
    for one in averages:
        unroll(run, chain, one, g)
    stopped = f"Stops here: {', '.join(others)} is no such sum." if others else ""
    return chain.done(stopped)


def unroll(run: OpenRun, chain: Chain, one: Average, g: Any) -> None:
    """Add the lines of one slot."""
    import sympy

    j, k, i = (sympy.Symbol(name, integer=True, nonnegative=True) for name in "jki")
    slot, past = sympy.IndexedBase(one.symbol.name), sympy.IndexedBase("g")
    kept = run.settled(one.kept)
    settled = run.settled(one.push)

    def push(at: Any) -> Any:
        return settled.subs(g, at)

    chain.equal(
        f"the rule: {one.symbol}",
        slot[k + 1],
        kept * slot[k] + push(past[k]),
        f"step, run on symbols ({run.cls.source or 'user rule'})",
        given=_stepped(run, one, g, slot[k], past[k]),
    )
    chain.equal(
        "two steps",
        slot[k + 1],
        kept**2 * slot[k - 1] + push(past[k]) + kept * push(past[k - 1]),
        "the rule for the step before, put in",
        given=kept * _stepped(run, one, g, slot[k - 1], past[k - 1]) + push(past[k]),
    )
    total = sympy.Sum(kept**i * push(past[k - i]), (i, 0, j))
    # from j to j + 1: the oldest value is replaced by the rule, and gives the next term of the sum
    older, oldest = slot[k - j - 1], past[k - j - 1]
    term = total.function.subs(i, j + 1)
    grows = kept ** (j + 2) * older + term - kept ** (j + 1) * (kept * older + push(oldest))
    above = chain.lines[-1].statement.rhs
    chain.say(
        "after j + 1 steps",
        sympy.Eq(slot[k + 1], kept ** (j + 1) * slot[k - j] + total, evaluate=False),
        "the oldest value is replaced again and again",
        "j = 1 is the line above; from j to j + 1 by the rule: normal form (induction)",
        is_zero(grows)
        and is_zero((kept ** (j + 1) * slot[k - j] + total).subs(j, 1).doit() - above),
    )
    whole = sympy.Sum(kept**i * push(past[k - i]), (i, 0, k))
    start = sympy.sympify(one.start)
    if start.free_symbols:
        return
    chain.say(
        "from the start",
        sympy.Eq(slot[k + 1], kept ** (k + 1) * start + whole, evaluate=False),
        f"j = k; {one.symbol} starts at {start}",
        "four steps of the rule, with a gradient of its own in each",
        _from_start(run, one, past, kept ** (k + 1) * start + whole, k),
    )
    _constant(run, chain, one, g, k)


def _stepped(run: OpenRun, one: Average, g: Any, old: Any, gradient: Any) -> Any:
    """Run the rule and return the new value of the slot."""
    import sympy

    t = sympy.Symbol("t", integer=True, positive=True)
    after = run.step(t, Plane(g), [run.theta, *run.slots])[one.place]
    return after.subs(run.back).subs({one.symbol: old, g: gradient})


def _from_start(run: OpenRun, one: Average, past: Any, formula: Any, k: Any) -> bool:
    import sympy

    letters = sympy.symbols("g0:4", real=True)
    state = run.start()
    for t, letter in enumerate(letters, 1):
        state = run.step(t, Plane(letter), state)
        want = formula.subs(k, t - 1).doit().subs({past[i]: g for i, g in enumerate(letters)})
        if not is_zero(state[one.place].subs(run.back) - want):
            return False
    return True


def _constant(run: OpenRun, chain: Chain, one: Average, g: Any, k: Any) -> None:
    """Add the closed form for a gradient that does not change."""
    import sympy

    kept = run.settled(one.kept)
    push = run.settled(sympy.factor(one.push))
    grown = push * (k + 1)
    if kept != 1:
        grown = tidy(push / (1 - kept)) * (1 - kept ** (k + 1))
    closed = grown + kept ** (k + 1) * sympy.sympify(one.start)
    slot = sympy.IndexedBase(one.symbol.name)
    step = kept * closed + run.settled(one.push) - closed.subs(k, k + 1)
    chain.say(
        "at a constant gradient",
        sympy.Eq(slot[k + 1], closed, evaluate=False),
        "a geometric sum" if kept != 1 else "a sum of equal terms",
        "induction on k: true at k = 0, and one step of the rule takes k to k + 1: normal forms",
        is_zero(step)
        and is_zero(closed.subs(k, 0) - run.settled(one.push) - kept * sympy.sympify(one.start)),
    )


TOPIC = Topic(
    "unrolled",
    "the velocity, or a moving average, as a sum over past gradients",
    _build,
    ("HeavyBall",),
)
