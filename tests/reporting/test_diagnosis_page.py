"""The report on a training run: what its pages say, in every format."""

import dataclasses
import json

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer.diagnosis.engine import diagnose, examine
from convex_analyzer.diagnosis.evidence import Evidence, Series
from convex_analyzer.reporting import document as d
from convex_analyzer.reporting.build import report
from convex_analyzer.reporting.diagnosis_page import diagnosis_document

STEPS = np.arange(120.0)
LECTURE = [  # lecture 001, slide 41, first column
    "incorrect gradients",
    "local optima",
    "symmetries",
    "slow progress",
    "instability",
    "oscillations",
    "fluctuations",
    "dead/saturated units",
    "ill-conditioning",
]


def of(document, kind):
    return [block for block in document.blocks if isinstance(block, kind)]


@pytest.fixture(scope="module")
def diverging():
    """Gradient descent along λ = 4 at αλ = 2.6: the loss grows by 1.6² a step."""
    return diagnose(loss=1.6 ** (2 * STEPS[:40]), lr=0.65, optimizer="SGD", batch_size=8, rows=8)


def test_verdict_curve_and_workaround_are_on_the_first_page(diverging):
    document = diagnosis_document(diverging)
    first, cure, *_ = of(document, d.Cards)[0].cards
    share = f"{100 * diverging.primary.confidence:.0f} %"
    assert (first.kind, d.plain_text(first.title)) == ("bad", f"Instability, {share}.")
    assert d.plain_text(first.text) == f"T{diverging.primary.evidence[1:]}."
    told = d.plain_text(cure.text)
    assert told.startswith("α from 0.65 to ")
    assert "0.5" in told  # 2/λ
    assert diverging.primary.remedy.formula in told
    figure = of(document, d.Figure)[0]
    assert "Instability" in figure.alt
    places = [type(block) for block in document.blocks]
    assert places.index(d.Figure) < places.index(d.PageBreak) < places.index(d.CodeBlock)
    title = of(document, d.Title)[0]
    facts = [d.plain_text(fact) for fact in title.subtitle]
    assert facts == ["39 steps", "SGD", "α = 0.65", "batch 8 of 8 rows"]


def test_the_table_has_the_rows_of_the_lecture_in_their_order(diverging):
    (table,) = [t for t in of(diagnosis_document(diverging), d.Table) if len(t.columns) == 5]
    names = [d.plain_text(row[0]) for row in table.rows]
    assert names[:9] == LECTURE
    assert {"plateaux", "saddle points", "healthy"} <= set(names[9:])
    rows = dict(zip(names, table.rows, strict=True))
    chip = rows["instability"][1]
    assert (chip.kind, d.plain_text(chip.text)) == ("bad", "present")
    assert isinstance(rows["instability"][0][0], d.Bold)
    assert rows["symmetries"][1].kind in {"ok", "info"}
    assert "Needs the weights of the hidden layers." in d.plain_text(rows["symmetries"][3])
    chances = [d.plain_text(row[2]) for row in table.rows]
    known = {each_row.problem: each_row.confidence for each_row in diverging.findings}
    for name, chance in zip(names, chances, strict=True):
        assert chance in {"beside", "> 99 %", f"{100 * known.get(name, 0):.0f} %"}
    assert "epoch sawtooth" in d.plain_text(table.note)


def test_reproduction_names_what_was_given(diverging):
    call = of(diagnosis_document(diverging), d.CodeBlock)[0].text
    assert call.startswith("ca.report(ca.diagnose(")
    for word in ("loss=loss", "learning_rate=0.65", "optimizer=", "batch_size=8", "rows=8"):
        assert word in call
    document = diagnosis_document(diverging, command="convex-analyzer diagnose a.csv")
    assert of(document, d.CodeBlock)[0].text == "convex-analyzer diagnose a.csv"
    notes = d.plain_text(of(document, d.Note)[-1].text)
    assert "docs/diagnosis.md" in notes
    assert "heuristic: a rule of thumb" in notes


