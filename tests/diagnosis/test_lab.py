"""The laboratory itself: its gradients are right, its faults are really there, its proofs hold."""

import itertools
import json

import numpy as np
import pytest
from cases import each

from benchmarks.diagnosis import make_runs, tasks
from benchmarks.diagnosis.lab import LOSSES, Fault, Network, Plan, Rule, Schedule, Start, claimed
from benchmarks.diagnosis.proofs import LABELS, prove
from benchmarks.diagnosis.runs import record, trace
from benchmarks.diagnosis.signs import signs_of
from benchmarks.diagnosis.trial import Candidate


def _problem(network: Network, seed: int = 0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(9, network.layers[0]))
    targets = np.eye(network.layers[-1])[rng.integers(0, network.layers[-1], 9)]
    return Start(bias=0.1).draw(network, rng), rows, targets


@each("loss", LOSSES)
@each("activation", ["relu", "tanh", "sigmoid", "linear"])
def test_gradients_and_curvatures_agree_with_finite_differences(activation, loss):
    network = Network((3, 5, 4, 2), activation, loss)
    theta, rows, targets = _problem(network)
    value, gradient = network.value_and_gradient(theta, rows, targets)
    h = 1e-6 * np.eye(network.size)
    ahead, back = network.value(np.stack([theta + h, theta - h]), rows, targets)
    assert value == pytest.approx(float(network.value(theta, rows, targets)), rel=1e-14)
    np.testing.assert_allclose(gradient, (ahead - back) / 2e-6, atol=1e-8)
    stack = np.repeat(theta[None], 9, axis=0)  # nine networks at once, a row of data for each
    alone = network.value_and_gradient(stack, rows[:, None], targets[:, None])[1]
    np.testing.assert_allclose(alone.mean(axis=0), gradient, atol=1e-14)
    values, vectors = network.curvatures(theta, rows, targets)
    along = network.hessian_vector(theta, rows, targets, vectors[:, -1])
    np.testing.assert_allclose(along, values[-1] * vectors[:, -1], atol=1e-5 * abs(values[-1]))


@each(
    ("fault", "wrong"),
    [
        (Fault("factor", 0.5), slice(None)),
        (Fault("block factor", -1.0, block=2), slice(20, 40)),
        (Fault("no bias gradient"), [*range(15, 20), *range(40, 44), *range(52, 54)]),
        (Fault("coordinate", 2.0, index=7), [7]),
        (Fault("transposed block", block=2), slice(20, 40)),
        (Fault("reversed units", block=0), slice(0, 15)),
        (Fault("slope of output"), slice(0, 44)),
        (Fault("no slope"), slice(0, 44)),
        (Fault("shifted labels"), slice(None)),
        (Fault("half the rows"), slice(None)),
    ],
)
def test_a_planted_fault_is_where_it_was_planted(fault, wrong):
    network = Network((3, 5, 4, 2), "tanh", "softmax")
    theta, rows, targets = _problem(network)
    exact = network.value_and_gradient(theta, rows, targets)[1]
    value, claim = claimed(network, fault, theta, rows, targets, {})
    there = np.zeros(network.size, bool)
    there[wrong] = True
    np.testing.assert_array_equal(claim[~there], exact[~there])
    assert np.linalg.norm(claim - exact) > 1e-3 * np.linalg.norm(exact)
    assert value == pytest.approx(float(network.value(theta, rows, targets)), rel=1e-14)


def test_faults_that_remember():
    network = Network((3, 4, 2), "tanh", "softmax")
    theta, rows, targets = _problem(network)
    second = theta + 0.3
    g1, g2 = (network.value_and_gradient(t, rows, targets)[1] for t in (theta, second))
    for fault, expected in [(Fault("stale"), g1), (Fault("not zeroed"), g1 + g2)]:
        memory = {}
        first = claimed(network, fault, theta, rows, targets, memory)[1]
        np.testing.assert_array_equal(first, g1)
        claim = claimed(network, fault, second, rows, targets, memory)[1]
        np.testing.assert_allclose(claim, expected, rtol=1e-14)


def _least_squares(rule: Rule, **more) -> Plan:
    rng = np.random.default_rng(3)
    rows, targets = rng.normal(size=(12, 2)), rng.normal(size=(12, 1))
    return Plan(Network((2, 1), "linear", "half_mse"), rows, targets, rule, 0.3, 40, **more)


