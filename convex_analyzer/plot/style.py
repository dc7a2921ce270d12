"""How every figure looks: settings, colours, dashes, markers; and figures as bytes.

Nothing here or in the figures touches Matplotlib's global state for longer than one call: settings
are applied inside `context` only, and figures are made without pyplot.
"""

from __future__ import annotations

import contextlib
import functools
import io
import warnings
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.plot.fonts import lent
from convex_analyzer.plot.xml import readable_xml

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BEST",
    "FULL",
    "HALF",
    "INK",
    "MUTED",
    "SMALL",
    "Letters",
    "Look",
    "context",
    "letters",
    "look_of",
    "looks",
    "new_figure",
    "quiet",
    "setting",
    "to_png",
    "to_svg",
]

FULL, HALF = 6.85, 3.3  # inches: figures that fill the page, or half of it
SMALL = 7.0  # points: the smallest letters, at the size at which the figure is printed
INK, MUTED, FAINT = "#1a1a1a", "#555555", "#b9b9b9"
STABLE, FLIPS, UNSTABLE = "#dceefa", "#fdf3d0", "#f8ddd0"
HATCH = "#b98f7d"

SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": SMALL,
    "text.color": INK,
    "axes.labelsize": 7.5,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.minor.size": 1.6,
    "ytick.minor.size": 1.6,
    "lines.linewidth": 1.3,
    "hatch.linewidth": 0.5,
    "hatch.color": HATCH,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "convex_analyzer",
    "text.hinting": "none",  # letters as wide in pixels as they are on paper
    "text.parse_math": False,  # a label with a dollar sign is a label
}
_OURS = (
    "axes.", "contour.", "figure.", "font.", "grid.", "hatch.", "image.", "legend.", "lines.",
    "markers.", "path.", "patch.", "pcolor", "savefig.", "svg.", "text.", "xtick.", "ytick.",
)  # fmt: skip


_KEPT = (  # in a paper too: colours that can be told apart, labels as they are, the same bytes
    "text.color", "text.parse_math", "axes.labelcolor", "axes.edgecolor", "axes.facecolor",
    "axes.axisbelow", "xtick.color", "ytick.color", "xtick.labelcolor", "ytick.labelcolor",
    "xtick.labeltop", "xtick.labelbottom", "ytick.labelleft", "ytick.labelright",
    "figure.facecolor", "savefig.facecolor", "savefig.bbox", "hatch.color", "hatch.linewidth",
    "lines.marker", "lines.linestyle", "path.effects", "path.sketch", "text.usetex",
    "axes.xmargin", "axes.ymargin", "axes.autolimit_mode", "svg.hashsalt", "svg.fonttype",
    "xtick.labelrotation", "ytick.labelrotation",
)  # fmt: skip


@functools.cache
def _settings(paper: bool) -> dict[str, Any]:
    """Return Matplotlib's own defaults, where figures depend on them, under ours."""
    import matplotlib as mpl

    defaults = mpl.rcParamsDefault
    names = [name for name in defaults if name.startswith(_OURS) and name != "savefig.directory"]
    every: dict[str, Any] = {name: defaults[name] for name in names}
    every.update(SETTINGS)
    if not paper:
        return every
    known = {name: value for name, value in every.items() if name in _KEPT}
    return {**known, "pdf.fonttype": 42, "ps.fonttype": 42}  # TrueType: journals refuse Type 3


@dataclass(frozen=True)
class Letters:
    """Sizes of the letters of a figure, in points; a layout is made to their measure.

    Attributes
    ----------
    small
        Of labels and marks.
    axis
        Of the names of axes.
    title
        Of the finding.
    line
        Width of lines, relative to ours.
    """

    small: float = SMALL
    axis: float = 7.5
    title: float = 8.5
    line: float = 1.0

    @property
    def scale(self) -> float:
        """Size relative to ours."""
        return self.small / SMALL


