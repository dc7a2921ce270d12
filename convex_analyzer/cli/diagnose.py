"""``convex-analyzer diagnose``: what is wrong with a training run, and what would help."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import Request, json_option, reading_options
from convex_analyzer.errors import ConvexAnalyzerError, InputError

if TYPE_CHECKING:
    from convex_analyzer.diagnosis.results import Diagnosis
    from convex_analyzer.problems.quadratic import Quadratic

__all__ = ["diagnose"]

_SURE = 0.5  # least chance at which --fail-on fails, unless --min-confidence says another
_STDIN = "-"
_KEY = re.compile(r"\s*(\w+)\s*=\s*([^,\s]+)\s*,?")  # lr=0.1, of a call of torch
_TORCH = {"learning_rate": "lr", "alpha": "lr", "mu": "momentum"}
_FIELDS = re.compile(r"columns=\{\"(\w+)\": \"([^\"]*)\"\}")  # how a call in Python says it
_LONGEST = 10_000  # letters of a line of a log


@dataclass(frozen=True)
class Guard:
    """Which verdicts make the command fail.

    Attributes
    ----------
    names
        Of rows.
    least
        The chance from which on.
    """

    names: frozenset[str] = frozenset()
    least: float = _SURE

    def fails(self, diagnosis: Diagnosis) -> bool:
        """Tell whether a verdict is one of those."""
        first = diagnosis.primary
        return first.name in self.names and first.confidence >= self.least


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer diagnose run.csv --lr 0.1 --batch-size 32 --rows 60000
      convex-analyzer diagnose metrics.jsonl --column loss=train/nll --report run.pdf
      convex-analyzer diagnose runs/*.csv --fail-on instability,plateau --min-confidence 0.8
      convex-analyzer diagnose --before A.npy --optimizer GradientDescent:learning_rate=0.1
    """
)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--lr", "--learning-rate", type=float, metavar="NUMBER", help="Learning rate α.")
@click.option(
    "--optimizer", "-o", multiple=True, metavar="SPEC",
    help="Of the run: adam, SGD, HeavyBall:learning_rate=0.1,momentum=0.9. With --before: may be "
    "repeated.",
)  # fmt: skip
@click.option("--momentum", type=float, metavar="NUMBER", help="μ, if --optimizer does not say.")
@click.option("--batch-size", type=int, metavar="ROWS", help="Rows of a mini-batch.")
@click.option("--rows", type=int, metavar="ROWS", help="Rows of the training set.")
@click.option("--classes", type=int, metavar="COUNT", help="Of a classification.")
@click.option(
    "--steps-per-epoch", type=float, metavar="COUNT", help="For logs of one row an epoch."
)
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=NAME",
    help="Which column holds what: loss=my_col. May be repeated.",
)  # fmt: skip
@click.option("--run", metavar="NAME", help="Which run, where a file holds several.")
@click.option("--problem", metavar="PROBLEM", help="The problem itself: predictions become exact.")
@click.option(
    "--before", metavar="PROBLEM",
    help="Forecast, before training: a problem, with --optimizer, and no FILE.",
)  # fmt: skip
@reading_options
@click.option(
    "--optimizer-module", multiple=True, type=click.Path(path_type=Path), metavar="PYTHON_FILE",
    help="Your own optimizers; the file is run.",
)  # fmt: skip
@click.option(
    "--report", "--out", "out", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write a report with the annotated curve: .pdf, .png, .md, .json.",
)  # fmt: skip
@click.option(
    "--fail-on", metavar="NAMES",
    help="Exit with 1 if the verdict is one of these (commas between), or 'any' fault.",
)  # fmt: skip
@click.option(
    "--min-confidence", type=float, metavar="SHARE",
    help=f"Least chance at which --fail-on fails, from 0 to 1. Default: {_SURE}.",
)  # fmt: skip
@json_option
def diagnose(files: tuple[str, ...], **words: Any) -> int:
    """Say what is wrong with a training run, if anything, how sure that is, and what would help.

    FILE is a log: .csv .tsv .jsonl .json .npz, TensorBoard events; - reads CSV or JSON lines from
    standard input. Several files: one line each. PROBLEM: a matrix, a data set, or gallery:NAME.
    Exit code 1: a verdict named in --fail-on; 2: bad input.
    """
    guard = _guard(words["fail_on"], words["min_confidence"])
    before, out = words["before"], words["out"]
    _check_call(files, before, words["optimizer"], words["problem"])
    if out is not None:
        _check_out(out, files, words["optimizer"], before or words["problem"])
    rows = _forecasts(before, words) if before else _from_logs(files, words)
    code = _print(rows, as_json=words["as_json"], guard=guard)
    if out is not None:
        _report(rows, out, quiet=words["as_json"])
    return code


