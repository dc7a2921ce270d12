"""Figure 11: the expected gap under noise, and its floor: whether to decay α now or later."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.multiples import thin
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.stochastic_data import StochasticGapData, stochastic_gap_data
from convex_analyzer.plot.style import FAINT, FULL, INK, MUTED
from convex_analyzer.plot.ticks import linear_ticks, log_ticks
from convex_analyzer.tables import format_count, format_number

__all__ = [
    "StochasticGapData",
    "alt",
    "caption",
    "finding",
    "series",
    "stochastic_gap",
    "stochastic_gap_data",
]

Array = npt.NDArray[np.float64]

_WIDE = 4.5  # inches: a wider figure is half as high as it is wide
_FAR = 5.0  # standard errors: further off, the few runs miss what makes the mean
_SEEN = 1.25  # a line that is nowhere further from the expected one, as a factor, is left out


# -- words -----------------------------------------------------------------------------------------


def finding(data: StochasticGapData) -> str:
    """Return whether to decay α now or later, with the floor and the step where it takes over."""
    if data.outcome != "stable":
        return f"{_alpha(data)} does not converge even without noise: lower it first"
    if not math.isfinite(data.floor):
        return f"{_alpha(data)} has no noise floor here: the noise adds up, lower α first"
    floor = f"×{format_number(data.floor, 3)}"
    if data.floor == 0:
        return "Keep α: the noise vanishes at the minimum, and there is no floor"
    if data.takeover is None:
        return f"The gap settles at {floor}, most of it without noise: decaying α changes little"
    if data.takeover == 0:
        return f"Decay α now: the start is within the noise floor, {floor} of the first gap"
    if data.reached is not None and data.floor < data.tolerance:
        return (
            f"Keep α: the goal ×{format_number(data.tolerance)} comes at step "
            f"{format_count(data.reached)}, above the noise floor {floor}"
        )
    at = format_count(data.takeover)
    if data.takeover <= data.length:
        return f"Decay α from step {at} on: the noise floor, {floor} of the first gap, takes over"
    return (
        f"Decay α later: the noise floor, {floor} of the first gap, takes over at step {at}, after "
        f"these {format_count(data.length)}"
    )


def _alpha(data: StochasticGapData) -> str:
    rate = data.learning_rate
    return data.label if rate is None else f"α = {format_number(rate, 4)}"


def alt(data: StochasticGapData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    parts = [f"{finding(data)}. {data.label} with {data.noise}"]
    for line in data.batches:
        floor = f"×{format_number(line.floor, 3)}" if math.isfinite(line.floor) else "none"
        parts.append(f"floor with {line.name}: {floor}")
    if data.errors_apart is not None:
        parts.append(_agreement(data))
    return "; ".join(parts) + "."


def _agreement(data: StochasticGapData) -> str:
    apart = format_number(data.errors_apart, 2)
    if (data.errors_apart or 0) > _FAR and data.noise.startswith("batch"):
        return (
            f"the mean of {data.runs} runs is {apart} of its standard errors off: rare large "
            "excursions carry the expected gap"
        )
    return f"the mean of {data.runs} runs is within {apart} standard errors of the formula"


def caption(data: StochasticGapData) -> str:
    """Return how to read the figure."""
    parts = [
        f"Thick: the expected gap of {data.label} with {data.noise}, by its formula",
        "dotted: its part without noise; dashed: the floor; thin: one run",
        f"hollow markers and band: mean and ±2 s.d. (of ln gap) of {data.runs} other runs",
    ]
    if data.batches:
        parts.append("grey: noise of other sizes")
    if data.errors_apart is not None:
        parts.append(_agreement(data))
    elif data.kind == "heuristic":
        parts.append("runs see each row once per epoch, which the formula takes as fresh draws")
    else:
        parts.append("within an epoch, which sees each row once, it swings about the floor")
    return f"{'; '.join(parts)}. Decaying α pays once the floor has taken over, not before."


def series(data: StochasticGapData) -> Series:
    """Return the numbers: expectations, the run, the 64 runs, the floors."""
    others = {line.name: line.expected for line in data.batches}
    yield "expected", {
        "step": data.steps, "expected gap": data.expected, "without noise": data.deterministic,
        **others,
    }  # fmt: skip
    yield "one run", {"step": data.run_steps, "gap": data.run}
    yield f"{data.runs} runs", {
        "step": data.band_steps, "mean": data.mean, "standard error": data.error,
        "low": data.low, "high": data.high,
    }  # fmt: skip
    yield (
        "floors",
        {
            "noise": [data.noise, *(line.name for line in data.batches)],
            "floor": [data.floor, *(line.floor for line in data.batches)],
        },
    )


# -- drawing ---------------------------------------------------------------------------------------


def _height(data: StochasticGapData, width: float) -> float:
    del data
    return 0.48 * width if width > _WIDE else 0.97 * width


@figure(
    number=11,
    of="a comparison with noise",
    answers="decay α now or later?",
    data=stochastic_gap_data,
    width=FULL,
    height=_height,
)
def stochastic_gap(panel: Panel, data: StochasticGapData) -> None:
    """Draw the expected gap under noise, its floor, one run, and the spread of 64."""
    axes = panel.axes
    axes.set_yscale("log")
    first, last = (1.0, 1.3 * data.last) if data.log_steps else (0.0, 1.02 * data.last)
    if data.log_steps:
        axes.set_xscale("log")
    axes.set_xlim(first, last)
    axes.set_ylim(data.bottom, data.top)
    xticks = log_ticks(first, last, 6) if data.log_steps else linear_ticks(first, last, 6)
    panel.dress(finding(data), "steps k", "E (J − J*) / first gap", xticks,
                log_ticks(data.bottom, data.top, 6))  # fmt: skip
    placer = Placer(axes)
    lines = _lines(data)
    _draw(axes, data, placer, lines)
    _name(axes, data, placer, lines)


Line = tuple[str, Array, Array, dict[str, Any]]


def _lines(data: StochasticGapData) -> list[Line]:
    """Return name, steps, gaps and style of every line, thinned."""
    look, low = data.look, 0.3 * data.bottom

    def line(name: str, x: Array, y: Array, **style: Any) -> Line:
        return name, *thin(x, np.maximum(y, low), data.log_steps), style

    grey = [(0, (3, 1.5)), (0, (6, 1.5, 1.2, 1.5)), (0, (1.5, 1.2))]
    lines = [
        line(f"{other.name}: {_floor_text(other.floor)}", data.steps, other.expected, color=MUTED,
             lw=0.9, ls=dash, zorder=3)
        for other, dash in zip(data.batches, grey, strict=False)
        if _is_apart(data, other.expected).any()
    ]  # fmt: skip
    return [
        line("one run", data.run_steps, data.run, color=FAINT, lw=0.7, ls="-", zorder=2),
        *lines,
        line("without noise", data.steps, data.deterministic, color=look.color, lw=1.2,
             ls=(0, (1, 1.4)), zorder=4),
        line("expected", data.steps, data.expected, color=look.color, lw=1.8, ls="-", zorder=5),
    ]  # fmt: skip


def _is_apart(data: StochasticGapData, gaps: Array) -> npt.NDArray[np.bool_]:
    """Tell at which steps a line can be told from the expected one in the picture."""
    with np.errstate(all="ignore"):
        ratio = np.maximum(gaps, data.bottom) / np.maximum(data.expected, data.bottom)
        return np.asarray(np.abs(np.log(ratio)) > math.log(_SEEN))


def _floor_text(floor: float) -> str:
    return f"floor {format_number(floor, 2)}" if math.isfinite(floor) else "grows"


def _draw(axes: Any, data: StochasticGapData, placer: Placer, lines: list[Line]) -> None:
    look = data.look
    low, high = (np.clip(v, 0.3 * data.bottom, 1e3 * data.top) for v in (data.low, data.high))
    axes.fill_between(data.band_steps, low, high, color=look.color, alpha=0.16, lw=0, zorder=1)
    for name, x, y, style in lines:
        axes.plot(x, y, **style)
        placer.avoid_line(x, y, owner=name, weight=0.4 if name == "one run" else 1.0)
    x, y = data.band_steps[data.marks], data.mean[data.marks]
    axes.plot(x, y, ls="", marker=look.marker, ms=4.2, mfc="white", mec=look.color, mew=0.9,
              zorder=6)  # fmt: skip
    placer.avoid_markers(x, y, 5)
    if math.isfinite(data.floor) and data.bottom < data.floor < data.top:
        axes.axhline(data.floor, color=INK, lw=0.9, ls=(0, (4, 2)), zorder=4)
        placer.avoid_line(axes.get_xlim(), [data.floor] * 2, owner="floor")
    if data.bottom < data.tolerance < data.top:
        axes.axhline(data.tolerance, color=MUTED, lw=0.7, ls=(0, (1, 2)), zorder=1)
        placer.avoid_line(axes.get_xlim(), [data.tolerance] * 2)
    if data.takeover and data.takeover <= data.last:
        axes.axvline(data.takeover, color=MUTED, lw=0.7, ls=(0, (1, 2)), zorder=1)
        placer.avoid_line([data.takeover] * 2, axes.get_ylim(), weight=0.5)


def _name(axes: Any, data: StochasticGapData, placer: Placer, lines: list[Line]) -> None:
    """Name every line where it is alone, then the floor and the step where it takes over."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    shares = np.linspace(0.03, 0.97, 30)
    across = left * (right / left) ** shares if data.log_steps else left + shares * (right - left)
    if math.isfinite(data.floor) and low < data.floor < high:
        spots = np.column_stack([across[::-1], np.full(len(across), data.floor)])
        text = f"noise floor ×{format_number(data.floor, 3)}"
        placer.place(text, spots, color=INK, gap=2, owner="floor")
    if data.takeover and data.takeover <= data.last:
        up = np.geomspace(high / 1.5, low * 1.5, 20)
        spots = np.column_stack([np.full(len(up), float(data.takeover)), up])
        placer.place(f"k = {format_count(data.takeover)}", spots, color=INK, gap=2, leader=False)
    if low < data.tolerance < high:
        spots = np.column_stack([across, np.full(len(across), data.tolerance)])
        text = f"goal ×{format_number(data.tolerance)}"
        placer.place(text, spots, color=MUTED, gap=1.5, leader=False)
    wide = placer.right - placer.left > 72 * _WIDE * 0.7
    names = {"expected": f"{data.look.glyph} expected, {data.noise}"}
    for name, x, y, style in [*lines[:0:-1], lines[0]]:
        seen = (x >= left) & (x <= right) & (y >= low) & (y <= high)
        reference = np.exp(np.interp(x, data.steps, np.log(np.maximum(data.expected, low))))
        with np.errstate(all="ignore"):
            alone = seen & (np.abs(np.log(y / reference)) > math.log(_SEEN))
        seen = alone if name not in {"expected", "one run"} and alone.any() else seen
        if not seen.any():
            continue
        height = np.exp(np.interp(across, x[seen], np.log(y[seen])))
        inside = (across >= x[seen][0]) & (across <= x[seen][-1])
        ink = data.look.ink if style["color"] == data.look.color else MUTED
        spots = np.column_stack([across, height])[inside]
        spots = spots if len(spots) else np.column_stack([x, y])[seen]
        text = name if wide else name.partition(":")[0]
        placer.place(names.get(name, text), spots, color=ink, gap=3, owner=name)
