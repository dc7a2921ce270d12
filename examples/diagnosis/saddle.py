"""Saddle points: weights that start so small that the network is next to its symmetric saddle.

At zero weights the gradient of the weights is zero, though the loss is that of chance. Away from
there the way out grows by 1 + αν a step, ν being the size of the negative curvature: a hundred
times larger weights leave ln 100/ln(1 + αν) steps earlier, at any size.
"""

from common import iris, show
from network import Network, train

import convex_analyzer as ca

X, Y = iris()
network = Network([4, 6, 3])
lr = 0.2

run = train(network, network.start(seed=0, scale=1e-4), X, Y, lr=lr, steps=60)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy
heavy = next(other for other in remedy.alternatives if other.change.startswith("momentum"))


def steps_out(scale=1e-4, **settings):
    """Return after how many steps the loss has left chance by a tenth."""
    start = network.start(seed=0, scale=scale)
    return train(network, start, X, Y, lr=lr, steps=80, log=False, **settings).steps_to(goal)


# Workarounds: the same start a hundred times larger; or momentum.
goal = 0.9 * run.losses[0]
before = steps_out()
larger = steps_out(scale=1e-2)
with_momentum = steps_out(rule="momentum", momentum=0.9)

saved = remedy.steps_before - remedy.steps_after
compared = [
    ("steps saved by weights 100 times larger", saved, before - larger),
    ("speed-up by momentum 0.9", heavy.factor, before / with_momentum),
]
if __name__ == "__main__":
    symptom = f"flat at chance, ln 3 = 1.099, for {before} steps, while the gradient grows"
    note = f"Steps until the loss has fallen by a tenth: {before}; from larger weights {larger}; "
    note += f"with momentum {with_momentum}, of which the first few are spent on getting up speed."
    show(symptom, diagnosis, remedy, compared, note)
