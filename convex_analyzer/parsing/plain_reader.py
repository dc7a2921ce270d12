"""What only plain text has: calls with brackets, .T, raised characters, indices."""

from __future__ import annotations

from convex_analyzer.parsing.plain_functions import FUNCTION_NAMES
from convex_analyzer.parsing.pratt import POWER, Parser
from convex_analyzer.parsing.tokens import Node, Token

__all__ = ["PlainParser"]


class PlainParser(Parser):
    """Reads the tokens of plain text."""

    def special(self, token: Token) -> Node:
        """Read a call, or √x."""
        if token.kind == "func":
            return self.postfix(self.call(token))
        if token.kind == "prefix":
            inner = self.expression(POWER)
            letters = inner.kind == "name" and self.next.kind == "name"
            numbers = inner.kind == "number" and self.begins(self.next)
            if (letters or numbers) and not self.next.spaced:
                rest = self.slice(self.next.start, self.next.end)
                value = str(inner.value)
                raise self.ambiguous(token, f"sqrt({value})*{rest}", f"sqrt({value}*{rest})")
            return Node("call", token.start, inner.end, (inner,), "sqrt")
        if token.kind in {"transpose", "super"}:
            raise self.error("a superscript has nothing on its left", token)
        raise self.unexpected(token)

    def call(self, token: Token) -> Node:
        """Read f(a, b)."""
        name = FUNCTION_NAMES[token.value]
        if self.next.kind != "open" or self.next.value != "(":
            raise self.error(f"{token.value} is a function", token, f"write {token.value}(...)")
        parts, closing = self.inside(self.take())
        return Node("call", token.start, closing.end, tuple(parts), name)

    def postfix(self, node: Node) -> Node:
        """Read .T, ², [k] and the argument of a declared function."""
        while True:
            token = self.next
            if token.kind == "transpose":
                self.take()
                node = Node("transpose", node.start, token.end, (node,))
            elif token.kind == "super":
                node = self.raised(node)
            elif token.kind == "open" and node.kind == "name" and self.takes_arguments(node, token):
                parts, closing = self.inside(self.take())
                node = Node("apply", node.start, closing.end, tuple(parts), node.value)
            else:
                return node

    def raised(self, node: Node) -> Node:
        """Read x²: a power of what stands right before it."""
        self.take()
        self.closers.append("super")
        exponent = self.expression(0)
        closing = self.take()
        if closing.kind != "close" or closing.value != "super":
            raise self.unexpected(closing)
        self.closers.pop()
        return Node("power", node.start, closing.end, (node, exponent))

    def takes_arguments(self, node: Node, token: Token) -> bool:
        """Return whether a name is a declared function or sequence."""
        declared = self.symbols.find(str(node.value))
        if declared is not None and declared.is_function:
            return True
        if token.value == "[" and not token.spaced:
            name = self.slice(node.start, node.end)
            raise self.error(f"{name} has no index", token, "declare it as a sequence")
        return False
