"""`check_code`: someone's code against a rule of ours, step by step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.conventions.code_forms import form_of, rule_of
from convex_analyzer.conventions.code_running import KINDS, Foreign, Gradient, kind_of
from convex_analyzer.conventions.code_slips import slips
from convex_analyzer.conventions.code_symbols import Expressions, on_symbols
from convex_analyzer.conventions.equivalence import trials
from convex_analyzer.conventions.running import Arena, horizon
from convex_analyzer.conventions.variants import Variant, variants
from convex_analyzer.errors import ConvexAnalyzerError, InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number
from convex_analyzer.theory.arguments import require_one_setting

__all__ = ["CodeCheck", "Gradient", "check_code"]

Array = npt.NDArray[np.float64]

_PROBLEMS = 5
_SINGLE = 1e-5  # relative; float32 code agrees to that for a while
_FIRST = 4  # steps in which most causes differ
_EARLY = 20  # steps in which a cause must show its agreement, at least


@dataclass(frozen=True, eq=False)
class CodeCheck(Result):
    """What came of comparing code with a rule; truthy if they agree.

    Attributes
    ----------
    optimizer
        The rule.
    agrees
        Whether no difference beyond the tolerance was found.
    largest
        The largest difference, relative to the largest iterate, as long as rounding has not grown.
    compared
        For each problem, up to which step the two were compared.
    step, problem, coordinate
        Where they differ first: after which step, on which problem (from 1), in which coordinate
        (from 1); None if they agree.
    yours, ours
        The values there.
    cause
        What the code does instead, if one of the known conventions and slips explains the runs.
    explanation
        Our rule that runs as the code does; None if none is known.
    form
        Of code that agrees: whether it is written as the rule is, or in an equivalent form.
    expressions
        The first steps as expressions in the gradients, if the code takes SymPy's symbols: what
        agrees there does so for every objective.
    notes
        What the code does besides: changes its arguments, prints.
    """

    schema: ClassVar[str] = "convex_analyzer.code_check/1"

    optimizer: Optimizer
    agrees: bool
    largest: float
    compared: tuple[int, ...]
    step: int | None = None
    problem: int | None = None
    coordinate: int | None = None
    yours: float | None = None
    ours: float | None = None
    cause: str = ""
    explanation: Optimizer | None = field(default=None)
    form: str = ""
    expressions: Expressions | None = None
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.agrees

    def summary(self) -> Table:
        """Return what agrees, or the first difference and its likely cause."""
        steps = " ".join(map(str, self.compared))
        rows = [
            ("verdict", "agrees" if self.agrees else "differs"),
            ("compared", f"{len(self.compared)} quadratics, up to the steps {steps}"),
            ("largest difference", f"{format_number(self.largest, 2)} of the largest iterate"),
        ]
        if self.form:
            rows.append(("form", self.form))
        if self.expressions is not None and self.expressions.differs_at is None:
            count = self.expressions.steps
            rows.append(("on symbols", f"the same expressions in {count} steps, for any gradients"))
        if not self.agrees:
            where = f"step {self.step} on quadratic {self.problem}, coordinate {self.coordinate}"
            rows.append(("first difference", where))
            rows.append(("yours", format_number(self.yours, 10)))
            rows.append(("ours", format_number(self.ours, 10)))
            if self.expressions is not None and self.expressions.differs_at is not None:
                rows.append(("θ in your code", self.expressions.yours))
                rows.append(("θ in the rule", self.expressions.ours))
            rows.append(("likely cause", self.cause or "none that is known"))
        rows += [("besides", note) for note in self.notes]
        return Table((str(self.optimizer), "your code"), tuple(rows), left=2)

    def __repr__(self) -> str:
        return (
            f"<CodeCheck {self.optimizer}: {'agrees' if self.agrees else self.cause or 'differs'}>"
        )


def check_code(
    code: Callable[..., Any],
    optimizer: Optimizer | type[Optimizer] | str,
    *,
    kind: str | None = None,
    steps: int = 200,
    tolerance: float = 1e-9,
    state: Any = None,
) -> CodeCheck:
    """Compare an implementation of an optimizer with a rule, and name the first difference.

    Both are run on five quadratics, as long as rounding has not grown, and on symbols if the code
    takes them. On a difference the rule is run in its other conventions, and with the usual slips,
    until one explains the code. It is run here, in this process: code that never ends is not
    stopped, and code of strangers belongs in a process of its own.

    Parameters
    ----------
    code
        One of three kinds of function:

        - ``update(theta, state, grad)``, which returns the new theta and state. `theta` is an array
          (d,), `grad` the gradient there, also an array (and called at another point,
          ``grad(point)``, the gradient there).
        - ``step(gradient, theta, state)``: the same in another order.
        - ``run(gradient, start, steps)``, which returns all points, an array (steps + 1, d) that
          begins with `start`. `gradient` is a function of the point. This is for code with its own
          loop, such as a wrapped ``torch.optim``.
    optimizer
        The rule that the code is meant to be; also its name as text, ``"nesterov"``. The learning
        rate of a momentum method, if it is left out, is read off the first step of the code.
    kind
        ``"step"``, ``"update"`` or ``"run"``; told by the names of the arguments if left out:
        ``theta`` first or ``grad`` last is an update, ``steps`` last a run.
    steps
        How many.
    tolerance
        Largest difference that counts as agreement, relative to the largest iterate.
    state
        The first state: a value, copied for every run, or a function of theta.

    Returns
    -------
    CodeCheck

    Raises
    ------
    InputError
        The code raises something, or returns something else: one sentence says what and where.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> def update(theta, velocity, grad):
    ...     velocity = 0.9 * (0 if velocity is None else velocity) + 0.1 * grad
    ...     return theta - 0.05 * velocity, velocity
    >>> found = check_code(update, HeavyBall(0.005, 0.9))
    >>> found.agrees, found.form
    (True, 'an equivalent form: its state is −20 times velocity')
    >>> check_code(update, HeavyBall(0.05, 0.9)).cause
    'averages gradients with weights 1 - μ and μ'
    """
    _check_arguments(code, kind, steps)
    foreign = Foreign(code, kind or kind_of(code), state)
    optimizer = rule_of(optimizer, foreign, trials(1, 1)[0])
    _check_rule(optimizer)
    lengths = [each.length for each in optimizer.schedules() if each.length is not None]
    places = trials(min([steps, *lengths]), _PROBLEMS)
    theirs = [foreign.path(place) for place in places]
    ours = [place.path(optimizer) for place in places]
    last = [horizon(optimizer, place, tolerance / 100, tolerance / 1e4) for place in places]
    gaps = [_gaps(a, b, end) for a, b, end in zip(ours, theirs, last, strict=True)]
    largest = max(float(gap.max(initial=0.0)) for gap in gaps)
    firsts = [int(np.argmax(gap > tolerance)) if (gap > tolerance).any() else None for gap in gaps]
    expressions = on_symbols(code, foreign.kind, state, optimizer)
    if all(first is None for first in firsts):
        if expressions is not None and expressions.differs_at is not None:
            expressions = None  # no more than rounding
        return CodeCheck(
            optimizer,
            agrees=True,
            largest=largest,
            compared=tuple(last),
            form=form_of(optimizer, foreign, places[0]),
            expressions=expressions,
            notes=tuple(foreign.notes),
        )
    step, where = min((first, n) for n, first in enumerate(firsts) if first is not None)
    one, other = theirs[where][step], ours[where][step]
    away = np.nan_to_num(np.abs(one - other), nan=np.inf)
    coordinate = int(np.argmax(away))
    cause, rule = _told(optimizer, foreign, places, theirs, max(_EARLY, step + 10), tolerance)
    return CodeCheck(
        optimizer,
        agrees=False,
        largest=largest,
        compared=tuple(last),
        step=step,
        problem=where + 1,
        coordinate=coordinate + 1,
        yours=float(one[coordinate]),
        ours=float(other[coordinate]),
        cause=cause,
        explanation=rule,
        expressions=expressions if expressions and expressions.differs_at else None,
        notes=tuple(foreign.notes),
    )


def _check_arguments(code: Any, kind: Any, steps: Any) -> None:
    if not callable(code):
        raise InputError(f"code must be a function, got {code!r}", argument="code", value=code)
    if kind is not None and kind not in KINDS:
        words = "'step', 'update' or 'run'"
        raise InputError(f"kind must be {words}, got {kind!r}", argument="kind")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise InputError(f"steps must be a whole number from 1, got {steps!r}", argument="steps")


def _check_rule(optimizer: Optimizer) -> None:
    require_one_setting(optimizer)
    if optimizer.random:
        raise InputError(
            f"{type(optimizer).__name__} draws random numbers, which no other code draws alike",
            argument="optimizer",
        )


def _gaps(ours: Array, theirs: Array, last: int) -> Array:
    """Return the difference after each step, relative to the largest iterate so far."""
    ours, theirs = ours[: last + 1], theirs[: last + 1]
    size = np.maximum.accumulate(np.nan_to_num(np.abs(ours)).max(axis=1))
    with np.errstate(over="ignore", invalid="ignore"):
        apart = np.where(np.isfinite(ours) | np.isfinite(theirs), np.abs(ours - theirs), 0.0)
        gap = apart.max(axis=1) / np.where(size > 0, size, 1.0)
    return np.asarray(np.nan_to_num(gap, nan=np.inf))


# -- looking for the cause -------------------------------------------------------------------------


def _told(
    optimizer: Optimizer,
    foreign: Foreign,
    places: list[Arena],
    theirs: list[Array],
    enough: int,
    tolerance: float,
) -> tuple[str, Optimizer | None]:
    """Return what the code does instead, with what its state and its numbers show."""
    if foreign.remembers(places[0], theirs[0]):
        return (
            "keeps something outside its state (a global variable, an attribute, random numbers): "
            "a second run from the same start differs"
        ), None
    cause, rule = _explained(optimizer, places, theirs, enough, tolerance)
    finite = [np.isfinite(path).all(axis=1) for path in theirs]
    broken = [int(np.argmin(rows)) for rows in finite if not rows.all()]
    if not cause and broken:
        cause = f"turns into NaN or infinity in step {min(broken)}"
    if foreign.kind != "run" and optimizer.memory and foreign.is_forgetful:
        told = "does not carry its state over: what it returns as state is always the first one"
        cause = f"{told} (it {cause})" if cause else told
    return cause, rule


def _explained(
    optimizer: Optimizer, places: list[Arena], theirs: list[Array], enough: int, tolerance: float
) -> tuple[str, Optimizer | None]:
    """Return what the code does, and our rule that does so, if one is found."""
    steps = min(enough, places[0].steps)
    lengths = [min(_FIRST, steps), *(steps for _ in places)]  # most are told apart at once
    rows = list(zip([places[0], *places], [theirs[0], *theirs], lengths, strict=True))
    short = [Arena(place.problem, place.start, count, place.name) for place, _, count in rows]
    cut = [path[: count + 1] for _, path, count in rows]
    same = [place.path(optimizer) for place in short]
    if _agree(same, cut, _SINGLE):
        return "computes in single precision (float32)", None
    late = [np.concatenate([path[:1], path[:-1]]) for path in same]
    if _agree(late, cut, tolerance):
        return "makes every step one step late", None
    for each in _usual(optimizer):
        with contextlib.suppress(ConvexAnalyzerError):
            if _agree((place.path(each.rule) for place in short), cut, tolerance):
                return each.cause, each.rule
    for slip in slips(optimizer):
        wrong = Foreign(slip.step, "step")
        if _agree((wrong.path(place) for place in short), cut, tolerance):
            return slip.cause, None
    return "", None


def _usual(optimizer: Optimizer) -> list[Variant]:
    try:
        return variants(optimizer)
    except ConvexAnalyzerError:
        return []


def _agree(ours: Iterable[Array], theirs: list[Array], tolerance: float) -> bool:
    """Tell whether all paths agree; the first that does not ends it."""
    return all(
        bool(np.all(_gaps(a, b, len(a) - 1) <= tolerance))
        for a, b in zip(ours, theirs, strict=True)
    )
