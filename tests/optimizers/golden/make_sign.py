"""Make the golden trajectories of the sign family with other implementations.

Run by hand, where torch and optax are installed: ``python make_sign.py``. Plain Python, one
coordinate at a time and with 50 digits, states the rules that neither library has.
"""

from __future__ import annotations

import json
from pathlib import Path

import mpmath

MATRIX = [[3.0, 1.0, 0.5], [1.0, 2.0, -0.4], [0.5, -0.4, 1.0]]
LINEAR = [1.0, -2.0, 0.5]
START = [2.0, -1.5, 3.0]
# Binary fractions, and a gradient whose last entry is exactly zero at first.
EXACT = [[3.0, 1.0, 0.5], [1.0, 2.0, -0.5], [0.5, -0.5, 1.0]], LINEAR, [2.0, -1.5, -2.25]
STEPS = (1, 2, 5, 20, 100)


def entry(source, hyperparameters, path, problem=(MATRIX, LINEAR, START), tolerance=1e-9):
    matrix, linear, start = problem
    return {
        "source": source,
        "hyperparameters": hyperparameters,
        "matrix": matrix,
        "linear": linear,
        "start": start,
        "points": {str(step): [float(x) for x in path[step]] for step in STEPS},
        "tolerance": tolerance,
    }


def save(name, entries):
    path = Path(__file__).parent / f"{name}.json"
    path.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def gradient(matrix, linear, x):
    rows = zip(matrix, linear, strict=True)
    return [sum(mpmath.mpf(a) * v for a, v in zip(row, x, strict=True)) + b for row, b in rows]


def of_torch(make):
    import torch

    torch.set_default_dtype(torch.float64)
    matrix, linear = torch.tensor(MATRIX), torch.tensor(LINEAR)
    x = torch.tensor(START, requires_grad=True)
    optimizer = make([x])
    path = [x.detach().tolist()]
    for _ in range(max(STEPS)):
        optimizer.zero_grad()
        (x @ matrix @ x / 2 + linear @ x).backward()
        optimizer.step()
        path.append(x.detach().tolist())
    return path


def of_optax(transform):
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", val=True)
    matrix, linear, x = jnp.array(MATRIX), jnp.array(LINEAR), jnp.array(START)
    state = transform.init(x)
    path = [x.tolist()]
    for _ in range(max(STEPS)):
        updates, state = transform.update(matrix @ x + linear, state, x)
        x = optax.apply_updates(x, updates)
        path.append(x.tolist())
    return path


def in_plain_python(make, problem=(MATRIX, LINEAR, START)):
    """Run a rule for one coordinate, `make` giving a fresh one, on every coordinate."""
    with mpmath.workdps(50):
        matrix, linear, start = problem
        x = [mpmath.mpf(v) for v in start]
        rules = [make() for _ in x]
        path = [x]
        for _ in range(max(STEPS)):
            moves = [rule(g) for rule, g in zip(rules, gradient(matrix, linear, x), strict=True)]
            x = [v + move for v, move in zip(x, moves, strict=True)]
            path.append(x)
        return path


class RpropMinus:
    """Igel & Huesken (2003), algorithm 2; `literal` puts a zero product into the else branch."""

    def __init__(self, width, literal):
        self.width, self.before, self.literal = mpmath.mpf(width), None, literal

    def __call__(self, g):
        if self.before is not None:
            product = g * self.before
            if product > 0:
                self.width = min(self.width * mpmath.mpf("1.2"), mpmath.mpf(50))
            elif product < 0 or self.literal:
                self.width = max(self.width * mpmath.mpf("0.5"), mpmath.mpf("1e-6"))
        self.before = g
        return -mpmath.sign(g) * self.width


class LocalGain:
    """Lecture 002, with "Delta w =" for its "w ="."""

    def __init__(self, rate, delta, low, high):
        self.rate, self.delta, self.gain = mpmath.mpf(rate), mpmath.mpf(delta), mpmath.mpf(1)
        self.low, self.high, self.before = mpmath.mpf(low), mpmath.mpf(high), None

    def __call__(self, g):
        if self.before is not None:
            if g * self.before > 0:
                self.gain += self.delta
            else:
                self.gain *= 1 - self.delta
            self.gain = min(max(self.gain, self.low), self.high)
        self.before = g
        return -self.gain * self.rate * g


