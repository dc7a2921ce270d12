"""Schedules: against torch and optax, against the formulas of others, and against each other."""

from __future__ import annotations

import itertools
import json
import math
import pickle
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import assume, given
from hypothesis import strategies as st

from convex_analyzer import optimizers, schedules
from convex_analyzer.domains import domain_of
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.optimizers.parse import parse_schedule
from convex_analyzer.precise import DoubleDouble, Polynomial
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import (
    Constant,
    Cosine,
    Exponential,
    Growing,
    InverseTime,
    Linear,
    MultiStep,
    Power,
    Product,
    Schedule,
    Step,
    Table,
    WarmRestarts,
    WarmUp,
)
from convex_analyzer.schedules.reading import missing_fields
from convex_analyzer.schedules.settings import Inner
from convex_analyzer.simulation.engine import simulate

GOLDEN = json.loads((Path(__file__).parent / "data" / "schedules.json").read_text("utf-8"))

SAMPLES = {
    schedule.__class__.__name__: schedule
    for schedule in [
        Constant(0.1),
        Cosine(0.3, 17, 0.01, "climb"),
        Exponential(0.1, 0.5, 10),
        Growing(8, 1.5, every=4, largest=100),
        InverseTime(0.1, 0.25),
        Linear(0.3, 0.01, 20),
        MultiStep(0.1, 0.5, [3, 9]),
        schedules.Polynomial(0.3, 0.01, 20, 2.5),
        Power(0.1, 0.75),
        Product(Linear(0.0, 1.0, 5), Step(0.1, 0.5, 7)),
        Step(0.1, 0.5, 7),
        Table([0.3, 0.1, 0.2], "repeat"),
        WarmRestarts(0.3, 3, 2, 0.01),
        WarmUp(4, Cosine(0.2, 10), 0.1),
    ]
}
MORE = [
    Cosine(0.3, 17, 0.01),
    Exponential(1e-3, 1.5, 2, final=0.4),
    Exponential(0.4, 0.5, 2, final=0.1),
    InverseTime(0.1, 0.0),
    Linear(0.0, -0.2, 6),
    MultiStep(0.1, milestones=[0, 3, 9], values=[0.5, 0.2, 0.3]),
    Product(Table([1.0, -0.5], "repeat"), Table([1.0, 2.0, 3.0], "repeat")),
    Product(Cosine(1.0, 6, 0.1, "climb"), InverseTime(1.0, 1.0)),
    Step(0.1, 1.0, 7),
    Step(-0.1, 0.0, 7),
    Table([0.3, 0.1, 0.2], "hold"),
    WarmRestarts(0.3, 5, final=0.1),
    WarmUp(4, 0.2, fraction=1),
]
ALL = [*SAMPLES.values(), *MORE]
every_schedule = pytest.mark.parametrize("schedule", ALL, ids=str)


def test_every_class_has_a_sample():
    assert sorted(SAMPLES) == sorted(schedules.registered())


# -- against torch and optax themselves --------------------------------------------------------


@each("case", GOLDEN["cases"], ids=lambda c: c["ours"] + " " + c["library"])
def test_equals_the_library(case):
    """The recursions of torch lose a few digits; its closed forms and optax's none."""
    theirs = np.array(case["values"])
    ours = parse_schedule(case["ours"]).table(len(theirs))
    assert np.max(np.abs(ours - theirs)) <= 1e-14 * np.max(np.abs(theirs))


def test_every_class_but_growing_batches_is_held_against_a_library():
    held = {type(parse_schedule(case["ours"])).__name__ for case in GOLDEN["cases"]}
    assert held == set(schedules.registered()) - {"Growing"}
    assert "torch 2.13.0 and optax 0.2.8" in GOLDEN["source"]


# -- against the formulas of the lectures and of Keras -----------------------------------------


