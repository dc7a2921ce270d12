"""A web page in a real browser: what it asks for, what it says, and whether it fits.

Needs Playwright (no browser of its own is downloaded) and an installed Chromium, looked for under
its usual names or in the variable CONVEX_ANALYZER_CHROMIUM. axe-core, where the variable
CONVEX_ANALYZER_AXE names its file, looks for what keeps people out.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Where the browser is, if there is one."""
    named = os.environ.get("CONVEX_ANALYZER_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def missing() -> str:
    """Why no browser can be started; empty when one can."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed (pip install playwright)"
    return "" if chromium() else "no Chromium is installed; CONVEX_ANALYZER_CHROMIUM may name one"


@dataclass
class Seen:
    """What a page did while it was open."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def axe(self) -> list[str]:
        """Serious and critical violations that axe-core finds, or nothing without it."""
        file = os.environ.get("CONVEX_ANALYZER_AXE")
        if not file:
            return []
        self.page.evaluate(Path(file).read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {iframes: false})")["violations"]
        return [
            f"{one['id']}: {node['html'][:120]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]


@contextmanager
def browser() -> Iterator[Any]:
    """One browser for several pages; it starts empty and keeps nothing."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def opened(started: Any, path: Path, width: int = 1440, scheme: str = "light") -> Iterator[Seen]:
    """Open a file at a width; every request and every complaint is written down."""
    context = started.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    seen = Seen(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    try:
        page.goto(path.as_uri())
        yield seen
    finally:
        context.close()
