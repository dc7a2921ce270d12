"""Optimizers from text: names, short names, calls, and every way to get them wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.domains import Positive, UnitInterval
from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.optimizers import registered
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.optimizers.parse import parse_optimizer


class Averaged(Optimizer):
    """A wrapper, as a user might write one."""

    inner: Optimizer
    weight: UnitInterval = 0.5
    warm: bool = False
    kind: str = "mean"

    def step(self, problem, t, theta, *memory):
        return self.inner.step(problem, t, theta, *memory)


class Coupled(Optimizer):
    """A rule whose constructor checks more than single ranges."""

    learning_rate: Positive
    decay: Positive

    def __post_init__(self):
        super().__post_init__()
        if self.decay > self.learning_rate:
            raise InputError("Coupled: decay must not exceed learning_rate")

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.gradient(theta)


EXTRA = {"Averaged": Averaged, "Coupled": Coupled}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HeavyBall", (HeavyBall, {})),
        ("  heavy_ball ", (HeavyBall, {})),
        ("heavy-ball", (HeavyBall, {})),
        ("GD", (GradientDescent, {})),
        ("NAG", (Nesterov, {})),
        ("HeavyBall:learning_rate=0.1", (HeavyBall, {"learning_rate": 0.1})),
        (
            "HeavyBall:learning_rate=0.1,momentum=0.9",
            (HeavyBall, {"learning_rate": 0.1, "momentum": 0.9}),
        ),
        ("HB: momentum = .9 , lr = 1e-3", (HeavyBall, {"momentum": 0.9, "learning_rate": 1e-3})),
        ("HB:0.1,0.9", (HeavyBall, {"learning_rate": 0.1, "momentum": 0.9})),
        ("HB:0.1,momentum=1/3", (HeavyBall, {"learning_rate": 0.1, "momentum": 1 / 3})),
        ("HeavyBall(0.1)", (HeavyBall, {"learning_rate": 0.1})),
        ("HeavyBall()", (HeavyBall, {})),
        (
            " HeavyBall ( 0.1 , momentum = 0.8 ) ",
            (HeavyBall, {"learning_rate": 0.1, "momentum": 0.8}),
        ),
        ("Nesterov(1/4, -1/5)", (Nesterov, {"learning_rate": 0.25, "momentum": -0.2})),
        ("Nesterov(+1, momentum=2)", (Nesterov, {"learning_rate": 1.0, "momentum": 2.0})),
    ],
)
def test_what_is_read(text, expected):
    assert parse_optimizer(text) == expected


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("learning_rate", "learning_rate"),
        ("LearningRate", "learning_rate"),
        ("learning-rate", "learning_rate"),
        ("lr", "learning_rate"),
        ("alpha", "learning_rate"),
        ("α", "learning_rate"),
        ("eta", "learning_rate"),
        ("η", "learning_rate"),
        ("epsilon", "learning_rate"),
        ("momentum", "momentum"),
        ("mu", "momentum"),
        ("μ", "momentum"),
        ("µ", "momentum"),  # the micro sign, which keyboards have
        ("beta", "momentum"),
        ("β", "momentum"),
    ],
)
def test_short_and_greek_names(key, name):
    assert parse_optimizer(f"HeavyBall:{key}=0.5") == (HeavyBall, {name: 0.5})


def test_wrappers_take_optimizers():
    rule = parse_optimizer("Averaged(HeavyBall(0.1, momentum=0.8), weight=1/4)", EXTRA)
    assert rule == Averaged(HeavyBall(0.1, momentum=0.8), weight=0.25)
    nested = parse_optimizer("Averaged(Averaged(GD(0.5)), warm=True, kind='last')", EXTRA)
    assert nested == Averaged(Averaged(GradientDescent(0.5)), warm=True, kind="last")


def test_fields_that_are_not_numbers():
    text = "Averaged:weight=0.1,warm=true,kind=last"
    assert parse_optimizer(text, EXTRA)[1] == {"weight": 0.1, "warm": True, "kind": "last"}
    assert parse_optimizer("Averaged:kind=3", EXTRA)[1] == {"kind": 3}
    assert parse_optimizer("Averaged:kind=0.5", EXTRA)[1] == {"kind": 0.5}


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 0, "an optimizer is missing"),
        ("   ", 0, "an optimizer is missing"),
        ("Heavybal", 0, "did you mean HeavyBall?"),
        ("  zzzz", 2, "known: GradientDescent"),
        ("zzzz:lr=1", 0, "there is no optimizer called 'zzzz'"),
        ("zzzz(1)", 0, "there is no optimizer called 'zzzz'"),
        ("HeavyBall:", 10, "a hyper-parameter is missing"),
        ("HeavyBall:lr=0.1,,", 17, "a hyper-parameter is missing"),
        ("HeavyBall:rate=0.1", 10, "it has learning_rate and momentum"),
        ("HeavyBall:momentun=0.1", 10, "did you mean momentum?"),
        ("HeavyBall:lr=fast", 13, "learning_rate must be a number, got 'fast'"),
        ("HeavyBall:lr=", 13, "learning_rate must be a number"),
        ("HeavyBall:lr=1/0", 13, "learning_rate must be a number"),
        ("HeavyBall:lr=-1", 13, "learning_rate must be positive, got -1"),
        ("HeavyBall:lr=nan", 13, "learning_rate must be positive"),
        ("HeavyBall:lr=0.1,mu=1.5", 20, "momentum must be in [0, 1], got 1.5"),
        ("HeavyBall:lr=0.1, lr=0.2", 18, "learning_rate is given twice"),
        ("HeavyBall:0.1,0.2,0.3", 18, "HeavyBall has only learning_rate and momentum"),
        ("HeavyBall:gamma=0.1", 10, "gamma is learning_rate or momentum"),
        ("HeavyBall(0.1", 9, "this is not a call"),
        ("HeavyBall(0.1))", 14, "this is not a call"),
        ("HeavyBall(0.1) + 1", 0, "this is not a call"),
        ("HeavyBall(0.1, 0.2, 0.3)", 20, "HeavyBall has only learning_rate and momentum"),
        ("HeavyBall(mu=0.5, μ=0.5)", 20, "momentum is given twice"),
        ("HeavyBall(foo=0.5)", 10, "HeavyBall has no hyper-parameter 'foo'"),
        ("HeavyBall(α=0.1, β=oops)", 19, "momentum must be a number, got oops"),
        ("HeavyBall('0.1')", 10, "learning_rate must be a number, got '0.1'"),
        ("HeavyBall(True)", 10, "learning_rate must be a number, got True"),
        ("HeavyBall(1j)", 10, "learning_rate must be a number, got 1j"),
        ("HeavyBall(1/0)", 10, "learning_rate must be a number, got 1/0"),
        ("HeavyBall(2**-3)", 10, "learning_rate must be a number, got 2**-3"),
        ("HeavyBall(0.1, mu=1.5)", 18, "momentum must be in [0, 1], got 1.5"),
        ("HeavyBall(**{'a': 1})", 12, "** is not understood"),
        ("HeavyBall(*[1])", 10, "learning_rate must be a number"),
        ("HeavyBall(GradientDescent(0.1))", 10, "HeavyBall: learning_rate must be a number"),
        ("HeavyBall(0.1)(0.2)", 0, "only optimizers can be called"),
        ("HeavyBall.step(0.1)", 0, "only optimizers can be called"),
        ("Averaged(GradientDescent())", 9, "GradientDescent needs learning_rate"),
        ("Averaged(Coupled(0.1, 0.2))", 9, "decay must not exceed"),
        ("1(2)", 0, "only optimizers can be called"),
        ("HeavyBall(0.1)\0", 0, "this is not a call"),
        ("HeavyBall(" + "(" * 400, None, "this is not a call"),
        ("H" * 1001, 1000, "longer than 1000 characters"),
    ],
    ids=range(43),
)
def test_errors_point_at_the_fault(text, column, words):
    with pytest.raises(ParseError) as caught:
        parse_optimizer(text, EXTRA)
    assert words in str(caught.value)
    if column is not None:
        assert caught.value.column == column
        assert caught.value.caret == f"{text}\n{' ' * column}^"
        assert f"column {column + 1}" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "HeavyBall(__import__('os').getpid())",
        "HeavyBall((lambda: 1)())",
        "HeavyBall([].__class__)",
        "HeavyBall(open('x'))",
        "HeavyBall(f'{1}')",
        "HeavyBall(9**9**9**9)",
        "HeavyBall(1 if 1 else 2)",
        "HeavyBall(x:=1)",
        "exec(HeavyBall)",
        "HeavyBall:learning_rate=__import__('os')",
    ],
)
def test_nothing_is_evaluated(text, monkeypatch):
    for name in ("eval", "exec", "__import__", "open"):
        monkeypatch.setattr(f"builtins.{name}", _forbidden(name, __builtins__))
    with pytest.raises(ParseError):
        parse_optimizer(text)


def _forbidden(name, builtins):
    real = builtins[name] if isinstance(builtins, dict) else getattr(builtins, name)

    def guard(*arguments, **keywords):
        if name == "__import__" and arguments[0] != "os":  # the reader's own imports may happen
            return real(*arguments, **keywords)
        pytest.fail(f"{name} was called")

    return guard


@given(st.text(alphabet=string.printable + "αβμηε_", max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ParseError):
        parse_optimizer(text)


@given(
    st.sampled_from(sorted(registered())),
    st.floats(1e-6, 1e6),
    st.sampled_from([":{}", "({})", ":learning_rate={}", "(learning_rate={})", "(lr={})"]),
)
def test_numbers_survive_the_way_through_text(name, rate, form):
    cls, given_values = parse_optimizer(name + form.format(rate))
    assert cls is registered()[name]
    assert given_values == {"learning_rate": rate}


def test_what_an_optimizer_prints_can_be_read_back():
    for rule in (GradientDescent(0.1), HeavyBall(1e-12, 0.25), Nesterov(3.0, -0.125)):
        cls, values = parse_optimizer(repr(rule))
        assert cls(**values) == rule
        assert set(values) == {field.name for field in dataclasses.fields(rule)}
