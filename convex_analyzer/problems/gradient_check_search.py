"""Measuring a gradient: one by one when there are few coordinates, else halving to the faulty ones.

A random combination of many coordinates is measured at once; where it disagrees with the claim the
set is halved, down to single coordinates. A fault among d costs about 2 log₂ d measurements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.calls import ScalarCall
from convex_analyzer.problems.gradient_check_measure import Slope, slope_along
from convex_analyzer.problems.gradient_check_parts import Coordinate, Limits, judge
from convex_analyzer.problems.gradient_check_tree import Layout

__all__ = ["ALL", "Measuring"]

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

ALL = 200  # up to this d every coordinate is measured
_SAMPLE = 32  # coordinates that are measured anyway
_TRIES = 3  # random combinations of one block
_FAULTS = 12  # when so many are found the search ends
_TESTS = 600  # combinations that one search may measure
_FEW = 4  # sets of at most so many are measured one by one


@dataclass
class Measuring:
    """The state of one check.

    Attributes
    ----------
    call, theta, claimed
        f, the point and the gradient there, shape (d,).
    noise
        Absolute noise of values of f.
    limits, single, layout
        Thresholds; whether the gradient is in single precision; names.
    blocks
        Coordinates of every block by name.
    found
        What was measured one by one, by coordinate.
    tests
        Combinations measured so far.
    alarms
        Blocks with a combination that disagrees, while no coordinate in it does.
    """

    call: ScalarCall
    theta: Array
    claimed: Array
    noise: float
    limits: Limits
    single: bool
    layout: Layout
    blocks: dict[str, Indices]
    found: dict[int, Coordinate] = field(default_factory=dict)
    tests: int = 0
    alarms: set[str] = field(default_factory=set)
    _near: float | None = None
    _near_line: float | None = None

    def __post_init__(self) -> None:
        self.centre = self.call.value(self.theta)
        self.sizes = np.maximum(1.0, np.abs(self.theta))
        finite = self.claimed[np.isfinite(self.claimed)]
        self.largest = float(np.max(np.abs(finite), initial=0.0))
        self._owner = np.empty(len(self.theta), dtype=int)
        self.block_names = list(self.blocks)
        for number, members in enumerate(self.blocks.values()):
            self._owner[members] = number

    # -- one coordinate ---------------------------------------------------------------------------

    def coordinate(self, index: int) -> Coordinate:
        """Measure one coordinate, once."""
        if index in self.found:
            return self.found[index]

        def along(s: float) -> float:
            shifted = self.theta.copy()
            shifted[index] += s
            return self.call.near(shifted)

        claimed = float(self.claimed[index])
        size = float(self.sizes[index])
        slope = self._slope(along, claimed, size)
        status, relative, slack = judge(
            claimed, slope, self.largest, self.limits, single=self.single
        )
        self.found[index] = Coordinate(
            index, self.layout.name(index), self.block_names[self._owner[index]],
            claimed, slope.value, slack, relative, status,
        )  # fmt: skip
        return self.found[index]

    def _slope(self, along: Callable[[float], float], claimed: float, size: float) -> Slope:
        near = None if self._near is None else self._near * size
        slope = slope_along(along, self.centre, self.noise, size, near=near, expected=claimed)
        if math.isfinite(slope.error) and not slope.is_kinked:
            self._near = slope.step / size
        return slope

    # -- many at once -----------------------------------------------------------------------------

    def all_of(self, indices: Iterable[int]) -> None:
        """Measure coordinates one by one."""
        for index in indices:
            self.coordinate(int(index))

    def search(self, generator: np.random.Generator) -> None:
        """Measure a sample, and look for faults in every block by halving."""
        d = len(self.theta)
        self.all_of(np.flatnonzero(~np.isfinite(self.claimed))[:_FAULTS])
        self.all_of(generator.choice(d, min(_SAMPLE, d), replace=False))
        for name, members in self.blocks.items():
            usable = members[np.isfinite(self.claimed[members])]
            for _ in range(_TRIES):
                if not usable.size or self._faults() >= _FAULTS or self.tests >= _TESTS:
                    break
                kind, before = self.disagrees(usable, generator), self._faults()
                if kind:
                    self._halve(usable, generator)
                if kind == "smooth" and self._faults() == before:
                    self.alarms.add(name)

    def _faults(self) -> int:
        return sum(c.status in {"wrong", "suspicious"} for c in self.found.values())

    def disagrees(self, members: Indices, generator: np.random.Generator) -> str:
        """Tell whether a random combination of coordinates contradicts the claim.

        Returns
        -------
        str
            ``smooth``, ``kink`` (f has a kink along the combination), or nothing.
        """
        self.tests += 1
        direction = np.zeros(len(self.theta))
        signs = generator.choice([-1.0, 1.0], len(members))
        known = [self.found[i].status == "kink" if i in self.found else False for i in members]
        direction[members] = np.where(known, 0.0, signs * self.sizes[members])
        claimed = float(direction[members] @ self.claimed[members])

        def along(s: float) -> float:
            return self.call.near(self.theta + s * direction)

        slope = slope_along(
            along, self.centre, self.noise, 1.0,
            near=self._near_line, expected=claimed, settle=True,
        )  # fmt: skip
        if math.isfinite(slope.error) and not slope.is_kinked:
            self._near_line = slope.step
        if math.isinf(slope.error):
            return ""
        parts = float(np.sum(np.abs(direction[members] * self.claimed[members])))
        rounding = 64 * (2.0**-23 if self.single else 2.0**-52) * parts
        if abs(claimed - slope.value) <= 2 * slope.error + rounding:
            return ""
        return "kink" if slope.is_kinked else "smooth"

    def _halve(self, members: Indices, generator: np.random.Generator) -> None:
        if self._faults() >= _FAULTS or self.tests >= _TESTS:
            return
        if len(members) <= _FEW:
            self.all_of(members)
            return
        middle = len(members) // 2
        for half in (members[:middle], members[middle:]):
            if self.disagrees(half, generator):
                self._halve(half, generator)
