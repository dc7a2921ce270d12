"""Pages: tagged, reproducible, nothing cut, every letter there; clear words where that fails."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from cases import each

from convex_analyzer.errors import InputError, MissingDependencyError
from convex_analyzer.reporting import document as d
from convex_analyzer.reporting import typst as pages

pytest.importorskip("typst")

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt" viewBox="0 0 72 36">'
    b'<text x="2" y="20" font-family="DejaVu Sans" font-size="8">in the picture</text></svg>'
)


def page(*blocks, **fields) -> d.Document:
    return d.Document("t", blocks, **fields)


def streams(pdf: bytes) -> bytes:
    """Every stream of a PDF, unpacked."""
    found = b""
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found += zlib.decompress(match[1])
        except zlib.error:
            found += match[1]
    return found


def letters(pdf: bytes) -> set[str]:
    """The letters that copying gives: targets of ToUnicode maps, and texts of shared glyphs."""
    content = streams(pdf)
    found = re.findall(rb"<[0-9a-fA-F]+>\s*<([0-9a-fA-F]+)>", content)
    texts = [bytes.fromhex(line.decode()) for line in found]
    shared = re.findall(rb"/ActualText\(((?:[^()\\]|\\.)*)\)", content, re.DOTALL)
    texts += [unescape(raw).removeprefix(b"\xfe\xff") for raw in shared]
    texts += [bytes.fromhex(h.decode()) for h in re.findall(rb"/ActualText<(\w+)>", content)]
    return set("".join(text.decode("utf-16-be", "replace") for text in texts))


def ink(png: bytes, below: float = 0.97) -> np.ndarray:
    """Rows x columns, True where a page is darker than this grey."""
    from matplotlib.image import imread

    return imread(io.BytesIO(png))[..., :3].mean(axis=-1) < below


# -- what the PDF is -------------------------------------------------------------------------------


def test_the_pdf_is_tagged_and_carries_no_date(pdf):
    assert re.search(rb"<pdfuaid:part>1</pdfuaid:part>|pdfuaid:part=\"1\"", pdf)
    assert b"/StructTreeRoot" in pdf
    assert b"/Marked true" in pdf
    assert b"/Lang(en)" in pdf
    assert b"Sample: every block" in pdf
    assert not re.search(rb"CreationDate|ModDate|CreateDate|ModifyDate|MetadataDate", pdf)


def test_every_figure_and_formula_has_its_words(sample, pdf):
    words = set(re.findall(rb"/Alt\(((?:[^()\\]|\\.)*)\)", pdf))
    figures = [block for block in sample.build().blocks if isinstance(block, d.Figure)]
    assert {figure.alt.encode() for figure in figures} <= words
    formulas = [block for block in sample.build().blocks if isinstance(block, d.Math)]
    texts = {text.decode("utf-16-be") for text in utf16_strings(pdf)}
    assert {formula.alt for formula in formulas} <= texts | {w.decode("latin-1") for w in words}


def utf16_strings(pdf: bytes) -> list[bytes]:
    """Alternative texts beyond ASCII: hexadecimal or escaped strings that begin with a mark."""
    found = [bytes.fromhex(h.decode()) for h in re.findall(rb"/Alt<([0-9A-Fa-f]+)>", pdf)]
    escaped = re.findall(rb"/Alt\((\xfe\xff(?:[^()\\]|\\.)*)\)", pdf, re.DOTALL)
    found += [unescape(raw) for raw in escaped]
    return [text[2:] for text in found if text.startswith(b"\xfe\xff")]


def unescape(raw: bytes) -> bytes:
    names = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def one(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8)]) if code.isdigit() else names.get(code, code)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, raw, flags=re.DOTALL)


def test_fonts_are_embedded_and_every_label_can_be_copied(sample, pdf):
    fonts = set(re.findall(rb"/FontName/[A-Z]{6}\+([A-Za-z]+)", pdf))
    assert {b"LibertinusSerif", b"DejaVuSansMono"} <= {font.split(b"-")[0] for font in fonts}
    assert len(re.findall(rb"/FontFile[23]?\b", pdf)) == len(
        re.findall(rb"/Type/FontDescriptor", pdf)
    )
    wanted = set(sample.MARKUP + sample.SCRIPTS + sample.LONG) - {" "}
    assert wanted - letters(pdf) == set()


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed")
def test_the_text_can_be_selected_in_reading_order(sample, pdf, tmp_path):
    (tmp_path / "x.pdf").write_bytes(pdf)
    run = ["pdftotext", "-raw", "x.pdf", "-"]
    text = subprocess.run(run, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    assert sample.MARKUP in text
    assert "漢字, ひらがな, 한국어, 😀" in text
    assert "spectrum ruler" in text  # inside the picture
    assert sample.LONG in text.replace("\n", "")
    places = [text.index(words) for words in ("Convergence report", "Spectrum", "Derivation")]
    assert places == sorted(places)
    assert "q55" in text
    assert text.count("direction λ") == 2  # the header of the long table, repeated


def test_bytes_are_the_same_in_fresh_processes(sample_path, pdf, tmp_path):
    for seed in ("0", "1"):
        out = tmp_path / f"{seed}.pdf"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, str(sample_path), str(out)]
        subprocess.run(command, env=environment, check=True, cwd=tmp_path)
        assert out.read_bytes() == pdf


def test_no_file_of_the_user_and_no_font_of_the_machine_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = pages.render_pdf(page(d.Paragraph("a")))
    (tmp_path / "template.typ").write_text("#panic()")
    monkeypatch.setenv("TYPST_FONT_PATHS", str(tmp_path))
    assert pages.render_pdf(page(d.Paragraph("a"))) == before
    assert [path.name for path in tmp_path.iterdir()] == ["template.typ"]
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert pages.render_pdf(page(d.Paragraph("a"))) == before


# -- what the pages look like ----------------------------------------------------------------------


def test_nothing_leaves_the_margins_and_no_page_is_empty(sample):
    sheets = pages.render_png(sample.build(), ppi=72)
    assert len(sheets) == 5
    for sheet in sheets:
        marks = ink(sheet)
        height, width = marks.shape
        assert (width, height) == (595, 842)
        left, right = np.flatnonzero(marks.any(axis=0))[[0, -1]]
        assert left >= 18 / 210 * width - 2
        assert right <= 192 / 210 * width + 2
        rows = np.flatnonzero(marks.any(axis=1))
        assert rows[0] >= 16 / 297 * height - 2
        assert rows[-1] <= 290 / 297 * height


def test_page_fill_measures_what_is_filled():
    one, many = d.Paragraph("word"), tuple(d.Paragraph("word") for _ in range(30))
    (nearly_empty,) = pages.page_fill(page(one))
    (half,) = pages.page_fill(page(*many))
    assert 0.005 < nearly_empty < 0.03
    assert 0.4 < half < 0.8
    assert len(pages.page_fill(page(one, d.PageBreak(), one))) == 2


def count(*blocks) -> int:
    return len(pages.render_png(page(*blocks), ppi=20))


def test_page_breaks():
    one, many = d.Paragraph("word"), tuple(d.Paragraph("word") for _ in range(30))
    assert count(one, one) == 1
    assert count(one, d.PageBreak(), one) == 2
    assert count(one, d.PageBreak(), d.PageBreak(), one) == 2
    assert count(one, d.PageBreak(0.5), one) == 1
    assert count(*many, d.PageBreak(0.1), one) == 1
    assert count(*many, d.PageBreak(0.8), one) == 2
    assert count(*many, d.PageBreak(0.8), one, d.PageBreak(0.8), one) == 2


def test_long_tables_break_between_rows_only():
    tall = "a b c d e f g h " * 40
    table = d.Table((d.Column("x", width=0.2), d.Column("y")), tuple((tall, "") for _ in range(7)))
    fills = pages.page_fill(page(table))
    (whole,) = pages.page_fill(page(d.Table(table.columns, table.rows[:1])))
    rows = [round(fill / whole) for fill in fills]
    assert sum(rows) == 7
    assert len(fills) > 1


def test_the_note_of_a_long_table_stands_once_at_its_end():
    columns, rows = (d.Column("x"),), (("y",),) * 60
    plain = pages.render_png(page(d.Table(columns, rows)))
    noted = pages.render_png(page(d.Table(columns, rows, note="small print")))
    assert len(plain) == len(noted) == 2
    assert noted[0] == plain[0]
    assert noted[1] != plain[1]


def test_a_tall_picture_is_made_to_fit_its_page():
    tall = SVG.replace(b'height="36pt"', b'height="3600pt"').replace(b"72 36", b"72 3600")
    assert count(d.Figure(tall, "caption", "alt")) == 1


def test_wide_things_stay_between_the_margins():
    word = "x" * 300
    formula = d.Math("mat(" + ", ".join(["alpha beta gamma"] * 30) + ")", "x", "x")
    line = d.DerivationLine("t", "r", formula, word, d.Chip("ok", "proved"))
    blocks = (
        d.Title(word),
        d.Heading(word),
        d.Paragraph((d.Bold(word), d.Code(word))),
        d.Note(word),
        d.CodeBlock(word),
        d.Cards(tuple(d.Card("ok", word, word) for _ in range(3)), columns=3),
        d.Table((d.Column(word), d.Column("b")), ((word, d.Bold(word)), (d.Code(word), "x"))),
        d.Table(tuple(d.Column("column") for _ in range(40)), (("1.234e-56",) * 40,)),
        d.KeyValues((("name", word),)),
        d.Figure(SVG, word, "alt"),
        formula,
        d.DerivationLines((line,)),
    )
    for block in blocks:
        (sheet,) = pages.render_png(page(block), ppi=72)
        columns = np.flatnonzero(ink(sheet)[:780].any(axis=0))
        assert columns[0] >= 49, block
        assert columns[-1] <= 546, block


def test_kinds_differ_in_grey():
    looks = set()
    for kind in ("ok", "bad", "warn", "info"):
        cards = page(
            d.Cards((d.Card(kind, "T", "t"),)), d.Table((d.Column("a"),), ((d.Chip(kind, "c"),),))
        )
        looks.add(ink(pages.render_png(cards, ppi=72)[0], below=0.5).tobytes())
    assert len(looks) == 4


def test_letters_without_glyph_show_and_can_be_copied():
    without = ["漢", "\u0378", "\uffff", "\U0010ffff", "\ue000", "🫨", "ก"]
    copied = letters(pages.render_pdf(page(*map(d.Paragraph, without))))
    assert set(without) <= set(copied)
    (dot,) = pages.render_png(page(d.Paragraph(".")))
    for letter in without:
        (shown,) = pages.render_png(page(d.Paragraph(letter)))
        assert ink(shown).sum() > ink(dot).sum() + 5, letter


@each("letter", ["\x00", "\ufeff", "\ufffe", "\ud800", "\u202e", "\u2028"])
def test_a_letter_that_no_pdf_may_hold_becomes_visible(letter):
    table = d.Table((d.Column(f"a{letter}"),), ((letter,),), caption=letter)
    pdf = pages.render_pdf(page(d.Paragraph(letter), table, d.CodeBlock(letter), footer=letter))
    assert "\ufffd" in letters(pdf)


def test_the_language_is_the_one_of_the_document():
    assert b"/Lang(de)" in pages.render_pdf(page(d.Paragraph("a"), language="de"))


# -- files -----------------------------------------------------------------------------------------


def test_one_page_takes_the_name_and_several_are_numbered(tmp_path):
    one = d.Paragraph("a")
    assert pages.write_png(page(one), tmp_path / "one.png") == (tmp_path / "one.png",)
    three = (one, d.PageBreak(), one, d.PageBreak(), one)
    paths = pages.write_png(page(*three), str(tmp_path / "out.v1.png"), ppi=30)
    assert [path.name for path in paths] == ["out.v1-1.png", "out.v1-2.png", "out.v1-3.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    ten = pages.write_png(page(*(one, d.PageBreak()) * 10), tmp_path / "x.png", ppi=20)
    assert ten[0].name == "x-01.png"
    assert len(list(tmp_path.iterdir())) == 14


def test_resolution():
    document = page(d.Paragraph("a"))
    assert ink(pages.render_png(document, ppi=36)[0]).shape == (421, 297)
    for ppi in (0, 19, 601, float("nan")):
        with pytest.raises(InputError, match="ppi must be from 20 to 600"):
            pages.render_png(document, ppi=ppi)


def test_pdf_file(sample, pdf, tmp_path):
    assert pages.write_pdf(sample.build(), tmp_path / "x.pdf") == (tmp_path / "x.pdf",)
    assert (tmp_path / "x.pdf").read_bytes() == pdf
    with pytest.raises(InputError, match="input of this run"):
        pages.write_pdf(sample.build(), tmp_path / "x.pdf", inputs=[tmp_path / "x.pdf"])


# -- what goes wrong -------------------------------------------------------------------------------


@each("formula", ["frac(1", "foo", "x_", '"a', "x $ y"])
def test_a_formula_that_is_none_is_named(formula):
    good = d.MathSpan("alpha", "x", "x")
    blocks = (
        d.Paragraph((good, "b")),
        d.Table((d.Column("a"),), (((d.MathSpan(formula, "x", "x"),),),)),
    )
    with pytest.raises(InputError, match=re.escape(repr(formula)) + " is not Typst math"):
        pages.render_pdf(page(*blocks))


def test_a_broken_picture_is_an_error():
    with pytest.raises(InputError, match="cannot be laid out: failed to parse SVG"):
        pages.render_pdf(page(d.Figure(b"<svg broken", "caption", "alt")))


def test_only_documents_are_laid_out():
    with pytest.raises(InputError, match="must be a Document, got an object of type dict"):
        pages.render_pdf({"schema": "convex_analyzer.document/1"})


def test_without_typst_the_error_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "convex-analyzer\[report\]"'):
        pages.write_pdf(page(d.Paragraph("a")), tmp_path / "x.pdf")
    assert list(tmp_path.iterdir()) == []


def test_fonts_are_found_without_matplotlib_where_it_keeps_them_elsewhere(monkeypatch):
    usual = pages._matplotlib_fonts()
    assert (Path(usual) / "DejaVuSans.ttf").is_file()
    monkeypatch.setattr(pages.importlib.util, "find_spec", lambda _: None)
    assert Path(pages._matplotlib_fonts()).samefile(usual)


def test_more_fonts_can_be_given(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "covering", lambda letters: ((), ""))
    folder = Path(pages._matplotlib_fonts())
    shutil.copy(folder / "cmb10.ttf", tmp_path)
    document = page(d.Paragraph("漢"))
    assert pages.render_pdf(document, fonts=[tmp_path]) == pages.render_pdf(document)


def test_letters_that_our_fonts_lack_get_one_of_the_machine_or_a_note(monkeypatch):
    document = d.Document("T", (d.Title("T"), d.Paragraph("価格 and цена")))
    before = pages._as_json(document)
    other = Path(pages._matplotlib_fonts(), "cmb10.ttf")
    for files, left in (((other,), ""), ((), "価格"), ((other,), "格")):
        monkeypatch.setattr(pages, "covering", lambda letters, found=(files, left): found)
        with pages._lent(document, before, ()) as (text, folders):
            assert [len(list(Path(folder).iterdir())) for folder in folders] == [len(files)]
        assert not Path(folders[0]).exists()
        blocks = json.loads(text)["blocks"]
        assert [block["type"] for block in blocks] == ["title", *["note"] * bool(left), "paragraph"]
        if left:
            assert f"No font on this machine has {left}:" in blocks[1]["text"][0]
    easy = d.Document("T", (d.Paragraph("цена ℝ ₁"),))
    for one, given in ((easy, ()), (document, ("x",))):  # nothing is lacking; fonts were given
        with pages._lent(one, pages._as_json(one), given) as same:
            assert same == (pages._as_json(one), given)


def test_a_letter_without_a_font_does_not_frame_its_whole_label():
    label = "<text x='9' y='30' style='font-family: DejaVu Sans'>{} price</text>"
    frame = "<svg xmlns='http://www.w3.org/2000/svg' width='200' height='50'>{}</svg>"
    lost, framed = (frame.format(label.format(sign)) for sign in ("\U000100f0", "□"))  # no font
    texts = []
    for svg in (lost, framed):
        title = d.Title("\U000100f0")  # so that both pages say that it is missing
        texts.append(d.Document("t", [title, d.Figure(svg.encode(), "c", "a")]))
    first, second = (pages.render_png(document, ppi=30) for document in texts)
    assert first == second
