"""κ under each way of changing the data: what units, offsets and collinearity contribute."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from convex_analyzer.conditioning.cost import CHEAP_KAPPA
from convex_analyzer.conditioning.results import ConditionAnalysis
from convex_analyzer.conditioning.split import Split
from convex_analyzer.plot.figure import Series, figure
from convex_analyzer.plot.panel import Panel
from convex_analyzer.plot.style import FAINT, FULL, INK, MUTED, Look, letters
from convex_analyzer.plot.text import measure
from convex_analyzer.plot.ticks import Ticks, log_ticks
from convex_analyzer.tables import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "KappaBar",
    "KappaSplitData",
    "alt",
    "caption",
    "finding",
    "kappa_split",
    "kappa_split_data",
    "kappa_text",
    "remark_on",
    "series",
]

_LEAST = 0.05  # decades that are worth a word
_ROW, _FRAME = 0.185, 0.7  # inches: of a bar, and of what stands around them
_WIDE = 5.0  # inches from which on there is room for remarks
_MOST = 30.0  # decades that are drawn: no float64 data has more
_CAUSES = {  # colour and hatch: never told apart by colour alone
    "offset": ("#D55E00", "...."),
    "units": ("#0072B2", "////"),
    "collinearity": ("#8d4b77", "xxxx"),
}
_OTHERS = ("BlockJacobi", "IncompleteCholesky", "SSOR")


@dataclass(frozen=True)
class KappaBar:
    """κ after one change.

    Attributes
    ----------
    name
        What is changed.
    kappa
        κ afterwards.
    kind
        ``given``, ``step`` (takes a cause away), ``remedy``, ``limit`` (of all step sizes per
        weight) or ``other model``.
    cause
        What the change takes away; "" for nothing in particular.
    decades
        log10 of the factor by which κ falls with that; negative when it grows, infinite for an
        exact dependency.
    """

    name: str
    kappa: float
    kind: str
    cause: str = ""
    decades: float = 0.0

    @property
    def before(self) -> float:
        """κ before; the same where nothing is taken away."""
        if not (self.cause and math.isfinite(self.decades)):
            return self.kappa
        return self.kappa * 10 ** max(self.decades, 0.0)


@dataclass(frozen=True)
class KappaSplitData:
    """What the figure shows.

    Attributes
    ----------
    name
        Of the problem.
    symbol
        ``κ(XᵀX)`` for data, ``κ(A)`` for a matrix.
    bars
        From top to bottom.
    cause
        In one word.
    removed_by
        What removes the cause; "" when it is harmless.
    is_bound
        Whether κ is only known to be at least that.
    has_penalty
        Whether the problem has one, which determines every direction.
    """

    figure: ClassVar[str] = "kappa_split"

    name: str
    symbol: str
    bars: tuple[KappaBar, ...]
    cause: str
    removed_by: str
    is_bound: bool
    has_penalty: bool

    @property
    def given(self) -> KappaBar:
        """The problem as it is."""
        return self.bars[0]


def kappa_split_data(analysis: ConditionAnalysis) -> KappaSplitData:
    """Return what the figure shows, without drawing.

    Parameters
    ----------
    analysis
        What `condition` returned.
    """
    split = analysis.split
    bars = _of_matrix(analysis) if analysis.kappa_of_data is None else _of_data(analysis)
    if split.best_diagonal is not None:
        bars.append(KappaBar("best diagonal scaling", split.best_diagonal, "limit"))
    raw = next((view for view in split.views if view.name == "raw"), None)
    if raw is not None and not raw.same_model:
        bars.append(KappaBar("without the intercept", raw.kappa, "other model"))
    part = next((p for p in split.shares if p.cause == analysis.cause), None)
    return KappaSplitData(
        name=analysis.name,
        symbol="κ(A)" if analysis.kappa_of_data is None else "κ(XᵀX)",
        bars=tuple(bars),
        cause=analysis.cause,
        removed_by="" if part is None else part.removed_by,
        is_bound=analysis.kappa_is_bound,
        has_penalty=analysis.penalty > 0,
    )


def _of_matrix(analysis: ConditionAnalysis) -> list[KappaBar]:
    split = analysis.split
    bars = [KappaBar("as given", analysis.kappa, "given")]
    names = {view.name for view in split.views}
    if "unit diagonal" in names:
        bars.append(_step(split, "unit diagonal", "unit diagonal", "units"))
    bars += [
        KappaBar(entry.title, entry.kappa, "remedy")
        for entry in analysis.remedies
        if entry.name in _OTHERS and entry.kappa is not None
    ]
    return [*bars, _step(split, "whitened", "whitened", "collinearity")]


def _step(split: Split, view: str, name: str, cause: str) -> KappaBar:
    return KappaBar(name, split.view(view).kappa, "step", cause, split.decades(cause))


def _of_data(analysis: ConditionAnalysis) -> list[KappaBar]:
    split = analysis.split
    if len(split.views) == 1:  # nothing but an intercept
        return [KappaBar("as given", split.views[0].kappa, "given")]
    make = _without_intercept if split.view("raw").same_model else _with_intercept
    bars = make(split)
    if analysis.penalty:
        bars[0] = replace(bars[0], name="without the penalty")
        bars.insert(0, KappaBar("as given", analysis.kappa, "given"))
        bars[1] = replace(bars[1], kind="remedy")
    return bars


def _with_intercept(split: Split) -> list[KappaBar]:
    centred = _step(split, "centred with intercept", "columns centred", "offset")
    given = centred.kappa * 10 ** split.decades("offset")
    scaled = split.view("scaled with intercept").kappa
    return [
        KappaBar("as given", given, "given"),
        KappaBar("columns scaled only", scaled, "remedy"),
        centred,
        _step(split, "standardised with intercept", "standardised", "units"),
        _step(split, "whitened", "whitened", "collinearity"),
    ]


def _without_intercept(split: Split) -> list[KappaBar]:
    scaled = _step(split, "scaled", "columns scaled", "units")
    standard, offset = split.view("standardised").kappa, split.decades("offset")
    whitened = _step(split, "whitened", "whitened", "collinearity")
    if offset < 0 and math.isfinite(whitened.decades):  # the own model is better without it
        whitened = KappaBar("whitened", 1.0, "step", "collinearity", math.log10(scaled.kappa))
    return [
        KappaBar("as given", split.view("raw").kappa, "given"),
        scaled,
        whitened,
        KappaBar("with an intercept", split.view("with intercept").kappa, "other model"),
        KappaBar("… and standardised", standard, "other model", "offset", offset),
    ]


# -- words ----------------------------------------------------------------------------------------


def kappa_text(kappa: float) -> str:
    """Write κ with three digits, and no power of ten below ten thousand.

    Examples
    --------
    >>> kappa_text(1053.5), kappa_text(13858836997.0), kappa_text(6.5578)
    ('1054', '1.39e10', '6.56')
    """
    return format_number(kappa, 4 if 1e3 <= kappa < 9999.5 else 3)


def remark_on(bar: KappaBar) -> str:
    """Return what a bar says beside its length.

    Examples
    --------
    >>> remark_on(KappaBar("standardised", 28.0, "step", "units", 3.0))
    'without units: ÷ 1000'
    """
    model = "another model" if bar.kind == "other model" else ""
    if bar.kind == "limit":
        return "Adam, RMSProp get no lower"
    if not bar.cause:
        return model
    if math.isinf(bar.decades):
        return f"{bar.cause}: exact"
    if abs(bar.decades) < _LEAST:
        text = f"{bar.cause}: no part in it"
    else:
        sign, size = ("÷", bar.decades) if bar.decades > 0 else ("×", -bar.decades)
        digits = 4 if 2 <= size < 4 else 2
        text = f"without {bar.cause}: {sign} {format_number(10**size, digits)}"
    return f"{model}; {text}" if model else text


def finding(data: KappaSplitData) -> str:
    """Return where κ comes from, in a sentence."""
    least = "at least " if data.is_bound else ""
    kappa = f"{data.symbol} = {least}{kappa_text(data.given.kappa)}"
    causes = {bar.cause: bar for bar in data.bars if bar.cause}
    if data.cause == "harmless":
        small = data.given.kappa <= CHEAP_KAPPA and not data.is_bound
        return f"{kappa} is {'small' if small else 'harmless here'}: there is nothing to mend"
    main = causes.get(data.cause)
    if main is None:
        return f"{kappa} is {data.cause}"
    if math.isinf(main.decades):
        if data.has_penalty:
            return f"{kappa}: columns depend exactly on others, and only the penalty decides"
        return f"{kappa}, and some directions are not determined at all: exact collinearity"
    others = sum(bar.decades for cause, bar in causes.items() if cause != data.cause)
    share = "all of it" if others < _LEAST else "most of it"
    if others > main.decades:
        share = "above all"
    if data.cause == "collinearity":
        return f"{kappa}, {share} collinearity, which no scaling removes"
    factor = format_number(10**main.decades, 2)
    return f"{kappa}, {share} {data.cause}: a factor of {factor}, removed by {data.removed_by}"


def alt(data: KappaSplitData) -> str:
    """Return the conclusion of the figure for those who cannot see it."""
    parts = []
    for bar in data.bars:
        remark = remark_on(bar)
        more = f" ({remark})" if remark else ""
        parts.append(f"{bar.name} {format_number(bar.kappa, 4)}{more}")
    return f"{finding(data)}. {data.symbol} by change: {'; '.join(parts)}."


def caption(data: KappaSplitData) -> str:
    """Return how to read the figure."""
    text = (
        f"Solid: {data.symbol} after the change on the left (2-norm; 1 is best). Hatched: what it "
        "took away, and the cause."
    )
    if data.has_penalty:
        text += " All bars but the first are without the penalty."
    if any(bar.kind == "other model" for bar in data.bars):
        text += " Pale: another model."
    return text


def series(data: KappaSplitData) -> Series:
    """Return what is drawn, as columns of numbers."""
    for bar in data.bars:
        yield bar.name, {
            "kappa": bar.kappa, "kind": bar.kind, "cause": bar.cause, "decades": bar.decades,
        }  # fmt: skip


# -- drawing --------------------------------------------------------------------------------------


def _tall(data: KappaSplitData, width: float) -> float:
    """Return the height of the figure, in inches."""
    scale = letters().scale
    return scale * (_FRAME + _ROW * len(data.bars) + (0.15 if width < _WIDE * scale else 0.0))


@figure(
    number=9,
    of="a condition analysis",
    answers="where does κ come from, and what takes it away?",
    data=kappa_split_data,
    width=FULL,
    height=_tall,
)
def kappa_split(panel: Panel, data: KappaSplitData) -> None:
    """Draw κ under each way of changing the data, and what each one takes away."""
    remarks = _dress(panel, data)
    for row, bar in enumerate(data.bars):
        _draw(panel.axes, bar, row)
        _write(panel.axes, bar, row, _values(data) + 13 if remarks else None)


def _dress(panel: Panel, data: KappaSplitData) -> bool:
    """Set up the axes, and tell whether there is room for remarks."""
    rows = len(data.bars)
    high = max(10.0, *(min(max(bar.kappa, bar.before), 10**_MOST) for bar in data.bars))
    panel.axes.set_xscale("log")
    panel.axes.set_xlim(1, high * high**0.01)
    panel.axes.set_ylim(rows - 0.45, -0.55)
    remarks = panel.owned and panel.width >= _WIDE * letters().scale
    room = _values(data) + 6
    if remarks:
        room += max(measure(remark_on(bar))[0] for bar in data.bars) + 8
    names = Ticks(tuple(float(j) for j in range(rows)), tuple(bar.name for bar in data.bars))
    panel.dress(
        finding(data), f"{data.symbol}, on a logarithmic scale", "",
        log_ticks(1, high, 7 if remarks else 4), names, right=room,
    )  # fmt: skip
    panel.axes.tick_params(axis="y", length=0)
    return remarks


def _value(bar: KappaBar) -> str:
    return kappa_text(bar.kappa)


def _values(data: KappaSplitData) -> float:
    """Return the width of the column of numbers."""
    return max(measure(_value(bar), weight="bold")[0] for bar in data.bars)


def _draw(axes: Axes, bar: KappaBar, row: int) -> None:
    looks: dict[str, dict[str, Any]] = {
        "given": {"color": INK},
        "step": {"color": MUTED},
        "remedy": {"color": MUTED},
        "limit": {"facecolor": "white", "edgecolor": INK, "linewidth": 0.8},
        "other model": {"color": FAINT},
    }
    axes.barh(row, max(bar.kappa - 1, 0.0), left=1, height=0.62, zorder=2, **looks[bar.kind])
    if bar.before > bar.kappa * 10**_LEAST:
        color, hatch = _CAUSES[bar.cause]
        (patch,) = axes.barh(
            row, bar.before - bar.kappa, left=bar.kappa, height=0.62, facecolor="white",
            edgecolor=color, hatch=hatch, linewidth=0.7, zorder=1.5,
        )  # fmt: skip
        if hasattr(patch, "set_hatchcolor"):  # Matplotlib 3.10 takes that of the edge
            patch.set_hatchcolor(color)


def _write(axes: Axes, bar: KappaBar, row: int, shift: float | None) -> None:
    style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "ha": "left"}
    axes.annotate(
        _value(bar), (1, row), (5, 0), textcoords="offset points", color=INK,
        fontweight="bold" if bar.kind == "given" else "normal", **style,
    )  # fmt: skip
    if shift is not None:
        color = _CAUSES[bar.cause][0] if bar.cause and bar.before > bar.kappa else MUTED
        axes.annotate(
            remark_on(bar), (1, row), (shift, 0), textcoords="offset points",
            color=Look(color, "-", "o").ink, **style,
        )  # fmt: skip
