"""Saturated units: irises in centimetres, not standardised, into large weights.

Where |z| is large tanh is flat, and hardly any gradient comes through. How much a smaller scale of
the weights lets through can be told from the pre-activations in the log: the root mean square of
the slopes. How much faster the loss then falls cannot.
"""

import numpy as np
from common import iris, show
from network import Network, train

import convex_analyzer as ca

X, Y = iris(standardise=False)
network = Network([4, 6, 3])
large = network.start(seed=0, scale=3)

run = train(network, large, X, Y, lr=0.1, steps=300)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy

# Workaround: the same weights into the hidden layer, smaller.
small = [large[0] * remedy.settings["initial_scale"], *large[1:]]
better = train(network, small, X, Y, lr=0.1, steps=300)


def slope(parameters):
    """Return the root mean square of tanh′ over rows and units."""
    return np.sqrt(np.mean((1 - network.forward(parameters, X)[1][1] ** 2) ** 2))


def gradient_below(parameters):
    """Return the norm of the gradient of the weights into the hidden layer."""
    return np.linalg.norm(network.gradient(parameters, X, Y)[0])


more = remedy.factor
slopes, gradients = (f(small) / f(large) for f in (slope, gradient_below))
compared = [
    ("rms slope of the units, times that before", more, slopes),
    ("gradient below them, times that before", more, gradients),
    ("loss after 300 steps, large weights", None, run.losses[-1]),
    ("loss after 300 steps, small weights", None, better.losses[-1]),
]
if __name__ == "__main__":
    symptom = f"the loss is still at {run.losses[-1]:.2f}; chance is ln 3 = 1.10"
    note = "The gradient grows a little less than the slopes: what the layer above sends down to "
    note += "the units changes as well, and a log does not tell by how much."
    show(symptom, diagnosis, remedy, compared, note)
