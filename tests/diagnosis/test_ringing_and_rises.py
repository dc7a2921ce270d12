"""What a loss that rings, turns up or is lost is told, against simulated heavy ball."""

import re

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.cli.diagnose import _of_torch
from convex_analyzer.cli.diagnosis_screen import table_of
from convex_analyzer.diagnosis.remedies.damping import less_momentum, ringing
from convex_analyzer.diagnosis.remedies.facts import Facts
from convex_analyzer.diagnosis.rhythm import fading_period
from convex_analyzer.optimizers.parse import parse_optimizer


def heavy_ball(curvatures, alpha, mu, steps, floor=0.0):
    curvatures = np.asarray(curvatures, dtype=float)
    place, velocity, loss = np.ones_like(curvatures), np.zeros_like(curvatures), []
    for _ in range(steps):
        loss.append(0.5 * float(curvatures @ place**2) + floor)
        velocity = mu * velocity - alpha * curvatures * place
        place = place + velocity
    return np.array(loss)


def steps_to(loss, share):
    """Return after how many steps a loss stays below a share of its start."""
    return int(np.flatnonzero(loss > share * loss[0])[-1]) + 1


def test_momentum_is_named_where_it_rings():
    found = ca.diagnose(loss=heavy_ball([1.0], 0.1, 0.97, 300), lr=0.1, momentum=0.97)
    remedy = found.primary.remedy
    assert found.primary.name == "oscillation"
    assert remedy.change.startswith("μ from 0.97 to ")
    new = heavy_ball([1.0], 0.1, remedy.settings["momentum"], 600)
    assert steps_to(new, 1e-6) < steps_to(heavy_ball([1.0], 0.1, 0.97, 600), 1e-6) / 2
    assert "no faster" in remedy.alternatives[0].prediction  # of a smaller α, and so it is:
    assert steps_to(heavy_ball([1.0], 0.05, 0.97, 900), 1e-6) > 400
    (note,) = [each for each in found.summary().notes if each.startswith("Workaround")]
    assert note.startswith("Workaround: μ from 0.97 to ")
    assert "decrease α" not in note
    # two directions: what is read is the slower swing, which is then damped critically
    loss = heavy_ball(np.geomspace(0.01, 1, 20), 0.1, 0.97, 1000)
    critical = ca.diagnose(loss=loss, lr=0.1, momentum=0.97).primary.remedy
    assert "critically" in critical.prediction
    assert critical.factor > 1.5
    unknown = ca.diagnose(loss=heavy_ball([1.0], 0.1, 0.97, 300)).primary.remedy
    assert unknown.change == "lower μ, if the run has momentum"


def test_less_momentum_without_a_curvature():
    loss = heavy_ball([1.0], 0.1, 0.97, 60)
    facts = Facts(ca.diagnose(loss=loss, lr=0.1, momentum=0.97).reading)
    found = less_momentum(facts, ca.HeavyBall(0.1, 0.97), "why")
    assert found.settings["momentum"] == 0.9
    for mu, steps in ((0.97, found.steps_before), (0.9, found.steps_after)):
        assert steps == pytest.approx(np.log(1e-3) / np.log(np.sqrt(mu)), abs=1)
    assert less_momentum(facts, ca.HeavyBall(0.1, 0.8), "").settings["momentum"] == 0.4
    assert not less_momentum(facts, ca.Nesterov(0.1, 0.97), "why").predicts


def test_swings_that_have_faded_say_what_they_cost():
    loss = heavy_ball([3.0], 0.35, 0.95, 399, floor=0.1)
    found = ca.diagnose(loss=loss, lr=0.35, momentum=0.95)
    assert found.healthy
    (seen,) = found.shown
    assert seen.name == "fading_swings"
    period = np.pi / np.arccos((1.95 - 0.35 * 3) / (2 * np.sqrt(0.95)))
    assert fading_period(loss, 0.95) == pytest.approx(period, rel=0.01)
    said = int(re.search(r"instead of (\d+)", seen.evidence)[1])
    assert said == pytest.approx(steps_to(loss - 0.1, 1e-6), rel=0.05)
    assert not ringing(ca.HeavyBall(0.1, 1e-9), 2.1)
    rng = np.random.default_rng(0)
    for noise in (0.01, 0.1):
        shaken = np.exp(-np.arange(300) / 40) * (1 + noise * rng.standard_normal(300)) + 0.2
        assert fading_period(shaken, 0.95) is None
    assert fading_period(np.ones(50), 0.9) is None


def test_a_curve_that_turns_up_is_not_healthy():
    down, up = np.linspace(2.3, 0.5, 40), np.linspace(0.5, 0.805, 160)
    loss = np.concatenate([down, up])
    found = ca.diagnose({"val_loss": loss}, columns={"loss": "val_loss"})
    assert found.headline.startswith("Overfitting")
    assert "lowest at step 39" in found.headline or "lowest at step 40" in found.headline
    assert ca.diagnose({"val_loss": loss}).headline.startswith("Overfitting")
    training = ca.diagnose(loss=loss)
    assert not training.healthy
    assert "turned up" in training.finding("healthy").evidence
    fallen = ca.diagnose({"val_loss": loss[:45]}, columns={"loss": "val_loss"})
    assert any("validation loss" in note for note in fallen.notes)
    words = [str(c) for row in table_of([("a", found), ("b", training)], 100).rows for c in row]
    assert "generalisation" in words


def test_where_a_lost_loss_began_to_grow():
    k = np.arange(300)
    loss = 0.3 + 2 * np.exp(-k / 40) + 0.005 * np.random.default_rng(0).standard_normal(300)
    loss[290:] *= 1.6 ** np.arange(1, 11)
    found = ca.diagnose(loss=np.append(loss, np.nan), lr=0.1)
    assert "no longer finite at step 300; it grows from step 290 on" in found.headline
    assert "times its start" in found.finding("fluctuation").evidence
    sudden = ca.diagnose(loss=np.append(loss[:200], np.nan), lr=0.1)
    assert sudden.headline.endswith("step 200.")


def test_a_sweep_and_the_spelling_of_torch():
    runs = [(f"{a:g}", ca.diagnose(loss=(1 - a) ** (2 * np.arange(60.0)) + 0.01, lr=a))
            for a in (0.01, 0.5, 2.1)]  # fmt: skip
    lost = ca.diagnose(loss=[3.0, 9.0, 81.0, np.inf, np.nan], lr=9.0)
    table = table_of([*runs, ("lost", lost), ("bad", "no such file")], 100)
    assert [row[1] for row in table.rows] == ["0.01", "0.5", "2.1", "9", ""]
    assert table.notes == ("Lowest end: 0.5, α = 0.5, 0.01.",)
    assert "stable below α = 2" in table.rows[2][-1]
    assert table.rows[3][4] == "lost"
    heavy = {"name": "HeavyBall", "learning_rate": 0.35, "momentum": 0.95}
    assert _of_torch("SGD:learning_rate=0.35,momentum=0.95") == heavy
    assert _of_torch("SGD(lr=0.35, mu=0.95)") == heavy
    assert _of_torch("SGD(lr=0.35, momentum=0.95, nesterov=True)")["name"] == "Nesterov"
    for other in ("SGD:lr=1", "Adam:momentum=1", "SGD:lr=1,momentum=0.9,weight_decay=1"):
        assert _of_torch(other) is None
    with pytest.raises(ca.InputError, match=r"HeavyBall\(learning_rate, momentum\)"):
        parse_optimizer("SGD:lr=1,momentum=0.9")
