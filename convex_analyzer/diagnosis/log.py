"""What a log says by itself: the loss curve, the rule, the gradient; each quantity once."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.curves import Curve
from convex_analyzer.diagnosis.evidence import Evidence, Series

__all__ = ["Log"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Log:
    """The evidence of a run, and what can be measured on it; None where it cannot."""

    evidence: Evidence

    # the loss ------------------------------------------------------------------------------

    @functools.cached_property
    def monitored(self) -> str:
        """What the loss curve is: "loss", "batch_loss", or "" without one."""
        for name in ("loss", "batch_loss"):
            series = getattr(self.evidence, name)
            if series is not None and len(series):
                return name
        return ""

    @functools.cached_property
    def curve(self) -> Curve | None:
        """The loss curve: on all rows if known, else of the mini-batches."""
        if not self.monitored:
            return None
        series = getattr(self.evidence, self.monitored)
        return Curve(series, self.steps_per_epoch if self.monitored == "batch_loss" else 1)

    @functools.cached_property
    def steps_per_epoch(self) -> int:
        """Updates in one pass over the rows; 1 if unknown."""
        rows, batch = self.evidence.rows, self.evidence.batch_size
        return max(1, rows // batch) if rows and batch else 1

    @property
    def every_step(self) -> bool:
        """Whether the loss was logged after every update, unsmoothed."""
        series = self.curve.series if self.curve else None
        return series is not None and series.stride == 1 and not self.evidence.averaged

    @functools.cached_property
    def stochastic(self) -> bool | None:
        """Whether gradients are of mini-batches; None if unknown."""
        full = self.evidence.full_batch
        if full is not None:
            return not full
        if self.evidence.loss is not None and self.evidence.batch_loss is not None:
            both = self.evidence.batch_loss
            match = self.evidence.loss.at(both.steps)
            seen = np.isfinite(match) & np.isfinite(both.values)
            if seen.sum() > 3:
                return not np.allclose(match[seen], both.values[seen], rtol=1e-4)
        return True if self.monitored == "batch_loss" else None

    @functools.cached_property
    def adaptive(self) -> bool:
        """Whether the rule scales each coordinate by itself: α is then no step along g.

        Where the rule is not named: whether the first update is anything but -αg.
        """
        if self.evidence.optimizer is not None:
            return self.evidence.optimizer in {"adaptive", "sign"}
        first = self._first_steps
        return first is not None and abs(first[0] - 1) > 0.02

    @functools.cached_property
    def momentum(self) -> float:
        """μ of the rule; 0 if it has none or it is unknown.

        Where it is not given, from the first two updates: Δ₀ = -αg₀ and Δ₁ = μΔ₀ - αg₁, so that
        ‖Δ₁‖²/α² = μ²‖g₀‖² + 2μ g₀·g₁ + ‖g₁‖² (heavy ball, exact).
        """
        if self.evidence.momentum is not None or self.adaptive:
            return self.evidence.momentum or 0.0
        if self.evidence.optimizer == "gradient_descent":
            return 0.0
        first = self._first_steps
        if first is None or abs(first[0] - 1) > 0.02:
            return 0.0
        _, second, before, now, cosine = first
        linear = before * now * cosine
        rest = now**2 - second**2
        root = linear**2 - before**2 * rest
        found = (-linear + math.sqrt(root)) / before**2 if root >= 0 else 0.0
        return found if 0.02 < found < 1 else 0.0

    @property
    def first_update(self) -> float | None:
        """‖Δ₀‖/(α‖g₀‖): 1 for descent and heavy ball; None if not logged."""
        return None if self._first_steps is None else self._first_steps[0]

    @functools.cached_property
    def _first_steps(self) -> tuple[float, float, float, float, float] | None:
        """Return ‖Δ₀‖/(α‖g₀‖), ‖Δ₁‖/α, ‖g₀‖, ‖g₁‖ and cos(g₀, g₁); None if not logged."""
        norms, updates = self.evidence.gradient_norm, self.evidence.update_norm
        turns, rates = self.evidence.gradient_cosine, self.evidence.learning_rate
        if norms is None or updates is None or turns is None or rates is None:
            return None
        steps = np.array([0.0, 1.0])
        size, moved = norms.at(steps), updates.at(steps)
        alpha = np.full(2, rates.values[0]) if len(rates) == 1 else rates.at(steps)
        cosine = float(turns.at(steps)[1])
        known = np.concatenate([size, moved, alpha, [cosine]])
        if not np.isfinite(known).all() or not (size > 0).all() or not (alpha > 0).all():
            return None
        ratio = float(moved[0] / (alpha[0] * size[0]))
        return ratio, float(moved[1] / alpha[1]), float(size[0]), float(size[1]), cosine

    @functools.cached_property
    def learning_rate(self) -> float | None:
        """α, the median over the run."""
        series = self.evidence.learning_rate
        return None if series is None else float(np.nanmedian(series.values))

    @property
    def constant_rate(self) -> bool:
        """Whether α is known and the same throughout."""
        series = self.evidence.learning_rate
        return series is not None and float(np.ptp(series.values[np.isfinite(series.values)])) == 0

    @functools.cached_property
    def drops(self) -> Array:
        """Steps at which α was lowered to less than 0.7 of what it was at once."""
        series = self.evidence.learning_rate
        if series is None or len(series) < 2:
            return np.empty(0)
        ratio = series.values[1:] / np.maximum(series.values[:-1], 1e-300)
        return series.steps[1:][ratio < 0.7]

    # the gradient --------------------------------------------------------------------------

    @functools.cached_property
    def cosines(self) -> Series | None:
        """Cosines of consecutive gradients while these are larger than rounding."""
        series = self.evidence.gradient_cosine
        if series is None:
            return None
        keep = np.isfinite(series.values)
        norms, updates = self.evidence.gradient_norm, self.evidence.update_norm
        if norms is not None:
            size = norms.at(series.steps)
            with np.errstate(invalid="ignore"):
                keep &= ~(size < 1e-10 * np.nanmax(norms.values, initial=0.0))
            curve = self.curve
            if updates is not None and curve is not None and len(curve):
                with np.errstate(invalid="ignore"):  # steps that change J by less than rounding
                    keep &= ~(size * updates.at(series.steps) < 1e-12 * curve.size)
        return Series(series.values[keep], series.steps[keep]) if keep.sum() > 2 else None

    def cosine(self, begin: float, end: float) -> float | None:
        """Return the median cosine between two shares of the run."""
        series = self.cosines
        if series is None:
            return None
        last = series.steps[-1]
        part = series.values[(series.steps >= begin * last) & (series.steps <= end * last)]
        return float(np.median(part)) if len(part) else None

    @functools.cached_property
    def turning(self) -> tuple[float, float] | None:
        """(share of cosines below -½, median cosine): -½ is the exact border αλ = 1 under noise.

        Of the steps on which the loss still falls, where these are known: a limit cycle at the
        floor, after all is done, harms nothing. Else of the second half, or of the whole run if
        that turns round more often.
        """
        series = self.cosines
        if series is None:
            return None
        falling = self._while_falling(series.steps)
        if falling is not None:
            parts = [series.values[falling]]
        else:
            parts = [series.values[len(series) // 2 :], series.values]
        shares = [0.9**k * float(np.mean(part < -0.5)) for k, part in enumerate(parts)]
        best = int(np.argmax(shares))
        return shares[best], float(np.median(parts[best]))

    @property
    def overshooting(self) -> float | None:
        """Share of cosines below -½; see `turning`."""
        return None if self.turning is None else self.turning[0]

    def _while_falling(self, steps: Array) -> NDArray[np.bool_] | None:
        """Return which steps are before 99.9 % of the whole fall is done; None if unclear."""
        loss, curve = self.evidence.loss, self.curve
        if loss is None or curve is None or self.stochastic or curve.end > 0.9 * curve.start:
            return None
        level = loss.at(steps)
        with np.errstate(invalid="ignore"):
            falling = level - curve.end > 1e-3 * (curve.start - curve.end)
        last = int(np.flatnonzero(falling)[-1]) + 1 if falling.any() else 0
        if last < 12 or last > 0.9 * len(steps):
            return None
        inside: NDArray[np.bool_] = np.arange(len(steps)) < last
        return inside

    @functools.cached_property
    def gradient_fall(self) -> float | None:
        """‖g‖ at the end over its largest value."""
        series = self.evidence.gradient_norm
        if series is None or not np.isfinite(series.values).any():
            return None
        values = series.values[np.isfinite(series.values)]
        late = float(np.median(values[-max(3, len(values) // 20) :]))
        top = float(values.max())
        return late / top if top > 0 else 0.0

    def log_slope(self, begin: float, end: float) -> float | None:
        """Return ‖g‖‖θ‖/J on a part of the run: how much the loss depends on the parameters.

        A median, without unit: about 1 or more where a change of the parameters by their own size
        changes the loss by its own size; a few percent on a plateau.
        """
        norms, sizes, loss = (
            self.evidence.gradient_norm,
            self.evidence.parameter_norm,
            self.evidence.loss or self.evidence.batch_loss,
        )
        if norms is None or sizes is None or loss is None:
            return None
        last = float(norms.steps[-1])
        inside = (norms.steps >= begin * last) & (norms.steps <= end * last)
        steps = norms.steps[inside]
        with np.errstate(all="ignore"):
            slopes = norms.values[inside] * sizes.at(steps) / np.abs(loss.at(steps))
        slopes = slopes[np.isfinite(slopes)]
        return float(np.median(slopes)) if len(slopes) >= 3 else None

    # when ----------------------------------------------------------------------------------

    @functools.cached_property
    def blow_up(self) -> float:
        """Step at which the loss exceeds a thousand times its start, or is lost; inf if never."""
        curve = self.curve
        if curve is None or not len(curve):
            return 0.0 if curve is not None else math.inf
        bad = curve.bad_step if curve.bad_step is not None else math.inf
        high = np.abs(curve.values) > 1e3 * max(curve.size, 1e-300)
        return min(bad, float(curve.finite.steps[np.argmax(high)]) if high.any() else math.inf)

    def _before_blow_up(self, series: Series) -> Array:
        kept: Array = series.values[series.steps <= self.blow_up]
        return kept

    @functools.cached_property
    def steps(self) -> float:
        """Updates that the log covers."""
        curve = self.curve
        return float(curve.series.steps[-1]) if curve is not None else 0.0
