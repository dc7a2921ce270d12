"""The recorder against what NumPy says of whole runs, kept in full by the test."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from cases import each

from convex_analyzer.diagnosis.readers import read
from convex_analyzer.diagnosis.recorder import Recorder
from convex_analyzer.diagnosis.recording.points import second_difference
from convex_analyzer.diagnosis.recording.tables import Table
from convex_analyzer.diagnosis.recording.trees import Sampler
from convex_analyzer.errors import InputError


def run(recorder, steps=60, rate=0.3, dtype=np.float64, form=lambda theta: theta, d=5):
    """Momentum on a quadratic; returns A, the iterates, the gradients."""
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(d, d))
    A = (factor @ factor.T / d).astype(dtype)
    theta, velocity = rng.normal(size=d).astype(dtype), np.zeros(d, dtype)
    iterates, gradients = [], []
    for _ in range(steps):
        gradient = A @ theta
        iterates.append(theta.copy())
        gradients.append(gradient)
        recorder.step(0.5 * theta @ gradient, form(gradient), form(theta))
        velocity = dtype(0.8) * velocity - dtype(rate) * gradient
        theta += velocity  # in place: a recorder must not hold on to the user's array
    iterates.append(theta.copy())
    recorder.step(0.5 * theta @ A @ theta, parameters=form(theta))
    return A, np.array(iterates), np.array(gradients)


def cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (unit[1:] * unit[:-1]).sum(axis=1)


# -- numbers --------------------------------------------------------------------------------------


def parts(vector):
    return {"w": vector[:4].reshape(2, 2), "b": [vector[4:]]}


@pytest.mark.parametrize("form", [lambda theta: theta, parts], ids=["vector", "nested"])
def test_every_number_is_that_of_the_whole_run(form):
    recorder = Recorder(lr=0.3, optimizer="SGD", momentum=0.8, batch_size=10, rows=10)
    A, theta, g = run(recorder, form=form)
    evidence, delta = recorder.evidence(), np.diff(theta, axis=0)
    expected = {
        "loss": 0.5 * np.einsum("ti,ij,tj->t", theta, A, theta),
        "learning_rate": np.full(61, 0.3),
        "gradient_norm": np.linalg.norm(g, axis=1),
        "gradient_cosine": cosines(g),
        "update_norm": np.linalg.norm(delta, axis=1),
        "parameter_norm": np.linalg.norm(theta, axis=1),
        "predicted_decrease": -(g * delta).sum(axis=1),
        "update_curvature": np.einsum("ti,ij,tj->t", delta, A, delta)[:-1]
        / (delta[:-1] ** 2).sum(axis=1),
        "iterates": theta,
    }
    for name, values in expected.items():
        series = getattr(evidence, name)
        np.testing.assert_allclose(series.values, values, rtol=1e-9, atol=1e-14, err_msg=name)
        first = 1 if name == "gradient_cosine" else 0
        assert series.steps.tolist() == list(range(first, first + len(values))), name
    assert (evidence.optimizer, evidence.momentum, evidence.full_batch) == ("momentum", 0.8, True)
    if form is parts:
        norms = np.stack([np.linalg.norm(g[:, :4], axis=1), np.abs(g[:, 4])], axis=1)
        np.testing.assert_allclose(evidence.layer_gradient_norms.values, norms, rtol=1e-9)


def test_dicts_may_change_their_order():
    def loss(p):
        return 0.5 * (p["w"] @ p["w"] + 9 * p["b"] @ p["b"])

    theta = {"w": np.ones(3), "b": np.array([0.5, 0.25])}
    recorder = Recorder(loss_fn=loss, probe_every=2)
    for _ in range(3):  # JAX sorts the keys of what it returns
        gradient = {"b": 9 * theta["b"], "w": theta["w"]}
        probe = Recorder().probe(loss, theta, gradient=gradient)
        recorder.step(loss(theta), gradient, theta)
        theta = {name: theta[name] - 0.1 * gradient[name] for name in gradient}
    evidence = recorder.evidence()
    w, b = 0.9 ** np.arange(3) * math.sqrt(3), 0.1 ** np.arange(3) * math.hypot(0.5, 0.25)
    np.testing.assert_allclose(evidence.gradient_norm.values, np.hypot(w, 9 * b))
    np.testing.assert_allclose(evidence.layer_gradient_norms.values, np.stack([w, 9 * b], axis=1))
    np.testing.assert_allclose(evidence.predicted_decrease.values, 0.1 * (w**2 + 81 * b**2)[:2])
    expected = (w[2] ** 2 + 9 * (9 * b[2]) ** 2) / (w[2] ** 2 + (9 * b[2]) ** 2)
    assert probe.curvature == pytest.approx(expected, rel=1e-6)
    assert evidence.curvature.values == pytest.approx([expected], rel=1e-6)


def test_an_update_that_is_given_counts_at_once():
    recorder = Recorder()
    recorder.step(1.0, np.array([3.0, 4.0]), update=np.array([-0.3, 0.4]))
    evidence = recorder.evidence()
    assert evidence.update_norm.values == pytest.approx([0.5])
    assert evidence.predicted_decrease.values == pytest.approx([0.9 - 1.6])


def test_samples_estimate_and_say_so():
    rng = np.random.default_rng(0)
    recorder = Recorder(sample=4000)
    base = rng.normal(size=(300, 400))
    gradients = [base + rng.normal(size=base.shape) for _ in range(3)]
    for gradient in gradients:
        recorder.step(1.0, [gradient, gradient[0, :50]], [gradient, gradient[0, :50]])
    evidence = recorder.evidence()
    flat = np.array([np.append(g.ravel(), g[0, :50]) for g in gradients])
    size, tolerance = np.linalg.norm(flat, axis=1), 5 / math.sqrt(4000)
    np.testing.assert_allclose(evidence.gradient_norm.values, size, rtol=tolerance)
    np.testing.assert_allclose(evidence.gradient_cosine.values, cosines(flat), atol=tolerance)
    small = evidence.layer_gradient_norms.values[:, 1]  # a small array is taken whole
    np.testing.assert_allclose(small, [np.linalg.norm(g[0, :50]) for g in gradients])
    assert any("estimated from" in note for note in evidence.notes)
    assert Sampler(["w"], [base], 4000, 0).parts[0].stride % 2 == 1  # coprime to rows and columns


@pytest.mark.parametrize("size", [1e-30, 1e25])
def test_single_precision_neither_overflows_nor_vanishes(size):
    g = (np.array([3.0, 4.0, 0.0]) * size).astype(np.float32)
    recorder = Recorder()
    for gradient in (g, g[::-1], g):
        recorder.step(np.float32(1.0), gradient)
    evidence = recorder.evidence()
    np.testing.assert_allclose(evidence.gradient_norm.values, 5 * size, rtol=1e-6)
    np.testing.assert_allclose(evidence.gradient_cosine.values, 0.64, rtol=1e-6)


def test_divergence_is_recorded_not_raised():
    recorder = Recorder()
    for values in ([1.0, 2.0], [np.inf, 1.0], [np.nan, 1.0], [0.0, 0.0], [1.0, 0.0]):
        recorder.step(values[0], np.array(values), np.array(values))
    evidence = recorder.evidence()
    assert np.isinf(evidence.gradient_norm.values[1])
    assert np.isnan(evidence.gradient_norm.values[2])
    assert evidence.gradient_cosine.steps.tolist() == [1, 2]  # none with a vanishing gradient
    assert np.isnan(evidence.gradient_cosine.values).all()


# -- tensors --------------------------------------------------------------------------------------


class Tensor:
    """As much of a tensor as PyTorch's says of itself, refusing what it would refuse."""

    def __init__(self, values, *, requires_grad=False, is_leaf=True):
        self.held = np.asarray(values, dtype=np.float32)
        self.requires_grad, self.is_leaf, self.grad = requires_grad, is_leaf, None

    shape = property(lambda self: self.held.shape)
    dtype = "torch.float32"

    def detach(self):
        tensor = Tensor([0.0])
        tensor.held = self.held
        return tensor

    @property
    def data(self):
        return self.detach()

    def cpu(self):
        return self

    def numpy(self):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        return self.held

    def new_tensor(self, values):
        return Tensor(values)

    def copy_(self, other):
        self.held[...] = other.held

    def __add__(self, other):
        return Tensor(self.held + other.held)

    def __rmul__(self, number):
        return Tensor(np.float32(number) * self.held)


