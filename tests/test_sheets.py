"""A result on one screen: the head, two columns of facts, tables and notes that fit."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from cases import each

from convex_analyzer import sheets, spelling
from convex_analyzer.notation import KINDS
from convex_analyzer.sheets import WIDTH, Sheet, sheet_of
from convex_analyzer.spelling import fits, spell
from convex_analyzer.tables import Table, wrapped

FACTS = (("dimension", "2"), ("κ(A)", "20"), ("start", "as given"))
PAIRS = (("outcome", "stable"), ("kind", "exact"), ("a long one", "word " * 30))
MORE = Table(("direction", "rate"), tuple((f"q{i}", f"0.{i}") for i in range(50)), "by direction")
SHEET = Sheet(
    ("name", "value"), PAIRS, notes=("A note <&>.",), left=2, what="analysis", subject="toy <x>",
    verdict="It converges.", facts=FACTS, more=(MORE,),
)  # fmt: skip


def test_a_sheet_has_head_facts_tables_and_notes_in_that_order():
    lines = SHEET.to_text().splitlines()
    assert max(map(len, lines)) == WIDTH
    assert lines[0].startswith("━━ Analysis: toy <x> ━━━")
    assert lines[1] == "It converges."
    assert lines[3].split() == ["dimension", "2", "outcome", "stable"]
    assert lines[4].split() == ["κ(A)", "20", "kind", "exact"]
    assert lines[6].startswith("a long one  word word")
    assert lines[9].startswith("── by direction ───")
    assert lines[-4:-1] == [
        "─" * WIDTH, "A note <&>.", f"Exact: {KINDS['exact']}."
    ]  # fmt: skip
    assert lines[-1] == "━" * WIDTH
    assert "20 between are not shown." in lines
    assert "q14" in SHEET.to_text()
    assert "q15" not in SHEET.to_text()


def test_a_subject_without_room_in_the_line_stands_below_it():
    lines = Sheet((), (), what="analysis", subject="long " * 30).to_text().splitlines()
    assert lines[0] == "━━ Analysis ".ljust(WIDTH, "━")
    assert lines[1].startswith("long long")


def test_one_fact_a_line():
    lines = list(SHEET.to_lines())
    assert lines[:3] == ["analysis: toy <x>", "verdict: It converges.", "dimension: 2"]
    assert "q7, rate: 0.7" in lines
    assert len([line for line in lines if line.startswith("q")]) == 50  # a log has all of them
    assert lines[-2] == "note: A note <&>."
    assert not any(set(line) & set("━─│█") or "\n" in line for line in lines)
    named = Table(("name", "value"), (("a", "1"), ("b", " ")), "two  words", ("done",), 2)
    assert list(named.to_lines()) == ["two words", "a: 1", "done"]


def test_html_is_well_formed_escaped_and_takes_the_colours_of_the_page():
    text = SHEET.to_html()
    root = ET.fromstring(text)
    assert root.find("p/strong").text == "analysis: toy <x>"
    assert [cell.text for cell in root.findall("table/tbody/tr/td")][:2] == ["2", "20"]
    assert len(root.findall("table")) == 2
    assert not any(word in text for word in ("color", "<script", "class="))
    assert SHEET.more[0]._repr_html_() == SHEET.more[0].to_html()


def test_markdown_has_the_same_numbers():
    text = SHEET.to_markdown()
    assert text.startswith("**analysis: toy <x>**\n\nIt converges.\n\n|  |  |")
    assert "| κ(A) | 20 |" in text
    assert "**by direction**" in text
    assert SHEET.more[0]._repr_markdown_() in text


def test_ascii_keeps_the_columns_straight():
    text = SHEET.in_ascii()
    assert text.isascii()
    assert text.startswith("== Analysis: toy <x> ====")
    lines = text.splitlines()
    assert lines[3].index("outcome") == lines[4].index("kind")


def test_a_wide_table_fits():
    words = "one two three " * 6
    rows = (("first", words, "1,000,000", words), ("second", words, "2", "short"))
    lines = Table(("name", "what is said", "a count of steps", "why"), rows).to_text(60).split("\n")
    assert max(map(len, lines)) <= 60
    assert "1,000,000" in "".join(lines)
    many = Table(("name", *(f"column {i}" for i in range(12))), (("a", *"0123456789ab"),))
    blocks = many.to_text(40).split("\n\n")
    assert len(blocks) > 1
    assert all(block.splitlines()[-1].startswith("a") for block in blocks)
    assert max(len(line) for block in blocks for line in block.split("\n")) <= 40
    assert wrapped("α = 0.5 is x = 1", 9) == ["α = 0.5", "is x = 1"]  # relations stay whole


class PowerLaw:
    words = "It falls."


@each(
    ("table", "subject", "verdict", "notes"),
    [
        (Table(("quantity", "value"), (), "of A", ("It falls.", "b"), 2), "of A", "It falls.", "b"),
        (Table(("power law of A", "toy"), (), left=2), "toy", "", ""),
        (Table(("a", "b"), (), left=2), "a: b", "", ""),
        (Table(("a", "b", "c"), (), "power law of X"), "X", "", ""),
    ],
)
def test_any_table_becomes_a_sheet(table, subject, verdict, notes):
    found = sheet_of(table, PowerLaw())
    assert (found.what, found.subject, found.verdict) == ("power law", subject, verdict)
    assert "".join(found.notes) == notes
    assert sheet_of(found, PowerLaw()) is found


@each(
    ("text", "plain"),
    [
        ("plain", "plain"),
        ("0 < α < 2/λmax", "0 < alpha < 2/lambda_max"),
        ("(1 − αλ)² ≤ ½", "(1 - alpha*lambda)^2 <= 1/2"),
        ("10⁻¹² of Δθ₁", "10^-12 of Delta*theta1"),
        ("Gödel 東", "Godel ?"),
        ("θᵀx", "theta^T*x"),
    ],
)
def test_spelling(text, plain):
    assert spell(text) == plain
    assert fits(plain, "ascii")


def test_all_is_complete():
    for module in (sheets, spelling):
        public = {
            n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__
        }
        assert {name for name in public if not name.startswith("_")} <= set(module.__all__)
