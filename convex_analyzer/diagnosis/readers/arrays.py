"""Evidence from arrays by name: a dict, an .npz archive, keywords."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from convex_analyzer.diagnosis.evidence import Evidence, Series
from convex_analyzer.diagnosis.readers.cells import as_numbers
from convex_analyzer.diagnosis.readers.draft import SERIES, Draft
from convex_analyzer.diagnosis.readers.formats.numpy_files import read_arrays
from convex_analyzer.diagnosis.readers.names import Match, classify, words
from convex_analyzer.diagnosis.readers.settings import QUANTITIES, Settings
from convex_analyzer.errors import InputError

__all__ = ["choose", "fill", "from_arrays", "name_unknown", "read_npz", "split_runs", "undo"]

_WORDS = {
    *("train", "validation", "batch", "grad", "param", "loss", "lr", "learning", "step", "epoch"),
    *("iter", "act", "preact", "update", "check", "restart", "pred", "curv", "layer", "snap"),
    *("input", "n", "num", "full", "global", "log", "log10", "ln", "optimizer", "averaged"),
}


def from_arrays(
    arrays: Mapping[str, Any] | None = None, *, source: str = "", **known: Any
) -> Evidence:
    """Return the evidence in arrays by name.

    Parameters
    ----------
    arrays
        Any part of a run; names as in the columns of a log (``loss``, ``loss_batch``,
        ``grad_norm``, ``snap_theta``, ``act_layer1`` ...). The k-th value is that of step k.
    source
        Where the arrays come from.
    **known
        What else is known: ``lr``, ``batch_size``, ``optimizer``, ``meta`` ...; see `read`.

    Raises
    ------
    InputError
        A keyword without meaning, an array of the wrong shape, several runs.

    Examples
    --------
    >>> evidence = from_arrays({"train_loss": [3.0, 2.0, 1.5]}, lr=0.1, optimizer="adam")
    >>> evidence.optimizer, evidence.matched["loss"]
    ('adaptive', 'train_loss')
    """
    settings = Settings.of(known)
    draft = Draft(settings, source)
    arrays = split_runs({str(k): v for k, v in (arrays or {}).items()}, settings, draft)
    fill(draft, arrays)
    return draft.evidence()


def read_npz(path: str | os.PathLike[str], **known: Any) -> Evidence:
    """Return the evidence in an .npz archive; nothing in it is unpickled.

    Raises
    ------
    InputError
        Not an archive, damaged, too large, or holding Python objects.
    """
    file = Path(path)
    return from_arrays(read_arrays(file), source=file.name, **known)


def fill(draft: Draft, arrays: Mapping[str, Any]) -> None:
    """Match arrays by name and put them into the draft."""
    settings = draft.settings
    matches: dict[str, list[tuple[str, Match]]] = {}
    unknown = []
    for name, value in arrays.items():
        match = _match(name, value)
        if match is None or match.field not in QUANTITIES:
            unknown.append(name)
        elif match.field in draft.act:
            layer = str(match.rank) if name[-1:].isdigit() else name
            draft.act[match.field][layer] = value
            draft.matched[match.field] = name
        else:
            matches.setdefault(match.field, []).append((name, match))
    for field, column in settings.columns.items():
        if column not in arrays:
            raise InputError(
                f"columns: there is no {column!r} in {', '.join(arrays)}", argument="columns"
            )
        matches[field] = [(column, Match(field))]
        unknown = [name for name in unknown if name != column]
    for field, found in matches.items():
        if field in settings.values:
            continue
        name, match = choose(field, found, arrays, draft)
        value = _one_run(field, arrays[name], settings)
        if match.transform and field in SERIES:
            value = undo(match.transform, as_numbers(value, field), draft, name)
        if field == "loss" and match.averaged:
            draft.averaged = match.averaged
        draft.put(field, value, name)
    _join_batches(draft)
    _keras_history(draft, arrays)
    name_unknown(draft, unknown)


def _match(name: str, value: Any) -> Match | None:
    if name.lower() in {"weights", "w"}:
        return Match("weights")
    if name == "array" or re.fullmatch(r"arr_\d+", name):  # without a name
        return Match("loss", 8) if np.ndim(value) == 1 or 1 in np.shape(value) else None
    match = classify(name)
    if match is not None and match.field in SERIES and np.ndim(value) > 2:
        return None
    if match is not None and match.field == "iterates" and np.ndim(value) < 2:
        return None
    return match


def choose(
    field: str, found: list[tuple[str, Match]], values: Mapping[str, Any], draft: Draft
) -> tuple[str, Match]:
    """Return the column with the clearest name; say so, or ask, when two are as clear.

    Raises
    ------
    InputError
        Two different columns could be the training loss.
    """
    ordered = sorted(found, key=lambda item: item[1].rank)
    best = [item for item in ordered if item[1].rank == ordered[0][1].rank]
    if field == "validation_loss":  # a test set is looked at last
        best.sort(key=lambda item: "test" in item[0].lower())
    if len(best) > 1:
        names = [name for name, _ in best]
        same = all(_same(values[names[0]], values[name]) for name in names[1:])
        if not same and field in {"loss", "batch_loss"}:
            listed = " and ".join(repr(name) for name in names)
            raise InputError(
                f"{listed} could each be the {field}",
                argument="columns",
                hint=f'say which: columns={{"{field}": "{names[0]}"}}',
            )
    others = [name for name, _ in ordered if name != best[0][0]]
    if others and field not in {"step", "epoch", "run"}:
        draft.note(f"{field} is read from {best[0][0]!r}, not from {', '.join(map(repr, others))}")
    return best[0]


def _same(first: Any, second: Any) -> bool:
    return np.array_equal(np.asarray(first, dtype=object), np.asarray(second, dtype=object))


def undo(transform: str, values: Any, draft: Draft, name: str) -> Any:
    """Return the loss itself from its logarithm or from a perplexity."""
    finite = values[np.isfinite(values)]
    with np.errstate(all="ignore"):
        if transform == "perplexity":
            draft.note(f"{name!r} is a perplexity: the loss is its logarithm")
            return np.log(values)
        if transform == "log" and not (finite < 0).any():
            draft.note(f"{name!r} is never negative: read as a loss that is a logarithm by itself")
            return values
        draft.transform = "log"
        draft.note(f"{name!r} holds logarithms of the loss: undone")
        base = {"log": np.e, "log10": 10.0, "log2": 2.0}[transform]
        return np.power(base, values)


def name_unknown(draft: Draft, unknown: Iterable[str]) -> None:
    """Say which columns were left aside, and how to use them."""
    silent = {"time", "timestamp", "runtime", "wall", "elapsed", "per", "hours", "flos", "eta"}
    silent.add("accuracy")  # of rows that are not trained on: no field of the evidence
    names = [name for name in unknown if not silent & set(words(name)) and words(name)]
    if names:
        shown = ", ".join(repr(name) for name in names[:6]) + (" …" if len(names) > 6 else "")
        draft.note(f'not used: {shown}; columns={{"loss": "{names[0]}"}} would say what it is')


def split_runs(arrays: dict[str, Any], settings: Settings, draft: Draft) -> dict[str, Any]:
    """Return the arrays of one run where names begin with the run: ``a1_train_loss`` ...

    Raises
    ------
    InputError
        Several runs and none chosen.
    """
    groups: dict[str, dict[str, Any]] = {}
    for name, value in arrays.items():
        prefix, _, rest = name.partition("_" if "/" not in name else "/")
        if not rest or not words(prefix) or set(words(prefix)) & _WORDS:
            return arrays
        groups.setdefault(prefix, {})[rest] = value
    if not any(classify(rest) for group in groups.values() for rest in group):
        return arrays
    if len(groups) > 1 and len({rest for g in groups.values() for rest in g}) == len(arrays):
        return arrays  # no name occurs twice: these are not runs
    if settings.run is not None:
        if str(settings.run) not in groups:
            raise InputError(
                f"there is no run {settings.run!r}; the runs are {', '.join(groups)}",
                argument="run",
            )
        return groups[str(settings.run)]
    if len(groups) > 1:
        raise InputError(
            f"{draft.source or 'the source'} holds {len(groups)} runs: {', '.join(groups)}",
            argument="run",
            hint=f"choose one with run={next(iter(groups))!r}",
        )
    return next(iter(groups.values()))


def _one_run(field: str, value: Any, settings: Settings) -> Any:
    """Return one curve of several stacked in rows."""
    if field not in SERIES or np.ndim(value) != 2 or 1 in np.shape(value):
        return value
    runs = len(value)
    if not isinstance(settings.run, int) or not -runs <= settings.run < runs:
        raise InputError(
            f"{field} has shape {np.shape(value)}: {runs} curves",
            argument="run",
            hint=f"choose one with run=0 ... run={runs - 1}",
        )
    return value[settings.run]


def _keras_history(draft: Draft, arrays: Mapping[str, Any]) -> None:
    """Recognise lists named as Keras names them, one value an epoch each."""
    names = ("loss", "val_loss")
    if "loss" not in draft.values or not all(isinstance(arrays.get(n), list) for n in names):
        return
    if len(arrays["loss"]) == len(arrays["val_loss"]) and "step" not in arrays:
        draft.averaged = "epoch means"
        draft.note(
            "loss and val_loss of one length are taken for a Keras history: one mean an epoch"
        )


def _join_batches(draft: Draft) -> None:
    """Put together mini-batch losses logged densely at first and sparsely later, and epochs."""
    meta, values = draft.settings.meta, draft.values
    first, every = values.pop("batch_loss_first", None), values.pop("batch_loss_every", None)
    if first is None and every is None:
        return
    names = [draft.matched.pop(f"batch_loss_{part}", "") for part in ("first", "every")]
    draft.matched["batch_loss"] = ", ".join(name for name in names if name)
    values.setdefault("batch_loss", Series(as_numbers([] if first is None else first, "batch")))
    dense = values["batch_loss"]
    if every is not None and "mb_stride" in meta and isinstance(dense, Series):
        sparse = as_numbers(every, "batch_loss")
        steps = float(meta["mb_stride"]) * np.arange(len(sparse))
        late = steps > (dense.steps[-1] if len(dense) else -1.0)
        values["batch_loss"] = Series(
            np.concatenate([dense.values, sparse[late]]), np.concatenate([dense.steps, steps[late]])
        )
    epochs = (meta.get("config") or meta).get("epochs")
    length = draft.settings.steps_per_epoch
    if length is None and epochs and "mb_total" in meta:
        length = float(meta["mb_total"]) / float(epochs)
    if length is None:
        draft.note("loss is one value an epoch, mini-batch loss one a step: say steps_per_epoch")
        return
    for field in ("loss", "validation_loss", "accuracy"):
        if field in values:
            array = as_numbers(values[field], field)
            steps = np.arange(len(array), dtype=np.float64) * length
            values[field] = Series(array, steps)
