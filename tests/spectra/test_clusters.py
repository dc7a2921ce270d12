"""Groups of eigenvalues, and the bound that they give for conjugate gradients."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cases import each

from convex_analyzer.errors import InputError
from convex_analyzer.spectra.clusters import clusters
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.limits import cg_steps


def steps_of_cg(values, errors, tolerance):
    return cg_steps(Spectrum.from_eigenvalues(values), errors, tolerance)


def test_steps_are_about_the_number_of_groups():
    generator = np.random.default_rng(0)
    values = np.concatenate([c * (1 + 1e-5 * generator.random(30)) for c in (1.0, 50.0, 4e4)])
    found = clusters(values, 1e-6)
    assert [group.count for group in found.groups] == [30, 30, 30]
    assert found.steps <= 6
    assert found.chebyshev_steps > 500
    assert "3 groups" in found.sentence
    for seed in range(5):  # the bound holds, from any start
        start = np.random.default_rng(seed).normal(size=90)
        assert steps_of_cg(values, start, 1e-6) <= found.steps


def test_the_bound_holds_for_any_spectrum():
    for seed in range(20):
        generator = np.random.default_rng(seed)
        values = np.exp(generator.uniform(0, 8, 25))
        found = clusters(values, 1e-8)
        start = generator.normal(size=25) / values
        assert steps_of_cg(values, start, 1e-8) <= found.steps <= 25


def test_equal_eigenvalues_take_one_step():
    found = clusters(Spectrum.from_eigenvalues([0.0, 3.0, 3.0]))
    assert (found.steps, found.distinct, len(found.groups)) == (1, 1, 1)
    assert found.groups[0].width == 1
    json.dumps(found.to_dict(), allow_nan=False)
    assert "eigenvalues" in str(found)


@each(
    ("given", "options", "match"),
    [
        (Spectrum.between(1, 2), {}, "only the ends"),
        ([0.0, -1.0], {}, "no eigenvalue is positive"),
        ([1.0], {"gap": 1.0}, "gap must be above 1"),
        ([1.0], {"tolerance": 2.0}, "tolerance"),
    ],
)
def test_bad_input(given, options, match):
    with pytest.raises(InputError, match=match):
        clusters(given, **options)
