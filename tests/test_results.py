"""Results compare by value, become JSON, and print as tables."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.results import Result, to_plain
from convex_analyzer.tables import Table


@dataclass(frozen=True, eq=False, repr=False)
class Sample(Result):
    schema: ClassVar[str] = "test.sample/1"
    values: Any
    name: str = "x"
    ignored: Any = field(default=None, compare=False)
    hidden: Any = field(default=None, repr=False)

    def summary(self) -> Table:
        return Table(("name", "size"), ((self.name, "<1>"),))


@dataclass(frozen=True)
class Point:
    x: float


# of a few nasty characters: to list all that UTF-8 can write takes longer than everything else here
texts = st.text('a "\\/\0\n\x7fé\u2028λ\uffff😀')
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(trees)
def test_everything_becomes_json(tree):
    text = json.dumps(to_plain(tree), allow_nan=False)
    assert json.loads(text) == json.loads(json.dumps(to_plain(to_plain(tree)), allow_nan=False))


@each(
    ("value", "plain"),
    [
        (math.inf, None),
        (math.nan, None),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(1), True),
        (np.array([[1.0, math.nan]]), [[1.0, None]]),
        (np.array([1j]), [{"re": 0.0, "im": 1.0}]),
        ((1, (2.0,)), [1, [2.0]]),
        ({1: "a"}, {"1": "a"}),
        (Point(2.0), {"x": 2.0}),
        (Sample([1]), {"schema": "test.sample/1", "values": [1], "name": "x", "ignored": None}),
        (range(2), "range(0, 2)"),
    ],
    ids=[
        "infinity",
        "nan",
        "float64",
        "int64",
        "bool",
        "matrix",
        "complex",
        "tuple",
        "dict",
        "dataclass",
        "result",
        "anything else",
    ],  # a repr may hold an address: workers disagree
)
def test_plain_forms(value, plain):
    assert to_plain(value) == plain
    assert type(to_plain(value)) is type(plain)


SAME = [
    (1.0, 1.0),
    (np.array([1.0, math.nan]), np.array([1.0, math.nan])),
    (np.array(["a"]), np.array(["a"])),
    ((1, np.ones(2)), (1, np.ones(2))),
]
DIFFERENT = [
    (np.ones(2), np.ones(3)),
    (np.ones(2), [1.0, 1.0]),
    (np.ones((1, 2)), np.ones(2)),
    ((1, np.ones(2)), (1, np.zeros(2))),
    ((1,), (1, 2)),
    (1.0, 2.0),
]


@each(("a", "b"), SAME, ids=repr)
def test_equal_by_value(a, b):
    assert Sample(a) == Sample(b)
    assert Sample(a, ignored=1) == Sample(b, ignored=2)


@each(("a", "b"), DIFFERENT, ids=repr)
def test_different_by_value(a, b):
    assert Sample(a) != Sample(b)


def test_other_classes_are_never_equal_and_results_are_frozen():
    assert Sample(1) != 1
    assert Sample(1) != Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sample(1).values = 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Sample(1))


def test_printing_and_notebook_forms_come_from_the_summary():
    sample = Sample([1])
    lines = str(sample).splitlines()
    assert lines[0].startswith("━━ Sample ━")
    assert lines[1:-1] == sample.summary().to_text().splitlines()
    assert "&lt;1&gt;" in sample._repr_html_()
    assert "| name | size |" in sample._repr_markdown_()
    assert "hidden" not in sample.to_dict()


@dataclass(frozen=True, eq=False)
class Long(Result):
    values: Any
    name: str = "x"


@dataclass(frozen=True, eq=False)
class Named(Long):
    def __repr__(self) -> str:
        return "<Named>"


@dataclass(frozen=True, eq=False)
class Inheriting(Named):
    more: int = 0


def test_repr_is_one_line_that_is_not_too_long():
    assert repr(Long(1.5)) == "Long(values=1.5, name='x')"
    assert repr(Long(np.array([[1.0, 2.0], [3.0, 4.0]]))) == (
        "Long(values=array([[1., 2.], [3., 4.]]), name='x')"
    )
    assert len(repr(Long(np.zeros((50, 50)), "y" * 500))) < 200
    assert repr(Inheriting(1)) == "<Named>"


def test_printing_where_there_is_only_ascii(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    stream.write(str(Sample([1], name="αλ ≤ ½")))
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")
    assert text.startswith("== Sample ====")
    assert "alpha*lambda <= 1/2   <1>" in text


def test_a_result_without_summary_says_so():
    with pytest.raises(NotImplementedError):
        Result().summary()
