"""Paths: a file, the one log in a folder, the two event files of a Keras run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convex_analyzer.diagnosis.readers.formats import all_formats, format_of
from convex_analyzer.diagnosis.readers.table import Table
from convex_analyzer.errors import InputError

__all__ = ["read_path"]

# logs that stand among other files in the folder of a run
_LOGS = ("trainer_state.json", "metrics.csv", "progress.csv", "log.csv", "history.json", "tfevents")


def read_path(path: Path) -> tuple[Table | Mapping[str, Any], str]:
    """Return the table or the arrays at a path, and the name of what was read.

    Raises
    ------
    InputError
        Nothing there, several logs, or no log.
    """
    path = path.expanduser()
    split = _split_folder(path)
    if split is not None:
        return split, path.name
    file = _file(path)
    return format_of(file).read(file), file.name


def _split_folder(folder: Path) -> Table | None:
    """Return the scalars of ``train/`` and ``validation/`` together, as Keras writes them."""
    events = {}
    for name in ("train", "validation"):
        found = [p for p in sorted((folder / name).glob("*")) if _LOGS[-1] in p.name]
        if len(found) != 1:
            return None
        events[name] = format_of(found[0]).read(found[0])
    train, validation = events["train"], events["validation"]
    if not (isinstance(train, Table) and isinstance(validation, Table)):
        return None
    for name, column in validation.columns.items():
        target = train.columns[name] if name == "step" else None
        rows, values = column.numbers()
        if target is None:
            target = train.columns[f"validation {name}"] = type(column)()
        target.rows.extend((rows + train.rows).tolist())
        target.values.extend(values.tolist())
    train.rows += validation.rows
    return train


def _file(path: Path) -> Path:
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        raise InputError(f"there is no file {path}", argument="source", value=str(path))
    if not path.is_file():
        raise InputError(f"{path} is not a file", argument="source", value=str(path))
    return path


def _in_folder(folder: Path) -> Path:
    """Return the one log in a folder, looking two folders deep."""
    suffixes = tuple(suffix for form in all_formats() for suffix in form.suffixes)
    found = [
        path
        for pattern in ("*", "*/*", "*/*/*")
        for path in sorted(folder.glob(pattern))
        if path.is_file()
        and ("tfevents" in path.name or path.name.lower().removesuffix(".gz").endswith(suffixes))
    ]
    known = [path for path in found if any(path.name.endswith(log) for log in _LOGS[:-1])]
    known = known or [path for path in found if _LOGS[-1] in path.name]
    states = [path for path in known if path.parent.name.startswith("checkpoint-")]
    top = [path for path in known if path.parent == folder]
    for candidates in (top, known, found):
        if len(candidates) == 1:
            return candidates[0]
    if states and len(states) == len(known):  # each holds the history up to its checkpoint
        return max(
            states, key=lambda path: int("0" + "".join(filter(str.isdigit, path.parent.name)))
        )
    if not found:
        raise InputError(f"there is no log in {folder}", argument="source", value=str(folder))
    names = ", ".join(str(path.relative_to(folder)) for path in (known or found)[:8])
    raise InputError(
        f"{folder} holds {len(known or found)} logs: {names}",
        argument="source",
        hint="pass the path of one of them, or in a shell those of all",
    )
