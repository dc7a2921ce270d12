"""Judged lines on a screen: what follows, what does not, and the numbers that show it."""

from __future__ import annotations

import re
import sys
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convex_analyzer.derivations.judging.lines import CheckedDerivation, CheckedLine
    from convex_analyzer.derivations.judging.repair import Repair

__all__ = ["SIGNS", "code_of", "fit", "hint_of", "line_data", "lines_of", "sign_of", "verdict_of"]

#: Of a status: the sign, and the one for a terminal that has only ASCII.
SIGNS = {
    "given": ("·", "-"),
    "proved": ("✓", "ok"),
    "plausible": ("≈", "~"),
    "refuted": ("✗", "x"),
    "recovers": ("↩", "<-"),
    "undecided": ("?", "?"),
    "unreadable": ("!", "!"),
}
_PLAIN = {
    **dict(SIGNS.values()),
    "−": "-", "–": "-", "—": "-", "·": "*", "√": "sqrt", "²": "^2", "³": "^3", "½": "1/2",
    "≤": "<=", "≥": ">=", "≠": "!=", "ᵀ": "^T", "⁻": "^-", "¹": "1", "…": "...", "∞": "oo",
    "•": "*", "″": '"', "′": "'",
}  # fmt: skip
_INDENT = " " * 9
_PLACE = re.compile(r"^line \d+, ")
_MOST_REPAIRS = 10  # wrong lines of a derivation; each search takes up to two seconds
_COLUMN = re.compile(r"column (\d+)")


def code_of(checked: Iterable[CheckedDerivation]) -> int:
    """Return the exit code: 1 refuted, 2 unreadable, 3 undecided, 0 all follows."""
    found = {line.status for each in checked for line in each.lines}
    for status, code in (("refuted", 1), ("unreadable", 2), ("undecided", 3)):
        if status in found:
            return code
    return 0


