"""Growth before decay: norms of the powers of M, and what a run conserves.

M is not symmetric, so that ‖Mᵏ‖ may rise far above 1 although every root is inside the circle. The
norm depends on coordinates; here they are the last positions (x_k, x_{k-1}, ...), whatever the
slots of the rule hold. From rest less of it is reached: Polyak's pair reaches √κ/e.

Two consecutive positions carry a quadratic form that shrinks by exactly d in every step. A run that
violates it was not made by this rule on this problem: a test of a simulation that needs no second
simulation.

Source: for the norms the theorem of Cayley and Hamilton; for the form, det(x_{k+1}, x_k; x_k,
x_{k-1}) of a linear recurrence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count, format_number
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.curves import propagate
from convex_analyzer.theory.modes import Modes, modes
from convex_analyzer.theory.pairs import log_rates
from convex_analyzer.theory.stability import characteristic_polynomial
from convex_analyzer.theory.transients import Peak

__all__ = ["Growth", "energies", "energy_defect", "power_norms", "worst_growth"]

Array = npt.NDArray[np.float64]

_DIRECTIONS = 129  # as many stand for all


@dataclass(frozen=True, eq=False)
class Growth(Result):
    """The most that a state can grow before it decays; made by `worst_growth`.

    Attributes
    ----------
    any_start
        max ‖Mᵏ‖₂ over k and the spectrum, in the coordinates (x_k, x_{k-1}, ...): the worst
        position and velocity.
    from_rest
        The same from rest, max |x_k/x₀|.
    """

    schema: ClassVar[str] = "convex_analyzer.growth/1"
    kind: ClassVar[str] = "numerical"

    any_start: Peak
    from_rest: Peak

    @property
    def words(self) -> str:
        """One sentence or two."""
        if self.any_start.grows:
            return "It diverges: powers of M grow without end."
        if self.any_start.size <= 1 + 1e-12:
            return "No state ever grows."
        return (
            f"From the worst positions (x₀, x₋₁) the state grows "
            f"×{format_number(self.any_start.size, 4)} by step "
            f"{format_count(self.any_start.step)} before it decays; from rest the error reaches "
            f"×{format_number(self.from_rest.size, 4)}, and the loss the square of that."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, the kind included."""
        return {**super().to_dict(), "kind": self.kind}

    def summary(self) -> Table:
        """Return both peaks as a table."""
        rows = tuple(
            (name, format_number(one.size), format_count(one.step), format_number(one.eigenvalue))
            for name, one in (("any state", self.any_start), ("from rest", self.from_rest))
        )
        columns = ("start", "largest growth", "at step", "along λ")
        notes = (self.words, f"Kind: {self.kind}.")
        return Table(columns, rows, title="growth before decay", notes=notes)


def worst_growth(analysis: Analysis) -> Growth:
    """Return the largest ‖Mᵏ‖₂ over steps and spectrum, and the largest growth from rest.

    Parameters
    ----------
    analysis
        A linear rule.

    Raises
    ------
    NotDerivableError
        The rule is not linear, or changes with the step index.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> growth = worst_growth(analyze(Spectrum.between(1.0, 1e4), HeavyBall))
    >>> round(growth.any_start.size, 2), growth.any_start.step
    (36.8, 50)
    >>> round(growth.from_rest.size, 2), growth.from_rest.step
    (36.79, 49)
    """
    if analysis.scope != "global":
        raise NotDerivableError(
            f"{type(analysis.optimizer).__name__} has no single map that holds everywhere, so its "
            "powers have no norm to speak of"
        )
    rest = analysis.transient_peak
    m = analysis.modes
    active = np.flatnonzero(m.eigenvalues != 0)
    if not active.size:
        return Growth(Peak(1.0, 0, float(m.eigenvalues[0])), rest)
    worst = int(active[np.argmin(m.one_minus_rate[active])])
    if m.one_minus_rate[worst] < -1e-12:
        return Growth(Peak(float("inf"), 0, float(m.eigenvalues[worst]), grows=True), rest)
    if len(active) > _DIRECTIONS:
        active = active[np.linspace(0, len(active) - 1, _DIRECTIONS).astype(int)]
    chosen = m.take(active)
    peak, place = _peak(chosen)
    if analysis.spectrum.is_interval:  # between the eigenvalues that stand for the interval
        for _ in range(3):
            lam = chosen.eigenvalues
            low, high = lam[max(0, place - 1)], lam[min(len(lam) - 1, place + 1)]
            finer_lam = np.unique(np.append(np.linspace(low, high, 17), lam[place]))
            chosen = modes(analysis.optimizer, finer_lam)
            finer, place = _peak(chosen)
            peak = max(peak, finer, key=lambda one: one.size)
    return Growth(peak, rest)


