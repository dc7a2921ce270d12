"""Make keras.json with Keras itself: run by hand where keras 3.15.1 and jax are installed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

MATRIX = [[3.0, 1.0, 0.5], [1.0, 2.0, -0.4], [0.5, -0.4, 1.0]]
LINEAR = [1.0, -2.0, 0.5]
START = [2.0, -1.5, 3.0]
STEPS = (1, 2, 5, 20, 60)
RUNS = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.8, "clipnorm": 1.0}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 1.0, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.8, "clipvalue": 0.5}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.3, "initial_accumulator_value": 0.0, "epsilon": 1e-2}),
    ("Adagrad", {"learning_rate": 0.3, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.8, "epsilon": 1e-2, "weight_decay": 0.1}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.9}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "epsilon": 1e-2}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "momentum": 0.8, "epsilon": 1e-1}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Adam", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": 0.05, "amsgrad": True, "epsilon": 1e-2}),
    ("Adam", {"learning_rate": 0.05, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.1, "epsilon": 1e-2}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.1, "amsgrad": True}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 0.5, "rho": 0.9, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("Nadam", {}),
    ("Nadam", {"learning_rate": 0.05, "beta_1": 0.8, "epsilon": 1e-2, "weight_decay": 0.1}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.05, "epsilon": 1e-2, "weight_decay": 0.1}),
    ("Lion", {}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.8, "weight_decay": 0.1}),
    ("Lamb", {}),
    ("Lamb", {"learning_rate": 0.05, "epsilon": 1e-2}),
]
SCHEDULES = [
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.3, "decay_steps": 10, "decay_rate": 0.7},
    ),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.3, "decay_steps": 10, "decay_rate": 0.7, "staircase": True},
    ),
    ("PiecewiseConstantDecay", {"boundaries": [9, 19], "values": [0.3, 0.1, 0.2]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.3, "decay_steps": 30}),
    (
        "PolynomialDecay",
        {
            "initial_learning_rate": 0.3,
            "decay_steps": 30,
            "end_learning_rate": 0.01,
            "power": 2.0,
        },
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.3, "decay_steps": 4, "decay_rate": 0.5}),
    ("CosineDecay", {"initial_learning_rate": 0.3, "decay_steps": 30, "alpha": 0.1}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.03,
            "decay_steps": 30,
            "alpha": 0.1,
            "warmup_target": 0.3,
            "warmup_steps": 8,
        },
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.3, "first_decay_steps": 7, "alpha": 0.1}),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.3, "first_decay_steps": 8, "t_mul": 1.0},
    ),
]


def with_keras():
    os.environ["KERAS_BACKEND"] = "jax"
    import jax

    jax.config.update("jax_enable_x64", val=True)
    import keras

    keras.config.set_floatx("float64")
    return keras


def path_of(keras, optimizer, average=False):
    variable = keras.Variable(np.array(START), dtype="float64")
    optimizer.build([variable])
    matrix, linear = np.array(MATRIX), np.array(LINEAR)
    points = [START]
    for _ in range(max(STEPS)):
        gradient = matrix @ np.array(variable) + linear
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        kept = optimizer._model_variables_moving_average[0] if average else variable
        points.append(np.array(kept).tolist())
    return {str(step): points[step] for step in STEPS}


def main():
    keras = with_keras()
    runs = [
        {
            "name": name,
            "options": options,
            "points": path_of(keras, getattr(keras.optimizers, name)(**options)),
        }
        for name, options in RUNS
    ]
    options = {"learning_rate": 0.05, "momentum": 0.9, "use_ema": True, "ema_momentum": 0.8}
    averaged = keras.optimizers.SGD(**options)
    runs.append(
        {"name": "SGD", "options": options, "points": path_of(keras, averaged, average=True)}
    )
    scheduled = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5, staircase=True)
    for extra in ({"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}):
        optimizer = keras.optimizers.SGD(learning_rate=scheduled, **extra)
        runs.append(
            {
                "name": "SGD",
                "options": extra,
                "stairs": [0.1, 0.5, 5],
                "points": path_of(keras, optimizer),
            }
        )
    tables = [
        {
            "name": name,
            "options": options,
            "values": [
                float(getattr(keras.optimizers.schedules, name)(**options)(k)) for k in range(60)
            ],
        }
        for name, options in SCHEDULES
    ]
    data = {
        "source": f"keras {keras.__version__}, backend jax, float64",
        "matrix": MATRIX,
        "linear": LINEAR,
        "start": START,
        "runs": runs,
        "schedules": tables,
    }
    path = Path(__file__).parent / "keras.json"
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
