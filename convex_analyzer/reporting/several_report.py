"""The report on several comparisons: problems, or settings, side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from convex_analyzer.comparison import Comparison, Entry, compare
from convex_analyzer.diagnosis.recap import recap
from convex_analyzer.errors import InputError
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.reporting.comparison_report import comparison_data
from convex_analyzer.reporting.document import (
    Block,
    CodeBlock,
    Column,
    Document,
    Figure,
    FigureRow,
    Heading,
    KeyValues,
    Note,
    PageBreak,
    Table,
    Title,
)
from convex_analyzer.reporting.figures import drawn
from convex_analyzer.reporting.recap_page import input_hash, python_call, versions
from convex_analyzer.reporting.verdict_cards import verdict_cards
from convex_analyzer.reporting.verdict_page import verdict_blocks
from convex_analyzer.results import Result
from convex_analyzer.tables import Table as TextTable
from convex_analyzer.tables import format_count, format_number

__all__ = ["Several", "several_document"]

_DRAWN = 6  # comparisons whose curves are drawn in a brief report


@dataclass(frozen=True, eq=False)
class Several(Result):
    """Comparisons under names.

    Attributes
    ----------
    names
        One per comparison.
    comparisons
        In the order given.
    """

    schema: ClassVar[str] = "convex_analyzer.reports/1"

    names: tuple[str, ...]
    comparisons: tuple[Comparison, ...]

    @classmethod
    def of(cls, cases: Mapping[str, Any] | Sequence[Any]) -> Several:
        """Return comparisons, or problems to compare, under their names.

        Raises
        ------
        InputError
            None is given, or something that is neither.
        """
        pairs = list(cases.items()) if isinstance(cases, Mapping) else [("", x) for x in cases]
        if not pairs:
            raise InputError("there is nothing to report on: no comparison is given",
                             argument="result")  # fmt: skip
        made = []
        for _, case in pairs:
            if not isinstance(case, Comparison | Quadratic):
                raise InputError(
                    "several results in one report must be comparisons or problems, got "
                    f"{type(case).__name__}",
                    argument="result",
                )
            made.append(compare(case) if isinstance(case, Quadratic) else case)
        given = [str(name) or one.problem.name for (name, _), one in zip(pairs, made, strict=True)]
        return cls(tuple(_distinct(given)), tuple(made))

    def __iter__(self) -> Iterator[tuple[str, Comparison]]:
        return iter(zip(self.names, self.comparisons, strict=True))

    def summary(self) -> TextTable:
        """Return one row per comparison."""
        rows = tuple(
            (name, _kappa(one), one.best.label if one.best else "none", _best(one))
            for name, one in self
        )
        return TextTable(("case", "κ", "fastest", "steps"), rows, "Comparisons", (), 1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: what the report of each holds."""
        cases = [{"name": name, **comparison_data(one)} for name, one in self]
        return {"schema": self.schema, "cases": cases}


def _distinct(names: Sequence[str]) -> list[str]:
    """Return the names, those that occur more than once with a number."""
    counts: dict[str, Iterator[int]] = {
        name: itertools.count(1) for name in names if names.count(name) > 1
    }
    return [f"{name} ({next(counts[name])})" if name in counts else name for name in names]


def _kappa(comparison: Comparison) -> str:
    return format_number(comparison.spectrum.condition_number, 4)


def _best(comparison: Comparison) -> str:
    best = comparison.best
    return "–" if best is None else format_count(best.steps_needed)


