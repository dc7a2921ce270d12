"""``python -m benchmarks.theory_peers``: worst cases on quadratics, asked of four tools.

The 60 jobs: {gradient descent with α = 2/(m + L), Polyak's heavy ball, Nesterov's method with
α = 1/L and μ = (√κ - 1)/(√κ + 1)} x {κ = 10, 100} x {n = 1 ... 10}, with m = 1. Each asks for

    the largest |x_n - x*| / |x_0 - x*| from rest, over all quadratics with spectrum in [m, L].

The reference knows nothing of this package: the polynomial p_n of the method, from its textbook
recurrence at 50 digits, is maximised over the roots of p_n' and the ends of [m, L].

Who is asked what (versions and how to install them: requirements/peers.txt):

- PEPit: its class of quadratics, the same question; and its class of smooth strongly convex
  functions, a wider question. With the solver it takes by default, and with Clarabel.
- AutoLyap: has no quadratics; the wider question. The start at rest is built into step 0.
- python-control: knows one linear system at a time. ρⁿ from its poles at 257 eigenvalues, which is
  what a control engineer would say; and its initial response at those eigenvalues.
- ours: `analysis.worst_error(n)`, and `worst_error_between`, which needs no grid.

Times are CPU times, of the whole way from the numbers to the answer, after one warm-up.

An answer to the wider question is held to the reference where both agree (gradient descent), and is
wrong elsewhere only if it is smaller than what a quadratic attains.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import contextlib
import importlib.metadata
import importlib.util
import io
import math
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np

import convex_analyzer as ca
from benchmarks.timing import Result
from convex_analyzer.tables import Table
from convex_analyzer.theory.suprema import worst_error_between

EIGENVALUES = 257
GOAL, WRONG, FAR = 1e-13, 1e-6, 1e-2
FAILURES = (ArithmeticError, RuntimeError, ValueError)  # what a tool may raise and only fail by


@dataclass(frozen=True)
class Job:
    """One question: a method, the condition number (m = 1), and how many steps."""

    method: str
    kappa: int
    n: int

    def settings(self, sqrt: Callable[[Any], Any] = math.sqrt, one: Any = 1.0) -> tuple[Any, Any]:
        """Return α and μ, in any kind of number."""
        m, L = one, one * self.kappa
        low, high = sqrt(m), sqrt(L)
        return {
            "GD": (2 / (m + L), 0 * one),
            "HB": ((2 / (low + high)) ** 2, ((high - low) / (high + low)) ** 2),
            "NAG": (1 / L, (high - low) / (high + low)),
        }[self.method]

    def run(self, gradient: Callable[[Any], Any], x: Any, still: Any) -> Any:
        """Take n steps in a peer's own arithmetic."""
        alpha, mu = self.settings()
        velocity = still
        for _ in range(self.n):
            ahead = x + mu * velocity if self.method == "NAG" else x
            velocity = mu * velocity - alpha * gradient(ahead)
            x = x + velocity
        return x


JOBS = [
    Job(method, kappa, n)
    for method in ("GD", "HB", "NAG")
    for kappa in (10, 100)
    for n in range(1, 11)
]


def reference(job: Job) -> Any:
    """Return the exact answer, at 50 digits."""
    with mpmath.workdps(50):
        alpha, mu = job.settings(mpmath.sqrt, mpmath.mpf(1))
        x, v = [mpmath.mpf(1)] + [mpmath.mpf(0)] * job.n, [mpmath.mpf(0)] * (job.n + 1)
        for _ in range(job.n):
            ahead = mu if job.method == "NAG" else 0
            point = [a + ahead * b for a, b in zip(x, v, strict=True)]
            v = [mu * b - alpha * c for b, c in zip(v, [0, *point[:-1]], strict=True)]
            x = [a + b for a, b in zip(x, v, strict=True)]
        p = x[::-1]
        slope = [c * (job.n - i) for i, c in enumerate(p[:-1])]
        ends = [mpmath.mpf(1), mpmath.mpf(job.kappa)]
        if job.method == "GD":  # p = (1 - αλ)ⁿ has one critical point, of order n - 1, where p = 0
            return max(abs(mpmath.polyval(p, end)) for end in ends)
        roots = mpmath.polyroots(slope, maxsteps=500, extraprec=200) if job.n > 1 else []
        inside = [r.real for r in roots if abs(r.imag) < 1e-20 and 1 < r.real < job.kappa]
        best = max(abs(mpmath.polyval(p, place)) for place in [*ends, *inside])
        grid = (1 + (job.kappa - 1) * mpmath.mpf(i) / 997 for i in range(998))
        if any(abs(mpmath.polyval(p, place)) > best for place in grid):
            raise AssertionError(f"{job}: a critical point was missed")
        return best


