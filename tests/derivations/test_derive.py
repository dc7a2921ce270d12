"""Every printed line, held against the rule run on fractions and against NumPy's roots.

Nothing here uses the package's matrices, polynomials or closed forms: a rule is stepped on exact
fractions, its matrix is read off unit states, and what is printed must agree.
"""

from __future__ import annotations

import random
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy

import convex_analyzer as ca
from convex_analyzer import ops
from convex_analyzer.derivations.derive import derive
from convex_analyzer.domains import NonNegative, Positive, Real, UnitInterval
from convex_analyzer.errors import NotDerivableError

# -- rules that the package does not know --------------------------------------------------------


class Quasi(ca.Optimizer):
    """Quasi-hyperbolic momentum (Ma & Yarats 2019), two slots."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9
    share: UnitInterval = 0.7

    def step(self, problem, t, theta, average):
        gradient = problem.gradient(theta)
        average = self.momentum * average + (1 - self.momentum) * gradient
        mixed = (1 - self.share) * gradient + self.share * average
        return theta - self.learning_rate * mixed, average

    def published_limit(self):
        return 2 * (1 + self.momentum) / (1 + self.momentum * (1 - 2 * self.share))


class Decayed(ca.Optimizer):
    """Gradient descent with decoupled weight decay, one slot."""

    learning_rate: Positive
    decay: NonNegative = 0.1

    def step(self, problem, t, theta):
        return (1 - self.learning_rate * self.decay) * theta - self.learning_rate * (
            problem.gradient(theta)
        )


class Alphabet(ca.Optimizer):
    """Heavy ball in letters that the derivation also uses for something else."""

    learning_rate: Positive
    alpha: UnitInterval = 0.9
    m: UnitInterval = 0.5
    w: Positive = 1.0

    def step(self, problem, t, theta, k):
        k = self.alpha * k - self.learning_rate * self.m * self.w * problem.gradient(theta)
        return theta + k, k

    def published_limit(self):
        return 2 * (1 + self.alpha) / (self.m * self.w)


class Decimals(ca.Optimizer):
    """Constants written as decimals and as a division."""

    learning_rate: Positive

    def step(self, problem, t, theta, v):
        v = 0.9 * v - self.learning_rate / 3 * problem.gradient(theta)
        return theta + v, v

    def published_limit(self):
        return 3 * 3.8


class NoRate(ca.Optimizer):
    """A rule whose step size has another name."""

    lr: Positive

    def step(self, problem, t, theta):
        return theta - self.lr * problem.gradient(theta)

    def published_limit(self):
        return 2


RULES = [ca.GradientDescent, ca.HeavyBall, ca.Nesterov, Quasi, Decayed, Alphabet, Decimals, NoRate]
LIMITED = [rule for rule in RULES if rule not in {Decayed, NoRate}]
PUBLISHED = [ca.GradientDescent, ca.HeavyBall, ca.Nesterov]


class Parabola:
    """J(x) = λx²/2 on exact numbers."""

    def __init__(self, eigenvalue):
        self.eigenvalue = eigenvalue

    def gradient(self, theta):
        return self.eigenvalue * theta


def printed(rule):
    """The letters of the hyper-parameters, as any reader would look them up."""
    own = {
        ca.GradientDescent: {"learning_rate": "alpha"},
        Quasi: {"learning_rate": "alpha", "momentum": "mu", "share": "share"},
        Decayed: {"learning_rate": "alpha", "decay": "gamma"},
        Alphabet: {"learning_rate": "alpha", "alpha": "alpha_1", "m": "m_1", "w": "w"},
        Decimals: {"learning_rate": "alpha"},
        NoRate: {"lr": "lr"},
    }
    return own.get(rule, {"learning_rate": "alpha", "momentum": "mu"})


def draw(rule, rng):
    """Exact hyper-parameters and an eigenvalue, in the ranges that lines 7 and 8 speak of."""
    values = {name: Fraction(rng.randint(1, 160), 13) for name in rule.hyperparameters()}
    for name in values.keys() & {"momentum", "share", "m"} | (values.keys() - {"learning_rate"}):
        if name not in {"w", "decay", "lr"}:
            values[name] = Fraction(rng.randint(1, 30), 31)
    return values, Fraction(rng.randint(1, 40), 17)


def stepped(rule, values, lam, state, count=1):
    """States after 0 … count steps, in fractions."""
    blank = object.__new__(rule)
    for name, value in values.items():
        object.__setattr__(blank, name, value)
    states = [tuple(state)]
    for t in range(1, count + 1):
        after = blank.step(Parabola(lam), t, *states[-1])
        states.append(after if isinstance(after, tuple) else (after,))
    return [tuple(map(exact, one)) for one in states]


def exact(number):
    """A float that came out of a decimal in the rule, as the fraction it stands for."""
    return number if isinstance(number, Fraction) else Fraction(repr(number))


def matrix(rule, values, lam):
    """The iteration matrix, a column per unit state, as floats."""
    size = 1 + len(rule.memory)
    units = np.eye(size, dtype=int).tolist()
    columns = [stepped(rule, values, lam, map(Fraction, unit))[1] for unit in units]
    return np.array([[float(entry) for entry in column] for column in columns]).T


def radius(rule, values, lam):
    return float(np.max(np.abs(np.linalg.eigvals(matrix(rule, values, lam)))))


def line(rule, title):
    (found,) = [one for one in derive(rule).lines if one.title == title]
    return found


def symbols(rule, values, lam):
    """What to put in for the printed symbols."""
    point = {sympy.Symbol("lambda", positive=True): sympy.Rational(lam)}
    for name, letter in printed(rule).items():
        point[sympy.Symbol(letter, positive=True)] = sympy.Rational(values[name])
    return point


def at_step(rule, k, states):
    """x[k], v[k] … → their values along a run."""
    index = sympy.Symbol("k", integer=True, nonnegative=True)
    indexed = set().union(*(one.statement.atoms(sympy.Indexed) for one in derive(rule).lines))
    names = ("x", *({"velocity": "v", "k": "k_1"}.get(n, n) for n in rule.memory))
    replaced = {}
    for entry in indexed:
        slot, moment = names.index(str(entry.base)), int(entry.indices[0].subs(index, k))
        if moment < len(states):
            replaced[entry] = sympy.Rational(states[moment][slot])
    return replaced


points = pytest.mark.parametrize("seed", range(4))
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


# -- line by line ------------------------------------------------------------------------------


@every_rule
def test_all_lines_are_proved(rule):
    derivation = derive(rule)
    assert derivation.proved, derivation
    assert derivation.title == f"How {rule.__name__} converges"
    kinds = [one.title for one in derivation.lines]
    assert kinds[:2] == ["gradient along an eigendirection", "one step"]
    assert ("stability" in kinds) == (rule in LIMITED)
    assert any(kind.startswith("best") for kind in kinds) == (rule in PUBLISHED)


@every_rule
def test_the_gradient_is_the_slope_of_the_parabola(rule):
    lam, x, h = Fraction(7, 3), Fraction(5, 11), Fraction(1, 8)
    slope = (lam * (x + h) ** 2 / 2 - lam * (x - h) ** 2 / 2) / (2 * h)
    statement = line(rule, "gradient along an eigendirection").statement
    point = symbols(rule, draw(rule, random.Random(1))[0], lam)
    assert statement.rhs.subs(at_step(rule, 0, [(x, *[0] * 5)])).subs(point) == sympy.Rational(
        slope
    )


@every_rule
@points
def test_one_step_is_the_rule_on_fractions(rule, seed):
    rng = random.Random(seed)
    values, lam = draw(rule, rng)
    state = [Fraction(rng.randint(-9, 9), 7) for _ in range(1 + len(rule.memory))]
    before, after = stepped(rule, values, lam, state)
    statement = line(rule, "one step").statement
    replaced = {**at_step(rule, 0, [before]), **symbols(rule, values, lam)}
    right = statement.rhs.doit()
    entries = list(right) if isinstance(right, sympy.MatrixBase) else [right]
    got = [entry.subs(replaced) for entry in entries]
    if rule is Decimals:  # a decimal in the rule makes floats of fractions
        assert [float(g) for g in got] == pytest.approx([float(a) for a in after], rel=1e-14)
    else:
        assert got == [sympy.Rational(a) for a in after]


TWO = [rule for rule in RULES if len(rule.memory) == 1]


@pytest.mark.parametrize("rule", TWO, ids=lambda rule: rule.__name__)
@points
def test_the_polynomial_has_the_eigenvalues_as_roots(rule, seed):
    values, lam = draw(rule, random.Random(seed))
    statement = line(rule, "characteristic polynomial").statement
    z = sympy.Symbol("z")
    polynomial = sympy.Poly(statement.lhs.doit().subs(symbols(rule, values, lam)), z)
    roots = np.sort_complex(np.roots([float(c) for c in polynomial.all_coeffs()]))
    wanted = np.sort_complex(np.linalg.eigvals(matrix(rule, values, lam)))
    assert np.allclose(roots, wanted, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("rule", TWO, ids=lambda rule: rule.__name__)
@points
def test_the_recurrence_holds_along_a_run(rule, seed):
    rng = random.Random(seed)
    values, lam = draw(rule, rng)
    states = stepped(rule, values, lam, [Fraction(rng.randint(1, 9), 7), Fraction(-2, 3)], 5)
    statement = line(rule, "recurrence of the error").statement
    for k in range(3):
        replaced = {**at_step(rule, k, states), **symbols(rule, values, lam)}
        left, right = statement.lhs.subs(replaced), statement.rhs.subs(replaced)
        assert float(left) == pytest.approx(float(right), rel=1e-12, abs=1e-12)


@every_rule
@points
def test_the_closed_form_ends_where_the_run_does(rule, seed):
    rng = random.Random(seed)
    values, lam = draw(rule, rng)
    state = [Fraction(rng.randint(1, 9), 7) for _ in range(1 + len(rule.memory))]
    states = stepped(rule, values, lam, state, 9)
    right = line(rule, "after k steps").statement.rhs
    index = sympy.Symbol("k", integer=True, nonnegative=True)
    roots = np.linalg.eigvals(matrix(rule, values, lam))
    letters = dict(zip(sympy.symbols("r_1 r_2"), map(complex, roots), strict=False))
    for k in (1, 2, 5, 9):
        one = right.subs(index, k).subs({**at_step(rule, 0, states), **symbols(rule, values, lam)})
        got = complex(sympy.N(one.subs(letters)))
        size = max(abs(float(state[0])) for state in states)
        assert abs(got - float(states[k][0])) <= 1e-7 * size


@every_rule
def test_jurys_conditions_say_what_the_eigenvalues_say(rule):
    rng = random.Random(5)
    seen = set()
    statement = line(rule, "all roots inside the unit circle").statement
    for _ in range(15):
        values, lam = draw(rule, rng)
        largest = radius(rule, values, lam)
        if abs(largest - 1) > 1e-6:
            holds = bool(statement.subs(symbols(rule, values, lam)))
            assert holds == (largest < 1)
            seen.add(holds)
    assert seen == {True, False}


def edge(rule, values):
    """The printed limit of αλ."""
    statement = line(rule, "stability").statement
    (upper,) = [
        part for part in statement.args if part.lts.has(sympy.Symbol("alpha", positive=True))
    ]
    return Fraction(str(sympy.Rational(upper.gts.subs(symbols(rule, values, Fraction(1))))))


@pytest.mark.parametrize("rule", LIMITED, ids=lambda rule: rule.__name__)
@points
def test_the_limit_is_where_the_eigenvalues_leave_the_circle(rule, seed):
    values, lam = draw(rule, random.Random(seed))
    limit = edge(rule, values)
    for share, inside in (
        ("999/1000", True),
        ("1/50", True),
        ("1001/1000", False),
        ("-1/9", False),
    ):
        values["learning_rate"] = Fraction(share) * limit / lam
        assert (radius(rule, values, lam) < 1) == inside


def best_setting(rule, m, L):
    """The printed best setting, as floats."""
    ends = {sympy.Symbol("m", positive=True): m, sympy.Symbol("L", positive=True): L}
    lines = [one.statement for one in derive(rule).lines if one.title.startswith("best")]
    names = {letter: name for name, letter in printed(rule).items()}
    return {names[str(one.lhs)]: float(one.rhs.subs(ends)) for one in lines}


def slowest(rule, setting, m, L):
    values = {name: Fraction(value) for name, value in setting.items()}
    grid = np.unique(np.concatenate([np.geomspace(m, L, 9), [m, L]]))
    return max(radius(rule, values, Fraction(lam)) for lam in grid)


@pytest.mark.parametrize("rule", PUBLISHED, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize(("m", "L"), [(1.0, 20.0), (0.3, 270.0)])
def test_no_setting_beats_the_printed_one(rule, m, L):
    """Random search, near and far, on eigenvalues computed by NumPy."""
    best = best_setting(rule, m, L)
    rate = slowest(rule, best, m, L)
    assert rate < 1
    rng = np.random.default_rng(0)
    for size in np.geomspace(1e-3, 1, 30):
        other = {name: value * np.exp(size * rng.normal()) for name, value in best.items()}
        assert slowest(rule, other, m, L) > rate - 1e-7


# -- faults that must be found ---------------------------------------------------------------------


class TooFar(ca.HeavyBall):
    """The limit, one percent too large."""

    def published_limit(self):
        return 1.01 * super().published_limit()


class TooCareful(ca.HeavyBall):
    """Gradient descent's limit."""

    def published_limit(self):
        return 2


