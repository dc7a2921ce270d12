"""Reports under attack: bad targets, interrupts, labels that are no text; one set of numbers."""

from __future__ import annotations

import json
import os
import re
import sys
import xml.dom.minidom
from html import unescape

import pytest

import convex_analyzer as ca
from convex_analyzer.errors import InputError, MissingDependencyError
from convex_analyzer.files import write_bytes
from convex_analyzer.plot.xml import readable_xml
from convex_analyzer.reporting import build as building
from convex_analyzer.tables import format_count, format_number


@pytest.fixture(scope="module")
def comparison():
    return ca.compare(ca.gallery.toy(), [ca.GradientDescent, ca.HeavyBall])


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "compare", lambda *_: pytest.fail("it was worked for nothing"))
    problem, source = ca.gallery.toy(), tmp_path / "A.md"
    source.write_text("precious", encoding="utf-8")
    (tmp_path / "folder.png").mkdir()
    for path, inputs, says in (
        (tmp_path / "no" / "x.pdf", (), "there is no folder"),
        (tmp_path / "folder.png", (), "it is a folder"),
        (source, str(source), "is an input of this run"),  # one path, not one per letter
        (source, source, "is an input of this run"),
        (source, 5, "inputs must be paths, got int"),
        (5, (), "path must be the path of a file, got int"),
        (None, (), "got NoneType"),
    ):
        with pytest.raises(InputError, match=says):
            ca.report(problem, path, inputs=inputs)
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingDependencyError, match=r"convex-analyzer\[report\]"):
        ca.report(problem, tmp_path / "x.png")
    assert source.read_text(encoding="utf-8") == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A.md", "folder.png"]


def test_an_interrupt_right_after_opening_leaves_nothing(tmp_path, monkeypatch):
    really = os.open

    def interrupted(*arguments, **options):
        os.close(really(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / "x", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_xml_whatever_its_labels_have():
    bad = "".join(map(chr, range(32))) + "\ufffe\uffff"
    text = readable_xml(f"<text>a{bad}漢</text>".encode())
    found = xml.dom.minidom.parseString(text).documentElement.firstChild.data
    assert re.sub(r"\s", "", found) == "a" + "\ufffd" * 31 + "漢"


def test_the_same_numbers_in_every_format(comparison, tmp_path):
    paths = {s: ca.report(comparison, tmp_path / f"x.{s}")[0] for s in ("json", "md", "html")}
    texts = {suffix: path.read_text(encoding="utf-8") for suffix, path in paths.items()}
    data = json.loads(texts["json"])["comparison"]
    pages = {
        "md": texts["md"].replace("\\", ""),
        "html": unescape(re.sub(r"<[^>]*>", "", texts["html"])),
    }
    for page in pages.values():
        assert f"κ(A) = {format_number(20.0, 7)}" in page  # 4 / 0.2
        for entry, one in zip(data["entries"], comparison.entries, strict=True):
            for count in (entry["predicted_steps"], entry["simulated_steps"]):
                assert format_count(count) in page
            assert one.analysis.rate_text in page
            assert f"α < {format_number(one.analysis.stability_limit, 4)}" in page
