"""Reports that commands write."""

from __future__ import annotations

import importlib.util
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convex_analyzer.cli.options import Request
from convex_analyzer.cli.progress import ledger
from convex_analyzer.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from convex_analyzer.comparison import Comparison
    from convex_analyzer.conditioning.results import ConditionAnalysis
    from convex_analyzer.diagnosis.results import Diagnosis

_BY_TYPST = frozenset({".pdf", ".png"})

__all__ = ["check_target", "write_report"]


def check_target(path: Path, request: Request | None = None) -> None:
    """Refuse a report that cannot be written, before any work is done for it."""
    from convex_analyzer.reporting.build import SUFFIXES

    if path.is_dir():
        raise InputError(f"--out {path} is a folder; name a file in it", argument="out")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"--out {path}: a report is one of {', '.join(SUFFIXES)}", argument="out", value=path
        )
    if path.suffix.lower() in _BY_TYPST and importlib.util.find_spec("typst") is None:
        raise MissingDependencyError("typst", "report")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--out {path}: there is no folder {path.parent}", argument="out")
    inputs = [] if request is None else [Path(request.file), *request.optimizer_module]
    if path.exists() and any(other.exists() and path.samefile(other) for other in inputs):
        raise InputError(f"--out {path} is an input, and would be overwritten", argument="out")
    if path.exists() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        raise InputError(f"--out {path} is read-only; choose another name", argument="out")
    if not os.access(path.absolute().parent, os.W_OK):
        raise InputError(f"--out {path}: its folder is read-only", argument="out")
    ledger.promise(path)


def write_report(
    result: Comparison | ConditionAnalysis | Diagnosis | Sequence[Comparison],
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
