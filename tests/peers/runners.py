"""Running optimizers of torch and optax on a quadratic."""

from __future__ import annotations

import functools
import logging

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

logging.getLogger("absl").setLevel(logging.ERROR)  # optax reports what it makes of odd settings


def with_torch(name, **options):
    """Return a function that runs a torch optimizer on a place."""

    def run(place):
        return torch_path(
            lambda params: getattr(torch.optim, name)(params, **options), place, lambda *_: None
        )

    return run


def torch_path(make, place, around, read=None):
    """Return the points of a torch optimizer; `around` returns calls before and after a step."""
    matrix = torch.tensor(place.problem.operator.to_dense())
    linear = torch.tensor(place.problem.linear)
    theta = torch.nn.Parameter(torch.tensor(place.start))
    optimizer = make([theta])
    before, after = around(optimizer, [theta]) or (None, None)

    def closure():
        theta.grad = matrix @ theta.detach() + linear
        loss = theta.detach() @ (matrix @ theta.detach() / 2 + linear)
        return loss.requires_grad_()

    point = read or (lambda: theta.detach().numpy().copy())
    path = [place.start]
    for _ in range(place.steps):
        closure()
        if before is not None:
            before()
        optimizer.step(closure) if isinstance(optimizer, torch.optim.LBFGS) else optimizer.step()
        if after is not None:
            after()
        path.append(point() if read is None else point(optimizer, theta))
    return np.array(path)


def with_optax(name, **options):
    """Return a function that runs an optax optimizer on a place."""
    return functools.partial(optax_path, getattr(optax, name)(**options))


def optax_path(transform, place):
    """Return the points of an optax optimizer, in one compiled loop."""
    return np.array(_scan(transform, place.steps)(*_data(place)))


@functools.cache
def _scan(transform, steps):
    def run(matrix, linear, start):
        def one(carry, _):
            theta, state = carry
            updates, state = transform.update(matrix @ theta + linear, state, theta)
            theta = optax.apply_updates(theta, updates)
            return (theta, state), theta

        _, points = jax.lax.scan(one, (start, transform.init(start)), None, length=steps)
        return jnp.concatenate([start[None], points])

    return jax.jit(run)


def lookahead_path(transform, place):
    """Return the slow points of optax.lookahead."""
    matrix, linear, start = _data(place)
    params = optax.LookaheadParams.init_synced(start)
    state, points = transform.init(params), [place.start]
    update = jax.jit(transform.update)
    for _ in range(place.steps):
        updates, state = update(matrix @ params.fast + linear, state, params)
        params = optax.apply_updates(params, updates)
        points.append(np.array(params.slow))
    return np.array(points)


def _data(place):
    dense = place.problem.operator.to_dense()
    return jnp.array(dense), jnp.array(place.problem.linear), jnp.array(place.start)
