"""Derivations as pages: numbered, machine-checked lines; alone, or of the rules compared."""

from __future__ import annotations

import re

from convex_analyzer.comparison import Comparison
from convex_analyzer.derivations.derive import derive
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.reporting.document import (
    Block,
    Chip,
    CodeBlock,
    Column,
    DerivationLine,
    DerivationLines,
    Document,
    Heading,
    Kind,
    Note,
    Paragraph,
    Table,
    Title,
)
from convex_analyzer.reporting.recap_page import versions
from convex_analyzer.reporting.typst_math import math_block

__all__ = ["derivation_blocks", "derivation_document", "derivation_lines"]

_KINDS: dict[str, Kind] = {
    "given": "info",
    "proved": "ok",
    "plausible": "warn",
    "undecided": "warn",
    "refuted": "bad",
}


def derivation_blocks(comparison: Comparison) -> list[Block]:
    """Return the derivation of each rule in the comparison, once per class."""
    blocks: list[Block] = [
        Heading("Derivation"),
        Paragraph(
            "Every line is built from the update rule itself, run on symbols, and checked by a "
            "computation of its own; what is printed are the objects that were checked."
        ),
    ]
    number, common = 1, None
    closed: dict[str, list[str]] = {}
    for rule in dict.fromkeys(type(entry.optimizer) for entry in comparison.entries):
        try:
            derivation = derive(rule)
        except NotDerivableError as error:
            reason = _why_not(rule.__name__, str(error))
            closed.setdefault(reason, []).append(rule.__name__)
            continue
        blocks.append(Heading(rule.__name__, level=2))
        lines = derivation_lines(derivation)
        if common is None:
            common = lines[0]
        else:  # the first line is about the problem: it need not be said twice
            lines = lines[1:]
        blocks.append(DerivationLines(lines, start=number))
        number += len(lines)
        if derivation.stopped:
            blocks.append(Note(derivation.stopped))
    if closed:
        columns = (Column("rule", width=0.3), Column("why", width=0.7))
        caption = "Rules without a closed form; they are simulated, and nothing is derived."
        rows = [(", ".join(names), reason) for reason, names in closed.items()]
        blocks += [Heading("Not linear", level=2), Table(columns, rows, caption=caption)]
    return blocks


def _why_not(name: str, reason: str) -> str:
    """Return why a rule has no closed form, without its name and the places in its code."""
    said = _without_places(reason.partition(". It can be")[0]).removeprefix(name).strip()
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def _without_places(text: str) -> str:
    """Return a text without its " (line 3 of step: ...)", which may hold brackets of their own."""
    place = re.search(r" \(line \d+ of step: ", text)
    if place is None:
        return text
    depth, end = 0, len(text)
    for index in range(place.start() + 1, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            end = index + 1
            break
    return text[: place.start()] + _without_places(text[end:])


def derivation_document(
    derivation: Derivation, level: str = "brief", command: str | None = None
) -> Document:
    """Return a derivation as a document.

    Parameters
    ----------
    derivation
        What `derive` returned.
    level
        Makes no difference: every line is printed.
    command
        The command that reproduces it, where there is one.
    """
    blocks: list[Block] = [
        Title(derivation.title, (f"{len(derivation.lines)} lines",)),
        DerivationLines(derivation_lines(derivation)),
    ]
    blocks += [Note(derivation.stopped)] if derivation.stopped else []
    blocks += [Heading("Reproduction"), CodeBlock(command)] if command else []
    blocks.append(Note(f"Made with {versions()}. Verdicts of lines. {_verdicts()}."))
    return Document(derivation.title, blocks, footer="convex_analyzer")


def _verdicts() -> str:
    return (
        "proved: an exact computation of its own; refuted: a counterexample; plausible: neither; "
        "undecided: the budget ended"
    )


def derivation_lines(derivation: Derivation) -> list[DerivationLine]:
    """Return the lines of a derivation as they stand in a document."""
    return [
        DerivationLine(
            title=line.title,
            reason=line.reason,
            math=math_block(line.statement),
            check=line.check,
            status=_chip(line.verdict),
        )
        for line in derivation.lines
    ]


def _chip(verdict: str) -> Chip:
    return Chip(_KINDS[verdict], verdict)
