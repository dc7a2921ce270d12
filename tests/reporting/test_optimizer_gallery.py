"""The gallery: every optimizer on a card, cards on pages, pages in the index."""

from __future__ import annotations

import re

import pytest
from cases import each

from convex_analyzer.optimizers import find
from convex_analyzer.reporting import optimizer_gallery
from convex_analyzer.reporting.document import (
    CodeBlock,
    Figure,
    Heading,
    Math,
    PageBreak,
    Table,
    plain_text,
)
from convex_analyzer.reporting.optimizer_gallery import OWN_RULE, gallery_document, packed

pytest.importorskip("typst")

NAMES = ("GradientDescent", "SilverSteps", "HeavyBall", "Adam", "SignSGD", "EMA")


@pytest.fixture(scope="module")
def gallery():
    return gallery_document({name: find(name) for name in NAMES})


def blocks_of(gallery, kind):
    return [block for block in gallery.blocks if isinstance(block, kind)]


def test_every_optimizer_has_a_card(gallery):
    headings = [plain_text(block.text) for block in blocks_of(gallery, Heading) if block.level == 2]
    assert headings == list(NAMES)
    assert len(blocks_of(gallery, Figure)) == len(NAMES)
    assert len(blocks_of(gallery, Math)) == len(NAMES) - 1
    source, own = blocks_of(gallery, CodeBlock)  # silver steps depend on t in their own way
    assert source.text.startswith("rate = ")
    assert own.text == OWN_RULE


def test_families_have_headings(gallery):
    headings = [plain_text(block.text) for block in blocks_of(gallery, Heading) if block.level == 1]
    assert headings == ["Index", "Gradient", "Momentum", "Adam", "Sign", "Averaging",
                        "A rule of your own"]  # fmt: skip


def test_a_card_says_theory_state_settings_and_source(gallery):
    cards = zip(NAMES, blocks_of(gallery, Figure), strict=True)
    notes = {name: plain_text(figure.caption) for name, figure in cards}
    assert notes["HeavyBall"].endswith(
        " steps. Theory: closed form; stable if and only if αλ < 2·(1 + μ). State: velocity. "
        "Settings: μ = 0.9. Source: Polyak (1964); lecture 001, slide 27."
    )
    assert "Theory: simulated only: the sign of the state. State" in notes["SignSGD"]
    assert "β₂ = 0.999, ε = 1e−8" in notes["Adam"]
    assert "bias correction mean, bias correction square." in notes["Adam"]
    assert re.search(r"On the toy: EMA\(HeavyBall\(0\.\d+, 0\.5\), 0\.9\)\.", notes["EMA"])
    assert "largest = 4 on the toy, largest = 10 on the ravine" in notes["SilverSteps"]


def test_pictures_are_said_in_words(gallery):
    for name, figure in zip(NAMES, blocks_of(gallery, Figure), strict=True):
        assert figure.alt.startswith(name)
        assert "ravine" in plain_text(figure.caption)


def test_the_index_names_the_pages(gallery):
    (index,) = blocks_of(gallery, Table)
    rows = {plain_text(row[1]): row for row in index.rows}
    assert list(rows) == list(NAMES)
    page, pages = 1, {}  # the front is short here, and the first cards stand below it
    for block in gallery.blocks:
        if isinstance(block, PageBreak):
            page += 1
        elif isinstance(block, Heading) and block.level == 2:
            pages[plain_text(block.text)] = page
    assert {name: int(plain_text(row[-1])) for name, row in rows.items()} == pages
    assert plain_text(rows["SignSGD"][4]) == "–"
    assert int(plain_text(rows["GradientDescent"][4])) > 10


def test_no_page_runs_over(gallery):
    from convex_analyzer.reporting.typst import page_fill

    fills = page_fill(gallery)
    assert len(fills) == 1 + len(blocks_of(gallery, PageBreak))  # the front is one page
    assert all(fill > 0.2 for fill in fills)


@pytest.mark.survey
def test_cards_that_are_higher_than_measured_are_packed_again(monkeypatch):
    measured = optimizer_gallery._height
    monkeypatch.setattr(optimizer_gallery, "_height", lambda blocks: measured(blocks) - 0.06)
    document = gallery_document({name: find(name) for name in NAMES[:3]})
    from convex_analyzer.reporting.typst import page_fill

    breaks = sum(isinstance(block, PageBreak) for block in document.blocks)
    assert len(page_fill(document)) == 1 + breaks


@pytest.mark.survey
def test_bytes_are_the_same_every_time(gallery, tmp_path):
    from convex_analyzer.reporting.typst import render_pdf

    some = {name: find(name) for name in NAMES[:3]}  # a card knows nothing of the others
    once, again = gallery_document(some), gallery_document(some)
    assert again.to_dict() == once.to_dict()
    assert render_pdf(again) == render_pdf(once)
    assert len(render_pdf(gallery)) < 60_000 * len(NAMES)


@each(
    ("heights", "families", "used", "pages"),
    [
        ([], "", 0.0, [[]]),
        ([0.5], "a", 0.0, [[0]]),
        ([0.5], "a", 0.6, [[], [0]]),
        ([0.5, 0.5, 0.5], "aaa", 0.0, [[0, 1], [2]]),
        ([1.4, 0.2], "aa", 0.0, [[0], [1]]),
        ([0.4, 0.7, 0.5, 0.3], "aaaa", 0.1, [[0, 2], [1, 3]]),  # the third goes before the second
        ([0.4, 0.7, 0.5], "aab", 0.1, [[0], [1], [2]]),  # but not out of its family
        ([0.7, 0.2], "ab", 0.5, [[], [0, 1]]),  # the first of a family waits for no other
    ],
)
def test_cards_are_packed_family_by_family(heights, families, used, pages):
    assert packed(heights, families, used=used) == pages


def test_the_rule_of_ones_own_runs_as_it_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(OWN_RULE, {})
    assert capsys.readouterr().out.startswith("TwoVelocities(α = 0.1) converges")
    assert (tmp_path / "card.svg").stat().st_size > 10_000


@pytest.mark.survey
def test_the_whole_gallery_is_written(monkeypatch, tmp_path):
    classes = {name: find(name) for name in ("Newton", "SignSGD")}
    monkeypatch.setattr(optimizer_gallery, "registered", lambda: classes)
    (path,) = optimizer_gallery.write_gallery(tmp_path / "out.pdf")
    assert path.read_bytes().startswith(b"%PDF")
