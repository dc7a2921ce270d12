"""Fit the two numbers that turn weights into chances: ``... calibrate FOLDER...``.

For each amount of evidence: the sharpness and the weight of doubt that make the proved labels of
the calibration set likeliest (logarithmic score; every accepted label counts as proved). The
numbers are printed, to be put into ``convex_analyzer.diagnosis.ranking``.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np

from benchmarks.diagnosis.score_runs import VIEWS, evidence_of
from convex_analyzer.diagnosis.findings import Row
from convex_analyzer.diagnosis.ranking import amount, chances_of, weigh
from convex_analyzer.diagnosis.reading import Reading

Case = tuple[dict[Row, float], frozenset[str]]


def collect(folders: list[Path]) -> dict[str, list[Case]]:
    """Return weights and accepted labels of every run and view, by amount of evidence."""
    found: dict[str, list[Case]] = {}
    for folder in folders:
        manifest = json.loads((folder / "manifest.json").read_text())["cases"]
        answers = json.loads((folder / "answers.json").read_text())["labels"]
        for view in VIEWS:
            if view not in {"full", "loss_only"} and not (folder / "views" / view).is_dir():
                continue
            for case, answer in answers.items():
                reading = Reading(evidence_of(folder, case, manifest[case], view))
                entry = (weigh(reading)[1], frozenset(answer["accept"]))
                found.setdefault(amount(reading), []).append(entry)
    return found


def score(cases: list[Case], sharpness: float, doubt: float) -> float:
    """Return the mean logarithm of the chance given to what was proved."""
    total = 0.0
    for weights, accept in cases:
        chances, _ = chances_of(weights, sharpness, doubt)
        right = sum(chance for row, chance in chances.items() if row.name in accept)
        total += math.log(max(right, 1e-3))
    return total / len(cases)


def main() -> None:
    """Print the best pair for each amount of evidence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    for kind, cases in collect(parser.parse_args().folders).items():
        best = max(
            (score(cases, sharpness, doubt), round(float(sharpness), 2), round(float(doubt), 3))
            for sharpness in np.arange(0.5, 3.01, 0.1)
            for doubt in (0.02, 0.04, 0.08, 0.12, 0.16, 0.24, 0.32)
        )
        now = score(cases, 1.0, 0.08)
        print(f"{kind}: {len(cases)} logs, sharpness {best[1]}, doubt {best[2]}", end=" ")
        print(f"(mean log chance {best[0]:.3f}, {now:.3f} uncalibrated)")


if __name__ == "__main__":
    main()
