"""Colours that can be told apart and read, on paper and in grey."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st

import convex_analyzer as ca
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.plot import style

RULES = [ca.GradientDescent(0.1), ca.HeavyBall(0.1), ca.Nesterov(0.1)]


def luminance(color):
    """WCAG 2.2, relative luminance, from its definition."""
    red, green, blue = mpl.colors.to_rgb(color)
    parts = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast_with_white(color):
    return 1.05 / (luminance(color) + 0.05)


def user_rule(name):
    return type(name, (Optimizer,), {"__annotations__": {"learning_rate": float}})(0.1)


def test_the_colours_that_were_decided():
    found = {type(r).__name__: style.look_of(r).color.lower() for r in RULES}
    assert found == {
        "GradientDescent": "#d55e00",
        "HeavyBall": "#0072b2",
        "Nesterov": "#8d4b77",
    }
    assert style.BEST.color.lower() == "#009e73"


def test_a_tuned_heavy_ball_beside_a_chosen_one_is_the_best_pair():
    both = [ca.HeavyBall(0.1), ca.HeavyBall(0.2)]
    assert style.looks(both, [False, True])[1] == style.BEST
    assert style.looks(both, [True, False])[0] == style.BEST
    assert style.BEST not in style.looks(both, [True, True])
    assert style.BEST not in style.looks(both[:1], [True])


@given(st.lists(st.sampled_from([*RULES, *map(user_rule, ["One", "Two", "Adam"])]), max_size=6))
def test_no_two_of_a_comparison_look_alike(rules):
    looks = style.looks(rules)
    assert len({(look.color, str(look.dash), look.marker) for look in looks}) == len(looks)
    for a, b in itertools.combinations(looks, 2):
        assert str(a.dash) != str(b.dash) or a.marker != b.marker, "colour alone does not tell"


def test_looks_do_not_depend_on_what_else_is_compared():
    alone = style.looks([RULES[2]])[0]
    assert style.looks(RULES)[2] == alone


@each("name", ["GradientDescent", "HeavyBall", "Nesterov", "Adam", "RMSProp",
                                  "AdaGrad", "Mine"])  # fmt: skip
def test_lines_and_letters_are_dark_enough(name):
    (look, second, third) = style.looks([user_rule(name)] * 3)
    for one in (look, second, third):
        assert contrast_with_white(one.color) >= 3.0
        assert contrast_with_white(one.ink) >= 4.5
        assert len(one.glyph) == 1


def test_every_look_has_a_glyph_of_its_own():
    rules = [user_rule(f"Rule{i}") for i in range(6)]
    assert len({look.glyph for look in style.looks(rules)}) == 6


def test_settings_are_restored_after_an_error():
    def fail():
        with style.context():
            assert mpl.rcParams["svg.fonttype"] == "none"
            raise ZeroDivisionError

    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert dict(mpl.rcParams) == before
