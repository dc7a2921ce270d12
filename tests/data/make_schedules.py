"""Write `schedules.json`: what the schedulers of torch and optax return, called by themselves.

Run by hand, where both are installed: ``python make_schedules.py``. Tests read the file only.
"""

from __future__ import annotations

import json
from pathlib import Path

STEPS = 200

# (ours, library, call): `o` is torch's optimizer, made with the learning rate of INITIAL
CASES = [
    ("Constant(0.1)", "torch", "lr.ConstantLR(o, factor=1)"),
    ("Constant(0.1)", "optax", "optax.constant_schedule(0.1)"),
    ("Linear(1, 0.01, 100)", "torch", "lr.LinearLR(o, 1.0, 0.01, total_iters=100)"),
    ("Linear(1, 0.01, 100)", "optax", "optax.linear_schedule(1.0, 0.01, 100)"),
    ("Linear(0.02, 0.1, 5)", "torch", "lr.LinearLR(o, 0.2, 1.0, total_iters=5)"),
    ("Polynomial(1, 0, 80, 3)", "torch", "lr.PolynomialLR(o, total_iters=80, power=3)"),
    ("Polynomial(1, 0.1, 80, 0.5)", "optax", "optax.polynomial_schedule(1.0, 0.1, 0.5, 80)"),
    ("Step(0.1, 0.1, 30)", "torch", "lr.StepLR(o, step_size=30, gamma=0.1)"),
    (
        "Step(0.1, 0.1, 30)",
        "optax",
        "optax.exponential_decay(0.1, 30, 0.1, staircase=True)",
    ),
    ("MultiStep(0.1, 0.5, [30, 80])", "torch", "lr.MultiStepLR(o, [30, 80], gamma=0.5)"),
    ("MultiStep(0.1, 0.5, [0, 30, 30])", "torch", "lr.MultiStepLR(o, [0, 30, 30], gamma=0.5)"),
    (
        "MultiStep(0.1, milestones=[30, 80], values=[0.05, 0.01])",
        "optax",
        "optax.piecewise_constant_schedule(0.1, {30: 0.5, 80: 0.2})",
    ),
    ("Exponential(0.1, 0.96)", "torch", "lr.ExponentialLR(o, gamma=0.96)"),
    ("Exponential(0.1, 0.96, steps=10)", "torch", "lr.ExponentialLR(o, gamma=0.96 ** (1 / 10))"),
    ("Exponential(0.1, 0.5, steps=10)", "optax", "optax.exponential_decay(0.1, 10, 0.5)"),
    (
        "Exponential(0.1, 0.5, 10, final=0.01)",
        "optax",
        "optax.exponential_decay(0.1, 10, 0.5, end_value=0.01)",
    ),
    (
        "Exponential(0.001, 2.0, 10, final=1)",
        "optax",
        "optax.exponential_decay(0.001, 10, 2.0, end_value=1.0)",
    ),
    ("InverseTime(0.1, 0.25)", "torch", "lr.LambdaLR(o, lambda k: 1 / (1 + 0.25 * k))"),
    ("Power(0.1, 0.75)", "torch", "lr.LambdaLR(o, lambda k: (k + 1) ** -0.75)"),
    ("Cosine(1, 80, 0.05)", "optax", "optax.cosine_decay_schedule(1.0, 80, alpha=0.05)"),
    ("Cosine(1, 80, after='climb')", "torch", "lr.CosineAnnealingLR(o, T_max=80)"),
    ("Cosine(1, 80, 0.05, 'climb')", "torch", "lr.CosineAnnealingLR(o, T_max=80, eta_min=0.05)"),
    (
        "WarmRestarts(1, 10, 2, 0.05)",
        "torch",
        "lr.CosineAnnealingWarmRestarts(o, T_0=10, T_mult=2, eta_min=0.05)",
    ),
    ("WarmRestarts(1, 7)", "torch", "lr.CosineAnnealingWarmRestarts(o, T_0=7)"),
    (
        "WarmRestarts(1, 10, 2)",
        "optax",
        "optax.sgdr_schedule([{**COSINE, 'decay_steps': d} for d in (10, 20, 40, 80, 160)])",
    ),
    (
        "WarmUp(10, Step(0.1, 0.1, 30), fraction=0.2)",
        "torch",
        "lr.SequentialLR(o, [lr.LinearLR(o, 0.2, 1.0, 10), lr.StepLR(o, 30, 0.1)], [10])",
    ),
    (
        "WarmUp(20, Cosine(1, 80, 0.01))",
        "optax",
        "optax.warmup_cosine_decay_schedule(0.0, 1.0, 20, 100, end_value=0.01)",
    ),
    (
        "WarmUp(15, Linear(1, 0.1, 50), fraction=1)",
        "optax",
        "optax.linear_schedule(1.0, 0.1, 50, transition_begin=15)",
    ),
    (
        "Product(Linear(0.2, 1, 10), Step(0.1, 0.1, 30))",
        "torch",
        "lr.ChainedScheduler([lr.LinearLR(o, 0.2, 1.0, 10), lr.StepLR(o, 30, 0.1)])",
    ),
    ("Product(0.5, Step(0.1, 0.1, 30))", "torch", "lr.StepLR(o, step_size=30, gamma=0.1)"),
    ("Table([3, 1, 2], 'hold')", "torch", "lr.LambdaLR(o, lambda k: [3, 1, 2][min(k, 2)])"),
]
COSINE = {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 0}
INITIAL = {  # the learning rate that torch's optimizer is made with
    "Constant(0.1)": 0.1,
    "Linear(0.02, 0.1, 5)": 0.1,
    "Step(0.1, 0.1, 30)": 0.1,
    "MultiStep(0.1, 0.5, [30, 80])": 0.1,
    "MultiStep(0.1, 0.5, [0, 30, 30])": 0.1,
    "Exponential(0.1, 0.96)": 0.1,
    "Exponential(0.1, 0.96, steps=10)": 0.1,
    "InverseTime(0.1, 0.25)": 0.1,
    "Power(0.1, 0.75)": 0.1,
    "WarmUp(10, Step(0.1, 0.1, 30), fraction=0.2)": 0.1,
    "Product(Linear(0.2, 1, 10), Step(0.1, 0.1, 30))": 0.1,
    "Product(0.5, Step(0.1, 0.1, 30))": 0.05,
}


