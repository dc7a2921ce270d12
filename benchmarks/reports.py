"""Reports: a fresh process, and pages against the figures that they show."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import Result, cpu_ratio
from convex_analyzer import HeavyBall, Spectrum, analyze, compare, gallery, plot
from convex_analyzer.comparison import Comparison
from convex_analyzer.plot.thinning import thinned
from convex_analyzer.reporting.document import Document, Figure
from convex_analyzer.reporting.typst import render_pdf

_FRESH = """
import sys
import convex_analyzer as ca
ca.report(ca.compare(ca.gallery.{problem}()), sys.argv[1], sys.argv[2])
"""
_SIX_FRESH = """
import sys
import convex_analyzer as ca
from convex_analyzer.reporting.document import Document, FigureRow, Title
from convex_analyzer.reporting.figures import drawn
from convex_analyzer.reporting.typst import write_pdf
comparison = ca.compare(ca.gallery.toy())
analysis = comparison.entries[1].analysis
f = [drawn("spectrum_ruler", analysis), drawn("level_sets", comparison),
     drawn("gap_curves", comparison), drawn("stability_map", analysis),
     drawn("roots", comparison), drawn("rate_curve", analysis)]
write_pdf(Document("six", [Title("six"), f[0], FigureRow(f[1:3]), FigureRow(f[3:5]), f[5]]),
          sys.argv[1])
"""
_LIBRARIES = "import numpy, matplotlib.figure, matplotlib.backends.backend_svg, typst"
_MORE = "; import scipy.linalg, scipy.optimize, sympy"  # tuning and derivations of a full report
_SEEN = 32  # of 255: a smaller change of a pixel is not seen
_SIX = ("spectrum_ruler", "level_sets", "gap_curves", "stability_map", "roots", "rate_curve")


def run() -> list[Result]:
    """Measure user CPU seconds of whole processes, a PDF over its figures, and decimation.

    What a process takes depends on the load of the machine, so it is also set against importing
    the libraries that it uses, in turn.
    """
    libraries, more = _fresh(_LIBRARIES), _fresh(_LIBRARIES + _MORE)
    six = _fresh(_SIX_FRESH)
    brief, full = (_fresh(_FRESH.format(problem="toy"), level) for level in ("brief", "full"))
    comparison = compare(gallery.toy())
    figures, pages, ratio = cpu_ratio(lambda: _drawn(comparison), lambda: _pdf(comparison))
    return [
        _process("PDF of six figures", six, libraries, 2.5, 2.5),
        _process("brief PDF", brief, libraries, 2.5, 2.5),
        _process("full PDF (9 figures)", full, more, 5.0, 3.5),
        Result("PDF of six figures over saving them", 1 / ratio, "≤ 1.2", 1 / ratio <= 1.2,
               f"{1e3 * pages:.0f} ms against {1e3 * figures:.0f} ms"),
        _decimated(),
    ]  # fmt: skip


def _process(name: str, seconds: float, imports: float, most: float, share: float) -> Result:
    """Judge a process by its user time, or on a busy machine by that of its imports."""
    ratio = seconds / imports
    detail = f"its imports alone {imports:.2f} s: {ratio:.1f} times (≤ {share:g} on a busy machine)"
    met = seconds <= most or ratio <= share
    return Result(f"{name}, fresh process, user CPU s", seconds, f"≤ {most:g}", met, detail)


def _fresh(code: str, *more: str, rounds: int = 3) -> float:
    """Return the least user time of a process that runs some code, which may write one file."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", code, str(Path(folder, "out.pdf")), *more]
        times = []
        for _ in range(rounds):
            before = os.times().children_user
            subprocess.run(command, check=True)
            times.append(os.times().children_user - before)
    return min(times)


def _decimated(steps: int = 1_000_000) -> Result:
    """Draw a curve of a million steps with all of its points and as decimated: pixels that differ.

    The gap of a heavy ball that oscillates, under noise, so that every column has a spread.
    """
    x = np.arange(steps + 1.0)
    analysis = analyze(Spectrum.from_eigenvalues([1e-5, 4e-5]), HeavyBall(0.5, 0.9999))
    rough = np.exp(np.random.default_rng(0).normal(size=len(x)) / 3)
    y = np.log10(analysis.gap([1.0, 1.0], x) * rough + 1e-12)
    kept = thinned(x, y)
    (every, slow), (few, quick) = _pixels(x, y), _pixels(*kept)
    differ = np.abs(every.astype(int) - few).max(axis=-1) > _SEEN
    share = 100 * float(differ.mean())
    detail = f"{len(kept[0]):,} of {len(x):,} points; {1e3 * quick:.0f} ms against {1e3 * slow:.0f}"
    name = "curve of 10⁶ steps, decimated: % of pixels that change"
    return Result(name, share, "≤ 0.1", share <= 0.1, detail)


def _pixels(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a curve as pixels, and the seconds that drawing took."""
    figure = plot.style.new_figure(9.0, 4.0)
    figure.add_axes((0.0, 0.0, 1.0, 1.0)).plot(x, y, linewidth=1.0)
    begin = time.process_time()
    figure.canvas.draw()
    seconds = time.process_time() - begin
    return np.array(figure.canvas.buffer_rgba()), seconds


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
