"""JSON documents: trainer_state.json, a Keras history, records, arrays by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from convex_analyzer.diagnosis.readers.formats import LARGEST_FILE, Format, open_text
from convex_analyzer.diagnosis.readers.formats.text_logs import is_text_log
from convex_analyzer.diagnosis.readers.table import Table
from convex_analyzer.errors import InputError

__all__ = ["FORMAT", "from_document", "from_records", "read_json"]

_WRAPPERS = ("history", "log", "logs", "metrics", "scalars", "data", "results")


def read_json(path: Path) -> Table | Mapping[str, Any]:
    """Return what a JSON file holds.

    Raises
    ------
    InputError
        Not JSON, or nothing like a log.
    """
    with open_text(path) as stream:
        text = stream.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise InputError(f"{path.name} is larger than {LARGEST_FILE >> 20} MB", argument="source")
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise InputError(f"{path.name} is nested too deeply", argument="source") from error
    except ValueError as error:
        raise InputError(
            f"{path.name} is not JSON: {error}",
            argument="source",
            hint="name it .jsonl if it holds one record a line",
        ) from error
    return from_document(document, path.name)


def from_document(document: Any, name: str) -> Table | Mapping[str, Any]:
    """Return the table or the arrays in a document that was read from JSON.

    Raises
    ------
    InputError
        Nothing like a log.
    """
    if isinstance(document, Mapping):
        if isinstance(document.get("log_history"), Sequence):
            return _trainer_state(document, name)
        if any(_is_column(value) for value in document.values()):
            return {key: _column(value) for key, value in document.items()}
        for key in _WRAPPERS:
            if isinstance(document.get(key), Mapping | list):
                return from_document(document[key], name)
    elif isinstance(document, list) and document:
        if all(isinstance(item, Mapping) for item in document):
            return from_records(document, name)
        if all(isinstance(item, list) and len(item) == 3 for item in document):
            rows = [{"wall time": w, "step": s, "value": v} for w, s, v in document]
            return from_records(rows, name)  # what TensorBoard offers for download
        if not any(isinstance(item, list | Mapping) for item in document):
            return {"loss": document}
    raise InputError(
        f"{name} holds no log: a list of records, arrays by name, or log_history is looked for",
        argument="source",
    )


def from_records(records: Sequence[Mapping[str, Any]], name: str) -> Table:
    """Return a table of records."""
    table = Table(name)
    for record in records:
        table.append({str(key): value for key, value in record.items()})
    return table


def _trainer_state(document: Mapping[str, Any], name: str) -> Table:
    """Hugging Face: a training record gives the mean loss since the record before it."""
    records = [item for item in document["log_history"] if isinstance(item, Mapping)]
    # the last record sums the whole run up; its train_loss is the mean over all steps
    table = from_records([item for item in records if "train_runtime" not in item], name)
    steps = [item["step"] for item in records if "loss" in item and "step" in item]
    if len(steps) > 1 and min(b - a for a, b in pairwise(steps)) > 1:
        table.averaged = "means between records"
    return table


def _is_column(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and all(str(key).lstrip("-").isdecimal() for key in value)
    return isinstance(value, list) and bool(value) and not isinstance(value[0], Mapping)


def _column(value: Any) -> Any:
    """Return a list; pandas writes columns as {"0": ..., "1": ...}."""
    if isinstance(value, Mapping) and _is_column(value):
        return [value[key] for key in sorted(value, key=int)]
    return value


FORMAT = Format(
    "JSON",
    (".json",),
    read_json,
    lambda _name, start: start.lstrip()[:1] in (b"{", b"[") and not is_text_log(start),
)
