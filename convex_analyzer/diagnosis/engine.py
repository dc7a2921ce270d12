"""`diagnose`: evidence in, ranked verdicts out."""

from __future__ import annotations

from typing import Any

import numpy as np

from convex_analyzer.diagnosis.evidence import Evidence, Series
from convex_analyzer.diagnosis.ranking import Ranked, rank, symptom_modules
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.results import Diagnosis, Verdict
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
    if problem is not None:
        evidence = _with_problem(evidence, problem)
    subject = evidence.source or "the run"
    if not _has_curve(evidence) and evidence.validation_loss is not None:
        return _generalisation(evidence, subject)
    reading = Reading(evidence)
    curve = reading.curve
    ranked, doubt = rank(reading)
    notes = evidence.notes
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


def _with_problem(evidence: Evidence, problem: Any) -> Evidence:
    """Return the evidence with λmax of the problem, exactly."""
    from convex_analyzer.spectra.compute import spectrum

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
                None,
                row.lecture,
                row.fault,
            )
        )
    subject = f"{optimizer} before training"
    return Diagnosis(subject, tuple(findings), used=("problem", "optimizer"), forecast=True)
