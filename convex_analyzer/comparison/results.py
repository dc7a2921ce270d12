"""What a comparison returns: one entry per optimizer, theory beside simulation."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison.limit import krylov_steps, limit_note
from convex_analyzer.comparison.plain import PlainDescent, plain_descent
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.results import Result, to_plain
from convex_analyzer.sheets import Sheet
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_count, format_number, join_words
from convex_analyzer.theory.analysis import Analysis

__all__ = ["Comparison", "Entry", "settings_text"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Entry(Result):
    """One optimizer on one problem.

    Attributes
    ----------
    label
        Short name, unique in the comparison.
    optimizer
        The rule as it ran.
    analysis
        Its theory; None when the rule is not linear (`reason` says why).
    trajectory
        The run.
    gap
        J - J* at the recorded steps, from the run; relative to the critical point.
    predicted_gap
        The same from the closed form; None without one.
    predicted_steps
        First step with gap ≤ tolerance x the first gap, in closed form; None if never.
    simulated_steps
        The same, counted in the run; None if it was not reached there.
    deviation
        Largest |θ(run) - θ(theory)| over the recorded steps, relative to the largest iterate so
        far.
    budget
        What rounding may explain at that step.
    status
        ``confirmed``, ``refuted``, ``within the bound``, ``simulated with noise`` or ``simulated
        only``.
    complete
        False when the run stops long before the tolerance: "not simulated: too many".
    reason
        Why there is no theory, or why the run is short.
    tuned
        Names of the hyper-parameters that were chosen: for the spectrum, or by running the rule.
    """

    schema: ClassVar[str] = "convex_analyzer.entry/1"

    label: str
    optimizer: Optimizer
    analysis: Analysis | None
    trajectory: Trajectory
    gap: Array
    predicted_gap: Array | None
    predicted_steps: int | None
    simulated_steps: int | None
    deviation: float | None
    budget: float | None
    status: str
    complete: bool
    reason: str = ""
    tuned: tuple[str, ...] = ()

    @property
    def steps_needed(self) -> int | None:
        """Steps to the tolerance: from theory, where there is one for this run, else counted."""
        certain = self.predicted_gap is not None and self.status != "simulated with noise"
        certain = certain or (self.analysis is not None and self.trajectory.noise is None)
        return self.predicted_steps if certain else self.simulated_steps

    @property
    def outcome_text(self) -> str:
        """What theory says of the rule, in one or two words."""
        if self.analysis is not None:
            return self.analysis.outcome
        return "changes by step" if self.predicted_gap is not None else "no closed form"

    @property
    def steps(self) -> Array:
        """Recorded step indices."""
        return np.asarray(self.trajectory.recorded)

    @property
    def overshoot(self) -> float | None:
        """Largest gap over the first: 1 when the loss never rises; None without a minimum."""
        if self.analysis is not None and self.analysis.spectrum.lambda_min < 0:
            return None
        first = abs(float(self.gap[0]))
        finite = self.gap[np.isfinite(self.gap)]
        return float(np.max(finite) / first) if first > 0 and finite.size else 1.0

    def predicted_text(self) -> str:
        """Return the predicted step count; for the worst start where only ends are known."""
        if self.predicted_gap is None and self.analysis is None:
            return "–"
        if self.predicted_steps is None:
            return "never" if self.analysis is not None else "not reached"
        bound = self.analysis is not None and self.analysis.spectrum.is_interval
        return f"{'≤ ' if bound else ''}{format_count(self.predicted_steps)}"

    def simulated_text(self) -> str:
        """Return the simulated step count, or why there is none."""
        if self.simulated_steps is not None:
            exact = self.simulated_steps == 0 or self.simulated_steps - 1 in self.steps
            return f"{'' if exact else '≤ '}{format_count(self.simulated_steps)}"
        if not self.complete:
            return "not simulated: too many"
        never = self.analysis is not None and self.predicted_steps is None
        return "never" if never else "not reached"

    def __repr__(self) -> str:
        return f"<Entry {self.label}, {self.optimizer}: {self.status}>"

    def summary(self) -> Table:
        """Return a table of the main facts."""
        rows = (
            ("steps, predicted", format_count(self.predicted_steps)),
            ("steps, simulated", self.simulated_text()),
            ("theory − simulation", _deviation_text(self)),
            ("verdict", self.status),
        )
        return Table((str(self.optimizer), self.label), rows, left=2)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with at most 200 points of each curve."""
        keep = np.unique(np.linspace(0, len(self.gap) - 1, min(200, len(self.gap))).astype(int))
        return {
            "schema": self.schema,
            "label": self.label,
            "optimizer": self.optimizer.to_dict(),
            "tuned": list(self.tuned),
            "outcome": None if self.analysis is None else self.analysis.outcome,
            "rate": None if self.analysis is None else to_plain(self.analysis.rate),
            "one_minus_rate": None
            if self.analysis is None
            else to_plain(self.analysis.one_minus_rate),
            "stability_limit": None
            if self.analysis is None
            else to_plain(self.analysis.stability_limit),
            "predicted_steps": self.predicted_steps,
            "simulated_steps": self.simulated_steps,
            "complete": self.complete,
            "deviation": to_plain(self.deviation),
            "budget": to_plain(self.budget),
            "status": self.status,
            "reason": self.reason,
            "overshoot": to_plain(self.overshoot),
            "diverged_at": self.trajectory.diverged_at,
            "curve": {
                "steps": self.steps[keep].tolist(),
                "gap": to_plain(self.gap[keep]),
                "predicted_gap": None
                if self.predicted_gap is None
                else to_plain(self.predicted_gap[keep]),
            },
        }