def test_linear_decay_of_lecture_004():
    """OPTIMIZERS section 5: the printed formula without the freeze is -0.0098 at k = 102."""
    line = Linear(1.0, 0.01, 100)

    def printed(k):
        return (1 - Fraction(k, 100)) * 1 + Fraction(k, 100) * Fraction(1, 100)

    assert float(printed(102)) == pytest.approx(-0.0098, abs=1e-15)
    for k in range(101):
        assert line.at(k + 1) == pytest.approx(float(printed(k)), rel=1e-14)
    for k in (101, 102, 10**6, 10**12):
        assert line.at(k + 1) == 0.01
    keras = [(1.0 - 0.01) * (1 - min(k, 100) / 100) ** 1 + 0.01 for k in range(200)]
    assert line.table(200) == pytest.approx(keras, rel=1e-13)


def test_the_loop_of_lecture_004_is_one_step_ahead():
    """Algorithm 8.1 starts at k = 1 and the formula at k = 0."""
    line = Linear(1.0, 0.01, 100)
    loop = [(1 - k / 100) * 1.0 + k / 100 * 0.01 for k in range(1, 101)]
    assert loop[0] < line.at(1) == 1.0
    assert line.table(101)[1:] == pytest.approx(loop, rel=1e-14)


def test_polynomial_of_power_one_is_linear():
    straight = schedules.Polynomial(0.3, 0.01, 37)
    assert straight.table(60) == pytest.approx(Linear(0.3, 0.01, 37).table(60), rel=1e-15)


def test_staircases_by_counting():
    rate, expected = 0.8, []
    for k in range(100):
        if k and k % 30 == 0:
            rate *= 0.5
        expected.append(rate)
    assert Step(0.8, 0.5, 30).table(100).tolist() == expected
    assert MultiStep(0.8, 0.5, [30, 60, 90]).table(100).tolist() == expected
    keras = [0.8 * 0.5 ** math.floor(k / 30) for k in range(100)]  # ExponentialDecay, staircase
    assert keras == expected


def test_which_side_of_a_milestone():
    """torch and optax drop at k = milestone, Keras one step later: its boundary is one less."""

    def keras(boundary):  # PiecewiseConstantDecay: the first value while step <= boundary
        return [1.0 if k <= boundary else 0.1 for k in range(60)]

    ours = MultiStep(1.0, 0.1, [30]).table(60).tolist()
    assert ours == keras(29)
    assert [k for k in range(60) if ours[k] != keras(30)[k]] == [30]
    assert MultiStep(1.0, 0.1, [30]).at(30) == 1.0
    assert MultiStep(1.0, 0.1, [30]).at(31) == 0.1
    assert MultiStep(1.0, 0.5, [30, 30]).at(31) == 0.25
    assert MultiStep(1.0, 0.5, [0]).at(1) == 0.5


def test_exponential_is_gamma_of_torch():
    gamma = 0.5 ** (1 / 10)
    assert Exponential(0.1, 0.5, 10).table(300) == pytest.approx(
        Exponential(0.1, gamma).table(300), rel=1e-13
    )
    assert Exponential(0.1, 0.5, 10).at(31) == pytest.approx(0.1 / 8, rel=1e-15)


def test_inverse_time_of_keras_and_of_adagrad():
    keras = [0.1 / (1 + 0.5 * k / 20) for k in range(200)]
    assert InverseTime(0.1, 0.5 / 20).table(200) == pytest.approx(keras, rel=1e-15)
    adagrad = [0.1 / (1 + (step - 1) * 0.025) for step in range(1, 201)]
    assert InverseTime(0.1, 0.025).table(200) == pytest.approx(adagrad, rel=1e-15)


def test_cosine_climbs_in_torch_and_stays_in_the_others():
    climbing, held = Cosine(1.0, 80, after="climb"), Cosine(1.0, 80)
    assert climbing.at(150) == pytest.approx(0.954, abs=5e-4)  # k = 149
    exact = mpmath.mpf(1) / 2 * (1 + mpmath.cos(mpmath.pi * 149 / 80))
    assert climbing.at(150) == pytest.approx(float(exact), rel=1e-15)
    assert held.at(150) == 0.0
    assert held.table(81).tolist() == climbing.table(81).tolist()
    assert climbing.at(1 + 10**12) == climbing.at(1 + 10**12 % 160)


