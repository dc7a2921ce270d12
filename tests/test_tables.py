"""Numbers as they are printed, and tables in three markups."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer import tables
from convex_analyzer.tables import (
    Table,
    format_count,
    format_factor,
    format_number,
    format_share,
    join_words,
)


@each(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.5, "0.5"),
        (-0.25, "−0.25"),
        (1 / 3, "0.333333"),
        (1e-5, "1e−5"),
        (-2.5e100, "−2.5e100"),
        (123456789.0, "1.23457e8"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "undefined"),
    ],
)
def test_numbers(value, text):
    assert format_number(value) == text


@given(st.floats(-1e300, 1e300), st.integers(1, 17))
def test_numbers_read_back_within_their_digits(value, digits):
    text = format_number(value, digits)
    back = float(text.replace("−", "-"))
    assert back == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits), abs=1e-320)
    assert "e+" not in text
    assert "e0" not in text


@each(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (9_999_999, "9,999,999"),
        (10**7, "1e7"),
        (10**302, "1e302"),
    ],
)
def test_counts(value, text):
    assert format_count(value) == text


@each(
    ("value", "distance", "text"),
    [
        (0.5, 0.5, "0.5"),
        (1.0, 1e-20, "1 − 1e−20"),
        (-1.0, 2.5e-7, "−(1 − 2.5e−7)"),
        (1.0, 0.0, "1"),
        (1.5, -0.5, "1.5"),
    ],
)
def test_factors(value, distance, text):
    assert format_factor(value, distance) == text


def test_shares_never_round_across_the_limit():
    """What is below 100 % must not be printed as 100 %."""
    for part in (1 - 1e-3, 1 - 1e-6, 1 - 1e-12):
        text = format_share(part, 1.0)
        assert "100 %" not in text


@each(
    ("words", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_words(words, text):
    assert join_words(words) == text
    assert join_words(words, "or") == text.replace("and", "or")


TABLE = Table(
    ("name", "value"),
    (("a|b", "1"), ("<long name>", "22")),
    title="Title & more",
    notes=("A note <1>.",),
)


def test_text_is_aligned():
    lines = TABLE.to_text().split("\n")
    assert lines == [
        "Title & more",
        "",
        "name         value",
        "-----------  -----",
        "a|b              1",
        "<long name>     22",
        "A note <1>.",
    ]
    assert str(TABLE) == TABLE.to_text()


def test_markdown_escapes_bars_and_aligns():
    lines = TABLE.to_markdown().split("\n")
    assert lines[0] == "**Title & more**"
    assert lines[2] == "| name | value |"
    assert lines[3] == "| --- | ---: |"
    assert lines[4] == r"| a\|b | 1 |"
    assert lines[-1] == "A note <1>."
    assert Table(("a",), ()).to_markdown() == "| a |\n| --- |"


def test_html_is_well_formed_and_escaped():
    root = ET.fromstring(f"<div>{TABLE.to_html()}</div>")
    assert root.find("table/caption").text == "Title & more"
    cells = [cell.text for cell in root.iter("td")]
    assert cells == ["a|b", "1", "<long name>", "22"]
    styles = [cell.get("style") for cell in root.iter("td")]
    assert styles[:2] == ["text-align:left", "text-align:right"]
    assert root.find("p").text == "A note <1>."
    assert "<caption>" not in Table(("a",), ()).to_html()


def test_all_is_complete():
    public = {n for n, v in vars(tables).items() if getattr(v, "__module__", "") == tables.__name__}
    assert {name for name in public if not name.startswith("_")} == set(tables.__all__)