# -- what was asked for ---------------------------------------------------------------------------


def _guard(names: str | None, least: float | None) -> Guard:
    if names is None:
        if least is not None:
            raise InputError(
                "--min-confidence needs --fail-on", argument="min_confidence",
                hint="--fail-on any fails on every fault",
            )  # fmt: skip
        return Guard()
    if least is not None and not 0 <= least <= 1:
        raise InputError(
            f"--min-confidence must be from 0 to 1, got {least:g}", argument="min_confidence"
        )
    from convex_analyzer.diagnosis.ranking import symptom_modules

    faults = [module.ROW.name for module in symptom_modules() if module.ROW.fault]
    wanted = {name.strip().replace("-", "_") for name in names.split(",") if name.strip()}
    unknown = sorted(wanted - {*faults, "any"})
    if unknown or not wanted:
        what = f"{unknown[0]!r} is no fault" if unknown else "it names no fault"
        raise InputError(
            f"--fail-on: {what}; the faults are {', '.join(faults)}, and any of them: any",
            argument="fail_on",
        )
    chosen = frozenset(faults) if "any" in wanted else frozenset(wanted)
    return Guard(chosen, _SURE if least is None else least)


def _check_call(
    files: Sequence[str], before: str | None, optimizers: Sequence[str], problem: str | None
) -> None:
    if before is not None:
        if files or problem is not None:
            raise InputError("--before is a forecast: it takes no FILE", argument="before")
        if not optimizers:
            raise InputError(
                "--before needs --optimizer", argument="optimizer",
                hint="such as --optimizer GradientDescent:learning_rate=0.1",
            )  # fmt: skip
        return
    if not files:
        raise click.UsageError("a FILE is missing, or --before", click.get_current_context())
    if len(optimizers) > 1:
        raise InputError("a run has one --optimizer", argument="optimizer")
    if list(files).count(_STDIN) > 1:
        raise InputError("standard input can be read once", argument="files")


def _check_out(
    out: Path, files: Sequence[str], optimizers: Sequence[str], problem: str | None
) -> None:
    from convex_analyzer.cli.output import check_target

    names = [name for name in files if name != _STDIN] + ([problem] if problem else [])
    if len(files) > 1 or len(optimizers) > 1:
        raise InputError("--report is for one run", argument="out")
    for name in names or [""]:
        check_target(out, Request(name))


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    columns = {}
    for pair in pairs:
        field, equals, name = pair.partition("=")
        if not equals or not field.strip() or not name.strip():
            raise InputError(
                f"--column must be FIELD=NAME, got {pair!r}", argument="columns",
                hint="for instance --column loss=my_loss",
            )  # fmt: skip
        columns[field.strip()] = name.strip()
    return columns


