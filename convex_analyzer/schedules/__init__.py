"""Schedules: values that change from step to step.

Any continuous hyper-parameter may be one: ``ca.HeavyBall(ca.schedules.Step(0.1, 0.1, 30))``. Steps
count from t = 1 in ``at(t)``; the formulas count k = t - 1 from 0, as libraries do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convex_analyzer.schedules.base import Schedule
from convex_analyzer.schedules.combined import Product, WarmUp
from convex_analyzer.schedules.cosine import Cosine, WarmRestarts
from convex_analyzer.schedules.decays import (
    Constant,
    Exponential,
    InverseTime,
    Linear,
    Polynomial,
    Power,
)
from convex_analyzer.schedules.reading import name_in, named, rebuilt
from convex_analyzer.schedules.settings import Inner
from convex_analyzer.schedules.stairs import Growing, MultiStep, Step, Table

__all__ = [
    "Constant",
    "Cosine",
    "Exponential",
    "Growing",
    "InverseTime",
    "Linear",
    "MultiStep",
    "Polynomial",
    "Power",
    "Product",
    "Schedule",
    "Step",
    "Table",
    "WarmRestarts",
    "WarmUp",
    "find",
    "from_dict",
    "registered",
]


def registered() -> dict[str, type[Schedule]]:
    """Return every schedule class by name.

    Examples
    --------
    >>> "Step" in registered()
    True
    """
    classes = (globals()[name] for name in __all__)
    return {
        cls.__name__: cls
        for cls in classes
        if isinstance(cls, type) and issubclass(cls, Schedule) and cls is not Schedule
    }


def find(name: str, extra: Mapping[str, type[Schedule]] | None = None) -> type[Schedule]:
    """Return the schedule class of this name; case, underscores and hyphens do not matter.

    Parameters
    ----------
    name
        Class name or alias.
    extra
        Further classes by name.

    Raises
    ------
    InputError
        There is none; the message names the nearest.

    Examples
    --------
    >>> find("warm_restarts").__name__, find("sgdr").__name__
    ('WarmRestarts', 'WarmRestarts')
    """
    classes = {**registered(), **(extra or {})}
    return named(name, classes, "schedule", f"known: {', '.join(classes)}")


def from_dict(
    data: Mapping[str, Any], extra: Mapping[str, type[Schedule]] | None = None
) -> Schedule:
    """Return the schedule that ``to_dict`` described.

    Parameters
    ----------
    data
        What ``to_dict`` returned.
    extra
        Further classes by name.

    Raises
    ------
    InputError
        No such schedule, or fields that it does not have.

    Examples
    --------
    >>> from_dict(Step(0.1, 0.5, 30).to_dict())
    Step(initial=0.1, factor=0.5, every=30)
    """
    cls = find(name_in(data, "schedule"), extra)
    domains = cls.domains()

    def decode(name: str, value: Any) -> Any:
        if isinstance(domains.get(name), Inner):
            return from_dict(value, extra)
        return domains[name].decode(value) if name in domains else value

    return rebuilt(cls, data, decode)
