"""``python -m benchmarks.torch_loop``: a sweep of 30 optimizers against torch.optim, in one run.

50 learning rates x 20 starts x 1000 steps at d = 50 per optimizer, the loss of every run at every
step; float64, one thread, CPU time, medians of samples taken in turn. Ours is measured whole. All
of torch's loop would take an hour, so some runs and steps are timed and the rest is extrapolated in
proportion. What torch is spared: automatic differentiation (the gradient is written into ``.grad``,
about four times faster than ``backward()``), allocations, and the slower of its implementations.

Before anything is timed both run the same 30 steps, and their losses must agree.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import convex_analyzer as ca
from benchmarks.timing import Result, cpu_ratio
from benchmarks.torch_rules import TWINS, Twin

D, STARTS, STEPS = 50, 20, 1000
RATES = np.geomspace(1e-4, 0.5, 50)  # times the largest eigenvalue, which is 1
RUNS = len(RATES) * STARTS
ROUNDS = 5
SAMPLED = [(0, 150), (25, 150), (49, 150)]  # which rates, and how many steps of each
_AGREED = 1e-10


class Setting:
    """The problem and the starts, for NumPy and for torch; b is not zero, so both must add it."""

    def __init__(self, d: int = D) -> None:
        rng = np.random.default_rng(0)
        factor = rng.normal(size=(d, 2 * d))
        matrix = factor @ factor.T
        self.A, self.b = matrix / np.linalg.eigvalsh(matrix)[-1], rng.normal(size=d)
        self.starts = rng.normal(size=(STARTS, d))
        self.problem = ca.Quadratic(self.A, self.b)
        self.torch_A, self.torch_b = torch.tensor(self.A), torch.tensor(self.b)

    def ours(self, twin: Twin, rates: Any = RATES, steps: int = STEPS) -> ca.Trajectory:
        """Run every start with every rate; runs in the order of the rates."""
        rule = twin.rule(np.repeat(rates, STARTS)[:, None])
        starts = np.tile(self.starts, (len(rates), 1))
        return ca.simulate(self.problem, rule, starts, steps, record="loss")

    def one_run(self, twin: Twin, rate: float, steps: int, **variant: bool) -> list[float]:
        """Run the first start in torch as one does: one parameter, one step after the other."""
        theta = torch.nn.Parameter(torch.tensor(self.starts[0]))
        theta.grad = gradient = torch.empty_like(theta.data)
        total = torch.empty_like(gradient)
        optimizer = twin.torch([theta], rate, **variant)
        losses = []
        with torch.inference_mode():
            for _ in range(steps):
                torch.addmv(self.torch_b, self.torch_A, theta, out=gradient)
                torch.add(gradient, self.torch_b, out=total)
                losses.append(0.5 * torch.dot(theta, total).item())
                optimizer.step()
        return losses

    def groups(self, twin: Twin, copied: bool, **variant: bool) -> tuple[Any, Any]:
        """Return all runs as one array in torch, and an optimizer with a group per rate.

        The parameters of the groups are parts of the array, unless they are to be copies.
        """
        theta = torch.tensor(np.tile(self.starts, (len(RATES), 1)))
        parts = [part.clone() if copied else part for part in theta.split(STARTS)]
        groups = [
            {"params": [torch.nn.Parameter(part)], "lr": twin.scale * float(rate)}
            for rate, part in zip(RATES, parts, strict=True)
        ]
        return theta, twin.torch(groups, 1.0, **variant)

    def batched(self, twin: Twin, steps: int, **variant: bool) -> torch.Tensor:
        """Run everything in torch at once, as fast as it can: no allocation, no differentiation."""
        theta, optimizer = self.groups(twin, copied=False, **variant)
        gradient, total = torch.empty_like(theta), torch.empty_like(theta)
        for group, slope in zip(optimizer.param_groups, gradient.split(STARTS), strict=True):
            group["params"][0].grad = slope
        losses = torch.empty(steps, RUNS)
        with torch.inference_mode():
            for k in range(steps):
                torch.addmm(self.torch_b, theta, self.torch_A, out=gradient)
                torch.sum(
                    torch.add(gradient, self.torch_b, out=total).mul_(theta), 1, out=losses[k]
                )
                optimizer.step()
        return losses / 2

    def differentiated(self, twin: Twin, steps: int) -> torch.Tensor:
        """Run everything in torch at once, as one writes it: the loss, and ``backward()``."""
        _, optimizer = self.groups(twin, copied=True)
        losses = torch.empty(steps, RUNS)
        for k in range(steps):
            optimizer.zero_grad()
            theta = torch.cat([group["params"][0] for group in optimizer.param_groups])
            slope = torch.addmm(self.torch_b, theta, self.torch_A, alpha=0.5)
            loss = (theta * slope).sum(1)
            loss.sum().backward()
            losses[k] = loss.detach()
            optimizer.step()
        return losses


def check(setting: Setting) -> None:
    """Stop unless both compute the same losses, for the smallest and the largest rate."""
    ends = RATES[[0, -1]]
    for twin in TWINS:
        if not twin.same:
            continue
        mine = setting.ours(twin, ends, 30).loss[:-1, ::STARTS]
        peer = np.array([setting.one_run(twin, float(rate), 30) for rate in ends]).T
        _agree(twin.name, mine, peer)


def _agree(name: str, mine: Any, peer: Any) -> None:
    apart = np.max(np.abs(mine - peer)) / np.max(np.abs(peer))
    if not apart < _AGREED:
        raise SystemExit(f"{name}: the losses of the two differ by {apart:.1e}")


def sampled(setting: Setting, twin: Twin, variant: dict[str, bool]) -> float:
    """Return what the whole loop of torch takes, from a sample of it, in seconds."""
    spent = seconds(
        lambda: [setting.one_run(twin, float(RATES[i]), n, **variant) for i, n in SAMPLED]
    )
    return spent / sum(steps for _, steps in SAMPLED) * STEPS * RUNS


def seconds(function: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    begin = time.process_time()
    function()
    return time.process_time() - begin


def fastest(twin: Twin, measure: Callable[[dict[str, bool]], float]) -> dict[str, bool]:
    """Return the implementation of torch's that is fastest here; all are tried in turn."""
    choices = twin.variants
    if len(choices) == 1:
        return {}
    tries = [[measure(variant) for variant in choices] for _ in range(5)]
    best = [min(times) for times in zip(*tries, strict=True)]
    return choices[best.index(min(best))]


