"""What every figure has in common: found by file name, called alike, for a page and for a paper."""

from __future__ import annotations

import csv
import importlib.util
import inspect
import io
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.plot import figures, saving, style
from convex_analyzer.plot.figure import figure

pytestmark = pytest.mark.survey

PAPER = {
    "font.family": "serif", "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9,
    "xtick.labelsize": 8, "ytick.labelsize": 8, "legend.fontsize": 8, "lines.linewidth": 0.65,
    "figure.figsize": (3.4, 2.6), "xtick.direction": "in", "axes.linewidth": 0.4,
}  # fmt: skip
OURS = (
    "annotated_curve", "collisions", "gap_curves", "gradient_errors", "kappa_split", "level_sets",
    "optimizer_card", "rate_curve", "remedy_steps", "roots", "spectrum_ruler", "stability_map",
    "view_curves",
)  # fmt: skip
ROWS = {"annotated_curve", "collisions", "kappa_split", "optimizer_card", "remedy_steps",
        "spectrum_ruler"}  # fmt: skip


@cache
def subject(name: str):
    """Return something that a figure can be drawn from, and that asks something of it."""
    comparison = ca.compare(
        ca.gallery.toy(), [ca.GradientDescent(0.4), ca.HeavyBall(0.4, 0.9), ca.HeavyBall],
        [-5.0, -2.0],
    )  # fmt: skip
    if name in {"gap_curves", "level_sets", "roots"}:
        return comparison
    if name in {"collisions", "kappa_split", "remedy_steps"}:
        return ca.condition(ca.gallery.longley())
    if name == "annotated_curve":
        k = np.arange(300.0)
        return ca.diagnose(0.3 + np.exp(-k / 60) * (1 + 0.1 * np.sin(k)))
    if name == "gradient_errors":
        return ca.check_gradient(lambda t: float(np.exp(t).sum()), np.exp, np.array([0.3, -0.7]))
    return ca.HeavyBall if name == "optimizer_card" else comparison[1].analysis


@cache
def checks() -> ModuleType:
    """Return the module with what every figure must be."""
    path = Path(__file__).with_name("test_every_figure.py")
    spec = importlib.util.spec_from_file_location("every_figure", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- found by file name ---------------------------------------------------------------------------

PIE = '''
"""A figure of shares."""

from dataclasses import dataclass
from typing import ClassVar

from convex_analyzer.plot.figure import figure


@dataclass(frozen=True)
class PieData:
    figure: ClassVar[str] = "pie"
    shares: tuple[float, ...]


def pie_data(result: list) -> PieData:
    return PieData(tuple(share / sum(result) for share in result))


def finding(data):
    return f"The largest share is {max(data.shares):.0%}"


alt = caption = finding


def series(data):
    yield "shares", {"share": data.shares, "of": "pie"}


@figure(of="a list of numbers", answers="which is largest?", data=pie_data, width=3.0)
def pie(panel, data: PieData) -> None:
    """Draw shares."""
    panel.dress(finding(data))
    panel.axes.pie(data.shares)
'''


def test_a_new_figure_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "pie.py").write_text(PIE, encoding="utf-8")
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    monkeypatch.setattr(plot, "pie", None, raising=False)
    monkeypatch.delattr(plot, "pie")
    assert "pie" in plot.names()
    assert {"pie", "pie_data"} <= set(dir(plot))
    assert plot.every()[-1].number is None
    assert plot.pie([1, 3]).get_figwidth() == 3.0
    data = plot.pie.data([1, 3])
    assert plot.finding(data) == "The largest share is 75%"
    assert plot.to_csv(data) == "series,share,of\nshares,0.25,pie\nshares,0.75,pie\n"
    written = plot.save(tmp_path / "pie.svg", "pie", data)
    assert [path.name for path in written] == ["pie.svg", "pie.csv"]
    with pytest.raises(InputError, match="pie is drawn from a list of numbers, got int"):
        plot.pie(3)
    for name in ("pie", "pie_data"):
        vars(plot).pop(name, None)


def test_every_figure_says_what_it_is():
    assert set(OURS) <= set(plot.names())
    every = plot.every()
    numbers = [one.number for one in every if one.number is not None]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(1, 13))
    assert {f.name: f.number for f in every if f.name in OURS} == {
        "spectrum_ruler": 1, "level_sets": 2, "gap_curves": 3, "stability_map": 4, "roots": 5,
        "rate_curve": 7, "kappa_split": 9, "gradient_errors": 12, "annotated_curve": None,
        "collisions": None, "optimizer_card": None, "remedy_steps": None, "view_curves": None,
    }  # fmt: skip
    for one in every:
        assert one.answers.endswith("?")
        assert one.answers in inspect.getdoc(one)
        assert one.__name__ == one.name
        assert one.__module__.endswith(f".{one.name}")
        first, *others = inspect.signature(one).parameters.values()
        assert first.name == "result"
        assert "Data" in first.annotation
        assert [p.name for p in others] == ["ax", "width", "title", "paper"]
        assert getattr(plot, f"{one.name}_data") is one.data
    assert str(inspect.signature(plot.rate_curve)).startswith("(result: 'Analysis | RateData',")


