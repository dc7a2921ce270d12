"""The report on any other result: its own table, and what made it."""

from __future__ import annotations

import re

from convex_analyzer.notation import legend
from convex_analyzer.reporting.document import (
    Block,
    CodeBlock,
    Column,
    Document,
    Heading,
    Note,
    Paragraph,
    Table,
    Title,
)
from convex_analyzer.reporting.recap_page import versions
from convex_analyzer.results import Result
from convex_analyzer.tables import Table as TextTable

__all__ = ["plain_document", "table_block"]


def plain_document(result: Result, level: str = "brief", command: str | None = None) -> Document:
    """Return a page with the table of a result.

    Parameters
    ----------
    result
        Anything that the package returned.
    level
        Makes no difference: there is one page.
    command
        The command that reproduces it, where there is one.
    """
    table = result.summary()
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(result).__name__).capitalize()
    title = table.title or name
    blocks: list[Block] = [Title(title, (name,) if title != name else ())]
    blocks += [table_block(table), *(Paragraph(note) for note in table.notes if note.strip())]
    blocks.append(Heading("Reproduction"))
    blocks += [CodeBlock(command)] if command else []
    blocks.append(Note(f"Made with {versions()}. Kinds of numbers. {legend()}."))
    return Document(title, blocks, footer="convex_analyzer")


def table_block(table: TextTable, caption: str = "") -> Table:
    """Return a table of the terminal as a table of a document."""
    columns = [
        Column(header or " ", "left" if i < table.left else "right")
        for i, header in enumerate(table.columns)
    ]
    return Table(columns, [[str(cell) for cell in row] for row in table.rows], caption=caption)
