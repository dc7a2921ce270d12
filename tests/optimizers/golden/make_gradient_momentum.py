"""Make the golden trajectories of the gradient and momentum families, by other implementations.

Run in an environment with torch 2.13, optax 0.2.8 and mpmath:

    python tests/optimizers/golden/make_gradient_momentum.py

torch and optax run where they have the rule; the others are the papers' recurrences, stated again
in 60 digits, in the form in which they were published (not that of the package).
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

A = mp.matrix(MATRIX)
B = mp.matrix(LINEAR)
SMALLEST, LARGEST = 0.05, 3.5  # an interval that holds the spectrum


def gradient(x):
    return A * x + B


# -- recurrences as published --------------------------------------------------------------------


def exact_line_search():
    x = mp.matrix(START)
    while True:
        g = gradient(x)
        x = x - ((g.T * g)[0] / (g.T * A * g)[0]) * g
        yield x


def richardson(steps):
    x = mp.matrix(START)
    for step in steps:
        x = x - step * gradient(x)
        yield x


def chebyshev_roots(count):
    """Return the zeros of T_n mapped to [m, L], the largest first."""
    m, largest = mp.mpf(SMALLEST), mp.mpf(LARGEST)
    zeros = [mp.cos((2 * j - 1) * mp.pi / (2 * count)) for j in range(1, count + 1)]
    return [(largest + m + (largest - m) * zero) / 2 for zero in zeros]


def in_order(roots, order):
    """Put roots (the largest first) in order, by the definition of each order."""
    if order == "leja":
        chosen, rest = [roots[0]], list(roots[1:])
        while rest:
            products = [mp.fprod(abs(one - root) for root in chosen) for one in rest]
            best = max(products)
            ties = [abs(product / best - 1) < mp.mpf("1e-40") for product in products]
            chosen.append(rest.pop(ties.index(True)))
        return chosen
    if order == "fractal":
        numbers = [1]
        while len(numbers) < len(roots):
            n = len(numbers)
            numbers = [v for number in numbers for v in (number, 2 * n + 1 - number)]
        longest_first = roots[::-1]
        return [longest_first[number - 1] for number in numbers]
    return roots if order == "ascending" else roots[::-1]


def chebyshev_steps(count, order):
    roots = in_order(chebyshev_roots(count), order)
    return richardson(1 / roots[k % count] for k in range(LAST))


def semi_iteration():
    """Golub & Varga: ω_1 = 1, ω_2 = 2/(2 - σ²), ω_(k+1) = 1/(1 - σ²ω_k/4)."""
    m, largest = mp.mpf(SMALLEST), mp.mpf(LARGEST)
    sigma = (largest - m) / (largest + m)
    before, x, omega = mp.matrix(START), mp.matrix(START), mp.mpf(1)
    for k in range(1, LAST + 1):
        before, x = x, omega * (x - 2 / (largest + m) * gradient(x) - before) + before
        omega = 2 / (2 - sigma**2) if k == 1 else 1 / (1 - sigma**2 * omega / 4)
        yield x


def silver():
    """The schedule doubled: h_(k+1) = [h_k, 1 + ρ^(k-1), h_k], from h_1 = [√2]."""
    rho = 1 + mp.sqrt(2)
    schedule, k = [mp.sqrt(2)], 1
    while len(schedule) < LAST:
        schedule, k = [*schedule, 1 + rho ** (k - 1), *schedule], k + 1
    return richardson(step / mp.mpf(LARGEST) for step in schedule[:LAST])


def two_rates(gamma, eta, beta, look):
    w, p = mp.matrix(START), mp.zeros(3, 1)
    while True:
        p = beta * p + eta * gradient(w - look * beta * p)
        w = w - gamma * p
        yield w


def quasi_hyperbolic(alpha, beta, nu):
    """Ma & Yarats, equations 3 and 4."""
    x, average = mp.matrix(START), mp.zeros(3, 1)
    while True:
        g = gradient(x)
        average = beta * average + (1 - beta) * g
        x = x - alpha * ((1 - nu) * g + nu * average)
        yield x


def two_points(alpha, weights):
    """Nesterov 1983: y = x + β_k (x - x_before), x = y - α g(y)."""
    before = x = mp.matrix(START)
    for weight in weights:
        y = x + weight * (x - before)
        before, x = x, y - alpha * gradient(y)
        yield x


def recursive_weights():
    tau = mp.mpf(1)
    for _ in range(LAST):
        following = (1 + mp.sqrt(1 + 4 * tau**2)) / 2
        yield (tau - 1) / following
        tau = following


def triple_momentum(alpha, beta, gamma, delta):
    """Van Scoy, Freeman & Lynch: three sequences ξ, y, x from ξ_(-1) = ξ_0."""
    before = xi = mp.matrix(START)
    while True:
        y = (1 + gamma) * xi - gamma * before
        before, xi = xi, (1 + beta) * xi - beta * before - alpha * gradient(y)
        yield (1 + delta) * xi - delta * before


# -- libraries -----------------------------------------------------------------------------------


def torch_sgd(iterate=lambda x, buffer: x, **options):
    import torch

    torch.set_default_dtype(torch.float64)
    matrix, linear = torch.tensor(MATRIX), torch.tensor(LINEAR)
    x = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.SGD([x], **options)
    while True:
        optimizer.zero_grad()
        (x @ matrix @ x / 2 + linear @ x).backward()
        optimizer.step()
        buffer = optimizer.state[x].get("momentum_buffer")
        yield iterate(x.detach(), buffer).tolist()


def optax_run(make):
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


def lib(name, **settings):
    inner = ", ".join(f"{key}={value}" for key, value in settings.items())
    return f"{name}({inner})"


def outer(**options):
    ours = {"learning_rate": options["lr"], **options}
    del ours["lr"]
    ours.setdefault("momentum", 0.0)
    return entry(lib("torch 2.13.0, torch.optim.SGD", **options), torch_sgd(**options), **ours)


def outer_optax(lr, momentum, *, nesterov):
    name = lib("optax 0.2.8, optax.sgd", learning_rate=lr, momentum=momentum, nesterov=nesterov)
    points = optax_run(lambda optax: optax.sgd(lr, momentum=momentum, nesterov=nesterov))
    return entry(name, points, learning_rate=lr, momentum=momentum, nesterov=nesterov)


def plain(rate, **more):
    return entry(lib("torch 2.13.0, torch.optim.SGD", lr=rate), torch_sgd(lr=rate), **more)


def averaged(rate, momentum):
    def make(optax):
        return optax.chain(optax.ema(momentum, debias=False), optax.scale(-rate))

    name = f"optax 0.2.8, ema({momentum}, debias=False) and scale(-{rate})"
    return entry(name, optax_run(make), learning_rate=rate, momentum=momentum)


def chebyshev(count, order):
    return entry(
        "zeros of T_n mapped to [m, L], in 60 digits",
        chebyshev_steps(count, order),
        smallest=SMALLEST,
        largest=LARGEST,
        steps=count,
        order=order,
    )


def nesterov_torch(rate, momentum, name):
    """The library's point is x + μv; its buffer b gives v = -αb, so x = point + αμb."""
    options = {"lr": rate, "momentum": momentum, "nesterov": True}
    back = (lambda x, b: x + rate * momentum * b) if name == "Nesterov" else (lambda x, b: x)
    source = lib("torch 2.13.0, torch.optim.SGD", **options)
    points = torch_sgd(iterate=back, **options)
    text = f"{source}, moved back to the iterate" if name == "Nesterov" else source
    return entry(text, points, learning_rate=rate, momentum=momentum)


