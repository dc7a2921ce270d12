"""Make the golden trajectories of the second-order, Krylov and quasi-Newton families.

Run by hand, where torch and scipy are installed: ``python make_second_order.py``. What neither has
is stated here once more, from the papers, with mpmath matrices of 50 digits: losses are compared
(not slopes), inverses are solved for (not taken from eigenvalues), matrices multiplied out.
"""

from __future__ import annotations

import json
from pathlib import Path

import mpmath

MATRIX = [[3.0, 1.0, 0.5], [1.0, 2.0, -0.4], [0.5, -0.4, 1.0]]
SADDLE = [[3.0, 1.0, 0.5], [1.0, 2.0, -0.4], [0.5, -0.4, -0.5]]
LINEAR = [1.0, -2.0, 0.5]
START = [2.0, -1.5, 3.0]
STEPS = (1, 2, 5, 10, 20, 100)
END = max(STEPS)
MPMATH = "mpmath, 50 digits"


def entry(source, hyperparameters, path, matrix=None, last=END, tolerance=1e-9):
    """`path` may be shorter than the steps: the method has then ended, and stays.

    `last` ends a trajectory before rounding decides it: torch's search interpolates losses, which
    no longer differ near the minimum; on a saddle points grow.
    """
    return {
        "source": source,
        "hyperparameters": hyperparameters,
        "matrix": matrix or MATRIX,
        "linear": LINEAR,
        "start": START,
        "points": {
            str(step): [float(x) for x in path[min(step, len(path) - 1)]]
            for step in STEPS
            if step <= (5 if matrix else last)
        },
        "tolerance": tolerance,
    }


def save(name, entries):
    path = Path(__file__).parent / f"{name}.json"
    path.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


class Problem:
    """J = x'Ax/2 + b'x in mpmath."""

    def __init__(self, matrix=None):
        self.A, self.b = mpmath.matrix(matrix or MATRIX), mpmath.matrix(LINEAR)
        self.start = mpmath.matrix(START)
        self.eye = mpmath.eye(len(START))

    def value(self, x):
        return (x.T * self.A * x)[0] / 2 + (self.b.T * x)[0]

    def gradient(self, x):
        return self.A * x + self.b


def dot(x, y):
    return (x.T * y)[0]


def run(step, problem=None):
    """Repeat `step(x)`; stop where the gradient has vanished to 40 digits."""
    problem = problem or Problem()
    path = [problem.start]
    for _ in range(END):
        if mpmath.norm(problem.gradient(path[-1])) < mpmath.mpf(10) ** -40:
            break
        path.append(step(path[-1]))
    return path


# -- second order --------------------------------------------------------------------------------


def newton(rate, damping, problem=None):
    p = problem or Problem()
    shifted = p.A + mpmath.mpf(damping) * p.eye
    return run(lambda x: x - mpmath.mpf(rate) * mpmath.lu_solve(shifted, p.gradient(x)), p)


def levenberg_marquardt(damping, update, matrix=None):
    """Nielsen (1999), with J for half the sum of squares and A for the Gauss-Newton matrix."""
    p = Problem(matrix)
    state = {"mu": mpmath.mpf(damping), "nu": mpmath.mpf(2)}

    def step(x):
        g, mu = p.gradient(x), state["mu"]
        h = mpmath.lu_solve(p.A + mu * p.eye, -g)
        actual = p.value(x) - p.value(x + h)
        model = -dot(h, g) - dot(h, p.A * h) / 2
        if actual > 0:
            ratio = actual / model
            nielsen = max(mpmath.mpf(1) / 3, 1 - (2 * ratio - 1) ** 3)
            state["mu"] = mu * (nielsen if update == "nielsen" else mpmath.mpf("0.1"))
            state["nu"] = mpmath.mpf(2)
            return x + h
        state["mu"] = mu * (state["nu"] if update == "nielsen" else 10)
        state["nu"] *= 2
        return x

    return run(step, p)


