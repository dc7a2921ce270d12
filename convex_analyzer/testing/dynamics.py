"""Checks of what is derived from `step`: linear forms, symbols, and theory against simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.noise import AdditiveNoise
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.testing.case import Case, PlainProblem
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.modes import modes

__all__ = ["check_forms", "check_simulation", "check_symbols", "check_theory", "matrices_by_units"]

Array = npt.NDArray[np.float64]

_EIGENVALUES = (-0.3, 0.0, 0.04, 1.0, 2.5)
_STEPS = 25


def _eigenvalues(case: Case) -> list[float]:
    return [value for value in _EIGENVALUES if value or not case.inverts]


def matrices_by_units(case: Case, check: str, rule: Optimizer, eigenvalues: Any) -> Array:
    """Return [M | B] per eigenvalue, shape (n, slots, slots + 1), from runs of `step` on units.

    The independent route: no linear form takes part. The problem is diagonal; in run j slot j of
    the state is 1, in the last run all slots are 0, and once more with b = 1.
    """
    slots, size = len(case.slots), len(eigenvalues)
    still = PlainProblem(np.diag(eigenvalues), np.zeros(size))
    pushed = PlainProblem(np.diag(eigenvalues), np.ones(size))
    units = np.eye(slots + 1)[:, :slots]
    state = tuple(np.repeat(units[:, [j]], size, axis=1) for j in range(slots))
    image = np.stack(case.step(check, rule, still, 1, state))  # (slot, run, eigenvalue)
    zero = tuple(np.zeros((1, size)) for _ in range(slots))
    push = np.stack(case.step(check, rule, pushed, 1, zero))
    columns = np.concatenate([image[:, :slots], push], axis=1) - image[:, slots:]
    return np.asarray(columns.transpose(2, 0, 1))


def check_forms(case: Case) -> tuple[str, tuple[str, ...]]:
    """Check that linear forms give the matrix of unit states; return reasons if not linear."""
    first = case.settings[0]
    with case.guard("forms", "step, run on linear forms,"):
        if first.memory and case.start("forms", first, _bowl(), np.zeros((1, 1)))[-1].ndim > 2:
            return "not run: a slot is a matrix", ("a matrix in the state",)
        reasons = linearise(first, 1.0, t=1).reasons
    if not reasons and first.cycle != 1:
        reasons = ("its map depends on the step index",)
    if reasons:
        return f"not linear: {'; '.join(reasons)}", reasons
    eigenvalues = _eigenvalues(case)
    for rule in case.settings:
        exact = modes(rule, np.array(eigenvalues))
        for i, eigenvalue in enumerate(eigenvalues):
            (expected,) = matrices_by_units(case, "forms", rule, [eigenvalue])
            one = linearise(rule, eigenvalue)
            plain = np.array([[*row, b] for row, b in zip(one.matrix, one.offset, strict=True)])
            precise = np.column_stack([exact.matrix[i], exact.offset[i]])
            for derived in (plain.astype(float), precise):
                if not _agree(derived, expected):
                    raise case.failure(
                        "forms",
                        f"at λ = {eigenvalue:g} the matrix from linear forms is "
                        f"{derived.tolist()}, but unit states give {expected.tolist()}",
                    )
            _superposition(case, rule, eigenvalue)
    return f"M(λ) and B equal unit-state runs at {len(eigenvalues)} eigenvalues", ()


def _bowl() -> PlainProblem:
    return PlainProblem([[1.0]], [0.0])


def _superposition(case: Case, rule: Optimizer, eigenvalue: float) -> None:
    """Hold the claim of linearity against arrays: step(x + 2y) = step(x) + 2 step(y)."""
    problem = PlainProblem([[eigenvalue]], [0.0], draws=0.0)
    x, y = case.random.normal(size=(2, len(case.slots), 3, 1)) * 10.0

    def run(values: Array) -> Array:
        return np.array(case.step("forms", rule, problem, 1, tuple(values)))

    if not _agree(run(x + 2 * y), run(x) + 2 * run(y)):
        raise case.failure("forms", "forms say that step is linear, but on arrays it is not")


def check_symbols(case: Case) -> str:
    """Check that the symbolic matrix, with numbers put in, equals the numeric one."""
    import sympy

    names = list(case.cls.hyperparameters())
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    unknown = sympy.Symbol("lambda", real=True)
    for rule in case.settings[:2]:
        with case.guard("symbols", "step, run on symbols,"):
            iteration = linearise(rule.unchecked(**symbols), unknown)
        symbolic = sympy.Matrix(
            [[*row, b] for row, b in zip(iteration.matrix, iteration.offset, strict=True)]
        )
        for eigenvalue in _eigenvalues(case):
            numbers = {symbols[name]: getattr(rule, name) for name in names} | {unknown: eigenvalue}
            value = np.array(symbolic.subs(numbers).evalf().tolist(), dtype=float)
            (expected,) = matrices_by_units(case, "symbols", rule, [eigenvalue])
            if not _agree(value, expected):
                raise case.failure(
                    "symbols",
                    f"at λ = {eigenvalue:g} the symbolic matrix is {value.tolist()}, but unit "
                    f"states give {expected.tolist()}",
                )
    return f"the symbolic matrix in λ, {', '.join(names) or 'no parameters'} equals the numbers"


def _agree(a: Array, b: Array) -> bool:
    return bool(np.all(np.abs(a - b) <= 1e-12 * max(1.0, float(np.max(np.abs(b))))))


# -- runs ----------------------------------------------------------------------------------------


def _problems(case: Case) -> list[tuple[str, Array, Array]]:
    """Return (name, A, b): rotated, of full rank, singular with a minimum, and a saddle."""
    found = []
    for name, values in (
        ("convex", [0.05, 0.4, 2.0]),
        ("singular", [0.0, 0.5, 1.5]),
        ("saddle", [-0.1, 0.3, 1.0]),
    ):
        if case.inverts and 0.0 in values:
            continue
        turn, _ = np.linalg.qr(case.random.normal(size=(3, 3)))
        matrix = (turn * values) @ turn.T
        matrix = (matrix + matrix.T) / 2
        found.append((name, matrix, matrix @ case.random.normal(size=3)))
    return found


def check_simulation(case: Case) -> str:
    """Check that `simulate` gives what a plain loop gives, with values per run."""
    for name, matrix, linear in _problems(case):
        start = case.random.normal(size=(4, 3))
        rule, _ = case.with_values_per_run(4)
        if rule.random:
            return _check_draws(case, rule, Quadratic(matrix, linear), start)
        expected = case.path("simulation", rule, PlainProblem(matrix, linear), start, _STEPS)
        exact = AdditiveNoise(0.0) if getattr(rule, "noise", None) is not None else None
        with case.guard("simulation", f"simulate on a {name} problem"):
            problem = Quadratic(matrix, linear)
            found = simulate(problem, rule, start, _STEPS, exact, record="path").theta
        if not _follows(found, expected, 1e-11):
            raise case.failure(
                "simulation", f"simulate differs from a plain loop on a {name} problem"
            )
    return f"simulate equals a plain loop over {_STEPS} steps on three problems"


def _check_draws(case: Case, rule: Optimizer, problem: Quadratic, start: Array) -> str:
    """Check that random numbers come from the seed and from nowhere else."""

    def run(seed: int, starts: Array = start, of: Optimizer = rule) -> Array:
        with case.guard("simulation", "simulate"):
            return simulate(problem, of, starts, _STEPS, seed=seed, record="path").theta

    once = run(1)
    if not np.array_equal(once, run(1), equal_nan=True):
        raise case.failure("simulation", "two runs with one seed differ")
    if np.array_equal(once, run(2)):
        raise case.failure("simulation", "random = True, but runs with two seeds are equal")
    return "the same seed gives the same run, another seed another"


def check_theory(case: Case) -> str:
    """Check that the closed form gives what a plain loop gives."""
    steps = np.arange(_STEPS + 1)
    for name, matrix, linear in _problems(case):
        for rule in case.settings:
            start = case.random.normal(size=3)
            plain = PlainProblem(matrix, linear, draws=0.0)  # the mean is what is predicted
            expected = case.path("theory", rule, plain, start[None, :], _STEPS)[:, 0]
            with case.guard("theory", f"analyze on a {name} problem"):
                found = analyze(Quadratic(matrix, linear), rule).predict(start, steps)
            if not _follows(found, expected, 1e-10):
                worst = float(np.max(np.abs(found - expected)))
                raise case.failure(
                    "theory",
                    f"the closed form of {rule!r} is off by {worst:.1e} on a {name} problem",
                )
    return f"closed form equals a plain loop over {_STEPS} steps on three problems"


def _follows(found: Any, expected: Array, tolerance: float) -> bool:
    """Compare paths relative to the largest point so far."""
    size = np.maximum.accumulate(np.abs(expected).reshape(len(expected), -1).max(axis=1))
    away = np.abs(found - expected).reshape(len(expected), -1).max(axis=1)
    alive = np.isfinite(size)
    return bool(np.all(away[alive] <= tolerance * np.maximum(size[alive], 1.0)))
