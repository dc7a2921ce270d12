"""`ConditionAnalysis`: what `condition` returns."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

from convex_analyzer.conditioning import wording
from convex_analyzer.conditioning.cost import OPTIMIZERS, Digits, Mismatch
from convex_analyzer.conditioning.fixes import Bought, Refused, recommended
from convex_analyzer.conditioning.split import Split
from convex_analyzer.results import Result, to_plain
from convex_analyzer.sheets import Sheet
from convex_analyzer.spectra.clusters import Clusters
from convex_analyzer.spectra.collinearity import Collinearity
from convex_analyzer.spectra.data_sensitivity import DataSensitivity
from convex_analyzer.tables import Table, format_count, format_number

__all__ = ["CAUSES", "ConditionAnalysis"]

CAUSES = {
    "units": "columns or coordinates of very different size",
    "offset": "columns far from zero, compared with their spread",
    "collinearity": "columns or coordinates that are nearly combinations of others",
    "harmless": "it costs this problem nothing that matters",
}

_HOW = "GD: the better of α = 2/(λmin + λmax) and 1/λmax; heavy ball, Nesterov: tuned; CG: exact."
_COLUMNS = ("fix", "κ(A)", "GD", "heavy ball", "Nesterov", "CG", "price")


@dataclass(frozen=True, eq=False)
class ConditionAnalysis(Result):
    """Where a condition number comes from, what it costs and what each fix buys; by `condition`.

    Attributes
    ----------
    name
        What the problem is called.
    labels
        Names of the columns or coordinates.
    rows
        n; None for a matrix.
    cause
        ``units``, ``offset``, ``collinearity`` or ``harmless``: see `CAUSES`.
    kappa
        κ(A) of the problem as given, in the 2-norm over the eigenvalues that are not zero; for data
        that is κ(XᵀX), with the penalty if there is one.
    kappa_of_data
        κ(X); None for a matrix.
    kappa_is_bound
        Whether κ is only known to be at least that.
    split
        κ in parts.
    collinearity
        Which columns collide; None for a matrix.
    digits
        What a direct solve loses.
    sensitivity
        How errors in the data are magnified; None for a matrix, or without a target.
    clusters
        Groups of eigenvalues; None when only the ends are known.
    remedies
        What each fix buys: the problem as given first, then fewest steps of gradient descent first.
    refused
        Remedies that cannot be applied, and why.
    mismatch
        The two weights whose gradients are most out of proportion to what they need.
    cheap
        Steps that count as cheap: those of gradient descent at κ = 100 from the worst start.
    tolerance
        Goal: J - J* relative to the first.
    start_name
        Where training starts.
    penalty
        l2 of a least-squares problem.
    """

    schema: ClassVar[str] = "convex_analyzer.condition/1"

    name: str
    labels: tuple[str, ...]
    rows: int | None
    cause: str
    kappa: float
    kappa_of_data: float | None
    kappa_is_bound: bool
    split: Split
    collinearity: Collinearity | None
    digits: Digits
    sensitivity: DataSensitivity | None
    clusters: Clusters | None
    remedies: tuple[Bought, ...]
    refused: tuple[Refused, ...]
    mismatch: Mismatch | None
    cheap: int
    tolerance: float
    start_name: str
    penalty: float = 0.0

    @property
    def given(self) -> Bought:
        """The problem as it is, without a fix."""
        return self.remedies[0]

    def remedy(self, name: str) -> Bought:
        """Return the entry of a remedy by its class name or title.

        Raises
        ------
        KeyError
            It was not applied.
        """
        for entry in self.remedies:
            if name in {entry.name, entry.title}:
                return entry
        raise KeyError(name)

    @functools.cached_property
    def advice(self) -> tuple[Bought, str] | None:
        """The least effort that makes training cheap: a remedy and the name of an optimizer."""
        return recommended(self.remedies, self.cheap)

    @property
    def is_cheap(self) -> bool:
        """Whether gradient descent is cheap without any fix."""
        steps = self.given.steps[OPTIMIZERS[0].__name__]
        return steps is not None and steps <= self.cheap

    @property
    def cured_by_scaling(self) -> bool | None:
        """Whether scaling alone, and centring, brings κ(A) to at most 100; None if neither can."""
        return wording.cured_by_scaling(self)

    @functools.cached_property
    def sentences(self) -> tuple[str, ...]:
        """What it all means, most important first."""
        return wording.sentences(self)

    @property
    def answers(self) -> dict[str, str]:
        """Two questions, two answers: what κ costs a direct ``solve``, and what ``training``."""
        return wording.answers(self)

    @property
    def table(self) -> Table:
        """What each fix buys."""
        rows = tuple(
            (
                entry.title,
                format_number(entry.kappa, 4),
                *(format_count(entry.steps[rule.__name__]) for rule in OPTIMIZERS),
                entry.price + (f" {wording.share(entry.bias)}" if entry.bias else ""),
            )
            for entry in self.remedies
        )
        title = f"steps to {format_number(self.tolerance)} of the first gap, from {self.start_name}"
        return Table(_COLUMNS, rows, title=title, notes=(_HOW,))

    def summary(self) -> Sheet:
        """Return the table of fixes under the cause, with the most important sentences below."""
        said = wording.topics(self)
        chosen = [*said["columns"][:2], *said["solve"][:1], *said["advice"], *said["limits"][:2]]
        rest = len(self.sentences) - len(chosen) - len(said["number"] + said["cause"])
        if rest > 0:
            chosen.append(f"{rest} more in .sentences.")
        table = self.table
        facts = [
            ("κ(A)", ("at least " if self.kappa_is_bound else "") + format_number(self.kappa, 4))
        ]
        if self.kappa_of_data is not None:
            facts.append(("κ(X)", format_number(self.kappa_of_data, 4)))
        parts = (f"{one.cause} {format_number(one.decades, 3)}" for one in self.split.shares)
        facts.append(("powers of ten", ", ".join(parts)))
        return Sheet(
            table.columns, table.rows, table.title, (*table.notes, *chosen), table.left,
            "condition", f"{self.name}: {self.cause.upper()}, {CAUSES[self.cause]}",
            " ".join(said["cause"]), tuple(facts),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        advice = self.advice
        return {
            **super().to_dict(),
            "shares": to_plain({share.cause: share.decades for share in self.split.shares}),
            "advice": None if advice is None else {"remedy": advice[0].name, "by": advice[1]},
            "digits_kept": to_plain(self.digits.kept),
            "digits_kept_by_normal_equations": to_plain(self.digits.kept_by_normal_equations),
            "cured_by_scaling": self.cured_by_scaling,
            "answers": self.answers,
            "sentences": list(self.sentences),
        }

    def __repr__(self) -> str:
        return f"<ConditionAnalysis {self.name}: κ(A) = {self.kappa:.4g}, {self.cause}>"
