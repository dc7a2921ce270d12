"""Weights and activations at a bounded number of steps, spread over the run."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Layer
from convex_analyzer.diagnosis.recording.trees import host
from convex_analyzer.errors import InputError

__all__ = ["Arrangement", "Snapshot", "Snapshots"]

Floats = NDArray[np.float32]
_NOT_BIASES = frozenset({"weight", "gamma", "scale", "g"})
_MOST_UNITS = 1024  # of one layer; of more every so many are kept


@dataclass
class Snapshot:
    """What was kept at one step."""

    step: int
    theta: NDArray[Any] | None = None
    activations: dict[str, Floats] = field(default_factory=dict)
    preactivations: dict[str, Floats] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays = [*self.activations.values(), *self.preactivations.values()]
        own = 0 if self.theta is None else self.theta.nbytes
        return own + sum(array.nbytes for array in arrays)


class Snapshots:
    """At most `most` snapshots: the distance between two doubles whenever there are more.

    Activations that a loop hands over decide the steps; without them the weights are kept at
    multiples of the distance.

    Parameters
    ----------
    most
        Number of snapshots.
    bytes_
        Of all weights together; models for which fewer than two would fit keep none.
    rows
        Of the activations of one layer.
    """

    def __init__(self, most: int, bytes_: int, rows: int) -> None:
        self.most, self.bytes, self.rows = most, bytes_, rows
        self.stride = 1
        self.kept: list[Snapshot] = []
        self.layer_names: list[str] = []

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(shot.nbytes for shot in self.kept)

    def due(self, step: int) -> bool:
        """Whether a snapshot is wanted at this step."""
        return self.most > 0 and (not self.kept or step - self.kept[-1].step >= self.stride)

    def fits(self, nbytes: int) -> bool:
        """Whether weights of this size are kept at all."""
        return self.most > 0 and 2 * nbytes <= self.bytes

    def weights(self, step: int, theta: NDArray[Any], *, final: bool = False) -> None:
        """Keep weights: at a step of activations, or where one is due."""
        if not self.fits(theta.nbytes):
            return
        here = bool(self.kept) and self.kept[-1].step == step
        if not here and not final and (self.layer_names or not self.due(step)):
            return
        if not here:
            self._add(Snapshot(step), max(2, min(self.most, self.bytes // theta.nbytes)))
        self.kept[-1].theta = theta.copy()

    def activations(self, step: int, name: str, given: Any, before: Any) -> None:
        """Keep the activations of a layer, when a snapshot is due or is of this step."""
        here = bool(self.kept) and self.kept[-1].step == step
        if not self.layer_names:
            self.kept = [shot for shot in self.kept if shot.step == step]
        if name not in self.layer_names:
            self.layer_names.append(name)
        if not here:
            if not self.due(step):
                return
            self._add(Snapshot(step), self.most)
        for value, into in (
            (given, self.kept[-1].activations),
            (before, self.kept[-1].preactivations),
        ):
            if value is not None:
                into[name] = _rows(value, self.rows, name)

    def _add(self, shot: Snapshot, most: int) -> None:
        self.kept.append(shot)
        while len(self.kept) > most:
            self.stride *= 2
            spaced = self.kept[:1]
            for other in self.kept[1:]:
                if other.step - spaced[-1].step >= self.stride or other is shot:
                    spaced.append(other)
            self.kept = spaced if len(spaced) < len(self.kept) else self.kept

    def stacked(self, kind: str, name: str) -> NDArray[np.float64] | None:
        """Return ``activations`` or ``preactivations`` of a layer, (snapshots, rows, units)."""
        found = [getattr(shot, kind).get(name) for shot in self.kept]
        known = [array for array in found if array is not None]
        if not known:
            return None
        rows = min(len(array) for array in known)
        units = known[0].shape[1]
        if any(array.shape[1] != units for array in known):
            raise InputError(f"{kind} of {name} change their number of units", argument=name)
        blank = np.full((rows, units), math.nan, dtype=np.float32)
        return np.stack([blank if array is None else array[:rows] for array in found]).astype(float)


def _rows(value: Any, rows: int, name: str) -> Floats:
    array = host(value)
    if array.ndim < 2:
        raise InputError(
            f"activations of {name} must have shape (rows, units), got {array.shape}",
            argument=name,
        )
    flat = array[:rows].reshape(min(rows, len(array)), -1)
    return np.array(flat[:, :: -(-flat.shape[1] // _MOST_UNITS)], dtype=np.float32)


class Arrangement:
    """Which arrays are the weights and biases of which layer.

    Parameters
    ----------
    names, shapes
        Of the arrays.
    outgoing
        Whether weights are (units, fan_in, ...), as PyTorch has them; else (..., fan_in, units).
    """

    def __init__(self, names: list[str], shapes: list[tuple[int, ...]], outgoing: bool) -> None:
        self.shapes, self.outgoing = shapes, outgoing
        self.kernels = [i for i, shape in enumerate(shapes) if len(shape) > 1]
        self.biases: dict[int, int] = {}
        self.names: dict[int, str] = {}
        for count, i in enumerate(self.kernels):
            stem = names[i].rpartition(".")[0]
            units = self._units(i)
            self.names[i] = stem or f"layer {count + 1}"
            for j in (i + 1, i - 1):
                inside = 0 <= j < len(shapes) and shapes[j] == (units,)
                if not inside or j in self.biases.values():
                    continue
                other, _, last = names[j].rpartition(".")
                if other == stem and last not in _NOT_BIASES and (j > i or stem):
                    self.biases[i] = j
                    break
        self._starts = np.cumsum([0, *(math.prod(shape) for shape in shapes)])

    def _units(self, i: int) -> int:
        return self.shapes[i][0 if self.outgoing else -1]

    def _part(self, theta: NDArray[np.float64], i: int) -> NDArray[np.float64]:
        return theta[:, self._starts[i] : self._starts[i + 1]]

    def _weights(self, theta: NDArray[np.float64], i: int) -> NDArray[np.float64]:
        part, units = self._part(theta, i), self._units(i)
        if self.outgoing:
            return np.swapaxes(part.reshape(len(theta), units, -1), 1, 2)
        return part.reshape(len(theta), -1, units)

    @property
    def sizes(self) -> tuple[int, ...] | None:
        """Widths from input to output if these are the layers of a chain, one after the other."""
        if not self.kernels or any(len(self.shapes[i]) != 2 for i in self.kernels):
            return None
        if len(self.kernels) + len(self.biases) != len(self.shapes):
            return None
        if len(self.biases) not in (0, len(self.kernels)):
            return None
        pairs = [
            (math.prod(self.shapes[i]) // self._units(i), self._units(i)) for i in self.kernels
        ]
        if any(a[1] != b[0] for a, b in itertools.pairwise(pairs)):
            return None
        return (pairs[0][0], *(units for _, units in pairs))

    def flat(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return θ as [W1 (fan_in x units, row by row), b1, W2, ...] where it is such a chain."""
        if self.sizes is None:
            return theta
        parts = []
        for i in self.kernels:
            parts.append(self._weights(theta, i).reshape(len(theta), -1))
            parts += [self._part(theta, self.biases[i])] if i in self.biases else []
        return np.concatenate(parts, axis=1)

    def unflat(self, theta: NDArray[Any]) -> NDArray[Any]:
        """Return what `flat` was made of."""
        if self.sizes is None:
            return theta
        order = self.flat(np.arange(theta.shape[1], dtype=float)[None])[0].astype(int)
        back = np.empty_like(theta)
        back[:, order] = theta
        return back

    def layers(self, theta: NDArray[np.float64]) -> tuple[Layer, ...]:
        """Return the layers with their weights and biases at each snapshot, θ: (snapshots, d)."""
        return tuple(
            Layer(
                self.names[i],
                self._weights(theta, i),
                self._part(theta, self.biases[i]) if i in self.biases else None,
                hidden=i != self.kernels[-1],
            )
            for i in self.kernels
        )
