"""Laws of eigenvalues for which averages are known in full: Marchenko–Pastur, and power laws.

Sources: Marchenko & Pastur (1967); Pedregosa & Scieur (2020); Scieur & Pedregosa (2020). The
smallest average gap follows from λ μ(dλ) being a semicircle, whose polynomials are Chebyshev's of
the second kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.results import Result
from convex_analyzer.spectra.density import Density, require_summable
from convex_analyzer.tables import Table, format_count, format_number
from convex_analyzer.theory.arguments import checked_counts

__all__ = [
    "PowerLawPhase",
    "marchenko_pastur_gap",
    "marchenko_pastur_limit",
    "power_law_exponent",
    "power_law_gap",
    "power_law_horizon",
    "power_law_phase",
]

Array = npt.NDArray[np.float64]


# -- the Marchenko–Pastur law ---------------------------------------------------------------------


def marchenko_pastur_gap(
    ratio: float, learning_rate: float, steps: Any, variance: float = 1.0
) -> Any:
    """Return the expected gap per direction of gradient descent on the Marchenko–Pastur law.

    Parameters
    ----------
    ratio
        r = d/n > 0, entries of variance 1: the spectrum ends at (1 + √r)².
    learning_rate
        α.
    steps
        k: a number or shape (K,), up to 1999; any size for r = 1 and α = 1/4.
    variance
        σ² = E x₀² along each direction.

    Returns
    -------
    float or array of shape (K,)
        Kind: exact for d, n → ∞. By a Gauss rule that integrates λ(1 - αλ)²ᵏ exactly; for r = 1 and
        α = 1/4 it is 2σ² B(3/2, 2k + 3/2)/B(1/2, 3/2), which falls as (2σ²/√π)(2k)^(-3/2).

    Examples
    --------
    >>> round(marchenko_pastur_gap(1.0, 0.25, 1), 12)
    0.15625
    """
    k = checked_counts(steps)
    if ratio == 1 and learning_rate == 0.25:
        from scipy.special import betaln

        values = 2 * variance * np.exp(betaln(1.5, 2 * k + 1.5) - betaln(0.5, 1.5))
    else:
        law = Density.marchenko_pastur(ratio, nodes=int(min(k.max(initial=0), 1e9)) + 1)
        with np.errstate(all="ignore"):
            powers = (1 - learning_rate * law.nodes) ** (2 * k[:, None])
            values = variance / 2 * (powers @ (law.nodes * law.weights))
    return float(values[0]) if np.ndim(steps) == 0 else values


def marchenko_pastur_limit(ratio: float, steps: Any, variance: float = 1.0) -> Any:
    """Return the smallest expected gap per direction of any k-step Krylov method on that law.

    ½σ²/Σ U_j², j = 0, ..., k, with U_j = sinh((j + 1)η)/sinh η and η = |log r|/2; the same for r
    and 1/r. For r = 1: 3σ²/((k + 1)(k + 2)(2k + 3)).

    Parameters
    ----------
    ratio, steps, variance
        As for `marchenko_pastur_gap`, any number of steps.

    Returns
    -------
    float or array of shape (K,)
        Kind: exact for d, n → ∞.

    Examples
    --------
    >>> marchenko_pastur_limit(1.0, [0, 1])
    array([0.5, 0.1])
    """
    if not 0 < ratio < math.inf:
        raise InputError(f"ratio must be positive and finite, got {ratio!r}", argument="ratio")
    k = checked_counts(steps)
    eta = abs(math.log(ratio)) / 2
    n = 2 * k + 3
    with np.errstate(all="ignore"):
        if eta == 0:
            total = (k + 1) * (k + 2) * n / 6
        else:  # Σ sinh²(jη) = (sinh(nη)/sinh η - n)/4, j = 1, ..., k + 1
            wide = (np.sinh(n * eta) - n * math.sinh(eta)) / (4 * math.sinh(eta) ** 3)
            total = np.where(n * eta > 2, wide, _narrow(n, eta))
        values = variance / 2 / total
    return float(values[0]) if np.ndim(steps) == 0 else values


def _narrow(n: Array, eta: float) -> Array:
    """Return (sinh(nη) - n sinh η)/(4 sinh³ η) for small nη, as a series of positive terms."""
    total = np.zeros(len(n))
    for j in range(1, 16):
        total += eta ** (2 * j - 2) * (n ** (2 * j + 1) - n) / math.factorial(2 * j + 1)
    return total * (eta / math.sinh(eta)) ** 3 / 4


# -- power laws -----------------------------------------------------------------------------------


def power_law_gap(exponent: float, source: float, learning_rate: float, steps: Any) -> Any:
    """Return the gap of gradient descent on λ = i^-a with x₀² = i^-c: Γ(p)/(2a) (2αk)^-p.

    A straight line in a log-log plot of such a loss is what gradient descent does on a heavy-tailed
    spectrum, and not the sign of a wrong learning rate.

    Parameters
    ----------
    exponent, source
        a > 0 and c with a + c > 1; p = (a + c - 1)/a.
    learning_rate
        α < 2.
    steps
        k > 0: a number or shape (K,).

    Returns
    -------
    float or array of shape (K,)
        Kind: asymptotic, for k → ∞ with d → ∞ first; it holds up to `power_law_horizon` steps.

    Examples
    --------
    >>> f"{power_law_gap(1.5, 1.2, 1.0, 1000):.3e}"
    '5.679e-05'
    """
    p = power_law_exponent(exponent, source)
    k = checked_counts(steps)
    if not 0 < learning_rate < 2:
        raise InputError(
            f"learning_rate must be in (0, 2), as λmax = 1, got {learning_rate!r}",
            argument="learning_rate",
        )
    if k.min(initial=1) < 1:
        raise InputError("steps must be at least 1: this is a limit for many", argument="steps")
    values = math.gamma(p) / (2 * exponent) * (2 * learning_rate * k) ** -p
    return float(values[0]) if np.ndim(steps) == 0 else values


def power_law_exponent(exponent: float, source: float, accelerated: bool = False) -> float:
    """Return the q of gap ~ k^-q on a power law.

    Parameters
    ----------
    exponent, source
        As for `power_law_gap`.
    accelerated
        False: gradient descent, q = p = (a + c - 1)/a. True: Nesterov with (n - 1)/(n + 1),
        q = min(2p, p + 1), so that acceleration doubles the exponent only up to p = 1.

    Examples
    --------
    >>> power_law_exponent(2.0, 1.0), power_law_exponent(2.0, 1.0, accelerated=True)
    (1.0, 2.0)
    """
    if not 0 < exponent < math.inf:
        raise InputError(
            f"exponent must be positive and finite, got {exponent!r}", argument="exponent"
        )
    require_summable(exponent, source)
    p = float(exponent + source - 1) / float(exponent)
    return min(2 * p, p + 1) if accelerated else p


def power_law_horizon(exponent: float, dimension: int, learning_rate: float) -> float:
    """Return d^a/(2α): about how many steps a power law of d directions looks sublinear.

    Kind: heuristic. Later the smallest eigenvalue is reached and the decay becomes geometric.

    Examples
    --------
    >>> power_law_horizon(2.0, 1000, 0.5)
    1000000.0
    """
    return float(dimension**exponent / (2 * learning_rate))


@dataclass(frozen=True, eq=False)
class PowerLawPhase(Result):
    """The stretch of a run on a power law in which the gap falls like a power of k.

    Attributes
    ----------
    exponent
        p of gap ~ k⁻ᵖ for gradient descent.
    accelerated
        The same for Nesterov's method with growing momentum.
    until
        Steps up to which this lasts at the given dimension; the decay is geometric from then on.
    kind
        ``asymptotic``: for 1 ≪ k ≪ `until`.
    """

    schema: ClassVar[str] = "convex_analyzer.power_law_phase/1"

    exponent: float
    accelerated: float
    until: float
    kind: str = "asymptotic"

    def summary(self) -> Table:
        """Return a table of the main facts."""
        rows = (
            ("gradient descent", f"gap ~ k^−{format_number(self.exponent, 4)}"),
            ("Nesterov, growing momentum", f"gap ~ k^−{format_number(self.accelerated, 4)}"),
            ("until about", f"{format_count(round(self.until))} steps"),
            ("kind", self.kind),
        )
        return Table(("sublinear phase", "law"), rows, left=2)


def power_law_phase(
    exponent: float, source: float, learning_rate: float, dimension: int
) -> PowerLawPhase:
    """Return how the gap falls on λ_i = i^(-a), E x_i² = i^(-c), before it decays geometrically.

    Parameters
    ----------
    exponent, source
        a and c, with a + c > 1.
    learning_rate
        α of gradient descent.
    dimension
        d.

    Examples
    --------
    >>> print(power_law_phase(1.5, 1.2, 1.0, 10_000))
    ━━ Power law phase: sublinear phase ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    gradient descent            gap ~ k^−1.133    until about  500,000 steps
    Nesterov, growing momentum  gap ~ k^−2.133    kind         asymptotic
    ────────────────────────────────────────────────────────────────────────────────
    Asymptotic: true in the stated limit.
    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    """
    return PowerLawPhase(
        power_law_exponent(exponent, source),
        power_law_exponent(exponent, source, accelerated=True),
        power_law_horizon(exponent, dimension, learning_rate),
    )
