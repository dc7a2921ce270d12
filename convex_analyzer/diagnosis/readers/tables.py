"""Evidence from a table: which column is what, in which run, counted in what."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from convex_analyzer.diagnosis.evidence import Series
from convex_analyzer.diagnosis.readers.arrays import choose, name_unknown, undo
from convex_analyzer.diagnosis.readers.draft import SERIES, Draft
from convex_analyzer.diagnosis.readers.names import Match, classify, run_of, words
from convex_analyzer.diagnosis.readers.reshape import wide
from convex_analyzer.diagnosis.readers.rows import Axis, axis_of, choose_run
from convex_analyzer.diagnosis.readers.table import Column, Table
from convex_analyzer.errors import InputError

__all__ = ["CURVES", "fill_from_table"]

CURVES = ("loss", "batch_loss", "validation_loss")
_SETTINGS = ("batch_size", "rows", "momentum", "classes")

Candidates = dict[str, list[tuple[str, Match]]]


def fill_from_table(draft: Draft, table: Table) -> None:
    """Match columns and put them into the draft.

    Raises
    ------
    InputError
        No column that could be a loss, several runs, two columns that could each be the loss.
    """
    for sentence in table.notes:
        draft.note(sentence)
    table = wide(table)
    candidates, unknown = _candidates(table, draft)
    chosen = {
        field: choose(field, found, table.columns, draft) for field, found in candidates.items()
    }
    main = next((chosen[field][0] for field in CURVES if field in chosen), None)
    main = main or next((name for field, (name, _) in chosen.items() if field in SERIES), None)
    if main is None:
        if draft.settings.values:
            draft.note(f"no column of {table.name} is used")
            return
        raise _no_loss(table)
    step = chosen["step"][0] if "step" in chosen else None
    epoch = chosen["epoch"][0] if "epoch" in chosen else None
    runs = candidates.get("run", [])
    runs = [(name, m) for name, m in runs if m.rank == 0] or runs
    run = runs[0][0] if runs else None
    chosen_run = choose_run(table, run, step, epoch, main, draft)
    if not len(chosen_run.columns[main]):
        raise InputError(f"{table.name}: this run has no value of {main!r}", argument="run")
    axis = axis_of(chosen_run, step, epoch, chosen_run.columns[main], draft)
    draft.matched["step"] = axis.name
    draft.epoch_starts = axis.starts
    _put_series(draft, chosen_run, chosen, axis)
    _put_settings(draft, chosen_run, chosen)
    _put_layer_norms(draft, chosen_run, unknown, axis)
    for field, value in table.known.items():
        if field not in draft.values:
            draft.put(field, value, table.name)
    if axis.epochs:
        _count_epochs(draft, axis)
    draft.values.pop("steps_per_epoch", None)
    draft.matched.pop("steps_per_epoch", None)
    if table.averaged and "loss" in draft.values and not draft.averaged:
        draft.averaged = table.averaged
    name_unknown(draft, unknown)


def _candidates(table: Table, draft: Draft) -> tuple[Candidates, list[str]]:
    """Return the columns that could be each field, and those that could be none."""
    found: Candidates = {}
    unknown: list[str] = []
    settings = draft.settings
    for name, column in _of_one_run(table, draft).items():
        match = classify(name)
        if match is None or match.field in {"gradients", "iterates"}:
            bounds = name.strip().upper().endswith(("__MIN", "__MAX"))
            if len(column) and not bounds and not (name == "column 1" and _counts(column)):
                unknown.append(name)
        elif len(column) or match.field in {"run", "optimizer"}:
            found.setdefault(match.field, []).append((name, match))
    if not table.has_names:
        found, unknown = _without_names(table), []
    for field, name in settings.columns.items():
        if name not in table.columns:
            raise InputError(
                f"columns: there is no {name!r} in {', '.join(table.columns)}", argument="columns"
            )
        for matches in found.values():
            matches[:] = [item for item in matches if item[0] != name]
        found[field] = [(name, Match(field))]
        unknown = [other for other in unknown if other != name]
    found = {field: _filled(table, items) for field, items in found.items() if items}
    if not any(field in found for field in CURVES):
        _last_resort(table, found, unknown, draft)
    return {f: i for f, i in found.items() if f not in settings.values}, unknown


def _of_one_run(table: Table, draft: Draft) -> dict[str, Column]:
    """Return the columns of one run of a W&B export, where each is named "run - quantity"."""
    runs = list(dict.fromkeys(run_of(name) for name in table.columns if run_of(name)))
    losses = [n for n in table.columns if run_of(n) and getattr(classify(n), "field", "") == "loss"]
    several = list(dict.fromkeys(run_of(name) for name in losses)) or runs
    wanted = draft.settings.run
    if len(several) < 2:
        return table.columns
    if isinstance(wanted, int) and -len(several) <= wanted < len(several):
        wanted = several[wanted]
    if wanted not in several:
        raise InputError(
            f"{table.name} holds {len(several)} runs ({', '.join(several[:8])})",
            argument="run",
            hint=f"choose one with run={several[0]!r}",
        )
    draft.note(f"run {wanted} of {len(several)}")
    return {n: c for n, c in table.columns.items() if run_of(n) in {"", wanted}}


def _counts(column: Column) -> bool:
    """Tell whether a column without a name only counts rows, as a data frame writes it."""
    rows, values = column.numbers()
    return bool(np.array_equal(rows, values) or np.array_equal(rows + 1, values))


def _filled(table: Table, items: list[tuple[str, Match]]) -> list[tuple[str, Match]]:
    """Leave out columns of a single value where another one has a curve."""
    longest = max(len(table.columns[name]) for name, _ in items)
    return [item for item in items if longest < 2 or len(table.columns[item[0]]) > 1] or items


def _without_names(table: Table) -> Candidates:
    """Tell columns without names apart: a loss alone; steps and a loss; MLflow's three."""
    names = table.numeric
    first = table.columns[names[0]].numbers()[1]
    counts = len(first) > 1 and bool(np.all(np.diff(first) > 0) and np.all(first == first.round()))
    if len(names) == 1:
        return {"loss": [(names[0], Match("loss"))]}
    if len(names) == 2 and counts:
        return {"step": [(names[0], Match("step"))], "loss": [(names[1], Match("loss"))]}
    if len(names) == 3 and len(first) and np.min(first) > 1e11:  # milliseconds since 1970
        return {"step": [(names[2], Match("step"))], "loss": [(names[1], Match("loss"))]}
    raise InputError(
        f"{table.name} has {len(names)} columns and no header",
        argument="columns",
        hint='say which is which: columns={"step": "column 1", "loss": "column 2"}',
    )


