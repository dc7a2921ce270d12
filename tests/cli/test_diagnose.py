"""``convex-analyzer diagnose``: one screen, guards, JSON, tables, forecasts, bad input."""

import io
import json
import re
import sys
import types

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca

LAMBDAS = np.array([0.1, 4.0])


def descent(alpha, steps=80):
    """Return the losses of gradient descent on ½ Σ λ x², from its closed form."""
    k = np.arange(steps)[:, None]
    return 0.5 * ((1 - alpha * LAMBDAS) ** (2 * k) * LAMBDAS).sum(axis=1)


def write(path, losses, name="train_loss", **columns):
    head = ",".join(["step", name, *columns])
    rows = np.column_stack([np.arange(len(losses)), losses, *columns.values()])
    np.savetxt(path, rows, delimiter=",", header=head, comments="", fmt="%.10g")
    return path


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Return logs of runs that diverge, that creep and that are done."""
    folder = tmp_path_factory.mktemp("logs")
    return types.SimpleNamespace(
        folder=folder,
        bad=write(folder / "diverging.csv", descent(2.6 / 4)),
        slow=write(folder / "creeping.csv", descent(1e-3)),
        good=write(folder / "done.csv", 3 * np.exp(-np.arange(400) / 40) + 0.01),
    )


SECTIONS = ["What to do", "How likely each is", "Read from diverging.csv"]


@each("columns", [80, 100])
def test_one_screen_says_the_verdict_first(cli, logs, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, err = cli("diagnose", logs.bad, "--lr", "0.65", "-o", "SGD", "--batch-size", "8",
                         "--rows", "8")  # fmt: skip
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert re.match(r"Instability \(\d\d %\): ", lines[0])
    assert max(map(len, lines)) <= columns
    assert len(lines) <= 45
    places = [lines.index(section) for section in SECTIONS]
    assert places == sorted(places)
    flat = " ".join(out.split())
    assert "stable below α = 0.5" in flat.lower()  # 2/λmax with λmax = 4, seen from the growth 1.6²
    assert "loss ← train_loss" in flat
    assert "as you say: learning rate, batch size, rows, optimizer" in flat
    assert not any(word in flat for word in ("nan", "None", "..", "{"))


def test_bars_are_as_long_as_the_chances(cli, logs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = cli("diagnose", logs.bad).out
    bars = re.findall(r"^  (\S.*?)  +([█▏▎▍▌▋▊▉]+) +(\d+) %$", out, re.MULTILINE)
    assert len(bars) >= 2
    for name, bar, percent in bars:
        eighths = sum("▏▎▍▌▋▊▉█".index(letter) + 1 for letter in bar)
        assert abs(eighths / (8 * 14) - int(percent) / 100) < 0.015, name
    assert sum(int(percent) for *_, percent in bars) <= 102


def test_on_a_terminal_the_same_words_in_colour(cli, logs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    plain = cli("diagnose", logs.bad).out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_, **__: False)
    coloured = cli("diagnose", logs.bad).out
    assert coloured.startswith("\x1b[1m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


@each(
    "name, words, code",
    [
        ("bad", ["--fail-on", "instability"], 1),
        ("bad", ["--fail-on", "plateau,instability", "--min-confidence", "0.6"], 1),
        ("bad", ["--fail-on", "instability", "--min-confidence", "1"], 0),
        ("bad", ["--fail-on", "slow-progress"], 0),
        ("bad", ["--fail-on", "any"], 1),
        ("slow", ["--fail-on", "slow-progress", "--lr", "0.001"], 1),
        ("good", ["--fail-on", "any", "--min-confidence", "0"], 0),
        ("good", [], 0),
    ],
)
def test_a_guard_sets_the_exit_code(cli, logs, name, words, code):
    outcome = cli("diagnose", getattr(logs, name), *words)
    assert outcome.code == code, outcome
    assert outcome.err == ""
    assert ("Fails: " in outcome.out) == bool(code)
    assert cli("diagnose", getattr(logs, name), *words, "--json").code == code


def test_json_is_the_diagnosis(cli, logs):
    words = ("--lr", "0.65", "-o", "HeavyBall:momentum=0.5", "--batch-size", "8", "--rows", "8")
    code, out, err = cli("diagnose", logs.bad, *words, "--json")
    assert (code, err) == (0, "")
    plain = json.loads(out, parse_constant=pytest.fail)
    rule = {"name": "HeavyBall", "momentum": 0.5}
    same = ca.diagnose(logs.bad, lr=0.65, batch_size=8, rows=8, optimizer=rule)
    assert plain == same.to_dict()
    assert plain["primary"] == "instability"


def test_several_files_are_one_line_each(cli, logs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = cli("diagnose", logs.bad, logs.slow, logs.good, "--fail-on", "instability")
    assert code == 1
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:5] if "---" not in line] == [
        "file", "diverging.csv", "creeping.csv", "done.csv"
    ]  # fmt: skip
    assert max(map(len, lines)) <= 80
    assert "instability" in lines[2]
    assert "healthy" in lines[4]
    assert lines[-1] == "Fails: 1 of 3, instability"
    missing = logs.folder / "missing.csv"
    code, out, err = cli("diagnose", logs.bad, missing, "--fail-on", "any")
    assert (code, err) == (2, "")
    assert re.search(r"^missing.csv +not read +there is no file", out, re.MULTILINE)
    code, out, _ = cli("diagnose", logs.bad, missing, "--json")
    both = json.loads(out)["diagnoses"]
    assert code == 2
    assert both[0]["primary"] == "instability"
    assert "there is no file" in both[1]["error"]


def standard_input(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(text.encode())))


def test_standard_input_is_read_as_csv_or_json_lines(cli, logs, monkeypatch, refused):
    standard_input(monkeypatch, logs.bad.read_text())
    assert cli("diagnose", "-").out.startswith("Instability")
    records = (json.dumps({"step": k, "nll": x}) for k, x in enumerate(descent(2.6 / 4)))
    standard_input(monkeypatch, "\n".join(records))
    out = cli("diagnose", "-", "--column", "loss=nll").out
    assert out.startswith("Instability")
    assert "loss ← nll" in out
    standard_input(monkeypatch, " \n")
    assert "standard input is empty" in refused("diagnose", "-")


def test_the_right_column_run_and_problem_are_used(cli, logs, tmp_path):
    losses, other = descent(2.6 / 4), np.exp(-np.arange(80.0) / 9)
    path = write(tmp_path / "two.csv", losses, "a", b=other)
    assert cli("diagnose", path, "--column", "loss=a").out.startswith("Instability")
    out = cli("diagnose", path, "--column", "loss=b", "--json").out
    assert json.loads(out)["primary"] != "instability"
    np.savez(tmp_path / "runs.npz", first_loss=losses, second_loss=other, first_lr=0.1,
             second_lr=0.1)  # fmt: skip
    out = cli("diagnose", tmp_path / "runs.npz", "--run", "first", "--json").out
    assert json.loads(out)["primary"] == "instability"
    np.save(tmp_path / "A.npy", np.diag(LAMBDAS))
    words = ("--lr", "0.65", "-o", "GD", "--problem", tmp_path / "A.npy", "--json")
    plain = json.loads(cli("diagnose", logs.bad, *words).out)
    same = ca.diagnose(logs.bad, problem=ca.Quadratic.diagonal(LAMBDAS), lr=0.65, optimizer="GD")
    assert plain["findings"][0]["prediction"] == same.primary.prediction
    text = cli("diagnose", logs.bad, *words[:-1]).out
    steps = same.primary.remedy.confirmed["measured"]
    assert f"Run on the problem: {steps} steps predicted, {steps} measured." in text


def test_a_forecast_needs_no_run(cli):
    words = ("diagnose", "--before", "gallery:toy")  # λ = 0.2 and 4: stable below α = ½
    code, out, err = cli(*words, "-o", "GD:0.6", "--fail-on", "instability")
    assert (code, err) == (1, "")
    assert out.startswith("Instability")
    assert "0.5" in out.partition("What to do")[0]
    code, out, _ = cli(*words, "-o", "GD", "--lr", "0.6", "--json")
    assert (code, json.loads(out)["forecast"]) == (0, True)
    assert json.loads(out)["primary"] == "instability"
    code, out, _ = cli(*words, "-o", "GD:0.6", "-o", "HeavyBall", "--fail-on", "any")
    assert code == 1
    assert re.search(r"^HeavyBall +healthy", out, re.MULTILINE)
    assert out.splitlines()[-1] == "Fails: 1 of 2, instability"


def test_the_report_is_written_and_its_command_repeats_it(cli, logs, tmp_path):
    page = tmp_path / "run.md"
    code, out, err = cli("diagnose", logs.bad, "--json", "--report", page)
    assert code == 0
    assert json.loads(out)["primary"] == "instability"
    assert err.strip().startswith(f"wrote {page}")
    text = page.read_text()
    assert "Instability" in text
    assert f"convex-analyzer diagnose {logs.bad} --json --report {page}" in text


def test_bad_input_is_one_line(refused, logs, tmp_path):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "words.csv").write_text("name,colour\na,red\nb,blue\n")
    table = [
        (["nowhere.csv"], "there is no file nowhere.csv"),
        ([tmp_path], "folder|log"),
        ([tmp_path / "empty.csv"], "empty"),
        ([tmp_path / "noise.csv"], "noise.csv"),
        ([tmp_path / "words.csv"], "no numbers"),
        ([], "a FILE is missing"),
        ([logs.bad, "--column", "loss"], "must be FIELD=NAME"),
        ([logs.bad, "--column", "loss=zzz"], "there is no 'zzz'|zzz"),
        ([logs.bad, "--column", "colour=zzz"], "colour"),
        (
            [logs.bad, "--fail-on", "sloth"],
            "'sloth' is no fault; the faults are incorrect_gradient",
        ),
        ([logs.bad, "--fail-on", ","], "names no fault"),
        ([logs.bad, "--fail-on", "any", "--min-confidence", "80"], "from 0 to 1, got 80"),
        ([logs.bad, "--min-confidence", "0.8"], "needs --fail-on"),
        ([logs.bad, "--lr", "fast"], "--lr"),
        ([logs.bad, "-o", "SGD", "-o", "Adam"], "a run has one --optimizer"),
        ([logs.bad, "-o", "HeavyBal:0.1"], "HeavyBall"),
        ([logs.bad, "--report", "x.doc"], "the name of a report ends in"),
        ([logs.bad, "--report", logs.bad.with_suffix(".md"), logs.good], "--report is for one run"),
        ([logs.bad, "--report", tmp_path / "no" / "x.pdf"], "there is no folder"),
        (["-", "-"], "standard input can be read once"),
        (["--before", "gallery:toy"], "--before needs --optimizer"),
        (["--before", "gallery:toy", "-o", "GD", logs.bad], "takes no FILE"),
        (["--before", "gallery:toyy", "-o", "GD"], "did you mean toy"),
    ]
    for words, said in table:
        assert re.search(said, refused("diagnose", *words)), words


def test_interrupting_is_one_line(cli, logs, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("convex_analyzer.diagnosis.engine.diagnose", stop)
    code, _, err = cli("diagnose", logs.bad)
    assert (code, err) == (130, "error: interrupted while reading; nothing was written\n")
