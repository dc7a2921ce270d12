"""What a report says, as plain frozen data.

A :class:`Document` is a list of blocks; a block holds rich text, which is a tuple of spans. Nothing
in here is markup: a label such as ``*_#$`` is a string, stays a string, and comes out literally in
every format. The spans (plain strings, Bold, Code, MathSpan) are defined in
:mod:`~convex_analyzer.reporting.richtext` and can be imported from here.

Wherever rich text is expected, a plain string or one span does as well; it is stored as a tuple.
Widths of figures are shares of :data:`TEXT_WIDTH`: a figure drawn that wide keeps its label sizes
in print.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from convex_analyzer.errors import InputError
from convex_analyzer.reporting.block import Block, encode
from convex_analyzer.reporting.checks import (
    apply,
    html_page,
    instance,
    one_of,
    refuse,
    sequence,
    share,
    share_or_none,
    string,
    svg_bytes,
    words,
)
from convex_analyzer.reporting.richtext import (
    KIND_SYMBOLS,
    Bold,
    Cell,
    Chip,
    Code,
    Kind,
    MathSpan,
    RichText,
    Span,
    cell,
    kind,
    pair,
    plain_text,
    rich,
    rich_words,
    typst_math,
)

__all__ = [
    "KIND_SYMBOLS",
    "SCHEMA",
    "TEXT_WIDTH",
    "Block",
    "Bold",
    "Card",
    "Cards",
    "Cell",
    "Chip",
    "Code",
    "CodeBlock",
    "Column",
    "DerivationLine",
    "DerivationLines",
    "Document",
    "Embed",
    "Figure",
    "FigureRow",
    "Heading",
    "KeyValues",
    "Kind",
    "Math",
    "MathSpan",
    "Note",
    "PageBreak",
    "Paragraph",
    "RichText",
    "Span",
    "Table",
    "Title",
    "plain_text",
    "row_widths",
]

SCHEMA = "convex_analyzer.document/1"
TEXT_WIDTH = 174 / 25.4  # inches between the margins of an A4 page
ROW_GAP = 6 / 25.4  # inches between two figures of a row


def row_widths(*weights: float) -> tuple[float, ...]:
    """Inches that each figure of a :class:`FigureRow` gets, given their relative widths.

    >>> [round(width, 3) for width in row_widths(1, 1)]
    [3.307, 3.307]
    """
    free = TEXT_WIDTH - ROW_GAP * (len(weights) - 1)
    return tuple(free * weight / sum(weights) for weight in weights)


@dataclass(frozen=True, slots=True)
class Title(Block):
    """The title of the document with the facts that stand below it, each one a part of its own."""

    text: RichText
    subtitle: Sequence[RichText] = ()

    def __post_init__(self) -> None:
        apply(self, text=rich_words, subtitle=sequence(rich_words, at_least=0))


@dataclass(frozen=True, slots=True)
class Heading(Block):
    """A heading; level 1 is a section."""

    text: RichText
    level: int = 1

    def __post_init__(self) -> None:
        apply(self, text=rich_words, level=one_of(1, 2, 3))


@dataclass(frozen=True, slots=True)
class Paragraph(Block):
    """Running text."""

    text: RichText

    def __post_init__(self) -> None:
        apply(self, text=rich_words)


@dataclass(frozen=True, slots=True)
class Note(Block):
    """Small print."""

    text: RichText

    def __post_init__(self) -> None:
        apply(self, text=rich_words)


@dataclass(frozen=True, slots=True)
class CodeBlock(Block):
    """Lines in fixed-width letters."""

    text: str

    def __post_init__(self) -> None:
        apply(self, text=words)


@dataclass(frozen=True, slots=True)
class Card:
    """One finding: a verdict in two or three words, and the sentence behind it."""

    kind: Kind
    title: RichText
    text: RichText

    def __post_init__(self) -> None:
        apply(self, kind=kind, title=rich_words, text=rich_words)


@dataclass(frozen=True, slots=True)
class Cards(Block):
    """Findings, below each other or in up to three columns."""

    cards: Sequence[Card]
    columns: int = 1

    def __post_init__(self) -> None:
        apply(self, cards=sequence(instance(Card)), columns=one_of(1, 2, 3))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    header
        What stands in its first row.
    align
        Where its cells stand: words on the left, numbers on the right.
    width
        Its share of the width of the text; columns without one share the rest as their content
        needs.
    """

    header: RichText
    align: Literal["left", "right", "center"] = "left"
    width: float | None = None

    def __post_init__(self) -> None:
        align = one_of("left", "right", "center")
        apply(self, header=rich, align=align, width=share_or_none)