def _last_resort(table: Table, found: Candidates, unknown: list[str], draft: Draft) -> None:
    """Take the one column with the word loss in its name, if there is exactly one."""
    named = [name for name in unknown if "loss" in words(name)]
    if len(named) == 1 and not {"validation", "aux"} & set(words(named[0])):
        found["loss"] = [(named[0], Match("loss", 9))]
        unknown.remove(named[0])
        draft.note(f"{named[0]!r} is taken for the training loss")


def _no_loss(table: Table) -> InputError:
    empty = [n for n in table.columns if getattr(classify(n), "field", "") in CURVES]
    if empty:
        return InputError(f"{table.name}: {empty[0]!r} holds no numbers", argument="source")
    names = table.numeric
    shown = ", ".join(repr(name) for name in names[:10]) + (" …" if len(names) > 10 else "")
    return InputError(
        f"no column of {table.name} is known as a loss: {shown or 'there are no numbers'}",
        argument="columns",
        hint=f'say which one it is: columns={{"loss": "{names[0] if names else "..."}"}}',
    )


def _put_series(
    draft: Draft, table: Table, chosen: Mapping[str, tuple[str, Match]], axis: Axis
) -> None:
    for field, (name, match) in chosen.items():
        if field not in SERIES or not len(table.columns[name]):
            continue
        texts = table.columns[name].texts
        if texts:
            draft.note(
                f"{len(texts)} cells of {name!r} are no numbers ({next(iter(texts.values()))!r}): "
                "left out"
            )
        series = axis.series(table.columns[name], draft, field)
        if match.transform:
            series = Series(undo(match.transform, series.values, draft, name), series.steps)
        if match.averaged and field == "loss":
            draft.averaged = match.averaged
        draft.put(field, series, name)


def _put_settings(draft: Draft, table: Table, chosen: Mapping[str, tuple[str, Match]]) -> None:
    for field in _SETTINGS:
        if field in chosen and len(table.columns[chosen[field][0]]):
            name = chosen[field][0]
            draft.put(field, table.columns[name].numbers()[1][-1], name)
    if "optimizer" in chosen and table.columns[chosen["optimizer"][0]].texts:
        name = chosen["optimizer"][0]
        draft.put("optimizer", next(iter(table.columns[name].texts.values())), name)


def _put_layer_norms(draft: Draft, table: Table, unknown: list[str], axis: Axis) -> None:
    """Put together one gradient norm a layer, as Lightning and others log them."""
    names = [name for name in unknown if {"grad", "norm"} <= set(words(name))]
    lengths = {len(table.columns[name]) for name in names}
    if len(names) < 2 or len(lengths) != 1:
        return
    columns = [axis.series(table.columns[name], draft, "layer gradient norms") for name in names]
    if len({len(series) for series in columns}) == 1:
        values = np.column_stack([series.values for series in columns])
        draft.put("layer_gradient_norms", Series(values, columns[0].steps), ", ".join(names))
        unknown[:] = [name for name in unknown if name not in names]


def _count_epochs(draft: Draft, axis: Axis) -> None:
    """Turn epochs into steps where their length is known; a training loss is an epoch's mean."""
    loss = draft.values.get("loss")
    whole = isinstance(loss, Series) and len(loss) > 1 and loss.stride >= 1
    if whole and not draft.averaged and "full" not in draft.matched["loss"]:
        draft.averaged = "epoch means"
        draft.note(
            "one loss an epoch, taken for the mean over its steps: rules that need every step are "
            "off"
        )
    length = draft.settings.steps_per_epoch or draft.values.pop("steps_per_epoch", None)
    if length is None:
        draft.note(f"steps are counted in epochs ({axis.name}); steps_per_epoch=... converts them")
        return
    for field, value in draft.values.items():
        if isinstance(value, Series):
            draft.values[field] = Series(value.values, value.steps * length)
