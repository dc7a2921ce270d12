"""Edits of powers, roots, transposes, and of what stands round an operand."""

from __future__ import annotations

import re

from convex_analyzer.derivations.judging.edit_base import ATOMS, STATEMENTS, Changes, Walker
from convex_analyzer.parsing.tokens import Node

__all__ = ["OperandEdits"]


class OperandEdits(Walker):
    """Yields changes of operands."""

    def on_power(self, node: Node, parent: Node | None) -> Changes:
        """Yield changes of a power."""
        base, exponent = node.args
        if node.end == base.end or exponent.start < base.end:
            return
        kind = {"2": "square too many"}.get(self.of(exponent).strip("{}"), "power too many")
        yield kind, [(base.end, node.end, "")]
        inner = self.inner(exponent)
        raised, plus = self.style.raised, self.style.plus
        if inner.kind != "number":
            core, minus = self.of(inner), self.style.minus
            for new in (f"{core}{plus}1", f"{core}{minus}1"):
                if not re.search(r"[+\-−]\s*1$", core):
                    yield "exponent off by one", [(base.end, node.end, raised("", new))]
            times = "" if self.style.latex else self.style.product
            yield (
                "factor not squared",
                [(base.end, node.end, raised("", f"2{times}{core}"))]
                if (inner.kind in ("name", "number"))
                else [(base.end, node.end, raised("", f"2{times}({core})"))],
            )
        elif re.search(r"[+\-−]\s*1$", self.of(inner)):
            yield "exponent off by one", [(base.end, node.end, raised("", self.of(inner)[:-1]))]
        if inner.kind == "sum" and self.of(inner.args[-1]) == "1":
            head = self.text[inner.start : inner.args[-2].end]
            yield "exponent off by one", [(base.end, node.end, raised("", head))]
        if inner.kind == "product" and len(inner.args) == 2 and self.of(inner.args[0]) == "2":
            new = f"{self.of(inner.args[1])}{plus}1"
            yield "exponents multiplied", [(base.end, node.end, raised("", new))]
        yield from self.moved(node, base)

    def moved(self, node: Node, base: Node) -> Changes:
        """Yield a power moved into the brackets of its base: 1 - bᵏ for (1 - b)ᵏ."""
        inner = self.inner(base)
        tail = self.text[base.end : node.end]
        if base.kind == "group" and inner.kind == "sum" and len(inner.args) > 1:
            last = inner.args[-1]
            if last.kind in ATOMS:
                yield "power outside", [(last.end, last.end, tail), (base.end, node.end, "")]

    def on_group(self, node: Node, parent: Node | None) -> Changes:
        """Yield a power moved out of brackets: (1 - al)ᵏ for (1 - alᵏ)."""
        inner = self.inner(node)
        yield from self.joined(node, inner)
        if inner.kind != "sum" or (parent is not None and parent.kind == "power"):
            return
        last = inner.args[-1]
        power = last.args[-1] if last.kind == "product" else last
        if power.kind == "power" and power.end == inner.end:
            base = power.args[0]
            tail = self.text[base.end : power.end]
            yield "power inside", [(base.end, power.end, ""), (node.end, node.end, tail)]

    def joined(self, node: Node, inner: Node) -> Changes:
        """Yield (x - y)² for (x² - y²)."""
        if (
            inner.kind != "sum"
            or len(inner.args) != 2
            or any(p.kind != "power" for p in inner.args)
        ):
            return
        first, second = inner.args
        tails = {self.text[p.args[0].end : p.end].strip() for p in (first, second)}
        if len(tails) == 1 and first.args[0].kind == second.args[0].kind == "name":
            drops = [(p.args[0].end, p.end, "") for p in (first, second)]
            yield "power inside", [*drops, (node.end, node.end, tails.pop())]

    def on_call(self, node: Node, parent: Node | None) -> Changes:
        """Yield a function taken away."""
        kinds = {"sqrt": "root too many", "Abs": "absolute value too many",
                 "inv": "inverse too many", "sign": "sign function too many"}  # fmt: skip
        kind = kinds.get(str(node.value))
        if kind is not None and len(node.args) == 1:
            inner = self.inner(node.args[0])
            text = self.of(inner)
            simple = inner.kind in ATOMS
            yield kind, [(node.start, node.end, text if simple else self.style.grouped(text))]

    def on_transpose(self, node: Node, parent: Node | None) -> Changes:
        """Yield a transpose taken away."""
        yield "transpose too many", [(node.args[0].end, node.end, "")]

    def atom(self, node: Node, parent: Node | None) -> Changes:
        """Yield what may be put round an operand."""
        text = self.of(node)
        if node.kind == "call" and node.value in STATEMENTS:
            return
        if self.is_matrix(node):
            yield from self.matrix_atom(node, parent)
        elif node.kind != "number" or len(text) <= 3:
            yield from self.scalar_atom(node, parent)

    def matrix_atom(self, node: Node, parent: Node | None) -> Changes:
        """Yield a transpose or an inverse more."""
        style = self.style
        turned = node.kind == "transpose" or (parent is not None and parent.kind == "transpose")
        if not turned:
            new = style.transposed(self.of(node))
            yield "transpose forgotten", [(node.start, node.end, new)]
        if node.kind in ("name", "group"):
            name = self.of(self.inner(node))
            yield "inverse forgotten", [(node.start, node.end, style.inverted(name))]

    def scalar_atom(self, node: Node, parent: Node | None) -> Changes:
        """Yield a square, a root, an absolute value or a sign more."""
        style, inner = self.style, self.of(self.inner(node))
        raised = parent is not None and parent.kind == "power"
        if not raised and node.kind != "number":
            yield "square forgotten", [(node.end, node.end, style.raised("", "2"))]
        if not (raised and parent is not None and node is parent.args[1]):
            yield "root forgotten", [(node.start, node.end, style.root(inner))]
        if node.kind not in ("name", "group") or raised:
            return
        yield "absolute value forgotten", [(node.start, node.end, style.absolute(inner))]
        if node.kind == "name":
            yield "sign function forgotten", [(node.start, node.end, style.sign(inner))]
            if parent is None or parent.kind in ("sum", "product", "power", "group", "call"):
                yield from self.shifted(node, parent)

    def shifted(self, node: Node, parent: Node | None) -> Changes:
        """Yield an integer symbol that is one more or less."""
        found = self.symbols.find(str(node.value))
        if found is None or not found.is_scalar or not found.object.is_integer:
            return
        text, style = self.of(node), self.style
        for new in (f"{text}{style.plus}1", f"{text}{style.minus}1"):
            bare = parent is None or parent.kind in ("call", "tuple", "group")
            yield "off by one", [(node.start, node.end, new if bare else style.grouped(new))]

    # -- relations ------------------------------------------------------------------------------
