"""What goes into a log: one fact a line, no colours, no boxes; and letters a stream can write."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from convex_analyzer.cli import _disk, _spelt
from convex_analyzer.cli.progress import Ledger, Meter, time_left
from convex_analyzer.cli.screen import has_colours, show
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.progress import Stage
from convex_analyzer.sheets import Sheet


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_one_fact_a_line(cli, monkeypatch):
    for words in (
        ("analyze", "gallery:toy"),
        ("analyze", "gallery:toy", "-o", "GD:0.1"),
        ("compare", "gallery:toy"),
        ("condition", "gallery:longley"),
        ("diagnose", "--before", "gallery:toy", "-o", "GD:0.6"),
        ("optimizers", "HeavyBall"),
        ("derive", "best_step", "GD"),
    ):
        code, out, err = cli(*words, "--plain")
        assert (code, err) == (0, "")
        assert not set(out) & set("─━│█░┃\x1b"), words
        assert all(line.strip() for line in out.splitlines()), words
        assert out.count("\n") > 5
    lines = cli("compare", "gallery:toy", "--plain").out.splitlines()
    assert "HeavyBall, steps, predicted: 24" in lines
    assert "HeavyBall, verdict: confirmed" in lines
    facts = cli("diagnose", "--before", "gallery:toy", "-o", "GD:0.6", "--plain").out
    assert "instability, chance: 99 %" in facts.splitlines()
    monkeypatch.setattr("convex_analyzer.optimizers.registered", lambda: {"HeavyBall": HeavyBall})
    listed = cli("--plain", "optimizers").out.splitlines()
    assert "HeavyBall, theory: closed form" in listed


def test_every_command_knows_it(cli):
    assert "--plain" in cli("--help").out
    for words in (("derive",), ("exercises", "grade"), ("check",), ("report",), ("demo",)):
        assert "--plain" in cli(*words, "--help").out


def test_terminals_without_colours(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert has_colours()
    monkeypatch.setenv("TERM", "dumb")
    assert not has_colours()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colours()


def test_no_colour_is_written_to_a_terminal_that_wants_none(program):
    ours, theirs = pty.openpty()
    words = ("condition", "gallery:toy")
    process = program(*words, stdout=theirs, stdin=theirs, env={"NO_COLOR": "1", "TERM": "xterm"})
    os.close(theirs)
    text = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        text += chunk
    os.close(ours)
    assert process.wait(60) == 0
    assert b"\x1b" not in text
    assert len(text) > 500


def test_a_stream_without_greek_gets_words(program):
    process = program(
        "analyze", "gallery:toy", "-o", "GD:0.1", stdout=subprocess.PIPE,
        env={"PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    out = process.communicate(timeout=60)[0].decode("latin-1")
    assert process.returncode == 0
    assert out.startswith("GradientDescent(alpha = 0.1) converges")
    assert "lambda_max  " in out
    assert "?" not in out


def test_what_an_interrupt_leaves():
    book = Ledger()
    assert book.farewell() == "interrupted; nothing was written"
    book.text = "reading"
    assert book.farewell() == "interrupted while reading; nothing was written"
    names = [f"file {i}" for i in range(7)]
    book.changed([Stage("grading", 9, "answers", 7, names), Stage("running")])
    book.wrote("a.csv")
    told = "file 0, file 1, file 2, file 3, file 4 and 2 more"
    assert book.farewell() == (
        f"interrupted while grading (7 of 9 answers done: {told}); written, and whole: a.csv"
    )
    book.clear()
    book.ended(Stage("comparing", 3, "optimizers"))
    assert book.farewell() == "interrupted while comparing; nothing was written"


@pytest.mark.parametrize(
    ("seconds", "done", "text"),
    [
        (1.0, 0.5, "1 s left"),
        (100.0, 0.25, "5 min left"),
        (3600.0, 0.2, "4 h 0 min left"),
        (10.0, 0.001, ""),
        (10.0, 1.0, ""),
        (10.0, None, ""),
    ],
)
def test_time_left(seconds, done, text):
    assert time_left(seconds, done) == text


def test_a_meter_says_what_is_going_on():
    meter = Meter("computing", Ledger())
    assert meter.described() == ("computing", None, "")
    meter.changed([Stage("comparing", 4, "optimizers", 1), Stage("running Adam", 100, done=50)])
    meter.since -= 3
    text, done, left = meter.described()
    assert text == "comparing 2 of 4 optimizers, running Adam"
    assert done == 0.375
    assert left == "5 s left"


def test_a_report_that_needs_typst_is_refused_before_any_work(refused, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "typst", None)
    text = refused("compare", "gallery:toy", "--out", tmp_path / "x.pdf")
    assert "this needs typst" in text
    assert "pip install" in text
    assert not list(tmp_path.iterdir())


def test_read_only_targets_are_refused_before_any_work(refused, monkeypatch, tmp_path):
    out = tmp_path / "x.md"
    out.write_text("old")
    out.chmod(0o444)
    assert "is read-only; choose another name" in refused("compare", "gallery:toy", "--out", out)
    assert out.read_text() == "old"
    out.chmod(0o644)
    monkeypatch.setattr("os.access", lambda path, mode: os.fspath(path) != str(tmp_path))
    assert "nothing can be written to the folder" in refused("compare", "gallery:toy", "--out", out)


def test_errors_speak_the_language_of_the_command_line(refused, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("a,b\n1,2\n3,4\n")
    assert "say which one it is: --column loss='a'" in refused("diagnose", log)
    assert "--noise is a variance" in refused("compare", "gallery:toy", "--noise", "-1")
    assert "did you mean stability?" in refused("derive", "stabilty")
    assert len(refused("derive", "nothing")) < 500


SHEET = Sheet(
    ("optimizer", "rate ρ"), (("GD", "0.9"),), what="comparison", subject="toy", verdict="GD wins."
)  # fmt: skip


def test_sheets_and_tables_on_every_kind_of_screen(capsys, monkeypatch):
    show(SHEET)
    assert capsys.readouterr().out == f"{SHEET.to_text(80)}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    show(SHEET)
    assert capsys.readouterr().out == f"{SHEET.to_text(60)}\n"
    (table,) = SHEET.tables
    show(replace(table, title="Rates", notes=("all",)))
    assert without_colours(capsys.readouterr().out).splitlines() == [
        "Rates", "optimizer  rate ρ", "─────────  ──────", "GD            0.9", "all"
    ]  # fmt: skip
    monkeypatch.setattr("convex_analyzer.cli.screen.fits", lambda text, encoding: text.isascii())
    show(SHEET)
    assert capsys.readouterr().out == f"{SHEET.in_ascii()}\n"
    show(table)
    assert capsys.readouterr().out.splitlines()[0] == "optimizer  rate rho"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    show(table)
    assert capsys.readouterr().out.splitlines()[1] == "---------  --------"


def test_files_are_named_as_their_readers_name_them():
    assert _disk(FileNotFoundError(2, "No such file", "a.csv")) == "there is no file a.csv"
    assert _disk(IsADirectoryError(21, "Is a directory", "d")) == "d is a folder, not a file"
    assert _disk(PermissionError(13, "Permission denied", "a")) == "a: permission denied"


def test_only_what_cannot_be_written_is_spelt():
    error = UnicodeEncodeError("latin-1", "a α b", 2, 3, "ordinal not in range")
    assert _spelt(error) == ("alpha", 3)
    with pytest.raises(UnicodeDecodeError):
        _spelt(UnicodeDecodeError("ascii", b"\xce", 0, 1, "ordinal not in range"))
