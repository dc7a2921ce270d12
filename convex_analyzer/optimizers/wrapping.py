"""What every wrapper of an optimizer shares: memory, period and randomness of the two together.

A wrapper changes what an inner optimizer sees (`clipping`: its gradients; `sampling`: noise in
them) or what is made of its iterates (`averaging`). Wrappers nest: the gradient passes through the
outermost first.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer, as_state

__all__ = ["learning_rate_of"]


class _Wrapper(Optimizer):
    """Base class of optimizers around another one; for a subclass, see `Averaged`.

    The names after theta in ``step(self, problem, t, theta, average, *memory)`` are the wrapper's
    own memory; what the inner optimizer remembers follows.

    Attributes
    ----------
    own
        Names of the wrapper's own memory.
    """

    optimizer: Optimizer

    own: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        declared = "memory" in vars(cls)
        super().__init_subclass__(**keywords)
        if not declared and "step" in vars(cls):
            cls.own = vars(cls)["memory"]  # as read from the signature
            del cls.memory  # which would hide the property

    def _check(self) -> None:
        if not isinstance(self.optimizer, Optimizer):
            raise InputError(
                f"{type(self).__name__}: optimizer must be an Optimizer, got {self.optimizer!r}",
                argument="optimizer",
                value=self.optimizer,
                hint=f"pass an instance, {type(self).__name__}(HeavyBall(0.1))",
            )

    @property
    def memory(self) -> tuple[str, ...]:  # type: ignore[override]  # depends on the fields
        """Own slots, then those of the inner optimizer; no name occurs twice."""
        names = list(self.optimizer.memory)
        for place, name in enumerate(self.own):
            number = 2
            unused = name
            while unused in names:
                unused, number = f"{name}_{number}", number + 1
            names.insert(place, unused)
        return tuple(names)

    @property
    def _repeats(self) -> int | None:
        """Period of the wrapper alone."""
        return 1

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """After how many steps wrapper and inner optimizer repeat."""
        mine, inner = self._repeats, self.optimizer.period
        return None if mine is None or inner is None else math.lcm(mine, inner)

    @property
    def _tends(self) -> bool:
        """Whether the wrapper alone tends to one map, if it never repeats."""
        return False

    @property
    def settles(self) -> bool:  # type: ignore[override]  # depends on the fields
        """Whether both tend to one map, as far as they do not repeat."""
        mine = self._repeats is not None or self._tends
        return mine and (self.optimizer.period is not None or self.optimizer.settles)

    @property
    def random(self) -> bool:  # type: ignore[override]  # depends on the fields
        """Whether the inner optimizer draws random numbers."""
        return self.optimizer.random

    @property
    def noise(self) -> Any:
        """The noise that the inner optimizer is meant to be run under; None for most."""
        return getattr(self.optimizer, "noise", None)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other fields; names that only the inner optimizer has go to it."""
        return super().replace(**self._routed("replace", changes))

    def unchecked(self, **changes: Any) -> Self:
        """Return a copy that holds any kind of number; names go as in `replace`."""
        return super().unchecked(**self._routed("unchecked", changes))

    def _routed(self, how: str, changes: dict[str, Any]) -> dict[str, Any]:
        names = {field.name for field in self.fields()}
        mine = {name: value for name, value in changes.items() if name in names}
        if len(mine) < len(changes):
            inner = mine.get("optimizer", self.optimizer)
            rest = {name: value for name, value in changes.items() if name not in names}
            mine["optimizer"] = getattr(inner, how)(**rest)
        return mine

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        return (*(theta for _ in self.own), *self.optimizer.start(problem, theta))

    def report(self, theta: Any, *memory: Any) -> Any:
        return self.optimizer.report(theta, *memory[len(self.own) :])

    def _step(self, problem: Any, t: Any, theta: Any, memory: Any) -> tuple[Any, tuple[Any, ...]]:
        """Let the inner optimizer take a step; return theta and its memory."""
        state = as_state(self.optimizer, self.optimizer.step(problem, t, theta, *memory))
        return state[0], state[1:]


def learning_rate_of(optimizer: Optimizer) -> Any:
    """Return the learning rate of an optimizer, or of the one that it wraps; None if it has none.

    Examples
    --------
    >>> from convex_analyzer.optimizers.averaging import Averaged
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> learning_rate_of(Averaged(HeavyBall(0.1)))
    0.1
    """
    if "learning_rate" in optimizer.values:
        return optimizer.values["learning_rate"]
    inner = optimizer.values.get("optimizer")
    return learning_rate_of(inner) if isinstance(inner, Optimizer) else None
