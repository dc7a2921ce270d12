"""What training loops print: "Epoch 3/10 - loss: 0.53 - val_loss: 0.61", "step=20 loss=0.5"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from convex_analyzer.diagnosis.readers.cells import number
from convex_analyzer.diagnosis.readers.formats import Format, open_text
from convex_analyzer.diagnosis.readers.names import classify
from convex_analyzer.diagnosis.readers.table import Table
from convex_analyzer.errors import InputError

__all__ = ["FORMAT", "is_text_log", "read_text_log"]

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf(?:inity)?)%?"
_PAIR = re.compile(
    rf"(?<![\w/.])['\"]?([a-z_][\w/.-]*(?: (?:loss|rate|norm|acc|accuracy))?)['\"]?\s*[:=]\s*['\"]?"
    rf"({_NUMBER})(?![\w./])",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\b(epoch|step|iter(?:ation)?|batch)s?\s*[:=#]?\s*[\[(]?\s*(\d+)", re.IGNORECASE
)
_HELD_OUT = re.compile(r"\b(test|val|valid|validation|eval|evaluation)\b", re.IGNORECASE)
_JSON = re.compile(rb"\s*(\{\s*[\"}]|\[\s*([\[{\"]|-?[\d.]+\s*[,\]]))")
_REDRAWN = re.compile(r"[\r\b]+|\x1b\[[0-9;]*[A-Za-z]")
_LONGEST_LINE = 1 << 22


def read_text_log(path: Path) -> Table:
    """Return the quantities that are printed with their names, one row a line.

    A line that says an epoch or a step alone counts for those after it. Of a progress bar that is
    drawn again and again only the last state is kept: those before are means over a part.

    Raises
    ------
    InputError
        Not text, or no line that says a loss.
    """
    table = Table(path.name)
    with open_text(path) as stream:
        stream.reconfigure(newline="\n")  # a carriage return alone redraws a line
        for record in _records(stream):
            table.append(record)
    if not any(getattr(classify(name), "field", "") for name in table.numeric):
        raise InputError(f"{path.name} has no line that says a loss", argument="source")
    return table


def _records(stream: IO[str]) -> Iterator[dict[str, float]]:
    counts: dict[str, float] = {}
    while line := stream.readline(_LONGEST_LINE):
        states = [state for state in _REDRAWN.split(line.rstrip("\r\n")) if state.strip()]
        said = [state for state in states if _pairs(state)] or states[-1:]
        for name, value in _COUNT.findall(" ".join(states)):
            counts[name.lower()] = float(value)
        found = _pairs(said[-1]) if said else {}
        curves = {name: value for name, value in found.items() if name.lower() not in counts}
        if curves:
            yield {**counts, **curves}


def _pairs(line: str) -> dict[str, float]:
    found = {}
    before = ""
    for match in _PAIR.finditer(line):
        name, value = match[1], number(match[2])
        before = before or line[: match.start()] or " "
        held_out = _HELD_OUT.search(before) is not None and name.lower() not in {"epoch", "step"}
        name = f"validation {name}" if held_out and classify(f"validation {name}") else name
        if value is not None and classify(name) is not None:
            found[name] = value
    return found


def is_text_log(start: bytes) -> bool:
    """Tell whether a text says names beside its numbers, as a table does not."""
    if b"\0" in start or _JSON.match(start):
        return False
    lines = [line for line in start.decode("utf-8", "replace").splitlines() if line.strip()]
    said = [line for line in lines if any("loss" in name.lower() for name in _pairs(line))]
    return len(said) > 0.1 * len(lines) and "," not in lines[0].split(":")[0]


FORMAT = Format("printed log", (".out",), read_text_log, lambda _name, start: is_text_log(start))
