"""The last page: pictures, the recap table with its evidence, conventions, reproduction."""

from __future__ import annotations

import hashlib
import importlib
import json
import platform
from collections.abc import Sequence
from typing import Any

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.diagnosis.recap import Recap
from convex_analyzer.domains import is_schedule
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.notation import DIAGNOSIS_VERDICTS
from convex_analyzer.optimizers.base import Optimizer, same_value
from convex_analyzer.reporting.document import (
    Block,
    Chip,
    CodeBlock,
    Column,
    Heading,
    KeyValues,
    Kind,
    Note,
    Table,
)
from convex_analyzer.results import to_plain

__all__ = ["call_text", "python_call", "recap_blocks", "versions"]

_MANY = 6  # rules, from which on only the first source of each is named
_KINDS: dict[str, Kind] = {
    "present": "bad",
    "possible": "warn",
    "absent": "ok",
    "not tested": "info",
}


def recap_blocks(
    comparison: Comparison, table: Recap, command: str, pictures: Sequence[Block]
) -> list[Block]:
    """Return the blocks of the last page."""
    blocks: list[Block] = []
    if pictures:
        blocks += [Heading("What it looks like"), *pictures]
    blocks += [Heading("Problem, diagnosis, workaround"), _table(table)]
    if table.untested:
        blocks.append(Note(table.untested_sentence()))
    blocks += [
        Heading("Conventions and reproduction"),
        KeyValues(_conventions(comparison)),
        CodeBlock(command),
        Note(f"Predicted: by formula; simulated: by running the optimizer. {_verdicts()}."),
    ]
    return blocks


def _table(table: Recap) -> Table:
    rows = [
        (
            row.problem,
            row.diagnostic,
            found.evidence,
            Chip(_KINDS[found.verdict], found.verdict),
            f"{row.workaround}: {found.prediction}" if found.prediction else row.workaround,
        )
        for row, found in table.tested
    ]
    columns = (
        Column("problem", width=0.12),
        Column("diagnostic", width=0.14),
        Column("evidence here", width=0.31),
        Column("verdict", width=0.09),
        Column("workaround", width=0.34),
    )
    caption = f"The recap table of lecture 001 (slide 41), filled for {table.subject}."
    return Table(columns, rows, caption=caption)


def _conventions(comparison: Comparison) -> list[tuple[str, str]]:
    many = len(comparison.entries) > _MANY
    sources = dict.fromkeys(_source(entry.optimizer, short=many) for entry in comparison.entries)
    rules = {type(entry.optimizer).__name__ for entry in comparison.entries}
    gap = "J − J*"
    if comparison.problem.why_no_minimum:
        gap = "J less its value at the critical point (at the start where there is none)"
    forms = [
        f"gap: {gap}, relative to its first value; ρ is the factor of the error, ρ² of the loss"
    ]
    if rules & {"HeavyBall", "Nesterov"}:
        forms.append("momentum: v ← μv − α∇J, θ ← θ + v, the learning rate inside the velocity")
    if "Nesterov" in rules:
        forms.append("Nesterov: ∇J at θ + μv; the iterate is reported")
    return [
        ("conventions", "; ".join(forms)),
        ("sources", "; ".join(sources)),
        ("made with", f"{versions()}; input sha256 {input_hash(comparison)[:16]}"),
    ]


def _source(rule: Optimizer, *, short: bool) -> str:
    """Return where a rule is from; in short, the first place only."""
    source = rule.source or "not stated"
    return f"{type(rule).__name__}: {source.partition(';')[0] if short else source}"


def _verdicts() -> str:
    said = "; ".join(f"{name}: {meaning}" for name, meaning in DIAGNOSIS_VERDICTS.items())
    return f"Verdicts: {said}"


def versions() -> str:
    """Return what a report was made with."""
    from importlib.metadata import version

    names = ("convex-analyzer", "numpy", "scipy", "sympy", "matplotlib")
    return ", ".join([f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in names)])


def input_hash(comparison: Comparison) -> str:
    """Return a hash of problem, start and settings: equal inputs, equal reports."""
    data = {
        "problem": comparison.problem.to_dict(),
        "eigenvalues": to_plain(comparison.spectrum.eigenvalues),
        "start": to_plain(comparison.start),
        "optimizers": [entry.optimizer.to_dict() for entry in comparison.entries],
    }
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def python_call(comparison: Comparison, level: str = "brief") -> str:
    """Return the call that makes this report: a class where it was tuned, else its settings."""
    extra = ", start=start" if comparison.start_name == "as given" else ""
    if comparison.tolerance != 1e-6:
        extra += f", tolerance={comparison.tolerance!r}"
    noise = comparison.entries[0].trajectory.noise
    if isinstance(noise, MiniBatch | AdditiveNoise):
        extra += f", noise=ca.{noise!r}, steps={int(comparison.entries[0].steps[-1])}"
    depth = f", level={level!r}" if level != "brief" else ""
    rules = ", ".join(_rule(entry) for entry in comparison.entries)
    return f"ca.report(ca.compare(problem, [{rules}]{extra}), path{depth})"


def _rule(entry: Entry) -> str:
    rule, tuned = entry.optimizer, entry.tuned
    if not tuned:
        return call_text(rule)
    given = {n: v for n, v in _told(rule).items() if n not in tuned}
    if not given:
        return _home(rule)
    inner = ", ".join(f"{name!r}: {call_text(value)}" for name, value in given.items())
    return f"({_home(rule)}, {{{inner}}})"


def _home(value: Any) -> str:
    """Return how a class of ours is reached after ``import convex_analyzer as ca``."""
    name, module = type(value).__name__, type(value).__module__
    if not module.startswith("convex_analyzer."):
        return name
    public = importlib.import_module("convex_analyzer").__all__  # by name: it is the top layer
    if name in public:
        return f"ca.{name}"
    return f"ca.{module.split('.')[1]}.{name}"  # ca.optimizers, ca.schedules


def _told(rule: Optimizer) -> dict[str, Any]:
    """Return the fields that an instance does not have by itself."""
    defaults = {field.name: field.default for field in rule.fields()}
    return {n: v for n, v in rule.values.items() if not same_value(v, defaults[n])}


def call_text(value: Any) -> str:
    """Return the Python that makes a value: a number, an optimizer, a schedule."""
    if isinstance(value, Optimizer):
        inner = ", ".join(f"{name}={call_text(one)}" for name, one in _told(value).items())
        return f"{_home(value)}({inner})"
    if is_schedule(value):
        return f"{_home(value)}({repr(value).partition('(')[2]}"
    return repr(value)
