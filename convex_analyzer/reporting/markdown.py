r"""Documents as Markdown, for pasting into issues and notebooks.

CommonMark with tables, and math between dollar signs, as GitHub and Jupyter show it. Labels come
out literally: whatever could be read as markup is escaped. Pictures are left out, their words stay;
long tables are folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from convex_analyzer.files import StrPath, write_bytes
from convex_analyzer.reporting.document import (
    KIND_SYMBOLS,
    Block,
    Bold,
    Cards,
    Cell,
    Chip,
    Code,
    CodeBlock,
    DerivationLines,
    Document,
    Embed,
    Figure,
    FigureRow,
    Heading,
    KeyValues,
    Math,
    MathSpan,
    Note,
    Paragraph,
    RichText,
    Span,
    Table,
    Title,
)

__all__ = ["to_markdown", "write_markdown"]

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#$@|~&]")
_LIKE_A_LIST = re.compile(r"^(?:[-+=]|\d+[.)](?=\s|$))", re.MULTILINE)
_MANY = 20  # rows; a longer table is folded, where the reader shows it so
_ALIGNMENT = {"left": ":---", "right": "---:", "center": ":---:"}


def to_markdown(document: Document) -> str:
    r"""Write a document as Markdown text.

    Examples
    --------
    >>> from convex_analyzer.reporting.document import Heading, Paragraph
    >>> print(to_markdown(Document("Toy", (Heading("Rate"), Paragraph("column a_b is *raw*")))))
    ## Rate
    <BLANKLINE>
    column a\_b is \*raw\*
    <BLANKLINE>
    """
    writer = _Writer()
    parts = [part for block in document.blocks if (part := writer.block(block))]
    if document.footer:
        parts += ["---", _text(document.footer)]
    return "\n\n".join(parts) + "\n"


def write_markdown(
    document: Document, path: StrPath, *, inputs: Iterable[StrPath] = ()
) -> tuple[Path, ...]:
    """Write :func:`to_markdown` to a file; returns the paths written.

    Parameters
    ----------
    document
        What to write.
    path, inputs
        As for :func:`~convex_analyzer.files.write_bytes`.
    """
    return (write_bytes(path, to_markdown(document).encode("utf-8"), inputs=inputs),)


class _Writer:
    """One method per block; figures and tables are numbered as on the printed page."""

    def __init__(self) -> None:
        self.figures = 0
        self.tables = 0

    def block(self, block: Block) -> str:
        method: Any = getattr(self, f"_{type(block).__name__.lower()}")
        return str(method(block))

    def _title(self, block: Title) -> str:
        facts = " · ".join(_line(part) for part in block.subtitle)
        return f"# {_line(block.text)}" + (f"\n\n{facts}" if facts else "")

    def _heading(self, block: Heading) -> str:
        return f"{'#' * (block.level + 1)} {_line(block.text)}"

    def _paragraph(self, block: Paragraph | Note) -> str:
        return _text(block.text)

    _note = _paragraph

    def _codeblock(self, block: CodeBlock) -> str:
        fence = "`" * max(3, _longest_run(block.text) + 1)
        return f"{fence}\n{block.text}\n{fence}"

    def _cards(self, block: Cards) -> str:
        quotes = []
        for card in block.cards:
            text = f"{KIND_SYMBOLS[card.kind]} {_bold(_line(card.title))} {_text(card.text)}"
            quotes.append("> " + text.replace("\n", "\n> "))
        return "\n\n".join(quotes)

    def _table(self, block: Table) -> str:
        rows = [[column.header for column in block.columns], *block.rows]
        lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
        lines.insert(1, f"| {' | '.join(_ALIGNMENT[column.align] for column in block.columns)} |")
        parts = ["\n".join(lines)]
        name = ""
        if block.caption:
            self.tables += 1
            name = f"Table {self.tables}"
            parts.insert(0, f"**{name}.** {_text(block.caption)}")
        if len(block.rows) > _MANY:
            summary = f"{name or 'Table'}: {len(block.rows)} rows"
            parts[-1] = f"<details>\n<summary>{summary}</summary>\n\n{parts[-1]}\n\n</details>"
        if block.note:
            parts.append(_text(block.note))
        return "\n\n".join(parts)

    def _keyvalues(self, block: KeyValues) -> str:
        return "\n".join(f"- {_bold(_line(name))}: {_line(value)}" for name, value in block.items)

    def _figure(self, block: Figure) -> str:
        self.figures += 1
        return f"**Figure {self.figures}.** {_text(block.caption)}  \n{_text(f'({block.alt})')}"

    def _figurerow(self, block: FigureRow) -> str:
        return "\n\n".join(self._figure(figure) for figure in block.figures)

    def _math(self, block: Math) -> str:
        return f"$$\n{block.latex}\n$$"

    def _derivationlines(self, block: DerivationLines) -> str:
        parts = []
        for number, line in enumerate(block.lines, block.start):
            reason = f" — {_line(line.reason)}" if line.reason else ""
            parts.append(f"{_bold(f'{number}. {_line(line.title)}')}{reason}")
            parts.append(self._math(line.math))
            check = f": {_line(line.check)}" if line.check else ""
            parts.append(f"{_chip(line.status)}{check}")
        return "\n\n".join(parts)

    def _embed(self, block: Embed) -> str:
        return _text(block.fallback)

    def _pagebreak(self, _: Block) -> str:
        return ""


# -- rich text -------------------------------------------------------------------------------------


def _text(text: RichText) -> str:
    """Text that may take several lines, none of which begins as a list or a rule would."""
    lines = "".join(_span(span) for span in _spans(text)).split("\n")
    whole = "\n".join(line.strip() for line in lines)
    return _LIKE_A_LIST.sub(lambda m: f"{m[0][:-1]}\\{m[0][-1]}", whole).replace("\n", "  \n")


def _line(text: RichText) -> str:
    """Text on one line."""
    return "".join(_span(span) for span in _spans(text)).replace("\n", " ").strip()


def _cell(cell: Cell) -> str:
    """Text between two bars: a bar of its own would end the cell, even inside code."""
    if isinstance(cell, Chip):
        return _chip(cell)
    parts = [_span(span, in_table=True) for span in _spans(cell)]
    return "".join(parts).replace("\n", " ").strip()


def _chip(chip: Chip) -> str:
    return f"{KIND_SYMBOLS[chip.kind]} {_escape(chip.text)}"


def _spans(text: RichText) -> Sequence[Span]:
    return (text,) if isinstance(text, str | Bold | Code | MathSpan) else text


def _span(span: Span, *, in_table: bool = False) -> str:
    if isinstance(span, Bold):
        return _bold(_escape(span.text))
    if isinstance(span, Code):
        return _code(span.text.replace("|", r"\|") if in_table else span.text)
    if isinstance(span, MathSpan):
        bars = span.latex.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        return f"${(bars if in_table else span.latex).strip()}$"
    return _escape(span)


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)


def _bold(markdown: str) -> str:
    """Set the words in bold and leave the spaces around them outside, as Markdown demands."""
    words = markdown.strip()
    if not words:
        return markdown
    start = markdown.index(words)
    before, after = markdown[:start], markdown[start + len(words) :]
    return f"{before}**{words}**{after}"


def _code(text: str) -> str:
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else ""


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
