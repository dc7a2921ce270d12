"""What the commands print: sentences, tables, JSON, and a sign of life during long work."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from typing import Any

import click

from convex_analyzer.tables import Table, format_count

__all__ = ["Activity", "heading", "print_json", "say", "shorten", "show", "working"]

_PATIENCE = 0.5  # seconds before work counts as long


def say(text: str = "", *, bold: bool = False, dim: bool = False) -> None:
    """Print a sentence, wrapped to the terminal; one line where there is none."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        style = "bold" if bold else "dim" if dim else ""
        Console(highlight=False).print(Text(text, style=style))
    else:
        click.echo(text)


def heading(text: str) -> None:
    """Print a heading with a line below."""
    say()
    say(text, bold=True)
    say("─" * len(text), dim=True)


def show(table: Table) -> None:
    """Print a table: fitted to a terminal, as aligned text elsewhere."""
    if not sys.stdout.isatty():
        click.echo(table.to_text())
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(highlight=False)
    if len(table.to_text().splitlines()[-1 - len(table.notes)]) > console.width:
        table = _upright(table)
    grid = RichTable(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for j, column in enumerate(table.columns):
        grid.add_column(column, justify="left" if j < table.left else "right", overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(cell) for cell in row))
    if table.title:
        console.print(Text(table.title, style="dim"))
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
    if total <= most:
        return table
    gap = ("…",) + ("",) * (len(table.columns) - 1)
    rows = (*table.rows[: most // 2], gap, *table.rows[-(most - most // 2) :])
    note = f"{format_count(total - most)} between are not shown; --json has all."
    return Table(table.columns, rows, notes=(note,), left=table.left)


def print_json(data: Any) -> None:
    """Print plain data as JSON."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


class Activity:
    """Counts steps, and shows them on a terminal once the work has taken a while."""

    def __init__(self, text: str, status: Any = None) -> None:
        self.text = text
        self.done = 0
        self._status = status

    def __call__(self, steps: int) -> None:
        """Note that so many more steps are done."""
        self.done += steps
        if self._status is not None:
            self._status.update(f"{self.text}: {format_count(self.done)} steps")


@contextlib.contextmanager
def working(text: str) -> Iterator[Activity]:
    """Show a spinner with `text` on stderr if it is a terminal and the work is long."""
    if not sys.stderr.isatty():
        yield Activity(text)
        return
    from rich.console import Console

    status = Console(stderr=True).status(text)
    timer = threading.Timer(_PATIENCE, status.start)
    timer.start()
    try:
        yield Activity(text, status)
    finally:
        timer.cancel()
        timer.join()
        status.stop()
