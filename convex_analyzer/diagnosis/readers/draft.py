"""Putting evidence together: what a file says, what the caller says, and what follows from both."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Evidence, Layer, Series
from convex_analyzer.diagnosis.readers.cells import as_numbers
from convex_analyzer.diagnosis.readers.derived import from_vectors
from convex_analyzer.diagnosis.readers.families import Rule, rule_of
from convex_analyzer.diagnosis.readers.network import (
    infer_sizes,
    layers_from_arrays,
    layers_from_flat,
    numbered,
)
from convex_analyzer.diagnosis.readers.sampling import in_order, inspect
from convex_analyzer.diagnosis.readers.settings import QUANTITIES, Settings
from convex_analyzer.errors import InputError

__all__ = ["SERIES", "Draft"]

Array = NDArray[np.float64]

SERIES = (
    *("loss", "batch_loss", "validation_loss", "learning_rate", "gradient_norm"),
    *("gradient_cosine", "update_norm", "parameter_norm", "predicted_decrease", "curvature"),
    *("update_curvature", "sharpness", "accuracy"),
)
_VECTORS = ("layer_gradient_norms", "iterates", "gradients")
_COUNTS = ("batch_size", "rows", "classes")
_PLAIN = ("gradient_checks", "check_steps", "snapshot_steps", "restarts")


class Draft:
    """Evidence in the making.

    Parameters
    ----------
    settings
        What the caller said.
    source
        Where the rest is read from.
    """

    def __init__(self, settings: Settings, source: str = "") -> None:
        self.settings = settings
        self.source = source
        self.values: dict[str, Any] = {}
        self.matched: dict[str, str] = {}
        self.notes: list[str] = []
        self.averaged = ""
        self.transform = ""
        self.epoch_starts: Array | None = None
        self.act: dict[str, dict[str, Any]] = {"activations": {}, "preactivations": {}}

    def put(self, field: str, value: Any, name: str) -> None:
        """Record what a column or array says about a field."""
        self.values[field] = value
        self.matched[field] = name

    def note(self, sentence: str) -> None:
        """Record a finding of the reading, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def evidence(self) -> Evidence:
        """Return the evidence: the caller's values over the file's, and what follows."""
        self._add_meta()
        for field, value in self.settings.values.items():
            if field not in {"step", "epoch", "transform"}:
                self.put(field, value, f"argument {field}")
        fields = self._plain_fields()
        vectors = {name: self._vectors(name) for name in _VECTORS if name in self.values}
        fields.update({k: v for k, v in vectors.items() if k != "gradients"})
        self._add_rule(fields)
        fields["layers"] = self._layers(fields)
        self._derive(fields, vectors)
        self._undo_transform(fields)
        fields = {k: v for k, v in fields.items() if not (isinstance(v, Series) and not len(v))}
        averaged, notes = inspect(fields, self.matched, self.averaged, self.epoch_starts)
        for sentence in notes:
            self.note(sentence)
        return Evidence(
            **fields,
            source=self.source,
            matched={k: v for k, v in self.matched.items() if k in QUANTITIES},
            notes=tuple(self.notes),
            averaged=averaged,
            transform=self.transform,
        )

    def _plain_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for field in (name for name in SERIES if name in self.values):
            fields[field] = self._series(field)
        for field in (name for name in _COUNTS if name in self.values):
            fields[field] = int(_scalar(self.values[field], field))
        for field in (name for name in _PLAIN if name in self.values):
            fields[field] = as_numbers(self.values[field], field)
        for field in (name for name in ("inputs", "input_sample") if name in self.values):
            rows = as_numbers(self.values[field], field)
            fields["inputs"] = rows.reshape(len(rows), -1) if rows.ndim else None
        if "gradient_checks" in fields:
            fields["gradient_checks"] = _checks(fields["gradient_checks"])
        return fields

    def _add_rule(self, fields: dict[str, Any]) -> None:
        rule = self._rule()
        if rule is None:
            return
        fields["optimizer"], fields["optimizer_name"] = rule.family, rule.name
        if rule.family == "other":
            self.note(f"{rule.name!r} belongs to no family of optimizers that the rules know")
        if rule.momentum is not None:
            fields["momentum"] = rule.momentum
        if rule.learning_rate is not None and "learning_rate" not in fields:
            self.put("learning_rate", rule.learning_rate, "optimizer")
            fields["learning_rate"] = self._series("learning_rate")

    def _undo_transform(self, fields: dict[str, Any]) -> None:
        transform = self.settings.values.get("transform", "")
        if not transform or self.transform:
            return
        bases = {"log": np.e, "ln": np.e, "log10": 10.0, "log2": 2.0}
        if transform not in bases:
            raise InputError(
                f"transform must be one of {', '.join(bases)}, got {transform!r}",
                argument="transform",
                value=transform,
            )
        for name in ("loss", "batch_loss", "validation_loss"):
            if name in fields:
                with np.errstate(over="ignore"):
                    values = np.power(bases[transform], fields[name].values)
                fields[name] = Series(values, fields[name].steps)
        self.transform = "log"

    def _add_meta(self) -> None:
        """Take from the manifest entry what the file did not say."""
        meta = dict(self.settings.meta)
        meta.update({k: v for k, v in (meta.get("config") or {}).items() if k not in meta})
        hyper = meta.get("hyper")
        optimizer = meta.get("optimizer")
        if isinstance(optimizer, str) and isinstance(hyper, Mapping):
            meta["optimizer"] = {"name": optimizer, **hyper}
        for key, field in (
            ("optimizer", "optimizer"),
            ("lr", "learning_rate"),
            ("learning_rate", "learning_rate"),
            ("batch_size", "batch_size"),
            ("n_train", "rows"),
            ("rows", "rows"),
            ("layers", "sizes"),
            ("momentum", "momentum"),
            ("classes", "classes"),
        ):
            if meta.get(key) is not None and field not in self.values:
                self.put(field, meta[key], f"meta {key}")
        kind = str(meta.get("loss", "")).lower()
        if "entropy" in kind and "sizes" in self.values and "classes" not in self.values:
            self.put("classes", self.values["sizes"][-1], "meta layers")
        self.matched.pop("sizes", None)

    def _rule(self) -> Rule | None:
        momentum = self.values.get("momentum")
        if momentum is not None:
            momentum = _scalar(momentum, "momentum")
        given = self.values.get("optimizer")
        if isinstance(given, np.ndarray):
            given = str(given.ravel()[-1]) if given.size else None
        if given is None:
            if momentum is None:
                return None
            family = "nesterov" if self.settings.nesterov else "momentum"
            return Rule(family if momentum else "gradient_descent", "", momentum)
        rule = rule_of(given)
        if momentum is None:
            momentum = rule.momentum
        family = rule.family
        if family in {"gradient_descent", "momentum"} and momentum is not None:
            family = "momentum" if momentum else "gradient_descent"
        if self.settings.nesterov and family == "momentum":
            family = "nesterov"
        return Rule(family, rule.name, momentum, rule.learning_rate)

    def _series(self, field: str) -> Series:
        value = self.values[field]
        if isinstance(value, Series):
            return value
        if callable(value):
            value = [float(value(t + 1)) for t in range(max(self._length() - 1, 1))]
        array = as_numbers(value, field)
        if array.ndim == 0:
            return Series(array.reshape(1))
        if array.ndim == 2 and 1 in array.shape:
            array = array.ravel()
        if array.ndim != 1:
            raise InputError(
                f"{field} has shape {array.shape}: several curves",
                argument=field,
                hint="give one of them, or choose it with run=0, run=1, ...",
            )
        return self._with_steps(field, array)

    def _with_steps(self, field: str, array: Array) -> Series:
        steps = self.settings.values.get("step", self.values.get("step"))
        if steps is not None:
            steps = as_numbers(steps, "steps")
            if steps.shape == array.shape:
                if not np.isfinite(steps).all():
                    raise InputError("a step is not a finite number", argument="step")
                said = field.replace("_", " ")
                return _leading(field, in_order(steps, array, said, "step", self.note))
            stride = np.unique(np.diff(steps))
            if len(stride) == 1:
                return _leading(field, Series(array, steps[0] + stride[0] * np.arange(len(array))))
            self.note(f"{field} has {len(array)} values for {len(steps)} steps: counted 0, 1, 2 …")
        first = 0
        if field == "gradient_cosine":
            norms = self.values.get("gradient_norm")
            size = len(norms) if isinstance(norms, Series | np.ndarray | list) else 0
            first = int(len(array) == size - 1)
        return _leading(field, Series(array, np.arange(len(array), dtype=np.float64) + first))

    def _length(self) -> int:
        lengths = [
            len(self.values[field])
            for field in ("loss", "batch_loss", "validation_loss", "iterates")
            if hasattr(self.values.get(field), "__len__")
        ]
        return max(lengths, default=1)

    def _vectors(self, field: str) -> Series:
        value = self.values[field]
        if isinstance(value, Series):
            return value
        array = as_numbers(value, field)
        if array.ndim == 0:
            raise InputError(f"{field} must hold one row a step", argument=field)
        rows = array.reshape(len(array), -1) if array.size else np.empty((0, 1))
        return self._with_steps(field, rows) if len(rows) else Series(rows)

    def _layers(self, fields: dict[str, Any]) -> tuple[Layer, ...]:
        given = self.settings.values.get("layers")
        if isinstance(given, tuple | list) and given and all(isinstance(g, Layer) for g in given):
            return tuple(given)
        sizes = self.settings.values.get("layers", self.values.get("sizes"))
        acts = self._activations("activations")
        pres = self._activations("preactivations")
        layers: tuple[Layer, ...] = ()
        if "weights" in self.values:
            weights = numbered(self.values["weights"], "weights")
            biases = numbered(self.values["biases"], "biases") if "biases" in self.values else {}
            layers, notes = layers_from_arrays(weights, biases, acts, pres)
        else:
            if "snapshot_theta" in self.values:
                layers = self._from_flat(acts, pres, sizes, fields)
            if not layers:
                layers, notes = layers_from_arrays({}, {}, acts, pres)
            else:
                notes = []
                layers = _with_activations(layers, acts, pres)
        for sentence in notes:
            self.note(sentence)
        return layers

    def _activations(self, field: str) -> dict[str, Array]:
        if field in self.values:
            return numbered(self.values[field], field)
        found = self.act[field]
        return numbered({k: found[k] for k in sorted(found, key=_number)}, field)

    def _from_flat(
        self,
        acts: Mapping[str, Array],
        pres: Mapping[str, Array],
        sizes: Any,
        fields: dict[str, Any],
    ) -> tuple[Layer, ...]:
        theta = np.atleast_2d(as_numbers(self.values["snapshot_theta"], "snapshot_theta"))
        arrays = fields.get("layer_gradient_norms")
        blocks = arrays.values.shape[1] if arrays is not None else None
        if sizes is not None:
            widths = [int(size) for size in sizes]
            biased = sum((a + 1) * b for a, b in pairwise(widths))
            return layers_from_flat(theta, widths, theta.shape[1] == biased)
        sample = self.values.get("input_sample", self.values.get("inputs"))
        inputs = int(np.shape(sample)[-1]) if sample is not None and np.ndim(sample) else None
        hidden = [array.shape[-1] for array in (acts or pres).values()]
        found = infer_sizes(theta.shape[1], inputs, hidden, blocks)
        if found is None:
            self.note(
                f"snapshots of {theta.shape[1]} parameters are not cut into layers: say "
                "the widths, as in layers=[4, 8, 3]"
            )
            return ()
        self.note(f"layers {'-'.join(str(width) for width in found[0])} follow from the sizes")
        return layers_from_flat(theta, *found)

    def _derive(self, fields: dict[str, Any], vectors: dict[str, Series]) -> None:
        if "gradients" not in vectors and "iterates" not in vectors:
            return
        rate = fields.get("learning_rate")
        constant = rate is not None and len(np.unique(rate.values)) == 1
        batch, rows = fields.get("batch_size"), fields.get("rows")
        derived, notes = from_vectors(
            vectors.get("gradients"),
            vectors.get("iterates"),
            learning_rate=float(rate.values[0]) if rate is not None and constant else None,
            plain=fields.get("optimizer") == "gradient_descent",
            full_batch=None if batch is None or rows is None else batch >= rows,
        )
        source = " and ".join(name for name in ("gradients", "iterates") if name in vectors)
        for name, value in derived.items():
            if name not in fields:
                fields[name] = value
                self.matched[name] = f"from {source}"
        for sentence in notes:
            self.note(sentence)


