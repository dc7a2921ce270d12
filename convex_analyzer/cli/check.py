"""``convex-analyzer check``: a derivation, judged line by line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import Request, json_option
from convex_analyzer.errors import InputError

if TYPE_CHECKING:
    from convex_analyzer.derivations.judging.lines import CheckedDerivation

__all__ = ["check", "check_file", "notation_options", "screen_width", "text_of_argument"]

_STDIN = "-"
_NARROW, _WIDE = 60, 120
_SCHEMA = "convex_analyzer.check/1"


def notation_options(function: Any) -> Any:
    """Give a command the options that choose the letters."""
    function = click.option(
        "--remember", is_flag=True, help="Keep that choice for later; --notation own forgets it."
    )(function)
    return click.option(
        "--notation", metavar="NAME",
        help="Whose letters are used: lecture004, torch ..., or own.",
    )(function)  # fmt: skip


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer check steps.txt --symbols "a, l > 0; k natural; z real"
      convex-analyzer check homework.tex --hint 4
      convex-analyzer check notes.md --json
      convex-analyzer check homework.txt --report homework.pdf
    """
)
@click.argument("file", metavar="FILE")
@click.option(
    "--symbols", metavar="TEXT",
    help="What the names stand for: 'a, l > 0; k natural; A symmetric'. The file may say it too, "
    "in a line 'symbols: ...' (in .tex '% symbols: ...').",
)  # fmt: skip
@notation_options
@click.option(
    "--hint", "level", type=click.IntRange(1, 4), default=2, show_default=True, metavar="LEVEL",
    help="How much is said of a wrong line: 1 where, 2 numbers, 3 the kind of slip, 4 the repair.",
)  # fmt: skip
@click.option(
    "--report", "--out", "out", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write a report on the derivation: .pdf, .png, .html, .md, .json.",
)  # fmt: skip
@json_option
def check(
    file: str,
    symbols: str | None,
    notation: str | None,
    remember: bool,
    level: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Judge a derivation: whether each line follows from the one above.

    FILE holds lines of text or LaTeX; - reads standard input. In .tex files every displayed formula
    is a derivation, in .md files every block fenced as ```derivation.

    Exit code: 0 every line follows (or held at every point tried), 1 a line is refuted, 2 a line or
    the file cannot be read, 3 a line is undecided.
    """
    from convex_analyzer.cli.notation_choice import chosen

    source = chosen(notation, remember=remember)
    return check_file(file, symbols=symbols, notation=source, level=level, as_json=as_json, out=out)


def check_file(
    file: str,
    *,
    symbols: str | None,
    notation: str,
    level: int,
    as_json: bool,
    out: Path | None = None,
) -> int:
    """Judge every derivation of a file, print what came out, and return the exit code."""
    from convex_analyzer.cli.derivation_screen import code_of, line_data, search
    from convex_analyzer.cli.output import check_target, write_report
    from convex_analyzer.cli.screen import print_json, working
    from convex_analyzer.derivations.answers import derivations_in

    text = text_of_argument(file)
    parts = derivations_in(text, Path(file).suffix)
    if out is not None and len(parts) > 1:
        raise InputError(f"--report is for one derivation, and {file} holds {len(parts)}")
    if out is not None:
        check_target(out, None if file == _STDIN else Request(file))
    with working("checking"):
        found = [search(_judged(part, symbols, notation), level) for part in parts]
    if as_json:
        plain = [line_data(each, level) for each in found]
        print_json({"schema": _SCHEMA, "file": file, "derivations": plain})
    else:
        _print(file, found, parts, level)
    if out is not None:
        write_report(found[0], out, "full" if level > 3 else "brief", quiet=as_json)
    return code_of(found)


def text_of_argument(file: str) -> str:
    """Return the text of a file, or of standard input."""
    from convex_analyzer.derivations.answers import read_text, text_of

    if file == _STDIN:
        return text_of(sys.stdin.buffer.read(1_000_001), "standard input")
    return read_text(file)


def screen_width() -> int:
    """Return how many letters a line of the screen has."""
    columns = shutil.get_terminal_size((100, 24)).columns
    return min(max(columns, _NARROW), _WIDE)


def _judged(text: str, symbols: str | None, notation: str) -> CheckedDerivation:
    from convex_analyzer.derivations.derivation import check_derivation

    if notation:  # after the text's own declarations, to which the letters belong
        text = f"{text}\nnotation: {notation}"
    return check_derivation(text, symbols=symbols)


def _print(file: str, found: list[CheckedDerivation], parts: Sequence[str], level: int) -> None:
    from convex_analyzer.cli.derivation_screen import fit, lines_of, verdict_of
    from convex_analyzer.cli.notation_choice import offered

    width = screen_width()
    for number, checked in enumerate(found, 1):
        start = checked.lines[0].line
        numbers = [line.line for line in checked.lines]
        same = numbers == [line.number for line in checked.lines]
        if len(found) > 1:
            click.echo(f"{file}, derivation {number}, from line {start}")
        first = None if same else start
        for row in lines_of(checked, level=level, width=width, first=first):
            click.echo(row)
        click.echo()
        click.echo(fit(verdict_of(checked)))
        note = offered(checked.lines) or _undeclared(checked)
        if note:
            click.echo(fit(note))
        if number < len(found):
            click.echo()


def _undeclared(checked: CheckedDerivation) -> str:
    """Return how to declare names, when none is: a line to paste, with the names of the text."""
    said = checked.undeclared
    if not said:
        return ""
    return (
        f'Declare the names: --symbols "{said}", or a first line symbols: {said}. Say what you know'
        " of them (a > 0; mu in (0, 1)): what is not said is not used."
    )
