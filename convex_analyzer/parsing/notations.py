"""Letters of other sources: lecture 004 calls momentum alpha, and the rate epsilon."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from convex_analyzer.errors import InputError
from convex_analyzer.notation import SYMBOLS
from convex_analyzer.parsing.names import LETTERS, fold, printed

if TYPE_CHECKING:
    from convex_analyzer.parsing.symbols import Declaration, Symbols

__all__ = [
    "SOURCES",
    "greek_letters",
    "letters_hint",
    "letters_of",
    "mapping_of",
    "mapping_words",
    "readable_in",
]

_GREEK = {"a": "alpha", "l": "lambda", "u": "mu", "K": "kappa"}

#: The sources whose letters are known.
SOURCES: tuple[str, ...] = tuple(sorted({source for s in SYMBOLS for source in s.elsewhere}))


def source_named(words: str) -> str:
    """Return the source that is meant by a few words.

    Examples
    --------
    >>> source_named("Lecture 004"), source_named("torch")
    ('lecture004', 'torch')
    """
    plain = "".join(words.lower().split()).replace("_", "")
    if plain.startswith("lecture") and plain[7:].isdigit():
        plain = f"lecture{int(plain[7:]):03d}"
    if plain not in SOURCES:
        raise InputError(
            f"no table of the letters of {words!r}", argument="notation", value=words,
            hint=f"known are {', '.join(SOURCES)}",
        )  # fmt: skip
    return plain


def letters_of(symbols: Symbols, source: str) -> dict[str, tuple[Declaration, Any]]:
    """Return what each letter of a source stands for: a declared symbol, and its value.

    The value differs from the symbol where the source counts the other way round (1-γ).

    Examples
    --------
    >>> from convex_analyzer.parsing.symbols import Symbols
    >>> symbols = Symbols.of({"alpha": "positive", "mu": "unit interval"})
    >>> {letter: d.name for letter, (d, _) in letters_of(symbols, "lecture004").items()}
    {'epsilon': 'alpha', 'alpha': 'mu'}
    """
    found: dict[str, tuple[Declaration, Any]] = {}
    entries = [entry for entry in SYMBOLS if source in entry.elsewhere]
    entries.sort(key=lambda entry: entry.elsewhere[source].count(","))
    used: set[str] = set()
    for entry in entries:
        declared = _declared(symbols, entry.sympy)
        if declared is None or (declared.is_scalar and declared.name in used):
            continue
        if "-" in entry.elsewhere[source] and not declared.is_scalar:
            continue
        used.add(declared.name)
        for letter in entry.elsewhere[source].split(","):
            turned = letter.strip().startswith("1-")
            key = fold(letter.strip().removeprefix("1-"))
            value = 1 - declared.object if turned else declared.object
            found.setdefault(key, (declared, value))
    return dict(sorted(found.items(), key=lambda item: symbols.names.index(item[1][0].name)))


def _declared(symbols: Symbols, name: str) -> Declaration | None:
    """Return the symbol that is declared under one of our own letters."""
    for declared in symbols.declarations:
        if fold(name) in {fold(s) for s in (declared.name, *declared.aliases)}:
            return declared
    return None


def mapping_of(symbols: Symbols, source: str) -> dict[str, str]:
    """Return what the letters of a source stand for; see `Symbols.mapping`."""
    return {
        printed(key): f"{'1 - ' if value != declared.object else ''}{declared.letter}"
        for key, (declared, value) in letters_of(symbols, source_named(source)).items()
    }


def mapping_words(symbols: Symbols, source: str) -> str:
    """Return the mapping in words: ε is α, α is μ."""
    return ", ".join(f"{a} is {b}" for a, b in mapping_of(symbols, source).items())


def readable_in(symbols: Symbols, names: Iterable[str]) -> tuple[str, ...]:
    """Return the sources in whose letters all these names are known.

    Examples
    --------
    >>> from convex_analyzer.parsing.symbols import Symbols
    >>> readable_in(Symbols.of({"alpha": "positive", "mu": "unit interval"}), ["ε"])
    ('lecture004',)
    """
    wanted = {fold(name) for name in names if name not in symbols}
    if not wanted or symbols.notation:
        return ()
    return tuple(source for source in SOURCES if wanted <= set(letters_of(symbols, source)))


def letters_hint(symbols: Symbols, spelling: str) -> str:
    r"""Return in which letters an unknown name may be written; empty: nothing is known of it.

    Examples
    --------
    >>> from convex_analyzer.parsing.symbols import Symbols
    >>> symbols = Symbols.of({"a, l, K": "positive", "u": "unit interval"})
    >>> letters_hint(symbols, r"\kappa"), letters_hint(symbols, "ρ")
    ('write Latin letters: a for α, K for κ, l for λ, u for μ', '')
    """
    sources = readable_in(symbols, [spelling])
    if sources:
        words = mapping_words(symbols, sources[0])
        return f"in the letters of {sources[0]} ({words}) it is known: say so as the notation"
    base = re.match("[A-Za-z]+", fold(spelling))
    if base is None or base[0] not in LETTERS:
        return ""
    greek = dict.fromkeys(name.removeprefix("var") for name in LETTERS if name.islower())
    found = {name: _latin(symbols, name) for name in greek if name not in symbols}
    if not found.get(base[0]):
        return ""
    usual = (base[0], "alpha", "kappa", "lambda", "mu")
    shown = [(name, latin) for name, latin in found.items() if latin and name in usual]
    words = ", ".join(f"{latin} for {LETTERS[name]}" for name, latin in shown)
    return f"write Latin letters: {words}"


def greek_letters(symbols: Symbols) -> dict[str, tuple[str, ...]]:
    """Return the Greek letters under which Latin ones are known too, as aliases of `Symbols.of`.

    Those of the quantities that everybody writes in Greek, where nothing else is called so: a is α,
    l is λ, u is μ, K is κ.

    Examples
    --------
    >>> from convex_analyzer.parsing.symbols import Symbols
    >>> greek_letters(Symbols.of({"a, l": "positive", "K": "symmetric matrix"}))
    {'a': ('alpha',), 'l': ('lambda',)}
    >>> greek_letters(Symbols.of({"a, alpha": "positive"}))
    {}
    """
    found: dict[str, tuple[str, ...]] = {}
    for latin, greek in _GREEK.items():
        declared = symbols.find(latin)
        if declared is not None and declared.is_scalar and greek not in symbols:
            found[latin] = (greek,)
    return found


def _latin(symbols: Symbols, name: str) -> str:
    """Return the declared scalar that is written instead of a Greek letter."""
    for letter in {"mu": "um", "kappa": "Kk"}.get(name, name[0] + name[0].upper()):
        declared = symbols.find(letter)
        if declared is not None and declared.is_scalar:
            return letter
    return ""


def in_notation(symbols: Symbols, words: str) -> Symbols:
    """Return the symbols under the letters of another source; see `Symbols.in_notation`."""
    source = source_named(words)
    letters = letters_of(symbols, source)
    return dataclasses.replace(
        symbols, notation=source,
        letters=tuple((key, declared.name, value) for key, (declared, value) in letters.items()),
    )  # fmt: skip