def test_warm_restarts_of_keras():
    """CosineDecayRestarts: the number of restarts through a logarithm."""
    first, multiplier = 10, 2.0
    for k in range(400):
        fraction = k / first
        restarts = math.floor(
            math.log(1 - fraction * (1 - multiplier) + 1e-12) / math.log(multiplier)
        )
        done = (1 - multiplier**restarts) / (1 - multiplier)
        place = (fraction - done) / multiplier**restarts
        keras = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * place))
        assert WarmRestarts(1.0, 10, 2, 0.05).at(k + 1) == pytest.approx(keras, rel=1e-9)


@each("multiplier", [1, 2, 3, 5, 7])
def test_restarts_happen_exactly(multiplier):
    """A logarithm in floating point misses some of them: log(243, 3) is below 5."""
    waves = WarmRestarts(1.0, 3, multiplier)
    boundary, length = 0, 3
    while boundary < 10**12 and length < 10**13:
        assert waves.at(boundary + 1) == 1.0
        assert waves.at(boundary + length) == pytest.approx(
            math.sin(math.pi / (2 * length)) ** 2, rel=1e-6, abs=1e-16
        )
        boundary, length = boundary + length, length * multiplier
        if multiplier == 1 and boundary > 30:
            break


def test_growing_batches_keep_the_noise_scale():
    """Lecture 003: g is proportional to the learning rate over the batch size."""
    rates, sizes = Step(0.8, 0.5, 30), Growing(16, 2.0, 30, largest=10**6)
    t = np.arange(1, 301)
    by_rate, by_size = rates.at(t) / 16, 0.8 / sizes.at(t)
    assert by_rate == pytest.approx(by_size, rel=1e-15)
    assert sizes.at(t).dtype == np.int64
    assert isinstance(sizes.at(1), int)
    assert Growing(100, 1.15, 1, 1000).at(2) == 115  # in floating point the product is below 115
    assert Growing(3, 10.0, 1, 2000).at(10**9) == 2000
    assert Growing(3, 10.0, 1, 2000).at(np.array([309, 310, 10**9])).tolist() == [2000] * 3
    fast = Exponential(np.array([[1e3], [1.0]]), 10.0, final=1e4)
    assert fast.at(np.array([307, 309, 10**9])).min() == 1e4
    assert Growing(5, 1.0, 1, 2000).at(10**9) == Growing(5, 1.0, 1, 2000).limit == 5


def test_warm_up_delays_and_a_product_does_not():
    ramp, after = [0.1 * k / 5 for k in range(5)], [0.1] * 4 + [0.05] * 4
    assert WarmUp(5, Step(0.1, 0.5, 4)).table(13) == pytest.approx(ramp + after, rel=1e-15)
    together = Linear(0.0, 1.0, 5) * Step(0.1, 0.5, 4)
    assert together.at(5) == pytest.approx(0.05 * 4 / 5)
    assert WarmUp(7, Linear(1.0, 0.0, 3), fraction=1).table(11).tolist() == pytest.approx(
        [1.0] * 8 + [2 / 3, 1 / 3, 0.0]
    )


def test_robbins_and_monro():
    assert Power(0.5, 0.75).at(16) == 0.5 / 8
    assert Power(0.5).table(4) == pytest.approx([0.5, 0.25, 0.5 / 3, 0.125], rel=1e-15)


# -- what all of them promise ------------------------------------------------------------------


@every_schedule
def test_tables_are_single_steps(schedule):
    one_by_one = [schedule.at(t) for t in range(1, 61)]
    assert all(isinstance(value, (int, float)) for value in one_by_one)
    assert schedule.table(60) == pytest.approx(one_by_one, rel=1e-14)
    square = schedule.at(np.arange(1, 61).reshape(6, 10))
    assert square.shape == (6, 10)
    assert square.ravel().tolist() == schedule.table(60).tolist()
    assert schedule.at(np.int64(7)) == schedule.at(np.array(7)) == schedule.at(7)
    assert schedule.table(0).shape == (0,)


@every_schedule
def test_the_extent_holds_all_values_and_no_more(schedule):
    low, high = schedule.extent()
    values = schedule.at(np.unique(np.geomspace(1, 10**9, 3000).astype(int)))
    assert np.all((values >= low) | (values == 0))
    assert np.all((values <= high) | (values == 0))
    if not isinstance(schedule, Product):  # whose factors need not be extreme at once
        room = 0.06 * (high - low) + 1e-9
        assert np.min(values) <= low + room
        assert np.max(values) >= high - room


