"""Reports from the command line, and the demo."""

from __future__ import annotations

import json
import sys

import pytest

from convex_analyzer.cli.report import _file_names
from convex_analyzer.reporting.build import LEVELS, SUFFIXES


def test_report_is_written_where_it_says(cli, toy_file, tmp_path):
    out = tmp_path / "toy.pdf"
    code, text, err = cli("report", toy_file, "--out", out)
    assert code == 0
    assert err == ""
    assert text.splitlines()[-1] == f"wrote {out}"
    assert "theory and simulation agree" in text
    assert out.read_bytes().startswith(b"%PDF")


def test_report_is_named_after_the_problem(cli, toy_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("report", "gallery:ravine", "--optimizer", "GD").code == 0
    assert (tmp_path / "ravine-κ-100.pdf").is_file()


@pytest.mark.parametrize("suffix", [".png", ".json", ".md"])
def test_report_in_every_format(cli, tmp_path, suffix):
    code, text, _ = cli("report", "gallery:toy", "--out", tmp_path / f"toy{suffix}")
    assert code == 0
    names = text.splitlines()[-1].removeprefix("wrote ").split(", ")
    assert sorted(str(path) for path in tmp_path.iterdir()) == sorted(names)
    if suffix == ".json":
        assert json.loads((tmp_path / "toy.json").read_text())["comparison"]["entries"]


def test_report_prints_the_command_that_made_it(cli, tmp_path):
    cli("report", "gallery:toy", "-o", "HB(0.1, mu=0.9)", "--out", tmp_path / "toy.md")
    text = (tmp_path / "toy.md").read_text(encoding="utf-8")
    assert "convex-analyzer report gallery:toy -o" in text


def test_analyze_and_compare_write_reports_too(cli, tmp_path):
    for name in ("analyze", "compare"):
        out = tmp_path / f"{name}.json"
        code, text, err = cli(name, "gallery:toy", "--out", out, "--json")
        assert code == 0
        json.loads(text)
        assert err == f"wrote {out}\n"
        assert json.loads(out.read_text(encoding="utf-8"))["schema"] == "convex_analyzer.report/1"


@pytest.mark.parametrize("name", ["analyze", "compare", "report"])
def test_targets_that_cannot_be_written(refused, longley, tmp_path, name):
    words = (name, "gallery:toy", "--out")
    assert "the name of a report ends in .pdf" in refused(*words, tmp_path / "out.docx")
    assert "it is a folder; name a file inside it" in refused(*words, tmp_path)
    assert "there is no folder" in refused(*words, tmp_path / "none" / "out.pdf")
    (tmp_path / "out.pdf").mkdir()
    assert "folder" in refused(*words, tmp_path / "out.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["out.pdf"]


def test_an_input_is_never_overwritten(refused, tmp_path):
    data = tmp_path / "A.npz"
    data.write_bytes(b"")
    link = tmp_path / "A.json"
    link.symlink_to(data)
    assert "it is an input of this run" in refused("compare", data, "--out", link)


def test_levels_and_suffixes_are_those_of_the_package(cli):
    text = cli("report", "--help").out
    assert f"[{'|'.join(LEVELS)}]" in text
    assert all(suffix in text for suffix in SUFFIXES if suffix != ".md")


def test_demo_analyses_longley_and_prints_where_the_report_is(cli, tmp_path):
    out = tmp_path / "demo.md"
    code, text, _ = cli("demo", "--out", out)
    assert code == 0
    assert "longley: 16 rows x 7 columns incl. intercept" in text
    assert f"wrote {out}" in text
    assert "longley" in out.read_text(encoding="utf-8")


def test_report_and_demo_as_json(cli, tmp_path):
    for words in (("report", "gallery:toy"), ("demo",), ("demo", "--tour")):
        code, text, err = cli(*words, "--json", "--out", tmp_path / "out.json")
        assert code == 0
        assert json.loads(text)["schema"] == "convex_analyzer.comparison/1"
        assert err.startswith("wrote ")


def test_demo_makes_the_folder_it_is_given(cli, tmp_path):
    code, text, _ = cli("demo", "--out", tmp_path / "demo")
    assert code == 0
    (report,) = (tmp_path / "demo").iterdir()
    assert report.suffix == ".pdf"
    assert report.stat().st_size > 10_000
    assert f"wrote {report}" in text


def test_tour_tells_the_story_in_two_minutes(cli, tmp_path):
    code, text, _ = cli("demo", "--tour", "--out", tmp_path / "tour.json")
    assert code == 0
    assert 150 < len(text.split()) < 500, "two minutes of reading"
    for told in ("κ = 20", "0.5", "(−0.943467, −7.312e−5)", "unstable", "4.859257e9", "23,873"):
        assert told in text
    assert "wrote" in text


def test_figures_of_problems_with_one_name_get_a_folder_each():
    assert _file_names(["A", "a", "A", "a-2", "b/c"]) == ["A", "a-2", "A-3", "a-2-2", "b-c"]


def test_a_demo_that_fails_leaves_no_folder(refused, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "typst", None)
    assert "this needs typst" in refused("demo", "--out", tmp_path / "new" / "folder")
    assert not list(tmp_path.iterdir())


def test_an_exercise_is_not_written_over_itself(refused, cli, tmp_path):
    task = tmp_path / "task.toml"
    cli("exercises", "new", task)
    before = task.read_bytes()
    words = ("exercises", "show", task, "--as", "text", "--out", task)
    assert "it is an input of this run" in refused(*words)
    assert task.read_bytes() == before
