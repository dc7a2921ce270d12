"""The report on a condition number: what its pages say, in every format."""

import dataclasses
import json

import pytest

import convex_analyzer as ca
from convex_analyzer.conditioning.analysis import condition
from convex_analyzer.errors import InputError
from convex_analyzer.reporting import document as d
from convex_analyzer.reporting.build import report
from convex_analyzer.reporting.condition_page import condition_document
from convex_analyzer.tables import format_count


@pytest.fixture(scope="module")
def analysis():
    return condition(ca.gallery.lecture001_slide24())


def of(document, kind):
    return [block for block in document.blocks if isinstance(block, kind)]


def test_verdict_pictures_and_remedies_are_on_the_pages(analysis):
    document = condition_document(analysis)
    (cards,) = of(document, d.Cards)
    titles = [d.plain_text(card.title) for card in cards.cards]
    assert titles == ["Units.", "A direct solve by QR is safe.", "Training is slow."]
    assert [card.kind for card in cards.cards] == ["warn", "ok", "warn"]
    assert "23 steps" in d.plain_text(cards.cards[2].text)
    assert len(of(document, d.Figure)) == 3
    assert len(of(document, d.PageBreak)) == 1
    (table,) = of(document, d.Table)
    assert len(table.rows) == len(analysis.remedies)
    steps = analysis.remedy("Scale").steps["GradientDescent"]
    (bold,) = [row for row in table.rows if isinstance(row[0][0], d.Bold)]
    assert [d.plain_text(cell) for cell in bold][:3] == ["scale columns", "6.558", "23"]
    assert format_count(steps) == "23"
    assert "Not applied." in d.plain_text(table.note)
    assert d.plain_text(of(document, d.CodeBlock)[0].text) == (
        "ca.report(ca.condition(problem), path)"
    )


def test_more_is_said_at_higher_levels_and_the_command_is_shown(analysis):
    document = condition_document(analysis, "full", "convex-analyzer condition a.csv")
    views = of(document, d.Table)[-1]
    assert [row[0][0] for row in views.rows] == [view.name for view in analysis.split.views]
    assert "1.01251e12" in [row[1][0] for row in views.rows]  # lecture 001, slide 24: 1.013e12
    assert of(document, d.CodeBlock)[0].text == "convex-analyzer condition a.csv"
    start = dataclasses.replace(analysis, start_name="the start as given", tolerance=1e-3)
    call = of(condition_document(start), d.CodeBlock)[0].text
    assert call == "ca.report(ca.condition(problem, start=start, tolerance=0.001), path)"


def test_a_matrix_has_no_columns_and_endless_training_is_said():
    document = condition_document(condition(ca.gallery.singular(bounded=False)))
    assert len(of(document, d.Figure)) == 2
    titles = [d.plain_text(card.title) for card in of(document, d.Cards)[0].cards]
    assert titles[1:] == ["A direct solve is not to be trusted.", "Training never ends."]
    assert "collide" not in json.dumps(document.to_dict())


def test_files(analysis, tmp_path):
    pytest.importorskip("typst")
    (pdf,) = report(analysis, tmp_path / "c.pdf")
    assert pdf.read_bytes().startswith(b"%PDF")
    (plain,) = report(analysis, tmp_path / "c.json")
    assert json.loads(plain.read_text()) == analysis.to_dict()
    page = report(analysis, tmp_path / "c.md")[0].read_text()
    assert page.startswith("# Condition report: lecture 001, slide 24")
    assert "a factor of 2.1e9, removed by scaling the columns" in page
    with pytest.raises(InputError, match="level must be"):
        report(analysis, tmp_path / "c.pdf", "long")
    with pytest.raises(InputError, match="a comparison, a diagnosis, a condition analysis"):
        report(analysis.split, tmp_path / "c.pdf")


def test_in_a_notebook_cause_table_and_sentences_are_one_block(analysis):
    html = analysis._repr_html_()
    assert html.startswith("<div><p><strong>condition: lecture 001, slide 24: UNITS")
    assert all(f">{entry.title}<" in html for entry in analysis.remedies)
    assert html.count("<tr>") > len(analysis.remedies)
