"""The report on a derivation that a person wrote: which line is wrong, why, and every line."""

from __future__ import annotations

from collections import Counter

from convex_analyzer.derivations.judging.lines import CheckedDerivation, CheckedLine
from convex_analyzer.reporting.document import (
    Block,
    Card,
    Cards,
    Chip,
    Code,
    CodeBlock,
    Column,
    Document,
    Heading,
    Kind,
    Note,
    Table,
    Title,
)
from convex_analyzer.reporting.recap_page import versions

__all__ = ["checked_document"]

_KINDS: dict[str, Kind] = {
    "given": "info", "proved": "ok", "recovers": "ok", "plausible": "warn", "undecided": "warn",
    "refuted": "bad", "unreadable": "bad",
}  # fmt: skip
_LEVEL = 3  # where, numbers, and the kind of slip: the repair is left to the reader
_MOST = 8  # lines that are named above the table


def checked_document(
    checked: CheckedDerivation, level: str = "brief", command: str | None = None
) -> Document:
    """Return the report on a person's derivation as a document.

    Parameters
    ----------
    checked
        What `check_derivation` returned.
    level
        ``full`` adds the repair of a wrong line; the others leave it to the reader.
    command
        The command that reproduces it; a Python call is shown when left out.
    """
    counts = Counter(line.status for line in checked.lines)
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    columns = (
        Column("line", width=0.07),
        Column("as written", width=0.48),
        Column("verdict", width=0.14),
        Column("why", width=0.31),
    )
    rows = [
        (f"{line.number}", Code(line.text), Chip(_KINDS[line.status], line.status), _why(line))
        for line in checked.lines
    ]
    title = "A derivation, checked"
    blocks: list[Block] = [
        Title(title, (f"{len(checked.lines)} lines", said)),
        Cards(tuple(_cards(checked, 4 if level == "full" else _LEVEL))),
        Heading("Line by line"),
        Table(columns, rows),
        Heading("Reproduction"),
        CodeBlock(command or 'ca.report(ca.check_derivation(text, symbols="..."), path)'),
        Note(
            f"Made with {versions()}. Verdicts of lines. proved: for all values that the "
            "declarations allow; refuted: a counterexample; recovers: wrong after a wrong line, "
            "but equal to the last right one; plausible: held at every exact point tried; "
            "undecided: no admissible point was found."
        ),
    ]
    return Document(title, blocks, footer="convex_analyzer")


def _cards(checked: CheckedDerivation, level: int) -> list[Card]:
    wrong = [line for line in checked.lines if line.status in ("refuted", "unreadable")]
    if not wrong:
        doubt = any(_KINDS[line.status] == "warn" for line in checked.lines)
        text = "Some lines are not proved: look at them." if doubt else "Every line follows."
        return [Card("warn" if doubt else "ok", "No line is refuted", text)]
    return [
        Card("bad", f"Line {line.number}", line.hint(level).removeprefix(f"Line {line.number} "))
        for line in wrong[:_MOST]
    ]


def _why(line: CheckedLine) -> str:
    """Return how a line was judged; of a wrong one the card says more."""
    if line.status == "refuted":
        return "A counterexample: above."
    return line.reason[:1].upper() + line.reason[1:]
