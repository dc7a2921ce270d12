"""The pair of roots of a two-slot rule: its powers, and the sums of them.

With roots r and q of z² - tz + d: u_k = (r^k - q^k)/(r - q) continues (0, 1), and
v_k = r^k + (1 - r) u_k continues (1, 1), for either root. Taking the one nearer to 1 keeps v from
cancelling. Directions with t < 0 are followed as (-1)^k e_k, which has -t, except those whose
second root is positive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.modes import Modes

__all__ = ["alternating", "angle_of", "is_flipped", "log_rates", "pair", "pair_sums", "times"]

Array = npt.NDArray[np.float64]

_DEAD = -746.0  # exp of this is 0 in float64


def log_rates(modes: Modes) -> Array:
    """Return log of the largest |root| per direction, precise for slow directions, (n,)."""
    w = modes.one_minus_rate
    with np.errstate(all="ignore"):
        return np.where(np.abs(w) < 0.5, np.log1p(-w), np.log(np.abs(modes.roots[:, 0])))


def times(k: Array, log: Array) -> Array:
    """Return k log, which is 0 for k = 0 even where the logarithm is infinite."""
    product = k * log
    product[k[:, 0] == 0] = 0.0
    return product


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
    crossed: npt.NDArray[np.bool_]  # where the larger root is negative and the other positive


def _columns(modes: Modes, chosen: npt.NDArray[np.bool_] | slice) -> _Columns:
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
        crossed=crossed,
    )


def _is_crossed(modes: Modes) -> npt.NDArray[np.bool_]:
    """Tell where the larger root is negative and the other positive."""
    return np.asarray((modes.trace < 0) & (modes.determinant < 0))


def is_flipped(modes: Modes) -> npt.NDArray[np.bool_]:
    """Tell which directions are followed as (-1)^k e_k."""
    return np.asarray((modes.trace < 0) & (modes.determinant >= 0))


def alternating(values: Array, k: Array, chosen: npt.NDArray[np.bool_]) -> Array:
    """Change the sign of chosen columns in odd rows."""
    if chosen.any():
        values[np.ix_(np.flatnonzero(k[:, 0] % 2 == 1), chosen)] *= -1
    return values


def pair(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return (v_k, u_k), of (-1)^k e_k where the direction is flipped."""
    real, crossed = modes.discriminant >= 0, _is_crossed(modes)
    if not real.any():
        return _complex_pair(_columns(modes, ~real), k)
    v, u = np.zeros((len(k), len(real))), np.zeros((len(k), len(real)))
    if real.any():
        c = _columns(modes, real)
        part = _divided_power(c, k)
        if crossed.any():  # u_k of -t is (-1)^{k-1} that of t
            part = alternating(part, k + 1, crossed[real])
        u[:, real] = part
        v[:, real] = _near_power(c, k) + c.near_w * part
    if not real.all():
        v[:, ~real], u[:, ~real] = _complex_pair(_columns(modes, ~real), k)
    return v, u


def _near_power(c: _Columns, k: Array) -> Array:
    """Return near^k."""
    power = np.exp(times(k, _near_log(c)))
    return alternating(power, k, c.near < 0)


def _near_log(c: _Columns) -> Array:
    close = np.abs(c.near_w) < 0.5
    return np.where(close, np.log1p(-np.where(close, c.near_w, 0.0)), np.log(np.abs(c.near)))


def _complex_pair(c: _Columns, k: Array, *, rest: bool = False) -> tuple[Array, Array]:
    """Return v (or 1 - v, the rest) and u for roots of modulus √d and angle φ.

    The angle comes from the discriminant, and everything from it, without cancellation.
    """
    root_d, angle = np.sqrt(np.abs(c.d)), _angle(c.trace, c.d, c.discriminant)
    exponent = times(k, c.log_d / 2)
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
        result[:, same] = np.exp(times(np.maximum(k - 1, 0.0), c.log_big[same])) * ratio
    if not same.all():
        big, d = c.big[~same], c.d[~same]
        small = np.where(big > 0, d / np.where(big > 0, big, 1.0), 0.0)
        other = np.where(k % 2 == 1, np.sign(small), np.abs(np.sign(small))) * np.abs(small) ** k
        wide = spread[~same]
        apart = (big**k - other) / np.where(wide > 0, wide, 1.0)
        result[:, ~same] = np.where(wide > 0, apart, k == 1)
    result[k[:, 0] == 0] = 0.0
    return result


