"""What must be said of rules that change from step to step, before anybody runs them.

Two things that the product of their steps shows and a rate does not: a learning rate that fades
too fast leaves a residue for ever, and an order of steps that is harmless in exact arithmetic may
lose every digit in float64.

Source: THEORY 3.2 and 3.7; Lebedev & Finogenov (1971) for the orders; Euler for the product
(s; q)_∞ that an exponential decay leaves.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.domains import is_schedule
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.tables import format_number
from convex_analyzer.theory.modes import representative_eigenvalues

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis

__all__ = ["amplification", "residue", "warnings"]

Array = npt.NDArray[np.float64]

_LONGEST = 1 << 20  # steps in which a learning rate must have faded
_MULTIPLIED = 4096  # the same where every step is a matrix
_FADED = 1e-18  # α λmax from which on a step changes nothing
_EPSILON = float(np.finfo(float).eps)


def residue(analysis: Analysis) -> tuple[float, float] | None:
    """Return the largest share of the error that a fading learning rate leaves for ever.

    Returns
    -------
    (share, eigenvalue) or None
        None where the learning rate does not fade to zero within a million steps: an inverse-time
        decay never stops, since its steps add up to infinity.

    Examples
    --------
    >>> from convex_analyzer.schedules import Exponential
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> fading = GradientDescent(Exponential(0.5, 0.9))
    >>> share, _ = residue(analyze(Spectrum.from_eigenvalues([1.0]), fading))
    >>> round(share, 5)
    0.00279
    """
    rate: Any = analysis.optimizer.values.get("learning_rate")
    every = representative_eigenvalues(analysis.spectrum)
    values = every[every != 0]
    if not is_schedule(rate) or rate.limit != 0 or rate.length is not None or not values.size:
        return None
    last = _faded(rate, float(np.abs(values).max()))
    if last is None:
        return None
    if type(analysis.optimizer) is GradientDescent:
        shares = np.exp([_log_product(rate.table(last), value) for value in values])
    elif last <= _MULTIPLIED:
        reported = analysis.without_slope().reported(np.ones(len(every)), [last])
        shares = np.abs(reported[0])[every != 0]
    else:
        return None
    worst = int(np.argmax(shares))
    return float(shares[worst]), float(values[worst])


def _faded(rate: Any, largest: float) -> int | None:
    step = 64
    while step <= _LONGEST:
        if abs(float(rate.at(step))) * largest < _FADED:
            return step
        step *= 2
    return None


def _log_product(rates: Array, value: float) -> float:
    with np.errstate(divide="ignore"):
        s = np.asarray(rates, dtype=float) * value
        logs = np.where(np.abs(s) < 0.5, np.log1p(-np.where(np.abs(s) < 0.5, s, 0.0)), 0.0)
        logs = np.where(np.abs(s) < 0.5, logs, np.log(np.abs(1 - s)))
    return math.fsum(logs) if np.isfinite(logs).all() else -math.inf


def amplification(analysis: Analysis) -> tuple[float, float] | None:
    """Return by how much a cycle of steps magnifies rounding, and what it leaves of the error.

    The first is the largest, over the places in the cycle, of the growth before times the growth
    after: what is rounded there, relative to the start, arrives so much larger. None for a rule
    with memory, or without a cycle.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import ChebyshevSteps
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> bad = ChebyshevSteps(1.0, 1e4, 64, "ascending")
    >>> grows, leaves = amplification(analyze(Spectrum.between(1.0, 1e4), bad))
    >>> round(math.log10(grows), 1), round(leaves, 3)
    (31.8, 0.516)
    """
    if analysis.scope != "periodic" or analysis.modes.slots != 1:
        return None
    curved = representative_eigenvalues(analysis.spectrum) != 0
    if not curved.any():
        return None
    factors = analysis.without_slope().factors()[:, curved]
    with np.errstate(all="ignore"):
        logs = np.log(np.abs(factors))
    done = np.vstack([np.zeros(logs.shape[1]), np.cumsum(logs, axis=0)])
    left = np.vstack([np.cumsum(logs[::-1], axis=0)[::-1], np.zeros(logs.shape[1])])
    on_the_way = float(np.max(done.max(axis=1) + left.max(axis=1)))
    return math.exp(min(on_the_way, 700.0)), math.exp(min(float(done[-1].max()), 700.0))


def warnings(analysis: Analysis) -> list[str]:
    """Return what to know before running it, one sentence or two each."""
    said = []
    if analysis.scope == "product" and (left := residue(analysis)):
        said.append(
            f"The learning rate fades before it is done: along λ = {format_number(left[1], 4)} "
            f"{format_number(left[0], 4)} of the error stays for ever (exact). Its steps add up to "
            "a finite length; an inverse-time decay has no such residue."
        )
    grown = amplification(analysis)
    if grown and grown[0] * _EPSILON > 0.01 * grown[1]:
        said.append(
            f"In this order the steps lose their digits in float64: rounding grows ×"
            f"{format_number(grown[0], 2)} within one cycle, which is to leave "
            f"×{format_number(grown[1], 3)} of the error. The order 'leja' survives."
        )
    return said
