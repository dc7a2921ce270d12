"""Figure 12: the error of a claimed gradient against the step of the difference, a V or a floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import HALF, INK, MUTED, UNSTABLE
from convex_analyzer.plot.ticks import log_ticks
from convex_analyzer.problems.gradient_check import GradientCheck
from convex_analyzer.tables import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "GradientErrorsData",
    "alt",
    "caption",
    "finding",
    "gradient_errors",
    "gradient_errors_data",
    "series",
]

Array = npt.NDArray[np.float64]

_RIGHT, _WRONG = "#0072B2", "#D55E00"
_FLOOR = 1e-16  # errors below are drawn here: they are zero
_CLEAR = 30.0  # a truncation error so much above rounding is seen as such


@dataclass(frozen=True, eq=False)
class GradientErrorsData:
    """What figure 12 shows.

    Attributes
    ----------
    verdict
        Of the check.
    direction
        Along what the differences are taken, in words.
    steps, errors
        h and |difference − claimed slope|, relative, (n,); NaN where f is not finite.
    rounding
        The error that the noise of f explains, (n,).
    truncation
        The error that falls with h², (n,); None where none is seen.
    best
        Index of the step that was judged best.
    wrong
        Relative error from which an entry is wrong.
    """

    figure: ClassVar[str] = "gradient_errors"

    verdict: str
    direction: str
    steps: Array
    errors: Array
    rounding: Array
    truncation: Array | None
    best: int
    wrong: float


def gradient_errors_data(check: GradientCheck) -> GradientErrorsData:
    """Return what figure 12 shows, without drawing."""
    ladder = check.ladder
    return GradientErrorsData(
        check.verdict,
        ladder.direction,
        ladder.steps,
        ladder.errors,
        ladder.rounding,
        _truncation(ladder.steps, ladder.differences / ladder.scale, ladder.rounding),
        ladder.best,
        check.limits.wrong,
    )


def _truncation(steps: Array, differences: Array, rounding: Array) -> Array | None:
    """Return c h² fitted where a step and a tenth of it differ by far more than rounding."""
    apart = np.abs(differences[:-2] - differences[2:]) / 0.99
    clear = np.isfinite(apart) & (apart > _CLEAR * rounding[2:])
    coefficients = np.where(clear, apart, 1.0) / steps[:-2] ** 2
    change = np.abs(np.diff(np.log(coefficients)))
    steady = clear[:-1] & clear[1:] & (change < 0.7)
    if not steady.any():
        return None
    last = int(np.flatnonzero(steady)[-1])
    return np.asarray(coefficients[last] * steps**2)


# -- words ----------------------------------------------------------------------------------------


def finding(data: GradientErrorsData) -> str:
    """Return whether the gradient is right, and how that shows, in a sentence."""
    error = format_number(max(float(data.errors[data.best]), 0.0), 2)
    step = format_number(float(data.steps[data.best]), 2)
    if data.verdict in {"wrong", "suspicious"}:
        if not np.isfinite(data.errors[data.best]) or data.errors[data.best] < data.wrong / 100:
            return f"The gradient is {data.verdict}, though not along {data.direction}"
        return (
            f"The gradient is {data.verdict} along {data.direction}: "
            f"its relative error stays at {error} however short the step"
        )
    if data.verdict == "correct":
        return f"The gradient is right: the error falls to {error} at h = {step}"
    return "Differences cannot tell whether the gradient is right here"


def alt(data: GradientErrorsData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    return (
        f"{finding(data)}. Relative error of central differences along {data.direction} against "
        f"the step, from {format_number(float(data.steps[-1]), 1)} to "
        f"{format_number(float(data.steps[0]), 1)}."
    )


def caption(data: GradientErrorsData) -> str:
    """Return how to read the figure."""
    del data
    return (
        "Dots: |central difference − claimed slope|, relative. A right gradient makes a V: "
        "truncation falls with h², rounding grows as 1/h. A wrong one makes a floor. Ring: the "
        "step that was used. Shaded: errors that count as wrong."
    )


def series(data: GradientErrorsData) -> Series:
    """Return what is drawn, as columns of numbers."""
    lines = {"error": data.errors, "rounding": data.rounding, "truncation": data.truncation}
    for name, values in lines.items():
        if values is not None:
            yield name, {"step_of_difference": data.steps, "relative_error": values}


# -- drawing --------------------------------------------------------------------------------------


@figure(
    number=12,
    of="a gradient check",
    answers="is the gradient right, and would a fault show?",
    data=gradient_errors_data,
    width=HALF,
)
def gradient_errors(panel: Panel, data: GradientErrorsData) -> None:
    """Draw the error of a claimed gradient against the step of the difference."""
    _dress(panel, data)
    _draw(panel.axes, data)


def _dress(panel: Panel, data: GradientErrorsData) -> None:
    axes = panel.axes
    axes.set_xscale("log")
    axes.set_yscale("log")
    left, right = float(data.steps[-1]) / 2, float(data.steps[0]) * 2
    shown = data.errors[np.isfinite(data.errors) & (data.errors > 0)]
    low = max(min(float(np.min(shown, initial=1e-12)) / 5, 1e-9), _FLOOR)
    high = min(max(float(np.max(shown, initial=1.0)) * 3, 10 * data.wrong), 1e4)
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    panel.dress(
        finding(data), "step h", "relative error",
        log_ticks(left, right, 5), log_ticks(low, high, 6),
    )  # fmt: skip


def _draw(axes: Axes, data: GradientErrorsData) -> None:
    placer = Placer(axes)
    low, high = axes.get_ylim()
    axes.axhspan(data.wrong, high, facecolor=UNSTABLE, lw=0, zorder=0)
    color = _WRONG if data.verdict in {"wrong", "suspicious"} else _RIGHT
    axes.plot(data.steps, data.rounding, color=MUTED, lw=0.8, ls=(0, (3, 1.5)), zorder=2)
    placer.avoid_line(data.steps, data.rounding, owner="rounding")
    if data.truncation is not None:
        axes.plot(data.steps, data.truncation, color=MUTED, lw=0.8, ls=(0, (1, 1.5)), zorder=2)
        placer.avoid_line(data.steps, data.truncation, owner="truncation")
    errors = np.where(np.isfinite(data.errors), np.maximum(data.errors, low), np.nan)
    axes.plot(data.steps, errors, color=color, lw=0.9, marker="o", ms=3, zorder=4)
    placer.avoid_line(data.steps, errors, 1.5, owner="error")
    placer.avoid_markers(data.steps[np.isfinite(errors)], errors[np.isfinite(errors)], 3.0)
    best = (float(data.steps[data.best]), float(errors[data.best]))
    if np.isfinite(best[1]):
        axes.plot(*best, marker="o", ms=8, mfc="none", mec=INK, mew=1.1, zorder=6, clip_on=False)
        placer.avoid_box(best, 9, 9)
        placer.place(f"h = {format_number(best[0], 2)}", [best], gap=5)
    _name(placer, data, low, high)


def _name(placer: Placer, data: GradientErrorsData, low: float, high: float) -> None:
    lines = [("rounding ∝ 1/h", data.rounding, "rounding")]
    if data.truncation is not None:
        lines.append(("truncation ∝ h²", data.truncation, "truncation"))
    for text, values, owner in lines:
        seen = (values > 2 * low) & (values < high / 2)
        if seen.any():
            places = np.column_stack([data.steps, values])[seen]
            placer.place(text, places, color=MUTED, gap=2.5, owner=owner)
    middle = float(np.sqrt(data.steps[0] * data.steps[-1]))
    placer.place(
        "wrong", [(middle, float(np.sqrt(data.wrong * high)))], color="#8f3e00", gap=2,
        leader=False,
    )  # fmt: skip
