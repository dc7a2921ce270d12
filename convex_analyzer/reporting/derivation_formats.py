"""Derivations as text, Markdown, LaTeX, Typst and HTML, all with the same lines.

Each format stands alone: LaTeX compiles with amsmath and amssymb, Typst needs no package, HTML
shows its MathML in any browser without a script.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable
from pathlib import Path

from convex_analyzer.derivations.lines import Derivation, Line
from convex_analyzer.errors import InputError
from convex_analyzer.files import write_bytes
from convex_analyzer.reporting.derivation_page import derivation_document
from convex_analyzer.reporting.latex_math import to_latex, to_plain
from convex_analyzer.reporting.math_style import GREEK, typst_quote
from convex_analyzer.reporting.mathml import to_mathml
from convex_analyzer.reporting.typst_math import to_typst

__all__ = ["FORMATS", "format_of", "print_derivation", "write_derivation"]

_WIDTH = 96
_SUFFIXES = {
    ".txt": "text", ".md": "markdown", ".tex": "latex", ".typ": "typst", ".html": "html",
    ".htm": "html",
}  # fmt: skip
_MARKS = {"given": "·", "proved": "✓", "plausible": "≈", "undecided": "?", "refuted": "✗"}


def print_derivation(derivation: Derivation, notation: str = "text") -> str:
    """Return a derivation in one of the `FORMATS`.

    Raises
    ------
    InputError
        There is no such format.

    Examples
    --------
    >>> from convex_analyzer.derivations.derive import derive
    >>> print(print_derivation(derive("terminal_velocity", "GradientDescent")))
    GradientDescent on a plane
    ==========================
    <BLANKLINE>
    1  the rule: the gradient is g everywhere
       θ[k + 1] = θ[k] - α·g
       ✓ proved: normal form of the difference is 0; equal at 6 exact points
    <BLANKLINE>
    2  terminal step: the step of θ at the steady memory
       Δ = -α·g
       ✓ proved: normal form of the difference is 0; equal at 6 exact points
    """
    if notation not in FORMATS:
        raise InputError(
            f"a derivation is printed as {', '.join(FORMATS)}, got {notation!r}",
            argument="notation",
        )
    return FORMATS[notation](derivation)


def format_of(path: str | Path) -> str:
    """Return the format that the suffix of a file stands for.

    Raises
    ------
    InputError
        The suffix stands for none.

    Examples
    --------
    >>> format_of("rule.tex")
    'latex'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise InputError(
            f"cannot tell the format of {str(path)!r}: the suffix must be one of "
            f"{', '.join(_SUFFIXES)}",
            argument="path",
        )
    return _SUFFIXES[suffix]


def write_derivation(derivation: Derivation, path: str | Path, notation: str | None = None) -> Path:
    """Write a derivation to a file, in the format of its suffix unless another is named."""
    text = print_derivation(derivation, notation or format_of(path))
    return write_bytes(path, f"{text}\n".encode())


# -- text ----------------------------------------------------------------------------------------


def _text(derivation: Derivation) -> str:
    parts = [f"{derivation.title}\n{'=' * len(derivation.title)}"]
    room = len(str(len(derivation.lines))) + 2
    for number, line in enumerate(derivation.lines, 1):
        check = f": {line.check}" if line.check else ""
        pieces = (
            _wrapped(f"{line.title}: {line.reason}", f"{number}".ljust(room), room),
            f"{' ' * room}{to_plain(line.statement)}",
            _wrapped(f"{_MARKS[line.verdict]} {line.verdict}{check}", " " * room, room),
        )
        parts.append("\n".join(pieces))
    if derivation.stopped:
        parts.append(textwrap.fill(derivation.stopped, _WIDTH))
    return "\n\n".join(parts)


def _wrapped(text: str, first: str, room: int) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=" " * room)


def _markdown(derivation: Derivation) -> str:
    from convex_analyzer.reporting.markdown import to_markdown

    return to_markdown(derivation_document(derivation)).rstrip("\n")


