"""``convex-analyzer optimizers``: what there is, and all about one of them."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import json_option

if TYPE_CHECKING:
    from convex_analyzer.reporting.catalogue import Family, FieldNote, Profile

__all__ = ["optimizers"]

_NARROW, _WIDE = 66, 120  # what is printed is never narrower or wider
_NAME, _THEORY = 24, 18  # widths of the columns of the list
_LONGEST = 10_000  # letters of a line of a log
_ROOMY = 110  # from here on there is a column for sources
_FORMULA = re.compile(r"\S+ (←|=) ")  # how a line that is a formula begins


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
    """List the optimizers; with a NAME, show its rule, its settings, its theory and its source."""
    from convex_analyzer.cli.inputs import classes_in
    from convex_analyzer.cli.screen import is_plain, print_json, working
    from convex_analyzer.optimizers import find, registered
    from convex_analyzer.progress import each
    from convex_analyzer.reporting.catalogue import families, profile

    extra = {key: cls for path in optimizer_module for key, cls in classes_in(path).items()}
    classes = {**registered(), **extra}
    if name is not None:
        classes = {cls.__name__: cls for cls in (find(name, extra),)}
    if as_json:
        with working("describing optimizers"):
            told = [_plain(profile(cls)) for cls in each(classes.values(), "describing")]
        print_json(told)
        return
    width = min(max(shutil.get_terminal_size((100, 24)).columns, _NARROW), _WIDE)
    if is_plain():
        width = _LONGEST
    if name is not None:
        (cls,) = classes.values()
        lines = _description(profile(cls), width)
    else:
        with working("describing optimizers"):
            groups = families(classes)
        lines = _facts(groups) if is_plain() else _list(groups, width)
    for line in lines:
        if line or not is_plain():
            click.echo(line)


# -- the list -------------------------------------------------------------------------------------


def _list(groups: tuple[Family, ...], width: int) -> Iterator[str]:
    """Yield the lines of the list: two or three for each optimizer."""
    from convex_analyzer.reporting.catalogue import THEORIES

    roomy = width >= _ROOMY
    head = _row("optimizer", "theory", "state besides θ", "source" if roomy else "", width)
    yield _bold(f"{sum(len(group.members) for group in groups)} optimizers")
    yield ""
    yield head
    yield _dim("─" * width)
    for group in groups:
        yield ""
        text = f"{group.title}: {group.sentence}" if group.sentence else group.title
        first, *rest = _wrapped(text, width)
        yield _bold(group.title) + first.removeprefix(group.title)
        yield from rest
        for one in group.members:
            source = one.cls.source.partition(";")[0] if roomy else ""
            row = _row(one.name, one.theory.kind, one.state, source, width)
            yield "  " + _bold(one.name) + row[2 + len(one.name) :]
            yield from (_dim(line) for line in _wrapped(_sentences(one), width, "      "))
    yield ""
    used = {one.theory.kind for group in groups for one in group.members}
    for kind in THEORIES:
        if kind in used:
            first, *rest = _wrapped(f"{THEORIES[kind]}.", width, " " * (_THEORY + 2))
            yield f"  {kind:<{_THEORY}}" + first.lstrip()
            yield from rest
    yield ""
    yield "convex-analyzer optimizers NAME shows the rule and all settings."


def _facts(groups: tuple[Family, ...]) -> Iterator[str]:
    """Yield the list for a log: a fact a line."""
    for group in groups:
        for one in group.members:
            yield f"{one.name}, family: {group.title}"
            yield f"{one.name}, theory: {one.theory.kind}"
            yield f"{one.name}, state: {one.state}"
            yield f"{one.name}, rule: {_sentences(one)}"


def _sentences(one: Profile) -> str:
    """Return what a rule is, and why there is no theory for one that has none."""
    why = f" Simulated only: {one.theory.why}." if one.theory.kind == "simulated only" else ""
    return f"{one.sentence}{why}"


def _row(name: str, theory: str, state: str, source: str, width: int) -> str:
    """Return the columns of one optimizer on one line, the last one shortened to fit."""
    line = f"  {name:<{_NAME}}{theory:<{_THEORY}}"
    if source:
        line += f"{_shortened(state, 34):<36}"
        return line + _shortened(source, width - len(line))
    return line + _shortened(state, width - len(line))


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1].rstrip(" ,") + "…"


# -- one optimizer --------------------------------------------------------------------------------


def _description(one: Profile, width: int) -> Iterator[str]:
    """Yield all that there is to say about one optimizer."""
    yield from map(_bold, _wrapped(f"{one.name}: {one.summary}.", width))
    for paragraph in _paragraphs(one.details):
        yield ""
        for line in paragraph:
            hanging = "  " if line.startswith("- ") else ""
            yield from textwrap.wrap(line, width, subsequent_indent=hanging)
    yield ""
    yield _bold("Settings")
    for note in one.fields:
        yield from _setting(note, width)
    if not one.fields:
        yield "  none"
    yield from _rule(one)
    yield ""
    yield _bold("On the command line")
    for call, meaning in _commands(one):
        yield f"    {call}"
        yield _dim(f"      {meaning}")
    yield ""
    told = [
        f"State besides θ: {one.state}.",
        _theory(one),
        "It draws random numbers; a seed repeats a run." if one.example.random else "",
        f"Also called: {', '.join(one.cls.aliases)}." if one.cls.aliases else "",
        f"Source: {one.cls.source or 'not stated'}.",
    ]
    for sentence in filter(None, told):
        yield from _wrapped(sentence, width, hanging="  ")


def _theory(one: Profile) -> str:
    from convex_analyzer.reporting.limits import stability_of

    why, limit = one.theory.why, stability_of(one.example)
    where = {"near the minimum": "Next to the minimum it", "in the limit": "In the limit it"}
    text = f"Theory: {one.theory.kind}."
    text += f" {why[:1].upper()}{why[1:]}." if why else ""
    return text + (f" {where.get(one.theory.kind, 'It')} is {limit}." if limit else "")


def _setting(note: FieldNote, width: int) -> Iterator[str]:
    symbol = f"  {note.symbol}" if note.symbol != note.name else ""
    usual = f", usually in {note.usual}" if note.usual else ""
    default = f"default {note.default}" if note.default else "no default"
    head = f"  {_bold(note.name)}{symbol}   {note.must_be}{usual}; {default}"
    yield head
    if note.meaning:
        yield from (_dim(line) for line in _wrapped(note.meaning, width, "      "))


def _rule(one: Profile) -> Iterator[str]:
    """Yield the rule as formulas, where it is a handful of them, and as it stands in its file."""
    from convex_analyzer.derivations.rule import rule_source

    formulas = _formulas(one)
    if formulas:
        yield ""
        yield _bold("The rule in formulas") + ", x[t] being x after step t:"
        yield from (f"    {line}" for line in formulas)
    source = rule_source(one.cls)
    if source:
        yield ""
        yield _bold("The rule as it is run") + " and analysed:"
        yield textwrap.indent(source, "    ")


def _formulas(one: Profile) -> list[str]:
    from convex_analyzer.derivations.rule import write_rule
    from convex_analyzer.errors import NotDerivableError
    from convex_analyzer.reporting.rule_math import rule_lines

    try:
        return rule_lines(write_rule(one.example))
    except NotDerivableError:
        return []


def _commands(one: Profile) -> Iterator[tuple[str, str]]:
    """Yield how to ask for the optimizer, and what one then gets."""
    if one.inside:
        yield f"-o '{one.call}'", "what is left out has its default"
        return
    names = list(one.cls.hyperparameters())
    linear = one.theory.kind == "closed form"
    if "learning_rate" in names and not linear:
        yield f"-o {one.name}", "with the learning rate that does best in runs"
    else:
        yield (
            f"-o {one.name}",
            "tuned for the problem" if names and linear else "it has its defaults",
        )
    if names:
        value = f"{one.example.values[names[0]]:.4g}"
        rest = "what is left out is tuned" if linear else "what is left out has its default"
        yield f"-o {one.name}:{names[0]}={value}", rest


def _paragraphs(text: str) -> Iterator[list[str]]:
    """Yield paragraphs as lists of lines; only formulas and items of lists keep their lines."""
    for part in re.split(r"\n\n", text):
        lines = [line for line in part.split("\n") if line.strip()]
        formulas = all(_FORMULA.match(line) for line in lines)
        if not lines:
            continue
        if formulas or part.startswith("- "):
            items: list[str] = []
            for line in lines:
                if items and line.startswith(" "):  # goes on with the item above
                    items[-1] += f" {line.strip()}"
                else:
                    items.append(line.strip())
            yield items
        else:
            yield [" ".join(line.strip() for line in lines)]


def _wrapped(text: str, width: int, indent: str = "", hanging: str = "") -> list[str]:
    """Break text into as few lines as there must be, none of them a single word."""
    layout: dict[str, Any] = {
        "initial_indent": indent, "subsequent_indent": indent + hanging,
        "break_long_words": False, "break_on_hyphens": False,
    }  # fmt: skip
    text = re.sub(r" ([<=≤≥←]) ", "\u00a0\\1\u00a0", text)  # what it relates stays on its line
    lines = textwrap.wrap(text, width, **layout)
    for narrower in range(width - 1, width // 2, -1):
        tighter = textwrap.wrap(text, narrower, **layout)
        if len(tighter) > len(lines) or len(lines[-1].strip()) > (width - len(indent)) // 3:
            break
        lines = tighter
    return [line.replace("\u00a0", " ") for line in lines]


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _dim(text: str) -> str:
    return click.style(text, dim=True)


# -- data -----------------------------------------------------------------------------------------


def _plain(one: Profile) -> dict[str, Any]:
    """Return plain data; `rule` holds formulas, or is empty."""
    from convex_analyzer.reporting.limits import stability_of

    return {
        "name": one.name,
        "family": one.family,
        "aliases": list(one.cls.aliases),
        "summary": one.summary,
        "hyperparameters": {
            key: {"must_be": domain.sentence, "usual": str(domain.usual)}
            for key, domain in one.cls.hyperparameters().items()
        },
        "fields": {
            note.name: {
                "symbol": note.symbol,
                "must_be": note.must_be,
                "default": note.default or None,
                "meaning": note.meaning,
            }
            for note in one.fields
        },
        "memory": list(one.memory),
        "inside": one.inside or None,
        "period": one.example.cycle,
        "random": one.example.random,
        "theory": {
            "kind": one.theory.kind,
            "why": one.theory.why,
            "stability": stability_of(one.example),
        },
        "rule": _formulas(one),
        "example": one.example.to_dict(),
        "call": one.call,
        "source": one.cls.source,
    }
