"""Slow progress: a learning rate that is far too small for Fisher's irises.

The recap table says: increase α, or use momentum. The log tells by how much: αλ never exceeds 0.01
where 2 is the limit. A speed-up of α′/α is exact on a slope; how many steps are left is a guess,
because directions of less curvature, which the run has not met yet, will set the pace.
"""

from network import Network, train
from tables import iris, show

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


def steps(**settings):
    later = train(network, run.parameters, X, Y, **{"lr": lr, "steps": 1200, **settings}, log=False)
    return later.steps_to(goal)


before, after = steps(), steps(lr=larger)
with_momentum = steps(rule="momentum", momentum=0.9)
heavy = next(other for other in remedy.alternatives if other.change.startswith("momentum"))

compared = [
    ("speed-up by the larger α", remedy.factor, before / after),
    ("speed-up by momentum 0.9", heavy.factor, before / with_momentum),
]
if __name__ == "__main__":
    symptom = f"after 100 steps the loss is at {run.losses[-1] / run.losses[0]:.2f} of its start"
    show(symptom, diagnosis, remedy.change, compared)
    print(f"\nSteps to half of that loss: {before}, with the larger α {after},")
    print(f"with momentum at the old α {with_momentum}.")
