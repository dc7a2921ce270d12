"""JSON lines: one record a line, as most home-made loggers and W&B's history write."""

from __future__ import annotations

import json
from pathlib import Path

from convex_analyzer.diagnosis.readers.formats import Format, open_text
from convex_analyzer.diagnosis.readers.table import Table
from convex_analyzer.errors import InputError

__all__ = ["FORMAT", "read_json_lines"]


def read_json_lines(path: Path) -> Table:
    """Return the records of a file; lines that are no record are counted and left out.

    Raises
    ------
    InputError
        Not text, empty, or fewer records than other lines.
    """
    table = Table(path.name)
    bad = 0
    with open_text(path) as stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if isinstance(record, dict):
                table.append(record)
            else:
                bad += 1
    if not table.rows and not bad:
        raise InputError(f"{path.name} is empty", argument="source")
    if bad > table.rows:
        raise InputError(
            f"{path.name} holds {table.rows} JSON records and {bad} other lines", argument="source"
        )
    if bad:
        table.notes.append(f"{bad} lines are no JSON records and are left out")
    return table


FORMAT = Format(
    "JSON lines",
    (".jsonl", ".ndjson"),
    read_json_lines,
    lambda _name, start: start.lstrip()[:2] == b'{"' and b"}\n{" in start.replace(b"\r", b""),
)
