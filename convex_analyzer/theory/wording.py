"""What an analysis says in words; the numbers are all in `Analysis`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.notation import symbol_of
from convex_analyzer.results import to_plain
from convex_analyzer.sheets import Sheet
from convex_analyzer.tables import Table, format_count, format_factor, format_number
from convex_analyzer.theory.changing import warnings
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.local import LATE
from convex_analyzer.theory.symbolic import exactly

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis
    from convex_analyzer.theory.behaviour import Behaviour

__all__ = [
    "explain",
    "intervals_text",
    "kind",
    "limit_sentence",
    "no_whole_run",
    "plain",
    "summary",
    "verdict",
]


_NO_MINIMUM = "no minimum: J falls without end"
_SHOWN = 8  # directions of a summary
_BORDERS = 3  # as many directions that lie exactly on it are described


def verdict(analysis: Analysis) -> str:
    """Return one sentence: does it converge, how fast, limited by what."""
    if analysis.scope == "local":
        return _local_verdict(analysis)
    if analysis.scope == "product":
        return (
            f"{analysis.optimizer} changes from step to step and tends to no single map, so it has "
            "no rate; gap(start, steps) multiplies its steps out."
        )
    if analysis.scope != "global":
        return _changing_verdict(analysis)
    name, slowest = str(analysis.optimizer), analysis.slowest
    match analysis.outcome:
        case "stable":
            w = analysis.one_minus_rate
            loss = format_factor(analysis.rate**2, w * (2 - w), 7)
            loss = "0" if analysis.rate_text == "0" else loss
            return (
                f"{name} converges: error ×{_bracketed(analysis.rate_text)} per step, "
                f"loss ×{_bracketed(loss)}, set by {_direction(analysis, slowest)}."
            )
        case "marginal":
            return f"{name} is exactly on the boundary: it does not converge."
        case "drifting":
            return f"{name} has no minimum to go to: J falls without end along a flat direction."
        case "flat":
            return f"{name}: there is no curvature; nothing limits the step."
    where = _direction(analysis, slowest)
    distance = float(analysis.modes.one_minus_rate[slowest])
    growth = _bracketed(format_factor(float(analysis.modes.rates[slowest]), distance, 6))
    if analysis.modes.eigenvalues[slowest] < 0:
        return (
            f"{name} leaves the saddle: along {where} the distance grows ×{growth} per step, "
            "for any α."
        )
    return (
        f"{name} diverges: along {where} the error grows ×{growth} per step; "
        f"{limit_sentence(analysis)}."
    )


def _local_verdict(analysis: Analysis) -> str:
    """Say what the local analysis of a rule that is not linear says, and no more."""
    name, limit = str(analysis.optimizer), limit_sentence(analysis)
    slowest = analysis.slowest
    match analysis.outcome:
        case "stable":
            return (
                f"{name} is attracted by the minimum once it is near: small errors "
                f"×{_bracketed(analysis.rate_text)} per step, set by "
                f"{_direction(analysis, slowest)}. It is not linear: the way there must be run."
            )
        case "unstable" if analysis.modes.eigenvalues[slowest] > 0:
            return (
                f"{name} does not settle at the minimum: next to it small errors grow along "
                f"{_direction(analysis, slowest)} ({limit}), so a run ends in a cycle or in bursts."
            )
    return f"{name}, next to the critical point: {analysis.outcome} ({limit})."


def _when(analysis: Analysis) -> str:
    """Say what the rate of a rule that changes with the step index refers to."""
    if analysis.scope == "periodic":
        return f"on average over its period of {analysis.optimizer.cycle} steps"
    return "in the long run"


def _changing_verdict(analysis: Analysis) -> str:
    """Say what a rule does that repeats after some steps, or tends to a linear one."""
    name, limit = str(analysis.optimizer), limit_sentence(analysis)
    if analysis.outcome == "stable":
        return (
            f"{name} converges: {_when(analysis)} the error falls ×"
            f"{_bracketed(analysis.rate_text)} per step, set by "
            f"{_direction(analysis, analysis.slowest)}."
        )
    return f"{name}, {_when(analysis)}: {analysis.outcome} ({limit})."


def _direction(analysis: Analysis, i: int) -> str:
    value = f"λ = {format_number(analysis.modes.eigenvalues[i], 4)}"
    return value if analysis.spectrum.is_interval else f"q{i + 1} ({value})"


def _bracketed(text: str) -> str:
    return f"({text})" if " " in text else text


def limit_sentence(analysis: Analysis) -> str:
    """Say for which learning rates the rule is stable."""
    intervals = analysis.stable_learning_rates
    if intervals is None:
        return "its stable learning rates have no closed form"
    if not intervals:
        return "no learning rate is stable"
    if intervals == [(0.0, math.inf)]:
        return "every learning rate is stable"
    return f"it needs {intervals_text(intervals)}"


def intervals_text(intervals: list[tuple[float, float]]) -> str:
    """Return open intervals of learning rates as text; the first three.

    Examples
    --------
    >>> intervals_text([(0.0, 0.5), (1.0, math.inf)])
    '0 < α < 0.5 or 1 < α'
    """
    texts = []
    for low, high in intervals[:3]:
        upper = "" if math.isinf(high) else f" < {format_number(high)}"
        texts.append(f"{format_number(low) if low else '0'} < α{upper}")
    more = [f"{len(intervals) - 3} more intervals"] if len(intervals) > 3 else []
    return " or ".join([*texts, *more])


def explain(analysis: Analysis) -> str:
    """Return sentences that say where the numbers come from."""
    optimizer, tuned = analysis.optimizer, analysis.tuned
    if analysis.scope != "global":
        return _explain_local(analysis)
    chosen = f"{', '.join(tuned)} tuned for this spectrum" if tuned else "settings as given"
    origin = (
        f"The state is ({', '.join(('θ', *optimizer.memory))}); its iteration matrix follows from "
        "`step` itself, run on linear forms at every eigenvalue, which also proves that the rule "
        f"is linear ({chosen})."
    )
    lines = [
        verdict(analysis),
        origin,
        f"Stability: {limit_sentence(analysis)} (Jury's conditions, exact).",
        *_on_the_border(analysis),
        *_kinds(analysis),
        f"Source of the rule: {optimizer.source or 'not stated'}.",
    ]
    return "\n".join([*lines, *optimizer.hints()])


def _on_the_border(analysis: Analysis) -> list[str]:
    """Say what a rule does whose learning rate lies exactly on the border, if it does."""
    rate = analysis.optimizer.values.get("learning_rate")
    if analysis.outcome != "marginal" or rate is None:
        return []
    modes, found = analysis.modes, dict[str, None]()
    on_it = (np.abs(modes.one_minus_rate) <= 4e-16) & (modes.eigenvalues != 0)
    try:
        for eigenvalue in np.unique(modes.eigenvalues[on_it])[-_BORDERS:]:
            s = exactly(rate) * exactly(float(eigenvalue))
            found |= dict.fromkeys(f"On the border, {b}." for b in analysis.region.boundary(s))
    except (InputError, NotDerivableError):
        return []
    return list(found)


def kind(analysis: Analysis) -> str:
    """Return what kind of answer an analysis is, in the vocabulary of the legend."""
    if analysis.scope == "asymptotic":
        return "asymptotic"
    if analysis.scope != "product" and analysis.modes.slots > 2:
        return "numerical"
    return analysis.spectrum.kind


def _kinds(analysis: Analysis) -> list[str]:
    """Say what kind of answer this is, and how far it reaches."""
    spectrum = analysis.spectrum
    closed = "Rate, step counts and curves are exact for these eigenvalues, to the last digits"
    if analysis.scope != "product" and analysis.modes.slots > 2:
        closed = "Rate, step counts and curves are numerical: eigenvalues of a matrix per direction"
    if analysis.scope == "asymptotic":
        closed = "Rate and stability are asymptotic: those of the limit of the rule"
    if analysis.scope == "product":
        closed = "Curves and step counts are exact: every step is multiplied out"
    known = "given" if spectrum.method == "given" else f"{spectrum.kind}: {spectrum.method}"
    lines = [f"{closed}; the eigenvalues are {known}."]
    if type(analysis.optimizer).optimum_for == "quadratics" and analysis.optimizer.memory:
        lines.append(
            "Proved for quadratics. On other functions it holds next to a minimum only; a setting "
            "that is best here may cycle there (pepit_script() asks about the wider class)."
        )
    else:
        lines.append("Proved for quadratics; on other functions it holds next to a minimum.")
    return lines


def _explain_local(analysis: Analysis) -> str:
    """Return sentences about a rule that is not linear."""
    optimizer = analysis.optimizer
    if analysis.scope == "product":
        source = f"Source of the rule: {optimizer.source or 'not stated'}."
        lines = [verdict(analysis), *warnings(analysis), *_kinds(analysis), source]
        return "\n".join([*lines, *optimizer.hints()])
    reasons = "; ".join(linearise(optimizer, 1.0, LATE).reasons)
    origin = (
        f"The rule is not linear: its step contains {reasons}. Run on dual numbers at the minimum, "
        "with its memory settled, `step` itself gives the iteration of small errors."
    )
    what = "Local stability"
    if analysis.scope == "asymptotic":
        what = "Stability"
        origin = (
            "The map changes with the step index and tends to a linear one, which `step` itself "
            "gives, run on linear forms with a large index; rates and stability are those of it."
        )
    elif analysis.scope == "periodic":
        what = "Stability"
        origin = (
            f"The rule repeats after {optimizer.cycle} steps; `step` itself, run so often on "
            "linear forms, gives the map over one period, and its roots the rate per period."
        )
    lines = [
        verdict(analysis),
        origin,
        f"{what}: {limit_sentence(analysis)} (Jury's conditions on that iteration).",
        *warnings(analysis),
        *([] if analysis.scope == "local" else _kinds(analysis)),
        f"Source of the rule: {optimizer.source or 'not stated'}.",
    ]
    return "\n".join([*lines, *optimizer.hints()])


def _changing_rows(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what holds next to the minimum, in the long run, or not at all."""
    if analysis.scope == "product":
        return [("scope", "product: changes from step to step, and has no rate")]
    local = analysis.scope == "local"
    scope = {
        "local": "local: not linear",
        "asymptotic": "asymptotic: the limit of a rule that changes with t",
        "periodic": f"periodic: repeats after {analysis.optimizer.cycle} steps",
    }[analysis.scope]
    return [
        ("next to the minimum" if local else _when(analysis), analysis.outcome),
        ("rate ρ of small errors" if local else "rate ρ", analysis.rate_text),
        ("1 − ρ", format_number(analysis.one_minus_rate)),
        ("stable there for" if local else "stable for", _stable_for(analysis)),
        ("scope", scope),
    ]