def truncated_newton(rate, damping, inner, forcing, matrix=None):
    """Nocedal & Wright (2006), algorithm 7.1, with a fixed step instead of a line search."""
    p = Problem(matrix)
    B = p.A + mpmath.mpf(damping) * p.eye

    def direction(g):
        bound = min(mpmath.mpf(forcing), mpmath.sqrt(mpmath.norm(g))) * mpmath.norm(g)
        z, r, d = 0 * g, g, -g
        for j in range(inner):
            bend = dot(d, B * d)
            if bend <= 0:
                return d if j == 0 else z
            alpha = dot(r, r) / bend
            z, after = z + alpha * d, r + alpha * (B * d)
            if mpmath.norm(after) <= bound:
                return z
            r, d = after, -after + dot(after, after) / dot(r, r) * d
        return z

    return run(lambda x: x + mpmath.mpf(rate) * direction(p.gradient(x)), p)


# -- Krylov and quasi-Newton ---------------------------------------------------------------------


def scipy_cg():
    import numpy as np
    from scipy.sparse.linalg import cg

    path = [np.array(START)]
    cg(
        np.array(MATRIX),
        -np.array(LINEAR),
        x0=np.array(START),
        rtol=1e-14,
        callback=lambda x: path.append(x.copy()),
    )
    assert len(path) == 4, "three distinct eigenvalues"
    return path


def conjugate_directions():
    """Gram-Schmidt in the A inner product on the residuals: no formula for beta at all."""
    p = Problem()
    used = []

    def step(x):
        d = -p.gradient(x)
        for old in used:
            d = d - dot(old, p.A * d) / dot(old, p.A * old) * old
        used.append(d)
        return x - dot(p.gradient(x), d) / dot(d, p.A * d) * d

    return run(step, p)


def bfgs(exact, rate=1, scaled=False):
    """Nocedal & Wright (2006), algorithm 6.1: the product form, with the gradient difference."""
    p = Problem()
    state = {"H": p.eye.copy(), "first": True}

    def step(x):
        H, g = state["H"], p.gradient(x)
        d = -H * g
        alpha = -dot(g, d) / dot(d, p.A * d) if exact else mpmath.mpf(rate)
        s = alpha * d
        y = p.gradient(x + s) - g
        if dot(s, y) > 0:
            if scaled and state["first"]:
                H = dot(y, s) / dot(y, y) * H
            rho = 1 / dot(y, s)
            left = p.eye - rho * s * y.T
            state["H"] = left * H * left.T + rho * s * s.T
        state["first"] = False
        return x + s

    return run(step, p)


def lbfgs(history, rate=None):
    """Nocedal & Wright (2006), eq. 7.16-7.19: the matrix, rebuilt from its last pairs."""
    p, pairs = Problem(), []

    def step(x):
        g, H = p.gradient(x), p.eye
        if pairs:
            s, y = pairs[-1]
            H = dot(s, y) / dot(y, y) * p.eye
        for s, y in pairs[-history:]:
            rho = 1 / dot(y, s)
            left = p.eye - rho * s * y.T
            H = left * H * left.T + rho * s * s.T
        d = -H * g
        alpha = mpmath.mpf(rate) if rate else -dot(g, d) / dot(d, p.A * d)
        pairs.append((alpha * d, p.gradient(x + alpha * d) - g))
        return x + alpha * d

    return run(step, p)


def torch_lbfgs(rate, history, search, tolerance_grad=0, tolerance_change=0):
    import torch

    torch.set_default_dtype(torch.float64)
    matrix, linear = torch.tensor(MATRIX), torch.tensor(LINEAR)
    x = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [x],
        lr=rate,
        max_iter=1,
        max_eval=26,  # with the default of 1 the search gets no evaluation
        tolerance_grad=tolerance_grad,
        tolerance_change=tolerance_change,
        history_size=history,
        line_search_fn=search,
    )

    def closure():
        optimizer.zero_grad()
        loss = x @ matrix @ x / 2 + linear @ x
        loss.backward()
        return loss

    path = [x.detach().tolist()]
    for _ in range(END):
        optimizer.step(closure)
        path.append(x.detach().tolist())
    return path


