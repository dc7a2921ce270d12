"""A dense network in plain NumPy, and a training loop that logs what a diagnosis needs.

Everything a `ca.Recorder` asks for stands in `train`: that is all a loop of one's own must add.
"""

from dataclasses import dataclass

import numpy as np

import convex_analyzer as ca

ACTIVATIONS = {  # value, and slope as a function of argument and value
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0) * 1.0),
}


class Network:
    """Layers of `sizes`, hidden units of one kind, linear outputs into the loss.

    Parameters are a list [W1, b1, W2, b2, ...], W of shape (inputs, units).
    """

    def __init__(self, sizes, activation="tanh", loss="cross_entropy"):
        self.sizes, self.loss_name = sizes, loss
        self.act, self.slope = ACTIVATIONS[activation]

    def start(self, seed=0, scale=1.0):
        """Return random weights of variance scale²/inputs, and biases of zero."""
        rng = np.random.default_rng(seed)
        pairs = zip(self.sizes, self.sizes[1:], strict=False)
        drawn = ((rng.normal(0, scale / m**0.5, (m, n)), np.zeros(n)) for m, n in pairs)
        return [part for layer in drawn for part in layer]

    def forward(self, parameters, X):
        """Return what goes into each layer's units, and what comes out: lists Z and A."""
        Z, A = [], [X]
        for k in range(0, len(parameters), 2):
            Z.append(A[-1] @ parameters[k] + parameters[k + 1])
            A.append(self.act(Z[-1]) if k < len(parameters) - 2 else Z[-1])
        return Z, A

    def loss_and_slope(self, out, Y):
        """Return the mean loss of outputs, and its derivative by them."""
        if self.loss_name == "half_mse":
            return ((out - Y) ** 2).sum() / 2 / len(Y), (out - Y) / len(Y)
        if self.loss_name == "logistic_mse":
            p = 0.5 + 0.5 * np.tanh(out / 2)
            return ((p - Y) ** 2).sum() / 2 / len(Y), (p - Y) * p * (1 - p) / len(Y)
        logs = out - out.max(axis=1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
        return -(Y * logs).sum() / len(Y), (np.exp(logs) - Y) / len(Y)

    def loss(self, parameters, X, Y):
        return self.loss_and_slope(self.forward(parameters, X)[1][-1], Y)[0]

    def gradient(self, parameters, X, Y):
        """Return the gradient by back-propagation, in the form of the parameters."""
        Z, A = self.forward(parameters, X)
        delta, found = self.loss_and_slope(A[-1], Y)[1], []
        for k in reversed(range(len(Z))):
            found = [A[k].T @ delta, delta.sum(axis=0), *found]
            if k:
                delta = delta @ parameters[2 * k].T * self.slope(Z[k - 1], A[k])
        return found


class Step:
    """The update of sgd, momentum (heavy ball) or Adam; remembers what it needs."""

    def __init__(self, rule, lr, momentum=0.0):
        self.rule, self.lr, self.mu, self.t = rule, lr, momentum, 0
        self.v = self.s = None

    def __call__(self, gradient):
        """Return Δθ, one array for each of the gradient's."""
        self.t += 1
        if self.v is None:
            self.v, self.s = ([np.zeros_like(g) for g in gradient] for _ in "vs")
        if self.rule != "adam":
            self.v = [self.mu * v - self.lr * g for v, g in zip(self.v, gradient, strict=True)]
            return self.v
        self.v = [0.9 * v + 0.1 * g for v, g in zip(self.v, gradient, strict=True)]
        self.s = [0.999 * s + 0.001 * g**2 for s, g in zip(self.s, gradient, strict=True)]
        lr = self.lr * (1 - 0.999**self.t) ** 0.5 / (1 - 0.9**self.t)
        return [-lr * v / (np.sqrt(s) + 1e-8) for v, s in zip(self.v, self.s, strict=True)]


@dataclass
class Run:
    losses: np.ndarray  # on all rows, before each step and at the end
    parameters: list  # at the end
    recorder: ca.Recorder

    def steps_to(self, goal):
        """Return the step from which on the loss stays at or below the goal; None if never."""
        above = np.flatnonzero(self.losses > goal)
        if not above.size:
            return 0
        return int(above[-1]) + 1 if above[-1] + 1 < len(self.losses) else None


def train(network, parameters, X, Y, *, lr, steps, rule="sgd", momentum=0.0, batch=None, seed=0,
          gradient=None, log=True):  # fmt: skip
    """Train, and log with a `ca.Recorder`; `gradient` takes the place of the network's own.

    Batches are drawn with replacement. With `log=False` only the losses are kept.
    """
    rng, update = np.random.default_rng(seed), Step(rule, lr, momentum)
    gradient, losses = gradient or network.gradient, []
    recorder = ca.Recorder(
        lr=lr, batch_size=batch or len(X), rows=len(X), optimizer=rule, momentum=momentum or None,
        loss_fn=lambda p: network.loss(p, X, Y), probe_every=max(steps // 20, 1),
    )  # fmt: skip
    for k in range(steps):
        chosen = slice(None) if batch is None else rng.integers(len(X), size=batch)
        x, y = X[chosen], Y[chosen]
        losses.append(network.loss(parameters, X, Y))
        g = gradient(parameters, x, y)
        if log:
            if k in {0, steps // 2}:
                recorder.check_gradient(lambda p, x=x, y=y: network.loss(p, x, y), parameters, g)
            if recorder.wants_activations:
                Z, A = network.forward(parameters, X)
                for layer, (z, a) in enumerate(zip(Z[:-1], A[1:-1], strict=True), 1):
                    recorder.activations(f"hidden layer {layer}", a, preactivation=z)
            loss = network.loss(parameters, x, y)
            recorder.step(loss, g, parameters, full_loss=losses[-1] if batch else None)
        parameters = [p + d for p, d in zip(parameters, update(g), strict=True)]
    losses.append(network.loss(parameters, X, Y))
    if log:
        recorder.step(losses[-1], parameters=parameters)
    return Run(np.array(losses), parameters, recorder)