def _deviation_text(entry: Entry) -> str:
    if entry.deviation is None:
        return "–"
    return (
        f"{format_number(entry.deviation, 1)} (rounding explains {format_number(entry.budget, 1)})"
    )


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Optimizers on one problem, theory beside simulation; made by `compare`.

    Attributes
    ----------
    problem, spectrum
        What was minimised.
    start
        θ₀, shape (d,).
    start_name
        How the start was chosen.
    tolerance
        Goal: gap ≤ tolerance x the first gap.
    entries
        One per optimizer, in the order asked for.
    """

    schema: ClassVar[str] = "convex_analyzer.comparison/1"

    problem: Quadratic = field(compare=False)
    spectrum: Spectrum
    start: Array
    start_name: str
    tolerance: float
    entries: tuple[Entry, ...]

    @property
    def best(self) -> Entry | None:
        """The optimizer that needs the fewest steps; None when none is known to converge."""
        able = [entry for entry in self.entries if entry.steps_needed is not None]
        if all(entry.predicted_gap is None and entry.analysis is None for entry in self.entries):
            return None
        return min(able, key=lambda entry: entry.steps_needed or 0) if able else None

    @functools.cached_property
    def krylov_limit(self) -> int | None:
        """Steps that the best method of past gradients needs on this instance: conjugate gradients.

        None without an instance or a minimum, and for more than 2000 eigenvalues.
        """
        return krylov_steps(self)

    @functools.cached_property
    def plain_descent(self) -> PlainDescent | None:
        """Gradient descent at 1/λmax where it needs fewer steps than `best`; else None."""
        return plain_descent(self)

    @property
    def confirmed(self) -> bool:
        """Whether no run contradicts its theory."""
        return all(entry.status != "refuted" for entry in self.entries)

    def __getitem__(self, key: int | str) -> Entry:
        if isinstance(key, int):
            return self.entries[key]
        for entry in self.entries:
            if entry.label == key:
                return entry
        raise KeyError(key)

    def __iter__(self) -> Any:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def verdict(self) -> str:
        """Return who wins, by how much, and whether the runs agree; and what would be faster."""
        agree = "A RUN CONTRADICTS ITS THEORY"
        if self.confirmed:
            agree = f"theory and simulation agree{self._how_far()}"
        if all(entry.predicted_gap is None and entry.analysis is None for entry in self.entries):
            agree = "there is no theory to hold the runs against"
        elif not {"confirmed", "refuted", "within the bound"} & {e.status for e in self.entries}:
            agree = "single noisy runs are not held against theory, which predicts their mean"
        best = self.best
        if best is None:
            return f"{self._none_predicted()}; {agree}."
        count = format_count(best.steps_needed)
        goal = f"to reduce the gap to {format_number(self.tolerance)} of its start"
        bound = self.spectrum.is_interval and best.analysis is not None
        if bound:  # for the worst start
            return f"{best.label} needs at most {count} steps {goal}; {agree}."
        plain = self.plain_descent
        text = f"needs {count} steps {goal}"
        if len(self.entries) > 1:
            text = f"needs the fewest steps{' of these' if plain else ''} {goal}: {count}"
        return f"{best.label} {text}; {agree}.{f' {plain.sentence}' if plain else ''}"

    def _how_far(self) -> str:
        """Say over how many steps runs were made that end long before the goal."""
        short = [entry for entry in self.entries if not entry.complete and entry.analysis]
        steps = sorted({entry.trajectory.steps for entry in short})
        if not steps:
            return ""
        text = f"on the first {join_words([format_count(count) for count in steps])} steps"
        if len(short) == len(self.entries):
            return f" {text}"
        return f" ({join_words([entry.label for entry in short])}: {text})"

    def _none_predicted(self) -> str:
        """Say what is known when no optimizer has a predicted number of steps."""
        bare = [entry for entry in self.entries if entry.analysis is None]
        reached = [entry for entry in bare if entry.simulated_steps is not None]
        if reached:
            first = min(reached, key=lambda entry: entry.simulated_steps or 0)
            return (
                f"{first.label} reaches the goal in its run, after {first.simulated_text()} steps"
            )
        if any(entry.trajectory.noise is not None for entry in self.entries):
            return "Under this noise no run here reaches the goal"
        if bare:
            return "No run here reaches the goal"
        if all(e.analysis is not None and e.analysis.is_stable for e in self.entries):
            return "No optimizer here ends at the minimum, though each converges"
        return "No optimizer here converges to the minimum"

    def summary(self) -> Sheet:
        """Return one row per optimizer, under the verdict and what was compared."""
        columns = ("optimizer", "settings", "outcome", "rate ρ", "steps, predicted",
                   "steps, simulated", "overshoot", "theory − sim.", "verdict")  # fmt: skip
        spectrum = self.spectrum
        facts = [
            ("problem", self.problem.describe().removeprefix(f"{self.problem.name}: ")),
            ("curvature", spectrum.definiteness),
            ("κ(A)", spectrum.describe_condition_number()),
            ("goal", f"gap ×{format_number(self.tolerance)}"),
            ("start", self.start_name),
        ]
        return Sheet(
            columns, tuple(_row(e) for e in self.entries), "", self.remarks(), 3,
            "comparison", self.problem.name, self.verdict(), tuple(facts),
        )  # fmt: skip

    def remarks(self) -> tuple[str, ...]:
        """Return what to know when reading the table: the limit of all methods, the noise."""
        kinds = "Steps and rates predicted: from theory, before the run; simulated: counted."
        short = [e.trajectory.steps for e in self.entries if not e.complete and e.analysis]
        if short:
            first = format_count(max(short))
            kinds = kinds.removesuffix(".") + (
                f"; of a run that is too long, the first {first} steps are made and held "
                "against theory."
            )
        return (kinds, *limit_note(self), *self.noise_notes())

    def noise_notes(self) -> list[str]:
        """Say whose gradients are noisy, and how."""
        labels: dict[str, list[str]] = {}
        for entry in self.entries:
            if entry.trajectory.noise is not None:
                words = entry.trajectory.noise.describe()
                labels.setdefault(words, []).append(entry.label)
        return [f"Gradients of {join_words(who)}: {noise}." for noise, who in labels.items()]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        plain = self.plain_descent
        return {
            "schema": self.schema,
            "problem": self.problem.to_dict(),
            "spectrum": self.spectrum.to_dict(),
            "start": to_plain(self.start) if len(self.start) <= 1000 else None,
            "start_name": self.start_name,
            "tolerance": self.tolerance,
            "krylov_limit": self.krylov_limit,
            "plain_descent": None if plain is None else asdict(plain),
            "entries": [entry.to_dict() for entry in self.entries],
            "verdict": self.verdict(),
        }

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.entries)} optimizers on {self.problem.name}>"


def settings_text(entry: Entry) -> str:
    """Return the hyper-parameters of an entry as text, with a star where they were tuned."""
    inner = str(entry.optimizer).partition("(")[2][:-1]
    return f"{inner} (tuned)" if entry.tuned else inner


def _row(entry: Entry) -> tuple[str, ...]:
    analysis = entry.analysis
    return (
        entry.label,
        settings_text(entry),
        entry.outcome_text,
        "–" if analysis is None else analysis.rate_text,
        entry.predicted_text(),
        entry.simulated_text(),
        f"×{format_number(entry.overshoot, 3)}" if entry.overshoot and entry.complete else "–",
        "–" if entry.deviation is None else format_number(entry.deviation, 1),
        entry.status,
    )