def _rule(words: dict[str, Any]) -> Any:
    """Return the optimizer of a run: one of the package if it is written as one, else its name."""
    if not words["optimizer"]:
        return None
    from convex_analyzer.cli.inputs import classes_in
    from convex_analyzer.optimizers.parse import parse_optimizer

    extra = {
        key: cls for path in words["optimizer_module"] for key, cls in classes_in(path).items()
    }
    (text,) = words["optimizer"]
    try:
        chosen = parse_optimizer(text, extra)
    except InputError:
        called = _of_torch(text)
        if called is None and ":" in text:
            raise
        return called or text
    if not isinstance(chosen, tuple):
        return chosen
    cls, given = chosen
    return {"name": cls.__name__, **given} if given else text


def _of_torch(text: str) -> dict[str, Any] | None:
    """Return what SGD with momentum is, as torch users write it; None: it is something else.

    torch multiplies the velocity by α at the end: at constant α this is heavy ball.
    """
    name, _, rest = text.replace("(", ":", 1).rstrip(") ").partition(":")
    options: dict[str, str] = dict(_KEY.findall(rest))
    known = {"lr", "nesterov", "momentum", *_TORCH}
    if name.strip().lower() != "sgd" or not {"momentum", "mu"} & set(options):
        return None
    if set(options) - known or _KEY.sub("", rest).strip():
        return None
    from convex_analyzer.conventions.convert import from_library
    from convex_analyzer.optimizers.literals import number_or_text

    given = {_TORCH.get(k, k): number_or_text(v) for k, v in options.items()}
    if "nesterov" in given:
        given["nesterov"] = given["nesterov"] == "True"
    rule = from_library("torch", "SGD", **given)
    kind = "Nesterov" if getattr(rule, "nesterov", False) else "HeavyBall"
    alpha = {} if "lr" not in given else {"learning_rate": float(rule.values["learning_rate"])}
    return {"name": kind, **alpha, "momentum": float(rule.values["momentum"])}


def _problem(name: str, words: dict[str, Any]) -> Quadratic:
    from convex_analyzer.cli.inputs import problem_of

    fields = ("target", "intercept", "loss", "l2", "missing", "drop_columns", "standardise")
    return problem_of(Request(name, **{field: words[field] for field in fields}))


# -- the work -------------------------------------------------------------------------------------


def _from_logs(
    files: Sequence[str], words: dict[str, Any]
) -> list[tuple[str, Diagnosis | ConvexAnalyzerError]]:
    from convex_analyzer.cli.screen import working
    from convex_analyzer.progress import each

    names = ("lr", "momentum", "batch_size", "rows", "classes", "steps_per_epoch")
    known = {name: words[name] for name in names if words[name] is not None}
    if words["columns"]:
        known["columns"] = _columns(words["columns"])
    if words["run"] is not None:
        known["run"] = int(words["run"]) if words["run"].lstrip("-").isdigit() else words["run"]
    rule = _rule(words)
    problem = _problem(words["problem"], words) if words["problem"] else None
    rows: list[tuple[str, Diagnosis | ConvexAnalyzerError]] = []
    with working("reading"):
        for name in each(files, "reading", "files", str):
            try:
                rows.append((name, _one(name, problem, rule, known)))
            except (ConvexAnalyzerError, OSError) as error:
                if len(files) == 1:
                    raise
                said = error if isinstance(error, ConvexAnalyzerError) else _told(error)
                rows.append((name, said))
    return rows


def _one(name: str, problem: Any, rule: Any, known: dict[str, Any]) -> Diagnosis:
    from convex_analyzer.diagnosis.engine import diagnose as compute

    with _path_of(name) as path:
        try:
            return compute(path, problem=problem, optimizer=rule, **known)
        except InputError as error:
            told = _FIELDS.sub(r"--column \1='\2'", str(error))
            raise InputError(told, argument=error.argument) from error


def _told(error: OSError) -> InputError:
    return InputError((error.strerror or str(error)).lower(), argument="files")


