"""Results and documents as JSON, the same bytes for the same content.

Keys are sorted, with the schema first. JSON has no infinity and no not-a-number, so such a value is
written as ``{"reason": "infinite", "value": null}`` (or ``"minus infinite"``, ``"not a number"``):
it never appears without its reason, and every JSON reader can read the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from convex_analyzer.errors import InputError
from convex_analyzer.files import StrPath, StrPaths, write_bytes
from convex_analyzer.reporting.document import Document

__all__ = ["to_json", "write_json"]


def to_json(content: Document | Mapping[str, Any]) -> str:
    """Write a document, or the ``to_dict()`` of a result, as JSON text.

    Parameters
    ----------
    content
        A document, or a dictionary with a text under ``"schema"`` that names what it is and its
        version. It may hold NumPy arrays and numbers.

    Raises
    ------
    InputError
        When there is no schema, or something inside has no form in JSON; says where.

    Examples
    --------
    >>> print(to_json({"schema": "example/1", "rate": 0.9, "limit": float("inf")}))
    {
      "schema": "example/1",
      "limit": {"reason": "infinite", "value": null},
      "rate": 0.9
    }
    <BLANKLINE>
    """
    data: Any = content.to_dict() if isinstance(content, Document) else content
    if not (isinstance(data, Mapping) and isinstance(data.get("schema"), str)):
        rule = 'a Document or a dictionary with a "schema", such as the to_dict() of a result'
        raise InputError(f"to_json: content must be {rule}, got {type(content).__name__}")
    return _lines(_plain(data, "content"), "") + "\n"


def write_json(
    content: Document | Mapping[str, Any], path: StrPath, *, inputs: StrPaths = ()
) -> tuple[Path, ...]:
    """Write :func:`to_json` to a file; returns the paths written.

    Parameters
    ----------
    content
        As for :func:`to_json`.
    path, inputs
        As for :func:`~convex_analyzer.files.write_bytes`.
    """
    return (write_bytes(path, to_json(content).encode("utf-8"), inputs=inputs),)


def _plain(value: Any, where: str) -> Any:
    """Reduce to what JSON has: dictionaries, lists, texts, finite numbers, booleans and null."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"reason": _reason(value), "value": None}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"to_json: keys must be text, got {key!r} in {where}")
        keys = sorted(value, key=lambda key: (key not in ("schema", "type"), key))
        return {_whole(key): _plain(value[key], f"{where}.{key}") for key in keys}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    got = f"got {type(value).__name__} in {where}"
    raise InputError(f"to_json: numbers, texts, lists and dictionaries can be written, {got}")


def _whole(text: str) -> str:
    """Text that UTF-8 can carry: a file name may hold lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _reason(value: float) -> str:
    if math.isnan(value):
        return "not a number"
    return "infinite" if value > 0 else "minus infinite"


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _lines(value: Any, indent: str) -> str:
    """Lay out with two spaces; short dictionaries and lists of plain values take one line."""
    if not isinstance(value, dict | list) or not value:
        return _dumps(value)
    inner = f"{indent}  "
    if isinstance(value, list):
        if not any(isinstance(item, dict | list) for item in value):
            return _dumps(value)
        rows = [_lines(item, inner) for item in value]
        return f"[\n{inner}" + f",\n{inner}".join(rows) + f"\n{indent}]"
    flat = not any(isinstance(item, dict | list) for item in value.values())
    if flat and indent and len(line := _dumps(value)) <= 88:
        return line
    rows = [f"{_dumps(key)}: {_lines(item, inner)}" for key, item in value.items()]
    return f"{{\n{inner}" + f",\n{inner}".join(rows) + f"\n{indent}}}"
