"""The noise scale of mini-batches, α(N/S - 1): what learning rate and batch size do together."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.running import OpenRun
from convex_analyzer.derivations.setting import tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.derivations.topics.batch_variance import Batch
from convex_analyzer.derivations.topics.terminal_velocity import terminal_move


def _build(optimizer: Any) -> Derivation:
    import sympy

    run = OpenRun(optimizer)
    move = terminal_move(run)
    chain = Chain(f"The noise scale of {run.name}")
    batch = Batch()
    without = batch.lines(chain)
    F = sympy.Symbol("F", positive=True)
    N, S, V = batch.N, batch.S, batch.V
    chain.equal(
        "by the unbiased covariance F",
        batch.Var(batch.mean),
        F * (N - S) / (N * S),
        "F = VN/(N − 1)",
        given=without,
        using={V: F * (N - 1) / N},
    )
    total = sympy.Symbol("G")
    chain.equal(
        "of the summed gradient",
        batch.Var(total),
        F * N * (N / S - 1),
        "G = N times the mean: the variance is multiplied by N²",
        given=N**2 * chain.lines[-1].statement.rhs,
    )
    eta = sympy.Symbol("eta_eff", positive=True)
    chain.equal(
        "learning rate in the long run",
        eta,
        tidy(-move),
        "the terminal step on a plane of slope 1: of a gradient, each step keeps this much",
        given=-move,
    )
    g = sympy.Symbol("g", positive=True)
    chain.say(
        "one step against continuous noise",
        sympy.Eq((eta / N) ** 2 * batch.Var(total), g * F * (eta / N), evaluate=False),
        "a step −(η/N) G lasts η/N; white noise of strength gF adds gF times the time",
        "the definition of g (Smith and Le 2018)",
        "given",
    )
    scale = eta * (N / S - 1)
    chain.equal(
        "noise scale",
        g,
        scale,
        "solved for g, with the variance of G from above",
        given=sympy.solve(sympy.Eq((eta / N) ** 2 * F * N * (N / S - 1), g * F * (eta / N)), g)[0],
    )
    chain.equal(
        "by the hyper-parameters",
        g,
        tidy(-move) * (N / S - 1),
        "η put in; for S ≪ N about ηN/S, an approximation and no equality",
        using={eta: tidy(-move)},
    )
    return chain.done()


TOPIC = Topic(
    "noise_scale",
    "the noise scale η(N/S − 1) of mini-batch training, with the rule's own long-run rate",
    _build,
    ("GradientDescent",),
)