class Model:
    def __init__(self):
        rng = np.random.default_rng(2)
        self.weight = Tensor(rng.normal(size=(3, 2)), requires_grad=True)  # (units, fan_in)
        self.bias = Tensor(np.ones(3), requires_grad=True)
        self.frozen = Tensor([7.0])

    def named_parameters(self):
        yield "first.weight", self.weight
        yield "first.bias", self.bias
        yield "scale", self.frozen


def test_parameters_that_carry_gradients_and_a_loss_that_remembers():
    model, recorder = Model(), Recorder()
    for k in range(3):
        model.weight.grad = Tensor(np.full((3, 2), 2.0 + k))
        model.bias.grad = Tensor(np.zeros(3))
        loss = Tensor([1.5], requires_grad=True, is_leaf=False)
        recorder.step(loss, parameters=[model, model.named_parameters(), model][k])
        model.weight.held -= np.float32(0.25) * model.weight.grad.held
    evidence = recorder.evidence()
    assert evidence.loss.values.tolist() == [1.5] * 3
    np.testing.assert_allclose(evidence.gradient_norm.values, math.sqrt(6) * np.arange(2, 5))
    np.testing.assert_allclose(evidence.predicted_decrease.values, [6.0, 13.5], rtol=1e-5)
    assert evidence.layer_gradient_norms.values.shape == (3, 2)
    assert any("left out: scale" in note for note in evidence.notes)
    (layer,) = evidence.layers
    assert layer.name == "first"
    assert layer.weights.shape == (3, 2, 3)
    assert np.array_equal(layer.weights[0], Model().weight.held.T)


