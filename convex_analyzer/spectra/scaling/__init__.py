"""All remedies for ill-conditioning by name: ``scaling.registered()``.

A remedy is a frozen dataclass derived from `Remedy`; one in a module of this package is listed.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil

from convex_analyzer.spectra.scaling.change import Changed, Remedy

__all__ = ["Changed", "Remedy", "registered"]


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
