"""The error along eigendirections after k steps, for any k, without looping over steps.

`propagate` continues the sequence e₀, e₁ of a direction; `displacement` sums it, which gives
theta_k - theta_0 without ever mentioning the minimiser (so that λ = 0, tiny λ and a b outside the
range of A are ordinary cases).

A direction has one formula for all k, so real and complex roots are treated as groups of columns,
and entries that have decayed below the smallest float are not computed at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.modes import Modes

__all__ = ["angle_of", "decaying_sum", "displacement", "is_flipped", "powers", "propagate"]

Array = npt.NDArray[np.float64]

_DEAD = -746.0  # exp of this is 0 in float64
_ROWS = 32  # rows of a curve computed at once: they stay in cache
_TILE = 16_384  # entries computed at once: larger temporaries are page-faulted afresh each time


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
    return _in_tiles(_propagate, modes, first, change, steps)


def _in_tiles(
    formula: Callable[[Modes, Array, Array, Array], Array],
    modes: Modes,
    first: Array,
    change: Array,
    steps: Array,
) -> Array:
    """Evaluate a formula of shape (K, n) in pieces that stay in cache."""
    k, size = np.asarray(steps, dtype=float), len(first)
    if len(k) * size <= 2 * _TILE:
        return formula(modes, first, change, k[:, None])
    result = np.empty((len(k), size))
    rows = min(len(k), max(64, _TILE // size))
    columns = max(1, _TILE // rows)
    for left in range(0, size, columns):
        part = slice(left, left + columns)
        some = modes.take(part)
        for down in (slice(top, top + rows) for top in range(0, len(k), rows)):
            result[down, part] = formula(some, first[part], change[part], k[down, None])
    return result


def _propagate(modes: Modes, first: Array, change: Array, k: Array) -> Array:
    with np.errstate(all="ignore"):
        if modes.slots == 1:
            result = first * _power(modes, k)
        else:
            flipped = is_flipped(modes)
            # Along -t the sequence (-1)^k e_k has trace |t|; its first change is -e1 - e0.
            step = np.where(flipped, -change - 2 * first, change)
            v, u = _pair(modes, k)
            result = _alternating(v * first + u * step, k, flipped)
            # A growing root that is not excited must not come in as 0 · ∞ (flat, at rest).
            still = (change == 0) & (modes.at_one == 0)
            result[:, still] = first[still]
    return _without_nan(result)


def displacement(modes: Modes, first: Array, change: Array, steps: Array) -> Array:
    """Return e₀ + ... + e_{k-1}, shape (K, n); arguments as for `propagate`.

    With e the displacement per step, this is the total displacement after k steps.
    """
    return _in_tiles(_displacement, modes, first, change, steps)


def _displacement(modes: Modes, first: Array, change: Array, k: Array) -> Array:
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
#
# With roots r and q of z² - tz + d: u_k = (r^k - q^k)/(r - q) continues (0, 1), and
# v_k = r^k + (1 - r) u_k continues (1, 1), for either root. Taking the one nearer to 1 keeps v from
# cancelling. Directions with t < 0 are followed as (-1)^k e_k, which has -t, except those whose
# second root is positive.


@dataclass(frozen=True)
class _Columns:
    """The numbers of a group of directions that the formulas below need."""

    trace: Array  # |t|
    d: Array
    discriminant: Array
    log_d: Array
    slack: Array  # (1 - r)(1 - q)
    total: Array  # (1 - r) + (1 - q)
    big: Array  # the larger |root|
    log_big: Array
    near: Array  # the real root nearer to 1
    near_w: Array  # 1 - near
    far_w: Array  # 1 - the other


def _columns(modes: Modes, chosen: npt.NDArray[np.bool_]) -> _Columns:
    d, log_d = modes.determinant[chosen], modes.log_determinant[chosen]
    big, w = np.abs(modes.roots[chosen, 0]), modes.one_minus_rate[chosen]
    crossed = _is_crossed(modes)[chosen]
    slack = np.where(crossed, modes.at_one[chosen], modes.slack[chosen])
    lead_w = np.where(crossed, 1 + big, w)  # of the larger root, in the sign that is followed
    other = np.where(big > 0, np.abs(d) / np.where(big > 0, big, 1.0), 0.0)
    total = slack + np.where(d > 0, -np.expm1(log_d), 1 - d)
    second = crossed | ((w < 0) & (np.abs(slack) < w * w))  # the other root is nearer to 1
    with np.errstate(all="ignore"):
        near_w = np.where(second, slack / lead_w, w)
    return _Columns(
        trace=np.abs(modes.trace[chosen]),
        d=d,
        discriminant=modes.discriminant[chosen],
        log_d=log_d,
        slack=slack,
        total=total,
        big=big,
        log_big=log_rates(modes)[chosen],
        near=np.where(second, np.where(crossed | (d >= 0), other, -other), big),
        near_w=near_w,
        far_w=np.where(second, lead_w, total - w),
    )


def _is_crossed(modes: Modes) -> npt.NDArray[np.bool_]:
    """Tell where the larger root is negative and the other positive."""
    return np.asarray((modes.trace < 0) & (modes.determinant < 0))


def is_flipped(modes: Modes) -> npt.NDArray[np.bool_]:
    """Tell which directions are followed as (-1)^k e_k."""
    return np.asarray((modes.trace < 0) & (modes.determinant >= 0))


def _alternating(values: Array, k: Array, chosen: npt.NDArray[np.bool_]) -> Array:
    """Change the sign of chosen columns in odd rows."""
    if chosen.any():
        values[np.ix_(np.flatnonzero(k[:, 0] % 2 == 1), chosen)] *= -1
    return values


def _pair(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return (v_k, u_k), of (-1)^k e_k where the direction is flipped."""
    real, crossed = modes.discriminant >= 0, _is_crossed(modes)
    if not real.any():
        return _complex_pair(_columns(modes, ~real), k)
    v, u = np.zeros((len(k), len(real))), np.zeros((len(k), len(real)))
    if real.any():
        c = _columns(modes, real)
        part = _divided_power(c, k)
        if crossed.any():  # u_k of -t is (-1)^{k-1} that of t
            part = _alternating(part, k + 1, crossed[real])
        u[:, real] = part
        v[:, real] = _near_power(c, k) + c.near_w * part
    if not real.all():
        v[:, ~real], u[:, ~real] = _complex_pair(_columns(modes, ~real), k)
    return v, u


