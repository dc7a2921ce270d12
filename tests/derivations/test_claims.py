"""`check_claim` against recurrences written by hand and run at random points, and bad claims."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from cases import each

from convex_analyzer.derivations.cell_numbers import simplest_between
from convex_analyzer.derivations.cells import find
from convex_analyzer.derivations.claims import check_claim
from convex_analyzer.domains import Positive, UnitInterval
from convex_analyzer.errors import InputError, NotDerivableError, ParseError
from convex_analyzer.optimizers.adam import Adam
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import EMAMomentum, HeavyBall, Nesterov, OuterMomentum
from convex_analyzer.optimizers.sign import SignSGD

GD, HB, NAG, EMA = GradientDescent, HeavyBall, Nesterov, EMAMomentum


class Hasty(Optimizer):
    """A rule of a user: half a step more in the direction of the last one."""

    learning_rate: Positive
    push: UnitInterval = 0.5

    def step(self, problem, t, theta, last):
        move = self.push * last - 2 * self.learning_rate * problem.gradient(theta)
        return theta + move, move


def largest_root(rule, a, mu):
    """Return ρ from a recurrence x[k+1] = p x[k] - q x[k-1] written by hand."""
    p, q = {
        GD: (1 - a, 0.0),
        HB: (1 + mu - a, mu),
        NAG: ((1 + mu) * (1 - a), mu * (1 - a)),
        EMA: (1 + mu - (1 - mu) * a, mu),
        Hasty: (1 + mu - 2 * a, mu),
    }[rule]
    root = np.sqrt(complex(p * p / 4 - q))
    return p / 2 + root, p / 2 - root


def stable_at(rule, a, mu):
    return max(map(abs, largest_root(rule, a, mu))) < 1


def turns_at(rule, a, mu):
    one = max(largest_root(rule, a, mu), key=abs)
    return abs(one.imag) > 1e-12 or one.real < 0


CONDITIONS = [
    (HB, "stable", "alpha < 2/lambda", "sufficient", lambda a, m: a < 2),
    (HB, "stable", "α < 2(1+μ)/λ", "both", lambda a, m: a < 2 * (1 + m)),
    (HB, "stable", r"\alpha \le \frac{4}{\lambda}", "necessary", lambda a, m: a <= 4),
    (HB, "stable", "alpha*lambda > 1", "neither", lambda a, m: a > 1),
    (HB, "stable", "sqrt(alpha*lambda) < 1 + sqrt(mu)", "sufficient",
     lambda a, m: math.sqrt(a) < 1 + math.sqrt(m)),
    (GD, "stable", "0 < alpha < 2/lambda", "both", lambda a, m: 0 < a < 2),
    (GD, "stable", "|1 - αλ| < 1", "both", lambda a, m: abs(1 - a) < 1),
    (GD, "stable", "alpha*lambda < 2 or alpha*lambda > 5", "necessary",
     lambda a, m: a < 2 or a > 5),
    (NAG, "stable", "alpha*lambda < (2 + 2mu)/(1 + 2mu)", "both",
     lambda a, m: a < (2 + 2 * m) / (1 + 2 * m)),
    (NAG, "stable", "alpha*lambda < 4/3", "sufficient", lambda a, m: a < 4 / 3),
    (NAG, "stable", "alpha*lambda < 2(1+mu)", "necessary", lambda a, m: a < 2 * (1 + m)),
    (EMA, "stable", "alpha < 2/lambda", "sufficient", lambda a, m: a < 2),
    (Hasty, "stable", "alpha*lambda < 1 + push", "both", lambda a, m: a < 1 + m),
    (Hasty, "stable", "learning_rate < 2/eigenvalue", "necessary", lambda a, m: a < 2),
    (GD, "oscillates", "alpha*lambda > 1", "both", lambda a, m: a > 1),
    (HB, "oscillates", "(1-sqrt(mu))**2 < alpha*lambda < (1+sqrt(mu))**2", "sufficient",
     lambda a, m: (1 - math.sqrt(m)) ** 2 < a < (1 + math.sqrt(m)) ** 2),
    (HB, "monotone", "alpha*lambda <= 1", "necessary", lambda a, m: a <= 1),
    (GD, "monotone", "alpha*lambda < 1/2", "sufficient", lambda a, m: a < 0.5),
]  # fmt: skip


@each(("rule", "about", "text", "verdict", "holds"), CONDITIONS)
def test_conditions(rule, about, text, verdict, holds):
    """The verdict is that of 300 random points, at which hand-written recurrences run."""
    found = check_claim(rule, **{about: text}, budget=20)
    assert (found.verdict, found.status) == (verdict, "proved")
    assert bool(found) is (verdict == "both")
    rng = np.random.default_rng(7)
    seen = set()
    for a, mu in zip(rng.uniform(0.01, 6, 300), rng.uniform(0, 1, 300), strict=True):
        stable, turning = stable_at(rule, a, mu), turns_at(rule, a, mu)
        truth = {"stable": stable, "oscillates": turning, "monotone": stable and not turning}
        seen.add((holds(a, mu), truth[about]))
    assert ((True, False) in seen) == (verdict in ("necessary", "neither"))
    assert ((False, True) in seen) == (verdict in ("sufficient", "neither"))
    for case in found.counterexamples:
        at = {name: float(value) for name, value in case.point.items()}
        a, mu = at["alpha"] * at["lambda"], at.get("mu", at.get("push", 0.0))
        stable, turning = stable_at(rule, a, mu), turns_at(rule, a, mu)
        truth = {"stable": stable, "oscillates": turning, "monotone": stable and not turning}
        assert holds(a, mu) is not truth[about]
        assert holds(a, mu) is (case.shows == "not sufficient")
        assert all(Fraction(str(value)).denominator < 100 for value in case.point.values())
        assert case.confirms()
        assert case.problem.dimension == 1
        assert ("converges" if stable else "diverges") == case.outcome
    assert json.dumps(found.to_dict())
    assert found.truth in str(found).replace("\n", " ") or len(found.truth) > 40
    assert "derived" in found.latex()


def test_borders_are_told_apart():
    found = check_claim(GD, stable="alpha <= 2/lambda")
    assert (found.verdict, found.status) == ("necessary", "proved")
    assert "must be strict" in found.border
    assert "2-cycle" in found.border
    assert found.counterexample.point == {"lambda": 1, "alpha": 2}
    assert found.counterexample.outcome == "stays"
    assert found.counterexample.confirms()
    assert np.abs(found.counterexample.simulate(9).theta).ravel().tolist() == [1.0] * 10
    assert "not strict" in check_claim(GD, monotone="alpha*lambda < 1").border
    assert check_claim(GD, monotone="alpha*lambda <= 1").verdict == "both"
    wide = check_claim(HB, stable="alpha*lambda < 2(1+mu)", given="mu <= 1")
    assert wide.counterexample.point["mu"] == 1
    assert wide.verdict == "necessary"
    assert check_claim(HB, stable="alpha*lambda < 2(1+mu)", given="-1 < mu < 1").verdict == "both"


@each(
    ("rule", "text", "verdict"),
    [
        (GD, "alpha < 2/L", "both"),
        (GD, "alpha < 2/m", "necessary"),
        (GD, "alpha < 2/(m+L)", "sufficient"),
        (GD, "alpha < 2/kappa", "neither"),  # right for m = 1 only
        (GD, "alpha < L", "neither"),
        (HB, "alpha < 2/lambda_max", "sufficient"),
        (GD, "alpha < 1", "neither"),  # of one direction
        (HB, "alpha < 2 and lambda < 1", "sufficient"),
        (OuterMomentum, "alpha(1-tau)lambda < 2(1+mu)", "both"),
        (OuterMomentum, "alpha < 2(1+mu)/lambda", "both"),  # dampening is zero by default
        (HB(0.1, 0.9), "alpha < 3.8/lambda", "both"),
    ],
)
def test_spectra_and_more_letters(rule, text, verdict):
    found = check_claim(rule, stable=text, budget=20)
    assert (found.verdict, found.status) == (verdict, "proved")
    assert all(case.confirms() for case in found.counterexamples)


def test_notation_of_a_lecture():
    found = check_claim(HB, stable="epsilon*lambda < 2(1+alpha)", notation="lecture004")
    assert found.verdict == "both"
    with pytest.raises(ParseError):
        check_claim(HB, stable="epsilon*lambda < 2")


INSIDE = "(1-sqrt(mu))**2 <= alpha*lambda <= (1+sqrt(mu))**2 and 0 <= mu < 1"
RATES = [
    (GD, "|1 - αλ|", "", "true", "proved"),
    (GD, "1 - αλ", "", "false", "proved"),
    (GD, "1 - αλ", "alpha*lambda < 1", "true", "proved"),
    (HB, "sqrt(mu)", "", "false", "proved"),
    (HB, "sqrt(mu)", INSIDE, "true", "proved"),
    (HB, "2sqrt(mu)", INSIDE, "false", "proved"),  # as printed on a well-known page
    (GD, "(kappa-1)/(kappa+1)", "", "true", "proved"),
    (HB, r"\frac{\sqrt{\kappa}-1}{\sqrt{\kappa}+1}", "", "true", "proved"),
    (HB, "(kappa-1)/(kappa+1)", "", "false", "proved"),
    (NAG, "1 - 2/sqrt(3kappa+1)", "", "true", "proved"),
]


@each(("rule", "text", "given", "verdict", "status"), RATES)
def test_rates(rule, text, given, verdict, status):
    found = check_claim(rule, rate=text, given=given, budget=20)
    assert (found.verdict, found.status) == (verdict, status)
    assert bool(found.counterexamples) is (verdict == "false")
    for case in found.counterexamples:
        path = np.abs(case.simulate(200).theta).max(axis=1)
        if case.outcome == "converges":
            measured = path[-1] ** (1 / 200)  # rounded, and k r^k at double roots
            assert measured == pytest.approx(case.rate, rel=0.05)
        assert case.confirms()


BEST = [
    (GD, "alpha = 2/(m+L)", "true", "proved"),
    (GD, "alpha = 1/L", "false", "proved"),
    (HB, "alpha = 4/(sqrt(L)+sqrt(m))**2, mu = ((sqrt(kappa)-1)/(sqrt(kappa)+1))**2", "true",
     "plausible"),
    (HB, "alpha = 4/(sqrt(L)+sqrt(m))**2, mu = (sqrt(kappa)-1)/(sqrt(kappa)+1)", "false", "proved"),
    (HB, "alpha = 2(1+mu)/(m+L)", "true", "plausible"),
]  # fmt: skip


@each(("rule", "text", "verdict", "status"), BEST)
def test_best_settings(rule, text, verdict, status):
    found = check_claim(rule, best=text, budget=20)
    assert (found.verdict, found.status) == (verdict, status)
    for case in found.counterexamples:
        a, mu = case.optimizer.learning_rate, getattr(case.optimizer, "momentum", 0.0)
        worst = max(abs(r) for lam in case.eigenvalues for r in largest_root(rule, a * lam, mu))
        assert worst == pytest.approx(case.rate, rel=1e-7)


def test_points_of_rest():
    assert check_claim(HB, fixed_point="-b/lambda").verdict == "true"
    assert check_claim(HB, fixed_point="theta = -b/lambda").verdict == "true"
    wrong = check_claim(HB, fixed_point="b/lambda")
    assert wrong.verdict == "false"
    assert wrong.counterexample.text == "claimed 1, derived −1"
    with pytest.raises(TypeError, match="compared as numbers"):
        wrong.counterexample.simulate()
    decayed = OuterMomentum(0.1, 0.9, 0, 0.1)
    assert check_claim(decayed, fixed_point="-b/(lambda + w)").verdict == "true"
    assert check_claim(decayed, fixed_point="-b/lambda").verdict == "false"


def test_local_claims():
    """38 = 2(1 + 0.9)/(1 - 0.9): next to the minimum Adam is an average of gradients over ε."""
    found = check_claim(Adam, stable="alpha*lambda/epsilon < 38")
    assert (found.verdict, found.status) == ("both", "plausible")
    assert "0.38" in found.truth
    assert "not linear" in found.how
    low = check_claim(Adam(epsilon=0.01), stable="alpha*lambda < 0.3")
    assert low.verdict == "sufficient"
    assert low.counterexample.confirms()
    high = check_claim(Adam(epsilon=0.01), stable="alpha*lambda < 0.5")
    assert high.verdict == "necessary"
    assert high.counterexample.outcome == "diverges"
    assert high.counterexample.confirms()


@each(
    ("rule", "options", "error", "message"),
    [
        (GD, {}, InputError, "one claim"),
        (GD, {"stable": "alpha < 1", "rate": "1"}, InputError, "one claim"),
        (3, {"stable": "alpha < 1"}, InputError, "class or instance"),
        (GD, {"stable": 3}, InputError, "as text"),
        (GD, {"stable": "alpha + 1"}, InputError, "must be a condition"),
        (GD, {"stable": "alpha < foo"}, ParseError, "unknown name 'foo'"),
        (GD, {"stable": "__import__('os')"}, ParseError, "column"),
        (GD, {"stable": "alpha < 9**9**9**9"}, ParseError, "column"),
        (GD, {"stable": "alpha < 2/(m + lambda)"}, InputError, "either"),
        (GD, {"stable": "alpha < exp(lambda)"}, NotDerivableError, "rational"),
        (GD, {"stable": "alpha < sqrt(1 + lambda)"}, NotDerivableError, "without that root"),
        (GD, {"stable": "alpha < 1", "given": "mu"}, ParseError, "unknown name"),
        (GD, {"stable": "alpha < 1", "given": "alpha"}, InputError, "given must be"),
        (GD, {"rate": "alpha < 1"}, InputError, "must be a value"),
        (GD, {"rate": "kappa*alpha"}, InputError, "alone"),
        (GD, {"best": "alpha < 1"}, InputError, "must give settings"),
        (GD, {"best": "alpha = 2/(1+L)"}, InputError, "doubled"),
        (GD, {"rate": "(L-1)/(L+1)"}, InputError, "doubled"),
        (GD, {"oscillates": "alpha < 1/L"}, InputError, "one eigenvalue"),
        (GD, {"fixed_point": "b < 1"}, InputError, "must be a value"),
        (Adam, {"rate": "1"}, NotDerivableError, "not linear"),
        (SignSGD, {"stable": "alpha < 1"}, NotDerivableError, "minimum"),
        (EMA, {"rate": "1/lambda"}, None, ""),
    ],
)
def test_bad_claims(rule, options, error, message):
    if error is None:
        assert check_claim(rule, **options).verdict == "false"
        return
    with pytest.raises(error, match=message):
        check_claim(rule, **options)


def test_cells():
    """Against points that are known: a disc and lines around it."""
    x, y = sympy.symbols("x y", real=True)
    disc = sympy.Le(x**2 + y**2, 2, evaluate=False)
    line = sympy.Ge(x + y, 2, evaluate=False)
    touching = find(sympy.And(disc, line), [x, y])
    assert touching.point == (1, 1)
    assert not touching.is_inside
    none = find(sympy.And(disc, line, sympy.Ne(x, 1)), [x, y])
    assert none.point is None
    assert none.is_complete
    root = find(sympy.And(sympy.Eq(x**2, 2, evaluate=False), x > 0), [x])
    assert float(root.point[0]) == pytest.approx(math.sqrt(2), abs=1e-15)
    assert simplest_between(Fraction(3, 10), Fraction(4, 10)) == Fraction(1, 3)
    assert simplest_between(Fraction(-4, 10), Fraction(-3, 10)) == Fraction(-1, 3)
    spent = find(sympy.And(x**2 * y > 3, x * y**2 < 1, x > 2, y > 2), [x, y], (), 0.0)
    assert spent.point is None
    assert not spent.is_complete
