"""Readers: what a file, an array or an object says, and what is said about it."""

import base64
import gzip
import json
import math
import os
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
import convex_analyzer.optimizers as rules
from convex_analyzer.diagnosis.evidence import Series
from convex_analyzer.diagnosis.readers import from_arrays, read, read_npz, rule_of, table
from convex_analyzer.diagnosis.readers.cells import number
from convex_analyzer.diagnosis.readers.formats import tensorboard
from convex_analyzer.diagnosis.readers.names import classify
from convex_analyzer.diagnosis.readers.network import infer_sizes
from convex_analyzer.diagnosis.readers.sampling import smoothing
from convex_analyzer.errors import InputError

CASE = Path(__file__).parents[1] / "data" / "training" / "pg012.npz"
NAN = math.nan

# written by tensorboardX 2.6.5: train/loss 2, 1.5, .25 at steps 0, 10, 20, and val/loss 3.5 at 20
OLD_STYLE = (
    "GAAAAAAAAACjf0siCYBJdd11wNpBGg1icmFpbi5FdmVudDoyr4EqFh4AAAAAAAAA2dwSMgk9qnXddcDaQSoTChEKCnRyYW"
    "luL2xvc3MVAAAAQM5xm54gAAAAAAAAACntqVAJX7F13XXA2kEQCioTChEKCnRyYWluL2xvc3MVAADAP8x6U8MgAAAAAAAA"
    "ACntqVAJaLd13XXA2kEQFCoTChEKCnRyYWluL2xvc3MVAACAPgkmnXEeAAAAAAAAANncEjIJ6bd13XXA2kEQFCoRCg8KCH"
    "ZhbC9sb3NzFQAAYEAZ6wA8"
)
# written by torch.utils.tensorboard 2.13: the same as tensors, a float, a double and a float
NEW_STYLE = (
    "SAAAAAAAAAD+kkidCZmyjd11wNpBGg1icmFpbi5FdmVudDoyUi4KLHRlbnNvcmJvYXJkLnN1bW1hcnkud3JpdGVyLmV2ZW"
    "50X2ZpbGVfd3JpdGVyFFCVsTAAAAAAAAAAlfXQXwl0v43ddcDaQSolCiMKCnRyYWluL2xvc3NCCAgBKgQAAABASgsKCQoH"
    "c2NhbGFyc3mHjvc2AAAAAAAAAE9XjO8JZ8CN3XXA2kEQCiopCicKCnRyYWluL2xvc3NCDAgCMggAAAAAAAD4P0oLCgkKB3"
    "NjYWxhcnOSAbyvMgAAAAAAAAAkGVbsCRfBjd11wNpBEBQqJQojCgp0cmFpbi9sb3NzQggIASoEAACAPkoLCgkKB3NjYWxh"
    "cnNQxHwy"
)
# rows of a metrics.csv that Lightning 2.6 wrote
LIGHTNING = """\
epoch,grad_2.0_norm/l.bias,grad_2.0_norm/l.weight,grad_2.0_norm_total,lr-Adam,step,train_loss_epoch,\
train_loss_step,val_loss
,,,,0.01,1,,,
0,0.26,6.94,6.95,,1,,9.08,
,,,,0.01,3,,,
0,2.47,5.22,5.78,,3,,6.50,
0,,,,,3,,,6.16
0,,,,,3,7.79,,
,,,,0.01,5,,,
1,3.19,8.51,9.09,,5,,9.31,
,,,,0.01,7,,,
1,0.10,7.48,7.48,,7,,8.19,
1,,,,,7,,,5.05
1,,,,,7,8.75,,
"""
# trainer_state.json of transformers 5.23, numbers shortened
TRAINER = {
    "epoch": 3.0,
    "global_step": 15,
    "log_history": [
        {"epoch": 1.0, "grad_norm": 3.7, "learning_rate": 0.009, "loss": 8.06, "step": 5},
        {"epoch": 1.0, "eval_loss": 8.07, "eval_runtime": 0.05, "step": 5},
        {"epoch": 2.0, "grad_norm": 5.0, "learning_rate": 0.008, "loss": 8.66, "step": 10},
        {"epoch": 2.0, "eval_loss": 7.2, "eval_runtime": 0.05, "step": 10},
        {"epoch": 3.0, "grad_norm": 9.0, "learning_rate": 0.007, "loss": 7.1, "step": 15},
        {"epoch": 3.0, "step": 15, "total_flos": 0.0, "train_loss": 7.8, "train_runtime": 0.4},
    ],
}


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class Frame:
    def __init__(self, **columns):
        self.cells, self.columns = columns, list(columns)

    def __getitem__(self, name):
        return self.cells[name]


def framed(data):
    """Return a record of an event file."""
    head = len(data).to_bytes(8, "little")
    checks = [tensorboard._masked(part).to_bytes(4, "little") for part in (head, data)]
    return head + checks[0] + data + checks[1]


def event(step, tag, value):
    """Return an event with one scalar."""
    inner = b"\x0a" + bytes([len(tag)]) + tag.encode() + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(inner)]) + inner
    return framed(b"\x10" + bytes([step]) + b"\x2a" + bytes([len(summary)]) + summary)


def same(series, steps, values):
    np.testing.assert_array_equal(series.steps, steps)
    np.testing.assert_array_equal(series.values, values)


def rows(*pairs, head="step,loss"):
    return "\n".join([head, *(",".join(map(str, pair)) for pair in pairs)])


