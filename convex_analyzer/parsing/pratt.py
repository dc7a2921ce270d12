"""The precedence parser that plain text and LaTeX share: tokens become a tree.

A Pratt parser: `Parser.prefix` reads what begins an operand, `Parser.infix` what follows one, and
each sign binds as strongly as its level says. What has two readings is an error that names both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from convex_analyzer.errors import ParseError
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import DEEPEST, Node, Source, Token

__all__ = ["Clause", "Parser"]

OR, AND, NOT, RELATION, SUM, PRODUCT, SIGN, POWER = range(1, 9)
_LEVELS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "^": POWER}
_SIZES = re.compile(r"\\(?:left|right|[bB]igg?[lr]?)(?![A-Za-z])\s*")
_CLOSING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "<": ">"}
_BEGIN = frozenset({"number", "name", "open", "func", "big", "prefix"})
_FUNCTION_LIKE = frozenset({"f", "g", "h", "F", "G", "J", "L", "phi", "psi", "sigma"})


@dataclass(frozen=True)
class Clause:
    """One claim: what joins it to the text before it, and its tree.

    Attributes
    ----------
    arrow
        ``=>``, ``<=>``, ``<==`` or None.
    leading
        The sign of a relation whose left side stands in the line above, or None.
    node
        The tree.
    """

    arrow: str | None
    leading: str | None
    node: Node


class Parser:
    """Reads tokens into a tree; what is special of text and of LaTeX is in two subclasses."""

    def __init__(self, source: Source, tokens: Sequence[Token], symbols: Symbols) -> None:
        self.source, self.tokens, self.symbols = source, list(tokens), symbols
        self.at = self.depth = 0
        self.closers: list[str] = []
        self.notes: list[str] = []

    # -- tokens -------------------------------------------------------------------------------

    @property
    def next(self) -> Token:
        """The token that is not read yet."""
        return self.tokens[self.at]

    def take(self) -> Token:
        """Return the next token, and go on."""
        token = self.tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def slice(self, start: int, end: int) -> str:
        """Return the text between two places, short enough for a message."""
        text = _SIZES.sub("", self.source.text[start:end])
        text = " ".join(text.split())
        return text if len(text) <= 40 else text[:37] + "..."

    def error(self, message: str, token: Token | Node, hint: str = "") -> ParseError:
        """Return an error at a token or a node."""
        return self.source.error(message, token.start, hint)

    def ambiguous(self, token: Token | Node, *readings: str) -> ParseError:
        """Return the error for what has two readings."""
        return self.error("this can be read in two ways", token, f"write {' or '.join(readings)}")

    # -- statements ---------------------------------------------------------------------------

    def clauses(self) -> list[Clause]:
        """Return all claims of the text."""
        found: list[Clause] = []
        while True:
            arrow = self.take().value if self.next.kind == "arrow" else None
            leading = self.take().value if self.next.kind == "rel" else None
            if self.next.kind == "end" and found and arrow is None:
                return found
            found.append(Clause(arrow, leading, self.expression(0)))
            if self.next.kind == "end":
                return found
            if self.next.kind != "arrow":
                raise self.unexpected(self.next)

    def unexpected(self, token: Token) -> ParseError:
        """Return the error for a token that does not belong here."""
        match token.kind:
            case "end":
                if self.closers:
                    return self.error(f"{self.closers[-1]} is missing", token, "close the bracket")
                return self.error("something is missing at the end", token)
            case "close":
                if self.closers:
                    message = f"{token.value} closes, where {self.closers[-1]} should"
                    return self.error(message, token)
                return self.error("a bracket is closed that was not opened", token)
            case "comma":
                return self.error("a comma does not belong here", token, "a decimal has a point")
            case "arrow":
                return self.error("an arrow joins two statements", token, "take it out of brackets")
            case "rel" | "op":
                return self.error(f"{token.value} has nothing on its left", token)
        return self.error(f"{token.value} does not belong here", token)

    # -- precedence ---------------------------------------------------------------------------

    def expression(self, level: int) -> Node:
        """Read what binds more strongly than a level."""
        self.depth += 1
        if self.depth > 4 * DEEPEST or len(self.closers) > DEEPEST:
            raise self.error(f"nested more than {DEEPEST} levels deep", self.next)
        left = self.prefix(level)
        while (binding := self.binding()) > level:
            left = self.infix(left, binding)
        self.depth -= 1
        return left

    def begins(self, token: Token) -> bool:
        """Return whether a token begins an operand, so that a product is meant."""
        if token.kind in {"bar", "norm"}:
            return not self.closes(token)
        return token.kind in _BEGIN

    def closes(self, token: Token) -> bool:
        """Return whether a bar closes the one that is open."""
        if token.value.endswith("open"):
            return False
        if token.value == "||" and self.closers[-1:] == ["|"]:  # |a||b|: two bars
            one, two = (
                Token("bar", "|", token.start + i, token.start + i + 1, token.spaced)
                for i in (0, 1)
            )
            self.tokens[self.at : self.at + 1] = [one, two]
            return True
        return bool(self.closers) and self.closers[-1] == token.value.removesuffix("close")

    def binding(self) -> int:
        """Return how strongly the next token binds what stands before it; 0: not at all."""
        token = self.next
        match token.kind:
            case "op":
                return _LEVELS[token.value]
            case "rel" | "in":
                return RELATION
            case "logic":
                return {"and": AND, "or": OR}.get(token.value, 0)
            case "comma":
                return AND if not self.closers and self.joins(token) else 0
        return PRODUCT if self.begins(token) else 0

    def joins(self, token: Token) -> bool:
        """Return whether a comma outside brackets joins two relations."""
        del token
        return any(t.kind in {"rel", "in"} for t in self.tokens[self.at :])

    def infix(self, left: Node, binding: int) -> Node:
        """Read on from an operand."""
        match binding:
            case 1 | 2:
                return self.logic(left, binding)
            case 4:
                return self.relation(left)
            case 5:
                return self.sum(left)
            case 6:
                return self.product(left)
        return self.power(left)

    def logic(self, left: Node, binding: int) -> Node:
        """Read a and b and c."""
        parts, joined = [left], self.next
        while self.binding() == binding:
            self.take()
            if self.next.kind == "logic" and self.next.value in {"and", "or"}:  # "a, and b"
                self.take()
            parts.append(self.expression(binding))
        if joined.kind == "comma":
            self.check_comma(joined, parts)
        name = "And" if binding == AND else "Or"
        return Node("logic", left.start, parts[-1].end, tuple(parts), name)

    def check_comma(self, comma: Token, parts: list[Node]) -> None:
        """Ask about x = 2, x = -2: who writes so means or."""
        seen: dict[str, str] = {}
        for part in parts:
            if part.kind == "relation" and part.value == ("=",):
                left, right = (self.slice(side.start, side.end) for side in part.args)
                other = seen.setdefault(left, right)
                if other != right:
                    message = f"this comma between two values of {left} may mean and, or or"
                    hint = f"write {left} = {other} or {left} = {right}, or and for both"
                    raise self.error(message, comma, hint)

    def relation(self, left: Node) -> Node:
        """Read a < b <= c, or x in (a, b)."""
        parts = [left]
        signs: list[str] = []
        while self.binding() == RELATION:
            sign = self.take()
            if sign.kind == "in":
                if signs:
                    raise self.error("an interval belongs to one quantity", sign)
                return self.interval(left)
            signs.append(sign.value)
            parts.append(self.expression(RELATION))
        return Node("relation", left.start, parts[-1].end, tuple(parts), tuple(signs))

    def interval(self, left: Node) -> Node:
        """Read (a, b], after x in."""
        opening = self.take()
        if opening.kind != "open" or opening.value == "{":
            raise self.error("an interval is missing", opening, "for instance (0, 2/lambda)")
        self.closers.append(") or ]")
        low = self.expression(0)
        if self.take().kind != "comma":
            raise self.error("an interval has two ends", opening, "for instance (0, 2/lambda)")
        high = self.expression(0)
        closing = self.take()
        self.closers.pop()
        if closing.kind != "close" or closing.value == "}":
            raise self.error("the interval is not closed", closing, "with ) or ]")
        ends = ("<" if opening.value == "(" else "<=", "<" if closing.value == ")" else "<=")
        return Node("interval", left.start, closing.end, (left, low, high), ends)

    def sum(self, left: Node) -> Node:
        """Read a + b - c."""
        terms, signs = [left], ["+"]
        while self.binding() == SUM:
            signs.append(self.take().value)
            terms.append(self.expression(SUM))
        return Node("sum", left.start, terms[-1].end, tuple(terms), tuple(signs))

    def product(self, left: Node) -> Node:
        """Read a * b / c d; what follows a fraction without a sign is asked about."""
        factors, signs = [left], ["*"]
        slash: Token | None = None
        while self.binding() == PRODUCT:
            token = self.next
            if token.kind == "op":
                slash = self.take() if token.value == "/" else None
                if slash is None:
                    self.take()
                signs.append(token.value)
                factors.append(self.expression(PRODUCT))
                continue
            if token.kind == "number":
                raise self.error("a sign is missing before this number", token, "a product is 2*3")
            self.remark(factors[-1], token)
            factors.append(self.expression(PRODUCT))
            signs.append("")
            if slash is not None:
                raise self.split_fraction(factors, slash)
        return Node("product", left.start, factors[-1].end, tuple(factors), tuple(signs))

    def split_fraction(self, factors: list[Node], slash: Token) -> ParseError:
        """Return the error for 1/2x."""
        over = self.slice(factors[0].start, slash.start).strip()
        under = self.slice(slash.end, factors[-1].start).strip()
        rest = self.slice(factors[-1].start, factors[-1].end)
        return self.ambiguous(slash, f"({over}/{under})*{rest}", f"{over}/({under}*{rest})")

    def remark(self, left: Node, token: Token) -> None:
        """Say so when what looks like a call is a product: f(x)."""
        if token.kind != "open" or token.spaced:
            return
        if left.kind == "power" and left.args[1].kind in {"number", "name"}:
            self.remark_power(left)
        if left.kind != "name":
            return
        inner = self.tokens[self.at + 1 : self.at + 3]
        single = [t.kind for t in inner] in (["name", "close"], ["number", "close"])
        if single or str(left.value) in _FUNCTION_LIKE:
            name = self.slice(left.start, left.end)
            self.notes.append(f"{name}(...) is read as a product, since {name} is not a function")

    def remark_power(self, left: Node) -> None:
        """Say that u^2(k+1) is a product, where the exponent is written without brackets."""
        text = self.slice(left.start, left.end)
        if text[-1].isascii() and not text.endswith(("}", ")")):
            self.notes.append(f"{text}(...) is read as {text} times the bracket")

    def power(self, base: Node) -> Node:
        """Read a ^ b ^ c, from the right; x^2y is asked about."""
        sign = self.take()
        first = self.next
        exponent = self.expression(POWER - 1)
        after = self.next
        inner = exponent.args[0] if exponent.kind == "sign" else exponent
        single = inner.kind in {"number", "name"}
        if single and after.kind == "name" and not after.spaced and first.kind != "open":
            left = self.slice(base.start, base.end)
            up, more = self.slice(exponent.start, exponent.end), after.value
            raise self.ambiguous(sign, f"{left}^{up}*{more}", f"{left}^({up}*{more})")
        return Node("power", base.start, exponent.end, (base, exponent))

    # -- operands -----------------------------------------------------------------------------

    def prefix(self, level: int) -> Node:
        """Read an operand."""
        token = self.take()
        match token.kind:
            case "number":
                return self.postfix(Node("number", token.start, token.end, (), token.value))
            case "name":
                return self.postfix(Node("name", token.start, token.end, (), token.value))
            case "open":
                return self.postfix(self.group(token))
            case "bar" | "norm":
                return self.postfix(self.bars(token))
            case "op" if token.value in {"+", "-"}:
                inner = self.expression(max(level, SUM))
                self.remark_sign(inner)
                return Node("sign", token.start, inner.end, (inner,), token.value)
            case "logic" if token.value == "not":
                inner = self.expression(NOT)
                return Node("logic", token.start, inner.end, (inner,), "Not")
        return self.special(token)

    def remark_sign(self, inner: Node) -> None:
        """Say that -1^k is -(1^k)."""
        if inner.kind == "power" and inner.args[0].kind == "number":
            text = self.slice(inner.start, inner.end)
            self.notes.append(f"-{text} is read as -({text})")

    def special(self, token: Token) -> Node:
        """Read an operand that only text or only LaTeX has."""
        raise self.unexpected(token)

    def postfix(self, node: Node) -> Node:
        """Read what is attached to an operand: transposes, indices, superscripts."""
        return node

    def group(self, opening: Token) -> Node:
        """Read (a), or (a, b, c)."""
        parts, closing = self.inside(opening)
        kind = "group" if len(parts) == 1 else "tuple"
        return Node(kind, opening.start, closing.end, tuple(parts), opening.value)

    def inside(self, opening: Token) -> tuple[list[Node], Token]:
        """Read up to the closing bracket: parts between commas, and that bracket."""
        wanted = _CLOSING[opening.value]
        self.closers.append(wanted)
        parts: list[Node] = []
        while not (self.next.kind == "close" and not parts):
            parts.append(self.expression(0))
            if self.next.kind != "comma":
                break
            self.take()
        closing = self.take()
        if closing.kind != "close" or closing.value != wanted:
            raise self.unexpected(closing)
        self.closers.pop()
        if not parts:
            raise self.error("nothing stands in the brackets", opening)
        return parts, closing

    def bars(self, opening: Token) -> Node:
        """Read |a| or ||a||."""
        wanted = "||" if opening.kind == "norm" else "|"
        self.closers.append(wanted)
        inner = self.expression(0)
        closing = self.next
        if closing.kind not in {"bar", "norm"} or not self.closes(closing):
            raise self.unexpected(closing)
        closing = self.take()
        self.closers.pop()
        if wanted == "|" and opening.value == "|":
            self.check_bars(opening)
        kind = "norm" if wanted == "||" else "abs"
        return Node(kind, opening.start, closing.end, (inner,))

    def check_bars(self, opening: Token) -> None:
        """Refuse |a| b |c|, which is also |a |b| c|."""
        if not self.begins(self.next) or self.next.kind == "bar":
            return
        depth = 0
        for token in self.tokens[self.at :]:
            depth += (token.kind == "open") - (token.kind == "close")
            if depth < 0 or (depth == 0 and token.kind in {"op", "rel", "comma", "logic", "end"}):
                return
            if depth == 0 and token.kind == "bar" and token.value == "|":
                raise self.error(
                    "these bars can be read in two ways", opening, "write abs(...) with brackets"
                )
