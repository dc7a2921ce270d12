"""The error along eigendirections after k steps, for any k, without looping over steps.

`propagate` continues the sequence e₀, e₁ of a direction; `displacement` sums it, which gives
theta_k - theta_0 without ever mentioning the minimiser (so that λ = 0, tiny λ and a b outside the
range of A are ordinary cases).

A direction has one formula for all k, so real and complex roots are treated as groups of columns,
and entries that have decayed below the smallest float are not computed at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.modes import Modes

__all__ = ["decaying_sum", "displacement", "powers", "propagate"]

Array = npt.NDArray[np.float64]

_DEAD = -746.0  # exp of this is 0 in float64
_ROWS = 32  # rows of a curve computed at once: they stay in cache


def propagate(modes: Modes, first: Array, change: Array, steps: Array) -> Array:
    """Return e_k for the given k, shape (K, n), from e₀ and e₁ - e₀.

    Parameters
    ----------
    modes
        Directions of a rule with one or two slots.
    first
        e₀ per direction, (n,).
    change
        e₁ - e₀ per direction, without cancellation, (n,).
    steps
        k, shape (K,), non-negative whole numbers (as floats, so that 1e20 is possible).
    """
    k = np.asarray(steps, dtype=float)[:, None]
    with np.errstate(all="ignore"):
        if modes.slots == 1:
            result = first * _power(modes, k)
        else:
            positive = modes.trace >= 0
            # Along -t the sequence (-1)^k e_k has positive trace; its first change is -e1 - e0.
            step = np.where(positive, change, -change - 2 * first)
            v, u = _pair(modes, k)
            result = v * first + u * step
            if not positive.all():
                odd = np.flatnonzero(k[:, 0] % 2 == 1)
                result[np.ix_(odd, ~positive)] *= -1
            # A growing root that is not excited must not come in as 0 · ∞ (flat, at rest).
            still = (change == 0) & (modes.slack == 0) & positive
            result[:, still] = first[still]
    return _without_nan(result)


def displacement(modes: Modes, first: Array, change: Array, steps: Array) -> Array:
    """Return e₀ + ... + e_{k-1}, shape (K, n); arguments as for `propagate`.

    With e the displacement per step, this is the total displacement after k steps.
    """
    k = np.asarray(steps, dtype=float)[:, None]
    with np.errstate(all="ignore"):
        if modes.slots == 1:
            result = first * _geometric_sum(modes, k)
        else:
            # The sum of e_j is U_k (e1 - e0) + V_k e0, where V_k sums what continues (1, 1).
            u_sum, v_sum = _sums(modes, k)
            result = u_sum * change + v_sum * first
            result[:, (change == 0) & (first == 0)] = 0.0  # not 0 · ∞ where a root grows unseen
    return _without_nan(result)


def decaying_sum(log_factors: Array, weights: Array, steps: Array) -> Array:
    """Return the sum over i of w_i exp(k L_i) for each k, shape (K,).

    Directions are sorted by decay, so that for a block of step counts the dead ones are a slice
    that is left out.
    """
    order = np.argsort(log_factors)[::-1]
    logs, shares = log_factors[order], weights[order]
    by_size = np.argsort(steps, kind="stable")
    k = np.asarray(steps, dtype=float)[by_size]
    sums = np.empty(len(k))
    with np.errstate(all="ignore"):
        for begin in range(0, len(k), _ROWS):
            part = k[begin : begin + _ROWS]
            alive = len(logs)
            if part[0] > 0:
                alive = int(np.searchsorted(-logs, -_DEAD / part[0], side="right"))
            exponents = np.multiply.outer(part, logs[:alive])
            if part[0] == 0:
                exponents[part == 0] = 0.0  # also where the factor is 0
            np.exp(exponents, out=exponents)
            sums[begin : begin + _ROWS] = exponents @ shares[:alive]
    result = np.empty(len(k))
    result[by_size] = sums
    return result


def powers(matrix: Array, count: int, vector: Array) -> Array:
    """Return M^count v for matrices (n, s, s) and vectors (n, s), by repeated squaring."""
    result, base = vector.copy(), matrix.copy()
    with np.errstate(all="ignore"):
        while count:
            if count & 1:
                result = np.einsum("nij,nj->ni", base, result)
            count >>= 1
            if count:
                base = base @ base
    return _without_nan(result)


def log_rates(modes: Modes) -> Array:
    """Return log of the largest |root| per direction, precise for slow directions, (n,)."""
    w = modes.one_minus_rate
    with np.errstate(all="ignore"):
        return np.where(np.abs(w) < 0.5, np.log1p(-w), np.log(np.abs(modes.roots[:, 0])))


def _without_nan(values: Array) -> Array:
    """Replace ∞ - ∞ and 0 · ∞, which only a diverging direction produces."""
    bad = np.isnan(values)
    if bad.any():
        values[bad] = np.inf
    return values


def _times(k: Array, log: Array) -> Array:
    """Return k log, which is 0 for k = 0 even where the logarithm is infinite."""
    product = k * log
    product[k[:, 0] == 0] = 0.0
    return product


# -- one slot ------------------------------------------------------------------------------------


def _power(modes: Modes, k: Array) -> Array:
    """Return f^k."""
    power = np.exp(_times(k, log_rates(modes)))
    negative = modes.trace < 0
    if negative.any():
        odd = np.flatnonzero(k[:, 0] % 2 == 1)
        power[np.ix_(odd, negative)] *= -1
    return power


def _geometric_sum(modes: Modes, k: Array) -> Array:
    """Return 1 + f + ... + f^{k-1}."""
    w, factor = modes.one_minus_rate, modes.trace
    slow = -np.expm1(_times(k, log_rates(modes))) / np.where(w == 0, 1.0, w)
    positive = np.where(w == 0, k, slow)
    if (factor >= 0).all():
        return positive
    return np.where(factor >= 0, positive, (1 - _power(modes, k)) / (1 - factor))


# -- two slots -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Columns:
    """The numbers of a group of directions that the formulas below need."""

    trace: Array  # of the positive-trace recurrence: |t|
    d: Array
    discriminant: Array
    log_d: Array
    slack: Array
    w: Array
    big: Array
    log_big: Array


def _columns(modes: Modes, chosen: npt.NDArray[np.bool_]) -> _Columns:
    return _Columns(
        trace=np.abs(modes.trace[chosen]),
        d=modes.determinant[chosen],
        discriminant=modes.discriminant[chosen],
        log_d=modes.log_determinant[chosen],
        slack=modes.slack[chosen],
        w=modes.one_minus_rate[chosen],
        big=np.abs(modes.roots[chosen, 0]),
        log_big=log_rates(modes)[chosen],
    )


def _pair(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return (v_k, u_k) for the positive-trace recurrence: continuations of (1, 1) and (0, 1)."""
    real = modes.discriminant >= 0
    v, u = np.zeros((len(k), len(real))), np.zeros((len(k), len(real)))
    if real.any():
        v[:, real], u[:, real] = _real_pair(_columns(modes, real), k)
    if not real.all():
        v[:, ~real], u[:, ~real] = _complex_pair(_columns(modes, ~real), k)
    return v, u


