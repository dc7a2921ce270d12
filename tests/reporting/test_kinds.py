"""Reports on everything that is not one comparison: each says what its result says."""

from __future__ import annotations

import json

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.reporting import document as d
from convex_analyzer.reporting import figures
from convex_analyzer.reporting.build import build
from convex_analyzer.reporting.latex_tables import write_latex_tables
from convex_analyzer.reporting.markdown import to_markdown
from convex_analyzer.tables import format_count, format_number


def text_of(result, level="brief", **options):
    return to_markdown(build(result, level, **options))


def blocks(document, kind):
    return [block for block in document.blocks if isinstance(block, kind)]


@pytest.fixture(autouse=True)
def _undrawn(request, monkeypatch):
    """Leave out the drawing, which tests/plot looks at, where nothing is written."""
    if "tmp_path" not in request.fixturenames:
        monkeypatch.setattr(figures, "picture", lambda name, data: b"<svg/>")


@pytest.fixture(scope="module")
def pair():
    raw = ca.gallery.lecture001_slide24(intercept=True)
    return {
        "as printed": ca.compare(raw),
        "normalised": ca.compare(ca.gallery.lecture001_slide24(standardize=True)),
    }


def test_several_comparisons_stand_side_by_side(pair):
    document = build(pair)
    assert document.title == "Comparison report: as printed, normalised"
    (table,) = blocks(document, d.Table)
    for row, one in zip(table.rows, pair.values(), strict=True):
        cells = [d.plain_text(cell) for cell in row]
        assert cells[1] == format_number(one.spectrum.condition_number, 4)
        assert cells[2:5] == [entry.predicted_text() for entry in one]
        assert cells[5:] == [one.best.label, "agree"]
    (pictures,) = blocks(document, d.FigureRow)
    assert [figure.alt.partition(":")[0] for figure in pictures.figures] == list(pair)
    assert "'normalised': ca.compare(problem, [" in to_markdown(document)


def test_more_is_said_of_each_of_several_at_higher_levels(pair):
    cards = [len(blocks(build(pair, level), d.Cards)) for level in ("brief", "teach", "full")]
    assert cards == [0, 2, 2]
    full = build(pair, "full")
    assert [h.text for h in blocks(full, d.Heading) if h.level == 2].count(
        ("Eigendirections",)
    ) == 2  # fmt: skip