@each(
    "name, field",
    [
        *((name, "loss") for name in ("loss", "train_loss", "train/loss", "Training Loss")),
        *((name, "loss") for name in ("loss/train", "tr_loss", "TrainLoss", "run-7 - train/loss")),
        *((name, "batch_loss") for name in ("batch_loss", "mb_loss", "train_loss_step")),
        *((name, "validation_loss") for name in ("val_loss", "eval_loss", "eval/loss")),
        *((name, "validation_loss") for name in ("test_loss", "validation_loss", "valLoss")),
        *((name, "learning_rate") for name in ("lr", "learning_rate", "lr-Adam", "lr-SGD/pg1")),
        *((name, "gradient_norm") for name in ("grad_norm", "gradient norm", "grad/global_norm")),
        *((name, "step") for name in ("step", "global_step", "_step", "iteration", "iter")),
        ("trainer/global_step", "step"),
        ("Epoch", "epoch"),
        ("acc", "accuracy"),
        ("sparse_categorical_accuracy", "accuracy"),
        ("loss_full", "loss"),
        *((name, None) for name in ("box_loss", "train/loss__MIN", "loss__MAX", "colour", "")),
        *((name, None) for name in ("val_accuracy", "_runtime", "eval_runtime", "loss_scale")),
    ],
)
def test_names(name, field):
    assert getattr(classify(name), "field", None) == field


@each(
    "optimizer, family, momentum",
    [
        ("sgd", "gradient_descent", None),
        ("GradientDescentOptimizer", "gradient_descent", None),
        ("MomentumOptimizer", "momentum", None),
        ("SGD(lr=0.1, momentum=0.9, nesterov=True)", "nesterov", 0.9),
        ("torch.optim.AdamW", "adaptive", None),
        ("tf.keras.optimizers.legacy.RMSprop", "adaptive", None),
        ("PagedFusedAdam32", "adaptive", None),
        ("signSGD", "sign", None),
        ("something new", "other", None),
        ({"name": "momentum", "beta": 0.9}, "momentum", 0.9),
        ({"name": "SGD", "momentum": 0.0}, "gradient_descent", 0.0),
        ({"name": "Momentum", "hyper": {"momentum": 0.5, "use_nesterov": True}}, "nesterov", 0.5),
        (rules.HeavyBall(0.1, 0.8), "momentum", 0.8),
        (rules.Nesterov, "nesterov", None),
        (rules.Lion, "sign", None),
        (type("SGD", (), {"param_groups": [{"lr": 0.1, "momentum": 0.7}]})(), "momentum", 0.7),
    ],
)
def test_families(optimizer, family, momentum):
    rule = rule_of(optimizer)
    assert (rule.family, rule.momentum) == (family, momentum)


def test_every_rule_of_the_package_has_a_family():
    """A class of a new optimizer needs a line in families.py; wrappers are seen through."""
    found = {name: rule_of(kind).family for name, kind in rules.registered().items()}
    free = {name for name, family in found.items() if family == "other"}
    assert free == {
        *("Averaged", "EMA", "Lookahead", "ClippedByNorm", "ClippedByValue", "WeightDecay"),
        *("GradientNoise", "ExactLineSearch", "ChebyshevSteps", "ChebyshevSemiIteration"),
        *("SilverSteps", "ConjugateGradient", "QHM", "TripleMomentum", "BFGS", "LBFGS", "Newton"),
        *("DampedNewton", "NaturalGradient", "LevenbergMarquardt", "TruncatedNewton", "Langevin"),
        "SimulatedAnnealing",
    }
    clipped = rule_of(rules.ClippedByNorm(rules.HeavyBall(0.1, 0.8), 1.0))
    assert (clipped.family, clipped.momentum, clipped.learning_rate) == ("momentum", 0.8, 0.1)


def test_public_case():
    """Every field of an archive lands where it belongs; weights are cut as they were joined."""
    meta = {
        "n_train": 150,
        "layers": [4, 8, 3],
        "loss": "softmax cross-entropy",
        "optimizer": {"name": "sgd"},
        "lr": 30.0,
        "batch_size": 150,
    }
    evidence = read(CASE, meta=meta)
    with np.load(CASE) as arrays:
        same(evidence.loss, np.arange(201), arrays["loss_full"])
        same(evidence.batch_loss, np.arange(200), arrays["loss_batch"])
        same(evidence.gradient_cosine, np.arange(1, 200), arrays["grad_cos"][1:])
        same(evidence.curvature, np.arange(200), arrays["curv_along_grad"])
        theta, acts = arrays["snap_theta"].astype(float), arrays["act_layer1"].astype(float)
        pres = arrays["preact_layer1"].astype(float)
        inputs = arrays["input_sample"].astype(float)
    first, last = evidence.layers
    np.testing.assert_array_equal(first.weights, theta[:, :32].reshape(5, 4, 8))
    np.testing.assert_array_equal(first.biases, theta[:, 32:40])
    np.testing.assert_array_equal(last.weights, theta[:, 40:64].reshape(5, 8, 3))
    assert (first.hidden, last.hidden, last.activations) == (True, False, None)
    np.testing.assert_array_equal(first.activations, acts)
    # pre-activations are computed from the weights that were cut out: half precision
    made = inputs @ first.weights[0] + first.biases[0]
    np.testing.assert_allclose(made, pres[0], rtol=2e-3, atol=2e-3)
    assert (evidence.classes, evidence.rows, evidence.full_batch) == (3, 150, True)
    assert evidence.optimizer == "gradient_descent"
    assert evidence.gradient_checks.shape == (5, 12, 2)
    assert evidence.layer_gradient_norms.values.shape == (200, 4)
    assert read_npz(CASE).layers[1].weights.shape == (5, 8, 3)  # without a manifest
    assert read(CASE, lr=7).learning_rate.values.tolist() == [7]  # the caller knows better
    assert not evidence.averaged
    assert not evidence.transform


