"""A linear rule on eigenvalues that are known exactly: nothing is rounded.

Roots, rate and residuals are rational or algebraic numbers. Settings are taken as the fractions
that their decimals stand for (0.1 is 1/10), those of a class as its published optimum.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table
from convex_analyzer.theory.algebraic import DIGITS, plain, roots_of, sign
from convex_analyzer.theory.iteration import linearise, require_linear
from convex_analyzer.theory.region_words import printed
from convex_analyzer.theory.stability import characteristic_polynomial, jury_conditions
from convex_analyzer.theory.symbolic import exactly

__all__ = ["ExactAnalysis", "ExactDirection", "exact_analysis", "exact_rule"]

_MOST_STEPS = 1_000  # that are multiplied out; fractions grow by some digits each
_MOST_EIGENVALUES = 40


@dataclass(frozen=True, eq=False)
class ExactDirection(Result):
    """What happens along one eigenvalue.

    Attributes
    ----------
    eigenvalue, multiplicity
        λ, and how often it occurs.
    polynomial
        Coefficients of det(zI - M), from the highest power down.
    roots
        Its roots, with multiplicity, the largest first.
    rate
        The largest |root|.
    """

    schema: ClassVar[str] = "convex_analyzer.exact_direction/1"

    eigenvalue: Any
    multiplicity: int
    polynomial: tuple[Any, ...]
    roots: tuple[Any, ...]
    rate: Any
    matrix: tuple[tuple[Any, ...], ...] = field(repr=False)
    start: tuple[Any, ...] = field(repr=False)
    report: tuple[Any, ...] = field(repr=False)

    @property
    def is_stable(self) -> bool:
        """Whether every root lies inside the unit circle, decided by Jury's conditions."""
        return all(sign(condition) > 0 for condition in jury_conditions(self.polynomial))

    def residuals(self, steps: int) -> list[Any]:
        """Return e_k/e_0 from rest for k = 0 … steps: the values p_k(λ), exact."""
        if not 0 <= steps <= _MOST_STEPS:
            raise InputError(
                f"steps must be in [0, {_MOST_STEPS}] for exact residuals, got {steps}",
                argument="steps",
                hint="worst_error(steps) takes any number of steps, in float64",
            )
        return list(itertools.islice(self.following(), steps + 1))

    def following(self) -> Iterator[Any]:
        """Yield e_k/e_0 for k = 0, 1 and so on.

        Rational numbers are followed over one denominator, since reducing each would take longer
        than all else.
        """
        import sympy

        entries = [*itertools.chain(*self.matrix), *self.start, *self.report]
        if not all(entry.is_Rational for entry in entries):
            yield from _followed(self.matrix, self.start, self.report, plain)
            return
        common = math.lcm(*(int(entry.q) for entry in entries))
        rows = [[int(entry * common) for entry in row] for row in self.matrix]
        state = [int(entry * common) for entry in self.start]
        report = [int(entry * common) for entry in self.report]
        denominator = common * common
        for value in _followed(rows, state, report, int):
            yield sympy.Rational(value, denominator)
            denominator *= common

    def summary(self) -> Table:
        """Return a table of one row."""
        return Table(_COLUMNS, (_row(self),))


