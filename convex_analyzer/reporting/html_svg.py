"""Pictures inside of a web page: SVG without scripts and links, with names of its own.

Two pictures on one page share one space of names, and their style sheets apply to the whole page.
So every name that is referred to gets the prefix of its picture, the others go, and style rules are
kept to the picture.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, NamedTuple

from convex_analyzer.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["Picture", "inline_svg"]

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = ("href", "{http://www.w3.org/1999/xlink}href")
_DRAWN = frozenset({"svg", "g", "defs", "use", "symbol", "style", "image", "text", "tspan"})
_DRAWN |= {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "marker", "stop"}
_DRAWN |= {"clipPath", "mask", "pattern", "linearGradient", "radialGradient", "textPath"}
_TEXT = ("text", "tspan", "textPath", "style")
_INVISIBLE = ("metadata", "title", "desc")
_URL = re.compile(r"url\(\s*['\"]?(#?)([^)'\"]*)['\"]?\s*\)")
_NAME = re.compile(r"#([A-Za-z_][-\w]*)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "in": 96.0, "mm": 96 / 25.4, "cm": 96 / 2.54}
_LENGTH = re.compile(r"\s*([\d.]+(?:e[-+]?\d+)?)\s*(px|pt|in|mm|cm|)\s*", re.IGNORECASE)


class Picture(NamedTuple):
    """An ``<svg>`` element and its natural size in CSS pixels."""

    svg: str
    width: float
    height: float


def inline_svg(svg: bytes, alt: str, prefix: str) -> Picture:
    """Make an SVG file part of a page.

    Parameters
    ----------
    svg
        The bytes of the file.
    alt
        What the reader concludes from it.
    prefix
        What its names begin with; another one for each picture of the page.

    Raises
    ------
    InputError
        The file is no SVG, has no size, or refers to another file.

    Examples
    --------
    >>> file = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="6"><g id="a"/></svg>'
    >>> inline_svg(file, "Nothing.", "f1").svg
    '<svg viewBox="0 0 9 6" role="img" aria-label="Nothing." id="f1"><g/></svg>'
    """
    from xml.etree import ElementTree as ET

    try:
        root = ET.fromstring(svg)
    except ET.ParseError as error:
        raise InputError(f"a picture cannot be read: {error}", argument="svg") from None
    if root.tag != f"{_SVG}svg":
        raise InputError(f"a picture must be an SVG file, got {root.tag!r}", argument="svg")
    width, height, box = _size(root)
    writer = _Writer(prefix, _referred(root))
    inside = "".join(writer.element(child) for child in root)
    kept = {k: v for k, v in root.attrib.items() if k in ("style", "fill", "stroke")}
    more = "".join(writer.attribute(*item) for item in kept.items())
    words = html.escape(alt).replace("\n", " ")
    start = f'<svg viewBox="{box}" role="img" aria-label="{words}" id="{prefix}"{more}>'
    return Picture(f"{start}{inside}</svg>", width, height)


def _size(root: Element) -> tuple[float, float, str]:
    """Return the width and height in pixels, and the box that is shown."""
    sides = [_LENGTH.fullmatch(root.get(side, "")) for side in ("width", "height")]
    lengths = [float(m[1]) * _UNITS[m[2].lower()] if m else 0.0 for m in sides]
    box = root.get("viewBox", "").replace(",", " ").split()
    numbers = [float(n) for n in box if re.fullmatch(r"-?[\d.]+(?:e[-+]?\d+)?", n)]
    if len(numbers) != 4:
        if not all(lengths):
            raise InputError("a picture has neither a size nor a viewBox", argument="svg")
        return lengths[0], lengths[1], f"0 0 {lengths[0]:g} {lengths[1]:g}"
    if not all(lengths):
        lengths = numbers[2:]
    return lengths[0], lengths[1], " ".join(box)


def _referred(root: Element) -> set[str]:
    """Return the names that something in the picture refers to."""
    found = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in _HREF and value.startswith("#"):
                found.add(value[1:])
            found.update(m[2] for m in _URL.finditer(value) if m[1])
        if element.tag == f"{_SVG}style":
            found.update(m[2] for m in _URL.finditer(element.text or "") if m[1])
            found.update(_NAME.findall(element.text or ""))
    return found


class _Writer:
    def __init__(self, prefix: str, referred: set[str]) -> None:
        self.prefix = prefix
        self.referred = referred

    def element(self, element: Element) -> str:
        space, name = element.tag.startswith(_SVG), element.tag.removeprefix(_SVG)
        if not space or name in _INVISIBLE:
            return ""
        if name not in _DRAWN:
            raise InputError(f"a picture on a web page cannot hold <{name}>", argument="svg")
        attributes = "".join(self.attribute(*item) for item in element.attrib.items())
        if name == "style":
            return f"<style>{self.style(element.text or '')}</style>"
        keeps = name in _TEXT
        inside = [html.escape(element.text, quote=False)] if keeps and element.text else []
        for child in element:
            inside.append(self.element(child))
            if keeps and child.tail:
                inside.append(html.escape(child.tail, quote=False))
        if not inside:
            return f"<{name}{attributes}/>"
        return f"<{name}{attributes}>{''.join(inside)}</{name}>"

    def attribute(self, name: str, value: str) -> str:
        if name in _HREF:
            name, value = "href", self.link(value)
        elif name == "id":
            if value not in self.referred:
                return ""
            value = f"{self.prefix}-{value}"
        elif name.startswith("on"):
            raise InputError(f"a picture on a web page cannot hold {name!r}", argument="svg")
        elif "}" in name or name == "class":
            return ""
        else:
            value = _URL.sub(lambda m: f"url({self.link(m[1] + m[2])})", value)
        return f' {name}="{html.escape(value)}"'

    def link(self, target: str) -> str:
        if target.startswith("#"):
            return f"#{self.prefix}-{target[1:]}"
        if target.startswith("data:image/") and "svg" not in target[:20]:
            return target
        raise InputError(f"a picture refers to another file: {target[:60]!r}", argument="svg")

    def style(self, sheet: str) -> str:
        """Keep plain rules to this picture; what loads or escapes is refused."""
        if "@" in sheet or "<" in sheet:
            raise InputError("a picture has style rules that a web page cannot hold")
        rules = []
        for selectors, body in _RULE.findall(sheet):
            renamed = _NAME.sub(rf"#{self.prefix}-\1", selectors)
            kept = ", ".join(f"#{self.prefix} {one.strip()}" for one in renamed.split(","))
            linked = _URL.sub(lambda m: f"url({self.link(m[1] + m[2])})", body.strip())
            rules.append(f"{kept} {{{linked}}}")
        return "\n".join(rules)