@each(
    "parameters, inputs, hidden, arrays, expected",
    [
        (4 * 6 + 6 + 6 * 3 + 3, 4, [6], None, ((4, 6, 3), True)),
        (7, 6, [], None, ((6, 1), True)),
        (6, 6, [], None, ((6, 1), False)),
        (42, 6, [], 1, ((6, 7), False)),  # 42 = 7 x 6 fits both; one array: no biases
        (42, 6, [], 2, ((6, 6), True)),
        (13 * 8 + 8 * 8 + 8 * 2, 13, [8, 8], 3, ((13, 8, 8, 2), False)),
        (50, 4, [6], None, None),
        (50, None, [6], None, None),
    ],
)
def test_sizes_follow_from_the_number_of_parameters(parameters, inputs, hidden, arrays, expected):
    assert infer_sizes(parameters, inputs, hidden, arrays) == expected


def test_vectors_imply_norms_cosines_and_curvature():
    """On a quadratic, differences of gradients give the curvature exactly."""
    rng = np.random.default_rng(1)
    matrix = np.diag([1.0, 4.0, 9.0])
    theta, velocity, path = rng.normal(size=3), np.zeros(3), []
    for _ in range(12):
        path.append(theta)
        velocity = 0.5 * velocity - 0.05 * matrix @ theta
        theta = theta + velocity
    path = np.array(path)
    gradients = path @ matrix
    evidence = read(None, gradients=gradients, iterates=path, lr=0.05, momentum=0.5)
    moved = np.diff(path, axis=0)
    expected = np.einsum("ti,ij,tj->t", moved, matrix, moved) / (moved**2).sum(axis=1)
    np.testing.assert_allclose(evidence.update_curvature.values, expected, rtol=1e-10)
    np.testing.assert_allclose(evidence.predicted_decrease.values, -(gradients[:-1] * moved).sum(1))
    np.testing.assert_allclose(evidence.update_norm.values, np.linalg.norm(moved, axis=1))
    cosine = (
        gradients[1] @ gradients[2] / np.linalg.norm(gradients[1]) / np.linalg.norm(gradients[2])
    )
    assert evidence.gradient_cosine.at(np.array([2.0]))[0] == pytest.approx(cosine)
    assert evidence.curvature is None  # momentum does not move along the gradient
    assert evidence.optimizer == "momentum"

    plain = [np.array([1.0, 1.0, 1.0])]
    for _ in range(5):
        plain.append(plain[-1] - 0.05 * matrix @ plain[-1])
    known = {"lr": 0.05, "optimizer": "sgd"}
    from_path = read(None, iterates=np.array(plain), **known)
    from_gradients = read(None, gradients=np.array(plain) @ matrix, **known)
    slope = matrix @ plain[2]
    rayleigh = slope @ matrix @ slope / (slope @ slope)
    for found in (from_path, from_gradients):  # either follows from the other
        assert found.curvature.at(np.array([2.0]))[0] == pytest.approx(rayleigh)
    batches = read(None, gradients=gradients, iterates=path, batch_size=4, rows=100)
    assert batches.update_curvature is None
    sparse = read(None, gradients=gradients, steps=np.arange(0, 120, 10))
    assert sparse.gradient_cosine is None
    assert sparse.gradient_norm.stride == 10


def test_layers_in_every_order():
    first, last = np.arange(20.0).reshape(5, 4), np.arange(8.0).reshape(4, 2)
    state = {"a.weight": first.T, "a.bias": np.ones(4), "b.weight": last.T, "b.bias": np.ones(2)}
    state |= {"n.weight": np.ones(4), "n.running_mean": np.ones(4)}
    torch_list = [first.T, np.ones(4), last.T, np.ones(2)]
    keras_list = [first, np.ones(4), last, np.ones(2)]
    model = SimpleNamespace(get_weights=lambda: keras_list)
    for weights in (state, torch_list, keras_list, model, {"w1": first, "w2": last}):
        layers = read(None, weights=weights).layers
        np.testing.assert_array_equal(layers[0].weights, first[None])
        np.testing.assert_array_equal(layers[1].weights, last[None])
        assert [layer.hidden for layer in layers] == [True, False]
    flat = np.concatenate([first.ravel(), np.ones(4), last.ravel(), np.ones(2)])
    layers = read(None, snapshot_theta=flat[None], layers=[5, 4, 2]).layers
    np.testing.assert_array_equal(layers[1].weights, last[None])
    acts = read({"activation_1": np.ones((7, 4)), "preactivations_1": np.ones((7, 4))}).layers
    assert acts[0].activations.shape == (1, 7, 4)
    with pytest.raises(InputError, match="need 28 parameters"):
        read(None, snapshot_theta=flat[None, :-1], layers=[5, 4, 2])


LINES = rows((0, 3), (1, 2), (2, 1))
RESTARTED = rows((0, 3), (1, 2), (2, 1), (0, 6), (1, 5), (2, 4))
RUNS = rows(("a", 0, 3), ("a", 1, 2), ("b", 0, 6), ("b", 1, 5), head="run,step,loss")
PANEL = "Step,fast - train/loss,fast - train/loss__MIN,slow - train/loss\n0,1,1,2\n1,.5,.5,1.9\n"
PROGRESS = (
    "Epoch 1/3\n32/32 [==] - 1s 3ms/step - loss: 0.9000 - val_loss: 1.0\nEpoch 2/3\n"
    " 1/32 [>.] - loss: 0.2\r 9/32 [=.] - loss: 0.3\r32/32 [==] - loss: 0.5 - val_loss: 0.8\n"
    "Epoch 3/3\n32/32 [==] - 1s 3ms/step - loss: nan - val_loss: nan\n"
)
PRINTED = "".join(
    f"12:00:0{k} INFO Epoch [{1 + k // 2}/2], Step [{100 + 100 * (k % 2)}/200], Loss: {loss}\n"
    for k, loss in enumerate([2.1, 1.1, 0.9, 0.8])
)
PHASES = "epoch,phase,loss\n0,train,1\n0,val,2\n1,train,.5\n1,val,1.5\n"
TAGS = "step,tag,value\n0,train/loss,1\n0,lr,.1\n1,train/loss,.5\n1,lr,.1\n"


