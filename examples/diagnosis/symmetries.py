"""Symmetries: all weights start equal, so all hidden units stay copies of one.

Copies get equal gradients at every step (exact), so six hidden units work as one. Nothing but
different starts separates them. How much that is worth depends on the data: no speed prediction.
"""

import numpy as np
from common import iris, show
from network import Network, train

import convex_analyzer as ca

X, Y = iris()
network = Network([4, 6, 3])
equal = [np.full_like(part, 0.3) for part in network.start()]

run = train(network, equal, X, Y, lr=0.3, steps=300)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy

# Workaround: random weights.
random = train(network, network.start(seed=0), X, Y, lr=0.3, steps=300)


def distinct(run):
    """Return how many hidden units differ from each other."""
    return np.unique(np.round(run.parameters[0], 6), axis=1).shape[1]


compared = [
    ("distinct hidden units, equal weights", 1, distinct(run)),
    ("distinct hidden units, random weights", 6, distinct(random)),
    ("loss after 300 steps, equal weights", None, run.losses[-1]),
    ("loss after 300 steps, random weights", None, random.losses[-1]),
]
if __name__ == "__main__":
    symptom = f"the loss is at {run.losses[-1]:.3f}, and the columns of W1 are all the same"
    show(symptom, diagnosis, remedy, compared)
