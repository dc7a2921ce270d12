"""`check_optimizer`: every check in order, and the report of what was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.results import Result
from convex_analyzer.tables import Table
from convex_analyzer.testing.anchors import (
    Golden,
    check_golden,
    check_limit,
    check_local_limit,
    check_optimum,
)
from convex_analyzer.testing.case import Case, make_case
from convex_analyzer.testing.contract import (
    check_domains,
    check_json,
    check_purity,
    check_runs,
    check_source,
    check_value,
)
from convex_analyzer.testing.dynamics import (
    check_forms,
    check_simulation,
    check_symbols,
    check_theory,
)

__all__ = ["Check", "Conformance", "check_optimizer", "strategy_for"]


@dataclass(frozen=True)
class Check:
    """One check that an optimizer passed, and what it found."""

    name: str
    found: str


@dataclass(frozen=True, eq=False, repr=False)
class Conformance(Result):
    """What `check_optimizer` checked.

    Attributes
    ----------
    optimizer
        Name of the class.
    checks
        In the order in which they ran.
    """

    schema: ClassVar[str] = "convex_analyzer.conformance/1"

    optimizer: str
    checks: tuple[Check, ...]

    def summary(self) -> Table:
        """Return one row per check."""
        rows = tuple((check.name, check.found) for check in self.checks)
        return Table((self.optimizer, "checked"), rows, left=2)

    def __repr__(self) -> str:
        return f"<Conformance of {self.optimizer}: {len(self.checks)} checks>"


_CONTRACT: tuple[tuple[str, Callable[[Case], str]], ...] = (
    ("value", check_value),
    ("json", check_json),
    ("domains", check_domains),
    ("source", check_source),
    ("purity", check_purity),
    ("runs", check_runs),
    ("simulation", check_simulation),
)


def check_optimizer(
    optimizer: type[Optimizer] | Optimizer, *, golden: Golden | Iterable[Golden] | None = None
) -> Conformance:
    """Hold an optimizer against the contract of `Optimizer` and against an independent anchor.

    Parameters
    ----------
    optimizer
        A class, whose settings are drawn from its declared ranges, or an instance.
    golden
        Trajectories from other implementations: anchors for a rule on which nothing is published.

    Returns
    -------
    Conformance
        What was checked; print it.

    Raises
    ------
    ConformanceError
        A check failed: one sentence that names it. Also when there is no anchor at all.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> check_optimizer(GradientDescent)
    <Conformance of GradientDescent: 12 checks>
    """
    case = make_case(optimizer)
    done = [Check(name, check(case)) for name, check in _CONTRACT]
    anchored = False
    trajectories = [golden] if isinstance(golden, Golden) else list(golden or ())
    for trajectory in trajectories:
        done.append(Check("golden", check_golden(case, trajectory)))
        anchored = True
    rule = case.settings[0]
    if rule.cycle == 1 or rule.settles:
        found, reasons = check_forms(case)
        done.append(Check("forms", found))
        if reasons:
            result = check_local_limit(case)
            if result is not None:
                done.append(Check("published limit", result))
                anchored = True
        else:
            done.append(Check("symbols", check_symbols(case)))
            done.append(Check("theory", check_theory(case)))
            for name, anchor in (
                ("published limit", check_limit),
                ("published optimum", check_optimum),
            ):
                result = anchor(case)
                if result is not None:
                    done.append(Check(name, result))
                    anchored = True
    if not anchored:
        raise case.failure(
            "anchor",
            "theory and simulation both read step, so nothing here could show that step is right; "
            "give published_limit or published_optimum with its source, or pass golden=, a "
            "trajectory from another implementation",
        )
    return Conformance(case.name, tuple(done))


def strategy_for(cls: type[Optimizer]) -> Any:
    """Return a Hypothesis strategy of instances, from the declared ranges (usual values).

    Parameters
    ----------
    cls
        An optimizer class; fields without a declared range keep their defaults.
    """
    from hypothesis import strategies

    domains = cls.hyperparameters()
    return strategies.builds(cls, **{name: domain.strategy() for name, domain in domains.items()})
