"""Every listed optimizer passes the conformance kit, with trajectories of other implementations.

A file golden/<Class>.json holds runs of that class made by another implementation (a library, or
the published recurrence stated again in high precision); the scripts beside them made them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convex_analyzer.optimizers import registered
from convex_analyzer.testing import Golden, check_optimizer

pytestmark = pytest.mark.survey

FOLDER = Path(__file__).parent / "golden"
CLASSES = registered()
ENTRIES = {"source", "hyperparameters", "matrix", "linear", "start", "points", "tolerance"}


def golden_runs(name: str) -> list[Golden]:
    """Return the golden trajectories of a class."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        return []
    runs = []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        assert set(entry) == ENTRIES, f"{path.name} has other entries"
        points = {int(step): point for step, point in entry["points"].items()}
        runs.append(Golden(**{**entry, "points": points}))
    return runs


@pytest.mark.parametrize("name", CLASSES)
def test_every_listed_optimizer_conforms(name):
    runs = golden_runs(name)
    report = check_optimizer(CLASSES[name], golden=runs)
    assert report.optimizer == name
    found = [check.name for check in report.checks]
    assert found.count("golden") == len(runs)


def test_every_golden_file_belongs_to_a_class():
    assert {path.stem for path in FOLDER.glob("*.json")} <= set(CLASSES)
