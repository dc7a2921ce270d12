"""Oscillations: directions whose sign flips, or that swing with a period.

The exact border for gradient descent is αλ = 1. A direction that flips but dies out much faster
than the slowest one is "possible": visible in the iterates early on, harmless for the count
(heuristic).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.rhythm import Ring
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.precise import Polynomial
from convex_analyzer.tables import format_count, format_factor, format_number
from convex_analyzer.theory.counting import steps_at_rate
from convex_analyzer.theory.iteration import linearise

ROW = Row(
    6, "oscillation", "oscillations", "fluctuations in training curve", "decrease α; momentum"
)


def test(prospect: Prospect) -> Finding:
    """Look for roots that are negative or complex."""
    analysis = prospect.analysis
    if analysis is None or analysis.outcome not in {"stable", "marginal"}:
        return Finding("not tested", "", needs="a run that stays bounded and has a closed form")
    m = analysis.modes
    root = m.roots[:, 0]
    turning = (np.abs(root.imag) > 1e-9 * np.abs(root)) | (root.real < -1e-12)
    turning &= m.eigenvalues != 0
    if not turning.any():
        return Finding("absent", "every root is real and positive: no direction changes its sign")
    w = np.where(turning, m.one_minus_rate, np.inf)
    worst = int(np.argmin(w))
    how, period = _how(complex(root[worst]))
    count = steps_at_rate(float(w[worst]), 1e-3)
    fades = "never fades" if count is None else f"below 0.1 % after {format_count(count)} steps"
    name = "" if prospect.spectrum.is_interval else f"q{worst + 1}, "
    sentence = (
        f"{name}λ = {format_number(m.eigenvalues[worst], 4)} {how}, factor "
        f"{format_factor(abs(root[worst]), float(w[worst]), 4)} per step: {fades}"
    )
    harmless = analysis.is_stable and float(w[worst]) > 2 * analysis.one_minus_rate
    if harmless:
        return Finding("possible", sentence)
    others = np.unique(m.eigenvalues[m.eigenvalues != 0]).size > 1
    cure = _prediction(analysis.optimizer, float(m.eigenvalues[worst]), period, others=others)
    return Finding("present", sentence, prediction=cure)


def _how(root: complex) -> tuple[str, float]:
    if abs(root.imag) <= 1e-9 * abs(root):
        return "flips its sign every step", 2.0
    period = 2 * math.pi / abs(math.atan2(root.imag, root.real))
    return f"swings with a period of {format_number(period, 3)} steps", period


def _prediction(optimizer: Optimizer, eigenvalue: float, period: float, *, others: bool) -> str:
    """Say which change of one hyper-parameter stops this direction's oscillation."""
    if not optimizer.memory:
        best = _where_it_stops(optimizer, "learning_rate", eigenvalue)
        slower = " (others slow down)" if others else ""
        return f"α = {format_number(best, 3)} stops this direction's flips{slower}" if best else ""
    if period > 2:
        critical = _where_it_stops(optimizer, "momentum", eigenvalue)
        if critical is not None:
            return f"μ = {format_number(critical, 3)} damps this direction critically"
    return ""


def _where_it_stops(optimizer: Optimizer, name: str, eigenvalue: float) -> float | None:
    """Return the next smaller value of a hyper-parameter at which a direction stops turning.

    From the rule's own matrix, as exact polynomials in that hyper-parameter: the factor of a rule
    without memory becomes 0 there, and the roots of one with a velocity meet, both positive.
    """
    values = {n: Fraction(v) for n, v in optimizer.values.items() if isinstance(v, float)}
    if name not in values or len(optimizer.memory) > 1:
        return None
    opened = optimizer.unchecked(**{**values, name: Polynomial([0, 1])})
    try:
        matrix = linearise(opened, Fraction(eigenvalue)).matrix
    except (TypeError, ValueError):  # not a polynomial in this hyper-parameter
        return None
    one = Polynomial([1])
    if len(matrix) == 1:
        trace, condition = one, one * matrix[0][0]
    else:
        (a, b), (c, e) = matrix
        trace, determinant = one * (a + e), one * (a * e) - one * (b * c)
        condition = trace * trace - 4 * determinant
    now = optimizer.values[name]
    roots = [root for root in condition.real_roots() if 0 <= root < now and trace(root) >= 0]
    return max(roots, default=None)


def examine(reading: Reading) -> Sign:
    """Read gradient cosines: below -½ the step overshoots (αλ > 1), and look for a rhythm.

    The loss of plain gradient descent on a quadratic cannot show an overshoot: each direction's
    loss shrinks by (1 - αλ)² on either side of αλ = 1. A period above 2 is momentum's.
    """
    curve = reading.curve
    if curve is None and reading.cosines is None:
        return Sign(None, lacks="a loss curve of every step, or gradient cosines")
    signs = [_overshoot(reading), _swing(reading)]
    best = max(signs, key=lambda sign: -1.0 if sign.strength is None else sign.strength)
    if reading.stochastic and best.strength is not None and "rhythm" not in best.evidence:
        return best.scaled(0.4)  # noise alone gives cosines down to -½
    return best