def _near_power(c: _Columns, k: Array) -> Array:
    """Return near^k."""
    power = np.exp(_times(k, _near_log(c)))
    return _alternating(power, k, c.near < 0)


def _near_log(c: _Columns) -> Array:
    close = np.abs(c.near_w) < 0.5
    return np.where(close, np.log1p(-np.where(close, c.near_w, 0.0)), np.log(np.abs(c.near)))


def _complex_pair(c: _Columns, k: Array, *, rest: bool = False) -> tuple[Array, Array]:
    """Return v (or 1 - v, the rest) and u for roots of modulus √d and angle φ.

    The angle comes from the discriminant, and everything from it, without cancellation.
    """
    root_d, angle = np.sqrt(np.abs(c.d)), _angle(c.trace, c.d, c.discriminant)
    exponent = _times(k, c.log_d / 2)
    dead = exponent <= _DEAD
    if some_dead := bool(dead.any()):
        exponent[dead] = _DEAD  # exp of anything lower is slow, and as good as 0
    turned, sine = k * angle, np.sin(angle)
    whole = sine > 0
    ratio = np.sin(turned) / np.where(whole, sine, 1.0)
    ratio = ratio if whole.all() else np.where(whole, ratio, k)
    decay, cosine = np.exp(exponent), np.cos(turned)
    u = decay * (ratio / root_d)
    leaning = (c.total / 2) * u  # 1 - t/2 = ((1 - r) + (1 - q))/2
    if rest:
        v = 2 * np.sin(turned / 2) ** 2 - np.expm1(exponent) * cosine - leaning
    else:
        v = decay * cosine + leaning
    if some_dead:
        u[dead], v[dead] = 0.0, float(rest)
    return v, u