def _real_pair(c: _Columns, k: Array) -> tuple[Array, Array]:
    """Return v = r^k + w u and u, with r the larger root and w = 1 - r."""
    u = _divided_power(c, k)
    return np.exp(_times(k, c.log_big)) + c.w * u, u


def _complex_pair(c: _Columns, k: Array) -> tuple[Array, Array]:
    """Roots of modulus √d and angle φ, which comes from the discriminant without cancellation."""
    root_d = np.sqrt(np.abs(c.d))
    gap = -c.discriminant / ((c.trace + 2 * root_d) * 2 * root_d)
    angle = 2 * np.arcsin(np.sqrt(np.clip(gap, 0.0, 1.0) / 2))
    exponent = _times(k, c.log_d / 2)
    rows, columns = np.nonzero(exponent > _DEAD)
    decay = np.exp(exponent[rows, columns])
    turned = k[rows, 0] * angle[columns]
    u, v = np.zeros(exponent.shape), np.zeros(exponent.shape)
    sine = np.sin(angle)
    safe = np.where(sine > 0, sine, 1.0)[columns]
    ratio = np.where(sine[columns] > 0, np.sin(turned) / safe, k[rows, 0])
    part = decay / root_d[columns] * ratio
    u[rows, columns] = part
    # 1 - t/2 for the positive trace t = 1 + d - slack, with 1 - d free of cancellation
    half = (c.slack - np.expm1(c.log_d)) / 2
    v[rows, columns] = decay * np.cos(turned) + half[columns] * part
    return v, u


