"""Ill-conditioning: population and national product grow together in the Longley data.

The columns are standardised, so units are not to blame: two columns are nearly the same, κ = 831.
A step that is right for their sum is 831 times too short for their difference. What momentum makes
of that is exact on a quadratic; the log alone sees κ only as far as the run has come.
"""

import numpy as np
from network import Network, train
from tables import columns, show, standardised

import convex_analyzer as ca

longley = columns("longley")
y = standardised(longley["TOTEMP"])
X = standardised(longley["GNP"], longley["POP"], longley["UNEMP"])
network = Network([3, 1], loss="half_mse")
lr = 0.7

run = train(network, network.start(seed=1), X, y, lr=lr, steps=60)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy
with_data = ca.diagnose(run.recorder, problem=ca.least_squares(X, y[:, 0])).finding(
    "ill_conditioning"
)

# Workaround: tuned momentum. The goal is a gap of 1e-6 from the worst start: along the slow
# direction, where only the difference of the two columns is wrong.
eigenvalues, directions = np.linalg.eigh(X.T @ X / len(X))
best = np.linalg.lstsq(X, y, rcond=None)[0]
worst = [best + directions[:, :1], np.zeros(1)]
minimum = network.loss([best, np.zeros(1)], X, y)


def steps(**settings):
    """Return how many steps a gap of 1e-6 of the first takes."""
    losses = train(network, worst, X, y, **settings, log=False).losses
    above = np.flatnonzero(losses - minimum > 1e-6 * (losses[0] - minimum))
    return int(above[-1]) + 1


def heavy_ball(told):
    lr, momentum = told.settings["learning_rate"], told.settings["momentum"]
    return steps(lr=lr, momentum=momentum, rule="momentum", steps=1000)


compared = [
    ("κ met by the log, and that of the data", 1.0, eigenvalues[-1] / eigenvalues[0]),
]
if __name__ == "__main__":
    print(with_data.remedy, steps(lr=lr,steps=4000), heavy_ball(remedy), heavy_ball(with_data.remedy))
    symptom = "half of the fall in 3 % of the run, then slowly"
    show(symptom, diagnosis, remedy.change, compared)
