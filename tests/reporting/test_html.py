"""One HTML file: what it holds, what it cannot do, and that a browser agrees."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import importlib.util
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer.errors import InputError
from convex_analyzer.reporting import document as d
from convex_analyzer.reporting.html import render_html, write_html
from convex_analyzer.reporting.html_page import scripts_of
from convex_analyzer.reporting.html_svg import inline_svg

HERE = Path(__file__).parent
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    b'width="72pt" height="36pt"><!-- by hand --><metadata>made today</metadata>'
    b'<defs><style type="text/css">*{stroke-linecap: butt} #p, text {fill: red}</style>'
    b'<path id="p" d="M0 0"/><clipPath id="c"><rect/></clipPath></defs>'
    b'<g id="unused" clip-path="url(#c)"><use xlink:href="#p" class="x"/>'
    b"<text>a &lt; b <tspan>c</tspan> d</text></g></svg>"
)


class Page(html.parser.HTMLParser):
    """The elements of a page with their attributes, its words, and that everything is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script", "annotation", "math", "button"} & set(self.open):
            self.words.append(data)

    def tags(self, *names):
        return [attributes for tag, attributes in self.elements if tag in names]

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


def flat(text):
    return re.sub(r"\s+", " ", text).strip()


def rich_texts(value):
    """Every text of a document that is to be read, outside of formulas."""
    unread = {"kind", "align", "width", "svg", "alt", "html", "language", "unless_free"}
    unread |= {"title"} if isinstance(value, d.Document | d.Embed) else set()
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from rich_texts(item)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, d.MathSpan | d.Math):
        for name in set(value.__dataclass_fields__) - unread:
            yield from rich_texts(getattr(value, name))


@pytest.fixture(scope="module")
def text(sample):
    return render_html(sample.build())


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


# -- what it says ----------------------------------------------------------------------------------


def test_every_word_and_number_stands_on_the_page(sample, page):
    said = flat("".join(page.words))
    texts = [flat(words) for words in rich_texts(sample.build())]
    assert len(texts) > 300
    assert [words for words in texts if words not in said] == []


def test_labels_are_never_markup(sample, page):
    assert not page.tags("f")  # the sample holds "<f>"
    document = d.Document(
        '</title><script>alert("1")</script>',
        (
            d.Paragraph("<img src=x onerror=alert(1)> & &lt;"),
            d.Figure(SVG, "</figcaption>", '"><script>x</script>'),
            d.CodeBlock("</code></pre><script>"),
            d.Heading('" onclick="x'),
            d.Embed("<p>in</p>", '"><script>', "</iframe><script>"),
        ),
        footer="</footer><script>",
    )
    found = Page(render_html(document))
    assert len(found.tags("script")) == 1
    assert not found.tags("img")
    assert all(not name.startswith("on") for _, names in found.elements for name in names)
    assert found.tags("svg")[0]["aria-label"] == '"><script>x</script>'


