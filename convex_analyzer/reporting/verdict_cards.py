"""The three findings at the top of a report: stability, conditioning, and what to change."""

from __future__ import annotations

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.comparison.results import settings_text
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.recap import Recap
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.reporting.document import Card, Cards
from convex_analyzer.tables import format_count, format_number, format_share
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.stochastic.floor import NoiseFloor

__all__ = ["verdict_cards"]


def verdict_cards(comparison: Comparison, table: Recap) -> Cards:
    """Return the cards; the first is about the first optimizer, the others about all."""
    first = comparison.entries[0]
    return Cards((_stable(first), _conditioning(comparison), _change(comparison, table)))


def _stable(entry: Entry) -> Card:
    analysis = entry.analysis
    if analysis is None:
        title = f"{entry.outcome_text[0].upper()}{entry.outcome_text[1:]}."
        return Card("info", title, f"{entry.optimizer}: {entry.reason}.")
    text = analysis.verdict()
    match analysis.outcome:
        case "stable":
            alpha, limit = analysis.optimizer.values.get("learning_rate"), analysis.stability_limit
            if alpha is not None and limit:
                share = format_share(alpha, limit)
                text += f" α is {share} its stability limit {format_number(limit, 4)}."
            return Card("ok", "Stable.", text + _flat_part(analysis))
        case "marginal":
            return Card("warn", "On the boundary.", text)
        case "drifting":
            return Card("bad", "No minimum.", text)
        case "flat":
            return Card("info", "Flat.", text)
    title = "Saddle." if analysis.spectrum.lambda_min < 0 else "Unstable."
    return Card("bad", title, text)


def _flat_part(analysis: Analysis) -> str:
    """Say what directions without curvature mean; nothing when there are none."""
    spectrum = analysis.spectrum
    flat = 0 if spectrum.is_interval else spectrum.dimension - spectrum.rank
    if flat < 1:
        return ""
    shape = "a whole line" if flat == 1 else f"a flat space of dimension {format_count(flat)}"
    return f" Its minima fill {shape} (λ = 0), and the start decides which of them is reached."


def _conditioning(comparison: Comparison) -> Card:
    spectrum = comparison.spectrum
    kappa = spectrum.condition_number
    if kappa is None:
        return Card("info", "No curvature.", "A is zero.")
    if spectrum.lambda_min < 0:
        text = f"κ = {spectrum.describe_condition_number()} compares sizes, max |λ| over min |λ|: "
        return Card("info", "Conditioning.", f"{text}with λ < 0 there is nothing to converge to.")
    ill = kappa > 100
    title = "Ill-conditioned." if ill else "Well-conditioned." if kappa <= 10 else "Moderate."
    parts = [f"κ = {spectrum.describe_condition_number()}."]
    descent = _tuned_descent(comparison)
    if descent is not None:
        parts.append(_cost_sentence(comparison, *descent))
    if spectrum.data is not None and spectrum.data.loses_everything:
        parts.append(
            f"Forming XᵀX in float64 would lose every digit (κ(XᵀX) = κ(X)² = "
            f"{format_number(spectrum.data.gram_condition_number, 4)}); these numbers come from "
            "the SVD of X."
        )
    return Card("bad" if ill else "ok" if kappa <= 10 else "warn", title, " ".join(parts))


def _tuned_descent(comparison: Comparison) -> tuple[Analysis, int | None, Entry | None] | None:
    """Return gradient descent at its best, with its count and its entry if it was run."""
    from convex_analyzer.optimizers.gradient import GradientDescent

    for entry in comparison.entries:
        if _is_descent(entry) and entry.analysis and entry.analysis.tuned:
            return entry.analysis, entry.predicted_steps, entry
    analysis, count = Prospect(comparison, comparison.entries[0]).tuned(GradientDescent)
    return (analysis, count, None) if analysis.is_stable else None


def _is_descent(entry: Entry) -> bool:
    from convex_analyzer.optimizers.gradient import GradientDescent

    return isinstance(entry.optimizer, GradientDescent)


def _cost_sentence(
    comparison: Comparison, analysis: Analysis, count: int | None, entry: Entry | None
) -> str:
    if not analysis.is_stable:
        return "Gradient descent converges for no learning rate."
    goal = format_number(comparison.tolerance, 2)
    digit = analysis.steps_to(0.1, criterion="rate")
    best = "the best rate in the long run, α = 2/(λmin + λmax),"
    text = f"Gradient descent at {best} needs {_steps(count)} (predicted"
    text += f"; {_simulated(entry)}" if entry is not None else ""
    noisy = any(one.trajectory.noise is not None for one in comparison.entries)
    text += f"{', without noise' if noisy else ''}) to bring the gap to {goal} of its start"
    if analysis.one_minus_rate >= 1:
        return f"{text}, and then no error is left."
    return f"{text}; each further digit of θ costs {format_count(digit)} more."


def _simulated(entry: Entry) -> str:
    if entry.simulated_steps is not None:
        return f"simulated: {entry.simulated_text()}"
    return entry.simulated_text()


