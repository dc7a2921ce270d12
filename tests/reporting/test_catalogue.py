"""What is said of each optimizer: sentences, fields, memory, theory, limits."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest
from cases import each

from convex_analyzer.domains import Positive, UnitInterval
from convex_analyzer.optimizers import find, registered
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.optimizers.parse import parse_optimizer
from convex_analyzer.reporting.catalogue import THEORIES, families, profile, written
from convex_analyzer.reporting.docstrings import first_sentence, read, without_name
from convex_analyzer.reporting.limits import stability_of
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import Analysis

PROFILES = {name: profile(cls) for name, cls in registered().items()}


def test_every_optimizer_is_in_one_family():
    groups = families(registered())
    names = [one.name for group in groups for one in group.members]
    assert sorted(names) == sorted(registered())
    assert len(names) >= 40
    assert all(group.sentence.endswith(".") for group in groups)
    assert groups[0].name == "gradient"
    assert {group.title for group in groups} >= {"Adam", "relatives of Adam", "quasi-Newton"}


@each("name", PROFILES)
def test_everything_is_said(name):
    one = PROFILES[name]
    assert one.sentence.endswith(".")
    assert "\n" not in one.sentence
    assert "`" not in one.sentence + one.details + "".join(f.meaning for f in one.fields)
    assert one.theory.kind in THEORIES
    assert one.theory.why or one.theory.kind == "closed form"
    assert [note.name for note in one.fields] == [field.name for field in one.cls.fields()]
    for note in one.fields:
        assert note.meaning, f"{name}: {note.name} is not described in the docstring"
        assert note.must_be


@each("name", PROFILES)
def test_the_call_makes_the_example(name):
    one = PROFILES[name]
    parsed = parse_optimizer(one.call)
    if isinstance(parsed, tuple):
        cls, given = parsed
        parsed = cls(**given)
    assert parsed == one.example


def test_theory_is_what_the_analysis_says():
    kinds = {name: one.theory.kind for name, one in PROFILES.items()}
    assert kinds["HeavyBall"] == kinds["Newton"] == kinds["WeightDecay"] == "closed form"
    assert kinds["Lookahead"] == kinds["ChebyshevSteps"] == "per cycle"
    assert kinds["NesterovTwoPoint"] == kinds["EMA"] == "in the limit"
    assert kinds["SilverSteps"] == kinds["Averaged"] == "step by step"
    assert kinds["Adam"] == kinds["ClippedByNorm"] == "near the minimum"
    assert kinds["SignSGD"] == kinds["LBFGS"] == "simulated only"
    assert PROFILES["SignSGD"].theory.why == "no derivative at the minimum (the sign of the state)"
    assert PROFILES["SimulatedAnnealing"].theory.why == "its step is no arithmetic on gradients"


def test_memory_is_that_of_the_rule_itself():
    assert PROFILES["Adam"].state == "mean, square"
    assert PROFILES["GradientDescent"].state == "none"
    assert PROFILES["LBFGS"].state == "s_1 … s_10, y_1 … y_10, steepest"
    assert PROFILES["EMA"].state == "average + inner"
    assert PROFILES["EMA"].memory == ("average",)
    assert PROFILES["ClippedByNorm"].state == "inner"
    assert PROFILES["ClippedByNorm"].inside == "GradientDescent"


def test_fields_carry_ranges_defaults_and_meanings():
    notes = {note.name: note for note in PROFILES["RMSProp"].fields}
    assert (notes["epsilon"].symbol, notes["epsilon"].default) == ("ε", "1e-8")
    assert notes["centered"].must_be == "True or False"
    assert notes["nesterov"].default == "'off'"
    assert notes["epsilon"].meaning.startswith("ε, non-negative: 1e-8 in torch")
    (rate, momentum) = PROFILES["HeavyBall"].fields
    assert (rate.default, rate.usual) == ("", "")
    assert (momentum.default, momentum.usual) == ("0.9", "[0, 1)")
    (inner, *_) = PROFILES["Averaged"].fields
    assert inner.must_be == "an optimizer"
    both = {note.name: note.meaning for note in PROFILES["Adam"].fields}
    assert both["beta1"] == both["beta2"] == "β₁ and β₂ in [0, 1)."


# -- limits ---------------------------------------------------------------------------------------


@each(
    ("rule", "text"),
    [
        ("HeavyBall(0.1)", "stable if and only if αλ < 2·(1 + μ)"),
        ("GradientDescent(0.1)", "stable if and only if αλ < 2"),
        ("Adam()", "stable if and only if αλ < 2·ε·(1 + β₁)/(1 - β₁)"),
        ("RMSProp(epsilon=0.5)", "stable if and only if αλ < 2·ε"),
        ("Newton()", "stable if and only if α < 2, whatever the curvature"),
        ("ClippedByNorm(GradientDescent(0.1))", "stable if and only if αλ < 2"),
        ("DampedNewton()", "stable at λ = 1 if and only if α < 2.02, with the settings shown"),
        ("Yogi()", "stable if and only if αλ < 0.076, with the settings shown"),
        ("LevenbergMarquardt()", ""),
        ("SignSGD()", ""),
    ],
)
def test_limits_are_formulas_where_there_is_one(rule, text):
    parsed = parse_optimizer(rule)
    instance = parsed if isinstance(parsed, Optimizer) else parsed[0](**parsed[1])
    assert stability_of(instance) == text


def test_a_published_limit_that_is_wrong_is_not_printed():
    class Wrong(HeavyBall):
        """Heavy ball with a slip in its limit."""

        def published_limit(self) -> Any:
            return 2 * self.momentum

    assert stability_of(Wrong(0.1, 0.5)) == (
        "stable if and only if αλ < 3, with the settings shown"
    )


def test_a_rule_that_is_never_stable_or_always():
    class Still(Optimizer):
        """Shrinks by itself."""

        learning_rate: Positive

        def step(self, problem: Any, t: int, theta: Any) -> Any:
            return 0.5 * theta + 0 * self.learning_rate * problem.gradient(theta)

    class Climbing(Optimizer):
        """Goes up."""

        learning_rate: Positive

        def step(self, problem: Any, t: int, theta: Any) -> Any:
            return theta + self.learning_rate * problem.gradient(theta)

    assert stability_of(Still(0.1)) == "stable for every learning rate"
    assert stability_of(Climbing(0.1)) == "stable for no learning rate"


@each("name", sorted(PROFILES))
def test_a_printed_formula_is_the_derived_limit(name):
    """Evaluated with the example's settings, it is what the analysis finds for λ = 1."""
    rule = PROFILES[name].example
    published = rule.published_limit()
    if published is None or "αλ" not in stability_of(rule) or "shown" in stability_of(rule):
        return
    analysis = Analysis(Spectrum.from_eigenvalues([1.0]), rule)
    assert analysis.stability_limit == pytest.approx(float(published), rel=1e-6)


