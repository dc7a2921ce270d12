"""Labels beside what they name, never over each other: a small deterministic placer.

Every position of a label on a grid over the axes gets a cost: how much drawing it would cover, and
how far it stands from what it names. The cheapest one that touches no other label is taken. Summed
tables (integral images) make the cost of all positions one subtraction each.

All lengths here are points (1/72 inch) of the figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.plot.style import INK, letters
from convex_analyzer.plot.text import LINE, PAD, measure, shortened, spread, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Placer"]

Array = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, bottom, right, top

_GRID = 2.0  # candidate positions are so far apart
_NEAR = 7.0  # farther from its object a label gets a line that leads there
_CENTRED = 0.02  # what a point between the middle of a label and its object costs
_COVER = 1.5  # what covering one point of drawing costs, in points of distance
_SOME = 250  # points of each owner that labels of others are kept away from
_RIVALS = 400  # candidates for which that is checked
_KEEP, _SPARSE = 60, 25  # candidates looked at for a free leading line: the best, then every 25th


class Placer:
    """Places labels on one axes, whose limits and position are final.

    Parameters
    ----------
    axes
        Where to draw.
    inset
        Distance that labels keep from the edge of the axes.
    """

    def __init__(self, axes: Axes, inset: float = 2.0) -> None:
        self._axes = axes
        figure = axes.get_figure(root=True)
        assert figure is not None
        self.scale = 72.0 / float(figure.dpi)
        box = axes.get_window_extent()
        self.left, self.bottom = box.x0 * self.scale, box.y0 * self.scale
        self.right, self.top = box.x1 * self.scale, box.y1 * self.scale
        self._inset = inset
        self._ink = np.zeros((max(1, math.ceil(self.right - self.left)),
                              max(1, math.ceil(self.top - self.bottom))))  # fmt: skip
        self._taken: list[Box] = []
        self._objects: list[Box] = []
        self._summed: Array | None = None
        self._owned: dict[str, list[Array]] = {}
        self.unplaced: list[str] = []

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Everything that labels must not touch: labels so far, and boxes that were given."""
        return (*self._taken, *self._objects)

    # -- what is drawn already -------------------------------------------------------------------

    def to_points(self, x: Any, y: Any) -> Array:
        """Return data coordinates as points of the figure, (n, 2)."""
        data = np.column_stack([np.atleast_1d(x), np.atleast_1d(y)]).astype(float)
        with np.errstate(all="ignore"):
            points = np.asarray(self._axes.transData.transform(data), dtype=float) * self.scale
        return np.where(np.isfinite(points), points, np.nan)

    def to_data(self, point: Array) -> Array:
        """Return a point of the figure, (2,), as data coordinates."""
        return np.asarray(self._axes.transData.inverted().transform(point / self.scale))

    def avoid_line(self, x: Any, y: Any, weight: float = 1.0, owner: str = "") -> None:
        """Count a polyline (data coordinates) as drawing that labels should not cover.

        Labels of other owners keep so far away that nobody takes them for the name of this one.
        """
        points = self._draw(self.to_points(x, y), weight)
        if owner and len(points):
            some = points[:: max(1, len(points) // _SOME)]
            self._owned.setdefault(owner, []).append(some)

    def avoid_markers(self, x: Any, y: Any, size: float, weight: float = 4.0) -> None:
        """Count markers of this diameter as drawing."""
        points = self.to_points(x, y)
        grid = np.linspace(-size / 2, size / 2, 4)
        dots = [points + np.array([dx, dy]) for dx in grid for dy in grid]
        self._count(np.concatenate(dots), weight / 4)

    def avoid_box(self, place: Sequence[float] | Array, width: float, height: float) -> None:
        """Forbid a box (points) around a place (data)."""
        px, py = (float(value) for value in self.to_points(place[0], place[1])[0])
        self._objects.append((px - width / 2, py - height / 2, px + width / 2, py + height / 2))

    def _draw(self, points: Array, weight: float) -> Array:
        """Count a polyline (points), and return it densely sampled."""
        points = points[np.all(np.isfinite(points), axis=1)]
        if not len(points):
            return points
        low = np.array([self.left, self.bottom]) - 30
        high = np.array([self.right, self.top]) + 30
        points = np.clip(points, low, high)
        steps = np.diff(points, axis=0)
        counts = np.ceil(np.hypot(steps[:, 0], steps[:, 1])).astype(int) + 1
        start = np.repeat(points[:-1], counts, axis=0)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        share = (np.arange(len(first)) - first) / np.repeat(counts, counts)
        dense = start + share[:, None] * np.repeat(steps, counts, axis=0)
        dense = np.concatenate([dense, points[-1:]])
        self._count(dense, weight)
        return dense

    def _count(self, points: Array, weight: float) -> None:
        points = points[np.all(np.isfinite(points), axis=1)]
        cells = np.floor(points - [self.left, self.bottom]).astype(int)
        inside = np.all((cells >= 0) & (cells < self._ink.shape), axis=1)
        cells = np.unique(cells[inside], axis=0)
        self._ink[cells[:, 0], cells[:, 1]] += weight
        self._summed = None

    # -- labels ----------------------------------------------------------------------------------

    def put_row(
        self, texts: Sequence[str], spans: Sequence[tuple[float, float]], height: float
    ) -> None:
        """Write labels in one row, in order, each as near above its place as the others allow.

        Parameters
        ----------
        texts
            From left to right.
        spans
            Where on the x axis (points) begins and ends what each one names.
        height
            Middle of the row (points).

        A label that cannot stand above its place gets a line that leads there.
        """
        widths = [measure(text)[0] for text in texts]
        wanted = [(start + end) / 2 for start, end in spans]
        ends = self.left + self._inset, self.right - self._inset
        small = letters().small
        half = small * LINE / 2
        for text, width, x, span in zip(
            texts, widths, spread(wanted, widths, *ends), spans, strict=True
        ):
            box = (x - width / 2, height - half, x + width / 2, height + half)
            self._taken.append(box)
            middle = sum(span) / 2
            above = span[0] <= x <= span[1] or box[0] <= middle <= box[2]
            target = np.array([middle, height - half - 6])
            self._write(text, box, target, INK, small, "normal", not above)

    def place(
        self,
        text: str,
        anchors: Sequence[tuple[float, float]] | Array,
        *,
        color: str = INK,
        size: float | None = None,
        weight: str = "normal",
        gap: float = 3.0,
        region: Box | None = None,
        leader: bool = True,
        upright: float = 1.0,
        owner: str = "",
        near: float = _NEAR,
    ) -> bool:
        """Put a label near one of its anchors, or say that there is no room.

        Parameters
        ----------
        text
            May have several lines.
        anchors
            Places (data coordinates) that the label may stand at, shape (m, 2).
        color, size, weight
            Of the text; the size of labels when left out.
        gap
            Least distance from the anchor.
        region
            Where the label must stay (points); the whole axes when left out.
        leader
            Whether a thin line leads to the anchor when the label is far from it.
        upright
            What a distance up or down costs, relative to one sideways.
        owner
            Whose name it is: the label keeps away from the lines of others.
        near
            From which distance beyond `gap` on a line leads to the anchor.

        Returns
        -------
        bool
            False when there was no room: the label is then in `unplaced`, and not drawn.
        """
        size = letters().small if size is None else size
        marks = self.to_points(*np.asarray(anchors, dtype=float).reshape(-1, 2).T)
        marks = marks[np.all(np.isfinite(marks), axis=1)]
        half = (self.right - self.left) / 2
        broken = wrap(text, half, size, weight)
        cut = "\n".join(shortened(line, half, size, weight) for line in broken.split("\n"))
        for some in dict.fromkeys([text, broken, cut]):  # rather two lines, or a part, than no name
            shape = measure(some, size, weight)
            found = self._best(shape, marks, gap, region, leader, upright, owner, near)
            if found is not None:
                box, mark, distance = found
                self._taken.append(box)
                self._write(some, box, mark, color, size, weight, leader and distance > gap + near)
                return True
        self.unplaced.append(text)
        return False

    def _best(
        self,
        shape: tuple[float, float],
        marks: Array,
        gap: float,
        region: Box | None,
        leader: bool,
        upright: float,
        owner: str,
        near: float,
    ) -> tuple[Box, Array, float] | None:
        width, height = shape
        columns, rows = self._positions(width, height, region)
        if not len(columns) or not len(rows) or not len(marks):
            return None
        free = np.flatnonzero(self._is_free(columns, rows, width, height))
        if not len(free):
            return None
        squared, nearest = _nearest_marks(columns, rows, width, height, marks, upright)
        distance, nearest = np.sqrt(squared.ravel()[free]), nearest.ravel()[free]
        x, y = columns[free // len(rows)], rows[free % len(rows)]
        beside = np.hypot(x + width / 2 - marks[nearest, 0], y + height / 2 - marks[nearest, 1])
        cost = distance + _CENTRED * beside
        cost += np.where(distance < gap, 12 + 6 * (gap - distance), 0.0)
        cost += np.where(distance > gap + _NEAR, 6.0, 0.0)
        cost += _COVER * self._covered(columns, rows, width, height).ravel()[free]
        order = np.argsort(cost, kind="stable")
        if owner:
            some = order[:_RIVALS]
            rival = self._nearest_rival(x[some], y[some], width, height, owner)
            cost[some] += np.where(rival < distance[some] + 2, 14.0, 0.0)
            again = np.argsort(cost[some], kind="stable")
            order = np.concatenate([some[again], order[_RIVALS:]])
        for i in [*order[:_KEEP], *order[_KEEP::_SPARSE]]:
            box = (float(x[i]), float(y[i]), float(x[i] + width), float(y[i] + height))
            mark = marks[nearest[i]]
            far = distance[i] > gap + near
            if not (leader and far) or self._is_clear(_nearest(box, mark), mark):
                return box, mark, float(distance[i])
        i = order[0]  # every line would cross a label: rather none
        return (float(x[i]), float(y[i]), float(x[i] + width), float(y[i] + height)), mark, 0.0

    def _positions(self, width: float, height: float, region: Box | None) -> tuple[Array, Array]:
        """Return where the left and the lower edge of a box may be."""
        left, bottom, right, top = region or (self.left, self.bottom, self.right, self.top)
        left, bottom = left + self._inset, bottom + self._inset
        right, top = right - self._inset - width, top - self._inset - height
        if right < left or top < bottom:
            return np.empty(0), np.empty(0)
        columns = np.append(np.arange(left, right, _GRID), right)
        rows = np.append(np.arange(bottom, top, _GRID), top)
        return columns, rows

    def _is_free(
        self, columns: Array, rows: Array, width: float, height: float
    ) -> npt.NDArray[np.bool_]:
        """Tell for each place of the grid whether a box there touches none."""
        free = np.ones((len(columns), len(rows)), dtype=bool)
        for left, bottom, right, top in self.boxes:
            beside = (columns >= right + PAD[0]) | (columns + width <= left - PAD[0])
            above = (rows >= top + PAD[1]) | (rows + height <= bottom - PAD[1])
            free &= beside[:, None] | above
        return free

    def _covered(self, columns: Array, rows: Array, width: float, height: float) -> Array:
        """Return how much drawing a box at each place of the grid would cover."""
        if self._summed is None:
            self._summed = np.pad(self._ink, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
        wide, high = self._ink.shape
        x0 = np.clip(np.floor(columns - self.left - 1), 0, wide).astype(int)
        x1 = np.clip(np.ceil(columns + width - self.left + 1), 0, wide).astype(int)
        y0 = np.clip(np.floor(rows - self.bottom - 1), 0, high).astype(int)
        y1 = np.clip(np.ceil(rows + height - self.bottom + 1), 0, high).astype(int)
        strips = self._summed[x1] - self._summed[x0]
        return np.asarray(strips[:, y1] - strips[:, y0])

    def _nearest_rival(self, x: Array, y: Array, width: float, height: float, owner: str) -> Array:
        """Return how far each box is from the nearest line of another owner."""
        others = [p for name, parts in self._owned.items() if name != owner for p in parts]
        if not others:
            return np.full(len(x), np.inf)
        marks = np.concatenate(others)
        return np.asarray(np.sqrt(_squared_distances(x, y, width, height, marks).min(axis=1)))

    def _is_clear(self, start: Array, end: Array) -> bool:
        """Tell whether a leading line misses all labels."""
        for left, bottom, right, top in self._taken:
            points = start + np.linspace(0, 1, 40)[:, None] * (end - start)
            inside = (points[:, 0] > left) & (points[:, 0] < right)
            if np.any(inside & (points[:, 1] > bottom) & (points[:, 1] < top)):
                return False
        return True

    def _write(
        self, text: str, box: Box, mark: Array, color: str, size: float, weight: str, leads: bool
    ) -> None:
        middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        inverse = self._axes.transData.inverted()
        anchor = inverse.transform(mark / self.scale)
        shift = middle - mark
        self._axes.annotate(
            text, (float(anchor[0]), float(anchor[1])), (float(shift[0]), float(shift[1])),
            textcoords="offset points", ha="center", va="center", color=color, fontsize=size,
            fontweight=weight, linespacing=1.05, zorder=8, annotation_clip=False,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.6},
        )  # fmt: skip
        if not leads:
            return
        start = _nearest(box, mark)
        ends = inverse.transform(np.array([start, mark]) / self.scale)
        self._axes.plot(ends[:, 0], ends[:, 1], color=color, lw=0.5, zorder=6.5,
                        scalex=False, scaley=False, solid_capstyle="butt")  # fmt: skip
        self._draw(np.array([start, mark]), 2.0)


def _nearest_marks(
    columns: Array, rows: Array, width: float, height: float, marks: Array, upright: float
) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return the squared distance of each box of a grid from the nearest mark, and which it is."""
    across = np.abs(columns + width / 2 - marks[:, :1]) - width / 2
    along = np.abs(rows + height / 2 - marks[:, 1:]) - height / 2
    dx, dy = np.maximum(across, 0) ** 2, (np.maximum(along, 0) * upright) ** 2
    least = dx[0][:, None] + dy[0]
    nearest = np.zeros(least.shape, dtype=np.intp)
    for k in range(1, len(marks)):  # one mark at a time stays in the cache
        found = dx[k][:, None] + dy[k]
        closer = found < least
        np.copyto(least, found, where=closer)
        nearest[closer] = k
    return least, nearest


def _squared_distances(x: Array, y: Array, width: float, height: float, marks: Array) -> Array:
    """Return the squared distance of each box (lower left corner x, y) from each mark, (n, m)."""
    squared = _beside(x + width / 2, marks[:, 0], width / 2)
    squared += _beside(y + height / 2, marks[:, 1], height / 2)
    return squared


def _beside(middles: Array, marks: Array, half: float) -> Array:
    """Return the squared distance of each mark from each interval; in place, as it is large."""
    apart: Array = np.subtract.outer(middles, marks)
    np.abs(apart, out=apart)
    apart -= half
    np.maximum(apart, 0, out=apart)
    apart *= apart
    return apart


def _nearest(box: Box, mark: Array) -> Array:
    """Return the point of a box that is nearest to a place."""
    return np.array([min(max(mark[0], box[0]), box[2]), min(max(mark[1], box[1]), box[3])])