def test_sampling_notes_and_columns_are_told():
    evidence = Evidence(
        loss=Series(3 * np.exp(-STEPS / 10) + 0.01, 100 * STEPS),
        source="run.csv",
        matched={"loss": "train/nll", "batch_size": "argument batch_size"},
        notes=("one value every 100 steps",),
        batch_size=4,
    )
    items = {
        d.plain_text(name): d.plain_text(value)
        for block in of(diagnosis_document(examine(evidence)), d.KeyValues)
        for name, value in block.items
    }
    assert items["columns"] == "loss from train/nll"
    assert items["as given"] == "batch size"
    assert items["sampling and order"] == "One value every 100 steps."
    assert float(items["loss at the end over its start"]) < 0.01
    call = of(diagnosis_document(examine(evidence)), d.CodeBlock)[0].text
    assert call == "ca.report(ca.diagnose('run.csv', batch_size=4), path)"


def unlike(name):
    """Return diagnoses of every shape: undecided, forecast, without a curve, outside the table."""
    match name:
        case "forecast":
            return diagnose(problem=ca.gallery.toy(), optimizer=ca.GradientDescent(0.6))
        case "undecided":
            return diagnose(loss=np.arange(1.0, 30.0))
        case "generalisation":
            return diagnose(validation_loss=np.exp(-STEPS))
        case "no curve":
            return diagnose(gradient_checks=np.array([[[1.0, 1.1], [2.0, 2.2], [3.0, 3.3]]]))
        case "nothing known":
            return diagnose(iterates=np.cumsum(np.ones((50, 3)), axis=0))
    return diagnose(loss=3 * np.exp(-STEPS / 10) + 0.01)


@each(
    "name, kind, title, figures",
    [
        ("forecast", "bad", "Instability, 99 %.", 0),
        ("undecided", "warn", "Undecided: ", 1),
        ("generalisation", "info", "Generalisation.", 1),
        ("no curve", "bad", "Incorrect gradients, ", 0),
        ("nothing known", "warn", "Undecided.", 0),
        ("healthy", "ok", "Healthy, ", 1),
    ],
)
def test_every_shape_of_a_diagnosis_has_its_page(name, kind, title, figures):
    document = diagnosis_document(unlike(name), "full")
    card = of(document, d.Cards)[0].cards[0]
    assert card.kind == kind
    assert d.plain_text(card.title).startswith(title)
    assert len(of(document, d.Figure)) == figures
    words = [block for block in document.blocks if not isinstance(block, d.Figure)]
    text = json.dumps([block.to_dict() for block in words], ensure_ascii=False)
    assert not any(bad in text for bad in ("None", " nan", "..", "  "))


def test_pages_are_filled_and_two(diverging, tmp_path):
    pytest.importorskip("typst")
    from convex_analyzer.reporting.typst import page_fill

    fills = page_fill(diagnosis_document(diverging))
    assert len(fills) == 2
    assert min(fills) > 0.5
    (pdf,) = report(diverging, tmp_path / "d.pdf")
    assert pdf.read_bytes().startswith(b"%PDF")
    (plain,) = report(diverging, tmp_path / "d.json")
    assert json.loads(plain.read_text()) == diverging.to_dict()
    text = report(diverging, tmp_path / "d.md")[0].read_text()
    assert text.startswith("# Diagnosis: ")
    assert "| oscillations |" in text


def test_lookalikes_have_their_own_card():
    losses = 3 * np.exp(-np.arange(800.0) / 100) + 0.02
    losses[[300, 500, 650]] *= 5
    diagnosis = diagnose(loss=losses, optimizer="adam", lr=1e-3)
    spikes = diagnosis.finding("adam_spikes")
    assert spikes.verdict == "present"
    document = diagnosis_document(diagnosis)
    titles = [d.plain_text(card.title) for card in of(document, d.Cards)[0].cards]
    assert "Looks ill, is not: spikes of adaptive methods." in titles
    without = dataclasses.replace(diagnosis, lookalikes=())
    assert len(of(diagnosis_document(without), d.Cards)[0].cards) == len(titles) - 1