def loop(setting: Setting) -> list[Result]:
    """Measure all rules against torch's loop, and print one line each."""
    variants = {t.name: fastest(t, lambda v, t=t: sampled(setting, t, v)) for t in TWINS}
    times: dict[str, list[tuple[float, float]]] = {twin.name: [] for twin in TWINS}
    for _ in range(ROUNDS):
        for twin in TWINS:
            peer = sampled(setting, twin, variants[twin.name])
            mine = seconds(lambda twin=twin: setting.ours(twin))
            times[twin.name].append((mine, peer))
    print(f"{'':20s} {'ours, s':>8s} {'torch, s':>9s} {'ratio':>6s}  torch's")
    for twin in TWINS:
        mine, peer, ratio = _medians(times[twin.name])
        who = ("" if _in_torch(twin) else "written: ") + twin.peer.__name__
        print(
            f"{twin.name:20s} {mine:8.3f} {peer:9.1f} {ratio:6.0f}  "
            f"{who} {_words(variants[twin.name])}"
        )
    known = [twin for twin in TWINS if _in_torch(twin)]
    return [_total("sweep of 30 optimizers", TWINS, times), _total("those in torch", known, times)]


def _in_torch(twin: Twin) -> bool:
    return twin.peer.__module__.startswith("torch.")


