"""Plateaux: the squared error of a logistic output that starts on the wrong side, and saturated.

The output says "setosa" to every flower with great confidence. Its slope σ(1 - σ) is next to zero,
so hardly any gradient comes through, and the loss stays where it is. A loss with slope, the
cross-entropy, does not have that factor. How much faster it is cannot be told from this log.
"""

import numpy as np
from common import iris, show
from network import Network, train

import convex_analyzer as ca

X, Y = iris()
setosa = Y[:, :1]
network = Network([4, 4, 1], loss="logistic_mse")
start = network.start(seed=0, scale=0.3)
start[3] += 6.0  # the bias of the output

run = train(network, start, X, setosa, lr=0.5, steps=300)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy

# Workaround: the cross-entropy, of two outputs whose difference is what the one output was, so that
# the first answers are the same.
twins = Network([4, 4, 2])
halves = [np.hstack([part / 2, -part / 2]) for part in start[2:]]
better = train(twins, [*start[:2], *halves], X, np.hstack([setosa, 1 - setosa]), lr=0.5, steps=300)


def right(run, network):
    """Return the share of the flowers that are told correctly."""
    out = network.forward(run.parameters, X)[1][-1]
    told = out[:, :1] > (out[:, 1:] if out.shape[1] == 2 else 0)
    return np.mean(told == setosa)


compared = [
    ("right answers, squared error", None, right(run, network)),
    ("right answers, cross-entropy", None, right(better, twins)),
    ("steps to half of the first loss, cross-entropy", None, better.steps_to(better.losses[0] / 2)),
]
if __name__ == "__main__":
    symptom = f"the loss is {run.losses[0]:.4f} at first and {run.losses[-1]:.4f} after 300 steps"
    show(symptom, diagnosis, remedy, compared)
