"""Schedules along a cosine: annealing, and annealing with warm restarts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from convex_analyzer.domains import Choice, Real, Whole
from convex_analyzer.ops import is_symbolic
from convex_analyzer.schedules.arithmetic import capped
from convex_analyzer.schedules.base import Schedule

__all__ = ["Cosine", "WarmRestarts"]


def _blend(initial: Any, final: Any, k: Any, steps: Any) -> Any:
    """Return `initial` at k = 0 and `final` at k = steps, and half a cosine wave between."""
    if is_symbolic(initial, final):
        import sympy

        weight = (1 + sympy.cos(sympy.pi * sympy.Rational(int(k), int(steps)))) / 2
    else:
        weight = (1 + np.cos(np.pi * k / steps)) / 2
        weight = weight if np.ndim(weight) else float(weight)
    return weight * initial + (1 - weight) * final


class Cosine(Schedule):
    """From `initial` to `final` along half a cosine wave.

    ε(k) = ε_T + ½ (ε₀ - ε_T)(1 + cos(π k/T)) for k ≤ T.

    Parameters
    ----------
    initial, final
        ε₀ and ε_T.
    steps
        T: the value after this many steps is `final` for the first time.
    after
        What follows: ``"hold"`` stays at `final` (optax, Keras); ``"climb"`` follows the formula
        on, back to `initial` and so forth with period 2T (torch).

    Examples
    --------
    >>> Cosine(1.0, 80).at(150), round(Cosine(1.0, 80, after="climb").at(150), 3)
    (0.0, 0.954)
    >>> Cosine(1.0, 80, after="climb").period
    160
    """

    initial: Real
    steps: Whole
    final: Real = 0.0
    after: Annotated[str, Choice(("hold", "climb"))] = "hold"

    source: ClassVar[str] = (
        "Loshchilov & Hutter (2017), eq. 5; torch CosineAnnealingLR (climb), "
        "optax.cosine_decay_schedule and Keras CosineDecay (hold)"
    )

    def value_after(self, k: Any) -> Any:
        """ε_T + ½ (ε₀ - ε_T)(1 + cos(π k/T))."""
        k = k % (2 * self.steps) if self.after == "climb" else capped(k, self.steps)
        return _blend(self.initial, self.final, k, self.steps)

    def ends(self) -> tuple[Any, ...]:
        """Return both ends of the wave."""
        return self.initial, self.final

    @property
    def period(self) -> int | None:
        """2T if it climbs again."""
        return 2 * self.steps if self.after == "climb" else None

    @property
    def limit(self) -> Any:
        """The final value, if it is held."""
        return self.final if self.after == "hold" else None


class WarmRestarts(Schedule):
    """Cosine annealing that starts again: after T₀ steps, then after m T₀ more, m² T₀, ...

    In torch it is ``CosineAnnealingWarmRestarts(T_0, T_mult)``, in Keras ``CosineDecayRestarts``
    (whose ``t_mul`` is 2 by default), in optax ``sgdr_schedule`` with ``warmup_steps=0``. The value
    comes close to `final`, and never is `final`: at that step it is `initial` again.

    Parameters
    ----------
    initial, final
        Ends of each wave.
    first
        T₀, length of the first wave in steps.
    multiplier
        m, whole: each wave is so many times as long as the one before.

    Examples
    --------
    >>> waves = WarmRestarts(1.0, first=2, multiplier=2)
    >>> waves.table(7).round(3)
    array([1.   , 0.5  , 1.   , 0.854, 0.5  , 0.146, 1.   ])
    >>> WarmRestarts(1.0, first=2).period
    2
    """

    initial: Real
    first: Whole
    multiplier: Whole = 1
    final: Real = 0.0

    aliases: ClassVar[tuple[str, ...]] = ("SGDR",)
    source: ClassVar[str] = (
        "Loshchilov & Hutter (2017), eq. 5; torch CosineAnnealingWarmRestarts, "
        "optax.sgdr_schedule, Keras CosineDecayRestarts"
    )

    def value_after(self, k: Any) -> Any:
        """Half a cosine wave over the steps since the last restart."""
        return _blend(self.initial, self.final, *self._place(k))

    def _place(self, k: Any) -> tuple[Any, Any]:
        """Return the steps since the last restart and the length of this wave, in whole numbers."""
        place, length = np.asarray(k), np.full(np.shape(k), self.first)
        if self.multiplier == 1:
            return place % length, length
        while np.any(late := place >= length):
            place = np.where(late, place - length, place)
            length = np.where(late, length * self.multiplier, length)
        return place, length

    def ends(self) -> tuple[Any, ...]:
        """Return the highest value and the lowest, or what longer waves tend to."""
        lowest = self.value_after(self.first - 1) if self.multiplier == 1 else self.final
        return self.initial, lowest

    @property
    def period(self) -> int | None:
        """T₀, if all waves are equally long."""
        return self.first if self.multiplier == 1 else None
