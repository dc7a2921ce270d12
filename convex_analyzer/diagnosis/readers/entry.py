"""`read`: whatever a user has, as `Evidence`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convex_analyzer.diagnosis.evidence import Evidence, Series
from convex_analyzer.diagnosis.readers.arrays import fill, split_runs
from convex_analyzer.diagnosis.readers.draft import Draft
from convex_analyzer.diagnosis.readers.folders import read_path
from convex_analyzer.diagnosis.readers.formats.json_documents import from_document, from_records
from convex_analyzer.diagnosis.readers.names import classify
from convex_analyzer.diagnosis.readers.settings import Settings
from convex_analyzer.diagnosis.readers.table import Column, Table
from convex_analyzer.diagnosis.readers.tables import CURVES, fill_from_table
from convex_analyzer.diagnosis.recording.export import recorded
from convex_analyzer.errors import InputError

__all__ = ["read"]


def read(source: Any = None, **known: Any) -> Evidence:
    """Return everything that is known about a run.

    Parameters
    ----------
    source
        A path (.npz, .npy, .csv, .tsv, .txt, .json, .jsonl, TensorBoard event file, all but the
        last also as folder), a dict of arrays, a loss curve, a list of records, a structured array,
        a pandas DataFrame, a Keras ``History``, a `Recorder`, an `Evidence`, or None.
    **known
        What else is known; it wins over the source. Numbers: ``lr``, ``batch_size``, ``rows``,
        ``momentum``, ``classes``, ``steps_per_epoch``. ``optimizer``: a name, a dict, an object.
        Arrays, one row a step: ``loss``, ``batch_loss``, ``validation_loss``, ``gradients`` (T, d),
        ``iterates`` (T, d), ``gradient_norm`` ... (every field of `Evidence`), counted by
        ``steps``. Layers: ``weights``, ``biases``, ``activations``, ``preactivations`` (lists or
        dicts), or ``layers`` (widths) for flat snapshots. ``columns``: field -> column of the
        source. ``run``: which of several runs. ``meta``: an entry of a manifest. ``transform``:
        "log" when the loss is logarithmic.

    Raises
    ------
    InputError
        Nothing to read, a source that cannot be understood, or a keyword without meaning; the
        sentence says what to do.

    Examples
    --------
    >>> evidence = read([2.0, 1.5, 1.2], lr=0.1, optimizer="SGD")
    >>> evidence.known
    ('loss on all training rows', 'learning rate', 'optimizer')
    >>> read({"Train/Loss": [3, 2, 1], "val_loss": [3, 3, 3]}).matched
    {'loss': 'Train/Loss', 'validation_loss': 'val_loss'}
    """
    settings = Settings.of(known)
    if callable(getattr(source, "evidence", None)):  # a Recorder
        source = source.evidence()
    if isinstance(source, Evidence):
        return _over(source, settings)
    log, name = _log(source)
    if not isinstance(log, Table) and "recorder_steps_made" in log:
        return _over(recorded(log), settings)
    draft = Draft(settings, name)
    if isinstance(log, Table):
        fill_from_table(draft, log)
    else:
        fill(draft, split_runs({str(key): value for key, value in log.items()}, settings, draft))
    evidence = draft.evidence()
    _check(evidence, source, log)
    return evidence


def _over(evidence: Evidence, settings: Settings) -> Evidence:
    if not (settings.values or settings.meta):
        return evidence
    draft = Draft(settings)
    for field in ("batch_size", "rows", "momentum"):
        if getattr(evidence, field) is not None:
            draft.values[field] = getattr(evidence, field)
    return evidence.merge(draft.evidence())


def _log(source: Any) -> tuple[Table | Mapping[str, Any], str]:
    """Return a table or arrays by name, and where they come from."""
    if source is None:
        return {}, ""
    if isinstance(source, str | os.PathLike):
        return read_path(Path(source))
    if isinstance(source, Mapping):
        return _mapping(source), "dict"
    if isinstance(getattr(source, "history", None), Mapping):
        return _keras(source), type(source).__name__
    if all(hasattr(source, name) for name in ("recorded", "theta", "loss")):  # a Trajectory
        return _simulated(source), type(source).__name__
    if hasattr(source, "columns") and hasattr(source, "__getitem__"):
        return _frame(source), type(source).__name__
    if isinstance(source, Sequence) and source and isinstance(source[0], Mapping):
        return from_records(source, "records"), "records"
    return _array(source), "array"


def _mapping(source: Mapping[Any, Any]) -> Table | Mapping[str, Any]:
    if isinstance(source.get("log_history"), list):
        return from_document(source, "dict")
    inner = source.get("history")
    if isinstance(inner, Mapping):
        return inner
    return {str(key): value for key, value in source.items()}


def _simulated(trajectory: Any) -> Mapping[str, Any]:
    """Read a simulation; of several runs one is chosen later, by the shape of their losses."""
    arrays = {"step": trajectory.recorded, "loss_full": np.moveaxis(trajectory.loss, 0, -1)}
    theta = np.asarray(trajectory.theta)
    arrays["optimizer"] = trajectory.optimizer
    if theta.ndim == 2 and len(theta) == len(arrays["step"]):
        arrays["iterates"] = theta
    return arrays


def _keras(history: Any) -> Table:
    """Keras: one value an epoch; the training loss is a running mean over its batches."""
    table = Table("history")
    columns = {str(name): list(values) for name, values in history.history.items()}
    epochs = list(getattr(history, "epoch", None) or [])
    length = max((len(values) for values in columns.values()), default=0)
    if len(epochs) != length:
        epochs = list(range(length))
    for k, epoch in enumerate(epochs):
        row = {name: values[k] for name, values in columns.items() if k < len(values)}
        table.append({"epoch": epoch, **row})
    table.averaged = "epoch means"
    table.notes.append("Keras gives one loss an epoch, the mean over its steps")
    optimizer = getattr(getattr(history, "model", None), "optimizer", None)
    if optimizer is not None:
        table.known["optimizer"] = optimizer
    steps = (getattr(history, "params", None) or {}).get("steps")
    if steps:
        table.known["steps_per_epoch"] = float(steps)
    return table


def _frame(frame: Any) -> Table:
    """Read a data frame. A hole and a NaN look alike there: NaN beside another loss is a hole."""
    table = Table("DataFrame")
    index = getattr(frame, "index", None)
    label = getattr(index, "name", None)
    if index is not None and isinstance(label, str) and classify(label) is not None:
        table.add_column(label, index)
    for name in frame.columns:
        table.add_column(str(name), frame[name])
    _drop_holes(table)
    if not table.rows:
        raise InputError("the DataFrame holds no rows", argument="source")
    return table


def _drop_holes(table: Table) -> None:
    """Tell holes from symptoms: both are NaN in a data frame.

    A NaN is a hole where a curve stands beside it (rows of training and of validation take turns),
    and in a column that takes turns with others; a column that is NaN only at its end, for longer
    than its turns, has diverged.
    """
    kinds = {name: getattr(classify(name), "field", "") for name in table.columns}
    dense = {name: np.isfinite(table.columns[name].dense(table.rows)) for name in table.columns}
    curves = [name for name, field in kinds.items() if field in CURVES]
    counters = [name for name, field in kinds.items() if field in {"step", "epoch"}]
    for name, column in table.columns.items():
        beside = np.zeros(table.rows, dtype=bool)
        for other in curves:
            if other != name:
                beside |= dense[other]
        if name in counters:
            beside[:] = True
        rows, values = column.numbers()
        finite = np.flatnonzero(dense[name])
        if len(finite) > 1:
            gaps = np.diff(finite)
            if len(finite) < 0.75 * (finite[-1] + 1):
                beside[: finite[-1]] = True
                beside |= table.rows - 1 - finite[-1] <= 3 * gaps.max()
        keep = ~(np.isnan(values) & beside[rows])
        new = Column()
        new.rows.extend(rows[keep].tolist())
        new.values.extend(values[keep].tolist())
        new.texts = column.texts
        table.columns[name] = new


def _array(source: Any) -> Mapping[str, Any]:
    """Read an array or a list: a curve, named columns, steps beside a curve, several curves."""
    for method in ("detach", "cpu"):
        source = getattr(source, method)() if hasattr(source, method) else source
    index = getattr(source, "index", None)
    try:
        array = np.asarray(source)
    except ValueError as error:
        raise InputError("the rows have different lengths", argument="source") from error
    if array.dtype.names:
        return {name: array[name] for name in array.dtype.names}
    if array.ndim == 0 or array.dtype.kind not in "fiubcOSU":
        raise InputError(
            f"a run cannot be read from {type(source).__name__}",
            argument="source",
            hint="pass a path, a curve, a dict of arrays, a DataFrame or a Keras History",
        )
    if array.ndim == 2 and array.shape[1] == 2 and array.dtype.kind in "fiu" and len(array) > 2:
        first = array[:, 0].astype(np.float64)
        if np.all(np.diff(first) > 0) and np.all(first == np.round(first)):
            return {"step": first, "loss": array[:, 1]}
    if array.ndim == 1 and index is not None and not callable(index):
        steps = np.asarray(index)
        if steps.dtype.kind in "fiu" and np.all(np.diff(steps) > 0):
            return {"step": steps, "loss": array}
    return {"loss": array}


def _check(evidence: Evidence, source: Any, log: Table | Mapping[str, Any]) -> None:
    """Refuse what says nothing about a run."""
    if not evidence.known:
        names = list(log.columns if isinstance(log, Table) else log)
        if isinstance(log, Mapping) and log and not any(np.size(value) for value in log.values()):
            raise InputError(f"{evidence.source} holds no values", argument="source")
        if source is None or not names:
            raise InputError(
                "there is nothing to diagnose",
                argument="source",
                hint="pass a log, or arrays: loss=..., gradients=...",
            )
        axes = [n for n in names if (m := classify(n)) is not None and m.field in ("step", "epoch")]
        unknown = [name for name in names if name not in axes] or names
        raise InputError(
            f"nothing in {evidence.source} is known to be a loss, nor a gradient: it holds "
            + ", ".join(map(repr, names[:10])),
            argument="columns",
            hint=f'say which is the loss: columns={{"loss": "{unknown[0]}"}}',
        )
    curves = [getattr(evidence, name) for name in ("loss", "batch_loss", "validation_loss")]
    lengths = [len(curve) for curve in curves if isinstance(curve, Series)]
    others = evidence.has("gradient_norm") or evidence.layers or evidence.has("gradient_checks")
    if lengths and max(lengths) < 2 and not others and not evidence.has("iterates"):
        raise InputError(
            f"{evidence.source or 'loss'} holds one loss value",
            argument="source",
            hint="a curve needs at least two, and ten to say much",
        )
