"""Where long work stands: a hook that the library reports to, and that nobody has to listen to.

Library code says `stage` around what takes long, and how far it is. Nothing is printed here, and
without a listener nothing happens: the cost is one look at a context variable per stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from os import PathLike
from typing import Protocol, TypeVar

__all__ = ["Listener", "Stage", "both", "each", "ignore", "listening", "share", "stage", "wrote"]

T = TypeVar("T")


@dataclass(eq=False)
class Stage:
    """A piece of work.

    Attributes
    ----------
    text
        What is done: ``"comparing"``.
    total
        How many units there are; None if nobody knows.
    unit
        What they are: ``"optimizers"``.
    done
        How many are finished.
    names
        Of those that have one.
    whole
        Whether the work came to its end.
    """

    text: str
    total: int | None = None
    unit: str = "steps"
    done: int = 0
    names: list[str] = field(default_factory=list)
    whole: bool = False


class Listener(Protocol):
    """What hears of long work; called in the thread that works."""

    def changed(self, stages: Sequence[Stage]) -> None:
        """Hear of a stage that has begun or is farther; the outermost is first."""

    def ended(self, stage: Stage) -> None:
        """Hear that a stage is over: `whole`, or broken off."""

    def wrote(self, path: str | PathLike[str]) -> None:
        """Hear of a file that lies whole on disk."""


class _Hearing:
    """A listener, and the stages that are going on."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.stages: list[Stage] = []


_hearing: ContextVar[_Hearing | None] = ContextVar("hearing", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let a listener hear of the work that is done inside, in this thread.

    Examples
    --------
    >>> class Printer:
    ...     def changed(self, stages):
    ...         print(f"{stages[-1].text}: {share(stages):.0%}")
    ...     def ended(self, stage):
    ...         print(stage.done, stage.unit, "done")
    >>> with listening(Printer()):
    ...     squares = [n**2 for n in each([1, 2], "squaring", "numbers")]
    squaring: 0%
    squaring: 50%
    squaring: 100%
    2 numbers done
    """
    token = _hearing.set(_Hearing(listener))
    try:
        yield
    finally:
        _hearing.reset(token)


def ignore(count: int = 1, name: str = "") -> None:
    """Do nothing: what `stage` gives when nobody listens."""


def both(
    told: Callable[[int], None] | None, advance: Callable[..., None]
) -> Callable[[int], None] | None:
    """Return one function that calls two; None when nobody listens."""
    if advance is ignore:
        return told
    if told is None:
        return advance

    def tell(count: int) -> None:
        told(count)
        advance(count)

    return tell


@contextmanager
def stage(
    text: str, total: int | None = None, unit: str = "steps"
) -> Iterator[Callable[..., None]]:
    """Announce a piece of work, and give a function to call with the units that are done.

    Parameters
    ----------
    text
        What is done, as a participle: ``"comparing"``.
    total, unit
        How many units of what there are.
    """
    hearing = _hearing.get()
    if hearing is None:
        yield ignore
        return
    own = Stage(text, total, unit)
    stages, listener = hearing.stages, hearing.listener

    def advance(count: int = 1, name: str = "") -> None:
        own.done += count
        if name:
            own.names.append(name)
        listener.changed(stages)

    stages.append(own)
    try:
        listener.changed(stages)
        yield advance
        own.whole = True
    finally:
        stages.remove(own)
        listener.ended(own)


def each(
    items: Iterable[T], text: str, unit: str = "steps", name: Callable[[T], str] | None = None
) -> Iterator[T]:
    """Yield the items; each counts as done when the next one is asked for.

    Parameters
    ----------
    items
        What is worked on.
    text, unit
        As for `stage`.
    name
        Of an item, for those who want to know which ones are done.
    """
    listed = list(items)
    with stage(text, len(listed), unit) as advance:
        for item in listed:
            yield item
            advance(1, "" if name is None else name(item))


def share(stages: Sequence[Stage]) -> float | None:
    """Return which share of the outermost stage is done, from 0 to 1; None if nobody can know.

    A stage inside counts as a part of one unit of the stage around it.

    Examples
    --------
    >>> share([Stage("comparing", 4, done=1), Stage("running", 100, done=50)])
    0.375
    >>> share([Stage("reading")])
    """
    inner: float | None = 0.0
    for one in reversed(stages):
        if not one.total:
            inner = None if one is stages[0] else 0.0
        else:
            inner = min((one.done + (inner or 0.0)) / one.total, 1.0)
    return inner


def wrote(path: str | PathLike[str]) -> None:
    """Tell who listens that a file lies whole on disk."""
    hearing = _hearing.get()
    if hearing is not None:
        hearing.listener.wrote(path)
