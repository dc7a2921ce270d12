"""`report`: from any result to pages.

A report is a `Document` first; writers turn it into PDF, PNG, HTML, Markdown or JSON, all with the
same numbers. Which pages a result gets is in the table `_KINDS`; a result without pages of its own
is shown with its own table.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convex_analyzer.comparison import Comparison, compare
from convex_analyzer.errors import InputError
from convex_analyzer.files import StrPath, StrPaths, as_paths, check_target
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.reporting.document import Document
from convex_analyzer.tables import join_words
from convex_analyzer.theory.analysis import Analysis

__all__ = ["LEVELS", "SUFFIXES", "build", "check_path", "report"]

LEVELS = ("brief", "teach", "full")
SUFFIXES = (".pdf", ".png", ".html", ".json", ".md", ".tex")
_LAID_OUT = frozenset({".pdf", ".png"})  # by Typst


@dataclass(frozen=True)
class _Kind:
    """How results of one class become pages, and plain data.

    All are named, as ``"module:name"`` below the package, and imported when a result needs them:
    what a report does not show costs it nothing.
    """

    of: str
    document: str
    data: str = ""
    latex: str = ""  # instead of the tables of its pages

    def holds(self, result: Any) -> bool:
        """Tell whether a result is of this class; of one that nobody imported there is none."""
        module, _, name = self.of.partition(":")
        known = sys.modules.get(f"convex_analyzer.{module}")
        return known is not None and isinstance(result, getattr(known, name))

    def pages(self, result: Any, level: str, command: str | None) -> Document:
        """Return the report as a document."""
        document: Document = _named(self.document)(result, level, command)
        return document

    def plain(self, result: Any) -> dict[str, Any]:
        """Return the numbers of the report as plain data."""
        return dict(_named(self.data)(result) if self.data else result.to_dict())


_KINDS = (
    _Kind(
        "comparison:Comparison",
        "reporting.comparison_report:comparison_document",
        "reporting.comparison_report:comparison_data",
    ),
    _Kind("reporting.several_report:Several", "reporting.several_report:several_document"),
    _Kind("conditioning.results:ConditionAnalysis", "reporting.condition_page:condition_document"),
    _Kind("diagnosis.results:Diagnosis", "reporting.diagnosis_page:diagnosis_document"),
    _Kind(
        "derivations.lines:Derivation",
        "reporting.derivation_page:derivation_document",
        latex="reporting.derivation_formats:write_derivation",
    ),
    _Kind("derivations.judging.lines:CheckedDerivation", "reporting.checked_page:checked_document"),
    _Kind("problems.gradient_check:GradientCheck", "reporting.check_page:check_document"),
    _Kind("simulation.trajectory:Trajectory", "reporting.sweep_page:sweep_document"),
    _Kind("results:Result", "reporting.plain_page:plain_document"),  # the last: everything else
)


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"convex_analyzer.{module}"), name)


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
    return kind.pages(subject, level, command)


def report(
    result: Any,
    path: StrPath,
    level: str = "brief",
    *,
    command: str | None = None,
    inputs: StrPaths = (),
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
        no network), Markdown, JSON, and LaTeX, which holds the tables only, for a paper; of a
        derivation, its lines.
    level
        ``"brief"``: verdict and recap table, two pages; ``"teach"``: with the derivation;
        ``"full"``: with all pictures.
    command
        The command that reproduces the report, for its last page.
    inputs
        Files that were read and must not be overwritten; one, or several.

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
    inputs = as_paths(inputs)
    target = check_path(path, inputs=inputs)  # before the work, not after it
    _check_level(level)  # also where it makes no difference: a slip should not go unnoticed
    suffix = target.suffix.lower()
    if suffix == ".json":
        from convex_analyzer.reporting.json import write_json

        subject, kind = _subject(result)
        return write_json(kind.plain(subject), target, inputs=inputs)
    if suffix == ".tex" and (latex := _subject(result)[1].latex):
        paths: tuple[Path, ...] = _named(latex)(result, target, inputs=inputs)
        return paths
    write = _writer(suffix)
    return write(build(result, level, command), target, inputs=inputs)


def check_path(path: StrPath, *, inputs: StrPaths = (), option: str = "") -> Path:
    """Refuse a path to which no report can be written, and return it as a `Path`.

    Parameters
    ----------
    path, inputs, option
        As for :func:`~convex_analyzer.files.check_target`.

    Raises
    ------
    InputError
        Unknown suffix; a path that cannot be written.
    MissingDependencyError
        What lays pages out is not installed: better said before the work than after it.
    """
    target = check_target(path, inputs=inputs, suffixes=SUFFIXES, what="a report", option=option)
    if target.suffix.lower() in _LAID_OUT:
        from convex_analyzer.reporting.typst import check_installed

        check_installed()
    return target


def _writer(suffix: str) -> Callable[..., tuple[Path, ...]]:
    """Return what writes documents with this suffix; nothing else is imported."""
    match suffix:
        case ".md":
            from convex_analyzer.reporting.markdown import write_markdown as write
        case ".tex":
            from convex_analyzer.reporting.latex_tables import write_latex_tables as write
        case ".html":
            from convex_analyzer.reporting.html import write_html as write
        case _:
            from convex_analyzer.reporting import typst

            write = typst.write_png if suffix == ".png" else typst.write_pdf
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
        from convex_analyzer.reporting.several_report import Several

        result = Several.of(result)
    for kind in _KINDS:
        if kind.holds(result):
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
