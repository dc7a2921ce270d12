"""``convex-analyzer exercises new`` and ``mutants``: for who writes exercises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from convex_analyzer.cli.exercises import folder_option
from convex_analyzer.cli.options import json_option
from convex_analyzer.errors import InputError

if TYPE_CHECKING:
    from convex_analyzer.derivations.authoring import SelfTest

__all__ = ["mutants", "new"]

_SHOWN = 20  # unnoticed changes on the screen


@click.command(
    short_help="Write a template for an exercise, or test one.",
    epilog="""
    \b
    Examples:
      convex-analyzer exercises new my_exercise.toml
    """,
)
@click.argument("file", metavar="FILE.toml", type=click.Path(path_type=Path))
@json_option
def new(file: Path, as_json: bool) -> int:
    """Write a template for an exercise; if the file is there, test it.

    Every correct line must be proved, and every listed slip refuted. A file is never overwritten.

    Exit code: 0 the exercise is sound, 1 a line or a slip is not as it should be, 2 bad input.
    """
    from convex_analyzer.cli.screen import print_json, working
    from convex_analyzer.derivations.authoring import TEMPLATE, self_test
    from convex_analyzer.derivations.exercises.folders import find_in
    from convex_analyzer.files import write_bytes

    if file.suffix != ".toml":
        raise InputError(f"{file}: an exercise is a .toml file")
    written = not file.exists()
    if written:
        write_bytes(file, TEMPLATE.encode("utf-8"))
    task = find_in(str(file))
    with working("testing the exercise"):
        found = self_test(task)
    if as_json:
        plain = {"rows": [list(row) for row in found.rows], "failures": list(found.failures),
                 "remarks": list(found.remarks), "passes": found.passes}  # fmt: skip
        print_json({"schema": found.schema, "exercise": found.exercise, **plain})
    else:
        if written:
            click.echo(f"wrote {file}: a template; change it and run this again")
        _print(found)
    return 0 if found.passes else 1


def _print(found: SelfTest) -> None:
    from convex_analyzer.cli.derivation_screen import fit, sign_of

    for where, text, status in found.rows:
        right = (status == "refuted") == where.startswith("slip")
        sign = sign_of("given" if status == "given" else "proved" if right else "refuted")
        click.echo(fit(f"{where:<7} {sign} {status:<9}  {text}"))
    click.echo()
    for sentence in (*found.failures, *found.remarks):
        click.echo(fit(sentence))
    if found.passes:
        click.echo(f"{found.exercise} is sound: every correct line holds, every slip is refuted.")


@click.command(
    short_help="Count the slips in an exercise that would pass unnoticed.",
    epilog="""
    \b
    Examples:
      convex-analyzer exercises mutants my_exercise.toml
      convex-analyzer exercises mutants q15 --most 100
    """,
)
@click.argument("name", metavar="NAME")
@click.option(
    "--most", type=click.IntRange(1, 5000), default=400, show_default=True, metavar="COUNT",
    help="Changes at most of one line, the likeliest slips first.",
)  # fmt: skip
@folder_option
@json_option
def mutants(name: str, most: int, folders: tuple[Path, ...], as_json: bool) -> int:
    """Change each correct line in one place, in every way, and count slips that pass unnoticed.

    Exit code: 0 every slip is refuted, 1 some are not, 2 bad input.
    """
    from convex_analyzer.cli.derivation_screen import fit
    from convex_analyzer.cli.screen import print_json, working
    from convex_analyzer.derivations.authoring import mutant_score
    from convex_analyzer.derivations.exercises.folders import find_in

    task = find_in(name, folders)
    with working("trying slips"):
        found = mutant_score(task, most=most)
    missed = found.unnoticed
    if as_json:
        plain = {"tried": found.tried, "refuted": found.refuted, "valid": found.valid,
                 "share": found.share, "unnoticed": [m.__dict__ for m in missed]}  # fmt: skip
        print_json({"schema": found.schema, "exercise": found.exercise, **plain})
        return 1 if missed else 0
    click.echo(
        f"{found.tried} changed lines: {found.refuted} refuted, {len(missed)} unnoticed; "
        f"{found.valid} follow as well."
    )
    for mutant in missed[:_SHOWN]:
        click.echo(fit(f"  line {mutant.line}, {mutant.kind}, {mutant.status}: {mutant.text}"))
    if len(missed) > _SHOWN:
        click.echo(f"  and {len(missed) - _SHOWN} more; --json has all")
    return 1 if missed else 0
