"""Declared ranges: what is accepted, what is said, what comes back."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, get_args

import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.domains import (
    Domain,
    Interval,
    NonNegative,
    Positive,
    Real,
    UnitInterval,
    domain_of,
)
from convex_analyzer.errors import InputError
from convex_analyzer.precise import DoubleDouble, Polynomial

DOMAINS = {
    "positive": domain_of(Positive),
    "non-negative": domain_of(NonNegative),
    "unit": domain_of(UnitInterval),
    "real": domain_of(Real),
}
positive = DOMAINS["positive"]


@each(
    ("interval", "text", "inside", "outside"),
    [
        (Interval(0, 1), "[0, 1]", [0, 0.5, 1], [-1e-300, 1.0000001, math.nan]),
        (Interval(0, 1, open_low=True), "(0, 1]", [5e-324, 1], [0.0, -0.0]),
        (Interval(0, 1, open_high=True), "[0, 1)", [0, math.nextafter(1, 0)], [1.0]),
        (
            Interval(-math.inf, math.inf, open_low=True, open_high=True),
            "(-∞, ∞)",
            [-1e308],
            [math.inf, math.nan],
        ),
    ],
)
def test_intervals(interval, text, inside, outside):
    assert str(interval) == text
    assert interval.contains(inside).all()
    assert not interval.contains(outside).any()


@pytest.mark.parametrize("name", DOMAINS)
@given(data=st.data())
def test_valid_values_pass_as_floats_and_survive_json(name, data):
    domain = DOMAINS[name]
    value = data.draw(domain.strategy())
    kept = domain.check("Rule", "rate", value)
    assert type(kept) is float
    assert kept == value
    assert domain.hint("Rule", "rate", kept) is None
    assert domain.decode(json.loads(json.dumps(domain.encode(kept)))) == kept
    assert domain.parse("Rule", "rate", repr(kept)) == kept


@each("name", DOMAINS)
def test_invalid_values_are_refused_by_name(name):
    domain = DOMAINS[name]
    assert len(domain.invalid()) >= 6
    for bad in domain.invalid():
        with pytest.raises(InputError, match=r"^Rule: rate ") as caught:
            domain.check("Rule", "rate", bad)
        assert caught.value.argument == "rate"


@each(
    ("value", "words"),
    [
        (0.0, "must be positive, got 0"),
        (-1, "must be positive, got -1"),
        (math.inf, "must be positive, got inf"),
        (math.nan, "must be positive, got nan"),
        ("0.1", "must be a number, got '0.1'"),
        (b"1", "must be a number"),
        (True, "must be a number, got True"),
        (np.True_, "must be a number"),
        (None, "must be a number, got None"),
        (1j, "must be a number, got 1j"),
        (frozenset(), "must be a number"),
        ([1j], "must be real numbers"),
        (["a"], "must be real numbers"),
        ([[0.1], [0.2, 0.3]], "must be real numbers"),
        (np.array([[0.1], [-2.0]]), "must be positive, got -2"),
        (np.array([0.1, 0.2]), r"shape \(2,\), but values per run need a last axis of 1"),
        ([[0.1, 0.2]], r"pass rate\[:, None\]"),
    ],
    ids=repr,
)
def test_messages(value, words):
    with pytest.raises(InputError, match=words):
        positive.check("Rule", "rate", value)


@each("value", [1, np.float32(0.5), np.int64(3), Fraction(1, 4), Decimal("0.25"), np.array(2.0)])
def test_any_real_number_becomes_a_float(value):
    kept = positive.check("Rule", "rate", value)
    assert type(kept) is float
    assert kept == float(value)


def test_values_per_run_are_copied_and_read_only():
    given_values = np.array([[1], [2]])
    kept = positive.check("Rule", "rate", given_values)
    given_values[0] = 9
    assert kept.tolist() == [[1.0], [2.0]]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 5.0
    back = positive.decode(json.loads(json.dumps(positive.encode(kept))))
    assert back.shape == (2, 1)
    assert positive.check("Rule", "rate", [[0.1], [0.2]]).shape == (2, 1)


@pytest.mark.parametrize("value", [sympy.Symbol("a"), DoubleDouble(-1.0), Polynomial([0, 1])])
def test_the_numbers_of_the_theory_pass_unchanged(value):
    assert positive.check("Rule", "rate", value) is value
    assert positive.hint("Rule", "rate", value) is None


def test_symbols_go_to_json_as_text_and_do_not_come_back():
    encoded = positive.encode(sympy.Symbol("alpha") / 2)
    assert encoded == {"symbol": "alpha/2"}
    with pytest.raises(InputError, match="cannot be read back"):
        positive.decode(encoded)


def test_unusual_values_are_remarked_on():
    unit = DOMAINS["unit"]
    assert unit.hint("HeavyBall", "momentum", 1.0) == (
        "HeavyBall: momentum is usually in [0, 1), got 1"
    )
    several = np.array([[0.5], [1.0]])
    assert "several values" in unit.hint("HeavyBall", "momentum", several)
    assert DOMAINS["real"].hint("Nesterov", "momentum", -0.1) is not None


@pytest.mark.parametrize(("text", "value"), [("1/3", 1 / 3), ("2e-3", 0.002), (" 5 ", 5.0)])
def test_text_from_the_command_line(text, value):
    assert positive.parse("Rule", "rate", text) == value


@each("text", ["", "a", "1/0", "1/2/3", "0x1", "1,5"])
def test_text_that_is_no_number(text):
    with pytest.raises(InputError, match="Rule: rate must be a number, got"):
        positive.parse("Rule", "rate", text)
    with pytest.raises(InputError, match="must be positive"):
        positive.parse("Rule", "rate", "-1")


def test_where_a_domain_is_looked_for():
    domain = Domain("odd", Interval(0, 1), Interval(0, 1))
    assert domain_of(Annotated[float, "note", domain]) is domain
    assert domain_of(Annotated[float, "note"]) is None
    assert domain_of(float) is None
    assert domain_of(Positive) in get_args(Positive)
