"""The page in a browser: Chromium, driven by playwright; skipped where either is missing.

Neither is part of the project's own environment: ``pip install playwright`` brings the driver, and
the system's chromium is used. The accessibility test needs ``npm ci`` in the folder explorer, too.
"""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from explorer_bundle import SOURCES
from explorer_walks import TURNED, worst_deviations

import convex_analyzer as ca
from convex_analyzer.explorer import embed, page

pytestmark = pytest.mark.survey

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: make test-browser brings it"
)
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
if not BROWSER:
    pytest.skip(
        "there is no Chromium here: install it (on Debian: apt-get install chromium) to try the "
        "page in it",
        allow_module_level=True,
    )

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
AXE = SOURCES / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorer")
    problem = ca.Quadratic(TURNED, name="a <b>bold</b> name")
    ca.explore(problem, folder / "explore.html", [ca.GradientDescent(0.15), ca.HeavyBall])
    (folder / "plain.html").write_text(page(), encoding="utf-8")
    (folder / "report.html").write_text(
        f"<!doctype html><html lang=en><title>r</title><body>{embed(problem)}", encoding="utf-8"
    )
    return folder


class Visit:
    """One page, with what it asked for and complained about."""

    def __init__(self, browser, url: str, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url)
        self.settle()

    def _heard(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def settle(self) -> None:
        self.page.evaluate("() => new Promise((go) => requestAnimationFrame(() => setTimeout(go)))")

    def state(self) -> dict:
        return self.page.evaluate("() => ConvexExplorer.app.state")

    def type(self, field: str, text: str) -> None:
        self.page.fill(field, text)
        self.page.dispatch_event(field, "change")
        self.settle()

    def until(self, condition: str) -> None:
        """Wait for a condition on the state, s: keys and pointers take their time to arrive."""
        self.page.wait_for_function(
            f"() => {{ const s = ConvexExplorer.app.state; return {condition} }}"
        )

    def verdict(self) -> str:
        return self.page.inner_text("#verdict")


@pytest.fixture
def visit(browser, home):
    made: list[Visit] = []

    def go(name: str = "explore.html", hash_: str = "", **options) -> Visit:
        made.append(Visit(browser, (home / name).as_uri() + hash_, **options))
        return made[-1]

    yield go
    for one in made:
        one.context.close()


def test_one_request_and_no_complaint(visit):
    for name in ("explore.html", "plain.html", "report.html"):
        one = visit(name)
        one.page.wait_for_timeout(300)
        asked = [url for url in one.requests if not url.startswith(("data:", "about:"))]
        assert len(asked) == 1, asked
        assert one.complaints == []
        assert one.page.title()
        if name == "report.html":
            frame = one.page.frames[1]
            assert "converge" in frame.inner_text("#verdict")
            frame.press("#alpha", "ArrowRight")


def test_numbers_in_the_browser_are_those_of_python(visit):
    one = visit()

    def run(program, data):
        wrapped = f"(data) => {{ const E = ConvexExplorer; {program} }}"
        return one.page.evaluate(wrapped, data)

    worst = worst_deviations(run)
    assert max(worst.values()) < 1e-12, worst


def test_the_verdict_flips_at_the_bound(visit):
    one = visit()
    assert one.page.get_attribute("#verdict", "aria-live") == "polite"
    one.page.uncheck("#method-hb")
    heard = []
    for alpha in ("0.199", "0.2", "0.201", "0.1999999999999"):
        one.type("#alpha-number", alpha)
        heard.append(one.verdict())
    assert heard == [
        "Gradient descent converges.",
        "Gradient descent neither converges nor diverges.",
        "Gradient descent diverges.",
        "Gradient descent converges.",
    ]
    one.page.fill("#alpha-number", "0.05")  # what is being typed stays, whatever is drawn
    one.page.evaluate("() => ConvexExplorer.app.redraw(true)")
    assert one.page.input_value("#alpha-number") == "0.05"
    one.type("#alpha-number", "pink")
    assert one.page.get_attribute("#alpha-number", "aria-invalid") is not None
    assert one.state()["alpha"] == 0.1999999999999


def test_the_keyboard_does_it_all(visit):
    one = visit()
    before = one.state()
    one.page.keyboard.press("a")
    one.page.keyboard.press("ArrowRight")
    one.until(f"s.alpha > {before['alpha']}")
    one.page.keyboard.press("m")
    one.page.keyboard.press("ArrowLeft")
    one.until(f"s.mu < {before['mu']}")
    for key in ("3", "]", "]", "[", "d"):
        one.page.keyboard.press(key)
    one.until("s.chosen.join() === 'gd,hb,nag' && s.at === 1 && s.theme === 'dark'")
    one.page.focus("g.handle")
    one.page.keyboard.press("ArrowUp")
    one.until(f"s.start[1] > {before['start'][1]}")
    one.page.keyboard.press("?")
    one.page.wait_for_selector("dialog[open]")


def test_the_address_brings_everything_back(visit):
    one = visit("plain.html")
    one.page.click("summary")
    one.page.fill("#matrix", "4, 1\n1, 3")
    one.page.fill("#linear", "1, -1")
    one.page.click("#use-matrix")
    one.page.keyboard.press("5")
    one.page.wait_for_function("() => /rmsprop.*&A=/.test(location.hash)")
    address = one.page.url
    again = visit("plain.html", "#" + address.partition("#")[2])
    assert again.state() == one.state()
    assert again.state()["matrix"]["b"] == [1, -1]
    again.page.click("summary")
    again.page.fill("#matrix", "1, 2; 3, 4")
    again.page.click("#use-matrix")
    assert "symmetric" in again.page.inner_text(".said.error")
    assert again.state()["matrix"] == one.state()["matrix"]


def test_dragging_and_clicking_choose(visit):
    one = visit("plain.html", viewport={"width": 1440, "height": 1600})
    before = one.state()
    box = one.page.locator("g.handle .ring").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + 60, y - 40, steps=3)
    one.page.mouse.up()
    x, y = before["start"]
    one.until(f"s.start[0] > {x} && s.start[1] > {y}")
    map_ = one.page.locator("#figure-map svg").bounding_box()
    one.page.mouse.click(map_["x"] + map_["width"] * 0.4, map_["y"] + map_["height"] * 0.3)
    one.until(f"s.mu !== {before['mu']}")
    gap = one.page.locator("#figure-gap svg").bounding_box()
    one.page.mouse.click(gap["x"] + gap["width"] / 2, gap["y"] + 60)
    one.until("40 < s.at && s.at < 110")


