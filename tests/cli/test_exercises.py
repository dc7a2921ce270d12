"""check and exercises: screens, exit codes, notations, worksheets, marks, bad input."""

from __future__ import annotations

import html.parser
import io
import json
import re
import sys
import xml.dom.minidom
from pathlib import Path

import click
import pytest

from convex_analyzer.cli import derivation_screen
from convex_analyzer.derivations.exercises import exercise, exercise_names, load_exercise
from convex_analyzer.reporting.document import Heading, PageBreak
from convex_analyzer.reporting.typst import page_fill
from convex_analyzer.reporting.worksheet import worksheet_markdown, worksheet_text
from convex_analyzer.reporting.worksheet_html import worksheet_html
from convex_analyzer.reporting.worksheet_pages import _shared as shared
from convex_analyzer.reporting.worksheet_pages import worksheet_pages

STEPS = "l*((1 - a*l)**k*z)**2/2\nl*(1 - a*l)**(2*k)*z**2/2\nl*(1 - a*l)**k*z**2/2\n"
NAMES = "a, l > 0; k natural; z real"


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return a function that writes a file into an empty current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(click, "get_app_dir", lambda name: str(tmp_path / "settings"))

    def write(name: str, text: str) -> str:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text, encoding="utf-8")
        return name

    return write


# -- check -----------------------------------------------------------------------------------------


def test_a_wrong_line_on_the_screen(cli, written, monkeypatch):
    code, out, _ = cli("check", written("s.txt", STEPS), "--symbols", NAMES)
    assert code == 1
    lines = out.splitlines()
    assert lines[0].startswith("line 1 · l*((1")
    assert lines[1].startswith("line 2 ✓ ")
    assert "proved" in lines[1]
    said = " ".join(line.strip() for line in lines[2:4])
    assert said.startswith("line 3 ✗ does not follow from line 2.  At a = 1, l = ")
    assert said.endswith("Column 12.")
    assert lines[4].strip() == STEPS.splitlines()[2]
    assert lines[5].index("^") == 9 + 11  # under the exponent, which is column 12
    assert lines[-1] == "1 of 2 steps proved, 1 does not follow; the first is line 3."
    assert max(map(len, lines)) <= 100
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, cli("check", "s.txt", "--symbols", NAMES).out.splitlines())) <= 80
    repaired = cli("check", "s.txt", "--symbols", NAMES, "--hint", "4").out
    assert "l*(1 - a*l)**(2*k)*z**2/2 would follow" in " ".join(repaired.split())
    data = json.loads(cli("check", "s.txt", "--symbols", NAMES, "--json").out)
    wrong = data["derivations"][0]["lines"][2]
    assert (wrong["status"], wrong["edit_column"]) == ("refuted", 12)
    hidden = json.loads(cli("check", "s.txt", "--symbols", NAMES, "--json", "--hint", "1").out)
    assert hidden["derivations"][0]["lines"][2]["counterexample"] is None


def test_a_report_on_a_derivation(cli, written):
    text = "symbols: x real\nx + x\n3*x\n"
    written("r.md", f"```derivation\n{text}```\n")
    found = cli("check", "r.md", "--report", "out.md")
    assert (found.code, found.out.splitlines()[-1]) == (1, "wrote out.md")
    report = Path("out.md").read_text(encoding="utf-8")
    assert "**Line 2** does not follow from line 1. At x = 1:" in report
    assert "would follow" not in report
    assert "convex-analyzer check r.md --report out.md" in report
    cli("check", "r.md", "--report", "out.md", "--hint", "4")
    assert "would follow" in Path("out.md").read_text(encoding="utf-8")
    assert "r.md" in cli("check", "r.md", "--report", "r.md").err
    written("two.md", f"```derivation\n{text}```\n\n```derivation\n{text}```\n")
    both = cli("check", "two.md", "--report", "out.pdf")
    assert (both.code, "--report is for one derivation" in both.err) == (2, True)


def test_repairs_are_searched_for_the_first_wrong_lines_only(cli, written):
    many = "\n".join(f"{n}*x**2 + {n - 1}" for n in range(1, 21))
    written("m.txt", f"symbols: x real\n{many}\n")
    lines = json.loads(cli("check", "m.txt", "--json", "--hint", "4").out)["derivations"][0][
        "lines"
    ]
    wrong = [line for line in lines if line["status"] == "refuted"]
    assert len(wrong) == 19
    assert all("At x = " in line["hint"] for line in wrong)
    assert ["edit" in line["hint"] or "Column" in line["hint"] for line in wrong] == (
        [True] * 10 + [False] * 9
    )


