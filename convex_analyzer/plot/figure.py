"""What every figure has in common: how it is called, opened, described, and taken as numbers.

A figure is a module of `convex_analyzer.plot.figures` whose name is the figure's own. It says what
is particular to it in functions that take its data: ``finding``, ``alt`` and ``caption`` in words,
``series`` in numbers, and one that draws, which the decorator `figure` makes callable.
"""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, cast

from convex_analyzer.errors import InputError
from convex_analyzer.plot.panel import Panel, open_panel
from convex_analyzer.plot.style import context, letters, setting
from convex_analyzer.spelling import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FigureFunction", "Series", "figure", "load", "module_of"]

Series: TypeAlias = Iterable[tuple[str, Mapping[str, Any]]]
DataT = TypeVar("DataT")

HOME = "convex_analyzer.plot.figures"
_DOC = """{first}

{number}It answers: {answers}

Parameters
----------
result
    {of}, or what ``{name}.data`` returned.
ax
    Axes to draw on; a new figure when left out.
width
    Of a new figure, in inches; {width} when left out.
title
    Whether to write the finding above.
paper
    For a paper: no title, and letters, lines and size as ``matplotlib.rcParams`` has them.

Returns
-------
matplotlib.figure.Figure
    What was drawn on.

Raises
------
InputError
    The result is none that this figure shows.
"""


class FigureFunction(Protocol):
    """What the decorator `figure` returns.

    Attributes
    ----------
    name, number
        The figure's name, and its number in a report; None for one that has none.
    of, answers
        What it is drawn from, and the question that it answers.
    data
        Returns what the figure shows, without drawing.
    data_of
        The same, and data as they are.
    """

    __name__: str
    name: str
    number: int | None
    of: str
    answers: str
    data: Callable[[Any], Any]
    data_of: Callable[[Any], Any]

    def __call__(
        self,
        result: Any,
        ax: Axes | None = None,
        *,
        width: float | None = None,
        title: bool = True,
        paper: bool = False,
    ) -> Figure:
        """Draw."""


@dataclass(frozen=True)
class _Recipe(Generic[DataT]):
    """How one figure is made: the arguments of `figure`, and the function that draws."""

    draw: Callable[[Panel, DataT], None]
    of: str
    data: Callable[[Any], Any]
    width: float
    height: float | Callable[[DataT, float], float]
    below: Callable[[DataT, float], float] | None

    @property
    def name(self) -> str:
        return self.draw.__name__

    def shown(self, result: Any) -> Any:
        """Return the data of a result; data as they are."""
        hints = typing.get_type_hints(self.data)
        kinds = _classes(hints.pop("return"))
        if isinstance(result, kinds):
            return result
        known = _classes(*hints.values())
        if known and not isinstance(result, known):
            raise InputError(
                f"{self.name} is drawn from {self.of}, got {type(result).__name__}",
                argument="result",
                hint=f"or from what plot.{self.name}.data returns",
            )
        return self.data(result)

    def size(self, data: DataT, width: float | None, paper: bool) -> tuple[float, float]:
        """Return width and height of a new figure, in inches."""
        wide, tall = width or self.width, None
        if paper and width is None:
            wide, tall = (float(side) for side in setting("figure.figsize"))
        if callable(self.height):
            tall = self.height(data, wide)
        elif tall is None:
            tall = self.height * wide
        return wide, tall + (self.below(data, wide) if self.below is not None else 0.0)


def figure(
    *,
    of: str,
    answers: str,
    data: Callable[[Any], Any],
    width: float,
    height: float | Callable[[DataT, float], float] = 0.97,
    number: int | None = None,
    below: Callable[[DataT, float], float] | None = None,
) -> Callable[[Callable[[Panel, DataT], None]], FigureFunction]:
    """Make a figure of a function that draws data on a panel.

    Parameters
    ----------
    of
        What the figure is drawn from: ``an analysis``.
    answers
        The question that it answers.
    data
        Returns what the figure shows; its annotations say from what.
    width
        Of a new figure, in inches.
    height
        Of a new figure, as a share of its width; or a function of data and width that returns
        inches, for a figure that is as high as its rows.
    number
        In a report.
    below
        Further inches, from data and width.

    Returns
    -------
    Callable
        The decorator; the function that it decorates must be called like its module.
    """

    def decorate(draw: Callable[[Panel, DataT], None]) -> FigureFunction:
        recipe = _Recipe(draw, of, data, width, height, below)

        def function(
            result: Any,
            ax: Axes | None = None,
            *,
            width: float | None = None,
            title: bool = True,
            paper: bool = False,
        ) -> Figure:
            shown = recipe.shown(result)
            if shown.figure != recipe.name:  # of this result another figure says more
                return load(shown.figure)(shown, ax, width=width, title=title, paper=paper)
            with context(paper=paper):
                size = recipe.size(shown, width, paper)
                panel = open_panel(ax, *size, title=title and not paper, paper=paper)
                known = set(panel.axes.lines)
                draw(panel, shown)
                for line in panel.lines if paper else ():
                    if line not in known:
                        line.set_linewidth(letters().line * line.get_linewidth())
                return _readable(panel.figure)

        doc = _DOC.format(
            first=inspect.cleandoc(draw.__doc__ or ""), name=recipe.name, answers=answers,
            of=of[:1].upper() + of[1:], width=width,
            number="" if number is None else f"Figure {number} of a report. ",
        )  # fmt: skip
        attributes = {
            "__name__": recipe.name, "__qualname__": recipe.name, "__module__": draw.__module__,
            "__doc__": doc, "__wrapped__": draw, "__signature__": _signature(function, data),
            "name": recipe.name, "number": number, "of": of, "answers": answers, "data": data,
            "data_of": recipe.shown,
        }  # fmt: skip
        for key, value in attributes.items():
            setattr(function, key, value)
        return cast("FigureFunction", function)

    return decorate


def _readable(drawn: Figure) -> Figure:
    """Put a sign where a label has what no file could carry, such as half a character."""
    from matplotlib.text import Text

    texts: list[Any] = drawn.findobj(Text)
    for text in texts:
        if (seen := visible(text.get_text())) != text.get_text():
            text.set_text(seen)
    return drawn


def _signature(function: Callable[..., Any], data: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a figure that says what it is drawn from."""
    own, source = inspect.signature(function), inspect.signature(data)
    first, *others = own.parameters.values()
    kinds = [next(iter(source.parameters.values())).annotation, source.return_annotation]
    text = " | ".join(kind if isinstance(kind, str) else inspect.formatannotation(kind)
                      for kind in kinds)  # fmt: skip
    return own.replace(parameters=[first.replace(annotation=text), *others])


def _classes(*hints: Any) -> tuple[type, ...]:
    """Return the classes that annotations name; none when they name no more than that."""
    found: list[type] = []
    for hint in hints:
        parts = typing.get_args(hint)
        if typing.get_origin(hint) in {types.UnionType, typing.Union}:
            found += _classes(*parts)
            continue
        kind = typing.get_origin(hint) or hint
        if not isinstance(kind, type) or kind is object:
            return ()
        found.append(kind)
    return tuple(found)


# -- figures by name ------------------------------------------------------------------------------


def module_of(name: str) -> types.ModuleType:
    """Return the module of a figure."""
    return importlib.import_module(f"{HOME}.{name}")


def load(name: str) -> FigureFunction:
    """Return a figure by name."""
    return cast("FigureFunction", getattr(module_of(name), name))
