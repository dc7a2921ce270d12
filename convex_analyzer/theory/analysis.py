"""`analyze`: everything that follows from an optimizer and a spectrum, before any run."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.results import Result
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_factor
from convex_analyzer.theory import wording
from convex_analyzer.theory.arguments import (
    checked_counts,
    checked_start,
    require_one_setting,
)
from convex_analyzer.theory.counting import count_steps, per_step
from convex_analyzer.theory.directions import Directions
from convex_analyzer.theory.dynamics import Dynamics, from_rest
from convex_analyzer.theory.local import is_linear, scope_of
from convex_analyzer.theory.modes import Modes, modes, representative_eigenvalues
from convex_analyzer.theory.products import Products
from convex_analyzer.theory.stability import stable_rates_on
from convex_analyzer.theory.transients import Peak, worst_peak
from convex_analyzer.theory.tuning import has_defaults, tuned_pair

__all__ = ["Analysis", "analyze"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Analysis(Result):
    """An optimizer on a spectrum; made by `analyze`. Everything is computed when asked for.

    Attributes
    ----------
    spectrum
        The curvature.
    optimizer
        The rule with its hyper-parameters.
    tuned
        Names of the hyper-parameters that were chosen for this spectrum.
    """

    schema: ClassVar[str] = "convex_analyzer.analysis/1"

    spectrum: Spectrum
    optimizer: Optimizer
    tuned: tuple[str, ...] = ()
    _precise: Optimizer | None = field(default=None, repr=False, compare=False)

    # -- what the method does --------------------------------------------------------------------

    @functools.cached_property
    def _eigenvalues(self) -> Array:
        return representative_eigenvalues(self.spectrum)

    @functools.cached_property
    def modes(self) -> Modes:
        """The dynamics along every direction (numbers for experts)."""
        local = self.scope in {"local", "asymptotic"}
        return modes(self._precise or self.optimizer, self._eigenvalues, local=local)

    @functools.cached_property
    def scope(self) -> str:
        """How far the analysis reaches.

        ``global``: the rule is linear on quadratics, so nothing depends on where one is.
        ``periodic``: so it is, and it repeats after some steps; rates are means over a period.
        ``asymptotic``: it changes with the step index and tends to a linear rule; rates and
        stability are those of that limit. ``product``: it changes and tends to none; it has no
        rate, and its steps are multiplied out. ``local``: it is not linear; what is said holds for
        small errors next to the minimum.
        """
        return scope_of(self.optimizer)

    @property
    def _steps(self) -> int:
        """How many steps one application of the modes stands for."""
        return (self.optimizer.cycle or 1) if self.scope == "periodic" else 1

    def _require(self, *scopes: str) -> None:
        if self.scope not in scopes:
            raise NotDerivableError(wording.no_whole_run(self))

    @functools.cached_property
    def directions(self) -> Directions:
        """What happens along each eigendirection."""
        return Directions(self.modes)

    @functools.cached_property
    def _active(self) -> npt.NDArray[np.bool_]:
        """Directions that carry loss: all but the flat ones."""
        return np.asarray(self._eigenvalues != 0)

    @functools.cached_property
    def one_minus_rate(self) -> float:
        """1 - ρ to full relative precision; negative for a method that diverges."""
        if not self._active.any():
            return 0.0
        return per_step(float(np.min(self.modes.one_minus_rate[self._active])), self._steps)

    @property
    def rate(self) -> float:
        """ρ: the factor per step of the slowest direction that carries loss (loss: ρ²)."""
        if not self._active.any():
            return 1.0
        return float(np.max(self.modes.rates[self._active]) ** (1 / self._steps))

    @property
    def rate_text(self) -> str:
        """ρ as text; as 1 − x where its digits would not show the difference."""
        return "0" if self.rate < 1e-14 else format_factor(self.rate, self.one_minus_rate, 7)

    @functools.cached_property
    def slowest(self) -> int:
        """Index of the direction that sets the rate."""
        w = np.where(self._active, self.modes.one_minus_rate, np.inf)
        return int(np.argmin(w))

    @functools.cached_property
    def outcome(self) -> str:
        """``stable``, ``marginal``, ``unstable``, ``drifting`` (no minimum) or ``flat``."""
        if self._drifts:
            return "drifting" if self.one_minus_rate >= 0 else "unstable"
        if not self._active.any():
            return "flat"
        if self.one_minus_rate > 0 and not self._on_boundary:
            return "stable"
        return "marginal" if self._on_boundary else "unstable"

    @functools.cached_property
    def _on_boundary(self) -> bool:
        w = self.modes.one_minus_rate[self._active]
        worst = int(np.argmin(w))
        root = self.modes.roots[self._active][worst, 0]
        slow = root.real > 0 and root.imag == 0
        return bool(abs(w[worst]) <= (0.0 if slow else 4e-16))

    @functools.cached_property
    def _drifts(self) -> bool:
        linear = self.spectrum.linear
        if linear is None or self.spectrum.is_interval:
            return False
        flat = np.abs(linear[self.spectrum.eigenvalues == 0])
        return bool(flat.size and flat.max() > 1e-10 * np.linalg.norm(linear))

    @property
    def is_stable(self) -> bool:
        """Whether every direction that carries loss contracts."""
        return self.outcome == "stable"

    @functools.cached_property
    def stable_learning_rates(self) -> list[tuple[float, float]] | None:
        """Open intervals of stable learning rates, the other hyper-parameters unchanged.

        None for a rule without a field ``learning_rate``, or one that divides by it.
        """
        try:
            return stable_rates_on(self.optimizer, self.spectrum)
        except NotDerivableError:
            return None

    @property
    def stability_limit(self) -> float | None:
        """Supremum of the stable learning rates; None when there are none."""
        intervals = self.stable_learning_rates
        return intervals[-1][1] if intervals else None

    @property
    def stability_set(self) -> Any:
        """The stable learning rates as a SymPy set."""
        import sympy

        pieces = [
            sympy.Interval.open(sympy.Float(a), sympy.oo if math.isinf(b) else sympy.Float(b))
            for a, b in self.stable_learning_rates or ()
        ]
        return sympy.Union(*pieces) if pieces else sympy.S.EmptySet

    # -- curves --------------------------------------------------------------------------------

    def coordinates(self, start: Any) -> Array:
        """Return a start (d,) in the eigenbasis, (n,)."""
        if self.spectrum.is_interval:
            raise NotDerivableError(
                "only the ends of the spectrum are known, so a start cannot be followed; "
                "leave start out for the worst case"
            )
        return self.spectrum.to_eigenbasis(checked_start(start, self.spectrum.dimension))

    @functools.cached_property
    def _dynamics(self) -> Dynamics | Products:
        self._require("global", "periodic", "asymptotic", "product")
        return (
            Dynamics(self.modes, self.products.linear) if self.scope == "global" else self.products
        )

    @functools.cached_property
    def products(self) -> Products:
        """The steps of the rule as maps to be multiplied (numbers for experts)."""
        linear, values = self.spectrum.linear, self._eigenvalues
        return Products(self.optimizer, values, 0 * values if linear is None else linear)

    def errors(self, start: Any, steps: Any) -> Array:
        """Return the deviation from the critical point in the eigenbasis, shape (n,) or (K, n).

        Along flat directions, where there is no critical point, the deviation is from the start.
        """
        errors = self._dynamics.errors(self.coordinates(start), checked_counts(steps))
        return errors[0] if np.ndim(steps) == 0 else errors

    def predict(self, start: Any, steps: Any) -> Array:
        """Return the reported point after the given numbers of steps, in closed form.

        Parameters
        ----------
        start
            θ₀, shape (d,).
        steps
            A number, or shape (K,); any size: 1e12 costs what 10 costs.

        Returns
        -------
        array of shape (d,) or (K, d)

        Examples
        --------
        >>> from convex_analyzer.optimizers.gradient import GradientDescent
        >>> toy = analyze(Spectrum.from_eigenvalues([0.2, 4.0]), GradientDescent(0.4))
        >>> toy.predict([-5.0, -2.0], 20).round(6)
        array([-9.43467e-01, -7.30000e-05])
        """
        moved = self._dynamics.moved(self.coordinates(start), checked_counts(steps))
        with np.errstate(all="ignore"):
            path = np.asarray(start, dtype=float) + self.spectrum.from_eigenbasis(moved)
        return path[0] if np.ndim(steps) == 0 else path

    def gap(self, start: Any, steps: Any) -> Any:
        """Return J - J(critical point) after the given numbers of steps, in closed form.

        For a convex problem this is the distance to the minimum; for a saddle it may have either
        sign; along flat directions with slope it falls without end.
        """
        total = self._dynamics.gap(self.coordinates(start), checked_counts(steps))
        return float(total[0]) if np.ndim(steps) == 0 else total

    def gap_by_direction(self, start: Any, steps: Any) -> Array:
        """Return each direction's part of the gap, shape (n,) or (K, n)."""
        parts = self._dynamics.gap_by_direction(self.coordinates(start), checked_counts(steps))
        return parts[0] if np.ndim(steps) == 0 else parts

    def worst_error(self, steps: Any) -> Array:
        """Return max over directions of |e_k/e_0| from rest, shape (K,): the worst start."""
        k = checked_counts(steps)
        if self.scope == "global":
            ratios = from_rest(self.modes, k)
        else:
            self._require("periodic", "asymptotic", "product")
            ones = np.ones(len(self._eigenvalues))
            ratios = Products(self.optimizer, self._eigenvalues, 0 * ones).reported(ones, k)
        curves = np.abs(ratios)[:, self._active]
        return np.asarray(curves.max(axis=1)) if curves.size else np.ones(len(k))

    # -- counts ----------------------------------------------------------------------------------

    def steps_to(
        self, tolerance: float = 1e-6, start: Any = None, criterion: str = "gap"
    ) -> int | None:
        """Return the first step at which the error is at most `tolerance` times the initial one.

        Parameters
        ----------
        tolerance
            Between 0 and 1.
        start
            θ₀, shape (d,). Without it, the worst start for this spectrum.
        criterion
            ``"gap"``: J - J*; ``"norm"``: |θ - θ*| without flat directions; ``"rate"``: ρᵏ, which
            ignores transients.

        Returns
        -------
        int or None
            None when it never happens (`explain` says why).

        Examples
        --------
        >>> from convex_analyzer.optimizers.gradient import GradientDescent
        >>> analyze(Spectrum.between(1.0, 100.0), GradientDescent).steps_to(1e-6, criterion="norm")
        691
        """
        return count_steps(self, tolerance, start, criterion)

    def relative_error(self, start: Any, criterion: str) -> Any:
        """Return the error relative to the first, as a function of k; or the products that know."""
        if start is None:
            return lambda k: self.worst_error(k) ** (2 if criterion == "gap" else 1)
        if isinstance(self._dynamics, Products):
            return self._dynamics
        return self._dynamics.relative_error(self.coordinates(start), criterion)

    @functools.cached_property
    def transient_peak(self) -> Peak:
        """The largest |e_k/e_0| over directions and steps, from rest: 1 when nothing overshoots."""
        self._require("global")
        return worst_peak(self.modes, from_rest, self._active)

    # -- words -----------------------------------------------------------------------------------

    def verdict(self) -> str:
        """Return one sentence: does it converge, how fast, limited by what."""
        return wording.verdict(self)

    def explain(self) -> str:
        """Return sentences that say where the numbers come from."""
        return wording.explain(self)

    def summary(self) -> Table:
        """Return a table of the main facts."""
        return wording.summary(self)

    def latex(self) -> str:
        """Return the set of stable learning rates as LaTeX."""
        import sympy

        return str(sympy.latex(self.stability_set))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"schema": self.schema, **wording.plain(self)}

    def __repr__(self) -> str:
        return f"<Analysis {self.optimizer} on {self.spectrum.name}: {self.outcome}>"