class NoLimitAtAll(ca.Nesterov):
    """Heavy ball's limit, printed for Nesterov."""

    def published_limit(self):
        return 2 * (1 + self.momentum)


class Negative(ca.GradientDescent):
    """A limit of the wrong sign."""

    def published_limit(self):
        return -2


class Whole(ca.GradientDescent):
    """1/L is stable, and not the best."""

    @classmethod
    def published_optimum(cls, smallest, largest, given):
        return {"learning_rate": 1 / largest}


class Squared(ca.HeavyBall):
    """The square of the square: exponent 4 instead of 2."""

    @classmethod
    def published_optimum(cls, smallest, largest, given):
        right = ca.HeavyBall.published_optimum(smallest, largest, given)
        return {**right, "momentum": right["momentum"] ** 2}


class Swapped(ca.Nesterov):
    """Heavy ball's pair, printed for Nesterov."""

    @classmethod
    def published_optimum(cls, smallest, largest, given):
        return ca.HeavyBall.published_optimum(smallest, largest, given)


@pytest.mark.parametrize(
    "rule", [TooFar, TooCareful, NoLimitAtAll, Negative], ids=lambda rule: rule.__name__
)
def test_a_wrong_limit_is_refuted_by_a_point_that_shows_it(rule):
    found = line(rule, "stability")
    assert found.verdict == "refuted"
    assert not derive(rule).proved
    product = float(re.search(r"αλ = (−?[\d.]+)", found.check)[1].replace("−", "-"))
    values = {"learning_rate": Fraction(product)}
    if "μ" in found.check:
        values["momentum"] = Fraction(re.search(r"μ = ([\d/]+)", found.check)[1])
    stable = radius(rule, values, Fraction(1)) < 1
    assert found.check.endswith("every condition holds" if stable else "a condition fails")
    if rule is not Negative:  # the point contradicts what is printed
        assert stable != (0 < product < float(edge(rule, values)))


