"""The figure of worst case, average and instance: what it says, shows and names."""

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import plot

SPECTRUM = ca.Spectrum.from_eigenvalues(np.geomspace(1.0, 100.0, 12))


@pytest.fixture(scope="module")
def analysis():
    return ca.analyze(SPECTRUM, ca.GradientDescent)


def test_counts_are_those_of_the_theory(analysis):
    start = np.r_[np.zeros(6), np.ones(6)]
    data = plot.view_curves_data(analysis.views(start, np.arange(0, 900, 5)))
    reached = {view.name: view.reached for view in data.views}
    assert reached["worst case"] == analysis.steps_to(1e-6)
    assert reached["this instance"] == analysis.steps_to(1e-6, start)
    assert data.steps[0] == 5  # a logarithmic axis has no place for 0
    for view in data.views:
        assert len(view.gap) == len(data.steps)
    title = plot.finding(data)
    assert f"{reached['worst case']}" in title
    assert "worst start" in title
    assert "limit here" in plot.alt(data)


def test_an_analysis_alone_gives_a_grid_up_to_the_goal(analysis):
    data = plot.view_curves_data(analysis)
    worst = next(v for v in data.views if v.name == "worst case")
    assert worst.gap[-1] < data.tolerance < worst.gap[0]
    assert "no method that adds up past gradients" in plot.caption(data).replace("\n", " ")


def test_every_curve_is_named_inside_the_axes(analysis):
    figure = plot.view_curves(analysis)
    (axes,) = figure.axes
    words = {text.get_text().partition(":")[0] for text in axes.texts}
    assert {"worst case", "average", "limit on average"} <= words


def test_what_never_arrives_and_what_depends_on_no_start():
    stuck = ca.analyze(ca.Spectrum.between(1.0, 10.0), ca.GradientDescent(0.2))
    assert "never reached" in plot.finding(plot.view_curves_data(stuck.views(steps=[1, 2, 3])))
    interval = ca.analyze(ca.Spectrum.between(1.0, 10.0), ca.GradientDescent)
    assert "whatever the start" in plot.finding(plot.view_curves_data(interval))