def test_exit_codes(cli, written):
    for text, code in (
        ("symbols: x real\nx + x\n2*x\n", 0),
        ("symbols: x real\nx + x\n3*x\n", 1),
        ("symbols: x real\nx + x\ny\n", 2),
        ("symbols: x real\nx + x\ny\n3*x\n", 1),  # refuted counts before unreadable
        ("symbols: x real\ngiven: x**2 < 0\n1/x\n2/x\n", 3),  # no point to try
    ):
        found = cli("check", written("c.txt", text))
        assert (found.code, found.err) == (code, ""), found
    found = cli("check", written("c.txt", "x + x\n2*x\n"))
    assert found.code == 2
    assert '--symbols "x real", or a first line symbols: x real' in found.out


def test_all_derivations_of_a_file(cli, written):
    text = "# N\n```derivation\nsymbols: x real\nx + x\n2*x\n```\n\n```derivation\nx\n```\n"
    found = cli("check", written("n.md", text))
    assert found.code == 2  # the second block declares nothing
    assert "n.md, derivation 1, from line 4" in found.out
    assert "n.md, derivation 2, from line 9" in found.out
    same = cli("exercises", "check", "n.md", "--json")
    assert [len(d["lines"]) for d in json.loads(same.out)["derivations"]] == [2, 1]


