"""One-edit changes of a student's own text: what a slip of the pen is, undone."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from math import gcd

from convex_analyzer.derivations.judging.edit_base import (
    ATOMS,
    Changes,
    Splice,
    nodes_of,
)
from convex_analyzer.derivations.judging.edit_factors import FactorEdits
from convex_analyzer.derivations.judging.edit_operands import OperandEdits
from convex_analyzer.derivations.judging.edit_terms import TermEdits
from convex_analyzer.derivations.judging.styles import Style
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import Node

__all__ = ["Edit", "edits"]


@dataclass(frozen=True)
class Edit:
    """One change of a text.

    Attributes
    ----------
    kind
        What it undoes: "sign", "factor lost" ...
    column
        Where, from 0.
    text
        The whole text, changed.
    cost
        How far from the student's text: characters changed, and what people rarely slip on.
    """

    kind: str
    column: int
    text: str
    cost: float


_RARE = {"symbol": 1.5, "term too many": 3.0, "number": 0.5, "multiplied or divided": 1.0,
         "power too many": 1.0, "complement": 2.0, "added or multiplied": 2.0,
         "term lost": 3.0}  # fmt: skip


def edits(text: str, tree: Node, symbols: Symbols, *, latex: bool = False) -> list[Edit]:
    """Return all one-edit changes of a text, the closest first.

    Parameters
    ----------
    text
        As the student wrote it.
    tree
        As it was read, with places in `text`.
    symbols
        What is declared.
    latex
        Whether the text is LaTeX.
    """
    maker = _Maker(text, symbols, Style.of(text, tree, symbols, latex=latex))
    found: dict[str, Edit] = {}
    for kind, splices in _everywhere(text, maker.all(tree)):
        changed = text
        for start, end, new in sorted(splices, reverse=True):
            changed = changed[:start] + new + changed[end:]
        changed = _clean(changed)
        size = 0.0 + sum(_distance(text[start:end], new) for start, end, new in splices)
        size += _RARE.get(kind, 0.0) + _ugliness(changed) - _ugliness(text)
        size += 0.3 * _depth(text, min(s[0] for s in splices))
        size += 0.2 * (kind == "sign" and splices[0][0] == splices[0][1])  # -x + y for x - y
        edit = Edit(kind, min(s[0] for s in splices), changed, size)
        known = found.get(changed)
        if changed != text and (known is None or edit.cost < known.cost):
            found[changed] = edit
    return sorted(found.values(), key=lambda e: (e.cost, e.column, e.text))


def _everywhere(text: str, changes: Changes) -> Changes:
    """Yield changes, and each change of a part that occurs twice made at every place."""
    same: dict[tuple[str, str, str], set[Splice]] = {}
    for kind, splices in changes:
        yield kind, splices
        if len(splices) == 1 and splices[0][0] < splices[0][1]:
            start, end, new = splices[0]
            same.setdefault((kind, text[start:end], new), set()).add(splices[0])
    for (kind, _, _), places in same.items():
        ordered = sorted(places)
        apart = all(a[1] <= b[0] for a, b in itertools.pairwise(ordered))
        if len(ordered) > 1 and apart:
            yield kind, ordered


def _depth(text: str, place: int) -> int:
    return sum((c in "([{") - (c in ")]}") for c in text[:place])


def _ugliness(text: str) -> float:
    """Return a penalty for fractions in fractions, and for those that are not reduced."""
    nested = len(re.findall(r"/\([^()]*/", text))
    reducible = sum(gcd(int(a), int(b)) > 1 for a, b in re.findall(r"\b(\d+)/(\d+)\b", text))
    before = len(re.findall(r"\d\s*\\[td]?frac", text))  # a number goes into the fraction
    return 12.0 * nested + reducible + before


def _distance(old: str, new: str) -> int:
    """Return how many characters differ, apart from what both begin and end with."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return max(len(old), len(new)) - start - end


def _clean(text: str) -> str:
    """Return a text without brackets round a single sign of an exponent, or a doubled sign."""
    text = re.sub(r"(\*\*|\^)\((\w+)\)", r"\1\2", text)
    text = re.sub(r"\^\{\((\w+)\)\}", r"^{\1}", text)
    text = re.sub(r"([+\-−]) -(?=\w)", lambda m: "- " if m[1] == "+" else "+ ", text)
    return text.strip()


class _Maker(FactorEdits, TermEdits, OperandEdits):
    """Walks through a tree and yields what could be changed."""

    def all(self, tree: Node) -> Changes:
        """Yield the kind and the splices of every change."""
        groups = [n for n in nodes_of(tree) if n.kind == "group" and self.inner(n).kind == "sum"]
        short = {self.of(n) for n in groups if n.end - n.start < 20 and not self.is_matrix(n)}
        self.brackets = sorted(short)[:3]
        powers = [n.args[1] for n in nodes_of(tree) if n.kind == "power"]
        self.exponents = [(n.start, n.end) for n in powers]
        for part in self.tops(tree):
            yield from self.whole(part)
        yield from self.walk(tree, None)

    def tops(self, tree: Node) -> list[Node]:
        """Return the sides of a relation, or the whole."""
        if tree.kind in ("relation", "logic") or (
            tree.kind == "call" and tree.value in ("Eq", "Lt", "Le", "Gt", "Ge", "And", "Or")
        ):
            return [top for part in tree.args for top in self.tops(part)]
        return [tree]

    def whole(self, node: Node) -> Changes:
        """Yield changes of a whole side that is a sum or a single product."""
        text, style = self.of(node), self.style
        inner = style.grouped(text)
        if node.kind not in ("sum", "sign"):
            yield "sign", [(node.start, node.start, "-")]
        if node.kind == "sum":
            yield "sign", [(node.start, node.end, f"-{inner}")]
            yield "factor 2 lost", [(node.start, node.end, f"2{style.product}{inner}")]
            yield "factor 1/2 lost", [(node.start, node.end, f"{inner}/2")]
        if node.kind in ("sum", "product", "fraction"):
            yield "square forgotten", [(node.start, node.end, style.raised(inner, "2"))]
            yield "root forgotten", [(node.start, node.end, style.root(text))]
            yield "absolute value forgotten", [(node.start, node.end, style.absolute(text))]
        elif node.kind not in ("power", "group", "sign"):
            yield "square forgotten", [(node.end, node.end, style.raised("", "2"))]

    def walk(self, node: Node, parent: Node | None) -> Changes:
        """Yield changes of a node and of its parts."""
        method = getattr(self, f"on_{node.kind}", None)
        if method is not None:
            yield from method(node, parent)
        if self.is_term(node, parent):
            yield from self.term(node, parent)
        if node.kind in ATOMS or node.kind == "transpose":
            yield from self.atom(node, parent)
        for part in node.args:
            if not (
                node.kind == "call" and node.value in ("Sum", "Product") and part.kind == "tuple"
            ):
                yield from self.walk(part, node)
            else:
                for bound in part.args[1:]:
                    yield from self.walk(bound, part)
