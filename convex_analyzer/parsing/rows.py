r"""A text cut into rows, one or more claims each: lines, and the rows of pasted LaTeX blocks.

Remarks, labels and reasons are blanked in place, so that every column stays what the person sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from convex_analyzer.parsing.blocks import (
    BLOCK_BEGIN,
    BLOCK_MARK,
    LOOSE_ROWS,
    blank,
    block_end,
    cut_block,
    silence,
)
from convex_analyzer.parsing.expressions import is_latex
from convex_analyzer.parsing.plain_functions import FUNCTION_NAMES
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import LONGEST

__all__ = ["Row", "rows_of"]

_EMPTY_LINE = re.compile(r"\n[ \t]*(?=\n)")
_DOLLARS = re.compile(r"(?<!\\)\$([^$\n]+)\$")
_TEXT = re.compile(r"\\(?:text|textrm|mbox|textit|hbox|textnormal|mathrm|textup)\s*\{([^{}]*)\}")
_JOINS = {"and", "or", "in", "iff", "implies", "not", "if and only if"}
_REMARK = re.compile(r"\s(?:#|--\s)|^\s*#|\s[—]\s")
_WORDS = ("because", "since", "by", "using", "due to", "as", "from", "where", "if", "for", "when",
          "provided", "assuming", "so that", "with", "definition", "expand", "factor")  # fmt: skip
_REASON = re.compile(rf"(?<=[\s,;(\[])(?:{'|'.join(_WORDS)})\b")
_CONDITION = re.compile(r"\s*(?:if|for|when|provided|assuming)\b")
_START = re.compile(
    r"\s*(?:(\d{1,3}[.)]|•|step\s+\d+\s*:)(?:\s+|$))?"
    r"(?:(so|hence|thus|therefore|then|and so|it follows that|this gives|we get)\b[,:]?\s+)?",
    re.IGNORECASE,
)
_PROSE = re.compile(r"\s*[A-Za-z][A-Za-z ,.:;'’-]*$")
_COMMON = frozenset({
    "also", "and", "are", "at", "be", "because", "but", "by", "first", "follows", "for", "from",
    "get", "give", "gives", "have", "hence", "holds", "if", "in", "is", "it", "next", "now", "of",
    "obtain", "on", "proof", "rule", "since", "so", "start", "that", "the", "then", "therefore",
    "this", "thus", "to", "use", "using", "we", "where", "which", "with",
})  # fmt: skip
_ARROWS = {"so", "hence", "thus", "therefore", "then", "and so", "it follows that"}


@dataclass(frozen=True)
class Row:
    """A part of the text with one or more claims.

    Attributes
    ----------
    start, end
        Where it stands.
    latex
        Whether it is LaTeX.
    reason
        What stands behind it as the reason.
    notes
        What was passed over.
    arrow
        ``=>`` where it begins with a word such as hence.
    """

    start: int
    end: int
    latex: bool
    reason: str = ""
    notes: tuple[str, ...] = ()
    arrow: str | None = None


def rows_of(text: str, symbols: Symbols) -> tuple[str, list[Row]]:
    r"""Return the text with remarks and labels blanked, and its rows.

    Examples
    --------
    >>> shown, rows = rows_of("a + b  # given\n= b + a", Symbols.of({"a, b": "real"}))
    >>> [shown[row.start : row.end] for row in rows], rows[0].reason
    (['a + b', '= b + a'], 'given')
    """
    letters = list(text)
    rows: list[Row] = []
    at = 0
    while at < len(text):
        block = BLOCK_BEGIN.search(text, at)
        stop = block.start() if block else len(text)
        rows += _lines(text, letters, at, stop, symbols)
        if block is None:
            break
        end = block_end(text, block)
        for span in cut_block(text, letters, block.end(), end, block[1] or ""):
            rows.append(_tex_row(letters, span.start, span.end, symbols))
        close = BLOCK_MARK.match(text, end)
        at = close.end() if close else end + 1
    return "".join(letters), [row for row in rows if "".join(letters[row.start : row.end]).strip()]


def _trimmed(letters: list[str], start: int, end: int) -> tuple[int, int]:
    """Return the ends without spaces, and without the point or comma of a sentence."""
    while start < end and letters[start].isspace():
        start += 1
    while end > start and (letters[end - 1].isspace() or letters[end - 1] in ".,;:"):
        if letters[end - 1] == ";" and letters[end - 2] == "\\":
            end -= 1  # \; is a space
        if letters[end - 1] in ",:" and letters[end - 2] == "\\":
            end -= 1
        end -= 1
    return start, end


# -- plain lines ------------------------------------------------------------------------------


def _lines(text: str, letters: list[str], start: int, end: int, symbols: Symbols) -> list[Row]:
    rows: list[Row] = []
    resume, arrow = start, None
    for match in re.compile(r"[^\n]+").finditer(text, start, end):
        begin, stop = match.span()
        if begin < resume:
            continue  # among rows that were read together
        if _is_prose(match[0], symbols):
            arrow = "=>" if match[0].strip(" \t,.:;").lower() in _ARROWS else arrow
            blank(letters, begin, stop)
            continue
        before = len(rows)
        if LOOSE_ROWS.search(match[0]):
            gap = _EMPTY_LINE.search(text, begin, end)
            resume = gap.start() if gap else end
            spans = cut_block(text, letters, begin, resume, "")
            rows += [_tex_row(letters, span.start, span.end, symbols) for span in spans]
        elif stop - begin > LONGEST:
            rows.append(Row(begin, stop, latex=False))
        elif _DOLLARS.search(match[0]):
            silence(text, letters, begin, stop)
            rows += _prose(letters, begin, stop, symbols)
        elif is_latex(match[0]):
            silence(text, letters, begin, stop)
            rows.append(_tex_row(letters, begin, stop, symbols))
        else:
            rows.append(_plain_row(letters, begin, stop, symbols))
        if arrow and len(rows) > before:
            rows[before] = replace(rows[before], arrow=rows[before].arrow or arrow)
            arrow = None
    return rows


def _is_prose(line: str, symbols: Symbols) -> bool:
    """Return whether a line is words alone, such as "it follows that"."""
    if not _PROSE.match(line):
        return False
    words = re.findall(r"[A-Za-z']+", line)
    if any(word in symbols or word in FUNCTION_NAMES for word in words):
        return False
    if len(words) == 1:
        return words[0].lower() in _ARROWS
    return any(word.lower() in _COMMON for word in words)


def _prose(letters: list[str], begin: int, stop: int, symbols: Symbols) -> list[Row]:
    """Take the formulas between dollars out of a sentence; the words before each are its reason."""
    line = "".join(letters[begin:stop])
    rows: list[Row] = []
    at = 0
    for match in _DOLLARS.finditer(line):
        words = line[at : match.start()].strip(" ,.:;")
        at = match.end()
        row = _tex_row(letters, begin + match.start(1), begin + match.end(1), symbols)
        arrow = "=>" if words.lower() in _ARROWS else row.arrow
        reason = "" if words.lower() in _ARROWS else words
        rows.append(replace(row, arrow=arrow, reason="; ".join(filter(None, (reason, row.reason)))))
    tail = line[at:].strip(" ,.:;")
    if tail and rows:
        last = rows[-1]
        rows[-1] = replace(last, reason="; ".join(filter(None, (last.reason, tail))))
    return rows


def _plain_row(letters: list[str], begin: int, stop: int, symbols: Symbols) -> Row:
    reason = ""
    notes: tuple[str, ...] = ()
    line = "".join(letters[begin:stop])
    remark = _REMARK.search(line)
    if remark:
        reason = line[remark.end() :].strip()
        blank(letters, begin + remark.start(), stop)
        line = line[: remark.start()]
    because = _because(line, symbols)
    if because is not None:
        found = line[because:].strip(" ,;()[]")
        reason = f"{found}; {reason}".strip("; ")
        blank(letters, begin + because, stop)
        if _CONDITION.match(found):
            notes = (f"'{found}' is taken as a reason, not as a condition",)
    opening = _START.match("".join(letters[begin:stop]))
    arrow = None
    if opening and opening.end():
        word = (opening[2] or "").lower()
        if not (word and word in symbols):
            arrow = "=>" if word in _ARROWS else None
            blank(letters, begin, begin + opening.end())
    first, last = _trimmed(letters, begin, stop)
    return Row(first, last, latex=False, reason=reason, notes=notes, arrow=arrow)


def _because(line: str, symbols: Symbols) -> int | None:
    """Return where a reason such as (because ...) begins; None: there is none."""
    for match in _REASON.finditer(line):
        if match[0] in symbols or not line[: match.start()].strip(" \t,;([{"):
            continue
        start = match.start()
        while line[start - 1] in " \t,;([":
            start -= 1
        opened = line[start : match.start()].count("(")
        tail = line[start:]
        if tail.count("(") - tail.count(")") > opened:
            continue
        return start
    return None


# -- LaTeX ------------------------------------------------------------------------------------


def _tex_row(letters: list[str], begin: int, stop: int, symbols: Symbols) -> Row:
    r"""Take words in \text{...} as the reason, or as the word that joins claims."""
    reasons: list[str] = []
    notes: list[str] = []
    arrow = None
    shown = "".join(letters[begin:stop])
    for match in list(_TEXT.finditer(shown)):
        words = " ".join(match[1].split()).strip(" ,.:;()")
        plain = words.lower()
        before = shown[: match.start()].strip(" \t\n&,(~")
        if plain in _JOINS or not words or len(words) == 1 or before.endswith(("_", "^", "{")):
            continue
        if not before.strip("\\,;:! "):
            arrow = "=>" if plain in _ARROWS else arrow
            if plain not in _ARROWS and plain != "let":
                reasons.append(words)
            if plain != "let":
                blank(letters, begin + match.start(), begin + match.end())
            continue
        final = not shown[match.end() :].strip(" \t\n.,;)&")
        remark = final and not match[0].startswith(r"\mathrm") and words not in symbols
        if " " not in words and plain not in _WORDS and not remark:
            continue  # \text{max}, \mathrm{sign}
        tail = shown[match.start() :]
        words_only = _TEXT.sub(lambda m: m[1], tail)
        reasons.append(" ".join(words_only.split()).strip(" ,.()&"))
        if _CONDITION.match(plain):
            notes.append(f"'{reasons[-1]}' is taken as a reason, not as a condition")
        head = shown[: match.start()].rstrip(" \t\n")
        cut = len(head) - 1 if head.endswith("(") else match.start()
        blank(letters, begin + cut, stop)
        break
    first, last = _trimmed(letters, begin, stop)
    return Row(first, last, latex=True, reason="; ".join(reasons), notes=tuple(notes), arrow=arrow)
