"""The placer: labels never touch, stay inside, and stand beside what they name."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import each
from hypothesis import given, settings
from hypothesis import strategies as st

from convex_analyzer.plot import style
from convex_analyzer.plot.labels import Placer
from convex_analyzer.plot.text import PAD, measure, spread, wrap

pytestmark = pytest.mark.survey


def empty_axes(width=3.3, height=3.0):
    with style.context():
        figure = style.new_figure(width, height)
        axes = figure.add_axes((0.15, 0.15, 0.8, 0.8))
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
    return axes


def boxes_of(axes):
    """Return the boxes of all labels as Matplotlib sees them, in points."""
    figure = axes.figure
    figure.draw_without_rendering()
    scale = 72 / figure.dpi
    boxes = [text.get_window_extent() for text in axes.texts]
    return [(scale * b.x0, scale * b.y0, scale * b.x1, scale * b.y1) for b in boxes]


def overlap(a, b):
    return min(a[2], b[2]) - max(a[0], b[0]) > 0 and min(a[3], b[3]) - max(a[1], b[1]) > 0


def inside(axes, box):
    figure = axes.figure
    frame = axes.get_window_extent()
    scale = 72 / figure.dpi
    return (
        box[0] >= scale * frame.x0 - 0.5
        and box[2] <= scale * frame.x1 + 0.5
        and box[1] >= scale * frame.y0 - 0.5
        and box[3] <= scale * frame.y1 + 0.5
    )


POINT = st.tuples(st.floats(0, 1), st.floats(0, 1))


@settings(max_examples=20)
@given(st.lists(st.tuples(POINT, st.integers(1, 18)), min_size=1, max_size=14))
def test_labels_never_touch_and_stay_inside(wanted):
    axes = empty_axes()
    placer = Placer(axes)
    with style.context():
        for (x, y), length in wanted:
            placer.avoid_markers([x], [y], 6)
            placer.place("x" * length, [(x, y)])
    boxes = boxes_of(axes)
    assert len(boxes) + len(placer.unplaced) == len(wanted)
    assert all(inside(axes, box) for box in boxes)
    assert not any(overlap(a, b) for a, b in itertools.combinations(boxes, 2))


def test_nothing_is_dropped_while_there_is_room():
    axes = empty_axes()
    placer = Placer(axes)
    with style.context():
        for i in range(20):
            assert placer.place(f"label number {i}", [(0.5, 0.5)])
    assert placer.unplaced == []


def test_what_cannot_fit_is_reported_and_not_drawn():
    axes = empty_axes()
    placer = Placer(axes)
    low = (placer.left, placer.bottom, placer.right, placer.bottom + 5)
    with style.context():
        assert not placer.place("too high", [(0.5, 0.5)], region=low)
    assert placer.unplaced == ["too high"]
    assert list(axes.texts) == []


def test_what_is_too_long_is_broken_and_what_cannot_be_broken_is_cut():
    axes = empty_axes()
    placer = Placer(axes)
    words = "an optimizer that somebody has given a really long name to tell it from all others"
    with style.context():
        half = (placer.right - placer.left) / 2
        assert placer.place(words, [(0.5, 0.2)])
        assert placer.place("x" * 400, [(0.5, 0.8)])
        broken, cut = (text.get_text() for text in axes.texts)
        assert broken.replace("\n", " ") == words
        assert set(cut) == {"x", "…"}
        assert cut.endswith("x…")
        for line in [*broken.split("\n"), cut]:
            assert measure(line)[0] <= half
        assert measure(cut)[0] > 0.9 * half
    assert placer.unplaced == []


def test_a_label_stands_beside_its_object_and_not_on_a_curve():
    axes = empty_axes()
    placer = Placer(axes)
    x = np.linspace(0, 1, 50)
    placer.avoid_line(x, x)
    with style.context():
        placer.place("beside", [(0.5, 0.5)])
    (box,) = boxes_of(axes)
    scale = 72 / axes.figure.dpi
    points = axes.transData.transform(np.column_stack([np.linspace(0, 1, 2000)] * 2)) * scale
    covered = (points[:, 0] > box[0]) & (points[:, 0] < box[2])
    covered &= (points[:, 1] > box[1]) & (points[:, 1] < box[3])
    assert not covered.any()
    mark = axes.transData.transform((0.5, 0.5)) * scale
    away = [max(box[i] - mark[i], mark[i] - box[i + 2], 0) for i in (0, 1)]
    assert np.hypot(*away) < 12


def test_a_label_keeps_away_from_the_lines_of_others():
    """Between two parallel lines, the name of one does not stand nearer to the other."""
    axes = empty_axes()
    placer = Placer(axes)
    x = np.linspace(0, 1, 50)
    lines = {"upper": 0 * x + 0.55, "lower": 0 * x + 0.45}
    for name, y in lines.items():
        placer.avoid_line(x, y, owner=name)
    with style.context():
        for name, y in lines.items():
            placer.place(name, np.column_stack([x, y]), owner=name)
    heights = {t.get_text(): b for t, b in zip(axes.texts, boxes_of(axes), strict=True)}
    scale = 72 / axes.figure.dpi
    level = {n: scale * axes.transData.transform((0, y[0]))[1] for n, y in lines.items()}
    assert heights["upper"][1] > level["upper"]
    assert heights["lower"][3] < level["lower"]


def test_a_far_label_is_joined_to_its_object():
    axes = empty_axes()
    placer = Placer(axes)
    with style.context():
        placer.avoid_box((0.5, 0.5), 90, 90)
        placer.place("outside", [(0.5, 0.5)])
        (line,) = axes.lines
        ends = line.get_xydata()
    assert np.allclose(ends[1], (0.5, 0.5))
    assert not np.allclose(ends[0], ends[1])


def test_forbidden_boxes_are_left_free():
    axes = empty_axes()
    placer = Placer(axes)
    with style.context():
        placer.avoid_box((0.3, 0.3), 60, 40)
        placer.place("label", [(0.3, 0.3)])
    (box,) = boxes_of(axes)
    assert not overlap(box, placer.boxes[-1])


def test_placement_is_the_same_every_time():
    def place():
        axes = empty_axes()
        placer = Placer(axes)
        generator = np.random.default_rng(3)
        with style.context():
            for i, (x, y) in enumerate(generator.random((12, 2))):
                placer.place(f"label {i}", [(x, y)])
        return boxes_of(axes)

    assert place() == place()


# -- text -----------------------------------------------------------------------------------------


@each("text", ["αλ ≥ 2", "GradientDescent: 346 steps", "1 − 8.5e−20", "λ₁…λ₃"])
@each("size", [7.0, 8.5])
def test_measured_text_is_as_wide_as_it_is_drawn(text, size):
    with style.context():
        figure = style.new_figure(4, 1)
        figure.set_dpi(600)
        box = figure.text(0.1, 0.5, text, fontsize=size).get_window_extent()
    drawn = 72 / 600 * box.width
    assert drawn <= measure(text, size)[0] <= 1.08 * drawn + 0.3


def test_letters_that_the_font_lacks_take_their_room():
    assert measure("梯度下降", 10.0)[0] >= 40


@given(st.text("abc αβ=−<", max_size=60), st.floats(10, 200))
def test_wrapped_text_fits_and_loses_nothing(text, width):
    lines = wrap(text, width).split("\n")
    assert " ".join(lines) == text
    for line in lines:
        parts = line.replace(" = ", "=").replace(" − ", "−").replace(" < ", "<").split(" ")
        assert measure(line)[0] <= width or len(parts) == 1


def test_numbers_stay_with_their_names():
    assert "α\n= " not in wrap("the best of all learning rates is α = 0.4762, near its limit", 60.0)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 12)), min_size=1, max_size=6).map(sorted))
def test_labels_of_a_row_do_not_touch_and_move_as_little_as_possible(wanted):
    from scipy.optimize import minimize

    centres, widths = (list(part) for part in zip(*wanted, strict=True))
    found = spread(centres, widths, 0.0, 130.0)
    gaps = [
        (b - u / 2) - (a + w / 2)
        for (a, w), (b, u) in itertools.pairwise(zip(found, widths, strict=True))
    ]
    assert all(gap >= PAD[0] - 1e-9 for gap in gaps)
    assert found[0] - widths[0] / 2 >= -1e-9
    assert found[-1] + widths[-1] / 2 <= 130 + 1e-9

    rules = [
        {"type": "ineq", "fun": lambda c, i=i: c[i + 1] - c[i] - (widths[i] + widths[i + 1]) / 2
         - PAD[0]}
        for i in range(len(widths) - 1)
    ]  # fmt: skip
    bounds = [(w / 2, 130 - w / 2) for w in widths]
    best = minimize(lambda c: np.sum((c - centres) ** 2), found, constraints=rules, bounds=bounds)
    cost = np.sum((np.array(found) - centres) ** 2)
    assert cost <= best.fun * (1 + 1e-3) + 0.05
