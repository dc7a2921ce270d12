"""The anchor: something from outside that shows that `step` itself is right.

Theory and simulation both read `step`, so they agree even when it is wrong. A published limit, a
published best setting, or a trajectory from another implementation does not read it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import ConformanceError, InputError
from convex_analyzer.optimizers import from_dict
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.testing.case import Case, PlainProblem
from convex_analyzer.testing.dynamics import matrices_by_units
from convex_analyzer.theory.local import LATE, settled_memory
from convex_analyzer.theory.stability import stable_learning_rates

__all__ = ["Golden", "check_golden", "check_limit", "check_local_limit", "check_optimum"]

Array = npt.NDArray[np.float64]

_SPECTRA = ((1.0, 4.0), (0.02, 1.0))  # ends (m, L) on which best settings are checked
_LOCAL_STEPS = 4000  # of a tiny error next to the minimum
_BETWEEN = 7  # eigenvalues between them
_BETTER = 1e-5  # how much faster a blind search must be to refute a published optimum, relative


@dataclass(frozen=True)
class Golden:
    """A trajectory from another implementation.

    Attributes
    ----------
    source
        Where it comes from.
    hyperparameters
        Of the run, inner optimizers as objects or as `to_dict` gives them; an instance under test
        is used as it is when left empty.
    matrix, linear
        A, shape (d, d), and b, shape (d,); zero when left out.
    start
        θ₀, shape (d,).
    points
        Number of steps -> reported point, shape (d,).
    tolerance
        Largest difference per entry: half a unit of the last digit printed.

    Examples
    --------
    >>> points = {1: [4.0], 3: [1.0]}
    >>> Golden("a printed table", {"learning_rate": 0.5}, [[1.0]], [8.0], points).tolerance
    1e-09
    """

    source: str
    hyperparameters: Mapping[str, Any]
    matrix: Any
    start: Sequence[float]
    points: Mapping[int, Sequence[float]]
    linear: Any = field(default=None)
    tolerance: float = 1e-9


def check_golden(case: Case, golden: Golden) -> str:
    """Check that a run from the same start meets the points of the other implementation."""
    if not golden.source or not golden.points or max(golden.points) < 2:
        raise InputError(
            "a golden trajectory needs a source and a point after two steps or more: one step "
            "cannot show how the memory is used",
            argument="golden",
        )
    values = dict(golden.hyperparameters)
    with case.guard("golden", "making the rule of the golden trajectory"):
        for name, value in values.items():
            if isinstance(value, Mapping):  # the optimizer inside, as plain data
                values[name] = from_dict(value)
        rule = case.cls(**values) if values else case.settings[0]
    start = np.array(golden.start, dtype=float)
    linear = np.zeros(len(start)) if golden.linear is None else golden.linear
    problem = PlainProblem(golden.matrix, linear)
    path = case.path("golden", rule, problem, start[None, :], max(golden.points))[:, 0]
    for steps, point in sorted(golden.points.items()):
        away = float(np.max(np.abs(path[steps] - np.asarray(point, dtype=float))))
        if not away <= golden.tolerance:
            raise case.failure(
                "golden",
                f"after {steps} steps {rule!r} is at {path[steps].tolist()}, but {golden.source} "
                f"has {list(point)}",
            )
    return f"meets {len(golden.points)} points of {golden.source}"


# -- a published limit ---------------------------------------------------------------------------


def check_limit(case: Case) -> str | None:
    """Check a published limit of learning rate x eigenvalue against two derived ones.

    One follows from Jury's conditions; one from bisection on the largest eigenvalue.

    Returns None when nothing is published.
    """
    checked = 0
    for rule in case.settings:
        with case.guard("published limit", "published_limit"):
            limit = rule.published_limit()
        if limit is None:
            continue
        limit = float(limit)
        with case.guard("published limit", "deriving the stable learning rates"):
            intervals = stable_learning_rates(rule, np.array([1.0]))
        derived = intervals[-1][1] if intervals else None
        brute = _largest_stable(case, rule)
        shown = f"published_limit of {rule!r} is {limit:.9g}"
        if not _near(limit, brute, 1e-6):
            raise case.failure(
                "published limit",
                f"{shown}, but running step on unit states and bisecting on the largest eigenvalue "
                f"gives {_text(brute)}; either the formula or step is wrong",
            )
        if not _near(limit, derived, 1e-12):
            raise case.failure(
                "published limit", f"{shown}, but Jury's conditions give {_text(derived)}"
            )
        checked += 1
    return f"equals Jury's conditions and a bisection at {checked} settings" if checked else None


def check_local_limit(case: Case) -> str | None:
    """Check a published local limit of a rule that is not linear against two routes.

    One is Jury's conditions on its dual numbers; one runs `step` on arrays from a tiny error, with
    the learning rate a little below and a little above the limit.

    Returns None when nothing is published.
    """
    checked = 0
    for rule in case.settings:
        with case.guard("published limit", "published_limit"):
            limit = rule.published_limit()
        if limit is None or not float(limit) > 0:
            continue
        limit = float(limit)
        shown = f"published_limit of {rule!r} is {limit:.9g}"
        with case.guard("published limit", "the local analysis"):
            intervals = stable_learning_rates(rule, np.array([1.0]))
        derived = intervals[-1][1] if intervals else None
        if not _near(limit, derived, 1e-9):
            raise case.failure(
                "published limit", f"{shown}, but its dual numbers give {_text(derived)}"
            )
        below, above = (_tiny_error_grows(case, rule, share * limit) for share in (0.9, 1.1))
        if below or not above:
            raise case.failure(
                "published limit",
                f"{shown}, but next to the minimum an error {'grows' if below else 'shrinks'} "
                f"{'below' if below else 'above'} it",
            )
        checked += 1
    return f"equals dual numbers, and tiny errors, at {checked} settings" if checked else None


def _tiny_error_grows(case: Case, rule: Optimizer, rate: float) -> bool:
    """Run from a tiny error long after the start; tell whether it has grown."""
    fast = rule.replace(learning_rate=rate)
    problem = PlainProblem([[1.0]], [0.0], draws=0.0)
    memory = settled_memory(fast)
    size = 1e-30
    state = (np.array([[size]]), *(np.array([[memory[name]]]) for name in rule.memory))
    for k in range(_LOCAL_STEPS):
        state = case.step("published limit", fast, problem, LATE + k, state)
        now = abs(float(state[0][0, 0]))
        if not 1e-6 * size < now < 1e6 * size and k > 10:
            break
    return not now < size


def _near(a: float, b: float | None, tolerance: float) -> bool:
    if b is None or math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= tolerance * abs(a)


def _text(value: float | None) -> str:
    return "no stable learning rate" if value is None else f"{value:.9g}"


def _worst_root(case: Case, rule: Optimizer, eigenvalues: Any) -> float:
    matrices = matrices_by_units(case, "anchor", rule, eigenvalues)[:, :, :-1]
    if not np.all(np.isfinite(matrices)):
        return math.inf
    return float(np.max(np.abs(np.linalg.eigvals(matrices))))


def _largest_stable(case: Case, rule: Optimizer) -> float | None:
    """Return the largest stable learning rate at λ = 1, blindly, from eigenvalues."""

    def stable(rate: float) -> bool:
        return _worst_root(case, rule.replace(learning_rate=rate), [1.0]) < 1

    grid = np.geomspace(1e-3, 1e5, 400)
    try:
        found = _stable_among(case, rule, grid)
    except (ConformanceError, InputError):  # a rule that takes one learning rate at a time
        found = (stable(float(rate)) for rate in reversed(grid))
    last = next((i for i, s in zip(reversed(range(len(grid))), found, strict=True) if s), None)
    if last is None:
        return None
    if last == len(grid) - 1:
        return math.inf
    low, high = float(grid[last]), float(grid[last + 1])
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if stable(middle) else (low, middle)
    return low


def _stable_among(case: Case, rule: Optimizer, rates: Array) -> Iterator[bool]:
    """Tell at which rates the rule is stable at λ = 1, the last first: all of them in one step."""
    slots = len(case.slots)
    units = np.tile(np.eye(slots + 1)[:, :slots], (len(rates), 1))
    many = rule.replace(learning_rate=np.repeat(rates, slots + 1)[:, None])
    problem = PlainProblem([[1.0]], [0.0])
    new = case.step("anchor", many, problem, 1, tuple(units[:, [j]] for j in range(slots)))
    image = np.concatenate(new, axis=1).reshape(len(rates), slots + 1, slots)
    matrices = image[:, :slots] - image[:, slots:]
    finite = np.isfinite(matrices).all(axis=(1, 2))
    roots = np.abs(np.linalg.eigvals(np.where(finite[:, None, None], matrices, 2.0)))
    return iter((finite & (roots.max(axis=1) < 1))[::-1].tolist())


def _defaults(case: Case) -> dict[str, Any]:
    """Return the default of every continuous hyper-parameter that has one."""
    continuous = case.cls.hyperparameters()
    return {
        field.name: field.default
        for field in case.cls.fields()
        if field.name in continuous and field.default is not MISSING
    }


# -- a published optimum -------------------------------------------------------------------------


def check_optimum(case: Case) -> str | None:
    """Check that no blind search beats the published best settings, any of them given.

    Returns None when nothing is published.
    """
    names = list(case.cls.hyperparameters())
    checked = 0
    for (m, L), chosen in product(_SPECTRA, product((False, True), repeat=len(names))):
        given = {
            name: getattr(case.settings[0], name) / (L if name == "learning_rate" else 1.0)
            for name, fixed in zip(names, chosen, strict=True)
            if fixed
        }
        with case.guard("published optimum", "published_optimum"):
            published = case.cls.published_optimum(m, L, given)
        if not published:
            continue
        with case.guard("published optimum", "making the rule with the published optimum"):
            values = {name: float(value) for name, value in published.items()}
            best = case.settings[0].replace(**{**_defaults(case), **values, **given})
        free = [name for name in names if name in published]
        eigenvalues = np.linspace(m, L, _BETWEEN + 2)
        mine = _worst_root(case, best, eigenvalues)
        if case.cls.optimum_for != "quadratics":  # on these alone other settings may be better
            if mine >= 1:
                raise case.failure("published optimum", f"{best!r} does not contract")
            continue
        found, setting = _search(case, best, eigenvalues, free)
        if mine >= 1 or found < mine - _BETTER * max(1 - mine, mine):
            raise case.failure(
                "published optimum",
                f"on eigenvalues in [{m:g}, {L:g}] {best!r} contracts by {mine:.8g} per step, "
                f"but a blind search found {setting!r} with {found:.8g}",
            )
        checked += 1
    return f"not beaten by a blind search in {checked} cases" if checked else None


def _search(
    case: Case, rule: Optimizer, eigenvalues: Array, free: list[str]
) -> tuple[float, Optimizer]:
    """Minimise the worst root by Nelder-Mead, from a start that knows nothing and from the rule."""
    from scipy.optimize import minimize

    domains = case.cls.hyperparameters()
    units = {name: 1 / eigenvalues[-1] if name == "learning_rate" else 1.0 for name in free}
    ranges = {name: (domains[name].usual.low, domains[name].usual.high) for name in free}

    def build(x: Array) -> Optimizer:
        values = {}
        for name, entry in zip(free, x, strict=True):
            low, high = ranges[name]
            if math.isfinite(low) and math.isfinite(high):
                values[name] = low + (high - low) * (0.5 + math.atan(entry) / math.pi)
            else:
                values[name] = math.exp(min(max(float(entry), -50.0), 50.0)) * units[name]
        return rule.replace(**values)

    def back(name: str) -> float:
        value, (low, high) = float(getattr(rule, name)), ranges[name]
        if math.isfinite(low) and math.isfinite(high):
            share = min(max((value - low) / (high - low), 0.01), 0.99)
            return math.tan((share - 0.5) * math.pi)
        return math.log(max(value, 1e-20) / units[name])

    def cost(x: Array) -> float:
        return _worst_root(case, build(x), eigenvalues)

    best = (math.inf, rule)
    options = {"xatol": 1e-7, "fatol": 1e-9, "maxfev": 150 * len(free)}
    for start in (np.full(len(free), -1.0), np.array([back(name) for name in free])):
        found = minimize(cost, start, method="Nelder-Mead", options=options)
        if found.fun < best[0]:
            best = (float(found.fun), build(found.x))
    return best
