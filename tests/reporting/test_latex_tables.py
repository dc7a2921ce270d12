"""Tables for papers: every sign survives LaTeX, every row has its cells."""

import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer.errors import InputError
from convex_analyzer.reporting import document as d
from convex_analyzer.reporting.latex_tables import to_latex_table, write_latex_tables
from convex_analyzer.reporting.latex_text import beyond_latin, latex_words


def test_a_table_with_everything():
    table = d.Table(
        (
            d.Column("rule", width=0.25),
            d.Column((d.MathSpan("alpha", r"\alpha", "α"), " used"), "right"),
            d.Column("verdict", "center", 0.5),
        ),
        (
            ((d.Bold("HB"), " & ", d.Code("a_b")), "1e−6", d.Chip("bad", "100 % present")),
            ("*tuned", "", "[0, 1]\nλ₁"),
        ),
        caption="Steps to 1 %.",
        note=("κ(XᵀX) = ", d.Bold("5")),
    )
    wide = r">{%s\arraybackslash}p{\dimexpr %s\linewidth-2\tabcolsep}"
    first, last = wide % (r"\raggedright", 0.25), wide % (r"\centering", 0.5)
    assert to_latex_table(table, label="tab:steps").splitlines() == [
        r"\begin{table}[htbp]",
        r"  \centering",
        r"  \caption{Steps to 1 \%.}",
        r"  \label{tab:steps}",
        r"  \footnotesize\setlength{\tabcolsep}{4pt}",
        rf"  \begin{{tabular}}{{{first}r{last}}}",
        r"    \toprule",
        r"    rule & $\alpha$ used & verdict \\",
        r"    \midrule",
        r"    \textbf{HB} \& \texttt{a\_b} & 1e$-$6 & 100 \% present \\",
        r"    {}*tuned &  & {[}0, 1{]} $\lambda$${}_1$ \\",
        r"    \bottomrule",
        r"  \end{tabular}",
        r"  \par\smallskip{\footnotesize\raggedright $\kappa$(X${}^\top$X) = \textbf{5}\par}",
        r"\end{table}",
    ]


@each(
    ("text", "latex"),
    [
        ("{}$&#%_", r"\{\}\$\&\#\%\_"),
        ("\\~^", r"\textbackslash{}\textasciitilde{}\textasciicircum{}"),
        ('<>|"', r"\textless{}\textgreater{}\textbar{}{''}"),
        ("½ × 10⁻⁶ ≤ ∞", r"$\tfrac12$ $\times$ 10${}^{-6}$ $\le$ $\infty$"),
        ("–—", "-----"),
        ("é", "é"),
        ("e\u0301 漢", "é 漢"),
        ("a--b `x` ''", r"a-{}-b \textasciigrave{}x\textasciigrave{} '{}'"),
        ("x₁₂, k²ᵀ, ⅔, ∠, 5°", r"x${}_{12}$, k${}^{2\top}$, $\tfrac23$, $\angle$, 5${}^\circ$"),
    ],
)
def test_words(text, latex):
    assert latex_words(text) == latex


def test_what_is_no_table_or_no_label():
    with pytest.raises(InputError, match="must be a Table"):
        to_latex_table("table")
    table = d.Table((d.Column("a"),), ())
    for label in (" ", "a{b", "50%"):
        with pytest.raises(InputError, match="label must be letters"):
            to_latex_table(table, label=label)


def test_the_file_says_what_its_letters_need(tmp_path):
    rows = (("é λ²", "1"),)
    for name, told in (("plain", False), ("漢字", True)):
        table = d.Table((d.Column(name), d.Column("steps")), rows)
        (path,) = write_latex_tables(d.Document("T", (table,)), tmp_path / "x.tex")
        text = path.read_text("utf-8")
        assert r"%   \usepackage{booktabs,array,amsmath,amssymb}" in text
        assert ("use lualatex or xelatex" in text) is told
        head = [line for line in text.splitlines() if line.startswith("%")]
        assert beyond_latin(head) == ("漢字" if told else "")
    with pytest.raises(InputError, match="no table"):
        write_latex_tables(d.Document("T", (d.Note("x"),)), tmp_path / "y.tex")


def test_of_a_derivation_latex_holds_the_lines(tmp_path):
    derivation = ca.derive("terminal_velocity", ca.GradientDescent)
    (path,) = ca.report(derivation, tmp_path / "x.tex")
    text = path.read_text("utf-8")
    assert text.startswith(r"\documentclass")
    assert text.count(r"\item") == len(derivation.lines)
    with pytest.raises(InputError, match="is an input of this run"):
        ca.report(derivation, path, inputs=path)
