"""Counter-based streams, and the problem as one step sees it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError

__all__ = ["BLOCK_RUNS", "Drawn", "Noise", "Sampler", "checked_seed", "draw", "per_run", "stream"]

Array = npt.NDArray[np.float64]

BLOCK_RUNS = 256  # runs that share a stream
GRADIENT, ROWS, RULE = 0, 1, 2  # what a stream is for
_SEEDS = 2**63


class _Generator(threading.local):
    """One generator per thread, which is moved from stream to stream: making one costs 20 µs."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(0)
        self.generator = np.random.Generator(self.philox)
        self.state: Any = self.philox.state  # with nothing left over from earlier draws


_generator = _Generator()


def stream(seed: int, t: int, block: int, purpose: int) -> np.random.Generator:
    """Return the generator at the beginning of one step, one block of runs and one purpose.

    It is the same object each time: draw from it before asking for another stream.
    """
    place = _generator.state["state"]
    place["key"][:] = seed, (purpose << 48) | block
    place["counter"][:] = 0, 0, t, 0
    _generator.philox.state = _generator.state
    return _generator.generator


def per_run(
    seed: int, t: int, purpose: int, first: int, shape: tuple[int, ...], kind: str
) -> Array:
    """Draw an array whose first axis is runs; `first` is the number of the first run."""
    runs, rest = shape[0], shape[1:]
    pieces = []
    for low in range(first, first + runs, BLOCK_RUNS):  # first is a multiple of the block
        size = (min(BLOCK_RUNS, first + runs - low), *rest)
        pieces.append(getattr(stream(seed, t, low // BLOCK_RUNS, purpose), kind)(size=size))
    return np.concatenate(pieces) if pieces else np.empty(shape)


class Drawn:
    """A problem as one step sees it; whatever is not drawn is that of the problem."""

    def __init__(self, problem: Any) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked for before __init__ has run, when copied
            raise AttributeError(name)
        return getattr(self._problem, name)


class _WithDraws(Drawn):
    """A problem that offers random numbers; the k-th call within a step is a stream of its own."""

    def __init__(self, problem: Any, seed: int, t: int, first: int) -> None:
        super().__init__(problem)
        self._place, self._calls = (seed, t, first), 0

    def _draw(self, theta: Any, kind: str) -> Array:
        seed, t, first = self._place
        self._calls += 1
        drawn = per_run(seed, t, RULE + self._calls, first, np.shape(theta), kind)
        return np.asfortranarray(drawn)  # as theta is

    def normal(self, theta: Any, variance: Any = 1.0) -> Array:
        """Return normal numbers of mean zero, one for each entry of theta."""
        return np.asarray(np.sqrt(variance) * self._draw(theta, "standard_normal"))

    def uniform(self, theta: Any) -> Array:
        """Return uniform numbers in [0, 1), one for each entry of theta."""
        return self._draw(theta, "random")


@dataclass(frozen=True)
class Sampler:
    """Draws the problem of every step for one tile of runs.

    Attributes
    ----------
    noise
        What is drawn for the gradient; None for exact gradients.
    seed
        Names the streams.
    first, runs
        Numbers of the runs; `first` is a multiple of `BLOCK_RUNS`.
    with_draws
        Whether the rule asks for random numbers of its own.
    """

    noise: Noise | None
    seed: int
    first: int
    runs: int
    with_draws: bool = False

    def at(self, problem: Any, t: int) -> Any:
        """Return the problem of step t."""
        if self.noise is not None:
            problem = self.noise.drawn(problem, t, self.first, self.runs, self.seed)
        return _WithDraws(problem, self.seed, t, self.first) if self.with_draws else problem


class Noise:
    """What differs between the gradient that a step sees and the true one."""

    def check(self, problem: Any, steps: int) -> None:
        """Refuse a problem on which this noise has no meaning."""

    def drawn(self, problem: Any, t: int, first: int, runs: int, seed: int) -> Any:
        """Return the problem that runs first ... first + runs - 1 see at step t."""
        raise NotImplementedError

    def describe(self) -> str:
        """Return in words what the gradients are."""
        return str(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        raise NotImplementedError


def draw(noise: Noise, problem: Any, t: int, runs: int = 1, seed: int = 0) -> Any:
    """Return the problem that `runs` runs see at step t: with its mini-batch, its error.

    Examples
    --------
    >>> from convex_analyzer.noise import AdditiveNoise
    >>> from convex_analyzer.problems.quadratic import Quadratic
    >>> toy = Quadratic.diagonal([1.0, 2.0])
    >>> seen = draw(AdditiveNoise(0.01), toy, t=1)
    >>> first = seen.gradient(np.zeros((1, 2)))
    >>> bool(np.all(first == seen.gradient(np.zeros((1, 2)))))  # however often it is asked
    True
    """
    noise.check(problem, t)
    return noise.drawn(problem, t, 0, runs, checked_seed(seed))


def checked_seed(seed: Any) -> int:
    """Return a seed as an int; None is 0, so that every run can be repeated."""
    if seed is None:
        return 0
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < _SEEDS:
        raise InputError(
            f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r}", argument="seed"
        )
    return int(seed)
