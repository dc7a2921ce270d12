"""``convex-analyzer analyze``: what will happen, before any run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import (
    Request,
    optimizer_options,
    output_options,
    problem_options,
)

if TYPE_CHECKING:
    from convex_analyzer.problems.quadratic import Quadratic
    from convex_analyzer.spectra.spectrum import Spectrum
    from convex_analyzer.tables import Table
    from convex_analyzer.theory.analysis import Analysis

__all__ = ["analyze"]

_DEFAULT = ("GradientDescent", "HeavyBall", "Nesterov")


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer analyze gallery:toy
      convex-analyzer analyze A.npy --optimizer HeavyBall:learning_rate=0.1,momentum=0.9
      convex-analyzer analyze examples/data/longley.csv --target TOTEMP
    """
)
@problem_options
@optimizer_options
@output_options
def analyze(**words: Any) -> None:
    """Say what every optimizer will do on a matrix or a data set: is it stable, how fast, why.

    Everything follows from the eigenvalues; nothing is run. Without --optimizer: gradient descent,
    heavy ball and Nesterov, tuned. Without --start: the worst start.
    """
    request = Request(**words)
    from convex_analyzer.cli.inputs import optimizers_of, problem_of, start_of
    from convex_analyzer.cli.output import check_target
    from convex_analyzer.cli.screen import print_json, working
    from convex_analyzer.optimizers import find
    from convex_analyzer.spectra.compute import spectrum as compute_spectrum
    from convex_analyzer.theory.analysis import analyze as compute

    if request.out is not None:
        check_target(request.out, request)
    problem = problem_of(request)
    chosen = optimizers_of(request) or [(find(name), {}) for name in _DEFAULT]
    with working(f"computing eigenvalues, d = {problem.dimension:,}"):
        spectrum = compute_spectrum(problem)
        start = start_of(request, problem)
        analyses = [
            compute(spectrum, *item) if isinstance(item, tuple) else compute(spectrum, item)
            for item in chosen
        ]
        steps = [
            None
            if analysis.scope == "local"
            else analysis.as_run().steps_to(request.tolerance, start)
            for analysis in analyses
        ]
    if request.as_json:
        print_json(_plain(problem, analyses, steps, request))
    else:
        _show(problem, analyses, steps, request)
    if request.out is not None:
        from convex_analyzer.cli.output import write_report
        from convex_analyzer.comparison import compare

        with working("comparing"):
            comparison = compare(problem, chosen, start, tolerance=request.tolerance)
        write_report(comparison, request.out, quiet=request.as_json)


def _plain(
    problem: Quadratic, analyses: list[Analysis], steps: list[int | None], request: Request
) -> dict[str, Any]:
    """Return plain data; the spectrum once."""
    entries = []
    for analysis, count in zip(analyses, steps, strict=True):
        data = analysis.to_dict()
        del data["spectrum"]
        listed = analysis.scope == "global" and not analysis.spectrum.is_interval
        directions = _columns(analysis) if listed else None
        entries.append({**data, "steps_to_tolerance": count, "directions": directions})
    return {
        "schema": "convex_analyzer.analyses/1",
        "problem": problem.to_dict(),
        "spectrum": analyses[0].spectrum.to_dict(),
        "tolerance": request.tolerance,
        "start": request.start or "worst",
        "analyses": entries,
    }


def _columns(analysis: Analysis) -> dict[str, Any]:
    from convex_analyzer.results import to_plain

    columns = analysis.directions
    names = ("eigenvalue", "rate", "half_life", "regime")
    return {name: to_plain(getattr(columns, name)) for name in names}


def _show(
    problem: Quadratic, analyses: list[Analysis], steps: list[int | None], request: Request
) -> None:
    from convex_analyzer.cli.screen import say, shorten, show

    if problem.why_no_minimum is not None:
        say(f"There is no minimum: {problem.why_no_minimum}.", bold=True)
    if request.optimizer or request.optimizer_module:
        for analysis in analyses:
            say(analysis.verdict(), bold=True)
    elif problem.why_no_minimum is None:
        say(_verdict(analyses, steps, request), bold=True)
    say(problem.describe(), dim=True)
    say()
    show(analyses[0].spectrum.summary())
    say()
    for table in _tables(list(zip(analyses, steps, strict=True)), request):
        show(table)
    lone = len(analyses) == 1 and analyses[0].scope == "global"
    if lone and not analyses[0].spectrum.is_interval:
        say()
        show(shorten(_directions(analyses[0], problem), len(analyses[0].directions)))
    for remark in (hint for analysis in analyses for hint in analysis.optimizer.hints()):
        say(f"Note: {remark}.")
    advice = _advice(problem, analyses[0].spectrum)
    if advice:
        say(advice)


