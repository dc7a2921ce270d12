"""Ill-conditioning: population and national product grow together in the Longley data.

The columns are standardised, so units are not to blame: two of them are nearly the same, κ = 831.
A step that is right for their sum is 831 times too short for their difference. With the data, the
steps that momentum needs from this start are exact. A log alone sees of κ only what the run has
met, and of the largest curvature a lower bound.
"""

import numpy as np
from common import columns, show, standardised
from network import Network, train

import convex_analyzer as ca

longley = columns("longley")
y = standardised(longley["TOTEMP"])
X = standardised(longley["GNP"], longley["POP"], longley["UNEMP"])
network = Network([3, 1], loss="half_mse")
start, lr = network.start(seed=1), 0.7

run = train(network, start, X, y, lr=lr, steps=100)
diagnosis = ca.diagnose(run.recorder)
from_log = diagnosis.primary.remedy

# The same with the data at hand: a column of ones for the bias.
problem = ca.least_squares(np.hstack([X, np.ones((len(X), 1))]), y[:, 0])
with_data = ca.diagnose(run.recorder, problem=problem)
remedy = with_data.finding("ill_conditioning").remedy

# Workaround: tuned momentum (heavy ball). The goal is a millionth of the first gap.
best = np.linalg.lstsq(X, y, rcond=None)[0]
minimum = network.loss([best, np.zeros(1)], X, y)
goal = minimum + 1e-6 * (run.losses[0] - minimum)
pair = {"lr": remedy.settings["learning_rate"], "momentum": remedy.settings["momentum"]}
now = train(network, start, X, y, lr=lr, steps=2500, log=False)
tuned = train(network, start, X, y, **pair, rule="momentum", steps=300, log=False)

compared = [
    ("steps to the goal, as it is", remedy.steps_before, now.steps_to(goal)),
    ("steps to the goal, tuned momentum", remedy.steps_after, tuned.steps_to(goal)),
    ("how high the loss rises on the way, times", None, tuned.losses.max() / run.losses[0]),
]
if __name__ == "__main__":
    symptom = f"two slopes: the loss is {run.losses[0]:.4f}, {run.losses[20]:.4f} after 20 steps"
    symptom += f", {run.losses[-1]:.4f} after 100; the minimum is {minimum:.4f}"
    curvatures = np.linalg.eigvalsh(X.T @ X / len(X))
    alpha, mu = from_log.settings["learning_rate"], from_log.settings["momentum"]
    stable = alpha < 2 * (1 + mu) / curvatures[-1]
    note = f"κ is {curvatures[-1] / curvatures[0]:.0f}. The log alone says {from_log.change}: with "
    note += f"the true λmax that {'is stable' if stable else 'is beyond the limit and diverges'}."
    show(symptom, diagnosis, remedy, compared, note)
