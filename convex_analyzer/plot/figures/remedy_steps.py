"""Steps before and after each remedy, by optimizer, with the price of the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from convex_analyzer.conditioning import wording
from convex_analyzer.conditioning.cost import OPTIMIZERS
from convex_analyzer.conditioning.results import ConditionAnalysis
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.krylov import ConjugateGradient
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FULL, MUTED, STABLE, Look, letters, looks
from convex_analyzer.plot.text import measure, spread, wrap
from convex_analyzer.plot.ticks import Ticks, log_ticks
from convex_analyzer.plot.wording import count_text
from convex_analyzer.tables import format_count, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "RemedyRow",
    "RemedyStepsData",
    "alt",
    "caption",
    "finding",
    "remedy_steps",
    "remedy_steps_data",
    "series",
]

_NAMES = ("gradient descent", "heavy ball", "Nesterov", "conjugate gradients")
_SHORT = ("GD", "HB", "NAG", "CG")
_ROW, _FRAME = 0.3, 0.95  # inches: of a remedy, and of what stands around them
_WIDE = 5.0  # inches from which on prices and whole names have room
_APART = 0.19  # of a row, between two optimizers
_PRICE = 118.0  # points: a longer price takes two lines


@dataclass(frozen=True)
class RemedyRow:
    """Steps after a remedy.

    Attributes
    ----------
    title
        Of the remedy.
    price
        What it costs.
    kappa
        κ(A) afterwards; None when it is not known.
    steps
        One count per optimizer; None for never.
    """

    title: str
    price: str
    kappa: float | None
    steps: tuple[int | None, ...]


@dataclass(frozen=True)
class RemedyStepsData:
    """What the figure shows.

    Attributes
    ----------
    optimizers
        Names, in the order of the counts.
    rows
        The problem as given first, then fewest steps of gradient descent first.
    best
        Row and optimizer of the advice, or None.
    cheap
        Steps up to which training is cheap.
    tolerance
        Goal: J - J* relative to the first.
    start_name
        Where training starts.
    """

    figure: ClassVar[str] = "remedy_steps"

    optimizers: tuple[str, ...]
    rows: tuple[RemedyRow, ...]
    best: tuple[int, int] | None
    cheap: int
    tolerance: float
    start_name: str


def remedy_steps_data(analysis: ConditionAnalysis) -> RemedyStepsData:
    """Return what the figure shows, without drawing.

    Parameters
    ----------
    analysis
        What `condition` returned.
    """
    names = [rule.__name__ for rule in OPTIMIZERS]
    rows = tuple(
        RemedyRow(
            entry.title,
            entry.price + (f" {wording.share(entry.bias)}" if entry.bias else ""),
            entry.kappa,
            tuple(entry.steps[name] for name in names),
        )
        for entry in analysis.remedies
    )
    best = None
    if analysis.advice is not None:
        entry, name = analysis.advice
        best = analysis.remedies.index(entry), names.index(name)
    return RemedyStepsData(
        _NAMES, rows, best, analysis.cheap, analysis.tolerance, analysis.start_name
    )


# -- words ----------------------------------------------------------------------------------------


def finding(data: RemedyStepsData) -> str:
    """Return what helps most for least effort, in a sentence."""
    given = data.rows[0].steps
    if data.best is None or all(count is None for count in given):
        return "J has no minimum, so that no remedy makes training end"
    row, which = data.best
    count, first = data.rows[row].steps[which], given[0]
    if row == 0 and which == 0:
        return f"No remedy is needed: gradient descent takes {count_text(count)} as it is"
    after = f"{_NAMES[which]} takes {count_text(count)}"
    if row == 0:
        return f"Another optimizer is enough: {after}, gradient descent {format_count(first)}"
    before = given[which]
    title = data.rows[row].title
    return f"{title[0].upper()}{title[1:]}, then {after} instead of {format_count(before)}"


def alt(data: RemedyStepsData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    parts = []
    for row in data.rows:
        counts = ", ".join(
            f"{name} {'never' if count is None else format_count(count)}"
            for name, count in zip(data.optimizers, row.steps, strict=True)
        )
        parts.append(f"{row.title}: {counts}")
    return f"{finding(data)}. Steps: {'; '.join(parts)}."


def caption(data: RemedyStepsData) -> str:
    """Return how to read the figure."""
    return (
        f"Steps until the gap is {format_number(data.tolerance)} of the first, from "
        f"{data.start_name}, every optimizer tuned for the changed problem. Dotted: before; marks: "
        f"after; shaded: at most {format_count(data.cheap)} steps, which is cheap (what κ = 100 "
        "costs gradient descent at worst). Conjugate gradients as in exact arithmetic."
    )


def series(data: RemedyStepsData) -> Series:
    """Return what is drawn, as columns of numbers."""
    for row in data.rows:
        yield row.title, {
            "optimizer": data.optimizers, "steps": row.steps, "kappa": row.kappa,
            "price": row.price,
        }  # fmt: skip


# -- drawing --------------------------------------------------------------------------------------


def _tall(data: RemedyStepsData, width: float) -> float:
    """Return the height of the figure, in inches."""
    scale = letters().scale
    return scale * (_FRAME + _ROW * len(data.rows) + (0.15 if width < _WIDE * scale else 0.0))


@figure(
    of="a condition analysis",
    answers="which remedy saves how many steps?",
    data=remedy_steps_data,
    width=FULL,
    height=_tall,
)
def remedy_steps(panel: Panel, data: RemedyStepsData) -> None:
    """Draw the steps before and after each remedy, by optimizer."""
    wide = panel.owned and panel.width >= _WIDE * letters().scale
    _dress(panel, data, wide)
    styles = _looks()
    _guides(panel.axes, data, styles, wide)
    for index in range(len(data.rows)):
        _draw(panel.axes, data, index, styles)
        if wide:
            _price(panel.axes, data.rows[index], index)


def _looks() -> tuple[Look, ...]:
    return looks([GradientDescent(1.0), HeavyBall(1.0), Nesterov(1.0), ConjugateGradient()])


def _place(count: int | float) -> float:
    return float(max(count, 1))


def _dress(panel: Panel, data: RemedyStepsData, wide: bool) -> None:
    counts = [_place(n) for row in data.rows for n in row.steps if n is not None]
    high = max([10.0 * data.cheap, *counts])
    rows = len(data.rows)
    axes = panel.axes
    axes.set_xscale("log")
    axes.set_xlim(high**-0.015, high**1.015)
    axes.set_ylim(rows - 0.5, -0.6)
    axes.axvspan(axes.get_xlim()[0], data.cheap, color=STABLE, lw=0, zorder=0)
    prices = [measure(_priced(row))[0] for row in data.rows]
    room = 6 + max(prices) if wide else 0.0
    panel.dress(
        finding(data), f"steps to {format_number(data.tolerance)} of the first gap", "",
        log_ticks(1, high, 7 if wide else 5), Ticks(tuple(map(float, range(rows))), _titles(data)),
        right=room, above=13 * letters().scale,
    )  # fmt: skip
    axes.tick_params(axis="y", length=0)
    for row in range(1, rows):
        axes.axhline(row - 0.5, color="#e4e4e4", lw=0.5, zorder=0.5)


def _titles(data: RemedyStepsData) -> tuple[str, ...]:
    return tuple(row.title for row in data.rows)


def _guides(axes: Axes, data: RemedyStepsData, styles: tuple[Look, ...], wide: bool) -> None:
    """Draw where each optimizer stands before, named above."""
    before = [(j, _place(n)) for j, n in enumerate(data.rows[0].steps) if n is not None]
    if not before:
        axes.annotate("never", (0.5, 0), xycoords=("axes fraction", "data"), ha="center",
                      va="center", color=MUTED)  # fmt: skip
        return
    for j, x in before:
        axes.plot([x, x], [_height(0, j), len(data.rows) - 0.5], color=styles[j].color, lw=0.8,
                  ls=(0, (1, 2)), zorder=1)  # fmt: skip
    before.sort(key=lambda pair: pair[1])
    names = _NAMES if wide else _SHORT
    texts = [f"{styles[j].glyph} {names[j]}" for j, _ in before]
    scale = 72 / float(axes.figure.dpi)
    box = axes.get_window_extent()
    wanted = [float(axes.transData.transform((x, 0))[0]) * scale for _, x in before]
    widths = [measure(text)[0] for text in texts]
    centres = spread(wanted, widths, box.x0 * scale, box.x1 * scale)
    for (j, _), text, centre in zip(before, texts, centres, strict=True):
        axes.annotate(
            text, ((centre - box.x0 * scale) / (box.width * scale), 1), (0, 6),
            xycoords="axes fraction", textcoords="offset points", ha="center", va="center",
            color=styles[j].ink,
        )  # fmt: skip


def _height(row: int, which: int) -> float:
    return row + _APART * (which - (len(_NAMES) - 1) / 2)


def _draw(axes: Axes, data: RemedyStepsData, index: int, styles: tuple[Look, ...]) -> None:
    row, given = data.rows[index], data.rows[0]
    for j, (count, before) in enumerate(zip(row.steps, given.steps, strict=True)):
        if count is None:
            continue
        y, look = _height(index, j), styles[j]
        if before is not None and index:
            axes.plot([_place(before), _place(count)], [y, y], color=look.color, lw=0.9, zorder=2)
        best = data.best == (index, j)
        axes.plot(
            [_place(count)], [y], color=look.color, marker=look.marker, ls="", mew=0.8,
            ms=6.0 if best else 4.2, mfc=look.color if index or best else "white", zorder=4,
        )  # fmt: skip
        if best:
            axes.plot([_place(count)], [y], color=look.color, marker="o", ls="", mfc="none",
                      ms=10.5, mew=0.9, zorder=4)  # fmt: skip


def _priced(row: RemedyRow) -> str:
    return wrap(row.price, _PRICE * letters().scale)


def _price(axes: Axes, row: RemedyRow, index: int) -> None:
    axes.annotate(
        _priced(row), (1, index), (6, 0), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="left", va="center", color=MUTED, linespacing=1.05,
    )  # fmt: skip
