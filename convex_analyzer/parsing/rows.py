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
from convex_analyzer.parsing.labels import bulleted, label_end, labels_of
from convex_analyzer.parsing.plain_functions import FUNCTION_NAMES
from convex_analyzer.parsing.prose import (
    ARROW_WORDS,
    COMMON,
    DEFINING,
    REASON_WORDS,
    TEXT,
    begins_formula,
    condition_end,
    is_heading,
    says_something,
)
from convex_analyzer.parsing.sides import names_side
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import LONGEST

__all__ = ["Row", "rows_of"]

_EMPTY_LINE = re.compile(r"\n[ \t]*(?=\n)")
_DOLLARS = re.compile(r"(?<!\\)\$([^$\n]+)\$")
_JOINS = {"and", "or", "in", "iff", "implies", "not", "if and only if"}
_PROVED = re.compile(r"[\s.,;]*(?<!\w)(?:QED|Q\.E\.D\.|q\.e\.d\.|[∎■□▪])\s*$")
_REMARK = re.compile(r"\s(?:#|--\s)|^\s*#|\s[—]\s")
_REASON = re.compile(rf"(?<=[\s,;(\[])(?:{'|'.join(REASON_WORDS)})\b")
_CONDITION = re.compile(r"\s*(?:if|for|when|provided|assuming)\b")
_START = re.compile(
    r"\s*((?:(?:and so|so|hence|thus|therefore|then|now|finally|also|consequently|clearly|"
    r"it follows that)\b[,:]?\s+)*"
    r"(?:(?:we (?:have|get|obtain|find|see|know)|this (?:gives|means|yields|shows|implies)|"
    r"that is|note)(?: that)?\b[,:]?\s+)?)",
    re.IGNORECASE,
)
_ARROW = re.compile(rf"(?:{'|'.join(sorted(ARROW_WORDS, key=len, reverse=True))})\b")
_BULLETS = (
    "a minus or a bullet: every line begins with - and a space",
    "write -x without the space for a minus, and no bullets",
)
_DENIED = (
    "the words beside this formula change what it says",
    "write the claim itself, for instance with <, or not",
)
_EQUIVALENT = re.compile(r"\bif +and +only +if\b")
_HASH = re.compile(r"(?:\s|^)#")
_OPERATOR = re.compile(r"[-−+*/=<>^·]\s*$")
_FORMULA = re.compile(r"\s*(?:[-−+*/=<>^·)]|$)")
_PROSE = re.compile(r"\s*[A-Za-z][A-Za-z ,.:;'’-]*$")


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
    problem
        Message and hint, where its words or marks have two readings.
    defines
        Whether the words before it say that it defines a name.
    """

    start: int
    end: int
    latex: bool
    reason: str = ""
    notes: tuple[str, ...] = ()
    arrow: str | None = None
    problem: tuple[str, str] | None = None
    defines: bool = False


def rows_of(text: str, symbols: Symbols) -> tuple[str, list[Row]]:
    r"""Return the text with remarks and labels blanked, and its rows.

    Examples
    --------
    >>> shown, rows = rows_of("a + b  # given\n= b + a", Symbols.of({"a, b": "real"}))
    >>> [shown[row.start : row.end] for row in rows], rows[0].reason
    (['a + b', '= b + a'], 'given')
    """
    letters = list(text)
    labels = labels_of(text)
    for start, end in labels:
        blank(letters, start, end)
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
    rows = [row for row in rows if "".join(letters[row.start : row.end]).strip()]
    if bulleted(text):
        rows = [replace(row, problem=_BULLETS) for row in rows]
    return "".join(letters), [_numbered(text, row, labels) for row in rows]


def _numbered(text: str, row: Row, labels: dict[tuple[int, int], str]) -> Row:
    """Say that (2) beside a row is its number."""
    begin, end = text.rfind("\n", 0, row.start) + 1, text.find("\n", row.end)
    end = len(text) if end < 0 else end
    here = [number for (start, stop), number in labels.items() if begin <= start and stop <= end]
    if len(here) != 1 or not here[0]:
        return row
    return replace(row, notes=(*row.notes, f"({here[0]}) is read as the number of the line"))


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
    remarks = _remarks(text, letters, start, end)
    for match in re.compile(r"[^\n]+").finditer(text, start, end):
        begin, stop = match.span()
        if begin < resume:
            continue  # among rows that were read together
        blank(letters, begin, begin + label_end(match[0]))
        line = "".join(letters[begin:stop])
        if is_heading(line):
            blank(letters, begin, stop)
            continue
        if _is_prose(line, symbols):
            arrow = "=>" if line.strip(" \t,.:;").lower() in ARROW_WORDS else arrow
            blank(letters, begin, stop)
            continue
        before = len(rows)
        if LOOSE_ROWS.search(line):
            gap = _EMPTY_LINE.search(text, begin, end)
            resume = gap.start() if gap else end
            spans = cut_block(text, letters, begin, resume, "")
            rows += [_tex_row(letters, span.start, span.end, symbols) for span in spans]
        elif stop - begin > LONGEST:
            rows.append(Row(begin, stop, latex=False))
        elif _DOLLARS.search(line):
            silence(text, letters, begin, stop)
            rows += _prose(letters, begin, stop, symbols)
        elif is_latex(line):
            silence(text, letters, begin, stop)
            rows.append(_tex_row(letters, begin, stop, symbols))
        else:
            rows.append(_plain_row(letters, begin, stop, symbols))
        if arrow and len(rows) > before:
            rows[before] = replace(rows[before], arrow=rows[before].arrow or arrow)
            arrow = None
    rows = [row for row in rows if "".join(letters[row.start : row.end]).strip()]
    return [_remarked(text, row, rows[i + 1 : i + 2], remarks) for i, row in enumerate(rows)]


def _remarks(text: str, letters: list[str], start: int, end: int) -> dict[int, str]:
    """Blank ``# why`` behind LaTeX; return it by the place where its line ends."""
    found: dict[int, str] = {}
    for match in re.compile(r"[^\n]+").finditer(text, start, end):
        remark = _HASH.search(match[0])
        if remark and (is_latex(match[0]) or LOOSE_ROWS.search(match[0])):
            blank(letters, match.start() + remark.start(), match.end())
            found[match.end()] = match[0][remark.end() :].strip()
    return found


