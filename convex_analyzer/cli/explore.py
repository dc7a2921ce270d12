"""``convex-analyzer explore``: one HTML page with sliders, in which every figure answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import Request, reading_options

if TYPE_CHECKING:
    from convex_analyzer.cli.inputs import Chosen
    from convex_analyzer.explorer.page import Wanted

__all__ = ["explore"]


@click.command(
    epilog="""
    \b
    Examples:
      convex-analyzer explore
      convex-analyzer explore A.npy --out explore.html
      convex-analyzer explore gallery:toy -o 'HeavyBall(0.4, momentum=0.5)' -o Adam
      convex-analyzer explore examples/data/longley.csv --target TOTEMP --plane
    """
)
@click.argument("file", metavar="[FILE]", required=False, default="")
@reading_options
@click.option(
    "--optimizer",
    "-o",
    multiple=True,
    metavar="SPEC",
    help="Tick this optimizer, with this learning rate and momentum; may be repeated.",
)
@click.option("--start", metavar="POINT", help="zeros, ones, excite, or numbers: -5,-2.")
@click.option(
    "--plane",
    is_flag=True,
    help="The plane of the slowest and the steepest eigendirection: for more than 8 dimensions.",
)
@click.option(
    "--theme", type=click.Choice(["auto", "light", "dark"]), default="auto", show_default=True
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("explore.html"),
    show_default=True,
    metavar="FILE",
    help="The page: one file that needs no network.",
)
def explore(plane: bool, theme: str, **words: Any) -> None:
    """Write the explorer: a page in which sliders move every figure at once.

    FILE is a matrix or data set of up to 8 parameters (more with --plane), or gallery:NAME; without
    it, the page begins with a ravine. Open the page in a browser.
    """
    request = Request(**words)
    from convex_analyzer.cli.inputs import optimizers_of, problem_of, start_of
    from convex_analyzer.cli.progress import ledger
    from convex_analyzer.files import check_target
    from convex_analyzer.reporting.explorer_file import SUFFIXES
    from convex_analyzer.reporting.explorer_file import explore as write

    assert request.out is not None
    inputs = [request.file] if request.file else []
    check_target(request.out, inputs=inputs, suffixes=SUFFIXES, what="the explorer", option="--out")
    ledger.promise(request.out)
    problem = problem_of(request) if request.file else None
    wanted = [_wanted(one) for one in optimizers_of(request)]
    written = write(
        problem,
        request.out,
        wanted or None,
        start=None if problem is None else start_of(request, problem),
        plane=plane,
        theme=theme,
        inputs=inputs,
    )
    click.echo(f"wrote {written}: open it in a browser")


def _wanted(chosen: Chosen) -> Wanted:
    """Return an instance where a learning rate was given; otherwise the class: α is the page's."""
    if not isinstance(chosen, tuple):
        return chosen
    cls, given = chosen
    missing = [
        name
        for name, kind in cls.domains().items()
        if name not in given and name == "learning_rate"
    ]
    return cls if missing else cls(**given)
