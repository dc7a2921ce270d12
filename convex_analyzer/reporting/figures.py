"""Figures of `convex_analyzer.plot` as blocks of a document."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from convex_analyzer.reporting.document import Figure

__all__ = ["drawn"]


def drawn(module: ModuleType, name: str, subject: Any) -> Figure:
    """Draw the figure called `name`; its module names its data, its caption and its conclusion.

    The alt text is what a reader should conclude in ten seconds.
    """
    from convex_analyzer.plot import style

    data = getattr(module, f"{name}_data")(subject)
    svg = style.to_svg(getattr(module, name)(data))
    return Figure(svg, module.caption(data), module.alt(data))
