"""`diagnose`: evidence in, ranked verdicts out."""

from __future__ import annotations

from typing import Any

import numpy as np

from convex_analyzer.diagnosis.evidence import Evidence, Series
from convex_analyzer.diagnosis.ranking import Ranked, rank, symptom_modules
from convex_analyzer.diagnosis.readers.names import classify
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.results import Diagnosis, Verdict
from convex_analyzer.diagnosis.rise import turn_up
from convex_analyzer.errors import InputError

__all__ = ["diagnose"]

# what a forecast takes
_FORESEEN = {"noise", "batch_size", "start", "steps"} | {"lr", "learning_rate", "alpha"}
_FORESEEN |= {"momentum", "mu"}
_FEWEST = 5  # values of a loss curve that can show anything


def diagnose(
    source: Any = None, *, problem: Any = None, optimizer: Any = None, **known: Any
) -> Diagnosis:
    """Say what is wrong with a training run, how sure that is, and what the workaround would do.

    Every row of the recap table of lecture 001 (slide 41) is tested on the evidence at hand, and
    the rest of what can be wrong, or only look wrong, with a curve. More evidence sharpens the
    verdict; what is lacking is named.

    Parameters
    ----------
    source
        A file (``.npz``, ``.csv``, ``.tsv``, ``.jsonl``, ``.json``, TensorBoard events), a loss
        curve, a dict of arrays, a DataFrame, a `Recorder`, or nothing when keywords say it all.
    problem
        The problem itself, if known: a `Quadratic`, least squares, a local model. Without a
        source the verdict is a forecast: what will happen before any step is made.
    optimizer
        Name, class or instance of the rule.
    **known
        Any field of `convex_analyzer.diagnosis.evidence.Evidence` under its usual names: ``loss``,
        ``lr``, ``batch_size``, ``rows``, ``gradients``, ``weights``, ``activations``, ...

    Returns
    -------
    Diagnosis
        ``.primary``, ``.decided``, ``.findings``, ``.table``.

    Raises
    ------
    InputError
        Nothing to diagnose, or a file that cannot be read; says what to do.

    Examples
    --------
    >>> import numpy as np
    >>> steps = np.arange(200)
    >>> diagnosis = diagnose(loss=2.0 - 0.004 * steps, lr=1e-4)
    >>> diagnosis.primary.name
    'slow_progress'
    >>> diagnose([1.0, 3.0, 9.0, 27.0, 81.0, 243.0, 729.0]).primary.name
    'instability'
    """
    nothing = source is None and not known
    if nothing and (problem is None or optimizer is None):
        raise InputError(
            "there is nothing to diagnose",
            argument="source",
            hint="give a log, loss=..., or problem=... with optimizer=...",
        )
    if nothing:
        return _before_training(problem, optimizer)
    if problem is not None and source is None and set(known) <= _FORESEEN:
        return _before_training(problem, optimizer, **known)
    from convex_analyzer.diagnosis.readers import read

    if optimizer is not None:
        known["optimizer"] = optimizer
    evidence = read(source, **known)
    return examine(evidence, problem)


def examine(evidence: Evidence, problem: Any = None) -> Diagnosis:
    """Return the diagnosis of evidence that has been read."""
    _check(evidence)
    if problem is not None:
        evidence = _with_problem(evidence, problem)
    subject = evidence.source or "the run"
    if not _has_curve(evidence) and evidence.validation_loss is not None:
        return _generalisation(evidence, subject)
    reading = Reading(evidence)
    held = _held_out(evidence)
    risen = turn_up(reading.curve) if held else None
    if risen is not None:
        return _overfitting(evidence, subject, f"{held} is {risen.words}")
    curve = reading.curve
    ranked, doubt = rank(reading)
    notes = (*evidence.notes, *_contradictions(reading))
    if held:
        notes = (*notes, f"{held} is a validation loss, read as if descent were on it.")
    if curve is not None and len(curve.series) < _FEWEST and curve.bad_step is None:
        notes = (*notes, f"Only {len(curve.series)} values of the loss: too few to judge.")
    findings = tuple(_verdict(each, reading, problem, k == 0) for k, each in enumerate(ranked))
    rows = [each for each, it in zip(findings, ranked, strict=True) if _ranked(it)]
    beside = [each for each, it in zip(findings, ranked, strict=True) if not _ranked(it)]
    return Diagnosis(
        subject,
        tuple(rows),
        tuple(beside),
        doubt,
        notes,
        evidence.known,
        evidence=evidence,
    )


def _check(evidence: Evidence) -> None:
    """Refuse settings that no run can have."""
    rates = evidence.learning_rate
    if rates is not None:
        known = rates.values[np.isfinite(rates.values)]
        if not len(known) or float(known.min()) < 0 or float(known.max()) <= 0:
            raise InputError(
                "the learning rate must be positive", argument="lr", value=rates.values[0]
            )
    mu = evidence.momentum
    if mu is not None and not 0 <= mu <= 1:
        raise InputError(f"momentum must be in [0, 1], got {mu:g}", argument="momentum", value=mu)
    for name in ("batch_size", "rows"):
        value = getattr(evidence, name)
        if value is not None and value < 1:
            raise InputError(f"{name} must be 1 or more, got {value}", argument=name, value=value)


