"""Data to learn from: synthetic sets of many kinds, and the NIST sets that the tests carry.

Every maker takes a random generator and returns a ``Task``; ``BY_NAME`` lists them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.diagnosis.lab import Array

_NIST = Path(__file__).parents[2] / "tests" / "data" / "nist"


@dataclass(frozen=True, eq=False)
class Task:
    """Rows and targets; one column per class for a classification."""

    name: str
    rows: Array
    targets: Array
    classification: bool

    @property
    def kind(self) -> str:
        return "classification" if self.classification else "regression"


def standardised(task: Task) -> Task:
    """Every feature with mean 0 and deviation 1."""
    spread = task.rows.std(0)
    rows = (task.rows - task.rows.mean(0)) / np.where(spread > 0, spread, 1.0)
    return replace(task, name=f"{task.name}, standardised", rows=rows)


def whitened(task: Task) -> Task:
    """Uncorrelated features with deviation 1: what standardising cannot do."""
    centred = standardised(task).rows
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    rows = left[:, values > 1e-9 * values[0]] * np.sqrt(len(centred))
    return replace(task, name=f"{task.name}, whitened", rows=rows)


def _classes(name: str, rows: Array, labels: Array) -> Task:
    return Task(name, rows, np.eye(int(labels.max()) + 1)[labels], classification=True)


def _values(name: str, rows: Array, targets: Array) -> Task:
    return Task(name, rows, targets.reshape(len(rows), -1), classification=False)


def blobs(rng: np.random.Generator) -> Task:
    """Gaussian clouds, 2 to 6 classes, from well apart to overlapping."""
    count, features = int(rng.integers(2, 7)), int(rng.integers(2, 9))
    labels = rng.integers(0, count, int(rng.integers(80, 181)))
    labels[:count] = np.arange(count)
    centres = rng.normal(size=(count, features)) * rng.uniform(1.5, 4) / np.sqrt(features) * 1.6
    rows = centres[labels] + rng.normal(size=(len(labels), features))
    return standardised(_classes(f"{count} gaussian blobs", rows, labels))


def rings(rng: np.random.Generator) -> Task:
    """Concentric rings, 2 or 3 classes."""
    count, each = int(rng.integers(2, 4)), int(rng.integers(40, 71))
    labels = np.repeat(np.arange(count), each)
    angle = rng.uniform(0, 2 * np.pi, len(labels))
    radius = 1.0 + labels + rng.normal(size=len(labels)) * rng.uniform(0.05, 0.2)
    rows = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return standardised(_classes("rings", rows, labels))


def spirals(rng: np.random.Generator) -> Task:
    """Interleaved spirals, 2 or 3 arms."""
    count, each = int(rng.integers(2, 4)), int(rng.integers(30, 61))
    labels = np.repeat(np.arange(count), each)
    along = np.tile(np.linspace(0.15, 1, each), count)
    angle = 2 * np.pi * labels / count + rng.uniform(2.5, 4.5) * along
    rows = along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    rows += rng.normal(size=rows.shape) * 0.03
    return standardised(_classes("spirals", rows, labels))


def moons(rng: np.random.Generator) -> Task:
    """Two half circles that reach into each other."""
    each = int(rng.integers(40, 81))
    angle = np.pi * rng.uniform(size=2 * each)
    labels = np.repeat([0, 1], each)
    rows = np.column_stack([np.cos(angle), np.sin(angle)]) * (1 - 2 * labels[:, None])
    rows += labels[:, None] * np.array([1.0, 0.5]) + rng.normal(size=rows.shape) * 0.12
    return standardised(_classes("moons", rows, labels))


def parity(rng: np.random.Generator) -> Task:
    """The parity of 2 to 4 signs: exclusive or and its sisters, as a regression."""
    bits = int(rng.integers(2, 5))
    rows = np.array(np.meshgrid(*[[-1.0, 1.0]] * bits)).reshape(bits, -1).T
    return _values(f"parity of {bits}", rows, (np.prod(rows, axis=1) > 0).astype(float))


def xor(rng: np.random.Generator) -> Task:
    """Exclusive or on 0 and 1, with a few noisy copies or without."""
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    rows = np.tile(corners, (int(rng.choice([1, 1, 8])), 1))
    targets = (rows.sum(1) == 1).astype(float)
    noise = 0.08 * rng.normal(size=rows.shape) if len(rows) > len(corners) else 0.0
    return _values("exclusive or", rows + noise, targets)


def wave(rng: np.random.Generator) -> Task:
    """One-dimensional sine, noisy or not."""
    at = np.linspace(-2, 2, int(rng.integers(30, 81)))
    heights = np.sin(rng.uniform(1.2, 2.6) * at + rng.uniform(0, 6))
    heights += rng.choice([0.0, 0.1]) * rng.normal(size=len(at))
    return _values("sine", at[:, None], heights)


def linear(rng: np.random.Generator) -> Task:
    """Correlated features, a linear answer and noise: a floor that is not zero."""
    count, features = int(rng.integers(40, 161)), int(rng.integers(3, 10))
    mixing = np.eye(features) + rng.uniform(0, 0.5) * rng.normal(size=(features, features))
    rows = rng.normal(size=(count, features)) @ mixing
    answer = rows @ rng.normal(size=features)
    answer = answer / answer.std() + rng.uniform(0.05, 0.5) * rng.normal(size=count)
    return standardised(_values("correlated linear regression", rows, answer))


def surface(rng: np.random.Generator) -> Task:
    """A smooth nonlinear function of three to six features."""
    count, features = int(rng.integers(60, 161)), int(rng.integers(3, 7))
    rows = rng.normal(size=(count, features))
    w = rng.normal(size=(2, features)) / np.sqrt(features)
    answer = np.tanh(2 * rows @ w[0]) + 0.5 * (rows @ w[1]) ** 2
    answer = (answer - answer.mean()) / answer.std() + 0.1 * rng.normal(size=count)
    return _values("smooth surface", rows, answer)


def patches(rng: np.random.Generator) -> Task:
    """Image-like patches: bars of two or four directions, blurred, with noise."""
    side, each = 5, int(rng.integers(30, 51))
    count = int(rng.choice([2, 4]))
    grid = np.arange(side) - side // 2
    rows, labels = [], []
    for label in range(count):
        angle = np.pi * label / count
        distance = grid[:, None] * np.cos(angle) + grid[None, :] * np.sin(angle)
        for _ in range(each):
            picture = np.exp(-((distance - rng.uniform(-1, 1)) ** 2))
            rows.append((picture + 0.3 * rng.normal(size=(side, side))).ravel())
            labels.append(label)
    return standardised(_classes("bars in patches", np.array(rows), np.array(labels)))


def scaled_features(rng: np.random.Generator) -> Task:
    """A linear regression whose features have units from mild to gross: up to 1e-3 .. 1e3."""
    task = linear(rng)
    width = task.rows.shape[1]
    scales = np.logspace(-1, 1, width) ** rng.uniform(0.5, 3)
    rows = task.rows * rng.permutation(scales)
    return replace(task, name="badly scaled features", rows=rows)


def offset_features(rng: np.random.Generator) -> Task:
    """Features that were never centred."""
    task = linear(rng)
    rows = task.rows + rng.uniform(3, 20)
    return replace(task, name="features that are not centred", rows=rows)


def polynomial(rng: np.random.Generator) -> Task:
    """Powers of one variable: nearly collinear columns."""
    at = rng.uniform(-1, 1, int(rng.integers(30, 81)))
    degree = int(rng.integers(4, 9))
    rows = np.column_stack([at**k for k in range(1, degree + 1)])
    answer = rows @ (rng.normal(size=degree) * 2.0 ** np.arange(degree))
    answer = answer / answer.std() + 0.02 * rng.normal(size=len(at))
    return _values(f"powers up to {degree}", rows, answer)


def scaled_blobs(rng: np.random.Generator) -> Task:
    """A classification whose features have very different units."""
    task = blobs(rng)
    width = task.rows.shape[1]
    scales = np.logspace(-1, 1, width) ** rng.uniform(0.8, 2.0)
    return replace(task, name=f"{task.name}, badly scaled", rows=task.rows * scales)


def nist(rng: np.random.Generator, name: str | None = None) -> Task:
    """A NIST reference set as it stands, the answer with mean 0 and deviation 1."""
    chosen = name or str(rng.choice(["Longley", "Norris", "Pontius", "Wampler1"]))
    with (_NIST / f"{chosen}.csv").open(newline="") as handle:
        table = np.array([[float(x) for x in row] for row in list(csv.reader(handle))[1:]])
    answer, rows = table[:, 0], table[:, 1:]
    if chosen in {"Pontius", "Wampler1"}:
        powers = range(1, 3 if chosen == "Pontius" else 6)
        rows = np.column_stack([(rows[:, 0] / rows.max()) ** k for k in powers])
    return _values(f"NIST {chosen}", rows, (answer - answer.mean()) / answer.std())


def nist_standardised(rng: np.random.Generator) -> Task:
    return standardised(nist(rng, str(rng.choice(["Longley", "Norris", "Pontius"]))))


Maker = Callable[[np.random.Generator], Task]
CLASSES: tuple[Maker, ...] = (blobs, rings, spirals, moons, patches)
EASY_CLASSES: tuple[Maker, ...] = (blobs, blobs, moons, patches)
CURVES: tuple[Maker, ...] = (wave, surface)
LINES: tuple[Maker, ...] = (linear, nist_standardised)
RAW: tuple[Maker, ...] = (scaled_features, offset_features, polynomial, nist)
