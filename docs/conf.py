"""How the documentation is built: `make docs`, or `sphinx-build -W docs docs/_build/html`.

The pages hold no script and fetch nothing, neither when built nor when read: formulas become
MathML here, and the theme uses the reader's own fonts.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from docutils.nodes import Element, SkipNode
from docutils.utils.math import latex2mathml

metadata = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]

project = "convex_analyzer"
author = project_copyright = "convex_analyzer contributors"
release = version = metadata["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"convex_analyzer {version}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["style.css"]
default_role = "py:obj"  # `name` in a docstring links to what it names

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the signature would repeat the parameter list
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
html_math_renderer = "mathml"

_LITERAL = re.compile(r"(``.*?``)")


def _plain_bars(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Let |x| in a docstring be an absolute value, not reStructuredText's substitution."""
    for index, line in enumerate(lines):
        parts = _LITERAL.split(line)
        parts[::2] = [part.replace("|", "\\|") for part in parts[::2]]
        if not line.lstrip().startswith((">>>", "...")):
            lines[index] = "".join(parts)


def _mathml(node: Element, *, block: bool) -> str:
    tex = node.astext()
    if re.search(r"\\[td]?frac\d", tex):
        raise ValueError(rf"write \frac{{1}}{{2}} with braces, or it is misread, in: {tex}")
    return latex2mathml.tex2mathml(tex, as_block=block)


def _inline(translator: Any, node: Element) -> None:
    translator.body.append(_mathml(node, block=False))
    raise SkipNode


def _block(translator: Any, node: Element) -> None:
    translator.body.append(_mathml(node, block=True))
    raise SkipNode


def _list_optimizers(app: Any, name: str, source: list[str]) -> None:
    """Fill the page of optimizers with what is registered: a new one needs no line there."""
    if name != "optimizers":
        return
    from convex_analyzer.optimizers import registered
    from convex_analyzer.reporting.catalogue import THEORIES, families

    groups = families(registered())
    kinds = "\n".join(f"- **{kind}**: {meaning}." for kind, meaning in THEORIES.items())
    parts = []
    for group in groups:
        title = group.title[:1].upper() + group.title[1:]
        rows = [
            f"| {{py:obj}}`{one.name} <{one.cls.__module__}.{one.name}>` | {_cell(one.sentence)} "
            f"| {_cell(one.state)} | {one.theory.kind} | {_cell(one.cls.source)} |"
            for one in group.members
        ]
        head = (
            "| optimizer | what it is | state besides θ | theory | source |\n|---|---|---|---|---|"
        )
        parts.append("\n".join([f"## {title}\n\n{group.sentence}\n", head, *rows]))
    text = source[0].replace("<!-- theories -->", kinds)
    source[0] = text.replace("<!-- optimizers -->", "\n\n".join(parts))


def _cell(text: str) -> str:
    """Return text for a cell of a table, nothing in it being markup."""
    return re.sub(r"([|*_`<>\[\]$])", r"\\\1", text)


def setup(app: Any) -> None:
    """Register the formula writer, the docstring filter and the list of optimizers."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("autodoc-process-docstring", _plain_bars)
    app.connect("source-read", _list_optimizers)
