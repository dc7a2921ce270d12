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


def setup(app: Any) -> None:
    """Register the formula writer and the docstring filter."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("autodoc-process-docstring", _plain_bars)