def test_a_result_that_is_not_shown_is_an_error():
    comparison, analysis = subject("gap_curves"), subject("rate_curve")
    for draw, wrong in ((plot.rate_curve, comparison), (plot.gap_curves, analysis),
                        (plot.spectrum_ruler, plot.rate_curve.data(analysis))):  # fmt: skip
        with pytest.raises(InputError, match=f"{draw.name} is drawn from .*, got"):
            draw(wrong)
    for speak in (plot.finding, plot.columns):
        with pytest.raises(InputError, match="needs the data of a figure"):
            speak(comparison)


def test_a_data_annotation_may_name_anything():
    def anything_data(result: object) -> str:
        return str(result)

    @figure(of="anything", answers="what?", data=anything_data, width=2.0)
    def anything(panel, data):
        """Draw anything."""

    assert anything.data_of(3) == "3"


# -- for a paper ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_a_paper_has_its_own_letters_and_no_title(name):
    data = plot.__getattr__(name).data(subject(name))
    with mpl.rc_context(PAPER):
        before = dict(mpl.rcParams)
        drawn = plot.__getattr__(name)(data, paper=True)
        wide = plot.__getattr__(name)(data, width=6.0, paper=True)
        assert dict(mpl.rcParams) == before
    assert wide.get_figwidth() == 6.0
    assert drawn.get_figwidth() == 3.4
    if name not in ROWS:
        assert drawn.get_figheight() == 2.6
    for one in (drawn, wide):
        with style.context(paper=False), mpl.rc_context(PAPER):
            written = checks().check_whole(one)
        assert plot.finding(data) not in written
    texts = [text for text, _ in checks().texts_of(drawn)]
    sizes = {text.get_fontsize() for text in texts}
    assert 8.0 in sizes
    assert sizes <= {8.0, 9.0, 1.043 * 8.0}
    assert {text.get_fontname() for text in texts} == {"DejaVu Serif"}


def test_lines_are_as_wide_as_the_user_has_them():
    data = plot.rate_curve.data(subject("rate_curve"))
    ours = [line.get_linewidth() for line in plot.rate_curve(data).axes[0].lines]
    with mpl.rc_context(PAPER):
        theirs = [line.get_linewidth() for line in plot.rate_curve(data, paper=True).axes[0].lines]
        own = style.new_figure(3, 3).subplots()
        (kept,) = own.plot([0, 1], lw=3.0)
        plot.rate_curve(data, own, paper=True)
    assert theirs[:3] == pytest.approx([0.5 * width for width in ours[:3]])
    assert kept.get_linewidth() == 3.0


# -- as files -------------------------------------------------------------------------------------


