"""What every check works with: the rule, example settings, and a problem in plain NumPy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.domains import Domain
from convex_analyzer.errors import ConformanceError, InputError
from convex_analyzer.optimizers.base import Optimizer, as_state

__all__ = ["Case", "PlainProblem", "make_case", "sample"]

Array = npt.NDArray[np.float64]

_SETTINGS = 4  # example settings per optimizer
_DRAWS = 50  # tries for values that do not exclude each other


class PlainProblem:
    """J = ½ θᵀAθ + bᵀθ in a few lines of NumPy, independent of the package's own problems.

    Parameters
    ----------
    matrix
        A, shape (d, d).
    linear
        b, shape (d,).
    draws
        Size of what stands in for normal random numbers; 0 leaves the path of the mean.
    """

    def __init__(self, matrix: Any, linear: Any, draws: float = 1.0) -> None:
        self.matrix: Array = np.array(matrix, dtype=float)
        self.linear: Array = np.array(linear, dtype=float)
        self.dimension = len(self.linear)
        self.draws = draws
        self.was_inverted = False

    def value(self, theta: Array) -> Array:
        """Return J(θ), shape (runs,)."""
        return np.asarray((theta * (theta @ self.matrix / 2 + self.linear)).sum(axis=-1))

    def gradient(self, theta: Array) -> Array:
        """Return Aθ + b."""
        return np.asarray(theta @ self.matrix + self.linear)

    def hessian_vector(self, theta: Array, vector: Array) -> Array:
        """Return A v."""
        del theta
        return np.asarray(vector @ self.matrix)

    def inverse_hessian_vector(self, theta: Array, vector: Array, damping: Any = 0.0) -> Array:
        """Return (A + damping I)⁻¹ v; the damping is a number, or one for each run."""
        del theta
        each = np.broadcast_to(damping, vector.shape)
        self.was_inverted = self.was_inverted or bool(np.any(each == 0))
        damped = self.matrix + each[..., None] * np.eye(self.dimension)
        return np.asarray(np.linalg.solve(damped, vector[..., None])[..., 0])

    def normal(self, theta: Array, variance: Any = 1.0) -> Array:
        """Return numbers in place of normal ones: 1, -1/2, 1/3, ... along the coordinates."""
        place = np.arange(1, theta.shape[-1] + 1)
        pattern = np.broadcast_to((-1.0) ** (place + 1) / place, theta.shape)
        return np.asarray(self.draws * np.sqrt(variance) * pattern)

    def uniform(self, theta: Array) -> Array:
        """Return numbers in place of uniform ones: 1/3, 1/5, 1/7, ... along the coordinates."""
        place = np.arange(1, theta.shape[-1] + 1)
        return np.asarray(np.broadcast_to(1 / (2.0 * place + 1), theta.shape))


def sample(domain: Domain, random: np.random.Generator) -> float:
    """Draw a usual value of a hyper-parameter: uniform, or log-uniform without an upper end."""
    low, high = domain.usual.low, domain.usual.high
    if math.isfinite(low) and math.isfinite(high):
        return float(random.uniform(low + 0.05 * (high - low), high - 0.05 * (high - low)))
    size = float(10 ** random.uniform(-2, 0))
    if math.isfinite(low):
        return low + size
    return high - size if math.isfinite(high) else float(random.normal())


@dataclass
class Case:
    """One optimizer under test.

    Attributes
    ----------
    cls
        The class.
    settings
        Instances with usual hyper-parameters; the given instance first.
    random
        Where examples come from; always the same ones.
    inverts
        Whether the rule asks for A⁻¹, so that a singular A is no problem for it to solve.
    """

    cls: type[Optimizer]
    settings: list[Optimizer]
    random: np.random.Generator
    inverts: bool = False

    @property
    def name(self) -> str:
        """Name of the class."""
        return self.cls.__name__

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the state of the first setting."""
        return ("theta", *self.settings[0].memory)

    def failure(self, check: str, sentence: str) -> ConformanceError:
        """Return the error to raise."""
        return ConformanceError(self.name, check, sentence)

    @contextmanager
    def guard(self, check: str, doing: str) -> Iterator[None]:
        """Turn whatever the rule raises into a failure of this check."""
        try:
            yield
        except ConformanceError:
            raise
        except Exception as error:
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            raise self.failure(check, f"{doing} raised {kind}{error}") from error

    def step(self, check: str, rule: Optimizer, problem: Any, t: int, state: Any) -> Any:
        """Run one step on arrays and return the new state, its number and shapes checked."""
        with self.guard(check, "step, run on arrays,"):
            new = as_state(rule, rule.step(problem, t, *state))
        for name, before, after in zip(("theta", *rule.memory), state, new, strict=True):
            if np.shape(after) != np.shape(before):
                raise self.failure(
                    check,
                    f"step was given {name} of shape {np.shape(before)} and returned shape "
                    f"{np.shape(after)}; every slot must keep the shape (runs, d)",
                )
        return new

    def start(self, check: str, rule: Optimizer, problem: Any, theta: Array) -> Any:
        """Return the first state."""
        with self.guard(check, "start"):
            memory = rule.start(problem, theta)
        shapes = ((*theta.shape, *np.shape(slot)[theta.ndim :]) for slot in memory)
        slots = zip(memory, shapes, strict=True)
        return (theta, *(np.broadcast_to(slot, shape).copy() for slot, shape in slots))

    def path(self, check: str, rule: Optimizer, problem: Any, theta: Array, steps: int) -> Array:
        """Run a plain loop and return the reported points, shape (steps + 1, runs, d)."""
        state = self.start(check, rule, problem, theta)
        points = [rule.report(*state)]
        for t in range(1, steps + 1):
            state = self.step(check, rule, problem, t, state)
            points.append(rule.report(*state))
        return np.array(points)

    def with_values_per_run(self, runs: int) -> tuple[Optimizer, list[Optimizer]]:
        """Return one rule whose hyper-parameters differ per run, and the same rules one by one."""
        base = self.settings[0]
        chosen = [self.settings[run % len(self.settings)] for run in range(runs)]
        names = self.cls.hyperparameters()
        singles = [base.replace(**{name: getattr(rule, name) for name in names}) for rule in chosen]
        columns = {name: np.array([[getattr(r, name)] for r in singles]) for name in names}
        return base.unchecked(**columns), singles


