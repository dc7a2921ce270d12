"""The reports of the gallery say what the package says today; the index leads to all of them."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

import convex_analyzer.reporting.figures as figures

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "reports"


@pytest.fixture(scope="module")
def gallery():
    specification = importlib.util.spec_from_file_location("gallery_build", FOLDER / "build.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules[specification.name]


def _comparable(text: str) -> str:
    """Leave out what depends on the machine: versions, and digits of rounding errors."""
    text = re.sub(r"Python 3[^;|]*(?=; input|\.)", "", text)
    text = re.sub(r"sha256:? [0-9a-f; :\w,]*", "", text)
    return re.sub(r"\d+(\.\d+)?e−\d\d+", "tiny", text)


NAMES = sorted(path.stem for path in (FOLDER / "texts").glob("*.md"))


@pytest.mark.survey  # every line of it is covered by the tests of the pages
@pytest.mark.parametrize("name", NAMES)
def test_no_report_is_stale(gallery, monkeypatch, name):
    monkeypatch.setattr(figures, "picture", lambda name, data: b"<svg/>")
    (report,) = [report for report in gallery.REPORTS if report.name == name]
    text = (FOLDER / "texts" / f"{name}.md").read_text(encoding="utf-8")
    now = _comparable(gallery.text_of(report.document()))
    assert now == _comparable(text), "make gallery: this report would say something else now"


def test_the_comparison_sees_a_changed_number(gallery):
    text = (FOLDER / "texts" / "toy.md").read_text(encoding="utf-8")
    assert "0.904762" in text
    assert _comparable(text) != _comparable(text.replace("0.904762", "0.904763"))


def test_every_report_is_there_and_is_what_it_says(gallery):
    names = [report.name for report in (*gallery.REPORTS, gallery.CARDS)]
    assert sorted(set(names) - {gallery.CARDS.name}) == NAMES
    assert len(set(names)) == len(names) >= 11
    kinds = {".pdf": b"%PDF", ".html": b"<!DOCTYPE html>", ".png": b"\x89PNG"}
    for name in names:
        wanted = [FOLDER / f"{name}.pdf", FOLDER / "images" / f"{name}.png"]
        wanted += [FOLDER / f"{name}.html"] if name in gallery.HTML else []
        for path in wanted:
            assert path.read_bytes().startswith(kinds[path.suffix]), path
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 8e6


def test_the_index_is_the_one_that_is_written_and_leads_everywhere(gallery):
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == gallery.index()
    links = re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", text)
    for link in {one or other for one, other in links}:
        assert (FOLDER / link).is_file(), link


def test_an_unknown_name_says_which_there_are(gallery):
    with pytest.raises(SystemExit, match="no report tyo; there are toy, "):
        gallery.main(["tyo"])
