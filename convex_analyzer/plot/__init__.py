"""Every figure by name: ``ca.plot.stability_map(analysis)``.

Each figure is a function that takes a result (or the data that it shows) and, if wanted, Matplotlib
axes to draw on; it returns the Matplotlib figure. What a figure shows is available without drawing
as ``<figure>_data(result)``, a frozen dataclass of plain arrays, from which `finding`, `alt` and
`caption` make the title, the alternative text and the explanation. `style.to_svg` and
`style.to_png` turn a figure into bytes, the same ones every time.

=================  ========================  ==================================================
figure             of                        question that it answers
=================  ========================  ==================================================
`spectrum_ruler`   an analysis               is α safe, and which direction is slow?
`level_sets`       a comparison              who zigzags, who crawls?
`gap_curves`       a comparison              who is fastest, and does the run match the theory?
`stability_map`    an analysis               how far from the cliff, and where to move?
`roots`            a comparison or analyses  which direction limits, and does it swing?
`rate_curve`       an analysis               why is the best α where it is?
`view_curves`      an analysis, or views     how typical is the worst case?
`gradient_errors`  a gradient check          is the gradient right, and would it show?
`kappa_split`      a condition analysis      where does κ come from, and what takes it away?
`collisions`       a condition analysis      which columns collide?
`remedy_steps`     a condition analysis      which remedy saves how many steps?
`annotated_curve`  a diagnosis               what is wrong with a run, and where does it show?
=================  ========================  ==================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from convex_analyzer.errors import InputError

if TYPE_CHECKING:
    from convex_analyzer.plot import style as style
    from convex_analyzer.plot.collision_matrix import collisions as collisions
    from convex_analyzer.plot.collision_matrix import collisions_data as collisions_data
    from convex_analyzer.plot.contour_data import level_sets_data as level_sets_data
    from convex_analyzer.plot.contours import level_sets as level_sets
    from convex_analyzer.plot.curve_data import gap_curves_data as gap_curves_data
    from convex_analyzer.plot.curves import gap_curves as gap_curves
    from convex_analyzer.plot.diagnosis_curve import annotated_curve as annotated_curve
    from convex_analyzer.plot.diagnosis_data import annotated_curve_data as annotated_curve_data
    from convex_analyzer.plot.gradient_ladder import gradient_errors as gradient_errors
    from convex_analyzer.plot.gradient_ladder import gradient_errors_data as gradient_errors_data
    from convex_analyzer.plot.kappa_bars import kappa_split as kappa_split
    from convex_analyzer.plot.kappa_bars import kappa_split_data as kappa_split_data
    from convex_analyzer.plot.map_data import stability_map_data as stability_map_data
    from convex_analyzer.plot.momentum_map import stability_map as stability_map
    from convex_analyzer.plot.rates import rate_curve as rate_curve
    from convex_analyzer.plot.rates import rate_curve_data as rate_curve_data
    from convex_analyzer.plot.remedy_dots import remedy_steps as remedy_steps
    from convex_analyzer.plot.remedy_dots import remedy_steps_data as remedy_steps_data
    from convex_analyzer.plot.root_plane import roots as roots
    from convex_analyzer.plot.root_plane import roots_data as roots_data
    from convex_analyzer.plot.ruler import spectrum_ruler as spectrum_ruler
    from convex_analyzer.plot.ruler import spectrum_ruler_data as spectrum_ruler_data
    from convex_analyzer.plot.side_by_side import view_curves as view_curves
    from convex_analyzer.plot.side_by_side import view_curves_data as view_curves_data

__all__ = [
    "alt",
    "annotated_curve",
    "annotated_curve_data",
    "caption",
    "collisions",
    "collisions_data",
    "finding",
    "gap_curves",
    "gap_curves_data",
    "gradient_errors",
    "gradient_errors_data",
    "kappa_split",
    "kappa_split_data",
    "level_sets",
    "level_sets_data",
    "rate_curve",
    "rate_curve_data",
    "remedy_steps",
    "remedy_steps_data",
    "roots",
    "roots_data",
    "spectrum_ruler",
    "spectrum_ruler_data",
    "stability_map",
    "stability_map_data",
    "style",
    "view_curves",
    "view_curves_data",
]

_MODULES = {
    "annotated_curve": "diagnosis_curve",
    "collisions": "collision_matrix",
    "gap_curves": "curves",
    "gradient_errors": "gradient_ladder",
    "kappa_split": "kappa_bars",
    "level_sets": "contours",
    "rate_curve": "rates",
    "remedy_steps": "remedy_dots",
    "roots": "root_plane",
    "spectrum_ruler": "ruler",
    "stability_map": "momentum_map",
    "view_curves": "side_by_side",
}
_WORDS = {
    "AnnotatedCurveData": "diagnosis_curve",
    "CollisionsData": "collision_matrix",
    "GapCurvesData": "curves",
    "GradientErrorsData": "gradient_ladder",
    "KappaSplitData": "kappa_bars",
    "LevelSetsData": "contours",
    "MapData": "momentum_map",
    "RateData": "rates",
    "RemedyStepsData": "remedy_dots",
    "RootsData": "root_plane",
    "RulerData": "ruler",
    "ViewCurvesData": "side_by_side",
}


def finding(data: Any) -> str:
    """Return the title of a figure: what it shows, in a sentence.

    Parameters
    ----------
    data
        What a ``..._data`` function returned.
    """
    return _speak("finding", data)


def alt(data: Any) -> str:
    """Return the conclusion of a figure for those who cannot see it.

    Parameters
    ----------
    data
        What a ``..._data`` function returned.
    """
    return _speak("alt", data)


def caption(data: Any) -> str:
    """Return how to read a figure.

    Parameters
    ----------
    data
        What a ``..._data`` function returned.
    """
    return _speak("caption", data)


def _speak(what: str, data: Any) -> str:
    home = _WORDS.get(type(data).__name__)
    if home is None:
        raise InputError(
            f"{what} needs the data of a figure, got {type(data).__name__}",
            argument="data",
            hint="for instance plot.gap_curves_data(comparison)",
        )
    return str(getattr(importlib.import_module(f"{__name__}.{home}"), what)(data))


def __getattr__(name: str) -> Any:
    """Import a figure when it is first asked for, and keep it."""
    if name == "style":
        value: Any = importlib.import_module(f"{__name__}.style")
    elif name.removesuffix("_data") in _MODULES:
        home = _MODULES[name.removesuffix("_data")]
        value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
