"""The documentation tells the truth: its code runs, and prints what is shown.

Blocks of one page run top to bottom in one namespace and one folder, which holds nothing but the
example data. An ``output`` block is what the ``python`` block above it prints; each ``$`` line of a
``console`` block must succeed.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import each

from convex_analyzer.cli import run

pytestmark = pytest.mark.survey

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SETS_UP = {"make demo", "make test"}  # they install what they need first: .ci/run does both
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> Iterator[tuple[str, str, int]]:
    """Yield language, text and line number of each fenced block."""
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        yield match[1], match[2], text.count("\n", 0, match.start(2))


def run_command(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command line here; that the program starts as a process is tested elsewhere."""
    program, *arguments = shlex.split(line, comments=True)
    if f"{program} {' '.join(arguments)}" in SETS_UP:
        return
    assert program == "convex-analyzer"
    capsys.readouterr()
    code = run(arguments)
    shown = capsys.readouterr()
    assert code == 0, f"$ {line}\n{shown.out}{shown.err}"
    assert shown.out.strip(), f"$ {line}\nprints nothing"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_runs_and_prints_what_it_shows(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=lambda *_: ["__pycache__"])
    module = types.ModuleType(f"page_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # as for a class in a real module
    printed = ""
    for language, text, line in blocks(page):
        if language == "python":
            code = compile("\n" * line + text, str(page), "exec", dont_inherit=True)
            exec(code, vars(module))
            printed = capsys.readouterr().out
        elif language == "output":
            assert printed == text, f"{page.name}, line {line}"
        elif language == "console":
            for command in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
                run_command(command, capsys)


def test_commands_in_the_readmes_sentences_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {" ".join(command.split()) for command in re.findall(r"`(convex-a[^`]*)`", text)}
    assert commands
    for command in commands - {"convex-analyzer demo"}:  # that is what `make demo` ends with
        run_command(command, capsys)


@each(
    "page",
    [*PAGES, ROOT / "examples" / "README.md"],
    ids=lambda page: f"{page.parent.name}-{page.stem}",
)
def test_what_a_page_links_to_is_there(page):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    for target in targets:
        assert "://" in target or (page.parent / target).exists(), target


def test_pages_are_not_empty_of_code():
    counts = {page.stem: [language for language, *_ in blocks(page)] for page in PAGES}
    assert {"CONTRIBUTING", "README", "howto", "index", "theory", "tutorial"} <= {
        page for page, languages in counts.items() if "python" in languages
    }
    assert counts["howto"].count("console") >= 2
    assert counts["README"].count("console") >= 2
    assert counts["README"].count("output") >= 4


def test_the_diff_in_contributing_is_an_optimizer_that_passes(monkeypatch):
    from convex_analyzer.testing import check_optimizer

    (diff,) = (text for language, text, _ in blocks(PAGES[0]) if language == "diff")
    touched = set(re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE))
    assert touched == {"convex_analyzer/optimizers/nesterov.py"}
    after = [line[1:] for line in diff.splitlines() if re.match(r"[ +](?!\+\+)", line)]
    module = types.ModuleType("contributed")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile("\n".join(after), "CONTRIBUTING.md", "exec", dont_inherit=True), vars(module))
    check_optimizer(module.NesterovRewritten)


def test_the_diff_in_contributing_is_what_was_added():
    """Line by line and in order; lines may be left out, but none is made up."""
    (diff,) = (text for language, text, _ in blocks(PAGES[0]) if language == "diff")
    (path,) = re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE)
    lines = iter((ROOT / path).read_text(encoding="utf-8").splitlines())
    for added in (line[1:] for line in diff.splitlines() if re.match(r"\+(?!\+\+)", line)):
        assert any(line == added for line in lines), added