def _contradictions(reading: Reading) -> list[str]:
    """Say where what was given and what was logged do not fit together."""
    found, evidence = [], reading.evidence
    curve = reading.curve
    if curve is not None and curve.holes:
        found.append("NaN at regular places of the loss was read as not logged.")
    if evidence.batch_size and evidence.rows and evidence.batch_size > evidence.rows:
        found.append(
            f"batch_size {evidence.batch_size} is more than the {evidence.rows} rows: read as "
            "the full batch."
        )
    ratio = reading.first_update
    named = evidence.optimizer in {"gradient_descent", "momentum"}
    if named and ratio is not None and abs(ratio - 1) > 0.02:
        found.append(
            f"The first update is {ratio:.3g} times α‖g‖: the learning rate or the rule is not "
            "what was given."
        )
    return found


def _ranked(each: Ranked) -> bool:
    return each.row.fault or each.row.name == "healthy"


def _verdict(each: Ranked, reading: Reading, problem: Any, first: bool) -> Verdict:
    row, sign = each.row, each.sign
    remedy = None
    if row.fault and (first or each.confidence >= 0.1):
        from convex_analyzer.diagnosis.remedies import predict

        remedy = predict(row.name, reading, problem)
    return Verdict(
        row.name,
        row.problem,
        each.confidence,
        sign.verdict,
        sign.evidence,
        sign.kind,
        row.workaround,
        "" if remedy is None else remedy.prediction,
        sign.used,
        sign.lacks,
        remedy,
        row.lecture,
        row.fault,
    )


def _has_curve(evidence: Evidence) -> bool:
    return evidence.loss is not None or evidence.batch_loss is not None


def _generalisation(evidence: Evidence, subject: str) -> Diagnosis:
    """Return what a validation loss alone says: how well the model generalises, no more."""
    risen = turn_up(Reading(Evidence(loss=evidence.validation_loss)).curve)
    if risen is not None:
        name = evidence.matched.get("validation_loss", "validation loss")
        return _overfitting(evidence, subject, f"{name} is {risen.words}")
    text = "Generalisation, outside this table: only a validation loss was found"
    verdict = Verdict(
        "generalisation",
        "generalisation",
        0.0,
        "not tested",
        f"{text}. Log the training loss to diagnose the optimization.",
        lecture=False,
        fault=False,
        lacks="the training loss",
    )
    return Diagnosis(
        subject, (verdict,), (), 1.0, evidence.notes, evidence.known, evidence=evidence
    )


def _held_out(evidence: Evidence) -> str:
    """Return the column of a loss of rows that are not trained on, read as the loss; or ""."""
    name = evidence.matched.get("loss", "")
    found = classify(name)
    return name if found is not None and found.field == "validation_loss" else ""


def _overfitting(evidence: Evidence, subject: str, said: str) -> Diagnosis:
    """Return what a validation loss says that has turned up: no row of the table, and not fine."""
    text = f"Overfitting, outside this table: {said}. Stop there, regularise, or take more data"
    lacks = "the training loss"
    verdict = Verdict(
        "generalisation", "generalisation", 0.0, "present", f"{text}. Whether the optimization is "
        "at fault, the training loss would say.", lecture=False, fault=False, lacks=lacks,
    )  # fmt: skip
    return Diagnosis(
        subject, (verdict,), (), 1.0, evidence.notes, evidence.known, evidence=evidence
    )


def _with_problem(evidence: Evidence, problem: Any) -> Evidence:
    """Return the evidence with λmax and the minimum of the problem, exactly."""
    from convex_analyzer.spectra.compute import spectrum

    curve = evidence.loss or evidence.batch_loss
    least = getattr(problem, "minimum", None)
    if least is not None and curve is not None:
        reached = float(np.nanmin(curve.values, initial=np.inf))
        if reached >= least - 1e-9 * max(abs(least), abs(reached)):
            evidence = evidence.with_(minimum=float(least))
    if evidence.sharpness is not None:
        return evidence
    largest = spectrum(problem).lambda_max
    return evidence.with_(sharpness=Series(np.array([largest]), np.array([0.0])))


def _before_training(problem: Any, optimizer: Any, **known: Any) -> Diagnosis:
    from convex_analyzer.diagnosis.forecast import forecast

    if optimizer is None:
        raise InputError(
            "a forecast needs an optimizer",
            argument="optimizer",
            hint='such as optimizer=ca.HeavyBall(0.1) or "GradientDescent:learning_rate=0.1"',
        )
    foreseen = forecast(problem, optimizer, **known)
    by_name = {module.ROW.name: module.ROW for module in symptom_modules()}
    findings = []
    for each in foreseen:
        row, found = by_name[each.name], each.finding
        findings.append(
            Verdict(
                each.name,
                row.problem,
                each.confidence,
                found.verdict,
                found.evidence,
                found.kind,
                row.workaround,
                found.prediction,
                ("problem", "optimizer"),
                found.needs,
                each.remedy,
                row.lecture,
                row.fault,
            )
        )
    subject = f"{optimizer} before training"
    return Diagnosis(subject, tuple(findings), used=("problem", "optimizer"), forecast=True)
