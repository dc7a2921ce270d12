"""How the documentation is built: `make docs`, or `sphinx-build -W docs docs/_build/html`.

The pages hold no script and fetch nothing, neither when built nor when read: formulas become
MathML here, and the theme uses the reader's own fonts.
"""

from __future__ import annotations

import re
import tomllib
import warnings
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
default_role = "py:obj"  # `name` in a docstring links to what it names, if that has an entry
nitpicky = True  # {py:func}`name` on a page has to name something that has an entry
nitpick_ignore_regex = [("py:obj", ".*"), ("py:class", ".*"), ("py:exc", ".*")]

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


def _fill(app: Any, name: str, source: list[str]) -> None:
    """Fill the pages that are made from the code: what is new there needs no line here."""
    if name in _FILLED:
        for mark, text in _FILLED[name]().items():
            if mark not in source[0]:
                raise ValueError(f"{name} has lost its place for {mark}")
            source[0] = source[0].replace(mark, text)


def _optimizers() -> dict[str, str]:
    """Return what is registered: a table, then every rule with its formulas and settings."""
    from convex_analyzer.optimizers import registered
    from convex_analyzer.reporting.catalogue import THEORIES, families

    kinds = "\n".join(f"- **{kind}**: {meaning}." for kind, meaning in THEORIES.items())
    table = ["| optimizer | what it is | state besides θ | theory |", "|---|---|---|---|"]
    parts = []
    for group in families(registered()):
        title = group.title[:1].upper() + group.title[1:]
        parts.append(f"## {title}\n\n{_prose(group.sentence)}")
        for one in group.members:
            table.append(
                f"| [{one.name}](#{one.name.lower()}) | {_cell(one.sentence)} "
                f"| {_cell(one.state)} | {one.theory.kind} |"
            )
            parts.append(_entry(one))
    return {
        "<!-- theories -->": kinds,
        "<!-- table -->": "\n".join(table),
        "<!-- optimizers -->": "\n\n".join(parts),
    }


def _entry(one: Any) -> str:
    """Return one optimizer as a section."""
    lines = [f"### {one.name}", _prose(one.sentence)]
    lines.append(_rule(one.example))
    fields = ", ".join(_setting(field) for field in one.fields)
    calls = _calls(one.example)
    facts = [
        f"Settings: {fields}." if fields else "No settings.",
        f"State besides θ: {_prose(one.state)}. Theory: {one.theory.kind}.",
        f"Source: {_prose(str(one.cls.source).rstrip('.'))}.",
        f"Class: {{py:class}}`~{one.cls.__module__}.{one.name}`.",
        *([f"The same rule elsewhere: {calls}."] if calls else []),
    ]
    return "\n\n".join([*lines, "\n".join(f"- {fact}" for fact in facts)])


def _calls(example: Any) -> str:
    """Return the equal calls of other libraries, as inline code."""
    import convex_analyzer as ca

    calls = []
    for library in ("torch", "optax", "keras"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ca.ConvexAnalyzerWarning)
            try:
                call = ca.to_library(example, library)
            except (ca.NotConvertibleError, ca.InputError):
                continue
        text = str(call)
        if "\n" not in text:
            seen = " (another point is stored)" if call.reported else ""
            calls.append(f"`{text}`{seen}")
    return "; ".join(calls)


def _setting(field: Any) -> str:
    default = f" = {field.default}" if field.default else ""
    symbol = f" ({_prose(field.symbol)})" if field.symbol not in {"", field.name} else ""
    return f"`{field.name}{default}`{symbol}"


def _rule(example: Any) -> str:
    """Return an update rule in formulas, written from `step` itself; x_t is x after step t."""
    from convex_analyzer.derivations.rule import write_rule
    from convex_analyzer.errors import NotDerivableError
    from convex_analyzer.reporting.rule_math import rule_block

    try:
        tex = rule_block(write_rule(example)).latex
    except NotDerivableError:
        import inspect
        import textwrap

        return f"```text\n{textwrap.dedent(inspect.getsource(type(example).step))}```"
    for letter, spelled in _SPELLED.items():
        tex = tex.replace(letter, spelled)
    rows = re.split(
        r"\\\\ (?=[{\\])", tex.removeprefix(r"\begin{gathered}").removesuffix(r"\end{gathered}")
    )
    return "\n\n".join(f"$$ {row.strip()} $$" for row in rows)


_SPELLED = {
    r"\mathrm{′}": r"\prime",
    "′": r"\prime",
    "−": "-",
    r"\operatorname{∇J}": r"\nabla J",
    "η": r"\eta",
}


def _commands() -> dict[str, str]:
    """Return the help of every command."""
    from click import Context, Group

    from convex_analyzer.cli import commands as program

    parts = []
    with Context(program, info_name="convex-analyzer") as root:
        for name in program.list_commands(root):
            command = program.get_command(root, name)
            assert command is not None
            with Context(command, info_name=name, parent=root) as context:
                parts.append(f"## {name}\n\n```text\n{command.get_help(context)}\n```")
                if isinstance(command, Group):
                    for below in command.list_commands(context):
                        inner = command.get_command(context, below)
                        assert inner is not None
                        with Context(inner, info_name=below, parent=context) as deeper:
                            text = inner.get_help(deeper)
                        parts.append(f"### {name} {below}\n\n```text\n{text}\n```")
    return {"<!-- commands -->": "\n\n".join(parts)}


def _notation() -> dict[str, str]:
    """Return the symbols, and the vocabulary of results."""
    from convex_analyzer.notation import DIAGNOSIS_VERDICTS, KINDS, SYMBOLS

    head = "| name in code | symbol | meaning | elsewhere |\n|---|---|---|---|"
    rows = [
        f"| `{one.name}` | {_cell(one.print)} | {_cell(one.meaning)} | "
        + _cell("; ".join(f"{source}: {letter}" for source, letter in one.elsewhere.items()))
        + " |"
        for one in SYMBOLS
    ]
    words = {"<!-- kinds -->": KINDS, "<!-- verdicts -->": DIAGNOSIS_VERDICTS}
    return {"<!-- symbols -->": "\n".join([head, *rows])} | {
        mark: "\n".join(f"- **{word}**: {_prose(meaning)}" for word, meaning in of.items())
        for mark, of in words.items()
    }


def _figures() -> dict[str, str]:
    """Return the figures."""
    from convex_analyzer import plot

    head = "| figure | of | question that it answers |\n|---|---|---|"
    rows = [f"| `{one.name}` | {_cell(one.of)} | {_cell(one.answers)} |" for one in plot.every()]
    return {"<!-- figures -->": "\n".join([head, *rows])}


_FILLED = {
    "reference/optimizers": _optimizers,
    "reference/cli": _commands,
    "reference/notation": _notation,
    "reference/figures": _figures,
}


def _prose(text: str) -> str:
    """Return text for a line, nothing in it being markup."""
    return re.sub(r"([|*_`<>\[\]$\\])", r"\\\1", text)


def _cell(text: str) -> str:
    """Return text for a cell of a table, nothing in it being markup."""
    return re.sub(r"([|*_`<>\[\]$])", r"\\\1", text)


def setup(app: Any) -> None:
    """Register the formula writer, the docstring filter and the pages made from the code."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("autodoc-process-docstring", _plain_bars)
    app.connect("source-read", _fill)
