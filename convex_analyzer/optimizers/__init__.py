"""All optimizers by name: ``optimizers.HeavyBall``, ``optimizers.registered()``.

The registry is computed on demand: public subclasses of `Optimizer` in the modules of this package,
and those that installed distributions name in the entry-point group ``convex_analyzer.optimizers``.
A class in a notebook or a test works everywhere, but is not listed.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from convex_analyzer import schedules
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.schedules.reading import name_in, named, rebuilt

if TYPE_CHECKING:
    from convex_analyzer.optimizers.gradient import GradientDescent as GradientDescent
    from convex_analyzer.optimizers.momentum import HeavyBall as HeavyBall
    from convex_analyzer.optimizers.momentum import Nesterov as Nesterov

__all__ = ["Optimizer", "find", "from_dict", "registered"]


@functools.cache
def registered() -> dict[str, type[Optimizer]]:
    """Return every listed optimizer class by name, in the order of the modules.

    Raises
    ------
    InputError
        Two listed classes have one name.

    Examples
    --------
    >>> "HeavyBall" in registered()
    True
    """
    found: dict[str, type[Optimizer]] = {}
    candidates: list[type[Optimizer]] = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        candidates += [
            member
            for name, member in vars(module).items()
            if inspect.isclass(member)
            and issubclass(member, Optimizer)
            and member.__module__ == module.__name__
            and member is not Optimizer
            and not name.startswith("_")
        ]
    candidates += [point.load() for point in entry_points(group="convex_analyzer.optimizers")]
    for candidate in candidates:
        name = candidate.__name__
        if name in found and found[name] is not candidate:
            raise InputError(
                f"two optimizers are called {name}: {found[name].__module__} and "
                f"{candidate.__module__}",
                hint="rename one of them",
            )
        found[name] = candidate
    return found


def find(name: str, extra: dict[str, type[Optimizer]] | None = None) -> type[Optimizer]:
    """Return the optimizer class of this name; case, underscores and hyphens do not matter.

    Parameters
    ----------
    name
        Class name or alias.
    extra
        Further classes by name (the command line's foreign modules).

    Raises
    ------
    InputError
        There is none; the message names the nearest.

    Examples
    --------
    >>> find("heavy_ball").__name__, find("gd").__name__
    ('HeavyBall', 'GradientDescent')
    """
    classes = {**registered(), **(extra or {})}
    return named(name, classes, "optimizer", "`convex-analyzer optimizers` lists them")


def from_dict(
    data: Mapping[str, Any], extra: dict[str, type[Optimizer]] | None = None
) -> Optimizer:
    """Return the optimizer that ``to_dict`` described, with its schedules and inner optimizers.

    Parameters
    ----------
    data
        What ``to_dict`` returned.
    extra
        Further classes by name.

    Raises
    ------
    InputError
        No such optimizer, fields that it does not have or needs, or values that it refuses.

    Examples
    --------
    >>> from_dict({"name": "HeavyBall", "learning_rate": 0.1, "momentum": 0.5})
    HeavyBall(learning_rate=0.1, momentum=0.5)
    """
    cls = find(name_in(data, "optimizer"), extra)
    domains = cls.domains()

    def decode(name: str, value: Any) -> Any:
        nested = isinstance(value, Mapping)
        if nested and "schedule" in value:
            return schedules.from_dict(value["schedule"])
        if name in domains:
            return domains[name].decode(value)
        return from_dict(value, extra) if nested and "name" in value else value

    return rebuilt(cls, data, decode)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    classes = registered()
    if name in classes:
        return classes[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *registered()])
