r"""Names with subscripts, primes and stars; powers, transposes and inverses in LaTeX."""

from __future__ import annotations

import re

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.pratt import Parser
from convex_analyzer.parsing.tokens import Node, Token

__all__ = ["Scripts"]

_FONT = re.compile(r"\\(?:mathsf|mathrm|mathbf|textsf|text|rm|sf)(?![A-Za-z])")
_TRANSPOSED = {r"\top", r"\intercal", "T"}
_MARKS = {"*", r"\star", r"\ast", r"\prime", r"\dagger", r"\circ", "+"}


class Scripts(Parser):
    """Reads what is attached to a name or a bracket."""

    def begins(self, token: Token) -> bool:
        """Return whether a token begins an operand."""
        return token.kind in {"begin", "text", "infinity"} or super().begins(token)

    def prefix(self, level: int) -> Node:
        """Read an operand; a name with all that belongs to it."""
        if self.next.kind == "name":
            return self.postfix(self.name(self.take()))
        if self.next.kind == "open" and self.next.value == "<":
            return self.inner_product(self.take())
        return super().prefix(level)

    # -- names --------------------------------------------------------------------------------

    def name(self, token: Token) -> Node:
        r"""Read \theta_{k+1}^{*}: the longest declared name that begins here."""
        begin = self.at
        below, above, primes, mid = "", "", "", begin
        end, mid_end = token.end, token.end
        while self.next.kind in {"sub", "sup", "prime"}:
            script = self.take()
            if script.kind == "prime":
                primes += "'"
            elif script.kind == "sub":
                if below:
                    raise self.error("two subscripts", script)
                below = f"_{{{self.span(script)}}}"
            else:
                if above:
                    raise self.error("two superscripts", script, "put braces round the first")
                above = f"^{{{self.span(script)}}}"
            end = self.tokens[self.at - 1].end
            if not above:
                mid, mid_end = self.at, end
        spelled = f"{token.value}{below}{primes}"
        if above and f"{spelled}{above}" in self.symbols:
            return Node("name", token.start, end, (), f"{spelled}{above}")
        if above and mid == begin and (below or primes):  # x^2_k: the scripts the other way round
            return self.turned(token, begin, spelled)
        self.at = mid
        if spelled in self.symbols or not (below or primes):
            return Node("name", token.start, mid_end, (), spelled)
        return self.element(token, begin, below, primes) or Node(
            "name", token.start, mid_end, (), spelled
        )

    def turned(self, token: Token, begin: int, spelled: str) -> Node:
        """Read x^2_k as x_k^2."""
        stop, end = self.at, self.tokens[self.at - 1].end
        if spelled not in self.symbols:
            raise self.error(f"unknown name '{spelled}'", token, self.symbols.suggestion(spelled))
        self.at = begin
        script = self.take()
        node = self.superscript(Node("name", token.start, end, (), spelled), script)
        self.at = stop
        return node

    def element(self, token: Token, begin: int, below: str, primes: str) -> Node | None:
        """Read g_{k-i} as an element of a declared sequence; None: it is none."""
        declared = self.symbols.find(token.value)
        if declared is None or declared.kind != "sequence" or primes or not below:
            return None
        self.at = begin + 1
        opening = self.next
        if opening.kind == "open" and opening.value == "{":
            parts, closing = self.inside(self.take())
        else:
            one = self.take()
            kind = "number" if one.kind == "number" else "name"
            parts, closing = [Node(kind, one.start, one.end, (), one.value)], one
        return Node("apply", token.start, closing.end, tuple(parts), token.value)

    def span(self, script: Token) -> str:
        """Pass over a script; return its text."""
        first = self.next
        if first.kind == "number" and len(first.value) > 1:
            one, rest = first.value[0], first.value[1:]
            sign = script.value
            raise self.error(
                "this can be read in two ways", script,
                f"write {sign}{{{first.value}}} or {sign}{{{one}}} \\cdot {rest}",
            )  # fmt: skip
        if first.kind == "op" and first.value != "*":
            raise self.error("braces are missing", script, f"write {script.value}{{-1}}")
        depth = 0
        while True:
            token = self.take()
            depth += (token.kind == "open") - (token.kind == "close")
            if token.kind == "end":
                raise self.error("a script is missing or not closed", script)
            if depth <= 0:
                break
        text = self.source.text[first.start : token.end].strip()
        if text.startswith("{") and text.endswith("}"):
            text = text[1:-1].strip()
        if len(text) > 60:
            return text[:60]
        return text

    # -- what stands behind an operand --------------------------------------------------------

    def postfix(self, node: Node) -> Node:
        """Read powers, transposes, the arguments of declared functions."""
        raised = False
        while True:
            token = self.next
            match token.kind:
                case "sup" if raised and node.kind != "transpose":
                    raise self.error("two superscripts", token, "put braces round the first")
                case "sup" if node.kind == "fraction":
                    raise self.error("a power of a fraction", token, "put brackets round it")
                case "sup":
                    node, raised = self.superscript(node, self.take()), True
                case "transpose":
                    node = Node("transpose", node.start, self.take().end, (node,), "top")
                case "sub":
                    node = self.subscript(node, self.take())
                case "prime":
                    raise self.error("a prime belongs to a declared name", token)
                case "open" if node.kind == "name" and self.takes_arguments(node):
                    parts, closing = self.inside(self.take())
                    node = Node("apply", node.start, closing.end, tuple(parts), node.value)
                case _:
                    return node

    def subscript(self, node: Node, script: Token) -> Node:
        """Read the index of a norm; other subscripts belong to names."""
        if node.kind == "norm":
            return self.weighted(node, script)
        if node.kind == "power" and node.args[0].kind == "norm":
            norm = self.weighted(node.args[0], script)
            return Node("power", node.start, norm.end, (norm, node.args[1]))
        raise self.error("a subscript belongs to a name", script)

    def takes_arguments(self, node: Node) -> bool:
        """Return whether a name is a declared function or sequence."""
        declared = self.symbols.find(str(node.value))
        return declared is not None and declared.is_function

    def weighted(self, node: Node, script: Token) -> Node:
        r"""Read \|x\|_A, \|x\|_{A^{-1}} and \|x\|_2."""
        begin = self.at
        text = self.span(script)
        if text == "2":
            return Node("norm", node.start, self.tokens[self.at - 1].end, node.args)
        if text in {"1", "F", "*", r"\infty", "p"} and text not in self.symbols:
            message = f"the norm with index {text} is not read"
            raise self.error(message, script, "an index 2, or a declared matrix")
        self.at = begin
        weight = self.script_value()
        return Node("norm", node.start, weight.end, (*node.args, weight))

    def superscript(self, node: Node, script: Token) -> Node:
        """Read what stands above."""
        begin = self.at
        raw = self.span(script)
        text = "".join(raw.split())
        end = self.tokens[self.at - 1].end
        plain = "".join(_FONT.sub("", raw).split()).strip("{}")
        named = "T" in self.symbols
        if plain == "-T" and named:
            raise self.ambiguous(script, r"^{-\top} for the transpose", "the power with brackets")
        if plain in _TRANSPOSED and not (plain == "T" and named):
            return Node("transpose", node.start, end, (node,), plain.lstrip("\\"))
        if plain in {"-T", r"-\top"}:
            minus = Node("sign", begin, end, (Node("number", begin, end, (), "1"),), "-")
            turned = Node("transpose", node.start, end, (node,), "top")
            return Node("power", node.start, end, (turned, minus))
        if plain in _MARKS:
            raise self.marked(node, script, text)
        if text.startswith("(") and text.endswith(")") and node.kind == "name":
            name = self.slice(node.start, node.end)
            raise self.ambiguous(script, f"{name}^{{{text[1:-1]}}} for a power",
                                 f"declare {name}^{{{text}}} as a name")  # fmt: skip
        self.at = begin
        value = self.script_value()
        exponent = value.args[0] if value.kind == "group" else value
        return Node("power", node.start, value.end, (node, exponent))

    def script_value(self) -> Node:
        """Read {a}, or one token, as a quantity."""
        first = self.take()
        if first.kind == "open" and first.value == "{":
            parts, closing = self.inside(first)
            if len(parts) > 1:
                raise self.error("a comma does not belong here", first)
            return Node("group", first.start, closing.end, tuple(parts), "{")
        return self.atom(first)

    def atom(self, token: Token) -> Node:
        """Return a single token as an exponent."""
        if token.kind in {"number", "name"}:
            return Node(token.kind, token.start, token.end, (), token.value)
        raise self.error("braces are missing", token, "for instance x^{-1}")

    def marked(self, node: Node, script: Token, text: str) -> ParseError:
        """Return the error for x^*, where that is no declared name."""
        name = self.slice(node.start, node.end)
        if node.kind == "name":
            return self.error(f"unknown name '{name}^{text}'", node, "declare it, or drop the mark")
        return self.error(f"^{text} belongs to a declared name", script)

    def inner_product(self, opening: Token) -> Node:
        r"""Read \langle g, h \rangle as g^\top h."""
        self.closers.append(">")
        parts = [self.expression(0)]
        while self.next.kind == "comma":
            self.take()
            parts.append(self.expression(0))
        closing = self.take()
        if closing.kind != "close" or closing.value != ">":
            raise self.unexpected(closing)
        self.closers.pop()
        if len(parts) != 2:
            raise self.error("an inner product has two parts", opening)
        left, right = parts
        turned = Node("transpose", left.start, left.end, (left,), "top")
        return Node("product", opening.start, closing.end, (turned, right), ("*", ""))
