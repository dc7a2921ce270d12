"""``convex-analyzer report``: the same comparison as pages to print or show."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import (
    Request,
    json_option,
    optimizer_options,
    reading_options,
    steps_option,
)

if TYPE_CHECKING:
    from convex_analyzer.comparison import Comparison

__all__ = ["report"]

_FORMATS = ("svg", "png", "pdf", "eps", "pgf")


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer report data.csv --target price --out report.pdf
      convex-analyzer report gallery:ravine --optimizer HeavyBall --out ravine.html
      convex-analyzer report A.mtx B.mtx --out both.pdf
      convex-analyzer report A.mtx --figures stability_map,roots --format svg --out figures
    """
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@reading_options
@optimizer_options
@steps_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to: .pdf, .png, .html, .json, .md, .tex; with --figures a folder.  Default: the "
    "name of the problem, .pdf.",
)
@click.option(
    "--level",
    type=click.Choice(["brief", "teach", "full"]),
    default="brief",
    show_default=True,
    help="How much: two pages, the derivations too, everything.",
)
@click.option(
    "--figures",
    metavar="NAMES",
    help="Write only these figures, with commas between, or all; each into a file of its own.",
)
@click.option(
    "--format",
    "suffix",
    type=click.Choice(_FORMATS),
    default="svg",
    show_default=True,
    help="Of --figures.",
)
@click.option(
    "--paper", is_flag=True, help="Of --figures: no title, and the numbers beside as CSV."
)
@json_option
def report(
    files: tuple[str, ...],
    level: str,
    figures: str | None,
    suffix: str,
    paper: bool,
    **words: Any,
) -> int:
    """Write a report: verdict, derivation, pictures, and the recap table of what can go wrong.

    Several FILEs are set side by side. Exit code 1: a run contradicts its theory (the report is
    written, and says so).
    """
    requests = [Request(file=file, **words) for file in files]
    from convex_analyzer.cli.compare import comparison_of
    from convex_analyzer.cli.output import check_target, write_report
    from convex_analyzer.cli.screen import print_json, say

    out, as_json = requests[0].out, requests[0].as_json
    if out is not None and figures is None:
        for request in requests:
            check_target(out, request)
    names = None if figures in {None, "all"} else _split(figures)
    comparisons = [comparison_of(request) for request in requests]
    if as_json:
        plain = [comparison.to_dict() for comparison in comparisons]
        print_json(plain[0] if len(plain) == 1 else {"comparisons": plain})
    for comparison in () if as_json else comparisons:
        say(comparison.verdict(), bold=True)
        say(comparison.problem.describe(), dim=True)
    if figures is not None:
        _write_figures(comparisons, out, names, suffix, paper, quiet=as_json)
    else:
        out = out or Path(f"{_file_name(comparisons[0].problem.name)}.pdf")
        for request in requests:
            check_target(out, request)
        whole = comparisons[0] if len(comparisons) == 1 else comparisons
        write_report(whole, out, level, quiet=as_json)
    return 0 if all(comparison.confirmed for comparison in comparisons) else 1


def _split(figures: str | None) -> list[str]:
    """Return the names in a list with commas; an unknown one is refused before any work is done."""
    from convex_analyzer.reporting.pictures import check_names

    names = [name.strip() for name in (figures or "").split(",")]
    check_names(names)
    return names


def _write_figures(
    comparisons: list[Comparison],
    out: Path | None,
    names: list[str] | None,
    suffix: str,
    paper: bool,
    *,
    quiet: bool,
) -> None:
    """Write figures into a folder; of several problems, into one folder each inside it."""
    from convex_analyzer.cli.screen import working
    from convex_analyzer.files import folder_for
    from convex_analyzer.reporting.pictures import save_figures

    folders = [Path(name) for name in _file_names([one.problem.name for one in comparisons])]
    with contextlib.ExitStack() as around:
        if out is not None and len(comparisons) > 1:
            around.enter_context(folder_for(out, option="--out"))
            folders = [out / folder for folder in folders]
        elif out is not None:
            folders = [out]
        for comparison, folder in zip(comparisons, folders, strict=True):
            with working("drawing the figures"):
                written = save_figures(
                    comparison, folder, names, format=suffix, paper=paper, data=paper
                )
            click.echo(f"wrote {', '.join(str(one) for one in written)}", err=quiet)


def _file_names(names: list[str]) -> list[str]:
    """Return problems' names as file names, each one used once."""
    found: list[str] = []
    for name in map(_file_name, names):
        one, number = name, 1
        while one.lower() in map(str.lower, found):  # some disks take capital letters for small
            number += 1
            one = f"{name}-{number}"
        found.append(one)
    return found


def _file_name(name: str) -> str:
    """Return a problem's name as a file name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "report"