@pytest.mark.parametrize("rule", [Whole, Squared, Swapped], ids=lambda rule: rule.__name__)
def test_a_wrong_optimum_is_refuted_by_a_faster_setting(rule):
    wrong = [one for one in derive(rule).lines if one.title.startswith("best")]
    assert [one.verdict for one in wrong] == ["refuted"] * len(wrong)
    assert all(one.verdict == "proved" for one in derive(rule).lines if one not in wrong)
    check = wrong[0].check
    m, L = (float(re.search(rf"{name} = ([\d.]+)", check)[1]) for name in "mL")
    near = {"learning_rate": float(re.search(r"α = ([\d.]+)", check)[1])}
    if "μ" in check:
        near["momentum"] = float(re.search(r"μ = ([\d.]+)", check)[1])
    assert slowest(rule, near, m, L) < slowest(rule, best_setting(rule, m, L), m, L)


class TwoFaced(ca.Optimizer):
    """Shows symbols another rule than it runs on numbers."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        factor = 1 if isinstance(theta, float) else 2
        return theta - factor * self.learning_rate * problem.gradient(theta)


def test_a_rule_that_is_another_on_numbers_is_refuted():
    assert line(TwoFaced, "one step").verdict == "refuted"


class Unproved(ca.GradientDescent):
    """A true limit and a true optimum, in a form that the provers do not handle."""

    def published_limit(self):
        return 2.0 * float(np.nextafter(1, 2))  # 2, to fifteen digits of sixteen

    @classmethod
    def published_optimum(cls, smallest, largest, given):
        return {"learning_rate": 2 / (smallest + largest) * (1 + 1e-9)}


def test_what_cannot_be_proved_is_plausible_not_proved():
    (best,) = [one for one in derive(Unproved).lines if one.title.startswith("best")]
    assert best.verdict == "plausible"
    assert "not proved" in best.check
    assert not derive(Unproved).proved


class HalfTold(ca.Optimizer):
    """A published learning rate, and nothing about the other setting."""

    learning_rate: Positive
    scale: Positive

    def step(self, problem, t, theta):
        return theta - self.learning_rate * self.scale * problem.gradient(theta)

    @classmethod
    def published_optimum(cls, smallest, largest, given):
        return {"learning_rate": 2 / (smallest + largest)}


def test_half_a_setting_is_undecided():
    (best,) = [one for one in derive(HalfTold).lines if one.title.startswith("best")]
    assert best.verdict == "undecided"


# -- rules without a derivation --------------------------------------------------------------------


class ThreeSlots(ca.Optimizer):
    """Two velocities."""

    learning_rate: Positive

    def step(self, problem, t, theta, u, v):
        u = 0.9 * u - self.learning_rate * problem.gradient(theta)
        v = 0.5 * v - self.learning_rate * problem.gradient(theta)
        return theta + u + v, u, v


class Rooted(ca.Optimizer):
    """Divides by the size of the gradient."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        gradient = problem.gradient(theta)
        return theta - self.learning_rate * gradient / ops.sqrt(1 + ops.absolute(gradient))