def angle_of(modes: Modes) -> Array:
    """Return φ in [0, π/2] of complex roots ±r exp(±iφ), (n,), also where they nearly meet."""
    return _angle(np.abs(modes.trace), modes.determinant, modes.discriminant)


def _angle(trace: Array, d: Array, discriminant: Array) -> Array:
    root_d = np.sqrt(np.abs(d))
    gap = -discriminant / ((trace + 2 * root_d) * 2 * root_d)
    return np.asarray(2 * np.arcsin(np.sqrt(np.clip(gap, 0.0, 1.0) / 2)))


def _divided_power(c: _Columns, k: Array) -> Array:
    """Return (r^k - q^k)/(r - q) for real roots r ≥ |q|, stable when they meet."""
    spread = np.sqrt(np.maximum(c.discriminant, 0.0))
    result = np.zeros((len(k), len(c.d)))
    same = c.d > 0  # roots of one sign: q/r = exp(-2η), η = asinh(√disc / 2√d)
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
    """Return U_k = u_0 + ... + u_{k-1} and V_k = v_0 + ... + v_{k-1}, with the true signs.

    From v_j = u_j - d u_{j-1} follows V_k = 1 + u_{k-1} + (1 - d) U_{k-1} for k ≥ 1, where nothing
    cancels: the difference of two large U would lose half the digits of a slow direction.
    """
    flipped = is_flipped(modes)
    before = _alternating(_pair(modes, np.maximum(k - 1, 0.0))[1], k, flipped)
    total = np.zeros(before.shape)
    if not flipped.all():
        total[:, ~flipped] = _sum_of_u(modes.take(np.flatnonzero(~flipped)), k)
    d = modes.determinant
    if flipped.any():  # (1 - t + d) U = 1 - (u_k - d u_{k-1}), where 1 - t + d ≥ 1
        last = _alternating(_pair(modes, k)[1], k + 1, flipped)
        all_sums = (1 - last + d * before) / (1 - modes.trace + d)
        total[:, flipped] = all_sums[:, flipped]
    total[k[:, 0] <= 0] = 0.0
    rest = np.where(d > 0, -np.expm1(modes.log_determinant), 1 - d)
    return total, np.where(k >= 1, 1 + before + rest * (total - before), 0.0)


def _sum_of_u(modes: Modes, k: Array) -> Array:
    """Return U_k, the divided difference of x^k at 1, r and q."""
    real = modes.discriminant >= 0
    total = np.zeros((len(k), len(real)))
    if real.any():
        # (the same at 1 and the near root, minus u_k) / (1 - the far root)
        c = _columns(modes, real)
        one = np.where(c.near_w == 0, 1.0, c.near_w)
        growth = np.where(c.near > 0, -np.expm1(_times(k, _near_log(c))), 1 - _near_power(c, k))
        _, u = _pair(modes.take(np.flatnonzero(real)), k)
        total[:, real] = (np.where(c.near_w == 0, k, growth / one) - u) / c.far_w
    if not real.all():
        c = _columns(modes, ~real)
        total[:, ~real] = _complex_pair(c, k, rest=True)[0] / c.slack
    everything = _columns(modes, np.ones(len(real), dtype=bool))
    size = np.maximum(np.abs(everything.total), np.sqrt(np.abs(everything.slack)))
    rows, columns = np.nonzero(k * size < 0.5)
    total[rows, columns] = _series(k[rows, 0], everything.total[columns], everything.slack[columns])
    return total


def _series(k: Array, total: Array, product: Array) -> Array:
    """Return the divided difference of x^k at 1, 1 - a and 1 - b by its Taylor series.

    For a + b and ab small against 1/k, where the closed form cancels: the terms are binomials times
    the complete symmetric polynomials h_m of a and b.
    """
    binomial = k * (k - 1) / 2
    before, last = np.zeros_like(k), np.ones_like(k)
    result = binomial * last
    for m in range(3, 17):
        binomial = -binomial * (k - m + 1) / m
        before, last = last, total * last - product * before
        result = result + binomial * last
    return result
