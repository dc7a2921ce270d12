"""The variance of a mini-batch gradient: V/S with replacement, less without."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.opening import why_not_linear
from convex_analyzer.derivations.running import Plane
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.derivations.topics.stationary_variance import channels
from convex_analyzer.errors import NotDerivableError


class Batch:
    """Symbols: the size S, the number of examples N, the variance V of one example's gradient."""

    def __init__(self) -> None:
        import sympy

        self.S = sympy.Symbol("S", integer=True, positive=True)
        self.N = sympy.Symbol("N", integer=True, positive=True)
        self.V, self.C = sympy.Symbol("V", positive=True), sympy.Symbol("C", real=True)
        self.Var = sympy.Function("Var")
        self.mean = sympy.Symbol("gbar")

    def lines(self, chain: Chain) -> Any:
        """Add the lines, and return the variance without replacement."""
        import sympy

        S, N, V, C = self.S, self.N, self.V, self.C
        i = sympy.Symbol("i", integer=True)
        total = sympy.Sum(sympy.IndexedBase("g")[i], (i, 1, S))
        left = self.Var(self.mean)
        chain.say(
            "a mini-batch gradient",
            sympy.Eq(self.mean, total / S, evaluate=False),
            "the mean over S examples drawn at random",
            "definition",
            "given",
        )
        chain.equal(
            "all pairs of examples",
            left,
            (S * V + S * (S - 1) * C) / S**2,
            "a constant leaves a variance squared; S variances V, S(S − 1) covariances C",
            given=sum([V, (S - 1) * C]) * S / S**2,
            more=("enumerated for N = 4, S = 2", _enumerated(self, replace=True, formula=None)),
        )
        general = chain.lines[-1].statement.rhs
        chain.equal(
            "with replacement",
            left,
            V / S,
            "independent draws: C = 0",
            given=general,
            using={C: sympy.Integer(0)},
            more=(
                "enumerated for N = 4, S = 1 … 3",
                _enumerated(self, replace=True, formula=V / S),
            ),
        )
        whole = N * V + N * (N - 1) * C
        chain.say(
            "without replacement",
            sympy.Eq(whole, 0, evaluate=False),
            "all N examples together have no variance: the batch S = N is the full gradient",
            "enumerated: with N = 4 the mean of all four is the same in every order",
            _enumerated(self, replace=False, formula=None),
        )
        covariance = sympy.solve(whole, C)[0]
        chain.say(
            "so the covariance is negative",
            sympy.Eq(C, covariance, evaluate=False),
            "solved for C",
            "put into the line above: normal form",
            is_zero(whole.subs(C, covariance)),
        )
        value = V * (N - S) / (S * (N - 1))
        shown = tidy(sympy.cancel(general.subs(C, covariance)))
        chain.equal(
            "variance without replacement",
            left,
            value,
            "C put into the line of all pairs",
            given=general,
            using={C: covariance},
            more=(
                "enumerated for N = 4, S = 1 … 4",
                is_zero(shown - value) and _enumerated(self, replace=False, formula=value),
            ),
        )
        return value


def _enumerated(batch: Batch, *, replace: bool, formula: Any) -> bool:
    """Go through all batches of four numbers, in exact arithmetic."""
    numbers = [Fraction(n) for n in (-3, 1, 4, 10)]
    centre = sum(numbers) / 4
    variance = sum((n - centre) ** 2 for n in numbers) / 4
    for size in (1, 2, 3) if replace else (1, 2, 3, 4):
        batches = (
            itertools.product(numbers, repeat=size)
            if replace
            else itertools.permutations(numbers, size)
        )
        means = [sum(one) / size for one in batches]
        spread = sum((m - centre) ** 2 for m in means) / len(means)
        if formula is None:
            want = variance / size if replace else None
            if size == 4 and spread != 0:
                return False
        else:
            value = formula.subs({batch.S: size, batch.N: 4, batch.V: 1})
            want = variance * Fraction(int(value.p), int(value.q))
        if want is not None and spread != want:
            return False
    return True


def _build(optimizer: Any) -> Derivation:
    import sympy

    batch = Batch()
    chain = Chain("The variance of a mini-batch gradient")
    batch.lines(chain)
    try:
        s = Setting(optimizer)
        noise = channels(s)
        n = sympy.Symbol("n")
        moved = s.rule.step(Plane(n), 1, *([sympy.Integer(0)] * s.matrix.rows))
    except NotDerivableError as error:
        return chain.done(
            f"Stops here, before one step of the rule: {error}."
            if not why_not_linear(optimizer)
            else f"Stops here, before one step of the rule: {'; '.join(why_not_linear(optimizer))}."
        )
    push = sum((channel[0] ** 2 for channel in noise), sympy.Integer(0))
    first = moved[0] if isinstance(moved, tuple) else moved
    chain.equal(
        f"in one step of {s.name}",
        batch.Var(sympy.Symbol("Delta_x")),
        tidy(push) * batch.V / batch.S,
        "what multiplies the gradient in the step, squared; with replacement",
        given=sympy.diff(first, n) ** 2 * batch.V / batch.S if len(noise) == 1 else None,
        using=None if len(noise) == 1 else {batch.V: batch.V},
    )
    return chain.done()


TOPIC = Topic(
    "batch_variance",
    "the variance of a mini-batch gradient, with and without replacement, and of one step",
    _build,
    ("GradientDescent",),
)
