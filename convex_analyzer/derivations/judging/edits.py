"""One-edit changes of a student's own text: what a slip of the pen is, undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

from convex_analyzer.derivations.judging.styles import Style
from convex_analyzer.parsing.symbols import Declaration, Symbols
from convex_analyzer.parsing.tokens import Node

__all__ = ["Edit", "edits"]

Splice = tuple[int, int, str]
_SIMPLE = frozenset({"name", "number", "power", "product", "call"})
_ATOMS = frozenset({"name", "number", "group", "call", "abs", "norm", "fraction", "apply"})


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
_STATEMENTS = ("Eq", "Lt", "Le", "Gt", "Ge", "And", "Or", "Ne")


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
        size = sum(_distance(text[start:end], new) for start, end, new in splices)
        size += _RARE.get(kind, 0.0) + _ugliness(changed) - _ugliness(text)
        size += 0.3 * _depth(text, min(s[0] for s in splices))
        edit = Edit(kind, min(s[0] for s in splices), changed, size)
        known = found.get(changed)
        if changed != text and (known is None or edit.cost < known.cost):
            found[changed] = edit
    return sorted(found.values(), key=lambda e: (e.cost, e.column, e.text))


def _everywhere(
    text: str, changes: Iterator[tuple[str, list[Splice]]]
) -> Iterator[tuple[str, list[Splice]]]:
    """Yield changes, and each change of a part that occurs twice made at every place."""
    same: dict[tuple[str, str, str], set[Splice]] = {}
    for kind, splices in changes:
        yield kind, splices
        if len(splices) == 1 and splices[0][0] < splices[0][1]:
            start, end, new = splices[0]
            same.setdefault((kind, text[start:end], new), set()).add(splices[0])
    for (kind, _, _), places in same.items():
        ordered = sorted(places)
        apart = all(a[1] <= b[0] for a, b in zip(ordered, ordered[1:], strict=False))
        if len(ordered) > 1 and apart:
            yield kind, ordered


def _depth(text: str, place: int) -> int:
    return sum((c in "([{") - (c in ")]}") for c in text[:place])


def _ugliness(text: str) -> float:
    """Return a penalty for fractions in fractions, and for those that are not reduced."""
    nested = len(re.findall(r"/\([^()]*/", text))
    reducible = sum(gcd(int(a), int(b)) > 1 for a, b in re.findall(r"\b(\d+)/(\d+)\b", text))
    return 12.0 * nested + 1.0 * reducible


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


class _Maker:
    """Walks through a tree and yields what could be changed."""

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

    def all(self, tree: Node) -> Iterator[tuple[str, list[Splice]]]:
        """Yield the kind and the splices of every change."""
        groups = [n for n in _nodes(tree) if n.kind == "group" and self.inner(n).kind == "sum"]
        short = {self.of(n) for n in groups if n.end - n.start < 20 and not self.is_matrix(n)}
        self.brackets = sorted(short)[:3]
        powers = [n.args[1] for n in _nodes(tree) if n.kind == "power"]
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

    def whole(self, node: Node) -> Iterator[tuple[str, list[Splice]]]:
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

    def walk(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        """Yield changes of a node and of its parts."""
        method = getattr(self, f"_{node.kind}", None)
        if method is not None:
            yield from method(node, parent)
        if self.is_term(node, parent):
            yield from self.term(node, parent)
        if node.kind in _ATOMS or node.kind == "transpose":
            yield from self.atom(node, parent)
        for part in node.args:
            if not (
                node.kind == "call" and node.value in ("Sum", "Product") and part.kind == "tuple"
            ):
                yield from self.walk(part, node)
            else:
                for bound in part.args[1:]:
                    yield from self.walk(bound, part)

    def is_term(self, node: Node, parent: Node | None) -> bool:
        """Whether a node stands as a term: of a sum, alone in brackets, as a side."""
        if node.kind in ("sum", "relation", "logic", "tuple", "sign", "row", "matrix"):
            return False
        if node.kind == "call" and node.value in ("Eq", "Lt", "Le", "Gt", "Ge", "And", "Or", "Ne"):
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

    def term(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
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

    def matrix_factors(self, node: Node, parts: list[Node]) -> Iterator[tuple[str, list[Splice]]]:
        """Yield a matrix more, before or behind any factor."""
        del node
        times = self.style.product
        for d in self.matrices:
            name = self.style.names[d.name]
            for spelled in (name, self.style.transposed(name)):
                yield "factor lost", [(parts[0].start, parts[0].start, f"{spelled}{times}")]
                for part in parts:
                    yield "factor lost", [(part.end, part.end, f"{times}{spelled}")]

    def _product(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        parts, signs = list(node.args), list(node.value)  # type: ignore[call-overload]
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

    def over(self, parts: list[Node], signs: list[str]) -> Iterator[tuple[str, list[Splice]]]:
        """Yield h/10 for 10h, and b*d/c for b/(c*d)."""
        if len(parts) == 2 and signs[1] == "*" and not any(map(self.is_matrix, parts)):
            (first, second), whole = parts, (parts[0].start, parts[1].end)
            yield "upside down", [(*whole, f"{self.of(second)}/{self.put(first, first)[2]}")]
        for j in range(1, len(parts)):
            below = self.inner(parts[j])
            if signs[j] != "/" or below.kind != "product" or "/" in below.value:  # type: ignore[operator]
                continue
            for part in below.args:
                rest = [self.of(p) for p in below.args if p is not part]
                under = self.style.product.join(rest)
                under = under if len(rest) == 1 else f"({under})"
                moved = f"{self.style.product}{self.of(part)}/{under}"
                yield "multiplied or divided", [(parts[j - 1].end, parts[j].end, moved)]

    def put(self, place: Node, other: Node) -> Splice:
        """Return the splice that writes one factor in the place of another."""
        text = self.of(other)
        if other.kind in ("sum", "sign") or (other.kind == "product"):
            text = self.style.grouped(text)
        return place.start, place.end, text

    def dropped(self, parts: list[Node], signs: list[str], j: int) -> Splice:
        """Return the splice that takes a factor out of a product."""
        if j:
            return parts[j - 1].end, parts[j].end, ""
        if signs[1] == "/":
            return parts[0].start, parts[0].end, "1"
        return parts[0].start, parts[1].start, ""

    def exchanged(self, parts: list[Node]) -> Iterator[tuple[str, list[Splice]]]:
        """Yield Q ... Qᵀ for Qᵀ ... Q."""
        turned = {self.of(p.args[0]): p for p in parts if p.kind == "transpose"}
        for part in parts:
            other = turned.get(self.of(part))
            if other is not None:
                kind = "transposes exchanged"
                yield kind, [self.put(part, other), self.put(other, part)]

    def is_matrix(self, node: Node) -> bool:
        """Whether a matrix or vector occurs in a node."""
        if node.kind == "name":
            found = self.symbols.find(str(node.value))
            return found is not None and not found.is_scalar
        return any(self.is_matrix(part) for part in node.args)

    # -- sums, signs, numbers -------------------------------------------------------------------

    def _sum(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        parts, signs = list(node.args), list(node.value)  # type: ignore[call-overload]
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

    def swapped(self, node: Node) -> Iterator[tuple[str, list[Splice]]]:
        """Yield two names of different terms, each in the place of the other."""
        places = [
            (j, n) for j, part in enumerate(node.args) for n in _nodes(part) if n.kind == "name"
        ]
        if len(places) > 6:
            return
        for k, (i, first) in enumerate(places):
            for j, second in places[k + 1 :]:
                if i != j and self.of(first) != self.of(second):
                    both = [self.put(first, second), self.put(second, first)]
                    yield "symbols exchanged", both

    def _sign(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        yield "sign", [(node.start, node.args[0].start, "")]

    def _number(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        text = self.of(node)
        if not text.isdigit() or len(text) > 6:
            return
        value = int(text)
        raised = parent is not None and parent.kind == "power" and node is parent.args[1]
        factor = parent is not None and parent.kind == "product"
        first = factor and parent is not None and node is parent.args[0]
        kind = "exponent off by one" if self.in_exponent(node) else "number"
        others = {value + 1, value - 1, 2 * value, 10 * value} | ({1, 2} if value == 0 else set())
        others |= {value // d for d in (2, 3, 10) if value % d == 0}
        for new in sorted(others - {value, 0}):
            over = first and parent is not None and parent.value[1] == "/"  # type: ignore[index]
            if new == 1 and (raised or (factor and not over)):
                continue  # nobody writes x**1 or 1*x
            yield kind, [(node.start, node.end, str(new))]

    def _name(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
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

    # -- powers, functions, transposes ----------------------------------------------------------

    def _power(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
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

    def moved(self, node: Node, base: Node) -> Iterator[tuple[str, list[Splice]]]:
        """Yield a power moved into the brackets of its base: 1 - bᵏ for (1 - b)ᵏ."""
        inner = self.inner(base)
        tail = self.text[base.end : node.end]
        if base.kind == "group" and inner.kind == "sum" and len(inner.args) > 1:
            last = inner.args[-1]
            if last.kind in _ATOMS:
                yield "power outside", [(last.end, last.end, tail), (base.end, node.end, "")]

    def _group(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        """Yield a power moved out of brackets: (1 - al)ᵏ for (1 - alᵏ)."""
        inner = self.inner(node)
        if inner.kind != "sum" or (parent is not None and parent.kind == "power"):
            return
        last = inner.args[-1]
        power = last.args[-1] if last.kind == "product" else last
        if power.kind == "power" and power.end == inner.end:
            base = power.args[0]
            tail = self.text[base.end : power.end]
            yield "power inside", [(base.end, power.end, ""), (node.end, node.end, tail)]

    def inner(self, node: Node) -> Node:
        """Return what stands inside brackets."""
        while node.kind == "group" and len(node.args) == 1:
            node = node.args[0]
        return node

    def _call(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        kinds = {"sqrt": "root too many", "Abs": "absolute value too many",
                 "inv": "inverse too many", "sign": "sign function too many"}  # fmt: skip
        kind = kinds.get(str(node.value))
        if kind is not None and len(node.args) == 1:
            inner = self.inner(node.args[0])
            text = self.of(inner)
            simple = inner.kind in _ATOMS
            yield kind, [(node.start, node.end, text if simple else self.style.grouped(text))]

    def _transpose(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        yield "transpose too many", [(node.args[0].end, node.end, "")]

    def atom(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        """Yield what may be put round an operand."""
        style, text = self.style, self.of(node)
        if node.kind == "call" and node.value in ("Eq", "Lt", "Le", "Gt", "Ge", "And", "Or"):
            return
        raised = parent is not None and parent.kind == "power"
        if self.is_matrix(node):
            if parent is None or parent.kind != "transpose":
                if node.kind != "transpose":
                    yield "transpose forgotten", [(node.start, node.end, style.transposed(text))]
            if node.kind in ("name", "group"):
                name = self.of(self.inner(node))
                yield "inverse forgotten", [(node.start, node.end, style.inverted(name))]
            return
        if node.kind == "number" and len(text) > 3:
            return
        if not raised and node.kind != "number":
            yield "square forgotten", [(node.end, node.end, style.raised("", "2"))]
        if not (raised and parent is not None and node is parent.args[1]):
            inner = self.of(self.inner(node))
            yield "root forgotten", [(node.start, node.end, style.root(inner))]
        if node.kind in ("name", "group") and not raised:
            inner = self.of(self.inner(node))
            yield "absolute value forgotten", [(node.start, node.end, style.absolute(inner))]
            if node.kind == "name":
                yield "sign function forgotten", [(node.start, node.end, style.sign(inner))]
                if parent is None or parent.kind in ("sum", "product", "power", "group", "call"):
                    yield from self.shifted(node, parent)

    def shifted(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
        """Yield an integer symbol that is one more or less."""
        found = self.symbols.find(str(node.value))
        if found is None or not found.is_scalar or not found.object.is_integer:
            return
        text, style = self.of(node), self.style
        for new in (f"{text}{style.plus}1", f"{text}{style.minus}1"):
            bare = parent is None or parent.kind in ("call", "tuple", "group")
            yield "off by one", [(node.start, node.end, new if bare else style.grouped(new))]

    # -- relations ------------------------------------------------------------------------------

    def _relation(self, node: Node, parent: Node | None) -> Iterator[tuple[str, list[Splice]]]:
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


_RELATIONS = (
    ("<=", ">=", "<"), (">=", "<=", ">"), ("≤", "≥", "<"), ("≥", "≤", ">"),
    (r"\leq", r"\geq", "<"), (r"\geq", r"\leq", ">"), (r"\le", r"\ge", "<"),
    (r"\ge", r"\le", ">"), ("<", ">", "<="), (">", "<", ">="),
)  # fmt: skip


def _nodes(node: Node) -> list[Node]:
    return [node, *(n for part in node.args for n in _nodes(part))]
