"""`Spectrum`: what a problem's curvature is, and how well it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.results import Result, to_plain
from convex_analyzer.spectra.brackets import Bracket, DataConditioning
from convex_analyzer.tables import Table, format_number

__all__ = ["Bracket", "DataConditioning", "Spectrum"]

Array = npt.NDArray[np.float64]

_IN_JSON = 10_000  # more eigenvalues than this are left out of plain data
SHOWN = 40  # tables show at most this many eigenvalues


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(Result):
    """Eigenvalues of A, in ascending order, with brackets of the extreme ones.

    Made by `convex_analyzer.spectrum`, `Spectrum.from_eigenvalues` or `Spectrum.between`.

    Attributes
    ----------
    eigenvalues
        Shape (n,), ascending. Those that cannot be told from zero are set to exactly 0. For an
        interval, its two ends.
    lambda_min_bracket, lambda_max_bracket
        Intervals that hold the smallest and largest eigenvalue.
    eigenvectors
        Columns, shape (d, n); None when they were not computed.
    linear
        b in the eigenbasis, shape (n,): β = Qᵀb.
    method
        How it was computed.
    kind
        ``exact``, ``bracketed`` or ``numerical`` (see `convex_analyzer.notation.KINDS`).
    zero_tolerance
        Eigenvalues up to this size count as zero.
    is_interval
        True when only the ends are known and anything between may occur.
    resolved
        False when the smallest eigenvalues drown in rounding without a gap, so that κ is only known
        to be at least `condition_number`.
    exact_eigenvalues
        SymPy numbers, when the matrix was exact.
    data
        Conditioning of the data matrix, for least squares.
    name
        What the problem is called.
    order
        Without eigenvectors: which coordinate each eigenvalue belongs to, shape (n,).
    second_bracket
        Where zero is inside or at the end: an interval that holds the eigenvalue nearest to it,
        other than zero, in size; None where none was computed.

    Examples
    --------
    >>> toy = Spectrum.from_eigenvalues([0.2, 4.0])
    >>> toy.condition_number, toy.gradient_descent_limit
    (20.0, 0.5)
    """

    schema: ClassVar[str] = "convex_analyzer.spectrum/1"

    eigenvalues: Array
    lambda_min_bracket: Bracket
    lambda_max_bracket: Bracket
    eigenvectors: Array | None = field(default=None, repr=False)
    linear: Array | None = field(default=None, repr=False)
    method: str = "given"
    kind: str = "exact"
    zero_tolerance: float = 0.0
    is_interval: bool = False
    resolved: bool = True
    exact_eigenvalues: tuple[Any, ...] | None = None
    data: DataConditioning | None = None
    dimension: int = 0
    name: str = "spectrum"
    order: npt.NDArray[np.intp] | None = field(default=None, repr=False)
    second_bracket: Bracket | None = None

    @classmethod
    def from_eigenvalues(
        cls, eigenvalues: Any, linear: Any = None, *, name: str = "spectrum"
    ) -> Self:
        """Return the spectrum with these eigenvalues, in any order, of any sign, taken as exact.

        Parameters
        ----------
        eigenvalues
            Shape (n,).
        linear
            b along each eigendirection, in the same order; zero when left out.

        Raises
        ------
        InputError
            Empty, not a vector, or not finite.
        """
        values = np.array(eigenvalues, dtype=float)
        if values.ndim != 1 or not values.size or not np.all(np.isfinite(values)):
            raise InputError(
                "eigenvalues must be a non-empty vector of finite numbers", argument="eigenvalues"
            )
        order = np.argsort(values, kind="stable")
        beta = np.zeros(len(values)) if linear is None else np.array(linear, dtype=float)
        if beta.shape != values.shape:
            raise InputError(
                f"linear must have shape {values.shape}, got {beta.shape}", argument="linear"
            )
        values = values[order]
        low, high = float(values[0]), float(values[-1])
        return cls(
            eigenvalues=values,
            lambda_min_bracket=Bracket(low, low),
            lambda_max_bracket=Bracket(high, high),
            linear=beta[order],
            dimension=len(values),
            name=name,
            order=order,
        )

    def to_eigenbasis(self, vector: Array) -> Array:
        """Return a vector (d,) of the problem's coordinates in the eigenbasis, (n,)."""
        if self.eigenvectors is not None:
            return np.asarray(self.eigenvectors.T @ vector)
        return vector if self.order is None else vector[self.order]

    def from_eigenbasis(self, rows: Array) -> Array:
        """Return rows (K, n) of the eigenbasis in the problem's coordinates, (K, d)."""
        if self.eigenvectors is not None:
            return np.asarray(rows @ self.eigenvectors.T)
        if self.order is None:
            return rows
        result = np.empty_like(rows)
        result[:, self.order] = rows
        return result

    @classmethod
    def between(cls, m: float, L: float) -> Self:
        """Return the class of all quadratics with eigenvalues in [m, L].

        Raises
        ------
        InputError
            Not 0 < m ≤ L.

        Examples
        --------
        >>> Spectrum.between(1.0, 100.0).condition_number
        100.0
        """
        if not (0 < m <= L < math.inf):
            hint = ""
            if m == 0 < L:
                hint = (
                    "without strong convexity no rate exists; theory.limits.flat_limit has the gaps"
                )
            raise InputError(f"need 0 < m <= L, got m = {m!r}, L = {L!r}", argument="m", hint=hint)
        ends = [float(m), float(L)]
        return cls(
            eigenvalues=np.array(ends),
            lambda_min_bracket=Bracket(ends[0], ends[0]),
            lambda_max_bracket=Bracket(ends[1], ends[1]),
            linear=np.zeros(2),
            is_interval=True,
            method="all spectra between the ends",
            dimension=2,
            name=f"spectra in [{format_number(m)}, {format_number(L)}]",
        )

    # -- ends and condition number -------------------------------------------------------------

    @property
    def lambda_min(self) -> float:
        """The smallest eigenvalue; 0 when A is singular."""
        return float(self.eigenvalues[0])

    @property
    def lambda_max(self) -> float:
        """The largest eigenvalue."""
        return float(self.eigenvalues[-1])

    @property
    def nonzero(self) -> Array:
        """The eigenvalues other than zero."""
        return np.asarray(self.eigenvalues[self.eigenvalues != 0])

    @property
    def positive(self) -> Array:
        """The positive eigenvalues."""
        return np.asarray(self.eigenvalues[self.eigenvalues > 0])

    @property
    def smallest_nonzero(self) -> float | None:
        """The eigenvalue nearest to zero that is not zero, in size; None for A = 0."""
        sizes = np.abs(self.nonzero)
        return float(sizes.min()) if sizes.size else None

    @property
    def rank(self) -> int:
        """Number of eigenvalues other than zero; see `zero_tolerance`."""
        return int(np.count_nonzero(self.eigenvalues))

    @property
    def condition_number(self) -> float | None:
        """κ in the 2-norm over the non-zero eigenvalues; a lower bound when not `resolved`."""
        smallest = self.smallest_nonzero
        if smallest is None:
            return None
        if not self.resolved:
            return float(np.max(np.abs(self.eigenvalues)) / self.zero_tolerance)
        if self.exact_eigenvalues is not None:
            sizes = [abs(value) for value in self.exact_eigenvalues if value != 0]
            return float(max(sizes) / min(sizes))
        if self.data is not None and self.lambda_min > 0:
            return self.data.gram_condition_number
        return float(np.max(np.abs(self.eigenvalues)) / smallest)

    @property
    def condition_number_bracket(self) -> Bracket | None:
        """An interval that holds κ; its upper end is infinite when κ is not `resolved`."""
        kappa = self.condition_number
        if kappa is None:
            return None
        if not self.resolved:
            return Bracket(kappa, math.inf)
        if self.data is not None and self.lambda_min > 0:
            return Bracket(self.data.bracket.low**2, self.data.bracket.high**2)
        top, bottom = self.lambda_max_bracket, self.lambda_min_bracket
        if self.lambda_min <= 0:
            bottom = self.second_bracket or self._guess_bracket(top)
            below = self.lambda_min_bracket  # the largest in size may be the negative end
            top = Bracket(max(top.low, -below.high), max(top.high, -below.low))
        low = top.low / bottom.high
        high = top.high / bottom.low if bottom.low > 0 else math.inf
        # The quotients are rounded too.
        low, high = np.nextafter(min(low, kappa), 0.0), np.nextafter(max(high, kappa), np.inf)
        return Bracket(float(low), float(high))

    def _guess_bracket(self, top: Bracket) -> Bracket:
        """Return the smallest size other than zero, as uncertain as the largest eigenvalue."""
        smallest = self.smallest_nonzero or 0.0
        half = max(top.high - self.lambda_max, self.lambda_max - top.low)
        return Bracket(smallest - half, smallest + half)

    @property
    def gradient_descent_limit(self) -> float | None:
        """2/λmax, from the safe (upper) end of its bracket; None when no curvature is positive."""
        top = self.lambda_max_bracket.high
        return 2 / top if top > 0 else None

    # -- what kind of matrix --------------------------------------------------------------------

    @property
    def definiteness(self) -> str:
        """``positive definite``, ``positive semi-definite``, ``indefinite``, ... or ``zero``."""
        low, high = self.lambda_min, self.lambda_max
        if low > 0:
            return "positive definite"
        if low == 0 and not self.resolved:
            return "positive semi-definite to rounding"
        if low == 0:
            return "positive semi-definite (singular)" if high > 0 else "zero"
        if high > 0:
            return "indefinite"
        return "negative definite" if high < 0 else "negative semi-definite (singular)"

    @property
    def critical_point(self) -> str:
        """What the critical point is: minimum, saddle, maximum, or a flat valley of minima."""
        return {
            "positive definite": "unique minimum",
            "positive semi-definite (singular)": "a flat valley of minima, if b allows any",
            "positive semi-definite to rounding": "a minimum, flat to rounding somewhere",
            "zero": "flat",
            "indefinite": "saddle",
            "negative definite": "maximum",
            "negative semi-definite (singular)": "a ridge of maxima, if b allows any",
        }[self.definiteness]

    # -- text -----------------------------------------------------------------------------------

    def describe_condition_number(self) -> str:
        """Return κ in words, with what limits it."""
        kappa = self.condition_number
        if kappa is None:
            return "undefined: A is zero"
        text = format_number(kappa, 7)
        if not self.resolved:
            why = "float64 cannot carry more"
            if self.is_interval:
                why = "no smaller eigenvalue was reached by products alone"
            return f"at least {format_number(kappa, 2)}: {why}"
        if self.rank < self.dimension and not self.is_interval:
            nonzero = f"{self.rank} of {self.dimension}"
            return f"{text} over the non-zero eigenvalues ({nonzero}: A is singular)"
        return text

    def _describe_rank(self) -> str:
        if self.is_interval:
            return "not known: only the ends were computed"
        tolerance = format_number(self.zero_tolerance, 2)
        limit = f" (zero means ≤ {tolerance})" if self.zero_tolerance else ""
        return f"{self.rank} of {self.dimension}{limit}"

    def _describe_limit(self) -> str:
        if self.lambda_min < 0:
            return "no α: negative curvature is never stable"
        limit = self.gradient_descent_limit
        return (
            "any α: there is no curvature" if limit is None else f"0 < α < {format_number(limit)}"
        )

    def summary(self) -> Table:
        """Return a table of the main facts."""
        rows = [
            ("eigenvalues", f"{self.dimension}" if not self.is_interval else "an interval"),
            ("λmin", _end_text(self.lambda_min, self.lambda_min_bracket)),
            ("λmax", _end_text(self.lambda_max, self.lambda_max_bracket)),
            ("condition number κ(A)", self.describe_condition_number()),
        ]
        if self.data is not None:
            rows.append(("condition number κ(X)", format_number(self.data.condition_number, 7)))
        rows += [
            ("rank", self._describe_rank()),
            ("definiteness", self.definiteness),
            ("critical point", self.critical_point),
            ("gradient descent is stable for", self._describe_limit()),
            ("method", self.method),
            ("kind", self.kind),
        ]
        notes = []
        if self.data is not None and self.data.loses_everything:
            notes.append(
                "Forming XᵀX in float64 would lose every digit of its smallest eigenvalue; "
                "these numbers come from the SVD of X."
            )
        return Table(("spectrum of A", self.name), tuple(rows), notes=tuple(notes), left=2)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; up to 10,000 eigenvalues."""
        bracket = self.condition_number_bracket
        data = super().to_dict()
        if len(self.eigenvalues) > _IN_JSON:
            data["eigenvalues"] = None
        return {
            **data,
            "exact_eigenvalues": None
            if self.exact_eigenvalues is None
            else [str(value) for value in self.exact_eigenvalues],
            "condition_number": to_plain(self.condition_number),
            "condition_number_bracket": to_plain(bracket),
            "rank": self.rank,
            "definiteness": self.definiteness,
            "gradient_descent_limit": to_plain(self.gradient_descent_limit),
        }

    def __repr__(self) -> str:
        return (
            f"<Spectrum {self.name}: {self.dimension} eigenvalues in "
            f"[{self.lambda_min:.6g}, {self.lambda_max:.6g}], {self.definiteness}>"
        )


def _end_text(value: float, bracket: Bracket) -> str:
    if value == 0 and bracket.high > 0:
        return f"0 (cannot be told from it: {bracket})"
    half = max(bracket.high - value, value - bracket.low)
    return str(Bracket(value - half, value + half)) if half > 0 else format_number(value, 10)