_PLAIN = Letters()
_LETTERS: ContextVar[Letters] = ContextVar("letters")


def letters() -> Letters:
    """Return the sizes of letters in the figure that is being drawn.

    Examples
    --------
    >>> letters().small, letters().scale
    (7.0, 1.0)
    """
    return _LETTERS.get(_PLAIN)


def setting(name: str) -> Any:
    """Return one of Matplotlib's settings."""
    import matplotlib as mpl

    settings: Any = mpl.rcParams
    return settings[name]


def _letters_of_user() -> Letters:
    """Return the sizes that ``matplotlib.rcParams`` asks for."""
    from matplotlib.font_manager import FontProperties

    ticks, legend, axis, title = (
        float(FontProperties(size=setting(name)).get_size_in_points())
        for name in ("xtick.labelsize", "legend.fontsize", "axes.labelsize", "axes.titlesize")
    )
    line = float(setting("lines.linewidth")) / float(SETTINGS["lines.linewidth"])
    return Letters(min(ticks, legend), axis, title, line)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Say nothing about letters that a font lacks: names of columns may be in any script."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


@contextlib.contextmanager
def context(*, paper: bool = False) -> Iterator[None]:
    """Apply our settings, and restore those of the user on leaving.

    Parameters
    ----------
    paper
        Leave fonts, sizes and widths to the user.
    """
    import matplotlib as mpl

    settings: Any = _settings(paper)
    before = _LETTERS.set(_letters_of_user() if paper else _PLAIN)
    try:
        if paper:
            small = letters().small
            own = {"font.size": small, "xtick.labelsize": small, "ytick.labelsize": small}
            settings = {**settings, **own}
        other = {name: value for name, value in settings.items() if setting(name) != value}
        with mpl.rc_context(other), quiet():  # checking a value takes Matplotlib long
            yield
    finally:
        _LETTERS.reset(before)


