"""Edits of products and terms: factors lost, too many, upside down, in another order."""

from __future__ import annotations

from convex_analyzer.derivations.judging.edit_base import STATEMENTS, Changes, Splice, Walker
from convex_analyzer.parsing.tokens import Node

__all__ = ["FactorEdits"]


class FactorEdits(Walker):
    """Yields changes of factors."""

    def is_term(self, node: Node, parent: Node | None) -> bool:
        """Whether a node stands as a term: of a sum, alone in brackets, as a side."""
        if node.kind in ("sum", "relation", "logic", "tuple", "sign", "row", "matrix"):
            return False
        if node.kind == "call" and node.value in STATEMENTS:
            return False
        return parent is None or parent.kind not in ("product", "power", "transpose", "fraction")

    # -- terms and factors ----------------------------------------------------------------------

    def further(self) -> list[str]:
        """Return what may be a factor that was lost: symbols, their signs, brackets of the text."""
        names = [self.style.names[d.name] for d in self.scalars]
        signed = [
            self.style.sign(self.style.names[d.name])
            for d in self.scalars
            if d.kind in ("real", "nonzero")
        ]
        return names + signed + self.brackets

    def present(self, node: Node) -> set[str]:
        """Return the factors and the bases of the powers in a term."""
        parts = node.args if node.kind == "product" else (node,)
        found = {self.of(p) for p in parts}
        return found | {self.of(p.args[0]) for p in parts if p.kind == "power"}

    def term(self, node: Node, parent: Node | None) -> Changes:
        """Yield a factor more: a number, or a symbol."""
        style, times = self.style, self.style.product
        front, back = self.slots(node)
        yield "factor 2 lost", [(node.start, node.start, f"2{'' if style.latex else times}")]
        yield (
            "factor 1/2 lost",
            [(back, back, "/2")] if not style.latex else [(node.start, node.start, r"\tfrac12 ")],
        )
        if parent is None:
            yield "factor 1/4 lost", [(back, back, "/4")]
        present = self.present(node)
        one = self.text[node.start : front] == "1"
        for name in self.further():
            if name in present:
                continue
            new = [(node.start, front, name)] if one else [(front, front, f"{times}{name}")]
            if front == node.start:
                new = [(front, front, f"{name}{times}")]
            yield "factor lost", new
            if not style.latex:
                yield "factor lost", [(back, back, f"/{name}")]
        if node.kind != "product":
            yield from self.matrix_factors(node, [node])

    def slots(self, node: Node) -> tuple[int, int]:
        """Return where a further factor goes: behind a plain first one, or before; and the end."""
        if node.kind != "product":
            plain = node.kind in ("name", "number")
            return node.end if plain else node.start, node.end
        first = node.args[0]
        return first.end if first.kind in ("name", "number") else node.start, node.end

    def matrix_factors(self, node: Node, parts: list[Node]) -> Changes:
        """Yield a matrix more, before or behind any factor."""
        del node
        times = self.style.product
        for d in self.matrices:
            name = self.style.names[d.name]
            for spelled in (name, self.style.transposed(name)):
                yield "factor lost", [(parts[0].start, parts[0].start, f"{spelled}{times}")]
                for part in parts:
                    yield "factor lost", [(part.end, part.end, f"{times}{spelled}")]

    def on_product(self, node: Node, parent: Node | None) -> Changes:
        """Yield changes of a product."""
        parts, signs = list(node.args), list(node.value)
        for j in range(1, len(parts)):
            gap = self.text[parts[j - 1].end : parts[j].start]
            at = parts[j - 1].end
            sign = signs[j]
            if sign in ("*", "/"):
                token = next((t for t in ("*", "·", "⋅", "×", "/", r"\cdot") if t in gap), None)
                if token:
                    place = at + gap.index(token)
                    new = "/" if sign == "*" else "*"
                    yield "multiplied or divided", [(place, place + len(token), new)]
            matrices = any(self.is_matrix(p) for p in parts[j - 1 : j + 1])
            if sign == "/" or matrices:
                kind = "upside down" if sign == "/" else "order of a product"
                yield kind, [self.put(parts[j - 1], parts[j]), self.put(parts[j], parts[j - 1])]
        if signs.count("/") == 1 and len(parts) > 2:
            below = parts[signs.index("/")]
            for part in parts[: signs.index("/") - 1]:
                yield "upside down", [self.put(part, below), self.put(below, part)]
        for j in range(len(parts)):
            yield "factor too many", [self.dropped(parts, signs, j)]
        yield from self.over(parts, signs)
        yield from self.matrix_factors(node, parts)
        yield from self.exchanged(parts)

    def over(self, parts: list[Node], signs: list[str]) -> Changes:
        """Yield h/10 for 10h, and b*d/c for b/(c*d)."""
        if len(parts) == 2 and signs[1] == "*" and not any(map(self.is_matrix, parts)):
            (first, second), whole = parts, (parts[0].start, parts[1].end)
            yield "upside down", [(*whole, f"{self.of(second)}/{self.put(first, first)[2]}")]
        for j in range(1, len(parts)):
            below = self.inner(parts[j])
            if signs[j] != "/" or below.kind != "product" or "/" in below.value:
                continue
            for part in below.args:
                rest = [self.of(p) for p in below.args if p is not part]
                under = self.style.product.join(rest)
                under = under if len(rest) == 1 else f"({under})"
                moved = f"{self.style.product}{self.of(part)}/{under}"
                yield "multiplied or divided", [(parts[j - 1].end, parts[j].end, moved)]

    def dropped(self, parts: list[Node], signs: list[str], j: int) -> Splice:
        """Return the splice that takes a factor out of a product."""
        if j:
            return parts[j - 1].end, parts[j].end, ""
        if signs[1] == "/":
            return parts[0].start, parts[0].end, "1"
        return parts[0].start, parts[1].start, ""

    def exchanged(self, parts: list[Node]) -> Changes:
        """Yield Q ... Qᵀ for Qᵀ ... Q."""
        turned = {self.of(p.args[0]): p for p in parts if p.kind == "transpose"}
        for part in parts:
            other = turned.get(self.of(part))
            if other is not None:
                kind = "transposes exchanged"
                yield kind, [self.put(part, other), self.put(other, part)]
