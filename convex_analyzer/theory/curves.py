"""The error along eigendirections after k steps, for any k, without looping over steps.

`propagate` continues the sequence e₀, e₁ of a direction; `displacement` sums it, which gives
theta_k - theta_0 without ever mentioning the minimiser (so that λ = 0, tiny λ and a b outside the
range of A are ordinary cases).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.modes import Modes

__all__ = ["displacement", "powers", "propagate"]

Array = npt.NDArray[np.float64]


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
            power, _ = _one_slot(modes, k)
            return first * power
        sign = _sign(modes)
        flip = np.where((sign < 0) & (k % 2 == 1), -1.0, 1.0)
        # Along -t the sequence (-1)^k e_k has positive trace; its first change is -e1 - e0.
        step = np.where(sign > 0, change, -change - 2 * first)
        v, u = _pair(modes, k)
        result = v * first + u * step
    return np.where(np.isnan(result), np.inf, flip * result)


def displacement(modes: Modes, first: Array, change: Array, steps: Array) -> Array:
    """Return e₀ + ... + e_{k-1}, shape (K, n); arguments as for `propagate`.

    With e the displacement per step, this is the total displacement after k steps.
    """
    k = np.asarray(steps, dtype=float)[:, None]
    with np.errstate(all="ignore"):
        if modes.slots == 1:
            _, sums = _one_slot(modes, k)
            return first * sums
        # Sum of e_j = U_k (e1 - e0) + (sum of v_j) e0, where v_j continues (1, 1).
        u_sum, v_sum = _sums(modes, k)
        result = u_sum * change + v_sum * first
    return np.where(np.isnan(result), np.inf, result)


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
    return np.where(np.isnan(result), np.inf, result)


def _sign(modes: Modes) -> Array:
    return np.where(modes.trace < 0, -1.0, 1.0)


def _one_slot(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return f^k and 1 + f + ... + f^{k-1}."""
    w, factor = modes.one_minus_rate, modes.trace
    log = np.where(np.abs(w) < 0.5, np.log1p(-w), np.log(np.abs(factor)))
    exponent = np.where(k == 0, 0.0, k * log)
    flip = np.where((factor < 0) & (k % 2 == 1), -1.0, 1.0)
    power = flip * np.exp(exponent)
    positive = np.where(w == 0, k, -np.expm1(exponent) / np.where(w == 0, 1.0, w))
    return power, np.where(factor >= 0, positive, (1 - power) / (1 - factor))


