"""Edits of sums, signs, numbers, names and relations."""

from __future__ import annotations

import re

from convex_analyzer.derivations.judging.edit_base import Changes, Walker, nodes_of
from convex_analyzer.parsing.symbols import Declaration
from convex_analyzer.parsing.tokens import Node

__all__ = ["TermEdits"]

_SIMPLE = frozenset({"name", "number", "power", "product", "call"})
_RELATIONS = (
    ("<=", ">=", "<"), (">=", "<=", ">"), ("≤", "≥", "<"), ("≥", "≤", ">"),
    (r"\leq", r"\geq", "<"), (r"\geq", r"\leq", ">"), (r"\le", r"\ge", "<"),
    (r"\ge", r"\le", ">"), ("<", ">", "<="), (">", "<", ">="),
)  # fmt: skip


class TermEdits(Walker):
    """Yields changes of terms."""

    def on_sum(self, node: Node, parent: Node | None) -> Changes:
        """Yield changes of a sum."""
        parts, signs = list(node.args), list(node.value)
        for j, part in enumerate(parts):
            if j == 0:
                follow = self.text[part.end : parts[1].start]
                rest = "-" if signs[1] == "-" else ""
                yield "term too many", [(part.start, part.end + len(follow), rest)]
                if part.kind != "sign":
                    yield "sign", [(part.start, part.start, "-")]
                continue
            gap = self.text[parts[j - 1].end : part.start]
            place = parts[j - 1].end + next(i for i, c in enumerate(gap) if c in "+-−–")
            new = ("-" if "−" not in self.text else "−") if signs[j] == "+" else "+"
            yield "sign", [(place, place + 1, new)]
            if part.kind != "sign" and "1" not in (self.of(part), self.of(parts[j - 1])):
                times = self.style.product
                flipped = [(place, place + 1, times.strip() or "*")]
                if self.text[place - 1] == " " and part.start > place + 1 and " " not in times:
                    flipped = [(place - 1, part.start, times)]
                yield "added or multiplied", flipped
            yield "term too many", [(parts[j - 1].end, part.end, "")]
        if len(parts) == 2 and signs[1] == "-" and all(p.kind in _SIMPLE for p in parts):
            yield "sign", [self.put(parts[0], parts[1]), self.put(parts[1], parts[0])]
        yield from self.swapped(node)
        del parent

    def swapped(self, node: Node) -> Changes:
        """Yield two names of different terms, each in the place of the other."""
        places = [
            (j, n) for j, part in enumerate(node.args) for n in nodes_of(part) if n.kind == "name"
        ]
        if len(places) > 6:
            return
        for k, (i, first) in enumerate(places):
            for j, second in places[k + 1 :]:
                if i != j and self.of(first) != self.of(second):
                    both = [self.put(first, second), self.put(second, first)]
                    yield "symbols exchanged", both

    def on_sign(self, node: Node, parent: Node | None) -> Changes:
        """Yield a sign taken away."""
        yield "sign", [(node.start, node.args[0].start, "")]

    def on_number(self, node: Node, parent: Node | None) -> Changes:
        """Yield other numbers."""
        text = self.of(node)
        if not re.fullmatch(r"[0-9]{1,6}", text):
            return
        value = int(text)
        raised = parent is not None and parent.kind == "power" and node is parent.args[1]
        factor = parent is not None and parent.kind == "product"
        first = factor and parent is not None and node is parent.args[0]
        kind = "exponent off by one" if self.in_exponent(node) else "number"
        others = {value + 1, value - 1, 2 * value, 10 * value} | ({1, 2} if value == 0 else set())
        others |= {value // d for d in (2, 3, 10) if value % d == 0}
        for new in sorted(others - {value, 0}):
            over = first and parent is not None and parent.value[1] == "/"
            if new == 1 and (raised or (factor and not over)):
                continue  # nobody writes x**1 or 1*x
            yield kind, [(node.start, node.end, str(new))]

    def on_name(self, node: Node, parent: Node | None) -> Changes:
        """Yield other names."""
        found = self.symbols.find(str(node.value))
        if found is None:
            return
        for other in self.rivals(found):
            yield "symbol", [(node.start, node.end, self.style.names[other.name])]
        if found.is_scalar and not (parent is not None and parent.kind == "power"):
            text = self.of(node)
            for sign in (self.style.minus, self.style.plus):
                new = f"1{sign}{text}"
                bare = parent is None or parent.kind in ("group", "call")
                yield "complement", [(node.start, node.end, new if bare else f"({new})")]
                for other in self.scalars[:6]:
                    if other != found and not bare and len(self.scalars) <= 6:
                        longer = f"({text}{sign}{self.style.names[other.name]})"
                        yield "term lost", [(node.start, node.end, longer)]

    def rivals(self, found: Declaration) -> list[Declaration]:
        """Return what a name could be mistaken for."""
        others = self.scalars if found.is_scalar else self.matrices
        return [d for d in others if d != found and found.is_vector == d.is_vector]

    def on_relation(self, node: Node, parent: Node | None) -> Changes:
        """Yield other signs of a relation."""
        for j in range(1, len(node.args)):
            low, high = node.args[j - 1].end, node.args[j].start
            gap = self.text[low:high]
            for sign, reverse, other in _RELATIONS:
                if sign in gap:
                    at = low + gap.index(sign)
                    yield "inequality not reversed", [(at, at + len(sign), reverse)]
                    kind = (
                        "boundary included"
                        if len(other) < len(sign) or sign in "≤≥"
                        else ("boundary excluded")
                    )
                    yield kind, [(at, at + len(sign), other)]
                    break