def _total(name: str, twins: Any, times: dict[str, list[tuple[float, float]]]) -> Result:
    rounds = zip(*(times[twin.name] for twin in twins), strict=True)
    sums = [tuple(sum(side) for side in zip(*one, strict=True)) for one in rounds]
    mine, peer, ratio = _medians(sums)
    detail = f"{peer:.0f} s (extrapolated) against {mine:.1f} s, {len(twins)} rules"
    return Result(f"{name}, a torch.optim loop over ours", ratio, "≥ 150", ratio >= 150, detail)


def _medians(pairs: Any) -> tuple[float, float, float]:
    """Return the median of ours, of torch's, and of torch's over ours."""
    ratios = (peer / mine for mine, peer in pairs)
    return (
        *(statistics.median(side) for side in zip(*pairs, strict=True)),
        statistics.median(ratios),
    )


def batches(setting: Setting, steps: int = 300) -> list[Result]:
    """Measure momentum and Adam against torch with a parameter group per learning rate.

    Three ways to write it: with ``backward()``; with the gradient written in, implementation of
    torch's choice; and with the implementation that is fastest here.
    """
    results = []
    for twin in (_named("HeavyBall"), _named("Adam")):
        best = fastest(twin, lambda v, t=twin: seconds(lambda: setting.batched(t, 100, **v)))
        ways: dict[str, Callable[[int], torch.Tensor]] = {
            "backward()": lambda n, t=twin: setting.differentiated(t, n),
            "gradient given, default": lambda n, t=twin: setting.batched(t, n),
            f"gradient given, {_words(best)}": lambda n, t=twin, v=best: setting.batched(t, n, **v),
        }
        for how, peer in ways.items():
            mine = setting.ours(twin, RATES, 30).loss[:-1]
            _agree(f"{twin.name}, {how}", mine, peer(30).numpy())
            theirs, ours, ratio = cpu_ratio(
                lambda peer=peer: peer(steps),
                lambda twin=twin: setting.ours(twin, RATES, steps),
                rounds=7,
            )
            detail = f"{1e6 * theirs / steps:.0f} µs against {1e6 * ours / steps:.0f} µs per step"
            name = f"{twin.name}, torch over ours, groups: {how}"
            results.append(Result(name, ratio, "≥ 4", ratio >= 4, detail))
    return results


def _words(variant: dict[str, bool]) -> str:
    return ", ".join(f"{name}={value}" for name, value in variant.items())


def products(d: int = 100, runs: int = 256, steps: int = 200) -> list[Result]:
    """Measure momentum and Adam as shares of the rate of the product with A alone."""
    setting = Setting(d)
    rates = np.resize(RATES, runs)[:, None]
    starts = np.random.default_rng(1).normal(size=(runs, d))
    columns = np.ascontiguousarray(starts.T)
    out = np.empty_like(columns)

    def gemm() -> None:
        for _ in range(steps):
            np.matmul(setting.A, columns, out=out)

    def share(rule: Any, record: Any) -> tuple[float, float, float]:
        problem = setting.problem
        return cpu_ratio(gemm, lambda: ca.simulate(problem, rule, starts, steps, record=record), 9)

    results = []
    for name, goal in (("HeavyBall", 0.6), ("Adam", 0.4)):
        rule = _named(name).rule(rates)
        product, ours, ratio = share(rule, [steps])
        recording = share(rule, "loss")[2]
        detail = (
            f"{1e6 * product / steps:.0f} µs of {1e6 * ours / steps:.0f} µs per step; "
            f"{recording:.2f} with the loss of every step"
        )
        what = f"{name}, d = {d}, {runs} runs, share of the GEMM rate"
        results.append(Result(what, ratio, f"≥ {goal}", ratio >= goal, detail))
    return results


def _named(name: str) -> Twin:
    return next(twin for twin in TWINS if twin.name == name)


def main() -> None:
    """Run all and print."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # else ASGD and NAdam keep rates in single precision
    setting = Setting()
    check(setting)
    for measure in (lambda: loop(setting), lambda: batches(setting), products):
        for result in measure():
            print(result, flush=True)


if __name__ == "__main__":
    main()
