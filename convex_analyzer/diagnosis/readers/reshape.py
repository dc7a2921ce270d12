"""Tables in long form made wide: one row a quantity, or one row a split."""

from __future__ import annotations

from collections.abc import Callable

from convex_analyzer.diagnosis.readers.names import classify, words
from convex_analyzer.diagnosis.readers.table import Column, Table

__all__ = ["wide"]

_KEYS = frozenset({"tag", "metric", "key", "name", "metrics", "variable", "quantity"})
_SPLITS = frozenset({"phase", "split", "mode", "stage", "set", "subset", "dataset", "part"})


def wide(table: Table) -> Table:
    """Return the table with one column for each quantity of each split.

    A text column ``tag`` (``metric``, ``key`` ...) beside one column ``value`` names what each row
    holds; a text column ``phase`` (``split``, ``mode`` ...) of "train", "val" ... says of which
    rows the loss is.
    """
    for name, column in table.columns.items():
        if len(column) or not column.texts:
            continue
        label = name.strip().lower().replace(" ", "_")
        kinds = set(column.texts.values())
        if label in _KEYS and _value(table) and any(classify(kind) for kind in kinds):
            return _split(table, column, [_value(table)], lambda _name, kind: kind)
        if label in _SPLITS and all(_is_split(kind) for kind in kinds):
            curves = [
                other
                for other in table.numeric
                if getattr(classify(other), "field", "") in {"loss", "accuracy"}
            ]
            return _split(table, column, curves, lambda name, kind: f"{kind} {name}")
    return table


def _value(table: Table) -> str:
    return next((name for name in table.numeric if name.strip().lower() == "value"), "")


def _is_split(text: str) -> bool:
    return words(text) in {("train",), ("validation",)}


def _split(
    table: Table, labels: Column, names: list[str], rename: Callable[[str, str], str]
) -> Table:
    """Replace columns by one column for each label of their rows."""
    for name in names:
        column = table.columns.pop(name)
        rows, values = column.numbers()
        for row, value in zip(rows.tolist(), values.tolist(), strict=True):
            label = labels.texts.get(row)
            new = table.columns.setdefault(rename(name, label) if label else name, Column())
            new.rows.append(row)
            new.values.append(value)
    table.columns = {name: column for name, column in table.columns.items() if column is not labels}
    return table