def test_letters_of_a_terminal_without_them(monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    fit = derivation_screen.fit
    assert fit("line 3 ✗ At α = 1, λ = −2: √x₁ ≤ ½, Aᵀ, Λ") == (
        "line 3 x At alpha = 1, lambda = -2: sqrtx1 <= 1/2, A^T, lambda"
    )
    signs = [derivation_screen.sign_of(status) for status in derivation_screen.SIGNS]
    assert "".join(signs).isascii()
    assert len(set(signs)) == len(signs)
    assert {len(sign) for sign in signs} == {2}
    monkeypatch.undo()
    assert (fit("α"), derivation_screen.sign_of("proved")) == ("α", "✓")


def test_another_notation_is_offered_and_remembered_when_asked(cli, written, tmp_path):
    text = "symbols: alpha > 0; mu in (0, 1); g real\nalpha*g - epsilon*g\ng*(alpha - epsilon)\n"
    file = written("n.txt", text)
    settings = tmp_path / "settings" / "settings.json"
    offered = cli("check", file)
    assert offered.code == 2
    assert "--notation lecture004 reads it so" in offered.out
    assert cli("check", file, "--notation", "lecture004").code == 0
    assert not settings.exists()  # not without being asked
    assert cli("check", file, "--notation", "lecture004", "--remember").code == 0
    again = cli("check", file)
    assert (again.code, again.err) == (
        0,
        "note: read in the letters of lecture004, as remembered\n",
    )
    assert cli("check", file, "--notation", "own").code == 2
    settings.write_text("[1")
    assert "cannot be used" in cli("check", file).err
    assert cli("check", file, "--notation", "own", "--remember").code == 2
    assert not settings.exists()
    assert "name it with --notation" in cli("check", file, "--remember").err


# -- exercises -------------------------------------------------------------------------------------


def test_list_has_every_exercise_with_its_points(cli, written):
    found = cli("exercises", "list")
    assert found.code == 0
    for name in exercise_names():
        assert f"\n  {name:<3}  " in found.out
    for heading in ("Lecture 000 (Lelarge, dataflowr Module 4)  (", "Lecture 003 (Banburski)  ("):
        assert heading in found.out
    written("own/mine.toml", 'title = "T"\nlines = ["x + x", "2*x"]\n[symbols]\nx = "real"\n')
    data = json.loads(cli("exercises", "list", "--exercises", "own", "--json").out)
    assert len(data["exercises"]) == len(exercise_names()) + 1
    assert data["exercises"][-1]["name"] == "mine"


def test_own_folders_come_from_the_environment(cli, written, monkeypatch):
    written("own/mine.toml", 'title = "T"\nlines = ["x + x", "2*x"]\n[symbols]\nx = "real"\n')
    monkeypatch.setenv("CONVEX_ANALYZER_EXERCISES", "own")
    assert "x + x" in cli("exercises", "show", "mine").out
    assert cli("exercises", "check", "mine", written("a.txt", "x + x\n2*x\n")).code == 0


class _Balanced(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_no_worksheet_has_an_answer_in_it_and_solutions_have_all():
    tasks = [exercise(name) for name in exercise_names()]
    long = [t for t in tasks if len(t.lines[-1]) > 6 and t.lines[-1] not in t.given]
    assert len(long) > 30
    for make in (worksheet_text, worksheet_markdown, worksheet_html):
        for task in tasks:
            sheet = html.unescape(make([task])).replace("<wbr/>", "")
            assert task.given in sheet
            assert task not in long or task.lines[-1] not in sheet, task.name
            telling = [s.text for s in task.slips if len(s.text) > 6 and s.text not in task.given]
            assert not any(text in sheet for text in telling), task.name
    some = [exercise(name) for name in ("q1", "q13", "q15", "q26", "q33")]
    for make in (worksheet_text, worksheet_markdown, worksheet_html):
        sheet = html.unescape(make(some, solutions=True)).replace("<wbr/>", "")
        for task in some:
            assert all(line in sheet for line in task.lines)
            assert all(slip.text in sheet for slip in task.slips)
        assert "At s = 1, u = 1: line 1 gives 1, the slip gives 2." in sheet


def test_a_web_page_needs_nothing_else_and_takes_hostile_words(written, cli):
    lines = 'title = "<script>x</script>"\nlines = ["x < 1", "2*x < 2"]\n[symbols]\nx = "real"\n'
    written("x.toml", lines + '[[slips]]\nline = 2\ntext = "x < 2"\nname = "<b>"\n')
    for extra in ((), ("--solutions",)):
        found = cli("exercises", "show", "x.toml", "q13", "--as", "html", *extra)
        assert found.code == 0
        page = _Balanced()
        page.feed(found.out)
        assert page.open == []
        assert not {"script", "link", "img"} & set(page.tags)
        assert "<script" not in found.out
        assert "http:" not in found.out
        assert "https:" not in found.out
        assert "script-src 'none'" in found.out
        formulas = re.findall("<math.*?</math>", found.out)
        assert len(formulas) >= 2
        for formula in formulas:
            xml.dom.minidom.parseString(formula)


def test_worksheets_are_written_as_files(cli, written, tmp_path):
    found = cli("exercises", "show", "q1", "q15", "--out", "sheet.pdf", "--title", "Week 3")
    assert (found.code, found.out) == (0, "wrote sheet.pdf\n")
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert cli("exercises", "show", "q15", "--solutions", "--out", "s.pdf").code == 0
    assert cli("exercises", "show", "q15", "--as", "md", "--out", "q.md").code == 0
    assert (tmp_path / "q.md").read_text(encoding="utf-8").startswith("# Worksheet: Modulus")
    data = json.loads(cli("exercises", "show", "q15", "--json").out)["exercises"][0]
    assert data["given"].startswith("sqrt(")
    assert "lines" not in data


def test_pages_of_a_worksheet_are_full_and_cut_no_task(written):
    names = ("q1", "q2", "q5", "q9", "q19")
    sheet = worksheet_pages([exercise(name) for name in names])
    breaks = [i for i, block in enumerate(sheet.blocks) if isinstance(block, PageBreak)]
    fills = page_fill(sheet)
    assert len(fills) == len(breaks) + 1 == 2  # Typst breaks where it was meant, only there
    assert fills[0] > 0.93
    assert all(isinstance(sheet.blocks[i + 1], Heading) for i in breaks)
    assert shared([0.55, 0.3, 0.3, 0.2], 1.0)[0] == [[0, 1], [2, 3]]
    pages, free = shared([0.45, 0.2, 0.5, 0.9], 0.2)  # a third of a page for a half: it goes on
    assert pages == [[0, 1, 2, 3]]  # and so does the last
    assert shared([0.45, 0.3, 0.5], 0.2)[0] == [[0, 1, 2]]
    assert shared([0.45, 0.4, 0.5], 0.2)[0] == [[0, 1], [2]]  # too little is free
    assert 0 < free[-1] < 1
    lines = ", ".join(['"x + x"', *['"2*x"'] * 40])
    file = written("x.toml", f'title = "T"\nlines = [{lines}]\n[symbols]\nx = "real"\n')
    long = worksheet_pages([load_exercise(file)])  # longer than a page: as it comes
    assert not any(isinstance(block, PageBreak) for block in long.blocks)


def test_check_and_hint_of_an_answer(cli, written):
    given = exercise("q15").given
    cases = (
        (f"{given}\nsqrt(u)\n", 0, "1 of 1 points: arrived."),
        ("2*sqrt(u)\n", 1, "0 of 1 points: line 1 does not follow."),
        ("???\n", 2, "0 of 1 points"),
        (f"{given}\nsqrt(s**2/4 + u - s**2/4)\n", 3, "not brought to the form"),
        ("symbols: u = 0\nsqrt(u)\n", 2, "cannot be read"),
    )
    for text, code, words in cases:
        found = cli("exercises", "check", "q15", written("a.txt", text))
        assert found.code == code, found
        assert words in found.out
        assert cli("exercises", "hint", "q15", "a.txt").code == code
    written("a.txt", "2*sqrt(u)\n")
    hints = [cli("exercises", "hint", "q15", "a.txt", "--level", str(n)).out for n in (1, 2, 3, 4)]
    assert hints[0] == "Line 1 does not follow from what is given.  (hint 1 of 4)\n"
    assert "gives 2" in hints[1]
    assert "Distill" in hints[2]
    assert "sqrt(u) would follow" in hints[3]
    capped = cli("exercises", "hint", "q15", "a.txt", "--level", "4", "--most", "2").out
    assert capped.replace("hint 2 of 2", "hint 2 of 4").startswith(hints[1].strip())
    assert capped.endswith("More than hint 2 is not given here.\n")


def test_an_exercise_caps_its_hints(cli, written):
    written("x.toml", 'title = "T"\nlines = ["x + x", "2*x"]\nhints = 1\n[symbols]\nx = "real"\n')
    written("a.txt", "3*x\n")
    for words in (("check", "x.toml", "a.txt", "--hint", "4"), ("hint", "x.toml", "a.txt",
                  "--level", "3"), ("check", "x.toml", "a.txt", "--json")):  # fmt: skip
        found = cli("exercises", *words)
        assert found.code == 1
        assert "At x" not in found.out
        assert '"before"' not in found.out
        assert "does not follow" in found.out


def test_grade_a_folder(cli, written, tmp_path):
    written("in/ada.txt", "sqrt(u)\n")
    written("in/bob.txt", "2*sqrt(u)\n")
    found = cli("exercises", "grade", "q15", "in", "--out", "marks.csv")
    assert found.code == 0
    assert "2 answers, 0.5 of 1 points on average" in found.out
    assert (tmp_path / "marks.csv").read_text().splitlines() == [
        "name,points,of,arrived,first wrong line,flagged,note",
        "ada,1.0,1.0,yes,,,arrived",
        "bob,0.0,1.0,no,1,,line 1 does not follow",
    ]
    assert cli("exercises", "grade", "q15", "in", "--format", "gradescope", "--out", "g").code == 0
    assert json.loads((tmp_path / "g" / "ada.json").read_text())["score"] == 1
    words = ("grade", "q15", "in/bob.txt", "--seconds", "1e-9", "--format", "prairielearn")
    late = cli("exercises", *words)
    assert late.code == 3
    assert json.loads(late.out)["gradable"] is False  # no attempt is lost


def test_new_writes_a_template_tests_it_and_never_overwrites(cli, written, tmp_path):
    first = cli("exercises", "new", "mine.toml")
    assert first.code == 0
    assert "mine is sound" in first.out
    text = (tmp_path / "mine.toml").read_text(encoding="utf-8")
    assert cli("exercises", "mutants", "mine.toml", "--most", "20").code == 0
    broken = text.replace("(k + 1)*z", "(k + 2)*z")
    written("mine.toml", broken)
    second = cli("exercises", "new", "mine.toml")
    assert second.code == 1
    assert "Line 2 does not follow from line 1. At a = " in second.out
    assert (tmp_path / "mine.toml").read_text(encoding="utf-8") == broken
    assert json.loads(cli("exercises", "new", "mine.toml", "--json").out)["passes"] is False


def test_bad_input_is_one_sentence(refused, written, tmp_path):
    written("a.txt", "sqrt(u)\n")
    written("in/a.txt", "sqrt(u)\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "b.txt").write_bytes(b"\xff\x81\x00")
    (tmp_path / "huge.txt").write_bytes(b"x + " * 300_000)
    written("no.toml", "a = 1\n")
    for words, said in (
        ("check none.txt", "no such file"),
        ("check empty", "directory"),
        ("check b.txt", "not text"),
        ("check huge.txt", "larger than"),
        ("check a.txt --symbols ???", "???"),
        ("check a.txt --notation lecture999", "no table of the letters"),
        ("exercises show q99", "did you mean q9?"),
        ("exercises show no.toml", "is missing"),
        ("exercises show q15 --out x.docx", "suffix"),
        ("exercises check q15", "name the exercise and the file"),
        ("exercises check q15 none.txt", "no such file"),
        ("exercises grade q15 none", "there is no file or folder"),
        ("exercises grade q15 empty", "holds no submission"),
        ("exercises grade q15 in --out x.doc", "say --format"),
        ("exercises grade q15 in --out no/x.csv", "there is no folder"),
        ("exercises grade q15 in --format gradescope", "say --out FOLDER"),
        ("exercises grade q15 in --format gradescope --out in/r", "among the submissions"),
        ("exercises grade q15 in --seconds 0", "seconds must be"),
        ("exercises list --exercises empty", "has no exercise"),
        ("exercises new a.txt", "is a .toml file"),
        ("exercises new none/a.toml", "there is no folder"),
        ("exercises mutants no.toml", "is missing"),
        ("exercises frobnicate", "No such command"),
    ):
        assert said in refused(*words.split()), words