def make_case(optimizer: type[Optimizer] | Optimizer) -> Case:
    """Return the case of a class (settings drawn from its declared ranges) or of an instance."""
    random = np.random.Generator(np.random.Philox(20_240_101))
    cls: Any = optimizer if isinstance(optimizer, type) else type(optimizer)
    if not issubclass(cls, Optimizer) or cls is Optimizer:
        raise InputError(
            f"check_optimizer needs an Optimizer or a class of one, got {optimizer!r}",
            argument="optimizer",
        )
    if cls.step is Optimizer.step:
        raise ConformanceError(cls.__name__, "definition", "it has no step; write the update rule")
    if isinstance(optimizer, type) and hasattr(cls, "example"):
        optimizer = cls.example()  # a rule that needs another one inside
    domains = cls.hyperparameters()
    required = [
        field.name
        for field in cls.fields()
        if field.default is dataclasses.MISSING and field.name not in domains
    ]
    if required and isinstance(optimizer, type):
        raise ConformanceError(
            cls.__name__,
            "definition",
            f"{required[0]} has neither a declared range nor a default; annotate it with one of "
            "convex_analyzer.domains, or pass an instance",
        )

    def draw() -> dict[str, float]:
        return {name: sample(domain, random) for name, domain in domains.items()}

    make: Callable[..., Optimizer] = cls if isinstance(optimizer, type) else optimizer.replace

    def meaningful() -> Optimizer:
        """Return an instance; values that exclude each other are drawn again."""
        for attempt in range(_DRAWS):
            values = draw()
            if attempt >= _DRAWS // 2 and not isinstance(optimizer, type):
                kept = random.choice(list(values), size=(len(values) + 1) // 2, replace=False)
                values = {name: values[name] for name in kept}  # the others as in the instance
            try:
                return make(**values)
            except InputError as error:
                last = error
        raise last

    first = [] if isinstance(optimizer, type) else [optimizer]
    case = Case(cls, first, random)
    with case.guard("definition", "making an instance with values from the declared ranges"):
        case.settings += [meaningful() for _ in range(_SETTINGS)]
    return case
