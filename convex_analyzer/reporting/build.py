"""`report`: from any result to pages.

A report is a `Document` first; writers turn it into PDF, PNG, HTML, Markdown or JSON, all with the
same numbers. Which pages a result gets is in the table `_KINDS`; a result without pages of its own
is shown with its own table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convex_analyzer.comparison import Comparison, compare
from convex_analyzer.conditioning.results import ConditionAnalysis
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.diagnosis.results import Diagnosis
from convex_analyzer.errors import InputError
from convex_analyzer.problems.gradient_check import GradientCheck
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.reporting.check_page import check_document
from convex_analyzer.reporting.comparison_report import comparison_data, comparison_document
from convex_analyzer.reporting.condition_page import condition_document
from convex_analyzer.reporting.derivation_page import derivation_document
from convex_analyzer.reporting.diagnosis_page import diagnosis_document
from convex_analyzer.reporting.document import Document
from convex_analyzer.reporting.plain_page import plain_document
from convex_analyzer.reporting.several_report import Several, several_document
from convex_analyzer.reporting.sweep_page import sweep_document
from convex_analyzer.results import Result
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.tables import join_words
from convex_analyzer.theory.analysis import Analysis

__all__ = ["LEVELS", "SUFFIXES", "build", "report"]

LEVELS = ("brief", "teach", "full")
SUFFIXES = (".pdf", ".png", ".html", ".json", ".md", ".tex")


@dataclass(frozen=True)
class _Kind:
    """How results of one class become pages, and plain data."""

    of: type
    document: Callable[[Any, str, str | None], Document]
    data: Callable[[Any], dict[str, Any]] = lambda result: dict(result.to_dict())


_KINDS = (
    _Kind(Comparison, comparison_document, comparison_data),
    _Kind(Several, several_document),
    _Kind(ConditionAnalysis, condition_document),
    _Kind(Diagnosis, diagnosis_document),
    _Kind(Derivation, derivation_document),
    _Kind(GradientCheck, check_document),
    _Kind(Trajectory, sweep_document),
    _Kind(Result, plain_document),  # the last: everything else
)


def build(result: Any, level: str = "brief", command: str | None = None) -> Document:
    """Return the report on a result as a document.

    Parameters
    ----------
    result, level, command
        As for `report`.

    Raises
    ------
    InputError
        Unknown level; nothing that a report can be written on.
    """
    _check_level(level)
    subject, kind = _subject(result)
    return kind.document(subject, level, command)


def report(
    result: Any,
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
        Anything that the package returned: a comparison, an analysis, a condition analysis, a
        diagnosis, a derivation, a gradient check, a sweep, ...; a problem is compared first, with
        the default optimizers. Several comparisons, as a list or as a dictionary from names, are
        set side by side.
    path
        Where to: the suffix decides between PDF, PNG (one file per page), HTML (one file that needs
        no network), Markdown, JSON, and LaTeX, which holds the tables only, for a paper.
    level
        ``"brief"``: verdict and recap table, two pages; ``"teach"``: with the derivation;
        ``"full"``: with all pictures.
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
        Unknown suffix or level; a path that cannot be written; nothing to report on.
    MissingDependencyError
        PDF and PNG need the extra ``report``.

    Examples
    --------
    >>> import tempfile
    >>> from convex_analyzer.problems.gallery import toy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in report(toy(), Path(folder, "toy.md"))]
    ['toy.md']
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"cannot write {target.name!r}: the suffix must be {join_words(SUFFIXES, 'or')}",
            argument="path",
            value=str(path),
        )
    _check_level(level)  # also where it makes no difference: a slip should not go unnoticed
    subject, kind = _subject(result)
    inputs = tuple(inputs)
    if suffix == ".json":
        from convex_analyzer.reporting.json import write_json

        return write_json(kind.data(subject), target, inputs=inputs)
    return _writer(suffix)(kind.document(subject, level, command), target, inputs=inputs)


def _writer(suffix: str) -> Callable[..., tuple[Path, ...]]:
    """Return what writes documents with this suffix; nothing else is imported."""
    match suffix:
        case ".md":
            from convex_analyzer.reporting.markdown import write_markdown as write
        case ".tex":
            from convex_analyzer.reporting.latex_tables import write_latex_tables as write
        case ".html":
            from convex_analyzer.reporting.html import write_html as write
        case ".png":
            from convex_analyzer.reporting.typst import write_png as write
        case _:
            from convex_analyzer.reporting.typst import write_pdf as write
    return write


def _check_level(level: str) -> None:
    if level not in LEVELS:
        raise InputError(
            f"level must be one of {join_words(LEVELS, 'or')}, got {level!r}", argument="level"
        )


def _subject(result: Any) -> tuple[Any, _Kind]:
    """Return what a report is written on, and how."""
    if isinstance(result, Quadratic):
        result = compare(result)
    elif isinstance(result, Analysis):
        result = _on_its_spectrum(result)
    elif isinstance(result, Mapping | list | tuple):
        result = Several.of(result)
    for kind in _KINDS:
        if isinstance(result, kind.of):
            return result, kind
    raise InputError(
        "report takes what the package returned (a comparison, a diagnosis, a condition analysis, "
        f"...), several comparisons, or a problem; got {type(result).__name__}",
        argument="result",
        hint="for instance report(compare(problem), 'out.pdf')",
    )


def _on_its_spectrum(analysis: Analysis) -> Comparison:
    """Run what was analysed, in the eigenbasis: there is no other basis in an analysis."""
    spectrum, rule = analysis.spectrum, analysis.optimizer
    problem = Quadratic.diagonal(spectrum.eigenvalues, spectrum.linear, name=spectrum.name)
    given = {name: value for name, value in rule.values.items() if name not in analysis.tuned}
    return compare(problem, [(type(rule), given) if analysis.tuned else rule])