@each(
    "name, content, known, steps, values, note",
    [
        ("a.csv", LINES, {}, [0, 1, 2], [3, 2, 1], ""),
        ("a.csv", LINES.replace(",", ";").replace("3", "3,5"), {}, [0, 1, 2], [3.5, 2, 1], ""),
        ("a.tsv", "\ufeff" + LINES.replace(",", "\t"), {}, [0, 1, 2], [3, 2, 1], ""),
        ("a.csv.gz", gzip.compress(LINES.encode()), {}, [0, 1, 2], [3, 2, 1], ""),
        ("a.csv", "# made by me\n" + LINES + "\n2", {}, [0, 1, 2], [3, 2, 1], ""),
        ("a.log", "# step loss\n0 3\n10 2\n", {}, [0, 10], [3, 2], "every 10 steps"),
        ("a.txt", "3\n2\n1\n", {}, [0, 1, 2], [3, 2, 1], ""),
        ("a.txt", "1600000000000 3 0\n1600000000100 2 1\n", {}, [0, 1], [3, 2], ""),
        ("curve", LINES, {}, [0, 1, 2], [3, 2, 1], ""),
        ("a.csv", "Wall time,Step,Value\n1.6e9,0,3\n1.7e9,1,2\n", {}, [0, 1], [3, 2], ""),
        (
            "a.csv",
            'step,loss\n0,"1,234.5"\n1,"tensor(0.3, device=\'cuda:0\')"\n2,nan\n3,-inf\n4,1\n',
            {},
            [0, 1, 2, 3, 4],
            [1234.5, 0.3, NAN, -math.inf, 1],
            "not finite in 2 of 5",
        ),
        ("a.csv", "foo,bar\n3,1\n2,2\n", {"loss": [5, 4]}, [0, 1], [5, 4], "no column"),
        ("a.csv", "loss,my loss\n1,3\n1,2\n", {"columns": {"loss": "my loss"}}, [0, 1], [3, 2], ""),
        (
            "a.csv",
            rows((0, 3, ""), (1, "", 7), (2, 2, 8), head="x,loss,val_loss"),
            {},
            [0, 1],
            [3, 2],
            "'x'",
        ),
        (
            "a.csv",
            rows((0, 3, 0), (1, 2, 0), (1, 1, 1), head="epoch,loss,step"),
            {"steps_per_epoch": 9},
            [0, 1],
            [2, 1],
            "",
        ),
        ("a.csv", rows((0, 3), (1, "oops"), (2, 1)), {}, [0, 2], [3, 1], "'oops'"),
        ("a.csv", rows((0, 3), (2, 1), (1, 2)), {}, [0, 1, 2], [3, 2, 1], "goes back"),
        (
            "a.csv",
            rows((0, 3), (1, 2), (2, 1), (1, 5), (2, 4)),
            {},
            [0, 1, 2],
            [3, 5, 4],
            "resumed",
        ),
        ("a.csv", RESTARTED, {"run": 1}, [0, 1, 2], [6, 5, 4], "run 4-6"),
        ("a.csv", RUNS, {"run": "b"}, [0, 1], [6, 5], "run b"),
        ("a.csv", PANEL, {"run": "slow"}, [0, 1], [2, 1.9], "run slow"),
        ("a.csv", "foo,bar\n3,1\n2,2\n", {"columns": {"loss": "bar"}}, [0, 1], [1, 2], "'foo'"),
        (
            "a.csv",
            rows((0, 0, 3), (0, 1, 2), (1, 0, 1), (1, 1, 0.5), head="epoch,batch_idx,loss"),
            {},
            [0, 1, 2, 3],
            [3, 2, 1, 0.5],
            "2 an epoch",
        ),
        (
            "a.csv",
            rows((0, 3), (0, 2), (1, 1), (1, 0.5), head="epoch,loss"),
            {},
            [0, 1, 2, 3],
            [3, 2, 1, 0.5],
            "rows are counted",
        ),
        ("a.csv", rows((1, 100), (2, 10), head="step,ppl"), {}, [1, 2], np.log([100, 10]), "perp"),
        ("a.csv", rows((1, 1), (2, -1), head="step,log10_loss"), {}, [1, 2], [10, 0.1], "undone"),
        ("a.csv", rows((1, 1), (2, 0.5), head="step,log_loss"), {}, [1, 2], [1, 0.5], "never neg"),
        ("a.csv", rows((1, -1), (2, -5)), {}, [1, 2], [-1, -5], "negative throughout"),
        ("a.csv", rows((1, 0), (2, 1)), {"transform": "log"}, [1, 2], np.power(np.e, [0, 1]), ""),
        (
            "a.csv",
            rows((1, 3, 9), (2, 2, 8), head="step,loss,x"),
            {"loss": [5, 4]},
            [0, 1],
            [5, 4],
            "",
        ),
        (
            "a.csv",
            rows((0, 3, 1), (1, 2, 2), head="step,my_loss,x"),
            {},
            [0, 1],
            [3, 2],
            "taken for",
        ),
        ("a.jsonl", '{"loss": 3}\n{"loss": NaN}\n{"los', {}, [0, 1], [3, NAN], "no JSON"),
        ("a.json", '{"step": {"0": 5, "1": 6}, "loss": {"0": 3, "1": 2}}', {}, [5, 6], [3, 2], ""),
        ("a.json", '{"data": [{"loss": 3}, {"loss": 2}]}', {}, [0, 1], [3, 2], ""),
        ("a.json", "[[1.5, 0, 3.0], [2.5, 1, 2.0]]", {}, [0, 1], [3, 2], ""),
        ("trainer_state.json", json.dumps(TRAINER), {}, [5, 10, 15], [8.06, 8.66, 7.1], "every 5"),
        ("x.tfevents.1", base64.b64decode(OLD_STYLE), {}, [0, 10, 20], [2, 1.5, 0.25], "every 10"),
        ("x.tfevents.1", base64.b64decode(NEW_STYLE), {}, [0, 10, 20], [2, 1.5, 0.25], "every 10"),
        ("renamed", base64.b64decode(OLD_STYLE)[:-40], {}, [0, 10, 20], [2, 1.5, 0.25], "cut off"),
        ("a.log", PROGRESS, {}, [1, 2, 3], [0.9, 0.5, NAN], "one loss an epoch"),
        ("a.log", "go\nstep=10 loss=3 lr=1e-3\nstep=20 loss=2\n", {}, [10, 20], [3, 2], "every 10"),
        ("a.log", PRINTED, {}, [100, 200, 300, 400], [2.1, 1.1, 0.9, 0.8], "200 an epoch"),
        (
            "train.out",
            "{'loss': '3', 'learning_rate': 1e-3, 'epoch': 0.5}\n{'loss': 2, 'epoch': 1.0}\n",
            {},
            [0.5, 1],
            [3, 2],
            "counted in epochs",
        ),
        ("a.csv", PHASES, {}, [0, 1], [1, 0.5], "epoch"),
        ("a.csv", TAGS, {}, [0, 1], [1, 0.5], ""),
        ("metrics.csv", LIGHTNING, {}, [3, 7], [7.79, 8.75], "every 4 steps"),
    ],
)
def test_files(tmp_path_factory, name, content, known, steps, values, note):
    evidence = read(write(tmp_path_factory.mktemp("log"), name, content), **known)
    same(evidence.loss, steps, values)
    assert any(note in sentence for sentence in evidence.notes) or not note, evidence.notes
    assert evidence.matched["loss"]


