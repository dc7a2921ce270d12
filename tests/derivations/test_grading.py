"""Marks: the exercises that come with the package, policies, strangers' answers, folders, files."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from convex_analyzer.derivations import check_derivation, grade, symbols
from convex_analyzer.derivations.answers import answer_in, derivations_in, read_text
from convex_analyzer.derivations.authoring import TEMPLATE, mutant_score, self_test
from convex_analyzer.derivations.exercises import exercise, exercise_names, load_exercise
from convex_analyzer.derivations.exercises.folders import exercise_files, find_in
from convex_analyzer.derivations.grading import mark
from convex_analyzer.derivations.marksheet import (
    gradescope,
    mark_folder,
    prairielearn,
    submissions_in,
    to_csv,
)
from convex_analyzer.derivations.worker import Worker
from convex_analyzer.errors import InputError

RIGHT = "sqrt((s/2)**2 + (4*u - s**2)/4)\nsqrt(u)\n"  # of q15
FORTY = {f"q{number}" for number in range(1, 41)}
PLAUSIBLE = """
title = "Where the sine stays below one"
points = 4
lines = ["abs(sin(x)) < 1", "cos(x)**2 > 0", "0 < 2*cos(x)**2"]
hints = 2
[symbols]
x = "real"
"""


@pytest.fixture
def made(tmp_path):
    """Return a function that writes an exercise and returns its file."""

    def write(text: str, name: str = "mine.toml"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write


# -- every exercise --------------------------------------------------------------------------------


def test_right_answers_earn_all_and_every_slip_costs_and_is_located():
    assert set(exercise_names()) >= FORTY
    for name in exercise_names():
        task = exercise(name)
        full = mark("\n".join(task.lines), name)
        assert (full.points, full.arrived) == (task.points, True), name
        assert full.checked.first_wrong is None, name
        assert len(task.slips) >= 2, name
        for slip in task.slips if name in FORTY else ():  # of all: test_judging
            lines = list(task.lines)
            lines[slip.line - 1] = slip.text
            found = mark("\n".join(lines), name)
            assert found.checked.first_wrong == slip.line, (name, slip.text)
            assert found.points < task.points, (name, slip.text)
            wrong = found.checked.lines[slip.line - 1]
            assert wrong.status == "refuted", (name, slip.text)
            assert wrong.counterexample is not None, (name, slip.text)


def test_an_answer_written_as_equations_is_a_chain():
    first = RIGHT.split("\n", maxsplit=1)[0]
    assert grade(f"{first} = sqrt(u)", "q15") == 1
    latex = r"\begin{align} \sqrt{(s/2)^2 + (4u - s^2)/4} &= 2\sqrt{u} \end{align}"
    found = mark(latex, "q15")
    assert [line.status for line in found.checked.lines] == ["proved", "refuted"]
    assert latex[found.checked.lines[1].column :].startswith(r"2\sqrt")
    # an exercise about equations keeps them whole
    assert (
        grade("\n".join(["h/(1 - 9/10) = H/(1 - 99/100)", "10*h = 100*H", "H = h/10"]), "q33") == 2
    )
    # an equation alone is a claim
    alone = check_derivation("symbols: x real\n(x + 1)**2 = x**2 + 1")
    assert [line.status for line in alone.lines] == ["given", "refuted"]


def test_what_earns_nothing_and_what_earns_half():
    first = RIGHT.split("\n", maxsplit=1)[0]
    assert grade(first, "q15") == 0  # the task itself
    assert grade("", "q15") == grade("what?\n((((", "q15") == 0
    assert grade("symbols: u = 0\nsqrt(u)", "q15") < 1  # an answer declares nothing
    assert grade(f"{first}\nsqrt(s**2/4 + u - s**2/4)", "q15") == 0.5  # true, not the form
    wrong_then_right = "l*((1 - a*l)**k*z)**2/2\nl*(1 - a*l)**k*z**2/2\nl*(1 - a*l)**(2*k)*z**2/2"
    assert grade(wrong_then_right, "q7") == 0.5  # one slip, one mark
    with pytest.raises(InputError, match="no exercise is called"):
        grade("x", "q99")


def test_writing_the_given_line_in_another_way_earns_nothing():
    for name, copies in {
        "q1": ("t - (a*A)*t", "I*(t - a*(A*t))", "-(-(t - a*(A*t)))", "((t - a*(A*t)).T).T"),
        "q7": ("1*l*(z*(1 - a*l)**k)**2/2", "2*(l*((1 - a*l)**k*z)**2/2)/2"),
        "q8": ("Abs(a*l - 1) < 1", "1 > Abs(1 - a*l)", "And(Abs(1 - a*l) < 1, 0 < 1)"),
        "q9": ("a*m - 1 = 1 - a*M", "1 - a*m - a*M + 1 = 0"),
        "q15": ("sqrt(sqrt((s/2)**2 + (4*u - s**2)/4)**2)",),
        "q18": ("p - u*p = -a*g", "And(p = u*p - a*g, 0 < 1)"),
        "q19": (r"\sum_{j=0}^{k} u^j",),
        "q36": ("p*0 + (1 - p)*x + 1 - 1",),
    }.items():
        for copy in copies:
            found = mark(copy, name)
            assert (found.points, found.arrived) == (0, False), (name, copy)
    # neither the given line nor the goal
    assert grade("x - a*l*x + u*x - u*y", "q12") == 0.5


def test_the_form_of_the_last_line_not_of_the_last_but_one():
    for name in ("q2", "q3", "q5", "q9", "q10", "q13", "q14", "q16", "q18", "q26", "q33", "w9"):
        task = exercise(name)
        found = mark("\n".join(task.lines[:-1]), name)
        assert not found.arrived, name
        assert found.share <= 0.5, name
    for early in ("a*l < 2", "1 - a*l > -1"):  # a does not stand alone
        assert mark("And(0 < a*l, a*l < 2)\n" + early, "q8").share == 0.5
    for name, answer in (  # other ways to write the goal
        ("q7", r"\frac{1}{2} l z^2 (1-a l)^{2k}"),
        ("q10", "1 - 2/(1 + K)\n-(1 - K)/(1 + K)"),
        ("q14", "a*l < 2*(1 + u)\na < (2 + 2*u)/l"),
        ("q18", "p - u*p = -a*g\np = a*g/(u - 1)"),
        ("q33", "10*h = 100*H\nh/10 = H"),
        ("q39", "(y - x)^2/4"),
        ("q39", "((x - y)/2)^2"),
        ("q8", "-2 < -a*l < 0\n0 < a*l < 2\n0 < a < 2/l"),  # 0 < a is known
        ("q40", "h*g*(d - sqrt(r))/(d**2 - r)"),
    ):
        assert mark(answer, name).share == 1, name


def test_a_chain_through_what_is_true_or_false_by_itself():
    for name, answer, empty in (
        ("q8", "|1 - a*l| < 1\n\\Rightarrow 0 < 1\n\\Leftarrow a < 2/l", 2),
        ("q8", "|1 - a*l| < 1\n\\Leftarrow 1 < 0\n\\Rightarrow a < 2/l", 2),
        ("q9", "1 - a*m = a*M - 1\n\\Rightarrow 0 = 0\n\\Leftarrow a = 2/(m + M)", 2),
        ("q26", "\\Rightarrow h < 10\n\\Leftarrow h < 1/2", 1),
    ):
        found = mark(answer, name)
        assert found.checked.first_wrong is None, answer  # each step for itself is right
        assert found.share <= 0.5, answer
        assert empty in found.flagged, answer


def test_padding_does_not_thin_a_slip_and_unjudged_lines_are_not_right():
    padding = "l*((1 - a*l)**k*z)**2/2 + k - k\n" * 8
    slip = "l*(1 - a*l)**k*z**2/2\nl*(1 - a*l)**(2*k)*z**2/2"
    assert grade(padding + slip, "q7") == grade(slip, "q7") == 0.5
    task = exercise("q8")
    again = [
        task.lines[1],
        *[task.lines[2], f"And({task.lines[2]}, 0 < 1)"] * 4,
        task.slips[-1].text,
    ]
    assert mark("\n".join([*again, task.lines[-1]]), "q8").share <= 0.75
    found = mark("1 - 2/(1 + K)\nm > 0\n(K - 1)/(K + 1)", "q10")
    lines = found.checked.lines
    assert [line.status for line in lines] == ["proved", "undecided", "proved"]
    assert [line.against for line in lines] == [None, 1, 1]  # the last that was decided
    assert found.share == pytest.approx(2 / 3, abs=1e-6)
    assert found.flagged == (2,)


def test_the_last_line_alone():
    assert grade("sqrt(u)", "q15") == 1  # there is no line between
    for answer in ("a < 2/l", "1 > Abs(1 - a*l)\na < 2/l\nAnd(a < 2/l, 0 < 1)"):
        found = mark(answer, "q8")
        assert (found.share, found.arrived) == (0.5, True)
        assert found.flagged
        assert "no steps" in found.note
        assert mark(answer, "q8", short="full").share == 1
    with pytest.raises(InputError, match="short must be one of half, full"):
        grade("x", "q8", short="all")


def test_policies_for_plausible_lines(made):
    file = made(PLAUSIBLE)
    answer = "\n".join(load_exercise(file).lines[1:])
    found = mark(answer, file)
    assert [line.status for line in found.checked.lines] == ["plausible", "proved"]
    assert found.flagged == (1,)
    assert [mark(answer, file, plausible=p).points for p in ("full", "half", "none")] == [4, 3, 2]
    with pytest.raises(InputError, match="plausible must be one of"):
        mark(answer, file, plausible="some")


# -- a process of its own --------------------------------------------------------------------------


def test_a_worker_is_stopped_and_the_next_answer_gets_a_fresh_one(made):
    file = made(PLAUSIBLE)
    with Worker() as worker:
        late = worker.mark(RIGHT, "q15", seconds=0.0)
        assert (late["status"], late["points"]) == ("timed out", 0)
        assert worker.mark("a < 2/l", "q8", short="full")["points"] == 3
        assert worker.mark("a < 2/l", "q8")["points"] == 1.5
        right = worker.mark(RIGHT, "q15")
        assert (right["status"], right["points"], right["arrived"]) == ("marked", 1, True)
        own = worker.mark("\n".join(load_exercise(file).lines), file, plausible="half")
        assert own["points"] == 3
        for bad in ("9**9**9**9**9", "__import__('os').system('x')", "(" * 9000, "\0\u202e"):
            assert worker.mark(bad, "q15")["points"] == 0
        with pytest.raises(InputError, match="no exercise"):
            worker.mark("x", "q99")


def test_a_folder_of_submissions(tmp_path):
    folder = tmp_path / "in"
    (folder / "carl").mkdir(parents=True)
    (folder / "ada.txt").write_text(RIGHT)
    (folder / "=bob.txt").write_text("2*sqrt(u)\n")
    (folder / "carl" / "hw.md").write_text(f"# Mine\n```derivation\n{RIGHT}```\n")
    (folder / "dan.pdf").write_bytes(b"%PDF\xff\xfe\x00\x81")
    (folder / "eve.txt").write_text("???\n")
    (folder / ".hidden").write_text(RIGHT)
    (folder / "link.txt").symlink_to(folder / "ada.txt")
    (folder / "out").symlink_to(tmp_path)
    told = []
    with pytest.raises(InputError, match="short must be one of half, full"):
        mark_folder(folder, exercise_files()["q15"], short="some")
    sheet = mark_folder(folder, exercise_files()["q15"], tell=told.append)
    assert sum(told) == 4
    rows = {row.name: row for row in sheet.rows}
    assert sorted(rows) == ["=bob", "ada", "carl/hw", "dan", "eve"]
    assert [rows[n].points for n in sorted(rows)] == [0, 1, 1, 0, 0]
    assert sheet.without_verdict == ("dan",)
    assert rows["=bob"].first_wrong == 1
    assert (rows["dan"].flagged, rows["eve"].flagged, rows["ada"].flagged) == ("all", "all", "")
    read = list(csv.DictReader(io.StringIO(to_csv(sheet))))
    assert [row["points"] for row in read] == ["0.0", "1.0", "1.0", "0.0", "0.0"]
    assert read[0]["name"] == "'=bob"  # no formula for a spreadsheet
    assert read[0]["first wrong line"] == "1"

    # as the platforms' documentation wants it
    plain = json.loads(json.dumps(gradescope(rows["=bob"], "q15")))
    (test,) = plain["tests"]
    assert (plain["score"], test["max_score"], test["status"]) == (0, 1, "failed")
    assert "At s = 1, u = 1" in test["output"]
    plain = prairielearn(rows["ada"])
    assert (plain["gradable"], plain["score"], plain["tests"][0]["max_points"]) == (True, 1, 1)
    unread = prairielearn(rows["eve"])
    assert unread["gradable"] is False
    assert "score" not in unread
    assert unread["format_errors"]

    for place, words in ((tmp_path / "no", "there is no"), (folder / "carl" / "hw.md", "")):
        if words:
            with pytest.raises(InputError, match=words):
                submissions_in(place)
        else:
            assert submissions_in(place)[0][0] == "hw"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no submission"):
        mark_folder(tmp_path / "empty", exercise_files()["q15"])
    with pytest.raises(InputError, match="no table of the letters"):
        mark_folder(folder, exercise_files()["q15"], notation="lecture999")


# -- files -----------------------------------------------------------------------------------------


def test_derivations_of_a_tex_file_keep_lines_and_columns():
    text = (
        "\\documentclass{article}\n% symbols: x real\nProse $x$ % \\begin{align}\n"
        "  \\begin{align*}\n    x + x &= 2x\\\\\n &= 3x\n  \\end{align*}\nand \\[ x = x \\]\n"
    )
    parts = derivations_in(text, ".tex")
    assert len(parts) == 2
    checked = check_derivation(parts[0])
    assert [(line.line, line.status) for line in checked.lines] == [
        (5, "given"),
        (5, "proved"),
        (6, "refuted"),
    ]
    for line in checked.lines[:2]:
        assert text.split("\n")[line.line - 1][line.column :].startswith(line.text)
    assert check_derivation(parts[1]).lines[-1].line == 8
    assert "symbols" not in answer_in(text, ".tex")
    assert answer_in("no block here", ".md") == "no block here"
    with pytest.raises(InputError, match="no block fenced"):
        derivations_in("# Notes", ".md")


def test_files_that_are_no_text(tmp_path):
    file = tmp_path / "x.txt"
    for data, words in (
        (b"\xff\x81\x81", "not text in UTF-8"),
        (b"a\0b", "zero bytes"),
        (b" \n", "is empty"),
        (b"a" * 1_000_001, "larger than"),
    ):
        file.write_bytes(data)
        with pytest.raises(InputError, match=words):
            read_text(file)
    file.write_bytes("\ufeffα\r\n".encode("utf-16"))
    assert read_text(file).endswith("α\n")
    for place in (tmp_path, tmp_path / "none", "a\0b"):
        with pytest.raises(InputError):
            read_text(place)


def test_a_toml_file_that_is_no_exercise(made):
    good = PLAUSIBLE.strip()
    for text, words in (
        ("title = ", "not a TOML file"),
        ("a = 1", "is missing"),
        (good.replace("points = 4", "points = 'x'"), "points must be a number"),
        (good.replace("points = 4", "points = nan"), "points must be a number"),
        (good.replace("hints = 2", "hints = 9"), "hints must be"),
        (good.replace("hints = 2", "constraints = 3"), "are texts"),
        (good.replace("hints = 2", "slips = 3"), "slips must be"),
        (good.replace('x = "real"', "x = 1"), "are texts"),
        (good.replace('x = "real"', 'x = "large"'), "cannot be 'large'"),
        (good.replace("cos(x)**2 > 0", "cos(y)**2 > 0"), "line 2 cannot be read"),
    ):
        file = made(text)
        with pytest.raises(InputError, match=words):
            find_in(str(file))
    with pytest.raises(InputError, match="no such file"):
        load_exercise(file.with_name("none.toml"))


def test_own_folders_come_first_and_are_named_when_missing(made, tmp_path):
    made(PLAUSIBLE, "q15.toml")
    made(PLAUSIBLE, "mine.toml")
    files = exercise_files([tmp_path])
    assert files["q15"].parent == tmp_path
    assert "mine" in files
    assert find_in("mine", [tmp_path]).hints == 2
    with pytest.raises(InputError, match="no folder"):
        exercise_files([tmp_path / "none"])
    with pytest.raises(InputError, match="did you mean mine"):
        find_in("mime", [tmp_path])


# -- writing exercises -----------------------------------------------------------------------------


def test_a_self_test_names_the_line_that_fails(made):
    assert self_test(load_exercise(made(TEMPLATE))).passes
    wrong = self_test(load_exercise(made(TEMPLATE.replace("(k + 1)*z", "(k + 2)*z"))))
    assert wrong.failures[0].startswith("Line 2 does not follow from line 1. At a = ")
    harmless = TEMPLATE.replace('"(1 - a*l)**(2*k)*z"', '"z*(1 - a*l)**(1 + k)"')
    wrong = self_test(load_exercise(made(harmless)))
    assert wrong.failures == (
        "Slip 1 (exponents multiplied) is not refuted for line 2: it is proved.",
    )
    loose = self_test(load_exercise(made(PLAUSIBLE)))
    assert loose.passes
    assert any("plausible" in remark for remark in loose.remarks)


def test_mutants_that_pass_unnoticed_are_named(made):
    tight = mutant_score(exercise("q21"))
    assert tight.refuted >= 8
    assert tight.unnoticed == ()
    assert tight.share == 1
    loose = mutant_score(load_exercise(made(PLAUSIBLE)), most=12)
    assert any(m.line == 2 and m.status == "plausible" for m in loose.unnoticed)
    assert loose.tried == loose.refuted + loose.valid + len(loose.unnoticed)
    assert 0 <= loose.share < 1


def test_symbols_and_lazy_names():
    assert symbols("a > 0", k="natural").names == ("a", "k")
    with pytest.raises(InputError):
        symbols(3)
    code = "import sys, convex_analyzer.derivations as d; print('sympy' in sys.modules, dir(d))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.startswith("False")
    assert "check_code" in out.stdout


def test_what_the_worker_answers_is_what_mark_says(monkeypatch, capfd):
    """The process itself, in this one: question in, one line of JSON out."""
    from convex_analyzer.derivations import worker

    right = "l*((1 - a*l)**k*z)**2/2\nl*(1 - a*l)**(2*k)*z**2/2"
    question = {"answer": right, "task": "q7", "plausible": "full", "short": "half"}
    question |= {"notation": "", "level": 2}
    lines = [json.dumps(question), json.dumps({**question, "task": "q0"})]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    monkeypatch.setattr(worker, "_limit", lambda memory: None)
    first, second = os.dup(1), os.dup(2)
    try:
        worker.serve(2**31)
    finally:
        os.dup2(first, 1)
        os.dup2(second, 2)
        os.close(first)
        os.close(second)
    ready, marked, refused = capfd.readouterr().out.splitlines()
    assert ready == "ready"
    assert json.loads(marked)["points"] == mark(right, "q7").points
    assert "q0" in json.loads(refused)["error"]
