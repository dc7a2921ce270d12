"""Draw the reports of this folder: one story each, and a page that leads to them.

``make gallery`` redraws them all, ``python reports/build.py toy saddle`` some. What each says is
kept in `texts/` as Markdown; a test builds the documents anew and compares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import convex_analyzer as ca
from convex_analyzer.files import write_bytes
from convex_analyzer.reporting.build import build
from convex_analyzer.reporting.document import Document
from convex_analyzer.reporting.html import write_html
from convex_analyzer.reporting.markdown import to_markdown
from convex_analyzer.reporting.optimizer_gallery import gallery_document, write_gallery
from convex_analyzer.reporting.typst import render_png, write_pdf

HERE = Path(__file__).parent
DATA = HERE.parent / "examples" / "data"
IMAGES = HERE.parent / "docs" / "images"  # the pictures that README and docs show


@dataclass(frozen=True)
class Report:
    """One report of the gallery.

    Attributes
    ----------
    name
        Of its files.
    title, story
        What the index says of it.
    call
        The call that makes what is reported on, as it is printed.
    result
        Makes it.
    level
        How much is printed.
    """

    name: str
    title: str
    story: str
    call: str
    result: Callable[[], Any]
    level: str = "brief"

    def document(self) -> Document:
        """Return the pages."""
        depth = "" if self.level == "brief" else f", level={self.level!r}"
        return build(self.result(), self.level, f"ca.report({self.call}, path{depth})")


def _slide_24() -> dict[str, Any]:
    table = ca.gallery.lecture001_slide24
    return {
        "as printed": ca.compare(table(intercept=True)),
        "normalised": ca.compare(table(intercept=True, standardize=True)),
    }


def _noisy() -> Any:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(256, 4)) * [1.0, 1.5, 2.0, 3.0]
    y = X @ [1.0, -2.0, 0.5, 1.0] + rng.normal(size=256)
    rules = [ca.GradientDescent(0.05), ca.HeavyBall(0.005, momentum=0.9)]
    problem = ca.least_squares(X, y)
    problem.name = "256 rows, 4 columns"
    return ca.compare(problem, rules, noise=ca.MiniBatch(8), steps=400)


def _every() -> Any:
    problem = ca.gallery.ravine(condition_number=100, angle=0.6)
    names = [
        "GradientDescent", "HeavyBall", "Nesterov", "AdaGrad", "RMSProp", "Adam", "AdamW", "NAdam",
        "SignSGD", "Lion", "LBFGS", "ConjugateGradient",
    ]  # fmt: skip
    return ca.compare(problem, [ca.optimizers.find(name) for name in names])


def _sweep() -> Any:
    problem = ca.gallery.ravine(condition_number=100, angle=0.6)
    largest = ca.spectrum(problem).lambda_max
    rates = np.geomspace(0.01, 4, 48)[:, None, None] / largest
    momenta = np.linspace(0, 0.98, 36)[None, :, None]
    start = np.broadcast_to(np.ones(2), (48, 36, 2))
    return ca.simulate(problem, ca.HeavyBall(rates, momentum=momenta), start, 120)


def _rosenbrock() -> Any:
    def loss(x: Any) -> float:
        return float((1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2)

    def gradient(x: Any) -> Any:  # the factor 2 of the chain rule is missing in the first entry
        steep = x[1] - x[0] ** 2
        return np.array([-2 * (1 - x[0]) - 200 * x[0] * steep, 200 * steep])

    return ca.check_gradient(loss, gradient, at=np.array([-1.2, 1.0]))


REPORTS = (
    Report(
        "toy", "Two numbers that show everything",
        "J = 0.1 x₁² + 2 x₂² of lecture 000: the whole report, derivation and all pictures.",
        "ca.compare(ca.gallery.toy())",
        lambda: ca.compare(ca.gallery.toy()), "full",
    ),
    Report(
        "ravine", "A ravine",
        "κ = 1000, turned by 0.6 rad: what momentum buys, on two pages.",
        "ca.compare(ca.gallery.ravine(1000, 0.6))",
        lambda: ca.compare(ca.gallery.ravine(1000, 0.6)),
    ),
    Report(
        "longley", "Real data: Longley",
        "Sixteen years of employment, and a κ(X) of 4.86e9 that broke the programs of 1967.",
        'ca.compare(ca.load("longley.csv", target="TOTEMP", intercept=True))',
        lambda: ca.compare(ca.load(DATA / "longley.csv", target="TOTEMP", intercept=True)), "full",
    ),
    Report(
        "longley-condition", "Why Longley is ill-conditioned",
        "Units first, then columns that grow together: what each remedy takes away.",
        'ca.condition(ca.load("longley.csv", target="TOTEMP", intercept=True))',
        lambda: ca.condition(ca.load(DATA / "longley.csv", target="TOTEMP", intercept=True)),
    ),
    Report(
        "beam", "A matrix from engineering",
        "nos4 of the SuiteSparse collection, a beam of 100 unknowns: a spectrum instead of two "
        "numbers.",
        'ca.compare(ca.load("nos4.mtx.gz"))',
        lambda: ca.compare(ca.load(DATA / "nos4.mtx.gz")), "full",
    ),
    Report(
        "normalising", "Slide 24, before and after",
        "The table of lecture 001 as printed, and with zero mean and unit variance.",
        '{"as printed": ca.compare(table(intercept=True)), '
        '"normalised": ca.compare(table(intercept=True, standardize=True))}',
        _slide_24, "teach",
    ),
    Report(
        "saddle", "A saddle",
        "One eigenvalue is negative: no learning rate converges, and when that shows.",
        "ca.compare(ca.gallery.saddle())",
        lambda: ca.compare(ca.gallery.saddle()),
    ),
    Report(
        "singular", "A flat direction",
        "λ = 0: a line of minima, κ of the range, and what the start decides.",
        "ca.compare(ca.gallery.singular())",
        lambda: ca.compare(ca.gallery.singular()),
    ),
    Report(
        "compared", "Twelve optimizers on one ravine",
        "From gradient descent to L-BFGS, each at its best rate: who arrives, who stalls, where.",
        "ca.compare(ca.gallery.ravine(100, 0.6), [...])",
        _every, "full",
    ),
    Report(
        "noise", "Mini-batches",
        "Eight of 256 rows at a time: where the loss stops falling, and which α moves it.",
        "ca.compare(problem, [ca.GradientDescent(0.05), ca.HeavyBall(0.005, momentum=0.9)], "
        "noise=ca.MiniBatch(8), steps=400)",
        _noisy,
    ),
    Report(
        "run", "A training run, diagnosed",
        "120 logged steps with α = 1.99/λmax: the verdict, the evidence, the cure.",
        'ca.diagnose("run.csv", optimizer="sgd", batch_size=16, rows=16)',
        lambda: ca.diagnose(DATA / "run.csv", optimizer="sgd", batch_size=16, rows=16),
    ),
    Report(
        "derivation", "Why α < 2(1 + μ)/λ, and which pair is best",
        "The heavy ball, derived from its own code, every line checked.",
        "ca.derive(ca.HeavyBall)",
        lambda: ca.derive(ca.HeavyBall),
    ),
    Report(
        "sweep", "1,728 runs on one page",
        "Heavy ball over 48 learning rates and 36 momenta: the lowest end, and the cliff.",
        "ca.simulate(problem, ca.HeavyBall(rates, momentum=momenta), start, 120)",
        _sweep,
    ),
    Report(
        "gradient", "A gradient with a slip",
        "Rosenbrock's valley, with a factor 2 lost in one entry: found, and named.",
        "ca.check_gradient(loss, gradient, at=[-1.2, 1.0])",
        _rosenbrock,
    ),
)  # fmt: skip
HTML = ("toy", "longley", "run")  # these as a page for the browser, too
SHOWN = ("longley", "ravine", "longley-condition", "run")  # README shows the first page of these
CARDS = Report(
    "optimizers", "Every optimizer on a card",
    "The update rule as it is computed, the conventions, the settings, and how it moves.",
    "", lambda: None,
)  # fmt: skip


def text_of(document: Document) -> str:
    """Return what a report says, without its pictures."""
    return to_markdown(document)


def _draw(report: Report) -> Document:
    document = report.document()
    write_pdf(document, HERE / f"{report.name}.pdf")
    if report.name in HTML:
        write_html(document, HERE / f"{report.name}.html")
    write_bytes(HERE / "texts" / f"{report.name}.md", text_of(document).encode())
    return document


def _thumbnail(name: str, document: Document) -> None:
    write_bytes(HERE / "images" / f"{name}.png", render_png(document, ppi=55)[0])
    if name in SHOWN:
        write_bytes(IMAGES / f"gallery-{name}.png", render_png(document, ppi=90)[0])


def index() -> str:
    """Return the page that leads to every report."""
    lines = [
        "# Reports",
        "",
        "What `ca.report(result, path)` writes, for one story each. `make gallery` redraws them.",
        "",
        "| | |",
        "| --- | --- |",
    ]
    for report in (*REPORTS, CARDS):
        links = [f"[PDF]({report.name}.pdf)"]
        links += [f"[HTML]({report.name}.html)"] if report.name in HTML else []
        links += [f"[text](texts/{report.name}.md)"] if report in REPORTS else []
        call = f"<br/>`{report.call}`" if report.call else ""
        lines.append(
            f'| <img src="images/{report.name}.png" alt="first page" width="150"/> '
            f"| **{report.title}.** {report.story}<br/>{' · '.join(links)}{call} |"
        )
    return "\n".join([*lines, ""])


def main(names: list[str]) -> None:
    """Redraw the reports with these names; all of them when there is none."""
    known = {report.name: report for report in (*REPORTS, CARDS)}
    wrong = [name for name in names if name not in known]
    if wrong:
        raise SystemExit(f"no report {', '.join(wrong)}; there are {', '.join(known)}")
    for folder in ("texts", "images"):
        (HERE / folder).mkdir(exist_ok=True)
    for name in names or known:
        if name == CARDS.name:
            write_gallery(HERE / "optimizers.pdf")
            document = gallery_document()
        else:
            document = _draw(known[name])
        _thumbnail(name, document)
        print(f"reports/{name}.pdf", flush=True)
    write_bytes(HERE / "README.md", index().encode())
    print("reports/README.md")


if __name__ == "__main__":
    main(sys.argv[1:])
