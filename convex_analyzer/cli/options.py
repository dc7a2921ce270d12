"""What several commands share: their arguments and options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = [
    "LOSS_NAMES",
    "Request",
    "json_option",
    "optimizer_options",
    "output_options",
    "plain_option",
    "problem_options",
    "reading_options",
    "start_options",
    "steps_option",
    "with_plain",
]

F = TypeVar("F", bound=Callable[..., Any])

LOSS_NAMES = ("half_mse", "mse", "half_rss", "rss")  # a test holds this against the package


@dataclass(frozen=True)
class Request:
    """Everything that was asked for on the command line."""

    file: str
    target: str | None = None
    intercept: bool | None = None
    loss: str | None = None
    l2: float | None = None
    missing: str | None = None
    drop_columns: tuple[str, ...] = ()
    standardise: bool = False
    optimizer: tuple[str, ...] = ()
    optimizer_module: tuple[Path, ...] = ()
    steps: int | None = None
    batch_size: int | None = None
    noise: float | None = None
    seed: int | None = None
    start: str | None = None
    tolerance: float = 1e-6
    as_json: bool = False
    out: Path | None = None


_PROBLEM = (
    click.argument("file", metavar="FILE"),
    click.option("--target", metavar="NAME", help="Column to predict: by name or index."),
    click.option(
        "--intercept/--no-intercept",
        default=None,
        help="Put a column of ones first. Default: yes for text files, no for arrays.",
    ),
    click.option(
        "--loss",
        type=click.Choice(LOSS_NAMES),
        help="½·mean (default), mean (PyTorch, Keras), ½·sum or sum of the squares.",
    ),
    click.option("--l2", type=float, metavar="NUMBER", help="Ridge penalty (weight decay)."),
    click.option(
        "--missing",
        type=click.Choice(["error", "drop"]),
        help="What to do with rows that have missing values.",
    ),
    click.option(
        "--drop-columns",
        multiple=True,
        metavar="NAME",
        help="Leave a column out; may be repeated.",
    ),
    click.option(
        "--standardise",
        "--standardize",
        "standardise",
        is_flag=True,
        help="Standardise the columns of data first; without an intercept they are only scaled.",
    ),
)
_OPTIMIZER = (
    click.option(
        "--optimizer",
        "-o",
        multiple=True,
        metavar="SPEC",
        help="HeavyBall, HeavyBall:learning_rate=0.1, 'HeavyBall(0.1, momentum=0.9)'; may be "
        "repeated. What is left out is tuned. A value may be a schedule: 'Step(0.1, 0.5, 30)'.",
    ),
    click.option(
        "--optimizer-module",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="PYTHON_FILE",
        help="Your own optimizers; the file is run.",
    ),
    click.option(
        "--start",
        metavar="POINT",
        help="zeros, ones, excite (all directions equally), or numbers: -5,-2.",
    ),
    click.option(
        "--tolerance",
        type=float,
        default=1e-6,
        show_default=True,
        metavar="NUMBER",
        help="The goal: gap to the minimum, relative to the gap at the start.",
    ),
)
_STEPS = (
    click.option(
        "--steps",
        type=int,
        metavar="COUNT",
        help="Length of every run. Default: until the goal is reached.",
    ),
    click.option(
        "--batch-size",
        type=int,
        metavar="ROWS",
        help="Mini-batches of so many rows, shuffled each epoch; the same for every optimizer.",
    ),
    click.option(
        "--noise",
        type=float,
        metavar="VARIANCE",
        help="Gaussian noise of this variance on every entry of every gradient.",
    ),
    click.option("--seed", type=int, metavar="NUMBER", help="Names the noise. Default: 0."),
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
_OUTPUT = (
    _JSON,
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Also write a report: .pdf, .png, .html, .json, .md or .tex.",
    ),
)


def _decorator(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    def apply(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


problem_options = _decorator(*_PROBLEM)  # the FILE, and how to read it
reading_options = _decorator(*_PROBLEM[1:])  # how to read it, where the file has another name
optimizer_options = _decorator(*_OPTIMIZER)  # which optimizers to look at, from where
start_options = _decorator(*_OPTIMIZER[2:])  # from where, and how far
steps_option = _decorator(*_STEPS)
json_option = _decorator(_JSON)
output_options = _decorator(*_OUTPUT)


# -- --plain, which every command has -------------------------------------------------------------


def _be_plain(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from convex_analyzer.cli.screen import PLAIN

        context.find_root().meta[PLAIN] = True
        context.color = False


plain_option = click.option(
    "--plain", is_flag=True, expose_value=False, is_eager=True, callback=_be_plain,
    help="For logs: one fact a line, no colours, no boxes, nothing that moves.",
)  # fmt: skip


def with_plain(command: click.Command) -> click.Command:
    """Return a command with the option --plain."""
    if all(parameter.name != "plain" for parameter in command.params):
        plain_option(command)
    return command