# -- the tools -----------------------------------------------------------------------------------


def _ours(job: Job) -> ca.Analysis:
    spectrum = ca.Spectrum.between(1.0, float(job.kappa))
    if job.method == "NAG":
        return ca.analyze(spectrum, ca.Nesterov, {"learning_rate": 1 / job.kappa})
    return ca.analyze(spectrum, ca.GradientDescent if job.method == "GD" else ca.HeavyBall)


def ours(job: Job) -> tuple[float, str]:
    return float(_ours(job).worst_error([job.n])[0]), "exact"


def ours_between(job: Job) -> tuple[float, str]:
    return float(worst_error_between(_ours(job), [job.n])[0]), "exact"


def pepit(name: str, solver: str | None) -> Callable[[Job], tuple[float, str]]:
    def ask(job: Job) -> tuple[float, str]:
        import cvxpy
        import PEPit
        import PEPit.functions

        problem = PEPit.PEP()
        function = problem.declare_function(
            getattr(PEPit.functions, name), mu=1.0, L=float(job.kappa)
        )
        minimizer, start = function.stationary_point(), problem.set_initial_point()
        problem.set_initial_condition((start - minimizer) ** 2 <= 1)
        end = job.run(function.gradient, start, 0 * start)
        problem.set_performance_metric((end - minimizer) ** 2)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                value = problem.solve(verbose=0, solver=solver)
        except cvxpy.error.SolverError as error:
            raise RuntimeError(str(error)) from error
        status = problem.wrapper.prob.status
        if "Warning" in printed.getvalue():  # its own checks of the duality gap
            status += ", with a warning"
        if value is None:
            raise RuntimeError(status)
        return math.sqrt(max(value, 0.0)), status

    return ask


def autolyap(job: Job) -> tuple[float, str]:
    from autolyap import IterationDependent, SolverOptions
    from autolyap.algorithms import GradientMethod, HeavyBallMethod, NesterovConstant
    from autolyap.problemclass import InclusionProblem, SmoothStronglyConvex

    alpha, mu = job.settings()
    kind = {"GD": GradientMethod, "HB": HeavyBallMethod, "NAG": NesterovConstant}[job.method]

    def from_rest(self: Any, k: int) -> Any:
        A, B, C, D = kind.get_ABCD(self, k)
        if k == 0 and job.method != "GD":  # the point before the first is the first
            A, C = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0]])
        return A, B, C, D

    arguments = {"GD": (alpha,), "HB": (alpha, mu), "NAG": (1.0, float(job.kappa))}[job.method]
    algorithm = type("FromRest", (kind,), {"get_ABCD": from_rest})(*arguments)
    distance = IterationDependent.get_parameters_state_component_distance_to_solution
    (first, first_values), (last, last_values) = distance(algorithm, 0), distance(algorithm, job.n)
    found = IterationDependent.search_lyapunov(
        InclusionProblem([SmoothStronglyConvex(1.0, float(job.kappa))]),
        algorithm,
        job.n,
        first,
        last,
        first_values,
        last_values,
        solver_options=SolverOptions(backend="cvxpy", cvxpy_solver="CLARABEL"),
        verbosity=0,
    )
    if found["c_K"] is None:
        raise RuntimeError(f"{found['status']}, {found['solve_status']}")
    return math.sqrt(max(found["c_K"], 0.0)), str(found["solve_status"])


