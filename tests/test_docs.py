"""The documentation tells the truth: its code runs, and prints what is shown.

Blocks of one page run top to bottom in one namespace and one folder, which holds nothing but the
example data. An ``output`` block is what the ``python`` block above it prints; each ``$`` line of a
``console`` block must succeed. A picture of a tutorial is written by a block of its page: after a
change of the figures ``python tests/test_docs.py`` runs the tutorials and saves their pictures.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import shlex
import shutil
import sys
import tempfile
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import each

from convex_analyzer.cli import run

pytestmark = pytest.mark.survey

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "CONTRIBUTING.md",
    ROOT / "README.md",
    *(page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts),
]
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
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
    for picture in pictures(page):
        assert (tmp_path / picture).exists(), f"{page.name} shows {picture}, and does not draw it"


def pictures(page: Path) -> list[str]:
    """Return the names of the pictures that a tutorial shows."""
    if page.parent.name != "tutorials":
        return []
    return re.findall(r"\]\(\.\./images/(.*?)\)", page.read_text(encoding="utf-8"))


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
    counts = {page: [language for language, *_ in blocks(page)] for page in PAGES}
    assert {"CONTRIBUTING", "README", "index", "dynamics"} <= {
        page.stem for page, languages in counts.items() if "python" in languages
    }
    for page, languages in counts.items():
        if page.parent.name in {"tutorials", "howto"}:
            assert languages.count("python") >= 3, page
            assert "output" in languages, page
    readme = counts[ROOT / "README.md"]
    assert readme.count("console") >= 2
    assert readme.count("output") >= 4


def found(name: str) -> object:
    """Return what a dotted name stands for."""
    parts = name.split(".")
    for place in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:place]))
        except ModuleNotFoundError:
            continue
        for part in parts[place:]:
            value = getattr(value, part)
        return value
    raise AttributeError(name)


def test_every_formula_names_what_computes_it_and_no_function_that_states_one_is_missing():
    text = (DOCS / "theory" / "formulas.md").read_text(encoding="utf-8")
    named = re.findall(r"\{py:\w+\}`(?:[^`<]*<)?~?([\w.]+)>?`", text)
    objects = [found(name) for name in named]
    assert len(named) > 80
    rows = [row for row in text.splitlines() if row.startswith("| ") and "---" not in row]
    kinds = {row.split(" | ")[1] for row in rows if not row.startswith("| formula")}
    assert {re.split(r"[, ]", kind)[0] for kind in kinds} <= {
        *("exact", "asymptotic", "heuristic", "numerical", "bracketed", "as")
    }
    for row in rows[1:]:
        assert row.startswith("| formula") or "{py:" in row, row
        assert row.split(" | ")[-1].removesuffix(" |").strip(), row  # a source
    theory = importlib.import_module("convex_analyzer.theory")
    missing = []
    for info in pkgutil.walk_packages(theory.__path__, "convex_analyzer.theory."):
        module = importlib.import_module(info.name)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            mine = getattr(value, "__module__", "") == info.name and inspect.isfunction(value)
            if mine and ">>>" in (value.__doc__ or "") and value not in objects:
                missing.append(f"{info.name}.{name}")
    # what they return is a whole analysis, or text
    named_elsewhere = {"analysis.analyze", "region_words.printed", "region_words.range_words"}
    named_elsewhere |= {"wording.intervals_text"}
    assert {name.removeprefix("convex_analyzer.theory.") for name in missing} <= named_elsewhere


def test_every_public_name_is_in_the_reference():
    import convex_analyzer as ca

    entries: set[str] = set()
    for page in sorted((DOCS / "reference").glob("*.md")):
        where = "convex_analyzer"
        for kind, name in re.findall(
            r"^\.\. (\w+):: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE
        ):
            if kind == "currentmodule":
                where = name
            elif kind in {"autofunction", "autoclass", "autoexception"}:
                entries.add(name.rpartition(".")[2])
                found(name if name.startswith("convex_analyzer.") else f"{where}.{name}")
            elif kind == "automodule":
                module = importlib.import_module(name)
                entries |= {name.rpartition(".")[2], *getattr(module, "__all__", ())}
    assert set(ca.__all__) - entries <= {"optimizers"}
    derivations = importlib.import_module("convex_analyzer.derivations")
    for module in (ca.plot, ca.testing, ca.schedules, derivations):
        assert set(module.__all__) <= entries, module.__name__


def test_the_layers_of_the_design_page_are_those_that_the_linter_checks():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (checked,) = (one["layers"] for one in contracts["contracts"] if one["id"] == "layers")
    text = (DOCS / "design.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n(cli .*?)```", text, re.DOTALL)
    assert [" ".join(layer.split()) for layer in re.split(r"\s+>\s+", shown)] == checked[1:]


def test_the_script_that_the_pytorch_page_shows_is_the_example():
    (shown,) = (text for kind, text, _ in blocks(DOCS / "tutorials" / "pytorch.md") if kind == "py")
    script = (ROOT / "examples" / "pytorch" / "train.py").read_text(encoding="utf-8")
    assert script.partition('"""\n\n')[2] == shown


def test_the_landing_page_reaches_every_page():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in PAGES:
        if DOCS in page.parents and page != DOCS / "index.md":
            name = page.relative_to(DOCS).with_suffix("").as_posix()
            assert f"\n{name}\n" in text, f"{name} is in no list of contents"


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


def save_pictures() -> None:
    """Run the tutorials that show pictures, and keep what they draw."""
    for page in PAGES:
        names = pictures(page)
        if not names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            shutil.copytree(ROOT / "examples", Path(folder) / "examples")
            space: dict[str, object] = {"__name__": "__main__"}
            for language, text, _ in blocks(page):
                if language == "python":
                    exec(compile(text, str(page), "exec", dont_inherit=True), space)
            for name in names:
                shutil.copy(name, DOCS / "images" / name)
            os.chdir(ROOT)


if __name__ == "__main__":
    save_pictures()
