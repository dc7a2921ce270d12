"""The program itself: help, exit codes, errors in one line, pipes, interrupts, terminals."""

from __future__ import annotations

import importlib
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys

import click
import pytest

import convex_analyzer
from convex_analyzer import cli as package
from convex_analyzer.cli import COMMANDS, commands, run
from convex_analyzer.cli.options import LOSS_NAMES
from convex_analyzer.problems.least_squares import LOSSES


def test_help_names_every_command_and_its_module_has_it(cli):
    code, out, _ = cli("--help")
    assert code == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", out, re.MULTILINE)
        home = name.replace("-", "_")
        command = getattr(importlib.import_module(f"convex_analyzer.cli.{home}"), home)
        assert isinstance(command, click.Command)
    assert cli() == cli("-h")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_has_an_example_that_parses(cli, name):
    code, out, _ = cli(name, "--help")
    assert code == 0
    examples = re.findall(r"^\s+convex-analyzer (.*)$", out, re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(example.replace("longley.png", "x.png"))
        assert words[0] == name
        command = commands.get_command(click.Context(commands), name)
        command.make_context(name, words[1:])  # raises on an unknown option


def test_options_know_the_losses_of_the_package():
    assert tuple(LOSSES) == LOSS_NAMES


def test_version(cli):
    assert convex_analyzer.__version__ in cli("--version").out


def test_usage_errors(refused):
    assert "did you mean compare?" in refused("comprae", "x")
    assert "commands: demo, analyze" in refused("zzz")
    assert "analyze --help" in refused("analyze")
    assert "--steps" in refused("compare", "gallery:toy", "--steps", "many")
    assert "No such option" in refused("compare", "gallery:toy", "--colour")
    assert "half_mse" in refused("compare", "gallery:toy", "--loss", "l1")


def test_help_and_import_load_nothing_heavy():
    code = (
        "import sys; from convex_analyzer.cli import run; run(['--help']);"
        "print('LOADED', *{m.partition('.')[0] for m in sys.modules})"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(convex_analyzer.__path__[0]) + "/.."},
    ).stdout
    loaded = set(out.rpartition("LOADED")[2].split())
    assert loaded.isdisjoint({"numpy", "scipy", "sympy", "matplotlib", "rich", "typst"})


def test_module_can_be_run(program, toy_file):
    process = program("analyze", toy_file, stdout=subprocess.PIPE, text=True)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith("κ = 20")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted; nothing was written"),
        (MemoryError(), 2, "not enough memory"),
        (OSError(28, "No space left on device", "out.pdf"), 2, "out.pdf: no space left on device"),
        (OSError(5, "Input/output error"), 2, "error: input/output error"),
    ],
    ids=["interrupt", "memory", "disk full", "disk"],
)
def test_failures_outside_our_hands_are_one_line(monkeypatch, cli, error, code, words):
    import convex_analyzer.problems.gallery as gallery

    def fail():
        raise error

    monkeypatch.setattr(gallery, "toy", fail)
    outcome = cli("analyze", "gallery:toy")
    assert outcome.code == code
    assert words in outcome.err
    assert "Traceback" not in outcome.err


def test_a_bug_is_not_hidden(monkeypatch):
    import convex_analyzer.problems.gallery as gallery

    def fail():
        raise ZeroDivisionError

    monkeypatch.setattr(gallery, "toy", fail)
    with pytest.raises(ZeroDivisionError):
        run(["analyze", "gallery:toy"])


