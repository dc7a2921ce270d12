"""Make the golden trajectories of the adaptive and Adam families, by other implementations.

Run in an environment with torch 2.13, optax 0.2.8 and mpmath:

    python tests/optimizers/golden/make_adaptive.py

Constants are large, so that the conventions lie far apart. torch and optax run where they have the
convention; what only Keras or a paper has is stated again in 60 digits, in the form in which it was
published (not that of the package).
"""

from __future__ import annotations

import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60

MATRIX = [[2.17342, -1.18271, 0.91324], [-1.18271, 1.52113, 0.13257], [0.91324, 0.13257, 1.35121]]
LINEAR = [0.71243, -1.31427, 0.25391]
START = [1.73205, -0.57721, 2.23607]
AT = (1, 2, 5, 20, 100)
LAST = max(AT)

NAMES = {  # of torch and optax -> ours
    "lr": "learning_rate",
    "lr_decay": "learning_rate_decay",
    "initial_accumulator_value": "initial_accumulator",
    "eps": "epsilon",
    "alpha": "decay",
    "rho": "decay",
    "decoupled_weight_decay": "decoupled",
    "b1": "beta1",
    "b2": "beta2",
    "eps_root": "epsilon_root",
    "initial_scale": "initial_accumulator",
    "eps_in_sqrt": "epsilon_inside",
}
BETAS = {"b1": 0.83219, "b2": 0.95173}
PAIR = {"betas": (0.83219, 0.95173)}


# -- libraries -----------------------------------------------------------------------------------


def by_torch(name, **options):
    import torch

    torch.set_default_dtype(torch.float64)  # NAdam keeps scalars in it
    matrix, linear = torch.tensor(MATRIX), torch.tensor(LINEAR)
    x = torch.tensor(START, requires_grad=True)
    optimizer = getattr(torch.optim, name)([x], **options)
    while True:
        optimizer.zero_grad()
        (x @ matrix @ x / 2 + linear @ x).backward()
        optimizer.step()
        yield x.detach().tolist()


def by_optax(make):
    import jax

    jax.config.update("jax_enable_x64", val=True)
    import jax.numpy as jnp
    import optax

    matrix, linear, x = jnp.array(MATRIX), jnp.array(LINEAR), jnp.array(START)
    optimizer = make(optax)
    state = optimizer.init(x)
    while True:
        updates, state = optimizer.update(matrix @ x + linear, state, x)
        x = optax.apply_updates(x, updates)
        yield x.tolist()


# -- in 60 digits, as published ------------------------------------------------------------------


def exact(rule, **numbers):
    """Run x ← rule(x, gradient function, t, state) coordinate by coordinate."""
    matrix, linear = mp.matrix(MATRIX), mp.matrix(LINEAR)
    n = {name: mp.mpf(number) for name, number in numbers.items()}
    x, state = [mp.mpf(v) for v in START], {}
    for t in range(1, LAST + 1):
        x = rule(x, lambda p: list(matrix * mp.matrix(p) + linear), t, state, n)
        yield x


def each(function, *lists):
    return [function(*values) for values in zip(*lists, strict=True)]


def zeros():
    return [mp.mpf(0)] * len(START)


def moments(g, state, n):
    """Update and return the uncorrected m and v."""
    m = each(lambda m, g: n["b1"] * m + (1 - n["b1"]) * g, state.get("m", zeros()), g)
    v = each(lambda v, g: n["b2"] * v + (1 - n["b2"]) * g**2, state.get("v", zeros()), g)
    state.update(m=m, v=v)
    return m, v


def keras_adam(x, gradient, t, state, n):
    """lr_t = lr √(1 - β₂ᵗ)/(1 - β₁ᵗ); x ← x - lr_t m/(√v + ε); decay first, decoupled."""
    m, v = moments(gradient(x), state, n)
    x = [xi - n["w"] * n["lr"] * xi for xi in x]
    rate = n["lr"] * mp.sqrt(1 - n["b2"] ** t) / (1 - n["b1"] ** t)
    return each(lambda x, m, v: x - rate * m / (mp.sqrt(v) + n["eps"]), x, m, v)


def keras_amsgrad(x, gradient, t, state, n):
    m, v = moments(gradient(x), state, n)
    state["u"] = each(max, state.get("u", zeros()), v)
    rate = n["lr"] * mp.sqrt(1 - n["b2"] ** t) / (1 - n["b1"] ** t)
    return each(lambda x, m, u: x - rate * m / (mp.sqrt(u) + n["eps"]), x, m, state["u"])