def test_one_heading_landmarks_language_and_contents(sample, page):
    assert len(page.tags("h1")) == len(page.tags("main")) == len(page.tags("footer")) == 1
    assert page.tags("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    links = [link["href"] for link in page.tags("a")]
    assert links[0] == "#main"
    assert len(links) == 1 + sum(isinstance(b, d.Heading) for b in sample.build().blocks)
    assert len(set(page.ids)) == len(page.ids)
    assert {link[1:] for link in links} <= set(page.ids)


def test_without_a_title_block_the_page_still_has_a_heading():
    found = Page(render_html(d.Document("Toy", (d.Paragraph("x"),), language="de")))
    assert len(found.tags("h1")) == 1
    assert not found.tags("nav", "footer")
    assert found.tags("html") == [{"lang": "de"}]


def test_tables_say_what_their_cells_belong_to(page):
    assert all(cell["scope"] in ("row", "col") for cell in page.tags("th"))
    assert len(page.tags("caption")) == 3
    scrolled = [
        attributes for _, attributes in page.elements if "scroll" in str(attributes.get("class"))
    ]
    assert all(place["tabindex"] == "0" and place["aria-label"] for place in scrolled)
    assert {cell.get("class") for cell in page.tags("td")} == {None, "right", "center"}
    assert {"style": "width:20%"} in page.tags("col")


def test_lists_chips_and_cards_speak_without_colour(page, text):
    signs = [span["aria-label"] for span in page.tags("span") if span.get("class") == "badge"]
    assert set(signs) == {"good", "problem", "caution", "note"}
    assert '<span class="chip warn"><span aria-hidden="true">!</span> plausible</span>' in text
    start = d.DerivationLines(tuple(sample_lines()), start=5)
    assert '<ol class="derivation" start="5" style="--before:4">' in render_html(
        d.Document("t", (start,))
    )


def sample_lines():
    formula = d.Math("x", "x", "x")
    yield d.DerivationLine("Line", "", formula, "", d.Chip("ok", "proved"))


def test_the_page_is_xml_as_well(text):
    root = ET.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
    assert [child.tag for child in root] == ["head", "body"]


# -- what it cannot do -----------------------------------------------------------------------------


def test_nothing_can_be_loaded_and_only_known_scripts_run(text, page):
    (policy,) = (m["content"] for m in page.tags("meta") if "http-equiv" in m)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["font-src"] == rules["img-src"] == "data:"
    scripts = scripts_of(text)
    (inner,) = (frame["srcdoc"] for frame in page.tags("iframe"))
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in
              (*scripts, *scripts_of(inner))]  # fmt: skip
    assert len(scripts) == 1
    assert rules["script-src"].split() == [f"'sha256-{one}'" for one in hashes]
    assert page.tags("iframe")[0]["sandbox"] == "allow-scripts allow-downloads"
    assert not page.tags("link", "img", "object", "base")
    assert all("src" not in attributes for _, attributes in page.elements)
    assert all(link["href"].startswith("#") for link in page.tags("a", "use"))
    assert set(re.findall(r"url\(\"?([^)]{8})", text)) <= {"data:fon"}
    assert not re.search("https?:", text)


def test_an_embedded_page_holds_its_scripts():
    data = "<script type='application/json'>{}</script><script>one()</script>\r\n<script></script>"
    block = d.Embed(data, "Data", "left out")
    assert scripts_of(block.html) == ("one()", "")
    assert block.to_dict() == {"type": "embed", "title": "Data", "fallback": ["left out"]}
    loaded = d.Document("t", (d.Embed('<script src="x.js"></script>', "Loads", "left out"),))
    with pytest.raises(InputError, match=r"must hold its scripts, got one from 'x\.js'"):
        render_html(loaded)
    still = render_html(d.Document("t", (block, d.CodeBlock("c"))), scripts=False)
    assert "script-src 'none'" in still
    assert not Page(still).tags("script", "button")
    with pytest.raises(InputError, match="text of an HTML page"):
        d.Embed("no page", "t", "f")


# -- pictures --------------------------------------------------------------------------------------


def test_pictures_share_no_names_and_keep_their_style_to_themselves():
    figure = d.Figure(SVG, "How.", "What.")
    text = render_html(d.Document("t", (figure, d.FigureRow((figure, figure)))))
    found = Page(text)
    assert len(set(found.ids)) == len(found.ids)
    assert {f"f{n}-{name}" for n in (1, 2, 3) for name in "pc"} <= set(found.ids)
    assert found.tags("use") == [{"href": f"#f{n}-p"} for n in (1, 2, 3)]
    assert "f2-unused" not in text
    assert "#f2 * {stroke-linecap: butt}" in text
    assert "#f3 #f3-p, #f3 text {fill: red}" in text
    assert 'clip-path="url(#f1-c)"' in text
    assert "made today" not in text
    assert "<text>a &lt; b <tspan>c</tspan> d</text>" in text
    assert inline_svg(SVG, "a", "f")[1:] == (96.0, 48.0)
    assert text.count("<figcaption><b>Figure 3.</b>") == 1


def svg(inside=b"", head=b'width="3" height="2"'):
    return b'<svg xmlns="http://www.w3.org/2000/svg" %s>%s</svg>' % (head, inside)


