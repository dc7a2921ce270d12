"""`report`: from a result to pages.

A report is a `Document` first; writers turn it into PDF, PNG, Markdown or JSON, all with the same
numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from convex_analyzer.comparison import Comparison, compare
from convex_analyzer.conditioning.results import ConditionAnalysis
from convex_analyzer.diagnosis.recap import Recap, recap
from convex_analyzer.diagnosis.results import Diagnosis
from convex_analyzer.errors import InputError
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.reporting.condition_page import condition_document
from convex_analyzer.reporting.derivation_page import derivation_blocks
from convex_analyzer.reporting.diagnosis_page import diagnosis_document
from convex_analyzer.reporting.document import Block, Document, PageBreak
from convex_analyzer.reporting.picture_page import picture_blocks, picture_row
from convex_analyzer.reporting.recap_page import python_call, recap_blocks
from convex_analyzer.reporting.verdict_page import verdict_blocks
from convex_analyzer.tables import join_words

__all__ = ["LEVELS", "build", "report"]

LEVELS = ("brief", "teach", "full")
SUFFIXES = (".pdf", ".png", ".json", ".md")


def build(comparison: Comparison, level: str = "brief", command: str | None = None) -> Document:
    """Return the report of a comparison as a document.

    Parameters
    ----------
    comparison
        Theory and runs.
    level
        ``"brief"``: verdict and recap table (2 pages); ``"teach"``: with the derivation;
        ``"full"``: with all pictures.
    command
        The command that reproduces it; a Python call is shown when left out.

    Raises
    ------
    InputError
        Unknown level.
    """
    _check_level(level)
    table, call = recap(comparison), command or python_call(comparison, level)
    blocks: list[Block] = [*verdict_blocks(comparison, table)]
    if level != "brief":
        blocks += [PageBreak(), *derivation_blocks(comparison)]
    if level == "full":
        blocks += picture_blocks(comparison)
    first = picture_row(comparison) if level != "full" else ()
    blocks += [PageBreak(), *recap_blocks(comparison, table, call, first)]
    return Document(
        f"Convergence report: {comparison.problem.name}", blocks, footer="convex_analyzer"
    )


def _check_level(level: str) -> None:
    if level not in LEVELS:
        raise InputError(
            f"level must be one of {join_words(LEVELS, 'or')}, got {level!r}", argument="level"
        )


def to_dict(comparison: Comparison, table: Recap) -> dict[str, Any]:
    """Return the numbers of a report as plain data."""
    return {
        "schema": "convex_analyzer.report/1",
        "comparison": comparison.to_dict(),
        "recap": table.to_dict(),
    }


def report(
    result: Comparison | ConditionAnalysis | Diagnosis | Quadratic | Any,
    path: str | Path,
    level: str = "brief",
    *,
    command: str | None = None,
    inputs: Iterable[str | Path] = (),
) -> tuple[Path, ...]:
    """Write a diagnostic report.

    Parameters
    ----------
    result
        A `Comparison`, a `ConditionAnalysis` or a `Diagnosis`; a problem is compared first, with
        the default optimizers.
    path
        Where to: the suffix decides between PDF, PNG (one file per page), Markdown and JSON.
    level
        ``"brief"``, ``"teach"`` or ``"full"``; see `build`.
    command
        The command that reproduces the report, for its last page.
    inputs
        Files that were read and must not be overwritten.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    InputError
        Unknown suffix or level; a path that cannot be written.
    MissingDependencyError
        PDF and PNG need the extra ``report``.
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"cannot write {target.name!r}: the suffix must be {join_words(SUFFIXES, 'or')}",
            argument="path",
            value=str(path),
        )
    _check_level(level)  # also where it makes no difference: a slip should not go unnoticed
    if not isinstance(result, (Comparison, ConditionAnalysis, Diagnosis)):
        if not isinstance(result, Quadratic):
            raise InputError(
                "report takes a diagnosis, a comparison, a condition analysis or a problem, got "
                f"{type(result).__name__}",
                argument="result",
                hint="for an analysis use compare(problem, [optimizer])",
            )
        result = compare(result)
    inputs = tuple(inputs)
    match target.suffix.lower():
        case ".json":
            from convex_analyzer.reporting.json import write_json

            return write_json(_plain(result), target, inputs=inputs)
        case ".md":
            from convex_analyzer.reporting.markdown import write_markdown

            return write_markdown(_document(result, level, command), target, inputs=inputs)
        case ".png":
            from convex_analyzer.reporting.typst import write_png

            return write_png(_document(result, level, command), target, inputs=inputs)
    from convex_analyzer.reporting.typst import write_pdf

    return write_pdf(_document(result, level, command), target, inputs=inputs)


def _plain(result: Comparison | ConditionAnalysis | Diagnosis) -> dict[str, Any]:
    if isinstance(result, ConditionAnalysis | Diagnosis):
        return result.to_dict()
    return to_dict(result, recap(result))


def _document(
    result: Comparison | ConditionAnalysis | Diagnosis, level: str, command: str | None
) -> Document:
    if isinstance(result, Diagnosis):
        return diagnosis_document(result, level, command)
    if isinstance(result, ConditionAnalysis):
        return condition_document(result, level, command)
    return build(result, level, command)
