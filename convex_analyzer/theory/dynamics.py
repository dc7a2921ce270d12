"""Following a start along the eigendirections: deviations, displacements, loss.

The modes say what a rule does to any state; this adds the start and the linear term b of a problem.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.compression import Compression
from convex_analyzer.theory.curves import (
    decaying_sum,
    displacement,
    displacements,
    powers,
    propagate,
)
from convex_analyzer.theory.modes import ManyModes, Modes
from convex_analyzer.theory.pairs import log_rates
from convex_analyzer.theory.squares import sum_of_squares

__all__ = ["Dynamics", "from_rest"]

Array = npt.NDArray[np.float64]

_BLOCK = 1_000_000  # entries of (steps, directions) held at once
_WIDTH = 16_384  # directions described at once
_PIECE = 32_768  # entries of (steps, directions) that stay in cache


def _reported(modes: Modes, state: Array) -> Array:
    return np.asarray(np.einsum("ni,ni->n", modes.report, state))


def _moved_by_one(modes: Modes, state: Array) -> Array:
    """Return (M - I) z, without cancellation."""
    return np.asarray(np.einsum("nij,nj->ni", modes.minus_identity, state))


def follow(modes: Modes, state: Array, k: Array) -> Array:
    """Return the reported part of M^k z for each k, shape (K, n)."""
    if modes.slots <= 2:
        change = _reported(modes, _moved_by_one(modes, state))
        return propagate(modes, _reported(modes, state), change, k)
    return np.stack([_finite(_reported(modes, powers(modes.matrix, int(c), state))) for c in k])


def _finite(values: Array) -> Array:
    """Replace 0 · ∞, which only an overflow elsewhere in the state produces, by ∞."""
    return np.where(np.isnan(values), np.inf, values)


def from_rest(modes: Modes, k: Array) -> Array:
    """Return e_k/e_0 for a start at rest, shape (K, n)."""
    return follow(modes, modes.start, k)


@dataclass(frozen=True)
class Dynamics:
    """A rule on a quadratic, in the eigenbasis.

    Attributes
    ----------
    modes
        What the rule does to each direction.
    linear
        b along each direction, (n,).
    """

    modes: Modes
    linear: Array

    @functools.cached_property
    def active(self) -> npt.NDArray[np.bool_]:
        """Directions with curvature; only these have a critical point."""
        return np.asarray(self.modes.eigenvalues != 0)

    @functools.cached_property
    def _offset(self) -> Array:
        """Where the method ends, minus the critical point; 0 unless it decays its weights."""
        m = self.modes
        per_unit = _reported(m, m.fixed)
        lam = np.where(self.active, m.eigenvalues, 1.0)
        apart = self.active & (np.abs(per_unit * lam + 1) > 1e-13)
        return np.where(apart, per_unit * self.linear + self.linear / lam, 0.0)

    def _start(self, y0: Array) -> Array:
        """Return the starting state, (n, s), for theta at y0, (n,)."""
        m = self.modes
        return m.start * y0[:, None] + m.start_offset * self.linear[:, None]

    def errors(self, y0: Array, k: Array) -> Array:
        """Return the deviation from the critical point (from the start if none), (K, n)."""
        m = self.modes
        result = follow(m, self._start(y0) - m.fixed * self.linear[:, None], k) + self._offset
        if not self.active.all():
            result[:, ~self.active] = self.moved(y0, k)[:, ~self.active]
        return result

    def moved(self, y0: Array, k: Array) -> Array:
        """Return the reported point minus the start, (K, n), accurate even for tiny eigenvalues."""
        m = self.modes
        state = self._start(y0)
        change = _moved_by_one(m, state) + m.offset * self.linear[:, None]
        before = _reported(m, state) - y0
        if m.slots <= 2:
            second = _reported(m, _moved_by_one(m, change))
            return before + displacement(m, _reported(m, change), second, k)
        return before + self._moved_by_squaring(change, k)

    def _moved_by_squaring(self, change: Array, k: Array) -> Array:
        """Sum M^j change by powers of the state with a one appended."""
        m, size = self.modes, self.modes.slots
        whole = np.zeros((len(change), size + 1, size + 1))
        whole[:, :size, :size], whole[:, :size, size], whole[:, size, size] = m.matrix, change, 1.0
        unit = np.zeros((len(change), size + 1))
        unit[:, size] = 1.0
        rows = [_reported(m, powers(whole, int(c), unit)[:, :size]) for c in k]
        return np.stack([_finite(row) for row in rows])

    def moved_in_pieces(self, y0: Array, k: Array) -> Iterator[tuple[slice, Array, Array]]:
        """Yield some directions at a time: which, `moved`, and the size of the response.

        The response, (K, n), is what a constant error of 1 in every gradient adds up to; for a rule
        of more than two slots the k-fold of its first part stands for it.
        """
        width = max(64, _PIECE // max(1, len(k)))
        for left in range(0, len(self.linear), _WIDTH):
            wide = self.modes.take(slice(left, left + _WIDTH))
            for first in range(0, len(wide.eigenvalues), width):
                inner = slice(first, first + width)
                part = slice(left + first, min(left + first + width, left + _WIDTH))
                some = Dynamics(wide.take(inner), self.linear[part])
                yield part, *some.moved_and_response(y0[part], k)

    def moved_and_response(self, y0: Array, k: Array) -> tuple[Array, Array]:
        """Return `moved` and the size of the response; see `moved_in_pieces`."""
        m = self.modes
        once = _reported(m, m.offset)
        if m.slots > 2:
            return self.moved(y0, k), np.multiply.outer(k, np.abs(once))
        state = self._start(y0)
        change = _moved_by_one(m, state) + m.offset * self.linear[:, None]
        sequences = [
            (_reported(m, part), _reported(m, _moved_by_one(m, part)))
            for part in (change, m.offset)
        ]
        moved, response = displacements(m, sequences, k)
        moved += _reported(m, state) - y0
        return moved, np.abs(response, out=response)

    def gap_by_direction(self, y0: Array, k: Array) -> Array:
        """Return each direction's part of J - J(critical point), (K, n).

        A flat direction with slope contributes its linear loss, which falls without end.
        """
        errors = self.errors(y0, k)
        with np.errstate(all="ignore"):
            parts = self.modes.eigenvalues * errors**2 / 2
            flat = ~self.active
            if flat.any():
                parts[:, flat] = self.linear[flat] * (y0[flat] + errors[:, flat])
        return parts

    def gap(self, y0: Array, k: Array) -> Array:
        """Return J - J(critical point), (K,).

        Along very many eigenvalues to 1e-10 of itself, from nodes where these can tell.
        """
        away = self._away(y0)
        if away is None:
            with np.errstate(all="ignore"):
                total = self._summed(y0, k)
            return np.where(np.isnan(total), np.inf, total)
        return self._squares(self.modes.eigenvalues * away**2 / 2, k)

    def _squares(self, weights: Array, k: Array) -> Array:
        """Return Σ w p_k(λ)², (K,), from nodes where these can tell."""
        if self._compression is None:
            return self._all_squares(weights, k)
        if not self._asked or not np.array_equal(self._asked[0], weights):
            self._asked[:] = weights, self._compression.curve(weights)
        total = np.asarray(self._asked[1](k))
        unknown = np.flatnonzero(np.isnan(total))
        if unknown.size:
            total[unknown] = self._all_squares(weights, k[unknown])
        return total

    def _all_squares(self, weights: Array, k: Array) -> Array:
        with np.errstate(all="ignore"):
            if self.modes.slots == 1:
                total = decaying_sum(2 * log_rates(self.modes), weights, k)
            else:
                total = sum_of_squares(self.modes, weights, k).sums
        return np.where(np.isnan(total), np.inf, total)

    def _summed(self, y0: Array, k: Array) -> Array:
        """Add up the parts of all directions, in pieces that fit into memory."""
        total = np.zeros(len(k))
        size = len(self.linear)
        wide = max(1, _BLOCK // max(1, len(k)))
        for left in range(0, size, wide):
            part = slice(left, left + wide)
            whole = size <= wide
            some = self if whole else Dynamics(self.modes.take(part), self.linear[part])
            total += some.gap_by_direction(y0[part], k).sum(axis=-1)
        return total

    def _away(self, y0: Array) -> Array | None:
        """Return e, (n,), of which a run makes e p_k(λ); None for a run that is something else.

        It is that for rules that stay where they are when they start at the critical point.
        """
        m = self.modes
        if m.slots > 2 or self.linear[~self.active].any():
            return None
        sample = m
        if isinstance(m, ManyModes):
            places = np.linspace(0, len(self.linear) - 1, 33).astype(int)
            sample = m.take(places)
        lam = sample.eigenvalues
        curved = lam != 0
        if self.linear.any():
            centre = sample.start_offset - sample.start / np.where(curved, lam, 1.0)[:, None]
            size = np.abs(sample.fixed) + np.abs(centre)
            if np.any(np.abs(sample.fixed - centre)[curved] > 1e-12 * size[curved]):
                return None
        return np.asarray(y0 + self.linear / np.where(self.active, m.eigenvalues, 1.0))

    @functools.cached_property
    def _compression(self) -> Compression | None:
        """Nodes for curves along very many eigenvalues."""
        m = self.modes
        if not isinstance(m, ManyModes) or m.slots > 2:
            return None
        return Compression(m.at, m.eigenvalues)

    @functools.cached_property
    def _asked(self) -> list[Any]:
        """The last weights and their curve: the second question about a start costs little."""
        return []

    def relative_error(self, y0: Array, criterion: str) -> Callable[[Array], Array]:
        """Return the error relative to the first, as a function of k; without flat directions.

        `criterion` is ``"gap"`` or ``"norm"``.
        """
        active = self.active
        if not self.linear.any() and y0.any():  # then only the direction of the start counts
            y0 = y0 / np.max(np.abs(y0))

        away = self._away(y0)
        curved = self.modes.eigenvalues if criterion == "gap" else active.astype(float)
        shares = None if away is None else curved * away**2

        def size(k: Array) -> Array:
            if shares is not None:
                total = self._squares(shares, k)
                return total if criterion == "gap" else np.sqrt(total)
            if criterion == "gap" and active.all():
                return self.gap(y0, k)
            errors = self.errors(y0, k)[:, active]
            weights = self.modes.eigenvalues[active] if criterion == "gap" else 1.0
            total = np.asarray((weights * errors**2).sum(axis=1))
            return total if criterion == "gap" else np.sqrt(total)

        initial = float(size(np.zeros(1))[0])
        return lambda k: size(k) / initial if initial > 0 else np.zeros(len(k))