def of_torch(call: str, initial: float) -> list[float]:
    """Return the learning rate with which each step is taken."""
    import torch
    from torch.optim import lr_scheduler

    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([parameter], lr=initial)
    scheduler = eval(call, {"lr": lr_scheduler, "o": optimizer})
    rates = []
    for _ in range(STEPS):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


def of_optax(call: str) -> list[float]:
    """Return the value for each count of steps taken."""
    import jax
    import optax

    jax.config.update("jax_enable_x64", val=True)
    schedule = eval(call, {"optax": optax, "COSINE": COSINE})
    return [float(schedule(count)) for count in range(STEPS)]


def main() -> None:
    """Write the file beside this one."""
    import warnings
    from importlib.metadata import version

    warnings.simplefilter("ignore")
    cases = [
        {
            "ours": ours,
            "library": library,
            "call": call,
            "values": of_torch(call, INITIAL.get(ours, 1.0))
            if library == "torch"
            else of_optax(call),
        }
        for ours, library, call in CASES
    ]
    source = (
        "values of the schedules themselves, computed by "
        f"torch {version('torch').partition('+')[0]} and optax {version('optax')} with "
        "make_schedules.py; the first is that of the first step (k = 0); optax with x64 enabled"
    )
    lines = ",\n".join(json.dumps(case) for case in cases)
    text = f'{{"source": {json.dumps(source)},\n"cases": [\n{lines}\n]}}\n'
    Path(__file__).with_name("schedules.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
