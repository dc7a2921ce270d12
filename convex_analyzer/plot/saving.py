"""Figures as files for a paper, and what they show as tables of numbers.

Bytes are the same every time: no date, no name of a program, no random number goes into a file.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convex_analyzer.errors import ConvexAnalyzerWarning, InputError
from convex_analyzer.files import StrPath, write_many
from convex_analyzer.plot.figure import FigureFunction, load, module_of
from convex_analyzer.plot.fonts import lacking, lent, sign_words
from convex_analyzer.plot.latex import PACKAGES, latex_words
from convex_analyzer.plot.style import context, setting
from convex_analyzer.plot.xml import readable_xml

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["columns", "save", "to_csv"]

_FIRST = "series"  # the name of the first column of every table
_DPI = 300.0
_NONE: dict[str, dict[str, Any] | None] = {  # what would tell one run from another
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "eps": {"Creator": "convex_analyzer"},
    "pgf": None,  # takes none
}


def save(
    path: StrPath,
    figure: str | FigureFunction,
    result: Any,
    *,
    paper: bool = False,
    data: bool = True,
    width: float | None = None,
) -> tuple[Path, ...]:
    """Draw a figure into a file, and write the numbers that it shows beside it.

    Parameters
    ----------
    path
        Where to; its suffix is the format: .pdf, .svg, .png, .eps, or .pgf for LaTeX.
    figure
        A figure of `convex_analyzer.plot`, or its name.
    result
        What it is drawn from, or the data that it shows.
    paper
        For a paper: no title, and letters, lines and size as ``matplotlib.rcParams`` has them.
    data
        Whether to write ``<stem>.csv`` with the numbers.
    width
        In inches.

    Returns
    -------
    tuple of Path
        What was written: the figure, and the numbers; all of it, or nothing.

    Warns
    -----
    ConvexAnalyzerWarning
        No font on this machine has some letters.

    Raises
    ------
    InputError
        The suffix is not known, no figure has this name, the result is none that it shows, a file
        cannot be written or holds other data, or there is no LaTeX for a .pgf file.

    Examples
    --------
    >>> import convex_analyzer as ca
    >>> analysis = ca.analyze(ca.gallery.toy(), ca.HeavyBall(0.4, 0.5))
    >>> folder = getfixture("tmp_path")
    >>> [path.name for path in save(folder / "map.pdf", "stability_map", analysis, paper=True)]
    ['map.pdf', 'map.csv']
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in _NONE:
        raise InputError(
            f"cannot save a figure as {target.name}: the suffix names the format",
            argument="path",
            value=str(path),
            hint=f"one of {', '.join(f'.{known}' for known in _NONE)}",
        )
    draw = _found(figure)
    if kind == "pgf":
        _check_latex()
    shown = draw.data_of(result)
    drawn = draw(shown, width=width, paper=paper)
    files = {target: to_bytes(drawn, kind, paper=paper)}
    if data:
        table = target.with_suffix(".csv")
        _check_table(table)
        files[table] = to_csv(shown).encode("utf-8")
    written = write_many(files)
    if kind != "pgf" and (letters := lacking(drawn)):
        install = "Install a font that has them, and save it again."
        warnings.warn(f"{sign_words(letters)} {install}", ConvexAnalyzerWarning, stacklevel=2)
    return written


def _found(figure: str | FigureFunction) -> FigureFunction:
    from convex_analyzer.plot import names

    if not isinstance(figure, str):
        return figure
    if figure not in names():
        raise InputError(
            f"there is no figure called {figure}",
            argument="figure",
            value=figure,
            hint=f"one of {', '.join(names())}",
        )
    return load(figure)


def _check_table(path: Path) -> None:
    """Refuse to replace a table that is not one of ours: it may be the user's data."""
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            first = stream.readline()
    except OSError:  # not there, or `write_many` says why it cannot be written
        return
    if first and not first.startswith(f"{_FIRST},"):
        raise InputError(
            f"{path} holds other data, which the numbers of the figure would replace",
            argument="path",
            value=str(path),
            hint="choose another name, or data=False for the figure alone",
        )


# -- bytes ----------------------------------------------------------------------------------------


def to_bytes(figure: Figure, kind: str, *, paper: bool = False) -> bytes:
    """Return a figure in a format, for instance ``"pdf"``; the same bytes every time.

    Parameters
    ----------
    figure
        The figure.
    kind
        ``pdf``, ``svg``, ``png``, ``eps`` or ``pgf``.
    paper
        Whether it was drawn for a paper.
    """
    import matplotlib as mpl

    sink = io.BytesIO()
    dpi = setting("savefig.dpi") if paper else _DPI
    changed = {"eps": _opaque, "pgf": _escaped}.get(kind, _as_it_is)
    fixed: Any = {"pdf.fonttype": 42, "ps.fonttype": 42, "ps.usedistiller": None}
    fixed["pgf.preamble"] = f"{setting('pgf.preamble')}{PACKAGES}"
    with (
        context(paper=paper),
        mpl.rc_context(fixed),
        changed(figure),
        lent(figure) as files,
        mpl.rc_context({"ps.fonttype": 3} if files else {}),  # 42 takes minutes for 40,000 letters
    ):
        about = _NONE[kind]
        told: Any = {} if about is None else {"metadata": about}
        figure.savefig(sink, format=kind, dpi=_DPI if dpi == "figure" else dpi,
                       bbox_inches=None, **told)  # fmt: skip
    found = sink.getvalue()
    if kind == "svg":
        found = readable_xml(found)
    if kind == "eps":  # Matplotlib writes the time of the day
        lines = found.split(b"\n")
        found = b"\n".join(line for line in lines if not line.startswith(b"%%CreationDate"))
    return found


