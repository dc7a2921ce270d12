"""The annotated training curve: what it marks is what the run did, and nothing clashes."""

import functools
import itertools
import math

import numpy as np
import pytest
from cases import each
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.diagnosis.engine import examine
from convex_analyzer.diagnosis.evidence import Evidence, Series
from convex_analyzer.errors import InputError
from convex_analyzer.plot import style
from convex_analyzer.plot.thinning import thinned

RNG = np.random.default_rng(7)
STEPS = np.arange(800.0)
LAMBDAS = np.array([0.1, 4.0])


def descent(alpha, mu=0.0, steps=150):
    """Return loss, cosines and αR of a hand-written run on ½ Σ λ x²."""
    x, v = np.ones(2), np.zeros(2)
    loss, gradients = [], []
    for _ in range(steps):
        g = LAMBDAS * x
        loss.append(0.5 * x @ g)
        gradients.append(g)
        v = mu * v - alpha * g
        x = x + v
    g = np.array(gradients)
    norms = np.linalg.norm(g, axis=1)
    cosines = np.sum(g[1:] * g[:-1], axis=1) / (norms[1:] * norms[:-1])
    curvature = np.sum(g * LAMBDAS * g, axis=1) / norms**2
    return {
        "loss": Series(np.array(loss)),
        "gradient_norm": Series(norms),
        "gradient_cosine": Series(cosines, np.arange(1.0, steps)),
        "curvature": Series(curvature),
        "learning_rate": Series(np.array([alpha])),
        "momentum": mu or None,
        "optimizer": "momentum" if mu else "gradient_descent",
        "batch_size": 8,
        "rows": 8,
    }


def noisy(level, spread):
    return level * (1 + spread * RNG.normal(size=len(STEPS)))


FALL = 3 * np.exp(-STEPS / 100) + 0.02
SPIKY = FALL * np.where(np.isin(STEPS, [300, 500, 650]), 5.0, 1.0)
CASES = {
    "overshoot": lambda: descent(1.95 / 4.0),
    "unstable": lambda: descent(2.4 / 4.0, steps=60),
    "crawling": lambda: descent(0.002, steps=60),
    "ill": lambda: descent(1.8 / 4.0, steps=400) | {"gradient_cosine": None},
    "swinging": lambda: descent(0.05, 0.97, steps=300),
    "lost": lambda: {
        "loss": Series(np.where(STEPS < 500, noisy(np.exp(STEPS / 100), 0.05), np.nan))
    },
    "lost at once": lambda: {"loss": Series(np.array([1.0, 3.0, 9.0, np.inf]))},
    "dropped": lambda: {
        "loss": Series(noisy(np.where(STEPS < 400, 0.3, 0.05) + FALL, 0.1)),
        "learning_rate": Series(np.where(STEPS < 400, 0.1, 0.01)),
        "batch_loss": Series(noisy(np.where(STEPS < 400, 0.3, 0.05) + FALL, 0.5)),
        "batch_size": 4,
        "rows": 400,
    },
    "spiky": lambda: {"loss": Series(SPIKY), "optimizer": "adaptive"},
    "flat": lambda: {"loss": Series(np.full(200, math.log(10)) + 1e-5 * RNG.normal(size=200))},
    "negative": lambda: {"loss": Series(-100 * (1 - np.exp(-STEPS / 100)))},
    "stuck": lambda: {
        "loss": Series(0.4 + 0.6 * np.exp(-STEPS / 40)),
        "restarts": np.array([0.1, 0.4, 0.2]),
    },
    "wrong": lambda: {
        "loss": Series(1 + STEPS / 800),
        "gradient_checks": np.array([[[1.0, -1.0], [2.0, -2.0], [0.5, -0.5]]]),
        "snapshot_steps": np.array([0.0]),
    },
    "validation": lambda: {"validation_loss": Series(FALL)},
}  # fmt: skip


@functools.cache
def made(name):
    return examine(Evidence(**CASES[name]()))


@functools.cache
def data_of(name):
    return plot.annotated_curve_data(made(name))


def marks(name):
    return {mark.kind: mark for mark in data_of(name).marks}