def test_a_loss_of_nothing_is_probed_in_place_and_put_back():
    model = Model()
    before = [tensor.held.copy() for _, tensor in model.named_parameters()]
    model.weight.grad, model.bias.grad = Tensor(np.ones((3, 2))), Tensor(np.zeros(3))

    def loss():
        return float(3 * (model.weight.held.astype(float) ** 2).sum())

    probe = Recorder().probe(loss, model)
    assert probe.curvature == pytest.approx(6.0, abs=10 * probe.curvature_error)
    assert probe.curvature_error < 0.05
    after = [tensor.held for _, tensor in model.named_parameters()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


class Remote:
    """A tensor on a device: NumPy cannot read it, and it counts its transfers."""

    transfers = 0
    dtype = "torch.float32"

    device = SimpleNamespace(type="cuda")

    def __init__(self, values):
        self.held = values

    shape = property(lambda self: self.held.shape)

    def detach(self):
        return self

    float = detach

    def new_empty(self, shape):
        return Remote(np.full(shape, np.nan, np.float32))

    def reshape(self, *shape):
        return Remote(self.held.reshape(*shape))

    def __getitem__(self, where):
        return Remote(self.held[where])

    def zero_(self):
        self.held[...] = 0

    def copy_(self, other):
        self.held[...] = other.held

    def cpu(self):
        Remote.transfers += 1
        return self.held


def test_arrays_on_a_device_come_in_one_transfer():
    rng = np.random.default_rng(3)
    here, there = Recorder(sample=50, snapshots=0), Recorder(sample=50, snapshots=0)
    for _ in range(3):
        arrays = [rng.normal(size=shape).astype(np.float32) for shape in ((20, 30), (30,))]
        here.step(1.0, [*arrays, None], [*arrays, arrays[1]])
        there.step(1.0, [*map(Remote, arrays), None], [Remote(a) for a in (*arrays, arrays[1])])
    same(here.evidence(), there.evidence())
    assert Remote.transfers == 6


# -- probes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_probes_of_a_quadratic_give_its_curvature(dtype):
    A = np.diag([1.0, 10.0, 100.0]).astype(dtype)
    theta, g, delta = (np.array(v, dtype) for v in ([1, 2, -1], [1, 1, 0], [0, 1, 1]))
    recorder = Recorder(optimizer="SGD")

    def loss(x):
        return dtype(0.5) * x @ A @ x

    for _ in range(2):
        probe = recorder.probe(loss, theta, delta, gradient=g)
        assert abs(probe.curvature - 5.5) < probe.curvature_error < 0.05
        assert abs(probe.update_curvature - 55) < probe.update_curvature_error < 0.5
    assert probe.passes == 5  # the steps are known by now: the point, and two for each direction
    exact = recorder.probe(None, theta, delta, gradient=g, hvp=lambda v: A @ v)
    assert (exact.curvature, exact.update_curvature) == pytest.approx((5.5, 55.0))
    assert exact.sharpness == pytest.approx(100.0, rel=1e-5)
    paired = recorder.probe(None, theta, gradient=g, hvp=lambda _, v: A @ v, sharpness=False)
    assert paired.curvature == pytest.approx(5.5)
    assert math.isnan(paired.sharpness)


def test_a_probe_says_why_it_measured_nothing():
    g = np.ones(2)
    rng = np.random.default_rng(0)
    coarse = [
        (lambda x: np.float16(1000 + x @ x), "rounding"),
        (lambda x: 1 + x @ x + rng.normal(), "differently each time"),
        (lambda _: math.nan, "not finite"),
        (lambda x: 5.0 + x[0], "rounding"),
    ]
    for loss, words in coarse:
        recorder = Recorder()
        probe = recorder.probe(loss, np.array([0.1, 0.2]), gradient=g)
        assert math.isnan(probe.curvature)
        assert words in probe.reasons[0]
        assert recorder.evidence().curvature is None
        assert words in recorder.evidence().notes[-1]
    flat = Recorder().probe(lambda x: x @ x, np.ones(2), gradient=np.zeros(2))
    assert "length is 0" in flat.reasons[0]


def test_second_differences_find_their_step_from_far_off():
    for first in (1e-12, 1e-6, 1.0, 1e6):
        with np.errstate(over="ignore"):
            bend = second_difference(lambda s: np.exp(3 * s), 1.0, 1e-16, first, 1e6)
        assert abs(bend.value - 9) < bend.error < 1e-5, first


def test_probes_and_full_losses_come_by_themselves():
    A = np.diag([1.0, 4.0])
    theta = np.array([1.0, 1.0])

    def loss(x):
        return 0.5 * x @ A @ x

    recorder = Recorder(
        lr=0.1, batch_size=1, rows=9, loss_fn=loss, probe_every=10, full_every=5, sample=1
    )
    for _ in range(30):
        gradient = A @ theta
        recorder.step(99.0, gradient, theta)
        theta = theta - 0.1 * gradient
    evidence = recorder.evidence()
    assert evidence.curvature.steps.tolist() == [10, 20]
    assert evidence.update_curvature.steps.tolist() == [10, 20]
    thetas = [np.array([0.9**k, 0.6**k]) for k in range(30)]
    for k, (along_g, along_u) in enumerate(
        zip(evidence.curvature.values, evidence.update_curvature.values, strict=True)
    ):
        g, u = A @ thetas[10 * k + 10], A @ thetas[10 * k + 9]
        assert along_g == pytest.approx(g @ A @ g / (g @ g), rel=1e-6)
        assert along_u == pytest.approx(u @ A @ u / (u @ u), rel=1e-6)
    assert evidence.loss.steps.tolist() == [0, 5, 10, 15, 20, 25]
    np.testing.assert_allclose(evidence.loss.values, [loss(thetas[k]) for k in range(0, 30, 5)])
    assert set(evidence.batch_loss.values) == {99.0}


def test_gradient_checks_tell_which_array_is_wrong():
    theta = {"w": np.array([[0.5, -1.0], [2.0, 1.0]]), "b": np.array([1.0, 3.0])}

    def loss(p):
        return float(np.sum(np.tanh(p["w"]) ** 2) + np.sum(p["b"] ** 2))

    t = np.tanh(theta["w"])
    right = {"w": 2 * t * (1 - t**2), "b": 2 * theta["b"]}
    recorder = Recorder()
    good = recorder.check_gradient(loss, theta, right)
    np.testing.assert_allclose(good[:, 0], good[:, 1], rtol=1e-7)
    bad = recorder.check_gradient(loss, theta, {**right, "b": theta["b"]}, directions=6)
    ratio = bad[:, 0] / bad[:, 1]
    np.testing.assert_allclose(ratio[3:], [1.0, 0.5, 1.0], rtol=1e-7)  # w, b, w in turn
    checks = recorder.evidence().gradient_checks
    assert checks.shape == (2, 12, 2)
    assert np.isnan(checks[1, 6:]).all()


# -- memory, files --------------------------------------------------------------------------------


def test_memory_stays_bounded_and_pairs_stay_together():
    recorder = Recorder(capacity=64, snapshots=4)
    sizes = []
    for k in range(3000):
        recorder.step(float(k), np.array([1.0, float(k % 2)]), np.array([float(k), 0.0]))
        if k % 100 == 0:
            sizes.append(recorder.nbytes)
    assert max(sizes) <= 1.01 * sizes[5]
    evidence = recorder.evidence()
    steps = evidence.loss.steps
    assert np.array_equal(evidence.loss.values, steps)
    assert len(steps) <= 64
    assert np.array_equal(steps[-32:], np.arange(2968, 3000))
    assert np.all(np.diff(steps[:-48])[::2] == 1)  # pairs
    np.testing.assert_allclose(evidence.gradient_cosine.values, 1 / math.sqrt(2))
    assert any("pairs of consecutive" in note for note in evidence.notes)


def test_tables_tell_missing_from_undefined():
    table = Table(("a", "b"), 8)
    table.add(0, {"a": math.nan})
    table.add(0, {"b": 1.0})
    table.add(1, {"b": 2.0})
    assert table.series("a")[0].tolist() == [0]
    assert table.series("b")[1].tolist() == [1.0, 2.0]


def full_run(recorder, steps, start=0):
    """Everything at once: a little network with one hidden layer."""
    rng = np.random.default_rng(5)
    X, w, v = rng.normal(size=(20, 3)), rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
    for k in range(start, start + steps):
        z = X @ w
        recorder.activations("hidden", np.maximum(z, 0), preactivation=z)
        recorder.step(1 / (k + 1), [w * (k + 1), v], [w, v], lr=0.1 / (k + 1))
    recorder.check_gradient(lambda p: np.sum(p[0] ** 2), [w, v], [2 * w, 0 * v])
    recorder.probe(lambda p: np.sum(p[0] ** 2), [w, v], gradient=[w, v])
    recorder.restart(0.25)
    return X, w


def same(one, other):
    for name in one.__dataclass_fields__:
        a, b = getattr(one, name), getattr(other, name)
        if hasattr(a, "steps"):
            np.testing.assert_array_equal(a.steps, b.steps, err_msg=name)
            np.testing.assert_array_equal(a.values, b.values, err_msg=name)
        elif name == "layers":
            for p, q in zip(a, b, strict=True):
                for part in ("weights", "biases", "activations", "preactivations"):
                    np.testing.assert_array_equal(getattr(p, part), getattr(q, part))
                assert (p.name, p.hidden) == (q.name, q.hidden)
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=name)
        else:
            assert a == b, name


