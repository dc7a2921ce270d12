"""Importing the package, and asking the command line for help."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.timing import Result, wall


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def _user(code: str, rounds: int = 7) -> float:
    """Return the least user time of a process: what a quiet machine takes, but for the system."""
    times = []
    for _ in range(rounds):
        before = os.times().children_user
        _python(code)
        times.append(os.times().children_user - before)
    return min(times)


def run() -> list[Result]:
    """Measure whole processes, net of a bare interpreter where it is a ratio."""
    bare = wall(lambda: _python("pass"))
    numpy = wall(lambda: _python("import numpy"))
    package = wall(lambda: _python("import convex_analyzer"))
    asked = (
        "import sys; sys.argv = ['convex-analyzer', '--help']\n"
        "from convex_analyzer.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    )
    help_text, least = wall(lambda: _python(asked)), _user(asked)
    ratio = (package - bare) / max(numpy - bare, 1e-9)
    return [
        Result("import convex_analyzer over import numpy", ratio, "≤ 1.15", ratio <= 1.15,
               f"{1e3 * package:.0f} ms against {1e3 * numpy:.0f} ms, bare {1e3 * bare:.0f} ms"),
        Result("convex-analyzer --help, user CPU ms", 1e3 * least, "< 100", least < 0.1,
               f"{1e3 * help_text:.0f} ms by the clock"),
    ]  # fmt: skip
