"""Figure 6: each direction's part of the gap; what is left is usually all of one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.direction_data import (
    ErrorByDirectionData,
    Group,
    Parts,
    error_by_direction_data,
)
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.multiples import (
    Grid,
    columns_of,
    draw_key,
    key_height,
    open_grid,
    row_height,
    thin,
)
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FULL, INK, MUTED
from convex_analyzer.plot.text import measure
from convex_analyzer.plot.ticks import linear_ticks, log_ticks
from convex_analyzer.tables import format_number, join_words

__all__ = [
    "ErrorByDirectionData",
    "alt",
    "caption",
    "error_by_direction",
    "error_by_direction_data",
    "finding",
    "series",
]

Array = npt.NDArray[np.float64]

_LINES = 3  # optimizers up to which their shares are written above each picture
_NAMED = 2  # optimizers, and directions, that the title names
_LONG = 138  # letters that the title has room for


# -- words -----------------------------------------------------------------------------------------


def finding(data: ErrorByDirectionData) -> str:
    """Return where the error that is left lives, in a sentence with numbers."""
    ends = [(run, int(np.argmax(run.shares[2]))) for run in data.runs]
    if len(data.groups) == 1:
        return (
            f"All of the error is along {data.groups[0].name}: there is no other curved direction"
        )
    places = {g for _, g in ends}
    verb = "grows" if all(not run.arrives and _grew(run) for run in data.runs) else "is left"
    if len(places) == 1:
        g = places.pop()
        shares = sorted(float(run.shares[2, g]) for run in data.runs)
        first = _percent(float(data.runs[0].shares[0, g]))
        name = data.groups[g].name
        if shares[0] >= 0.995:
            return f"What {verb} is all {name}: it began as {first} of the gap"
        most = _percent(shares[-1])
        span = most if _percent(shares[0]) == most else f"{_percent(shares[0])[:-2]} to {most}"
        return f"What {verb} is mostly {name}: {span} of the gap, {first} at the start"
    order = sorted(places, key=lambda g: min(i for i, (_, at) in enumerate(ends) if at == g))
    found = [(data.groups[g], [(run, g) for run, at in ends if at == g]) for g in order]
    text = _said(found, verb, named=True)
    return text if len(text) < _LONG else _said(found, verb, named=False)


def _said(found: list[tuple[Group, list[tuple[Parts, int]]]], verb: str, *, named: bool) -> str:
    """Say which direction is left of which optimizers, by name or by number."""
    said = []
    for group, those in found[:_NAMED]:
        names = join_words([run.label for run, _ in those])
        if not named or len(those) > _NAMED:
            names = f"{len(those)} optimizer{'s' if len(those) > 1 else ''}"
        least = _percent(min(float(run.shares[2, g]) for run, g in those))
        said.append(
            f"{_short(group)} for {names} ({least}{'' if len(those) == 1 else ' and more'})"
        )
    text = f"What {verb} is {', '.join(said)}"
    return f"{text}, and elsewhere for others" if len(found) > _NAMED else text


def _short(group: Group) -> str:
    return group.name.partition(" (")[0]


def _grew(run: Parts) -> bool:
    sizes = np.abs(run.parts).sum(axis=1)
    sizes = sizes[np.isfinite(sizes)]
    return bool(sizes.size and sizes[-1] > 1)


def _percent(share: float) -> str:
    """Write a share without calling 99.96 % all, or 0.04 % nothing."""
    value = 100 * share
    if value == 0 or 1 <= value <= 99:
        return f"{format_number(value, 2)} %"
    if value > 99:
        return "100 %" if value > 99.95 else f"{format_number(value, 3)} %"
    return f"{format_number(value, 1)} %" if value >= 0.01 else "0 %"


def _course(run: Parts, g: int) -> str:
    return " → ".join(_percent(float(share))[:-2] for share in run.shares[:, g]) + " %"


def alt(data: ErrorByDirectionData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    said = "; ".join(
        f"{run.label}: {_short(data.groups[g])} {_course(run, g)}"
        for run in data.runs
        for g in [int(np.argmax(run.shares[2]))]
    )
    return (
        f"{finding(data)}. Share of the gap at the start, half-way and at the end, along the "
        f"direction that is largest there: {said}."
    )


def caption(data: ErrorByDirectionData) -> str:
    """Return how to read the figure."""
    what = "the size of ½λz²" if data.saddle else "½λz²"
    shares = "above, its share of the gap at the start, half-way and at the end"
    many = "above, the largest and the smallest share of the gap at the end"
    return (
        f"One picture per eigendirection: {what} over the first gap, z the error along it. Lines: "
        "theory, or the run where there is none; hollow markers: the run; "
        f"{shares if len(data.runs) <= _LINES else many}. The dotted line is the goal."
    )


def series(data: ErrorByDirectionData) -> Series:
    """Return the numbers: of each optimizer every direction's part, and its shares."""
    for run in data.runs:
        columns = {group.name: run.parts[:, g] for g, group in enumerate(data.groups)}
        yield run.label, {"step": run.steps, **columns}
    for run in data.runs:
        shares = {group.name: run.shares[:, g] for g, group in enumerate(data.groups)}
        yield f"{run.label}, shares", {"step": np.array(run.marks, dtype=float), **shares}


