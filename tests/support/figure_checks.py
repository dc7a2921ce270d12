"""What holds for every figure: nothing cut, nothing over another, nothing too small; sentences."""

from __future__ import annotations

import itertools
import re
from typing import Any

from matplotlib.text import Text

from convex_analyzer import plot
from convex_analyzer.plot.style import quiet

SENTENCE = re.compile(r"^[^\s].*[^\s.]$", re.DOTALL)


def texts_of(figure: Any) -> list[tuple[Text, list[float]]]:
    """Return every text that is seen, with its box in points."""
    with quiet():
        figure.draw_without_rendering()  # places everything, paints nothing
    hidden = set()
    axes = list(figure.axes)
    for one in axes:
        axes += [child for child in one.child_axes if child not in axes]
    for one in axes:
        for axis in (one.xaxis, one.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for tick in itertools.chain(axis.get_major_ticks(), axis.get_minor_ticks()):
                if not low - slack <= tick.get_loc() <= high + slack:
                    hidden |= {tick.label1, tick.label2}
    scale = 72 / figure.dpi
    found = []
    for text in figure.findobj(Text):
        if text in hidden or not text.get_visible() or not text.get_text().strip():
            continue
        box = text.get_window_extent()
        found.append((text, [scale * v for v in (box.x0, box.y0, box.x1, box.y1)]))
    return found


def check_whole(figure: Any) -> list[str]:
    """Hold every text against the edges of the figure and every other text; return them all."""
    found = texts_of(figure)
    for (a, p), (b, q) in itertools.combinations(found, 2):
        wide, high = min(p[2], q[2]) - max(p[0], q[0]), min(p[3], q[3]) - max(p[1], q[1])
        assert not (wide > 0.6 and high > 0.6), (a.get_text(), b.get_text(), wide, high)
    width, height = 72 * figure.get_figwidth(), 72 * figure.get_figheight()
    for text, (left, bottom, right, top) in found:
        inside = min(left, bottom) >= -0.5 and right <= width + 0.5 and top <= height + 0.5
        assert inside, (text.get_text(), left, bottom, right, top)
        assert text.get_fontsize() >= 7.0, text.get_text()
    return [text.get_text().replace("\n", " ") for text, _ in found]


def check_words(data: Any) -> str:
    """Hold the sentences of a figure against what a sentence is; return its title."""
    title, spoken, help_text = plot.finding(data), plot.alt(data), plot.caption(data)
    assert SENTENCE.match(title), title
    assert len(title) < 140, title
    assert spoken.startswith(title)
    assert spoken.endswith(".")
    assert help_text.endswith(".")
    for text in (title, spoken, help_text):
        assert not re.search(r"\b(nan|inf|None)\b|  |\.\.", text), text
    return title
