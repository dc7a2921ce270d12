"""``convex-analyzer demo``: the main job on real data, or the whole story in two minutes."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convex_analyzer.cli.compare import show_comparison
from convex_analyzer.cli.options import json_option

if TYPE_CHECKING:
    from convex_analyzer.comparison import Comparison

__all__ = ["demo"]

_DEFAULT = Path("convex-analyzer-demo.pdf")


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer demo
      convex-analyzer demo --tour
      convex-analyzer demo --out longley.png
    """
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=_DEFAULT,
    show_default=True,
    metavar="FILE",
    help="Where the report goes; a folder gets the PDF inside.",
)
@click.option("--tour", is_flag=True, help="Tell the whole story, from two numbers to real data.")
@json_option
def demo(out: Path, tour: bool, as_json: bool) -> int:
    """Analyse a bundled real data set, and write a report on it.

    Longley's employment data: sixteen years, six columns, and a condition number that broke the
    regression programs of 1967.
    """
    from convex_analyzer.files import folder_for

    with contextlib.ExitStack() as around:
        if not out.suffix or out.is_dir():
            folder = around.enter_context(folder_for(out, parents=True, option="--out"))
            out = folder / _DEFAULT.name
        return _shown(out, tour, as_json)


def _shown(out: Path, tour: bool, as_json: bool) -> int:
    from convex_analyzer.cli.output import check_target, write_report
    from convex_analyzer.cli.screen import print_json, say

    check_target(out)
    comparison = _tour() if tour and not as_json else _compared()
    if as_json:
        print_json(comparison.to_dict())
    elif not tour:
        show_comparison(comparison)
        say()
    write_report(comparison, out, quiet=as_json)
    if not (tour or as_json):
        say("The whole story in two minutes: convex-analyzer demo --tour", dim=True)
    return 0 if comparison.confirmed else 1


def _compared() -> Comparison:
    from convex_analyzer.cli.screen import working
    from convex_analyzer.comparison import compare
    from convex_analyzer.problems.gallery import longley

    with working("comparing"):
        return compare(longley())


def _tour() -> Comparison:
    from convex_analyzer.cli.screen import heading, say

    say("Two minutes: what a learning rate may be, what momentum buys, what real data cost.")
    say("Every number below is computed now, on this machine.", dim=True)
    heading("1. A valley, twenty times steeper across than along")
    _tour_toy()
    heading("2. The limit is sharp")
    _tour_limit()
    heading("3. Momentum")
    _tour_momentum()
    heading("4. Real data: employment in the United States, 1947-1962")
    comparison = _tour_data()
    heading("5. A page to print")
    say("The verdict, the derivation with every line checked, the pictures, and the recap table:")
    return comparison


def _command(text: str) -> None:
    from convex_analyzer.cli.screen import say

    say(f"  $ convex-analyzer {text}", dim=True)


def _tour_toy() -> None:
    from convex_analyzer.cli.screen import say
    from convex_analyzer.problems.gallery import toy
    from convex_analyzer.spectra.compute import spectrum
    from convex_analyzer.tables import format_number

    valley = spectrum(toy())
    say(
        "J(θ) = 0.1 θ1² + 2 θ2² is the smallest problem that shows everything. Its curvatures are "
        f"λ = {format_number(valley.lambda_min)} along the floor and "
        f"{format_number(valley.lambda_max)} across; their ratio is the condition number, "
        f"κ = {format_number(valley.condition_number)}. A step of gradient descent multiplies the "
        "error along each direction by 1 − αλ. Both factors stay below one in size only while "
        f"0 < α < 2/λmax = {format_number(valley.gradient_descent_limit)}."
    )
    _command("analyze gallery:toy")


def _tour_limit() -> None:
    from convex_analyzer.cli.screen import say, show
    from convex_analyzer.optimizers.gradient import GradientDescent
    from convex_analyzer.problems.gallery import toy
    from convex_analyzer.simulation.engine import simulate
    from convex_analyzer.tables import Table, format_number
    from convex_analyzer.theory.analysis import analyze

    start, steps, rows = [-5.0, -2.0], 20, []
    for rate in (0.4, 0.5, 0.6):
        rule = GradientDescent(rate)
        analysis = analyze(toy(), rule)
        told = analysis.predict(start, steps)
        seen = simulate(toy(), rule, start, steps).theta[-1]
        points = (f"({format_number(p[0])}, {format_number(p[1], 4)})" for p in (told, seen))
        rows.append((format_number(rate), analysis.outcome, *points))
    say(
        f"Gradient descent from (−5, −2), {steps} steps. The theory needs no run: it knows the end "
        "point in closed form. The run agrees."
    )
    say()
    show(Table(("α", "verdict before the run", "predicted", "simulated"), tuple(rows), left=4))
    say()
    say(
        "At α = 0.5 exactly the point jumps between two walls for ever; beyond, every step throws "
        "it farther out. Along the floor it converges all the while: the steepest direction alone "
        "decides."
    )
    _command("compare gallery:toy -o GD:0.4 -o GD:0.6 --start -5,-2 --steps 20")


def _tour_momentum() -> None:
    from convex_analyzer.cli.screen import say, show
    from convex_analyzer.optimizers import find
    from convex_analyzer.problems.gallery import ravine
    from convex_analyzer.tables import Table, format_count
    from convex_analyzer.theory.analysis import analyze

    names = ("GradientDescent", "HeavyBall", "Nesterov")
    rows = []
    for kappa in (1e2, 1e4, 1e6):
        counts = (analyze(ravine(kappa), find(name)).steps_to(1e-6) for name in names)
        rows.append((format_count(int(kappa)), *(format_count(count) for count in counts)))
    say(
        "Even at its best α, gradient descent needs about κ/2 steps to shrink the error by a "
        "factor e: the steep direction limits α, the flat one pays. Momentum replaces κ by √κ. "
        "Steps to reduce the gap a million times, each optimizer at its best, from its worst start:"
    )
    say()
    show(Table(("κ", *names), tuple(rows), left=0))
    say()
    _command("compare gallery:ravine:condition_number=1e4")


def _tour_data() -> Comparison:
    from convex_analyzer.cli.screen import say, show, working
    from convex_analyzer.comparison import compare
    from convex_analyzer.problems.gallery import longley
    from convex_analyzer.tables import Table, format_count, format_number

    raw = longley()
    comparison = _compared()
    with working("comparing"):
        better = compare(raw.standardized())
    data = comparison.spectrum.data
    assert data is not None
    sizes = (raw.X[:, 1:] ** 2).mean(axis=0) ** 0.5
    say(
        "Six columns (prices, output, unemployment, army, population, year) predict employment. "
        f"They differ in size by a factor of {sizes.max() / sizes.min():,.0f} and grow together: "
        f"κ(X) = "
        f"{format_number(data.condition_number, 7)}, and the Hessian has its square. Standardising "
        f"brings κ from {format_number(comparison.spectrum.condition_number, 3)} down to "
        f"{format_number(better.spectrum.condition_number, 3)}; what is left is collinearity. "
        "Steps to reduce the gap a million times, from the untrained model:"
    )
    say()
    rows = tuple(
        (one.label, format_count(one.predicted_steps), format_count(two.predicted_steps),
         two.simulated_text())
        for one, two in zip(comparison, better, strict=True)
    )  # fmt: skip
    columns = ("optimizer", "raw columns", "standardised, predicted", "standardised, counted")
    show(Table(columns, rows))
    say()
    _command("analyze gallery:longley")
    _command("report YOUR_DATA.csv --target COLUMN --out report.pdf")
    return comparison
