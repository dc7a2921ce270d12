"""A document with every block, hostile labels and long tables; run as a script, it writes a PDF."""

from __future__ import annotations

import sys
from pathlib import Path

import sympy as sp

from convex_analyzer.reporting import document as d
from convex_analyzer.reporting.typst import render_pdf
from convex_analyzer.reporting.typst_math import math_block, math_span

MARKUP = r"*a* _b_ #c $d$ @e <f> [g] \h `i` // j /* k */ ~ -- ... 'l' \"m\" = n | o & p"
SCRIPTS = "Ελληνικά, кириллица, עברית, العربية, हिन्दी, 漢字, ひらがな, 한국어, 😀, ⚠, \ue000"
LONG = "gross_national_product_deflator_1954_is_100_with_a_very_long_column_name_indeed"

alpha, mu, lam, k = sp.symbols("alpha mu lambda k", positive=True)
lmin, lmax, kappa = sp.symbols("lambda_min lambda_max kappa", positive=True)
start = sp.Symbol("alpha", real=True)
A = sp.Matrix([[sp.Rational(458, 125), sp.Rational(-594, 125)], [sp.Rational(-594, 125), 6]])


def drawing(width: float, height: float, label: str) -> bytes:
    """A plain SVG of so many inches, with a frame and one label of 8 pt."""
    w, h = 72 * width, 72 * height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.2f}pt" height="{h:.2f}pt" '
        f'viewBox="0 0 {w:.2f} {h:.2f}"><rect x="1" y="1" width="{w - 2:.2f}" '
        f'height="{h - 2:.2f}" fill="#eef4f9" stroke="#0b4a7d"/><path d="M8 {h - 8:.2f} '
        f'Q {w / 3:.2f} {h - 8:.2f} {w - 8:.2f} 8" fill="none" stroke="#9c3a00"/>'
        f'<text x="12" y="20" font-family="DejaVu Sans" font-size="8">{label}</text></svg>'
    ).encode()


def figure(label: str, height: float = 1.4, width: float = 1.0, row: int = 1) -> d.Figure:
    inches = d.TEXT_WIDTH * width if row == 1 else d.row_widths(*[1] * row)[0]
    svg = drawing(inches, height, label)
    return d.Figure(svg, f"How to read the {label}.", f"Conclusion of the {label}.", width)


def derivation() -> d.DerivationLines:
    proved, plausible = d.Chip("ok", "proved"), d.Chip("warn", "plausible")
    rho = sp.Symbol("rho_star")
    lines = (
        ("Gradient", "A is symmetric", sp.Eq(sp.Function("g")(k), 1 - alpha * lam), proved),
        (
            "Minimiser",
            "set the gradient to zero",
            sp.Eq(sp.MatrixSymbol("theta_star", 2, 1), A[:, 0]),
            proved,
        ),
        ("Stability", "the largest curvature binds", sp.And(start > 0, start < 2 / lmax), proved),
        ("Best pair", "", sp.Eq(rho, (sp.sqrt(kappa) - 1) / (sp.sqrt(kappa) + 1)), plausible),
        ("Too wide", "shrunk to its place", sp.Matrix([[(1 - alpha * lam) ** k] * 9]), proved),
    )
    return d.DerivationLines(
        tuple(
            d.DerivationLine(
                title, reason, math_block(e), ("residual 0 for ", math_span(lam)), chip
            )
            for title, reason, e, chip in lines
        )
    )


def recap() -> d.Table:
    columns = tuple(
        map(d.Column, ("problem", "diagnostic", "evidence here", "verdict", "workaround"))
    )
    chips = (("ok", "absent"), ("bad", "present"), ("warn", "possible"), ("info", "not tested"))
    names = ("incorrect gradients", "local optima", "slow progress", "instability", "oscillations")
    evidence = ("central differences at 20 points: relative error ", math_span(sp.Float(4e-11)))
    rows = tuple(
        (name, "fluctuations in curve", evidence, d.Chip(*chips[i % 4]), "decrease α; momentum")
        for i, name in enumerate(names)
    )
    return d.Table(
        columns, rows, caption="The recap table.", note=("Small print, ", math_span(mu), ".")
    )


