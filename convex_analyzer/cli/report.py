"""``convex-analyzer report``: the same comparison as pages to print or show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from convex_analyzer.cli.options import (
    Request,
    json_option,
    optimizer_options,
    problem_options,
    steps_option,
)

__all__ = ["report"]


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer report data.csv --target price --out report.pdf
      convex-analyzer report gallery:ravine --optimizer HeavyBall --out ravine.png
    """
)
@problem_options
@optimizer_options
@steps_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to: .pdf, .png, .json, ...  Default: the name of the problem, .pdf.",
)
@click.option(
    "--level",
    type=click.Choice(["brief", "teach", "full"]),
    default="brief",
    show_default=True,
    help="How much: two pages, the derivations too, everything.",
)
@json_option
def report(level: str, **words: Any) -> int:
    """Write a report: verdict, derivation, pictures, and the recap table of what can go wrong.

    Exit code 1: a run contradicts its theory (the report is written, and says so).
    """
    request = Request(**words)
    from convex_analyzer.cli.compare import comparison_of
    from convex_analyzer.cli.output import check_target, write_report
    from convex_analyzer.cli.screen import print_json, say

    if request.out is not None:
        check_target(request.out, request)
    comparison = comparison_of(request)
    out = request.out or Path(f"{_file_name(comparison.problem.name)}.pdf")
    check_target(out, request)
    if request.as_json:
        print_json(comparison.to_dict())
    else:
        say(comparison.verdict(), bold=True)
        say(comparison.problem.describe(), dim=True)
    write_report(comparison, out, level, quiet=request.as_json)
    return 0 if comparison.confirmed else 1


def _file_name(name: str) -> str:
    """Return a problem's name as a file name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "report"
