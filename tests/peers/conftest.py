"""The libraries themselves, in float64: run by ``make test-peers``, not by the suite.

What is compared is counted, and the largest deviation printed at the end.
"""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest
import torch

from convex_analyzer.conventions.running import Arena, horizon, last_alike
from convex_analyzer.problems.quadratic import Quadratic

torch.set_default_dtype(torch.float64)  # some rules keep scalars in the default type
torch.set_num_threads(1)
jax.config.update("jax_enable_x64", val=True)

STEPS = 200
DIMENSION = 5
TOLERANCE = 1e-12  # of the largest iterate
GROWN = 5e-13  # where a change of the start by 1e-13 has grown beyond this, nothing is compared


def _turned(eigenvalues, seed):
    random = np.random.Generator(np.random.Philox(seed))
    turn = np.linalg.qr(random.standard_normal((DIMENSION, DIMENSION)))[0]
    matrix = (turn * np.array(eigenvalues)) @ turn.T
    return (matrix + matrix.T) / 2


def _quadratics():
    """Return five problems: diagonal, turned, ill-conditioned, equal eigenvalues, singular."""
    start = np.array([2.0, -1.5, 3.0, 0.7, -2.3])
    slope = np.array([0.5, -0.2, 0.1, 0.8, -0.4])
    matrices = {
        "diagonal": np.diag([0.2, 0.5, 1.0, 2.0, 4.0]),
        "turned": _turned([0.1, 0.3, 1.0, 3.0, 10.0], 1),
        "ill-conditioned": _turned([1e-3, 1e-2, 0.1, 1.0, 10.0], 2),
        "clustered": _turned([1.0, 1.0, 1.1, 4.9, 5.0], 3),
        "singular": _turned([0.0, 0.2, 0.8, 2.0, 6.0], 4),
    }
    for name, matrix in matrices.items():
        linear = matrix @ slope  # in the range of A, also if that is singular
        problem = Quadratic(matrix, linear, name=name)
        yield Arena(problem, start, STEPS, name)


QUADRATICS = tuple(_quadratics())


@dataclasses.dataclass
class Tally:
    """What has been compared so far."""

    runs: int = 0
    whole: int = 0
    points: int = 0
    shortest: int = STEPS
    largest: float = 0.0
    where: str = ""

    def add(self, name, place, compared, deviation):
        self.runs += 1
        self.points += compared
        self.whole += compared == place.steps
        self.shortest = min(self.shortest, compared)
        if deviation > self.largest:
            self.largest, self.where = deviation, f"{name}, {place.name}"

    def join(self, other):
        self.runs, self.whole = self.runs + other.runs, self.whole + other.whole
        self.points, self.shortest = self.points + other.points, min(self.shortest, other.shortest)
        if other.largest > self.largest:
            self.largest, self.where = other.largest, other.where


TALLIES: dict[str, Tally] = {}


@pytest.fixture
def agree(request):
    """Return the comparison of our rule with the library's path on every quadratic."""

    def check(library, name, rule, path_of, steps=STEPS, least=20):
        tally = TALLIES.setdefault(library, Tally())
        for place in QUADRATICS:
            spot = dataclasses.replace(place, steps=steps)
            ours, theirs = spot.path(rule), np.asarray(path_of(spot))
            assert theirs.shape == ours.shape
            nudged = path_of(dataclasses.replace(spot, start=spot.start * (1 + 1e-13)))
            last = min(
                horizon(rule, spot, GROWN),
                last_alike(theirs, np.asarray(nudged)[:, None], GROWN),
            )
            assert last >= min(least, steps), f"{place.name}: compared up to step {last} only"
            size = np.abs(ours[: last + 1]).max()
            deviation = float(np.abs(ours - theirs)[: last + 1].max() / size)
            tally.add(name, spot, last, deviation)
            assert deviation <= TOLERANCE, f"{name}, {place.name}: {deviation:.2e} of {size:.3g}"

    return check


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # one of several processes
        tallies = {name: dataclasses.asdict(tally) for name, tally in TALLIES.items()}
        session.config.workeroutput["tallies"] = tallies


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for name, found in getattr(node, "workeroutput", {}).get("tallies", {}).items():
        TALLIES.setdefault(name, Tally()).join(Tally(**found))


def pytest_terminal_summary(terminalreporter):
    for library, tally in sorted(TALLIES.items()):
        terminalreporter.write_line(
            f"{library}: {tally.runs} runs compared, {tally.whole} of them over the whole length, "
            f"the shortest up to step {tally.shortest}, {tally.points} points; largest deviation "
            f"{tally.largest:.1e} of the largest iterate ({tally.where})"
        )
