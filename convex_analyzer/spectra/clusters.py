"""Groups of eigenvalues, and the steps of conjugate gradients that they allow.

After k steps the error of conjugate gradients is at most max|p(λ)| times the first one, in the
A-norm, for every polynomial p of degree k with p(0) = 1. One root in each tight group makes it
small everywhere: so the steps are about as many as there are groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.results import Result
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_count, format_number

__all__ = ["Cluster", "Clusters", "clusters"]

Array = npt.NDArray[np.float64]

GAP = 2.0  # ratio of neighbours that ends a group (heuristic)
_SHOWN = 12
_MOST = 2000  # roots that are placed one by one


@dataclass(frozen=True)
class Cluster:
    """Neighbouring eigenvalues.

    Attributes
    ----------
    low, high
        The smallest and the largest.
    count
        How many.
    """

    low: float
    high: float
    count: int

    @property
    def width(self) -> float:
        """high/low."""
        return self.high / self.low


@dataclass(frozen=True, eq=False)
class Clusters(Result):
    """Groups of the positive eigenvalues; made by `clusters`.

    Attributes
    ----------
    groups
        In ascending order.
    distinct
        Eigenvalues that differ by more than rounding: conjugate gradients need no more steps, in
        exact arithmetic.
    condition_number
        Of the positive eigenvalues.
    tolerance
        Of the gap J - J*, relative.
    root_steps
        Steps that suffice by a polynomial with one root after the other where it is largest; None
        when the other two numbers are smaller, or these would be more than 2000.
    chebyshev_steps
        Steps that suffice for any spectrum with this κ.
    """

    schema: ClassVar[str] = "convex_analyzer.clusters/1"

    groups: tuple[Cluster, ...]
    distinct: int
    condition_number: float
    tolerance: float
    root_steps: int | None
    chebyshev_steps: int

    @property
    def steps(self) -> int:
        """Steps of conjugate gradients that suffice from every start, in exact arithmetic."""
        counts = [self.distinct, self.chebyshev_steps]
        return min([*counts, self.root_steps] if self.root_steps is not None else counts)

    @property
    def sentence(self) -> str:
        """What the groups mean for conjugate gradients."""
        groups, steps = len(self.groups), format_count(self.steps)
        noun = "group" if groups == 1 else "groups"
        eigenvalues = sum(group.count for group in self.groups)
        gain = (
            f", where κ = {format_number(self.condition_number, 3)} alone promises "
            f"{format_count(self.chebyshev_steps)}"
            if self.steps < self.chebyshev_steps
            else ""
        )
        return (
            f"{format_count(eigenvalues)} eigenvalues in {groups} {noun}: conjugate gradients need "
            f"at most {steps} steps to {format_number(self.tolerance)}{gain}."
        )

    def summary(self) -> Table:
        """Return the groups as a table."""
        rows = tuple(
            (format_number(g.low, 4), format_number(g.high, 4), format_count(g.count))
            for g in self.groups[::-1][:_SHOWN]
        )
        return Table(
            ("from", "to", "eigenvalues"),
            rows,
            title="groups of eigenvalues",
            notes=(self.sentence,),
        )


def clusters(spectrum: Spectrum | Any, tolerance: float = 1e-6, gap: float = GAP) -> Clusters:
    """Group the positive eigenvalues, and bound the steps of conjugate gradients.

    Parameters
    ----------
    spectrum
        A `Spectrum` with all eigenvalues, or eigenvalues of shape (d,).
    tolerance
        Of J - J*, relative to the first.
    gap
        A group ends where the next eigenvalue is more than this many times as large.

    Raises
    ------
    InputError
        Only the ends of the spectrum are known; no eigenvalue is positive; a gap of at most 1.

    Examples
    --------
    >>> found = clusters([1.0, 1.001, 1.002, 500.0, 501.0])
    >>> len(found.groups), found.steps
    (2, 3)
    """
    if isinstance(spectrum, Spectrum) and spectrum.is_interval:
        raise InputError("only the ends of the spectrum are known, so there are no groups to see")
    if not gap > 1:
        raise InputError(f"gap must be above 1, got {gap!r}", argument="gap", value=gap)
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance must be in (0, 1), got {tolerance!r}", argument="tolerance")
    found = spectrum if isinstance(spectrum, Spectrum) else Spectrum.from_eigenvalues(spectrum)
    values = found.positive
    if not values.size:
        raise InputError("no eigenvalue is positive", argument="spectrum")
    cuts = np.flatnonzero(values[1:] > gap * values[:-1]) + 1
    groups = tuple(
        Cluster(float(part[0]), float(part[-1]), len(part)) for part in np.split(values, cuts)
    )
    rounding = 4 * len(values) * float(np.finfo(float).eps) * values[-1]
    limit = 0.0 if found.kind == "exact" else rounding
    distinct = 1 + int(np.count_nonzero(np.diff(values) > limit))
    kappa = float(values[-1] / values[0])
    goal = math.sqrt(tolerance)  # of the A-norm
    most = chebyshev_steps(kappa, goal)
    roots = _root_steps(values, groups, goal, min(distinct, most, _MOST))
    return Clusters(groups, distinct, kappa, tolerance, roots, most)


def chebyshev_steps(kappa: float, goal: float) -> int:
    """Return the smallest k with 2 r^k/(1 + r^(2k)) ≤ goal, r = (√κ - 1)/(√κ + 1).

    Examples
    --------
    >>> chebyshev_steps(100.0, 1e-6)
    73
    """
    if kappa <= 1:
        return 1
    log = math.log1p(2 / (math.sqrt(kappa) - 1))  # -ln r
    exact = math.acosh(1 / goal) / log
    return max(1, math.ceil(exact * (1 - 1e-13)))


def _root_steps(values: Array, groups: tuple[Cluster, ...], goal: float, most: int) -> int | None:
    """Return the degree of a polynomial, root by root, that stays within the goal on `values`.

    The next root is where the polynomial is largest: in the middle of that group when the group
    has none yet, else at the eigenvalue itself.
    """
    group = np.repeat(np.arange(len(groups)), [g.count for g in groups])
    logs, fresh = np.zeros(len(values)), np.ones(len(groups), dtype=bool)
    for k in range(1, most + 1):
        worst = int(np.argmax(logs)) if k > 1 else len(values) - 1
        root, of = values[worst], groups[group[worst]]
        if fresh[group[worst]]:
            root, fresh[group[worst]] = (of.low + of.high) / 2, False
        with np.errstate(divide="ignore"):
            logs += np.log(np.abs(1 - values / root))
        if logs.max() <= math.log(goal):
            return k
    return None