def _overshoot(reading: Reading) -> Sign:
    found, late = reading.turning, reading.cosine(0.5, 1.0)
    if found is None or late is None:
        return Sign(None, lacks="gradient cosines")
    share, typical = found
    text = f"consecutive gradients turn round: cos {format_number(typical, 3)}, below −½ "
    text += f"on {100 * share:.0f} % of the steps"
    largest = reading.largest
    if largest is not None and 1 < largest < 3 and not reading.momentum:
        text += f"; αλ reaches {format_number(largest, 3)} (overshoot above 1)"
    strength = 0.95 * beyond(share, 0.4, 1.6)
    if late > 0.5:
        strength *= 0.5  # it has died out, and something else holds the second half
        text += f"; no longer in the second half (cos {format_number(late, 3)})"
    if share < 0.2:
        text = f"consecutive gradients keep their way: cos {format_number(late, 3)} "
        text += "in the second half"
    kind = "exact" if not reading.stochastic else "heuristic"
    return Sign(strength, text, kind, ("gradient_cosine",))


def _swing(reading: Reading) -> Sign:
    curve = reading.curve
    rhythm = curve.rhythm if curve is not None else None
    lacks = "gradient cosines" if reading.cosines is None else ""
    if curve is None:
        return Sign(None, lacks=lacks)
    if lacks and reading.every_step and curve.geometric < 0.05 and curve.left > 0.1:
        text = "a steady geometric fall: αλ near 0 and αλ near 2 give the same loss"
        return Sign(0.3, text, "exact", ("loss",), lacks)
    if curve.ring is not None and curve.rings:
        return _rings(reading, curve.ring)
    coherent = rhythm is not None and rhythm.coherence > 0.5
    if (
        not coherent
        and curve.smoothness > 0.5
        and curve.rises > 0.05
        and curve.positive
        and curve.left < 1.3
    ):
        return _waves(reading, lacks)
    rough = reading.stochastic is False and curve.rises > 0.2 and not coherent
    if rough and curve.positive and reading.every_step:
        strength = 0.65 * beyond(curve.rises, 0.3, 1.3) * beyond(curve.noise, 0.06, 1.6)
        text = f"the loss goes up on {100 * curve.rises:.0f} % of the later steps although every "
        text += "gradient is of all rows: several directions swing at once"
        return Sign(strength, text, "heuristic", ("loss", "batch_size"), lacks)
    if rhythm is None:
        return Sign(0.05, "no rhythm in the loss", used=("loss",), lacks=lacks)
    strength = beyond(rhythm.coherence, 0.45, 1.5) * beyond(rhythm.amplitude, 0.02, 3)
    strength *= beyond(curve.rises, 0.08, 1.8)  # a swing goes up as well
    if not reading.every_step:
        strength *= 0.5
    period = rhythm.period * curve.series.stride
    text = f"the loss swings with a rhythm of {format_number(period, 3)} steps "
    text += f"(autocorrelation {format_number(rhythm.coherence, 2)}, "
    text += f"amplitude {100 * rhythm.amplitude:.0f} %)"
    text += _of_momentum(reading, "; ")
    return Sign(0.95 * strength, text, "heuristic", ("loss",))


def _rings(reading: Reading, ring: Ring) -> Sign:
    """Judge one direction that is under-damped: evenly spaced crests, each lower than the last."""
    assert reading.curve is not None
    period = ring.period * reading.curve.series.stride
    text = f"the loss rings: {ring.crests} crests, one every {format_number(period, 3)} steps, "
    text += f"each ×{format_number(ring.factor, 3)} of the one before"
    text += _of_momentum(reading, "; ")
    return Sign(0.9 if reading.every_step else 0.6, text, "heuristic", ("loss",))


def _of_momentum(reading: Reading, sign: str) -> str:
    if not reading.momentum:
        return ""
    return f"{sign}under-damped momentum, μ = {format_number(reading.momentum, 3)}"


def _waves(reading: Reading, lacks: str) -> Sign:
    """Judge smooth waves of several periods at once: no noise does that, and no plain descent."""
    curve = reading.curve
    assert curve is not None
    strength = beyond(curve.rises, 0.12, 1.6) * beyond(curve.noise, 0.005, 2.0)
    strength *= beyond(1 - curve.smoothness, 0.1, 1 / 1.7)  # momentum smooths noise as well
    if reading.stochastic is not False:
        strength *= 0.4
    if not reading.momentum and reading.evidence.optimizer == "gradient_descent":
        strength *= 0.5
    text = f"the loss goes up on {100 * curve.rises:.0f} % of the later steps, in smooth waves"
    text += _of_momentum(reading, ": ")
    return Sign(0.95 * strength, text, "heuristic", ("loss",), lacks)
