"""What limits a run that has not been made: one row of the table, with a sentence and numbers.

In this order, each by what its cure would save: a direction that grows, a minimum that is not
there, noise above the goal, an α with slack, a step or a momentum that overshoots, curvature.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from convex_analyzer.comparison import Entry
from convex_analyzer.diagnosis.findings import Finding
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.ranking import symptom_modules
from convex_analyzer.diagnosis.symptoms.ill_conditioning import LARGE
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.noise import AdditiveNoise, MiniBatch, Noise
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.local_model import LocalModel
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_count, format_number, format_share
from convex_analyzer.theory.analysis import Analysis, analyze
from convex_analyzer.theory.plane import plane
from convex_analyzer.theory.stochastic import NoiseFloor, noise_floor

__all__ = ["Outlook"]

_FAST = 100  # steps that nobody calls slow, whatever κ
_PAYS = 2.0  # a cure that saves less than half of the steps is not the cure
_STEEP = 1e5  # κ beyond which counts from a start take too long; those for its ends do not
_TIE = 1e-3  # relative: directions that are as slow as the slowest


@dataclass(frozen=True, eq=False)
class Outlook:
    """A problem seen from an optimizer, before training."""

    prospect: Prospect
    noise: Noise | None

    @property
    def entry(self) -> Entry:
        """The optimizer, its theory and its run."""
        return self.prospect.entry

    @property
    def analysis(self) -> Analysis | None:
        """Theory of the rule; None without a closed form."""
        return self.prospect.analysis

    @functools.cached_property
    def floor(self) -> NoiseFloor | None:
        """The noise floor; None without noise, or where it has no closed form."""
        if self.noise is None or self.analysis is None:
            return None
        try:
            return noise_floor(self.analysis, self.noise, self.prospect.problem)
        except ConvexAnalyzerError:
            return None

    def tested(self, module: Any) -> Finding:
        """Return what a row that is not the primary one says."""
        name, spectrum = module.ROW.name, self.prospect.spectrum
        if name == "fluctuation" and self.noise is not None:
            return self._noisy()
        if name == "ill_conditioning" and self._steep:
            kappa = format_number(spectrum.condition_number, 4)
            return Finding("present", f"κ = {kappa}", prediction=self._what_helps())
        if hasattr(module, "test"):
            finding: Finding = module.test(self.prospect)
            return finding
        if name == "saddle":
            verdict = "present" if spectrum.lambda_min < 0 else "absent"
            return Finding(verdict, f"λmin = {format_number(spectrum.lambda_min, 4)}")
        return Finding("absent", "something limits the run")

    def primary(self) -> tuple[str, Finding]:
        """Return the row that limits the run, and what to say of it.

        A loss that falls without end, for want of a minimum, counts as a saddle.
        """
        analysis = self.analysis
        if analysis is None or analysis.scope == "product":
            return self._from_run()
        if analysis.outcome == "unstable":
            return self._unstable(analysis)
        if analysis.outcome == "drifting":
            why = self.prospect.problem.why_no_minimum
            return "saddle", Finding(
                "present", f"will fall without end because {why}{self._near}", self._kind
            )
        if analysis.outcome == "marginal":
            return self._marginal(analysis)
        if analysis.outcome == "flat":
            return "healthy", Finding("present", "nothing will happen: there is no curvature")
        if self.noise is not None:
            noisy = self._noisy()
            if noisy.verdict == "present":
                unsettled = self.floor is not None and math.isinf(self.floor.value)
                return "instability" if unsettled else "fluctuation", noisy
        return self._converging(analysis)

    # -- words and counts -----------------------------------------------------------------------

    @property
    def _kind(self) -> str:
        return "exact" if self.analysis is None else self.analysis.kind

    @property
    def _noise_words(self) -> str:
        if isinstance(self.noise, MiniBatch) and isinstance(self.noise.size, int):
            return f"mini-batches of {self.noise.size}"
        return str(self.noise)

    @property
    def _near(self) -> str:
        """Where a local model holds, as the end of a sentence."""
        model = isinstance(self.prospect.problem, LocalModel)
        return " (near the point of expansion)" if model else ""

    def _direction(self, index: int) -> str:
        """Name a direction and its curvature."""
        assert self.analysis is not None
        value = format_number(self.analysis.modes.eigenvalues[index], 4)
        interval = self.prospect.spectrum.is_interval
        return f"λ = {value}" if interval else f"q{index + 1}, λ = {value}"

    def _slowest(self, analysis: Analysis) -> int:
        """Return the direction that sets the rate; of several, the one with least curvature."""
        m = analysis.modes
        w = np.where(m.eigenvalues != 0, m.one_minus_rate, np.inf)
        return int(np.argmax(w <= (1 + _TIE) * w.min()))

    @property
    def _steep(self) -> bool:
        kappa = self.prospect.spectrum.condition_number
        return kappa is not None and kappa > _STEEP and self._ends is not None

    @functools.cached_property
    def _ends(self) -> Spectrum | None:
        """Both ends of a positive spectrum, for counts from the worst start."""
        spectrum = self.prospect.spectrum
        if not spectrum.positive.size or spectrum.lambda_min < 0 or not spectrum.resolved:
            return None
        return Spectrum.from_eigenvalues([float(spectrum.positive[0]), spectrum.lambda_max])

    def _what_helps(self) -> str:
        """Return steps of tuned momentum on both ends."""
        assert self._ends is not None
        goal = self.prospect.comparison.tolerance
        counts = [
            f"{rule.__name__} {_steps(analyze(self._ends, rule).as_run().steps_to(goal))}"
            for rule in (HeavyBall, Nesterov)
            if type(self.entry.optimizer) is not rule
        ]
        text = f"{' and '.join(counts)} from the worst start"
        new = self.prospect.standardised
        if new is not None:
            kappa = format_number(new.spectrum.condition_number, 3)
            if not new.helps(self.prospect.spectrum):
                return f"standardising the columns would not help (κ = {kappa}); {text}"
            text = f"standardised columns: κ = {kappa}, GD {new.steps}; as they are: {text}"
        return text

    @functools.cached_property
    def _best(self) -> tuple[str, int] | None:
        """The rule with better settings, and its steps; None where there are none.

        The best rate in the long run may be far from the fewest steps to a goal: half the stability
        limit is tried, too.
        """
        tuned: tuple[Analysis, int | None] | None
        if self._steep:
            assert self._ends is not None
            analysis = analyze(self._ends, type(self.entry.optimizer)).as_run()
            tuned = analysis, analysis.steps_to(self.prospect.comparison.tolerance)
        else:
            tuned = self.prospect.best_of_class
        found = [tuned] if tuned is not None else []
        limit = self.prospect.stability_limit
        if not self.entry.tuned and not self._steep and limit is not None and 0 < limit < math.inf:
            rule = self.entry.optimizer.replace(learning_rate=limit / 2)
            analysis = analyze(self.prospect.spectrum, rule)
            found.append((analysis, self.prospect.steps(analysis)))
        counted = [(count, str(each.optimizer)) for each, count in found if count is not None]
        if not counted:
            return None
        count, name = min(counted)
        return name, count

    # -- what can go wrong --------------------------------------------------------------------

    def _unstable(self, analysis: Analysis) -> tuple[str, Finding]:
        """Tell a direction that overshoots from one that falls off."""
        m = analysis.modes
        worst = int(np.argmin(np.where(m.eigenvalues != 0, m.one_minus_rate, np.inf)))
        where, growth = self._direction(worst), format_number(m.rates[worst], 5)
        if m.eigenvalues[worst] < 0:
            text = f"will leave a saddle and fall without end because the curvature along {where} "
            text += f"is negative: ×{growth} a step, whatever α{self._near}"
            return "saddle", Finding("present", text, self._kind)
        alpha, limit = self.prospect.learning_rate, self.prospect.stability_limit
        text = f"will be unstable because {where} grows ×{growth} a step"
        if alpha is not None and limit is not None and alpha >= limit:
            text = f"will be unstable because α = {format_number(alpha, 4)} is beyond the limit "
            text += f"{format_number(limit, 4)} of {where}: errors grow ×{growth} a step"
        return "instability", Finding("present", text + self._near, self._kind, self._converges())

    def _converges(self) -> str:
        """Return what the same rule does at its best."""
        if self.prospect.spectrum.lambda_min < 0 or self._best is None:
            return ""
        return f"{self._best[0]} converges in {_steps(self._best[1])}"

    def _marginal(self, analysis: Analysis) -> tuple[str, Finding]:
        """Tell a direction that swings for ever from one that stays where it is."""
        slowest = self._slowest(analysis)
        root = complex(analysis.modes.roots[slowest, 0])
        text = "will neither converge nor diverge because a root of "
        text += f"{self._direction(slowest)} lies on the unit circle: "
        if root.real > 0 and abs(root.imag) <= 1e-12:
            return "slow_progress", Finding("present", f"{text}it does not move")
        text = f"{text}it swings for ever"
        return "oscillation", Finding("present", text, self._kind, self._converges())

    def _noisy(self) -> Finding:
        """Hold the noise floor against the goal, a hundredth of the first gap."""
        floor, rough = self.floor, self._first_order()
        first = abs(float(self.entry.gap[0]))
        if floor is not None and math.isinf(floor.value):
            text = f"will not settle because of {self._noise_words}: {floor.words}"
            return Finding("present", text, floor.kind)
        value = floor.value if floor is not None else rough
        if value is None:
            return Finding("not tested", "", needs="a rule and a problem whose floor is known")
        kind = "asymptotic" if floor is None else floor.kind
        share = f"×{format_number(value / first, 2)} of the first gap" if first > 0 else "no gap"
        if value <= self.prospect.comparison.tolerance * first:
            text = f"the noise floor {format_number(value, 3)} is {share}: below the goal"
            return Finding("absent", text, kind)
        text = f"will hover {format_number(value, 3)} above the minimum ({share}) because of "
        if floor is None:
            text += f"{self._noise_words}: α tr Σ/4, to first order in α"
            return Finding("present", text, kind, prediction="halve α and it falls to about ×0.5")
        worst = int(np.argmax(np.where(floor.eigenvalues != 0, floor.by_direction, -np.inf)))
        text += f"{self._noise_words}, most of it along {self._direction(worst)}"
        return Finding("present", text, kind, prediction=floor.words)

    def _first_order(self) -> float | None:
        """Return α tr Σ/4, where only the ends of the spectrum are known."""
        if not isinstance(self.noise, AdditiveNoise) or self.analysis is None:
            return None
        sigma = np.asarray(self.noise.covariance)
        size = self.prospect.problem.dimension
        if sigma.ndim == 2:
            sigma = np.diag(sigma)
        trace = float(np.broadcast_to(sigma, (size,)).sum())
        try:
            rate = plane(self.analysis.optimizer).effective_learning_rate
        except ConvexAnalyzerError:
            return None
        return float(rate * trace / 4) if 0 < rate < math.inf else None

    def _converging(self, analysis: Analysis) -> tuple[str, Finding]:
        """Return what a stable rule is limited by: the cure that saves most decides."""
        steps, best = self.entry.predicted_steps, self._best
        if steps is None:
            return self._from_run()
        slowest = self._slowest(analysis)
        where = self._direction(slowest)
        count = f"×{analysis.rate_text} a step, {_steps(steps)} to a gap of "
        count += f"{format_number(self.prospect.comparison.tolerance, 1)}{self._near}"
        fine = Finding("present", f"will converge, slowest along {where}: {count}", self._kind)
        if steps <= _FAST:
            return "healthy", fine
        if best is not None and steps >= _PAYS * best[1]:
            cure = f"{best[0]} needs {_steps(best[1])}"
            return self._curable(analysis, slowest, count, cure)
        kappa = self.prospect.spectrum.condition_number
        if kappa is not None and kappa > LARGE:
            text = f"will be slow along {where} because κ = {format_number(kappa, 4)} (λmax = "
            text += f"{format_number(self.prospect.spectrum.lambda_max, 4)}): {count}"
            helps = self._what_helps() if self._steep else self._row("ill_conditioning").prediction
            return "ill_conditioning", Finding("present", text, self._kind, helps)
        return "healthy", fine

    def _curable(
        self, analysis: Analysis, slowest: int, count: str, cure: str
    ) -> tuple[str, Finding]:
        """Tell a direction that swings from one that creeps because α has slack."""
        where = self._direction(slowest)
        root = complex(analysis.modes.roots[slowest, 0])
        if root.real < -1e-12 or abs(root.imag) > 1e-9 * abs(root):
            how = "flips its sign every step" if abs(root.imag) <= 1e-9 * abs(root) else "swings"
            text = f"will oscillate because {where} {how} and hardly shrinks: {count}"
            return "oscillation", Finding("present", text, self._kind, cure)
        alpha, limit = self.prospect.learning_rate, self.prospect.stability_limit
        why = "the settings are not the best"
        if alpha is not None and limit is not None and alpha < limit / 2:
            why = f"α = {format_number(alpha, 4)} is {format_share(alpha, limit)} its limit"
        text = f"will be slow along {where} because {why}: {count}"
        return "slow_progress", Finding("present", text, self._kind, cure)

    def _from_run(self) -> tuple[str, Finding]:
        """Without a closed form: read the run that was made."""
        entry, spectrum = self.entry, self.prospect.spectrum
        reason = entry.reason.split(" (")[0].split(", ")[0] or "the rule changes as it runs"
        run = entry.trajectory
        text = f"no closed form ({reason}); a run of {_steps(run.steps)} "
        if run.has_diverged and spectrum.lambda_min >= 0:
            return "instability", Finding("present", f"{text}left all bounds", "simulated")
        if spectrum.lambda_min < 0 or self.prospect.problem.why_no_minimum:
            why = f"will fall without end because λmin = {format_number(spectrum.lambda_min, 4)}"
            if spectrum.lambda_min >= 0:
                why = f"will fall without end because {self.prospect.problem.why_no_minimum}"
            return "saddle", Finding("present", why + self._near)
        gap = np.abs(entry.gap[np.isfinite(entry.gap)])
        first = float(gap[0]) if len(gap) else 0.0
        late = gap[2 * len(gap) // 3 :]
        left = float(np.median(late)) / first if first > 0 and len(late) else 0.0
        hovers = f"{text}hovers at ×{format_number(left, 2)} of the first gap"
        if self.noise is not None and left > self.prospect.comparison.tolerance:
            return "fluctuation", Finding("present", f"{hovers}: {self._noise_words}", "simulated")
        if entry.simulated_steps is not None:
            text += f"reached the goal at step {format_count(entry.simulated_steps)}"
            return "healthy", Finding("present", text, "simulated")
        if len(late) > 2 and float(np.mean(np.diff(late) > 0)) > 0.2:
            return "oscillation", Finding("present", f"{hovers}, and swings", "simulated")
        text += f"leaves ×{format_number(left, 2)} of the gap"
        kappa = spectrum.condition_number
        if kappa is not None and kappa > LARGE:
            text += f"; κ = {format_number(kappa, 4)}"
            return "ill_conditioning", Finding("possible", text, "simulated")
        return "slow_progress", Finding("possible", text, "simulated")

    def _row(self, name: str) -> Finding:
        (module,) = [each for each in symptom_modules() if name == each.ROW.name]
        finding: Finding = module.test(self.prospect)
        return finding


def _steps(count: int | None) -> str:
    """Write a number of steps with its noun."""
    return f"{format_count(count)} step{'' if count == 1 else 's'}"
