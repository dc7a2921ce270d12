"""Measures of a network's units: which are dead, which saturated, which are copies of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Layer

__all__ = ["Units", "activation_kind", "distinct_units", "units"]

Array = NDArray[np.float64]

_SLOPE = 0.05  # mean σ'/σ'max below: saturated (THEORY 10; |z| > 4.36 logistic, > 2.18 tanh)
_EQUAL = 1e-5  # relative: two columns of float32 weights that training cannot tell apart
_HALF = 2e-3  # the same for activations stored in half precision


@dataclass(frozen=True, eq=False)
class Units:
    """The hidden units of one layer at each snapshot.

    Parameters
    ----------
    name
        Of the layer.
    kind
        ``relu``, ``tanh``, ``logistic``, ``linear`` or ``unknown``.
    count
        Number of units.
    rows
        Rows that the activations were seen on.
    dead, saturated
        Shares of the units, shape (snapshots,); NaN where the activations are not known.
    copies
        Share of the units that repeat another one, shape (snapshots,).
    """

    name: str
    kind: str
    count: int
    rows: int
    dead: Array
    saturated: Array
    copies: Array


def activation_kind(activations: Array, preactivations: Array | None) -> str:
    """Return which nonlinearity turns the one into the other, seen from the numbers.

    Examples
    --------
    >>> z = np.linspace(-3, 3, 7)[None, :, None]
    >>> activation_kind(np.maximum(z, 0), z), activation_kind(np.tanh(z), None)
    ('relu', 'tanh')
    """
    a = activations[np.isfinite(activations)]
    if not a.size:
        return "unknown"
    if preactivations is not None and preactivations.shape == activations.shape:
        seen = np.isfinite(activations) & np.isfinite(preactivations)
        x, y = preactivations[seen], activations[seen]
        if np.ptp(x) < 0.1:
            return "unknown"  # so near zero all of them look alike
        with np.errstate(over="ignore"):
            for name, curve in (
                ("relu", np.maximum(x, 0)),
                ("tanh", np.tanh(x)),
                ("logistic", 1 / (1 + np.exp(-x))),
                ("linear", x),
            ):
                if np.allclose(curve, y, rtol=1e-2, atol=1e-2):
                    return name
        return "unknown"
    if a.min() >= 0:
        if np.mean(a == 0) > 0.02 or a.max() > 1.001:
            return "relu"
        return "logistic"
    return "tanh" if a.min() < 0 and np.abs(a).max() <= 1.001 else "unknown"


def _slopes(kind: str, activations: Array) -> Array | None:
    """Return σ'/σ'max from the activations."""
    if kind == "tanh":
        return 1 - np.clip(activations, -1, 1) ** 2
    if kind == "logistic":
        inside = np.clip(activations, 0, 1)
        return 4 * inside * (1 - inside)
    return None


def distinct_units(columns: Array, tolerance: float) -> int:
    """Return how many columns differ from one another by more than a relative tolerance."""
    scale = float(np.abs(columns).max()) or 1.0
    kept: list[Array] = []
    for column in columns.T:
        if not any(np.abs(column - other).max() <= tolerance * scale for other in kept):
            kept.append(column)
    return len(kept)


def _copies(layer: Layer, snapshot: int) -> float:
    if layer.weights is not None:
        columns = np.asarray(layer.weights[snapshot], dtype=np.float64)
        if layer.biases is not None:
            columns = np.vstack([columns, layer.biases[snapshot][None]])
        tolerance = _EQUAL
    elif layer.preactivations is not None:
        columns, tolerance = np.asarray(layer.preactivations[snapshot], dtype=np.float64), _HALF
    else:
        return float("nan")
    if not np.isfinite(columns).all() or columns.shape[1] < 2:
        return float("nan")
    count = columns.shape[1]
    if count > 512:  # a sample answers as well
        columns = columns[:, np.random.default_rng(0).choice(count, 512, replace=False)]
        count = 512
    return float(1 - distinct_units(columns, tolerance) / count)


def units(layer: Layer) -> Units | None:
    """Return the measures of a hidden layer; None for the output layer or without any data."""
    if not layer.hidden:
        return None
    known = [
        part
        for part in (layer.activations, layer.preactivations, layer.weights)
        if part is not None
    ]
    if not known:
        return None
    snapshots, count = len(known[0]), int(known[0].shape[-1])
    nothing = np.full(snapshots, np.nan)
    copies = np.array([_copies(layer, s) for s in range(snapshots)])
    acts = layer.activations
    if acts is None:
        return Units(layer.name, "unknown", count, 0, nothing, nothing, copies)
    acts = np.asarray(acts, dtype=np.float64)
    kind = activation_kind(acts, layer.preactivations)
    dead, saturated = nothing.copy(), nothing.copy()
    if kind == "relu":
        dead = (acts <= 0).all(axis=1).mean(axis=1)
        saturated = np.zeros(snapshots)
    else:
        slopes = _slopes(kind, acts)
        if slopes is not None:
            saturated = (slopes.mean(axis=1) < _SLOPE).mean(axis=1)
            dead = np.zeros(snapshots)
    return Units(layer.name, kind, count, acts.shape[1], dead, saturated, copies)