def _remarked(text: str, row: Row, after: list[Row], remarks: dict[int, str]) -> Row:
    """Return a row with the remark of its line, if it is the last row there."""
    stop = text.find("\n", row.start)
    stop = len(text) if stop < 0 else stop
    if stop not in remarks or (after and after[0].start < stop):
        return row
    return replace(row, reason="; ".join(filter(None, (row.reason, remarks[stop]))))


def _is_prose(line: str, symbols: Symbols) -> bool:
    """Return whether a line is words alone, such as "it follows that"."""
    if not _PROSE.match(line):
        return False
    words = re.findall(r"[A-Za-z']+", line)
    if any(word in symbols or word in FUNCTION_NAMES for word in words):
        return False
    if len(words) == 1:
        return words[0].lower() in ARROW_WORDS
    return any(word.lower() in COMMON for word in words)


def _prose(letters: list[str], begin: int, stop: int, symbols: Symbols) -> list[Row]:
    """Take the formulas between dollars out of a sentence; the words before each are its reason."""
    line = "".join(letters[begin:stop])
    rows: list[Row] = []
    at = 0
    for match in _DOLLARS.finditer(line):
        words = line[at : match.start()].strip(" ,.:;")
        at = match.end()
        if rows and _CONDITION.fullmatch(words):  # $x > 0$ if $y > 0$: a condition of the first
            reason = "; ".join(filter(None, (f"{words} {match[1]}", rows[-1].reason)))
            rows[-1] = replace(rows[-1], reason=reason)
            blank(letters, begin + match.start(1), begin + match.end(1))
            continue
        row = _tex_row(letters, begin + match.start(1), begin + match.end(1), symbols)
        arrow = "=>" if words.lower() in ARROW_WORDS else row.arrow
        reason = "" if words.lower() in ARROW_WORDS else words
        if not rows and words.lower() in DEFINING:
            rows.append(replace(row, defines=True))
            continue
        rows.append(replace(row, arrow=arrow, reason="; ".join(filter(None, (reason, row.reason)))))
    tail = line[at:].strip(" ,.:;")
    if tail and rows:
        last = rows[-1]
        rows[-1] = replace(last, reason="; ".join(filter(None, (last.reason, tail))))
    return [replace(row, problem=_DENIED) if says_something(row.reason) else row for row in rows]