def test_what_else_logs_say(tmp_path):
    lightning = read(write(tmp_path, "metrics.csv", LIGHTNING))
    same(lightning.batch_loss, [1, 3, 5, 7], [9.08, 6.5, 9.31, 8.19])
    same(lightning.validation_loss, [3, 7], [6.16, 5.05])
    same(lightning.learning_rate, [1, 3, 5, 7], [0.01] * 4)
    same(lightning.gradient_norm, [1, 3, 5, 7], [6.95, 5.78, 9.09, 7.48])
    assert lightning.layer_gradient_norms.values.shape == (4, 2)
    assert lightning.averaged == "epoch means"
    trainer = read(TRAINER)
    same(trainer.validation_loss, [5, 10], [8.07, 7.2])
    assert trainer.averaged == "means between records"
    events = read(write(tmp_path, "events.out.tfevents.1", base64.b64decode(OLD_STYLE)))
    same(events.validation_loss, [20], [3.5])
    table = "step,loss,acc,optimizer,batch_size\n0,3,10,Adam,32\n1,2,55.5,Adam,32\n"
    settings = read(write(tmp_path, "settings.csv", table))
    assert (settings.optimizer, settings.batch_size) == ("adaptive", 32)
    np.testing.assert_allclose(settings.accuracy.values, [0.1, 0.555])
    assert read(write(tmp_path, "v.csv", rows((0, 3), (1, 2), head="step,val_loss"))).loss is None


def test_objects():
    epochs = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.5, 2.5, 2.0], "accuracy": [0.1, 0.2, 0.3]}
    history = SimpleNamespace(history=epochs, epoch=[0, 1, 2], params={"steps": 7})
    keras = read(history)
    same(keras.loss, [0, 7, 14], [3, 2, 1])
    assert keras.averaged == read(epochs).averaged == "epoch means"
    assert not read({"train_loss": np.ones(3), "val_loss": np.ones(3)}).averaged

    # a training row and a row of the learning rate every step, a validation row every fifth
    turns = [(k, kind) for k in range(30) for kind in ("train", "lr", "val")[: 2 + (k % 5 == 4)]]
    kinds = np.array([kind for _, kind in turns])
    step = np.array([k for k, _ in turns])
    whole = Frame(
        step=step,
        train_loss=np.where(kinds == "train", 9.0 - step / 9, NAN),
        lr=np.where(kinds == "lr", 0.1, NAN),
        val_loss=np.where(kinds == "val", 9.5, NAN),
    )
    frame = read(whole)
    same(frame.loss, range(30), 9.0 - np.arange(30) / 9)
    same(frame.validation_loss, range(4, 30, 5), [9.5] * 6)
    same(frame.learning_rate, range(30), [0.1] * 30)
    dense = read(Frame(step=range(6), loss=[3, 2, NAN, 1, NAN, NAN], lr=[0.1] * 6))
    same(dense.loss, range(6), [3, 2, NAN, 1, NAN, NAN])  # no turns: a symptom
    records = read([{"loss": 3, "lr": 0.1}, {"loss": 2, "lr": 0.1}])
    same(records.learning_rate, [0, 1], [0.1, 0.1])
    words = Frame(Step=["0", "1"], loss=["3", "tensor(2.)"], optimizer=["adam", "adam"])
    same(read(words).loss, [0, 1], [3, 2])
    assert read(words).optimizer == "adaptive"

    class Curve(list):  # as a pandas Series: its index counts steps
        index = np.array([0, 5])

    same(read(Curve([3.0, 2.0])).loss, [0, 5], [3, 2])
    tensor = SimpleNamespace(detach=lambda: SimpleNamespace(cpu=lambda: np.float64(3.0)), item=None)
    same(read({"loss": [tensor, tensor]}).loss, [0, 1], [3, 3])
    structured = np.array([(0, 3.0), (5, 2.0)], dtype=[("step", int), ("loss", float)])
    same(read(structured).loss, [0, 5], [3, 2])
    same(read(np.array([[0, 3.0], [5, 2.0], [10, 1.0]])).loss, [0, 5, 10], [3, 2, 1])
    same(read(np.array([[3.0, 2, 1], [6, 5, 4]]), run=1).loss, [0, 1, 2], [6, 5, 4])
    again = read(records, batch_size=8, lr=0.5)
    assert (again.batch_size, again.learning_rate.values.tolist()) == (8, [0.5])
    assert again.loss is records.loss
    run = ca.simulate(ca.Quadratic.diagonal([1.0, 4.0]), rules.GradientDescent(0.1), [1.0, 1.0], 3)
    simulated = read(run)
    same(simulated.loss, range(4), run.loss)
    expected = [(1 + 64) / (1 + 16), (0.9**2 + 64 * 0.6**2) / (0.9**2 + 16 * 0.6**2)]
    np.testing.assert_allclose(simulated.curvature.values, expected)
    schedule = read([3, 2, 1], lr=lambda t: 1 / t)
    np.testing.assert_allclose(schedule.learning_rate.values, [1, 0.5])