def several_document(
    several: Several, level: str = "brief", command: str | None = None
) -> Document:
    """Return the report on several comparisons as a document.

    Parameters
    ----------
    several
        Comparisons under names.
    level
        ``"brief"``: what they have in common, with one figure each; ``"teach"``: the level
        sets and the findings of each too; ``"full"``: the verdict page of each.
    command
        The command that reproduces it; a Python call is shown when left out.
    """
    shown = several.names if len(several.names) <= 3 else (*several.names[:2], "…")
    title = f"Comparison report: {', '.join(shown)}"
    blocks: list[Block] = [
        Title(title, (f"{len(several.names)} cases",)),
        _table(several),
        *_plain(several),
        Heading("How the gap shrinks in each"),
        *_pictures(several, "gap_curves"),
    ]
    if level == "teach":
        blocks += [Heading("The way over the level sets"), *_pictures(several, "level_sets")]
        for name, one in several:
            blocks += [Heading(name), verdict_cards(one, recap(one))]
            analysis = one.entries[0].analysis
            blocks += [] if analysis is None else [drawn("spectrum_ruler", analysis)]
    if level == "full":
        for name, one in several:
            first, *rest = verdict_blocks(one, recap(one))
            assert isinstance(first, Title)
            about = KeyValues([("problem", first.subtitle[0])])
            blocks += [PageBreak(), Heading(name), about, *_deeper(rest)]
    call = command or _call(several, level)
    hashes = "; ".join(f"{name}: {input_hash(one)[:16]}" for name, one in several)
    blocks += [
        Heading("Reproduction"),
        CodeBlock(call),
        Note(f"Made with {versions()}. Input sha256: {hashes}. Steps are counted by formula."),
    ]
    return Document(title, blocks, footer="convex_analyzer")


def _deeper(blocks: list[Block]) -> list[Block]:
    return [Heading(block.text, 2) if isinstance(block, Heading) else block for block in blocks]


def _call(several: Several, level: str) -> str:
    inner = ",\n".join(
        f"    {name!r}: {python_call(one).removeprefix('ca.report(').removesuffix(', path)')}"
        for name, one in several
    )
    depth = "" if level == "brief" else f", level={level!r}"
    return f"ca.report({{\n{inner},\n}}, path{depth})"


def _table(several: Several) -> Table:
    """Return one row per case, one column per optimizer that occurs."""
    labels = list(dict.fromkeys(entry.label for _, one in several for entry in one))[:5]
    rows = []
    for name, one in several:
        entries = {entry.label: entry for entry in one}
        steps = [_count(entries[label]) if label in entries else "–" for label in labels]
        agree = "agree" if one.confirmed else "CONTRADICTED"
        rows.append((name, _kappa(one), *steps, one.best.label if one.best else "none", agree))
    columns = (
        Column("case", width=0.2),
        Column("κ", "right"),
        *(Column(label, "right") for label in labels),
        Column("fastest"),
        Column("theory and run"),
    )
    goals = {one.tolerance for _, one in several}
    goal = format_number(goals.pop(), 2) if len(goals) == 1 else "the tolerance of each"
    caption = f"Steps until the gap J − J* is {goal} of its start, predicted."
    return Table(columns, rows, caption=caption)


def _plain(several: Several) -> list[Block]:
    """Say where gradient descent at 1/λmax would be faster than the fastest of the table."""
    found = [(name, one.plain_descent) for name, one in several]
    return [Note(f"{name}. {plain.sentence}") for name, plain in found if plain is not None]


def _count(entry: Entry) -> str:
    if entry.analysis is None and entry.predicted_gap is None:
        return f"{entry.simulated_text()} (run)"
    return entry.predicted_text()


def _pictures(several: Several, name_of_figure: str) -> list[Block]:
    """Draw one figure of each, two in a row."""
    figures = []
    for name, one in list(several)[:_DRAWN]:
        figure = drawn(name_of_figure, one)
        figures.append(Figure(figure.svg, f"{name}. {_text(figure)}", f"{name}: {figure.alt}"))
    blocks: list[Block] = [
        FigureRow(tuple(figures[i : i + 2])) for i in range(0, len(figures) - 1, 2)
    ]
    if len(figures) % 2:
        last = figures[-1]
        blocks.append(Figure(last.svg, last.caption, last.alt, 0.5))
    hidden = len(several.names) - len(figures)
    return [*blocks, Note(f"{hidden} further cases are not drawn.")] if hidden else blocks


def _text(figure: Figure) -> str:
    from convex_analyzer.reporting.document import plain_text

    return plain_text(figure.caption)
