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
from convex_analyzer.results import Result, to_plain
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.spectrum import SHOWN, Spectrum
from convex_analyzer.tables import Table, format_count, format_factor, format_number
from convex_analyzer.theory.counting import first_crossing, steps_at_rate
from convex_analyzer.theory.curves import (
    decaying_sum,
    displacement,
    log_rates,
    powers,
    propagate,
)
from convex_analyzer.theory.modes import Modes, modes
from convex_analyzer.theory.stability import stable_learning_rates
from convex_analyzer.theory.transients import Peak, worst_peak
from convex_analyzer.theory.tuning import tuned_pair

__all__ = ["Analysis", "Direction", "Directions", "analyze"]

Array = npt.NDArray[np.float64]

_GRID = 257  # eigenvalues that stand for an interval, besides its ends


@dataclass(frozen=True)
class Direction:
    """What a method does along one eigendirection.

    Attributes
    ----------
    eigenvalue
        λ.
    factors
        Roots of the characteristic polynomial, largest first.
    regime
        In words.
    rate
        max|root|: the factor per step in the long run.
    half_life
        Steps per halving of the error; None where it does not shrink.
    """

    eigenvalue: float
    factors: tuple[complex, ...]
    regime: str
    rate: float
    half_life: float | None


class Directions:
    """Columns over all eigendirections, in ascending order of λ; ``[i]`` gives one of them."""

    def __init__(self, modes: Modes) -> None:
        self._modes = modes

    def __len__(self) -> int:
        return len(self._modes.eigenvalues)

    @property
    def eigenvalue(self) -> Array:
        """λ, shape (n,)."""
        return self._modes.eigenvalues

    @property
    def factors(self) -> npt.NDArray[np.complex128]:
        """Roots, largest first, shape (n, slots)."""
        return self._modes.roots

    @property
    def rate(self) -> Array:
        """max|root|, shape (n,)."""
        return self._modes.rates

    @functools.cached_property
    def regime(self) -> list[str]:
        """What each direction does, in words."""
        return self._modes.regimes()

    @property
    def half_life(self) -> Array:
        """Steps per halving, shape (n,); infinite where the error does not shrink."""
        with np.errstate(divide="ignore"):
            log = np.log1p(-np.minimum(self._modes.one_minus_rate, 1.0))
            return np.where(log < 0, math.log(0.5) / np.where(log < 0, log, -1.0), np.inf)

    def __getitem__(self, index: int) -> Direction:
        half = float(self.half_life[index])
        single = self._modes.regime(index)
        return Direction(
            float(self.eigenvalue[index]),
            tuple(complex(root) for root in self.factors[index]),
            single,
            float(self.rate[index]),
            half if math.isfinite(half) else None,
        )

    def head(self, count: int = 5) -> list[Direction]:
        """Return the first few."""
        return [self[i] for i in range(min(count, len(self)))]

    def table(self) -> Table:
        """Return a table; beyond 40 directions only both ends."""
        size = len(self)
        shown = list(range(size))
        if size > SHOWN:
            shown = [*range(SHOWN // 4), *range(size - SHOWN // 4, size)]
        rows = tuple(self._row(i) for i in shown)
        note = (f"{size - len(shown)} directions between are not shown.",) if size > SHOWN else ()
        columns = ("direction", "eigenvalue λ", "factor per step", "rate ρ", "half-life", "regime")
        return Table(columns, rows, notes=note)

    def _row(self, i: int) -> tuple[str, ...]:
        one = self[i]
        half = "–" if one.half_life is None else format_number(one.half_life, 3)
        return (
            f"q{i + 1}",
            format_number(one.eigenvalue),
            format_root(one.factors[0], float(self._modes.one_minus_rate[i])),
            format_factor(one.rate, float(self._modes.one_minus_rate[i])),
            half,
            one.regime,
        )


def format_root(root: complex, distance: float) -> str:
    """Write a root: a real one with its sign, a complex pair as modulus and angle.

    Parameters
    ----------
    root
        The root.
    distance
        1 - |root|.
    """
    if abs(root.imag) <= 1e-9 * abs(root):
        return format_factor(root.real, distance)
    angle = math.degrees(math.atan2(abs(root.imag), root.real))
    return f"{format_factor(abs(root), distance, 4)} ∠ ±{format_number(angle, 3)}°"


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
        if not self.spectrum.is_interval:
            return self.spectrum.eigenvalues
        m, L = self.spectrum.lambda_min, self.spectrum.lambda_max
        if m <= 0:
            return np.unique(np.linspace(m, L, _GRID))
        return np.unique(np.concatenate([np.geomspace(m, L, _GRID)[1:-1],
                                         np.linspace(m, L, _GRID)[1:-1], [m, L]]))  # fmt: skip

    @functools.cached_property
    def modes(self) -> Modes:
        """The dynamics along every direction (numbers for experts)."""
        return modes(self._precise or self.optimizer, self._eigenvalues)

    @property
    def scope(self) -> str:
        """``global``: the rule is linear on quadratics, so nothing depends on where one is."""
        return "global"

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
        return float(np.min(self.modes.one_minus_rate[self._active]))

    @property
    def rate(self) -> float:
        """ρ: the factor per step of the slowest direction that carries loss (loss: ρ²)."""
        if not self._active.any():
            return 1.0
        return float(np.max(self.modes.rates[self._active]))

    @property
    def rate_text(self) -> str:
        """ρ as text; as 1 − x where its digits would not show the difference."""
        return format_factor(self.rate, self.one_minus_rate, 7)

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
    def stable_learning_rates(self) -> list[tuple[float, float]]:
        """Open intervals of stable learning rates, the other hyper-parameters unchanged."""
        return stable_learning_rates(self.optimizer, self.spectrum.eigenvalues)

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
            for a, b in self.stable_learning_rates
        ]
        return sympy.Union(*pieces) if pieces else sympy.S.EmptySet

    # -- curves --------------------------------------------------------------------------------

    def _coordinates(self, start: Any) -> Array:
        """Return a start (d,) in the eigenbasis, (n,)."""
        if self.spectrum.is_interval:
            raise NotDerivableError(
                "only the ends of the spectrum are known, so a start cannot be followed; "
                "leave start out for the worst case"
            )
        vector = np.asarray(start, dtype=float)
        vectors = self.spectrum.eigenvectors
        size = self.spectrum.dimension
        if vector.shape != (size,):
            raise InputError(
                f"start must have shape ({size},), got {vector.shape}", argument="start"
            )
        if not np.all(np.isfinite(vector)):
            raise InputError("start has entries that are not finite", argument="start")
        return vector if vectors is None else vectors.T @ vector

    def _linear(self) -> Array:
        linear = self.spectrum.linear
        return np.zeros(len(self._eigenvalues)) if linear is None else linear

    def _initial(self, y0: Array) -> tuple[Array, Array]:
        """Return the starting state z₀ (n, s) and the first displacement z₁ - z₀ (n, s)."""
        m, beta = self.modes, self._linear()[:, None]
        state = m.start * y0[:, None] + m.start_offset * beta
        return state, np.einsum("nij,nj->ni", m.minus_identity, state) + m.offset * beta

    def errors(self, start: Any, steps: Any) -> Array:
        """Return the deviation from the critical point in the eigenbasis, shape (K, n).

        Parameters
        ----------
        start
            θ₀, shape (d,).
        steps
            Numbers of steps, shape (K,) or a number.

        Along flat directions, where there is no critical point, the deviation is from the start.
        """
        k = _counts(steps)
        y0 = self._coordinates(start)
        m, beta = self.modes, self._linear()
        state, _ = self._initial(y0)
        state = state - m.fixed * beta[:, None]
        result = _follow(m, state, k)
        shift = np.einsum("ni,ni->n", m.report, m.fixed) * beta
        active = self._active
        lam = np.where(active, self._eigenvalues, 1.0)
        result = result + np.where(active, shift + beta / lam, 0.0) * self._is_shifted
        if not active.all():
            result[:, ~active] = self._moved(y0, k)[:, ~active]
        return result

    @functools.cached_property
    def _is_shifted(self) -> Array:
        """1 where the method ends elsewhere than at the critical point, else 0."""
        m = self.modes
        ends = np.einsum("ni,ni->n", m.report, m.fixed) * self._eigenvalues
        return np.where(np.abs(ends + 1) > 1e-13, 1.0, 0.0)

    def _moved(self, y0: Array, k: Array) -> Array:
        """Return the reported point minus the start, in the eigenbasis, (K, n)."""
        m = self.modes
        state, change = self._initial(y0)
        offset = np.einsum("ni,ni->n", m.report, state) - y0
        if m.slots <= 2:
            first = np.einsum("ni,ni->n", m.report, change)
            second = np.einsum(
                "ni,ni->n", m.report, np.einsum("nij,nj->ni", m.minus_identity, change)
            )
            return np.asarray(offset + displacement(m, first, second, k))
        size = m.slots
        whole = np.zeros((len(y0), size + 1, size + 1))
        whole[:, :size, :size], whole[:, :size, size], whole[:, size, size] = m.matrix, change, 1.0
        unit = np.zeros((len(y0), size + 1))
        unit[:, size] = 1.0
        rows = [np.einsum("ni,ni->n", m.report, powers(whole, int(c), unit)[:, :size]) for c in k]
        return np.asarray(offset + np.stack(rows))

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
        k = _counts(steps)
        y0 = self._coordinates(start)
        moved = self._moved(y0, k)
        vectors = self.spectrum.eigenvectors
        with np.errstate(all="ignore"):
            path = np.asarray(start, dtype=float) + (
                moved if vectors is None else moved @ vectors.T
            )
        return path[0] if np.ndim(steps) == 0 else path

    def gap(self, start: Any, steps: Any) -> Any:
        """Return J - J(critical point) after the given numbers of steps, in closed form.

        For a convex problem this is the distance to the minimum; for a saddle it may have either
        sign; along flat directions with slope it falls without end.
        """
        quick = self._quick_gap(start, steps)
        if quick is not None:
            return quick
        shares = self.gap_by_direction(start, steps)
        with np.errstate(all="ignore"):
            total = shares.sum(axis=-1)
        total = np.where(np.isnan(total), np.inf, total)
        return float(total) if np.ndim(steps) == 0 else total

    def _quick_gap(self, start: Any, steps: Any) -> Any:
        """Return the gap of a one-slot rule as a sum of exponentials, or None elsewhere."""
        if self.modes.slots != 1 or not self._active.all() or self._is_shifted.any():
            return None
        first = self.errors(start, 0)[0]
        k = _counts(steps)
        total = decaying_sum(2 * log_rates(self.modes), self._eigenvalues * first**2 / 2, k)
        total = np.where(np.isnan(total), np.inf, total)
        return float(total[0]) if np.ndim(steps) == 0 else total

    def gap_by_direction(self, start: Any, steps: Any) -> Array:
        """Return each direction's part of the gap, shape (n,) or (K, n)."""
        errors = self.errors(start, steps)
        with np.errstate(all="ignore"):
            parts = self._eigenvalues * errors**2 / 2
            flat = ~self._active
            if flat.any():
                y0 = self._coordinates(start)
                parts[:, flat] = self._linear()[flat] * (y0[flat] + errors[:, flat])
        return parts[0] if np.ndim(steps) == 0 else parts

    def worst_error(self, steps: Any) -> Array:
        """Return max over directions of |e_k/e_0| from rest, shape (K,): the worst start."""
        m, k = self.modes, _counts(steps)
        curves = np.abs(_follow(m, m.start, k))[:, self._active]
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
        if not 0 < tolerance < 1:
            raise InputError(
                f"tolerance must be in (0, 1), got {tolerance!r}", argument="tolerance"
            )
        if criterion not in {"gap", "norm", "rate"}:
            raise InputError(
                f"criterion must be 'gap', 'norm' or 'rate', got {criterion!r}",
                argument="criterion",
            )
        if criterion == "rate" or self.outcome != "stable":
            return (
                steps_at_rate(self.one_minus_rate, tolerance) if self.outcome == "stable" else None
            )
        return first_crossing(
            self._relative_error(start, criterion),
            tolerance,
            hint=float(steps_at_rate(self.one_minus_rate, tolerance) or 1),
            directions=len(self._eigenvalues),
            monotone=self.modes.slots == 1,
        )

    def _relative_error(self, start: Any, criterion: str) -> Any:
        if start is None:
            power = 2 if criterion == "gap" else 1
            return lambda k: self.worst_error(k) ** power
        active = self._active

        def size(k: Any) -> Array:
            errors = self.errors(start, k)[:, active]
            weights = self._eigenvalues[active] if criterion == "gap" else 1.0
            total = np.asarray((weights * errors**2).sum(axis=1))
            return total if criterion == "gap" else np.sqrt(total)

        initial = float(size(np.zeros(1))[0])
        return lambda k: size(k) / initial if initial > 0 else np.zeros(len(k))

    @functools.cached_property
    def transient_peak(self) -> Peak:
        """The largest |e_k/e_0| over directions and steps, from rest: 1 when nothing overshoots."""
        return worst_peak(self.modes, self._from_rest, self._active)

    @staticmethod
    def _from_rest(modes: Modes, k: Array) -> Array:
        return _follow(modes, modes.start, k)

    # -- words -----------------------------------------------------------------------------------

    def verdict(self) -> str:
        """Return one sentence: does it converge, how fast, limited by what."""
        name = str(self.optimizer)
        match self.outcome:
            case "stable":
                w = self.one_minus_rate
                loss = format_factor(self.rate**2, w * (2 - w), 7)
                return (
                    f"{name} converges: error ×{_bracketed(self.rate_text)} per step, "
                    f"loss ×{_bracketed(loss)}, set by {self._name(self.slowest)}."
                )
            case "marginal":
                return f"{name} is exactly on the boundary: it neither converges nor diverges."
            case "drifting":
                return (
                    f"{name} has no minimum to go to: J falls without end along a flat direction."
                )
            case "flat":
                return f"{name}: there is no curvature; nothing limits the step."
        lam = self._eigenvalues[self.slowest]
        growth = format_number(float(self.modes.rates[self.slowest]), 6)
        if lam < 0:
            return (
                f"{name} leaves the saddle: along {self._name(self.slowest)} "
                f"the distance grows ×{growth} per step, for any α."
            )
        return (
            f"{name} diverges: along {self._name(self.slowest)} "
            f"the error grows ×{growth} per step; {self._limit_sentence()}."
        )

    def _name(self, i: int) -> str:
        value = f"λ = {format_number(self._eigenvalues[i], 4)}"
        return value if self.spectrum.is_interval else f"q{i + 1} ({value})"

    def _limit_sentence(self) -> str:
        intervals = self.stable_learning_rates
        if not intervals:
            return "no learning rate is stable"
        low, high = intervals[-1]
        if math.isinf(high):
            return "every learning rate is stable"
        left = format_number(low) if low else "0"
        return f"it needs {left} < α < {format_number(high)}"

    def explain(self) -> str:
        """Return sentences that say where the numbers come from."""
        chosen = (
            f"{', '.join(self.tuned)} tuned for this spectrum"
            if self.tuned
            else "settings as given"
        )
        slots = ", ".join(("θ", *self.optimizer.memory))
        origin = (
            f"The state is ({slots}); its iteration matrix follows from `step` itself, run on "
            "linear forms at every eigenvalue, which also proves that the rule is linear "
            f"({chosen})."
        )
        lines = [
            self.verdict(),
            origin,
            f"Stability: {self._limit_sentence()} (Jury's conditions, exact).",
            f"Source of the rule: {self.optimizer.source or 'not stated'}.",
        ]
        return "\n".join([*lines, *self.optimizer.hints()])

    def latex(self) -> str:
        """Return the set of stable learning rates as LaTeX."""
        import sympy

        return str(sympy.latex(self.stability_set))

    def summary(self) -> Table:
        """Return a table of the main facts."""
        steps = self.steps_to(1e-6)
        peak = self.transient_peak
        rows = (
            ("outcome", self.outcome),
            ("rate ρ (error per step)", self.rate_text),
            ("1 − ρ", format_number(self.one_minus_rate, 6)),
            ("stable learning rates", self._limit_sentence().removeprefix("it needs ")),
            ("steps to gap × 1e-6, worst start", format_count(steps)),
            (
                "largest transient",
                f"× {format_number(peak.size, 4)} after {format_count(peak.step)}",
            ),
            ("scope", f"{self.scope}: linear on quadratics"),
        )
        return Table(
            (str(self.optimizer), self.spectrum.name), rows, notes=(self.verdict(),), left=2
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": self.schema,
            "optimizer": self.optimizer.to_dict(),
            "tuned": list(self.tuned),
            "outcome": self.outcome,
            "scope": self.scope,
            "rate": to_plain(self.rate),
            "one_minus_rate": to_plain(self.one_minus_rate),
            "stable_learning_rates": to_plain(self.stable_learning_rates),
            "steps_to_1e-6_worst_start": self.steps_to(1e-6),
            "transient_peak": to_plain(self.transient_peak),
            "verdict": self.verdict(),
            "spectrum": self.spectrum.to_dict(),
        }

    def __repr__(self) -> str:
        return f"<Analysis {self.optimizer} on {self.spectrum.name}: {self.outcome}>"


def _follow(modes: Modes, state: Array, k: Array) -> Array:
    """Return the reported part of M^k state for each k, (K, n)."""
    if modes.slots <= 2:
        first = np.einsum("ni,ni->n", modes.report, state)
        moved = np.einsum("nij,nj->ni", modes.minus_identity, state)
        return propagate(modes, first, np.einsum("ni,ni->n", modes.report, moved), k)
    rows = [np.einsum("ni,ni->n", modes.report, powers(modes.matrix, int(c), state)) for c in k]
    return np.stack(rows)


def _bracketed(text: str) -> str:
    return f"({text})" if " " in text else text


def _counts(steps: Any) -> Array:
    """Return numbers of steps as a float vector, checked."""
    k = np.atleast_1d(np.asarray(steps, dtype=float))
    if k.ndim != 1 or np.any(k < 0) or np.any(k != np.floor(k)):
        raise InputError("steps must be whole numbers, at least 0", argument="steps", value=steps)
    return k


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

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> round(analyze(Spectrum.between(1.0, 100.0), HeavyBall).rate, 6)
    0.818182
    """
    spectrum = problem if isinstance(problem, Spectrum) else compute_spectrum(problem)
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        rounded, exact = tuned_pair(spectrum, optimizer, given)
        names = tuple(name for name in optimizer.hyperparameters() if name not in (given or {}))
        return Analysis(spectrum, rounded, names, exact)
    if not isinstance(optimizer, Optimizer):
        raise InputError(
            f"optimizer must be an Optimizer or a class of one, got {optimizer!r}",
            argument="optimizer",
        )
    for name, value in optimizer.values.items():
        if isinstance(value, np.ndarray) and value.ndim:
            raise InputError(
                f"analyze takes one setting, but {name} holds {value.size}",
                argument=name,
                hint="analyse them one by one; simulate takes all at once",
            )
    return Analysis(spectrum, optimizer)
