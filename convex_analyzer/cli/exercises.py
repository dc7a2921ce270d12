"""``convex-analyzer exercises``: list, show, check, hint; and for teachers grade, new, mutants."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.check import notation_options
from convex_analyzer.cli.options import json_option, with_plain

if TYPE_CHECKING:
    from convex_analyzer.derivations.exercises import Exercise
    from convex_analyzer.derivations.grading import Mark

__all__ = ["exercises", "folder_option"]

_SCHEMA = "convex_analyzer.exercises/1"

_TEACHING = {"grade": "exercise_marks", "mutants": "exercise_making", "new": "exercise_making"}
_OWN = ("list", "show", "check", "hint")


class _Parts(click.Group):
    """What teachers use stands in modules of its own, imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_OWN, *sorted(_TEACHING)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in _TEACHING:
            module = importlib.import_module(f"convex_analyzer.cli.{_TEACHING[name]}")
            command = getattr(module, name)
            assert isinstance(command, click.Command)
            return with_plain(command)
        own = super().get_command(ctx, name)
        return None if own is None else with_plain(own)


def folder_option(function: Any) -> Any:
    """Give a command the option that names folders of one's own exercises."""
    return click.option(
        "--exercises", "folders", multiple=True, metavar="DIR",
        envvar="CONVEX_ANALYZER_EXERCISES",
        type=click.Path(path_type=Path),
        help="A folder with exercises of your own (.toml); may be repeated. Default: the "
        "environment variable CONVEX_ANALYZER_EXERCISES.",
    )(function)  # fmt: skip


@click.group(
    cls=_Parts,
    epilog="""
    \b
    Examples:
      convex-analyzer exercises list
      convex-analyzer exercises show q1 q2 q15 --as pdf --out sheet.pdf
      convex-analyzer exercises check q15 answer.txt
      convex-analyzer exercises hint q15 answer.txt --level 2
      convex-analyzer exercises grade q15 submissions/ --out marks.csv
      convex-analyzer exercises new my_exercise.toml
    """,
)
def exercises() -> None:
    """Exercises in deriving: each answer is judged line by line, and every verdict has its reason.

    A name is that of an exercise (q15), or a TOML file of your own.
    """


@exercises.command("list")
@folder_option
@json_option
def _list(folders: tuple[Path, ...], as_json: bool) -> int:
    """List the exercises by lecture, with their points."""
    from convex_analyzer.cli.derivation_screen import fit
    from convex_analyzer.cli.screen import print_json
    from convex_analyzer.derivations.exercises import load_exercise
    from convex_analyzer.derivations.exercises.folders import exercise_files
    from convex_analyzer.tables import format_number

    found = [load_exercise(file) for file in exercise_files(folders).values()]
    if as_json:
        plain = [
            {"name": t.name, "title": t.title, "source": t.source, "points": t.points,
             "steps": len(t.lines) - 1, "hints": t.hints}
            for t in found
        ]  # fmt: skip
        print_json({"schema": _SCHEMA, "exercises": plain})
        return 0
    wide = max(len(task.name) for task in found)
    for heading, tasks in _by_lecture(found):
        total = sum(task.points for task in tasks)
        unit = "point" if total == 1 else "points"
        click.echo(fit(f"{heading}  ({format_number(total)} {unit})"))
        for task in tasks:
            click.echo(fit(f"  {task.name:<{wide}}  {format_number(task.points):>3}  {task.title}"))
    click.echo()
    every = format_number(sum(task.points for task in found))
    click.echo(f"{len(found)} exercises, {every} points. exercises show NAME has the task.")
    return 0


def _by_lecture(found: list[Exercise]) -> list[tuple[str, list[Exercise]]]:
    """Return headings and their exercises: of a lecture all, whatever the slide; others last."""
    groups: dict[str, list[Exercise]] = {}
    for task in found:
        lecture = re.match(r"lecture \d+", task.source)
        groups.setdefault(lecture[0] if lecture else "", []).append(task)
    named = []
    for key in sorted(groups, key=lambda key: (not key, key)):
        sources = [task.source for task in groups[key]]
        heading = max(sources, key=sources.count) if key else "from papers, books and elsewhere"
        named.append((f"{heading[0].upper()}{heading[1:]}", groups[key]))
    return named


