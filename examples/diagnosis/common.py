"""The data sets of the folder `data`, and the table that every example prints."""

import csv
import textwrap
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[1] / "data"


def columns(name):
    """Return the columns of a file of the folder data, by name."""
    with (DATA / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return dict(zip(header, zip(*rows, strict=True), strict=True))


def standardised(*columns):
    """Return columns side by side, each with mean 0 and standard deviation 1."""
    X = np.array(columns, dtype=float).T
    return (X - X.mean(axis=0)) / X.std(axis=0)


def iris(*, standardise=True):
    """Return Fisher's irises, shuffled: four lengths in cm, shape (150, 4), the species one-hot."""
    *lengths, species = columns("iris").values()
    X = standardised(*lengths) if standardise else np.array(lengths, dtype=float).T
    Y = np.equal.outer(species, sorted(set(species))).astype(float)
    order = np.random.default_rng(0).permutation(len(X))
    return X[order], Y[order]


def show(symptom, diagnosis, remedy, compared, note=""):
    """Print what was seen, the verdict, the workaround, and predictions beside measurements."""
    parts = {
        "symptom": symptom,
        "verdict": f"{diagnosis.primary.name}. {diagnosis.headline}",
        "workaround": remedy.change,
        "prediction": remedy.prediction,
    }
    for name, text in parts.items():
        print(textwrap.fill(text, 96, initial_indent=f"{name:<12}", subsequent_indent=" " * 12))
    print(f"\n{'':<48}{'predicted':>14}{'measured':>14}")
    for what, predicted, measured in compared:
        told = "no prediction" if predicted is None else f"{predicted:.4g}"
        print(f"{what:<48}{told:>14}{measured:>14.4g}")
    if note:
        print(f"\n{textwrap.fill(note, 96)}")