# -- docstrings -----------------------------------------------------------------------------------


def test_a_docstring_is_taken_apart():
    def documented() -> None:
        """Head: one
        line more.

        Details with `code` and ``literals``.

        - an item

        Parameters
        ----------
        first, second
            What they
            mean.
        third
            More.

        Examples
        --------
        >>> 1
        1
        """

    head, details, parameters = read(inspect.getdoc(documented))
    assert head == "Head: one\nline more"
    assert details == "Details with code and literals.\n\n- an item"
    assert parameters == {
        "first": "What they mean.", "second": "What they mean.", "third": "More.",
    }  # fmt: skip


def test_an_empty_docstring_is_no_trouble():
    assert read("") == ("", "", {})
    assert first_sentence("") == ""
    assert first_sentence("No stop") == "No stop"


@pytest.mark.parametrize(
    ("name", "sentence", "rest"),
    [
        ("Adam", "Adam: the mean", "the mean"),
        ("LevenbergMarquardt", "Levenberg-Marquardt: a damping", "a damping"),
        ("SGD", "Stochastic gradient descent: the plain rule", None),
    ],
)
def test_a_name_is_not_said_twice(name, sentence, rest):
    assert without_name(name, sentence) == (rest or sentence)


def test_a_rule_without_words_is_listed_all_the_same():
    class Silent(Optimizer):
        learning_rate: Positive
        momentum: UnitInterval = 0.5

        def step(self, problem: Any, t: int, theta: Any) -> Any:
            return theta - self.learning_rate * problem.gradient(theta)

    one = profile(Silent)
    assert one.theory.kind == "closed form"
    assert [note.meaning for note in one.fields] == ["", ""]
    assert dataclasses.is_dataclass(one)


def test_calls_leave_out_what_is_default():
    assert written(HeavyBall(0.1)) == "HeavyBall(0.1)"
    assert written(HeavyBall(0.1, 0.5)) == "HeavyBall(0.1, 0.5)"
    assert written(find("Adam")(0.1, epsilon=1e-3)) == "Adam(0.1, epsilon=0.001)"
    assert written(find("EMA")(GradientDescent(1 / 3), initial="start")) == (
        "EMA(GradientDescent(0.3333333333333333), initial='start')"
    )
