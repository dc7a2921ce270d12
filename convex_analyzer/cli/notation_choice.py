"""Which letters are read: those of ``--notation``, or those that were chosen once and remembered.

The choice stands in a small file in the user's folder for settings, and is only written when
``--remember`` asks for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convex_analyzer.errors import InputError

if TYPE_CHECKING:
    from convex_analyzer.derivations.judging.lines import CheckedLine

__all__ = ["OWN", "chosen", "offered", "settings_file"]

OWN = "own"  # the word for our own letters
_OFFER = re.compile(r"in the letters of (\w+)")


def settings_file() -> Path:
    """Return where the choice is kept."""
    return Path(click.get_app_dir("convex-analyzer")) / "settings.json"


def chosen(notation: str | None, *, remember: bool = False) -> str:
    """Return the source whose letters are read; empty: our own.

    Parameters
    ----------
    notation
        What was asked for; None: what is remembered.
    remember
        Whether to keep the choice; our own letters clear it.

    Raises
    ------
    InputError
        Unknown source, nothing to remember, or a file of settings that cannot be used.
    """
    if notation is None:
        if remember:
            raise InputError("--remember keeps a choice: name it with --notation")
        return _remembered()
    source = "" if notation == OWN else _known(notation)
    if remember:
        _write(source)
    return source


def _known(notation: str) -> str:
    from convex_analyzer.parsing.notations import source_named

    return source_named(notation)


def _remembered() -> str:
    file = settings_file()
    if not file.is_file():
        return ""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        source = found.get("notation", "")
        known = _known(source) if source else ""
    except (OSError, ValueError, AttributeError, TypeError):  # InputError is a ValueError
        raise InputError(f"{file} cannot be used: correct or delete it") from None
    if known:
        click.echo(f"note: read in the letters of {known}, as remembered", err=True)
    return known


def _write(source: str) -> None:
    from convex_analyzer.files import write_bytes

    file = settings_file()
    if not source:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(file, (json.dumps({"notation": source}, indent=2) + "\n").encode())


def offered(lines: Iterable[CheckedLine]) -> str:
    """Return what to say when lines could be read in other letters; empty: nothing."""
    for line in lines:
        match = _OFFER.search(line.reason) if line.status == "unreadable" else None
        if match:
            return f"--notation {match[1]} reads it so; with --remember from now on."
    return ""
