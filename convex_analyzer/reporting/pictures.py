"""`save_figures`: the pictures of a result as files."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from convex_analyzer.comparison import Comparison, compare
from convex_analyzer.errors import ConvexAnalyzerError, InputError
from convex_analyzer.files import StrPath, folder_for
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.theory.analysis import Analysis

__all__ = ["check_names", "save_figures", "subjects_in"]


def save_figures(
    result: Any,
    folder: StrPath,
    names: Iterable[str] | None = None,
    *,
    format: str = "svg",  # noqa: A002  # as savefig of Matplotlib calls it
    paper: bool = False,
    data: bool = False,
) -> tuple[Path, ...]:
    """Write figures of a result into a folder, each under its own name.

    Parameters
    ----------
    result
        A comparison, an analysis, a condition analysis, a diagnosis, ...; a problem is compared
        first.
    folder
        Made when it is missing; the one above it must be there.
    names
        Which figures, of those that ``plot.names()`` lists; left out: all that the result has.
    format
        ``"svg"``, ``"png"``, ``"pdf"``, ``"eps"`` or ``"pgf"``.
    paper
        As for `plot.save`: no title, and letters and lines as ``matplotlib.rcParams`` has them.
    data
        Whether to write the numbers that a figure shows beside it, as CSV.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    InputError
        A figure that was asked for does not exist, or has nothing to show for this result; a
        folder that cannot be written.

    Examples
    --------
    >>> from convex_analyzer.problems.gallery import toy
    >>> folder = getfixture("tmp_path") / "figures"
    >>> [path.name for path in save_figures(toy(), folder, ["rate_curve"])]
    ['rate_curve.svg']
    """
    import convex_analyzer.plot as plot

    if isinstance(result, Quadratic):
        result = compare(result)
    subjects = subjects_in(result)
    chosen = list(plot.names()) if names is None else list(dict.fromkeys(names))
    check_names(chosen)
    shown = {name: _shown(name, subjects) for name in chosen}
    empty = [name for name in chosen if shown[name] is None]
    if empty and names is not None:
        raise InputError(
            f"{empty[0]} has nothing to show for this {type(result).__name__}", argument="names",
            hint=f"it is drawn from {getattr(plot, empty[0]).of}",
        )  # fmt: skip
    if len(empty) == len(chosen):
        raise InputError(f"there is no figure of a {type(result).__name__}", argument="result")
    written: list[Path] = []
    with folder_for(folder) as target, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for name in chosen:
            if name not in empty:
                path = target / f"{name}.{format.lstrip('.').lower()}"
                written += plot.save(path, name, shown[name], paper=paper, data=data)
    for words, kind in dict.fromkeys((str(one.message), one.category) for one in told):
        warnings.warn(words, kind, stacklevel=2)  # once, not with every figure
    return tuple(written)


def check_names(names: Iterable[str]) -> None:
    """Refuse the name of a figure that there is not.

    Raises
    ------
    InputError
        Says which there are.

    Examples
    --------
    >>> try:
    ...     check_names(["stability-maps"])
    ... except InputError as error:
    ...     print(str(error).partition("?")[0])
    there is no figure 'stability-maps'; did you mean stability_map
    """
    import convex_analyzer.plot as plot

    known = plot.names()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name.replace("-", "_"), known, n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise InputError(
                f"there is no figure {name!r}", argument="names",
                hint=f"{guess}there are {', '.join(known)}",
            )  # fmt: skip


def subjects_in(result: Any) -> Sequence[Any]:
    """Return what figures may be drawn from: the result, then an analysis that it holds.

    Of a comparison, the first linear rule with momentum, which has a map of (α, μ); then the first.
    """
    if not isinstance(result, Comparison):
        return (result,)
    linear = [entry.analysis for entry in result.entries if entry.analysis is not None]
    return (result, *sorted(linear[:8], key=_without_momentum))


def _without_momentum(analysis: Analysis) -> bool:
    return "momentum" not in analysis.optimizer.values


def _shown(name: str, subjects: Sequence[Any]) -> Any:
    """Return what a figure shows of the first subject that it can be drawn from."""
    import convex_analyzer.plot as plot

    for subject in subjects:
        try:
            return getattr(plot, name).data_of(subject)
        except ConvexAnalyzerError:  # made for another result, or nothing to show of this one
            continue
    return None
