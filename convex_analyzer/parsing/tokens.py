"""Tokens, the text they come from, and the characters that no text may contain."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.names import GREEK, SUBSCRIPTS, SUPERSCRIPTS

__all__ = [
    "DEEPEST",
    "LONGEST",
    "MOST_TOKENS",
    "Node",
    "Source",
    "Token",
    "plain_letter",
    "visible",
]

LONGEST = 4000  # characters of one statement
MOST_TOKENS = 800
DEEPEST = 40  # nested brackets
_SIGNS = "−–·⋅∗×÷≤≥⩽⩾≠≈⇒⟹⇔⟺⇐∈∧∨¬‖√∞½⅓¼¾⅔⅛′″⋆ᵀ⊤∇∑∏∂→←↦≡±∓≪≫∼∝…⟨⟩ℝℕ"
_ACCENTS = "\u0302\u0303\u0304\u0305\u0307\u20d7"
_SPACES = "\u00a0\u2007\u2009\u202f\u2002\u2003\u2005"
_ALLOWED = frozenset({*GREEK, *SUBSCRIPTS, *SUPERSCRIPTS, *_SIGNS, *_ACCENTS, *_SPACES})
_MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff]")
_HIDDEN = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_STRANGE = re.compile(r"[^\x20-\x7e\t\n]")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text: what it is, what it means, where it stands."""

    kind: str
    value: str
    start: int
    end: int
    spaced: bool = False  # a space stands before it


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree that both readers make: what it is, its parts, where it stands."""

    kind: str
    start: int
    end: int
    args: tuple[Node, ...] = ()
    value: Any = None


@dataclass(frozen=True)
class Source:
    """The text that errors point into.

    Attributes
    ----------
    text
        What is read.
    written
        As the person wrote it, where remarks and labels are still in place; of the same length.
    """

    text: str
    written: str = ""

    @functools.cached_property
    def plain(self) -> str:
        """The text with plain letters for mathematical ones, at the same places."""
        return _MATHEMATICAL.sub(lambda m: plain_letter(m[0]) or m[0], self.text)

    def place(self, position: int) -> tuple[int, int]:
        """Return line (from 1) and column (from 0) of a position."""
        before = (self.written or self.text)[: max(0, position)]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)

    def error(self, message: str, position: int, hint: str = "") -> ParseError:
        """Return an error that points at a position."""
        number, column = self.place(min(position, len(self.text)))
        line = (self.written or self.text).split("\n", number)[number - 1]
        if len(line) > 400:
            line, column = line[:397] + "...", min(column, 400)
        line = visible(line)
        where = f"column {column + 1}"
        if "\n" in self.text:
            where = f"line {number}, {where}"
        return ParseError(f"{where}: {message}", text=line, column=column, hint=hint)

    def check(self, start: int, end: int, longest: int = LONGEST) -> None:
        """Refuse what no statement contains, before anything else looks at it."""
        if end - start > longest:
            raise self.error(f"longer than {longest} characters", start, "write shorter lines")
        if self.text.isascii() and not _STRANGE.search(self.text, start, end):
            return
        for match in _STRANGE.finditer(self.text, start, end):
            letter = match[0]
            if letter not in _ALLOWED and not plain_letter(letter) and not _accented(letter):
                raise self.error(*_refusal(letter, match.start()))


def visible(text: str) -> str:
    r"""Return a text with a sign in place of each control or invisible character.

    What a stranger wrote is printed on terminals and in reports.

    Examples
    --------
    >>> visible("x\x1b[2J")
    'x�[2J'
    """
    return _STRANGE.sub(lambda m: "\ufffd" if unicodedata.category(m[0]) in _HIDDEN else m[0], text)


def plain_letter(letter: str) -> str:
    """Return the plain letter of a mathematical one (𝑥 from a PDF file), or an empty text.

    Examples
    --------
    >>> plain_letter("𝑥"), plain_letter("𝛼"), plain_letter("а") == ""
    ('x', 'α', True)
    """
    if not "\U0001d400" <= letter <= "\U0001d7ff":
        return ""
    plain = unicodedata.normalize("NFKC", letter)
    return plain if len(plain) == 1 and (plain.isascii() or plain in GREEK) else ""


def _accented(letter: str) -> bool:
    """Return whether it is a plain letter with an accent in one character, such as ḡ."""
    parts = unicodedata.normalize("NFD", letter)
    return len(parts) == 2 and parts[0].isascii() and parts[0].isalpha() and parts[1] in _ACCENTS


def _refusal(letter: str, position: int) -> tuple[str, int, str]:
    """Return message, position and hint for a character that is not read."""
    code = f"U+{ord(letter):04X}"
    name = unicodedata.name(letter, "a control character").lower()
    kind = unicodedata.category(letter)
    if kind in _HIDDEN:
        return f"an invisible character ({code}, {name})", position, "delete it"
    if kind.startswith("L"):
        return (
            f"{letter!r} is {code}, {name}",
            position,
            "it only looks like a letter that is read: type it again",
        )
    return f"{letter!r} ({code}, {name}) is not read", position, "use the usual signs"