def test_noise_of_mini_batches_moves_the_loss():
    """A noisy column of a run with mini-batches is theirs; arguments are believed."""
    loss = np.exp(-np.arange(200) / 50) + 0.1 * np.random.default_rng(0).normal(size=200)
    known = {"batch_size": 8, "rows": 100}
    assert from_arrays({"loss": loss}, **known).batch_loss is not None
    assert from_arrays({"loss_full": loss}, **known).batch_loss is None
    assert from_arrays(None, loss=loss, **known).batch_loss is None
    assert from_arrays({"loss": np.exp(-np.arange(200) / 50)}, **known).batch_loss is None


def test_averages_are_found_and_nothing_else():
    """Of forty curves of each kind: raw ones never, averages nearly always."""
    rng = np.random.default_rng(3)
    found = dict.fromkeys(("raw", "wander", "exponential", "moving", "cumulative"), 0)
    weights = 0.9 ** np.arange(100)
    for _ in range(20):
        noise = 0.2 * rng.normal(size=1200)
        raw = 1 + np.exp(-np.arange(1200) / 150) + noise
        curves = {
            "raw": raw,
            "wander": 2 + np.cumsum(noise) / 100,  # the loss on all rows under noisy steps
            "exponential": np.convolve(raw, weights / weights.sum(), "valid"),
            "moving": np.convolve(raw, np.ones(10) / 10, "valid"),
            "cumulative": np.cumsum(raw) / np.arange(1, 1201),
        }
        for kind, values in curves.items():
            said, why = smoothing(Series(values), single_batches=kind == "exponential")
            found[kind] += bool(said)
            if kind == "moving":
                assert "of 10 values" in why
    assert found["raw"] == found["wander"] == 0
    assert min(found["exponential"], found["moving"], found["cumulative"]) >= 14
    epochs = np.arange(600) // 100
    progress = [
        np.cumsum(2 + 0.3 * rng.normal(size=100)) / np.arange(1, 101) - 0.1 * k for k in range(6)
    ]
    bar = [
        {"epoch": e, "step": k, "loss": v}
        for k, (e, v) in enumerate(zip(epochs, np.ravel(progress), strict=True))
    ]
    assert read(bar).averaged == "smoothed"
    held = read({"loss": np.repeat([0.91, 0.72, 0.53, 0.44], 5)})
    same(held.loss, [0, 5, 10, 15], [0.91, 0.72, 0.53, 0.44])
    assert held.averaged == "epoch means"
    assert any("2 decimals" in note for note in held.notes)


def big(path):
    with path.open("wb") as stream:
        stream.truncate(1 << 30)


def pickled(path):
    np.savez(path, loss=np.array([{"a": 1}], dtype=object))