def _peak(chosen: Modes) -> tuple[Peak, int]:
    """Return the largest norm over steps and directions, and the index of its direction."""
    w = chosen.one_minus_rate
    slowest = float(np.min(np.where(w > 1e-15, w, np.inf)))
    horizon = min(1e15, 20.0 / slowest) if np.isfinite(slowest) else 1000.0
    late = np.geomspace(200, max(201, horizon), 200)
    k = np.unique(np.floor(np.concatenate([np.arange(200.0), late])))
    candidates, directions = chosen, np.arange(len(chosen.eigenvalues))
    while True:
        norms = power_norms(candidates, k)
        at, i = (int(j) for j in np.unravel_index(int(np.argmax(norms)), norms.shape))
        low, high = k[max(0, at - 1)], k[min(len(k) - 1, at + 1)]
        if high - low <= 2:
            break
        candidates = candidates.take(np.array([i]))
        directions = directions[[i]]
        k = np.unique(np.floor(np.linspace(low, high, 400)))
    where = float(candidates.eigenvalues[i])
    return Peak(float(norms[at, i]), int(k[at]), where), int(directions[i])


def power_norms(modes: Modes, steps: Any) -> Array:
    """Return ‖Mᵏ‖₂ in the coordinates (x_k, x_{k-1}, ...) per direction, shape (K, n).

    Parameters
    ----------
    modes
        Directions of a rule.
    steps
        k, shape (K,).

    For two slots Mᵏ = [[u_{k+1}, -d u_k], [u_k, -d u_{k-1}]], and with F its Frobenius norm
    ‖Mᵏ‖₂² = (F² + √(F⁴ - 4 d²ᵏ))/2.
    """
    k = np.atleast_1d(np.asarray(steps, dtype=float))
    if modes.slots == 1:
        with np.errstate(invalid="ignore"):
            exponent = k[:, None] * log_rates(modes)
        return np.exp(np.where(k[:, None] == 0, 0.0, exponent))
    if modes.slots > 2:
        return _norms_of_many(modes, k)
    zero, one = np.zeros(len(modes.eigenvalues)), np.ones(len(modes.eigenvalues))
    last, middle = propagate(modes, zero, one, k + 1), propagate(modes, zero, one, k)
    d = modes.determinant
    before = d * propagate(modes, zero, one, np.maximum(k - 1, 0))
    before[k == 0] = -1.0  # u₋₁ = -1/d
    with np.errstate(over="ignore"):
        square = last**2 + (1 + d**2) * middle**2 + before**2
        product = np.abs(last * before - d * middle**2)  # |det Mᵏ|, at most F²/2
        spread = np.sqrt(np.maximum(square - 2 * product, 0) * (square + 2 * product))
    return np.asarray(np.sqrt((square + spread) / 2))


