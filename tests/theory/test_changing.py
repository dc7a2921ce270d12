"""What is said of rules that change from step to step: residues, and orders that lose digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.optimizers import registered
from convex_analyzer.theory.changing import amplification, residue, warnings

pytestmark = pytest.mark.survey

ALL = registered()
TWO = ca.Spectrum.from_eigenvalues([0.5, 1.0])


@pytest.mark.parametrize(("first", "decay"), [(0.5, 0.9), (1.7, 0.97), (0.01, 0.998)])
def test_an_exponential_decay_says_what_it_leaves(first, decay):
    """(s; q)_∞ of the direction that keeps most, multiplied out in mpmath."""
    found = ca.analyze(TWO, ca.GradientDescent(schedules.Exponential(first, decay)))
    shares, q = [], mpmath.mpf(decay)
    for value in (0.5, 1.0):
        s, share = mpmath.mpf(first) * value, mpmath.mpf(1)
        while s > 1e-17:
            share, s = share * abs(1 - s), s * q
        shares.append(share)
    share, eigenvalue = residue(found)
    assert share == pytest.approx(float(max(shares)), rel=1e-9)
    assert eigenvalue == [0.5, 1.0][int(np.argmax(shares))]
    assert "stays for ever" in found.explain()
    assert "stays for ever" in str(found)
    assert found.kind == "exact"


def test_the_approximation_of_the_residue():
    """THEORY 3.7 [A]: exp(Li₂(s)/ln q) √(1 - s), the better the slower the decay."""
    for decay, accuracy in ((0.9, 0.02), (0.99, 2e-3)):
        found = ca.analyze(
            ca.Spectrum.from_eigenvalues([1.0]),
            ca.GradientDescent(schedules.Exponential(0.5, decay)),
        )
        near = mpmath.exp(mpmath.polylog(2, 0.5) / mpmath.log(decay)) * mpmath.sqrt(0.5)
        assert residue(found)[0] == pytest.approx(float(near), rel=accuracy)


def test_a_rule_with_memory_against_a_run():
    rule = ca.HeavyBall(schedules.Exponential(0.05, 0.9), 0.5)
    end = ca.simulate(ca.Quadratic.diagonal([0.5, 1.0]), rule, [1.0, 1.0], 600).theta[-1]
    assert residue(ca.analyze(TWO, rule))[0] == pytest.approx(float(np.abs(end).max()), rel=1e-12)
    slow = ca.HeavyBall(schedules.Exponential(0.05, 0.9999), 0.5)
    assert residue(ca.analyze(TWO, slow)) is None  # too many matrices


@each(
    "rule",
    [
        ca.GradientDescent(0.1),
        ca.GradientDescent(schedules.InverseTime(0.5, 1.0)),  # its steps add up to infinity
        ca.GradientDescent(schedules.Step(0.1, 0.5, 20) * schedules.Constant(1.0)),
        ALL["SilverSteps"](1.0),
    ],
    ids=str,
)
def test_what_leaves_nothing_or_is_not_asked(rule):
    if "Step(" in str(rule) and "Silver" not in str(rule):
        assert residue(ca.analyze(TWO, rule)) is not None  # stairs down to zero
    else:
        assert residue(ca.analyze(TWO, rule)) is None
        assert warnings(ca.analyze(TWO, rule)) == []


def test_orders_of_chebyshev_steps_that_explode_are_named():
    """THEORY 3.2: κ = 1e4, 64 steps: 10^31.8 in natural orders, 10^3 to 10^7 in good ones."""
    spectrum = ca.Spectrum.between(1.0, 1e4)
    for order in ("leja", "fractal", "ascending", "descending"):
        found = ca.analyze(spectrum, ALL["ChebyshevSteps"](1.0, 1e4, 64, order))
        grows, leaves = amplification(found)
        assert leaves == pytest.approx(0.516, abs=5e-4)
        explodes = order in {"ascending", "descending"}
        assert (abs(np.log10(grows) - 31.8) < 0.1) == explodes
        assert grows < 1e8 or explodes
        assert ("lose their digits" in found.explain()) is explodes
        assert ("lose their digits" in str(found)) is explodes
    few = ca.analyze(spectrum, ALL["ChebyshevSteps"](1.0, 1e4, 4, "ascending"))
    assert warnings(few) == []
    assert amplification(ca.analyze(spectrum, ALL["Lookahead"](ca.HeavyBall(1e-5)))) is None


def test_every_scope_says_its_kind():
    kinds = {
        "exact": [ca.HeavyBall(0.1), ALL["ChebyshevSteps"](0.5, 1.0)],
        "asymptotic": [ALL["ChebyshevSemiIteration"](0.5, 1.0)],
    }
    for kind, rules in kinds.items():
        for rule in rules:
            found = ca.analyze(TWO, rule)
            assert found.kind == found.to_dict()["kind"] == kind
            assert found.to_dict()["source"] == rule.source
            assert kind in str(found)
            assert kind in found.explain()
    computed = ca.analyze(ca.gallery.ravine(condition_number=100.0, angle=0.6), ca.HeavyBall)
    assert computed.kind == computed.spectrum.kind
    found = ca.analyze(TWO, ca.HeavyBall(0.1, 0.5))
    assert found.growth().to_dict()["kind"] == "numerical"
    assert found.sensitivity().to_dict()["kind"] == "exact"
    saddle = ca.analyze(ca.Quadratic.diagonal([-0.1, 1.0]), ca.GradientDescent(1.0))
    assert saddle.escape().to_dict()["kind"] == "heuristic"


def test_an_unbounded_problem_is_named_before_any_rate():
    found = ca.analyze(ca.Quadratic.diagonal([0.0, 1.0], [1.0, 0.0]), ca.HeavyBall(0.1, 0.9))
    text = str(found)
    assert text.index("no minimum") < text.index("rate")
    assert found.explain().index("no minimum") < found.explain().index("ate")
