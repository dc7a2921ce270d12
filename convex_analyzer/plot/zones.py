"""Where along αλ a method changes its behaviour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.plot.style import FLIPS, STABLE, UNSTABLE
from convex_analyzer.theory.modes import modes

__all__ = ["MEANING", "ZONES", "find_zones"]

Array = npt.NDArray[np.float64]

_SCAN = 241
_NO_DECAY = 1e-28  # 1 - ρ below this is rounding of double-double numbers

# what a zone is called, and how it is drawn: colour, hatch
ZONES: dict[str, tuple[str, str | None]] = {
    "monotone": (STABLE, None),
    "swings": ("#eeeaf6", None),
    "sign flips": (FLIPS, "."),
    "no decay": (UNSTABLE, "///"),
}
MEANING = {
    "monotone": "the error shrinks without changing sign",
    "swings": "it oscillates (complex roots)",
    "sign flips": "it changes sign in every step",
    "no decay": "it does not shrink",
}


def _kinds(rule: Optimizer, eigenvalues: Array) -> npt.NDArray[np.int64]:
    """Return for each eigenvalue which of `ZONES` it is in."""
    parts = modes(rule, eigenvalues)
    root = parts.roots[:, 0]
    kind = np.where(np.abs(root.imag) > 0, 1, np.where(root.real < 0, 2, 0))
    return np.where(parts.one_minus_rate <= _NO_DECAY, 3, kind)


def find_zones(
    rule: Optimizer, scale: float, positive: Array
) -> tuple[float, float, tuple[str, ...], Array]:
    """Find where along αλ the behaviour changes, by scanning and bisecting."""
    top = float(positive.max()) if positive.size else 1.0
    bottom = float(positive.min()) if positive.size else 0.1
    grid = np.geomspace(min(bottom / 3, 0.05), max(top, 1.0) * 1e3, _SCAN)
    grid = np.unique(np.concatenate([grid, np.geomspace(0.01, 10, _SCAN)]))
    kinds = _kinds(rule, grid / scale)
    at = np.flatnonzero(np.diff(kinds))
    right = _refine(rule, scale, grid[at], grid[at + 1], kinds[at])
    sequence = [*kinds[at], kinds[-1]]
    unstable = [float(r) for r, k in zip(right, sequence[1:], strict=True) if k == 3]
    edge = unstable[-1] if unstable else 1.0
    low, high = min(bottom / 2.2, edge / 12), max(top * 1.8, edge * 2.2)
    names = tuple(ZONES)
    zones = [names[int(_kinds(rule, np.array([low / scale]))[0])]]
    borders: list[float] = []
    for border, kind in zip(right, sequence[1:], strict=True):
        if not low < border < high:
            continue
        if borders and border < borders[-1] * (1 + 1e-6):  # a zone too thin to be seen
            zones.pop()
            borders.pop()
        if names[kind] != zones[-1]:
            zones.append(names[kind])
            borders.append(float(border))
    return low, high, tuple(zones), np.array(borders)


def _refine(
    rule: Optimizer, scale: float, left: Array, right: Array, before: npt.NDArray[np.int64]
) -> Array:
    """Return where the behaviour changes inside each bracket, each round 16 times as closely."""
    shares = np.linspace(0, 1, 17)[1:-1]
    for _ in range(8 if len(left) else 0):
        inner = left[:, None] * (right / left)[:, None] ** shares
        kinds = _kinds(rule, inner.ravel() / scale).reshape(inner.shape)
        count = np.cumprod(kinds == before[:, None], axis=1).sum(axis=1)
        ends = np.column_stack([left, inner, right])
        rows = np.arange(len(left))
        left, right = ends[rows, count], ends[rows, count + 1]
    return right