@every_schedule
def test_periods(schedule):
    period = schedule.period
    values = schedule.table(400)
    shortest = next(
        (p for p in range(1, 200) if np.allclose(values[p:], values[:-p], rtol=1e-13, atol=0)), None
    )
    if period is None:
        assert shortest is None or len(set(values.tolist())) == 1
    else:
        assert period == shortest


@every_schedule
def test_limits(schedule):
    late = np.concatenate([np.linspace(10**9, 10**12, 20), 10**10 + np.arange(20)])
    later = [schedule.at(int(t)) for t in late]
    if schedule.limit is None:
        assert max(later) - min(later) > 1e-6
    else:
        assert later == pytest.approx([schedule.limit] * 40, abs=1e-7)


@every_schedule
def test_text_and_json_read_back(schedule):
    assert parse_schedule(repr(schedule)) == schedule
    assert parse_schedule(str(schedule)) == schedule
    assert schedules.from_dict(json.loads(json.dumps(schedule.to_dict()))) == schedule
    assert Schedule.from_dict(schedule.to_dict()) == schedule
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert len(str(schedule)) <= 70


def test_equality_is_by_value_and_class():
    assert len({*ALL, *map(pickle.loads, map(pickle.dumps, ALL))}) == len(ALL)
    assert Step(1, 0.5, 3) == Step(1.0, 0.5, 3.0)
    assert Step(1, 0.5, 3) != Step(1, 0.5, 4)
    assert Constant(1) != 1.0
    per_run = [Step(np.array([[0.1], [0.2]]), 0.5, 3) for _ in range(2)]
    assert per_run[0] == per_run[1] != Step(0.1, 0.5, 3)
    assert len(set(per_run)) == 1


@every_schedule
def test_says_where_it_comes_from(schedule):
    assert schedule.source
    assert type(schedule).__doc__.count(">>>") >= 1


@st.composite
def any_schedule(draw):
    cls = draw(st.sampled_from(list(schedules.registered().values())))
    fields = {name: draw(setting.strategy()) for name, setting in cls.domains().items()}
    if cls is MultiStep:
        fields["values"] = None
    if cls is Exponential and fields["rate"] <= 1 and draw(st.booleans()):
        fields["final"] = None
    try:
        return cls(**fields)
    except InputError:
        assume(condition=False)


@given(any_schedule(), st.integers(1, 300))
def test_drawn_from_their_domains(schedule, t):
    assert parse_schedule(repr(schedule)) == schedule
    assert schedules.from_dict(schedule.to_dict()) == schedule
    if schedule.length is None or t <= schedule.length:
        low, high = schedule.extent()
        value = schedule.at(t)
        assert value == 0 or low * (1 - 1e-12) <= value <= high * (1 + 1e-12)
        assert schedule.table(t)[-1] == pytest.approx(value, rel=1e-12, abs=1e-300)


# -- several runs, symbols, exact numbers ------------------------------------------------------


@each("schedule", ALL, ids=str)
def test_values_per_run(schedule):
    """Each run sees what a schedule of its own would give."""
    if isinstance(schedule, Growing):
        assert schedule.transformed(lambda value: 2 * value) is schedule
        return
    factors = np.array([[1.0], [0.9], [0.8]])
    together = schedule.transformed(lambda value: value * factors)
    table = together.table(40)
    assert table.shape == (40, 3, 1)
    for run, factor in enumerate(factors[:, 0]):
        alone = schedule.transformed(lambda value, factor=factor: value * factor)
        assert table[:, run, 0] == pytest.approx(alone.table(40), rel=1e-13, abs=1e-300)
        single = [np.broadcast_to(together.at(t), (3, 1))[run, 0] for t in range(1, 41)]
        assert single == pytest.approx(alone.table(40), rel=1e-13, abs=1e-300)


