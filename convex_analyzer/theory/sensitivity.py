"""What a tuned setting costs when the curvature is not what it was tuned for.

The setting stays; the truth moves. λmax and λmin are made larger and smaller by a share, and the
rate and the steps of the setting are compared with those of the method tuned for the truth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.spectra.brackets import Bracket
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_count, format_factor, format_number
from convex_analyzer.theory.analysis import Analysis, analyze
from convex_analyzer.theory.modes import MANY, modes

__all__ = ["Sensitivity", "Truth", "sensitivity"]

_LARGEST_MARGIN = 1e6
_STAND = 2048  # eigenvalues evenly by rank, and as many by value, that stand for very many


@dataclass(frozen=True)
class Truth:
    """How a setting does when one end of the spectrum is not where it was thought to be.

    Attributes
    ----------
    name
        ``as assumed``, ``λmax +10 %``, ...
    lambda_min, lambda_max
        The ends of the true spectrum.
    is_stable
        Whether the setting still converges.
    rate, one_minus_rate
        Of the setting.
    steps
        Of the setting, to the tolerance; None when it does not converge.
    best_rate, best_steps
        Of the method tuned for the truth; None where a rule is not tuned in closed form.
    """

    name: str
    lambda_min: float
    lambda_max: float
    is_stable: bool
    rate: float
    one_minus_rate: float
    steps: int | None
    best_rate: float | None
    best_steps: int | None

    @property
    def cost(self) -> float | None:
        """Steps of the setting over steps of the best; None when it does not converge."""
        return None if not self.steps or not self.best_steps else self.steps / self.best_steps


@dataclass(frozen=True, eq=False)
class Sensitivity(Result):
    """What a setting costs when the curvature was misjudged; made by `sensitivity`.

    Attributes
    ----------
    optimizer
        The setting.
    relative_error
        By what share λmax and λmin are moved.
    tolerance
        Of the step counts: the norm of the error from the worst start, over its first value.
    truths
        First the spectrum as assumed, then each end moved.
    margin
        By what share λmax may exceed what was assumed before the setting diverges: infinite when it
        never does, None when it already does.
    """

    schema: ClassVar[str] = "convex_analyzer.sensitivity/1"
    kind: ClassVar[str] = "exact"

    optimizer: Optimizer
    relative_error: float
    tolerance: float
    truths: tuple[Truth, ...]
    margin: float | None

    @property
    def words(self) -> str:
        """What to conclude, in two or three sentences."""
        lost = [truth.name for truth in self.truths[1:] if not truth.is_stable]
        costs = [(truth.cost, truth.name) for truth in self.truths[1:] if truth.cost is not None]
        said = []
        if not self.truths[0].is_stable:
            said.append("The setting does not even converge on the spectrum as assumed.")
        elif lost:
            said.append(f"With {' or with '.join(lost)} the setting no longer converges.")
        elif self.truths[1:]:
            said.append("The setting converges wherever the ends were moved.")
        if costs:
            cost, name = max(costs)
            much = f"at most {format_number(cost, 3)} times the steps"
            much = much if cost > 1.005 else "no more than the steps"
            said.append(
                f"Where it does, it takes {much} of the best asymptotic rate there ({name})."
            )
        if self.margin is not None:
            said.append(_margin_sentence(self.margin))
        return " ".join(said)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, the kind included."""
        return {**super().to_dict(), "kind": self.kind}

    def summary(self) -> Table:
        """Return one row per truth."""
        rows = tuple(_row(truth) for truth in self.truths)
        columns = ("truth", "rate ρ", "steps", "best rate", "best steps", "cost")
        title = f"{self.optimizer}: if the curvature is not as assumed"
        note = (
            f"Steps to |θ − θ*| ≤ {format_number(self.tolerance)} |θ₀ − θ*| from the worst start."
        )
        return Table(columns, rows, title=title, notes=(self.words, note))


def _margin_sentence(margin: float) -> str:
    if math.isinf(margin):
        return "No λmax, however large, makes it diverge."
    share = format_number(100 * margin, 3)
    return f"λmax may exceed what was assumed by {share} % before it diverges."


def _row(truth: Truth) -> tuple[str, ...]:
    cost = "–" if truth.cost is None else f"×{format_number(truth.cost, 3)}"
    return (
        truth.name,
        format_factor(truth.rate, truth.one_minus_rate),
        format_count(truth.steps) if truth.is_stable else "diverges",
        "0"
        if truth.best_rate is not None and truth.best_rate < 1e-14
        else format_number(truth.best_rate),
        format_count(truth.best_steps),
        cost,
    )


