"""`from_library` and `to_library`: optimizers and schedules of libraries and lectures as ours."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from convex_analyzer.conventions.identities import Form, forms
from convex_analyzer.conventions.keras_library import Keras
from convex_analyzer.conventions.lectures import LECTURES
from convex_analyzer.conventions.library import Library
from convex_analyzer.conventions.optax_library import Optax
from convex_analyzer.conventions.rows import Draft, Obstacle
from convex_analyzer.conventions.running import apart, arena
from convex_analyzer.conventions.torch_library import Torch
from convex_analyzer.domains import is_schedule
from convex_analyzer.errors import (
    ConvexAnalyzerError,
    ConvexAnalyzerWarning,
    InputError,
    NotConvertibleError,
)
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.schedules.base import Schedule
from convex_analyzer.tables import Table, join_words
from convex_analyzer.theory.arguments import require_one_setting

__all__ = ["LibraryCall", "from_library", "libraries", "to_library"]

_LIBRARIES: dict[str, Library] = {
    each.name: each for each in (Torch(), Optax(), Keras(), *LECTURES)
}
_DEPTH = 4  # of chains of rewriting


def libraries() -> tuple[str, ...]:
    """Return the names that `from_library` and `to_library` take.

    Examples
    --------
    >>> libraries()[:4]
    ('torch', 'optax', 'keras', 'lecture000')
    """
    return tuple(_LIBRARIES)


def _library(name: Any) -> Library:
    if isinstance(name, str) and name.lower() in _LIBRARIES:
        return _LIBRARIES[name.lower()]
    near = difflib.get_close_matches(str(name).lower(), _LIBRARIES, n=2)
    known = join_words(list(_LIBRARIES))
    raise InputError(
        f"there is no library {name!r}",
        argument="library",
        value=name,
        hint=f"did you mean {join_words(near, 'or')}?" if near else f"known: {known}",
    )


def from_library(library: str, name: str, /, **options: Any) -> Any:
    """Return the exact rule behind an optimizer of a library, or the schedule behind one of its.

    Options that are left out have the library's defaults (torch 2.13.0, optax 0.2.8, Keras 3.15.1;
    of a lecture, the values that it names). Options that change no numbers (``foreach``, ``fused``,
    ``capturable``, ``differentiable``) are accepted. A learning rate may be a schedule: one of
    `convex_analyzer.schedules`, or what this function returns for a schedule of the library. A
    torch scheduler takes its first value as ``lr``.

    Where the library will do what nobody expects, the rule does so, too, and a
    `ConvexAnalyzerWarning` says what.

    Parameters
    ----------
    library
        ``"torch"``, ``"optax"``, ``"keras"``, ``"lecture000"`` ... ``"lecture004"``, or
        ``"goodfellow"``.
    name
        Of an optimizer or a schedule, as the library spells it; case does not matter.
    **options
        As the library spells them.

    Returns
    -------
    Optimizer or Schedule

    Raises
    ------
    InputError
        An unknown library, name or option; a value that the library or this package refuses.

    Examples
    --------
    >>> from_library("torch", "SGD", lr=0.1, momentum=0.9, nesterov=True).nesterov
    True
    >>> from_library("keras", "SGD", learning_rate=0.1, momentum=0.9)
    HeavyBall(learning_rate=0.1, momentum=0.9)
    >>> stairs = from_library("torch", "StepLR", lr=0.1, step_size=30)
    >>> print(from_library("torch", "Adam", lr=stairs))
    Adam(α = Step(0.1, 0.1, 30))
    """
    source = _library(library)
    found = source.find(name)
    built = source.read(found, options)
    for told in source.warnings(found, source.native(found, options)):
        warnings.warn(told, ConvexAnalyzerWarning, stacklevel=2)
    return built


@dataclass(frozen=True, eq=False)
class LibraryCall(Result):
    """What to type in a library for a rule or a schedule of ours; ``str()`` is the text.

    Attributes
    ----------
    library
        Whose call it is.
    name, arguments
        What `from_library` takes to return the rule.
    call
        The text.
    notes
        What is to be known when typing it.
    reported
        Where the library's parameters are not the point that the rule reports, how to get that from
        them; empty otherwise.
    """

    schema: ClassVar[str] = "convex_analyzer.library_call/1"

    library: str
    name: str
    arguments: dict[str, Any]
    call: str
    notes: tuple[str, ...] = ()
    reported: str = ""

    def rule(self) -> Any:
        """Return what `from_library` makes of the call."""
        return _LIBRARIES[self.library].read(self.name, self.arguments)

    def summary(self) -> Table:
        """Return the call with its notes."""
        rows = [(line,) for line in self.call.splitlines()]
        told = [*self.notes, *([f"reported: {self.reported}"] if self.reported else [])]
        return Table((_LIBRARIES[self.library].title,), tuple(rows), notes=tuple(told))

    def __str__(self) -> str:
        return self.call

    def __repr__(self) -> str:
        return f"<LibraryCall {self.call!r}>"


def to_library(
    rule: Optimizer | Schedule,
    library: str,
    *,
    spectrum: Any = None,
    problem: Any = None,
    steps: int | None = None,
) -> LibraryCall:
    """Return the call of a library that runs exactly as a rule of ours.

    Parameters
    ----------
    rule
        An optimizer or a schedule.
    library
        As for `from_library`.
    spectrum, problem
        On what to measure the distance of the nearest call if there is no exact one: eigenvalues or
        a problem; a rotated ravine with condition number 100 if left out.
    steps
        Length of the run. Some schedules of libraries equal ours only for so long; without it they
        are not taken for equal.

    Returns
    -------
    LibraryCall

    Raises
    ------
    NotConvertibleError
        The library has no equal: says why, which call comes nearest, and how far apart they run.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import EMAMomentum
    >>> print(to_library(EMAMomentum(0.5, momentum=0.9), "torch"))
    torch.optim.SGD(params, lr=0.05, momentum=0.9)
    >>> print(to_library(EMAMomentum(0.5, momentum=0.9), "keras"))
    keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)
    """
    target = _library(library)
    if is_schedule(rule):
        return _schedule_call(target, rule, steps)
    if not isinstance(rule, Optimizer):
        raise InputError(
            f"rule must be an Optimizer instance or a schedule, got {rule!r}", argument="rule"
        )
    require_one_setting(rule)
    obstacles: list[tuple[Obstacle, Form]] = []
    for form in _chains(rule):
        written = target.write(form.rule, steps)
        if isinstance(written, Draft) and not form.difference:
            return _call(target, written, form)
        if isinstance(written, Draft):
            written = Obstacle(form.difference, written)
        if written is not None:
            reason = "; ".join(filter(None, (form.difference, written.reason)))
            told = Obstacle(
                reason if written.reason != form.difference else written.reason,
                written.nearest,
                written.misses,
            )
            obstacles.append((told, form))
    raise _refusal(target, rule, obstacles, spectrum, problem, steps)


def _chains(rule: Optimizer) -> Iterator[Form]:
    """Yield the rule and its forms: exact ones first, shorter chains first."""
    seen = {rule}
    exact, rough, level = [Form(rule)], [], [Form(rule)]
    for _ in range(_DEPTH):
        following = []
        for form in level:
            for each in forms(form.rule):
                if each.rule in seen:
                    continue
                joined = Form(
                    each.rule,
                    form.difference or each.difference,
                    form.reported or each.reported,
                    "; ".join(filter(None, (form.note, each.note))),
                )
                if not joined.difference:
                    seen.add(each.rule)
                following.append(joined)
        exact += [form for form in following if not form.difference]
        rough += [form for form in following if form.difference]
        level = [form for form in following if not form.difference] + rough[-8:]
    yield from exact
    yield from rough


def _call(target: Library, draft: Draft, form: Form) -> LibraryCall:
    notes = (*draft.notes, *([form.note] if form.note else []))
    return LibraryCall(
        library=target.name,
        name=draft.name,
        arguments=target.arguments(draft),
        call=target.text(draft),
        notes=notes,
        reported=form.reported or draft.reported,
    )


def _schedule_call(target: Library, schedule: Any, steps: int | None) -> LibraryCall:
    written: Draft | Obstacle = Obstacle(f"{schedule} holds a symbol")
    if not is_symbolic(*schedule.numbers()):
        written = target.write_schedule(schedule, steps)
    if isinstance(written, Draft):
        return _call(target, written, Form(Optimizer()))
    near = "" if written.nearest is None else f"; the nearest is {target.text(written.nearest)}"
    raise NotConvertibleError(f"{written.reason}{near}")


def _refusal(
    target: Library,
    rule: Optimizer,
    obstacles: list[tuple[Obstacle, Form]],
    spectrum: Any,
    problem: Any,
    steps: int | None,
) -> NotConvertibleError:
    """Return the error: why, the nearest call, and how far apart they run."""
    title = target.title
    near = [each for each in obstacles if each[0].nearest is not None]
    if not obstacles:
        nothing = f"it has nothing like {type(rule).__name__}"
        return NotConvertibleError(f"{title} has no equal of {rule}: {nothing}")
    told, form = min(near or obstacles, key=lambda each: (bool(each[1].difference), each[0].misses))
    message = f"{title} has no equal of {rule}: {told.reason}"
    if told.nearest is None:
        return NotConvertibleError(message)
    call = _call(target, told.nearest, form)
    one_line = "; ".join(line.partition("  # ")[0] for line in call.call.splitlines())
    place = arena(spectrum, problem, steps)
    try:
        distance = apart(place.path(rule), place.path(call.rule()), place.name)
    except ConvexAnalyzerError:
        return NotConvertibleError(f"{message}; the nearest is {one_line}", nearest=call)
    return NotConvertibleError(
        f"{message}; the nearest, {one_line}, runs apart by {distance}",
        nearest=call,
        distance=distance.largest,
    )
