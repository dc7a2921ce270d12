"""How times are taken: CPU time, medians, both sides interleaved."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Result", "cpu_ratio", "wall"]


@dataclass(frozen=True)
class Result:
    """One line of the report.

    Attributes
    ----------
    name
        What was measured.
    value
        The measured ratio.
    goal
        What it should be, as text, and as a bound with its direction.
    detail
        Absolute numbers, for the reader.
    """

    name: str
    value: float
    goal: str
    met: bool
    detail: str = ""

    def __str__(self) -> str:
        mark = "ok " if self.met else "BAD"
        return f"{mark} {self.name:58s} {self.value:8.2f}  goal {self.goal:7s} {self.detail}"


def cpu_ratio(
    first: Callable[[], object], second: Callable[[], object], rounds: int = 5
) -> tuple[float, float, float]:
    """Return the median CPU time of each and the median ratio, measured in turn."""
    first()
    second()
    pairs = [(_cpu(first), _cpu(second)) for _ in range(rounds)]
    a = statistics.median(pair[0] for pair in pairs)
    b = statistics.median(pair[1] for pair in pairs)
    return a, b, statistics.median(x / y for x, y in pairs)


def _cpu(function: Callable[[], object]) -> float:
    begin = time.process_time()
    function()
    return time.process_time() - begin


def wall(function: Callable[[], object], rounds: int = 7) -> float:
    """Return the median wall time."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
