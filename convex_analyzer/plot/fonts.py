"""Fonts of this machine for letters that ours lack: names of columns may be in any script.

Only where a label needs one is a font of the machine looked for; then, and only then, what is drawn
depends on it.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["covering", "foreign", "lacking", "lent", "sign_words"]

_OURS = ("DejaVu Sans", "STIXGeneral")  # both come with Matplotlib
# not Latin, Greek, Cyrillic, Armenian; phonetic letters, arrows, signs of mathematics, shapes
_RARE = re.compile("[^\u0000-\u058f\u1d00-\u2c7f]")
_SHOWN = 12  # letters that no font has
_PLAIN = ("Lu", "Ll", "Lt", "Lm", "Lo", "So", "Nd", "Nl")  # letters, digits, pictures


def foreign(text: str) -> str:
    """Return the letters of a text that none of our fonts has, each one once, in order.

    Examples
    --------
    >>> foreign("price 価格, цена, 価")
    '価格'
    """
    rare = set(_RARE.findall(text))
    lacking = {
        letter
        for letter in rare
        if unicodedata.category(letter) in _PLAIN
        and not unicodedata.name(letter, "").startswith("MATHEMATICAL")
        and ord(letter) not in _known()
    }
    return "".join(sorted(lacking, key=text.index))


@functools.cache
def _known() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont

    paths = [findfont(FontProperties(family=[name])) for name in _OURS]
    return frozenset().union(*map(_letters_in, paths))


def _letters_in(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError):  # no font after all, or one of a kind that cannot be drawn
        return frozenset()


@functools.lru_cache(maxsize=64)
def covering(letters: str) -> tuple[tuple[Path, ...], str]:
    """Return files of fonts on this machine that have letters, and the letters that none has.

    Parameters
    ----------
    letters
        As `foreign` returns them.
    """
    from matplotlib.font_manager import findSystemFonts

    found: list[Path] = []
    left = letters
    for path in sorted(findSystemFonts(), key=_plainness) if letters else ():
        has = _letters_in(path)
        rest = "".join(letter for letter in left if ord(letter) not in has)
        if rest != left:
            found.append(Path(path))
            left = rest
        if not left:
            break
    return tuple(found), left


def _plainness(path: str) -> tuple[bool, bool, bool, str]:
    """Put plain fonts first: sans serif, regular."""
    name = Path(path).stem.lower()
    return "regular" not in name, "sans" not in name, "mono" in name, name


def lacking(figure: Figure) -> str:
    """Return the letters in a figure that no font on this machine has."""
    from matplotlib.text import Text

    texts: list[Any] = figure.findobj(Text)
    return covering(foreign("".join(text.get_text() for text in texts)))[1]


def sign_words(letters: str) -> str:
    """Say that no font has some letters.

    Examples
    --------
    >>> sign_words("価格")
    'No font on this machine has 価格: framed signs stand for these letters.'
    """
    shown = f"{letters[:_SHOWN]}{'…' if len(letters) > _SHOWN else ''}"
    return f"No font on this machine has {shown}: framed signs stand for these letters."


@contextlib.contextmanager
def lent(figure: Figure) -> Iterator[tuple[Path, ...]]:
    """Let the texts of a figure use fonts of this machine for a while, if they need some: these."""
    from matplotlib.font_manager import FontProperties, fontManager
    from matplotlib.text import Text

    texts: list[Any] = figure.findobj(Text)
    files, _ = covering(foreign("".join(text.get_text() for text in texts)))
    before = [text.get_fontfamily() for text in texts] if files else []
    known = {font.fname for font in fontManager.ttflist} if files else set()
    for file in files:
        if str(file) not in known:
            fontManager.addfont(file)
    names = [FontProperties(fname=file).get_name() for file in files]
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    try:
        if files:
            log.setLevel(logging.ERROR)  # that a font has no bold letters is no news
        for text, family in zip(texts, before, strict=False):
            text.set_fontfamily([*family, *names])
        yield files
    finally:
        log.setLevel(level)
        for text, family in zip(texts, before, strict=False):
            text.set_fontfamily(family)
