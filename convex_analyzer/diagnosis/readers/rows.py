"""The order of the rows of a log: steps, epochs, restarts, resumptions, several runs in one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Series
from convex_analyzer.diagnosis.readers.draft import Draft
from convex_analyzer.diagnosis.readers.sampling import in_order
from convex_analyzer.diagnosis.readers.table import Column, Table
from convex_analyzer.errors import InputError

__all__ = ["Axis", "axis_of", "choose_run"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """What the rows of a table are counted in.

    Parameters
    ----------
    steps
        Of every row; NaN where the row says none.
    name
        Column, or "rows".
    epochs
        Whether the count is in epochs.
    starts
        Steps at which epochs begin, where steps and epochs are both known.
    """

    steps: Array
    name: str
    epochs: bool = False
    starts: Array | None = None

    def series(self, column: Column, draft: Draft, field: str) -> Series:
        """Return a column as a series in ascending order of steps, one value a step."""
        rows, values = column.numbers()
        said = field.replace("_", " ")
        steps = self.steps[rows]
        keep = np.isfinite(steps)
        if not keep.all() and keep.any():
            draft.note(f"{int((~keep).sum())} values of {said} stand beside no {self.name}")
            rows, steps, values = rows[keep], steps[keep], values[keep]
        elif not keep.any():
            steps = np.arange(len(values), dtype=np.float64)
        return in_order(steps, values, said, self.name, draft.note)


def axis_of(
    table: Table, step: str | None, epoch: str | None, main: Column | None, draft: Draft
) -> Axis:
    """Return what the rows are counted in, judged on the rows of the main curve."""
    count = np.arange(table.rows, dtype=np.float64)
    by_step = _values(table, step, draft)
    by_epoch = _values(table, epoch, draft)
    rows = main.numbers()[0] if main is not None else np.arange(table.rows)
    covered = by_step is not None and np.isfinite(by_step[rows]).mean() > 0.5
    if by_step is not None and step is not None and covered:
        joined = _join_epochs(by_step, by_epoch, rows, draft)
        if joined is not None:
            return Axis(joined, "step", starts=_starts(joined, by_epoch, rows))
        return Axis(by_step, step, starts=_starts(by_step, by_epoch, rows))
    if by_epoch is not None and epoch is not None and np.isfinite(by_epoch[rows]).any():
        found = by_epoch[rows]
        many = len(np.unique(found)) < 0.7 * len(found) and not (np.diff(found) < 0).any()
        if not many:
            return Axis(by_epoch, epoch, epochs=True)
        order = np.full(table.rows, np.nan)
        order[rows] = np.arange(len(rows))
        known = np.flatnonzero(np.isfinite(order))
        order = np.interp(count, known, order[known])
        draft.note(f"several rows an {epoch}: rows are counted as steps")
        return Axis(order, "rows", starts=_starts(order, by_epoch, rows))
    if main is not None and len(main) < table.rows:  # other rows hold other quantities
        order = np.full(table.rows, np.nan)
        order[rows] = np.arange(len(rows))
        return Axis(np.interp(count, rows, order[rows]), "rows")
    return Axis(count, "rows")


def _starts(steps: Array, epochs: Array | None, rows: NDArray[np.int64]) -> Array | None:
    if epochs is None:
        return None
    found: Array = steps[rows[1:][np.diff(epochs[rows]) > 0]]
    return found if 0 < len(found) < len(rows) / 4 else None


def _values(table: Table, name: str | None, draft: Draft) -> Array | None:
    if name is None:
        return None
    values = table.columns[name].dense(table.rows)
    if not np.isfinite(values).any():
        draft.note(f"{name!r} holds no numbers and is not used")
        return None
    return values


def _join_epochs(
    steps: Array, epochs: Array | None, rows: Any, draft: Draft | None
) -> Array | None:
    """Return steps counted through when their column starts again in every epoch."""
    if epochs is None:
        return None
    found, within = epochs[rows], steps[rows]
    if not (np.isfinite(found).all() and np.isfinite(within).all()):
        return None
    starts = np.flatnonzero(np.diff(within) < 0) + 1
    new = np.flatnonzero(np.diff(found) > 0) + 1
    if not len(starts) or not np.array_equal(starts, new) or np.any(np.diff(found) < 0):
        return None
    lengths = np.diff(np.concatenate([[0], starts, [len(within)]]))
    stride = np.median(np.diff(within)[np.diff(within) > 0]) if len(within) > 1 else 1.0
    per_epoch = float(np.max(within) - np.min(within) + stride)
    if draft is not None:
        if len(lengths) > 2 and len(np.unique(lengths[:-1])) > 1:
            draft.note("the epochs have different lengths: the longest is taken for all")
        draft.note(f"steps start again in every epoch: counted through, {per_epoch:g} an epoch")
    through: Array = (epochs - found[0]) * per_epoch + steps
    return through


def choose_run(
    table: Table,
    run_column: str | None,
    step: str | None,
    epoch: str | None,
    main: str,
    draft: Draft,
) -> Table:
    """Return the rows of one run, where the table holds several.

    Raises
    ------
    InputError
        Several runs and none chosen, or one that is not there.
    """
    labels = _labels(table, run_column)
    said = run_column or ""
    counter = step or epoch
    if labels is None and counter is not None and not _restarts_by_epoch(table, step, epoch, main):
        labels = _segments(table, counter, main)
        said = f"{counter} starts again: rows"
    if labels is None:
        return table
    names = list(dict.fromkeys(labels))
    wanted = draft.settings.run
    if wanted is None:
        shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        raise InputError(
            f"{table.name} holds {len(names)} runs ({said} {shown})",
            argument="run",
            hint="choose one with run=0, run=1, ... or by its name",
        )
    if str(wanted) in names:
        name = str(wanted)
    elif isinstance(wanted, int) and -len(names) <= wanted < len(names):
        name = names[wanted]
    else:
        raise InputError(
            f"there is no run {wanted!r} in {table.name}: it holds {', '.join(names[:8])}",
            argument="run",
        )
    draft.note(f"run {name} of {len(names)}")
    return _only(table, np.array([label == name for label in labels]))


def _restarts_by_epoch(table: Table, step: str | None, epoch: str | None, main: str) -> bool:
    """Tell whether the steps start again in every epoch."""
    if step is None or epoch is None:
        return False
    steps, epochs = (table.columns[name].dense(table.rows) for name in (step, epoch))
    return _join_epochs(steps, epochs, table.columns[main].numbers()[0], None) is not None


def _labels(table: Table, name: str | None) -> list[str] | None:
    """Return the run of every row if the column tells at least two apart."""
    if name is None:
        return None
    column = table.columns[name]
    cells = dict(column.texts)
    rows, values = column.numbers()
    cells.update({int(r): f"{v:g}" for r, v in zip(rows, values, strict=True)})
    different = len(set(cells.values()))
    if different < 2 or different > 0.5 * len(cells):
        return None
    labels, last = [], ""
    for row in range(table.rows):
        last = cells.get(row, last)
        labels.append(last)
    return labels


def _segments(table: Table, step: str, main: str) -> list[str] | None:
    """Return the run of every row if the steps of the main curve start at their beginning again."""
    steps = table.columns[step].dense(table.rows)
    rows = table.columns[main].numbers()[0]
    rows = rows[np.isfinite(steps[rows])]
    found = steps[rows]
    starts = np.flatnonzero(np.diff(found) < 0) + 1
    if not len(starts) or np.any(found[starts] > found[0]) or np.any(found[starts] > found.min()):
        return None
    edges = [0, *starts.tolist(), len(found)]
    if min(b - a for a, b in pairwise(edges)) < 2:
        return None
    labels = []
    bounds = [0, *rows[starts].tolist(), table.rows]
    for first, end in pairwise(bounds):
        labels += [f"{first + 1}-{end}"] * (end - first)
    return labels


def _only(table: Table, keep: NDArray[np.bool_]) -> Table:
    chosen = Table(table.name)
    chosen.rows = int(keep.sum())
    chosen.notes, chosen.averaged = table.notes, table.averaged
    chosen.has_names, chosen.known = table.has_names, table.known
    place = np.cumsum(keep) - 1
    for name, column in table.columns.items():
        rows, values = column.numbers()
        inside = keep[rows]
        new = chosen.columns[name] = Column()
        new.rows.extend(place[rows[inside]].tolist())
        new.values.extend(values[inside].tolist())
        new.texts = {int(place[r]): text for r, text in column.texts.items() if keep[r]}
    return chosen