def fit(text: str) -> str:
    """Return a text in the letters that standard output has: ASCII where it must be."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_letter(c, encoding) for c in text)
    except LookupError:
        return text
    return text


def sign_of(status: str) -> str:
    """Return the sign of a status, in the letters that standard output has, all equally wide."""
    if all(fit(sign) == sign for sign, _ in SIGNS.values()):
        return SIGNS[status][0]
    return f"{SIGNS[status][1]:<2}"


def _letter(letter: str, encoding: str) -> str:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        if letter in _PLAIN:
            return _PLAIN[letter]
        name = unicodedata.name(letter, "")
        if name.startswith("GREEK"):
            return name.split()[-1].lower().replace("lamda", "lambda")
        simple = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
        return simple or "?"
    return letter


def column_of(line: CheckedLine) -> int | None:
    """Return the column, from 1, at which a proved edit puts the line right, if it was searched."""
    found = _repair_of(line)
    return None if found is None else line.column + found.column + 1


def _repair_of(line: CheckedLine) -> Repair | None:
    """Return the repair, if it was searched for: see `search`."""
    found: Repair | None = line.__dict__.get("repair")
    return found


def hint_of(line: CheckedLine, level: int) -> str:
    """Return what is said of a line that is wrong, as a sentence after its number."""
    if line.status == "unreadable":
        return f"cannot be read: {_PLACE.sub('', ' '.join(line.reason.split()))}."
    whole = line.hint(max(level, 1))
    start = f"Line {line.number} "
    told = whole.removeprefix(start).replace(". At ", ".  At ", 1)
    column = column_of(line) if level in (2, 3) else None
    return f"{told}  Column {column}." if column is not None else told


def lines_of(
    checked: CheckedDerivation, *, level: int = 2, width: int = 100, first: int | None = None
) -> list[str]:
    """Return judged lines as text.

    Parameters
    ----------
    checked
        What was judged.
    level
        How much is said of a wrong line, from 1 to 4; 0: only that it is wrong.
    width
        Letters of a line of the screen.
    first
        Line of the file at which the derivation begins, where the two counts differ.
    """
    room = max((len(x.text) for x in checked.lines if x.status != "unreadable"), default=0)
    room = min(room, max(24, width - 55))
    rows: list[str] = []
    searched = _searched(search(checked, level), level)
    for line in checked.lines:
        place = f" (line {line.line} of the file)" if first is not None else ""
        told = level if line.status != "refuted" or line.number in searched else min(level, 2)
        rows += _wrong(line, told, width, place) if _is_wrong(line) else _right(line, room, width)
    return [fit(row) for row in rows]


def _searched(checked: CheckedDerivation, level: int) -> set[int]:
    """Return the numbers of the wrong lines whose repair is searched for: it takes a while."""
    wrong = [line.number for line in checked.lines if line.status == "refuted"]
    return set(wrong[:_MOST_REPAIRS]) if level >= 2 else set()


def search(checked: CheckedDerivation, level: int) -> CheckedDerivation:
    """Search for repairs now, while a sign of life is shown; returns the same lines."""
    searched = _searched(checked, level)
    for line in checked.lines:
        if line.number in searched:
            _ = line.repair
    return checked


def _is_wrong(line: CheckedLine) -> bool:
    return line.status in ("refuted", "unreadable")


def _head(line: CheckedLine) -> str:
    return f"line {line.number} {sign_of(line.status)} "


def _right(line: CheckedLine, room: int, width: int) -> list[str]:
    """Return a line that holds: its text, and how that is known."""
    head = _head(line)
    said = "given" if line.status == "given" else f"{line.status}: {line.reason}"
    if line.status == "given" and line.reason not in ("the first line", ""):
        said = f"given: {line.reason}"
    if line.against is None and line.reason.startswith("the same as"):
        said = "as given"
    if line.status == "recovers":
        above = f"line {line.against}" if line.against else "what is given"
        said = f"recovers: follows from {above}"
    if len(line.text) <= room and len(head) + room + 2 + len(said) <= width:
        return [f"{head}{line.text:<{room}}  {said}"]
    return [f"{head}{said}"[: 4 * width], *_text(line, width, None)]


def _wrong(line: CheckedLine, level: int, width: int, place: str) -> list[str]:
    """Return a line that does not follow: why, and the line itself with a caret."""
    said = hint_of(line, level) if level > 0 else "does not follow."
    whole = f"{_head(line)}{said}{place}"
    rows = textwrap.wrap(
        whole, width, subsequent_indent=_INDENT, break_on_hyphens=False, drop_whitespace=True
    )
    return [*rows, *_text(line, width, _caret(line, level))]


def _caret(line: CheckedLine, level: int) -> int | None:
    """Return where in the text of a line the caret stands."""
    if line.status == "unreadable":
        place = _COLUMN.search(line.reason)
        column = int(place[1]) - 1 - line.column if place else -1
        return column if 0 <= column <= len(line.text) else None
    found = _repair_of(line)
    return found.column if level >= 2 and found is not None else None


def _text(line: CheckedLine, width: int, caret: int | None) -> list[str]:
    room = width - len(_INDENT)
    shift = 0 if caret is None or caret < room - 4 else caret - room // 2
    text = line.text[shift:]
    text = text if len(text) <= room else f"{text[: room - 1]}…"
    rows = [f"{_INDENT}{'…' + text[1:] if shift else text}"]
    if caret is not None:
        rows.append(f"{_INDENT}{' ' * (caret - shift)}^")
    return rows


def verdict_of(checked: CheckedDerivation) -> str:
    """Return the last sentence: how many lines hold."""
    judged = [x for x in checked.lines if x.status != "given"]
    holds = sum(x.status in ("proved", "recovers") for x in judged)
    if not judged:
        return "There is nothing to check: the first line is given."
    parts = [f"{holds} of {len(judged)} {'step' if len(judged) == 1 else 'steps'} proved"]
    words = {"refuted": "do not follow", "unreadable": "cannot be read",
             "plausible": "plausible, not proved", "undecided": "undecided"}  # fmt: skip
    for status, said in words.items():
        count = sum(x.status == status for x in judged)
        shown = "does not follow" if count == 1 and status == "refuted" else said
        parts += [f"{count} {shown}"] if count else []
    wrong = checked.first_wrong
    first = f"; the first is line {wrong}" if wrong is not None else ""
    return f"{', '.join(parts)}{first}."


def line_data(checked: CheckedDerivation, level: int) -> dict[str, Any]:
    """Return judged lines as plain data, wrong ones with their hint."""
    data = checked.to_dict()
    lines: Sequence[dict[str, Any]] = data["lines"]
    searched, asked = _searched(search(checked, level), level), level
    for line, plain in zip(checked.lines, lines, strict=True):
        if not _is_wrong(line):
            continue
        level = asked if line.status != "refuted" or line.number in searched else min(asked, 2)
        plain["hint"] = line.hint(level) if level > 0 else ""
        if level >= 2 and line.status == "refuted":
            plain["edit_column"] = column_of(line)
        if level >= 4 and line.repair is not None:
            plain["repair"] = line.repair.text
        if level >= 3 and line.slip is not None:
            plain["slip"] = line.slip[1]
    if asked < 2:
        for plain in lines:
            plain["counterexample"] = None
    return data