# -- one look per optimizer -----------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """How one optimizer is drawn: always by colour, dash and marker at once.

    Attributes
    ----------
    color
        Of lines and markers; contrast with white at least 3.
    dash
        A Matplotlib line style.
    marker
        A Matplotlib marker.
    """

    color: str
    dash: Any
    marker: str

    @property
    def glyph(self) -> str:
        """The marker as a letter, so that names can be told apart without colours."""
        return _GLYPHS[self.marker]

    @property
    def ink(self) -> str:
        """The colour for text: as dark as reading needs (contrast with white at least 4.5).

        Examples
        --------
        >>> Look("#0072B2", "-", "o").ink, Look("#D55E00", "-", "o").ink
        ('#0072b2', '#c05500')
        """
        return _readable(self.color)


_GLYPHS = {
    "o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖", "h": "⬢", "<": "◀",
    ">": "▶", "p": "⬟", "*": "★", "d": "♦",
}  # fmt: skip
BEST = Look("#009E73", (0, (6, 1.2, 1.2, 1.2)), "D")  # the best pair, beside one that was chosen
_FAMILIES = {
    "GradientDescent": Look("#D55E00", "-", "o"),
    "HeavyBall": Look("#0072B2", (0, (4.5, 1.5)), "s"),
    "Nesterov": Look("#8d4b77", (0, (1.2, 1.2)), "^"),
    "Adam": Look("#8a5f00", (0, (3, 1, 1, 1, 1, 1)), "v"),
    "RMSProp": Look("#007a58", (0, (7, 1.5)), "P"),
    "AdaGrad": Look("#555555", (0, (2, 1)), "X"),
}
_OTHERS = (
    Look("#332288", (0, (3, 1, 1, 1)), "h"),
    Look("#a3243b", (0, (8, 1.2, 1.2, 1.2, 1.2, 1.2)), "<"),
    Look("#4d6b00", (0, (1.2, 2)), ">"),
    Look("#00738a", (0, (5, 3)), "p"),
    Look("#6b4c9a", (0, (2.5, 1.2)), "*"),
    Look("#7a3e00", (0, (9, 2, 2, 2)), "d"),
)
_VARIANTS = (
    ((0, (2, 1)), "v"), ((0, (8, 2)), "P"), ("-", "X"), *((o.dash, o.marker) for o in _OTHERS),
    ((0, (3, 1, 1, 1, 1, 1)), "D"),
)  # fmt: skip


def look_of(optimizer: Optimizer) -> Look:
    """Return the look of an optimizer that stands alone."""
    name = type(optimizer).__name__
    return _family(name) or _OTHERS[0]


def looks(optimizers: Sequence[Optimizer], tuned: Sequence[bool] = ()) -> tuple[Look, ...]:
    """Return one distinct look per optimizer, the same in every figure of one comparison.

    Parameters
    ----------
    optimizers
        In the order of the comparison.
    tuned
        Which of them have all settings tuned: beside a chosen heavy ball, the tuned one is the best
        pair, and has its own colour.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> [look.color for look in looks([HeavyBall(0.1), HeavyBall(0.2)], [False, True])]
    ['#0072B2', '#009E73']
    """
    flags = list(tuned) or [False] * len(optimizers)
    names = [type(optimizer).__name__ for optimizer in optimizers]
    first: dict[str, Look] = {}
    for name in names:
        others = sum(_family(known) is None for known in first)
        first.setdefault(name, _family(name) or _OTHERS[others % len(_OTHERS)])
    result: list[Look] = []
    for i, (name, is_tuned) in enumerate(zip(names, flags, strict=True)):
        of_name = [flag for known, flag in zip(names, flags, strict=True) if known == name]
        if name == "HeavyBall" and is_tuned and sorted(of_name) == [False, True]:
            result.append(BEST)
            continue
        number = sum(known == name for known in names[:i])
        number -= name == "HeavyBall" and BEST in result
        taken = [*first.values(), BEST, *result]
        result.append(_variant(first[name], number, taken) if number else first[name])
    return tuple(result)


def _family(name: str) -> Look | None:
    plain = name.lower()
    return next((look for key, look in _FAMILIES.items() if key.lower() == plain), None)


def _variant(look: Look, number: int, taken: Sequence[Look]) -> Look:
    """Return the look of a further optimizer of one name: darker, with another dash and marker."""
    pool = [other for other in _VARIANTS if other[1] not in {known.marker for known in taken}]
    dash, marker = pool[0] if pool else _VARIANTS[(number - 1) % len(_VARIANTS)]
    color = _scaled(look.color, 1 - 0.32 * min(number, 2))
    return replace(look, color=color, dash=dash, marker=marker)


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _scaled(color: str, share: float) -> str:
    return "#" + "".join(f"{round(255 * share * channel):02x}" for channel in _channels(color))


def contrast(color: str) -> float:
    """Return the contrast of a colour with white (WCAG 2): 21 for black.

    Examples
    --------
    >>> round(contrast("#000000"), 3)
    21.0
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(color)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


@functools.cache
def _readable(color: str) -> str:
    share = 1.0
    while contrast(_scaled(color, share)) < 4.5:
        share -= 0.025
    return _scaled(color, share)


# -- figures as bytes -----------------------------------------------------------------------------


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, sizes in inches, that pyplot does not know of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100)
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    return figure


def to_svg(figure: Figure) -> bytes:
    """Return a figure as SVG whose text can be selected; the same bytes every time."""
    sink = io.BytesIO()
    with context():
        figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    return readable_xml(sink.getvalue())


def to_png(figure: Figure, dpi: float = 200.0) -> bytes:
    """Return a figure as PNG; the same bytes every time."""
    sink = io.BytesIO()
    with context(), lent(figure):
        figure.savefig(sink, format="png", dpi=dpi, metadata={"Software": None})
    return sink.getvalue()