def test_values_per_run_are_checked_and_written():
    rates = np.array([[0.1], [0.2]])
    schedule = WarmUp(3, MultiStep(rates, milestones=[2], values=[0.05]))
    assert schedule.table(6).shape == (6, 2, 1)
    assert schedule.extent() == (5e-324, 0.2)
    assert schedule.at(4).tolist() == rates.tolist()
    assert schedule.at(6) == 0.05
    assert parse_schedule(repr(schedule)) == schedule
    assert schedules.from_dict(json.loads(json.dumps(schedule.to_dict()))) == schedule
    assert "2 values" in str(schedule)
    several = Table([rates, 2 * rates, 0.3], "hold")
    assert several.table(4)[:, 1, 0].tolist() == [0.2, 0.4, 0.3, 0.3]
    assert several.at(2).tolist() == (2 * rates).tolist()
    with pytest.raises(InputError, match="last axis of 1"):
        Step(np.array([0.1, 0.2]), 0.5, 3)


@each("schedule", ALL, ids=str)
def test_symbols_take_the_place_of_numbers(schedule):
    names = (sympy.Symbol(f"x{i}", positive=True) for i in itertools.count())
    known = {}

    def name(value):
        symbol = next(names)
        known[symbol] = value
        return symbol

    symbolic = schedule.transformed(name)
    if isinstance(schedule, Exponential) and schedule.final is not None and schedule.rate > 1:
        symbolic = schedule.transformed(sympy.Float)  # a symbol's side of 1 is unknown
    for t in (1, 2, 4, 5, 8, 13, 40):
        value = sympy.sympify(symbolic.at(t)).subs(known)
        assert float(value) == pytest.approx(schedule.at(t), rel=1e-12, abs=1e-15)
    if known:
        assert len(symbolic.extent()) == 2
        assert symbolic.table(3).dtype == object
        assert symbolic.at(3) == symbolic.table(3)[2]


def test_symbols_stay_exact():
    a, b = sympy.symbols("a b", positive=True)
    assert Linear(a, b, 3).at(2) == 2 * a / 3 + b / 3
    assert Cosine(a, 3, 0).at(2) == 3 * a / 4
    assert Cosine(a, 4, 0).at(2) == a * (sympy.Rational(1, 2) + sympy.sqrt(2) / 4)
    assert Exponential(a, b, 2).at(2) == a * sympy.sqrt(b)
    assert Step(a, b, 2).table(4).tolist() == [a, a, a * b, a * b]
    assert Step(a, b, 2).limit is None
    assert Step(a, 0.5, 2).limit == 0
    assert Linear(a, 0.0, 3).limit == 0
    assert InverseTime(a, b).at(3) == a / (1 + 2 * b)
    assert InverseTime(a, b).limit is None
    assert Linear(a, b, 3).extent() == (a, b)
    assert Linear(a, 0.0, 3).extent() == (a, a)
    assert (a * Step(1.0, 0.5, 2)).at(3) == 0.5 * a
    assert HeavyBall(Linear(a, 0.0, 3)).at(2).learning_rate == 2 * a / 3
    assert Step(a, 0.5, 2).to_dict()["initial"] == {"symbol": "a"}
    assert str(Step(a, 0.5, 2)) == "Step(a, 0.5, 2)"
    with pytest.raises(InputError, match="symbolic value cannot be read back"):
        schedules.from_dict(Step(a, 0.5, 2).to_dict())


@each("schedule", ALL, ids=str)
def test_double_doubles_pass(schedule):
    precise = schedule.transformed(DoubleDouble)
    for t in (1, 2, 5, 40):
        assert float(precise.at(t)) == pytest.approx(schedule.at(t), rel=1e-14, abs=1e-300)


def test_polynomials_in_the_learning_rate_pass():
    """The exact set of stable learning rates is found with them."""
    rate = Polynomial([0, 1])
    for schedule in (Step(rate, 0.5, 2), Linear(rate, 0.0, 4), Cosine(rate, 8), 2 * Constant(rate)):
        number = schedule.transformed(lambda v: Fraction(3, 8) if isinstance(v, Polynomial) else v)
        for t in (1, 2, 3, 7):
            assert float(schedule.at(t)(Fraction(3, 8))) == pytest.approx(float(number.at(t)))


