"""How a person writes products, powers and names, so that a repair looks like the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from convex_analyzer.parsing.names import GREEK, LETTERS, fold
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import Node

__all__ = ["Style"]

_PLAIN, _RAISED = "23456789", "²³⁴⁵⁶⁷⁸⁹"


@dataclass(frozen=True)
class Style:
    """The habits of one text.

    Attributes
    ----------
    latex
        Whether it is LaTeX.
    product
        Between two factors.
    power
        ``**`` or ``^``.
    plus
        Between two terms; ``minus`` likewise.
    names
        How the text spells each declared name.
    superscripts
        Whether powers are written x².
    """

    latex: bool
    product: str
    power: str
    plus: str
    minus: str
    names: dict[str, str]
    superscripts: bool = False

    @classmethod
    def of(cls, text: str, tree: Node, symbols: Symbols, *, latex: bool) -> Style:
        """Return the style of a text."""
        spaced = bool(re.search(r"\S [+\-−] \S", text)) or not re.search(r"[\w)][+\-−][\w(]", text)
        minus = "−" if "−" in text else "-"
        gap = " " if spaced else ""
        product = "*"
        if latex:
            product = " "
        elif " * " in text:
            product = " * "
        elif "*" not in text.replace("**", ""):
            sign = next((s for s in "·⋅×" if s in text), None)
            product = sign or ("*" if not _juxtaposed(tree) else " ")
        power = "^" if latex or ("^" in text and "**" not in text) else "**"
        raised = any(c in text for c in _RAISED)
        names = {d.name: _spelled(d.name, d.letter, text, latex) for d in symbols}
        for node in _names(tree):
            found = symbols.find(str(node.value))
            if found is not None:
                names[found.name] = text[node.start : node.end]
        return cls(latex, product, power, f"{gap}+{gap}", f"{gap}{minus}{gap}", names, raised)

    def raised(self, base: str, exponent: str) -> str:
        """Return a power.

        Examples
        --------
        >>> Style(False, "*", "**", "+", "-", {}).raised("x", "k + 1")
        'x**(k + 1)'
        """
        if self.latex:
            return f"{base}^{{{exponent}}}" if len(exponent) > 1 else f"{base}^{exponent}"
        if self.superscripts and exponent in _PLAIN:
            return f"{base}{_RAISED[_PLAIN.index(exponent)]}"
        plain = re.fullmatch(r"\w+", exponent)
        return f"{base}{self.power}{exponent if plain else f'({exponent})'}"

    def root(self, inner: str) -> str:
        """Return a square root."""
        return rf"\sqrt{{{inner}}}" if self.latex else f"sqrt({inner})"

    def grouped(self, inner: str) -> str:
        """Return something in brackets."""
        return rf"\left({inner}\right)" if self.latex and r"\left" in inner else f"({inner})"

    def absolute(self, inner: str) -> str:
        """Return an absolute value."""
        return f"|{inner}|" if self.latex else f"abs({inner})"

    def transposed(self, base: str) -> str:
        """Return a transpose."""
        return rf"{base}^\top" if self.latex else f"{base}.T"

    def inverted(self, base: str) -> str:
        """Return an inverse."""
        return f"{base}^{{-1}}" if self.latex else f"inv({base})"

    def sign(self, inner: str) -> str:
        """Return the sign of something."""
        return rf"\operatorname{{sign}}({inner})" if self.latex else f"sign({inner})"


def _names(tree: Node) -> list[Node]:
    found = [tree] if tree.kind == "name" else []
    for part in tree.args:
        found += _names(part)
    return found


def _juxtaposed(tree: Node) -> bool:
    """Whether a product is written without a sign somewhere."""
    if tree.kind == "product" and isinstance(tree.value, tuple) and "" in tree.value:
        return True
    return any(_juxtaposed(part) for part in tree.args)


def _spelled(name: str, letter: str, text: str, latex: bool) -> str:
    if latex and fold(name) in LETTERS:
        return f"\\{fold(name)}"
    if not latex and any(c in GREEK for c in text) and letter:
        return letter
    return name
