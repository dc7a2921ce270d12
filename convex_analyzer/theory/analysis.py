"""`analyze`: everything that follows from an optimizer and a spectrum, before any run."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer, how_to_name
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.sheets import Sheet
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.density import Density
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory import wording
from convex_analyzer.theory.arguments import checked_counts, checked_start, require_one_setting
from convex_analyzer.theory.behaviour import Behaviour
from convex_analyzer.theory.counting import count_steps
from convex_analyzer.theory.dynamics import Dynamics, from_rest
from convex_analyzer.theory.local import is_linear
from convex_analyzer.theory.products import Products
from convex_analyzer.theory.transients import Peak, worst_peak
from convex_analyzer.theory.tuning import has_defaults, tuned_pair
from convex_analyzer.theory.worst import worst_from_rest

if TYPE_CHECKING:
    from convex_analyzer.theory.average import Weights
    from convex_analyzer.theory.exact import ExactAnalysis
    from convex_analyzer.theory.limits import DistanceToLimit
    from convex_analyzer.theory.nonnormal import Growth
    from convex_analyzer.theory.sensitivity import Sensitivity
    from convex_analyzer.theory.stochastic import NoiseFloor
    from convex_analyzer.theory.turning import Escape, Turn
    from convex_analyzer.theory.views import Views

__all__ = ["Analysis", "analyze"]

Array = npt.NDArray[np.float64]

_FOLLOWED = 100_000  # steps in all up to which peaks between the ends are followed: 0.2 s


@dataclass(frozen=True, eq=False, repr=False)
class Analysis(Behaviour):
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

    @functools.cached_property
    def _without_slope(self) -> Products:
        return Products(self.optimizer, self._eigenvalues, 0 * self._eigenvalues)

    def without_slope(self) -> Products:
        """Return the same with b = 0 (for experts)."""
        return self._without_slope

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

    def moved_in_pieces(self, start: Any, steps: Any) -> Iterator[tuple[slice, Array, Array]]:
        """Yield what `predict` adds to a start, in the eigenbasis, some directions at a time.

        For experts: see `Dynamics.moved_in_pieces`; for rules that one matrix describes.
        """
        self._require("global")
        dynamics = Dynamics(self.modes, self.products.linear)
        return dynamics.moved_in_pieces(self.coordinates(start), checked_counts(steps))

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
        """Return max over directions of |e_k/e_0| from rest, shape (K,): the worst start.

        Where only the ends of the spectrum are known, over all eigenvalues between them: the
        highest peak is found as long as the steps add up to no more than 100,000; beyond, 512
        eigenvalues are sampled, which gives a lower bound.
        """
        k = checked_counts(steps)
        if self.spectrum.is_interval and self.spectrum.lambda_min > 0 and k.sum() <= _FOLLOWED:
            from convex_analyzer.theory.suprema import worst_error_between

            return worst_error_between(self, k)
        return self.sampled_worst_error(k)

    def sampled_worst_error(self, k: Array) -> Array:
        """Return the same over the eigenvalues that are known, or that stand for an interval."""
        if self.scope == "global":
            return worst_from_rest(self.modes, k, self._active)
        self._require("periodic", "asymptotic", "product")
        ones = np.ones(len(self._eigenvalues))
        ratios = self.without_slope().reported(ones, k)
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
            return lambda k: self.sampled_worst_error(k) ** (2 if criterion == "gap" else 1)
        if isinstance(self._dynamics, Products):
            return self._dynamics
        return self._dynamics.relative_error(self.coordinates(start), criterion)

    @functools.cached_property
    def transient_peak(self) -> Peak:
        """The largest |e_k/e_0| over directions and steps, from rest: 1 when nothing overshoots."""
        self._require("global")
        return worst_peak(self.modes, from_rest, self._active)

    # -- further questions, each answered by its own module ----------------------------------------

    def exact(self) -> ExactAnalysis:
        """Return roots, rate and residuals as rational or algebraic numbers.

        Raises
        ------
        NotDerivableError
            The eigenvalues are not known exactly, or the rule is not linear.

        Examples
        --------
        >>> from convex_analyzer.optimizers.momentum import HeavyBall
        >>> analyze(Spectrum.between(1, 100), HeavyBall).exact().rate
        9/11
        """
        from convex_analyzer.theory.exact import exact_analysis

        values = self.optimizer.values.items()
        given = {name: value for name, value in values if name not in self.tuned}
        if self.tuned:
            return exact_analysis(self.spectrum, type(self.optimizer), given)
        return exact_analysis(self.spectrum, self.optimizer)

    def growth(self) -> Growth:
        """Return how far errors can grow before they decay: `nonnormal.worst_growth`."""
        from convex_analyzer.theory.nonnormal import worst_growth

        return worst_growth(self)

    def turn(self, start: Any) -> Turn:
        """Return when a loss that falls at first begins to rise: `turning.hidden_instability`."""
        from convex_analyzer.theory.turning import hidden_instability

        return hidden_instability(self, start)

    def escape(self, reach: float = 1.0) -> Escape | None:
        """Return when rounding alone leaves a saddle: `turning.round_off_escape`."""
        from convex_analyzer.theory.turning import round_off_escape

        return round_off_escape(self, reach)

    def expected_gap(self, steps: Any, variance: float = 1.0, weights: Weights = None) -> Any:
        """Return E (J - J*) over random starts: `average.expected_gap`."""
        from convex_analyzer.theory.average import expected_gap

        return expected_gap(self, steps, variance, weights)

    def views(self, start: Any = None, steps: Any = 100, **options: Any) -> Views:
        """Return worst case, average and this instance: `views.worst_average_instance`."""
        from convex_analyzer.theory.views import worst_average_instance

        return worst_average_instance(self, start, steps, **options)

    def distance_to_limit(self, start: Any, tolerance: float = 1e-6) -> DistanceToLimit:
        """Return how far this is from the best Krylov method: `limits.distance_to_limit`."""
        from convex_analyzer.theory.limits import distance_to_limit

        return distance_to_limit(self, start, tolerance)

    def sensitivity(self, relative_error: float = 0.1, tolerance: float = 1e-6) -> Sensitivity:
        """Return what it costs if λmax or λmin is another one: `convex_analyzer.sensitivity`."""
        from convex_analyzer.theory.sensitivity import sensitivity

        return sensitivity(self, relative_error=relative_error, tolerance=tolerance)

    def noise_floor(self, noise: Any = None, problem: Any = None) -> NoiseFloor:
        """Return the gap at which noisy gradients make the method hover.

        Parameters
        ----------
        noise
            `AdditiveNoise` or `MiniBatch`; None for the noise that the optimizer brings.
        problem
            The data, which mini-batches are drawn from.

        Examples
        --------
        >>> from convex_analyzer.noise.additive import AdditiveNoise
        >>> from convex_analyzer.optimizers.gradient import GradientDescent
        >>> one = analyze(Spectrum.from_eigenvalues([1.0]), GradientDescent(0.5))
        >>> round(one.noise_floor(AdditiveNoise(1.0)).value, 6)  # ½ λ V with V = 1/3
        0.166667
        """
        from convex_analyzer.theory.stochastic import noise_floor

        return noise_floor(self, noise, problem)

    def pepit_script(self, steps: int = 10, criterion: str = "norm") -> str:
        """Return a script that asks PEPit about a wider class: `pepit.pepit_script`."""
        from convex_analyzer.theory.pepit import pepit_script

        return pepit_script(self, steps, criterion)

    # -- words -----------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """What kind of answer the numbers are: exact, bracketed, numerical or asymptotic."""
        return wording.kind(self)

    def verdict(self) -> str:
        """Return one sentence: does it converge, how fast, limited by what."""
        return wording.verdict(self)

    def explain(self) -> str:
        """Return sentences that say where the numbers come from."""
        return wording.explain(self)

    def summary(self) -> Sheet:
        """Return the main facts, and what happens along each direction."""
        return wording.summary(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"schema": self.schema, **wording.plain(self)}

    def __repr__(self) -> str:
        return f"<Analysis {self.optimizer} on {self.spectrum.name}: {self.outcome}>"


def analyze(
    problem: Quadratic | Spectrum | Density | Any,
    optimizer: Optimizer | type[Optimizer],
    given: Mapping[str, Any] | None = None,
) -> Analysis:
    """Analyse an optimizer on a problem or a spectrum.

    Parameters
    ----------
    problem
        A `Quadratic`, a `Spectrum`, a `Density` (its nodes; pass it as weights to `expected_gap`),
        or anything that `Quadratic` accepts as A.
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
    if isinstance(problem, Density):
        problem = problem.spectrum()
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
            hint=how_to_name(optimizer),
        )
    require_one_setting(optimizer)
    return Analysis(spectrum, optimizer)