def clashes(figure):
    """Return texts that overlap, are cut off, or are too small to read."""
    figure.draw_without_rendering()
    scale, found = 72 / figure.dpi, []
    width, height = 72 * figure.get_figwidth(), 72 * figure.get_figheight()
    boxes = []
    for text in figure.findobj(Text):
        if not text.get_visible() or not text.get_text().strip():
            continue
        box = text.get_window_extent()
        x0, y0, x1, y1 = (scale * value for value in (box.x0, box.y0, box.x1, box.y1))
        axes = text.axes
        if axes is not None and text in {*axes.get_xticklabels(), *axes.get_yticklabels()}:
            low, high = sorted(
                axes.get_xlim() if text in axes.get_xticklabels() else axes.get_ylim()
            )
            place = text.get_position()[0 if text in axes.get_xticklabels() else 1]
            if not low <= place <= high:
                continue
        boxes.append((text.get_text(), x0, y0, x1, y1))
        if min(x0, y0) < -0.5 or x1 > width + 0.5 or y1 > height + 0.5 or text.get_fontsize() < 7:
            found.append(text.get_text())
    for a, b in itertools.combinations(boxes, 2):
        if min(a[3], b[3]) - max(a[1], b[1]) > 0.6 and min(a[4], b[4]) - max(a[2], b[2]) > 0.6:
            found.append((a[0], b[0]))
    return found


@each("name", CASES)
def test_every_figure_is_whole_and_says_what_it_shows(name):
    data = data_of(name)
    title, spoken, help_text = plot.finding(data), plot.alt(data), plot.caption(data)
    assert 5 < len(title) < 140
    assert not title.endswith(".")
    assert spoken.startswith(title)
    assert spoken.endswith(".")
    assert help_text.endswith(".")
    for text in (title, spoken, help_text):
        assert not any(word in f" {text} " for word in (" nan", " inf,", "None", "  ", ".."))
        assert text.count("(") == text.count(")")
    narrow = name in {"dropped", "swinging"}
    for width in (6.85, 3.3) if narrow else (6.85,):
        figure = plot.annotated_curve(data, width=width)
        assert clashes(figure) == [], (name, width)
        written = [text.get_text().replace("\n", " ") for text in figure.findobj(Text)]
        assert title in written
        assert all(chance[0] in written for chance in data.chances)


def test_marks_are_where_the_run_did_it():
    assert marks("lost")["lost"].begin == 500
    assert marks("lost")["lost"].end == 799
    assert marks("lost at once")["lost"].begin == 3
    assert marks("unstable")["event"].text.startswith("1000 times the start at step ")
    # αλ = 2.4: the loss grows by 1.4² a step, and starts at ½(0.1 + 4) with 2 in that direction
    step = math.log(1000 * 2.05 / 2.0) / (2 * math.log(1.4))
    assert marks("unstable")["event"].begin == math.ceil(step)
    assert (marks("dropped")["drop"].begin, marks("dropped")["drop"].text) == (400, "α × 0.1")
    assert [point[0] for point in marks("spiky")["spikes"].points] == [300, 500, 650]
    assert marks("flat")["level"].low == math.log(10)
    assert marks("flat")["level"].text == "chance level, ln 10"
    assert (marks("flat")["stretch"].begin, marks("flat")["stretch"].end) == (0, 199)
    assert marks("stuck")["level"].low == 0.1
    assert marks("wrong")["event"].text == "gradient check: off by 200 %"
    last = float(made("crawling").evidence.loss.values[-1])
    assert marks("crawling")["end"].low == pytest.approx(last, rel=0.02)


def test_the_panel_below_shows_what_decides_with_the_exact_border():
    proof = data_of("overshoot").proof
    assert proof.kind == "cosines"
    assert [value for value, _ in proof.borders] == [-0.5]
    assert np.median(proof.values[-50:]) < -0.5
    proof = data_of("unstable").proof
    assert proof.kind == "curvature"
    assert [value for value, _ in proof.borders] == [2.0]
    assert proof.values[-1] == pytest.approx(2.4)  # αλmax, once that direction rules
    run = CASES["crawling"]() | {"momentum": 0.8}
    heavy = plot.annotated_curve_data(examine(Evidence(**run | {"optimizer": "momentum"})))
    assert [value for value, _ in heavy.proof.borders] == [2 * 1.8]
    ahead = plot.annotated_curve_data(examine(Evidence(**run | {"optimizer": "nesterov"})))
    assert [value for value, _ in ahead.proof.borders] == [pytest.approx(2 * 1.8 / 2.6)]
    assert data_of("spiky").proof is None