def _advice(problem: Quadratic, spectrum: Spectrum) -> str:
    """Return what standardising the columns would do to κ, when that is much."""
    from convex_analyzer.problems.least_squares import LeastSquares
    from convex_analyzer.spectra.compute import spectrum as compute_spectrum
    from convex_analyzer.tables import format_number

    if not isinstance(problem, LeastSquares):
        return ""
    before = spectrum.condition_number
    after = compute_spectrum(problem.standardized()).condition_number
    if before is None or after is None or before < 10 * after:
        return ""
    return (
        f"What to change: standardised columns bring κ from {format_number(before, 3)} "
        f"down to {format_number(after, 3)}."
    )


def _verdict(analyses: list[Analysis], steps: list[int | None], request: Request) -> str:
    """Return the answer in one sentence: how ill-conditioned, what it costs, what is best."""
    from convex_analyzer.tables import format_count, format_number

    spectrum = analyses[0].spectrum
    opening = f"κ = {spectrum.describe_condition_number()}"
    limit = spectrum.gradient_descent_limit
    if limit is None:
        return f"{opening}; there is no curvature, so nothing limits the learning rate."
    counts = dict(zip(_DEFAULT, steps, strict=True))
    able = {name: count for name, count in counts.items() if count is not None}
    stable = f"{opening}: gradient descent is stable for 0 < α < {format_number(limit)}"
    if not able:
        return f"{stable}, and reaches no minimum."
    best = min(able, key=lambda name: able[name])
    cost = f"{format_count(counts['GradientDescent'])} with gradient descent"
    if best != "GradientDescent":
        cost = f"{format_count(able[best])} with {best}, {cost}"
    goal = format_number(request.tolerance)
    return f"{stable}. Tuned, from {_start_name(request)}, the steps to gap ×{goal} are {cost}."


def _start_name(request: Request) -> str:
    return "the worst start" if request.start is None else f"the start {request.start}"


def _tables(pairs: list[tuple[Analysis, int | None]], request: Request) -> list[Table]:
    """Return one table of the rules with a closed form, and one for each other."""
    steady = [(analysis, count) for analysis, count in pairs if analysis.scope == "global"]
    others = [(analysis, count) for analysis, count in pairs if analysis.scope != "global"]
    first = [_table(steady, request)] if steady else []
    return [*first, *(_changing(analysis, count, request) for analysis, count in others)]


def _changing(analysis: Analysis, count: int | None, request: Request) -> Table:
    """Return the facts about a rule that is not linear, or not the same at every step."""
    from convex_analyzer.tables import Table, format_count, format_number

    table = analysis.summary()
    rows = table.rows
    if analysis.scope != "local":
        goal = f"steps to gap ×{format_number(request.tolerance)}, {_start_name(request)}"
        rows = (*rows, (goal, "never" if count is None else format_count(count)))
    return Table(table.columns, rows, left=2)


def _table(pairs: list[tuple[Analysis, int | None]], request: Request) -> Table:
    from convex_analyzer.tables import Table, format_count, format_number

    columns = ("optimizer", "settings", "outcome", "rate ρ", "stable for", "steps")
    rows = tuple(
        (
            type(analysis.optimizer).__name__,
            _settings(analysis),
            analysis.outcome,
            analysis.rate_text,
            _stable_set(analysis),
            "never" if count is None else format_count(count),
        )
        for analysis, count in pairs
    )
    goal = format_number(request.tolerance)
    note = f"Steps until the gap is ×{goal} of what it was at {_start_name(request)}."
    return Table(columns, rows, notes=("", note), left=3)


def _settings(analysis: Analysis) -> str:
    """Return the hyper-parameters, and which of them were tuned."""
    from convex_analyzer.notation import symbol_of

    text = str(analysis.optimizer).partition("(")[2][:-1]
    given = [name for name in analysis.optimizer.values if name not in analysis.tuned]
    if not analysis.tuned:
        return text
    if not given:
        return f"{text} (tuned)"
    return f"{text} ({', '.join(symbol_of(name) for name in analysis.tuned)} tuned)"


def _stable_set(analysis: Analysis) -> str:
    """Return the stable learning rates as text, the other hyper-parameters unchanged."""
    from convex_analyzer.theory.wording import intervals_text

    intervals = analysis.stable_learning_rates
    if intervals is None:
        return "–"
    return intervals_text(intervals) if intervals else "no α"


def _directions(analysis: Analysis, problem: Quadratic) -> Table:
    """Return what happens along each eigendirection, and which column it mostly is."""
    from convex_analyzer.tables import Table

    table = analysis.directions.table()
    vectors = analysis.spectrum.eigenvectors
    if vectors is None or not problem.labels:
        return table
    rows = []
    for row in table.rows:
        shares = vectors[:, int(row[0].removeprefix("q")) - 1] ** 2
        top = int(shares.argmax())
        rows.append((*row, f"{problem.labels[top]} ({100 * shares[top]:.0f} %)"))
    return Table((*table.columns, "mostly"), tuple(rows), left=table.left)
