"""The first step of a rule, and the k-th at a constant gradient: how its size comes about."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.averages import averages_of, root_free, signed
from convex_analyzer.derivations.chain import Chain, named_powers
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.running import OpenRun, Plane
from convex_analyzer.derivations.topic import Topic


def _build(optimizer: Any) -> Derivation:
    import sympy

    run = OpenRun(optimizer)
    g = sympy.Symbol("g", real=True, nonzero=True)
    chain = Chain(f"The first steps of {run.name}")
    start = run.start()
    after, numbers = named_powers(run.step(1, Plane(g), start))
    for slot, value in zip(run.slots, after[1:], strict=True):
        chain.equal(
            f"{slot} after one step",
            sympy.IndexedBase(slot.name)[1],
            run.settled(root_free(value)).subs(numbers),
            f"step, run on symbols from the start ({run.cls.source or 'user rule'})",
            given=value.subs(run.back).subs(numbers),
        )
    delta = sympy.IndexedBase("Delta")
    move = sympy.expand(after[0]) - run.theta
    if move.has(sympy.Piecewise, sympy.Max, sympy.Min):
        return chain.done("Stops here: the step chooses between formulas.")
    _sizes(run, chain, (delta[1], move), g, numbers)
    return chain.done(_later(run, chain, delta, g))


def _sizes(run: OpenRun, chain: Chain, step: tuple[Any, Any], g: Any, numbers: Any) -> None:
    """Add the step as it comes out, simplified, and without the small constants."""
    import sympy

    left, move = step
    raw = (move.subs(run.back)).doit().subs(numbers)
    simple = root_free(move)
    shown = run.settled(simple).subs(numbers)
    chain.equal("the step", left, shown, "θ after the step, less θ before; roots taken", given=raw)
    small = [e for e in run.epsilons if e in shown.free_symbols]
    without = run.settled(signed(root_free(simple.subs(dict.fromkeys(small, 0))), g)).subs(numbers)
    if without == shown or without.has(sympy.zoo, sympy.nan):
        return
    names = ", ".join(f"{e} = 0" for e in small)
    chain.equal(
        "its size",
        left,
        without,
        f"g/|g| is the sign of g{'; ' + names if small else ''}",
        given=shown.subs(dict.fromkeys(small, 0)),
        using=dict.fromkeys(small, 0),
    )


def _later(run: OpenRun, chain: Chain, delta: Any, g: Any) -> str:
    """Add the k-th step at a constant gradient; return why there is none."""
    import sympy

    k = sympy.Symbol("k", integer=True, positive=True)
    averages, others = averages_of(run, g, k)
    if others:
        return (
            f"Stops here: {', '.join(others)} is no moving average or sum, so step k has no closed "
            "form."
        )
    if not run.slots:
        return ""
    state, back = [run.theta], {}
    for one in averages:
        # a^k = 1 - E with E positive, so that roots of 1 - a^k are real
        filled = sympy.Dummy(f"filled_{one.symbol}", positive=True)
        back[filled] = 1 - run.settled(one.kept) ** k
        before = one.after(k - 1, (1 - filled) / one.kept)
        state.append(before)
    after = run.step(k, Plane(g), state)
    powers = {one.kept**k: 1 - f for one, f in zip(averages, back, strict=True)}
    move = (after[0] - run.theta).subs(powers)
    if sympy.expand(move).has(run.theta) or move.has(sympy.Piecewise):
        return "Stops here: the step depends on θ itself, or chooses between formulas."
    simple = root_free(move)
    small = dict.fromkeys([e for e in run.epsilons if e in simple.free_symbols], 0)
    for one, filled in zip(averages, back, strict=True):
        value = run.settled(sympy.factor(one.after(k, 1 - filled))).subs(back)
        chain.equal(
            f"{one.symbol} after k steps at a constant gradient",
            sympy.IndexedBase(one.symbol.name)[k],
            value,
            "a geometric sum" if one.kept != 1 else "a sum of equal terms",
            given=(one.kept * one.after(k - 1) + one.push).subs(run.back),
            more=("three steps of the rule", _three(run, one, g, k, value)),
        )
    without = run.settled(signed(root_free(simple.subs(small)), g)).subs(back)
    checked = _third_step(run, g, without.subs(k, 3).subs(small), small)
    chain.say(
        "step k at a constant gradient",
        sympy.Eq(delta[k], without, evaluate=False),
        "the memory before it put into step" + ("; ε = 0" if small else ""),
        "steps 1 to 3 of the rule, at exact numbers",
        all(_third_step(run, g, without.subs(k, n), small, n) for n in (1, 2, 3)) and checked,
    )
    return ""


def _three(run: OpenRun, one: Any, g: Any, k: Any, value: Any) -> bool:
    from convex_analyzer.derivations.chain import is_zero

    state = run.start()
    for t in (1, 2, 3):
        state = run.step(t, Plane(g), state)
        if not is_zero(state[one.place].subs(run.back) - value.subs(k, t)):
            return False
    return True


def _third_step(run: OpenRun, g: Any, formula: Any, small: Any, count: int = 3) -> bool:
    """Run the rule on numbers and compare the last step with the formula."""
    import sympy

    numbers = {s: sympy.Rational(i + 2, i + 7) for i, s in enumerate(run.hyper.values())}
    numbers |= small
    for slope in (sympy.Rational(-3, 2), sympy.Rational(2, 3)):
        state = [
            sympy.Integer(0),
            *(v.subs(run.theta, 0) if hasattr(v, "subs") else v for v in run.start()[1:]),
        ]
        values = {name: numbers[symbol] for name, symbol in run.hyper.items()}
        rule = run.rule.unchecked(**values)
        move = sympy.Integer(0)
        for t in range(1, count + 1):
            new = rule.step(Plane(slope), t, *state)
            new = list(new) if isinstance(new, tuple) else [new]
            move = new[0] - state[0]
            state = new
        want = formula.subs(numbers).subs(g, slope)
        if abs(sympy.N(move - want, 30)) > sympy.Float(10) ** -20:
            return False
    return True


TOPIC = Topic(
    "first_step",
    "the size of the first step, and of step k at a constant gradient",
    _build,
    ("Adam",),
)
