"""The explorer as a file: ``ca.explore(problem, "explore.html")``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from convex_analyzer.explorer.page import Wanted, page
from convex_analyzer.files import StrPath, check_target, write_bytes

__all__ = ["SUFFIXES", "explore"]

SUFFIXES = (".html", ".htm")


def explore(
    problem: Any = None,
    path: StrPath = "explore.html",
    optimizers: Iterable[Wanted] | None = None,
    *,
    start: Any = None,
    plane: bool = False,
    theme: str = "auto",
    inputs: Iterable[StrPath] = (),
) -> Path:
    """Write the explorer: one HTML page with sliders, in which every figure answers at once.

    Parameters
    ----------
    problem
        A `Quadratic`, or a symmetric matrix of shape (d, d), d ≤ 8; left out, a ravine.
    path
        Where to: ``.html``. The file needs no network and no other file.
    optimizers, start, plane, theme
        As for `convex_analyzer.explorer.page`.
    inputs
        Files that were read, and must not be overwritten.

    Returns
    -------
    Path
        The path as it was given.

    Raises
    ------
    InputError
        Another suffix, a file that cannot be written; as for `convex_analyzer.explorer.page`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     explore([[0.2, 0.0], [0.0, 4.0]], f"{folder}/toy.html").suffix
    '.html'
    """
    target = check_target(path, inputs=inputs, suffixes=SUFFIXES, what="the explorer")
    text = page(problem, optimizers, start=start, plane=plane, theme=theme)
    return write_bytes(target, text.encode(), inputs=inputs)
