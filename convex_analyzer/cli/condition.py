"""``convex-analyzer condition``: scale or collinearity? What it costs, and what to do."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import Request, output_options, problem_options, start_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convex_analyzer.conditioning.results import ConditionAnalysis
    from convex_analyzer.tables import Table

__all__ = ["condition"]

_BAR, _SHORT = 26, 12  # letters of the longest bar, and on a narrow terminal
_WIDE = 95  # letters of a line that have room for long bars
_FULL, _GONE = "█", "░"


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer condition examples/data/longley.csv --target TOTEMP
      convex-analyzer condition data.csv --target price --drop-columns id --out condition.pdf
      convex-analyzer condition A.mtx --tolerance 1e-8
    """
)
@problem_options
@start_options
@output_options
def condition(**words: Any) -> None:
    """Say where a condition number comes from: units, offsets or columns that collide.

    And what it costs: digits in a direct solve, steps in training; and what each remedy buys, with
    its price. The steps are exact, from --start (default: zeros for data), every optimizer tuned.
    """
    request = Request(**words)
    from convex_analyzer.cli.inputs import problem_of, start_of
    from convex_analyzer.cli.output import check_target, write_report
    from convex_analyzer.cli.screen import print_json, say, working
    from convex_analyzer.conditioning.analysis import condition as compute

    if request.out is not None:
        check_target(request.out, request)
    problem = problem_of(request)
    with working(f"trying remedies, d = {problem.dimension:,}"):
        start = start_of(request, problem)
        analysis = compute(problem, start=start, tolerance=request.tolerance)
    if request.as_json:
        print_json(analysis.to_dict())
    else:
        if problem.why_no_minimum is not None:
            say(f"There is no minimum: {problem.why_no_minimum}.", bold=True)
        _show(analysis, problem.describe())
    if request.out is not None:
        write_report(analysis, request.out, quiet=request.as_json)


def _show(analysis: ConditionAnalysis, described: str) -> None:
    from convex_analyzer.cli.screen import say, show
    from convex_analyzer.conditioning.cost import CHEAP_KAPPA
    from convex_analyzer.conditioning.results import CAUSES
    from convex_analyzer.conditioning.wording import topics
    from convex_analyzer.plot.figures.kappa_split import finding, kappa_split_data

    said, split = topics(analysis), kappa_split_data(analysis)
    say(f"{analysis.cause.upper()}: {CAUSES[analysis.cause]}.", bold=True)
    say(f"{finding(split)}.")
    if analysis.cause == "harmless" and not analysis.kappa <= CHEAP_KAPPA:
        say(said["cause"][0])
    for sentence in said["advice"]:
        say(sentence)
    say(described, dim=True)
    say()
    show(_split_table(analysis))
    _section("What it costs", (*said["solve"], *said["training"]))
    _section("Which columns collide", said["columns"])
    say()
    say("What each remedy buys", bold=True)
    show(analysis.table())
    _section("Worth knowing", said["limits"])


def _section(heading: str, sentences: Iterable[str]) -> None:
    from convex_analyzer.cli.screen import say

    lines = [f"• {sentence}" for sentence in sentences]
    if not lines:
        return
    say()
    say(heading, bold=True)
    for line in lines:
        say(line)


def _split_table(analysis: ConditionAnalysis) -> Table:
    """Return κ under each change as a table of bars on a logarithmic scale."""
    from convex_analyzer.plot.figures.kappa_split import kappa_split_data, kappa_text, remark_on
    from convex_analyzer.tables import Table

    data = kappa_split_data(analysis)
    longest = max(math.log10(bar.before) for bar in data.bars) or 1.0
    values = [kappa_text(bar.kappa) for bar in data.bars]
    room = _BAR if shutil.get_terminal_size((100, 24)).columns >= _WIDE else _SHORT
    width = max(map(len, values))
    rows = []
    for bar, value in zip(data.bars, values, strict=True):
        whole = round(room * math.log10(bar.before) / longest)
        kept = min(round(room * math.log10(bar.kappa) / longest), whole)
        picture = _FULL * kept + _GONE * (whole - kept)
        rows.append((bar.name, value.rjust(width), picture, remark_on(bar)))
    return Table(
        ("change", data.symbol.rjust(width), "", "what is taken away"), tuple(rows), left=4
    )
