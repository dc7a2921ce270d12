"""The page around the blocks: head, security policy, style, script, and fonts."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html.parser import HTMLParser
from importlib import resources

from convex_analyzer.errors import InputError
from convex_analyzer.reporting.html_text import escape

__all__ = ["page_head", "scripts_of"]

_FILES = resources.files("convex_analyzer.reporting").joinpath("web")
_DATA = frozenset({"application/json", "application/ld+json", "text/plain"})


@cache
def asset(name: str) -> str:
    """Return a style sheet or a script of this package."""
    return _FILES.joinpath(name).read_text(encoding="utf-8")


@cache
def font(file: str, family: str, weight: int = 400, letters: str = "") -> str:
    """Return the style rule with one font of this package."""
    data = _FILES.joinpath("fonts", f"{file}.woff2").read_bytes()
    inside = base64.b64encode(data).decode("ascii")
    some = f" unicode-range: {letters};" if letters else ""
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: block;{some} '
        f'src: url("data:font/woff2;base64,{inside}") format("woff2"); }}'
    )


def fonts(*, formulas: bool) -> str:
    """Return the fonts of a page: Libertinus Serif; for formulas and signs STIX Two Math."""
    rules = [
        font(f"libertinus-serif-{script}-{weight}", "Report Text", weight, letters)
        for weight in (400, 700)
        for script, letters in (("latin", ""), ("greek", "U+384-3CE"))
    ]
    return "\n".join(rules + ([font("stix-two-math-subset", "Report Math")] if formulas else []))


def page_head(title: str, *, formulas: bool, style: str = "", scripts: tuple[str, ...] = ()) -> str:
    """Return the ``<head>`` of a page that loads nothing and runs only these scripts.

    Parameters
    ----------
    title
        In the bar of the window.
    formulas
        Whether there are any, so that their font is needed.
    style
        Further style rules.
    scripts
        The texts of the scripts of the page, and of pages inside of it.
    """
    hashes = " ".join(f"'{script_hash(script)}'" for script in scripts) or "'none'"
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        f"script-src {hashes}; base-uri 'none'; form-action 'none'"
    )
    sheet = "\n".join(filter(None, (fonts(formulas=formulas), asset("page.css"), style)))
    return (
        '<head>\n<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        '<meta name="color-scheme" content="light dark"/>\n'
        f"<title>{escape(title)}</title>\n<style>\n{sheet}</style>\n</head>"
    )


def script_hash(script: str) -> str:
    """Return what the security policy calls an inline script.

    Examples
    --------
    >>> script_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


class _Scripts(HTMLParser):
    """Collect the texts of scripts; one that is loaded from elsewhere cannot run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "script":
            return
        given = dict(attrs)
        if "src" in given:
            raise InputError(
                f"an embedded page must hold its scripts, got one from {given['src']!r}",
                argument="html",
            )
        self.inside = given.get("type") not in _DATA
        self.found += [""] if self.inside else []

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "script"


def scripts_of(page: str) -> tuple[str, ...]:
    """Return the texts of the scripts in a page.

    Examples
    --------
    >>> scripts_of('<p>a</p><script>run(1 < 2)</script>')
    ('run(1 < 2)',)
    """
    reader = _Scripts()
    reader.feed(page)
    reader.close()
    return tuple(reader.found)
