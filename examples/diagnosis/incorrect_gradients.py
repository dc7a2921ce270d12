"""Incorrect gradients: back-propagation that forgets the slope of the hidden units.

The loss falls all the same, so the curve does not give the mistake away. A dozen directional
derivatives do: the claimed ones are held against central differences of the loss.
"""

import numpy as np
from common import iris, show
from network import Network, train

import convex_analyzer as ca

X, Y = iris()
network = Network([4, 6, 3])
start = network.start(seed=0, scale=2)


def without_slope(parameters, X, Y):
    """Return what a beginner writes: tanh′(z) = 1 - tanh(z)² is missing."""
    A = network.forward(parameters, X)[1]
    out = network.loss_and_slope(A[-1], Y)[1]
    hidden = out @ parameters[2].T  # times (1 - A[1] ** 2)
    return [X.T @ hidden, hidden.sum(axis=0), A[1].T @ out, out.sum(axis=0)]


run = train(network, start, X, Y, lr=0.3, steps=150, gradient=without_slope)
diagnosis = ca.diagnose(run.recorder)

# Workaround: the right gradient, from the same start.
right = train(network, start, X, Y, lr=0.3, steps=150)


def largest_error(run):
    """Return the largest relative error of the checks at step 0."""
    claimed, measured = run.recorder.evidence().gradient_checks[0].T
    return np.max(np.abs(claimed - measured) / np.maximum(np.abs(claimed), np.abs(measured)))


compared = [
    ("loss after 150 steps, wrong gradient", None, run.losses[-1]),
    ("loss after 150 steps, right gradient", None, right.losses[-1]),
    ("error of the checks, right gradient (at most)", 1e-6, largest_error(right)),
]
if __name__ == "__main__":
    symptom = f"none to be seen: the loss falls from {run.losses[0]:.2f} to {run.losses[-1]:.3f}"
    note = f"The error of the checks was {largest_error(run):.2g}. Of a wrong gradient no speed "
    note += "follows: here training works in spite of it, with another mistake it would not."
    show(symptom, diagnosis, diagnosis.primary.remedy, compared, note)
