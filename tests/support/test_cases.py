"""The loop over cases fails when a case does, runs all of them and names those that fail."""

from __future__ import annotations

import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def ten():
    return 10


def test_all_cases_run_and_those_that_fail_are_named(monkeypatch):
    monkeypatch.delenv("EACH", raising=False)
    seen = []

    @each(("one", "other"), [(1, 1), (1, 2), (3, 3), (4, 5)])
    def check(one, other):
        seen.append(one)
        assert one == other

    with pytest.raises(ExceptionGroup, match="2 of 4 cases failed") as told:
        check()
    assert seen == [1, 1, 3, 4]
    notes = [error.__notes__ for error in told.value.exceptions]
    assert notes == [["case 1 of 4: one = 1, other = 2"], ["case 3 of 4: one = 4, other = 5"]]


def test_a_single_failure_is_raised_as_it_is_and_a_skip_is_one(monkeypatch):
    monkeypatch.delenv("EACH", raising=False)

    @each("number", [2, 0, 4], ids=["two", "nought", "four"])
    def check(number):
        1 / number

    with pytest.raises(ZeroDivisionError) as told:
        check()
    assert told.value.__notes__ == ["case 1 of 3: nought"]

    @each("number", [1, 2])
    def skips(number):
        if number == 2:
            pytest.skip("not today")

    with pytest.raises(AssertionError, match="not today") as told:
        skips()
    assert told.value.__notes__ == ["case 1 of 2: number = 2"]


def test_no_case_at_all_is_an_error():
    with pytest.raises(AssertionError, match="without having tested anything"):
        each("number", [])


@each("one", [1, 2])
@each("other, third", [(3, 4), (5, 6)])
def test_tables_are_crossed_and_fixtures_handed_on(one, other, third, ten):
    assert ten + one + other == 10 + one + third - 1


@each("one", [1, 2])
@given(other=st.integers())
def test_examples_are_drawn_for_every_case(one, other):
    assert one + other - other == one
