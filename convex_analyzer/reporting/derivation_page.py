"""The derivation page: numbered, machine-checked lines for the rules that were compared."""

from __future__ import annotations

from convex_analyzer.comparison import Comparison
from convex_analyzer.derivations.derive import derive
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.reporting.document import (
    Block,
    Chip,
    DerivationLine,
    DerivationLines,
    Heading,
    Kind,
    Note,
    Paragraph,
)
from convex_analyzer.reporting.typst_math import math_block

__all__ = ["derivation_blocks", "derivation_lines"]

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
    for rule in dict.fromkeys(type(entry.optimizer) for entry in comparison.entries):
        blocks.append(Heading(rule.__name__, level=2))
        try:
            derivation = derive(rule)
        except NotDerivableError as error:
            blocks.append(Note(f"{error}."))
            continue
        lines = derivation_lines(derivation)
        if common is None:
            common = lines[0]
        else:  # the first line is about the problem: it need not be said twice
            lines = lines[1:]
        blocks.append(DerivationLines(lines, start=number))
        number += len(lines)
        if derivation.stopped:
            blocks.append(Note(derivation.stopped))
    return blocks


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