@each(
    ("rule", "by_hand"),
    [
        (Rule("sgd"), lambda s, g, t: (None, -0.3 * g)),
        (Rule("momentum"), lambda s, g, t: (v := 0.9 * s - 0.3 * g, v)),
        (Rule("nesterov"), lambda s, g, t: (v := 0.9 * s - 0.3 * g, 0.9 * v - 0.3 * g)),
        (Rule("rmsprop"), lambda s, g, t: (q := 0.9 * s + 0.1 * g * g, -0.3 * g / (q**0.5 + 1e-8))),
    ],
    ids=lambda part: getattr(part, "name", ""),
)
def test_rules_follow_the_textbook(rule, by_hand):
    plan = _least_squares(rule)
    design = np.column_stack([plan.rows, np.ones(12)])
    theta, state = plan.first(), 0.0
    losses = []
    for t in range(40):
        gap = design @ theta - plan.targets[:, 0]
        losses.append(gap @ gap / 24)
        state, step = by_hand(state, design.T @ gap / 12, t)
        theta = theta + step
    np.testing.assert_allclose(record(plan).loss[:-1], losses, rtol=1e-10)
    np.testing.assert_allclose(trace(plan, rates=[0.1, 0.3]).theta[1], theta, rtol=1e-8)


def test_a_log_agrees_with_itself_and_with_exact_curvature():
    plan = _least_squares(Rule("sgd"), schedule=Schedule("drop", at=0.5, factor=0.1))
    log = record(plan)
    design = np.column_stack([plan.rows, np.ones(12)])
    eigenvalues = np.linalg.eigvalsh(design.T @ design / 12)
    assert plan.network.sharpness(plan.first(), plan.rows, plan.targets) == pytest.approx(
        eigenvalues[-1], rel=1e-4
    )
    curvature = log["curv_along_grad"]
    assert np.isfinite(curvature[::5]).all()
    assert np.isnan(np.delete(curvature, np.arange(0, 40, 5))).all()
    # psi = 1 - alpha R / 2 exactly on a quadratic
    psi = (log.loss[:-1] - log.loss[1:]) / (log["lr"] * log["grad_norm"].astype(float) ** 2)
    np.testing.assert_allclose(psi[::5][:4], (1 - log["lr"] * curvature / 2)[::5][:4], rtol=1e-3)
    assert log["lr"][19] == np.float32(0.3)
    assert log["lr"][20] == np.float32(0.03)
    checks = log["gradcheck_claimed_vs_fd"]
    assert checks.shape == (5, 12, 2)
    np.testing.assert_allclose(checks[..., 0], checks[..., 1], atol=1e-8)
    assert np.abs(record(plan.but(fault=Fault("factor", 1.1)))["gradcheck_claimed_vs_fd"]
                  @ [1, -1.1]).max() < 1e-8  # fmt: skip


def test_starts_that_hide_units():
    network = Network((2, 6, 3), "relu", "softmax")
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(20, 2)), np.eye(3)[rng.integers(0, 3, 20)]
    plan = Plan(network, rows, targets, Rule(), 0.1, 30)
    dead = plan.but(start=Start(bias=-50.0, share=0.5))
    twins = plan.but(start=Start("duplicated", groups=2))
    assert signs_of(dead, record(dead)).dead >= 0.5
    assert signs_of(twins, record(twins)).twins == 4  # gradient descent keeps copies copies
    assert signs_of(plan, record(plan)).twins == 0


def test_a_planted_cause_alone_is_no_label():
    """A sound run is refused every label but its own, whatever its author says of it."""
    task = tasks.linear(np.random.default_rng(1))
    network = Network((task.rows.shape[1], 1), "linear", "half_mse")
    plan = Plan(network, task.rows, task.targets, Rule(), 0.1, 100)
    plan = plan.but(rate=0.8 / network.sharpness(plan.first(), plan.rows, plan.targets))
    log, calm = record(plan), plan.but(rate=plan.rate / 4)
    proofs = {x: prove(Candidate(x, "step", 0.0, plan, calm, floor=0.0), log) for x in LABELS}
    assert {label for label, proof in proofs.items() if proof} == {"healthy"}


def test_a_case_is_written_with_its_proof(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_runs, "_WANTED", {"ill_conditioning": 1, "oscillation": 1})
    monkeypatch.setattr(make_runs, "LABELS", ("ill_conditioning", "oscillation"))
    labels = make_runs.write(tmp_path, seed=3)
    assert sorted(a["label"] for a in labels.values()) == ["ill_conditioning", "oscillation"]
    manifest = json.loads((tmp_path / "manifest.json").read_text())["cases"]
    answers = json.loads((tmp_path / "answers.json").read_text())["labels"]
    for name, folder in itertools.product(labels, ["cases", "views/loss_only", "views/smoothed"]):
        with np.load(tmp_path / folder / f"{name}.npz") as run:
            loss = run["loss_full" if folder == "cases" else "loss"]
            assert len(loss) == manifest[name]["steps"] + 1
    ill = next(a for a in answers.values() if a["label"] == "ill_conditioning")
    assert ill["evidence"]["excess_left"] > 0.02
    assert ill["accept"][0] == "ill_conditioning"
