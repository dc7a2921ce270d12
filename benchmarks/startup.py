"""Importing the package, and asking the command line for help."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.timing import Result, wall


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def run() -> list[Result]:
    """Measure whole processes, net of a bare interpreter where it is a ratio."""
    bare = wall(lambda: _python("pass"))
    numpy = wall(lambda: _python("import numpy"))
    package = wall(lambda: _python("import convex_analyzer"))
    help_text = wall(
        lambda: _python(
            "import sys; sys.argv = ['convex-analyzer', '--help']\n"
            "from convex_analyzer.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
        )
    )
    ratio = (package - bare) / max(numpy - bare, 1e-9)
    return [
        Result("import convex_analyzer over import numpy", ratio, "≤ 1.15", ratio <= 1.15,
               f"{1e3 * package:.0f} ms against {1e3 * numpy:.0f} ms, bare {1e3 * bare:.0f} ms"),
        Result("convex-analyzer --help, ms", 1e3 * help_text, "< 100", help_text < 0.1),
    ]  # fmt: skip
