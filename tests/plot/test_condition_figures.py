"""Figures of a condition analysis: what they say is what `condition` found, and nothing clashes."""

import functools
import math

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.conditioning.analysis import condition
from convex_analyzer.errors import InputError
from convex_analyzer.plot import style
from convex_analyzer.plot.figures.kappa_split import remark_on
from convex_analyzer.spectra.collinearity import collinearity

NAMES = ("kappa_split", "remedy_steps", "collisions")


def planted(rows=24, columns=3, size=1e-3):
    """Return columns of which the last is a combination of the first two, far from zero."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(rows, columns)) + 10
    return np.column_stack([X, X[:, 0] - 2 * X[:, 1] + size * rng.normal(size=rows)])


CASES = {
    "units": ca.gallery.lecture001_slide24,
    "offset": ca.gallery.lecture001_slide25,
    "planted": lambda: ca.least_squares(planted(), planted() @ [1, 2, 3, 4], intercept=True),
    "exact": lambda: ca.least_squares(planted(size=0.0), np.arange(24.0), intercept=True),
    "few rows": lambda: ca.least_squares(planted()[:3], [1.0, 0.0, 2.0]),
    "penalty": lambda: ca.least_squares(planted() * [1, 1, 100, 1], np.arange(24.0), l2=0.1),
    "matrix": lambda: ca.Quadratic([[2e4, 1.0], [1.0, 3.0]]),
    "1x1": lambda: ca.Quadratic([[2.0]]),
    "no minimum": lambda: ca.gallery.singular(bounded=False),
}


@functools.cache
def made(name):
    return condition(CASES[name]())


def clashes(figure):
    """Return texts that overlap, are cut off, or are too small to read."""
    figure.draw_without_rendering()
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [*axes.texts, axes.xaxis.label, axes.yaxis.label]
        texts += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    scale = 72 / figure.dpi
    shown = [t for t in texts if t.get_visible() and t.get_text().strip()]
    boxes = [(t.get_text(), t.get_window_extent()) for t in shown]
    found = [t.get_text() for t in shown if t.get_fontsize() < 7]
    for text, box in boxes:
        width, height = 72 * figure.get_figwidth(), 72 * figure.get_figheight()
        inside = min(box.x0, box.y0) > -0.5 and scale * box.x1 < width + 0.5
        found += [] if inside and scale * box.y1 < height + 0.5 else [text]
    for i, (text, a) in enumerate(boxes):
        for other, b in boxes[i + 1 :]:
            wide = scale * (min(a.x1, b.x1) - max(a.x0, b.x0))
            high = scale * (min(a.y1, b.y1) - max(a.y0, b.y0))
            found += [(text, other)] if wide > 0.6 and high > 0.6 else []
    return found


@pytest.mark.parametrize("name", ["planted", "few rows", "matrix", "no minimum"])
def test_every_figure_is_whole_and_says_what_it_shows(name):
    analysis = made(name)
    for figure in NAMES:
        if figure == "collisions" and analysis.collinearity is None:
            with pytest.raises(InputError, match="only data have columns that collide"):
                plot.collisions_data(analysis)
            continue
        data = getattr(plot, f"{figure}_data")(analysis)
        title = plot.finding(data)
        assert 5 < len(title) < 140
        assert not title.endswith(".")
        assert plot.alt(data).startswith(title)
        assert plot.caption(data).endswith(".")
        for text in (title, plot.alt(data), plot.caption(data)):
            assert not any(word in text for word in ("nan", "inf,", "None", "  "))
        for width in (6.85, 3.3) if name == "planted" else (6.85,):
            assert clashes(getattr(plot, figure)(data, width=width)) == [], (figure, width)


def test_bars_are_the_published_condition_numbers():
    """Lecture 001, slides 24 and 25: raw, with bias, standardised."""
    bars = {bar.name: bar for bar in plot.kappa_split_data(made("units")).bars}
    assert bars["as given"].kappa == pytest.approx(1.386e10, rel=1e-3)
    assert bars["with an intercept"].kappa == pytest.approx(1.013e12, rel=1e-3)
    assert bars["… and standardised"].kappa == pytest.approx(28.21, rel=1e-3)
    assert bars["columns scaled"].before == pytest.approx(bars["as given"].kappa)
    title = plot.finding(plot.kappa_split_data(made("units")))
    assert title.startswith("κ(XᵀX) = 1.39e10, most of it units: a factor of 2.1e9")
    other = {bar.name: bar for bar in plot.kappa_split_data(made("offset")).bars}
    assert other["with an intercept"].kappa == pytest.approx(7.129e11, rel=1e-3)
    assert other["… and standardised"].kappa == pytest.approx(2.479, rel=1e-3)
    assert other["… and standardised"].before == pytest.approx(other["columns scaled"].kappa)
    assert "offset" in plot.finding(plot.kappa_split_data(made("offset")))


@pytest.mark.parametrize("name", ["planted", "matrix"])
def test_what_the_steps_take_away_multiplies_up_to_the_whole(name):
    data = plot.kappa_split_data(made(name))
    steps = [bar for bar in data.bars if bar.kind == "step"]
    for first, then in zip([data.given, *steps], steps, strict=False):
        assert then.before == pytest.approx(first.kappa)  # each begins where the last ended
    factor = math.prod(bar.before / bar.kappa for bar in steps)
    assert factor == pytest.approx(data.given.kappa)
    assert remark_on(steps[0]).startswith(f"without {steps[0].cause}: ÷ ")


def test_what_has_no_solution_and_what_only_the_penalty_decides():
    assert "not determined" in plot.finding(plot.kappa_split_data(made("exact")))
    assert remark_on(plot.kappa_split_data(made("exact")).bars[4]) == "collinearity: exact"
    penalty = plot.kappa_split_data(made("penalty"))
    assert penalty.given.kappa == pytest.approx(made("penalty").kappa)
    assert penalty.bars[1].name == "without the penalty"
    assert penalty.bars[1].kappa >= penalty.given.kappa
    assert "no minimum" in plot.finding(plot.remedy_steps_data(made("no minimum")))


def test_counts_and_advice_are_those_of_the_analysis():
    analysis = made("units")
    data = plot.remedy_steps_data(analysis)
    for row, entry in zip(data.rows, analysis.remedies, strict=True):
        assert row.steps == tuple(entry.steps.values())
    remedy, name = analysis.advice
    assert f"{remedy.steps[name]}" in plot.finding(data)
    assert plot.finding(data).startswith("Scale columns, then gradient descent")
    figure = plot.remedy_steps(data)
    ends = {
        (round(float(x)), round(float(y), 2))
        for line in figure.axes[0].lines
        if line.get_marker() not in {"None", ""}
        for x, y in zip(*line.get_data(), strict=True)
    }
    assert len(ends) == 4 * len(data.rows)  # a mark for every optimizer and remedy
    easy = plot.finding(plot.remedy_steps_data(made("1x1")))
    assert easy == "No remedy is needed: gradient descent takes 1 step as it is"


def test_the_planted_columns_stand_first_and_shares_are_those_of_the_diagnostics():
    analysis = made("planted")
    data = plot.collisions_data(analysis)
    assert set(data.involved) == {"x1", "x2", "x4"}
    assert plot.finding(data).startswith("x")
    assert "collide" in plot.finding(data)
    found = analysis.collinearity
    for k, label in enumerate(data.labels):
        whole = found.variance_proportions[:, found.labels.index(label)]
        np.testing.assert_array_equal(data.shares[:, k], whole[::-1][: len(data.indices)])
    assert list(data.indices) == sorted(data.indices, reverse=True)


def test_at_most_twenty_columns_are_shown_the_planted_ones_among_them():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 30))
    X[:, 6:] = X[:, :6].repeat(4, axis=1) + 0.02 * rng.normal(size=(60, 24))
    X[:, 17] = X[:, 4] + 1e-4 * rng.normal(size=60)
    data = plot.collisions_data(collinearity(X, [f"a long name of column {j}" for j in range(30)]))
    assert len(data.labels) == 20
    assert {"a long name of column 4", "a long name of column 17"} == set(data.labels[:2])
    assert "10 columns less involved" in plot.caption(data)
    for width in (6.85, 3.3):
        assert clashes(plot.collisions(data, width=width)) == []


def test_columns_far_from_zero_collide_with_the_intercept_only():
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(20), rng.normal(size=20) + 1e4, rng.normal(size=20)])
    data = plot.collisions_data(collinearity(X, ["one", "year", "x"]))
    assert data.with_intercept == ("year",)
    assert plot.finding(data) == "No columns collide with each other; year lies far from zero"
    assert plot.finding(plot.collisions_data(made("units"))) == "No columns collide"
    assert "3 rows cannot determine 4" in plot.finding(plot.collisions_data(made("few rows")))


def test_the_same_picture_every_time_and_on_axes_of_the_caller():
    data = plot.kappa_split_data(made("units"))
    assert style.to_svg(plot.kappa_split(made("units"))) == style.to_svg(plot.kappa_split(data))
    for name in NAMES:
        draw, data = getattr(plot, name), getattr(plot, f"{name}_data")(made("units"))
        figure = style.new_figure(7, 4)
        left, right = figure.subplots(1, 2)
        assert draw(data, left) is figure
        assert left.has_data() or left.patches
        assert not right.has_data()
        title = plot.finding(data)
        assert title not in [t.get_text().replace("\n", " ") for t in draw(data, title=False).texts]
