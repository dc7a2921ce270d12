"""The report on simulated runs: one rule at many settings, from one start or from many."""

from __future__ import annotations

import numpy as np

from convex_analyzer.notation import symbol_of
from convex_analyzer.plot.figures.sweep import SweepData, finding, sweep_data
from convex_analyzer.reporting.document import (
    Block,
    Card,
    Cards,
    CodeBlock,
    Column,
    Document,
    Heading,
    Note,
    Table,
    Title,
)
from convex_analyzer.reporting.figures import drawn
from convex_analyzer.reporting.recap_page import versions
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.tables import format_count, format_number

__all__ = ["sweep_document"]

_BEST = 8  # runs in the table


def sweep_document(
    trajectory: Trajectory, level: str = "brief", command: str | None = None
) -> Document:
    """Return the report on simulated runs as a document.

    Parameters
    ----------
    trajectory
        What `simulate` returned, with any number of runs.
    level
        ``"brief"``: the eight best settings; ``"teach"`` and ``"full"``: up to a hundred.
    command
        The command that reproduces it; a Python call is shown when left out.
    """
    data = sweep_data(trajectory)
    name = type(trajectory.optimizer).__name__
    title = f"Runs of {name}"
    lost = int(data.diverged.sum())
    card = Card("ok" if not lost else "warn", "What the runs show.", f"{finding(data)}.")
    facts = (
        f"{format_count(data.last.size)} runs of {format_count(trajectory.steps)} steps",
        f"{format_count(lost)} end above their start" if lost else "none ends above its start",
    )
    blocks: list[Block] = [
        Title(title, facts),
        Cards((card,)),
        Heading("Over the settings" if data.names else "Over the steps"),
        drawn("sweep", trajectory),
        *_best(data, _BEST if level == "brief" else 100),
        Heading("Reproduction"),
        CodeBlock(command or f"ca.report(ca.simulate(problem, {name}(...), start, "
                  f"{trajectory.steps}), path)"),
        Note(f"Every loss is simulated. Made with {versions()}."),
    ]  # fmt: skip
    return Document(title, blocks, footer="convex_analyzer")


def _best(data: SweepData, most: int) -> list[Block]:
    if not data.names:
        return []
    order = np.argsort(np.where(data.diverged, np.inf, data.last), kind="stable")[:most]
    lost = bool(data.diverged[order].any())
    rows = [
        (
            *(format_number(float(values[i]), 4) for values in data.values),
            format_number(float(data.last[i]), 3),
            *(["above its start" if data.diverged[i] else ""] if lost else []),
        )
        for i in order
    ]
    columns = (
        *(Column(f"{name.replace('_', ' ')} {symbol_of(name)}", "right") for name in data.names),
        Column("last loss", "right"),
        *([Column("outcome")] if lost else []),
    )
    return [Table(columns, rows, caption="The settings that end lowest.")]