def test_a_close_up_marks_one_period_of_the_swing():
    """Loss of an under-damped direction: half the period 2π/φ of its iterate."""
    proof = data_of("swinging").proof
    assert proof.kind == "close-up"
    begin, end = proof.period
    angles = [math.acos((1.97 - 0.05 * value) / (2 * math.sqrt(0.97))) for value in LAMBDAS]
    assert min(abs(end - begin - math.pi / angle) for angle in angles) <= 1
    assert proof.period_text == f"{end - begin:.0f} steps"
    assert not len(data_of("swinging").trend)


def test_scales_names_and_chances_follow_the_evidence():
    assert not data_of("negative").log
    assert data_of("spiky").log
    assert data_of("validation").monitored == "validation loss"
    assert len(data_of("dropped").beside)
    first = made("overshoot").findings[0]
    assert data_of("overshoot").chances[0] == (first.problem, first.confidence)
    undecided = examine(Evidence(loss=Series(np.arange(1.0, 30.0))))
    assert not undecided.decided
    assert plot.finding(plot.annotated_curve_data(undecided)).startswith("Undecided: ")


def test_a_million_points_make_the_same_picture_as_all_of_them():
    n = 300_000
    x = np.arange(float(n))
    y = np.sin(x / 9000) + RNG.normal(size=n) * 0.1
    y[123_456] = 4.0  # one point alone
    few_x, few_y = thinned(x, y)
    assert len(few_x) <= 4000
    assert few_y.max() == 4.0
    for part in range(0, n, n // 1000):  # each column keeps its extremes
        inside = (few_x >= part) & (few_x < part + n // 1000)
        whole = y[part : part + n // 1000]
        assert (few_y[inside].min(), few_y[inside].max()) == (whole.min(), whole.max())
    pictures = []
    for steps, values in ((x, y), (few_x, few_y)):
        figure = Figure(figsize=(5, 2), dpi=80)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.plot(steps, values, lw=1, color="black")
        axes.set_xlim(0, n)
        canvas.draw()
        pictures.append(np.asarray(canvas.buffer_rgba())[..., 0].astype(float))
    assert np.mean(np.abs(pictures[0] - pictures[1]) > 60) < 0.005
    assert np.mean(pictures[0] < 128) > 0.05  # there is something to compare
    evidence = Evidence(loss=Series(np.abs(y)), gradient_cosine=Series(np.tanh(y)))
    assert len(style.to_svg(plot.annotated_curve(examine(evidence)))) < 250_000


def test_on_axes_of_the_caller_and_the_same_bytes_every_time():
    figure = style.new_figure(8, 4)
    left, right = figure.subplots(1, 2)
    assert plot.annotated_curve(made("overshoot"), left) is figure
    assert left.has_data()
    assert not right.has_data()
    assert len(figure.axes) == 2  # the curve alone
    bare = plot.annotated_curve(made("stuck"), title=False)
    title = plot.finding(data_of("stuck"))
    assert title not in [text.get_text().replace("\n", " ") for text in bare.findobj(Text)]
    once = style.to_svg(plot.annotated_curve(made("stuck")))
    assert once == style.to_svg(plot.annotated_curve(data_of("stuck")))


def test_what_has_no_curve_is_refused():
    forecast = ca.diagnose(problem=np.diag(LAMBDAS), optimizer=ca.GradientDescent(0.6))
    with pytest.raises(InputError, match="a forecast has no curve"):
        plot.annotated_curve(forecast)
    check = Evidence(gradient_checks=np.array([[[1.0, 1.1], [2.0, 2.2], [3.0, 3.3]]]))
    with pytest.raises(InputError, match="no loss curve to draw"):
        plot.annotated_curve(examine(check))
