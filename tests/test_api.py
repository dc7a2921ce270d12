"""The public names: what a type checker is told is what one gets."""

from __future__ import annotations

import ast
import inspect
import re
import types
from pathlib import Path

from cases import each

import convex_analyzer as ca

SOURCE = Path(ca.__file__)


def told_to_type_checkers() -> dict[str, str]:
    """Return name -> module of what the TYPE_CHECKING block imports."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.asname == alias.name, "without `as` mypy takes it for private"
            found[alias.name] = str(node.module)
    return found


def test_type_checkers_are_told_the_truth():
    homes = {name: home.rpartition(".")[0] for name, home in ca._MODULES.items()} | ca._HOMES
    assert told_to_type_checkers() == homes
    assert sorted(homes) == sorted(ca.__all__)


@each("name", ca.__all__)
def test_every_name_is_what_it_says_and_is_documented(name):
    value = getattr(ca, name)
    if name in ca._MODULES:
        assert isinstance(value, types.ModuleType)
    else:
        assert value.__name__ == name
        assert value.__module__ == ca._HOMES[name]
    assert inspect.getdoc(value)
    assert vars(ca)[name] is value, "the second time it is a plain attribute"


def test_dir_lists_the_public_names_and_no_others():
    assert [name for name in dir(ca) if not name.startswith("_")] == sorted(ca.__all__)


def test_the_docstring_names_only_what_exists():
    words = set(re.findall(r"\bca\.(\w+)", ca.__doc__))
    assert {"analyze", "compare", "load", "report", "simulate", "spectrum"} <= words
    assert words <= set(ca.__all__)
    assert len(ca.__doc__.splitlines()) <= 30, "one screen"
