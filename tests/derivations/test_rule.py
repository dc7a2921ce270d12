"""Rules as formulas: what is printed is what is run, and what cannot be printed says why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

from convex_analyzer.comparison.exhibit import example_of
from convex_analyzer.derivations.rule import rule_source, write_rule
from convex_analyzer.derivations.terms import Index, Term, Writing, leaf
from convex_analyzer.domains import Positive, Whole
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.ops import matvec, outer, where
from convex_analyzer.optimizers import registered
from convex_analyzer.optimizers.adam import Adam, AMSGrad
from convex_analyzer.optimizers.averaging import EMA
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.krylov import ConjugateGradient
from convex_analyzer.optimizers.momentum import HeavyBall, OuterMomentum
from convex_analyzer.testing.case import PlainProblem

CURVATURE, LINEAR = 1.7, 0.3
ONE_DIMENSION = PlainProblem([[CURVATURE]], [LINEAR])
# Rules that are more than a handful of formulas, each for its own reason.
AS_SOURCE = {
    "BFGS": "long",
    "ChebyshevSteps": "remainder",
    "ConjugateGradient": "long",
    "LBFGS": "long",
    "LevenbergMarquardt": "long",
    "Lookahead": "remainder",
    "NesterovTwoPoint": "whole number",
    "SilverSteps": "whole number",
    "TruncatedNewton": "long",
}


def in_numbers(expression: Any, values: dict[Any, float]) -> float:
    """Evaluate an expression in one dimension, by SymPy alone."""

    def applied(function: Any) -> Any:
        name, x = str(function.func), function.args[0]
        if name.startswith("(A + "):
            letter = name.removeprefix("(A + ").partition("I")[0]
            return x / (CURVATURE + NAMED[letter])
        return {
            "∇J": lambda: CURVATURE * x + LINEAR,
            "J": lambda: CURVATURE * x**2 / 2 + LINEAR * x,
            "A": lambda: CURVATURE * x,
            "A⁻¹": lambda: x / CURVATURE,
            "norm": lambda: sympy.Abs(x),
            "dot": lambda: x * function.args[1],
        }[name]()

    shown = sympy.sympify(expression.xreplace(values)).doit()
    while shown.atoms(sympy.core.function.AppliedUndef):
        for function in shown.atoms(sympy.core.function.AppliedUndef):
            shown = shown.xreplace({function: applied(function)})
    return float(shown)


NAMED = {"τ": 0.2}


def setting(name: str) -> Optimizer:
    """Return an instance whose hyper-parameters tell each other apart."""
    rule = example_of(registered()[name])
    if "damping" in rule.values:
        return rule.replace(damping=NAMED["τ"])
    return rule.replace(epsilon=0.13) if "epsilon" in rule.values else rule


@pytest.mark.parametrize("name", registered())
@pytest.mark.parametrize("t", [2, 7])
def test_what_is_printed_is_what_is_run(name, t):
    rule = setting(name)
    try:
        written = write_rule(rule)
    except NotDerivableError:
        assert rule_source(rule)  # then it is shown as it is written
        return
    random = np.random.default_rng(t)
    slots = ("theta", *rule.memory)
    state = [np.array([[value]]) for value in random.uniform(0.3, 1.4, len(slots))]
    expected = as_state(rule, rule.step(ONE_DIMENSION, t, *state))

    index = sympy.Symbol("t", integer=True, positive=True)
    letters = written.letters
    values: dict[Any, float] = {
        sympy.Symbol(letters[name], positive=True): float(number)
        for name, number in rule.numbers().items()
    }
    for slot, value in zip(slots, state, strict=True):
        values[sympy.IndexedBase(letters[slot])[index - 1]] = float(value[0, 0])
    values[sympy.IndexedBase("xi")[index]] = 1.0  # the draws of PlainProblem
    values[sympy.IndexedBase("zeta")[index]] = 1 / 3
    for line in written.lines:
        values[line.lhs] = in_numbers(line.rhs, {**values, index: t})
    found = [values.get(sympy.IndexedBase(letters[slot])[index]) for slot in slots]
    for slot, before, value, wanted in zip(slots, state, found, expected, strict=True):
        kept = float(before[0, 0]) if value is None else value  # a slot without a line stays
        assert kept == pytest.approx(float(np.ravel(wanted)[0]), rel=1e-9), slot
    if written.reported is not None:
        reported = float(np.ravel(rule.report(*expected))[0])
        assert in_numbers(written.reported, values) == pytest.approx(reported, rel=1e-9)


@pytest.mark.parametrize("name", sorted(AS_SOURCE))
def test_what_is_no_handful_of_formulas_is_shown_as_source(name):
    rule = example_of(registered()[name])
    with pytest.raises(NotDerivableError, match=AS_SOURCE[name]):
        write_rule(rule)
    source = rule_source(rule)
    assert "def step" not in source
    assert source.rpartition("\n")[2].lstrip().startswith(("return", ")"))


def test_most_rules_are_formulas():
    assert set(AS_SOURCE) <= set(registered())
    assert len(AS_SOURCE) < len(registered()) / 4


def texts(rule: Optimizer) -> list[str]:
    return [f"{line.lhs} = {line.rhs}" for line in write_rule(rule).lines]


def test_every_slot_has_its_line_in_order():
    assert texts(HeavyBall(0.1)) == [
        "g[t] = ∇J(theta[t - 1])",
        "v[t] = -alpha*g[t] + mu*v[t - 1]",
        "theta[t] = theta[t - 1] + v[t]",
    ]


def letters_in(rule: Optimizer) -> set[str]:
    return {symbol.name for line in write_rule(rule).lines for symbol in line.rhs.free_symbols}


def test_what_is_switched_off_is_not_printed():
    assert "w" not in letters_in(OuterMomentum(0.1))
    assert "w" in letters_in(OuterMomentum(0.1, weight_decay=0.2))
    corrected, raw = texts(AMSGrad()), texts(AMSGrad(variant="raw"))
    assert any("beta1**t" in line for line in corrected)
    assert not any("beta1**t" in line for line in raw)


def test_numbers_inside_a_rule_are_printed_as_they_are_written():
    class Odd(Optimizer):
        """Numbers of its own."""

        def step(self, problem: Any, t: int, theta: Any) -> Any:
            return theta - 0.5 * 0.96**t * problem.gradient(theta)

    assert texts(Odd())[1] == "theta[t] = -0.96**t*g[t]/2 + theta[t - 1]"


def test_the_first_step_may_be_unlike_the_others():
    rule = write_rule(EMA(GradientDescent(0.1), 0.9))
    assert rule.notes == ("the first step is unlike this one",)
    assert str(rule.reported) == "average[t]"
    assert write_rule(EMA(GradientDescent(0.1), 0.9, "start")).notes == ()


def test_letters_of_an_inner_rule_do_not_collide():
    written = write_rule(EMA(OuterMomentum(0.1, 0.8), 0.9))
    assert written.letters["decay"] == "gamma"
    assert written.letters["optimizer.momentum"] == "mu"
    assert len(set(written.letters.values())) == len(written.letters)


class Python(Optimizer):
    """Decides in Python."""

    learning_rate: Positive

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        gradient = problem.gradient(theta)
        return theta - gradient if gradient > 0 else theta


class Matrix(Optimizer):
    """Works with a matrix."""

    def step(self, problem: Any, t: int, theta: Any, square: Any) -> Any:
        gradient = problem.gradient(theta)
        square = square + outer(gradient, gradient)
        return theta - matvec(square, gradient), square


class Late(Optimizer):
    """Changes after ten steps."""

    period = None

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        return theta if t == 10 else theta - problem.gradient(theta)


class Unrolled(Optimizer):
    """Many gradients in one step."""

    rounds: Whole = 20

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        for _ in range(self.rounds):
            theta = theta - problem.gradient(theta)
        return theta


class Foreign(Optimizer):
    """Asks the problem for what it does not offer."""

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        return theta - problem.third_derivative(theta)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (Python(0.1), "choose between values with ops.where"),
        (Matrix(), "works with matrices"),
        (Late(), "by the step index"),
        (Unrolled(), "long"),
        (Foreign(), "cannot be run on symbols"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Optimizer) else "",
)
def test_rules_that_cannot_be_printed_say_why(rule, reason):
    with pytest.raises(NotDerivableError, match=f"^{type(rule).__name__}: .*{reason}"):
        write_rule(rule)


def test_source_of_a_rule_without_a_file_is_empty():
    space: dict[str, Any] = {"Optimizer": Optimizer, "__name__": "nowhere"}
    code = "class Typed(Optimizer):\n    def step(self, problem, t, theta):\n        return theta\n"
    exec(compile(code, "<typed>", "exec"), space)
    assert rule_source(space["Typed"]) == ""


def test_source_of_a_signature_of_several_lines_starts_with_the_body():
    assert rule_source(ConjugateGradient).startswith("before, gradient =")


# -- the terms themselves -------------------------------------------------------------------------


def test_terms_of_hyper_parameters_equal_no_number():
    rate, theta = leaf("rate", generic=True), leaf("theta")
    assert (rate == 0) is False
    assert (rate != 0) is True
    assert isinstance(theta == 0, Term)
    assert isinstance(theta != 0, Term)
    with pytest.raises(NotDerivableError):
        bool(rate < 1)
    with pytest.raises(NotDerivableError):
        range(rate)


def test_the_index_is_any_step_but_the_first():
    t = Index()
    assert t != 1
    assert t > 1
    assert t.asked
    assert not Index().asked
    with pytest.raises(NotDerivableError):
        _ = t == 5
    with pytest.raises(NotDerivableError):
        _ = t % 3
    with pytest.raises(NotDerivableError):
        int(t)


def test_where_takes_terms_and_plain_conditions():
    theta, other = leaf("theta"), leaf("other")
    chosen = where(theta > 0, theta, other)
    assert chosen.operation == "where"
    assert [term.operation for term in chosen.walk()].count("name") == 2


def test_draws_are_never_one_and_the_same():
    problem, theta = Writing(), leaf("theta")
    assert problem.normal(theta, 1.0).key != problem.normal(theta, 1.0).key
    assert problem.uniform(theta).key != problem.uniform(theta).key
    assert problem.gradient(theta).key == problem.gradient(theta).key


def test_arithmetic_from_the_left_and_with_numpy_keeps_terms():
    theta = leaf("theta")
    for term in (2 + theta, np.float64(2) * theta, 1 / theta, 2 - theta, 2**theta, +theta):
        assert isinstance(term, Term)
    assert (-theta).operation == "negative"
    assert (~(theta > 0)).operation == "not"
    assert "theta" in repr(theta)


def test_adam_reads_as_in_the_paper():
    (_, mean, square, point) = write_rule(Adam()).lines
    t = sympy.Symbol("t", integer=True, positive=True)
    alpha, first, second, epsilon = (
        sympy.Symbol(name, positive=True) for name in ("alpha", "beta1", "beta2", "epsilon")
    )
    m, s, g, theta = map(sympy.IndexedBase, ("m", "s", "g", "theta"))
    assert sympy.expand(mean.rhs - first * m[t - 1] - (1 - first) * g[t]) == 0
    assert sympy.expand(square.rhs - second * s[t - 1] - (1 - second) * g[t] ** 2) == 0
    corrected = m[t] / (1 - first**t), s[t] / (1 - second**t)
    published = theta[t - 1] - alpha * corrected[0] / (sympy.sqrt(corrected[1]) + epsilon)
    numbers = {m[t]: 0.3, s[t]: 0.7, theta[t - 1]: 1.1, alpha: 0.1, first: 0.9, second: 0.99,
               epsilon: 0.01, t: 3}  # fmt: skip
    assert float(point.rhs.subs(numbers)) == pytest.approx(float(published.subs(numbers)))
