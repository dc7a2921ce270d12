"""On a plane, under a constant gradient: the velocity that a rule ends with."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.averages import averages_of
from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.opening import refusal
from convex_analyzer.derivations.running import OpenRun, Plane
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError


def _build(optimizer: Any) -> Derivation:
    import sympy

    run = OpenRun(optimizer)
    chain = Chain(f"{run.name} on a plane")
    g = sympy.Symbol("g", real=True)
    after, memory, move = _plane(run, g)
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    bases = {slot: sympy.IndexedBase(slot.name) for slot in (run.theta, *run.slots)}
    at = {slot: base[k] for slot, base in bases.items()}
    for slot, value in zip((run.theta, *run.slots), after, strict=True):
        chain.equal(
            "the rule",
            bases[slot][k + 1],
            run.settled(sympy.collect(sympy.expand(value), [*at, g], sympy.factor)).subs(at),
            "the gradient is g everywhere",
            given=value.subs(run.back).subs(at),
        )
    rest = [sympy.Symbol(f"{slot.name}_star", real=True) for slot in run.slots]
    still = dict(zip(run.slots, rest, strict=True))
    equations = [m.subs(still) - r for m, r in zip(memory, rest, strict=True)]
    solved = sympy.solve(equations, rest, dict=True) if rest else [{}]
    if len(solved) != 1 or len(solved[0]) != len(rest):
        return chain.done("Stops here: the memory has no steady value.")
    for slot, symbol, equation in zip(run.slots, rest, equations, strict=True):
        value = run.settled(sympy.factor(solved[0][symbol]))
        right = run.settled(sympy.collect(sympy.expand(equation + symbol), [*rest, g]))
        chain.say(
            f"steady {slot}",
            sympy.Eq(symbol, right, evaluate=False),
            "at the terminal velocity nothing changes any more",
            "the line of this slot with its steady value on both sides: normal form",
            is_zero(right - memory[run.slots.index(slot)].subs(run.back).subs(still)),
        )
        chain.say(
            f"terminal {slot}",
            sympy.Eq(symbol, value, evaluate=False),
            "solved",
            "put into the line above, and a step of the rule from there: unchanged",
            is_zero(equation.subs(solved[0]).subs(run.back)),
        )
    end = run.settled(sympy.factor(move.subs(still).subs(solved[0])))
    chain.equal(
        "terminal step",
        sympy.Symbol("Delta"),
        end,
        "the step of θ at the steady memory",
        given=move.subs(still).subs(solved[0]).subs(run.back),
    )
    _approach(run, chain, g, k, solved[0], rest)
    return chain.done()


def _plane(run: OpenRun, g: Any) -> tuple[list[Any], list[Any], Any]:
    """Run one step; return the new state, the new memory, and the step of θ."""
    import sympy

    t = sympy.Symbol("t", integer=True, positive=True)
    after = [sympy.expand(v) for v in run.step(t, Plane(g), [run.theta, *run.slots])]
    move = sympy.expand(after[0] - run.theta)
    moving = {*run.slots, g}
    for value in (*after[1:], move):
        curved = any(sympy.diff(value, v).free_symbols & moving for v in moving)
        if curved or value.has(sympy.Piecewise, sympy.Max, sympy.Min, sympy.Abs, sympy.sign):
            raise refusal(run.rule, f"{run.name} is not linear on a plane")
        if run.theta in value.free_symbols or t in value.free_symbols:
            raise NotDerivableError(
                f"{run.name} reaches no steady velocity on a plane: its step depends on θ or t"
            )
    return after, after[1:], move


def terminal_move(run: OpenRun) -> Any:
    """Return the terminal step on a plane of slope 1.

    Raises
    ------
    NotDerivableError
        There is none.
    """
    import sympy

    g = sympy.Symbol("g", real=True)
    _, memory, move = _plane(run, g)
    solved = (
        sympy.solve([m - s for m, s in zip(memory, run.slots, strict=True)], run.slots, dict=True)
        if run.slots
        else [{}]
    )
    if len(solved) != 1 or len(solved[0]) != len(run.slots):
        raise NotDerivableError(f"{run.name} has no steady velocity on a plane")
    return run.settled(sympy.factor(move.subs(solved[0]).subs(g, 1)))


def _approach(run: OpenRun, chain: Chain, g: Any, k: Any, steady: Any, rest: list[Any]) -> None:
    """Add how the velocity gets there from rest, for a memory of one slot."""
    import sympy

    if len(run.slots) != 1:
        return
    averages, others = averages_of(run, g, sympy.Integer(5))
    if others or averages[0].start != 0:
        return
    one = averages[0]
    state = run.start()
    holds = True
    for count in range(1, 4):
        state = run.step(count, Plane(g), state)
        holds = holds and is_zero(state[1] - steady[rest[0]] * (1 - one.kept**count))
    kept = run.settled(one.kept)
    chain.equal(
        "from rest",
        sympy.IndexedBase(one.symbol.name)[k],
        sympy.Mul(1 - kept**k, rest[0], evaluate=False),
        "a geometric sum: the share still missing is multiplied by the same factor in every step",
        given=(one.push * (1 - one.kept**k) / (1 - one.kept)).subs(run.back),
        using={rest[0]: run.settled(steady[rest[0]])},
        more=("three steps of the rule from rest", holds),
    )


TOPIC = Topic(
    "terminal_velocity",
    "the velocity under a constant gradient, and how it is reached from rest",
    _build,
    ("HeavyBall",),
)
