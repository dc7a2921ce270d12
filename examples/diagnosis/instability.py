"""Instability: a learning rate beyond the limit, on the Longley regression (one linear layer).

The loss of a direction beyond its limit grows by (1 - αλ)² a step, so its growth tells λ, and λ
tells the limit 2/λ. That is exact for least squares, here with standardised columns.
"""

import numpy as np
from common import columns, show, standardised
from network import Network, train

import convex_analyzer as ca

longley = columns("longley")
y = standardised(longley["TOTEMP"])
X = standardised(*(values for name, values in longley.items() if name != "TOTEMP"))
network = Network([6, 1], loss="half_mse")
start, lr = network.start(seed=0), 0.48

run = train(network, start, X, y, lr=lr, steps=60)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy

# Workaround: a smaller α. The remedy takes half of the limit, α = 1/λ.
smaller = remedy.settings["learning_rate"]
limit = 2 * smaller


def growth(lr, steps=400):
    """Return the factor of the loss per step at the end of a run."""
    losses = train(network, start, X, y, lr=lr, steps=steps, log=False).losses
    return losses[-1] / losses[-2]


exact = 2 / np.linalg.eigvalsh(X.T @ X / len(X))[-1]
good = train(network, start, X, y, lr=smaller, steps=60, log=False)
compared = [
    ("largest stable α, from the log alone", limit, exact),
    ("growth per step, 5 % above that", (1 - 2 * 1.05) ** 2, growth(1.05 * limit)),
    ("loss after 60 steps, at the α suggested", None, good.losses[-1]),
]
if __name__ == "__main__":
    symptom = f"the loss grows to {run.losses[-1] / run.losses[0]:.2g} times its start in 60 steps"
    below = growth(0.99 * limit)
    note = f"The measured limit is 2/λmax of the data. At α = {0.99 * limit:.4f}, 1 % below it, "
    note += f"the loss changes by ×{below:.6f} a step at the end: stable."
    show(symptom, diagnosis, remedy, compared, note)
