"""The report on a gradient check: the verdict, the V of the difference quotients, the blocks."""

from __future__ import annotations

import dataclasses

from convex_analyzer.problems.gradient_check import GradientCheck
from convex_analyzer.reporting.document import (
    Block,
    Card,
    Cards,
    CodeBlock,
    Document,
    Heading,
    Kind,
    Note,
    Title,
)
from convex_analyzer.reporting.figures import drawn
from convex_analyzer.reporting.plain_page import table_block
from convex_analyzer.reporting.recap_page import versions

__all__ = ["check_document"]

_WIDTH = 0.55  # of the text, for a picture that is nearly square
_KINDS: dict[str, Kind] = {"correct": "ok", "suspicious": "warn", "wrong": "bad"}


def check_document(
    check: GradientCheck, level: str = "brief", command: str | None = None
) -> Document:
    """Return the report on a gradient check as a document.

    Parameters
    ----------
    check
        What `check_gradient` returned.
    level
        Makes no difference: there is one page.
    command
        The command that reproduces it; a Python call is shown when left out.
    """
    title = f"Gradient check: {check.verdict}"
    table = check.summary()
    verdict = f"{check.verdict[0].upper()}{check.verdict[1:]}."
    blocks: list[Block] = [
        Title(title, (f"d = {check.dimension:,}", f"{check.evaluations:,} values of the function")),
        Cards((Card(_KINDS.get(check.verdict, "info"), verdict, check.words),)),
        Heading("Difference quotients against the gradient"),
        dataclasses.replace(drawn("gradient_errors", check), width=_WIDTH),
        Heading("Block by block"),
        table_block(table),
        *(Note(note) for note in table.notes if note.strip() and note != check.words),
        Heading("Reproduction"),
        CodeBlock(command or "ca.report(ca.check_gradient(loss, gradient, at=theta), path)"),
        Note(f"Made with {versions()}."),
    ]
    return Document(title, blocks, footer="convex_analyzer")
