"""Fluctuations: mini-batches of two flowers keep the loss above its minimum.

Petal width from the other three lengths of Fisher's irises, by least squares. The noise floor is
the mean distance of the loss from its minimum once the trend is gone.

A log does not tell how the noise itself depends on the parameters: the prediction from it takes
the noise as constant. With the data at hand that is known, and the floor exact. Here the noise
fades near the minimum, so that the remedies do better than the log alone promises.
"""

import numpy as np
from common import iris, show
from network import Network, train

import convex_analyzer as ca

flowers, _ = iris()
X, y = flowers[:, :3], flowers[:, 3:]
network = Network([3, 1], loss="half_mse")
lr, batch = 0.3, 2

run = train(network, network.start(seed=0), X, y, lr=lr, batch=batch, steps=400)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy
with_data = ca.diagnose(run.recorder, problem=ca.least_squares(X, y[:, 0])).finding("fluctuation")
larger = next(other for other in remedy.alternatives if "batch_size" in other.settings)

# Workarounds: half of α; larger batches. Both from where the run stopped.
minimum = np.linalg.lstsq(X, y, rcond=None)[1][0] / 2 / len(X)


def floor(**settings):
    """Return the mean distance of the loss from its minimum, without the first 100 steps."""
    settings = {"lr": lr, "batch": batch, "steps": 3000, "seed": 1, **settings}
    losses = train(network, run.parameters, X, y, **settings, log=False).losses
    return np.mean(losses[100:]) - minimum


before = floor()
halved, wider = floor(lr=remedy.settings["learning_rate"]), floor(batch=4 * batch)
compared = [
    ("floor at half of α, over that before", remedy.factor, halved / before),
    ("the same, predicted with the data", with_data.remedy.factor, halved / before),
    ("floor with batches of 8, over that before", larger.factor, wider / before),
]
if __name__ == "__main__":
    symptom = f"after 400 steps the loss hovers near {np.median(run.losses[200:]):.3f}"
    note = (
        f"The minimum is {minimum:.4f}, the floor above it {before:.4f}. Nearer to the minimum the "
    )
    note += "noise itself is less: a log does not know that, and takes it as constant."
    show(symptom, diagnosis, remedy, compared, note)