class DeltaBar:
    """Jacobs (1988): the new learning rate is used in the step of the gradient that set it."""

    def __init__(self, rate, kappa, phi, theta):
        self.rate, self.kappa = mpmath.mpf(rate), mpmath.mpf(kappa)
        self.phi, self.theta, self.bar = mpmath.mpf(phi), mpmath.mpf(theta), mpmath.mpf(0)

    def __call__(self, g):
        if self.bar * g > 0:
            self.rate += self.kappa
        elif self.bar * g < 0:
            self.rate -= self.phi * self.rate
        self.bar = (1 - self.theta) * g + self.theta * self.bar
        return -self.rate * g


def main():
    import optax
    import torch

    optax_is = f"optax {optax.__version__}"
    torch_is = f"torch {torch.__version__.partition('+')[0]}"
    plain = "plain Python, one coordinate at a time, 50 digits"
    save(
        "SignSGD",
        [
            entry(
                f"{optax_is} sign_sgd", {"learning_rate": 0.0531}, of_optax(optax.sign_sgd(0.0531))
            )
        ],
    )
    save(
        "Signum",
        [
            entry(
                f"{optax_is} signum",
                {"learning_rate": 0.0317, "momentum": momentum},
                of_optax(optax.signum(0.0317, momentum)),
            )
            for momentum in (0.9, 0.5)
        ],
    )
    save(
        "Lion",
        [
            entry(
                f"{optax_is} lion",
                {"learning_rate": 0.0317, "beta1": b1, "beta2": b2, "weight_decay": decay},
                of_optax(optax.lion(0.0317, b1, b2, weight_decay=decay)),
            )
            for b1, b2, decay in ((0.9, 0.99, 0.0), (0.7, 0.9, 0.1))
        ],
    )
    save(
        "Rprop",
        [
            entry(
                f"{torch_is} Rprop",
                {"learning_rate": 0.05},
                of_torch(lambda p: torch.optim.Rprop(p, lr=0.05)),
            ),
            entry(
                f"{torch_is} Rprop",
                {
                    "learning_rate": 0.3,
                    "increase": 1.5,
                    "decrease": 0.3,
                    "smallest": 0.004,
                    "largest": 0.8,
                },
                of_torch(
                    lambda p: torch.optim.Rprop(p, lr=0.3, etas=(0.3, 1.5), step_sizes=(0.004, 0.8))
                ),
            ),
            entry(
                f"Igel & Huesken (2003), algorithm 2: {plain}",
                {"learning_rate": 0.05, "variant": "move"},
                in_plain_python(lambda: RpropMinus("0.05", literal=False)),
            ),
            entry(
                f"lecture 002 to the letter: {plain}",
                {"learning_rate": 0.05, "variant": "lecture"},
                in_plain_python(lambda: RpropMinus("0.05", literal=True), EXACT),
                EXACT,
            ),
            entry(
                f"{optax_is} rprop",
                {"learning_rate": 0.05, "variant": "optax"},
                of_optax(optax.rprop(0.05)),
            ),
            entry(
                f"{optax_is} rprop",
                {
                    "learning_rate": 0.3,
                    "increase": 1.5,
                    "decrease": 0.3,
                    "smallest": 0.004,
                    "largest": 0.8,
                    "variant": "optax",
                },
                of_optax(optax.rprop(0.3, 0.3, 1.5, 0.004, 0.8)),
            ),
        ],
    )
    save(
        "LocalGains",
        [
            entry(
                f"lecture 002: {plain}",
                {"learning_rate": 0.1, "increment": 0.05, "smallest": 0.1, "largest": 10.0},
                in_plain_python(lambda: LocalGain("0.1", "0.05", "0.1", 10)),
            ),
            entry(
                f"lecture 002: {plain}",
                {"learning_rate": 0.2, "increment": 0.2, "smallest": 0.5, "largest": 1.5},
                in_plain_python(lambda: LocalGain("0.2", "0.2", "0.5", "1.5")),
            ),
        ],
    )
    save(
        "DeltaBarDelta",
        [
            entry(
                f"Jacobs (1988): {plain}",
                {"learning_rate": 0.05, "increment": kappa, "reduction": phi, "decay": theta},
                in_plain_python(lambda k=kappa, p=phi, t=theta: DeltaBar("0.05", k, p, t)),
            )
            for kappa, phi, theta in ((0.003, 0.3, 0.7), (0.03, 0.4, 0.0))
        ],
    )


if __name__ == "__main__":
    main()
