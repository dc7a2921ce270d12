"""Optimizers from text: names, short names, calls, and every way to get them wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import string
from typing import Annotated

import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.domains import Choice, Positive, UnitInterval, Whole
from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.optimizers import registered
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.optimizers.parse import parse_optimizer, parse_schedule
from convex_analyzer.schedules import Constant, Linear, MultiStep, Step, Table, WarmUp

pytestmark = pytest.mark.survey


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


class Chosen(Optimizer):
    """A rule with a count, a flag and a choice of words."""

    learning_rate: Positive
    history: Whole = 10
    nesterov: bool = False
    like: Annotated[str, Choice(("torch", "keras"))] = "torch"

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.gradient(theta)


EXTRA = {"Averaged": Averaged, "Coupled": Coupled, "Chosen": Chosen}
STAIRS = Step(0.1, 0.1, 30)


@each(
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


@each(
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


@each(
    ("text", "expected"),
    [
        ("HeavyBall:learning_rate=Step(0.1,0.1,30),momentum=0.9", HeavyBall(STAIRS, 0.9)),
        ("HeavyBall:lr = Step(0.1, 0.1, every=30) , momentum=0.8", HeavyBall(STAIRS, 0.8)),
        ("HB:Step(initial=0.1, factor=1/10, every=30)", HeavyBall(STAIRS)),
        ("HeavyBall(Step(0.1, 0.1, 30), momentum=0.8)", HeavyBall(STAIRS, 0.8)),
        ("HeavyBall(step(0.1, 0.1, 30))", HeavyBall(STAIRS)),
        ("HeavyBall(0.2, Table([0.5, 0.9], hold))", HeavyBall(0.2, Table([0.5, 0.9], "hold"))),
        ("HB:0.2,Table([0.5, 0.9], 'hold')", HeavyBall(0.2, Table([0.5, 0.9], "hold"))),
        ("GD(MultiStep(1, 0.1, [30, 60]))", GradientDescent(MultiStep(1, 0.1, [30, 60]))),
        (
            "GD(MultiStep(1, milestones=[3, 6], values=[1/2, +1/4]))",
            GradientDescent(MultiStep(1, milestones=[3, 6], values=[0.5, 0.25])),
        ),
        ("GD(WarmUp(5, Linear(1, 0, 9)))", GradientDescent(WarmUp(5, Linear(1, 0, 9)))),
        ("GD:WarmUp(5, Linear(1, 0, 9), 0.1)", GradientDescent(WarmUp(5, Linear(1, 0, 9), 0.1))),
        (
            "Averaged(HeavyBall(Step(0.1, 0.1, 30), momentum=0.8))",
            Averaged(HeavyBall(STAIRS, 0.8)),
        ),
        (
            "Averaged:inner=HeavyBall(0.1, momentum=0.8),weight=Linear(0, 1, 5),kind='a,b'",
            Averaged(HeavyBall(0.1, 0.8), weight=Linear(0, 1, 5), kind="a,b"),
        ),
    ],
)
def test_schedules_are_values(text, expected):
    """What is not given then has its default: nothing is tuned beside a schedule."""
    assert parse_optimizer(text, EXTRA) == expected


@each(
    ("text", "expected"),
    [
        ("Chosen:0.1,3,true,keras", (0.1, 3, True, "keras")),
        ("Chosen:0.1,nesterov=no,like='keras'", (0.1, 10, False, "keras")),
        ("Chosen(0.1, 3, True, 'keras')", (0.1, 3, True, "keras")),
        ("Chosen(0.1, 3.0, nesterov=true, like=keras)", (0.1, 3, True, "keras")),
        ("Chosen(0.1, like=torch)", (0.1, 10, False, "torch")),
    ],
)
def test_counts_flags_and_choices(text, expected):
    cls, values = parse_optimizer(text, EXTRA)
    rule = cls(**values)
    assert (rule.learning_rate, rule.history, rule.nesterov, rule.like) == expected
    assert isinstance(rule.history, int)


@each(
    ("text", "expected"),
    [
        ("Step(0.1, 0.1, 30)", STAIRS),
        ("  step( 0.1,\n0.1, every = 30 )", STAIRS),
        ("0.1", Constant(0.1)),
        ("-1/4", Constant(-0.25)),
        ("Linear(0, −0.5, 9)", Linear(0, -0.5, 9)),
        ("Product(2, Step(0.1, 0.1, 30))", 2 * STAIRS),
    ],
)
def test_schedules_alone(text, expected):
    assert parse_schedule(text) == expected


@each(
    ("text", "column", "words"),
    [
        (" ", 0, "a schedule is missing; for instance Step(1, 0.5, 30)"),
        ("Step", 0, "this is not a value such as 0.1"),
        ("Stp(1, 0.5, 30)", 0, "there is no schedule called 'Stp'; did you mean Step?"),
        ("Step(1, 0.5, 30", 4, "this is not a value"),
        ("a.b(1)", 0, "there is no schedule called 'a.b'"),
        ("Step(1, 0.5)", 0, "Step needs every"),
        ("  1/0", 2, "this is not a value"),
        ("True", 0, "Constant: value must be a number, got True"),
        ("HeavyBall(0.1)", 0, "there is no schedule called 'HeavyBall'"),
    ],
)
def test_what_is_no_schedule(text, column, words):
    with pytest.raises(ParseError) as caught:
        parse_schedule(text)
    assert words in str(caught.value)
    assert caught.value.column == column


@each(
    "text",
    ["-" * 60_000 + "1", "1/" * 30_000 + "1", "1" * 5000, "Step(" * 150 + "1" + ")" * 150],
    ids=["signs", "fractions", "digits", "calls"],
)
def test_towers_do_not_fall(text):
    with pytest.raises(ParseError):
        parse_optimizer(f"HeavyBall({text})")
    with pytest.raises(ParseError):
        parse_optimizer(f"HeavyBall:mu=0.5,lr=({text})")


def test_long_tables_are_read():
    rule = HeavyBall(Table([k / 3 + 1 for k in range(2000)]))
    assert parse_optimizer(repr(rule)) == rule


def test_fields_that_are_not_numbers():
    text = "Averaged:weight=0.1,warm=true,kind=last"
    assert parse_optimizer(text, EXTRA)[1] == {"weight": 0.1, "warm": True, "kind": "last"}
    assert parse_optimizer("Averaged:kind=3", EXTRA)[1] == {"kind": 3}
    assert parse_optimizer("Averaged:kind=0.5", EXTRA)[1] == {"kind": 0.5}


@each(
    ("text", "column", "words"),
    [
        ("", 0, "an optimizer is missing"),
        ("   ", 0, "an optimizer is missing"),
        ("Heavybal", 0, "did you mean HeavyBall?"),
        ("  zzzz", 2, "there is no optimizer called 'zzzz'; `convex-analyzer optimizers`"),
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
        ("H" * 100_001, 100_000, "longer than 100000 characters"),
        ("HeavyBall:lr=Step(0.1, 0.1", 17, "this is not a value such as 0.1 or Step(0.1, 0.5, 30)"),
        ("HeavyBall:lr=Stp(0.1, 0.1, 30)", 13, "HeavyBall: learning_rate must be a number or a sc"),
        ("HeavyBall:lr=Stp(0.1, 0.1, 30)", 13, "no schedule called 'Stp'; did you mean Step?"),
        ("HeavyBall:lr=Step(0.1, 0.3)", 13, "Step needs every"),
        ("HeavyBall:lr=Step(0.1, 0.1, 30, 4)", 32, "Step has only initial, factor and every"),
        (
            "HeavyBall:lr=Step(0.1, 0.1, every=x)",
            34,
            "Step: every must be a whole number, at least 1",
        ),
        ("HeavyBall:lr=Step(0.1, 2, 30)", 23, "Step: factor must be in [0, 1], got 2"),
        ("HeavyBall:lr=Step(0.1, 0.1, each=9)", 28, "Step has no field 'each'; it has initial"),
        ("HeavyBall:mu=0.9,lr=Linear(1, -1, 9)", 20, "learning_rate must be positive, got -1"),
        (
            "HeavyBall:momentum=Linear(0, 0.9, 5)",
            0,
            "HeavyBall needs learning_rate: nothing is tun",
        ),
        (
            "HeavyBall(momentum=Linear(0, 0.9, 5))",
            0,
            "HeavyBall needs learning_rate: nothing is tu",
        ),
        (
            "HeavyBall(MultiStep(0.1, 0.1, [3, 2]))",
            30,
            "milestones must be a list of whole numbers",
        ),
        ("HeavyBall(MultiStep(1, 0.1, [3, a]))", 28, "that do not decrease, got [3, a]"),
        ("HeavyBall(MultiStep(1, a, [3]))", 23, "factor must be a finite number or None, got a"),
        ("HeavyBall(MultiStep(1, milestones=[3]))", 10, "MultiStep: give either factor or values"),
        ("HeavyBall(Step(Step(1, 1, 3), 1, 3))", 10, "initial must be a number, got the schedule"),
        (
            "HeavyBall(Step(foo(1), 1, 3))",
            15,
            "Step: initial must be a number or a schedule; there",
        ),
        (
            "HeavyBall(Cosine(1, 80, after=fall))",
            30,
            "after must be one of 'hold', 'climb', got 'fa",
        ),
        ("HeavyBall(WarmUp(5, 'Step'))", 20, "schedule must be a schedule or a number, got 'Step'"),
        ("HeavyBall(np.Step(1, 1, 3))", 10, "only optimizers and schedules can be called"),
        ("HeavyBall([0.1, 0.2])", 10, "learning_rate must be a number, got [0.1, 0.2]"),
        ("HeavyBall:lr=[0.1]", 13, "learning_rate must be a number, got [0.1]"),
        ("HeavyBall(1" + "0" * 400 + ")", 10, "learning_rate must be a number, got 1000"),
        ("HeavyBall(1/2/3)", 10, "learning_rate must be a number, got 1/2/3"),
        ("Chosen(0.1, history=2.5)", 20, "history must be a whole number, at least 1, got 2.5"),
        ("Chosen:0.1,history=2.5", 19, "history must be a whole number, at least 1"),
        (
            "Chosen(0.1, history=Step(3, 1, 9))",
            20,
            "history must be a whole number, at least 1, go",
        ),
        (
            "Chosen(0.1, history=f(3))",
            20,
            "history must be a whole number, at least 1; there is no",
        ),
        ("Chosen:0.1,nesterov=maybe", 20, "nesterov must be True or False, got 'maybe'"),
        ("Chosen(0.1, nesterov=1)", 21, "nesterov must be True or False, got 1"),
        ("Chosen:0.1,like=optax", 16, "like must be one of 'torch', 'keras', got 'optax'"),
        ("Chosen(0.1, like=optax)", 17, "like must be one of 'torch', 'keras', got 'optax'"),
        ("Averaged:inner=Heavybal(0.1)", 15, "there is no optimizer called 'Heavybal'"),
        ("Averaged(Step(1, 1, 3), kind=[1])", 29, "kind must be a number, got [1]"),
    ],
    ids=itertools.count(),
)
def test_errors_point_at_the_fault(text, column, words):
    with pytest.raises(ParseError) as caught:
        parse_optimizer(text, EXTRA)
    assert words in str(caught.value)
    if column is not None:
        assert caught.value.column == column
        assert caught.value.caret == f"{text}\n{' ' * column}^"
        assert f"column {column + 1}" in str(caught.value)


@each(
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


def first_field(cls):
    return next((field.name for field in cls.fields()), None)


@given(
    st.sampled_from(
        sorted(name for name, cls in registered().items() if first_field(cls) == "learning_rate")
    ),
    st.floats(1e-6, 1e6),
    st.sampled_from([":{}", "({})", ":learning_rate={}", "(learning_rate={})", "(lr={})"]),
)
def test_numbers_survive_the_way_through_text(name, rate, form):
    cls, given_values = parse_optimizer(name + form.format(rate))
    assert cls is registered()[name]
    assert given_values == {"learning_rate": rate}


@pytest.mark.parametrize(
    "rule",
    [
        HeavyBall(STAIRS, Linear(0.5, 0.9, 100)),
        GradientDescent(0.5 * WarmUp(5, MultiStep(1, milestones=[3], values=[1e-20]))),
        Averaged(Averaged(HeavyBall(STAIRS)), weight=Constant(0.25), warm=True, kind="last"),
    ],
    ids=str,
)
def test_what_a_scheduled_optimizer_prints_can_be_read_back(rule):
    assert parse_optimizer(repr(rule), EXTRA) == rule


def test_what_an_optimizer_prints_can_be_read_back():
    for rule in (GradientDescent(0.1), HeavyBall(1e-12, 0.25), Nesterov(3.0, -0.125)):
        cls, values = parse_optimizer(repr(rule))
        assert cls(**values) == rule
        assert set(values) == {field.name for field in dataclasses.fields(rule)}
