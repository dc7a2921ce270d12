"""Letters that our fonts lack: fonts of the machine are lent to a figure while it is saved."""

from pathlib import Path

import pytest
from matplotlib.font_manager import FontProperties, findfont

import convex_analyzer as ca
from convex_analyzer.errors import ConvexAnalyzerWarning
from convex_analyzer.plot import figure, fonts, saving, style
from convex_analyzer.plot.text import measure
from convex_analyzer.spelling import visible


@pytest.fixture
def machine(monkeypatch):
    """A machine whose fonts are three of Matplotlib's, and a file that is none."""
    folder = Path(findfont(FontProperties(family=["DejaVu Sans"]))).parent
    names = ("DejaVuSansMono.ttf", "STIXGeneral.ttf", "DejaVuSerif.ttf")
    found = [str(folder / name) for name in names]
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: [*found, __file__])
    fonts.covering.cache_clear()
    yield folder
    fonts.covering.cache_clear()


def test_the_plainest_fonts_that_have_the_letters(machine):
    assert fonts.foreign("price 価格, цена, λ₁ ✓ ℝ 価") == "価格"
    assert fonts.covering("") == ((), "")
    assert fonts.covering("a漢") == ((machine / "DejaVuSansMono.ttf",), "漢")


def test_a_figure_gets_them_only_while_it_is_saved(machine, monkeypatch):
    drawn = ca.plot.rate_curve(ca.analyze(ca.gallery.toy(), ca.GradientDescent(0.1)))
    axes = drawn.axes[0]
    plain = style.to_png(drawn)
    before = axes.title.get_fontfamily()
    monkeypatch.setattr(fonts, "foreign", lambda text: "a")  # as if ours had no such letter
    with fonts.lent(drawn):
        assert axes.title.get_fontfamily() == [*before, "DejaVu Sans Mono"]
    assert axes.title.get_fontfamily() == before
    assert style.to_png(drawn) == plain  # DejaVu Sans has every letter of it


def test_what_no_file_could_carry_is_a_sign_in_every_figure():
    assert visible("a\udcff\tb\x00\r\nc") == "a\ufffd    b\ufffd\nc"
    drawn = style.new_figure(2.0, 1.0)
    text = drawn.text(0.1, 0.5, "half \udcff\x1b")
    assert measure("half \udcff\x1b") == measure("half \ufffd\ufffd")
    assert figure._readable(drawn) is drawn
    assert text.get_text() == "half \ufffd\ufffd"
    for kind in ("svg", "png", "pdf"):
        assert saving.to_bytes(drawn, kind)


def test_frames_for_letters_are_said_once(machine, tmp_path, monkeypatch):
    (tmp_path / "x.csv").write_text("漢,b,y\n1,2,1\n3,1,2\n2,5,3\n4,1,5\n", encoding="utf-8")
    found = ca.condition(ca.load(tmp_path / "x.csv", target="y"))
    said = "No font on this machine has 漢: framed signs"
    with pytest.warns(ConvexAnalyzerWarning, match=said) as told:
        ca.plot.save(tmp_path / "named.svg", "collisions", found)
    assert told[0].filename == __file__
    ca.plot.save(tmp_path / "none.svg", "remedy_steps", found)  # no name in it: no warning
    monkeypatch.setattr(saving, "lacking", lambda figure: "漢")
    with pytest.warns(ConvexAnalyzerWarning, match=said) as told:
        written = ca.save_figures(found, tmp_path / "figures", ["kappa_split", "remedy_steps"])
    assert len(told) == 1 < len(written)
    assert told[0].filename == __file__


def test_a_paper_leaves_the_deviation_to_the_caption():
    data = ca.plot.gap_curves.data(ca.compare(ca.gallery.toy()))
    below = [ca.plot.gap_curves(data, paper=paper).axes[0].get_xlabel() for paper in (0, 1)]
    told = below[0].partition("\n")[2].replace("\n", " ")
    assert told.startswith("largest |run − theory|: ")
    assert below[1] == "steps k"
    assert ca.plot.caption(data, paper=True) == f"{ca.plot.caption(data)} The {told}."
    flat = ca.plot.rate_curve.data(ca.analyze(ca.gallery.toy(), ca.GradientDescent(0.1)))
    assert ca.plot.caption(flat, paper=True) == ca.plot.caption(flat)
