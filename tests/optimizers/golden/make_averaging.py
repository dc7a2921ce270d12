"""Make the golden trajectories of averaging, clipping, weight decay and sampling.

Run in an environment with torch 2.13, optax 0.2.8 and mpmath:

    python tests/optimizers/golden/make_averaging.py

Random numbers are those that the conformance kit puts in their place: 1, -1/2, 1/3 for normal
ones, 1/3 for a uniform one.
"""

from __future__ import annotations

import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60

MATRIX = [[2.17342, -1.18271, 0.91324], [-1.18271, 1.52113, 0.13257], [0.91324, 0.13257, 1.35121]]
LINEAR = [0.71243, -1.31427, 0.25391]
START = [1.73205, -0.57721, 2.23607]
NORMAL = [1.0, -1 / 2, 1 / 3]
AT = (1, 2, 5, 6, 20, 21, 100)
LAST = max(AT)

HEAVY = {"lr": 0.21347, "momentum": 0.83219}
BALL = {"name": "HeavyBall", "learning_rate": 0.21347, "momentum": 0.83219}
PLAIN = {"name": "GradientDescent", "learning_rate": 0.31416}


# -- torch ---------------------------------------------------------------------------------------


def torch_run(name, clip=None, read=None, average=None, **options):
    """Run an optimizer of torch; `average` returns an AveragedModel and what it skips."""
    import torch

    torch.set_default_dtype(torch.float64)  # ASGD keeps scalars in it
    matrix, linear = torch.tensor(MATRIX), torch.tensor(LINEAR)
    model = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(START))])
    x = model[0]
    optimizer = getattr(torch.optim, name)([x], **options)
    averaged, after = average(model) if average else (None, 0)
    for k in range(1, LAST + 1):
        optimizer.zero_grad()
        (x @ matrix @ x / 2 + linear @ x).backward()
        if clip:
            clip([x])
        optimizer.step()
        if averaged is not None and k > after:
            averaged.update_parameters(model)
            yield averaged.module[0].detach().tolist()
        else:
            yield (read(optimizer.state[x]) if read else x.detach()).tolist()


def equal_weights(after):
    def make(model):
        from torch.optim.swa_utils import AveragedModel

        return AveragedModel(model), after

    return make


def moving_average(decay, *, from_start):
    def make(model):
        from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

        averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
        if from_start:
            averaged.update_parameters(model)  # which copies
        return averaged, 0

    return make


def clip_norm(most):
    def clip(parameters):
        import torch

        torch.nn.utils.clip_grad_norm_(parameters, most)

    return clip


def clip_value(most):
    def clip(parameters):
        import torch

        torch.nn.utils.clip_grad_value_(parameters, most)

    return clip


# -- optax ---------------------------------------------------------------------------------------


def optax_tools():
    import jax

    jax.config.update("jax_enable_x64", val=True)
    import jax.numpy as jnp
    import optax

    return jnp, optax


def optax_run(make):
    jnp, optax = optax_tools()
    matrix, linear, x = jnp.array(MATRIX), jnp.array(LINEAR), jnp.array(START)
    optimizer = make(optax)
    state = optimizer.init(x)
    for _ in range(LAST):
        updates, state = optimizer.update(matrix @ x + linear, state, x)
        x = optax.apply_updates(x, updates)
        yield x.tolist()


def lookahead_run(make, *, fast=False, **settings):
    jnp, optax = optax_tools()
    matrix, linear = jnp.array(MATRIX), jnp.array(LINEAR)
    optimizer = optax.lookahead(make(optax), **settings)
    points = optax.LookaheadParams.init_synced(jnp.array(START))
    state = optimizer.init(points)
    for _ in range(LAST):
        updates, state = optimizer.update(matrix @ points.fast + linear, state, points)
        points = optax.apply_updates(points, updates)
        yield (points.fast if fast else points.slow).tolist()


def debiased_run(decay):
    """optax.ema on the iterates of torch."""
    jnp, optax = optax_tools()
    average = optax.ema(decay, debias=True)
    state = average.init(jnp.array(START))
    for point in torch_run("SGD", **HEAVY):
        mean, state = average.update(jnp.array(point), state)
        yield mean.tolist()


def noisy_run(rate, eta, gamma):
    """optax.noisy_sgd, with the stand-ins for its random numbers."""
    jnp, optax = optax_tools()
    original = optax.tree.random_like
    optax.tree.random_like = lambda *_, **__: jnp.array(NORMAL)
    try:
        yield from optax_run(lambda o: o.noisy_sgd(rate, eta=eta, gamma=gamma, key=0))
    finally:
        optax.tree.random_like = original


