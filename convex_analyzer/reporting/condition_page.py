"""The report on a condition number: where it comes from, what it costs, what each remedy buys."""

from __future__ import annotations

import math

from convex_analyzer.conditioning.cost import OPTIMIZERS
from convex_analyzer.conditioning.fixes import Bought
from convex_analyzer.conditioning.results import CAUSES, ConditionAnalysis
from convex_analyzer.conditioning.wording import share, topics
from convex_analyzer.plot.figures.kappa_split import finding, kappa_split_data
from convex_analyzer.reporting.document import (
    Block,
    Bold,
    Card,
    Cards,
    CodeBlock,
    Column,
    Document,
    Heading,
    KeyValues,
    Kind,
    Note,
    PageBreak,
    Paragraph,
    Table,
    Title,
)
from convex_analyzer.reporting.figures import drawn
from convex_analyzer.reporting.recap_page import versions
from convex_analyzer.tables import format_count, format_number, join_words

__all__ = ["condition_document"]

_NAMES = 6  # columns that are named at the top, with the last two
_KEPT, _FEW = 8.0, 4.0  # digits left of 16 that are enough, and that are too few (heuristic)


def condition_document(
    analysis: ConditionAnalysis, level: str = "brief", command: str | None = None
) -> Document:
    """Return the report on a condition number as a document.

    Parameters
    ----------
    analysis
        What `condition` returned.
    level
        ``"brief"``: two pages; ``"teach"`` and ``"full"``: also κ of every view of the data.
    command
        The command that reproduces it; a Python call is shown when left out.
    """
    title = f"Condition report: {analysis.name}"
    blocks: list[Block] = [
        Title(title, _subtitle(analysis)),
        KeyValues(_echo(analysis), columns=1),
        _cards(analysis),
        Heading("Where the condition number comes from"),
        drawn("kappa_split", analysis),
        *_columns(analysis),
        PageBreak(unless_free=0.85),
        Heading("What each remedy buys"),
        drawn("remedy_steps", analysis),
        _remedies(analysis),
        *_remarks(analysis),
    ]
    if level != "brief":
        blocks += _views(analysis)
    depth = "" if level == "brief" else f", level={level!r}"
    call = command or f"ca.report({_call(analysis)}, path{depth})"
    blocks += [Heading("Reproduction"), CodeBlock(call), Note(f"Made with {versions()}.")]
    return Document(title, blocks, footer="convex_analyzer")


def _call(analysis: ConditionAnalysis) -> str:
    tolerance = "" if analysis.tolerance == 1e-6 else f", tolerance={analysis.tolerance!r}"
    start = ", start=start" if analysis.start_name == "the start as given" else ""
    return f"ca.condition(problem{start}{tolerance})"


# -- page 1 ---------------------------------------------------------------------------------------


def _subtitle(analysis: ConditionAnalysis) -> tuple[str, ...]:
    size = len(analysis.labels)
    shape = f"d = {size:,}" if analysis.rows is None else f"{analysis.rows:,} rows × {size} columns"
    return (shape, f"start: {analysis.start_name}")


def _echo(analysis: ConditionAnalysis) -> list[tuple[str, str]]:
    items = []
    if analysis.rows is not None:
        names = list(analysis.labels)
        some = [*names[:_NAMES], "…", *names[-2:]]
        shown = names if len(names) <= len(some) else some
        items.append(("columns", ", ".join(shown)))
    number, _, powers = " ".join(topics(analysis)["number"]).partition("; its powers of ten: ")
    items.append(("condition number", number))
    return [*items, ("its powers of ten", powers.rstrip("."))] if powers else items


def _cards(analysis: ConditionAnalysis) -> Cards:
    said = topics(analysis)
    solve = " ".join(said["solve"])
    kept = analysis.digits.kept
    kind: Kind = "ok" if kept >= _KEPT else "warn" if kept >= _FEW else "bad"
    training = " ".join((*said["training"], *said["advice"]))
    return Cards(
        (
            _cause(analysis),
            Card(kind, _solve(analysis), solve),
            Card("ok" if analysis.is_cheap else "warn", _training(analysis), training),
        )
    )


