"""`equivalent`: are two rules one method? A proof, or a counterexample."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.conventions import symbolic_proof
from convex_analyzer.conventions.counterexamples import Counterexample, look
from convex_analyzer.conventions.linear_proof import Decision, decide
from convex_analyzer.conventions.running import STEPS, Arena, Distance, apart, arena, horizon
from convex_analyzer.conventions.symbolic_proof import ChangeOfVariables
from convex_analyzer.errors import ConvexAnalyzerError, InputError
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import SGD, GradientDescent
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.results import Result
from convex_analyzer.tables import Table
from convex_analyzer.theory.arguments import require_one_setting

__all__ = ["Equivalence", "equivalent"]

Array = npt.NDArray[np.float64]

_LONGEST = 100  # characters of an exact expression; beyond, its numbers are rounded
_ROUNDED = 1e-12  # how far apart settings that differ by rounding may run
_SETTLED = 1e-10  # growth of a 1e-13 change of the start up to which runs are compared


@dataclass(frozen=True, eq=False)
class Equivalence(Result):
    """Whether two rules report the same points; truthy unless that is refuted.

    Attributes
    ----------
    first, second
        The rules.
    verdict
        ``"proved"``, ``"plausible"`` (no difference found, but no proof either) or ``"refuted"``.
    scope
        What the proof holds for, or what was tried.
    proof
        Its lines.
    counterexample
        Where they differ; None if they do not.
    distance
        How far apart they run on the problem in question.
    remark
        What else is to be said: that two rules are one method seen at two points.
    """

    schema: ClassVar[str] = "convex_analyzer.equivalence/1"

    first: Optimizer
    second: Optimizer
    verdict: str
    scope: str
    proof: tuple[str, ...]
    counterexample: Counterexample | None
    distance: Distance | None
    remark: str = ""

    @property
    def equivalent(self) -> bool | None:
        """True if proved, False if refuted, None if undecided."""
        return {"proved": True, "refuted": False}.get(self.verdict)

    def __bool__(self) -> bool:
        return self.verdict != "refuted"

    def summary(self) -> Table:
        """Return verdict, proof and distance."""
        rows = [("verdict", f"{self.verdict}: {self.scope}")]
        rows += [("" if place else "proof", line) for place, line in enumerate(self.proof)]
        if self.counterexample is not None:
            rows.append(("counterexample", str(self.counterexample)))
        if self.distance is not None:
            rows.append(("apart by", str(self.distance)))
        if self.remark:
            rows.append(("remark", self.remark))
        return Table((str(self.first), str(self.second)), tuple(rows), left=2)

    def __repr__(self) -> str:
        return f"<Equivalence {self.verdict}: {self.first} and {self.second}>"


def equivalent(
    first: Optimizer,
    second: Optimizer,
    spectrum: Any = None,
    *,
    problem: Any = None,
    steps: int | None = None,
) -> Equivalence:
    """Prove that two rules report the same points, or show where they do not.

    Numbers are read as the simplest fractions within rounding, and hyper-parameters may be symbols,
    if the rules are linear. Two routes:

    - *Linear rules.* Their outputs along an eigendirection are compared as rational functions of λ,
      exactly, at so many steps that (Cayley-Hamilton) they are equal at all. This decides.
    - *Any rules.* A change of variables on the state is looked for, and proved on symbols to
      commute with the steps, for an unknown gradient: then they agree on every objective.

    What neither settles is run on random problems: if no difference shows the verdict is
    ``"plausible"``, which is no proof.

    Parameters
    ----------
    first, second
        Instances.
    spectrum
        On what to measure how far apart they run: a `Spectrum`, eigenvalues or a problem; a rotated
        ravine with condition number 100 if left out.
    problem
        A problem; instead of a spectrum.
    steps
        Length of those runs, 200 if left out.

    Returns
    -------
    Equivalence

    Raises
    ------
    InputError
        No instances, several settings at once, or symbols in a rule that is not linear.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall, OuterMomentum
    >>> same = equivalent(HeavyBall(0.1, 0.9), OuterMomentum(0.1, 0.9))
    >>> same.verdict, same.scope
    ('proved', 'every objective, with noise or without')
    >>> print(same.proof[-1])
    theta₂ = theta₁, buffer₂ = −10·velocity₁
    >>> bool(equivalent(HeavyBall(0.1, 0.9), HeavyBall(0.1, 0.8)))
    False
    """
    for name, rule in (("first", first), ("second", second)):
        if not isinstance(rule, Optimizer):
            raise InputError(
                f"{name} must be an Optimizer instance, got {rule!r}", argument=name, value=rule
            )
        require_one_setting(rule)
    if first == second:
        line = "it is the same rule with the same settings"
        return Equivalence(first, second, "proved", "every objective", (line,), None, None)
    symbols = any(is_symbolic(v) for rule in (first, second) for v in rule.numbers().values())
    if symbols:
        return _of_symbols(first, second)
    told = _batches(first, second)
    if told:
        return Equivalence(first, second, "refuted", "mini-batches", (told,), None, None)
    bare = _bare(first), _bare(second)
    lengths = [each.length for rule in bare for each in rule.schedules() if each.length is not None]
    place = arena(spectrum, problem, min([STEPS if steps is None else steps, *lengths]))
    change, swapped = _change(*bare)
    proved = change is not None and change.reports and change.steps is None
    differ = not proved and _differ(bare, place)  # what is proved differs by no more than rounding
    decision = None if proved else decide(*bare)
    if decision is not None and decision.equal and decision.complete:
        differ = False
    distance = _distance(bare, place, settled=not differ)
    if decision is not None and not decision.equal and distance is not None:
        differ = differ or distance.largest > _ROUNDED
    if differ:
        lines = _lines_of(decision) if decision is not None and not decision.equal else ()
        return Equivalence(
            first,
            second,
            "refuted",
            "a quadratic is enough",
            lines,
            look(*bare),
            distance,
            _one_method(change, swapped),
        )
    verdict, scope, lines = _agreement(change, decision)
    return Equivalence(first, second, verdict, scope, lines, None, distance)


# -- cases -----------------------------------------------------------------------------------------


def _of_symbols(first: Optimizer, second: Optimizer) -> Equivalence:
    decision = decide(first, second)
    if decision is None:
        raise InputError(
            "rules with symbols can be compared only if they are linear and repeat",
            argument="first",
            hint="give numbers",
        )
    verdict = "refuted" if not decision.equal else "proved" if decision.complete else "plausible"
    return Equivalence(first, second, verdict, "every quadratic", _lines_of(decision), None, None)


def _change(first: Optimizer, second: Optimizer) -> tuple[ChangeOfVariables | None, bool]:
    """Return a change of variables from one rule to the other, and whether to the first."""
    there = symbolic_proof.find(first, second)
    if there is not None and there.reports and there.steps is None:
        return there, False
    back = symbolic_proof.find(second, first)
    if back is not None and (there is None or (back.reports and not there.reports)):
        return back, True
    return there, False


def _agreement(
    change: ChangeOfVariables | None, decision: Decision | None
) -> tuple[str, str, tuple[str, ...]]:
    """Return verdict, scope and proof for two rules between which no run shows a difference."""
    if change is not None and change.reports and change.steps is None:
        return "proved", "every objective, with noise or without", _lines_of_change(change)
    if decision is not None and decision.equal and decision.complete:
        return "proved", "every quadratic", _lines_of(decision)
    tried = "no difference on random quadratics"
    if decision is not None:
        told = () if decision.equal else ("no more than if the settings were rounded",)
        return "plausible", tried, (*_lines_of(decision), *told)
    if change is not None and change.reports:
        return "plausible", tried, _lines_of_change(change)
    return "plausible", tried, ()


def _one_method(change: ChangeOfVariables | None, swapped: bool) -> str:
    """Say that two rules are one method whose reports differ, if they are."""
    if change is None or change.steps is not None:
        return ""
    lines = [_swapped(line) if swapped else line for line in change.lines]
    return f"they are one method, seen at two points: {', '.join(lines)}"


def _swapped(line: str) -> str:
    return line.translate(str.maketrans("₁₂", "₂₁"))


def _lines_of_change(change: ChangeOfVariables) -> tuple[str, ...]:
    steps = "of every step, by induction"
    if change.steps is not None:
        steps = f"of the first {change.steps} steps only"
    told = f"a map of the states takes start to start and step to step, for any gradient: {steps}"
    return (told, ", ".join(change.lines))


def _lines_of(decision: Decision) -> tuple[str, ...]:
    n, m = decision.slots
    if not decision.equal:
        after = "one step" if decision.compared == 1 else f"{decision.compared} steps"
        told = str(decision.difference)
        if len(told) > _LONGEST:
            told = str(decision.difference.evalf(6))
        where = f"along an eigendirection the reports differ after {after}"
        return (f"{where}, the second less the first: {told}",)
    last = f"the reports agree, as functions of λ, at the steps 0 ... {decision.compared}"
    if not decision.complete:
        return (f"{last}; as the rules do not repeat, that proves no more than these steps",)
    return (f"{last}: enough for all (Cayley-Hamilton; {n} + {m} slots and a constant)",)


# -- running ---------------------------------------------------------------------------------------


def _batches(first: Optimizer, second: Optimizer) -> str:
    noises = [getattr(rule, "noise", None) for rule in (first, second)]
    if noises[0] == noises[1]:
        return ""
    told = ["exact gradients" if noise is None else f"{noise!r}" for noise in noises]
    return f"they are meant for different noise: {told[0]} and {told[1]}"


def _bare(rule: Optimizer) -> Optimizer:
    """Return the rule without the mini-batches that it is meant for."""
    if isinstance(rule, SGD):
        return GradientDescent(rule.learning_rate)
    changes = {
        name: _bare(value) for name, value in rule.values.items() if isinstance(value, Optimizer)
    }
    return rule.unchecked(**changes) if changes else rule


def _distance(
    rules: tuple[Optimizer, Optimizer], place: Arena, settled: bool = False
) -> Distance | None:
    """Return how far apart two runs are; if `settled`, as long as rounding has not grown."""
    try:
        paths = [place.path(rule) for rule in rules]
        last = min(horizon(rule, place, _SETTLED) for rule in rules) if settled else place.steps
    except ConvexAnalyzerError:
        return None
    found = apart(paths[0][: last + 1], paths[1][: last + 1], place.name)
    return dataclasses.replace(found, steps=place.steps)


def trials(steps: int, count: int = 5) -> list[Arena]:
    """Return random problems that are turned, with starts; seeded."""
    random = np.random.Generator(np.random.Philox(2026))
    found = []
    for _ in range(count):
        turn = np.linalg.qr(random.standard_normal((3, 3)))[0]
        values = np.exp(random.uniform(-2.0, 2.0, 3))
        matrix = (turn * values) @ turn.T
        problem = Quadratic((matrix + matrix.T) / 2, random.standard_normal(3))
        start = 3 * random.standard_normal(3)
        found.append(Arena(problem, start, steps, "random quadratics"))
    return found


def _differ(rules: tuple[Optimizer, Optimizer], place: Arena) -> bool:
    """Tell whether the runs differ by more than rounding, where rounding has not grown."""
    spots = [*trials(place.steps), place]
    failure: ConvexAnalyzerError | None = None
    for spot in list(spots):
        try:
            paths = [spot.path(rule) for rule in rules]
            whole = apart(paths[0], paths[1], spot.name)
            if whole.first_step is None and whole.horizon == spot.steps:
                continue  # alike to the end, however rounding grows
            last = min(horizon(rule, spot, _SETTLED) for rule in rules)
        except ConvexAnalyzerError as error:
            failure = error
            spots.remove(spot)
            continue
        gap = apart(paths[0][: last + 1], paths[1][: last + 1], spot.name, rounding=1e-9)
        if gap.first_step is not None or gap.horizon < last:
            return True
    if failure is not None and not spots:
        raise failure
    return False
