"""Markdown is read back by an independent parser, and says what the document says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.reporting import document as d
from convex_analyzer.reporting.markdown import to_markdown, write_markdown

markdown_it = pytest.importorskip("markdown_it")
PARSER = markdown_it.MarkdownIt("commonmark").enable("table")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10pt" height="10pt"/>'


def shown(text: str) -> list[tuple[str, str]]:
    """(kind of block, text that a reader sees) for every line of text in rendered Markdown."""
    found, kind = [], ""
    for token in PARSER.parse(text):
        kind = token.type.removesuffix("_open") if token.nesting == 1 else kind
        if token.type == "inline":
            breaks = ("softbreak", "hardbreak")
            parts = ("\n" if child.type in breaks else child.content for child in token.children)
            found.append((kind, "".join(parts)))
        elif token.type in ("fence", "code_block", "html_block", "hr"):
            found.append((token.type, token.content))
    return found


def words(*blocks) -> list[tuple[str, str]]:
    return shown(to_markdown(d.Document("t", blocks)))


LABELS = st.text(
    alphabet=st.sampled_from(list("ab1 *_`#$<>[]()!|\\~&;:+-=.@/\"'λ漢\n")), min_size=1, max_size=30
).filter(str.strip)


@given(LABELS)
def test_any_label_comes_out_literally(label):
    lines = "\n".join(line.strip() for line in label.split("\n")).strip("\n")
    paragraphs = [part for part in lines.split("\n\n") if part.strip("\n")]
    found = words(d.Paragraph(label))
    assert [kind for kind, _ in found] == ["paragraph"] * len(found)
    assert [text for _, text in found] == [part.strip("\n") for part in paragraphs]


@given(LABELS, LABELS)
def test_labels_keep_their_cells(first, second):
    table = d.Table((d.Column(first), d.Column("b")), ((second, d.Code("x|y")), ("", first)))
    cells = [(kind, text.strip()) for kind, text in words(table)]
    flat = [" ".join(label.split("\n")).strip() for label in (first, second)]
    assert cells == [
        ("th", flat[0]), ("th", "b"), ("td", flat[1]), ("td", "x|y"), ("td", ""), ("td", flat[0]),
    ]  # fmt: skip


@given(LABELS)
def test_code_keeps_every_letter(label):
    code = label.replace("\n", " ").strip()
    assert words(d.Paragraph(("x ", d.Code(code), " y"))) == [("paragraph", f"x {code} y")]


@given(LABELS)
def test_a_code_block_keeps_every_letter(label):
    assert words(d.CodeBlock(label)) == [("fence", label + "\n")]


def test_headings_title_and_quotes():
    text = to_markdown(
        d.Document(
            "t",
            (
                d.Title("Report", ("κ = 100", "seed 0")),
                d.Heading("One"),
                d.Heading("Two", 2),
                d.Cards((d.Card("ok", "Stable.", "α fits"), d.Card("bad", "Slow.", "a\nb"))),
                d.PageBreak(),
            ),
            footer="made by convex_analyzer",
        )
    )
    assert text.startswith("# Report\n\nκ = 100 · seed 0\n\n## One\n\n### Two\n\n> ✓ **Stable.**")
    assert "> ✗ **Slow.** a  \n> b\n\n---\n\nmade by convex\\_analyzer\n" in text
    quotes = [token for token in PARSER.parse(text) if token.type == "blockquote_open"]
    assert len(quotes) == 2


def test_tables_have_alignment_number_and_note():
    columns = (d.Column("a"), d.Column("b", "right"), d.Column("c", "center"))
    table = d.Table(columns, (("1", "2", d.Chip("warn", "possible")),), "Numbers.", "small")
    assert to_markdown(d.Document("t", (table, table))) == (
        "**Table 1.** Numbers.\n\n| a | b | c |\n| :--- | ---: | :---: |\n"
        "| 1 | 2 | ! possible |\n\nsmall\n\n"
        "**Table 2.** Numbers.\n\n| a | b | c |\n| :--- | ---: | :---: |\n"
        "| 1 | 2 | ! possible |\n\nsmall\n"
    )


def test_figures_leave_their_words_and_are_numbered():
    one = d.Figure(SVG, "How to read.", "What it says.")
    text = to_markdown(d.Document("t", (one, d.FigureRow((one, one)))))
    assert text.count("How to read.  \n(What it says.)") == 3
    assert "**Figure 3.**" in text
    assert "svg" not in text


def test_math_is_latex_and_never_ends_a_cell():
    norm = d.MathSpan("norm(x)", r"\|x\| + \left|y\right|", "‖x‖ + |y|")
    table = d.Table((d.Column((norm,)),), (((norm,),),))
    assert [text for _, text in words(table)] == [r"$\Vert x\Vert  + \left\vert y\right\vert$"] * 2
    assert r"$\|x\| + \left|y\right|$" in to_markdown(d.Document("t", (d.Paragraph((norm,)),)))
    assert "$$\n\\alpha\n$$" in to_markdown(d.Document("t", (d.Math("alpha", r"\alpha", "α"),)))


def test_derivation_lines_keep_number_reason_check_and_verdict():
    line = d.DerivationLine(
        "Gradient", "A is symmetric", d.Math("g", "g", "g"), "residual 0", d.Chip("ok", "proved")
    )
    text = to_markdown(d.Document("t", (d.DerivationLines((line, line), start=4),)))
    assert "**5. Gradient** — A is symmetric\n\n$$\ng\n$$\n\n✓ proved: residual 0\n" in text


@given(LABELS)
def test_bold_words_come_out_literally(label):
    flat = label.replace("\n", " ").strip()
    text = to_markdown(d.Document("t", (d.Paragraph(("see ", d.Bold(flat))),)))
    assert shown(text) == [("paragraph", f"see {flat}")]
    kinds = [child.type for token in PARSER.parse(text) for child in token.children or ()]
    assert "strong_open" in kinds


def test_bold_leaves_spaces_outside():
    assert words(d.Paragraph(("a", d.Bold(" "), "b"))) == [("paragraph", "a b")]
    assert words(d.Paragraph(("a", d.Bold(" b "), "c"))) == [("paragraph", "a b c")]
    assert "a **b** c" in to_markdown(d.Document("t", (d.Paragraph(("a", d.Bold(" b "), "c")),)))


def test_the_whole_sample(sample, tmp_path):
    (path,) = write_markdown(sample.build(), tmp_path / "out.md")
    seen = [text for _, text in shown(path.read_text("utf-8"))]
    assert sample.MARKUP in seen
    assert any(sample.SCRIPTS in text for text in seen)
    assert path.read_bytes().endswith(b"\n")


def test_a_long_table_is_folded_and_an_embedded_page_is_named():
    columns = (d.Column("step", "right"),)
    table = d.Table(columns, tuple((f"{k}",) for k in range(21)), "Every step.", "small print")
    text = to_markdown(d.Document("t", (table, d.Embed("<p>", "Explorer", "See *explore*."))))
    assert text.startswith(
        "**Table 1.** Every step.\n\n<details>\n<summary>Table 1: 21 rows</summary>\n\n| step |\n"
    )
    assert "| 20 |\n\n</details>\n\nsmall print\n\nSee \\*explore\\*.\n" in text
    assert "<p>" not in text
    short = d.Table(columns, (("1",),) * 20)
    assert "<details>" not in to_markdown(d.Document("t", (short,)))
