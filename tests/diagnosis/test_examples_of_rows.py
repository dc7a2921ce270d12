"""The worked examples of the rows: the right verdict, and what was predicted is measured."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "diagnosis"
SHARED = {"common", "network"}

# by script: the row, and by what factor each measured number may differ from the predicted one;
# None where there is no prediction, "at most" where it is a bound
ROWS = {
    "incorrect_gradients": ("incorrect_gradient", [None, None, "at most"]),
    "local_optima": ("local_optimum", [1.35, 1, None]),
    "symmetries": ("symmetry", [1, 1, None, None]),
    "slow_progress": ("slow_progress", [1.2, 1.1]),
    "instability": ("instability", [1.001, 1.01, None]),
    "oscillations": ("oscillation", [1.03, 1, 1]),
    "fluctuations": ("fluctuation", [1.6, 1.15, 1.7]),
    "dead_units": ("dead_or_saturated_units", [1.15, 1.25, None, None]),
    "ill_conditioning": ("ill_conditioning", [1, 1, None]),
    "plateau": ("plateau", [None, None, None]),
    "saddle": ("saddle", [1.1, 1.2]),
}
# what the workaround is worth, where nothing was predicted: measured[first] < measured[second]
BETTER = {
    "incorrect_gradients": (1, 0),
    "symmetries": (3, 2),
    "dead_units": (3, 2),
    "plateau": (0, 1),
}


def assert_readme(name, compared):
    """Every number of the row in the README is one that the script prints."""
    text = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    (line,) = (each for each in text.splitlines() if f"(diagnosis/{name}.py)" in each)
    *_, predicted, measured = line.strip("| ").split(" | ")
    for cell, place in ((predicted, 1), (measured, 2)):
        printed = [entry[place] for entry in compared if entry[place] is not None]
        numbers = [float(found) for found in re.findall(r"\d+(?:\.\d+)?", cell)]
        for number in numbers:
            assert any(abs(number / value - 1) < 0.05 for value in printed), (name, number)


@pytest.mark.parametrize("name", ROWS)
def test_the_example_of_a_row(name, monkeypatch, capsys):
    monkeypatch.syspath_prepend(FOLDER)
    for module in SHARED:
        monkeypatch.delitem(sys.modules, module, raising=False)
    found = runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    for module in SHARED:
        monkeypatch.delitem(sys.modules, module)
    row, factors = ROWS[name]
    printed = capsys.readouterr().out
    assert f"\nverdict     {row}. " in printed
    diagnosis = found["diagnosis"]
    assert diagnosis.decided, diagnosis.headline
    assert diagnosis.primary.name == row
    assert len(found["compared"]) == len(factors)
    for (what, predicted, measured), factor in zip(found["compared"], factors, strict=True):
        assert what in printed
        if factor is None:
            continue
        if factor == "at most":
            assert measured <= predicted, what
            continue
        assert max(predicted / measured, measured / predicted) <= factor, (what, predicted)
    assert_readme(name, found["compared"])
    if name in BETTER:
        less, more = (found["compared"][k][2] for k in BETTER[name])
        assert less < more


def test_every_row_has_one():
    from convex_analyzer.diagnosis.ranking import symptom_modules

    rows = {module.ROW.name for module in symptom_modules() if module.ROW.fault}
    assert {row for row, _ in ROWS.values()} == rows
    assert {path.stem for path in FOLDER.glob("*.py")} == set(ROWS) | SHARED
    assert len((FOLDER / "network.py").read_text(encoding="utf-8").splitlines()) <= 150
