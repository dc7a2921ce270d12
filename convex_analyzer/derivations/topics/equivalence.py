"""Two conventions of one rule: the hyper-parameters that make both the same, or why none do."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, agree, is_zero
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError


def _build(first: Any, second: Any) -> Derivation:
    import sympy

    a, b = Setting(first), Setting(second)
    if a.matrix.rows != b.matrix.rows:
        raise NotDerivableError(
            f"the recurrence of {a.name} is of order {a.matrix.rows}, that of {b.name} of order "
            f"{b.matrix.rows}: neither is the other in another notation"
        )
    own = {symbol: sympy.Symbol(f"{symbol.name}_b", positive=True) for symbol in b.hyper.values()}
    other = [sympy.expand(c.subs(own)) for c in b.coefficients]
    chain = Chain(f"{b.name} as {a.name}")
    size = a.matrix.rows
    x, k = a.bases[0], a.k
    for s, coefficients in ((a, a.coefficients), (b, other)):
        right = sum(
            (-tidy(c) * x[k + size - i] for i, c in enumerate(coefficients) if i),
            sympy.Integer(0),
        )
        chain.say(
            f"recurrence of {s.name}",
            sympy.Eq(x[k + size], right, evaluate=False),
            f"{s.optimizer.source or 'user rule'}; hyper-parameters with index b"
            if s is b
            else s.optimizer.source or "user rule",
            "Cayley–Hamilton on a general state of the rule",
            _holds(s, coefficients, own if s is b else {}),
        )
    equations = _matched(a.coefficients, other, a.eigenvalue)
    if not equations:
        return _start(a, b, chain, {}, own)
    chain.say(
        "equal for every λ",
        sympy.And(
            *[sympy.Eq(tidy(p), tidy(q), evaluate=False) for p, q in equations], evaluate=False
        ),
        "coefficients of x and of each power of λ compared",
        "both sides multiplied out again give the recurrences above",
        _restored(equations, a.coefficients, other, a.eigenvalue),
    )
    return _solved(a, b, chain, equations, own)


def _holds(s: Setting, coefficients: list[Any], own: dict[Any, Any]) -> bool:
    import sympy

    size = s.matrix.rows
    matrix = s.matrix.subs(own)
    total = sympy.zeros(size)
    for coefficient in coefficients:
        total = (total * matrix + coefficient * sympy.eye(size)).applyfunc(sympy.expand)
    return bool(total.is_zero_matrix)


def _matched(ours: list[Any], theirs: list[Any], eigenvalue: Any) -> list[tuple[Any, Any]]:
    """Return pairs of coefficients that must be equal."""
    import sympy

    pairs = []
    for p, q in zip(ours[1:], theirs[1:], strict=True):
        try:
            left, right = sympy.Poly(p, eigenvalue), sympy.Poly(q, eigenvalue)
        except sympy.PolynomialError:
            pairs.append((p, q))
            continue
        for power in range(max(left.degree(), right.degree(), 0) + 1):
            pair = left.coeff_monomial(eigenvalue**power), right.coeff_monomial(eigenvalue**power)
            gap = pair[0] - pair[1]
            said = any(is_zero(gap - (u - v)) or is_zero(gap + u - v) for u, v in pairs)
            if not is_zero(gap) and not said:
                pairs.append(pair)
    return pairs


def _restored(pairs: list[Any], ours: list[Any], theirs: list[Any], eigenvalue: Any) -> bool:
    """Check at numbers that the pairs agree exactly where the recurrences do."""
    import random

    from convex_analyzer.derivations.chain import sample

    rng = random.Random(2)
    symbols = set().union(*(c.free_symbols for c in (*ours[1:], *theirs[1:]))) - {eigenvalue}
    for _ in range(6):
        point = {symbol: sample(symbol, rng) for symbol in sorted(symbols, key=str)}
        equal = all((p - q).subs(point) == 0 for p, q in pairs)
        same = all(is_zero((c - d).subs(point)) for c, d in zip(ours, theirs, strict=True))
        if equal != same:
            return False
    return True


def _solved(a: Setting, b: Setting, chain: Chain, equations: Any, own: Any) -> Derivation:
    import sympy

    unknown = list(a.hyper.values())
    found = sympy.solve([p - q for p, q in equations], unknown, dict=True)
    proper = [f for f in found if all(is_zero((p - q).subs(f)) for p, q in equations)]
    if not proper:
        gaps = ", ".join(f"{tidy(p)} = {tidy(q)}" for p, q in equations)
        return chain.done(
            f"Stops here: no hyper-parameters of {a.name} make {gaps} true for all of {b.name}'s, "
            f"so it is no {a.name} (equal only where these happen to hold)."
        )
    (solution,) = proper[:1]
    for symbol in unknown:
        if symbol not in solution:
            continue
        checks = [agree(p.subs(solution), q.subs(solution)) for p, q in equations]
        chain.say(
            f"{symbol} of {a.name}",
            sympy.Eq(symbol, tidy(solution[symbol]), evaluate=False),
            f"solved; index b: the hyper-parameters of {b.name}",
            f"put into the line of coefficients: {checks[0][1]}",
            all(verdict == "proved" for verdict, _ in checks),
        )
    return _start(a, b, chain, solution, own)


def _start(a: Setting, b: Setting, chain: Chain, solution: Any, own: Any) -> Derivation:
    """Add the first step from the start, without which the recurrences would part."""
    import sympy

    x = a.bases[0]
    firsts = []
    for s, names in ((a, solution), (b, own)):
        start = sympy.Matrix([sympy.sympify(c) for c in s.iteration.start])
        firsts.append(sympy.expand((s.matrix * start)[0].subs(names)))
    verdict, check = agree(firsts[0], firsts[1])
    if verdict == "refuted":
        return chain.done(
            f"Stops here: from the start the first steps differ, {tidy(firsts[0])} against "
            f"{tidy(firsts[1])}; only the later ones follow one recurrence."
        )
    chain.say(
        "the same first step",
        sympy.Eq(x[1], tidy(firsts[1]) * x[0], evaluate=False),
        "both from their own starts: with one recurrence all iterates are equal",
        f"the matrices of both rules on their starts: {check}",
        verdict,
    )
    return chain.done()


TOPIC = Topic(
    "equivalence",
    "the hyper-parameters with which one rule runs as another, or why there are none",
    _build,
    ("HeavyBall", "TwoRateMomentum"),
    takes="rules",
)
