"""Every predicted count is run: simulated in the changed problem, judged in the original one."""

from __future__ import annotations

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.conditioning.cost import (
    OPTIMIZERS,
    DescentSteps,
    cautious_descent,
    cheap_steps,
    steps_of,
)
from convex_analyzer.conditioning.fixes import Bought, fixes, recommended
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.krylov import ConjugateGradient
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems import gallery
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.spectra.compute import spectrum
from convex_analyzer.spectra.scaling import registered
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.limits import cg_steps

pytestmark = pytest.mark.survey


def steps_of_cg(values, errors, tolerance):
    return cg_steps(Spectrum.from_eigenvalues(values), errors, tolerance)


TOLERANCE = 1e-6


def data(seed: int):
    """Return small regressions with units, offsets and a correlated pair, κ(A) up to 400."""
    generator = np.random.default_rng(seed)
    size = 2 + seed % 3
    X = generator.normal(size=(25, size)) * generator.uniform(0.5, 3, size)
    X[:, -1] += generator.uniform(0, 3) * X[:, 0]
    X += generator.uniform(-1.5, 1.5, size)
    y = X @ generator.normal(size=size) + 3 + 0.3 * generator.normal(size=25)
    return least_squares(X, y, intercept=seed % 4 > 0, loss=("mse", "half_mse")[seed % 2])


def counted(problem, changed, optimizer, start, steps: int) -> int | None:
    """Return the first step whose point, mapped back, is within the tolerance in the original J."""
    path = simulate(changed.problem, optimizer, start, steps, record="path").theta
    best = problem.minimizer
    away = changed.back(path) - best
    gap = np.sum((away @ problem.operator.factor.T) ** 2, axis=-1)
    hits = np.flatnonzero(gap <= TOLERANCE * gap[0])
    return int(hits[0]) if hits.size else None


def polyak(m: float, L: float) -> HeavyBall:
    """Polyak (1964)."""
    root = np.sqrt(L / m)
    return HeavyBall(4 / (np.sqrt(L) + np.sqrt(m)) ** 2, ((root - 1) / (root + 1)) ** 2)


def nesterov(m: float, L: float) -> Nesterov:
    """Lessard, Recht & Packard (2016), best on quadratics."""
    root = np.sqrt(3 * L / m + 1)
    return Nesterov(4 / (3 * L + m), (root - 2) / (root + 2))


@pytest.mark.parametrize("seed", range(20))
def test_counts_before_and_after_are_confirmed_by_simulation(seed):
    """20 data sets x 5 optimizers, as given and after a remedy, within one step."""
    problem = data(seed)
    start = np.random.default_rng(100 + seed).normal(size=problem.dimension) if seed % 2 else None
    start = np.zeros(problem.dimension) if start is None else start
    names = ["Scale", "Rotate", "Whiten", "OptimalDiagonal"]
    names += ["Standardise", "Centre"] if problem.intercept else []
    kinds = registered()
    identity = Quadratic.diagonal(np.ones(problem.dimension))
    given = kinds["Jacobi"]().apply(identity)  # no change at all
    given = type(given)(problem, given.back, given.forward)
    for changed in (given, kinds[names[seed % len(names)]]().apply(problem)):
        z = changed.forward(start)
        predicted = steps_of(changed.problem, z, TOLERANCE)

        def counted_near(steps, optimizer, changed=changed, z=z):
            found = counted(problem, changed, optimizer, z, steps + 3)
            return found is not None and abs(found - steps) <= 1

        curvature = spectrum(changed.problem)
        m, L = curvature.lambda_min, curvature.lambda_max
        assert counted_near(predicted["ConjugateGradient"], ConjugateGradient())
        assert counted_near(predicted["HeavyBall"], polyak(m, L))
        assert counted_near(predicted["Nesterov"], nesterov(m, L))
        cautious = GradientDescent(1 / L)
        assert counted_near(analyze(curvature, cautious).steps_to(TOLERANCE, z), cautious)
        descents = [
            counted(problem, changed, rule, z, predicted["GradientDescent"] + 3)
            for rule in (GradientDescent(2 / (m + L)), cautious)
        ]
        assert abs(min(n for n in descents if n is not None) - predicted["GradientDescent"]) <= 1


def test_counts_equal_those_of_the_analysis():
    """The faster scan looks at the same curve."""
    problem = gallery.ravine(900.0)
    start = np.array([1.0, -2.0])
    for point in (start, None):
        predicted = steps_of(problem, point, 1e-9)
        for rule in OPTIMIZERS[1:-1]:
            assert predicted[rule.__name__] == analyze(problem, rule).steps_to(1e-9, point)
        descents = (GradientDescent, cautious_descent(spectrum(problem)))
        plain = min(analyze(problem, rule).steps_to(1e-9, point) for rule in descents)
        assert predicted["GradientDescent"] == plain
    worst, predicted = predicted, steps_of(problem, start, 1e-9)
    assert worst["ConjugateGradient"] >= predicted["ConjugateGradient"] == 2