def _scalar(value: Any, what: str) -> float:
    array = as_numbers(value, what)
    finite = array[np.isfinite(array)]
    if not finite.size:
        raise InputError(f"{what} must be a number, got {value!r}", argument=what, value=value)
    return float(finite.ravel()[-1])


def _number(name: str) -> int:
    digits = "".join(c for c in name if c.isdigit())
    return int(digits) if digits else 0


def _leading(field: str, series: Series) -> Series:
    """Drop the empty first cosine: there is no gradient before the first one."""
    if field == "gradient_cosine" and len(series) > 1 and np.isnan(series.values[0]):
        return Series(series.values[1:], series.steps[1:])
    if field == "learning_rate":
        good = np.isfinite(series.values)
        return Series(series.values[good], series.steps[good])
    return series


def _checks(array: Array) -> Array:
    """Bring pairs (claimed, difference) to shape (snapshots, directions, 2)."""
    if array.ndim == 2 and array.shape[1] == 2:
        return array[None]
    if array.ndim != 3 or array.shape[2] != 2:
        raise InputError(
            f"gradient_checks has shape {array.shape}",
            argument="gradient_checks",
            hint="give (directions, 2) or (snapshots, directions, 2): claimed, central difference",
        )
    return array


def _with_activations(
    layers: tuple[Layer, ...], acts: Mapping[str, Array], pres: Mapping[str, Array]
) -> tuple[Layer, ...]:
    found, _ = layers_from_arrays({}, {}, acts, pres)
    return tuple(
        Layer(
            layer.name,
            layer.weights,
            layer.biases,
            found[k].activations if k < len(found) else None,
            found[k].preactivations if k < len(found) else None,
            layer.hidden,
        )
        for k, layer in enumerate(layers)
    )
