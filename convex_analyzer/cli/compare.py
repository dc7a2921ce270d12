"""``convex-analyzer compare``: run optimizers, and hold each run against its theory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import (
    Request,
    optimizer_options,
    output_options,
    problem_options,
    steps_option,
)

if TYPE_CHECKING:
    from convex_analyzer.comparison import Comparison

__all__ = ["compare", "comparison_of", "show_comparison"]


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer compare gallery:ravine
      convex-analyzer compare A.mtx --optimizer HeavyBall:lr=0.1,momentum=0.9 --steps 500
      convex-analyzer compare gallery:ravine -o Adam -o 'HeavyBall(Step(0.1, 0.5, 50))'
      convex-analyzer compare data.csv --target price --batch-size 32 --steps 500
    """
)
@problem_options
@optimizer_options
@steps_option
@output_options
def compare(**words: Any) -> int:
    """Run optimizers on a problem and hold each run against its theory.

    Without --optimizer: gradient descent, heavy ball and Nesterov, tuned. A run that theory says
    needs more than a million steps is predicted, and not started. Exit code 1: a run contradicts
    its theory.
    """
    request = Request(**words)
    from convex_analyzer.cli.output import check_target, write_report
    from convex_analyzer.cli.screen import print_json

    if request.out is not None:
        check_target(request.out, request)
    comparison = comparison_of(request)
    if request.as_json:
        print_json(comparison.to_dict())
    else:
        show_comparison(comparison)
    if request.out is not None:
        write_report(comparison, request.out, quiet=request.as_json)
    return 0 if comparison.confirmed else 1


def comparison_of(request: Request) -> Comparison:
    """Return what was asked for, compared."""
    from convex_analyzer.cli.inputs import noise_of, optimizers_of, problem_of, start_of
    from convex_analyzer.cli.screen import working
    from convex_analyzer.comparison import compare as compute

    problem = problem_of(request)
    chosen = optimizers_of(request) or None
    with working("comparing"):
        return compute(
            problem,
            chosen,
            start_of(request, problem),
            request.steps,
            tolerance=request.tolerance,
            noise=noise_of(request),
            seed=request.seed,
        )


def show_comparison(comparison: Comparison) -> None:
    """Print a comparison: the verdict, what was compared, the table, what to change."""
    from convex_analyzer.cli.screen import say, show
    from convex_analyzer.diagnosis.recap import recap
    from convex_analyzer.tables import Table, format_number

    problem, spectrum = comparison.problem, comparison.spectrum
    if problem.why_no_minimum is not None:
        say(f"There is no minimum: {problem.why_no_minimum}.", bold=True)
    say(comparison.verdict(), bold=True)
    kappa = spectrum.describe_condition_number()
    say(f"{problem.describe()}; {spectrum.definiteness}, κ = {kappa}", dim=True)
    say()
    table = comparison.summary()
    goal = format_number(comparison.tolerance)
    note = f"Steps until the gap is ×{goal}; start: {comparison.start_name}."
    show(Table(table.columns, table.rows, notes=("", note, *comparison.remarks()), left=table.left))
    for entry in comparison:
        name = f"{type(entry.optimizer).__name__}: "
        if entry.analysis is None:
            say(f"{entry.label}: {entry.reason}.")
        for remark in entry.optimizer.hints():
            say(f"{entry.label}: {remark.removeprefix(name)}.")
    for row, finding in recap(comparison).present:
        help_ = f"; {finding.prediction}" if finding.prediction else ""
        say(f"{row.problem.capitalize()} ({comparison[0].label}): {finding.evidence}{help_}.")