@contextmanager
def _path_of(name: str) -> Iterator[Path]:
    """Yield the file; what comes from standard input is laid down in one first."""
    if name != _STDIN:
        yield Path(name)
        return
    data = sys.stdin.buffer.read()
    if not data.strip():
        raise InputError("standard input is empty", argument="files")
    with tempfile.TemporaryDirectory() as folder:
        suffix = ".jsonl" if data.lstrip()[:1] == b"{" else ".csv"
        path = Path(folder) / f"stdin{suffix}"
        path.write_bytes(data)
        yield path


def _forecasts(
    before: str, words: dict[str, Any]
) -> list[tuple[str, Diagnosis | ConvexAnalyzerError]]:
    from convex_analyzer.cli.inputs import optimizers_of
    from convex_analyzer.cli.screen import working
    from convex_analyzer.diagnosis.engine import diagnose as compute

    problem = _problem(before, words)
    request = Request(
        before, optimizer=words["optimizer"], optimizer_module=words["optimizer_module"]
    )
    known = {name: words[name] for name in ("batch_size",) if words[name] is not None}
    rows: list[tuple[str, Diagnosis | ConvexAnalyzerError]] = []
    with working(f"computing, d = {problem.dimension:,}"):
        for text, chosen in zip(words["optimizer"], optimizers_of(request), strict=True):
            rule = _tuned(problem, chosen, words["lr"])
            rows.append((text, compute(problem=problem, optimizer=rule, **known)))
    return rows


def _tuned(problem: Quadratic, chosen: Any, learning_rate: float | None) -> Any:
    """Return an optimizer, what is left out being tuned for the problem."""
    if not isinstance(chosen, tuple):
        return chosen
    from convex_analyzer.theory.analysis import analyze

    cls, given = chosen
    if learning_rate is not None and "learning_rate" in cls.hyperparameters():
        given = {"learning_rate": learning_rate, **given}
    return analyze(problem, cls, given).optimizer


# -- what is printed ------------------------------------------------------------------------------


def _print(
    rows: Sequence[tuple[str, Diagnosis | ConvexAnalyzerError]], *, as_json: bool, guard: Guard
) -> int:
    """Print what was found and return the exit code."""
    from convex_analyzer.cli.diagnosis_screen import lines_of, screen_width, table_of
    from convex_analyzer.cli.screen import is_plain, print_json, say, show

    found = [each for _, each in rows if not isinstance(each, ConvexAnalyzerError)]
    failed = [each for each in found if guard.fails(each)]
    if as_json:
        plain = [_plain(name, each) for name, each in rows]
        print_json(plain[0] if len(rows) == 1 else {"schema": _SCHEMA, "diagnoses": plain})
    elif len(rows) == 1 and is_plain():
        show(found[0].summary())
    elif len(rows) == 1:
        for line in lines_of(found[0], screen_width()):
            click.echo(line)
    else:
        told = [(n, str(e) if isinstance(e, ConvexAnalyzerError) else e) for n, e in rows]
        show(table_of(told, _LONGEST if is_plain() else screen_width()))
    if failed and not as_json:
        names = ", ".join(dict.fromkeys(each.primary.name for each in failed))
        count = f"{len(failed)} of {len(rows)}, " if len(rows) > 1 else ""
        say()
        say(f"Fails: {count}{names}", bold=True)
    if len(found) < len(rows):
        return 2
    return 1 if failed else 0


_SCHEMA = "convex_analyzer.diagnoses/1"


def _plain(name: str, found: Diagnosis | ConvexAnalyzerError) -> dict[str, Any]:
    if isinstance(found, ConvexAnalyzerError):
        return {"file": name, "error": str(found)}
    return found.to_dict()


def _report(
    rows: Sequence[tuple[str, Diagnosis | ConvexAnalyzerError]], out: Path, *, quiet: bool
) -> None:
    from convex_analyzer.cli.output import write_report

    (_, found) = rows[0]
    if not isinstance(found, ConvexAnalyzerError):
        write_report(found, out, quiet=quiet)
