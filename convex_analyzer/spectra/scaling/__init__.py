"""All remedies for ill-conditioning by name: ``remedy("standardise").apply(problem)``.

A remedy is a frozen dataclass derived from `Remedy`; one in a module of this package is listed.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import pkgutil

from convex_analyzer.errors import InputError
from convex_analyzer.spectra.scaling.change import Changed, Remedy

__all__ = ["Changed", "Remedy", "registered", "remedy"]


@functools.cache
def registered() -> dict[str, type[Remedy]]:
    """Return every remedy by name, in the order of effort.

    Examples
    --------
    >>> "Standardise" in registered()
    True
    """
    found: list[type[Remedy]] = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        found += [
            member
            for name, member in vars(module).items()
            if inspect.isclass(member)
            and issubclass(member, Remedy)
            and member is not Remedy
            and member.__module__ == module.__name__
            and not name.startswith("_")
        ]
    return {cls.__name__: cls for cls in sorted(found, key=lambda cls: (cls.effort, cls.__name__))}


def remedy(name: str) -> Remedy:
    """Return a remedy by its class name or by its title in the tables.

    Raises
    ------
    InputError
        There is none of that name.

    Examples
    --------
    >>> from convex_analyzer.problems.gallery import longley
    >>> changed = remedy("standardise").apply(longley())
    >>> theta = changed.back(changed.problem.minimizer)  # coefficients of the columns as they were
    >>> print(changed.problem.labels[1], theta[1].round(3))
    GNPDEFL 15.062
    """
    names = {cls.title: cls for cls in registered().values()} | registered()
    if name not in names:
        near = difflib.get_close_matches(str(name), names, n=1)
        known = ", ".join(repr(cls.title) for cls in registered().values())
        raise InputError(
            f"there is no remedy called {name!r}",
            argument="name",
            hint=f"did you mean {near[0]!r}?" if near else f"there are {known}",
        )
    return names[name]()