def optax_lbfgs(rate, history, scaled):
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", val=True)
    matrix, linear, x = jnp.array(MATRIX), jnp.array(LINEAR), jnp.array(START)
    transform = optax.lbfgs(rate, history, scaled, linesearch=None)
    state = transform.init(x)
    path = [x.tolist()]
    for _ in range(END):
        updates, state = transform.update(matrix @ x + linear, state, x)
        x = optax.apply_updates(x, updates)
        path.append(x.tolist())
    return path


def bfgs_with_torchs_search(first):
    """The full-matrix update with the strong Wolfe search of torch.optim.lbfgs."""
    import torch
    from torch.optim.lbfgs import _strong_wolfe

    torch.set_default_dtype(torch.float64)
    A, b = torch.tensor(MATRIX), torch.tensor(LINEAR)
    x, H, eye = torch.tensor(START), torch.eye(3), torch.eye(3)

    def evaluate(x, length, direction):
        point = x + length * direction
        return float(point @ A @ point / 2 + b @ point), A @ point + b

    path = [x.tolist()]
    for _ in range(END):
        g = A @ x + b
        if g.abs().max() > 1e-12:
            d = -H @ g
            value, _ = evaluate(x, 0.0, d)
            _, after, length, _ = _strong_wolfe(evaluate, x, first, d, value, g, g @ d)
            s, y = length * d, after - g
            rho = 1 / (s @ y)
            left = eye - rho * torch.outer(s, y)
            x, H = x + s, left @ H @ left.T + rho * torch.outer(s, s)
        path.append(x.tolist())
    return path