def swollen(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        head = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (9"
        archive.writestr("loss.npy", head + b"9" * 30)


@each(
    "name, content, sentence",
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "\n \n", "is empty"),
        ("a.csv", "step,loss\n", "a header and no rows"),
        ("a.csv", "step,loss\n0,\n1,x\n", "'loss' holds no numbers"),
        ("a.csv", b"\0\1\2\xff" * 99, "not a text file"),
        ("a.csv", '"step","loss\n0,1\n', "quotation mark"),
        ("a.csv", "loss\n3\n", "holds one loss value"),
        ("a.csv", "foo,bar\n1,2\n2,3\n", 'say which one it is: columns={"loss": "foo"}'),
        ("a.csv", "1,2,3\n4,5,6\n", "no header"),
        ("a.csv", "train_loss,train/loss\n1,2\n2,3\n", "could each be the loss"),
        ("a.csv", RESTARTED, "2 runs (step starts again: rows 1-3, 4-6)"),
        ("a.csv", RUNS, "2 runs (run a, b)"),
        ("a.csv", PANEL, "2 runs (fast, slow)"),
        ("a.csv", big, "larger than 256 MB"),
        ("a.bin", b"\0\1\2\xff" * 99, "no kind of log"),
        ("a.npz", b"PK\3\4garbage" * 9, "cannot be read as NumPy arrays"),
        ("a.npz", pickled, "never loaded"),
        ("a.npz", swollen, "not an array"),
        ("a.npy", b"\x93NUMPYgarb", "not an array"),
        ("a.json", '{"loss": [1, 2', "not JSON"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", '{"a": 1}', "holds no log"),
        ("a.jsonl", "x\ny\n", "2 other lines"),
        ("events.out.tfevents.1", b"garbage" * 9, "no TensorBoard event file"),
        ("events.out.tfevents.1", base64.b64decode(OLD_STYLE)[:40], "no scalars"),
    ],
)
def test_bad_files(tmp_path_factory, name, content, sentence):
    path = tmp_path_factory.mktemp("bad") / name
    if callable(content):
        content(path)
    else:
        write(path.parent, name, content)
    with pytest.raises(InputError) as error:
        read(path)
    assert sentence in str(error.value)


@each(
    "source, known, sentence",
    [
        (None, {}, "nothing to diagnose"),
        ([], {}, "holds no values"),
        ([3, 2], {"learningrate": 1}, "did you mean 'learning_rate'"),
        ([3, 2], {"columns": {"loss": "b"}}, "there is no 'b'"),
        ([3, 2], {"transform": "sqrt"}, "transform must be one of"),
        ([3, 2], {"optimizer": {"beta": 0.9}}, "needs the entry 'name'"),
        ([3, 2], {"batch_size": "many"}, "not a number"),
        ([3, 2], {"gradient_checks": np.ones((3, 4))}, "central difference"),
        ([3, 2], {"weights": [np.ones((2, 2, 2, 2, 2))]}, "have shape"),
        (["a", "b"], {}, "'a', which is not a number"),
        ([[1, 2, 3], [1, 2]], {}, "different lengths"),
        (np.ones((3, 4)), {}, "run=0"),
        (object(), {}, "cannot be read from object"),
        ("/nowhere/run.csv", {}, "there is no file"),
        ({"a_train_loss": [1, 2], "b_train_loss": [1, 2]}, {}, "2 runs: a, b"),
        ({"a_train_loss": [1, 2], "b_train_loss": [1, 2]}, {"run": "c"}, "no run 'c'"),
        ({"colour": [1, 2]}, {}, "nothing in dict is known to be"),
        ([3 + 1j, 2], {}, "complex"),
    ],
)
def test_bad_arguments(source, known, sentence):
    with pytest.raises(InputError, match=sentence):
        read(source, **known)


@each(
    "cell, value",
    [
        ("1,234.5", 1234.5),
        ("45.2%", 0.452),
        ("Infinity", math.inf),
        ("-1.#INF", -math.inf),
        ("−3", -3.0),
        ("array([0.5], dtype=float32)", 0.5),
        ("1_000", None),
        ("12,34", None),
        ("x%", None),
        ("n/a", None),
        (True, None),
        (None, None),
        (10**400, math.inf),
        ([2.5], 2.5),
        (SimpleNamespace(item=lambda: 1.5), 1.5),
        (SimpleNamespace(item=lambda: float("x")), None),
        (object(), None),
    ],
)
def test_cells(cell, value):
    assert number(cell) == value


def test_archives_of_several_runs(tmp_path):
    """Arrays named run_quantity; mini-batches dense at first, then every third; epochs of ten."""
    first, every = np.arange(6.0), 3.0 * np.arange(10)
    arrays = {f"r{k}_train_loss": np.arange(4.0) + k for k in (1, 2)}
    arrays |= {"r1_mb_first6": first, "r1_mb_every": every, "r1_test_loss": np.ones(4)}
    np.savez(tmp_path / "curves.npz", **arrays)
    config = {"optimizer": "MomentumOptimizer", "lr": 0.1, "batch_size": 8, "epochs": 3}
    config["hyper"] = {"momentum": 0.9}
    meta = {"mb_stride": 3, "mb_total": 30, "config": config}
    evidence = read(tmp_path / "curves.npz", run="r1", meta=meta)
    same(evidence.loss, [0, 10, 20, 30], [1, 2, 3, 4])
    same(
        evidence.batch_loss,
        [0, 1, 2, 3, 4, 5, *range(6, 30, 3)],
        [0, 1, 2, 3, 4, 5, *range(6, 30, 3)],
    )
    assert (evidence.optimizer, evidence.momentum, evidence.batch_size) == ("momentum", 0.9, 8)
    assert any("steps_per_epoch" in note for note in read(tmp_path / "curves.npz", run="r1").notes)
    same(read({"r2_train_loss": [3, 2]}).loss, [0, 1], [3, 2])
    logs = {"log10_loss": np.array([1.0, -1.0]), "val_loss": [3, 2], "other": [1, 2]}
    named = read(logs, columns={"validation_loss": "other"})
    same(named.loss, [0, 1], [10, 0.1])
    same(named.validation_loss, [0, 1], [1, 2])


def test_corners(tmp_path, monkeypatch):
    """Encodings, damage in the middle, nested records, settings beside arrays, bounds."""
    latin = write(tmp_path, "latin.csv", "schritt é,step,loss\n1,0,3\n1,1,2\n".encode("latin-1"))
    wide = write(tmp_path, "wide.csv", LINES.encode("utf-16"))
    for path, values in ((latin, [3, 2]), (wide, [3, 2, 1])):
        same(read(path).loss, range(len(values)), values)
    damaged = bytearray(base64.b64decode(OLD_STYLE))
    damaged[110] ^= 1  # within the second scalar
    same(read(write(tmp_path, "a.tfevents", bytes(damaged)), gradient_norm=[1]).loss, [0], [2])
    wrong = framed(b"\x2a\xff\x01")  # a summary longer than its event, in a record that is whole
    with pytest.raises(InputError, match="damaged after 1 scalars"):
        read(write(tmp_path, "b.tfevents", event(0, "loss", 3.0) + wrong))
    lines = ({"train": {"loss": 3}, "step": 0}, {"train": {"loss": 2}}, {"loss": None})
    lines = (*lines, {"train": {"loss": 1}, "step": 2})
    nested = write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines)))
    same(read(nested).loss, [0, 2], [3, 1])  # the second row says no step
    surplus = write(tmp_path, "b.csv", "step,loss\n0,3,9\nstep,loss\n1,2\n")
    assert len(read(surplus).notes) == 2
    for known in ({"run": "c"}, {"run": 5}):
        with pytest.raises(InputError, match="there is no run"):
            read(write(tmp_path, "c.csv", RUNS), **known)
    with pytest.raises(InputError, match="not a file"):
        read(os.devnull)
    with pytest.raises(InputError, match="holds no rows"):
        read(Frame())
    monkeypatch.setattr(table, "LARGEST", 5)
    for source in (wide, [{"loss": k} for k in range(7)]):
        with pytest.raises(InputError, match="more than 5 numbers"):
            read(source)


