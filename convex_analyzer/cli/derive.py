"""``convex-analyzer derive``: a derivation from the update rule, every line checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from convex_analyzer.cli.options import json_option

__all__ = ["derive"]

_FORMATS = ("text", "latex", "typst", "html", "markdown")  # a test holds this against the package
_PAGES = (".pdf", ".png")
_MOST = 2
_STAND_IN = 0.5  # for a value that a class needs: derivations put a symbol in its place


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer derive
      convex-analyzer derive stability Nesterov
      convex-analyzer derive bias_correction Adam --out bias.html
      convex-analyzer derive equivalence HeavyBall TwoRateMomentum --as latex
      convex-analyzer derive convexity "log(1 + exp(x)) - x/3"
    """
)
@click.argument("topic", required=False)
@click.argument("about", nargs=-1, metavar="[OPTIMIZER | FORMULA]...")
@click.option("--as", "notation", type=click.Choice(_FORMATS), help="How it is printed.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it there: .txt .md .tex .typ .html, or .pdf .png.",
)
@click.option(
    "--optimizer-module",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PYTHON_FILE",
    help="Your own optimizers; the file is run.",
)
@json_option
def derive(
    topic: str | None,
    about: tuple[str, ...],
    notation: str | None,
    out: Path | None,
    optimizer_module: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Derive a TOPIC for an optimizer, line by line; without a TOPIC, list what there is.

    Every line is generated from the optimizer's own update rule and checked by a second route.
    """
    from convex_analyzer.cli.screen import is_plain, print_json, show, working
    from convex_analyzer.derivations.derive import derive as compute
    from convex_analyzer.derivations.topic import find_topic
    from convex_analyzer.errors import InputError

    if topic is None:
        show(compute.topics())
        return
    if len(about) > _MOST:
        raise InputError("derive takes a topic and at most two optimizers", argument="about")
    _check_target(out, notation, optimizer_module)
    subject = _subjects(find_topic(topic).takes, about, optimizer_module)
    with working(f"deriving {topic}"):
        derivation = compute(topic, *subject)
    if as_json:
        print_json(derivation.to_dict())
    elif out is None and notation is None and is_plain():
        show(derivation.sheet())
    elif out is None:
        from convex_analyzer.reporting.derivation_formats import print_derivation

        click.echo(print_derivation(derivation, notation or "text"))
    if out is not None:
        _write(derivation, out, notation)
        click.echo(f"wrote {out}", err=as_json)


def _subjects(takes: str, about: tuple[str, ...], modules: tuple[Path, ...]) -> list[Any]:
    """Return classes or instances for the names of optimizers; formulas stay text."""
    if takes == "formula":
        return list(about)
    from convex_analyzer.cli.inputs import classes_in
    from convex_analyzer.optimizers.parse import parse_optimizer

    extra = {key: cls for path in modules for key, cls in classes_in(path).items()}
    found = []
    for text in about:
        parsed = parse_optimizer(text, extra)
        found.append(_completed(*parsed) if isinstance(parsed, tuple) else parsed)
    return found


def _completed(cls: Any, given: dict[str, Any]) -> Any:
    """Return the class, or with values an instance."""
    needed = {name: _STAND_IN for name in cls.hyperparameters() if not hasattr(cls, name)}
    return cls(**{**needed, **given}) if given else cls


def _check_target(out: Path | None, notation: str | None, inputs: tuple[Path, ...]) -> None:
    """Refuse a file that cannot be written before any work is done."""
    if out is None:
        return
    from convex_analyzer.cli.progress import ledger
    from convex_analyzer.files import check_target
    from convex_analyzer.reporting.derivation_formats import SUFFIXES
    from convex_analyzer.reporting.typst import check_installed

    known = () if notation else (*_PAGES, *SUFFIXES)
    check_target(out, inputs=inputs, suffixes=known, what="a derivation", option="--out")
    if out.suffix.lower() in _PAGES:
        check_installed()
    ledger.promise(out)


def _write(derivation: Any, out: Path, notation: str | None) -> None:
    from convex_analyzer.reporting import derivation_formats as formats
    from convex_analyzer.reporting.derivation_page import derivation_document

    if out.suffix.lower() == ".pdf":
        from convex_analyzer.reporting.typst import write_pdf

        write_pdf(derivation_document(derivation), out)
    elif out.suffix.lower() == ".png":
        from convex_analyzer.reporting.typst import write_png

        write_png(derivation_document(derivation), out)
    else:
        formats.write_derivation(derivation, out, notation)
