"""The last page: pictures, the recap table with its evidence, conventions, reproduction."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.diagnosis.recap import Recap
from convex_analyzer.notation import DIAGNOSIS_VERDICTS, legend
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

__all__ = ["python_call", "recap_blocks"]

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
        Note(f"Kinds of numbers. {legend()}. Verdicts. {_verdicts()}."),
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
        Column("evidence here", width=0.34),
        Column("verdict", width=0.1),
        Column("workaround", width=0.3),
    )
    caption = f"The recap table of lecture 001 (slide 41), filled for {table.subject}."
    return Table(columns, rows, caption=caption)


def _conventions(comparison: Comparison) -> list[tuple[str, str]]:
    sources = dict.fromkeys(
        f"{type(entry.optimizer).__name__}: {entry.optimizer.source or 'not stated'}"
        for entry in comparison.entries
    )
    rules = {type(entry.optimizer).__name__ for entry in comparison.entries}
    forms = [
        "gap: J − J*, relative to its first value; ρ is the factor of the error, ρ² of the loss"
    ]
    if rules & {"HeavyBall", "Nesterov"}:
        forms.append("momentum: v ← μv − α∇J, θ ← θ + v, the learning rate inside the velocity")
    if "Nesterov" in rules:
        forms.append("Nesterov: ∇J at θ + μv; the iterate is reported")
    return [
        ("conventions", "; ".join(forms)),
        ("sources", "; ".join(sources)),
        ("made with", f"{_versions()}; input sha256 {input_hash(comparison)[:16]}"),
    ]


def _verdicts() -> str:
    return "; ".join(f"{name}: {meaning}" for name, meaning in DIAGNOSIS_VERDICTS.items())


def _versions() -> str:
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
    depth = f", level={level!r}" if level != "brief" else ""
    rules = ", ".join(_rule(entry) for entry in comparison.entries)
    return f"ca.report(ca.compare(problem, [{rules}]{extra}), path{depth})"


def _rule(entry: Entry) -> str:
    rule, name = entry.optimizer, type(entry.optimizer).__name__
    ours = type(rule).__module__.startswith("convex_analyzer.")
    tuned = entry.analysis.tuned if entry.analysis else ()
    given = {n: v for n, v in rule.values.items() if n not in tuned}
    prefix = "ca." if ours else ""
    if not tuned:
        return f"{prefix}{rule!r}"
    return f"({prefix}{name}, {given!r})" if given else f"{prefix}{name}"
