"""What a comparison runs when it is not told: optimizers, labels, start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer, how_to_name
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import join_words
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.arguments import require_one_setting
from convex_analyzer.theory.local import is_linear
from convex_analyzer.theory.tuning import has_defaults

__all__ = ["default_start", "exciting_start", "labels", "resolve"]

Array = npt.NDArray[np.float64]


def default_start(problem: Quadratic, spectrum: Spectrum) -> tuple[Array, str]:
    """Return a start that excites every direction, and its name.

    For data: zeros, the untrained model. Otherwise the critical point plus one unit along every
    eigendirection (plus a random vector when there are no eigenvectors).
    """
    if isinstance(problem, LeastSquares):
        return np.zeros(problem.dimension), "zeros (the untrained model)"
    return exciting_start(problem, spectrum)


def exciting_start(problem: Quadratic, spectrum: Spectrum) -> tuple[Array, str]:
    """Return the critical point plus one unit along every eigendirection, and its name."""
    centre = problem.critical_point
    if centre is None:
        centre = np.zeros(problem.dimension)
    if not spectrum.is_interval:
        units = spectrum.from_eigenbasis(np.ones((1, len(spectrum.eigenvalues))))[0]
        return centre + units, "θ* plus one unit along every eigendirection"
    noise = np.random.Generator(np.random.Philox(0)).standard_normal(problem.dimension)
    return centre + noise, "θ* plus a random vector (seed 0)"


Search = Callable[[type[Optimizer], Mapping[str, Any] | None], tuple[Optimizer, tuple[str, ...]]]


def resolve(
    spectrum: Spectrum, optimizers: Sequence[Any] | Any | None, search: Search, *, noisy: bool
) -> list[tuple[Optimizer, tuple[str, ...]]]:
    """Return instances, each with the names of its tuned hyper-parameters.

    A class is tuned for the spectrum when its rule is linear and gradients are exact (`noisy` says
    whether they are not), and by `search` otherwise.
    """
    if optimizers is None:
        optimizers = [GradientDescent, HeavyBall, Nesterov]
    if isinstance(optimizers, (Optimizer, type, str)) or not isinstance(optimizers, Iterable):
        optimizers = [optimizers]
    chosen: list[tuple[Optimizer, tuple[str, ...]]] = []
    for item in optimizers:
        rule, given = item if isinstance(item, tuple) else (item, None)
        if isinstance(rule, type) and issubclass(rule, Optimizer) and rule is not Optimizer:
            _require_instance(rule, given)
            if _is_searched(rule, given, noisy):
                chosen.append(search(rule, given))
            else:
                analysis = analyze(spectrum, rule, given)
                chosen.append((analysis.optimizer, analysis.tuned))
        elif isinstance(rule, Optimizer):
            require_one_setting(rule)
            chosen.append((rule, ()))
        else:
            raise InputError(
                f"optimizers must be Optimizer instances or classes, got {rule!r}",
                argument="optimizers",
                hint=how_to_name(rule),
            )
    if not chosen:
        raise InputError("optimizers is empty", argument="optimizers")
    return chosen


def _require_instance(rule: type[Optimizer], given: Mapping[str, Any] | None) -> None:
    """Refuse a class that needs something which is not tuned, such as another optimizer."""
    needed = [f.name for f in rule.fields() if f.default is MISSING]
    missing = [n for n in needed if n not in rule.hyperparameters() and n not in (given or {})]
    if missing:
        example = f", for instance {rule.example()!r}" if hasattr(rule, "example") else ""
        raise InputError(
            f"{rule.__name__} needs {join_words(missing)}, which no tuning can choose",
            argument="optimizers",
            hint=f"give an instance{example}",
        )


def _is_searched(rule: type[Optimizer], given: Mapping[str, Any] | None, noisy: bool) -> bool:
    """Tell whether the best setting of a rule can only be found by running it."""
    trial = {**(given or {}), "learning_rate": 1.0}
    if "learning_rate" not in rule.hyperparameters():
        trial = dict(given or {})
    known = {field.name for field in rule.fields()}
    if not has_defaults(rule, trial) or not set(trial) <= known:
        return False
    instance = rule(**trial)
    if noisy or instance.random or getattr(instance, "noise", None) is not None:
        return True
    try:
        return not is_linear(instance)
    except NotDerivableError:
        return True


def labels(chosen: list[tuple[Optimizer, tuple[str, ...]]]) -> list[str]:
    """Return a short name for each, numbered where a class occurs more than once."""
    names = [type(rule).__name__ for rule, _ in chosen]
    if len(set(names)) == len(names):
        return names
    seen: dict[str, int] = {}
    names_out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        names_out.append(f"{name} {seen[name]}" if names.count(name) > 1 else name)
    return names_out
