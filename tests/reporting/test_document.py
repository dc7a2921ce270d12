"""Documents are plain, frozen, equal by value, and refuse what no writer could set."""

import dataclasses
import json
import subprocess
import sys

import pytest
from cases import each
from hypothesis import example, given
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.reporting import document as d

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10pt" height="10pt"/>'


def test_importing_it_loads_no_heavy_library():
    code = (
        "import sys, convex_analyzer.reporting.document as d; "
        "print([m for m in ('typst', 'matplotlib', 'sympy', 'scipy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_equal_content_is_equal_however_it_was_written():
    assert d.Paragraph("a b") == d.Paragraph(("a", " ", "b")) == d.Paragraph(["a b", ""])
    assert hash(d.Paragraph("a")) == hash(d.Paragraph(("a",)))
    assert d.Paragraph("a") != d.Paragraph("b")
    assert d.Paragraph(("a", d.Bold("b"))) != d.Paragraph("ab")


def test_blocks_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        d.Heading("a").text = "b"


def test_lists_become_tuples_all_the_way_down():
    table = d.Table([d.Column("a")], [["x"], [d.Chip("ok", "y")]])
    assert table.rows == ((("x",),), (d.Chip("ok", "y"),))
    assert hash(table) == hash(d.Table((d.Column(("a",)),), ((("x",),), (d.Chip("ok", "y"),))))


BAD = [
    lambda: d.Paragraph(3),
    lambda: d.Paragraph(None),
    lambda: d.Paragraph(("a", 3)),
    lambda: d.Paragraph(""),
    lambda: d.Paragraph(" \n"),
    lambda: d.Paragraph((d.Bold(" "),)),
    lambda: d.Paragraph({"a"}),
    lambda: d.Bold(1.5),
    lambda: d.Code(b"x"),
    lambda: d.MathSpan("x", "x", ""),
    lambda: d.MathSpan("#read(path)", "x", "x"),
    lambda: d.Math('"a" #x', "x", "x"),
    lambda: d.Heading("a", 0),
    lambda: d.Heading("a", 4),
    lambda: d.Heading("a", level=True),
    lambda: d.Heading("a", 1.0),
    lambda: d.Chip("good", "x"),
    lambda: d.Chip("ok", ""),
    lambda: d.Card("ok", "", "text"),
    lambda: d.Cards(()),
    lambda: d.Cards((d.Heading("a"),)),
    lambda: d.Cards((d.Card("ok", "a", "b"),), columns=4),
    lambda: d.Column("a", "middle"),
    lambda: d.Column("a", width=0.0),
    lambda: d.Column("a", width=1.1),
    lambda: d.Column("a", width=True),
    lambda: d.Table((), ()),
    lambda: d.Table((d.Column("a"),), (("x", "y"),)),
    lambda: d.Table((d.Column("a"),), ("x",)),
    lambda: d.Table((d.Column("a", width=0.6), d.Column("b", width=0.6)), ()),
    lambda: d.KeyValues(()),
    lambda: d.KeyValues((("a",),)),
    lambda: d.KeyValues((("", "b"),)),
    lambda: d.Figure("<svg/>", "c", "a"),
    lambda: d.Figure(b"\x89PNG", "c", "a"),
    lambda: d.Figure(b"<svg \xff/>", "c", "a"),
    lambda: d.Figure(SVG, "c", ""),
    lambda: d.Figure(SVG, "c", "a", width=float("nan")),
    lambda: d.FigureRow((d.Figure(SVG, "c", "a"),)),
    lambda: d.DerivationLines(()),
    lambda: d.DerivationLine("t", "r", "x", "c", d.Chip("ok", "proved")),
    lambda: d.PageBreak(0.0),
    lambda: d.CodeBlock(""),
    lambda: d.Document("", (d.Paragraph("a"),)),
    lambda: d.Document("t", ()),
    lambda: d.Document("t", "text"),
    lambda: d.Document("t", ("text",)),
    lambda: d.Document("t", (d.Paragraph("a"),), language="English"),
    lambda: d.Document("t", (d.Heading("a", 2),)),
    lambda: d.Document("t", (d.Heading("a"), d.Heading("b", 3))),
    lambda: d.Document("t", (d.Title("a"), d.Title("b"))),
]


@each("make", BAD, ids=map(str, range(len(BAD))))
def test_what_cannot_be_set_is_refused(make):
    with pytest.raises(InputError, match=r"^[A-Z]\w+: .*must .*, got "):
        make()


def test_an_error_names_the_block_the_field_and_the_place():
    with pytest.raises(InputError, match=r"^Table: rows\[1\]\[0\] must be text") as caught:
        d.Table((d.Column("a"),), (("x",), (3,)))
    assert caught.value.value == 3


def test_headings_may_step_back_any_number_of_levels():
    levels = (1, 2, 3, 1, 2, 2)
    d.Document("t", tuple(d.Heading("a", level) for level in levels))


@given(
    st.text("aλ \n\r\t\0\x1b\x7f\x9b\xa0\xad\u200b\u202e\u2028\ufeff\ud800\ue000\uffff漢😀e\u0301")
)
@example("".join(map(chr, range(sys.maxunicode + 1))))
def test_no_text_keeps_what_nobody_could_see(text):
    stored = d.Bold(text).text
    stored.encode("utf-8")
    assert all(c == "\n" or c.isprintable() or c in "\u00a0\u00ad" or ord(c) > 0x9F for c in stored)


def test_invisible_characters_become_visible():
    hostile = "a\x00b\ud800c\u202ed\ufeffe\x1b[31mf\u2028g"
    assert d.Bold(hostile).text == "a�b�c�d�e�[31mf�g"
    assert d.Bold("a\r\nb\tc").text == "a\nb    c"
    assert d.Bold("Ελληνικά 漢字 עברית").text == "Ελληνικά 漢字 עברית"


def test_row_widths_fill_the_text_width():
    widths = d.row_widths(2, 1, 1)
    assert widths[0] == pytest.approx(2 * widths[1]) == pytest.approx(2 * widths[2])
    assert sum(widths) + 2 * 6 / 25.4 == pytest.approx(174 / 25.4)


def test_plain_text_of_every_span():
    spans = ("a ", d.Bold("b"), d.Code(" c "), d.MathSpan("alpha", r"\alpha", "α"))
    assert d.plain_text(spans) == "a b c α"
    assert d.plain_text("x") == "x"


def test_to_dict_is_json_and_says_everything(sample):
    document = sample.build()
    data = json.loads(json.dumps(document.to_dict()))
    assert data["schema"] == "convex_analyzer.document/1"
    assert [block["type"] for block in data["blocks"]][:3] == ["title", "cards", "heading"]
    names = {type(block).__name__ for block in document.blocks}
    assert names == {kind.__name__ for kind in d.Block.__subclasses__()}  # nothing is left out
    assert sample.MARKUP in json.dumps(data, ensure_ascii=False).replace("\\\\", "\\").replace(
        '\\"', '"'
    )
    assert document == sample.build()
    assert document.to_dict() == sample.build().to_dict()


def test_to_dict_tells_different_blocks_apart():
    texts = [d.Paragraph("a"), d.Note("a"), d.Heading("a"), d.Title("a")]
    assert len({json.dumps(block.to_dict(), sort_keys=True) for block in texts}) == 4
    assert d.Figure(SVG, "c", "a").to_dict()["svg"] == SVG.decode()