@exercises.command("show", short_help="Show the task of exercises; worksheets and solutions.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--as", "form", type=click.Choice(["text", "md", "html", "pdf", "png"]),
    help="Default: by the suffix of --out, else text.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there.")
@click.option("--solutions", is_flag=True, help="With the correct lines, and the usual slips.")
@click.option("--title", metavar="TEXT", help="Of a worksheet.")
@folder_option
@json_option
def _show(
    names: tuple[str, ...],
    form: str | None,
    out: Path | None,
    solutions: bool,
    title: str | None,
    folders: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Show exercises: the task without its answer, as text or as a worksheet to print.

    PDF and PNG are written to a file: --out, else NAME.pdf, or worksheet.pdf for several.
    """
    from convex_analyzer.cli.screen import print_json
    from convex_analyzer.derivations.exercises.folders import find_in
    from convex_analyzer.reporting.worksheet import exercise_data

    tasks = [find_in(name, folders) for name in dict.fromkeys(names)]
    if as_json:
        plain = [exercise_data(task, solutions=solutions) for task in tasks]
        print_json({"schema": _SCHEMA, "exercises": plain})
        return 0
    form = form or _form_of(out)
    stem = tasks[0].name if len(tasks) == 1 else "worksheet"
    if out is None and form in ("pdf", "png"):
        out = Path(f"{stem}{'-solutions' if solutions else ''}.{form}")
    if out is not None:
        from convex_analyzer.files import check_target

        check_target(out, inputs=[name for name in names if Path(name).is_file()], option="--out")
    _deliver(tasks, form, out, solutions=solutions, title=title)
    return 0


def _form_of(out: Path | None) -> str:
    from convex_analyzer.errors import InputError

    if out is None:
        return "text"
    forms = {".md": "md", ".html": "html", ".pdf": "pdf", ".png": "png", ".txt": "text"}
    if out.suffix.lower() not in forms:
        raise InputError(f"--out {out}: the suffix must be one of {', '.join(forms)}")
    return forms[out.suffix.lower()]


def _deliver(
    tasks: list[Exercise], form: str, out: Path | None, *, solutions: bool, title: str | None
) -> None:
    """Print a worksheet, or write it to a file."""
    from convex_analyzer.cli.derivation_screen import fit
    from convex_analyzer.cli.screen import working
    from convex_analyzer.files import write_bytes
    from convex_analyzer.reporting import worksheet, worksheet_html

    if form in ("pdf", "png"):
        from convex_analyzer.reporting import typst
        from convex_analyzer.reporting.worksheet_pages import worksheet_pages

        assert out is not None
        with working("drawing the worksheet"):
            document = worksheet_pages(tasks, solutions=solutions, title=title)
            write = typst.write_pdf if form == "pdf" else typst.write_png
            written = write(document, out)
        click.echo(f"wrote {', '.join(str(one) for one in written)}")
        return
    make = {
        "md": worksheet.worksheet_markdown,
        "html": worksheet_html.worksheet_html,
        "text": worksheet.worksheet_text,
    }[form]
    text = make(tasks, solutions=solutions, title=title)
    if out is None:
        click.echo(fit(text), nl=False)
        return
    write_bytes(out, text.encode("utf-8"))
    click.echo(f"wrote {out}")


@exercises.command("check", short_help="Check an answer line by line, and its points.")
@click.argument("name", metavar="NAME")
@click.argument("file", required=False, metavar="[FILE]")
@notation_options
@click.option(
    "--hint", "level", type=click.IntRange(0, 4), default=2, show_default=True, metavar="LEVEL",
    help="How much is said of a wrong line, at most what the exercise allows.",
)  # fmt: skip
@folder_option
@json_option
def _check(
    name: str,
    file: str | None,
    notation: str | None,
    remember: bool,
    level: int,
    folders: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Check an answer to an exercise; FILE is text or LaTeX, - reads standard input.

    With one name that is a Markdown file, every block fenced as ```derivation is checked.

    Exit code: 0 it is right, 1 a line is refuted, 2 a line cannot be read, 3 a line is undecided or
    the last line is not yet what was to be shown.
    """
    from convex_analyzer.cli.check import check_file
    from convex_analyzer.cli.notation_choice import chosen

    source = chosen(notation, remember=remember)
    if file is None:
        if Path(name).suffix.lower() in (".md", ".markdown"):
            return check_file(name, symbols=None, notation=source, level=level, as_json=as_json)
        raise click.UsageError("name the exercise and the file with the answer: check q15 FILE")
    mark, allowed = _marked(name, file, source, folders)
    return _show_mark(mark, min(level, allowed), level, as_json=as_json)


@exercises.command("hint", short_help="Give a hint on the first wrong line.")
@click.argument("name", metavar="NAME")
@click.argument("file", metavar="FILE")
@click.option(
    "--level", type=click.IntRange(1, 4), default=1, show_default=True,
    help="1 where, 2 numbers, 3 the kind of slip, 4 the repair.",
)  # fmt: skip
@click.option(
    "--most", type=click.IntRange(0, 4), default=4, metavar="LEVEL",
    help="The most that may be said; the exercise can say less.",
)  # fmt: skip
@notation_options
@folder_option
@json_option
def _hint(
    name: str,
    file: str,
    level: int,
    most: int,
    notation: str | None,
    remember: bool,
    folders: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Give a hint on the first wrong line of an answer; exit codes are those of check."""
    from convex_analyzer.cli.derivation_screen import code_of, fit
    from convex_analyzer.cli.notation_choice import chosen
    from convex_analyzer.cli.screen import print_json, say

    mark, allowed = _marked(name, file, chosen(notation, remember=remember), folders)
    allowed = min(allowed, most)
    given = min(level, allowed)
    wrong = mark.checked.first_wrong
    code = _code(mark, code_of([mark.checked]))
    line = None if wrong is None else mark.checked.lines[wrong - 1]
    text = (
        f"No line is wrong; {mark.note}." if line is None
        else line.hint(given) if given > 0
        else "This exercise gives no hints."
    )  # fmt: skip
    if as_json:
        print_json({"schema": "convex_analyzer.hint/1", "exercise": mark.exercise, "line": wrong,
                    "level": given, "most": allowed, "hint": text})  # fmt: skip
        return code
    of = f"  (hint {given} of {allowed})" if line is not None and given > 0 else ""
    say(fit(f"{text}{of}"))
    if line is not None and level > allowed > 0:
        say(f"More than hint {allowed} is not given here.")
    return code


def _marked(name: str, file: str, notation: str, folders: tuple[Path, ...]) -> tuple[Mark, int]:
    """Return the mark of an answer, and how much hints may say."""
    from convex_analyzer.cli.check import text_of_argument
    from convex_analyzer.cli.derivation_screen import search
    from convex_analyzer.cli.screen import working
    from convex_analyzer.derivations.answers import answer_in
    from convex_analyzer.derivations.exercises.folders import find_in
    from convex_analyzer.derivations.grading import mark

    task = find_in(name, folders)
    text = answer_in(text_of_argument(file), Path(file).suffix)
    with working("checking"):
        found = mark(text, task, notation=notation)
        search(found.checked, task.hints)
    return found, task.hints


def _code(mark: Mark, code: int) -> int:
    """Return the exit code: what does not arrive is not settled."""
    if not mark.checked.lines:
        return 2
    return code or (0 if mark.arrived and mark.points > 0 else 3)


def _show_mark(mark: Mark, level: int, asked: int, *, as_json: bool) -> int:
    from convex_analyzer.cli.check import screen_width
    from convex_analyzer.cli.derivation_screen import (
        code_of,
        fit,
        line_data,
        lines_of,
        verdict_of,
    )
    from convex_analyzer.cli.notation_choice import offered
    from convex_analyzer.cli.screen import print_json
    from convex_analyzer.tables import format_number

    code = _code(mark, code_of([mark.checked]))
    if as_json:
        plain = mark.to_dict()
        plain["checked"] = line_data(mark.checked, level)
        print_json(plain)
        return code
    for row in lines_of(mark.checked, level=level, width=screen_width()):
        click.echo(row)
    if mark.checked.lines:
        click.echo()
        click.echo(fit(verdict_of(mark.checked)))
    points = f"{format_number(mark.points, 3)} of {format_number(mark.of, 3)} points"
    note = "arrived" if mark.note == "arrived" else mark.note
    click.echo(fit(f"{points}: {note}."))
    other = offered(mark.checked.lines)
    if other:
        click.echo(fit(other))
    if mark.checked.first_wrong is not None and level < asked:
        click.echo(f"This exercise gives hints up to level {level}.")
    return code
