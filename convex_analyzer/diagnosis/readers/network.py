"""Layers of a network from what a log keeps of them: flat parameters, lists, dicts, activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Layer
from convex_analyzer.errors import InputError

__all__ = ["infer_sizes", "layers_from_arrays", "layers_from_flat", "numbered"]

Array = NDArray[np.float64]


def infer_sizes(
    parameters: int, inputs: int | None, hidden: Sequence[int], arrays: int | None = None
) -> tuple[tuple[int, ...], bool] | None:
    """Return (widths from input to output, has biases) of a fully connected network, or None.

    The number of parameters fixes the one unknown width, that of the output.

    Parameters
    ----------
    parameters
        Length of the flat parameter vector [W1, b1, W2, b2, ...].
    inputs
        Width of the input, if known.
    hidden
        Widths of the hidden layers.
    arrays
        Number of parameter arrays, if known: it tells whether there are biases.

    Examples
    --------
    >>> infer_sizes(51, 4, [6])
    ((4, 6, 3), True)
    """
    if inputs is None:
        return None
    known = (inputs, *hidden)
    found = []
    for biased in (True, False):
        extra = int(biased)
        rest = parameters - sum((a + extra) * b for a, b in pairwise(known))
        fan = known[-1] + extra
        expected = len(known) * (1 + extra)
        if rest > 0 and rest % fan == 0 and arrays in (None, expected):
            found.append(((*known, rest // fan), biased))
    return found[0] if found else None


def layers_from_flat(theta: Array, sizes: Sequence[int], biased: bool) -> tuple[Layer, ...]:
    """Cut flat parameters, shape (snapshots, parameters), in the order [W1, b1, W2, b2, ...].

    Raises
    ------
    InputError
        The sizes need another number of parameters.
    """
    needed = sum((a + int(biased)) * b for a, b in pairwise(sizes))
    if theta.ndim != 2 or theta.shape[1] != needed:
        raise InputError(
            f"layers {list(sizes)} need {needed} parameters, and the snapshots have shape "
            f"{theta.shape}",
            argument="layers",
            value=tuple(sizes),
        )
    layers, place = [], 0
    for k, (fan, units) in enumerate(pairwise(sizes)):
        weights = theta[:, place : place + fan * units].reshape(-1, fan, units)
        place += fan * units
        biases = theta[:, place : place + units] if biased else None
        place += units if biased else 0
        layers.append(Layer(f"layer {k + 1}", weights, biases, hidden=k < len(sizes) - 2))
    return tuple(layers)


def numbered(value: Any, argument: str) -> dict[str, Array]:
    """Return arrays by name from one array, a list of arrays or a dict of arrays."""
    for method in ("state_dict", "get_weights"):  # models of PyTorch and Keras
        value = getattr(value, method)() if hasattr(value, method) else value
    if isinstance(value, Mapping):
        pairs = [(str(name), array) for name, array in value.items()]
    elif isinstance(value, list | tuple):
        number = np.cumsum([np.ndim(array) > 1 for array in value])  # biases belong to a layer
        pairs = [
            (f"layer {number[k]}" if np.ndim(array) > 1 else f"array {k + 1}", array)
            for k, array in enumerate(value)
        ]
    else:
        pairs = [("layer 1", value)]
    return {name: _array(array, f"{argument} of {name}") for name, array in pairs}


def _array(value: Any, what: str) -> Array:
    for method in ("detach", "cpu"):  # tensors that live on a graph or on another device
        value = getattr(value, method)() if hasattr(value, method) else value
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what} is not an array of numbers", argument=what.split(maxsplit=1)[0]
        ) from error


def layers_from_arrays(
    weights: Mapping[str, Array],
    biases: Mapping[str, Array],
    activations: Mapping[str, Array],
    preactivations: Mapping[str, Array],
) -> tuple[tuple[Layer, ...], list[str]]:
    """Return layers from separate arrays, in order, and notes.

    Weights have shape (fan_in, units) or (snapshots, fan_in, units); arrays of a PyTorch
    ``state_dict`` (names that end in ``.weight``) are (units, fan_in) and are transposed.
    Activations have shape (rows, units) or (snapshots, rows, units).
    """
    notes: list[str] = []
    kernels, offsets = _kernels(weights, biases, notes)
    acts, pres = list(activations.values()), list(preactivations.values())
    widths = [array.shape[-1] for array in (acts or pres)]
    _orient(kernels, offsets, widths, notes)
    names = list(kernels) or list(activations or preactivations)
    outputs = len(kernels) > max(len(acts), len(pres)) or len(kernels) > 1
    names += [f"layer {k + 1}" for k in range(len(names), max(len(acts), len(pres)))]
    layers = []
    for k, name in enumerate(names):
        layers.append(
            Layer(
                name,
                kernels.get(name),
                offsets.get(name),
                _snapshots(acts[k], f"activations of {name}") if k < len(acts) else None,
                _snapshots(pres[k], f"preactivations of {name}") if k < len(pres) else None,
                hidden=not (kernels and outputs and k == len(names) - 1),
            )
        )
    return tuple(layers), notes


def _kernels(
    weights: Mapping[str, Array], biases: Mapping[str, Array], notes: list[str]
) -> tuple[dict[str, Array], dict[str, Array]]:
    kernels: dict[str, Array] = {}
    offsets: dict[str, Array] = {}
    for name, array in weights.items():
        stem, _, last = name.rpartition(".")
        owner = stem or next(reversed(kernels), "")
        if last == "bias" or (array.ndim == 1 and not stem):
            if owner in kernels and owner not in offsets:
                offsets[owner] = array[None] if array.ndim == 1 else array
            continue
        if array.ndim < 2:
            notes.append(f"{name} is left out: its shape {array.shape} is not that of weights")
            continue
        kernel = _from_torch(array) if last == "weight" else array
        kernels[stem if last in {"weight", "kernel"} and stem else name] = (
            kernel[None] if kernel.ndim == 2 else kernel
        )
    for k, array in enumerate(biases.values()):
        if k < len(kernels):
            offsets[list(kernels)[k]] = array[None] if array.ndim == 1 else array
    for name, array in kernels.items():
        if array.ndim != 3:
            raise InputError(
                f"weights of {name} have shape {array.shape}",
                argument="weights",
                hint="give (fan_in, units), or (snapshots, fan_in, units)",
            )
    return kernels, offsets


def _orient(
    kernels: dict[str, Array], offsets: dict[str, Array], widths: Sequence[int], notes: list[str]
) -> None:
    """Transpose weights that biases or activations show to be (units, fan_in)."""
    units = {name: array.shape[-1] for name, array in offsets.items()}
    units.update(dict(zip(kernels, widths, strict=False)))
    turned = [
        name
        for name, width in units.items()
        if kernels[name].shape[1] == width != kernels[name].shape[2]
    ]
    right = [name for name, width in units.items() if kernels[name].shape[2] == width]
    square = [name for name in right if kernels[name].shape[1] == units[name]]
    if turned and len(right) == len(square):
        for name, array in kernels.items():
            kernels[name] = np.swapaxes(array, 1, 2)
        notes.append("weights are (units, fan_in), as the biases or activations show: transposed")
    for name in [name for name in offsets if kernels[name].shape[2] != offsets[name].shape[-1]]:
        notes.append(f"the biases of {name} do not fit its weights and are left out")
        del offsets[name]


def _from_torch(array: Array) -> Array:
    """Bring (units, fan_in), or (units, channels, height, width), to (fan_in, units)."""
    if array.ndim == 3:  # snapshots of a linear layer
        return np.swapaxes(array, 1, 2)
    return array.reshape(len(array), -1).T


def _snapshots(array: Array, what: str) -> Array:
    if array.ndim == 2:
        return array[None]
    if array.ndim != 3:
        raise InputError(
            f"{what} have shape {array.shape}",
            argument=what.split(maxsplit=1)[0],
            hint="give (rows, units), or (snapshots, rows, units)",
        )
    return array