def sensitivity(
    problem: Analysis | Spectrum | Any,
    optimizer: Optimizer | type[Optimizer] | None = None,
    relative_error: Any = 0.1,
    tolerance: float = 1e-6,
    given: Mapping[str, Any] | None = None,
) -> Sensitivity:
    """Return what a setting costs if λmax or λmin is wrong by a share, either way.

    Parameters
    ----------
    problem
        An `Analysis`; or a spectrum or problem, with an optimizer.
    optimizer
        A class, tuned for the spectrum, or a setting.
    relative_error
        Between 0 and 1.
    tolerance
        Of the step counts.
    given
        Hyper-parameters that stay fixed, in the setting and in the best one to compare with.

    Raises
    ------
    InputError
        No optimizer, a share outside (0, 1), no positive curvature.
    NotDerivableError
        The rule has no rate.

    Notes
    -----
    The other eigenvalues stay where they are, but never outside the moved ends. A truth whose ends
    would change places is left out; a single eigenvalue moves as λmax. Of more than 20,000 some
    4000 stand for all: both ends, and others evenly by rank and by value.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> found = sensitivity(Spectrum.between(1.0, 100.0), GradientDescent)
    >>> [(truth.name, truth.steps) for truth in found.truths[:3]]
    [('as assumed', 691), ('λmax +10 %', None), ('λmax −10 %', 691)]
    >>> round(found.margin, 6)  # (m + L)/L - 1
    0.01
    """
    if not isinstance(relative_error, (int, float)) or not 0 < relative_error < 1:
        raise InputError(
            f"relative_error must be in (0, 1), got {relative_error!r}", argument="relative_error"
        )
    analysis = _analysed(problem, optimizer, given)
    if analysis.scope == "product":
        raise NotDerivableError(
            f"{type(analysis.optimizer).__name__} changes from step to step and has no rate, so "
            "there is nothing to compare; gap(start, steps) on another spectrum shows the effect"
        )
    if not analysis.spectrum.positive.size:
        raise InputError("there is no positive curvature to misjudge", argument="problem")
    analysis = _with_fewer(analysis)
    truths = tuple(
        _judged(name, spectrum, analysis, tolerance, given)
        for name, spectrum in _moved(analysis.spectrum, relative_error)
    )
    margin = _margin(analysis) if truths[0].is_stable else None
    return Sensitivity(analysis.optimizer, float(relative_error), tolerance, truths, margin)


def _analysed(problem: Any, optimizer: Any, given: Mapping[str, Any] | None) -> Analysis:
    if isinstance(problem, Analysis):
        return problem
    if optimizer is None:
        raise InputError("an optimizer is needed, a class or a setting", argument="optimizer")
    return analyze(problem, optimizer, given)


def _moved(spectrum: Spectrum, share: float) -> list[tuple[str, Spectrum]]:
    """Return the spectrum as assumed, and with each end moved either way."""
    m, L = float(spectrum.positive[0]), float(spectrum.positive[-1])
    percent = f"{format_number(100 * share, 3)} %"
    wanted = [("as assumed", m, L)]
    for sign, factor in (("+", 1 + share), ("−", 1 - share)):
        wanted.append((f"λmax {sign}{percent}", m if m < L else m * factor, L * factor))
    if m < L:
        for sign, factor in (("+", 1 + share), ("−", 1 - share)):
            wanted.append((f"λmin {sign}{percent}", m * factor, L))
    return [(n, _between(spectrum, low, high)) for n, low, high in wanted if low <= high]


def _between(spectrum: Spectrum, m: float, L: float) -> Spectrum:
    """Return a spectrum with its positive part between new ends."""
    if spectrum.is_interval and spectrum.lambda_min > 0:
        return Spectrum.between(m, L)
    values = spectrum.eigenvalues.copy()
    chosen = values > 0
    part = np.clip(values[chosen], m, L)
    part[0], part[-1] = m, L
    values[chosen] = part
    low, high = float(values[0]), float(values[-1])
    return replace(
        spectrum,
        eigenvalues=values,
        lambda_min_bracket=Bracket(low, low),
        lambda_max_bracket=Bracket(high, high),
        exact_eigenvalues=None,
        data=None,
    )


def _with_fewer(analysis: Analysis) -> Analysis:
    """Return the same along some of very many eigenvalues, which stand for all."""
    spectrum, values = analysis.spectrum, analysis.spectrum.eigenvalues
    if spectrum.is_interval or len(values) <= MANY:
        return analysis
    last = len(values) - 1
    by_rank = np.linspace(0, last, _STAND).round().astype(int)
    by_value = np.searchsorted(values, np.linspace(values[0], values[-1], _STAND)).clip(0, last)
    chosen = np.union1d(by_rank, by_value)
    return replace(analysis, spectrum=Spectrum.from_eigenvalues(values[chosen]))


def _judged(
    name: str,
    spectrum: Spectrum,
    analysis: Analysis,
    tolerance: float,
    given: Mapping[str, Any] | None,
) -> Truth:
    here = replace(analysis, spectrum=spectrum)
    best = None
    if analysis.scope == "global":
        best = analyze(spectrum, type(analysis.optimizer), given)
    return Truth(
        name=name,
        lambda_min=float(spectrum.positive[0]),
        lambda_max=float(spectrum.positive[-1]),
        is_stable=here.is_stable,
        rate=here.rate,
        one_minus_rate=here.one_minus_rate,
        steps=_count(here, tolerance),
        best_rate=None if best is None else best.rate,
        best_steps=None if best is None else _count(best, tolerance),
    )


def _count(analysis: Analysis, tolerance: float) -> int | None:
    """Count from the worst start; of a rule that is not linear, by the rate."""
    criterion = "rate" if analysis.scope == "local" else "norm"
    return analysis.steps_to(tolerance, criterion=criterion)


def _margin(analysis: Analysis) -> float:
    """Return by what share λmax may grow until the setting stops to converge."""
    L = float(analysis.spectrum.positive[-1])
    local = analysis.scope in {"local", "asymptotic"}
    low, factors = 0.0, np.geomspace(1e-3, _LARGEST_MARGIN, 400)
    for _ in range(12):  # ever finer grids around the first that does not converge
        tops = modes(analysis.optimizer, L * (1 + factors), local=local)
        lost = np.flatnonzero(~(tops.one_minus_rate > 0))
        if not lost.size:
            return math.inf if factors[-1] >= _LARGEST_MARGIN else float(factors[-1])
        first = int(lost[0])
        low = float(factors[first - 1]) if first else low
        factors = np.linspace(low, factors[first], 66)[1:]
    return low