def main():
    import optax
    import scipy
    import torch

    optax_is = f"optax {optax.__version__}"
    torch_is = f"torch {torch.__version__.partition('+')[0]} LBFGS(max_iter=1)"
    with mpmath.workdps(50):
        save(
            "Newton",
            [
                entry(f"lu_solve ({MPMATH})", {"learning_rate": 0.3}, newton("0.3", 0)),
                entry(
                    f"lu_solve ({MPMATH})",
                    {"learning_rate": 1.0},
                    newton(1, 0, Problem(SADDLE)),
                    SADDLE,
                ),
            ],
        )
        save(
            "DampedNewton",
            [
                entry(
                    f"lu_solve ({MPMATH})",
                    {"learning_rate": 1.3, "damping": 0.7},
                    newton("1.3", "0.7"),
                )
            ],
        )
        save(
            "NaturalGradient",
            [
                entry(
                    f"lu_solve ({MPMATH})",
                    {"learning_rate": 0.5, "noise_variance": 0.4},
                    newton("0.2", 0),
                )
            ],
        )
        save(
            "LevenbergMarquardt",
            [
                entry(
                    f"Nielsen (1999), eq. 3.6, with losses ({MPMATH})",
                    {"damping": damping, "update": update},
                    levenberg_marquardt(damping, update, matrix),
                    matrix,
                )
                for damping, update, matrix in (
                    (5.0, "nielsen", None),
                    (50.0, "marquardt", None),
                    (0.25, "nielsen", SADDLE),
                    (0.125, "marquardt", SADDLE),
                )
            ],
        )
        save(
            "TruncatedNewton",
            [
                entry(
                    f"Nocedal & Wright (2006), algorithm 7.1, step {rate} ({MPMATH})",
                    {
                        "learning_rate": rate,
                        "damping": damping,
                        "inner_steps": inner,
                        "forcing": forcing,
                    },
                    truncated_newton(rate, damping, inner, forcing, matrix),
                    matrix,
                )
                for rate, damping, inner, forcing, matrix in (
                    (1.0, 0.0, 10, 0.5, None),
                    (0.75, 0.5, 2, 0.125, None),
                    (0.5, 0.0, 1, 0.0, None),
                    (0.25, 0.0, 3, 0.5, SADDLE),
                )
            ],
        )
        save(
            "ConjugateGradient",
            [
                entry(f"scipy {scipy.__version__} cg", {}, scipy_cg()),
                *(
                    entry(
                        f"Gram-Schmidt on the residuals ({MPMATH})",
                        {"formula": formula},
                        conjugate_directions(),
                    )
                    for formula in ("fletcher_reeves", "polak_ribiere", "hestenes_stiefel")
                ),
            ],
        )
        save(
            "BFGS",
            [
                *(
                    entry(
                        f"Nocedal & Wright (2006), algorithm 6.1, product form ({MPMATH})",
                        {"line_search": "exact", "scaled": scaled},
                        bfgs(exact=True, scaled=scaled),
                    )
                    for scaled in (False, True)
                ),
                *(
                    entry(
                        f"Nocedal & Wright (2006), algorithm 6.1, product form ({MPMATH})",
                        {"learning_rate": 0.25, "line_search": "fixed", "scaled": scaled},
                        bfgs(exact=False, rate="0.25", scaled=scaled),
                    )
                    for scaled in (False, True)
                ),
                *(
                    entry(
                        "product form, with the strong Wolfe search of torch 2.13.0",
                        {"learning_rate": first, "line_search": "wolfe"},
                        bfgs_with_torchs_search(first),
                        last=last,
                    )
                    for first, last in ((1.0, 5), (0.0003, 10))
                ),
            ],
        )
        as_torch = {"first_step": "torch", "skip_below": 1e-10, "tolerance": 0.0}
        save(
            "LBFGS",
            [
                *(
                    entry(
                        torch_is + (f", {search}" if search else ""),
                        {
                            "learning_rate": rate,
                            "history": history,
                            "line_search": "wolfe" if search else "fixed",
                            **as_torch,
                        },
                        torch_lbfgs(rate, history, search),
                        last=last,
                    )
                    for rate, history, search, last in (
                        (1.0, 100, None, 100),
                        (0.3, 2, None, 100),
                        (1.0, 100, "strong_wolfe", 5),
                        (0.0003, 2, "strong_wolfe", 10),
                    )
                ),
                *(
                    entry(
                        f"{torch_is}, tolerances {told}",
                        {
                            "learning_rate": 0.3,
                            "history": 100,
                            "line_search": "fixed",
                            **as_torch,
                            **given,
                        },
                        torch_lbfgs(0.3, 100, None, *given.values()),
                    )
                    for told, given in (
                        ("of torch", {"gradient_tolerance": 1e-7, "slope_tolerance": 1e-9}),
                        ("for gradients", {"gradient_tolerance": 0.3, "slope_tolerance": 0.0}),
                        ("for slopes", {"gradient_tolerance": 0.0, "slope_tolerance": 0.2}),
                    )
                ),
                *(
                    entry(
                        f"{optax_is} lbfgs(linesearch=None)",
                        {
                            "learning_rate": rate,
                            "history": history,
                            "line_search": "fixed",
                            "scaled": scaled,
                            "first_step": "optax" if scaled else "plain",
                            "tolerance": 0.0,
                        },
                        optax_lbfgs(rate, history, scaled),
                        last=20,
                    )
                    for rate, history, scaled in ((0.3, 10, True), (0.5, 2, True), (0.2, 3, False))
                ),
                *(
                    entry(
                        f"Nocedal & Wright (2006), eq. 7.19, full matrices ({MPMATH})",
                        {
                            "learning_rate": rate or 1.0,
                            "history": history,
                            "line_search": "fixed" if rate else "exact",
                        },
                        lbfgs(history, rate),
                    )
                    for history, rate in ((1, None), (3, None), (2, 0.25))
                ),
            ],
        )


if __name__ == "__main__":
    main()