def build() -> d.Document:
    number = d.Column("λ", "right")
    factors = d.Table(
        (
            d.Column("direction"),
            number,
            d.Column((math_span(alpha * lam),), "right"),
            d.Column(LONG),
        ),
        tuple((f"q{i}", f"{i / 7:.4f}", f"{i / 9:.3e}", MARKUP[:9]) for i in range(1, 56)),
        caption=("Factors, a table that takes two pages: the header is repeated."),
    )
    wide = d.Table(
        tuple(d.Column(f"column {i}", "right") for i in range(14)),
        (tuple(f"{10.0**-i:.3e}" for i in range(14)),),
        caption="Many columns: smaller letters.",
    )
    crowded = d.Table(
        (d.Column("name", width=0.2), d.Column("c", "center", 0.1), d.Column("value")),
        ((LONG, d.Chip("ok", "yes"), LONG), (d.Code(LONG), "", d.Bold(LONG))),
    )
    blocks = (
        d.Title(
            "Convergence report", (("κ = ", d.Bold("100")), math_span(A), "start (−7.4, −6.8)")
        ),
        d.Cards(
            (
                d.Card("ok", "Stable.", (math_span(alpha), " = 0.15 is 75 % of the bound.")),
                d.Card("bad", "Ill-conditioned.", ("GD needs ", d.Bold("435"), " steps.")),
                d.Card("warn", "Transient growth.", "The gap first rises to 7.2 times its start."),
                d.Card("info", "What to change.", "Heavy ball: 56 steps instead of 435."),
            )
        ),
        d.Heading("Spectrum"),
        figure("spectrum ruler"),
        d.Cards(
            tuple(d.Card("ok", f"Card {i}", "One of three. " * i) for i in (1, 2, 3)), columns=3
        ),
        d.Heading("Labels come out literally", 2),
        d.Paragraph(MARKUP),
        d.Paragraph(("Scripts: ", SCRIPTS, " and code ", d.Code(MARKUP), "; ", d.Bold(LONG))),
        d.KeyValues(
            (("samples", "16"), ("columns", d.Code(LONG)), ("loss", "half_mse")), columns=1
        ),
        d.KeyValues((("seed", "0"), ("steps", "500"), ("noise", "none"), ("runs", "1")), columns=2),
        d.CodeBlock('convex-analyzer report "my data.csv" --target TOTEMP\n    --out report.pdf'),
        crowded,
        wide,
        factors,
        d.PageBreak(unless_free=0.3),
        d.Heading("Derivation"),
        derivation(),
        math_block(sp.Sum(alpha**k, (k, 0, sp.oo))),
        d.Heading("Pictures"),
        d.FigureRow((figure("level sets", 2.4, row=2), figure("loss gap", 2.4, row=2))),
        d.FigureRow(tuple(figure(f"panel {i}", 1.2, row=3) for i in range(3))),
        d.PageBreak(),
        d.Heading("Problem and diagnosis"),
        recap(),
        d.FigureRow((figure("left", 3.0, 0.6, 2), figure("right", 3.0, 0.4, 2))),
        d.Heading("Optimizers", 2),
        d.Figure(drawing(2, 14, "too tall"), "Taller than a page: made smaller.", "tall", 0.9),
        d.Embed(
            "<!DOCTYPE html><title>moves</title><p id='seen'>no script ran</p>"
            "<script>document.getElementById('seen').textContent = 'a & b < c';</script>",
            "A page that moves",
            ("The page that moves is in the HTML report: ", d.Code("sample.html"), "."),
        ),
        d.Note(
            ("Reproduce: ", d.Code("convex-analyzer report A.npy"), "; ", math_span(2 / lmax), ".")
        ),
    )
    return d.Document("Sample: every block", blocks, footer="convex_analyzer · sample & test")


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(render_pdf(build()))
