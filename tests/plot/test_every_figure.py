"""What holds for every figure of every problem: whole, legible, said in words, always the same."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import matplotlib as mpl
import pytest
from figure_checks import check_whole, check_words, texts_of
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.plot import style

pytestmark = pytest.mark.survey

OF_COMPARISONS = ("level_sets", "gap_curves", "roots")
OF_ANALYSES = ("spectrum_ruler", "stability_map", "rate_curve")


def subjects(comparison, name):
    """Return what a figure can be drawn from."""
    if name in OF_COMPARISONS:
        return [comparison]
    return [entry.analysis for entry in comparison if entry.analysis is not None][:4]


def shared_out(comparison, name):
    """Return what to draw of it: its analyses are dealt to the figures, another one each time.

    Every figure meets every comparison, though not with every one of its analyses.
    """
    found = subjects(comparison, name)
    if name in OF_COMPARISONS or not found:
        return found
    return [found[(OF_ANALYSES.index(name) + len(comparison.problem.name)) % len(found)]]


@pytest.mark.parametrize("name", [*OF_COMPARISONS, *OF_ANALYSES])
def test_every_figure_is_whole_legible_and_says_what_it_shows(comparison, name):
    for subject in shared_out(comparison, name):
        data = getattr(plot, f"{name}_data")(subject)
        title = check_words(data)
        written = check_whole(getattr(plot, name)(data))
        assert title in written
        assert not any("nan" in text.lower().split() for text in written)


@pytest.mark.parametrize("name", [*OF_COMPARISONS, *OF_ANALYSES])
def test_data_or_result_make_the_same_picture(compared, name):
    (subject, *_) = subjects(compared("chosen"), name)
    data = getattr(plot, f"{name}_data")(subject)
    draw = getattr(plot, name)
    assert style.to_svg(draw(subject)) == style.to_svg(draw(data))


@pytest.mark.parametrize("name", [*OF_COMPARISONS, *OF_ANALYSES])
def test_axes_of_the_caller_are_drawn_on(compared, name):
    figure = Figure(figsize=(9, 6), layout=None)
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    (subject, *_) = subjects(compared("chosen"), name)
    assert getattr(plot, name)(subject, left) is figure
    assert left.has_data()
    assert not right.has_data()
    inside = [text for text, _ in texts_of(figure) if text.axes is left]
    assert inside


@pytest.mark.parametrize("name", [*OF_COMPARISONS, *OF_ANALYSES])
def test_the_title_can_be_left_out(compared, name):
    (subject, *_) = subjects(compared("chosen"), name)
    title = plot.finding(getattr(plot, f"{name}_data")(subject))
    figure = getattr(plot, name)(subject, title=False)
    assert title not in [text.get_text().replace("\n", " ") for text, _ in texts_of(figure)]


@pytest.mark.parametrize("width", [2.4, 3.3, 6.85])
@pytest.mark.parametrize("name", [*OF_COMPARISONS, *OF_ANALYSES])
def test_other_widths_are_legible_too(compared, name, width):
    (subject, *_) = subjects(compared("chosen"), name)
    figure = getattr(plot, name)(subject, width=width)
    assert figure.get_figwidth() == pytest.approx(width)
    check_whole(figure)


def test_the_settings_of_the_user_are_untouched(compared):
    settings = {"font.size": 23.0, "axes.facecolor": "black", "svg.fonttype": "path"}
    with mpl.rc_context(settings):
        before = dict(mpl.rcParams)
        spoiled = style.to_svg(plot.gap_curves(compared("toy")))
        assert dict(mpl.rcParams) == before
    assert spoiled == style.to_svg(plot.gap_curves(compared("toy")))


def test_a_label_with_a_dollar_sign_stays_a_label(compared):
    entry = compared("single")[0]
    changed = dataclasses.replace(entry, label="a$b_c$ <x> & 梯度")
    comparison = compared("single")
    odd = dataclasses.replace(comparison, entries=(changed,))
    svg = style.to_svg(plot.gap_curves(odd)).decode()
    assert "a$b_c$ &lt;x&gt; &amp; 梯度" in svg


DRAW_ALL = """
import sys
import hashlib
import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.plot import saving
GD, HB = ca.GradientDescent, ca.HeavyBall
comparison = ca.compare(ca.gallery.toy(), [GD(0.4), HB(0.4, 0.9), HB, ca.Nesterov], [-5.0, -2.0])
digest = hashlib.sha256()
for name in ("level_sets", "gap_curves", "roots"):
    figure = getattr(plot, name)(comparison)
    digest.update(plot.style.to_svg(figure) + plot.style.to_png(figure, 80))
for name in ("spectrum_ruler", "stability_map", "rate_curve"):
    for entry in (comparison[0], comparison[3]):  # without momentum and with it
        figure = getattr(plot, name)(entry.analysis)
        digest.update(plot.style.to_svg(figure))
digest.update(saving.to_bytes(figure, "pdf") + plot.to_csv(plot.roots.data(comparison)).encode())
digest.update(plot.style.to_svg(plot.optimizer_card(ca.optimizers.find("Adam"))))
"""
ALONE = """
assert "matplotlib.pyplot" not in sys.modules
print(digest.hexdigest())
"""


def test_bytes_do_not_depend_on_the_process():
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    result = subprocess.run(
        [sys.executable, "-c", DRAW_ALL + ALONE], cwd=root, env=environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    here: dict[str, object] = {}
    exec(DRAW_ALL, here)  # this process has another hash seed, and has drawn much before
    assert result.stdout.strip() == here["digest"].hexdigest()


def test_svg_has_text_and_no_date(compared):
    svg = style.to_svg(plot.spectrum_ruler(compared("toy")[0].analysis)).decode()
    assert "<text" in svg
    assert "αλ at α = 0.47619" in svg
    assert "DejaVu Sans" in svg
    assert "dc:date" not in svg


def test_png_has_the_resolution_asked_for(compared):
    figure = plot.roots(compared("toy"))
    png = style.to_png(figure, 100)
    width = int.from_bytes(png[16:20], "big")
    assert width == round(100 * figure.get_figwidth())
    assert hashlib.sha256(png).digest() == hashlib.sha256(style.to_png(figure, 100)).digest()


def test_long_curves_stay_small():
    """A million steps are no more to draw than a few hundred."""
    comparison = ca.compare(ca.Quadratic.diagonal([1.0, 2e4]), [ca.HeavyBall(1e-6, 0.2)])
    assert comparison[0].predicted_steps > 1_000_000
    start = time.process_time()
    svg = style.to_svg(plot.gap_curves(comparison))
    assert len(svg) < 100_000
    assert time.process_time() - start < 10  # not a benchmark: a loop over steps takes minutes


@pytest.mark.parametrize("name", [*OF_COMPARISONS, *OF_ANALYSES])
def test_pictures_of_long_problems_stay_small(compared, name):
    for case in ("longley", "d = 100"):
        subject = subjects(compared(case), name)[-1]
        assert len(style.to_svg(getattr(plot, name)(subject))) < 250_000


def test_words_need_the_data_of_a_figure(compared):
    with pytest.raises(InputError, match="finding needs the data of a figure, got Comparison"):
        plot.finding(compared("toy"))
    with pytest.raises(AttributeError, match="no_such_figure"):
        _ = plot.no_such_figure


def test_figures_are_found_by_name():
    assert list(plot.__all__) == sorted(plot.__all__)
    for name in plot.__all__:
        assert callable(getattr(plot, name)) or name == "style"
    assert set(plot.__all__) <= set(dir(plot))
