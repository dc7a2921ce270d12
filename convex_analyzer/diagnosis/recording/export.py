"""What a recorder keeps, as `Evidence`, as the arrays of a file, and back.

The names of the arrays are those of the training cases that `convex_analyzer.diagnosis.readers`
reads: ``loss_full``, ``grad_norm``, ``snap_theta`` ...; a series whose steps are not 0, 1, 2, ...
has them beside it as ``<name>_steps``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Evidence, Layer, Series
from convex_analyzer.diagnosis.recording.files import put_series, read_series
from convex_analyzer.diagnosis.recording.snapshots import Snapshot
from convex_analyzer.diagnosis.recording.store import Settings, Store
from convex_analyzer.diagnosis.recording.tables import Table
from convex_analyzer.tables import format_count

__all__ = ["evidence_of", "fields_of", "recorded", "restore"]

Array = NDArray[np.float64]
AnyArray = NDArray[Any]
Final = tuple[int, AnyArray] | None

# column of the main table: name in a file
_MAIN = {
    "learning_rate": "lr",
    "gradient_norm": "grad_norm",
    "gradient_cosine": "grad_cos",
    "update_norm": "update_norm",
    "parameter_norm": "param_norm",
    "predicted_decrease": "pred_decrease",
    "update_curvature": "curv_along_update",
}
_PROBED = {
    "curvature": "curv_along_grad",
    "curvature_error": "curv_along_grad_error",
    "update_curvature": "probed_curv_along_update",
    "update_curvature_error": "probed_curv_along_update_error",
    "sharpness": "sharpness",
}
_EXTRA = {"validation_loss": "val_loss", "accuracy": "accuracy"}

_FACTS = {"optimizer": "optimizer_family", "optimizer_name": "optimizer"}


# -- evidence -------------------------------------------------------------------------------------


def evidence_of(settings: Settings, store: Store, final: Final) -> Evidence:
    """Return everything that is kept."""
    fields: dict[str, Any] = {
        name: _series(table, name)
        for table, names in ((store.main, _MAIN), (store.extra, _EXTRA))
        for name in names
    }
    fields["curvature"] = _series(store.probes, "curvature")
    fields["sharpness"] = _series(store.probes, "sharpness")
    fields["update_curvature"] = fields["update_curvature"] or _series(
        store.probes, "update_curvature"
    )
    fields["loss"], fields["batch_loss"] = _losses(settings, store)
    layers = _layer_norms(store)
    fields["layer_gradient_norms"] = Series(layers[1], layers[0]) if layers else None
    fields["gradient_checks"] = _checks(store) if store.checks else None
    if store.checks:
        fields["check_steps"] = np.array([float(step) for step, _ in store.checks])
    shots = _shots(store, final)
    fields["layers"] = _layers(store, shots)
    if fields["layers"]:
        fields["snapshot_steps"] = np.array([float(shot.step) for shot in shots])
    if store.iterates is not None and store.iterates.count:
        steps, rows = _stacked(store.iterates)
        fields["iterates"] = Series(rows, steps)
    if store.restarts:
        fields["restarts"] = np.array(store.restarts)
    return Evidence(
        **fields, **dataclasses.asdict(settings), source="Recorder", notes=_notes(store)
    )


def _series(table: Table, name: str) -> Series | None:
    steps, values = table.series(name)
    return Series(values, steps) if len(steps) else None


def _losses(settings: Settings, store: Store) -> tuple[Series | None, Series | None]:
    """Return the loss on all rows, and that of the mini-batches."""
    given, full = _series(store.main, "loss"), _series(store.extra, "full_loss")
    if full is not None or settings.mini_batches:
        return full, given
    return given, None


def _stacked(table: Table) -> tuple[Array, Array]:
    columns = [table.series(name) for name in table.columns]
    return columns[0][0], np.stack([values for _, values in columns], axis=1)


def _layer_norms(store: Store) -> tuple[Array, Array] | None:
    """Return steps and norms of the arrays that ever had a gradient."""
    if store.layers is None or not store.layers.count:
        return None
    steps, norms = _stacked(store.layers)
    return steps, norms[:, store.alive]


def _checks(store: Store) -> Array:
    """Return claimed slopes and differences, (snapshots, directions, 2)."""
    most = max(len(rows) for _, rows in store.checks)
    blank = np.full((len(store.checks), most, 2), math.nan)
    for i, (_, rows) in enumerate(store.checks):
        blank[i, : len(rows)] = rows[:, :2]
    return blank


def _shots(store: Store, final: Final) -> list[Snapshot]:
    """Return the snapshots, with the last parameters as the last of them."""
    kept = list(store.snapshots.kept)
    if final is None or store.snapshots.layer_names or not store.snapshots.fits(final[1].nbytes):
        return kept
    if not kept or kept[-1].step < final[0]:
        kept.append(Snapshot(final[0], final[1].astype(np.float32)))
    return kept


def _thetas(shots: list[Snapshot]) -> Array | None:
    known = [shot.theta for shot in shots if shot.theta is not None]
    if not known:
        return None
    blank = np.full_like(known[0], math.nan)
    return np.stack([blank if shot.theta is None else shot.theta for shot in shots]).astype(float)


def _layers(store: Store, shots: list[Snapshot]) -> tuple[Layer, ...]:
    theta = _thetas(shots)
    arrangement = store.arrangement
    found = list(arrangement.layers(theta)) if theta is not None and arrangement else []
    hidden = [i for i, layer in enumerate(found) if layer.hidden]
    for name in store.snapshots.layer_names:
        acts = store.snapshots.stacked("activations", name)
        pres = store.snapshots.stacked("preactivations", name)
        by_name = [i for i, layer in enumerate(found) if layer.name == name]
        free = [i for i in hidden if found[i].activations is None]
        at = (by_name or free)[:1]
        if at:
            found[at[0]] = dataclasses.replace(
                found[at[0]], activations=acts, preactivations=pres, name=name
            )
        else:
            found.append(Layer(name, activations=acts, preactivations=pres))
    return tuple(found)


def _notes(store: Store) -> tuple[str, ...]:
    notes = []
    if store.main.stride > 1:
        whole = store.main.capacity // 2
        notes.append(
            f"of all but the last {format_count(whole)} steps or more only pairs of consecutive "
            f"steps are kept, every {format_count(store.main.stride)} steps"
        )
    kept, dimension = store.kept_share
    if kept < dimension:
        notes.append(
            f"norms, cosines and predicted decreases are estimated from {format_count(kept)} of "
            f"{format_count(dimension)} coordinates"
        )
    if store.alive.any() and not store.alive.all():
        frozen = [n for n, alive in zip(store.array_names, store.alive, strict=True) if not alive]
        more = f" and {len(frozen) - 4} more" if len(frozen) > 4 else ""
        notes.append(f"without gradient, so left out: {', '.join(frozen[:4])}{more}")
    return (*notes, *store.reasons)


# -- files ----------------------------------------------------------------------------------------


def fields_of(settings: Settings, store: Store, final: Final) -> dict[str, AnyArray]:
    """Return everything that is kept as arrays by name."""
    out: dict[str, AnyArray] = {}
    loss, batch = _losses(settings, store)
    for name, series in (("loss_full", loss), ("loss_batch", batch)):
        if series is not None:
            put_series(out, name, series.steps, series.values)
    for table, names in ((store.main, _MAIN), (store.extra, _EXTRA), (store.probes, _PROBED)):
        for column, name in names.items():
            put_series(out, name, *table.series(column))
    layers = _layer_norms(store)
    if layers is not None:
        put_series(out, "layer_grad_norm", *layers)
    if store.iterates is not None and store.iterates.count:
        put_series(out, "iterates", *_stacked(store.iterates))
    _put_snapshots(out, store, final)
    if store.checks:
        out["gradcheck_claimed_vs_fd"] = _checks(store)
        out["gradcheck_steps"] = np.array([step for step, _ in store.checks])
    if store.restarts:
        out["restart_final_loss"] = np.array(store.restarts)
    return out | _facts(settings, store)


def _facts(settings: Settings, store: Store) -> dict[str, AnyArray]:
    """Return what is said once: of the run, of its arrays, of how it was recorded."""
    out: dict[str, AnyArray] = {}
    for field, value in dataclasses.asdict(settings).items():
        if value is not None and value != "":
            out[_FACTS.get(field, field)] = np.array(value)
    out["recorder_steps_made"] = np.array(store.steps_made)
    out["recorder_stride"] = np.array(store.main.stride)
    out["recorder_kept_of"] = np.array(store.kept_share)
    out["recorder_notes"] = np.array(store.reasons, dtype=np.str_)
    out["array_names"] = np.array(store.array_names, dtype=np.str_)
    shapes = [",".join(map(str, shape)) for shape in store.array_shapes]
    out["array_shapes"] = np.array(shapes, dtype=np.str_)
    out["array_has_gradient"] = store.alive
    out["array_outgoing"] = np.array(store.outgoing)
    return out


def _put_snapshots(out: dict[str, AnyArray], store: Store, final: Final) -> None:
    shots = _shots(store, final)
    if not shots:
        return
    out["snap_steps"] = np.array([shot.step for shot in shots])
    theta = _thetas(shots)
    if theta is not None and store.arrangement is not None:
        out["snap_theta"] = store.arrangement.flat(theta).astype(np.float32)
        if store.arrangement.sizes is not None:
            out["layers"] = np.array(store.arrangement.sizes)
    for k, name in enumerate(store.snapshots.layer_names):
        for kind, prefix in (("activations", "act"), ("preactivations", "preact")):
            stacked = store.snapshots.stacked(kind, name)
            if stacked is not None:
                out[f"{prefix}_layer{k + 1}"] = stacked.astype(np.float32)
    if store.snapshots.layer_names:
        out["activation_names"] = np.array(store.snapshots.layer_names, dtype=np.str_)


# -- and back -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    arrays: Mapping[str, AnyArray]

    def number(self, name: str) -> int | None:
        return int(self.arrays[name]) if name in self.arrays else None

    def strings(self, name: str) -> list[str]:
        return [str(entry) for entry in self.arrays.get(name, np.zeros(0, dtype=np.str_))]


def recorded(arrays: Mapping[str, AnyArray]) -> Evidence:
    """Return the evidence in the arrays of a file that a recorder has written."""
    steps = int(arrays["recorder_steps_made"])
    store = Store(max(steps + 1, 8), len(arrays.get("snap_steps", ())) + 1, 1 << 62, 1)
    return evidence_of(restore(arrays, Settings(), store), store, None)


def restore(arrays: Mapping[str, AnyArray], settings: Settings, store: Store) -> Settings:
    """Fill an empty store from the arrays of a file, and return the settings."""
    file = _File(arrays)
    known = Settings(
        batch_size=file.number("batch_size"),
        rows=file.number("rows"),
        momentum=float(arrays["momentum"]) if "momentum" in arrays else None,
        classes=file.number("classes"),
        optimizer=str(arrays["optimizer_family"]) if "optimizer_family" in arrays else None,
        optimizer_name=str(arrays.get("optimizer", "")),
    )
    given = {k: v for k, v in dataclasses.asdict(settings).items() if v not in (None, "")}
    settings = dataclasses.replace(known, **given)
    store.steps_made = file.number("recorder_steps_made") or 0
    store.full_batch = not settings.mini_batches and settings.batch_size is not None
    names = file.strings("array_names")
    if names:
        shapes = [
            tuple(int(n) for n in words.split(",") if n) for words in file.strings("array_shapes")
        ]
        store.arrange(names, shapes, bool(arrays["array_outgoing"]))
        store.alive = np.array(arrays["array_has_gradient"], dtype=np.bool_)
    kept = arrays["recorder_kept_of"]
    store.kept_share = (int(kept[0]), int(kept[1]))
    store.reasons = file.strings("recorder_notes")
    store.restarts = [float(x) for x in arrays.get("restart_final_loss", [])]
    _restore_tables(arrays, settings, store)
    _restore_snapshots(file, store)
    return settings


def _restore_tables(arrays: Mapping[str, AnyArray], settings: Settings, store: Store) -> None:
    split = settings.mini_batches or "loss_batch" in arrays
    main = {"loss": "loss_batch" if split else "loss_full", **_MAIN}
    extra = {"full_loss": "loss_full", **_EXTRA} if split else dict(_EXTRA)
    for table, names in ((store.main, main), (store.extra, extra), (store.probes, _PROBED)):
        found = {column: read_series(arrays, name) for column, name in names.items()}
        series = {column: pair for column, pair in found.items() if pair is not None}
        _fill(table, series)
    store.main.stride = int(arrays["recorder_stride"])
    norms = read_series(arrays, "layer_grad_norm")
    if norms is not None and store.layers is not None:
        whole = np.zeros((len(norms[0]), len(store.alive)))
        whole[:, store.alive] = norms[1]
        _fill(store.layers, {str(i): (norms[0], whole[:, i]) for i in range(whole.shape[1])})
    iterates = read_series(arrays, "iterates")
    if iterates is not None:
        store.iterates = store.iterates_table(iterates[1].shape[1])
        rows = {str(i): (iterates[0], iterates[1][:, i]) for i in range(iterates[1].shape[1])}
        _fill(store.iterates, rows)


def _fill(table: Table, series: dict[str, tuple[Array, Array]]) -> None:
    steps = [pair[0] for pair in series.values()]
    for step in np.unique(np.concatenate(steps)) if steps else ():
        table.add(int(step), {})
    for column, (at, values) in series.items():
        here = np.isin(at, table.steps)
        table.fill(column, at[here], values[here])


def _restore_snapshots(file: _File, store: Store) -> None:
    arrays, shots = file.arrays, store.snapshots
    shots.layer_names = file.strings("activation_names")
    theta = arrays.get("snap_theta")
    for i, step in enumerate(arrays.get("snap_steps", np.zeros(0))):
        shot = Snapshot(int(step))
        if theta is not None and store.arrangement is not None:
            shot.theta = store.arrangement.unflat(theta[i : i + 1])[0].astype(np.float32)
        for k, name in enumerate(shots.layer_names):
            for into, prefix in ((shot.activations, "act"), (shot.preactivations, "preact")):
                if f"{prefix}_layer{k + 1}" in arrays:
                    into[name] = np.asarray(arrays[f"{prefix}_layer{k + 1}"][i], dtype=np.float32)
        shots.kept.append(shot)
    gaps = [b.step - a.step for a, b in zip(shots.kept, shots.kept[1:-1], strict=False)]
    shots.stride = max([1, *gaps])
    checks = arrays.get("gradcheck_claimed_vs_fd")
    if checks is not None:
        for step, rows in zip(arrays["gradcheck_steps"], checks, strict=True):
            store.checks.append((int(step), np.asarray(rows, dtype=np.float64)))
