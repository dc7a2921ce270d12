"""The blocks of a document as HTML: one method each, numbered as on the printed page."""

from __future__ import annotations

from typing import Any

from convex_analyzer.reporting.document import (
    Block,
    Card,
    Cards,
    CodeBlock,
    DerivationLine,
    DerivationLines,
    Embed,
    Figure,
    FigureRow,
    Heading,
    KeyValues,
    Math,
    MathSpan,
    Note,
    PageBreak,
    Paragraph,
    Table,
    Title,
    plain_text,
)
from convex_analyzer.reporting.html_svg import inline_svg
from convex_analyzer.reporting.html_text import (
    Places,
    badge,
    cell_html,
    chip_html,
    escape,
    inline,
)
from convex_analyzer.reporting.mathml import formula_mathml

__all__ = ["BlockWriter", "scrollable"]

_ROOMY = 26  # a column with longer texts is not squeezed below a readable width
_COLUMN = 6.2  # rem that a column of a wide table gets at least, on average
_SMALLEST = 0.86  # a figure shrinks to this share of its natural width; then it scrolls
_LARGEST = 1.45  # and grows to this one
_HIGHEST = 1000.0  # in CSS pixels


def scrollable(inside: str, label: str, kind: str = "") -> str:
    """Return a place whose content scrolls sideways, by keyboard too, instead of the page."""
    classes = f"scroll {kind}".rstrip()
    return (
        f'<div class="{classes}" tabindex="0" role="group" aria-label="{escape(label)}">'
        f"{inside}</div>"
    )


class BlockWriter:
    """Writes blocks one after the other and remembers what the page around them needs."""

    def __init__(self, *, buttons: bool = True) -> None:
        self.buttons = buttons
        self.places = Places()
        self.contents: list[tuple[int, str, str]] = []  # level, place, title
        self.figures = 0
        self.tables = 0
        self.embedded: list[str] = []

    def block(self, block: Block) -> str:
        """Return one block."""
        method: Any = getattr(self, f"_{type(block).__name__.lower()}")
        return str(method(block))

    def copy(self, what: str, name: str) -> str:
        """Return a button that the script of the page shows and fills."""
        if not self.buttons:
            return ""
        label = "Copy as LaTeX" if what == "tex" else "Copy this code"
        kind = f'type="button" class="copy" data-copy="{what}" aria-label="{label}"'
        return f'<button {kind} hidden="">{name}</button>'

    # -- text --------------------------------------------------------------------------------------

    def _title(self, block: Title) -> str:
        facts = '<span class="dot" aria-hidden="true"> · </span>'.join(
            f"<span>{inline(part)}</span>" for part in block.subtitle
        )
        below = f'\n<p class="facts">{facts}</p>' if facts else ""
        return f'<div class="title">\n<h1>{inline(block.text)}</h1>{below}\n</div>'

    def _heading(self, block: Heading) -> str:
        place, tag = self.places.name(block.text), f"h{block.level + 1}"
        self.contents.append((block.level, place, _flat(block.text)))
        return f'<{tag} id="{place}">{inline(block.text)}</{tag}>'

    def _paragraph(self, block: Paragraph) -> str:
        return f"<p>{inline(block.text)}</p>"

    def _note(self, block: Note) -> str:
        return f'<p class="note">{inline(block.text)}</p>'

    def _codeblock(self, block: CodeBlock) -> str:
        code = scrollable(f"<pre><code>{escape(block.text)}</code></pre>", "Code")
        return f'<div class="code">{code}{self.copy("code", "Copy")}</div>'

    def _math(self, block: Math) -> str:
        formula = scrollable(formula_mathml(block), "Formula")
        return f'<div class="formula">{formula}{self.copy("tex", "TeX")}</div>'

    def _pagebreak(self, block: PageBreak) -> str:
        return '<div class="page-break"></div>' if block.unless_free >= 1 else ""

    # -- findings ----------------------------------------------------------------------------------

    def _cards(self, block: Cards) -> str:
        cards = "\n".join(map(_card, block.cards))
        return f'<div class="cards in-{block.columns}">\n{cards}\n</div>'

    def _keyvalues(self, block: KeyValues) -> str:
        pairs = "\n".join(
            f"<div><dt>{inline(name)}</dt><dd>{inline(value)}</dd></div>"
            for name, value in block.items
        )
        return f'<dl class="in-{block.columns}">\n{pairs}\n</dl>'

    def _derivationlines(self, block: DerivationLines) -> str:
        lines = "\n".join(map(self._line, block.lines))
        before = f' style="--before:{block.start - 1}"' if block.start > 1 else ""
        start = f' start="{block.start}"' if block.start > 1 else ""
        return f'<ol class="derivation"{start}{before}>\n{lines}\n</ol>'

    def _line(self, line: DerivationLine) -> str:
        reason = f' <span class="reason">— {inline(line.reason)}</span>' if line.reason else ""
        check = f'<p class="check">{inline(line.check)}</p>' if line.check else ""
        return (
            f'<li><div class="step"><p><strong>{inline(line.title)}</strong>{reason}</p>'
            f"{self._math(line.math)}</div>"
            f'<div class="verdict">{chip_html(line.status)}{check}</div></li>'
        )

    # -- tables ------------------------------------------------------------------------------------

    def _table(self, block: Table) -> str:
        caption, label = "", "Table"
        if block.caption:
            self.tables += 1
            label = f"Table {self.tables}"
            caption = f"<caption><span><b>{label}.</b> {inline(block.caption)}</span></caption>"
        head = "".join(
            f'<th scope="col"{_classes(block, index)}>{inline(column.header)}</th>'
            for index, column in enumerate(block.columns)
        )
        rows = "\n".join(_table_row(block, row) for row in block.rows)
        whole = (
            f"<table{_least(block)}>{caption}{_widths(block)}\n<thead><tr>{head}</tr></thead>\n"
            f"<tbody>\n{rows}\n</tbody></table>"
        )
        note = f'<p class="note">{inline(block.note)}</p>' if block.note else ""
        return f'<div class="table">{scrollable(whole, label)}{note}</div>'

    # -- pictures ----------------------------------------------------------------------------------

    def _figure(self, block: Figure) -> str:
        share = f' style="--share:{block.width:g}"' if block.width < 1 else ""
        return self._picture(block, share)

    def _picture(self, block: Figure, style: str) -> str:
        self.figures += 1
        label = f"Figure {self.figures}"
        picture = inline_svg(block.svg, block.alt, f"f{self.figures}")
        largest = min(_LARGEST * picture.width, _HIGHEST * picture.width / picture.height)
        smallest = min(_SMALLEST * picture.width, largest)
        sizes = f"--min:{smallest:.0f}px;--max:{largest:.0f}px"
        inside = f'<div class="picture" style="{sizes}">{picture.svg}</div>'
        return (
            f'<figure id="figure-{self.figures}"{style}>{scrollable(inside, label, "card")}\n'
            f"<figcaption><b>{label}.</b> {inline(block.caption)}</figcaption></figure>"
        )

    def _figurerow(self, block: FigureRow) -> str:
        total = sum(figure.width for figure in block.figures)
        figures = "\n".join(
            self._picture(figure, f' style="--part:{figure.width / total:.4g}"')
            for figure in block.figures
        )
        return f'<div class="row">\n{figures}\n</div>'

    def _embed(self, block: Embed) -> str:
        self.embedded.append(block.html)
        return (
            f'<figure class="embed"><iframe title="{escape(block.title)}" sandbox="allow-scripts '
            f'allow-downloads" loading="lazy" srcdoc="{escape(block.html)}"></iframe>'
            f"<figcaption>{inline(block.fallback)}</figcaption></figure>"
        )


