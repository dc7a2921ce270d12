"""A training loop in PyTorch with a `ca.Recorder` in it: three lines more than without.

    python examples/pytorch/train.py              # lr 0.49: writes torch_run.npz
    python examples/pytorch/train.py 0.25 0.3     # another learning rate, and momentum

The petal width of Fisher's iris from its other three measurements, all standardised; one linear
layer, all rows in each step, in float64 so that the log can be compared with a formula.
"""

import csv
import sys
from pathlib import Path

import torch

import convex_analyzer as ca

DATA = Path(__file__).parents[1] / "data" / "iris.csv"


def iris():
    """Return the standardised inputs (150, 3) and targets (150, 1)."""
    with DATA.open() as file:
        rows = [[float(cell) for cell in list(row.values())[:4]] for row in csv.DictReader(file)]
    table = torch.tensor(rows, dtype=torch.float64)
    table = (table - table.mean(0)) / table.std(0, unbiased=False)
    return table[:, :3], table[:, 3:]


def main(lr=0.49, momentum=0.0, steps=100, path="torch_run.npz"):
    """Train, and log what a diagnosis needs."""
    x, y = iris()
    model = torch.nn.Linear(3, 1, dtype=torch.float64)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    criterion = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    recorder = ca.Recorder(optimizer=optimizer, batch_size=len(x), rows=len(x))
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        recorder.step(loss, parameters=model)  # after backward, before the update
        optimizer.step()
    recorder.save(path)
    return recorder


if __name__ == "__main__":
    recorder = main(*map(float, sys.argv[1:3]))
    print(ca.diagnose(recorder).headline)