def _plain_row(letters: list[str], begin: int, stop: int, symbols: Symbols) -> Row:
    reason = ""
    notes: tuple[str, ...] = ()
    line = "".join(letters[begin:stop])
    ended = _PROVED.search(line)
    if ended:
        blank(letters, begin + ended.start(), stop)
        line = line[: ended.start()]
    remark = _REMARK.search(line)
    if remark:
        reason = line[remark.end() :].strip()
        blank(letters, begin + remark.start(), stop)
        line = line[: remark.start()]
    for match in _EQUIVALENT.finditer(line):
        letters[begin + match.start() : begin + match.end()] = "<=>".ljust(len(match[0]))
        line = "".join(letters[begin : begin + len(line)])
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
        words = opening[1].lower()
        if not any(word.strip(",:") in symbols for word in words.split()):
            arrow = "=>" if _ARROW.match(words) else None
            blank(letters, begin, begin + opening.end())
    first, last = _trimmed(letters, begin, stop)
    return Row(first, last, latex=False, reason=reason, notes=notes, arrow=arrow)


def _because(line: str, symbols: Symbols) -> int | None:
    """Return where a reason such as (because ...) begins; None: there is none."""
    for match in _REASON.finditer(line):
        if match[0] in symbols or not line[: match.start()].strip(" \t,;([{"):
            continue
        if _OPERATOR.search(line, 0, match.start()):
            continue  # x - by: a product
        if all(c in symbols for c in match[0]) and _FORMULA.match(line, match.end()):
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
    shown = "".join(letters[begin:stop])
    shown, reasons, arrow = _opened(shown)
    notes: list[str] = []
    for match in TEXT.finditer(shown):
        words = " ".join(match[1].split()).strip(" ,.:;()")
        plain = words.lower()
        before = shown[: match.start()].strip(" \t\n&,(~")
        if (
            _is_mark(words, before)
            or names_side(words)
            or not before.strip("\\,;:! ")
            or says_something(words)
        ):
            continue
        final = not shown[match.end() :].strip(" \t\n.,;)&")
        remark = final and not match[0].startswith(r"\mathrm") and words not in symbols
        if " " not in words and plain not in REASON_WORDS and not remark:
            continue  # \text{max}, \mathrm{sign}
        reasons.append(_unmarked(shown[match.start() :]))
        if _CONDITION.match(plain):
            notes.append(f"'{reasons[-1]}' is taken as a reason, not as a condition")
        head = shown[: match.start()].rstrip(" \t\n")
        cut = len(head) - 1 if head.endswith("(") else match.start()
        shown = shown[:cut]
        break
    for i, letter in enumerate(shown.ljust(stop - begin), begin):
        if letter == " ":
            blank(letters, i, i + 1)
    first, last = _trimmed(letters, begin, stop)
    return Row(first, last, latex=True, reason="; ".join(reasons), notes=tuple(notes), arrow=arrow)


def _is_mark(words: str, before: str) -> bool:
    """Return whether upright words join claims, or belong to a name."""
    joins = words.lower() in _JOINS or len(words) <= 1
    return joins or before.endswith(("_", "^", "{"))


def _opened(shown: str) -> tuple[str, list[str], str | None]:
    """Take the words that open a line: the line with spaces for them, reasons, and the arrow."""
    reasons: list[str] = []
    arrow, passed = None, 0
    for match in list(TEXT.finditer(shown)):
        words = " ".join(match[1].split()).strip(" ,.:;()")
        before = shown[: match.start()].strip(" \t\n&,(~")
        if match.start() < passed or _is_mark(words, before) or before.strip("\\,;:! "):
            continue
        passed = _opening(shown, match)
        if passed <= 0 or words.lower() == "let":
            continue  # \mathrm{Var}(x): the parser says what it makes of it
        if words.lower() in ARROW_WORDS:
            arrow = "=>"
        else:
            reasons.append(_unmarked(shown[match.start() : passed]))
        shown = shown[: match.start()] + " " * (passed - match.start()) + shown[passed:]
    return shown, reasons, arrow


def _unmarked(text: str) -> str:
    """Return words and formulas without the macros round the words."""
    return " ".join(TEXT.sub(lambda m: m[1], text).split()).strip(" ,.()&")


def _opening(shown: str, match: re.Match[str]) -> int:
    """Return where the words end that open a line; 0: they belong to the formula."""
    after = shown[match.end() :]
    if begins_formula(match[0], match[1], after):
        return 0
    conditional, closing = condition_end(match[1], after)
    if not conditional:
        return match.end()
    return match.end() + closing if closing else 0
