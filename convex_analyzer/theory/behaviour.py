"""What an optimizer does on a spectrum in the long run: rate, outcome, stable learning rates."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_factor
from convex_analyzer.theory import wording
from convex_analyzer.theory.counting import per_step
from convex_analyzer.theory.directions import Directions
from convex_analyzer.theory.local import scope_of
from convex_analyzer.theory.modes import Modes, modes, representative_eigenvalues
from convex_analyzer.theory.sets import as_set
from convex_analyzer.theory.stability import stable_rates_on

if TYPE_CHECKING:
    from convex_analyzer.theory.regions import Region

__all__ = ["Behaviour"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Behaviour(Result):
    """An optimizer on a spectrum: what it does in the long run. Base of `Analysis`."""

    spectrum: Spectrum
    optimizer: Optimizer
    tuned: tuple[str, ...] = ()
    _precise: Optimizer | None = field(default=None, repr=False, compare=False)

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

    def as_run(self) -> Self:
        """Return the same with tuned settings rounded to float64, as a run has them.

        The theory of tuned settings knows them in double-double. Where that makes a difference (a
        double root that rounding splits, κ beyond 1e10), counts that are set beside those of a run
        are counted with the settings of the run.

        Examples
        --------
        >>> from convex_analyzer.optimizers.momentum import HeavyBall
        >>> from convex_analyzer.spectra.spectrum import Spectrum
        >>> from convex_analyzer.theory.analysis import analyze
        >>> tuned = analyze(Spectrum.between(1.0, 1e19), HeavyBall)
        >>> tuned.as_run().rate == analyze(tuned.spectrum, tuned.optimizer).rate
        True
        """
        return type(self)(self.spectrum, self.optimizer, self.tuned)

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
        """End of the lowest interval of stable learning rates; None when there are none.

        For nearly every rule this is the only interval, and begins at 0.
        """
        intervals = self.stable_learning_rates
        return intervals[0][1] if intervals else None

    @functools.cached_property
    def region(self) -> Region:
        """Where this rule converges, in symbols: the learning rate open, the rest as given.

        Raises
        ------
        NotDerivableError
            See `convex_analyzer.stability_region`.
        """
        from convex_analyzer.theory.exact import exact_rule
        from convex_analyzer.theory.regions import stability_region

        rule = self.optimizer
        if self.tuned and self.spectrum.kind == "exact" and "learning_rate" in rule.values:
            with contextlib.suppress(NotDerivableError):  # tuned by a search: as rounded
                exact = exact_rule(self.spectrum, rule, self.tuned)
                rule = exact.unchecked(learning_rate=rule.values["learning_rate"])
        return stability_region(rule)

    @functools.cached_property
    def stability_set(self) -> Any:
        """The stable learning rates as a SymPy set.

        End points are exact where the eigenvalues are: given, or of an exact matrix, decimals of
        the settings being the fractions that they stand for. Where the eigenvalues were computed,
        or the rule has no region in symbols, they are the floats of `stable_learning_rates`.

        Examples
        --------
        >>> from convex_analyzer.optimizers.momentum import Nesterov
        >>> Behaviour(Spectrum.between(1, 10), Nesterov(0.1, momentum=0.9)).stability_set
        Interval.open(0, 19/140)
        """
        if self.spectrum.kind == "exact" and self._active.any():
            with contextlib.suppress(NotDerivableError):
                return self.region.in_learning_rate(self.spectrum)
        return as_set(self.stable_learning_rates or [])

    def latex(self) -> str:
        r"""Return the set of stable learning rates as LaTeX; what is not exact has six digits.

        Examples
        --------
        >>> from convex_analyzer.optimizers.gradient import GradientDescent
        >>> from convex_analyzer.spectra.compute import spectrum
        >>> print(Behaviour(spectrum([[2, 1], [1, 10]]), GradientDescent(0.1)).latex())
        \left(0, 0.197568\right)
        """
        import sympy

        found = self.stability_set
        short = {
            x: sympy.Integer(int(x)) if float(x).is_integer() else sympy.Float(x, 6)
            for x in found.atoms(sympy.Float)
        }
        return str(sympy.latex(found.xreplace(short)))
