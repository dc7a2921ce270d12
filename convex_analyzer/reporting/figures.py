"""Figures of `convex_analyzer.plot` as blocks of a document."""

from __future__ import annotations

from typing import Any

from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.reporting.document import Figure

__all__ = ["drawn", "drawn_if_any", "picture"]


def drawn(name: str, subject: Any) -> Figure:
    """Draw the figure called `name`, with its caption, and its conclusion as alternative text."""
    import convex_analyzer.plot as plot  # not through the package: it knows every layer

    data = getattr(plot, f"{name}_data")(subject)
    return Figure(picture(name, data), plot.caption(data), plot.alt(data))


def drawn_if_any(name: str, subject: Any) -> Figure | None:
    """Draw a figure, unless it has nothing to show for this subject."""
    try:
        return drawn(name, subject)
    except ConvexAnalyzerError:
        return None


def picture(name: str, data: Any) -> bytes:
    """Draw what the figure called `name` shows, as SVG."""
    import convex_analyzer.plot as plot

    return plot.style.to_svg(getattr(plot, name)(data))
