"""The command line: ``convex-analyzer``, or ``python -m convex_analyzer``.

One module per command, imported when the command is used, so that ``--help`` costs nothing.
Exit codes: 0 all is well; 1 a check failed; 2 bad input; 130 interrupted.
"""

from __future__ import annotations

import codecs
import importlib
import io
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Any, TextIO

import click

import convex_analyzer
from convex_analyzer.cli.options import plain_option, with_plain
from convex_analyzer.errors import ConvexAnalyzerError, InputError

__all__ = ["commands", "main", "run"]

COMMANDS = {
    "demo": "Analyse a bundled real data set and write a report; --tour tells the story.",
    "analyze": "Say what every optimizer will do on a matrix or a data set.",
    "compare": "Run optimizers and hold each run against its theory.",
    "condition": "Say where a condition number comes from, what it costs, what to do about it.",
    "diagnose": "Say what is wrong with a training run, how sure that is, and what would help.",
    "report": "Write a report to print or show: PDF, HTML, PNG, JSON.",
    "explore": "Write a page with sliders, in which every figure answers at once.",
    "optimizers": "List the optimizers, or show one.",
    "derive": "Derive what an optimizer does from its update rule, every line checked.",
    "check": "Judge a derivation line by line: text, LaTeX, or blocks of a Markdown file.",
    "exercises": "List, show, check and grade the exercises in deriving; write your own.",
    "check-gradient": "Check a gradient in a Python file; name wrong entries, and why.",
}


class _Commands(click.Group):
    """The commands by name; a module is imported when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        home = name.replace("-", "_")
        command = getattr(importlib.import_module(f"{__name__}.{home}"), home)
        assert isinstance(command, click.Command)
        return with_plain(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            known = f"did you mean {near[0]}?" if near else f"commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command {args[0]!r}; {known}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: convex-analyzer compare gallery:ravine   (COMMAND --help has more)",
)
@click.version_option(convex_analyzer.__version__, prog_name="convex-analyzer")
@plain_option
def commands() -> None:
    """Name the problem, get the exact behaviour of every optimizer on it, see it confirmed.

    A problem is a file (.csv .tsv .npy .npz .mtx) or a classic, for instance gallery:toy.
    """
    context = click.get_current_context()
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        context.color = False


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; every error is one line on stderr."""
    from convex_analyzer.cli.progress import ledger

    words = sys.argv[1:] if arguments is None else list(arguments)
    ledger.clear()
    try:
        return _invoke(words)
    except click.exceptions.Exit as done:  # --help, --version
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.UsageError as error:
        where = "" if error.ctx is None else f"; see {error.ctx.command_path} --help"
        return _fail(_one_line(error.format_message()).rstrip(".") + where)
    except ConvexAnalyzerError as error:
        return _fail(_one_line(str(error)))
    except KeyboardInterrupt:
        return _fail(ledger.farewell(), 128 + signal.SIGINT)
    except BrokenPipeError:
        return _closed_pipe()
    except MemoryError:
        return _fail("not enough memory for this problem")
    except OSError as error:
        return _fail(_disk(error))


def _invoke(words: list[str]) -> int:
    from convex_analyzer.cli.progress import ledger
    from convex_analyzer.progress import listening

    try:
        with (
            listening(ledger),
            commands.make_context("convex-analyzer", list(words), obj=words) as context,
        ):
            result = commands.invoke(context)
    except (click.ClickException, click.exceptions.Exit, ConvexAnalyzerError, OSError):
        raise
    except Exception as error:
        place = _in_own_rule(error)
        if place is None:
            raise
        raise InputError(f"{place} raised {type(error).__name__}: {error}") from error
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the program: `run`, then exit."""
    warnings.showwarning = _show_warning
    for name in ("stdout", "stderr"):  # None when the caller closed it (>&-)
        if getattr(sys, name) is None:
            setattr(sys, name, io.StringIO())
    codecs.register_error("spell", _spelt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="spell")  # a terminal without Greek letters
    sys.exit(run(arguments))


def _disk(error: OSError) -> str:
    """Say what is wrong with a file, as the readers of files say it."""
    if isinstance(error, FileNotFoundError):
        return f"there is no file {error.filename}"
    if isinstance(error, IsADirectoryError):
        return f"{error.filename} is a folder, not a file"
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{(error.strerror or str(error)).lower()}"


def _spelt(error: UnicodeError) -> tuple[str, int]:
    """Spell what a stream cannot write: alpha for α."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from convex_analyzer.spelling import spell

    return spell(error.object[error.start : error.end], error.object[error.end :]), error.end


def _fail(message: str, code: int = 2) -> int:
    click.echo(f"error: {message}", err=True)
    return code


def _in_own_rule(error: Exception) -> str | None:
    """Return the place in the user's own optimizer file where this went wrong, if it was there."""
    from convex_analyzer.cli.inputs import USER_MODULE

    found, trace = None, error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if str(frame.f_globals.get("__name__", "")).startswith(USER_MODULE):
            found = f"{frame.f_code.co_filename}, line {trace.tb_lineno}: {frame.f_code.co_name}"
        trace = trace.tb_next
    return found


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _closed_pipe() -> int:
    """Stop quietly when the reader has gone, as programs do that are killed by SIGPIPE."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> Any:
    del category, filename, lineno, file, line
    click.echo(f"note: {_one_line(str(message))}", err=True)
