"""JSON: the same bytes for the same content, readable by any reader, no bare infinity."""

import json
import math

import numpy as np
import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.reporting.json import to_json, write_json

# of a few nasty characters: to list all that UTF-8 can write takes longer than everything else here
TEXTS = st.text('aZ "\\/\0\n\x1b\x7fé\u2028λ\uffff😀')
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=12,
)


def strict(text: str):
    """Read JSON as the standard has it: NaN and Infinity are refused."""

    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def expected(value):
    if isinstance(value, float) and math.isinf(value):
        return {"value": None, "reason": "infinite" if value > 0 else "minus infinite"}
    if isinstance(value, dict):
        return {key: expected(item) for key, item in value.items()}
    if isinstance(value, list):
        return [expected(item) for item in value]
    return value


@given(VALUES)
def test_what_is_written_is_what_is_read(value):
    text = to_json({"schema": "x/1", "value": value})
    assert strict(text) == {"schema": "x/1", "value": expected(value)}


@given(st.dictionaries(TEXTS.filter(bool), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_matter(data):
    data = {"schema": "x/1", **{key: value for key, value in data.items() if key != "schema"}}
    backwards = dict(reversed(data.items()))
    assert to_json(data) == to_json(backwards)
    assert to_json(backwards).startswith('{\n  "schema": "x/1"')


def test_numbers_keep_every_digit():
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 2**53 + 1, -0.0]
    read = strict(to_json({"schema": "x/1", "numbers": numbers}))["numbers"]
    assert list(map(repr, read)) == list(map(repr, numbers))


def test_numpy_goes_through_and_nan_has_its_reason():
    data = {"schema": "x/1", "a": np.array([[1.0, np.nan], [-np.inf, 2.0]]), "n": np.int64(3)}
    read = strict(to_json(data))
    assert read["n"] == 3
    assert read["a"][0] == [1.0, {"value": None, "reason": "not a number"}]
    assert read["a"][1] == [{"value": None, "reason": "minus infinite"}, 2.0]


def test_a_row_of_numbers_takes_one_line():
    text = to_json({"schema": "x/1", "A": np.eye(3)})
    assert "    [0.0, 1.0, 0.0],\n" in text
    assert len(to_json({"schema": "x/1", "x": list(range(10**5))}).splitlines()) == 4


@each(
    ("content", "says"),
    [
        ({"rate": 1}, 'a "schema"'),
        ({"schema": 1}, 'a "schema"'),
        ([1], 'a "schema"'),
        ({"schema": "x/1", "a": {"b": [1, object()]}}, r"got object in content\.a\.b\[1\]"),
        ({"schema": "x/1", "z": 1 + 2j}, r"got complex in content\.z"),
        ({"schema": "x/1", "d": {1: 2}}, r"keys must be text, got 1 in content\.d"),
    ],
)
def test_what_has_no_form_is_refused_with_its_place(content, says):
    with pytest.raises(InputError, match=says):
        to_json(content)


def test_lone_surrogates_do_not_stop_a_file(tmp_path):
    (path,) = write_json({"schema": "x/1", "file\ud800": "\udcff"}, tmp_path / "x.json")
    assert strict(path.read_text("utf-8"))["file?"] == "?"


def test_a_document_with_its_figures(sample, tmp_path):
    document = sample.build()
    (path,) = write_json(document, tmp_path / "x.json")
    read = strict(path.read_text("utf-8"))
    assert read == document.to_dict()
    assert path.read_bytes() == to_json(document).encode()


def test_an_input_is_refused(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match="input of this run"):
        write_json({"schema": "x/1"}, path, inputs=[path])
