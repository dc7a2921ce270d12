"""What a library is to this package: names, rows, what it lacks, and how its calls are typed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from convex_analyzer.conventions.rows import Draft, Native, Obstacle, Row, defaults
from convex_analyzer.domains import is_schedule
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.schedules.base import Schedule
from convex_analyzer.schedules.decays import Constant
from convex_analyzer.tables import join_words

__all__ = ["Library"]


class Library:
    """Base class of the libraries; each has one instance.

    Attributes
    ----------
    name, version
        As errors print them.
    rows
        Its optimizers, as far as rows can say it.
    readers
        Readers of the others, and of schedules, by name.
    aliases
        Other names for them.
    absent
        Names that the library has and this package does not, with the reason.
    elsewhere
        Options of other versions, with what became of them.
    scheduled
        The options that may be a schedule; None if all may.
    """

    name: ClassVar[str]
    version: ClassVar[str] = ""
    rows: ClassVar[tuple[Row, ...]] = ()
    readers: ClassVar[Mapping[str, Callable[[Native], Any]]] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    absent: ClassVar[Mapping[str, str]] = {}
    elsewhere: ClassVar[Mapping[str, str]] = {}
    scheduled: ClassVar[tuple[str, ...] | None] = ("learning_rate",)

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()

    def known(self, name: str) -> Mapping[str, Any]:
        """Return the options of an optimizer or a schedule, with their defaults."""
        found = defaults(self.name)
        options: dict[str, Any] = (found["optimizers"] | found["schedules"])[name]
        return options

    @property
    def names(self) -> list[str]:
        """All names that can be read."""
        return list(dict.fromkeys([*(row.name for row in self.rows), *self.readers]))

    def find(self, name: Any) -> str:
        """Return a name as the library spells it; case and underscores do not matter.

        Raises
        ------
        InputError
            There is none; names the nearest.
        """
        if not isinstance(name, str):
            raise InputError(f"{self.title}: a name must be text, got {name!r}", argument="name")
        plain = {_plain(alias): each for alias, each in self.aliases.items()}
        plain |= {_plain(each): each for each in self.names}
        if _plain(name) in plain:
            return plain[_plain(name)]
        absent = {_plain(each): each for each in self.absent}
        if _plain(name) in absent:
            told = absent[_plain(name)]
            raise InputError(
                f"{self.title}: {told} cannot be converted: {self.absent[told]}",
                argument="name",
                value=name,
            )
        near = difflib.get_close_matches(_plain(name), plain, n=3)
        guesses = list(dict.fromkeys(plain[each] for each in near))
        hint = f"did you mean {join_words(guesses, 'or')}?" if near else ""
        raise InputError(
            f"{self.title} has no {name!r}",
            argument="name",
            value=name,
            hint=hint or f"it has {join_words(self.names)}",
        )

    # -- reading -------------------------------------------------------------------------------

    def native(self, name: str, given: Mapping[str, Any]) -> Native:
        """Return the options of a call."""
        return Native(f"{self.title}: {name}", given, self.known(name), self.elsewhere)

    def read(self, name: str, given: Mapping[str, Any]) -> Any:
        """Return our rule or schedule for a call of the library."""
        native = self.native(name, given)
        for option, value in native.given.items():
            _check_callable(native, option, value)
        self.check(name, native)
        built = self._built(name, native)
        return self.wrap(name, native, built) if isinstance(built, Optimizer) else built

    def _built(self, name: str, native: Native) -> Any:
        if name in self.readers:
            with native.told_as({}):
                return self.readers[name](native)
        rows = [row for row in self.rows if row.name == name]
        for row in rows:
            if row.chosen(native):
                with native.told_as(row.fields):
                    return row.read(native)
        flags = ", ".join(f"{option}={native[option]!r}" for option in rows[0].when)
        raise native.error(f"{flags} has no equal among the rules of this package")

    def check(self, name: str, native: Native) -> None:
        """Refuse options that exclude each other, or that cannot be honoured."""

    def wrap(self, name: str, native: Native, rule: Optimizer) -> Optimizer:
        """Return the rule with what the library puts around all its optimizers."""
        del name, native
        return rule

    def warnings(self, name: str, native: Native) -> list[str]:
        """Return what the library will do, where that is not what one expects."""
        del name, native
        return []

    # -- writing -------------------------------------------------------------------------------

    def write(self, rule: Optimizer, steps: int | None = None) -> Draft | Obstacle | None:
        """Return the call for exactly this rule; None if the library has none of its class.

        Parameters
        ----------
        rule
            One of ours.
        steps
            Length of the run, if it is known: some schedules are equal for so long only.
        """
        wrapped = self.write_wrapper(rule, steps)
        if isinstance(wrapped, Draft):
            return self._with_inner(wrapped, steps)
        if isinstance(wrapped, Obstacle):
            return self._obstacle_with_inner(wrapped, steps)
        obstacles: list[Obstacle] = []
        for row in self.rows:
            if type(rule) is not row.rule:
                continue
            draft = row.write(rule, self.known(row.name), self.title)
            if isinstance(draft, Draft):
                draft = self._with_schedules(draft, steps)
            elif draft.nearest is not None:
                draft = self._nearest_with_schedules(draft, steps)
            if isinstance(draft, Draft):
                return draft
            obstacles.append(draft)
        return min(obstacles, key=lambda each: each.misses, default=None)

    def write_wrapper(self, rule: Optimizer, steps: int | None) -> Draft | Obstacle | None:
        """Return the call for a rule around another one; None for all others.

        The optimizer inside may stand among its arguments as it is.
        """
        del rule, steps
        return None

    def _obstacle_with_inner(self, told: Obstacle, steps: int | None) -> Obstacle:
        """Return an obstacle whose nearest call can be typed, too."""
        near = None if told.nearest is None else self._with_inner(told.nearest, steps)
        return Obstacle(told.reason, near if isinstance(near, Draft) else None, told.misses)

    def _with_inner(self, draft: Draft, steps: int | None) -> Draft | Obstacle | None:
        """Return the draft if the optimizer in it can be written, too."""
        for option, value in draft.arguments.items():
            if not isinstance(value, Optimizer):
                continue
            inner = self.write(value, steps)
            if inner is None:
                return None
            if isinstance(inner, Obstacle):
                if inner.nearest is None:
                    return inner
                near = draft.replacing(option, inner.nearest)
                return Obstacle(inner.reason, near, inner.misses)
            draft = draft.replacing(option, inner).adding(*inner.notes, reported=inner.reported)
        return self._with_schedules(draft, steps)

    def _with_schedules(self, draft: Draft, steps: int | None) -> Draft | Obstacle:
        """Return the draft with schedules as drafts; constant ones become numbers."""
        for option, value in draft.arguments.items():
            if isinstance(value, Constant):
                draft = draft.replacing(option, value.value)
            elif _holds_schedule(value):
                if self.scheduled is not None and option not in self.scheduled:
                    told = f"{self.title} can only schedule {join_words(self.scheduled)}"
                    return Obstacle(told, misses=0)
                written = self.write_schedule(value, steps)
                if isinstance(written, Obstacle):
                    if written.nearest is None:
                        return Obstacle(written.reason, misses=0)
                    near = draft.replacing(option, written.nearest)
                    return Obstacle(written.reason, near, misses=0)
                draft = draft.replacing(option, written).adding(*written.notes)
        return draft

    def _nearest_with_schedules(self, told: Obstacle, steps: int | None) -> Obstacle:
        """Return an obstacle whose nearest call has schedules of the library."""
        assert told.nearest is not None
        near = self._with_schedules(told.nearest, steps)
        if isinstance(near, Draft):
            return Obstacle(told.reason, near, told.misses)
        return Obstacle(f"{told.reason}; {near.reason}", near.nearest, told.misses)

    def write_schedule(self, schedule: Schedule, steps: int | None = None) -> Draft | Obstacle:
        """Return the call for a schedule."""
        del steps
        return Obstacle(f"{self.title} has no schedule like {type(schedule).__name__}")

    def text(self, draft: Draft) -> str:
        """Return what is to be typed."""
        raise NotImplementedError

    def arguments(self, draft: Draft) -> dict[str, Any]:
        """Return the options with which `read` gives the rule of a draft."""
        found = dict(draft.arguments)
        for option, value in found.items():
            if isinstance(value, Draft):
                found[option] = self.rule(value)
            elif isinstance(value, list) and value and isinstance(value[0], Draft):
                found[option] = [self.rule(each) for each in value]
        return found

    def rule(self, draft: Draft) -> Any:
        """Return the rule or schedule of a draft."""
        return self.read(draft.name, self.arguments(draft))


def _check_callable(native: Native, option: str, value: Any) -> None:
    """Refuse schedule objects of the library, whose formula cannot be read."""
    known = callable(value) and not isinstance(value, (type, Optimizer))
    if known and not is_schedule(value) and option not in {"lr_lambda", "formula", "scale_fn"}:
        raise native.error(
            f"{option} is a function, which cannot be read",
            option,
            "give a schedule of convex_analyzer.schedules, or from_library(...) of its name",
        )


def _holds_schedule(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(is_schedule, value))
    return is_schedule(value)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()
