"""What all edits share: the text of a node, what stands in brackets, what is a matrix."""

from __future__ import annotations

from collections.abc import Iterator

from convex_analyzer.derivations.judging.styles import Style
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import Node

__all__ = ["ATOMS", "STATEMENTS", "Changes", "Splice", "Walker", "nodes_of"]

Splice = tuple[int, int, str]
Changes = Iterator[tuple[str, list[Splice]]]
ATOMS = frozenset({"name", "number", "group", "call", "abs", "norm", "fraction", "apply"})
STATEMENTS = frozenset({"Eq", "Lt", "Le", "Gt", "Ge", "And", "Or", "Ne"})


class Walker:
    """Knows one text and what is declared."""

    def __init__(self, text: str, symbols: Symbols, style: Style) -> None:
        self.text, self.symbols, self.style = text, symbols, style
        self.scalars = [d for d in symbols if d.is_scalar]
        self.matrices = [
            d for d in symbols if d.is_vector or (d.is_matrix and d.kind != "identity matrix")
        ]
        self.brackets: list[str] = []
        self.exponents: list[tuple[int, int]] = []

    def in_exponent(self, node: Node) -> bool:
        """Whether a node stands in an exponent."""
        return any(low <= node.start and node.end <= high for low, high in self.exponents)

    def of(self, node: Node) -> str:
        """Return the text of a node."""
        return self.text[node.start : node.end]

    def put(self, place: Node, other: Node) -> Splice:
        """Return the splice that writes one factor in the place of another."""
        text = self.of(other)
        if other.kind in ("sum", "sign") or (other.kind == "product"):
            text = self.style.grouped(text)
        return place.start, place.end, text

    def is_matrix(self, node: Node) -> bool:
        """Whether a matrix or vector occurs in a node."""
        if node.kind == "name":
            found = self.symbols.find(str(node.value))
            return found is not None and not found.is_scalar
        return any(self.is_matrix(part) for part in node.args)

    def inner(self, node: Node) -> Node:
        """Return what stands inside brackets."""
        while node.kind == "group" and len(node.args) == 1:
            node = node.args[0]
        return node


def nodes_of(node: Node) -> list[Node]:
    """Return a node and all below it."""
    return [node, *(n for part in node.args for n in nodes_of(part))]