def test_arguments_beside_each_other():
    steps = np.arange(0, 40, 10)
    spaced = read(None, loss=[4, 3, 2, 1], gradient_norm=[3, 2, 1], steps=steps)
    same(spaced.gradient_norm, [0, 10, 20], [3, 2, 1])
    uneven = read(None, loss=[4, 3, 2], gradient_norm=[3, 2], steps=[0, 1, 5])
    assert any("counted 0, 1, 2" in note for note in uneven.notes)
    cosines = read(None, gradient_norm=[3, 2, 1], gradient_cosine=[0.5, 0.4])
    same(cosines.gradient_cosine, [1, 2], [0.5, 0.4])
    assert read([3, 2], optimizer="sgd", momentum=0.9, nesterov=True).optimizer == "nesterov"
    assert read([3, 2], momentum=0.9).momentum == 0.9
    checks = read(None, gradient_checks=[[1, 1.0], [2, 2.5]])
    assert checks.gradient_checks.shape == (1, 2, 2)
    sizes = read({"snap_theta": np.ones((2, 17)), "loss": [2, 1]})
    assert any("say the widths" in note for note in sizes.notes)
    odd = read(None, weights=[np.ones((5, 4)), np.ones((4, 2))], biases=[np.ones(4), np.ones(3)])
    assert odd.layers[1].biases is None
    for values, said in (("{:.4f}", "4 decimals"), ("{:.3e}", "4 significant digits")):
        falling = 0.3 if said.endswith("ls") else 3e-7
        digits = read([values.format(falling * 0.999**k) for k in range(30)])
        assert any(said in note for note in digits.notes)


def test_folders(tmp_path):
    """One log is found in a folder; several are listed; the last checkpoint knows all."""
    with pytest.raises(InputError, match="no log in"):
        read(tmp_path)
    (tmp_path / "version_0").mkdir()
    write(tmp_path / "version_0", "metrics.csv", LIGHTNING)
    assert read(tmp_path).source == "metrics.csv"
    (tmp_path / "version_1").mkdir()
    write(tmp_path / "version_1", "metrics.csv", LIGHTNING)
    with pytest.raises(InputError, match="2 logs"):
        read(tmp_path)
    for step in (5, 10, 15):
        folder = tmp_path / "hf" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        state = {"log_history": [r for r in TRAINER["log_history"] if r["step"] <= step]}
        write(folder, "trainer_state.json", json.dumps(state))
    assert len(read(tmp_path / "hf").loss) == 3
    for name, losses in (("train", [3.0, 2.0, 1.0]), ("validation", [4.0, 3.0, 3.5])):
        folder = tmp_path / "keras" / name
        folder.mkdir(parents=True)
        events = b"".join(event(k, "epoch_loss", loss) for k, loss in enumerate(losses))
        write(folder, "events.out.tfevents.1.v2", events)
    both = read(tmp_path / "keras")
    same(both.loss, [0, 1, 2], [3, 2, 1])
    same(both.validation_loss, [0, 1, 2], [4, 3, 3.5])
    assert both.averaged == "epoch means"


def test_a_resumed_run_in_arrays_is_that_of_a_file():
    steps, curve = [*range(100), *range(80, 200)], 0.98 ** np.arange(200)
    evidence = read({"step": steps, "loss": [9.0 * (i < 100 and k > 79) + curve[k]
                                             for i, k in enumerate(steps)]})  # fmt: skip
    assert np.array_equal(evidence.loss.values, curve)
    assert evidence.notes[:2] == (
        "step goes back once in loss: resumed, the later value counts",
        "20 values of loss share their step with a later one, which counts",
    )
    with pytest.raises(InputError, match="a step is not a finite number"):
        read({"step": [0.0, np.nan], "loss": [1.0, 2.0]})


def test_overfitting_is_named_and_nothing_else_is():
    n = np.arange(1.0, 61.0)
    shaken = 1 + 0.2 * (-1) ** n
    for validation, lowest in (
        (2 / n + 0.02 * n, "lowest at step 9 "), (2 / n + 0.1, ""), (1 / n * shaken, ""),
        (2 / n + 0.02 * n * shaken, "lowest at step "), (np.full(60, np.nan), ""),
    ):  # fmt: skip
        notes = " ".join(read({"loss": 2 / n, "val_loss": validation}).notes)
        assert ("overfitting" in notes) == bool(lowest), notes
        assert lowest in notes
    assert "overfitting" not in " ".join(read({"loss": n, "val_loss": 2 / n + n}).notes)
    with pytest.raises(InputError, match=r"'acc'; say which is the loss: .*: \"acc\""):
        read({"step": n, "acc": n})
    with pytest.raises(InputError, match=r"\"step\""):
        read({"step": n})
