"""Slow progress: a learning rate that is far too small for Fisher's irises.

The recap table says: increase α, or use momentum. The log tells by how much: αλ never exceeds 0.01
where 2 is the limit. A speed-up of α′/α is exact on a slope; how many steps are left is a guess,
because directions of less curvature, which the run has not met yet, will set the pace.
"""

from common import iris, show
from network import Network, train

import convex_analyzer as ca

X, Y = iris()
network = Network([4, 6, 3])
start, lr = network.start(seed=0), 0.01

run = train(network, start, X, Y, lr=lr, steps=100)
diagnosis = ca.diagnose(run.recorder)
remedy = diagnosis.primary.remedy

# Workaround: go on from where the run stopped, with its α, with the larger one, with momentum.
larger = remedy.settings["learning_rate"]
goal = run.losses[-1] / 2


def steps(count, **settings):
    settings = {"lr": lr, "steps": count, **settings}
    later = train(network, run.parameters, X, Y, **settings, log=False)
    return later.steps_to(goal)


before, after = steps(900), steps(100, lr=larger)
with_momentum = steps(200, rule="momentum", momentum=0.9)
heavy = next(other for other in remedy.alternatives if other.change.startswith("momentum"))

compared = [
    ("speed-up by the larger α", remedy.factor, before / after),
    ("speed-up by momentum 0.9", heavy.factor, before / with_momentum),
]
if __name__ == "__main__":
    symptom = f"after 100 steps the loss is at {run.losses[-1] / run.losses[0]:.2f} of its start"
    note = f"Steps to half of that loss: {before}; with the larger α {after}; with momentum at the "
    note += f"old α {with_momentum}. The number of steps left was a guess, the speed-up was not."
    show(symptom, diagnosis, remedy, compared, note)