def two_rate(rate, inner, momentum, look, **flag):
    points = two_rates(rate, inner, momentum, look)
    settings = {"learning_rate": rate, "gradient_rate": inner, "momentum": momentum}
    return entry("the lecture's lines, in 60 digits", points, **settings, **flag)


def two_point(weights, rate=0.24813, **settings):
    points = two_points(rate, weights)
    return entry("the two-point form, in 60 digits", points, learning_rate=rate, **settings)


def triple(alpha, beta, gamma, delta):
    return entry(
        "the three sequences of the paper, in 60 digits",
        triple_momentum(alpha, beta, gamma, delta),
        learning_rate=alpha,
        momentum=beta,
        lookahead=gamma,
        extrapolation=delta,
    )


def quasi(rate, momentum, nu):
    points = quasi_hyperbolic(rate, momentum, nu)
    return entry(
        "Ma & Yarats (2019), equations 3 and 4, in 60 digits",
        points,
        learning_rate=rate,
        momentum=momentum,
        nu=nu,
    )


def all_entries():
    heavy = {"lr": 0.21347, "momentum": 0.83219}
    steps = range(1, LAST + 1)
    name = lib("torch 2.13.0, torch.optim.SGD", **heavy)
    return {
        "GradientDescent": [plain(0.31416, learning_rate=0.31416)],
        "SGD": [plain(0.27183, learning_rate=0.27183)],
        "ExactLineSearch": [entry("gᵀg/gᵀAg in 60 digits", exact_line_search())],
        "ChebyshevSteps": [
            chebyshev(8, "leja"),
            chebyshev(7, "leja"),
            chebyshev(8, "fractal"),
            chebyshev(5, "ascending"),
            chebyshev(5, "descending"),
        ],
        "ChebyshevSemiIteration": [
            entry(
                "the three-term recurrence of Golub & Varga (1961), in 60 digits",
                semi_iteration(),
                smallest=SMALLEST,
                largest=LARGEST,
            )
        ],
        "SilverSteps": [entry("the schedule doubled, in 60 digits", silver(), largest=LARGEST)],
        "HeavyBall": [
            entry(name, torch_sgd(**heavy), learning_rate=heavy["lr"], momentum=heavy["momentum"])
        ],
        "Nesterov": [nesterov_torch(0.21347, 0.83219, "Nesterov")],
        "EMAMomentum": [averaged(1.21347, 0.83219)],
        "OuterMomentum": [
            outer(lr=0.11347, momentum=0.87131),
            outer(lr=0.11347, momentum=0.87131, dampening=0.31415),
            outer(lr=0.31347, momentum=0.87131, dampening=0.87131),
            outer(lr=0.11347, momentum=0.87131, nesterov=True),
            outer(lr=0.11347, momentum=0.87131, weight_decay=0.17321),
            outer(lr=0.11347, momentum=0.87131, dampening=0.31415, weight_decay=0.17321),
            outer(lr=0.11347, momentum=0.87131, weight_decay=0.17321, nesterov=True),
            outer(lr=0.31347, weight_decay=0.17321),
            outer_optax(0.11347, 0.87131, nesterov=False),
            outer_optax(0.11347, 0.87131, nesterov=True),
        ],
        "TwoRateMomentum": [two_rate(0.31347, 0.51173, 0.87131, 0)],
        "TwoRateNesterov": [
            two_rate(0.31347, 0.51173, 0.87131, 0.31347),
            two_rate(0.31347, 0.51173, 0.57131, 1, as_printed=True),
        ],
        "NesterovRewritten": [nesterov_torch(0.21347, 0.83219, "NesterovRewritten")],
        "NesterovTwoPoint": [
            two_point(recursive_weights()),
            two_point((mp.mpf(k - 1) / (k + 2) for k in steps), sequence="ratio"),
            two_point(
                ((k - 1) / (k + mp.mpf(4.71239)) for k in steps),
                sequence="ratio",
                friction=5.71239,
            ),
            two_point((mp.mpf(0.83219) for _ in steps), sequence="constant", momentum=0.83219),
        ],
        "QHM": [quasi(0.51347, 0.87131, 0.71828), quasi(0.31347, 0.999, 0.7)],
        "TripleMomentum": [triple(0.41347, 0.57131, 0.31416, 0.71828)],
    }


def main():
    folder = Path(__file__).parent
    for name, entries in all_entries().items():
        text = json.dumps(entries, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