def half_corrected_adam(x, gradient, t, state, n):
    """Adam with the correction of m alone (n["first"] = 1) or of v alone (0)."""
    m, v = moments(gradient(x), state, n)
    a = 1 - n["b1"] ** t if n["first"] else 1
    c = 1 if n["first"] else 1 - n["b2"] ** t
    return each(lambda x, m, v: x - n["lr"] * (m / a) / (mp.sqrt(v / c) + n["eps"]), x, m, v)


def uncorrected_adam(x, gradient, t, state, n):
    m, v = moments(gradient(x), state, n)
    return each(lambda x, m, v: x - n["lr"] * m / (mp.sqrt(v) + n["eps"]), x, m, v)


def keras_adamax(x, gradient, t, state, n):
    """Kingma & Ba, algorithm 2, with Keras' ε beside u."""
    g = gradient(x)
    m = each(lambda m, g: n["b1"] * m + (1 - n["b1"]) * g, state.get("m", zeros()), g)
    u = each(lambda u, g: max(n["b2"] * u, abs(g)), state.get("u", zeros()), g)
    state.update(m=m, u=u)
    rate = n["lr"] / (1 - n["b1"] ** t)
    return each(lambda x, m, u: x - rate * m / (u + n["eps"]), x, m, u)


def rmsprop_nesterov(x, gradient, t, state, n):
    """Lecture 002 and Goodfellow et al., algorithm 8.6: x~ = x + αv; r; v ← αv - (ε/√r)g; x + v."""
    v = state.get("v", zeros())
    ahead = each(lambda x, v: x + n["mu"] * v, x, v)
    g = [gi + n["w"] * xi for gi, xi in zip(gradient(ahead), ahead, strict=True)]
    r = each(lambda r, g: n["rho"] * r + (1 - n["rho"]) * g**2, state.get("r", zeros()), g)
    v = each(
        lambda v, r, g: n["mu"] * v - n["lr"] * g / (mp.sqrt(r) + n["eps"]),
        v,
        r,
        g,
    )
    state.update(v=v, r=r)
    return each(lambda x, v: x + v, x, v)


# -- files ---------------------------------------------------------------------------------------


def entry(source, points, **hyperparameters):
    kept = {}
    for k, point in enumerate(points, 1):
        if k in AT:
            kept[str(k)] = [float(value) for value in point]
        if k == LAST:
            break
    return {
        "source": source,
        "hyperparameters": hyperparameters,
        "matrix": MATRIX,
        "linear": LINEAR,
        "start": START,
        "points": kept,
        "tolerance": 1e-12,
    }


def ours(options, **more):
    renamed = {NAMES.get(name, name): value for name, value in options.items()}
    if "betas" in renamed:
        renamed["beta1"], renamed["beta2"] = renamed.pop("betas")
    return {**renamed, **more}


def text(name, options):
    return f"{name}({', '.join(f'{key}={value}' for key, value in options.items())})"


def torch_entry(name, options, **more):
    options = {"eps": 0.0137, **options}
    source = text(f"torch 2.13.0, torch.optim.{name}", options)
    return entry(source, by_torch(name, **options), **ours(options, **more))


def optax_entry(name, options, **more):
    rate = {"learning_rate": options["lr"]}
    rest = {key: value for key, value in options.items() if key != "lr"}
    source = text(f"optax 0.2.8, optax.{name}", rate | rest)
    points = by_optax(lambda optax: getattr(optax, name)(**rate, **rest))
    return entry(source, points, **ours(options, **more))


def decoupled_entry(scale, options, rate, decay, **more):
    """A scaling of optax, decay added after it, then the learning rate."""

    def make(optax):
        return optax.chain(
            getattr(optax, scale)(**options),
            optax.add_decayed_weights(decay),
            optax.scale_by_learning_rate(rate),
        )

    name = text(f"optax 0.2.8, {scale}", options)
    source = f"{name}, add_decayed_weights({decay}), scale_by_learning_rate({rate})"
    settings = {"learning_rate": rate, "weight_decay": decay, "decoupled": True}
    return entry(source, by_optax(make), **ours(options, **settings, **more))


def exact_entry(source, rule, numbers, **hyperparameters):
    return entry(f"{source}, in 60 digits", exact(rule, **numbers), **hyperparameters)


def adagrad():
    return [
        torch_entry("Adagrad", {"lr": 0.31347}),
        torch_entry("Adagrad", {"lr": 0.31347, "lr_decay": 0.0713}),
        torch_entry(
            "Adagrad", {"lr": 0.31347, "initial_accumulator_value": 0.217, "weight_decay": 0.173}
        ),
        optax_entry(
            "adagrad",
            {"lr": 0.31347, "initial_accumulator_value": 0.0, "eps": 0.0137},
            epsilon_inside=True,
        ),
        decoupled_entry(
            "scale_by_rss",
            {"initial_accumulator_value": 0.1, "eps": 0.0137},
            0.31347,
            0.173,
            epsilon_inside=True,
        ),
    ]