# -- LaTeX ---------------------------------------------------------------------------------------

_TO_MATH = {
    **{letter: f"\\{name}" for name, letter in GREEK.items() if name != "omicron"},
    "−": "-", "≤": r"\le", "≥": r"\ge", "≪": r"\ll", "·": r"\cdot", "×": r"\times",
    "∇": r"\nabla", "∈": r"\in", "√": r"\surd", "½": r"\tfrac12", "→": r"\to", "←": r"\leftarrow",
    "²": "^2", "³": "^3", "ᵏ": "^k", "ᵗ": "^t", "ᵀ": r"^\top", "⁻": "^-", "¹": "^1", "₀": "_0",
    "₁": "_1", "₂": "_2", "ᵢ": "_i", "ε": r"\varepsilon", "′": "'", "…": r"\dots", "Σ": r"\Sigma",
    "≈": r"\approx", "±": r"\pm", "⇔": r"\Leftrightarrow", "✓": r"\checkmark",
}  # fmt: skip
_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def _latex_words(text: str) -> str:
    out = []
    for letter in text:
        if letter in _TO_MATH:
            inside = _TO_MATH[letter]
            out.append(f"${'{}' if inside[0] in '^_' else ''}{inside}$")
        elif letter in "{}$&#%_":
            out.append(f"\\{letter}")
        else:
            out.append(_SPECIAL.get(letter, letter))
    return "".join(out)


def _latex(derivation: Derivation) -> str:
    head = (
        "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n"
        "\\usepackage{amsmath,amssymb}\n\\begin{document}\n"
        f"\\section*{{{_latex_words(derivation.title)}}}\n\\begin{{enumerate}}"
    )
    items = [
        f"\\item \\textbf{{{_latex_words(line.title)}}}: {_latex_words(line.reason)}\n"
        f"  \\[ {to_latex(line.statement)} \\]\n"
        f"  {{\\small {_latex_words(_verdict(line))}}}"
        for line in derivation.lines
    ]
    tail = "\\end{enumerate}"
    if derivation.stopped:
        tail += f"\n{_latex_words(derivation.stopped)}"
    return "\n".join([head, *items, tail, "\\end{document}"])


def _verdict(line: Line) -> str:
    return f"{line.verdict}: {line.check}" if line.check else line.verdict


# -- Typst and HTML --------------------------------------------------------------------------------


def _typst(derivation: Derivation) -> str:
    parts = [f"#heading({typst_quote(derivation.title)})"]
    for number, line in enumerate(derivation.lines, 1):
        parts.append(
            f"{number}. #strong({typst_quote(line.title)}): #text({typst_quote(line.reason)})\n"
            f"  $ {to_typst(line.statement)} $\n"
            f"  #text(size: 0.8em, {typst_quote(_verdict(line))})"
        )
    if derivation.stopped:
        parts.append(f"#emph({typst_quote(derivation.stopped)})")
    return "\n\n".join(parts)


_STYLE = (
    "body{font-family:sans-serif;max-width:46em;margin:2em auto;padding:0 1em;line-height:1.4}"
    "li{margin:1em 0}math{font-size:1.15em;margin:.5em 0}.check{font-size:.85em;color:#555}"
    ".refuted{color:#a00}"
)


def _html(derivation: Derivation) -> str:
    title = html.escape(derivation.title)
    items = "\n".join(
        f"<li><b>{html.escape(line.title)}</b>: {html.escape(line.reason)}"
        f"{to_mathml(line.statement)}"
        f'<div class="check {line.verdict}">{_MARKS[line.verdict]} '
        f"{html.escape(_verdict(line))}</div></li>"
        for line in derivation.lines
    )
    stopped = f"\n<p>{html.escape(derivation.stopped)}</p>" if derivation.stopped else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n<ol>\n{items}\n</ol>{stopped}\n"
        "</body></html>"
    )


FORMATS: dict[str, Callable[[Derivation], str]] = {
    "text": _text,
    "latex": _latex,
    "typst": _typst,
    "html": _html,
    "markdown": _markdown,
}