def test_files_have_no_date_and_fonts_inside(tmp_path):
    analysis = subject("rate_curve")
    for kind in ("pdf", "svg", "png"):
        path = tmp_path / f"map.{kind}"
        table = path.with_suffix(".csv")
        assert plot.save(path, "stability_map", analysis, paper=True) == (path, table)
        found = path.read_bytes()
        assert not re.search(rb"CreationDate|20\d\d-\d\d-\d\d|Matplotlib v", found), kind
        shown = plot.stability_map(analysis, paper=True)
        assert found == saving.to_bytes(shown, kind, paper=True)
    pdf = (tmp_path / "map.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # a TrueType font
    assert b"/Type3" not in pdf
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    (best,) = [row for row in rows if row["series"] == "best"]
    root = (4.0**0.5 - 0.2**0.5) / (4.0**0.5 + 0.2**0.5)  # Polyak's pair, of the toy's spectrum
    assert float(best["momentum"]) == pytest.approx(root**2)
    assert float(best["learning_rate"]) == pytest.approx(4 / (4.0**0.5 + 0.2**0.5) ** 2)
    grid = [row for row in rows if row["series"] == "map"]
    row = grid[len(grid) // 3]
    roots = [
        np.roots([1, -(1 + float(row["momentum"]) - float(row["learning_rate"]) * lam),
                  float(row["momentum"])])
        for lam in (0.2, 4.0)
    ]  # fmt: skip
    assert 1 - float(row["one_minus_rho"]) == pytest.approx(np.abs(roots).max(), rel=1e-7)


def test_postscript_has_no_date_and_nothing_sheer():
    drawn = plot.rate_curve(subject("rate_curve"), title=False)
    before = style.to_svg(drawn)
    found = saving.to_bytes(drawn, "eps")
    assert found.startswith(b"%!PS-Adobe-3.0 EPSF")
    assert b"CreationDate" not in found
    assert b"/FontType 42" in found
    assert style.to_svg(drawn) == before
    with saving._opaque(drawn):
        assert style.to_svg(drawn).count(b"opacity") < before.count(b"opacity")


def test_bad_targets_leave_nothing_behind(tmp_path, monkeypatch):
    analysis = subject("rate_curve")
    mine = tmp_path / "mine.csv"
    mine.write_text("height,weight\n1,2\n", encoding="utf-8")
    monkeypatch.setattr("shutil.which", lambda name: None)
    for name, draw, words in (
        ("map.jpeg2", "rate_curve", "suffix names the format"),
        ("map", "rate_curve", "suffix names the format"),
        ("map.pdf", "pretty_picture", "no figure called pretty_picture"),
        ("map.pdf", "gap_curves", "gap_curves is drawn from a comparison, got Analysis"),
        ("mine.pdf", "rate_curve", "mine.csv holds other data"),
        ("missing/map.pdf", "rate_curve", "there is no folder"),
        ("map.pgf", "rate_curve", "needs LaTeX to measure its text, and there is no xelatex"),
    ):
        with pytest.raises(InputError, match=words):
            plot.save(tmp_path / name, draw, analysis)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
    assert plot.save(tmp_path / "mine.png", plot.rate_curve, analysis, data=False, width=2.0) == (
        tmp_path / "mine.png",
    )
    assert mine.read_text(encoding="utf-8").startswith("height")


def test_labels_are_escaped_for_latex_and_put_back():
    drawn = plot.rate_curve(subject("rate_curve"))
    drawn.axes[0].set_title(r"50 % of a_b & \c {d} $5 #1 ~x^2")
    with saving._escaped(drawn):
        title = drawn.axes[0].get_title()
    assert title == (
        r"50 \% of a\_b \& \textbackslash{}c \{d\} \$5 \#1 \textasciitilde{}x\textasciicircum{}2"
    )
    assert drawn.axes[0].get_title() == r"50 % of a_b & \c {d} $5 #1 ~x^2"
    axis = drawn.axes[0].xaxis
    axis.set_major_formatter(lambda value, _: f"λ\n{value:g} %")
    with saving._escaped(drawn):
        assert axis.get_major_formatter().format_ticks([1.0]) == ["$\\lambda$\n1 \\%"]
    assert axis.get_major_formatter().format_ticks([1.0]) == ["λ\n1 %"]


def test_a_figure_for_latex_names_the_packages(tmp_path, monkeypatch):
    from matplotlib.backends.backend_pgf import LatexManager

    def measured(_self, text, _font):  # as LaTeX would measure it
        asked.append(text)
        return 10.0, 5.0, 1.0

    asked = []
    monkeypatch.setattr(saving, "_check_latex", lambda: None)
    monkeypatch.setattr(LatexManager, "__init__", lambda self: None)
    monkeypatch.setattr(LatexManager, "get_width_height_descent", measured)
    (path, _) = plot.save(tmp_path / "x.pgf", "spectrum_ruler", subject("spectrum_ruler"))
    text = path.read_text("utf-8")
    assert "usepackage{amsmath,amssymb}" in text
    assert asked
    assert not re.search("[λαμθκ]", text + "".join(asked))


# -- as numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_columns_are_of_one_length_and_survive_csv(name):
    data = plot.__getattr__(name).data(subject(name))
    table = plot.columns(data)
    assert next(iter(table)) == "series"
    assert len({len(column) for column in table.values()}) == 1
    rows = list(csv.reader(io.StringIO(plot.to_csv(data))))
    assert rows[0] == list(table)
    for key, cells in zip(table, zip(*rows[1:], strict=True), strict=True):
        assert re.fullmatch(r"[A-Za-z_0-9]+", key)
        for value, cell in zip(table[key], cells, strict=True):
            if value is None or (isinstance(value, float) and np.isnan(value)):
                assert cell == ""
            else:
                assert type(value)(cell) == value


def test_numbers_are_those_of_the_formulas():
    analysis = ca.analyze(ca.gallery.toy(), ca.GradientDescent(0.1))
    table = plot.columns(plot.rate_curve.data(analysis))
    seen = [i for i, label in enumerate(table["series"]) if label == "direction 2"]
    alpha, factor = (np.array(table[key])[seen].astype(float) for key in ("learning_rate",
                                                                        "factor"))  # fmt: skip
    assert np.abs(factor - np.abs(1 - 4.0 * alpha)).max() < 1e-12
    table = plot.columns(plot.spectrum_ruler.data(analysis))
    assert table["alpha_lambda"][:2] == pytest.approx([0.02, 0.4])
    assert table["zone"][2:5] == ["monotone", "sign flips", "no decay"]
    assert table["alpha_lambda"][2:4] == pytest.approx([1.0, 2.0])