def _cause(analysis: ConditionAnalysis) -> Card:
    kinds: dict[str, Kind] = {"harmless": "ok", "collinearity": "bad"}
    cause = analysis.cause
    text = f"{CAUSES[cause][0].upper()}{CAUSES[cause][1:]}. {finding(kappa_split_data(analysis))}."
    return Card(kinds.get(cause, "warn"), f"{cause.capitalize()}.", text)


def _solve(analysis: ConditionAnalysis) -> str:
    kept = analysis.digits.kept
    solve = "A direct solve" if analysis.rows is None else "A direct solve by QR"
    if kept >= _KEPT:
        return f"{solve} is safe."
    return f"{solve} is rough." if kept >= _FEW else f"{solve} is not to be trusted."


def _training(analysis: ConditionAnalysis) -> str:
    if all(count is None for count in analysis.given.steps.values()):
        return "Training never ends."
    return "Training is cheap." if analysis.is_cheap else "Training is slow."


def _columns(analysis: ConditionAnalysis) -> list[Block]:
    """Return which columns collide, for data."""
    found = analysis.collinearity
    if found is None or len(found.labels) < 2:
        return []
    said = topics(analysis)["columns"]
    blocks: list[Block] = [Heading("Which columns collide"), drawn("collisions", analysis)]
    return [*blocks, Paragraph(" ".join(said))] if said else blocks


# -- page 2 ---------------------------------------------------------------------------------------


def _remedies(analysis: ConditionAnalysis) -> Table:
    best = None if analysis.advice is None else analysis.advice[0]
    rows = [_row(entry, best) for entry in analysis.remedies]
    columns = (
        Column("remedy", width=0.2),
        Column("κ(A)", "right", 0.11),
        *(
            Column(name, "right", width)
            for name, width in (
                ("gradient descent", 0.12),
                ("heavy ball", 0.11),
                ("Nesterov", 0.11),
                ("CG", 0.06),
            )
        ),
        Column("price", width=0.29),
    )
    goal = format_number(analysis.tolerance)
    caption = (
        f"Steps to {goal} of the first gap, every optimizer tuned for the changed problem: "
        "gradient descent with the better of α = 2/(λmin + λmax) and 1/λmax; conjugate gradients "
        "(CG) as in exact arithmetic. Bold: the least effort that helps."
    )
    return Table(columns, rows, caption=caption, note=_refused(analysis))


def _row(entry: Bought, best: Bought | None) -> tuple[str | Bold, ...]:
    price = entry.price + (f" {share(entry.bias)}" if entry.bias else "")
    counts = (format_count(entry.steps[rule.__name__]) for rule in OPTIMIZERS)
    cells = (entry.title, format_number(entry.kappa, 4), *counts, price)
    return tuple(Bold(cell) for cell in cells) if entry is best else cells


def _refused(analysis: ConditionAnalysis) -> str:
    if not analysis.refused:
        return ""
    reasons: dict[str, list[str]] = {}
    for entry in analysis.refused:
        reasons.setdefault(entry.why.rstrip("."), []).append(entry.title)
    parts = [f"{join_words(titles)}: {why}" for why, titles in reasons.items()]
    return f"Not applied. {'; '.join(parts)}."


def _remarks(analysis: ConditionAnalysis) -> list[Block]:
    said = topics(analysis)["limits"]
    return [Heading("Worth knowing"), *(Paragraph(sentence) for sentence in said)] if said else []


def _views(analysis: ConditionAnalysis) -> list[Block]:
    """Return κ of every view of the data, own model or not."""
    rows = []
    for view in analysis.split.views:
        data = "–" if view.kappa_of_data is None else format_number(view.kappa_of_data, 6)
        model = "the given one" if view.same_model else "another one"
        whole = "some directions are not determined" if view.is_singular else "every direction"
        rows.append((view.name, format_number(view.kappa, 6), data, model, whole))
    parts = [
        f"{p.cause} {'∞' if math.isinf(p.decades) else format_number(p.decades, 3)}"
        for p in analysis.split.shares
    ]
    columns = (
        Column("view"),
        Column("κ(A)", "right"),
        Column("κ(X)", "right"),
        Column("model"),
        Column("over"),
    )
    caption = f"κ in the 2-norm. In powers of ten of κ(A): {', '.join(parts)}."
    return [
        PageBreak(unless_free=0.5),
        Heading("Every view"),
        Table(columns, rows, caption=caption),
    ]
