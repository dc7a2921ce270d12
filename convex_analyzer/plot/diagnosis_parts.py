"""What stands below the annotated training curve: the proof, and the chances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from convex_analyzer.plot.diagnosis_data import AnnotatedCurveData, Proof
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FAINT, INK, MUTED, UNSTABLE, letters
from convex_analyzer.plot.text import measure
from convex_analyzer.plot.ticks import Ticks, linear_ticks, log_ticks
from convex_analyzer.tables import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "AXIS_ROOM",
    "BAD",
    "CURVE",
    "PROOF_HEIGHT",
    "draw_chances",
    "draw_proof",
    "step_ticks",
    "strip_height",
]

CURVE, BAD = "#0072B2", "#c05500"
PROOF_HEIGHT = 62.0  # points
AXIS_ROOM = 24.0  # points below an axis: marks and its label
_ROW = 11.5  # points


def step_ticks(ticks: Ticks) -> Ticks:
    """Write marks of a step axis as counts."""
    whole = tuple(position for position in ticks.positions if position == int(position))
    return Ticks(whole, tuple(format_count(position) for position in whole))


def strip_height(data: AnnotatedCurveData) -> float:
    """Return how high the bars of the chances are, in points."""
    return letters().scale * (_ROW * len(data.chances) + (6.0 if data.chances else 0.0))


def draw_proof(panel: Panel, data: AnnotatedCurveData, proof: Proof) -> None:
    """Draw what decides the verdict between the curve and the chances."""
    figure, height = panel.figure, 72 * float(panel.figure.get_figheight())
    scale = letters().scale
    frame = panel.axes.get_position()
    bottom = 3 + strip_height(data) + AXIS_ROOM * scale
    if proof.kind == "close-up":
        bottom += 2
    share = (PROOF_HEIGHT - 4) * scale / height
    axes = figure.add_axes((frame.x0, bottom / height, frame.width, share))
    low, high = _proof_limits(proof)
    if proof.log:
        axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_xlim(panel.axes.get_xlim())
    if proof.kind == "close-up":
        pad = 0.01 * float(proof.steps[-1] - proof.steps[0])
        axes.set_xlim(float(proof.steps[0]) - pad, float(proof.steps[-1]) + pad)
    narrow = figure.get_figwidth() < 4
    xticks = step_ticks(linear_ticks(*axes.get_xlim(), 5 if narrow else 8))
    yticks = log_ticks(low, high, 3) if proof.log else linear_ticks(low, high, 4)
    Panel(axes, owned=False, title=False).dress("", "step", "", xticks, yticks)
    placer = Placer(axes)
    y = np.clip(proof.values, low, high)
    dense = len(proof.steps) > 150
    dots = proof.kind == "cosines" and dense
    axes.plot(proof.steps, y, color=CURVE, lw=0.9, ls="" if dots else "-", zorder=3, mew=0,
              marker="o" if dots or not dense else "", ms=1.6 if dense else 2.6)  # fmt: skip
    placer.avoid_line(proof.steps, y)
    _draw_borders(axes, proof)
    if proof.kind == "close-up":
        _draw_period(axes, placer, proof)
    _write_head(axes, proof)


def _write_head(axes: Axes, proof: Proof) -> None:
    """Write above a small panel what it shows and, at the right, what its border means."""
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points",
                             "va": "bottom", "annotation_clip": False}  # fmt: skip
    axes.annotate(proof.label, (0, 1), (0, 2), ha="left", color=CURVE, **style)
    border = "".join(text for _, text in proof.borders)
    room = 72 * float(axes.get_window_extent().width) / float(axes.figure.dpi)
    above = measure(proof.label)[0] + measure(border)[0] + 8 < room
    if above:
        axes.annotate(border, (1, 1), (0, 2), ha="right", color=BAD, **style)
    elif border:
        value, (low, high) = proof.borders[0][0], axes.get_ylim()
        half = low if proof.kind == "cosines" else high
        middle = math.sqrt(value * half) if proof.log else (value + half) / 2
        axes.annotate(border, (axes.get_xlim()[1], middle), (-2, 0), ha="right", color=BAD,
                      textcoords="offset points", va="center", zorder=8,
                      bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85,
                            "pad": 0.6})  # fmt: skip


def _proof_limits(proof: Proof) -> tuple[float, float]:
    if proof.kind == "cosines":
        return -1.12, 1.12
    borders = [value for value, _ in proof.borders]
    high = max([*borders, float(np.max(proof.values))])
    low = min([*borders, float(np.min(proof.values))])
    if proof.kind == "curvature":
        high = min(high, 2.5 * max(borders))
    if proof.log:
        room = max((high / low) ** 0.12, 1.02)
        return low / room, high * room
    low = max(min(low, 0.0), -high) if proof.kind == "curvature" else low
    room = 0.12 * (high - low) or 0.1 * max(abs(high), 1e-300)
    return low - room, high + room


def _draw_borders(axes: Axes, proof: Proof) -> None:
    low, high = axes.get_ylim()
    for value, _ in proof.borders:
        axes.axhline(value, color=BAD, lw=0.9, ls=(0, (4, 1.5)), zorder=2)
        ends = (low, value) if proof.kind == "cosines" else (value, high)
        axes.axhspan(*ends, facecolor=UNSTABLE, lw=0, zorder=0)
    if proof.kind == "cosines":
        axes.axhline(0, color=FAINT, lw=0.6, zorder=1)


def _draw_period(axes: Axes, placer: Placer, proof: Proof) -> None:
    """Draw an arrow with two heads over one period."""
    begin, end = proof.period
    low, high = axes.get_ylim()
    share = 0.93
    level = low * (high / low) ** share if proof.log else low + share * (high - low)
    for step in (begin, end):
        axes.axvline(step, color=MUTED, lw=0.7, ls=(0, (1, 1.5)), zorder=2)
    axes.annotate("", (end, level), (begin, level), zorder=5,
                  arrowprops={"arrowstyle": "<->", "color": INK, "lw": 0.8,
                              "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7})  # fmt: skip
    placer.avoid_line([begin, end], [level] * 2, 3.0)
    placer.place(f"one period, {proof.period_text}", [(end, level), (begin, level)], gap=3)


def draw_chances(panel: Panel, data: AnnotatedCurveData) -> None:
    """Draw the likeliest rows as bars along one scale from 0 to 1."""
    if not data.chances:
        return
    figure = panel.figure
    width, height = (72 * float(v) for v in (figure.get_figwidth(), figure.get_figheight()))
    axes = figure.add_axes((0, 0, 1, strip_height(data) / height))
    axes.set_axis_off()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlim(0, width)
    axes.set_ylim(strip_height(data), 0)
    names = max(measure(name, weight="bold")[0] for name, _ in data.chances)
    begin, end = names + 12, width - measure("100 %")[0] - 10
    high = _ROW * letters().scale
    for row, (name, share) in enumerate(data.chances):
        first = row == 0
        middle = (row + 0.5) * high
        length = max((end - begin) * share, 0.8)
        axes.barh(middle, end - begin, 0.62 * high, left=begin, facecolor="#f0f0f0", lw=0)
        axes.barh(middle, length, 0.62 * high, left=begin,
                  facecolor=INK if first and data.decided else MUTED, lw=0)  # fmt: skip
        weight = "bold" if first and data.decided else "normal"
        axes.text(names + 8, middle, name, ha="right", va="center_baseline", fontweight=weight)
        axes.text(end + 4, middle, f"{_percent(share)} %", ha="left", va="center_baseline",
                  fontweight=weight)  # fmt: skip


def _percent(share: float) -> str:
    return f"{min(100 * share, 99):.0f}" if share < 0.9995 else "> 99"