def test_a_file_gives_back_everything_and_the_run_goes_on(tmp_path):
    path = tmp_path / "run.npz"
    recorder = Recorder(batch_size=5, rows=20, optimizer="Adam", classes=3, snapshots=6)
    X, w = full_run(recorder, 40)
    recorder.save(path)
    evidence = recorder.evidence()
    loaded = Recorder.load(path, snapshots=6)
    same(evidence, loaded.evidence())
    layer = evidence.layers[0]
    assert layer.name == "hidden"
    assert len(layer.activations) == len(evidence.snapshot_steps) <= 6
    np.testing.assert_allclose(layer.preactivations[0], X @ w, rtol=1e-6)
    np.testing.assert_allclose(layer.weights[-1], w, rtol=1e-6)
    assert not evidence.layers[1].hidden
    full_run(loaded, 5, start=40)
    assert len(loaded.evidence().batch_loss) == 45
    with np.load(path) as file:
        assert file["layers"].tolist() == [3, 4, 1]
        np.testing.assert_allclose(file["snap_theta"][0][:12], w.ravel(), rtol=1e-6)


def test_files_are_whole_or_as_before(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"

    def crash():
        with Recorder(path=path, autosave_every=2) as recorder:
            recorder.step(1.0)
            recorder.step(2.0)
            assert len(Recorder.load(path).evidence().loss) == 2
            recorder.step(3.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    assert len(Recorder.load(path).evidence().loss) == 3

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left"):
        Recorder().save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]
    assert len(Recorder.load(path).evidence().loss) == 3


def test_pairs_of_steps_or_a_share_of_the_time():
    recorder = Recorder(every=5)
    run(recorder, steps=19)
    evidence = recorder.evidence()
    assert evidence.gradient_cosine.steps.tolist() == [1, 6, 11, 16]
    assert evidence.update_norm.steps.tolist() == [0, 5, 10, 15]
    assert len(evidence.loss) == 20
    recorder = Recorder(share=0.001)
    run(recorder, steps=200)
    assert len(recorder.evidence().gradient_norm) < 100  # this loop does nothing else


# -- bad input ------------------------------------------------------------------------------------

_G = np.ones(3)
BAD = {
    "shape changes": (lambda r: [r.step(1, _G, _G), r.step(1, _G, np.ones(4))], "shape"),
    "number changes": (lambda r: [r.step(1, [_G, _G]), r.step(1, [_G])], "arrays"),
    "loss is a vector": (lambda r: r.step(np.ones(2)), "loss must be one number"),
    "loss is a word": (lambda r: r.step("low"), "loss must be one number"),
    "no arrays": (lambda r: r.step(1.0, []), "gradient holds no arrays"),
    "a word": (lambda r: r.step(1.0, "abc"), "gradient must be arrays"),
    "complex": (lambda r: r.step(1.0, _G * 1j), "complex"),
    "probe of other shape": (lambda r: r.probe(np.sum, _G, np.ones(2)), "shape"),
    "probe of nothing": (lambda r: r.probe(None, _G, gradient=_G, hvp=lambda v: v[:2]), "hvp"),
    "flat activations": (lambda r: r.activations("a", _G), "rows, units"),
    "no path": (lambda r: r.save(), "needs a path"),
    "loss_fn missing": (lambda _: Recorder(probe_every=3), "needs loss_fn"),
    "share": (lambda _: Recorder(share=2.0), "share"),
    "autosave": (lambda _: Recorder(autosave_every=2), "needs path"),
    "batch size": (lambda _: Recorder(batch_size=2.5), "batch_size"),
    "foreign file": (lambda _: Recorder.load(__file__), "not a readable npz"),
}


@each("name", BAD)
def test_bad_input_is_explained(name):
    call, words = BAD[name]
    with pytest.raises(InputError, match=words):
        call(Recorder())


def test_the_readers_know_recorders_and_their_files(tmp_path):
    recorder = Recorder(batch_size=5, rows=20, optimizer="Adam")
    full_run(recorder, 30)
    recorder.step(validation_loss=3.0)  # steps of its own
    recorder.save(tmp_path / "run.npz")
    same(recorder.evidence(), read(tmp_path / "run.npz"))
    same(recorder.evidence(), read(recorder))
    assert read(tmp_path / "run.npz", batch_size=7).batch_size == 7
