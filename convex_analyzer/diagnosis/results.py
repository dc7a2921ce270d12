"""`Diagnosis`: the ranked table that `diagnose` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from convex_analyzer.diagnosis.evidence import Evidence
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.results import Result, to_plain
from convex_analyzer.sheets import Sheet
from convex_analyzer.tables import Table, join_words

__all__ = ["Diagnosis", "Verdict"]

_DECIDED, _CLEAR = 0.5, 1.5  # least chance of the first, and its least ratio to the second


@dataclass(frozen=True)
class Verdict:
    """What the evidence says about one row of the table.

    Attributes
    ----------
    name
        Identifier of the row, such as ``slow_progress``.
    problem
        The row in words.
    confidence
        Chance that this is what is going on, calibrated on labelled runs, in [0, 1].
    verdict
        ``present``, ``possible``, ``absent`` or ``not tested``: the row taken by itself.
    evidence
        A sentence with numbers.
    kind
        What sort of statement that is: see `convex_analyzer.notation.KINDS`.
    workaround
        The lecture's remedy.
    prediction
        What the remedy would do here.
    used, lacks
        What was looked at; what would sharpen the answer.
    remedy
        The prediction in parts; None without one.
    lecture
        Whether the row is on the lecture's last slide.
    fault
        False for "healthy" and for what looks ill and is not.
    """

    name: str
    problem: str
    confidence: float
    verdict: str
    evidence: str
    kind: str = "heuristic"
    workaround: str = ""
    prediction: str = ""
    used: tuple[str, ...] = ()
    lacks: str = ""
    remedy: Any = None
    lecture: bool = True
    fault: bool = True


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis(Result):
    """What is wrong with a run, if anything, and what the workaround would do; by `diagnose`.

    Attributes
    ----------
    subject
        What was diagnosed.
    findings
        Every row of the table, the likeliest first.
    lookalikes
        What looks ill here and is not, or what to know when reading the curve.
    doubt
        Chance that none of the rows is what is going on.
    notes
        What was found while reading: which column became which field, sampling, order.
    used
        The evidence there was, in words.
    forecast
        Whether this was said before training, from problem and optimizer alone.
    """

    schema: ClassVar[str] = "convex_analyzer.diagnosis/1"

    subject: str
    findings: tuple[Verdict, ...]
    lookalikes: tuple[Verdict, ...] = ()
    doubt: float = 0.0
    notes: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    forecast: bool = False
    evidence: Evidence | None = field(default=None, compare=False, repr=False)

    @property
    def primary(self) -> Verdict:
        """The likeliest row."""
        return self.findings[0]

    @property
    def rest(self) -> tuple[Verdict, ...]:
        """The other rows, by falling confidence."""
        return self.findings[1:]

    @property
    def decided(self) -> bool:
        """Whether the evidence tells the first row from the others."""
        first = self.findings[0].confidence
        second = self.findings[1].confidence if len(self.findings) > 1 else 0.0
        return first >= _DECIDED and first >= _CLEAR * max(second, self.doubt)

    @property
    def healthy(self) -> bool:
        """Whether the verdict is that nothing is wrong."""
        return self.primary.name == "healthy"

    @property
    def candidates(self) -> tuple[Verdict, ...]:
        """The rows that the evidence cannot tell apart; just the first when it is decided."""
        if self.decided:
            return self.findings[:1]
        least = max(self.findings[0].confidence / 3, 0.1)
        close = tuple(each for each in self.findings[:4] if each.confidence >= least)
        return close or self.findings[:1]

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        first = self.primary
        if first.name == "generalisation":
            return first.evidence
        if self.decided:
            share = f"{100 * first.confidence:.0f} %"
            if first.confidence > 0.99:
                share = "certain" if self.forecast else "> 99 %"
            return f"{_capital(first.problem)} ({share}): {first.evidence}."
        if len(self.candidates) == 1 and first.confidence >= 0.2:
            share = f"{100 * first.confidence:.0f} %"
            return f"Undecided, {first.problem} at best ({share}): {first.evidence}. {self.advice}"
        names = join_words([each.problem for each in self.candidates], "or")
        if first.confidence < 0.2:
            return f"Not enough evidence to say. {self.advice}".strip()
        return f"Undecided: {names}. {self.advice}".strip()

    @property
    def advice(self) -> str:
        """What to log to decide; empty when nothing is missing."""
        lacks: list[str] = []
        for each in self.candidates if not self.decided else self.findings[:1]:
            if each.lacks and each.lacks not in lacks:
                lacks.append(each.lacks)
        if not lacks:
            return ""
        return f"Log {join_words(lacks)} to {'tell' if not self.decided else 'be surer'}."

    def finding(self, name: str) -> Verdict:
        """Return one row by its name."""
        for each in (*self.findings, *self.lookalikes):
            if each.name == name:
                return each
        raise KeyError(name)

    @property
    def table(self) -> Table:
        """The recap table of lecture 001 (slide 41), filled with this evidence."""
        order = {"present": 0, "possible": 1, "absent": 2, "not tested": 3}
        rows = tuple(
            (
                each.problem,
                each.verdict,
                f"{100 * each.confidence:.0f} %",
                each.evidence or (f"needs {each.lacks}" if each.lacks else ""),
                _cure(each),
            )
            for each in sorted(
                (each for each in self.findings if each.name != "healthy"),
                key=lambda each: (-round(each.confidence, 2), order[each.verdict]),
            )
        )
        columns = ("problem", "verdict", "chance", "evidence here", "workaround")
        return Table(columns, rows, f"recap for {self.subject}", (), left=5)

    def summary(self) -> Sheet:
        """Return the verdict, what speaks for it, and the rows that are not ruled out."""
        shown = [each for each in self.findings if each.confidence >= 0.02][:5] or [self.primary]
        rows = tuple(
            (each.problem, f"{100 * each.confidence:.0f} %", each.verdict, each.evidence)
            for each in shown
        )
        notes = []
        if self.primary.prediction and self.primary.fault:
            remedy = self.primary.remedy
            advice = self.primary.workaround if remedy is None else remedy.change
            notes.append(f"Workaround: {advice.rstrip('.')}. {_capital(self.primary.prediction)}.")
        notes += [f"Looks ill, is not: {each.problem}: {each.evidence}." for each in self.shown]
        if self.decided and self.advice:
            notes.append(self.advice)
        if self.used:
            notes.append(f"Evidence: {join_words(list(self.used))}.")
        notes += list(self.notes)
        columns = ("problem", "chance", "by itself", "evidence")
        return Sheet(columns, rows, "", tuple(notes), 4, "diagnosis", self.subject, self.headline)

    @property
    def shown(self) -> tuple[Verdict, ...]:
        """The lookalikes that are there."""
        return tuple(each for each in self.lookalikes if each.verdict == "present")

    def __repr__(self) -> str:
        return f"<Diagnosis of {self.subject}: {self.primary.problem}>"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": self.schema,
            "subject": self.subject,
            "forecast": self.forecast,
            "decided": self.decided,
            "headline": self.headline,
            "primary": self.primary.name,
            "confidence": self.primary.confidence,
            "doubt": self.doubt,
            "findings": to_plain(self.findings),
            "lookalikes": to_plain(self.lookalikes),
            "used": list(self.used),
            "notes": list(self.notes),
        }

    @property
    def reading(self) -> Reading | None:
        """The measures on the evidence; None for a forecast."""
        return None if self.evidence is None else Reading(self.evidence)


def _cure(each: Verdict) -> str:
    """Return the lecture's workaround, and what it is here."""
    if not each.prediction:
        return each.workaround
    if each.remedy is None:
        return f"{each.workaround}: {each.prediction}"
    return f"{each.workaround}: {each.remedy.change}; {each.prediction}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