def _pair(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return (v_k, u_k) for the positive-trace recurrence: continuations of (1, 1) and (0, 1)."""
    size = np.abs(modes.trace) / 2
    d, disc, w = modes.determinant, modes.discriminant, modes.one_minus_rate
    real = disc >= 0
    # Real roots: v = r^k + w u, with r the larger root and w = 1 - r.
    big = np.where(real, np.abs(modes.roots[:, 0].real), 1.0)
    log_big = np.where(np.abs(w) < 0.5, np.log1p(-w), np.log(big))
    power = np.exp(np.where(k == 0, 0.0, k * log_big))
    u_real = _divided_power(modes, k, big, log_big)
    # Complex roots of modulus √d and angle φ.
    root_d = np.sqrt(np.abs(d))
    gap = -disc / ((size * 2 + 2 * root_d) * 2 * np.where(root_d > 0, root_d, 1.0))
    angle = 2 * np.arcsin(np.sqrt(np.clip(gap, 0.0, 1.0) / 2))
    sine = np.sin(angle)
    decay = np.exp(np.where(k == 0, 0.0, k * modes.log_determinant / 2))
    ratio = np.where(sine > 0, np.sin(k * angle) / np.where(sine > 0, sine, 1.0), k)
    u_complex = decay / np.where(root_d > 0, root_d, 1.0) * ratio
    half = (modes.slack + 1 - d) / 2  # 1 - t/2 for the positive trace t = 1 + d - slack
    v_complex = decay * np.cos(k * angle) + half * u_complex
    u = np.where(real, u_real, u_complex)
    return np.where(real, power + w * u_real, v_complex), u


def _divided_power(modes: Modes, k: Array, big: Array, log_big: Array) -> Array:
    """Return u_k = (r₁^k - r₂^k)/(r₁ - r₂) for real roots r₁ ≥ |r₂|, stable when they meet."""
    d, disc = modes.determinant, np.maximum(modes.discriminant, 0.0)
    spread = np.sqrt(disc)
    before = np.exp(np.where(k <= 1, 0.0, (k - 1) * log_big))
    # η = arcosh(t / 2√d) = asinh(√disc / 2√d): r₂/r₁ = exp(-2η).
    root_d = np.sqrt(np.where(d > 0, d, 1.0))
    eta = np.arcsinh(spread / (2 * root_d))
    safe = np.where(eta > 0, -2 * eta, 1.0)
    close = np.where(eta > 0, np.expm1(k * safe) / np.expm1(safe), k)
    small = np.where(big > 0, d / np.where(big > 0, big, 1.0), 0.0)
    other = np.sign(small) ** (k % 2) * np.abs(small) ** k
    apart = (big**k - other) / np.where(spread > 0, spread, 1.0)
    far = np.where(spread > 0, apart, np.where(k == 1, 1.0, 0.0))
    return np.where(k == 0, 0.0, np.where(d > 0, before * close, far))


def _sums(modes: Modes, k: Array) -> tuple[Array, Array]:
    """Return U_k = u_0 + ... + u_{k-1} and V_k = v_0 + ... + v_{k-1} with the true signs.

    From v_j = u_j - d u_{j-1} follows V_k = 1 + U_k - d U_{k-1} for k ≥ 1.
    """
    at_k, before = _sum_of_u(modes, k), _sum_of_u(modes, np.maximum(k - 1, 0.0))
    return at_k, np.where(k >= 1, 1 + at_k - modes.determinant * before, 0.0)


def _sum_of_u(modes: Modes, k: Array) -> Array:
    sign = _sign(modes)
    v, u = _pair(modes, k)
    w, slack = modes.one_minus_rate, modes.slack
    real = modes.discriminant >= 0
    big = np.where(real, np.abs(modes.roots[:, 0].real), 1.0)
    log_big = np.where(np.abs(w) < 0.5, np.log1p(-w), np.log(big))
    one_minus_v = np.where(real, -np.expm1(np.where(k == 0, 0.0, k * log_big)) - w * u, 1 - v)
    # A root at exactly 1 (λ = 0): the sum of 1 + r₂ + ... grows linearly.
    other = 1 - modes.determinant
    at_one = np.where(other != 0, (k - u) / np.where(other != 0, other, 1.0), k * (k - 1) / 2)
    positive = np.where(slack == 0, at_one, one_minus_v / np.where(slack == 0, 1.0, slack))
    # Negative trace: u_j carries (-1)^{j-1}; (1 - t + d) U = 1 - (u_k - d u_{k-1}).
    _, u_before = _pair(modes, np.maximum(k - 1, 0.0))
    odd = np.where(k % 2 == 1, 1.0, -1.0)
    signed, signed_before = odd * u, -odd * u_before
    at_unity = 1 - modes.trace + modes.determinant
    tail = np.where(k >= 1, signed - modes.determinant * signed_before, 1.0)
    negative = (1 - tail) / np.where(at_unity != 0, at_unity, 1.0)
    total = np.where(k <= 0, 0.0, np.where(sign > 0, positive, negative))
    # Where one root is nearly 1 and the other is not smaller, 1 - v_k cancels: sum by squaring.
    terms = np.where(real, np.where(big > 1, 1 + np.abs(w * u), 0.0), 1.0)
    delicate = (sign > 0) & (slack != 0) & (np.abs(one_minus_v) < 1e-3 * terms)
    columns = np.flatnonzero(delicate.any(axis=0))
    if columns.size:
        squared = _sum_by_squaring(modes.trace[columns], modes.determinant[columns], k)
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