def _systems(job: Job) -> Any:
    """Yield the closed loop at each eigenvalue as a system of python-control's."""
    import control

    alpha, mu = job.settings()
    for eigenvalue in np.linspace(1, job.kappa, EIGENVALUES):
        if job.method == "GD":
            A, C = [[1 - alpha * eigenvalue]], [[1]]
        else:
            ahead = mu if job.method == "NAG" else 0
            push = mu - alpha * eigenvalue * ahead
            A = [[1 - alpha * eigenvalue, push], [-alpha * eigenvalue, push]]
            C = [[1, 0]]
        yield control.ss(A, np.zeros((len(A), 1)), C, [[0]], dt=True)


def control_poles(job: Job) -> tuple[float, str]:
    return max(float(np.abs(s.poles()).max()) for s in _systems(job)) ** job.n, "asymptotic"


def control_response(job: Job) -> tuple[float, str]:
    import control

    worst = 0.0
    for system in _systems(job):
        start = [1.0] + [0.0] * (system.nstates - 1)
        response = control.initial_response(system, np.arange(job.n + 1.0), start)
        worst = max(worst, abs(float(np.ravel(response.outputs)[-1])))
    return worst, "simulated"


def gain_margin(job: Job) -> tuple[float, float]:
    """Return python-control's gain margin of the loop at λ = L, and the true one."""
    import control

    alpha, mu = job.settings()
    tops = {"GD": [alpha], "HB": [alpha, 0], "NAG": [alpha * (1 + mu), -alpha * mu]}
    bottom = [1, -1] if job.method == "GD" else np.polymul([1, -1], [1, -mu])
    loop = control.tf(np.multiply(tops[job.method], job.kappa), bottom, dt=True)
    limit = {"GD": 2, "HB": 2 * (1 + mu), "NAG": 2 * (1 + mu) / (1 + 2 * mu)}[job.method]
    return float(control.margin(loop)[0]), limit / (alpha * job.kappa)


# -- the table -----------------------------------------------------------------------------------


@dataclass
class Peer:
    """A tool with a question, and what it answered."""

    name: str
    module: str
    ask: Callable[[Job], tuple[float, str]]
    is_wider: bool = False
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    wrong: list[tuple[float, str, str]] = field(default_factory=list)

    def answer(self, job: Job, true: Any) -> None:
        """Ask, and judge the answer."""
        begin = time.process_time()
        try:
            value, status = self.ask(job)
        except FAILURES as error:
            self.seconds.append(time.process_time() - begin)
            self.failures.append(f"{job}: {error}")
            return
        self.seconds.append(time.process_time() - begin)
        apart = float((value - true) / true)
        if self.is_wider and job.method != "GD":
            apart = min(apart, 0.0)  # more than a quadratic attains is no mistake
        else:
            self.errors.append(abs(apart))
        if abs(apart) > WRONG:
            words = f"{job.method}, κ = {job.kappa}, n = {job.n}: {value:.6g} for {float(true):.6g}"
            self.wrong.append((abs(apart), status, f"{words}, status {status}"))

    def row(self) -> tuple[str, ...]:
        """Return the row of the table."""
        far = [one for one in self.wrong if one[0] > FAR]
        sure = [one for one in far if one[1] == "optimal"]
        errors = self.errors or [math.nan]
        return (
            self.name,
            f"{max(errors):.1e}",
            f"{statistics.median(errors):.1e}",
            str(len(self.wrong)),
            f"{len(far)} ({len(sure)})",
            str(len(self.failures)),
            _duration(statistics.median(self.seconds)),
        )