# -- combinations ------------------------------------------------------------------------------


def test_products():
    schedule = 2 * Step(0.5, 0.5, 2) * Linear(1.0, 0.0, 4)
    assert schedule.table(4).tolist() == [1.0, 0.75, 0.25, 0.125]
    assert Step(0.5, 0.5, 2) * 2 == Product(Step(0.5, 0.5, 2), Constant(2.0))
    assert np.float64(2.0) * Step(0.5, 0.5, 2) == 2 * Step(0.5, 0.5, 2)
    runs = np.array([[1.0], [2.0]]) * Step(0.5, 0.5, 2)
    assert runs.table(3)[:, 1, 0].tolist() == [1.0, 1.0, 0.5]
    assert Product(Table([1, 2], "repeat"), Table([1, 2, 3], "repeat")).period == 6
    assert Product(Table([1, 2]), Table([1, 2, 3])).length == 2
    assert Product(Table([1, 2]), 2).length == 2
    assert (2 * Step(1.0, 0.5, 2)).length is None
    assert Product(Linear(1, 3, 2), Linear(1, -2, 3)).extent() == (-6.0, 3.0)
    tower = math.prod([Linear(1, 0.5, 3)] * 60, start=Constant(3))
    assert tower.extent() == (pytest.approx(3 / 2**60), 3.0)
    for other in ("x", None, [1, 2], DoubleDouble(1.0)):
        with pytest.raises(TypeError, match=r"unsupported operand|can't multiply"):
            Step(0.5, 0.5, 2) * other
        with pytest.raises(TypeError, match=r"unsupported operand|can't multiply"):
            other * Step(0.5, 0.5, 2)
    with pytest.raises(InputError, match="Product: first must be a schedule or a number, got nan"):
        math.nan * Step(0.5, 0.5, 2)


def test_lengths():
    table = Table([0.3, 0.2])
    assert table.length == 2
    table.check_length(2)
    sentence = r"the schedule Table\(\[0.3, 0.2\]\) covers 2 steps, but the run has 3; give it more"
    for fail in (table.check_length, table.at, table.table):
        with pytest.raises(InputError, match=sentence):
            fail(3)
    with pytest.raises(InputError, match="covers 2 steps, but the run has 9"):
        table.at(np.array([1, 9]))
    assert WarmUp(5, table).length == 7
    with pytest.raises(InputError, match="covers 7 steps, but the run has 8"):
        WarmUp(5, table).table(8)
    with pytest.raises(InputError, match="covers 2 steps, but the run has 5"):
        simulate(Quadratic.diagonal([1.0]), HeavyBall(table), [1.0], 5)
    assert Table([0.3, 0.2], "hold").length is None


# -- in optimizers -----------------------------------------------------------------------------


