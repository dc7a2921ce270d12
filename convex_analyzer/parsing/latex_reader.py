r"""What only LaTeX has: \frac, \sqrt, scripts, functions without brackets, matrices."""

from __future__ import annotations

import re

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.latex_scripts import Scripts
from convex_analyzer.parsing.pratt import PRODUCT, SUM
from convex_analyzer.parsing.tokens import Node, Token

__all__ = ["LatexParser"]

_DERIVATIVE = re.compile(
    r"\\[dt]?frac\s*\{\s*(?:\\partial|d|\\mathrm\s*\{?d\}?)\s*(?:\^\s*\{?\s*([2-4])\s*\}?)?\s*\}"
    r"\s*\{\s*(?:\\partial|d|\\mathrm\s*\{?d\}?)\s*(\\?[A-Za-z]+)\s*(?:\^\s*\{?\s*([2-4])\s*\}?)?\s*\}"
)


class LatexParser(Scripts):
    """Reads the tokens of LaTeX."""

    def special(self, token: Token) -> Node:
        """Read what begins with a macro."""
        match token.kind:
            case "func":
                return self.function(token)
            case "begin":
                return self.postfix(self.matrix(token))
            case "infinity":
                return Node("infinity", token.start, token.end)
            case "big":
                return self.large(token)
            case "text":
                if self.next.kind == "open" and " " not in token.value:
                    message = f"{token.value!r} is no function that is read here"
                    raise self.error(message, token, "write what it stands for")
                raise self.error(f"words in a formula: {token.value!r}", token,
                                 "words stand behind it, as a reason")  # fmt: skip
            case "mark" if token.value == "partial":
                raise self.error("\\partial alone is not read", token, r"\frac{d}{dx}(...)")
            case "sup" | "sub" | "prime" | "mark":
                raise self.error(f"{token.value} has nothing on its left", token)
        raise self.unexpected(token)

    def large(self, token: Token) -> Node:
        r"""Read \frac, \sqrt, \sum, \prod, \boxed."""
        match token.value:
            case "frac":
                return self.fraction(token)
            case "sqrt":
                return self.postfix(self.root(token))
            case "Sum" | "Product":
                return self.big(token)
        inner = self.argument(token)
        if token.value == "brace" and self.next.kind in {"sub", "sup"}:
            self.take()
            self.skip_group()
        return self.postfix(Node("group", token.start, inner.end, (inner,), "{"))

    # -- arguments of macros ------------------------------------------------------------------

    def argument(self, owner: Token) -> Node:
        """Read {a}, or one letter or digit."""
        token = self.take()
        if token.kind == "open" and token.value == "{":
            parts, closing = self.inside(token)
            if len(parts) > 1:
                raise self.error("a comma does not belong here", token)
            return Node("group", token.start, closing.end, tuple(parts), "{")
        if token.kind == "number":
            return self.digit(token)
        if token.kind == "name":
            if self.next.kind in {"sup", "sub", "prime"}:
                raise self.error("braces are missing", token, "for instance \\frac{x_1}{2}")
            return Node("name", token.start, token.end, (), token.value)
        if token.kind == "big" and token.value in {"sqrt", "frac"}:
            return self.large(token)
        raise self.error("braces are missing", owner, "for instance \\frac{a}{b}")

    def digit(self, token: Token) -> Node:
        r"""Read one digit, as TeX does in \frac12; the rest stays."""
        if len(token.value) > 1:
            rest = Token("number", token.value[1:], token.start + 1, token.end)
            first = Token("number", token.value[0], token.start, token.start + 1)
            self.tokens[self.at - 1 : self.at] = [first, rest]
        return Node("number", token.start, token.start + 1, (), token.value[0])

    def leftover(self, owner: Token) -> None:
        r"""Ask about digits that TeX would leave outside: \frac123, \sqrt12."""
        token = self.next
        if token.kind == "number" and self.tokens[self.at - 1].end == token.start:
            before = self.tokens[self.at - 1]
            if before.kind == "number" or before.value == "}":
                raise self.error("this can be read in two ways", owner, "put the number in braces")

    def skip_group(self) -> None:
        """Pass over {...} or one token, without reading it."""
        depth = 0
        while True:
            token = self.take()
            depth += (token.kind == "open") - (token.kind == "close")
            if depth <= 0 or token.kind == "end":
                return

    def fraction(self, token: Token) -> Node:
        r"""Read \frac{a}{b}, and \frac{d}{dx}(...)."""
        derived = _DERIVATIVE.match(self.source.text, token.start)
        if derived and "d" not in self.symbols:
            return self.derivative(token, derived)
        over = self.argument(token)
        under = self.argument(token)
        self.leftover(token)
        node = Node("fraction", token.start, under.end, (over, under), ("*", "/"))
        return self.postfix(node)

    def derivative(self, token: Token, match: re.Match[str]) -> Node:
        r"""Read \frac{d}{dx}(...) and \frac{d^2}{dx^2}(...)."""
        if match[1] != match[3]:
            raise self.error("the orders of the derivative differ", token)
        while self.next.kind != "end" and self.next.start < match.end():
            self.take()
        if self.next.kind != "open":
            raise self.error("a derivative is taken of brackets", token, "\\frac{d}{dx}(...)")
        parts, closing = self.inside(self.take())
        if self.next.kind == "sup":
            raise self.error(
                "this can be read in two ways", self.next, "put the power inside the brackets"
            )
        by = Node("name", match.start(2), match.end(2), (), match[2])
        args = (parts[0], *[by] * int(match[1] or 1))
        return Node("call", token.start, closing.end, args, "diff")

    def root(self, token: Token) -> Node:
        r"""Read \sqrt{x} and \sqrt[n]{x}."""
        degree = None
        if self.next.kind == "open" and self.next.value == "[":
            parts, _ = self.inside(self.take())
            degree = parts[0]
        inner = self.argument(token)
        self.leftover(token)
        if degree is None:
            return Node("call", token.start, inner.end, (inner,), "sqrt")
        return Node("call", token.start, inner.end, (inner, degree), "root")

    def big(self, token: Token) -> Node:
        r"""Read \sum_{i=0}^{k} term: all that follows up to the next + or relation."""
        low = high = index = None
        for _ in range(2):
            if self.next.kind == "sub":
                self.take()
                bounds = self.argument(token).args
                found = bounds[0] if bounds else None
                if found is None or found.kind != "relation" or found.value != ("=",):
                    raise self.error("the lower bound is missing", token, r"\sum_{i=0}^{k}")
                index, low = found.args
            elif self.next.kind == "sup":
                self.take()
                infinite = self.next.kind == "infinity"
                high = self.special(self.take()) if infinite else self.argument(token)
        if low is None or high is None or index is None or index.kind != "name":
            raise self.error("a bound is missing", token, r"\sum_{i=0}^{k}")
        term = self.expression(SUM)
        if token.value == "Product" and term.kind == "product":
            first, rest = term.args[0], term.args[-1]
            one = self.slice(first.start, first.end)
            raise self.ambiguous(
                token, rf"\prod ({self.slice(first.start, rest.end)})", rf"(\prod {one}) ..."
            )
        return Node("bigsum", token.start, term.end, (term, index, low, high), token.value)

    # -- functions ----------------------------------------------------------------------------

    def function(self, token: Token) -> Node:
        r"""Read \log(x), \log \kappa, \sin^2 x, \log_2 x; \sin 2x y is asked about."""
        name, power, base = token.value, None, None
        while self.next.kind in {"sub", "sup"}:
            script = self.take()
            value = self.argument(token)
            if script.kind == "sup":
                power = value
            else:
                base = value
        if base is not None and name != "log":
            text = self.slice(token.start, token.end)
            raise self.error(f"{text} over an index is not read", token,
                             rf"write the values: {text}(a, b)")  # fmt: skip
        if power is not None and self.slice(power.start, power.end).strip("{} ").startswith("-"):
            text = self.slice(token.start, token.end).lstrip("\\")
            raise self.ambiguous(token, rf"\arc{text}(x)", rf"1/\{text}(x)")
        if name == "log10":
            name, base = "log", Node("number", token.start, token.start, (), "10")
        node = self.called(token, name, base)
        if power is None:
            return node
        return Node("power", node.start, node.end, (node, power))

    def called(self, token: Token, name: str, base: Node | None) -> Node:
        """Return the call of a function with its argument."""
        extra = () if base is None else (base,)
        if self.next.kind == "open" and self.next.value != "<":
            parts, closing = self.inside(self.take())
            if len(parts) == 1 and self.next.kind in {"sup", "prime"}:
                inside = self.slice(parts[0].start, parts[0].end)
                text = self.slice(token.start, token.end)
                raise self.ambiguous(
                    self.next, f"({text}({inside}))^...", f"{text}(({inside})^...)"
                )
            if len(parts) > 1 and name not in {"Max", "Min"}:
                raise self.error(f"{token.value} takes one argument", token)
            return Node("call", token.start, closing.end, (*parts, *extra), name)
        inner = self.bare(token)
        return Node("call", token.start, inner.end, (inner, *extra), name)

    def bare(self, token: Token) -> Node:
        r"""Read the argument of \log \kappa; what could belong to it or not is asked about."""
        text = self.slice(token.start, token.end)
        if not self.begins(self.next):
            raise self.error(f"the argument of {text} is missing", token, f"write {text}(...)")
        inner = self.expression(PRODUCT)
        if inner.kind == "number" and self.next.kind == "name":
            more = self.expression(PRODUCT)
            inner = Node("product", inner.start, more.end, (inner, more), ("*", ""))
        after = self.next
        joined = after.kind == "op" and after.value in {"*", "/"}
        if joined or (self.begins(after) and after.kind != "func"):
            raise self.unclear(text, inner, after)
        return inner

    def unclear(self, text: str, inner: Node, after: Token) -> ParseError:
        r"""Return the error for \sin 2x y."""
        first = self.slice(inner.start, inner.end)
        sign = after.value if after.kind == "op" else ""
        more = "..." if sign else self.slice(after.start, after.end)
        one, two = rf"{text}({first}) {sign}{more}", rf"{text}({first} {sign}{more})"
        return self.ambiguous(after, one, two)

    # -- matrices -----------------------------------------------------------------------------

    def matrix(self, token: Token) -> Node:
        r"""Read the rows of \begin{pmatrix} ... \end{pmatrix}."""
        self.closers.append(f"\\end{{{token.value}}}")
        rows: list[Node] = []
        cells: list[Node] = []
        while True:
            cells.append(self.expression(0))
            sign = self.take()
            if sign.kind == "cell":
                continue
            rows.append(Node("row", cells[0].start, cells[-1].end, tuple(cells)))
            cells = []
            if sign.kind == "row" and self.next.kind == "finish":
                sign = self.take()
            if sign.kind == "finish" and sign.value == token.value:
                break
            if sign.kind != "row":
                raise self.unexpected(sign)
        self.closers.pop()
        node = Node("matrix", token.start, sign.end, tuple(rows))
        if token.value == "vmatrix":
            return Node("call", token.start, sign.end, (node,), "det")
        return node