def rmsprop():
    plain = {"lr": 0.01347, "alpha": 0.91731}
    moving = {"lr": 0.01347, "decay": 0.91731, "eps": 0.0137, "momentum": 0.71317}
    inside = {"learning_rate_inside": True}
    book = {"lr": 0.01347, "rho": 0.91731, "eps": 0.0137, "mu": 0.71317, "w": 0.173}
    return [
        torch_entry("RMSprop", plain),
        torch_entry("RMSprop", {**plain, "momentum": 0.71317}),
        torch_entry("RMSprop", {**plain, "momentum": 0.71317, "centered": True, "eps": 0.137}),
        torch_entry("RMSprop", {**plain, "centered": True, "weight_decay": 0.173, "eps": 0.137}),
        optax_entry(
            "rmsprop", {"lr": 0.01347, "decay": 0.91731, "eps": 0.0137}, epsilon_inside=True
        ),
        optax_entry(
            "rmsprop",
            {**moving, "eps_in_sqrt": False, "bias_correction": True},
            **inside,
        ),
        optax_entry(
            "rmsprop",
            {**moving, "nesterov": True},
            **{**inside, "nesterov": "rewritten", "epsilon_inside": True},
        ),
        optax_entry(
            "rmsprop",
            {**moving, "centered": True, "bias_correction": True, "initial_scale": 0.217},
            **inside,
            epsilon_inside=True,
        ),
        decoupled_entry(
            "scale_by_rms",
            {"decay": 0.91731, "eps": 0.0137},
            0.01347,
            0.173,
            epsilon_inside=True,
        ),
        exact_entry(
            "Goodfellow et al., algorithm 8.6, with ε and L2",
            rmsprop_nesterov,
            book,
            learning_rate=0.01347,
            decay=0.91731,
            epsilon=0.0137,
            momentum=0.71317,
            nesterov="ahead",
            weight_decay=0.173,
        ),
    ]


def adam():
    numbers = {"lr": 0.10347, **BETAS, "eps": 0.0137, "w": 0}
    settings = {"learning_rate": 0.10347, "beta1": 0.83219, "beta2": 0.95173, "epsilon": 0.0137}
    off = {"bias_correction_mean": False, "bias_correction_square": False}
    return [
        torch_entry("Adam", {"lr": 0.10347, **PAIR}),
        torch_entry("Adam", {"lr": 0.10347, **PAIR, "weight_decay": 0.173}),
        optax_entry("adam", {"lr": 0.10347, **BETAS, "eps": 0.0137, "eps_root": 0.00713}),
        exact_entry("Keras' Adam", keras_adam, numbers, **settings, epsilon_hat=True),
        exact_entry("Adam without correction", uncorrected_adam, numbers, **settings, **off),
        exact_entry(
            "Adam with m alone corrected",
            half_corrected_adam,
            {**numbers, "first": 1},
            **settings,
            bias_correction_square=False,
        ),
        exact_entry(
            "Adam with v alone corrected",
            half_corrected_adam,
            {**numbers, "first": 0},
            **settings,
            bias_correction_mean=False,
        ),
    ]


def adamw():
    return [
        torch_entry("AdamW", {"lr": 0.10347, **PAIR, "weight_decay": 0.173}),
        optax_entry(
            "adamw",
            {"lr": 0.10347, **BETAS, "eps": 0.0137, "eps_root": 0.00713, "weight_decay": 0.173},
        ),
        exact_entry(
            "Keras' AdamW",
            keras_adam,
            {"lr": 0.10347, **BETAS, "eps": 0.0137, "w": 0.173},
            learning_rate=0.10347,
            beta1=0.83219,
            beta2=0.95173,
            epsilon=0.0137,
            weight_decay=0.173,
            epsilon_hat=True,
        ),
    ]