def _divided_power(c: _Columns, k: Array) -> Array:
    """Return u_k = (r₁^k - r₂^k)/(r₁ - r₂) for real roots r₁ ≥ |r₂|, stable when they meet."""
    spread = np.sqrt(np.maximum(c.discriminant, 0.0))
    result = np.zeros((len(k), len(c.d)))
    same = c.d > 0  # roots of one sign: r₂/r₁ = exp(-2η), η = asinh(√disc / 2√d)
    if same.any():
        eta = np.arcsinh(spread[same] / (2 * np.sqrt(c.d[same])))
        safe = np.where(eta > 0, -2 * eta, 1.0)
        ratio = np.where(eta > 0, np.expm1(k * safe) / np.expm1(safe), k)
        result[:, same] = np.exp(_times(np.maximum(k - 1, 0.0), c.log_big[same])) * ratio
    if not same.all():
        big, d = c.big[~same], c.d[~same]
        small = np.where(big > 0, d / np.where(big > 0, big, 1.0), 0.0)
        other = np.where(k % 2 == 1, np.sign(small), np.abs(np.sign(small))) * np.abs(small) ** k
        wide = spread[~same]
        apart = (big**k - other) / np.where(wide > 0, wide, 1.0)
        result[:, ~same] = np.where(wide > 0, apart, k == 1)
    result[k[:, 0] == 0] = 0.0
    return result


def _sums(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return U_k = u_0 + ... + u_{k-1} and V_k = v_0 + ... + v_{k-1} with the true signs.

    From v_j = u_j - d u_{j-1} follows V_k = 1 + u_{k-1} + (1 - d) U_{k-1} for k ≥ 1, where nothing
    cancels: the difference of two large U would lose half the digits of a slow direction.
    """
    before = _pair(modes, np.maximum(k - 1, 0.0))[1]
    negative = modes.trace < 0
    if negative.any():  # the true u_j is (-1)^{j-1} times that of the positive trace
        before[np.ix_(np.flatnonzero(k[:, 0] % 2 == 1), negative)] *= -1
    total = _sum_of_u(modes, k, before)
    d = modes.determinant
    rest = np.where(d > 0, -np.expm1(modes.log_determinant), 1 - d)
    return total, np.where(k >= 1, 1 + before + rest * (total - before), 0.0)


def _sum_of_u(modes: Modes, k: Array, before: Array) -> Array:
    """Return U_k, given the true u_{k-1}."""
    v, u = _pair(modes, k)
    total = np.zeros(u.shape)
    positive = modes.trace >= 0
    if positive.any():
        total[:, positive] = _sum_at_positive_trace(
            _columns(modes, positive), v[:, positive], u[:, positive], k
        )
    if not positive.all():
        # (1 - t + d) U = 1 - (u_k - d u_{k-1}), where the last term is d for k = 0
        d, at_unity = modes.determinant, 1 - modes.trace + modes.determinant
        tail = np.where(k >= 1, np.where(k % 2 == 1, 1.0, -1.0) * u - d * before, 1.0)
        total[:, ~positive] = ((1 - tail) / at_unity)[:, ~positive]
    total[k[:, 0] <= 0] = 0.0
    return total


def _sum_at_positive_trace(c: _Columns, v: Array, u: Array, k: Array) -> Array:
    """Return U_k = (1 - v_k)/(1 - t + d), with 1 - v_k free of cancellation."""
    real = c.discriminant >= 0
    one_minus_v = np.where(real, -np.expm1(_times(k, c.log_big)) - c.w * u, 1 - v)
    # A root at exactly 1 (λ = 0): the sum of 1 + r₂ + ... grows linearly.
    other = 1 - c.d
    at_one = np.where(other != 0, (k - u) / np.where(other != 0, other, 1.0), k * (k - 1) / 2)
    total = np.where(c.slack == 0, at_one, one_minus_v / np.where(c.slack == 0, 1.0, c.slack))
    # Where one root is nearly 1 and the other is not smaller, 1 - v_k cancels: sum by squaring.
    terms = np.where(real, np.where(c.big > 1, 1 + np.abs(c.w * u), 0.0), 1.0)
    delicate = (c.slack != 0) & (np.abs(one_minus_v) < 1e-3 * terms)
    columns = np.flatnonzero(delicate.any(axis=0))
    if columns.size:
        squared = _sum_by_squaring(c.trace[columns], c.d[columns], k)
        total[:, columns] = np.where(delicate[:, columns], squared, total[:, columns])
    return total


def _sum_by_squaring(trace: Array, determinant: Array, k: Array) -> Array:
    """Return U_k from powers of the companion matrix of (u_j, u_{j+1}, U_j), shape (K, n)."""
    base = np.zeros((len(trace), 3, 3))
    base[:, 0, 1] = base[:, 2, 0] = base[:, 2, 2] = 1.0
    base[:, 1, 0], base[:, 1, 1] = -determinant, trace
    state = np.zeros((len(k), len(trace), 3))
    state[:, :, 1] = 1.0
    left = k.copy()
    while np.any(left > 0):
        odd = (left % 2 == 1)[:, :, None]
        state = np.where(odd, np.einsum("nij,knj->kni", base, state), state)
        left = np.floor(left / 2)
        base = base @ base
    return state[:, :, 2]