def test_several_have_names_that_differ(tmp_path):
    problem = ca.gallery.toy()
    (path,) = ca.report([problem, problem], tmp_path / "two.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["schema"] == "convex_analyzer.reports/1"
    assert [case["name"] for case in data["cases"]] == ["toy (1)", "toy (2)"]
    assert data["cases"][0]["comparison"]["problem"]["name"] == "toy"
    assert "7" in text_of([ca.compare(problem)] * 7)  # one of them is not drawn


def test_an_analysis_is_run_on_its_spectrum():
    analysis = ca.analyze(ca.gallery.ravine(100), ca.HeavyBall(0.05, momentum=0.5))
    text = text_of(analysis)
    assert "ca.HeavyBall(learning_rate=0.05, momentum=0.5)" in text
    even = analysis.spectrum.eigenvectors.sum(axis=1)  # one unit along every eigendirection
    assert format_count(analysis.steps_to(1e-6, even)) in text
    assert analysis.rate_text in text


def test_runs_over_one_setting_two_settings_and_none():
    problem, start = ca.gallery.ravine(100), np.ones(2)
    largest = ca.spectrum(problem).lambda_max
    rates = np.linspace(0.5, 2.5, 9) / largest
    runs = ca.simulate(problem, ca.GradientDescent(rates[:, None]), np.ones((9, 2)), 200)
    finding = plot.finding(plot.sweep_data(runs))
    ends = [problem.value(_descend(problem, rate, start, 200)) for rate in rates]
    best = int(np.argmin(ends))
    assert finding.startswith(f"α = {format_number(rates[best], 4)} ends lowest")
    grows = [rate for rate in rates if rate * largest > 2]
    assert f"; {len(grows)} of 9 runs end above their start, from α = " in finding
    assert format_number(grows[0], 4) in finding
    text = text_of(runs)
    assert finding in text
    assert text.count("| above its start |") + text.count("|  |") >= 8
    momenta = np.linspace(0, 0.9, 3)[None, :, None]
    grid = ca.simulate(
        problem, ca.HeavyBall(rates[:, None, None], momentum=momenta), np.ones((9, 3, 2)), 50
    )
    assert "μ = " in plot.finding(plot.sweep_data(grid))
    assert "momentum μ" in text_of(grid)
    single = ca.simulate(problem, ca.GradientDescent(0.1), start, 50)
    assert plot.finding(plot.sweep_data(single)).startswith("The run ends at the loss")
    many = ca.simulate(problem, ca.GradientDescent(0.1), np.ones((4, 2)), 50)
    assert "The best of 4 runs" in text_of(many, "full")
    lost = ca.simulate(problem, ca.GradientDescent(3.0), np.ones((4, 2)), 500)
    assert plot.finding(plot.sweep_data(lost)) == "All 4 runs end above their start"
    for one in (runs, grid, single, many):
        data = plot.sweep_data(one)
        assert plot.alt(data).startswith(plot.finding(data))
        assert plot.caption(data).endswith(".")
        assert plot.sweep(data).axes[0].get_title(loc="left") or plot.sweep(data).texts
        assert len(next(iter(plot.columns(data).values()))) > 1


def _descend(problem, rate, theta, steps):
    for _ in range(steps):
        theta = theta - rate * problem.gradient(theta)
    return theta


def test_three_settings_are_too_many_to_draw():
    rates = np.linspace(0.01, 0.1, 2)[:, None]
    rule = ca.Adam(rates, beta1=np.array([[0.8], [0.9]]), beta2=np.array([[0.99], [0.999]]))
    runs = ca.simulate(ca.gallery.toy(), rule, np.ones((2, 2)), 5)
    with pytest.raises(InputError, match="at most two settings can be drawn over"):
        build(runs)


def test_a_gradient_check_a_derivation_and_what_has_only_a_table():
    check = ca.check_gradient(lambda x: float(x @ x), lambda x: 3 * x, at=np.ones(2))
    assert check.words in text_of(check).replace("\\", "")
    derivation = ca.derive("stability", ca.HeavyBall)
    text = text_of(derivation, command="ca.derive(...)")
    assert text.count("proved") >= len([x for x in derivation.lines if x.verdict == "proved"])
    assert "ca.derive(...)" in text
    found = ca.sensitivity(ca.analyze(ca.gallery.toy(), ca.HeavyBall))
    text = text_of(found, command="ca.sensitivity(...)")
    assert found.words in text
    for row in found.summary().rows:
        assert row[1] in text


def test_noise_has_a_page_and_floors():
    comparison = ca.compare(
        ca.gallery.toy(), [ca.GradientDescent(0.1)], noise=ca.AdditiveNoise(0.1), steps=100
    )
    document = build(comparison)
    headings = [d.plain_text(one.text) for one in blocks(document, d.Heading)]
    assert "What the noise leaves" in headings
    lam, alpha = np.array([0.2, 4.0]), 0.1
    floor = np.sum(lam * alpha**2 * 0.1 / (1 - (1 - alpha * lam) ** 2)) / 2  # by hand
    assert format_number(floor, 4) in to_markdown(document)
    whole = text_of(comparison, "full")
    assert "What the noise leaves" in whole
    share = format_number(floor / comparison.entries[0].gap[0], 3)  # the same in every table
    for told in (
        f"not reached | {share} |", f"| ×{share} |", f"stalls at {share}",
        "noise=ca.AdditiveNoise(0.1), steps=100", "Steps needed without noise",
    ):  # fmt: skip
        assert told in whole


def test_a_full_report_holds_the_explorer_and_what_settings_forgive():
    comparison = ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.1), ca.Adam(0.1)])
    document = build(comparison, "full")
    (embedded,) = blocks(document, d.Embed)
    assert embedded.html.startswith("<!")
    text = to_markdown(document)
    assert "convex-analyzer explore" in text
    found = ca.sensitivity(comparison["GradientDescent"].analysis)
    assert f"{format_number(100 * found.margin, 3)} %" in text
    wide = build(ca.compare(ca.gallery.laplacian_1d(12), [ca.GradientDescent]), "teach")
    assert len(blocks(wide, d.Embed)) == 1