def amsgrad():
    options = {"lr": 0.10347, **BETAS, "eps": 0.0137}
    raw = {"bias_correction_mu": False, "bias_correction_nu": False}
    torch_options = {"lr": 0.10347, **PAIR, "eps": 0.0137, "amsgrad": True}
    decayed = {**torch_options, "weight_decay": 0.173}
    found = [
        entry(
            text(f"torch 2.13.0, torch.optim.{name}", chosen),
            by_torch(name, **chosen),
            **{k: v for k, v in ours(chosen).items() if k != "amsgrad"},
            decoupled=name == "AdamW",
        )
        for name, chosen in (("Adam", torch_options), ("Adam", decayed), ("AdamW", decayed))
    ]
    rooted = {**BETAS, "eps": 0.0137, "eps_root": 0.00713, **raw}
    points = by_optax(lambda optax: optax.amsgrad(0.10347, **rooted))
    return [
        *found,
        optax_entry("amsgrad", options, variant="optax"),
        optax_entry("amsgrad", {**options, "eps_root": 0.00713}, variant="optax"),
        entry(
            text("optax 0.2.8, optax.amsgrad", {"learning_rate": 0.10347, **rooted}),
            points,
            **ours(options, variant="raw", epsilon_root=0.00713),
        ),
        exact_entry(
            "Keras' Adam(amsgrad=True)",
            keras_amsgrad,
            options,
            **ours(options),
            epsilon_hat=True,
        ),
    ]


def nadam():
    options = {"lr": 0.05347, **PAIR}
    nesterov = {"lr": 0.05347, **BETAS, "eps": 0.0137, "eps_root": 0.00713}
    decayed = {**options, "weight_decay": 0.173}
    return [
        torch_entry("NAdam", {**options, "momentum_decay": 0.0713}),
        torch_entry("NAdam", {**options, "momentum_decay": 0.0}),
        torch_entry("NAdam", {**decayed, "momentum_decay": 1.0}),
        torch_entry("NAdam", {**decayed, "decoupled_weight_decay": True}),
        optax_entry("nadam", nesterov, momentum_schedule=False),
        optax_entry("nadamw", {**nesterov, "weight_decay": 0.173}, **_constant()),
    ]


def _constant():
    return {"momentum_schedule": False, "decoupled": True}


def radam():
    options = {"lr": 0.05347, **PAIR}
    decayed = {**options, "weight_decay": 0.173}
    nesterov = {"lr": 0.05347, **BETAS, "eps": 0.0137}
    return [
        torch_entry("RAdam", options),
        torch_entry("RAdam", decayed),
        torch_entry("RAdam", {**decayed, "decoupled_weight_decay": True}),
        torch_entry("RAdam", {**options, "betas": (0.83219, 0.6)}),  # never rectified
        optax_entry("radam", nesterov, variant="optax"),
        optax_entry("radam", {**nesterov, "eps_root": 0.00713, "threshold": 7.13}, variant="optax"),
    ]


def adamax():
    options = {"lr": 0.05347, **PAIR}
    named = {"lr": 0.05347, **BETAS, "eps": 0.0137}
    return [
        torch_entry("Adamax", options),
        torch_entry("Adamax", {**options, "weight_decay": 0.173}),
        optax_entry("adamaxw", {**named, "weight_decay": 0.173}, decoupled=True),
        exact_entry("Keras' Adamax", keras_adamax, named, **ours(named), epsilon_inside=False),
    ]


def adadelta():
    options = {"lr": 0.5347, "rho": 0.91731}
    return [
        torch_entry("Adadelta", options),
        torch_entry("Adadelta", {**options, "weight_decay": 0.173}),
        optax_entry("adadelta", {**options, "eps": 0.0137}),
        decoupled_entry("scale_by_adadelta", {"rho": 0.91731, "eps": 0.0137}, 0.5347, 0.173),
    ]


def all_entries():
    named = {"lr": 0.05347, **BETAS, "eps": 0.0137}
    return {
        "AdaGrad": adagrad(),
        "RMSProp": rmsprop(),
        "Adadelta": adadelta(),
        "Adam": adam(),
        "AdamW": adamw(),
        "AMSGrad": amsgrad(),
        "NAdam": nadam(),
        "RAdam": radam(),
        "Adamax": adamax(),
        "AdaBelief": [
            optax_entry("adabelief", {**named, "eps_root": 0.00713}),
            optax_entry("adabelief", {"lr": 0.05347, **BETAS, "eps": 0.137, "eps_root": 0.0}),
        ],
        "Yogi": [
            optax_entry("yogi", named),
            entry(
                "optax 0.2.8, scale_by_yogi(initial_accumulator_value=0.217), scale(-0.05347)",
                by_optax(
                    lambda o: o.chain(
                        o.scale_by_yogi(**BETAS, eps=0.0137, initial_accumulator_value=0.217),
                        o.scale(-0.05347),
                    )
                ),
                **ours(named),
                initial_accumulator=0.217,
            ),
        ],
        "LAMB": [
            optax_entry("lamb", {**named, "lr": 0.01347}),
            optax_entry(
                "lamb", {**named, "lr": 0.01347, "eps_root": 0.00713, "weight_decay": 0.173}
            ),
        ],
    }


def main():
    folder = Path(__file__).parent
    for name, entries in all_entries().items():
        text = json.dumps(entries, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