def test_predict_first_hides_the_answer(visit):
    one = visit()
    one.page.click("#predict")
    one.page.wait_for_selector("#verdict", state="hidden")
    assert not one.page.is_visible("#figure-gap svg")
    one.page.fill("#guess", "300")
    one.page.press("#guess", "Enter")
    one.page.wait_for_selector("#verdict", state="visible")
    said = one.page.inner_text(".answer")
    assert re.search(r"It takes \d+; you said 300", said), said


def test_a_saved_figure_is_a_whole_svg(visit):
    one = visit()
    for figure in ("gap", "map"):
        with one.page.expect_download() as download:
            one.page.click(f"#figure-{figure} button.quiet")
        text = download.value.path().read_text("utf-8")
        assert text.startswith("<svg xmlns")
        assert "var(" not in text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
        assert one.page.evaluate(
            "(text) => !new DOMParser().parseFromString(text, 'image/svg+xml')"
            ".querySelector('parsererror')",
            text,
        )
        assert ("data:image/png" in text) == (figure == "map")


def test_it_fits_a_telephone_and_a_large_screen(visit):
    for width in (375, 1440):
        one = visit(viewport={"width": width, "height": 800})
        assert one.page.evaluate("() => document.documentElement.scrollWidth") <= width
        sizes = one.page.evaluate(
            "() => [...document.querySelectorAll('svg text')].map("
            "(e) => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 11
    inside = visit("report.html", viewport={"width": 350, "height": 800}).page.frames[1]
    inside.wait_for_selector("#verdict")
    table = "(e) => [e.scrollWidth, e.clientWidth]"
    needed, given = inside.locator(".verdict .scroll").evaluate(table)
    assert needed <= given


def test_a_redraw_is_quick(visit, record_property):
    one = visit("plain.html", "#o=gd,hb,nag&a=0.15&m=0.8")
    times = one.page.evaluate(
        """() => {
          const { app } = ConvexExplorer;
          const times = (alter) => Array.from({ length: 60 }, (_, i) => {
            alter(i);
            return app.redraw();
          }).slice(20).sort((a, b) => a - b)[20];
          const alpha = times((i) => { app.state.alpha = 0.1 + 0.001 * i; });
          const kappa = times((i) => { app.state.kappa = 20 + i; });
          return { alpha, kappa };
        }"""
    )
    record_property("milliseconds", times)
    assert times["alpha"] < 200, times  # the aim is 16, on a machine that does nothing else


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci in explorer/")
def test_axe_finds_nothing_serious(visit):
    for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        hash_ = "#o=gd,hb,nag,adagrad,rmsprop,adam,amsgrad&at=5&s=0.5"
        one = visit(
            "plain.html", hash_, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
        )
        one.page.click("summary")
        one.page.add_script_tag(content=AXE.read_text("utf-8"))
        found = one.page.evaluate("(rules) => axe.run(rules)", rules)
        serious = [
            (rule["id"], [node["html"][:100] for node in rule["nodes"]][:3])
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
        ]
        assert serious == []


def test_a_map_is_painted(visit):
    """Light where it is fast, and other colours elsewhere."""
    one = visit("plain.html")
    pixels = one.page.evaluate(
        """() => {
          const canvas = document.querySelector("#figure-map canvas");
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          return [...data].filter((_, i) => i % 4 === 0);
        }"""
    )
    assert len(np.unique(pixels)) > 6


def test_what_is_patched_is_what_would_be_drawn_anew(visit):
    """A figure after many small changes is the figure that its text says."""
    one = visit("plain.html", "#o=gd,hb,nag,rmsprop&at=3", viewport={"width": 1440, "height": 1600})
    wrong = one.page.evaluate(
        """() => {
          const { app } = ConvexExplorer;
          const wrong = [];
          const probe = document.createElementNS("http://www.w3.org/2000/svg", "g");
          for (let i = 0; i < 40; i++) {
            app.state.alpha = 0.02 * 1.15 ** i;
            if (i % 10 === 9) app.state.mu = 0.1 * i / 5;
            app.redraw(true);
            for (const [n, frame] of app.parts.find((part) => part.frames).frames.entries()) {
              probe.innerHTML = frame.layer.inside;
              if (!probe.isEqualNode(frame.layer.element)) wrong.push([i, n]);
            }
          }
          return wrong;
        }"""
    )
    assert wrong == []


def test_another_language_is_another_object_of_words(visit):
    """With every word marked, nothing that is read or heard stands without a mark."""
    one = visit("plain.html")
    bare = one.page.evaluate(
        r"""() => {
          const E = ConvexExplorer;
          const marked = (x) => typeof x === "string" ? `⟦${x}⟧`
            : typeof x === "function" ? (...all) => `⟦${x(...all)}⟧`
            : Object.fromEntries(Object.entries(x).map(([key, value]) => [key, marked(value)]));
          const words = { ...marked(E.english), list: E.english.list, keys: [["g", "⟦keys⟧"]] };
          const root = document.getElementById("explorer");
          const app = E.mount(root, { optimizers: E.RULES.map((rule) => rule.key) }, words);
          const bare = [];
          const look = (text) => {
            const rest = text.replace(/e-?\d|max|[⟦].*/gsu, "");
            if (/\p{Script=Latin}{2}/u.test(rest)) bare.push(text);
          };
          for (const alter of [(s) => { s.at = 3; }, (s) => { s.alpha = 0.5; s.predict = true; },
                               (s) => { s.sigma = 1; s.predict = false; }]) {
            alter(app.state);
            app.redraw(true);
            const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            while (walker.nextNode())
              if (!walker.currentNode.parentElement.closest("code, style"))
                look(walker.currentNode.data);
            for (const name of ["aria-label", "title", "placeholder"])
              for (const element of root.querySelectorAll(`[${name}]`))
                look(element.getAttribute(name));
          }
          return [...new Set(bare)];
        }"""
    )
    assert bare == []


def test_a_report_lets_a_figure_be_saved(browser, tmp_path):
    ca.report(ca.Quadratic(TURNED), tmp_path / "r.html", "full")
    page_ = browser.new_page()
    page_.goto((tmp_path / "r.html").as_uri())
    frame = page_.frame_locator(".embed iframe")
    page_.locator(".embed iframe").scroll_into_view_if_needed()
    with page_.expect_download() as download:
        frame.locator("#figure-gap button.quiet").click()
    assert download.value.path().read_text("utf-8").startswith("<svg")
    for field in ("#alpha-number", "#mu-number"):
        sizes = frame.locator(field).evaluate("(e) => [e.scrollWidth, e.clientWidth]")
        assert sizes[0] <= sizes[1], field
    page_.close()
