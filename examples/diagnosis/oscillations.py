"""Oscillations: a step so long that one direction flips its sign every time.

The loss of such a run looks like that of a slow one, since (1 - αλ)² is the same for αλ = 1.93 and
0.07. The cosines of consecutive gradients tell them apart: near -1 here.
"""

import numpy as np
from common import columns, show, standardised
from network import Network, Step, train

import convex_analyzer as ca

longley = columns("longley")
y = standardised(longley["TOTEMP"])
X = standardised(longley["GNP"], longley["UNEMP"])
network = Network([2, 1], loss="half_mse")
start, lr = network.start(seed=0), 1.2

run = train(network, start, X, y, lr=lr, steps=60)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy
damped = remedy.alternatives[0]

# Workarounds: a smaller α; or, at the same α, the momentum that damps this direction critically.
flips = np.linalg.eigh(X.T @ X / len(X))[1][:, -1]  # the direction of the largest curvature
best = np.linalg.lstsq(X, y, rcond=None)[0]


def steps_to_rest(lr, momentum=0.0):
    """Return after how many steps this direction is below 0.1 % of its start for good."""
    parameters, step, sizes = start, Step("momentum", lr, momentum), []
    for _ in range(300):
        sizes.append(abs(flips @ (parameters[0] - best))[0])
        change = step(network.gradient(parameters, X, y))
        parameters = [p + d for p, d in zip(parameters, change, strict=True)]
    return int(np.flatnonzero(np.array(sizes) > 1e-3 * sizes[0])[-1]) + 1


smaller, critical = remedy.settings["learning_rate"], damped.settings["momentum"]
now = steps_to_rest(lr)
compared = [
    ("steps until it rests, as it is", remedy.steps_before, now),
    ("steps until it rests, with the smaller α", remedy.steps_after, steps_to_rest(smaller)),
    (f"steps until it rests, {damped.change}", damped.steps_after, steps_to_rest(lr, critical)),
]
if __name__ == "__main__":
    cosines = run.recorder.evidence().gradient_cosine.values
    symptom = f"consecutive gradients turn round: their cosine is {np.median(cosines):.2f}"
    truly = np.linalg.eigvalsh(X.T @ X / len(X))[-1]
    note = f"λ of that direction is {1 / smaller:.4f} by the log, and truly {truly:.4f}. With this "
    note += "momentum two roots meet: k·ρᵏ takes a few steps longer than ρᵏ, which is counted."
    show(symptom, diagnosis, remedy, compared, note)
