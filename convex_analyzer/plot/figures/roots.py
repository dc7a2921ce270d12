"""Figure 5: the roots of every direction's recurrence in the unit circle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison
from convex_analyzer.errors import InputError
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FAINT, HALF, INK, MUTED, Look, looks
from convex_analyzer.plot.ticks import linear_ticks
from convex_analyzer.plot.wording import rate_text, subscript
from convex_analyzer.tables import format_number, join_words
from convex_analyzer.theory.analysis import Analysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RootsData", "RootsOf", "alt", "caption", "finding", "roots", "roots_data", "series"]

Array = npt.NDArray[np.float64]

_FEW = 4  # up to this many directions are all drawn; of more, only the ends
_FARTHEST = 3.0  # roots farther out are drawn at this distance, with their size beside
DIRECT = 6


@dataclass(frozen=True, eq=False)
class RootsOf:
    """The roots of one optimizer.

    Attributes
    ----------
    label, look
        Name, and how it is drawn.
    directions
        Numbers of the directions that are drawn, from 1, (n,).
    eigenvalues
        λ of each, (n,).
    roots
        Largest first, (n, slots).
    one_minus_rate
        1 - |largest root|, (n,).
    worst_one_minus_rate
        1 - ρ over all directions that carry loss.
    slowest
        Number of the direction that sets ρ, from 1, and its eigenvalue.
    outcome
        As in `Analysis.outcome`.
    circle
        Radius on which complex roots lie, √μ for a heavy ball; None when they lie on none.
    """

    label: str
    look: Look
    directions: tuple[int, ...]
    eigenvalues: Array
    roots: npt.NDArray[np.complex128]
    one_minus_rate: Array
    worst_one_minus_rate: float
    slowest: tuple[int, float]
    outcome: str
    circle: float | None


@dataclass(frozen=True, eq=False)
class RootsData:
    """What figure 5 shows.

    Attributes
    ----------
    methods
        One per optimizer that has a closed form.
    omitted
        Labels of those that have none.
    reach
        The picture shows real and imaginary parts up to this size.
    dimension
        Number of directions of the problem.
    """

    figure: ClassVar[str] = "roots"

    methods: tuple[RootsOf, ...]
    omitted: tuple[str, ...]
    reach: float
    dimension: int


def roots_data(result: Comparison | Analysis | Sequence[Analysis]) -> RootsData:
    """Return what figure 5 shows, without drawing.

    Raises
    ------
    InputError
        There is nothing to show.
    """
    pairs, omitted = _analyses(result)
    if not pairs and not omitted:
        raise InputError("roots needs at least one analysis", argument="result")
    tuned = [bool(analysis.tuned) for _, analysis in pairs]
    styles = looks([analysis.optimizer for _, analysis in pairs], tuned)
    if isinstance(result, Comparison):
        every = [bool(e.analysis is not None and e.analysis.tuned) for e in result.entries]
        whole = looks([entry.optimizer for entry in result.entries], every)
        styles = tuple(
            look for look, e in zip(whole, result.entries, strict=True) if e.analysis is not None
        )
    methods = tuple(
        _method(label, analysis, look)
        for (label, analysis), look in zip(pairs, styles, strict=True)
    )
    sizes = [float(np.max(np.abs(m.roots))) for m in methods]
    largest = max([size for size in sizes if math.isfinite(size)], default=1.0)
    reach = 1.14 * min(max(1.0, largest), _FARTHEST)
    dimension = max((a.spectrum.dimension for _, a in pairs), default=0)
    return RootsData(methods, tuple(omitted), reach, dimension)


def _analyses(
    result: Comparison | Analysis | Sequence[Analysis],
) -> tuple[list[tuple[str, Analysis]], list[str]]:
    if isinstance(result, Comparison):
        pairs = [(e.label, e.analysis) for e in result.entries if e.analysis is not None]
        return pairs, [e.label for e in result.entries if e.analysis is None]
    analyses = [result] if isinstance(result, Analysis) else list(result)
    names = [type(a.optimizer).__name__ for a in analyses]
    labels = [
        f"{name} {names[: i + 1].count(name)}" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]
    return list(zip(labels, analyses, strict=True)), []


def _method(label: str, analysis: Analysis, look: Look) -> RootsOf:
    modes = analysis.modes
    values = modes.eigenvalues
    active = np.flatnonzero(values != 0)
    active = active if active.size else np.arange(len(values))
    apart = np.diff(values[active]) > 1e-9 * np.abs(values[active][1:])
    chosen = active[np.concatenate([[True], apart])]  # one of each distinct eigenvalue
    if len(chosen) > _FEW:
        chosen = chosen[[0, -1]]
    size = analysis.spectrum.dimension if analysis.spectrum.is_interval else len(values)
    numbers = tuple(size if i == len(values) - 1 else int(i) + 1 for i in chosen)
    slowest = analysis.slowest
    return RootsOf(
        label=label,
        look=look,
        directions=numbers,
        eigenvalues=values[chosen],
        roots=modes.roots[chosen],
        one_minus_rate=modes.one_minus_rate[chosen],
        worst_one_minus_rate=analysis.one_minus_rate,
        slowest=(slowest + 1, float(values[slowest])),
        outcome=analysis.outcome,
        circle=_circle(modes.roots, modes.determinant),
    )


def _circle(roots: npt.NDArray[np.complex128], determinant: Array) -> float | None:
    """Return the radius that all complex pairs share."""
    pairs = np.abs(roots.imag).max(axis=1) > 0
    if roots.shape[1] != 2 or not pairs.any() or np.ptp(determinant) > 1e-9:
        return None
    return float(math.sqrt(abs(determinant[pairs][0])))


# -- words ----------------------------------------------------------------------------------------


def finding(data: RootsData) -> str:
    """Return who is limited by what, in a sentence."""
    if not data.methods:
        return f"{join_words(data.omitted)}: not linear, so there are no roots"
    outside = [m for m in data.methods if m.outcome == "unstable"]
    if outside:
        worst = min(outside, key=lambda m: m.worst_one_minus_rate)
        size = rate_text(worst.worst_one_minus_rate)
        number, value = worst.slowest
        where = f"q{subscript(number)} (λ = {format_number(value, 4)})"
        if len(outside) == len(data.methods) and len(outside) > 1 and value < 0:
            return f"Every method has a root outside the circle: along {where} all of them escape"
        names = join_words([m.label for m in outside])
        verb = "has a root" if len(outside) == 1 else "have roots"
        return f"{names} {verb} outside the circle, the largest {size}, along {where}"
    if any(m.outcome == "drifting" for m in data.methods):
        return (
            "Curved directions contract; along the flat one the root is 1 and J falls without end"
        )
    if all(m.outcome == "flat" for m in data.methods):
        return "There is no curvature: every root stays at 1"
    if all(m.worst_one_minus_rate >= 1 - 1e-12 for m in data.methods):
        return "Every root is at 0: all directions are finished at once"
    ranked = sorted(data.methods, key=lambda m: -m.worst_one_minus_rate)
    best, last = ranked[0], ranked[-1]
    if last.worst_one_minus_rate <= 0 or last.outcome == "marginal":
        return f"{last.label} has a root on the circle: its error never decays"
    first = f"{best.label} keeps its roots within {rate_text(best.worst_one_minus_rate)}"
    if best is last or best.worst_one_minus_rate <= last.worst_one_minus_rate * (1 + 1e-9):
        return f"{first} {_manner(best)}".rstrip() if best is last else f"{first}, as all do"
    return f"{first}, {last.label} within {rate_text(last.worst_one_minus_rate)}"


def _manner(method: RootsOf) -> str:
    swinging = np.abs(method.roots.imag).max(axis=1) > 0
    if swinging.all():
        return "and swings in every direction"
    return "and swings in some directions" if swinging.any() else ""


def alt(data: RootsData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    parts = []
    for method in data.methods:
        sizes = ", ".join(
            f"q{number}: {rate_text(float(w))}"
            for number, w in zip(method.directions, method.one_minus_rate, strict=True)
        )
        parts.append(f"{method.label} ({sizes})")
    listing = f" Largest root per direction: {'; '.join(parts)}." if parts else ""
    return f"{finding(data)}.{listing}"


def caption(data: RootsData) -> str:
    """Return how to read the figure."""
    ends = "" if all(len(m.directions) <= 2 for m in data.methods) else ", grey: between"
    which = "" if data.dimension <= _FEW else f" Of {data.dimension} directions only the two ends."
    circle = any(m.circle is not None for m in data.methods)
    more = " Dashed circle: where complex pairs of one method lie (√μ for a heavy ball)."
    omitted = f" No roots: {join_words(data.omitted)} (not linear)." if data.omitted else ""
    return (
        "Inside the circle the error shrinks; the distance from the centre is the factor per step; "
        f"off the axis it swings, left of 0 it changes sign. Filled: flattest direction, hollow: "
        f"steepest{ends}.{more if circle else ''}{which}{omitted}"
    )


def series(data: RootsData) -> Series:
    """Return what is drawn, as columns of numbers."""
    for method in data.methods:
        slots = method.roots.shape[1]
        yield method.label, {
            "direction": np.repeat(method.directions, slots),
            "eigenvalue": np.repeat(method.eigenvalues, slots),
            "root_real": method.roots.real.ravel(), "root_imag": method.roots.imag.ravel(),
        }  # fmt: skip


# -- drawing --------------------------------------------------------------------------------------


@figure(
    number=5,
    of="a comparison, an analysis or several",
    answers="which direction limits, and does it swing?",
    data=roots_data,
    width=HALF,
)
def roots(panel: Panel, data: RootsData) -> None:
    """Draw the roots of every direction's recurrence in the unit circle."""
    _dress(panel, data)
    placer = Placer(panel.axes)
    _draw_circles(panel.axes, data, placer)
    spots = [
        _draw_roots(panel.axes, method, max(3.6, 7.2 - 1.3 * rank), placer)
        for rank, method in enumerate(data.methods)
    ]
    _name(data, spots, placer)


