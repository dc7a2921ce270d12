"""Keras itself, as recorded in golden/keras.json: every optimizer, option and schedule."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca

pytestmark = pytest.mark.survey

DATA = json.loads((Path(__file__).parent / "golden" / "keras.json").read_text(encoding="utf-8"))
PROBLEM = ca.Quadratic(DATA["matrix"], DATA["linear"])


def label(case):
    return f"{case['name']} {case['options']}{' stairs' if 'stairs' in case else ''}"


def rule_of(case):
    options = dict(case["options"])
    if "stairs" in case:
        options["learning_rate"] = ca.schedules.Step(*case["stairs"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ca.ConvexAnalyzerWarning)
        return ca.from_library("keras", case["name"], **options)


def follows(rule, case):
    path = ca.simulate(PROBLEM, rule, DATA["start"], 60, record="path").theta
    return all(
        np.abs(path[int(step)] - point).max() <= 1e-12 for step, point in case["points"].items()
    )


@each("case", DATA["runs"], ids=label)
def test_optimizer_runs_as_in_keras(case):
    assert follows(rule_of(case), case)


@each("case", DATA["runs"], ids=label)
def test_what_is_written_is_read_back(case):
    rule = rule_of(case)
    call = ca.to_library(rule, "keras")
    assert call.call.startswith(f"keras.optimizers.{case['name'].replace('Adam', 'Adam')}"[:17])
    assert follows(call.rule(), case)


@each("case", DATA["schedules"], ids=label)
def test_schedule_has_the_values_of_keras(case):
    """Cosines are in float32 there."""
    ours = ca.from_library("keras", case["name"], **case["options"])
    single = case["name"].startswith("Cosine")
    assert ours.table(60) == pytest.approx(case["values"], abs=3e-8 if single else 1e-15)


@each("case", DATA["schedules"], ids=label)
def test_schedule_is_written_and_read_back(case):
    ours = ca.from_library("keras", case["name"], **case["options"])
    again = ca.to_library(ours, "keras").rule()
    assert again.table(60) == pytest.approx(ours.table(60), rel=1e-14)


def test_every_optimizer_of_the_table_was_run():
    from convex_analyzer.conventions.rows import defaults

    names = {case["name"] for case in DATA["runs"]}
    assert names == set(defaults("keras")["optimizers"])
    assert {case["name"] for case in DATA["schedules"]} == set(defaults("keras")["schedules"])


@each(
    ("name", "options", "words"),
    [
        ("SGD", {"lr": 0.1}, "that was Keras 2; Keras 3 calls it learning_rate"),
        ("SGD", {"decay": 0.1}, "that was Keras 2; in Keras 3 learning_rate takes"),
        ("SGD", {"clipnorm": 1.0, "clipvalue": 1.0}, "clipnorm and clipvalue exclude each other"),
        ("SGD", {"loss_scale_factor": 2.0}, "loss_scale_factor must be None"),
        ("SGD", {"gradient_accumulation_steps": 4}, "gradient_accumulation_steps must be None"),
        ("SGD", {"use_ema": True, "ema_overwrite_frequency": 5}, "leave it out"),
        ("AdamW", {"weight_decay": None}, "weight_decay must be a number"),
        ("Lamb", {"weight_decay": 0.1}, "Keras decays before it takes lengths"),
        ("Lion", {"beta_1": 0.0}, "at 0 it is signSGD"),
        ("Ftrl", {}, "Ftrl cannot be converted: it is not among the rules of this package"),
        (
            "PolynomialDecay",
            {"initial_learning_rate": 1.0, "decay_steps": 9, "cycle": True},
            "cycle",
        ),
        (
            "InverseTimeDecay",
            {"initial_learning_rate": 1.0, "decay_steps": 9, "decay_rate": 1.0, "staircase": True},
            "staircase=True has no equal",
        ),
        (
            "CosineDecayRestarts",
            {"initial_learning_rate": 1.0, "first_decay_steps": 9, "t_mul": 1.5},
            "a whole t_mul",
        ),
        (
            "PiecewiseConstantDecay",
            {"boundaries": [3], "values": [1.0]},
            "one more than boundaries",
        ),
        (
            "CosineDecay",
            {
                "initial_learning_rate": 0.0,
                "decay_steps": 9,
                "warmup_target": 0.0,
                "warmup_steps": 2,
            },
            "warmup_target must not be zero",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_said_in_one_sentence(name, options, words):
    with pytest.raises(ca.InputError) as caught:
        ca.from_library("keras", name, **options)
    assert words in str(caught.value)
    assert "3.15.1" in str(caught.value)


def test_averages_are_written_at_the_end():
    with pytest.warns(ca.ConvexAnalyzerWarning, match=r"only at the end of fit\(\)"):
        ca.from_library("keras", "SGD", use_ema=True)
    call = ca.to_library(ca.optimizers.EMA(ca.HeavyBall(0.1), 0.9), "keras")
    assert "finalize_variable_values" in call.reported


def test_a_warm_up_of_no_steps_is_none():
    ours = ca.from_library(
        "keras", "CosineDecay", initial_learning_rate=0.1, decay_steps=9, warmup_target=0.3
    )
    assert ours == ca.schedules.Cosine(0.3, 9)


def test_options_that_keras_has_once():
    rule = ca.optimizers.ClippedByNorm(
        ca.optimizers.ClippedByNorm(ca.HeavyBall(0.1), 1.0, 0.0), 0.5, 0.0
    )
    with pytest.raises(ca.NotConvertibleError, match="Keras has global_clipnorm once"):
        ca.to_library(rule, "keras")
