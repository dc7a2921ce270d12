"""Every figure by name: ``ca.plot.stability_map(analysis)``.

Each figure is a function that takes a result (or the data that it shows) and, if wanted, Matplotlib
axes to draw on; it returns the Matplotlib figure. What a figure shows is available without drawing:
``stability_map.data(analysis)``, also called ``stability_map_data``, is a frozen dataclass of plain
arrays, from which `finding`, `alt` and `caption` make the title, the alternative text and the
explanation, and `columns` and `to_csv` a table of numbers. `save` writes a figure as a file, for a
paper too; `style.to_svg` and `style.to_png` turn one into bytes, the same ones every time.

`names` lists the figures, and `every` returns them with what each is drawn from and what it
answers. They are the modules of `convex_analyzer.plot.figures`, found by file name.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from convex_analyzer.errors import InputError

if TYPE_CHECKING:
    from convex_analyzer.plot.figure import FigureFunction
    from convex_analyzer.plot.saving import columns as columns
    from convex_analyzer.plot.saving import save as save
    from convex_analyzer.plot.saving import to_csv as to_csv

__all__ = ["alt", "caption", "columns", "every", "finding", "names", "save", "to_csv"]

_SAVING = ("columns", "save", "to_csv")


def names() -> tuple[str, ...]:
    """Return the names of all figures, in alphabetical order; none is imported for that.

    Examples
    --------
    >>> "stability_map" in names()
    True
    """
    folder = importlib.import_module(f"{__name__}.figures")
    return tuple(sorted(info.name for info in pkgutil.iter_modules(folder.__path__)))


def every() -> tuple[FigureFunction, ...]:
    """Return all figures, those with a number first.

    Examples
    --------
    >>> first = every()[0]
    >>> first.number, first.name, first.of, first.answers
    (1, 'spectrum_ruler', 'an analysis', 'is α safe, and which direction is slow?')
    """
    load = importlib.import_module(f"{__name__}.figure").load
    found = [load(name) for name in names()]
    return tuple(sorted(found, key=lambda one: (one.number is None, one.number or 0, one.name)))


def finding(data: Any) -> str:
    """Return the title of a figure: what it shows, in a sentence.

    Parameters
    ----------
    data
        What the ``data`` function of a figure returned.
    """
    return _speak("finding", data)


def alt(data: Any) -> str:
    """Return the conclusion of a figure for those who cannot see it.

    Parameters
    ----------
    data
        What the ``data`` function of a figure returned.
    """
    return _speak("alt", data)


def caption(data: Any, *, paper: bool = False) -> str:
    """Return how to read a figure.

    Parameters
    ----------
    data
        What the ``data`` function of a figure returned.
    paper
        With what a figure for a paper leaves to its caption.
    """
    return _speak("caption", data) + (_speak("left_out", data, "") if paper else "")


def _speak(what: str, data: Any, *default: str) -> str:
    name = getattr(data, "figure", None)
    if name not in names():
        raise InputError(
            f"{what} needs the data of a figure, got {type(data).__name__}",
            argument="data",
            hint="for instance plot.gap_curves.data(comparison)",
        )
    home = importlib.import_module(f"{__name__}.figure").module_of(name)
    if default and not hasattr(home, what):
        return default[0]
    return str(getattr(home, what)(data))


def __getattr__(name: str) -> Any:
    """Import a figure when it is first asked for, and keep it."""
    plain = name.removesuffix("_data")
    if name == "style":
        value: Any = importlib.import_module(f"{__name__}.style")
    elif name in _SAVING:
        value = getattr(importlib.import_module(f"{__name__}.saving"), name)
    elif not name.startswith("_") and plain in names():
        value = importlib.import_module(f"{__name__}.figure").load(plain)
        value = value if plain == name else value.data
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    figures = [name for plain in names() for name in (plain, f"{plain}_data")]
    return sorted({*__all__, *figures, "style", *(n for n in globals() if n.startswith("__"))})
