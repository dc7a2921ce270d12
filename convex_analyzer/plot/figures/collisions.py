"""Which columns collide: shares of variance that come from each weak direction of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.conditioning.results import ConditionAnalysis
from convex_analyzer.errors import InputError
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FAINT, FULL, INK, MUTED, letters
from convex_analyzer.plot.text import LINE, measure
from convex_analyzer.plot.ticks import Ticks
from convex_analyzer.spectra.collinearity import MODERATE, STRONG, Collinearity
from convex_analyzer.tables import format_number, join_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CollisionsData", "alt", "caption", "collisions", "collisions_data", "finding", "series"]

Array = npt.NDArray[np.float64]

_COLUMNS, _ROWS = 20, 6  # that are shown at most
_SOME, _MATTERS = 8, 0.1  # columns shown in any case, and share of variance from which on others
_INVOLVED = 0.5  # share of its variance from which on a column takes part (Belsley et al. 1980)
_NAME = 15  # letters of a name
_WIDE = 5.0  # inches from which on a title takes one line
_NAMED = 4  # from so many rows on there is room for a name beside them
_CELL = 0.21  # inches: height of a row
_NARROW = 9.5  # points: the least width of a cell


@dataclass(frozen=True, eq=False)
class CollisionsData:
    """What the figure shows.

    Attributes
    ----------
    labels
        Columns, those most involved in weak directions first among all, at most 20.
    indices
        Condition indices of the weak directions, largest first.
    shares
        Share of the variance of each coefficient that comes from a direction, (rows, columns); NaN
        where a coefficient is not determined.
    inflation
        Variance inflation factor of each column; NaN for the intercept.
    rows, size
        Of the data: rows, and columns in all.
    relation
        The strongest relation between columns, or "".
    involved
        Names in it.
    is_exact
        Whether some columns are exact combinations of others.
    with_intercept
        Names of columns that collide with the intercept alone: they lie far from zero.
    """

    figure: ClassVar[str] = "collisions"

    labels: tuple[str, ...]
    indices: Array
    shares: Array
    inflation: Array
    rows: int
    size: int
    relation: str
    involved: tuple[str, ...]
    is_exact: bool
    with_intercept: tuple[str, ...]


def collisions_data(result: ConditionAnalysis | Collinearity) -> CollisionsData:
    """Return what the figure shows, without drawing.

    Parameters
    ----------
    result
        What `condition` returned for data, or a `Collinearity`.

    Raises
    ------
    InputError
        The analysis is of a matrix, which has no columns of data.
    """
    found = result.collinearity if isinstance(result, ConditionAnalysis) else result
    if found is None:
        raise InputError(
            "only data have columns that collide, and this problem is a matrix",
            argument="result",
            hint="kappa_split shows what its scaling contributes",
        )
    rows = [j for j, index in enumerate(found.condition_indices) if index >= MODERATE]
    rows = (rows or [len(found.labels) - 1])[::-1][:_ROWS]
    shares = found.variance_proportions[rows]
    columns = _most_involved(np.nan_to_num(shares), found)
    first = found.relations[0] if found.relations else None
    return CollisionsData(
        labels=tuple(found.labels[k] for k in columns),
        indices=found.condition_indices[rows],
        shares=shares[:, columns],
        inflation=found.inflation[columns],
        rows=found.rows,
        size=len(found.labels),
        relation="" if first is None else first.equation,
        involved=() if first is None else first.columns,
        is_exact=found.strength == "exact",
        with_intercept=_far_from_zero(found),
    )


def _most_involved(shares: Array, found: Collinearity) -> list[int]:
    """Return the columns to show: the most involved ones, and a few to compare with."""
    inflation = np.nan_to_num(found.inflation, posinf=np.finfo(float).max)
    order = sorted(range(shares.shape[1]), key=lambda k: (-shares[:, k].max(), -inflation[k]))
    return [k for at, k in enumerate(order) if at < _SOME or shares[:, k].max() >= _MATTERS][
        :_COLUMNS
    ]


def _far_from_zero(found: Collinearity) -> tuple[str, ...]:
    if found.intercept is None or found.condition_indices[-1] < STRONG:
        return ()
    names = found.involved(len(found.labels) - 1, _INVOLVED)
    own = found.labels[found.intercept]
    return tuple(name for name in names if name != own) if own in names else ()


# -- words ----------------------------------------------------------------------------------------


def finding(data: CollisionsData) -> str:
    """Return which columns collide, in a sentence."""
    if data.involved:
        names = [_short(name) for name in data.involved]
        named = join_words(names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} others"])
        if len(names) == 1:
            return f"{named} is no more than a constant"
        text = f"{named} {'depend exactly on each other' if data.is_exact else 'collide'}"
        whole = f"{text}: {data.relation}"
        return whole if len(whole) <= 100 else text
    if data.is_exact:
        if data.rows < data.size:
            return f"{data.rows} rows cannot determine {data.size} coefficients"
        return "Some coefficients are not determined: there is no information about them"
    if data.with_intercept:
        names = [_short(name) for name in data.with_intercept[:3]]
        verb = "lies" if len(data.with_intercept) == 1 else "lie"
        return f"No columns collide with each other; {join_words(names)} {verb} far from zero"
    return "No columns collide"


def alt(data: CollisionsData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    parts = []
    for index, row in zip(data.indices, data.shares, strict=True):
        names = [
            f"{name} {share:.2f}"
            for name, share in zip(data.labels, row, strict=True)
            if share >= _INVOLVED
        ]
        parts.append(f"index {format_number(index, 3)}: {', '.join(names) or 'no column'}")
    return f"{finding(data)}. Shares of variance of at least one half, {'; '.join(parts)}."


def caption(data: CollisionsData) -> str:
    """Return how to read the figure."""
    text = (
        "One row for each weak direction of the data, weakest first, with its condition index "
        "(columns of unit length; from 10 on it matters, from 30 on much). Dark: the share of the "
        "variance of a coefficient that comes from there. Two or more dark cells in a row are "
        "columns that collide. VIF: by how much collinearity multiplies a variance."
    )
    hidden = data.size - len(data.labels)
    return f"{text} {hidden} columns less involved are not shown." if hidden else text


def _short(name: str) -> str:
    """Return a name with its middle left out when it is long: numbers stand at the end."""
    half = _NAME // 2
    return name if len(name) <= _NAME else f"{name[:half]}…{name[-half:]}"


def series(data: CollisionsData) -> Series:
    """Return what is drawn, as columns of numbers."""
    for index, shares in zip(data.indices, data.shares, strict=True):
        name = f"condition index {format_number(index, 6)}"
        yield name, {"column": data.labels, "variance_share": shares}
    yield "VIF", {"column": data.labels, "variance_inflation": data.inflation}


# -- drawing --------------------------------------------------------------------------------------


def _columns(data: CollisionsData, inside: float) -> tuple[list[int], float, float, bool]:
    """Return columns, the width of a cell, the height of names, and whether names lie flat."""
    columns = _ordered(data, max(1, int(inside / (_NARROW * letters().scale))))
    widest = max(measure(_short(data.labels[k]))[0] for k in columns) + 4
    cell = min(inside / len(columns), max(60.0, widest))
    flat = widest <= cell
    return columns, cell, letters().small * LINE if flat else widest, flat


def _tall(data: CollisionsData, width: float) -> float:
    """Return the height of the figure, in inches."""
    _, _, names, _ = _columns(data, 72 * width - _left(data) - 8)
    scale = letters().scale
    rows = _CELL * (len(data.indices) + 1)
    return scale * (0.45 + rows + (0.15 if width < _WIDE * scale else 0.0)) + names / 72


@figure(
    of="a condition analysis of data, or its collinearity",
    answers="which columns collide?",
    data=collisions_data,
    width=FULL,
    height=_tall,
)
def collisions(panel: Panel, data: CollisionsData) -> None:
    """Draw the shares of variance that come from each weak direction of the data."""
    inside = 72 * panel.width - (_left(data) + 8 if panel.owned else 0.0)
    columns, cell, names, flat = _columns(data, inside)
    _dress(panel, data, columns, inside - cell * len(columns), names)
    _draw(panel.axes, data, columns, cell)
    _name(panel.axes, data, columns, upright=flat)


def _left(data: CollisionsData) -> float:
    return 22.5 + letters().axis + max(measure(label)[0] for label in _row_names(data))


def _row_names(data: CollisionsData) -> tuple[str, ...]:
    named = "" if len(data.indices) >= _NAMED else "index "
    return (*(f"{named}{format_number(index, 3)}" for index in data.indices), "VIF")


def _ordered(data: CollisionsData, most: int) -> list[int]:
    """Return the columns that have room, those of one direction side by side."""
    shares = np.nan_to_num(data.shares)
    kept = range(min(most, len(data.labels)))
    return sorted(kept, key=lambda k: (int(np.argmax(shares[:, k])), -float(shares[:, k].max())))


def _dress(
    panel: Panel, data: CollisionsData, columns: list[int], free: float, names: float
) -> None:
    axes, rows = panel.axes, len(data.indices)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(rows + 0.5, -0.5)
    places = (*map(float, range(rows)), float(rows))
    ticks = Ticks(places, _row_names(data))
    name = "condition index" if rows >= _NAMED else ""
    panel.dress(finding(data), "", name, None, ticks, right=max(free, 3), below=names + 5)
    axes.tick_params(axis="both", length=0)
    for side in ("left", "bottom", "right", "top"):
        axes.spines[side].set_visible(False)


def _draw(axes: Axes, data: CollisionsData, columns: list[int], cell: float) -> None:
    from matplotlib.patches import Rectangle

    for row in range(len(data.indices)):
        for at, k in enumerate(columns):
            share = float(data.shares[row, k])
            known = math.isfinite(share)
            level = _shade(share if data.indices[row] >= MODERATE else share / 4) if known else 1.0
            axes.add_patch(
                Rectangle(
                    (at - 0.5, row - 0.5), 1, 1, facecolor=(level, level, level), zorder=1,
                    edgecolor=FAINT, linewidth=0.5,
                )
            )  # fmt: skip
            text = f"{share:.2f}".removeprefix("0") if known else "–"
            if (not known or share >= 0.1) and measure(text)[0] + 2 <= cell:
                axes.text(at, row, text, ha="center", va="center", zorder=2,
                          color="white" if level < 0.5 else INK)  # fmt: skip
    factors = [_factor(float(data.inflation[k])) for k in columns]
    if max(measure(text)[0] for text in factors) + 2 > cell:
        factors = [_power(float(data.inflation[k])) for k in columns]
    if max(measure(text)[0] for text in factors) + 2 <= cell:
        for at, text in enumerate(factors):
            axes.text(at, len(data.indices), text, ha="center", va="center", color=MUTED)


def _shade(share: float) -> float:
    """Return the brightness of a cell; letters on it have contrast enough at every share."""
    return 1 - 0.85 * min(max(share, 0.0), 1.0)


def _factor(value: float) -> str:
    return "–" if math.isnan(value) else format_number(value, 4 if 1000 <= value < 1e4 else 3)


def _power(value: float) -> str:
    """Write a factor in three or four letters."""
    if not math.isfinite(value):
        return _factor(value)
    return (
        format_number(value, 2)
        if value < 100
        else f"{value:.0f}"
        if value < 999
        else format_number(value, 1)
    )


def _name(axes: Axes, data: CollisionsData, columns: list[int], *, upright: bool) -> None:
    for at, k in enumerate(columns):
        axes.annotate(
            _short(data.labels[k]), (at, 0), (0, -4), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", va="top", rotation=0 if upright else 90,
        )  # fmt: skip
