"""What can be measured on the evidence of a run, each quantity once, with its formula.

The three that the theory makes exact (lecture 001; for a quadratic and plain gradient descent):

- ψ = (J_k - J_{k+1}) / (α‖g‖²) = 1 - αR/2 with R = gᵀAg/‖g‖², the curvature along the gradient;
- c = cos(g_k, g_{k+1}): +1 along a direction that creeps, -1 along one that overshoots;
- αλmax ≥ αR: every measured curvature is a lower bound of the largest one.

For other rules ψ compares what the loss did with what its linear model promised, -g·Δθ.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Series
from convex_analyzer.diagnosis.log import Log

__all__ = ["Reading"]

Array = NDArray[np.float64]

_ROUNDING = 1e-9  # relative: differences of the loss below are rounding, not progress


class Reading(Log):
    """The evidence of a run, with what the theory measures on it; None where it cannot."""

    # the step ------------------------------------------------------------------------------

    @functools.cached_property
    def step_curvature(self) -> Series | None:
        """αR, R the curvature along the gradient: what the step makes of the curvature it meets.

        Not for rules with a learning rate per coordinate, whose α is no step along g.
        """
        curvature, rate = self.met_curvature, self.evidence.learning_rate
        if curvature is None or rate is None or self.adaptive:
            return None
        keep = np.isfinite(curvature.values)
        steps, values = curvature.steps[keep], curvature.values[keep]
        if not len(values):
            return None
        if len(rate) == 1:
            alpha = np.full(len(values), rate.values[0])
        else:
            alpha = np.interp(steps, rate.steps, rate.values)
        return Series(alpha * values, steps)

    @property
    def met_curvature(self) -> Series | None:
        """Curvature along the gradient; along the update where that is all there is.

        The same direction for plain gradient descent, and a lower bound of λmax for any rule.
        """
        return self.evidence.curvature or self.evidence.update_curvature

    @functools.cached_property
    def largest(self) -> float | None:
        """Largest αλ that was met: a lower bound of αλmax, in units where 2(1 + μ) is the limit."""
        found = []
        if self.step_curvature is not None:
            settled = self._before_blow_up(self.step_curvature)
            if len(settled):
                found.append(float(settled.max()))
        sharp, alpha = self.evidence.sharpness, self.learning_rate
        if sharp is not None and alpha is not None and not self.adaptive:
            found.append(alpha * float(np.nanmax(sharp.values)))
        steepest = self.input_curvature
        if steepest is not None and alpha is not None and not self.adaptive:
            found.append(alpha * steepest)
        if not found and self.promise is not None and not self.stochastic:
            early = self.promise.values
            found.append(2 * (1 - float(np.quantile(early, 0.02))))
        return max(found) if found else None

    @functools.cached_property
    def input_curvature(self) -> float | None:
        """λmax of a model without hidden layers, from a sample of its inputs; None otherwise.

        Half mean squared error has the Hessian [X 1]ᵀ[X 1]/n for each output (exact, up to the
        sample); cross-entropy of C classes at equal answers has 1/C of that.
        """
        inputs, layers = self.evidence.inputs, self.evidence.layers
        if inputs is None or len(layers) != 1 or layers[0].hidden or len(inputs) < 2:
            return None
        rows = np.asarray(inputs, dtype=np.float64)
        if not np.isfinite(rows).all():
            return None
        if layers[0].biases is not None:
            rows = np.column_stack([rows, np.ones(len(rows))])
        top = float(np.linalg.norm(rows / math.sqrt(len(rows)), 2)) ** 2
        return top / self.evidence.classes if self.evidence.classes else top

    @property
    def limit(self) -> float:
        """Limit of αλ for this rule on a quadratic: lecture 001, slide 24, and THEORY 2.5, 2.8."""
        mu = self.momentum
        if self.evidence.optimizer == "nesterov":
            return 2 * (1 + mu) / (1 + 2 * mu)
        return 2 * (1 + mu)

    @functools.cached_property
    def noise_level(self) -> float | None:
        """Loss that gradient noise alone keeps up, in units of the loss at the end.

        α E‖g‖²/(4(1 - μ)) at stationarity: (α/4)·tr Σ/(1 - μ) for small αλ (THEORY 5.2), where
        the mini-batch gradient is noise; what consecutive gradients share is taken off.
        For a learning rate per coordinate α‖g‖ is read off the length of the updates, which
        averaging with β₁ shortens by √((1 - β₁)/(1 + β₁)) (heuristic).
        """
        norms, curve = self.evidence.gradient_norm, self.curve
        if norms is None or curve is None or not curve.level > 0 or self.momentum >= 1:
            return None
        alpha, updates = self.learning_rate, self.evidence.update_norm
        if self.adaptive:
            if updates is None:
                return None
            mu = self.averaging
            power = norms.values * updates.at(norms.steps) * math.sqrt((1 + mu) / (1 - mu))
        elif alpha is None:
            return None
        else:
            power = alpha * norms.values**2 / (1 - self.momentum)
        late = power[len(power) * 2 // 3 :]
        late = late[np.isfinite(late)]
        signal = max(self.cosine(2 / 3, 1.0) or 0.0, 0.0)  # what consecutive gradients share
        return (1 - signal) * float(np.mean(late)) / 4 / curve.level if len(late) else None

    @property
    def averaging(self) -> float:
        """β₁ of an adaptive rule: as known, else 0.9 for Adam and its relatives, 0 for others."""
        if self.evidence.momentum is not None:
            return min(self.evidence.momentum, 0.999)
        name = self.evidence.optimizer_name.lower()
        return 0.9 if "ada" in name and "grad" not in name and "delta" not in name else 0.0

    @functools.cached_property
    def late_curvature(self) -> float | None:
        """αR at the end (before a blow-up): median of the last tenth."""
        series = self.step_curvature
        values = None if series is None else self._before_blow_up(series)
        if values is None or not len(values):
            return None
        return float(np.median(values[-max(3, len(values) // 10) :]))

    @functools.cached_property
    def negative_curvature(self) -> float | None:
        """Share of measured curvatures that are clearly negative."""
        series = self.met_curvature
        if series is None:
            return None
        values = series.values[np.isfinite(series.values)]
        if not len(values):
            return None
        return float(np.mean(values < -1e-3 * np.abs(values).max()))

    @functools.cached_property
    def condition(self) -> float | None:
        """κ met along the way: largest over late curvature; schedules of α do not count."""
        met = self.met_curvature
        values = None if met is None else self._before_blow_up(met)
        if values is None or self.adaptive:
            return None
        values = values[np.isfinite(values)]
        if not len(values) or not values.max() > 0:
            return None
        late = float(np.median(values[-max(3, len(values) // 10) :]))
        found = [float(values.max())]
        if self.evidence.sharpness is not None:
            found.append(float(np.nanmax(self.evidence.sharpness.values)))
        if self.input_curvature is not None:
            found.append(self.input_curvature)
        return max(found) / max(abs(late), 1e-12 * max(found))

    @functools.cached_property
    def to_give(self) -> float | None:
        """‖g‖²/(2R) at the end, in units of the start: what the current direction still has.

        Exact for a quadratic along one eigendirection; less than all that is left otherwise.
        """
        norms, curvature, curve = self.evidence.gradient_norm, self.met_curvature, self.curve
        if norms is None or curvature is None or curve is None:
            return None
        good = np.isfinite(curvature.values)
        steps, values = curvature.steps[good][-10:], curvature.values[good][-10:]
        with np.errstate(all="ignore"):
            left = norms.at(steps) ** 2 / (2 * values)
        left = left[np.isfinite(left) & (values > 0)]
        return float(np.median(left)) / curve.size if len(left) else None

    @functools.cached_property
    def hidden_layers(self) -> bool | None:
        """Whether the model has hidden layers; None if its layers are unknown."""
        layers = self.evidence.layers
        return any(each.hidden for each in layers) if layers else None

    @functools.cached_property
    def promise(self) -> Series | None:
        """ψ at each step: actual decrease over the decrease that the linear model promised."""
        loss, promised = self.evidence.loss, self.evidence.predicted_decrease
        if loss is None or self.stochastic:
            return None
        if promised is None:
            promised = self._promised()
        if promised is None:
            return None
        before, after = loss.at(promised.steps), loss.at(promised.steps + 1)
        with np.errstate(all="ignore"):
            drop = before - after
            psi = drop / promised.values
            large = np.abs(promised.values) > _ROUNDING * np.maximum(np.abs(before), 1e-300)
        keep = np.isfinite(psi) & large & np.isfinite(after)
        return Series(psi[keep], promised.steps[keep]) if keep.sum() >= 3 else None

    def _promised(self) -> Series | None:
        """Return α‖g‖² of plain gradient descent."""
        norms, rate = self.evidence.gradient_norm, self.evidence.learning_rate
        if norms is None or rate is None or self.evidence.optimizer != "gradient_descent":
            return None
        alpha = (
            rate.values[0] if len(rate) == 1 else np.interp(norms.steps, rate.steps, rate.values)
        )
        return Series(alpha * norms.values**2, norms.steps)

    @functools.cached_property
    def restarts_agree(self) -> bool:
        """Whether other random starts end within 8 % of the whole fall of this run's end."""
        curve, restarts = self.curve, self.evidence.restarts
        if curve is None or restarts is None or np.isfinite(restarts).sum() < 3:
            return False
        found = np.append(restarts[np.isfinite(restarts)], curve.end)
        spread = float(np.ptp(found)) / max(curve.start - curve.end, 1e-300)
        return 1e-6 < spread < 0.08

    @functools.cached_property
    def nothing_lower(self) -> bool:
        """Whether other starts end at the same level, or the model looks convex.

        Convex: no hidden layer, and no negative curvature at any measurement.
        """
        curve, restarts = self.curve, self.evidence.restarts
        if curve is None:
            return False
        if self.hidden_layers is False and self.negative_curvature == 0:
            return True
        if restarts is None or np.isfinite(restarts).sum() < 3:
            return False
        found = np.append(restarts[np.isfinite(restarts)], curve.end)
        spread = float(np.ptp(found))
        same_start = spread < 1e-6 * abs(curve.end) and curve.late_fall > 1e-3
        if curve.left > 0.9:  # near the start the others are no lower for want of trying
            return False
        return not same_start and spread < 0.02 * max(abs(curve.end), 1e-300)
