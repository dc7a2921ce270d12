"""The repository's own promises: what ships, what is imported when, what is written where."""

from __future__ import annotations

import ast
import functools
import pkgutil
import re
import subprocess
import sys
import tomllib
import types
from importlib.metadata import version
from pathlib import Path

import pytest
from cases import each

import convex_analyzer

pytestmark = pytest.mark.survey

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "convex_analyzer"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"numpy", "scipy", "sympy", "matplotlib", "typst", "rich"}


def tracked_text() -> dict[str, str]:
    """Return every file under version control that is text, by path."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    texts = {}
    for name in listed.stdout.decode().split("\0")[:-1]:
        path = ROOT / name
        data = path.read_bytes() if path.is_file() else b""
        if b"\0" not in data:
            texts[name] = data.decode("utf-8")
    return texts


def loaded_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after running code."""
    program = f"import sys\n{code}\nprint('LOADED', *{{m.partition('.')[0] for m in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("LOADED"))
    return set(line.split()[1:])


# -- what ships ------------------------------------------------------------------------------


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    (cited,) = re.findall(r"^version: (.+)$", citation, re.MULTILINE)
    assert PROJECT["version"] == cited == convex_analyzer.__version__
    assert version("convex-analyzer") == PROJECT["version"]


def test_type_marker_and_data_are_inside_the_package():
    assert (PACKAGE / "py.typed").is_file()
    assert list((PACKAGE / "data").glob("*.csv")), "the demo's data set is missing"


def test_nothing_in_the_package_is_hidden_from_the_wheel():
    """What git ignores, the wheel leaves out."""
    command = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "convex_analyzer"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    ignored = [name for name in listed.stdout.splitlines() if "__pycache__" not in name]
    assert ignored == []


def test_locks_pin_every_declared_dependency():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["report"]]
    everything = declared + [
        entry
        for group in groups["dependency-groups"].values()
        for entry in group
        if isinstance(entry, str)
    ]
    for lock, wanted in (("report.txt", declared), ("ci.txt", everything)):
        text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
        pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
        names = {re.match(r"[a-z0-9-]+", entry)[0] for entry in wanted}
        assert names <= pinned, f"run make lock: {lock} lacks {names - pinned}"


# -- what is imported when -------------------------------------------------------------------


def test_importing_the_package_is_light():
    assert loaded_after("import convex_analyzer").isdisjoint(HEAVY)


def test_help_is_light():
    code = """
from convex_analyzer.cli import main
sys.argv = ["convex-analyzer", "--help"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""
    assert loaded_after(code).isdisjoint(HEAVY - {"rich"})


@each("library", sorted(HEAVY - {"numpy"}))
def test_no_module_imports_a_heavy_library_at_its_top(library):
    """Functions import what they use; so neither an import nor --help waits for it."""
    assert [path for path, names in imported_at_top().items() if library in names] == []


@functools.cache
def imported_at_top() -> dict[str, set[str]]:
    """Return what each module imports at its top: first parts of names on lines not indented."""
    found = {}
    for path in MODULES:
        lines = re.findall(
            r"^(?:import|from) +(.+)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        names = {re.match(r"\w*", part)[0] for line in lines for part in line.split(", ")}
        found[str(path.relative_to(ROOT))] = names
    assert any("numpy" in names for names in found.values())
    return found


# -- the public names ------------------------------------------------------------------------


def test_all_is_sorted_and_complete():
    names = convex_analyzer.__all__
    # as the linter sorts: names in capitals first, then classes, then functions
    key = {n: (not n.isupper(), not n[0].isupper(), n) for n in names}
    assert list(names) == sorted(key, key=key.__getitem__)
    public = [name for name in dir(convex_analyzer) if not name.startswith("_")]
    assert public == sorted(name for name in names if not name.startswith("_"))
    for name in names:
        assert getattr(convex_analyzer, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = convex_analyzer.no_such_name


def test_no_function_is_named_like_a_submodule():
    """With lazy imports, a second ca.name() would find the module instead."""
    submodules = {info.name for info in pkgutil.iter_modules(convex_analyzer.__path__)}
    for name in submodules & set(convex_analyzer.__all__):
        assert isinstance(getattr(convex_analyzer, name), types.ModuleType), name


# -- what is written where -------------------------------------------------------------------


@each("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_is_short(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400, "split it by meaning"


@each("path", sorted((PACKAGE / "optimizers").glob("*.py")), ids=lambda p: p.stem)
def test_step_is_plain_arithmetic(path):
    """The same `step` runs on arrays, linear forms and symbols, so it must not name NumPy."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == "step":
            names = {leaf.id for leaf in ast.walk(node) if isinstance(leaf, ast.Name)}
            assert names.isdisjoint({"np", "numpy", "math", "random", "time"}), path.name


def test_no_file_names_a_machine_or_a_registry():
    """Written in pieces, so that this file does not find itself."""
    folders = "|".join(["work", "root", "tmp", "farm"])
    hosts = "|".join(["py" + r"pi\.", "python" + "hosted", "conda" + r"\.", "npm" + r"js\."])
    forbidden = re.compile(rf"(?<![\w.~])/(?:{folders})/|\b(?:{hosts})", re.IGNORECASE)
    found = {
        name: match[0] for name, text in tracked_text().items() if (match := forbidden.search(text))
    }
    assert found == {}
