"""The report on a training run: the verdict with its curve, what would help, the table filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from convex_analyzer.diagnosis.evidence import Series
from convex_analyzer.diagnosis.ranking import symptom_modules
from convex_analyzer.diagnosis.results import Diagnosis, Verdict
from convex_analyzer.notation import DIAGNOSIS_VERDICTS, legend
from convex_analyzer.reporting.document import (
    Block,
    Bold,
    Card,
    Cards,
    Chip,
    CodeBlock,
    Column,
    Document,
    Heading,
    KeyValues,
    Kind,
    Note,
    PageBreak,
    RichText,
    Table,
    Title,
    plain_text,
)
from convex_analyzer.reporting.figures import drawn
from convex_analyzer.tables import format_count, format_number, join_words

__all__ = ["confirmation", "diagnosis_document"]

_CALIBRATED = (
    "Chances are calibrated on labelled runs, so that of verdicts given with 80 % at least 8 in 10 "
    "are right: docs/diagnosis.md has the reliability table and the confusion matrix."
)
_CERTAIN = (
    "A forecast follows from the problem and the rule: where the rule has a closed form, the "
    "verdict is algebra and not an estimate."
)
_ROOM = 10  # lines below the curve
_ARGUMENT = "argument "  # how the reader calls what the caller says


def diagnosis_document(
    diagnosis: Diagnosis, level: str = "brief", command: str | None = None
) -> Document:
    """Return the report on a training run as a document.

    Parameters
    ----------
    diagnosis
        What `diagnose` returned.
    level
        ``"brief"``: two pages; ``"teach"`` and ``"full"``: all that was measured on the log, also
        where that needs a third.
    command
        The command that reproduces it; a Python call is shown when left out.
    """
    title = f"Diagnosis: {diagnosis.subject}"
    blocks: list[Block] = [Title(title, _subtitle(diagnosis)), _cards(diagnosis)]
    if _has_curve(diagnosis):
        blocks += [Heading("Where it shows"), drawn("annotated_curve", diagnosis)]
    others, read = _remedies(diagnosis), _sources(diagnosis)
    both = _lines(others) + _lines(read) <= _ROOM
    blocks += [*others, *read] if both else others or read  # what has room below the curve
    if diagnosis.primary.name != "generalisation":  # which is outside the table
        blocks += [
            PageBreak(unless_free=0.5),
            Heading("Problem, diagnosis, workaround"),
            _table(diagnosis),
        ]
    if level != "brief" or both or not others:
        blocks += _measures(diagnosis)
    blocks += read if others and not both else []
    certain = _CERTAIN if diagnosis.forecast else _CALIBRATED
    blocks += [
        Heading("Reproduction"),
        CodeBlock(command or _call(diagnosis, level)),
        Note(f"{certain} Verdicts. {_meanings()}. Kinds of numbers. {legend()}."),
    ]
    return Document(title, blocks, footer="convex_analyzer")


def _lines(blocks: list[Block]) -> int:
    """Estimate how many lines tables and lists take."""
    count = 0
    for block in blocks:
        if isinstance(block, Table):
            for row in block.rows:
                cells = [plain_text(c) for c in row[:3] if not isinstance(c, Chip)]
                count += 1 + max(map(len, cells)) // 40
        elif isinstance(block, KeyValues):
            count += sum(1 + len(plain_text(value)) // 90 for _, value in block.items)
    return count


def _has_curve(diagnosis: Diagnosis) -> bool:
    evidence = diagnosis.evidence
    if evidence is None:
        return False
    curves = (evidence.loss, evidence.batch_loss, evidence.validation_loss)
    return any(curve is not None and len(curve) for curve in curves)


def _meanings() -> str:
    return "; ".join(f"{name}: {meaning}" for name, meaning in DIAGNOSIS_VERDICTS.items())


# -- page 1 ---------------------------------------------------------------------------------------


def _subtitle(diagnosis: Diagnosis) -> tuple[str, ...]:
    evidence, reading = diagnosis.evidence, diagnosis.reading
    if evidence is None or reading is None:
        return ("a forecast, before training",) if diagnosis.forecast else ()
    facts = []
    if reading.curve is not None:
        facts.append(f"{format_count(round(reading.steps))} steps")
        if len(reading.curve.series) != round(reading.steps) + 1:
            facts.append(f"{format_count(len(reading.curve.series))} values logged")
    if evidence.optimizer_name or evidence.optimizer:
        facts.append(evidence.optimizer_name or str(evidence.optimizer).replace("_", " "))
    if reading.learning_rate is not None:
        facts.append(f"α = {format_number(reading.learning_rate, 3)}")
    if evidence.momentum:
        facts.append(f"μ = {format_number(evidence.momentum, 4)}")
    if evidence.batch_size is not None:
        of = f" of {evidence.rows:,} rows" if evidence.rows else ""
        facts.append(f"batch {evidence.batch_size:,}{of}")
    return tuple(facts)


def _cards(diagnosis: Diagnosis) -> Cards:
    cards = [_verdict(diagnosis), *_cures(diagnosis)]
    cards += [
        Card("info", f"Looks ill, is not: {each.problem}.", f"{_capital(each.evidence)}.")
        for each in diagnosis.shown
    ]
    if diagnosis.advice:
        title = "To be surer." if diagnosis.decided else "To decide."
        cards.append(Card("info", title, diagnosis.advice))
    return Cards(tuple(cards))


def _verdict(diagnosis: Diagnosis) -> Card:
    first = diagnosis.primary
    if diagnosis.decided:
        kind: Kind = "ok" if not first.fault else "bad"
        title = f"{_capital(first.problem)}, {_percent(first.confidence)}."
        return Card(kind, title, _ended(_capital(first.evidence)) or "Nothing speaks against it.")
    if first.name == "generalisation":
        return Card("info", "Generalisation.", first.evidence)
    told = [each for each in diagnosis.candidates if each.confidence >= 0.1]
    if not told:
        return Card("warn", "Undecided.", "There is not enough evidence to say.")
    names = join_words([f"{each.problem} ({_percent(each.confidence)})" for each in told], "or")
    reasons = [f"{_capital(each.problem)}: {each.evidence}." for each in told if each.evidence]
    return Card("warn", f"Undecided: {names}.", " ".join(reasons) or diagnosis.headline)


def _cures(diagnosis: Diagnosis) -> list[Card]:
    cards = []
    for each in _treated(diagnosis):
        remedy = each.remedy
        change = each.workaround if remedy is None else remedy.change
        named = "" if diagnosis.decided else f" if it is {each.problem}"
        by = ""
        if remedy is not None and remedy.formula:
            by = f" By {remedy.formula} ({remedy.kind})."
        text = f"{_ended(_capital(each.prediction))}{by}"
        heading = Bold(f"{_ended(_capital(change))} ")
        cards.append(Card("info", f"What to do{named}.", (heading, text)))
    return cards


def _treated(diagnosis: Diagnosis) -> list[Verdict]:
    """Return the faults whose workaround is shown."""
    least = 0.0 if diagnosis.decided else 0.1
    said = diagnosis.candidates
    return [each for each in said if each.fault and each.workaround and each.confidence >= least]


def _remedies(diagnosis: Diagnosis) -> list[Block]:
    """Return what else could be done, with what each would bring."""
    rows: list[tuple[RichText, ...]] = []
    for each in _treated(diagnosis):
        if each.remedy is None:
            continue
        rows += [
            (other.change, _ended(other.prediction), other.formula, other.kind)
            for other in each.remedy.alternatives
        ]
        if each.remedy.confirmed:
            told = _ended(confirmation(each.remedy.confirmed))
            rows.append((f"{each.remedy.change}, run", told, "", "simulated"))
    if not rows:
        return []
    columns = (
        Column("other workarounds", width=0.24),
        Column("prediction", width=0.42),
        Column("formula", width=0.22),
        Column("kind", width=0.12),
    )
    return [Heading("What else would help"), Table(columns, tuple(rows))]


def confirmation(found: Mapping[str, Any]) -> str:
    """Say what runs on the problem measured, beside what was predicted.

    Examples
    --------
    >>> confirmation({"predicted": 139, "measured": 139, "predicted_before": 1400})
    '139 steps predicted, 139 measured; before the change 1,400 predicted'
    """
    now = [f"{_shown(found[key])} {key}" for key in ("predicted", "measured") if key in found]
    if now:
        now[0] = now[0].replace(" ", " steps ", 1)
    keys = [key for key in ("predicted_before", "measured_before") if key in found]
    old = [f"{_shown(found[key])} {key.removesuffix('_before')}" for key in keys]
    before = f"before the change {', '.join(old)}" if old else ""
    return "; ".join(filter(None, (", ".join(now), before)))


def _shown(value: Any) -> str:
    return "never" if value is None else format_count(value)


# -- page 2 ---------------------------------------------------------------------------------------


def _table(diagnosis: Diagnosis) -> Table:
    order = {module.ROW.name: module.ROW.order for module in symptom_modules()}
    beside = [each for each in diagnosis.lookalikes if each.verdict in {"present", "possible"}]
    every = (*diagnosis.findings, *beside)
    known = sorted(every, key=lambda each: (not each.lecture, order.get(each.name, 99)))
    columns = (
        Column("problem", width=0.14),
        Column("verdict", width=0.1),
        Column("chance", "right", width=0.07),
        Column("evidence here", width=0.37),
        Column("workaround", width=0.32),
    )
    caption = (
        f"The recap table of lecture 001 (slide 41) for {diagnosis.subject}, then rows beside it. "
        "Verdict: the row taken by itself. Chance: that it is what is going on, effects of another "
        "row explained away."
    )
    likely = diagnosis.primary if diagnosis.decided else None
    rows = tuple(_row(each, each is likely, diagnosis) for each in known)
    away = [each.problem for each in diagnosis.lookalikes if each not in beside]
    note = (
        f"What looks ill and is not, looked for and not seen: {join_words(away)}." if away else ""
    )
    return Table(columns, rows, caption=caption, note=note)


def _row(each: Verdict, likely: bool, diagnosis: Diagnosis) -> tuple[Any, ...]:
    counted = each in diagnosis.findings
    chance = _percent(each.confidence) if counted else "beside"
    evidence = _capital(each.evidence)
    lacks = f"Needs {each.lacks}." if each.lacks else ""
    told = " ".join(filter(None, (f"{evidence}." if evidence else "", lacks)))
    name: RichText = Bold(each.problem) if likely else each.problem
    cure = each.workaround
    if likely and each.remedy is not None and each.remedy.predicts:
        cure = f"{each.workaround}: {each.remedy.change}"
    return (name, Chip(_kind(each), each.verdict), chance, told or "–", cure)


def _kind(each: Verdict) -> Kind:
    if each.verdict == "not tested":
        return "info"
    good = each.verdict == "absent"
    if not each.fault:  # healthy is good when it is there; what only looks ill is neither
        return ("info" if good else "ok") if each.name == "healthy" else "info"
    return "ok" if good else "bad" if each.verdict == "present" else "warn"


def _measures(diagnosis: Diagnosis) -> list[Block]:
    """Return the scalars that the rows were judged by."""
    reading = diagnosis.reading
    if reading is None or reading.curve is None or not len(reading.curve):
        return []
    curve, rhythm = reading.curve, reading.curve.rhythm
    found = [
        ("loss at the end over its start", curve.final),
        ("trend of the loss, the same", curve.left),
        ("largest loss over the start", curve.peak),
        ("fall in the last quarter, of what was left", curve.late_fall),
        ("scatter of the second half", curve.noise),
        ("late trend, in standard errors", curve.late_trend),
        ("share of the run flat within 1 %", curve.flat[1] - curve.flat[0]),
        ("rhythm, in steps", None if rhythm is None else rhythm.period * curve.series.stride),
        ("cos of consecutive gradients, second half", reading.cosine(0.5, 1.0)),
        ("share of cosines below −½", reading.overshooting),
        ("largest αλ met", reading.largest),
        ("αR at the end", reading.late_curvature),
        ("κ met along the way", reading.condition),
        ("gradient at the end over its largest", reading.gradient_fall),
    ]
    items = [
        (name, format_number(value, 3))
        for name, value in found
        if value is not None and np.isfinite(value)
    ]
    return [Heading("What was measured"), KeyValues(tuple(items), columns=2)]


def _sources(diagnosis: Diagnosis) -> list[Block]:
    """Return what was read from where, and what was found on the way."""
    items: list[tuple[str, str]] = []
    if diagnosis.used:
        items.append(("evidence", join_words(list(diagnosis.used))))
    matched = {} if diagnosis.evidence is None else dict(diagnosis.evidence.matched)
    read = [
        f"{name.replace('_', ' ')} from {source}"
        for name, source in matched.items()
        if not source.startswith(_ARGUMENT)
    ]
    said = [n.replace("_", " ") for n, source in matched.items() if source.startswith(_ARGUMENT)]
    if read:
        items.append(("columns", "; ".join(read)))
    if said:
        items.append(("as given", join_words(said)))
    if diagnosis.notes:
        items.append(("sampling and order", " ".join(_ended(_capital(n)) for n in diagnosis.notes)))
    return [Heading("What was read"), KeyValues(tuple(items))] if items else []


def _call(diagnosis: Diagnosis, level: str) -> str:
    """Return a Python call that makes this report, as far as the evidence says what was given."""
    depth = "" if level == "brief" else f", level={level!r}"
    if diagnosis.forecast:
        rule = "optimizer=optimizer"
        return f"ca.report(ca.diagnose(problem=problem, {rule}), path{depth})"
    evidence = diagnosis.evidence
    source = "" if evidence is None else evidence.source
    words = [repr(source) if "." in source else "log"] if source else []
    for name, place in () if evidence is None else evidence.matched.items():
        value = getattr(evidence, name, None)
        if not place.startswith(_ARGUMENT):
            continue
        if isinstance(value, Series) and len(value) == 1:
            words.append(f"{name}={float(value.values[0])!r}")
        elif isinstance(value, int | float | str):
            words.append(f"{name}={value!r}")
        else:
            words.append(f"{name}={name}")
    return f"ca.report(ca.diagnose({', '.join(words)}), path{depth})"


def _percent(share: float) -> str:
    return "> 99 %" if share > 0.995 else f"{100 * share:.0f} %"


def _capital(text: str) -> str:
    """Begin a sentence; a symbol such as αλ or a name such as layer 1 keeps its letters."""
    first = text[:1]
    return first.upper() + text[1:] if first.isascii() else text


def _ended(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."