def _duration(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


QUADRATICS, WIDER = "SmoothStronglyConvexQuadraticFunction", "SmoothStronglyConvexFunction"


def peers() -> list[Peer]:
    """Return all tools; those that are not installed are left out by the caller."""
    return [
        Peer("ours, worst_error", "convex_analyzer", ours),
        Peer("ours, worst_error_between", "convex_analyzer", ours_between),
        Peer("PEPit, quadratics, default (SCS)", "PEPit", pepit(QUADRATICS, None)),
        Peer("PEPit, quadratics, Clarabel", "PEPit", pepit(QUADRATICS, "CLARABEL")),
        Peer("PEPit, wider class, default (SCS) *", "PEPit", pepit(WIDER, None), is_wider=True),
        Peer("PEPit, wider class, Clarabel *", "PEPit", pepit(WIDER, "CLARABEL"), is_wider=True),
        Peer("AutoLyap, wider class, Clarabel *", "autolyap", autolyap, is_wider=True),
        Peer("python-control, poles", "control", control_poles),
        Peer("python-control, initial response", "control", control_response),
    ]


def table() -> list[Result]:
    """Ask everybody everything, print the table and what was wrong, return our goals."""
    truths = {job: reference(job) for job in JOBS}
    asked = []
    for peer in peers():
        if importlib.util.find_spec(peer.module) is None:
            print(f"{peer.name}: not installed (pip install -r requirements/peers.txt)")
            continue
        try:
            peer.ask(Job("GD", 10, 3))  # imports and first calls are not timed
        except FAILURES as error:
            print(f"{peer.name}: {error}")
        for job in JOBS:
            peer.answer(job, truths[job])
        asked.append(peer)
        print(f"... {peer.name}: {sum(peer.seconds):.1f} s", flush=True)
    columns = ("tool", "max", "median", "> 1e-6", "> 1 % (optimal)", "failed", "per job")
    note = "* held to the reference for gradient descent only; elsewhere wrong if below it"
    rows = tuple(peer.row() for peer in asked)
    print(Table(columns, rows, title="relative errors on 60 jobs", notes=(note,)).to_markdown())
    for peer in asked:
        sure = [one for one in peer.wrong if one[0] > FAR and one[1] == "optimal"]
        for _, _, words in sure or sorted(peer.wrong, reverse=True)[:2]:
            print(f"{peer.name}: {words}")
        for words in peer.failures[:2]:
            print(f"{peer.name}: failed: {words}")
    return [
        Result(f"{peer.name}, largest error / 1e-13", worst / GOAL, "≤ 1", worst <= GOAL)
        for peer in asked
        if peer.module == "convex_analyzer"
        for worst in [max(peer.errors)]
    ]


def forty_steps() -> list[Result]:
    """Time gradient descent at n = 40 against PEPit."""
    if importlib.util.find_spec("PEPit") is None:
        return []
    job, results = Job("GD", 100, 40), []
    true = reference(job)
    prepared = _ours(job)
    mine = _median(lambda: ours(job))
    again = _median(lambda: prepared.worst_error([job.n]))
    for name, words in ((QUADRATICS, "quadratics"), (WIDER, "wider class")):
        begin = time.process_time()
        value, status = pepit(name, None)(job)
        theirs = time.process_time() - begin
        apart = float(abs(value - true) / true)
        detail = f"{_duration(theirs)} ({status}, error {apart:.0e}) against {_duration(mine)}"
        title = f"GD, n = 40, PEPit ({words}) over ours"
        results.append(Result(title, theirs / mine, "≥ 1000", theirs >= 1000 * mine, detail))
    print(f"... ours at n = 40: {_duration(mine)} from nothing, {_duration(again)} once prepared")
    return results


def _median(function: Callable[[], object], rounds: int = 31) -> float:
    """Return the median CPU time of a call."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        function()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def margins() -> None:
    """Print what the gain margin says of each method."""
    if importlib.util.find_spec("control") is None:
        return
    for method in ("GD", "HB", "NAG"):
        found, true = gain_margin(Job(method, 100, 1))
        print(f"python-control, gain margin, {method}, κ = 100: {found:.3g}; true {true:.5g}")


def main() -> None:
    """Run all and print."""
    warnings.simplefilter("ignore")  # solvers warn about every answer they doubt; we count those
    names = ("PEPit", "autolyap", "control", "cvxpy", "scs", "clarabel", "numpy")
    installed = [name for name in names if importlib.util.find_spec(name) is not None]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in installed]
    print(", ".join(versions), flush=True)
    for result in [*table(), *forty_steps()]:
        print(result, flush=True)
    margins()


if __name__ == "__main__":
    main()