@each(
    ("file", "says"),
    [
        (b"<svg", "cannot be read"),
        (b"<p><svg/></p>", "must be an SVG file"),
        (svg(head=b""), "neither a size nor a viewBox"),
        (svg(head=b'viewBox="0 0 x 3"'), "neither a size nor a viewBox"),
        (svg(b"<script/>"), "cannot hold <script>"),
        (svg(b"<foreignObject/>"), "cannot hold <foreignObject>"),
        (svg(b'<g onclick="x"/>'), "cannot hold 'onclick'"),
        (svg(b'<image href="http://a/b.png"/>'), "refers to another file"),
        (svg(b'<image href="data:image/svg+xml,x"/>'), "refers to another file"),
        (svg(b'<g fill="url(http://a)"/>'), "refers to another file"),
        (svg(b"<style>@import 'x'</style>"), "style rules"),
        (svg(b"<style>p {fill: url(x.svg)}</style>"), "refers to another file"),
    ],
    ids=map(str, range(12)),
)
def test_a_picture_that_could_load_or_run_is_refused(file, says):
    with pytest.raises(InputError, match=says):
        inline_svg(file, "a", "f1")


def test_sizes_of_pictures():
    box = svg(b'<image href="data:image/png;base64,aa"/>', b'viewBox="0,0 30 20" style="fill:red"')
    made = inline_svg(box, "a", "f1")
    assert made[1:] == (30.0, 20.0)
    assert made.svg.startswith('<svg viewBox="0 0 30 20" role="img" aria-label="a" id="f1" style=')
    tall = d.Figure(svg(head=b'width="1in" height="30in"'), "c", "a", 0.5)
    text = render_html(d.Document("t", (tall,)))
    assert "--min:33px;--max:33px" in text
    assert '<figure id="figure-1" style="--share:0.5">' in text


# -- files -----------------------------------------------------------------------------------------


def test_the_file_is_whole_and_never_an_input(tmp_path, text, sample):
    target = tmp_path / "page.html"
    assert write_html(sample.build(), target) == (target,)
    assert target.read_text(encoding="utf-8") == text
    with pytest.raises(InputError, match="input of this run"):
        write_html(sample.build(), target, inputs=[target])
    with pytest.raises(InputError, match="must be a Document"):
        render_html("text")


def test_fonts_come_along_only_where_they_are_needed(text):
    fonts = list(Path(ca.__file__).parent.glob("reporting/web/fonts/*.woff2"))
    assert sum(font.stat().st_size for font in fonts) <= 80_000
    assert all(list(font.parent.glob(f"{font.name[:8]}*OFL.txt")) for font in fonts)
    words = render_html(d.Document("t", (d.Paragraph("No formula."),)))
    assert words.count("@font-face") == 4
    assert text.count("@font-face") == 5


def test_bytes_are_the_same_in_every_process():
    program = (
        "import sys\n"
        "from convex_analyzer.reporting import document as d\n"
        "from convex_analyzer.reporting.html import render_html\n"
        "figure = d.Figure(sys.stdin.buffer.read(), 'How.', 'What.')\n"
        "table = d.Table((d.Column('a'),), (((d.MathSpan('x_(1)', 'x', 'x'),),),), 'Numbers.')\n"
        "blocks = (d.Heading('A'), figure, figure, table, d.Embed('<p>', 't', 'f'))\n"
        "sys.stdout.buffer.write(render_html(d.Document('t', blocks)).encode())"
    )
    made = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            input=SVG,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1]
    assert made[0].startswith(b"<!DOCTYPE html>")


# -- in a browser ----------------------------------------------------------------------------------


@pytest.mark.survey
def test_a_browser_loads_one_file_and_has_nothing_to_complain_about(tmp_path, text):
    spec = importlib.util.spec_from_file_location("reporting_browser", HERE / "browser.py")
    browser = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = browser
    spec.loader.exec_module(browser)
    if reason := browser.missing():
        pytest.skip(reason)
    target = tmp_path / "page.html"
    target.write_text(text, encoding="utf-8")
    with browser.browser() as started, browser.opened(started, target) as seen:
        frame = seen.page.locator("iframe")
        frame.scroll_into_view_if_needed()
        inner = seen.page.frame_locator("iframe").locator("#seen")
        inner.wait_for()
        assert inner.inner_text() == "a & b < c"  # its own script ran
        seen.page.locator(".code button").first.click()
        seen.page.locator(".said", has_text="copied").wait_for(state="attached")
        wide = seen.page.locator(".scroll[tabindex]").count()
        assert seen.overflow() <= 0
        seen.page.set_viewport_size({"width": 375, "height": 800})
        assert seen.overflow() <= 0
        narrow = seen.page.locator(".scroll[tabindex]").count()
        assert 0 < wide < narrow < seen.page.locator(".scroll").count()
        assert seen.requests == [target.as_uri()]
        assert seen.axe() == []
        assert seen.complaints == []
