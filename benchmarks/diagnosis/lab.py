"""Small dense networks with exact back-propagation, their starts, and gradient faults to plant.

Parameters are one vector ``[W1 (inputs x units, row-major), b1, W2, b2, ...]`` with any leading
axes: each row of ``theta`` of shape (runs, d) is a network of its own, so that restarts and
directional probes are one call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def logistic(z: Array) -> Array:
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def _relu(z: Array) -> Array:
    return np.maximum(z, 0.0)


def _bend(name: str, z: Array, known: Array | None = None) -> Array:
    """The slope of an activation at its argument z; ``known`` is the activation there."""
    if name == "relu":
        return (z > 0).astype(float)
    if name == "linear":
        return np.ones_like(z)
    value = _ACTIVATIONS[name](z) if known is None else known
    return 1 - value * value if name == "tanh" else value * (1 - value)


_ACTIVATIONS = {"relu": _relu, "tanh": np.tanh, "sigmoid": logistic, "linear": lambda z: z}

LOSSES = {
    "softmax": "softmax cross-entropy",
    "half_mse": "half mean squared error",
    "logistic_mse": "half mean squared error of a logistic output",
}


def _score(loss: str, out: Array, targets: Array) -> tuple[Array, Array]:
    """Mean loss over the rows, and its derivative by the outputs."""
    rows = out.shape[-2]
    if loss == "softmax":
        shifted = out - out.max(-1, keepdims=True)
        weights = np.exp(shifted)
        total = weights.sum(-1, keepdims=True)
        value = np.log(total).sum((-1, -2)) - (shifted * targets).sum((-1, -2))
        weights /= total
        weights -= targets
        weights /= rows
        return value / rows, weights
    if loss == "half_mse":
        gap = out - targets
        return (gap * gap).sum((-1, -2)) / (2 * rows), gap / rows
    answer = logistic(out)
    gap = answer - targets
    return (gap * gap).sum((-1, -2)) / (2 * rows), gap * answer * (1 - answer) / rows


@dataclass(frozen=True)
class Network:
    """Dense layers, one hidden activation, one loss on the linear outputs."""

    layers: tuple[int, ...]
    activation: str = "tanh"
    loss: str = "half_mse"

    @cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        pairs = zip(self.layers[:-1], self.layers[1:], strict=True)
        return [shape for a, b in pairs for shape in ((a, b), (b,))]

    @cached_property
    def blocks(self) -> list[slice]:
        """Where each weight and bias lies in theta."""
        ends = np.cumsum([math.prod(s) for s in self.shapes]).tolist()
        return [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]

    @property
    def size(self) -> int:
        return self.blocks[-1].stop

    def parts(self, theta: Array) -> list[Array]:
        """Views (..., inputs, units) and (..., 1, units)."""
        lead = theta.shape[:-1]
        return [theta[..., block].reshape(*lead, *grid) for block, grid in self._grids]

    @cached_property
    def _grids(self) -> list[tuple[slice, tuple[int, ...]]]:
        grids = [shape if len(shape) == 2 else (1, *shape) for shape in self.shapes]
        return list(zip(self.blocks, grids, strict=True))

    def forward(self, theta: Array, rows: Array) -> tuple[list[Array], list[Array]]:
        """Inputs of every layer (the last entry: the outputs), and all pre-activations."""
        act = _ACTIVATIONS[self.activation]
        parts = self.parts(theta)
        depth = len(parts) // 2
        inputs, sums = [rows], []
        for k in range(depth):
            z = inputs[-1] @ parts[2 * k] + parts[2 * k + 1]
            sums.append(z)
            inputs.append(act(z) if k < depth - 1 else z)
        return inputs, sums

    def value(self, theta: Array, rows: Array, targets: Array) -> Array:
        return _score(self.loss, self.forward(theta, rows)[0][-1], targets)[0]

    def value_and_gradient(
        self, theta: Array, rows: Array, targets: Array, slope: str = "exact"
    ) -> tuple[Array, Array]:
        """Mean loss and its gradient; ``slope`` other than exact plants a back-propagation bug.

        ``"none"`` forgets the slope of the activation, ``"of output"`` takes it at the
        activation's output instead of its argument.
        """
        inputs, sums = self.forward(theta, rows)
        value, delta = _score(self.loss, inputs[-1], targets)
        parts = self.parts(theta)
        lead = theta.shape[:-1]
        gradient = np.empty(theta.shape)
        for k in range(len(sums) - 1, -1, -1):
            weights = inputs[k].swapaxes(-1, -2) @ delta
            gradient[..., self.blocks[2 * k]] = weights.reshape(*lead, -1)
            gradient[..., self.blocks[2 * k + 1]] = delta.sum(-2)
            if k:
                delta = delta @ parts[2 * k].swapaxes(-1, -2)
                if slope == "exact":
                    delta *= _bend(self.activation, sums[k - 1], inputs[k])
                elif slope == "of output":
                    delta *= _bend(self.activation, inputs[k])
        return value, gradient

    def hessian_vector(self, theta: Array, rows: Array, targets: Array, v: Array) -> Array:
        """Curvature times v, by the central difference of the exact gradient, shape of v."""
        h = 1e-5 / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-300)
        both = np.stack([theta + h * v, theta - h * v])
        up, down = self.value_and_gradient(both, rows, targets)[1]
        return (up - down) / (2 * h)

    def curvatures(self, theta: Array, rows: Array, targets: Array) -> tuple[Array, Array]:
        """Eigenvalues (ascending) and eigenvectors of the Hessian at one theta."""
        hessian = self.hessian_vector(theta[None], rows, targets, np.eye(self.size))
        return np.linalg.eigh((hessian + hessian.T) / 2)

    def sharpness(self, theta: Array, rows: Array, targets: Array, iterations: int = 40) -> float:
        """λmax of the Hessian at one theta, by power iteration (largest in absolute value)."""
        v = np.random.default_rng(0).normal(size=self.size)
        found = 0.0
        for _ in range(iterations):
            v /= max(float(np.linalg.norm(v)), 1e-300)
            w = self.hessian_vector(theta, rows, targets, v)
            found, v = float(v @ w), w
        return abs(found)


@dataclass(frozen=True)
class Start:
    """How the first parameters are drawn.

    ``kind``: "random" (fan-in scaling times ``scale``), "zeros", "constant" (every weight
    ``scale``), "duplicated" (``groups`` different units per hidden layer). ``bias`` is put on
    the ``share`` of the hidden units, ``output_bias`` on the outputs; ``jitter`` is noise added
    to all.
    """

    kind: str = "random"
    scale: float = 1.0
    bias: float = 0.0
    share: float = 1.0
    groups: int = 1
    output_bias: float = 0.0
    jitter: float = 0.0

    def draw(self, network: Network, rng: np.random.Generator) -> Array:
        theta = np.zeros(network.size)
        parts = network.parts(theta)
        depth = len(parts) // 2
        gain = math.sqrt(2) if network.activation == "relu" else 1.0
        for k in range(depth):
            weights, bias = parts[2 * k], parts[2 * k + 1]
            last = k == depth - 1
            weights += self._weights(weights.shape, k == 0, last, rng) * (1.0 if last else gain)
            if last:
                bias += self.output_bias
            else:
                bias[:, : round(self.share * bias.shape[-1])] += self.bias
        return theta + self.jitter * rng.normal(size=network.size)

    def _weights(
        self, shape: tuple[int, ...], first: bool, last: bool, rng: np.random.Generator
    ) -> Array:
        if self.kind == "zeros":
            return np.zeros(shape)
        if self.kind == "constant":
            return np.full(shape, self.scale)
        drawn = rng.normal(size=shape) * self.scale / math.sqrt(shape[0])
        if self.kind == "duplicated":
            rows = np.arange(shape[0]) if first else np.arange(shape[0]) % self.groups
            columns = np.arange(shape[1]) if last else np.arange(shape[1]) % self.groups
            return drawn[np.ix_(rows, columns)]
        return drawn


@dataclass(frozen=True)
class Fault:
    """A mistake in a hand-written gradient, planted.

    ``block`` is the index of a weight or bias in ``Network.shapes``, ``amount`` the wrong
    factor, ``index`` one coordinate of theta.
    """

    name: str
    amount: float = 1.0
    block: int = 0
    index: int = 0

    def claim(
        self, network: Network, theta: Array, rows: Array, targets: Array, memory: dict[str, Array]
    ) -> tuple[Array, Array]:
        """Loss, and the gradient as the faulty code reports it; ``memory`` is updated."""
        slope = {"no slope": "none", "slope of output": "of output"}.get(self.name, "exact")
        seen = np.roll(targets, 1, axis=-1) if self.name == "shifted labels" else targets
        if self.name == "half the rows":
            half = rows.shape[-2] // 2
            part = network.value_and_gradient(theta, rows[..., :half, :], targets[..., :half, :])
            return network.value(theta, rows, targets), part[1] / 2
        value, gradient = network.value_and_gradient(theta, rows, seen, slope)
        if seen is not targets:
            value = network.value(theta, rows, targets)
        return value, self._spoil(network, gradient, memory)

    def _spoil(self, network: Network, gradient: Array, memory: dict[str, Array]) -> Array:
        block = network.blocks[self.block]
        match self.name:
            case "factor":
                return self.amount * gradient
            case "block factor":
                gradient[..., block] *= self.amount
            case "no bias gradient":
                for place in network.blocks[1::2]:
                    gradient[..., place] = 0
            case "coordinate":
                gradient[..., self.index] *= self.amount
            case "transposed block":
                inputs, units = network.shapes[self.block]
                grid = gradient[..., block].reshape(*gradient.shape[:-1], inputs, units)
                turned = grid.swapaxes(-1, -2).reshape(*gradient.shape[:-1], -1)
                gradient[..., block] = turned
            case "reversed units":
                inputs, units = network.shapes[self.block]
                grid = gradient[..., block].reshape(*gradient.shape[:-1], inputs, units)
                gradient[..., block] = grid[..., ::-1].reshape(*gradient.shape[:-1], -1)
            case "stale":
                held = memory.get("held", gradient)
                memory["held"] = gradient
                return held
            case "not zeroed":
                memory["sum"] = gradient + memory.get("sum", 0.0)
                return memory["sum"].copy()
        return gradient


def claimed(
    network: Network,
    fault: Fault | None,
    theta: Array,
    rows: Array,
    targets: Array,
    memory: dict[str, Array],
) -> tuple[Array, Array]:
    """What the optimizer is told: exact without a fault."""
    if fault is None:
        return network.value_and_gradient(theta, rows, targets)
    return fault.claim(network, theta, rows, targets, memory)


@dataclass(frozen=True)
class Rule:
    """An optimizer's update; momentum holds the learning rate inside the velocity."""

    name: str = "sgd"
    momentum: float = 0.9
    decay: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def update(self, gradient: Array, rate: Array, t: int, memory: dict[str, Array]) -> Array:
        """The step added to theta at 0-based step t; ``rate`` broadcasts against (runs, d)."""
        if self.name == "sgd":
            return -rate * gradient
        if self.name in {"momentum", "nesterov"}:
            velocity = self.momentum * memory.get("v", 0.0) - rate * gradient
            memory["v"] = velocity
            return (
                velocity if self.name == "momentum" else self.momentum * velocity - rate * gradient
            )
        if self.name == "rmsprop":
            memory["s"] = self.decay * memory.get("s", 0.0) + (1 - self.decay) * gradient**2
            return -rate * gradient / (np.sqrt(memory["s"]) + self.eps)
        memory["m"] = self.momentum * memory.get("m", 0.0) + (1 - self.momentum) * gradient
        memory["s"] = self.beta2 * memory.get("s", 0.0) + (1 - self.beta2) * gradient**2
        mean = memory["m"] / (1 - self.momentum ** (t + 1))
        square = memory["s"] / (1 - self.beta2 ** (t + 1))
        return -rate * mean / (np.sqrt(square) + self.eps)

    def settings(self) -> dict[str, Any]:
        """The fields of a manifest."""
        own: dict[str, dict[str, float]] = {
            "sgd": {},
            "momentum": {"beta": self.momentum},
            "nesterov": {"beta": self.momentum},
            "rmsprop": {"rho": self.decay, "eps": self.eps},
            "adam": {"b1": self.momentum, "b2": self.beta2, "eps": self.eps},
        }
        return {"name": self.name, **own[self.name]}