def test_a_decay_to_zero_is_a_learning_rate():
    for schedule in (
        Linear(0.1, 0, 10),
        Cosine(0.1, 10),
        Step(0.1, 0.1, 3),
        WarmUp(5, 0.1),
        Table([0, 0.1]),
        InverseTime(0.1, 1),
    ):
        assert HeavyBall(schedule).learning_rate == schedule
        assert HeavyBall(schedule).hints() == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: HeavyBall(Linear(0.1, -0.1, 10)), "HeavyBall: learning_rate must be positive, go"),
        (lambda: HeavyBall(Constant(0)), "HeavyBall: learning_rate must be positive, got 0"),
        (lambda: HeavyBall(0.1, Linear(0.5, 1.5, 9)), r"momentum must be in \[0, 1\], got 1.5"),
    ],
)
def test_ranges_are_checked(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_rules_see_the_value_of_their_step():
    rule = HeavyBall(Step(0.4, 0.5, 2), Table([0.1, 0.2, 0.3], "repeat"))
    assert rule.at(3) == HeavyBall(0.2, 0.3)
    assert rule.is_scheduled
    assert rule.cycle is None
    assert HeavyBall(Constant(0.4), Table([0.1, 0.2, 0.3], "repeat")).cycle == 3
    assert str(HeavyBall(Step(0.4, 0.5, 2))) == "HeavyBall(α = Step(0.4, 0.5, 2), μ = 0.9)"


def test_a_simulated_run_takes_the_scheduled_steps():
    problem = Quadratic.diagonal([0.5, 3.0])
    rates = MultiStep(0.4, 0.1, [2, 3])
    run = simulate(problem, HeavyBall(rates, 0.9), [1.0, -2.0], 5, record="path")
    theta, velocity = np.array([1.0, -2.0]), np.zeros(2)
    for t, rate in enumerate([0.4, 0.4, 0.04, 0.004, 0.004], 1):
        velocity = 0.9 * velocity - rate * np.array([0.5, 3.0]) * theta
        theta = theta + velocity
        assert run.theta[t] == pytest.approx(theta, rel=1e-14)


class Wrapping(Optimizer):
    """A wrapper, as a user might write one."""

    optimizer: Optimizer
    weight: float = 0.5
    nesterov: bool = False

    def step(self, problem, t, theta, *memory):
        return self.optimizer.step(problem, t, theta, *memory)


@each(
    "rule",
    [
        HeavyBall(0.1),
        HeavyBall(np.array([[0.1], [0.2]])),
        HeavyBall(WarmUp(5, Step(0.1, 0.5, 3)), Table([0.5, 0.9], "hold")),
        Wrapping(HeavyBall(Linear(0.1, 0.0, 10)), weight=Constant(0.25), nesterov=True),
        Wrapping(Wrapping(GradientDescent(0.1))),
    ],
    ids=str,
)
def test_optimizers_come_back_from_plain_data(rule):
    data = json.loads(json.dumps(rule.to_dict()))
    assert optimizers.from_dict(data, {"Wrapping": Wrapping}) == rule


@each("cls", list(optimizers.registered().values()), ids=lambda c: c.__name__)
def test_every_optimizer_comes_back_from_plain_data(cls):
    given = {
        field.name: 0.5 if field.name in cls.hyperparameters() else 2
        for field in cls.fields()
        if field.name in missing_fields(cls, {})
    }
    if any(name not in cls.domains() for name in given):
        given |= {name: GradientDescent(0.1) for name in given if name not in cls.domains()}
    rule = cls(**given)
    assert optimizers.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


# -- what is refused ---------------------------------------------------------------------------


@each("t", [0, -1, 1.5, 1.0, "1", None, [1, 0], np.array([1.0])])
def test_steps_count_from_one(t):
    with pytest.raises(InputError, match="Step: steps count from 1 in whole numbers, got"):
        Step(0.1, 0.5, 3).at(t)


def fields_and_faults():
    for schedule in SAMPLES.values():
        for field, setting in schedule.domains().items():
            for fault in setting.invalid():
                yield schedule, field, fault


@each(("schedule", "field", "fault"), list(fields_and_faults()))
def test_every_field_says_what_it_must_be(schedule, field, fault):
    values = {key: getattr(schedule, key) for key in schedule.domains()}
    with pytest.raises(
        InputError, match=f"^{type(schedule).__name__}: {field} (must be|has shape)"
    ):
        type(schedule)(**{**values, field: fault})


@each(
    ("make", "words"),
    [
        (lambda: Step(0.1, 2.0, 3), r"Step: factor must be in \[0, 1\], got 2"),
        (
            lambda: Step(Step(0.1, 0.5, 3), 0.5, 3),
            "initial must be a number, got the schedule Step",
        ),
        (
            lambda: Exponential(0.1, 1.1),
            "rate above 1 grows without end, got 1.1; say where to stop",
        ),
        (
            lambda: Exponential(0.1, 1.1, final=0.01),
            "final must lie below initial if rate is below",
        ),
        (
            lambda: Exponential(0.1, 0.9, final=0.2),
            "final must lie below initial if rate is below 1",
        ),
        (
            lambda: Exponential(0.1, np.array([[0.9], [1.1]]), final=0.1),
            "for all runs alike",
        ),
        (lambda: MultiStep(0.1, milestones=[3]), "give either factor or values"),
        (
            lambda: MultiStep(0.1, 0.5, [3], [0.2]),
            "MultiStep: give either factor or values; MultiS",
        ),
        (lambda: MultiStep(0.1, 0.5), "milestones must be a list of whole numbers from 0"),
        (
            lambda: MultiStep(0.1, milestones=[3, 6], values=[0.2]),
            "MultiStep: 2 milestones need as many values, got 1",
        ),
        (lambda: MultiStep(0.1, 0.5, [6, 3]), r"that do not decrease, got \[6, 3\]"),
        (lambda: Growing(64, 2, 5, largest=32), "largest must not be below initial 64, got 32"),
        (lambda: Growing(64, np.array([[2.0]]), 5, 99), "Growing: factor must be one number"),
        (
            lambda: Growing(64, sympy.Symbol("c"), 5, 99),
            "Growing: factor must be one number, got c",
        ),
        (lambda: Table([0.1, Step(0.1, 0.5, 3)]), "values must be a list of real numbers"),
        (lambda: schedules.find("stp"), "no schedule called 'stp'; did you mean Step?"),
        (lambda: schedules.find("qqqq"), "no schedule called 'qqqq'; known: Constant, Cosine"),
        (lambda: schedules.from_dict({}), "this describes no schedule"),
        (lambda: schedules.from_dict([1]), r"this describes no schedule: \[1\]; to_dict"),
        (
            lambda: schedules.from_dict({"name": "Step", "a": 1}),
            "Step has no field a; it has initi",
        ),
        (lambda: schedules.from_dict({"name": "Step"}), "Step needs initial, factor and every"),
        (lambda: optimizers.from_dict({"name": 3}), "this describes no optimizer"),
        (lambda: optimizers.from_dict({"name": "Adm"}), "there is no optimizer called 'Adm'"),
        (lambda: optimizers.from_dict({"name": "HeavyBall"}), "HeavyBall needs learning_rate"),
        (
            lambda: optimizers.from_dict({"name": "HeavyBall", "learning_rate": -1}),
            "learning_rate must be positive",
        ),
        (
            lambda: optimizers.from_dict({"name": "HeavyBall", "learning_rate": 1, "mu": 1}),
            "HeavyBall has no field mu; it has learning_rate and momentum",
        ),
    ],
)
def test_one_sentence_each(make, words):
    with pytest.raises(InputError, match=words):
        make()


# -- schedules of one's own --------------------------------------------------------------------


class Halving(Schedule):
    """As a user would write one."""

    initial: float
    steps: int = 1  # no declared range

    def value_after(self, k):
        return self.initial / 2 ** (k // self.steps)

    def ends(self):
        return self.initial, 0.0


def test_a_schedule_of_ones_own():
    halving = Halving(0.8, steps=2)
    assert HeavyBall(halving).at(5).learning_rate == pytest.approx(0.2)
    assert halving.table(5).tolist() == [0.8, 0.8, 0.4, 0.4, 0.2]
    assert (halving.period, halving.limit, halving.length) == (None, None, None)
    data = (2 * halving).to_dict()
    assert schedules.from_dict(data, {"Halving": Halving}) == 2 * halving
    with pytest.raises(InputError, match="initial must be a finite number, got nan"):
        Halving(math.nan)


def test_a_schedule_without_its_methods_says_so():
    class Empty(Schedule):
        value: float

    with pytest.raises(InputError, match=r"Empty must define value_after\(self, k\)"):
        Empty(0.1).at(1)
    with pytest.raises(InputError, match=r"Empty must define ends\(self\)"):
        Empty(0.1).extent()


def test_inner_schedules_are_what_they_say():
    setting = domain_of(WarmUp.__annotations__.get("schedule")) or WarmUp.domains()["schedule"]
    assert isinstance(setting, Inner)
    assert setting.decode(setting.encode(Step(0.1, 0.5, 3))) == Step(0.1, 0.5, 3)


def test_names_are_not_those_of_optimizers():
    """The parser of optimizers reads both."""

    def names(classes):
        every = [name for cls in classes for name in (cls.__name__, *cls.aliases)]
        return {name.lower() for name in every}

    ours, theirs = schedules.registered().values(), optimizers.registered().values()
    assert names(ours).isdisjoint(names(theirs))