def _norms_of_many(modes: Modes, k: Array) -> Array:
    """Return the norms from powers of companion matrices, by repeated squaring."""
    size, count = modes.slots, len(modes.eigenvalues)
    companion = np.zeros((count, size, size))
    entries = [[modes.matrix[:, i, j] for j in range(size)] for i in range(size)]
    for j, c in enumerate(characteristic_polynomial(entries)[1:]):
        companion[:, 0, j] = -c
    companion[:, 1:, :-1] = np.eye(size - 1)
    powers = (np.linalg.matrix_power(companion, int(c)) for c in k)
    return np.stack([np.linalg.norm(power, ord=2, axis=(1, 2)) for power in powers])


# -- what a run conserves ------------------------------------------------------------------------


def energies(analysis: Analysis, path: Any) -> Array:
    """Return I_k = x_k² - t x_k x_{k-1} + d x_{k-1}² per direction, for k = 1, 2, ...

    Parameters
    ----------
    analysis
        A linear rule with one or two slots; t and d are the trace and determinant of its map.
    path
        The reported points of a run, every step, shape (K+1, d).

    Returns
    -------
    array of shape (K, n)
        In exact arithmetic I_{k+1} = d I_k: for μ = 1 it is conserved, and I/2α summed over
        directions is v·v/2α + ½ eᵀAe - ½ eᵀAv, with v = e_k - e_{k-1}. For one slot d = 0, and
        every I_k is zero.
    """
    x = _deviations(analysis, path)
    m = analysis.modes
    return x[1:] ** 2 - m.trace * x[1:] * x[:-1] + m.determinant * x[:-1] ** 2


def energy_defect(analysis: Analysis, path: Any) -> float:
    """Return by how much a run violates I_{k+1} = d I_k, relative to the terms it is made of.

    Parameters
    ----------
    analysis, path
        As for `energies`; the path must begin with the start.

    Returns
    -------
    float
        About 1e-15 for a run in float64 of this rule on this problem while it is well above the
        floor of rounding; far above that for another rule, setting or problem.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> one = analyze(Spectrum.from_eigenvalues([1.0]), HeavyBall(0.5, 0.5))
    >>> energy_defect(one, [[1.0], [0.5], [0.0], [-0.25]]) < 1e-15
    True
    >>> energy_defect(one, [[1.0], [0.5], [0.1], [-0.25]]) > 1e-3
    True
    """
    x = _deviations(analysis, path)
    m = analysis.modes
    energy = energies(analysis, path)
    if m.slots == 1:
        wrong, scale = energy, x[1:] ** 2 + np.abs(m.trace * x[1:] * x[:-1])
    else:
        wrong = energy[1:] - m.determinant * energy[:-1]
        products = np.abs(m.trace * x[2:] * x[1:-1]) + np.abs(m.determinant) * x[1:-1] ** 2
        scale = x[2:] ** 2 + products
    # Next to a direction that is still large, one that has decayed is only rounding.
    scale = np.sum(scale, axis=1, keepdims=True)
    active = m.eigenvalues != 0
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.abs(wrong[:, active]) / scale
    return float(np.nanmax(shares, initial=0.0))


def _deviations(analysis: Analysis, path: Any) -> Array:
    """Return a path as deviations from where the run ends, in the eigenbasis, (K+1, n)."""
    points = np.asarray(path, dtype=float)
    spectrum = analysis.spectrum
    if points.ndim != 2 or points.shape[1] != spectrum.dimension or len(points) < 3:
        raise InputError(
            f"path must have shape (steps + 1, {spectrum.dimension}) with at least two steps, got "
            f"{points.shape}",
            argument="path",
        )
    if analysis.scope != "global" or analysis.modes.slots > 2 or spectrum.is_interval:
        raise NotDerivableError(
            "the conserved form is that of a linear rule with one or two slots on a given problem"
        )
    m = analysis.modes
    rows = np.stack([spectrum.to_eigenbasis(point) for point in points])
    linear = np.zeros(len(m.eigenvalues)) if spectrum.linear is None else spectrum.linear
    return np.asarray(rows - np.einsum("ni,ni->n", m.report, m.fixed) * linear)
