"""Greek letters and mathematical signs spelt in ASCII, for terminals that have nothing else."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fits", "spell", "visible"]

_SIGNS = {
    "−": "-", "–": "-", "—": "-", "×": "x", "·": "*", "±": "+-", "∓": "-+", "≤": "<=", "≥": ">=",
    "≠": "!=", "≈": "~", "→": "->", "←": "<-", "↦": "->", "⇔": "<=>", "⇒": "=>", "∞": "inf",
    "√": "sqrt ", "∂": "d", "∇": "grad ", "∈": "in", "∉": "not in", "∠": "at", "°": " deg",
    "∥": "|", "…": "...", "•": "*", "′": "'", "½": "1/2", "⅓": "1/3", "¼": "1/4", "¾": "3/4",
    "\u00a0": " ", "‘": "'", "’": "'", "“": '"', "”": '"', "∑": "sum ", "∏": "prod ", "⋅": "*",
    "█": "#", "░": ".", "▏": " ", "▎": " ", "▍": " ", "▌": "#", "▋": "#", "▊": "#", "▉": "#",
    "─": "-", "━": "=", "│": "|", "✓": "ok", "✗": "x", "≡": "==", "⟨": "<", "⟩": ">", "ß": "ss",
}  # fmt: skip
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (\w+)$")


def fits(text: str, encoding: str | None) -> bool:
    """Tell whether text can be written in an encoding.

    Examples
    --------
    >>> fits("α = 0.5", "utf-8"), fits("α = 0.5", "latin-1"), fits("x", "no such encoding")
    (True, False, True)
    """
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    except LookupError:
        return True
    return True


_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """Return text in which a sign, U+FFFD, stands for what no writer could carry, nobody see.

    Control characters, lone surrogates and marks of direction; lines stay lines.

    Examples
    --------
    >>> visible("a" + chr(0) + chr(0xD800) + "b").isprintable()
    True
    """
    return _UNSEEN.sub("\ufffd", text.replace("\r\n", "\n").replace("\t", "    "))


def spell(text: str, following: str = "") -> str:
    """Return text in ASCII.

    Parameters
    ----------
    text
        Anything.
    following
        What stands behind it, where it is a piece of something longer.

    Examples
    --------
    >>> spell("0 < α < 2/λmax; (1 − αλ)² ≤ ½, θ₁")
    '0 < alpha < 2/lambda_max; (1 - alpha*lambda)^2 <= 1/2, theta1'
    """
    if text.isascii():
        return text
    pieces, before = [], ""
    for place, letter in enumerate(text):
        after = text[place + 1 : place + 2] or following[:1]
        pieces.append(letter if letter.isascii() else _spelt(before, letter, after))
        before = letter
    return "".join(pieces)


def _spelt(before: str, letter: str, after: str) -> str:
    """Return one letter in ASCII; a Greek or a raised one is joined to the letter behind it."""
    if letter in _SIGNS:
        return _SIGNS[letter]
    is_joined = after.isalpha() and not _raised(after) and not _lowered(after)
    joint = "*" if _GREEK.match(unicodedata.name(after or " ", "")) else "_"
    greek = _GREEK.match(unicodedata.name(letter, ""))
    if greek:
        word = greek[2].replace("LAMDA", "LAMBDA").removeprefix("FINAL")
        word = word.lower() if greek[1] == "SMALL" else word.title()
        return word + (joint if is_joined else "")
    if _raised(letter):
        return ("" if _raised(before) else "^") + _bare(letter) + ("*" if is_joined else "")
    return _bare(letter) or "?"


def _raised(letter: str) -> bool:
    return unicodedata.decomposition(letter).startswith("<super>") if letter else False


def _lowered(letter: str) -> bool:
    return unicodedata.decomposition(letter).startswith("<sub>") if letter else False


def _bare(letter: str) -> str:
    """Return a letter without its accent or its place above or below the line."""
    plain = unicodedata.normalize("NFKD", letter)
    return "".join(_SIGNS.get(part, part) for part in plain).encode("ascii", "ignore").decode()
