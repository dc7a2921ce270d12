"""The spread of eigenvalues from products alone, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from convex_analyzer.errors import InputError, SpectrumError
from convex_analyzer.linalg.lanczos import start_vector
from convex_analyzer.linalg.operators import DiagonalOperator
from convex_analyzer.linalg.quadrature import gauss_rule
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.problems.gallery import laplacian_2d
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.density import Density
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.average import expected_gap


def test_each_rule_integrates_the_measure_of_its_start():
    values = np.linspace(-1.0, 2.0, 60)
    start = start_vector(60, 5)
    nodes, weights = gauss_rule(DiagonalOperator(values), start.copy(), 7)
    for order in range(14):  # 2m - 1 = 13
        assert weights @ nodes**order == pytest.approx(start**2 @ values**order, rel=1e-11)
    assert abs(weights @ nodes**14 - start**2 @ values**14) > 1e-6


def test_averages_lie_within_their_errors():
    """Traces and expected losses of a 2-D Laplacian, whose eigenvalues are known."""
    side = 60
    line = 4 * np.sin(np.arange(1, side + 1) * np.pi / (2 * (side + 1))) ** 2
    truth = np.add.outer(line, line).ravel()
    law = Density.estimate(laplacian_2d(side), steps=30, probes=12, seed=4)
    assert len(law) == 360
    assert law.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert law.kind == "numerical"
    for order in (1, 2, 6):
        error = law.standard_error(lambda lam, k=order: lam**k)
        assert abs(law.moment(order) - (truth**order).mean()) < 4 * error
        assert error < 0.05 * law.moment(order)
    rule, steps = GradientDescent(0.2), np.array([1, 10, 29])
    expected = expected_gap(analyze(Spectrum.from_eigenvalues(truth), rule), steps) / len(truth)
    found = expected_gap(analyze(law.spectrum(), rule), steps, weights=law)
    each = [expected_gap(analyze(p.spectrum(), rule), steps, weights=p) for p in law.parts]
    assert found == pytest.approx(np.mean(each, axis=0), rel=1e-10)
    assert np.all(abs(found - expected) < 4 * np.std(each, axis=0, ddof=1) / np.sqrt(12))
    assert "but for the choice of 12 starts" in str(law)


def test_few_different_eigenvalues_are_found_exactly():
    law = Density.estimate(Quadratic.diagonal(np.repeat([0.0, 3.0], 500)), probes=4)
    assert np.unique(law.nodes.round(9)).tolist() == [0.0, 3.0]
    assert np.count_nonzero(law.nodes == 0) == 4  # zero is zero
    assert law.weights[law.nodes == 0].sum() == pytest.approx(0.5, abs=0.1)
    assert Density.estimate([[7.0]], probes=2).moment(1) == pytest.approx(7.0)


def test_seeds_and_equality():
    first, again = (Density.estimate(laplacian_2d(8), 5, 3) for _ in range(2))
    assert first == again
    assert first != Density.estimate(laplacian_2d(8), 5, 3, seed=1)
    assert "parts" not in first.to_dict()


def test_what_is_refused():
    for arguments, words in [
        ({"steps": 0}, "steps must be a whole number"),
        ({"probes": 1.5}, "probes must be a whole number"),
        ({"seed": -1}, "seed must be a whole number"),
    ]:
        with pytest.raises(InputError, match=words):
            Density.estimate(np.eye(3), **arguments)
    for law in (Density.marchenko_pastur(0.5), Density.estimate(np.eye(3), probes=1)):
        with pytest.raises(InputError, match="at least two random starts"):
            law.standard_error(np.sqrt)
    with pytest.raises(SpectrumError, match="not finite"):
        Density.estimate(np.full((3, 3), 1e308))
    tiny = Density.estimate(1e-200 * np.diag([1.0, 2.0, 3.0]), probes=2)
    assert tiny.nodes[-1] == pytest.approx(3e-200)