def test_figures_become_files(tmp_path):
    comparison = ca.compare(ca.gallery.toy())
    written = ca.save_figures(comparison, tmp_path / "all")
    names = {path.stem for path in written}
    assert {"spectrum_ruler", "level_sets", "gap_curves", "stability_map", "roots", "rate_curve",
            "error_by_direction", "steps_by_kappa", "optimizer_panels"} <= names  # fmt: skip
    assert "kappa_split" not in names
    assert all(path.read_bytes().lstrip().startswith(b"<?xml") for path in written)
    two = ca.save_figures(ca.gallery.toy(), tmp_path, ["roots"], format="png", data=True)
    assert [path.name for path in two] == ["roots.png", "roots.csv"]
    for names, words in ((["rots"], "there is no figure 'rots'"),
                         (["kappa_split"], "nothing to show for this Comparison")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            ca.save_figures(comparison, tmp_path, names)
    with pytest.raises(InputError, match="there is no folder"):
        ca.save_figures(comparison, tmp_path / "a" / "b", ["roots"])
    with pytest.raises(InputError, match="no figure of a"):
        ca.save_figures(ca.check_claim(ca.HeavyBall, stable="alpha < 2/lambda"), tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="it is a file; name a folder"):
        ca.save_figures(comparison, tmp_path / "file", ["roots"])


def test_tables_go_into_a_paper(tmp_path):
    comparison = ca.compare(ca.gallery.toy())
    (path,) = ca.report(comparison, tmp_path / "toy.tex")
    text = path.read_text(encoding="utf-8")
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 3
    assert r"HeavyBall & $\alpha$ = 0.6679*, $\mu$ = 0.4026*" in text
    (lines,) = ca.report(ca.derive("stability", ca.HeavyBall), tmp_path / "lines.tex")
    text = lines.read_text(encoding="utf-8")
    assert r"\[ g_{k} = \lambda {x}_{k} \]" in text
    assert text.count(r"\item \textbf") == 7
    with pytest.raises(InputError, match="no table to write as LaTeX"):
        write_latex_tables(d.Document("empty", [d.Paragraph("words")]), tmp_path / "none.tex")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines.tex", "toy.tex"]


def test_a_checked_derivation_says_which_line_is_wrong():
    letters = "a, l > 0; x real"
    text = "x - a*l*x\n(1 + a*l)*x\nx - x*l*a\nx ?"
    document = build(ca.check_derivation(text, symbols=letters))
    (cards,) = blocks(document, d.Cards)
    said = [d.plain_text(card.text) for card in cards.cards]
    assert said[0].startswith("does not follow from line 1. At a = 1, l = 1, x = 1: line 1 gives 0")
    assert said[0].endswith("The slip: a sign is wrong.")
    assert [d.plain_text(card.title) for card in cards.cards] == ["Line 2", "Line 4"]
    (table,) = blocks(document, d.Table)
    verdicts = [row[2].text for row in table.rows]
    assert [d.plain_text(verdict) for verdict in verdicts] == [
        "given", "refuted", "recovers", "unreadable",
    ]  # fmt: skip
    full = text_of(ca.check_derivation(text, symbols=letters), "full")
    assert "would follow" in full
    assert "Every line follows." in text_of(ca.check_derivation("x\nx + 0", symbols=letters))


def test_reasons_are_told_without_their_places_in_the_code():
    """A place may hold brackets of its own, as NAdam's last line does."""
    told = text_of(ca.compare(ca.gallery.toy(), [ca.optimizers.find("NAdam")(0.1)]), "teach")
    assert "a square root of the state. |" in told
    assert "of step:" not in told
    assert "kept" not in told