def _dress(panel: Panel, data: RootsData) -> None:
    ticks = linear_ticks(-data.reach, data.reach, 5)
    panel.dress(finding(data), "real part", "imaginary part", ticks, ticks)
    box = panel.axes.get_window_extent()
    wide = data.reach * max(1.0, float(box.width / box.height))
    high = data.reach * max(1.0, float(box.height / box.width))
    panel.axes.set_xlim(-wide, wide)
    panel.axes.set_ylim(-high, high)


def _draw_circles(axes: Axes, data: RootsData, placer: Placer) -> None:
    turn = np.linspace(0, 2 * math.pi, 181)
    x, y = np.cos(turn), np.sin(turn)
    axes.fill(x, y, color="#eef4f9", lw=0, zorder=0)
    axes.plot(x, y, color=INK, lw=0.9, zorder=2)
    placer.avoid_line(x, y, 2.0)
    for line in (axes.axhline, axes.axvline):
        line(0, color=FAINT, lw=0.5, zorder=1)
    for radius in sorted({round(m.circle, 9) for m in data.methods if m.circle is not None}):
        if 0.03 < radius < 0.999:
            axes.plot(radius * x, radius * y, color=MUTED, lw=0.6, ls=(0, (4, 2)), zorder=1)
            placer.avoid_line(radius * x, radius * y, 0.6)


