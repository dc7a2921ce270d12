r"""What numbers a line and is no part of it: ``(1) x``, ``x   (2)``, ``&& (3) \\``, ``a) x``."""

from __future__ import annotations

import itertools
import re

__all__ = ["bulleted", "label_end", "labels_of"]

_OPENING = re.compile(r"\s*(?:\d{1,3}[.):]|[a-z]\)|•|step\s+\d+\s*[:.])(?:\s+|$)", re.IGNORECASE)
_LEADING = re.compile(
    r"[ \t]*([(\[](\d{1,3}|[a-z])[)\]])(?:[ \t]+(?![+*/^=<>]|\\cdot)[^\n]|[ \t]*(?=\n|$))"
)
_UPRIGHT = re.compile(
    r"^[ \t]*(\\(?:text|mbox|mathrm)\s*\{\s*\(?(\d{1,3}|[a-z])[.):]{1,2}\s*\})", re.MULTILINE
)
_STAR = re.compile(r"[ \t]*(\*)[ \t]+()", re.MULTILINE)
_TRAILING = re.compile(
    r"(?<=[\w)}\]])[ \t&]+(\((\d{1,3})\))(?=[ \t]*(?:\\\\[ \t]*)?$)", re.MULTILINE
)
_FAR = re.compile(r"(?<=[\w)}\]])(?: {3,}|\t+)(\((\d{1,3})\))(?=[ \t]*$)", re.MULTILINE)
_CELL = re.compile(r"&[ \t]*(?:\\q?quad[ \t]*)?(\((\d{1,3})\))(?=\s*(?:\\\\|\\end|$))")
_BULLET = re.compile(r"[ \t]*[-−–][ \t]+\S")


def labels_of(text: str) -> dict[tuple[int, int], str]:
    r"""Return where brackets with the number of a line stand, and that number.

    ``(2)`` at the begin or the end of lines is a number where they count on from line to line,
    beginning with 0 or 1 (or three of them with any number); else it is a factor.

    Examples
    --------
    >>> labels_of("(1) x\n(2) y"), labels_of("(2) x\ny"), labels_of("x  (1)\ny  (2)")
    ({(0, 3): '1', (6, 9): '2'}, {}, {(3, 6): '1', (10, 13): '2'})
    """
    found = {match.span(1): match[2] for pattern in (_CELL, _FAR, _UPRIGHT) for match in
             pattern.finditer(text)}  # fmt: skip
    for matches in (
        [match for line in re.finditer(r"[^\n]+", text)
         if (match := _LEADING.match(text, line.start(), line.end()))],
        list(_TRAILING.finditer(text)),
    ):  # fmt: skip
        numbers = [_counted(match[2]) for match in matches]
        consecutive = all(b - a == 1 for a, b in itertools.pairwise(numbers))
        if consecutive and (len(numbers) > 2 or (len(numbers) == 2 and numbers[0] < 2)):
            found.update({match.span(1): match[2] for match in matches})
    if _STAR.match(text.lstrip("\n")):  # elsewhere * continues a product
        lines = re.finditer(r"[^\n]+", text)
        stars = [_STAR.match(text, line.start(), line.end()) for line in lines]
        found.update({star.span(1): "" for star in stars if star})
    return found


def _counted(label: str) -> int:
    """Return 2 for 2 and for b."""
    return int(label) if label.isdigit() else ord(label) - ord("a") + 1


def label_end(line: str) -> int:
    """Return where a line begins behind its point or number; 0: it has none.

    Examples
    --------
    >>> label_end("1. x"), label_end("b) x"), label_end("• x"), label_end("2 x")
    (3, 3, 2, 0)
    """
    opening = _OPENING.match(line)
    return opening.end() if opening else 0


def bulleted(text: str) -> bool:
    r"""Return whether each line, of two or more, begins with a minus and a space.

    Examples
    --------
    >>> bulleted("- x\n- y"), bulleted("- x\ny"), bulleted("- x")
    (True, False, False)
    """
    lines = [line for line in text.split("\n") if line.strip()]
    return len(lines) > 1 and all(_BULLET.match(line) for line in lines)
