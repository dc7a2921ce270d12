"""Derivations as text, Markdown, LaTeX, Typst and HTML, all with the same lines.

Each format stands alone: LaTeX compiles with amsmath and amssymb, Typst needs no package, HTML
shows its MathML in any browser without a script.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

from convex_analyzer.derivations.lines import Derivation, Line
from convex_analyzer.errors import InputError
from convex_analyzer.files import StrPath, StrPaths, write_bytes
from convex_analyzer.parsing.latex_math import to_latex, to_plain
from convex_analyzer.parsing.math_style import typst_quote
from convex_analyzer.reporting.derivation_page import derivation_document
from convex_analyzer.reporting.latex_text import latex_words
from convex_analyzer.reporting.typst_math import to_typst

__all__ = ["FORMATS", "SUFFIXES", "format_of", "print_derivation", "write_derivation"]

_WIDTH = 96
_SUFFIXES = {
    ".txt": "text", ".md": "markdown", ".tex": "latex", ".typ": "typst", ".html": "html",
    ".htm": "html",
}  # fmt: skip
SUFFIXES = tuple(_SUFFIXES)
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


def format_of(path: StrPath) -> str:
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


def write_derivation(
    derivation: Derivation, path: StrPath, notation: str | None = None, *, inputs: StrPaths = ()
) -> tuple[Path, ...]:
    """Write a derivation to a file, in the format of its suffix unless another is named.

    Parameters
    ----------
    derivation
        What to write.
    path, inputs
        As for :func:`~convex_analyzer.files.write_bytes`.
    notation
        One of the `FORMATS`.
    """
    text = print_derivation(derivation, notation or format_of(path))
    return (write_bytes(path, f"{text}\n".encode(), inputs=inputs),)


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


def _latex(derivation: Derivation) -> str:
    head = (
        "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n"
        "\\usepackage{amsmath,amssymb}\n\\begin{document}\n"
        f"\\section*{{{latex_words(derivation.title)}}}\n\\begin{{enumerate}}"
    )
    items = [
        f"\\item \\textbf{{{latex_words(line.title)}}}: {latex_words(line.reason)}\n"
        f"  \\[ {to_latex(line.statement)} \\]\n"
        f"  {{\\small {latex_words(_verdict(line))}}}"
        for line in derivation.lines
    ]
    tail = "\\end{enumerate}"
    if derivation.stopped:
        tail += f"\n{latex_words(derivation.stopped)}"
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


def _html(derivation: Derivation) -> str:
    from convex_analyzer.reporting.html import render_html

    return render_html(derivation_document(derivation), scripts=False).rstrip("\n")


FORMATS: dict[str, Callable[[Derivation], str]] = {
    "text": _text,
    "latex": _latex,
    "typst": _typst,
    "html": _html,
    "markdown": _markdown,
}
