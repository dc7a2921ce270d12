"""What the caller says beside the file: keywords by field, aliases understood, typos explained."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from convex_analyzer.diagnosis.evidence import Evidence
from convex_analyzer.diagnosis.readers.names import classify
from convex_analyzer.errors import InputError

__all__ = ["QUANTITIES", "Settings"]

QUANTITIES = frozenset(
    {
        *(f.name for f in fields(Evidence)),
        *("gradients", "weights", "biases", "activations", "preactivations", "input_sample"),
        *("snapshot_theta", "step", "epoch", "batch_loss_every", "batch_loss_first"),
    }
    - {"source", "matched", "notes", "averaged", "optimizer_name"}
)
_ALIASES = {
    "lr": "learning_rate",
    "alpha": "learning_rate",
    "weights": "weights",
    "theta": "iterates",
    "thetas": "iterates",
    "parameters": "iterates",
    "gradient": "gradients",
    "gradient_norms": "gradient_norm",
    "gradient_cosines": "gradient_cosine",
    "update_norms": "update_norm",
    "parameter_norms": "parameter_norm",
    "n_train": "rows",
    "n": "rows",
    "beta": "momentum",
    "mu": "momentum",
    "steps": "step",
    "snapshots": "snapshot_theta",
    "layer_sizes": "layers",
}


@dataclass(frozen=True)
class Settings:
    """Keywords of a call, sorted.

    Parameters
    ----------
    values
        Field of `Evidence` (or what leads to one) -> value. They win over what a file says.
    columns
        Field -> column that holds it.
    run
        Which of several runs of a file.
    meta
        What is known about the run: an entry of a manifest.
    steps_per_epoch
        Updates in one epoch.
    nesterov
        Whether momentum is Nesterov's.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    run: Any = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    steps_per_epoch: float | None = None
    nesterov: bool = False

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Settings:
        """Sort keywords.

        Raises
        ------
        InputError
            A keyword that means nothing, or ``columns`` that names no field.
        """
        values: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for name, value in known.items():
            if value is None:
                continue
            if name in _OWN:
                own[name] = value
                continue
            values[_field(name)] = value
        own["columns"] = {_field(name): str(c) for name, c in own.get("columns", {}).items()}
        return cls(values=values, **own)


_OWN = frozenset(f.name for f in fields(Settings)) - {"values"}


def _field(name: str) -> str:
    if name in _ALIASES:
        return _ALIASES[name]
    if name in QUANTITIES:
        return name
    match = classify(name)
    if match is not None and match.field in QUANTITIES:
        return match.field
    choices = sorted({*QUANTITIES, *_ALIASES, *_OWN})
    near = difflib.get_close_matches(name, choices, n=1)
    raise InputError(
        f"{name!r} is nothing that the diagnosis can use",
        argument=name,
        hint=f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(choices)}",
    )
