r"""Blocks pasted from a .tex file: ``align``, ``gather``, ``\[ ... \]``, cut into rows.

Everything is blanked in place, so that every column stays what the person sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = [
    "BLOCK_BEGIN",
    "BLOCK_MARK",
    "LOOSE_ROWS",
    "Span",
    "blank",
    "block_end",
    "cut_block",
    "silence",
]

_NAMES = "|".join(
    ("align", "aligned", "alignat", "gather", "gathered", "eqnarray", "equation", "multline",
     "split", "flalign", "displaymath", "math", "IEEEeqnarray", "dmath")
)  # fmt: skip
BLOCK_BEGIN = re.compile(
    rf"\\begin\s*\{{({_NAMES})\*?\}}(?:\s*\{{[^{{}}\n]*\}})?(?:\[[a-z]\])?|(?<!\\)\\\[|\$\$"
)
BLOCK_MARK = re.compile(
    rf"\\(?:begin|end)\s*\{{(?:{_NAMES})\*?\}}(?:\[[a-z]\])?|(?<!\\)\\[\[\]]|\$\$"
)
_INNER = re.compile(r"\\(begin|end)\s*\{[A-Za-z]+\*?\}")
_BREAK = re.compile(r"\\\\\*?(?:\s*\[-?[\d.]+\s*[a-z]{2}\])?|\\(?:newline|cr)(?![A-Za-z])")
_SILENT = re.compile(
    r"\\(?:label|tag|ref|eqref|hspace|vspace|intertext|shortintertext)\*?\s*\{[^{}]*\}"
    r"|\\(?:nonumber|notag|qedhere|qed|blacksquare|square|Box|displaybreak|allowdisplaybreaks)(?![A-Za-z])(?:\[\d\])?"
)
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_SPACING = re.compile(r"(?:\s|&|~|\\[,;:! ]|\\q?quad(?![A-Za-z])|\{\})*")
_OPENS = re.compile(r"[+*/]|\\(?:cdot|times)(?![A-Za-z])")
_MINUS = re.compile(r"[-−]")
_ENDS = re.compile(r"(?:[-−+*/=<>]|\\(?:cdot|times|leq?|geq?|leqslant|geqslant))(?:\s|&)*$")
_BEGINS = re.compile(r"[-−+*/=<>]|\\(?:cdot|times|leq?|geq?|leqslant|geqslant)(?![A-Za-z])")
#: Rows of an align block that were pasted without the lines that begin and end it.
LOOSE_ROWS = re.compile(
    r"&\s*(?:=|<|>|\\[lg]eq?|\\(?:Right|Leftright)arrow)|(?<!\\)\\\\\s*$", re.MULTILINE
)
_WORDS = re.compile(r"\(?\s*\\(?:text|mbox|textrm|hbox|textnormal|textit)\s*\{")


@dataclass
class Span:
    """One row of a block: where it stands, and where its second and further equations begin."""

    start: int
    end: int
    separators: list[int] = field(default_factory=list)
    indented: bool = False  # nothing stands left of its first &


def block_end(text: str, block: re.Match[str]) -> int:
    r"""Return where a block ends: at its own \end, or with the text."""
    if block[0] == "$$":
        end = text.find("$$", block.end())
    elif block[0] == r"\[":
        end = text.find(r"\]", block.end())
    else:
        depth, end = 1, -1
        for match in BLOCK_MARK.finditer(text, block.end()):
            depth += match[0].startswith(r"\begin") - match[0].startswith(r"\end")
            if depth == 0:
                end = match.start()
                break
    return len(text) if end < 0 else end


def blank(letters: list[str], start: int, end: int) -> None:
    """Put spaces in place of letters; line ends stay."""
    for i in range(start, end):
        if letters[i] != "\n":
            letters[i] = " "


def silence(text: str, letters: list[str], start: int, end: int) -> None:
    """Blank comments, labels and numbers of equations."""
    for pattern in (_COMMENT, _SILENT):
        for match in pattern.finditer(text, start, end):
            blank(letters, *match.span())


def cut_block(text: str, letters: list[str], start: int, end: int, name: str) -> list[Span]:
    r"""Return the rows of a block: cut at each \\ that stands in no matrix and no braces.

    A row that begins with a sign of a sum or product continues the row above, and so does one
    below a row that ends with a sign.
    """
    silence(text, letters, start, end)
    for match in BLOCK_MARK.finditer(text, start, end):
        blank(letters, *match.span())
    spans = _spans(letters, start, end)
    rows: list[Span] = []
    for span in spans:
        begin = _continues(letters, rows[-1], span) if rows else None
        if begin is not None:
            blank(letters, rows[-1].end, begin)
            rows[-1].end = span.end
            rows[-1].separators += span.separators
        else:
            rows.append(span)
    for row in rows:
        if name not in {"eqnarray", "IEEEeqnarray"}:
            _separate(letters, row)
    return rows


def _spans(letters: list[str], start: int, end: int) -> list[Span]:
    shown = "".join(letters[start:end])
    spans = [Span(start, end)]
    depth = braces = count = at = 0
    while at < len(shown):
        letter = shown[at]
        if letter == "\\":
            inner, line_break = _INNER.match(shown, at), _BREAK.match(shown, at)
            if inner:
                depth += 1 if inner[1] == "begin" else -1
                at = inner.end()
            elif line_break and depth <= 0 and braces <= 0:
                spans[-1].end = start + at
                at = line_break.end()
                spans.append(Span(start + at, end))
                count = 0
            else:
                at += 2
            continue
        braces += (letter == "{") - (letter == "}")
        if letter == "&" and depth <= 0:
            count += 1
            if count == 1:
                spans[-1].indented = not shown[spans[-1].start - start : at].strip()
            if count % 2 == 0:
                spans[-1].separators.append(start + at)
            letters[start + at] = " "
        at += 1
    return spans


def _continues(letters: list[str], above: Span, span: Span) -> int | None:
    r"""Return where the part of a row begins that belongs to the row above; None: none does.

    Where a sign ends the one and begins the other, the \\ between them stays, and is refused.
    """
    text = "".join(letters[span.start : span.end])
    spacing = _SPACING.match(text)
    begin = spacing.end() if spacing else 0
    before = "".join(letters[above.start : above.end])
    if not text[begin:].strip() or not before.strip():
        return None
    if _ENDS.search(before):
        return above.end if _BEGINS.match(text, begin) else span.start + begin
    opens = _OPENS.match(text, begin) or (span.indented and _MINUS.match(text, begin))
    return span.start + begin if opens else None


def _separate(letters: list[str], row: Span) -> None:
    """Put a comma where a second equation begins in one row; words there are a reason."""
    for place in row.separators:
        after = "".join(letters[place : row.end])
        spacing = _SPACING.match(after)
        begin = spacing.end() if spacing else 0
        before = "".join(letters[row.start : place]).strip()
        if before and after[begin:].strip() and not _WORDS.match(after, begin):
            letters[place] = ","