@dataclass(frozen=True, slots=True)
class Table(Block):
    """Rows of cells; a cell is rich text or a :class:`Chip`."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    caption: RichText = ()
    note: RichText = ()

    def __post_init__(self) -> None:
        cells = sequence(sequence(cell), at_least=0)
        apply(self, columns=sequence(instance(Column)), rows=cells, caption=rich, note=rich)
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                rule = f"a row of {len(self.columns)} cells, one per column"
                raise refuse(f"Table: rows[{index}]", rule, row)
        given = sum(column.width or 0.0 for column in self.columns)
        if given > 1 + 1e-9:
            raise refuse("Table: columns", "at most 1 wide in all", round(given, 6))


@dataclass(frozen=True, slots=True)
class KeyValues(Block):
    """Names with their values, in one or two columns."""

    items: Sequence[tuple[RichText, RichText]]
    columns: int = 1

    def __post_init__(self) -> None:
        apply(self, items=sequence(pair), columns=one_of(1, 2))


@dataclass(frozen=True, slots=True)
class Figure(Block):
    """A picture.

    Parameters
    ----------
    svg
        The bytes of an SVG file.
    caption
        How to read it.
    alt
        What the reader concludes from it, for who cannot see it.
    width
        Share of the width of the text; inside a :class:`FigureRow`, relative to its neighbours.
    """

    svg: bytes
    caption: RichText
    alt: str
    width: float = 1.0

    def __post_init__(self) -> None:
        apply(self, svg=svg_bytes, caption=rich_words, alt=words, width=share)


@dataclass(frozen=True, slots=True)
class FigureRow(Block):
    """Two or more figures side by side."""

    figures: Sequence[Figure]

    def __post_init__(self) -> None:
        apply(self, figures=sequence(instance(Figure), at_least=2))


@dataclass(frozen=True, slots=True)
class Math(Block):
    """A formula on its own line; ``typst_math.math_block`` makes one from a SymPy expression."""

    typst: str
    latex: str
    alt: str

    def __post_init__(self) -> None:
        apply(self, typst=typst_math, latex=words, alt=words)


@dataclass(frozen=True, slots=True)
class DerivationLine:
    """One line of a derivation.

    Parameters
    ----------
    title, reason
        What the line is, and why it follows.
    math
        The line itself.
    check
        How the machine checked it.
    status
        What came out of the check.
    """

    title: RichText
    reason: RichText
    math: Math
    check: RichText
    status: Chip

    def __post_init__(self) -> None:
        apply(self, title=rich_words, reason=rich, math=instance(Math))
        apply(self, check=rich, status=instance(Chip))


@dataclass(frozen=True, slots=True)
class DerivationLines(Block):
    """Numbered lines; `start` is the number of the first."""

    lines: Sequence[DerivationLine]
    start: int = 1

    def __post_init__(self) -> None:
        apply(self, lines=sequence(instance(DerivationLine)), start=one_of(*range(1, 1000)))


@dataclass(frozen=True, slots=True)
class Embed(Block):
    """A page of its own inside a web page, such as the explorer; it may run scripts of its own.

    Parameters
    ----------
    html
        A whole HTML page that loads nothing. Only the HTML writer shows it; JSON leaves it out.
    title
        What it is.
    fallback
        What the other formats say in its place.
    """

    html: str = dataclasses.field(metadata={"plain": False})
    title: str
    fallback: RichText

    def __post_init__(self) -> None:
        apply(self, html=html_page, title=words, fallback=rich_words)


@dataclass(frozen=True, slots=True)
class PageBreak(Block):
    """Start a new page, unless at least the share `unless_free` of this one is still empty."""

    unless_free: float = 1.0

    def __post_init__(self) -> None:
        apply(self, unless_free=share)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Parameters
    ----------
    title
        Title in the properties of the file; what the page shows is a :class:`Title` block.
    blocks
        What the pages say, in order. Headings start at level 1 and skip no level.
    footer
        Words at the foot of every page, before its number.
    language
        Language of the text, as two or three letters.

    Examples
    --------
    >>> document = Document("Toy", (Heading("Spectrum"), Paragraph(("rate ", Bold("0.9")))))
    >>> document.to_dict()["blocks"][1]
    {'type': 'paragraph', 'text': ['rate ', {'type': 'bold', 'text': '0.9'}]}
    """

    title: str
    blocks: Sequence[Block]
    footer: str = ""
    language: str = "en"

    def __post_init__(self) -> None:
        apply(self, title=words, blocks=sequence(instance(Block)), footer=string)
        if not re.fullmatch("[a-z]{2,3}", string("Document: language", self.language)):
            raise refuse("Document: language", "two or three small letters", self.language)
        if sum(isinstance(block, Title) for block in self.blocks) > 1:
            raise InputError("Document: blocks must hold at most one Title, got more")
        level = 0
        for index, block in enumerate(self.blocks):
            if isinstance(block, Heading):
                if block.level > level + 1:
                    where = f"Document: blocks[{index}]"
                    raise refuse(where, f"a heading of level at most {level + 1}", block.level)
                level = block.level

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form with its versioned schema; figures are SVG text."""
        fields = (field.name for field in dataclasses.fields(self))
        return {"schema": SCHEMA, **{name: encode(getattr(self, name)) for name in fields}}