def pair_sums(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return U_k = u_0 + ... + u_{k-1} and V_k = v_0 + ... + v_{k-1}, with the true signs.

    From v_j = u_j - d u_{j-1} follows V_k = 1 + u_{k-1} + (1 - d) U_{k-1} for k ≥ 1, where nothing
    cancels: the difference of two large U would lose half the digits of a slow direction.
    """
    flipped, d = is_flipped(modes), modes.determinant
    if not flipped.any():
        total, before = _sum_of_u(modes, k)
    else:  # (1 - t + d) U = 1 - (u_k - d u_{k-1}), where 1 - t + d ≥ 1
        before = alternating(pair(modes, np.maximum(k - 1, 0.0))[1], k, flipped)
        last = alternating(pair(modes, k)[1], k + 1, flipped)
        total = (1 - last + d * before) / (1 - modes.trace + d)
        if not flipped.all():
            total[:, ~flipped] = _sum_of_u(modes.take(np.flatnonzero(~flipped)), k)[0]
    total[k[:, 0] <= 0] = 0.0
    rest = np.where(d > 0, -np.expm1(modes.log_determinant), 1 - d)
    both = total - before
    both *= rest
    both += before
    both += 1
    both[k[:, 0] < 1] = 0.0
    return total, both


def _sum_of_u(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return U_k, the divided difference of x^k at 1, r and q, and u_{k-1}; nothing is flipped."""
    real = modes.discriminant >= 0
    if not real.any():
        return _complex_sums(_columns(modes, slice(None)), k)
    if real.all():
        return _real_sums(_columns(modes, slice(None)), k)
    total, before = np.empty((len(k), len(real))), np.empty((len(k), len(real)))
    total[:, real], before[:, real] = _real_sums(_columns(modes, real), k)
    total[:, ~real], before[:, ~real] = _complex_sums(_columns(modes, ~real), k)
    return total, before


def _real_sums(c: _Columns, k: Array) -> tuple[Array, Array]:
    """Return U_k and u_{k-1} of real roots."""
    u, before = _divided_power(c, k), _divided_power(c, np.maximum(k - 1, 0.0))
    if c.crossed.any():  # u_k of -t is (-1)^{k-1} that of t
        u, before = alternating(u, k + 1, c.crossed), alternating(before, k, c.crossed)
    # (the same at 1 and the near root, minus u_k) / (1 - the far root)
    one = np.where(c.near_w == 0, 1.0, c.near_w)
    growth = np.where(c.near > 0, -np.expm1(times(k, _near_log(c))), 1 - _near_power(c, k))
    total = (np.where(c.near_w == 0, k, growth / one) - u) / c.far_w
    return _with_series(total, c, k), before


def _complex_sums(c: _Columns, k: Array) -> tuple[Array, Array]:
    """Return U_k and u_{k-1} of complex roots, from one sine and one cosine of kφ/2.

    With x = kφ and E = r^k - 1: u_k = (1 + E) sin x / (r sin φ), U_k = (1 - v_k) / slack with
    1 - v_k = (1 - cos x) - E cos x - (1 - t/2) u_k, and sin(x - φ) = sin x cos φ - cos x sin φ.
    """
    angle = _angle(c.trace, c.d, c.discriminant)
    sine = np.sin(angle)
    if not (sine > 0).all():  # so nearly a double root that its angle is 0
        before = _complex_pair(c, np.maximum(k - 1, 0.0))[1]
        return _with_series(_complex_pair(c, k, rest=True)[0] / c.slack, c, k), before
    half = k * (angle / 2)
    turned, lag = np.cos(half), np.sin(half, out=half)
    turned *= lag
    turned *= 2  # sin x
    lag *= lag
    lag *= 2  # 1 - cos x
    shrink = np.expm1(times(k, c.log_d / 2))
    cosine = 1 - lag
    decay = 1 + shrink
    before = turned * (np.cos(angle) / sine)
    before -= cosine
    before *= decay
    before /= c.d
    cosine *= shrink
    lag -= cosine
    turned *= decay
    turned *= (c.total / 2) / (np.sqrt(c.d) * sine)
    lag -= turned
    lag /= c.slack
    return _with_series(lag, c, k), before


def _with_series(total: Array, c: _Columns, k: Array) -> Array:
    """Put in the Taylor series where the closed form of U_k cancels."""
    size = np.maximum(np.abs(c.total), np.sqrt(np.abs(c.slack)))
    small = size.min(initial=np.inf)
    few = np.flatnonzero((k[:, 0] > 0) & (k[:, 0] * small < 0.5))  # at 0 the sum is 0
    if few.size:
        places, columns = np.nonzero(k[few] * size < 0.5)
        rows = few[places]
        total[rows, columns] = _series(k[rows, 0], c.total[columns], c.slack[columns])
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