# -- recurrences as published --------------------------------------------------------------------

A, B = mp.matrix(MATRIX), mp.matrix(LINEAR)
XI = mp.matrix([mp.mpf(1), -mp.mpf(1) / 2, mp.mpf(1) / 3])


def loss(x):
    return (x.T * A * x)[0] / 2 + (B.T * x)[0]


def langevin(step, temperature, *, halved):
    """Welling & Teh's form (ε/2 g, variance εT) if halved, else θ - ηg + √(2ηT) ξ."""
    step, temperature, x = mp.mpf(step), mp.mpf(temperature), mp.matrix(START)
    for _ in range(LAST):
        g = A * x + B
        if halved:
            x = x - step / 2 * g + mp.sqrt(step * temperature) * XI
        else:
            x = x - step * g + mp.sqrt(2 * step * temperature) * XI
        yield x


def annealing(temperature, cooling, size):
    """Accept if the probability exp(-ΔJ/T), at most 1, is above 1 - 1/3."""
    heat, x = mp.mpf(temperature), mp.matrix(START)
    for _ in range(LAST):
        proposal = x + mp.mpf(size) * XI
        probability = min(mp.mpf(1), mp.exp(-(loss(proposal) - loss(x)) / heat))
        x = proposal if probability >= mp.mpf(2) / 3 else x
        heat *= mp.mpf(cooling)
        yield x


# -- files ---------------------------------------------------------------------------------------


def entry(source, points, **hyperparameters):
    kept = {}
    for k, point in enumerate(points, 1):
        if k in AT:
            kept[str(k)] = [float(value) for value in point]
    return {
        "source": source,
        "hyperparameters": hyperparameters,
        "matrix": MATRIX,
        "linear": LINEAR,
        "start": START,
        "points": kept,
        "tolerance": 1e-12,
    }


def sgd(what, **settings):
    """Return source and points of torch's momentum SGD with something around it."""
    return f"torch 2.13.0, SGD(lr=0.21347, momentum=0.83219) and {what}", torch_run(
        "SGD", **HEAVY, **settings
    )


def averages():
    model = "AveragedModel"
    ema = "get_ema_multi_avg_fn(0.87131)"
    return {
        "Averaged": [
            entry(*sgd(f"{model}(model)", average=equal_weights(0)), optimizer=BALL),
            entry(
                *sgd(f"{model}(model) from step 6", average=equal_weights(5)),
                optimizer=BALL,
                after=5,
            ),
        ],
        "EMA": [
            entry(
                *sgd(f"{model} with {ema}", average=moving_average(0.87131, from_start=False)),
                optimizer=BALL,
                decay=0.87131,
            ),
            entry(
                *sgd(
                    f"{model} with {ema}, which copied the start",
                    average=moving_average(0.87131, from_start=True),
                ),
                optimizer=BALL,
                decay=0.87131,
                initial="start",
            ),
            entry(
                "optax 0.2.8, ema(0.87131, debias=True) of the iterates of torch's SGD",
                debiased_run(0.87131),
                optimizer=BALL,
                decay=0.87131,
                initial="corrected",
            ),
        ],
        "AveragedSGD": [
            asgd({"lr": 0.21347}),
            asgd({"lr": 0.21347, "lambd": 0.12345, "alpha": 0.61803, "t0": 4}, average=True),
            asgd({"lr": 0.21347, "lambd": 0.02345, "t0": 4, "weight_decay": 0.31415}, average=True),
            asgd({"lr": 0.21347, "lambd": 0.02345, "t0": 0, "weight_decay": 0.31415}),
        ],
    }


def asgd(options, *, average=False):
    ours = {"lr": "learning_rate", "alpha": "power"}
    inner = ", ".join(f"{key}={value}" for key, value in options.items())
    settings = {ours.get(key, key): value for key, value in options.items()}
    if average:
        settings["report_average"] = True
    return entry(
        f"torch 2.13.0, torch.optim.ASGD({inner}){', state ax' if average else ''}",
        torch_run("ASGD", read=(lambda state: state["ax"]) if average else None, **options),
        **settings,
    )


def lookaheads():
    def momentum(optax):
        return optax.sgd(HEAVY["lr"], momentum=HEAVY["momentum"])

    found = []
    for settings, flags in (
        ({"sync_period": 5, "slow_step_size": 0.61803}, {}),
        ({"sync_period": 3, "slow_step_size": 0.5}, {"report_fast": True}),
        ({"sync_period": 5, "slow_step_size": 0.5, "reset_state": True}, {"reset": True}),
    ):
        inner = ", ".join(f"{key}={value}" for key, value in settings.items())
        fast = "report_fast" in flags
        ours = {key: value for key, value in settings.items() if key != "reset_state"}
        found.append(
            entry(
                f"optax 0.2.8, lookahead(sgd(0.21347, momentum=0.83219), {inner})",
                lookahead_run(momentum, fast=fast, **settings),
                optimizer=BALL,
                **ours,
                **flags,
            )
        )
    return found


