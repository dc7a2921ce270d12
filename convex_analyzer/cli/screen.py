"""What the commands print: sentences, tables, JSON; and how, where nobody looks or in a log."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from convex_analyzer.cli.progress import working
from convex_analyzer.sheets import Sheet
from convex_analyzer.spelling import fits
from convex_analyzer.tables import Table

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
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        style = ("bold" if bold else "dim" if dim else "") if has_colours() else ""
        Console(highlight=False).print(Text(text, style=style))
    else:
        click.echo(text)


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
    from shutil import get_terminal_size

    width = min(get_terminal_size((80, 24)).columns, _WIDEST) if sys.stdout.isatty() else 80
    text = sheet.to_text(max(width, 40))
    return text if fits(text, sys.stdout.encoding) else sheet.in_ascii()


def _fitted(table: Table) -> None:
    from rich.box import ASCII2, SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(highlight=False)
    if len(table.to_text().splitlines()[-1 - len(table.notes)]) > console.width:
        table = _upright(table)
    box = SIMPLE_HEAD if fits("─", sys.stdout.encoding) else ASCII2
    styled = has_colours()
    grid = RichTable(
        box=box, pad_edge=False, show_edge=False, header_style="bold" if styled else ""
    )
    for j, column in enumerate(table.columns):
        grid.add_column(column, justify="left" if j < table.left else "right", overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(cell) for cell in row))
    if table.title:
        console.print(Text(table.title, style="dim" if styled else ""))
    console.print(grid)
    for note in table.notes:
        console.print(Text(note))


def _upright(table: Table) -> Table:
    """Return a wide table with rows and columns exchanged, when that is narrower."""
    if len(table.rows) >= len(table.columns) or len(table.columns) < 5:
        return table
    columns = (table.columns[0], *(row[0] for row in table.rows))
    rows = tuple(
        (name, *(row[j] for row in table.rows)) for j, name in enumerate(table.columns) if j > 0
    )
    return Table(columns, rows, table.title, table.notes, left=len(columns))


def shorten(table: Table, total: int, most: int = 10) -> Table:
    """Return a table with at most `most` rows of `total`: both ends, and a note that says so."""
    return table.shortened(most, total, "; --json has all")


def print_json(data: Any) -> None:
    """Print plain data as JSON."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