@contextlib.contextmanager
def _as_it_is(figure: Figure) -> Iterator[None]:
    del figure
    yield


@contextlib.contextmanager
def _opaque(figure: Figure) -> Iterator[None]:
    """Make everything opaque for a while: PostScript knows nothing else."""
    from matplotlib.text import Text

    boxes = [text.get_bbox_patch() for text in figure.findobj(Text)]
    every = [*figure.findobj(), *(box for box in boxes if box is not None)]
    sheer = [(artist, artist.get_alpha()) for artist in every if artist.get_alpha() is not None]
    with _for_a_while(sheer, lambda artist, alpha: artist.set_alpha(alpha), lambda alpha: None):
        yield


@contextlib.contextmanager
def _escaped(figure: Figure) -> Iterator[None]:
    """Write labels for a while as LaTeX wants them: a dollar sign is a dollar sign."""
    from matplotlib.text import Text

    texts = [(text, text.get_text()) for text in figure.findobj(Text)]
    with (
        _for_a_while(texts, lambda text, value: text.set_text(value), _latex_lines),
        _escaped_ticks(figure),
    ):
        yield


@contextlib.contextmanager
def _escaped_ticks(figure: Figure) -> Iterator[None]:
    """Do the same for the labels of ticks, which are made while the figure is drawn."""
    from matplotlib.axis import Axis

    axes: list[Any] = figure.findobj(Axis)
    makers = {id(maker): maker for axis in axes
              for maker in (axis.get_major_formatter(), axis.get_minor_formatter())}  # fmt: skip
    for maker in makers.values():
        vars(maker)["format_ticks"] = _then_latex(maker.format_ticks)
    try:
        yield
    finally:
        for maker in makers.values():
            del vars(maker)["format_ticks"]


def _then_latex(labels: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    return lambda values: [_latex_lines(label) for label in labels(values)]


@contextlib.contextmanager
def _for_a_while(
    artists: list[tuple[Any, Any]], put: Callable[[Any, Any], Any], change: Callable[[Any], Any]
) -> Iterator[None]:
    try:
        for artist, value in artists:
            put(artist, change(value))
        yield
    finally:
        for artist, value in artists:
            put(artist, value)


def _latex_lines(text: str) -> str:
    return "\n".join(map(latex_words, text.split("\n")))


def _check_latex() -> None:
    engine = str(setting("pgf.texsystem"))
    if shutil.which(engine) is None:
        raise InputError(
            f"a .pgf file needs LaTeX to measure its text, and there is no {engine} here",
            argument="path",
            hint="install it, name another in rcParams['pgf.texsystem'], or save as .pdf",
        )


# -- numbers --------------------------------------------------------------------------------------


def columns(data: Any) -> dict[str, list[Any]]:
    """Return what a figure shows as columns of a long table: one row for each thing drawn.

    Parameters
    ----------
    data
        What the ``data`` function of a figure returned.

    Returns
    -------
    dict
        Columns by name, all of one length, ``series`` first; None where a series has no such
        column.

    Examples
    --------
    >>> import convex_analyzer as ca
    >>> data = ca.plot.gap_curves.data(ca.compare(ca.gallery.toy()))
    >>> table = columns(data)
    >>> list(table), table["series"][0], table["relative_gap"][0]
    (['series', 'step', 'relative_gap'], 'GradientDescent, theory', 1.0)
    """
    name = getattr(data, "figure", None)
    if not isinstance(name, str):
        raise InputError(
            f"columns needs the data of a figure, got {type(data).__name__}",
            argument="data",
            hint="for instance plot.gap_curves.data(comparison)",
        )
    table: dict[str, list[Any]] = {_FIRST: []}
    for label, parts in module_of(name).series(data):
        many = [len(part) for part in parts.values() if _is_many(part)]
        count, done = max(many, default=1), len(table[_FIRST])
        table[_FIRST] += [label] * count
        for key, part in parts.items():
            values = _listed(part)
            values = values if _is_many(part) else values * count
            table.setdefault(key, [None] * done).extend(values)
        for column in table.values():
            column.extend([None] * (done + count - len(column)))
    return table


def _is_many(part: Any) -> bool:
    return isinstance(part, np.ndarray | list | tuple) and np.ndim(part) > 0


def _listed(part: Any) -> list[Any]:
    if isinstance(part, np.ndarray):
        return list(part.tolist()) if part.ndim else [part.item()]
    if isinstance(part, list | tuple):
        return [value.item() if isinstance(value, np.generic) else value for value in part]
    return [part.item() if isinstance(part, np.generic) else part]


def to_csv(data: Any) -> str:
    """Return `columns` as CSV: numbers with all their digits, nothing where there is no value.

    Parameters
    ----------
    data
        What the ``data`` function of a figure returned.

    Examples
    --------
    >>> import convex_analyzer as ca
    >>> data = ca.plot.roots.data(ca.analyze(ca.gallery.toy(), ca.GradientDescent(0.1)))
    >>> print(to_csv(data))
    series,direction,eigenvalue,root_real,root_imag
    GradientDescent,1,0.2,0.98,0.0
    GradientDescent,2,4.0,0.6,0.0
    """
    table = columns(data)
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow(["" if _is_missing(value) else value for value in row])
    return sink.getvalue()


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
