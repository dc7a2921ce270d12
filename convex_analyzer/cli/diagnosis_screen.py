"""A diagnosis on one screen: the verdict first, then why, what to do, and how sure it is."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from convex_analyzer.tables import Table, format_number, join_words

if TYPE_CHECKING:
    from convex_analyzer.diagnosis.remedies import Remedy
    from convex_analyzer.diagnosis.results import Diagnosis, Verdict

__all__ = ["lines_of", "screen_width", "table_of"]

_NARROW, _WIDE = 60, 100  # what is printed is never narrower or wider
_BAR, _FULL, _PARTS = 14, "█", " ▏▎▍▌▋▊▉█"
_ROWS, _LEAST = 6, 0.02  # that are shown, and the least chance
_COLUMNS = ("file", "α", "verdict", "chance", "end", "what to do, or why")
_ARGUMENT = "argument "  # how the reader calls what the command line says
_OTHERS = 3  # alternatives of a workaround


def screen_width() -> int:
    """Return how wide a line may be."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, _NARROW), _WIDE)


def lines_of(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    """Yield the lines of the screen: verdict, evidence, workaround, the rest, what was read."""
    for line in _wrapped(diagnosis.headline, width):
        yield click.style(line, bold=True)
    if not diagnosis.decided:
        yield from _candidates(diagnosis, width)
    yield from _workarounds(diagnosis, width)
    yield from _chances(diagnosis, width)
    if diagnosis.shown:
        yield from _head("Looks ill, is not")
        for each in diagnosis.shown:
            yield from _item(f"{each.problem}: {each.evidence}", width)
    if diagnosis.decided and diagnosis.advice:
        yield from _head("What to log next")
        yield from _item(diagnosis.advice, width)
    yield from _sources(diagnosis, width)


def _head(text: str) -> Iterator[str]:
    yield ""
    yield click.style(text, bold=True)


def _item(text: str, width: int, *, dim: bool = False) -> Iterator[str]:
    for line in _wrapped(text, width, "  "):
        yield click.style(line, dim=True) if dim else line


def _wrapped(text: str, width: int, indent: str = "", hanging: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent + hanging,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


# -- verdict and workaround -----------------------------------------------------------------------


def _candidates(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    """Yield what speaks for each row that the evidence cannot tell from the others."""
    told = [each for each in diagnosis.candidates if each.evidence and each.confidence >= 0.1]
    if not told:
        return
    yield from _head("What speaks for each")
    for each in told:
        yield from _wrapped(f"{each.problem}: {each.evidence}", width, "  ", "  ")


def _workarounds(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    faults = [each for each in diagnosis.candidates if each.fault and each.workaround]
    if not diagnosis.decided:
        faults = [each for each in faults if each.confidence >= 0.1]
    if not faults:
        return
    yield from _head("What to do")
    for each in faults:
        named = f"{each.problem}: " if len(faults) > 1 else ""
        yield from _workaround(each, named, width, alternatives=len(faults) == 1)


def _workaround(each: Verdict, named: str, width: int, *, alternatives: bool) -> Iterator[str]:
    remedy: Remedy | None = each.remedy
    if remedy is None:
        yield from _wrapped(f"{named}{each.workaround}", width, "  ", "  ")
        yield from _wrapped(_sentence(each.prediction), width, "    ")
        return
    yield from _wrapped(f"{named}{remedy.change}", width, "  ", "  ")
    yield from _wrapped(_sentence(remedy.prediction), width, "    ")
    if remedy.formula:
        for line in _wrapped(f"{remedy.formula} ({remedy.kind})", width, "    "):
            yield click.style(line, dim=True)
    if remedy.confirmed:
        from convex_analyzer.reporting.diagnosis_page import confirmation

        told = f"Run on the problem: {confirmation(remedy.confirmed)}."
        yield from _wrapped(told, width, "    ")
    if alternatives:
        for other in remedy.alternatives[:_OTHERS]:
            yield from _wrapped(f"or {other.change}: {other.prediction}", width, "  ", "  ")


def _sentence(text: str) -> str:
    """Return a prediction as a sentence."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".") if text else ""


# -- how sure -------------------------------------------------------------------------------------


def _chances(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    shown = [each for each in diagnosis.findings[:_ROWS] if each.confidence >= _LEAST]
    if not shown:
        return
    yield from _head("How likely each is")
    room = max(len(each.problem) for each in shown)
    room = max(room, len("none of these"))
    for k, each in enumerate(shown):
        yield _bar_line(each.problem, each.confidence, room, bold=k == 0 and diagnosis.decided)
        told = each in diagnosis.candidates  # said above
        if not told and each.evidence and each.verdict in {"present", "possible"}:
            for line in _wrapped(each.evidence, width, "      "):
                yield click.style(line, dim=True)
    if diagnosis.doubt >= _LEAST:
        yield _bar_line("none of these", diagnosis.doubt, room)


def _bar_line(name: str, share: float, room: int, *, bold: bool = False) -> str:
    percent = "> 99 %" if share > 0.995 else f"{100 * share:.0f} %"
    line = f"  {name:<{room}}  {_bar(share)} {percent:>6}"
    return click.style(line, bold=True) if bold else line


def _bar(share: float) -> str:
    """Return a bar of constant width, exact to an eighth of a letter.

    Examples
    --------
    >>> _bar(0.5).count("█"), len(_bar(0.01)), _bar(0.01).strip()
    (7, 14, '▏')
    """
    eighths = max(round(8 * _BAR * min(share, 1.0)), 1)
    whole, part = divmod(eighths, 8)
    return (_FULL * whole + (_PARTS[part] if part else "")).ljust(_BAR)


# -- what was read --------------------------------------------------------------------------------


def _sources(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    evidence = diagnosis.evidence
    matched = dict(evidence.matched) if evidence is not None else {}
    if matched:
        yield from _head(f"Read from {diagnosis.subject}")
        said = [name for name, from_ in matched.items() if from_.startswith(_ARGUMENT)]
        pairs = [
            _plain(name) if from_ == name else f"{_plain(name)} ← {from_}"
            for name, from_ in matched.items()
            if name not in said
        ]
        if said:
            pairs.append(f"as you say: {', '.join(map(_plain, said))}")
        yield from _item(", ".join(pairs), width, dim=True)
    elif diagnosis.used:
        yield from _head("Known")
        yield from _item(join_words(list(diagnosis.used)), width, dim=True)
    for note in diagnosis.notes:
        yield from _wrapped(f"• {note}", width, "  ", "  ")


def _plain(name: str) -> str:
    return name.replace("_", " ")


# -- several files --------------------------------------------------------------------------------


def table_of(rows: Sequence[tuple[str, Diagnosis | str]], width: int) -> Table:
    """Return one line for each file: its α, verdict, end, and what to do, or why it is not read.

    A note names the run that ends lowest: a sweep asks for that.
    """
    names = _short_names([name for name, _ in rows], max(16, width // 3))
    cells = []
    ends: list[tuple[float, str, str]] = []
    for name, (_, found) in zip(names, rows, strict=True):
        if isinstance(found, str):
            cells.append((name, "", "not read", "", "", found))
            continue
        first, alpha = found.primary, _alpha(found)
        sure = found.decided or first.name == "generalisation"
        verdict = first.problem if sure else f"{first.problem}?"
        end = _end(found)
        if end is not None and math.isfinite(end):
            ends.append((end, name, alpha))
        told = "" if end is None else (format_number(end, 3) if math.isfinite(end) else "lost")
        share = f"{100 * first.confidence:.0f} %" if first.confidence else ""
        cells.append((name, alpha, verdict, share, told, _next(found)))
    taken = sum(max(len(row[j]) for row in (_COLUMNS, *cells)) + 2 for j in range(5))
    rest = max(width - taken, 12)
    fitted = tuple((*row[:5], _cut(row[5], rest)) for row in cells)
    return Table(_COLUMNS, fitted, notes=_lowest(ends), left=6)


def _alpha(found: Diagnosis) -> str:
    """Return α of a run, first and last where it changes; empty: it is not known."""
    rates = None if found.evidence is None else found.evidence.learning_rate
    known = [] if rates is None else [float(each) for each in rates.values if math.isfinite(each)]
    if not known:
        return ""
    said = [format_number(each, 3) for each in (known[0], known[-1])]
    return said[0] if said[0] == said[1] else " → ".join(said)


def _end(found: Diagnosis) -> float | None:
    """Return the level at which the loss ends; infinite: it is lost; None: there is none."""
    reading = found.reading
    curve = None if reading is None else reading.curve
    if curve is None or not len(curve):
        return None
    return math.inf if curve.bad_step is not None and not curve.recovers else curve.end


def _next(found: Diagnosis) -> str:
    """Return what to do in a few words: the change and the limit of α, or what to log."""
    first = found.primary
    if first.name == "generalisation":
        return first.evidence
    if not found.decided:
        return found.advice or first.evidence
    if not first.fault:
        return first.evidence
    if first.remedy is None:
        return first.workaround
    limit = first.prediction.partition(":")[0]
    return f"{first.remedy.change}; {limit}" if limit.startswith("stable") else first.remedy.change


def _lowest(ends: Sequence[tuple[float, str, str]]) -> tuple[str, ...]:
    if len(ends) < 2:
        return ()
    end, name, alpha = min(ends)
    given = f", α = {alpha}" if alpha else ""
    return (f"Lowest end: {name}{given}, {format_number(end, 3)}.",)


def _short_names(names: Sequence[str], most: int) -> list[str]:
    """Return names without the folder that all of them share."""
    folders = [name.rpartition("/")[0] for name in names]
    if folders[0] and len(set(folders)) == 1:
        names = [name.rpartition("/")[2] for name in names]
    return [name if len(name) <= most else f"…{name[1 - most :]}" for name in names]


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room, 8) - 1].rstrip(' ,;')}…"
