"""``convex-analyzer check-gradient``: whether the gradient in a Python file is right."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convex_analyzer.cli.options import json_option
from convex_analyzer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_gradient"]

_CODES = {"correct": 0, "suspicious": 1, "wrong": 1, "cannot tell": 1}


@click.command(
    name="check-gradient",
    epilog="""
    \b
    Examples:
      convex-analyzer check-gradient model.py --function loss --gradient grad --at 1,2,3
      convex-analyzer check-gradient model.py --at theta.npy --json
    """,
)
@click.argument("module", metavar="PYTHON_FILE", type=click.Path(path_type=Path))
@click.option(
    "--function", default="f", show_default=True, metavar="NAME", help="Of the function: θ ↦ J."
)
@click.option(
    "--gradient", default="gradient", show_default=True, metavar="NAME",
    help="Of its gradient: θ ↦ ∇J.",
)  # fmt: skip
@click.option(
    "--at", "point", required=True, metavar="POINT",
    help="Where: numbers (1,2,3), a .npy or .npz file, or a name in the Python file.",
)  # fmt: skip
@click.option(
    "--tolerance", type=float, metavar="NUMBER",
    help="Relative error of an entry from which it is wrong. Default: 1e-3.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, metavar="NUMBER", help="Of the random directions.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="Also draw the error against the step: .svg or .png.",
)  # fmt: skip
@json_option
def check_gradient(
    module: Path,
    function: str,
    gradient: str,
    point: str,
    tolerance: float | None,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Check a gradient against differences of the function; name wrong entries, and why.

    The Python file is run. Exit code 0: the gradient is right; 1: it is wrong, suspicious, or
    nothing can be told; 2: bad input.
    """
    from convex_analyzer.cli.inputs import module_of
    from convex_analyzer.cli.screen import print_json, say, show, working
    from convex_analyzer.problems.gradient_check import check_gradient as compute

    _check_target(out, [module, Path(point)])
    with contextlib.redirect_stdout(sys.stderr):  # what the file prints is no part of the answer
        members = vars(module_of(module, "module"))
        f, g = (_member(members, name, module) for name in (function, gradient))
        at = _point(point, members)
        with working("measuring slopes"):
            check = compute(f, g, at, seed=seed, tolerance=tolerance)
    if as_json:
        print_json(check.to_dict())
    else:
        say(check.words, bold=True)
        say()
        table = check.summary()
        show(type(table)(table.columns, table.rows, notes=("", *table.notes[1:])))
    if out is not None:
        _draw(check, out)
        click.echo(f"wrote {out}", err=as_json)
    return _CODES[check.verdict]


def _check_target(out: Path | None, inputs: list[Path]) -> None:
    if out is None:
        return
    from convex_analyzer.cli.progress import ledger
    from convex_analyzer.files import check_target

    check_target(out, inputs=inputs, suffixes=(".svg", ".png"), what="a figure", option="--out")
    ledger.promise(out)


def _member(members: dict[str, Any], name: str, path: Path) -> Callable[..., Any]:
    import difflib

    found = members.get(name)
    if callable(found):
        function: Callable[..., Any] = found
        return function
    callables = [n for n, member in members.items() if callable(member) and not n.startswith("_")]
    near = difflib.get_close_matches(name, callables, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(callables[:8]) or 'none'}"
    raise InputError(f"{path} has no function {name!r}", argument=name, hint=hint)


def _point(text: str, members: dict[str, Any]) -> Any:
    import numpy as np

    if text in members:
        return members[text]
    suffix = Path(text).suffix.lower()
    if suffix in {".npy", ".npz"}:
        from convex_analyzer.problems.array_files import read_npy, read_npz

        if not Path(text).is_file():
            raise InputError(f"there is no file {text}", argument="at")
        arrays = read_npz(Path(text)) if suffix == ".npz" else {"": read_npy(Path(text))}
        return next(iter(arrays.values())) if len(arrays) == 1 else arrays
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"--at must be numbers, a .npy or .npz file, or a name in the module, got {text!r}",
            argument="at",
            hint="for instance --at 1,2,3",
        ) from None
    return np.array(numbers)


def _draw(check: Any, out: Path) -> None:
    from convex_analyzer.files import write_bytes
    from convex_analyzer.plot.figures.gradient_errors import gradient_errors
    from convex_analyzer.plot.style import to_png, to_svg

    figure = gradient_errors(check)
    write_bytes(out, to_svg(figure) if out.suffix.lower() == ".svg" else to_png(figure))