class Branching(ca.Optimizer):
    """Decides in Python what only numbers can decide."""

    learning_rate: Positive
    momentum: Real = 0.9

    def step(self, problem, t, theta, v):
        v = (self.momentum if self.momentum < 0.99 else 0) * v - problem.gradient(theta)
        return theta + self.learning_rate * v, v


class Scheduled(ca.Optimizer):
    """Looks at the step index."""

    learning_rate: Positive
    period = None

    def step(self, problem, t, theta):
        return theta - self.learning_rate / t * problem.gradient(theta)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (ThreeSlots, "3 state slots"),
        (Rooted, "an absolute value of the state"),
        (Branching, "leaves the arithmetic"),
        (Scheduled, "changes from step to step"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_rule_without_a_derivation_says_why(rule, reason):
    with pytest.raises(NotDerivableError, match=reason):
        derive(rule)


class NumbersOnly(ca.GradientDescent):
    """Published formulas that need numbers."""

    def published_limit(self):
        return 2 if self.learning_rate > 0.5 else 2.0

    @classmethod
    def published_optimum(cls, smallest, largest, given):
        return {"learning_rate": 2 / (float(smallest) + float(largest))}


def test_formulas_that_take_no_symbols_are_named():
    derivation = derive(NumbersOnly)
    assert derivation.proved
    assert "published limit of NumbersOnly is not written in symbols" in derivation.stopped
    assert "best setting of NumbersOnly is not written in symbols" in derivation.stopped


def test_no_step_size_by_name_no_interval():
    assert "no hyper-parameter learning_rate" in derive(NoRate).stopped


# -- as text and data ------------------------------------------------------------------------------


@every_rule
def test_a_derivation_is_a_table_and_plain_data(rule):
    derivation = derive(rule)
    text = str(derivation)
    for number, one in enumerate(derivation.lines, 1):
        assert "\n" not in one.text
        assert re.search(rf"^\s*{number}  {re.escape(one.title[:20])}", text, re.MULTILINE)
    data = derivation.to_dict()
    assert data["schema"] == "convex_analyzer.derivation/1"
    assert [one["statement"] for one in data["lines"]] == [one.text for one in derivation.lines]
    assert all(one["latex"] for one in data["lines"])


def test_the_same_rule_is_derived_once():
    assert derive(ca.HeavyBall) is derive(ca.HeavyBall)