def analyze(
    problem: Quadratic | Spectrum | Any,
    optimizer: Optimizer | type[Optimizer],
    given: Mapping[str, Any] | None = None,
) -> Analysis:
    """Analyse an optimizer on a problem or a spectrum.

    Parameters
    ----------
    problem
        A `Quadratic`, a `Spectrum`, or anything that `Quadratic` accepts as A.
    optimizer
        An instance: as given. A class: tuned for this spectrum.
    given
        With a class: hyper-parameters that stay fixed while the others are tuned.

    Raises
    ------
    NotDerivableError
        The rule is not linear, so that there is no closed form.
    InputError
        Not an optimizer; hyper-parameters for several runs at once.

    Notes
    -----
    Of a rule that is not linear the local analysis is given: small errors next to the minimum. Its
    class stands for the defaults of its source, since a setting that is best there says little
    about the way to it (`compare` tunes such rules by running them).

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> round(analyze(Spectrum.between(1.0, 100.0), HeavyBall).rate, 6)
    0.818182
    """
    spectrum = problem if isinstance(problem, Spectrum) else compute_spectrum(problem)
    if optimizer is Optimizer:
        raise InputError(
            "Optimizer is only the base class; name one of its subclasses", argument="optimizer"
        )
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        if has_defaults(optimizer, given) and not is_linear(optimizer(**dict(given or {}))):
            return Analysis(spectrum, optimizer(**dict(given or {})))
        rounded, exact = tuned_pair(spectrum, optimizer, given)
        names = tuple(name for name in optimizer.hyperparameters() if name not in (given or {}))
        return Analysis(spectrum, rounded, names, exact)
    if not isinstance(optimizer, Optimizer):
        raise InputError(
            f"optimizer must be an Optimizer or a class of one, got {optimizer!r}",
            argument="optimizer",
        )
    require_one_setting(optimizer)
    return Analysis(spectrum, optimizer)