def clipped():
    most = 0.71828
    global_norm = optax_run(
        lambda optax: optax.chain(
            optax.clip_by_global_norm(most), optax.sgd(PLAIN["learning_rate"])
        )
    )
    return {
        "ClippedByNorm": [
            entry(
                *sgd(f"clip_grad_norm_({most})", clip=clip_norm(most)),
                optimizer=BALL,
                max_norm=most,
            ),
            entry(
                f"optax 0.2.8, clip_by_global_norm({most}) and sgd(0.31416)",
                global_norm,
                optimizer=PLAIN,
                max_norm=most,
                epsilon=0.0,
            ),
        ],
        "ClippedByValue": [
            entry(
                *sgd(f"clip_grad_value_({most})", clip=clip_value(most)),
                optimizer=BALL,
                max_value=most,
            )
        ],
    }


def decays():
    weight = 0.31415
    betas = (0.83219, 0.95173)
    adam = {
        "name": "Adam",
        "learning_rate": 0.10347,
        "beta1": betas[0],
        "beta2": betas[1],
        "epsilon": 0.0137,
    }

    def decoupled(optax):
        return optax.chain(
            optax.trace(HEAVY["momentum"]),
            optax.add_decayed_weights(weight),
            optax.scale_by_learning_rate(HEAVY["lr"]),
        )

    return [
        entry(
            "torch 2.13.0, AdamW(lr=0.10347, betas=(0.83219, 0.95173), eps=0.0137, "
            "weight_decay=0.31415)",
            torch_run("AdamW", lr=0.10347, betas=betas, eps=0.0137, weight_decay=weight),
            optimizer=adam,
            weight_decay=weight,
        ),
        entry(
            "torch 2.13.0, Adam(lr=0.10347, betas=(0.83219, 0.95173), eps=0.0137, "
            "weight_decay=0.31415)",
            torch_run("Adam", lr=0.10347, betas=betas, eps=0.0137, weight_decay=weight),
            optimizer=adam,
            weight_decay=weight,
            decoupled=False,
        ),
        entry(
            "torch 2.13.0, SGD(lr=0.21347, momentum=0.83219, weight_decay=0.31415)",
            torch_run("SGD", **HEAVY, weight_decay=weight),
            optimizer=BALL,
            weight_decay=weight,
            decoupled=False,
        ),
        entry(
            "optax 0.2.8, trace(0.83219), add_decayed_weights(0.31415), scale(-0.21347)",
            optax_run(decoupled),
            optimizer=BALL,
            weight_decay=weight,
        ),
    ]


def sampling():
    stood = "with stand-ins for random numbers"
    return {
        "Langevin": [
            entry(
                f"the published recurrence in 60 digits, {stood}",
                langevin(0.21347, 0.31415, halved=False),
                learning_rate=0.21347,
                temperature=0.31415,
            ),
            entry(
                f"Welling & Teh (2011), equation 4, in 60 digits, {stood}",
                langevin(0.21347, 0.31415, halved=True),
                learning_rate=0.21347,
                temperature=0.31415,
                sgld=True,
            ),
        ],
        "GradientNoise": [
            entry(
                f"optax 0.2.8, noisy_sgd(0.31416, eta=0.21347, gamma=0.71828), {stood}",
                noisy_run(0.31416, 0.21347, 0.71828),
                optimizer=PLAIN,
                eta=0.21347,
                gamma=0.71828,
            )
        ],
        "SimulatedAnnealing": [
            entry(
                f"Metropolis acceptance in 60 digits, {stood}",
                annealing(2.71828, 0.93, 0.04321),
                temperature=2.71828,
                cooling=0.93,
                step_size=0.04321,
            ),
            entry(
                f"Metropolis acceptance at a constant temperature in 60 digits, {stood}",
                annealing(9.31415, 1.0, 0.04321),
                temperature=9.31415,
                cooling=1.0,
                step_size=0.04321,
            ),
        ],
    }


def main():
    folder = Path(__file__).parent
    found = {**averages(), "Lookahead": lookaheads(), **clipped(), "WeightDecay": decays()}
    for name, entries in {**found, **sampling()}.items():
        text = json.dumps(entries, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
