"""From the update rule to one recurrence for the error along an eigendirection."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, agree
from convex_analyzer.derivations.linear import gradient_line, recurrence_line, step_line
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.opening import why_not_linear
from convex_analyzer.derivations.running import OpenRun, Plane
from convex_analyzer.derivations.setting import Setting
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers.base import as_state
from convex_analyzer.theory.symbolic import exactly


def _build(optimizer: Any) -> Derivation:
    import sympy

    s = Setting(optimizer)
    chain = Chain(f"From the rule of {s.name} to its recurrence")
    slope = sympy.Function("g")
    after = as_state(s.rule, s.rule.step(Plane(slope), 1, *s.at(0)))
    after = tuple(exactly(sympy.sympify(value)) for value in after)
    for base, new, value in zip(s.bases, s.at(1), after, strict=True):
        # an expression that another slot already has is written with that slot
        other = [(v, n) for n, v in zip(s.at(1), after, strict=True) if n != new and v.has(slope)]
        shown = value
        for known, name in other:
            if base == s.bases[0] and sympy.expand(value - s.at(0)[0] - known) == 0:
                shown = s.at(0)[0] + name
        chain.equal(
            "the rule" if base == s.bases[0] else f"the rule: {base}",
            new,
            shown,
            f"step, run on symbols ({s.optimizer.source or 'user rule'})",
            given=value,
            using=dict(zip(s.at(1), after, strict=True)),
        )
    chain.lines.append(gradient_line(s))
    put_in = [v.replace(slope, lambda at: s.eigenvalue * at) for v in after]
    image = s.matrix * sympy.Matrix(s.at(0))
    line = step_line(s)
    verdict, check = agree(sympy.Matrix(put_in), image)
    chain.say(
        line.title,
        line.statement,
        "g(x) = λx put into the rule, terms collected",
        f"{check}; {line.check}",
        line.verdict if verdict == "proved" else verdict,
    )
    if s.matrix.rows > 1:
        chain.lines.append(recurrence_line(s))
    return chain.done()


def _or_rule(optimizer: Any) -> Derivation:
    """Derive as far as the rule allows; of one that is not linear, only the rule itself."""
    try:
        return _build(optimizer)
    except NotDerivableError:
        if not why_not_linear(optimizer):
            raise
        return _rule_alone(optimizer)


def _rule_alone(optimizer: Any) -> Derivation:
    import sympy

    run = OpenRun(optimizer)
    t = sympy.Symbol("t", integer=True, positive=True)
    gradient = sympy.Symbol("g_t", real=True)
    chain = Chain(f"The rule of {run.name}")
    state = [run.theta, *run.slots]
    after = run.step(t, Plane(gradient), state)
    again = run.step(3, Plane(gradient), state)
    for slot, value, third in zip(state, after, again, strict=True):
        new = sympy.Symbol(f"{slot.name}_new")
        chain.equal(
            f"the rule: {slot.name}",
            new,
            run.settled(value),
            f"step, run on symbols ({run.cls.source or 'user rule'})",
            given=value,
            using=run.back,
            more=(
                "the same as step 3 of the rule at t = 3",
                agree(value.subs(t, 3), third)[0] != "refuted",
            ),
        )
    places = "; ".join(why_not_linear(optimizer))
    return chain.done(f"Stops here: no linear recurrence, because of {places}.")


TOPIC = Topic(
    "recurrence",
    "from the update rule to the recurrence of the error along an eigendirection",
    _or_rule,
    ("HeavyBall",),
)