def _shown(root: complex) -> complex:
    """Return where a root is drawn: pulled in when it is far out."""
    size = abs(root)
    return root if size <= _FARTHEST else root / size * _FARTHEST


def _draw_roots(axes: Axes, method: RootsOf, size: float, placer: Placer) -> Array:
    """Draw one method's roots, the later the smaller; return where those are that set its rate."""
    w = method.one_minus_rate
    limiting = np.abs(w - w.min()) <= 1e-6 * abs(w.min())
    spots: list[tuple[float, float]] = []
    last = len(method.directions) - 1
    for i, pair in enumerate(method.roots):
        fill: Any = "white" if i == last and last > 0 else method.look.color
        fill = fill if i in (0, last) else "#c9c9c9"
        for root in pair:
            at = _shown(complex(root))
            axes.plot([at.real], [at.imag], ls="", marker=method.look.marker, ms=size, mfc=fill,
                      mec=method.look.color, mew=1.2, zorder=4, clip_on=False)  # fmt: skip
            placer.avoid_box((at.real, at.imag), size, size)
        if not limiting[i]:
            continue
        main = _shown(complex(pair[0]))
        spots.append((main.real, main.imag))
        if abs(main.imag) > 0:
            spots.append((main.real, -main.imag))
    return np.array(spots)


def _name(data: RootsData, spots: list[Array], placer: Placer) -> None:
    few = len(data.methods) <= DIRECT
    for method, places in zip(data.methods, spots, strict=True):
        size = f": {rate_text(method.worst_one_minus_rate)}" if few else ""
        text = f"{method.look.glyph} {method.label}{size}"
        placer.place(text, places, color=method.look.ink, gap=4.5, near=1.5)
    circle = [(math.cos(t), math.sin(t)) for t in np.linspace(0, 2 * math.pi, 40)]
    placer.place("1: no decay", circle, color=MUTED, gap=2.5, leader=False)
