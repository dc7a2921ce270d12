"""A name that is declared a second time: in the same way, or as something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convex_analyzer.errors import InputError
from convex_analyzer.parsing.names import fold

if TYPE_CHECKING:
    from convex_analyzer.parsing.symbols import Declaration, Symbols

__all__ = ["said_before", "twice"]


def said_before(symbols: Symbols, other: Declaration) -> bool:
    """Tell whether a name is declared already, in the same way or as more than a real number.

    Examples
    --------
    >>> from convex_analyzer.parsing.symbols import Declaration, Symbols
    >>> symbols = Symbols.of({"mu": "unit interval"})
    >>> [said_before(symbols, Declaration.of("μ", kind)) for kind in ("real", "negative")]
    [True, False]
    """
    own = symbols.find(other.name)
    if own is None or fold(own.name) != fold(other.name):
        return False
    return own.kind == other.kind or (other.kind == "real" and own.is_scalar and own.object.is_real)


def twice(spelling: str, known: Declaration, other: Declaration) -> InputError:
    """Return the error of a name that would be two symbols."""
    both = f"{known.name}, {other.name}"
    if known.name == other.name:
        both = f"as {known.kind} and as {other.kind}"
    return InputError(
        f"symbols: {spelling!r} is declared twice ({both}), and one name cannot be two symbols",
        argument="symbols",
    )
