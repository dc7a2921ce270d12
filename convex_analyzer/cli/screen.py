"""What the commands print: sentences, tables, JSON; and how, where nobody looks or in a log."""

from __future__ import annotations

import json
import os
import sys
from shutil import get_terminal_size
from typing import Any

import click

from convex_analyzer.cli.progress import working
from convex_analyzer.sheets import WIDTH, Sheet
from convex_analyzer.spelling import fits
from convex_analyzer.tables import Table, wrapped

__all__ = [
    "PLAIN",
    "has_colours",
    "heading",
    "is_plain",
    "print_json",
    "say",
    "shorten",
    "show",
    "working",
]

PLAIN = "convex_analyzer.plain"  # where a context keeps that --plain was said
_BARS = frozenset("█▉▊▋▌▍▎▏░ ")
_RULE = "─"
_WIDEST = 100  # letters of a line of a sheet


def is_plain() -> bool:
    """Tell whether --plain was said: one fact a line, for logs."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.find_root().meta.get(PLAIN))


def has_colours() -> bool:
    """Tell whether standard output is a terminal that may be written to in bold and dim."""
    quiet = os.environ.get("NO_COLOR") or os.environ.get("TERM", "") in {"dumb", "unknown"}
    return sys.stdout.isatty() and not quiet and not is_plain()


def say(text: str = "", *, bold: bool = False, dim: bool = False) -> None:
    """Print a sentence, wrapped to the terminal; one line where there is none."""
    if is_plain():
        if text.strip():
            click.echo(" ".join(text.split()))
        return
    lines = [text]
    if sys.stdout.isatty():
        lines = wrapped(text, _width(), "  " if text.startswith("• ") else "")
    styled = has_colours()
    for line in lines:
        click.echo(click.style(line, bold=bold, dim=dim) if styled and (bold or dim) else line)


def _width() -> int:
    return max(get_terminal_size((80, 24)).columns, 40)


def heading(text: str) -> None:
    """Print a heading with a line below."""
    say()
    say(text, bold=True)
    if not is_plain():
        say("─" * len(text), dim=True)


def show(table: Table) -> None:
    """Print a table: a fact a line in a log, fitted to a terminal, as aligned text elsewhere."""
    if is_plain():
        for line in table.mapped(_without_bars).to_lines():
            click.echo(line)
    elif isinstance(table, Sheet):
        click.echo(_sheet(table))
    elif sys.stdout.isatty():
        _fitted(table)
    else:
        text = table.to_text()
        click.echo(text if fits(text, sys.stdout.encoding) else table.in_ascii())


def _without_bars(text: str) -> str:
    return "" if text and set(text) <= _BARS else text


def _sheet(sheet: Sheet) -> str:
    """Return a sheet as wide as the screen, within reason."""
    width = min(_width(), _WIDEST) if sys.stdout.isatty() else WIDTH
    text = sheet.to_text(width)
    return text if fits(text, sys.stdout.encoding) else sheet.in_ascii()


def _fitted(table: Table) -> None:
    """Print a table on a terminal: no line is longer than that, and no word is cut."""
    if not fits(table.to_text() + _RULE, sys.stdout.encoding):
        click.echo(table.in_ascii())
        return
    if table.title:
        say(table.title, dim=True)
    styled = has_colours()
    for block in table.blocks(_width()):
        is_head = len(block) > 1
        for line in block:
            if is_head and set(line) <= {"-", " "}:
                is_head, rule = False, line.replace("-", _RULE)
                click.echo(click.style(rule, dim=True) if styled else rule)
            else:
                click.echo(click.style(line, bold=True) if styled and is_head else line)
    for note in table.notes:
        say(note)


def shorten(table: Table, total: int, most: int = 10) -> Table:
    """Return a table with at most `most` rows of `total`: both ends, and a note that says so."""
    return table.shortened(most, total, "; --json has all")


def print_json(data: Any) -> None:
    """Print plain data as JSON."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
