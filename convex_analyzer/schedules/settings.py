"""What the fields of a schedule may hold beyond single numbers: lists, schedules, nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from convex_analyzer.domains import Domain, Real, Setting, WholeNumber, domain_of, is_schedule
from convex_analyzer.errors import InputError

__all__ = ["Inner", "InnerSchedule", "Nullable", "Numbers", "NumbersOrNone", "RealOrNone", "Wholes"]

_real = domain_of(Real)
assert isinstance(_real, Domain)
REAL: Domain = _real


@dataclass(frozen=True)
class Numbers(Setting):
    """A list of real numbers; each may be a symbol, or hold one value per run."""

    is_continuous: ClassVar[bool] = True

    sentence: str = "a list of real numbers"

    def check(self, owner: str, name: str, value: Any) -> tuple[Any, ...]:
        """Return the numbers as a tuple."""
        if not isinstance(value, (list, tuple, np.ndarray)) or not len(value):
            raise self._refuse(owner, name, value)
        array = np.asarray(value) if isinstance(value, np.ndarray) else _flat(value)
        if array is not None and array.ndim == 1 and array.dtype.kind in "iuf":
            finite = np.isfinite(array)
            if not finite.all():
                raise self._refuse(owner, name, float(array[~finite][0]))
            return tuple(array.astype(float).tolist())
        if any(is_schedule(entry) for entry in value):
            raise self._refuse(owner, name, value)
        return tuple(REAL.check(owner, name, entry) for entry in value)

    def encode(self, value: Any) -> Any:
        """Return the JSON form."""
        return [REAL.encode(entry) for entry in value]

    def decode(self, value: Any) -> Any:
        """Inverse of `encode`."""
        return [REAL.decode(entry) for entry in value]

    def strategy(self) -> Any:
        """Return a Hypothesis strategy."""
        from hypothesis import strategies

        return strategies.lists(REAL.strategy(), min_size=1, max_size=5).map(tuple)

    def invalid(self) -> list[Any]:
        """Return values that must be refused."""
        return [[], 0.1, "0.1", None, [0.1, np.nan], [0.1, "two"], [True, 0.1], {0.1: 1}]


def _flat(values: Any) -> Any:
    """Return plain numbers as an array at once; long tables need it. None for anything else."""
    plain = all(type(entry) in {int, float} for entry in values)
    return np.array(values, dtype=float) if plain else None


@dataclass(frozen=True)
class Wholes(Setting):
    """A list of whole numbers that do not decrease."""

    low: int = 0

    @property
    def sentence(self) -> str:  # type: ignore[override]  # follows from low
        """How it reads after "must be"."""
        return f"a list of whole numbers from {self.low} that do not decrease"

    def check(self, owner: str, name: str, value: Any) -> tuple[int, ...]:
        """Return the numbers as a tuple."""
        if not isinstance(value, (list, tuple, np.ndarray)) or not len(value):
            raise self._refuse(owner, name, value)
        try:
            found = tuple(WholeNumber(self.low).check(owner, name, entry) for entry in value)
        except InputError:
            raise self._refuse(owner, name, value) from None
        if list(found) != sorted(found):
            raise self._refuse(owner, name, value)
        return found

    def encode(self, value: Any) -> Any:
        """Return the JSON form."""
        return list(value)

    def strategy(self) -> Any:
        """Return a Hypothesis strategy."""
        from hypothesis import strategies

        entries = strategies.integers(self.low, 100)
        return strategies.lists(entries, min_size=1, max_size=5).map(sorted).map(tuple)

    def invalid(self) -> list[Any]:
        """Return values that must be refused."""
        return [[], 30, None, [self.low - 1], [2, 1], [1.5], ["two"], [True]]


@dataclass(frozen=True)
class Nullable(Setting):
    """A continuous setting that may be left out."""

    is_continuous: ClassVar[bool] = True

    inner: Setting

    @property
    def sentence(self) -> str:  # type: ignore[override]  # follows from inner
        """How it reads after "must be"."""
        return f"{self.inner.sentence} or None"

    def check(self, owner: str, name: str, value: Any) -> Any:
        """Return None, or the value in its stored form."""
        return None if value is None else self.inner.check(owner, name, value)

    def encode(self, value: Any) -> Any:
        """Return the JSON form."""
        return None if value is None else self.inner.encode(value)

    def decode(self, value: Any) -> Any:
        """Inverse of `encode`."""
        return None if value is None else self.inner.decode(value)

    def strategy(self) -> Any:
        """Return a Hypothesis strategy."""
        return self.inner.strategy()

    def invalid(self) -> list[Any]:
        """Return values that must be refused."""
        return [value for value in self.inner.invalid() if value is not None]


@dataclass(frozen=True)
class Inner(Setting):
    """A schedule, or a number that stands for a constant one."""

    sentence: str = "a schedule or a number"

    def check(self, owner: str, name: str, value: Any) -> Any:
        """Return the schedule."""
        from convex_analyzer.schedules.decays import Constant

        if is_schedule(value):
            return value
        try:
            return Constant(value)
        except InputError:
            raise self._refuse(owner, name, value) from None

    def encode(self, value: Any) -> Any:
        """Return the JSON form."""
        return value.to_dict()

    def decode(self, value: Any) -> Any:
        """Inverse of `encode`."""
        from convex_analyzer.schedules import from_dict

        return from_dict(value)

    def strategy(self) -> Any:
        """Return a Hypothesis strategy."""
        from convex_analyzer.schedules.decays import Constant

        return REAL.strategy().map(Constant)

    def invalid(self) -> list[Any]:
        """Return values that must be refused."""
        return ["Step", None, True, np.nan, [0.1, 0.2]]


RealOrNone = Annotated[Any, Nullable(REAL)]
NumbersOrNone = Annotated[Any, Nullable(Numbers())]
InnerSchedule = Annotated[Any, Inner()]
