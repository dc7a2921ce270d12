"""Σ w p_k(λ)² over eigenvalues, for any k, in tiles that stay in cache.

The square of what a direction does needs less than its value: no sign, and of an oscillation only
amplitude, phase and angle. Directions are sorted by rate, so that dead ones are a slice left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.curves import propagate
from convex_analyzer.theory.modes import Modes
from convex_analyzer.theory.pairs import angle_of, is_flipped, log_rates

__all__ = ["UNDERFLOW", "Sums", "sum_of_squares", "unit_response"]

Array = npt.NDArray[np.float64]

UNDERFLOW = 375.0  # squares of exp(-this) are 0 in float64
LEFT = 90.0  # a direction that has decayed by exp(-this) next to the slowest is left out

_TILE = 16_384  # entries computed at once
_ROWS = 32
_CLEAR = 5e-4  # angle from which amplitude and phase lose at most 2e-13 against each other

# cos(π √z) on [0, 1/4], a polynomial through Chebyshev points
_COSINE = np.polynomial.Chebyshev.interpolate(
    lambda z: np.cos(math.pi * np.sqrt(np.maximum(z, 0.0))), 9, domain=[0, 0.25]
).convert(kind=np.polynomial.Polynomial).coef  # fmt: skip


def unit_response(modes: Modes) -> tuple[Array, Array]:
    """Return e₀ and e₁ - e₀ of a start at 1 at rest, (n,) each, for rules of at most two slots."""
    change = np.einsum("nij,nj->ni", modes.minus_identity, modes.start)
    first = np.einsum("ni,ni->n", modes.report, modes.start)
    return first, np.einsum("ni,ni->n", modes.report, change)


@dataclass(frozen=True)
class Sums:
    """Σ w p_k(λ)² for each k.

    Attributes
    ----------
    sums
        Shape (K,).
    sizes
        The same with |w|, (K,): the scale of rounding.
    unsure
        The part of that from directions past their time, and what was left out, (K,).
    """

    sums: Array
    sizes: Array
    unsure: Array


def sum_of_squares(
    modes: Modes, weights: Array, steps: Array, lasting: Array | None = None
) -> Sums:
    """Return Σ w p_k(λ)² for each k.

    Parameters
    ----------
    modes
        Directions of a rule with one or two slots, (n,).
    weights
        w, shape (n,), of any sign.
    steps
        k, shape (K,).
    lasting
        Numbers of steps, (n,): directions are `unsure` from then on, and left out (which is counted
        as unsure too) once they have died out next to the slowest. Without it, all count.
    """
    k = np.asarray(steps, dtype=float)
    by_size = np.argsort(k, kind="stable")
    logs = log_rates(modes)
    slowest = float(np.max(logs[weights != 0], initial=-np.inf))
    goal = np.inf if lasting is None else LEFT
    lasting = np.full(len(logs), np.inf) if lasting is None else lasting
    total = np.zeros((len(k), 3))
    for kind, formula in _kinds(modes):
        chosen = np.flatnonzero(kind & (weights != 0))
        order = chosen[np.argsort(-logs[chosen], kind="stable")]
        if order.size:
            some = modes.take(order)
            parts = weights[order], lasting[order], k[by_size]
            found = _in_tiles(formula(some, logs[order]), logs[order], slowest, goal, *parts)
            total[by_size] += found
    with np.errstate(all="ignore"):
        left = np.abs(weights).sum() * np.exp(np.minimum(2 * k * slowest - goal, 0.0))
    return Sums(total[:, 0], total[:, 1], total[:, 2] + np.where(k > 0, left, 0.0))


Formula = Callable[[slice, Array], Array]


def _in_tiles(
    formula: Formula,
    logs: Array,
    slowest: float,
    goal: float,
    weights: Array,
    lasting: Array,
    k: Array,
) -> Array:
    """Add up for directions from slow to fast and ascending k, (K, 3)."""
    total = np.zeros((len(k), 3))
    rows = max(_ROWS, _TILE // len(weights))
    blocks = list(_blocks(k, np.inf if np.isinf(goal) else 2.0, rows))
    wide = _TILE // rows
    from_ = np.array([k[begin] for begin, _ in blocks])
    with np.errstate(all="ignore"):  # at k = 0 even a factor of 0 is alive
        limits = np.maximum(-UNDERFLOW / from_, slowest - goal / from_)
    limits = np.where(from_ > 0, limits, -np.inf)
    alive = np.searchsorted(-logs, -limits, side="right")
    with np.errstate(all="ignore"):
        for left in range(0, int(alive.max(initial=0)), wide):
            part = slice(left, left + wide)
            columns = np.stack([weights[part], np.abs(weights[part]), weights[part]], axis=-1)
            for (begin, end), most in zip(blocks, alive, strict=True):
                if most <= left:
                    break
                columns[:, 2] = np.where(lasting[part] < k[end - 1], columns[:, 1], 0.0)
                total[begin:end] += formula(part, k[begin:end]) @ columns
    return total


def _blocks(k: Array, factor: float, rows: int) -> Iterator[tuple[int, int]]:
    """Cut ascending k into runs within a factor and not longer than so many rows."""
    begin = 0
    while begin < len(k):
        end = int(np.searchsorted(k, factor * max(k[begin], 1.0), side="right"))
        end = min(end, begin + rows)
        yield begin, end
        begin = end


# -- p_k(λ)² of directions of one kind -------------------------------------------------------------


def _kinds(modes: Modes) -> list[tuple[npt.NDArray[np.bool_], Callable[[Modes, Array], Formula]]]:
    if modes.slots == 1:
        return [(np.ones(len(modes.eigenvalues), dtype=bool), _powers)]
    turning = modes.discriminant < 0
    angle = np.zeros(len(turning))
    angle[turning] = angle_of(modes.take(np.flatnonzero(turning)))
    clear = angle > _CLEAR
    return [(clear, _oscillations), (turning & ~clear, _any), (~turning, _any)]


def _powers(modes: Modes, logs: Array) -> Formula:
    """One slot: f^2k."""
    square = unit_response(modes)[0] ** 2
    plain = bool((square == 1).all())

    def formula(part: slice, k: Array) -> Array:
        exponents = np.multiply.outer(2 * k, logs[part])
        if k[0] == 0:
            exponents[k == 0] = 0.0  # also where the factor is 0
        np.exp(exponents, out=exponents)
        return exponents if plain else exponents * square[part]

    return formula


def _oscillations(modes: Modes, logs: Array) -> Formula:
    """Complex roots r exp(±iφ) apart from each other: (A r^k cos(kφ - δ))²."""
    first, change = unit_response(modes)
    step = np.where(is_flipped(modes), -change - 2 * first, change)
    angle = angle_of(modes)
    leaning = (modes.slack - np.expm1(modes.log_determinant)) / 2  # 1 - |t|/2
    quadrature = (leaning * first + step) / (np.sqrt(modes.determinant) * np.sin(angle))
    phase, square = np.arctan2(quadrature, first) / math.pi, first**2 + quadrature**2
    turns = angle / math.pi

    def formula(part: slice, k: Array) -> Array:
        turned = _squared_cosine(np.multiply.outer(k, turns[part]) - phase[part])
        exponents = np.multiply.outer(2 * k, logs[part])
        np.exp(exponents, out=exponents)
        exponents *= square[part]
        turned *= exponents
        return turned

    return formula


def _squared_cosine(turns: Array) -> Array:
    """Return cos²(π x), x overwritten, to 4e-15: several times faster than np.cos of large x."""
    turns -= np.rint(turns)
    turns *= turns
    cosine = np.full_like(turns, _COSINE[-1])
    for coefficient in _COSINE[-2::-1]:
        cosine *= turns
        cosine += coefficient
    cosine *= cosine
    return cosine


def _any(modes: Modes, _: Array) -> Formula:
    first, change = unit_response(modes)

    def formula(part: slice, k: Array) -> Array:
        values = propagate(modes.take(part), first[part], change[part], k)
        values *= values
        return values

    return formula
