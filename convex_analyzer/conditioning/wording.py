"""A condition number in sentences that a user of regressions can act on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from convex_analyzer.conditioning.cost import CHEAP_KAPPA, GOOD_DIGITS, OPTIMIZERS
from convex_analyzer.conditioning.fixes import CG_TRUSTED
from convex_analyzer.tables import format_count, format_number, join_words

if TYPE_CHECKING:
    from convex_analyzer.conditioning.results import ConditionAnalysis

__all__ = ["answers", "cured_by_scaling", "sentences", "share", "topics"]

INFLATED = 10.0  # a variance inflation factor that is worth a word (heuristic)
_INFLATED = 4  # columns of which it is said
_RELATIONS = 3  # collisions that are spelt out
_NAMES = {
    "GradientDescent": "gradient descent",
    "HeavyBall": "heavy ball",
    "Nesterov": "Nesterov",
    "ConjugateGradient": "conjugate gradients",
}


def sentences(analysis: ConditionAnalysis) -> tuple[str, ...]:
    """Return what it all means, most important first."""
    return tuple(sentence for said in topics(analysis).values() for sentence in said)


def topics(analysis: ConditionAnalysis) -> dict[str, tuple[str, ...]]:
    """Return the sentences by what they are about, most important first.

    The topics are ``number``, ``cause``, ``columns`` (which collide), ``solve``, ``training``,
    ``advice`` and ``limits`` (what scaling and penalties do not reach); one may have no sentence.
    """
    columns: list[str] = []
    found = analysis.collinearity
    if found is not None:
        columns += [fault.sentence for fault in found.faults]
        near = [relation for relation in found.relations if not relation.is_exact]
        columns += [f"{relation}." for relation in near[:_RELATIONS]]
        if len(near) > _RELATIONS:
            columns.append(f"{len(near) - _RELATIONS} weaker relations are not shown.")
    columns.append(_inflation(analysis))
    limits = [_scaling(analysis), _per_weight(analysis), _ridge(analysis), _centring(analysis)]
    is_slow = found is not None and not analysis.is_cheap  # a matrix has no start of its own
    if is_slow and analysis.mismatch is not None and analysis.mismatch.is_large:
        limits.append(analysis.mismatch.sentence)
    said = {
        "number": [_number(analysis)],
        "cause": [_cause(analysis)],
        "columns": columns,
        "solve": [_direct(analysis), _errors(analysis)],
        "training": [_training(analysis), _groups(analysis)],
        "advice": [_advice(analysis)],
        "limits": limits,
    }
    return {topic: tuple(filter(None, entries)) for topic, entries in said.items()}


def answers(analysis: ConditionAnalysis) -> dict[str, str]:
    """Return what κ costs a direct solve, and what it costs training."""
    digits = analysis.digits
    kept = f"{_digits(digits.kept)} of 16 digits are kept"
    solve = f"harmless: {kept}" if digits.kept >= GOOD_DIGITS else f"costly: {kept}"
    if math.isinf(digits.by_qr):
        solve = "undetermined: there is no unique answer"
    steps = analysis.given.steps[OPTIMIZERS[0].__name__]
    training = f"gradient descent needs {format_count(steps)} steps"
    if steps is None:
        training = "endless: gradient descent does not get there"
    elif analysis.is_cheap:
        training = f"harmless: {training}"
    else:
        training = f"costly: {training}"
        if analysis.advice is not None:
            entry, name = analysis.advice
            training += f", {_NAMES[name]} {format_count(entry.steps[name])}"
            training += "" if entry.name == "as given" else f" after this: {entry.title}"
    return {"solve": solve, "training": training}


def share(value: float) -> str:
    """Return a bias as a share of the first gap.

    Examples
    --------
    >>> share(0.025), share(1e-9)
    ('of 2.5 %', 'of 1e−9')
    """
    if math.isnan(value):  # there is no minimum to compare with
        return "without bound"
    percent = f"{format_number(100 * value, 2)} %"
    return f"of {percent if value >= 1e-4 else format_number(value, 1)}"


def cured_by_scaling(analysis: ConditionAnalysis) -> bool | None:
    """Return whether the cheap scaling alone brings κ(A) to at most 100."""
    kappas = [
        entry.kappa
        for entry in analysis.remedies
        if entry.name in {"Standardise", "Scale", "Jacobi"} and entry.kappa is not None
    ]
    if not kappas:
        return None
    settled = analysis.penalty > 0 or math.isfinite(analysis.split.decades("collinearity"))
    return min(kappas) <= CHEAP_KAPPA and settled


def _number(analysis: ConditionAnalysis) -> str:
    least = "at least " if analysis.kappa_is_bound else ""
    kappa = least + format_number(analysis.kappa, 4)
    parts = [
        f"{part.cause} {format_number(part.decades, 3)}"
        for part in analysis.split.shares
        if abs(part.decades) >= 0.05
    ]
    decades = f"; its powers of ten: {', '.join(parts)}" if parts else ""
    if math.isinf(analysis.digits.by_qr):
        decades = f", over the directions that are not flat{decades}"
    if analysis.kappa_of_data is None:
        return f"κ(A) = {kappa} in the 2-norm{decades}."
    with_penalty = (
        f", with the penalty l2 = {format_number(analysis.penalty, 3)}" if analysis.penalty else ""
    )
    data = format_number(analysis.kappa_of_data, 4)
    return f"κ(X) = {data}, κ(XᵀX) = {kappa} in the 2-norm{with_penalty}{decades}."


def _cause(analysis: ConditionAnalysis) -> str:
    if analysis.cause == "harmless":
        return _harmless(analysis)
    if math.isinf(analysis.split.decades("collinearity")) and not analysis.penalty:
        return "Some columns are exact combinations of others: their coefficients have no values."
    part = next(p for p in analysis.split.shares if p.cause == analysis.cause)
    if math.isinf(part.decades):
        return "Some columns are exact combinations of others: only the penalty settles them."
    total = min(sum(part.decades for part in analysis.split.shares), math.log10(analysis.kappa))
    much = f"{format_number(part.decades, 3)} of {format_number(total, 3)} powers of ten"
    return f"The main cause is {analysis.cause}: {part.removed_by} takes away {much}."


def _harmless(analysis: ConditionAnalysis) -> str:
    if analysis.kappa <= CHEAP_KAPPA * (1 + 1e-9) and not analysis.kappa_is_bound:
        return f"That is small: nothing to mend up to κ = {format_number(CHEAP_KAPPA)}."
    steps = analysis.given.steps[OPTIMIZERS[0].__name__]
    noun = "step" if steps == 1 else "steps"
    return (
        f"It is harmless here: from {analysis.start_name} there is little to do along the slow "
        f"directions, so gradient descent needs {format_count(steps)} {noun}."
    )


def _inflation(analysis: ConditionAnalysis) -> str:
    found = analysis.collinearity
    if found is None or found.rank < len(found.labels):
        return ""
    large = [
        (float(value), label)
        for value, label in zip(found.inflation, found.labels, strict=True)
        if value >= INFLATED
    ]
    large.sort(key=lambda entry: -entry[0])
    if not large:
        return ""
    shown = [f"{label} {format_number(value, 3)}" for value, label in large[:_INFLATED]]
    more = f" and {len(large) - _INFLATED} more" if len(large) > _INFLATED else ""
    return f"Variances are inflated (VIF ≥ 10) of {', '.join(shown)}{more}."


def _errors(analysis: ConditionAnalysis) -> str:
    found = analysis.sensitivity
    if found is None or not 1e3 <= found.amplification < math.inf:
        return ""
    text = f"Relative errors in the data grow up to {format_number(found.amplification, 2)} times"
    if found.from_residual > found.from_matrix + found.from_target:
        return f"{text} in the coefficients, mostly through κ² times the residual."
    return f"{text} in the coefficients."


def _direct(analysis: ConditionAnalysis) -> str:
    digits = analysis.digits
    if math.isinf(digits.by_qr):
        return "A direct solve has no unique answer; the one of least norm is a choice."
    kept = _digits(digits.kept)
    if digits.kept_by_normal_equations is None:
        return f"A direct solve (Cholesky) keeps {kept} of 16 digits."
    normal = _digits(digits.kept_by_normal_equations)
    text = f"A direct solve by QR keeps {kept} of 16 digits, by the normal equations {normal}"
    if digits.by_svd - digits.by_qr >= 1:
        text += f", by the pseudo-inverse of unscaled X {_digits(digits.kept_by_svd)}"
    return f"{text}."


def _digits(kept: float) -> str:
    return "none" if kept < 1 else f"about {math.floor(kept)}"


def _training(analysis: ConditionAnalysis) -> str:
    steps = analysis.given.steps
    if all(count is None for count in steps.values()):
        return "J has no minimum, so that no training ends."
    counts = [f"{_NAMES[name]} {format_count(count)}" for name, count in steps.items()]
    exact = " in exact arithmetic" if analysis.kappa > CG_TRUSTED else ""
    return f"Training needs, in steps: {join_words(counts)}{exact}."


def _groups(analysis: ConditionAnalysis) -> str:
    found = analysis.clusters
    if found is None or analysis.is_cheap or analysis.kappa > CG_TRUSTED:
        return ""
    return f"{found.sentence[:-1]}, from any start." if found.steps < found.chebyshev_steps else ""


def _advice(analysis: ConditionAnalysis) -> str:
    advice = analysis.advice
    if analysis.is_cheap or advice is None:
        return ""
    entry, name = advice
    count = entry.steps[name]
    cheap = "makes training cheap" if (count or 0) <= analysis.cheap else "helps most"
    by = f"{_NAMES[name]}, {format_count(count)} step{'' if count == 1 else 's'}"
    if entry.name == "as given":
        return f"The least effort that {cheap}: no change of the problem, but {by}."
    return f"The least effort that {cheap}: {entry.title} ({entry.price}), then {by}."


def _scaling(analysis: ConditionAnalysis) -> str:
    cured = analysis.cured_by_scaling
    if cured is None or analysis.kappa <= CHEAP_KAPPA or analysis.cause == "harmless":
        return ""
    names = ("Standardise", "Scale", "Jacobi")
    done = [e for e in analysis.remedies if e.name in names and e.kappa is not None]
    best = min(done, key=lambda entry: entry.kappa or math.inf)
    what = {"Standardise": "Standardising", "Scale": "Scaling the columns"}.get(
        best.name, "Scaling to a unit diagonal"
    )
    kappa = format_number(best.kappa, 4)
    if cured:
        return f"{what} is a cure: κ(A) = {kappa}."
    left = "collinearity" if analysis.collinearity is not None else "coupling"
    text = f"{what} is no cure of κ: it leaves κ(A) = {kappa}, which is {left}"
    if analysis.is_cheap or analysis.advice is None or analysis.advice[0] is not best:
        return f"{text}."
    name = analysis.advice[1]
    count = best.steps[name]
    if count is None or count > analysis.cheap:
        return f"{text}."
    steps = f"{format_count(count)} step{'' if count == 1 else 's'}"
    return f"{text}; but it makes training cheap from this start: {_NAMES[name]} in {steps}."


def _per_weight(analysis: ConditionAnalysis) -> str:
    before, after = analysis.split.best_diagonal, analysis.split.best_diagonal_after
    if before is None or before <= CHEAP_KAPPA or analysis.cause == "harmless":
        return ""
    text = f"No step size per weight (Adam, RMSProp) gets below κ(A) = {format_number(before, 4)}"
    if after is not None and after < 0.5 * before:
        text += f", or {format_number(after, 4)} once standardised"
    return f"{text}; a rotation (whitening, Newton) does."


def _ridge(analysis: ConditionAnalysis) -> str:
    for entry in analysis.remedies:
        if entry.bias > 0:
            return (
                f"A ridge penalty that brings κ down to {format_number(entry.kappa, 3)} ends above "
                f"the minimum by a share {share(entry.bias)} of the first gap."
            )
    return ""


def _centring(analysis: ConditionAnalysis) -> str:
    """Say so when centring without an intercept makes κ larger (THEORY 8.2 has the example)."""
    views = {view.name: view for view in analysis.split.views}
    if "centred" not in views or not views["raw"].same_model:
        return ""
    raw, centred = views["raw"].kappa, views["centred"].kappa
    if centred > 1.05 * raw:
        return (
            f"Without an intercept, centring hurts: κ(XᵀX) from {format_number(raw, 4)} to "
            f"{format_number(centred, 4)}; it also changes the model."
        )
    return ""
