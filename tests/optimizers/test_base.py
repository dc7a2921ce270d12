"""What the base class makes of a rule: fields, memory, values, text."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import pickle
import re

import numpy as np
import pytest
import sympy
from cases import each

from convex_analyzer.domains import Positive, UnitInterval
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.precise import DoubleDouble

pytestmark = pytest.mark.survey


class Toy(Optimizer):
    """Two slots and a flag."""

    learning_rate: Positive
    momentum: UnitInterval = 0.5
    plain: float = 1.0
    nesterov: bool = False

    def step(self, problem, t, theta, first, second):
        return theta - self.learning_rate * problem.gradient(theta), second, first


class Child(Toy):
    """Inherits step and fields, adds one."""

    extra: Positive = 2.0


def test_a_rule_is_a_frozen_dataclass_with_its_memory_read_from_step():
    assert Toy.memory == ("first", "second")
    assert GradientDescent.memory == ()
    assert HeavyBall.memory == ("velocity",)
    assert Child.memory == ("first", "second")
    assert list(Toy.hyperparameters()) == ["learning_rate", "momentum", "plain"]
    assert list(Child.hyperparameters()) == ["learning_rate", "momentum", "plain", "extra"]
    rule = Toy(0.1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.learning_rate = 0.2
    with pytest.raises(TypeError, match="learning_rate"):
        Toy()


def test_settings_are_known_by_the_names_of_other_sources():
    assert HeavyBall(lr=0.1, beta=0.8) == HeavyBall(α=0.1, mu=0.8) == HeavyBall(0.1, 0.8)
    assert list(inspect.signature(HeavyBall).parameters) == ["learning_rate", "momentum"]
    for settings, words in (
        ({"lr": 0.1, "learning_rate": 0.2}, "learning_rate is given twice, once as lr"),
        ({"momentun": 0.1}, "HeavyBall has no hyper-parameter 'momentun'; did you mean momentum?"),
        ({"nesterov": True}, "it has learning_rate and momentum"),
    ):
        with pytest.raises(InputError, match=re.escape(words)):
            HeavyBall(**settings)


def test_values_are_checked_by_name():
    with pytest.raises(InputError, match=r"^Toy: learning_rate must be positive, got -1"):
        Toy(-1)
    with pytest.raises(InputError, match=r"^HeavyBall: momentum must be in \[0, 1\], got 1.5"):
        HeavyBall(0.1, 1.5)
    with pytest.raises(InputError, match=r"^Toy: plain must be a finite number, got nan"):
        Toy(0.1, plain=math.nan)
    assert Nesterov(0.1, -7.0).momentum == -7.0  # any real number is analysed
    assert HeavyBall(1, 1).momentum == 1.0


def test_text_and_json():
    rule = Toy(0.1, nesterov=True)
    assert repr(rule) == "Toy(learning_rate=0.1, momentum=0.5, plain=1.0, nesterov=True)"
    assert str(rule) == "Toy(α = 0.1, μ = 0.5, nesterov = True)"
    assert "1 − 1e−6" in str(HeavyBall(0.1, 1 - 1e-6))
    assert "μ = 1)" in str(HeavyBall(0.1, 1.0))
    assert json.loads(json.dumps(rule.to_dict())) == {
        "name": "Toy",
        "learning_rate": 0.1,
        "momentum": 0.5,
        "plain": 1.0,
        "nesterov": True,
    }
    several = HeavyBall(np.array([[0.1], [0.2]]))
    assert "2 values" in str(several)
    assert several.to_dict()["learning_rate"] == {"array": [[0.1], [0.2]]}
    assert HeavyBall(sympy.Symbol("a")).to_dict()["learning_rate"] == {"symbol": "a"}
    assert "α = a" in str(HeavyBall(sympy.Symbol("a")))


def test_equality_and_hash_are_by_value():
    assert Toy(0.1) == Toy(0.1, 0.5)
    assert hash(Toy(0.1)) == hash(Toy(0.1, 0.5))
    assert Toy(0.1) != Toy(0.2)
    assert Toy(0.1) != Child(0.1)
    assert Toy(0.1) != "Toy"
    a, b = (HeavyBall(np.array([[0.1], [0.2]])) for _ in range(2))
    assert a == b
    assert len({a, b, HeavyBall(0.1), HeavyBall(0.1)}) == 2
    assert HeavyBall(np.array([[0.1]])) != HeavyBall(0.1)


def test_instances_can_be_pickled():
    """Tests in parallel, and any pool of workers, send them."""
    rule = HeavyBall(np.array([[0.1], [0.2]]))
    assert pickle.loads(pickle.dumps(rule)) == rule


def test_copies():
    rule = Toy(0.1)
    assert rule.replace(momentum=0.7) == Toy(0.1, 0.7)
    with pytest.raises(InputError, match="momentum"):
        rule.replace(momentum=2)
    free = rule.unchecked(momentum=DoubleDouble(5.0))
    assert isinstance(free.momentum, DoubleDouble)
    assert free.learning_rate == 0.1
    assert rule.values == {"learning_rate": 0.1, "momentum": 0.5, "plain": 1.0, "nesterov": False}


def test_hints_are_about_legal_but_unusual_values():
    assert HeavyBall(0.1).hints() == []
    assert HeavyBall(0.1, 1.0).hints() == [
        "HeavyBall: momentum is usually in [0, 1), got 1",
    ]
    assert len(Nesterov(0.1, 1.5).hints()) == 1


def test_defaults_of_the_base():
    rule = Toy(0.1)
    theta = np.ones((2, 3))
    assert [slot.tolist() for slot in rule.start(None, theta)] == [np.zeros((2, 3)).tolist()] * 2
    assert rule.report(theta, 1, 2) is theta
    assert rule.published_limit() is None
    assert Toy.published_optimum(1.0, 2.0, {}) is None
    assert Toy.period == 1


def test_a_class_without_step_says_so():
    class Empty(Optimizer):
        learning_rate: Positive

    with pytest.raises((InputError, NotImplementedError)):
        Empty(0.1).step(None, 1, np.ones(2))


@each(
    ("returned", "words"),
    [
        (np.ones(2), r"returned 1 value\(s\), but it must return 3: theta, first, second"),
        ((1, 2), "returned 2 value"),
        ((1, 2, 3, 4), "returned 4 value"),
        ((1, None, 3), "is a return missing"),
        (None, "returned 1 value"),
    ],
)
def test_what_step_returns_is_checked(returned, words):
    with pytest.raises(InputError, match=words):
        as_state(Toy(0.1), returned)


def test_lists_and_single_values_are_accepted():
    assert as_state(Toy(0.1), [1, 2, 3]) == (1, 2, 3)
    assert as_state(GradientDescent(0.1), 5) == (5,)
    with pytest.raises(InputError, match="is a return missing"):
        as_state(GradientDescent(0.1), None)
