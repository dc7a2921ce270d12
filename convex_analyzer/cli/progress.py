"""Long work on a terminal: how far it is and the time left; and what an interrupt leaves behind."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from convex_analyzer.progress import Stage, ignore, listening, share, stage

__all__ = ["Ledger", "Meter", "is_lively", "ledger", "time_left", "working"]

_PATIENCE = 1.0  # seconds before work counts as long
_TRUSTED = 0.02  # share of the work from which on its end can be foretold
_NAMES = 5  # that are spelt out of what is finished


class Ledger:
    """What a command has finished, and what it has promised: kept for the case of an interrupt."""

    def __init__(self) -> None:
        self.text = ""
        self.broken: list[Stage] = []
        self.going: list[Stage] = []
        self.written: list[str] = []
        self.promised: dict[str, bool] = {}

    def changed(self, stages: Sequence[Stage]) -> None:
        """Hear how far the work is."""
        self.going = list(stages)

    def ended(self, stage: Stage) -> None:
        """Hear that a piece of work is over."""
        self.going = [one for one in self.going if one is not stage]
        if not stage.whole:
            self.broken.append(stage)

    def wrote(self, path: str | os.PathLike[str]) -> None:
        """Hear of a file that lies whole on disk."""
        self.written.append(os.fspath(path))

    def clear(self) -> None:
        """Forget everything: a new command begins."""
        vars(self).update(vars(Ledger()))

    def promise(self, path: Path) -> None:
        """Note a file that is to be written, and whether an older one is in its place."""
        self.promised[os.fspath(path)] = path.exists()

    def farewell(self) -> str:
        """Return what an interrupt leaves: how far the work was, and which files there are."""
        outer = next(iter(self.going), None) or next(reversed(self.broken), None)
        where = self.text if outer is None else _state(outer)
        parts = [f"interrupted while {where}" if where else "interrupted"]
        if self.written:
            parts.append(f"written, and whole: {', '.join(self.written)}")
        missing = {path: old for path, old in self.promised.items() if path not in self.written}
        for path, old in missing.items():
            parts.append(f"{path} was not {'touched' if old else 'written'}")
        if not self.written and not missing:
            parts.append("nothing was written")
        return "; ".join(parts)


def _state(one: Stage) -> str:
    """Return what was going on, and which parts of it were finished."""
    if not one.total or not one.done:
        return one.text
    names = one.names[:_NAMES]
    more = "" if len(one.names) <= _NAMES else f" and {len(one.names) - _NAMES} more"
    told = f": {', '.join(names)}{more}" if names else ""
    return f"{one.text} ({one.done:,} of {one.total:,} {one.unit} done{told})"


ledger = Ledger()  # of the command that runs in this process


def is_lively() -> bool:
    """Tell whether stderr is a terminal on which something may move."""
    from convex_analyzer.cli.screen import is_plain

    dumb = os.environ.get("TERM", "") in {"dumb", "unknown"}
    return sys.stderr.isatty() and not dumb and not is_plain()


def time_left(seconds: float, done: float | None) -> str:
    """Return how long work will still take, in words; empty while nobody can know.

    Parameters
    ----------
    seconds
        Since it began.
    done
        Share that is done.

    Examples
    --------
    >>> time_left(3.0, 0.25), time_left(60.0, 0.5), time_left(3600.0, 0.5), time_left(1.0, None)
    ('9 s left', '1 min left', '1 h 0 min left', '')
    """
    if done is None or not _TRUSTED <= done < 1:
        return ""
    left = seconds * (1 - done) / done
    if left < 60:
        return f"{max(round(left), 1)} s left"
    minutes = round(left / 60)
    return f"{minutes} min left" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min left"


class Meter(Ledger):
    """Shows on a terminal how far the work is, once it has taken a while.

    Parameters
    ----------
    text
        What is done, until a stage says more.
    book
        The ledger of the command, which hears everything too.
    """

    def __init__(self, text: str, book: Ledger) -> None:
        super().__init__()
        self.text, self.book = text, book
        self.since = time.monotonic()
        self._bar: Any = None
        self._over = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(_PATIENCE, self._appear)
        self._timer.daemon = True

    def changed(self, stages: Sequence[Stage]) -> None:
        """Hear how far the work is, and show it."""
        self.book.changed(stages)
        super().changed(stages)
        if self._bar is not None:
            self._show()

    def ended(self, stage: Stage) -> None:
        """Hear that a piece of work is over."""
        self.book.ended(stage)
        super().ended(stage)

    def wrote(self, path: str | os.PathLike[str]) -> None:
        """Hear of a file that lies whole on disk."""
        self.book.wrote(path)

    def __enter__(self) -> Meter:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._over, bar, self._bar = True, self._bar, None
        if bar is not None:
            bar.stop()

    def described(self) -> tuple[str, float | None, str]:
        """Return what is going on, which share is done, and the time left."""
        stages = list(self.going)
        if not stages:
            return self.text, None, ""
        outer, inner = stages[0], stages[-1]
        text = outer.text
        if outer.total and outer.total > 1:
            text += f" {min(outer.done + 1, outer.total):,} of {outer.total:,} {outer.unit}"
        if inner is not outer:
            text += f", {inner.text}"
        done = share(stages)
        return text, done, time_left(time.monotonic() - self.since, done)

    def _appear(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        with self._lock:
            if self._over:
                return
            bar = Progress(
                SpinnerColumn(), TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=20), TextColumn("{task.fields[left]}", markup=False),
                console=Console(stderr=True), transient=True, redirect_stdout=False,
                redirect_stderr=False,
            )  # fmt: skip
            bar.add_task(self.text, total=None, left="")
            bar.start()
            self._bar = bar
        self._show()

    def _show(self) -> None:
        bar = self._bar
        if bar is not None:
            text, done, left = self.described()
            bar.update(
                bar.task_ids[0], description=text, left=left,
                total=None if done is None else 1.0, completed=done or 0.0,
            )  # fmt: skip


@contextlib.contextmanager
def working(
    text: str, total: int | None = None, unit: str = "steps"
) -> Iterator[Callable[..., None]]:
    """Do work that may be long: on a terminal it shows how far it is, and the time left.

    Parameters
    ----------
    text
        What is done, as a participle.
    total, unit
        How many units of what there are, if that is known; the function that is given is then
        called with the units that are done.
    """
    ledger.text = text
    with contextlib.ExitStack() as open_:
        if is_lively():
            open_.enter_context(listening(open_.enter_context(Meter(text, ledger))))
        if total is None:  # what the library says is better
            yield ignore
        else:
            yield open_.enter_context(stage(text, total, unit))
    ledger.text = ""
