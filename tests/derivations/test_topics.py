"""Every printed line, evaluated in a world where its symbols are measured, not derived.

A world is a dictionary of numbers got by running the rule on arrays, by NumPy's eigenvalues, by
enumeration. A statement is evaluated by plain arithmetic on its tree; nothing of the package's
algebra, matrices or checks is used.
"""

from __future__ import annotations

import cmath
import itertools
import re
import xml.dom.minidom
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy
from click.testing import CliRunner

import convex_analyzer as ca
from convex_analyzer.derivations.chain import agree
from convex_analyzer.derivations.derive import derive
from convex_analyzer.derivations.topic import registered_topics
from convex_analyzer.domains import Positive, UnitInterval
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers import find
from convex_analyzer.reporting.derivation_formats import FORMATS, print_derivation

TwoRate, EMA = find("TwoRateMomentum"), find("EMAMomentum")


class Drag(ca.Optimizer):
    """A user's own rule: a velocity that keeps a share, and a step of half of it."""

    learning_rate: Positive
    share: UnitInterval = 0.8

    def step(self, problem, t, theta, drift):
        drift = self.share * drift + problem.gradient(theta)
        return theta - self.learning_rate / 2 * drift, drift


class Wobbly(ca.Optimizer):
    """A rule that decides by its state."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        gradient = problem.gradient(theta)
        return ca.optimizers.registered and theta - self.learning_rate * np.multiply(
            1, 1
        ) * gradient * (2 if gradient > 0 else 1)


RULES = (ca.GradientDescent, ca.HeavyBall, ca.Nesterov, Drag)
LETTERS = {"learning_rate": "alpha", "momentum": "mu", "share": "share", "gradient_rate": "eta",
           "beta1": "beta1", "beta2": "beta2", "epsilon": "epsilon", "decay": "gamma"}  # fmt: skip
SLOTS = {"velocity": "v", "drift": "drift", "average": "average", "mean": "m", "square": "s",
         "square_sum": "s"}  # fmt: skip


# -- running a rule on numbers -------------------------------------------------------------------


class Numbers:
    """A problem whose gradient is a given function."""

    def __init__(self, gradient):
        self.gradient = gradient


def run(rule, values, gradient, start, steps, first=1):
    """States after 0 … steps steps; `gradient(theta, t)`."""
    blank = object.__new__(rule)
    for field in rule.fields():
        object.__setattr__(blank, field.name, values.get(field.name, field.default))
    states = [tuple(start)]
    for t in range(first, first + steps):
        problem = Numbers(lambda theta, t=t: gradient(theta, t))
        after = blank.step(problem, t, *states[-1])
        states.append(after if isinstance(after, tuple) else (after,))
    return states


def matrix(rule, values, lam):
    """The iteration matrix, a column per unit state."""
    size = 1 + len(rule.memory)
    units = np.eye(size)
    columns = [run(rule, values, lambda x, t: lam * x, unit, 1)[1] for unit in units]
    return np.array(columns, dtype=float).T


def radius(rule, values, lam):
    return max(abs(np.linalg.eigvals(matrix(rule, values, lam))))


def names_of(rule):
    return ["x", *(SLOTS[slot] for slot in rule.memory)]


# -- evaluating a statement ----------------------------------------------------------------------


def value(e, world):
    """Plain arithmetic on the tree of an expression."""
    name = type(e).__name__
    if name in TREES:
        return TREES[name](e, world)
    if e.is_Number or e.is_NumberSymbol:
        return complex(e)
    if isinstance(e, sympy.MatrixBase):
        return np.array([[value(entry, world) for entry in row] for row in e.tolist()])
    if isinstance(e, sympy.Symbol | sympy.MatrixSymbol):
        known = world[e.name]
        return known if np.ndim(known) else complex(known)
    return complex(world[name](*[value(part, world) for part in e.args]))  # f(x), D(x), Var(x)


def _product(e, world):
    out = 1
    for part in (value(part, world) for part in e.args):
        out = out @ part if np.ndim(out) == np.ndim(part) == 2 else out * part
    return out


def _sum(e, world):
    variable, low, high = e.limits[0]
    indices = range(*(int(value(end, world).real) for end in (low, high + 1)))
    return sum(value(e.function, {**world, variable.name: i}) for i in indices)


TREES = {
    "Add": lambda e, w: sum(value(part, w) for part in e.args),
    "MatAdd": lambda e, w: sum(value(part, w) for part in e.args),
    "Mul": _product,
    "MatMul": _product,
    "Pow": lambda e, w: value(e.base, w) ** value(e.exp, w),
    "MatPow": lambda e, w: np.linalg.matrix_power(value(e.base, w), int(value(e.exp, w).real)),
    "Transpose": lambda e, w: value(e.arg, w).T,
    "Identity": lambda e, w: np.eye(2),
    "Sum": _sum,
    "Indexed": lambda e, w: w[str(e.base)][round(value(e.indices[0], w).real)],
    "Abs": lambda e, w: abs(value(e.args[0], w)),
    "sign": lambda e, w: np.sign(value(e.args[0], w).real),
}


def true(statement, world):
    """Whether a relation, or a combination of relations, holds."""
    if isinstance(statement, sympy.And):
        return all(true(part, world) for part in statement.args)
    if isinstance(statement, sympy.Equivalent):
        return len({true(part, world) for part in statement.args}) == 1
    left, right = value(statement.lhs, world), value(statement.rhs, world)
    if isinstance(statement, sympy.Eq):
        size = np.maximum(1, np.abs(left))
        return bool(np.all(np.abs(left - right) <= 1e-8 * size))
    assert abs(np.imag(left)) + abs(np.imag(right)) < 1e-12
    return bool({"<": left.real < right.real, ">": left.real > right.real}[statement.rel_op])


def check(topic, *rules, world, skip=(), changed=None):
    """Evaluate every line; `changed` gives another world from the line of that title on."""
    derivation = derive(topic, *rules)
    assert derivation.proved, derivation
    for line in derivation.lines:
        for title, other in (changed or {}).items():
            if line.title.startswith(title):
                world = {**world, **other}
        if line.title in skip:
            continue
        assert true(line.statement, world), (topic, line.title, line.text)
    return derivation


def world_of(rule, seed=0, alpha=None, lam=1.5, **fixed):
    """A run on λx²/2 with exact small numbers, inside the band of complex roots."""
    rng = np.random.default_rng(seed)
    values = {name: rng.integers(20, 28) / 32 for name in rule.hyperparameters()}
    values["learning_rate"] = rng.integers(10, 20) / 32 if alpha is None else alpha
    values |= fixed
    start = rng.integers(1, 9, 1 + len(rule.memory)) / 8
    states = run(rule, values, lambda x, t: lam * x, start, 12)
    M = matrix(rule, values, lam)
    roots = sorted(np.linalg.eigvals(M), key=lambda r: (-r.imag, -r.real))
    names = names_of(rule)
    world = {
        name: np.array(column)
        for name, column in zip(names, zip(*states, strict=True), strict=True)
    }
    size = len(M)
    world |= {LETTERS[name]: number for name, number in values.items()}
    world |= {
        "lambda": lam, "k": 4, "j": 2, "z": roots[0], "r": roots[0], "g": lambda x: lam * x,
        "g_k": lam * world["x"][4],
        "p": lambda z: np.linalg.det(z * np.eye(size) - M), "D": np.ptp(roots) ** 2,
        "rho": abs(roots[0]), "J_k": lam * world["x"][4] ** 2 / 2,
        "mu_lambda": np.linalg.det(M), "s_lambda": 1 + np.linalg.det(M) - np.trace(M),
    }  # fmt: skip
    world["D"] = (roots[0] - roots[-1]) ** 2
    world |= {f"r_{i}": root for i, root in enumerate(roots, 1)}
    return values, world


# -- topics about one linear rule ------------------------------------------------------------------

DYNAMIC = ("recurrence", "roots", "nesterov")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("topic", DYNAMIC)
def test_lines_hold_along_a_run(topic, rule):
    if topic == "nesterov" and rule is ca.GradientDescent:
        with pytest.raises(NotDerivableError, match="1 state slot"):
            derive(topic, rule)
        return
    for seed in (0, 1):
        check(topic, rule, world=world_of(rule, seed)[1])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("topic", ["stability", "jury"])
def test_conditions_say_what_eigenvalues_say(topic, rule):
    seen = set()
    for alpha in (0.1, 0.5, 0.8, 1.2, 1.9, 3.9, 12.0):
        values, world = world_of(rule, 1, alpha)
        stable = bool(radius(rule, values, world["lambda"]) < 1)
        for line in derive(topic, rule).lines:
            expected = isinstance(line.statement, sympy.Eq) or stable
            assert true(line.statement, world) == expected, (line.text, alpha)
        seen.add(stable)
    assert seen == {True, False}
    assert derive(topic, rule).lines[-1].title == "stability"


def quadratic(rule, values):
    """A world of vectors: A = QΛQᵀ in two dimensions, and the rule run on it."""
    Q = np.array([[3, -4], [4, 3]]) / 5
    L = np.diag([1.5, 0.5])
    A = Q @ L @ Q.T
    rng = np.random.default_rng(3)
    names = ["e", *(SLOTS[slot] for slot in rule.memory)]
    start = rng.integers(1, 9, (len(names), 2)) / 8
    states = run(rule, values, lambda x, t: A @ x, start, 4)
    world = {"A": A, "Q": Q, "Lambda": L}
    for i, name in enumerate(names):
        now, after = states[0][i][:, None], states[1][i][:, None]
        turned = "x" if name == "e" else f"{name}_eig"
        world |= {f"{name}_k": now, f"{name}_next": after,
                  f"{turned}_k": Q.T @ now, f"{turned}_next": Q.T @ after}  # fmt: skip
    return world, states


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_eigenbasis_and_the_solution(rule):
    values, world = world_of(rule, 2)
    vectors, states = quadratic(rule, values)
    check("eigenbasis", rule, world=world | vectors)
    powers = {f"e_{n}": states[n][0][:, None] for n in (0, 1, 2)} | {"e_k": states[4][0][:, None]}
    check("solution", rule, world=world | vectors | powers)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_cases_have_the_borders_where_the_motion_changes(rule):
    values, world = world_of(rule, 1)
    if rule is ca.GradientDescent:
        for product in (-0.5, 0.3, 1.4, 2.6):
            factor = run(rule, {"learning_rate": product / 1.5}, lambda x, t: 1.5 * x, (1,), 1)[1][
                0
            ]
            here = {"alpha": product / 1.5, "f": lambda s: 1 - s}
            for line in derive("cases", rule).lines[3:]:
                f = {"f": factor} if isinstance(line.statement, sympy.Equivalent) else {}
                assert true(line.statement, world | here | f), (line.text, product)
        return
    derivation = check("cases", rule, world=world, skip={"critical (D = 0)"})
    critical = next(line for line in derivation.lines if line.title.startswith("critical"))
    low = min(
        complex(value(bound, world)).real for bound in _bounds(derivation, "oscillates (D < 0)")
    )
    roots = np.linalg.eigvals(matrix(rule, {**values, "learning_rate": low / 1.5}, 1.5))
    assert np.allclose(roots, value(critical.statement.rhs, world), atol=1e-6)
    outside = world_of(rule, 1, alpha=0.2 * low / 1.5)[1]
    band = next(line.statement for line in derivation.lines if line.title.startswith("oscillates"))
    assert true(band, outside | {"D": (outside["r_1"] - outside["r_2"]) ** 2})


def _bounds(derivation, title):
    band = next(line.statement for line in derivation.lines if line.title == title)
    inequalities = band.atoms(sympy.StrictLessThan, sympy.StrictGreaterThan)
    sides = [side for one in inequalities for side in one.args]
    return [side for side in sides if not side.has(sympy.Symbol("lambda", positive=True))
            and not side.is_number and str(side) != "D"]  # fmt: skip


BEST = {  # on [1, 9]: Polyak (1964), Lessard, Recht and Packard (2016)
    ca.GradientDescent: ({"learning_rate": 1 / 5}, 4 / 5),
    ca.HeavyBall: ({"learning_rate": 1 / 4, "momentum": 1 / 4}, 1 / 2),
    ca.Nesterov: (
        {"learning_rate": 1 / 7, "momentum": (28**0.5 - 2) / (28**0.5 + 2)}, 1 - 2 / 28**0.5
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", BEST, ids=lambda rule: rule.__name__)
def test_the_best_setting_is_the_best_of_its_neighbours(rule):
    values, rate = BEST[rule]

    def worst(setting):
        return max(radius(rule, setting, lam) for lam in np.linspace(1, 9, 33))

    assert worst(values) == pytest.approx(rate, abs=1e-6)
    for name, nudge in itertools.product(values, (0.97, 1.03)):
        assert worst(values | {name: values[name] * nudge}) > rate + 1e-4
    _, world = world_of(rule, 0, lam=1.0, alpha=values["learning_rate"],
                        **{n: v for n, v in values.items() if n != "learning_rate"})  # fmt: skip
    alpha = values["learning_rate"]
    world |= {"m": 1, "L": 9, "kappa": 9, "rho": rate, "f": lambda lam: 1 - alpha * lam}
    check("best_step", rule, world=world)
    if rule is ca.HeavyBall:
        check("polyak", rule, world=world)


def test_polyaks_argument_is_refused_where_it_does_not_hold():
    with pytest.raises(NotDerivableError, match="product of its roots is mu"):
        derive("polyak", ca.Nesterov)
    assert "No best setting is published" in derive("best_step", Drag).stopped


@pytest.mark.parametrize("rule", RULES[1:], ids=lambda rule: rule.__name__)
def test_the_energy_of_a_run(rule):
    def energies(**fixed):
        values, world = world_of(rule, 4, **fixed)
        M, x = matrix(rule, values, 1.5), world["x"]
        t, d = np.trace(M), np.linalg.det(M)
        return world | {"I": x[1:] ** 2 - t * x[1:] * x[:-1] + d * x[:-1] ** 2}

    fixed = {"share": 1.0} if rule is Drag else {"momentum": 1.0}
    derivation = (
        check("energy", rule, world=energies(), changed={"at μ = 1": energies(**fixed)})
        if rule is not Drag
        else check("energy", rule, world=energies())
    )
    if rule is ca.HeavyBall:
        kept = energies(**fixed)["I"]
        assert np.allclose(kept, kept[0], rtol=1e-12)
        assert derivation.lines[-1].title == "positive unless at rest"
    else:
        assert derivation.stopped.startswith("Stops here")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_terminal_velocity_is_reached(rule):
    values, world = world_of(rule, 5)
    g = 0.75
    size = 1 + len(rule.memory)
    states = run(rule, values, lambda x, t: g, [0.5] + [0.0] * (size - 1), 400)
    names = ["theta", *names_of(rule)[1:]]
    world |= {name: np.array([s[i] for s in states]) for i, name in enumerate(names)}
    world |= {f"{name}_star": states[-1][i] for i, name in enumerate(names)}
    world |= {"g": g, "Delta": states[-1][0] - states[-2][0]}
    check("terminal_velocity", rule, world=world)


def push_world(rule, values, gradients, theta=0.5):
    """A run under given gradients, whatever the point."""
    first = object.__new__(rule)
    for field in rule.fields():
        object.__setattr__(first, field.name, values.get(field.name, field.default))
    start = [theta, *first.start(None, theta)]
    states = run(rule, values, lambda x, t: gradients[t - 1], start, len(gradients))
    names = ["theta", *(SLOTS[slot] for slot in rule.memory)]
    world = {name: np.array([s[i] for s in states]) for i, name in enumerate(names)}
    world |= {LETTERS[name]: v for name, v in values.items() if name in LETTERS}
    moves = np.diff(world["theta"])
    return world | {"g": np.array(gradients), "Delta": np.array([0.0, *moves]), "moves": moves}


ADAM = {"learning_rate": 0.3, "beta1": 0.75, "beta2": 0.875, "epsilon": 0.125,
        "epsilon_root": 0.0, "weight_decay": 0.0}  # fmt: skip
VELOCITY = {"learning_rate": 0.3, "momentum": 0.75, "share": 0.75}
GRADIENTS = [0.5, -1.25, 2.0, 0.75, -0.5, 1.5]


@pytest.mark.parametrize("rule", [*RULES[1:], ca.Adam], ids=lambda rule: rule.__name__)
def test_a_memory_is_the_sum_that_is_printed(rule):
    values = {n: v for n, v in (ADAM if rule is ca.Adam else VELOCITY).items()
              if n in rule.hyperparameters()}  # fmt: skip
    varied = push_world(rule, values, GRADIENTS)
    steady = push_world(rule, values, [1.5] * 6)
    for line in derive("unrolled", rule).lines:
        constant = line.title == "at a constant gradient"
        world = (steady | {"g": 1.5} if constant else varied) | {"k": 4, "j": 2}
        assert true(line.statement, world), line.text
    assert derive("unrolled", rule).proved


def test_bias_correction_gives_unbiased_averages():
    varied, steady = push_world(ca.Adam, ADAM, GRADIENTS), push_world(ca.Adam, ADAM, [1.5] * 6)
    t = 4
    hats = {"m_hat": varied["m"][t] / (1 - 0.75**t), "s_hat": varied["s"][t] / (1 - 0.875**t)}
    extra = {"k": 4, "j": 2, "t": t, "Delta_t": varied["moves"][t - 1], **hats}
    derivation = derive("bias_correction", ca.Adam)
    for line in derivation.lines:
        constant = line.title == "at a constant gradient"
        assert true(line.statement, (steady | {"g": 1.5} if constant else varied) | extra), (
            line.text
        )
    assert derivation.proved
    assert not derivation.stopped
    assert "still depends on t" in derive("bias_correction", ca.RMSProp).stopped
    with pytest.raises(NotDerivableError, match="nothing to correct"):
        derive("bias_correction", ca.HeavyBall)


STEPS = {
    ca.Adam: ADAM,
    ca.AdaGrad: {"learning_rate": 0.3, "epsilon": 0.125},
    ca.RMSProp: {"learning_rate": 0.3, "decay": 0.75, "epsilon": 0.125},
    ca.HeavyBall: {"learning_rate": 0.3, "momentum": 0.75},
    ca.optimizers.SignSGD: {"learning_rate": 0.3},
}


@pytest.mark.parametrize("rule", STEPS, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("g", [1.5, -0.25])
def test_the_first_steps(rule, g):
    values = STEPS[rule]
    derivation = derive("first_step", rule)
    assert derivation.proved
    for line in derivation.lines:
        bare = line.title.startswith(("its size", "step k"))
        numbers = values | {"epsilon": 0.0} if bare and "epsilon" in values else values
        steps = _with_memory(rule, numbers, g)
        assert true(line.statement, steps | {"g": g, "k": 4}), line.text


def _with_memory(rule, values, g):
    memory = object.__new__(rule)
    for field in rule.fields():
        object.__setattr__(memory, field.name, values.get(field.name, field.default))
    names = ["theta", *(SLOTS[slot] for slot in memory.memory)]
    states = run(rule, values, lambda x, t: g, [0.5, *memory.start(None, 0.5)], 6)
    world = {name: np.array([s[i] for s in states]) for i, name in enumerate(names)}
    world |= {LETTERS[n]: v for n, v in values.items() if n in LETTERS}
    return world | {"Delta": np.array([0.0, *np.diff(world["theta"])])}


# -- noise -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_stationary_variance_of_an_iterated_covariance(rule):
    values, world = world_of(rule, 6)
    noise, sigma = 0.7, 1.25
    names = names_of(rule)
    start = [world[name][4] for name in names]
    after = run(rule, values, lambda x, t: 1.5 * x + noise, start, 1)[1]
    for name, number in zip(names, after, strict=True):
        world[name] = np.array([*world[name][:5], number])
    M = matrix(rule, values, 1.5)
    one = run(rule, values, lambda x, t: 1.0, [0.0] * len(M), 1)[1]
    quiet = np.array(run(rule, values, lambda x, t: 1.5 * x, [0.0] * len(M), 1)[1])
    push = np.outer(np.array(one) - quiet, np.array(one) - quiet) * sigma**2
    P = np.zeros_like(M)
    for _ in range(3000):
        P = M @ P @ M.T + push
    world |= {"n": {4: noise}, "sigma": sigma, "V": P[0, 0], "V_x": P[0, 0], "C": P[0, -1],
              "V_m": P[-1, -1]}  # fmt: skip
    steps = {"gradient along an eigendirection", "one step", "for a small learning rate"}
    derivation = check("stationary_variance", rule, world=world, skip=steps)
    if derivation.lines[-1].title in steps:
        small, (_, near) = derivation.lines[-1].statement, world_of(rule, 6, alpha=1e-9)
        closed = derivation.lines[-2].statement.rhs
        ratio = value(closed, near | {"sigma": sigma}) / 1e-9
        assert ratio == pytest.approx(value(small.rhs, near | {"sigma": sigma}), rel=1e-6)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_batches_by_enumeration(rule):
    data, S = np.array([-3.0, 1.0, 4.0, 10.0]), 2
    N, V = len(data), data.var()
    drawn = {
        True: np.var([np.mean(one) for one in itertools.product(data, repeat=S)]),
        False: np.var([np.mean(one) for one in itertools.combinations(data, S)]),
    }
    values, world = world_of(rule, 7)
    variance = {}
    world |= {"S": S, "N": N, "V": V, "C": 0.0, "gbar": 1, "G": 2, "Delta_x": 3,
              "Var": lambda what: variance[int(what.real)]}  # fmt: skip
    steady = run(rule, values, lambda x, t: 1.0, [0.0] * (1 + len(rule.memory)), 400)
    eta = steady[-2][0] - steady[-1][0]
    once = -run(rule, values, lambda x, t: 1.0, [0.0] * (1 + len(rule.memory)), 1)[1][0]
    world |= {"F": V * N / (N - 1), "eta_eff": eta, "g": eta * (N / S - 1)}
    variance |= {1: drawn[True], 3: once**2 * drawn[True]}
    for topic in ("batch_variance", "noise_scale"):
        derivation = derive(topic, rule)
        assert derivation.proved
        replaced = True
        for line in derivation.lines[1:]:  # the first says what gbar stands for
            replaced = replaced and line.title != "without replacement"
            replaced = replaced or line.title.startswith("in one step")
            variance[1] = drawn[replaced]
            variance[2] = N**2 * drawn[False]
            world["C"] = 0.0 if replaced else -V / (N - 1)
            assert true(line.statement, world), line.text


# -- topics without a linear rule ------------------------------------------------------------------


def test_normalisation_against_numpy():
    derivation = derive("normalisation")
    assert derivation.proved
    data = np.array([1.0, 4.0, 10.0])

    def world(x):
        X = np.column_stack([x, np.ones_like(x)])
        A = X.T @ X / len(x)
        low, high = np.linalg.eigvalsh(A)
        return {"m": x.mean(), "v": x.var(), "A": A, "lambda_min": low, "lambda_max": high,
                "kappa": high / low}  # fmt: skip

    centred = data - data.mean()
    worlds = {"centred": world(centred), "standardised": world(centred / centred.std())}
    for line in derivation.lines[2:-1]:
        here = worlds.get(line.title.partition(" ")[0], world(data))
        assert true(line.statement, here), line.text
    w, b, x, y, c = sympy.symbols("w b x y c", real=True)
    point = {b: 2, x: 3, y: 5, c: sympy.Rational(1, 2)}
    statement = derivation.lines[-1].statement
    loss = [statement.lhs.expr.subs({**point, w: k}) for k in (0, 1, 2)]
    assert loss[0] - 2 * loss[1] + loss[2] == statement.rhs.subs(point)
    examples = derivation.lines[1].statement.rhs.subs(x, 3)
    assert examples == sympy.Matrix([[9, 3], [3, 1]])
    with pytest.raises(InputError, match="takes no optimizer"):
        derive("normalisation", ca.HeavyBall)


def test_convexity_line_by_line():
    derivation = derive("convexity")
    rng = np.random.default_rng(8)
    assert derivation.proved
    assert len(derivation.lines) > 3
    for line in derivation.lines:
        f = sympy.lambdify(sympy.symbols("x y"), _plain(line.statement), "math")
        for _ in range(20):
            p, q = rng.normal(size=(2, 2)) * 2
            assert f(*(p + q) / 2) <= (f(*p) + f(*q)) / 2 + 1e-12
    with pytest.raises(NotDerivableError, match="not convex"):
        derive("convexity", "x**3")


def _plain(expression):
    return expression.xreplace({s: sympy.Symbol(s.name) for s in expression.free_symbols})


@pytest.mark.parametrize("rule", [*RULES, ca.Adam], ids=lambda rule: rule.__name__)
def test_a_moved_loss_changes_nothing(rule):
    values = {n: v for n, v in (ADAM if rule is ca.Adam else VELOCITY).items()
              if n in rule.hyperparameters()}  # fmt: skip
    c, e = 1.25, 0.5
    memory = [0.75, 0.375][: len(rule.memory)]
    t = 3
    after = run(rule, values, lambda x, t: np.sin(x - c) + 0.1, [e + c, *memory], 1, first=t)[1]
    names = ["e", *(SLOTS[slot] for slot in rule.memory)]
    world = dict(zip(names, [e, *memory], strict=True))
    world |= {f"{name}_new": number for name, number in zip(names, after, strict=True)}
    world |= {"e_new": after[0] - c, "theta": e + c, "c": c, "x": 0.7, "t": t,
              "G": lambda x: cmath.sin(x) + 0.1, "g": lambda x: cmath.sin(x - c) + 0.1}  # fmt: skip
    world |= {LETTERS[n]: v for n, v in values.items() if n in LETTERS}
    derivation = check("translation", rule, world=world)
    assert len(derivation.lines) == 3 + len(rule.memory)
    assert "differs from the unmoved one by" in derive("translation", ca.AdamW).stopped


@pytest.mark.parametrize(
    ("second", "alpha"),
    [(TwoRate, lambda v: v["learning_rate"] * v["gradient_rate"]),
     (EMA, lambda v: v["learning_rate"] * (1 - v["momentum"])),
     (find("OuterMomentum"), lambda v: v["learning_rate"])],
    ids=["two rates", "average", "outer"],
)  # fmt: skip
def test_one_rule_as_another(second, alpha):
    values = {"learning_rate": 0.3, "momentum": 0.75, "gradient_rate": 0.5}
    states = run(second, values, lambda x, t: 1.5 * x, (1.0, 0.0), 6)
    world = {"x": np.array([s[0] for s in states]), "k": 3, "lambda": 1.5,
             "alpha": alpha(values), "mu": 0.75}  # fmt: skip
    world |= {f"{LETTERS[n]}_b": v for n, v in values.items()}
    check("equivalence", ca.HeavyBall, second, world=world)
    stopped = derive("equivalence", ca.HeavyBall, ca.Nesterov)
    assert stopped.proved
    assert "no hyper-parameters of HeavyBall" in stopped.stopped


# -- what is refused, and how ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "topic", ["stability", "solution", "cases", "jury", "roots", "eigenbasis", "best_step",
              "stationary_variance", "energy"],
)  # fmt: skip
def test_a_rule_that_is_not_linear_is_refused_with_the_place(topic):
    with pytest.raises(NotDerivableError, match=r"sign of the state \(line 1 of step: return"):
        derive(topic, ca.optimizers.SignSGD)


def test_a_branch_is_named_with_its_line():
    with pytest.raises(NotDerivableError, match=r"a branch on the state \(line \d of step"):
        derive("stability", Wobbly)
    stopped = derive("recurrence", ca.Adam)
    assert stopped.proved
    assert re.search(r"square root of the state \(line \d of", stopped.stopped)


def test_unknown_topics_and_arguments():
    with pytest.raises(InputError, match=r"did you mean stability\?"):
        derive("stabilty")
    with pytest.raises(InputError, match=r"topics: .*jury.*stability"):
        derive("qqq")
    for wrong in (3, "NoSuchRule"):
        with pytest.raises(InputError):
            derive("roots", wrong)
    with pytest.raises(InputError, match="takes one argument"):
        derive("roots", ca.HeavyBall, ca.Nesterov)
    listed = {row[0] for row in derive.topics().rows}
    assert listed == set(registered_topics())
    assert len(listed) == 22
    assert all(derive(topic).proved for topic in listed)


def test_a_wrong_line_is_refuted_and_a_hard_one_is_not_called_proved():
    x = sympy.Symbol("x", positive=True)
    verdict, text = agree((1 - x) ** 2, 1 - x**2)
    assert verdict == "refuted"
    assert text.startswith("at x = ")
    assert agree(sympy.sin(2 * x), 2 * sympy.sin(x) * sympy.cos(x))[0] == "plausible"
    assert agree(sympy.log(x), sympy.zoo)[0] != "proved"


# -- formats and the command line ------------------------------------------------------------------


class Tags(HTMLParser):
    """Counts formulas and checks that tags close."""

    def __init__(self):
        super().__init__()
        self.open, self.formulas = [], 0

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.formulas += tag == "math"

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("topic", sorted(registered_topics()))
def test_every_format_is_well_formed(topic):
    derivation = derive(topic)
    count = len(derivation.lines)
    page = print_derivation(derivation, "html")
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.formulas == count
    xml.dom.minidom.parseString(page.partition("\n")[2])
    latex = print_derivation(derivation, "latex").replace("\\\\", " ")  # ends of rows
    assert latex.count(r"\item") == latex.count(r"\[ ") == latex.count(r" \]") == count
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    assert not set(re.sub(r"[–’éö]", "", latex)) - set(map(chr, range(128))), "needs no font"
    assert print_derivation(derivation, "markdown").count("$$") == 2 * count
    text = print_derivation(derivation)
    assert all(f"\n{n} " in text for n in range(1, count + 1))


def test_typst_compiles_all_topics_at_once():
    typst = pytest.importorskip("typst")
    whole = "\n\n".join(print_derivation(derive(topic), "typst") for topic in registered_topics())
    assert typst.compile(whole.encode(), format="pdf").startswith(b"%PDF")


def test_the_command_line(tmp_path):
    from convex_analyzer.cli import commands
    from convex_analyzer.cli import run as run_command
    from convex_analyzer.cli.derive import _FORMATS

    assert set(_FORMATS) == set(FORMATS)
    runner = CliRunner()
    said = runner.invoke(commands, ["derive", "jury", "Nesterov"])
    assert said.exit_code == 0
    assert "0 < α·λ and α·λ < 2·(1 + μ)/(1 + 2·μ)" in said.output
    assert "noise_scale" in runner.invoke(commands, ["derive"]).output
    flags = runner.invoke(commands, ["derive", "roots", "OuterMomentum:nesterov=true", "--json"])
    assert '"verdict": "proved"' in flags.output
    for name in ("a.tex", "a.typ", "a.html", "a.md", "a.txt", "a.pdf"):
        assert run_command(["derive", "unrolled", "--out", str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_size > 500
    for bad in (["nonsense"], ["roots", "SignSGD"], ["roots", "--out", "x.docx"],
                ["roots", "A", "B", "C"], ["roots", "--out", str(tmp_path)]):  # fmt: skip
        assert run_command(["derive", *bad]) == 2
