"""From the words of a command line to a problem, its optimizers and a start."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.cli.options import Request
from convex_analyzer.errors import InputError
from convex_analyzer.noise import AdditiveNoise, MiniBatch, Noise
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.parse import parse_optimizer
from convex_analyzer.problems import gallery
from convex_analyzer.problems.files import load
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic

__all__ = [
    "Chosen",
    "classes_in",
    "module_of",
    "noise_of",
    "optimizers_of",
    "problem_of",
    "start_of",
]

Chosen = Optimizer | tuple[type[Optimizer], dict[str, Any]]

_PREFIX = "gallery:"


def problem_of(request: Request) -> Quadratic:
    """Return the problem: a file, or ``gallery:NAME`` with arguments after a second colon."""
    options: dict[str, Any] = {
        "target": request.target,
        "intercept": request.intercept,
        "loss": request.loss,
        "l2": request.l2,
        "missing": request.missing,
        "drop_columns": request.drop_columns or None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if request.file.startswith(_PREFIX):
        problem = _from_gallery(request.file.removeprefix(_PREFIX), given)
    else:
        problem = load(request.file, **given)
    if not request.standardise:
        return problem
    if not isinstance(problem, LeastSquares):
        raise InputError(
            f"--standardise is for the columns of data, and {problem.name} is a matrix",
            argument="standardise",
            hint="a data file needs --target NAME",
        )
    return problem.standardized()


def _from_gallery(text: str, given: dict[str, Any]) -> Quadratic:
    name, _, arguments = text.partition(":")
    if name not in gallery.names():
        near = difflib.get_close_matches(name, gallery.names(), n=1)
        known = f"did you mean {near[0]}?" if near else f"known: {', '.join(gallery.names())}"
        raise InputError(f"the gallery has no problem {name!r}", argument="file", hint=known)
    make = getattr(gallery, name)
    accepted = tuple(inspect.signature(make).parameters)
    values = _keywords(name, arguments, accepted)
    for option, value in given.items():
        if option not in accepted:
            flag = option.replace("_", "-")
            raise InputError(f"--{flag} does not apply to {_PREFIX}{name}", argument=option)
        values[option] = value
    problem: Quadratic = make(**values)
    return problem


def _keywords(name: str, text: str, accepted: tuple[str, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for piece in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or key not in accepted:
            hint = "it takes no arguments"
            if accepted:
                hint = f"it takes {', '.join(accepted)}: {_PREFIX}{name}:{accepted[0]}=..."
            raise InputError(
                f"{_PREFIX}{name} does not understand {piece!r}", argument="file", hint=hint
            )
        values[key] = _value(piece, value)
    return values


def _value(piece: str, text: str) -> bool | int | float:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise InputError(f"{piece!r}: expected a number, true or false", argument="file")


def noise_of(request: Request) -> Noise | None:
    """Return the noise of --batch-size or --noise."""
    if request.batch_size is not None and request.noise is not None:
        raise InputError("--batch-size and --noise exclude each other", argument="noise")
    if request.batch_size is not None:
        return MiniBatch(request.batch_size)
    if request.noise is not None and not 0 <= request.noise < math.inf:
        raise InputError(
            f"--noise is a variance: at least 0, and finite; got {request.noise:g}",
            argument="noise",
        )
    return None if request.noise is None else AdditiveNoise(request.noise)


def optimizers_of(request: Request) -> list[Chosen]:
    """Return what was asked for with --optimizer; empty when nothing was."""
    extra: dict[str, type[Optimizer]] = {}
    for path in request.optimizer_module:
        extra.update(classes_in(path))
    chosen = [_complete(parse_optimizer(text, extra)) for text in request.optimizer]
    if not chosen and extra:
        chosen = [(cls, {}) for cls in extra.values()]
    return chosen


def _complete(chosen: Chosen) -> Chosen:
    """Return an instance when nothing is left to tune."""
    if isinstance(chosen, tuple):
        cls, given = chosen
        if given.keys() >= cls.hyperparameters().keys():
            return cls(**given)
    return chosen


USER_MODULE = "_optimizers_"  # how the names of these modules begin


def module_of(path: Path, argument: str = "optimizer_module") -> ModuleType:
    """Run a Python file of the user's and return it as a module."""
    if not path.is_file():
        raise InputError(f"there is no file {path}", argument=argument)
    specification = importlib.util.spec_from_file_location(USER_MODULE + path.stem, path)
    if specification is None or specification.loader is None:
        raise InputError(f"{path} is not a Python file (.py)", argument=argument)
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{path} cannot be run: {type(error).__name__}: {error}", argument=argument
        ) from error
    return module


def classes_in(path: Path) -> dict[str, type[Optimizer]]:
    """Run a Python file of the user's and return the optimizers that it defines."""
    module = module_of(path)
    found = {
        name: member
        for name, member in vars(module).items()
        if inspect.isclass(member)
        and issubclass(member, Optimizer)
        and member.__module__ == module.__name__
        and not name.startswith("_")
    }
    if not found:
        raise InputError(
            f"{path} defines no optimizer",
            argument="optimizer_module",
            hint="an optimizer is a subclass of convex_analyzer.Optimizer with a method step",
        )
    return found


def start_of(request: Request, problem: Quadratic) -> npt.NDArray[np.float64] | None:
    """Return the start that was asked for; None leaves the choice to the package."""
    size = problem.dimension
    match request.start:
        case None:
            return None
        case "zeros":
            return np.zeros(size)
        case "ones":
            return np.ones(size)
        case "excite":
            return _exciting(problem)
    try:
        point = np.array([float(part) for part in request.start.split(",")])
    except ValueError:
        raise InputError(
            f"--start must be zeros, ones, excite or numbers, got {request.start!r}",
            argument="start",
            hint=f"for instance --start {','.join(['1'] * min(size, 3))}",
        ) from None
    if len(point) != size:
        raise InputError(
            f"--start has {len(point)} number{'s' * (len(point) > 1)}, and the problem has {size} "
            f"parameter{'s' * (size > 1)}",
            argument="start",
        )
    return point


def _exciting(problem: Quadratic) -> npt.NDArray[np.float64]:
    """Return the critical point plus one unit along every eigendirection."""
    if not problem.operator.can_decompose:
        raise InputError(
            "--start excite needs all eigenvectors, and this problem is too large for that",
            argument="start",
            hint="leave --start out for a random start",
        )
    from convex_analyzer.comparison.choice import exciting_start
    from convex_analyzer.spectra.compute import spectrum

    return exciting_start(problem, spectrum(problem))[0]