def _flat(text: Any) -> str:
    return plain_text(text).replace("\n", " ")


def _card(card: Card) -> str:
    return (
        f'<div class="finding {card.kind}">{badge(card.kind)}'
        f"<p><strong>{inline(card.title)}</strong> {inline(card.text)}</p></div>"
    )


def _least(block: Table) -> str:
    """Return below which width a table scrolls instead of squeezing its columns."""
    count = len(block.columns)
    return f' style="min-width:max(100%, {min(_COLUMN * count, 44):g}rem)"' if count > 3 else ""


def _widths(block: Table) -> str:
    if not any(column.width for column in block.columns):
        return ""
    columns = (
        f'<col style="width:{100 * column.width:g}%"/>' if column.width else "<col/>"
        for column in block.columns
    )
    return f"<colgroup>{''.join(columns)}</colgroup>"


def _classes(block: Table, index: int) -> str:
    column = block.columns[index]
    names: list[str] = [column.align] if column.align != "left" else []
    texts = (row[index] for row in block.rows)
    shown = [plain_text(cell) for cell in (column.header, *texts) if isinstance(cell, tuple)]
    if column.align == "left" and any(len(text) > _ROOMY for text in shown):
        names.append("roomy")
    return f' class="{" ".join(names)}"' if names else ""


def _table_row(block: Table, row: Any) -> str:
    cells = []
    for index, cell in enumerate(row):
        first = index == 0 and _is_name(cell)
        tag, scope = ("th", ' scope="row"') if first else ("td", "")
        align = block.columns[index].align
        side = f' class="{align}"' if align != "left" else ""
        cells.append(f"<{tag}{scope}{side}>{cell_html(cell)}</{tag}>")
    return f"<tr>{''.join(cells)}</tr>"


def _is_name(cell: Any) -> bool:
    """Tell whether the first cell of a row names the row."""
    return isinstance(cell, tuple) and any(
        span.strip() if isinstance(span, str) else isinstance(span, MathSpan) or span.text.strip()
        for span in cell
    )