def test_main_ends_the_process_with_the_code(monkeypatch, capsys):
    monkeypatch.setattr("warnings.showwarning", None)
    with pytest.raises(SystemExit) as stop:
        package.main(["analyze", "gallery:none"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("error: the gallery has no problem 'none'")


def test_warnings_are_notes(capsys):
    package._show_warning(UserWarning("two\nlines"), UserWarning, "file.py", 3)
    assert capsys.readouterr().err == "note: two lines\n"


def test_a_closed_pipe_is_quiet(program):
    process = program(
        "compare", "gallery:toy", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 141


def test_interrupting_says_what_is_done_and_leaves_whole_files(program, tmp_path):
    """A slow optimizer of the user's own tells when it has begun, so that no time is guessed."""
    module, out = tmp_path / "slow.py", tmp_path / "report.md"
    module.write_text(
        "import sys, time\nfrom convex_analyzer import Optimizer\n"
        "class Slow(Optimizer):\n"
        "    learning_rate: float\n"
        "    def step(self, problem, t, theta):\n"
        "        if t == 500 and getattr(theta, 'shape', ()) == (1, 2):\n"
        "            print('begun', file=sys.stderr, flush=True)\n"
        "            time.sleep(60)\n"
        "        return theta - self.learning_rate * problem.gradient(theta)\n"
    )
    out.write_text("old")
    process = program(
        "compare", "gallery:toy", "--optimizer-module", module, "-o", "GD:0.1", "-o", "Slow:0.1",
        "--steps=1000", "--out", out, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == (
        "error: interrupted while comparing (1 of 2 optimizers done: GradientDescent); "
        f"{out} was not touched\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "report.md", "slow.py"
    ]  # fmt: skip
    assert out.read_text() == "old"


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.fixture
def on_terminal(cli, monkeypatch):
    """Return a function that runs a command as on a terminal and returns (screen, stderr)."""

    def call(*words: str, columns: int = 80, term: str = "xterm") -> tuple[str, str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", term)
        for stream in (sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
        code, out, err = cli(*words)
        assert code == 0
        return without_colours(out), without_colours(err)

    return call


@pytest.mark.parametrize(
    "words",
    [
        ("analyze", "gallery:longley"),
        ("analyze", "gallery:laplacian_1d:n=60", "-o", "HB"),
        ("compare", "gallery:ravine"),
        ("compare", "gallery:toy", "-o", "GD:0.1"),
        ("diagnose", "--before", "gallery:longley", "-o", "GD:0.1"),
    ],
    ids=" ".join,
)
def test_one_screen_of_eighty_columns(on_terminal, words):
    lines = on_terminal(*words)[0].splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 60 or words == ("optimizers",)  # a list of more than fifty


def test_a_wide_table_is_cut_between_columns_on_a_narrow_terminal(on_terminal):
    narrow, _ = on_terminal("compare", "gallery:toy")
    wide, _ = on_terminal("compare", "gallery:toy", columns=200)
    assert re.search(r"^HeavyBall .* stable +0.634512$", narrow, re.MULTILINE)
    assert re.search(r"^HeavyBall +24 +24 .*confirmed$", narrow, re.MULTILINE)
    assert re.search(r"^HeavyBall .* stable +0.634512 +24 +24 .*confirmed$", wide, re.MULTILINE)
    words = on_terminal("analyze", "gallery:longley", "-o", "HB")[0].split()
    assert {"critically", "underdamped", "eigenvalue"} <= set(words)  # no word is cut


def test_long_work_shows_how_far_it_is_on_a_terminal_and_short_work_nothing(
    on_terminal, monkeypatch
):
    _, err = on_terminal("compare", "gallery:toy")
    assert err == ""
    monkeypatch.setattr("convex_analyzer.cli.progress._PATIENCE", 0.0)
    words = ("compare", "gallery:toy", "-o", "GD:1e-5", "-o", "HB:1e-5,0.1", "--steps", "30000")
    _, err = on_terminal(*words, columns=100)
    assert re.search(r"comparing [12] of 2 optimizers, running (GradientDescent|HeavyBall)", err)
    for quiet in (("--plain",), ()):
        assert on_terminal("compare", "gallery:toy", *quiet, term="dumb")[1] == ""


def test_a_real_terminal(program):
    ours, theirs = pty.openpty()
    process = program("analyze", "gallery:toy", stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    text = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        text += chunk
    os.close(ours)
    assert process.wait(60) == 0
    assert b"\x1b[1m" in text  # the verdict is bold
    assert without_colours(text.decode()).lstrip().startswith("κ = 20")


def test_json_is_json_and_nothing_else(cli):
    for words in (
        ("analyze", "gallery:toy"),
        ("analyze", "gallery:singular", "-o", "GD"),
        ("compare", "gallery:saddle"),
        ("optimizers",),
        ("optimizers", "GD"),
        ("diagnose", "--before", "gallery:saddle", "-o", "GD:0.1"),
    ):
        code, out, err = cli(*words, "--json")
        assert code == 0
        assert err == ""
        json.loads(out, parse_constant=pytest.fail)


def test_a_closed_output_is_no_crash(program):
    process = program("analyze", "gallery:toy", preexec_fn=lambda: os.close(1), stderr=-1)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