def _rows(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what a linear rule does."""
    peak = analysis.transient_peak
    transient = f"×{format_number(peak.size, 4)} after {format_count(peak.step)} steps"
    steps = analysis.steps_to(1e-6)
    return [
        ("outcome", _NO_MINIMUM if analysis.outcome == "drifting" else analysis.outcome),
        ("rate ρ", analysis.rate_text),
        ("1 − ρ", format_number(analysis.one_minus_rate)),
        ("stable for", _stable_for(analysis)),
        ("steps to gap ×1e−6", "never" if steps is None else format_count(steps)),
        ("largest transient", "grows without end" if peak.grows else transient),
        ("scope", "global: linear"),
    ]


def _stable_for(analysis: Analysis) -> str:
    return limit_sentence(analysis).removeprefix("it needs ")


def _about(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what was analysed: the curvature, and where the settings come from."""
    spectrum, tuned = analysis.spectrum, analysis.tuned
    symbols = ", ".join(symbol_of(name) for name in tuned)
    return [
        ("dimension", "any" if spectrum.is_interval else f"{spectrum.dimension:,}"),
        ("curvature", spectrum.definiteness),
        ("λmin", format_number(spectrum.lambda_min)),
        ("λmax", format_number(spectrum.lambda_max)),
        ("κ(A)", spectrum.describe_condition_number()),
        ("settings", f"{symbols} tuned" if tuned else "as given"),
    ]


def summary(analysis: Analysis) -> Sheet:
    """Return the main facts, and what happens along each direction."""
    steady = analysis.scope == "global"
    rows = [*(_rows(analysis) if steady else _changing_rows(analysis)), ("kind", kind(analysis))]
    notes = [] if steady else warnings(analysis)
    if steady:
        notes = ["Steps and transient: from the worst start."]
    more: tuple[Table, ...] = ()
    if steady and not analysis.spectrum.is_interval:
        more = (analysis.directions.table().shortened(_SHOWN, len(analysis.directions)),)
    return Sheet(
        (str(analysis.optimizer), analysis.spectrum.name), tuple(rows), notes=tuple(notes), left=2,
        what="analysis", subject=f"{analysis.optimizer} on {analysis.spectrum.name}",
        verdict=verdict(analysis), facts=tuple(_about(analysis)), more=more,
    )  # fmt: skip


def no_whole_run(analysis: Behaviour) -> str:
    """Say why a run from a given start has no closed form, and what is available."""
    name = type(analysis.optimizer).__name__
    if analysis.scope != "local":
        return (
            f"{name} changes from step to step, so this has no closed form; predict(start, steps) "
            "and gap(start, steps) multiply its steps out"
        )
    return (
        f"{name} is not linear: only what happens next to the minimum is known in closed form "
        "(stability_limit, rate, steps_to(criterion='rate')); simulate(problem, optimizer, start, "
        "steps) follows a start"
    )


def plain(analysis: Analysis) -> dict[str, Any]:
    """Return an analysis as plain data."""
    local = analysis.scope != "global"
    common = {
        "optimizer": analysis.optimizer.to_dict(),
        "tuned": list(analysis.tuned),
        "scope": analysis.scope,
        "kind": kind(analysis),
        "source": analysis.optimizer.source,
        "verdict": verdict(analysis),
        "spectrum": analysis.spectrum.to_dict(),
    }
    if analysis.scope == "product":
        return common
    return common | {
        "outcome": analysis.outcome,
        "rate": to_plain(analysis.rate),
        "one_minus_rate": to_plain(analysis.one_minus_rate),
        "stable_learning_rates": to_plain(analysis.stable_learning_rates),
        "steps_to_1e-6_worst_start": None if local else analysis.steps_to(1e-6),
        "transient_peak": None if local else to_plain(analysis.transient_peak),
    }
