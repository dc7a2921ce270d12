"""Reports that commands write."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convex_analyzer.cli.options import Request
from convex_analyzer.cli.progress import ledger

if TYPE_CHECKING:
    from convex_analyzer.comparison import Comparison
    from convex_analyzer.results import Result

__all__ = ["check_target", "write_report"]


def check_target(path: Path, request: Request | None = None) -> None:
    """Refuse a report that cannot be written, before any work is done for it."""
    from convex_analyzer.reporting.build import check_path

    inputs = [] if request is None else [Path(request.file), *request.optimizer_module]
    check_path(path, inputs=inputs, option="--out")
    ledger.promise(path)


def write_report(
    result: Result | Sequence[Comparison],
    path: Path,
    level: str = "brief",
    *,
    quiet: bool = False,
) -> None:
    """Write a report on a result and say where it is (on stderr when `quiet`)."""
    from convex_analyzer.cli.screen import working
    from convex_analyzer.reporting.build import report

    with working("drawing the report"):
        written = report(result, path, level, command=_command_line())
    click.echo(f"wrote {', '.join(str(one) for one in written)}", err=quiet)


def _command_line() -> str | None:
    """Return the command that is running, to print on the report."""
    arguments = click.get_current_context().obj
    return None if arguments is None else shlex.join(["convex-analyzer", *arguments])
