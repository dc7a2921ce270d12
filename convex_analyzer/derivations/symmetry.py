"""Why a network with hidden units is not convex, carried out: permute, average, compare.

Permuting hidden units changes the parameters, not the function; so all K! copies have one loss. In
the mean of the copies every hidden unit is the average unit. A convex loss could not be larger
there (Jensen); where it is, convexity is refuted, and where it is not, nothing is proved.

Source: lecture 001, slides 12-15 (convexity would give J(mean) ≤ J, not "better").
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.derivations.lines import Derivation, Line
from convex_analyzer.errors import InputError
from convex_analyzer.problems.checks import float_array
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count, format_number

__all__ = ["SmallNetwork", "SymmetryArgument", "absolute_value_network", "symmetry_argument"]

Array = npt.NDArray[np.float64]

_ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: (z > 0).astype(float)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "logistic": (
        lambda z: 0.5 * (1 + np.tanh(z / 2)),
        lambda z: 0.25 * (1 - np.tanh(z / 2) ** 2),
    ),
    "linear": (lambda z: z, np.ones_like),
}
_ALL_COPIES = 6  # up to so many hidden units all K! copies are made
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class SmallNetwork:
    """One hidden layer: y = V φ(W x + b) + c, with the loss ½ mean |y − target|².

    Attributes
    ----------
    W, b
        Incoming weights (K, inputs) and biases (K,) of the K hidden units.
    V, c
        Outgoing weights (outputs, K) and biases (outputs,).
    activation
        ``relu``, ``tanh``, ``logistic`` or ``linear``.
    """

    W: Array
    b: Array
    V: Array
    c: Array
    activation: str = "relu"

    def __post_init__(self) -> None:
        for name in ("W", "b", "V", "c"):
            object.__setattr__(self, name, float_array(getattr(self, name), name))
        if self.activation not in _ACTIVATIONS:
            raise InputError(
                f"activation must be one of {', '.join(_ACTIVATIONS)}, got {self.activation!r}",
                argument="activation",
            )
        fits = self.W.ndim == self.V.ndim == 2 and self.b.shape == self.W.shape[:1]
        if not (fits and self.V.shape[1] == len(self.b) and self.c.shape == self.V.shape[:1]):
            shapes = ", ".join(f"{n} {getattr(self, n).shape}" for n in ("W", "b", "V", "c"))
            raise InputError(
                f"shapes must be W (K, inputs), b (K,), V (outputs, K), c (outputs,); got {shapes}",
                argument="W",
            )

    @property
    def hidden(self) -> int:
        """K, the number of hidden units."""
        return len(self.b)

    def _hidden(self, X: Array) -> Array:
        # One sum per unit, always in the same order: equal units stay equal to the last bit.
        return np.asarray(np.sum(X[:, None, :] * self.W, axis=2) + self.b)

    def outputs(self, X: Array) -> Array:
        """Return the outputs for inputs (n, inputs), shape (n, outputs)."""
        return np.asarray(_ACTIVATIONS[self.activation][0](self._hidden(X)) @ self.V.T + self.c)

    def loss(self, X: Array, y: Array) -> float:
        """Return ½ mean |outputs − y|²."""
        return 0.5 * float(np.mean(np.sum((self.outputs(X) - y) ** 2, axis=1)))

    def gradient(self, X: Array, y: Array) -> SmallNetwork:
        """Return the gradient of the loss, in the form of a network."""
        z = self._hidden(X)
        function, slope = _ACTIVATIONS[self.activation]
        error = (self.outputs(X) - y) / len(X)
        units = function(z)
        back = np.sum(error[:, :, None] * self.V, axis=1) * slope(z)
        return replace(
            self,
            W=np.sum(back[:, :, None] * X[:, None, :], axis=0),
            b=np.sum(back, axis=0),
            V=np.sum(error[:, :, None] * units[:, None, :], axis=0),
            c=np.sum(error, axis=0),
        )

    def stepped(self, X: Array, y: Array, learning_rate: float, steps: int) -> SmallNetwork:
        """Return the network after some steps of gradient descent."""
        network = self
        for _ in range(steps):
            g = network.gradient(X, y)
            parts = {n: getattr(network, n) - learning_rate * getattr(g, n) for n in "WbVc"}
            network = replace(network, **parts)
        return network

    def permuted(self, order: Sequence[int]) -> SmallNetwork:
        """Return the copy whose hidden unit i is unit order[i] of this one."""
        rows = list(order)
        if sorted(rows) != list(range(self.hidden)):
            raise InputError(
                f"order must be a permutation of 0 to {self.hidden - 1}, got {rows}",
                argument="order",
            )
        return replace(self, W=self.W[rows], b=self.b[rows], V=self.V[:, rows])

    def averaged(self) -> SmallNetwork:
        """Return the mean of all K! permuted copies: every hidden unit is the average unit."""
        K = self.hidden
        return replace(
            self,
            W=np.tile(self.W.mean(axis=0), (K, 1)),
            b=np.full(K, self.b.mean()),
            V=np.tile(self.V.mean(axis=1, keepdims=True), (1, K)),
        )

    def mixed(self, other: SmallNetwork, weight: float) -> SmallNetwork:
        """Return weight·self + (1 − weight)·other."""
        parts = {n: weight * getattr(self, n) + (1 - weight) * getattr(other, n) for n in "WbVc"}
        return replace(self, **parts)


def absolute_value_network() -> tuple[SmallNetwork, Array, Array]:
    """Return |x| = relu(x) + relu(−x), which fits its five data points exactly, and these.

    Examples
    --------
    >>> network, X, y = absolute_value_network()
    >>> network.loss(X, y), network.averaged().loss(X, y)
    (0.0, 1.0)
    """
    X = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
    both = np.array([[1.0], [-1.0]])
    network = SmallNetwork(both, np.zeros(2), np.ones((1, 2)), np.zeros(1))
    return network, X, np.abs(X)


@dataclass(frozen=True, eq=False)
class SymmetryArgument(Result):
    """What permuting and averaging hidden units says about convexity.

    Attributes
    ----------
    verdict
        Of "the loss is convex in the parameters": ``refuted``, or ``undecided``.
    loss, mean_loss
        J of the network, and of the mean of its permuted copies.
    spread
        Largest difference of J between copies: rounding.
    copies
        How many copies were made.
    order
        A permutation whose midpoint with the original has a larger loss: two points and λ = ½;
        empty when none was found.
    midpoint_loss
        J there; None without.
    derivation
        The lines.
    """

    schema: ClassVar[str] = "convex_analyzer.symmetry/1"

    verdict: str
    loss: float
    mean_loss: float
    spread: float
    copies: int
    order: tuple[int, ...]
    midpoint_loss: float | None
    derivation: Derivation

    @property
    def words(self) -> str:
        """The conclusion."""
        J, mean = format_number(self.loss, 4), format_number(self.mean_loss, 4)
        if self.verdict == "refuted" and not self.mean_loss > self.loss:
            return (
                f"J = {J} at every copy, and {format_number(self.midpoint_loss, 4)} halfway to the "
                f"copy {self.order}: the loss is not convex in the parameters."
            )
        if self.verdict == "refuted":
            return (
                f"J = {J} at every copy, and {mean} at their mean: no convex function does that, "
                "so the loss is not convex in the parameters."
            )
        relation = "no larger" if self.mean_loss < self.loss else "the same"
        return (
            f"J = {J} at every copy, and {mean} at their mean, which is {relation}: nothing is "
            "proved. The argument needs a network whose units differ, and which fits well."
        )

    def summary(self) -> Table:
        """Return the lines as a table."""
        table = self.derivation.summary()
        return Table(table.columns, table.rows, table.title, (self.words,), table.left)


def symmetry_argument(network: SmallNetwork, X: Any, y: Any) -> SymmetryArgument:
    """Carry out the permutation-symmetry argument on a network and data.

    Parameters
    ----------
    network
        With one hidden layer.
    X, y
        Inputs (n, inputs) and targets (n, outputs).

    Examples
    --------
    >>> argument = symmetry_argument(*absolute_value_network())
    >>> argument.verdict, argument.order, argument.midpoint_loss
    ('refuted', (1, 0), 1.0)
    """
    if not isinstance(network, SmallNetwork):
        raise InputError(
            f"network must be a SmallNetwork, got {type(network).__name__}", argument="network"
        )
    inputs, targets = float_array(X, "X"), float_array(y, "y")
    if inputs.ndim != 2 or inputs.shape[1] != network.W.shape[1]:
        raise InputError(
            f"X must have shape (n, {network.W.shape[1]}), got {inputs.shape}", argument="X"
        )
    if targets.shape != (len(inputs), len(network.c)):
        raise InputError(
            f"y must have shape {(len(inputs), len(network.c))}, got {targets.shape}", argument="y"
        )
    loss = network.loss(inputs, targets)
    orders = list(_orders(network.hidden))
    copies = [network.permuted(order) for order in orders]
    losses = [copy.loss(inputs, targets) for copy in copies]
    scale = float(np.mean(np.sum(targets**2, axis=1))) + loss or 1.0
    spread = max(abs(other - loss) for other in losses)
    mean = network.averaged()
    mean_loss = mean.loss(inputs, targets)
    middles = [network.mixed(copy, 0.5).loss(inputs, targets) for copy in copies]
    top = int(np.argmax(middles))
    beyond = middles[top] > loss + _ROUNDING * scale
    refuted = mean_loss > loss + _ROUNDING * scale
    derivation = _derivation(
        network, copies, mean, same=spread <= _ROUNDING * scale, refuted=refuted
    )
    return SymmetryArgument(
        verdict="refuted" if refuted or beyond else "undecided",
        loss=loss,
        mean_loss=mean_loss,
        spread=spread,
        copies=len(copies),
        order=orders[top] if beyond else (),
        midpoint_loss=middles[top] if beyond else None,
        derivation=derivation,
    )


def _orders(count: int) -> list[tuple[int, ...]]:
    """Return all permutations of few units; of many, the cyclic ones, whose mean is the same."""
    if count <= _ALL_COPIES:
        return list(itertools.permutations(range(count)))
    return [tuple((i + shift) % count for i in range(count)) for shift in range(count)]


def _derivation(
    network: SmallNetwork,
    copies: list[SmallNetwork],
    mean: SmallNetwork,
    *,
    same: bool,
    refuted: bool,
) -> Derivation:
    import sympy

    J = sympy.Function("J")
    theta, permuted, average = sympy.symbols("theta P*theta mean")
    gaps = [
        np.max(np.abs(np.mean([getattr(c, n) for c in copies], axis=0) - getattr(mean, n)))
        for n in "WbVc"
    ]
    size = max(float(np.max(np.abs(getattr(network, n)), initial=0.0)) for n in "WbVc") or 1.0
    count, K = format_count(len(copies)), network.hidden
    total = format_count(math.factorial(K)) if K <= 20 else f"{K}!"
    last = Line(
        "J at the mean", sympy.Gt(J(average), J(theta), evaluate=False),
        "Jensen: a convex J has J(mean of points) ≤ mean of J = J(θ); so J is not convex",
        "both computed", "proved" if refuted else "undecided",
    )  # fmt: skip
    lines = (
        Line(
            f"all {total} copies have one loss", sympy.Eq(J(permuted), J(theta), evaluate=False),
            "the outgoing weights move with the units, and a sum does not depend on order",
            f"{count} copies computed: equal to rounding", "proved" if same else "refuted",
        ),
        Line(
            "the mean of the copies", sympy.Symbol("every hidden unit is the average unit"),
            "each unit stands at each place in an equal share of the permutations",
            f"mean of {count} copies computed",
            "proved" if max(gaps) <= _ROUNDING * size else "refuted",
        ),
        last,
    )  # fmt: skip
    return Derivation("Why a network with hidden units is not convex", lines)
