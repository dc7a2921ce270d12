"""Documents as one HTML file that loads nothing: formulas are MathML, pictures inline SVG.

The page works from a disk, without a network and without scripts; with them, code and formulas can
be copied by a button. It carries no date: the same document gives the same bytes everywhere. Its
security policy forbids every request, so that not even a faulty label could make one. It can be
read as XML, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from convex_analyzer.errors import InputError
from convex_analyzer.files import StrPath, write_bytes
from convex_analyzer.reporting.document import Document, Title
from convex_analyzer.reporting.html_blocks import BlockWriter
from convex_analyzer.reporting.html_page import asset, page_head, scripts_of
from convex_analyzer.reporting.html_text import escape

__all__ = ["render_html", "write_html"]

_SET_AS_MATH = re.compile("<math|[⁰-₌←-⇿∀-⋿]")  # Libertinus Serif has no such signs
_RUN = '<div class="said" role="status"></div>\n<script>{}</script>\n'
_DEEP = ' class="deep"'
_FEW = 3  # headings that need no table of contents


def render_html(document: Document, *, scripts: bool = True) -> str:
    """Lay out a document as one HTML page that needs nothing else.

    Parameters
    ----------
    document
        What to lay out.
    scripts
        Whether it has buttons that copy code and formulas; without, no script at all can run.

    Raises
    ------
    InputError
        When a formula or a picture cannot be read, or an embedded page loads a script.

    Examples
    --------
    >>> from convex_analyzer.reporting.document import Heading, Paragraph
    >>> page = render_html(Document("Toy", (Heading("Rate"), Paragraph("a < b"))))
    >>> page[page.index("<h2") : page.index("</main>")].splitlines()
    ['<h2 id="s-rate">Rate</h2>', '<p>a &lt; b</p>']
    """
    if not isinstance(document, Document):
        got = f"got an object of type {type(document).__name__}"
        raise InputError(f"render_html: document must be a Document, {got}", argument="document")
    writer = BlockWriter(buttons=scripts)
    parts = [writer.block(block) for block in document.blocks]
    if not any(isinstance(block, Title) for block in document.blocks):
        parts.insert(0, f'<div class="title">\n<h1>{escape(document.title)}</h1>\n</div>')
    body = "\n".join(filter(None, parts))
    own = [asset("page.js")] if scripts else []
    inner = [text for page in writer.embedded for text in scripts_of(page)] if scripts else []
    allowed = tuple(dict.fromkeys([*own, *inner]))
    formulas = bool(_SET_AS_MATH.search(body))
    head = page_head(document.title, formulas=formulas, scripts=allowed)
    contents = _contents(writer.contents)
    footer = f"\n<footer><p>{escape(document.footer)}</p></footer>" if document.footer else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{document.language}">\n{head}\n<body>\n'
        '<a class="skip" href="#main">Skip to the text</a>\n'
        f'<div class="page{" with-toc" if contents else ""}">\n{contents}'
        f'<main id="main" tabindex="-1">\n{body}\n</main>{footer}\n</div>\n'
        f"{''.join(map(_RUN.format, own))}</body>\n</html>\n"
    )


def write_html(
    document: Document, path: StrPath, *, inputs: Iterable[StrPath] = ()
) -> tuple[Path, ...]:
    """Write :func:`render_html` to a file; returns the paths written.

    Parameters
    ----------
    document
        What to write.
    path, inputs
        As for :func:`~convex_analyzer.files.write_bytes`.
    """
    return (write_bytes(path, render_html(document).encode("utf-8"), inputs=inputs),)


def _contents(places: list[tuple[int, str, str]]) -> str:
    """Return the table of contents: sections, and what is directly below them."""
    shown = [place for place in places if place[0] <= 2]
    if len(shown) < _FEW:
        return ""
    lines = "\n".join(
        f'<li{_DEEP if level > 1 else ""}><a href="#{place}">{escape(title)}</a></li>'
        for level, place, title in shown
    )
    inside = f"<p>Contents</p>\n<ol>\n{lines}\n</ol>"
    return f'<nav class="toc" aria-label="Contents">\n{inside}\n</nav>\n'