@dataclass(frozen=True)
class Schedule:
    """A factor on the learning rate: constant, a drop, a cosine, or a ramp that grows."""

    kind: str = "constant"
    at: float = 0.6
    factor: float = 0.1

    def __call__(self, t: int, steps: int) -> float:
        done = t / steps
        if self.kind == "drop":
            return self.factor if done >= self.at else 1.0
        if self.kind == "cosine":
            return self.factor + (1 - self.factor) * 0.5 * (1 + math.cos(math.pi * done))
        if self.kind == "ramp":
            return self.factor**done
        return 1.0

    def describe(self, steps: int) -> str | None:
        return {
            "constant": None,
            "drop": f"x{self.factor:g} from step {math.ceil(self.at * steps)}",
            "cosine": f"cosine down to x{self.factor:g}",
            "ramp": f"grows geometrically to x{self.factor:g}",
        }[self.kind]


@dataclass(frozen=True, eq=False)
class Plan:
    """All that determines a run."""

    network: Network
    rows: Array
    targets: Array
    rule: Rule
    rate: float
    steps: int
    task: str = ""
    start: Start = field(default_factory=Start)
    schedule: Schedule = field(default_factory=Schedule)
    batch: int | None = None
    fault: Fault | None = None
    seed: int = 0

    def but(self, **changes: Any) -> Plan:
        """The same plan with something changed: a counterfactual."""
        return replace(self, **changes)

    def first(self, seed: int | None = None) -> Array:
        rng = np.random.default_rng([self.seed if seed is None else seed, 0])
        return self.start.draw(self.network, rng)

    @property
    def full_batch(self) -> bool:
        return self.batch is None or self.batch >= len(self.rows)