def _change(comparison: Comparison, table: Recap) -> Card:
    if comparison.problem.why_no_minimum:
        return Card("info", "What to change.", _without_minimum(comparison))
    hovering = _hovering(comparison)
    if hovering:
        return Card("info", "What to change.", hovering)
    rows = {"slow_progress", "instability"}
    if comparison.plain_descent and _is_descent(comparison.entries[0]):
        rows.remove("slow_progress")  # which says the same
    parts = [
        f"{finding.prediction}."
        for row, finding in reversed(table.present)
        if row.name in rows and finding.prediction
    ]
    parts += _fastest(comparison)
    parts += _standardising(comparison)
    if not parts:
        parts = ["Nothing here converges; see the table of problems."]
    return Card("info", "What to change.", " ".join(parts))


def _without_minimum(comparison: Comparison) -> str:
    """Say why nothing converges, and which penalty would change that."""
    lowest = comparison.spectrum.lambda_min
    least = f"of more than {format_number(-lowest, 4)}" if lowest < 0 else "of any size"
    return (
        f"{comparison.problem.why_no_minimum}, and no learning rate helps. A ridge term ½ l2 ‖θ‖² "
        f"with l2 {least} gives it a minimum."
    )


def _hovering(comparison: Comparison) -> str:
    """Say how far above the minimum noisy gradients keep the loss; nothing for exact ones."""
    for entry in comparison.entries:
        if entry.analysis is None or entry.trajectory.noise is None:
            continue
        try:
            floor = entry.analysis.noise_floor(entry.trajectory.noise, comparison.problem)
        except ConvexAnalyzerError:
            continue
        said = f"{floor.words[:1].lower()}{floor.words[1:]}"
        said = said.replace(" above its minimum", f" above its minimum{_level(floor, entry)}", 1)
        return (
            f"Noise, not κ, decides where it ends. With {entry.label} {said} Lower α once the "
            "curve is level, or use larger batches."
        )
    return ""


def _level(floor: NoiseFloor, entry: Entry) -> str:
    """Say how high a noise floor is next to the first gap."""
    first = float(entry.gap[0])
    if not 0 < floor.value < float("inf") or not first > 0:
        return ""
    return f" (×{format_number(floor.value / first, 3)} of the first gap)"


def _fastest(comparison: Comparison) -> list[str]:
    """Say which run is the fastest, and which rule that was not run would be faster still."""
    best, first = comparison.best, comparison.entries[0]
    reached = [entry for entry in comparison.entries if entry.simulated_steps is not None]
    count = None
    if best is not None:
        count = best.steps_needed
        text = f"{_steps(count)} ({_simulated(best)})"
        if best is not first:
            settings = settings_text(best)
            chosen = f"{best.label} with {settings}" if settings else best.label
            said = [f"{chosen} needs {text}{_price(best)}."]
        elif len(comparison.entries) > 1:
            said = [f"{best.label} is already the fastest of these: {text}."]
        else:
            said = [f"{best.label} needs {text}."]
    elif reached:
        quickest = min(reached, key=lambda entry: entry.simulated_steps or 0)
        count = quickest.simulated_steps
        said = [f"{quickest.label} reaches the goal in {quickest.simulated_text()} steps."]
    else:
        said = []
    plain = comparison.plain_descent
    if plain is not None:
        said, count = [plain.sentence, *said], plain.steps
    return [*said, *_faster_rule(comparison, count)]


def _faster_rule(comparison: Comparison, count: int | None) -> list[str]:
    """Name a tuned rule that was not run and needs at most half of the steps."""
    from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov

    run = {type(e.optimizer) for e in comparison.entries if e.analysis and e.analysis.tuned}
    prospect = Prospect(comparison, comparison.entries[0])
    found = [prospect.tuned(rule) for rule in (HeavyBall, Nesterov) if rule not in run]
    able = [(steps, str(analysis.optimizer)) for analysis, steps in found if steps is not None]
    if not able or (count is not None and 2 * min(able)[0] > count):
        return []
    steps, name = min(able)
    return [f"{name} would need {_steps(steps)} (predicted)."]


def _steps(count: int | None) -> str:
    return f"{format_count(count)} step{'' if count == 1 else 's'}"


def _price(entry: Entry) -> str:
    if entry.overshoot is None or not entry.complete:
        return ""
    if entry.overshoot <= 1.001:
        return ", and the loss never rises above its start"
    return f", after the gap first rises to {format_number(entry.overshoot, 3)} times its start"


def _standardising(comparison: Comparison) -> list[str]:
    """Say what standardised columns would buy, for data."""
    new = Prospect(comparison, comparison.entries[0]).standardised
    if new is None:
        return []
    kept = " (the intercept stays)" if new.intercept else ""
    before, after = comparison.spectrum.condition_number, new.spectrum.condition_number
    if before is None or after is None:
        return []
    if not new.helps(comparison.spectrum):
        return [f"Standardising the columns would not help (κ = {format_number(after, 4)})."]
    text = (
        f"Standardising the columns{kept} takes κ from {format_number(before, 4)} to "
        f"{format_number(after, 4)}, and gradient descent to {new.steps}"
    )
    rest = "; what is left is collinearity, which scaling cannot remove" if after > 100 else ""
    return [f"{text}{rest}."]
