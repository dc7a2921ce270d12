"""Reports: a fresh process, and pages against the figures that they show."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Result, cpu_ratio
from convex_analyzer import compare, gallery, plot
from convex_analyzer.comparison import Comparison
from convex_analyzer.reporting.document import Document, Figure
from convex_analyzer.reporting.typst import render_pdf

_FRESH = """
import sys
import convex_analyzer as ca
ca.report(ca.compare(ca.gallery.{problem}()), sys.argv[1], sys.argv[2])
"""
_SIX = ("spectrum_ruler", "level_sets", "gap_curves", "stability_map", "roots", "rate_curve")


def run() -> list[Result]:
    """Measure user CPU seconds of whole processes, and a PDF over its own six figures."""
    brief, full = (_fresh(level) for level in ("brief", "full"))
    comparison = compare(gallery.toy())
    figures, pages, ratio = cpu_ratio(lambda: _drawn(comparison), lambda: _pdf(comparison))
    return [
        Result("brief PDF, fresh process, user CPU s", brief, "≤ 2.5", brief <= 2.5),
        Result("full PDF (9 figures), fresh process, user CPU s", full, "≤ 5", full <= 5),
        Result("PDF of six figures over saving them", 1 / ratio, "≤ 1.2", 1 / ratio <= 1.2,
               f"{1e3 * pages:.0f} ms against {1e3 * figures:.0f} ms"),
    ]  # fmt: skip


def _fresh(level: str, problem: str = "toy", rounds: int = 3) -> float:
    """Return the least user time of a process that writes one report."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _FRESH.format(problem=problem)]
        times = []
        for _ in range(rounds):
            before = os.times().children_user
            subprocess.run([*command, str(Path(folder, "out.pdf")), level], check=True)
            times.append(os.times().children_user - before)
    return min(times)


def _drawn(comparison: Comparison) -> list[Figure]:
    figures = []
    for name in _SIX:
        draw = getattr(plot, name)
        data = draw.data(_subject(name, comparison))
        figures.append(Figure(plot.style.to_svg(draw(data)), plot.caption(data), plot.alt(data)))
    return figures


def _pdf(comparison: Comparison) -> bytes:
    return render_pdf(Document("six figures", _drawn(comparison)))


def _subject(name: str, comparison: Comparison) -> object:
    """Return the comparison, or for a figure of one rule the analysis of heavy ball."""
    whole = name in ("gap_curves", "level_sets", "roots")
    return comparison if whole else comparison["HeavyBall"].analysis


if __name__ == "__main__":
    for result in run():
        print(result)
