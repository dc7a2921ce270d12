"""Score the diagnosis on labelled runs: ``python -m benchmarks.diagnosis.score_runs FOLDER...``.

A folder holds ``manifest.json``, ``answers.json`` and ``cases/<id>.npz``, as written by
``benchmarks.diagnosis.make_runs``. For each view of the runs (full log, loss curve only, every
10th step, epoch means, smoothed) it prints: strict and accepted shares, false alarms on healthy
runs, the confusion matrix, and how often verdicts of each confidence are right. ``--docs FILE``
writes these tables between the marks of that file; ``--wrong`` lists the misjudged runs.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convex_analyzer.diagnosis.evidence import Evidence
from convex_analyzer.diagnosis.ranking import rank
from convex_analyzer.diagnosis.readers.entry import read
from convex_analyzer.diagnosis.reading import Reading

SHORT = {
    "incorrect_gradient": "gradient",
    "local_optimum": "local opt.",
    "symmetry": "symmetry",
    "slow_progress": "slow",
    "instability": "unstable",
    "oscillation": "oscill.",
    "fluctuation": "fluct.",
    "dead_or_saturated_units": "units",
    "ill_conditioning": "ill-cond.",
    "plateau": "plateau",
    "saddle": "saddle",
    "healthy": "healthy",
}
VIEWS = ("full", "loss_only", "every_10th", "epoch_means", "smoothed")
_BINS = (0.0, 0.4, 0.6, 0.8, 0.9, 1.0001)
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Judged:
    """One run: its proved label, what else counts as right, and the verdict."""

    case: str
    label: str
    accept: tuple[str, ...]
    verdict: str
    confidence: float
    ranked: tuple[tuple[str, float], ...]

    @property
    def right(self) -> bool:
        """Whether the verdict is among the accepted labels."""
        return self.verdict in self.accept


def evidence_of(folder: Path, case: str, meta: dict[str, Any], view: str) -> Evidence:
    """Return one run's evidence as a view shows it."""
    if view == "full":
        return read(folder / "cases" / f"{case}.npz", meta=meta)
    if view == "loss_only":
        whole = read(folder / "cases" / f"{case}.npz", meta=meta)
        loss = whole.loss
        return Evidence(loss=loss, batch_loss=None if loss is not None else whole.batch_loss)
    return read(folder / "views" / view / f"{case}.npz", meta=meta)


def judge(folder: Path, view: str) -> Iterator[Judged]:
    """Diagnose every run of a folder."""
    manifest = json.loads((folder / "manifest.json").read_text())["cases"]
    answers = json.loads((folder / "answers.json").read_text())["labels"]
    for case, answer in answers.items():
        ranked, _ = rank(Reading(evidence_of(folder, case, manifest[case], view)))
        candidates = [each for each in ranked if each.row.fault or each.row.name == "healthy"]
        yield Judged(
            case,
            answer["label"],
            tuple(answer["accept"]),
            candidates[0].row.name,
            candidates[0].confidence,
            tuple((each.row.name, each.confidence) for each in candidates[:4]),
        )


def scores(judged: Sequence[Judged]) -> dict[str, float]:
    """Return strict and accepted shares and the share of false alarms on healthy runs."""
    healthy = [each for each in judged if each.label == "healthy"]
    return {
        "runs": len(judged),
        "strict": sum(each.verdict == each.label for each in judged) / len(judged),
        "accepted": sum(each.right for each in judged) / len(judged),
        "healthy": len(healthy),
        "false alarms": sum(not each.right for each in healthy) / max(len(healthy), 1),
        "strict alarms": sum(each.verdict != "healthy" for each in healthy) / max(len(healthy), 1),
    }


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def summary_table(by_view: dict[str, list[Judged]]) -> str:
    """Return the scores of each view as Markdown."""
    lines = [
        (
            "| evidence | runs | right (strict) | right (accepted) | "
            "false alarms on healthy runs (strict) |"
        ),
        "|---|---|---|---|---|",
    ]
    for view, judged in by_view.items():
        found = scores(judged)
        lines.append(
            f"| {view.replace('_', ' ')} | {found['runs']:.0f} | {_percent(found['strict'])} | "
            f"{_percent(found['accepted'])} | {_percent(found['false alarms'])} "
            f"({_percent(found['strict alarms'])}) of {found['healthy']:.0f} |"
        )
    return "\n".join(lines)


def confusion_table(judged: Sequence[Judged]) -> str:
    """Return the confusion matrix as Markdown: rows are proved labels, columns verdicts."""
    counts = Counter((each.label, each.verdict) for each in judged)
    names = [name for name in SHORT if any(name in pair for pair in counts)]
    head = "| proved \\ verdict | " + " | ".join(SHORT[name] for name in names) + " |"
    lines = [head, "|---" * (len(names) + 1) + "|"]
    for label in names:
        cells = [str(counts[label, verdict] or "·") for verdict in names]
        lines.append(f"| {SHORT[label]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def reliability_table(by_view: dict[str, list[Judged]]) -> str:
    """Return how often verdicts of each confidence are right, as Markdown."""
    spans = [f"{a:.1f} – {min(b, 1.0):.1f}" for a, b in itertools.pairwise(_BINS)]
    lines = ["| evidence | " + " | ".join(spans) + " |", "|---" * (len(spans) + 1) + "|"]
    for view, judged in by_view.items():
        cells = []
        for low, high in itertools.pairwise(_BINS):
            inside = [each.right for each in judged if low <= each.confidence < high]
            cells.append(f"{_percent(float(np.mean(inside)))} of {len(inside)}" if inside else "–")
        lines.append(f"| {view.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--views", default=",".join(VIEWS))
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--wrong", action="store_true")
    chosen = parser.parse_args()
    by_view = {
        view: [each for folder in chosen.folders for each in judge(folder, view)]
        for view in chosen.views.split(",")
        if view in {"full", "loss_only"}
        or all((f / "views" / view).is_dir() for f in chosen.folders)
    }
    first = next(iter(by_view))
    text = "\n\n".join(
        [
            summary_table(by_view),
            f"Confusion matrix, {first.replace('_', ' ')} log:",
            confusion_table(by_view[first]),
            "How often verdicts of each confidence are right:",
            reliability_table(by_view),
        ]
    )
    print(text)
    if chosen.wrong:
        for view, judged in by_view.items():
            for each in judged:
                if not each.right:
                    ranked = ", ".join(f"{name} {chance:.2f}" for name, chance in each.ranked)
                    print(f"{view} {each.case} {each.label}: {ranked}")
    if chosen.docs:
        whole = chosen.docs.read_text()
        before, rest = whole.split(BEGIN)
        after = rest.split(END)[1]
        chosen.docs.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