def _followed(matrix: Any, start: Any, report: Any, simple: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield C Mᵏ z₀."""
    state = list(start)
    while True:
        yield simple(sum(c * x for c, x in zip(report, state, strict=True)))
        state = [simple(sum(m * x for m, x in zip(row, state, strict=True))) for row in matrix]


@dataclass(frozen=True, eq=False, repr=False)
class ExactAnalysis(Result):
    """A linear rule on exact eigenvalues; made by `exact_analysis` or `Analysis.exact`.

    Attributes
    ----------
    name
        The rule.
    settings
        Its hyper-parameters, as SymPy numbers.
    directions
        One for each distinct eigenvalue, ascending; zeros are left out.
    is_interval
        Whether the eigenvalues are only the ends of what may occur.
    """

    schema: ClassVar[str] = "convex_analyzer.exact_analysis/1"

    name: str
    settings: dict[str, Any]
    directions: tuple[ExactDirection, ...]
    is_interval: bool = False

    @functools.cached_property
    def slowest(self) -> ExactDirection:
        """The direction with the largest root."""
        return max(self.directions, key=lambda d: d.rate.evalf(DIGITS))

    @property
    def rate(self) -> Any:
        """ρ, the factor of the error per step, as a number of SymPy."""
        return self.slowest.rate

    @property
    def one_minus_rate(self) -> Any:
        """1 - ρ."""
        return plain(1 - self.rate)

    @property
    def is_stable(self) -> bool:
        """Whether every direction contracts, decided without rounding."""
        return all(direction.is_stable for direction in self.directions)

    @property
    def outcome(self) -> str:
        """``stable``, ``marginal`` (a root exactly on the circle) or ``unstable``."""
        if self.is_stable:
            return "stable"
        return "unstable" if sign(self.rate - 1) > 0 else "marginal"

    def steps_to(self, tolerance: Any) -> int:
        """Return the first k at which no |e_k/e_0| exceeds the tolerance: compared exactly.

        Raises
        ------
        NotDerivableError
            The rule does not converge, or needs more than 1000 steps.
        """
        if not self.is_stable:
            raise NotDerivableError(f"{self.name} is {self.outcome}, so it never gets there")
        goal = exactly(tolerance)
        if float(self.one_minus_rate) * _MOST_STEPS > 1:
            curves = zip(*(d.following() for d in self.directions), strict=True)
            for k, values in enumerate(itertools.islice(curves, _MOST_STEPS + 1)):
                if all(sign(abs(value) - goal) <= 0 for value in values):
                    return k
        raise NotDerivableError(
            f"{self.name} needs more than {_MOST_STEPS} steps, or nearly so; Analysis.steps_to "
            "counts any number of them"
        )

    def latex(self) -> str:
        """Return the settings and the rate as LaTeX."""
        import sympy

        settings = (rf"\text{{{n.replace('_', ' ')}}} = {sympy.latex(v)}"
                    for n, v in self.settings.items())  # fmt: skip
        return r",\quad ".join([*settings, rf"\rho = {sympy.latex(self.rate)}"])

    def summary(self) -> Table:
        """Return the directions as a table."""
        settings = ", ".join(f"{name} = {printed(v)}" for name, v in self.settings.items())
        decimal = f"{float(self.rate):.10g}"
        equal = "" if decimal == printed(self.rate) else f" = {decimal}"
        note = f"ρ = {printed(self.rate)}{equal}; {self.outcome}. Kind: exact."
        if self.is_interval:
            note = f"{note} The two ends of the interval are shown."
        title = f"{self.name}: {settings}"
        rows = tuple(_row(direction) for direction in self.directions)
        return Table(_COLUMNS, rows, title=title, notes=(note,))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; numbers as text."""
        return {
            **super().to_dict(),
            "rate": str(self.rate),
            "one_minus_rate": str(self.one_minus_rate),
            "outcome": self.outcome,
        }

    def __repr__(self) -> str:
        return f"<ExactAnalysis {self.name}: ρ = {printed(self.rate)}, {self.outcome}>"


_COLUMNS = ("λ", "times", "roots", "|root|")


def _row(direction: ExactDirection) -> tuple[str, ...]:
    return (
        printed(direction.eigenvalue),
        str(direction.multiplicity),
        ", ".join(printed(root) for root in direction.roots),
        printed(direction.rate),
    )


def exact_rule(spectrum: Spectrum, optimizer: Optimizer, tuned: tuple[str, ...] = ()) -> Optimizer:
    """Return a rule with its settings as exact numbers, those that were tuned as they were meant.

    Raises
    ------
    NotDerivableError
        As for `exact_analysis`.
    """
    if not tuned:
        return _rule(optimizer, [], {})
    given = {name: v for name, v in optimizer.values.items() if name not in tuned}
    return _rule(type(optimizer), _eigenvalues(spectrum)[0], given)


def exact_analysis(
    spectrum: Spectrum | Any,
    optimizer: Optimizer | type[Optimizer],
    given: Mapping[str, Any] | None = None,
) -> ExactAnalysis:
    """Analyse a linear rule on exact eigenvalues without any rounding.

    Parameters
    ----------
    spectrum
        Of an exact matrix, or given; or a list of numbers: integers, fractions, SymPy numbers,
        decimals as the fractions they stand for.
    optimizer
        An instance; or a class, which stands for its published optimum on these eigenvalues.
    given
        With a class: hyper-parameters that stay fixed.

    Raises
    ------
    NotDerivableError
        The rule is not linear, changes with the step index, or has no published optimum; the
        eigenvalues were computed in float64; the roots have no closed form.
    InputError
        No eigenvalue that is not zero, or more than 40 distinct ones.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> toy = exact_analysis([Fraction(1, 5), 4], GradientDescent)
    >>> toy.settings["learning_rate"], toy.rate
    (10/21, 19/21)
    """
    values, between = _eigenvalues(spectrum)
    rule = _rule(optimizer, values, dict(given or {}))
    distinct = sorted(set(values), key=lambda v: v.evalf(DIGITS))
    if len(distinct) > _MOST_EIGENVALUES:
        raise InputError(
            f"{len(distinct)} distinct eigenvalues are too many for exact roots (at most "
            f"{_MOST_EIGENVALUES})",
            argument="spectrum",
        )
    directions = tuple(_direction(rule, value, values.count(value)) for value in distinct)
    settings = {name: plain(value) for name, value in rule.numbers().items()}
    return ExactAnalysis(type(rule).__name__, settings, directions, between)


def _eigenvalues(spectrum: Spectrum | Any) -> tuple[list[Any], bool]:
    between = False
    listed: Any = spectrum
    if isinstance(spectrum, Spectrum):
        between = spectrum.is_interval
        listed = spectrum.exact_eigenvalues
        if listed is None:
            if spectrum.kind != "exact" or (spectrum.method != "given" and not between):
                raise NotDerivableError(
                    f"the eigenvalues of {spectrum.name} were computed ({spectrum.method}), so "
                    "there is nothing exact about them; give a SymPy matrix, or the eigenvalues"
                )
            listed = spectrum.eigenvalues.tolist()
    values = [value for value in map(exactly, listed) if value != 0]
    if not values:
        raise InputError("no eigenvalue is other than zero", argument="spectrum")
    return values, between


def _rule(
    optimizer: Optimizer | type[Optimizer], values: list[Any], given: dict[str, Any]
) -> Optimizer:
    """Return the rule with exact settings."""
    if isinstance(optimizer, Optimizer):
        return optimizer.transformed(lambda v: exactly(v) if isinstance(v, float) else v)
    positive = sorted((v for v in values if sign(v) > 0), key=lambda v: v.evalf(DIGITS))
    if not positive:
        raise NotDerivableError("without positive curvature there is nothing to tune for")
    given = {name: exactly(v) if isinstance(v, float) else v for name, v in given.items()}
    best = optimizer.published_optimum(positive[0], positive[-1], given)
    if best is None:
        raise NotDerivableError(
            f"no best setting of {optimizer.__name__} is known in closed form; give an instance"
        )
    exact = {n: exactly(v) if isinstance(v, float) else plain(v) for n, v in best.items()}
    return _blank(optimizer, {**given, **exact})


def _blank(optimizer: type[Optimizer], values: dict[str, Any]) -> Optimizer:
    """Return an instance that holds SymPy numbers: their ranges hold by construction."""
    rule = optimizer.__new__(optimizer)
    for one in optimizer.fields():
        value = values.get(one.name, one.default)
        object.__setattr__(rule, one.name, exactly(value) if isinstance(value, float) else value)
    return rule


def _direction(rule: Optimizer, value: Any, count: int) -> ExactDirection:
    iteration = linearise(rule, value)
    require_linear(iteration, rule)
    if rule.cycle != 1:
        raise NotDerivableError(
            f"{type(rule).__name__} changes from step to step; exact roots are those of one map"
        )
    matrix = tuple(tuple(plain(exactly(entry)) for entry in row) for row in iteration.matrix)
    polynomial = tuple(plain(c) for c in characteristic_polynomial(matrix))
    roots = sorted(roots_of(polynomial), key=lambda pair: -pair[1].evalf(DIGITS))
    return ExactDirection(
        eigenvalue=value,
        multiplicity=count,
        polynomial=polynomial,
        roots=tuple(root for root, _ in roots),
        rate=roots[0][1],
        matrix=matrix,
        start=tuple(plain(exactly(x)) for x in iteration.start),
        report=tuple(plain(exactly(c)) for c in iteration.report),
    )