# -- drawing ---------------------------------------------------------------------------------------


def _is_named(data: ErrorByDirectionData, width: float) -> bool:
    """Tell whether the heading of every picture has room for the names; else there is a key."""
    columns = columns_of(width, len(data.groups), 3)
    room = (72 * width - 62) / columns - 20
    texts = [_line(run, g, named=True) for run in data.runs for g in range(len(data.groups))]
    return len(data.runs) <= _LINES and max(measure(text)[0] for text in texts) <= room


def _line(run: Parts, g: int, *, named: bool) -> str:
    name = f"{run.look.glyph} {run.label} " if named else f"{run.look.glyph} "
    return f"{name}{_course(run, g)}"


def _key_of(data: ErrorByDirectionData, width: float) -> float:
    labels = [run.label for run in data.runs]
    return 0.0 if _is_named(data, width) else key_height(labels, width)


def _height(data: ErrorByDirectionData, width: float) -> float:
    rows = -(-len(data.groups) // columns_of(width, len(data.groups), 3))
    head = row_height() * (1 + len(data.runs) if len(data.runs) <= _LINES else 2)
    return (rows * (head + (84 if rows == 1 else 52)) + _key_of(data, width) + 60) / 72


@figure(
    number=6,
    of="a comparison",
    answers="where does what is left of the error live?",
    data=error_by_direction_data,
    width=FULL,
    height=_height,
)
def error_by_direction(panel: Panel, data: ErrorByDirectionData) -> None:
    """Draw each direction's part of the gap, one small picture per direction."""
    width = float(panel.figure.get_figwidth()) if panel.owned else _inches(panel)
    key = _key_of(data, width)
    ylabel = "|part of J − J*| / first gap" if data.saddle else "part of the gap / first gap"
    panel.dress(finding(data), "steps k", ylabel, right=2.0, below=key if panel.owned else 0.0)
    first, last = (1.0, 1.3 * data.last) if data.log_steps else (0.0, 1.02 * data.last)
    xticks = log_ticks(first, last, 4) if data.log_steps else linear_ticks(first, last, 4)
    grid = open_grid(
        panel,
        len(data.groups),
        columns_of(width, len(data.groups), 3),
        xticks,
        log_ticks(data.low, data.high, 5),
        x=(first, last, data.log_steps),
        y=(data.low, data.high),
        header=2 if len(data.runs) > _LINES else 1 + len(data.runs),
        key=key,
    )
    for g, group in enumerate(data.groups):
        _small(grid, g, group, data, named=key == 0.0)
    if key:
        draw_key(panel, [(run.label, run.look) for run in data.runs])


def _inches(panel: Panel) -> float:
    return float(panel.axes.get_window_extent().width) / float(panel.figure.dpi)


def _small(grid: Grid, g: int, group: Group, data: ErrorByDirectionData, *, named: bool) -> None:
    axes = grid.axes[g]
    axes.axhline(data.tolerance, color=MUTED, lw=0.7, ls=(0, (1, 2)), zorder=1)
    floor = 0.3 * data.low
    for run in data.runs:
        x, y = thin(run.steps, np.maximum(np.abs(run.parts[:, g]), floor), data.log_steps)
        axes.plot(x, y, color=run.look.color, ls=run.look.dash, lw=1.1, zorder=3)
        axes.plot(run.run_steps, np.maximum(np.abs(run.run_parts[:, g]), floor), ls="",
                  marker=run.look.marker, ms=3.4, mfc="white", mec=run.look.color, mew=0.8,
                  zorder=4)  # fmt: skip
    lines = [(group.name, INK, "bold")]
    if len(data.runs) <= _LINES:
        lines += [(_line(run, g, named=named), run.look.ink, "normal") for run in data.runs]
    else:
        shares = sorted(float(run.shares[2, g]) for run in data.runs)
        lines.append((f"{_percent(shares[0])[:-2]} … {_percent(shares[-1])}", MUTED, "normal"))
    grid.head(g, lines)
