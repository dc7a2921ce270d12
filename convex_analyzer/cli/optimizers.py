"""``convex-analyzer optimizers``: what there is."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import json_option

if TYPE_CHECKING:
    from convex_analyzer.optimizers.base import Optimizer

__all__ = ["optimizers"]


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer optimizers
      convex-analyzer optimizers HeavyBall
    """
)
@click.argument("name", required=False)
@click.option(
    "--optimizer-module",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PYTHON_FILE",
    help="Your own optimizers; the file is run.",
)
@json_option
def optimizers(name: str | None, optimizer_module: tuple[Path, ...], as_json: bool) -> None:
    """List the optimizers; with a NAME, show its rule, its hyper-parameters and its source."""
    from convex_analyzer.cli.inputs import classes_in
    from convex_analyzer.cli.screen import print_json, say, show
    from convex_analyzer.optimizers import find, registered
    from convex_analyzer.tables import Table

    extra = {key: cls for path in optimizer_module for key, cls in classes_in(path).items()}
    classes = {**registered(), **extra}
    if name is not None:
        classes = {cls.__name__: cls for cls in (find(name, extra),)}
    if as_json:
        print_json([_plain(cls) for cls in classes.values()])
        return
    if name is not None:
        _show_one(*classes.values())
        return
    rows = tuple((key, _settings(cls), _sentence(cls)) for key, cls in classes.items())
    show(Table(("optimizer", "hyper-parameters", "what it is"), rows, left=3))
    say()
    say("convex-analyzer optimizers NAME shows the rule. Left-out hyper-parameters are tuned.")


def _sentence(cls: type[Optimizer]) -> str:
    text = inspect.getdoc(cls) or ""
    return text.partition("\n\n")[0].replace("\n", " ").rstrip(".")


def _settings(cls: type[Optimizer]) -> str:
    from convex_analyzer.notation import symbol_of

    return ", ".join(f"{key} {symbol_of(key)}" for key in cls.hyperparameters()) or "none"


def _show_one(cls: type[Optimizer]) -> None:
    from convex_analyzer.cli.screen import say, show
    from convex_analyzer.notation import symbol_of
    from convex_analyzer.tables import Table

    say(f"{cls.__name__}: {_sentence(cls)}.", bold=True)
    rest = (inspect.getdoc(cls) or "").partition("\n\n")[2].partition("\nParameters\n")[0]
    if rest.strip():
        say(" ".join(rest.split()))
    say()
    rows = tuple(
        (key, symbol_of(key), domain.sentence, str(domain.usual))
        for key, domain in cls.hyperparameters().items()
    )
    show(Table(("hyper-parameter", "symbol", "must be", "usual"), rows, left=4))
    say()
    rule = _rule(cls)
    if rule:
        say("The rule, as it is run and analysed:")
        click.echo(rule)
        say()
    if cls.aliases:
        say(f"Also called: {', '.join(cls.aliases)}.")
    say(f"State besides θ: {', '.join(cls.memory) or 'none'}.")
    say(f"Source: {cls.source or 'not stated'}.")


def _rule(cls: type[Optimizer]) -> str:
    """Return the body of `step` as it stands in the source, indented."""
    import textwrap

    try:
        source = textwrap.dedent(inspect.getsource(cls.step))
    except OSError:
        return ""
    body = textwrap.dedent(source.partition(":\n")[2]).strip()
    return textwrap.indent(body, "    ")


def _plain(cls: type[Optimizer]) -> dict[str, Any]:
    return {
        "name": cls.__name__,
        "aliases": list(cls.aliases),
        "summary": _sentence(cls),
        "hyperparameters": {
            key: {"must_be": domain.sentence, "usual": str(domain.usual)}
            for key, domain in cls.hyperparameters().items()
        },
        "memory": list(cls.memory),
        "period": cls.period,
        "source": cls.source,
    }
