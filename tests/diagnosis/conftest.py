"""Runs written out by hand, from the textbook formulas: what the rows of the table are held to."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from convex_analyzer.diagnosis.recap import recap


def gradient_descent(A, b, start, alpha):
    theta = np.array(start, dtype=float)
    while True:
        yield theta
        theta = theta - alpha * (A @ theta + b)


def heavy_ball(A, b, start, alpha, mu):
    theta, velocity = np.array(start, dtype=float), np.zeros(len(start))
    while True:
        yield theta
        velocity = mu * velocity - alpha * (A @ theta + b)
        theta = theta + velocity


def nesterov(A, b, start, alpha, mu):
    theta, velocity = np.array(start, dtype=float), np.zeros(len(start))
    while True:
        yield theta
        velocity = mu * velocity - alpha * (A @ (theta + mu * velocity) + b)
        theta = theta + velocity


def count(path, A, minimiser, tolerance=1e-6):
    """Steps until ½ eᵀAe is the tolerance times its first value."""
    first = None
    for k, theta in enumerate(path):
        gap = (theta - minimiser) @ A @ (theta - minimiser) / 2
        first = gap if first is None else first
        if gap <= tolerance * first:
            return k
    return None


def polyak(m, L):
    """Heavy ball's best pair (Polyak 1964)."""
    kappa = L / m
    return 4 / (m**0.5 + L**0.5) ** 2, ((kappa**0.5 - 1) / (kappa**0.5 + 1)) ** 2


def lessard(m, L):
    """Nesterov's best pair (Lessard, Recht & Packard 2016, table 1)."""
    root = (3 * L / m + 1) ** 0.5
    return 4 / (3 * L + m), (root - 2) / (root + 2)


def finding(comparison, name, entry=None):
    """One row of the table: what it found."""
    (found,) = [f for row, f in recap(comparison, entry).rows if row.name == name]
    return found


def numbers(text):
    """All numbers of a sentence, in order, as Python reads them."""
    plain = text.replace("−", "-").replace(",", "")
    return [float(n) for n in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?", plain)]


def random_problem(seed, eigenvalues):
    """A matrix with these eigenvalues in random directions, and a minimiser away from zero."""
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(len(eigenvalues),) * 2))
    A = Q @ np.diag(eigenvalues) @ Q.T
    A = (A + A.T) / 2
    return A, -A @ rng.normal(size=len(A)), rng.normal(size=len(A))


@pytest.fixture(scope="session")
def by_hand():
    return SimpleNamespace(
        **{f.__name__: f for f in (gradient_descent, heavy_ball, nesterov, count, polyak, lessard,
                                   finding, numbers, random_problem)}
    )  # fmt: skip
