"""The rows on logs whose cause is known because the run was made here, in plain NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import each

from convex_analyzer.diagnosis.curves import Curve
from convex_analyzer.diagnosis.engine import examine
from convex_analyzer.diagnosis.evidence import Evidence, Layer, Series
from convex_analyzer.diagnosis.findings import beyond
from convex_analyzer.diagnosis.ranking import rank, symptom_modules
from convex_analyzer.diagnosis.reading import Reading

NAMES = {
    "incorrect_gradient",
    "local_optimum",
    "symmetry",
    "slow_progress",
    "instability",
    "oscillation",
    "fluctuation",
    "dead_or_saturated_units",
    "ill_conditioning",
    "plateau",
    "saddle",
    "healthy",
}


def descend(eigenvalues, rate, steps, momentum=0.0, start=None, noise=0.0, wrong=1.0, floor=0.0):
    """Log heavy ball on a diagonal quadratic, every quantity from its definition."""
    lam = np.asarray(eigenvalues, dtype=float)
    theta = np.ones(len(lam)) if start is None else np.asarray(start, dtype=float)
    rng, velocity, before = np.random.default_rng(0), 0.0 * lam, None
    rows = {
        name: []
        for name in ("loss", "norm", "cosine", "update", "promised", "curvature", "gradient")
    }
    for _ in range(steps):
        rows["loss"].append(0.5 * float(lam @ theta**2) + floor)
        g = wrong * lam * theta + noise * rng.normal(size=len(lam))
        norm = float(np.linalg.norm(g))
        last = (
            math.nan
            if before is None
            else float(g @ before) / (norm * float(np.linalg.norm(before)) + 1e-300)
        )
        velocity = momentum * velocity - rate * g
        rows["norm"].append(norm)
        rows["cosine"].append(last)
        rows["update"].append(float(np.linalg.norm(velocity)))
        rows["promised"].append(-float(g @ velocity))
        rows["curvature"].append(float(g @ (lam * g)) / (norm**2 + 1e-300))
        before, theta = g, theta + velocity
    rows["loss"].append(0.5 * float(lam @ theta**2) + floor)
    return Evidence(
        loss=Series(np.array(rows["loss"])),
        learning_rate=Series(np.array([rate]), np.array([0.0])),
        momentum=momentum or None,
        optimizer="momentum" if momentum else "gradient_descent",
        batch_size=1 if noise else 100,
        rows=100,
        gradient_norm=Series(np.array(rows["norm"])),
        gradient_cosine=Series(np.array(rows["cosine"])),
        update_norm=Series(np.array(rows["update"])),
        predicted_decrease=Series(np.array(rows["promised"])),
        curvature=Series(np.array(rows["curvature"])),
    )


RUNS = {
    "healthy": descend([1.0, 0.5], 0.5, 100),
    "slow_progress": descend([1.0, 0.5], 1e-3, 200),
    "instability": descend([1.0, 0.1], 2.2, 60),
    "oscillation": descend([1.0, 0.5], 1.95, 150),
    "ill_conditioning": descend([1000.0, 1.0, 0.3], 1.8e-3, 400, start=[0.1, 1.0, 1.0]),
    "incorrect_gradient": descend([1.0, 0.5], 0.02, 150, wrong=-1.0),
    "fluctuation": descend([1.0, 0.8], 0.3, 1500, noise=1.0),
}
SWINGS = descend([1.0], 0.01, 400, momentum=0.99)


@each("name", RUNS)
def test_a_run_with_one_fault_is_given_its_name(name):
    diagnosis = examine(RUNS[name])
    assert diagnosis.primary.name == name, diagnosis.summary()
    assert sum(each.confidence for each in diagnosis.findings) + diagnosis.doubt == pytest.approx(1)


def test_underdamped_momentum_is_an_oscillation_with_the_period_of_its_root():
    diagnosis = examine(SWINGS)
    assert diagnosis.primary.name == "oscillation"
    # z² - (1 + μ - αλ) z + μ = 0: the loss swings twice as often as the iterate
    angle = np.angle(np.roots([1, -(1.99 - 0.01), 0.99])[0])
    rhythm = Reading(SWINGS).curve.rhythm
    assert rhythm.period == pytest.approx(math.pi / abs(angle), rel=0.25)


@each(
    ("share", "steps", "floor", "noise", "expected"),
    [
        (0.99, 60, 0.0, 0.0, "oscillation"),  # four crests are enough
        (0.99, 120, 0.5, 0.03, "oscillation"),
        (0.99, 400, 0.0, 0.0, "oscillation"),
        (0.9, 120, 0.0, 0.03, "oscillation"),
        (1.005, 120, 0.0, 0.0, "instability"),
    ],
)
def test_a_swing_that_dies_out_is_no_instability(share, steps, floor, noise, expected):
    # the loss climbs to 47 times its start before it falls: momentum near its limit 2(1 + μ)/λ
    mu, largest = 0.9, 30.0
    alpha = share * 2 * (1 + mu) / largest
    log = descend([1.0, largest], alpha, steps, mu, noise=noise, floor=floor)
    diagnosis = examine(Evidence(loss=log.loss))
    assert diagnosis.decided
    assert diagnosis.primary.name == expected
    if share == 0.99 and not floor:  # a root r = √μ·exp(iφ): crests π/φ apart, each μ^(π/φ) times
        ring = Curve(log.loss).ring
        turn = math.pi / math.acos((1 + mu - share * 2 * (1 + mu)) / (2 * math.sqrt(mu)))
        # seen at every step, the flip beyond 1/λ folds the turn of the loss back
        assert ring.period == pytest.approx(1 / (1 - 1 / turn), rel=0.03)
        assert ring.factor == pytest.approx(mu**ring.period, rel=0.05)


def test_evidence_prints_numbers_as_everywhere():
    log = descend([1.0, 10.0], 0.199, 60)
    told = examine(log).finding("oscillation").evidence
    assert "cos −1," in told
    assert "-" not in told


def test_two_runs_with_the_same_loss_and_opposite_faults_need_cosines():
    creeping, overshooting = descend([1.0], 0.002, 200), descend([1.0], 1.998, 200)
    np.testing.assert_allclose(creeping.loss.values, overshooting.loss.values, rtol=1e-9)
    blind = [examine(Evidence(loss=one.loss)) for one in (creeping, overshooting)]
    assert blind[0].primary.name == blind[1].primary.name
    for one in blind:
        assert "gradient cosines" in one.finding("oscillation").lacks
        assert one.finding("oscillation").verdict == "possible"
    assert examine(creeping).primary.name == "slow_progress"
    assert examine(overshooting).primary.name == "oscillation"


def test_momentum_and_curvature_are_measured_as_the_theory_defines_them():
    reading = Reading(RUNS["slow_progress"])
    psi, steps = reading.promise, reading.step_curvature
    np.testing.assert_allclose(psi.values, 1 - steps.values / 2, rtol=1e-6)  # ψ = 1 - αR/2
    assert reading.largest <= 1e-3
    assert Reading(RUNS["oscillation"]).largest <= 1.95 + 1e-12
    assert Reading(RUNS["ill_conditioning"]).condition > 1000


def test_adams_learning_rate_is_never_held_against_the_curvature():
    stiff = descend([1000.0], 1e-3, 50).with_(optimizer="adaptive")
    reading = Reading(stiff)
    assert reading.step_curvature is None
    assert "αλ" not in examine(stiff).finding("ill_conditioning").evidence


def units(weights, activations, preactivations=None):
    return (
        Layer(
            "layer 1", np.asarray(weights, float), None, activations, preactivations, hidden=True
        ),
        Layer("layer 2", np.ones((1, 4, 1)), hidden=False),
    )


def test_copies_of_a_unit_and_dead_units_are_counted():
    rng = np.random.default_rng(1)
    plain = RUNS["slow_progress"]
    same = np.repeat(rng.normal(size=(1, 3, 1)), 4, axis=2)
    rows = rng.normal(size=(1, 50, 3))
    diagnosis = examine(plain.with_(layers=units(same, np.tanh(rows @ same), rows @ same)))
    assert diagnosis.primary.name == "symmetry"
    assert "1 of 4" in diagnosis.primary.evidence
    different = rng.normal(size=(1, 3, 4))
    dead = rows @ different - 50
    diagnosis = examine(plain.with_(layers=units(different, np.maximum(dead, 0), dead)))
    assert diagnosis.primary.name == "dead_or_saturated_units"
    assert "100 % of 4 units are zero on all 50 rows" in diagnosis.primary.evidence
    assert f"{100 * (1 - 0.05 ** (1 / 50)):.1f} %" in diagnosis.primary.evidence
    alive = rows @ different
    diagnosis = examine(plain.with_(layers=units(different, np.maximum(alive, 0), alive)))
    assert diagnosis.primary.name == "slow_progress"


def test_a_gradient_check_decides_and_a_right_one_clears():
    claimed = np.random.default_rng(2).normal(size=(3, 12))
    table = np.stack([claimed, claimed * (1 + 1e-9)], axis=2)
    good = RUNS["slow_progress"].with_(gradient_checks=table, snapshot_steps=np.array([0, 99, 199]))
    assert examine(good).finding("incorrect_gradient").verdict == "absent"
    table = table.copy()
    table[2, 3:7, 0] *= 2  # a fault that shows in the last snapshot only
    diagnosis = examine(good.with_(gradient_checks=table))
    assert diagnosis.primary.name == "incorrect_gradient"
    assert "4 of 12" in diagnosis.primary.evidence
    assert "claimed/measured ≈ 2" in diagnosis.primary.evidence
    table[2] = claimed[0][:, None]
    table[2, 3, 0] *= 2  # one direction alone may have crossed a kink
    assert examine(good.with_(gradient_checks=table)).primary.name == "slow_progress"


def test_what_looks_ill_and_is_not():
    steps = np.arange(600)
    rng = np.random.default_rng(3)
    noisy = np.exp(-steps / 150) * np.exp(0.4 * rng.normal(size=600))
    diagnosis = examine(Evidence(batch_loss=Series(noisy)))
    assert diagnosis.primary.name == "healthy"
    assert [each.name for each in diagnosis.shown] == ["noisy_monitoring"]
    spikes = np.exp(-steps / 120) + 1e-3
    spikes[[200, 410]] *= 30
    diagnosis = examine(Evidence(loss=Series(spikes), optimizer="adaptive"))
    assert diagnosis.primary.name == "healthy"
    assert [each.name for each in diagnosis.shown] == ["adam_spikes"]
    dropped = np.where(steps < 300, 0.3, 0.1) * (1 + 0.2 * rng.normal(size=600)) + np.exp(
        -steps / 20
    )
    rate = np.where(steps < 300, 0.1, 0.01)
    diagnosis = examine(Evidence(loss=Series(dropped), learning_rate=Series(rate)))
    assert [each.name for each in diagnosis.shown] == ["learning_rate_drop"]


BAD = {
    "nothing but NaN": [math.nan] * 6,
    "NaN in the middle": [3.0, 2.0, 1.5, math.nan, 1.2, 1.1],
    "one value": [1.0],
    "two values": [1.0, 0.5],
    "constant": [1.0] * 50,
    "zero": [0.0] * 50,
    "negative": list(-np.arange(50.0)),
    "huge": list(1e300 * 0.9 ** np.arange(50.0)),
    "tiny": list(1e-300 * 0.9 ** np.arange(50.0)),
    "to infinity": [1.0, 1e200, math.inf, math.inf, math.inf, math.inf],
    "crosses zero": list(1 - 0.1 * np.arange(50.0)),
}


@each("name", BAD)
def test_odd_curves_are_judged_or_refused_never_a_crash(name):
    diagnosis = examine(Evidence(loss=Series(np.array(BAD[name]))))
    assert diagnosis.primary.name in NAMES
    assert np.isfinite([each.confidence for each in diagnosis.findings]).all()
    if "NaN" in name or "infinity" in name:
        assert diagnosis.primary.name == "instability"
    if "value" in name:
        assert not diagnosis.decided
    assert "nan" not in str(diagnosis).lower().replace("no longer finite", "")


def test_a_validation_loss_alone_is_outside_this_table():
    diagnosis = examine(Evidence(validation_loss=Series(np.linspace(1, 2, 30))))
    assert not diagnosis.decided
    assert diagnosis.headline.startswith("Generalisation, outside this table")


def test_the_rows_are_those_of_the_lecture_and_the_further_ones():
    rows = [module.ROW for module in symptom_modules()]
    assert [row.order for row in rows] == sorted({row.order for row in rows})
    assert sum(row.lecture for row in rows) == 9
    assert {row.name for row in rows if row.fault or row.name == "healthy"} == NAMES
    for row in rows:
        assert set(row.explains) <= {each.name for each in rows}
        assert row.name not in row.explains
    ranked, doubt = rank(Reading(RUNS["healthy"]))
    assert ranked[0].confidence > doubt


def test_a_threshold_is_even_odds():
    assert beyond(3.0, 3.0, 2.0) == 0.5
    assert beyond(6.0, 3.0, 2.0) == pytest.approx(0.9)
    assert beyond(0.0, 3.0, 2.0) == 0.0
    assert beyond(math.inf, 3.0, 2.0) == 1.0


def test_measures_of_a_curve_do_not_depend_on_its_unit():
    values = RUNS["ill_conditioning"].loss.values
    one, other = Curve(Series(values)), Curve(Series(1e6 * values))
    for name in ("left", "straightness", "late_fall", "noise", "flat", "peak", "rises"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9), name