def test_condition_and_comparison_count_the_same():
    """κ = 2.4e19, where rounding of tuned settings moves counts by percents; and standardised."""
    problem = gallery.longley()
    start = np.zeros(problem.dimension)
    given = steps_of(problem, start, 1e-6)
    compared = ca.compare(problem)
    for rule in ("HeavyBall", "Nesterov"):
        assert compared[rule].predicted_steps == given[rule]
    new = Prospect(compared, compared.entries[0]).standardised
    assert new.intercept
    assert (new.steps.tuned, new.steps.cautious) == (23_873, 8_486)
    changed = registered()["Standardise"]().apply(problem)
    assert steps_of(changed.problem, start, 1e-6)["GradientDescent"] == new.steps.fewest == 8_486
    assert str(new.steps) == "23,873 steps at α = 2/(λmin + λmax), 8,486 at 1/λmax"
    assert str(DescentSteps(1, 1)) == "1 step"
    again = ca.compare(problem.standardized(), [GradientDescent])
    assert again.entries[0].predicted_steps == new.steps.tuned


def test_conjugate_gradients_in_exact_arithmetic():
    """Against a run; the number of distinct eigenvalues; a start that excites some; none at all."""
    generator = np.random.default_rng(0)
    values = np.exp(generator.uniform(0, 5, 79))
    errors = generator.normal(size=79)
    by_digits = steps_of_cg(values, errors, 1e-8)
    doubled = np.repeat(values, 2)
    other = steps_of_cg(doubled, np.repeat(errors, 2), 1e-8)
    assert by_digits == other
    run = ca.simulate(ca.Quadratic.diagonal(values), ConjugateGradient(), errors, 79).loss
    plain = int(np.argmax(run <= 1e-8 * run[0]))
    assert abs(plain - other) <= 2  # κ is mild: rounding costs next to nothing
    assert steps_of_cg(np.array([1, 2, 2, 7, 30.0]), np.ones(5), 1e-14) == 4
    assert steps_of_cg(np.array([0, 1, 1e12]), np.array([9, 1, 0.0]), 1e-6) == 1
    assert steps_of_cg(np.ones(3), np.zeros(3), 1e-6) == 0
    # κ = 1e20: no more than d steps, where float64 alone would need many
    assert steps_of_cg(np.logspace(0, 20, 6), np.ones(6), 1e-30) <= 6


def test_a_problem_without_a_minimum_never_ends():
    assert set(steps_of(gallery.singular(bounded=False), np.ones(2), 0.1).values()) == {None}


def test_the_order_of_fixes_and_the_bias_of_ridge():
    problem = gallery.longley()
    start = np.zeros(7)
    bought, refused = fixes(problem, start, 1e-6)
    counts = [entry.steps["GradientDescent"] for entry in bought[1:]]
    assert counts == sorted(counts)
    assert bought[0].name == "as given"
    assert {entry.name for entry in (*bought[1:], *refused)} == set(registered())
    assert all(entry.why for entry in refused)
    ridge = next(entry for entry in bought if entry.name == "Ridge")
    changed = registered()["Ridge"]().apply(problem)
    end = changed.back(changed.problem.minimizer)
    gap = problem.value(end) - problem.minimum
    assert ridge.bias == pytest.approx(gap / (problem.value(start) - problem.minimum), rel=1e-6)
    assert ridge.kappa == pytest.approx(100)
    assert not ridge.keeps_solution
    assert all(entry.bias == 0 for entry in bought if entry.keeps_solution)
    rotated = next(entry for entry in bought if entry.name == "Rotate")
    assert (rotated.kappa, rotated.steps) == (bought[0].kappa, bought[0].steps)


def test_what_is_recommended():
    def entry(name, effort, gd, cg, kappa=10.0, keeps=True):
        steps = {"GradientDescent": gd, "HeavyBall": None, "Nesterov": None}
        return Bought(
            name, name, "", effort, kappa, {**steps, "ConjugateGradient": cg}, keeps_solution=keeps
        )

    given = entry("as given", 0, 10**6, 3, kappa=1e12)
    scaled, whitened = entry("Scale", 1, 50, 3), entry("Whiten", 4, 1, 1)
    ridge = entry("Ridge", 0, 2, 2, keeps=False)
    assert recommended((given, whitened, scaled, ridge), 345) == (scaled, "GradientDescent")
    assert recommended((given, whitened), 345) == (whitened, "GradientDescent")
    assert recommended((given,), 345) == (given, "GradientDescent")  # CG is not to be trusted
    assert recommended((entry("as given", 0, None, None),), 345) is None
    assert scaled.fastest() == ("ConjugateGradient", 3)
    assert entry("none", 0, None, None).fastest() is None
    assert cheap_steps(1e-6) == 346
