"""What each workaround would do here: numbers from the exact theory, at what the log shows.

One file per kind of row. Formulas are never typed again: rates, limits, floors and counts come from
`convex_analyzer.theory`, asked at the curvatures that the run met, or on the spectrum of the
problem where that is known; then a run confirms them.
"""

from __future__ import annotations

from typing import Any

from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.remedies.conditioned import ill_conditioning
from convex_analyzer.diagnosis.remedies.facts import Facts
from convex_analyzer.diagnosis.remedies.fluctuating import fluctuation
from convex_analyzer.diagnosis.remedies.networks import (
    dead_or_saturated_units,
    local_optimum,
    plateau,
    saddle,
    symmetry,
)
from convex_analyzer.diagnosis.remedies.oscillating import oscillation
from convex_analyzer.diagnosis.remedies.remedy import Remedy, best_first, nothing
from convex_analyzer.diagnosis.remedies.slow import slow_progress
from convex_analyzer.diagnosis.remedies.unstable import instability

__all__ = ["OF_SPEED", "Remedy", "predict"]

_ROWS = {
    "slow_progress": slow_progress,
    "instability": instability,
    "oscillation": oscillation,
    "fluctuation": fluctuation,
    "dead_or_saturated_units": dead_or_saturated_units,
    "ill_conditioning": ill_conditioning,
    "local_optimum": local_optimum,
    "symmetry": symmetry,
    "saddle": saddle,
    "plateau": plateau,
}

# rows whose workaround changes α or μ: counted in steps
OF_SPEED = {"slow_progress", "instability", "oscillation", "ill_conditioning"}


def predict(name: str, reading: Reading, problem: Any = None) -> Remedy | None:
    """Return what the workaround of a row would do on this evidence.

    Parameters
    ----------
    name
        Of the row, such as ``slow_progress``.
    reading
        The evidence of the run.
    problem
        The problem itself, if known: a `Quadratic` or least squares. Predictions are then exact,
        and a run confirms them where that is affordable.

    Returns
    -------
    Remedy or None
        None for a row that this module does not know. Where nothing can be predicted, a remedy
        that says why.

    Examples
    --------
    >>> import numpy as np
    >>> from convex_analyzer.diagnosis.evidence import Evidence, Series
    >>> alpha = Series(np.array([0.1]))
    >>> loss = Series(1.44 ** np.arange(50.0))
    >>> run = Evidence(loss=loss, learning_rate=alpha, optimizer="gradient_descent")
    >>> predict("instability", Reading(run)).change  # λ = (1 + √1.44)/0.1 = 22
    'α from 0.1 to 0.0455'
    """
    if name == "incorrect_gradient":
        return nothing("fix the gradient, or use autodiff", "of a wrong gradient nothing follows")
    if name == "healthy":
        return nothing("none", "nothing is wrong")
    row = _ROWS.get(name)
    if row is None:
        return None
    found = row(Facts(reading, problem))
    return best_first(found) if name in OF_SPEED else found
