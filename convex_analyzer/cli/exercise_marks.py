"""``convex-analyzer exercises grade``: the marks of a folder of submissions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.exercises import folder_option
from convex_analyzer.cli.options import json_option
from convex_analyzer.errors import InputError

if TYPE_CHECKING:
    from convex_analyzer.derivations.marksheet import MarkSheet

__all__ = ["grade"]

_PLATFORMS = ("gradescope", "prairielearn")
_NOTE = 44  # letters of a note on the screen


@click.command(
    short_help="Mark a folder of answers: CSV, JSON, Gradescope, PrairieLearn.",
    epilog="""
    \b
    Examples:
      convex-analyzer exercises grade q15 submissions/ --out marks.csv
      convex-analyzer exercises grade q15 submission/answer.txt --format gradescope \\
          --out results/results.json
      convex-analyzer exercises grade mine.toml submissions/ --plausible half --seconds 10
    """,
)
@click.argument("name", metavar="NAME")
@click.argument("submissions", metavar="FOLDER")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="PATH",
    help="Where to: a file; for gradescope and prairielearn of a folder, a folder of results.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["csv", "json", *_PLATFORMS]),
    help="Default: by the suffix of --out.",
)  # fmt: skip
@click.option(
    "--plausible", type=click.Choice(["full", "half", "none"]), default="full", show_default=True,
    help="What a line counts that held at every point tried but is not proved; always flagged.",
)  # fmt: skip
@click.option(
    "--short", type=click.Choice(["half", "full"]), default="half", show_default=True,
    help="What the last line alone earns of an exercise of three lines or more.",
)  # fmt: skip
@click.option(
    "--seconds", type=float, default=20.0, show_default=True,
    help="For one answer; one that takes longer is left to a person.",
)  # fmt: skip
@click.option("--notation", metavar="NAME", help="Whose letters the answers use: lecture004 ...")
@click.option(
    "--hint", "level", type=click.IntRange(1, 4), default=2, show_default=True, metavar="LEVEL",
    help="How much the results say of a wrong line.",
)  # fmt: skip
@folder_option
@json_option
def grade(
    name: str,
    submissions: str,
    out: Path | None,
    form: str | None,
    folders: tuple[Path, ...],
    as_json: bool,
    **options: Any,
) -> int:
    """Mark every answer in a folder: points, whether it arrives, the first wrong line, what to see.

    Every file (text, .tex, .md) is one answer, judged in a process with limited time and memory.

    Exit code: 0 every answer has its mark, 2 bad input, 3 some answers are left to a person.
    """
    from convex_analyzer.cli.screen import print_json, working
    from convex_analyzer.derivations.exercises.folders import exercise_file
    from convex_analyzer.derivations.marksheet import mark_folder, submissions_in

    form = _form(form, out)
    _check_out(form, out, submissions)
    file = exercise_file(name, folders)
    options["notation"] = options["notation"] or ""
    count = len(submissions_in(submissions))
    with working("marking", count, "answers") as tell:
        sheet = mark_folder(submissions, file, tell=tell, **options)
    if as_json:
        print_json(sheet.to_dict())
    elif out is None and form is not None:
        click.echo(_text(sheet, form), nl=False)
    else:
        _print(sheet)
    if out is not None:
        written = _write(sheet, form or "csv", out, Path(submissions))
        click.echo(f"wrote {written}", err=as_json)
    return 3 if sheet.without_verdict else 0


def _form(form: str | None, out: Path | None) -> str | None:
    if form is not None or out is None:
        return form
    found = {".csv": "csv", ".json": "json"}.get(out.suffix.lower())
    if found is None:
        raise InputError(f"--out {out}: name a .csv or .json file, or say --format")
    return found


def _check_out(form: str | None, out: Path | None, submissions: str) -> None:
    """Refuse what cannot be written, before anything is marked."""
    many = form in _PLATFORMS and not Path(submissions).is_file()
    if many and out is None:
        raise InputError(f"--format {form} of a folder writes a file for each: say --out FOLDER")
    if out is None:
        return
    if many:
        if out.exists() and not out.is_dir():
            raise InputError(f"--out {out} is a file; the results of a folder need a folder")
        inside, place = out.resolve(), Path(submissions).resolve()
        if inside == place or place in inside.parents:
            raise InputError(f"--out {out} lies among the submissions; name another folder")
        return
    from convex_analyzer.files import check_target

    check_target(out, inputs=submissions, option="--out")


def _result(sheet: MarkSheet, number: int, form: str) -> dict[str, Any]:
    from convex_analyzer.derivations import marksheet

    make = marksheet.gradescope if form == "gradescope" else marksheet.prairielearn
    return make(sheet.rows[number], f"{sheet.exercise}: {sheet.title}")


def _text(sheet: MarkSheet, form: str) -> str:
    from convex_analyzer.derivations.marksheet import to_csv

    if form == "csv":
        return to_csv(sheet)
    plain = sheet.to_dict() if form == "json" else _result(sheet, 0, form)
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write(sheet: MarkSheet, form: str, out: Path, submissions: Path) -> str:
    from convex_analyzer.files import write_bytes, write_many

    if form not in _PLATFORMS or submissions.is_file():
        inputs = [submissions] if submissions.is_file() else []
        return str(write_bytes(out, _text(sheet, form).encode("utf-8"), inputs=inputs))
    out.mkdir(parents=True, exist_ok=True)
    files: dict[Path, bytes] = {}
    for number, row in enumerate(sheet.rows):
        text = json.dumps(_result(sheet, number, form), indent=2, ensure_ascii=False)
        name = row.name.replace("/", "__")
        taken = out / f"{name}.json" in files
        files[out / f"{name}{f'-{number}' if taken else ''}.json"] = f"{text}\n".encode()
    write_many(files)
    return f"{len(files)} files to {out}"


def _print(sheet: MarkSheet) -> None:
    from convex_analyzer.cli.screen import say, show
    from convex_analyzer.tables import Table, format_number

    whole = sheet.summary()
    rows = tuple(
        (*row[:-1], row[-1] if len(row[-1]) <= _NOTE else f"{row[-1][: _NOTE - 1]}…")
        for row in whole.rows
    )
    show(Table(whole.columns, rows, whole.title, left=7))
    points = [row.points for row in sheet.rows]
    mean = format_number(sum(points) / len(points), 3)
    of = format_number(sheet.rows[0].of, 3)
    flagged = sum(bool(row.flagged) for row in sheet.rows)
    say(f"{len(points)} answers, {mean} of {of} points on average, {flagged} to look at.")
